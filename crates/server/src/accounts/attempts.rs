//! Wrong passwords: a few are free, then each further one costs a longer wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords for one name from one address until a wait begins.
const FREE_OF_NAME: u32 = 5;
/// The same for all names from one address.
const FREE_OF_ADDRESS: u32 = 50;
/// The first wait; it doubles with each further failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// After so long without a failure all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(900);
/// Most entries; more are only made by an attack, and then no new name is tried.
const MOST: usize = 10_000;

#[derive(PartialEq, Eq, Hash)]
enum Of {
    Address(IpAddr),
    Name(IpAddr, String),
}

struct Failures {
    count: u32,
    last: Instant,
}

/// Counts wrong passwords.
#[derive(Default)]
pub(crate) struct Attempts {
    failures: Mutex<HashMap<Of, Failures>>,
}

impl Attempts {
    /// How long this name may not be tried from this address; none where it may.
    pub(crate) fn wait(&self, address: IpAddr, name: &str, now: Instant) -> Option<Duration> {
        let failures = self.failures();
        if failures.len() >= MOST {
            return Some(LONGEST_WAIT);
        }
        let waits = both(address, name).map(|(of, free)| {
            let found = failures.get(&of)?;
            let over = found.last + penalty(found.count, free);
            over.checked_duration_since(now)
        });
        waits
            .into_iter()
            .flatten()
            .filter(|wait| !wait.is_zero())
            .max()
    }

    /// Counts a wrong password.
    pub(crate) fn failed(&self, address: IpAddr, name: &str, now: Instant) {
        let mut failures = self.failures();
        failures.retain(|_, f| now.saturating_duration_since(f.last) < FORGOTTEN);
        for (of, _) in both(address, name) {
            let found = failures.entry(of).or_insert(Failures {
                count: 0,
                last: now,
            });
            found.count = found.count.saturating_add(1);
            found.last = now;
        }
    }

    /// A right password: the name starts anew.
    pub(crate) fn succeeded(&self, address: IpAddr, name: &str) {
        self.failures()
            .remove(&Of::Name(address, name.to_lowercase()));
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<Of, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn both(address: IpAddr, name: &str) -> [(Of, u32); 2] {
    [
        (Of::Address(address), FREE_OF_ADDRESS),
        (Of::Name(address, name.to_lowercase()), FREE_OF_NAME),
    ]
}

fn penalty(count: u32, free: u32) -> Duration {
    match count.checked_sub(free) {
        None => Duration::ZERO,
        Some(over) => FIRST_WAIT
            .saturating_mul(1 << over.min(20))
            .min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_begin_after_a_few_and_double() {
        let (attempts, address, now) = (
            Attempts::default(),
            IpAddr::from([192, 0, 2, 1]),
            Instant::now(),
        );
        for _ in 0..FREE_OF_NAME - 1 {
            attempts.failed(address, "ann", now);
            assert_eq!(attempts.wait(address, "ann", now), None);
        }
        for seconds in [1, 2, 4] {
            attempts.failed(address, "Ann", now);
            assert_eq!(
                attempts.wait(address, "ann", now),
                Some(Duration::from_secs(seconds))
            );
        }
        assert_eq!(attempts.wait(address, "ben", now), None);
        let later = now + Duration::from_secs(5);
        assert_eq!(attempts.wait(address, "ann", later), None);
        attempts.failed(address, "ann", later);
        attempts.succeeded(address, "ann");
        assert_eq!(attempts.wait(address, "ann", later), None);
    }

    #[test]
    fn one_address_cannot_try_many_names() {
        let (attempts, address, now) = (
            Attempts::default(),
            IpAddr::from([192, 0, 2, 1]),
            Instant::now(),
        );
        for number in 0..FREE_OF_ADDRESS {
            attempts.failed(address, &format!("name{number}"), now);
        }
        assert!(attempts.wait(address, "another", now).is_some());
        assert_eq!(
            attempts.wait(IpAddr::from([192, 0, 2, 2]), "another", now),
            None
        );
        let forgotten = now + FORGOTTEN;
        attempts.failed(address, "x", forgotten);
        assert_eq!(attempts.failures().len(), 2);
    }
}
