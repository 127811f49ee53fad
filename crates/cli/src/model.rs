//! `lobule model`: what packages there are, what they say, and whether it is true.

mod gmic;
mod outlines;
mod rerun;
#[cfg(feature = "train")]
mod rerun_slides;
mod verify;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use lobule_package::{Manifest, Package, RiskScale, SlideRule, export, import};

use crate::default_package::{self, imported_folders, own_models};
use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the built-in models and the imported ones.
    List,
    /// Print what a package says about itself.
    Show {
        /// Folder of a package, or the name of an imported one [default: the built-in model].
        package: Option<PathBuf>,
        /// Print the manifest as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check hashes, recompute the figures and compare the engines.
    Verify {
        /// Folder of a package, or the name of an imported one [default: the built-in model].
        package: Option<PathBuf>,
        /// Folder that holds the data sets by their names in `predictions.csv`: every member is
        /// run again on the images that it did not learn from. Models of slides need a build with the
        /// feature `train` and the configurations of their runs, in the folder `train` of the package.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Copy a package (folder or .zip) to your own models, or make one of published checkpoints.
    #[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
    Import {
        /// Folder or zip file.
        source: Option<PathBuf>,
        #[command(subcommand)]
        published: Option<Published>,
    },
    /// Copy a package to a new folder, or to a zip file.
    Export {
        /// Folder of a package, or the name of an imported one.
        package: PathBuf,
        /// New folder, or a name that ends in .zip.
        target: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum Published {
    /// Make a package of checkpoints of the mammography network GMIC. Needs a build with the
    /// feature `train`.
    Gmic(gmic::Args),
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.command {
        Command::List => list(),
        Command::Show { package, json } => show(package.as_deref(), *json),
        Command::Verify { package, data } => {
            let found = default_package::find(resolved(package.as_deref()).as_deref())?;
            verify::verify(&found.package)?;
            match data {
                Some(data) => rerun::rerun(&found.package, data),
                None => Ok(Outcome::Complete),
            }
        }
        Command::Import {
            published: Some(Published::Gmic(args)),
            ..
        } => gmic::run(args),
        Command::Import { source, .. } => import_package(source.as_deref()),
        Command::Export { package, target } => {
            let found = default_package::find(resolved(Some(package)).as_deref())?;
            export(&found.package, target).map_err(moving)?;
            Ok(Outcome::Complete)
        }
    }
}

fn import_package(source: Option<&Path>) -> Result<Outcome, Failure> {
    let none = || Failure::usage("expected a package to import, got none");
    let package = import(source.ok_or_else(none)?, &own_models()?).map_err(moving)?;
    print_row(&package, &package.folder().display().to_string());
    Ok(Outcome::Complete)
}

/// A name that is no folder here stands for an imported package.
fn resolved(package: Option<&Path>) -> Option<PathBuf> {
    let package = package?;
    let imported = own_models().map(|folder| folder.join(package));
    let imported = imported.ok().filter(|folder| folder.is_dir());
    let named = !package.exists() && package.components().count() == 1;
    Some(imported.filter(|_| named).unwrap_or(package.to_path_buf()))
}

fn moving(error: lobule_package::Error) -> Failure {
    match error.kind() {
        lobule_package::ErrorKind::Write => Failure::output(error.to_string()),
        _ => error.into(),
    }
}

fn list() -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Complete;
    for found in default_package::built_in()? {
        print_row(&found.package, "built in");
    }
    for folder in imported_folders() {
        match Package::open(&folder) {
            Ok(package) => print_row(&package, &folder.display().to_string()),
            Err(error) => {
                eprintln!("lobule: {error}");
                outcome = Outcome::SomeSkipped;
            }
        }
    }
    Ok(outcome)
}

fn print_row(package: &Package, place: &str) {
    let m = package.manifest();
    let (name, version, digest) = (&m.name, &m.version, package.short_digest());
    let status = format!("{:?}", m.status).to_lowercase();
    println!(
        "{name}\t{version}\t{status}\t{} members\t{digest}\t{place}",
        m.members.len()
    );
}

fn show(package: Option<&Path>, json: bool) -> Result<Outcome, Failure> {
    let found = default_package::find(resolved(package).as_deref())?;
    let manifest = found.package.manifest();
    if json {
        let mut value = serde_json::json!(manifest);
        value["digest"] = found.package.digest().into();
        println!("{value:#}");
    } else {
        print!("{}", summary(manifest, found.package.digest()));
    }
    Ok(Outcome::Complete)
}

fn slide_lines(rule: &SlideRule) -> Vec<String> {
    match rule {
        SlideRule::Tumor(rule) => {
            let (threshold, chosen_by) = (rule.threshold, &rule.chosen_by);
            vec![format!("tumor tiles    from {threshold} ({chosen_by})")]
        }
        SlideRule::Grade(rule) => {
            let (quantile, least) = (rule.quantile, rule.least_tiles);
            let score =
                format!("slide score    quantile {quantile} of at least {least} tumor tiles");
            let risk = |scale: &RiskScale| {
                let (name, levels) = (&scale.name, scale.levels.join(" < "));
                let (cutoffs, chosen_by) = (&scale.cutoffs, &scale.chosen_by);
                format!("risk           {name}: {levels} at {cutoffs:?} ({chosen_by})")
            };
            std::iter::once(score)
                .chain(rule.risks.iter().map(risk))
                .collect()
        }
    }
}

fn summary(m: &Manifest, digest: &str) -> String {
    let (rows, cols) = m.prepare.size();
    let mut lines = vec![
        format!(
            "{} {} ({:?}, {:?})",
            m.name, m.version, m.modality, m.status
        ),
        m.research_use.clone(),
        format!("digest         {digest}"),
        format!("input          {rows} × {cols} pixels"),
        format!("classes        {}", m.classes.join(", ")),
    ];
    lines.extend(m.members.iter().map(|member| {
        let (file, left_out) = (&member.file, &member.left_out);
        format!("member         {file} (left out: {left_out})")
    }));
    lines.extend(m.calibration.iter().map(|(class, c)| {
        format!(
            "calibrated     {class}, at a prevalence of {}",
            c.prevalence
        )
    }));
    lines.extend(m.operating_points.iter().map(|p| {
        let default = if p.name == m.default_operating_point {
            ", default"
        } else {
            ""
        };
        format!(
            "threshold      {} at {} ({}{default})",
            p.name, p.threshold, p.chosen_by
        )
    }));
    lines.extend(m.slide.iter().flat_map(slide_lines));
    lines.extend(m.training_data.iter().map(|d| {
        let (name, n, malignant) = (&d.name, d.n_images, d.n_malignant);
        let (licence, citation) = (&d.licence, &d.citation);
        format!("trained on     {name}: {n} images, {malignant} malignant; {licence}; {citation}")
    }));
    lines.join("\n") + "\n"
}
