//! Inputs: what belongs together, what is no image of a patient, what is said of both.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_object::DefaultDicomObject;
use lobule_assess::{ExamInputs, Inputs, collect, collect_as};
use lobule_exam::{ImageAssessment, Laterality, Modality, Side, Skipped, View, WarningKind};

use crate::dicom::{file_name, run, text, write};
use crate::save;

const LEFT: Side = Side::Known(Laterality::Left);
const RIGHT: Side = Side::Known(Laterality::Right);

/// Each exam with the names of its files: `x: a.png b.png`.
fn exams(inputs: &Inputs) -> Vec<String> {
    let line = |exam: &ExamInputs| {
        let mut names: Vec<&str> = exam.files().map(|f| file_name(&f.name)).collect();
        names.sort_unstable();
        format!("{}: {}", exam.exam, names.join(" "))
    };
    inputs.exams.iter().map(line).collect()
}

fn places(skipped: &[Skipped]) -> BTreeSet<(String, String, Side)> {
    let place = |one: &Skipped| {
        let exam = one.exam.clone().unwrap_or_default();
        (file_name(&one.file).to_owned(), exam, one.side)
    };
    skipped.iter().map(place).collect()
}

fn of_patient(id: &'static str) -> impl Fn(&mut DefaultDicomObject) {
    move |o| text(o, tags::PATIENT_ID, VR::LO, id)
}

#[test]
fn a_manifest_wins_over_a_folder_whatever_comes_first() {
    let dir = tempfile::tempdir().unwrap();
    let (images, manifest) = (dir.path().join("images"), dir.path().join("m.csv"));
    fs::create_dir(&images).unwrap();
    for name in ["a.png", "b.png", "other.png"] {
        save(&images.join(name), 1, (80.0, 80.0));
    }
    let rows = "exam,breast,file,view\nx,left,images/a.png,CC\nx,right,images/../images/b.png,CC\n";
    fs::write(&manifest, rows).unwrap();
    let (single, folder) = (images.join("a.png"), images.clone());
    for paths in [
        vec![folder.clone(), manifest.clone()],
        vec![manifest.clone(), folder.clone()],
        vec![single, manifest, folder],
    ] {
        let inputs = collect(&paths).unwrap();
        assert!(inputs.skipped.is_empty(), "{:?}", inputs.skipped);
        let mut found = exams(&inputs);
        found.sort();
        assert_eq!(found, ["other: other.png", "x: a.png b.png"]);
        let x = inputs.exams.iter().find(|e| e.exam == "x").unwrap();
        assert_eq!(x.modality, Modality::Mammography);
        assert!(x.files().all(|f| f.view == Some(View::Cc)));
    }
}

#[test]
fn unknown_views_are_errors_whatever_model_is_named() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("a.png"), 1, (80.0, 80.0));
    let manifest = dir.path().join("m.csv");
    let collected = |rows: &str, pictures: Modality| {
        fs::write(&manifest, format!("exam,breast,file,view,modality\n{rows}")).unwrap();
        collect_as(std::slice::from_ref(&manifest), pictures)
    };
    for pictures in Modality::RADIOLOGY {
        for modality in ["", "mammography"] {
            let row = format!("x,left,a.png,CCC,{modality}\n");
            let error = collected(&row, pictures).unwrap_err().to_string();
            let expected = "m.csv: line 2, column `view`: expected a mammographic view";
            assert!(error.contains(expected), "{error}");
        }
        let inputs = collected("x,left,a.png,radial,ultrasound\n", pictures).unwrap();
        assert_eq!(inputs.exams[0].modality, Modality::Ultrasound);
        let inputs = collected("x,,a.png,LCC,\n", pictures).unwrap();
        assert_eq!(inputs.exams[0].modality, Modality::Mammography);
        assert_eq!(inputs.exams[0].breasts[0].side, LEFT);
    }
}

#[test]
fn results_are_not_read_as_images() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for (folder, document) in [
        ("results", "assessment.json"),
        ("broken", "assessment.json.partial"),
    ] {
        fs::create_dir_all(at(folder).join("exams/e")).unwrap();
        fs::write(at(folder).join(document), "{}").unwrap();
        save(&at(folder).join("exams/e/a-heat.png"), 1, (80.0, 80.0));
        save(&at(folder).join("loose.png"), 1, (80.0, 80.0));
    }
    save(&at("a.png"), 1, (80.0, 80.0));
    let folder_of = |inputs: &Inputs| -> Vec<String> {
        let names = inputs.skipped.iter();
        for one in names.clone() {
            let reason = "expected images, got results that Lobule wrote";
            assert!(one.reason.starts_with(reason), "{one:?}");
        }
        names.map(|one| file_name(&one.file).to_owned()).collect()
    };
    let inputs = collect(&[dir.path().to_owned()]).unwrap();
    assert_eq!(exams(&inputs), ["a: a.png"]);
    assert_eq!(folder_of(&inputs), ["broken", "results"]);
    for (below, name) in [
        ("results", "results"),
        ("results/exams", "exams"),
        ("broken/exams/e", "e"),
    ] {
        let inputs = collect(&[at(below)]).unwrap();
        assert!(inputs.exams.is_empty());
        assert_eq!(folder_of(&inputs), [name]);
    }
    // Folders that are called the same are read.
    fs::create_dir_all(at("plain/exams/e")).unwrap();
    save(&at("plain/exams/e/b.png"), 1, (80.0, 80.0));
    assert_eq!(collect(&[at("plain/exams")]).unwrap().exams.len(), 1);
}

#[test]
fn dicom_that_lobule_made_of_an_image_is_no_image() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write(&at("1.dcm"), 1, &|_| {});
    let own = |o: &mut DefaultDicomObject| text(o, tags::MANUFACTURER, VR::LO, "Lobule");
    let capture = |o: &mut DefaultDicomObject| {
        own(o);
        text(o, tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.7");
        text(o, tags::MODALITY, VR::CS, "OT");
        text(o, tags::BODY_PART_EXAMINED, VR::CS, "BREAST");
    };
    write(&at("2.dcm"), 2, &own);
    write(&at("3.dcm"), 3, &capture);
    write(&at("4.dcm"), 4, &|o| {
        text(o, tags::MANUFACTURER, VR::LO, "Lobule phantom");
        text(o, tags::VIEW_POSITION, VR::CS, "MLO");
    });
    let inputs = collect(&[dir.path().to_owned()]).unwrap();
    let key = &inputs.exams[0].exam;
    assert_eq!(exams(&inputs), [format!("{key}: 1.dcm 4.dcm")]);
    for (one, name) in inputs.skipped.iter().zip(["2.dcm", "3.dcm"]) {
        let reason = "expected an image of a patient, got a result that Lobule wrote";
        assert_eq!((file_name(&one.file), &*one.reason), (name, reason));
        assert_eq!((one.exam.as_ref(), one.side), (Some(key), LEFT));
    }
    assert_eq!(inputs.skipped.len(), 2);
}

/// What an exam says of patients that share its study.
fn said_of_patients(inputs: &Inputs) -> Vec<Vec<String>> {
    let messages = |exam: &ExamInputs| {
        let of_study = exam.warnings.iter();
        let of_study = of_study.filter(|w| w.kind == WarningKind::SharedStudy);
        of_study.map(|w| w.message.clone()).collect()
    };
    inputs.exams.iter().map(messages).collect()
}

#[test]
fn an_exam_is_of_one_patient() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write(&at("1.dcm"), 1, &of_patient("A"));
    write(&at("2.dcm"), 2, &of_patient(" A "));
    write(&at("3.dcm"), 3, &of_patient("B"));
    write(&at("4-qc.dcm"), 4, &|o| {
        of_patient("B")(o);
        text(o, tags::QUALITY_CONTROL_IMAGE, VR::CS, "YES");
    });
    write(&at("5-ct.dcm"), 5, &|o| {
        of_patient("B")(o);
        text(o, tags::MODALITY, VR::CS, "CT");
        text(o, tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.2");
    });
    let inputs = collect(&[dir.path().to_owned()]).unwrap();
    let first = &inputs.exams[0].exam;
    let second = format!("{first}-2");
    let expected = [format!("{first}: 1.dcm 2.dcm"), format!("{second}: 3.dcm")];
    assert_eq!(exams(&inputs), expected);
    // What is not used is of its own patient's exam too.
    let expected = ["4-qc.dcm", "5-ct.dcm"];
    let expected = expected.map(|file| (file.to_owned(), second.clone(), LEFT));
    assert_eq!(places(&inputs.skipped), expected.into());
    for (exam, id) in inputs.exams.iter().zip(["A", "B"]) {
        let stated = ("Patient ID".to_owned(), id.to_owned());
        assert!(exam.identity().contains(&stated));
    }
    for said in said_of_patients(&inputs) {
        assert_eq!(said.len(), 1);
        assert!(
            said[0].starts_with("2 patients share the study"),
            "{said:?}"
        );
    }
    for exam in run(&inputs) {
        let kinds = exam.assessment.warnings.iter().map(|w| w.kind);
        assert_eq!(kinds.filter(|k| *k == WarningKind::SharedStudy).count(), 1);
    }
}

#[test]
fn images_without_a_patient_are_of_no_patient() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for (number, id) in [(1, "A"), (2, ""), (3, "  ")] {
        write(&at(&format!("{number}.dcm")), number, &|o| {
            of_patient(id)(o);
        });
    }
    let folder = [dir.path().to_owned()];
    let inputs = collect(&folder).unwrap();
    let key = &inputs.exams[0].exam;
    let expected = [format!("{key}: 1.dcm"), format!("{key}-2: 2.dcm 3.dcm")];
    assert_eq!(exams(&inputs), expected);
    for said in said_of_patients(&inputs) {
        assert_eq!(said.len(), 1);
        assert!(said[0].contains("without a Patient ID"), "{said:?}");
    }
    // Without any Patient ID nothing is split and nothing said.
    write(&at("1.dcm"), 1, &of_patient(""));
    let inputs = collect(&folder).unwrap();
    assert_eq!(said_of_patients(&inputs), [Vec::<String>::new()]);
}

#[test]
fn a_manifest_joins_no_two_patients_of_one_study() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write(&at("a.dcm"), 1, &of_patient("A"));
    write(&at("none.dcm"), 2, &of_patient(""));
    write(&at("b.dcm"), 3, &of_patient("B"));
    // As in sets that number patients by image: another study.
    write(&at("c.dcm"), 4, &|o| {
        of_patient("C")(o);
        text(o, tags::STUDY_INSTANCE_UID, VR::UI, "2.25.78");
    });
    let rows = "exam,breast,file\nx,left,a.dcm\nx,left,none.dcm\nx,left,b.dcm\nx,left,c.dcm\n";
    fs::write(at("m.csv"), rows).unwrap();
    let inputs = collect(&[at("m.csv")]).unwrap();
    assert_eq!(exams(&inputs), ["x: a.dcm c.dcm none.dcm", "x-2: b.dcm"]);
    for said in said_of_patients(&inputs) {
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("2 patients share"), "{said:?}");
    }
}

#[test]
fn what_is_skipped_states_its_exam_and_breast() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    save(&at("good.png"), 1, (80.0, 80.0));
    fs::write(at("empty.png"), "").unwrap();
    fs::write(at("notes.txt"), "hello").unwrap();
    write(&at("ct.dcm"), 1, &|o| {
        text(o, tags::MODALITY, VR::CS, "CT");
        text(o, tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.2");
    });
    write(&at("qc.dcm"), 2, &|o| {
        text(o, tags::QUALITY_CONTROL_IMAGE, VR::CS, "YES");
    });
    let rows = "exam,breast,file,view\nx,left,good.png,CC\nx,right,good.png,CC\nX,right,empty.png,CC\n\
                y,left,missing.png,CC\nz,,notes.txt,MLO\nw,left,ct.dcm,CC\nv,right,qc.dcm,CC\n";
    fs::write(at("m.csv"), rows).unwrap();
    let inputs = collect(&[at("m.csv")]).unwrap();
    let mut skipped = inputs.skipped.clone();
    skipped.extend(run(&inputs).into_iter().flat_map(|exam| exam.skipped));
    let expected = [
        ("good.png", "x", RIGHT),
        ("empty.png", "X", RIGHT),
        ("missing.png", "y", LEFT),
        ("notes.txt", "z", Side::Unknown),
        ("ct.dcm", "w", LEFT),
        ("qc.dcm", "v", RIGHT),
    ];
    let expected = expected.map(|(file, exam, side)| (file.to_owned(), exam.to_owned(), side));
    let found = places(&skipped);
    // The good one is a sonogram's picture, which the network of mammograms may refuse.
    for one in &expected {
        assert!(found.contains(one), "{one:?}: {found:?}");
    }
    assert!(found.iter().all(|(_, exam, _)| !exam.is_empty()));
    // By its own header, without a manifest; a text states nothing.
    let inputs = collect(&[at("ct.dcm"), at("notes.txt")]).unwrap();
    let [ct, notes] = &inputs.skipped[..] else {
        panic!("two files")
    };
    assert!(ct.exam.as_ref().is_some_and(|key| key.starts_with("exam-")));
    assert_eq!((ct.side, notes.exam.as_ref()), (LEFT, None));
}

#[test]
fn names_that_differ_in_case_stay_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["1.png", "2.png", "3.png"] {
        save(&dir.path().join(name), 1, (80.0, 80.0));
    }
    let rows = "exam,breast,file\nA,left,1.png\na,left,2.png\nA,right,3.png\n";
    let manifest = dir.path().join("m.csv");
    fs::write(&manifest, rows).unwrap();
    let inputs = collect(&[manifest]).unwrap();
    assert_eq!(exams(&inputs), ["A: 1.png 3.png", "a: 2.png"]);
}

/// The only image of the only exam.
fn image_of(file: &Path) -> ImageAssessment {
    let mut exams = run(&collect(&[file.to_owned()]).unwrap());
    assert!(exams[0].skipped.is_empty(), "{:?}", exams[0].skipped);
    let mut exam = exams.remove(0).assessment;
    exam.breasts.remove(0).images.remove(0)
}

#[test]
fn sizes_of_pixels_that_no_breast_has_are_not_used() {
    let dir = tempfile::tempdir().unwrap();
    // 240 rows and 200 columns.
    for (mm, longest) in [
        ("70", Some("16800.0")),
        ("2.6", Some("624.0")),
        ("0.00007", Some("0.0")),
        ("0.007", Some("1.7")),
        ("2.4", None),
        ("0.5", None),
        // A crop at a real size of pixels.
        ("0.025", None),
    ] {
        let file = dir.path().join("m.dcm");
        write(&file, 1, &|o| {
            let pair = format!(r"{mm}\{mm}");
            text(o, tags::IMAGER_PIXEL_SPACING, VR::DS, &pair);
        });
        let image = image_of(&file);
        let said = |words: &str| image.warnings.iter().any(|w| w.message.contains(words));
        match longest {
            None => assert!(image.spacing.is_some() && !said("is not used"), "{mm}"),
            Some(longest) => {
                let words = format!(
                    "pixels of {mm} x {mm} mm, as stated, the picture would be {longest} mm long"
                );
                assert!(said(&words), "{mm}: {:?}", image.warnings);
                assert_eq!(image.spacing, None);
                assert!(!said("is not stated"));
                assert!(!image.findings.is_empty());
                assert!(image.findings.iter().all(|f| f.longest_axis_mm.is_none()));
            }
        }
    }
    // The manifest's size is judged alike.
    let at = |name: &str| dir.path().join(name);
    let rows = "exam,breast,file,row_mm,col_mm\nx,left,m.dcm,70,70\n";
    fs::write(at("m.csv"), rows).unwrap();
    assert_eq!(image_of(&at("m.csv")).spacing, None);
}
