//! Dark pieces of a tile, and which of them look like mitoses.
//!
//! Owns: the pieces and what they look like ([`find_dark_pieces`]), the fitted classifier
//! ([`MitosisClassifier`]). Does not own: the fit (`examples/fit_nottingham`), counts per area (`assess`).

use std::sync::LazyLock;

use serde::Deserialize;

use super::appearance::{FEATURES, Layers};
use super::nuclei::{Nuclei, NucleiConfig, checked, nuclei_in};
use crate::{Error, Image, Stains};

/// Pieces as dark as mitoses are, with what they look like.
#[derive(Debug, Clone, PartialEq)]
pub struct DarkPieces {
    /// The pieces.
    pub pieces: Nuclei,
    /// Of each piece, as [`DarkPieces::FEATURES`] names them.
    pub features: Vec<[f64; FEATURES.len()]>,
}

impl DarkPieces {
    /// What is measured of a piece. Amounts are in shares of the slide's largest; `around` is a ring of 2 µm;
    /// spreads are standard deviations; darkness is the mean optical density.
    pub const FEATURES: [&'static str; FEATURES.len()] = FEATURES;

    /// Whether each piece looks like a mitosis.
    pub(super) fn look_like_mitoses(&self) -> Vec<bool> {
        let classifier = MitosisClassifier::built_in();
        let features = self.features.iter();
        features.map(|f| classifier.accepts(f)).collect()
    }
}

/// Finds the pieces of a tile that are as dark as the slide's darkest nuclei; those that touch are one.
///
/// # Errors
/// As [`find_nuclei`](super::find_nuclei).
pub fn find_dark_pieces(
    tile: &Image<[u8; 3]>,
    stains: Option<&Stains>,
    mpp: f64,
) -> Result<DarkPieces, Error> {
    checked(mpp)?;
    let layers = Layers::of(tile, stains.unwrap_or(&Stains::REFERENCE));
    Ok(dark_pieces_in(&layers, mpp))
}

pub(super) fn dark_pieces_in(layers: &Layers, mpp: f64) -> DarkPieces {
    let config = NucleiConfig {
        thresholds: [1.0, 1.0],
        waist: 1.0,
        least_um2: 8.0,
        least_width_um: 2.0,
        most_um2: 300.0,
        ..NucleiConfig::default()
    };
    let pieces = nuclei_in(layers, mpp, &config);
    let labeled = (1..).zip(&pieces.all);
    let features = labeled.map(|(label, piece)| layers.features(&pieces.labels, label, piece, mpp));
    DarkPieces {
        features: features.collect(),
        pieces,
    }
}

/// What `cargo run --release -p lobule-raster --example fit_nottingham -- mitoses` prints.
const FITTED: &str = include_str!("mitoses.toml");

static CLASSIFIER: LazyLock<MitosisClassifier> =
    LazyLock::new(|| toml::from_str(FITTED).expect("a test reads the file that is built in"));

/// Logistic regression on standardized [`DarkPieces::FEATURES`].
///
/// Fitted on 67 mitoses of 3 cases; [`ComponentFigures`](super::ComponentFigures) says how it did on each case
/// that it was not fitted on. It misses most mitoses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MitosisClassifier {
    means: [f64; FEATURES.len()],
    deviations: [f64; FEATURES.len()],
    intercept: f64,
    /// One weight per standardized feature.
    weights: [f64; FEATURES.len()],
    threshold: f64,
    images: String,
    licence: String,
}

impl MitosisClassifier {
    /// The one that is built in.
    pub fn built_in() -> &'static MitosisClassifier {
        &CLASSIFIER
    }

    /// `1 / (1 + exp(−(w₀ + Σ wᵢ (xᵢ − meanᵢ) / deviationᵢ)))`.
    pub fn probability(&self, features: &[f64; FEATURES.len()]) -> f64 {
        let standard = |i: usize| (features[i] - self.means[i]) / self.deviations[i];
        let terms = (0..FEATURES.len()).map(|i| self.weights[i] * standard(i));
        1.0 / (1.0 + (-(self.intercept + terms.sum::<f64>())).exp())
    }

    /// Whether the probability reaches the threshold, that of the largest F1 where it was fitted.
    pub fn accepts(&self, features: &[f64; FEATURES.len()]) -> bool {
        self.probability(features) >= self.threshold
    }

    /// What it was fitted on.
    pub fn images(&self) -> &str {
        &self.images
    }

    /// What its coefficients may be used for.
    pub fn licence(&self) -> &str {
        &self.licence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probability_is_the_logistic_of_standardized_features() {
        let mut classifier = MitosisClassifier::built_in().clone();
        assert!(classifier.images().contains("BreCaHAD") && classifier.licence() == "CC BY 4.0");
        let at_means = classifier.probability(&classifier.means);
        let expected = 1.0 / (1.0 + (-classifier.intercept).exp());
        assert!((at_means - expected).abs() < 1e-12);
        classifier.weights = [0.0; FEATURES.len()];
        (
            classifier.weights[1],
            classifier.means[1],
            classifier.deviations[1],
        ) = (2.0, 1.0, 0.5);
        (classifier.intercept, classifier.threshold) = (-1.0, 0.9);
        let mut features = [0.0; FEATURES.len()];
        for (elongation, probability) in [(1.25, 0.5), (1.75, 0.880_797), (2.0, 0.952_574)] {
            features[1] = elongation;
            assert!((classifier.probability(&features) - probability).abs() < 1e-6);
            assert_eq!(classifier.accepts(&features), probability >= 0.9);
        }
    }
}
