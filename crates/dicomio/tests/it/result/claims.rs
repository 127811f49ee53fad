//! What objects say of findings and of the exam: as the page says it.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::{InMemDicomObject, from_reader};
use lobule_dicomio::result::{Outcome, ResultKind, fhir_bundle};
use lobule_exam::{FindingClass, Warning, WarningKind};
use serde_json::Value;

use super::{Exam, finding, mammography, objects, ultrasound, with_request};

/// Four views; the left MLO's highest finding is the second lesion, a benign one is beside it.
fn exam() -> Exam {
    let mut exam = mammography();
    let at = |class, shift, number| finding(class, 240, 180, shift, number);
    let malignant = FindingClass::Malignant;
    exam.assessment.breasts[0].images[1].findings = vec![
        at(malignant, 0.1, 2),
        at(malignant, -0.1, 1),
        at(FindingClass::Benign, -0.25, 0),
    ];
    let warn = |kind, message: &str| Warning {
        kind,
        message: message.to_owned(),
    };
    for breast in &mut exam.assessment.breasts {
        let warning = warn(
            WarningKind::UntrainedView,
            "the model learnt from no CC view",
        );
        breast.images[0].warnings.push(warning);
    }
    let missing = warn(WarningKind::MissingView, "right breast: no XCCL view");
    exam.assessment.warnings.push(missing);
    exam
}

/// All values of an element, from the root of the object down.
fn values(object: &InMemDicomObject, wanted: Tag, found: &mut Vec<String>) {
    for element in object {
        if let Some(items) = element.items() {
            items.iter().for_each(|item| values(item, wanted, found));
        } else if element.header().tag == wanted {
            let text = element.to_str().unwrap();
            found.push(text.trim_end_matches([' ', '\0']).to_owned());
        }
    }
}

fn texts(exam: &Exam, kind: ResultKind, tag: Tag) -> Vec<String> {
    let mut found = Vec::new();
    for object in objects(exam).iter().filter(|o| o.kind() == kind) {
        let bytes = object.to_bytes().unwrap();
        values(&from_reader(&bytes[128..]).unwrap(), tag, &mut found);
    }
    found
}

fn fhir(exam: &Exam) -> Value {
    let outcome = Outcome::Assessed(&exam.assessment);
    let bundle = with_request(exam, outcome, |request| fhir_bundle(request).unwrap());
    serde_json::from_str(&bundle.json).unwrap()
}

fn resource<'a>(bundle: &'a Value, kind: &str) -> &'a Value {
    let entries = bundle["entry"].as_array().unwrap();
    let mut resources = entries.iter().map(|entry| &entry["resource"]);
    resources.find(|r| r["resourceType"] == kind).unwrap()
}

#[test]
fn a_lesion_has_its_number_and_score_in_every_object() {
    let exam = exam();
    let labels = texts(
        &exam,
        ResultKind::PresentationState,
        tags::UNFORMATTED_TEXT_VALUE,
    );
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let notice = "AI RESULT - RESEARCH USE ONLY";
    let cc = ["1M 31", "B peak 0.87", notice];
    assert_eq!(labels[..3], cc);
    assert_eq!(labels[3..], ["2M 16", "1M 31", "B peak 0.87", notice]);
    let segments = texts(&exam, ResultKind::Segmentation, tags::SEGMENT_LABEL);
    assert_eq!(
        segments[2..],
        [
            "lesion 2, looks malignant, score 16 of 100",
            "lesion 1, looks malignant, score 31 of 100",
            "region, looks benign, saliency peak 0.87, uncalibrated",
        ]
    );
    let report = texts(&exam, ResultKind::MeasurementReport, tags::TEXT_VALUE);
    let tracked = report
        .iter()
        .filter(|t| t.starts_with("left breast lesion 1, image"));
    assert_eq!(tracked.count(), 2);
    let numbers = texts(&exam, ResultKind::MeasurementReport, tags::NUMERIC_VALUE);
    assert!(numbers.contains(&"15.5".to_owned()), "{numbers:?}");
    let bundle = fhir(&exam);
    let components = &resource(&bundle, "Observation")["component"];
    assert_eq!(components[1]["code"]["text"], "Score of lesion 1, 0 to 100");
    assert_eq!(components[2]["valueQuantity"]["value"], 15.5);
}

/// A peak of the saliency is no certainty.
#[test]
fn the_certainty_of_a_cad_report_is_the_score_of_the_lesion() {
    let (exam, kind) = (exam(), ResultKind::CadReport);
    let certain = |name: &String| name == "Certainty of Finding";
    let names = texts(&exam, kind, tags::CODE_MEANING);
    assert_eq!(names.iter().filter(|n| certain(n)).count(), 3);
    let numbers = texts(&exam, kind, tags::NUMERIC_VALUE);
    assert!(!numbers.iter().any(|n| n.starts_with("87")), "{numbers:?}");
    assert_eq!(numbers.iter().filter(|n| *n == "31").count(), 2);
    let said = texts(&exam, kind, tags::TEXT_VALUE).join("\n");
    let needed = "Lesion 2, looks malignant, score 16 of 100. The left breast: score 31 of 100";
    assert!(said.contains(needed), "{said}");
    assert!(said.contains("Region, looks benign, saliency peak 0.87, uncalibrated."));
}

#[test]
fn warnings_and_the_limits_of_the_model_are_in_reports_and_fhir() {
    let exam = exam();
    let needed = [
        "left CC, right CC: the model learnt from no CC view",
        "right breast: no XCCL view",
        "ranks weakly",
    ];
    let bundle = fhir(&exam);
    let conclusion = resource(&bundle, "DiagnosticReport")["conclusion"].to_string();
    let reports = [ResultKind::CadReport, ResultKind::MeasurementReport]
        .map(|kind| texts(&exam, kind, tags::TEXT_VALUE).join("\n"));
    for said in reports.iter().chain([&conclusion]) {
        for words in needed {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
    let notes = resource(&bundle, "Observation")["note"].to_string();
    assert!(
        notes.contains("left CC: the model learnt from no CC view"),
        "{notes}"
    );
    assert!(notes.contains("ranks weakly"), "{notes}");
    // Another warning is another object: one identifier has the same bytes.
    let named =
        |exam: &Exam| -> Vec<String> { objects(exam).iter().map(|o| o.file_name()).collect() };
    let mut other = self::exam();
    other.assessment.warnings.clear();
    assert!(
        named(&exam)
            .iter()
            .all(|name| !named(&other).contains(name))
    );
}

/// Without lesions, places in the image number findings.
#[test]
fn findings_of_ultrasound_keep_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let exam = ultrasound(folder.path());
    let labels = texts(
        &exam,
        ResultKind::PresentationState,
        tags::UNFORMATTED_TEXT_VALUE,
    );
    assert_eq!(labels[0], "1M 0.87");
    let segments = texts(&exam, ResultKind::Segmentation, tags::SEGMENT_LABEL);
    assert_eq!(
        segments[0],
        "finding 1, looks malignant, saliency peak 0.87, uncalibrated"
    );
}
