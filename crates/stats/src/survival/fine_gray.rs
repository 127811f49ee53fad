//! Fine and Gray's model of the subdistribution hazard.
//!
//! Owns: the fit for one cause with weights for censoring, and its variance, which counts that the
//! weights are estimated. Does not own: cause-specific hazards, which are [`super::fit_cox`] on
//! [`CompetingFollowUp::cause_specific`].

use super::competing::CompetingFollowUp;
use super::cox::{Covariates, CoxTerm, add_outer, add_scaled, mirror};
use crate::cases::{Ranking, check_lengths};
use crate::distribution::two_sided_normal;
use crate::matrix::{dot, multiply};
use crate::newton::{Derivatives, Maximum, maximize};
use crate::{Confidence, Error, ErrorKind, Interval};

/// Linear predictors beyond it overflow or vanish as risks.
const MAX_PREDICTOR: f64 = 300.0;

/// A fitted model.
///
/// ```
/// use lobule_stats::survival::{CompetingFollowUp, Covariates, fit_fine_gray};
/// let follow_up = CompetingFollowUp::new(&[1.0, 2.0, 3.0, 4.0, 5.0], &[1, 2, 1, 0, 1])?;
/// let covariates = Covariates::from_columns(&[&[1.0, 0.0, 2.0, 1.0, 0.0]])?;
/// let fit = fit_fine_gray(&follow_up, 1, &covariates)?;
/// assert!(fit.log_likelihood >= fit.null_log_likelihood);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FineGray {
    /// β, one per column: log ratios of subdistribution hazards.
    pub coefficients: Vec<f64>,
    /// Of β, row by row, robust.
    pub covariance: Vec<f64>,
    /// Of the weighted partial likelihood at 0.
    pub null_log_likelihood: f64,
    /// Of the weighted partial likelihood at β.
    pub log_likelihood: f64,
}

impl FineGray {
    /// A covariate's coefficient and its subdistribution hazard ratio, `exp(β ± z s)`. The robust
    /// standard error is the only one.
    ///
    /// ```
    /// # use lobule_stats::{Confidence, survival::{CompetingFollowUp, Covariates, fit_fine_gray}};
    /// let follow_up = CompetingFollowUp::new(&[1.0, 2.0, 3.0, 4.0, 5.0], &[1, 2, 1, 0, 1])?;
    /// let covariates = Covariates::from_columns(&[&[1.0, 0.0, 2.0, 1.0, 0.0]])?;
    /// let term = fit_fine_gray(&follow_up, 1, &covariates)?.term(0, Confidence::NINETY_FIVE);
    /// assert_eq!(term.robust_standard_error, Some(term.standard_error));
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Panics
    /// When there is no such column.
    pub fn term(&self, column: usize, confidence: Confidence) -> CoxTerm {
        let coefficient = self.coefficients[column];
        let error = self.covariance[column * (self.coefficients.len() + 1)].sqrt();
        let limits = Interval::around(coefficient, confidence.z() * error);
        CoxTerm {
            coefficient,
            standard_error: error,
            robust_standard_error: Some(error),
            statistic: coefficient / error,
            p_value: two_sided_normal(coefficient / error),
            hazard_ratio: coefficient.exp(),
            interval: Interval {
                lower: limits.lower.exp(),
                upper: limits.upper.exp(),
            },
        }
    }
}

/// Fits the hazard of the subdistribution of one cause, `−d ln(1 − F(t | x)) / dt = λ₀(t) exp(xᵀβ)`.
///
/// Formula: Cox's partial likelihood by Breslow's rule, in which a subject with an event of another
/// cause at Tᵢ stays at risk with weight `wᵢ(t) = Ĝ(t−) / Ĝ(Tᵢ−)`. Symbols: Ĝ the Kaplan–Meier curve of
/// the censoring times, with events before censorings of the same time. Covariance:
/// `I⁻¹ [Σ (ηᵢ + ψᵢ)(ηᵢ + ψᵢ)ᵀ] I⁻¹`, η the weighted score residuals and ψ what the estimate of Ĝ adds.
/// Cost n log n once and n p² per step. Degenerate: without events of other causes it is Cox's
/// model with a robust variance. Fine & Gray 1999, doi:10.1080/01621459.1999.10474144.
///
/// ```
/// use lobule_stats::survival::{CompetingFollowUp, Covariates, fit_fine_gray};
/// let follow_up = CompetingFollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[2, 2, 0, 2])?;
/// let covariates = Covariates::from_columns(&[&[1.0, 0.0, 2.0, 1.0]])?;
/// assert!(fit_fine_gray(&follow_up, 1, &covariates).is_err());
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`]; [`ErrorKind::OutOfRange`] for cause 0; [`ErrorKind::TooFew`] without an
/// event of the cause; [`ErrorKind::ZeroVariance`] and [`ErrorKind::NoFit`] as [`super::fit_cox`].
pub fn fit_fine_gray(
    follow_up: &CompetingFollowUp,
    cause: usize,
    covariates: &Covariates,
) -> Result<FineGray, Error> {
    let n_subjects = follow_up.n_subjects();
    check_lengths("rows", covariates.n_subjects(), "subjects", n_subjects)?;
    follow_up.check_cause(cause)?;
    let n_events = follow_up.n_events(cause);
    if n_events == 0 {
        return Err(Error::new(
            ErrorKind::TooFew,
            format!("expected an event of cause {cause}, got none"),
        ));
    }
    let rows = Rows::new(follow_up, cause, covariates);
    let maximum = maximize(rows.n_columns, n_events, |parameters| {
        rows.derivatives(parameters)
    })?;
    Ok(rows.fit(&maximum))
}

/// Why a subject's time ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Event,
    Competing,
    Censored,
}

/// The subjects by rising time, in runs of equal time.
struct Rows {
    n_columns: usize,
    ends: Vec<End>,
    /// Standardized.
    values: Vec<f64>,
    scales: Vec<f64>,
    /// Ĝ before each subject's time.
    free: Vec<f64>,
    /// First row and end of each run.
    runs: Vec<(usize, usize)>,
}

/// What is known at each run once the risks are.
struct RiskSets {
    predictors: Vec<f64>,
    risks: Vec<f64>,
    /// Events of the cause.
    events: Vec<f64>,
    /// The weighted sum of risks.
    totals: Vec<f64>,
    /// The weighted mean of covariates, run by run.
    means: Vec<f64>,
}

impl Rows {
    fn new(follow_up: &CompetingFollowUp, cause: usize, covariates: &Covariates) -> Rows {
        let censoring = follow_up.censoring();
        let (means, spreads) = covariates.moments();
        let n_columns = covariates.n_columns();
        let mut rows = Rows {
            n_columns,
            ends: Vec::new(),
            values: Vec::new(),
            scales: spreads
                .iter()
                .map(|&s| if s > 0.0 { s } else { 1.0 })
                .collect(),
            free: Vec::new(),
            runs: Vec::new(),
        };
        let inverse = |s: f64| if s > 0.0 { 1.0 / s } else { 0.0 };
        for run in Ranking::ascending(follow_up.times()).runs() {
            rows.runs
                .push((rows.ends.len(), rows.ends.len() + run.len()));
            for &i in run {
                rows.ends.push(match follow_up.causes()[i] {
                    0 => End::Censored,
                    own if own == cause => End::Event,
                    _ => End::Competing,
                });
                rows.free.push(censoring.before(follow_up.times()[i]));
                let x = covariates.row(i).iter().zip(&means).zip(&spreads);
                rows.values
                    .extend(x.map(|((x, mean), &spread)| (x - mean) * inverse(spread)));
            }
        }
        rows
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.n_columns..][..self.n_columns]
    }

    fn events(&self, run: (usize, usize)) -> impl Iterator<Item = usize> {
        (run.0..run.1).filter(|&row| self.ends[row] == End::Event)
    }

    fn risk_sets(&self, parameters: &[f64]) -> Option<RiskSets> {
        let rows = self.values.chunks_exact(self.n_columns);
        let predictors: Vec<f64> = rows.map(|row| dot(row, parameters)).collect();
        if predictors
            .iter()
            .any(|p| p.is_nan() || p.abs() > MAX_PREDICTOR)
        {
            return None;
        }
        let (size, n_runs) = (self.n_columns, self.runs.len());
        let mut sets = RiskSets {
            risks: predictors.iter().map(|p| p.exp()).collect(),
            predictors,
            events: self
                .runs
                .iter()
                .map(|&run| self.events(run).count() as f64)
                .collect(),
            totals: vec![0.0; n_runs],
            means: vec![0.0; n_runs * size],
        };
        self.add_those_at_risk(&mut sets);
        self.add_those_with_other_events(&mut sets);
        for (mean, total) in sets.means.chunks_exact_mut(size).zip(&sets.totals) {
            mean.iter_mut().for_each(|value| *value /= total);
        }
        Some(sets)
    }

    fn add_those_at_risk(&self, sets: &mut RiskSets) {
        let size = self.n_columns;
        let (mut total, mut weighted) = (0.0, vec![0.0; size]);
        for (k, &(start, end)) in self.runs.iter().enumerate().rev() {
            for row in start..end {
                total += sets.risks[row];
                add_scaled(&mut weighted, sets.risks[row], self.row(row));
            }
            sets.totals[k] += total;
            add_scaled(&mut sets.means[k * size..][..size], 1.0, &weighted);
        }
    }

    fn add_those_with_other_events(&self, sets: &mut RiskSets) {
        let size = self.n_columns;
        let (mut total, mut weighted) = (0.0, vec![0.0; size]);
        for (k, &(start, end)) in self.runs.iter().enumerate() {
            let free = self.free[start];
            sets.totals[k] += free * total;
            add_scaled(&mut sets.means[k * size..][..size], free, &weighted);
            for row in (start..end).filter(|&row| self.ends[row] == End::Competing) {
                let risk = sets.risks[row] / free;
                total += risk;
                add_scaled(&mut weighted, risk, self.row(row));
            }
        }
    }

    fn derivatives(&self, parameters: &[f64]) -> Derivatives {
        let size = self.n_columns;
        let Some(sets) = self.risk_sets(parameters) else {
            return Derivatives::impossible(size);
        };
        let mut sum = Derivatives::zero(size);
        for (k, &run) in self
            .runs
            .iter()
            .enumerate()
            .filter(|&(k, _)| sets.events[k] > 0.0)
        {
            let (d, mean) = (sets.events[k], &sets.means[k * size..][..size]);
            sum.log_likelihood -= d * sets.totals[k].ln();
            add_scaled(&mut sum.gradient, -d, mean);
            add_outer(&mut sum.information, -d, mean);
            for row in self.events(run) {
                sum.log_likelihood += sets.predictors[row];
                add_scaled(&mut sum.gradient, 1.0, self.row(row));
            }
        }
        let hazards = self.hazards(&sets);
        for (row, hazard) in hazards
            .of_rows
            .iter()
            .enumerate()
            .filter(|(_, h)| **h > 0.0)
        {
            add_outer(
                &mut sum.information,
                sets.risks[row] * hazard,
                self.row(row),
            );
        }
        sum
    }

    /// The weighted cumulative hazards that the rows live through, with those of the means.
    fn hazards(&self, sets: &RiskSets) -> Hazards {
        let size = self.n_columns;
        let n = self.ends.len();
        let mut hazards = Hazards {
            of_rows: vec![0.0; n],
            of_means: vec![0.0; n * size],
            after: vec![0.0; self.runs.len() + 1],
            means_after: vec![0.0; (self.runs.len() + 1) * size],
        };
        for (k, &(start, _)) in self.runs.iter().enumerate().rev() {
            let jump = self.free[start] * sets.events[k] / sets.totals[k];
            hazards.after[k] = hazards.after[k + 1] + jump;
            let (own, later) = hazards.means_after[k * size..].split_at_mut(size);
            own.copy_from_slice(&later[..size]);
            add_scaled(own, jump, &sets.means[k * size..][..size]);
        }
        let (mut hazard, mut means) = (0.0, vec![0.0; size]);
        for (k, &(start, end)) in self.runs.iter().enumerate() {
            let jump = sets.events[k] / sets.totals[k];
            hazard += jump;
            add_scaled(&mut means, jump, &sets.means[k * size..][..size]);
            for row in start..end {
                let own = &mut hazards.of_means[row * size..][..size];
                hazards.of_rows[row] = hazard;
                own.copy_from_slice(&means);
                if self.ends[row] == End::Competing {
                    let weight = 1.0 / self.free[row];
                    hazards.of_rows[row] += weight * hazards.after[k + 1];
                    add_scaled(own, weight, &hazards.means_after[(k + 1) * size..][..size]);
                }
            }
        }
        hazards
    }

    fn fit(&self, maximum: &Maximum) -> FineGray {
        let size = self.n_columns;
        let inverse = maximum.end_factor.inverse();
        let sets = self
            .risk_sets(&maximum.parameters)
            .expect("the maximum has risk sets");
        let mut covariance = vec![0.0; size * size];
        for residual in self.residuals(&sets).chunks_exact(size) {
            let lever: Vec<f64> = multiply(&inverse, residual)
                .iter()
                .zip(&self.scales)
                .map(|(value, scale)| value / scale)
                .collect();
            add_outer(&mut covariance, 1.0, &lever);
        }
        mirror(&mut covariance, size);
        let scaled = maximum.parameters.iter().zip(&self.scales);
        FineGray {
            coefficients: scaled.map(|(b, scale)| b / scale).collect(),
            covariance,
            null_log_likelihood: maximum.start.log_likelihood,
            log_likelihood: maximum.end.log_likelihood,
        }
    }

    /// η + ψ of each row.
    fn residuals(&self, sets: &RiskSets) -> Vec<f64> {
        let size = self.n_columns;
        let hazards = self.hazards(sets);
        let mut residuals = vec![0.0; self.ends.len() * size];
        for (k, &(start, end)) in self.runs.iter().enumerate() {
            for row in start..end {
                let residual = &mut residuals[row * size..][..size];
                if self.ends[row] == End::Event {
                    add_scaled(residual, 1.0, self.row(row));
                    add_scaled(residual, -1.0, &sets.means[k * size..][..size]);
                }
                add_scaled(
                    residual,
                    -sets.risks[row] * hazards.of_rows[row],
                    self.row(row),
                );
                let own = &hazards.of_means[row * size..][..size];
                add_scaled(residual, sets.risks[row], own);
            }
        }
        self.add_weights_share(sets, &hazards, &mut residuals);
        residuals
    }

    /// ψ: `q(Tᵢ) / π(Tᵢ)` for the censored, less `∫ q / π dΛᶜ` for all, with `q(u)` the share of the
    /// score that falls after u on subjects with other events before u, and π(u) those at risk.
    fn add_weights_share(&self, sets: &RiskSets, hazards: &Hazards, residuals: &mut [f64]) {
        let size = self.n_columns;
        let (mut total, mut weighted) = (0.0, vec![0.0; size]);
        let mut compensator = vec![0.0; size];
        for (k, &(start, end)) in self.runs.iter().enumerate() {
            let n_censored = self.count(start, end, End::Censored);
            let at_risk = (self.ends.len() - start) as f64;
            // The censoring curve's own risk set: events of this time are gone before it.
            let ended = (end - start) as f64 - n_censored;
            for row in (start..end).filter(|&row| self.ends[row] == End::Competing) {
                let risk = sets.risks[row] / self.free[row];
                total += risk;
                add_scaled(&mut weighted, risk, self.row(row));
            }
            let mut share = vec![0.0; size];
            add_scaled(&mut share, hazards.after[k + 1], &weighted);
            add_scaled(
                &mut share,
                -total,
                &hazards.means_after[(k + 1) * size..][..size],
            );
            let left = at_risk - ended;
            for row in (start..end).filter(|&row| self.ends[row] != End::Censored) {
                add_scaled(&mut residuals[row * size..][..size], -1.0, &compensator);
            }
            if n_censored > 0.0 {
                add_scaled(&mut compensator, n_censored / (left * left), &share);
            }
            for row in (start..end).filter(|&row| self.ends[row] == End::Censored) {
                let residual = &mut residuals[row * size..][..size];
                add_scaled(residual, 1.0 / left, &share);
                add_scaled(residual, -1.0, &compensator);
            }
        }
    }

    fn count(&self, start: usize, end: usize, wanted: End) -> f64 {
        let found = self.ends[start..end].iter().filter(|&&end| end == wanted);
        found.count() as f64
    }
}

struct Hazards {
    /// `∫ wᵢ dΛ` of each row.
    of_rows: Vec<f64>,
    /// `∫ wᵢ x̄ dΛ` of each row.
    of_means: Vec<f64>,
    /// `∫ Ĝ dΛ` from each run on.
    after: Vec<f64>,
    /// `∫ Ĝ x̄ dΛ` from each run on.
    means_after: Vec<f64>,
}
