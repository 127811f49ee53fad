//! Lists of studies: which, in what order, how many there are; what has changed; what goes.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::studies::{STUDY, study_row};
use super::{Database, Entry, Millis, State, StudyRow};
use crate::Error;

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Order {
    /// Flagged first, then by score, those without one last.
    #[default]
    Suspicion,
    /// The last that began to arrive first.
    Arrival,
}

/// Which studies are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Filter {
    pub(crate) limit: u32,
    pub(crate) offset: u32,
    pub(crate) state: Option<State>,
    pub(crate) modality: Option<String>,
    pub(crate) flagged: Option<bool>,
    /// Part of the key or of the identifier.
    pub(crate) text: Option<String>,
    pub(crate) order: Order,
}

const WHICH: &str = "(?1 IS NULL OR study.state = ?1) AND (?2 IS NULL OR study.flagged = ?2) \
    AND (?3 IS NULL OR EXISTS (SELECT 1 FROM instance WHERE instance.study = study.id AND modality = ?3)) \
    AND (?4 IS NULL OR study.key LIKE ?4 ESCAPE '\\' OR study.uid LIKE ?4 ESCAPE '\\')";

/// A study whose state or result has changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Change {
    pub(crate) uid: String,
    pub(crate) state: String,
    pub(crate) score: Option<f64>,
    pub(crate) flagged: bool,
    #[serde(skip)]
    pub(crate) at: Millis,
}

/// What no row names any more once a study is gone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Leftover {
    pub(crate) contents: Vec<String>,
    pub(crate) results: Vec<String>,
}

impl Filter {
    /// Anywhere in the text; its own signs stand for themselves.
    fn pattern(&self) -> Option<String> {
        let text = self.text.as_ref()?;
        let plain = text
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        Some(format!("%{plain}%"))
    }
}

impl Database {
    pub(crate) fn studies(&self, filter: &Filter) -> Result<Vec<StudyRow>, Error> {
        let order = match filter.order {
            Order::Suspicion => "flagged DESC, score DESC, id",
            Order::Arrival => "first_arrival DESC, id DESC",
        };
        let sql = format!("{STUDY} WHERE {WHICH} ORDER BY {order} LIMIT ?5 OFFSET ?6");
        let reader = self.reader();
        let mut statement = reader.prepare_cached(&sql)?;
        let state = filter.state.map(State::name);
        let rows = statement.query_map(
            params![
                state,
                filter.flagged,
                filter.modality,
                filter.pattern(),
                filter.limit,
                filter.offset
            ],
            study_row,
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many a list has without its bounds.
    pub(crate) fn count(&self, filter: &Filter) -> Result<u64, Error> {
        let sql = format!("SELECT count(*) FROM study WHERE {WHICH}");
        let state = filter.state.map(State::name);
        let values = params![state, filter.flagged, filter.modality, filter.pattern()];
        Ok(self.reader().query_row(&sql, values, |row| row.get(0))?)
    }

    /// A number that changes when somebody has written to the database.
    pub(crate) fn version(&self) -> Result<i64, Error> {
        let reader = self.reader();
        Ok(reader.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// Studies that have changed since.
    pub(crate) fn changes(&self, since: Millis) -> Result<Vec<Change>, Error> {
        let sql = "SELECT uid, state, score, flagged, changed_at FROM study \
                   WHERE changed_at >= ?1 ORDER BY changed_at";
        let reader = self.reader();
        let mut statement = reader.prepare_cached(sql)?;
        let rows = statement.query_map([since], |row| {
            Ok(Change {
                uid: row.get(0)?,
                state: row.get(1)?,
                score: row.get(2)?,
                flagged: row.get(3)?,
                at: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Removes a study with everything of it; none where there is no such study. A job that works
    /// on it finds that it is gone.
    pub(crate) fn delete(
        &self,
        uid: &str,
        entry: &Entry<'_>,
        now: Millis,
    ) -> Result<Option<Leftover>, Error> {
        self.change(|t| {
            let study = t.query_row("SELECT id FROM study WHERE uid = ?1", [uid], |row| {
                row.get(0)
            });
            let Some(study): Option<i64> = study.optional()? else {
                return Ok(None);
            };
            let texts = |sql: &str| -> rusqlite::Result<BTreeSet<String>> {
                t.prepare(sql)?
                    .query_map([study], |row| row.get(0))?
                    .collect()
            };
            let contents = texts("SELECT sha256 FROM instance WHERE study = ?1")?;
            let results = texts(
                "SELECT result FROM study WHERE id = ?1 AND result IS NOT NULL \
                 UNION SELECT result FROM shadow WHERE study = ?1 AND result IS NOT NULL",
            )?;
            t.execute("DELETE FROM study WHERE id = ?1", [study])?;
            let mut named =
                t.prepare("SELECT EXISTS (SELECT 1 FROM instance WHERE sha256 = ?1)")?;
            let mut leftover = Leftover {
                contents: Vec::new(),
                results: results.into_iter().collect(),
            };
            for content in contents {
                if !named.query_row([&content], |row| row.get::<_, bool>(0))? {
                    leftover.contents.push(content);
                }
            }
            entry.append(t, now)?;
            Ok(Some(leftover))
        })
    }

    /// The studies that arrived longest ago and are over: those that go first.
    pub(crate) fn oldest(&self, before: Millis, limit: u32) -> Result<Vec<String>, Error> {
        self.texts(
            "SELECT uid FROM study WHERE state IN ('done', 'failed') AND last_arrival < ?1 \
             ORDER BY last_arrival, id LIMIT ?2",
            &[&before, &limit],
        )
    }
}
