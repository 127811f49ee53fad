//! The validated table of ratings: who rated which case, reading how.

use std::collections::HashMap;
use std::sync::Arc;

use super::design::{Layout, layout_of};
use crate::cases::check_lengths;
use crate::{Error, ErrorKind};

/// More readers × modalities than this are a mistaken column, not a study; it bounds the size of
/// the covariance matrix.
const MAX_CELLS: usize = 2048;

/// One rating as a table gives it.
///
/// ```
/// use lobule_stats::mrmc::Rating;
/// let rating = Rating { reader: "ann", modality: "film", case: "c1", rating: 3.0 };
/// assert_eq!(rating.case, "c1");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rating<'a> {
    /// Who rated.
    pub reader: &'a str,
    /// What was read or how: film or digital, without or with AI. Also called test or treatment.
    pub modality: &'a str,
    /// Which case.
    pub case: &'a str,
    /// Higher means more suspicious; finite.
    pub rating: f64,
}

/// The ratings of a multi-reader multi-case study, with the truth of each case.
///
/// Any design can be held: the complete factorial, cases nested in groups of readers (split
/// plot), readers nested in modalities, missing ratings. [`ReaderStudy::layout`] says which, and
/// each analysis takes or refuses it. Memory grows with the number of ratings. Labels keep the
/// order of their first appearance.
///
/// ```
/// use lobule_stats::mrmc::{Layout, Rating, ReaderStudy};
/// let truth = [("c1", false), ("c2", true)];
/// let ratings = truth.iter().map(|&(case, present)| Rating {
///     reader: "ann", modality: "film", case, rating: if present { 4.0 } else { 1.0 },
/// });
/// let study = ReaderStudy::new(truth, ratings)?;
/// assert_eq!((study.readers().len(), study.cases().len()), (1, 2));
/// assert_eq!(study.layout(), Layout::Crossed);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ReaderStudy {
    modalities: Vec<String>,
    readers: Vec<String>,
    cases: Vec<String>,
    truth: Vec<bool>,
    /// By modality, then reader; only those that hold ratings.
    cells: Vec<Cell>,
    layout: Layout,
    /// The cluster of each case, where cases are not independent.
    clusters: Option<Vec<u32>>,
}

/// What one reader rated in one modality, by rising case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cell {
    pub(crate) modality: usize,
    pub(crate) reader: usize,
    /// One list for all who rated the same.
    pub(crate) cases: Arc<[u32]>,
    pub(crate) ratings: Vec<f64>,
}

impl ReaderStudy {
    /// Takes a long table: the truth of each case (`true` = diseased), and the ratings in any
    /// order. A case may lack ratings; a rating may not lack a case.
    ///
    /// ```
    /// use lobule_stats::{ErrorKind, mrmc::{Rating, ReaderStudy}};
    /// let twice = [Rating { reader: "ann", modality: "film", case: "c1", rating: 3.0 }; 2];
    /// let error = ReaderStudy::new([("c1", true)], twice).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Duplicate);
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`] without ratings, [`ErrorKind::NotFinite`] by a rating,
    /// [`ErrorKind::Mismatch`] by a rating of an unknown case, [`ErrorKind::Duplicate`] by a case
    /// given twice or rated twice by a reader in a modality, [`ErrorKind::OutOfRange`] by more
    /// than 2048 readers × modalities. The text names the row, counted from 0, or the labels.
    pub fn new<'a>(
        truth: impl IntoIterator<Item = (&'a str, bool)>,
        ratings: impl IntoIterator<Item = Rating<'a>>,
    ) -> Result<ReaderStudy, Error> {
        let (cases, truth) = collect_truth(truth)?;
        let mut rows = Rows::default();
        for (row, rating) in ratings.into_iter().enumerate() {
            rows.push(row, &rating, &cases)?;
        }
        let cells = rows.cells.into_iter().map(sorted_cell);
        let cells = cells.collect::<Result<Vec<Cell>, [usize; 3]>>();
        let cells = cells.map_err(|[reader, modality, case]| {
            duplicate_rating(
                rows.readers.names[reader],
                rows.modalities.names[modality],
                cases.names[case],
            )
        })?;
        let study = ReaderStudy {
            modalities: rows.modalities.owned(),
            readers: rows.readers.owned(),
            cases: cases.owned(),
            truth,
            cells,
            layout: Layout::Incomplete,
            clusters: None,
        };
        study.finish()
    }

    /// Takes a complete factorial as numbers; readers, modalities and cases are named "1", "2", ….
    ///
    /// # Shapes
    /// `ratings` is `[n_modalities, n_readers, truth.len()]`, row-major.
    ///
    /// ```
    /// use lobule_stats::mrmc::ReaderStudy;
    /// let study = ReaderStudy::from_grid(&[false, true], 2, 1, &[1.0, 2.0, 2.0, 3.0])?;
    /// assert_eq!(study.modalities(), ["1", "2"]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] by the number of ratings, else as [`ReaderStudy::new`].
    pub fn from_grid(
        truth: &[bool],
        n_modalities: usize,
        n_readers: usize,
        ratings: &[f64],
    ) -> Result<ReaderStudy, Error> {
        check_cells(n_modalities, n_readers)?;
        let n_cases = truth.len();
        let n_expected = n_modalities * n_readers * n_cases;
        check_lengths("ratings", ratings.len(), "cells of the grid", n_expected)?;
        if let Some(row) = ratings.iter().position(|rating| !rating.is_finite()) {
            return Err(not_finite(row, ratings[row]));
        }
        let cases: Arc<[u32]> = (0..n_cases).map(|case| case as u32).collect();
        let cells = ratings.chunks_exact(n_cases.max(1)).enumerate();
        let cells = cells.map(|(cell, ratings)| Cell {
            modality: cell / n_readers,
            reader: cell % n_readers,
            cases: Arc::clone(&cases),
            ratings: ratings.to_vec(),
        });
        let names = |n: usize| (1..=n).map(|label| label.to_string()).collect();
        let study = ReaderStudy {
            modalities: names(n_modalities),
            readers: names(n_readers),
            cases: names(n_cases),
            truth: truth.to_vec(),
            cells: cells.collect(),
            layout: Layout::Incomplete,
            clusters: None,
        };
        study.finish()
    }

    fn finish(mut self) -> Result<ReaderStudy, Error> {
        if self.cells.is_empty() {
            return Err(Error::new(
                ErrorKind::Empty,
                "expected at least one rating, got none",
            ));
        }
        self.cells.sort_by_key(|cell| (cell.modality, cell.reader));
        for next in 1..self.cells.len() {
            if self.cells[next].cases == self.cells[next - 1].cases {
                self.cells[next].cases = Arc::clone(&self.cells[next - 1].cases);
            }
        }
        self.layout = layout_of(&self.cells, self.modalities.len(), self.readers.len());
        Ok(self)
    }

    /// Names the clusters that cases belong to (the exam of a breast, the patient of an exam), one
    /// label per case in the order of [`ReaderStudy::cases`]. The jackknife then leaves out whole
    /// clusters, DeLong's covariances of areas add up by cluster; methods that need independent
    /// cases refuse the study.
    ///
    /// ```
    /// use lobule_stats::mrmc::ReaderStudy;
    /// let study = ReaderStudy::from_grid(&[false, true, true], 1, 1, &[1.0, 2.0, 3.0])?;
    /// assert_eq!(study.with_clusters(&["exam 1", "exam 2", "exam 2"])?.n_units(), 2);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] when there are not as many labels as cases.
    pub fn with_clusters(mut self, labels: &[&str]) -> Result<ReaderStudy, Error> {
        check_lengths("cluster labels", labels.len(), "cases", self.cases.len())?;
        let mut known = Labels::default();
        let clusters = labels.iter().map(|label| known.index_of(label) as u32);
        self.clusters = Some(clusters.collect());
        Ok(self)
    }

    /// The modalities, by first appearance.
    ///
    /// ```
    /// # use lobule_stats::mrmc::ReaderStudy;
    /// let study = ReaderStudy::from_grid(&[false, true], 1, 1, &[1.0, 2.0])?;
    /// assert_eq!(study.modalities(), ["1"]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn modalities(&self) -> &[String] {
        &self.modalities
    }

    /// The readers, by first appearance.
    ///
    /// ```
    /// # use lobule_stats::mrmc::ReaderStudy;
    /// let study = ReaderStudy::from_grid(&[true], 1, 3, &[1.0, 2.0, 3.0])?;
    /// assert_eq!(study.readers().len(), 3);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn readers(&self) -> &[String] {
        &self.readers
    }

    /// The cases, in the order given.
    ///
    /// ```
    /// # use lobule_stats::mrmc::ReaderStudy;
    /// let study = ReaderStudy::from_grid(&[true], 1, 1, &[1.0])?;
    /// assert_eq!(study.cases(), ["1"]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn cases(&self) -> &[String] {
        &self.cases
    }

    /// Whether each case is diseased.
    ///
    /// ```
    /// # use lobule_stats::mrmc::ReaderStudy;
    /// let study = ReaderStudy::from_grid(&[true], 1, 1, &[1.0])?;
    /// assert_eq!(study.truth(), [true]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn truth(&self) -> &[bool] {
        &self.truth
    }

    /// How readers, modalities and cases are crossed.
    ///
    /// ```
    /// # use lobule_stats::mrmc::{Layout, ReaderStudy};
    /// let study = ReaderStudy::from_grid(&[true], 1, 1, &[1.0])?;
    /// assert_eq!(study.layout(), Layout::Crossed);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The units that are independent of each other: clusters where they are named, else cases.
    ///
    /// ```
    /// # use lobule_stats::mrmc::ReaderStudy;
    /// let study = ReaderStudy::from_grid(&[true, false], 1, 1, &[1.0, 0.0])?;
    /// assert_eq!(study.n_units(), 2);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_units(&self) -> usize {
        match &self.clusters {
            Some(clusters) => clusters.iter().max().map_or(0, |last| *last as usize + 1),
            None => self.cases.len(),
        }
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    pub(crate) fn clusters(&self) -> Option<&[u32]> {
        self.clusters.as_deref()
    }

    pub(crate) fn truth_of(&self, cell: &Cell) -> Vec<bool> {
        let truth = cell.cases.iter().map(|&case| self.truth[case as usize]);
        truth.collect()
    }

    /// For messages: the reader and modality of a cell.
    pub(crate) fn place(&self, cell: &Cell) -> String {
        let (reader, modality) = (&self.readers[cell.reader], &self.modalities[cell.modality]);
        format!("reader {reader}, modality {modality}")
    }
}

/// Labels numbered by first appearance.
#[derive(Default)]
struct Labels<'a> {
    names: Vec<&'a str>,
    indices: HashMap<&'a str, usize>,
}

impl<'a> Labels<'a> {
    fn index_of(&mut self, name: &'a str) -> usize {
        let next = self.names.len();
        let index = *self.indices.entry(name).or_insert(next);
        if index == next {
            self.names.push(name);
        }
        index
    }

    fn owned(&self) -> Vec<String> {
        self.names.iter().map(|&name| name.to_owned()).collect()
    }
}

/// A modality, a reader, and which case was rated how.
type Rated = ((usize, usize), Vec<(u32, f64)>);

#[derive(Default)]
struct Rows<'a> {
    readers: Labels<'a>,
    modalities: Labels<'a>,
    cells: Vec<Rated>,
    cell_of: HashMap<(usize, usize), usize>,
}

impl<'a> Rows<'a> {
    fn push(&mut self, row: usize, rating: &Rating<'a>, cases: &Labels) -> Result<(), Error> {
        if !rating.rating.is_finite() {
            return Err(not_finite(row, rating.rating));
        }
        let Some(&case) = cases.indices.get(rating.case) else {
            let text = format!(
                "expected a case with truth in row {row}, got {:?}",
                rating.case
            );
            return Err(Error::new(ErrorKind::Mismatch, text));
        };
        let modality = self.modalities.index_of(rating.modality);
        let reader = self.readers.index_of(rating.reader);
        check_cells(self.modalities.names.len(), self.readers.names.len())?;
        let next = self.cells.len();
        let cell = *self.cell_of.entry((modality, reader)).or_insert(next);
        if cell == next {
            self.cells.push(((modality, reader), Vec::new()));
        }
        self.cells[cell].1.push((case as u32, rating.rating));
        Ok(())
    }
}

fn collect_truth<'a>(
    truth: impl IntoIterator<Item = (&'a str, bool)>,
) -> Result<(Labels<'a>, Vec<bool>), Error> {
    let (mut cases, mut present) = (Labels::default(), Vec::new());
    for (row, (case, diseased)) in truth.into_iter().enumerate() {
        if cases.index_of(case) != row {
            let text = format!("expected each case once, got {case:?} again in truth row {row}");
            return Err(Error::new(ErrorKind::Duplicate, text));
        }
        present.push(diseased);
    }
    if u32::try_from(present.len()).is_err() {
        let text = format!("expected fewer than 2³² cases, got {}", present.len());
        return Err(Error::new(ErrorKind::OutOfRange, text));
    }
    Ok((cases, present))
}

/// The cell by rising case, or the reader, modality and case that it holds twice.
fn sorted_cell(((modality, reader), mut pairs): Rated) -> Result<Cell, [usize; 3]> {
    pairs.sort_unstable_by_key(|pair| pair.0);
    if let Some(pair) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err([reader, modality, pair[0].0 as usize]);
    }
    let (cases, ratings): (Vec<u32>, Vec<f64>) = pairs.into_iter().unzip();
    Ok(Cell {
        modality,
        reader,
        cases: cases.into(),
        ratings,
    })
}

fn duplicate_rating(reader: &str, modality: &str, case: &str) -> Error {
    Error::new(
        ErrorKind::Duplicate,
        format!(
            "expected one rating per reader, modality and case, got two of reader {reader}, \
             modality {modality}, case {case}"
        ),
    )
}

fn not_finite(row: usize, rating: f64) -> Error {
    Error::new(
        ErrorKind::NotFinite,
        format!("expected finite ratings, got {rating} in row {row}"),
    )
}

pub(crate) fn check_cells(n_modalities: usize, n_readers: usize) -> Result<(), Error> {
    if n_modalities.saturating_mul(n_readers) <= MAX_CELLS {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::OutOfRange,
        format!(
            "expected at most {MAX_CELLS} readers × modalities, got {n_readers} × {n_modalities}"
        ),
    ))
}
