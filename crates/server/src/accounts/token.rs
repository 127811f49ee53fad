//! Tokens of sessions: random, known to the browser alone.

use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

use crate::Error;
use crate::store::hex;

/// Random bytes of the system.
pub(crate) fn random_key() -> Result<[u8; 32], Error> {
    let mut key = [0; 32];
    let filled = OsRng.try_fill_bytes(&mut key);
    filled.map_err(|e| Error::data(format!("expected random bytes of the system, got: {e}")))?;
    Ok(key)
}

/// What a browser shows to be known again: 64 hexadecimal digits. It is never written down.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    pub(crate) fn new() -> Result<Token, Error> {
        Ok(Token(hex(&random_key()?)))
    }

    /// A token that was shown; none where it cannot be one.
    pub(crate) fn shown(text: &str) -> Option<Token> {
        let is_one = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        is_one.then(|| Token(text.to_owned()))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// What the database keeps of it.
    pub(crate) fn hash(&self) -> String {
        self.derived("session")
    }

    /// What a page of this session has to send with each change.
    pub(crate) fn csrf(&self) -> String {
        self.derived("csrf")
    }

    fn derived(&self, purpose: &str) -> String {
        let sum = Sha256::new().chain_update(purpose).chain_update([0]);
        hex(&sum.chain_update(&self.0).finalize())
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let differences = one
        .bytes()
        .zip(other.bytes())
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_say_nothing_of_each_other() {
        let (one, other) = (Token::new().unwrap(), Token::new().unwrap());
        assert_ne!(one.text(), other.text());
        let derived = [one.text().to_owned(), one.hash(), one.csrf()];
        assert!(derived[0] != derived[1] && derived[1] != derived[2]);
        assert_eq!(Token::shown(one.text()).unwrap().hash(), one.hash());
        for text in ["", "x", &"g".repeat(64), &"a".repeat(65)] {
            assert!(Token::shown(text).is_none(), "{text}");
        }
    }

    #[test]
    fn sameness_is_of_the_whole() {
        for (one, other, expected) in [
            ("a", "a", true),
            ("a", "b", false),
            ("a", "ab", false),
            ("", "", true),
        ] {
            assert_eq!(is_same(one, other), expected);
        }
    }
}
