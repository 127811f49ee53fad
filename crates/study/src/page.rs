//! Building blocks that the documents of the analyses share.

use lobule_report::chart::{Chart, ForestRow, RowKind};
use lobule_report::document::{Block, Cell, Column, Figure, Table};

use crate::table::Input;
use crate::value::{ChiSquare, Decisions, Difference, Estimate, Found, Share};

/// Who made a document, for its foot.
///
/// ```
/// use lobule_study::About;
/// let about = About { program: "Lobule 0.1.0".into(), command: "lobule study readers …".into() };
/// assert!(about.program.starts_with("Lobule"));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct About {
    /// Program and version.
    pub program: String,
    /// The command that was given.
    pub command: String,
}

/// The foot of a document.
pub(crate) fn provenance(
    about: &About,
    input: &Input,
    more: &[(&str, String)],
) -> Vec<(String, String)> {
    let mut rows = vec![
        (
            "Input".to_owned(),
            format!("{} ({} layout)", input.file, input.layout),
        ),
        ("SHA-256 of the input".to_owned(), input.sha256.clone()),
        ("Program".to_owned(), about.program.clone()),
        ("Command".to_owned(), about.command.clone()),
    ];
    rows.extend(
        more.iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

pub(crate) fn table(
    name: &str,
    caption: impl Into<String>,
    columns: &[(&str, &str)],
    rows: Vec<Vec<Cell>>,
) -> Block {
    let columns = columns.iter();
    Block::Table(Table {
        name: name.to_owned(),
        caption: caption.into(),
        columns: columns
            .map(|(key, title)| Column::new(*key, *title))
            .collect(),
        rows,
    })
}

pub(crate) fn figure(name: &str, caption: impl Into<String>, chart: Chart) -> Block {
    Block::Figure(Figure {
        name: name.to_owned(),
        caption: caption.into(),
        chart,
    })
}

pub(crate) fn text(text: impl Into<String>) -> Block {
    Block::Text(text.into())
}

pub(crate) fn warning(text: impl Into<String>) -> Block {
    Block::Warning(text.into())
}

/// `p = 0.012`, `p < 0.001` or `p > 0.999`.
pub(crate) fn p_words(p: f64) -> String {
    let words = Cell::PValue(p).words();
    match words.starts_with(['<', '>']) {
        true => format!("p {words}"),
        false => format!("p = {words}"),
    }
}

pub(crate) fn number(value: f64, digits: usize) -> Cell {
    Cell::Number { value, digits }
}

pub(crate) fn estimate(value: &Estimate) -> Cell {
    interval(value, 3)
}

pub(crate) fn interval(value: &Estimate, digits: usize) -> Cell {
    Cell::Interval {
        estimate: value.estimate,
        lower: value.lower,
        upper: value.upper,
        digits,
    }
}

pub(crate) fn difference(value: &Difference) -> Cell {
    Cell::Interval {
        estimate: value.estimate,
        lower: value.lower,
        upper: value.upper,
        digits: 3,
    }
}

pub(crate) fn share(value: &Option<Share>) -> Cell {
    match value {
        Some(share) => Cell::PercentInterval {
            estimate: share.estimate,
            lower: share.lower,
            upper: share.upper,
        },
        None => Cell::Missing("no such cases".into()),
    }
}

pub(crate) fn found<T>(found: &Found<T>, cell: impl Fn(&T) -> Cell) -> Cell {
    match found {
        Found::Value(value) => cell(value),
        Found::Refused(reason) => Cell::Missing(reason.clone()),
    }
}

pub(crate) fn or_missing<T>(value: Option<T>, reason: &str, cell: impl Fn(T) -> Cell) -> Cell {
    match value {
        Some(value) => cell(value),
        None => Cell::Missing(reason.to_owned()),
    }
}

/// Degrees of freedom, or that the distribution has none.
pub(crate) fn degrees(value: Option<f64>) -> Cell {
    or_missing(value, "infinite degrees of freedom", |df| number(df, 1))
}

/// The columns of [`decision_cells`].
pub(crate) const DECISION_COLUMNS: [(&str, &str); 7] = [
    ("threshold", "Threshold"),
    ("sensitivity", "Sensitivity (95 % CI)"),
    ("specificity", "Specificity (95 % CI)"),
    ("ppv", "PPV"),
    ("npv", "NPV"),
    ("true_positives", "TP / FN"),
    ("false_positives", "FP / TN"),
];

pub(crate) fn decision_cells(decisions: &Decisions) -> Vec<Cell> {
    let pair = |a: usize, b: usize| Cell::Text(format!("{a} / {b}"));
    let threshold = or_missing(decisions.threshold, "above every score", |t| number(t, 4));
    vec![
        threshold,
        share(&decisions.sensitivity),
        share(&decisions.specificity),
        share(&decisions.positive_predictive_value),
        share(&decisions.negative_predictive_value),
        pair(decisions.true_positives, decisions.false_negatives),
        pair(decisions.false_positives, decisions.true_negatives),
    ]
}

pub(crate) fn chi_square_cells(test: &ChiSquare) -> [Cell; 3] {
    [
        number(test.statistic, 2),
        Cell::from(test.degrees_of_freedom),
        Cell::PValue(test.p_value),
    ]
}

pub(crate) fn forest_row(
    label: impl Into<String>,
    value: &Estimate,
    kind: RowKind,
    cells: Vec<String>,
) -> ForestRow {
    ForestRow::Estimate {
        label: label.into(),
        estimate: value.estimate,
        lower: value.lower,
        upper: value.upper,
        cells,
        kind,
    }
}

/// Words of a confidence level.
pub(crate) fn percent(level: f64) -> String {
    let percent = level * 100.0;
    match (percent - percent.round()).abs() < 1e-9 {
        true => format!("{percent:.0} %"),
        false => format!("{percent} %"),
    }
}

pub(crate) const DIFFERENCE_COLUMNS: [(&str, &str); 5] = [
    ("difference", "Difference (CI)"),
    ("standard_error", "SE"),
    ("statistic", "t or z"),
    ("df", "df"),
    ("p", "p"),
];

pub(crate) fn difference_cells(value: &Difference) -> Vec<Cell> {
    vec![
        difference(value),
        number(value.standard_error, 4),
        number(value.statistic, 3),
        degrees(value.degrees_of_freedom),
        Cell::PValue(value.p_value),
    ]
}

#[cfg(test)]
mod tests {
    use super::p_words;

    #[test]
    fn small_and_large_p_values_are_bounds() {
        assert_eq!(p_words(0.0123), "p = 0.012");
        assert_eq!(p_words(1e-9), "p < 0.001");
        assert_eq!(p_words(1.0), "p > 0.999");
    }
}
