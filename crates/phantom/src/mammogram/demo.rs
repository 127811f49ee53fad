//! The mammographic exam of the demonstration.

use std::fmt::Write as _;
use std::path::Path;

use lobule_dicomio::MammogramEncoding;
use lobule_exam::{Laterality, Side};

use super::training::class_name;
use super::{
    Density, ExamPlan, LesionKind, LesionPlan, MammogramExam, render_exam, write_dicom_exam,
};
use crate::Error;
use crate::training::{slashed, write_text};

/// Name of the exam, of its folder, and of its study.
const NAME: &str = "synthetic-mammogram";
const SPACING_MM: f64 = 0.1;

/// A written mammographic exam.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoMammograms {
    /// Begins with `synthetic`.
    pub name: String,
    /// The folder of its DICOM files, which holds nothing else.
    pub folder: std::path::PathBuf,
    /// Its files, in the order of the exam's views.
    pub files: Vec<std::path::PathBuf>,
    /// What was drawn.
    pub exam: MammogramExam,
}

/// Writes a four-view exam (in the left breast a spiculated mass and a cluster of calcifications,
/// in the right one an oval benign-like mass) into a folder below `folder`, and
/// `truth-mammogram.csv` beside it.
///
/// # Errors
/// When a folder or file cannot be written.
///
/// ```no_run
/// let demo = lobule_phantom::mammogram::write_demo_exam("demo".as_ref(), 1)?;
/// assert_eq!(demo.files.len(), 4);
/// # Ok::<(), lobule_phantom::Error>(())
/// ```
pub fn write_demo_exam(folder: &Path, seed: u64) -> Result<DemoMammograms, Error> {
    let exam = render_exam(&plan(), seed);
    let exam_folder = folder.join(NAME);
    let encoding = MammogramEncoding::default();
    let files = write_dicom_exam(&exam_folder, NAME, &exam, encoding)?;
    let demo = DemoMammograms {
        name: NAME.to_owned(),
        folder: exam_folder,
        files,
        exam,
    };
    write_text(&folder.join("truth-mammogram.csv"), &truth(folder, &demo))?;
    Ok(demo)
}

fn plan() -> ExamPlan {
    let at = |side, kind, diameter_mm, depth, outward, upward| LesionPlan {
        side,
        kind,
        diameter_mm,
        depth,
        outward,
        upward,
    };
    use Laterality::{Left, Right};
    ExamPlan {
        spacing_mm: SPACING_MM,
        density: Density::Scattered,
        lesions: vec![
            at(Left, LesionKind::Spiculated, 14.0, 0.62, 0.45, 0.4),
            at(Left, LesionKind::Cluster, 10.0, 0.34, -0.5, -0.35),
            at(Right, LesionKind::Oval, 15.0, 0.5, 0.3, -0.4),
        ],
        ..ExamPlan::default()
    }
}

/// One line per lesion and view, or per view without one; boxes in pixels.
fn truth(folder: &Path, demo: &DemoMammograms) -> String {
    let mut table = String::from("# SYNTHETIC exam: computed phantoms, not a patient\n");
    table.push_str("exam,breast,view,file,lesion,kind,class,row,col,rows,cols,depth_mm\n");
    for (view, file) in demo.exam.views.iter().zip(&demo.files) {
        let file = slashed(file.strip_prefix(folder).unwrap_or(file));
        let head = format!(
            "{},{},{},{file}",
            demo.name,
            Side::Known(view.side),
            view.view
        );
        if view.lesions.is_empty() {
            let _ = writeln!(table, "{head},,none,normal,,,,,");
        }
        for lesion in &view.lesions {
            let (name, class) = (lesion.kind.name(), class_name(lesion.class));
            let b = lesion.bounds();
            let _ = writeln!(
                table,
                "{head},{},{name},{class},{},{},{},{},{:.1}",
                lesion.number, b.row, b.col, b.rows, b.cols, lesion.depth_mm
            );
        }
    }
    table
}
