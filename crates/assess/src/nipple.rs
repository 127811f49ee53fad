//! How far a place in a mammogram lies from the nipple, and which places in two views agree.
//!
//! Compression moves tissue up, down and sideways, but hardly towards or away from the chest wall:
//! a lesion has about the same distance from the nipple in every view, taken along the normal of
//! the chest wall (the nipple line; Kopans, Breast Imaging, 3rd ed. 2007, chapter 8; as a rule of
//! matching: Paquerault et al., Med Phys 2002;29:238–247, doi 10.1118/1.1446098, who allow for
//! more, since they weigh other features besides).
//!
//! Where the nipple line lies, and that the nipple is not looked for, says [`NippleLine`]; hence the
//! width of the tolerance.

use lobule_exam::{LengthUnit, MammogramFacts, NippleLine, Point, Spacing};

/// Distances in mm that differ by no more than this agree.
const TOLERANCE_MM: f64 = 15.0;
/// Where a size of pixels is not known: distances as shares of the breast's depth that differ by no
/// more than this agree.
const TOLERANCE_SHARE: f64 = 0.10;

/// A place along the nipple line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NippleDistance {
    /// From the nipple along the chest wall's normal, 0 at the nipple; in mm, or in pixels where
    /// the size of a pixel is not known.
    pub distance: f64,
    /// From the nipple to the chest wall, in the same unit; above 0.
    pub depth: f64,
    /// The unit of both.
    pub unit: LengthUnit,
}

impl NippleDistance {
    /// Where a point of a mammogram lies; none for a breast without an outline or without depth.
    pub fn of(
        facts: &MammogramFacts,
        spacing: Option<Spacing>,
        place: Point,
    ) -> Option<NippleDistance> {
        let line = NippleLine::of(facts, spacing)?;
        Some(NippleDistance {
            distance: line.behind(place),
            depth: line.depth(),
            unit: line.unit(),
        })
    }

    /// How far two places differ, in tolerances: at most 1 where they agree. The tolerance is 15 mm;
    /// where a size of pixels is not known, 10 % of the breast's depth.
    pub fn difference(self, other: NippleDistance) -> f64 {
        match (self.unit, other.unit) {
            (LengthUnit::Millimetre, LengthUnit::Millimetre) => {
                (self.distance - other.distance).abs() / TOLERANCE_MM
            }
            _ => {
                let share = |d: NippleDistance| d.distance / d.depth;
                (share(self) - share(other)).abs() / TOLERANCE_SHARE
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn agreement_is_fifteen_millimetres_or_a_tenth_of_the_depth() {
        let mm = |distance| NippleDistance {
            distance,
            depth: 80.0,
            unit: LengthUnit::Millimetre,
        };
        let pixels = |distance| NippleDistance {
            distance,
            depth: 1000.0,
            unit: LengthUnit::Pixel,
        };
        assert!((mm(20.0).difference(mm(35.0)) - 1.0).abs() < 1e-12);
        assert!((pixels(200.0).difference(pixels(300.0)) - 1.0).abs() < 1e-9);
        assert!((mm(20.0).difference(pixels(250.0))).abs() < 1e-12);
    }
}
