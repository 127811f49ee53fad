//! From the measures of a breast's density in one view to the classes that readers use.

use std::sync::LazyLock;

use lobule_exam::{DensityClass, DensityClasses, Medium, View};
use serde::{Deserialize, Deserializer, de::Error as _};

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
/// [`DensityClassifier::measured`]. They hold for images of the [`views`](DensityClassifier::views)
/// and the kind that they were fitted on, and carry those images' licences
/// ([`DensityClassifier::licence`]).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DensityClassifier {
    classes: Vec<String>,
    means: [f64; 5],
    deviations: [f64; 5],
    /// Per class: the intercept, then one weight per standardized feature.
    weights: Vec<[f64; 6]>,
    #[serde(deserialize_with = "read_views")]
    views: Vec<View>,
    images: String,
    licence: String,
    accuracy: Accuracy,
    measured: String,
}

/// How often a classifier was right, in cross-validation by patient.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// Breasts whose most probable class was the reader's; the probabilities of a breast's views
    /// were averaged.
    pub right: usize,
    /// Breasts.
    pub of: usize,
    /// 95 % interval of the share that is right, in 0..=1; bootstrap of patients.
    pub interval: [f64; 2],
    /// The share that is right when every breast is given the most frequent class.
    pub most_frequent: f64,
}

impl Accuracy {
    /// The share that is right, in 0..=1.
    pub fn share(&self) -> f64 {
        self.right as f64 / self.of.max(1) as f64
    }
}

fn read_views<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<View>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let views = names
        .iter()
        .map(|name| name.parse().map_err(D::Error::custom));
    views.collect()
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

    /// The classifier of a medium, whose errors were measured.
    pub fn of(medium: Medium) -> &'static DensityClassifier {
        match medium {
            Medium::Film => DensityClassifier::film(),
            Medium::Digital => DensityClassifier::digital(),
        }
    }

    /// All classes that readers use on images of a medium.
    pub fn classes_of(medium: Medium, density: &Density) -> DensityClasses {
        let letters = DensityClassifier::letters_experimental();
        DensityClasses {
            medium,
            classes: DensityClassifier::of(medium).probabilities(density),
            letters: match medium {
                Medium::Film => Vec::new(),
                Medium::Digital => letters.probabilities(density),
            },
        }
    }

    /// Every class with its probability, in the order of the classes: the softmax of
    /// `w₀ + Σ wᵢ (xᵢ − meanᵢ) / deviationᵢ`.
    pub fn probabilities(&'static self, density: &Density) -> Vec<DensityClass> {
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
    pub fn classify(&'static self, density: &Density) -> DensityClass {
        let classes = self.probabilities(density).into_iter();
        classes
            .max_by(|a, b| a.probability.total_cmp(&b.probability))
            .expect("a classifier has classes")
    }

    /// The projections that it was fitted on; what it says of others was not measured.
    pub fn views(&self) -> &[View] {
        &self.views
    }

    /// What it was fitted on.
    pub fn images(&self) -> &str {
        &self.images
    }

    /// What its coefficients may be used for.
    pub fn licence(&self) -> &str {
        &self.licence
    }

    /// How often it is right about a breast.
    pub fn accuracy(&self) -> Accuracy {
        self.accuracy
    }

    /// Its accuracy in words, with intervals and counts.
    pub fn measured(&self) -> &str {
        &self.measured
    }
}
