//! What only mammograms have, in the documents.

use std::fs;

use lobule_exam::{
    BreastOrientation, CloseLook, DensityClass, DensityClasses, ImageSide, Lesion, MammogramFacts,
    Medium, Modality, Point, Polygon, View, WarningKind,
};
use lobule_report::{ExamRecord, Folder, Layout, Pages, RunInfo, exam_pdf};
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
        density_classes: Err("not looked at".to_owned()),
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
        "density_class",
        "density_probability",
        "density_reason",
        "exam_density_class",
    ];
    assert_eq!(last, expected);
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let of_mammogram = rows.iter().find(|r| &r[1] == "mammograms").unwrap();
    let cells: Vec<&str> = of_mammogram.iter().skip(17).collect();
    let known = ["mammography", "MLO", "57.0000", "1", "CC"];
    assert_eq!(cells[..5], known);
    assert_eq!(cells[5..], ["", "", "not looked at", ""]);
}

fn classes(medium: Medium, dense: f64) -> DensityClasses {
    let list = |named: &[(&'static str, f64)]| {
        let classes = named
            .iter()
            .map(|&(name, probability)| DensityClass { name, probability });
        classes.collect()
    };
    let rest = (1.0 - dense) / 3.0;
    match medium {
        Medium::Film => DensityClasses {
            medium,
            classes: list(&[("fatty", 2.0 * rest), ("glandular", rest), ("dense", dense)]),
            letters: Vec::new(),
        },
        Medium::Digital => DensityClasses {
            medium,
            classes: list(&[("A-B", 1.0 - dense), ("C-D", dense)]),
            letters: list(&[("A", rest), ("B", rest), ("C", rest), ("D", dense)]),
        },
    }
}

/// The exam with every breast's images of these classes.
fn with_classes(of: [Result<DensityClasses, String>; 2]) -> ExamRecord {
    let mut record = mammograms("m");
    assert_eq!(record.assessment.breasts.len(), 2);
    for (breast, classes) in record.assessment.breasts.iter_mut().zip(of) {
        for image in &mut breast.images {
            image.mammogram.as_mut().unwrap().density_classes = classes.clone();
        }
    }
    record
}

/// Document, first row of the table, page and words of the PDF.
fn written(record: &ExamRecord) -> (Value, Vec<String>, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let run = model(Modality::Mammography);
    let layout = Layout {
        pages: Pages::OneExam,
        ..Layout::default()
    };
    let pdf = exam_pdf(&record.assessment, &[], &run).unwrap();
    let mut folder = Folder::create(dir.path(), vec![run], layout).unwrap();
    folder.add(record).unwrap();
    folder.finish(&[]).unwrap();
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let document: Value = serde_json::from_str(&read("assessment.json")).unwrap();
    assert_eq!(schema_errors(&document), [""; 0]);
    let table = read("summary.csv");
    let mut csv = csv::Reader::from_reader(table.as_bytes());
    let row = csv.records().next().unwrap().unwrap();
    let row = row.iter().skip(22).map(str::to_owned).collect();
    let pdf = String::from_utf8_lossy(&pdf).into_owned();
    (document, row, read("report.html"), pdf)
}

#[test]
fn density_classes_stand_beside_how_often_they_are_right() {
    let (left, right) = (classes(Medium::Digital, 0.8), classes(Medium::Digital, 0.3));
    let (document, row, page, pdf) = written(&with_classes([Ok(left), Ok(right)]));
    let exam = &document["exams"][0];
    let breast = &exam["breasts"][0]["density_classes"];
    assert_eq!(
        (&breast["class"], &breast["medium"]),
        (&"C-D".into(), &"digital".into())
    );
    assert!((breast["probability"].as_f64().unwrap() - 0.8).abs() < 1e-6);
    assert!(breast["measured"].as_str().unwrap().contains("by patient"));
    assert!(breast["measured_letters"].is_string() && breast["reason"].is_null());
    assert_eq!(exam["density_class"]["breast"], "left");
    assert_eq!(exam["density_class"]["class"], "C-D");
    let image = &exam["breasts"][1]["images"][0]["mammogram"]["density_classes"];
    assert_eq!(image["classes"][0]["name"], "A-B");
    assert_eq!(row, ["C-D", "0.800000", "", "C-D"]);
    for needed in [
        "Density class: C-D, probability 80 % (digital images, ",
        "Density letter, EXPERIMENTAL: D, probability 80 %. Right about ",
        "No density letter (EXPERIMENTAL): the most probable one, D, is at odds with the class A-B.",
        "Density of the exam, that of its densest breast (left): C-D, probability 80 %.",
        "The letters A to D are experimental. Measured: ",
        "no reader&#39;s BI-RADS density",
        "95 % interval",
    ] {
        assert!(page.contains(needed), "{needed}");
    }
    for needed in [
        "left breast: Density class: C-D",
        "unknown breast: Density class: A-B",
    ] {
        assert!(pdf.contains(needed), "{needed}: {pdf}");
    }
}

#[test]
fn film_classes_carry_their_licence_and_no_letter() {
    let (fatty, dense) = (classes(Medium::Film, 0.1), classes(Medium::Film, 0.9));
    let (document, row, page, pdf) = written(&with_classes([Ok(fatty), Ok(dense)]));
    let exam = &document["exams"][0];
    assert_eq!(exam["density_class"]["class"], "dense");
    let licence = exam["breasts"][0]["density_classes"]["licence"]
        .as_str()
        .unwrap();
    assert!(licence.contains("research purposes only"));
    assert_eq!(row, ["fatty", "0.600000", "", "dense"]);
    assert!(page.contains(licence) && !page.contains("EXPERIMENTAL"));
    assert!(pdf.contains("research purposes only"));
}

#[test]
fn a_breast_without_a_class_says_why() {
    let why = "nothing states whether it is a scan of a film or a digital image";
    let known = classes(Medium::Digital, 0.8);
    let (document, row, page, pdf) = written(&with_classes([Err(why.to_owned()), Ok(known)]));
    let breast = &document["exams"][0]["breasts"][0]["density_classes"];
    assert_eq!(
        (&breast["class"], &breast["reason"]),
        (&Value::Null, &why.into())
    );
    assert_eq!(row, ["", "", why, "C-D"]);
    assert!(page.contains(&format!("No density class: {why}.")));
    assert!(pdf.contains("left breast: No density class: nothing states"));
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
