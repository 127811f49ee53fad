//! Proportional-hazards models.

use lobule_stats::survival::{
    CompetingFollowUp, ConcordanceConfig, Covariates, Cox, CoxConfig, CoxTerm, TimeTransform,
    concordance, fit_cox, fit_fine_gray, uno_concordance,
};
use serde::Serialize;

use super::Config;
use crate::Error;
use crate::table::{Covariate, CovariateKind, Group, SurvivalTable};
use crate::value::{ChiSquare, Estimate, Found};

/// A fitted Cox model.
///
/// ```
/// use lobule_study::survival::Model;
/// fn c(model: &Model) -> Option<f64> { Some(model.concordance.value()?.estimate) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// Its covariates.
    pub covariates: Vec<String>,
    /// Subjects.
    pub n_subjects: usize,
    /// Events.
    pub n_events: usize,
    /// One per column of the model.
    pub terms: Vec<Term>,
    /// Against the model without covariates.
    pub likelihood_ratio: ChiSquare,
    /// The same by the coefficients; robust where subjects are clustered.
    pub wald: Found<ChiSquare>,
    /// The same by the slope of the likelihood.
    pub score: ChiSquare,
    /// Akaike's criterion.
    pub aic: f64,
    /// Harrell's C of the linear predictor, on the data that it was fitted to.
    pub concordance: Found<Estimate>,
    /// Uno's C, up to the last event.
    pub uno_concordance: Found<Estimate>,
    /// Grambsch and Therneau's test of proportional hazards, by covariate.
    pub proportional_hazards: Found<Vec<(String, ChiSquare)>>,
    /// The same of all together.
    pub proportional_hazards_global: Option<ChiSquare>,
}

/// A column of a model.
///
/// ```
/// use lobule_study::survival::Term;
/// fn label(term: &Term) -> String { format!("{} {}", term.covariate, term.level) }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Term {
    /// The covariate.
    pub covariate: String,
    /// "per unit", or the category against the reference.
    pub level: String,
    /// Its natural logarithm.
    pub coefficient: f64,
    /// Of the coefficient; robust where subjects are clustered.
    pub standard_error: f64,
    /// Hazard ratio.
    pub hazard_ratio: Estimate,
    /// z.
    pub statistic: f64,
    /// Two-sided.
    pub p_value: f64,
}

/// The columns of some covariates.
struct Design {
    names: Vec<String>,
    /// Covariate and level of each column.
    labels: Vec<(String, String)>,
    /// Columns of each covariate.
    blocks: Vec<Vec<usize>>,
    columns: Vec<Vec<f64>>,
}

impl Design {
    fn of(covariates: &[&Covariate]) -> Design {
        let mut design = Design {
            names: Vec::new(),
            labels: Vec::new(),
            blocks: Vec::new(),
            columns: Vec::new(),
        };
        for covariate in covariates {
            let start = design.columns.len();
            match &covariate.kind {
                CovariateKind::Numeric(values) => {
                    design.push(&covariate.name, "per unit".into(), values.clone());
                }
                CovariateKind::Categories { of_subject, labels } => {
                    for (level, label) in labels.iter().enumerate().skip(1) {
                        let is = of_subject.iter().map(|&own| f64::from(own == level));
                        let text = format!("{label} vs {}", labels[0]);
                        design.push(&covariate.name, text, is.collect());
                    }
                }
            }
            design.names.push(covariate.name.clone());
            design.blocks.push((start..design.columns.len()).collect());
        }
        design
    }

    fn push(&mut self, covariate: &str, level: String, values: Vec<f64>) {
        self.labels.push((covariate.to_owned(), level));
        self.columns.push(values);
    }

    fn covariates(&self) -> Result<Covariates, Error> {
        let columns: Vec<&[f64]> = self.columns.iter().map(Vec::as_slice).collect();
        Ok(Covariates::from_columns(&columns)?)
    }

    fn terms(&self, term: impl Fn(usize) -> CoxTerm) -> Vec<Term> {
        let columns = self.labels.iter().enumerate();
        columns
            .map(|(column, (covariate, level))| {
                let term = term(column);
                Term {
                    covariate: covariate.clone(),
                    level: level.clone(),
                    coefficient: term.coefficient,
                    standard_error: term.robust_standard_error.unwrap_or(term.standard_error),
                    hazard_ratio: Estimate::new(term.hazard_ratio, term.interval),
                    statistic: term.statistic,
                    p_value: term.p_value,
                }
            })
            .collect()
    }
}

pub(super) fn univariable(
    table: &SurvivalTable,
    follow_up: &CompetingFollowUp,
    config: &Config,
) -> Vec<Found<Model>> {
    let covariates = table.covariates().iter();
    covariates
        .map(|covariate| {
            let result = model(table, follow_up, &[covariate], config);
            Found::from(result.map_err(|error| error.while_at(&covariate.name)))
        })
        .collect()
}

pub(super) fn multivariable(
    table: &SurvivalTable,
    follow_up: &CompetingFollowUp,
    config: &Config,
) -> Found<Model> {
    let all: Vec<&Covariate> = table.covariates().iter().collect();
    Found::from(model(table, follow_up, &all, config))
}

fn model(
    table: &SurvivalTable,
    competing: &CompetingFollowUp,
    covariates: &[&Covariate],
    config: &Config,
) -> Result<Model, Error> {
    let design = Design::of(covariates);
    let follow_up = competing.cause_specific(1);
    let (strata, clusters) = (strata(table), clusters(table));
    let cox_config = CoxConfig {
        ties: config.ties,
        strata: strata.as_deref(),
        clusters: clusters.as_deref(),
    };
    let cox = fit_cox(&follow_up, &design.covariates()?, &cox_config)?;
    let risks = cox.linear_predictors();
    let c_config = ConcordanceConfig {
        strata: strata.as_deref(),
        clusters: clusters.as_deref(),
    };
    let with_interval = |c: lobule_stats::survival::Concordance| {
        Estimate::new(c.estimate, c.interval(config.confidence))
    };
    let last_event = last_event(&follow_up);
    let (proportional_hazards, global) = proportionality(&cox, &design);
    Ok(Model {
        n_subjects: cox.n_subjects(),
        n_events: cox.n_events(),
        terms: design.terms(|column| cox.term(column, config.confidence)),
        likelihood_ratio: ChiSquare::from(&cox.likelihood_ratio_test()),
        wald: Found::from(cox.wald_test().map(|test| ChiSquare::from(&test))),
        score: ChiSquare::from(&cox.score_test()),
        aic: cox.aic(),
        concordance: Found::from(concordance(&follow_up, &risks, &c_config).map(with_interval)),
        uno_concordance: Found::from(
            uno_concordance(&follow_up, &risks, last_event, &c_config).map(with_interval),
        ),
        proportional_hazards,
        proportional_hazards_global: global,
        covariates: design.names,
    })
}

fn last_event(follow_up: &lobule_stats::survival::FollowUp) -> f64 {
    let rows = follow_up.times().iter().zip(follow_up.events());
    let events = rows.filter(|(_, event)| **event).map(|(time, _)| *time);
    events.fold(0.0, f64::max)
}

fn proportionality(
    cox: &Cox,
    design: &Design,
) -> (Found<Vec<(String, ChiSquare)>>, Option<ChiSquare>) {
    let blocks: Vec<&[usize]> = design.blocks.iter().map(Vec::as_slice).collect();
    match cox.proportional_hazards_test(TimeTransform::KaplanMeier, &blocks) {
        Err(error) => (Found::Refused(error.to_string()), None),
        Ok(test) => {
            let named = design.names.iter().cloned();
            let terms = named.zip(test.terms.iter().map(ChiSquare::from));
            (
                Found::Value(terms.collect()),
                Some(ChiSquare::from(&test.global)),
            )
        }
    }
}

pub(super) fn subdistribution(
    table: &SurvivalTable,
    competing: &CompetingFollowUp,
    config: &Config,
) -> Found<Vec<Term>> {
    let all: Vec<&Covariate> = table.covariates().iter().collect();
    let design = Design::of(&all);
    let fitted = design
        .covariates()
        .and_then(|covariates| Ok(fit_fine_gray(competing, 1, &covariates)?));
    Found::from(fitted.map(|fit| design.terms(|column| fit.term(column, config.confidence))))
}

/// Every combination of the strata columns is a stratum.
pub(super) fn strata(table: &SurvivalTable) -> Option<Vec<usize>> {
    let columns = table.strata();
    let combined = |subject: usize| {
        columns.iter().fold(0, |stratum, column: &Group| {
            stratum * column.labels().len() + column.index_of(subject)
        })
    };
    (!columns.is_empty()).then(|| (0..table.times().len()).map(combined).collect())
}

fn clusters(table: &SurvivalTable) -> Option<Vec<usize>> {
    let column = table.cluster()?;
    let subjects = 0..table.times().len();
    Some(subjects.map(|subject| column.index_of(subject)).collect())
}
