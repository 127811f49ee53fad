//! Files of the service: instances by their content, results by study.
//!
//! Owns: the layout of the data folder, when bytes are on the disk, what is left over after a
//! crash. Does not own: which files belong to what (`database`). No name comes from outside: only
//! from hashes, row numbers and counters.
//!
//! ```text
//! lock                      held by the running process
//! lobule.db                 the database
//! incoming/                 instances on their way in
//! instances/ab/ab….dcm      instances, by the SHA-256 of the file
//! work/                     results that are being made
//! results/                  finished results
//! ```

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lobule_dicomio::dimse::Received;

use crate::{Error, ErrorKind};

pub(crate) struct Store {
    root: PathBuf,
    /// Open as long as the process runs: the lock goes with it.
    _lock: File,
    entering: Mutex<()>,
}

impl Store {
    /// Opens or creates a data folder, which no other process may use meanwhile. Only its owner can
    /// read it.
    pub(crate) fn open(root: &Path) -> Result<Store, Error> {
        make_folder(root)?;
        let path = root.join("lock");
        let lock = File::create(&path).map_err(|e| Error::io(&path, &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = "expected a data folder of its own, got one in use";
                return Err(Error::new(ErrorKind::InUse, message).in_file(root));
            }
            Err(TryLockError::Error(e)) => return Err(Error::io(&path, &e)),
        }
        let store = Store {
            root: root.to_owned(),
            _lock: lock,
            entering: Mutex::new(()),
        };
        for name in ["incoming", "instances", "work", "results"] {
            make_folder(&root.join(name))?;
        }
        for first in 0..=u8::MAX {
            make_folder(&root.join("instances").join(format!("{first:02x}")))?;
        }
        sync_folder(&root.join("instances"))?;
        sync_folder(root)?;
        Ok(store)
    }

    /// Whether so many bytes are free where the data folder lies; where the system does not say, they
    /// are taken to be.
    pub(crate) fn has_free(&self, bytes: u64) -> bool {
        #[cfg(unix)]
        if let Ok(system) = rustix::fs::statvfs(&self.root) {
            return system.f_bavail.saturating_mul(system.f_frsize) >= bytes;
        }
        let _ = bytes;
        true
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("lobule.db")
    }

    pub(crate) fn incoming(&self) -> PathBuf {
        self.root.join("incoming")
    }

    /// Where an instance with this content lies.
    pub(crate) fn instance(&self, sha256: &str) -> PathBuf {
        Store::instance_below(&self.root, sha256)
    }

    /// Where it lies in a data folder.
    pub(crate) fn instance_below(root: &Path, sha256: &str) -> PathBuf {
        let first = sha256.get(..2).unwrap_or("00");
        let folder = root.join("instances").join(first);
        folder.join(format!("{sha256}.dcm"))
    }

    /// Held while a file and its row come or go together.
    pub(crate) fn entering(&self) -> MutexGuard<'_, ()> {
        self.entering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves an instance to its place; its content and its name are on the disk on return.
    pub(crate) fn keep(&self, received: Received) -> Result<(), Error> {
        let place = self.instance(&received.sha256);
        received
            .file
            .persist(&place)
            .map_err(|e| Error::io(&place, &e.error))?;
        // Content after name: file systems with a journal write both in one go.
        let synced = received.handle.sync_all();
        synced.map_err(|e| Error::io(&place, &e))?;
        match place.parent() {
            Some(folder) => sync_folder(folder),
            None => Ok(()),
        }
    }

    /// An error where an instance that was just kept has been removed with another one of the same
    /// content; whoever sends it may try again.
    pub(crate) fn check_kept(&self, sha256: &str) -> Result<(), Error> {
        let place = self.instance(sha256);
        match place.exists() {
            true => Ok(()),
            false => Err(Error::data("removed meanwhile").in_file(&place)),
        }
    }

    /// Removes an instance that no row names.
    pub(crate) fn forget(&self, sha256: &str) {
        remove_file(&self.instance(sha256));
    }

    /// A new folder for a result in the making.
    pub(crate) fn work(&self, name: &str) -> Result<PathBuf, Error> {
        let folder = self.root.join("work").join(name);
        self.discard_folder(&folder);
        make_folder(&folder)?;
        Ok(folder)
    }

    /// Copies a file below one folder to the same place below another.
    pub(crate) fn carry_over(&self, from: &Path, to: &Path, file: &Path) -> Result<(), Error> {
        let place = to.join(file.strip_prefix(from).unwrap_or(file));
        if let Some(folder) = place.parent() {
            make_folder(folder)?;
        }
        fs::copy(file, &place).map_err(|e| Error::io(&place, &e))?;
        Ok(())
    }

    /// Moves a finished result to its place, everything on the disk.
    pub(crate) fn publish(&self, work: &Path, name: &str) -> Result<(), Error> {
        sync_all(work)?;
        let place = self.result(name);
        fs::rename(work, &place).map_err(|e| Error::io(&place, &e))?;
        sync_folder(&self.root.join("results"))
    }

    /// Where a result lies.
    pub(crate) fn result(&self, name: &str) -> PathBuf {
        self.root.join("results").join(name)
    }

    /// Removes a folder; what cannot be removed is left to the next start.
    pub(crate) fn discard_folder(&self, folder: &Path) {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "a folder could not be removed");
            }
            _ => {}
        }
    }

    /// Removes what a crash left: files and results without a row, everything half done. Gives the
    /// number of things removed and of instances that are named but not there.
    pub(crate) fn sweep(
        &self,
        contents: &HashSet<String>,
        results: &HashSet<String>,
    ) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        for entry in entries(&self.incoming())? {
            swept.removed += 1;
            remove_file(&entry);
        }
        for entry in entries(&self.root.join("work"))? {
            swept.removed += 1;
            self.discard_folder(&entry);
        }
        for entry in entries(&self.root.join("results"))? {
            if !results.contains(&name_of(&entry)) {
                swept.removed += 1;
                self.discard_folder(&entry);
            }
        }
        let mut there = 0;
        for folder in entries(&self.root.join("instances"))? {
            for entry in entries(&folder)? {
                let name = name_of(&entry);
                let content = name.strip_suffix(".dcm").unwrap_or_default();
                if contents.contains(content) {
                    there += 1;
                } else {
                    swept.removed += 1;
                    remove_file(&entry);
                }
            }
        }
        swept.missing = contents.len().saturating_sub(there);
        Ok(swept)
    }
}

/// What a sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Swept {
    pub(crate) removed: usize,
    /// Instances with a row and without a file.
    pub(crate) missing: usize,
}

/// A folder that only its owner can read, with those above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|e| Error::io(path, &e))
}

/// Forces the names in a folder to the disk.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    // Elsewhere folders cannot be opened as files.
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = File::open(path).and_then(|folder| folder.sync_all());
    folder.map_err(|e| Error::io(path, &e))
}

/// Forces a folder with everything in it to the disk.
fn sync_all(folder: &Path) -> Result<(), Error> {
    for entry in entries(folder)? {
        if entry.is_dir() {
            sync_all(&entry)?;
        } else {
            let synced = File::open(&entry).and_then(|file| file.sync_all());
            synced.map_err(|e| Error::io(&entry, &e))?;
        }
    }
    sync_folder(folder)
}

pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |e: io::Error| Error::io(folder, &e);
    let listed = fs::read_dir(folder).map_err(failed)?;
    let paths = listed.map(|entry| entry.map(|e| e.path()).map_err(failed));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
    name.unwrap_or_default()
}

fn remove_file(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(%error, "a file could not be removed");
    }
}
