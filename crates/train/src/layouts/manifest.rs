//! A manifest, as `assess` and `evaluate` read it, with labels.

use std::path::Path;

use super::{Found, label, rows, take};
use crate::{Case, Error};

/// The rows of `manifest.csv`: columns `exam`, `file` and `label`, optionally `breast`, `view` and
/// `mask`; further columns are kept for subgroups. An exam is a group; images of a row without a
/// breast stand alone.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let table = folder.join("manifest.csv");
    let mut cases = Vec::new();
    for (line, mut row) in rows(&table, b',')? {
        let at = (table.as_path(), line);
        let exam = take(&mut row, "exam", at)?;
        let breast = take(&mut row, "breast", at).ok();
        let found = Found {
            name: take(&mut row, "file", at)?,
            mask: take(&mut row, "mask", at).ok(),
            group: exam.clone(),
            fold: None,
            label: label(&take(&mut row, "label", at)?, at)?,
            extra: row,
        };
        cases.push(Case {
            breast: breast.map(|breast| format!("{exam} {breast}")),
            ..found.into_case(set, folder)?
        });
    }
    Ok(cases)
}
