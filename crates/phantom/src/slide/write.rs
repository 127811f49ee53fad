//! Slides and cohorts in folders, with their truth beside them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Cohort, SlideLooks, SyntheticSlide, write_tiff};
use crate::training::{create_folder, write_text};
use crate::{Error, ErrorKind};

/// The files of a synthetic slide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenSlide {
    /// The pyramid.
    pub slide: PathBuf,
    /// The outlines of the tumour's nests: GeoJSON as QuPath reads it.
    pub nests: PathBuf,
    /// What was planned, and the seed.
    pub plan: PathBuf,
}

/// Writes `<name>.tif`, `<name>.truth.geojson` and `<name>.plan.json` into a folder. The name should begin
/// with `synthetic`.
///
/// # Errors
/// When the folder or a file in it cannot be written.
pub fn write_slide(
    folder: &Path,
    name: &str,
    slide: &SyntheticSlide,
) -> Result<WrittenSlide, Error> {
    let written = write_plan(folder, name, slide)?;
    write_tiff(slide, &written.slide)?;
    Ok(written)
}

/// The same without the pyramid: [`DrawnSlide`](super::DrawnSlide) opens `<name>.plan.json` as a slide.
///
/// # Errors
/// When the folder or a file in it cannot be written.
pub fn write_plan(
    folder: &Path,
    name: &str,
    slide: &SyntheticSlide,
) -> Result<WrittenSlide, Error> {
    create_folder(folder)?;
    let file = |ending: &str| folder.join(format!("{name}.{ending}"));
    let written = WrittenSlide {
        slide: file("tif"),
        nests: file("truth.geojson"),
        plan: file("plan.json"),
    };
    write_nests(&written.nests, slide)
        .map_err(|e| Error::new(ErrorKind::Io, &written.nests, &e))?;
    let plan = json!({"synthetic": true, "seed": slide.seed(), "plan": slide.plan()});
    write_text(&written.plan, &format!("{plan:#}\n"))?;
    Ok(written)
}

/// One outline at a time: a large slide has tens of thousands.
fn write_nests(file: &Path, slide: &SyntheticSlide) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    out.write_all(b"{\"type\":\"FeatureCollection\",\"synthetic\":true,\"features\":[")?;
    for (number, outline) in slide.nests().enumerate() {
        let rounded = |[x, y]: [f64; 2]| [x, y].map(|v| (v * 10.0).round() / 10.0);
        let mut ring: Vec<[f64; 2]> = outline.into_iter().map(rounded).collect();
        ring.extend(ring.first().copied());
        let feature = json!({
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {
                "objectType": "annotation",
                "name": format!("synthetic nest {}", number + 1),
                "classification": {"name": "Tumor", "color": [200, 0, 0]},
            },
        });
        let comma = if number == 0 { "\n" } else { ",\n" };
        write!(out, "{comma}{feature}")?;
    }
    out.write_all(b"\n]}\n")?;
    out.flush()
}

/// Writes the slides of all patients into `slides/`, the table `clinical.csv` as `lobule study survival`
/// reads it, and what was planted, which that table does not tell, into `truth.csv`.
///
/// # Errors
/// When a folder or file cannot be written.
pub fn write_cohort(
    folder: &Path,
    cohort: &Cohort,
    looks: &SlideLooks,
) -> Result<Vec<WrittenSlide>, Error> {
    write_cohort_tables(folder, cohort)?;
    let slides = folder.join("slides");
    let patients = cohort.patients.iter();
    patients
        .map(|patient| write_slide(&slides, &patient.name, &cohort.slide_of(patient, looks)))
        .collect()
}

/// The same with plans for slides, which are drawn where they are read: a cohort of hundreds in seconds.
///
/// # Errors
/// When a folder or file cannot be written.
pub fn write_cohort_plans(folder: &Path, cohort: &Cohort, looks: &SlideLooks) -> Result<(), Error> {
    write_tables(folder, cohort, "plan.json")?;
    let slides = folder.join("slides");
    for patient in &cohort.patients {
        write_plan(&slides, &patient.name, &cohort.slide_of(patient, looks))?;
    }
    Ok(())
}

/// The same without any slide: `clinical.csv` and `truth.csv`.
///
/// # Errors
/// When a folder or file cannot be written.
pub fn write_cohort_tables(folder: &Path, cohort: &Cohort) -> Result<(), Error> {
    write_tables(folder, cohort, "tif")
}

fn write_tables(folder: &Path, cohort: &Cohort, ending: &str) -> Result<(), Error> {
    create_folder(folder)?;
    write_text(
        &folder.join("clinical.csv"),
        &cohort.clinical_csv_of(ending),
    )?;
    write_text(&folder.join("truth.csv"), &cohort.truth_csv())
}
