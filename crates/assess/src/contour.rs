//! Regions of a map at or above a threshold, and their outlines (marching squares).

use lobule_exam::Point;

/// A connected region of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Region {
    /// Highest value in the region.
    pub(crate) peak: f64,
    /// Outer outline in (row, col) of the map.
    pub(crate) outline: Vec<Point>,
}

/// A row-major map of finite values.
#[derive(Debug, Clone)]
pub(crate) struct Map {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) values: Vec<f64>,
}

impl Map {
    fn at(&self, row: usize, col: usize) -> f64 {
        self.values[row * self.cols + col]
    }
}

/// The regions of nodes at or above the threshold that touch side by side, highest peak first.
pub(crate) fn regions(map: &Map, threshold: f64) -> Vec<Region> {
    let (labels, n_regions) = label(map, threshold);
    let mut found: Vec<Region> = (1..=n_regions)
        .filter_map(|region| trace(map, &labels, region, threshold))
        .collect();
    found.sort_by(|a, b| b.peak.total_cmp(&a.peak));
    found
}

/// Numbers the connected regions from 1; 0 is outside.
fn label(map: &Map, threshold: f64) -> (Vec<usize>, usize) {
    let mut labels = vec![0; map.values.len()];
    let mut n_regions = 0;
    for start in 0..map.values.len() {
        if labels[start] != 0 || map.values[start] < threshold {
            continue;
        }
        n_regions += 1;
        let mut waiting = vec![start];
        labels[start] = n_regions;
        while let Some(at) = waiting.pop() {
            for next in neighbors(at, map.rows, map.cols).into_iter().flatten() {
                if labels[next] == 0 && map.values[next] >= threshold {
                    labels[next] = n_regions;
                    waiting.push(next);
                }
            }
        }
    }
    (labels, n_regions)
}

fn neighbors(at: usize, rows: usize, cols: usize) -> [Option<usize>; 4] {
    let (row, col) = (at / cols, at % cols);
    [
        (row > 0).then(|| at - cols),
        (col > 0).then(|| at - 1),
        (col + 1 < cols).then(|| at + 1),
        (row + 1 < rows).then(|| at + cols),
    ]
}

/// The four directions along nodes: up, right, down, left.
const STEPS: [(isize, isize); 4] = [(-1, 0), (0, 1), (1, 0), (0, -1)];

/// Follows the outer outline clockwise, one crossing per edge between an inside and an outside
/// node. Starting at the region's first node (top row, leftmost) with its upper neighbor keeps to
/// the outer outline; holes are not visited. Where two inside nodes touch only at a corner the
/// outline passes between them, as the labelling does.
fn trace(map: &Map, labels: &[usize], region: usize, threshold: f64) -> Option<Region> {
    let first = labels.iter().position(|&l| l == region)?;
    let start = (
        (first / map.cols) as isize,
        (first % map.cols) as isize,
        0_usize,
    );
    let inside = |row: isize, col: isize| {
        let is_node = row >= 0 && col >= 0 && row < map.rows as isize && col < map.cols as isize;
        is_node && labels[row as usize * map.cols + col as usize] == region
    };
    let mut outline = Vec::new();
    let mut here = start;
    loop {
        outline.push(crossing(map, here, threshold));
        here = next_edge(here, &inside);
        if here == start || outline.len() > 4 * labels.len() + 4 {
            break;
        }
    }
    let members = labels
        .iter()
        .zip(&map.values)
        .filter(|(l, _)| **l == region);
    let peak = members.map(|(_, &v)| v).fold(f64::NEG_INFINITY, f64::max);
    Some(Region { peak, outline })
}

/// From the edge of node (row, col) towards an outside neighbor, clockwise to the next such edge.
fn next_edge(
    (row, col, toward): (isize, isize, usize),
    inside: &impl Fn(isize, isize) -> bool,
) -> (isize, isize, usize) {
    let right = (toward + 1) % 4;
    let (out, side) = (STEPS[toward], STEPS[right]);
    let beside = (row + side.0, col + side.1);
    if !inside(beside.0, beside.1) {
        return (row, col, right);
    }
    let corner = (beside.0 + out.0, beside.1 + out.1);
    if inside(corner.0, corner.1) {
        return (corner.0, corner.1, (toward + 3) % 4);
    }
    (beside.0, beside.1, toward)
}

/// Where the map crosses the threshold between a node and its outside neighbor, linearly. Past
/// the map's edge it crosses half a node out.
fn crossing(map: &Map, (row, col, toward): (isize, isize, usize), threshold: f64) -> Point {
    let (d_row, d_col) = STEPS[toward];
    let (r, c) = (row + d_row, col + d_col);
    let is_node = r >= 0 && c >= 0 && r < map.rows as isize && c < map.cols as isize;
    let share = if is_node {
        let here = map.at(row as usize, col as usize);
        let there = map.at(r as usize, c as usize);
        ((here - threshold) / (here - there)).clamp(0.0, 1.0)
    } else {
        0.5
    };
    Point {
        row: row as f64 + share * d_row as f64,
        col: col as f64 + share * d_col as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lobule_exam::Polygon;

    fn map(rows: &[&str]) -> Map {
        let values = rows.iter().flat_map(|r| r.bytes());
        Map {
            rows: rows.len(),
            cols: rows[0].len(),
            values: values.map(|b| f64::from(b - b'0')).collect(),
        }
    }

    fn areas(rows: &[&str], threshold: f64) -> Vec<f64> {
        let found = regions(&map(rows), threshold);
        let area = |r: Region| Polygon { points: r.outline }.area();
        found.into_iter().map(area).collect()
    }

    #[test]
    fn outlines_have_the_hand_computed_areas() {
        assert_eq!(areas(&["000", "010", "000"], 0.5), [0.5]);
        assert_eq!(areas(&["0000", "0110", "0000"], 0.5), [1.5]);
        assert_eq!(areas(&["11", "11"], 0.5), [3.5]); // the corners are cut
        assert!(areas(&["000", "000"], 0.5).is_empty());
        // Nodes that touch at a corner are two regions.
        assert_eq!(areas(&["0000", "0100", "0020", "0000"], 0.5).len(), 2);
        // A ring's outline is the outer one: a 3 × 3 block with cut corners, 9 − 4 · ⅛.
        assert_eq!(
            areas(&["00000", "01110", "01010", "01110", "00000"], 0.5),
            [8.5]
        );
    }

    #[test]
    fn regions_are_ordered_by_their_peaks() {
        let peaks: Vec<f64> = regions(&map(&["1030", "0000", "0002"]), 0.5)
            .into_iter()
            .map(|r| r.peak)
            .collect();
        assert_eq!(peaks, [3.0, 2.0, 1.0]);
    }
}
