//! Exams to train on.
//!
//! Owns: which exams there are ([`training_exams`], drawn one by one), and the same as files
//! ([`write_training_set`]). Does not own: patches, augmentation, splits (`train`).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lobule_exam::{FindingClass, Laterality, Side, View};

use super::render_exam;
use super::write::{save_gray16, save_mask};
use super::{Density, ExamPlan, LesionKind, LesionPlan, MammogramExam, MammogramView, Medium};
use crate::Error;
use crate::noise::{Purpose, Stream};
use crate::training::{create_folder, slashed, write_text};

/// Which exams to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingPlan {
    /// Exams differ by their index and this.
    pub seed: u64,
    /// How many.
    pub n_exams: usize,
    /// Side of a pixel, in mm (0.05 to 2).
    pub spacing_mm: f64,
    /// How the pictures are taken: as given, or digital and film in turns.
    pub medium: Option<Medium>,
}

/// Draws exams one by one, each when it is asked for (`nth` skips without drawing).
///
/// By index modulo 3: normal, benign-like (one lesion), malignant-like (one malignant-like lesion
/// and, in every other exam, a benign-like one in the other breast). Densities, kinds, sizes and
/// places vary; all are spread evenly.
///
/// ```
/// use lobule_phantom::mammogram::{TrainingPlan, training_exams};
/// let plan = TrainingPlan { seed: 1, n_exams: 3, spacing_mm: 1.5, medium: None };
/// let exams: Vec<_> = training_exams(plan).collect();
/// assert!(exams[0].views.iter().all(|view| view.lesions.is_empty()));
/// assert_eq!(exams[1].views.iter().map(|view| view.lesions.len()).sum::<usize>(), 2);
/// ```
pub fn training_exams(plan: TrainingPlan) -> impl ExactSizeIterator<Item = MammogramExam> {
    (0..plan.n_exams).map(move |index| training_exam(&plan, index))
}

/// Draws the exam of an index; indices may go beyond the plan's number.
pub fn training_exam(plan: &TrainingPlan, index: usize) -> MammogramExam {
    let seed = plan.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index as u64) << 8;
    let stream = &mut Stream::new(seed, Purpose::Plan);
    let round = index / 3;
    let in_turns = [Medium::Digital, Medium::Film][round % 2];
    let exam = ExamPlan {
        spacing_mm: plan.spacing_mm,
        density: Density::ALL[round % 4],
        medium: plan.medium.unwrap_or(in_turns),
        lesions: lesions(index % 3, round, stream),
    };
    render_exam(&exam, seed)
}

fn lesions(class: usize, round: usize, stream: &mut Stream) -> Vec<LesionPlan> {
    const MALIGNANT: [LesionKind; 3] = [
        LesionKind::Spiculated,
        LesionKind::Indistinct,
        LesionKind::Cluster,
    ];
    const BENIGN: [LesionKind; 2] = [LesionKind::Oval, LesionKind::Calcified];
    let (side, other) = match stream.between(0.0, 1.0) < 0.5 {
        true => (Laterality::Left, Laterality::Right),
        false => (Laterality::Right, Laterality::Left),
    };
    let benign = BENIGN[round % 2];
    match class {
        0 => Vec::new(),
        1 => vec![placed(side, benign, stream)],
        _ => {
            let mut lesions = vec![placed(side, MALIGNANT[round % 3], stream)];
            if round % 2 == 1 {
                lesions.push(placed(other, benign, stream));
            }
            lesions
        }
    }
}

fn placed(side: Laterality, kind: LesionKind, stream: &mut Stream) -> LesionPlan {
    let (least, most) = match kind {
        LesionKind::Spiculated | LesionKind::Cluster => (8.0, 20.0),
        _ => (8.0, 26.0),
    };
    let mut share = |low, high| f64::from(stream.between(low, high));
    LesionPlan {
        side,
        kind,
        diameter_mm: share(least, most),
        depth: share(0.25, 0.75),
        outward: share(-0.8, 0.8),
        upward: share(-0.8, 0.8),
    }
}

/// One view of a written set. Paths are relative to the set's folder.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenView {
    /// Name of the exam; begins with `synthetic`.
    pub exam: String,
    /// The breast.
    pub side: Side,
    /// The projection.
    pub view: View,
    /// The picture, 16-bit PNG.
    pub file: PathBuf,
    /// `normal`, `benign` or `malignant`: the breast's, in both of its views.
    pub label: &'static str,
    /// All lesions' masks together: white inside.
    pub mask: Option<PathBuf>,
}

/// Writes exams as 16-bit PNG with masks, `manifest.csv` (a line per picture) and `lesions.csv`
/// (a line per lesion and view).
///
/// # Errors
/// When the folder or a file in it cannot be written.
pub fn write_training_set(folder: &Path, plan: TrainingPlan) -> Result<Vec<WrittenView>, Error> {
    for sub in ["images", "masks"] {
        create_folder(&folder.join(sub))?;
    }
    let mut written = Vec::new();
    let mut manifest =
        String::from("exam,breast,view,file,label,mask,row_mm,col_mm,medium,density,source\n");
    let mut lesions = String::from(
        "exam,breast,view,file,lesion,kind,class,row,col,rows,cols,longest_mm,depth_mm,source\n",
    );
    for (index, exam) in training_exams(plan).enumerate() {
        let name = format!("synthetic-{index:04}");
        for view in &exam.views {
            let one = write_view(folder, &name, &exam, view)?;
            manifest_line(&mut manifest, &one, &exam, view);
            lesion_lines(&mut lesions, &one, view);
            written.push(one);
        }
    }
    write_text(&folder.join("manifest.csv"), &manifest)?;
    write_text(&folder.join("lesions.csv"), &lesions)?;
    Ok(written)
}

fn write_view(
    folder: &Path,
    exam_name: &str,
    exam: &MammogramExam,
    view: &MammogramView,
) -> Result<WrittenView, Error> {
    let name = format!("{exam_name}-{}-{}.png", Side::Known(view.side), view.view);
    let file = Path::new("images").join(&name);
    save_gray16(&folder.join(&file), &view.image)?;
    let mask = match view.lesions.is_empty() {
        true => None,
        false => Some(Path::new("masks").join(&name)),
    };
    if let Some(file) = &mask {
        save_mask(&folder.join(file), view)?;
    }
    Ok(WrittenView {
        exam: exam_name.to_owned(),
        side: Side::Known(view.side),
        view: view.view,
        file,
        label: exam.class(view.side).map_or("normal", class_name),
        mask,
    })
}

pub(super) fn class_name(class: FindingClass) -> &'static str {
    match class {
        FindingClass::Benign => "benign",
        FindingClass::Malignant => "malignant",
    }
}

fn manifest_line(
    table: &mut String,
    written: &WrittenView,
    exam: &MammogramExam,
    view: &MammogramView,
) {
    let mask = written.mask.as_deref().map(slashed).unwrap_or_default();
    let mm = view.spacing.row_mm();
    let _ = writeln!(
        table,
        "{},{},{},{},{},{mask},{mm},{mm},{},{},synthetic",
        written.exam,
        written.side,
        written.view,
        slashed(&written.file),
        written.label,
        exam.medium,
        exam.density.name(),
    );
}

fn lesion_lines(table: &mut String, written: &WrittenView, view: &MammogramView) {
    for lesion in &view.lesions {
        let bounds = lesion.bounds();
        let _ = writeln!(
            table,
            "{},{},{},{},{},{},{},{},{},{},{},{:.1},{:.1},synthetic",
            written.exam,
            written.side,
            written.view,
            slashed(&written.file),
            lesion.number,
            lesion.kind.name(),
            class_name(lesion.class),
            bounds.row,
            bounds.col,
            bounds.rows,
            bounds.cols,
            lesion.longest_mm,
            lesion.depth_mm,
        );
    }
}
