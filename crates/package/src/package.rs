//! The folder of a package.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::figures::{mark_figures, slide_figures};
use crate::files::{hex, inside_file, read_bounded, sha256_of_file};
use crate::{Error, ErrorKind, Figure, Manifest, Predictions, figures};

/// Name of the manifest inside a package.
pub const MANIFEST_FILE: &str = "manifest.toml";
/// Name of the table of predictions inside a package.
pub const PREDICTIONS_FILE: &str = "predictions.csv";
/// Name of the table of predictions across data sets inside a package: by networks that are not
/// in it, which were trained on other sets than the one they were tested on.
pub const ACROSS_FILE: &str = "across.csv";
/// Name of the table of training runs inside a package.
pub const RUNS_FILE: &str = "runs.csv";
/// Where the networks of mammography see something, and whether a lesion is there.
pub const MARKS_FILE: &str = "marks.csv";
/// What the weights may be used for, where it is not the repository's own licence.
pub const LICENCE_FILE: &str = "LICENSE";
/// Name of the figures inside a package.
pub const METRICS_FILE: &str = "metrics.json";

/// Name of the model card inside a package.
pub const CARD_FILE: &str = "card.md";

const LARGEST_MANIFEST: u64 = 4 << 20;
const LARGEST_RECORD: u64 = 256 << 20;
const LARGEST_MEMBER: u64 = 2 << 30;

/// An opened package: its manifest is valid and its graphs' files are there. Their hashes are
/// checked by [`Package::verify_files`], since reading every byte is not always wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    folder: PathBuf,
    manifest: Manifest,
    digest: String,
}

impl Package {
    /// Opens the package in a folder.
    ///
    /// # Errors
    /// `Missing` without a manifest, `Manifest` or `UnsupportedFormat` for one that cannot be
    /// read, `Member` when a member file is absent, too large or outside the folder.
    pub fn open(folder: impl AsRef<Path>) -> Result<Package, Error> {
        let folder = folder.as_ref().to_path_buf();
        let path = folder.join(MANIFEST_FILE);
        let bytes = read_bounded(&path, LARGEST_MANIFEST)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|e| Error::caused(ErrorKind::Manifest, &path, "UTF-8 text", e))?;
        let manifest = Manifest::from_toml(text, &path)?;
        for (file, _) in manifest.graph_files() {
            check_member(&inside_file(&folder, file)?)?;
        }
        let digest = digest_of(&bytes, &manifest);
        Ok(Package {
            folder,
            manifest,
            digest,
        })
    }

    /// What the package says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where the package lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// SHA-256 over the manifest's bytes and the graphs' hashes in their order, as 64
    /// hexadecimal digits: equal digests mean equal results.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The first 16 digits of [`Package::digest`], for people.
    pub fn short_digest(&self) -> &str {
        &self.digest[..16]
    }

    /// The member files in the manifest's order.
    pub fn member_paths(&self) -> Vec<PathBuf> {
        let file = |m: &crate::Member| self.folder.join(&m.file);
        self.manifest.members.iter().map(file).collect()
    }

    /// The files of the members' further graph of that name, in the manifest's order; members
    /// without one are left out.
    pub fn graph_paths(&self, graph: &str) -> Vec<PathBuf> {
        let members = self.manifest.members.iter();
        members
            .filter_map(|m| Some(self.folder.join(&m.graphs.get(graph)?.file)))
            .collect()
    }

    /// Hashes the file of every graph and compares.
    ///
    /// # Errors
    /// `Digest` for the first file that is not the one the manifest states.
    pub fn verify_files(&self) -> Result<(), Error> {
        for (file, sha256) in self.manifest.graph_files() {
            let path = self.folder.join(file);
            let got = sha256_of_file(&path)?;
            if got != sha256 {
                let message = format!("expected SHA-256 {sha256}, got {got}");
                return Err(Error::new(ErrorKind::Digest, &path, message));
            }
        }
        Ok(())
    }

    /// Names of the package's own files that are there: the manifest, the graphs, the records
    /// and the card. Whatever else lies in the folder is not part of it.
    pub fn file_names(&self) -> Vec<String> {
        let graphs = self.manifest.graph_files();
        let graphs = graphs.map(|(file, _)| file.to_owned());
        let records = [
            CARD_FILE,
            METRICS_FILE,
            PREDICTIONS_FILE,
            ACROSS_FILE,
            RUNS_FILE,
            MARKS_FILE,
            LICENCE_FILE,
        ]
        .map(String::from);
        let there = |name: &String| self.folder.join(name).is_file();
        let named = std::iter::once(MANIFEST_FILE.to_string()).chain(graphs);
        named.chain(records.into_iter().filter(there)).collect()
    }

    /// The cases behind the figures.
    ///
    /// # Errors
    /// `Missing` without the file, `Record` when it is not such a table.
    pub fn predictions(&self) -> Result<Predictions, Error> {
        let path = self.folder.join(PREDICTIONS_FILE);
        Predictions::from_csv(&read_bounded(&path, LARGEST_RECORD)?, &path)
    }

    /// Every figure, recomputed from the tables that are there.
    ///
    /// # Errors
    /// `Missing` without [`PREDICTIONS_FILE`], `Record` when a table is not one of predictions (or of
    /// marks).
    pub fn figures(&self) -> Result<Vec<Figure>, Error> {
        if let Some(rule) = &self.manifest.slide {
            let path = self.folder.join(PREDICTIONS_FILE);
            return slide_figures(rule, &read_bounded(&path, LARGEST_RECORD)?, &path);
        }
        let mut all = figures(&self.predictions()?, &self.folder.join(PREDICTIONS_FILE))?;
        let across = self.folder.join(ACROSS_FILE);
        if across.is_file() {
            let table = Predictions::from_csv(&read_bounded(&across, LARGEST_RECORD)?, &across)?;
            all.extend(figures(&table, &across)?);
        }
        let marks = self.folder.join(MARKS_FILE);
        if marks.is_file() {
            all.extend(mark_figures(
                &read_bounded(&marks, LARGEST_RECORD)?,
                &marks,
            )?);
        }
        Ok(all)
    }

    /// The figures as written when the package was made.
    ///
    /// # Errors
    /// `Missing` without the file, `Record` when it is not JSON.
    pub fn metrics(&self) -> Result<serde_json::Value, Error> {
        let path = self.folder.join(METRICS_FILE);
        serde_json::from_slice(&read_bounded(&path, LARGEST_RECORD)?)
            .map_err(|e| Error::caused(ErrorKind::Record, &path, "JSON", e))
    }
}

fn check_member(path: &Path) -> Result<(), Error> {
    let size = std::fs::metadata(path)
        .map_err(|e| Error::caused(ErrorKind::Member, path, "a file", e))?
        .len();
    if size > LARGEST_MEMBER {
        let message = format!("expected at most {LARGEST_MEMBER} bytes, got {size}");
        return Err(Error::new(ErrorKind::Member, path, message));
    }
    Ok(())
}

fn digest_of(manifest_bytes: &[u8], manifest: &Manifest) -> String {
    let mut hasher = Sha256::new();
    hasher.update(manifest_bytes);
    for (_, sha256) in manifest.graph_files() {
        hasher.update(sha256.as_bytes());
    }
    hex(&hasher.finalize())
}
