//! What changes, told to whoever listens.
//!
//! Changes come from many places and other processes. The database is therefore asked what is new
//! whenever it was written to, by one task for all listeners; nobody is asked while nobody listens.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::{Receiver, Sender, channel};

use crate::Error;
use crate::database::{Change, Database, Millis};
use crate::server::Shared;
use crate::time::now;

/// How often the database is asked whether it was written to.
const EVERY: Duration = Duration::from_millis(200);
/// A change is entered a little after the time it bears.
const OVERLAP: Millis = 2_000;
/// Changes that a slow listener may be behind.
const BEHIND: usize = 1024;

/// Tells changes to listeners.
pub(crate) struct Events {
    sender: Sender<Change>,
}

impl Default for Events {
    fn default() -> Events {
        Events {
            sender: channel(BEHIND).0,
        }
    }
}

impl Events {
    pub(crate) fn listen(&self) -> Receiver<Change> {
        self.sender.subscribe()
    }

    pub(crate) fn listeners(&self) -> usize {
        self.sender.receiver_count()
    }

    /// A study that is gone is in no row.
    pub(crate) fn deleted(&self, uid: &str) {
        self.tell(Change {
            uid: uid.to_owned(),
            state: "deleted".to_owned(),
            score: None,
            flagged: false,
            at: now(),
        });
    }

    fn tell(&self, change: Change) {
        // Nobody listens: nobody misses it.
        let _ = self.sender.send(change);
    }
}

/// Watches the database until the service ends.
pub(crate) async fn watch(shared: Arc<Shared>) {
    let mut news = News::default();
    while !shared.is_finished() {
        tokio::time::sleep(EVERY).await;
        if shared.events.listeners() == 0 {
            news = News::default();
            continue;
        }
        let asked = Arc::clone(&shared);
        let look = tokio::task::spawn_blocking(move || {
            let found = news.look(&asked.database, now());
            (news, found)
        });
        let Ok((looked, found)) = look.await else {
            return tracing::error!("the watch over changes broke: please report this");
        };
        news = looked;
        match found {
            Ok(changes) => changes
                .into_iter()
                .for_each(|change| shared.events.tell(change)),
            Err(error) => tracing::error!(%error, "changes could not be read"),
        }
    }
}

/// What was told already.
#[derive(Default)]
struct News {
    version: Option<i64>,
    since: Millis,
    told: HashMap<String, Change>,
}

impl News {
    fn look(&mut self, database: &Database, now: Millis) -> Result<Vec<Change>, Error> {
        let version = database.version()?;
        if self.version == Some(version) {
            return Ok(Vec::new());
        }
        let is_first = self.version.is_none();
        self.version = Some(version);
        let since = match is_first {
            true => now - OVERLAP,
            false => self.since,
        };
        let mut changes = database.changes(since)?;
        changes.retain(|change| self.told.get(&change.uid) != Some(change));
        self.since = now - OVERLAP;
        let since = self.since;
        self.told.retain(|_, change| change.at >= since);
        let news = changes
            .iter()
            .map(|change| (change.uid.clone(), change.clone()));
        self.told.extend(news);
        Ok(changes)
    }
}
