//! Cox's proportional hazards model.
//!
//! Owns: the fit ([`fit_cox`]), its tests and intervals, residuals, predicted survival and the test
//! of proportional hazards. Does not own: which covariates belong in a model, how categories become
//! columns, the concordance of its predictors ([`super::concordance`]).
//!
//! ```
//! use lobule_stats::{Confidence, survival::{Covariates, CoxConfig, FollowUp, fit_cox}};
//! let follow_up = FollowUp::new(&[2.0, 3.0, 5.0, 8.0, 9.0], &[true, true, false, true, true])?;
//! let covariates = Covariates::from_columns(&[&[1.0, 0.0, 1.0, 0.0, 1.0]])?;
//! let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
//! let term = fit.term(0, Confidence::NINETY_FIVE);
//! assert!(term.interval.contains(term.hazard_ratio));
//! # Ok::<(), lobule_stats::Error>(())
//! ```

mod design;
mod exact;
mod likelihood;
mod predict;
mod proportionality;
mod residuals;

pub use design::Covariates;
pub use predict::{PredictedStep, PredictedSurvival};
pub use proportionality::{ProportionalHazards, TimeTransform};
pub use residuals::SchoenfeldResidual;

pub(super) use design::{add_outer, add_scaled};
pub(super) use residuals::mirror;

use super::chi_square::ChiSquareTest;
use super::follow_up::{FollowUp, Labels};
use crate::cases::check_lengths;
use crate::distribution::two_sided_normal;
use crate::matrix::{Cholesky, dot};
use crate::newton::{Derivatives, Maximum, maximize};
use crate::{Confidence, Error, ErrorKind, Interval};
use design::Design;

/// What is done when several events share a time.
///
/// ```
/// use lobule_stats::survival::{CoxConfig, Ties};
/// assert_eq!(CoxConfig::default().ties, Ties::Efron);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ties {
    /// Efron 1977, doi:10.1080/01621459.1977.10480613: the events leave the risk set one after the
    /// other, in an averaged order. Near the truth, and no slower.
    #[default]
    Efron,
    /// Breslow 1974, doi:10.2307/2529620: each event sees the whole risk set.
    Breslow,
    /// The discrete model: time is counted in units, and the events of one unit are one draw from
    /// those at risk. Cost grows with the most events of one time. Fits, tests and intervals only.
    Exact,
}

/// How the model is fitted.
///
/// ```
/// use lobule_stats::survival::{CoxConfig, Ties};
/// let config = CoxConfig { ties: Ties::Breslow, strata: Some(&[0, 0, 1]), ..CoxConfig::default() };
/// assert!(config.clusters.is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CoxConfig<'a> {
    /// Events that share a time.
    pub ties: Ties,
    /// One label per subject: each stratum has a baseline hazard of its own.
    pub strata: Option<&'a [usize]>,
    /// One label per subject: variances are robust to any dependence within a cluster, and to a
    /// model that does not hold where each subject is its own cluster.
    pub clusters: Option<&'a [usize]>,
}

/// A fitted model.
///
/// ```
/// use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
/// let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
/// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
/// assert_eq!((fit.n_subjects(), fit.n_events()), (4, 4));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Cox {
    ties: Ties,
    design: Design,
    events: Vec<bool>,
    n_events: usize,
    /// For standardized columns.
    parameters: Vec<f64>,
    coefficients: Vec<f64>,
    /// For standardized columns.
    covariance: Vec<f64>,
    robust_covariance: Option<Vec<f64>>,
    null_log_likelihood: f64,
    log_likelihood: f64,
    score_statistic: f64,
}

/// A covariate of a fitted model.
///
/// ```
/// # use lobule_stats::{Confidence, survival::{Covariates, CoxConfig, FollowUp, fit_cox}};
/// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
/// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
/// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
/// let term = fit.term(0, Confidence::NINETY_FIVE);
/// assert_eq!(term.hazard_ratio, term.coefficient.exp());
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CoxTerm {
    /// β, the log hazard ratio per unit.
    pub coefficient: f64,
    /// Of β, from the information.
    pub standard_error: f64,
    /// Of β, from the sandwich, where there are clusters; the test and the interval then use it.
    pub robust_standard_error: Option<f64>,
    /// β over its standard error.
    pub statistic: f64,
    /// Two-sided, of β = 0.
    pub p_value: f64,
    /// exp β.
    pub hazard_ratio: f64,
    /// For the hazard ratio: `exp(β ± z s)`.
    pub interval: Interval,
}

/// Fits the hazard `λ(t | x) = λ₀(t) exp(xᵀβ)` by maximum partial likelihood.
///
/// Formula (Efron): `ln L = Σ over event times of [Σ over events xᵢᵀβ − Σ from k = 0 to d − 1 of
/// ln(S − (k / d) D)]`, with S the sum of exp(xᵀβ) over those at risk and D that over the d events;
/// Breslow's rule takes nothing off, the exact rule sums over all sets of d at risk. Covariance: the
/// inverse of the negative second derivatives; robust: `Σ over clusters of (I⁻¹ U)(I⁻¹ U)ᵀ` with U the
/// cluster's sum of score residuals. Newton's method from β = 0 with step halving; cost n log n once
/// and n p² per step. Columns are standardized inside, so that no unit is better than another.
/// Degenerate: columns that cannot be told apart, and likelihoods that rise for ever, are errors.
/// Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Lin & Wei 1989,
/// doi:10.1080/01621459.1989.10478874.
///
/// ```
/// use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
/// // One event with one other at risk, twice, in both directions: no effect.
/// let follow_up = FollowUp::new(&[1.0, 2.0, 1.0, 2.0], &[true, false, true, false])?;
/// let covariates = Covariates::from_columns(&[&[0.0, 1.0, 1.0, 0.0]])?;
/// let config = CoxConfig { strata: Some(&[0, 0, 1, 1]), ..CoxConfig::default() };
/// let fit = fit_cox(&follow_up, &covariates, &config)?;
/// assert_eq!(fit.coefficients(), [0.0]);
/// assert!((fit.covariance()[0] - 2.0).abs() < 1e-12);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`]; [`ErrorKind::TooFew`] without events; [`ErrorKind::ZeroVariance`] for a
/// column that is constant among those at risk or a combination of others; [`ErrorKind::NoFit`] for
/// a likelihood without a maximum (a covariate that separates the events);
/// [`ErrorKind::OutOfRange`] for clusters with [`Ties::Exact`].
pub fn fit_cox(
    follow_up: &FollowUp,
    covariates: &Covariates,
    config: &CoxConfig<'_>,
) -> Result<Cox, Error> {
    let n_subjects = follow_up.n_subjects();
    check_lengths("rows", covariates.n_subjects(), "subjects", n_subjects)?;
    let strata = Labels::optional("strata", config.strata, n_subjects)?;
    let clusters = config.clusters;
    let clusters = clusters.map(|labels| Labels::new("clusters", labels, n_subjects));
    let clusters = clusters.transpose()?;
    let n_events = follow_up.n_events();
    if n_events == 0 {
        return Err(Error::new(ErrorKind::TooFew, "expected an event, got none"));
    }
    let design = Design::new(follow_up, covariates, &strata);
    let maximum = maximize(design.n_columns, n_events, |parameters| {
        derivatives(&design, config.ties, parameters)
    })?;
    let mut fit = Cox::new(follow_up, design, config.ties, maximum);
    if let Some(clusters) = clusters {
        fit.robust_covariance = Some(fit.sandwich(&clusters)?);
    }
    Ok(fit)
}

fn derivatives(design: &Design, ties: Ties, parameters: &[f64]) -> Derivatives {
    match ties {
        Ties::Exact => exact::exact_derivatives(design, parameters),
        Ties::Efron | Ties::Breslow => likelihood::derivatives(design, ties, parameters),
    }
}

impl Cox {
    fn new(follow_up: &FollowUp, design: Design, ties: Ties, maximum: Maximum) -> Cox {
        let scaled = maximum.parameters.iter().zip(&design.scales);
        Cox {
            ties,
            coefficients: scaled.map(|(b, scale)| b / scale).collect(),
            design,
            events: follow_up.events().to_vec(),
            n_events: follow_up.n_events(),
            covariance: maximum.end_factor.inverse(),
            robust_covariance: None,
            null_log_likelihood: maximum.start.log_likelihood,
            log_likelihood: maximum.end.log_likelihood,
            score_statistic: maximum.start_factor.quadratic_form(&maximum.start.gradient),
            parameters: maximum.parameters,
        }
    }

    /// Subjects.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// assert_eq!(fit_cox(&follow_up, &covariates, &CoxConfig::default())?.n_subjects(), 4);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_subjects(&self) -> usize {
        self.events.len()
    }

    /// Events.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// assert_eq!(fit_cox(&follow_up, &covariates, &CoxConfig::default())?.n_events(), 4);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_events(&self) -> usize {
        self.n_events
    }

    /// β, one per column.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// assert_eq!(fit_cox(&follow_up, &covariates, &CoxConfig::default())?.coefficients().len(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients
    }

    /// The covariance of β, row by row: robust where there are clusters.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// assert!(fit_cox(&follow_up, &covariates, &CoxConfig::default())?.covariance()[0] > 0.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn covariance(&self) -> Vec<f64> {
        self.unscaled(self.robust_covariance.as_ref().unwrap_or(&self.covariance))
    }

    /// The covariance of β from the information alone, row by row.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert_eq!(fit.model_covariance(), fit.covariance());
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn model_covariance(&self) -> Vec<f64> {
        self.unscaled(&self.covariance)
    }

    /// A covariate's coefficient and hazard ratio.
    ///
    /// Formula: `z = β / s`, interval `exp(β ± z(1 − α/2) s)`. Symbols: s the standard error, robust
    /// where there are clusters. Wald 1943, doi:10.1090/S0002-9947-1943-0012401-3.
    ///
    /// ```
    /// # use lobule_stats::{Confidence, survival::{Covariates, CoxConfig, FollowUp, fit_cox}};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert_eq!(fit.term(0, Confidence::NINETY_FIVE).robust_standard_error, None);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Panics
    /// When there is no such column.
    pub fn term(&self, column: usize, confidence: Confidence) -> CoxTerm {
        let scale = self.design.scales[column];
        let diagonal = column * (self.design.n_columns + 1);
        let standard_error = self.covariance[diagonal].sqrt() / scale;
        let robust = self.robust_covariance.as_ref();
        let robust_standard_error = robust.map(|v| v[diagonal].sqrt() / scale);
        let coefficient = self.coefficients[column];
        let error = robust_standard_error.unwrap_or(standard_error);
        let limits = Interval::around(coefficient, confidence.z() * error);
        CoxTerm {
            coefficient,
            standard_error,
            robust_standard_error,
            statistic: coefficient / error,
            p_value: two_sided_normal(coefficient / error),
            hazard_ratio: coefficient.exp(),
            interval: Interval {
                lower: limits.lower.exp(),
                upper: limits.upper.exp(),
            },
        }
    }

    /// [`Cox::term`] of every column.
    ///
    /// ```
    /// # use lobule_stats::{Confidence, survival::{Covariates, CoxConfig, FollowUp, fit_cox}};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert_eq!(fit.terms(Confidence::NINETY_FIVE).len(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn terms(&self, confidence: Confidence) -> Vec<CoxTerm> {
        let columns = 0..self.design.n_columns;
        columns
            .map(|column| self.term(column, confidence))
            .collect()
    }

    /// ln L at β.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert!(fit.log_likelihood() > fit.null_log_likelihood());
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// ln L at β = 0.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert!((fit.null_log_likelihood() + 24.0_f64.ln()).abs() < 1e-12);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn null_log_likelihood(&self) -> f64 {
        self.null_log_likelihood
    }

    /// Akaike's criterion, `2 p − 2 ln L`. Akaike 1974, doi:10.1109/TAC.1974.1100705.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert_eq!(fit.aic(), 2.0 - 2.0 * fit.log_likelihood());
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn aic(&self) -> f64 {
        2.0 * self.design.n_columns as f64 - 2.0 * self.log_likelihood
    }

    /// All coefficients against 0: `2 (ln L(β) − ln L(0))`. Wilks 1938,
    /// doi:10.1214/aoms/1177732360. Not robust to clusters.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert_eq!(fit.likelihood_ratio_test().degrees_of_freedom, 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn likelihood_ratio_test(&self) -> ChiSquareTest {
        let gain = self.log_likelihood - self.null_log_likelihood;
        ChiSquareTest::new((2.0 * gain).max(0.0), self.design.n_columns)
    }

    /// This model against a smaller one of the same subjects, whose columns are among its own:
    /// `2 (ln L − ln L₀)` with as many degrees of freedom as there are more columns. Wilks 1938,
    /// doi:10.1214/aoms/1177732360.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[true; 6])?;
    /// let columns: [&[f64]; 2] =
    ///     [&[1.0, 3.0, 2.0, 1.0, 2.0, 4.0], &[0.0, 1.0, 0.0, 1.0, 1.0, 0.0]];
    /// let small = Covariates::from_columns(&columns[..1])?;
    /// let large = Covariates::from_columns(&columns)?;
    /// let fit = |covariates| fit_cox(&follow_up, covariates, &CoxConfig::default());
    /// assert_eq!(fit(&large)?.test_against(&fit(&small)?)?.degrees_of_freedom, 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] when the other model has as many columns or more, or does not share
    /// the subjects, strata and rule for ties.
    pub fn test_against(&self, smaller: &Cox) -> Result<ChiSquareTest, Error> {
        let (columns, fewer) = (self.design.n_columns, smaller.design.n_columns);
        let same = self.design.subjects == smaller.design.subjects
            && self.design.strata == smaller.design.strata
            && self.ties == smaller.ties;
        if !same || fewer >= columns {
            return Err(Error::new(
                ErrorKind::Mismatch,
                format!(
                    "expected a model of the same follow-up with fewer than {columns} columns, got \
                     one with {fewer}"
                ),
            ));
        }
        let gain = self.log_likelihood - smaller.log_likelihood;
        Ok(ChiSquareTest::new((2.0 * gain).max(0.0), columns - fewer))
    }

    /// All coefficients against 0: `βᵀ V⁻¹ β`, with V robust where there are clusters. Wald 1943,
    /// doi:10.1090/S0002-9947-1943-0012401-3.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert!(fit.wald_test()?.p_value > 0.5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::ZeroVariance`] when there are fewer clusters than columns.
    pub fn wald_test(&self) -> Result<ChiSquareTest, Error> {
        let all: Vec<usize> = (0..self.design.n_columns).collect();
        self.wald_test_of(&all)
    }

    /// Some coefficients against 0, such as those of one category's columns: as [`Cox::wald_test`].
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert_eq!(fit.wald_test_of(&[0])?, fit.wald_test()?);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] for a column that is not there; [`ErrorKind::ZeroVariance`] for
    /// fewer clusters than columns, no column or one named twice.
    pub fn wald_test_of(&self, columns: &[usize]) -> Result<ChiSquareTest, Error> {
        self.check_columns(columns)?;
        let covariance = self.robust_covariance.as_ref().unwrap_or(&self.covariance);
        let block = select(covariance, self.design.n_columns, columns);
        let parameters: Vec<f64> = columns.iter().map(|&k| self.parameters[k]).collect();
        let factor = factor_of_tested(&block, columns.len())?;
        let statistic = factor.quadratic_form(&parameters);
        Ok(ChiSquareTest::new(statistic, columns.len()))
    }

    /// All coefficients against 0: `Uᵀ I⁻¹ U` with the score U and the information I at β = 0.
    /// For one column of groups without ties it is the log-rank test. Rao 1948,
    /// doi:10.1017/S0305004100023987. Not robust to clusters.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert!(fit.score_test().p_value > 0.5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn score_test(&self) -> ChiSquareTest {
        ChiSquareTest::new(self.score_statistic, self.design.n_columns)
    }

    /// The mean of each column.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 2.0]])?;
    /// assert_eq!(fit_cox(&follow_up, &covariates, &CoxConfig::default())?.means(), [2.0]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn means(&self) -> &[f64] {
        &self.design.means
    }

    /// `(xᵢ − x̄)ᵀβ` of each subject, in the order of the follow-up: the higher, the greater the
    /// hazard.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 2.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert_eq!(fit.linear_predictors()[2], 0.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn linear_predictors(&self) -> Vec<f64> {
        let mut predictors = vec![0.0; self.n_subjects()];
        for (row, &subject) in self.design.subjects.iter().enumerate() {
            predictors[subject] = dot(self.design.row(row), &self.parameters);
        }
        predictors
    }

    /// Back to the units of the columns.
    fn unscaled(&self, covariance: &[f64]) -> Vec<f64> {
        let scales = &self.design.scales;
        let products = scales
            .iter()
            .flat_map(|a| scales.iter().map(move |b| a * b));
        covariance
            .iter()
            .zip(products)
            .map(|(v, s)| v / s)
            .collect()
    }

    /// exp of the linear predictors, row by row.
    fn risks(&self) -> Vec<f64> {
        let rows = self.design.values.chunks_exact(self.design.n_columns);
        rows.map(|row| dot(row, &self.parameters).exp()).collect()
    }

    fn check_columns(&self, columns: &[usize]) -> Result<(), Error> {
        match columns.iter().find(|&&k| k >= self.design.n_columns) {
            None => Ok(()),
            Some(column) => Err(Error::new(
                ErrorKind::OutOfRange,
                format!(
                    "expected columns below {}, got {column}",
                    self.design.n_columns
                ),
            )),
        }
    }

    /// Residuals and hazards are those of the continuous model.
    fn check_continuous(&self) -> Result<(), Error> {
        if self.ties != Ties::Exact {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::OutOfRange,
            "expected Efron's or Breslow's rule for ties, got the exact one",
        ))
    }
}

/// Rows and columns of a square matrix.
fn select(matrix: &[f64], size: usize, columns: &[usize]) -> Vec<f64> {
    let row = |&i: &usize| columns.iter().map(move |&j| matrix[i * size + j]);
    columns.iter().flat_map(row).collect()
}

fn factor_of_tested(covariance: &[f64], size: usize) -> Result<Cholesky, Error> {
    let none = size == 0;
    let factor = Cholesky::new(covariance, size).ok().filter(|_| !none);
    factor.ok_or_else(|| {
        Error::new(
            ErrorKind::ZeroVariance,
            "expected distinct columns with a positive definite covariance, got none",
        )
    })
}
