//! The report of algorithms alone.

use lobule_report::chart::{
    Axis, Chart, Curve, ForestPlot, ForestRow, Histogram, HistogramGroup, HistogramLayout,
    LineChart, Mark, Marks, RowKind, Tone,
};
use lobule_report::document::{Block, Cell, Document, Section};

use super::{Score, Standalone};
use crate::page::{
    About, DECISION_COLUMNS, decision_cells, difference, estimate, figure, forest_row, found,
    or_missing, percent, provenance, table, text, warning,
};
use crate::value::Found;

/// The report: areas, curves, thresholds, comparisons, subgroups, distributions, methods.
///
/// ```
/// use lobule_study::standalone::{Standalone, document};
/// fn title(result: &Standalone) -> String {
///     document(result, &lobule_study::About::default()).title
/// }
/// ```
pub fn document(result: &Standalone, about: &About) -> Document {
    let mut sections = vec![areas(result), curves(result), thresholds(result)];
    sections.extend(comparisons(result));
    sections.extend(subgroups(result));
    sections.push(histograms(result));
    sections.push(methods(result));
    let settings = [
        ("Confidence level", percent(result.confidence)),
        ("Bootstrap replicates", result.bootstrap.0.to_string()),
        ("Seed", result.bootstrap.1.to_string()),
    ];
    let summary = result.scores.iter().map(|score| match &score.auc {
        Found::Value(auc) => format!("{}: AUC {}.", score.name, estimate(auc).words()),
        Found::Refused(reason) => format!("{}: {reason}.", score.name),
    });
    let head = format!(
        "{} scores of {} cases, {} with the disease.",
        result.scores.len(),
        result.n_cases,
        result.n_positive
    );
    Document {
        title: "Standalone performance".into(),
        summary: std::iter::once(head).chain(summary).collect(),
        sections,
        provenance: provenance(about, &result.input, &settings),
    }
}

fn areas(result: &Standalone) -> Section {
    let rows = result.scores.iter().map(|score| {
        vec![
            score.name.as_str().into(),
            score.n_cases.into(),
            score.n_positive.into(),
            found(&score.auc, estimate),
            found(&score.average_precision, estimate),
        ]
    });
    let columns = [
        ("score", "Score"),
        ("n", "n"),
        ("n_positive", "With disease"),
        ("auc", "AUC (CI)"),
        ("average_precision", "Average precision (CI)"),
    ];
    let caption = format!(
        "Areas with {} intervals: AUC by DeLong on the logit scale{}, average precision by {} \
         bootstrap replicates.",
        percent(result.confidence),
        match &result.clusters {
            Some((name, n)) => format!(" over {n} clusters ({name})"),
            None => String::new(),
        },
        result.bootstrap.0
    );
    Section {
        title: "Areas".into(),
        blocks: vec![table("areas", caption, &columns, rows.collect())],
    }
}

fn curves(result: &Standalone) -> Section {
    let mut roc = LineChart::roc();
    let prevalence = result.n_positive as f64 / result.n_cases as f64;
    let mut precision = LineChart::precision_recall(prevalence);
    for (slot, score) in result.scores.iter().enumerate() {
        let tone = Tone::Slot(slot);
        let auc = score
            .auc
            .value()
            .map(|auc| format!(" (AUC {:.3})", auc.estimate));
        roc.curves.push(Curve {
            tone,
            ..Curve::line(
                format!("{}{}", score.name, auc.unwrap_or_default()),
                score.roc.clone(),
            )
        });
        precision.curves.push(Curve {
            tone,
            ..Curve::line(score.name.clone(), score.precision_recall.clone())
        });
        let points = score.operating.iter().filter_map(|row| {
            let decisions = row.decisions.value()?;
            let (sensitivity, specificity) = (decisions.sensitivity?, decisions.specificity?);
            Some(Mark {
                x_interval: Some((1.0 - specificity.upper, 1.0 - specificity.lower)),
                y_interval: Some((sensitivity.lower, sensitivity.upper)),
                ..Mark::at(1.0 - specificity.estimate, sensitivity.estimate)
            })
        });
        let points: Vec<Mark> = points.collect();
        if result.scores.len() == 1 && !points.is_empty() {
            roc.marks.push(Marks {
                label: "thresholds of the table".into(),
                points,
                tone,
            });
        }
    }
    let n = format!(
        "n = {} cases, {} with the disease",
        result.n_cases, result.n_positive
    );
    Section {
        title: "Curves".into(),
        blocks: vec![
            figure(
                "roc",
                format!("Empirical ROC curves; {n}."),
                Chart::Lines(roc),
            ),
            figure(
                "precision_recall",
                format!("Precision and recall; {n}; the prevalence is that of the table."),
                Chart::Lines(precision),
            ),
        ],
    }
}

fn thresholds(result: &Standalone) -> Section {
    let mut columns = vec![("score", "Score"), ("rule", "Threshold chosen by")];
    columns.extend(DECISION_COLUMNS);
    let rows = result.scores.iter().flat_map(|score| {
        score.operating.iter().map(move |row| {
            let mut cells = vec![score.name.as_str().into(), row.rule.as_str().into()];
            match &row.decisions {
                Found::Value(decisions) => cells.extend(decision_cells(decisions)),
                Found::Refused(reason) => {
                    let missing = || Cell::Missing(reason.clone());
                    let n = DECISION_COLUMNS.len();
                    cells.extend(std::iter::repeat_with(missing).take(n));
                }
            }
            cells
        })
    });
    let caption = format!(
        "What thresholds do, with Wilson intervals, which take cases as independent; n = {} cases. Predictive values are at the \
         prevalence of the table.",
        result.n_cases
    );
    let mut blocks = vec![table("thresholds", caption, &columns, rows.collect())];
    let mut rules = result.scores.iter().flat_map(|score| &score.operating);
    if rules.any(|row| row.chosen_here) {
        blocks.push(warning(
            "Thresholds that are not fixed were chosen on the cases they are judged on: expect \
             less on others.",
        ));
    }
    if result.clusters.is_some() {
        blocks.push(warning(
            "Intervals of proportions take cases as independent, though cases are clustered.",
        ));
    }
    Section {
        title: "Thresholds".into(),
        blocks,
    }
}

fn comparisons(result: &Standalone) -> Option<Section> {
    if result.comparisons.is_empty() {
        return None;
    }
    let rows = result.comparisons.iter().map(|row| {
        vec![
            Cell::Text(format!("{} − {}", row.first, row.second)),
            found(&row.difference, difference),
            found(&row.difference, |d| Cell::PValue(d.p_value)),
            or_missing(row.holm_p_value, "not compared", Cell::PValue),
        ]
    });
    let columns = [
        ("pair", "Scores"),
        ("difference", "Difference of AUC (CI)"),
        ("p", "p"),
        ("p_holm", "p (Holm)"),
    ];
    let method = match result.clusters {
        Some(_) => "DeLong's test by cluster (Obuchowski 1997)",
        None => "DeLong's paired test",
    };
    let caption = format!(
        "Pairs of scores by {method}, n = {} cases; adjusted by Holm over {} pairs.",
        result.n_cases,
        result.comparisons.len()
    );
    Some(Section {
        title: "Comparisons".into(),
        blocks: vec![table("comparisons", caption, &columns, rows.collect())],
    })
}

fn subgroups(result: &Standalone) -> Option<Section> {
    if result.scores.iter().all(|score| score.subgroups.is_empty()) {
        return None;
    }
    let rows = result.scores.iter().flat_map(|score| {
        score.subgroups.iter().map(move |group| {
            vec![
                score.name.as_str().into(),
                Cell::Text(format!("{} = {}", group.column, group.label)),
                group.n_cases.into(),
                group.n_positive.into(),
                found(&group.auc, estimate),
            ]
        })
    });
    let columns = [
        ("score", "Score"),
        ("group", "Group"),
        ("n", "n"),
        ("n_positive", "With disease"),
        ("auc", "AUC (CI)"),
    ];
    let caption = "Areas in groups of cases; nothing is tested or adjusted. Cases without the disease \
                   whose cell is empty count in every group.";
    let mut blocks = vec![table("subgroups", caption, &columns, rows.collect())];
    blocks.extend(result.scores.iter().enumerate().map(|(i, s)| forest(s, i)));
    Some(Section {
        title: "Subgroups".into(),
        blocks,
    })
}

fn forest(score: &Score, index: usize) -> Block {
    let mut rows = Vec::new();
    let mut column = "";
    for group in &score.subgroups {
        if group.column != column {
            column = &group.column;
            rows.push(ForestRow::Heading(column.to_owned()));
        }
        if let Found::Value(auc) = &group.auc {
            let n = format!("{}/{}", group.n_positive, group.n_cases);
            let cells = vec![n, estimate(auc).words()];
            rows.push(forest_row(group.label.clone(), auc, RowKind::Single, cells));
        }
    }
    if let Found::Value(auc) = &score.auc {
        let n = format!("{}/{}", score.n_positive, score.n_cases);
        let cells = vec![n, estimate(auc).words()];
        rows.push(forest_row("All cases", auc, RowKind::Summary, cells));
    }
    let plot = ForestPlot {
        axis: Axis::new("AUC"),
        reference: score.auc.value().map(|auc| auc.estimate),
        directions: None,
        label_heading: "Group".into(),
        columns: vec!["Diseased/n".into(), "AUC (CI)".into()],
        rows,
    };
    let caption = format!(
        "{}: area by group; the line is the area of all cases.",
        score.name
    );
    figure(
        &format!("subgroups_{}", index + 1),
        caption,
        Chart::Forest(plot),
    )
}

fn histograms(result: &Standalone) -> Section {
    let one = |(index, score): (usize, &Score)| {
        let counted = &score.histogram;
        let n_bins = counted.healthy.len();
        let width = (counted.range.1 - counted.range.0) / n_bins as f64;
        let group = |label: &str, counts: &[usize], slot: usize| {
            let total: usize = counts.iter().sum();
            let share = |&count: &usize| count as f64 / total.max(1) as f64;
            HistogramGroup {
                label: format!("{label} (n = {total})"),
                heights: counts.iter().map(share).collect(),
                tone: Tone::Slot(slot),
            }
        };
        let chart = Histogram {
            x: Axis::ranged("Score", counted.range.0, counted.range.1),
            y_label: "Share of the class".into(),
            edges: (0..=n_bins)
                .map(|bin| counted.range.0 + width * bin as f64)
                .collect(),
            groups: vec![
                group("with the disease", &counted.diseased, 1),
                group("without", &counted.healthy, 0),
            ],
            layout: HistogramLayout::Mirrored,
            ..Histogram::default()
        };
        let caption = format!(
            "{}: scores by truth, n = {} cases.",
            score.name, score.n_cases
        );
        figure(
            &format!("scores_{}", index + 1),
            caption,
            Chart::Histogram(chart),
        )
    };
    Section {
        title: "Distribution of scores".into(),
        blocks: result.scores.iter().enumerate().map(one).collect(),
    }
}

fn methods(result: &Standalone) -> Section {
    let mut words = "Empirical ROC curves. AUC intervals by DeLong's variance on the logit scale; \
                     average precision is the sum of precision over the steps of recall; shares \
                     with Wilson intervals; no case is left out but those without a score."
        .to_owned();
    if let Some((name, n)) = &result.clusters {
        words.push_str(&format!(
            " Cases are clustered in {n} values of `{name}`; variances of areas sum placement \
             values by cluster (Obuchowski 1997, doi:10.2307/2533958), the bootstrap draws whole \
             clusters."
        ));
    }
    Section {
        title: "Methods".into(),
        blocks: vec![text(words)],
    }
}
