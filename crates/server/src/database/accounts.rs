//! Accounts and their sessions.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Database, Entry, Millis};
use crate::Error;
use crate::accounts::{Account, Role};

/// A session is not written to more often than this.
const SEEN_EVERY: Millis = 60_000;

/// What logging in needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) password: String,
}

/// How long sessions last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expiry {
    /// Without a request.
    pub(crate) idle: Millis,
    /// In all.
    pub(crate) whole: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Added {
    Done,
    NameIsThere,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removed {
    Done,
    Unknown,
    /// Others would be left without one who can administer.
    LastAdmin,
}

fn role(row: &Row<'_>, at: usize) -> rusqlite::Result<Role> {
    let name: String = row.get(at)?;
    Ok(name.parse().expect("the schema allows no other role"))
}

fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        id: row.get(0)?,
        name: row.get(1)?,
        role: role(row, 2)?,
        password: row.get(3)?,
    })
}

impl Database {
    /// Whether anybody can log in.
    pub(crate) fn has_accounts(&self) -> Result<bool, Error> {
        let sql = "SELECT EXISTS (SELECT 1 FROM account)";
        Ok(self.reader().query_row(sql, [], |row| row.get(0))?)
    }

    pub(crate) fn accounts(&self) -> Result<Vec<Account>, Error> {
        let sql = "SELECT name, role, created_at FROM account ORDER BY name";
        let reader = self.reader();
        let mut statement = reader.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Account {
                name: row.get(0)?,
                role: role(row, 1)?,
                created_at_ms: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(crate) fn account(&self, name: &str) -> Result<Option<Known>, Error> {
        let sql = "SELECT id, name, role, password FROM account WHERE name = ?1";
        Ok(self.reader().query_row(sql, [name], known).optional()?)
    }

    pub(crate) fn add_account(
        &self,
        name: &str,
        role: Role,
        password: &str,
        entry: &Entry<'_>,
        now: Millis,
    ) -> Result<Added, Error> {
        self.change(|t| {
            let added = t.execute(
                "INSERT INTO account (name, role, password, created_at) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (name) DO NOTHING",
                params![name, role.name(), password, now],
            )?;
            if added == 0 {
                return Ok(Added::NameIsThere);
            }
            entry.append(t, now)?;
            Ok(Added::Done)
        })
    }

    pub(crate) fn remove_account(
        &self,
        name: &str,
        entry: &Entry<'_>,
        now: Millis,
    ) -> Result<Removed, Error> {
        self.change(|t| {
            let found = t.query_row("SELECT role FROM account WHERE name = ?1", [name], |row| {
                role(row, 0)
            });
            let Some(role) = found.optional()? else {
                return Ok(Removed::Unknown);
            };
            if role == Role::Admin && leaves_no_admin(t)? {
                return Ok(Removed::LastAdmin);
            }
            t.execute("DELETE FROM account WHERE name = ?1", [name])?;
            entry.append(t, now)?;
            Ok(Removed::Done)
        })
    }

    /// False where there is no such account.
    pub(crate) fn set_password(
        &self,
        name: &str,
        password: &str,
        entry: &Entry<'_>,
        now: Millis,
    ) -> Result<bool, Error> {
        self.change(|t| {
            let sql = "UPDATE account SET password = ?2 WHERE name = ?1";
            if t.execute(sql, [name, password])? == 0 {
                return Ok(false);
            }
            let sql =
                "DELETE FROM session WHERE account = (SELECT id FROM account WHERE name = ?1)";
            t.execute(sql, [name])?;
            entry.append(t, now)?;
            Ok(true)
        })
    }

    /// Opens a session and forgets those that are over.
    pub(crate) fn open_session(
        &self,
        token_hash: &str,
        account: i64,
        expiry: Expiry,
        entry: &Entry<'_>,
        now: Millis,
    ) -> Result<(), Error> {
        self.change(|t| {
            let over = "DELETE FROM session WHERE seen_at <= ?1 OR opened_at <= ?2";
            t.execute(over, [now - expiry.idle, now - expiry.whole])?;
            t.execute(
                "INSERT INTO session (token_hash, account, opened_at, seen_at) VALUES (?1, ?2, ?3, ?3)",
                params![token_hash, account, now],
            )?;
            entry.append(t, now)
        })
    }

    /// Whose session this is; none where it is over.
    pub(crate) fn session(
        &self,
        token_hash: &str,
        expiry: Expiry,
        now: Millis,
    ) -> Result<Option<(String, Role)>, Error> {
        let sql = "SELECT account.name, account.role, session.seen_at FROM session \
                   JOIN account ON account.id = session.account \
                   WHERE token_hash = ?1 AND seen_at > ?2 AND opened_at > ?3";
        let found = self.reader().query_row(
            sql,
            params![token_hash, now - expiry.idle, now - expiry.whole],
            |row| Ok((row.get(0)?, role(row, 1)?, row.get::<_, Millis>(2)?)),
        );
        let Some((name, role, seen_at)) = found.optional()? else {
            return Ok(None);
        };
        if now - seen_at >= SEEN_EVERY.min(expiry.idle / 4) {
            let sql = "UPDATE session SET seen_at = ?2 WHERE token_hash = ?1";
            self.change(|t| t.execute(sql, params![token_hash, now]))?;
        }
        Ok(Some((name, role)))
    }

    pub(crate) fn close_session(
        &self,
        token_hash: &str,
        entry: &Entry<'_>,
        now: Millis,
    ) -> Result<(), Error> {
        self.change(|t| {
            t.execute("DELETE FROM session WHERE token_hash = ?1", [token_hash])?;
            entry.append(t, now)
        })
    }
}

fn leaves_no_admin(t: &Transaction<'_>) -> rusqlite::Result<bool> {
    let sql = "SELECT (SELECT count(*) FROM account WHERE role = 'admin') = 1 \
               AND (SELECT count(*) FROM account) > 1";
    t.query_row(sql, [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPIRY: Expiry = Expiry {
        idle: 1_000,
        whole: 5_000,
    };

    fn with_ann() -> (tempfile::TempDir, Database, i64) {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(&dir.path().join("test.db")).unwrap();
        let entry = Entry::by("test", "account.add", "ann");
        database
            .add_account("ann", Role::Admin, "hash", &entry, 1)
            .unwrap();
        let id = database.account("ANN").unwrap().unwrap().id;
        (dir, database, id)
    }

    fn open(database: &Database, id: i64, now: Millis) {
        let entry = Entry::by("ann", "session.open", "ann");
        database.open_session("t", id, EXPIRY, &entry, now).unwrap();
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
        let (_dir, database, id) = with_ann();
        open(&database, id, 0);
        let whose = |now| database.session("t", EXPIRY, now).unwrap();
        assert_eq!(whose(999), Some(("ann".to_owned(), Role::Admin)));
        assert!(whose(1_900).is_some(), "a request makes it last");
        assert_eq!(whose(3_000), None, "idle");
        open(&database, id, 10_000);
        for now in (10_000..15_000).step_by(500) {
            assert!(whose(now).is_some(), "{now}");
        }
        assert_eq!(whose(15_000), None, "old");
        assert_eq!(database.session("other", EXPIRY, 0).unwrap(), None);
    }

    #[test]
    fn sessions_go_with_the_password_and_the_account() {
        let (_dir, database, id) = with_ann();
        let entry = Entry::by("test", "x", "ann");
        open(&database, id, 0);
        assert!(database.set_password("ann", "new", &entry, 1).unwrap());
        assert_eq!(database.session("t", EXPIRY, 1).unwrap(), None);
        open(&database, id, 2);
        assert_eq!(
            database.remove_account("ann", &entry, 3).unwrap(),
            Removed::Done
        );
        assert_eq!(database.session("t", EXPIRY, 3).unwrap(), None);
        assert!(!database.has_accounts().unwrap());
    }
}
