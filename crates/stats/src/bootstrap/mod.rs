//! Intervals by resampling whole clusters (patients, exams) with replacement.
//!
//! Owns: the resampling, percentile and BCa intervals for any statistic ([`bootstrap`]), and the
//! area under the ROC curve done fast ([`bootstrap_auc`], [`bootstrap_auc_difference`]). Does not
//! own: the statistics themselves.
//!
//! Every replicate has a random stream of its own, numbered by the replicate, so a seed gives the
//! same interval on any number of threads and any machine.
//!
//! ```
//! use lobule_stats::bootstrap::{BootstrapConfig, Clusters, bootstrap};
//! let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
//! let patients = ["a", "a", "b", "b", "c", "d"];
//! let mean = |cases: &[usize]| {
//!     let sum: f64 = cases.iter().map(|&case| values[case]).sum();
//!     Some(sum / cases.len() as f64)
//! };
//! let config = BootstrapConfig { n_replicates: 500, ..BootstrapConfig::with_seed(7) };
//! let result = bootstrap(&Clusters::from_labels(&patients)?, &config, mean)?;
//! assert_eq!(result.estimate, 3.5);
//! assert!(result.interval.contains(3.5));
//! # Ok::<(), lobule_stats::Error>(())
//! ```

mod auc;
mod interval;
mod resample;

pub use auc::{bootstrap_auc, bootstrap_auc_difference};
pub(crate) use resample::shuffled;

pub use crate::clusters::Clusters;

use rayon::prelude::*;

use crate::{Confidence, Error, ErrorKind, Interval};

/// More replicates than this gain nothing and cost memory.
const MAX_REPLICATES: usize = 10_000_000;
/// Beyond this share of undefined replicates the rest no longer stands for the whole.
const MAX_UNDEFINED_SHARE: f64 = 0.1;

/// How to make an interval from replicates.
///
/// ```
/// use lobule_stats::bootstrap::{BootstrapConfig, BootstrapInterval};
/// assert_eq!(BootstrapConfig::with_seed(1).interval, BootstrapInterval::Percentile);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootstrapInterval {
    /// The α/2 and 1 − α/2 quantiles of the replicates. Efron & Tibshirani 1986,
    /// doi:10.1214/ss/1177013815.
    Percentile,
    /// Quantiles moved for bias and skewness, second-order accurate.
    ///
    /// Formula: `αᵢ = Φ(z₀ + (z₀ + zᵢ) / (1 − a (z₀ + zᵢ)))`, with `z₀ = Φ⁻¹` of the share of
    /// replicates below the estimate (ties ½) and
    /// `a = Σ(θ̄ − θ₍ᵢ₎)³ / (6 (Σ(θ̄ − θ₍ᵢ₎)²)^{3/2})` from the estimates θ₍ᵢ₎ without cluster i.
    /// Needs one evaluation per cluster more. Efron 1987, doi:10.1080/01621459.1987.10478410.
    Bca,
}

/// What to resample, how often, and what to make of it.
///
/// ```
/// use lobule_stats::bootstrap::{BootstrapConfig, BootstrapInterval};
/// let config = BootstrapConfig {
///     interval: BootstrapInterval::Bca,
///     ..BootstrapConfig::with_seed(20240501)
/// };
/// assert_eq!(config.n_replicates, 2000);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapConfig {
    /// Replicates, 1 to 10⁷; 2000 by default.
    pub n_replicates: usize,
    /// Of the ChaCha generator. The same seed gives the same result.
    pub seed: u64,
    /// 95 % by default.
    pub confidence: Confidence,
    /// Percentile by default.
    pub interval: BootstrapInterval,
}

impl BootstrapConfig {
    /// The defaults, with a seed: there is none that could be chosen for the caller.
    ///
    /// ```
    /// # use lobule_stats::bootstrap::BootstrapConfig;
    /// assert_eq!(BootstrapConfig::with_seed(3).seed, 3);
    /// ```
    pub fn with_seed(seed: u64) -> BootstrapConfig {
        BootstrapConfig {
            n_replicates: 2000,
            seed,
            confidence: Confidence::NINETY_FIVE,
            interval: BootstrapInterval::Percentile,
        }
    }
}

/// An estimate with what its replicates say about it.
///
/// ```
/// use lobule_stats::bootstrap::{BootstrapConfig, Clusters, bootstrap_auc};
/// let truth = [false, true, false, true, false, true, false, true];
/// let scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
/// let config = BootstrapConfig::with_seed(1);
/// let result = bootstrap_auc(&scores, &truth, &Clusters::singletons(8)?, &config)?;
/// assert_eq!(result.n_clusters, 8);
/// assert!(result.standard_error > 0.0);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapEstimate {
    /// The statistic on the cases as they are.
    pub estimate: f64,
    /// Standard deviation of the replicates.
    pub standard_error: f64,
    /// As configured.
    pub interval: Interval,
    /// Clusters resampled.
    pub n_clusters: usize,
    /// Replicates with a value.
    pub n_replicates: usize,
    /// Replicates without one (a single class drawn, for instance); they are left out.
    pub n_undefined: usize,
}

/// Resamples clusters with replacement and evaluates a statistic on the cases drawn.
///
/// The statistic gets the indices of the cases, repeated as often as drawn and in no order of
/// meaning, and returns `None` where it is undefined; NaN and infinities count as undefined.
/// Undefined replicates are left out and counted. Quantiles interpolate linearly between the
/// ordered replicates (type 7 of Hyndman & Fan 1996, doi:10.1080/00031305.1996.10473566).
/// Resampling clusters keeps what the cases of a patient have in common: Davison & Hinkley 1997,
/// doi:10.1017/CBO9780511802843, section 3.8.
///
/// ```
/// use lobule_stats::bootstrap::{BootstrapConfig, Clusters, bootstrap};
/// let flags = [true, false, true, true];
/// let share = |cases: &[usize]| {
///     Some(cases.iter().filter(|&&case| flags[case]).count() as f64 / cases.len() as f64)
/// };
/// let result = bootstrap(&Clusters::singletons(4)?, &BootstrapConfig::with_seed(5), share)?;
/// assert_eq!(result.estimate, 0.75);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::OutOfRange`] for a number of replicates outside 1..=10⁷, [`ErrorKind::TooFew`] for
/// fewer than two clusters, [`ErrorKind::Undefined`] when the statistic is undefined on the cases
/// as they are, in more than a tenth of the replicates or (BCa) without one of the clusters, or
/// when (BCa) all replicates lie on one side of the estimate.
pub fn bootstrap<F>(
    clusters: &Clusters,
    config: &BootstrapConfig,
    statistic: F,
) -> Result<BootstrapEstimate, Error>
where
    F: Fn(&[usize]) -> Option<f64> + Sync,
{
    let [estimate] = bootstrap_several(clusters, config, |cases| [statistic(cases)])?;
    estimate
}

/// As [`bootstrap`], for several statistics of the same draws: what they have in common is worked
/// out once per draw.
///
/// ```
/// use lobule_stats::bootstrap::{BootstrapConfig, Clusters, bootstrap_several};
/// let values = [1.0, 2.0, 6.0, 3.0];
/// let statistics = |cases: &[usize]| {
///     let drawn = || cases.iter().map(|&case| values[case]);
///     [Some(drawn().sum::<f64>() / cases.len() as f64), drawn().reduce(f64::max)]
/// };
/// let clusters = Clusters::singletons(4)?;
/// let [mean, highest] = bootstrap_several(&clusters, &BootstrapConfig::with_seed(5), statistics)?;
/// assert_eq!((mean?.estimate, highest?.estimate), (3.0, 6.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// Those of [`bootstrap`]; what concerns one statistic stands in its own place.
pub fn bootstrap_several<const N: usize, F>(
    clusters: &Clusters,
    config: &BootstrapConfig,
    statistics: F,
) -> Result<[Result<BootstrapEstimate, Error>; N], Error>
where
    F: Fn(&[usize]) -> [Option<f64>; N] + Sync,
{
    let on_weights = |cases: &mut Vec<usize>, weights: &[u32]| {
        clusters.draw(weights, cases);
        statistics(cases)
    };
    let without_each = || {
        let n = clusters.n_clusters();
        let left_out = (0..n).into_par_iter();
        let evaluate = |(weights, cases): &mut (Vec<u32>, Vec<usize>), cluster: usize| {
            weights[cluster] = 0;
            let values = on_weights(cases, weights);
            weights[cluster] = 1;
            values
        };
        left_out
            .map_init(|| (vec![1; n], Vec::new()), evaluate)
            .collect()
    };
    run(clusters, config, Vec::new, on_weights, without_each)
}

/// The common road: statistics of how often each cluster was drawn.
fn run<const N: usize, S, I, F, J>(
    clusters: &Clusters,
    config: &BootstrapConfig,
    scratch: I,
    statistics: F,
    without_each: J,
) -> Result<[Result<BootstrapEstimate, Error>; N], Error>
where
    I: Fn() -> S + Sync + Send,
    F: Fn(&mut S, &[u32]) -> [Option<f64>; N] + Sync,
    J: FnOnce() -> Vec<[Option<f64>; N]>,
{
    check_config(clusters, config)?;
    let n_clusters = clusters.n_clusters();
    let estimates = statistics(&mut scratch(), &vec![1; n_clusters]);
    let replicate = |(weights, scratch): &mut (Vec<u32>, S), replicate: usize| {
        resample::draw_weights(config.seed, replicate as u64, weights);
        statistics(scratch, weights)
    };
    let is_any = estimates.iter().flatten().any(|value| value.is_finite());
    let drawn: Vec<[Option<f64>; N]> = (0..if is_any { config.n_replicates } else { 0 })
        .into_par_iter()
        .map_init(|| (vec![0; n_clusters], scratch()), replicate)
        .collect();
    let without = match config.interval {
        BootstrapInterval::Bca if is_any => without_each(),
        _ => Vec::new(),
    };
    Ok(std::array::from_fn(|at| {
        let column = |rows: &[[Option<f64>; N]]| rows.iter().map(|row| row[at]).collect();
        let without: Vec<Option<f64>> = column(&without);
        summarize(
            estimates[at],
            column(&drawn),
            &without,
            (n_clusters, config),
        )
    }))
}

fn summarize(
    estimate: Option<f64>,
    drawn: Vec<Option<f64>>,
    without_each: &[Option<f64>],
    (n_clusters, config): (usize, &BootstrapConfig),
) -> Result<BootstrapEstimate, Error> {
    let is_defined = |value: &f64| value.is_finite();
    let estimate = estimate
        .filter(is_defined)
        .ok_or_else(|| undefined("on the cases as they are"))?;
    let mut values: Vec<f64> = drawn.into_iter().flatten().filter(is_defined).collect();
    let n_undefined = config.n_replicates - values.len();
    if n_undefined as f64 > MAX_UNDEFINED_SHARE * config.n_replicates as f64 {
        let of = config.n_replicates;
        return Err(undefined(&format!("in {n_undefined} of {of} replicates")));
    }
    values.sort_unstable_by(f64::total_cmp);
    let interval = match config.interval {
        BootstrapInterval::Percentile => interval::percentile(&values, config.confidence),
        BootstrapInterval::Bca => {
            interval::bca(estimate, &values, without_each, config.confidence)?
        }
    };
    Ok(BootstrapEstimate {
        estimate,
        standard_error: interval::standard_deviation(&values),
        interval,
        n_clusters,
        n_replicates: values.len(),
        n_undefined,
    })
}

fn check_config(clusters: &Clusters, config: &BootstrapConfig) -> Result<(), Error> {
    if !(1..=MAX_REPLICATES).contains(&config.n_replicates) {
        return Err(Error::new(
            ErrorKind::OutOfRange,
            format!(
                "expected 1 to {MAX_REPLICATES} replicates, got {}",
                config.n_replicates
            ),
        ));
    }
    if clusters.n_clusters() < 2 {
        return Err(Error::new(
            ErrorKind::TooFew,
            "expected at least 2 clusters to resample, got 1",
        ));
    }
    Ok(())
}

fn undefined(place: &str) -> Error {
    Error::new(
        ErrorKind::Undefined,
        format!("expected a defined statistic, got none {place}"),
    )
}
