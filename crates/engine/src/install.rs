//! Fetches ONNX Runtime's library: one pinned Python wheel for each platform, by pip.
//!
//! The wheel's own Python does not matter, since only the library inside is used: pip is told to
//! take the pinned one whatever Python runs it. Nothing is unpacked before the wheel's SHA-256 is
//! the one in the table below.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::library::{Library, check, install_folder, is_library_name, python};
use crate::{Error, ErrorKind};

/// The release that is installed.
pub const VERSION: &str = "1.31.1";
/// Python version of the pinned wheels.
const PYTHON_VERSION: &str = "3.12";
/// Larger libraries are refused.
const LARGEST_LIBRARY: u64 = 512 << 20;

/// A wheel whose content is known.
#[derive(Debug)]
struct Wheel {
    os: &'static str,
    arch: &'static str,
    platform: &'static str,
    sha256: &'static str,
}

const WHEELS: [Wheel; 4] = [
    Wheel {
        os: "linux",
        arch: "x86_64",
        platform: "manylinux_2_28_x86_64",
        sha256: "1f3dea47f2f0e5117c2404cea7d21fd253ae7836a3bf167a501cdfbb2600d536",
    },
    Wheel {
        os: "linux",
        arch: "aarch64",
        platform: "manylinux_2_28_aarch64",
        sha256: "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc",
    },
    Wheel {
        os: "macos",
        arch: "aarch64",
        platform: "macosx_14_0_arm64",
        sha256: "96dd2564b10ea7153ad9c207e7cd8e5917cb3ba521e0e0a62ac03486fdc8d56c",
    },
    Wheel {
        os: "windows",
        arch: "x86_64",
        platform: "win_amd64",
        sha256: "ae8a9a351efda685cc59a66226cdefaa37a126c1d66872ca23a2de9425326130",
    },
];

/// Downloads, checks and unpacks the library into [`install_folder`], replacing what is there.
///
/// # Errors
/// `Install` without a wheel for this platform, without pip or network, when the wheel is not the
/// pinned one, or when the folder cannot be written; `Unavailable` when the library does not load.
pub fn install() -> Result<Library, Error> {
    let folder = install_folder()
        .ok_or_else(|| Error::new(ErrorKind::Install, "expected a user data folder, got none"))?;
    let wheel = wheel_of(std::env::consts::OS, std::env::consts::ARCH)?;
    let unwritable = |e| Error::caused(ErrorKind::Install, &folder, "a writable folder", e);
    fs::create_dir_all(&folder).map_err(unwritable)?;
    let work = tempfile::tempdir_in(&folder).map_err(unwritable)?;
    let file = download(wheel, work.path())?;
    verify(&file, wheel.sha256)?;
    let library = unpack(&file, work.path())?;
    check(&library)?;
    let place = folder.join(library.file_name().expect("unpacked under a name"));
    fs::rename(&library, &place).map_err(unwritable)?;
    check(&place)
}

fn wheel_of(os: &str, arch: &str) -> Result<&'static Wheel, Error> {
    let found = WHEELS.iter().find(|w| w.os == os && w.arch == arch);
    found.ok_or_else(|| {
        let message = format!(
            "expected a platform with a pinned wheel, got {os} on {arch}; name a library of your \
             own in {}",
            crate::library::LIBRARY_VARIABLE
        );
        Error::new(ErrorKind::Install, message)
    })
}

fn download(wheel: &Wheel, folder: &Path) -> Result<PathBuf, Error> {
    let failed = |cause: String| {
        Error::caused(
            ErrorKind::Install,
            Path::new("pip download"),
            "the wheel",
            cause,
        )
    };
    let output = Command::new(python())
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(["--no-deps", "--only-binary=:all:", "--implementation", "cp"])
        .args([
            "--platform",
            wheel.platform,
            "--python-version",
            PYTHON_VERSION,
        ])
        .arg("--dest")
        .arg(folder)
        .arg(format!("onnxruntime=={VERSION}"))
        .output()
        .map_err(|e| failed(format!("{}: {e}", python())))?;
    let fetched = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut wheels = fetched
        .map(|entry| entry.path())
        .filter(|p| p.extension().is_some_and(|e| e == "whl"));
    match wheels.next() {
        Some(file) if output.status.success() => Ok(file),
        _ => Err(failed(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}

fn verify(file: &Path, sha256: &str) -> Result<(), Error> {
    let unreadable = |e| Error::caused(ErrorKind::Install, file, "a readable wheel", e);
    let mut hasher = Sha256::new();
    let mut reader = File::open(file).map_err(unreadable)?;
    io::copy(&mut reader, &mut hasher).map_err(unreadable)?;
    let got: String = hasher
        .finalize()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    if got == sha256 {
        return Ok(());
    }
    let message = format!("expected SHA-256 {sha256}, got {got}");
    Err(Error::at(ErrorKind::Install, file, message))
}

/// Writes the library of a wheel into a folder, under its own file name.
fn unpack(wheel: &Path, folder: &Path) -> Result<PathBuf, Error> {
    let wrong =
        |cause: String| Error::caused(ErrorKind::Install, wheel, "a wheel with a library", cause);
    let file = File::open(wheel).map_err(|e| wrong(e.to_string()))?;
    let mut archive = zip::ZipArchive::new(file).map_err(|e| wrong(e.to_string()))?;
    let inside =
        |name: &str| name.starts_with("onnxruntime/capi/") && is_library_name(Path::new(name));
    let found = archive
        .file_names()
        .flatten()
        .map(String::from)
        .find(|name| inside(name));
    let name = found.ok_or_else(|| wrong("none".into()))?;
    let entry = archive.by_name(&name).map_err(|e| wrong(e.to_string()))?;
    if entry.size() > LARGEST_LIBRARY {
        return Err(wrong(format!("{} bytes", entry.size())));
    }
    let place = folder.join(Path::new(&name).file_name().expect("a library has a name"));
    let mut output = File::create(&place).map_err(|e| wrong(e.to_string()))?;
    io::copy(&mut entry.take(LARGEST_LIBRARY), &mut output).map_err(|e| wrong(e.to_string()))?;
    output.sync_all().map_err(|e| wrong(e.to_string()))?;
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn each_platform_has_at_most_one_pinned_wheel() {
        for (i, a) in WHEELS.iter().enumerate() {
            assert_eq!(a.sha256.len(), 64);
            let same = |b: &Wheel| (a.os, a.arch) == (b.os, b.arch) || a.sha256 == b.sha256;
            assert!(!WHEELS[i + 1..].iter().any(same), "{a:?}");
        }
        let error = wheel_of("plan9", "mips").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Install);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_wheel_is_verified_and_only_its_library_is_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("w.whl");
        let mut writer = zip::ZipWriter::new(File::create(&wheel).unwrap());
        for name in [
            "../libonnxruntime.so.1",
            "onnxruntime/capi/libonnxruntime_providers_shared.so",
            "onnxruntime/capi/libonnxruntime.so.9.9.9",
        ] {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(name, options).unwrap();
            writer.write_all(name.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
        assert!(verify(&wheel, WHEELS[0].sha256).is_err());
        let library = unpack(&wheel, folder.path()).unwrap();
        assert_eq!(library, folder.path().join("libonnxruntime.so.9.9.9"));
        let bytes = fs::read(&library).unwrap();
        assert_eq!(bytes, b"onnxruntime/capi/libonnxruntime.so.9.9.9");
        assert!(unpack(&library, folder.path()).is_err());
    }
}
