//! The model packages inside the binary, unpacked where an engine can open them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lobule_package::Package;
use tempfile::TempDir;

use crate::failure::Failure;

include!(concat!(env!("OUT_DIR"), "/packages.rs"));

/// Names an environment variable that stands in for `--model`.
const MODEL_VARIABLE: &str = "LOBULE_MODEL";
/// The package that is used when none is named.
const DEFAULT_NAME: &str = "ultrasound";

/// An opened package and, when it came out of the binary, the folder that goes with it.
#[derive(Debug)]
pub(crate) struct FoundPackage {
    pub(crate) package: Package,
    _unpacked: Option<TempDir>,
}

/// The package to use: `--model`, else `LOBULE_MODEL`, else the one in the binary. Its files are
/// checked against their hashes.
pub(crate) fn find(model: Option<&Path>) -> Result<FoundPackage, Failure> {
    let named = model.map(PathBuf::from);
    let named = named.or_else(|| std::env::var_os(MODEL_VARIABLE).map(PathBuf::from));
    let found = match named {
        Some(folder) => FoundPackage {
            package: Package::open(folder)?,
            _unpacked: None,
        },
        None => default_package()?,
    };
    found.package.verify_files()?;
    Ok(found)
}

/// Unpacks the default package of this build into a folder of its own, which is removed at the
/// end: nothing that another process left behind can be taken for it.
fn default_package() -> Result<FoundPackage, Failure> {
    let embedded = PACKAGES.iter().find(|(name, _)| *name == DEFAULT_NAME);
    let Some((_, files)) = embedded.or_else(|| PACKAGES.first()) else {
        return Err(Failure::package(
            "expected a model package, got none: this build carries none; name one with --model",
        ));
    };
    let failed = |e: io::Error| Failure::package(format!("expected to unpack the model, got: {e}"));
    let folder = tempfile::Builder::new()
        .prefix("lobule-model-")
        .tempdir()
        .map_err(failed)?;
    for (name, bytes) in *files {
        fs::write(folder.path().join(name), bytes).map_err(failed)?;
    }
    Ok(FoundPackage {
        package: Package::open(folder.path())?,
        _unpacked: Some(folder),
    })
}
