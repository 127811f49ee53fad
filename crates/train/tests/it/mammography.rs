//! Mammograms: patches, then whole images from the patches' network, then a package.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use lobule_package::{ABOVE_10, Modality, Package};
use lobule_raster::Image;
use lobule_train::{
    Host, PackageDescription, RunConfig, Runs, Silent, assemble, predict_again, refresh, train,
};

use crate::CutAfter;
use crate::end_to_end::description;

fn save(file: &Path, gray: &Image<u8>) {
    let (cols, rows) = (gray.cols() as u32, gray.rows() as u32);
    let kind = image::ExtendedColorType::L8;
    image::save_buffer(file, gray.pixels(), cols, rows, kind).unwrap();
}

/// Half discs of tissue at one side; bright spots in it are malignant, less bright ones benign.
fn write_mammograms(folder: &Path, labels: &[&str], n: usize) {
    fs::create_dir_all(folder).unwrap();
    let mut table = String::from("file,label,patient,mask\n");
    for i in 0..n {
        let (label, left) = (labels[i % labels.len()], i % 2 == 0);
        let center = (70 + (i * 7) % 60, 25 + (i * 13) % 30);
        let from_chest = |c: usize| if left { c } else { 119 - c };
        let inside = |r: usize, c: usize| {
            label != "normal"
                && r.abs_diff(center.0).pow(2) + from_chest(c).abs_diff(center.1).pow(2) < 150
        };
        let gray = Image::from_fn(200, 120, |r, c| {
            let (down, across) = (r.abs_diff(100), from_chest(c));
            let noise = (r * 31 + c * 17 + i * 5 + (r * c) % 7) % 40;
            match (down * down + across * across < 6400, inside(r, c)) {
                (false, _) => 3,
                (true, false) => 90 + noise as u8,
                (true, true) if label == "malignant" => 215 + noise as u8,
                (true, true) => 150 + noise as u8,
            }
        });
        save(&folder.join(format!("{i}.png")), &gray);
        let mask = Image::from_fn(200, 120, |r, c| if inside(r, c) { 255 } else { 0 });
        save(&folder.join(format!("{i}-mask.png")), &mask);
        let mask = if label == "normal" {
            String::new()
        } else {
            format!("{i}-mask.png")
        };
        table += &format!("{i}.png,{label},p{},{mask}\n", i / 2);
    }
    fs::write(folder.join("labels.csv"), table).unwrap();
}

/// Two sets: one with every outcome, one of malignant images.
fn data() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_mammograms(
        &folder.path().join("film"),
        &["malignant", "normal", "benign", "normal"],
        24,
    );
    write_mammograms(&folder.path().join("lesions"), &["malignant"], 8);
    folder
}

const PREPARE: &str = "[network.prepare]\nkind = \"mammogram\"\nrows = 96\ncols = 64\nscale = \"fit\"\n\
                       outside = \"background\"\nstandardization = \"breast\"\n";

fn text(data: &Path, stage: &str, network: &str) -> String {
    let [film, lesions] = ["film", "lesions"].map(|name| data.join(name));
    format!(
        "seed = 5\nstage = \"{stage}\"\n\
         [[data]]\nname = \"film\"\npath = {film:?}\nrepeat_malignant = 2\n\
         [[data]]\nname = \"lesions\"\npath = {lesions:?}\nlabels = \"lesions\"\n\
         [[leave_out]]\ndata = \"film\"\nfold = 1\n[[leave_out]]\ndata = \"lesions\"\nfold = 1\n\
         [network]\nhidden = 16\nattention = 8\n{network}{PREPARE}\
         [patches]\nsize = 32\n\
         [optimizer]\nepochs = 3\nbatch_images = 16\nlearning_rate = 1e-3\n\
         [augment]\nflip = \"vertical\"\ngamma = 1.2\ncut_out = 0.0\n"
    )
}

fn parsed(data: &Path, text: &str) -> Result<RunConfig, lobule_train::Error> {
    let file = data.join("run.toml");
    fs::write(&file, text).unwrap();
    RunConfig::read(&file)
}

fn finished(config: &RunConfig, folder: PathBuf) -> lobule_train::Outcome {
    train(config, &folder, &Host::default(), &mut Silent).unwrap()
}

#[test]
fn both_stages_end_as_if_they_were_not_cut_off_and_make_a_package() {
    let data = data();
    let run = |name: &str| data.path().join(name);
    let patches = parsed(data.path(), &text(data.path(), "patches", "")).unwrap();
    assert_eq!(patches.network.modality(), Modality::Mammography);
    let start = format!("start = {:?}\n", run("patches"));
    let images = parsed(data.path(), &text(data.path(), "images", &start)).unwrap();
    for (config, name) in [(&patches, "patches"), (&images, "images")] {
        let whole = finished(config, run(name));
        let cut = run(&format!("{name}-cut"));
        let cut_off = || train(config, &cut, &Host::default(), &mut CutAfter(2)).map(|_| ());
        assert!(catch_unwind(AssertUnwindSafe(cut_off)).is_err());
        let resumed = finished(config, cut);
        assert_eq!(resumed.epochs.len(), 3);
        for (a, b) in whole.predictions.iter().zip(&resumed.predictions) {
            assert_eq!((&a.case.name, a.bag_scores), (&b.case.name, b.bag_scores));
        }
        let of_set = |set: &str| {
            whole
                .predictions
                .iter()
                .filter(|p| p.case.set == set)
                .count()
        };
        assert!(
            of_set("film") >= 5 && of_set("lesions") == 2,
            "both sets are predicted"
        );
        let outlined = whole
            .predictions
            .iter()
            .filter(|p| p.lesion.is_some())
            .count();
        assert!(outlined >= 4, "{outlined}");
    }

    let marks = fs::read_to_string(run("images").join("marks.csv")).unwrap();
    assert!(marks.starts_with("reader,modality,case,truth,lesion,rating\n"));
    assert!(marks.contains("film/") && !marks.contains("lesions/"));
    let row = fs::read_to_string(run("images").join("run.csv")).unwrap();
    assert!(row.contains(",96x64,"), "{row}");

    // The stored network repeats what was predicted at the end of the run.
    let tables = ["predictions.csv", "marks.csv"];
    let read = || tables.map(|name| fs::read_to_string(run("images").join(name)).unwrap());
    let before = read();
    for name in tables {
        fs::write(run("images").join(name), "stale").unwrap();
    }
    predict_again(&run("images"), &Host::default()).unwrap();
    assert_eq!(read(), before);
    let row = fs::read_to_string(run("images").join("run.csv")).unwrap();
    assert!(row.contains(",96x64,"), "{row}");

    let licence = run("licence.txt");
    fs::write(&licence, "Research purposes only.\n").unwrap();
    let description = PackageDescription {
        licence: Some(licence),
        ..description(data.path())
    };
    let runs = Runs {
        members: vec![run("images")],
        ..Runs::default()
    };
    assemble(&runs, &description, &run("package")).unwrap();
    let package = Package::open(run("package")).unwrap();
    package.verify_files().unwrap();
    let manifest = package.manifest();
    assert_eq!(manifest.modality, Modality::Mammography);
    assert_eq!(manifest.prepare, images.network.prepare());
    assert_eq!(manifest.members[0].left_out, "film fold 1; lesions fold 1");
    for file in ["LICENSE", "marks.csv", "predictions.csv", "runs.csv"] {
        assert!(run("package").join(file).is_file(), "{file}");
    }
    assert_eq!(manifest.default_operating_point, ABOVE_10);
    let names: Vec<&str> = manifest
        .operating_points
        .iter()
        .map(|p| &p.name[..])
        .collect();
    assert_eq!(
        names,
        [
            ABOVE_10,
            "sensitivity-95",
            "specificity-90",
            "specificity-95"
        ]
    );

    // What follows from the tables can be written anew, and is what it was.
    let files = ["manifest.toml", "metrics.json", "card.md"];
    let read = || files.map(|name| fs::read_to_string(run("package").join(name)).unwrap());
    let written = read();
    let stale = written[0].replace("threshold = 0.1\n", "threshold = 0.5\n");
    let stale = stale.replace("_point = \"above-10\"", "_point = \"specificity-90\"");
    assert_ne!(stale, written[0]);
    fs::write(run("package").join("manifest.toml"), stale).unwrap();
    fs::remove_file(run("package").join("metrics.json")).unwrap();
    refresh(&description, &run("package")).unwrap();
    assert_eq!(read(), written);
    let other = PackageDescription {
        version: "9".to_owned(),
        ..description
    };
    let refused = refresh(&other, &run("package")).unwrap_err().to_string();
    assert!(refused.contains(" 9, got "), "{refused}");
}

#[test]
fn what_would_cheat_is_refused() {
    let data = data();
    let run = data.path().join("run");
    let refused = |config: &RunConfig, part: &str| {
        let error = train(config, &run, &Host::default(), &mut Silent)
            .err()
            .unwrap();
        assert!(error.to_string().contains(part), "{error}");
    };
    let images = text(data.path(), "images", "");
    let whole = images.replace("labels = \"lesions\"\n", "");
    refused(
        &parsed(data.path(), &whole).unwrap(),
        "more than malignant images in `lesions`",
    );

    let patches = data.path().join("patches");
    let one_epoch = text(data.path(), "patches", "").replace("epochs = 3", "epochs = 1");
    finished(&parsed(data.path(), &one_epoch).unwrap(), patches.clone());
    let start = format!("start = {patches:?}\n");
    let images = text(data.path(), "images", &start);
    let other_fold = images.replace("fold = 1", "fold = 2");
    refused(
        &parsed(data.path(), &other_fold).unwrap(),
        "same seed, folds",
    );
    fs::remove_file(patches.join("member.onnx")).unwrap();
    refused(&parsed(data.path(), &images).unwrap(), "finished run");
}

#[test]
fn impossible_mammography_is_refused() {
    let data = data();
    let patches = text(data.path(), "patches", "");
    for (from, to, part) in [
        ("rows = 96", "rows = 100", "100 × 64"),
        ("size = 32", "size = 96", "inside 96 × 64"),
        ("[patches]\n", "[patches]\njitter = 0.7\n", "jitter"),
        (
            "repeat_malignant = 2",
            "repeat_malignant = 0",
            "repeat_malignant",
        ),
        (PREPARE, "", "sonograms"),
    ] {
        let error = parsed(data.path(), &patches.replace(from, to))
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn shipped_configurations_are_readable() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    let mut n = 0;
    for model in ["ultrasound", "mammography"] {
        for entry in fs::read_dir(models.join(model).join("train")).unwrap() {
            let file = entry.unwrap().path();
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("fold-") && name.ends_with(".toml") {
                RunConfig::read(&file).unwrap();
                n += 1;
            } else if name == "package.toml" {
                PackageDescription::read(&file).unwrap();
            }
        }
    }
    assert_eq!(n, 12);
}
