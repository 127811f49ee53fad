//! RJafroc's layouts: marks and truth as two tables, or as sheets of a workbook.

use std::path::{Path, PathBuf};

use super::marks::{MarkBuilder, MarkRow, MarkTable, TruthRow};
use super::source::{Fields, Source, digest};
use super::{Input, Layout, ReadConfig, file_name};
use crate::{Error, ErrorKind};

/// `modality,reader,case,truth,kind,lesion,rating` and `case,truth,lesion,weight`. Marks of another
/// kind than `LL` hit no lesion; weights of 0 stand for equal ones.
pub(super) fn tables(
    path: &Path,
    marks: &Source,
    mut input: Input,
    config: &ReadConfig,
) -> Result<MarkTable, Error> {
    let truth_path = truth_path(path, config)?;
    let (sha256, bytes) = digest(&truth_path)?;
    input.file = format!("{}, {}", input.file, file_name(&truth_path));
    input.sha256 = format!("{}, {sha256}", input.sha256);
    input.bytes += bytes;
    let truth = Source::open(&truth_path)?;
    let mut builder = MarkBuilder::default();
    let [case, lesion, weight] = ["case", "lesion", "weight"].map(|name| truth.column_of(&[name]));
    let columns = TruthColumns {
        case: case?,
        lesion: lesion?,
        weight: weight?,
    };
    truth.for_each(|fields| columns.add(fields, &mut builder))?;
    let [modality, reader, case, kind, lesion, rating] =
        ["modality", "reader", "case", "kind", "lesion", "rating"]
            .map(|name| marks.column_of(&[name]));
    let (modality, reader, case) = (modality?, reader?, case?);
    let (kind, lesion, rating) = (kind?, lesion?, rating?);
    marks.for_each(|fields| {
        let hit = match fields.text(kind) {
            "LL" => Some(fields.name(lesion, "the lesion that was hit")?),
            "NL" | "LL_IL" => None,
            _ => return Err(fields.value_error(kind, "a kind of LL or NL")),
        };
        let mark = MarkRow {
            reader: fields.name(reader, "a reader")?,
            modality: fields.name(modality, "a modality")?,
            case: fields.name(case, "a case")?,
            lesion: hit,
            at: None,
            rating: fields.number(rating)?,
        };
        builder.mark(&mark, fields.row);
        Ok(())
    })?;
    builder.finish(&truth, marks, input, config)
}

/// The sheets `TRUTH` (CaseID, LesionID, Weight), `TP` or `LL` (ReaderID, ModalityID, CaseID,
/// LesionID, a rating) and `FP` or `NL` (the same without lesions).
pub(super) fn workbook(path: &Path, config: &ReadConfig) -> Result<MarkTable, Error> {
    let (sha256, bytes) = digest(path)?;
    let input = Input {
        file: file_name(path),
        sha256,
        bytes,
        layout: Layout::Workbook.name().to_owned(),
    };
    let truth = Source::sheet(path, &["truth"])?;
    let columns = TruthColumns {
        case: truth.column_of(&["CaseID"])?,
        lesion: truth.column_of(&["LesionID"])?,
        weight: truth.column_of(&["Weight", "Weights"])?,
    };
    let mut builder = MarkBuilder::default();
    truth.for_each(|fields| columns.add(fields, &mut builder))?;
    let hits = Source::sheet(path, &["TP", "LL"])?;
    let lesion = hits.column_of(&["LesionID"])?;
    add_sheet(&hits, Some(lesion), &mut builder)?;
    let misses = Source::sheet(path, &["FP", "NL"])?;
    add_sheet(&misses, None, &mut builder)?;
    builder.finish(&truth, &hits, input, config)
}

fn add_sheet(
    sheet: &Source,
    lesion: Option<usize>,
    builder: &mut MarkBuilder,
) -> Result<(), Error> {
    let reader = sheet.column_of(&["ReaderID"])?;
    let modality = sheet.column_of(&["ModalityID"])?;
    let case = sheet.column_of(&["CaseID"])?;
    let rating =
        sheet.column_of(&["TP_Rating", "FP_Rating", "LL_Rating", "NL_Rating", "Rating"])?;
    sheet.for_each(|fields| {
        let hit = lesion.map(|column| fields.name(column, "a lesion"));
        let mark = MarkRow {
            reader: fields.name(reader, "a reader")?,
            modality: fields.name(modality, "a modality")?,
            case: fields.name(case, "a case")?,
            lesion: hit.transpose()?,
            at: None,
            rating: fields.number(rating)?,
        };
        builder.mark(&mark, fields.row);
        Ok(())
    })
}

struct TruthColumns {
    case: usize,
    lesion: usize,
    weight: usize,
}

impl TruthColumns {
    /// Lesion 0 is no lesion.
    fn add(&self, fields: &Fields<'_>, builder: &mut MarkBuilder) -> Result<(), Error> {
        let lesion = Some(fields.name(self.lesion, "a lesion, 0 for none")?);
        let lesion = lesion.filter(|&name| name != "0");
        let weight = fields.number(self.weight)?;
        let truth = TruthRow {
            case: fields.name(self.case, "a case")?,
            lesion,
            weight: (weight != 0.0 && lesion.is_some()).then_some(weight),
            at: None,
        };
        builder.truth(&truth, fields.row);
        Ok(())
    }
}

fn truth_path(path: &Path, config: &ReadConfig) -> Result<PathBuf, Error> {
    if let Some(path) = &config.truth_file {
        return Ok(path.clone());
    }
    let name = file_name(path);
    let truth = path.with_file_name(name.replacen("marks", "truth", 1));
    if name.contains("marks") && truth.exists() {
        return Ok(truth);
    }
    let text = format!("expected the table of the truth beside the marks of {name}, got none");
    Err(Error::new(ErrorKind::Config, text))
}
