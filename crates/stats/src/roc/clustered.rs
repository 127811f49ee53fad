//! Areas of cases that come in clusters: the breasts of an exam, the exams of a patient.

use std::collections::BTreeMap;

use super::compare::{AucComparison, compare};
use super::{AucScale, Roc, interval_of};
use crate::cases::check_lengths;
use crate::{Clusters, Confidence, Error, ErrorKind, Interval};

impl Roc {
    /// The variance of the area when clusters of cases, not cases, are independent.
    ///
    /// Formula: `Var A = Σᵢ (c₁ uᵢ² + c₀ vᵢ² + 2 c uᵢ vᵢ)`, `uᵢ = Σ (V₁₀ − A) / m` over the diseased
    /// and `vᵢ = Σ (V₀₁ − A) / n` over the healthy cases of cluster i, `c₁ = I₁ / (I₁ − 1)`,
    /// `c₀ = I₀ / (I₀ − 1)`, `c = I / (I − 1)`. Symbols: V₁₀ and V₀₁ the [`Roc::placements`], m and
    /// n diseased and healthy cases, I clusters, I₁ and I₀ those with a diseased, with a healthy
    /// case. Range: 0 or more. Where every cluster is one case it is [`Roc::auc_variance`].
    /// Obuchowski 1997, doi:10.2307/2533958.
    ///
    /// ```
    /// use lobule_stats::{Clusters, roc::Roc};
    /// let roc = Roc::new(&[1.0, 2.0, 3.0, 4.0, 2.5], &[false, true, false, true, true])?;
    /// let single = roc.auc_variance_by_cluster(&Clusters::singletons(5)?)?;
    /// assert!((single - roc.auc_variance()?).abs() < 1e-15);
    /// let patients = Clusters::from_labels(&["p", "p", "q", "q", "r"])?;
    /// assert!(roc.auc_variance_by_cluster(&patients)? > 0.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] when clusters and curve count different cases,
    /// [`ErrorKind::TooFew`] when fewer than two clusters hold cases of a class.
    pub fn auc_variance_by_cluster(&self, clusters: &Clusters) -> Result<f64, Error> {
        self.auc_covariance_by_cluster(self, clusters)
    }

    /// The covariance of the areas of two scores on the same clustered cases; symbols and source as
    /// in [`Roc::auc_variance_by_cluster`], products of the two scores in place of squares.
    ///
    /// ```
    /// use lobule_stats::{Clusters, roc::Roc};
    /// let truth = [false, true, false, true];
    /// let a = Roc::new(&[1.0, 2.0, 3.0, 4.0], &truth)?;
    /// let b = Roc::new(&[4.0, 3.0, 2.0, 1.0], &truth)?;
    /// let patients = Clusters::from_labels(&[1, 1, 2, 2])?;
    /// let variance = a.auc_variance_by_cluster(&patients)?;
    /// assert!((a.auc_covariance_by_cluster(&b, &patients)? + variance).abs() < 1e-15);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Roc::auc_variance_by_cluster`], and [`ErrorKind::Mismatch`] when the truths differ.
    pub fn auc_covariance_by_cluster(
        &self,
        other: &Roc,
        clusters: &Clusters,
    ) -> Result<f64, Error> {
        self.check_same_cases(other)?;
        let of = |roc: &Roc| {
            let units = self.units(clusters)?;
            let deviations = roc.placements.iter().map(|placement| placement - roc.auc);
            self.cluster_values(deviations, &units)
        };
        Ok(product(&of(self)?, &of(other)?))
    }

    /// The confidence interval for the area of clustered cases: [`Roc::auc_interval`] with
    /// [`Roc::auc_variance_by_cluster`]. With few clusters it is too narrow, as all intervals from
    /// a normal quantile are.
    ///
    /// ```
    /// use lobule_stats::{Clusters, Confidence, roc::{AucScale, Roc}};
    /// let roc = Roc::new(&[0.1, 0.3, 0.2, 0.4], &[false, false, true, true])?;
    /// let breasts = Clusters::from_labels(&["p", "q", "p", "q"])?;
    /// let level = Confidence::NINETY_FIVE;
    /// let interval = roc.auc_interval_by_cluster(&breasts, level, AucScale::Logit)?;
    /// assert!(interval.contains(0.75));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Roc::auc_variance_by_cluster`], and [`ErrorKind::ZeroVariance`] when the area has none.
    pub fn auc_interval_by_cluster(
        &self,
        clusters: &Clusters,
        confidence: Confidence,
        scale: AucScale,
    ) -> Result<Interval, Error> {
        let variance = self.auc_variance_by_cluster(clusters)?;
        interval_of(self.auc, variance, confidence, scale)
    }

    /// The cluster of each case.
    fn units(&self, clusters: &Clusters) -> Result<Vec<u32>, Error> {
        let n_cases = self.truth.len();
        check_lengths("clustered cases", clusters.n_cases(), "scores", n_cases)?;
        Ok(clusters.number_of_case())
    }

    /// Two values per cluster, by rising cluster, such that covariances are sums of products: with
    /// `Q = [c₁ c; c c₀] = L Lᵀ`, which exists because clusters with one class are no more than
    /// all, the values are `Lᵀ (u, v)`.
    pub(crate) fn cluster_values(
        &self,
        deviations: impl Iterator<Item = f64>,
        units: &[u32],
    ) -> Result<Vec<(u32, [f64; 2])>, Error> {
        let mut clusters: BTreeMap<u32, [Share; 2]> = BTreeMap::new();
        for ((deviation, &unit), &present) in deviations.zip(units).zip(&self.truth) {
            let share = &mut clusters.entry(unit).or_default()[usize::from(present)];
            share.sum += deviation;
            share.n_cases += 1;
        }
        let with = |class: usize| {
            let holding = clusters.values().filter(|shares| shares[class].n_cases > 0);
            correction(holding.count(), class)
        };
        let (healthy, diseased) = (with(0)?, with(1)?);
        let count = clusters.len() as f64;
        let lower = diseased.sqrt();
        let cross = count / (count - 1.0) / lower;
        let rest = (healthy - cross * cross).max(0.0).sqrt();
        let values = |(unit, [v, u]): (u32, [Share; 2])| {
            let (u, v) = (
                u.sum / self.n_positive as f64,
                v.sum / self.n_negative as f64,
            );
            (unit, [lower * u + cross * v, rest * v])
        };
        Ok(clusters.into_iter().map(values).collect())
    }
}

/// The cases of one class in one cluster.
#[derive(Debug, Clone, Copy, Default)]
struct Share {
    sum: f64,
    n_cases: usize,
}

/// The test of two scores on the same clustered cases.
///
/// Formula: `z = (A₁ − A₂) / s`, s² by [`Roc::auc_variance_by_cluster`] from the differences of the
/// placements, so that it is never negative; the rest as in [`super::compare_paired`], which it is
/// when every cluster is one case. Obuchowski 1997, doi:10.2307/2533958.
///
/// ```
/// use lobule_stats::{Clusters, Confidence, roc::{Roc, compare_paired_by_cluster}};
/// let truth = [false, false, true, true, true, false];
/// let a = Roc::new(&[0.1, 0.3, 0.2, 0.4, 0.5, 0.3], &truth)?;
/// let b = Roc::new(&[0.2, 0.3, 0.1, 0.4, 0.25, 0.1], &truth)?;
/// let patients = Clusters::from_labels(&[1, 1, 2, 2, 3, 3])?;
/// let comparison = compare_paired_by_cluster(&a, &b, &patients, Confidence::NINETY_FIVE)?;
/// assert!(comparison.interval.contains(comparison.difference));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`] when the truths differ or the clusters count other cases,
/// [`ErrorKind::TooFew`] when fewer than two clusters hold cases of a class,
/// [`ErrorKind::ZeroVariance`] when unequal areas have a difference without variance.
pub fn compare_paired_by_cluster(
    first: &Roc,
    second: &Roc,
    clusters: &Clusters,
    confidence: Confidence,
) -> Result<AucComparison, Error> {
    first.check_same_cases(second)?;
    let difference = first.auc - second.auc;
    let pairs = first.placements.iter().zip(&second.placements);
    let deviations = pairs.map(|(a, b)| a - b - difference);
    let values = first.cluster_values(deviations, &first.units(clusters)?)?;
    let variance = product(&values, &values);
    compare(first.auc, second.auc, variance, None, confidence)
}

/// `I / (I − 1)`.
fn correction(n_clusters: usize, class: usize) -> Result<f64, Error> {
    if n_clusters < 2 {
        let name = ["healthy", "diseased"][class];
        return Err(Error::new(
            ErrorKind::TooFew,
            format!("expected at least 2 clusters with {name} cases, got {n_clusters}"),
        ));
    }
    Ok(n_clusters as f64 / (n_clusters - 1) as f64)
}

fn product(a: &[(u32, [f64; 2])], b: &[(u32, [f64; 2])]) -> f64 {
    let pairs = a.iter().zip(b);
    pairs.map(|((_, a), (_, b))| crate::matrix::dot(a, b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f64; 8] = [0.1, 0.4, 0.4, 0.9, 0.5, 0.6, 0.2, 0.7];
    const TRUTH: [bool; 8] = [false, false, true, true, false, true, false, true];

    fn roc() -> Roc {
        Roc::new(&SCORES, &TRUTH).unwrap()
    }

    #[test]
    fn the_variance_is_that_of_the_papers_sums() {
        // V₁₀ of 2, 3, 5, 7: (2.5, 4, 4, 4)/4; V₀₁ of 0, 1, 4, 6: (4, 3.5, 3, 4)/4; A = 14.5/16.
        let labels = ["p", "p", "q", "q", "r", "r", "s", "t"];
        let clusters = Clusters::from_labels(&labels).unwrap();
        let a = 14.5 / 16.0;
        // Clusters p: two healthy; q: two diseased; r: one of each; s: healthy; t: diseased.
        let x = [0.0, 6.5 / 4.0 - 2.0 * a, 1.0 - a, 0.0, 1.0 - a];
        let y = [7.5 / 4.0 - 2.0 * a, 0.0, 0.75 - a, 1.0 - a, 0.0];
        let squares = |v: &[f64; 5]| v.iter().map(|x| x * x).sum::<f64>();
        let s10 = 3.0 / (2.0 * 4.0) * squares(&x);
        let s01 = 3.0 / (2.0 * 4.0) * squares(&y);
        let s11 = 5.0 / 4.0 * x.iter().zip(&y).map(|(x, y)| x * y).sum::<f64>();
        let expected = s10 / 4.0 + s01 / 4.0 + 2.0 * s11 / 16.0;
        let got = roc().auc_variance_by_cluster(&clusters).unwrap();
        assert!((got - expected).abs() < 1e-15, "{got} {expected}");
    }

    #[test]
    fn single_cases_are_delongs() {
        let other = Roc::new(&[0.3, 0.1, 0.4, 0.4, 0.2, 0.1, 0.6, 0.8], &TRUTH).unwrap();
        let single = Clusters::singletons(8).unwrap();
        let got = roc().auc_covariance_by_cluster(&other, &single).unwrap();
        assert!((got - roc().auc_covariance(&other).unwrap()).abs() < 1e-15);
        let level = Confidence::NINETY_FIVE;
        let clustered = compare_paired_by_cluster(&roc(), &other, &single, level).unwrap();
        let plain = super::super::compare_paired(&roc(), &other, level).unwrap();
        assert!((clustered.statistic - plain.statistic).abs() < 1e-12);
        let covariance = |a: &Roc, b: &Roc| a.auc_covariance_by_cluster(b, &single).unwrap();
        let variance = covariance(&roc(), &roc()) + covariance(&other, &other) - 2.0 * got;
        assert!((clustered.standard_error.powi(2) - variance).abs() < 1e-15);
    }

    #[test]
    fn cases_that_are_copies_count_once() {
        // Each case twice, in a cluster: the area is the same, and the variance that of the halves.
        let twice = |v: &[f64]| -> Vec<f64> { v.iter().flat_map(|&x| [x, x]).collect() };
        let truth: Vec<bool> = TRUTH.iter().flat_map(|&t| [t, t]).collect();
        let labels: Vec<usize> = (0..16).map(|case| case / 2).collect();
        let doubled = Roc::new(&twice(&SCORES), &truth).unwrap();
        let clusters = Clusters::from_labels(&labels).unwrap();
        let got = doubled.auc_variance_by_cluster(&clusters).unwrap();
        assert!((got - roc().auc_variance().unwrap()).abs() < 1e-15);
        assert!(doubled.auc_variance().unwrap() < 0.6 * got);
    }

    #[test]
    fn too_few_clusters_are_refused() {
        let kind = |labels: &[u8]| {
            let clusters = Clusters::from_labels(labels).unwrap();
            roc().auc_variance_by_cluster(&clusters).unwrap_err().kind()
        };
        assert_eq!(kind(&[1; 8]), ErrorKind::TooFew);
        assert_eq!(kind(&[1, 2, 3, 3, 4, 3, 5, 3]), ErrorKind::TooFew);
        assert_eq!(kind(&[1, 2, 3]), ErrorKind::Mismatch);
    }
}
