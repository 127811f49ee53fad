//! Pixels, without what is burnt into them.

use std::path::Path;

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use lobule_exam::PixelBox;
use lobule_raster::{Image, Limits, Picture, find_sonogram, paint_over_marks};

use super::element;
use crate::content::is_synthetic;
use crate::dataset;
use crate::header::WANTED;
use crate::layout::{Layout, Photometric};
use crate::mammogram::Origin;
use crate::write::{put_str, put_u16};
use crate::{
    Error, ErrorKind, Instance, decode_frames, frames, read_header, read_mammogram_header,
};

/// Most bytes of a copy's pixels.
const MAX_PIXEL_BYTES: usize = 512 << 20;

/// What became of what is burnt into the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Burnt {
    /// Painted over, as far as it was found.
    PaintedOver,
    /// The file says that there is nothing, or a detector's picture has none.
    Nothing,
}

/// Pixels of a copy, not compressed.
pub(super) struct Cleaned {
    pub(super) burnt: Burnt,
    pub(super) painted: u64,
    frames: usize,
    samples: u16,
    photometric: &'static str,
    /// Bits allocated, stored, the highest one, whether there is a sign; as they were for grey
    /// values that stay.
    bits: Option<[u16; 4]>,
    bytes: Vec<u8>,
}

impl Cleaned {
    /// Writes the pixels and what describes them.
    pub(super) fn put_into(mut self, object: &mut InMemDicomObject) {
        put_str(
            object,
            tags::PHOTOMETRIC_INTERPRETATION,
            VR::CS,
            self.photometric,
        );
        put_u16(object, tags::SAMPLES_PER_PIXEL, self.samples);
        let [allocated, stored, high, sign] = self.bits.unwrap_or([8, 8, 7, 0]);
        for (tag, value) in [
            (tags::BITS_ALLOCATED, allocated),
            (tags::BITS_STORED, stored),
            (tags::HIGH_BIT, high),
            (tags::PIXEL_REPRESENTATION, sign),
        ] {
            put_u16(object, tag, value);
        }
        if self.frames > 1 {
            put_str(
                object,
                tags::NUMBER_OF_FRAMES,
                VR::IS,
                &self.frames.to_string(),
            );
        }
        object.remove_element(tags::PLANAR_CONFIGURATION);
        if self.samples == 3 {
            put_u16(object, tags::PLANAR_CONFIGURATION, 0);
        }
        if self.bits.is_none() {
            put_shown(object);
        }
        if self.bytes.len() % 2 == 1 {
            self.bytes.push(0);
        }
        let vr = match allocated {
            8 => VR::OB,
            _ => VR::OW,
        };
        object.put(element(tags::PIXEL_DATA, vr, self.bytes));
    }
}

/// Pixels are as they are shown: nothing is left to be done to them, and they are derived.
fn put_shown(object: &mut InMemDicomObject) {
    for tag in [
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::MODALITY_LUT_SEQUENCE,
        tags::VOILUT_SEQUENCE,
        tags::WINDOW_CENTER,
        tags::WINDOW_WIDTH,
        tags::RESCALE_INTERCEPT,
        tags::RESCALE_SLOPE,
        tags::RESCALE_TYPE,
        tags::SMALLEST_IMAGE_PIXEL_VALUE,
        tags::LARGEST_IMAGE_PIXEL_VALUE,
        tags::PIXEL_PADDING_VALUE,
        tags::PIXEL_ASPECT_RATIO,
    ] {
        object.remove_element(tag);
    }
    // Its bytes were copied as they were.
    let kind = object.get(tags::IMAGE_TYPE).and_then(|e| e.to_bytes().ok());
    let kind = String::from_utf8_lossy(&kind.unwrap_or_default()).into_owned();
    let rest = kind.split_once('\\').map_or("PRIMARY", |(_, rest)| rest);
    let derived = format!("DERIVED\\{}", rest.trim_end_matches(['\0', ' ']));
    put_str(object, tags::IMAGE_TYPE, VR::CS, &derived);
}

fn refused(message: &str) -> Error {
    Error::new(ErrorKind::OtherModality, message)
}

/// The pixels of a file that may be shown to others.
pub(super) fn cleaned_pixels(path: &Path, limits: &Limits) -> Result<Cleaned, Error> {
    if let Ok(mammogram) = read_mammogram_header(path, limits) {
        check_mammogram(path, mammogram.origin)?;
        return grays(path, limits);
    }
    match read_header(path, limits) {
        Ok(instance) => sonograms(&instance, limits),
        Err(_) => Err(refused(
            "expected an ultrasound image or a mammogram: of others it is not known what is burnt into their pixels",
        )),
    }
}

/// Refuses a mammogram that says, or may, show whose it is. What this project makes up bears the
/// word that says so.
fn check_mammogram(path: &Path, origin: Origin) -> Result<(), Error> {
    let header = dataset::read_file(path, &[tags::BURNED_IN_ANNOTATION, tags::MANUFACTURER])?;
    if is_synthetic(&header.dataset) {
        return Ok(());
    }
    let stated = header.dataset.text(tags::BURNED_IN_ANNOTATION);
    match (stated.as_deref(), origin) {
        (Some("NO"), _) | (None, Origin::Exposure | Origin::GeneratedFromTomosynthesis) => Ok(()),
        (None, Origin::Scan) => Err(refused(
            "expected a mammogram that says it has no text in its pixels, got a scan that does not: a film may show a label",
        )),
        (Some(_), _) => Err(refused(
            "expected a mammogram without text in its pixels, got one that says it has some",
        )),
    }
}

/// Every frame of an ultrasound image, with black around the sonogram and marks painted over. A
/// frame without a sonogram is black.
fn sonograms(instance: &Instance, limits: &Limits) -> Result<Cleaned, Error> {
    let mut cleaned = Cleaned {
        burnt: Burnt::PaintedOver,
        painted: 0,
        frames: instance.frames,
        samples: 1,
        photometric: "MONOCHROME2",
        bits: None,
        bytes: Vec::new(),
    };
    let mut found = 0;
    for frame in 0..instance.frames {
        let pictures = decode_frames(&instance.file, &[frame], limits)?;
        let Some(picture) = pictures.into_iter().next() else {
            continue;
        };
        let window = find_sonogram(&picture, &instance.regions)
            .ok()
            .map(|s| s.window);
        found += usize::from(window.is_some());
        cleaned.add(&picture, window)?;
    }
    match found {
        0 => Err(refused(
            "expected a sonogram whose surroundings can be painted over, got none",
        )),
        _ => Ok(cleaned),
    }
}

impl Cleaned {
    fn add(&mut self, picture: &Picture, window: Option<PixelBox>) -> Result<(), Error> {
        let gray = picture.luma();
        let window = window.unwrap_or(PixelBox {
            row: 0,
            col: 0,
            rows: 0,
            cols: 0,
        });
        let inside = gray.crop(window);
        let mut painted = inside.clone();
        paint_over_marks(&mut painted);
        let is_rgb = matches!(picture, Picture::Rgb8(_));
        if is_rgb {
            (self.samples, self.photometric) = (3, "RGB");
        }
        let rgb = is_rgb.then(|| picture.to_rgb());
        let bytes = gray.rows() * gray.cols() * usize::from(self.samples);
        if self.bytes.len() + bytes > MAX_PIXEL_BYTES {
            let message = format!("expected a copy of at most {MAX_PIXEL_BYTES} bytes");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        for row in 0..gray.rows() {
            for col in 0..gray.cols() {
                let shown = shown(window, &inside, &painted, row, col);
                self.painted += u64::from(shown != Shown::AsItWas);
                match (shown, &rgb) {
                    (Shown::AsItWas, Some(rgb)) => self.bytes.extend(rgb.at(row, col)),
                    (Shown::AsItWas, None) => self.bytes.push(gray.at(row, col)),
                    (Shown::Gray(value), Some(_)) => self.bytes.extend([value; 3]),
                    (Shown::Gray(value), None) => self.bytes.push(value),
                }
            }
        }
        Ok(())
    }
}

/// What stands at a pixel of a copy.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    AsItWas,
    Gray(u8),
}

fn shown(
    window: PixelBox,
    inside: &Image<u8>,
    painted: &Image<u8>,
    row: usize,
    col: usize,
) -> Shown {
    let is_inside = (window.row..window.row_end()).contains(&row)
        && (window.col..window.col_end()).contains(&col);
    if !is_inside {
        return Shown::Gray(0);
    }
    let (row, col) = (row - window.row, col - window.col);
    match painted.at(row, col) {
        value if value == inside.at(row, col) => Shown::AsItWas,
        value => Shown::Gray(value),
    }
}

/// Grey values as they are, decoded.
fn grays(path: &Path, limits: &Limits) -> Result<Cleaned, Error> {
    let mut header = dataset::read_file(path, WANTED)?;
    let layout = Layout::read(&header, limits)?;
    let samples = frames::read_samples(&mut header, &layout, limits)?;
    let photometric = match layout.photometric {
        Photometric::Monochrome1 => "MONOCHROME1",
        Photometric::Monochrome2 => "MONOCHROME2",
        _ => return Err(refused("expected a grey mammogram, got colours")),
    };
    let stored = layout.bits_stored as u16;
    let bytes = match layout.bits_allocated {
        8 => samples.values.iter().map(|&v| v as u8).collect(),
        _ => {
            let whole = |&v: &u16| sign_extended(v, &layout).to_le_bytes();
            samples.values.iter().flat_map(whole).collect()
        }
    };
    Ok(Cleaned {
        burnt: Burnt::Nothing,
        painted: 0,
        frames: 1,
        samples: 1,
        photometric,
        bits: Some([
            layout.bits_allocated as u16,
            stored,
            stored - 1,
            u16::from(layout.signed),
        ]),
        bytes,
    })
}

/// Decoders give the stored bits alone; a negative value has ones above them.
fn sign_extended(value: u16, layout: &Layout) -> u16 {
    let stored = layout.bits_stored;
    let is_negative = layout.signed && stored < 16 && value >> (stored - 1) & 1 == 1;
    match is_negative {
        true => value | u16::MAX << stored,
        false => value,
    }
}
