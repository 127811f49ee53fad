//! Sets with a table of their own.

use std::path::{Path, PathBuf};

use super::{bare, beside, ending, file_name, files_below, is_slide};
use crate::layouts::{Row, relative, rows, take};
use crate::slide::SlideSetConfig;
use crate::slide::case::{MaskCodes, Regions, SlideCase};
use crate::{Error, ErrorKind};

/// Where in a table something stands, for messages.
type At<'a> = (&'a Path, usize);

fn wrong((table, line): At<'_>, message: String) -> Error {
    Error::new(ErrorKind::Data, format!("line {line}: {message}")).in_file(table)
}

/// The columns that every table may have.
fn described(mut case: SlideCase, mut row: Row, at: At<'_>) -> Result<SlideCase, Error> {
    let mut text = |column: &str| {
        let value = row.remove(column).map(|v| v.trim().to_owned());
        value.filter(|v| !v.is_empty())
    };
    let group = text("patient").or_else(|| text("group"));
    let number = |column: &str, value: String| {
        let message = format!("expected a number in `{column}`, got `{value}`");
        let parsed = value
            .parse::<f64>()
            .ok()
            .filter(|v| v.is_finite() && *v > 0.0);
        parsed.ok_or_else(|| wrong(at, message))
    };
    let fold = text("fold").map(|v| number("fold", v)).transpose()?;
    case.mpp = text("mpp").map(|v| number("mpp", v)).transpose()?;
    case.grade = text("grade").map(|v| grade(&v, at)).transpose()?;
    case.fold = fold.map(|fold| fold as usize);
    case.group = group.unwrap_or(case.group);
    case.extra = row;
    Ok(case)
}

/// `1`, `G2`, `grade 3`, `III`, `grade3.0`.
fn grade(text: &str, at: At<'_>) -> Result<u8, Error> {
    let word = text.to_ascii_lowercase();
    let word = word.trim_start_matches("grade").trim_start_matches('g');
    match word.trim_matches([' ', '_', '-']).trim_end_matches(".0") {
        "1" | "i" => Ok(1),
        "2" | "ii" => Ok(2),
        "3" | "iii" => Ok(3),
        _ => Err(wrong(at, format!("expected grade 1, 2 or 3, got `{text}`"))),
    }
}

pub(super) fn labels(set: &SlideSetConfig, folder: &Path) -> Result<Vec<SlideCase>, Error> {
    let table = folder.join("labels.csv");
    let mut cases = Vec::new();
    for (line, mut row) in rows(&table, b',')? {
        let at = (table.as_path(), line);
        if row.get("split").is_some_and(|split| split == "exclude") {
            continue;
        }
        let file = folder.join(take(&mut row, "file", at)?);
        let mask = row.remove("mask").filter(|mask| !mask.trim().is_empty());
        let mut case = described(bare(set, folder, file), row, at)?;
        if let Some(mask) = mask {
            let file = folder.join(mask.trim());
            case.regions = match ending(&mask).as_str() {
                "csv" => Regions::Nuclei(file),
                "geojson" | "json" => Regions::Polygons(file),
                _ => Regions::Mask(file, MaskCodes::NotZero),
            };
        }
        cases.push(case);
    }
    Ok(cases)
}

pub(super) fn clinical(set: &SlideSetConfig, folder: &Path) -> Result<Vec<SlideCase>, Error> {
    let table = folder.join("clinical.csv");
    let mut cases = Vec::new();
    for (line, mut row) in rows(&table, b',')? {
        let at = (table.as_path(), line);
        let place = folder.join(take(&mut row, "slide", at)?);
        let file = only_slide(place).map_err(|message| wrong(at, message))?;
        let mut case = described(bare(set, folder, file), row, at)?;
        case.regions = beside(&case.file);
        cases.push(case);
    }
    Ok(cases)
}

/// The file itself; of a folder, its only slide, or the first file of its DICOM series.
fn only_slide(place: PathBuf) -> Result<PathBuf, String> {
    if !place.is_dir() {
        return Ok(place);
    }
    let shown = place.display().to_string();
    let found = files_below(&place, &is_slide).map_err(|e| e.to_string())?;
    let series = found.iter().all(|file| ending(&file_name(file)) == "dcm");
    match found.as_slice() {
        [] => Err(format!("expected a slide in {shown}, got none")),
        [first, rest @ ..] if series || rest.is_empty() => Ok(first.clone()),
        several => {
            let n = several.len();
            Err(format!("expected one slide in {shown}, got {n} files"))
        }
    }
}

/// Length of `TCGA-XX-XXXX`.
const BARCODE: usize = 12;

pub(super) fn tcga(set: &SlideSetConfig, folder: &Path) -> Result<Vec<SlideCase>, Error> {
    let tables = [("clinical.tsv", b'\t'), ("clinical.csv", b',')];
    let there = |(name, _): &(&str, u8)| folder.join(name).is_file();
    let Some((name, separator)) = tables.into_iter().find(there) else {
        let message = "expected clinical.tsv or clinical.csv, got none";
        return Err(Error::new(ErrorKind::Data, message).in_file(folder));
    };
    let table = folder.join(name);
    let is_diagnostic = |name: &str| ending(name) == "svs" && name.contains("-DX");
    let slides = files_below(folder, &is_diagnostic)?;
    let mut cases = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (line, mut row) in rows(&table, separator)? {
        let at = (table.as_path(), line);
        for (from, to) in [
            ("bcr_patient_barcode", "case_submitter_id"),
            ("histologic_grade", "grade"),
        ] {
            if let Some(value) = row.remove(from) {
                row.entry(to.into()).or_insert(value);
            }
        }
        let patient = take(&mut row, "case_submitter_id", at)?;
        // The GDC's table has a row per diagnosis and treatment; the first one is taken.
        if !seen.insert(patient.clone()) {
            continue;
        }
        row.retain(|_, value| !matches!(value.trim(), "" | "'--" | "[Not Available]"));
        row.insert("patient".into(), patient.clone());
        let own = |file: &&PathBuf| file_name(file).get(..BARCODE) == Some(patient.as_str());
        for file in slides.iter().filter(own) {
            let mut case = described(bare(set, folder, file.clone()), row.clone(), at)?;
            case.name = relative(folder, file);
            case.regions = beside(file);
            cases.push(case);
        }
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_are_read_in_many_words_and_never_guessed() {
        let at = (Path::new("t.csv"), 4);
        for (text, expected) in [("1", 1), ("G2", 2), ("Grade 3", 3), ("II", 2), ("3.0", 3)] {
            assert_eq!(grade(text, at).unwrap(), expected, "{text}");
        }
        for text in ["4", "x", "GX", "1-2"] {
            let error = grade(text, at).unwrap_err().to_string();
            assert!(error.contains("line 4"), "{error}");
        }
    }
}
