//! A small labelled set of synthetic pictures, for tests that train.
//!
//! Owns: the pictures, their masks and two tables of the same cases: `manifest.csv` (by exam and
//! breast) and `labels.csv` (by image, as the published data sets are laid out). Does not own:
//! reading them back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use image::{ExtendedColorType, save_buffer};
use lobule_exam::{Laterality, Side};
use lobule_raster::Image;

use crate::noise::{Purpose, Stream};
use crate::{
    Calcifications, Composition, Error, ErrorKind, ImagePlan, Layout, LesionKind, LesionPlan,
    render,
};

/// Rows and columns of a training picture.
const SIDE_PIXELS: usize = 112;
/// Pictures of each breast.
const VIEWS: u64 = 2;

/// One picture of the set. Paths are relative to the set's folder.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainingCase {
    /// Name of the exam; begins with `synthetic`.
    pub exam: String,
    /// The breast.
    pub side: Side,
    /// The picture.
    pub file: PathBuf,
    /// `normal`, `benign` or `malignant`.
    pub label: &'static str,
    /// The lesion's mask: white inside.
    pub mask: Option<PathBuf>,
}

/// Writes `n_exams` exams of one breast with two small pictures each; every third one is normal,
/// benign-like, malignant-like.
///
/// # Errors
/// When the folder or a file in it cannot be written.
pub fn write_training_set(
    folder: &Path,
    n_exams: usize,
    seed: u64,
) -> Result<Vec<TrainingCase>, Error> {
    for sub in ["images", "masks"] {
        create_folder(&folder.join(sub))?;
    }
    let mut cases = Vec::new();
    for exam in 0..n_exams {
        for view in 0..VIEWS {
            cases.push(write_case(folder, exam, view, seed)?);
        }
    }
    write_text(&folder.join("manifest.csv"), &manifest(&cases))?;
    write_text(&folder.join("labels.csv"), &labels(&cases))?;
    Ok(cases)
}

fn write_case(folder: &Path, exam: usize, view: u64, seed: u64) -> Result<TrainingCase, Error> {
    let exam_seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (exam as u64) << 8;
    let stream = &mut Stream::new(exam_seed ^ view << 40, Purpose::Plan);
    let (label, kind) = match exam % 3 {
        0 => ("normal", None),
        1 if exam.is_multiple_of(2) => ("benign", Some(LesionKind::Cyst)),
        1 => ("benign", Some(LesionKind::Solid)),
        _ => ("malignant", Some(LesionKind::Malignant)),
    };
    let side = if exam.is_multiple_of(2) {
        Laterality::Left
    } else {
        Laterality::Right
    };
    let plan = ImagePlan {
        layout: Layout::Bare {
            rows: SIDE_PIXELS + 9,
            cols: SIDE_PIXELS,
        },
        depth_mm: 32.0,
        composition: [Composition::Mixed, Composition::Dense][exam / 3 % 2],
        lesion: kind.map(|kind| placed(kind, stream)),
        side: Side::Known(side),
        ..ImagePlan::default()
    };
    let phantom = render(&plan, exam_seed ^ view);
    let name = format!("synthetic-{exam:04}-{view}.png");
    let file = Path::new("images").join(&name);
    save_gray(&folder.join(&file), &phantom.screen)?;
    let mask = phantom
        .lesion
        .map(|lesion| lesion.mask.map(|inside| 255 * u8::from(inside)));
    let mask_file = mask.as_ref().map(|_| Path::new("masks").join(&name));
    if let (Some(mask), Some(file)) = (mask, &mask_file) {
        save_gray(&folder.join(file), &mask)?;
    }
    Ok(TrainingCase {
        exam: format!("synthetic-{exam:04}"),
        side: plan.side,
        file,
        label,
        mask: mask_file,
    })
}

fn placed(kind: LesionKind, stream: &mut Stream) -> LesionPlan {
    let (least, most) = match kind {
        LesionKind::Malignant => (6.5, 10.0),
        _ => (8.0, 13.0),
    };
    let width_mm = f64::from(stream.between(least, most));
    LesionPlan {
        kind,
        width_mm,
        depth_mm: f64::from(stream.between(12.0, 17.0)),
        lateral_mm: f64::from(stream.between(-7.0, 7.0)),
        calcifications: Calcifications::None,
    }
}

fn manifest(cases: &[TrainingCase]) -> String {
    let mut table = String::from("exam,breast,file,label,mask\n");
    for case in cases {
        let (file, mask) = (slashed(&case.file), mask_cell(case));
        let _ = writeln!(
            table,
            "{},{},{file},{},{mask}",
            case.exam, case.side, case.label
        );
    }
    table
}

fn labels(cases: &[TrainingCase]) -> String {
    let mut table = String::from("file,label,patient,mask\n");
    for case in cases {
        let (file, mask) = (slashed(&case.file), mask_cell(case));
        let _ = writeln!(table, "{file},{},{},{mask}", case.label, case.exam);
    }
    table
}

fn mask_cell(case: &TrainingCase) -> String {
    case.mask.as_deref().map(slashed).unwrap_or_default()
}

/// Paths in tables are written with `/` on every system.
pub(crate) fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

pub(crate) fn create_folder(folder: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(|e| Error::new(ErrorKind::Io, folder, &e))
}

pub(crate) fn write_text(file: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(file, text).map_err(|e| Error::new(ErrorKind::Io, file, &e))
}

fn save_gray(file: &Path, gray: &Image<u8>) -> Result<(), Error> {
    let (cols, rows) = (gray.cols() as u32, gray.rows() as u32);
    save_buffer(file, gray.pixels(), cols, rows, ExtendedColorType::L8)
        .map_err(|e| Error::new(ErrorKind::Io, file, &e))
}
