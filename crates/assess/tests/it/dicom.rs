//! Folders of DICOM mammograms: what becomes of each file.

use std::path::{Path, PathBuf};

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject, open_file};
use lobule_assess::{AssessedExam, Inputs, assess, collect};
use lobule_exam::{Modality, Skipped, View, WarningKind};

use crate::ONE_GRAPH;
use crate::mammography::{assessor, manifest};

const ROWS: u16 = 240;
const COLS: u16 = 200;

pub(crate) type Change<'a> = &'a dyn Fn(&mut DefaultDicomObject);

pub(crate) fn text(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &str) {
    object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
}

/// A mammogram of a computed left breast, CC, for presentation, with a window as most have.
pub(crate) fn write(file: &Path, number: u32, change: Change) {
    let base = Path::new(env!("CARGO_MANIFEST_DIR"));
    let base = base.join("../dicomio/tests/golden_mammogram/linear.dcm");
    let mut object = open_file(base).unwrap();
    let mut pixels = Vec::new();
    for row in 0..ROWS {
        for col in 0..COLS {
            let noise = (u32::from(row) * 7919 + u32::from(col) * 104_729) % 200;
            let (down, across) = (f64::from(row) - 120.0, f64::from(col));
            let inside = (down / 100.0).hypot(across / 140.0) < 1.0;
            let lump = (f64::from(row) - 100.0).hypot(across - 70.0) < 18.0;
            pixels.push(match (inside, lump) {
                (false, _) => 10 + noise as u16 / 40,
                (true, false) => 1500 + noise as u16,
                (true, true) => 3900,
            });
        }
    }
    object.put(DataElement::new(
        tags::ROWS,
        VR::US,
        PrimitiveValue::from(ROWS),
    ));
    object.put(DataElement::new(
        tags::COLUMNS,
        VR::US,
        PrimitiveValue::from(COLS),
    ));
    let pixels = PrimitiveValue::U16(pixels.into());
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, pixels));
    text(&mut object, tags::WINDOW_CENTER, VR::DS, "2048");
    text(&mut object, tags::WINDOW_WIDTH, VR::DS, "4096");
    text(&mut object, tags::IMAGER_PIXEL_SPACING, VR::DS, r"0.5\0.5");
    text(
        &mut object,
        tags::SOP_INSTANCE_UID,
        VR::UI,
        &format!("2.25.{}", 1000 + number),
    );
    change(&mut object);
    object.write_to_file(file).unwrap();
}

pub(crate) fn run(inputs: &Inputs) -> Vec<AssessedExam> {
    let manifest = manifest(ONE_GRAPH, 0.3);
    let mut exams = Vec::new();
    assess(
        inputs,
        &mut assessor(&manifest, Default::default()),
        |exam| {
            exams.push(exam);
            Ok(())
        },
    )
    .unwrap();
    exams
}

pub(crate) fn file_name(path: &str) -> &str {
    Path::new(path).file_name().unwrap().to_str().unwrap()
}

#[test]
fn a_study_becomes_breasts_and_views_and_what_is_set_aside_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let oblique = |o: &mut DefaultDicomObject| text(o, tags::VIEW_POSITION, VR::CS, "MLO");
    let right = |o: &mut DefaultDicomObject| text(o, tags::IMAGE_LATERALITY, VR::CS, "R");
    write(&at("1.dcm"), 1, &oblique);
    write(&at("2.dcm"), 2, &|_| {});
    write(&at("3.dcm"), 3, &|o| {
        right(o);
        text(o, tags::BREAST_IMPLANT_PRESENT, VR::CS, "YES");
    });
    write(&at("4-copy.dcm"), 2, &|_| {});
    write(&at("5-raw.dcm"), 5, &|o| {
        text(
            o,
            tags::SOP_CLASS_UID,
            VR::UI,
            "1.2.840.10008.5.1.4.1.1.1.2.1",
        );
        text(o, tags::PRESENTATION_INTENT_TYPE, VR::CS, "FOR PROCESSING");
        oblique(o);
    });
    write(&at("6-magnified.dcm"), 6, &|o| {
        text(
            o,
            tags::ESTIMATED_RADIOGRAPHIC_MAGNIFICATION_FACTOR,
            VR::DS,
            "1.8",
        );
    });
    write(&at("7-slices.dcm"), 7, &|o| {
        text(
            o,
            tags::SOP_CLASS_UID,
            VR::UI,
            "1.2.840.10008.5.1.4.1.1.13.1.3",
        );
    });
    write(&at("8-prior.dcm"), 8, &|o| {
        text(o, tags::STUDY_INSTANCE_UID, VR::UI, "2.25.77");
        text(o, tags::VIEW_POSITION, VR::CS, "");
    });
    write(&at("9-chest.dcm"), 9, &|o| {
        text(o, tags::MODALITY, VR::CS, "CT");
        text(o, tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.2");
    });
    let inputs = collect(&[folder.path().to_owned()]).unwrap();
    let skipped: Vec<(&str, &str)> = inputs
        .skipped
        .iter()
        .map(|s| (file_name(&s.file), &s.reason[..]))
        .collect();
    for (name, words) in [
        ("4-copy.dcm", "a copy of an image"),
        ("5-raw.dcm", "readable image is there"),
        ("6-magnified.dcm", "a magnification view"),
        ("7-slices.dcm", "tomosynthesis"),
        (
            "9-chest.dcm",
            "expected breast ultrasound or a mammogram, got",
        ),
    ] {
        let found = skipped.iter().find(|(file, _)| *file == name);
        assert!(
            found.is_some_and(|(_, r)| r.contains(words)),
            "{name}: {skipped:?}"
        );
    }
    assert_eq!(skipped.len(), 5, "{skipped:?}");
    let exams = run(&inputs);
    assert!(
        inputs
            .exams
            .iter()
            .all(|e| e.modality == Modality::Mammography)
    );
    let [exam, prior] = &exams[..] else {
        panic!("expected two exams")
    };
    let [left, right] = &exam.assessment.breasts[..] else {
        panic!("expected two breasts")
    };
    let names: Vec<&str> = left.images.iter().map(|i| file_name(&i.file)).collect();
    assert_eq!(names, ["2.dcm", "1.dcm"]);
    assert_eq!(right.missing_views, [View::Mlo]);
    let kinds = |image: &lobule_exam::ImageAssessment| -> Vec<WarningKind> {
        image.warnings.iter().map(|w| w.kind).collect()
    };
    assert!(kinds(&right.images[0]).contains(&WarningKind::Implant));
    assert!(kinds(&prior.assessment.breasts[0].images[0]).contains(&WarningKind::UnknownView));
    assert!(left.flagged && left.images[0].findings[0].longest_axis_mm.is_some());
    assert!(exams.iter().all(|e| e.skipped.is_empty()));
}

/// What a hostile file becomes: skipped with these words, or assessed with such a warning.
enum Fate {
    Skipped(&'static str),
    Warned(&'static str),
    Fine,
}

#[test]
fn hostile_files_are_named_and_the_rest_of_the_batch_is_done() {
    let huge = |o: &mut DefaultDicomObject| {
        let side = PrimitiveValue::from(60_000_u16);
        o.put(DataElement::new(tags::ROWS, VR::US, side.clone()));
        o.put(DataElement::new(tags::COLUMNS, VR::US, side));
        let few = PrimitiveValue::U16([0; 5].as_slice().into());
        o.put(DataElement::new(tags::PIXEL_DATA, VR::OW, few));
    };
    let filled = |o: &mut DefaultDicomObject, value: u16| {
        let n = usize::from(ROWS) * usize::from(COLS);
        let pixels = PrimitiveValue::U16(vec![value; n].into());
        o.put(DataElement::new(tags::PIXEL_DATA, VR::OW, pixels));
    };
    let sigmoid = |o: &mut DefaultDicomObject, width: &str| {
        text(o, tags::VOILUT_FUNCTION, VR::CS, "SIGMOID");
        text(o, tags::WINDOW_WIDTH, VR::DS, width);
    };
    let empty_table = |o: &mut DefaultDicomObject| {
        let mut item = InMemDicomObject::new_empty();
        let descriptor = PrimitiveValue::U16([0, 0, 12].as_slice().into());
        item.put(DataElement::new(tags::LUT_DESCRIPTOR, VR::US, descriptor));
        let data = PrimitiveValue::U16([].as_slice().into());
        item.put(DataElement::new(tags::LUT_DATA, VR::OW, data));
        let items = dicom_core::value::DataSetSequence::from(vec![item]);
        let value = dicom_core::value::Value::from(items);
        o.put(DataElement::new(tags::VOILUT_SEQUENCE, VR::SQ, value));
        text(o, tags::WINDOW_WIDTH, VR::DS, "-3");
    };
    let cases: [(Change, Fate); 10] = [
        (&|_| {}, Fate::Fine),
        (
            &|o| text(o, tags::VIEW_POSITION, VR::CS, "SIDEWAYS"),
            Fate::Warned("the view position is `SIDEWAYS`"),
        ),
        (&|o| filled(o, 0), Fate::Skipped("one brightness")),
        (&|o| filled(o, 4095), Fate::Skipped("one brightness")),
        (&huge, Fate::Skipped("60000")),
        (&empty_table, Fate::Warned("table")),
        (&|o| sigmoid(o, "0"), Fate::Warned("for SIGMOID, got 0")),
        (&|o| sigmoid(o, "-4"), Fate::Warned("for SIGMOID, got -4")),
        (
            &|o| text(o, tags::WINDOW_WIDTH, VR::DS, "0.5"),
            Fate::Warned("for LINEAR, got 0.5"),
        ),
        (&|o| sigmoid(o, "2000"), Fate::Fine),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut files: Vec<PathBuf> = Vec::new();
    for (idx, (change, _)) in cases.iter().enumerate() {
        let file = folder.path().join(format!("{idx}.dcm"));
        write(&file, idx as u32, &|o| {
            text(
                o,
                tags::STUDY_INSTANCE_UID,
                VR::UI,
                &format!("2.25.{}", 500 + idx),
            );
            change(o);
        });
        files.push(file);
    }
    let inputs = collect(&files).unwrap();
    let exams = run(&inputs);
    let skipped = exams.iter().flat_map(|e| &e.skipped).chain(&inputs.skipped);
    let skipped: Vec<(&str, &str)> = skipped.map(|s| (&s.file[..], &s.reason[..])).collect();
    let images = exams
        .iter()
        .flat_map(|e| &e.assessment.breasts)
        .flat_map(|b| &b.images);
    let images: Vec<_> = images.collect();
    assert_eq!(skipped.len() + images.len(), cases.len());
    for (file, (_, fate)) in files.iter().zip(&cases) {
        let name = file.display().to_string();
        let reason = skipped
            .iter()
            .find(|(file, _)| *file == name)
            .map(|(_, r)| *r);
        let image = images.iter().find(|i| i.file == name);
        let said: Vec<&str> = image
            .iter()
            .flat_map(|i| i.warnings.iter().map(|w| &w.message[..]))
            .collect();
        match fate {
            Fate::Skipped(words) => {
                assert!(
                    reason.is_some_and(|r| r.contains(words)),
                    "{name}: {reason:?} {said:?}"
                );
            }
            Fate::Warned(words) => {
                assert!(
                    said.iter().any(|m| m.contains(words)),
                    "{name}: {reason:?} {said:?}"
                );
            }
            Fate::Fine => assert!(image.is_some(), "{name}: {reason:?}"),
        }
    }
}

/// Half of its pixels are there.
fn cut(object: &mut DefaultDicomObject) {
    let n = usize::from(ROWS) * usize::from(COLS) / 2;
    let pixels = PrimitiveValue::U16(vec![900; n].into());
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, pixels));
}

#[test]
fn a_mammogram_whose_pixels_cannot_be_read_is_part_of_its_exam() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let of_study = |o: &mut DefaultDicomObject, uid: &str| {
        text(o, tags::STUDY_INSTANCE_UID, VR::UI, uid);
    };
    write(&at("1.dcm"), 1, &|_| {});
    write(&at("2-cut.dcm"), 2, &|o| {
        text(o, tags::VIEW_POSITION, VR::CS, "MLO");
        cut(o);
    });
    write(&at("3-cut.dcm"), 3, &|o| {
        text(o, tags::IMAGE_LATERALITY, VR::CS, "R");
        cut(o);
    });
    write(&at("4-alone.dcm"), 4, &|o| {
        of_study(o, "2.25.88");
        cut(o);
    });
    // What would not be assessed is not missed, and what names no study has no exam.
    write(&at("5-slices.dcm"), 5, &|o| {
        text(o, tags::NUMBER_OF_FRAMES, VR::IS, "9");
        cut(o);
    });
    write(&at("6-nowhere.dcm"), 6, &|o| {
        of_study(o, "");
        cut(o);
    });
    let inputs = collect(&[folder.path().to_owned()]).unwrap();
    let names = |skipped: &[Skipped]| -> Vec<String> {
        let names = skipped.iter().map(|s| file_name(&s.file).to_owned());
        names.collect()
    };
    assert_eq!(names(&inputs.skipped), ["5-slices.dcm", "6-nowhere.dcm"]);
    let exams = run(&inputs);
    let [exam, alone] = &exams[..] else {
        panic!("expected two exams")
    };
    assert_eq!(names(&exam.skipped), ["2-cut.dcm", "3-cut.dcm"]);
    let reason = "expected 96000 bytes of pixels, got 48000";
    assert_eq!(exam.skipped[0].reason, reason);
    let said: Vec<&str> = exam
        .assessment
        .warnings
        .iter()
        .map(|w| &w.message[..])
        .collect();
    let view = format!("left breast: the MLO view is there and could not be used: {reason}");
    let breast = format!("right breast: its images are there and none could be used: {reason}");
    assert_eq!(said, [&view[..], &breast]);
    assert_eq!(exam.assessment.breasts[0].missing_views, [View::Mlo]);
    assert!(alone.assessment.breasts.is_empty());
    assert_eq!(names(&alone.skipped), ["4-alone.dcm"]);
}

#[test]
fn a_capture_with_a_mammographic_view_is_a_mammogram() {
    let folder = tempfile::tempdir().unwrap();
    let capture = |o: &mut DefaultDicomObject| {
        let class = "1.2.840.10008.5.1.4.1.1.7";
        text(o, tags::SOP_CLASS_UID, VR::UI, class);
        text(o, tags::MODALITY, VR::CS, "OT");
        text(o, tags::BODY_PART_EXAMINED, VR::CS, "BREAST");
    };
    let modality_of = |name: &str, change: Change| {
        let file = folder.path().join(name);
        write(&file, 1, change);
        collect(&[file]).unwrap().exams[0].modality
    };
    assert_eq!(modality_of("film.dcm", &capture), Modality::Mammography);
    let without_view = |o: &mut DefaultDicomObject| {
        capture(o);
        text(o, tags::VIEW_POSITION, VR::CS, "");
        o.remove_element(tags::VIEW_CODE_SEQUENCE);
        o.remove_element(tags::PATIENT_ORIENTATION);
    };
    assert_eq!(
        modality_of("screen.dcm", &without_view),
        Modality::Ultrasound
    );
}

#[test]
fn the_manifest_says_what_the_files_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(&at("a.dcm"), 1, &|_| {});
    write(&at("b.dcm"), 2, &|o| {
        text(o, tags::VIEW_POSITION, VR::CS, "")
    });
    let text = "exam,breast,file,view\nx,left,a.dcm,MLO\nx,,b.dcm,CC\n";
    std::fs::write(at("m.csv"), text).unwrap();
    let inputs = collect(&[at("m.csv")]).unwrap();
    let breast = &inputs.exams[0].breasts[0];
    let views: Vec<_> = breast.files.iter().map(|f| f.view).collect();
    assert_eq!(views, [Some(View::Cc), Some(View::Mlo)]);
    let said: Vec<&str> = breast.files[1]
        .warnings
        .iter()
        .map(|w| &w.message[..])
        .collect();
    let expected = "the manifest says MLO, the file says CC; the manifest is followed";
    assert_eq!(said, [expected]);
}
