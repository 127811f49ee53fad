//! Kaplan–Meier curves, cumulative incidences and tests by group.

use lobule_stats::survival::{
    BeyondFollowUp, CompetingFollowUp, CumulativeIncidence, FollowUp, KaplanMeier, LogRankConfig,
    RestrictedMean, compare_restricted_means, gray_test, log_rank, pairwise_log_rank,
    restricted_mean,
};
use serde::Serialize;

use super::Config;
use crate::Error;
use crate::table::{Group, SurvivalTable};
use crate::value::{ChiSquare, Difference, Estimate, Found};

/// The groups of one column.
///
/// ```
/// use lobule_study::survival::Grouping;
/// fn n(grouping: &Grouping) -> usize { grouping.curves.len() }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grouping {
    /// The column; empty for all subjects together.
    pub column: String,
    /// One per group: those asked for first, the others by name (numbers by size).
    pub curves: Vec<Curve>,
    /// That all groups have the same hazard.
    pub log_rank: Found<ChiSquare>,
    /// Pairs of groups.
    pub pairs: Found<Vec<Pair>>,
    /// Up to where mean survival is restricted.
    pub horizon: f64,
    /// By cause, then group, where causes compete.
    pub incidences: Vec<Incidence>,
    /// That all groups have the same cumulative incidence of a cause, by cause (Gray's test).
    pub gray: Vec<(usize, Found<ChiSquare>)>,
}

/// The survival of one group.
///
/// ```
/// use lobule_study::survival::Curve;
/// fn label(curve: &Curve) -> &str { &curve.label }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// The group.
    pub label: String,
    /// Its subjects.
    pub n_subjects: usize,
    /// Its events of cause 1.
    pub n_events: usize,
    /// Where survival falls to one half.
    pub median: Median,
    /// Survival at the times asked for: time, numbers at risk, survival.
    pub at: Vec<(f64, usize, Option<Estimate>)>,
    /// Mean survival up to the horizon.
    pub restricted_mean: Found<Estimate>,
    /// The curve.
    pub steps: Vec<Step>,
}

/// A median with its limits, where the curve reaches them.
///
/// ```
/// use lobule_study::survival::Median;
/// let never = Median { estimate: None, lower: None, upper: None };
/// assert!(never.estimate.is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Median {
    /// The estimate.
    pub estimate: Option<f64>,
    /// Lower limit.
    pub lower: Option<f64>,
    /// Upper limit.
    pub upper: Option<f64>,
}

/// A step of a Kaplan–Meier curve.
///
/// ```
/// use lobule_study::survival::Step;
/// fn time(step: &Step) -> f64 { step.time }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// When.
    pub time: f64,
    /// Subjects at risk just before.
    pub at_risk: usize,
    /// Events.
    pub events: usize,
    /// Subjects censored.
    pub censored: usize,
    /// Survival from here on; the interval is missing where it is undefined.
    pub survival: f64,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
}

/// Two groups.
///
/// ```
/// use lobule_study::survival::Pair;
/// fn p(pair: &Pair) -> f64 { pair.holm_p_value }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// Log-rank.
    pub test: ChiSquare,
    /// Adjusted by Holm over the pairs.
    pub holm_p_value: f64,
    /// Restricted mean of the first minus that of the second.
    pub restricted_mean_difference: Found<Difference>,
}

/// The cumulative incidence of a cause in a group.
///
/// ```
/// use lobule_study::survival::Incidence;
/// fn cause(curve: &Incidence) -> usize { curve.cause }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Incidence {
    /// The event code.
    pub cause: usize,
    /// The group.
    pub label: String,
    /// Its events of this cause.
    pub n_events: usize,
    /// Incidence at the times asked for.
    pub at: Vec<(f64, Estimate)>,
    /// Time and incidence.
    pub steps: Vec<(f64, f64)>,
}

/// The groups of a column, and every subject's place among them.
struct Groups {
    column: String,
    labels: Vec<String>,
    of_subject: Vec<usize>,
}

impl Groups {
    fn of(group: &Group, n_subjects: usize) -> Groups {
        let subjects = 0..n_subjects;
        Groups {
            column: group.name().to_owned(),
            labels: group.labels().iter().map(str::to_owned).collect(),
            of_subject: subjects.map(|s| group.index_of(s)).collect(),
        }
    }

    fn all(n_subjects: usize) -> Groups {
        Groups {
            column: String::new(),
            labels: vec!["All subjects".into()],
            of_subject: vec![0; n_subjects],
        }
    }
}

pub(super) fn groupings(
    table: &SurvivalTable,
    competing: &CompetingFollowUp,
    n_codes: usize,
    config: &Config,
) -> Result<Vec<Grouping>, Error> {
    let n = table.times().len();
    let mut groups: Vec<Groups> = table.groups().iter().map(|g| Groups::of(g, n)).collect();
    if groups.is_empty() {
        groups.push(Groups::all(n));
    }
    let strata = super::models::strata(table);
    let follow_up = competing.cause_specific(1);
    let one = |groups: &Groups| -> Result<Grouping, Error> {
        let curves = KaplanMeier::by_group(&follow_up, &groups.of_subject)?;
        let horizon = config.horizon.unwrap_or_else(|| shared_horizon(&curves));
        let test = LogRankConfig {
            strata: strata.as_deref(),
            ..LogRankConfig::default()
        };
        let compared = log_rank(&follow_up, &groups.of_subject, &test);
        let means: Vec<Result<RestrictedMean, lobule_stats::Error>> = curves
            .iter()
            .map(|(_, curve)| restricted_mean(curve, horizon, BeyondFollowUp::Refuse))
            .collect();
        let worded = curves.iter().zip(&means);
        Ok(Grouping {
            column: groups.column.clone(),
            curves: worded
                .map(|((label, curve), mean)| {
                    worded_curve(&groups.labels[*label], curve, mean, config)
                })
                .collect(),
            log_rank: Found::from(compared.map(|result| ChiSquare::from(&result.test))),
            pairs: Found::from(pairs(&follow_up, groups, &test, &means, config)),
            horizon,
            incidences: match n_codes > 2 {
                true => incidences(competing, n_codes, groups, config)?,
                false => Vec::new(),
            },
            gray: match n_codes > 2 && groups.labels.len() > 1 {
                true => gray(competing, n_codes, groups),
                false => Vec::new(),
            },
        })
    };
    groups.iter().map(one).collect()
}

/// The last time that every group is followed to.
fn shared_horizon(curves: &[(usize, KaplanMeier)]) -> f64 {
    let ends = curves.iter().filter_map(|(_, curve)| curve.steps().last());
    ends.map(|step| step.time).fold(f64::INFINITY, f64::min)
}

fn worded_curve(
    label: &str,
    curve: &KaplanMeier,
    mean: &Result<RestrictedMean, lobule_stats::Error>,
    config: &Config,
) -> Curve {
    let median = curve.median(config.confidence, config.scale);
    let interval_at = |time: f64| curve.interval_at(time, config.confidence, config.scale);
    let last = curve.steps().last().map_or(0.0, |step| step.time);
    let at = config.times.iter().map(|&time| {
        let interval = interval_at(time).filter(|_| time <= last);
        let survival = interval.map(|i| Estimate::new(curve.survival_at(time), i));
        (time, curve.at_risk_at(time), survival)
    });
    let steps = curve.steps().iter().map(|step| Step {
        time: step.time,
        at_risk: step.at_risk,
        events: step.events,
        censored: step.censored,
        survival: step.survival,
        interval: interval_at(step.time).map(|i| (i.lower, i.upper)),
    });
    let mean = mean.as_ref().map_err(Clone::clone);
    Curve {
        label: label.to_owned(),
        n_subjects: curve.n_subjects(),
        n_events: curve.steps().iter().map(|step| step.events).sum(),
        median: Median {
            estimate: median.estimate,
            lower: median.lower,
            upper: median.upper,
        },
        at: at.collect(),
        restricted_mean: Found::from(
            mean.map(|mean| Estimate::new(mean.estimate, mean.interval(config.confidence))),
        ),
        steps: steps.collect(),
    }
}

fn pairs(
    follow_up: &FollowUp,
    groups: &Groups,
    test: &LogRankConfig<'_>,
    means: &[Result<RestrictedMean, lobule_stats::Error>],
    config: &Config,
) -> Result<Vec<Pair>, Error> {
    let pairs = pairwise_log_rank(follow_up, &groups.of_subject, test)?;
    let difference = |first: usize, second: usize| -> Result<Difference, Error> {
        let (first, second) = (means[first].clone()?, means[second].clone()?);
        let compared = compare_restricted_means(&first, &second, config.confidence)?;
        Ok(Difference {
            estimate: compared.difference,
            standard_error: compared.standard_error,
            degrees_of_freedom: None,
            statistic: compared.difference / compared.standard_error,
            p_value: compared.p_value,
            lower: compared.interval.lower,
            upper: compared.interval.upper,
        })
    };
    Ok(pairs
        .iter()
        .map(|pair| Pair {
            first: groups.labels[pair.first].clone(),
            second: groups.labels[pair.second].clone(),
            test: ChiSquare::from(&pair.test),
            holm_p_value: pair.holm_p_value,
            restricted_mean_difference: Found::from(difference(pair.first, pair.second)),
        })
        .collect())
}

/// All times weigh alike.
fn gray(
    competing: &CompetingFollowUp,
    n_codes: usize,
    groups: &Groups,
) -> Vec<(usize, Found<ChiSquare>)> {
    let causes = (1..n_codes).filter(|&cause| competing.n_events(cause) > 0);
    let test = |cause| gray_test(competing, cause, &groups.of_subject, 0.0);
    causes
        .map(|cause| {
            let tested = test(cause).map(|result| ChiSquare::from(&result.test));
            (cause, Found::from(tested))
        })
        .collect()
}

fn incidences(
    competing: &CompetingFollowUp,
    n_codes: usize,
    groups: &Groups,
    config: &Config,
) -> Result<Vec<Incidence>, Error> {
    let mut curves = Vec::new();
    for cause in (1..n_codes).filter(|&cause| competing.n_events(cause) > 0) {
        for (label, curve) in CumulativeIncidence::by_group(competing, cause, &groups.of_subject)? {
            let at = config.times.iter().map(|&time| {
                let interval = curve.interval_at(time, config.confidence);
                (time, Estimate::new(curve.incidence_at(time), interval))
            });
            curves.push(Incidence {
                cause,
                label: groups.labels[label].clone(),
                n_events: curve.steps().iter().map(|step| step.events).sum(),
                at: at.collect(),
                steps: curve
                    .steps()
                    .iter()
                    .map(|s| (s.time, s.incidence))
                    .collect(),
            });
        }
    }
    Ok(curves)
}
