//! How much of a tile is tumor, by what was drawn.
//!
//! Owns: masks, polygons and nuclei in memory, and the share of tumor in an [`Area`]. Does not own:
//! which tiles are taken by it (`tiles`).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use lobule_exam::{Affine, Point};
use lobule_raster::{Image, Limits, read_picture};

use super::case::{Content, MaskCodes, Regions};
use super::geojson::{Outline, read_outlines};
use super::{SlideSetConfig, Unannotated};
use crate::{Error, ErrorKind};

/// Places of a tile that are looked up, along each side: an area is told within about a hundredth.
const MASK_STEPS: usize = 48;
const POLYGON_STEPS: usize = 16;
/// Tumor nuclei on 100 × 100 µm from which a tile counts as wholly tumor. Solid tumor of the fields
/// that this was chosen on has 5 to 15 annotated ones.
const FULL_NUCLEI: f64 = 5.0;
/// Largest table or outline file.
const LARGEST: u64 = 256 << 20;

/// A rectangle of level 0, in pixels from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) top: f64,
    pub(super) left: f64,
    pub(super) bottom: f64,
    pub(super) right: f64,
}

impl Area {
    /// The rectangle of a tile of `side` pixels.
    pub(super) fn of(slide_from_tile: &Affine, side: usize) -> Area {
        let corner = |at: f64| slide_from_tile.apply(Point { row: at, col: at });
        let (first, last) = (corner(-0.5), corner(side as f64 - 0.5));
        Area {
            top: first.row + 0.5,
            left: first.col + 0.5,
            bottom: last.row + 0.5,
            right: last.col + 0.5,
        }
    }

    /// Middles of `steps` × `steps` equal parts, as (row, col).
    fn places(&self, steps: usize) -> impl Iterator<Item = (f64, f64)> {
        let at = move |from: f64, to: f64, i: usize| {
            from + (to - from) * (i as f64 + 0.5) / steps as f64
        };
        let area = *self;
        (0..steps * steps).map(move |i| {
            (
                at(area.top, area.bottom, i / steps),
                at(area.left, area.right, i % steps),
            )
        })
    }

    fn contains(&self, row: f64, col: f64) -> bool {
        (self.top..self.bottom).contains(&row) && (self.left..self.right).contains(&col)
    }
}

/// What was drawn on a slide.
pub(super) enum Drawn {
    Unknown,
    Whole(Content),
    Mask(Image<u8>, MaskCodes),
    Polygons {
        outlines: Vec<Outline>,
        rest: Option<Content>,
    },
    /// Centers of tumor nuclei as (row, col).
    Nuclei(Vec<(f64, f64)>),
}

impl Drawn {
    pub(super) fn read(regions: &Regions, set: &SlideSetConfig) -> Result<Drawn, Error> {
        let rest = match set.unannotated {
            Unannotated::Unknown => None,
            Unannotated::Other => Some(Content::Other),
            Unannotated::Tumor => Some(Content::Tumor),
        };
        Ok(match regions {
            Regions::Unknown => rest.map_or(Drawn::Unknown, Drawn::Whole),
            Regions::Whole(content) => Drawn::Whole(*content),
            Regions::Mask(file, codes) => {
                let bad =
                    |e: lobule_raster::Error| Error::new(ErrorKind::Data, e.reason()).in_file(file);
                let picture = read_picture(file, &Limits::default()).map_err(bad)?;
                Drawn::Mask(picture.luma(), *codes)
            }
            Regions::Polygons(file) => Drawn::Polygons {
                outlines: read_outlines(file, &set.tumor_classes)?,
                rest,
            },
            Regions::Nuclei(file) => Drawn::Nuclei(tumor_nuclei(file)?),
        })
    }

    /// The share of tumor, 0 to 1, in an area whose pixels have `mpp` microns; none where more than
    /// half of it is unknown.
    pub(super) fn tumor_share(&self, area: Area, mpp: f64) -> Option<f64> {
        match self {
            Drawn::Unknown => None,
            Drawn::Whole(content) => Some(f64::from(u8::from(*content == Content::Tumor))),
            Drawn::Mask(mask, codes) => share(area.places(MASK_STEPS).map(|(row, col)| {
                let inside = row >= 0.0 && col >= 0.0;
                let (row, col) = (row as usize, col as usize);
                let value =
                    (inside && row < mask.rows() && col < mask.cols()).then(|| mask.at(row, col));
                codes.content(value?)
            })),
            Drawn::Polygons { outlines, rest } => {
                let near: Vec<&Outline> = outlines.iter().filter(|o| o.is_near(area)).collect();
                share(area.places(POLYGON_STEPS).map(|(row, col)| {
                    let around = near.iter().find(|outline| outline.contains(row, col));
                    around.map_or(*rest, |outline| outline.content)
                }))
            }
            Drawn::Nuclei(centers) => {
                let inside = centers.iter().filter(|c| area.contains(c.0, c.1)).count();
                let side_um = mpp * ((area.bottom - area.top) * (area.right - area.left)).sqrt();
                let density = inside as f64 / (side_um / 100.0).powi(2);
                Some((density / FULL_NUCLEI).min(1.0))
            }
        }
    }
}

/// The share of tumor among the known places, if at least half are known.
fn share(places: impl Iterator<Item = Option<Content>>) -> Option<f64> {
    let (mut n, mut known, mut tumor) = (0, 0, 0);
    for place in places {
        n += 1;
        known += usize::from(place.is_some());
        tumor += usize::from(place == Some(Content::Tumor));
    }
    (2 * known >= n && known > 0).then(|| tumor as f64 / known as f64)
}

/// Centers of the nuclei of tumor cells, mitoses too; the other classes of the table are not needed.
fn tumor_nuclei(file: &Path) -> Result<Vec<(f64, f64)>, Error> {
    let bad = |line: usize, message: String| {
        Error::new(ErrorKind::Data, format!("line {line}: {message}")).in_file(file)
    };
    let bytes = read_bounded(file)?;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let mut centers = Vec::new();
    for (i, row) in reader.deserialize::<BTreeMap<String, String>>().enumerate() {
        let line = i + 2;
        let row = row.map_err(|e| bad(line, e.to_string()))?;
        let class = row.get("class").map(|c| c.trim().to_ascii_lowercase());
        let class = class.ok_or_else(|| bad(line, "expected a column `class`".into()))?;
        if !matches!(class.as_str(), "tumor_nuclei" | "tumor" | "mitosis") {
            continue;
        }
        let number = |column: &str| {
            let text = row.get(column).map_or("", |v| v.trim());
            let value = text.parse::<f64>().ok().filter(|v| v.is_finite());
            value.ok_or_else(|| bad(line, format!("expected pixels in `{column}`, got `{text}`")))
        };
        centers.push((number("y_center")?, number("x_center")?));
    }
    Ok(centers)
}

/// A file of at most 256 MiB.
pub(super) fn read_bounded(file: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(|e| Error::io(file, e))?;
    let read = opened.take(LARGEST + 1).read_to_end(&mut bytes);
    read.map_err(|e| Error::io(file, e))?;
    match bytes.len() as u64 > LARGEST {
        true => {
            let message = format!("expected at most {LARGEST} bytes, got more");
            Err(Error::new(ErrorKind::Data, message).in_file(file))
        }
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TILE: Area = Area {
        top: 0.0,
        left: 0.0,
        bottom: 96.0,
        right: 96.0,
    };

    #[test]
    fn masks_are_counted_and_unknown_places_are_not() {
        let mask = Image::from_fn(96, 96, |row, col| match (row, col) {
            (0..24, _) => 0,
            (_, 0..48) => 1,
            _ => 20,
        });
        let share = |codes| Drawn::Mask(mask.clone(), codes).tumor_share(TILE, 0.25);
        assert_eq!(share(MaskCodes::Bcss), Some(0.5));
        assert_eq!(share(MaskCodes::NotZero), Some(0.75));
        let beyond = Area {
            bottom: 960.0,
            ..TILE
        };
        assert_eq!(
            Drawn::Mask(mask, MaskCodes::NotZero).tumor_share(beyond, 0.25),
            None,
            "most of it is outside"
        );
    }

    #[test]
    fn nuclei_are_counted_by_area() {
        // 96 pixels of 1.0416… µm are 100 µm.
        let centers = vec![(1.0, 1.0), (50.0, 95.9), (50.0, 96.0), (-1.0, 4.0)];
        let share = Drawn::Nuclei(centers).tumor_share(TILE, 100.0 / 96.0);
        assert!((share.unwrap() - 2.0 / FULL_NUCLEI).abs() < 1e-9);
    }

    #[test]
    fn a_tile_covers_its_pixels_from_edge_to_edge() {
        // The second tile of 100 pixels, each of two pixels of the slide.
        let slide_from_tile = Affine::resample(2.0, 2.0).compose(&Affine::translate(0.0, 100.0));
        let area = Area::of(&slide_from_tile, 100);
        assert_eq!((area.top, area.bottom), (0.0, 200.0));
        assert_eq!((area.left, area.right), (200.0, 400.0));
    }
}
