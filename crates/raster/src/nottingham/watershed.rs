//! Cutting a mask where it is waisted, so that nuclei that touch are told apart.
//!
//! Owns: the watershed of the distance to the mask's edge. Does not own: which pixels the mask has.

use crate::Image;
use crate::distance::distance_to;

/// Labels of the pieces: 0 outside the mask, from 1 inside.
///
/// The watershed of the distance from the mask's edge, flooded from its maxima (Vincent and Soille, IEEE
/// Trans Pattern Anal Mach Intell 1991;13:583, doi 10.1109/34.87344). Two maxima are one piece unless the
/// waist between them is narrower than the lower one by `share` of it, and by at least `least` pixels: so
/// small bumps of the edge make no pieces.
pub(super) fn split(mask: &Image<bool>, share: f32, least: f32) -> Image<u32> {
    let distance = distance_to(&mask.map(|inside| !inside));
    let mut order: Vec<usize> = (0..mask.pixels().len())
        .filter(|&i| mask.pixels()[i])
        .collect();
    let depth = |i: usize| distance.pixels()[i];
    order.sort_by(|&a, &b| depth(b).total_cmp(&depth(a)).then(a.cmp(&b)));
    let mut labels = Image::filled(mask.rows(), mask.cols(), 0_u32);
    let mut basins = Basins::default();
    for i in order {
        let touched = around(&labels, i);
        let deepest = touched
            .iter()
            .max_by(|a, b| depth(a.0).total_cmp(&depth(b.0)));
        let Some(&(_, deepest)) = deepest else {
            labels.pixels_mut()[i] = basins.begin(depth(i));
            continue;
        };
        labels.pixels_mut()[i] = deepest;
        for (_, other) in touched {
            basins.meet(deepest, other, |lower| {
                lower - depth(i) < (share * lower).max(least)
            });
        }
    }
    let n = basins.parents.len() as u32;
    let roots: Vec<u32> = (0..n).map(|label| basins.root(label)).collect();
    labels.map(|label| roots[label as usize])
}

/// Pieces while they grow; label 0 is the outside.
struct Basins {
    parents: Vec<u32>,
    peaks: Vec<f32>,
}

impl Default for Basins {
    fn default() -> Basins {
        Basins {
            parents: vec![0],
            peaks: vec![0.0],
        }
    }
}

impl Basins {
    fn begin(&mut self, peak: f32) -> u32 {
        let label = self.parents.len() as u32;
        self.parents.push(label);
        self.peaks.push(peak);
        label
    }

    /// The piece that a label belongs to so far; shortens the way for later.
    fn root(&mut self, mut label: u32) -> u32 {
        while self.parents[label as usize] != label {
            let above = self.parents[label as usize] as usize;
            self.parents[label as usize] = self.parents[above];
            label = self.parents[above];
        }
        label
    }

    /// Joins the lower of two pieces to the higher one where `is_bump` says so of the lower one's peak.
    fn meet(&mut self, a: u32, b: u32, is_bump: impl Fn(f32) -> bool) {
        let (a, b) = (self.root(a), self.root(b));
        let peak = |root: u32| self.peaks[root as usize];
        let (lower, higher) = match peak(a) < peak(b) {
            true => (a, b),
            false => (b, a),
        };
        if lower != higher && is_bump(peak(lower)) {
            self.parents[lower as usize] = higher;
        }
    }
}

/// The neighbours of a pixel that are labelled so far, with their labels.
fn around(labels: &Image<u32>, pixel: usize) -> Vec<(usize, u32)> {
    let (row, col) = (pixel / labels.cols(), pixel % labels.cols());
    let mut found = Vec::with_capacity(8);
    for r in row.saturating_sub(1)..(row + 2).min(labels.rows()) {
        for c in col.saturating_sub(1)..(col + 2).min(labels.cols()) {
            let label = labels.at(r, c);
            if label != 0 {
                found.push((r * labels.cols() + c, label));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn pieces(discs: &[(f64, f64, f64)]) -> Vec<usize> {
        let mask = Image::from_fn(60, 90, |row, col| {
            let inside = |&(r, c, radius): &(f64, f64, f64)| {
                (row as f64 - r).hypot(col as f64 - c) <= radius
            };
            discs.iter().any(inside)
        });
        let mut counts = BTreeMap::new();
        for &label in split(&mask, 0.25, 0.7).pixels() {
            *counts.entry(label).or_insert(0) += usize::from(label != 0);
        }
        counts.into_values().filter(|&n| n > 0).collect()
    }

    #[test]
    fn touching_discs_are_cut_at_the_waist_and_one_disc_is_not() {
        assert_eq!(pieces(&[]), []);
        assert_eq!(pieces(&[(30.0, 30.0, 12.3)]).len(), 1);
        let two = pieces(&[(30.0, 25.0, 12.0), (30.0, 45.0, 12.0)]);
        assert_eq!(two.len(), 2);
        assert!(two[0].abs_diff(two[1]) <= 30, "{two:?}");
        let deep = pieces(&[(30.0, 25.0, 12.0), (30.0, 33.0, 12.0)]);
        assert_eq!(deep.len(), 1, "no waist to speak of");
        let three = pieces(&[(15.0, 20.0, 9.0), (15.0, 37.0, 9.0), (15.0, 54.0, 9.0)]);
        assert_eq!(three.len(), 3);
    }
}
