//! How well a score or a predicted survival tells who has the event by a given time.
//!
//! Owns: the cumulative/dynamic area under the ROC curve and the Brier score, weighted by the inverse
//! chance of being censored. Does not own: ranking over all times (`concordance`).

use super::censoring::CensoringCurve;
use super::concordance::ranks;
use super::follow_up::FollowUp;
use crate::cases::{check_finite, check_lengths, check_range};
use crate::{Error, ErrorKind};

/// The area under the cumulative/dynamic ROC curve at one time.
///
/// ```
/// use lobule_stats::survival::{FollowUp, time_dependent_auc};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true, true, false, true])?;
/// let at_two = time_dependent_auc(&follow_up, &[4.0, 1.0, 2.0, 0.5], 2.0)?;
/// assert_eq!((at_two.n_cases, at_two.n_controls, at_two.auc), (2, 2, 0.75));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeAuc {
    /// The time t.
    pub time: f64,
    /// The area.
    pub auc: f64,
    /// Subjects with the event by t.
    pub n_cases: usize,
    /// Subjects known to be free of it at t.
    pub n_controls: usize,
}

/// The chance that a subject with the event by time t has a higher risk than one without it.
///
/// Formula: `AUC(t) = Σᵢ Σⱼ wᵢ 1{Tᵢ ≤ t, δᵢ = 1} 1{Tⱼ > t} (1{Mᵢ > Mⱼ} + ½ 1{Mᵢ = Mⱼ}) / (Σᵢ wᵢ · Σⱼ 1)`
/// with `wᵢ = 1 / Ĝ(Tᵢ−)`. Symbols: M the risk, Ĝ the Kaplan–Meier curve of the censoring times, with
/// events before censorings of the same time. Subjects censored by t enter through Ĝ alone.
/// Degenerate: without a case or a control it is an error. Uno et al. 2007,
/// doi:10.1198/016214507000000149; Hung & Chiang 2010, doi:10.1002/cjs.10046.
///
/// ```
/// use lobule_stats::survival::{FollowUp, time_dependent_auc};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[false, true, true, true])?;
/// assert_eq!(time_dependent_auc(&follow_up, &[0.0, 3.0, 2.0, 1.0], 2.5)?.auc, 1.0);
/// assert!(time_dependent_auc(&follow_up, &[0.0, 3.0, 2.0, 1.0], 9.0).is_err());
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`]; [`ErrorKind::SingleClass`] without an event by
/// t or without a subject followed beyond t.
pub fn time_dependent_auc(
    follow_up: &FollowUp,
    risks: &[f64],
    time: f64,
) -> Result<TimeAuc, Error> {
    check_lengths("risks", risks.len(), "subjects", follow_up.n_subjects())?;
    check_finite(risks)?;
    let censoring = CensoringCurve::new(follow_up);
    let ranks = ranks(risks);
    let size = ranks.iter().max().map_or(0, |most| most + 1);
    let (mut cases, mut controls) = (vec![0.0; size], vec![0.0; size]);
    let (mut n_cases, mut n_controls) = (0, 0);
    for (i, &own) in follow_up.times().iter().enumerate() {
        if own > time {
            controls[ranks[i]] += 1.0;
            n_controls += 1;
        } else if follow_up.events()[i] {
            cases[ranks[i]] += 1.0 / censoring.before(own);
            n_cases += 1;
        }
    }
    if n_cases == 0 || n_controls == 0 {
        return Err(Error::new(
            ErrorKind::SingleClass,
            format!(
                "expected an event by time {time} and a subject followed beyond it, got {n_cases} \
                 and {n_controls}"
            ),
        ));
    }
    Ok(TimeAuc {
        time,
        auc: area(&cases, &controls),
        n_cases,
        n_controls,
    })
}

/// The area from the weights of cases and controls at each rank.
fn area(cases: &[f64], controls: &[f64]) -> f64 {
    let (mut below, mut won) = (0.0, 0.0);
    for (case, control) in cases.iter().zip(controls) {
        won += case * (below + control / 2.0);
        below += control;
    }
    won / (cases.iter().sum::<f64>() * below)
}

/// The Brier score of predicted survival at one time.
///
/// Formula: `BS(t) = (1 / n) Σᵢ [Ŝᵢ² 1{Tᵢ ≤ t, δᵢ = 1} / Ĝ(Tᵢ−) + (1 − Ŝᵢ)² 1{Tᵢ > t} / Ĝ(t)]`. Symbols: Ŝᵢ the
/// predicted chance that subject i is free of the event at t, Ĝ the Kaplan–Meier curve of the
/// censoring times, with events before censorings of the same time. Range: 0 is perfect, always
/// saying ½ gives ¼ on average. Degenerate: after the last time it is an error.
/// Graf et al. 1999, doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5.
///
/// ```
/// use lobule_stats::survival::{FollowUp, survival_brier_score};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
/// assert_eq!(survival_brier_score(&follow_up, &[0.5; 4], 2.0)?, 0.25);
/// assert_eq!(survival_brier_score(&follow_up, &[0.0, 0.0, 1.0, 1.0], 2.0)?, 0.0);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`]; [`ErrorKind::OutOfRange`] for a prediction
/// outside 0..=1 or a time that is negative or not before the end of follow-up.
pub fn survival_brier_score(
    follow_up: &FollowUp,
    predicted: &[f64],
    time: f64,
) -> Result<f64, Error> {
    check_lengths(
        "predictions",
        predicted.len(),
        "subjects",
        follow_up.n_subjects(),
    )?;
    check_finite(predicted)?;
    check_range(predicted)?;
    check_within(follow_up, time)?;
    let censoring = CensoringCurve::new(follow_up);
    let of_free = censoring.at(time);
    let loss = |(i, &survival): (usize, &f64)| {
        let own = follow_up.times()[i];
        if own > time {
            (1.0 - survival).powi(2) / of_free
        } else if follow_up.events()[i] {
            survival.powi(2) / censoring.before(own)
        } else {
            0.0
        }
    };
    let losses: f64 = predicted.iter().enumerate().map(loss).sum();
    Ok(losses / predicted.len() as f64)
}

fn check_within(follow_up: &FollowUp, time: f64) -> Result<(), Error> {
    let last = follow_up.last_time();
    if time >= 0.0 && time < last {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::OutOfRange,
        format!("expected a time from 0 to before the last of follow-up ({last}), got {time}"),
    ))
}

/// The mean of the Brier score over a stretch of time.
///
/// Formula: `∫ BS(t) dt / (tₘ − t₁)` by the trapezoidal rule over the given times t₁ < … < tₘ. Symbols:
/// BS see [`survival_brier_score`]. `predicted(t)` gives the predicted survival of every subject at a
/// time. Degenerate: fewer than two times are an error. Graf et al. 1999,
/// doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5.
///
/// ```
/// use lobule_stats::survival::{FollowUp, integrated_brier_score};
/// let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[true; 4])?;
/// let score = integrated_brier_score(&follow_up, &[1.0, 2.0, 3.5], |_| vec![0.5; 4])?;
/// assert_eq!(score, 0.25);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// As [`survival_brier_score`] at any of the times; [`ErrorKind::OutOfRange`] when they do not rise;
/// [`ErrorKind::TooFew`] with fewer than two.
pub fn integrated_brier_score(
    follow_up: &FollowUp,
    times: &[f64],
    predicted: impl Fn(f64) -> Vec<f64>,
) -> Result<f64, Error> {
    let (Some(first), Some(last), true) = (times.first(), times.last(), times.len() > 1) else {
        return Err(Error::new(
            ErrorKind::TooFew,
            format!("expected at least 2 times, got {}", times.len()),
        ));
    };
    if !times.is_sorted_by(|a, b| a < b) {
        return Err(Error::new(
            ErrorKind::OutOfRange,
            "expected times that rise, got others",
        ));
    }
    let score = |&time: &f64| survival_brier_score(follow_up, &predicted(time), time);
    let scores: Vec<f64> = times.iter().map(score).collect::<Result<_, _>>()?;
    let panels = times.windows(2).zip(scores.windows(2));
    let area: f64 = panels
        .map(|(t, s)| (t[1] - t[0]) * f64::midpoint(s[0], s[1]))
        .sum();
    Ok(area / (last - first))
}
