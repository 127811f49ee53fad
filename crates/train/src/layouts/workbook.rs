//! The one workbook of a data set.

use std::path::{Path, PathBuf};

use calamine::{Reader, Xlsx, open_workbook};

use super::{Row, entries};
use crate::{Error, ErrorKind};

/// The only workbook (`.xlsx`) in a folder.
pub(super) fn find(folder: &Path) -> Result<PathBuf, Error> {
    let is_workbook = |path: &PathBuf| path.extension().is_some_and(|e| e == "xlsx");
    let mut found = entries(folder)?.into_iter().filter(is_workbook);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (one, _) => {
            let got = if one.is_some() { "several" } else { "none" };
            let message = format!("expected one workbook (.xlsx), got {got}");
            Err(Error::new(ErrorKind::Data, message).in_file(folder))
        }
    }
}

/// The rows of its first sheet by column name, with the line for messages.
pub(super) fn rows(file: &Path) -> Result<Vec<(usize, Row)>, Error> {
    let bad = |message: String| Error::new(ErrorKind::Data, message).in_file(file);
    let mut book: Xlsx<_> =
        open_workbook(file).map_err(|e: calamine::XlsxError| bad(e.to_string()))?;
    let range = match book.worksheet_range_at(0) {
        Some(range) => range.map_err(|e| bad(e.to_string()))?,
        None => return Err(bad("expected a sheet, got none".into())),
    };
    let mut rows = range.rows();
    let header: Vec<String> = match rows.next() {
        Some(cells) => cells.iter().map(ToString::to_string).collect(),
        None => return Err(bad("expected a header, got none".into())),
    };
    Ok(rows
        .enumerate()
        .map(|(i, cells)| {
            let texts = cells.iter().map(ToString::to_string);
            (i + 2, header.iter().cloned().zip(texts).collect())
        })
        .collect())
}
