//! Who did what: rows that are added at the end and never change.
//!
//! Each row carries the hash of the one before it, so that a row that was changed or taken out, by
//! whoever can write the file, is found. Rows cut off at the end are found by whoever noted the
//! last hash elsewhere.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Database, Millis};
use crate::Error;
use crate::store::hex;

/// Something that is about to be entered.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    actor: &'a str,
    action: &'static str,
    /// A study's key or the name of an account: never an identifier of a patient.
    subject: &'a str,
    detail: Map<String, Value>,
}

/// A row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// From 1, without a gap.
    pub number: i64,
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// Name of an account, or `(command)`, `(local)`.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// The study, by the hash that reports use, or the account it was done to.
    pub subject: String,
    /// More of it, as a JSON object.
    pub detail: String,
    /// SHA-256 of this row and the hash of the one before it.
    pub hash: String,
}

impl<'a> Entry<'a> {
    pub(crate) fn by(actor: &'a str, action: &'static str, subject: &'a str) -> Entry<'a> {
        Entry {
            actor,
            action,
            subject,
            detail: Map::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Entry<'a> {
        self.detail.insert(name.to_owned(), value.into());
        self
    }

    /// Enters it at the end of the log, in the transaction of what was done.
    pub(super) fn append(&self, t: &Transaction<'_>, now: Millis) -> rusqlite::Result<()> {
        let last = "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1";
        let last = t.query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (number, previous): (i64, String) = last.optional()?.unwrap_or_default();
        let mut row = AuditRow {
            number: number + 1,
            at_ms: now,
            actor: self.actor.to_owned(),
            action: self.action.to_owned(),
            subject: self.subject.to_owned(),
            detail: Value::Object(self.detail.clone()).to_string(),
            hash: String::new(),
        };
        row.hash = hash_of(&row, &previous);
        t.execute(
            "INSERT INTO audit (id, at, actor, action, subject, detail, previous, hash) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                row.number,
                row.at_ms,
                row.actor,
                row.action,
                row.subject,
                row.detail,
                previous,
                row.hash
            ],
        )?;
        Ok(())
    }
}

/// Of a JSON array: fields cannot run into each other.
fn hash_of(row: &AuditRow, previous: &str) -> String {
    let AuditRow {
        number,
        at_ms,
        actor,
        action,
        subject,
        detail,
        ..
    } = row;
    let whole = serde_json::json!([number, at_ms, actor, action, subject, detail, previous]);
    hex(&Sha256::digest(whole.to_string()))
}

fn audit_row(row: &Row<'_>) -> rusqlite::Result<(AuditRow, String)> {
    let entry = AuditRow {
        number: row.get(0)?,
        at_ms: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        detail: row.get(5)?,
        hash: row.get(7)?,
    };
    Ok((entry, row.get(6)?))
}

impl Database {
    /// Enters something that changes nothing else.
    pub(crate) fn enter(&self, entry: &Entry<'_>, now: Millis) -> Result<(), Error> {
        self.change(|t| entry.append(t, now))
    }

    /// Shows every row in order and proves the chain; gives the last hash.
    pub(crate) fn read_audit(&self, show: &mut dyn FnMut(&AuditRow)) -> Result<String, Error> {
        let sql =
            "SELECT id, at, actor, action, subject, detail, previous, hash FROM audit ORDER BY id";
        let reader = self.reader();
        let mut statement = reader.prepare(sql)?;
        let mut last = String::new();
        for (at, row) in statement.query_map([], audit_row)?.enumerate() {
            let (row, previous) = row?;
            let is_next = row.number == at as i64 + 1 && previous == last;
            if !is_next || hash_of(&row, &previous) != row.hash {
                let number = at + 1;
                return Err(Error::data(format!(
                    "audit log: expected row {number} as it was entered, got another one: rows were changed or taken out"
                )));
            }
            show(&row);
            last = row.hash;
        }
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn with_three() -> (tempfile::TempDir, Database) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("test.db")).unwrap();
        for name in ["one", "two", "three"] {
            let entry = Entry::by("ann", "study.delete", name).with("instances", 4);
            database.enter(&entry, 7).unwrap();
        }
        (dir, database)
    }

    #[test]
    fn rows_are_a_chain() {
        let (_dir, database) = with_three();
        let mut rows = Vec::new();
        let last = database
            .read_audit(&mut |row| rows.push(row.clone()))
            .unwrap();
        let numbers: Vec<i64> = rows.iter().map(|r| r.number).collect();
        assert_eq!(
            (numbers.as_slice(), last.as_str()),
            (&[1, 2, 3][..], rows[2].hash.as_str())
        );
        assert_eq!(rows[1].detail, "{\"instances\":4}");
    }

    #[test]
    fn the_database_refuses_every_other_change() {
        let (dir, _database) = with_three();
        let other = Connection::open(dir.path().join("test.db")).unwrap();
        let columns = "(id, at, actor, action, subject, detail, previous, hash)";
        for sql in [
            "UPDATE audit SET actor = 'ben'",
            "DELETE FROM audit WHERE id = 3",
            &format!("INSERT INTO audit {columns} VALUES (4, 1, '', '', '', '', 'wrong', 'x')"),
            &format!(
                "INSERT OR REPLACE INTO audit {columns} SELECT 1, at, 'ben', action, subject, detail, previous, hash FROM audit WHERE id = 1"
            ),
            &format!(
                "INSERT INTO audit {columns} SELECT 9, 1, '', '', '', '', hash, 'x' FROM audit WHERE id = 3"
            ),
        ] {
            let refused = other.execute(sql, []).unwrap_err().to_string();
            assert!(refused.contains("append-only"), "{sql}: {refused}");
        }
    }

    #[test]
    fn what_was_changed_without_the_rules_is_found() {
        for sql in [
            "UPDATE audit SET actor = 'ben' WHERE id = 2",
            "DELETE FROM audit WHERE id = 1",
            "DELETE FROM audit WHERE id = 2",
        ] {
            let (dir, database) = with_three();
            let other = Connection::open(dir.path().join("test.db")).unwrap();
            other
                .execute_batch("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_cut;")
                .unwrap();
            other.execute(sql, []).unwrap();
            assert!(database.read_audit(&mut |_| {}).is_err(), "{sql}");
        }
    }
}
