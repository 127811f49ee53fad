//! BrEaST as published.

use std::path::{Path, PathBuf};

use calamine::{Reader, Xlsx, open_workbook};

use super::{Found, Row, entries, label, take};
use crate::{Case, Error, ErrorKind};

const PICTURES: &str = "BrEaST-Lesions_USG-images_and_masks";

/// The rows of the workbook's first sheet.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let workbook = workbook(folder)?;
    let prefix = match folder.join(PICTURES).is_dir() {
        true => format!("{PICTURES}/"),
        false => String::new(),
    };
    let mut cases = Vec::new();
    for (line, mut row) in sheet(&workbook)? {
        let at = (workbook.as_path(), line);
        let image = take(&mut row, "Image_filename", at)?;
        // Several masks stand in one cell, joined by `&`; the first is the tumour.
        let mask = take(&mut row, "Mask_tumor_filename", at).ok();
        let first = |cell: String| {
            cell.split('&')
                .next()
                .map(|m| format!("{prefix}{}", m.trim()))
        };
        let found = Found {
            group: take(&mut row, "CaseID", at)?,
            name: format!("{prefix}{image}"),
            mask: mask.and_then(first),
            fold: None,
            label: label(&take(&mut row, "Classification", at)?, at)?,
            extra: renamed(row),
        };
        cases.push(found.into_case(set, folder)?);
    }
    Ok(cases)
}

fn workbook(folder: &Path) -> Result<PathBuf, Error> {
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

fn sheet(file: &Path) -> Result<Vec<(usize, Row)>, Error> {
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

fn renamed(mut row: Row) -> Row {
    [("BIRADS", "birads"), ("Diagnosis", "histology")]
        .into_iter()
        .filter_map(|(from, to)| Some((to.to_owned(), row.remove(from)?)))
        .collect()
}
