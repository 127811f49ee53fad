//! Reliability diagrams and the expected calibration error.

use crate::cases::{Ranking, check_finite, check_lengths, check_range};
use crate::proportion::Proportion;
use crate::{Error, ErrorKind};

/// More bins than this say nothing.
const MAX_BINS: usize = 10_000;

/// How cases are put into bins by their probability.
///
/// ```
/// use lobule_stats::calibration::{Binning, reliability};
/// let probabilities = [0.05, 0.1, 0.15, 0.9];
/// let truth = [false, false, true, true];
/// let by_width = reliability(&probabilities, &truth, Binning::EqualWidth(2))?;
/// let by_mass = reliability(&probabilities, &truth, Binning::EqualMass(2))?;
/// assert_eq!(by_width[0].observed.total(), 3);
/// assert_eq!(by_mass[0].observed.total(), 2);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binning {
    /// B bins of width 1/B: bin k holds `k/B ≤ p < (k + 1)/B`, the last one p = 1 too.
    EqualWidth(usize),
    /// B bins of about n/B cases each by rising probability. Equal probabilities are never parted,
    /// so the result does not depend on the order of the cases and bins can differ in size.
    EqualMass(usize),
}

/// One point of a reliability diagram.
///
/// ```
/// use lobule_stats::{Confidence, calibration::{Binning, reliability}};
/// let bins = reliability(&[0.2, 0.3, 0.8], &[false, true, true], Binning::EqualWidth(2))?;
/// assert!((bins[0].mean_probability - 0.25).abs() < 1e-15);
/// assert_eq!(bins[0].observed.value(), 0.5);
/// assert!(bins[0].observed.wilson(Confidence::NINETY_FIVE).contains(0.25));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Lowest probability in the bin.
    pub lowest: f64,
    /// Highest probability in the bin.
    pub highest: f64,
    /// Mean of the probabilities in the bin.
    pub mean_probability: f64,
    /// Diseased cases among those of the bin, with their interval a method away.
    pub observed: Proportion,
}

/// The bins of a reliability diagram by rising probability; empty bins are left out.
///
/// A bin compares the mean claim with the share that was diseased
/// ([`ReliabilityBin::observed`], with [`Proportion::wilson`] for independent cases). Range: at
/// most as many bins as asked for. One class alone is allowed. Murphy & Winkler 1977,
/// doi:10.2307/2346866.
///
/// ```
/// use lobule_stats::calibration::{Binning, reliability};
/// let bins = reliability(&[0.1, 0.95, 1.0], &[false, true, true], Binning::EqualWidth(10))?;
/// assert_eq!(bins.len(), 2);
/// assert_eq!((bins[1].lowest, bins[1].highest), (0.95, 1.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`]; and
/// [`ErrorKind::OutOfRange`] for probabilities outside 0..=1 or a number of bins outside 1..=10⁴.
pub fn reliability(
    probabilities: &[f64],
    truth: &[bool],
    binning: Binning,
) -> Result<Vec<ReliabilityBin>, Error> {
    check_lengths("truths", truth.len(), "probabilities", probabilities.len())?;
    check_finite(probabilities)?;
    check_range(probabilities)?;
    check_bins(binning)?;
    let mut bins: Vec<Bin> = Vec::new();
    let mut below = 0;
    for run in Ranking::ascending(probabilities).runs() {
        let p = probabilities[run[0]];
        let number = binning.number(p, below, run.len(), truth.len());
        let positives = run.iter().filter(|&&case| truth[case]).count();
        match bins.last_mut() {
            Some(bin) if bin.number == number => bin.add(p, positives, run.len()),
            _ => bins.push(Bin::new(number, p, positives, run.len())),
        }
        below += run.len();
    }
    bins.iter().map(Bin::finish).collect()
}

/// The expected calibration error: the mean gap between claim and share, weighted by bin size.
///
/// Formula: `Σ_b (n_b / n) |p̄_b − o_b|`. Symbols: n_b cases of bin b, p̄_b their mean probability,
/// o_b the share diseased. Range: 0 to 1. It depends on the bins (say which) and is biased upward
/// when they are small, so compare only equal binnings of equal samples. Naeini, Cooper,
/// Hauskrecht 2015, doi:10.1609/aaai.v29i1.9602 (equal width); Nixon et al. 2019,
/// doi:10.48550/arXiv.1904.01685 (equal mass).
///
/// ```
/// use lobule_stats::calibration::{Binning, expected_calibration_error};
/// let probabilities = [0.1, 0.1, 0.7, 0.7];
/// let truth = [false, false, true, true];
/// let error = expected_calibration_error(&probabilities, &truth, Binning::EqualWidth(10))?;
/// assert!((error - 0.2).abs() < 1e-15);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// Those of [`reliability`].
pub fn expected_calibration_error(
    probabilities: &[f64],
    truth: &[bool],
    binning: Binning,
) -> Result<f64, Error> {
    let bins = reliability(probabilities, truth, binning)?;
    let gap = |bin: &ReliabilityBin| {
        bin.observed.total() as f64 * (bin.mean_probability - bin.observed.value()).abs()
    };
    Ok(bins.iter().map(gap).sum::<f64>() / truth.len() as f64)
}

impl Binning {
    /// The bin of a run of equal probabilities that has `below` cases under it.
    fn number(self, probability: f64, below: usize, run: usize, n: usize) -> usize {
        match self {
            Binning::EqualWidth(bins) => ((probability * bins as f64) as usize).min(bins - 1),
            // A run goes where its middle lies.
            Binning::EqualMass(bins) => {
                let twice_middle = (2 * below + run - 1) as u128;
                (twice_middle * bins as u128 / (2 * n) as u128) as usize
            }
        }
    }
}

fn check_bins(binning: Binning) -> Result<(), Error> {
    let (Binning::EqualWidth(bins) | Binning::EqualMass(bins)) = binning;
    if (1..=MAX_BINS).contains(&bins) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::OutOfRange,
        format!("expected 1 to {MAX_BINS} bins, got {bins}"),
    ))
}

struct Bin {
    number: usize,
    lowest: f64,
    highest: f64,
    sum: f64,
    positives: usize,
    total: usize,
}

impl Bin {
    fn new(number: usize, p: f64, positives: usize, total: usize) -> Bin {
        Bin {
            number,
            lowest: p,
            highest: p,
            sum: p * total as f64,
            positives,
            total,
        }
    }

    fn add(&mut self, p: f64, positives: usize, total: usize) {
        self.highest = p;
        self.sum += p * total as f64;
        self.positives += positives;
        self.total += total;
    }

    fn finish(&self) -> Result<ReliabilityBin, Error> {
        Ok(ReliabilityBin {
            lowest: self.lowest,
            highest: self.highest,
            mean_probability: self.sum / self.total as f64,
            observed: Proportion::new(self.positives, self.total)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(probabilities: &[f64], binning: Binning) -> Vec<usize> {
        let truth = vec![true; probabilities.len()];
        let bins = reliability(probabilities, &truth, binning).unwrap();
        bins.iter().map(|bin| bin.observed.total()).collect()
    }

    #[test]
    fn cases_go_into_the_bins_that_the_rules_name() {
        let edges = [0.0, 0.1, 0.2, 0.5, 0.99, 1.0];
        let tied = [0.1, 0.1, 0.1, 0.1, 0.1, 0.9];
        let cases: [(&[f64], Binning, &[usize]); 6] = [
            (&edges, Binning::EqualWidth(2), &[3, 3]),
            (&edges, Binning::EqualWidth(10), &[1, 1, 1, 1, 2]),
            (&edges, Binning::EqualMass(3), &[2, 2, 2]),
            (&edges, Binning::EqualMass(100), &[1; 6]),
            (&tied, Binning::EqualMass(3), &[5, 1]),
            (&tied, Binning::EqualMass(1), &[6]),
        ];
        for (probabilities, binning, expected) in cases {
            assert_eq!(sizes(probabilities, binning), expected, "{binning:?}");
        }
    }

    #[test]
    fn numbers_of_bins_outside_their_range_are_refused() {
        for binning in [Binning::EqualWidth(0), Binning::EqualMass(MAX_BINS + 1)] {
            let error = reliability(&[0.5], &[true], binning).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfRange);
        }
    }
}
