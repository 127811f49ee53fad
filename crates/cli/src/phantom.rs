//! `lobule phantom`: synthetic mammograms, slides and cohorts, with their truth beside them.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use lobule_phantom::mammogram::{Medium, TrainingPlan, write_training_set};
use lobule_phantom::slide::{
    Cohort, CohortPlan, Scanner, SlideLooks, SlidePlan, Stain, SyntheticSlide, write_cohort,
    write_cohort_plans, write_cohort_tables, write_plan, write_slide,
};

use crate::failure::{Failure, Outcome};
use crate::setup::check_output;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Write exams of four synthetic mammograms, `manifest.csv` with their labels, and masks of the
    /// lesions: a data set for `lobule train mammography`.
    Mammograms(MammogramsArgs),
    /// Write synthetic slides of given grades, and where their tumor is.
    Slides(SlidesArgs),
    /// Write a cohort: a synthetic slide and follow-up for each patient, whose hazard follows the planted
    /// grade with a known ratio.
    Cohort(CohortArgs),
}

#[derive(Debug, clap::Args)]
struct MammogramsArgs {
    /// Folder to write to: new or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Seed of every random choice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Exams: in turns normal, with a benign-like, with a malignant-like lesion.
    #[arg(long, default_value_t = 12)]
    exams: usize,
    /// film or digital; without it three exams digital, three on film.
    #[arg(long)]
    medium: Option<Medium>,
    /// Side of a pixel.
    #[arg(long, value_name = "MM", default_value_t = 0.2)]
    spacing: f64,
}

/// What all synthetic slides share.
#[derive(Debug, clap::Args)]
struct Looks {
    /// Folder to write to: new or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Seed of every random choice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Pyramids, or plans: small files of which only what is read is drawn; or a cohort's tables alone.
    #[arg(long, value_enum, default_value_t = Form::Tiff)]
    form: Form,
    /// Rows and columns of a slide.
    #[arg(long, value_name = "PIXELS", default_value_t = 4096)]
    side: usize,
    /// Microns per pixel.
    #[arg(long, value_name = "MICRONS", default_value_t = 0.5)]
    mpp: f64,
    /// Stains to draw from; commas between.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [StainName::Common, StainName::Pink])]
    stains: Vec<StainName>,
    /// Scanners to draw from; commas between.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [ScannerName::Neutral, ScannerName::Warm])]
    scanners: Vec<ScannerName>,
    /// Share of the slides with pen, with a fold, with a place out of focus, each by itself.
    #[arg(long, value_name = "SHARE", default_value_t = 0.15)]
    artefacts: f64,
}

#[derive(Debug, clap::Args)]
struct SlidesArgs {
    #[command(flatten)]
    looks: Looks,
    /// Grades that the tumors look like, 1 to 3, a slide for each; commas between.
    #[arg(long, value_name = "GRADES", value_delimiter = ',', default_values_t = [1.0, 2.0, 3.0])]
    grades: Vec<f64>,
}

#[derive(Debug, clap::Args)]
struct CohortArgs {
    #[command(flatten)]
    looks: Looks,
    /// Patients.
    #[arg(long, default_value_t = 300)]
    patients: usize,
    /// Hazard ratio per planted grade; high against low inside grade 2. 1 makes a null cohort.
    #[arg(long, value_name = "RATIO", default_value_t = 2.0)]
    hazard_ratio: f64,
    /// Scale of the baseline hazard, in years; about 24 gives a null cohort as many recurrences.
    #[arg(long, value_name = "YEARS", default_value_t = 55.0)]
    scale_years: f64,
    /// Shares of grade 1, 2 and 3.
    #[arg(long, value_name = "SHARES", value_delimiter = ',', default_values_t = [0.2, 0.5, 0.3])]
    grade_shares: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Pyramidal TIFF.
    Tiff,
    /// `NAME.plan.json`.
    Plan,
    /// Of a cohort, `clinical.csv` and `truth.csv` alone.
    Tables,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StainName {
    Common,
    Violet,
    Pink,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScannerName {
    Neutral,
    Warm,
    Cool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let out = match &args.what {
        What::Mammograms(args) => mammograms(args)?,
        What::Slides(args) => slides(args)?,
        What::Cohort(args) => cohort(args)?,
    };
    eprintln!("SYNTHETIC pictures: computed, not of patients.");
    println!("{}", out.display());
    Ok(Outcome::Complete)
}

fn mammograms(args: &MammogramsArgs) -> Result<&Path, Failure> {
    let out = args.out.as_path();
    check_empty(out)?;
    if args.exams == 0 || !(0.05..=2.0).contains(&args.spacing) {
        return Err(Failure::usage(format!(
            "expected at least one exam and pixels of 0.05 to 2 mm, got {} and {}",
            args.exams, args.spacing
        )));
    }
    let plan = TrainingPlan {
        seed: args.seed,
        n_exams: args.exams,
        spacing_mm: args.spacing,
        medium: args.medium,
    };
    write_training_set(out, plan).map_err(unwritten)?;
    Ok(out)
}

fn slides(args: &SlidesArgs) -> Result<&Path, Failure> {
    let out = args.looks.out.as_path();
    check_empty(out)?;
    let within = |grade: &f64| (1.0..=3.0).contains(grade);
    if args.grades.is_empty() || !args.grades.iter().all(within) {
        return Err(Failure::usage(format!(
            "expected grades of 1 to 3, got {:?}",
            args.grades
        )));
    }
    let looks = args.looks.looks()?;
    for (i, &grade) in args.grades.iter().enumerate() {
        let plan = SlidePlan {
            rows: looks.rows,
            cols: looks.cols,
            mpp: looks.mpp,
            grade,
            stain: looks.stains[i % looks.stains.len()],
            scanner: looks.scanners[i % looks.scanners.len()],
            ..SlidePlan::default()
        };
        let slide = SyntheticSlide::new(plan, args.looks.seed.wrapping_add(i as u64));
        let name = format!("synthetic-{:04}", i + 1);
        let written = match args.looks.form {
            Form::Tiff => write_slide(out, &name, &slide),
            Form::Plan => write_plan(out, &name, &slide),
            Form::Tables => return Err(Failure::usage("expected tables of a cohort, got slides")),
        };
        written.map_err(unwritten)?;
    }
    Ok(out)
}

fn cohort(args: &CohortArgs) -> Result<&Path, Failure> {
    let out = args.looks.out.as_path();
    check_empty(out)?;
    let above = |v: f64| v.is_finite() && v > 0.0;
    if !above(args.hazard_ratio) || !above(args.scale_years) {
        return Err(Failure::usage(
            "expected a hazard ratio and a scale above 0",
        ));
    }
    let shares = match args.grade_shares[..] {
        [a, b, c] if [a, b, c].iter().all(|v| v.is_finite() && *v >= 0.0) && a + b + c > 0.0 => {
            [a, b, c]
        }
        _ => {
            return Err(Failure::usage(
                "expected three shares of 0 or more, not all 0",
            ));
        }
    };
    let plan = CohortPlan {
        n_patients: args.patients,
        grade_shares: shares,
        hazard_ratio: args.hazard_ratio,
        scale_years: args.scale_years,
        ..CohortPlan::default()
    };
    let cohort = Cohort::new(&plan, args.looks.seed);
    let looks = args.looks.looks()?;
    match args.looks.form {
        Form::Tiff => write_cohort(out, &cohort, &looks).map(drop),
        Form::Plan => write_cohort_plans(out, &cohort, &looks),
        Form::Tables => write_cohort_tables(out, &cohort),
    }
    .map_err(unwritten)?;
    Ok(out)
}

/// Nothing is written over.
fn check_empty(out: &Path) -> Result<(), Failure> {
    check_output(out)?;
    let is_empty = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    let refused = || Failure::output("expected a new or empty folder, got one with files").of(out);
    is_empty.then_some(()).ok_or_else(refused)
}

impl Looks {
    fn looks(&self) -> Result<SlideLooks, Failure> {
        if !(64..=1 << 17).contains(&self.side) || !(0.1..=4.0).contains(&self.mpp) {
            return Err(Failure::usage(format!(
                "expected a side of 64 to 131072 pixels of 0.1 to 4 microns, got {} of {}",
                self.side, self.mpp
            )));
        }
        let stain = |name: &StainName| match name {
            StainName::Common => Stain::COMMON,
            StainName::Violet => Stain::VIOLET,
            StainName::Pink => Stain::PINK,
        };
        let scanner = |name: &ScannerName| match name {
            ScannerName::Neutral => Scanner::NEUTRAL,
            ScannerName::Warm => Scanner::WARM,
            ScannerName::Cool => Scanner::COOL,
        };
        Ok(SlideLooks {
            rows: self.side,
            cols: self.side,
            mpp: self.mpp,
            stains: self.stains.iter().map(stain).collect(),
            scanners: self.scanners.iter().map(scanner).collect(),
            artefacts: self.artefacts,
        })
    }
}

fn unwritten(error: lobule_phantom::Error) -> Failure {
    Failure::output(error.to_string())
}
