//! The figures of every reader in every modality, with their covariances.

use rayon::prelude::*;

use super::design::Layout;
use super::figure::{CovarianceMethod, Figure, by_leaving_out, evaluate};
use super::influence::Influence;
use super::pairs::{PairSums, Wins};
use super::study::{Cell, ReaderStudy};
use crate::{Error, ErrorKind};

/// Fewer multiplications than these are done before another thread has woken up.
const PRODUCTS_PER_TASK: usize = 1 << 20;

/// Figures of merit by modality and reader, and the covariance matrix that sampling the cases
/// gives them. What analyses of reader studies start from.
///
/// ```
/// use lobule_stats::mrmc::{CovarianceMethod, Figure, FigureTable, ReaderStudy};
/// let truth = [false, true, false, true];
/// let ratings = [1.0, 2.0, 3.0, 4.0, 2.0, 3.0, 1.0, 4.0];
/// let study = ReaderStudy::from_grid(&truth, 1, 2, &ratings)?;
/// let table = FigureTable::new(&study, Figure::Auc, CovarianceMethod::Jackknife)?;
/// assert_eq!(table.estimate(0, 0), Some(0.75));
/// assert_eq!(table.estimate(0, 1), Some(1.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FigureTable {
    modalities: Vec<String>,
    readers: Vec<String>,
    layout: Layout,
    /// (modality, reader) of each figure, by modality, then reader.
    places: Vec<(usize, usize)>,
    estimates: Vec<f64>,
    /// Row-major.
    covariance: Vec<f64>,
}

impl FigureTable {
    /// Evaluates a figure for every reader and modality. Areas cost n log n per reader and
    /// modality, their unbiased covariances n log n per pair of them; the jackknife of figures
    /// other than areas and shares evaluates the figure once per case.
    ///
    /// ```
    /// # use lobule_stats::mrmc::{CovarianceMethod, Figure, FigureTable, ReaderStudy};
    /// let study = ReaderStudy::from_grid(&[true, true, false], 1, 1, &[1.0, 0.0, 0.0])?;
    /// let figure = Figure::Sensitivity { threshold: 1.0 };
    /// let table = FigureTable::new(&study, figure, CovarianceMethod::Jackknife)?;
    /// assert!((table.covariance(0, 0) - 0.25).abs() < 1e-15);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::SingleClass`] and [`ErrorKind::TooFew`] by the cases of a reader,
    /// [`ErrorKind::OutOfRange`] by the figure's rate, [`ErrorKind::Design`] where the method does
    /// not know the figure, or not with clusters: the jackknife knows all, DeLong areas.
    pub fn new(
        study: &ReaderStudy,
        figure: Figure,
        method: CovarianceMethod,
    ) -> Result<FigureTable, Error> {
        check_method(study, figure, method)?;
        if (figure, method) == (Figure::Auc, CovarianceMethod::Unbiased) {
            return unbiased(study);
        }
        let cells = study.cells().par_iter();
        let cells = cells.with_min_len(figure.cells_per_task(study.cases().len()));
        let parts = cells.map(|cell| evaluate(study, cell, figure, method));
        let parts = parts.collect::<Result<Vec<(f64, Influence)>, Error>>()?;
        let (estimates, influences): (Vec<f64>, Vec<Influence>) = parts.into_iter().unzip();
        let covariance = products(&influences);
        Ok(FigureTable::of_study(study, estimates, covariance))
    }

    /// As [`FigureTable::new`], for any figure: a function of the ratings and truths of some of
    /// the cases, which returns `None` where it is undefined. Covariances by the jackknife
    /// ([`CovarianceMethod::Jackknife`] over all cases).
    ///
    /// ```
    /// use lobule_stats::mrmc::{FigureTable, ReaderStudy};
    /// let study = ReaderStudy::from_grid(&[true, true, false], 1, 1, &[1.0, 0.0, 2.0])?;
    /// let mean = |ratings: &[f64], _: &[bool]| {
    ///     Some(ratings.iter().sum::<f64>() / ratings.len() as f64)
    /// };
    /// let table = FigureTable::by_jackknife(&study, mean)?;
    /// assert!((table.covariance(0, 0) - 1.0 / 3.0).abs() < 1e-15);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Undefined`] when the figure is undefined or not finite for a reader, whole or
    /// without one of the cases; [`ErrorKind::TooFew`] for fewer than two cases.
    pub fn by_jackknife<F>(study: &ReaderStudy, figure: F) -> Result<FigureTable, Error>
    where
        F: Fn(&[f64], &[bool]) -> Option<f64> + Sync,
    {
        let part = |cell: &Cell| {
            let defined = |ratings: &[f64], truth: &[bool]| {
                let value = figure(ratings, truth).filter(|value| value.is_finite());
                value.ok_or_else(|| undefined(&study.place(cell)))
            };
            by_leaving_out(cell, &study.truth_of(cell), study.clusters(), &defined)
        };
        let parts = study.cells().par_iter().map(part);
        let parts = parts.collect::<Result<Vec<(f64, Influence)>, Error>>()?;
        let (estimates, influences): (Vec<f64>, Vec<Influence>) = parts.into_iter().unzip();
        let covariance = products(&influences);
        Ok(FigureTable::of_study(study, estimates, covariance))
    }

    fn of_study(study: &ReaderStudy, estimates: Vec<f64>, covariance: Vec<f64>) -> FigureTable {
        let places = study.cells().iter();
        FigureTable {
            modalities: study.modalities().to_vec(),
            readers: study.readers().to_vec(),
            layout: study.layout(),
            places: places.map(|cell| (cell.modality, cell.reader)).collect(),
            estimates,
            covariance,
        }
    }

    /// A complete factorial of figures found elsewhere in the crate, by modality, then reader.
    pub(crate) fn crossed(
        modalities: &[String],
        readers: &[String],
        parts: Vec<(f64, Influence)>,
    ) -> FigureTable {
        let (estimates, influences): (Vec<f64>, Vec<Influence>) = parts.into_iter().unzip();
        let n_readers = readers.len();
        FigureTable {
            modalities: modalities.to_vec(),
            readers: readers.to_vec(),
            layout: Layout::Crossed,
            places: (0..estimates.len())
                .map(|index| (index / n_readers, index % n_readers))
                .collect(),
            covariance: products(&influences),
            estimates,
        }
    }

    /// The modalities, in the order of the study.
    ///
    /// ```
    /// # use lobule_stats::mrmc::{CovarianceMethod, Figure, FigureTable, ReaderStudy};
    /// # let study = ReaderStudy::from_grid(&[true, true], 1, 1, &[1.0, 0.0])?;
    /// # let figure = Figure::Sensitivity { threshold: 1.0 };
    /// let table = FigureTable::new(&study, figure, CovarianceMethod::Jackknife)?;
    /// assert_eq!(table.modalities(), study.modalities());
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn modalities(&self) -> &[String] {
        &self.modalities
    }

    /// The readers, in the order of the study.
    ///
    /// ```
    /// # use lobule_stats::mrmc::{CovarianceMethod, Figure, FigureTable, ReaderStudy};
    /// # let study = ReaderStudy::from_grid(&[true, true], 1, 1, &[1.0, 0.0])?;
    /// # let figure = Figure::Sensitivity { threshold: 1.0 };
    /// let table = FigureTable::new(&study, figure, CovarianceMethod::Jackknife)?;
    /// assert_eq!(table.readers(), ["1"]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn readers(&self) -> &[String] {
        &self.readers
    }

    /// The design of the study that the figures come from.
    ///
    /// ```
    /// # use lobule_stats::mrmc::{CovarianceMethod, Figure, FigureTable, Layout, ReaderStudy};
    /// # let study = ReaderStudy::from_grid(&[true, true], 1, 1, &[1.0, 0.0])?;
    /// # let figure = Figure::Sensitivity { threshold: 1.0 };
    /// let table = FigureTable::new(&study, figure, CovarianceMethod::Jackknife)?;
    /// assert_eq!(table.layout(), Layout::Crossed);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// (modality, reader) of each row of the covariance matrix, as indices into
    /// [`FigureTable::modalities`] and [`FigureTable::readers`]: by modality, then reader.
    ///
    /// ```
    /// # use lobule_stats::mrmc::{CovarianceMethod, Figure, FigureTable, ReaderStudy};
    /// # let study = ReaderStudy::from_grid(&[true, true], 1, 2, &[1.0, 0.0, 1.0, 1.0])?;
    /// # let figure = Figure::Sensitivity { threshold: 1.0 };
    /// let table = FigureTable::new(&study, figure, CovarianceMethod::Jackknife)?;
    /// assert_eq!(table.places(), [(0, 0), (0, 1)]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn places(&self) -> &[(usize, usize)] {
        &self.places
    }

    /// The figure of a reader in a modality; `None` where the reader did not read in it.
    ///
    /// ```
    /// # use lobule_stats::mrmc::{CovarianceMethod, Figure, FigureTable, ReaderStudy};
    /// # let study = ReaderStudy::from_grid(&[true, true], 1, 1, &[1.0, 0.0])?;
    /// # let figure = Figure::Sensitivity { threshold: 1.0 };
    /// let table = FigureTable::new(&study, figure, CovarianceMethod::Jackknife)?;
    /// assert_eq!((table.estimate(0, 0), table.estimate(0, 7)), (Some(0.5), None));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn estimate(&self, modality: usize, reader: usize) -> Option<f64> {
        let row = self.places.binary_search(&(modality, reader)).ok()?;
        Some(self.estimates[row])
    }

    /// The covariance of the figures in two rows of [`FigureTable::places`].
    ///
    /// ```
    /// # use lobule_stats::mrmc::{CovarianceMethod, Figure, FigureTable, ReaderStudy};
    /// # let study = ReaderStudy::from_grid(&[true, true], 1, 2, &[1.0, 0.0, 0.0, 1.0])?;
    /// # let figure = Figure::Sensitivity { threshold: 1.0 };
    /// let table = FigureTable::new(&study, figure, CovarianceMethod::Jackknife)?;
    /// assert!((table.covariance(0, 1) + 0.25).abs() < 1e-15);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Panics
    /// When there is no such row.
    pub fn covariance(&self, row: usize, other: usize) -> f64 {
        assert!(other < self.places.len(), "no row {other} of figures");
        self.covariance[row * self.places.len() + other]
    }

    pub(crate) fn estimates(&self) -> &[f64] {
        &self.estimates
    }
}

fn unbiased(study: &ReaderStudy) -> Result<FigureTable, Error> {
    let wins = study.cells().par_iter().map(|cell| Wins::new(study, cell));
    let wins = wins.collect::<Result<Vec<Wins>, Error>>()?;
    let covariance = |a: usize, b: usize| PairSums::of(&wins[a], &wins[b]).unbiased_covariance();
    let covariance = symmetric(wins.len(), 1, covariance)?;
    let estimates = wins.iter().map(Wins::auc).collect();
    Ok(FigureTable::of_study(study, estimates, covariance))
}

fn products(influences: &[Influence]) -> Vec<f64> {
    let product = |a: usize, b: usize| Ok(influences[a].covariance(&influences[b]));
    let row = influences.iter().map(Influence::len).sum::<usize>();
    let rows_per_task = (PRODUCTS_PER_TASK / row.max(1)).max(1);
    symmetric(influences.len(), rows_per_task, product)
        .expect("a product of influences cannot fail")
}

/// Evaluates the lower triangle, in parallel where the rows are more than those of a task, and
/// mirrors it.
fn symmetric(
    size: usize,
    rows_per_task: usize,
    element: impl Fn(usize, usize) -> Result<f64, Error> + Sync,
) -> Result<Vec<f64>, Error> {
    let rows = (0..size).into_par_iter().with_min_len(rows_per_task);
    let row = |a: usize| (0..=a).map(|b| element(a, b)).collect();
    let rows = rows.map(row).collect::<Result<Vec<Vec<f64>>, Error>>()?;
    let at = |a: usize, b: usize| rows[a.max(b)][a.min(b)];
    Ok((0..size * size)
        .map(|index| at(index / size, index % size))
        .collect())
}

fn check_method(
    study: &ReaderStudy,
    figure: Figure,
    method: CovarianceMethod,
) -> Result<(), Error> {
    if method == CovarianceMethod::Jackknife {
        return Ok(());
    }
    let knows_clusters = (figure, method) == (Figure::Auc, CovarianceMethod::DeLong);
    if study.clusters().is_some() && !knows_clusters {
        let text = format!(
            "expected the jackknife for clustered cases (or DeLong for areas), got {method:?} for \
             {figure:?}"
        );
        return Err(Error::new(ErrorKind::Design, text));
    }
    match figure {
        Figure::Auc | Figure::Sensitivity { .. } | Figure::Specificity { .. } => Ok(()),
        _ => {
            let text = format!("expected the jackknife for {figure:?}, got {method:?}");
            Err(Error::new(ErrorKind::Design, text))
        }
    }
}

fn undefined(place: &str) -> Error {
    Error::new(
        ErrorKind::Undefined,
        format!("expected a defined figure with and without each case, got none ({place})"),
    )
}
