//! The RSNA screening mammography challenge as published.

use std::path::Path;

use super::{Found, first_existing, rows, take};
use crate::{Case, Error, ErrorKind, Label};

/// The rows of `train.csv`; the pictures are DICOM files or PNG files made of them.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let table = folder.join("train.csv");
    let mut cases = Vec::new();
    for (line, mut row) in rows(&table, b',')? {
        let at = (table.as_path(), line);
        let [patient, image, side] =
            ["patient_id", "image_id", "laterality"].map(|column| take(&mut row, column, at));
        let (patient, image, side) = (patient?, image?, side?);
        let cancer = yes(&take(&mut row, "cancer", at)?, at)?;
        let biopsy = yes(&take(&mut row, "biopsy", at)?, at)?;
        let stem = format!("train_images/{patient}/{image}");
        let found = Found {
            name: first_existing(folder, &stem, &["dcm", "png"]),
            mask: None,
            group: patient.clone(),
            fold: None,
            label: match (cancer, biopsy) {
                (true, _) => Label::Malignant,
                (false, true) => Label::Benign,
                (false, false) => Label::Normal,
            },
            extra: renamed(row),
        };
        cases.push(Case {
            breast: Some(format!("{patient} {side}")),
            ..found.into_case(set, folder)?
        });
    }
    Ok(cases)
}

fn yes(text: &str, (table, line): (&Path, usize)) -> Result<bool, Error> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        other => {
            let message = format!("line {line}: expected 0 or 1, got `{other}`");
            Err(Error::new(ErrorKind::Data, message).in_file(table))
        }
    }
}

fn renamed(mut row: super::Row) -> super::Row {
    let names = [
        ("view", "view"),
        ("BIRADS", "birads"),
        ("density", "density"),
        ("machine_id", "device"),
        ("site_id", "site"),
    ];
    names
        .into_iter()
        .filter_map(|(from, to)| Some((to.to_owned(), row.remove(from)?)))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}
