//! What a forest plot holds.

use super::Axis;

/// Estimates with intervals, one row each, with columns of text at the right.
///
/// ```
/// use lobule_report::chart::{Axis, ForestPlot, ForestRow, RowKind};
///
/// let plot = ForestPlot {
///     axis: Axis::new("AUC"),
///     reference: Some(0.5),
///     columns: vec!["AUC (95 % CI)".into()],
///     rows: vec![
///         ForestRow::Heading("With AI".into()),
///         ForestRow::Estimate {
///             label: "Reader 1".into(),
///             estimate: 0.88,
///             lower: 0.82,
///             upper: 0.93,
///             cells: vec!["0.88 (0.82–0.93)".into()],
///             kind: RowKind::Single,
///         },
///     ],
///     ..ForestPlot::default()
/// };
/// assert_eq!(plot.rows.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ForestPlot {
    /// The axis of the estimates; logarithmic for ratios.
    pub axis: Axis,
    /// Value of no effect, drawn as a line.
    pub reference: Option<f64>,
    /// What lies below and above the reference, written under the axis; none when empty.
    pub directions: Option<(String, String)>,
    /// Heading over the labels.
    pub label_heading: String,
    /// Headings of the columns of text.
    pub columns: Vec<String>,
    /// The rows, from the top.
    pub rows: Vec<ForestRow>,
}

/// One row of a [`ForestPlot`].
#[derive(Debug, Clone, PartialEq)]
pub enum ForestRow {
    /// Words over a group of rows.
    Heading(String),
    /// An estimate.
    Estimate {
        /// What was estimated.
        label: String,
        /// The estimate; not drawn unless finite.
        estimate: f64,
        /// Lower limit; an arrow shows where it lies outside the axis.
        lower: f64,
        /// Upper limit; an arrow shows where it lies outside the axis.
        upper: f64,
        /// Texts of the columns at the right.
        cells: Vec<String>,
        /// How it is drawn.
        kind: RowKind,
    },
}

/// How an estimate is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowKind {
    /// A square with a line.
    #[default]
    Single,
    /// A diamond and bold words: a mean or total.
    Summary,
}
