//! Grading where a package finds the tumor: `tumor = "model"`.

use std::fs;
use std::path::{Path, PathBuf};

use lobule_package::TilePrediction;
use lobule_phantom::slide::{Cohort, CohortPlan, SlideLooks, write_cohort_plans};
use lobule_train::slide::{SlideOutcome, SlideRunConfig, train_slides};
use lobule_train::{Host, Silent};

use super::runs::{open_any, shipped_encoder};

fn shipped(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../models")
        .join(model)
}

/// A copy of a shipped model in whose manifest one line is another.
fn changed(model: &str, line: &str, other: &str, into: &Path) -> PathBuf {
    fs::create_dir_all(into).unwrap();
    for entry in fs::read_dir(shipped(model)).unwrap().flatten() {
        if entry.path().is_file() {
            fs::copy(entry.path(), into.join(entry.file_name())).unwrap();
        }
    }
    let file = into.join("manifest.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(line));
    fs::write(file, text.replace(line, other)).unwrap();
    into.to_owned()
}

/// Six small slides of grades 1 and 3 without annotations, two of them left out.
fn write_slides(folder: &Path) {
    let plan = CohortPlan {
        n_patients: 6,
        grade_shares: [0.5, 0.0, 0.5],
        ..CohortPlan::default()
    };
    let looks = SlideLooks {
        rows: 1344,
        cols: 1344,
        artefacts: 0.0,
        ..SlideLooks::default()
    };
    write_cohort_plans(folder, &Cohort::new(&plan, 5), &looks).unwrap();
    for entry in fs::read_dir(folder.join("slides")).unwrap().flatten() {
        if entry.path().extension().is_some_and(|e| e == "geojson") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
}

fn config(folder: &Path, tiles: &str) -> SlideRunConfig {
    let slides = folder.join("set");
    let text = format!(
        "seed = 2\ntask = \"grade\"\ncache = {:?}\n\
         [[data]]\nname = \"synthetic\"\npath = {slides:?}\nlayout = \"clinical\"\n\
         [[leave_out]]\ndata = \"synthetic\"\nfold = 1\n\
         [[leave_out]]\ndata = \"synthetic\"\nfold = 2\n\
         [tiles]\n{tiles}\n[network]\nencoder = {:?}\nhidden = 4\n\
         [optimizer]\nepochs = 1\n[score]\nleast_tiles = 1\n",
        folder.join("features"),
        shipped_encoder(),
    );
    let file = folder.join("run.toml");
    fs::write(&file, text).unwrap();
    SlideRunConfig::read(&file).unwrap()
}

fn train(folder: &Path, config: &SlideRunConfig) -> Result<SlideOutcome, lobule_train::Error> {
    let run = tempfile::tempdir_in(folder).unwrap();
    train_slides(config, run.path(), &Host::default(), &open_any, &mut Silent)
}

fn by_model(package: &Path, most: usize) -> String {
    format!("tumor = \"model\"\ntumor_model = {package:?}\nmost_per_slide = {most}")
}

fn places(tiles: &[TilePrediction]) -> Vec<(&str, usize, usize)> {
    let places = tiles.iter().map(|t| (t.slide.as_str(), t.row, t.col));
    places.collect()
}

#[test]
fn a_package_chooses_the_tiles_that_are_graded() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    write_slides(&folder.join("set"));
    let tumor = |threshold: &str, name: &str| {
        let (line, other) = ("threshold = 0.5", format!("threshold = {threshold}"));
        changed("slide-tumor", line, &other, &folder.join(name))
    };
    let all = train(folder, &config(folder, "tumor = \"all\"")).unwrap();
    let any = tumor("0.0", "any");
    let found = train(folder, &config(folder, &by_model(&any, 0))).unwrap();
    // At a threshold of 0 every tile is tumor, and nothing else has changed.
    assert_eq!(places(&found.tiles), places(&all.tiles));
    assert_eq!(found.slides, all.slides);
    assert!(all.tiles.iter().all(|tile| tile.share.is_none()));

    // What stands for a tile's share is the package's score of it.
    let mut shares: Vec<f64> = found.tiles.iter().filter_map(|tile| tile.share).collect();
    assert_eq!(shares.len(), found.tiles.len());
    shares.sort_by(f64::total_cmp);
    let middle = shares.len() / 2;
    let threshold = (shares[middle - 1] + shares[middle]) / 2.0;
    assert!(shares[middle - 1] < threshold && threshold < shares[middle]);
    let half = tumor(&format!("{threshold:.6}"), "half");
    let half_found = train(folder, &config(folder, &by_model(&half, 0))).unwrap();
    let expected = found.tiles.iter().filter(|t| t.share >= Some(threshold));
    let expected: Vec<TilePrediction> = expected.cloned().collect();
    assert_eq!(places(&half_found.tiles), places(&expected));

    let few = train(folder, &config(folder, &by_model(&any, 2))).unwrap();
    assert!(few.slides.iter().all(|slide| slide.n_tiles == 2));
}

#[test]
fn a_package_that_cannot_choose_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    write_slides(&folder.join("set"));
    let plain = changed(
        "slide-tumor",
        "stain = \"macenko\"",
        "stain = \"none\"",
        &folder.join("plain"),
    );
    let refusal = |config: &SlideRunConfig| train(folder, config).err().unwrap().to_string();
    for (package, reason) in [
        (shipped("slide-grade"), "a package that finds tumor"),
        (plain, "of the same preparation"),
        (folder.join("nowhere"), "nowhere"),
    ] {
        let said = refusal(&config(folder, &by_model(&package, 0)));
        assert!(said.contains(reason), "{said}");
    }
    let mut other = config(folder, &by_model(&shipped("slide-tumor"), 0));
    other.network.encoder = None;
    let said = refusal(&other);
    assert!(said.contains("the encoder of this run"), "{said}");
    // Nothing that the package calls tumor: every slide is skipped, and that is said.
    let none = changed(
        "slide-tumor",
        "threshold = 0.5",
        "threshold = 1.0",
        &folder.join("none"),
    );
    let said = refusal(&config(folder, &by_model(&none, 0)));
    assert!(said.contains("6 slides were skipped"), "{said}");
}
