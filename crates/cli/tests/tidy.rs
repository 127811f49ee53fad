//! Invariants of the code's shape; `ARCHITECTURE.md` states them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms each room may use.
const MAY_USE: [(&str, &[&str]); 15] = [
    ("exam", &[]),
    ("raster", &["exam"]),
    ("dicomio", &["exam", "raster"]),
    ("slide", &["dicomio", "exam", "raster"]),
    ("package", &["exam", "raster", "stats"]),
    ("engine", &[]),
    ("stats", &[]),
    (
        "assess",
        &[
            "dicomio", "engine", "exam", "package", "raster", "slide", "stats",
        ],
    ),
    ("report", &["exam", "raster"]),
    ("study", &["report", "stats"]),
    ("server", &["dicomio"]),
    ("phantom", &["dicomio", "exam", "raster", "slide"]),
    ("model", &[]),
    (
        "train",
        &[
            "dicomio", "exam", "model", "package", "raster", "slide", "stats",
        ],
    ),
    (
        "cli",
        &[
            "assess", "dicomio", "engine", "exam", "model", "package", "phantom", "raster",
            "report", "server", "slide", "stats", "study", "train",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn sources_of(room: &str) -> Vec<(PathBuf, String)> {
    files_below(&root().join("crates").join(room).join("src"), ".rs")
        .into_iter()
        .map(|file| {
            (
                file.clone(),
                fs::read_to_string(file).expect("sources are readable"),
            )
        })
        .collect()
}

#[test]
fn rooms_use_only_the_rooms_drawn() {
    let drawn: BTreeMap<&str, &[&str]> = MAY_USE.into_iter().collect();
    let mut rooms: Vec<String> = fs::read_dir(root().join("crates"))
        .expect("the workspace has crates")
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    rooms.sort();
    let mut expected: Vec<&str> = drawn.keys().copied().collect();
    expected.sort_unstable();
    assert_eq!(
        rooms, expected,
        "every room is drawn and every drawn room exists"
    );
    for (room, may_use) in drawn {
        let manifest = fs::read_to_string(root().join("crates").join(room).join("Cargo.toml"))
            .expect("every room has a manifest");
        let normal = manifest
            .split("[dev-dependencies]")
            .next()
            .unwrap_or_default();
        for line in normal.lines().filter(|line| line.starts_with("lobule-")) {
            let used = line["lobule-".len()..]
                .split(['.', ' ', '='])
                .next()
                .unwrap_or_default();
            assert!(may_use.contains(&used), "{room} may not use {used}");
        }
    }
}

#[test]
fn only_dicomio_names_dicom() {
    for (room, _) in MAY_USE.into_iter().filter(|(room, _)| *room != "dicomio") {
        for (file, text) in sources_of(room) {
            for word in [
                "dicom_core",
                "dicom_object",
                "dicom_dictionary",
                "dicom_ul",
                "1.2.840.10008",
            ] {
                assert!(!text.contains(word), "{}: names `{word}`", file.display());
            }
        }
    }
}

#[test]
fn pure_rooms_read_no_clock_environment_or_global_randomness() {
    for room in ["exam", "raster", "model", "stats"] {
        for (file, text) in sources_of(room) {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in [
                "SystemTime",
                "Instant::now",
                "env::var",
                "thread_rng",
                "rand::rng()",
            ] {
                assert!(!code.contains(word), "{}: uses `{word}`", file.display());
            }
        }
    }
}

#[test]
fn no_room_or_module_has_a_name_that_says_nothing() {
    for file in files_below(&root().join("crates"), ".rs") {
        let name = file
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        for empty in ["util", "utils", "common", "helpers", "misc"] {
            assert_ne!(name, empty, "{}", file.display());
        }
    }
}

#[test]
fn links_between_documents_are_alive() {
    let mut documents = files_below(&root().join("docs"), ".md");
    for name in [
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "GLOSSARY.md",
        "CHANGELOG.md",
    ] {
        documents.push(root().join(name));
    }
    for document in documents {
        let text = fs::read_to_string(&document).expect("documents are readable");
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let place = document.parent().expect("a file has a folder").join(target);
            assert!(
                place.exists(),
                "{}: link to {target} is dead",
                document.display()
            );
        }
    }
}
