//! The nipple line: the coordinate in which the views of a breast can be compared.

use crate::{ImageSide, MammogramFacts, Point, Spacing};

/// A unit of length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LengthUnit {
    /// Millimetres.
    Millimetre,
    /// Pixels of the original image.
    Pixel,
}

/// The line from a breast's nipple straight to the chest wall, in a mammogram (Kopans, Breast
/// Imaging, 3rd ed. 2007, chapter 8).
///
/// The chest wall is the pectoral muscle's edge where it was found, else the breast's outline on
/// the chest's side. The nipple is not looked for: the outline's point farthest from the chest
/// wall stands for it. On a breast pressed aslant that is wrong by a centimetre.
///
/// ```
/// use lobule_exam::{BreastOrientation, ImageSide, MammogramFacts, NippleLine, Point, Polygon};
/// let at = |row, col| Point { row, col };
/// let facts = MammogramFacts {
///     view: None,
///     orientation: BreastOrientation::new(ImageSide::Left, Some(ImageSide::Top)).unwrap(),
///     breast: Polygon { points: vec![at(0.0, 0.0), at(100.0, 100.0), at(200.0, 0.0)] },
///     pectoral: None,
///     density: None,
///     density_classes: Err("not looked at".to_owned()),
///     windows: Vec::new(),
/// };
/// let line = NippleLine::of(&facts, None).unwrap();
/// assert_eq!((line.depth(), line.behind(at(80.0, 70.0))), (100.0, 30.0));
/// assert_eq!(line.above(at(80.0, 70.0)), Some(20.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NippleLine {
    nipple: Vector,
    /// Away from the chest wall, of length one.
    outward: Vector,
    /// Across the line, towards the breast's upper end, of length one.
    upward: Option<Vector>,
    depth: f64,
    /// Size of a row and of a column.
    pixel: Vector,
    unit: LengthUnit,
}

/// Row and column.
type Vector = (f64, f64);

impl NippleLine {
    /// In mm, or in pixels where the size of a pixel is not known; none for a breast without an
    /// outline or without depth.
    pub fn of(facts: &MammogramFacts, spacing: Option<Spacing>) -> Option<NippleLine> {
        let pixel = spacing.map_or((1.0, 1.0), |s| (s.row_mm(), s.col_mm()));
        let scaled = |p: &Point| (p.row * pixel.0, p.col * pixel.1);
        let away = towards(facts.orientation.chest().opposite());
        let muscle = facts.pectoral.map(|ends| ends.map(|end| scaled(&end)));
        let outward = muscle
            .and_then(|[a, b]| normal_of(a, b, away))
            .unwrap_or(away);
        let along = |p: Vector| dot(p, outward);
        let outline = facts.breast.points.iter().map(scaled);
        let nipple = outline
            .clone()
            .max_by(|a, b| along(*a).total_cmp(&along(*b)))?;
        let rear = outline.map(along).fold(f64::INFINITY, f64::min);
        let depth = along(nipple) - muscle.map_or(rear, |[a, _]| along(a));
        let upward = facts.orientation.upper().map(|upper| {
            let across = (-outward.1, outward.0);
            let sign = dot(across, towards(upper)).signum();
            (across.0 * sign, across.1 * sign)
        });
        (depth.is_finite() && depth > 0.0).then_some(NippleLine {
            nipple,
            outward,
            upward,
            depth,
            pixel,
            unit: match spacing {
                Some(_) => LengthUnit::Millimetre,
                None => LengthUnit::Pixel,
            },
        })
    }

    /// The unit of all lengths.
    pub fn unit(&self) -> LengthUnit {
        self.unit
    }

    /// From the nipple to the chest wall, above 0.
    pub fn depth(&self) -> f64 {
        self.depth
    }

    /// How far a point of the image lies behind the nipple, along the line.
    pub fn behind(&self, p: Point) -> f64 {
        -dot(self.offset(p), self.outward)
    }

    /// How far a point of the image lies beside the line, above 0 towards the breast's upper end
    /// (in views from above: its outer side); none where that end is not known.
    pub fn above(&self, p: Point) -> Option<f64> {
        self.upward.map(|upward| dot(self.offset(p), upward))
    }

    fn offset(&self, p: Point) -> Vector {
        let (row, col) = (p.row * self.pixel.0, p.col * self.pixel.1);
        (row - self.nipple.0, col - self.nipple.1)
    }
}

fn dot(a: Vector, b: Vector) -> f64 {
    a.0 * b.0 + a.1 * b.1
}

fn towards(side: ImageSide) -> Vector {
    match side {
        ImageSide::Left => (0.0, -1.0),
        ImageSide::Right => (0.0, 1.0),
        ImageSide::Top => (-1.0, 0.0),
        ImageSide::Bottom => (1.0, 0.0),
    }
}

/// The unit normal of the line through two points that leads outward; none for one point, or for a
/// line along the way outward.
fn normal_of(a: Vector, b: Vector, outward: Vector) -> Option<Vector> {
    let (row, col) = (b.0 - a.0, b.1 - a.1);
    let length = row.hypot(col);
    let normal = (-col / length, row / length);
    let lead = dot(normal, outward);
    let sign = lead.signum();
    (length > 0.0 && lead.abs() > 1e-6).then_some((normal.0 * sign, normal.1 * sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BreastOrientation, Polygon};

    fn at(row: f64, col: f64) -> Point {
        Point { row, col }
    }

    /// A breast as a triangle, 200 high and 100 deep, chest wall at the given side.
    fn facts(
        chest: ImageSide,
        upper: Option<ImageSide>,
        pectoral: Option<[Point; 2]>,
    ) -> MammogramFacts {
        let corners = match chest {
            ImageSide::Left => [at(0.0, 0.0), at(100.0, 100.0), at(200.0, 0.0)],
            ImageSide::Right => [at(0.0, 100.0), at(100.0, 0.0), at(200.0, 100.0)],
            ImageSide::Top => [at(0.0, 0.0), at(100.0, 100.0), at(0.0, 200.0)],
            ImageSide::Bottom => [at(100.0, 0.0), at(0.0, 100.0), at(100.0, 200.0)],
        };
        MammogramFacts {
            view: None,
            orientation: BreastOrientation::new(chest, upper).unwrap(),
            breast: Polygon {
                points: corners.to_vec(),
            },
            pectoral,
            density: None,
            density_classes: Err("not looked at".to_owned()),
            windows: Vec::new(),
        }
    }

    #[test]
    fn lengths_count_from_the_nipple_whatever_way_the_breast_lies() {
        use ImageSide::{Bottom, Left, Right, Top};
        let cases = [
            (Left, Top, at(50.0, 70.0), 50.0),
            (Left, Bottom, at(50.0, 70.0), -50.0),
            (Right, Top, at(50.0, 30.0), 50.0),
            (Right, Bottom, at(50.0, 30.0), -50.0),
            (Top, Left, at(70.0, 50.0), 50.0),
            (Top, Right, at(70.0, 50.0), -50.0),
            (Bottom, Left, at(30.0, 50.0), 50.0),
            (Bottom, Right, at(30.0, 50.0), -50.0),
        ];
        for (chest, upper, place, above) in cases {
            let line = NippleLine::of(&facts(chest, Some(upper), None), None).unwrap();
            assert_eq!(
                (line.behind(place), line.depth()),
                (30.0, 100.0),
                "{chest:?}"
            );
            assert_eq!(line.above(place), Some(above), "{chest:?} {upper:?}");
            assert_eq!(line.unit(), LengthUnit::Pixel);
            let spacing = Spacing::new(0.5, 0.5).ok();
            let mm = NippleLine::of(&facts(chest, None, None), spacing).unwrap();
            assert_eq!((mm.behind(place), mm.depth()), (15.0, 50.0));
            assert_eq!((mm.above(place), mm.unit()), (None, LengthUnit::Millimetre));
        }
    }

    #[test]
    fn the_muscle_turns_the_line() {
        // An edge at 45° through (0, 40) and (40, 0): the outline's point farthest from it is the
        // nipple, (100, 100) by its normal.
        let ends = [at(0.0, 40.0), at(40.0, 0.0)];
        for ends in [ends, [ends[1], ends[0]]] {
            let mut facts = facts(ImageSide::Left, Some(ImageSide::Top), Some(ends));
            facts.breast.points[2].row = 190.0;
            let line = NippleLine::of(&facts, None).unwrap();
            let root = 2.0_f64.sqrt();
            assert!((line.depth() - 160.0 / root).abs() < 1e-9);
            assert!((line.behind(at(20.0, 20.0)) - 160.0 / root).abs() < 1e-9);
            assert!(line.above(at(20.0, 20.0)).unwrap().abs() < 1e-9);
            // Along the muscle only the height changes, and towards the head it grows.
            let (up, down) = (at(60.0, 80.0), at(80.0, 60.0));
            assert!((line.behind(up) - line.behind(down)).abs() < 1e-9);
            assert!((line.above(up).unwrap() - 10.0 * root).abs() < 1e-9);
            assert!((line.above(down).unwrap() + 10.0 * root).abs() < 1e-9);
        }
    }

    #[test]
    fn nothing_is_said_without_outline_or_depth() {
        let of = |points: Vec<Point>, pectoral| {
            let facts = MammogramFacts {
                breast: Polygon { points },
                ..facts(ImageSide::Left, None, pectoral)
            };
            NippleLine::of(&facts, None)
        };
        assert!(of(vec![], None).is_none());
        assert!(of(vec![at(0.0, 5.0), at(9.0, 5.0)], None).is_none());
        // A muscle before the whole outline.
        let before = [at(0.0, 50.0), at(9.0, 50.0)];
        assert!(of(vec![at(0.0, 0.0), at(5.0, 9.0), at(9.0, 0.0)], Some(before)).is_none());
        // One point is no edge to turn by.
        let one = [at(3.0, 4.0); 2];
        let line = of(vec![at(0.0, 0.0), at(5.0, 9.0), at(9.0, 0.0)], Some(one)).unwrap();
        assert_eq!(line.behind(at(7.0, 1.0)), 8.0);
    }
}
