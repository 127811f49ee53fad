//! What every slide offers, whatever file it comes from.

use std::sync::Arc;

use lobule_exam::PixelBox;
use lobule_raster::Image;

use crate::error::too_large;
use crate::{Error, ErrorKind};

/// An RGB image of 8 bits.
pub type Rgb = Image<[u8; 3]>;

/// Paper white: what a pixel outside the slide, or in a tile that was not stored, looks like.
pub const GLASS: [u8; 3] = [255; 3];

/// Levels of tiles. Tiles may be read from several threads at once.
pub trait TileSource: Send + Sync + std::fmt::Debug {
    /// What the file says of itself.
    fn facts(&self) -> &SlideFacts;

    /// The pixels of a tile as the file stores it, cut at the level's edge. A tile that was not
    /// stored is [`GLASS`].
    ///
    /// # Errors
    /// `Address` for a tile that does not exist; `Damaged`, `Unsupported`, `TooLarge` or `Io` for
    /// one that cannot be decoded. Other tiles remain readable.
    fn read_tile(&self, key: TileKey) -> Result<Arc<Rgb>, Error>;
}

/// What a slide's file says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct SlideFacts {
    /// The kind of file.
    pub format: SlideFormat,
    /// Level 0 is the finest; at least one.
    pub levels: Vec<Level>,
    /// Microns per pixel of level 0, or why they are not known.
    pub mpp: Result<Mpp, String>,
    /// Magnification of the objective.
    pub magnification: Option<f64>,
    /// Bytes of the ICC profile. It is noted, never applied.
    pub icc_bytes: Option<u64>,
    /// Images of the file that are not part of the slide's pixels: label, macro, thumbnail.
    pub left_out: Vec<LeftOut>,
    /// Tolerated deviations of the file.
    pub notes: Vec<String>,
    /// Whether the file says that it is computed and shows no patient.
    pub is_synthetic: bool,
}

/// The kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlideFormat {
    /// Aperio's TIFF (`.svs`).
    Aperio,
    /// OME-TIFF.
    OmeTiff,
    /// Another TIFF.
    Tiff,
    /// One picture: JPEG or PNG.
    Picture,
    /// DICOM whole-slide microscopy.
    Dicom,
    /// No file: computed where it is read.
    Drawn,
    /// Another maker's, read by OpenSlide (feature `openslide`).
    OtherMaker,
}

impl SlideFormat {
    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            SlideFormat::Aperio => "Aperio SVS",
            SlideFormat::OmeTiff => "OME-TIFF",
            SlideFormat::Tiff => "TIFF",
            SlideFormat::Picture => "picture",
            SlideFormat::Dicom => "DICOM",
            SlideFormat::Drawn => "drawn",
            SlideFormat::OtherMaker => "another maker's",
        }
    }
}

/// One resolution of a slide.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Rows of pixels.
    pub rows: usize,
    /// Columns of pixels.
    pub cols: usize,
    /// Rows of a whole tile.
    pub tile_rows: usize,
    /// Columns of a whole tile.
    pub tile_cols: usize,
    /// How many pixels of level 0 one pixel spans along each axis.
    pub downsample: f64,
    /// Tiles that were not stored and are read as glass.
    pub absent_tiles: usize,
    /// Tiles that the file says lie past its end: reading them fails.
    pub lost_tiles: usize,
}

impl Level {
    /// The only level of a slide, in square tiles that are all there.
    pub fn single(rows: usize, cols: usize, side: usize) -> Level {
        Level {
            rows,
            cols,
            tile_rows: side,
            tile_cols: side,
            downsample: 1.0,
            absent_tiles: 0,
            lost_tiles: 0,
        }
    }

    /// Tiles from top to bottom.
    pub fn tiles_down(&self) -> usize {
        self.rows.div_ceil(self.tile_rows)
    }

    /// Tiles from left to right.
    pub fn tiles_across(&self) -> usize {
        self.cols.div_ceil(self.tile_cols)
    }

    /// Where a tile lies in the level.
    pub(crate) fn place(&self, key: TileKey) -> PixelBox {
        let (row, col) = (key.row * self.tile_rows, key.col * self.tile_cols);
        PixelBox {
            row,
            col,
            rows: self.tile_rows.min(self.rows - row),
            cols: self.tile_cols.min(self.cols - col),
        }
    }
}

/// The address of a stored tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileKey {
    /// The level, 0 = finest.
    pub level: usize,
    /// Tile row from the top.
    pub row: usize,
    /// Tile column from the left.
    pub col: usize,
}

impl std::fmt::Display for TileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let TileKey { level, row, col } = self;
        write!(f, "level {level}, tile row {row}, column {col}")
    }
}

/// An image of the file that was not read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What it is called.
    pub name: String,
    /// Its rows and columns, where known.
    pub size: Option<(usize, usize)>,
    /// Why it is no part of the slide's pixels.
    pub reason: String,
}

/// Microns per pixel, the same along both axes. Finite, above zero and at most [`Mpp::COARSEST`].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Mpp(f64);

impl Mpp {
    /// No scanner's finest level is coarser. Default entries such as 72 pixels per inch are.
    pub const COARSEST: f64 = 50.0;

    /// Microns per pixel.
    ///
    /// # Errors
    /// `NoScale` when the value is not finite, not above zero, or coarser than [`Mpp::COARSEST`].
    pub fn new(microns: f64) -> Result<Mpp, Error> {
        match microns.is_finite() && microns > 0.0 && microns <= Mpp::COARSEST {
            true => Ok(Mpp(microns)),
            false => Err(Error::new(
                ErrorKind::NoScale,
                format!(
                    "expected above 0 and at most {} microns per pixel, got {microns}",
                    Mpp::COARSEST
                ),
            )),
        }
    }

    /// The number.
    pub fn microns(self) -> f64 {
        self.0
    }
}

/// A tile's level and its place in it; for those who make a [`TileSource`] of their own.
///
/// # Errors
/// `Address` for a tile that does not exist.
pub fn locate(facts: &SlideFacts, key: TileKey) -> Result<(&Level, PixelBox), Error> {
    let level = level_of(facts, key.level)?;
    if key.row < level.tiles_down() && key.col < level.tiles_across() {
        return Ok((level, level.place(key)));
    }
    let (down, across) = (level.tiles_down(), level.tiles_across());
    let message = format!("expected a tile of {down} × {across}, got {key}");
    Err(Error::new(ErrorKind::Address, message))
}

fn level_of(facts: &SlideFacts, level: usize) -> Result<&Level, Error> {
    facts.levels.get(level).ok_or_else(|| {
        let n = facts.levels.len();
        let message = format!("expected a level below {n}, got {level}");
        Error::new(ErrorKind::Address, message)
    })
}

/// Most pixels of one region.
const MAX_REGION_PIXELS: usize = 64 << 20;

/// Any part of a level, put together from its tiles. What sticks out of the level is [`GLASS`].
///
/// # Errors
/// `Address` without such a level, `TooLarge` beyond 64 million pixels, and those of
/// [`TileSource::read_tile`].
pub fn read_region(
    source: &dyn TileSource,
    level_idx: usize,
    window: PixelBox,
) -> Result<Rgb, Error> {
    let level = level_of(source.facts(), level_idx)?;
    if window.rows.saturating_mul(window.cols) > MAX_REGION_PIXELS {
        return Err(too_large(format!(
            "expected a region of at most {MAX_REGION_PIXELS} pixels, got {} × {}",
            window.rows, window.cols
        )));
    }
    let mut region = Image::filled(window.rows, window.cols, GLASS);
    let inside = window.intersect(PixelBox::whole(level.rows, level.cols));
    if inside.area() == 0 {
        return Ok(region);
    }
    for row in inside.row / level.tile_rows..=(inside.row_end() - 1) / level.tile_rows {
        for col in inside.col / level.tile_cols..=(inside.col_end() - 1) / level.tile_cols {
            let key = TileKey {
                level: level_idx,
                row,
                col,
            };
            let tile = source.read_tile(key)?;
            copy_shared(&tile, level.place(key), &mut region, window);
        }
    }
    Ok(region)
}

/// Copies the pixels that a tile and a region share.
fn copy_shared(tile: &Rgb, place: PixelBox, region: &mut Rgb, window: PixelBox) {
    let shared = place.intersect(window);
    let cols = region.cols();
    for row in shared.row..shared.row_end() {
        let from = shared.col - place.col;
        let to = (row - window.row) * cols + shared.col - window.col;
        let line = &tile.row(row - place.row)[from..from + shared.cols];
        region.pixels_mut()[to..to + shared.cols].copy_from_slice(line);
    }
}

/// Pixels of a slide are square; those that are not by more than a hundredth are not read as if.
pub(crate) fn square(rows: f64, cols: f64) -> Result<Mpp, String> {
    let mpp = |v| Mpp::new(v).map_err(|e| e.reason().to_owned());
    let (rows, cols) = (mpp(rows)?.microns(), mpp(cols)?.microns());
    match (rows / cols - 1.0).abs() <= 0.01 {
        true => mpp((rows + cols) / 2.0),
        false => Err(format!(
            "expected square pixels, got {rows} × {cols} microns"
        )),
    }
}

/// How many pixels of the finer image one of the coarser spans: a whole number where both sides
/// are that many times shorter, rounded either way; else the ratio, if both sides agree on it.
pub(crate) fn step_between(fine: (usize, usize), coarse: (usize, usize)) -> Option<f64> {
    let ratio = |fine: usize, coarse: usize| fine as f64 / coarse as f64;
    let (rows, cols) = (ratio(fine.0, coarse.0), ratio(fine.1, coarse.1));
    let whole = rows.min(cols).round().max(1.0) as usize;
    let is_step = |fine: usize, coarse: usize, step: usize| {
        fine / step == coarse || fine.div_ceil(step) == coarse
    };
    let agreed = [whole, whole + 1]
        .into_iter()
        .find(|&step| is_step(fine.0, coarse.0, step) && is_step(fine.1, coarse.1, step));
    match agreed {
        Some(step) => Some(step as f64),
        // Small images are rounded by more.
        None if rows >= 1.0 && (rows / cols - 1.0).abs() <= 0.02 => Some((rows * cols).sqrt()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_whole_where_rounding_explains_the_sizes() {
        let cases = [
            ((3567, 4443), (1783, 2221), Some(2.0)),
            ((100, 200), (25, 50), Some(4.0)),
            ((250, 300), (31, 37), Some(8.0)),
            ((250, 300), (31, 38), Some(8.0)),
            ((100, 200), (100, 200), Some(1.0)),
            ((100, 200), (50, 50), None),
            ((100, 200), (200, 400), None),
        ];
        for (fine, coarse, expected) in cases {
            assert_eq!(step_between(fine, coarse), expected, "{fine:?} {coarse:?}");
        }
        let uneven = step_between((1000, 2000), (300, 600)).unwrap();
        assert!((uneven - 10.0 / 3.0).abs() < 1e-9);
    }
}
