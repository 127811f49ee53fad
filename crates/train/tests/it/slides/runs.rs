//! Runs on synthetic slides: they learn, resume exactly, export what both engines run, and pack.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use lobule_engine::{EngineState, engines, open};
use lobule_exam::PixelBox;
use lobule_model::{TileNet, read_initializers};
use lobule_package::{Package, SlideRule, TilePrediction, read_rows};
use lobule_phantom::slide::{
    Cohort, CohortPlan, DrawnSlide, SlideLooks, SlidePlan, SyntheticSlide, write_cohort_plans,
    write_plan,
};
use lobule_raster::{TileConfig, tile_input};
use lobule_slide::{SlideLimits, TileSource, open_slide};
use lobule_stats::roc::Roc;
use lobule_train::slide::{
    SlideObserver, SlideOutcome, SlidePackageDescription, SlideRunConfig, assemble_slides,
    train_slides,
};
use lobule_train::{EpochRecord, Host, Observer, Runs, Silent};

use crate::CutAfter;

type Opened = Result<Box<dyn TileSource>, Box<dyn std::error::Error + Send + Sync>>;

pub(crate) fn open_any(file: &Path) -> Opened {
    match file.to_string_lossy().ends_with(".plan.json") {
        true => Ok(Box::new(DrawnSlide::open(file)?)),
        false => Ok(open_slide(file, &SlideLimits::default())?),
    }
}

/// The encoder of the shipped model.
pub(crate) fn shipped_encoder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/slide-tumor/member-1.onnx")
}

pub(super) fn run(config: &SlideRunConfig, folder: &Path) -> SlideOutcome {
    train_slides(config, folder, &Host::default(), &open_any, &mut Silent).unwrap()
}

fn configured(folder: &Path, text: &str) -> SlideRunConfig {
    let encoder = shipped_encoder();
    let text = text.replace("[network]", &format!("[network]\nencoder = {encoder:?}"));
    let file = folder.join("run.toml");
    fs::write(&file, text).unwrap();
    SlideRunConfig::read(&file).unwrap()
}

/// Three small synthetic slides with their planted nests.
pub(super) fn tumor_config(folder: &Path) -> SlideRunConfig {
    for (i, grade) in [1.0, 2.0, 3.0].into_iter().enumerate() {
        let plan = SlidePlan {
            rows: 1792,
            cols: 1792,
            grade,
            ..SlidePlan::default()
        };
        let slide = SyntheticSlide::new(plan, 40 + i as u64);
        write_plan(folder, &format!("synthetic-{i}"), &slide).unwrap();
    }
    configured(
        folder,
        &format!(
            "seed = 2\ntask = \"tumor\"\n[[data]]\nname = \"synthetic\"\npath = {folder:?}\n\
             layout = \"qupath\"\nunannotated = \"other\"\n\
             [[leave_out]]\ndata = \"synthetic\"\nfold = 2\n\
             [tiles]\nlook = \"annotated\"\nmost_per_slide = 30\nleast_tumor = 0.5\nviews = 2\n\
             [network]\nhidden = 16\n[optimizer]\nepochs = 20\nbatch_tiles = 16\n"
        ),
    )
}

impl SlideObserver for CutAfter {
    fn slide(&mut self, _done: usize, _total: usize, _name: &str) {}
}

fn area(outcome: &SlideOutcome) -> f64 {
    let known = outcome
        .tiles
        .iter()
        .filter_map(|t| Some((t.share? > 0.5, t.score)));
    let (truth, scores): (Vec<bool>, Vec<f64>) = known.unzip();
    Roc::new(&scores, &truth).unwrap().auc()
}

#[test]
fn tumor_is_learnt_and_a_run_that_was_cut_off_ends_as_if_it_were_not() {
    let folder = tempfile::tempdir().unwrap();
    let config = tumor_config(folder.path());
    let [whole, cut] = ["whole", "cut"].map(|name| folder.path().join(name));
    let outcome = run(&config, &whole);
    let area = area(&outcome);
    println!(
        "synthetic tumor, one slide left out: AUROC {area:.3}, {} tiles",
        outcome.tiles.len()
    );
    assert!(area > 0.85, "{area}");
    assert!(outcome.skipped.is_empty() && outcome.cutoff.is_none());

    let mut observer = CutAfter(7);
    let host = Host::default();
    let broken = AssertUnwindSafe(|| train_slides(&config, &cut, &host, &open_any, &mut observer));
    assert!(catch_unwind(broken).is_err());
    assert!(!cut.join("member-1.onnx").exists());
    assert_eq!(run(&config, &cut).tiles, outcome.tiles);
    for file in ["member-1.onnx", "tiles.csv"] {
        assert_eq!(
            fs::read(cut.join(file)).unwrap(),
            fs::read(whole.join(file)).unwrap(),
            "{file}"
        );
    }
    for file in [
        "run.csv",
        "skipped.csv",
        "config.toml",
        "member-1/epochs.csv",
        "member-1/curves.svg",
    ] {
        assert!(cut.join(file).is_file(), "{file}");
    }

    let other = SlideRunConfig { seed: 3, ..config };
    let refused = train_slides(&other, &cut, &host, &open_any, &mut Silent);
    assert!(refused.err().unwrap().to_string().contains("another run's"));
}

/// Counts the slides that are opened.
struct Counting;

impl Observer for Counting {
    fn start(&mut self, _done: usize, _total: usize) {}
    fn step(&mut self, _epoch: usize, _loss: f64) {}
    fn epoch(&mut self, _record: &EpochRecord) {}
}

impl SlideObserver for Counting {
    fn slide(&mut self, _done: usize, _total: usize, _name: &str) {}
}

#[test]
fn features_come_from_the_cache_and_damaged_slides_are_skipped_with_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = tumor_config(folder.path());
    config.cache = Some(folder.path().join("features"));
    let first = run(&config, &folder.path().join("first"));
    let never = |_: &Path| -> Opened { Err("expected no slide to be opened".into()) };
    let again = folder.path().join("again");
    let host = Host::default();
    let second = train_slides(&config, &again, &host, &never, &mut Counting).unwrap();
    assert_eq!(first.tiles, second.tiles);

    // Another slide under the same name is another slide; a broken one does not stop the rest.
    fs::write(folder.path().join("synthetic-0.plan.json"), "{").unwrap();
    let third = folder.path().join("third");
    let third = train_slides(&config, &third, &host, &open_any, &mut Counting).unwrap();
    assert_eq!(third.skipped.len(), 1);
    let reason = &third.skipped[0].reason;
    assert!(
        reason.contains("synthetic-0.plan.json") && reason.contains("plan"),
        "{reason}"
    );
    assert_ne!(first.tiles, third.tiles);

    // A cut cache file is made again.
    for entry in fs::read_dir(folder.path().join("features")).unwrap() {
        let file = entry.unwrap().path();
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    }
    fs::remove_file(folder.path().join("synthetic-0.plan.json")).unwrap();
    fs::remove_file(folder.path().join("synthetic-0.truth.geojson")).unwrap();
    let fourth = run(&config, &folder.path().join("fourth"));
    assert!(!fourth.tiles.is_empty());
}

fn grade_config(folder: &Path, more: &str) -> SlideRunConfig {
    let plan = CohortPlan {
        n_patients: 18,
        grade_shares: [0.4, 0.2, 0.4],
        ..CohortPlan::default()
    };
    let looks = SlideLooks {
        rows: 2048,
        cols: 2048,
        ..SlideLooks::default()
    };
    write_cohort_plans(folder, &Cohort::new(&plan, 5), &looks).unwrap();
    configured(
        folder,
        &format!(
            "seed = 2\ntask = \"grade\"\n[[data]]\nname = \"synthetic\"\npath = {folder:?}\n\
             layout = \"clinical\"\n[tiles]\nlook = \"annotated\"\nmost_per_slide = 3\nleast_tumor = 0.3\n\
             [optimizer]\nepochs = 10\nbatch_tiles = 16\n[score]\nleast_tiles = 2\n{more}"
        ),
    )
}

#[test]
fn a_bagged_ensemble_of_grades_becomes_a_package_whose_figures_hold() {
    let folder = tempfile::tempdir().unwrap();
    let config = grade_config(folder.path(), "[network]\nhidden = 8\nmembers = 3\n");
    let [first, second, package] = ["a", "b", "package"].map(|name| folder.path().join(name));
    let outcome = run(&config, &first);
    let cutoff = outcome.cutoff.clone().unwrap();
    assert!(cutoff.score > 0.0 && cutoff.score < 1.0 && cutoff.chosen_by.contains("did not learn"));
    assert!(
        outcome.slides.iter().all(|slide| slide.grade == Some(2)),
        "only grade 2 is predicted"
    );
    let table = fs::read_to_string(first.join("slides.csv")).unwrap();
    let header = table.lines().next().unwrap();
    assert!(
        header.starts_with("set,slide,patient,fold,grade,n_tiles,score,risk"),
        "{header}"
    );
    assert!(
        header.contains("years") && header.contains("event"),
        "follow-up goes along"
    );
    assert_eq!(
        run(&config, &second).slides,
        outcome.slides,
        "the same seed, the same result"
    );

    let card = folder.path().join("card.md");
    fs::write(&card, "# SYNTHETIC\n").unwrap();
    let text = "name = \"synthetic\"\nversion = \"0\"\nstatus = \"demonstration\"\n\
                research_use = \"Synthetic.\"\ncard = \"card.md\"\ntraining_data = []\n";
    let file = folder.path().join("package.toml");
    fs::write(&file, text).unwrap();
    let description = SlidePackageDescription::read(&file).unwrap();
    let runs = Runs {
        members: vec![first.clone()],
        ..Runs::default()
    };
    assemble_slides(&runs, &description, &package).unwrap();
    let opened = Package::open(&package).unwrap();
    opened.verify_files().unwrap();
    assert_eq!(opened.manifest().members.len(), 3);
    let Some(SlideRule::Grade(rule)) = &opened.manifest().slide else {
        panic!("a rule for grades");
    };
    assert_eq!(rule.risks[0].cutoffs, [cutoff.score]);
    let stated = opened.metrics().unwrap();
    let stated = lobule_package::stated_figures(&stated, &package).unwrap();
    assert_eq!(stated, opened.figures().unwrap());
    assert!(stated.iter().any(|f| f.what.contains("grade 2")));

    let several = Runs {
        members: vec![first, second],
        ..Runs::default()
    };
    let error = assemble_slides(&several, &description, &package).unwrap_err();
    assert!(error.to_string().contains("one grade run"), "{error}");
}

#[test]
fn attention_learns_the_grade_of_slides_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let config = grade_config(folder.path(), "[network]\nhidden = 8\nattention = 4\n");
    let out = folder.path().join("run");
    let outcome = run(&config, &out);
    assert!(!outcome.slides.is_empty());
    let weights = read_initializers(&fs::read(out.join("member-1.onnx")).unwrap()).unwrap();
    assert_eq!(weights["head.attention_v"].shape, [8, 4]);
    assert_agree(&out.join("member-1.onnx"), true);
}

/// Invariant 8: burn, rten and ONNX Runtime give one answer.
#[test]
fn burn_and_the_engines_agree_on_the_shipped_slide_models() {
    for model in ["slide-tumor", "slide-grade"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../models")
            .join(model);
        let package = Package::open(&folder).unwrap();
        for path in package.member_paths() {
            assert_agree(&path, false);
        }
    }
}

/// Prepared tiles of a synthetic slide, of tumor and of what is around it: few scores are near 0 or 1.
fn drawn_tiles() -> Vec<f32> {
    let slide = SyntheticSlide::new(SlidePlan::default(), 9);
    let config = TileConfig {
        side: 224,
        mean: [127.0; 3],
        std: [128.0; 3],
        ..TileConfig::default()
    };
    let tile = |i: usize| {
        let window = PixelBox {
            row: 1500 + 130 * i,
            col: 1900,
            rows: 224,
            cols: 224,
        };
        tile_input(&slide.draw(window), None, &config)
    };
    (0..6).flat_map(tile).collect()
}

fn assert_agree(path: &Path, with_attention: bool) {
    let weights = read_initializers(&fs::read(path).unwrap()).unwrap();
    let net = TileNet::from_parameters(weights, &Device::flex()).unwrap();
    let tiles = drawn_tiles();
    let shape = [tiles.len() / (3 * 224 * 224), 3, 224, 224];
    let data = TensorData::new(tiles.clone(), shape);
    let outputs = net.forward(Tensor::from_data(data, &Device::flex()));
    let values =
        |t: Tensor<2>| -> Vec<f32> { t.into_data().convert::<f32>().try_into_vec().unwrap() };
    let mut expected = values(outputs.probabilities);
    let mut names = vec!["probabilities"];
    if with_attention {
        expected.extend(values(outputs.attention_logits.unwrap()));
        names.push("attention_logits");
    }
    for engine in engines() {
        if let EngineState::Unavailable { reason } = engine.state {
            println!("skipped: {} ({reason})", engine.kind);
            continue;
        }
        let options = lobule_engine::Options { threads: 2 };
        let mut session = open(Some(engine.kind), path, &options).unwrap();
        let mut outputs = session.run_images(&tiles, shape).unwrap();
        let got = names
            .iter()
            .flat_map(|name| outputs.take(name, &[None, None]).unwrap().data);
        let got: Vec<f32> = got.collect();
        assert_eq!(got.len(), expected.len());
        let gap = got
            .iter()
            .zip(&expected)
            .fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
        println!(
            "{}: burn and {} differ by {gap:.1e}",
            path.display(),
            engine.kind
        );
        assert!(gap < 1e-4, "{}: {gap}", engine.kind);
    }
}

/// Must hold on any machine with the data: training again gives the areas of the shipped model's first
/// fold.
#[test]
fn the_first_fold_of_the_shipped_tumor_model_is_reproduced() {
    let (Some(data), Some(imagenet)) = (
        std::env::var_os("LOBULE_DATA"),
        std::env::var_os("LOBULE_IMAGENET"),
    ) else {
        println!("skipped: LOBULE_DATA or LOBULE_IMAGENET is not set");
        return;
    };
    if !Path::new(&data).join("bcss3").is_dir() || !Path::new(&data).join("brecahad30").is_dir() {
        println!("skipped: bcss3 or brecahad30 is not there");
        return;
    }
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/slide-tumor");
    let folder = tempfile::tempdir().unwrap();
    let mut config = SlideRunConfig::read(&model.join("train/fold-1.toml")).unwrap();
    config.cache = Some(folder.path().join("features"));
    config.network.encoder = Some(imagenet.into());
    let outcome = run(&config, &folder.path().join("run"));
    let table = model.join("predictions.csv");
    let shipped: Vec<TilePrediction> = read_rows(&fs::read(&table).unwrap(), &table).unwrap();
    for set in ["bcss3", "brecahad30"] {
        let of = |rows: &[TilePrediction]| {
            let own = rows.iter().filter(|row| row.set == set && row.fold == "1");
            let known = own.filter_map(|row| Some((row.share? > 0.5, row.score)));
            let (truth, scores): (Vec<bool>, Vec<f64>) = known.unzip();
            Roc::new(&scores, &truth).unwrap().auc()
        };
        let (again, stated) = (of(&outcome.tiles), of(&shipped));
        println!("{set}, fold 1: {again:.4} again, {stated:.4} shipped");
        assert!((again - stated).abs() < 0.01, "{set}: {again} and {stated}");
    }
}
