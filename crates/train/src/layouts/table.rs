//! Our own table: `labels.csv` beside the images.

use std::collections::BTreeMap;
use std::path::Path;

use super::mias;
use crate::{Case, Error, ErrorKind};

/// The rows of `labels.csv` but those that say `exclude`.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let table = folder.join("labels.csv");
    let mut reader = csv::Reader::from_path(&table).map_err(|e| Error::io(&table, e))?;
    let mut cases = Vec::new();
    for (i, row) in reader.deserialize::<BTreeMap<String, String>>().enumerate() {
        let row = row.map_err(|e| Error::new(ErrorKind::Data, e.to_string()).in_file(&table))?;
        let line = i + 2;
        let case = case(set, folder, row).map_err(|message| {
            Error::new(ErrorKind::Data, format!("line {line}: {message}")).in_file(&table)
        })?;
        cases.extend(case);
    }
    Ok(cases)
}

fn case(
    set: &str,
    folder: &Path,
    mut row: BTreeMap<String, String>,
) -> Result<Option<Case>, String> {
    if row.get("split").is_some_and(|split| split == "exclude") {
        return Ok(None);
    }
    if let Some(density) = row.remove("density_fgd") {
        row.insert("density".into(), density);
    }
    let circles = row.remove(mias::CIRCLES_COLUMN).unwrap_or_default();
    let marks = mias::circles(&circles)?;
    if !marks.is_empty() {
        row.insert("lesion".into(), mias::class_of(&circles));
    }
    let mut take = |name: &str| row.remove(name).filter(|value| !value.trim().is_empty());
    let name = take("file").ok_or("expected a value in column `file`")?;
    let label = take("label")
        .ok_or("expected a value in column `label`")?
        .parse()?;
    let group = take("patient")
        .or_else(|| take("group"))
        .unwrap_or_else(|| name.clone());
    let fold = match take("fold") {
        None => None,
        Some(text) => Some(
            text.trim()
                .parse()
                .map_err(|_| format!("expected a fold number, got `{text}`"))?,
        ),
    };
    let mask = take("mask").map(|mask| folder.join(mask));
    let breast = take("breast");
    let file = folder.join(&name);
    let set = set.to_owned();
    Ok(Some(Case {
        set,
        name,
        file,
        mask,
        marks,
        breast,
        group,
        fold,
        label,
        extra: row,
    }))
}
