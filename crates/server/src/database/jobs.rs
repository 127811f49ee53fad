//! Jobs: who works on what, until when, how often it was tried.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::index::{ResultObject, replace_results};
use super::{Database, Entry, Millis, State};
use crate::Error;
use crate::reader::{Reading, Usable};

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Reads a study.
    Assess,
    /// Sends a study's result to a destination.
    Send,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Assess => "assess",
            Kind::Send => "send",
        }
    }
}

/// A job that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) job: i64,
    pub(crate) token: i64,
    pub(crate) study: i64,
    pub(crate) key: String,
    pub(crate) kind: Kind,
    /// Of a job that sends.
    pub(crate) destination: String,
    /// This one included.
    pub(crate) attempts: u32,
    /// Folder of the study's result.
    pub(crate) result: Option<String>,
    /// Whether that result is of the instances that are there now.
    pub(crate) is_of_the_same: bool,
}

/// Whether a job that failed is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    NotBefore(Millis),
    Never,
}

/// What asking for a study to be read came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Queued,
    Running,
    Unknown,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JobState {
    Queued,
    Running,
    Done,
    #[default]
    Failed,
}

impl JobState {
    fn name(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Running => "running",
            JobState::Done => "done",
            JobState::Failed => "failed",
        }
    }
}

/// A job as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct JobRow {
    pub(crate) study_uid: String,
    pub(crate) key: String,
    pub(crate) kind: String,
    /// Of a job that sends.
    pub(crate) destination: String,
    pub(crate) state: String,
    pub(crate) attempts: u32,
    /// When it is tried again, where it waits for that.
    pub(crate) not_before_ms: Millis,
    pub(crate) reason: Option<String>,
}

const JOB: &str = "SELECT study.uid, study.key, job.kind, job.destination, job.state, job.attempts, \
    job.not_before, job.reason FROM job JOIN study ON study.id = job.study";

fn job_row(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    Ok(JobRow {
        study_uid: row.get(0)?,
        key: row.get(1)?,
        kind: row.get(2)?,
        destination: row.get(3)?,
        state: row.get(4)?,
        attempts: row.get(5)?,
        not_before_ms: row.get(6)?,
        reason: row.get(7)?,
    })
}

/// What asking for another try came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retried {
    Queued,
    NothingFailed,
    Unknown,
}

impl Database {
    /// Puts complete studies into the queue.
    pub(crate) fn queue(&self, now: Millis) -> Result<usize, Error> {
        let waiting = "SELECT EXISTS (SELECT 1 FROM study WHERE state = 'complete')";
        if !self
            .reader()
            .query_row(waiting, [], |row| row.get::<_, bool>(0))?
        {
            return Ok(0);
        }
        self.change(|t| {
            t.execute(
                "INSERT INTO job (study, kind, state) \
                 SELECT id, 'assess', 'queued' FROM study WHERE state = 'complete' \
                 ON CONFLICT (study, kind, destination) DO UPDATE SET \
                 state = 'queued', attempts = 0, not_before = 0, reason = NULL",
                [],
            )?;
            t.execute(
                "UPDATE study SET state = 'queued', reason = NULL, changed_at = ?1 WHERE state = 'complete'",
                [now],
            )
        })
    }

    /// Takes the job that has waited longest.
    pub(crate) fn take(
        &self,
        kind: Kind,
        now: Millis,
        lease_until: Millis,
    ) -> Result<Option<Claim>, Error> {
        let next = "SELECT id FROM job WHERE state = 'queued' AND kind = ?1 AND not_before <= ?2 \
                    ORDER BY not_before, id LIMIT 1";
        let waiting = self
            .reader()
            .query_row(next, params![kind.name(), now], |row| row.get::<_, i64>(0));
        if waiting.optional()?.is_none() {
            return Ok(None);
        }
        self.change(|t| {
            let job = t.query_row(next, params![kind.name(), now], |row| row.get::<_, i64>(0));
            let Some(job) = job.optional()? else {
                return Ok(None);
            };
            t.execute(
                "UPDATE job SET state = 'running', attempts = attempts + 1, token = token + 1, \
                 lease_until = ?2, reason = NULL WHERE id = ?1",
                [job, lease_until],
            )?;
            if kind == Kind::Assess {
                t.execute(
                    "UPDATE study SET state = 'running', changed_at = ?2, \
                     taken = (SELECT count(*) FROM instance WHERE instance.study = study.id) \
                     WHERE id = (SELECT study FROM job WHERE id = ?1)",
                    [job, now],
                )?;
            }
            claim(t, job, kind).map(Some)
        })
    }

    /// Says that a job is still worked on; false where it is somebody else's by now.
    pub(crate) fn prolong(&self, claim: &Claim, lease_until: Millis) -> Result<bool, Error> {
        self.change(|t| {
            let changed = t.execute(
                "UPDATE job SET lease_until = ?3 WHERE id = ?1 AND token = ?2 AND state = 'running'",
                [claim.job, claim.token, lease_until],
            )?;
            Ok(changed == 1)
        })
    }

    /// Enters a study's result and what has to be sent. Gives the folder of the result it
    /// replaces; none where the claim is no longer good and nothing was entered.
    pub(crate) fn finish_assessment(
        &self,
        claim: &Claim,
        reading: &Reading,
        result: &str,
        objects: &[ResultObject],
        destinations: &[String],
        now: Millis,
    ) -> Result<Option<Replaced>, Error> {
        self.change(|t| {
            if !is_mine(t, claim)? {
                return Ok(None);
            }
            let (state, reason) = match &reading.usable {
                Usable::Yes => ("done", None),
                Usable::No(reason) => ("failed", Some(reason)),
            };
            t.execute(
                "UPDATE job SET state = ?2, reason = ?3 WHERE id = ?1",
                params![claim.job, state, reason],
            )?;
            let replaced: Option<String> = t.query_row(
                "SELECT result FROM study WHERE id = ?1",
                [claim.study],
                |row| row.get(0),
            )?;
            t.execute(
                "UPDATE study SET state = CASE WHEN \
                 (SELECT count(*) FROM instance WHERE instance.study = study.id) > taken \
                 THEN 'arriving' ELSE ?2 END, \
                 score = ?3, flagged = ?4, reason = ?5, result = ?6, read = taken, changed_at = ?7, synthetic = ?8 WHERE id = ?1",
                params![
                    claim.study,
                    state,
                    reading.score,
                    reading.flagged,
                    reason,
                    result,
                    now,
                    reading.synthetic
                ],
            )?;
            replace_results(t, claim.study, objects)?;
            t.execute("DELETE FROM job WHERE study = ?1 AND kind = 'send'", [claim.study])?;
            for destination in destinations {
                t.execute(
                    "INSERT INTO job (study, kind, destination, state) VALUES (?1, 'send', ?2, 'queued')",
                    params![claim.study, destination],
                )?;
            }
            Ok(Some(Replaced(replaced)))
        })
    }

    /// Enters that a result has been sent, and what is to be said of it.
    pub(crate) fn finish_sending(&self, claim: &Claim, remark: Option<&str>) -> Result<(), Error> {
        self.change(|t| {
            t.execute(
                "UPDATE job SET state = 'done', reason = ?3 \
                 WHERE id = ?1 AND token = ?2 AND state = 'running'",
                params![claim.job, claim.token, remark],
            )
        })?;
        Ok(())
    }

    /// Enters that a job has failed.
    pub(crate) fn fail(
        &self,
        claim: &Claim,
        reason: &str,
        again: Again,
        now: Millis,
    ) -> Result<(), Error> {
        self.change(|t| match is_mine(t, claim)? {
            true => give_back(t, claim, reason, again, now),
            false => Ok(()),
        })
    }

    /// Jobs whose worker has been silent since `before` go back into the queue; one that was begun
    /// `attempts` times has failed.
    pub(crate) fn expire(
        &self,
        before: Millis,
        now: Millis,
        attempts: u32,
    ) -> Result<usize, Error> {
        let silent =
            "SELECT id, kind = 'send' FROM job WHERE state = 'running' AND lease_until < ?1";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        self.change(|t| {
            let mut statement = t.prepare(silent)?;
            let found = statement.query_map([before], read)?;
            let found: Vec<(i64, bool)> = found.collect::<Result<_, _>>()?;
            for (job, sends) in &found {
                let kind = match sends {
                    true => Kind::Send,
                    false => Kind::Assess,
                };
                let claim = claim(t, *job, kind)?;
                let again = match kind == Kind::Assess && claim.attempts >= attempts {
                    true => Again::Never,
                    false => Again::NotBefore(now),
                };
                let times = claim.attempts;
                let reason = format!("the service stopped while it worked on this, {times} times");
                give_back(t, &claim, &reason, again, now)?;
            }
            Ok(found.len())
        })
    }

    /// Tries what has failed again: reading the study, or sending its result.
    pub(crate) fn retry(
        &self,
        uid: &str,
        entry: &Entry<'_>,
        now: Millis,
    ) -> Result<Retried, Error> {
        self.change(|t| {
            let study = t.query_row("SELECT id FROM study WHERE uid = ?1", [uid], |row| row.get(0));
            let Some(study): Option<i64> = study.optional()? else {
                return Ok(Retried::Unknown);
            };
            let again = "UPDATE job SET state = 'queued', attempts = 0, not_before = 0, reason = NULL \
                         WHERE study = ?1 AND kind = ?2 AND state = 'failed'";
            let assessed = t.execute(
                "UPDATE study SET state = 'queued', reason = NULL, changed_at = ?2 \
                 WHERE id = ?1 AND state = 'failed'",
                [study, now],
            )?;
            let jobs = match assessed {
                0 => t.execute(again, params![study, Kind::Send.name()])?,
                _ => t.execute(again, params![study, Kind::Assess.name()])?,
            };
            if jobs == 0 {
                return Ok(Retried::NothingFailed);
            }
            entry.append(t, now)?;
            Ok(Retried::Queued)
        })
    }

    /// Puts a study into the queue although it may have been read, without waiting for more of it.
    pub(crate) fn ask_again(
        &self,
        uid: &str,
        entry: &Entry<'_>,
        now: Millis,
    ) -> Result<Asked, Error> {
        self.change(|t| {
            let state = t.query_row("SELECT state FROM study WHERE uid = ?1", [uid], |row| {
                row.get::<_, String>(0)
            });
            match state.optional()?.as_deref().map(State::of) {
                None => Ok(Asked::Unknown),
                Some(State::Running) => Ok(Asked::Running),
                Some(State::Queued | State::Complete) => Ok(Asked::Queued),
                Some(State::Arriving | State::Done | State::Failed) => {
                    // A prior that somebody wants read is a study like others.
                    let sql = "UPDATE study SET state = 'complete', prior = 0, changed_at = ?2 WHERE uid = ?1";
                    t.execute(sql, params![uid, now])?;
                    entry.append(t, now)?;
                    Ok(Asked::Queued)
                }
            }
        })
    }

    /// Jobs in a state, the newest first.
    pub(crate) fn jobs(&self, state: JobState, limit: u32) -> Result<Vec<JobRow>, Error> {
        let sql = format!("{JOB} WHERE job.state = ?1 ORDER BY job.id DESC LIMIT ?2");
        let reader = self.reader();
        let mut statement = reader.prepare_cached(&sql)?;
        let rows = statement.query_map(params![state.name(), limit], job_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Jobs of a study.
    pub(crate) fn jobs_of(&self, study: i64) -> Result<Vec<JobRow>, Error> {
        let sql = format!("{JOB} WHERE job.study = ?1 ORDER BY job.kind, job.destination");
        let reader = self.reader();
        let mut statement = reader.prepare_cached(&sql)?;
        let rows = statement.query_map([study], job_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many jobs of a kind wait, and how many have failed.
    pub(crate) fn backlog(&self, kind: Kind) -> Result<(u64, u64), Error> {
        let sql = "SELECT count(*) FROM job WHERE state = ?1 AND kind = ?2";
        let reader = self.reader();
        let count = |state: &str| reader.query_row(sql, [state, kind.name()], |row| row.get(0));
        Ok((count("queued")?, count("failed")?))
    }
}

/// The folder whose place a new result has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replaced(pub(crate) Option<String>);

fn claim(t: &Transaction<'_>, job: i64, kind: Kind) -> rusqlite::Result<Claim> {
    t.query_row(
        "SELECT job.token, job.study, study.key, job.destination, job.attempts, study.result, \
         study.read = (SELECT count(*) FROM instance WHERE instance.study = study.id) \
         FROM job JOIN study ON study.id = job.study WHERE job.id = ?1",
        [job],
        |row| {
            Ok(Claim {
                job,
                token: row.get(0)?,
                study: row.get(1)?,
                key: row.get(2)?,
                kind,
                destination: row.get(3)?,
                attempts: row.get(4)?,
                result: row.get(5)?,
                is_of_the_same: row.get(6)?,
            })
        },
    )
}

fn is_mine(t: &Transaction<'_>, claim: &Claim) -> rusqlite::Result<bool> {
    t.query_row(
        "SELECT EXISTS (SELECT 1 FROM job WHERE id = ?1 AND token = ?2 AND state = 'running')",
        [claim.job, claim.token],
        |row| row.get(0),
    )
}

fn give_back(
    t: &Transaction<'_>,
    claim: &Claim,
    reason: &str,
    again: Again,
    now: Millis,
) -> rusqlite::Result<()> {
    let (state, not_before) = match again {
        Again::NotBefore(time) => ("queued", time),
        Again::Never => ("failed", 0),
    };
    t.execute(
        "UPDATE job SET state = ?2, not_before = ?3, reason = ?4 WHERE id = ?1",
        params![claim.job, state, not_before, reason],
    )?;
    if claim.kind == Kind::Assess {
        t.execute(
            "UPDATE study SET state = CASE WHEN ?2 = 'failed' AND \
             (SELECT count(*) FROM instance WHERE instance.study = study.id) > taken \
             THEN 'arriving' ELSE ?2 END, reason = ?3, changed_at = ?4 WHERE id = ?1",
            params![claim.study, state, reason, now],
        )?;
    }
    Ok(())
}
