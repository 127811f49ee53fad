//! CBIS-DDSM as published.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Found, entries, relative, rows, take};
use crate::{Case, Error, ErrorKind, Label, Mark, Shape};

/// The tables, each with one row per lesion.
const TABLES: [&str; 4] = [
    "mass_case_description_train_set.csv",
    "mass_case_description_test_set.csv",
    "calc_case_description_train_set.csv",
    "calc_case_description_test_set.csv",
];

/// One image with all its rows.
struct Film {
    image: String,
    patient: String,
    side: String,
    marks: Vec<Mark>,
    extra: BTreeMap<String, String>,
}

/// The images that the tables name; their lesions joined.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let mut films: BTreeMap<String, Film> = BTreeMap::new();
    for table in TABLES.map(|name| folder.join(name)) {
        if table.is_file() {
            read_table(&table, folder, &mut films)?;
        }
    }
    films
        .into_values()
        .map(|film| into_case(film, set, folder))
        .collect()
}

fn read_table(
    table: &Path,
    folder: &Path,
    films: &mut BTreeMap<String, Film>,
) -> Result<(), Error> {
    for (line, mut row) in rows(table, b',')? {
        let at = (table, line);
        let label = pathology(&take(&mut row, "pathology", at)?, at)?;
        let image = take(&mut row, "image file path", at)?;
        let mask = take(&mut row, "ROI mask file path", at)?;
        let film = match films.get_mut(first_folder(&image)) {
            Some(film) => film,
            None => {
                let film = Film {
                    image: relative(folder, &image_file(folder, &image)?),
                    patient: take(&mut row, "patient_id", at)?,
                    side: take(&mut row, "left or right breast", at)?,
                    marks: Vec::new(),
                    extra: renamed(row),
                };
                films.entry(first_folder(&image).to_owned()).or_insert(film)
            }
        };
        film.marks.push(Mark {
            shape: Shape::Mask(mask_file(folder, &mask)?),
            label,
        });
    }
    Ok(())
}

fn into_case(film: Film, set: &str, folder: &Path) -> Result<Case, Error> {
    let worst = film.marks.iter().map(|mark| mark.label).max();
    let found = Found {
        name: film.image,
        mask: None,
        group: film.patient.clone(),
        fold: None,
        label: worst.unwrap_or(Label::Normal),
        extra: film.extra,
    };
    Ok(Case {
        marks: film.marks,
        breast: Some(format!("{} {}", film.patient, film.side)),
        ..found.into_case(set, folder)?
    })
}

fn pathology(text: &str, (table, line): (&Path, usize)) -> Result<Label, Error> {
    match text {
        "MALIGNANT" => Ok(Label::Malignant),
        "BENIGN" | "BENIGN_WITHOUT_CALLBACK" => Ok(Label::Benign),
        other => {
            let message = format!("line {line}: expected a pathology, got `{other}`");
            Err(Error::new(ErrorKind::Data, message).in_file(table))
        }
    }
}

/// `Mass-Training_P_00001_LEFT_CC` of a path in a table.
fn first_folder(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

/// The film: the path of the table, or, since downloads name the folders below the first one
/// otherwise, the only file there.
fn image_file(folder: &Path, stated: &str) -> Result<PathBuf, Error> {
    let files = files_of(folder, stated)?;
    let exact = files.iter().find(|file| file.ends_with(stated.trim()));
    exact
        .or(files.first())
        .cloned()
        .ok_or_else(|| absent(folder, stated))
}

/// The mask lies beside a cut-out of the film, and the tables sometimes exchange the two: the mask
/// has the film's size. Of pictures the one of more pixels is taken (a mask packs well, and may be
/// the smaller file), of DICOM files, which are published unpacked, the larger one.
fn mask_file(folder: &Path, stated: &str) -> Result<PathBuf, Error> {
    let size = |file: &PathBuf| match image::image_dimensions(file) {
        Ok((cols, rows)) => u64::from(rows) * u64::from(cols),
        Err(_) => std::fs::metadata(file).map_or(0, |about| about.len()),
    };
    let files = files_of(folder, stated)?;
    let largest = files.into_iter().max_by_key(size);
    largest.ok_or_else(|| absent(folder, stated))
}

fn absent(folder: &Path, stated: &str) -> Error {
    let message = format!("expected an image in `{}`, got none", first_folder(stated));
    Error::new(ErrorKind::Data, message).in_file(folder)
}

/// All images below the first folder of a path, which lies here or in `CBIS-DDSM/`.
fn files_of(folder: &Path, stated: &str) -> Result<Vec<PathBuf>, Error> {
    let name = first_folder(stated);
    let places = [folder.join(name), folder.join("CBIS-DDSM").join(name)];
    let Some(place) = places.iter().find(|place| place.is_dir()) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    collect(place, 4, &mut found)?;
    Ok(found)
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    const ENDINGS: [&str; 3] = ["dcm", "png", "jpg"];
    for path in entries(folder)? {
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        if path.is_dir() && depth > 0 {
            collect(&path, depth - 1, found)?;
        } else if ENDINGS.contains(&ending.as_ref()) {
            found.push(path);
        }
    }
    Ok(())
}

fn renamed(mut row: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let density = row.remove("breast_density");
    let density = density.or_else(|| row.remove("breast density"));
    let names = [
        ("view", row.remove("image view")),
        ("density", density),
        ("birads", row.remove("assessment")),
        ("lesion", row.remove("abnormality type")),
    ];
    names
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}
