//! Which model package is used: the ones that are named, the ones inside the binary (unpacked where
//! an engine can open them), the imported ones.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lobule_exam::Modality;
use lobule_package::{Package, SlideRule};
use tempfile::TempDir;

use crate::failure::Failure;

include!(concat!(env!("OUT_DIR"), "/packages.rs"));

/// Names an environment variable that stands in for `--model`.
const MODEL_VARIABLE: &str = "LOBULE_MODEL";
/// The package that is used when none is named; those in the binary bear their modality's name.
const DEFAULT_NAME: &str = Modality::Ultrasound.name();

/// An opened package and, when it came out of the binary, the folder that goes with it.
#[derive(Debug)]
pub(crate) struct FoundPackage {
    pub(crate) package: Package,
    _unpacked: Option<TempDir>,
}

impl FoundPackage {
    /// A package in a folder; its files are checked against their hashes.
    fn open(folder: PathBuf) -> Result<FoundPackage, Failure> {
        let found = FoundPackage {
            package: Package::open(folder)?,
            _unpacked: None,
        };
        found.package.verify_files()?;
        Ok(found)
    }

    pub(crate) fn modality(&self) -> Modality {
        self.package.manifest().modality
    }

    fn reads(&self) -> Reads {
        let manifest = self.package.manifest();
        match (&manifest.slide, manifest.modality) {
            (Some(SlideRule::Tumor(_)), _) => Reads::TumorTiles,
            (Some(SlideRule::Grade(_)), _) => Reads::GradeTiles,
            (None, modality) => Reads::Exams(modality),
        }
    }
}

/// What a model reads and says; a run takes one model of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// Exams of one modality.
    Exams(Modality),
    /// Where tumor is on slides.
    TumorTiles,
    /// How the tumor of slides is graded.
    GradeTiles,
}

impl Reads {
    /// What packages in the binary are called, which people read too.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Reads::Exams(modality) => modality.name(),
            Reads::TumorTiles => "slide-tumor",
            Reads::GradeTiles => "slide-grade",
        }
    }
}

/// The package to use: the named one, else `LOBULE_MODEL`, else the one in the binary. Its files
/// are checked against their hashes.
pub(crate) fn find(model: Option<&Path>) -> Result<FoundPackage, Failure> {
    let named = model.map(PathBuf::from).or_else(variable);
    match named {
        Some(folder) => FoundPackage::open(folder),
        None => embedded(DEFAULT_NAME)?.ok_or_else(|| {
            Failure::package(
                "expected a model package, got none: this build carries none; name one with --model",
            )
        }),
    }
}

fn variable() -> Option<PathBuf> {
    std::env::var_os(MODEL_VARIABLE).map(PathBuf::from)
}

/// The models of a run: those that were named, or whatever is there for a modality.
pub(crate) struct Models {
    named: Vec<FoundPackage>,
    are_named: bool,
}

impl Models {
    /// Opens the named packages, one of each kind: `--model`, else `LOBULE_MODEL`, else none.
    pub(crate) fn open(named: &[PathBuf]) -> Result<Models, Failure> {
        let mut folders = named.to_vec();
        if folders.is_empty() {
            folders.extend(variable());
        }
        let mut found: Vec<FoundPackage> = Vec::new();
        for folder in folders {
            let package = FoundPackage::open(folder)?;
            let reads = package.reads();
            if found.iter().any(|other| other.reads() == reads) {
                let message = format!("expected one model of {}, got two", reads.name());
                return Err(Failure::usage(message));
            }
            found.push(package);
        }
        Ok(Models {
            are_named: !found.is_empty(),
            named: found,
        })
    }

    /// The modalities of exams that there are models for.
    pub(crate) fn modalities(mut self) -> Result<Vec<Modality>, Failure> {
        let mut found = Vec::new();
        for modality in Modality::RADIOLOGY {
            if self.take(Reads::Exams(modality))?.is_some() {
                found.push(modality);
            }
        }
        Ok(found)
    }

    /// What pictures count as that do not say what they are: what the only named model reads,
    /// else ultrasound.
    pub(crate) fn pictures(&self) -> Modality {
        match self.named.as_slice() {
            [only] => match only.reads() {
                Reads::Exams(modality) => modality,
                Reads::TumorTiles | Reads::GradeTiles => Modality::Ultrasound,
            },
            _ => Modality::Ultrasound,
        }
    }

    /// The model of this kind: the named one; where none is named, the one in the binary, else the
    /// imported one. None when there is none.
    pub(crate) fn take(&mut self, reads: Reads) -> Result<Option<FoundPackage>, Failure> {
        if self.are_named {
            let at = self.named.iter().position(|p| p.reads() == reads);
            return Ok(at.map(|at| self.named.swap_remove(at)));
        }
        match embedded(reads.name())? {
            Some(found) => Ok(Some(found)),
            None => imported(reads),
        }
    }
}

/// Where imported packages lie.
pub(crate) fn own_models() -> Result<PathBuf, Failure> {
    let folder = dirs::data_dir().ok_or_else(|| {
        Failure::output("expected a user data folder for imported models, got none")
    })?;
    Ok(folder.join("lobule").join("models"))
}

/// Folders of imported packages, by name.
pub(crate) fn imported_folders() -> Vec<PathBuf> {
    let entries = own_models().ok().and_then(|f| fs::read_dir(f).ok());
    let entries = entries.into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    folders
}

fn imported(reads: Reads) -> Result<Option<FoundPackage>, Failure> {
    let reads_it = |folder: &PathBuf| {
        let package = Package::open(folder).map(|package| FoundPackage {
            package,
            _unpacked: None,
        });
        package.is_ok_and(|found| found.reads() == reads)
    };
    let mut folders: Vec<PathBuf> = imported_folders().into_iter().filter(reads_it).collect();
    match folders.len() {
        0 => Ok(None),
        1 => FoundPackage::open(folders.swap_remove(0)).map(Some),
        n => Err(Failure::package(format!(
            "expected one imported model of {}, got {n}: name one with --model",
            reads.name()
        ))),
    }
}

/// Every package of this build.
pub(crate) fn built_in() -> Result<Vec<FoundPackage>, Failure> {
    let found = PACKAGES.iter().map(|(name, _)| embedded(name));
    Ok(found
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// Unpacks a package of this build into a folder of its own, which is removed at the end: nothing
/// that another process left behind can be taken for it.
fn embedded(name: &str) -> Result<Option<FoundPackage>, Failure> {
    let Some((_, files)) = PACKAGES.iter().find(|(known, _)| *known == name) else {
        return Ok(None);
    };
    let failed = |e: io::Error| Failure::package(format!("expected to unpack the model, got: {e}"));
    let folder = tempfile::Builder::new()
        .prefix("lobule-model-")
        .tempdir()
        .map_err(failed)?;
    for (name, bytes) in *files {
        fs::write(folder.path().join(name), bytes).map_err(failed)?;
    }
    let found = FoundPackage::open(folder.path().to_owned())?;
    Ok(Some(FoundPackage {
        _unpacked: Some(folder),
        ..found
    }))
}
