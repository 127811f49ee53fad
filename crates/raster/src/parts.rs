//! Connected parts of a mask.
//!
//! Owns: the division of a mask into parts connected by any of the 8 neighbours, by joining the
//! runs of neighbouring rows. Does not own: what a part means.

use lobule_exam::PixelBox;

use crate::Image;

/// Pixels `from..to` of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// The row.
    pub(crate) row: usize,
    /// First column.
    pub(crate) from: usize,
    /// First column past the run.
    pub(crate) to: usize,
}

/// A connected part of a mask; it has at least one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Its pixels, in reading order.
    pub(crate) runs: Vec<Run>,
}

impl Part {
    /// Number of pixels.
    pub(crate) fn pixels(&self) -> usize {
        self.runs.iter().map(|run| run.to - run.from).sum()
    }

    /// Sets its pixels in a mask of the size that it was found in.
    pub(crate) fn paint(&self, mask: &mut Image<bool>) {
        let cols = mask.cols();
        for run in &self.runs {
            mask.pixels_mut()[run.row * cols + run.from..run.row * cols + run.to].fill(true);
        }
    }

    /// The smallest box around the pixels.
    pub(crate) fn bounds(&self) -> PixelBox {
        let row = self.runs.first().map_or(0, |run| run.row);
        let row_end = self.runs.last().map_or(0, |run| run.row + 1);
        let col = self.runs.iter().map(|run| run.from).min().unwrap_or(0);
        let col_end = self.runs.iter().map(|run| run.to).max().unwrap_or(0);
        PixelBox {
            row,
            col,
            rows: row_end - row,
            cols: col_end - col,
        }
    }
}

/// The connected parts (8 neighbours) in reading order of their first pixels.
pub(crate) fn connected_parts(mask: &Image<bool>) -> Vec<Part> {
    let runs = runs_of(mask);
    let mut parents: Vec<usize> = (0..runs.len()).collect();
    let mut above = 0;
    for (here, run) in runs.iter().enumerate() {
        while runs[above].row + 1 < run.row
            || (is_above(run, &runs[above]) && ends_before(&runs[above], run))
        {
            above += 1;
        }
        let mut other = above;
        while is_above(run, &runs[other]) && runs[other].from <= run.to {
            join(&mut parents, other, here);
            other += 1;
        }
    }
    gather(&runs, &mut parents)
}

/// Whether `other` lies on the row above `run`.
fn is_above(run: &Run, other: &Run) -> bool {
    other.row + 1 == run.row
}

/// Whether `run` ends before it could touch `other` on the next row, corner to corner.
fn ends_before(run: &Run, other: &Run) -> bool {
    run.to < other.from
}

fn runs_of(mask: &Image<bool>) -> Vec<Run> {
    let mut runs = Vec::new();
    for row in 0..mask.rows() {
        let mut from = 0;
        for line in mask.row(row).chunk_by(|a, b| a == b) {
            let to = from + line.len();
            if line[0] {
                runs.push(Run { row, from, to });
            }
            from = to;
        }
    }
    runs
}

/// The first run of the part that a run belongs to so far; shortens the way for later.
fn first_of(parents: &mut [usize], mut run: usize) -> usize {
    while parents[run] != run {
        parents[run] = parents[parents[run]];
        run = parents[run];
    }
    run
}

fn join(parents: &mut [usize], a: usize, b: usize) {
    let (a, b) = (first_of(parents, a), first_of(parents, b));
    parents[a.max(b)] = a.min(b);
}

fn gather(runs: &[Run], parents: &mut [usize]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut part_of = vec![0; runs.len()];
    for (here, &run) in runs.iter().enumerate() {
        let first = first_of(parents, here);
        if first == here {
            part_of[here] = parts.len();
            parts.push(Part { runs: Vec::new() });
        }
        parts[part_of[first]].runs.push(run);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mask drawn with `#` and `.`, and the parts' numbers of pixels and boxes.
    fn parts_of(lines: &[&str]) -> Vec<(usize, [usize; 4])> {
        let mask = Image::from_fn(lines.len(), lines[0].len(), |row, col| {
            lines[row].as_bytes()[col] == b'#'
        });
        let parts = connected_parts(&mask);
        let describe = |part: &Part| {
            let b = part.bounds();
            (part.pixels(), [b.row, b.col, b.rows, b.cols])
        };
        parts.iter().map(describe).collect()
    }

    #[test]
    fn parts_touch_by_sides_and_corners() {
        assert_eq!(parts_of(&["...", "..."]), []);
        assert_eq!(
            parts_of(&["#.#", "#.#"]),
            [(2, [0, 0, 2, 1]), (2, [0, 2, 2, 1])]
        );
        assert_eq!(parts_of(&["#..", ".#.", "..#"]), [(3, [0, 0, 3, 3])]);
        assert_eq!(parts_of(&["..#", ".#.", "#.."]), [(3, [0, 0, 3, 3])]);
        assert_eq!(parts_of(&["#...#", "#.#.#", "#####"]), [(10, [0, 0, 3, 5])]);
        assert_eq!(
            parts_of(&["##.##", ".....", "##.##"]).len(),
            4,
            "an empty row separates"
        );
        assert_eq!(parts_of(&["#.#.#.#", ".#.#.#."]), [(7, [0, 0, 2, 7])]);
    }
}
