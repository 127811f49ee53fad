//! CMMD as published.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lobule_exam::{Laterality, Side};
use lobule_raster::Limits;

use super::{Found, Row, entries, label, relative, take, workbook};
use crate::{Case, Error, ErrorKind, Label};

/// The rows of the clinical workbook, one per breast with a finding, joined with the pictures of
/// that side. Pictures of breasts without a row have no label and are left out.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let breasts = breasts(&workbook::find(folder)?)?;
    let mut pictures: BTreeMap<&str, Vec<(PathBuf, char)>> = BTreeMap::new();
    let mut cases = Vec::new();
    for ((patient, side), (label, extra)) in &breasts {
        let of_patient = match pictures.get(patient.as_str()) {
            Some(found) => found,
            None => pictures
                .entry(patient)
                .or_insert(pictures_of(folder, patient)?),
        };
        for (path, _) in of_patient.iter().filter(|(_, shown)| shown == side) {
            let found = Found {
                name: relative(folder, path),
                mask: None,
                group: patient.clone(),
                fold: None,
                label: *label,
                extra: extra.clone(),
            };
            cases.push(Case {
                breast: Some(format!("{patient} {side}")),
                ..found.into_case(set, folder)?
            });
        }
    }
    Ok(cases)
}

type Breasts = BTreeMap<(String, char), (Label, Row)>;

/// Label and subgroups by patient and side; a breast with two rows has the worse label.
fn breasts(table: &Path) -> Result<Breasts, Error> {
    let mut breasts = Breasts::new();
    for (line, mut row) in workbook::rows(table)? {
        let at = (table, line);
        let patient = take(&mut row, "ID1", at)?;
        let side = match take(&mut row, "LeftRight", at)?.as_str() {
            "L" => 'L',
            "R" => 'R',
            other => {
                let message = format!("line {line}: expected L or R, got `{other}`");
                return Err(Error::new(ErrorKind::Data, message).in_file(table));
            }
        };
        let label = label(&take(&mut row, "classification", at)?, at)?;
        let names = [
            ("abnormality", "lesion"),
            ("subtype", "subtype"),
            ("Age", "age"),
        ];
        let extra = names
            .into_iter()
            .filter_map(|(from, to)| Some((to.to_owned(), row.remove(from)?)));
        let breast = breasts
            .entry((patient, side))
            .or_insert_with(|| (label, extra.collect()));
        breast.0 = breast.0.max(label);
    }
    Ok(breasts)
}

/// A patient's pictures and the side each shows, as its header says. A picture that states no side
/// is an error: it cannot be labelled.
fn pictures_of(folder: &Path, patient: &str) -> Result<Vec<(PathBuf, char)>, Error> {
    let places = [folder.join("CMMD").join(patient), folder.join(patient)];
    let Some(place) = places.iter().find(|place| place.is_dir()) else {
        let message = format!("expected the folder `{patient}`, got none");
        return Err(Error::new(ErrorKind::Data, message).in_file(folder));
    };
    let mut files = Vec::new();
    dicom_below(place, 3, &mut files)?;
    let with_side = |file: PathBuf| -> Result<(PathBuf, char), Error> {
        let bad = |e: String| Error::new(ErrorKind::Data, e).in_file(&file);
        let header = lobule_dicomio::read_mammogram_header(&file, &Limits::default())
            .map_err(|e| bad(e.reason().to_owned()))?;
        match header.side {
            Side::Known(Laterality::Left) => Ok((file, 'L')),
            Side::Known(Laterality::Right) => Ok((file, 'R')),
            Side::Unknown => Err(bad("expected a side, got none".into())),
        }
    };
    files.into_iter().map(with_side).collect()
}

fn dicom_below(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    for path in entries(folder)? {
        if path.is_dir() && depth > 0 {
            dicom_below(&path, depth - 1, found)?;
        } else if path.extension().is_some_and(|e| e == "dcm") {
            found.push(path);
        }
    }
    Ok(())
}
