//! How well findings' outlines fit the lesions' masks, at any threshold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lobule_assess::ImageOutputs;
use lobule_exam::{FindingClass, PixelBox, Point, SaliencyMap};
use lobule_package::{FindingThresholds, Prediction, Truth};
use lobule_raster::{Image, Limits, NetworkInput, read_picture};

use crate::failure::Failure;

/// Thresholds that are tried: 1/40, 2/40, …
const STEPS: usize = 40;
/// Points of a picture's longer side that are compared.
const SAMPLES: usize = 160;
const CLASSES: [(Truth, FindingClass); 2] = [
    (Truth::Benign, FindingClass::Benign),
    (Truth::Malignant, FindingClass::Malignant),
];

/// The masks that a data set's `labels.csv` names, by picture.
pub(super) struct Masks(BTreeMap<String, PathBuf>);

impl Masks {
    /// Reads the columns `file` and `mask`; a set without them has no masks.
    pub(super) fn of(set: &Path) -> Masks {
        Masks(read(set).unwrap_or_default())
    }
}

fn read(set: &Path) -> Option<BTreeMap<String, PathBuf>> {
    let mut reader = csv::Reader::from_path(set.join("labels.csv")).ok()?;
    let headers = reader.headers().ok()?.clone();
    let column = |name: &str| headers.iter().position(|h| h == name);
    let (file, mask) = (column("file")?, column("mask")?);
    let rows = reader.records().filter_map(Result::ok);
    let named = rows.filter(|row| row.get(mask).is_some_and(|m| !m.is_empty()));
    Some(
        named
            .map(|row| (row[file].to_owned(), set.join(&row[mask])))
            .collect(),
    )
}

/// Sums of Dice coefficients, per class and threshold.
pub(super) struct Outlines {
    sums: [[f64; STEPS + 1]; 2],
    counts: [usize; 2],
}

impl Outlines {
    /// Nothing compared yet.
    pub(super) fn new() -> Outlines {
        Outlines {
            sums: [[0.0; STEPS + 1]; 2],
            counts: [0; 2],
        }
    }

    /// Compares the map of the picture's own class with the mask, if there is one.
    pub(super) fn add(
        &mut self,
        masks: &Masks,
        row: &Prediction,
        input: &NetworkInput,
        outputs: &ImageOutputs,
    ) -> Result<(), Failure> {
        let class = CLASSES.iter().position(|(truth, _)| *truth == row.label);
        let (Some(class), Some(file)) = (class, masks.0.get(&row.case)) else {
            return Ok(());
        };
        let unusable = |e: lobule_raster::Error| Failure::no_input(e.to_string());
        let mask = read_picture(file, &Limits::default()).map_err(unusable)?;
        let map = outputs.saliency_map(input);
        let points = compare(&mask.luma(), input.crop.window, &map, CLASSES[class].1);
        for (step, sum) in self.sums[class].iter_mut().enumerate() {
            *sum += dice(&points, step as f64 / STEPS as f64);
        }
        self.counts[class] += 1;
        Ok(())
    }

    /// One line per class: the mean Dice coefficient at the package's threshold and the highest.
    pub(super) fn lines(&self, thresholds: &FindingThresholds) -> Vec<String> {
        let own = [thresholds.benign, thresholds.malignant];
        let measured = (0..CLASSES.len()).filter(|c| self.counts[*c] > 0);
        let line = |class: usize| {
            let n = self.counts[class];
            let mean = |step: usize| self.sums[class][step] / n as f64;
            let best = (1..=STEPS).max_by(|a, b| mean(*a).total_cmp(&mean(*b)));
            let best = best.unwrap_or(STEPS);
            let at = (own[class] * STEPS as f64).round() as usize;
            format!(
                "outlines {}: mean Dice with the masks {:.3} at the threshold {}, highest {:.3} at {}, n {n}",
                CLASSES[class].0.name(),
                mean(at),
                at as f64 / STEPS as f64,
                mean(best),
                best as f64 / STEPS as f64
            )
        };
        measured.map(line).collect()
    }
}

/// Saliency and truth at points spread over the crop.
fn compare(
    mask: &Image<u8>,
    window: PixelBox,
    map: &SaliencyMap,
    class: FindingClass,
) -> Vec<(f64, bool)> {
    let Some(grid_from_image) = map.image_from_grid.inverse() else {
        return Vec::new();
    };
    let window = window.intersect(PixelBox::whole(mask.rows(), mask.cols()));
    let step = window.rows.max(window.cols).div_ceil(SAMPLES).max(1);
    let mut points = Vec::new();
    for row in (window.row..window.row + window.rows).step_by(step) {
        for col in (window.col..window.col + window.cols).step_by(step) {
            let at = grid_from_image.apply(Point {
                row: row as f64,
                col: col as f64,
            });
            points.push((map.value_at(class, at), mask.at(row, col) > 127));
        }
    }
    points
}

/// Dice 1945: twice the overlap over the sum of both areas; 1 when both are empty.
fn dice(points: &[(f64, bool)], threshold: f64) -> f64 {
    let (mut both, mut either) = (0_usize, 0_usize);
    for (value, is_lesion) in points {
        let is_outlined = *value >= threshold;
        both += usize::from(is_outlined && *is_lesion);
        either += usize::from(is_outlined) + usize::from(*is_lesion);
    }
    match either {
        0 => 1.0,
        n => 2.0 * both as f64 / n as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_is_counted_at_each_threshold() {
        let points = [(0.9, true), (0.6, true), (0.6, false), (0.1, false)];
        for (threshold, expected) in [(0.05, 4.0 / 6.0), (0.5, 0.8), (0.8, 2.0 / 3.0), (1.0, 0.0)] {
            assert_eq!(dice(&points, threshold), expected, "{threshold}");
        }
        assert_eq!(dice(&[(0.1, false)], 0.5), 1.0);
    }
}
