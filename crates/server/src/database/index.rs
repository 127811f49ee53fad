//! What searches find: entries of instances that arrived and of objects that results hold.

use std::path::PathBuf;

use lobule_dicomio::web::Entry;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::Database;
use crate::Error;

/// Where the bytes of an object are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the store, by their hash.
    Store(String),
    /// Below the folder of results: the result's folder and the file in it.
    Result(String),
}

/// An object of a result that is to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResultObject {
    pub(crate) entry: Entry,
    /// The file below the folder of results.
    pub(crate) file: String,
}

/// An object that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) study_uid: String,
    pub(crate) series_uid: String,
    pub(crate) uid: String,
    pub(crate) class_uid: String,
    pub(crate) syntax_uid: String,
    pub(crate) number: Option<i64>,
    pub(crate) place: Place,
}

/// What of a study is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) study: String,
    pub(crate) series: Option<String>,
    pub(crate) instance: Option<String>,
}

/// What has still to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Unindexed {
    /// Instances with their contents.
    pub(crate) instances: Vec<(String, String)>,
    /// Studies with the folders of their results.
    pub(crate) results: Vec<(i64, String)>,
}

/// Enters an object under its study and series, which are made where they are new.
pub(super) fn enter(
    t: &Transaction<'_>,
    study: i64,
    entry: &Entry,
    place: &Place,
) -> rusqlite::Result<()> {
    enter_study(t, study, entry)?;
    let series = enter_series(t, study, entry)?;
    let (sha256, file) = match place {
        Place::Store(sha256) => (Some(sha256), None),
        Place::Result(file) => (None, Some(file)),
    };
    // What arrived stands before a result's object of the same identifier.
    t.prepare_cached(
        "INSERT INTO object (series, uid, class, syntax, number, sha256, result_file, attributes) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (uid) DO UPDATE SET \
         sha256 = excluded.sha256, result_file = NULL WHERE excluded.sha256 IS NOT NULL",
    )?
    .execute(params![
        series,
        entry.keys.instance_uid,
        entry.keys.class_uid,
        entry.syntax_uid,
        entry.instance.number,
        sha256,
        file,
        entry.instance.attributes,
    ])?;
    Ok(())
}

fn enter_study(t: &Transaction<'_>, study: i64, entry: &Entry) -> rusqlite::Result<()> {
    let one = &entry.study;
    t.prepare_cached(
        "INSERT INTO study_index (study, uid, date, time, accession, referring, patient_name, \
         patient_id, ident, description, attributes) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (study) DO NOTHING",
    )?
    .execute(params![
        study,
        entry.keys.study_uid,
        one.date,
        one.time,
        one.accession_number,
        one.referring_physician,
        one.patient_name,
        one.patient_id,
        one.id,
        one.description,
        one.attributes,
    ])?;
    Ok(())
}

fn enter_series(t: &Transaction<'_>, study: i64, entry: &Entry) -> rusqlite::Result<i64> {
    let known = t
        .prepare_cached("SELECT id FROM series WHERE study = ?1 AND uid = ?2")?
        .query_row(params![study, entry.keys.series_uid], |row| row.get(0));
    if let Some(known) = known.optional()? {
        return Ok(known);
    }
    t.prepare_cached(
        "INSERT INTO series (study, uid, modality, number, attributes) \
         VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
    )?
    .query_row(
        params![
            study,
            entry.keys.series_uid,
            entry.keys.modality,
            entry.series.number,
            entry.series.attributes,
        ],
        |row| row.get(0),
    )
}

/// The objects of a study's result take the place of those of the last one.
pub(super) fn replace_results(
    t: &Transaction<'_>,
    study: i64,
    objects: &[ResultObject],
) -> rusqlite::Result<()> {
    t.execute(
        "DELETE FROM object WHERE result_file IS NOT NULL \
         AND series IN (SELECT id FROM series WHERE study = ?1)",
        [study],
    )?;
    for object in objects {
        let place = Place::Result(object.file.clone());
        enter(t, study, &object.entry, &place)?;
    }
    t.execute("DELETE FROM unindexed_result WHERE study = ?1", [study])?;
    Ok(())
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let sha256: Option<String> = row.get(6)?;
    let file: Option<String> = row.get(7)?;
    Ok(Kept {
        study_uid: row.get(0)?,
        series_uid: row.get(1)?,
        uid: row.get(2)?,
        class_uid: row.get(3)?,
        syntax_uid: row.get(4)?,
        number: row.get(5)?,
        place: match sha256 {
            Some(sha256) => Place::Store(sha256),
            None => Place::Result(file.unwrap_or_default()),
        },
    })
}

impl Database {
    /// The objects of a study, a series, or one, in the order they came.
    pub(crate) fn objects(&self, target: &Target) -> Result<Vec<Kept>, Error> {
        let sql = "SELECT s.uid, e.uid, o.uid, o.class, o.syntax, o.number, o.sha256, o.result_file \
            FROM study_index s INDEXED BY study_index_by_uid \
            CROSS JOIN series e INDEXED BY series_by_study ON e.study = s.study \
            CROSS JOIN object o INDEXED BY object_by_series ON o.series = e.id \
            WHERE s.uid = ?1 AND (?2 IS NULL OR e.uid = ?2) AND (?3 IS NULL OR o.uid = ?3) \
            ORDER BY e.id, o.id";
        let searcher = self.searcher();
        let mut statement = searcher.prepare_cached(sql)?;
        let rows =
            statement.query_map(params![target.study, target.series, target.instance], kept)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a study is known under another Patient ID: searches find it under that one alone.
    pub(crate) fn is_of_other_patient(&self, one: &Entry) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM study_index WHERE uid = ?1 AND patient_id <> ?2)";
        let values = params![one.keys.study_uid, one.study.patient_id];
        Ok(self.searcher().query_row(sql, values, |row| row.get(0))?)
    }

    /// Some of what was there before searches were, at most `most` of each kind.
    pub(crate) fn unindexed(&self, most: u32) -> Result<Unindexed, Error> {
        let reader = self.reader();
        let instances = "SELECT uid, sha256 FROM unindexed JOIN instance ON instance.uid = unindexed.instance LIMIT ?1";
        let results = "SELECT id, result FROM unindexed_result JOIN study ON study.id = unindexed_result.study \
                       WHERE result IS NOT NULL LIMIT ?1";
        let mut statement = reader.prepare_cached(instances)?;
        let instances = statement.query_map([most], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let instances = instances.collect::<Result<_, _>>()?;
        let mut statement = reader.prepare_cached(results)?;
        let results = statement.query_map([most], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Unindexed {
            instances,
            results: results.collect::<Result<_, _>>()?,
        })
    }

    /// Enters instances that were there before. Those without an entry could not be read.
    pub(crate) fn index_instances(
        &self,
        read: &[(String, String, Option<Entry>)],
    ) -> Result<(), Error> {
        self.change(|t| {
            for (uid, sha256, entry) in read {
                t.execute("DELETE FROM unindexed WHERE instance = ?1", [uid])?;
                let study = "SELECT study FROM instance WHERE uid = ?1";
                let study: Option<i64> = t.query_row(study, [uid], |row| row.get(0)).optional()?;
                if let (Some(study), Some(entry)) = (study, entry) {
                    enter(t, study, entry, &Place::Store(sha256.clone()))?;
                }
            }
            Ok(())
        })
    }

    /// Enters the objects of a result that was there before, unless it was replaced since.
    pub(crate) fn index_result(
        &self,
        study: i64,
        result: &str,
        objects: &[ResultObject],
    ) -> Result<(), Error> {
        self.change(|t| {
            let current = "SELECT EXISTS (SELECT 1 FROM study WHERE id = ?1 AND result = ?2)";
            match t.query_row(current, params![study, result], |row| row.get(0))? {
                true => replace_results(t, study, objects),
                false => Ok(()),
            }
        })
    }
}

impl Place {
    /// The file of an object.
    pub(crate) fn path(&self, store: &crate::store::Store) -> PathBuf {
        match self {
            Place::Store(sha256) => store.instance(sha256),
            Place::Result(file) => store.result(file),
        }
    }
}
