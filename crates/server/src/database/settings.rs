//! Secrets of a data folder that are made once.

use rusqlite::OptionalExtension;

use super::Database;
use crate::Error;
use crate::accounts::random_key;
use crate::store::hex;

impl Database {
    /// The secret of a name; it is made on the first call.
    pub(crate) fn secret(&self, name: &str) -> Result<[u8; 32], Error> {
        let made = hex(&random_key()?);
        let kept: String = self.change(|t| {
            let sql =
                "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
            t.execute(sql, [name, made.as_str()])?;
            let sql = "SELECT value FROM setting WHERE name = ?1";
            let found = t.query_row(sql, [name], |row| row.get(0));
            Ok(found.optional()?.unwrap_or_default())
        })?;
        let broken = || Error::data("database: expected a secret of 64 hexadecimal digits");
        bytes(&kept).ok_or_else(broken)
    }
}

fn bytes(digits: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("test.db")).unwrap();
        let one = database.secret("one").unwrap();
        assert_eq!(database.secret("one").unwrap(), one);
        assert_ne!(database.secret("other").unwrap(), one);
    }
}
