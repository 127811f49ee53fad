//! The lesion's outline, where a data set brings one: to draw patches, to ask afterwards whether
//! the network looked there, and for baselines that know the lesion. Whole images are trained on
//! without it.

use std::path::Path;

use lobule_exam::{PixelBox, Point};
use lobule_raster::Image;
use rayon::prelude::*;

use crate::images::{Images, read_image};
use crate::marks::encloses;
use crate::{Case, Error, ErrorKind, Label, Shape};

/// A lesion, or the lesions of an image, in pixels of the image.
pub(crate) struct Lesion {
    regions: Vec<Region>,
}

enum Region {
    Circle { center: Point, radius: f64 },
    Box(PixelBox),
    Outline(Vec<Point>),
    Mask(Image<bool>),
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
    /// What makes a case's label: the regions of that label, else the mask; `None` where there is
    /// none or it is empty.
    pub(crate) fn read(case: &Case) -> Result<Option<Lesion>, Error> {
        Lesion::of_label(case, case.label)
    }

    /// The lesions of a label. A mask has the image's.
    pub(crate) fn of_label(case: &Case, label: Label) -> Result<Option<Lesion>, Error> {
        let of_label = case.marks.iter().filter(|mark| mark.label == label);
        let mut regions = Vec::new();
        for mark in of_label {
            regions.extend(Region::read(&mark.shape)?);
        }
        if let (true, Some(file)) = (regions.is_empty() && label == case.label, &case.mask) {
            regions.extend(read_mask(file)?);
        }
        Ok((!regions.is_empty()).then_some(Lesion { regions }))
    }

    /// Whether the pixel nearest to a point belongs to the lesion.
    pub(crate) fn contains(&self, p: Point) -> bool {
        self.hit(p).is_some()
    }

    /// How many regions it was drawn as.
    pub(crate) fn n_regions(&self) -> usize {
        self.regions.len()
    }

    /// The first region that holds the pixel nearest to a point.
    pub(crate) fn hit(&self, p: Point) -> Option<usize> {
        let p = nearest(p);
        self.regions.iter().position(|region| region.contains(p))
    }

    /// Refuses masks of another size than the image's.
    pub(crate) fn check_size(&self, image: (usize, usize), file: &Path) -> Result<(), Error> {
        let of_mask = |region: &Region| match region {
            Region::Mask(mask) => Some((mask.rows(), mask.cols())),
            _ => None,
        };
        let mut sizes = self.regions.iter().filter_map(of_mask);
        let Some((rows, cols)) = sizes.find(|size| *size != image) else {
            return Ok(());
        };
        let message = format!(
            "expected the size of its mask, {rows} × {cols}, got {} × {}",
            image.0, image.1
        );
        Err(Error::new(ErrorKind::Data, message).in_file(file))
    }

    /// What baselines may know; `file` is the image that the mask belongs to.
    pub(crate) fn facts(&self, file: &Path) -> Result<LesionFacts, Error> {
        let gray = read_image(file)?.0.luma();
        self.check_size((gray.rows(), gray.cols()), file)?;
        Ok(self.facts_in(&gray))
    }

    fn facts_in(&self, gray: &Image<u8>) -> LesionFacts {
        let (mut n, mut total) = (0_u64, 0_u64);
        for (i, &value) in gray.pixels().iter().enumerate() {
            let (row, col) = ((i / gray.cols()) as f64, (i % gray.cols()) as f64);
            if self.contains(Point { row, col }) {
                n += 1;
                total += u64::from(value);
            }
        }
        LesionFacts {
            area_share: n as f64 / gray.pixels().len().max(1) as f64,
            mean_gray: total as f64 / n.max(1) as f64,
        }
    }
}

fn nearest(p: Point) -> Point {
    Point {
        row: p.row.round(),
        col: p.col.round(),
    }
}

impl Region {
    fn read(shape: &Shape) -> Result<Option<Region>, Error> {
        Ok(match shape {
            Shape::Circle { center, radius } => Some(Region::Circle {
                center: *center,
                radius: *radius,
            }),
            Shape::Box(pixels) => Some(Region::Box(*pixels)),
            Shape::Polygon(polygon) => Some(Region::Outline(polygon.points.clone())),
            Shape::Mask(file) => read_mask(file)?,
        })
    }

    fn contains(&self, p: Point) -> bool {
        match self {
            Region::Circle { center, radius } => {
                (p.row - center.row).hypot(p.col - center.col) <= *radius
            }
            Region::Box(pixels) => pixels.contains(p),
            Region::Outline(points) => encloses(points, p),
            Region::Mask(mask) => {
                let inside = p.row >= 0.0
                    && p.col >= 0.0
                    && p.row < mask.rows() as f64
                    && p.col < mask.cols() as f64;
                inside && mask.at(p.row as usize, p.col as usize)
            }
        }
    }
}

/// The white of a picture; `None` where there is none.
fn read_mask(file: &Path) -> Result<Option<Region>, Error> {
    let mask = read_image(file)?.0.luma().map(|v| v > 127);
    let is_empty = !mask.pixels().contains(&true);
    Ok((!is_empty).then_some(Region::Mask(mask)))
}

/// Rows and columns of the grid on which the best fixed point is searched.
const GRID: usize = 40;

/// The place (as a share of rows and columns, see [`Images::point_at`]) that most lesions of the
/// given cases cover: the best guess of someone who never looks at the image.
pub(crate) fn best_fixed_point(
    cases: &[Case],
    images: &Images,
    chosen: &[usize],
) -> Result<Point, Error> {
    let place = |cell: usize| Point {
        row: ((cell / GRID) as f64 + 0.5) / GRID as f64,
        col: ((cell % GRID) as f64 + 0.5) / GRID as f64,
    };
    // A lesion's mask is as large as its image: it is dropped as soon as it is counted.
    let count = |mut counts: Vec<u32>, &i: &usize| {
        if let Some(lesion) = Lesion::read(&cases[i])? {
            for (cell, count) in counts.iter_mut().enumerate() {
                *count += u32::from(lesion.contains(images.point_at(i, place(cell))));
            }
        }
        Ok::<_, Error>(counts)
    };
    let none = || vec![0; GRID * GRID];
    let add = |a: Vec<u32>, b: Vec<u32>| Ok(a.iter().zip(&b).map(|(a, b)| a + b).collect());
    let covered = chosen
        .par_iter()
        .try_fold(none, count)
        .try_reduce(none, add)?;
    let best = (0..GRID * GRID).max_by_key(|&cell| (covered[cell], GRID * GRID - cell));
    Ok(place(best.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesion_knows_its_pixels() {
        let mask = Image::from_fn(10, 20, |r, c| (2..5).contains(&r) && (10..14).contains(&c));
        let lesion = Lesion {
            regions: vec![Region::Mask(mask)],
        };
        assert!(lesion.contains(Point { row: 4.4, col: 9.6 }));
        assert!(!lesion.contains(Point {
            row: -3.0,
            col: 10.0
        }));
        assert!(!lesion.contains(Point {
            row: 10.0,
            col: 12.0
        }));
        let gray = Image::from_fn(10, 20, |r, _| (10 * r) as u8);
        let facts = lesion.facts_in(&gray);
        assert_eq!((facts.area_share, facts.mean_gray), (12.0 / 200.0, 30.0));
    }
}
