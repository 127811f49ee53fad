//! From samples to a picture as a person would see it.
//!
//! Owns: look-up tables (modality → VOI → presentation), palettes, the colour transform of
//! YBR_FULL. Does not own: decoding. Not applied: pixel padding, overlays, the second and further
//! windows.

use lobule_exam::Warning;
use lobule_raster::{Image, Picture};

use crate::Error;
use crate::codec::Samples;
use crate::dataset::{Dataset, malformed};
use crate::gray::{Gray, Window};
use crate::layout::{Layout, Photometric};
use crate::palette::Palette;

/// Everything that one file's frames share.
pub(crate) struct Renderer {
    rows: usize,
    cols: usize,
    bits_stored: u32,
    tables: Tables,
}

enum Tables {
    Gray(Gray),
    Palette(Palette),
    None,
}

impl Renderer {
    /// Tables that cannot be used are left out with a warning; without a palette nothing can be
    /// shown.
    pub(crate) fn new(
        layout: &Layout,
        data: &Dataset,
        warnings: &mut Vec<Warning>,
    ) -> Result<Renderer, Error> {
        let tables = match layout.photometric {
            Photometric::Monochrome1 | Photometric::Monochrome2 => {
                Tables::Gray(Gray::read(layout, data, warnings))
            }
            Photometric::Palette => Tables::Palette(Palette::read(layout, data)?),
            _ => Tables::None,
        };
        Ok(Renderer {
            rows: layout.rows,
            cols: layout.cols,
            bits_stored: layout.bits_stored,
            tables,
        })
    }

    /// Grey values are shown through a window; colors as [`Renderer::new`] shows them.
    pub(crate) fn through(
        layout: &Layout,
        data: &Dataset,
        window: Window,
    ) -> Result<Renderer, Error> {
        let mut renderer = Renderer::new(layout, data, &mut Vec::new())?;
        if let Tables::Gray(gray) = &mut renderer.tables {
            *gray = Gray::through(layout, data, window);
        }
        Ok(renderer)
    }

    pub(crate) fn render(&self, samples: Samples) -> Result<Picture, Error> {
        match &self.tables {
            Tables::Gray(gray) if gray.is_eight_bit() => {
                let pixels = samples.values.iter().map(|&v| (gray.at(v) >> 8) as u8);
                self.image(pixels.collect()).map(Picture::Gray8)
            }
            Tables::Gray(gray) => {
                let pixels = samples.values.iter().map(|&v| gray.at(v));
                self.image(pixels.collect()).map(Picture::Gray16)
            }
            Tables::Palette(palette) => {
                let pixels = samples.values.iter().map(|&v| palette.at(v));
                self.image(pixels.collect()).map(Picture::Rgb8)
            }
            Tables::None => self.image(self.colors(&samples)).map(Picture::Rgb8),
        }
    }

    fn image<T: Copy>(&self, pixels: Vec<T>) -> Result<Image<T>, Error> {
        Image::from_pixels(self.rows, self.cols, pixels)
            .ok_or_else(|| malformed("expected as many pixels as rows and columns say"))
    }

    fn colors(&self, samples: &Samples) -> Vec<[u8; 3]> {
        let pixels = samples.values.chunks_exact(3);
        let eight = pixels.map(|p| [p[0], p[1], p[2]].map(|v| eight_bit(v, self.bits_stored)));
        match samples.meaning {
            Photometric::YbrFull => eight.map(rgb_of_ybr).collect(),
            _ => eight.collect(),
        }
    }
}

/// The eight highest of the stored bits; fewer than eight are spread over the range.
fn eight_bit(value: u16, bits: u32) -> u8 {
    match bits {
        8.. => (value >> (bits - 8)) as u8,
        _ => (u32::from(value) * 255 / ((1 << bits) - 1)).min(255) as u8,
    }
}

/// PS3.3 C.7.6.3.1.2, solved for red, green and blue:
/// `r = y + 1.402·(cr − 128)`, `g = y − 0.344136·(cb − 128) − 0.714136·(cr − 128)`,
/// `b = y + 1.772·(cb − 128)`, rounded, in 0..=255. In 16-bit fixed point.
pub(crate) fn rgb_of_ybr([y, blue, red]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (
        i32::from(y) << 16,
        i32::from(blue) - 128,
        i32::from(red) - 128,
    );
    let round = |v: i32| ((v + (1 << 15)) >> 16).clamp(0, 255) as u8;
    [
        round(y + 91_881 * cr),
        round(y - 22_554 * cb - 46_802 * cr),
        round(y + 116_130 * cb),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primary_colors_come_back_from_ybr() {
        let cases = [
            ([0, 128, 128], [0, 0, 0]),
            ([255, 128, 128], [255, 255, 255]),
            ([76, 85, 255], [254, 0, 0]),
            ([150, 44, 21], [0, 255, 1]),
            ([29, 255, 107], [0, 0, 254]),
        ];
        for (ybr, rgb) in cases {
            assert_eq!(rgb_of_ybr(ybr), rgb);
        }
    }

    #[test]
    fn samples_of_any_depth_become_eight_bits() {
        for (value, bits, expected) in [(1, 1, 255), (15, 4, 255), (200, 8, 200), (4095, 12, 255)] {
            assert_eq!(eight_bit(value, bits), expected);
        }
    }
}
