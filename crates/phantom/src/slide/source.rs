//! A synthetic slide as a slide: drawn where it is read, and nowhere else.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use lobule_slide::{Level, Mpp, Rgb, SlideFacts, SlideFormat, TileKey, TileSource, locate};
use serde::Deserialize;

use super::{SlidePlan, SyntheticSlide};
use crate::{Error, ErrorKind};

/// Rows and columns of a tile: that of the networks' tiles, so that one of theirs costs one drawing.
const SIDE: usize = 224;
/// Largest plan, in bytes.
const LARGEST_PLAN: u64 = 1 << 20;

/// A slide of one level whose tiles are drawn when they are asked for.
///
/// ```
/// use lobule_phantom::slide::{DrawnSlide, SlidePlan, SyntheticSlide};
/// use lobule_slide::{TileKey, TileSource};
/// let slide = DrawnSlide::new(SyntheticSlide::new(SlidePlan::default(), 7));
/// let tile = slide.read_tile(TileKey { level: 0, row: 9, col: 9 })?;
/// assert_eq!((tile.rows(), tile.cols()), (224, 224));
/// # Ok::<(), lobule_slide::Error>(())
/// ```
#[derive(Debug)]
pub struct DrawnSlide {
    slide: SyntheticSlide,
    facts: SlideFacts,
}

/// What [`super::write_slide`] writes as `NAME.plan.json`.
#[derive(Deserialize)]
struct Written {
    synthetic: bool,
    seed: u64,
    plan: SlidePlan,
}

impl DrawnSlide {
    /// The slide as a source of tiles.
    pub fn new(slide: SyntheticSlide) -> DrawnSlide {
        let plan = slide.plan();
        let level = Level::single(plan.rows, plan.cols, SIDE);
        let facts = SlideFacts {
            format: SlideFormat::Drawn,
            levels: vec![level],
            mpp: Mpp::new(plan.mpp).map_err(|e| e.reason().to_owned()),
            magnification: None,
            icc_bytes: None,
            left_out: Vec::new(),
            is_synthetic: true,
            notes: vec!["SYNTHETIC: drawn where it is read".into()],
        };
        DrawnSlide { slide, facts }
    }

    /// The slide of a plan that [`super::write_slide`] wrote.
    ///
    /// # Errors
    /// `Format` when the file cannot be read or is no such plan.
    pub fn open(file: &Path) -> Result<DrawnSlide, Error> {
        let bad = |cause: String| Error::new(ErrorKind::Format, file, &cause);
        let opened = File::open(file).map_err(|e| bad(e.to_string()))?;
        let mut text = String::new();
        let read = opened.take(LARGEST_PLAN).read_to_string(&mut text);
        read.map_err(|e| bad(e.to_string()))?;
        let written: Written = serde_json::from_str(&text).map_err(|e| bad(e.to_string()))?;
        match written.synthetic {
            true => Ok(DrawnSlide::new(SyntheticSlide::new(
                written.plan,
                written.seed,
            ))),
            false => Err(bad("a slide that is not synthetic".into())),
        }
    }
}

impl TileSource for DrawnSlide {
    fn facts(&self) -> &SlideFacts {
        &self.facts
    }

    fn read_tile(&self, key: TileKey) -> Result<Arc<Rgb>, lobule_slide::Error> {
        let (_, place) = locate(&self.facts, key)?;
        Ok(Arc::new(self.slide.draw(place)))
    }
}
