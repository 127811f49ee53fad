//! `lobule evaluate`: labelled images in, figures out; small and damaged sets.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::{expect_code, expect_one_line, keep, lobule, model, save};

/// Evaluates a manifest of the folder, whose results lie in `out` of it.
fn evaluate(folder: &Path, manifest: &str) -> Output {
    let path = folder.join("m.csv");
    fs::write(&path, manifest).unwrap();
    lobule(&[
        &"evaluate",
        &"--manifest",
        &path,
        &"--out",
        &folder.join("out"),
        &"--model",
        &model(),
        &"--engine",
        &"rten",
    ])
}

/// Four images, `0.png` to `3.png`.
fn images(folder: &Path) {
    for i in 0..4_u8 {
        save(&folder.join(format!("{i}.png")), (80.0, 100.0), 10 + 20 * i);
    }
}

#[test]
fn an_evaluation_measures_labelled_images() {
    let dir = tempfile::tempdir().unwrap();
    let mut manifest = "exam,breast,file,label,patient,density\n".to_owned();
    for i in 0..24_u8 {
        let malignant = i % 3 == 0;
        let dark = if malignant { 10 + i } else { 30 + 4 * i };
        let name = format!("{i}.png");
        save(&dir.path().join(&name), (80.0, 100.0), dark);
        let label = ["malignant", "benign", "normal"][usize::from(i % 3)];
        let density = if i < 12 { "fatty" } else { "dense" };
        manifest += &format!("e{i},left,{name},{label},p{},{density}\n", i / 2);
    }
    let (path, out) = (dir.path().join("m.csv"), dir.path().join("out"));
    fs::write(&path, manifest).unwrap();
    let output = lobule(&[
        &"evaluate",
        &"--manifest",
        &path,
        &"--out",
        &out,
        &"--model",
        &model(),
        &"--engine",
        &"rten",
    ]);
    expect_code(&output, 0);
    let rows = |name: &str| fs::read_to_string(out.join(name)).unwrap().lines().count();
    assert_eq!((rows("cases.csv"), rows("thresholds.csv")), (25, 7));
    let figures = fs::read_to_string(out.join("figures.csv")).unwrap();
    assert!(figures.contains("bootstrap over 12 patients"), "{figures}");
    keep(&out);
    let study = dir.path().join("study");
    let output = lobule(&[
        &"study",
        &"standalone",
        &out.join("cases.csv"),
        &"--case",
        &"exam,breast",
        &"--layout",
        &"wide",
        &"--algorithms",
        &"malignant_score",
        &"--cluster",
        &"cluster",
        &"--groups",
        &"density",
        &"--replicates",
        &"100",
        &"--out",
        &study,
    ]);
    expect_code(&output, 0);
    let json = fs::read_to_string(study.join("study.json")).unwrap();
    assert!(json.contains("fatty") && json.contains("dense"), "{json}");
}

#[test]
fn a_label_counts_though_its_image_cannot_be_used() {
    let dir = tempfile::tempdir().unwrap();
    images(dir.path());
    let output = evaluate(
        dir.path(),
        "exam,breast,file,label\na,left,0.png,normal\na,left,absent.png,malignant\n\
         b,left,1.png,benign\nc,left,2.png,malignant\nd,left,3.png,normal\n",
    );
    expect_code(&output, 3);
    let cases = fs::read_to_string(dir.path().join("out/cases.csv")).unwrap();
    assert!(cases.contains("\na,left,a,malignant,1,"), "{cases}");
}

#[test]
fn a_set_too_small_for_an_interval_has_its_figures() {
    let dir = tempfile::tempdir().unwrap();
    images(dir.path());
    let output = evaluate(
        dir.path(),
        "exam,breast,file,label,patient\na,left,0.png,malignant,p\na,right,1.png,normal,p\n",
    );
    expect_code(&output, 0);
    let figures = fs::read_to_string(dir.path().join("out/figures.csv")).unwrap();
    assert!(
        figures.contains("no interval: expected at least 2 clusters"),
        "{figures}"
    );
    assert!(dir.path().join("out/evaluation.html").is_file());
}

#[test]
fn a_breast_of_two_patients_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    images(dir.path());
    let output = evaluate(
        dir.path(),
        "exam,breast,file,label,patient\na,left,0.png,malignant,p\na,left,1.png,normal,q\n",
    );
    expect_one_line(
        &output,
        2,
        "expected one patient for the left breast of exam a",
    );
}
