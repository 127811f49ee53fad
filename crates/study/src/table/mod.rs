//! Tables in: files of ratings, marks and follow-up, read row by row and checked.
//!
//! Owns: the layouts below, their detection, every check of a cell. Does not own: statistics.
//!
//! # The long layout
//! One row per rating, as CSV (comma), TSV (ending `.tsv`) or Parquet; columns in any order, names
//! without regard to letter case:
//!
//! | column | holds | |
//! |---|---|---|
//! | `case` | the exam or patient | needed |
//! | `truth` | 1 with the disease, 0 without (`true`/`false`; other words with [`ReadConfig::positive`]) | needed |
//! | `rating` (or `score`) | a finite number, higher is more suspicious | needed |
//! | `reader` | who rated; one reader, `reader`, without the column | |
//! | `modality` (or `treatment`) | read how, e.g. without and with help; one, `reading`, without the column | |
//! | `side` | with it, the breast is the case and the exam its cluster | |
//! | `lesion`, `x`, `y`, `weight` | marks with a place, see below | |
//! | any other | groups of cases, kept where [`ReadConfig::group_columns`] names them | |
//!
//! A rating that is not there is a row that is not there: empty cells are refused, as are NaN and
//! infinite numbers. Only a group may be empty, of a case without the disease: it is then in every group of
//! that column, as nothing is said of a lesion that is not there. Rows where reader and modality are both `truth` state the truth alone, for
//! cases that nobody rated.
//!
//! **Marks.** A table with a filled `lesion` cell (or mark coordinates) holds marks: rows of the
//! reader `truth` list every case, with its lesions one a row (`lesion` named, `weight` if lesions
//! differ) or none; the other rows are marks, `lesion` naming the lesion that was hit and empty
//! where none was. With [`ReadConfig::acceptance_radius`], marks with `x` and `y` but no lesion
//! hit the nearest lesion within that distance.
//!
//! # Other layouts
//! *Wide*: one row per case, a column per reader and algorithm ([`WideColumns`]); an empty cell is
//! a rating that is not there. *iMRMC*: `readerID,caseID,modalityID,score`, truth in rows where
//! reader and modality are `truth`. *RJafroc*: a table of marks
//! (`modality,reader,case,truth,kind,lesion,rating`, kind `LL` or `NL`) with a table of the truth
//! (`case,truth,lesion,weight`), or a workbook with the sheets `TRUTH`, `TP` (`LL`) and `FP`
//! (`NL`).
//!
//! ```
//! use lobule_study::table::{ReadConfig, Study};
//! # let folder = tempfile::tempdir().unwrap();
//! let file = folder.path().join("ratings.csv");
//! std::fs::write(&file, "reader,modality,case,truth,rating\n\
//!     ann,film,c1,0,1\nann,film,c2,1,4\nann,film,c2,1,3\n").unwrap();
//! let error = Study::read(&file, &ReadConfig::default()).unwrap_err().to_string();
//! assert!(error.ends_with(
//!     "ratings.csv, line 4: expected one rating per reader, modality and case, \
//!      got another of reader `ann`, modality `film`, case `c2` in line 3"
//! ));
//! ```

mod long;
mod marks;
mod names;
mod rjafroc;
mod scores;
mod source;
mod survival;
mod wide;
mod workbook;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use marks::MarkTable;
pub use names::Names;
pub use scores::{Place, ScoreTable, Series};
pub use survival::{Covariate, CovariateKind, Only, SurvivalColumns, SurvivalTable};
pub use wide::WideColumns;

use crate::{Error, ErrorKind};
use source::{Source, digest, ending};

/// What a file of ratings holds.
///
/// ```
/// # use lobule_study::table::{ReadConfig, Study};
/// # let folder = tempfile::tempdir().unwrap();
/// # let file = folder.path().join("t.csv");
/// # std::fs::write(&file, "reader,case,truth,rating\nann,c1,0,1\nann,c2,1,3\n").unwrap();
/// let study = Study::read(&file, &ReadConfig::default())?;
/// assert_eq!(study.scores().unwrap().n_ratings(), 2);
/// assert_eq!(study.input().layout, "long");
/// # Ok::<(), lobule_study::Error>(())
/// ```
#[derive(Debug, Clone)]
pub enum Study {
    /// Ratings of whole cases.
    Scores(ScoreTable),
    /// Marks with a place.
    Marks(MarkTable),
}

/// The layouts that [`Study::read`] knows.
///
/// ```
/// use lobule_study::table::Layout;
/// assert_eq!("imrmc".parse(), Ok(Layout::Imrmc));
/// assert!("tall".parse::<Layout>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// One row per rating or mark.
    Long,
    /// One row per case.
    Wide,
    /// iMRMC's.
    Imrmc,
    /// RJafroc's marks and truth as two tables.
    Rjafroc,
    /// RJafroc's workbook.
    Workbook,
}

impl Layout {
    const NAMES: [(Layout, &str); 5] = [
        (Layout::Long, "long"),
        (Layout::Wide, "wide"),
        (Layout::Imrmc, "imrmc"),
        (Layout::Rjafroc, "rjafroc"),
        (Layout::Workbook, "workbook"),
    ];

    fn name(self) -> &'static str {
        let found = Layout::NAMES.iter().find(|(layout, _)| *layout == self);
        found.expect("every layout has a name").1
    }
}

impl std::str::FromStr for Layout {
    type Err = Error;

    fn from_str(name: &str) -> Result<Layout, Error> {
        let found = Layout::NAMES.iter().find(|(_, known)| *known == name);
        found.map(|(layout, _)| *layout).ok_or_else(|| {
            let names = Layout::NAMES.map(|(_, name)| name).join(", ");
            Error::config(format!("expected a layout of {names}, got `{name}`"))
        })
    }
}

/// How a file is to be read.
///
/// ```
/// use lobule_study::table::{ReadConfig, WideColumns};
/// let config = ReadConfig {
///     wide: Some(WideColumns {
///         readers: vec!["Reader*".into()],
///         algorithms: vec!["AI_*".into()],
///     }),
///     case_columns: vec!["case_ID".into(), "side".into()],
///     truth_column: Some("label".into()),
///     ..ReadConfig::default()
/// };
/// assert!(config.layout.is_none());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadConfig {
    /// `None`: by the header and by what is configured.
    pub layout: Option<Layout>,
    /// Which columns hold ratings; makes the layout wide.
    pub wide: Option<WideColumns>,
    /// Columns that together name a case; the first is the exam or patient. Empty: `case`, with
    /// `side` where it is there.
    pub case_columns: Vec<String>,
    /// `None`: `truth`.
    pub truth_column: Option<String>,
    /// `None`: `rating` or `score`.
    pub rating_column: Option<String>,
    /// The word for disease in the truth column; `None`: 1 and 0, `true` and `false`.
    pub positive: Option<String>,
    /// Readers that are algorithms, `*` for any letters. The wide layout adds its own.
    pub algorithms: Vec<String>,
    /// `None`: the first of several case columns.
    pub cluster_column: Option<String>,
    /// Columns that put cases into groups.
    pub group_columns: Vec<String>,
    /// Of RJafroc's two tables; `None`: the name of the marks with `truth` for `marks`.
    pub truth_file: Option<PathBuf>,
    /// Marks hit the nearest lesion within this distance, in the unit of `x` and `y`.
    pub acceptance_radius: Option<f64>,
}

/// Where a table came from.
///
/// ```
/// # use lobule_study::table::{ReadConfig, Study};
/// # let folder = tempfile::tempdir().unwrap();
/// # let file = folder.path().join("t.csv");
/// # std::fs::write(&file, "case,truth,score\nc1,0,1\nc2,1,3\n").unwrap();
/// let study = Study::read(&file, &ReadConfig::default())?;
/// assert_eq!((study.input().sha256.len(), study.input().bytes), (64, 31));
/// # Ok::<(), lobule_study::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Input {
    /// The file's name without its folder.
    pub file: String,
    /// Of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// How it was read.
    pub layout: String,
}

/// A column that puts every case into one group. A case without the disease whose cell is empty is in
/// every group: what tells lesions apart, their kind or size, says nothing of it.
///
/// ```
/// # use lobule_study::table::{ReadConfig, Study};
/// # let folder = tempfile::tempdir().unwrap();
/// # let file = folder.path().join("t.csv");
/// # std::fs::write(&file, "case,truth,score,site\nc1,0,1,A\nc2,1,3,B\n").unwrap();
/// let config = ReadConfig { group_columns: vec!["site".into()], ..ReadConfig::default() };
/// let study = Study::read(&file, &config)?;
/// let site = &study.scores().unwrap().groups()[0];
/// assert_eq!((site.name(), site.label_of(1)), ("site", "B"));
/// # Ok::<(), lobule_study::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Group {
    name: String,
    labels: Names,
    of_case: Vec<u32>,
}

/// In place of a group's number.
const EVERY_GROUP: u32 = u32::MAX - 1;

impl Group {
    /// The column's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The groups: by first appearance, in a survival table by name.
    pub fn labels(&self) -> &Names {
        &self.labels
    }

    /// The same groups, numbered by [`Names::order`].
    pub(crate) fn ordered(self, first: &[String]) -> Group {
        let order = self.labels.order(first);
        let (mut labels, mut place) = (Names::default(), vec![0; order.len()]);
        for &index in &order {
            place[index] = labels.index_of(self.labels.name(index));
        }
        let of_case = self.of_case.iter().map(|&index| place[index as usize]);
        Group {
            name: self.name,
            of_case: of_case.collect(),
            labels,
        }
    }

    /// Whether a group, by its number, holds a case.
    ///
    /// # Panics
    /// When there is no such case.
    pub fn holds(&self, case: usize, group: usize) -> bool {
        [group as u32, EVERY_GROUP].contains(&self.of_case[case])
    }

    /// The number of a subject's group, in a survival table: there each has one.
    pub(crate) fn index_of(&self, subject: usize) -> usize {
        self.of_case[subject] as usize
    }

    /// Whether a case is in every group.
    pub(crate) fn is_everywhere(&self, case: usize) -> bool {
        self.of_case[case] == EVERY_GROUP
    }

    /// The name of a case's group; empty where it is in every one.
    ///
    /// # Panics
    /// When there is no such case.
    pub fn label_of(&self, case: usize) -> &str {
        match self.is_everywhere(case) {
            true => "",
            false => self.labels.name(self.of_case[case] as usize),
        }
    }
}

impl Study {
    /// Reads a table, in one pass with bounded memory (see [`ScoreTable`]).
    ///
    /// # Errors
    /// Any [`ErrorKind`] but `Statistic`; the text names file, row and column.
    pub fn read(path: &Path, config: &ReadConfig) -> Result<Study, Error> {
        if ending(path).starts_with("xls") || config.layout == Some(Layout::Workbook) {
            return rjafroc::workbook(path, config).map(Study::Marks);
        }
        let (sha256, bytes) = digest(path)?;
        let source = Source::open(path)?;
        let layout = match config.layout {
            Some(layout) => layout,
            None => detect(&source, config)?,
        };
        let input = Input {
            file: file_name(path),
            sha256,
            bytes,
            layout: layout.name().to_owned(),
        };
        match layout {
            Layout::Wide => wide::read(&source, input, config).map(Study::Scores),
            Layout::Imrmc => long::read_imrmc(&source, input, config).map(Study::Scores),
            Layout::Rjafroc => rjafroc::tables(path, &source, input, config).map(Study::Marks),
            Layout::Long if long::holds_marks(&source)? => {
                marks::read(&source, input, config).map(Study::Marks)
            }
            _ => long::read(&source, input, config).map(Study::Scores),
        }
    }

    /// The file, its digest and its layout.
    pub fn input(&self) -> &Input {
        match self {
            Study::Scores(table) => table.input(),
            Study::Marks(table) => table.input(),
        }
    }

    /// The ratings of whole cases.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a table of marks.
    pub fn scores(&self) -> Result<&ScoreTable, Error> {
        match self {
            Study::Scores(table) => Ok(table),
            Study::Marks(table) => Err(Error::config(format!(
                "expected ratings of whole cases, got marks in {}",
                table.input().file
            ))),
        }
    }
}

fn detect(source: &Source, config: &ReadConfig) -> Result<Layout, Error> {
    let has = |names: &[&str]| source.find(names).map(|found| found.is_some());
    if config.wide.is_some() {
        return Ok(Layout::Wide);
    }
    if has(&["readerID"])? && has(&["caseID"])? && has(&["modalityID"])? {
        return Ok(Layout::Imrmc);
    }
    if has(&["kind"])? && has(&["lesion"])? && has(&["rating"])? {
        return Ok(Layout::Rjafroc);
    }
    let rating = match &config.rating_column {
        Some(name) => has(&[name])?,
        None => has(&["rating", "score"])?,
    };
    if rating {
        return Ok(Layout::Long);
    }
    let text = format!(
        "expected the long layout (case, truth, rating …), iMRMC's, RJafroc's, or named columns of \
         readers or algorithms; got the columns {}",
        source::shortened(source.header())
    );
    Err(source.error(ErrorKind::Column, text))
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
