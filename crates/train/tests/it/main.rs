//! Training at the crate's boundary: it learns, resumes exactly, and its export runs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod end_to_end;
mod layouts;
mod mammography;
mod published;
mod slides;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use lobule_raster::Image;
use lobule_train::{EpochRecord, Host, Label, Observer, RunConfig, Silent, train};

/// Dark round spots are "malignant", bright ones "benign": enough for the mechanics.
fn write_images(folder: &Path, n: usize) {
    fs::create_dir_all(folder.join("images")).unwrap();
    let mut table = String::from("file,label,group\n");
    for i in 0..n {
        let (label, value) = [("malignant", 15), ("benign", 235), ("normal", 0)][i % 3];
        let center = (16 + (i * 7) % 32, 16 + (i * 13) % 32);
        let gray = Image::from_fn(64, 64, |r, c| {
            let noise = (r * 31 + c * 17 + i * 5 + (r * c) % 7) % 40;
            let inside = r.abs_diff(center.0).pow(2) + c.abs_diff(center.1).pow(2) < 64;
            if inside && label != "normal" {
                value
            } else {
                100 + noise as u8
            }
        });
        let file = format!("images/{i}.png");
        image::save_buffer(
            folder.join(&file),
            gray.pixels(),
            64,
            64,
            image::ExtendedColorType::L8,
        )
        .unwrap();
        table += &format!("{file},{label},g{}\n", i / 2);
    }
    fs::write(folder.join("labels.csv"), table).unwrap();
}

fn config(data: &Path, epochs: usize) -> RunConfig {
    let text = format!(
        "seed = 5\n[[data]]\nname = \"spots\"\npath = {:?}\nmix_normals = 0.5\n\
         [[leave_out]]\ndata = \"spots\"\nfold = 1\n\
         [network]\ninput_size = 64\nhidden = 16\nattention = 8\npaint_marks = false\n\
         [optimizer]\nepochs = {epochs}\nbatch_images = 8\nlearning_rate = 1e-3\n\
         [augment]\nspeckle = 0.0\ncut_out = 0.0\n",
        data
    );
    let file = data.join("run.toml");
    fs::write(&file, text).unwrap();
    RunConfig::read(&file).unwrap()
}

pub(crate) struct CutAfter(pub(crate) usize);

impl Observer for CutAfter {
    fn start(&mut self, _done: usize, _total: usize) {}
    fn step(&mut self, _epoch: usize, _loss: f64) {}
    fn epoch(&mut self, record: &EpochRecord) {
        assert!(record.epoch < self.0, "cut off on purpose");
    }
}

#[test]
fn a_run_that_was_cut_off_ends_as_if_it_were_not() {
    let folder = tempfile::tempdir().unwrap();
    write_images(folder.path(), 24);
    let config = config(folder.path(), 3);
    let whole = train(
        &config,
        &folder.path().join("whole"),
        &Host::default(),
        &mut Silent,
    )
    .unwrap();
    let cut = folder.path().join("cut");
    let run = || train(&config, &cut, &Host::default(), &mut CutAfter(2)).map(|_| ());
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    assert!(!cut.join("predictions.csv").exists());
    let resumed = train(&config, &cut, &Host::default(), &mut Silent).unwrap();
    assert_eq!(resumed.epochs.len(), 3);
    for (a, b) in whole.predictions.iter().zip(&resumed.predictions) {
        assert_eq!(a.case.name, b.case.name);
        assert_eq!(a.bag_scores, b.bag_scores);
    }
    let left_out: Vec<&str> = whole
        .predictions
        .iter()
        .map(|p| p.case.group.as_str())
        .collect();
    assert!(!left_out.is_empty());
    assert!(
        whole
            .predictions
            .iter()
            .any(|p| p.case.label == Label::Malignant)
    );
}

#[test]
fn a_folder_of_another_configuration_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_images(folder.path(), 12);
    let run = folder.path().join("run");
    train(
        &config(folder.path(), 1),
        &run,
        &Host::default(),
        &mut Silent,
    )
    .unwrap();
    let error = train(
        &config(folder.path(), 2),
        &run,
        &Host::default(),
        &mut Silent,
    )
    .err()
    .unwrap()
    .to_string();
    assert!(error.contains("another run"), "{error}");
}

#[test]
fn impossible_configurations_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (text, part) in [
        ("seed = 1\ndata = []", "at least one"),
        (
            "seed = 1\n[[data]]\nname = \"a\"\npath = \"a\"\n[network]\ninput_size = 100",
            "multiple of 32",
        ),
        (
            "seed = 1\n[[data]]\nname = \"a\"\npath = \"a\"\n[[leave_out]]\ndata = \"b\"",
            "`b`",
        ),
        ("seed = 1\nodd = 2\ndata = []", "odd"),
    ] {
        let file = folder.path().join("run.toml");
        fs::write(&file, text).unwrap();
        let error = RunConfig::read(&file).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
