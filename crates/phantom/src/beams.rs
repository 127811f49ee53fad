//! Where the beams run: between pixels of the sonogram and places in the tissue.
//!
//! Owns: the grid of samples along the beams and its conversion to pixels. A place in the tissue
//! is (depth below the transducer's surface, lateral offset from the middle), in mm.

use lobule_exam::Point;
use lobule_raster::Image;

use crate::Transducer;

/// Radius of a curved transducer's surface.
const ARC_MM: f64 = 40.0;
/// Half of the widest sector.
const WIDEST: f64 = 0.55;

/// A place in the tissue, in mm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) depth: f64,
    pub(crate) lateral: f64,
}

/// The beams behind a sonogram of `rows × cols` pixels of `mm` each.
pub(crate) struct Beams {
    rows: usize,
    cols: usize,
    mm: f64,
    /// Half of the sector; none for parallel beams.
    half_angle: Option<f64>,
}

impl Beams {
    pub(crate) fn new(transducer: Transducer, rows: usize, cols: usize, mm: f64) -> Beams {
        let reach = (cols as f64 * mm / 2.0) / (ARC_MM + rows as f64 * mm);
        let half_angle = match transducer {
            Transducer::Linear => None,
            Transducer::Curved => Some(reach.asin().min(WIDEST)),
        };
        Beams {
            rows,
            cols,
            mm,
            half_angle,
        }
    }

    /// Millimetres between samples along a beam, and between beams at the surface.
    pub(crate) fn steps_mm(&self) -> [f64; 2] {
        match self.half_angle {
            None => [self.mm, self.mm],
            Some(half) => [self.mm, 2.0 * half * ARC_MM / self.cols as f64],
        }
    }

    /// The place of one sample of the beam grid, which is as large as the sonogram.
    pub(crate) fn sample(&self, row: usize, beam: usize) -> Place {
        let depth = (row as f64 + 0.5) * self.mm;
        let offset = beam as f64 + 0.5 - self.cols as f64 / 2.0;
        let lateral = match self.half_angle {
            None => offset * self.mm,
            Some(half) => (ARC_MM + depth) * (offset * 2.0 * half / self.cols as f64).sin(),
        };
        Place { depth, lateral }
    }

    /// The place shown at a pixel; none beside the sector.
    pub(crate) fn place(&self, row: f64, col: f64) -> Option<Place> {
        let down = (row + 0.5) * self.mm;
        let lateral = (col + 0.5 - self.cols as f64 / 2.0) * self.mm;
        let Some(half) = self.half_angle else {
            return Some(Place {
                depth: down,
                lateral,
            });
        };
        let below_center = down + ARC_MM * half.cos();
        let depth = below_center.hypot(lateral) - ARC_MM;
        let inside = depth >= 0.0 && (lateral / below_center).atan().abs() <= half;
        inside.then_some(Place { depth, lateral })
    }

    /// The pixel that shows a place.
    pub(crate) fn pixel(&self, place: Place) -> Point {
        let down = match self.half_angle {
            None => place.depth,
            Some(half) => {
                let range = ARC_MM + place.depth;
                (range * range - place.lateral * place.lateral)
                    .max(0.0)
                    .sqrt()
                    - ARC_MM * half.cos()
            }
        };
        Point {
            row: down / self.mm - 0.5,
            col: place.lateral / self.mm + self.cols as f64 / 2.0 - 0.5,
        }
    }

    /// From the beam grid to the sonogram.
    pub(crate) fn scan_convert(&self, samples: Image<u8>) -> Image<u8> {
        let Some(half) = self.half_angle else {
            return samples;
        };
        Image::from_fn(self.rows, self.cols, |row, col| {
            let Some(place) = self.place(row as f64, col as f64) else {
                return 0;
            };
            let angle = (place.lateral / (ARC_MM + place.depth)).asin();
            let beam = (angle / half + 1.0) * self.cols as f64 / 2.0 - 0.5;
            bilinear(&samples, place.depth / self.mm - 0.5, beam)
        })
    }
}

fn bilinear(image: &Image<u8>, row: f64, col: f64) -> u8 {
    let (row, col) = (row.max(0.0), col.max(0.0));
    let (r, c) = (row as usize, col as usize);
    if r >= image.rows() || c >= image.cols() {
        return 0;
    }
    let (r1, c1) = ((r + 1).min(image.rows() - 1), (c + 1).min(image.cols() - 1));
    let (down, right) = (row - r as f64, col - c as f64);
    let across = |row: usize| {
        f64::from(image.at(row, c)) * (1.0 - right) + f64::from(image.at(row, c1)) * right
    };
    (across(r) * (1.0 - down) + across(r1) * down).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_and_places_are_each_others_inverse() {
        for transducer in [Transducer::Linear, Transducer::Curved] {
            let beams = Beams::new(transducer, 300, 400, 0.1);
            for (row, col) in [(150.0, 200.0), (222.5, 120.25), (60.0, 210.0)] {
                let place = beams.place(row, col).unwrap();
                let back = beams.pixel(place);
                assert!((back.row - row).abs() < 1e-9 && (back.col - col).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_sector_is_black_beside_and_full_in_the_middle() {
        let beams = Beams::new(Transducer::Curved, 200, 200, 0.2);
        let shown = beams.scan_convert(Image::filled(200, 200, 77));
        assert_eq!(
            (shown.at(0, 0), shown.at(100, 100), shown.at(199, 0)),
            (0, 77, 0)
        );
        let linear = Beams::new(Transducer::Linear, 3, 4, 0.2);
        let samples = Image::from_fn(3, 4, |r, c| (10 * r + c) as u8);
        assert_eq!(linear.scan_convert(samples.clone()), samples);
    }
}
