//! What programs that are not ours say of the objects.

use std::path::{Path, PathBuf};
use std::process::Command;

use lobule_dicomio::result::{Outcome, ResultKind, fhir_bundle};
use lobule_exam::{FindingClass, Laterality, Side, View};

use super::look_up_tables::of_golden_mammogram;
use super::{
    Exam, breast, failed, finding, image, mammography, objects, objects_of, ultrasound,
    with_request,
};

/// Real pictures, where they are at hand: a colour screen of unknown side, and a film.
fn real() -> Option<[Exam; 2]> {
    let Some(root) = std::env::var_os("LOBULE_DATA") else {
        println!("skipped: real files (LOBULE_DATA is not set)");
        return None;
    };
    let folder = Path::new(&root).join("dicom_fixtures");
    let found = |(rows, cols)| vec![finding(FindingClass::Malignant, rows, cols, 0.0, 1)];
    let exam = |side, file: &str, size, view| {
        let images = vec![image(&folder.join(file), size, view, found(size))];
        Exam::new(vec![breast(side, images)])
    };
    let (screen, film) = ((480, 640), (4664, 3064));
    Some([
        exam(Side::Unknown, "US1_UNCR.dcm", screen, None),
        exam(
            Side::Known(Laterality::Left),
            "MG1_J2KI.dcm",
            film,
            Some(View::Mlo),
        ),
    ])
}

/// A folder for objects; with `LOBULE_KEEP_RESULTS` it lies there and stays.
struct Folder {
    path: PathBuf,
    _temporary: tempfile::TempDir,
}

impl Folder {
    fn new(name: &str) -> Folder {
        let temporary = tempfile::tempdir().unwrap();
        let kept = std::env::var_os("LOBULE_KEEP_RESULTS");
        let path = kept.map_or(temporary.path().to_owned(), |root| {
            Path::new(&root).join(name)
        });
        std::fs::create_dir_all(&path).unwrap();
        Folder {
            path,
            _temporary: temporary,
        }
    }
}

/// Has every validator at hand judge an exam's objects.
fn judged(name: &str, exam: &Exam, outcome: Outcome<'_>) {
    let folder = Folder::new(name);
    let folder = &folder.path;
    for object in objects_of(exam, outcome) {
        object.write(folder).unwrap();
    }
    let bundle = with_request(exam, outcome, |request| fhir_bundle(request).unwrap());
    std::fs::write(folder.join(bundle.file_name), bundle.json).unwrap();
    validated(name, folder, &exam.files);
}

/// Has every validator at hand judge the files of a folder.
fn validated(name: &str, folder: &Path, sources: &[PathBuf]) {
    let Some(validators) = std::env::var_os("LOBULE_VALIDATORS") else {
        println!("skipped: validators of DICOM objects (LOBULE_VALIDATORS is not set)");
        return;
    };
    let done = Command::new(Path::new(&validators).join("bin/python"))
        .arg("tests/validate.py")
        .arg(folder)
        .arg("--sources")
        .args(sources)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    println!("{text}");
    assert!(
        done.status.success(),
        "{name}: {text}{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[test]
fn programs_of_others_accept_the_objects() {
    let folder = tempfile::tempdir().unwrap();
    let exams = [
        ("mammography", mammography()),
        ("no_findings", mammography().without_findings()),
        ("ultrasound", ultrasound(folder.path())),
    ];
    let real = real().map(|[screen, film]| [("screen", screen), ("film", film)]);
    for (name, exam) in real.into_iter().flatten().chain(exams) {
        judged(name, &exam, Outcome::Assessed(&exam.assessment));
    }
    let exam = mammography();
    let reason = "no breast was found in the pixels";
    judged("failed", &exam, failed(reason));
}

#[test]
fn programs_of_others_accept_look_up_tables() {
    for name in ["signed_table", "modality_table", "rescaled", "sigmoid"] {
        let (exam, folder) = (of_golden_mammogram(name), Folder::new(name));
        let states = objects(&exam).into_iter();
        let states = states.filter(|o| o.kind() == ResultKind::PresentationState);
        states.for_each(|state| drop(state.write(&folder.path).unwrap()));
        validated(name, &folder.path, &exam.files);
    }
}
