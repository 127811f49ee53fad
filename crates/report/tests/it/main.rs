//! The output folder as a whole: valid against the schema, escaped, complete.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod charts;
mod document;
mod mammogram_document;
mod mammography;
mod pdf;
mod slide;

use std::fs;

use lobule_exam::{
    Affine, Assessment, BreastAssessment, ClassScores, Crop, CropMethod, Finding, FindingClass,
    ImageAssessment, Laterality, Modality, OperatingPoint, PixelBox, Point, Polygon, SaliencyMap,
    Side, Skipped, Spacing, Warning, WarningKind,
};
use lobule_raster::{Image, Picture};
use lobule_report::{
    Calibration, EvaluationPage, ExamRecord, Figure, Folder, HeatMaps, Layout, ModelInfo,
    ModelStatus, Pages, ReliabilityBin, RocCurve, RunInfo, SCHEMA, ThresholdRow,
};
use serde_json::Value;

const EVIL: &str = "<script>alert('x')</script>&\"";

fn info() -> RunInfo {
    RunInfo {
        program_version: "0.1.0".into(),
        model: ModelInfo {
            name: "ultrasound".into(),
            version: "1.0".into(),
            modality: Modality::Ultrasound,
            digest: "0123456789abcdef".into(),
            engine: "rten".into(),
            members: 4,
            status: ModelStatus::Research,
            research_use: format!("Three films. {EVIL}"),
        },
        operating_point: Some(OperatingPoint {
            name: "balanced".into(),
            threshold: 0.31,
            chosen_by: "95 % sensitivity out of fold.".into(),
        }),
        calibration: Calibration::Rebased {
            from: 0.33,
            to: 0.05,
        },
    }
}

/// A speckled wedge with a dark round lesion at (120, 150).
fn picture() -> Picture {
    Picture::Gray8(Image::from_fn(260, 340, |row, col| {
        let d = (row as f64 - 120.0).hypot(col as f64 - 150.0);
        let speckle = (row * 7919 + col * 104_729 + row * col * 31) % 60;
        if d < 34.0 {
            (12 + speckle / 4) as u8
        } else {
            (70 + speckle) as u8
        }
    }))
}

fn image(file: &str, attention: f64, rank: usize) -> ImageAssessment {
    let window = PixelBox {
        row: 10,
        col: 20,
        rows: 240,
        cols: 300,
    };
    let (rows, cols) = (14, 14);
    let image_from_grid =
        Affine::translate(-20.0, 20.0).compose(&Affine::resample(300.0 / 14.0, 300.0 / 14.0));
    let grid_from_image = image_from_grid.inverse().unwrap();
    let center = grid_from_image.apply(Point {
        row: 120.0,
        col: 150.0,
    });
    let peak = |row: usize, col: usize| {
        let d = (row as f64 - center.row).hypot(col as f64 - center.col);
        (0.9 * (-d * d / 5.0).exp()) as f32
    };
    let malignant = (0..rows * cols).map(|i| peak(i / cols, i % cols)).collect();
    let circle = |i: i32| {
        let angle = f64::from(i) / 24.0 * std::f64::consts::TAU;
        Point {
            row: 120.0 + 38.0 * angle.sin(),
            col: 150.0 + 38.0 * angle.cos(),
        }
    };
    ImageAssessment {
        file: file.into(),
        frame: 0,
        rows: 260,
        cols: 340,
        spacing: Some(Spacing::new(0.1, 0.1).unwrap()),
        crop: Crop {
            window,
            method: CropMethod::Pixels,
            painted_pixels: 212,
        },
        image_from_input: Affine::IDENTITY,
        attention,
        rank,
        scores: ClassScores {
            benign: 0.2,
            malignant: 0.8,
        },
        probabilities: Some(ClassScores {
            benign: 0.15,
            malignant: 0.62,
        }),
        saliency: SaliencyMap {
            rows,
            cols,
            benign: vec![0.1; rows * cols],
            malignant,
            image_from_grid,
        },
        findings: vec![Finding {
            class: FindingClass::Malignant,
            score: 0.9,
            bounds: PixelBox {
                row: 82,
                col: 112,
                rows: 77,
                cols: 77,
            },
            outline: Polygon {
                points: (0..24).map(circle).collect(),
            },
            longest_axis_mm: Some(7.6),
            lesion: None,
        }],
        mammogram: None,
        warnings: Vec::new(),
    }
}

fn record(exam: &str, kind: WarningKind) -> ExamRecord {
    let breast = |side, flagged, images| BreastAssessment {
        side,
        scores: ClassScores {
            benign: 0.2,
            malignant: 0.7,
        },
        probabilities: Some(ClassScores {
            benign: 0.12,
            malignant: 0.57,
        }),
        flagged,
        images,
        missing_views: Vec::new(),
    };
    ExamRecord {
        assessment: Assessment {
            exam: exam.into(),
            modality: Modality::Ultrasound,
            breasts: vec![
                breast(
                    Side::Known(Laterality::Left),
                    true,
                    vec![image("a/one.png", 0.3, 2), image(EVIL, 0.7, 1)],
                ),
                breast(Side::Unknown, false, vec![image("two.png", 1.0, 1)]),
            ],
            warnings: vec![Warning {
                kind,
                message: format!("about {EVIL}"),
            }],
        },
        pictures: vec![Some(picture()), Some(picture()), None],
        steps: Vec::new(),
        skipped: vec![
            Skipped::new("broken.dcm", format!("expected pixels, got {EVIL}"))
                .of(exam, Side::Known(Laterality::Right)),
        ],
        identity: vec![("Patient".into(), EVIL.into())],
    }
}

fn write(layout: Layout, records: &[ExamRecord]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut mammography = info();
    mammography.model.modality = Modality::Mammography;
    let models = vec![info(), mammography];
    let mut folder = Folder::create(dir.path(), models, layout).unwrap();
    for record in records {
        folder.add(record).unwrap();
    }
    let page = folder.finish(&[]).unwrap();
    assert!(page.is_file());
    keep(dir.path());
    dir
}

#[test]
fn any_model_of_a_demonstration_marks_the_worklist() {
    let banner = "Demonstration model";
    for demonstration in [None, Some(0), Some(1)] {
        let mut models = vec![info(), info()];
        models[1].model.modality = Modality::Mammography;
        if let Some(which) = demonstration {
            models[which].model.status = ModelStatus::Demonstration;
        }
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::create(dir.path(), models, Layout::default()).unwrap();
        let page = fs::read_to_string(folder.finish(&[]).unwrap()).unwrap();
        assert_eq!(page.contains(banner), demonstration.is_some());
    }
}

/// Copies a result for a look at it, where `LOBULE_KEEP` names a folder.
fn keep(dir: &std::path::Path) {
    if let Some(to) = std::env::var_os("LOBULE_KEEP") {
        let status = std::process::Command::new("cp")
            .arg("-r")
            .args([dir.as_os_str(), to.as_os_str()])
            .status();
        assert!(status.unwrap().success());
    }
}

/// What the published schema finds wrong.
fn schema_errors(document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors = validator.iter_errors(document);
    errors.map(|e| e.to_string()).collect()
}

#[test]
fn the_document_is_valid_against_its_schema() {
    let records = [
        record("first", WarningKind::Synthetic),
        record("../evil", WarningKind::UnknownSide),
    ];
    let dir = write(Layout::default(), &records);
    let text = fs::read_to_string(dir.path().join("assessment.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(schema_errors(&document), [""; 0]);
    assert_eq!(document["exams"].as_array().unwrap().len(), 2);
    let heat_map = document["exams"][1]["breasts"][0]["images"][0]["heat_map"].as_str();
    assert!(dir.path().join(heat_map.unwrap()).is_file(), "{heat_map:?}");
    let mut wrong = document.clone();
    wrong["exams"][0]["breasts"][0]["scores"]["malignant"] = 1.5.into();
    assert_ne!(schema_errors(&wrong), [""; 0], "the schema must bite");
}

#[test]
fn an_empty_run_is_a_valid_document_too() {
    let dir = write(Layout::default(), &[]);
    let text = fs::read_to_string(dir.path().join("assessment.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(schema_errors(&document), [""; 0]);
}

#[test]
fn no_string_of_a_file_reaches_a_page_unescaped() {
    let layout = Layout {
        heat_maps: HeatMaps::Omit,
        pages: Pages::OneExam,
        ..Layout::default()
    };
    let dir = write(layout, &[record(EVIL, WarningKind::Synthetic)]);
    let page = fs::read_to_string(dir.path().join("report.html")).unwrap();
    assert!(!page.contains("<script>alert"));
    for needed in [
        "SYNTHETIC",
        "Research use only. Not for diagnosis. Three films.",
        "Flagged: at or above",
        "Not flagged: below",
        "57 %",
        "0123456789abcdef",
        "broken.dcm",
    ] {
        assert!(page.contains(needed), "{needed}");
    }
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "self-contained"
    );
}

#[test]
fn the_summary_has_one_row_per_file() {
    let dir = write(Layout::default(), &[record("e", WarningKind::ColorDoppler)]);
    let mut csv = csv::Reader::from_path(dir.path().join("summary.csv")).unwrap();
    let header: Vec<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
    let first = [
        "file",
        "exam",
        "breast",
        "malignant_probability",
        "status",
        "reason",
    ];
    assert_eq!(header[..6], first);
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let statuses: Vec<&str> = rows.iter().map(|r| &r[4]).collect();
    assert_eq!(statuses, ["warning", "warning", "warning", "skipped"]);
    assert_eq!((&rows[3][1], &rows[3][2]), ("e", "right"));
}

#[test]
fn an_unwritable_folder_is_found_before_any_work() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let error = Folder::create(&file.join("out"), vec![info()], Layout::default()).unwrap_err();
    assert_eq!(error.kind(), lobule_report::ErrorKind::Io);
}

#[test]
fn an_evaluation_draws_its_curve() {
    let page = EvaluationPage {
        title: format!("three cases {EVIL}"),
        figures: vec![Figure {
            name: "AUROC".into(),
            value: "0.75".into(),
            interval: "0.50 to 0.90".into(),
            basis: "2 malignant, 2 benign; DeLong".into(),
        }],
        roc: RocCurve {
            points: vec![(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)],
        },
        reliability: vec![ReliabilityBin {
            predicted: 0.2,
            observed: 0.25,
            n_cases: 4,
        }],
        thresholds: vec![ThresholdRow {
            rule: "sensitivity ≥ 95 %".into(),
            threshold: 0.2,
            sensitivity: "1.00".into(),
            specificity: "0.50".into(),
            ppv: "0.67".into(),
            npv: "1.00".into(),
            flagged: "75 %".into(),
        }],
        notes: Vec::new(),
    };
    let html = page.render(&info()).unwrap();
    assert!(html.contains("Reliability diagram</title>") && !html.contains("<script>alert"));
    assert_eq!(html.matches("<svg").count(), 2);
    if let Some(to) = std::env::var_os("LOBULE_KEEP") {
        fs::write(std::path::Path::new(&to).join("evaluation.html"), html).unwrap();
    }
}
