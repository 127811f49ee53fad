//! The eight moments of pairs of wins, their weights, and the components of variance they make.

use super::pairs::PairSums;
use crate::{Error, ErrorKind};

/// Moments `Mₖ = E[s s′]` of two wins, and their weights in the variance of a reader-averaged area
/// (or the covariance of two).
///
/// k: 1 same reader, diseased and healthy case; 2 same reader and diseased case; 3 same reader and
/// healthy case; 4 same reader; 5 to 8 likewise for different readers. M₈ has weight c₈ − 1, for
/// the square of the mean. Gallas, Bandos, Samuelson, Wagner 2009,
/// doi:10.1080/03610920802610084 ("BDG").
///
/// ```
/// use lobule_stats::Confidence;
/// use lobule_stats::mrmc::*;
/// # let truth = [false, false, true, true];
/// # let study = ReaderStudy::from_grid(&truth, 1, 2, &[1., 3., 2., 4., 2., 2., 1., 3.])?;
/// let result = u_statistics(&study, MomentEstimate::Unbiased, Confidence::NINETY_FIVE)?;
/// let moments = &result.modalities[0].moments;
/// assert_eq!(moments.weights[0], 1.0 / 8.0); // 2 readers, 2 × 2 pairs
/// assert!(moments.weights.iter().sum::<f64>().abs() < 1e-15);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PairMoments {
    /// M₁ to M₈.
    pub moments: [f64; 8],
    /// c₁ to c₈.
    pub weights: [f64; 8],
    /// `Σ cₖ Mₖ`, found in a way that keeps its digits.
    variance: f64,
}

/// Components of variance of a single win `s` ("BCK"), or their weights in that of the mean.
///
/// Formula: `N = M₇ − M₈`, `D = M₆ − M₈`, `ND = M₅ − M₆ − M₇ + M₈`, `R = M₄ − M₈`,
/// `NR = M₃ − M₄ − M₇ + M₈`, `DR = M₂ − M₄ − M₆ + M₈`,
/// `RND = M₁ − M₂ − M₃ + M₄ − M₅ + M₆ + M₇ − M₈`. Estimates can be negative.
/// Barrett, Clarkson, Kupinski 2005, doi:10.1117/12.595685; Gallas et al. 2009,
/// doi:10.1080/03610920802610084.
///
/// ```
/// use lobule_stats::Confidence;
/// use lobule_stats::mrmc::*;
/// # let truth = [false, false, true, true];
/// # let study = ReaderStudy::from_grid(&truth, 1, 2, &[1., 3., 2., 4., 2., 2., 1., 3.])?;
/// let result = u_statistics(&study, MomentEstimate::Unbiased, Confidence::NINETY_FIVE)?;
/// assert_eq!(result.modalities[0].moments.component_weights().readers, 0.5);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WinComponents {
    /// N: healthy cases.
    pub healthy: f64,
    /// D: diseased cases.
    pub diseased: f64,
    /// ND: healthy by diseased cases.
    pub healthy_diseased: f64,
    /// R: readers.
    pub readers: f64,
    /// NR: readers by healthy cases.
    pub readers_healthy: f64,
    /// DR: readers by diseased cases.
    pub readers_diseased: f64,
    /// RND: readers by healthy by diseased cases.
    pub readers_healthy_diseased: f64,
}

/// Which parts of a variance involve what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    Readers,
    Healthy,
    Diseased,
}

impl PairMoments {
    /// From sums over pairs of cells with the same reader, and over all pairs of cells.
    pub(crate) fn unbiased(same: &PairSums, all: &PairSums) -> Result<PairMoments, Error> {
        let exact = [exclusive(same), exclusive(all)];
        let (sums, counts) = by_moment(exact);
        if counts[7] <= 0.0 {
            return Err(Error::new(
                ErrorKind::TooFew,
                "expected at least 2 readers, 2 diseased and 2 healthy cases, got fewer",
            ));
        }
        let moments = std::array::from_fn(|k| ratio(sums[k], counts[k]));
        let sharing: f64 = sums[..7].iter().sum();
        let n_sharing: f64 = counts[..7].iter().sum();
        Ok(PairMoments {
            moments,
            weights: weights(&counts, all.n_any),
            variance: (sharing - all.any / all.n_any * n_sharing) / counts[7],
        })
    }

    /// As above, with equal indices among those averaged over.
    pub(crate) fn empirical(same: &PairSums, all: &PairSums) -> PairMoments {
        let (_, counts) = by_moment([exclusive(same), exclusive(all)]);
        let means = |sums: &PairSums| {
            [
                ratio(sums.both, sums.n_both),
                ratio(sums.diseased, sums.n_diseased),
                ratio(sums.healthy, sums.n_healthy),
                ratio(sums.any, sums.n_any),
            ]
        };
        let (same, any) = (means(same), means(all));
        let moments = std::array::from_fn(|k| if k < 4 { same[k] } else { any[k - 4] });
        let weights = weights(&counts, all.n_any);
        let products = (0..8).map(|k| weights[k] * moments[k]);
        PairMoments {
            moments,
            weights,
            variance: products.sum(),
        }
    }

    /// `Σ cₖ Mₖ`: the variance of the reader-averaged area, or the covariance of two.
    ///
    /// ```
    /// use lobule_stats::Confidence;
    /// use lobule_stats::mrmc::*;
    /// # let truth = [false, false, true, true];
    /// # let study = ReaderStudy::from_grid(&truth, 1, 2, &[1., 3., 2., 4., 2., 2., 1., 3.])?;
    /// let result = u_statistics(&study, MomentEstimate::Empirical, Confidence::NINETY_FIVE)?;
    /// assert!(result.modalities[0].moments.variance() >= 0.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// Components of the variance of one win; formulas at [`WinComponents`].
    ///
    /// ```
    /// use lobule_stats::Confidence;
    /// use lobule_stats::mrmc::*;
    /// # let truth = [false, false, true, true];
    /// # let study = ReaderStudy::from_grid(&truth, 1, 2, &[1., 3., 2., 4., 2., 2., 1., 3.])?;
    /// let result = u_statistics(&study, MomentEstimate::Unbiased, Confidence::NINETY_FIVE)?;
    /// let moments = &result.modalities[0].moments;
    /// let readers = moments.components().readers;
    /// assert!((readers - (moments.moments[3] - moments.moments[7])).abs() < 1e-15);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn components(&self) -> WinComponents {
        let [m1, m2, m3, m4, m5, m6, m7, m8] = self.moments;
        WinComponents {
            healthy: m7 - m8,
            diseased: m6 - m8,
            healthy_diseased: m5 - m6 - m7 + m8,
            readers: m4 - m8,
            readers_healthy: m3 - m4 - m7 + m8,
            readers_diseased: m2 - m4 - m6 + m8,
            readers_healthy_diseased: m1 - m2 - m3 + m4 - m5 + m6 + m7 - m8,
        }
    }

    /// The weights of the [`PairMoments::components`] in the variance: 1/N₀, 1/N₁, 1/(N₀ N₁), 1/N_R,
    /// … in a crossed design. Their products add up to the variance.
    ///
    /// ```
    /// use lobule_stats::Confidence;
    /// use lobule_stats::mrmc::*;
    /// # let truth = [false, false, true, true];
    /// # let study = ReaderStudy::from_grid(&truth, 1, 2, &[1., 3., 2., 4., 2., 2., 1., 3.])?;
    /// let result = u_statistics(&study, MomentEstimate::Unbiased, Confidence::NINETY_FIVE)?;
    /// assert_eq!(result.modalities[0].moments.component_weights().healthy, 0.5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn component_weights(&self) -> WinComponents {
        let [c1, c2, c3, c4, c5, c6, c7, _] = self.weights;
        WinComponents {
            healthy: c1 + c3 + c5 + c7,
            diseased: c1 + c2 + c5 + c6,
            healthy_diseased: c1 + c5,
            readers: c1 + c2 + c3 + c4,
            readers_healthy: c1 + c3,
            readers_diseased: c1 + c2,
            readers_healthy_diseased: c1,
        }
    }

    /// The part of the variance that would vanish with more readers, healthy or diseased cases.
    pub(crate) fn part(&self, share: Share) -> f64 {
        let (value, weight) = (self.components(), self.component_weights());
        let part = |of: fn(&WinComponents) -> f64| of(&value) * of(&weight);
        let all_three = part(|c| c.readers_healthy_diseased);
        let (nr, dr) = (part(|c| c.readers_healthy), part(|c| c.readers_diseased));
        let nd = part(|c| c.healthy_diseased);
        match share {
            Share::Readers => part(|c| c.readers) + nr + dr + all_three,
            Share::Healthy => part(|c| c.healthy) + nd + nr + all_three,
            Share::Diseased => part(|c| c.diseased) + nd + dr + all_three,
        }
    }
}

/// Sums and counts of products that share exactly this: both cases, the diseased, the healthy, none.
fn exclusive(sums: &PairSums) -> ([f64; 4], [f64; 4]) {
    let apart = sums.any - sums.diseased - sums.healthy + sums.both;
    (
        [
            sums.both,
            sums.diseased - sums.both,
            sums.healthy - sums.both,
            apart,
        ],
        [
            sums.n_both,
            sums.n_diseased - sums.n_both,
            sums.n_healthy - sums.n_both,
            sums.n_apart(),
        ],
    )
}

/// Same reader first, then different readers.
fn by_moment([same, all]: [([f64; 4], [f64; 4]); 2]) -> ([f64; 8], [f64; 8]) {
    let split = |same: [f64; 4], all: [f64; 4]| {
        std::array::from_fn(|k| {
            if k < 4 {
                same[k]
            } else {
                all[k - 4] - same[k - 4]
            }
        })
    };
    (split(same.0, all.0), split(same.1, all.1))
}

fn weights(counts: &[f64; 8], total: f64) -> [f64; 8] {
    let mut weights = counts.map(|count| count / total);
    weights[7] -= 1.0;
    weights
}

fn ratio(sum: f64, count: f64) -> f64 {
    if count > 0.0 { sum / count } else { 0.0 }
}
