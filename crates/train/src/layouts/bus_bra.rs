//! BUS-BRA as published.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Found, label, rows, take};
use crate::{Case, Error};

/// `bus_data.csv` joined with the official folds.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let folds = folds(folder)?;
    let table = folder.join("bus_data.csv");
    let mut cases = Vec::new();
    for (line, mut row) in rows(&table, b',')? {
        let at = (table.as_path(), line);
        let id = take(&mut row, "ID", at)?;
        let number = id.strip_prefix("bus_").unwrap_or(&id).to_owned();
        let found = Found {
            name: format!("Images/{id}.png"),
            mask: Some(format!("Masks/mask_{number}.png")),
            group: take(&mut row, "Case", at)?,
            fold: folds.get(&id).copied(),
            label: label(&take(&mut row, "Pathology", at)?, at)?,
            extra: renamed(row),
        };
        cases.push(found.into_case(set, folder)?);
    }
    Ok(cases)
}

/// The official fold of each image, where the file is there.
fn folds(folder: &Path) -> Result<BTreeMap<String, usize>, Error> {
    let table = folder.join("5-fold-cv.csv");
    if !table.is_file() {
        return Ok(BTreeMap::new());
    }
    let mut folds = BTreeMap::new();
    for (line, mut row) in rows(&table, b',')? {
        let at = (table.as_path(), line);
        let id = take(&mut row, "ID", at)?;
        if let Ok(fold) = take(&mut row, "kFold", at)?.parse() {
            folds.insert(id, fold);
        }
    }
    Ok(folds)
}

/// The columns that subgroups are made of, under the names that figures use.
fn renamed(mut row: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let names = [
        ("Histology", "histology"),
        ("BIRADS", "birads"),
        ("Device", "device"),
        ("Side", "half"),
    ];
    names
        .into_iter()
        .filter_map(|(from, to)| Some((to.to_owned(), row.remove(from)?)))
        .collect()
}
