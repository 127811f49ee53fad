//! SQLite's write-ahead log, forced to the disk for several transactions at once.
//!
//! Owns: when a transaction that was committed without waiting is on the disk. Does not own: what is in
//! it. A transaction lies in the log once it is committed; the log keeps its file as long as a
//! connection is open, and SQLite itself forces it before it moves anything on into the database.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::Error;

pub(super) struct WriteAheadLog {
    file: File,
    path: PathBuf,
    committed: AtomicU64,
    /// How many of the transactions are on the disk.
    synced: Mutex<u64>,
}

impl WriteAheadLog {
    /// The log of a database that has been written to in this mode.
    pub(super) fn open(database: &Path) -> Result<WriteAheadLog, Error> {
        let mut name = OsString::from(database);
        name.push("-wal");
        let path = PathBuf::from(name);
        let opened = File::options().append(true).open(&path);
        Ok(WriteAheadLog {
            file: opened.map_err(|e| Error::io(&path, &e))?,
            path,
            committed: AtomicU64::new(0),
            synced: Mutex::new(0),
        })
    }

    /// Returns when the transaction that this thread has committed is on the disk: whoever comes first
    /// forces it there for all that have been committed by then.
    pub(super) fn sync(&self) -> Result<(), Error> {
        let own = self.committed.fetch_add(1, Ordering::SeqCst) + 1;
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        if *synced >= own {
            return Ok(());
        }
        let all = self.committed.load(Ordering::SeqCst);
        let done = self.file.sync_data();
        done.map_err(|e| Error::io(&self.path, &e))?;
        *synced = all;
        Ok(())
    }
}
