//! A sheet of a workbook (`.xlsx`) as rows of text.
//!
//! Cells are read one at a time: a sheet may claim a cell in the last of 17 thousand million
//! places, and a small file may unpack to a large one. Both are refused before memory is taken.

use std::fs::File;
use std::io::{Read, copy, sink};
use std::path::Path;

use calamine::{Data, Reader as _, Xlsx, XlsxError};
use csv::StringRecord;
use zip::ZipArchive;

use super::source::{open_file, quoted, read_failure};
use crate::{Error, ErrorKind};

/// Most bytes that the parts of a workbook may unpack to, together.
const MOST_UNPACKED: u64 = 64 << 20;
/// Most bytes of text in the cells of a sheet: many cells may share one long text of the workbook.
const MOST_TEXT: usize = 64 << 20;
/// Most columns of a sheet.
const MOST_COLUMNS: usize = 256;
/// Most cells of a sheet, empty ones between filled ones included.
const MOST_CELLS: usize = 16 << 20;

/// The filled rows of a sheet.
pub(super) struct Sheet {
    /// Its name in the workbook.
    pub(super) name: String,
    /// Row number from 0 and cells; the first one is the header.
    pub(super) rows: Vec<(u64, StringRecord)>,
}

/// Reads the first sheet that has one of these names, letter case aside.
pub(super) fn read_sheet(path: &Path, names: &[&str]) -> Result<Sheet, Error> {
    check_size(path)?;
    let fail = |error: XlsxError| read_failure(path, ErrorKind::Format, error);
    let mut workbook: Xlsx<_> = calamine::open_workbook(path).map_err(fail)?;
    let sheets = workbook.sheet_names();
    let wanted = |sheet: &&String| names.iter().any(|name| sheet.eq_ignore_ascii_case(name));
    let Some(name) = sheets.iter().find(wanted).cloned() else {
        let text = format!(
            "expected a sheet {}, got {}",
            quoted(names),
            quoted(&sheets)
        );
        return Err(Error::new(ErrorKind::Format, text).in_file(path));
    };
    let mut cells = workbook.worksheet_cells_reader(&name).map_err(fail)?;
    let mut filling = Filling::default();
    while let Some(cell) = cells.next_cell().map_err(fail)? {
        let (row, column) = cell.get_position();
        let text = match Data::from(cell.get_value().clone()) {
            Data::Empty => continue,
            filled => filled.to_string(),
        };
        filling
            .add(row, column as usize, &text)
            .map_err(|text| Error::new(ErrorKind::Format, text).in_file(path))?;
    }
    filling.end_row();
    Ok(Sheet {
        name,
        rows: filling.rows,
    })
}

/// Unpacks every part once, to nowhere: what the directory says of sizes need not be true.
fn check_size(path: &Path) -> Result<(), Error> {
    let fail =
        |error: &dyn std::fmt::Display| read_failure(path, ErrorKind::Format, error.to_string());
    let file: File = open_file(path)?;
    let mut archive = ZipArchive::new(file).map_err(|e| fail(&e))?;
    let mut left = MOST_UNPACKED;
    for part in 0..archive.len() {
        let part = archive.by_index(part).map_err(|e| fail(&e))?;
        let unpacked = copy(&mut part.take(left + 1), &mut sink()).map_err(|e| fail(&e))?;
        left = left.checked_sub(unpacked).ok_or_else(|| {
            let text =
                format!("expected a workbook of at most {MOST_UNPACKED} bytes, got a larger one");
            Error::new(ErrorKind::Format, text).in_file(path)
        })?;
    }
    Ok(())
}

/// Rows on their way from single cells.
#[derive(Default)]
struct Filling {
    rows: Vec<(u64, StringRecord)>,
    at: Option<u32>,
    record: StringRecord,
    cells: usize,
    bytes: usize,
}

impl Filling {
    fn add(&mut self, row: u32, column: usize, text: &str) -> Result<(), String> {
        if column >= MOST_COLUMNS {
            return Err(format!(
                "expected at most {MOST_COLUMNS} columns, got a cell in column {}",
                column + 1
            ));
        }
        if self.at != Some(row) {
            if self.at.is_some_and(|at| at > row) {
                return Err(format!("expected rows in order, got row {} late", row + 1));
            }
            self.end_row();
            self.at = Some(row);
            self.cells += self.width();
        }
        if column < self.record.len() {
            return Err(format!(
                "expected cells in order, got column {} late in row {}",
                column + 1,
                row + 1
            ));
        }
        self.cells += column + 1 - self.record.len();
        if self.cells > MOST_CELLS {
            return Err(format!("expected at most {MOST_CELLS} cells, got more"));
        }
        self.bytes += text.len();
        if self.bytes > MOST_TEXT {
            return Err(format!(
                "expected at most {MOST_TEXT} bytes of text, got more"
            ));
        }
        while self.record.len() < column {
            self.record.push_field("");
        }
        self.record.push_field(text);
        Ok(())
    }

    fn width(&self) -> usize {
        self.rows.first().map_or(0, |(_, header)| header.len())
    }

    /// Ends the row; rows are as long as the header at least.
    fn end_row(&mut self) {
        let Some(row) = self.at.take() else {
            return;
        };
        let width = self.width();
        let mut record = std::mem::take(&mut self.record);
        while record.len() < width {
            record.push_field("");
        }
        self.rows.push((u64::from(row), record));
    }
}
