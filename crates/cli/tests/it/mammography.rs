//! Mammograms on the command line: both modalities in one folder, no model, import.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{assessment, expect_code, expect_one_line, lobule, model, save};

/// The test network under a manifest that says it reads mammograms.
pub(crate) fn mammography_model(folder: &Path) -> PathBuf {
    let to = folder.join("mammography-model");
    fs::create_dir(&to).unwrap();
    fs::copy(model().join("dark_blobs.onnx"), to.join("dark_blobs.onnx")).unwrap();
    let text = fs::read_to_string(model().join("manifest.toml")).unwrap();
    let start = text.find("[prepare]").unwrap();
    let end = text.find("[wiring]").unwrap();
    let prepare = "[prepare]\nkind = \"mammogram\"\nrows = 64\ncols = 64\nscale = \"fit\"\n\
                   outside = \"background\"\nstandardization = \"breast\"\n\n";
    let text = [&text[..start], prepare, &text[end..]].concat();
    let text = text.replace("\"ultrasound\"", "\"mammography\"");
    fs::write(to.join("manifest.toml"), text).unwrap();
    to
}

/// Half a disk at the left edge, and a manifest that calls it a view.
fn exam(folder: &Path) -> PathBuf {
    let picture = image::ImageBuffer::from_fn(200, 300, |x, y| {
        let d = (f64::from(y) - 150.0).hypot(f64::from(x));
        let noise = (x * 7919 + y * 104_729 + x * y * 31) % 160;
        image::Luma([if d < 130.0 { 1200 + noise as u16 } else { 20 }])
    });
    picture.save(folder.join("mlo.png")).unwrap();
    let manifest = folder.join("mammograms.csv");
    fs::write(&manifest, "exam,breast,file,view\nm,left,mlo.png,MLO\n").unwrap();
    manifest
}

#[test]
fn a_folder_of_both_modalities_is_one_result() {
    let dir = tempfile::tempdir().unwrap();
    let (manifest, own) = (exam(dir.path()), mammography_model(dir.path()));
    let sonogram = dir.path().join("sonogram.png");
    save(&sonogram, (90.0, 120.0), 20);
    let out = dir.path().join("out");
    let output = lobule(&[
        &"assess",
        &sonogram,
        &manifest,
        &"--out",
        &out,
        &"--model",
        &own,
        &"--model",
        &model(),
        &"--engine",
        &"rten",
        &"--debug-images",
    ]);
    expect_code(&output, 0);
    let document = assessment(&out);
    let modalities = [
        &document["model"]["modality"],
        &document["further_models"][0]["model"]["modality"],
    ];
    assert_eq!(modalities, ["ultrasound", "mammography"]);
    let exams = document["exams"].as_array().unwrap();
    let keys: Vec<&str> = exams.iter().map(|e| e["exam"].as_str().unwrap()).collect();
    assert_eq!(keys, ["sonogram", "m"]);
    assert_eq!(
        exams[1]["breasts"][0]["images"][0]["mammogram"]["view"],
        "MLO"
    );
    for step in ["mask", "laid", "input", "heat"] {
        let file = out.join(format!("exams/m/mlo-{step}.png"));
        assert!(file.is_file(), "{}", file.display());
    }
    assert!(out.join("exams/sonogram/sonogram-crop.png").is_file());
    assert!(out.join("exams/m/report.html").is_file());
}

#[test]
fn mammograms_without_a_model_are_skipped_with_that_reason() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = exam(dir.path());
    let sonogram = dir.path().join("sonogram.png");
    save(&sonogram, (90.0, 120.0), 20);
    let out = dir.path().join("out");
    let (sonograms, model) = (sonogram.as_path(), model());
    let run = |paths: &[&Path]| -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lobule"));
        command.env_remove("LOBULE_MODEL").arg("assess").args(paths);
        command.args(["--engine", "rten", "--out"]).arg(&out);
        command.arg("--model").arg(&model).output().unwrap()
    };
    expect_code(&run(&[sonograms, &manifest]), 3);
    let skipped = &assessment(&out)["skipped"][0];
    let reason = skipped["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("expected a model of mammography, got none"),
        "{reason}"
    );
    expect_one_line(&run(&[&manifest]), 4, "expected a model of mammography");
}

#[test]
fn a_synthetic_set_is_written_and_assessed_by_its_manifest() {
    let dir = tempfile::tempdir().unwrap();
    let (set, out) = (dir.path().join("set"), dir.path().join("out"));
    let write = |spacing: &str| {
        lobule(&[
            &"phantom",
            &"mammograms",
            &"--exams",
            &"3",
            &"--medium",
            &"film",
            &"--spacing",
            &spacing,
            &"--out",
            &set,
        ])
    };
    expect_one_line(&write("0"), 2, "pixels of 0.05 to 2 mm");
    expect_code(&write("1.5"), 0);
    expect_one_line(&write("1.5"), 7, "expected a new or empty folder");
    let manifest = set.join("manifest.csv");
    let own = mammography_model(dir.path());
    let output = lobule(&[
        &"assess",
        &manifest,
        &"--out",
        &out,
        &"--model",
        &own,
        &"--engine",
        &"rten",
    ]);
    expect_code(&output, 0);
    let document = assessment(&out);
    let exams = document["exams"].as_array().unwrap();
    assert_eq!(exams.len(), 3);
    for exam in exams {
        let breasts = exam["breasts"].as_array().unwrap();
        let views = |breast: &serde_json::Value| breast["images"].as_array().unwrap().len();
        assert_eq!(breasts.iter().map(views).collect::<Vec<_>>(), [2, 2]);
    }
    let labels = fs::read_to_string(&manifest).unwrap();
    let of = |label: &str| labels.matches(&format!(",{label},")).count();
    assert_eq!(
        [of("normal"), of("benign"), of("malignant"), of("film")],
        [8, 2, 2, 12]
    );
}

#[test]
fn one_model_per_modality_can_be_named() {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (dir.path().join("a.png"), dir.path().join("out"));
    save(&input, (80.0, 80.0), 20);
    let output = lobule(&[
        &"assess",
        &input,
        &"--out",
        &out,
        &"--model",
        &model(),
        &"--model",
        &model(),
    ]);
    expect_one_line(&output, 2, "expected one model of ultrasound, got two");
}

#[test]
fn a_checkpoint_is_imported_or_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (dir.path().join("model.p"), dir.path().join("package"));
    fs::write(&file, "no checkpoint").unwrap();
    let import = |share: &str| {
        lobule(&[
            &"model",
            &"import",
            &"gmic",
            &file,
            &"--out",
            &out,
            &"--percent-t",
            &share,
        ])
    };
    expect_one_line(&import("0"), 2, "expected a share above 0");
    expect_one_line(&import("0.02,0.1"), 2, "one share or 1");
    match cfg!(feature = "train") {
        true => expect_one_line(&import("0.02"), 5, "model.p"),
        false => expect_one_line(&import("0.02"), 2, "the feature `train`"),
    }
}
