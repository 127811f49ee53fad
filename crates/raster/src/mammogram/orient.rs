//! Which way a breast lies.
//!
//! The file's statement counts; without one, the chest wall is on the side where the mask's
//! outline is straight (the share of rows whose outline lies at the very side of the mask's box)
//! and the tissue at the outline is bright, being cut where it is thick, not thin as at the skin.
//! A statement that the pixels clearly contradict (pictures get mirrored without their headers)
//! is overruled, with a warning. Head and feet are never guessed from pixels.

use lobule_exam::{Affine, BreastOrientation, ImageSide, Warning};

use super::{doubtful, mask};
use crate::Image;

/// The outline counts as at the box's side within this share of the box's width.
const NEAR_SHARE: f64 = 0.03;
/// How much a difference of brightness (of 1) counts beside one of shares.
const BRIGHTNESS_WEIGHT: f64 = 0.6;
/// Brightness is compared over this many pixels inside of the outline, after the first two.
const RIM: usize = 6;
/// A statement is overruled when the two sides differ by this much.
const CLEAR: f64 = 0.4;
/// Below this difference the pixels do not tell.
const UNCLEAR: f64 = 0.08;

/// Where an orientation was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrientationSource {
    /// The file states it.
    Stated,
    /// From the outline's straight side.
    Pixels,
    /// The file states the opposite of what the pixels clearly show.
    PixelsAgainstStated,
}

pub(super) fn decide(
    means: &Image<f32>,
    mask: &Image<bool>,
    stated: Option<BreastOrientation>,
    warnings: &mut Vec<Warning>,
) -> (BreastOrientation, OrientationSource) {
    let (seen, difference) = chest_side(means, mask);
    let Some(stated) = stated else {
        if difference < UNCLEAR {
            warnings.push(doubtful("the side of the chest wall is not clear"));
        }
        return (lying(seen, None), OrientationSource::Pixels);
    };
    if stated.chest() == seen.opposite() && difference >= CLEAR {
        let message = "the stated orientation contradicts the pixels: the picture is mirrored";
        warnings.push(doubtful(message));
        let orientation = lying(seen, stated.upper());
        return (orientation, OrientationSource::PixelsAgainstStated);
    }
    (stated, OrientationSource::Stated)
}

fn lying(chest: ImageSide, upper: Option<ImageSide>) -> BreastOrientation {
    BreastOrientation::new(chest, upper)
        .or_else(|| BreastOrientation::new(chest, None))
        .expect("a chest side alone is an orientation")
}

/// Left or right, and by how much the two sides differ.
fn chest_side(means: &Image<f32>, mask: &Image<bool>) -> (ImageSide, f64) {
    let bounds = mask::bounds(mask);
    let near = (bounds.cols as f64 * NEAR_SHARE).ceil() as usize;
    let (mut left, mut right, mut rows) = (0.0, 0.0, 0.0);
    for row in bounds.row..bounds.row_end() {
        let line = &mask.row(row)[bounds.col..bounds.col_end()];
        let (Some(first), Some(last)) =
            (line.iter().position(|&m| m), line.iter().rposition(|&m| m))
        else {
            continue;
        };
        let values = &means.row(row)[bounds.col + first..=bounds.col + last];
        if values.len() < 2 * (RIM + 2) {
            continue;
        }
        let mean = |rim: &[f32]| rim.iter().map(|&v| f64::from(v)).sum::<f64>() / RIM as f64;
        let end = values.len() - 2;
        rows += 1.0;
        left += f64::from(u8::from(first <= near)) + BRIGHTNESS_WEIGHT * mean(&values[2..2 + RIM]);
        right += f64::from(u8::from(last + near + 1 >= bounds.cols))
            + BRIGHTNESS_WEIGHT * mean(&values[end - RIM..end]);
    }
    let difference = (left - right) / f64::max(rows, 1.0);
    let side = match difference > 0.0 {
        true => ImageSide::Left,
        false => ImageSide::Right,
    };
    (side, difference.abs())
}

/// Lays a picture with the chest wall at column 0 and the upper end at row 0. Returns the map
/// back to the picture. Without a known upper end, columns are mirrored or exchanged with rows,
/// and nothing else.
pub(super) fn lay(picture: Image<u16>, orientation: BreastOrientation) -> (Image<u16>, Affine) {
    let (rows, cols) = (picture.rows(), picture.cols());
    let (last_row, last_col) = (rows as f64 - 1.0, cols as f64 - 1.0);
    // Of a step to the next laid column, and to the next laid row: the step in the picture, and
    // where it begins.
    let away = |side: ImageSide| match side {
        ImageSide::Left => ([0.0, 1.0], [0.0, 0.0]),
        ImageSide::Right => ([0.0, -1.0], [0.0, last_col]),
        ImageSide::Top => ([1.0, 0.0], [0.0, 0.0]),
        ImageSide::Bottom => ([-1.0, 0.0], [last_row, 0.0]),
    };
    let chest = orientation.chest();
    let upper = orientation.upper().unwrap_or(match chest.is_across() {
        true => ImageSide::Top,
        false => ImageSide::Left,
    });
    let (per_col, from_chest) = away(chest);
    let (per_row, from_upper) = away(upper);
    let back = Affine {
        matrix: [
            [per_row[0], per_col[0], from_chest[0] + from_upper[0]],
            [per_row[1], per_col[1], from_chest[1] + from_upper[1]],
        ],
    };
    if back == Affine::IDENTITY {
        return (picture, back);
    }
    let (laid_rows, laid_cols) = match chest.is_across() {
        true => (rows, cols),
        false => (cols, rows),
    };
    let laid = Image::from_fn(laid_rows, laid_cols, |row, col| {
        let p = back.apply(lobule_exam::Point {
            row: row as f64,
            col: col as f64,
        });
        picture.at(p.row as usize, p.col as usize)
    });
    (laid, back)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ImageSide::{Bottom, Left, Right, Top};
    use lobule_exam::Point;

    #[test]
    fn every_orientation_is_laid_with_the_marked_corner_first() {
        let sides = [(Left, Top), (Left, Bottom), (Right, Top), (Right, Bottom)];
        let turned = sides.map(|(a, b)| (b, a));
        for (chest, upper) in sides.into_iter().chain(turned) {
            let (rows, cols) = (3, 5);
            let bottom = [chest, upper].contains(&Bottom);
            let right = [chest, upper].contains(&Right);
            let corner = (
                if bottom { rows - 1 } else { 0 },
                if right { cols - 1 } else { 0 },
            );
            let picture = Image::from_fn(rows, cols, |r, c| (r * 10 + c) as u16);
            let orientation = BreastOrientation::new(chest, Some(upper)).unwrap();
            let (laid, back) = lay(picture.clone(), orientation);
            assert_eq!(laid.at(0, 0), picture.at(corner.0, corner.1));
            for row in 0..laid.rows() {
                for col in 0..laid.cols() {
                    let p = back.apply(Point {
                        row: row as f64,
                        col: col as f64,
                    });
                    assert_eq!(
                        laid.at(row, col),
                        picture.at(p.row as usize, p.col as usize)
                    );
                }
            }
            // The next laid column leads away from the chest.
            let step = back.apply(Point { row: 0.0, col: 1.0 });
            let moved = (step.row - corner.0 as f64, step.col - corner.1 as f64);
            let expected = match chest {
                Left => (0.0, 1.0),
                Right => (0.0, -1.0),
                Top => (1.0, 0.0),
                Bottom => (-1.0, 0.0),
            };
            assert_eq!(moved, expected);
        }
    }
}
