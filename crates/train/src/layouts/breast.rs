//! BrEaST as published.

use std::path::Path;

use super::{Found, Row, label, take, workbook};
use crate::{Case, Error};

const PICTURES: &str = "BrEaST-Lesions_USG-images_and_masks";

/// The rows of the workbook's first sheet.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let table = workbook::find(folder)?;
    let prefix = match folder.join(PICTURES).is_dir() {
        true => format!("{PICTURES}/"),
        false => String::new(),
    };
    let mut cases = Vec::new();
    for (line, mut row) in workbook::rows(&table)? {
        let at = (table.as_path(), line);
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

fn renamed(mut row: Row) -> Row {
    [("BIRADS", "birads"), ("Diagnosis", "histology")]
        .into_iter()
        .filter_map(|(from, to)| Some((to.to_owned(), row.remove(from)?)))
        .collect()
}
