//! The lesion's outline, where a data set brings one: never used for training, only to ask
//! afterwards whether the network looked there, and for baselines that know the lesion.

use std::path::Path;

use lobule_exam::Point;
use lobule_raster::{Image, Limits, read_picture};
use rayon::prelude::*;

use crate::{Case, Error, ErrorKind};

/// A lesion's mask, in pixels of its image.
pub(crate) struct Lesion {
    mask: Image<bool>,
}

/// What baselines know of a lesion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LesionFacts {
    /// Share of the image's pixels.
    pub area_share: f64,
    /// Mean brightness inside, 0..=255.
    pub mean_gray: f64,
}

impl Lesion {
    /// The mask of a case; `None` where there is none or it is empty.
    pub(crate) fn read(case: &Case) -> Result<Option<Lesion>, Error> {
        let Some(file) = &case.mask else {
            return Ok(None);
        };
        let picture = read_picture(file, &Limits::default())
            .map_err(|e| Error::new(ErrorKind::Data, e.reason().to_owned()).in_file(file))?;
        let mask = picture.luma().map(|v| v > 127);
        Ok(mask.pixels().contains(&true).then_some(Lesion { mask }))
    }

    /// Whether the pixel nearest to a point belongs to the lesion.
    pub(crate) fn contains(&self, p: Point) -> bool {
        let (row, col) = (p.row.round(), p.col.round());
        let inside = row >= 0.0
            && col >= 0.0
            && row < self.mask.rows() as f64
            && col < self.mask.cols() as f64;
        inside && self.mask.at(row as usize, col as usize)
    }

    /// A place given as a share of rows and columns, in pixels of this mask.
    fn place(&self, share: Point) -> Point {
        Point {
            row: share.row * self.mask.rows() as f64 - 0.5,
            col: share.col * self.mask.cols() as f64 - 0.5,
        }
    }

    /// Whether the lesion covers a place given as a share of rows and columns.
    pub(crate) fn covers(&self, share: Point) -> bool {
        self.contains(self.place(share))
    }

    /// What baselines may know; `file` is the image that the mask belongs to.
    pub(crate) fn facts(&self, file: &Path) -> Result<LesionFacts, Error> {
        let gray = read_picture(file, &Limits::default())
            .map_err(|e| Error::new(ErrorKind::Data, e.reason().to_owned()).in_file(file))?
            .luma();
        let (rows, cols) = (self.mask.rows(), self.mask.cols());
        if (gray.rows(), gray.cols()) != (rows, cols) {
            let message = format!(
                "expected the size of its mask, {rows} × {cols}, got {} × {}",
                gray.rows(),
                gray.cols()
            );
            return Err(Error::new(ErrorKind::Data, message).in_file(file));
        }
        Ok(self.facts_in(&gray))
    }

    fn facts_in(&self, gray: &Image<u8>) -> LesionFacts {
        let (mut n, mut total) = (0_u64, 0_u64);
        for (&inside, &value) in self.mask.pixels().iter().zip(gray.pixels()) {
            if inside {
                n += 1;
                total += u64::from(value);
            }
        }
        LesionFacts {
            area_share: n as f64 / self.mask.pixels().len().max(1) as f64,
            mean_gray: total as f64 / n.max(1) as f64,
        }
    }
}

/// Rows and columns of the grid on which the best fixed point is searched.
const GRID: usize = 40;

/// The place (as a share of rows and columns) that most lesions of the given cases cover: the best
/// guess of someone who never looks at the image.
pub(crate) fn best_fixed_point(cases: &[Case], chosen: &[usize]) -> Result<Point, Error> {
    let lesions: Vec<Option<Lesion>> = chosen
        .par_iter()
        .map(|&i| Lesion::read(&cases[i]))
        .collect::<Result<_, _>>()?;
    let place = |cell: usize| Point {
        row: ((cell / GRID) as f64 + 0.5) / GRID as f64,
        col: ((cell % GRID) as f64 + 0.5) / GRID as f64,
    };
    let covered = |cell: usize| {
        lesions
            .iter()
            .flatten()
            .filter(|l| l.covers(place(cell)))
            .count()
    };
    let best = (0..GRID * GRID)
        .into_par_iter()
        .max_by_key(|&cell| (covered(cell), GRID * GRID - cell));
    Ok(place(best.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesion_knows_its_pixels() {
        let mask = Image::from_fn(10, 20, |r, c| (2..5).contains(&r) && (10..14).contains(&c));
        let lesion = Lesion { mask };
        assert!(lesion.contains(Point { row: 4.4, col: 9.6 }));
        assert!(!lesion.contains(Point {
            row: -3.0,
            col: 10.0
        }));
        assert!(!lesion.contains(Point {
            row: 10.0,
            col: 12.0
        }));
        assert!(lesion.covers(Point {
            row: 0.35,
            col: 0.6
        }));
        let gray = Image::from_fn(10, 20, |r, _| (10 * r) as u8);
        let facts = lesion.facts_in(&gray);
        assert_eq!((facts.area_share, facts.mean_gray), (12.0 / 200.0, 30.0));
    }
}
