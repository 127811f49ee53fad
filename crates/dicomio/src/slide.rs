//! Whole-slide microscopy (PS3.3 A.32.8, C.8.12.4): what a file holds of a slide, and its tiles.
//!
//! Owns: the total pixel matrix, where each frame lies in it, decoding a frame. Does not own: which
//! files make up a slide (`lobule-slide`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use lobule_raster::{Image, Limits};
use sha2::{Digest, Sha256};

use crate::codec;
use crate::content::is_synthetic;
use crate::dataset::{self, Dataset, Header, malformed};
use crate::frames::{Place, places, read_place};
use crate::header::WANTED;
use crate::layout::{Layout, unsupported};
use crate::render::Renderer;
use crate::{Error, ErrorKind};

/// Elements that are read besides those about pixels.
const SLIDE_WANTED: [Tag; 10] = [
    tags::SERIES_INSTANCE_UID,
    tags::TOTAL_PIXEL_MATRIX_ROWS,
    tags::TOTAL_PIXEL_MATRIX_COLUMNS,
    tags::DIMENSION_ORGANIZATION_TYPE,
    tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
    tags::CONCATENATION_FRAME_OFFSET_NUMBER,
    tags::TOTAL_PIXEL_MATRIX_FOCAL_PLANES,
    tags::NUMBER_OF_OPTICAL_PATHS,
    tags::IMAGED_VOLUME_WIDTH,
    tags::IMAGED_VOLUME_HEIGHT,
];

/// What an image of a slide shows, by the third value of Image Type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlideImageKind {
    /// The tissue: a level of the pyramid.
    Volume,
    /// The paper label. May hold names; its pixels are never read.
    Label,
    /// The whole slide with its label. May hold names; its pixels are never read.
    Overview,
    /// A small picture of the tissue, or something else.
    Other,
}

/// What the header of a file of a slide says. Holds no identifier of a patient.
#[derive(Debug, Clone, PartialEq)]
pub struct SlideHeader {
    /// The file.
    pub file: PathBuf,
    /// Opaque key of the series: the same for all files of one slide.
    pub series_key: String,
    /// What it shows.
    pub kind: SlideImageKind,
    /// Rows and columns of the whole level.
    pub size: (usize, usize),
    /// Rows and columns of a tile.
    pub tile: (usize, usize),
    /// Microns per pixel, down and across, where stated.
    pub microns: Option<(f64, f64)>,
    /// Tolerated deviations.
    pub notes: Vec<String>,
    /// Whether it says that it was computed.
    pub is_synthetic: bool,
}

/// The frames of one file of a slide, to be decoded one by one, from any thread.
pub struct SlideFrames {
    file: PathBuf,
    source: Mutex<Header>,
    layout: Layout,
    renderer: Renderer,
    places: Vec<Place>,
    /// Frames by tile row and tile column.
    frames: BTreeMap<(usize, usize), usize>,
}

impl std::fmt::Debug for SlideFrames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let frames = self.frames.len();
        write!(f, "SlideFrames({}, {frames} tiles)", self.file.display())
    }
}

/// Reads what a file says of the slide it belongs to.
///
/// # Errors
/// `NotDicom`, `OtherModality` for an object that is no whole-slide image, `Malformed` without a size.
pub fn read_slide_header(file: &Path, limits: &Limits) -> Result<SlideHeader, Error> {
    let read = || {
        let header = dataset::read_file(file, &wanted(&[]))?;
        slide_header(file, &header.dataset, limits)
    };
    read().map_err(|e: Error| e.in_file(file))
}

fn wanted(more: &[Tag]) -> Vec<Tag> {
    [WANTED, &SLIDE_WANTED, more].concat()
}

fn slide_header(file: &Path, data: &Dataset, limits: &Limits) -> Result<SlideHeader, Error> {
    let class = data.text(tags::SOP_CLASS_UID).unwrap_or_default();
    if class != uids::VL_WHOLE_SLIDE_MICROSCOPY_IMAGE_STORAGE {
        let message = "expected a whole-slide microscopy image, got another object";
        return Err(Error::new(ErrorKind::OtherModality, message));
    }
    let side = |tag, name: &str| match data.long(tag) {
        Some(pixels @ 1..=0x0400_0000) => Ok(pixels as usize),
        _ => Err(malformed(format!(
            "expected {name} of the whole slide, got none that can be"
        ))),
    };
    let tile = |tag| match data.word(tag) {
        Some(0) | None => Err(malformed("expected tiles of at least one row and column")),
        Some(pixels) => Ok(usize::from(pixels)),
    };
    let size = (
        side(tags::TOTAL_PIXEL_MATRIX_ROWS, "rows")?,
        side(tags::TOTAL_PIXEL_MATRIX_COLUMNS, "columns")?,
    );
    let tile = (tile(tags::ROWS)?, tile(tags::COLUMNS)?);
    if (tile.0 * tile.1) as u64 > limits.max_pixels {
        let most = limits.max_pixels;
        let message = format!("expected tiles of at most {most} pixels, got {tile:?}");
        return Err(Error::new(ErrorKind::TooLarge, message));
    }
    let mut notes = Vec::new();
    let microns = microns(data, size, &mut notes);
    let kind = data.texts(tags::IMAGE_TYPE);
    Ok(SlideHeader {
        file: file.to_owned(),
        series_key: series_key(data, file),
        kind: match kind.get(2).map(String::as_str) {
            Some("VOLUME") => SlideImageKind::Volume,
            Some("LABEL") => SlideImageKind::Label,
            Some("OVERVIEW") => SlideImageKind::Overview,
            Some(_) => SlideImageKind::Other,
            None => {
                notes.push("the kind of image is not stated: taken for tissue".into());
                SlideImageKind::Volume
            }
        },
        size,
        tile,
        microns,
        notes,
        is_synthetic: is_synthetic(data),
    })
}

/// By Pixel Spacing, else by the size of the imaged volume.
fn microns(data: &Dataset, size: (usize, usize), notes: &mut Vec<String>) -> Option<(f64, f64)> {
    let shared = data.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    let measures = shared
        .first()
        .map(|item| item.items(tags::PIXEL_MEASURES_SEQUENCE));
    let spacing = measures.and_then(|m| Some(m.first()?.decimals(tags::PIXEL_SPACING)));
    if let Some(&[rows, cols, ..]) = spacing.as_deref() {
        return Some((rows * 1e3, cols * 1e3));
    }
    let length = |tag| {
        data.raw(tag)?
            .first_chunk()
            .map(|b| f64::from(f32::from_le_bytes(*b)))
    };
    let rows = length(tags::IMAGED_VOLUME_HEIGHT)?;
    let cols = length(tags::IMAGED_VOLUME_WIDTH)?;
    notes.push("microns per pixel were taken from the size of the imaged volume".into());
    Some((rows * 1e3 / size.0 as f64, cols * 1e3 / size.1 as f64))
}

/// A file without a series is a slide of its own.
fn series_key(data: &Dataset, file: &Path) -> String {
    let stated = data.text(tags::SERIES_INSTANCE_UID);
    let seed = stated.unwrap_or_else(|| file.to_string_lossy().into_owned());
    let digest = Sha256::digest(seed.as_bytes());
    digest[..6].iter().map(|b| format!("{b:02x}")).collect()
}

impl SlideFrames {
    /// Finds the frames of a file.
    ///
    /// In TILED_FULL, frames follow each other row by row, of the first focal plane and optical path
    /// first; those of further ones are left. Else each frame states its place (PS3.3 C.7.6.17.3).
    ///
    /// # Errors
    /// As [`read_slide_header`]; `Malformed` for frames without a place, `UnsupportedEncoding` for
    /// places beside the grid of tiles, and for encodings that are not read.
    pub fn open(file: &Path, limits: &Limits) -> Result<(SlideFrames, Vec<String>), Error> {
        SlideFrames::read(file, limits).map_err(|e| e.in_file(file))
    }

    fn read(file: &Path, limits: &Limits) -> Result<(SlideFrames, Vec<String>), Error> {
        let mut header = dataset::read_file(file, &wanted(&[]))?;
        let about = slide_header(file, &header.dataset, limits)?;
        let layout = Layout::read(&header, limits)?;
        let mut notes = about.notes.clone();
        let stated = header.dataset.text(tags::DIMENSION_ORGANIZATION_TYPE);
        let across = about.size.1.div_ceil(about.tile.1);
        let tiles = about.size.0.div_ceil(about.tile.0) * across;
        let frames = match stated.as_deref() {
            Some("TILED_FULL") => full(&header.dataset, layout.frames, tiles, across),
            _ => {
                let more = [tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE];
                let with_places = dataset::read_file(file, &wanted(&more))?;
                match sparse(&with_places.dataset, &about)? {
                    placed if !placed.is_empty() => placed,
                    _ if layout.frames == tiles => {
                        notes.push("tiles state no place: taken row by row".into());
                        full(&header.dataset, layout.frames, tiles, across)
                    }
                    _ => {
                        let got = layout.frames;
                        let message =
                            format!("expected the place of each of {got} tiles, got none");
                        return Err(malformed(message));
                    }
                }
            }
        };
        let places = places(&mut header, &layout)?;
        let renderer = Renderer::new(&layout, &header.dataset, &mut Vec::new())?;
        let frames = SlideFrames {
            file: file.to_owned(),
            source: Mutex::new(header),
            layout,
            renderer,
            places,
            frames,
        };
        Ok((frames, notes))
    }

    /// The tiles that the file holds, by tile row and tile column.
    pub fn tiles(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.frames.keys().copied()
    }

    /// Decodes a whole tile; nothing where this file does not hold it.
    ///
    /// # Errors
    /// When the tile's frame cannot be read or decoded.
    pub fn read_tile(&self, row: usize, col: usize) -> Result<Option<Image<[u8; 3]>>, Error> {
        let Some(&frame) = self.frames.get(&(row, col)) else {
            return Ok(None);
        };
        let decode = || {
            let place = self.places.get(frame);
            let place = place.ok_or_else(|| malformed("expected a frame of the file, got none"))?;
            let bytes = {
                let mut source = self.source.lock().unwrap_or_else(|e| e.into_inner());
                read_place(&mut source, place)?
            };
            let samples = codec::decode(&bytes, &self.layout)?;
            Ok(self.renderer.render(samples)?.to_rgb())
        };
        decode().map(Some).map_err(|e: Error| e.in_file(&self.file))
    }
}

/// Frames in order, of which this file holds `frames` from its place in the concatenation on.
fn full(
    data: &Dataset,
    frames: usize,
    tiles: usize,
    across: usize,
) -> BTreeMap<(usize, usize), usize> {
    let first = data
        .long(tags::CONCATENATION_FRAME_OFFSET_NUMBER)
        .unwrap_or(0) as usize;
    let held = (0..frames).take_while(|frame| first + frame < tiles);
    let placed = held.map(|frame| {
        let tile = first + frame;
        ((tile / across, tile % across), frame)
    });
    placed.collect()
}

/// Frames by their own word; of several at one place the first counts.
fn sparse(data: &Dataset, about: &SlideHeader) -> Result<BTreeMap<(usize, usize), usize>, Error> {
    let mut placed = BTreeMap::new();
    let groups = data.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    for (frame, group) in groups.iter().enumerate() {
        let positions = group.items(tags::PLANE_POSITION_SLIDE_SEQUENCE);
        let Some(position) = positions.first() else {
            continue;
        };
        // Counted from 1.
        let at = |tag| position.long(tag).and_then(|n| (n as usize).checked_sub(1));
        let row = at(tags::ROW_POSITION_IN_TOTAL_IMAGE_PIXEL_MATRIX);
        let col = at(tags::COLUMN_POSITION_IN_TOTAL_IMAGE_PIXEL_MATRIX);
        let (row, col) = row
            .zip(col)
            .ok_or_else(|| malformed("expected a place from 1 on"))?;
        if row % about.tile.0 != 0 || col % about.tile.1 != 0 {
            return Err(unsupported(
                "expected tiles side by side, got some that overlap",
            ));
        }
        if row < about.size.0 && col < about.size.1 {
            let tile = (row / about.tile.0, col / about.tile.1);
            placed.entry(tile).or_insert(frame);
        }
    }
    Ok(placed)
}
