//! Who may do what: roles and their rights, names, passwords, tokens of sessions.
//!
//! Owns: what a role may do, when a name or password is taken, how both are kept. Does not own:
//! where accounts stand (`database`), how a caller is recognised (`http`).

mod attempts;
mod looks;
mod password;
mod token;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::Serialize;

pub(crate) use attempts::Attempts;
pub(crate) use looks::Looks;
pub(crate) use password::{Checked, Passwords, hashed};
pub(crate) use token::{Token, is_same, random_key};

use crate::database::{Added, AuditRow, Database, Entry, Removed};
use crate::store::make_folder;
use crate::time::now;
use crate::{Error, ErrorKind};

/// Longest name of an account.
const MAX_NAME: usize = 64;
/// The one who acts by a command on this machine.
const COMMAND: &str = "(command)";

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Admin,
    /// Reads, reviews, has studies assessed, uploads and exports.
    Radiologist,
    /// Sees nothing that identifies a patient, exports without it.
    Researcher,
}

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Right {
    /// Nothing: whether the service lives, logging in, the page without its data.
    Nothing,
    /// Results without identifiers.
    Read,
    /// Files as they came, with names and dates.
    Identified,
    /// Saying what a reader thinks of a finding.
    Review,
    /// Having studies read, again or for the first time.
    Assess,
    /// Sending studies in.
    Upload,
    /// De-identified copies.
    Export,
    /// Deleting.
    Administer,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 3] = [Role::Admin, Role::Radiologist, Role::Researcher];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Radiologist => "radiologist",
            Role::Researcher => "researcher",
        }
    }

    pub(crate) fn may(self, right: Right) -> bool {
        match self {
            Role::Admin => true,
            Role::Radiologist => right != Right::Administer,
            Role::Researcher => matches!(right, Right::Nothing | Right::Read | Right::Export),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Role, Error> {
        let known = Role::ALL.into_iter().find(|role| role.name() == text);
        known.ok_or_else(|| {
            Error::config(format!(
                "expected admin, radiologist or researcher, got {text:?}"
            ))
        })
    }
}

/// An account as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: i64,
}

/// Adds an account to a data folder; a running service knows it at once.
///
/// # Errors
/// [`ErrorKind::Config`] for a name or password that cannot be taken, and a name that is there;
/// [`ErrorKind::Data`] where the database cannot be written.
pub fn add_account(data: &Path, name: &str, role: Role, password: &str) -> Result<(), Error> {
    check_name(name)?;
    let password = hashed(password)?;
    let by = Entry::by(COMMAND, "account.add", name).with("role", role.name());
    match open(data)?.add_account(name, role, &password, &by, now())? {
        Added::Done => Ok(()),
        Added::NameIsThere => Err(Error::config(format!(
            "expected a new name, got {name:?} again"
        ))),
    }
}

/// Accounts of a data folder, by name.
///
/// # Errors
/// [`ErrorKind::Data`] where the database cannot be read.
pub fn list_accounts(data: &Path) -> Result<Vec<Account>, Error> {
    open(data)?.accounts()
}

/// Removes an account and logs it out.
///
/// # Errors
/// [`ErrorKind::Config`] for an unknown name, and the last admin while there are others;
/// [`ErrorKind::Data`] where the database cannot be written.
pub fn remove_account(data: &Path, name: &str) -> Result<(), Error> {
    let by = Entry::by(COMMAND, "account.remove", name);
    match open(data)?.remove_account(name, &by, now())? {
        Removed::Done => Ok(()),
        Removed::Unknown => Err(unknown(name)),
        Removed::LastAdmin => Err(Error::config(format!(
            "expected an admin to stay, got the last one, {name:?}: remove the others first, or add another admin"
        ))),
    }
}

/// Gives an account a new password and logs it out.
///
/// # Errors
/// As [`add_account`], and for an unknown name.
pub fn set_password(data: &Path, name: &str, password: &str) -> Result<(), Error> {
    let password = hashed(password)?;
    let by = Entry::by(COMMAND, "account.password", name);
    match open(data)?.set_password(name, &password, &by, now())? {
        true => Ok(()),
        false => Err(unknown(name)),
    }
}

fn open(data: &Path) -> Result<Database, Error> {
    make_folder(data)?;
    Database::open(&data.join("lobule.db"))
}

/// Shows every row of the audit log of a data folder, in order, and proves that none was changed or
/// taken out; gives the last hash. Who notes it elsewhere can see later that no row was cut off.
///
/// # Errors
/// [`ErrorKind::Data`] where the database cannot be read or the log was changed.
pub fn read_audit(data: &Path, show: &mut dyn FnMut(&AuditRow)) -> Result<String, Error> {
    Database::of_folder(data)?.read_audit(show)
}

fn unknown(name: &str) -> Error {
    Error::config(format!("expected the name of an account, got {name:?}"))
}

/// Names go into the audit log and on pages, and before the colon of HTTP Basic.
fn check_name(name: &str) -> Result<(), Error> {
    let length_fits = (1..=MAX_NAME).contains(&name.chars().count());
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+');
    match length_fits && name.chars().all(is_plain) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Config,
            format!(
                "expected a name of 1 to {MAX_NAME} letters, digits and . - _ @ +, got {name:?}"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_grow_from_researcher_to_admin() {
        let rights = [
            (Right::Nothing, [true, true, true]),
            (Right::Read, [true, true, true]),
            (Right::Export, [true, true, true]),
            (Right::Identified, [true, true, false]),
            (Right::Review, [true, true, false]),
            (Right::Assess, [true, true, false]),
            (Right::Upload, [true, true, false]),
            (Right::Administer, [true, false, false]),
        ];
        for (right, expected) in rights {
            assert_eq!(Role::ALL.map(|role| role.may(right)), expected, "{right:?}");
        }
    }

    #[test]
    fn names_are_plain() {
        for name in ["ann", "Ärztin", "a.b@clinic"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "a:b", "a b", "<script>", "a\n", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn accounts_are_added_changed_and_removed_by_command() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let good = "a long enough one";
        add_account(&data, "ann", Role::Admin, good).unwrap();
        add_account(&data, "ben", Role::Researcher, good).unwrap();
        assert!(add_account(&data, "ANN", Role::Admin, good).is_err());
        assert!(add_account(&data, "cat", Role::Admin, "short").is_err());
        let names: Vec<String> = list_accounts(&data)
            .unwrap()
            .into_iter()
            .map(|a| a.name)
            .collect();
        assert_eq!(names, ["ann", "ben"]);
        assert!(
            remove_account(&data, "ann")
                .unwrap_err()
                .to_string()
                .contains("last")
        );
        assert!(remove_account(&data, "dan").is_err());
        assert!(set_password(&data, "dan", good).is_err());
        set_password(&data, "ben", "another long one").unwrap();
        remove_account(&data, "ben").unwrap();
        remove_account(&data, "ann").unwrap();
        assert_eq!(list_accounts(&data).unwrap(), []);
    }
}
