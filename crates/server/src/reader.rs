//! What the service asks of whoever reads studies.

use std::path::{Path, PathBuf};

use serde::Serialize;

/// An instance of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudyFile {
    /// Its SOP Instance UID: what it is called wherever somebody reads of it.
    pub instance_uid: String,
    /// Where it lies; for nobody but the reader.
    pub path: PathBuf,
}

/// Reads studies. The service owns arrival, order and delivery; what a study shows is found here.
pub trait StudyReader: Send {
    /// Reads the files of one study. Pages and pictures go into the folder `out`, its page is
    /// `report.html`, its numbers `assessment.json`; DICOM results to be sent go below `out/dicom`,
    /// with the ending `.dcm`. The folder is empty but for such results of the same files.
    ///
    /// # Errors
    /// A reason for people, without identifiers and without paths of this machine, where another
    /// attempt may succeed. Files that cannot be used are no error: [`Usable::No`] says so.
    fn read(&mut self, files: &[StudyFile], out: &Path) -> Result<Reading, String>;

    /// Chooses the models of the studies that are read from now on. The same choice as before costs
    /// nothing.
    ///
    /// # Errors
    /// A reason for people, without paths, where a model cannot be had; the choice is as it was.
    fn choose(&mut self, choice: &Choice) -> Result<(), String> {
        match *choice == Choice::default() {
            true => Ok(()),
            false => Err("expected a reader with a choice of models, got one without".to_owned()),
        }
    }

    /// The models that are in use.
    fn models(&self) -> Vec<ModelInUse> {
        Vec::new()
    }
}

/// Which models read a study.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// Those that stand in place of the usual ones; a later one takes the place of an earlier one
    /// of the same modality.
    pub packages: Vec<ModelPackage>,
    /// Which models read the other modalities.
    pub others: Others,
}

/// Which models read what none was chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Others {
    /// Those the service was started with.
    #[default]
    Usual,
    /// None: it stays unread.
    None,
}

/// A model package that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPackage {
    /// What it reads; empty where that is not known.
    pub modality: String,
    /// Where it lies; nowhere where a choice was taken back.
    pub folder: PathBuf,
    /// Name and version.
    pub name: String,
    /// Its digest when it was chosen, where that is known; one with another is not used.
    pub digest: String,
}

impl ModelPackage {
    /// No choice for a modality.
    pub fn none(modality: &str) -> ModelPackage {
        ModelPackage {
            modality: modality.to_owned(),
            folder: PathBuf::new(),
            name: String::new(),
            digest: String::new(),
        }
    }

    /// What a rule of the configuration names: whatever it reads, whatever its digest.
    pub(crate) fn of_rule(folder: PathBuf) -> ModelPackage {
        ModelPackage {
            folder,
            ..ModelPackage::none("")
        }
    }

    /// Whether it stands for no choice.
    pub fn is_none(&self) -> bool {
        self.folder.as_os_str().is_empty()
    }
}

/// A model that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelInUse {
    /// What it reads.
    pub modality: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Digest of its package.
    pub digest: String,
}

/// What reading a study came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The highest malignant probability of a breast in 0..=1, or the score where the model is not
    /// calibrated.
    pub score: Option<f64>,
    /// Whether a breast reaches its model's operating point.
    pub flagged: bool,
    /// Whether an image shows no patient: the worklist says so.
    pub synthetic: bool,
    /// Whether an image could be used.
    pub usable: Usable,
}

/// Whether an image of a study could be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Usable {
    /// At least one.
    Yes,
    /// None, and why, where files go by their [`StudyFile::instance_uid`]; trying again would change nothing.
    No(String),
}
