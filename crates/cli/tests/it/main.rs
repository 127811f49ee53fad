//! The binary as a user runs it: a real ONNX graph that finds dark blobs, small pictures, exit
//! codes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod counterparts;
mod dicom_out;
mod durability;
mod encodings;
mod evaluate;
mod mammography;
mod ohif;
#[cfg(unix)]
mod pipes;
mod serve;
mod service;
mod slides;
mod viewer;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/model")
}

fn lobule(args: &[&dyn AsRef<std::ffi::OsStr>]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lobule"));
    command.env_remove("LOBULE_MODEL");
    for arg in args {
        command.arg(arg);
    }
    command.output().unwrap()
}

/// Fails unless the exit code is the expected one and a failure says one line.
#[track_caller]
fn expect_code(output: &Output, code: i32) -> String {
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{errors}");
    errors
}

#[track_caller]
fn expect_one_line(output: &Output, code: i32, about: &str) {
    let errors = expect_code(output, code);
    assert_eq!(errors.trim_end().lines().count(), 1, "{errors}");
    assert!(errors.contains(about), "{errors}");
}

/// A bright speckled picture with a dark disk of the given brightness at (row, col).
fn save(path: &Path, at: (f64, f64), dark: u8) {
    let picture = image::GrayImage::from_fn(200, 160, |x, y| {
        let noise = ((x * 7919) ^ (y * 104_729) ^ (x * y * 31)) % 40;
        let d = (f64::from(y) - at.0).hypot(f64::from(x) - at.1);
        image::Luma([if d < 22.0 { dark } else { 140 } + noise as u8])
    });
    picture.save(path).unwrap();
}

fn assessment(out: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(out.join("assessment.json")).unwrap()).unwrap()
}

#[test]
fn the_planted_lesion_is_found_and_bad_files_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    let images = dir.path().join("images");
    let out = dir.path().join("out");
    fs::create_dir(&images).unwrap();
    save(&images.join("lesion.png"), (90.0, 120.0), 20);
    save(&images.join("plain.png"), (-99.0, -99.0), 0);
    fs::write(images.join("empty.png"), "").unwrap();
    fs::write(images.join("text.dcm"), "no DICOM").unwrap();
    let output = lobule(&[
        &"assess",
        &images,
        &"--out",
        &out,
        &"--model",
        &model(),
        &"--engine",
        &"rten",
    ]);
    expect_code(&output, 3);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        out.join("report.html").display().to_string()
    );
    let document = assessment(&out);
    let exam = document["exams"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["exam"] == "lesion");
    let image = &exam.unwrap()["breasts"][0]["images"][0];
    let bounds = &image["findings"][0]["bounds"];
    let inside = |from: &str, n: &str, at: u64| {
        let from = bounds[from].as_u64().unwrap();
        (from..from + bounds[n].as_u64().unwrap()).contains(&at)
    };
    assert!(
        inside("row", "rows", 90) && inside("col", "cols", 120),
        "{bounds}"
    );
    assert!(out.join(image["heat_map"].as_str().unwrap()).is_file());
    assert_eq!(document["skipped"].as_array().unwrap().len(), 2);
    let summary = fs::read_to_string(out.join("summary.csv")).unwrap();
    assert_eq!(summary.lines().count(), 5, "{summary}");
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("Demonstration model") && page.contains("exams/lesion/report.html"));
    keep(&out);
}

/// Copies a result for a look at it, where `LOBULE_KEEP` names a folder.
fn keep(out: &Path) {
    if let Some(to) = std::env::var_os("LOBULE_KEEP") {
        let copied = Command::new("cp")
            .arg("-r")
            .arg(out)
            .arg(to)
            .status()
            .unwrap();
        assert!(copied.success());
    }
}

#[test]
fn every_failure_is_one_line_and_its_own_code() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    save(&at("a.png"), (80.0, 80.0), 20);
    fs::create_dir(at("none")).unwrap();
    fs::create_dir(at("wrong-model")).unwrap();
    fs::write(at("wrong-model/manifest.toml"), "format = 1\n").unwrap();
    fs::write(at("bad.csv"), "exam,breast,file\na,sideways,a.png\n").unwrap();
    let run = |input: &str, out: &str, model: &Path, more: &[&str]| {
        let mut args: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&"assess"];
        let (input, out, model) = (at(input), at(out), model.to_owned());
        args.extend([
            &input as &dyn AsRef<std::ffi::OsStr>,
            &"--out",
            &out,
            &"--model",
            &model,
        ]);
        args.extend(more.iter().map(|m| m as &dyn AsRef<std::ffi::OsStr>));
        lobule(&args)
    };
    let model = model();
    expect_code(&run("a.png", "out", &model, &["--engine", "rten"]), 0);
    expect_one_line(
        &run("a.png", "out", &model, &["--prevalence", "2"]),
        2,
        "prevalence",
    );
    expect_one_line(
        &run("a.png", "out", &model, &["--operating-point", "x"]),
        2,
        "half",
    );
    expect_one_line(
        &run("bad.csv", "out", &model, &["--engine", "rten"]),
        2,
        "line 2, column `breast`",
    );
    expect_one_line(
        &run("none", "out", &model, &["--engine", "rten"]),
        4,
        "expected at least one image",
    );
    expect_one_line(
        &run("missing", "out", &model, &["--engine", "rten"]),
        4,
        "missing",
    );
    expect_one_line(&run("a.png", "out", &at("wrong-model"), &[]), 5, "manifest");
    expect_one_line(&run("a.png", "out", &at("no-model"), &[]), 5, "no-model");
    expect_one_line(
        &run("a.png", "a.png/out", &model, &["--engine", "rten"]),
        7,
        "a.png",
    );
    assert_eq!(lobule(&[&"assess"]).status.code(), Some(2));
}

#[test]
fn a_missing_engine_is_its_own_code() {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (dir.path().join("a.png"), dir.path().join("out"));
    save(&input, (80.0, 80.0), 20);
    let output = Command::new(env!("CARGO_BIN_EXE_lobule"))
        .arg("assess")
        .args([
            &input,
            Path::new("--out"),
            &out,
            Path::new("--model"),
            &model(),
        ])
        .args(["--engine", "onnxruntime"])
        .env("LOBULE_ONNXRUNTIME", dir.path().join("absent.so"))
        .output()
        .unwrap();
    expect_one_line(&output, 6, "absent.so");
}
