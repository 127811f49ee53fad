//! A synthetic slide as a pyramid in one TIFF file.
//!
//! Owns: the order in which tiles are drawn and halved, the file's bytes: TIFF 6.0 with JPEG tiles
//! (Technical Note 2), BigTIFF where more than 4 GiB could be needed. The crate `tiff` writes neither
//! tiles nor JPEG.

mod field;

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use lobule_exam::PixelBox;
use lobule_raster::Image;
use rayon::prelude::*;

use self::field::{Field, Value, Width};
use super::SyntheticSlide;
use crate::{Error, ErrorKind};

/// Pixels of a tile's side.
const SIDE: usize = 256;
const QUALITY: u8 = 85;
/// The last level has no longer side.
const SMALLEST: usize = 512;
/// A tile of this level is made, with all that it is made from, before anything is written.
const BLOCK: usize = 3;
/// Pixels of level 0 from which on offsets have 64 bits: uncompressed, all levels would not fit in 32.
const WIDE_FROM: usize = 1 << 30;

type Tile = Image<[u8; 3]>;

/// Writes a slide as tiled, pyramidal TIFF, each level half of the one before. What is in memory does
/// not grow with the slide, but for 12 bytes per tile. The same slide makes the same bytes.
///
/// # Errors
/// `Io` when the file cannot be written.
///
/// ```no_run
/// use lobule_phantom::slide::{SlidePlan, SyntheticSlide, write_tiff};
/// let slide = SyntheticSlide::new(SlidePlan::default(), 7);
/// write_tiff(&slide, "synthetic.tif".as_ref())?;
/// # Ok::<(), lobule_phantom::Error>(())
/// ```
pub fn write_tiff(slide: &SyntheticSlide, file: &Path) -> Result<(), Error> {
    let width = match slide.plan().rows * slide.plan().cols >= WIDE_FROM {
        true => Width::Big,
        false => Width::Classic,
    };
    write(slide, file, width).map_err(|e| Error::new(ErrorKind::Io, file, &e))
}

fn write(slide: &SyntheticSlide, file: &Path, width: Width) -> std::io::Result<()> {
    let mut pyramid = Pyramid::new(slide, File::create(file)?, width)?;
    let top = pyramid.levels.len() - 1;
    for row in 0..pyramid.levels[top].down() {
        for col in 0..pyramid.levels[top].across() {
            pyramid.make(top, row, col)?;
        }
    }
    pyramid.finish()
}

/// Where the tiles of a level are.
struct Level {
    rows: usize,
    cols: usize,
    offsets: Vec<u64>,
    lengths: Vec<u32>,
}

impl Level {
    fn new(rows: usize, cols: usize) -> Level {
        let tiles = rows.div_ceil(SIDE) * cols.div_ceil(SIDE);
        Level {
            rows,
            cols,
            offsets: vec![0; tiles],
            lengths: vec![0; tiles],
        }
    }

    fn down(&self) -> usize {
        self.rows.div_ceil(SIDE)
    }

    fn across(&self) -> usize {
        self.cols.div_ceil(SIDE)
    }

    fn has(&self, row: usize, col: usize) -> bool {
        row < self.down() && col < self.across()
    }
}

struct Pyramid<'a> {
    slide: &'a SyntheticSlide,
    out: BufWriter<File>,
    /// Bytes written.
    at: u64,
    width: Width,
    levels: Vec<Level>,
}

/// A tile and its bytes in the file.
struct Coded {
    tile: Tile,
    bytes: Vec<u8>,
}

impl<'a> Pyramid<'a> {
    fn new(slide: &'a SyntheticSlide, file: File, width: Width) -> std::io::Result<Pyramid<'a>> {
        let (mut rows, mut cols) = (slide.plan().rows, slide.plan().cols);
        let mut levels = vec![Level::new(rows, cols)];
        while rows.max(cols) > SMALLEST {
            (rows, cols) = (rows.div_ceil(2), cols.div_ceil(2));
            levels.push(Level::new(rows, cols));
        }
        let mut pyramid = Pyramid {
            slide,
            out: BufWriter::with_capacity(1 << 20, file),
            at: 0,
            width,
            levels,
        };
        pyramid.put(&width.header(0))?;
        Ok(pyramid)
    }

    fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Makes and writes a tile of a level after all that it is made from, and gives its pixels.
    fn make(&mut self, level: usize, row: usize, col: usize) -> std::io::Result<Tile> {
        if level <= BLOCK {
            return self.block(level, row, col);
        }
        let mut quarters = Vec::with_capacity(4);
        for (down, right) in QUARTERS {
            let (row, col) = (2 * row + down, 2 * col + right);
            quarters.push(match self.levels[level - 1].has(row, col) {
                true => Some(self.make(level - 1, row, col)?),
                false => None,
            });
        }
        let coded = coded(halved(&quarters))?;
        self.store(level, row, col, coded)
    }

    /// The same, level by level and on all threads, for the lowest levels.
    fn block(&mut self, level: usize, row: usize, col: usize) -> std::io::Result<Tile> {
        let side = 1 << level;
        let slide = self.slide;
        let mut tiles: Vec<Option<Tile>> = Vec::new();
        for low in 0..=level {
            let side = side >> low;
            let places: Vec<(usize, usize)> = (0..side * side)
                .map(|i| (row * side + i / side, col * side + i % side))
                .collect();
            let table = &self.levels[low];
            let made: std::io::Result<Vec<Option<Coded>>> = places
                .par_iter()
                .enumerate()
                .map(|(i, &(row, col))| match (table.has(row, col), low) {
                    (false, _) => Ok(None),
                    (true, 0) => coded(drawn(slide, row, col)).map(Some),
                    (true, _) => coded(halved(&quarters(&tiles, i, side))).map(Some),
                })
                .collect();
            let mut stored = Vec::with_capacity(places.len());
            for (&(row, col), coded) in places.iter().zip(made?) {
                stored.push(match coded {
                    Some(coded) => Some(self.store(low, row, col, coded)?),
                    None => None,
                });
            }
            tiles = stored;
        }
        let made = tiles.pop().flatten();
        Ok(made.expect("only tiles that exist are asked for"))
    }

    fn store(
        &mut self,
        level: usize,
        row: usize,
        col: usize,
        coded: Coded,
    ) -> std::io::Result<Tile> {
        let at = self.at;
        let table = &mut self.levels[level];
        let i = row * table.across() + col;
        (table.offsets[i], table.lengths[i]) = (at, coded.bytes.len() as u32);
        self.put(&coded.bytes)?;
        Ok(coded.tile)
    }

    /// Writes the directories, and where they begin into the header.
    fn finish(mut self) -> std::io::Result<()> {
        let levels = std::mem::take(&mut self.levels);
        let mut starts = Vec::new();
        let mut nexts = Vec::new();
        for (number, level) in levels.iter().enumerate() {
            let fields = self.fields(number, level);
            let (start, next) = self.directory(&fields)?;
            starts.push(start);
            nexts.push(next);
        }
        let mut file = self.out.into_inner().map_err(|e| e.into_error())?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&self.width.header(starts[0]))?;
        for (next, start) in nexts.iter().zip(&starts[1..]) {
            file.seek(SeekFrom::Start(*next))?;
            file.write_all(&self.width.number(*start))?;
        }
        file.flush()
    }

    fn fields(&self, number: usize, level: &Level) -> Vec<Field> {
        let plan = self.slide.plan();
        let microns = plan.mpp * (1 << number) as f64;
        // Pixels per centimetre, in thousandths.
        let resolution = Value::Ratio((1e7 / microns).round() as u32, 1000);
        let description = format!(
            "SYNTHETIC H&E slide, not a patient: Lobule phantom, planted grade {}, seed {}, {} microns per pixel",
            plan.grade,
            self.slide.seed(),
            plan.mpp
        );
        let lengths = level.lengths.iter().map(|&n| u64::from(n)).collect();
        let field = |tag, value| Field { tag, value };
        vec![
            field(254, Value::Long(u32::from(number > 0))),
            field(256, Value::Long(level.cols as u32)),
            field(257, Value::Long(level.rows as u32)),
            field(258, Value::Shorts(vec![8, 8, 8])),
            field(259, Value::Shorts(vec![7])),
            field(262, Value::Shorts(vec![6])),
            field(270, Value::Text(description)),
            field(277, Value::Shorts(vec![3])),
            field(282, resolution.clone()),
            field(283, resolution),
            field(284, Value::Shorts(vec![1])),
            field(296, Value::Shorts(vec![3])),
            field(305, Value::Text("Lobule phantom (SYNTHETIC)".into())),
            field(322, Value::Long(SIDE as u32)),
            field(323, Value::Long(SIDE as u32)),
            field(324, Value::Offsets(level.offsets.clone())),
            field(325, Value::Offsets(lengths)),
            field(530, Value::Shorts(vec![1, 1])),
        ]
    }

    /// Where the directory begins, and where in it the place of the next one stands.
    fn directory(&mut self, fields: &[Field]) -> std::io::Result<(u64, u64)> {
        let mut entries = Vec::new();
        for field in fields {
            let (kind, count, mut bytes) = field.value.stored(self.width);
            if bytes.len() > self.width.bytes() {
                if self.at % 2 == 1 {
                    self.put(&[0])?;
                }
                let place = self.width.number(self.at);
                self.put(&bytes)?;
                bytes = place;
            }
            bytes.resize(self.width.bytes(), 0);
            entries.extend(field.tag.to_le_bytes());
            entries.extend(kind.to_le_bytes());
            entries.extend(self.width.number(count));
            entries.extend(bytes);
        }
        if self.at % 2 == 1 {
            self.put(&[0])?;
        }
        let start = self.at;
        let count = fields.len() as u64;
        match self.width {
            Width::Classic => self.put(&(count as u16).to_le_bytes())?,
            Width::Big => self.put(&count.to_le_bytes())?,
        }
        self.put(&entries)?;
        let next = self.at;
        self.put(&self.width.number(0))?;
        Ok((start, next))
    }
}

const QUARTERS: [(usize, usize); 4] = [(0, 0), (0, 1), (1, 0), (1, 1)];

/// The four tiles below tile `i` of a square of `side`.
fn quarters(tiles: &[Option<Tile>], i: usize, side: usize) -> Vec<Option<Tile>> {
    let (row, col) = (i / side, i % side);
    let below = |(down, right): (usize, usize)| {
        tiles[(2 * row + down) * 2 * side + 2 * col + right].clone()
    };
    QUARTERS.map(below).into()
}

/// Beyond the slide's edge the drawing goes on, so that every tile is whole.
fn drawn(slide: &SyntheticSlide, row: usize, col: usize) -> Tile {
    slide.draw(PixelBox {
        row: row * SIDE,
        col: col * SIDE,
        rows: SIDE,
        cols: SIDE,
    })
}

/// Means of two by two pixels; what does not exist is never looked at.
fn halved(quarters: &[Option<Tile>]) -> Tile {
    let mut half = Image::filled(SIDE, SIDE, [255; 3]);
    for ((down, right), tile) in QUARTERS.into_iter().zip(quarters) {
        let Some(tile) = tile else { continue };
        for row in 0..SIDE / 2 {
            let (above, below) = (tile.row(2 * row), tile.row(2 * row + 1));
            let start = (down * SIDE / 2 + row) * SIDE + right * SIDE / 2;
            let out = &mut half.pixels_mut()[start..start + SIDE / 2];
            for (col, pixel) in out.iter_mut().enumerate() {
                let four = [
                    above[2 * col],
                    above[2 * col + 1],
                    below[2 * col],
                    below[2 * col + 1],
                ];
                *pixel = [0, 1, 2].map(|c| {
                    let sum: u16 = four.iter().map(|p| u16::from(p[c])).sum();
                    ((sum + 2) / 4) as u8
                });
            }
        }
    }
    half
}

fn coded(tile: Tile) -> std::io::Result<Coded> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    let side = SIDE as u32;
    encoder
        .encode(
            tile.pixels().as_flattened(),
            side,
            side,
            ExtendedColorType::Rgb8,
        )
        .map_err(std::io::Error::other)?;
    Ok(Coded { tile, bytes })
}

#[cfg(test)]
mod tests {
    use lobule_slide::{SlideLimits, open_slide, read_region};

    use super::*;
    use crate::slide::SlidePlan;

    #[test]
    fn both_widths_hold_the_same_slide() {
        let folder = tempfile::tempdir().unwrap();
        let plan = SlidePlan {
            rows: 900,
            cols: 1100,
            ..SlidePlan::default()
        };
        let slide = SyntheticSlide::new(plan, 1);
        let whole = |width, name: &str, level: usize| {
            let file = folder.path().join(name);
            write(&slide, &file, width).unwrap();
            let read = open_slide(&file, &SlideLimits::default()).unwrap();
            let size = &read.facts().levels[level];
            read_region(&*read, level, PixelBox::whole(size.rows, size.cols)).unwrap()
        };
        for level in 0..3 {
            let classic = whole(Width::Classic, "classic.tif", level);
            assert_eq!(classic, whole(Width::Big, "big.tif", level));
        }
    }
}
