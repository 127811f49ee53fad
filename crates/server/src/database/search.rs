//! Searches over the web (QIDO-RS): which index leads to the matches, and the statement for it.
//!
//! One condition leads: the one whose index leaves the fewest studies, series or objects to look at.
//! The others are checked on what it leads to. The statement names the index, so that SQLite fails
//! instead of reading whole tables. Where no condition has an index (a piece of a text that is
//! shorter than three signs), only the newest studies are looked at, and the answer says so.

use lobule_dicomio::web::{Condition, Field, Level, Query, Test};
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

use super::Database;
use crate::Error;

/// Most matches of an answer.
const MOST_MATCHES: u32 = 5000;
/// How many of the newest are looked at where no index leads.
const NEWEST: u32 = 5000;
/// Signs that follow each other which the index of text needs.
const TRIGRAM: usize = 3;
/// A range of days up to which the date leads.
const SHORT_RANGE: usize = 62;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Matches {
    pub(crate) matches: Vec<Match>,
    /// Whether there are more behind the last one.
    pub(crate) more: bool,
    /// Whether only the newest were looked at.
    pub(crate) only_newest: bool,
}

/// One match; what lies below the level of the search is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Match {
    pub(crate) study_uid: String,
    pub(crate) study: String,
    pub(crate) modalities: Vec<String>,
    pub(crate) n_series: u64,
    pub(crate) n_instances: u64,
    pub(crate) series_uid: String,
    pub(crate) series: String,
    pub(crate) n_series_instances: u64,
    pub(crate) instance_uid: String,
    pub(crate) instance: String,
    pub(crate) syntax_uid: String,
}

/// The index that leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lead {
    /// An index of studies; the columns it is in the order of.
    Study(&'static str, &'static str),
    /// The index of pieces of text.
    Text,
    /// One modality, by date.
    Modality,
    /// One of several modalities.
    Modalities,
    Series(&'static str),
    Object(&'static str),
    /// All studies, the newest first.
    Newest,
    AllSeries,
    AllObjects,
}

/// A statement and its values.
#[derive(Debug, Clone, PartialEq)]
struct Statement {
    sql: String,
    values: Vec<Value>,
    only_newest: bool,
}

impl Database {
    /// Finds what a query asks for.
    pub(crate) fn search(&self, level: Level, query: &Query) -> Result<Matches, Error> {
        let limit = query.limit.unwrap_or(MOST_MATCHES).min(MOST_MATCHES);
        let statement = statement(level, query, limit + 1);
        let searcher = self.searcher();
        let mut prepared = searcher.prepare_cached(&statement.sql)?;
        let rows =
            prepared.query_map(params_from_iter(statement.values), |row| read(row, level))?;
        let mut matches: Vec<Match> = rows.collect::<Result<_, _>>()?;
        let more = matches.len() > limit as usize;
        matches.truncate(limit as usize);
        Ok(Matches {
            matches,
            more,
            only_newest: statement.only_newest,
        })
    }
}

fn read(row: &Row<'_>, level: Level) -> rusqlite::Result<Match> {
    let mut found = Match {
        study_uid: row.get(0)?,
        study: row.get(1)?,
        ..Match::default()
    };
    if level == Level::Study {
        let modalities: Option<String> = row.get(2)?;
        let modalities = modalities.unwrap_or_default();
        found.modalities = modalities
            .split(',')
            .filter(|m| !m.is_empty())
            .map(str::to_owned)
            .collect();
        found.n_series = row.get(3)?;
        found.n_instances = row.get(4)?;
    }
    if level >= Level::Series {
        found.series_uid = row.get(2)?;
        found.series = row.get(3)?;
        found.n_series_instances = row.get(4)?;
    }
    if level == Level::Instance {
        found.instance_uid = row.get(5)?;
        found.instance = row.get(6)?;
        found.syntax_uid = row.get(7)?;
    }
    Ok(found)
}

fn statement(level: Level, query: &Query, limit: u32) -> Statement {
    let conditions = &query.conditions;
    let (lead, leading) = lead(level, conditions);
    let mut wheres = Vec::new();
    let mut values = Vec::new();
    let mut n_modalities = 0;
    if lead == Lead::Modalities
        && let Some(Condition {
            test: Test::OneOf(modalities),
            ..
        }) = leading
    {
        n_modalities = modalities.len();
        values.extend(modalities.iter().cloned().map(Value::Text));
    }
    if lead == Lead::Text
        && let Some(Condition {
            field,
            test: Test::Pattern(pattern),
        }) = leading
    {
        wheres.push(format!("f.{} GLOB ?", text_column(*field)));
        values.push(Value::Text(glob(pattern)));
    }
    for condition in conditions {
        if lead == Lead::Modalities && leading == Some(condition) {
            continue;
        }
        restrict(lead, condition, &mut wheres, &mut values);
    }
    let only_newest = lead.is_all() && !conditions.is_empty();
    let columns = match level {
        Level::Study => {
            "s.uid, s.attributes, \
             (SELECT group_concat(DISTINCT modality) FROM series WHERE series.study = s.study), \
             (SELECT count(*) FROM series WHERE series.study = s.study), \
             (SELECT coalesce(sum(objects), 0) FROM series WHERE series.study = s.study)"
        }
        Level::Series => "s.uid, s.attributes, e.uid, e.attributes, e.objects",
        Level::Instance => {
            "s.uid, s.attributes, e.uid, e.attributes, e.objects, o.uid, o.attributes, o.syntax"
        }
    };
    let wheres = match wheres.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", wheres.join(" AND ")),
    };
    let tables = tables(lead, level, only_newest, n_modalities);
    let order = order(lead, level);
    let offset = query.offset;
    Statement {
        sql: format!(
            "SELECT {columns} FROM {tables}{wheres} ORDER BY {order} LIMIT {limit} OFFSET {offset}"
        ),
        values,
        only_newest,
    }
}

impl Lead {
    fn is_all(self) -> bool {
        matches!(self, Lead::Newest | Lead::AllSeries | Lead::AllObjects)
    }
}

/// Which index leads, and the condition that it is of.
fn lead(level: Level, conditions: &[Condition]) -> (Lead, Option<&Condition>) {
    let ranked = conditions.iter().filter_map(|one| Some((rank(one)?, one)));
    if let Some(((_, lead), one)) = ranked.min_by_key(|((rank, _), _)| *rank) {
        // The newest of a modality are found by both.
        let by_date = matches!(lead, Lead::Study("study_index_by_date", _));
        let modality = conditions.iter().find(|c| is_one_modality(c));
        return match modality {
            Some(modality) if by_date => (Lead::Modality, Some(modality)),
            _ => (lead, Some(one)),
        };
    }
    let of_study = conditions.iter().any(|c| c.field.level() == Level::Study);
    let lead = match level {
        _ if of_study => Lead::Newest,
        Level::Study => Lead::Newest,
        Level::Series => Lead::AllSeries,
        Level::Instance => Lead::AllObjects,
    };
    (lead, None)
}

fn is_one_modality(condition: &Condition) -> bool {
    let is_one = matches!(&condition.test, Test::OneOf(values) if values.len() == 1);
    condition.field == Field::ModalitiesInStudy && is_one
}

/// How far a condition leads, the least being the best; none where it has no index.
fn rank(condition: &Condition) -> Option<(u8, Lead)> {
    let exact = matches!(condition.test, Test::OneOf(_));
    let Condition { field, test } = condition;
    let of_study = |exact_rank: u8, pattern_rank: u8, index, column| match test {
        Test::OneOf(_) => Some((exact_rank, Lead::Study(index, column))),
        Test::Pattern(pattern) if !prefix(pattern).is_empty() => {
            Some((pattern_rank, Lead::Study(index, column)))
        }
        Test::Pattern(pattern) if has_trigram(pattern) => Some((pattern_rank + 1, Lead::Text)),
        _ => None,
    };
    match field {
        Field::InstanceUid => Some((0, Lead::Object("object_by_uid"))),
        Field::SeriesUid => Some((1, Lead::Series("series_by_uid"))),
        Field::StudyUid => Some((2, Lead::Study("study_index_by_uid", "s.uid"))),
        Field::PatientId => of_study(3, 7, "study_index_by_patient_id", "s.patient_id, s.study"),
        Field::AccessionNumber => {
            of_study(4, 9, "study_index_by_accession", "s.accession, s.study")
        }
        Field::PatientName => of_study(
            5,
            11,
            "study_index_by_patient_name",
            "s.patient_name, s.study",
        ),
        Field::StudyId => of_study(6, 13, "study_index_by_ident", "s.ident, s.study"),
        Field::StudyDate => {
            let rank = if is_short(test) { 15 } else { 40 };
            Some((rank, Lead::Study("study_index_by_date", BY_DATE)))
        }
        Field::ReferringPhysician => {
            of_study(20, 22, "study_index_by_referring", "s.referring, s.study")
        }
        Field::StudyDescription => of_study(
            24,
            26,
            "study_index_by_description",
            "s.description, s.study",
        ),
        Field::ModalitiesInStudy if is_one_modality(condition) => Some((42, Lead::Modality)),
        Field::ModalitiesInStudy if exact => Some((43, Lead::Modalities)),
        Field::StudyTime => Some((44, Lead::Study("study_index_by_time", "s.time, s.study"))),
        Field::Modality if exact => Some((45, Lead::Series("series_by_modality"))),
        Field::ClassUid => Some((46, Lead::Object("object_by_class"))),
        Field::SeriesNumber => Some((47, Lead::Series("series_by_number"))),
        Field::InstanceNumber => Some((48, Lead::Object("object_by_number"))),
        Field::ModalitiesInStudy | Field::Modality => None,
    }
}

const BY_DATE: &str = "s.date DESC, s.time DESC, s.study";

/// Whether a range of days is short; months are taken as 31 days.
fn is_short(test: &Test) -> bool {
    let Test::Range {
        from: Some(from),
        to: Some(to),
    } = test
    else {
        return false;
    };
    let day = |text: &str| {
        let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<usize>().ok();
        Some((part(0..4)? * 12 + part(4..6)?) * 31 + part(6..8)?)
    };
    match (day(from), day(to)) {
        (Some(from), Some(to)) => to.saturating_sub(from) <= SHORT_RANGE,
        _ => false,
    }
}

fn prefix(pattern: &str) -> &str {
    let end = pattern.find(['*', '?']).unwrap_or(pattern.len());
    &pattern[..end]
}

fn has_trigram(pattern: &str) -> bool {
    let mut pieces = pattern.split(['*', '?', '[']);
    pieces.any(|piece| piece.chars().count() >= TRIGRAM)
}

/// A pattern for SQLite's GLOB, which knows one sign more.
fn glob(pattern: &str) -> String {
    pattern.replace('[', "[[]")
}

fn text_column(field: Field) -> &'static str {
    column(field).trim_start_matches("s.")
}

fn column(field: Field) -> &'static str {
    match field {
        Field::StudyUid => "s.uid",
        Field::StudyDate => "s.date",
        Field::StudyTime => "s.time",
        Field::AccessionNumber => "s.accession",
        Field::ReferringPhysician => "s.referring",
        Field::PatientName => "s.patient_name",
        Field::PatientId => "s.patient_id",
        Field::StudyId => "s.ident",
        Field::StudyDescription => "s.description",
        Field::SeriesUid => "e.uid",
        Field::Modality => "e.modality",
        Field::SeriesNumber => "e.number",
        Field::InstanceUid => "o.uid",
        Field::ClassUid => "o.class",
        Field::InstanceNumber => "o.number",
        Field::ModalitiesInStudy => "m.modality",
    }
}

/// Adds what a condition says of the rows.
fn restrict(lead: Lead, one: &Condition, wheres: &mut Vec<String>, values: &mut Vec<Value>) {
    // A date is found in the order of a modality's studies as well.
    let column = match (lead, one.field) {
        (Lead::Modality, Field::StudyDate) => "m.date",
        _ => column(one.field),
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let mut terms = Vec::new();
    match &one.test {
        Test::OneOf(options) => {
            let marks = vec!["?"; options.len()].join(", ");
            terms.push(match options.len() {
                1 => format!("{column} = ?"),
                _ => format!("{column} IN ({marks})"),
            });
            values.extend(options.iter().map(|o| text(o)));
        }
        Test::Pattern(pattern) => {
            terms.push(format!("{column} GLOB ?"));
            values.push(Value::Text(glob(pattern)));
            let start = prefix(pattern);
            if !start.is_empty() {
                terms.push(format!("{column} >= ? AND {column} < ?"));
                values.extend([text(start), Value::Text(format!("{start}{}", char::MAX))]);
            }
        }
        Test::Range { from, to } => {
            // What has no date or time lies in no range.
            terms.push(format!("{column} >= ?"));
            values.push(text(from.as_deref().unwrap_or("0")));
            if let Some(to) = to {
                terms.push(format!("{column} <= ?"));
                values.push(text(to));
            }
        }
        Test::Number(number) => {
            terms.push(format!("{column} = ?"));
            values.push(Value::Integer(*number));
        }
    }
    let all = terms.join(" AND ");
    let is_beside = one.field == Field::ModalitiesInStudy && !matches!(lead, Lead::Modality);
    wheres.push(match is_beside {
        true => format!(
            "EXISTS (SELECT 1 FROM study_modality m INDEXED BY study_modality_by_study \
             WHERE m.study = s.study AND {all})"
        ),
        false => all,
    });
}

/// The tables in the order they are looked at: SQLite keeps to it.
fn tables(lead: Lead, level: Level, only_newest: bool, n_modalities: usize) -> String {
    let by_date = "study_index s INDEXED BY study_index_by_date";
    let newest = |table: &str, order: &str| {
        format!("(SELECT {order} FROM {table} ORDER BY {order} DESC LIMIT {NEWEST}) n")
    };
    let (first, from) = match lead {
        Lead::Study(index, _) => (Level::Study, format!("study_index s INDEXED BY {index}")),
        Lead::Text => (
            Level::Study,
            "study_text f CROSS JOIN study_index s ON s.study = f.rowid".to_owned(),
        ),
        Lead::Modality => (
            Level::Study,
            "study_modality m CROSS JOIN study_index s ON s.study = m.study".to_owned(),
        ),
        Lead::Modalities => {
            let marks = vec!["?"; n_modalities].join(", ");
            let found =
                format!("SELECT DISTINCT study FROM study_modality WHERE modality IN ({marks})");
            let from = format!("({found}) n CROSS JOIN study_index s ON s.study = n.study");
            (Level::Study, from)
        }
        Lead::Newest if only_newest => (
            Level::Study,
            format!(
                "(SELECT s.study FROM {by_date} ORDER BY {BY_DATE} LIMIT {NEWEST}) n \
                 CROSS JOIN study_index s ON s.study = n.study"
            ),
        ),
        Lead::Newest => (Level::Study, by_date.to_owned()),
        Lead::Series(index) => (
            Level::Series,
            format!("series e INDEXED BY {index} CROSS JOIN study_index s ON s.study = e.study"),
        ),
        Lead::AllSeries => {
            let from = match only_newest {
                true => format!(
                    "{} CROSS JOIN series e ON e.id = n.id",
                    newest("series", "id")
                ),
                false => "series e".to_owned(),
            };
            (
                Level::Series,
                format!("{from} CROSS JOIN study_index s ON s.study = e.study"),
            )
        }
        Lead::Object(index) => (
            Level::Instance,
            of_object(&format!("object o INDEXED BY {index}")),
        ),
        Lead::AllObjects => {
            let from = match only_newest {
                true => format!(
                    "{} CROSS JOIN object o ON o.id = n.id",
                    newest("object", "id")
                ),
                false => "object o".to_owned(),
            };
            (Level::Instance, of_object(&from))
        }
    };
    let mut all = from;
    if first < Level::Series && level >= Level::Series {
        all.push_str(" CROSS JOIN series e INDEXED BY series_by_study ON e.study = s.study");
    }
    if first < Level::Instance && level == Level::Instance {
        all.push_str(" CROSS JOIN object o INDEXED BY object_by_series ON o.series = e.id");
    }
    all
}

fn of_object(from: &str) -> String {
    format!(
        "{from} CROSS JOIN series e ON e.id = o.series CROSS JOIN study_index s ON s.study = e.study"
    )
}

/// An order that the tables give by themselves, so that nothing is sorted, and pages fit together.
fn order(lead: Lead, level: Level) -> String {
    let first = match lead {
        Lead::Study(_, order) => order,
        Lead::Text => "f.rowid",
        Lead::Modality => "m.date DESC, m.time DESC, m.study",
        Lead::Modalities => "n.study",
        Lead::Newest => BY_DATE,
        Lead::Series(_) | Lead::AllSeries => "e.id",
        Lead::Object(_) | Lead::AllObjects => "o.id",
    };
    let rest = match (lead, level) {
        (Lead::Series(_) | Lead::AllSeries, Level::Instance) => ", o.id",
        (Lead::Series(_) | Lead::AllSeries | Lead::Object(_) | Lead::AllObjects, _) => "",
        (_, Level::Study) => "",
        (_, Level::Series) => ", e.id",
        (_, Level::Instance) => ", e.id, o.id",
    };
    format!("{first}{rest}")
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
