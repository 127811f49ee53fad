//! What the service knows, in one SQLite file; every change of state is one transaction.
//!
//! Owns: the schema and its migrations, the states of studies and jobs and the ways between them,
//! accounts and sessions, reviews, the audit log.
//! Does not own: files (`store`), what a job does (`worker`, `delivery`), the clock: times are
//! milliseconds that the caller hands in.

mod accounts;
mod audit;
mod index;
mod jobs;
mod listing;
mod migrations;
mod models;
mod priors;
mod reviews;
mod search;
mod settings;
mod studies;
mod write_ahead_log;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub(crate) use accounts::{Added, Expiry, Known, Removed};
pub use audit::AuditRow;
pub(crate) use audit::Entry;
pub(crate) use index::{Kept, Place, ResultObject, Target};
pub(crate) use jobs::{Again, Asked, Claim, JobRow, JobState, Kind, Retried};
pub(crate) use listing::{Change, Filter, Order};
pub(crate) use models::Unseen;
pub use models::{Compared, ModelRole};
pub(crate) use priors::{Fetch, FetchRow};
pub(crate) use reviews::{Decision, Judged};
pub(crate) use search::Match;
pub(crate) use studies::{Arrival, Arrived, Content, Delivery, State, StudyRow};

use write_ahead_log::WriteAheadLog;

use crate::Error;

/// How long a connection waits for the other one.
const BUSY: Duration = Duration::from_secs(10);

/// Statements that a connection keeps ready.
const STATEMENTS: usize = 64;

/// Milliseconds since 1970.
pub(crate) type Millis = i64;

pub(crate) struct Database {
    write: Mutex<Connection>,
    /// Pages and the programming interface read beside the writer.
    read: Mutex<Connection>,
    /// Searches over the web: a long one keeps nobody else waiting.
    search: Mutex<Connection>,
    log: WriteAheadLog,
}

impl Database {
    /// Opens or creates the file and brings its schema up to date.
    pub(crate) fn open(path: &Path) -> Result<Database, Error> {
        let mut write = connect(path)?;
        write.pragma_update(None, "journal_mode", "WAL")?;
        // A commit is on the disk when it returns: success is told to a peer after it.
        write.pragma_update(None, "synchronous", "FULL")?;
        write.pragma_update(None, "foreign_keys", true)?;
        migrations::migrate(&mut write)?;
        Ok(Database {
            write: Mutex::new(write),
            read: Mutex::new(connect_to_read(path)?),
            search: Mutex::new(connect_to_read(path)?),
            log: WriteAheadLog::open(path)?,
        })
    }

    /// Opens the database of a data folder that is there.
    pub(crate) fn of_folder(data: &Path) -> Result<Database, Error> {
        let file = data.join("lobule.db");
        match file.is_file() {
            true => Database::open(&file),
            false => {
                let message = "expected a data folder, got one without lobule.db";
                Err(Error::data(message).in_file(data))
            }
        }
    }

    /// Writes a copy of the file as it is at one moment, while others write to it.
    pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
        match std::fs::remove_file(to) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(to, &e)),
            _ => {}
        }
        let name = to.to_string_lossy();
        connect(from)?.execute("VACUUM INTO ?1", [name])?;
        Ok(())
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn searcher(&self) -> MutexGuard<'_, Connection> {
        self.search.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One transaction, as [`Database::change`] makes it, that is on the disk only when
    /// [`Database::settle`] has returned: several may get there together.
    fn change_soon<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T, Error> {
        let mut write = self.write.lock().unwrap_or_else(PoisonError::into_inner);
        write.pragma_update(None, "synchronous", "NORMAL")?;
        let transaction = write.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction).and_then(|done| transaction.commit().map(|()| done));
        write.pragma_update(None, "synchronous", "FULL")?;
        Ok(done?)
    }

    /// Returns when everything that this thread has entered is on the disk.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        self.log.sync()
    }

    /// One transaction: it is committed where `work` succeeds and undone where it fails.
    fn change<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T, Error> {
        // A transaction that was cut off by a panic has been rolled back.
        let mut write = self.write.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = write.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

fn connect_to_read(path: &Path) -> Result<Connection, Error> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

#[cfg(test)]
mod tests;
