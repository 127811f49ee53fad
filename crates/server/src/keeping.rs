//! How long studies are kept: deleting one, and those that have to go for age or lack of space.

use crate::Error;
use crate::config::Keep;
use crate::database::{Database, Entry, Millis};
use crate::store::Store;
use crate::time::now;

/// Studies that go in one round.
const AT_ONCE: u32 = 16;
const DAY: Millis = 86_400_000;

/// Deletes a study with its files and results; false where there is none.
pub(crate) fn delete(
    store: &Store,
    database: &Database,
    uid: &str,
    entry: Entry<'_>,
) -> Result<bool, Error> {
    let _entering = store.entering();
    let Some(leftover) = database.delete(uid, &entry, now())? else {
        return Ok(false);
    };
    for content in &leftover.contents {
        store.forget(content);
    }
    for result in &leftover.results {
        store.discard_folder(&store.result(result));
    }
    Ok(true)
}

/// Deletes studies that are over and older than the configuration allows, and, while there is more
/// than the quota, the oldest of those that are over. Gives their identifiers.
pub(crate) fn enforce(
    store: &Store,
    database: &Database,
    keep: &Keep,
    now: Millis,
) -> Result<Vec<String>, Error> {
    let mut gone = Vec::new();
    if let Some(days) = keep.days {
        let before = now - Millis::from(days) * DAY;
        let old = database.oldest(before, AT_ONCE)?;
        remove(store, database, old, "age", &mut gone)?;
    }
    if let Some(most) = keep.most_bytes() {
        while database.volume()?.1 > most {
            let oldest = database.oldest(Millis::MAX, 1)?;
            if oldest.is_empty() {
                break;
            }
            remove(store, database, oldest, "quota", &mut gone)?;
        }
    }
    Ok(gone)
}

fn remove(
    store: &Store,
    database: &Database,
    studies: Vec<String>,
    why: &str,
    gone: &mut Vec<String>,
) -> Result<(), Error> {
    for uid in studies {
        let key = lobule_dicomio::study_key(&uid);
        let entry = Entry::by("(service)", "study.delete", &key).with("for", why);
        if delete(store, database, &uid, entry)? {
            tracing::info!(exam = %key, why, "study deleted");
            gone.push(uid);
        }
    }
    Ok(())
}
