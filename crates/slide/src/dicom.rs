//! Slides in DICOM series: every file of the series in one folder, levels by their size.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lobule_dicomio::{SlideFrames, SlideHeader, SlideImageKind, is_dicom, read_slide_header};
use lobule_exam::PixelBox;
use lobule_raster::{Image, Limits};

use crate::error::{io, unsupported};
use crate::source::{GLASS, locate, square, step_between};
use crate::{
    Error, LeftOut, Level, Rgb, SlideFacts, SlideFormat, SlideLimits, TileKey, TileSource,
};

#[derive(Debug)]
pub(crate) struct DicomSlide {
    path: PathBuf,
    facts: SlideFacts,
    /// The files of each level.
    levels: Vec<Vec<SlideFrames>>,
}

impl DicomSlide {
    pub(crate) fn open(path: &Path, limits: &SlideLimits) -> Result<DicomSlide, Error> {
        let pixels = Limits {
            max_pixels: limits.max_tile_pixels,
        };
        let asked = read_slide_header(path, &pixels)?;
        let mut facts = SlideFacts {
            format: SlideFormat::Dicom,
            levels: Vec::new(),
            mpp: Err("no file of the slide states it".into()),
            magnification: None,
            icc_bytes: None,
            left_out: Vec::new(),
            notes: Vec::new(),
            is_synthetic: asked.is_synthetic,
        };
        let series = series_of(path, &asked, &pixels)?;
        // Finest first.
        let mut sizes: BTreeMap<_, Vec<SlideHeader>> = BTreeMap::new();
        for header in series {
            match reason_against(&header) {
                Some((name, reason)) => facts.leave_out(name, header.size, reason),
                None => sizes
                    .entry(std::cmp::Reverse(header.size))
                    .or_default()
                    .push(header),
            }
        }
        let mut levels = Vec::new();
        for (size, headers) in sizes {
            facts.take_level(size.0, &headers, &pixels, &mut levels)?;
        }
        match levels.is_empty() {
            true => Err(unsupported(
                "expected an image of tissue, got none in this series",
            )),
            false => Ok(DicomSlide {
                path: path.to_owned(),
                facts,
                levels,
            }),
        }
    }
}

/// The headers of all files beside `path` that belong to its series, in the order of their names.
/// Files that are no slides are none of ours.
fn series_of(path: &Path, asked: &SlideHeader, limits: &Limits) -> Result<Vec<SlideHeader>, Error> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new("."))).map_err(io)?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let name = path.file_name();
    let others = files
        .iter()
        .filter(|file| file.file_name() != name && is_dicom(file));
    let headers = others.filter_map(|file| read_slide_header(file, limits).ok());
    let same = headers.filter(|header| header.series_key == asked.series_key);
    Ok([asked.clone()].into_iter().chain(same).collect())
}

/// Pixels of labels and overviews are never read.
fn reason_against(header: &SlideHeader) -> Option<(&'static str, &'static str)> {
    match header.kind {
        SlideImageKind::Volume => None,
        SlideImageKind::Label => Some(("label", "it is no level of the slide")),
        SlideImageKind::Overview => Some(("overview", "it is no level of the slide")),
        SlideImageKind::Other => Some(("image", "it is no level of the slide")),
    }
}

impl SlideFacts {
    fn leave_out(&mut self, name: &str, size: (usize, usize), reason: impl Into<String>) {
        self.left_out.push(LeftOut {
            name: name.into(),
            size: Some(size),
            reason: reason.into(),
        });
    }

    /// Opens the files of one size. Those that cannot be read are left out; of the finest level one
    /// must be readable, or its resolution would be lost silently.
    fn take_level(
        &mut self,
        size: (usize, usize),
        headers: &[SlideHeader],
        limits: &Limits,
        levels: &mut Vec<Vec<SlideFrames>>,
    ) -> Result<(), Error> {
        let tile = headers[0].tile;
        let finest = self
            .levels
            .first()
            .map_or(size, |level| (level.rows, level.cols));
        let Some(downsample) = step_between(finest, size) else {
            self.leave_out("image", size, "it is no smaller copy of the finest level");
            return Ok(());
        };
        let mut files = Vec::new();
        for header in headers {
            if header.tile != tile {
                self.leave_out(
                    "part",
                    size,
                    "its tiles are of another size than the level's",
                );
                continue;
            }
            match SlideFrames::open(&header.file, limits) {
                Ok((frames, notes)) => {
                    files.push(frames);
                    self.notes.extend(notes);
                }
                Err(e) if levels.is_empty() && headers.len() == 1 => return Err(e.into()),
                Err(e) => self.leave_out("part", size, e.to_string()),
            }
        }
        if files.is_empty() {
            return Ok(());
        }
        if let (true, Some((rows, cols))) = (levels.is_empty(), headers[0].microns) {
            self.mpp = square(rows, cols);
        }
        let tiles: BTreeSet<_> = files.iter().flat_map(SlideFrames::tiles).collect();
        let mut level = Level {
            rows: size.0,
            cols: size.1,
            tile_rows: tile.0,
            tile_cols: tile.1,
            downsample,
            absent_tiles: 0,
            lost_tiles: 0,
        };
        let whole = level.tiles_down() * level.tiles_across();
        level.absent_tiles = whole.saturating_sub(tiles.len());
        self.levels.push(level);
        levels.push(files);
        Ok(())
    }
}

impl TileSource for DicomSlide {
    fn facts(&self) -> &SlideFacts {
        &self.facts
    }

    fn read_tile(&self, key: TileKey) -> Result<Arc<Rgb>, Error> {
        let (_, place) = locate(&self.facts, key).map_err(|e| e.in_file(&self.path))?;
        for file in &self.levels[key.level] {
            let tile = file.read_tile(key.row, key.col);
            if let Some(tile) = tile.map_err(|e| Error::from(e).at(key).in_file(&self.path))? {
                let whole = PixelBox::whole(place.rows, place.cols);
                return Ok(Arc::new(tile.crop(whole)));
            }
        }
        Ok(Arc::new(Image::filled(place.rows, place.cols, GLASS)))
    }
}
