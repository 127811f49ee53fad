//! Studies and their instances.

use std::collections::HashSet;

use lobule_dicomio::web::Entry;
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::index::{self, Place};
use super::{Database, Millis};
use crate::Error;
use crate::routing::Origin;

/// Where a study stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Arriving,
    Complete,
    Queued,
    Running,
    Done,
    Failed,
}

impl State {
    pub(crate) const ALL: [State; 6] = [
        State::Arriving,
        State::Complete,
        State::Queued,
        State::Running,
        State::Done,
        State::Failed,
    ];

    /// The stable name used in the database and in answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Arriving => "arriving",
            State::Complete => "complete",
            State::Queued => "queued",
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
        }
    }

    pub(super) fn of(name: &str) -> State {
        let known = State::ALL.into_iter().find(|state| state.name() == name);
        known.expect("the schema allows no other state")
    }
}

/// An instance that is in the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived<'a> {
    pub(crate) study_uid: &'a str,
    pub(crate) study_key: &'a str,
    pub(crate) instance_uid: &'a str,
    pub(crate) class_uid: &'a str,
    pub(crate) modality: &'a str,
    pub(crate) sha256: &'a str,
    pub(crate) bytes: u64,
    /// The title of whoever sent it.
    pub(crate) source: &'a str,
    /// What searches find it by.
    pub(crate) entry: &'a Entry,
}

/// What an arrival was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    New,
    /// The same bytes are there.
    Known,
    /// Other bytes are there under the same identifier; they are kept.
    KnownWithOtherContent,
}

/// A study as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct StudyRow {
    #[serde(skip)]
    pub(crate) id: i64,
    #[serde(rename = "study_uid")]
    pub(crate) uid: String,
    pub(crate) key: String,
    pub(crate) state: State,
    /// What its instances were made with, by DICOM's codes.
    pub(crate) modalities: String,
    pub(crate) instances: u64,
    /// Instances the result is of.
    pub(crate) read_instances: u64,
    pub(crate) first_arrival_ms: Millis,
    pub(crate) last_arrival_ms: Millis,
    pub(crate) score: Option<f64>,
    pub(crate) flagged: bool,
    /// Whether an image shows no patient.
    pub(crate) synthetic: bool,
    /// Whether it was fetched to be compared with another one.
    pub(crate) prior: bool,
    pub(crate) reason: Option<String>,
    /// Folder of the result.
    #[serde(skip)]
    pub(crate) result: Option<String>,
}

/// An instance of a study and where its bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) uid: String,
    pub(crate) sha256: String,
}

/// The sending of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Delivery {
    pub(crate) destination: String,
    pub(crate) state: String,
    pub(crate) attempts: u32,
    pub(crate) reason: Option<String>,
}

pub(super) const STUDY: &str = "SELECT id, uid, key, state, \
    (SELECT count(*) FROM instance WHERE instance.study = study.id), \
    read, first_arrival, last_arrival, score, flagged, reason, result, \
    (SELECT coalesce(group_concat(DISTINCT modality), '') FROM instance WHERE instance.study = study.id), \
    synthetic, prior FROM study";

pub(super) fn study_row(row: &Row<'_>) -> rusqlite::Result<StudyRow> {
    let state: String = row.get(3)?;
    Ok(StudyRow {
        id: row.get(0)?,
        uid: row.get(1)?,
        key: row.get(2)?,
        state: State::of(&state),
        instances: row.get(4)?,
        read_instances: row.get(5)?,
        first_arrival_ms: row.get(6)?,
        last_arrival_ms: row.get(7)?,
        score: row.get(8)?,
        flagged: row.get(9)?,
        reason: row.get(10)?,
        result: row.get(11)?,
        modalities: row.get(12)?,
        synthetic: row.get(13)?,
        prior: row.get(14)?,
    })
}

impl Database {
    /// What is known of an instance: the hash of its content.
    pub(crate) fn content_of(&self, instance_uid: &str) -> Result<Option<String>, Error> {
        let sql = "SELECT sha256 FROM instance WHERE uid = ?1";
        let reader = self.reader();
        let found = reader.query_row(sql, [instance_uid], |row| row.get(0));
        Ok(found.optional()?)
    }

    /// Whether a row names this content.
    pub(crate) fn has_content(&self, sha256: &str) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM instance WHERE sha256 = ?1)";
        Ok(self.reader().query_row(sql, [sha256], |row| row.get(0))?)
    }

    /// Enters an instance, durably once [`Database::settle`] has returned. Its study waits for more
    /// again, unless it is being read: then it waits once that is over.
    pub(crate) fn arrive(&self, one: Arrived<'_>, now: Millis) -> Result<Arrival, Error> {
        self.change_soon(|t| {
            let known = t.query_row(
                "SELECT sha256 FROM instance WHERE uid = ?1",
                [one.instance_uid],
                |row| row.get::<_, String>(0),
            );
            if let Some(known) = known.optional()? {
                return Ok(match known == one.sha256 {
                    true => Arrival::Known,
                    false => Arrival::KnownWithOtherContent,
                });
            }
            let study: i64 = t.query_row(
                "INSERT INTO study (uid, key, state, first_arrival, last_arrival, changed_at, prior) \
                 VALUES (?1, ?2, 'arriving', ?3, ?3, ?3, \
                 EXISTS (SELECT 1 FROM wanted WHERE wanted.uid = ?1)) \
                 ON CONFLICT (uid) DO UPDATE SET last_arrival = ?3, changed_at = ?3, \
                 state = CASE state WHEN 'running' THEN state ELSE 'arriving' END \
                 RETURNING id",
                params![one.study_uid, one.study_key, now],
                |row| row.get(0),
            )?;
            t.execute(
                "INSERT INTO instance (uid, study, sha256, bytes, class, modality, arrived_at, source) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    one.instance_uid,
                    study,
                    one.sha256,
                    one.bytes,
                    one.class_uid,
                    one.modality,
                    now,
                    one.source
                ],
            )?;
            index::enter(t, study, one.entry, &Place::Store(one.sha256.to_owned()))?;
            t.execute(
                "DELETE FROM job WHERE study = ?1 AND kind = 'assess' AND state = 'queued'",
                [study],
            )?;
            Ok(Arrival::New)
        })
    }

    /// Studies of which nothing has arrived since `before` are complete.
    pub(crate) fn complete(&self, before: Millis, now: Millis) -> Result<usize, Error> {
        let waiting =
            "SELECT EXISTS (SELECT 1 FROM study WHERE state = 'arriving' AND last_arrival <= ?1)";
        if !self
            .reader()
            .query_row(waiting, [before], |row| row.get::<_, bool>(0))?
        {
            return Ok(0);
        }
        self.change(|t| {
            t.execute(
                "UPDATE study SET state = 'complete', changed_at = ?2 \
                 WHERE state = 'arriving' AND last_arrival <= ?1",
                [before, now],
            )
        })
    }

    /// The study with this identifier.
    pub(crate) fn study(&self, uid: &str) -> Result<Option<StudyRow>, Error> {
        let sql = format!("{STUDY} WHERE uid = ?1");
        let found = self.reader().query_row(&sql, [uid], study_row);
        Ok(found.optional()?)
    }

    /// How many studies are in each state.
    pub(crate) fn counts(&self) -> Result<Vec<(State, u64)>, Error> {
        let sql = "SELECT count(*) FROM study WHERE state = ?1";
        let reader = self.reader();
        let count = |state: State| {
            let count = reader.query_row(sql, [state.name()], |row| row.get(0))?;
            Ok((state, count))
        };
        State::ALL.into_iter().map(count).collect()
    }

    /// Number and bytes of all instances.
    pub(crate) fn volume(&self) -> Result<(u64, u64), Error> {
        let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM instance";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(self.reader().query_row(sql, [], read)?)
    }

    /// The sendings of a study's result.
    pub(crate) fn deliveries(&self, study: i64) -> Result<Vec<Delivery>, Error> {
        let sql = "SELECT destination, state, attempts, reason FROM job \
                   WHERE study = ?1 AND kind = 'send' ORDER BY destination";
        let reader = self.reader();
        let mut statement = reader.prepare_cached(sql)?;
        let rows = statement.query_map([study], |row| {
            Ok(Delivery {
                destination: row.get(0)?,
                state: row.get(1)?,
                attempts: row.get(2)?,
                reason: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Contents of a study's instances, in the order of their arrival.
    pub(crate) fn contents(&self, study: i64) -> Result<Vec<Content>, Error> {
        let sql = "SELECT uid, sha256 FROM instance WHERE study = ?1 ORDER BY arrived_at, uid";
        let reader = self.reader();
        let mut statement = reader.prepare_cached(sql)?;
        let rows = statement.query_map([study], |row| {
            Ok(Content {
                uid: row.get(0)?,
                sha256: row.get(1)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What rules on a study are about.
    pub(crate) fn origins(&self, study: i64) -> Result<Vec<Origin>, Error> {
        let sql = "SELECT modality, source, sha256 FROM instance WHERE study = ?1 ORDER BY arrived_at, uid";
        let reader = self.reader();
        let mut statement = reader.prepare_cached(sql)?;
        let rows = statement.query_map([study], |row| {
            Ok(Origin {
                modality: row.get(0)?,
                source: row.get(1)?,
                sha256: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Every content that a row names.
    pub(crate) fn all_contents(&self) -> Result<HashSet<String>, Error> {
        let all = self.texts("SELECT DISTINCT sha256 FROM instance", &[])?;
        Ok(all.into_iter().collect())
    }

    /// Every folder with a result that a row names.
    pub(crate) fn all_results(&self) -> Result<HashSet<String>, Error> {
        let sql = "SELECT result FROM study WHERE result IS NOT NULL \
                   UNION SELECT result FROM shadow WHERE result IS NOT NULL";
        Ok(self.texts(sql, &[])?.into_iter().collect())
    }

    pub(super) fn texts(
        &self,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<String>, Error> {
        let reader = self.reader();
        let mut statement = reader.prepare_cached(sql)?;
        let rows = statement.query_map(values, |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
