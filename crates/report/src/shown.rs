//! A mammogram as it is shown: the box around the breast, in grey, with black surroundings.

use lobule_exam::{Affine, ImageAssessment, MammogramFacts, Polygon};
use lobule_raster::{Image, Picture};

use crate::Surroundings;

/// Longest side of the grid on which the breast is told from its surroundings.
const GRID_SIDE: usize = 256;
/// What lies this many squares of that grid beside the outline is still shown.
const MARGIN: usize = 6;

/// The box around the breast, row by row as in the original image. Hidden surroundings are painted
/// black: names on film labels do not reach the page. Without an outline everything is hidden.
pub(crate) fn shown_breast(
    picture: &Picture,
    image: &ImageAssessment,
    facts: &MammogramFacts,
    surroundings: Surroundings,
) -> Image<u8> {
    let window = image.crop.window;
    let mut gray = picture.luma().crop(window);
    if surroundings == Surroundings::Hide {
        let near = Near::of(&facts.breast, picture.rows(), picture.cols());
        let cols = gray.cols().max(1);
        for (row, line) in gray.pixels_mut().chunks_exact_mut(cols).enumerate() {
            for (col, v) in line.iter_mut().enumerate() {
                if !near.shows(row + window.row, col + window.col) {
                    *v = 0;
                }
            }
        }
    }
    gray
}

/// The breast and what lies next to it, on a coarse grid over the image.
struct Near {
    shown: Image<bool>,
    factor: usize,
}

impl Near {
    fn of(outline: &Polygon, rows: usize, cols: usize) -> Near {
        let factor = rows.max(cols).div_ceil(GRID_SIDE).max(1);
        let (rows, cols) = (rows.div_ceil(factor), cols.div_ceil(factor));
        let grid_from_image = Affine::resample(1.0 / factor as f64, 1.0 / factor as f64);
        let mut breast = Image::filled(rows, cols, false);
        let on_grid = outline.map(&grid_from_image);
        on_grid.for_each_inside(rows, cols, |row, col| breast.set(row, col, true));
        Near {
            shown: widened(&breast),
            factor,
        }
    }

    fn shows(&self, row: usize, col: usize) -> bool {
        let (row, col) = (row / self.factor, col / self.factor);
        row < self.shown.rows() && col < self.shown.cols() && self.shown.at(row, col)
    }
}

fn widened(mask: &Image<bool>) -> Image<bool> {
    let around = |at: usize, n: usize| at.saturating_sub(MARGIN)..(at + MARGIN + 1).min(n);
    let across = Image::from_fn(mask.rows(), mask.cols(), |row, col| {
        mask.row(row)[around(col, mask.cols())].contains(&true)
    });
    Image::from_fn(mask.rows(), mask.cols(), |row, col| {
        around(row, mask.rows()).any(|r| across.at(r, col))
    })
}

#[cfg(test)]
mod tests {
    use lobule_exam::Point;

    use super::*;

    #[test]
    fn the_breast_and_a_rim_are_shown_and_nothing_without_an_outline() {
        let corners = [
            (100.0, 100.0),
            (100.0, 600.0),
            (400.0, 600.0),
            (400.0, 100.0),
        ];
        let square = Polygon {
            points: corners.map(|(row, col)| Point { row, col }).to_vec(),
        };
        let near = Near::of(&square, 600, 1000);
        assert!(near.shows(100, 100) && near.shows(399, 599) && near.shows(250, 80));
        assert!(!near.shows(250, 70) && !near.shows(250, 630) && !near.shows(250, 5000));
        let nothing = Near::of(&Polygon { points: Vec::new() }, 600, 1000);
        assert!(!nothing.shown.pixels().contains(&true));
    }
}
