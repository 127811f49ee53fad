//! Mean squares of the figures, and averages of their covariances.
//!
//! Owns: [`Grid`], the figures as a table of modalities by readers. Does not own: tests.

use super::design::Layout;
use super::obuchowski_rockette::RandomFactors;
use super::table::FigureTable;
use crate::{Error, ErrorKind};

/// Mean squares of the figures, `θᵢⱼ` of reader j in modality i, t modalities, r readers in each.
///
/// ```
/// use lobule_stats::Confidence;
/// use lobule_stats::mrmc::*;
/// # let truth = [false, true, false, true, false, true];
/// # let ratings = [1., 2., 3., 4., 2., 5., 1., 4., 2., 3., 2., 2.];
/// let study = ReaderStudy::from_grid(&truth, 1, 2, &ratings)?;
/// let table = FigureTable::new(&study, Figure::Auc, CovarianceMethod::DeLong)?;
/// let random = RandomFactors::ReadersAndCases;
/// let analysis = obuchowski_rockette(&table, random, Confidence::NINETY_FIVE)?;
/// assert_eq!(analysis.mean_squares.modality, None);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanSquares {
    /// `MS(T) = r Σᵢ (θᵢ. − θ..)² / (t − 1)`; `None` for one modality.
    pub modality: Option<f64>,
    /// `MS(R) = t Σⱼ (θ.ⱼ − θ..)² / (r − 1)`, or with readers nested in modalities
    /// `MS(R:T) = Σᵢⱼ (θᵢⱼ − θᵢ.)² / (t (r − 1))`; `None` for one reader.
    pub reader: Option<f64>,
    /// `MS(TR) = Σᵢⱼ (θᵢⱼ − θᵢ. − θ.ⱼ + θ..)² / ((t − 1)(r − 1))`; `None` for one modality or
    /// reader, or readers nested in modalities.
    pub interaction: Option<f64>,
}

/// The components of variance of the Obuchowski–Rockette model
/// `θᵢⱼ = μ + τᵢ + Rⱼ + (τR)ᵢⱼ + εᵢⱼ`.
///
/// ```
/// use lobule_stats::mrmc::Components;
/// let components = Components {
///     reader: Some(0.0015), interaction: Some(0.0002),
///     error: 0.0008, cov1: 0.00035, cov2: 0.00034, cov3: 0.00024,
/// };
/// assert!(components.cov2 > components.cov3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Components {
    /// `σ²(R) = (MS(R) − MS(TR)) / t − Cov₁ + Cov₃`, an estimate that can be negative; `None` where
    /// it has no mean squares.
    pub reader: Option<f64>,
    /// `σ²(TR) = MS(TR) − σ²(ε) + Cov₁ + max(Cov₂ − Cov₃, 0)`, as above.
    pub interaction: Option<f64>,
    /// σ²(ε): the mean variance of a figure over samples of cases.
    pub error: f64,
    /// Mean covariance of figures of the same reader in two modalities; 0 where there are none.
    pub cov1: f64,
    /// Mean covariance of figures of two readers in the same modality; 0 where there are none.
    pub cov2: f64,
    /// Mean covariance of figures of two readers in two modalities; 0 where there are none.
    pub cov3: f64,
}

/// Figures by modality (rows) and reader within modality.
pub(crate) struct Grid<'a> {
    table: &'a FigureTable,
    pub(crate) t: usize,
    /// Readers per modality.
    pub(crate) r: usize,
    pub(crate) nested: bool,
}

impl<'a> Grid<'a> {
    pub(crate) fn new(table: &'a FigureTable) -> Result<Grid<'a>, Error> {
        table.layout().check_complete()?;
        let t = table.modalities().len();
        Ok(Grid {
            table,
            t,
            r: table.places().len() / t,
            nested: table.layout() == Layout::ReadersInModalities,
        })
    }

    pub(crate) fn figure(&self, modality: usize, reader: usize) -> f64 {
        self.table.estimates()[modality * self.r + reader]
    }

    pub(crate) fn figures(&self, modality: usize) -> &[f64] {
        &self.table.estimates()[modality * self.r..(modality + 1) * self.r]
    }

    pub(crate) fn modality_mean(&self, modality: usize) -> f64 {
        mean(self.figures(modality).iter().copied())
    }

    fn covariance(&self, a: (usize, usize), b: (usize, usize)) -> f64 {
        self.table
            .covariance(a.0 * self.r + a.1, b.0 * self.r + b.1)
    }

    fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
        (0..n).flat_map(move |a| (0..n).filter(move |&b| b != a).map(move |b| (a, b)))
    }

    /// Mean variance of the readers of a modality.
    pub(crate) fn modality_variance(&self, modality: usize) -> f64 {
        mean((0..self.r).map(|j| self.covariance((modality, j), (modality, j))))
    }

    /// Mean covariance of two readers of a modality.
    pub(crate) fn modality_cov2(&self, modality: usize) -> f64 {
        mean(Self::pairs(self.r).map(|(j, k)| self.covariance((modality, j), (modality, k))))
    }

    /// Variance of the figures of a modality over its readers.
    pub(crate) fn modality_reader_square(&self, modality: usize) -> Option<f64> {
        let center = self.modality_mean(modality);
        let squares = self.figures(modality).iter().map(|v| (v - center).powi(2));
        (self.r > 1).then(|| squares.sum::<f64>() / (self.r - 1) as f64)
    }

    /// Mean variance of a reader over the modalities.
    pub(crate) fn reader_variance(&self, reader: usize) -> f64 {
        mean((0..self.t).map(|i| self.covariance((i, reader), (i, reader))))
    }

    /// Mean covariance of a reader in two modalities.
    pub(crate) fn reader_cov1(&self, reader: usize) -> f64 {
        mean(Self::pairs(self.t).map(|(i, k)| self.covariance((i, reader), (k, reader))))
    }

    pub(crate) fn mean_squares(&self) -> MeanSquares {
        let (t, r) = (self.t as f64, self.r as f64);
        let modality_means: Vec<f64> = (0..self.t).map(|i| self.modality_mean(i)).collect();
        let center = mean(modality_means.iter().copied());
        let modality = modality_means
            .iter()
            .map(|v| (v - center).powi(2))
            .sum::<f64>();
        let within: Option<f64> = (0..self.t).map(|i| self.modality_reader_square(i)).sum();
        let mut squares = MeanSquares {
            modality: (self.t > 1).then(|| r * modality / (t - 1.0)),
            reader: within.map(|sum| sum / t),
            interaction: None,
        };
        if !self.nested && self.r > 1 {
            let (reader, interaction) = self.crossed_squares(&modality_means, center);
            squares.reader = Some(reader);
            squares.interaction = (self.t > 1).then_some(interaction);
        }
        squares
    }

    /// MS(R) and MS(TR).
    fn crossed_squares(&self, modality_means: &[f64], center: f64) -> (f64, f64) {
        let (t, r) = (self.t as f64, self.r as f64);
        let reader_means: Vec<f64> = (0..self.r)
            .map(|j| mean((0..self.t).map(|i| self.figure(i, j))))
            .collect();
        let reader = reader_means
            .iter()
            .map(|v| (v - center).powi(2))
            .sum::<f64>();
        let rest =
            |i: usize, j: usize| self.figure(i, j) - modality_means[i] - reader_means[j] + center;
        let cells = (0..self.t).flat_map(|i| (0..self.r).map(move |j| (i, j)));
        let interaction = cells.map(|(i, j)| rest(i, j).powi(2)).sum::<f64>();
        (
            t * reader / (r - 1.0),
            interaction / ((t - 1.0) * (r - 1.0)),
        )
    }

    pub(crate) fn components(&self, squares: &MeanSquares) -> Components {
        let modalities = || 0..self.t;
        let error = mean(modalities().map(|i| self.modality_variance(i)));
        let cov2 = mean(modalities().map(|i| self.modality_cov2(i)));
        let across = Self::pairs(self.t);
        let readers = 0..if self.nested { 0 } else { self.r };
        let cov1 = mean(readers.map(|j| self.reader_cov1(j)));
        let cov3 = mean(across.flat_map(|(i, k)| self.other_readers(i, k)));
        let t = self.t as f64;
        let interaction = squares.interaction;
        Components {
            reader: interaction
                .zip(squares.reader)
                .map(|(both, reader)| (reader - both) / t - cov1 + cov3),
            interaction: interaction.map(|both| both - error + cov1 + (cov2 - cov3).max(0.0)),
            error,
            cov1,
            cov2,
            cov3,
        }
    }

    /// Covariances of two different readers in two modalities.
    fn other_readers(&self, i: usize, k: usize) -> impl Iterator<Item = f64> {
        let all = (0..self.r).flat_map(|j| (0..self.r).map(move |l| (j, l)));
        let nested = self.nested;
        all.filter(move |(j, l)| nested || j != l)
            .map(move |(j, l)| self.covariance((i, j), (k, l)))
    }
}

/// 0 for nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0.0, 0.0), |(count, sum), v| (count + 1.0, sum + v));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// Refuses designs with one reader where readers are a sample.
pub(crate) fn need_readers(r: usize) -> Result<(), Error> {
    if r > 1 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::TooFew,
        "expected at least 2 readers in each modality as a sample of readers, got 1",
    ))
}

/// The variance of the mean of r readers, and Hillis's degrees of freedom (`None` for the normal
/// distribution): `(MS + r·max(Cov₂, 0))/r` with readers and cases random, `MS/r` with readers, and
/// `(Var + (r − 1)·max(Cov₂, 0))/r` with cases; the part that readers bring has r − 1. Hillis 2014,
/// doi:10.1002/sim.5926.
pub(super) fn variance_of_mean(
    random: RandomFactors,
    readers: usize,
    reader_square: f64,
    (error, cov2): (f64, f64),
) -> (f64, Option<f64>) {
    let (r, shared) = (readers as f64, cov2.max(0.0));
    let square_df = reader_square * reader_square / (r - 1.0);
    let (scaled, square_df) = match random {
        RandomFactors::ReadersAndCases => (reader_square + r * shared, square_df),
        RandomFactors::Readers => (reader_square, square_df),
        RandomFactors::Cases => (error + (r - 1.0) * shared, 0.0),
    };
    let df = (square_df > 0.0).then(|| scaled * scaled / square_df);
    (scaled.max(0.0) / r, df)
}
