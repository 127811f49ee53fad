//! From the measures of a breast's density to the classes that readers use. No command shows them
//! yet; the reports show the share alone.

use std::sync::LazyLock;

use serde::Deserialize;

use super::density::Density;

/// The fitted coefficients, as `cargo run --release -p lobule-raster --example fit_density` prints
/// them.
const FITTED: &str = include_str!("density.toml");

static CLASSIFIERS: LazyLock<Fitted> =
    LazyLock::new(|| toml::from_str(FITTED).expect("a test reads the file that is built in"));

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fitted {
    film: DensityClassifier,
    digital: DensityClassifier,
    letters: DensityClassifier,
}

/// Multinomial logistic regression on the features of [`Density`].
///
/// Three were fitted; their accuracy is that of cross-validation grouped by patient and stands in
/// [`DensityClassifier::measured`]. They hold for images like those they were fitted on, and
/// carry those images' licences ([`DensityClassifier::licence`]).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DensityClassifier {
    classes: Vec<String>,
    means: [f64; 5],
    deviations: [f64; 5],
    /// Per class: the intercept, then one weight per standardized feature.
    weights: Vec<[f64; 6]>,
    images: String,
    licence: String,
    measured: String,
}

/// A class and its probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DensityClass<'a> {
    /// As the readers of the fitted images called it.
    pub name: &'a str,
    /// In 0..=1; those of all classes sum to one.
    pub probability: f64,
}

impl DensityClassifier {
    /// `fatty`, `glandular` or `dense` on scanned film.
    pub fn film() -> &'static DensityClassifier {
        &CLASSIFIERS.film
    }

    /// `A-B` or `C-D` on digital images.
    pub fn digital() -> &'static DensityClassifier {
        &CLASSIFIERS.digital
    }

    /// `A`, `B`, `C` or `D` on digital images. Experimental: four images of class A.
    pub fn letters_experimental() -> &'static DensityClassifier {
        &CLASSIFIERS.letters
    }

    /// Every class with its probability, in the order of the classes: the softmax of
    /// `w₀ + Σ wᵢ (xᵢ − meanᵢ) / deviationᵢ`.
    pub fn probabilities(&self, density: &Density) -> Vec<DensityClass<'_>> {
        let standard = |i: usize| (density.features[i] - self.means[i]) / self.deviations[i];
        let logit = |w: &[f64; 6]| w[0] + (0..5).map(|i| w[i + 1] * standard(i)).sum::<f64>();
        let logits: Vec<f64> = self.weights.iter().map(logit).collect();
        let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = logits.iter().map(|l| (l - highest).exp()).sum();
        let named = self.classes.iter().zip(logits);
        named
            .map(|(name, logit)| DensityClass {
                name,
                probability: (logit - highest).exp() / sum,
            })
            .collect()
    }

    /// The most probable class.
    pub fn classify(&self, density: &Density) -> DensityClass<'_> {
        let classes = self.probabilities(density).into_iter();
        classes
            .max_by(|a, b| a.probability.total_cmp(&b.probability))
            .expect("a classifier has classes")
    }

    /// What it was fitted on.
    pub fn images(&self) -> &str {
        &self.images
    }

    /// What its coefficients may be used for.
    pub fn licence(&self) -> &str {
        &self.licence
    }

    /// Its accuracy, with interval and count.
    pub fn measured(&self) -> &str {
        &self.measured
    }
}
