//! Reader and algorithm in one logistic regression, fitted here or on other cases.

use crate::calibration::sigmoid;
use rayon::prelude::*;

use super::combination::check_pair;
use crate::bootstrap::shuffled;
use crate::cases::{check_cases, check_lengths};
use crate::newton::{Derivatives, maximize};
use crate::{Clusters, Error, ErrorKind};

/// The intercept and the two scores.
const SIZE: usize = 3;

/// The coefficients of a logistic regression of truth on both scores, in the scores' own units.
///
/// ```
/// use lobule_stats::hybrid::LogisticCombination;
/// let fit = LogisticCombination { intercept: -4.0, reader: 1.0, ai: 2.0 };
/// assert_eq!(fit.probability(3.0, 0.5), 0.5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticCombination {
    /// Log odds where both scores are 0.
    pub intercept: f64,
    /// Log odds per unit of the reader's score; may be negative.
    pub reader: f64,
    /// Log odds per unit of the algorithm's score; may be negative.
    pub ai: f64,
}

impl LogisticCombination {
    /// `1 / (1 + exp(−(β₀ + β₁ r + β₂ a)))`, at the prevalence of the cases of the fit.
    ///
    /// ```
    /// # use lobule_stats::hybrid::LogisticCombination;
    /// let fit = LogisticCombination { intercept: 0.0, reader: 1.0, ai: 0.0 };
    /// assert_eq!(fit.probability(3_f64.ln(), 9.0), 0.75);
    /// ```
    pub fn probability(&self, reader_score: f64, ai_score: f64) -> f64 {
        sigmoid(self.intercept + self.reader * reader_score + self.ai * ai_score)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let finite = [self.intercept, self.reader, self.ai]
            .iter()
            .all(|coefficient| coefficient.is_finite());
        if finite {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::NotFinite,
            format!("expected finite coefficients, got {self:?}"),
        ))
    }
}

/// Fits truth on both scores by maximum likelihood.
///
/// Formula: the maximum of `Σ tᵢ ηᵢ − ln(1 + exp ηᵢ)`, `η = β₀ + β₁ r + β₂ a`. Symbols: t 1 for
/// diseased cases, r and a the scores. Judged on the cases of the fit, the combination looks better
/// than it is: take the coefficients to other cases, or use [`cross_fitted_logistic`].
/// Hosmer, Lemeshow, Sturdivant 2013, doi:10.1002/9781118548387.
///
/// ```
/// use lobule_stats::hybrid::fit_logistic_combination;
/// let reader = [2.0, 3.0, 4.0, 4.0, 3.0, 5.0];
/// let ai = [0.1, 0.6, 0.2, 0.5, 0.4, 0.9];
/// let truth = [false, false, false, true, true, true];
/// let fit = fit_logistic_combination(&reader, &ai, &truth)?;
/// let claimed: f64 = reader.iter().zip(&ai).map(|(&r, &a)| fit.probability(r, a)).sum();
/// assert!((claimed - 3.0).abs() < 1e-9);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`] or
/// [`ErrorKind::SingleClass`] by the inputs; [`ErrorKind::ZeroVariance`] when a score is constant
/// or a straight line of the other; [`ErrorKind::NoFit`] when the two scores separate the classes.
pub fn fit_logistic_combination(
    reader_scores: &[f64],
    ai_scores: &[f64],
    truth: &[bool],
) -> Result<LogisticCombination, Error> {
    check_inputs(reader_scores, ai_scores, truth)?;
    let cases: Vec<usize> = (0..truth.len()).collect();
    fit(reader_scores, ai_scores, truth, &cases)
}

/// How clusters are held out in turn.
///
/// ```
/// use lobule_stats::hybrid::Folds;
/// assert_ne!(Folds::Random { n_folds: 5, seed: 1 }, Folds::LeaveOneClusterOut);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folds {
    /// Each cluster by itself. A held-out diseased case lowers the prevalence that its own fit
    /// sees and so its own score: pooled over the cases the area comes out too low, much so where
    /// the scores say little. Airola et al. 2011, doi:10.1016/j.csda.2010.11.018.
    LeaveOneClusterOut,
    /// Clusters in a random order, dealt onto folds in turn: sizes differ by one cluster at most.
    Random {
        /// From 2 to the number of clusters.
        n_folds: usize,
        /// Of the ChaCha generator. The same seed gives the same folds.
        seed: u64,
    },
}

/// The probability of each case by a regression that has not seen its cluster.
///
/// Method: clusters are cut into folds; for each fold [`fit_logistic_combination`] is fitted on the
/// cases of all others and applied to its own. Whole clusters (patients) are held out together,
/// because breasts of a patient tell of each other. The folds' fits differ a little, so that scores
/// of different folds are not exactly on one scale; with few cases repeat with several seeds.
/// Stone 1974, doi:10.1111/j.2517-6161.1974.tb00994.x.
///
/// ```
/// use lobule_stats::{Clusters, hybrid::{Folds, cross_fitted_logistic}};
/// let reader = [2.0, 3.0, 4.0, 4.0, 3.0, 5.0, 2.0, 4.0, 5.0, 3.0];
/// let ai = [0.1, 0.6, 0.2, 0.5, 0.4, 0.9, 0.3, 0.1, 0.3, 0.8];
/// let truth = [false, false, false, true, true, true, true, false, true, false];
/// let clusters = Clusters::singletons(10)?;
/// let honest =
///     cross_fitted_logistic(&reader, &ai, &truth, &clusters, Folds::LeaveOneClusterOut)?;
/// assert!(honest.iter().all(|p| (0.0..=1.0).contains(p)));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// Those of [`fit_logistic_combination`], naming the fold without which they arise;
/// [`ErrorKind::Mismatch`] when clusters and scores count different cases,
/// [`ErrorKind::OutOfRange`] for a number of folds outside 2 to the number of clusters.
pub fn cross_fitted_logistic(
    reader_scores: &[f64],
    ai_scores: &[f64],
    truth: &[bool],
    clusters: &Clusters,
    folds: Folds,
) -> Result<Vec<f64>, Error> {
    check_inputs(reader_scores, ai_scores, truth)?;
    check_lengths("clustered cases", clusters.n_cases(), "scores", truth.len())?;
    let (fold_of_cluster, n_folds) = assign(clusters.n_clusters(), folds)?;
    let numbers = clusters.number_of_case();
    let fold_of_case = |case: usize| fold_of_cluster[numbers[case] as usize];
    let fit_without = |fold: usize| {
        let others = |&case: &usize| fold_of_case(case) != fold;
        let cases: Vec<usize> = (0..truth.len()).filter(others).collect();
        fit(reader_scores, ai_scores, truth, &cases)
            .map_err(|error| Error::new(error.kind(), format!("{error} (without fold {fold})")))
    };
    let fits = (0..n_folds).into_par_iter().map(fit_without);
    let fits = fits.collect::<Result<Vec<LogisticCombination>, Error>>()?;
    let held_out =
        |case: usize| fits[fold_of_case(case)].probability(reader_scores[case], ai_scores[case]);
    Ok((0..truth.len()).map(held_out).collect())
}

/// The fold of each cluster, and how many folds there are.
fn assign(n_clusters: usize, folds: Folds) -> Result<(Vec<usize>, usize), Error> {
    let (order, n_folds) = match folds {
        Folds::LeaveOneClusterOut => ((0..n_clusters).collect(), n_clusters),
        Folds::Random { n_folds, seed } => {
            let n = u32::try_from(n_clusters).expect("clusters are counted in 32 bits");
            (shuffled(seed, n), n_folds)
        }
    };
    if !(2..=n_clusters).contains(&n_folds) {
        return Err(Error::new(
            ErrorKind::OutOfRange,
            format!("expected 2 to {n_clusters} folds (one cluster each), got {n_folds}"),
        ));
    }
    let mut fold_of_cluster = vec![0; n_clusters];
    for (place, cluster) in order.into_iter().enumerate() {
        fold_of_cluster[cluster] = place % n_folds;
    }
    Ok((fold_of_cluster, n_folds))
}

fn check_inputs(reader_scores: &[f64], ai_scores: &[f64], truth: &[bool]) -> Result<(), Error> {
    check_pair(reader_scores, ai_scores)?;
    check_cases(reader_scores, truth).map(drop)
}

/// The fit on some of the cases, which need not hold both classes.
fn fit(
    reader_scores: &[f64],
    ai_scores: &[f64],
    truth: &[bool],
    cases: &[usize],
) -> Result<LogisticCombination, Error> {
    let pick = |scores: &[f64]| cases.iter().map(|&case| scores[case]).collect();
    let (reader, ai) = (
        Column::new(pick(reader_scores))?,
        Column::new(pick(ai_scores))?,
    );
    let targets: Vec<bool> = cases.iter().map(|&case| truth[case]).collect();
    check_cases(&reader.values, &targets)?;
    let evaluate =
        |parameters: &[f64]| derivatives(parameters, &reader.values, &ai.values, &targets);
    let maximum = maximize(SIZE, targets.len(), evaluate).map_err(in_words)?;
    let (by_reader, by_ai) = (
        maximum.parameters[1] / reader.scale,
        maximum.parameters[2] / ai.scale,
    );
    Ok(LogisticCombination {
        intercept: maximum.parameters[0] - by_reader * reader.mean - by_ai * ai.mean,
        reader: by_reader,
        ai: by_ai,
    })
}

fn in_words(error: Error) -> Error {
    let text = match error.kind() {
        ErrorKind::ZeroVariance => "expected scores that are no straight line of each other",
        _ => "expected classes that overlap, got scores that separate them",
    };
    Error::new(error.kind(), text)
}

/// A score with mean 0 and mean square 1.
struct Column {
    values: Vec<f64>,
    mean: f64,
    scale: f64,
}

impl Column {
    fn new(mut values: Vec<f64>) -> Result<Column, Error> {
        let count = values.len() as f64;
        let mean = values.iter().map(|value| value / count).sum::<f64>();
        values.iter_mut().for_each(|value| *value -= mean);
        let largest = values
            .iter()
            .fold(0.0_f64, |most, value| most.max(value.abs()));
        // By the largest first, so that squares of huge scores stay finite.
        let square = values
            .iter()
            .map(|value| (value / largest).powi(2))
            .sum::<f64>();
        let scale = largest * (square / count).sqrt();
        if !(scale.is_finite() && scale > 1e-12 * mean.abs()) {
            return Err(Error::new(
                ErrorKind::ZeroVariance,
                format!("expected scores that vary, got a mean of {mean} and a spread of {scale}"),
            ));
        }
        values.iter_mut().for_each(|value| *value /= scale);
        Ok(Column {
            values,
            mean,
            scale,
        })
    }
}

fn derivatives(parameters: &[f64], reader: &[f64], ai: &[f64], truth: &[bool]) -> Derivatives {
    let mut sums = Derivatives::zero(SIZE);
    for ((&r, &a), &present) in reader.iter().zip(ai).zip(truth) {
        let row = [1.0, r, a];
        let eta = crate::matrix::dot(parameters, &row);
        let target = f64::from(u8::from(present));
        sums.log_likelihood += target * eta - eta.max(0.0) - (-eta.abs()).exp().ln_1p();
        let mean = sigmoid(eta);
        let weight = mean * sigmoid(-eta);
        for i in 0..SIZE {
            sums.gradient[i] += (target - mean) * row[i];
            for j in 0..=i {
                sums.information[i * SIZE + j] += weight * row[i] * row[j];
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_two_factors_without_interaction_is_met() {
        // Log odds −ln 3, 0, 0, ln 3 in the cells (r, a) = (0,0), (1,0), (0,1), (1,1).
        let cells = [
            (0.0, 0.0, 1, 3),
            (1.0, 0.0, 2, 2),
            (0.0, 1.0, 2, 2),
            (1.0, 1.0, 3, 1),
        ];
        let (mut reader, mut ai, mut truth) = (Vec::new(), Vec::new(), Vec::new());
        for (r, a, diseased, healthy) in cells {
            for case in 0..diseased + healthy {
                reader.push(r);
                ai.push(10.0 + 5.0 * a);
                truth.push(case < diseased);
            }
        }
        let fit = fit_logistic_combination(&reader, &ai, &truth).unwrap();
        let ln3 = 3_f64.ln();
        assert!((fit.reader - ln3).abs() < 1e-10);
        assert!((fit.ai - ln3 / 5.0).abs() < 1e-10);
        assert!((fit.intercept + ln3 + 2.0 * ln3).abs() < 1e-9);
    }

    fn drawn() -> (Vec<f64>, Vec<f64>, Vec<bool>, Clusters) {
        let noise = |case: usize, k: f64| (case as f64 * k).sin();
        let truth: Vec<bool> = (0..60).map(|case| case % 3 == 0).collect();
        let score = |k| {
            let of = |case: usize| f64::from(u8::from(truth[case])) + 1.5 * noise(case, k);
            (0..60).map(of).collect()
        };
        let patients: Vec<usize> = (0..60).map(|case| case / 2).collect();
        let clusters = Clusters::from_labels(&patients).unwrap();
        (score(12.9), score(78.2), truth.clone(), clusters)
    }

    #[test]
    fn a_held_out_probability_is_that_of_the_fit_on_the_others() {
        let (reader, ai, truth, clusters) = drawn();
        let folds = Folds::LeaveOneClusterOut;
        let honest = cross_fitted_logistic(&reader, &ai, &truth, &clusters, folds).unwrap();
        let fit = fit_logistic_combination(&reader[2..], &ai[2..], &truth[2..]).unwrap();
        for case in 0..2 {
            let expected = fit.probability(reader[case], ai[case]);
            assert!((honest[case] - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn folds_follow_the_seed_and_keep_patients_together() {
        let (reader, ai, truth, clusters) = drawn();
        let with = |seed| {
            let folds = Folds::Random { n_folds: 4, seed };
            cross_fitted_logistic(&reader, &ai, &truth, &clusters, folds).unwrap()
        };
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
        let (fold_of, n_folds) = assign(
            30,
            Folds::Random {
                n_folds: 4,
                seed: 1,
            },
        )
        .unwrap();
        let sizes: Vec<usize> = (0..n_folds)
            .map(|fold| fold_of.iter().filter(|&&f| f == fold).count())
            .collect();
        assert_eq!(sizes, [8, 8, 7, 7]);
    }

    #[test]
    fn what_has_no_fit_is_refused() {
        let (reader, ai, truth, clusters) = drawn();
        let kind = |r: &[f64], a: &[f64], t: &[bool]| {
            fit_logistic_combination(r, a, t).unwrap_err().kind()
        };
        let separated: Vec<f64> = truth.iter().map(|&t| f64::from(u8::from(t))).collect();
        assert_eq!(kind(&reader, &separated, &truth), ErrorKind::NoFit);
        assert_eq!(kind(&reader, &[0.1; 60], &truth), ErrorKind::ZeroVariance);
        assert_eq!(kind(&reader, &reader, &truth), ErrorKind::ZeroVariance);
        assert_eq!(kind(&reader, &ai, &[true; 60]), ErrorKind::SingleClass);
        assert_eq!(kind(&reader, &ai[1..], &truth), ErrorKind::Mismatch);
        for n_folds in [0, 1, 31] {
            let folds = Folds::Random { n_folds, seed: 1 };
            let error = cross_fitted_logistic(&reader, &ai, &truth, &clusters, folds).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfRange);
        }
        let one_positive: Vec<bool> = (0..60).map(|case| case == 7).collect();
        let folds = Folds::LeaveOneClusterOut;
        let error = cross_fitted_logistic(&reader, &ai, &one_positive, &clusters, folds);
        let error = error.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::NoFit | ErrorKind::SingleClass),
            "{error}"
        );
        let few = Clusters::singletons(3).unwrap();
        let error = cross_fitted_logistic(&reader, &ai, &truth, &few, folds).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Mismatch);
    }
}
