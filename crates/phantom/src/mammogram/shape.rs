//! The outline of a breast in both views, and where places in it are projected to.
//!
//! Lengths in mm. Places of a picture are (row, col) from the upper corner at the chest wall, for
//! either breast: a right one is mirrored at the end.
//!
//! Owns: the outline, the nipple, the muscle's edge, the distance from the skin, the frame that
//! both views share: depth behind the nipple, and the distance from the nipple line. Does not
//! own: what is inside (`tissue`, `body`).

use lobule_exam::View;

use super::plan::DETECTOR_MM;
use crate::noise::Stream;

/// Lesions stay at least this far from the skin, and from the muscle.
const FROM_SKIN_MM: f64 = 9.0;
/// Cells of the grid of distances.
const CELL_MM: f64 = 1.5;

/// What the two breasts of a person have in common, and by which they differ a little.
pub(super) struct Build {
    /// From the nipple's tip to the chest wall, or to the muscle.
    pub(super) depth: f64,
    half_height: f64,
    roundness: [f64; 2],
    nipple_height: f64,
    nipple_row: f64,
    muscle_angle: f64,
    muscle_reach: f64,
    armpit: f64,
}

impl Build {
    pub(super) fn new(person: &mut Stream, side: &mut Stream) -> Build {
        let mut both = |low: f32, high: f32, jitter: f32| {
            let share = person.between(0.0, 1.0) + jitter * side.between(-1.0, 1.0);
            f64::from(low + (high - low) * share.clamp(0.0, 1.0))
        };
        let depth = both(66.0, 108.0, 0.05);
        Build {
            depth,
            half_height: depth * both(0.92, 1.12, 0.1),
            roundness: [both(1.7, 2.2, 0.1), both(1.35, 1.9, 0.1)],
            nipple_height: both(1.5, 4.5, 0.2),
            nipple_row: both(124.0, 142.0, 0.1),
            muscle_angle: both(14.0, 22.0, 0.15).to_radians(),
            muscle_reach: both(0.85, 1.2, 0.1) * (65.0 + 0.75 * depth),
            armpit: both(0.60, 0.82, 0.1),
        }
    }
}

/// One breast in one view.
pub(super) struct Shape {
    pub(super) nipple: [f64; 2],
    /// Points from the nipple along its line to the chest.
    inwards: [f64; 2],
    /// From the nipple to the chest wall, or to the muscle.
    pub(super) depth: f64,
    /// Where the muscle's edge meets the top and the chest wall.
    pub(super) muscle: Option<[[f64; 2]; 2]>,
    distances: Distances,
}

impl Shape {
    pub(super) fn new(build: &Build, view: View) -> Shape {
        match view {
            View::Mlo => oblique(build),
            _ => from_above(build),
        }
    }

    /// The outline is closed, beyond the picture's edges where the breast goes on.
    fn of(
        outline: &[[f64; 2]],
        nipple: [f64; 2],
        inwards: [f64; 2],
        depth: f64,
        muscle: Option<[[f64; 2]; 2]>,
    ) -> Shape {
        let distances = Distances::new(outline);
        Shape {
            nipple,
            inwards,
            depth,
            muscle,
            distances,
        }
    }

    /// Distance from the skin, in mm; below zero outside.
    pub(super) fn inside(&self, row: f64, col: f64) -> f32 {
        self.distances.at(row, col)
    }

    /// Depth behind the nipple, and distance from the nipple line, upwards (outwards) above 0.
    pub(super) fn frame(&self, row: f64, col: f64) -> [f64; 2] {
        let (down, right) = (row - self.nipple[0], col - self.nipple[1]);
        let [in_row, in_col] = self.inwards;
        // Upwards is the inward direction turned by a right angle.
        [
            down * in_row + right * in_col,
            down * in_col - right * in_row,
        ]
    }

    /// The place of a depth and a distance from the nipple line.
    pub(super) fn place(&self, depth: f64, up: f64) -> [f64; 2] {
        let [in_row, in_col] = self.inwards;
        [
            self.nipple[0] + depth * in_row + up * in_col,
            self.nipple[1] + depth * in_col - up * in_row,
        ]
    }

    /// The direction from the nipple to the chest, along the nipple line.
    pub(super) fn inwards(&self) -> [f64; 2] {
        self.inwards
    }

    /// How far a lesion of a radius can be moved up or down the line across a depth.
    pub(super) fn room(&self, depth: f64, radius: f64, share: f64) -> f64 {
        let fits = |up: f64| {
            let [row, col] = self.place(depth, up);
            let margin = radius + 4.0;
            let in_picture = (margin..DETECTOR_MM[0] - margin).contains(&row) && col > margin;
            in_picture && f64::from(self.inside(row, col)) > radius + FROM_SKIN_MM
        };
        let step = 0.5 * share.signum();
        let most = (1..400).map(|i| f64::from(i) * step);
        let last = most.take_while(|&up| fits(up)).last();
        last.unwrap_or(0.0) * share.abs()
    }

    /// How far a place lies on the breast's side of the muscle's edge, in mm; far where there is
    /// no muscle. The edge bows a little towards the nipple.
    pub(super) fn before_muscle(&self, row: f64, col: f64) -> f64 {
        let Some([top, chest]) = self.muscle else {
            return f64::INFINITY;
        };
        let [depth, up] = self.frame(row, col);
        let along = self.frame(top[0], top[1])[1] - up;
        let length = (top[0] - chest[0]).hypot(top[1] - chest[1]);
        let share = (along / length).clamp(0.0, 1.0);
        self.depth - depth - 7.0 * share * (1.0 - share)
    }
}

/// Cranio-caudal: a half superellipse with the nipple in front.
fn from_above(build: &Build) -> Shape {
    let middle = DETECTOR_MM[0] / 2.0;
    let reach = build.depth - build.nipple_height;
    let half = build.half_height.min(112.0);
    let [p, q] = build.roundness;
    let mut outline = vec![[middle - half - 6.0, -30.0], [middle - half - 3.0, -12.0]];
    for i in 0..=240 {
        let angle = std::f64::consts::PI * (f64::from(i) / 240.0 - 0.5);
        let (sin, cos) = angle.sin_cos();
        let y = sin.signum() * half * sin.abs().powf(2.0 / p);
        let x = reach * cos.max(0.0).powf(2.0 / q) + bump(y, build.nipple_height);
        outline.push([middle + y, x]);
    }
    outline.extend([[middle + half + 3.0, -12.0], [middle + half + 6.0, -30.0]]);
    let nipple = [middle, build.depth];
    Shape::of(&outline, nipple, [0.0, -1.0], build.depth, None)
}

/// Medio-lateral oblique: the armpit at the top, the muscle in its corner, the nipple below the
/// middle; the nipple line is perpendicular to the muscle's edge.
fn oblique(build: &Build) -> Shape {
    let (sin, cos) = build.muscle_angle.sin_cos();
    let reach = build.muscle_reach;
    let muscle_col = reach * sin / cos;
    let low = build.nipple_row + 0.72 * build.depth + 14.0;
    let base_row = build.nipple_row + 0.12 * (low - build.nipple_row);
    let below = |row: f64| {
        let t = ((row - build.nipple_row) / (low - build.nipple_row)).clamp(0.0, 1.0);
        (1.0 - t * t).max(0.0).powf(0.62)
    };
    // So wide that the tip of the nipple lies at the breast's depth before the muscle's edge.
    let base = build.depth - build.nipple_height + muscle_col * cos - base_row * sin;
    let width = base / (below(base_row) * cos);
    let armpit = (width * build.armpit)
        .max(muscle_col + 10.0)
        .min(0.92 * width);
    let col_at = |row: f64| match row < build.nipple_row {
        true => {
            let t = (build.nipple_row - row) / (build.nipple_row + 40.0);
            let share = (std::f64::consts::FRAC_PI_2 * t.min(1.0)).cos().powi(2);
            armpit + (width - armpit) * share
        }
        false => width * below(row),
    };
    let mut outline = vec![[-30.0, -30.0]];
    let base_col = col_at(base_row);
    for i in 0..=300 {
        let row = -30.0 + (low + 30.0) * (1.0 - (1.0 - f64::from(i) / 300.0).powf(1.5));
        let col = col_at(row);
        let push = bump(
            (row - base_row) * cos - (col - base_col) * sin,
            build.nipple_height,
        );
        outline.push([row + push * sin, col + push * cos]);
    }
    outline.extend([[low + 2.0, -12.0], [low + 4.0, -30.0]]);
    let tip = build.nipple_height;
    let nipple = [base_row + tip * sin, base_col + tip * cos];
    let muscle = [[0.0, muscle_col], [reach, 0.0]];
    Shape::of(&outline, nipple, [-sin, -cos], build.depth, Some(muscle))
}

/// The nipple: by how much it pushes the skin out, at a distance from its middle.
fn bump(from_middle: f64, height: f64) -> f64 {
    height * (-(from_middle / 5.5).powi(4)).exp()
}

/// Signed distances from the outline on a coarse grid.
struct Distances {
    cols: usize,
    rows: usize,
    values: Vec<f32>,
}

impl Distances {
    fn new(outline: &[[f64; 2]]) -> Distances {
        let [rows, cols] = DETECTOR_MM.map(|mm| (mm / CELL_MM).ceil() as usize + 2);
        let at = |i: usize| {
            signed_distance(
                outline,
                [(i / cols) as f64 * CELL_MM, (i % cols) as f64 * CELL_MM],
            )
        };
        Distances {
            cols,
            rows,
            values: (0..rows * cols).map(|i| at(i) as f32).collect(),
        }
    }

    fn at(&self, row: f64, col: f64) -> f32 {
        let last = |n: usize| (n - 2) as f64;
        let row = (row / CELL_MM).clamp(0.0, last(self.rows) + 0.999);
        let col = (col / CELL_MM).clamp(0.0, last(self.cols) + 0.999);
        let (r, c) = (row as usize, col as usize);
        let (down, right) = ((row - r as f64) as f32, (col - c as f64) as f32);
        let line = |r: usize| {
            let i = r * self.cols + c;
            self.values[i] + right * (self.values[i + 1] - self.values[i])
        };
        let (upper, lower) = (line(r), line(r + 1));
        upper + down * (lower - upper)
    }
}

/// Distance to a closed polygon; above zero inside (by crossings).
fn signed_distance(polygon: &[[f64; 2]], [row, col]: [f64; 2]) -> f64 {
    let (mut nearest, mut inside) = (f64::INFINITY, false);
    let mut from = polygon[polygon.len() - 1];
    for &to in polygon {
        let (d_row, d_col) = (to[0] - from[0], to[1] - from[1]);
        let (p_row, p_col) = (row - from[0], col - from[1]);
        let squared = d_row * d_row + d_col * d_col;
        let share = ((p_row * d_row + p_col * d_col) / squared.max(1e-12)).clamp(0.0, 1.0);
        let (e_row, e_col) = (p_row - share * d_row, p_col - share * d_col);
        nearest = nearest.min(e_row * e_row + e_col * e_col);
        if (from[0] > row) != (to[0] > row) && col < from[1] + (row - from[0]) / d_row * d_col {
            inside = !inside;
        }
        from = to;
    }
    match inside {
        true => nearest.sqrt(),
        false => -nearest.sqrt(),
    }
}
