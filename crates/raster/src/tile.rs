//! From a square of a slide to a network's input: the one preparation that training and inference
//! share.
//!
//! Owns: the configuration ([`TileConfig`]), normalization and standardization ([`tile_input`]).
//! Does not own: which squares are read (`slide`), how stains are estimated (`stain`, `reinhard`).

use crate::{ColorStatistics, Image, Stains};

/// What a network is shown of a slide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TileConfig {
    /// Rows and columns of a tile.
    pub side: usize,
    /// Microns per pixel.
    pub mpp: f64,
    /// What is done about stains.
    pub stain: TileStain,
    /// Red, green, blue, in grey levels 0 to 255: subtracted.
    pub mean: [f32; 3],
    /// Red, green, blue, in grey levels: divided by after that.
    pub std: [f32; 3],
}

/// What is done about the stains of a slide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileStain {
    /// Estimated once for the slide by Macenko's method, then brought to [`Stains::REFERENCE`].
    Macenko,
    /// Colors of the slide's stained pixels, brought to [`ColorStatistics::REFERENCE`] by Reinhard's method.
    Reinhard,
    /// Nothing.
    None,
}

impl Default for TileConfig {
    /// 598 pixels at 20×, as 0.5 µm per pixel, stains normalized, inputs of about −2 to 2.
    fn default() -> TileConfig {
        TileConfig {
            side: 598,
            mpp: 0.5,
            stain: TileStain::Macenko,
            mean: [128.0; 3],
            std: [64.0; 3],
        }
    }
}

/// The network's input `[3, rows, cols]` of a tile: stains normalized where `stains` are known and the
/// configuration says so, then standardized per color. A slide whose stains cannot be told apart has
/// none and is taken as it is.
///
/// ```
/// use lobule_raster::{Image, TileConfig, tile_input};
/// let tile = Image::filled(2, 2, [128_u8, 192, 64]);
/// let input = tile_input(&tile, None, &TileConfig::default());
/// assert_eq!(input, [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0]);
/// ```
pub fn tile_input(tile: &Image<[u8; 3]>, stains: Option<&Stains>, config: &TileConfig) -> Vec<f32> {
    let normalized = match (config.stain, stains) {
        (TileStain::Macenko, Some(stains)) => Some(stains.normalize(tile, &Stains::REFERENCE)),
        (TileStain::Reinhard, Some(stains)) => {
            Some(stains.colors.normalize(tile, &ColorStatistics::REFERENCE))
        }
        (TileStain::Macenko | TileStain::Reinhard, None) | (TileStain::None, _) => None,
    };
    let pixels = normalized.as_ref().unwrap_or(tile).pixels();
    let mut input = Vec::with_capacity(3 * pixels.len());
    for channel in 0..3 {
        let (mean, std) = (config.mean[channel], config.std[channel]);
        let values: Vec<f32> = (0..=255_u8).map(|v| (f32::from(v) - mean) / std).collect();
        input.extend(
            pixels
                .iter()
                .map(|pixel| values[usize::from(pixel[channel])]),
        );
    }
    input
}
