//! Bounded reading and hashing of files, and the rule that keeps names inside a folder.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{Error, ErrorKind};

/// Reads a whole file of at most `limit` bytes.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    let missing = |e| Error::caused(ErrorKind::Missing, path, "a readable file", e);
    let file = File::open(path).map_err(missing)?;
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(missing)?;
    if bytes.len() as u64 > limit {
        let message = format!("expected at most {limit} bytes, got more");
        return Err(Error::new(ErrorKind::Record, path, message));
    }
    Ok(bytes)
}

/// SHA-256 of a file as 64 lower-case hexadecimal digits; memory does not grow with the file.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256_of_file(path: &Path) -> Result<String, Error> {
    let missing = |e| Error::caused(ErrorKind::Missing, path, "a readable file", e);
    let mut file = File::open(path).map_err(missing)?;
    let mut hasher = Sha256::new();
    io::copy(&mut file, &mut hasher).map_err(missing)?;
    Ok(hex(&hasher.finalize()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Whether a name is relative and has no `.`, `..`, root, drive or reserved character, so that
/// joining it to a folder on any system stays inside.
pub(crate) fn is_inside_name(name: &str) -> bool {
    let plain = !name.is_empty() && name.len() <= 255 && !name.contains(['\\', ':', '\0']);
    let normal = |c| matches!(c, Component::Normal(_));
    plain && !name.ends_with('/') && Path::new(name).components().all(normal)
}

/// The real path of a regular file inside `folder`; symbolic links may not lead out of it.
pub(crate) fn inside_file(folder: &Path, name: &str) -> Result<PathBuf, Error> {
    let path = folder.join(name);
    if !is_inside_name(name) {
        let message = "expected a file name inside the package, got another path";
        return Err(Error::new(ErrorKind::Member, &path, message));
    }
    let real = |p: &Path| {
        p.canonicalize()
            .map_err(|e| Error::caused(ErrorKind::Member, &path, "a file", e))
    };
    let (real_folder, real_file) = (real(folder)?, real(&path)?);
    if !real_file.starts_with(&real_folder) || !real_file.is_file() {
        let message = "expected a regular file inside the package, got something else";
        return Err(Error::new(ErrorKind::Member, &path, message));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        for good in ["a.onnx", "members/fold_1.onnx", "ä b"] {
            assert!(is_inside_name(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "../a",
            "a/../../b",
            "/etc/passwd",
            "a\\b",
            "c:x",
            "a/",
            "a\0",
        ] {
            assert!(!is_inside_name(bad), "{bad}");
        }
    }
}
