//! Packages on the move: copied as a folder or as a zip file.
//!
//! An import is checked as a whole (manifest, members, hashes) in a folder of its own before it
//! takes its place, so that a broken package never stands where a good one is expected.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::files::is_inside_name;
use crate::{Error, ErrorKind, MANIFEST_FILE, Package};

/// Most files in a zip file.
const MOST_FILES: usize = 1024;
/// Most bytes that a zip file may unpack to.
const LARGEST_PACKAGE: u64 = 4 << 30;

/// Copies a package (folder or zip file) to `folders/<its name>` and opens it there.
///
/// # Errors
/// As [`Package::open`] and [`Package::verify_files`]; `Archive` for a bad zip file; `Write` when
/// a package of that name is there already or the folder cannot be written.
pub fn import(source: &Path, folders: &Path) -> Result<Package, Error> {
    let unwritable = |e| Error::caused(ErrorKind::Write, folders, "a writable folder", e);
    fs::create_dir_all(folders).map_err(unwritable)?;
    let work = tempfile::tempdir_in(folders).map_err(unwritable)?;
    let copy = work.path().join("package");
    if source.is_dir() {
        export(&Package::open(source)?, &copy)?;
    } else {
        unpack(source, &copy)?;
    }
    let package = Package::open(&copy)?;
    package.verify_files()?;
    let place = folders.join(&package.manifest().name);
    if place.exists() {
        let message = "expected no package of this name, got one";
        return Err(Error::new(ErrorKind::Write, &place, message));
    }
    fs::rename(&copy, &place).map_err(unwritable)?;
    Package::open(place)
}

/// Copies the package's own files to a new folder, or to a zip file where the name ends in `.zip`.
///
/// # Errors
/// `Write` when the target is there already or cannot be written.
pub fn export(package: &Package, target: &Path) -> Result<(), Error> {
    if target.exists() {
        let message = "expected a new file or folder, got one that is there";
        return Err(Error::new(ErrorKind::Write, target, message));
    }
    let written = if target.extension().is_some_and(|e| e == "zip") {
        pack(package, target)
    } else {
        copy(package, target)
    };
    written.map_err(|e| Error::caused(ErrorKind::Write, target, "to write the package", e))
}

fn copy(package: &Package, target: &Path) -> io::Result<()> {
    for name in package.file_names() {
        let to = target.join(&name);
        fs::create_dir_all(to.parent().unwrap_or(target))?;
        fs::copy(package.folder().join(&name), to)?;
    }
    Ok(())
}

fn pack(package: &Package, target: &Path) -> io::Result<()> {
    let mut writer = ZipWriter::new(File::create_new(target)?);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(true);
    for name in package.file_names() {
        writer.start_file(name.as_str(), options)?;
        io::copy(&mut File::open(package.folder().join(&name))?, &mut writer)?;
    }
    writer.finish()?.sync_all()
}

/// Unpacks what lies beside the manifest; one folder around everything is stripped.
fn unpack(source: &Path, target: &Path) -> Result<(), Error> {
    let file =
        File::open(source).map_err(|e| Error::caused(ErrorKind::Missing, source, "a file", e))?;
    let bad = |cause: String| {
        let message = format!("expected a zip file of a package, got: {cause}");
        Error::new(ErrorKind::Archive, source, message)
    };
    let mut archive = ZipArchive::new(file).map_err(|e| bad(e.to_string()))?;
    let names = safe_names(&archive).map_err(bad)?;
    let root = root_of(&names).ok_or_else(|| bad("no manifest.toml".into()))?;
    let mut left = LARGEST_PACKAGE;
    for (i, name) in names.iter().enumerate() {
        let Some(inner) = name.strip_prefix(&root).filter(|n| !n.is_empty()) else {
            continue;
        };
        let entry = archive.by_index(i).map_err(|e| bad(e.to_string()))?;
        let written = write_entry(entry, &target.join(inner), left);
        left = written.map_err(|e| bad(format!("{inner}: {e}")))?;
    }
    Ok(())
}

/// The name of each entry; empty for a folder, which needs no entry of its own.
fn safe_names(archive: &ZipArchive<File>) -> Result<Vec<String>, String> {
    if archive.len() > MOST_FILES {
        return Err(format!(
            "{} files, at most {MOST_FILES} expected",
            archive.len()
        ));
    }
    let name = |name: zip::result::ZipResult<std::borrow::Cow<'_, str>>| {
        let name = name.map_err(|e| e.to_string())?.into_owned();
        match name.strip_suffix('/').unwrap_or(&name) {
            inner if !is_inside_name(inner) => Err(format!("a path that leads outside, `{name}`")),
            inner if inner.len() < name.len() => Ok(String::new()),
            _ => Ok(name),
        }
    };
    archive.file_names().map(name).collect()
}

/// What stands before `manifest.toml`, the shortest where there are several.
fn root_of(names: &[String]) -> Option<String> {
    let roots = names.iter().filter_map(|n| n.strip_suffix(MANIFEST_FILE));
    let roots = roots.filter(|root| root.is_empty() || root.ends_with('/'));
    roots.min_by_key(|root| root.len()).map(String::from)
}

/// Writes one file and returns how many bytes are left for the others.
fn write_entry(entry: impl Read, to: &PathBuf, left: u64) -> io::Result<u64> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let written = io::copy(&mut entry.take(left + 1), &mut File::create_new(to)?)?;
    left.checked_sub(written)
        .ok_or_else(|| io::Error::other(format!("more than {LARGEST_PACKAGE} bytes")))
}
