//! Results as DICOM objects: what they hold, and what programs that are not ours say of them.

mod claims;
mod judged;
mod look_up_tables;
mod objects;

use std::path::{Path, PathBuf};

use lobule_dicomio::result::{
    Moment, Outcome, ResultObject, ResultRequest, ResultRun, ResultSource, all,
};
use lobule_dicomio::{Frames, SyntheticUltrasound, write_ultrasound};
use lobule_exam::{
    Affine, Assessment, BreastAssessment, BreastOrientation, ClassScores, Crop, CropMethod,
    Finding, FindingClass, ImageAssessment, ImageSide, Laterality, Lesion, MammogramFacts,
    Modality, OperatingPoint, PixelBox, Point, Polygon, SaliencyMap, Side, Spacing, View,
};
use lobule_raster::{Image, Limits};

const MAMMOGRAMS: &str = "../phantom/tests/golden_encodings/base";

fn run() -> ResultRun {
    ResultRun {
        program_version: "0.1.0".to_owned(),
        engine: "rten".to_owned(),
        model_name: "breast-example".to_owned(),
        model_version: "1.2.0".to_owned(),
        model_digest: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".to_owned(),
        operating_point: Some(OperatingPoint {
            name: "balanced".to_owned(),
            threshold: 0.5,
            chosen_by: "made up for a test".to_owned(),
        }),
        research_use: "Learnt from few films; ranks weakly.".to_owned(),
        prevalence: Some(0.1),
    }
}

fn moment() -> Moment {
    Moment::new("20260131", "120000").unwrap()
}

/// An ellipse about the middle of an image, moved by a part of its size; number 0 is no lesion.
fn finding(class: FindingClass, rows: usize, cols: usize, shift: f64, number: usize) -> Finding {
    let (rows, cols) = (rows as f64, cols as f64);
    let corner = |i: usize| {
        let angle = i as f64 * std::f64::consts::TAU / 24.0;
        Point {
            row: rows * (0.5 + shift + 0.08 * angle.sin()),
            col: cols * (0.5 + shift + 0.12 * angle.cos()),
        }
    };
    let points: Vec<Point> = (0..24).map(corner).collect();
    Finding {
        class,
        score: 0.873,
        bounds: PixelBox {
            row: (rows * (0.42 + shift)) as usize,
            col: (cols * (0.38 + shift)) as usize,
            rows: (rows * 0.16) as usize,
            cols: (cols * 0.24) as usize,
        },
        outline: Polygon { points },
        longest_axis_mm: Some(11.5),
        lesion: (number > 0).then_some(Lesion {
            score: 31.0 / number as f64,
            number,
        }),
    }
}

fn scores(malignant: f64) -> ClassScores {
    ClassScores {
        benign: 0.2,
        malignant,
    }
}

fn image(
    file: &Path,
    size: (usize, usize),
    view: Option<View>,
    findings: Vec<Finding>,
) -> ImageAssessment {
    let (rows, cols) = size;
    let grid = (6, 4);
    let values: Vec<f32> = (0..24).map(|i| i as f32 / 24.0).collect();
    let (by_row, by_col) = (rows as f64 / grid.0 as f64, cols as f64 / grid.1 as f64);
    let corner = |row: usize, col: usize| Point {
        row: row as f64,
        col: col as f64,
    };
    ImageAssessment {
        file: file.to_str().unwrap().to_owned(),
        frame: 0,
        rows,
        cols,
        spacing: Spacing::new(0.1, 0.1).ok(),
        crop: Crop {
            window: PixelBox::whole(rows, cols),
            method: CropMethod::Whole,
            painted_pixels: 0,
        },
        image_from_input: Affine::IDENTITY,
        attention: 1.0,
        rank: 1,
        scores: scores(0.6),
        probabilities: Some(scores(0.3)),
        saliency: SaliencyMap {
            rows: grid.0,
            cols: grid.1,
            benign: vec![0.1; 24],
            malignant: values,
            image_from_grid: Affine::resample(by_row, by_col),
        },
        findings,
        mammogram: view.map(|view| MammogramFacts {
            view: Some(view),
            orientation: BreastOrientation::new(ImageSide::Left, Some(ImageSide::Top)).unwrap(),
            breast: Polygon {
                points: vec![
                    corner(0, 0),
                    corner(0, cols / 2),
                    corner(rows / 2, cols - 1),
                    corner(rows - 1, 0),
                ],
            },
            pectoral: None,
            density: Some(0.3),
            density_classes: Err("not looked at".to_owned()),
            windows: Vec::new(),
        }),
        warnings: Vec::new(),
    }
}

fn breast(side: Side, images: Vec<ImageAssessment>) -> BreastAssessment {
    BreastAssessment {
        side,
        scores: scores(0.873),
        probabilities: Some(scores(0.31)),
        flagged: true,
        images,
        missing_views: Vec::new(),
    }
}

/// An exam and the files it came from.
struct Exam {
    files: Vec<PathBuf>,
    assessment: Assessment,
}

impl Exam {
    fn new(breasts: Vec<BreastAssessment>) -> Exam {
        let images = || breasts.iter().flat_map(|b| &b.images);
        let is_mammography = images().any(|i| i.mammogram.is_some());
        Exam {
            files: images().map(|i| PathBuf::from(&i.file)).collect(),
            assessment: Assessment {
                exam: "exam-0123456789ab".to_owned(),
                modality: match is_mammography {
                    true => Modality::Mammography,
                    false => Modality::Ultrasound,
                },
                breasts,
                warnings: Vec::new(),
            },
        }
    }

    fn without_findings(mut self) -> Exam {
        for breast in &mut self.assessment.breasts {
            breast.flagged = false;
            breast.images.iter_mut().for_each(|i| i.findings.clear());
        }
        self
    }

    fn sources(&self) -> Vec<ResultSource> {
        self.files
            .iter()
            .map(|f| ResultSource::read(f, &f.display().to_string()).unwrap())
            .collect()
    }
}

/// Four views of a phantom; one lesion in both views of the left breast.
fn mammography() -> Exam {
    let folder = Path::new(MAMMOGRAMS);
    let view = |name: &str, view, findings| {
        image(
            &folder.join(format!("exam-{name}.dcm")),
            (240, 180),
            Some(view),
            findings,
        )
    };
    let at = |shift| finding(FindingClass::Malignant, 240, 180, shift, 1);
    let other = finding(FindingClass::Benign, 240, 180, -0.25, 0);
    Exam::new(vec![
        breast(
            Side::Known(Laterality::Left),
            vec![
                view("left-CC", View::Cc, vec![at(0.0), other]),
                view("left-MLO", View::Mlo, vec![at(0.1)]),
            ],
        ),
        breast(
            Side::Known(Laterality::Right),
            vec![
                view("right-CC", View::Cc, Vec::new()),
                view("right-MLO", View::Mlo, Vec::new()),
            ],
        ),
    ])
}

/// A grey image and a colour cine loop.
fn ultrasound(folder: &Path) -> Exam {
    let gray = |r: usize, c: usize| 40 + ((r * 31 + c * 17) % 97) as u8;
    let color = |frame: u8| Image::from_fn(300, 400, |r, c| [gray(r, c), gray(r, c), 10 * frame]);
    let pictures = [
        Frames::Gray(vec![Image::from_fn(300, 400, gray)]),
        Frames::Rgb((0..3).map(color).collect()),
    ];
    let side = Side::Known(Laterality::Right);
    let mut images: Vec<ImageAssessment> = Vec::new();
    for (number, frames) in (1_u32..).zip(pictures) {
        let file = folder.join(format!("{number}.dcm"));
        let written = SyntheticUltrasound {
            frames,
            side,
            spacing: Spacing::new(0.1, 0.1).unwrap(),
            region: PixelBox::whole(300, 400),
            study_seed: "results".to_owned(),
            instance_number: number,
        };
        write_ultrasound(&file, &written).unwrap();
        let found = vec![finding(FindingClass::Malignant, 300, 400, 0.1, 0)];
        let frame = number as usize - 1;
        images.push(ImageAssessment {
            frame,
            ..image(&file, (300, 400), None, found)
        });
    }
    Exam::new(vec![breast(side, images)])
}

fn objects(exam: &Exam) -> Vec<ResultObject> {
    objects_of(exam, Outcome::Assessed(&exam.assessment))
}

fn failed(reason: &str) -> Outcome<'_> {
    Outcome::Failed {
        modality: Modality::Mammography,
        reason,
    }
}

fn objects_of(exam: &Exam, outcome: Outcome<'_>) -> Vec<ResultObject> {
    with_request(exam, outcome, |request| {
        all(request, &Limits::default()).unwrap()
    })
}

fn with_request<T>(
    exam: &Exam,
    outcome: Outcome<'_>,
    make: impl FnOnce(&ResultRequest<'_>) -> T,
) -> T {
    make(&ResultRequest {
        sources: &exam.sources(),
        outcome,
        run: &run(),
        moment: &moment(),
    })
}
