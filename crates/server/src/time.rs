//! The clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::database::Millis;

/// Milliseconds since 1970; 0 on a clock before it.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, millis)
}

pub(crate) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// The wait before another attempt: `first`, doubled with each further one, an hour at most.
pub(crate) fn back_off(first: Duration, attempts: u32) -> Duration {
    const LONGEST: Duration = Duration::from_secs(3600);
    let doublings = attempts.saturating_sub(1).min(20);
    first.saturating_mul(1 << doublings).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let first = Duration::from_secs(10);
        let waits = [1, 2, 3, 100].map(|n| back_off(first, n).as_secs());
        assert_eq!(waits, [10, 20, 40, 3600]);
    }
}
