//! What searches know of files: read when a result is made, and made up for what was there before
//! searches were.

use lobule_dicomio::dimse::Stop;
use lobule_dicomio::web::{Entry, read_entry};

use crate::Error;
use crate::database::{Database, ResultObject};
use crate::store::Store;
use crate::worker::dicom_files;

/// Files of one transaction.
const BATCH: u32 = 100;

/// The objects of a result. One that cannot be read is left out, and the log says so.
pub(crate) fn result_objects(store: &Store, result: &str) -> Result<Vec<ResultObject>, Error> {
    let results = store.result("");
    let mut objects = Vec::new();
    for path in dicom_files(&store.result(result))? {
        let file = path.strip_prefix(&results).unwrap_or(&path);
        let file = file.to_string_lossy().into_owned();
        if let Some(entry) = readable(&path) {
            objects.push(ResultObject { entry, file });
        }
    }
    Ok(objects)
}

fn readable(path: &std::path::Path) -> Option<Entry> {
    match read_entry(path) {
        Ok(entry) => Some(entry),
        Err(error) => {
            tracing::warn!(
                reason = error.reason(),
                "a file is kept but found by no search"
            );
            None
        }
    }
}

/// Enters what an older version has left, until nothing is left or a stop is asked for.
pub(crate) fn make_up(store: &Store, database: &Database, stop: &Stop) {
    let mut entered = 0;
    while !stop.is_asked() {
        match batch(store, database) {
            Ok(0) => break,
            Ok(more) => entered += more,
            Err(error) => {
                tracing::error!(%error, "searches find only a part of what is there");
                return;
            }
        }
    }
    if entered > 0 {
        tracing::info!(entered, "searches know what was there before");
    }
}

fn batch(store: &Store, database: &Database) -> Result<usize, Error> {
    let left = database.unindexed(BATCH)?;
    let read = |(uid, sha256): &(String, String)| {
        let entry = readable(&store.instance(sha256));
        (uid.clone(), sha256.clone(), entry)
    };
    let instances: Vec<_> = left.instances.iter().map(read).collect();
    if !instances.is_empty() {
        database.index_instances(&instances)?;
    }
    for (study, result) in &left.results {
        database.index_result(*study, result, &result_objects(store, result)?)?;
    }
    Ok(left.instances.len() + left.results.len())
}
