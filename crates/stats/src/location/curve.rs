//! Curves of marks.

use super::figures::View;
use super::study::LocationStudy;
use super::wins::Unit;
use crate::Error;

/// Which curve to draw.
///
/// ```
/// use lobule_stats::location::LocationCurve;
/// assert_ne!(LocationCurve::Froc, LocationCurve::Lroc);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocationCurve {
    /// False marks per case against the share of lesions marked. Bunch et al. 1978,
    /// doi:10.1117/12.956913.
    Froc,
    /// The share of healthy cases with a false mark against the share of lesions marked.
    Afroc,
    /// As AFROC with the lesions' weights.
    WeightedAfroc,
    /// The share of healthy cases with a false mark against the share of diseased cases whose
    /// highest mark hits a lesion.
    Lroc,
}

/// A corner of a curve.
///
/// ```
/// use lobule_stats::location::CurvePoint;
/// let nothing = CurvePoint { threshold: f64::INFINITY, abscissa: 0.0, ordinate: 0.0 };
/// assert_eq!(nothing.ordinate, 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Marks of at least this rating count; +∞ at the first point.
    pub threshold: f64,
    /// Of false marks, as the curve says.
    pub abscissa: f64,
    /// Of lesions or diseased cases, as the curve says.
    pub ordinate: f64,
}

/// The corners of a curve of one reader in one modality, from no mark counted to all marks
/// counted: the last point lies where the reader stopped marking.
///
/// ```
/// use lobule_stats::location::*;
/// let truth = [LesionTruth::none("c1"), LesionTruth { case: "c2", lesion: Some("a"), weight: None }];
/// let mark = |case, lesion, rating| Mark { reader: "ann", modality: "2D", case, lesion, rating };
/// let marks = [mark("c1", None, 2.0), mark("c1", None, 1.0), mark("c2", Some("a"), 4.0)];
/// let study = LocationStudy::new(truth, marks)?;
/// let points = location_curve(&study, 0, 0, LocationCurve::Froc)?;
/// let last = points.last().expect("the first point at least");
/// assert_eq!((last.abscissa, last.ordinate), (1.0, 1.0)); // 2 false marks on 2 cases
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`crate::ErrorKind::OutOfRange`] for a modality or reader that the study does not have.
pub fn location_curve(
    study: &LocationStudy,
    modality: usize,
    reader: usize,
    curve: LocationCurve,
) -> Result<Vec<CurvePoint>, Error> {
    let marks = study.cell(modality, reader)?;
    let view = View { study, marks };
    let healthy = || view.false_marks(|case| !study.diseased()[case]);
    Ok(match curve {
        LocationCurve::Froc => {
            let misses = marks.misses.iter();
            let misses: Vec<Unit> = misses
                .map(|&(case, rating)| Unit::new(case as usize, rating))
                .collect();
            let mut points = points_of(&view.lesions(|_| 1.0), &misses);
            let per_case = misses.len() as f64 / study.diseased().len() as f64;
            points
                .iter_mut()
                .for_each(|point| point.abscissa *= per_case);
            points
        }
        LocationCurve::Afroc => points_of(&view.lesions(|_| 1.0), &healthy()),
        LocationCurve::WeightedAfroc => points_of(&view.lesions(|weight| weight), &healthy()),
        LocationCurve::Lroc => points_of(&view.localized(), &healthy()),
    })
}

/// Shares of weight at or above each rating, highest first; unmarked units are never counted.
pub(crate) fn points_of(signals: &[Unit], noises: &[Unit]) -> Vec<CurvePoint> {
    let share = |units: &[Unit]| -> f64 {
        units
            .iter()
            .map(|unit| unit.weight)
            .sum::<f64>()
            .max(f64::MIN_POSITIVE)
    };
    let (signal_weight, noise_weight) = (share(signals), share(noises));
    let signals = signals
        .iter()
        .map(|unit| (unit.rating, unit.weight / signal_weight, 0.0));
    let noises = noises
        .iter()
        .map(|unit| (unit.rating, 0.0, unit.weight / noise_weight));
    let mut steps: Vec<(f64, f64, f64)> = signals
        .chain(noises)
        .filter(|step| step.0.is_finite())
        .collect();
    steps.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let mut point = CurvePoint {
        threshold: f64::INFINITY,
        abscissa: 0.0,
        ordinate: 0.0,
    };
    let mut points = vec![point];
    for run in steps.chunk_by(|a, b| a.0 == b.0) {
        point.threshold = run[0].0;
        point.ordinate += run.iter().map(|step| step.1).sum::<f64>();
        point.abscissa += run.iter().map(|step| step.2).sum::<f64>();
        points.push(point);
    }
    points
}

/// The ordinate where a curve first reaches an abscissa; its last where it never does.
pub(crate) fn at_abscissa(points: &[CurvePoint], abscissa: f64) -> f64 {
    /// Sums of shares 1/n miss a round fraction by a few roundings.
    const ROUNDING: f64 = 1e-12;
    let reached = points
        .iter()
        .position(|point| point.abscissa >= abscissa - ROUNDING);
    let Some(at) = reached.filter(|&at| at > 0) else {
        return points.last().map_or(0.0, |point| point.ordinate);
    };
    let (before, after) = (points[at - 1], points[at]);
    let share = (abscissa - before.abscissa) / (after.abscissa - before.abscissa);
    before.ordinate + (after.ordinate - before.ordinate) * share.min(1.0)
}
