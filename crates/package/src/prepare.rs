//! How a picture becomes the network's input: a configuration of `raster`, as the manifest has it.

use lobule_raster::{
    MammogramConfig, Outside, PrepareConfig, Scale, Standardization, TileConfig, TileStain,
};
use serde::{Deserialize, Serialize};

use crate::Modality;

/// Largest side of the network's input in pixels.
const LARGEST_SIDE: usize = 8192;
/// Largest and smallest pixel of an input of fixed scale, in mm.
const PIXEL_MM: (f64, f64) = (0.01, 5.0);

/// Inputs of more pixels than this are large: they are run and kept one at a time.
const LARGE: usize = 1 << 20;
/// Largest side of a tile in pixels, and its finest and coarsest resolution in microns per pixel.
const LARGEST_TILE: usize = 4096;
const TILE_MPP: (f64, f64) = (0.1, 20.0);

/// How a picture becomes the network's input.
///
/// ```toml
/// [prepare]
/// kind = "mammogram"
/// rows = 2944
/// cols = 1920
/// scale = "fit"                  # or "native", or { pixel_mm = 0.2 }
/// outside = "background"         # or "kept"
/// standardization = "input"      # or "breast"
/// ```
///
/// or `kind = "sonogram"` with `rows`, `cols`, `mean`, `std` and `paint_marks`, or, for the tiles of
/// a slide,
///
/// ```toml
/// [prepare]
/// kind = "tile"
/// side = 224                     # rows and columns
/// mpp = 0.5                      # microns per pixel
/// stain = "macenko"              # or "reinhard", or "none"
/// mean = [128.0, 128.0, 128.0]   # grey levels 0 to 255, red, green, blue
/// std = [64.0, 64.0, 64.0]
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Prepare {
    /// A picture of ultrasound.
    Sonogram(#[serde(with = "SonogramForm")] PrepareConfig),
    /// A mammogram.
    Mammogram(#[serde(with = "MammogramForm")] MammogramConfig),
    /// A tile of a slide.
    Tile(#[serde(with = "TileForm")] TileConfig),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "PrepareConfig", deny_unknown_fields)]
struct SonogramForm {
    rows: usize,
    cols: usize,
    mean: f32,
    std: f32,
    paint_marks: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MammogramConfig", deny_unknown_fields)]
struct MammogramForm {
    rows: usize,
    cols: usize,
    #[serde(with = "ScaleForm")]
    scale: Scale,
    #[serde(with = "OutsideForm")]
    outside: Outside,
    #[serde(with = "StandardizationForm")]
    standardization: Standardization,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "TileConfig", deny_unknown_fields)]
struct TileForm {
    side: usize,
    mpp: f64,
    #[serde(with = "StainForm")]
    stain: TileStain,
    mean: [f32; 3],
    std: [f32; 3],
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "TileStain", rename_all = "snake_case")]
enum StainForm {
    Macenko,
    Reinhard,
    None,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Scale", rename_all = "snake_case")]
enum ScaleForm {
    Fit,
    Native,
    PixelMm(f64),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Outside", rename_all = "snake_case")]
enum OutsideForm {
    Kept,
    Background,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Standardization", rename_all = "snake_case")]
enum StandardizationForm {
    Input,
    Breast,
}

impl Prepare {
    /// What it prepares.
    pub fn modality(&self) -> Modality {
        match self {
            Prepare::Sonogram(_) => Modality::Ultrasound,
            Prepare::Mammogram(_) => Modality::Mammography,
            Prepare::Tile(_) => Modality::Histology,
        }
    }

    /// Rows and columns of the network's input.
    pub fn size(&self) -> (usize, usize) {
        match self {
            Prepare::Sonogram(config) => (config.rows, config.cols),
            Prepare::Mammogram(config) => (config.rows, config.cols),
            Prepare::Tile(config) => (config.side, config.side),
        }
    }

    /// The preparation of a slide's tiles, where it is one.
    pub fn tile(&self) -> Option<&TileConfig> {
        match self {
            Prepare::Tile(config) => Some(config),
            Prepare::Sonogram(_) | Prepare::Mammogram(_) => None,
        }
    }

    /// Channels of the network's input: gray, or red, green and blue.
    pub fn channels(&self) -> usize {
        match self {
            Prepare::Sonogram(_) | Prepare::Mammogram(_) => 1,
            Prepare::Tile(_) => 3,
        }
    }

    /// Whether an input is so large that batches cost more memory than they save time.
    pub fn is_large(&self) -> bool {
        let (rows, cols) = self.size();
        rows * cols > LARGE
    }

    /// What is wrong with it for a model of a modality, if anything.
    pub fn problem(&self, modality: Modality) -> Option<String> {
        let side = 1..=LARGEST_SIDE;
        let (rows, cols) = self.size();
        if !side.contains(&rows) || !side.contains(&cols) {
            return Some(format!(
                "expected an input of at most {LARGEST_SIDE} pixels a side, got {rows} × {cols}"
            ));
        }
        let own = self.modality();
        if own != modality {
            return Some(format!(
                "expected a preparation for {modality}, got one for {own}"
            ));
        }
        match self {
            Prepare::Sonogram(config) => {
                let fine = config.mean.is_finite() && config.std.is_finite() && config.std > 0.0;
                (!fine).then(|| "expected a finite mean and a std above 0".into())
            }
            Prepare::Mammogram(config) => match config.scale {
                Scale::PixelMm(mm) if !(PIXEL_MM.0..=PIXEL_MM.1).contains(&mm) => {
                    let (low, high) = PIXEL_MM;
                    Some(format!("expected a pixel_mm of {low} to {high}, got {mm}"))
                }
                Scale::Fit | Scale::Native | Scale::PixelMm(_) => None,
            },
            Prepare::Tile(config) => tile_problem(config),
        }
    }
}

fn tile_problem(config: &TileConfig) -> Option<String> {
    let (low, high) = TILE_MPP;
    if config.side > LARGEST_TILE || !(low..=high).contains(&config.mpp) {
        return Some(format!(
            "expected tiles of at most {LARGEST_TILE} pixels a side and {low} to {high} microns per pixel, got {} and {}",
            config.side, config.mpp
        ));
    }
    let mut channels = config.mean.iter().zip(&config.std);
    let is_fine = |(mean, std): (&f32, &f32)| mean.is_finite() && std.is_finite() && *std > 0.0;
    (!channels.all(is_fine))
        .then(|| "expected a finite mean and a std above 0 for each color".into())
}
