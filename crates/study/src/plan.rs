//! Planning a reader study: power and cases for numbers of readers.
//!
//! Owns: components of variance from a pilot study or as given, the grid of plans, their document.
//! Does not own: the statistics (`lobule_stats::mrmc::StudyPlan`).
//!
//! ```
//! use lobule_study::plan::{Config, Pilot, run};
//! use lobule_study::readers::Variances;
//! let pilot = Pilot {
//!     source: "published".into(),
//!     input: None,
//!     n_cases: 114,
//!     n_readers: Some(5),
//!     observed_difference: None,
//!     variances: Variances {
//!         reader: Some(0.0015), interaction: Some(0.0002),
//!         error: 0.0008, cov1: 0.00035, cov2: 0.00034, cov3: 0.00024,
//!     },
//! };
//! let result = run(pilot, &Config { difference: 0.05, ..Config::default() })?;
//! assert_eq!(result.plans[0].n_readers, 3);
//! # Ok::<(), lobule_study::Error>(())
//! ```

use lobule_report::chart::{Axis, Chart, Curve, Frame, LineChart, Reference, Scale, Tone};
use lobule_report::document::{Block, Cell, Document, Section};
use lobule_stats::Confidence;
use lobule_stats::mrmc::{Components, RandomFactors, StudyPlan};
use serde::Serialize;

use crate::Error;
use crate::page::{
    About, figure, found, number, or_missing, percent, provenance, table, text, warning,
};
use crate::readers::{Readers, Variances};
use crate::table::Input;
use crate::value::Found;

/// What is asked of the new study.
///
/// ```
/// use lobule_study::plan::Config;
/// assert_eq!(Config::default().power, 0.8);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The difference of two modalities that should be found.
    pub difference: f64,
    /// With this probability.
    pub power: f64,
    /// Numbers of readers to consider.
    pub readers: Vec<usize>,
    /// Numbers of cases to consider, in the pilot's mixture.
    pub cases: Vec<usize>,
    /// To what the conclusion should extend.
    pub random: RandomFactors,
    /// 1 − α of the two-sided test.
    pub confidence: Confidence,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            difference: 0.05,
            power: 0.8,
            readers: vec![3, 4, 5, 6, 8, 10, 12, 15, 20],
            cases: vec![50, 100, 150, 200, 300, 400, 600, 1000],
            random: RandomFactors::ReadersAndCases,
            confidence: Confidence::NINETY_FIVE,
        }
    }
}

/// What the plan starts from.
///
/// ```
/// use lobule_study::plan::Pilot;
/// fn cases(pilot: &Pilot) -> usize { pilot.n_cases }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pilot {
    /// In words.
    pub source: String,
    /// Of a pilot study.
    pub input: Option<Input>,
    /// The cases behind the covariances.
    pub n_cases: usize,
    /// The readers behind them, where known.
    pub n_readers: Option<usize>,
    /// What the pilot found.
    pub observed_difference: Option<f64>,
    /// Components of the Obuchowski–Rockette model.
    pub variances: Variances,
}

impl Pilot {
    /// From the primary figure of a reader study.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Config`] when that figure was not analysed or there is one modality.
    pub fn of(result: &Readers) -> Result<Pilot, Error> {
        let analysis = match result.figures.first() {
            Some(Found::Value(analysis)) => analysis,
            Some(Found::Refused(reason)) => {
                return Err(Error::config(format!(
                    "expected a pilot study, got: {reason}"
                )));
            }
            None => return Err(Error::config("expected a figure of merit, got none")),
        };
        let Some(difference) = analysis.differences.first() else {
            return Err(Error::config(
                "expected a pilot study of two modalities, got one",
            ));
        };
        Ok(Pilot {
            source: format!("{} of the pilot study", analysis.figure),
            input: Some(result.input.clone()),
            n_cases: result.n_cases,
            n_readers: Some(result.n_readers),
            observed_difference: Some(difference.difference.estimate),
            variances: analysis.variances,
        })
    }
}

/// The result of [`run`].
///
/// ```
/// use lobule_study::plan::Plan;
/// fn fewest(result: &Plan) -> Option<usize> {
///     result.plans.iter().filter_map(|plan| plan.cases_needed.value().copied()).min()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// What it starts from.
    pub pilot: Pilot,
    /// The difference to find.
    pub difference: f64,
    /// The power that is asked for.
    pub power: f64,
    /// 1 − α.
    pub confidence: f64,
    /// Readers, cases or both.
    pub random: String,
    /// By number of readers.
    pub plans: Vec<ReaderPlan>,
}

/// Plans with one number of readers.
///
/// ```
/// use lobule_study::plan::ReaderPlan;
/// fn n(plan: &ReaderPlan) -> usize { plan.n_readers }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderPlan {
    /// Readers.
    pub n_readers: usize,
    /// The fewest cases with the power that is asked for.
    pub cases_needed: Found<usize>,
    /// The power by number of cases.
    pub power: Vec<(usize, Found<f64>)>,
}

/// Computes power and numbers of cases.
///
/// # Errors
/// [`crate::ErrorKind::Config`] for a difference or power that no study can have.
pub fn run(pilot: Pilot, config: &Config) -> Result<Plan, Error> {
    if !(config.difference.is_finite() && config.difference != 0.0) {
        let text = format!(
            "expected a difference other than 0, got {}",
            config.difference
        );
        return Err(Error::config(text));
    }
    if !(config.power > 0.0 && config.power < 1.0) {
        let text = format!("expected a power between 0 and 1, got {}", config.power);
        return Err(Error::config(text));
    }
    let v = pilot.variances;
    let plan = |n_readers: usize, n_cases: usize| StudyPlan {
        components: Components {
            reader: v.reader,
            interaction: v.interaction,
            error: v.error,
            cov1: v.cov1,
            cov2: v.cov2,
            cov3: v.cov3,
        },
        pilot_cases: pilot.n_cases,
        difference: config.difference,
        n_readers,
        n_cases,
        random: config.random,
        confidence: config.confidence,
    };
    let plans = config.readers.iter().map(|&n_readers| ReaderPlan {
        n_readers,
        cases_needed: Found::from(plan(n_readers, pilot.n_cases).cases_for(config.power)),
        power: config
            .cases
            .iter()
            .map(|&n_cases| {
                let power = plan(n_readers, n_cases).power();
                (n_cases, Found::from(power.map(|power| power.power)))
            })
            .collect(),
    });
    Ok(Plan {
        plans: plans.collect(),
        difference: config.difference,
        power: config.power,
        confidence: config.confidence.level(),
        random: match config.random {
            RandomFactors::ReadersAndCases => "random readers and cases",
            RandomFactors::Cases => "random cases, fixed readers",
            RandomFactors::Readers => "random readers, fixed cases",
        }
        .to_owned(),
        pilot,
    })
}

/// The report: components, cases by readers, power curves.
///
/// ```
/// use lobule_study::plan::{Plan, document};
/// fn title(result: &Plan) -> String {
///     document(result, &lobule_study::About::default()).title
/// }
/// ```
pub fn document(result: &Plan, about: &About) -> Document {
    let settings = [
        ("Difference", result.difference.to_string()),
        ("Power", result.power.to_string()),
        ("Random factors", result.random.clone()),
        ("Confidence level", percent(result.confidence)),
    ];
    let none = Input {
        file: result.pilot.source.clone(),
        sha256: String::new(),
        bytes: 0,
        layout: "no table".into(),
    };
    let input = result.pilot.input.as_ref().unwrap_or(&none);
    let summary = result.plans.iter().map(|plan| match &plan.cases_needed {
        Found::Value(cases) => format!(
            "{} readers need {cases} cases for a power of {}.",
            plan.n_readers,
            Cell::Percent(result.power).words()
        ),
        Found::Refused(reason) => format!("{} readers: {reason}.", plan.n_readers),
    });
    Document {
        title: "Sample size of a reader study".into(),
        summary: summary.collect(),
        sections: vec![pilot(result), plans(result), methods(result)],
        provenance: provenance(about, input, &settings),
    }
}

fn pilot(result: &Plan) -> Section {
    let v = &result.pilot.variances;
    let none = "not estimated";
    let row = |name: &str, value: Cell| vec![name.into(), value];
    let six = |value: f64| number(value, 6);
    let rows = vec![
        row("Cases", result.pilot.n_cases.into()),
        row(
            "Readers",
            or_missing(result.pilot.n_readers, "not known", Cell::from),
        ),
        row(
            "Difference found",
            or_missing(result.pilot.observed_difference, none, |d| number(d, 4)),
        ),
        row("σ²(R)", or_missing(v.reader, none, six)),
        row("σ²(TR)", or_missing(v.interaction, none, six)),
        row("σ²(ε)", six(v.error)),
        row("Cov₁", six(v.cov1)),
        row("Cov₂", six(v.cov2)),
        row("Cov₃", six(v.cov3)),
    ];
    let caption = format!("What the plan starts from: {}.", result.pilot.source);
    let columns = [("component", "Component"), ("value", "Value")];
    let mut blocks = vec![table("pilot", caption, &columns, rows)];
    if v.interaction.is_some_and(|interaction| interaction < 0.0) {
        blocks.push(warning(
            "The pilot's σ²(TR) is negative and counts as 0; more readers may be needed than said.",
        ));
    }
    Section {
        title: "Pilot".into(),
        blocks,
    }
}

fn plans(result: &Plan) -> Section {
    Section {
        title: "Plans".into(),
        blocks: vec![plan_table(result), power_figure(result)],
    }
}

fn plan_table(result: &Plan) -> Block {
    let rows = result.plans.iter().map(|plan| {
        let mut cells = vec![
            plan.n_readers.into(),
            found(&plan.cases_needed, |&cases| Cell::from(cases)),
        ];
        let powers = plan.power.iter();
        cells.extend(powers.map(|(_, power)| found(power, |&power| Cell::Percent(power))));
        cells
    });
    let cases: Vec<usize> = result
        .plans
        .first()
        .map(|plan| plan.power.iter().map(|(cases, _)| *cases).collect())
        .unwrap_or_default();
    let keys: Vec<(String, String)> = cases
        .iter()
        .map(|cases| (format!("power_{cases}"), format!("Power, {cases} cases")))
        .collect();
    let mut columns = vec![("readers", "Readers"), ("cases", "Cases needed")];
    columns.extend(
        keys.iter()
            .map(|(key, title)| (key.as_str(), title.as_str())),
    );
    let caption = format!(
        "Cases for a power of {} to find a difference of {}, two-sided level {}, {}; and the power \
         with numbers of cases. Cases are in the pilot's mixture of diseased and healthy.",
        Cell::Percent(result.power).words(),
        result.difference,
        percent(1.0 - result.confidence),
        result.random
    );
    table("plans", caption, &columns, rows.collect())
}

fn power_figure(result: &Plan) -> Block {
    let curves = result.plans.iter().enumerate().map(|(slot, plan)| {
        let points = plan.power.iter();
        let points = points.filter_map(|(cases, power)| Some((*cases as f64, *power.value()?)));
        Curve {
            tone: Tone::Slot(slot),
            ..Curve::line(format!("{} readers", plan.n_readers), points.collect())
        }
    });
    let chart = LineChart {
        x: Axis {
            scale: Scale::Log,
            ..Axis::new("Cases")
        },
        y: Axis::unit("Power"),
        frame: Frame::Wide,
        references: vec![Reference::Horizontal(result.power, "wanted".into())],
        curves: curves.collect(),
        ..LineChart::default()
    };
    let title = format!(
        "Power to find a difference of {}, {}.",
        result.difference, result.random
    );
    figure("power", title, Chart::Lines(chart))
}

fn methods(result: &Plan) -> Section {
    Section {
        title: "Methods".into(),
        blocks: vec![text(format!(
            "Power of the Obuchowski–Rockette test ({}) with the pilot's components of variance, \
             error variances and covariances shrinking with the number of cases (Hillis, \
             Obuchowski, Berbaum 2011, doi:10.1016/j.acra.2010.09.007). A pilot's components are \
             uncertain, and so is the plan.",
            result.random
        ))],
    }
}
