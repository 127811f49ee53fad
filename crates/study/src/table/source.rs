//! Rows of a file, one at a time, whatever the format of the file.
//!
//! Owns: CSV, TSV, Parquet and workbook sheets as records of text with their row numbers, the
//! header, the file's digest. Does not own: what columns mean.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use sha2::{Digest, Sha256};

use super::workbook::{Sheet, read_sheet};
use crate::error::Row;
use crate::{Error, ErrorKind};

/// A file with a header.
pub(crate) struct Source {
    path: PathBuf,
    format: Format,
    header: Vec<String>,
    sheet: Option<String>,
}

enum Format {
    Text { delimiter: u8 },
    Parquet,
    Sheet(Sheet),
}

/// One row, with the means to say what is wrong with it.
pub(crate) struct Fields<'a> {
    source: &'a Source,
    record: &'a StringRecord,
    pub(crate) row: Row,
}

impl Source {
    /// Opens a `.csv`, `.tsv` or `.parquet` file; other endings are taken as CSV.
    pub(crate) fn open(path: &Path) -> Result<Source, Error> {
        let format = match ending(path).as_str() {
            "parquet" | "pq" => Format::Parquet,
            "tsv" | "tab" => Format::Text { delimiter: b'\t' },
            _ => Format::Text { delimiter: b',' },
        };
        let header = match format {
            Format::Parquet => parquet_header(path)?,
            Format::Text { delimiter } => text_header(path, delimiter)?,
            Format::Sheet(_) => unreachable!("sheets are opened by `sheet`"),
        };
        Source::new(path, format, header, None)
    }

    /// One sheet of a workbook; the first row is the header.
    pub(crate) fn sheet(path: &Path, names: &[&str]) -> Result<Source, Error> {
        let sheet = read_sheet(path, names)?;
        let header = sheet.rows.first().map(|(_, cells)| cells.iter());
        let header = header.into_iter().flatten().map(str::to_owned).collect();
        let name = sheet.name.clone();
        Source::new(path, Format::Sheet(sheet), header, Some(name))
    }

    fn new(
        path: &Path,
        format: Format,
        header: Vec<String>,
        sheet: Option<String>,
    ) -> Result<Source, Error> {
        let source = Source {
            path: path.to_owned(),
            format,
            header,
            sheet,
        };
        match source.header.iter().all(String::is_empty) {
            true => Err(source.error(ErrorKind::Missing, "expected a header, got an empty table")),
            false => Ok(source),
        }
    }

    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The column of this very name.
    pub(crate) fn column(&self, name: &str) -> Result<usize, Error> {
        let text = || {
            format!(
                "expected a column `{name}`, got {}",
                shortened(&self.header)
            )
        };
        self.find(&[name])?
            .ok_or_else(|| self.error(ErrorKind::Column, text()))
    }

    /// The one column that has one of these names, letter case aside.
    pub(crate) fn column_of(&self, names: &[&str]) -> Result<usize, Error> {
        let text = || {
            format!(
                "expected a column {}, got {}",
                quoted(names),
                shortened(&self.header)
            )
        };
        self.find(names)?
            .ok_or_else(|| self.error(ErrorKind::Column, text()))
    }

    /// As [`Source::column_of`], where the column may lack.
    pub(crate) fn find(&self, names: &[&str]) -> Result<Option<usize>, Error> {
        let is = |header: &str| names.iter().any(|name| header.eq_ignore_ascii_case(name));
        let mut found = (0..self.header.len()).filter(|&index| is(&self.header[index]));
        let Some(first) = found.next() else {
            return Ok(None);
        };
        match found.next() {
            None => Ok(Some(first)),
            Some(second) => {
                let text = format!(
                    "expected one column {}, got `{}` and `{}` (columns {} and {})",
                    quoted(names),
                    self.header[first],
                    self.header[second],
                    first + 1,
                    second + 1
                );
                Err(self.error(ErrorKind::Column, text))
            }
        }
    }

    /// An error of the file as a whole.
    pub(crate) fn error(&self, kind: ErrorKind, text: impl Into<String>) -> Error {
        let text = match &self.sheet {
            Some(sheet) => format!("sheet `{sheet}`: {}", text.into()),
            None => text.into(),
        };
        Error::new(kind, text).in_file(&self.path)
    }

    /// The row with this number, as this file counts them.
    pub(crate) fn row(&self, number: u32) -> Row {
        match self.format {
            Format::Text { .. } => Row::Line(number),
            _ => Row::Row(number),
        }
    }

    /// Hands over every row below the header.
    pub(crate) fn for_each(
        &self,
        mut visit: impl FnMut(&Fields<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut record_at = |record: &StringRecord, number: u64| {
            let number = u32::try_from(number).map_err(|_| {
                self.error(ErrorKind::Format, "expected fewer than 2³² rows, got more")
            })?;
            visit(&Fields {
                source: self,
                record,
                row: self.row(number),
            })
        };
        match &self.format {
            Format::Text { delimiter } => self.text_rows(*delimiter, &mut record_at),
            Format::Parquet => self.parquet_rows(&mut record_at),
            Format::Sheet(sheet) => {
                let mut rows = sheet.rows.iter().skip(1);
                rows.try_for_each(|(number, record)| record_at(record, *number))
            }
        }
    }

    fn text_rows(
        &self,
        delimiter: u8,
        visit: &mut dyn FnMut(&StringRecord, u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut reader = text_reader(&self.path, delimiter)?;
        let mut record = StringRecord::new();
        while reader
            .read_record(&mut record)
            .map_err(|error| text_failure(&self.path, &error))?
        {
            let line = record.position().map_or(0, csv::Position::line);
            visit(&record, line)?;
        }
        Ok(())
    }

    fn parquet_rows(
        &self,
        visit: &mut dyn FnMut(&StringRecord, u64) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let reader = parquet_reader(&self.path)?;
        let fail = |error| read_failure(&self.path, ErrorKind::Format, error);
        let rows = reader.get_row_iter(None).map_err(fail)?;
        let mut record = StringRecord::new();
        for (row, number) in rows.zip(1..) {
            let row = row.map_err(fail)?;
            record.clear();
            for (_, field) in row.get_column_iter() {
                record.push_field(&parquet_text(field));
            }
            visit(&record, number)?;
        }
        Ok(())
    }
}

impl Fields<'_> {
    /// The cell without surrounding blanks; empty where it is.
    pub(crate) fn text(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default().trim()
    }

    /// A cell that must hold something.
    pub(crate) fn name(&self, column: usize, what: &str) -> Result<&str, Error> {
        match self.text(column) {
            "" => Err(self.value_error(column, what)),
            text => Ok(text),
        }
    }

    /// A finite number.
    pub(crate) fn number(&self, column: usize) -> Result<f64, Error> {
        let number = self.text(column).parse::<f64>().ok();
        let number = number.filter(|number| number.is_finite());
        number.ok_or_else(|| self.value_error(column, "a finite number"))
    }

    /// "expected …, got …".
    pub(crate) fn value_error(&self, column: usize, expected: &str) -> Error {
        let got = match self.text(column) {
            "" => "an empty cell".to_owned(),
            text => format!("`{text}`"),
        };
        let text = format!("expected {expected}, got {got}");
        self.error(ErrorKind::Value, column, text)
    }

    pub(crate) fn error(&self, kind: ErrorKind, column: usize, text: impl Into<String>) -> Error {
        let error = self.source.error(kind, text).at(self.row);
        match self.source.header.get(column) {
            Some(name) => error.in_column(name),
            None => error,
        }
    }
}

/// SHA-256 of a file in hexadecimal digits, and its length in bytes.
pub(crate) fn digest(path: &Path) -> Result<(String, u64), Error> {
    let mut file = open_file(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut length = 0;
    loop {
        let read = file.read(&mut buffer);
        match read.map_err(|error| read_failure(path, ErrorKind::Io, error))? {
            0 => break,
            n => {
                hasher.update(&buffer[..n]);
                length += n as u64;
            }
        }
    }
    let hash = hasher.finalize();
    let digits = hash.iter().map(|byte| format!("{byte:02x}"));
    Ok((digits.collect(), length))
}

/// The ending of a file's name in small letters.
pub(crate) fn ending(path: &Path) -> String {
    let ending = path.extension().unwrap_or_default();
    ending.to_string_lossy().to_ascii_lowercase()
}

/// `` `a` or `b` ``.
pub(crate) fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    names.join(" or ")
}

/// A header for people: at most a dozen names.
pub(crate) fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len() > SHOWN {
        true => format!("{} and {} more", shown.join(", "), names.len() - SHOWN),
        false => shown.join(", "),
    }
}

pub(super) fn open_file(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| read_failure(path, ErrorKind::Io, error))
}

pub(super) fn read_failure(path: &Path, kind: ErrorKind, error: impl std::fmt::Display) -> Error {
    Error::new(kind, format!("expected a readable table, got: {error}")).in_file(path)
}

fn text_reader(path: &Path, delimiter: u8) -> Result<csv::Reader<File>, Error> {
    let mut builder = csv::ReaderBuilder::new();
    Ok(builder.delimiter(delimiter).from_reader(open_file(path)?))
}

fn text_header(path: &Path, delimiter: u8) -> Result<Vec<String>, Error> {
    let mut reader = text_reader(path, delimiter)?;
    let header = reader
        .headers()
        .map_err(|error| text_failure(path, &error))?;
    Ok(header.iter().map(|name| name.trim().to_owned()).collect())
}

fn text_failure(path: &Path, error: &csv::Error) -> Error {
    let line = |position: &Option<csv::Position>| {
        let line = position.as_ref().map_or(0, csv::Position::line);
        Row::Line(u32::try_from(line).unwrap_or(u32::MAX))
    };
    let (text, row) = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => {
            let text = format!("expected {expected_len} fields as in the header, got {len}");
            (text, line(pos))
        }
        csv::ErrorKind::Utf8 { pos, .. } => {
            let text = "expected text in UTF-8, got other bytes".to_owned();
            (text, line(pos))
        }
        csv::ErrorKind::Io(error) => return read_failure(path, ErrorKind::Io, error),
        _ => return read_failure(path, ErrorKind::Format, error),
    };
    Error::new(ErrorKind::Format, text).in_file(path).at(row)
}

fn parquet_reader(path: &Path) -> Result<SerializedFileReader<File>, Error> {
    let reader = SerializedFileReader::new(open_file(path)?);
    reader.map_err(|error| read_failure(path, ErrorKind::Format, error))
}

fn parquet_header(path: &Path) -> Result<Vec<String>, Error> {
    let reader = parquet_reader(path)?;
    let schema = reader.metadata().file_metadata().schema();
    Ok(schema
        .get_fields()
        .iter()
        .map(|field| field.name().to_owned())
        .collect())
}

/// The text of a value, numbers exactly.
fn parquet_text(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Bool(value) => u8::from(*value).to_string(),
        Field::Float(value) => f64::from(*value).to_string(),
        Field::Str(value) => value.clone(),
        Field::Bytes(value) => String::from_utf8_lossy(value.data()).into_owned(),
        other => other.to_string(),
    }
}
