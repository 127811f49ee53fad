//! Finding files: every given path is either listed or reported. Folders of results are not read: heat maps
//! are no images of a patient.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use lobule_exam::Skipped;

/// The files below the given paths, in the order given, folders sorted by name.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) skipped: Vec<Skipped>,
    folders: HashSet<PathBuf>,
}

impl Walk {
    /// Adds a path that the user named: hidden names are taken at their word here.
    pub(crate) fn add(&mut self, path: &Path) {
        match fs::metadata(path) {
            Err(e) => self.skip(path, format!("expected a file or folder, got: {e}")),
            Ok(meta) if meta.is_dir() && is_below_results(path) => {
                self.skip(path, RESULTS.to_owned());
            }
            Ok(meta) if meta.is_dir() => self.add_folder(path),
            Ok(meta) if meta.is_file() => self.files.push(path.to_owned()),
            Ok(_) => self.skip(path, "expected a file or folder, got something else".into()),
        }
    }

    /// Goes down without recursion of its own, so that no depth can exhaust the stack.
    fn add_folder(&mut self, folder: &Path) {
        let mut waiting = vec![folder.to_owned()];
        while let Some(path) = waiting.pop() {
            if path != folder && is_hidden(&path) {
                self.skip(&path, "hidden files and folders are not read".into());
                continue;
            }
            match fs::metadata(&path) {
                Err(e) => self.skip(&path, format!("expected a file or folder, got: {e}")),
                Ok(meta) if meta.is_dir() && holds_results(&path) => {
                    self.skip(&path, RESULTS.to_owned());
                }
                Ok(meta) if meta.is_dir() => waiting.extend(self.children(&path)),
                Ok(meta) if meta.is_file() => self.files.push(path),
                Ok(_) => self.skip(
                    &path,
                    "expected a file or folder, got something else".into(),
                ),
            }
        }
    }

    /// A folder's entries, last name first (the walk takes them from the end). A folder that was
    /// visited before, as links can bring about, is reported instead.
    fn children(&mut self, folder: &Path) -> Vec<PathBuf> {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        if !self.folders.insert(real) {
            self.skip(
                folder,
                "the folder was read before (a link, or named twice)".into(),
            );
            return Vec::new();
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) => {
                self.skip(folder, format!("expected a readable folder, got: {e}"));
                return Vec::new();
            }
        };
        let mut names: Vec<PathBuf> = entries.filter_map(Result::ok).map(|e| e.path()).collect();
        names.sort_by(|a, b| b.cmp(a));
        names
    }

    fn skip(&mut self, path: &Path, reason: String) {
        let one = Skipped::new(path.display().to_string(), reason);
        self.skipped.push(one);
    }
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy());
    name.is_some_and(|n| n.starts_with('.'))
}

const RESULTS: &str =
    "expected images, got results that Lobule wrote: the folder of results holds assessment.json";

/// Whether results were written into a folder, also by a run that was broken off.
fn holds_results(folder: &Path) -> bool {
    let mut documents = ["assessment.json", "assessment.json.partial"].iter();
    documents.any(|name| folder.join(name).is_file())
}

/// Whether a folder is `exams`, or that of one exam, in a folder of results.
fn is_below_results(folder: &Path) -> bool {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mut upwards = real.ancestors().take(2);
    upwards.any(|one| {
        let is_exams = one.file_name() == Some(OsStr::new("exams"));
        is_exams && one.parent().is_some_and(holds_results)
    })
}
