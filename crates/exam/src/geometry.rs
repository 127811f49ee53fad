//! Points, boxes, outlines and the affine maps between coordinate systems.

use crate::Spacing;

/// A position in (row, col); pixel centres lie on integers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Downwards from the centre of the first row.
    pub row: f64,
    /// Rightwards from the centre of the first column.
    pub col: f64,
}

/// A non-empty or empty rectangle of whole pixels: rows `row .. row + rows`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelBox {
    /// First row.
    pub row: usize,
    /// First column.
    pub col: usize,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
}

impl PixelBox {
    /// The whole of an image.
    pub fn whole(rows: usize, cols: usize) -> PixelBox {
        PixelBox {
            row: 0,
            col: 0,
            rows,
            cols,
        }
    }

    /// First row past the box.
    pub fn row_end(self) -> usize {
        self.row + self.rows
    }

    /// First column past the box.
    pub fn col_end(self) -> usize {
        self.col + self.cols
    }

    /// Number of pixels.
    pub fn area(self) -> usize {
        self.rows * self.cols
    }

    /// Whether the pixel nearest to the point is in the box.
    pub fn contains(self, p: Point) -> bool {
        let (row, col) = (p.row.round(), p.col.round());
        row >= self.row as f64
            && row < self.row_end() as f64
            && col >= self.col as f64
            && col < self.col_end() as f64
    }

    /// What two boxes share; empty when they are apart.
    pub fn intersect(self, other: PixelBox) -> PixelBox {
        let row = self.row.max(other.row);
        let col = self.col.max(other.col);
        PixelBox {
            row,
            col,
            rows: self.row_end().min(other.row_end()).saturating_sub(row),
            cols: self.col_end().min(other.col_end()).saturating_sub(col),
        }
    }
}

/// A closed outline; the last point is joined to the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    /// The corners in order.
    pub points: Vec<Point>,
}

impl Polygon {
    /// Enclosed area in square pixels (shoelace formula).
    pub fn area(&self) -> f64 {
        let n = self.points.len();
        let twice: f64 = (0..n)
            .map(|i| {
                let (a, b) = (self.points[i], self.points[(i + 1) % n]);
                a.col * b.row - b.col * a.row
            })
            .sum();
        twice.abs() / 2.0
    }

    /// Whether a point lies inside (even-odd rule); on the outline itself either may be said.
    pub fn contains(&self, p: Point) -> bool {
        let n = self.points.len();
        let crosses = |i: &usize| {
            let (a, b) = (self.points[*i], self.points[(i + 1) % n]);
            (a.row > p.row) != (b.row > p.row)
                && p.col < a.col + (p.row - a.row) / (b.row - a.row) * (b.col - a.col)
        };
        (0..n).filter(crosses).count() % 2 == 1
    }

    /// Visits every pixel (row, col) of a picture of `rows × cols` whose centre lies inside
    /// (even-odd rule), row by row.
    ///
    /// ```
    /// use lobule_exam::{PixelBox, Point, Polygon};
    /// let corners = [(0.5, 0.5), (0.5, 3.5), (2.5, 3.5), (2.5, 0.5)];
    /// let square = Polygon { points: corners.map(|(row, col)| Point { row, col }).to_vec() };
    /// let mut pixels = Vec::new();
    /// square.for_each_inside(4, 3, |row, col| pixels.push((row, col)));
    /// assert_eq!(pixels, [(1, 1), (1, 2), (2, 1), (2, 2)]);
    /// ```
    pub fn for_each_inside(&self, rows: usize, cols: usize, mut each: impl FnMut(usize, usize)) {
        let n = self.points.len();
        for row in 0..rows {
            let y = row as f64;
            let mut crossings: Vec<f64> = (0..n)
                .map(|i| (self.points[i], self.points[(i + 1) % n]))
                .filter(|(a, b)| (a.row <= y) != (b.row <= y))
                .map(|(a, b)| a.col + (y - a.row) / (b.row - a.row) * (b.col - a.col))
                .collect();
            crossings.sort_by(f64::total_cmp);
            for pair in crossings.chunks_exact(2) {
                let first = pair[0].ceil().max(0.0) as usize;
                (first..cols)
                    .take_while(|&col| (col as f64) < pair[1])
                    .for_each(|col| each(row, col));
            }
        }
    }

    /// Mean of the corners; none for an outline without any.
    pub fn middle(&self) -> Option<Point> {
        let n = self.points.len() as f64;
        let mean = |of: fn(&Point) -> f64| self.points.iter().map(of).sum::<f64>() / n;
        (n > 0.0).then(|| Point {
            row: mean(|p| p.row),
            col: mean(|p| p.col),
        })
    }

    /// Longest distance between two corners, in millimetres.
    pub fn longest_axis_mm(&self, spacing: Spacing) -> f64 {
        let mut longest: f64 = 0.0;
        for (i, a) in self.points.iter().enumerate() {
            for b in &self.points[i + 1..] {
                let d_row = (a.row - b.row) * spacing.row_mm();
                let d_col = (a.col - b.col) * spacing.col_mm();
                longest = longest.max(d_row.hypot(d_col));
            }
        }
        longest
    }

    /// The outline in another coordinate system.
    pub fn map(&self, transform: &Affine) -> Polygon {
        Polygon {
            points: self.points.iter().map(|&p| transform.apply(p)).collect(),
        }
    }
}

/// An affine map of (row, col). Named after both ends: `image_from_input` takes a point of the
/// network's input to the image; maps compose right to left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// `[[rr, rc, r0], [cr, cc, c0]]`: `row' = rr·row + rc·col + r0`, `col' = cr·row + cc·col + c0`.
    pub matrix: [[f64; 3]; 2],
}

impl Affine {
    /// The map that changes nothing.
    pub const IDENTITY: Affine = Affine {
        matrix: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    };

    /// Scales about the centre of pixel (0, 0).
    pub fn scale(row: f64, col: f64) -> Affine {
        Affine {
            matrix: [[row, 0.0, 0.0], [0.0, col, 0.0]],
        }
    }

    /// Moves by a number of rows and columns.
    pub fn translate(rows: f64, cols: f64) -> Affine {
        Affine {
            matrix: [[1.0, 0.0, rows], [0.0, 1.0, cols]],
        }
    }

    /// Resamples a grid by `factor` (output pixels per input pixel) such that the outer **edges**
    /// coincide (the half-pixel convention): `out = (in + 0.5)·factor − 0.5`.
    pub fn resample(row_factor: f64, col_factor: f64) -> Affine {
        Affine {
            matrix: [
                [row_factor, 0.0, 0.5 * row_factor - 0.5],
                [0.0, col_factor, 0.5 * col_factor - 0.5],
            ],
        }
    }

    /// Where a point goes.
    pub fn apply(&self, p: Point) -> Point {
        let [r, c] = self.matrix;
        Point {
            row: r[0] * p.row + r[1] * p.col + r[2],
            col: c[0] * p.row + c[1] * p.col + c[2],
        }
    }

    /// `self ∘ first`: applies `first`, then `self`.
    pub fn compose(&self, first: &Affine) -> Affine {
        let (a, b) = (self.matrix, first.matrix);
        let row = |i: usize| {
            [
                a[i][0] * b[0][0] + a[i][1] * b[1][0],
                a[i][0] * b[0][1] + a[i][1] * b[1][1],
                a[i][0] * b[0][2] + a[i][1] * b[1][2] + a[i][2],
            ]
        };
        Affine {
            matrix: [row(0), row(1)],
        }
    }

    /// The map back, if there is one.
    pub fn inverse(&self) -> Option<Affine> {
        let [[a, b, e], [c, d, f]] = self.matrix;
        let det = a * d - b * c;
        if !det.is_finite() || det.abs() < 1e-12 {
            return None;
        }
        let (ia, ib, ic, id) = (d / det, -b / det, -c / det, a / det);
        Some(Affine {
            matrix: [[ia, ib, -(ia * e + ib * f)], [ic, id, -(ic * e + id * f)]],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_undoes_and_compose_applies_right_to_left() {
        let a = Affine {
            matrix: [[1.2, -0.3, 5.0], [0.4, 0.9, -2.0]],
        };
        let b = Affine::resample(0.5, 2.0);
        let p = Point {
            row: 11.0,
            col: -4.5,
        };
        let there = a.compose(&b).apply(p);
        let step_by_step = a.apply(b.apply(p));
        assert!((there.row - step_by_step.row).abs() < 1e-12);
        assert!((there.col - step_by_step.col).abs() < 1e-12);
        let back = a.compose(&b).inverse().unwrap().apply(there);
        assert!((back.row - p.row).abs() < 1e-12 && (back.col - p.col).abs() < 1e-12);
        assert!(Affine::scale(0.0, 1.0).inverse().is_none());
    }

    #[test]
    fn resampling_keeps_the_outer_edges() {
        let half = Affine::resample(0.5, 0.5);
        let edge = half.apply(Point {
            row: -0.5,
            col: 9.5,
        });
        assert_eq!(
            edge,
            Point {
                row: -0.5,
                col: 4.5
            }
        );
    }

    #[test]
    fn boxes_and_outlines_measure_themselves() {
        let a = PixelBox {
            row: 2,
            col: 3,
            rows: 4,
            cols: 5,
        };
        let b = PixelBox {
            row: 5,
            col: 0,
            rows: 9,
            cols: 4,
        };
        assert_eq!(
            a.intersect(b),
            PixelBox {
                row: 5,
                col: 3,
                rows: 1,
                cols: 1
            }
        );
        assert_eq!(a.intersect(PixelBox::whole(1, 1)).area(), 0);
        assert!(
            a.contains(Point { row: 5.4, col: 7.0 }) && !a.contains(Point { row: 6.0, col: 7.0 })
        );
        let square = Polygon {
            points: [(0.0, 0.0), (0.0, 2.0), (2.0, 2.0), (2.0, 0.0)]
                .map(|(row, col)| Point { row, col })
                .to_vec(),
        };
        assert_eq!(square.area(), 4.0);
        let at = |row, col| Point { row, col };
        assert_eq!(square.middle(), Some(at(1.0, 1.0)));
        assert!(square.contains(at(0.5, 1.9)) && !square.contains(at(0.5, 2.1)));
        assert!(!square.contains(at(-0.1, 1.0)));
        assert!(!Polygon { points: vec![] }.contains(at(0.0, 0.0)));
        let spacing = Spacing::new(0.3, 0.4).unwrap();
        assert!((square.longest_axis_mm(spacing) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_rectangle_covers_its_pixels_and_what_sticks_out_is_left_away() {
        let corner = |row, col| Point { row, col };
        let cases = [
            ([(0.5, 0.5), (0.5, 3.5), (2.5, 3.5), (2.5, 0.5)], 6),
            ([(-9.0, -9.0), (-9.0, 99.0), (99.0, 99.0), (99.0, -9.0)], 20),
            ([(7.0, 7.0), (7.0, 9.0), (9.0, 9.0), (9.0, 7.0)], 0),
        ];
        for (corners, expected) in cases {
            let points = corners.map(|(row, col)| corner(row, col)).to_vec();
            let mut count = 0;
            Polygon { points }.for_each_inside(4, 5, |_, _| count += 1);
            assert_eq!(count, expected);
        }
        let nothing = Polygon { points: Vec::new() };
        nothing.for_each_inside(4, 5, |_, _| panic!("nothing is inside"));
    }
}
