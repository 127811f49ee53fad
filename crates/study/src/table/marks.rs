//! The validated table of marks and lesions, and the long layout of it.

use std::collections::HashMap;

use lobule_stats::location::{LesionTruth, LocationStudy, Mark};

use super::long::{
    CaseColumns, ONLY_MODALITY, TruthWords, is_algorithm, is_truth, named, rating_column,
    truth_column,
};
use super::names::Names;
use super::source::{Fields, Source};
use super::{Input, ReadConfig};
use crate::error::Row;
use crate::{Error, ErrorKind};

/// Marks of readers and algorithms on cases whose lesions are known.
///
/// ```
/// # use lobule_study::table::{ReadConfig, Study};
/// # let folder = tempfile::tempdir().unwrap();
/// # let file = folder.path().join("t.csv");
/// std::fs::write(&file, "reader,modality,case,truth,lesion,rating\n\
///     truth,truth,c1,0,,\ntruth,truth,c2,1,a,\n\
///     ann,2D,c1,0,,2\nann,2D,c2,1,a,4\n").unwrap();
/// let Study::Marks(table) = Study::read(&file, &ReadConfig::default())? else { panic!() };
/// assert_eq!((table.n_cases(), table.n_lesions(), table.n_marks()), (2, 1, 2));
/// # Ok::<(), lobule_study::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MarkTable {
    input: Input,
    cases: Names,
    readers: Names,
    is_algorithm: Vec<bool>,
    modalities: Names,
    lesion_names: Names,
    truth: Vec<Truth>,
    marks: Vec<Placed>,
}

/// A case without lesions, or one lesion.
#[derive(Debug, Clone, Copy)]
struct Truth {
    case: u32,
    lesion: Option<u32>,
    weight: Option<f64>,
    at: Option<[f64; 2]>,
    row: u32,
}

#[derive(Debug, Clone, Copy)]
struct Placed {
    reader: u32,
    modality: u32,
    case: u32,
    lesion: Option<u32>,
    at: Option<[f64; 2]>,
    rating: f64,
    row: u32,
}

impl MarkTable {
    /// The file, its digest and its layout.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// How many cases there are.
    pub fn n_cases(&self) -> usize {
        self.cases.len()
    }

    /// How many lesions there are.
    pub fn n_lesions(&self) -> usize {
        self.truth.iter().filter(|row| row.lesion.is_some()).count()
    }

    /// How many marks there are.
    pub fn n_marks(&self) -> usize {
        self.marks.len()
    }

    /// Readers and algorithms, by first appearance.
    pub fn readers(&self) -> &Names {
        &self.readers
    }

    /// Whether the reader is an algorithm.
    pub fn is_algorithm(&self, reader: usize) -> bool {
        self.is_algorithm[reader]
    }

    /// The conditions of reading, by first appearance.
    pub fn modalities(&self) -> &Names {
        &self.modalities
    }

    /// The table as `lobule_stats` takes it, some readers, the modalities in this order.
    ///
    /// # Errors
    /// [`ErrorKind::SingleClass`] and [`ErrorKind::Statistic`] by what is left.
    pub fn location_study(
        &self,
        modalities: &[usize],
        keep_reader: impl Fn(usize) -> bool,
    ) -> Result<LocationStudy, Error> {
        let truth = self.truth.iter().map(|row| LesionTruth {
            case: self.cases.name(row.case as usize),
            lesion: row.lesion.map(|l| self.lesion_names.name(l as usize)),
            weight: row.weight,
        });
        let of_modality = |modality: usize| {
            let marks = self.marks.iter();
            marks.filter(move |mark| mark.modality as usize == modality)
        };
        let marks = modalities.iter().flat_map(|&m| of_modality(m));
        let marks = marks
            .filter(|mark| keep_reader(mark.reader as usize))
            .map(|mark| Mark {
                reader: self.readers.name(mark.reader as usize),
                modality: self.modalities.name(mark.modality as usize),
                case: self.cases.name(mark.case as usize),
                lesion: mark.lesion.map(|l| self.lesion_names.name(l as usize)),
                rating: mark.rating,
            });
        Ok(LocationStudy::new(truth, marks)?)
    }
}

/// Collects lesions and marks in any order.
#[derive(Default)]
pub(super) struct MarkBuilder {
    cases: Names,
    readers: Names,
    modalities: Names,
    lesion_names: Names,
    truth: Vec<Truth>,
    marks: Vec<Placed>,
}

/// A lesion or a case without, as a table says it.
pub(super) struct TruthRow<'a> {
    pub(super) case: &'a str,
    pub(super) lesion: Option<&'a str>,
    pub(super) weight: Option<f64>,
    pub(super) at: Option<[f64; 2]>,
}

/// A mark as a table says it.
pub(super) struct MarkRow<'a> {
    pub(super) reader: &'a str,
    pub(super) modality: &'a str,
    pub(super) case: &'a str,
    pub(super) lesion: Option<&'a str>,
    pub(super) at: Option<[f64; 2]>,
    pub(super) rating: f64,
}

impl MarkBuilder {
    pub(super) fn truth(&mut self, truth: &TruthRow<'_>, row: Row) {
        let case = self.cases.index_of(truth.case);
        let lesion = truth.lesion.map(|name| self.lesion_names.index_of(name));
        self.truth.push(Truth {
            case,
            lesion,
            weight: truth.weight,
            at: truth.at,
            row: number(row),
        });
    }

    pub(super) fn mark(&mut self, mark: &MarkRow<'_>, row: Row) {
        self.marks.push(Placed {
            reader: self.readers.index_of(mark.reader),
            modality: self.modalities.index_of(mark.modality),
            case: self.cases.index_of(mark.case),
            lesion: mark.lesion.map(|name| self.lesion_names.index_of(name)),
            at: mark.at,
            rating: mark.rating,
            row: number(row),
        });
    }

    pub(super) fn finish(
        mut self,
        truth_source: &Source,
        mark_source: &Source,
        input: Input,
        config: &ReadConfig,
    ) -> Result<MarkTable, Error> {
        if self.marks.is_empty() {
            let text = "expected at least one mark, got none";
            return Err(mark_source.error(ErrorKind::Missing, text));
        }
        let known = self.known_lesions(truth_source)?;
        if let Some(radius) = config.acceptance_radius {
            self.hit_nearest(radius)?;
        }
        self.check_marks(&known, mark_source)?;
        let diseased = known.values().filter(|lesions| !lesions.is_empty()).count();
        if diseased == 0 || diseased == known.len() {
            let text = format!(
                "expected cases with and without lesions, got {diseased} with of {}",
                known.len()
            );
            return Err(truth_source.error(ErrorKind::SingleClass, text));
        }
        Ok(MarkTable {
            input,
            is_algorithm: self.readers.iter().map(is_algorithm(config)).collect(),
            cases: self.cases,
            readers: self.readers,
            modalities: self.modalities,
            lesion_names: self.lesion_names,
            truth: self.truth,
            marks: self.marks,
        })
    }

    /// The lesions of every case, or the row that says a lesion twice or denies it.
    fn known_lesions(&self, source: &Source) -> Result<HashMap<u32, Vec<u32>>, Error> {
        let mut known: HashMap<u32, (Vec<u32>, u32)> = HashMap::new();
        for truth in &self.truth {
            let fail = |kind, text: String| Err(source.error(kind, text).at(source.row(truth.row)));
            let name = self.cases.name(truth.case as usize);
            let Some((lesions, row)) = known.get_mut(&truth.case) else {
                let lesions = truth.lesion.into_iter().collect();
                known.insert(truth.case, (lesions, truth.row));
                continue;
            };
            let before = source.row(*row);
            match truth.lesion {
                Some(lesion) if lesions.contains(&lesion) => {
                    let lesion = self.lesion_names.name(lesion as usize);
                    let text = format!(
                        "expected each lesion once, got lesion `{lesion}` of case `{name}` again"
                    );
                    return fail(ErrorKind::Duplicate, text);
                }
                Some(lesion) if !lesions.is_empty() => lesions.push(lesion),
                None if lesions.is_empty() => {
                    let text = format!(
                        "expected each case without lesions once, got case `{name}` also in {before}"
                    );
                    return fail(ErrorKind::Duplicate, text);
                }
                _ => {
                    let text = format!(
                        "expected a case with or without lesions, got both for case `{name}` \
                         ({before})"
                    );
                    return fail(ErrorKind::Contradiction, text);
                }
            }
        }
        Ok(known
            .into_iter()
            .map(|(case, (lesions, _))| (case, lesions))
            .collect())
    }

    fn check_marks(&self, known: &HashMap<u32, Vec<u32>>, source: &Source) -> Result<(), Error> {
        for mark in &self.marks {
            let case = self.cases.name(mark.case as usize);
            let text = match (known.get(&mark.case), mark.lesion) {
                (None, _) => format!("expected a truth row for case `{case}`, got none"),
                (Some(lesions), Some(lesion)) if !lesions.contains(&lesion) => format!(
                    "expected a lesion of case `{case}`, got `{}`, which no truth row names",
                    self.lesion_names.name(lesion as usize)
                ),
                _ => continue,
            };
            let row = source.row(mark.row);
            return Err(source.error(ErrorKind::Missing, text).at(row));
        }
        Ok(())
    }

    /// Gives marks with a place the nearest lesion within the radius.
    fn hit_nearest(&mut self, radius: f64) -> Result<(), Error> {
        if radius.is_nan() || radius <= 0.0 {
            let text = format!("expected an acceptance radius above 0, got {radius}");
            return Err(Error::config(text));
        }
        let mut places: HashMap<u32, Vec<(u32, [f64; 2])>> = HashMap::new();
        for truth in &self.truth {
            if let (Some(lesion), Some(at)) = (truth.lesion, truth.at) {
                places.entry(truth.case).or_default().push((lesion, at));
            }
        }
        for mark in self.marks.iter_mut().filter(|mark| mark.lesion.is_none()) {
            let (Some(at), Some(lesions)) = (mark.at, places.get(&mark.case)) else {
                continue;
            };
            let distance = |place: [f64; 2]| (place[0] - at[0]).hypot(place[1] - at[1]);
            let near = lesions
                .iter()
                .map(|&(lesion, place)| (distance(place), lesion));
            let nearest = near.min_by(|a, b| a.0.total_cmp(&b.0));
            let hit = nearest.filter(|(distance, _)| *distance <= radius);
            mark.lesion = hit.map(|(_, lesion)| lesion);
        }
        Ok(())
    }
}

/// The columns of the long layout that place a mark.
struct PlaceColumns {
    lesion: Option<usize>,
    weight: Option<usize>,
    at: Option<(usize, usize)>,
}

impl PlaceColumns {
    fn of(source: &Source) -> Result<PlaceColumns, Error> {
        let (x, y) = (source.find(&["x"])?, source.find(&["y"])?);
        let at = match (x, y) {
            (Some(x), Some(y)) => Some((x, y)),
            (None, None) => None,
            _ => {
                let text = "expected both columns `x` and `y`, got one of them";
                return Err(source.error(ErrorKind::Column, text));
            }
        };
        Ok(PlaceColumns {
            lesion: source.find(&["lesion"])?,
            weight: source.find(&["weight"])?,
            at,
        })
    }

    fn lesion<'a>(&self, fields: &'a Fields<'_>) -> Option<&'a str> {
        let text = self.lesion.map(|column| fields.text(column));
        text.filter(|name| !name.is_empty())
    }

    fn at(&self, fields: &Fields<'_>) -> Result<Option<[f64; 2]>, Error> {
        match self.at {
            Some((x, y)) if !(fields.text(x).is_empty() && fields.text(y).is_empty()) => {
                Ok(Some([fields.number(x)?, fields.number(y)?]))
            }
            _ => Ok(None),
        }
    }

    fn weight(&self, fields: &Fields<'_>) -> Result<Option<f64>, Error> {
        match self.weight {
            Some(column) if !fields.text(column).is_empty() => fields.number(column).map(Some),
            _ => Ok(None),
        }
    }
}

pub(super) fn read(source: &Source, input: Input, config: &ReadConfig) -> Result<MarkTable, Error> {
    if !config.group_columns.is_empty() || config.cluster_column.is_some() {
        let text = "expected ratings of whole cases where groups or clusters are named, got marks";
        return Err(source.error(ErrorKind::Config, text));
    }
    let mut cases = CaseColumns::of(source, config)?;
    let mut words = TruthWords::of(config);
    let truth = truth_column(source, config)?;
    let rating = rating_column(source, config)?;
    let reader = source.column_of(&["reader"])?;
    let modality = source.find(&["modality", "treatment"])?;
    let places = PlaceColumns::of(source)?;
    let mut builder = MarkBuilder::default();
    let mut said: HashMap<String, (bool, Row)> = HashMap::new();
    source.for_each(|fields| {
        let case = cases.key(fields)?;
        let present = words.read(fields, truth)?;
        let (before, row) = *said.entry(case.to_owned()).or_insert((present, fields.row));
        if before != present {
            let text = format!(
                "expected one truth per case, got {} for case `{case}` and {} in {row}",
                u8::from(present),
                u8::from(before)
            );
            return Err(fields.error(ErrorKind::Contradiction, truth, text));
        }
        let who = fields.name(reader, "a reader")?;
        let how = named(fields, modality, "a modality", ONLY_MODALITY)?;
        let (lesion, at) = (places.lesion(fields), places.at(fields)?);
        if is_truth(who, how) || (modality.is_none() && is_truth(who, who)) {
            let said_of = (case, present, truth);
            return add_truth(&mut builder, fields, &places, said_of);
        }
        let mark = MarkRow {
            reader: who,
            modality: how,
            case,
            lesion,
            at,
            rating: fields.number(rating)?,
        };
        builder.mark(&mark, fields.row);
        Ok(())
    })?;
    builder.finish(source, source, input, config)
}

/// A row of the reader `truth`: a lesion of the case, or none.
fn add_truth(
    builder: &mut MarkBuilder,
    fields: &Fields<'_>,
    places: &PlaceColumns,
    (case, present, truth): (&str, bool, usize),
) -> Result<(), Error> {
    let (lesion, at) = (places.lesion(fields), places.at(fields)?);
    if present != lesion.is_some() {
        let text = match present {
            true => "expected the lesion of a case with the disease, got an empty cell",
            false => "expected no lesion of a case without the disease, got one",
        };
        let column = places.lesion.unwrap_or(truth);
        return Err(fields.error(ErrorKind::Value, column, text));
    }
    let weight = places.weight(fields)?;
    let row = TruthRow {
        case,
        lesion,
        weight,
        at,
    };
    builder.truth(&row, fields.row);
    Ok(())
}

fn number(row: Row) -> u32 {
    match row {
        Row::Line(number) | Row::Row(number) => number,
    }
}
