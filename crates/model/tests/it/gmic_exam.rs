//! Real mammograms from files to results with a package made of a checkpoint of made-up weights.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lobule_assess::{Assessor, Judgement, Networks, Options, assess, collect};
use lobule_engine::{EngineKind, EngineState, engines};
use lobule_exam::{Assessment, ImageSide, View};
use lobule_model::{GmicConfig, WeightPrecision, gmic_graphs_from_pytorch};
use lobule_package::{GraphFile, LOCAL_GRAPH, MANIFEST_FILE, Manifest, Package, sha256_of_file};

use crate::checkpoint::{Container, write_checkpoint};
use crate::gmic::{AGREE, Described, made_up, manifest};

const SIZE: (usize, usize) = (2944, 1920);

/// A package in a folder, as `lobule model import gmic` writes it.
fn package(folder: &Path, tensors: &[Described]) -> Package {
    let checkpoint = folder.join("model.p");
    write_checkpoint(&checkpoint, &made_up(tensors), Container::Legacy);
    let config = GmicConfig::default();
    let single = WeightPrecision::Single;
    let graphs = gmic_graphs_from_pytorch(&checkpoint, config, SIZE, single).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.join(name), bytes).unwrap();
        (name.to_owned(), sha256_of_file(&folder.join(name)).unwrap())
    };
    let mut manifest: Manifest = manifest(config, SIZE);
    let member = &mut manifest.members[0];
    (member.file, member.sha256) = write("global.onnx", &graphs.global);
    let (file, sha256) = write("local.onnx", &graphs.local);
    let local = GraphFile { file, sha256 };
    member.graphs = BTreeMap::from([(LOCAL_GRAPH.to_owned(), local)]);
    let text = manifest.to_toml(&folder.join(MANIFEST_FILE)).unwrap();
    std::fs::write(folder.join(MANIFEST_FILE), text).unwrap();
    Package::open(folder).unwrap()
}

fn exam(folder: &Path, images: &Path) -> PathBuf {
    let mut text = "exam,breast,file,view\n".to_owned();
    for (side, view) in [("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO")] {
        let file = images.join(format!("gmic0_{side}-{view}.png"));
        text += &format!("gmic0,{side},{},{view}\n", file.display());
    }
    let path = folder.join("exam.csv");
    std::fs::write(&path, text).unwrap();
    path
}

fn assessed(package: &Package, kind: EngineKind, exam: &Path) -> Assessment {
    let networks = Networks::open(package, Some(kind), 2).unwrap();
    let judgement = Judgement::new(package.manifest(), None, None).unwrap();
    let options = Options::default();
    let mut assessor = Assessor::new(package.manifest(), networks, judgement, options);
    let inputs = collect(&[exam.to_owned()]).unwrap();
    let mut found = Vec::new();
    assess(&inputs, &mut assessor, |exam| {
        assert!(exam.skipped.is_empty(), "{:?}", exam.skipped);
        found.push(exam.assessment);
        Ok(())
    })
    .unwrap();
    found.pop().unwrap()
}

#[test]
fn four_real_views_become_two_breasts_on_every_engine() {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let (Some(data), Some(reference)) = (variable("LOBULE_DATA"), variable("LOBULE_REFERENCE"))
    else {
        println!("skipped: real mammograms (LOBULE_DATA or LOBULE_REFERENCE is not set)");
        return;
    };
    let tensors = std::fs::read_to_string(reference.join("gmic/tensors.json")).unwrap();
    let tensors: Vec<Described> = serde_json::from_str(&tensors).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let package = package(folder.path(), &tensors);
    let exam = exam(folder.path(), &data.join("nyu_samples/images"));
    let mut all: Vec<Assessment> = Vec::new();
    for engine in engines().into_iter().filter(|e| !e.kind.rounds()) {
        match engine.state {
            EngineState::Available { .. } => all.push(assessed(&package, engine.kind, &exam)),
            EngineState::Unavailable { reason } => println!("skipped: {} ({reason})", engine.kind),
        }
    }
    let [left, right] = &all[0].breasts[..] else {
        panic!("expected two breasts")
    };
    assert!(all[0].warnings.is_empty(), "{:?}", all[0].warnings);
    for (breast, chest) in [(left, ImageSide::Left), (right, ImageSide::Right)] {
        assert!(breast.missing_views.is_empty());
        let facts = breast.images.iter().map(|i| i.mammogram.as_ref().unwrap());
        let views: Vec<_> = facts.clone().map(|f| f.view).collect();
        assert_eq!(views, [Some(View::Cc), Some(View::Mlo)]);
        for (facts, image) in facts.zip(&breast.images) {
            assert_eq!(facts.orientation.chest(), chest, "{}", image.file);
            assert_eq!((image.saliency.rows, image.saliency.cols), (46, 30));
            assert_eq!(facts.windows.len(), 6);
            let attention: f64 = facts.windows.iter().map(|w| w.attention).sum();
            assert!((attention - 1.0).abs() < 1e-4);
        }
        let scores = breast.images.iter().map(|i| i.scores.malignant);
        assert!((scores.sum::<f64>() / 2.0 - breast.scores.malignant).abs() < 1e-9);
    }
    for other in &all[1..] {
        for (a, b) in all[0].breasts.iter().zip(&other.breasts) {
            let gap = (a.scores.malignant - b.scores.malignant).abs();
            println!("engines differ by {gap:.1e}");
            assert!(gap < f64::from(AGREE), "{gap}");
        }
    }
}
