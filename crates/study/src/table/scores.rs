//! The validated table of ratings, whatever layout it came in.
//!
//! Owns: [`ScoreTable`], its checks, its way into `lobule_stats`. Does not own: files.

use lobule_stats::bootstrap::Clusters;
use lobule_stats::mrmc::{Rating, ReaderStudy};

use super::names::Names;
use super::source::{Fields, Source};
use super::{EVERY_GROUP, Group, Input};
use crate::error::Row;
use crate::{Error, ErrorKind};

/// Ratings of cases by readers and algorithms.
///
/// A *case* is what is rated: a breast where the table has a column for the side, else an exam. A
/// *reader* is a person or, where the configuration says so, an algorithm. Memory: 24 bytes per
/// rating, and per case its name and about 50 bytes.
///
/// ```
/// # use lobule_study::table::{ReadConfig, Study};
/// # let folder = tempfile::tempdir().unwrap();
/// # let file = folder.path().join("t.csv");
/// # std::fs::write(&file, "reader,case,side,truth,rating\nann,c1,L,0,1\nann,c1,R,1,3\n").unwrap();
/// let study = Study::read(&file, &ReadConfig::default())?;
/// let table = study.scores().unwrap();
/// assert_eq!((table.cases().len(), table.n_positive()), (2, 1));
/// assert_eq!(table.clusters().unwrap().labels().len(), 1);
/// # Ok::<(), lobule_study::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ScoreTable {
    pub(super) input: Input,
    pub(super) cases: Names,
    pub(super) truth: Vec<bool>,
    pub(super) readers: Names,
    pub(super) is_algorithm: Vec<bool>,
    pub(super) modalities: Names,
    ratings: Vec<Entry>,
    cells: Vec<Cell>,
    pub(super) groups: Vec<Group>,
    pub(super) clusters: Option<Group>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    modality: u32,
    reader: u32,
    case: u32,
    row: u32,
    rating: f64,
}

/// The ratings of one reader in one modality.
#[derive(Debug, Clone, Copy)]
struct Cell {
    modality: usize,
    reader: usize,
    start: usize,
    end: usize,
}

/// The ratings of one reader in one modality, case by case.
///
/// ```
/// # use lobule_study::table::{ReadConfig, Study};
/// # let folder = tempfile::tempdir().unwrap();
/// # let file = folder.path().join("t.csv");
/// # std::fs::write(&file, "reader,case,truth,rating\nann,c1,0,1\nann,c2,1,3\n").unwrap();
/// let study = Study::read(&file, &ReadConfig::default())?;
/// let series = study.scores().unwrap().series(0, 0).unwrap();
/// assert_eq!((series.ratings, series.truth), (vec![1.0, 3.0], vec![false, true]));
/// # Ok::<(), lobule_study::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Numbers of the cases, rising.
    pub cases: Vec<usize>,
    /// Their ratings.
    pub ratings: Vec<f64>,
    /// Their truths.
    pub truth: Vec<bool>,
}

impl ScoreTable {
    /// The file, its digest and its layout.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// What was rated, by first appearance.
    pub fn cases(&self) -> &Names {
        &self.cases
    }

    /// Whether the disease is present, by case.
    pub fn truth(&self) -> &[bool] {
        &self.truth
    }

    /// Cases with the disease.
    pub fn n_positive(&self) -> usize {
        self.truth.iter().filter(|&&present| present).count()
    }

    /// Readers and algorithms, by first appearance.
    pub fn readers(&self) -> &Names {
        &self.readers
    }

    /// Whether the reader is an algorithm.
    pub fn is_algorithm(&self, reader: usize) -> bool {
        self.is_algorithm[reader]
    }

    /// Readers that are people.
    pub fn people(&self) -> Vec<usize> {
        (0..self.readers.len())
            .filter(|&reader| !self.is_algorithm[reader])
            .collect()
    }

    /// Readers that are algorithms.
    pub fn algorithms(&self) -> Vec<usize> {
        (0..self.readers.len())
            .filter(|&reader| self.is_algorithm[reader])
            .collect()
    }

    /// The number of a reader.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for a name that no reader has.
    pub fn reader(&self, name: &str) -> Result<usize, Error> {
        let names: Vec<String> = self.readers.iter().map(str::to_owned).collect();
        self.readers.find(name).ok_or_else(|| {
            let known = super::source::shortened(&names);
            Error::config(format!("expected one of the readers {known}, got `{name}`"))
        })
    }

    /// The conditions of reading, by first appearance.
    pub fn modalities(&self) -> &Names {
        &self.modalities
    }

    /// (modality, reader) of everyone who rated, sorted.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        self.cells.iter().map(|cell| (cell.modality, cell.reader))
    }

    /// How many ratings there are.
    pub fn n_ratings(&self) -> usize {
        self.ratings.len()
    }

    /// What a reader rated in a modality; `None` where there is nothing.
    pub fn series(&self, modality: usize, reader: usize) -> Option<Series> {
        let entries = self.entries(modality, reader)?;
        Some(Series {
            cases: entries.iter().map(|entry| entry.case as usize).collect(),
            ratings: entries.iter().map(|entry| entry.rating).collect(),
            truth: entries
                .iter()
                .map(|entry| self.truth[entry.case as usize])
                .collect(),
        })
    }

    fn entries(&self, modality: usize, reader: usize) -> Option<&[Entry]> {
        let place = (modality, reader);
        let found = self
            .cells
            .binary_search_by_key(&place, |cell| (cell.modality, cell.reader));
        let cell = self.cells[found.ok()?];
        Some(&self.ratings[cell.start..cell.end])
    }

    /// The group columns that were asked for.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// What cases are clustered in (the exam of a breast); `None` where they are independent.
    pub fn clusters(&self) -> Option<&Group> {
        self.clusters.as_ref()
    }

    /// The clusters of some cases, single ones where there are none.
    ///
    /// # Errors
    /// [`ErrorKind::Statistic`] for no cases.
    pub fn clusters_of(&self, cases: &[usize]) -> Result<Clusters, Error> {
        let Some(group) = &self.clusters else {
            return Ok(Clusters::singletons(cases.len())?);
        };
        let labels: Vec<u32> = cases.iter().map(|&case| group.of_case[case]).collect();
        Ok(Clusters::from_labels(&labels)?)
    }

    /// The table as `lobule_stats` takes it: these places in this order, these cases; with
    /// clusters where cases are clustered.
    ///
    /// # Errors
    /// [`ErrorKind::Statistic`] when nothing is left.
    pub fn reader_study(
        &self,
        places: &[Place],
        keep: impl Fn(usize) -> bool,
    ) -> Result<ReaderStudy, Error> {
        let kept: Vec<usize> = (0..self.cases.len()).filter(|&case| keep(case)).collect();
        let truth = kept
            .iter()
            .map(|&case| (self.cases.name(case), self.truth[case]));
        let entries = places.iter().flat_map(|place| {
            let entries = self.entries(place.modality, place.reader);
            let entries = entries.unwrap_or_default().iter();
            entries.map(move |entry| (place.shown_as, entry))
        });
        let ratings =
            entries
                .filter(|(_, entry)| keep(entry.case as usize))
                .map(|(modality, entry)| Rating {
                    reader: self.readers.name(entry.reader as usize),
                    modality: self.modalities.name(modality),
                    case: self.cases.name(entry.case as usize),
                    rating: entry.rating,
                });
        let study = ReaderStudy::new(truth, ratings)?;
        let Some(clusters) = &self.clusters else {
            return Ok(study);
        };
        let labels: Vec<&str> = kept.iter().map(|&case| clusters.label_of(case)).collect();
        Ok(study.with_clusters(&labels)?)
    }
}

/// A reader in a modality, for [`ScoreTable::reader_study`].
///
/// ```
/// use lobule_study::table::Place;
/// assert_eq!(Place::of(1, 2), Place { modality: 1, reader: 2, shown_as: 1 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Where the ratings are taken from.
    pub modality: usize,
    /// Whose they are.
    pub reader: usize,
    /// The modality they stand for: an algorithm's are compared with those of any modality.
    pub shown_as: usize,
}

impl Place {
    /// A reader in a modality.
    pub fn of(modality: usize, reader: usize) -> Place {
        Place {
            modality,
            reader,
            shown_as: modality,
        }
    }
}

/// What is known of the truth of a case while rows come in.
#[derive(Debug, Clone, Copy, PartialEq)]
struct CaseTruth {
    present: Option<bool>,
    /// Where it was said, or where the case first appeared.
    row: u32,
}

/// Collects rows in any order.
#[derive(Default)]
pub(super) struct Builder {
    cases: Names,
    truth: Vec<CaseTruth>,
    readers: Names,
    modalities: Names,
    ratings: Vec<Entry>,
    /// Of clusters first, where there are, then of groups.
    labels: Vec<LabelColumn>,
}

/// A column whose cells belong to cases.
struct LabelColumn {
    column: usize,
    name: String,
    what: &'static str,
    names: Names,
    of_case: Vec<u32>,
}

const NOT_SAID: u32 = u32::MAX;
/// What a column of groups is called in messages.
pub(super) const GROUP: &str = "group";

impl Builder {
    /// A column of labels to keep; the first may be the clusters.
    pub(super) fn keep_column(&mut self, source: &Source, column: usize, what: &'static str) {
        self.labels.push(LabelColumn {
            column,
            name: source.header()[column].clone(),
            what,
            names: Names::default(),
            of_case: Vec::new(),
        });
    }

    /// The number of a reader.
    pub(super) fn reader(&mut self, name: &str) -> u32 {
        self.readers.index_of(name)
    }

    /// The number of a modality.
    pub(super) fn modality(&mut self, name: &str) -> u32 {
        self.modalities.index_of(name)
    }

    /// The number of a case.
    pub(super) fn case(&mut self, name: &str, row: Row) -> u32 {
        let case = self.cases.index_of(name);
        if case as usize == self.truth.len() {
            self.truth.push(CaseTruth {
                present: None,
                row: number(row),
            });
        }
        case
    }

    /// What a row says of its case's truth.
    pub(super) fn say_truth(
        &mut self,
        source: &Source,
        fields: &Fields<'_>,
        column: usize,
        case: u32,
        present: bool,
    ) -> Result<(), Error> {
        let known = &mut self.truth[case as usize];
        match known.present {
            None => {
                *known = CaseTruth {
                    present: Some(present),
                    row: number(fields.row),
                };
                Ok(())
            }
            Some(before) if before == present => Ok(()),
            Some(before) => {
                let text = format!(
                    "expected one truth per case, got {} for case `{}` and {} in {}",
                    u8::from(present),
                    self.cases.name(case as usize),
                    u8::from(before),
                    source.row(known.row)
                );
                Err(fields.error(ErrorKind::Contradiction, column, text))
            }
        }
    }

    /// What a row says of its case's clusters and groups.
    pub(super) fn say_labels(&mut self, fields: &Fields<'_>, case: u32) -> Result<(), Error> {
        for label in &mut self.labels {
            let is_everywhere = label.what == GROUP && fields.text(label.column).is_empty();
            let index = match is_everywhere {
                true => EVERY_GROUP,
                false => label.names.index_of(fields.name(label.column, label.what)?),
            };
            if label.of_case.len() <= case as usize {
                label.of_case.resize(case as usize + 1, NOT_SAID);
            }
            let known = &mut label.of_case[case as usize];
            if *known == NOT_SAID {
                *known = index;
            } else if *known != index {
                let name = |index: u32| match index {
                    EVERY_GROUP => "",
                    index => label.names.name(index as usize),
                };
                let text = format!(
                    "expected one {} per case, got `{}` and before it `{}` for case `{}`",
                    label.what,
                    name(index),
                    name(*known),
                    self.cases.name(case as usize)
                );
                return Err(fields.error(ErrorKind::Contradiction, label.column, text));
            }
        }
        Ok(())
    }

    pub(super) fn rate(&mut self, place: (u32, u32), case: u32, row: Row, rating: f64) {
        let (modality, reader) = place;
        self.ratings.push(Entry {
            modality,
            reader,
            case,
            row: number(row),
            rating,
        });
    }

    pub(super) fn finish(
        mut self,
        source: &Source,
        input: Input,
        is_algorithm: impl Fn(&str) -> bool,
        has_clusters: HasClusters,
    ) -> Result<ScoreTable, Error> {
        if self.ratings.is_empty() {
            let text = "expected at least one rating, got none";
            return Err(source.error(ErrorKind::Missing, text));
        }
        let truth = self.known_truth(source)?;
        self.ratings
            .sort_unstable_by_key(|e| (e.modality, e.reader, e.case, e.row));
        self.check_duplicates(source)?;
        self.check_readers(source)?;
        self.ratings.shrink_to_fit();
        let mut groups: Vec<Group> = self.labels.into_iter().map(LabelColumn::group).collect();
        let clusters = match has_clusters {
            HasClusters::FirstColumn => Some(groups.remove(0)),
            HasClusters::None => None,
        };
        check_groups(source, &groups, &self.cases, &truth, &self.truth)?;
        Ok(ScoreTable {
            input,
            is_algorithm: self.readers.iter().map(is_algorithm).collect(),
            cells: cells_of(&self.ratings),
            cases: self.cases,
            truth,
            readers: self.readers,
            modalities: self.modalities,
            ratings: self.ratings,
            groups,
            clusters,
        })
    }

    fn known_truth(&self, source: &Source) -> Result<Vec<bool>, Error> {
        let truth: Vec<bool> = (0..self.truth.len())
            .map(|case| {
                let CaseTruth { present, row } = self.truth[case];
                present.ok_or_else(|| {
                    let name = self.cases.name(case);
                    let text = format!("expected a truth row for case `{name}`, got none");
                    source.error(ErrorKind::Missing, text).at(source.row(row))
                })
            })
            .collect::<Result<_, Error>>()?;
        let positive = truth.iter().filter(|&&present| present).count();
        if positive > 0 && positive < truth.len() {
            return Ok(truth);
        }
        let text = format!(
            "expected cases with and without the disease, got {positive} with it of {} cases",
            truth.len()
        );
        Err(source.error(ErrorKind::SingleClass, text))
    }

    fn check_duplicates(&self, source: &Source) -> Result<(), Error> {
        let same = |pair: &&[Entry]| {
            let [a, b] = [pair[0], pair[1]];
            (a.modality, a.reader, a.case) == (b.modality, b.reader, b.case)
        };
        let Some(pair) = self.ratings.windows(2).find(same) else {
            return Ok(());
        };
        let entry = pair[1];
        let text = format!(
            "expected one rating per reader, modality and case, got another of reader `{}`, \
             modality `{}`, case `{}` in {}",
            self.readers.name(entry.reader as usize),
            self.modalities.name(entry.modality as usize),
            self.cases.name(entry.case as usize),
            source.row(pair[0].row)
        );
        let row = source.row(entry.row);
        Err(source.error(ErrorKind::Duplicate, text).at(row))
    }

    fn check_readers(&self, source: &Source) -> Result<(), Error> {
        let mut rates = vec![false; self.readers.len()];
        for entry in &self.ratings {
            rates[entry.reader as usize] = true;
        }
        match rates.iter().position(|&rates| !rates) {
            None => Ok(()),
            Some(reader) => {
                let name = self.readers.name(reader);
                let text = format!("expected ratings of reader `{name}`, got none");
                Err(source.error(ErrorKind::Missing, text))
            }
        }
    }
}

/// A case with the disease belongs to one group of each column.
fn check_groups(
    source: &Source,
    groups: &[Group],
    names: &Names,
    truth: &[bool],
    rows: &[CaseTruth],
) -> Result<(), Error> {
    for group in groups {
        let lost = (0..truth.len()).find(|&case| truth[case] && group.is_everywhere(case));
        if let Some(case) = lost {
            let (column, name) = (group.name(), names.name(case));
            let text = format!(
                "expected a group in `{column}` of case `{name}`, which has the disease, got an empty cell"
            );
            let row = source.row(rows[case].row);
            return Err(source.error(ErrorKind::Missing, text).at(row));
        }
    }
    Ok(())
}

/// Whether the first column that was kept holds the clusters.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum HasClusters {
    FirstColumn,
    None,
}

impl LabelColumn {
    fn group(self) -> Group {
        Group {
            name: self.name,
            labels: self.names,
            of_case: self.of_case,
        }
    }
}

fn cells_of(ratings: &[Entry]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    for (index, entry) in ratings.iter().enumerate() {
        let place = (entry.modality as usize, entry.reader as usize);
        match cells.last_mut() {
            Some(cell) if (cell.modality, cell.reader) == place => cell.end = index + 1,
            _ => cells.push(Cell {
                modality: place.0,
                reader: place.1,
                start: index,
                end: index + 1,
            }),
        }
    }
    cells
}

fn number(row: Row) -> u32 {
    match row {
        Row::Line(number) | Row::Row(number) => number,
    }
}
