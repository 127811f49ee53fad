//! Embeds the shipped model packages (`models/<name>/` with a `manifest.toml`), so that the binary
//! needs no other file. Without any it compiles too.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let models = here.join("../../models");
    println!("cargo::rerun-if-changed={}", models.display());
    let mut code = "/// Name and bytes of an embedded file.\n\
                    pub(crate) type File = (&'static str, &'static [u8]);\n\
                    pub(crate) static PACKAGES: &[(&str, &[File])] = &[\n"
        .to_owned();
    for package in sorted(&models) {
        if package.join("manifest.toml").is_file() {
            embed(&package, &mut code);
        }
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("packages.rs"), code).expect("cargo's output folder can be written");
    if env::var_os("CARGO_FEATURE_TRAIN").is_some() {
        println!("cargo::rustc-env=LOBULE_REVISION={}", revision(&here));
        println!("cargo::rerun-if-changed=../../.git/logs/HEAD");
    }
}

/// What git calls the sources, `+` where they were changed; a training run records it.
fn revision(here: &Path) -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git")
            .current_dir(here)
            .args(args)
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    match git(&["rev-parse", "--short=12", "HEAD"]) {
        Some(revision) if git(&["status", "--porcelain", "-uno"]).as_deref() == Some("") => {
            revision
        }
        Some(revision) => revision + "+",
        None => format!("version {}", env!("CARGO_PKG_VERSION")),
    }
}

fn embed(package: &Path, code: &mut String) {
    let name = package.file_name().unwrap_or_default().to_string_lossy();
    writeln!(code, "({name:?}, &[").expect("a string takes any text");
    for file in sorted(package).iter().filter(|f| f.is_file()) {
        let path = file.canonicalize().expect("the file was just listed");
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        writeln!(code, "({name:?}, include_bytes!({path:?}).as_slice()),")
            .expect("a string takes any text");
    }
    code.push_str("]),\n");
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|e| e.path()).collect();
    paths.sort();
    paths
}
