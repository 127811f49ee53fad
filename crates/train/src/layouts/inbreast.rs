//! INbreast as published.

use std::collections::BTreeMap;
use std::path::Path;

use lobule_exam::{Point, Polygon};

use super::{Found, entries, rows, suspicion, take};
use crate::{Case, Error, ErrorKind, Label, Mark, Shape};

/// The rows of `INbreast.csv`. The set brings BI-RADS, no pathology.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let table = folder.join("INbreast.csv");
    let images = images(folder)?;
    let mut cases = Vec::new();
    for (line, row) in rows(&table, b';')? {
        let mut row = trimmed(row);
        let at = (table.as_path(), line);
        let number = take(&mut row, "File Name", at)?;
        let side = take(&mut row, "Laterality", at)?;
        let birads = take(&mut row, "Bi-Rads", at)?;
        let label = suspicion(&birads, at)?;
        let Some(name) = images.get(&number) else {
            let message = format!("line {line}: expected an image `{number}_….dcm`, got none");
            return Err(Error::new(ErrorKind::Data, message).in_file(&table));
        };
        // The second part of the name is the patient's; the column was emptied.
        let patient = name.split('_').nth(1).unwrap_or(&number).to_owned();
        let found = Found {
            name: format!("AllDICOMs/{name}"),
            mask: None,
            group: patient.clone(),
            fold: None,
            label,
            extra: renamed(row, birads),
        };
        cases.push(Case {
            marks: marks(&folder.join(format!("AllXML/{number}.xml")), label)?,
            breast: Some(format!("{patient} {side}")),
            ..found.into_case(set, folder)?
        });
    }
    Ok(cases)
}

/// File names by their number.
fn images(folder: &Path) -> Result<BTreeMap<String, String>, Error> {
    let names = entries(&folder.join("AllDICOMs"))?.into_iter().map(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.into_owned()
    });
    Ok(names
        .filter(|name| name.ends_with(".dcm") || name.ends_with(".png"))
        .map(|name| (name.split('_').next().unwrap_or(&name).to_owned(), name))
        .collect())
}

/// The header has blanks around some names.
fn trimmed(row: BTreeMap<String, String>) -> BTreeMap<String, String> {
    row.into_iter()
        .map(|(name, value)| (name.trim().to_owned(), value))
        .collect()
}

fn renamed(mut row: BTreeMap<String, String>, birads: String) -> BTreeMap<String, String> {
    let mut extra = BTreeMap::from([("birads".to_owned(), birads)]);
    for (from, to) in [("View", "view"), ("ACR", "density")] {
        extra.extend(row.remove(from).map(|value| (to.to_owned(), value)));
    }
    extra
}

/// The outlines of a property list; they bear the image's label, since none of their own is given.
/// Single points (calcifications) enclose nothing and are left out, as are the pectoral muscles.
fn marks(file: &Path, label: Label) -> Result<Vec<Mark>, Error> {
    if label == Label::Normal || !file.is_file() {
        return Ok(Vec::new());
    }
    let bad = |message: String| Error::new(ErrorKind::Data, message).in_file(file);
    let text = std::fs::read_to_string(file).map_err(|e| Error::io(file, e))?;
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..roxmltree::ParsingOptions::default()
    };
    let document =
        roxmltree::Document::parse_with_options(&text, options).map_err(|e| bad(e.to_string()))?;
    let mut marks = Vec::new();
    for region in document.descendants().filter(|node| is_region(*node)) {
        let name = value(region, "Name").and_then(|v| v.text()).unwrap_or("");
        let points = value(region, "Point_px").into_iter();
        let texts = points.flat_map(|array| array.children().filter_map(|node| node.text()));
        let points: Vec<Point> = texts
            .filter(|text| !text.trim().is_empty())
            .map(|text| point(text).ok_or_else(|| bad(format!("expected `(x, y)`, got `{text}`"))))
            .collect::<Result<_, Error>>()?;
        if points.len() >= 3 && !name.contains("Pectoral") {
            let shape = Shape::Polygon(Polygon { points });
            marks.push(Mark { shape, label });
        }
    }
    Ok(marks)
}

fn is_region(node: roxmltree::Node<'_, '_>) -> bool {
    node.has_tag_name("dict") && value(node, "Point_px").is_some()
}

/// What follows a key in a dictionary of a property list.
fn value<'a, 'i>(node: roxmltree::Node<'a, 'i>, key: &str) -> Option<roxmltree::Node<'a, 'i>> {
    let mut elements = node.children().filter(|child| child.is_element());
    elements.find(|child| child.has_tag_name("key") && child.text() == Some(key))?;
    elements.next()
}

/// `(x, y)`.
fn point(text: &str) -> Option<Point> {
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    let (x, y) = inner.split_once(',')?;
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|v| v.is_finite());
    Some(Point {
        row: number(y)?,
        col: number(x)?,
    })
}
