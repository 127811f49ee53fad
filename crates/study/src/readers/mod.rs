//! Reader studies: readers and modalities compared, readers random or fixed, against algorithms,
//! at a threshold, by subgroup, with marks.
//!
//! Owns: the choice and order of analyses, their results and document. Does not own: the
//! statistics (`lobule_stats::mrmc`, `gee`, `location`).
//!
//! ```
//! use lobule_study::readers::{Config, run};
//! use lobule_study::table::{ReadConfig, Study};
//! # let folder = tempfile::tempdir().unwrap();
//! # let file = folder.path().join("t.csv");
//! # std::fs::write(&file, "reader,modality,case,truth,rating\n\
//! #     a,with,1,0,1\na,with,2,1,4\na,with,3,0,2\na,with,4,1,3\n\
//! #     b,with,1,0,2\nb,with,2,1,4\nb,with,3,0,1\nb,with,4,1,5\n\
//! #     a,without,1,0,1\na,without,2,1,2\na,without,3,0,2\na,without,4,1,3\n\
//! #     b,without,1,0,3\nb,without,2,1,4\nb,without,3,0,1\nb,without,4,1,2\n").unwrap();
//! let study = Study::read(&file, &ReadConfig::default())?;
//! let result = run(&study, &Config::default())?;
//! let analysis = result.figures[0].value().unwrap();
//! assert!((analysis.differences[0].difference.estimate - 0.1875).abs() < 1e-12);
//! # Ok::<(), lobule_study::Error>(())
//! ```

mod analysis;
mod decide;
mod document;
mod marks;
mod ratings;

use lobule_stats::Confidence;
use lobule_stats::location::LocationFigure;
use lobule_stats::mrmc::{CovarianceMethod, Figure, MomentEstimate, RandomFactors};
use serde::Serialize;

pub use analysis::{
    Analysis, ModalityContrast, ModalityFigure, Overall, ReaderContrast, ReaderFigure, Variances,
};
pub use decide::{AtThreshold, Rates, ReaderDecisions};
pub use document::document;
pub use ratings::{AgainstAlgorithm, Curves, RocCurve, Subgroup, UContrast, UFigure};

use crate::Error;
use crate::table::{Input, Names, Study};
use crate::value::Found;

/// What is analysed and how.
///
/// ```
/// use lobule_study::readers::Config;
/// assert!(Config::default().threshold.is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The figures of merit of ratings, the first is the primary one.
    pub figures: Vec<Figure>,
    /// The figures of merit of marks, the first is the primary one.
    pub location_figures: Vec<LocationFigure>,
    /// Of the Obuchowski–Rockette analysis. Clustered cases and figures other than areas and
    /// rates need the jackknife.
    pub covariance: CovarianceMethod,
    /// To what the conclusions extend.
    pub random: RandomFactors,
    /// Of the U-statistic analysis.
    pub moments: MomentEstimate,
    /// Of every interval.
    pub confidence: Confidence,
    /// The modality that others are compared with: differences are other minus this one. `None`:
    /// earlier minus later, in the order of the table.
    pub reference: Option<String>,
    /// Ratings from here on are positive decisions; `None`: no decisions.
    pub threshold: Option<f64>,
    /// Asks whether differences exclude a loss of this size.
    pub margin: Option<f64>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            figures: vec![Figure::Auc],
            location_figures: vec![
                LocationFigure::WeightedAfroc,
                LocationFigure::Afroc1,
                LocationFigure::HighestRatingAuc,
            ],
            covariance: CovarianceMethod::Jackknife,
            random: RandomFactors::ReadersAndCases,
            moments: MomentEstimate::Unbiased,
            confidence: Confidence::NINETY_FIVE,
            reference: None,
            threshold: None,
            margin: None,
        }
    }
}

/// The result of [`run`].
///
/// ```
/// use lobule_study::readers::Readers;
/// fn primary_p(result: &Readers) -> Option<f64> {
///     Some(result.figures.first()?.value()?.overall?.p_value)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Readers {
    /// The table.
    pub input: Input,
    /// People who rated.
    pub n_readers: usize,
    /// Cases with a truth.
    pub n_cases: usize,
    /// Cases with the disease.
    pub n_positive: usize,
    /// What cases are clustered in, and how many of them; `None` where cases are independent.
    pub clusters: Option<(String, usize)>,
    /// Lesions, of a table of marks.
    pub n_lesions: Option<usize>,
    /// 1 − α.
    pub confidence: f64,
    /// Readers, cases or both.
    pub random: String,
    /// Jackknife, DeLong or unbiased.
    pub covariance: String,
    /// Modalities in the order of the analysis.
    pub modalities: Vec<String>,
    /// One analysis per figure of merit.
    pub figures: Vec<Found<Analysis>>,
    /// The area by U-statistics, of ratings.
    pub u_statistics: Option<Found<Vec<UContrast>>>,
    /// The same for the modalities themselves.
    pub u_figures: Vec<UFigure>,
    /// Decisions at the threshold.
    pub at_threshold: Option<AtThreshold>,
    /// Readers against each algorithm.
    pub algorithms: Vec<AgainstAlgorithm>,
    /// The primary figure in every group of cases.
    pub subgroups: Vec<Subgroup>,
    /// ROC curves of readers, their mean and algorithms.
    pub curves: Vec<Curves>,
}

/// Analyses ratings or marks. What one part of the data does not allow is said in the result.
///
/// # Errors
/// [`crate::ErrorKind::Config`] for a reference that is no modality or a table without people.
pub fn run(study: &Study, config: &Config) -> Result<Readers, Error> {
    match study {
        Study::Scores(table) => ratings::run(table, config),
        Study::Marks(table) => marks::run(table, config),
    }
}

/// The modalities with people, the reference last.
fn ordered(names: &Names, with_people: Vec<usize>, config: &Config) -> Result<Vec<usize>, Error> {
    let Some(reference) = &config.reference else {
        return Ok(with_people);
    };
    let found = with_people.iter().find(|&&m| names.name(m) == reference);
    let Some(&last) = found else {
        let known: Vec<&str> = with_people.iter().map(|&m| names.name(m)).collect();
        let text = format!(
            "expected one of the modalities {}, got `{reference}`",
            known.join(", ")
        );
        return Err(Error::config(text));
    };
    let others = with_people.iter().copied().filter(|&m| m != last);
    Ok(others.chain([last]).collect())
}

fn random_words(random: RandomFactors) -> &'static str {
    match random {
        RandomFactors::ReadersAndCases => "random readers and cases",
        RandomFactors::Cases => "random cases, fixed readers",
        RandomFactors::Readers => "random readers, fixed cases",
    }
}

fn covariance_words(method: CovarianceMethod) -> &'static str {
    match method {
        CovarianceMethod::Jackknife => "jackknife",
        CovarianceMethod::DeLong => "DeLong",
        CovarianceMethod::Unbiased => "unbiased",
        _ => "other",
    }
}
