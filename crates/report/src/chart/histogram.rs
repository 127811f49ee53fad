//! What a histogram holds.

use super::{Axis, Reference, Tone};

/// Counts by bins, by group: for example scores by truth.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    /// Horizontal axis.
    pub x: Axis,
    /// Name of the vertical axis.
    pub y_label: String,
    /// Edges of the bins, ascending; one more than bins.
    pub edges: Vec<f64>,
    /// The groups.
    pub groups: Vec<HistogramGroup>,
    /// How the groups stand to each other.
    pub layout: HistogramLayout,
    /// Lines across, for example thresholds; only [`Reference::Vertical`] is drawn.
    pub references: Vec<Reference>,
}

/// One group of a [`Histogram`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistogramGroup {
    /// Its words in the legend.
    pub label: String,
    /// Count or share of each bin.
    pub heights: Vec<f64>,
    /// Color.
    pub tone: Tone,
}

/// How the groups of a [`Histogram`] stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HistogramLayout {
    /// Over each other, translucent.
    #[default]
    Overlaid,
    /// The first upwards, the second downwards; further ones are overlaid upwards.
    Mirrored,
}

impl Histogram {
    /// Counts values in `n_bins` equal bins from `lower` to `upper`; the last bin holds its upper
    /// edge. Values outside or not finite are not counted.
    ///
    /// ```
    /// use lobule_report::chart::Histogram;
    /// let scores = [0.0, 0.1, 0.3, 1.0, f64::NAN];
    /// let histogram = Histogram::of_values("Score", (0.0, 1.0), 4, &[("benign", &scores)]);
    /// assert_eq!(histogram.groups[0].heights, [2.0, 1.0, 0.0, 1.0]);
    /// ```
    pub fn of_values(
        label: &str,
        (lower, upper): (f64, f64),
        n_bins: usize,
        groups: &[(&str, &[f64])],
    ) -> Histogram {
        let width = (upper - lower) / n_bins as f64;
        let counted = |(label, values): &(&str, &[f64])| {
            let mut heights = vec![0.0; n_bins];
            for &value in values.iter().filter(|v| (lower..=upper).contains(*v)) {
                let bin = ((value - lower) / width) as usize;
                if let Some(last) = n_bins.checked_sub(1) {
                    heights[bin.min(last)] += 1.0;
                }
            }
            HistogramGroup {
                label: (*label).to_owned(),
                heights,
                tone: Tone::Next,
            }
        };
        Histogram {
            x: Axis::ranged(label, lower, upper),
            y_label: "Cases".into(),
            edges: (0..=n_bins).map(|i| lower + width * i as f64).collect(),
            groups: groups.iter().map(counted).collect(),
            ..Histogram::default()
        }
    }
}
