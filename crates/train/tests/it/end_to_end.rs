//! From synthetic images to a report-ready assessment: train, export, pack, open, assess.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use lobule_assess::{Assessor, Ensemble, Judgement, Options, assess, collect};
use lobule_engine::bench::fixed_images;
use lobule_engine::{EngineKind, EngineState, engines, open};
use lobule_exam::{FindingClass, ImageAssessment};
use lobule_model::{
    BackboneKind, SaliencyConfig, SaliencyNet, WeightPrecision, export_saliency, load_parameters,
    read_initializers,
};
use lobule_package::{FindingThresholds, Package, Status};
use lobule_phantom::{TrainingCase, write_training_set};
use lobule_raster::{Limits, read_picture};
use lobule_train::{Host, PackageDescription, RunConfig, Runs, Silent, assemble, train};

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/ultrasound")
}

/// Goes on from the shipped network for some seconds.
fn config(data: &Path) -> RunConfig {
    let start = shipped().join("member-1.onnx");
    let text = format!(
        "seed = 3\n[[data]]\nname = \"phantoms\"\npath = {data:?}\nbag_by_group = true\n\
         [[leave_out]]\ndata = \"phantoms\"\nfold = 1\n\
         [network]\ninput_size = 128\nstart = {start:?}\n\
         [optimizer]\nepochs = 4\nbatch_images = 8\nlearning_rate = 5e-4\nmean_decay = 0.8\n"
    );
    let file = data.join("run.toml");
    std::fs::write(&file, text).unwrap();
    RunConfig::read(&file).unwrap()
}

pub(crate) fn description(folder: &Path) -> PackageDescription {
    let card = folder.join("card.md");
    std::fs::write(&card, "# phantoms: synthetic\n").unwrap();
    PackageDescription {
        name: "phantoms".into(),
        version: "0.0.0".into(),
        status: Status::Demonstration,
        research_use: "Synthetic.".into(),
        views_trained: Vec::new(),
        media_trained: Vec::new(),
        finding_thresholds: FindingThresholds {
            benign: 0.5,
            malignant: 0.5,
            chosen_by: "the test".into(),
        },
        card,
        licence: None,
        training_data: Vec::new(),
    }
}

/// A finding of the class whose outlined box holds the middle of the planted lesion.
fn found(image: &ImageAssessment, mask: &Path, class: FindingClass) -> bool {
    let mask = read_picture(mask, &Limits::default()).unwrap();
    let mask = mask.luma();
    let inside: Vec<(usize, usize)> = (0..mask.rows())
        .flat_map(|r| (0..mask.cols()).map(move |c| (r, c)))
        .filter(|&(r, c)| mask.at(r, c) > 127)
        .collect();
    let middle = |of: fn(&(usize, usize)) -> usize| {
        inside.iter().map(of).sum::<usize>() / inside.len().max(1)
    };
    let (row, col) = (middle(|p| p.0), middle(|p| p.1));
    image.findings.iter().any(|finding| {
        let b = finding.bounds;
        finding.class == class
            && (b.row..b.row + b.rows).contains(&row)
            && (b.col..b.col + b.cols).contains(&col)
    })
}

#[test]
fn a_network_trained_for_seconds_finds_the_planted_lesion() {
    let folder = tempfile::tempdir().unwrap();
    let [data, run, package, fresh] =
        ["data", "run", "package", "fresh"].map(|name| folder.path().join(name));
    write_training_set(&data, 30, 11).unwrap();
    train(&config(&data), &run, &Host::default(), &mut Silent).unwrap();
    let runs = Runs {
        members: vec![run.clone()],
        ..Runs::default()
    };
    assemble(&runs, &description(folder.path()), &package).unwrap();
    for file in ["curves.svg", "epochs.csv", "predictions.csv", "run.csv"] {
        assert!(run.join(file).is_file(), "{file}");
    }

    let package = Package::open(&package).unwrap();
    package.verify_files().unwrap();
    let ensemble = Ensemble::open(&package, Some(EngineKind::Rten), 2).unwrap();
    let judgement = Judgement::new(package.manifest(), None, None).unwrap();
    let mut assessor = Assessor::new(package.manifest(), ensemble, judgement, Options::default());
    let cases = write_training_set(&fresh, 12, 99).unwrap();
    let inputs = collect(&[fresh.join("manifest.csv")]).unwrap();
    let (mut seen, mut lesions, mut hits) = (0, 0, 0);
    assess(&inputs, &mut assessor, |exam| {
        for image in exam.assessment.breasts.iter().flat_map(|b| &b.images) {
            let named = |case: &&TrainingCase| {
                Path::new(&image.file).ends_with(case.file.file_name().unwrap())
            };
            let case = cases.iter().find(named).unwrap();
            seen += 1;
            if case.label == "malignant" {
                lesions += 1;
                let mask = fresh.join(case.mask.as_ref().unwrap());
                hits += usize::from(found(image, &mask, FindingClass::Malignant));
            }
        }
        Ok(())
    })
    .unwrap();
    println!("{hits} of {lesions} malignant-like lesions outlined, {seen} images");
    assert_eq!(seen, cases.len());
    assert!(
        lesions >= 8 && 4 * hits >= 3 * lesions,
        "{hits} of {lesions}"
    );
}

/// Invariant 8: burn, rten and ONNX Runtime give one answer.
#[test]
fn burn_and_the_engines_agree_on_the_shipped_model() {
    let package = Package::open(shipped()).unwrap();
    let (rows, cols) = package.manifest().prepare.size();
    let device = Device::flex();
    for path in package.member_paths() {
        let net = SaliencyNet::random(SaliencyConfig::default(), 1, &device);
        let weights = read_initializers(&std::fs::read(&path).unwrap()).unwrap();
        let net = load_parameters(net, weights).unwrap();
        assert_agree(&net, &path, [2, 1, rows, cols]);
    }
}

#[test]
fn burn_and_the_engines_agree_on_resnet_18() {
    let config = SaliencyConfig {
        backbone: BackboneKind::Resnet18,
        ..SaliencyConfig::default()
    };
    let net = SaliencyNet::random(config, 1, &Device::flex());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("resnet.onnx");
    let model = export_saliency(&net, (64, 96), WeightPrecision::Single).unwrap();
    std::fs::write(&path, model).unwrap();
    assert_agree(&net, &path, [2, 1, 64, 96]);
}

fn assert_agree(net: &SaliencyNet, path: &Path, shape: [usize; 4]) {
    let images = fixed_images(shape.iter().product());
    let expected = burn_outputs(net, &images, shape);
    for engine in engines().into_iter().filter(|e| !e.kind.rounds()) {
        if let EngineState::Unavailable { reason } = engine.state {
            println!("skipped: {} ({reason})", engine.kind);
            continue;
        }
        let options = lobule_engine::Options { threads: 2 };
        let mut session = open(Some(engine.kind), path, &options).unwrap();
        let mut outputs = session.run_images(&images, shape).unwrap();
        let names = [
            ("saliency", vec![None; 4]),
            ("image_scores", vec![None; 2]),
            ("attention_logits", vec![None; 2]),
        ];
        let got: Vec<f32> = names
            .iter()
            .flat_map(|(name, shape)| outputs.take(name, shape).unwrap().data)
            .collect();
        assert_eq!(got.len(), expected.len());
        let gaps = got.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let gap = gaps.fold(0.0, f32::max);
        println!(
            "{}: burn and {} differ by {gap:.1e}",
            path.display(),
            engine.kind
        );
        assert!(gap < 1e-4, "{}: {gap}", engine.kind);
    }
}

fn burn_outputs(net: &SaliencyNet, images: &[f32], shape: [usize; 4]) -> Vec<f32> {
    let data = TensorData::new(images.to_vec(), shape);
    let outputs = net.forward(Tensor::from_data(data, &Device::flex()));
    [
        outputs.saliency.into_data(),
        outputs.image_scores.into_data(),
        outputs.attention_logits.into_data(),
    ]
    .into_iter()
    .flat_map(|data| data.convert::<f32>().try_into_vec::<f32>().unwrap())
    .collect()
}
