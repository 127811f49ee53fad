//! Results as DICOM objects: from the command line to the programs that judge them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lobule_dicomio::{MammogramEncoding, SyntheticMammogram, write_mammogram};
use lobule_exam::{Laterality, Spacing, View};
use lobule_raster::Image;

use crate::mammography::mammography_model;
use crate::{expect_code, lobule, model, save};

/// Synthetic exams of both modalities, as `lobule demo` writes them.
struct Exams {
    sonograms: PathBuf,
    mammograms: PathBuf,
}

fn exams(folder: &Path) -> Exams {
    let sonograms = lobule_phantom::write_demo_exams(&folder.join("us"), 7).unwrap();
    let mammograms = lobule_phantom::mammogram::write_demo_exam(&folder.join("mg"), 7).unwrap();
    Exams {
        sonograms: sonograms[0].folder.clone(),
        mammograms: mammograms.folder,
    }
}

/// A mammogram of nothing.
fn black(folder: &Path) -> PathBuf {
    let file = folder.join("black.dcm");
    let mammogram = SyntheticMammogram {
        image: Image::filled(300, 200, 0),
        side: Laterality::Left,
        view: View::Cc,
        spacing: Spacing::new(0.5, 0.5).unwrap(),
        study_seed: "black".to_owned(),
        instance_number: 1,
        encoding: MammogramEncoding::default(),
    };
    write_mammogram(&file, &mammogram).unwrap();
    file
}

/// A row of the list of exams.
struct Row {
    modality: String,
    result: String,
    folder: PathBuf,
    files: usize,
    reason: String,
}

fn rows(dicom: &Path) -> Vec<Row> {
    let mut list = csv::Reader::from_path(dicom.join("exams.csv")).unwrap();
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.unwrap();
        let at = |i: usize| record[i].to_owned();
        Row {
            modality: at(1),
            result: at(2),
            folder: dicom.join(at(3)),
            files: at(4).parse().unwrap(),
            reason: at(5),
        }
    };
    list.records().map(row).collect()
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder).unwrap().map(|entry| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, fs::read(entry.path()).unwrap())
    });
    files.collect()
}

/// How many files of a kind a folder holds.
fn count(folder: &Path, kind: &str) -> usize {
    let names = contents(folder).into_keys();
    names.filter(|n| n.starts_with(&format!("{kind}-"))).count()
}

/// Has every program at hand judge the objects of a folder beside their sources.
pub(crate) fn judge(folder: &Path, sources: &Path) {
    let Some(validators) = std::env::var_os("LOBULE_VALIDATORS") else {
        println!("skipped: validators of DICOM objects (LOBULE_VALIDATORS is not set)");
        return;
    };
    let mut files: Vec<PathBuf> = match sources.is_dir() {
        true => fs::read_dir(sources)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect(),
        false => vec![sources.to_owned()],
    };
    files.retain(|file| file.extension().is_some_and(|e| e == "dcm"));
    files.sort();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dicomio/tests/validate.py");
    let done = Command::new(Path::new(&validators).join("bin/python"))
        .args([script.as_path(), folder, Path::new("--sources")])
        .args(&files)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    println!("{text}");
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "{}: {text}{errors}",
        folder.display()
    );
}

#[test]
fn each_exam_has_results_that_programs_of_others_accept() {
    let dir = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("LOBULE_KEEP").map(PathBuf::from);
    let root = kept.unwrap_or_else(|| dir.path().to_owned());
    let exams = exams(&root);
    let (black, picture) = (black(&root), root.join("a.png"));
    save(&picture, (80.0, 80.0), 20);
    let own = mammography_model(dir.path());
    let (out, dicom) = (root.join("out"), root.join("dicom"));
    let run = || -> Output {
        lobule(&[
            &"assess",
            &exams.sonograms,
            &exams.mammograms,
            &black,
            &picture,
            &"--out",
            &out,
            &"--dicom-out",
            &dicom,
            &"--model",
            &model(),
            &"--model",
            &own,
            &"--engine",
            &"rten",
        ])
    };
    let said = expect_code(&run(), 3);
    assert!(said.contains("1 exam without DICOM results"), "{said}");
    let rows = rows(&dicom);
    let of = |modality: &str, result: &str| {
        let mut found = rows.iter();
        found
            .find(|r| r.modality == modality && r.result == result)
            .unwrap()
    };
    assert_eq!(rows.len(), 4);
    let sonograms = of("ultrasound", "assessed");
    assert!(count(&sonograms.folder, "sc") > 0 && count(&sonograms.folder, "cad") == 0);
    let mammograms = of("mammography", "assessed");
    assert_eq!(
        ["sc", "cad", "sr", "heat", "pdf", "fhir"].map(|k| count(&mammograms.folder, k)),
        [4, 1, 1, 4, 1, 1]
    );
    let failed = of("mammography", "failed");
    assert_eq!(
        ["cad", "sr", "fhir"].map(|k| count(&failed.folder, k)),
        [1, 1, 1]
    );
    assert!(!failed.reason.is_empty());
    let none = of("ultrasound", "none");
    assert!(none.reason.contains("got the picture"), "{}", none.reason);
    for row in rows.iter().filter(|row| row.files > 0) {
        assert_eq!(contents(&row.folder).len(), row.files);
    }
    judge(&sonograms.folder, &exams.sonograms);
    judge(&mammograms.folder, &exams.mammograms);
    judge(&failed.folder, &black);
    // A second run finds its results there: the same names, the same bytes.
    let before = contents(&mammograms.folder);
    expect_code(&run(), 3);
    assert!(contents(&mammograms.folder) == before);
}

/// Cuts a file in the midst of its pixels; gives what it was.
fn cut(file: &Path) -> Vec<u8> {
    let bytes = fs::read(file).unwrap();
    fs::write(file, &bytes[..bytes.len() - 2000]).unwrap();
    bytes
}

/// A mammogram that cannot be decoded counts like one that cannot be used.
#[test]
fn an_image_that_is_cut_short_is_one_that_failed() {
    let dir = tempfile::tempdir().unwrap();
    let exams = lobule_phantom::mammogram::write_demo_exam(&dir.path().join("mg"), 7).unwrap();
    let is_cut = |file: &&PathBuf| file.to_string_lossy().contains("right-MLO");
    let cut_file = exams.files.iter().find(is_cut).unwrap();
    let whole = cut(cut_file);
    let alone = black(dir.path());
    let whole_alone = cut(&alone);
    let own = mammography_model(dir.path());
    let (out, dicom) = (dir.path().join("out"), dir.path().join("dicom"));
    let run = |paths: &[&Path]| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lobule"));
        command.env_remove("LOBULE_MODEL").arg("assess").args(paths);
        command.args(["--engine", "rten", "--out"]).arg(&out);
        command.arg("--dicom-out").arg(&dicom);
        command.arg("--model").arg(&own).output().unwrap()
    };
    expect_code(&run(&[&exams.folder, &alone]), 3);
    let found = rows(&dicom);
    let results: Vec<&str> = found.iter().map(|row| row.result.as_str()).collect();
    assert_eq!(results, ["assessed", "failed"]);
    assert!(
        found[1].reason.contains("bytes of pixels"),
        "{}",
        found[1].reason
    );
    let assessed = contents(&found[0].folder);
    let cad = assessed.iter().find(|(name, _)| name.starts_with("cad-"));
    let cad = String::from_utf8_lossy(cad.unwrap().1);
    assert!(cad.contains("Not all algorithms succeeded"), "{cad}");
    assert!(cad.contains("the MLO view is there and could not be used"));
    let failed = &found[1].folder;
    assert_eq!(
        ["cad", "sr", "fhir"].map(|kind| count(failed, kind)),
        [1, 1, 1]
    );
    let page = fs::read_dir(out.join("exams")).unwrap().find_map(|entry| {
        let page = fs::read_to_string(entry.unwrap().path().join("report.html")).unwrap();
        page.contains("Not assessed: RMLO").then_some(page)
    });
    let page = page.unwrap();
    assert!(page.contains("right breast: the MLO view is there and could not be used"));
    // Alone it has its row and its report too.
    let (failed, assessed) = (failed.clone(), found[0].folder.clone());
    fs::remove_file(dicom.join("exams.csv")).unwrap();
    let said = expect_code(&run(&[&alone]), 4);
    assert!(said.contains("got none"), "{said}");
    let found = rows(&dicom);
    assert_eq!((found.len(), found[0].result.as_str()), (1, "failed"));
    assert_eq!(count(&found[0].folder, "cad"), 1);
    // The programs that judge do not read what is cut short.
    fs::write(cut_file, whole).unwrap();
    fs::write(&alone, whole_alone).unwrap();
    judge(&assessed, &exams.folder);
    judge(&failed, &alone);
}
