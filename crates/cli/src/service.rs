//! `lobule service`: accounts, audit log, backups and models of a service, on its data folder. The
//! service may run meanwhile.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use chrono::DateTime;
use lobule_exam::Modality;
use lobule_package::Package;
use lobule_server::{Compared, ModelPackage, ModelRole, Role};

use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add, list and remove those who can log in, change their passwords.
    #[command(subcommand)]
    User(User),
    /// Print who did what, and prove that no entry was changed or taken out.
    Audit(Audit),
    /// Copy the data folder, while the service runs, into a folder that a service can be started on.
    Backup(Backup),
    /// Choose the models that read: activate, roll back, let one read along as a shadow, compare.
    #[command(subcommand)]
    Model(Model),
}

#[derive(Debug, clap::Args)]
struct Data {
    /// Data folder of the service.
    #[arg(long, value_name = "DIR", default_value = "lobule-data")]
    data: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
enum User {
    /// Add an account; its password is read from standard input.
    Add {
        /// Name: letters, digits and . - _ @ +
        name: String,
        /// admin, radiologist or researcher.
        #[arg(long, value_name = "ROLE")]
        role: Role,
        #[command(flatten)]
        data: Data,
    },
    /// Print names and roles.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Remove an account and log it out.
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        data: Data,
    },
    /// Give an account a new password, read from standard input, and log it out.
    Password {
        /// Its name.
        name: String,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, clap::Args)]
struct Audit {
    /// A hash that was noted earlier: it has to be in the log still.
    #[arg(long, value_name = "HASH")]
    expect: Option<String>,
    #[command(flatten)]
    data: Data,
}

#[derive(Debug, clap::Args)]
struct Backup {
    /// Folder for the copy; a second backup into it copies what is new.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    data: Data,
}

#[derive(Debug, clap::Subcommand)]
enum Model {
    /// Print the models that were chosen.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Have a package read all studies of its modality from now on.
    Activate {
        /// Folder of the package.
        package: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Go back to the model before the present one.
    Rollback {
        /// ultrasound or mammography.
        modality: Modality,
        #[command(flatten)]
        data: Data,
    },
    /// Have a package read along: its results are kept and not sent.
    Shadow {
        /// Folder of the package.
        package: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// End the shadow of a modality.
    Unshadow {
        /// ultrasound or mammography.
        modality: Modality,
        #[command(flatten)]
        data: Data,
    },
    /// Print what the shadow made of studies beside the active model.
    Compare {
        #[command(flatten)]
        data: Data,
    },
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.command {
        Command::User(user) => run_user(user)?,
        Command::Audit(audit) => run_audit(audit)?,
        Command::Backup(backup) => return run_backup(backup),
        Command::Model(model) => run_model(model)?,
    }
    Ok(Outcome::Complete)
}

fn run_user(user: &User) -> Result<(), Failure> {
    match user {
        User::Add { name, role, data } => {
            lobule_server::add_account(&data.data, name, *role, &password()?)?;
        }
        User::List { data } => {
            for account in lobule_server::list_accounts(&data.data)? {
                println!(
                    "{}\t{}\t{}",
                    account.name,
                    account.role,
                    moment(account.created_at_ms)
                );
            }
        }
        User::Remove { name, data } => {
            lobule_server::remove_account(&data.data, name)?;
            if lobule_server::list_accounts(&data.data)?.is_empty() {
                eprintln!(
                    "No account is left: whoever reaches the page on this machine sees every study."
                );
            }
        }
        User::Password { name, data } => {
            lobule_server::set_password(&data.data, name, &password()?)?;
        }
    }
    Ok(())
}

/// Without an echo where somebody types it, else the first line.
fn password() -> Result<String, Failure> {
    let unread = |e: std::io::Error| {
        Failure::usage(format!("expected a password on standard input, got: {e}"))
    };
    if std::io::stdin().is_terminal() {
        let typed = rpassword::prompt_password("Password: ").map_err(unread)?;
        let again = rpassword::prompt_password("Again: ").map_err(unread)?;
        return match typed == again {
            true => Ok(typed),
            false => Err(Failure::usage("expected the same password twice, got two")),
        };
    }
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(unread)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn moment(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis)
        .map(|time| time.to_rfc3339())
        .unwrap_or_default()
}

fn run_audit(audit: &Audit) -> Result<(), Failure> {
    let mut is_there = audit.expect.is_none();
    let last = lobule_server::read_audit(&audit.data.data, &mut |row| {
        is_there |= audit.expect.as_ref() == Some(&row.hash);
        println!(
            "{}\t{}\t{}\t{}\t{}\t{}",
            row.number,
            moment(row.at_ms),
            row.actor,
            row.action,
            row.subject,
            row.detail
        );
    })?;
    if !is_there {
        return Err(Failure::output(
            "audit log: expected the noted hash in it, got none: entries were cut off",
        ));
    }
    eprintln!("The log is whole. Last hash: {last}");
    Ok(())
}

fn run_backup(backup: &Backup) -> Result<Outcome, Failure> {
    let done = lobule_server::back_up(&backup.data.data, &backup.out)?;
    println!(
        "{} instances, {} results, {} bytes copied",
        done.instances, done.results, done.copied_bytes
    );
    match done.missing {
        0 => Ok(Outcome::Complete),
        missing => {
            eprintln!("{missing} files that the database names are not in the data folder");
            Ok(Outcome::SomeSkipped)
        }
    }
}

fn run_model(model: &Model) -> Result<(), Failure> {
    match model {
        Model::List { data } => {
            for role in [ModelRole::Active, ModelRole::Shadow] {
                for one in lobule_server::chosen_models(&data.data, role)? {
                    println!("{}\t{}", role.name(), line(&one));
                }
            }
        }
        Model::Activate { package, data } => choose(package, ModelRole::Active, data)?,
        Model::Shadow { package, data } => choose(package, ModelRole::Shadow, data)?,
        Model::Rollback { modality, data } => {
            match lobule_server::roll_back_model(&data.data, modality.name())? {
                Some(model) if model.is_none() => {
                    println!("{modality}\tthe model the service is started with");
                }
                Some(model) => println!("{}", line(&model)),
                None => {
                    let message =
                        format!("expected a model of {modality} that was activated, got none");
                    return Err(Failure::usage(message));
                }
            }
        }
        Model::Unshadow { modality, data } => {
            let none = ModelPackage::none(modality.name());
            lobule_server::choose_model(&data.data, ModelRole::Shadow, &none)?;
        }
        Model::Compare { data } => print_comparison(&lobule_server::compare_models(&data.data)?),
    }
    Ok(())
}

fn line(model: &ModelPackage) -> String {
    let ModelPackage {
        modality,
        folder,
        name,
        digest,
    } = model;
    format!("{modality}\t{name}\t{digest}\t{}", folder.display())
}

/// The package is opened and checked before it is chosen.
fn choose(folder: &std::path::Path, role: ModelRole, data: &Data) -> Result<(), Failure> {
    let folder = folder.canonicalize().map_err(|e| {
        let name = folder.display();
        Failure::usage(format!(
            "{name}: expected the folder of a model package, got: {e}"
        ))
    })?;
    let package = Package::open(folder.clone())?;
    package.verify_files()?;
    let manifest = package.manifest();
    let model = ModelPackage {
        modality: manifest.modality.name().to_owned(),
        folder,
        name: format!("{} {}", manifest.name, manifest.version),
        digest: package.digest().to_owned(),
    };
    lobule_server::choose_model(&data.data, role, &model)?;
    println!("{}", line(&model));
    Ok(())
}

/// One line a study, then how often the two agree.
fn print_comparison(rows: &[Compared]) {
    println!("study\tscore\tflagged\tshadow_score\tshadow_flagged\tshadow\treason");
    let number = |score: Option<f64>| score.map(|s| format!("{s:.4}")).unwrap_or_default();
    for row in rows {
        println!(
            "{}\t{}\t{}\t{}\t{}\t{}\t{}",
            row.key,
            number(row.score),
            row.flagged,
            number(row.shadow_score),
            row.shadow_flagged,
            row.shadow_model,
            row.shadow_reason.as_deref().unwrap_or_default()
        );
    }
    let read = rows.iter().filter(|row| row.shadow_reason.is_none());
    let count = |flagged, shadow| {
        let same = |row: &&Compared| (row.flagged, row.shadow_flagged) == (flagged, shadow);
        read.clone().filter(same).count()
    };
    eprintln!(
        "Read by both: {}. Flagged by both: {}, by the active model alone: {}, by the shadow alone: {}, by neither: {}. Not read by the shadow: {}.",
        read.clone().count(),
        count(true, true),
        count(true, false),
        count(false, true),
        count(false, false),
        rows.len() - read.clone().count(),
    );
}
