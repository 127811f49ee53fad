//! The tables that peers read too, under `LOBULE_REFERENCE`.

use std::path::PathBuf;
use std::process::Command;

/// The numbers of a table without its heading, or `None` without the folder.
pub fn rows(file: &str) -> Option<Vec<Vec<f64>>> {
    let path = PathBuf::from(std::env::var_os("LOBULE_REFERENCE")?)
        .join("bench")
        .join(file);
    let text = if file.ends_with(".gz") {
        let output = Command::new("gzip").arg("-dc").arg(&path).output();
        let output = output.expect("gzip unpacks the table");
        String::from_utf8(output.stdout).expect("a table of text")
    } else {
        std::fs::read_to_string(&path).expect("the table is there")
    };
    let numbers = |line: &str| {
        let cells = line.split(',').map(|cell| cell.parse().expect("a number"));
        cells.collect()
    };
    let rows: Vec<Vec<f64>> = text.lines().skip(1).map(numbers).collect();
    assert!(!rows.is_empty(), "{}: no rows", path.display());
    Some(rows)
}
