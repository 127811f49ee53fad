//! A slide cut into equal squares at a wanted resolution.
//!
//! Owns: which level is read, the squares' places in whole pixels of the grid, the one resampling.
//! Does not own: stored tiles (`source`), which squares hold tissue.

use lobule_exam::{Affine, PixelBox};
use rayon::prelude::*;

use crate::resample::resample;
use crate::source::read_region;
use crate::{Error, ErrorKind, Mpp, Rgb, TileSource};

/// Resolutions that differ by less count as equal: the level's pixels are taken as they are.
const SAME_SCALE: f64 = 0.01;
/// How much finer than level 0 the wanted resolution may be: scanners for one magnification differ.
const MOST_ENLARGEMENT: f64 = 1.25;
/// Largest side of a square.
const MAX_SIDE: usize = 4096;

/// How a slide is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GridConfig {
    /// Pixels of a square's side, in the wanted resolution.
    pub side: usize,
    /// Pixels that neighbours share, less than `side`.
    pub overlap: usize,
    /// Wanted microns per pixel.
    pub mpp: f64,
}

impl Default for GridConfig {
    /// 598 pixels at 20×, as 0.5 µm per pixel, without overlap.
    fn default() -> GridConfig {
        GridConfig {
            side: 598,
            overlap: 0,
            mpp: 0.5,
        }
    }
}

/// A square of a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GridKey {
    /// Row from the top.
    pub row: usize,
    /// Column from the left.
    pub col: usize,
}

/// Squares that cover a slide. Those at the right and lower edge stick out and are filled with
/// glass.
#[derive(Debug, Clone, PartialEq)]
pub struct TileGrid {
    config: GridConfig,
    level: usize,
    mpp: Mpp,
    /// Pixels of the level per pixel of the grid.
    scale: f64,
    /// Pixels of the slide at the grid's resolution.
    size: (usize, usize),
    rows: usize,
    cols: usize,
}

impl TileGrid {
    /// Cuts a slide whose microns per pixel the file states.
    ///
    /// The level is the coarsest that is not coarser than wanted. Where it has the wanted resolution
    /// within a hundredth, its pixels are taken as they are; else they are resampled once. A slide
    /// whose finest level is coarser by up to a quarter is enlarged.
    ///
    /// # Errors
    /// `NoScale` where microns per pixel are not known, or where no level is fine enough; `Address`
    /// for a side of 0 or beyond 4096, or an overlap that is not smaller.
    pub fn new(source: &dyn TileSource, config: GridConfig) -> Result<TileGrid, Error> {
        let stated = source.facts().mpp.as_ref();
        let finest = stated.map_err(|reason| {
            let message = format!("expected microns per pixel, got none: {reason}");
            Error::new(ErrorKind::NoScale, message)
        })?;
        TileGrid::with_mpp(source, config, *finest)
    }

    /// The same for a slide whose finest level is known, by other means than its file, to have
    /// `finest` microns per pixel.
    ///
    /// # Errors
    /// As [`TileGrid::new`].
    pub fn with_mpp(
        source: &dyn TileSource,
        config: GridConfig,
        finest: Mpp,
    ) -> Result<TileGrid, Error> {
        let GridConfig { side, overlap, mpp } = config;
        if side == 0 || side > MAX_SIDE || overlap >= side {
            let message = format!(
                "expected a side of 1 to {MAX_SIDE} pixels and a smaller overlap, got {side}, {overlap}"
            );
            return Err(Error::new(ErrorKind::Address, message));
        }
        let wanted = Mpp::new(mpp)?.microns() / finest.microns();
        if wanted * MOST_ENLARGEMENT < 1.0 {
            let message = format!(
                "expected pixels of at most {:.4} microns for {mpp}, got {:.4}",
                mpp * MOST_ENLARGEMENT,
                finest.microns()
            );
            return Err(Error::new(ErrorKind::NoScale, message));
        }
        let levels = &source.facts().levels;
        let enough = |&&i: &&usize| levels[i].downsample <= wanted * (1.0 + SAME_SCALE);
        let order: Vec<usize> = (0..levels.len()).collect();
        let level = order.iter().filter(enough).max_by(|&&a, &&b| {
            levels[a]
                .downsample
                .total_cmp(&levels[b].downsample)
                .then(b.cmp(&a))
        });
        let level = level.copied().unwrap_or(0);
        let exact = wanted / levels[level].downsample;
        let scale = if (exact - 1.0).abs() <= SAME_SCALE {
            1.0
        } else {
            exact
        };
        let stride = side - overlap;
        let covered = |pixels: usize| (pixels as f64 / scale).ceil() as usize;
        let size = (covered(levels[level].rows), covered(levels[level].cols));
        let squares = |pixels: usize| pixels.saturating_sub(overlap).div_ceil(stride).max(1);
        Ok(TileGrid {
            config,
            level,
            mpp: Mpp::new(finest.microns() * levels[level].downsample * scale)?,
            scale,
            rows: squares(size.0),
            cols: squares(size.1),
            size,
        })
    }

    /// Squares from top to bottom.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Squares from left to right.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Rows and columns of the whole slide's pixels at the grid's resolution.
    pub fn size(&self) -> (usize, usize) {
        self.size
    }

    /// How the slide is cut.
    pub fn config(&self) -> GridConfig {
        self.config
    }

    /// Microns per pixel of what is read, within a hundredth of those wanted.
    pub fn mpp(&self) -> Mpp {
        self.mpp
    }

    /// The level that is read.
    pub fn level(&self) -> usize {
        self.level
    }

    /// All squares, row by row.
    pub fn keys(&self) -> Vec<GridKey> {
        let row = |row| (0..self.cols).map(move |col| GridKey { row, col });
        (0..self.rows).flat_map(row).collect()
    }

    /// Where a square lies, in pixels of the grid's resolution.
    pub fn place(&self, key: GridKey) -> PixelBox {
        let stride = self.config.side - self.config.overlap;
        PixelBox {
            row: key.row * stride,
            col: key.col * stride,
            rows: self.config.side,
            cols: self.config.side,
        }
    }

    /// Takes a point of a square to the slide's level 0.
    pub fn slide_from_tile(&self, source: &dyn TileSource, key: GridKey) -> Affine {
        let place = self.place(key);
        let step = self.scale * source.facts().levels[self.level].downsample;
        Affine::resample(step, step).compose(&Affine::translate(place.row as f64, place.col as f64))
    }

    /// The pixels of a square. Neighbours agree exactly where they overlap.
    ///
    /// # Errors
    /// `Address` for a square that is none of the grid's, and those of
    /// [`TileSource::read_tile`](crate::TileSource::read_tile).
    pub fn read(&self, source: &dyn TileSource, key: GridKey) -> Result<Rgb, Error> {
        if key.row >= self.rows || key.col >= self.cols {
            let (rows, cols) = (self.rows, self.cols);
            let message = format!("expected a square of {rows} × {cols}, got {key:?}");
            return Err(Error::new(ErrorKind::Address, message));
        }
        let place = self.place(key);
        if self.scale == 1.0 {
            return read_region(source, self.level, place);
        }
        resample(source, self.level, place, self.scale)
    }
}

/// Reads squares on all threads and hands each to `work` as soon as it is there, in any order. Not
/// more squares are in memory than there are threads.
///
/// ```no_run
/// # use lobule_slide::{GridConfig, SlideLimits, TileGrid, for_each_tile, open_slide};
/// let slide = open_slide("slide.svs".as_ref(), &SlideLimits::default())?;
/// let grid = TileGrid::new(&*slide, GridConfig::default())?;
/// for_each_tile(&*slide, &grid, &grid.keys(), |key, tile| match tile {
///     Ok(tile) => println!("{key:?}: {} rows", tile.rows()),
///     Err(reason) => eprintln!("{key:?}: {reason}"),
/// });
/// # Ok::<(), lobule_slide::Error>(())
/// ```
pub fn for_each_tile(
    source: &dyn TileSource,
    grid: &TileGrid,
    keys: &[GridKey],
    work: impl Fn(GridKey, Result<Rgb, Error>) + Sync,
) {
    keys.par_iter()
        .for_each(|&key| work(key, grid.read(source, key)));
}
