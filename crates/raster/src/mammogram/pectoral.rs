//! The pectoral muscle on oblique views.
//!
//! Its edge is taken as a straight line from the upper to the chest-side edge of the laid breast
//! (as in Karssemeijer, Phys Med Biol 43 (1998) 365–378, doi:10.1088/0031-9155/43/2/011, who
//! finds it by a Hough transform). Here every such line is tried on a coarse grid; the one wins
//! across which brightness falls most, and most evenly, towards the nipple.
//!
//! Not measured against drawn truth. Looked at: of 24 digital oblique views (every sixth MLO of
//! CDD-CESM) all got a line; about 20 follow the muscle, the others cut a fold or a muscle that is
//! hardly there. Mini-MIAS as distributed has the muscle blacked out on most films: a line found
//! there is mostly wrong, and lines whose corner is not in the breast are refused.

use lobule_exam::{Affine, Point};

use super::Breast;
use crate::Image;

/// Rows of the coarse grid.
const GRID_ROWS: usize = 160;
/// Points at which a line is tested.
const SAMPLES: usize = 40;
/// Pixels of the coarse grid from a point of the line to where its two sides are compared.
const REACH: f64 = 4.0;
/// Least mean fall across the line, in standard deviations of the breast.
const LEAST_FALL: f64 = 0.35;
/// Least share of the line's points with a fall.
const LEAST_SHARE: f64 = 0.75;
/// Least share of points halfway between line and corner that lie in the breast: where a film's
/// corner was blacked out, there is no muscle.
const LEAST_FILLED: f64 = 0.7;
/// Tried ends, as shares: on the upper edge of the breast's width, on the chest's of its height.
const TOP_RANGE: (f64, f64) = (0.12, 1.0);
const CHEST_RANGE: (f64, f64) = (0.2, 0.95);
const STEPS: usize = 48;

/// The pectoral muscle of a mammogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pectoral {
    /// The view is not oblique, or not stated.
    NotLookedFor,
    /// No line stands out; the muscle may yet be there.
    NotFound,
    /// Its edge.
    Found(PectoralLine),
}

/// The muscle's edge as a straight line, in the original image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PectoralLine {
    /// Where it meets the breast's upper end.
    pub top: Point,
    /// Where it meets the chest wall.
    pub chest: Point,
    /// The corner between the two, on the muscle's side.
    pub corner: Point,
    /// Mean fall of brightness across the line, in standard deviations of the breast.
    pub fall: f64,
}

pub(super) fn find(breast: &Breast) -> Pectoral {
    let field = Field::of(breast);
    let Some(field) = field else {
        return Pectoral::NotFound;
    };
    let step =
        |range: (f64, f64), i: usize| range.0 + (range.1 - range.0) * i as f64 / (STEPS - 1) as f64;
    let mut best: Option<(f64, Line, f64)> = None;
    for i in 0..STEPS {
        for j in 0..STEPS {
            let line = Line {
                corner: field.corner,
                top: step(TOP_RANGE, i) * field.width,
                chest: step(CHEST_RANGE, j) * field.height,
            };
            // A muscle's edge is steeper than a diagonal, and never nearly level.
            if line.chest < line.top * 0.8 {
                continue;
            }
            let Some((fall, score)) = field.judge(&line) else {
                continue;
            };
            if best.as_ref().is_none_or(|(most, ..)| score > *most) {
                best = Some((score, line, fall));
            }
        }
    }
    match best {
        Some((_, line, fall)) => Pectoral::Found(field.in_image(&line, fall)),
        None => Pectoral::NotFound,
    }
}

/// From `(corner.row, corner.col + top)` to `(corner.row + chest, corner.col)`.
struct Line {
    corner: Point,
    top: f64,
    chest: f64,
}

/// The laid breast on a coarse grid, smoothed.
struct Field {
    values: Image<f32>,
    mask: Image<bool>,
    deviation: f64,
    /// The upper chest-side corner of the mask's box, and the box's size.
    corner: Point,
    width: f64,
    height: f64,
    image_from_field: Affine,
}

impl Field {
    fn of(breast: &Breast) -> Option<Field> {
        let factor = breast.gray.rows() as f64 / GRID_ROWS as f64;
        let cols = (breast.gray.cols() as f64 / factor).round().max(1.0) as usize;
        let gray_from_field = Affine::resample(factor, breast.gray.cols() as f64 / cols as f64);
        let to_grid = breast.mask_from_gray().compose(&gray_from_field);
        let mask = Image::from_fn(GRID_ROWS, cols, |r, c| {
            breast.mask_at(&to_grid, r as f64, c as f64)
        });
        let values = Image::from_fn(GRID_ROWS, cols, |r, c| {
            mean_around(&breast.gray, &gray_from_field, r, c, factor)
        });
        let inside = values.pixels().iter().zip(mask.pixels());
        let inside: Vec<f64> = inside
            .filter(|(_, m)| **m)
            .map(|(v, _)| f64::from(*v))
            .collect();
        let n = inside.len() as f64;
        let mean = inside.iter().sum::<f64>() / n;
        let deviation = (inside.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let bounds = super::mask::bounds(&mask);
        (deviation > 0.0).then(|| Field {
            corner: Point {
                row: bounds.row as f64,
                col: bounds.col as f64,
            },
            width: bounds.cols as f64,
            height: bounds.rows as f64,
            image_from_field: breast.image_from_gray.compose(&gray_from_field),
            values,
            mask,
            deviation,
        })
    }

    /// Inside the breast.
    fn value(&self, row: f64, col: f64) -> Option<f64> {
        let (row, col) = (row.round(), col.round());
        if row < 0.0 || col < 0.0 {
            return None;
        }
        let (row, col) = (row as usize, col as usize);
        let inside = row < self.mask.rows() && col < self.mask.cols() && self.mask.at(row, col);
        inside.then(|| f64::from(self.values.at(row, col)))
    }

    /// Mean fall across a line in standard deviations, and its score: the fall, less where it
    /// varies, more for a longer line. None for what cannot be the muscle's edge.
    fn judge(&self, line: &Line) -> Option<(f64, f64)> {
        let length = line.top.hypot(line.chest);
        // Away from the corner, towards the nipple.
        let (d_row, d_col) = (line.top / length * REACH, line.chest / length * REACH);
        let (mut n, mut falling, mut sum, mut squares) = (0.0, 0.0, 0.0, 0.0);
        let mut filled = 0;
        for i in 0..SAMPLES {
            let t = (i as f64 + 0.5) / SAMPLES as f64;
            let (down, right) = (t * line.chest, (1.0 - t) * line.top);
            let (row, col) = (line.corner.row + down, line.corner.col + right);
            let halfway = self.value(line.corner.row + 0.5 * down, line.corner.col + 0.5 * right);
            filled += usize::from(halfway.is_some());
            let muscle = self.value(row - d_row, col - d_col);
            let tissue = self.value(row + d_row, col + d_col);
            let (Some(muscle), Some(tissue)) = (muscle, tissue) else {
                continue;
            };
            let fall = (muscle - tissue) / self.deviation;
            n += 1.0;
            falling += f64::from(u8::from(fall > 0.0));
            sum += fall;
            squares += fall * fall;
        }
        if n < 0.5 * SAMPLES as f64 || (filled as f64) < LEAST_FILLED * SAMPLES as f64 {
            return None;
        }
        let fall = sum / n;
        let spread = (squares / n - fall * fall).max(0.0).sqrt();
        let plausible = fall >= LEAST_FALL && falling / n >= LEAST_SHARE;
        plausible.then(|| (fall, (fall - 0.5 * spread) * (length / self.height).sqrt()))
    }

    fn in_image(&self, line: &Line, fall: f64) -> PectoralLine {
        let at = |d_row: f64, d_col: f64| {
            self.image_from_field.apply(Point {
                row: line.corner.row + d_row,
                col: line.corner.col + d_col,
            })
        };
        PectoralLine {
            top: at(0.0, line.top),
            chest: at(line.chest, 0.0),
            corner: at(0.0, 0.0),
            fall,
        }
    }
}

/// Mean of a few pixels in the square that a point of the coarse grid stands for.
fn mean_around(gray: &Image<u16>, to_gray: &Affine, row: usize, col: usize, factor: f64) -> f32 {
    let p = to_gray.apply(Point {
        row: row as f64,
        col: col as f64,
    });
    let (mut sum, mut n) = (0.0, 0.0);
    for i in -2..=2 {
        for j in -2..=2 {
            let r = (p.row + f64::from(i) * factor * 0.4).round();
            let c = (p.col + f64::from(j) * factor * 0.4).round();
            if r >= 0.0 && c >= 0.0 && r < gray.rows() as f64 && c < gray.cols() as f64 {
                sum += f64::from(gray.at(r as usize, c as usize));
                n += 1.0;
            }
        }
    }
    (sum / f64::max(n, 1.0)) as f32
}
