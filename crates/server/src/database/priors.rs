//! Earlier studies of a patient: which are to be fetched for which study.

use rusqlite::{OptionalExtension, params};
use serde::Serialize;

use super::{Again, Database, Millis};
use crate::Error;

/// What a prior is called where a reason would stand.
const KEPT: &str = "fetched to be compared with: not read";

/// A study whose priors are to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetch {
    pub(crate) study: i64,
    pub(crate) key: String,
    /// This one included.
    pub(crate) attempts: u32,
    /// Content of an instance that says who the patient is.
    pub(crate) content: String,
    /// What its instances were made with.
    pub(crate) modalities: Vec<String>,
}

/// How the fetching of a study's priors stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct FetchRow {
    pub(crate) state: String,
    pub(crate) attempts: u32,
    /// Priors that the archive has sent or had sent before.
    pub(crate) found: u64,
    pub(crate) reason: Option<String>,
}

impl Database {
    /// Has the priors fetched of each study that is complete, once; a prior has none of its own.
    pub(crate) fn want_priors(&self) -> Result<usize, Error> {
        let new = "FROM study WHERE state = 'complete' AND prior = 0 \
                   AND id NOT IN (SELECT study FROM fetch)";
        let waiting = format!("SELECT EXISTS (SELECT 1 {new})");
        let reader = self.reader();
        if !reader.query_row(&waiting, [], |row| row.get::<_, bool>(0))? {
            return Ok(0);
        }
        drop(reader);
        let insert = format!("INSERT INTO fetch (study, state) SELECT id, 'queued' {new}");
        self.change(|t| t.execute(&insert, []))
    }

    /// Priors that are complete are done: nobody reads them.
    pub(crate) fn keep_priors(&self, now: Millis) -> Result<usize, Error> {
        let waiting = "SELECT EXISTS (SELECT 1 FROM study WHERE state = 'complete' AND prior = 1)";
        let reader = self.reader();
        if !reader.query_row(waiting, [], |row| row.get::<_, bool>(0))? {
            return Ok(0);
        }
        drop(reader);
        self.change(|t| {
            t.execute(
                "UPDATE study SET state = 'done', reason = ?1, changed_at = ?2 \
                 WHERE state = 'complete' AND prior = 1",
                params![KEPT, now],
            )
        })
    }

    /// What a crash has left running waits again.
    pub(crate) fn resume_fetching(&self) -> Result<usize, Error> {
        self.change(|t| {
            t.execute(
                "UPDATE fetch SET state = 'queued' WHERE state = 'running'",
                [],
            )
        })
    }

    /// Takes the study that has waited longest for its priors.
    pub(crate) fn take_fetch(&self, now: Millis) -> Result<Option<Fetch>, Error> {
        let next = "SELECT study FROM fetch WHERE state = 'queued' AND not_before <= ?1 \
                    ORDER BY not_before, study LIMIT 1";
        let waiting = self
            .reader()
            .query_row(next, [now], |row| row.get::<_, i64>(0));
        let Some(study) = waiting.optional()? else {
            return Ok(None);
        };
        let instances = "SELECT sha256, modality FROM instance WHERE study = ?1 ORDER BY uid";
        self.change(|t| {
            let (key, attempts) = t.query_row(
                "UPDATE fetch SET state = 'running', attempts = attempts + 1, reason = NULL \
                 WHERE study = ?1 RETURNING \
                 (SELECT key FROM study WHERE id = ?1), attempts",
                [study],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            let mut statement = t.prepare(instances)?;
            let rows = statement.query_map([study], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let rows: Vec<(String, String)> = rows.collect::<Result<_, _>>()?;
            let Some((content, _)) = rows.first() else {
                return Ok(None);
            };
            let mut modalities: Vec<String> = rows.iter().map(|(_, m)| m.clone()).collect();
            modalities.sort();
            modalities.dedup();
            Ok(Some(Fetch {
                study,
                key,
                attempts,
                content: content.clone(),
                modalities,
            }))
        })
    }

    /// How many instances of a study are kept.
    pub(crate) fn kept_instances(&self, study_uid: &str) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM instance \
                   WHERE study = (SELECT id FROM study WHERE uid = ?1)";
        Ok(self
            .reader()
            .query_row(sql, [study_uid], |row| row.get(0))?)
    }

    /// From now on a study with this identifier that arrives is a prior, unless it is there already.
    pub(crate) fn expect_prior(&self, study_uid: &str, of: i64) -> Result<(), Error> {
        self.change(|t| {
            t.execute(
                "INSERT INTO wanted (uid, study) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                params![study_uid, of],
            )
        })?;
        Ok(())
    }

    /// Enters how many priors a study has now, and what there is to say of them.
    pub(crate) fn finish_fetch(
        &self,
        study: i64,
        found: usize,
        remark: Option<&str>,
    ) -> Result<(), Error> {
        self.change(|t| {
            t.execute(
                "UPDATE fetch SET state = 'done', found = ?2, reason = ?3 WHERE study = ?1",
                params![study, found, remark],
            )
        })?;
        Ok(())
    }

    /// Enters that fetching has failed.
    pub(crate) fn fail_fetch(&self, study: i64, reason: &str, again: Again) -> Result<(), Error> {
        let (state, not_before) = match again {
            Again::NotBefore(time) => ("queued", time),
            Again::Never => ("failed", 0),
        };
        self.change(|t| {
            t.execute(
                "UPDATE fetch SET state = ?2, not_before = ?3, reason = ?4 WHERE study = ?1",
                params![study, state, not_before, reason],
            )
        })?;
        Ok(())
    }

    /// How the fetching of a study's priors stands; nothing where none were asked for.
    pub(crate) fn fetching(&self, study: i64) -> Result<Option<FetchRow>, Error> {
        let sql = "SELECT state, attempts, found, reason FROM fetch WHERE study = ?1";
        let row = self.reader().query_row(sql, [study], |row| {
            Ok(FetchRow {
                state: row.get(0)?,
                attempts: row.get(1)?,
                found: row.get(2)?,
                reason: row.get(3)?,
            })
        });
        Ok(row.optional()?)
    }

    /// How many studies wait for their priors, and of how many these could not be had.
    pub(crate) fn fetch_backlog(&self) -> Result<(u64, u64), Error> {
        let sql = "SELECT count(*) FROM fetch WHERE state = ?1";
        let reader = self.reader();
        let count = |state: &str| reader.query_row(sql, [state], |row| row.get(0));
        Ok((count("queued")?, count("failed")?))
    }
}
