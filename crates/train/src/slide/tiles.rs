//! From a slide to its tiles' features.
//!
//! Owns: which tiles are taken, their share of tumor, mirrored copies. Tissue, stains and the input are
//! those of assessing: `slide::survey`, `slide::slide_stains`, `raster::tile_input`. Does not own: what
//! is learnt from them (`fit`).

use std::path::Path;

use lobule_model::TileNet;
use lobule_raster::{Image, Stains, TileConfig, TileStain, sharpness, tile_input};
use lobule_slide::{
    CachedSource, GridConfig, GridKey, Mpp, Rgb, SurveyConfig, TileGrid, TileSource, Verdict,
    slide_stains, survey,
};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::case::{Regions, SlideCase};
use super::encoder::{Cache, Encoder};
use super::regions::{Area, Drawn};
use super::{Look, SlideOpener, SlideRunConfig, SlideSetConfig, SlideTask, TumorSource};
use crate::{Error, ErrorKind};

/// Decoded tiles of the file that are kept for the squares beside them.
const KEPT_BYTES: usize = 64 << 20;
/// Squares that are read before they are encoded.
const CHUNK: usize = 64;

/// The tiles of a slide, in the order of the grid.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tiles {
    pub(crate) keys: Vec<GridKey>,
    /// Share of tumor; not a number where it is unknown.
    pub(crate) shares: Vec<f32>,
    /// `[n, views, features]`; the first view is the tile as it is.
    pub(crate) features: Vec<f32>,
    pub(crate) views: usize,
    /// Whether the slide's stains could be told apart.
    pub(crate) stained: bool,
}

impl Tiles {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The features of a view of a tile.
    pub(crate) fn view(&self, tile: usize, view: usize) -> &[f32] {
        let start = (tile * self.views + view) * TileNet::FEATURES;
        &self.features[start..start + TileNet::FEATURES]
    }

    /// The chosen tiles, which are given in order.
    pub(crate) fn only(&self, chosen: &[usize]) -> Tiles {
        let width = self.views * TileNet::FEATURES;
        let features = chosen
            .iter()
            .map(|i| &self.features[i * width..(i + 1) * width]);
        Tiles {
            keys: chosen.iter().map(|&i| self.keys[i]).collect(),
            shares: chosen.iter().map(|&i| self.shares[i]).collect(),
            features: features.flatten().copied().collect(),
            ..*self
        }
    }
}

/// A square and its share of tumor, if that is known.
type Chosen = (GridKey, Option<f64>);

/// The squares of a slide.
struct Squares {
    grid: TileGrid,
    /// Those that may be taken.
    taken: Vec<GridKey>,
    /// Those that look like tissue from afar, in focus or not; empty where nobody looked.
    tissue: Vec<GridKey>,
}

/// What reading slides depends on.
pub(super) struct Reader<'a> {
    pub(super) config: &'a SlideRunConfig,
    pub(super) tile: TileConfig,
    pub(super) encoder: &'a Encoder,
    pub(super) cache: &'a Cache,
    pub(super) open: SlideOpener<'a>,
}

impl Reader<'_> {
    /// The tiles of a slide and its hash, from the cache where they are there.
    pub(super) fn read(
        &self,
        case: &SlideCase,
        set: &SlideSetConfig,
    ) -> Result<(Tiles, String), Error> {
        let digest = slide_digest(case)?;
        let key = self.key(case, set, &digest)?;
        if let Some(tiles) = self.cache.load(&key) {
            return Ok((tiles, digest));
        }
        let tiles = self.compute(case, set)?;
        self.cache.store(&key, &tiles)?;
        Ok((tiles, digest))
    }

    /// A hash over all that decides the tiles of a slide.
    fn key(&self, case: &SlideCase, set: &SlideSetConfig, slide: &str) -> Result<String, Error> {
        let regions = match &case.regions {
            Regions::Mask(file, _) | Regions::Polygons(file) | Regions::Nuclei(file) => {
                file_digest(file)?
            }
            Regions::Unknown | Regions::Whole(_) => String::new(),
        };
        let choice = &self.config.tiles;
        let least = match self.config.task {
            SlideTask::Tumor => 0.0,
            SlideTask::Grade => choice.least_tumor,
        };
        let text = format!(
            "{slide} {regions} {:?} {:?} {} {:?} {:?} {:?} {:?} {:?} {:?} {} {:?} {} {}",
            std::mem::discriminant(&case.regions),
            case.mpp.or(set.mpp),
            self.encoder.digest,
            self.tile,
            self.config.task,
            choice.tumor,
            choice.look,
            set.unannotated,
            set.tumor_classes,
            choice.overlap,
            (least, choice.most_per_slide),
            choice.views,
            self.config.seed,
        );
        Ok(format!("{:x}", Sha256::digest(text.as_bytes())))
    }

    fn compute(&self, case: &SlideCase, set: &SlideSetConfig) -> Result<Tiles, Error> {
        let bad = |e: lobule_slide::Error| {
            Error::new(ErrorKind::Data, e.reason().to_owned()).in_file(&case.file)
        };
        let opened = (self.open)(&case.file)
            .map_err(|e| Error::new(ErrorKind::Data, e.to_string()).in_file(&case.file))?;
        let source = &CachedSource::new(opened, KEPT_BYTES);
        let drawn = Drawn::read(&case.regions, set)?;
        let squares = self.squares(source, case.mpp.or(set.mpp)).map_err(bad)?;
        let mut wanted = self.wanted(source, &squares, &drawn);
        self.shuffle(&mut wanted, &case.name);
        let chosen = self.sharp(source, &squares.grid, wanted).map_err(bad)?;
        let stains = self.stains(source, &squares, &chosen);
        let features = self.features(source, &squares.grid, &chosen, stains.as_ref());
        let shares = chosen
            .iter()
            .map(|(_, share)| share.map_or(f32::NAN, |share| share as f32));
        Ok(Tiles {
            keys: chosen.iter().map(|(key, _)| *key).collect(),
            shares: shares.collect(),
            features: features.map_err(bad)?,
            views: self.config.tiles.views,
            stained: stains.is_some(),
        })
    }

    /// The grid and the squares that are looked at.
    fn squares(
        &self,
        source: &dyn TileSource,
        finest: Option<f64>,
    ) -> Result<Squares, lobule_slide::Error> {
        let grid = GridConfig {
            side: self.tile.side,
            overlap: self.config.tiles.overlap,
            mpp: self.tile.mpp,
        };
        if self.config.tiles.look == Look::Annotated {
            let grid = match finest {
                Some(microns) => TileGrid::with_mpp(source, grid, Mpp::new(microns)?)?,
                None => TileGrid::new(source, grid)?,
            };
            let taken = grid.keys();
            let tissue = Vec::new();
            return Ok(Squares {
                grid,
                taken,
                tissue,
            });
        }
        let config = SurveyConfig {
            grid,
            finest_mpp: finest,
            ..SurveyConfig::default()
        };
        let survey = survey(source, &config)?;
        let is_tissue =
            |v: &Verdict| matches!(v, Verdict::Taken | Verdict::Blur | Verdict::Unreadable(_));
        let tissue = survey
            .verdicts
            .iter()
            .filter(|(_, verdict)| is_tissue(verdict));
        Ok(Squares {
            taken: survey.taken(),
            tissue: tissue.map(|(key, _)| *key).collect(),
            grid: survey.grid,
        })
    }

    /// The squares that may be of use, with their share of tumor.
    fn wanted(&self, source: &dyn TileSource, squares: &Squares, drawn: &Drawn) -> Vec<Chosen> {
        let grid = &squares.grid;
        let share = |key: &GridKey| {
            let area = Area::of(&grid.slide_from_tile(source, *key), self.tile.side);
            let microns = grid.mpp().microns() * self.tile.side as f64;
            drawn.tumor_share(area, microns / (area.bottom - area.top))
        };
        let all = squares.taken.par_iter().map(|key| (*key, share(key)));
        all.filter(|(_, share)| self.is_wanted(*share)).collect()
    }

    /// The slide's stains as assessing estimates them, from all tissue; where nothing but the chosen
    /// squares is read, from those.
    fn stains(
        &self,
        source: &dyn TileSource,
        squares: &Squares,
        chosen: &[Chosen],
    ) -> Option<Stains> {
        let own: Vec<GridKey> = chosen.iter().map(|(key, _)| *key).collect();
        let keys = match self.config.tiles.look {
            Look::Survey => &squares.tissue,
            Look::Annotated => &own,
        };
        match self.tile.stain {
            TileStain::Macenko | TileStain::Reinhard => {
                slide_stains(source, &squares.grid, keys).ok()
            }
            TileStain::None => None,
        }
    }

    fn features(
        &self,
        source: &dyn TileSource,
        grid: &TileGrid,
        chosen: &[Chosen],
        stains: Option<&Stains>,
    ) -> Result<Vec<f32>, lobule_slide::Error> {
        let views = |(key, _): &Chosen| {
            let tile = grid.read(source, *key)?;
            let view = |view| tile_input(&turned(&tile, view), stains, &self.tile);
            Ok((0..self.config.tiles.views).map(view).collect::<Vec<_>>())
        };
        let mut features = Vec::new();
        for part in chosen.chunks(CHUNK) {
            let inputs: Result<Vec<_>, lobule_slide::Error> = part.par_iter().map(views).collect();
            features.extend(self.encoder.features(&inputs?.concat(), self.tile.side));
        }
        Ok(features)
    }

    /// Whether a tile with this share of tumor may be of use.
    fn is_wanted(&self, share: Option<f64>) -> bool {
        let choice = &self.config.tiles;
        match (self.config.task, choice.tumor) {
            (SlideTask::Tumor, _) => share.is_some(),
            (SlideTask::Grade, TumorSource::Annotated) => {
                share.is_some_and(|share| share >= choice.least_tumor)
            }
            (SlideTask::Grade, TumorSource::Model | TumorSource::All) => true,
        }
    }

    /// Puts tiles in a random order of which the first ones are taken; where all are, or a model
    /// chooses among them later, they stay in theirs.
    fn shuffle<T>(&self, tiles: &mut [T], name: &str) {
        let digest = Sha256::digest(name.as_bytes());
        let own = digest
            .iter()
            .take(8)
            .fold(0, |n, &byte| n << 8 | u64::from(byte));
        if self.most() < tiles.len() {
            tiles.shuffle(&mut ChaCha8Rng::seed_from_u64(self.config.seed ^ own));
        }
    }

    fn most(&self) -> usize {
        let choice = &self.config.tiles;
        let by_model = choice.tumor == TumorSource::Model && self.config.task == SlideTask::Grade;
        match choice.most_per_slide {
            0 => usize::MAX,
            _ if by_model => usize::MAX,
            most => most,
        }
    }

    /// The first tiles that are in focus, in the grid's order. The survey has seen to that already.
    fn sharp(
        &self,
        source: &dyn TileSource,
        grid: &TileGrid,
        tiles: Vec<Chosen>,
    ) -> Result<Vec<Chosen>, lobule_slide::Error> {
        let mut kept = Vec::new();
        let least = SurveyConfig::default().least_sharpness;
        for (key, share) in tiles {
            if kept.len() == self.most() {
                break;
            }
            let fine = self.config.tiles.look == Look::Survey
                || sharpness(&grid.read(source, key)?) >= least;
            kept.extend(fine.then_some((key, share)));
        }
        kept.sort_by_key(|(key, _)| *key);
        Ok(kept)
    }
}

/// One of the eight ways in which a square can lie: bit 0 mirrors left and right, bit 1 top and bottom,
/// bit 2 rows and columns.
fn turned(tile: &Rgb, view: usize) -> Rgb {
    let (rows, cols) = (tile.rows(), tile.cols());
    Image::from_fn(rows, cols, |row, col| {
        let (row, col) = if view & 4 == 0 {
            (row, col)
        } else {
            (col, row)
        };
        let row = if view & 2 == 0 { row } else { rows - 1 - row };
        let col = if view & 1 == 0 { col } else { cols - 1 - col };
        tile.at(row, col)
    })
}

/// SHA-256 of a slide's file; of a DICOM slide, of all files of its folder.
fn slide_digest(case: &SlideCase) -> Result<String, Error> {
    let is_dicom = case.file.extension().is_some_and(|e| e == "dcm");
    let Some(folder) = case.file.parent().filter(|_| is_dicom) else {
        return file_digest(&case.file);
    };
    let mut all = String::new();
    for file in crate::layouts::entries(folder)? {
        if file.extension().is_some_and(|e| e == "dcm") {
            all += &file_digest(&file)?;
        }
    }
    Ok(format!("{:x}", Sha256::digest(all.as_bytes())))
}

fn file_digest(file: &Path) -> Result<String, Error> {
    lobule_package::sha256_of_file(file).map_err(|e| Error::new(ErrorKind::Data, e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eight_views_are_different_and_keep_all_pixels() {
        let tile = Image::from_fn(2, 2, |row, col| [(2 * row + col) as u8; 3]);
        let views: Vec<Vec<u8>> = (0..8)
            .map(|view| turned(&tile, view).pixels().iter().map(|p| p[0]).collect())
            .collect();
        assert_eq!(views[0], [0, 1, 2, 3]);
        assert_eq!(views[1], [1, 0, 3, 2]);
        assert_eq!(views[2], [2, 3, 0, 1]);
        assert_eq!(views[4], [0, 2, 1, 3]);
        for (i, view) in views.iter().enumerate() {
            assert!(!views[..i].contains(view), "{i}");
            assert_eq!(view.iter().sum::<u8>(), 6);
        }
    }
}
