//! Slides with what is known of them.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// One slide, or one field of a slide as a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct SlideCase {
    /// Name of the data set.
    pub set: String,
    /// The slide's name within the set.
    pub name: String,
    /// The file; of a DICOM series, any of its files.
    pub file: PathBuf,
    /// Microns per pixel of the finest level, where the layout knows better than the file.
    pub mpp: Option<f64>,
    /// Patient, or whatever must not be torn apart.
    pub group: String,
    /// The data set's own fold, if it brings one.
    pub fold: Option<usize>,
    /// Nottingham grade: 1, 2 or 3.
    pub grade: Option<u8>,
    /// Where tumor is.
    pub regions: Regions,
    /// The other columns, such as follow-up.
    pub extra: BTreeMap<String, String>,
}

/// What a data set says of where invasive tumor is.
#[derive(Debug, Clone, PartialEq)]
pub enum Regions {
    /// Nothing.
    Unknown,
    /// The whole picture was taken of tumor, or of something else.
    Whole(Content),
    /// A picture of the same size.
    Mask(PathBuf, MaskCodes),
    /// GeoJSON in pixels of level 0, as QuPath writes it.
    Polygons(PathBuf),
    /// A table of nuclei: `class`, `x_center`, `y_center` in pixels.
    Nuclei(PathBuf),
}

/// What a place shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Invasive tumor.
    Tumor,
    /// Something else, tumor in situ too.
    Other,
}

/// What the values of a mask mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaskCodes {
    /// 0 is something else, all others are tumor.
    NotZero,
    /// Those of BCSS: 1 (tumor) and 19 (angioinvasion) are tumor; 0 (outside), 7 (excluded) and 15
    /// (undetermined) are unknown; the others, 20 (in situ) too, are something else.
    Bcss,
}

impl MaskCodes {
    /// What a value stands for; none for unknown.
    pub(super) fn content(self, value: u8) -> Option<Content> {
        match (self, value) {
            (MaskCodes::NotZero, 0) => Some(Content::Other),
            (MaskCodes::NotZero, _) | (MaskCodes::Bcss, 1 | 19) => Some(Content::Tumor),
            (MaskCodes::Bcss, 0 | 7 | 15) => None,
            (MaskCodes::Bcss, _) => Some(Content::Other),
        }
    }
}
