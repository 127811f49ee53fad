//! Pictures of an instance as a person would see them (PS3.18 chapter 8.3.5).

use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};
use lobule_raster::{Image, Limits, Picture};

use crate::codec;
use crate::dataset::{self, malformed};
use crate::frames::{check_frames, places, read_place};
use crate::gray::{Shape, Window};
use crate::header::WANTED;
use crate::layout::Layout;
use crate::render::Renderer;
use crate::{Error, ErrorKind, decode_frames, read_mammogram, read_mammogram_header};

/// Longest side of a picture.
const MAX_SIDE: u32 = 8192;
/// Longest side of a thumbnail.
const THUMBNAIL: u32 = 128;
const USUAL_QUALITY: u8 = 90;

/// How a picture is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// JPEG, 8 bits.
    Jpeg,
    /// PNG, 8 bits.
    Png,
}

impl PictureFormat {
    /// The format of a media type.
    pub fn of(media_type: &str) -> Option<PictureFormat> {
        match media_type {
            "image/jpeg" => Some(PictureFormat::Jpeg),
            "image/png" => Some(PictureFormat::Png),
            _ => None,
        }
    }
}

/// What a picture shall be like.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rendering {
    window: Option<(f64, f64, WindowShape)>,
    viewport: Option<Viewport>,
    quality: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum WindowShape {
    Linear,
    LinearExact,
    Sigmoid,
}

/// The largest picture, and the part of the image that it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Viewport {
    width: u32,
    height: u32,
    part: Option<[u32; 4]>,
}

impl Rendering {
    /// A small picture.
    pub fn thumbnail() -> Rendering {
        Rendering {
            viewport: Some(Viewport {
                width: THUMBNAIL,
                height: THUMBNAIL,
                part: None,
            }),
            ..Rendering::default()
        }
    }

    /// Reads `window=center,width,function`, `viewport=width,height[,x,y,width,height]` and
    /// `quality` of a query string, over what stands already.
    ///
    /// # Errors
    /// When a value makes no sense or a parameter is unknown.
    pub fn with(mut self, query: &str) -> Result<Rendering, Error> {
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "window" => self.window = Some(window(&value)?),
                "viewport" => self.viewport = Some(viewport(&value)?),
                "quality" => {
                    let quality = value.parse().ok().filter(|q| (1..=100).contains(q));
                    self.quality =
                        Some(quality.ok_or_else(|| malformed("expected a quality from 1 to 100"))?);
                }
                // Nothing is ever written onto a picture, and its colors have no profile.
                "accept" | "annotation" | "iccprofile" => {}
                _ => {
                    return Err(malformed(
                        "expected a parameter of rendering, got another one",
                    ));
                }
            }
        }
        Ok(self)
    }
}

fn window(value: &str) -> Result<(f64, f64, WindowShape), Error> {
    let wrong = || malformed("expected a window as center,width,function");
    let parts: Vec<&str> = value.split(',').map(str::trim).collect();
    let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite());
    let (center, width, shape) = match parts[..] {
        [center, width] => (center, width, WindowShape::Linear),
        [center, width, shape] => {
            let shape = match shape.to_ascii_lowercase().as_str() {
                "linear" => WindowShape::Linear,
                "linear-exact" => WindowShape::LinearExact,
                "sigmoid" => WindowShape::Sigmoid,
                _ => return Err(wrong()),
            };
            (center, width, shape)
        }
        _ => return Err(wrong()),
    };
    let (center, width) = (
        number(center).ok_or_else(wrong)?,
        number(width).ok_or_else(wrong)?,
    );
    let least = if shape == WindowShape::Linear {
        1.0
    } else {
        f64::MIN_POSITIVE
    };
    match width >= least {
        true => Ok((center, width, shape)),
        false => Err(malformed(
            "expected a window of a width that its function allows",
        )),
    }
}

fn viewport(value: &str) -> Result<Viewport, Error> {
    let wrong =
        || malformed("expected a viewport as width,height or width,height,x,y,width,height");
    let numbers: Option<Vec<u32>> = value.split(',').map(|n| n.trim().parse().ok()).collect();
    let (width, height, part) = match numbers.ok_or_else(wrong)?[..] {
        [width, height] => (width, height, None),
        [width, height, x, y, w, h] if w > 0 && h > 0 => (width, height, Some([x, y, w, h])),
        _ => return Err(wrong()),
    };
    let fits = |side: u32| (1..=MAX_SIDE).contains(&side);
    match fits(width) && fits(height) {
        true => Ok(Viewport {
            width,
            height,
            part,
        }),
        false => Err(malformed(format!(
            "expected a viewport of 1 to {MAX_SIDE} pixels"
        ))),
    }
}

/// Shows a frame, from 0: through the window that is asked for, else as the image's own look-up
/// tables say.
///
/// # Errors
/// When the instance holds no picture that can be read here, or no such frame.
pub fn render_picture(
    file: &Path,
    frame: usize,
    rendering: &Rendering,
    format: PictureFormat,
    limits: &Limits,
) -> Result<Vec<u8>, Error> {
    let picture = match &rendering.window {
        Some(window) => through(file, frame, window, limits).map_err(|e| e.in_file(file))?,
        None => as_stated(file, frame, limits)?,
    };
    let picture = eight_bits(&picture).ok_or_else(|| malformed("expected a picture"))?;
    encode(&placed(picture, rendering.viewport), rendering, format)
}

/// Mammograms as they are read for an assessment, with their padding black.
fn as_stated(file: &Path, frame: usize, limits: &Limits) -> Result<Picture, Error> {
    if let Ok(mammogram) = read_mammogram_header(file, limits)
        && frame == 0
    {
        return read_mammogram(&mammogram, limits).map(|gray| Picture::Gray16(gray.image));
    }
    let mut pictures = decode_frames(file, &[frame], limits)?;
    pictures
        .pop()
        .ok_or_else(|| malformed("expected a frame").in_file(file))
}

fn through(
    file: &Path,
    frame: usize,
    &(center, width, shape): &(f64, f64, WindowShape),
    limits: &Limits,
) -> Result<Picture, Error> {
    let mut header = dataset::read_file(file, WANTED)?;
    let layout = Layout::read(&header, limits)?;
    check_frames(&layout, &[frame], limits)?;
    let shape = match shape {
        WindowShape::Linear => Shape::Linear,
        WindowShape::LinearExact => Shape::LinearExact,
        WindowShape::Sigmoid => Shape::Sigmoid,
    };
    let window = Window::new(center, width, shape, &mut Vec::new());
    let window = window.ok_or_else(|| malformed("expected a window of a possible width"))?;
    let places = places(&mut header, &layout)?;
    let bytes = read_place(&mut header, &places[frame])?;
    let renderer = Renderer::through(&layout, &header.dataset, window)?;
    renderer.render(codec::decode(&bytes, &layout)?)
}

fn eight_bits(picture: &Picture) -> Option<DynamicImage> {
    let (width, height) = (picture.cols() as u32, picture.rows() as u32);
    match picture {
        Picture::Rgb8(image) => {
            let bytes = image.pixels().iter().flatten().copied().collect();
            RgbImage::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8)
        }
        gray => {
            let luma: Image<u8> = gray.luma();
            let bytes = luma.pixels().to_vec();
            GrayImage::from_raw(width, height, bytes).map(DynamicImage::ImageLuma8)
        }
    }
}

/// The part that is asked for, as large as fits into the viewport; the aspect stays.
fn placed(image: DynamicImage, viewport: Option<Viewport>) -> DynamicImage {
    let Some(viewport) = viewport else {
        return image;
    };
    let image = match viewport.part {
        Some([x, y, width, height]) => image.crop_imm(x, y, width, height),
        None => image,
    };
    if image.width() == 0 || image.height() == 0 {
        return image;
    }
    image.resize(viewport.width, viewport.height, FilterType::Triangle)
}

fn encode(
    image: &DynamicImage,
    rendering: &Rendering,
    format: PictureFormat,
) -> Result<Vec<u8>, Error> {
    if image.width() == 0 || image.height() == 0 {
        return Err(malformed("expected a viewport inside the image"));
    }
    let mut out = Cursor::new(Vec::new());
    let written = match format {
        PictureFormat::Png => image.write_to(&mut out, ImageFormat::Png),
        PictureFormat::Jpeg => {
            let quality = rendering.quality.unwrap_or(USUAL_QUALITY);
            image.write_with_encoder(JpegEncoder::new_with_quality(&mut out, quality))
        }
    };
    written.map_err(|e| Error::new(ErrorKind::Write, e.to_string()))?;
    Ok(out.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_make_no_sense_are_refused() {
        for (query, expected) in [
            ("window=40,400,linear", true),
            ("window=0.5,0.1,SIGMOID&viewport=512,512&quality=50", true),
            ("viewport=10,10,0,0,5,5", true),
            ("accept=image/png", true),
            ("window=40,0.5,linear", false),
            ("window=nan,1,linear", false),
            ("window=1", false),
            ("viewport=0,5", false),
            ("viewport=99999,5", false),
            ("viewport=5", false),
            ("quality=0", false),
            ("brightness=5", false),
        ] {
            assert_eq!(
                Rendering::default().with(query).is_ok(),
                expected,
                "{query}"
            );
        }
    }
}
