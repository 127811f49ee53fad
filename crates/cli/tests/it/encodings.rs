//! One mammography exam in every encoding that is read, assessed by a shipped network: the same scores.
//!
//! What uncompressed files can say is written by `phantom`; compressed files were made by other programs
//! (`crates/phantom/tests/golden_encodings/make.py`). That the brightness is the same, and by how much the
//! lossy ones differ, is tested there; here it is what becomes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lobule_dicomio::MammogramEncoding;
use lobule_exam::Laterality;
use lobule_package::{MANIFEST_FILE, Manifest};
use lobule_phantom::mammogram::{
    ExamPlan, LesionKind, LesionPlan, encodings, render_exam, write_dicom_exam,
};

use crate::{assessment, expect_code, lobule};

/// Of a score in 0..=1, per step of brightness (of 65535) by which an encoding may differ: 8 bits, 129
/// steps, came to 0.009; all that has 12 bits or more to 0.0002.
const SCORE_PER_STEP: f64 = 0.013 / 129.0;
/// Where all pixels are equal: what rounding in the report leaves.
const ROUNDING: f64 = 2e-6;

/// The shipped package with its first member alone.
fn first_member(folder: &Path) -> PathBuf {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/mammography");
    let to = folder.join("first-member");
    fs::create_dir(&to).unwrap();
    let file = to.join(MANIFEST_FILE);
    let text = fs::read_to_string(shipped.join(MANIFEST_FILE)).unwrap();
    let mut manifest = Manifest::from_toml(&text, &file).unwrap();
    manifest.members.truncate(1);
    fs::write(&file, manifest.to_toml(&file).unwrap()).unwrap();
    let member = &manifest.members[0].file;
    fs::copy(shipped.join(member), to.join(member)).unwrap();
    to
}

/// Malignant and benign score of every image, by the file's folder and its name behind the first dash.
fn scores(exams: &Path, model: &Path, out: &Path) -> BTreeMap<(String, String), [f64; 2]> {
    let output = lobule(&[
        &"assess",
        &exams,
        &"--model",
        &model,
        &"--engine",
        &"rten",
        &"--no-heat-maps",
        &"--out",
        &out,
    ]);
    expect_code(&output, 0);
    let document = assessment(out);
    let exams = document["exams"].as_array().unwrap().iter();
    let breasts = exams.flat_map(|e| e["breasts"].as_array().unwrap());
    let images = breasts.flat_map(|b| b["images"].as_array().unwrap());
    let scored = |image: &serde_json::Value| {
        let path = PathBuf::from(image["file"].as_str().unwrap());
        let folder = path.parent().unwrap().file_name().unwrap();
        let (_, view) = path
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .split_once('-')
            .unwrap();
        let of = |class: &str| image["scores"][class].as_f64().unwrap();
        let key = (folder.to_str().unwrap().to_owned(), view.to_owned());
        (key, [of("malignant"), of("benign")])
    };
    images.map(scored).collect()
}

/// The largest difference of a score from the same view's in another folder.
fn difference(
    all: &BTreeMap<(String, String), [f64; 2]>,
    folder: &str,
    base: &BTreeMap<(String, String), [f64; 2]>,
    base_folder: &str,
) -> f64 {
    let own = all.iter().filter(|((name, _), _)| name == folder);
    let gaps: Vec<f64> = own
        .flat_map(|((_, view), scores)| {
            let expected = base[&(base_folder.to_owned(), view.clone())];
            [0, 1].map(|class| (scores[class] - expected[class]).abs())
        })
        .collect();
    assert_eq!(gaps.len(), 8, "{folder}: expected four views");
    gaps.into_iter().fold(0.0, f64::max)
}

#[test]
fn every_encoding_of_an_exam_has_the_same_scores() {
    let dir = tempfile::tempdir().unwrap();
    let model = first_member(dir.path());
    let plan = ExamPlan {
        spacing_mm: 1.0,
        lesions: vec![
            LesionPlan::typical(Laterality::Left, LesionKind::Spiculated),
            LesionPlan::typical(Laterality::Right, LesionKind::Oval),
        ],
        ..ExamPlan::default()
    };
    let exam = render_exam(&plan, 4);
    let exams = dir.path().join("exams");
    let write = |name: &str, encoding| {
        // The study's name is without dashes: `scores` takes views apart at them.
        let study = name.replace('-', "_");
        write_dicom_exam(&exams.join(name), &study, &exam, encoding).unwrap();
    };
    write("base", MammogramEncoding::default());
    for named in encodings() {
        write(named.name, named.encoding);
    }
    let all = scores(&exams, &model, &dir.path().join("out"));
    let mut failures = Vec::new();
    for named in encodings() {
        let found = difference(&all, named.name, &all, "base");
        println!("{}: scores differ by {found:.1e}", named.name);
        if found > f64::from(named.tolerance) * SCORE_PER_STEP + ROUNDING {
            failures.push(format!("{}: {found}", named.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_other_programs_compressed_has_the_same_scores() {
    let dir = tempfile::tempdir().unwrap();
    let model = first_member(dir.path());
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../phantom/tests/golden_encodings");
    let of = |name: &str| scores(&golden.join(name), &model, &dir.path().join(name));
    let base = of("base");
    // Lossy pictures ring at letters and skin, and the breast's box may move by a pixel of 1 mm.
    let cases = [
        ("rle", ROUNDING),
        ("jpeg_lossless", ROUNDING),
        ("jpeg_lossless_sv1", ROUNDING),
        ("jpeg_ls", ROUNDING),
        ("jpeg_ls_near", 0.02),
        ("jpeg_2000", ROUNDING),
        ("jpeg_2000_lossy", 0.05),
        ("jpeg_baseline", 0.2),
    ];
    let mut failures = Vec::new();
    for (name, most) in cases {
        let found = difference(&of(name), name, &base, "base");
        println!("{name}: scores differ by {found:.1e}");
        if found > most {
            failures.push(format!("{name}: {found}, at most {most}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
