//! A copy of a data folder, made while the service runs.
//!
//! The copy is a data folder itself: to restore, start the service on it. The database comes first, as
//! of one moment; then the instances and results that it names, which never change. A second backup
//! into the same folder copies what is new and removes what has been deleted.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::Error;
use crate::database::Database;
use crate::store::{Store, entries, hex, make_folder, sync_folder};

/// Studies that are deleted meanwhile leave a gap; the next round starts from a newer moment.
const ROUNDS: usize = 3;

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackedUp {
    /// Instances in the backup.
    pub instances: usize,
    /// Results in the backup.
    pub results: usize,
    /// Bytes that had to be copied.
    pub copied_bytes: u64,
    /// Instances and results that the database names and the data folder does not have.
    pub missing: usize,
}

/// Copies the data folder `data` into the folder `out`; it is on the disk on return. Every instance
/// is checked against its hash on the way.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) where `data` is no data folder, one of the two is inside the other, an
/// instance has changed on the disk or something cannot be read or written; [`ErrorKind::InUse`](crate::ErrorKind::InUse)
/// where a service runs on `out`.
pub fn back_up(data: &Path, out: &Path) -> Result<BackedUp, Error> {
    if !data.join("lobule.db").is_file() {
        let message = "expected a data folder, got one without lobule.db";
        return Err(Error::data(message).in_file(data));
    }
    make_folder(out)?;
    refuse_nested(data, out)?;
    let store = Store::open(out)?;
    let mut done = BackedUp::default();
    for _ in 0..ROUNDS {
        let round = round(data, &store)?;
        done = BackedUp {
            copied_bytes: done.copied_bytes + round.copied_bytes,
            ..round
        };
        if done.missing == 0 {
            break;
        }
    }
    Ok(done)
}

fn refuse_nested(data: &Path, out: &Path) -> Result<(), Error> {
    let real = |path: &Path| path.canonicalize().map_err(|e| Error::io(path, &e));
    let (data, out) = (real(data)?, real(out)?);
    match data.starts_with(&out) || out.starts_with(&data) {
        false => Ok(()),
        true => Err(Error::data("expected a folder apart from the data folder").in_file(&out)),
    }
}

fn round(data: &Path, store: &Store) -> Result<BackedUp, Error> {
    let made = store.incoming().join("lobule.db");
    Database::copy(&data.join("lobule.db"), &made)?;
    let copy = Database::open(&made)?;
    let (contents, results) = (copy.all_contents()?, copy.all_results()?);
    drop(copy);
    let mut done = BackedUp::default();
    for sha256 in &contents {
        let from = Store::instance_below(data, sha256);
        match copy_instance(&from, store, sha256)? {
            Some(bytes) => {
                done.instances += 1;
                done.copied_bytes += bytes;
            }
            None => done.missing += 1,
        }
    }
    for name in &results {
        match copy_result(&data.join("results").join(name), store, name)? {
            Some(bytes) => {
                done.results += 1;
                done.copied_bytes += bytes;
            }
            None => done.missing += 1,
        }
    }
    replace_database(&made, store)?;
    store.sweep(&contents, &results)?;
    Ok(done)
}

/// The copy takes the place of the last backup's database in one step.
fn replace_database(made: &Path, store: &Store) -> Result<(), Error> {
    let place = store.database();
    let synced = File::open(made).and_then(|file| file.sync_all());
    synced.map_err(|e| Error::io(made, &e))?;
    for left in ["lobule.db-wal", "lobule.db-shm"] {
        remove_if_there(&place.with_file_name(left))?;
    }
    fs::rename(made, &place).map_err(|e| Error::io(&place, &e))?;
    place.parent().map_or(Ok(()), sync_folder)
}

fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Error::io(path, &e)),
        _ => Ok(()),
    }
}

/// Bytes that had to be copied; none where the file is not there.
fn copy_instance(from: &Path, store: &Store, sha256: &str) -> Result<Option<u64>, Error> {
    let to = store.instance(sha256);
    let Ok(source) = fs::metadata(from) else {
        return Ok(None);
    };
    if fs::metadata(&to).is_ok_and(|there| there.len() == source.len()) {
        return Ok(Some(0));
    }
    let half = store.incoming().join(sha256);
    let found = copy_hashed(from, &half)?;
    if found != sha256 {
        let message =
            "expected the content it is named after, got other bytes: the disk has changed it";
        return Err(Error::data(message).in_file(from));
    }
    fs::rename(&half, &to).map_err(|e| Error::io(&to, &e))?;
    to.parent().map_or(Ok(()), sync_folder)?;
    Ok(Some(source.len()))
}

/// The SHA-256 of what was copied; it is on the disk.
fn copy_hashed(from: &Path, to: &Path) -> Result<String, Error> {
    let mut source = File::open(from).map_err(|e| Error::io(from, &e))?;
    let mut target = File::create(to).map_err(|e| Error::io(to, &e))?;
    let (mut hash, mut block) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let read = source.read(&mut block).map_err(|e| Error::io(from, &e))?;
        if read == 0 {
            break;
        }
        hash.update(&block[..read]);
        let written = target.write_all(&block[..read]);
        written.map_err(|e| Error::io(to, &e))?;
    }
    target.sync_all().map_err(|e| Error::io(to, &e))?;
    Ok(hex(&hash.finalize()))
}

fn copy_result(from: &Path, store: &Store, name: &str) -> Result<Option<u64>, Error> {
    if store.result(name).is_dir() {
        return Ok(Some(0));
    }
    if !from.is_dir() {
        return Ok(None);
    }
    let work = store.work(name)?;
    let bytes = copy_folder(from, &work)?;
    store.publish(&work, name)?;
    Ok(Some(bytes))
}

fn copy_folder(from: &Path, to: &Path) -> Result<u64, Error> {
    let mut bytes = 0;
    for entry in entries(from)? {
        let place = to.join(entry.file_name().unwrap_or_default());
        if entry.is_dir() {
            make_folder(&place)?;
            bytes += copy_folder(&entry, &place)?;
        } else {
            bytes += fs::copy(&entry, &place).map_err(|e| Error::io(&entry, &e))?;
        }
    }
    Ok(bytes)
}
