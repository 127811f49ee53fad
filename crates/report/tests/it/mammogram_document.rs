//! What only mammograms have, in the documents.

use std::fs;

use lobule_exam::{
    BreastOrientation, CloseLook, ImageSide, Lesion, MammogramFacts, Modality, Point, Polygon,
    View, WarningKind,
};
use lobule_report::{ExamRecord, Folder, Layout, RunInfo};
use serde_json::Value;

use crate::{info, record, schema_errors};

fn square(from: f64, to: f64) -> Polygon {
    let corners = [(from, from), (from, to), (to, to), (to, from)];
    Polygon {
        points: corners.map(|(row, col)| Point { row, col }).to_vec(),
    }
}

fn facts() -> MammogramFacts {
    MammogramFacts {
        view: Some(View::Mlo),
        orientation: BreastOrientation::new(ImageSide::Right, Some(ImageSide::Top)).unwrap(),
        breast: square(10.0, 200.0),
        pectoral: Some([Point { row: 0.0, col: 1.0 }, Point { row: 9.0, col: 0.5 }]),
        density: Some(0.25),
        windows: vec![CloseLook {
            outline: square(20.0, 52.0),
            attention: 0.75,
        }],
    }
}

fn mammograms(exam: &str) -> ExamRecord {
    let mut record = record(exam, WarningKind::MissingView);
    record.assessment.modality = Modality::Mammography;
    for breast in &mut record.assessment.breasts {
        breast.missing_views = vec![View::Cc];
        for image in &mut breast.images {
            image.mammogram = Some(facts());
            for finding in &mut image.findings {
                finding.lesion = Some(Lesion {
                    score: 57.0,
                    number: 1,
                });
            }
        }
    }
    record
}

fn model(modality: Modality) -> RunInfo {
    let mut info = info();
    info.model.modality = modality;
    info.model.name = modality.to_string();
    info
}

#[test]
fn a_run_of_both_modalities_is_one_valid_document() {
    let dir = tempfile::tempdir().unwrap();
    let models = Modality::RADIOLOGY.map(model).to_vec();
    let mut folder = Folder::create(dir.path(), models, Layout::default()).unwrap();
    let sonograms = record("sonograms", WarningKind::ColorDoppler);
    for record in [&sonograms, &mammograms("mammograms")] {
        folder.add(record).unwrap();
    }
    let page = fs::read_to_string(folder.finish(&[]).unwrap()).unwrap();
    assert!(page.contains("ultrasound 1.0") && page.contains("mammography 1.0"));
    let text = fs::read_to_string(dir.path().join("assessment.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(schema_errors(&document), [""; 0]);
    assert_eq!(document["model"]["modality"], "ultrasound");
    let further = &document["further_models"][0];
    assert_eq!(further["model"]["modality"], "mammography");
    let exam = &document["exams"][1];
    assert_eq!(exam["modality"], "mammography");
    let breast = &exam["breasts"][0];
    assert_eq!(breast["missing_views"], serde_json::json!(["CC"]));
    assert_eq!(breast["score_of_100"], 57.0);
    let image = &breast["images"][0];
    assert_eq!(image["mammogram"]["chest_side"], "right");
    assert_eq!(image["findings"][0]["lesion"]["number"], 1);
    assert_eq!(
        document["exams"][0]["breasts"][0]["images"][0]["mammogram"],
        Value::Null
    );

    let mut csv = csv::Reader::from_path(dir.path().join("summary.csv")).unwrap();
    let header = csv.headers().unwrap().clone();
    let last: Vec<&str> = header.iter().skip(17).collect();
    let expected = [
        "modality",
        "view",
        "breast_score",
        "lesions",
        "missing_views",
    ];
    assert_eq!(last, expected);
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let of_mammogram = rows.iter().find(|r| &r[1] == "mammograms").unwrap();
    let cells: Vec<&str> = of_mammogram.iter().skip(17).collect();
    assert_eq!(cells, ["mammography", "MLO", "57.0000", "1", "CC"]);
}

#[test]
fn an_exam_without_its_model_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let only = vec![model(Modality::Ultrasound)];
    let mut folder = Folder::create(dir.path(), only, Layout::default()).unwrap();
    let error = folder.add(&mammograms("m")).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("expected a model of mammography")
    );
    assert!(Folder::create(dir.path(), Vec::new(), Layout::default()).is_err());
}
