//! The report of triage and double-reading simulations.

use lobule_report::chart::{Axis, Chart, Curve, LineChart, Mark, Marks, TickFormat, Tone, Weight};
use lobule_report::document::{Block, Cell, Document, Section};

use super::{Outcome, PairedDifference, RuleResult, Triage, WithAlgorithm};
use crate::page::{
    About, figure, found, interval, number, percent, provenance, share, table, text, warning,
};
use crate::value::{Found, Share};

/// The report: what each rule changes for each reader and on average, the triage curve, methods.
///
/// ```
/// use lobule_study::triage::{Triage, document};
/// fn title(result: &Triage) -> String {
///     document(result, &lobule_study::About::default()).title
/// }
/// ```
pub fn document(result: &Triage, about: &About) -> Document {
    let algorithms = result.algorithms.iter().enumerate();
    let mut sections: Vec<Section> = algorithms
        .map(|(index, with)| section(result, with, index))
        .collect();
    sections.push(methods(result));
    let settings = [
        ("Readers recall from", result.recall_threshold.to_string()),
        ("Confidence level", percent(result.confidence)),
    ];
    Document {
        title: "Triage and double reading, simulated".into(),
        summary: summary(result),
        sections,
        provenance: provenance(about, &result.input, &settings),
    }
}

fn mean(rule: &RuleResult, value: impl Fn(&Outcome) -> f64) -> f64 {
    rule.readers.iter().map(value).sum::<f64>() / rule.readers.len() as f64
}

fn rate(share: &Option<Share>) -> f64 {
    share.map_or(f64::NAN, |share| share.estimate)
}

fn summary(result: &Triage) -> Vec<String> {
    let mut lines = vec![format!(
        "{} cases, {} with cancer.",
        result.n_cases, result.n_positive
    )];
    for with in &result.algorithms {
        for rule in with
            .rules
            .iter()
            .skip(1)
            .filter(|rule| !rule.readers.is_empty())
        {
            lines.push(format!(
                "{}, {}: {} of readings saved, {:.1} cancers missed and {:.1} gained per reader.",
                with.algorithm,
                rule.rule,
                Cell::Percent(mean(rule, |o| o.reading_saved)).words(),
                mean(rule, |o| o.cancers_missed as f64),
                mean(rule, |o| o.cancers_gained as f64)
            ));
        }
    }
    lines
}

fn section(result: &Triage, with: &WithAlgorithm, index: usize) -> Section {
    let stem = format!("_{}", index + 1);
    let mut blocks = vec![
        mean_table(result, with, &stem),
        reader_table(result, with, &stem),
    ];
    blocks.push(curve(result, with, &stem));
    let refused = with.rules.iter().flat_map(|rule| {
        let rows = rule.refused.iter();
        rows.map(move |(reader, reason)| format!("{}, {reader}: {reason}.", rule.rule))
    });
    blocks.extend(refused.map(warning));
    Section {
        title: with.algorithm.clone(),
        blocks,
    }
}

fn mean_table(result: &Triage, with: &WithAlgorithm, stem: &str) -> Block {
    let rows = with.rules.iter().filter(|rule| !rule.readers.is_empty());
    let rows = rows.map(|rule| {
        vec![
            rule.rule.as_str().into(),
            rule.readers.len().into(),
            number(mean(rule, |o| o.detections_per_thousand.estimate), 2),
            Cell::Percent(mean(rule, |o| o.recall_rate.estimate)),
            Cell::Percent(mean(rule, |o| rate(&o.ppv1))),
            Cell::Percent(mean(rule, |o| rate(&o.decisions.sensitivity))),
            Cell::Percent(mean(rule, |o| rate(&o.decisions.specificity))),
            Cell::Percent(mean(rule, |o| o.reading_saved)),
            number(mean(rule, |o| o.cancers_missed as f64), 2),
            number(mean(rule, |o| o.cancers_gained as f64), 2),
        ]
    });
    let columns = [
        ("rule", "Rule"),
        ("readers", "Readers"),
        ("detections_per_1000", "Cancers found per 1,000"),
        ("recall_rate", "Recall rate"),
        ("ppv1", "PPV1"),
        ("sensitivity", "Sensitivity"),
        ("specificity", "Specificity"),
        ("reading_saved", "Readings saved"),
        ("missed", "Cancers missed"),
        ("gained", "Cancers gained"),
    ];
    let caption = format!(
        "Means over first readers; missed and gained are against the readers alone; n = {} cases, \
         {} with cancer. Rates per 1,000 are of this table, whose prevalence may not be that of \
         screening.",
        result.n_cases, result.n_positive
    );
    table(&format!("rules{stem}"), caption, &columns, rows.collect())
}

fn reader_table(result: &Triage, with: &WithAlgorithm, stem: &str) -> Block {
    let change = |found: &Found<PairedDifference>| {
        self::found(found, |paired| Cell::PercentInterval {
            estimate: paired.difference.estimate,
            lower: paired.difference.lower,
            upper: paired.difference.upper,
        })
    };
    let rows = with.rules.iter().flat_map(|rule| {
        rule.readers.iter().map(move |o| {
            vec![
                rule.rule.as_str().into(),
                o.reader.as_str().into(),
                interval(&o.detections_per_thousand, 2),
                share(&Some(o.recall_rate)),
                share(&o.ppv1),
                share(&o.ppv2),
                share(&o.ppv3),
                o.human_readings.into(),
                o.cancers_missed.into(),
                o.cancers_gained.into(),
                change(&o.sensitivity_difference),
                change(&o.specificity_difference),
                found(&o.sensitivity_difference, |d| Cell::PValue(d.exact_p_value)),
            ]
        })
    });
    let columns = [
        ("rule", "Rule"),
        ("reader", "First reader"),
        ("detections_per_1000", "Cancers found per 1,000 (CI)"),
        ("recall_rate", "Recall rate (CI)"),
        ("ppv1", "PPV1"),
        ("ppv2", "PPV2"),
        ("ppv3", "PPV3"),
        ("readings", "Readings"),
        ("missed", "Missed"),
        ("gained", "Gained"),
        ("sensitivity_difference", "Sensitivity − alone (CI)"),
        ("specificity_difference", "Specificity − alone (CI)"),
        ("p", "p (sensitivity, McNemar exact)"),
    ];
    let caption = format!(
        "Each first reader; Wilson intervals, which take cases as independent, paired differences against the readers alone; n = {} \
         cases.",
        result.n_cases
    );
    table(
        &format!("outcomes{stem}"),
        caption,
        &columns,
        rows.collect(),
    )
}

fn curve(result: &Triage, with: &WithAlgorithm, stem: &str) -> Block {
    let line = |label: &str, slot: usize, value: fn(&super::CurvePoint) -> f64| Curve {
        weight: Weight::Strong,
        tone: Tone::Slot(slot),
        ..Curve::line(
            label,
            with.curve
                .iter()
                .map(|p| (p.reading_saved, value(p)))
                .collect(),
        )
    };
    let rules: Vec<&RuleResult> = with
        .rules
        .iter()
        .skip(1)
        .filter(|rule| !rule.readers.is_empty())
        .collect();
    let points = rules.iter().zip(1..).map(|(rule, number)| Mark {
        label: number.to_string(),
        ..Mark::at(
            mean(rule, |o| o.reading_saved),
            mean(rule, |o| rate(&o.decisions.sensitivity)),
        )
    });
    let names: Vec<String> = rules
        .iter()
        .zip(1..)
        .map(|(rule, number)| format!("{number}, {}", rule.rule))
        .collect();
    let names = match names.is_empty() {
        true => String::new(),
        false => format!(" Points: {}.", names.join("; ")),
    };
    let chart = LineChart {
        x: Axis {
            ticks: TickFormat::Percent,
            ..Axis::unit("Readings saved")
        },
        y: Axis::unit("Rate"),
        curves: vec![
            line("sensitivity", 1, |p| p.sensitivity),
            line("specificity", 0, |p| p.specificity),
        ],
        marks: vec![Marks {
            label: "rules (sensitivity)".into(),
            points: points.collect(),
            tone: Tone::Slot(2),
        }],
        ..LineChart::default()
    };
    let caption = format!(
        "Rule-out with {}: sensitivity and specificity, mean over first readers, by the share of \
         readings saved as the threshold rises; n = {} cases.{names}",
        with.algorithm, result.n_cases
    );
    figure(&format!("triage{stem}"), caption, Chart::Lines(chart))
}

fn methods(result: &Triage) -> Section {
    let mut blocks = vec![
        text(format!(
            "Readers recall cases rated {} or more. A cancer counts as found when its case is \
             recalled. A reading is one look of one reader at one case; thresholds were given by \
             the analyst.",
            result.recall_threshold
        )),
        warning(
            "A simulation on recorded decisions: readers decide otherwise when they know of an \
             algorithm or when easy cases are gone, and truth must come with follow-up of all \
             cases.",
        ),
    ];
    if result.clusters.is_some() {
        blocks.push(warning(
            "Intervals take cases as independent, though cases are clustered.",
        ));
    }
    Section {
        title: "Methods".into(),
        blocks,
    }
}
