//! What was measured of the components against boxes, to stand beside each.
//!
//! Owns: the figures that are built in ([`ComponentFigures`]). Does not own: how they were measured
//! (`examples/fit_nottingham`).

use std::sync::LazyLock;

use serde::Deserialize;

/// What `cargo run --release -p lobule-raster --example fit_nottingham` prints.
const FIGURES: &str = include_str!("figures.toml");

static ALL: LazyLock<ComponentFigures> =
    LazyLock::new(|| toml::from_str(FIGURES).expect("a test reads the file that is built in"));

/// How well each component agrees with boxes, in words with counts and intervals over cases.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentFigures {
    /// The fields that were measured on.
    pub images: String,
    /// Nuclei found.
    pub nuclei: String,
    /// The median area of nuclei.
    pub median_area: String,
    /// Standard deviation of the areas by their mean.
    pub size_variation: String,
    /// Share of nuclei of at least twice the median.
    pub large_share: String,
    /// Median elongation.
    pub elongation: String,
    /// What looks like a mitosis.
    pub mitoses: String,
    /// Lumina of tubules and their share of the tissue.
    pub tubules: String,
}

impl ComponentFigures {
    /// The figures of the methods that are built in.
    ///
    /// ```
    /// assert!(lobule_raster::ComponentFigures::built_in().images.contains("4 cases"));
    /// ```
    pub fn built_in() -> &'static ComponentFigures {
        &ALL
    }
}
