//! Packages on disk: opening, verifying, moving, and what is refused.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod archive;
mod corpus;
mod package;
mod slide;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lobule_package::{
    AttentionMil, Calibration, FORMAT, FindingThresholds, Manifest, Member, Modality,
    OperatingPoint, Prepare, Saliency, Status, TrainingData, Wiring, sha256_of_file,
};
use lobule_raster::PrepareConfig;
use lobule_stats::calibration::Calibrator;

/// A valid manifest whose one member is `members/one.onnx` with the given hash.
fn manifest(sha256: &str) -> Manifest {
    let calibration = Calibration {
        prevalence: 0.3,
        map: Calibrator::Logistic {
            slope: 1.5,
            intercept: -0.25,
        },
    };
    Manifest {
        format: FORMAT,
        name: "tiny".into(),
        version: "0.1.0".into(),
        modality: Modality::Ultrasound,
        status: Status::Demonstration,
        classes: vec!["benign".into(), "malignant".into()],
        research_use: "Research use only.".into(),
        default_operating_point: "balanced".into(),
        views_trained: Vec::new(),
        media_trained: Vec::new(),
        prepare: Prepare::Sonogram(PrepareConfig::default()),
        wiring: Wiring::AttentionMil(AttentionMil::default()),
        members: vec![Member {
            file: "members/one.onnx".into(),
            sha256: sha256.into(),
            left_out: "busi fold 1".into(),
            graphs: BTreeMap::new(),
        }],
        calibration: BTreeMap::from([("malignant".to_string(), calibration)]),
        operating_points: vec![OperatingPoint {
            name: "balanced".into(),
            threshold: 0.4,
            chosen_by: "by hand".into(),
        }],
        saliency: Some(Saliency {
            finding_thresholds: FindingThresholds {
                benign: 0.5,
                malignant: 0.5,
                chosen_by: "the test".into(),
            },
        }),
        slide: None,
        training_data: vec![TrainingData {
            name: "busi".into(),
            licence: "CC0".into(),
            citation: "doi:10.1016/j.dib.2019.104863".into(),
            n_images: 620,
            n_malignant: 200,
            notes: String::new(),
        }],
    }
}

/// Writes a whole package into a folder.
fn write_package(folder: &Path) {
    fs::create_dir_all(folder.join("members")).unwrap();
    let member = folder.join("members/one.onnx");
    fs::write(&member, b"stands for a graph").unwrap();
    let path = folder.join("manifest.toml");
    let text = manifest(&sha256_of_file(&member).unwrap()).to_toml(&path);
    fs::write(&path, text.unwrap()).unwrap();
    fs::write(folder.join("metrics.json"), b"{\"figures\":[]}").unwrap();
    fs::write(folder.join("notes.txt"), b"not part of the package").unwrap();
}
