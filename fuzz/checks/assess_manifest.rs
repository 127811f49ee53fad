//! What must hold for any bytes given as a manifest of exams.

use std::path::Path;

use lobule_assess::{ErrorKind, collect, read_manifest};

/// For inputs of some KiB.
pub const MOST_BYTES: usize = 16 << 20;

/// Rows whose files all end in an exam or among the skipped, or an error of the manifest; whether
/// there were rows.
pub fn run(bytes: &[u8], folder: &Path) -> bool {
    let manifest = folder.join("manifest.csv");
    std::fs::write(&manifest, bytes).expect("the folder can be written to");
    std::fs::write(folder.join("a.png"), b"\x89PNG").expect("the folder can be written to");
    let rows = read_manifest(bytes);
    let inputs = collect(&[manifest]);
    match (rows, inputs) {
        (Ok(rows), Ok(inputs)) => {
            let ends = inputs.files().count() + inputs.skipped.len();
            assert_eq!(ends, rows.len(), "expected every row to end somewhere");
            true
        }
        (Err(error), Err(in_file)) => {
            assert_eq!(error.kind(), ErrorKind::Manifest, "{error}");
            assert!(
                in_file.to_string().ends_with(&error.to_string()),
                "{in_file}"
            );
            false
        }
        (rows, inputs) => panic!("expected one outcome, got {rows:?} and {inputs:?}"),
    }
}
