//! Lesions as data sets draw them.

use std::path::PathBuf;

use lobule_exam::{PixelBox, Point, Polygon};

use crate::Label;

/// A lesion that a data set drew, in pixels of its image.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Where.
    pub shape: Shape,
    /// What it is.
    pub label: Label,
}

/// A drawn region.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A circle around a lesion.
    Circle {
        /// Its middle.
        center: Point,
        /// In pixels.
        radius: f64,
    },
    /// A box around a lesion.
    Box(PixelBox),
    /// An outline.
    Polygon(Polygon),
    /// A picture of the image's size, white on the lesion.
    Mask(PathBuf),
}

/// Whether a ray from the point crosses the outline an odd number of times.
pub(crate) fn encloses(outline: &[Point], p: Point) -> bool {
    let next = outline.iter().cycle().skip(1);
    let crossings = outline.iter().zip(next).filter(|(a, b)| {
        (a.row > p.row) != (b.row > p.row)
            && p.col < (b.col - a.col) * (p.row - a.row) / (b.row - a.row) + a.col
    });
    crossings.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_knows_its_inside() {
        let at = |row: f64, col: f64| Point { row, col };
        let points = vec![at(0.0, 0.0), at(0.0, 10.0), at(10.0, 0.0)];
        assert!(encloses(&points, at(2.0, 3.0)) && !encloses(&points, at(6.0, 6.0)));
    }
}
