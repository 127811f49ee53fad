//! Which of the given files are slides.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use lobule_exam::Skipped;
use lobule_slide::{SlideKind, slide_kind};

use super::table::{names_slides, read_table, stem};
use crate::Error;
use crate::walk::Walk;

/// A slide to assess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlideInput {
    /// Its name, unique within the run.
    pub slide: String,
    /// Its file; of a DICOM series the first one.
    pub file: PathBuf,
    /// The values of the table's other columns; empty without a table.
    pub extra: Vec<String>,
}

/// The slides of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlideInputs {
    /// In the order given.
    pub slides: Vec<SlideInput>,
    /// Names of the columns whose values the slides carry.
    pub columns: Vec<String>,
    /// Files that are not assessed.
    pub skipped: Vec<Skipped>,
}

/// Whether the paths mean slides: a table of slides, or files (or folders) of which one is a slide.
pub fn are_slides(paths: &[PathBuf]) -> bool {
    if paths.iter().any(|path| is_table(path)) {
        return true;
    }
    let mut walk = Walk::default();
    paths.iter().for_each(|path| walk.add(path));
    let mut files = walk.files.iter();
    files.any(|file| matches!(slide_kind(file), SlideKind::Slide(_)))
}

/// Finds the slides among the given paths. A folder is read with everything in it, sorted by name; the
/// files of one DICOM series are one slide; a table names slides and carries further columns. With
/// `mpp`, the microns per pixel that the user states, pictures are slides too.
///
/// # Errors
/// `Manifest` for a table that is wrong, or one beside other inputs.
pub fn collect_slides(paths: &[PathBuf], mpp: Option<f64>) -> Result<SlideInputs, Error> {
    if let [table] = paths
        && is_table(table)
    {
        let table = read_table(table)?;
        return Ok(SlideInputs {
            slides: table.slides,
            columns: table.columns,
            skipped: Vec::new(),
        });
    }
    if let Some(table) = paths.iter().find(|path| is_table(path)) {
        let message = "expected a table of slides alone, got other inputs beside it";
        return Err(Error::new(crate::ErrorKind::Manifest, message).in_file(table));
    }
    let mut walk = Walk::default();
    paths.iter().for_each(|path| walk.add(path));
    let mut found = SlideInputs {
        skipped: walk.skipped,
        ..SlideInputs::default()
    };
    let mut known = HashSet::new();
    let mut names = HashMap::new();
    for file in walk.files {
        match kind(&file, mpp) {
            Ok(key) => {
                if known.insert(key) {
                    let slide = unique(stem(&file), &mut names);
                    let extra = Vec::new();
                    found.slides.push(SlideInput { slide, file, extra });
                }
            }
            Err(reason) => {
                let one = Skipped::new(file.display().to_string(), reason);
                found.skipped.push(one);
            }
        }
    }
    Ok(found)
}

/// The key of a slide, or why the file is none.
fn kind(file: &Path, mpp: Option<f64>) -> Result<String, &'static str> {
    match slide_kind(file) {
        SlideKind::Slide(key) => Ok(key),
        SlideKind::Picture if mpp.is_some() => Ok(file.display().to_string()),
        SlideKind::Picture => Err(
            "expected a slide, got a picture that states no microns per pixel: state them with --mpp",
        ),
        SlideKind::Other => Err("expected a slide, got something else"),
    }
}

fn is_table(path: &Path) -> bool {
    let is_csv = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    is_csv && path.is_file() && names_slides(path)
}

/// The name, with a number behind it where it is taken.
fn unique(name: String, names: &mut HashMap<String, usize>) -> String {
    let count = names.entry(name.clone()).or_insert(0);
    *count += 1;
    match *count {
        1 => name,
        n => unique(format!("{name}-{n}"), names),
    }
}
