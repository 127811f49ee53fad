//! Annotations as QuPath writes them: GeoJSON in (column, row) pixels of level 0.

use std::path::Path;

use serde_json::Value;

use super::case::Content;
use super::regions::{Area, read_bounded};
use crate::{Error, ErrorKind};

/// A closed outline with holes, and what is inside.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outline {
    /// Points as [column, row]; the first ring is the outer one.
    rings: Vec<Vec<[f64; 2]>>,
    bounds: Area,
    /// None: to be ignored.
    pub(super) content: Option<Content>,
}

impl Outline {
    fn new(rings: Vec<Vec<[f64; 2]>>, content: Option<Content>) -> Outline {
        let mut bounds = Area {
            top: f64::INFINITY,
            left: f64::INFINITY,
            bottom: f64::NEG_INFINITY,
            right: f64::NEG_INFINITY,
        };
        for [col, row] in rings.iter().flatten().copied() {
            bounds.top = bounds.top.min(row);
            bounds.bottom = bounds.bottom.max(row);
            bounds.left = bounds.left.min(col);
            bounds.right = bounds.right.max(col);
        }
        Outline {
            rings,
            bounds,
            content,
        }
    }

    /// Whether the outline's bounds and an area overlap.
    pub(super) fn is_near(&self, area: Area) -> bool {
        self.bounds.top < area.bottom
            && self.bounds.bottom > area.top
            && self.bounds.left < area.right
            && self.bounds.right > area.left
    }

    /// Even-odd rule over all rings: what lies in a hole is outside.
    pub(super) fn contains(&self, row: f64, col: f64) -> bool {
        let mut inside = false;
        for ring in &self.rings {
            for (i, &[c1, r1]) in ring.iter().enumerate() {
                let [c0, r0] = ring[(i + ring.len() - 1) % ring.len()];
                if (r0 > row) != (r1 > row) && col < c0 + (row - r0) / (r1 - r0) * (c1 - c0) {
                    inside = !inside;
                }
            }
        }
        inside
    }

    fn extent(&self) -> f64 {
        (self.bounds.bottom - self.bounds.top) * (self.bounds.right - self.bounds.left)
    }
}

/// The outlines of a file, smallest first: what is drawn inside another outline counts there. Points
/// and lines are left out, and so are outlines without a class. Classes whose names begin with
/// `Ignore` say that a place is unknown.
pub(super) fn read_outlines(file: &Path, tumor: &[String]) -> Result<Vec<Outline>, Error> {
    let bad = |message: String| Error::new(ErrorKind::Data, message).in_file(file);
    let document: Value = serde_json::from_slice(&read_bounded(file)?)
        .map_err(|e| bad(format!("expected GeoJSON, got: {e}")))?;
    let single = std::slice::from_ref(&document);
    let features = match (document.get("features"), &document) {
        (Some(Value::Array(features)), _) | (None, Value::Array(features)) => features,
        (None, Value::Object(_)) => single,
        _ => return Err(bad("expected features, got something else".into())),
    };
    let mut outlines = Vec::new();
    for (i, feature) in features.iter().enumerate() {
        let of_feature = outlines_of(feature, tumor);
        outlines.extend(of_feature.map_err(|e| bad(format!("feature {}: {e}", i + 1)))?);
    }
    outlines.sort_by(|a, b| a.extent().total_cmp(&b.extent()));
    Ok(outlines)
}

fn outlines_of(feature: &Value, tumor: &[String]) -> Result<Vec<Outline>, String> {
    let class = &feature["properties"]["classification"];
    let class = class.get("name").or(Some(class)).and_then(Value::as_str);
    let Some(class) = class else {
        return Ok(Vec::new());
    };
    let is = |name: &String| name.eq_ignore_ascii_case(class);
    let content = match class.to_ascii_lowercase().starts_with("ignore") {
        true => None,
        false if tumor.iter().any(is) => Some(Content::Tumor),
        false => Some(Content::Other),
    };
    let geometry = &feature["geometry"];
    let coordinates = &geometry["coordinates"];
    let polygons: Vec<&Value> = match geometry["type"].as_str() {
        Some("Polygon") => vec![coordinates],
        Some("MultiPolygon") => list(coordinates)?.iter().collect(),
        Some(_) => return Ok(Vec::new()),
        None => return Err("expected a geometry with a type, got none".into()),
    };
    let outline = |polygon: &Value| {
        let rings: Result<Vec<_>, String> = list(polygon)?.iter().map(ring).collect();
        Ok(Outline::new(rings?, content))
    };
    polygons.into_iter().map(outline).collect()
}

fn ring(value: &Value) -> Result<Vec<[f64; 2]>, String> {
    let point = |value: &Value| {
        let number = |i: usize| {
            value
                .get(i)
                .and_then(Value::as_f64)
                .filter(|v| v.is_finite())
        };
        let pair = number(0).zip(number(1)).map(|(col, row)| [col, row]);
        pair.ok_or_else(|| format!("expected a point of two numbers, got {value}"))
    };
    let points: Result<Vec<_>, String> = list(value)?.iter().map(point).collect();
    match points? {
        points if points.len() < 3 => Err(format!(
            "expected a ring of three points, got {}",
            points.len()
        )),
        points => Ok(points),
    }
}

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value
        .as_array()
        .ok_or_else(|| format!("expected a list of coordinates, got {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Outline>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("slide.geojson");
        std::fs::write(&file, text).unwrap();
        read_outlines(&file, &["Tumor".to_owned()])
    }

    fn feature(class: &str, geometry: &str) -> String {
        format!(
            r#"{{"type":"Feature","geometry":{geometry},"properties":{{"classification":{{"name":"{class}"}}}}}}"#
        )
    }

    const SQUARE: &str = r#"{"type":"Polygon","coordinates":[[[0,0],[10,0],[10,20],[0,20],[0,0]],[[2,2],[4,2],[4,4],[2,4],[2,2]]]}"#;
    const INNER: &str = r#"{"type":"MultiPolygon","coordinates":[[[[6,6],[8,6],[8,8],[6,8]]]]}"#;

    #[test]
    fn holes_are_outside_and_inner_outlines_count() {
        let features = [
            feature("tumor", SQUARE),
            feature("Stroma", INNER),
            feature("Ignore*", INNER),
            feature("Tumor", r#"{"type":"Point","coordinates":[1,1]}"#),
        ];
        let text = format!(
            r#"{{"type":"FeatureCollection","features":[{}]}}"#,
            features.join(",")
        );
        let outlines = read(&text).unwrap();
        assert_eq!(outlines.len(), 3);
        let at = |row: f64, col: f64| {
            outlines
                .iter()
                .find(|o| o.contains(row, col))
                .map(|o| o.content)
        };
        assert_eq!(
            at(15.0, 5.0),
            Some(Some(Content::Tumor)),
            "columns come first"
        );
        assert_eq!(at(3.0, 3.0), None, "a hole");
        assert_eq!(at(7.0, 7.0), Some(Some(Content::Other)));
        assert_eq!(at(5.0, 15.0), None);
        assert_eq!(read(&feature("Ignore*", SQUARE)).unwrap()[0].content, None);
    }

    #[test]
    fn broken_files_say_what_is_wrong() {
        for (text, part) in [
            ("{", "GeoJSON"),
            ("3", "features"),
            (
                &feature("Tumor", r#"{"type":"Polygon","coordinates":3}"#),
                "feature 1",
            ),
            (
                &feature(
                    "Tumor",
                    r#"{"type":"Polygon","coordinates":[[[0,0],[1,1]]]}"#,
                ),
                "three points",
            ),
            (
                &feature(
                    "Tumor",
                    r#"{"type":"Polygon","coordinates":[[[0,null],[1,1],[2,2]]]}"#,
                ),
                "two numbers",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(
                error.contains(part) && error.contains("slide.geojson"),
                "{error}"
            );
        }
    }
}
