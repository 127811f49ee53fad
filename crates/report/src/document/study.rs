//! The folder of a study: page, tables, figures, JSON.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::page::{FileNames, page};
use super::{Block, Document};
use crate::{Error, NOTICE};

/// Stands in `study.json` as `schema`.
pub const STUDY_SCHEMA: &str = "lobule-study";
/// Stands in `study.json` as `schema_version`.
pub const STUDY_SCHEMA_VERSION: &str = "1.0";

#[derive(Debug, Serialize)]
struct StudyJson<'a, R: Serialize> {
    schema: &'static str,
    schema_version: &'static str,
    notice: &'static str,
    title: &'a str,
    summary: &'a [String],
    provenance: Vec<Provenance<'a>>,
    result: &'a R,
}

#[derive(Debug, Serialize)]
struct Provenance<'a> {
    name: &'a str,
    value: &'a str,
}

/// Writes a document and its result into a folder and returns the path of the page:
/// `report.html`, `study.json`, `tables/<name>.csv`, `figures/<name>.svg` and `.png`.
///
/// Everything is rendered before the first file is touched, each file appears under its name only
/// when it is complete, and the page comes last. Names are made safe for files and unique.
///
/// # Errors
/// When something cannot be rendered or written.
///
/// ```no_run
/// use lobule_report::document::{Document, write_study};
///
/// let result = serde_json::json!({ "auc": 0.8741666666666666 });
/// let page = write_study("out".as_ref(), &Document::default(), &result)?;
/// println!("{}", page.display());
/// # Ok::<(), lobule_report::Error>(())
/// ```
pub fn write_study<R: Serialize>(
    dir: &Path,
    document: &Document,
    result: &R,
) -> Result<PathBuf, Error> {
    let names = FileNames::of(document);
    let mut files = rendered_blocks(document, &names)?;
    files.push(("study.json".to_owned(), study_json(document, result)?));
    let html = page(document, Some(&names))?;
    files.push(("report.html".to_owned(), html.into_bytes()));
    for (name, bytes) in &files {
        write_whole(&dir.join(name), bytes)?;
    }
    Ok(dir.join("report.html"))
}

fn rendered_blocks(
    document: &Document,
    names: &FileNames,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut files = Vec::new();
    for (block, name) in document.blocks().zip(&names.0) {
        match block {
            Block::Table(table) => {
                files.push((format!("tables/{name}.csv"), table.to_csv()?.into_bytes()));
            }
            Block::Figure(figure) => {
                let svg = figure.chart.to_svg(&figure.caption);
                files.push((format!("figures/{name}.svg"), svg.into_bytes()));
                let png = figure.chart.to_png(&figure.caption)?;
                files.push((format!("figures/{name}.png"), png));
            }
            Block::Text(_) | Block::Warning(_) => {}
        }
    }
    Ok(files)
}

fn study_json<R: Serialize>(document: &Document, result: &R) -> Result<Vec<u8>, Error> {
    let provenance = document.provenance.iter();
    let study = StudyJson {
        schema: STUDY_SCHEMA,
        schema_version: STUDY_SCHEMA_VERSION,
        notice: NOTICE,
        title: &document.title,
        summary: &document.summary,
        provenance: provenance
            .map(|(name, value)| Provenance { name, value })
            .collect(),
        result,
    };
    let mut bytes = serde_json::to_vec_pretty(&study).map_err(Error::format)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Writes beside the place and renames, so that no half file bears the name.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    fs::write(&partial, bytes).map_err(|e| Error::io(&partial, e))?;
    fs::rename(&partial, path).map_err(|e| Error::io(path, e))
}
