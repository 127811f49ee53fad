//! A slide that is one picture: one level of one tile size, decoded once.

use std::path::Path;
use std::sync::Arc;

use lobule_raster::{Limits, read_picture};

use crate::source::locate;
use crate::{Error, Level, Rgb, SlideFacts, SlideFormat, SlideLimits, TileKey, TileSource};

/// Rows and columns of the tiles that the picture is cut into.
const SIDE: usize = 256;

#[derive(Debug)]
pub(crate) struct PictureSlide {
    facts: SlideFacts,
    pixels: Rgb,
}

impl PictureSlide {
    pub(crate) fn open(path: &Path, limits: &SlideLimits) -> Result<PictureSlide, Error> {
        let limits = Limits {
            max_pixels: limits.max_tile_pixels,
        };
        let pixels = read_picture(path, &limits)?.to_rgb();
        let level = Level::single(pixels.rows(), pixels.cols(), SIDE);
        let facts = SlideFacts {
            format: SlideFormat::Picture,
            levels: vec![level],
            mpp: Err("a picture does not state microns per pixel".into()),
            magnification: None,
            icc_bytes: None,
            left_out: Vec::new(),
            notes: Vec::new(),
            is_synthetic: false,
        };
        Ok(PictureSlide { facts, pixels })
    }
}

impl TileSource for PictureSlide {
    fn facts(&self) -> &SlideFacts {
        &self.facts
    }

    fn read_tile(&self, key: TileKey) -> Result<Arc<Rgb>, Error> {
        let (_, place) = locate(&self.facts, key)?;
        Ok(Arc::new(self.pixels.crop(place)))
    }
}
