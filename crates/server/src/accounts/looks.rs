//! Who looked at what, lately: one look at a study makes hundreds of requests, and one entry.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// After so long it is another look.
const ONE_LOOK: Duration = Duration::from_secs(3600);
/// Most looks that are remembered; beyond, they are entered again.
const MOST: usize = 10_000;

#[derive(Default)]
pub(crate) struct Looks {
    since: Mutex<HashMap<(String, String), Instant>>,
}

impl Looks {
    /// Whether this is a look of its own.
    pub(crate) fn is_new(&self, name: &str, study: &str, now: Instant) -> bool {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |began: &Instant| now.saturating_duration_since(*began) >= ONE_LOOK;
        let look = (name.to_owned(), study.to_owned());
        if since.get(&look).is_some_and(|began| !is_over(began)) {
            return false;
        }
        if since.len() >= MOST {
            since.retain(|_, began| !is_over(began));
        }
        if since.len() >= MOST {
            since.clear();
        }
        since.insert(look, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_lasts_an_hour() {
        let (looks, now) = (Looks::default(), Instant::now());
        assert!(looks.is_new("ann", "one", now));
        assert!(!looks.is_new("ann", "one", now + ONE_LOOK / 2));
        assert!(looks.is_new("ben", "one", now));
        assert!(looks.is_new("ann", "two", now));
        assert!(looks.is_new("ann", "one", now + ONE_LOOK));
    }
}
