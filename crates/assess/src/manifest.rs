//! The manifest: a CSV that says which file belongs to which exam and breast.
//!
//! Columns `exam`, `breast` and `file` are required, in any order; files are relative to the
//! manifest. `modality` (ultrasound, mammography), `view` (CC, MLO, …), `medium` (film, digital: what
//! a mammogram was taken on), `row_mm` and `col_mm` (size of a pixel) are understood where they are
//! there. All columns but the first three are also kept
//! as they are (`label`, `patient`, …).
//!
//! A manifest in which any view is a mammographic one is a manifest of mammograms: every row is one
//! unless its column `modality` says otherwise, and a view or medium that is not known is an error.
//! In all others the columns `view` and `medium` mean nothing here.

use std::io::Read;
use std::str::FromStr;

use lobule_exam::{Medium, Modality, Side, Spacing, View};

use crate::{Error, ErrorKind};

/// Longest field that is read, in bytes.
const LONGEST_FIELD: usize = 4096;
/// Largest manifest that is read, in bytes.
const LARGEST_MANIFEST: u64 = 32 << 20;
/// Most columns.
const MOST_COLUMNS: usize = 256;
/// Most bytes that all rows may take in memory, where each keeps its columns' names.
const MOST_KEPT_BYTES: usize = 256 << 20;

/// One line of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestRow {
    /// Line in the file, from 1.
    pub line: u64,
    /// Name of the exam.
    pub exam: String,
    /// The breast; unknown when the field is empty.
    pub side: Side,
    /// The file as written.
    pub file: String,
    /// What the image was made with, where the manifest tells.
    pub modality: Option<Modality>,
    /// The mammographic view, where it is stated.
    pub view: Option<View>,
    /// What the mammogram was taken on, where it is stated.
    pub medium: Option<Medium>,
    /// Size of a pixel, where it is stated.
    pub spacing: Option<Spacing>,
    /// The other columns: name and value.
    pub extra: Vec<(String, String)>,
}

/// Reads a manifest. Nothing is opened but the given bytes.
///
/// # Errors
/// Names the line and the column of the first field that is wrong.
///
/// ```
/// let rows = lobule_assess::read_manifest(&b"exam,breast,file\nA,left,a.png\n"[..]).unwrap();
/// assert_eq!(rows[0].file, "a.png");
/// let error = lobule_assess::read_manifest(&b"exam,breast,file\nA,both,a.png\n"[..]).unwrap_err();
/// assert!(error.to_string().starts_with("line 2, column `breast`: expected left"));
/// ```
pub fn read_manifest(input: impl Read) -> Result<Vec<ManifestRow>, Error> {
    let bytes = read_bounded(input)?;
    let mut csv = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(&bytes[..]);
    let header = csv.headers().map_err(|e| unreadable(&e))?.clone();
    let columns = Columns::find(&header)?;
    let mut rows: Vec<ManifestRow> = Vec::new();
    let mut kept = 0;
    for record in csv.records() {
        let record = record.map_err(|e| unreadable(&e))?;
        rows.push(columns.row(&header, &record)?);
        kept += cost(&header, &record);
        if kept > MOST_KEPT_BYTES {
            return Err(refused("fewer rows or shorter names of columns", "more"));
        }
    }
    if rows.iter().any(|row| row.view.is_some()) {
        rows.iter_mut().try_for_each(of_mammograms)?;
    }
    Ok(rows)
}

/// A row of a manifest of mammograms.
fn of_mammograms(row: &mut ManifestRow) -> Result<(), Error> {
    let modality = *row.modality.get_or_insert(Modality::Mammography);
    if modality != Modality::Mammography {
        return Ok(());
    }
    known::<View>(row, "view")?;
    known::<Medium>(row, "medium")
}

/// Refuses a field that is neither empty nor one of the words of its column.
fn known<T: FromStr<Err = String>>(row: &ManifestRow, column: &str) -> Result<(), Error> {
    let stated = row.extra.iter().find(|(name, _)| name == column);
    match stated.map(|(_, text)| text.as_str()) {
        None | Some("") => Ok(()),
        Some(text) => match text.parse::<T>() {
            Ok(_) => Ok(()),
            Err(e) => Err(wrong(row.line, column, &shortened(&e))),
        },
    }
}

/// A message that quotes a field.
fn shortened(message: &str) -> String {
    const MOST: usize = 200;
    message.chars().take(MOST).collect()
}

fn read_bounded(input: impl Read) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = input.take(LARGEST_MANIFEST + 1).read_to_end(&mut bytes);
    read.map_err(|e| refused("a readable manifest", &e.to_string()))?;
    if bytes.len() as u64 > LARGEST_MANIFEST {
        let most = format!("at most {LARGEST_MANIFEST} bytes");
        return Err(refused(&most, "more"));
    }
    Ok(bytes)
}

/// Bytes that a row takes in memory.
fn cost(header: &csv::StringRecord, record: &csv::StringRecord) -> usize {
    let pair = size_of::<(String, String)>();
    let text = header.as_slice().len() + record.as_slice().len();
    size_of::<ManifestRow>() + header.len() * pair + text
}

struct Columns {
    exam: usize,
    breast: usize,
    file: usize,
    modality: Option<usize>,
    view: Option<usize>,
    medium: Option<usize>,
    spacing: [Option<usize>; 2],
}

const SPACING: [&str; 2] = ["row_mm", "col_mm"];

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Columns, Error> {
        if header.len() > MOST_COLUMNS {
            let got = header.len().to_string();
            return Err(refused(&format!("at most {MOST_COLUMNS} columns"), &got));
        }
        let plain = |name: &str| name.trim_start_matches('\u{feff}').to_ascii_lowercase();
        let optional = |wanted: &str| header.iter().position(|name| plain(name) == wanted);
        let column = |wanted: &str| {
            optional(wanted).ok_or_else(|| {
                let got: Vec<&str> = header.iter().take(12).collect();
                wrong(
                    1,
                    wanted,
                    &format!("expected this column, got {}", got.join(",")),
                )
            })
        };
        Ok(Columns {
            exam: column("exam")?,
            breast: column("breast")?,
            file: column("file")?,
            modality: optional("modality"),
            view: optional("view"),
            medium: optional("medium"),
            spacing: SPACING.map(optional),
        })
    }

    fn row(
        &self,
        header: &csv::StringRecord,
        record: &csv::StringRecord,
    ) -> Result<ManifestRow, Error> {
        let line = record.position().map_or(0, csv::Position::line);
        let needed = |at: usize, column: &str| match record.get(at) {
            Some(text) if !text.is_empty() && text.len() <= LONGEST_FIELD => Ok(text.to_owned()),
            Some("") | None => Err(wrong(line, column, "expected a value, got nothing")),
            Some(text) => {
                let n = text.len();
                let message = format!("expected at most {LONGEST_FIELD} bytes, got {n}");
                Err(wrong(line, column, &message))
            }
        };
        let side = record.get(self.breast).unwrap_or_default();
        Ok(ManifestRow {
            line,
            exam: needed(self.exam, "exam")?,
            side: side
                .parse()
                .map_err(|e: String| wrong(line, "breast", &e))?,
            file: needed(self.file, "file")?,
            modality: self.modality(record, line)?,
            view: self.view.and_then(|at| record.get(at)?.parse().ok()),
            medium: self.medium.and_then(|at| record.get(at)?.parse().ok()),
            spacing: self.spacing(record, line)?,
            extra: self.extra(header, record),
        })
    }

    fn modality(&self, record: &csv::StringRecord, line: u64) -> Result<Option<Modality>, Error> {
        match self.modality.and_then(|at| record.get(at)) {
            None | Some("") => Ok(None),
            Some(text) => {
                let named = |m: &Modality| m.name().eq_ignore_ascii_case(text.trim());
                let found = Modality::RADIOLOGY.into_iter().find(named);
                let unknown = || format!("expected ultrasound or mammography, got `{text}`");
                let wrong = || wrong(line, "modality", &shortened(&unknown()));
                found.ok_or_else(wrong).map(Some)
            }
        }
    }

    /// Both numbers or none.
    fn spacing(&self, record: &csv::StringRecord, line: u64) -> Result<Option<Spacing>, Error> {
        let text = self.spacing.map(|at| at.and_then(|at| record.get(at)));
        let text = text.map(|t| t.unwrap_or_default());
        if text == ["", ""] {
            return Ok(None);
        }
        let number = |i: usize| {
            let parsed = text[i].parse::<f64>();
            parsed.map_err(|_| {
                let got = shortened(text[i]);
                wrong(
                    line,
                    SPACING[i],
                    &format!("expected millimetres, got `{got}`"),
                )
            })
        };
        let spacing = Spacing::new(number(0)?, number(1)?);
        spacing
            .map(Some)
            .map_err(|e| wrong(line, SPACING[0], &e.to_string()))
    }

    fn extra(
        &self,
        header: &csv::StringRecord,
        record: &csv::StringRecord,
    ) -> Vec<(String, String)> {
        let own = [self.exam, self.breast, self.file];
        let named = header.iter().zip(record).enumerate();
        named
            .filter(|(at, _)| !own.contains(at))
            .map(|(_, (name, value))| (name.to_ascii_lowercase(), value.to_owned()))
            .collect()
    }
}

fn wrong(line: u64, column: &str, message: &str) -> Error {
    let text = format!("line {line}, column `{column}`: {message}");
    Error::new(ErrorKind::Manifest, text)
}

fn refused(expected: &str, got: &str) -> Error {
    let text = format!("expected {expected}, got {got}");
    Error::new(ErrorKind::Manifest, text)
}

fn unreadable(error: &csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    let text = format!("line {line}: expected a row of a CSV table, got: {error}");
    Error::new(ErrorKind::Manifest, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_manifests_name_line_and_column() {
        let cases = [
            ("", "line 1, column `exam`"),
            ("exam,file\n", "line 1, column `breast`"),
            ("exam,breast,file\n,left,x\n", "line 2, column `exam`"),
            (
                "exam,breast,file\na,left,x\na,up,x\n",
                "line 3, column `breast`",
            ),
            ("exam,breast,file\na,left,\n", "line 2, column `file`"),
            ("exam,breast,file\na,left\n", "line 2: expected a row"),
            (
                "exam,breast,file\na,\u{fffd},x\n",
                "line 2, column `breast`",
            ),
        ];
        for (text, expected) in cases {
            let error = read_manifest(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(expected), "{text:?}: {error}");
            assert_eq!(error.kind(), ErrorKind::Manifest);
        }
        assert!(read_manifest(&b"exam,breast,file\na,left,\xff\xfe\n"[..]).is_err());
    }

    #[test]
    fn what_would_fill_the_memory_is_refused() {
        let many_columns = format!("exam,breast,file{}\n", ",x".repeat(MOST_COLUMNS));
        let names = ["n".repeat(1 << 18), "m".repeat(1 << 18)].join(",");
        let row = "e,left,a.png,,\n";
        let long_names = format!("exam,breast,file,{names}\n{}", row.repeat(600));
        let endless = std::io::repeat(b'a');
        let texts: [(Box<dyn Read>, &str); 3] = [
            (
                Box::new(std::io::Cursor::new(many_columns)),
                "at most 256 columns, got 259",
            ),
            (Box::new(std::io::Cursor::new(long_names)), "fewer rows"),
            (Box::new(endless), "at most 33554432 bytes"),
        ];
        for (text, expected) in texts {
            let error = read_manifest(text).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn a_mammographic_view_makes_a_manifest_of_mammograms() {
        let read = |text: &str| read_manifest(text.as_bytes());
        let head = "exam,breast,file,view,modality,row_mm,col_mm\n";
        let text =
            format!("{head}a,left,x,cc,,0.1,0.2\na,left,y,,,,\na,left,z,radial,ultrasound,,\n");
        let rows = read(&text).unwrap();
        let mammography = Some(Modality::Mammography);
        let modalities: Vec<_> = rows.iter().map(|r| r.modality).collect();
        let expected = [mammography, mammography, Some(Modality::Ultrasound)];
        assert_eq!(modalities, expected);
        assert_eq!(rows[0].view, Some(View::Cc));
        assert_eq!(rows[0].spacing, Spacing::new(0.1, 0.2).ok());
        assert_eq!((rows[1].view, rows[1].spacing), (None, None));
        let other = read("exam,breast,file,view\na,left,x,radial\n").unwrap();
        assert_eq!((other[0].modality, other[0].view), (None, None));
        let wrong_rows = [
            (
                "a,left,x,cc,,,\na,left,y,CCC,,,\n",
                "line 3, column `view`: expected a mammographic view",
            ),
            (
                "a,left,x,cc,mri,,\n",
                "line 2, column `modality`: expected ultrasound or",
            ),
            (
                "a,left,x,,histology,,\n",
                "line 2, column `modality`: expected ultrasound or",
            ),
            (
                "a,left,x,cc,,0.1,\n",
                "line 2, column `col_mm`: expected millimetres, got ``",
            ),
            (
                "a,left,x,cc,,0.1,-1\n",
                "line 2, column `row_mm`: expected a finite spacing",
            ),
        ];
        for (row, expected) in wrong_rows {
            let error = read(&format!("{head}{row}")).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }

    #[test]
    fn other_columns_are_kept_and_order_is_free() {
        let text = "\u{feff}File,Label,EXAM,breast\nx.png,benign, e1 ,\n";
        let rows = read_manifest(text.as_bytes()).unwrap();
        assert_eq!(rows[0].exam, "e1");
        assert_eq!(rows[0].side, Side::Unknown);
        assert_eq!(rows[0].extra, [("label".to_owned(), "benign".to_owned())]);
    }
}
