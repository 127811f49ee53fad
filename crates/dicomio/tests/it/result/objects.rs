//! Which objects an exam has, their names and bytes, and what is refused.

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::{from_reader, open_file};
use lobule_dicomio::result::{
    Outcome, ResultKind, ResultObject, ResultRequest, ResultRun, ResultSource, all,
    encapsulated_pdf,
};
use lobule_dicomio::{ErrorKind, StatedPlace, read_header, read_mammogram_header, read_place};
use lobule_exam::{Assessment, Modality, Point, Side, View};
use lobule_raster::Limits;

use super::{failed, mammography, moment, objects, objects_of, run, ultrasound, with_request};

#[test]
fn a_report_is_encapsulated_as_it_is() {
    let exam = mammography();
    let made = |pdf: &[u8]| {
        let outcome = Outcome::Assessed(&exam.assessment);
        with_request(&exam, outcome, |request| {
            encapsulated_pdf(request, pdf.to_vec())
        })
    };
    let bytes = made(b"%PDF-1.7 odd").unwrap().to_bytes().unwrap();
    let object = from_reader(&bytes[128..]).unwrap();
    let element = |tag| object.element(tag).unwrap();
    let document = element(tags::ENCAPSULATED_DOCUMENT).to_bytes().unwrap();
    let length: usize = element(tags::ENCAPSULATED_DOCUMENT_LENGTH)
        .to_int()
        .unwrap();
    assert_eq!(&document[..length], b"%PDF-1.7 odd");
    let sources = element(tags::SOURCE_INSTANCE_SEQUENCE).items().unwrap();
    assert_eq!(sources.len(), 4);
    assert!(made(b"GIF89a").unwrap_err().reason().contains("a PDF"));
}

#[test]
fn no_object_is_read_as_an_image_of_a_patient() {
    let folder = tempfile::tempdir().unwrap();
    let (sonograms, mammograms) = (ultrasound(folder.path()), mammography());
    let made = [objects(&sonograms), objects(&mammograms)].concat();
    for object in made {
        let file = folder.path().join(object.file_name());
        std::fs::write(&file, object.to_bytes().unwrap()).unwrap();
        let limits = Limits::default();
        for error in [
            read_header(&file, &limits).unwrap_err(),
            read_mammogram_header(&file, &limits).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::OwnResult, "{error}");
            assert!(error.reason().ends_with("got a result that Lobule wrote"));
        }
        // It still says where it belongs.
        let place = read_place(&file).unwrap();
        let source = mammograms.files.iter().chain(&sonograms.files);
        let mut places = source.filter_map(|file| read_place(file));
        let belongs = |p: StatedPlace| {
            (p.exam_key, p.patient_key) == (place.exam_key.clone(), place.patient_key.clone())
        };
        assert!(places.any(belongs));
    }
}

#[test]
fn each_exam_has_the_objects_that_fit_it() {
    let folder = tempfile::tempdir().unwrap();
    let count = |objects: &[ResultObject]| -> Vec<(ResultKind, usize)> {
        let mut counts: Vec<(ResultKind, usize)> = Vec::new();
        for object in objects {
            match counts.last_mut() {
                Some((kind, n)) if *kind == object.kind() => *n += 1,
                _ => counts.push((object.kind(), 1)),
            }
        }
        counts
    };
    use ResultKind::*;
    let exam = mammography();
    let all_kinds = [
        (SecondaryCapture, 4),
        (CadReport, 1),
        (PresentationState, 2),
        (MeasurementReport, 1),
        (Segmentation, 2),
        (HeatMap, 4),
        (KeyObject, 1),
    ];
    assert_eq!(count(&objects(&exam)), all_kinds);
    let failed = objects_of(&exam, failed("no breast was found"));
    assert_eq!(count(&failed), [(CadReport, 1), (MeasurementReport, 1)]);
    let clear = objects(&mammography().without_findings());
    let kinds = [
        (SecondaryCapture, 4),
        (CadReport, 1),
        (MeasurementReport, 1),
        (HeatMap, 4),
    ];
    assert_eq!(count(&clear), kinds);
    // No CAD report, and no presentation state of the colour loop.
    let kinds = [
        (SecondaryCapture, 2),
        (PresentationState, 1),
        (MeasurementReport, 1),
        (Segmentation, 2),
        (HeatMap, 2),
        (KeyObject, 1),
    ];
    let exam = ultrasound(folder.path());
    assert_eq!(count(&objects(&exam)), kinds);
    let failed = Outcome::Failed {
        modality: Modality::Ultrasound,
        reason: "no sonogram was found",
    };
    assert_eq!(count(&objects_of(&exam, failed)), [(MeasurementReport, 1)]);
}

/// A capture of ultrasound may be of modality OT: what it was assessed as counts.
#[test]
fn a_capture_of_ultrasound_has_no_cad_report() {
    let folder = tempfile::tempdir().unwrap();
    let exam = ultrasound(folder.path());
    for file in &exam.files {
        let mut object = open_file(file).unwrap();
        let modality = PrimitiveValue::from("OT");
        object.put(DataElement::new(tags::MODALITY, VR::CS, modality));
        object.write_to_file(file).unwrap();
    }
    let kinds: Vec<ResultKind> = objects(&exam).iter().map(ResultObject::kind).collect();
    assert!(kinds.contains(&ResultKind::MeasurementReport));
    assert!(!kinds.contains(&ResultKind::CadReport));
}

#[test]
fn a_very_long_outline_is_thinned_to_what_an_element_can_hold() {
    let mut exam = mammography();
    let findings = &mut exam.assessment.breasts[0].images[0].findings;
    let corner = |i: usize| Point {
        row: 60.0 + (i % 2) as f64,
        col: 20.0 + i as f64 / 500.0,
    };
    findings[0].outline.points = (0..70_000).map(corner).collect();
    for object in objects(&exam) {
        let bytes = object.to_bytes().unwrap();
        from_reader(&bytes[128..]).unwrap();
    }
}

#[test]
fn one_run_has_the_same_bytes_twice_and_another_run_other_names() {
    let exam = mammography();
    let bytes = |objects: &[ResultObject]| -> Vec<Vec<u8>> {
        objects.iter().map(|o| o.to_bytes().unwrap()).collect()
    };
    let names = |objects: &[ResultObject]| -> Vec<String> {
        objects.iter().map(ResultObject::file_name).collect()
    };
    let first = objects(&exam);
    assert_eq!(bytes(&first), bytes(&objects(&exam)));
    let mut all_names = names(&first);
    for change in [
        |run: &mut ResultRun| run.model_digest.replace_range(0..1, "f"),
        |run: &mut ResultRun| run.program_version.push('1'),
        |run: &mut ResultRun| run.engine.push('1'),
        |run: &mut ResultRun| run.operating_point.as_mut().unwrap().threshold = 0.6,
    ] {
        let mut other = run();
        change(&mut other);
        let request = ResultRequest {
            sources: &exam.sources(),
            outcome: Outcome::Assessed(&exam.assessment),
            run: &other,
            moment: &moment(),
        };
        all_names.extend(names(&all(&request, &Limits::default()).unwrap()));
    }
    let nothing = failed("no breast was found");
    all_names.extend(names(&objects_of(&exam, nothing)));
    // Another side, view or medium of an image is another result.
    let mut moved = mammography();
    moved.assessment.breasts[1].side = Side::Unknown;
    all_names.extend(names(&objects(&moved)));
    let mut turned = mammography();
    let image = &mut turned.assessment.breasts[1].images[1];
    image.mammogram.as_mut().unwrap().view = Some(View::Ml);
    all_names.extend(names(&objects(&turned)));
    let mut filmed = mammography();
    let image = &mut filmed.assessment.breasts[1].images[1];
    image.mammogram.as_mut().unwrap().density_classes = Err("of a film".to_owned());
    all_names.extend(names(&objects(&filmed)));
    let count = all_names.len();
    all_names.sort();
    all_names.dedup();
    assert_eq!(all_names.len(), count);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (exam, other) = (mammography(), ultrasound(folder.path()));
    let refused = |sources: &[ResultSource], assessment: &Assessment| {
        let request = ResultRequest {
            sources,
            outcome: Outcome::Assessed(assessment),
            run: &run(),
            moment: &moment(),
        };
        all(&request, &Limits::default())
            .unwrap_err()
            .reason()
            .to_owned()
    };
    let sources = exam.sources();
    assert!(refused(&[], &exam.assessment).contains("got none"));
    assert!(refused(&sources[1..], &exam.assessment).contains("a source for each image"));
    let two = [sources.clone(), other.sources()].concat();
    assert!(refused(&two, &exam.assessment).contains("one study"));
    let mut larger = exam.assessment.clone();
    larger.breasts[0].images[0].rows += 1;
    assert!(refused(&sources, &larger).contains("pixels"));
    assert!(ResultSource::read("tests/golden/make.py".as_ref(), "make.py").is_err());
}

#[test]
fn nothing_shows_who_the_patient_is() {
    let exam = mammography();
    let shown = format!("{:?} {:?}", exam.sources(), objects(&exam));
    assert!(!shown.contains("SYNTHETIC"), "{shown}");
    assert!(
        objects(&exam)
            .iter()
            .any(|o| o.kind() == ResultKind::SecondaryCapture)
    );
}
