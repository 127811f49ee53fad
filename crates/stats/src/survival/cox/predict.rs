//! Cumulative hazard and survival that a fitted model predicts.

use super::Cox;
use super::design::add_scaled;
use super::likelihood::event_times;
use crate::matrix::{dot, multiply};
use crate::{Confidence, Error, ErrorKind, Interval};

/// The predicted curve of one subject.
///
/// ```
/// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
/// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
/// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
/// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
/// let curve = fit.predict(&[2.5], 0)?;
/// assert_eq!(curve.survival_at(0.5), 1.0);
/// assert!(curve.survival_at(3.0) < curve.survival_at(2.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PredictedSurvival {
    /// The event times of the subject's stratum, rising.
    pub steps: Vec<PredictedStep>,
}

/// The prediction from one event time to the next.
///
/// ```
/// # use lobule_stats::{Confidence, survival::{Covariates, CoxConfig, FollowUp, fit_cox}};
/// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
/// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
/// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
/// let step = fit.predict(&[2.5], 0)?.steps[1];
/// assert!(step.interval(Confidence::NINETY_FIVE).contains(step.survival));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictedStep {
    /// The event time t.
    pub time: f64,
    /// H(t | x).
    pub cumulative_hazard: f64,
    /// S(t | x) = exp(−H).
    pub survival: f64,
    /// Of H; S times it is the standard error of S.
    pub standard_error: f64,
}

impl PredictedStep {
    /// For S(t | x), symmetric on the log scale and cut at 1: `S exp(± z s)` with s the standard
    /// error of H.
    ///
    /// ```
    /// use lobule_stats::{Confidence, survival::PredictedStep};
    /// let step = PredictedStep {
    ///     time: 1.0, cumulative_hazard: 0.1, survival: 0.9, standard_error: 0.2,
    /// };
    /// assert_eq!(step.interval(Confidence::NINETY_FIVE).upper, 1.0);
    /// ```
    pub fn interval(&self, confidence: Confidence) -> Interval {
        let half_width = confidence.z() * self.standard_error;
        Interval {
            lower: self.survival * (-half_width).exp(),
            upper: self.survival * half_width.exp(),
        }
        .clamp(0.0, 1.0)
    }
}

impl PredictedSurvival {
    /// H(t | x): 0 before the first event, level after the last.
    ///
    /// ```
    /// use lobule_stats::survival::PredictedSurvival;
    /// assert_eq!(PredictedSurvival { steps: Vec::new() }.cumulative_hazard_at(3.0), 0.0);
    /// ```
    pub fn cumulative_hazard_at(&self, time: f64) -> f64 {
        let after = self.steps.partition_point(|step| step.time <= time);
        after
            .checked_sub(1)
            .map_or(0.0, |last| self.steps[last].cumulative_hazard)
    }

    /// S(t | x) = exp(−H(t | x)).
    ///
    /// ```
    /// use lobule_stats::survival::PredictedSurvival;
    /// assert_eq!(PredictedSurvival { steps: Vec::new() }.survival_at(3.0), 1.0);
    /// ```
    pub fn survival_at(&self, time: f64) -> f64 {
        (-self.cumulative_hazard_at(time)).exp()
    }
}

impl Cox {
    /// The curve of a subject with the given covariates in the stratum of the given label (0 where
    /// the model has no strata). Covariates of 0 give the baseline hazard, [`Cox::means`] that of an
    /// average subject.
    ///
    /// Formula: `H(t | x) = exp(xᵀβ) Σ over event times ≤ t of h`, with h = Σ 1 / S by the model's
    /// rule for ties, see [`super::fit_cox`];
    /// `Var H = exp(2 xᵀβ) [Σ 1 / S² + qᵀ V q]`, `q = Σ (x − x̄(t)) h`. Symbols: S the sum of exp(xᵀβ)
    /// over those at risk, x̄ their weighted mean, V the covariance of β, robust where there are
    /// clusters. Breslow 1974, doi:10.2307/2529620; Tsiatis 1981, doi:10.1214/aos/1176345333.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert_eq!(fit.predict(fit.means(), 0)?.steps.len(), 4);
    /// assert!(fit.predict(&[0.0], 7).is_err());
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] when there is not one covariate per column,
    /// [`ErrorKind::NotFinite`], [`ErrorKind::OutOfRange`] for a stratum that is not there or under
    /// [`super::Ties::Exact`].
    pub fn predict(&self, covariates: &[f64], stratum: usize) -> Result<PredictedSurvival, Error> {
        self.check_continuous()?;
        let x = self.standardized(covariates)?;
        let strata = &self.design.strata;
        let Some(index) = strata.iter().position(|s| s.label == stratum) else {
            return Err(Error::new(
                ErrorKind::OutOfRange,
                format!("expected a stratum of the model, got {stratum}"),
            ));
        };
        let covariance = self.robust_covariance.as_ref().unwrap_or(&self.covariance);
        let risk = dot(&x, &self.parameters).exp();
        let (mut hazard, mut variance, mut lever) = (0.0, 0.0, vec![0.0; x.len()]);
        let mut steps = Vec::new();
        for time in event_times(&self.design, self.ties, index, &self.risks())
            .iter()
            .rev()
        {
            hazard += time.hazard;
            variance += time.hazard_variance;
            add_scaled(&mut lever, time.hazard, &x);
            add_scaled(&mut lever, -1.0, &time.mean_hazard);
            let of_fit = dot(&lever, &multiply(covariance, &lever));
            steps.push(PredictedStep {
                time: strata[index].blocks[time.block].time,
                cumulative_hazard: risk * hazard,
                survival: (-risk * hazard).exp(),
                standard_error: risk * (variance + of_fit).sqrt(),
            });
        }
        Ok(PredictedSurvival { steps })
    }

    fn standardized(&self, covariates: &[f64]) -> Result<Vec<f64>, Error> {
        let design = &self.design;
        crate::cases::check_lengths("covariates", covariates.len(), "columns", design.n_columns)?;
        if let Some(wrong) = covariates.iter().find(|value| !value.is_finite()) {
            return Err(Error::new(
                ErrorKind::NotFinite,
                format!("expected finite covariates, got {wrong}"),
            ));
        }
        let centered = covariates
            .iter()
            .zip(&design.means)
            .map(|(x, mean)| x - mean);
        Ok(centered
            .zip(&design.scales)
            .map(|(x, scale)| x / scale)
            .collect())
    }
}
