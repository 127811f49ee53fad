//! The Obuchowski–Rockette analysis of variance of correlated figures.

use super::components::{Components, Grid, MeanSquares, need_readers, variance_of_mean};
use super::contrast::{Contrast, two_sided};
use super::table::FigureTable;
use crate::distribution::beta_cdf;
use crate::{Confidence, Error, ErrorKind, Interval};
use statrs::function::gamma::gamma_ur;

/// What a study is a sample of, and so to what its conclusions extend.
///
/// ```
/// use lobule_stats::mrmc::RandomFactors;
/// assert_ne!(RandomFactors::ReadersAndCases, RandomFactors::Cases);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RandomFactors {
    /// Readers and cases are samples: conclusions hold for other readers and other cases.
    ReadersAndCases,
    /// Cases are a sample, readers are fixed: conclusions hold for these readers.
    Cases,
    /// Readers are a sample, cases are fixed: conclusions hold for these cases.
    Readers,
}

/// The analysis of a reader study.
///
/// ```
/// use lobule_stats::Confidence;
/// use lobule_stats::mrmc::*;
/// let truth = [false, false, false, true, true, true];
/// let ratings = [
///     1., 2., 3., 3., 4., 5.,  2., 1., 3., 2., 5., 4., // first modality: two readers
///     1., 3., 3., 2., 4., 3.,  2., 3., 1., 2., 3., 4., // second modality
/// ];
/// let study = ReaderStudy::from_grid(&truth, 2, 2, &ratings)?;
/// let table = FigureTable::new(&study, Figure::Auc, CovarianceMethod::DeLong)?;
/// let random = RandomFactors::ReadersAndCases;
/// let analysis = obuchowski_rockette(&table, random, Confidence::NINETY_FIVE)?;
/// let difference = &analysis.differences[0];
/// assert!((difference.contrast.estimate - 1.0 / 6.0).abs() < 1e-12);
/// let f = analysis.test.expect("two modalities").statistic;
/// assert!((f - difference.contrast.statistic.powi(2)).abs() < 1e-9);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct OrAnalysis {
    /// As asked.
    pub random: RandomFactors,
    /// Of the figures.
    pub mean_squares: MeanSquares,
    /// Estimated components of variance.
    pub components: Components,
    /// Of equal modalities; `None` for one modality.
    pub test: Option<OverallTest>,
    /// One per modality.
    pub modalities: Vec<ModalityEstimate>,
    /// One per pair of modalities, first minus second, in order.
    pub differences: Vec<ModalityDifference>,
    /// One per reader and modality, for these readers; empty when cases are fixed.
    pub readers: Vec<ReaderEstimate>,
    /// One per reader and pair of modalities, for these readers; empty when cases are fixed or
    /// readers are nested in modalities.
    pub reader_differences: Vec<ReaderDifference>,
}

/// The test that all modalities have the same mean figure.
///
/// ```
/// use lobule_stats::mrmc::OverallTest;
/// let test = OverallTest {
///     statistic: 4.5, numerator_df: 1.0, denominator_df: Some(15.3), denominator: 0.001,
///     p_value: 0.05,
/// };
/// assert!(test.denominator_df.is_some());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OverallTest {
    /// `F = MS(T) / denominator`, or with fixed readers `χ² = (t − 1) MS(T) / denominator`.
    pub statistic: f64,
    /// `t − 1`.
    pub numerator_df: f64,
    /// Hillis' degrees of freedom; `None` for χ² and for an infinite number.
    pub denominator_df: Option<f64>,
    /// An estimate of the expected MS(T) of equal modalities.
    pub denominator: f64,
    /// P of a statistic as large.
    pub p_value: f64,
}

/// The mean figure of a modality over its readers.
///
/// ```
/// use lobule_stats::{Interval, mrmc::ModalityEstimate};
/// let estimate = ModalityEstimate {
///     modality: 0, estimate: 0.8, standard_error: 0.02, degrees_of_freedom: None,
///     interval: Interval { lower: 0.76, upper: 0.84 },
///     reader_square: None, error: 0.001, cov2: 0.0003,
/// };
/// assert!(estimate.interval.contains(estimate.estimate));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModalityEstimate {
    /// Index into [`FigureTable::modalities`].
    pub modality: usize,
    /// Mean over readers.
    pub estimate: f64,
    /// From this modality's figures alone.
    pub standard_error: f64,
    /// Of Student's distribution; `None` for the normal distribution.
    pub degrees_of_freedom: Option<f64>,
    /// Cut at 0 and 1.
    pub interval: Interval,
    /// Variance of the figures over the readers; `None` for one reader.
    pub reader_square: Option<f64>,
    /// Mean variance of a figure over samples of cases.
    pub error: f64,
    /// Mean covariance of two readers.
    pub cov2: f64,
}

/// The difference of two modalities.
///
/// ```
/// use lobule_stats::{Confidence, mrmc::{Contrast, ModalityDifference}};
/// let contrast = Contrast::new(0.03, 0.02, Some(14.0), Confidence::NINETY_FIVE);
/// let difference = ModalityDifference { first: 0, second: 1, contrast };
/// assert!(difference.contrast.non_inferiority(0.05)?.p_value < 0.001);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModalityDifference {
    /// Index into [`FigureTable::modalities`].
    pub first: usize,
    /// Likewise.
    pub second: usize,
    /// First minus second; the interval is cut at −1 and 1.
    pub contrast: Contrast,
}

/// The figure of one reader in one modality, over samples of cases.
///
/// ```
/// use lobule_stats::{Interval, mrmc::ReaderEstimate};
/// let interval = Interval { lower: 0.76, upper: 0.84 };
/// let estimate =
///     ReaderEstimate { modality: 0, reader: 2, estimate: 0.8, standard_error: 0.02, interval };
/// assert!(interval.contains(estimate.estimate));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReaderEstimate {
    /// Index into [`FigureTable::modalities`].
    pub modality: usize,
    /// Index into [`FigureTable::readers`].
    pub reader: usize,
    /// The figure.
    pub estimate: f64,
    /// From the variance of this figure alone.
    pub standard_error: f64,
    /// Normal, cut at 0 and 1.
    pub interval: Interval,
}

/// The difference of two modalities for one reader, over samples of cases.
///
/// ```
/// use lobule_stats::{Confidence, mrmc::{Contrast, ReaderDifference}};
/// let contrast = Contrast::new(0.03, 0.02, None, Confidence::NINETY_FIVE);
/// let difference = ReaderDifference { reader: 1, first: 0, second: 1, contrast };
/// assert_eq!(difference.contrast.degrees_of_freedom, None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReaderDifference {
    /// Index into [`FigureTable::readers`].
    pub reader: usize,
    /// Index into [`FigureTable::modalities`].
    pub first: usize,
    /// Likewise.
    pub second: usize,
    /// First minus second, normal, with the reader's variance and covariance averaged over the
    /// modalities; the interval is cut at −1 and 1.
    pub contrast: Contrast,
}

/// Analyses figures by modality and reader with the covariances of their errors.
///
/// Formula, readers and cases random: `F = MS(T) / D`, `D = MS(TR) + r max(Cov₂ − Cov₃, 0)`, with
/// `t − 1` and `ν = D² / (MS(TR)² / ((t − 1)(r − 1)))` degrees of freedom; a difference of two
/// modalities has `SE = √(2 D / r)`. A modality alone has `SE = √(Dᵢ / r)`,
/// `Dᵢ = MSᵢ(R) + r max(Cov₂ᵢ, 0)`, `νᵢ = Dᵢ² / (MSᵢ(R)² / (r − 1))`. Readers fixed:
/// `D = σ²(ε) − Cov₁ + (r − 1) max(Cov₂ − Cov₃, 0)` and χ²; cases fixed: `D = MS(TR)` with
/// `(t − 1)(r − 1)` degrees of freedom. Symbols: [`MeanSquares`], [`Components`].
///
/// Designs: the complete factorial; cases nested in groups of readers (split plot) or in
/// modalities, where figures without a case in common have covariance 0 and the same formulas
/// hold for the averages; readers nested in modalities, with MS(R:T), `t (r − 1)` and no Cov₁:
/// `D = MS(R:T) + r max(Cov₂ − Cov₃, 0)`, or for fixed readers
/// `σ²(ε) − Cov₂ + r max(Cov₂ − Cov₃, 0)`.
///
/// Degenerate: one modality has no test and no differences; an interval of an estimate without
/// variance has no width. Obuchowski & Rockette 1995, doi:10.1080/03610919508813243; Hillis 2007,
/// doi:10.1002/sim.2532; Hillis 2014, doi:10.1002/sim.5926.
///
/// ```
/// use lobule_stats::Confidence;
/// use lobule_stats::mrmc::*;
/// let truth = [false, true, false, true, false, true];
/// let ratings = [1., 2., 3., 4., 2., 5., 1., 4., 2., 3., 2., 2.];
/// let study = ReaderStudy::from_grid(&truth, 2, 1, &ratings)?;
/// let table = FigureTable::new(&study, Figure::Auc, CovarianceMethod::Jackknife)?;
/// // One reader cannot be a sample of readers.
/// let random = |factors| obuchowski_rockette(&table, factors, Confidence::NINETY_FIVE);
/// assert!(random(RandomFactors::ReadersAndCases).is_err());
/// assert!(random(RandomFactors::Cases).is_ok());
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Design`] for an incomplete design, [`ErrorKind::TooFew`] for one reader where
/// readers are random, [`ErrorKind::ZeroVariance`] when unequal modalities differ without error.
pub fn obuchowski_rockette(
    table: &FigureTable,
    random: RandomFactors,
    confidence: Confidence,
) -> Result<OrAnalysis, Error> {
    let grid = Grid::new(table)?;
    if random != RandomFactors::Cases {
        need_readers(grid.r)?;
    }
    let mean_squares = grid.mean_squares();
    let components = grid.components(&mean_squares);
    let error_term = ErrorTerm::new(&grid, &mean_squares, &components, random);
    let test = mean_squares.modality.map(|square| error_term.test(square));
    let with_cases = random != RandomFactors::Readers;
    Ok(OrAnalysis {
        random,
        mean_squares,
        components,
        test: test.transpose()?,
        modalities: (0..grid.t)
            .map(|modality| modality_estimate(&grid, modality, random, confidence))
            .collect(),
        differences: differences(&grid, &error_term, confidence),
        readers: if with_cases {
            reader_estimates(table, confidence)
        } else {
            Vec::new()
        },
        reader_differences: if with_cases && !grid.nested {
            reader_differences(&grid, confidence)
        } else {
            Vec::new()
        },
    })
}

/// What MS(T) is compared with.
struct ErrorTerm {
    value: f64,
    /// The mean square in `value` and its degrees of freedom; `None` with fixed readers.
    square: Option<(f64, f64)>,
    /// t − 1.
    numerator_df: f64,
}

impl ErrorTerm {
    fn new(
        grid: &Grid,
        squares: &MeanSquares,
        components: &Components,
        random: RandomFactors,
    ) -> ErrorTerm {
        let (t, r) = (grid.t as f64, grid.r as f64);
        let (square, df) = match grid.nested {
            true => (squares.reader, t * (r - 1.0)),
            false => (squares.interaction, (t - 1.0) * (r - 1.0)),
        };
        let square = square.unwrap_or(0.0);
        let shared = (components.cov2 - components.cov3).max(0.0);
        let within = match grid.nested {
            true => components.error - components.cov2 + r * shared,
            false => components.error - components.cov1 + (r - 1.0) * shared,
        };
        let (value, square) = match random {
            RandomFactors::ReadersAndCases => (square + r * shared, Some((square, df))),
            RandomFactors::Readers => (square, Some((square, df))),
            RandomFactors::Cases => (within, None),
        };
        ErrorTerm {
            value,
            square,
            numerator_df: t - 1.0,
        }
    }

    fn degrees_of_freedom(&self) -> Option<f64> {
        let (square, df) = self.square?;
        (square > 0.0).then(|| self.value * self.value / (square * square / df))
    }

    fn test(&self, modality_square: f64) -> Result<OverallTest, Error> {
        if modality_square > 0.0 && self.value <= 0.0 {
            return Err(Error::new(
                ErrorKind::ZeroVariance,
                "expected modalities that differ with variance, got none",
            ));
        }
        let ratio = if modality_square > 0.0 {
            modality_square / self.value
        } else {
            0.0
        };
        let (d1, d2) = (self.numerator_df, self.degrees_of_freedom());
        Ok(OverallTest {
            statistic: if self.square.is_some() {
                ratio
            } else {
                d1 * ratio
            },
            numerator_df: d1,
            denominator_df: d2,
            denominator: self.value,
            p_value: match d2 {
                Some(d2) if d1 == 1.0 => two_sided(ratio.sqrt(), Some(d2)),
                Some(d2) => f_tail(ratio, d1, d2),
                None => chi_square_tail(d1 * ratio, d1),
            },
        })
    }
}

fn modality_estimate(
    grid: &Grid,
    modality: usize,
    random: RandomFactors,
    confidence: Confidence,
) -> ModalityEstimate {
    let (error, cov2) = (
        grid.modality_variance(modality),
        grid.modality_cov2(modality),
    );
    let reader_square = grid.modality_reader_square(modality);
    let square = reader_square.unwrap_or(0.0);
    let (variance, df) = variance_of_mean(random, grid.r, square, (error, cov2));
    let estimate = grid.modality_mean(modality);
    let contrast = Contrast::new(estimate, variance.sqrt(), df, confidence).cut(0.0, 1.0);
    ModalityEstimate {
        modality,
        estimate,
        standard_error: contrast.standard_error,
        degrees_of_freedom: df,
        interval: contrast.interval,
        reader_square,
        error,
        cov2,
    }
}

fn differences(grid: &Grid, error: &ErrorTerm, confidence: Confidence) -> Vec<ModalityDifference> {
    let standard_error = (2.0 * error.value.max(0.0) / grid.r as f64).sqrt();
    let df = error.degrees_of_freedom();
    let contrast = |first: usize, second: usize| {
        let difference = grid.modality_mean(first) - grid.modality_mean(second);
        Contrast::new(difference, standard_error, df, confidence).cut(-1.0, 1.0)
    };
    let pairs = ordered_pairs(grid.t).map(|(first, second)| ModalityDifference {
        first,
        second,
        contrast: contrast(first, second),
    });
    pairs.collect()
}

fn reader_estimates(table: &FigureTable, confidence: Confidence) -> Vec<ReaderEstimate> {
    let estimate = |(row, &(modality, reader)): (usize, &(usize, usize))| {
        let standard_error = table.covariance(row, row).max(0.0).sqrt();
        let estimate = table.estimates()[row];
        let interval = Contrast::new(estimate, standard_error, None, confidence)
            .cut(0.0, 1.0)
            .interval;
        ReaderEstimate {
            modality,
            reader,
            estimate,
            standard_error,
            interval,
        }
    };
    table.places().iter().enumerate().map(estimate).collect()
}

fn reader_differences(grid: &Grid, confidence: Confidence) -> Vec<ReaderDifference> {
    let of_reader = |reader: usize| {
        let variance = 2.0 * (grid.reader_variance(reader) - grid.reader_cov1(reader));
        let standard_error = variance.max(0.0).sqrt();
        ordered_pairs(grid.t).map(move |(first, second)| {
            let difference = grid.figure(first, reader) - grid.figure(second, reader);
            ReaderDifference {
                reader,
                first,
                second,
                contrast: Contrast::new(difference, standard_error, None, confidence)
                    .cut(-1.0, 1.0),
            }
        })
    };
    (0..grid.r).flat_map(of_reader).collect()
}

fn ordered_pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |first| (first + 1..n).map(move |second| (first, second)))
}

/// P(F ≥ f) with d₁ and d₂ degrees of freedom.
fn f_tail(f: f64, d1: f64, d2: f64) -> f64 {
    beta_cdf(d2 / (d2 + d1 * f), d2 / 2.0, d1 / 2.0)
}

/// P(X ≥ x) of the χ² distribution.
fn chi_square_tail(x: f64, df: f64) -> f64 {
    if x > 0.0 {
        gamma_ur(df / 2.0, x / 2.0)
    } else {
        1.0
    }
}
