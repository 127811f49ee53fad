//! The CSV that names slides: a cohort's table.
//!
//! Columns `file` and, for its name, `slide`; with `slide` alone that is the file. Every other column is
//! carried through to `cohort.csv`. Paths are relative to the table.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::SlideInput;
use crate::{Error, ErrorKind};

const LARGEST_TABLE: u64 = 64 << 20;
const MOST_COLUMNS: usize = 256;
/// A table and the names of its other columns.
pub(super) struct SlideTable {
    pub(super) columns: Vec<String>,
    pub(super) slides: Vec<SlideInput>,
}

/// Whether a CSV names slides: it has a column `slide` and is no manifest of exams.
pub(super) fn names_slides(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let mut reader = csv::Reader::from_reader(file.take(1 << 16));
    let Ok(header) = reader.headers() else {
        return false;
    };
    let names: Vec<String> = header.iter().map(plain).collect();
    let has = |name: &str| names.iter().any(|n| n == name);
    has("slide") && !has("exam")
}

/// Reads a table.
///
/// # Errors
/// `Manifest`, naming line and column.
pub(super) fn read_table(path: &Path) -> Result<SlideTable, Error> {
    read(path).map_err(|message| Error::new(ErrorKind::Manifest, message).in_file(path))
}

fn read(path: &Path) -> Result<SlideTable, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|f| f.take(LARGEST_TABLE + 1).read_to_end(&mut bytes));
    read.map_err(|e| format!("expected a readable table, got: {e}"))?;
    if bytes.len() as u64 > LARGEST_TABLE {
        return Err(format!("expected at most {LARGEST_TABLE} bytes, got more"));
    }
    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let header = reader
        .headers()
        .map_err(|e| format!("expected a header, got: {e}"))?;
    let names: Vec<String> = header.iter().map(plain).collect();
    check_columns(&names)?;
    let at = |name: &str| names.iter().position(|n| n == name);
    let slide = at("slide").ok_or("expected a column `slide`, got none")?;
    let file = at("file").unwrap_or(slide);
    let others: Vec<usize> = (0..names.len())
        .filter(|i| ![slide, file].contains(i))
        .collect();
    let folder = path.parent().unwrap_or(Path::new(""));
    let (mut slides, mut taken) = (Vec::new(), HashSet::new());
    for record in reader.records() {
        let record = record.map_err(|e| format!("expected a row, got: {e}"))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |i: usize| record.get(i).unwrap_or_default().trim();
        if cell(file).is_empty() || cell(slide).is_empty() {
            return Err(format!(
                "line {line}: expected a slide and its file, got an empty field"
            ));
        }
        let name = match slide == file {
            true => stem(Path::new(cell(slide))),
            false => cell(slide).to_owned(),
        };
        if !taken.insert(name.clone()) {
            return Err(format!(
                "line {line}: expected each slide once, got `{name}` again"
            ));
        }
        slides.push(SlideInput {
            slide: name,
            file: folder.join(cell(file)),
            extra: others.iter().map(|&i| cell(i).to_owned()).collect(),
        });
    }
    Ok(SlideTable {
        columns: others.iter().map(|&i| names[i].clone()).collect(),
        slides,
    })
}

fn check_columns(names: &[String]) -> Result<(), String> {
    if names.len() > MOST_COLUMNS {
        return Err(format!(
            "expected at most {MOST_COLUMNS} columns, got {}",
            names.len()
        ));
    }
    let mut seen = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
        return Err(format!("expected different columns, got `{twice}` twice"));
    }
    Ok(())
}

/// As a name of a column: without a byte order mark, spaces and capitals.
fn plain(name: &str) -> String {
    name.trim_start_matches('\u{feff}')
        .trim()
        .to_ascii_lowercase()
}

/// What a slide is called that only a file names.
pub(super) fn stem(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or(file.as_os_str());
    stem.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn table(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cohort.csv");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn slides_and_clinical_columns_are_read() {
        let (folder, path) =
            table("\u{feff}Slide,patient,file,Years\na,p1,x/a.tif,2.5\nb,p1, b.svs ,\n");
        assert!(names_slides(&path));
        let read = read_table(&path).unwrap();
        assert_eq!(read.columns, ["patient", "years"]);
        assert_eq!(read.slides[0].file, folder.path().join("x/a.tif"));
        assert_eq!(read.slides[0].extra, ["p1", "2.5"]);
        assert_eq!(
            (
                read.slides[1].slide.as_str(),
                read.slides[1].extra[1].as_str()
            ),
            ("b", "")
        );
        let (folder, path) = table("patient,slide\np,slides/one.tif\n");
        let one = &read_table(&path).unwrap().slides[0];
        assert_eq!(one.slide, "one");
        assert_eq!(one.file, folder.path().join("slides/one.tif"));
    }

    #[test]
    fn wrong_tables_are_refused_by_line_and_column() {
        let cases = [
            ("slide,file\na,x\na,y\n", "line 3: expected each slide once"),
            ("slide,file\na,\n", "line 2: expected a slide and its file"),
            ("slide,file,age,AGE\na,x,1,2\n", "`age` twice"),
            ("slide,file\na,x,7\n", "expected a row"),
        ];
        for (text, expected) in cases {
            let (_folder, path) = table(text);
            let error = read_table(&path).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Manifest);
            assert!(error.to_string().contains(expected), "{error}");
        }
        for other in ["exam,breast,file\n", "exam,slide,file\n", "", "a,b\n"] {
            assert!(!names_slides(&table(other).1), "{other}");
        }
        assert!(!names_slides(Path::new("/nowhere.csv")));
    }
}
