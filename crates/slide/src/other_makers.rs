//! Slides of other makers (3DHISTECH, Hamamatsu, Leica, Philips, Sakura, Trestle, Ventana, Zeiss), read by
//! the OpenSlide library of the machine. Feature `openslide`.
//!
//! Owns: which files are left to OpenSlide, and its slides as [`TileSource`]. Does not own: formats that
//! this crate reads itself.

use std::path::Path;
use std::sync::Arc;

use lobule_raster::Image;
use openslide_rs::{Address, OpenSlide, Region, Size};

use crate::error::{damaged, too_large};
use crate::source::locate;
use crate::{
    Error, LeftOut, Level, Mpp, Rgb, SlideFacts, SlideFormat, SlideLimits, TileKey, TileSource,
};

/// Rows and columns of the tiles that levels are asked for in: OpenSlide does not tell its own for all
/// formats, and keeps decoded ones.
const SIDE: usize = 512;
/// OpenSlide's names of the formats that are read without it.
const OWN: [&str; 3] = ["aperio", "dicom", "generic-tiff"];

/// The maker whose format a file has, where OpenSlide knows it and this crate does not.
pub(crate) fn maker_of(path: &Path) -> Option<String> {
    let maker = OpenSlide::detect_vendor(path).ok()?;
    (!OWN.contains(&maker.as_str())).then_some(maker)
}

/// A slide behind OpenSlide. After a tile that it cannot decode, OpenSlide reads no other of the slide.
#[derive(Debug)]
pub(crate) struct OtherMakersSlide {
    facts: SlideFacts,
    slide: OpenSlide,
}

impl OtherMakersSlide {
    pub(crate) fn open(
        path: &Path,
        maker: &str,
        limits: &SlideLimits,
    ) -> Result<OtherMakersSlide, Error> {
        let slide = OpenSlide::new(path).map_err(refused)?;
        let sizes = slide.all_level_dimensions().iter();
        let levels = sizes.zip(slide.all_level_downsamples());
        let levels: Vec<Level> = levels
            .map(|(size, &downsample)| Level {
                downsample,
                ..Level::single(size.h as usize, size.w as usize, SIDE)
            })
            .collect();
        if levels.is_empty() {
            return Err(damaged("expected at least one level, got none"));
        }
        for level in &levels {
            let tiles = level.tiles_down().saturating_mul(level.tiles_across()) as u64;
            if tiles > limits.max_tiles {
                let most = limits.max_tiles;
                return Err(too_large(format!(
                    "expected a level of at most {most} tiles, got {tiles}"
                )));
            }
        }
        let left_out = slide.associated_image_names().map_err(refused)?;
        let version = OpenSlide::version().map_err(refused)?;
        let facts = SlideFacts {
            format: SlideFormat::OtherMaker,
            levels,
            mpp: mpp_of(&slide),
            magnification: number(&slide, "openslide.objective-power"),
            icc_bytes: None,
            left_out: left_out.into_iter().map(left_out_of).collect(),
            notes: vec![format!("read by OpenSlide {version} as a slide of {maker}")],
            is_synthetic: false,
        };
        Ok(OtherMakersSlide { facts, slide })
    }
}

fn refused(error: openslide_rs::errors::OpenSlideError) -> Error {
    damaged(format!("OpenSlide: {error}"))
}

fn left_out_of(name: String) -> LeftOut {
    LeftOut {
        name,
        size: None,
        reason: "an associated image".into(),
    }
}

fn number(slide: &OpenSlide, property: &str) -> Option<f64> {
    slide.property_value(property).ok()?.trim().parse().ok()
}

/// The mean of both axes, where they agree to a hundredth.
fn mpp_of(slide: &OpenSlide) -> Result<Mpp, String> {
    let axis = |axis| number(slide, &format!("openslide.mpp-{axis}"));
    let (Some(x), Some(y)) = (axis("x"), axis("y")) else {
        return Err("OpenSlide finds no microns per pixel in the file".into());
    };
    if (x - y).abs() > 0.01 * x.max(y) {
        return Err(format!(
            "expected the same microns per pixel along both axes, got {x} and {y}"
        ));
    }
    Mpp::new((x + y) / 2.0).map_err(|e| e.reason().to_owned())
}

impl TileSource for OtherMakersSlide {
    fn facts(&self) -> &SlideFacts {
        &self.facts
    }

    fn read_tile(&self, key: TileKey) -> Result<Arc<Rgb>, Error> {
        let (level, place) = locate(&self.facts, key)?;
        let side = |n: usize| u32::try_from(n).map_err(|_| too_large("expected a smaller slide"));
        let finest = |n: usize| side((n as f64 * level.downsample).round() as usize);
        let region = Region {
            address: Address {
                x: finest(place.col)?,
                y: finest(place.row)?,
            },
            level: side(key.level)?,
            size: Size {
                w: side(place.cols)?,
                h: side(place.rows)?,
            },
        };
        let bytes = self.slide.read_region(&region).map_err(refused)?;
        let (pixels, _) = bytes.as_chunks();
        let pixels = pixels
            .iter()
            .map(|&argb| on_glass(u32::from_ne_bytes(argb)));
        Image::from_pixels(place.rows, place.cols, pixels.collect())
            .map(Arc::new)
            .ok_or_else(|| damaged("expected as many pixels as were asked for"))
    }
}

/// A pixel over white; its colors are multiplied by its opacity already.
fn on_glass(argb: u32) -> [u8; 3] {
    let [alpha, red, green, blue] = argb.to_be_bytes();
    [red, green, blue].map(|v| v.saturating_add(255 - alpha))
}
