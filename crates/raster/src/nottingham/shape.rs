//! The shape of a nucleus from its pixels.
//!
//! Owns: moments and convex hull of a set of pixels. Does not own: how the pixels were found.

/// Sums over the pixels of a piece, gathered in reading order.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathered {
    pub(super) pixels: usize,
    row: f64,
    col: f64,
    row_row: f64,
    col_col: f64,
    row_col: f64,
    /// First and last column of each row, with the row.
    spans: Vec<(usize, usize, usize)>,
}

impl Gathered {
    pub(super) fn add(&mut self, row: usize, col: usize) {
        let (r, c) = (row as f64, col as f64);
        self.pixels += 1;
        self.row += r;
        self.col += c;
        self.row_row += r * r;
        self.col_col += c * c;
        self.row_col += r * c;
        match self.spans.last_mut() {
            Some(span) if span.0 == row => span.2 = col,
            _ => self.spans.push((row, col, col)),
        }
    }

    /// Mean row and column.
    pub(super) fn center(&self) -> (f64, f64) {
        let n = self.pixels.max(1) as f64;
        (self.row / n, self.col / n)
    }

    /// Rows and columns of the smallest box: first row, first column, last row, last column.
    pub(super) fn bounds(&self) -> [usize; 4] {
        let first = self.spans.first().map_or(0, |s| s.0);
        let last = self.spans.last().map_or(0, |s| s.0);
        let left = self.spans.iter().map(|s| s.1).min().unwrap_or(0);
        let right = self.spans.iter().map(|s| s.2).max().unwrap_or(0);
        [first, left, last, right]
    }

    /// The longer and the shorter axis, from end to end, of the ellipse of equal second moments, in
    /// pixels. Each pixel counts as a square (1/12), so that a line of pixels has a width too.
    pub(super) fn axes(&self) -> [f64; 2] {
        let n = self.pixels.max(1) as f64;
        let (r, c) = self.center();
        let rr = self.row_row / n - r * r + 1.0 / 12.0;
        let cc = self.col_col / n - c * c + 1.0 / 12.0;
        let rc = self.row_col / n - r * c;
        let (mean, spread) = (0.5 * (rr + cc), (0.5 * (rr - cc)).hypot(rc));
        [mean + spread, (mean - spread).max(1e-9)].map(|moment| 4.0 * moment.sqrt())
    }

    /// Share of the convex hull of its pixels, as squares, that they fill: 1 for a convex piece.
    pub(super) fn solidity(&self) -> f64 {
        let corners = |&(row, from, to): &(usize, usize, usize)| {
            let (r, a, b) = (row as f64, from as f64, to as f64);
            [(r, a), (r + 1.0, a), (r, b + 1.0), (r + 1.0, b + 1.0)]
        };
        let mut points: Vec<(f64, f64)> = self.spans.iter().flat_map(corners).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let hull = hull(&points);
        let next = hull.iter().cycle().skip(1);
        let twice: f64 = hull
            .iter()
            .zip(next)
            .map(|(a, b)| a.0 * b.1 - b.0 * a.1)
            .sum();
        match twice == 0.0 {
            true => 1.0,
            false => self.pixels as f64 / (0.5 * twice.abs()),
        }
    }
}

/// The convex hull of sorted points (Andrew, Inf Process Lett 1979;9:216, doi
/// 10.1016/0020-0190(79)90072-3).
fn hull(sorted: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut hull = chain(sorted.iter().copied());
    hull.pop();
    hull.extend(chain(sorted.iter().rev().copied()));
    hull.pop();
    hull
}

fn chain(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut chain: Vec<(f64, f64)> = Vec::new();
    for p in points {
        while let [.., a, b] = chain[..]
            && (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0) <= 0.0
        {
            chain.pop();
        }
        chain.push(p);
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(lines: &[&str]) -> Gathered {
        let mut all = Gathered::default();
        for (row, line) in lines.iter().enumerate() {
            for (col, _) in line.bytes().enumerate().filter(|(_, b)| *b == b'#') {
                all.add(row, col);
            }
        }
        all
    }

    #[test]
    fn rectangles_have_the_ratio_of_their_sides_and_fill_their_hull() {
        for (lines, elongation) in [
            (vec!["####", "####", "####", "####"], 1.0),
            (vec!["######", "######"], 3.0),
            (vec!["#####"], 5.0),
        ] {
            let shape = gathered(&lines);
            let [longer, shorter] = shape.axes();
            assert!((longer / shorter - elongation).abs() < 1e-9, "{lines:?}");
            assert!((shape.solidity() - 1.0).abs() < 1e-9);
        }
        assert_eq!(gathered(&["..##", "..##"]).bounds(), [0, 2, 1, 3]);
    }

    #[test]
    fn a_notch_lowers_the_solidity() {
        // Seven pixels of a hull of nine less the corner triangles of the notch.
        let notched = gathered(&["###", "#..", "###"]);
        assert!((notched.solidity() - 7.0 / 9.0).abs() < 1e-9);
        assert_eq!(Gathered::default().solidity(), 1.0);
    }
}
