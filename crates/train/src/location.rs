//! Where the malignant map is highest, in the form of a study of marks (`lobule study readers`).

use std::path::Path;

use lobule_exam::Point;

use crate::lesion::Lesion;
use crate::{Error, ErrorKind, Label, Prediction};

/// Most marks of an image.
const MOST_MARKS: usize = 8;
/// A mark is the highest cell among those up to this far from it.
const REACH: usize = 2;

/// A place that the malignant map stands out at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapMark {
    /// In pixels of the original image.
    pub place: Point,
    /// The map's value, in 0..=1.
    pub score: f64,
}

/// Cells of a map (row-major) that are the highest around, highest first, and their values.
pub(crate) fn peaks(map: &[f32], cols: usize) -> Vec<(usize, f32)> {
    let rows = map.len() / cols.max(1);
    let is_peak = |&i: &usize| {
        let (row, col) = (i / cols, i % cols);
        let around = |n: usize, end: usize| n.saturating_sub(REACH)..(n + REACH + 1).min(end);
        around(row, rows)
            .flat_map(|r| around(col, cols).map(move |c| r * cols + c))
            // Of equal cells the first one counts.
            .all(|other| map[other] < map[i] || (map[other] == map[i] && other >= i))
    };
    let mut peaks: Vec<(usize, f32)> = (0..map.len())
        .filter(is_peak)
        .map(|i| (i, map[i]))
        .collect();
    peaks.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    peaks.truncate(MOST_MARKS);
    peaks
}

/// Writes the marks of the chosen sets as a table of the columns `reader`, `modality`, `case`,
/// `truth`, `lesion`, `rating`. Lesions are the malignant ones; a malignant image of which none is
/// outlined is left out, since what its marks hit is not known.
pub(crate) fn write_marks(
    file: &Path,
    predictions: &[Prediction],
    counts: impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let mut writer = csv::Writer::from_path(file).map_err(|e| Error::io(file, e))?;
    let mut write = |row: [&str; 6]| writer.write_record(row).map_err(|e| Error::io(file, e));
    write(["reader", "modality", "case", "truth", "lesion", "rating"])?;
    for p in predictions.iter().filter(|p| counts(&p.case.set)) {
        let malignant = Lesion::of_label(&p.case, Label::Malignant)?;
        if malignant.is_none() && p.case.label == Label::Malignant {
            continue;
        }
        let case = format!("{}/{}", p.case.set, p.case.name);
        let n_lesions = malignant.as_ref().map_or(0, Lesion::n_regions);
        if n_lesions == 0 {
            write(["truth", "truth", &case, "0", "", ""])?;
        }
        for lesion in 1..=n_lesions {
            write(["truth", "truth", &case, "1", &lesion.to_string(), ""])?;
        }
        let truth = if n_lesions == 0 { "0" } else { "1" };
        for mark in &p.marks {
            let hit = malignant.as_ref().and_then(|lesion| lesion.hit(mark.place));
            let lesion = hit.map(|i| (i + 1).to_string()).unwrap_or_default();
            let rating = format!("{:.6}", mark.score);
            write(["lobule", "mammography", &case, truth, &lesion, &rating])?;
        }
    }
    writer
        .flush()
        .map_err(|e| Error::new(ErrorKind::Io, e.to_string()).in_file(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_stand_alone_and_come_in_order() {
        let mut map = vec![0.1_f32; 100];
        for (i, value) in [(11, 0.5), (12, 0.4), (77, 0.9), (79, 0.9)] {
            map[i] = value;
        }
        let found = peaks(&map, 10);
        assert_eq!(found[..2], [(77, 0.9), (11, 0.5)]);
        assert!(found.len() <= MOST_MARKS && !found.iter().any(|p| p.0 == 12 || p.0 == 79));
    }
}
