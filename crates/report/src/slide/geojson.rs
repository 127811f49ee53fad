//! Squares as GeoJSON that QuPath reads: (column, row) in pixels of level 0 from the slide's corner.

use lobule_exam::{SlideAssessment, TileAssessment, TileBounds};
use serde_json::{Map, Value, json};

use super::SlideRunInfo;
use super::document::rounded;
use super::pictures::verdict_color;
use crate::NOTICE;

/// A feature for every square that was not glass, cut at the slide's edge.
pub(super) fn geojson(slide: &SlideAssessment, info: &SlideRunInfo) -> String {
    let features = slide
        .tiles
        .iter()
        .map(|tile| feature(tile, slide, info).to_string());
    let features: Vec<String> = features.collect();
    let head = json!({
        "type": "FeatureCollection",
        "notice": NOTICE,
        "demonstration": info.demonstration(),
        "synthetic": slide.is_synthetic,
    });
    let head = head.to_string();
    let open = head.strip_suffix('}').expect("an object ends in a brace");
    format!("{open},\n\"features\":[\n{}\n]}}\n", features.join(",\n"))
}

fn feature(tile: &TileAssessment, slide: &SlideAssessment, info: &SlideRunInfo) -> Value {
    let name = match (tile.verdict, tile.is_tumor) {
        ("taken", true) => "Tumor",
        ("taken", false) => "Other",
        ("pen", _) => "Pen",
        ("fold", _) => "Fold",
        ("blur", _) => "Blur",
        _ => "Unreadable",
    };
    let marked = match info.demonstration() {
        Some(_) => format!("Demonstration: {name}"),
        None => name.to_owned(),
    };
    json!({
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring(tile.bounds, slide)]},
        "properties": {
            "objectType": "tile",
            "name": format!("row {}, column {}", tile.row, tile.col),
            "classification": {"name": marked, "color": color(tile)},
            "measurements": measurements(tile, info),
        },
    })
}

fn ring(bounds: TileBounds, slide: &SlideAssessment) -> [[f64; 2]; 5] {
    let (rows, cols) = (slide.rows as f64, slide.cols as f64);
    let (left, right) = (bounds.left.clamp(0.0, cols), bounds.right.clamp(0.0, cols));
    let (top, bottom) = (bounds.top.clamp(0.0, rows), bounds.bottom.clamp(0.0, rows));
    let corners = [
        [left, top],
        [right, top],
        [right, bottom],
        [left, bottom],
        [left, top],
    ];
    corners.map(|corner| corner.map(rounded))
}

fn color(tile: &TileAssessment) -> [u8; 3] {
    match (tile.verdict, tile.is_tumor) {
        ("taken", true) => [200, 0, 0],
        ("taken", false) => [0, 140, 60],
        (verdict, _) => verdict_color(verdict),
    }
}

fn measurements(tile: &TileAssessment, info: &SlideRunInfo) -> Map<String, Value> {
    let mut all = Map::new();
    let score = match info.demonstration() {
        Some(words) => format!("score ({words})"),
        None => "score of grade 3 against 1".to_owned(),
    };
    if let Some(tumor) = tile.tumor {
        all.insert("probability of tumor".into(), rounded(tumor).into());
    }
    if let Some(grade) = &tile.grade {
        all.insert(score, rounded(grade.score).into());
    }
    all
}
