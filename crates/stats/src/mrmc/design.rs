//! How readers, modalities and cases are crossed or nested.

use std::sync::Arc;

use super::study::Cell;
use crate::{Error, ErrorKind};

/// The design of a reader study, found from which ratings there are.
///
/// ```
/// use lobule_stats::mrmc::{Layout, Rating, ReaderStudy};
/// let truth = [("c1", false), ("c2", true)];
/// let rating = |reader, modality, case| Rating { reader, modality, case, rating: 1.0 };
/// let study = ReaderStudy::new(truth, [
///     rating("ann", "film", "c1"), rating("ann", "film", "c2"),
///     rating("bob", "digital", "c1"), rating("bob", "digital", "c2"),
/// ])?;
/// assert_eq!(study.layout(), Layout::ReadersInModalities);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// Every reader rates every case in every modality: the complete factorial.
    Crossed,
    /// Split plot: groups of readers have their own cases, which they rate in every modality.
    CasesInReaderGroups,
    /// Every modality has its own cases, rated by every reader.
    CasesInModalities,
    /// Every modality has its own readers, equally many, who all rate the same cases.
    ReadersInModalities,
    /// Anything else: ratings are missing or the nesting is unequal.
    Incomplete,
}

impl Layout {
    /// Refuses what analyses of variance have no table for.
    pub(crate) fn check_complete(self) -> Result<(), Error> {
        if self != Layout::Incomplete {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Design,
            "expected a crossed or balanced nested design, got missing ratings; the U-statistic \
             analysis takes any design",
        ))
    }
}

pub(crate) fn layout_of(cells: &[Cell], n_modalities: usize, n_readers: usize) -> Layout {
    let all_alike = cells.iter().all(|cell| cell.cases == cells[0].cases);
    if cells.len() == n_modalities * n_readers {
        return match all_alike {
            true => Layout::Crossed,
            false => full_grid_layout(cells, n_readers),
        };
    }
    let per_modality = |m: usize| cells.iter().filter(|cell| cell.modality == m).count();
    let equal = (0..n_modalities).all(|m| per_modality(m) * n_modalities == n_readers);
    match all_alike && equal && cells.len() == n_readers {
        true => Layout::ReadersInModalities,
        false => Layout::Incomplete,
    }
}

/// Every reader reads in every modality, but not all the same cases. `cells` run over the readers
/// of the first modality, then of the second, ….
fn full_grid_layout(cells: &[Cell], n_readers: usize) -> Layout {
    let of_reader = |index: usize| &cells[index % n_readers].cases;
    let of_modality = |index: usize| &cells[index / n_readers * n_readers].cases;
    let same = |of: &dyn Fn(usize) -> usize| {
        (0..cells.len()).all(|i| cells[i].cases == cells[of(i)].cases)
    };
    if same(&|i| i % n_readers) && apart((0..n_readers).map(of_reader)) {
        return Layout::CasesInReaderGroups;
    }
    let starts = (0..cells.len()).step_by(n_readers);
    if same(&|i| i / n_readers * n_readers) && apart(starts.map(of_modality)) {
        return Layout::CasesInModalities;
    }
    Layout::Incomplete
}

/// Whether any two of the sets of cases are either equal or without a case in common.
fn apart<'a>(sets: impl Iterator<Item = &'a Arc<[u32]>>) -> bool {
    let mut distinct: Vec<&[u32]> = sets.map(|set| &**set).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let mut all: Vec<u32> = distinct.into_iter().flatten().copied().collect();
    all.sort_unstable();
    all.windows(2).all(|pair| pair[0] != pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(modality: usize, reader: usize, cases: &[u32]) -> Cell {
        Cell {
            modality,
            reader,
            cases: cases.into(),
            ratings: vec![0.0; cases.len()],
        }
    }

    #[test]
    fn designs_are_told_apart() {
        let grid = |sets: [&[u32]; 4]| -> Vec<Cell> {
            (0..4).map(|i| cell(i / 2, i % 2, sets[i])).collect()
        };
        let (a, b): (&[u32], &[u32]) = (&[0, 1], &[2, 3]);
        let cases = [
            ([a, a, a, a], Layout::Crossed),
            ([a, b, a, b], Layout::CasesInReaderGroups),
            ([a, a, b, b], Layout::CasesInModalities),
            ([a, b, b, a], Layout::Incomplete),
            ([a, &[1, 2], a, &[1, 2]], Layout::Incomplete),
        ];
        for (sets, expected) in cases {
            assert_eq!(layout_of(&grid(sets), 2, 2), expected, "{sets:?}");
        }
    }

    #[test]
    fn nested_readers_must_be_equally_many() {
        let equal = [cell(0, 0, &[0, 1]), cell(1, 1, &[0, 1])];
        assert_eq!(layout_of(&equal, 2, 2), Layout::ReadersInModalities);
        let unequal = [cell(0, 0, &[0]), cell(0, 1, &[0]), cell(1, 2, &[0])];
        assert_eq!(layout_of(&unequal, 2, 3), Layout::Incomplete);
    }
}
