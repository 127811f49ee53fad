//! Where ONNX Runtime's library is, and whether it can be loaded.
//!
//! Looked for in this order: the file or folder in `LOBULE_ONNXRUNTIME`; the folder that
//! [`install`](crate::install) writes; Python's `onnxruntime` wheel, in the active virtual
//! environment or where `python3` finds it (the wheel is located, not imported). The first two are
//! meant: if they are there and broken, that is an error. A broken wheel is passed over.

use std::env;
use std::ffi::{CStr, OsStr};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::error::guarded;
use crate::{Error, ErrorKind};

/// Names a library file, or a folder that holds one.
pub const LIBRARY_VARIABLE: &str = "LOBULE_ONNXRUNTIME";
/// The oldest release whose interface is spoken here: 1.20.
const OLDEST_MINOR: u32 = ort::sys::ORT_API_VERSION;
/// Folders below a named one, or below `site-packages`, that hold the library.
const INNER_FOLDERS: [&str; 4] = ["", "capi", "onnxruntime/capi", "lib"];
/// Prints the folder of the wheel. The empty entry of the search path is removed first, so that a
/// folder of that name in the working directory is not taken for the wheel.
const FIND_WHEEL: &str = "\
import sys
sys.path = [p for p in sys.path if p]
from importlib.util import find_spec
spec = find_spec('onnxruntime')
print(list(spec.submodule_search_locations)[0] if spec else '')
";

/// A library that can be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// The file.
    pub path: PathBuf,
    /// What it says its version is.
    pub version: String,
}

/// The library that this process uses, looked for once.
///
/// # Errors
/// `Unavailable`: without a path when none was found, with the path of one that is meant and
/// cannot be used.
pub fn find() -> Result<Library, Error> {
    static FOUND: OnceLock<Result<Library, Error>> = OnceLock::new();
    FOUND.get_or_init(search).clone()
}

fn search() -> Result<Library, Error> {
    if let Some(named) = env::var_os(LIBRARY_VARIABLE).filter(|v| !v.is_empty()) {
        return named_library(Path::new(&named));
    }
    if let Some(file) = install_folder().and_then(|folder| library_in(&folder)) {
        return check(&file);
    }
    let wheels = environment_wheels().chain(std::iter::once_with(python_wheel).flatten());
    let mut files = wheels.filter_map(|folder| library_in(&folder));
    files.find_map(|file| check(&file).ok()).ok_or_else(|| {
        let message = format!(
            "expected ONNX Runtime's library in {LIBRARY_VARIABLE}, installed by \
             `lobule engine install` or in Python's onnxruntime, got none"
        );
        Error::new(ErrorKind::Unavailable, message)
    })
}

fn named_library(path: &Path) -> Result<Library, Error> {
    let file = if path.is_dir() {
        library_in(path).ok_or_else(|| {
            let message =
                format!("expected a library in the folder of {LIBRARY_VARIABLE}, got none");
            Error::at(ErrorKind::Unavailable, path, message)
        })?
    } else {
        path.to_path_buf()
    };
    check(&file)
}

/// Where [`install`](crate::install) puts the library; `None` without a home folder.
pub fn install_folder() -> Option<PathBuf> {
    Some(dirs::data_dir()?.join("lobule").join("onnxruntime"))
}

fn environment_wheels() -> impl Iterator<Item = PathBuf> {
    let roots = ["VIRTUAL_ENV", "CONDA_PREFIX"]
        .into_iter()
        .filter_map(env::var_os);
    roots.flat_map(|root| {
        let root = PathBuf::from(root);
        let mut packages = vec![root.join("Lib").join("site-packages")];
        let versions = fs::read_dir(root.join("lib"))
            .into_iter()
            .flatten()
            .flatten();
        packages.extend(versions.map(|version| version.path().join("site-packages")));
        packages
    })
}

fn python_wheel() -> Option<PathBuf> {
    let output = Command::new(python())
        .args(["-c", FIND_WHEEL])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let folder = Path::new(text.trim());
    folder.is_absolute().then(|| folder.to_path_buf())
}

pub(crate) fn python() -> &'static str {
    if cfg!(windows) { "python" } else { "python3" }
}

/// The library file in a folder; the last by name when there are several.
fn library_in(folder: &Path) -> Option<PathBuf> {
    INNER_FOLDERS.iter().find_map(|inner| {
        let entries = fs::read_dir(folder.join(inner)).ok()?.flatten();
        let files = entries.map(|entry| entry.path());
        files.filter(|f| f.is_file() && is_library_name(f)).max()
    })
}

/// `libonnxruntime.so.1.31.1`, `libonnxruntime.1.31.1.dylib`, `onnxruntime.dll`.
pub(crate) fn is_library_name(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    match env::consts::OS {
        "windows" => name == "onnxruntime.dll",
        "macos" => name.starts_with("libonnxruntime.") && name.ends_with(".dylib"),
        _ => name == "libonnxruntime.so" || name.starts_with("libonnxruntime.so."),
    }
}

/// Loads a library and asks for its version, so that the engine's own loader, which panics on a
/// bad library, only ever sees a good one.
pub(crate) fn check(path: &Path) -> Result<Library, Error> {
    let unusable =
        |cause: String| Error::caused(ErrorKind::Unavailable, path, "a usable ONNX Runtime", cause);
    let path = path.canonicalize().map_err(|e| unusable(e.to_string()))?;
    check_complete(&path).map_err(unusable)?;
    let version = guarded(ErrorKind::Unavailable, &path, || {
        version_of(&path).map_err(unusable)
    })?;
    let minor = version
        .split('.')
        .nth(1)
        .and_then(|m| m.parse::<u32>().ok());
    if minor.is_none_or(|minor| minor < OLDEST_MINOR) {
        return Err(unusable(format!(
            "version {version}, older than 1.{OLDEST_MINOR}"
        )));
    }
    Ok(Library { path, version })
}

/// Loading a cut-off file would end the process with a bus error when a missing page is touched;
/// an ELF file's section table stands at its end, so its place shows whether the file is whole.
fn check_complete(path: &Path) -> Result<(), String> {
    use std::io::Read;
    let file = fs::File::open(path).map_err(|e| e.to_string())?;
    let size = file.metadata().map_err(|e| e.to_string())?.len();
    let mut head = Vec::new();
    file.take(64)
        .read_to_end(&mut head)
        .map_err(|e| e.to_string())?;
    let is_elf_64 = head.len() == 64 && head.starts_with(&[0x7f, b'E', b'L', b'F', 2, 1]);
    if !is_elf_64 {
        let foreign = env::consts::OS == "linux" && cfg!(target_pointer_width = "64");
        return if foreign {
            Err("not a shared library".into())
        } else {
            Ok(())
        };
    }
    let short = |at: usize| u64::from(u16::from_le_bytes([head[at], head[at + 1]]));
    let table = u64::from_le_bytes(head[0x28..0x30].try_into().expect("eight bytes"));
    let end = table.saturating_add(short(0x3a) * short(0x3c));
    if end > size {
        return Err(format!("a cut-off file of {size} bytes, {end} expected"));
    }
    Ok(())
}

fn version_of(path: &Path) -> Result<String, String> {
    // SAFETY: loading runs the library's constructors. The file is one that the user named,
    // installed, or has as a Python package; it is as trusted as any program of theirs.
    let library = unsafe { libloading::Library::new(path) }.map_err(|e| e.to_string())?;
    // SAFETY: `OrtGetApiBase` has had this signature in every release of ONNX Runtime.
    let version = unsafe {
        let base: libloading::Symbol<'_, unsafe extern "C" fn() -> *const ort::sys::OrtApiBase> =
            library.get(b"OrtGetApiBase\0").map_err(|e| e.to_string())?;
        version_text(base())
    };
    // The engine loads it again at once; unloading in between would only cost time.
    std::mem::forget(library);
    version
}

/// # Safety
/// `base` is null or points to the library's own table.
unsafe fn version_text(base: *const ort::sys::OrtApiBase) -> Result<String, String> {
    // SAFETY: null is ruled out, otherwise as the caller promises; the text is a constant of the
    // library that ends with a null byte.
    unsafe {
        let base = base.as_ref().ok_or("no interface")?;
        let text = (base.GetVersionString)();
        if text.is_null() {
            return Err("no version".into());
        }
        Ok(CStr::from_ptr(text).to_string_lossy().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn only_the_library_itself_is_taken() {
        for (name, expected) in [
            ("libonnxruntime.so", true),
            ("a/libonnxruntime.so.1.31.1", true),
            ("libonnxruntime_providers_shared.so", false),
            ("onnxruntime_pybind11_state.so", false),
        ] {
            assert_eq!(is_library_name(Path::new(name)), expected, "{name}");
        }
    }

    #[test]
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    fn broken_libraries_are_errors_with_their_path() {
        let folder = tempfile::tempdir().unwrap();
        let program = fs::read(env::current_exe().unwrap()).unwrap();
        let mut lying = program[..64].to_vec();
        lying[0x28..0x30].copy_from_slice(&u64::MAX.to_le_bytes());
        let cases: [(&str, &[u8]); 5] = [
            ("empty", b""),
            ("text", b"not a library"),
            ("cut", &program[..program.len() / 2]),
            ("head", &program[..64]),
            ("lying", &lying),
        ];
        for (name, bytes) in cases {
            let file = folder.path().join(name);
            fs::write(&file, bytes).unwrap();
            let error = check(&file).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{name}");
            assert!(error.path().is_some(), "{name}");
        }
        assert!(check(&folder.path().join("absent")).is_err());
        let empty = named_library(folder.path()).unwrap_err();
        assert!(empty.to_string().contains("in the folder"), "{empty}");
    }
}
