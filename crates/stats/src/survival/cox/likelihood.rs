//! Cox's partial likelihood and its derivatives, in two passes over the rows.
//!
//! Owns: the likelihoods of Breslow, Efron and of the exact discrete model, and the risk-set means
//! that residuals and hazards need. Does not own: the iteration.

use super::Ties;
use super::design::{Block, Design, add_outer, add_scaled};
use crate::matrix::dot;
use crate::newton::Derivatives;

/// Linear predictors beyond it overflow or vanish as risks.
const MAX_PREDICTOR: f64 = 300.0;

/// The share of the events' own risk that is taken off at each event of a time: `k / d` for the
/// k-th by Efron, none by Breslow. Breslow's d equal terms are one term, counted d times.
pub(super) fn tie_terms(ties: Ties, n_events: usize) -> impl Iterator<Item = (f64, f64)> {
    let d = n_events as f64;
    let n_terms = match ties {
        Ties::Efron => n_events,
        Ties::Breslow | Ties::Exact => n_events.min(1),
    };
    let times = if n_terms == n_events { 1.0 } else { d };
    (0..n_terms).map(move |k| (k as f64 / d, times))
}

/// exp of the linear predictors, or nothing when one is out of bounds.
pub(super) fn risks(design: &Design, parameters: &[f64]) -> Option<(Vec<f64>, Vec<f64>)> {
    let rows = design.values.chunks_exact(design.n_columns);
    let predictors: Vec<f64> = rows.map(|row| dot(row, parameters)).collect();
    if predictors
        .iter()
        .any(|p| p.is_nan() || p.abs() > MAX_PREDICTOR)
    {
        return None;
    }
    let risks = predictors.iter().map(|p| p.exp()).collect();
    Some((predictors, risks))
}

/// Sums over those at risk and over the events of one time.
pub(super) struct RiskSums {
    total: f64,
    weighted: Vec<f64>,
    event_total: f64,
    event_weighted: Vec<f64>,
}

impl RiskSums {
    pub(super) fn new(n_columns: usize) -> RiskSums {
        RiskSums {
            total: 0.0,
            weighted: vec![0.0; n_columns],
            event_total: 0.0,
            event_weighted: vec![0.0; n_columns],
        }
    }

    /// Takes in the rows of an earlier time.
    pub(super) fn add(&mut self, design: &Design, block: &Block, risks: &[f64]) {
        self.event_total = 0.0;
        self.event_weighted.fill(0.0);
        for row in block.events() {
            self.event_total += risks[row];
            add_scaled(&mut self.event_weighted, risks[row], design.row(row));
        }
        self.total += self.event_total;
        add_scaled(&mut self.weighted, 1.0, &self.event_weighted);
        for row in block.censored() {
            self.total += risks[row];
            add_scaled(&mut self.weighted, risks[row], design.row(row));
        }
    }

    /// The summed risk, with a share of the events' own risk taken off.
    pub(super) fn total(&self, share: f64) -> f64 {
        self.total - share * self.event_total
    }

    /// The mean covariates under that summed risk.
    pub(super) fn mean(&self, share: f64, mean: &mut [f64]) {
        let total = self.total(share);
        for (k, value) in mean.iter_mut().enumerate() {
            *value = (self.weighted[k] - share * self.event_weighted[k]) / total;
        }
    }
}

/// What a time adds to the cumulative hazard of those at risk, and of its own events.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Jump {
    at_risk: f64,
    event: f64,
}

/// The derivatives by Efron's or Breslow's rule.
pub(super) fn derivatives(design: &Design, ties: Ties, parameters: &[f64]) -> Derivatives {
    let size = design.n_columns;
    let Some((predictors, risks)) = risks(design, parameters) else {
        return Derivatives::impossible(size);
    };
    let mut sum = Derivatives::zero(size);
    let (mut mean, mut jumps) = (vec![0.0; size], Vec::new());
    for stratum in &design.strata {
        jumps.clear();
        let mut at_risk = RiskSums::new(size);
        for block in &stratum.blocks {
            at_risk.add(design, block, &risks);
            jumps.push(add_block(&mut sum, &at_risk, block, ties, &mut mean));
            for row in block.events() {
                sum.log_likelihood += predictors[row];
                add_scaled(&mut sum.gradient, 1.0, design.row(row));
            }
        }
        add_spread(
            &mut sum.information,
            design,
            &stratum.blocks,
            &jumps,
            &risks,
        );
    }
    sum
}

/// The terms of one time but for the events' own; `− Σ e eᵀ` of the information.
fn add_block(
    sum: &mut Derivatives,
    at_risk: &RiskSums,
    block: &Block,
    ties: Ties,
    mean: &mut [f64],
) -> Jump {
    let mut jump = Jump::default();
    for (share, times) in tie_terms(ties, block.n_events()) {
        let total = at_risk.total(share);
        at_risk.mean(share, mean);
        sum.log_likelihood -= times * total.ln();
        add_scaled(&mut sum.gradient, -times, mean);
        add_outer(&mut sum.information, -times, mean);
        jump.at_risk += times / total;
        jump.event += times * (1.0 - share) / total;
    }
    jump
}

/// `Σ rᵢ Λᵢ xᵢ xᵢᵀ`: each row once, with its cumulative hazard.
fn add_spread(
    information: &mut [f64],
    design: &Design,
    blocks: &[Block],
    jumps: &[Jump],
    risks: &[f64],
) {
    let mut hazard = 0.0;
    for (block, jump) in blocks.iter().zip(jumps).rev() {
        for row in block.rows() {
            let jump = if row < block.events_end {
                jump.event
            } else {
                jump.at_risk
            };
            let weight = risks[row] * (hazard + jump);
            if weight > 0.0 {
                add_outer(information, weight, design.row(row));
            }
        }
        hazard += jump.at_risk;
    }
}

/// What one event time says at fixed parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EventTime {
    /// The block's index in its stratum.
    pub(super) block: usize,
    /// `Σ 1 / s` over the events of the time, s the summed risk.
    pub(super) hazard: f64,
    /// The same for the events themselves, each share taken off.
    pub(super) event_hazard: f64,
    /// `Σ 1 / s²`.
    pub(super) hazard_variance: f64,
    /// `Σ e / s`, with e the risk set's mean covariates.
    pub(super) mean_hazard: Vec<f64>,
    /// The same for the events themselves.
    pub(super) event_mean_hazard: Vec<f64>,
    /// The mean of e over the events of the time.
    pub(super) mean: Vec<f64>,
}

/// The event times of a stratum by falling time.
pub(super) fn event_times(
    design: &Design,
    ties: Ties,
    stratum: usize,
    risks: &[f64],
) -> Vec<EventTime> {
    let size = design.n_columns;
    let (mut at_risk, mut mean) = (RiskSums::new(size), vec![0.0; size]);
    let mut found = Vec::new();
    for (index, block) in design.strata[stratum].blocks.iter().enumerate() {
        at_risk.add(design, block, risks);
        if block.n_events() == 0 {
            continue;
        }
        let mut time = EventTime {
            block: index,
            hazard: 0.0,
            event_hazard: 0.0,
            hazard_variance: 0.0,
            mean_hazard: vec![0.0; size],
            event_mean_hazard: vec![0.0; size],
            mean: vec![0.0; size],
        };
        for (share, times) in tie_terms(ties, block.n_events()) {
            let hazard = times / at_risk.total(share);
            at_risk.mean(share, &mut mean);
            time.hazard += hazard;
            time.event_hazard += (1.0 - share) * hazard;
            time.hazard_variance += hazard * hazard / times;
            add_scaled(&mut time.mean_hazard, hazard, &mean);
            add_scaled(&mut time.event_mean_hazard, (1.0 - share) * hazard, &mean);
            add_scaled(&mut time.mean, times / block.n_events() as f64, &mean);
        }
        found.push(time);
    }
    found
}
