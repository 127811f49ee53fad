//! The validated table of marks: where readers saw something, and whether it was there.

use std::collections::HashMap;

use crate::cases::check_lengths;
use crate::mrmc::check_cells;
use crate::{Error, ErrorKind};

/// Given weights of a case may differ from a sum of 1 by this, the rounding of a written table.
const WEIGHT_SUM_TOLERANCE: f64 = 1e-3;

/// A lesion of a case, or a case without any.
///
/// ```
/// use lobule_stats::location::LesionTruth;
/// let healthy = LesionTruth::none("c1");
/// let diseased = LesionTruth { case: "c2", lesion: Some("a"), weight: None };
/// assert_eq!((healthy.lesion, diseased.lesion), (None, Some("a")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LesionTruth<'a> {
    /// The case.
    pub case: &'a str,
    /// The lesion's name within the case; `None` for a healthy case, which has one row.
    pub lesion: Option<&'a str>,
    /// Its share of the case in weighted figures, above 0, adding up to 1 over the case; `None`, or
    /// 0 for all lesions of the case, for equal shares.
    pub weight: Option<f64>,
}

impl<'a> LesionTruth<'a> {
    /// A healthy case.
    ///
    /// ```
    /// # use lobule_stats::location::LesionTruth;
    /// assert_eq!(LesionTruth::none("c1").case, "c1");
    /// ```
    pub fn none(case: &'a str) -> LesionTruth<'a> {
        LesionTruth {
            case,
            lesion: None,
            weight: None,
        }
    }
}

/// A mark of a reader, already judged to lie on a lesion or not.
///
/// ```
/// use lobule_stats::location::Mark;
/// let mark = Mark { reader: "ann", modality: "2D", case: "c1", lesion: None, rating: 2.0 };
/// assert!(mark.lesion.is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark<'a> {
    /// Who marked.
    pub reader: &'a str,
    /// What was read or how.
    pub modality: &'a str,
    /// The case.
    pub case: &'a str,
    /// The lesion that the mark hits; `None` for a false mark.
    pub lesion: Option<&'a str>,
    /// Higher means more suspicious; finite.
    pub rating: f64,
}

/// Marks of every reader in every modality, and the lesions of every case.
///
/// Every reader that appears reads every case in every modality: a case without marks was read
/// and left unmarked. Of several marks on one lesion the highest counts. Memory grows with the
/// number of marks and lesions.
///
/// ```
/// use lobule_stats::location::{LesionTruth, LocationStudy, Mark};
/// let truth = [LesionTruth::none("c1"), LesionTruth { case: "c2", lesion: Some("a"), weight: None }];
/// let mark = |case, lesion, rating| Mark { reader: "ann", modality: "2D", case, lesion, rating };
/// let study = LocationStudy::new(truth, [mark("c1", None, 2.0), mark("c2", Some("a"), 4.0)])?;
/// assert_eq!((study.n_healthy(), study.n_diseased(), study.n_lesions()), (1, 1, 1));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LocationStudy {
    modalities: Vec<String>,
    readers: Vec<String>,
    cases: Vec<String>,
    /// By rising case.
    lesions: Vec<Lesion>,
    diseased: Vec<bool>,
    /// By modality, then reader; all of them.
    cells: Vec<Marks>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lesion {
    pub(crate) case: u32,
    pub(crate) weight: f64,
}

/// The marks of one reader in one modality.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Marks {
    /// (lesion, rating), the highest of each marked lesion, by rising lesion.
    pub(crate) hits: Vec<(u32, f64)>,
    /// (case, rating), all false marks, by rising case.
    pub(crate) misses: Vec<(u32, f64)>,
}

impl LocationStudy {
    /// Takes the lesions of all cases, and the marks in any order.
    ///
    /// ```
    /// use lobule_stats::{ErrorKind, location::{LesionTruth, LocationStudy, Mark}};
    /// let mark = Mark { reader: "ann", modality: "2D", case: "c1", lesion: Some("a"), rating: 1.0 };
    /// let truth = [LesionTruth::none("c1"), LesionTruth { case: "c2", lesion: Some("a"), weight: None }];
    /// let error = LocationStudy::new(truth, [mark]).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Mismatch);
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`] without marks, [`ErrorKind::NotFinite`] by a rating,
    /// [`ErrorKind::Mismatch`] by a mark on an unknown case or lesion or a case that is both healthy
    /// and not, [`ErrorKind::Duplicate`] by a lesion given twice, [`ErrorKind::OutOfRange`] by
    /// weights that are not above 0 or do not add up to 1, [`ErrorKind::SingleClass`] without
    /// healthy or diseased cases.
    pub fn new<'a>(
        truth: impl IntoIterator<Item = LesionTruth<'a>>,
        marks: impl IntoIterator<Item = Mark<'a>>,
    ) -> Result<LocationStudy, Error> {
        let truth = Truth::collect(truth)?;
        let (mut readers, mut modalities) = (Names::default(), Names::default());
        let mut placed: Vec<(usize, usize, Site, f64)> = Vec::new();
        for (row, mark) in marks.into_iter().enumerate() {
            let site = truth.site(row, &mark)?;
            let modality = modalities.index_of(mark.modality);
            let reader = readers.index_of(mark.reader);
            check_cells(modalities.names.len(), readers.names.len())?;
            placed.push((modality, reader, site, mark.rating));
        }
        if placed.is_empty() {
            return Err(Error::new(ErrorKind::Empty, "expected marks, got none"));
        }
        let n_readers = readers.names.len();
        let mut cells = vec![Marks::default(); modalities.names.len() * n_readers];
        for (modality, reader, site, rating) in placed {
            cells[modality * n_readers + reader].push(site, rating);
        }
        cells.iter_mut().for_each(Marks::settle);
        Ok(LocationStudy {
            modalities: modalities.owned(),
            readers: readers.owned(),
            cases: truth.cases.owned(),
            lesions: truth.lesions,
            diseased: truth.diseased,
            cells,
        })
    }

    /// The modalities, by first mark.
    ///
    /// ```
    /// # use lobule_stats::location::{LesionTruth, LocationStudy, Mark};
    /// # let truth = [LesionTruth::none("c1"), LesionTruth { case: "c2", lesion: Some("a"), weight: None }];
    /// # let mark = Mark { reader: "ann", modality: "2D", case: "c1", lesion: None, rating: 1.0 };
    /// assert_eq!(LocationStudy::new(truth, [mark])?.modalities(), ["2D"]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn modalities(&self) -> &[String] {
        &self.modalities
    }

    /// The readers, by first mark.
    ///
    /// ```
    /// # use lobule_stats::location::{LesionTruth, LocationStudy, Mark};
    /// # let truth = [LesionTruth::none("c1"), LesionTruth { case: "c2", lesion: Some("a"), weight: None }];
    /// # let mark = Mark { reader: "ann", modality: "2D", case: "c1", lesion: None, rating: 1.0 };
    /// assert_eq!(LocationStudy::new(truth, [mark])?.readers(), ["ann"]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn readers(&self) -> &[String] {
        &self.readers
    }

    /// The cases, in the order given.
    ///
    /// ```
    /// # use lobule_stats::location::{LesionTruth, LocationStudy, Mark};
    /// # let truth = [LesionTruth::none("c1"), LesionTruth { case: "c2", lesion: Some("a"), weight: None }];
    /// # let mark = Mark { reader: "ann", modality: "2D", case: "c1", lesion: None, rating: 1.0 };
    /// assert_eq!(LocationStudy::new(truth, [mark])?.cases(), ["c1", "c2"]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn cases(&self) -> &[String] {
        &self.cases
    }

    /// Cases with a lesion.
    ///
    /// ```
    /// # use lobule_stats::location::{LesionTruth, LocationStudy, Mark};
    /// # let truth = [LesionTruth::none("c1"), LesionTruth { case: "c2", lesion: Some("a"), weight: None }];
    /// # let mark = Mark { reader: "ann", modality: "2D", case: "c1", lesion: None, rating: 1.0 };
    /// assert_eq!(LocationStudy::new(truth, [mark])?.n_diseased(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_diseased(&self) -> usize {
        self.diseased.iter().filter(|&&diseased| diseased).count()
    }

    /// Cases without a lesion.
    ///
    /// ```
    /// # use lobule_stats::location::{LesionTruth, LocationStudy, Mark};
    /// # let truth = [LesionTruth::none("c1"), LesionTruth { case: "c2", lesion: Some("a"), weight: None }];
    /// # let mark = Mark { reader: "ann", modality: "2D", case: "c1", lesion: None, rating: 1.0 };
    /// assert_eq!(LocationStudy::new(truth, [mark])?.n_healthy(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_healthy(&self) -> usize {
        self.diseased.len() - self.n_diseased()
    }

    /// Lesions of all cases.
    ///
    /// ```
    /// # use lobule_stats::location::{LesionTruth, LocationStudy, Mark};
    /// # let truth = [LesionTruth::none("c1"), LesionTruth { case: "c2", lesion: Some("a"), weight: None }];
    /// # let mark = Mark { reader: "ann", modality: "2D", case: "c1", lesion: None, rating: 1.0 };
    /// assert_eq!(LocationStudy::new(truth, [mark])?.n_lesions(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_lesions(&self) -> usize {
        self.lesions.len()
    }

    pub(crate) fn lesions(&self) -> &[Lesion] {
        &self.lesions
    }

    pub(crate) fn diseased(&self) -> &[bool] {
        &self.diseased
    }

    pub(crate) fn cells(&self) -> &[Marks] {
        &self.cells
    }

    /// The marks of a reader in a modality, by index.
    pub(crate) fn cell(&self, modality: usize, reader: usize) -> Result<&Marks, Error> {
        let (t, r) = (self.modalities.len(), self.readers.len());
        if modality < t && reader < r {
            return Ok(&self.cells[modality * r + reader]);
        }
        let text =
            format!("expected modality below {t} and reader below {r}, got {modality}, {reader}");
        Err(Error::new(ErrorKind::OutOfRange, text))
    }
}

#[derive(Clone, Copy)]
enum Site {
    Lesion(u32),
    Elsewhere(u32),
}

impl Marks {
    fn push(&mut self, site: Site, rating: f64) {
        match site {
            Site::Lesion(lesion) => self.hits.push((lesion, rating)),
            Site::Elsewhere(case) => self.misses.push((case, rating)),
        }
    }

    /// Sorts, and keeps the highest mark of each lesion.
    fn settle(&mut self) {
        let order = |a: &(u32, f64), b: &(u32, f64)| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1));
        self.hits.sort_unstable_by(order);
        self.hits.dedup_by_key(|hit| hit.0);
        self.misses.sort_unstable_by(order);
    }
}

#[derive(Default)]
struct Names<'a> {
    names: Vec<&'a str>,
    indices: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
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

/// A lesion's name within its case, and its weight.
type NamedLesion<'a> = (&'a str, Option<f64>);
/// A row of truth: the case, and its lesion unless healthy.
type CaseRow<'a> = (usize, Option<NamedLesion<'a>>);

struct Truth<'a> {
    cases: Names<'a>,
    diseased: Vec<bool>,
    lesions: Vec<Lesion>,
    lesion_of: HashMap<(usize, &'a str), u32>,
}

impl<'a> Truth<'a> {
    fn collect(rows: impl IntoIterator<Item = LesionTruth<'a>>) -> Result<Truth<'a>, Error> {
        let mut cases = Names::default();
        let mut named: Vec<CaseRow> = Vec::new();
        for row in rows {
            let case = cases.index_of(row.case);
            named.push((case, row.lesion.map(|lesion| (lesion, row.weight))));
        }
        named.sort_by_key(|row| row.0);
        let mut truth = Truth {
            diseased: Vec::new(),
            lesions: Vec::new(),
            lesion_of: HashMap::new(),
            cases,
        };
        for rows in named.chunk_by(|a, b| a.0 == b.0) {
            truth.push_case(rows)?;
        }
        truth.check_classes()?;
        Ok(truth)
    }

    /// All rows of one case.
    fn push_case(&mut self, rows: &[CaseRow<'a>]) -> Result<(), Error> {
        let case = rows[0].0;
        let name = self.cases.names[case];
        let lesions: Vec<NamedLesion<'a>> = rows.iter().filter_map(|row| row.1).collect();
        if !lesions.is_empty() {
            check_lengths(
                "lesions of a diseased case",
                lesions.len(),
                "its rows",
                rows.len(),
            )?;
        } else if rows.len() > 1 {
            let text = format!(
                "expected one row of healthy case {name}, got {}",
                rows.len()
            );
            return Err(Error::new(ErrorKind::Duplicate, text));
        }
        let weights = case_weights(name, &lesions)?;
        for ((lesion, _), weight) in lesions.iter().zip(weights) {
            let index = self.lesions.len() as u32;
            if self.lesion_of.insert((case, lesion), index).is_some() {
                let text = format!("expected lesion {lesion} of case {name} once, got it twice");
                return Err(Error::new(ErrorKind::Duplicate, text));
            }
            let case = case as u32;
            self.lesions.push(Lesion { case, weight });
        }
        self.diseased.push(!lesions.is_empty());
        Ok(())
    }

    fn check_classes(&self) -> Result<(), Error> {
        let n = self.diseased.len();
        let diseased = self.diseased.iter().filter(|&&diseased| diseased).count();
        if diseased > 0 && diseased < n && u32::try_from(n.max(self.lesions.len())).is_ok() {
            return Ok(());
        }
        let text = format!("expected healthy and diseased cases, got {diseased} diseased of {n}");
        Err(Error::new(ErrorKind::SingleClass, text))
    }

    fn site(&self, row: usize, mark: &Mark) -> Result<Site, Error> {
        if !mark.rating.is_finite() {
            let text = format!("expected finite ratings, got {} in row {row}", mark.rating);
            return Err(Error::new(ErrorKind::NotFinite, text));
        }
        let unknown = |what: &str, name: &str| {
            let text = format!("expected a {what} with truth in row {row}, got {name:?}");
            Error::new(ErrorKind::Mismatch, text)
        };
        let case = self.cases.indices.get(mark.case);
        let &case = case.ok_or_else(|| unknown("case", mark.case))?;
        let Some(lesion) = mark.lesion else {
            return Ok(Site::Elsewhere(case as u32));
        };
        let index = self.lesion_of.get(&(case, lesion));
        let &index = index.ok_or_else(|| unknown("lesion", lesion))?;
        Ok(Site::Lesion(index))
    }
}

fn case_weights(case: &str, lesions: &[NamedLesion]) -> Result<Vec<f64>, Error> {
    let given: Vec<f64> = lesions.iter().filter_map(|lesion| lesion.1).collect();
    if given.iter().all(|&weight| weight == 0.0) {
        return Ok(vec![1.0 / lesions.len() as f64; lesions.len()]);
    }
    check_lengths(
        "weights of a case",
        given.len(),
        "its lesions",
        lesions.len(),
    )?;
    let sum: f64 = given.iter().sum();
    let positive = given.iter().all(|&weight| weight > 0.0);
    if positive && (sum - 1.0).abs() <= WEIGHT_SUM_TOLERANCE {
        return Ok(given.into_iter().map(|weight| weight / sum).collect());
    }
    let text = format!("expected weights above 0 with sum 1 of case {case}, got {given:?}");
    Err(Error::new(ErrorKind::OutOfRange, text))
}
