//! What a run left out, predicted anew with the networks that it exported.

use std::fs;
use std::path::{Path, PathBuf};

use lobule_package::{Package, SlideRule, TilePrediction, TumorRule, read_rows};
use lobule_train::Silent;
use lobule_train::slide::{SlideRunConfig, predict_slides_again};

use super::runs::{open_any, run, tumor_config};

fn tumor_rule() -> SlideRule {
    SlideRule::Tumor(TumorRule {
        threshold: 0.5,
        chosen_by: String::new(),
    })
}

fn again(config: &SlideRunConfig, member: &Path) -> Vec<TilePrediction> {
    let cache = tempfile::tempdir().unwrap();
    let (members, rule) = ([member.to_owned()], tumor_rule());
    let networks = (members.as_slice(), &rule);
    let made = predict_slides_again(config, networks, cache.path(), &open_any, &mut Silent);
    let made = made.unwrap();
    assert!(made.skipped.is_empty() && made.slides.is_empty());
    made.tiles
}

/// The largest difference of the scores of the same tiles.
fn difference(stated: &[TilePrediction], got: &[TilePrediction]) -> f64 {
    assert_eq!(stated.len(), got.len());
    let pairs = stated.iter().zip(got);
    let of_pair = |(a, b): (&TilePrediction, &TilePrediction)| {
        let place = |t: &TilePrediction| (t.set.clone(), t.slide.clone(), t.row, t.col, t.share);
        assert_eq!(place(a), place(b));
        (a.score - b.score).abs()
    };
    pairs.map(of_pair).fold(0.0, f64::max)
}

#[test]
fn a_run_is_repeated_by_its_exported_network_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = tumor_config(folder.path());
    let out = folder.path().join("run");
    let outcome = run(&config, &out);
    // The configuration is found by what it leaves out; slides that were learnt from are not read.
    let found = SlideRunConfig::that_left_out("synthetic fold 2", folder.path()).unwrap();
    assert_eq!(found, config);
    fs::write(folder.path().join("synthetic-0.plan.json"), "{").unwrap();
    let made = again(&found, &out.join("member-1.onnx"));
    let by = difference(&outcome.tiles, &made);
    println!(
        "synthetic tumor, predicted anew: {} tiles differ by {by:.1e}",
        made.len()
    );
    assert!(by < 1e-3, "{by}");
    let other = again(&found, &super::runs::shipped_encoder());
    assert!(
        difference(&outcome.tiles, &other) > 0.1,
        "another network says the same"
    );

    let error = SlideRunConfig::that_left_out("synthetic fold 1", folder.path());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("synthetic fold 1, got none"), "{error}");
    let (without, absent) = found.with_data_below(Path::new("/nowhere"));
    assert!(
        without.data.len() == 1 && absent.is_empty(),
        "an absolute path stays"
    );
}

/// Must hold on any machine with the data.
#[test]
fn the_shipped_tumor_model_repeats_its_scores() {
    let data = std::env::var_os("LOBULE_DATA").map(PathBuf::from);
    let Some(data) = data.filter(|data| data.join("brecahad30").is_dir()) else {
        println!("skipped: LOBULE_DATA is not set, or brecahad30 is not there");
        return;
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/slide-tumor");
    let package = Package::open(&folder).unwrap();
    let table = folder.join("predictions.csv");
    let mut stated: Vec<TilePrediction> = read_rows(&fs::read(&table).unwrap(), &table).unwrap();
    let (member, path) = (&package.manifest().members[3], &package.member_paths()[3]);
    stated.retain(|row| member.leaves_out(&row.set, &row.fold));
    let config = SlideRunConfig::that_left_out(&member.left_out, &folder.join("train")).unwrap();
    let (config, _) = config.with_data_below(&data);
    let by = difference(&stated, &again(&config, path));
    println!(
        "{}: {} left-out tiles differ by {by:.1e}",
        member.file,
        stated.len()
    );
    assert!(by < 1e-3, "{by}");
}
