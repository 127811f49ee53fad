//! Readers against one algorithm that read the same cases alone.

use super::components::{mean, need_readers, variance_of_mean};
use super::contrast::Contrast;
use super::obuchowski_rockette::RandomFactors;
use super::table::FigureTable;
use crate::{Confidence, Error, ErrorKind};

/// The mean reader against an algorithm.
///
/// ```
/// use lobule_stats::Confidence;
/// use lobule_stats::mrmc::*;
/// let truth = [false, false, false, true, true, true];
/// let ratings = [
///     0.1, 0.2, 0.4, 0.3, 0.8, 0.9, // the algorithm, called "1"
///     1.0, 2.0, 3.0, 2.0, 4.0, 3.0, // readers "2" and "3"
///     2.0, 1.0, 2.0, 2.0, 3.0, 1.0,
/// ];
/// let study = ReaderStudy::from_grid(&truth, 1, 3, &ratings)?;
/// let table = FigureTable::new(&study, Figure::Auc, CovarianceMethod::Jackknife)?;
/// let random = RandomFactors::ReadersAndCases;
/// let result = readers_against_standalone(&table, "1", "1", random, Confidence::NINETY_FIVE)?;
/// assert!(result.contrast.estimate < 0.0);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct StandaloneComparison {
    /// The figure of the algorithm.
    pub algorithm: f64,
    /// The figures of the readers, in the order of the table.
    pub readers: Vec<f64>,
    /// Their mean.
    pub reader_mean: f64,
    /// Mean reader minus algorithm; the interval is cut at −1 and 1.
    pub contrast: Contrast,
    /// Variance over readers of reader minus algorithm; 0 for one reader.
    pub reader_square: f64,
    /// Mean variance of reader minus algorithm over samples of cases.
    pub error: f64,
    /// Mean covariance of two readers' differences to the algorithm; 0 for one reader.
    pub cov2: f64,
}

/// Tests the mean of the readers against an algorithm that is rated in the study as one more
/// reader of the modality.
///
/// Formula: with `dⱼ = θⱼ − θ₀`, `t = d̄ / SE`, `SE² = (MS + r max(Cov₂, 0)) / r`,
/// `ν = (MS + r max(Cov₂, 0))² / (MS² / (r − 1))` for random readers and cases; `SE² = MS / r`,
/// `ν = r − 1` for fixed cases; `SE² = (σ² + (r − 1) max(Cov₂, 0)) / r` and the normal distribution
/// for fixed readers. Symbols: θⱼ the r readers' figures, θ₀ the algorithm's; MS the variance of
/// the dⱼ, σ² and Cov₂ their mean variance and covariance over samples of cases. The algorithm is
/// never random: conclusions hold for this one.
/// Degenerate: without variance the interval has no width.
/// Hillis, Obuchowski, Schartz, Berbaum 2005 (single treatment), doi:10.1002/sim.2024.
///
/// ```
/// use lobule_stats::{Confidence, ErrorKind};
/// use lobule_stats::mrmc::*;
/// # let truth = [false, false, true, true];
/// # let study = ReaderStudy::from_grid(&truth, 1, 2, &[1., 2., 3., 4., 2., 1., 4., 3.])?;
/// # let table = FigureTable::new(&study, Figure::Auc, CovarianceMethod::Jackknife)?;
/// let random = RandomFactors::Cases;
/// let unknown = readers_against_standalone(&table, "1", "cad", random, Confidence::NINETY_FIVE);
/// assert_eq!(unknown.unwrap_err().kind(), ErrorKind::Mismatch);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`] for a modality or algorithm that is not in the table,
/// [`ErrorKind::TooFew`] without a reader, or with one where readers are random.
pub fn readers_against_standalone(
    table: &FigureTable,
    modality: &str,
    algorithm: &str,
    random: RandomFactors,
    confidence: Confidence,
) -> Result<StandaloneComparison, Error> {
    let modality = index_of("modality", table.modalities(), modality)?;
    let algorithm = index_of("algorithm", table.readers(), algorithm)?;
    let rows = |&row: &usize| table.places()[row].0 == modality;
    let (alone, readers): (Vec<usize>, Vec<usize>) = (0..table.places().len())
        .filter(rows)
        .partition(|&row| table.places()[row].1 == algorithm);
    let &[alone] = alone.as_slice() else {
        let text = "expected ratings of the algorithm in the modality, got none";
        return Err(Error::new(ErrorKind::Mismatch, text));
    };
    compare(table, alone, &readers, random, confidence)
}

fn compare(
    table: &FigureTable,
    alone: usize,
    rows: &[usize],
    random: RandomFactors,
    confidence: Confidence,
) -> Result<StandaloneComparison, Error> {
    if rows.is_empty() {
        let text = "expected readers beside the algorithm, got none";
        return Err(Error::new(ErrorKind::TooFew, text));
    }
    if random != RandomFactors::Cases {
        need_readers(rows.len())?;
    }
    let readers: Vec<f64> = rows.iter().map(|&row| table.estimates()[row]).collect();
    let algorithm = table.estimates()[alone];
    let r = rows.len() as f64;
    let reader_mean = mean(readers.iter().copied());
    let squares = readers.iter().map(|figure| (figure - reader_mean).powi(2));
    let square = squares.sum::<f64>() / (r - 1.0).max(1.0);
    let (error, cov2) = difference_covariances(table, alone, rows);
    let (variance, df) = variance_of_mean(random, rows.len(), square, (error, cov2));
    let contrast = Contrast::new(reader_mean - algorithm, variance.sqrt(), df, confidence);
    Ok(StandaloneComparison {
        algorithm,
        readers,
        reader_mean,
        contrast: contrast.cut(-1.0, 1.0),
        reader_square: square,
        error,
        cov2,
    })
}

/// Mean variance of `θⱼ − θ₀`, and mean covariance of two of them.
fn difference_covariances(table: &FigureTable, alone: usize, rows: &[usize]) -> (f64, f64) {
    let covariance = |a: usize, b: usize| {
        table.covariance(a, b) - table.covariance(a, alone) - table.covariance(b, alone)
            + table.covariance(alone, alone)
    };
    let pairs = rows.iter().flat_map(|&a| rows.iter().map(move |&b| (a, b)));
    let (same, other): (Vec<_>, Vec<_>) = pairs.partition(|(a, b)| a == b);
    let average =
        |pairs: Vec<(usize, usize)>| mean(pairs.into_iter().map(|(a, b)| covariance(a, b)));
    (average(same), average(other))
}

fn index_of(what: &str, labels: &[String], label: &str) -> Result<usize, Error> {
    labels
        .iter()
        .position(|known| known == label)
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Mismatch,
                format!("expected a {what} of the table, got {label:?}"),
            )
        })
}
