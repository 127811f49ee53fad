//! Charts as one would submit them to a journal: SVG text and PNG.
//!
//! Owns: what a chart holds (the types here) and how it is drawn. Does not own: any statistic;
//! points, bands and intervals arrive computed.
//!
//! Rules of drawing: 90 mm or 180 mm wide, text of 7 pt and more, thin axes with ticks outside, the colors
//! of Okabe and Ito, which readers with color vision deficiency can tell apart (Wong, "Points of
//! view: Color blindness", Nat Methods 2011, <https://doi.org/10.1038/nmeth.1618>), each with a dash
//! pattern and a marker of its own. Values that are not finite are never drawn. The same chart gives
//! the same bytes.
//!
//! ```
//! use lobule_report::chart::{Chart, Curve, LineChart};
//!
//! let chart = Chart::Lines(LineChart {
//!     curves: vec![Curve {
//!         label: "AUC 0.88 (0.82–0.93)".into(),
//!         points: vec![(0.0, 0.0), (0.1, 0.7), (0.4, 0.9), (1.0, 1.0)],
//!         ..Curve::default()
//!     }],
//!     ..LineChart::roc()
//! });
//! assert!(chart.to_svg("ROC curve").starts_with("<svg "));
//! assert_eq!(&chart.to_png("ROC curve")?[1..4], b"PNG");
//! # Ok::<(), lobule_report::Error>(())
//! ```

mod axis;
mod draw;
mod forest;
mod histogram;
mod line;
mod survival;

pub use axis::{Axis, Scale, TickFormat};
pub use forest::{ForestPlot, ForestRow, RowKind};
pub use histogram::{Histogram, HistogramGroup, HistogramLayout};
pub use line::{
    BandPoint, Curve, Frame, Join, LegendPlace, LineChart, Mark, Marks, Reference, Strip, Tone,
    Weight,
};
pub use survival::{SurvivalCurve, SurvivalPlot, time_ticks};

use crate::Error;

/// A drawing of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Chart {
    /// Curves and points over two axes.
    Lines(LineChart),
    /// Estimates with intervals, one row each.
    Forest(ForestPlot),
    /// Counts by bins, by group.
    Histogram(Histogram),
    /// Step curves over time with the numbers at risk.
    Survival(SurvivalPlot),
}

impl Chart {
    /// The chart as SVG text, complete with `xmlns`; `title` becomes its accessible name.
    pub fn to_svg(&self, title: &str) -> String {
        draw::svg(self, title, "")
    }

    /// The chart as SVG for a page that holds others: its ids start with `prefix`.
    pub(crate) fn to_inline_svg(&self, title: &str, prefix: &str) -> String {
        draw::svg(self, title, prefix)
    }

    /// The chart as PNG on white, 500 dots per inch, with words in the font that the program
    /// carries (Noto Sans: Latin, Greek and Cyrillic letters; others show as boxes).
    ///
    /// # Errors
    /// When it cannot be rasterized.
    pub fn to_png(&self, title: &str) -> Result<Vec<u8>, Error> {
        draw::png(&self.to_svg(title))
    }
}
