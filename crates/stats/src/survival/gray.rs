//! Gray's test: whether groups have the same cumulative incidence of one cause.

use super::chi_square::ChiSquareTest;
use super::competing::CompetingFollowUp;
use super::follow_up::Labels;
use crate::Error;
use crate::cases::Ranking;

/// The comparison of cumulative incidences.
///
/// ```
/// use lobule_stats::survival::{CompetingFollowUp, gray_test};
/// let follow_up = CompetingFollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[2, 1, 0, 0])?;
/// let comparison = gray_test(&follow_up, 1, &[0, 1, 0, 1], 0.0)?;
/// assert_eq!((comparison.groups[1].label, comparison.groups[1].observed), (1, 1.0));
/// assert!((comparison.test.statistic - 0.8).abs() < 1e-12);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GrayTest {
    /// Groups by rising label.
    pub groups: Vec<GrayGroup>,
    /// All groups against the hypothesis of one common cumulative incidence.
    pub test: ChiSquareTest,
}

/// Observed and expected events of the cause in a group.
///
/// ```
/// use lobule_stats::survival::{CompetingFollowUp, gray_test};
/// let follow_up = CompetingFollowUp::new(&[1.0, 2.0, 3.0, 4.0], &[2, 1, 0, 0])?;
/// let group = gray_test(&follow_up, 1, &[7, 8, 7, 8], 0.0)?.groups[0];
/// assert_eq!((group.label, group.n_subjects, group.expected), (7, 2, 0.5));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GrayGroup {
    /// The group's label.
    pub label: usize,
    /// Its subjects.
    pub n_subjects: usize,
    /// Its events of the cause, weighted by `(1 − F(t−))^ρ`.
    pub observed: f64,
    /// The events it would have with the common subdistribution hazard, weighted alike.
    pub expected: f64,
}

/// Tests that k groups have the same cumulative incidence of a cause.
///
/// Formula: `X² = zᵀ V⁻¹ z` over all groups but one, `z_k = Σ L (d_k − d R_k / R)` over the times of
/// events of the cause. Symbols: d and d_k such events in all and in group k; `R_k = h_k (1 −
/// F_k(t−))`, R their sum; `h_k = n_k / S_k(t−)`, h their sum, with n_k at risk, S_k the Kaplan–Meier
/// curve of events of any cause and F_k the cumulative incidence; `L = (1 − F(t−))^ρ` with F the
/// common incidence, `dF = d / h`. V is the paper's variance with quantities under the hypothesis:
/// `V_kl = Σ_r Σ [a_kr a_lr q dF / h_r + b_kr b_lr q′ dF′_r / h_r]`,
/// `a_kr = D_kr + (1 − (1 − F) / S_r) C_kr`, `b_kr = −(1 − F) / S_r · C_kr`,
/// `D_kr = L (1{k=r} − h_k / h) h_r`, `C_kr = Σ D_kr dF / (1 − F(t−))` over later times, F and S_r
/// after the time's events, F′_r the incidence of other causes. Ties take off
/// `q = 1 − (d − 1) / (h S_r(t−) − 1)` and `q′ = 1 − (d′_r − 1) / (n_r − 1)`. (The paper has
/// continuous times; these two are what the results of the R package cmprsk imply. q can fall below
/// 0 where a group is nearly exhausted and many events of others share a time.)
/// Degrees of freedom: groups with an expectation, less one. ρ = 0 weighs all times alike.
/// Degenerate: without other causes z is that of the log-rank test, V is not quite.
/// Gray 1988, doi:10.1214/aos/1176350951.
///
/// ```
/// use lobule_stats::survival::{CompetingFollowUp, gray_test};
/// let times = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
/// let follow_up = CompetingFollowUp::new(&times, &[1, 1, 2, 1, 2, 0, 1, 0])?;
/// let groups = [0, 0, 1, 0, 1, 1, 0, 1];
/// assert!(gray_test(&follow_up, 1, &groups, 0.0)?.test.p_value < 0.05);
/// assert!(gray_test(&follow_up, 3, &groups, 0.0).is_err());
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Mismatch`]; [`ErrorKind::OutOfRange`] for cause 0 or a ρ that is negative or not
/// finite; [`ErrorKind::TooFew`] with fewer than two groups at risk at an event of the cause;
/// [`ErrorKind::ZeroVariance`] when no event leaves a choice between groups, or ties leave V none.
pub fn gray_test(
    follow_up: &CompetingFollowUp,
    cause: usize,
    groups: &[usize],
    rho: f64,
) -> Result<GrayTest, Error> {
    follow_up.check_cause(cause)?;
    super::log_rank::check_rho(rho)?;
    let labels = Labels::new("groups", groups, follow_up.n_subjects())?;
    let times = event_times(follow_up, cause, &labels, rho);
    let n_groups = labels.names.len();
    let mut groups: Vec<GrayGroup> = labels
        .members()
        .iter()
        .zip(&labels.names)
        .map(|(members, &label)| GrayGroup {
            label,
            n_subjects: members.len(),
            observed: 0.0,
            expected: 0.0,
        })
        .collect();
    for time in &times {
        let share = time.weight * time.events / time.groups.iter().map(|g| g.risk).sum::<f64>();
        for (sums, group) in groups.iter_mut().zip(&time.groups) {
            sums.observed += time.weight * group.events;
            // Without events of the cause nothing is expected, even where no one is at risk.
            sums.expected += if time.events > 0.0 {
                share * group.risk
            } else {
                0.0
            };
        }
    }
    let sums = groups.iter().map(|group| (group.observed, group.expected));
    let test = ChiSquareTest::of_groups(&sums.collect::<Vec<_>>(), &covariance(&times, n_groups))?;
    Ok(GrayTest { groups, test })
}

/// A time with an event of any cause.
struct EventTime {
    /// d.
    events: f64,
    /// L.
    weight: f64,
    /// h.
    adjusted: f64,
    /// 1 − F before and after.
    free_before: f64,
    free_after: f64,
    groups: Vec<GroupAtTime>,
}

/// What a group is at an event time.
#[derive(Clone)]
struct GroupAtTime {
    at_risk: f64,
    /// Events of the cause and of others.
    events: f64,
    competing: f64,
    /// h_k and R_k.
    adjusted: f64,
    risk: f64,
    /// S_k before and after.
    survival_before: f64,
    survival_after: f64,
}

impl EventTime {
    /// dF.
    fn step(&self) -> f64 {
        self.events / self.adjusted
    }
}

/// Where a group stands as time goes on.
#[derive(Clone)]
struct Standing {
    at_risk: f64,
    survival: f64,
    incidence: f64,
}

impl Standing {
    /// Takes the events of a time, and says what they met.
    fn meet(&mut self, events: f64, competing: f64) -> GroupAtTime {
        let before = self.survival;
        let adjusted = if self.at_risk > 0.0 {
            self.at_risk / before
        } else {
            0.0
        };
        let risk = adjusted * (1.0 - self.incidence);
        if self.at_risk > 0.0 {
            self.incidence += before * events / self.at_risk;
            self.survival *= (self.at_risk - events - competing) / self.at_risk;
        }
        GroupAtTime {
            at_risk: self.at_risk,
            events,
            competing,
            adjusted,
            risk,
            survival_before: before,
            survival_after: self.survival,
        }
    }
}

fn event_times(
    follow_up: &CompetingFollowUp,
    cause: usize,
    labels: &Labels,
    rho: f64,
) -> Vec<EventTime> {
    let standing = |members: &Vec<usize>| Standing {
        at_risk: members.len() as f64,
        survival: 1.0,
        incidence: 0.0,
    };
    let mut standings: Vec<Standing> = labels.members().iter().map(standing).collect();
    let (mut free, mut times) = (1.0_f64, Vec::new());
    for run in Ranking::ascending(follow_up.times()).runs() {
        let mut counts = vec![[0.0; 3]; standings.len()];
        for &i in run {
            let kind = match follow_up.causes()[i] {
                0 => 0,
                c if c == cause => 1,
                _ => 2,
            };
            counts[labels.ranks[i]][kind] += 1.0;
        }
        if counts.iter().any(|[_, own, other]| own + other > 0.0) {
            let met = standings.iter_mut().zip(&counts);
            let met: Vec<GroupAtTime> = met
                .map(|(standing, [_, own, other])| standing.meet(*own, *other))
                .collect();
            let events: f64 = met.iter().map(|group| group.events).sum();
            let adjusted: f64 = met.iter().map(|group| group.adjusted).sum();
            let (before, weight) = (free, free.max(0.0).powf(rho));
            free -= events / adjusted;
            times.push(EventTime {
                events,
                weight,
                adjusted,
                free_before: before,
                free_after: free,
                groups: met,
            });
        }
        for (standing, counts) in standings.iter_mut().zip(&counts) {
            standing.at_risk -= counts.iter().sum::<f64>();
        }
    }
    times
}

/// V, row by row.
fn covariance(times: &[EventTime], n_groups: usize) -> Vec<f64> {
    let mut sums = vec![0.0; n_groups * n_groups];
    // C_kr, gathered from the last time back.
    let mut later = vec![0.0; n_groups * n_groups];
    for time in times.iter().rev() {
        for (r, group) in time.groups.iter().enumerate() {
            if group.at_risk > 0.0 {
                let later = &mut later[r * n_groups..(r + 1) * n_groups];
                add_group(&mut sums, later, time, r);
            }
        }
    }
    sums
}

/// What group r adds at a time; `later` is its C for each k.
fn add_group(sums: &mut [f64], later: &mut [f64], time: &EventTime, r: usize) {
    let group = &time.groups[r];
    let direct = |k: usize| {
        let same = if k == r { 1.0 } else { 0.0 };
        time.weight * (same - time.groups[k].adjusted / time.adjusted) * group.adjusted
    };
    // Nothing comes later for a group that ends here.
    let ratio = if group.survival_after > 0.0 {
        time.free_after / group.survival_after
    } else {
        0.0
    };
    let n_groups = later.len();
    let own: Vec<f64> = (0..n_groups)
        .map(|k| direct(k) + (1.0 - ratio) * later[k])
        .collect();
    let other: Vec<f64> = later.iter().map(|c| -ratio * c).collect();
    let own_ties = tie(time.events, time.adjusted * group.survival_before);
    let other_ties = tie(group.competing, group.at_risk);
    let own_scale = own_ties * time.step() / group.adjusted;
    let other_step = group.survival_before * group.competing / group.at_risk;
    let other_scale = other_ties * other_step / group.adjusted;
    for k in 0..n_groups {
        for l in 0..n_groups {
            sums[k * n_groups + l] +=
                own[k] * own[l] * own_scale + other[k] * other[l] * other_scale;
        }
    }
    if time.events > 0.0 {
        for (k, later) in later.iter_mut().enumerate() {
            *later += direct(k) * time.step() / time.free_before;
        }
    }
}

/// What d events at one time take off the variance of d events at different times.
fn tie(events: f64, at_risk: f64) -> f64 {
    if events > 1.0 {
        1.0 - (events - 1.0) / (at_risk - 1.0)
    } else {
        1.0
    }
}
