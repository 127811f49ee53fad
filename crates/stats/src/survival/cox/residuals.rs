//! Martingale, score and Schoenfeld residuals, and the sandwich built on them.

use super::Cox;
use super::design::{add_outer, add_scaled};
use super::likelihood::event_times;
use crate::Error;
use crate::matrix::multiply;
use crate::survival::follow_up::Labels;

/// What one event's covariates exceed their expectation by.
///
/// ```
/// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
/// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
/// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
/// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
/// assert_eq!(fit.schoenfeld_residuals()?[3].subject, 3);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SchoenfeldResidual {
    /// The subject with the event.
    pub subject: usize,
    /// The event's time.
    pub time: f64,
    /// The label of the subject's stratum; 0 without strata.
    pub stratum: usize,
    /// One value per column.
    pub values: Vec<f64>,
}

impl Cox {
    /// Schoenfeld's residuals of all events: strata by rising label, times rising.
    ///
    /// Formula: `xᵢ − x̄(t)` with x̄(t) the mean of those at risk at t, weighted by exp(xᵀβ); under
    /// Efron's rule, the average of the means before each of the tied events. They sum to 0.
    /// Schoenfeld 1982, doi:10.1093/biomet/69.1.239.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// let sum: f64 = fit.schoenfeld_residuals()?.iter().map(|r| r.values[0]).sum();
    /// assert!(sum.abs() < 1e-9);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::ErrorKind::OutOfRange`] under [`super::Ties::Exact`].
    pub fn schoenfeld_residuals(&self) -> Result<Vec<SchoenfeldResidual>, Error> {
        self.check_continuous()?;
        let risks = self.risks();
        let mut residuals = Vec::with_capacity(self.n_events);
        for (index, stratum) in self.design.strata.iter().enumerate() {
            let times = event_times(&self.design, self.ties, index, &risks);
            for time in times.iter().rev() {
                let block = &stratum.blocks[time.block];
                for row in block.events() {
                    let differences = self.design.row(row).iter().zip(&time.mean);
                    let scaled = differences.zip(&self.design.scales);
                    residuals.push(SchoenfeldResidual {
                        subject: self.design.subjects[row],
                        time: block.time,
                        stratum: stratum.label,
                        values: scaled
                            .map(|((x, mean), scale)| (x - mean) * scale)
                            .collect(),
                    });
                }
            }
        }
        Ok(residuals)
    }

    /// Martingale residuals, in the order of the follow-up: events less the events expected under
    /// the model, `δᵢ − exp(xᵢᵀβ) Λ₀(Tᵢ)`. They sum to 0. Barlow & Prentice 1988,
    /// doi:10.1093/biomet/75.1.65.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// assert!(fit.martingale_residuals()?.iter().sum::<f64>().abs() < 1e-12);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::ErrorKind::OutOfRange`] under [`super::Ties::Exact`].
    pub fn martingale_residuals(&self) -> Result<Vec<f64>, Error> {
        self.check_continuous()?;
        let mut residuals = vec![0.0; self.n_subjects()];
        self.for_each_row(|row| {
            let subject = self.design.subjects[row.row];
            residuals[subject] = f64::from(self.events[subject]) - row.risk * row.hazard;
        });
        Ok(residuals)
    }

    /// Score residuals of standardized columns, row by row in the order of the follow-up.
    fn score_residuals(&self) -> Vec<f64> {
        let size = self.design.n_columns;
        let mut residuals = vec![0.0; self.n_subjects() * size];
        self.for_each_row(|row| {
            let subject = self.design.subjects[row.row];
            let residual = &mut residuals[subject * size..][..size];
            let x = self.design.row(row.row);
            if let Some(mean) = row.event_mean {
                add_scaled(residual, 1.0, x);
                add_scaled(residual, -1.0, mean);
            }
            add_scaled(residual, -row.risk * row.hazard, x);
            add_scaled(residual, row.risk, row.mean_hazard);
        });
        residuals
    }

    /// Walks each stratum by rising time, with the hazard that each row has lived through.
    fn for_each_row(&self, mut visit: impl FnMut(RowHazard<'_>)) {
        let (risks, size) = (self.risks(), self.design.n_columns);
        for (index, stratum) in self.design.strata.iter().enumerate() {
            let mut times = event_times(&self.design, self.ties, index, &risks);
            let (mut hazard, mut mean_hazard) = (0.0, vec![0.0; size]);
            for (block_index, block) in stratum.blocks.iter().enumerate().rev() {
                let time = times.pop_if(|time| time.block == block_index);
                if let Some(time) = &time {
                    let mut own = mean_hazard.clone();
                    add_scaled(&mut own, 1.0, &time.event_mean_hazard);
                    for row in block.events() {
                        visit(RowHazard {
                            row,
                            risk: risks[row],
                            hazard: hazard + time.event_hazard,
                            mean_hazard: &own,
                            event_mean: Some(&time.mean),
                        });
                    }
                    hazard += time.hazard;
                    add_scaled(&mut mean_hazard, 1.0, &time.mean_hazard);
                }
                for row in block.censored() {
                    visit(RowHazard {
                        row,
                        risk: risks[row],
                        hazard,
                        mean_hazard: &mean_hazard,
                        event_mean: None,
                    });
                }
            }
        }
    }

    /// The robust covariance of standardized columns.
    pub(super) fn sandwich(&self, clusters: &Labels) -> Result<Vec<f64>, Error> {
        self.check_continuous()?;
        let size = self.design.n_columns;
        let residuals = self.score_residuals();
        let mut sums = vec![0.0; clusters.names.len() * size];
        for (residual, &cluster) in residuals.chunks_exact(size).zip(&clusters.ranks) {
            add_scaled(&mut sums[cluster * size..][..size], 1.0, residual);
        }
        let mut covariance = vec![0.0; size * size];
        for sum in sums.chunks_exact(size) {
            add_outer(&mut covariance, 1.0, &multiply(&self.covariance, sum));
        }
        mirror(&mut covariance, size);
        Ok(covariance)
    }
}

/// The lower triangle, copied to the upper.
pub(in crate::survival) fn mirror(matrix: &mut [f64], size: usize) {
    for row in 0..size {
        for column in 0..row {
            matrix[column * size + row] = matrix[row * size + column];
        }
    }
}

/// A row and the hazard it has lived through.
struct RowHazard<'a> {
    row: usize,
    risk: f64,
    /// `Λ₀` up to the row's time.
    hazard: f64,
    /// `∫ x̄ dΛ₀` up to the row's time.
    mean_hazard: &'a [f64],
    /// x̄ at the row's event.
    event_mean: Option<&'a [f64]>,
}
