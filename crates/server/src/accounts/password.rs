//! Passwords: kept as Argon2id hashes, checked a few at a time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::token::random_key;
use crate::Error;

/// NIST SP 800-63B asks for 8 at least; no other rule is set on what they are made of.
const SHORTEST: usize = 12;
/// Longer ones cost time alone.
const LONGEST: usize = 1024;
/// How long a program that sends its password with each request is believed without a new check.
const BELIEVED: Duration = Duration::from_secs(300);
/// Most passwords that are believed at once.
const MOST_BELIEVED: usize = 1024;
/// Passwords that are checked at once.
const AT_ONCE: usize = 4;
/// A hash nobody has the password of: unknown names take as long as known ones.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bG9idWxlbG9idWxlMTY$ttqF4QbGR0hZbJgwPgMQEGlVRtwCs0mbQXrP3M3zjTk";

/// The hash of a new password, as a PHC string: Argon2id with 19 MiB and two passes (OWASP).
pub(crate) fn hashed(password: &str) -> Result<String, Error> {
    if !(SHORTEST..=LONGEST).contains(&password.len()) {
        let message =
            format!("expected a password of {SHORTEST} to {LONGEST} bytes, got another length");
        return Err(Error::config(message));
    }
    let failed = |e: argon2::password_hash::Error| Error::data(format!("password: {e}"));
    let salt = SaltString::encode_b64(&random_key()?[..16]).map_err(failed)?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    Ok(hash.map_err(failed)?.to_string())
}

fn is_right(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    let checked = Argon2::default().verify_password(password.as_bytes(), &hash);
    checked.is_ok()
}

/// Checks passwords. Each check takes memory and time, so only a few are made at once.
pub(crate) struct Passwords {
    /// Of this process alone: what is believed is of no use elsewhere.
    key: [u8; 32],
    believed: Mutex<HashMap<[u8; 32], Instant>>,
    places: Semaphore,
}

/// What checking a password came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    Right,
    Wrong,
    /// Too many are being checked.
    Busy,
}

impl Passwords {
    pub(crate) fn new() -> Result<Passwords, Error> {
        Ok(Passwords {
            key: random_key()?,
            believed: Mutex::default(),
            places: Semaphore::new(AT_ONCE),
        })
    }

    /// Whether a password belongs to a hash; none stands for a name that is not known.
    pub(crate) fn check(&self, password: &str, hash: Option<&str>) -> Checked {
        let Ok(_place) = self.places.try_acquire() else {
            return Checked::Busy;
        };
        let is_possible = password.len() <= LONGEST;
        let matches = is_possible && is_right(password, hash.unwrap_or(NOBODY));
        match matches && hash.is_some() {
            true => Checked::Right,
            false => Checked::Wrong,
        }
    }

    /// Whether a password was found right for this very hash a short while ago.
    pub(crate) fn is_believed(&self, password: &str, hash: &str) -> bool {
        let believed = self.believed.lock().unwrap_or_else(PoisonError::into_inner);
        let since = believed.get(&self.mark(password, hash));
        since.is_some_and(|since| since.elapsed() < BELIEVED)
    }

    /// Believes a password that was found right for a while.
    pub(crate) fn believe(&self, password: &str, hash: &str) {
        let mark = self.mark(password, hash);
        let mut believed = self.believed.lock().unwrap_or_else(PoisonError::into_inner);
        if believed.len() >= MOST_BELIEVED {
            believed.retain(|_, since| since.elapsed() < BELIEVED);
        }
        if believed.len() < MOST_BELIEVED {
            believed.insert(mark, Instant::now());
        }
    }

    fn mark(&self, password: &str, hash: &str) -> [u8; 32] {
        let length = (hash.len() as u64).to_be_bytes();
        let parts = [&self.key[..], &length, hash.as_bytes(), password.as_bytes()];
        let whole = parts
            .into_iter()
            .fold(Sha256::new(), |sum, part| sum.chain_update(part));
        whole.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_right_for_its_own_hash_alone() {
        let passwords = Passwords::new().unwrap();
        let (one, other) = (
            hashed("correct horse battery").unwrap(),
            hashed("correct horse battery").unwrap(),
        );
        assert_ne!(one, other, "each has a salt of its own");
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_eq!(
            passwords.check("correct horse battery", Some(&one)),
            Checked::Right
        );
        assert_eq!(
            passwords.check("correct horse batterz", Some(&one)),
            Checked::Wrong
        );
        assert_eq!(
            passwords.check("correct horse battery", None),
            Checked::Wrong
        );
        assert_eq!(
            passwords.check("correct horse battery", Some("no hash")),
            Checked::Wrong
        );
        assert!(
            PasswordHash::new(NOBODY).is_ok(),
            "unknown names are checked too"
        );
    }

    #[test]
    fn only_a_few_are_checked_at_once() {
        let passwords = Passwords::new().unwrap();
        let _taken = passwords.places.try_acquire_many(AT_ONCE as u32).unwrap();
        assert_eq!(passwords.check("x", None), Checked::Busy);
    }

    #[test]
    fn what_is_believed_ends_with_the_hash() {
        let passwords = Passwords::new().unwrap();
        passwords.believe("secret", "hash");
        assert!(passwords.is_believed("secret", "hash"));
        assert!(!passwords.is_believed("secret", "new hash"));
        assert!(!passwords.is_believed("secreu", "hash"));
    }

    #[test]
    fn lengths_are_bounded() {
        for (length, expected) in [
            (0, false),
            (11, false),
            (12, true),
            (1024, true),
            (1025, false),
        ] {
            assert_eq!(hashed(&"x".repeat(length)).is_ok(), expected, "{length}");
        }
    }
}
