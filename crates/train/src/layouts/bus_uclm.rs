//! BUS-UCLM as published.

use std::path::Path;

use super::{Found, label, rows, take};
use crate::{Case, Error};

/// The rows of `INFO.csv`.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let table = folder.join("INFO.csv");
    let mut cases = Vec::new();
    for (line, mut row) in rows(&table, b';')? {
        let at = (table.as_path(), line);
        let image = take(&mut row, "Image", at)?;
        let patient = image.split('_').next().unwrap_or(&image).to_owned();
        let found = Found {
            name: format!("images/{image}"),
            mask: Some(format!("masks/{image}")),
            group: patient,
            fold: None,
            label: label(&take(&mut row, "Label", at)?, at)?,
            extra: row,
        };
        cases.push(found.into_case(set, folder)?);
    }
    Ok(cases)
}
