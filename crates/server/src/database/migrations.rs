//! Steps from an empty database, or one of an older version, to the schema of this version.
//!
//! Each step is a numbered file, applied once, in one transaction. Which ones were applied stands in
//! the database, so that steps that do not need each other may come to it in any order.

use std::collections::BTreeSet;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::{Error, ErrorKind};

/// Numbers rise; a step that was released is never changed.
const MIGRATIONS: &[(u32, &str)] = &[
    (1, include_str!("schema-1.sql")),
    (2, include_str!("schema-2.sql")),
    (3, include_str!("schema-3.sql")),
    (4, include_str!("schema-4.sql")),
];

/// The first version kept no list of its steps, only its number.
const BOOK: &str = "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY) STRICT; \
    INSERT OR IGNORE INTO migration SELECT 1 FROM pragma_user_version WHERE user_version >= 1;";

/// Brings a database up to date.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    refuse_newer(connection)?;
    in_one_step(connection, |t| t.execute_batch(BOOK))?;
    for (number, step) in MIGRATIONS {
        in_one_step(connection, |t| apply(t, *number, step))?;
    }
    Ok(())
}

fn newest() -> u32 {
    MIGRATIONS
        .iter()
        .map(|(number, _)| *number)
        .max()
        .unwrap_or(0)
}

fn refuse_newer(connection: &Connection) -> Result<(), Error> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let own = newest();
    match version <= own {
        true => Ok(()),
        false => {
            let message = format!(
                "expected a database of version {own} or older, got {version}: it was written by a newer lobule"
            );
            Err(Error::new(ErrorKind::Newer, message))
        }
    }
}

fn in_one_step(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    work(&transaction)?;
    Ok(transaction.commit()?)
}

/// Another process may have applied it since: it is asked inside the transaction.
fn apply(t: &Transaction<'_>, number: u32, step: &str) -> rusqlite::Result<()> {
    if applied(t)?.contains(&number) {
        return Ok(());
    }
    t.execute_batch(step)?;
    t.execute("INSERT INTO migration (number) VALUES (?1)", [number])?;
    t.pragma_update(None, "user_version", newest())
}

fn applied(t: &Transaction<'_>) -> rusqlite::Result<BTreeSet<u32>> {
    let mut statement = t.prepare("SELECT number FROM migration")?;
    let numbers = statement.query_map([], |row| row.get(0))?;
    numbers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(connection: &Connection) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut statement = connection.prepare(sql).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    }

    /// As the first version left it.
    fn first_version() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(MIGRATIONS[0].1).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let study = "INSERT INTO study (uid, key, state, first_arrival, last_arrival, changed_at) \
                     VALUES ('1.2', 'exam-1', 'done', 1, 2, 3)";
        connection.execute(study, []).unwrap();
        connection
    }

    #[test]
    fn numbers_rise() {
        assert!(MIGRATIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn the_first_version_becomes_what_a_new_database_is() {
        let mut old = first_version();
        migrate(&mut old).unwrap();
        migrate(&mut old).unwrap();
        let mut new = Connection::open_in_memory().unwrap();
        migrate(&mut new).unwrap();
        assert_eq!(tables(&old), tables(&new));
        let kept: String = old
            .query_row("SELECT uid FROM study", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, "1.2");
    }

    #[test]
    fn a_step_that_was_left_out_is_made_up_for() {
        let mut database = Connection::open_in_memory().unwrap();
        migrate(&mut database).unwrap();
        let step = "CREATE TABLE late (id INTEGER)";
        in_one_step(&mut database, |t| apply(t, 98, step)).unwrap();
        in_one_step(&mut database, |t| apply(t, 98, step)).unwrap();
        assert!(tables(&database).contains(&"late".to_owned()));
    }

    #[test]
    fn a_step_that_fails_leaves_nothing() {
        let mut database = first_version();
        let before = tables(&database);
        in_one_step(&mut database, |t| t.execute_batch(BOOK)).unwrap();
        let step = "CREATE TABLE half (id INTEGER); CREATE TABLE study (id INTEGER)";
        assert!(in_one_step(&mut database, |t| apply(t, 99, step)).is_err());
        let after: Vec<String> = tables(&database)
            .into_iter()
            .filter(|t| t != "migration")
            .collect();
        assert_eq!(after, before);
    }
}
