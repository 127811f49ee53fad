//! The exams of the demonstration.
//!
//! Owns: which exams there are, their DICOM files and the table of truth beside them. Does not
//! own: DICOM itself (`dicomio`). Each exam lies in a folder of its own, which holds images only.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use lobule_dicomio::{Frames, SyntheticUltrasound, write_ultrasound};
use lobule_exam::{FindingClass, Laterality, PixelBox, Side};

use crate::training::{create_folder, slashed, write_text};
use crate::{
    Callipers, Composition, Error, ErrorKind, ImagePlan, LesionKind, LesionPlan, PhantomImage,
    render, render_cine,
};

const LEFT: Side = Side::Known(Laterality::Left);
const RIGHT: Side = Side::Known(Laterality::Right);
/// Frames of the cine loop.
const CINE_FRAMES: usize = 12;

/// A synthetic exam as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoExam {
    /// Begins with `synthetic`.
    pub name: String,
    /// The folder of its DICOM files, which holds nothing else.
    pub folder: PathBuf,
    /// Its images in order.
    pub images: Vec<DemoImage>,
}

/// A synthetic image as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoImage {
    /// The DICOM file.
    pub file: PathBuf,
    /// The breast.
    pub side: Side,
    /// Number of frames.
    pub frames: usize,
    /// The planted lesion, and its box in the first frame.
    pub lesion: Option<(LesionKind, PixelBox)>,
}

/// Writes three exams into folders below `folder` (one with a malignant-like lesion, one with a
/// solid benign-like one, one with a cyst and a cine loop; the other breasts are normal), and
/// `truth.csv` beside them.
///
/// # Errors
/// When a folder or file cannot be written.
///
/// ```no_run
/// let exams = lobule_phantom::write_demo_exams("demo".as_ref(), 1)?;
/// assert!(exams.iter().all(|exam| exam.name.starts_with("synthetic")));
/// # Ok::<(), lobule_phantom::Error>(())
/// ```
pub fn write_demo_exams(folder: &Path, seed: u64) -> Result<Vec<DemoExam>, Error> {
    create_folder(folder)?;
    let exams: Result<Vec<DemoExam>, Error> = EXAMS
        .iter()
        .enumerate()
        .map(|(i, sketch)| write_exam(folder, sketch, seed.wrapping_add(1000 * i as u64)))
        .collect();
    let exams = exams?;
    write_text(&folder.join("truth.csv"), &truth(folder, &exams))?;
    Ok(exams)
}

struct ExamSketch {
    name: &'static str,
    composition: Composition,
    images: &'static [ImageSketch],
}

struct ImageSketch {
    side: Side,
    show: Show,
    /// Kind, width, depth and lateral position of the lesion, in mm.
    lesion: Option<(LesionKind, f64, f64, f64)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Show {
    Still,
    Measured,
    Cine,
}

const fn normal(side: Side) -> ImageSketch {
    ImageSketch {
        side,
        show: Show::Still,
        lesion: None,
    }
}

const fn with_lesion(side: Side, show: Show, lesion: (LesionKind, f64, f64, f64)) -> ImageSketch {
    ImageSketch {
        side,
        show,
        lesion: Some(lesion),
    }
}

const EXAMS: [ExamSketch; 3] = [
    ExamSketch {
        name: "synthetic-1",
        composition: Composition::Mixed,
        images: &[
            with_lesion(LEFT, Show::Still, (LesionKind::Malignant, 10.0, 15.5, -2.5)),
            with_lesion(
                LEFT,
                Show::Measured,
                (LesionKind::Malignant, 9.0, 14.5, 3.0),
            ),
            normal(LEFT),
            with_lesion(LEFT, Show::Still, (LesionKind::Malignant, 8.5, 15.0, 6.0)),
            normal(RIGHT),
            normal(RIGHT),
            normal(RIGHT),
        ],
    },
    ExamSketch {
        name: "synthetic-2",
        composition: Composition::Mixed,
        images: &[
            normal(LEFT),
            normal(LEFT),
            with_lesion(RIGHT, Show::Still, (LesionKind::Solid, 15.0, 13.5, 2.0)),
            with_lesion(RIGHT, Show::Measured, (LesionKind::Solid, 13.5, 13.0, -4.0)),
            normal(RIGHT),
        ],
    },
    ExamSketch {
        name: "synthetic-3",
        composition: Composition::Dense,
        images: &[
            with_lesion(LEFT, Show::Still, (LesionKind::Cyst, 11.0, 13.0, -3.0)),
            with_lesion(LEFT, Show::Cine, (LesionKind::Cyst, 10.0, 13.5, 0.0)),
            normal(LEFT),
            normal(RIGHT),
            normal(RIGHT),
        ],
    },
];

fn write_exam(folder: &Path, sketch: &ExamSketch, seed: u64) -> Result<DemoExam, Error> {
    let exam_folder = folder.join(sketch.name);
    create_folder(&exam_folder)?;
    let study_seed = format!("{} {seed}", sketch.name);
    let mut images = Vec::new();
    for (number, image) in (1_u32..).zip(sketch.images) {
        let file = exam_folder.join(format!("{}-{number:02}.dcm", sketch.name));
        let phantoms = draw(sketch, image, seed.wrapping_add(u64::from(number)));
        let written = write_image(&file, image.side, &phantoms, &study_seed, number);
        written.map_err(|e| Error::new(ErrorKind::Dicom, &file, &e))?;
        let lesion = phantoms.first().and_then(|first| first.lesion.as_ref());
        images.push(DemoImage {
            file,
            side: image.side,
            frames: phantoms.len(),
            lesion: lesion.and_then(|lesion| Some((lesion.kind, lesion.bounds()?))),
        });
    }
    Ok(DemoExam {
        name: sketch.name.to_owned(),
        folder: exam_folder,
        images,
    })
}

fn draw(exam: &ExamSketch, image: &ImageSketch, seed: u64) -> Vec<PhantomImage> {
    let lesion = image
        .lesion
        .map(|(kind, width_mm, depth_mm, lateral_mm)| LesionPlan {
            width_mm,
            depth_mm,
            lateral_mm,
            ..LesionPlan::typical(kind)
        });
    let callipers = match image.show {
        Show::Measured => Callipers::OnLesion,
        Show::Still | Show::Cine => Callipers::None,
    };
    let plan = ImagePlan {
        composition: exam.composition,
        lesion,
        side: image.side,
        callipers,
        ..ImagePlan::default()
    };
    match image.show {
        Show::Cine => render_cine(&plan, CINE_FRAMES, seed),
        Show::Still | Show::Measured => vec![render(&plan, seed)],
    }
}

fn write_image(
    file: &Path,
    side: Side,
    phantoms: &[PhantomImage],
    study_seed: &str,
    instance_number: u32,
) -> Result<(), lobule_dicomio::Error> {
    let first = phantoms
        .first()
        .expect("every sketch draws at least one frame");
    let image = SyntheticUltrasound {
        frames: Frames::Gray(
            phantoms
                .iter()
                .map(|phantom| phantom.screen.clone())
                .collect(),
        ),
        side,
        spacing: first.spacing,
        region: first.region,
        study_seed: study_seed.to_owned(),
        instance_number,
    };
    write_ultrasound(file, &image)
}

/// One line per image; boxes in pixels of the first frame.
fn truth(folder: &Path, exams: &[DemoExam]) -> String {
    let mut table = String::from("# SYNTHETIC exams: computed phantoms, not patients\n");
    table.push_str("exam,breast,file,frames,lesion,class,row,col,rows,cols\n");
    for exam in exams {
        for image in &exam.images {
            let file = slashed(image.file.strip_prefix(folder).unwrap_or(&image.file));
            let _ = write!(
                table,
                "{},{},{file},{},",
                exam.name, image.side, image.frames
            );
            let _ = writeln!(table, "{}", lesion_cells(image));
        }
    }
    table
}

fn lesion_cells(image: &DemoImage) -> String {
    let Some((kind, bounds)) = image.lesion else {
        return "none,normal,,,,".to_owned();
    };
    let class = match kind.class() {
        FindingClass::Benign => "benign",
        FindingClass::Malignant => "malignant",
    };
    let PixelBox {
        row,
        col,
        rows,
        cols,
    } = bounds;
    format!("{},{class},{row},{col},{rows},{cols}", kind.name())
}
