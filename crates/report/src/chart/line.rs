//! What a chart of curves and points holds.

use super::{Axis, TickFormat};

/// Curves, points and reference lines over two axes: ROC, precision–recall, reliability, decision,
/// triage, free-response and calibration curves, or anything by a weight.
///
/// Start from a constructor that sets axes and references ([`LineChart::roc`], …) and fill in the
/// data:
///
/// ```
/// use lobule_report::chart::{Curve, LineChart, Mark, Marks};
///
/// let chart = LineChart {
///     curves: vec![Curve::line("System", vec![(0.0, 0.0), (0.2, 0.9), (1.0, 1.0)])],
///     marks: vec![Marks {
///         label: "Readers".into(),
///         points: vec![Mark { label: "R1".into(), ..Mark::at(0.25, 0.8) }],
///         ..Marks::default()
///     }],
///     ..LineChart::roc()
/// };
/// assert_eq!(chart.x.label, "1 − specificity");
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LineChart {
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// Shape of the plotting area.
    pub frame: Frame,
    /// Lines to compare with; drawn first.
    pub references: Vec<Reference>,
    /// Curves, drawn in order.
    pub curves: Vec<Curve>,
    /// Sets of points, drawn over the curves.
    pub marks: Vec<Marks>,
    /// Counts beneath the plotting area, on the same horizontal axis.
    pub strip: Option<Strip>,
    /// Where the legend stands.
    pub legend: LegendPlace,
}

/// Shape of the plotting area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Frame {
    /// Equal sides.
    #[default]
    Square,
    /// Wider than high.
    Wide,
}

/// Where a legend stands. It never covers data: inside only where a corner is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LegendPlace {
    /// In a free corner, else beneath the chart.
    #[default]
    Auto,
    /// Beneath the chart.
    Beneath,
    /// Nowhere.
    Hidden,
}

/// A line to compare with.
#[derive(Debug, Clone, PartialEq)]
pub enum Reference {
    /// From (0, 0) to (1, 1): chance in a ROC curve, agreement in a reliability diagram.
    Diagonal,
    /// At a value of the vertical axis, with words (or none) at its end.
    Horizontal(f64, String),
    /// At a value of the horizontal axis, with words (or none) at its top.
    Vertical(f64, String),
}

/// A curve.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    /// Its words in the legend; none when empty.
    pub label: String,
    /// Its points, in order. The curve breaks where a value is not finite.
    pub points: Vec<(f64, f64)>,
    /// Its confidence band, in order of `x`; none when empty.
    pub band: Vec<BandPoint>,
    /// How points are joined.
    pub join: Join,
    /// How much it stands out.
    pub weight: Weight,
    /// Its color, dash pattern and marker.
    pub tone: Tone,
}

/// One place of a confidence band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BandPoint {
    /// Place on the horizontal axis.
    pub x: f64,
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
}

/// How the points of a curve are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Join {
    /// Straight from point to point.
    #[default]
    Straight,
    /// Level until the next point, then up or down to it.
    Steps,
}

/// How much a curve stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weight {
    /// As the others.
    #[default]
    Regular,
    /// Thick: the mean of many, the curve the figure is about.
    Strong,
    /// Thin: one of many.
    Faint,
}

/// Color, dash pattern and marker of a curve or a set of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// The next that is not used.
    #[default]
    Next,
    /// The one of this number, from 0; the same number looks the same everywhere in a document.
    Slot(usize),
    /// Gray.
    Gray,
}

/// A set of points under one name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Marks {
    /// Its words in the legend; none when empty.
    pub label: String,
    /// The points.
    pub points: Vec<Mark>,
    /// Their color and marker.
    pub tone: Tone,
}

/// A point.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mark {
    /// Place on the horizontal axis.
    pub x: f64,
    /// Place on the vertical axis.
    pub y: f64,
    /// Horizontal interval, lower and upper.
    pub x_interval: Option<(f64, f64)>,
    /// Vertical interval, lower and upper.
    pub y_interval: Option<(f64, f64)>,
    /// Words beside it; none when empty.
    pub label: String,
}

/// Counts over bins, beneath a chart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Strip {
    /// What is counted.
    pub label: String,
    /// Left edge, right edge and count of each bin.
    pub bins: Vec<(f64, f64, f64)>,
}

impl LineChart {
    /// Sensitivity against 1 − specificity, with the diagonal of chance.
    pub fn roc() -> LineChart {
        LineChart {
            x: Axis::unit("1 − specificity"),
            y: Axis::unit("Sensitivity"),
            references: vec![Reference::Diagonal],
            ..LineChart::default()
        }
    }

    /// Positive predictive value against sensitivity, with the prevalence as reference.
    pub fn precision_recall(prevalence: f64) -> LineChart {
        LineChart {
            x: Axis::unit("Sensitivity (recall)"),
            y: Axis::unit("Positive predictive value (precision)"),
            references: vec![Reference::Horizontal(prevalence, "prevalence".into())],
            ..LineChart::default()
        }
    }

    /// Observed share against predicted probability, with the diagonal of agreement.
    pub fn reliability() -> LineChart {
        LineChart {
            x: Axis::unit("Predicted probability"),
            y: Axis::unit("Observed share malignant"),
            references: vec![Reference::Diagonal],
            ..LineChart::default()
        }
    }

    /// Net benefit against the threshold probability, from 0 to `highest`. The vertical axis
    /// ends a little above the `prevalence`, which no net benefit exceeds, and a little below 0.
    pub fn decision(highest: f64, prevalence: f64) -> LineChart {
        LineChart {
            x: Axis {
                ticks: TickFormat::Percent,
                ..Axis::ranged("Threshold probability", 0.0, highest)
            },
            y: Axis::ranged("Net benefit", -0.2 * prevalence, 1.1 * prevalence),
            frame: Frame::Wide,
            ..LineChart::default()
        }
    }

    /// Share of lesions found against false marks per image, from 0 to `most`.
    pub fn free_response(most: f64) -> LineChart {
        LineChart {
            x: Axis::ranged("False-positive marks per image", 0.0, most),
            y: Axis::unit("Lesion sensitivity"),
            ..LineChart::default()
        }
    }
}

impl Curve {
    /// A straight-joined curve without band.
    pub fn line(label: impl Into<String>, points: Vec<(f64, f64)>) -> Curve {
        Curve {
            label: label.into(),
            points,
            ..Curve::default()
        }
    }
}

impl Mark {
    /// A bare point.
    pub fn at(x: f64, y: f64) -> Mark {
        Mark {
            x,
            y,
            ..Mark::default()
        }
    }
}
