//! VinDr-Mammo as published.

use std::collections::BTreeMap;
use std::path::Path;

use lobule_exam::PixelBox;

use super::{Found, Row, first_existing, rows, suspicion, take};
use crate::{Case, Error, ErrorKind, Label, Mark, Shape};

/// No mammogram has pixels from here on.
const FARTHEST: f64 = 1e6;

/// The rows of `breast-level_annotations.csv` with the boxes of `finding_annotations.csv`. The set
/// brings BI-RADS, no pathology.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let mut boxes = boxes(folder)?;
    let table = folder.join("breast-level_annotations.csv");
    let mut cases = Vec::new();
    for (line, mut row) in rows(&table, b',')? {
        let at = (table.as_path(), line);
        let [study, image, side] =
            ["study_id", "image_id", "laterality"].map(|column| take(&mut row, column, at));
        let (study, image, side) = (study?, image?, side?);
        let birads = take(&mut row, "breast_birads", at)?;
        let stem = format!("images/{study}/{image}");
        let found = Found {
            name: first_existing(folder, &stem, &["dicom", "dcm", "png"]),
            mask: None,
            group: study.clone(),
            fold: None,
            label: suspicion(&birads, at)?,
            extra: renamed(row, birads),
        };
        cases.push(Case {
            marks: boxes.remove(&image).unwrap_or_default(),
            breast: Some(format!("{study} {side}")),
            ..found.into_case(set, folder)?
        });
    }
    Ok(cases)
}

/// The findings' boxes by image; a finding bears its own BI-RADS.
fn boxes(folder: &Path) -> Result<BTreeMap<String, Vec<Mark>>, Error> {
    let table = folder.join("finding_annotations.csv");
    let mut boxes: BTreeMap<String, Vec<Mark>> = BTreeMap::new();
    if !table.is_file() {
        return Ok(boxes);
    }
    for (line, mut row) in rows(&table, b',')? {
        let at = (table.as_path(), line);
        let image = take(&mut row, "image_id", at)?;
        // Rows without a box say that nothing was found; benign-looking ones have no BI-RADS.
        let Ok(birads) = take(&mut row, "finding_birads", at) else {
            continue;
        };
        let label = suspicion(&birads, at)?.max(Label::Benign);
        let shape = Shape::Box(pixel_box(&mut row, at)?);
        boxes.entry(image).or_default().push(Mark { shape, label });
    }
    Ok(boxes)
}

fn pixel_box(row: &mut Row, at: (&Path, usize)) -> Result<PixelBox, Error> {
    let mut side = |column: &str| -> Result<f64, Error> {
        let text = take(row, column, at)?;
        let number = text.parse::<f64>().ok().filter(|v| v.abs() < FARTHEST);
        number.ok_or_else(|| {
            let message = format!(
                "line {}: expected a place in pixels in `{column}`, got `{text}`",
                at.1
            );
            Error::new(ErrorKind::Data, message).in_file(at.0)
        })
    };
    let (left, top) = (side("xmin")?.max(0.0), side("ymin")?.max(0.0));
    let (right, bottom) = (side("xmax")?, side("ymax")?);
    let span = |from: f64, to: f64| (to.ceil() - from.floor()).max(0.0) as usize;
    Ok(PixelBox {
        row: top as usize,
        col: left as usize,
        rows: span(top, bottom),
        cols: span(left, right),
    })
}

fn renamed(mut row: Row, birads: String) -> Row {
    let mut extra = Row::from([("birads".to_owned(), birads)]);
    for (from, to) in [
        ("view_position", "view"),
        ("breast_density", "density"),
        ("split", "published_split"),
    ] {
        extra.extend(row.remove(from).map(|value| (to.to_owned(), value)));
    }
    extra
}
