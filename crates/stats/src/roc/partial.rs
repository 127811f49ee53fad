//! The area under a part of the curve, and points read off between its corners.

use super::{Roc, RocPoint};
use crate::{Error, ErrorKind};

/// The part of a curve between two specificities or two sensitivities.
///
/// ```
/// use lobule_stats::roc::{RateRange, Roc};
/// let roc = Roc::new(&[1.0, 2.0, 3.0, 4.0], &[false, true, false, true])?;
/// let whole = RateRange::specificity(0.0, 1.0)?;
/// assert_eq!(roc.partial_auc(whole), roc.auc());
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRange {
    axis: Axis,
    from: f64,
    to: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Axis {
    Specificity,
    Sensitivity,
}

impl RateRange {
    /// Specificities `from..=to`, as in "at a specificity of 0.9 and above".
    ///
    /// ```
    /// use lobule_stats::roc::RateRange;
    /// assert!(RateRange::specificity(0.9, 1.0).is_ok());
    /// assert!(RateRange::specificity(1.0, 0.9).is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] unless `0 ≤ from < to ≤ 1`.
    pub fn specificity(from: f64, to: f64) -> Result<RateRange, Error> {
        RateRange::new(Axis::Specificity, from, to)
    }

    /// Sensitivities `from..=to`.
    ///
    /// ```
    /// use lobule_stats::roc::RateRange;
    /// assert_eq!(RateRange::sensitivity(0.75, 1.0)?.width(), 0.25);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] unless `0 ≤ from < to ≤ 1`.
    pub fn sensitivity(from: f64, to: f64) -> Result<RateRange, Error> {
        RateRange::new(Axis::Sensitivity, from, to)
    }

    fn new(axis: Axis, from: f64, to: f64) -> Result<RateRange, Error> {
        if (0.0..1.0).contains(&from) && from < to && to <= 1.0 {
            return Ok(RateRange { axis, from, to });
        }
        Err(Error::new(
            ErrorKind::OutOfRange,
            format!("expected rates 0 ≤ from < to ≤ 1, got {from} and {to}"),
        ))
    }

    /// `to − from`, the largest area that the part can have.
    ///
    /// ```
    /// # use lobule_stats::roc::RateRange;
    /// assert_eq!(RateRange::specificity(0.5, 1.0)?.width(), 0.5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn width(&self) -> f64 {
        self.to - self.from
    }

    /// The area of the part under the diagonal of chance.
    fn chance(&self) -> f64 {
        self.width() * (1.0 - f64::midpoint(self.from, self.to))
    }
}

impl Roc {
    /// The area between a part of the curve and the far axis, corners joined by straight lines.
    ///
    /// Formula: `∫ Se dSp` over the specificities of the range, or `∫ Sp dSe` over its
    /// sensitivities. Range: 0..=width. The whole range gives [`Roc::auc`].
    /// McClish 1989, doi:10.1177/0272989X8900900307.
    ///
    /// ```
    /// use lobule_stats::roc::{RateRange, Roc};
    /// let roc = Roc::new(&[1.0, 2.0, 3.0, 4.0], &[false, true, false, true])?;
    /// assert_eq!(roc.partial_auc(RateRange::specificity(0.5, 1.0)?), 0.25);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn partial_auc(&self, range: RateRange) -> f64 {
        let points = self.points();
        let (along, height): (Vec<f64>, Vec<f64>) = match range.axis {
            Axis::Specificity => points.iter().rev().map(specificity_first).unzip(),
            Axis::Sensitivity => points.iter().map(sensitivity_first).unzip(),
        };
        let strips = along.windows(2).zip(height.windows(2));
        strips
            .map(|(x, y)| strip_area(x, y, range.from, range.to))
            .sum()
    }

    /// The partial area on the scale of a whole one: ½ where the part follows chance, 1 where it
    /// is perfect.
    ///
    /// Formula: `½ (1 + (A − A₀) / (A₁ − A₀))`. Symbols: A [`Roc::partial_auc`], A₀ the area of
    /// the part under the diagonal, A₁ its width. Range: at most 1; below ½ for a part worse than
    /// chance, and then without a lower bound of its own.
    /// McClish 1989, doi:10.1177/0272989X8900900307.
    ///
    /// ```
    /// use lobule_stats::roc::{RateRange, Roc};
    /// let roc = Roc::new(&[1.0, 2.0, 3.0, 4.0], &[false, false, true, true])?;
    /// assert_eq!(roc.corrected_partial_auc(RateRange::specificity(0.9, 1.0)?), 1.0);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn corrected_partial_auc(&self, range: RateRange) -> f64 {
        let chance = range.chance();
        0.5 * (1.0 + (self.partial_auc(range) - chance) / (range.width() - chance))
    }

    /// The specificity where the curve reaches a sensitivity, read off the straight lines between
    /// its corners. Where a level of sensitivity spans several specificities, the lowest counts,
    /// so that the reading never flatters. No threshold belongs to a point between corners; for
    /// one that can be used, see [`Roc::at_sensitivity`].
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let roc = Roc::new(&[1.0, 2.0, 3.0, 4.0], &[false, true, false, true])?;
    /// assert_eq!(roc.interpolated_specificity(0.75)?, 0.25);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] outside 0..=1.
    pub fn interpolated_specificity(&self, sensitivity: f64) -> Result<f64, Error> {
        check_rate("sensitivity", sensitivity)?;
        Ok(read_off(
            self.points().iter().map(sensitivity_first),
            sensitivity,
        ))
    }

    /// The sensitivity where the curve reaches a specificity; the rest as in
    /// [`Roc::interpolated_specificity`], classes exchanged.
    ///
    /// ```
    /// # use lobule_stats::roc::Roc;
    /// let roc = Roc::new(&[1.0, 2.0, 3.0, 4.0], &[false, true, false, true])?;
    /// assert_eq!(roc.interpolated_sensitivity(0.25)?, 0.75);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] outside 0..=1.
    pub fn interpolated_sensitivity(&self, specificity: f64) -> Result<f64, Error> {
        check_rate("specificity", specificity)?;
        let rising = self.points().into_iter().rev();
        Ok(read_off(
            rising.map(|point| specificity_first(&point)),
            specificity,
        ))
    }
}

fn specificity_first(point: &RocPoint) -> (f64, f64) {
    (point.specificity, point.sensitivity)
}

fn sensitivity_first(point: &RocPoint) -> (f64, f64) {
    (point.sensitivity, point.specificity)
}

/// The part of a trapezoid between two abscissas.
fn strip_area(x: &[f64], y: &[f64], from: f64, to: f64) -> f64 {
    let (left, right) = (x[0].max(from), x[1].min(to));
    if left >= right {
        return 0.0;
    }
    let at = |v: f64| y[0] + (y[1] - y[0]) * (v - x[0]) / (x[1] - x[0]);
    (right - left) * f64::midpoint(at(left), at(right))
}

/// Linear interpolation over points of rising abscissa and falling ordinate, of which the last
/// of each abscissa counts. The abscissas run from 0 to 1.
fn read_off(points: impl Iterator<Item = (f64, f64)>, at: f64) -> f64 {
    let mut before: Option<(f64, f64)> = None;
    let mut found: Option<(f64, f64)> = None;
    for (x, y) in points {
        match found {
            Some((x_found, _)) if x > x_found => break,
            Some(_) => found = Some((x, y)),
            None if x >= at => found = Some((x, y)),
            None => before = Some((x, y)),
        }
    }
    let (x, y) = found.expect("the abscissas end at 1, which reaches any rate");
    match before {
        Some((x_before, y_before)) if x > at => {
            y_before + (y - y_before) * (at - x_before) / (x - x_before)
        }
        _ => y,
    }
}

fn check_rate(what: &str, rate: f64) -> Result<(), Error> {
    if (0.0..=1.0).contains(&rate) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::OutOfRange,
        format!("expected a {what} in 0..=1, got {rate}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_whole() {
        let scores = [0.1, 0.4, 0.4, 0.5, 0.7, 0.7, 0.9];
        let truth = [false, false, true, true, false, true, true];
        let roc = Roc::new(&scores, &truth).unwrap();
        for of in [RateRange::specificity, RateRange::sensitivity] {
            let part = |from, to| roc.partial_auc(of(from, to).unwrap());
            let sum = part(0.0, 0.37) + part(0.37, 0.8) + part(0.8, 1.0);
            assert!((sum - roc.auc()).abs() < 1e-15);
        }
    }

    #[test]
    fn points_between_corners_lie_on_the_lines() {
        let roc = Roc::new(&[1.0, 1.0, 2.0, 3.0], &[false, true, false, true]).unwrap();
        // Corners (Se, Sp): (0, 1), (½, 1), (½, ½), (1, 0).
        let cases = [(0.0, 1.0), (0.5, 0.5), (0.75, 0.25), (1.0, 0.0)];
        for (sensitivity, specificity) in cases {
            assert_eq!(
                roc.interpolated_specificity(sensitivity).unwrap(),
                specificity
            );
        }
        assert!(roc.interpolated_specificity(1.5).is_err());
        assert_eq!(roc.interpolated_sensitivity(1.0).unwrap(), 0.0);
    }
}
