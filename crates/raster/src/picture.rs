//! A decoded picture of a file, before anything is decided about it.

use crate::Image;

/// Pixels as a person would see them: grey with 0 = black, or RGB.
#[derive(Debug, Clone, PartialEq)]
pub enum Picture {
    /// 8-bit grey.
    Gray8(Image<u8>),
    /// 16-bit grey, using the whole range 0..=65535.
    Gray16(Image<u16>),
    /// 8-bit RGB.
    Rgb8(Image<[u8; 3]>),
}

impl Picture {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Picture::Gray8(image) => image.rows(),
            Picture::Gray16(image) => image.rows(),
            Picture::Rgb8(image) => image.rows(),
        }
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        match self {
            Picture::Gray8(image) => image.cols(),
            Picture::Gray16(image) => image.cols(),
            Picture::Rgb8(image) => image.cols(),
        }
    }

    /// 8-bit brightness; RGB by the weights of ITU-R BT.601 (0.299, 0.587, 0.114).
    pub fn luma(&self) -> Image<u8> {
        match self {
            Picture::Gray8(image) => image.clone(),
            Picture::Gray16(image) => image.map(|v| (v >> 8) as u8),
            Picture::Rgb8(image) => image.map(luma_of),
        }
    }

    /// 16-bit brightness, 0..=65535, whatever the depth of the picture.
    pub fn luma16(&self) -> Image<u16> {
        match self {
            Picture::Gray16(image) => image.clone(),
            other => other.luma().map(|v| u16::from(v) * 257),
        }
    }

    /// The picture as 8-bit RGB, for display.
    pub fn to_rgb(&self) -> Image<[u8; 3]> {
        match self {
            Picture::Rgb8(image) => image.clone(),
            other => other.luma().map(|v| [v; 3]),
        }
    }
}

fn luma_of([r, g, b]: [u8; 3]) -> u8 {
    let sum = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
    ((sum + 500) / 1000) as u8
}
