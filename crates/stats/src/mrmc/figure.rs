//! Figures of merit of one reader in one modality, and what each case contributes to them.

use std::sync::Arc;

use super::influence::Influence;
use super::study::{Cell, ReaderStudy};
use crate::cases::check_cases;
use crate::roc::{RateRange, Roc, WinCounts, need_two_of_each};
use crate::{Error, ErrorKind};

/// Fewer ratings than these are sorted before another thread has woken up.
const RATINGS_PER_TASK: usize = 1 << 14;

/// What a reader's ratings in one modality are summed up to. All lie in 0..=1.
///
/// ```
/// use lobule_stats::{mrmc::Figure, roc::RateRange};
/// let figure = Figure::PartialAuc(RateRange::specificity(0.8, 1.0)?);
/// assert_ne!(figure, Figure::Auc);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Figure {
    /// The empirical area, [`Roc::auc`].
    Auc,
    /// [`Roc::partial_auc`], not corrected: between 0 and the width of the range.
    PartialAuc(RateRange),
    /// [`Roc::corrected_partial_auc`].
    CorrectedPartialAuc(RateRange),
    /// [`Roc::interpolated_sensitivity`] at this specificity.
    SensitivityAtSpecificity(f64),
    /// [`Roc::interpolated_specificity`] at this sensitivity.
    SpecificityAtSensitivity(f64),
    /// The share of diseased cases with a rating of at least the threshold.
    Sensitivity {
        /// Ratings from here on are positive decisions; 1 for decisions kept as 0 and 1.
        threshold: f64,
    },
    /// The share of healthy cases with a rating below the threshold.
    Specificity {
        /// As for [`Figure::Sensitivity`].
        threshold: f64,
    },
}

impl Figure {
    /// How many readers × modalities one thread takes at once: all of a small study, where the
    /// figure costs little per rating.
    pub(crate) fn cells_per_task(self, n_cases: usize) -> usize {
        match self {
            Figure::Auc | Figure::Sensitivity { .. } | Figure::Specificity { .. } => {
                (RATINGS_PER_TASK / n_cases.max(1)).max(1)
            }
            _ => 1,
        }
    }
}

/// Where the variances and covariances of the figures come from.
///
/// ```
/// use lobule_stats::mrmc::{CovarianceMethod, Figure, FigureTable, ReaderStudy};
/// let truth = [false, true, false, true];
/// let study = ReaderStudy::from_grid(&truth, 1, 1, &[1.0, 2.0, 3.0, 4.0])?;
/// let table = FigureTable::new(&study, Figure::Auc, CovarianceMethod::DeLong)?;
/// assert!((table.covariance(0, 0) - 0.125).abs() < 1e-15);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CovarianceMethod {
    /// Each case (or cluster) is left out in turn.
    ///
    /// Formula: `(K − 1)/K Σₖ (θ₍ₖ₎ − θ̄₍·₎)(θ′₍ₖ₎ − θ̄′₍·₎)`. Symbols: θ₍ₖ₎ the figure without unit
    /// k, K the units that the figure depends on: all for areas, those of one class for
    /// sensitivity and specificity. Any figure. Quenouille 1956, doi:10.1093/biomet/43.3-4.353.
    Jackknife,
    /// From placements: areas, sensitivity, specificity. DeLong 1988, doi:10.2307/2531595. In
    /// clusters for areas, their sums by cluster: [`Roc::auc_covariance_by_cluster`], Obuchowski
    /// 1997, doi:10.2307/2533958.
    DeLong,
    /// `θ θ′` less its unbiased estimate from pairs of pairs without a case in common: areas.
    /// Gallas 2006, doi:10.1016/j.acra.2005.11.030.
    Unbiased,
}

/// The figure of a cell, and the influence of each unit on it.
pub(crate) fn evaluate(
    study: &ReaderStudy,
    cell: &Cell,
    figure: Figure,
    method: CovarianceMethod,
) -> Result<(f64, Influence), Error> {
    let truth = study.truth_of(cell);
    let named = |error: Error| Error::new(error.kind(), format!("{error} ({})", study.place(cell)));
    let of_class =
        |class, threshold| rate_influence(cell, &truth, class, threshold, study.clusters());
    match figure {
        Figure::Sensitivity { threshold } => of_class(true, threshold),
        Figure::Specificity { threshold } => of_class(false, threshold),
        Figure::Auc => auc_influence(cell, &truth, method, study.clusters()),
        _ => by_leaving_out(cell, &truth, study.clusters(), &|ratings, truth| {
            of_curve(figure, ratings, truth)
        }),
    }
    .map_err(named)
}

/// Figures that are read off the curve, and have no closed form for the jackknife here.
fn of_curve(figure: Figure, ratings: &[f64], truth: &[bool]) -> Result<f64, Error> {
    let roc = Roc::new(ratings, truth)?;
    match figure {
        Figure::PartialAuc(range) => Ok(roc.partial_auc(range)),
        Figure::CorrectedPartialAuc(range) => Ok(roc.corrected_partial_auc(range)),
        Figure::SensitivityAtSpecificity(rate) => roc.interpolated_sensitivity(rate),
        Figure::SpecificityAtSensitivity(rate) => roc.interpolated_specificity(rate),
        Figure::Auc | Figure::Sensitivity { .. } | Figure::Specificity { .. } => Ok(roc.auc()),
    }
}

/// A share of one class. Leaving out case i changes it by `(θ − yᵢ)/(m − 1)`, so the jackknife and
/// the usual unbiased covariance `S / m` are the same number.
fn rate_influence(
    cell: &Cell,
    truth: &[bool],
    class: bool,
    threshold: f64,
    clusters: Option<&[u32]>,
) -> Result<(f64, Influence), Error> {
    let decided = |rating: f64| f64::from(u8::from((rating >= threshold) == class));
    let of_class = cell.cases.iter().zip(&cell.ratings).zip(truth);
    let right: Vec<(u32, f64)> = of_class
        .filter(|&(_, &present)| present == class)
        .map(|((&case, &rating), _)| (case, decided(rating)))
        .collect();
    let n = right.len() as f64;
    if right.len() < 2 {
        let text = format!(
            "expected at least 2 cases of the class, got {}",
            right.len()
        );
        return Err(Error::new(ErrorKind::TooFew, text));
    }
    let rate = right.iter().map(|pair| pair.1).sum::<f64>() / n;
    let units = right.into_iter().map(|(case, decision)| {
        let unit = clusters.map_or(case, |clusters| clusters[case as usize]);
        (unit, decision - rate, 1.0)
    });
    Influence::of_ratio(units.collect(), n).map(|influence| (rate, influence))
}

fn auc_influence(
    cell: &Cell,
    truth: &[bool],
    method: CovarianceMethod,
    clusters: Option<&[u32]>,
) -> Result<(f64, Influence), Error> {
    let roc = || {
        let roc = Roc::new(&cell.ratings, truth)?;
        need_two_of_each(roc.n_positive(), roc.n_negative())?;
        Ok::<Roc, Error>(roc)
    };
    match (method, clusters) {
        (CovarianceMethod::Jackknife, None) => {
            let roc = roc()?;
            let changes = auc_changes(&roc, cell, truth);
            Ok((roc.auc(), Influence::from_changes(changes)))
        }
        (CovarianceMethod::Jackknife, Some(_)) => {
            roc()?;
            by_leaving_out(cell, truth, clusters, &|ratings, truth| {
                Roc::new(ratings, truth).map(|roc| roc.auc())
            })
        }
        (_, Some(clusters)) => {
            let roc = roc()?;
            let influence = clustered_delong_influence(&roc, cell, clusters)?;
            Ok((roc.auc(), influence))
        }
        (_, None) => delong_influence(cell, truth),
    }
}

/// θ₍ₖ₎ − θ of the area: without a diseased case `(θ − V₁₀)/(m − 1)`, likewise for healthy ones.
fn auc_changes(roc: &Roc, cell: &Cell, truth: &[bool]) -> Vec<(u32, f64)> {
    let (m, n) = (roc.n_positive() as f64, roc.n_negative() as f64);
    let placed = cell.cases.iter().zip(roc.placements()).zip(truth);
    let change = |((&case, placement), &present): ((&u32, &f64), &bool)| {
        let others = if present { m } else { n } - 1.0;
        (case, (roc.auc() - placement) / others)
    };
    placed.map(change).collect()
}

/// `(V − A) / √(c (c − 1))` for each case, c the cases of its class; with the wins w of a case and W
/// of a class, `V − A = (c w − W) / 2 m n`.
fn delong_influence(cell: &Cell, truth: &[bool]) -> Result<(f64, Influence), Error> {
    let counts = check_cases(&cell.ratings, truth)?;
    let (m, n) = (counts.positives, counts.negatives);
    need_two_of_each(m, n)?;
    let wins = WinCounts::count(&cell.ratings, truth);
    let of_class = [n, m].map(|count| count as f64);
    let scale = of_class.map(|c| 0.5 / (m as f64 * n as f64 * (c * (c - 1.0)).sqrt()));
    let value = |won: f64, class: usize| (of_class[class] * won - wins.total()) * scale[class];
    let influence = Influence::rising(Arc::clone(&cell.cases), wins.values(truth, value));
    Ok((wins.auc(m, n), influence))
}

/// Two values per cluster; figures of other cases in the same clusters correct by clusters of
/// their own.
fn clustered_delong_influence(
    roc: &Roc,
    cell: &Cell,
    clusters: &[u32],
) -> Result<Influence, Error> {
    let units = cell.cases.iter().map(|&case| clusters[case as usize]);
    let deviations = roc
        .placements()
        .iter()
        .map(|placement| placement - roc.auc());
    let values = roc.cluster_values(deviations, &units.collect::<Vec<u32>>())?;
    Ok(Influence::from_pairs(values))
}

/// A figure of the ratings and truths of some cases.
type FigureOf<'a> = dyn Fn(&[f64], &[bool]) -> Result<f64, Error> + 'a;

/// The jackknife by definition: the figure on what is left, once per unit.
pub(crate) fn by_leaving_out(
    cell: &Cell,
    truth: &[bool],
    clusters: Option<&[u32]>,
    figure: &FigureOf,
) -> Result<(f64, Influence), Error> {
    let whole = figure(&cell.ratings, truth)?;
    let unit_of = |case: u32| clusters.map_or(case, |clusters| clusters[case as usize]);
    let mut order: Vec<usize> = (0..cell.cases.len()).collect();
    order.sort_by_key(|&index| unit_of(cell.cases[index]));
    let mut changes = Vec::new();
    for unit in order.chunk_by(|&a, &b| unit_of(cell.cases[a]) == unit_of(cell.cases[b])) {
        let left_out = |index: &usize| unit.binary_search(index).is_ok();
        let rest: Vec<usize> = (0..truth.len()).filter(|index| !left_out(index)).collect();
        let ratings: Vec<f64> = rest.iter().map(|&index| cell.ratings[index]).collect();
        let truth: Vec<bool> = rest.iter().map(|&index| truth[index]).collect();
        let without = figure(&ratings, &truth)?;
        changes.push((unit_of(cell.cases[unit[0]]), without - whole));
    }
    if changes.len() < 2 {
        let text = format!(
            "expected at least 2 cases or clusters, got {}",
            changes.len()
        );
        return Err(Error::new(ErrorKind::TooFew, text));
    }
    Ok((whole, Influence::from_changes(changes)))
}
