//! Slides in TIFF files: Aperio's, OME's and others.

mod aperio;
mod directory;
mod ome;
mod page;
mod roles;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lobule_raster::Image;

use crate::error::damaged;
use crate::source::{GLASS, locate, square, step_between};
use crate::{Error, LeftOut, Level, Mpp, Rgb, SlideFacts, SlideLimits, TileKey, TileSource};
use directory::{Chain, Dialect, Source};
use page::{Page, Tiles};
use roles::Roles;

/// A TIFF file and where its tiles are.
#[derive(Debug)]
pub(crate) struct TiffSlide {
    path: PathBuf,
    source: Source,
    facts: SlideFacts,
    tiles: Vec<Tiles>,
}

impl TiffSlide {
    pub(crate) fn open(path: &Path, file: File, limits: &SlideLimits) -> Result<TiffSlide, Error> {
        let source = Source::new(file)?;
        let (dialect, first) = Dialect::read(&source)?;
        let (mut pages, mut broken) = (Vec::new(), Vec::new());
        for (i, (main, below)) in Chain::read(&source, dialect, first)?
            .into_iter()
            .enumerate()
        {
            let main = Page::read(&source, dialect, main);
            let below = below.into_iter().map(|d| Page::read(&source, dialect, d));
            let below: Vec<Page> = below
                .filter_map(|page| kept(page, i, &mut broken))
                .collect();
            match main {
                Err(e) if i == 0 => return Err(e.at("image 0")),
                main => pages.extend(kept(main, i, &mut broken).map(|main| (main, below))),
            }
        }
        if pages.is_empty() {
            return Err(damaged("expected an image, got none"));
        }
        let mut roles = Roles::of(pages)?;
        if roles.mpp.is_none() {
            roles.mpp = Some(scale_by_tags(&roles.levels[0], &source, dialect)?);
        }
        let (levels, tiles) = read_levels(&mut roles, &source, dialect, limits)?;
        let is_synthetic = says_synthetic(&roles.levels[0].description);
        let facts = SlideFacts {
            format: roles.format,
            levels,
            mpp: roles.mpp.unwrap_or_else(|| Err("nothing states it".into())),
            magnification: roles.magnification.filter(|m| m.is_finite() && *m > 0.0),
            icc_bytes: roles.levels[0].icc_bytes,
            left_out: roles.left_out.into_iter().chain(broken).collect(),
            notes: Vec::new(),
            is_synthetic,
        };
        Ok(TiffSlide {
            path: path.to_owned(),
            source,
            facts,
            tiles,
        })
    }
}

/// As the phantom writes it; elsewhere the word may be part of a longer description.
fn says_synthetic(description: &str) -> bool {
    let mut words = description.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| word.eq_ignore_ascii_case("synthetic"))
}

/// An image whose tags make no sense must not take the others with it.
fn kept(page: Result<Page, Error>, index: usize, broken: &mut Vec<LeftOut>) -> Option<Page> {
    page.map_err(|e| {
        broken.push(LeftOut {
            name: format!("image {index}"),
            size: None,
            reason: e.reason().into(),
        });
    })
    .ok()
}

/// A level that cannot be read is left out with its reason; level 0 must be readable.
fn read_levels(
    roles: &mut Roles,
    source: &Source,
    dialect: Dialect,
    limits: &SlideLimits,
) -> Result<(Vec<Level>, Vec<Tiles>), Error> {
    let (mut levels, mut all) = (Vec::new(), Vec::new());
    let finest = (roles.levels[0].rows, roles.levels[0].cols);
    for page in &roles.levels {
        let (rows, cols) = (page.rows, page.cols);
        let tiles = match page.tiles(source, dialect, limits) {
            Ok(tiles) => tiles,
            Err(e) if levels.is_empty() => return Err(e.at("level 0")),
            Err(e) => {
                roles.left_out.push(LeftOut {
                    name: "level".into(),
                    size: Some((rows, cols)),
                    reason: e.reason().into(),
                });
                continue;
            }
        };
        let (absent_tiles, lost_tiles) = tiles.missing(source);
        levels.push(Level {
            rows,
            cols,
            tile_rows: tiles.tile_rows,
            tile_cols: tiles.tile_cols,
            downsample: step_between(finest, (rows, cols)).unwrap_or(1.0),
            absent_tiles,
            lost_tiles,
        });
        all.push(tiles);
    }
    Ok((levels, all))
}

fn scale_by_tags(
    page: &Page,
    source: &Source,
    dialect: Dialect,
) -> Result<Result<Mpp, String>, Error> {
    Ok(match page.microns_per_pixel(source, dialect)? {
        None => Err("the file states no resolution".into()),
        Some((rows, cols)) => square(rows, cols),
    })
}

impl TileSource for TiffSlide {
    fn facts(&self) -> &SlideFacts {
        &self.facts
    }

    fn read_tile(&self, key: TileKey) -> Result<Arc<Rgb>, Error> {
        let read = || {
            let (level, place) = locate(&self.facts, key)?;
            let tiles = &self.tiles[key.level];
            let wanted = (place.rows, place.cols);
            let stored = tiles
                .stored(&self.source, key.row, key.col)
                .map_err(|e| e.at(key))?;
            if stored.is_empty() {
                return Ok(Image::filled(place.rows, place.cols, GLASS));
            }
            let whole = (level.tile_rows, level.tile_cols);
            tiles
                .coding
                .decode(&stored, whole, wanted)
                .map_err(|e| e.at(key))
        };
        read()
            .map(Arc::new)
            .map_err(|e: Error| e.in_file(&self.path))
    }
}
