//! The manifest: a CSV that says which file belongs to which exam and breast.
//!
//! Columns `exam`, `breast` and `file` are required, in any order; files are relative to the
//! manifest. `modality` (ultrasound, mammography), `view` (CC, MLO, …), `medium` (film, digital: what
//! a mammogram was taken on), `row_mm` and `col_mm` (size of a pixel) are understood where they are
//! there. All columns but the first three are also kept
//! as they are (`label`, `patient`, …).
//!
//! A manifest in which any row states a view or a medium is a manifest of mammograms: every row is one
//! unless its column `modality` says otherwise. A word in these columns that is not known is an error.
//! In a row whose `modality` is ultrasound they mean nothing here.

use std::io::Read;

use lobule_exam::{Laterality, Medium, Modality, Side, Spacing, View};

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
    /// The breast; unknown when the field is empty and the view names none (`LCC`).
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
    let of_mammogram = |row: &ManifestRow| row.view.is_some() || row.medium.is_some();
    if rows.iter().any(of_mammogram) {
        for row in &mut rows {
            row.modality.get_or_insert(Modality::Mammography);
        }
    }
    Ok(rows)
}

/// The view, and the breast: a view's word may name it too (`LCC`, `R-MLO`).
fn view_and_side(text: &str, side: Side) -> Result<(View, Side), String> {
    let unknown: String = match text.parse() {
        Ok(view) => return Ok((view, side)),
        Err(unknown) => unknown,
    };
    match (lettered(text), side) {
        (None, _) => Err(format!(
            "{unknown}; a manifest of sonograms with a column `view` needs the column `modality`"
        )),
        (Some((named, _)), Side::Known(known)) if named != known => Err(format!(
            "expected a view of the {side} breast, which the column `breast` names, got `{text}`"
        )),
        (Some((named, view)), _) => Ok((view, Side::Known(named))),
    }
}

/// A side's letter before a view, with or without a sign between them.
fn lettered(text: &str) -> Option<(Laterality, View)> {
    let (letter, rest) = (text.get(..1)?, text.get(1..)?);
    let side = match letter {
        "L" | "l" => Laterality::Left,
        "R" | "r" => Laterality::Right,
        _ => return None,
    };
    let view = rest.strip_prefix(['-', '_', ' ']).unwrap_or(rest);
    Some((side, view.parse().ok()?))
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

/// What a row says of a mammogram.
struct Stated {
    side: Side,
    view: Option<View>,
    medium: Option<Medium>,
}

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
        let exam = needed(self.exam, "exam")?;
        let side = record.get(self.breast).unwrap_or_default();
        let side = side.parse();
        let side = side.map_err(|e: String| wrong(line, "breast", &shortened(&e)))?;
        let file = needed(self.file, "file")?;
        let modality = self.modality(record, line)?;
        let stated = self.of_mammogram(record, line, (modality, side))?;
        Ok(ManifestRow {
            line,
            exam,
            side: stated.side,
            file,
            modality,
            view: stated.view,
            medium: stated.medium,
            spacing: self.spacing(record, line)?,
            extra: self.extra(header, record),
        })
    }

    /// What the columns of mammograms state in a row that does not say ultrasound.
    fn of_mammogram(
        &self,
        record: &csv::StringRecord,
        line: u64,
        (modality, side): (Option<Modality>, Side),
    ) -> Result<Stated, Error> {
        let text = |column: Option<usize>| {
            let column = column.filter(|_| modality != Some(Modality::Ultrasound));
            let text = column.and_then(|at| record.get(at));
            text.filter(|text| !text.is_empty())
        };
        let refused = |column| move |e: String| wrong(line, column, &shortened(&e));
        let view = text(self.view).map(|text| view_and_side(text, side));
        let view = view.transpose().map_err(refused("view"))?;
        let medium = text(self.medium).map(str::parse).transpose();
        Ok(Stated {
            side: view.map_or(side, |(_, side)| side),
            view: view.map(|(view, _)| view),
            medium: medium.map_err(refused("medium"))?,
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

    const HEAD: &str = "exam,breast,file,view,medium,modality,row_mm,col_mm\n";

    fn read(rows: &str) -> Result<Vec<ManifestRow>, Error> {
        read_manifest(format!("{HEAD}{rows}").as_bytes())
    }

    #[test]
    fn a_view_or_a_medium_makes_a_manifest_of_mammograms() {
        let modalities = |rows: &str| -> Vec<Option<Modality>> {
            read(rows).unwrap().iter().map(|r| r.modality).collect()
        };
        let (us, mg) = (Some(Modality::Ultrasound), Some(Modality::Mammography));
        let text = "a,left,x,cc,,,0.1,0.2\na,left,y,,,,,\na,left,z,radial,big,ultrasound,,\n";
        assert_eq!(modalities(text), [mg, mg, us]);
        let text = "a,left,x,,film,,,\na,left,y,,,,,\n";
        assert_eq!(modalities(text), [mg, mg]);
        assert_eq!(modalities("a,left,x,,,,0.1,0.2\n"), [None]);
        // What a sonogram's row states says nothing of the others.
        let text = "a,left,x,cc,film,ultrasound,,\na,left,y,,,,,\n";
        assert_eq!(modalities(text), [us, None]);
        let rows = read("a,left,x,cc,Film,,0.1,0.2\na,left,y,,,,,\n").unwrap();
        let stated = (Some(View::Cc), Some(Medium::Film));
        assert_eq!((rows[0].view, rows[0].medium), stated);
        assert_eq!(rows[0].spacing, Spacing::new(0.1, 0.2).ok());
        assert_eq!((rows[1].view, rows[1].medium), (None, None));
        assert_eq!(rows[1].spacing, None);
    }

    #[test]
    fn a_view_may_name_the_breast_too() {
        let (left, right) = (Laterality::Left, Laterality::Right);
        for (breast, word, side, view) in [
            ("left", "LCC", left, View::Cc),
            ("R", "rmlo", right, View::Mlo),
            ("left", "L-CC", left, View::Cc),
            ("right", "R_MLO", right, View::Mlo),
            ("", "L CC", left, View::Cc),
            ("", "LML", left, View::Ml),
            ("right", "LM", right, View::Lm),
            ("right", "LMO", right, View::Lmo),
        ] {
            let rows = read(&format!("a,{breast},x,{word},,,,\n")).unwrap();
            let expected = (Side::Known(side), Some(view));
            assert_eq!((rows[0].side, rows[0].view), expected, "{word}");
            assert_eq!(rows[0].extra[0], ("view".to_owned(), word.to_owned()));
        }
    }

    #[test]
    fn wrong_rows_of_mammograms_name_line_column_and_word() {
        let unknown = |line: u64, word: &str| {
            format!(
                "line {line}, column `view`: expected a mammographic view such as CC or MLO, got \
                 `{word}`; a manifest of sonograms with a column `view` needs the column `modality`"
            )
        };
        for (rows, expected) in [
            ("a,left,x,cc,,,,\na,left,y,CCC,,,,\n", &*unknown(3, "CCC")),
            ("a,left,x,radial,,,,\n", &unknown(2, "radial")),
            ("a,left,x,LCCC,,mammography,,\n", &unknown(2, "LCCC")),
            ("a,left,x,äCC,digital,,,\n", &unknown(2, "äCC")),
            (
                "a,left,x,RCC,,,,\n",
                "line 2, column `view`: expected a view of the left breast, which the column \
                 `breast` names, got `RCC`",
            ),
            (
                "a,left,x,,digtal,,,\n",
                "line 2, column `medium`: expected film or digital, got `digtal`",
            ),
            (
                "a,left,x,cc,,mri,,\n",
                "line 2, column `modality`: expected ultrasound or",
            ),
            (
                "a,left,x,,,histology,,\n",
                "line 2, column `modality`: expected ultrasound or",
            ),
            (
                "a,left,x,cc,,,0.1,\n",
                "line 2, column `col_mm`: expected millimetres, got ``",
            ),
            (
                "a,left,x,cc,,,0.1,-1\n",
                "line 2, column `row_mm`: expected a finite spacing",
            ),
        ] {
            let error = read(rows).unwrap_err();
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
