//! One image of a TIFF file: what its tags say about pixels.
//!
//! Owns: the tags of TIFF 6.0 and their defaults. Does not own: which image is a level (`roles`).

use super::directory::{Dialect, Directory, Source};
use crate::codec::{Coding, Compression, Meaning};
use crate::error::{damaged, too_large, unsupported};
use crate::{Error, SlideLimits};

/// Tags (TIFF 6.0 section 8 and 15, technical note 2).
mod tags {
    pub const SUBFILE_TYPE: u16 = 254;
    pub const COLS: u16 = 256;
    pub const ROWS: u16 = 257;
    pub const BITS: u16 = 258;
    pub const COMPRESSION: u16 = 259;
    pub const PHOTOMETRIC: u16 = 262;
    pub const DESCRIPTION: u16 = 270;
    pub const STRIP_OFFSETS: u16 = 273;
    pub const SAMPLES: u16 = 277;
    pub const ROWS_PER_STRIP: u16 = 278;
    pub const STRIP_LENGTHS: u16 = 279;
    pub const COL_RESOLUTION: u16 = 282;
    pub const ROW_RESOLUTION: u16 = 283;
    pub const PLANAR: u16 = 284;
    pub const RESOLUTION_UNIT: u16 = 296;
    pub const PREDICTOR: u16 = 317;
    pub const TILE_COLS: u16 = 322;
    pub const TILE_ROWS: u16 = 323;
    pub const TILE_OFFSETS: u16 = 324;
    pub const TILE_LENGTHS: u16 = 325;
    pub const SAMPLE_FORMAT: u16 = 339;
    pub const JPEG_TABLES: u16 = 347;
    pub const ICC: u16 = 34675;
}

/// Longest side of an image.
const MAX_SIDE: u64 = 1 << 26;

/// An image before its table of tiles is read.
#[derive(Debug)]
pub(super) struct Page {
    directory: Directory,
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// In tiles, not in strips.
    pub(super) is_tiled: bool,
    /// NewSubfileType: 1 for a reduced copy.
    pub(super) subfile_type: u64,
    pub(super) description: String,
    pub(super) icc_bytes: Option<u64>,
    pub(super) samples: usize,
}

/// An image whose tiles can be read.
#[derive(Debug)]
pub(super) struct Tiles {
    pub(super) tile_rows: usize,
    pub(super) tile_cols: usize,
    pub(super) coding: Coding,
    /// Planes one after the other where colours are stored apart.
    places: Vec<(u64, u64)>,
    per_plane: usize,
    cols: usize,
}

impl Page {
    pub(super) fn read(
        source: &Source,
        dialect: Dialect,
        directory: Directory,
    ) -> Result<Page, Error> {
        let number = |tag| directory.number(source, dialect, tag);
        let side = |tag, name: &str| match number(tag)? {
            Some(side @ 1..=MAX_SIDE) => Ok(side as usize),
            Some(side) => Err(damaged(format!(
                "expected 1 to {MAX_SIDE} {name}, got {side}"
            ))),
            None => Err(damaged(format!("expected a number of {name}, got none"))),
        };
        Ok(Page {
            rows: side(tags::ROWS, "rows")?,
            cols: side(tags::COLS, "columns")?,
            is_tiled: directory.has(tags::TILE_OFFSETS),
            subfile_type: number(tags::SUBFILE_TYPE)?.unwrap_or(0),
            samples: number(tags::SAMPLES)?.unwrap_or(1) as usize,
            description: directory.text(source, tags::DESCRIPTION)?,
            icc_bytes: directory.length(tags::ICC),
            directory,
        })
    }

    /// Microns per pixel by the resolution tags; nothing where they state no unit of length.
    pub(super) fn microns_per_pixel(
        &self,
        source: &Source,
        dialect: Dialect,
    ) -> Result<Option<(f64, f64)>, Error> {
        let quotient = |tag| self.directory.quotient(source, dialect, tag);
        let unit = self
            .directory
            .number(source, dialect, tags::RESOLUTION_UNIT)?;
        let microns = match unit.unwrap_or(2) {
            2 => 25_400.0,
            3 => 10_000.0,
            _ => return Ok(None),
        };
        let rows = quotient(tags::ROW_RESOLUTION)?;
        let cols = quotient(tags::COL_RESOLUTION)?;
        Ok(rows.zip(cols).map(|(r, c)| (microns / r, microns / c)))
    }

    /// Reads where the tiles are.
    ///
    /// # Errors
    /// `Unsupported` for pixels that are not read here, `TooLarge` beyond the limits, `Damaged`
    /// where the table does not fit the image.
    pub(super) fn tiles(
        &self,
        source: &Source,
        dialect: Dialect,
        limits: &SlideLimits,
    ) -> Result<Tiles, Error> {
        let (tile_rows, tile_cols) = self.tile_size(source, dialect)?;
        let pixels = tile_rows.saturating_mul(tile_cols);
        if tile_rows == 0 || tile_cols == 0 || pixels > limits.max_tile_pixels {
            return Err(too_large(format!(
                "expected tiles of 1 to {} pixels, got {tile_rows} × {tile_cols}",
                limits.max_tile_pixels
            )));
        }
        let coding = self.coding(source, dialect)?;
        let (tile_rows, tile_cols) = (tile_rows as usize, tile_cols as usize);
        let per_plane = (self.rows.div_ceil(tile_rows) as u64)
            .saturating_mul(self.cols.div_ceil(tile_cols) as u64);
        let planes = if coding.is_planar {
            self.samples as u64
        } else {
            1
        };
        let needed = per_plane.saturating_mul(planes);
        if needed > limits.max_tiles {
            let message = format!("expected at most {} tiles, got {needed}", limits.max_tiles);
            return Err(too_large(message));
        }
        let table = |tag| -> Result<Vec<u64>, Error> {
            let values = self
                .directory
                .numbers(source, dialect, tag, limits.max_tiles)?;
            match values.len() as u64 >= needed {
                true => Ok(values),
                false => Err(damaged(format!(
                    "expected a table of {needed} tiles, got {}",
                    values.len()
                ))),
            }
        };
        let (offsets, lengths) = match self.is_tiled {
            true => (table(tags::TILE_OFFSETS)?, table(tags::TILE_LENGTHS)?),
            false => (table(tags::STRIP_OFFSETS)?, table(tags::STRIP_LENGTHS)?),
        };
        Ok(Tiles {
            tile_rows,
            tile_cols,
            coding,
            places: offsets
                .into_iter()
                .zip(lengths)
                .take(needed as usize)
                .collect(),
            per_plane: per_plane as usize,
            cols: self.cols,
        })
    }

    fn tile_size(&self, source: &Source, dialect: Dialect) -> Result<(u64, u64), Error> {
        let number = |tag| self.directory.number(source, dialect, tag);
        if self.is_tiled {
            let (rows, cols) = (number(tags::TILE_ROWS)?, number(tags::TILE_COLS)?);
            let size = rows.zip(cols);
            return size.ok_or_else(|| damaged("expected the size of a tile, got none"));
        }
        let rows = number(tags::ROWS_PER_STRIP)?.unwrap_or(self.rows as u64);
        Ok((rows.min(self.rows as u64), self.cols as u64))
    }

    fn coding(&self, source: &Source, dialect: Dialect) -> Result<Coding, Error> {
        let number = |tag| self.directory.number(source, dialect, tag);
        let compression = Compression::of(number(tags::COMPRESSION)?.unwrap_or(1))?;
        let bits = number(tags::BITS)?.unwrap_or(1);
        let format = number(tags::SAMPLE_FORMAT)?.unwrap_or(1);
        if !matches!(bits, 8 | 16) || format != 1 {
            return Err(unsupported(format!(
                "expected samples of 8 or 16 bits, got {bits} bits of format {format}"
            )));
        }
        let photometric = number(tags::PHOTOMETRIC)?;
        let meaning = Meaning::of(photometric, self.samples, compression)?;
        let is_planar = self.samples > 1 && number(tags::PLANAR)? == Some(2);
        let predictor = number(tags::PREDICTOR)?.unwrap_or(1);
        if is_planar && !compression.is_plain() {
            return Err(unsupported(
                "expected colours stored together, got them apart",
            ));
        }
        if !matches!(predictor, 1 | 2) || bits != 8 && !compression.is_plain() {
            return Err(unsupported(format!(
                "expected differences of whole samples, got predictor {predictor} of {bits} bits"
            )));
        }
        Ok(Coding {
            compression,
            meaning,
            samples: self.samples,
            bytes: bits as usize / 8,
            is_planar,
            has_differences: predictor == 2,
            big_endian: dialect.big_endian,
            jpeg_tables: self
                .directory
                .bytes(source, tags::JPEG_TABLES)?
                .unwrap_or_default(),
        })
    }
}

impl Tiles {
    /// The stored bytes of a tile, plane by plane; empty where the tile was not stored.
    pub(super) fn stored(
        &self,
        source: &Source,
        row: usize,
        col: usize,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let index = row * self.cols.div_ceil(self.tile_cols) + col;
        let places = self.places.iter().skip(index).step_by(self.per_plane);
        let stored = places.filter(|(_, length)| *length > 0);
        stored
            .map(|&(at, length)| source.bytes(at, length))
            .collect()
    }

    /// How many tiles were not stored, and how many lie outside the file.
    pub(super) fn missing(&self, source: &Source) -> (usize, usize) {
        let is_lost = |&&(at, length): &&(u64, u64)| at.saturating_add(length) > source.length;
        let absent = self
            .places
            .iter()
            .filter(|(_, length)| *length == 0)
            .count();
        (absent, self.places.iter().filter(is_lost).count())
    }
}
