//! Sets of slides as their authors publish them, read without any rearranging.
//!
//! Owns: one reader per published folder layout ([`SlideLayout`]), each giving [`SlideCase`]s. Does not
//! own: pixels, which tiles are taken.

mod fields;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SlideSetConfig;
use super::case::{Regions, SlideCase};
use crate::layouts::{entries, relative};
use crate::{Error, ErrorKind};

/// How a set of slides lies on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlideLayout {
    /// `labels.csv` beside the pictures or slides: `file`, and where they are known `patient` (or
    /// `group`), `fold`, `grade`, `mpp`, `mask`: a picture of the tumor (not black), a QuPath file
    /// (`.geojson`), or a table of nuclei (`.csv` with `class`, `x_center`, `y_center`; the classes
    /// `Tumor_nuclei` and `Mitosis` are tumor). Further columns are kept.
    #[default]
    Table,
    /// `clinical.csv` with `patient`, `slide` (a file, or the folder of one slide), `grade`,
    /// optionally `fold`; further columns, such as follow-up, are kept. Annotations lie beside a
    /// slide: `NAME.geojson`.
    Clinical,
    /// TCGA-BRCA as the GDC's client leaves it: diagnostic slides (`…-DX1.….svs`) in folders of their
    /// own or together, and a table `clinical.tsv` or `clinical.csv` with `case_submitter_id` (or
    /// `bcr_patient_barcode`). The GDC gives no Nottingham grade: a column `grade` (or
    /// `histologic_grade`) must be joined to it.
    Tcga,
    /// BCSS (Amgad et al. 2019, doi 10.1093/bioinformatics/btz083): `rgbs_colorNormalized/` (or
    /// `images/`) and `masks/` with the same names, which bear the patient and microns per pixel.
    Bcss,
    /// BRACS, regions of interest (Brancati et al. 2022, doi 10.1093/database/baac093): folders
    /// `train`, `val`, `test` of `0_N` … `6_IC`. 0.25 µm per pixel. `IC` is tumor.
    Bracs,
    /// BACH, photos (Aresta et al. 2019, doi 10.1016/j.media.2019.05.010): folders `Benign`, `InSitu`,
    /// `Invasive`, `Normal`. 0.42 µm per pixel. `Invasive` is tumor. No patients: each photo is its own
    /// group, and a random split is too optimistic.
    Bach,
    /// BreaKHis (Spanhol et al. 2016, doi 10.1109/TBME.2015.2496264): any folder of
    /// `SOB_M_DC-14-2523-100-001.png`. Malignant is tumor; microns per pixel by magnification.
    Breakhis,
    /// Fields in folders by Nottingham grade (`Grade 1` …, at any depth), as Databiox (Bolhasani et al.
    /// 2020, doi 10.1016/j.imu.2020.100341). No patients and no microns per pixel: `mpp` must be
    /// given.
    Graded,
    /// A folder of slides, each with its annotations beside it: `NAME.svs` and `NAME.geojson`, exported
    /// from QuPath. Slides without are left out. Each slide is its own group.
    Qupath,
}

impl SlideLayout {
    /// The slides of a set.
    pub(super) fn read(self, set: &SlideSetConfig, folder: &Path) -> Result<Vec<SlideCase>, Error> {
        let cases = match self {
            SlideLayout::Table => tables::labels(set, folder),
            SlideLayout::Clinical => tables::clinical(set, folder),
            SlideLayout::Tcga => tables::tcga(set, folder),
            SlideLayout::Bcss => fields::bcss(set, folder),
            SlideLayout::Bracs => fields::bracs(set, folder),
            SlideLayout::Bach => fields::bach(set, folder),
            SlideLayout::Breakhis => fields::breakhis(set, folder),
            SlideLayout::Graded => fields::graded(set, folder),
            SlideLayout::Qupath => fields::qupath(set, folder),
        }?;
        match cases.is_empty() {
            true => {
                let message = "expected slides or fields with labels, got none";
                Err(Error::new(ErrorKind::Data, message).in_file(folder))
            }
            false => Ok(cases),
        }
    }
}

/// Deepest folder that is walked, below the set's own.
const DEEPEST: usize = 8;
const PICTURES: [&str; 5] = ["png", "jpg", "jpeg", "tif", "tiff"];
/// The plan of a synthetic slide, which is drawn where it is read.
const PLAN: &str = ".plan.json";

/// A slide of which nothing but its file is known yet.
fn bare(set: &SlideSetConfig, folder: &Path, file: PathBuf) -> SlideCase {
    let name = relative(folder, &file);
    SlideCase {
        set: set.name.clone(),
        group: name.clone(),
        name,
        file,
        mpp: None,
        fold: None,
        grade: None,
        regions: Regions::Unknown,
        extra: BTreeMap::new(),
    }
}

/// All files below a folder for which `take` holds, in order.
fn files_below(folder: &Path, take: &dyn Fn(&str) -> bool) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    walk(folder, DEEPEST, take, &mut found)?;
    Ok(found)
}

fn walk(
    folder: &Path,
    deepest: usize,
    take: &dyn Fn(&str) -> bool,
    found: &mut Vec<PathBuf>,
) -> Result<(), Error> {
    for path in entries(folder)? {
        if path.is_dir() && deepest > 0 {
            walk(&path, deepest - 1, take, found)?;
        } else if path.is_file() && take(&file_name(&path)) {
            found.push(path);
        }
    }
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn ending(name: &str) -> String {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ending.to_ascii_lowercase()
}

fn is_picture(name: &str) -> bool {
    PICTURES.contains(&ending(name).as_str())
}

fn is_slide(name: &str) -> bool {
    is_picture(name) || ["svs", "dcm"].contains(&ending(name).as_str()) || name.ends_with(PLAN)
}

/// Annotations beside a slide: `NAME.geojson`, or what was planted in a synthetic one.
fn beside(file: &Path) -> Regions {
    let name = file_name(file);
    let last = name
        .rsplit_once('.')
        .map_or(name.as_str(), |(stem, _)| stem);
    let stem = name.strip_suffix(PLAN).unwrap_or(last);
    ["geojson", "truth.geojson"]
        .map(|ending| file.with_file_name(format!("{stem}.{ending}")))
        .into_iter()
        .find(|found| found.is_file())
        .map_or(Regions::Unknown, Regions::Polygons)
}
