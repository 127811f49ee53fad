//! The report of readers and algorithms combined.

use lobule_report::chart::{
    Axis, BandPoint, Chart, Curve, ForestPlot, ForestRow, LineChart, RowKind, Weight,
};
use lobule_report::document::{Block, Cell, Document, Section};

use super::{Held, Hybrid, ReaderHybrid, WithAlgorithm};
use crate::page::{
    About, figure, forest_row, number, or_missing, percent, provenance, share, table, text, warning,
};
use crate::value::{Estimate, Found};

/// The report: each reader's changes, their mean, areas by weight, methods.
///
/// ```
/// use lobule_study::hybrid::{Hybrid, document};
/// fn title(result: &Hybrid) -> String {
///     document(result, &lobule_study::About::default()).title
/// }
/// ```
pub fn document(result: &Hybrid, about: &About) -> Document {
    let held = held_words(result.held);
    let settings = [
        ("Readers flag from", result.threshold.to_string()),
        ("Combination", result.blend.clone()),
        ("Held at the reader's own", held.to_owned()),
        ("Confidence level", percent(result.confidence)),
        ("Bootstrap replicates", result.bootstrap.0.to_string()),
        ("Seed", result.bootstrap.1.to_string()),
    ];
    let algorithms = result.algorithms.iter().enumerate();
    let mut sections: Vec<Section> = algorithms
        .map(|(index, with)| section(result, with, index))
        .collect();
    sections.push(methods(result));
    Document {
        title: "Readers and algorithm combined".into(),
        summary: result
            .algorithms
            .iter()
            .map(|with| line(result, with))
            .collect(),
        sections,
        provenance: provenance(about, &result.input, &settings),
    }
}

fn held_words(held: Held) -> &'static str {
    match held {
        Held::Sensitivity => "sensitivity",
        Held::Specificity => "specificity",
    }
}

fn changed(found: &Found<Estimate>) -> String {
    match found {
        Found::Value(change) => change_cell(change).words(),
        Found::Refused(reason) => format!("not computed ({reason})"),
    }
}

fn change_cell(change: &Estimate) -> Cell {
    Cell::PercentInterval {
        estimate: change.estimate,
        lower: change.lower,
        upper: change.upper,
    }
}

fn line(result: &Hybrid, with: &WithAlgorithm) -> String {
    let n = with.readers.len();
    match result.held {
        Held::Sensitivity => format!(
            "With {}, at each of {n} readers' own sensitivity: false positives {}, flagged cases {}.",
            with.algorithm,
            changed(&with.false_positive_change),
            changed(&with.flagged_change)
        ),
        Held::Specificity => format!(
            "With {}, at each of {n} readers' own specificity: cancers found {}.",
            with.algorithm,
            changed(&with.detection_change)
        ),
    }
}

fn section(result: &Hybrid, with: &WithAlgorithm, index: usize) -> Section {
    let stem = format!("_{}", index + 1);
    let mut blocks = vec![
        reader_table(result, with, &stem),
        change_forest(result, with, &stem),
        weight_figure(result, with, &stem),
    ];
    for (reader, reason) in &with.refused {
        blocks.push(warning(format!("{reader} is left out: {reason}.")));
    }
    Section {
        title: with.algorithm.clone(),
        blocks,
    }
}

const READER_COLUMNS: [(&str, &str); 11] = [
    ("reader", "Reader"),
    ("sensitivity", "Sensitivity, reader"),
    ("specificity", "Specificity, reader"),
    ("hybrid_sensitivity", "Sensitivity, hybrid"),
    ("hybrid_specificity", "Specificity, hybrid"),
    ("false_positives", "False positives"),
    ("false_positive_change", "Change"),
    ("flagged_change", "Change of flagged cases"),
    ("detection_change", "Change of cancers found"),
    ("reader_auc", "AUC, reader"),
    ("hybrid_auc", "AUC, hybrid"),
];

fn reader_table(result: &Hybrid, with: &WithAlgorithm, stem: &str) -> Block {
    let mut rows: Vec<Vec<Cell>> = with.readers.iter().map(reader_cells).collect();
    rows.push(mean_cells(with));
    let caption = format!(
        "Each reader (flagging from {}) and the hybrid with {} ({}) at the reader's own {}; n = {} \
         cases, {} with the disease. Wilson intervals for shares take cases as independent; the \
         means' {} intervals by {} bootstrap replicates over cases{}, readers fixed.",
        result.threshold,
        with.algorithm,
        result.blend,
        held_words(result.held),
        result.n_cases,
        result.n_positive,
        percent(result.confidence),
        result.bootstrap.0,
        match &result.clusters {
            Some((name, n)) => format!(" in {n} clusters ({name})"),
            None => String::new(),
        }
    );
    table(&format!("hybrid{stem}"), caption, &READER_COLUMNS, rows)
}

fn reader_cells(row: &ReaderHybrid) -> Vec<Cell> {
    let none = "the reader flags none";
    let change = |value: Option<f64>| or_missing(value, none, Cell::Percent);
    let (before, after) = (row.alone.false_positives, row.hybrid.false_positives);
    vec![
        row.reader.as_str().into(),
        share(&row.alone.sensitivity),
        share(&row.alone.specificity),
        share(&row.hybrid.sensitivity),
        share(&row.hybrid.specificity),
        Cell::Text(format!("{before} → {after}")),
        change(row.false_positive_change),
        change(row.flagged_change),
        change(row.detection_change),
        number(row.reader_auc, 3),
        number(row.hybrid_auc, 3),
    ]
}

fn mean_cells(with: &WithAlgorithm) -> Vec<Cell> {
    let change = |found: &Found<Estimate>| match found {
        Found::Value(change) => change_cell(change),
        Found::Refused(reason) => Cell::Missing(reason.clone()),
    };
    let n = with.readers.len().max(1) as f64;
    let mean = |auc: fn(&ReaderHybrid) -> f64| with.readers.iter().map(auc).sum::<f64>() / n;
    let blank = || Cell::Missing("only by reader".into());
    let mut cells: Vec<Cell> = vec!["Mean of readers".into()];
    cells.extend(std::iter::repeat_with(blank).take(5));
    cells.extend([
        change(&with.false_positive_change),
        change(&with.flagged_change),
        change(&with.detection_change),
        number(mean(|row| row.reader_auc), 3),
        number(mean(|row| row.hybrid_auc), 3),
    ]);
    cells
}

fn change_forest(result: &Hybrid, with: &WithAlgorithm, stem: &str) -> Block {
    let (what, mean) = match result.held {
        Held::Sensitivity => ("false positives", &with.false_positive_change),
        Held::Specificity => ("cancers found", &with.detection_change),
    };
    let row_of = |row: &ReaderHybrid| {
        let change = match result.held {
            Held::Sensitivity => row.false_positive_change,
            Held::Specificity => row.detection_change,
        }?;
        let point = Estimate {
            estimate: 100.0 * change,
            lower: 100.0 * change,
            upper: 100.0 * change,
        };
        let words = vec![Cell::Percent(change).words()];
        Some(forest_row(
            row.reader.clone(),
            &point,
            RowKind::Single,
            words,
        ))
    };
    let mut rows: Vec<ForestRow> = with.readers.iter().filter_map(row_of).collect();
    if let Found::Value(change) = mean {
        let percent = Estimate {
            estimate: 100.0 * change.estimate,
            lower: 100.0 * change.lower,
            upper: 100.0 * change.upper,
        };
        let words = vec![change_cell(change).words()];
        rows.push(forest_row(
            "Mean of readers",
            &percent,
            RowKind::Summary,
            words,
        ));
    }
    let plot = ForestPlot {
        axis: Axis::new(format!("Change of {what} (%)")),
        reference: Some(0.0),
        directions: Some(("fewer".into(), "more".into())),
        label_heading: "Reader".into(),
        columns: vec!["Change".into()],
        rows,
    };
    let caption = format!(
        "Change of {what} with {} at each reader's own {}, n = {} cases.",
        with.algorithm,
        held_words(result.held),
        result.n_cases
    );
    figure(&format!("changes{stem}"), caption, Chart::Forest(plot))
}

fn weight_figure(result: &Hybrid, with: &WithAlgorithm, stem: &str) -> Block {
    let points = with.weights.iter();
    let curve = Curve {
        weight: Weight::Strong,
        band: points
            .clone()
            .map(|point| BandPoint {
                x: point.weight,
                lower: point.lowest,
                upper: point.highest,
            })
            .collect(),
        ..Curve::line(
            "mean of readers (band: lowest to highest reader)",
            points.map(|point| (point.weight, point.mean_auc)).collect(),
        )
    };
    let chart = LineChart {
        x: Axis::unit("Weight of the algorithm"),
        y: Axis::new("AUC of the hybrid"),
        curves: vec![curve],
        ..LineChart::default()
    };
    let caption = format!(
        "Area of the weighted mean of reader and {} by the algorithm's weight; 0 is the reader, 1 \
         the algorithm; {} readers, n = {} cases.",
        with.algorithm,
        with.readers.len(),
        result.n_cases
    );
    figure(&format!("weights{stem}"), caption, Chart::Lines(chart))
}

fn methods(result: &Hybrid) -> Section {
    Section {
        title: "Methods".into(),
        blocks: vec![
            text(format!(
                "Readers flag cases rated {} or more. Scores are combined as: {}. The hybrid's \
                 threshold is the one that holds the reader's own {} on these cases (Shen et al. \
                 2021, doi:10.1038/s41467-021-26023-2). Flagged cases stand for recalls or \
                 biopsies, as the threshold has it. Each bootstrap replicate finds {} anew.",
                result.threshold,
                result.blend,
                held_words(result.held),
                result.redone
            )),
            warning(
                "A simulation on recorded scores: it assumes that a reader with the algorithm \
                 would act as the formula does, and it chooses the threshold on the cases it is \
                 judged on.",
            ),
        ],
    }
}
