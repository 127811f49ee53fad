//! `lobule assess` on whole slides, drawn here, with two models that are formulas.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use lobule_phantom::slide::{
    Cohort, CohortPlan, Scanner, SlideLooks, SlidePlan, Stain, SyntheticSlide, write_cohort,
    write_tiff,
};

use super::{assessment, expect_code, expect_one_line, lobule};

fn models() -> [PathBuf; 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assess/tests/slide-models");
    ["tumor", "grade"].map(|task| folder.join(task))
}

fn draw(file: &Path, side: usize) {
    let plan = SlidePlan {
        rows: side,
        cols: side,
        grade: 3.0,
        ..SlidePlan::default()
    };
    write_tiff(&SyntheticSlide::new(plan, 5), file).unwrap();
}

/// The arguments of a run, as strings.
fn arguments(slide: &Path, out: &Path) -> Vec<String> {
    let [tumor, grade] = models();
    let text = |path: &Path| path.display().to_string();
    let mut all = vec!["assess".to_owned(), text(slide), "--out".into(), text(out)];
    for model in [tumor, grade] {
        all.extend(["--model".into(), text(&model)]);
    }
    all.extend(["--engine".into(), "rten".into(), "--quiet".into()]);
    all
}

fn run(slide: &Path, out: &Path) -> std::process::Output {
    let arguments = arguments(slide, out);
    let args: Vec<&dyn AsRef<std::ffi::OsStr>> = arguments
        .iter()
        .map(|a| a as &dyn AsRef<std::ffi::OsStr>)
        .collect();
    lobule(&args)
}

/// Every file below a folder but the journals, by its path inside.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(path) = waiting.pop() {
        for entry in fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                waiting.push(entry);
            } else if entry.file_name().unwrap() != "journal.tsv" {
                let inside = entry.strip_prefix(folder).unwrap().to_owned();
                found.insert(inside, fs::read(&entry).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_slide_is_assessed_and_other_files_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    let (slides, out) = (dir.path().join("slides"), dir.path().join("out"));
    fs::create_dir(&slides).unwrap();
    draw(&slides.join("synthetic.tif"), 2048);
    fs::write(slides.join("notes.txt"), "no slide").unwrap();
    let output = run(&slides, &out);
    let errors = expect_code(&output, 3);
    // Said even when quiet.
    assert!(
        errors.contains("DEMONSTRATION MODEL: no grade may be read"),
        "{errors}"
    );
    let document = assessment(&out);
    assert_eq!(document["schema_version"], "2.1");
    assert_eq!(document["slides"][0]["status"], "assessed");
    assert_eq!(document["slides"][0]["synthetic"], true);
    assert!(
        document["skipped"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("expected a slide")
    );
    for name in [
        "report.html",
        "summary.csv",
        "slides/synthetic/tumor-map.png",
    ] {
        assert!(out.join(name).is_file(), "{name}");
    }
    assert!(!out.join("cohort.csv").exists());
}

#[test]
fn a_killed_run_goes_on_and_writes_the_same_files() {
    let dir = tempfile::tempdir().unwrap();
    let slide = dir.path().join("synthetic.tif");
    draw(&slide, 4096);
    let (whole, broken) = (dir.path().join("whole"), dir.path().join("broken"));
    expect_code(&run(&slide, &whole), 0);
    let mut command = Command::new(env!("CARGO_BIN_EXE_lobule"));
    let mut child = command.args(arguments(&slide, &broken)).spawn().unwrap();
    let journal = broken.join("slides/synthetic/journal.tsv");
    let lines = || fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
    let end = Instant::now() + Duration::from_secs(120);
    while lines() < 8 && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = lines();
    let all = fs::read_to_string(whole.join("slides/synthetic/journal.tsv")).unwrap();
    println!("killed after {kept} of {} lines", all.lines().count());
    assert!(kept >= 8 && !broken.join("report.html").exists());
    expect_code(&run(&slide, &broken), 0);
    let (expected, got) = (files(&whole), files(&broken));
    assert!(expected.keys().eq(got.keys()));
    for (name, bytes) in &expected {
        assert!(*bytes == got[name], "{}", name.display());
    }
}

#[test]
fn a_cohort_is_read_by_the_survival_study_in_one_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let plan = CohortPlan {
        n_patients: 8,
        grade_shares: [0.0, 0.0, 1.0],
        ..CohortPlan::default()
    };
    let looks = SlideLooks {
        rows: 2048,
        cols: 2048,
        stains: vec![Stain::COMMON],
        scanners: vec![Scanner::NEUTRAL],
        artefacts: 0.0,
        ..SlideLooks::default()
    };
    let cohort = Cohort::new(&plan, 4);
    write_cohort(dir.path(), &cohort, &looks).unwrap();
    // One slide is not there: the others go on.
    fs::remove_file(dir.path().join("slides/synthetic-0003.tif")).unwrap();
    let out = dir.path().join("run");
    expect_code(&run(&dir.path().join("clinical.csv"), &out), 3);
    let text = fs::read_to_string(out.join("cohort.csv")).unwrap();
    assert_eq!(text.lines().count(), 9);
    let assessed = text
        .lines()
        .filter(|line| line.contains(",assessed,"))
        .count();
    assert!(assessed >= 4, "{assessed}");
    assert!(text.contains("demonstration high (synthetic)"));
    assert!(text.lines().nth(3).unwrap().contains("skipped,"));
    let study = dir.path().join("study");
    let output = lobule(&[
        &"study",
        &"survival",
        &out.join("cohort.csv"),
        &"--time",
        &"years",
        &"--event",
        &"event",
        &"--only",
        &"grade=3",
        &"--only",
        &"status=assessed",
        &"--groups",
        &"model_status",
        &"--covariates",
        &"score,age",
        &"--out",
        &study,
    ]);
    expect_code(&output, 0);
    let page = fs::read_to_string(study.join("report.html")).unwrap();
    assert!(
        page.contains("only those with grade = 3 and status = assessed"),
        "{page}"
    );
    assert!(page.contains("demonstration"));
}

#[test]
fn what_does_not_fit_slides_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (slide, out) = (dir.path().join("synthetic.tif"), dir.path().join("out"));
    draw(&slide, 512);
    let [tumor, grade] = models();
    let output = lobule(&[&"assess", &slide, &"--out", &out, &"--model", &grade]);
    expect_one_line(&output, 5, "finds tumor on slides");
    let output = lobule(&[
        &"assess",
        &slide,
        &"--out",
        &out,
        &"--model",
        &tumor,
        &"--dicom-out",
        &dir.path(),
    ]);
    expect_one_line(&output, 2, "--dicom-out");
    let output = lobule(&[
        &"assess", &slide, &"--out", &out, &"--model", &tumor, &"--model", &tumor,
    ]);
    expect_one_line(&output, 2, "expected one model of slide-tumor");
    let table = dir.path().join("cohort.csv");
    fs::write(&table, "slide,file,risk\na,synthetic.tif,low\n").unwrap();
    let output = lobule(&[&"assess", &table, &"--out", &out, &"--model", &tumor]);
    expect_one_line(&output, 2, "no column `risk`");
    // A picture is a slide only with its microns per pixel.
    let picture = dir.path().join("tissue.png");
    image::RgbImage::from_pixel(600, 600, image::Rgb([200, 120, 180]))
        .save(&picture)
        .unwrap();
    let output = lobule(&[
        &"assess", &picture, &"--out", &out, &"--model", &tumor, &"--mpp", &"0",
    ]);
    expect_one_line(&output, 4, "expected at least one usable slide");
    let output = lobule(&[
        &"assess", &picture, &"--out", &out, &"--model", &tumor, &"--mpp", &"0.5",
    ]);
    expect_code(&output, 0);
    assert_eq!(assessment(&out)["slides"][0]["status"], "no_model");
}

/// Which tiles were predicted is known to the code of training alone.
#[test]
#[cfg(not(feature = "train"))]
fn models_of_slides_are_not_run_again_without_the_feature_train() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/slide-tumor");
    let output = lobule(&[&"model", &"verify", &model, &"--data", &"."]);
    let errors = expect_code(&output, 2);
    assert!(errors.contains("the feature `train`"), "{errors}");
}
