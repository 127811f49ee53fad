//! Components of the Nottingham grade as an explanation beside the score: rows, JSON, columns.
//!
//! Owns: how measures are worded and what was measured of each. Does not own: any measure. Nothing here
//! gives points or a grade.

use lobule_exam::{ComponentsOutcome, NuclearVariation, SlideComponents};
use lobule_raster::ComponentFigures;
use serde_json::{Value, json};

use super::document::rounded;

/// What stands above the components, wherever they are shown.
pub(super) const EXPLANATION: &str =
    "Components of the Nottingham grade: an explanation, not the grade";

/// Columns in `summary.csv` and `cohort.csv`.
pub(super) const COLUMNS: [&str; 6] = [
    "nuclei_per_mm2",
    "nuclear_median_um2",
    "nuclear_size_variation",
    "large_nuclei_share",
    "mitosis_like_per_mm2",
    "tubule_share",
];

/// A component, its value on the slide, what was measured of it elsewhere.
#[derive(Debug, Clone)]
pub(super) struct ComponentRow {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) measured: &'static String,
}

/// The rows of the page; none where nothing was measured.
pub(super) fn rows(outcome: &ComponentsOutcome) -> Vec<ComponentRow> {
    let Some(components) = outcome.measures() else {
        return Vec::new();
    };
    let figures = ComponentFigures::built_in();
    let of = |value: fn(&NuclearVariation) -> String| {
        let none = || "too few nuclei".to_owned();
        components.variation.as_ref().map_or_else(none, value)
    };
    let mitoses = components.mitosis_like;
    let tubules = |share: f64| format!("{:.1} % of the tissue", 100.0 * share);
    let no_tissue = || "no tissue".to_owned();
    let all: [(&str, String, &'static String); 7] = [
        (
            "Tubules: lumina with nuclei around them",
            components.tubule_share.map_or_else(no_tissue, tubules),
            &figures.tubules,
        ),
        (
            "Nuclei: median area",
            of(|v| format!("{:.0} µm²", v.median_um2)),
            &figures.median_area,
        ),
        (
            "Nuclei: variation of their areas",
            of(|v| format!("{:.2} (standard deviation by mean)", v.size_variation)),
            &figures.size_variation,
        ),
        (
            "Nuclei: large ones",
            of(|v| format!("{:.1} % from twice the median area", 100.0 * v.large_share)),
            &figures.large_share,
        ),
        (
            "Nuclei: elongation",
            of(|v| {
                let (median, spread) = (v.median_elongation, v.elongation_spread);
                format!("median {median:.2}, standard deviation {spread:.2}")
            }),
            &figures.elongation,
        ),
        (
            "Mitoses: dark pieces that look like them",
            format!("{:.1} per mm² ({mitoses})", components.per_mm2(mitoses)),
            &figures.mitoses,
        ),
        (
            "Nuclei of any kind",
            format!("{:.0} per mm²", components.per_mm2(components.nuclei)),
            &figures.nuclei,
        ),
    ];
    let row = |(name, value, measured)| ComponentRow {
        name,
        value,
        measured,
    };
    all.into_iter().map(row).collect()
}

/// What the rows rest on, or why there are none.
pub(super) fn basis(outcome: &ComponentsOutcome) -> String {
    match outcome {
        ComponentsOutcome::Measured(components) => {
            let measured = components.variation.as_ref().map_or(0, |v| v.nuclei);
            format!(
                "{} tumor tiles, {:.2} mm²; sizes and shapes of {measured} whole nuclei",
                components.tiles, components.area_mm2
            )
        }
        ComponentsOutcome::LeftOut(reason) => format!("Left out: {reason}"),
    }
}

/// The object in `assessment.json`.
pub(super) fn value(outcome: &ComponentsOutcome) -> Value {
    let reason = match outcome {
        ComponentsOutcome::LeftOut(reason) => Some(reason),
        ComponentsOutcome::Measured(_) => None,
    };
    json!({
        "status": outcome.name(),
        "reason": reason,
        "measures": outcome.measures().map(measures),
    })
}

fn measures(components: &SlideComponents) -> Value {
    let variation = |v: &NuclearVariation| {
        json!({
            "nuclei": v.nuclei,
            "median_area_um2": rounded(v.median_um2),
            "size_variation": rounded(v.size_variation),
            "large_share": rounded(v.large_share),
            "median_elongation": rounded(v.median_elongation),
            "elongation_spread": rounded(v.elongation_spread),
        })
    };
    json!({
        "tumor_tiles": components.tiles,
        "area_mm2": rounded(components.area_mm2),
        "nuclei_per_mm2": rounded(components.per_mm2(components.nuclei)),
        "mitosis_like": components.mitosis_like,
        "mitosis_like_per_mm2": rounded(components.per_mm2(components.mitosis_like)),
        "tubule_share": components.tubule_share.map(rounded),
        "nuclear_variation": components.variation.as_ref().map(variation),
    })
}

/// What was measured of the components elsewhere, at the head of `assessment.json`.
pub(super) fn figures() -> Value {
    let figures = ComponentFigures::built_in();
    json!({
        "meaning": EXPLANATION,
        "measured_on": figures.images,
        "nuclei": figures.nuclei,
        "median_area": figures.median_area,
        "size_variation": figures.size_variation,
        "large_share": figures.large_share,
        "elongation": figures.elongation,
        "mitoses": figures.mitoses,
        "tubules": figures.tubules,
    })
}

/// The cells of [`COLUMNS`].
pub(super) fn cells(outcome: &ComponentsOutcome) -> [String; COLUMNS.len()] {
    let number = |value: f64| rounded(value).to_string();
    let Some(components) = outcome.measures() else {
        return [const { String::new() }; COLUMNS.len()];
    };
    let of = |value: fn(&NuclearVariation) -> f64| {
        let variation = components.variation.as_ref();
        variation.map_or(String::new(), |v| number(value(v)))
    };
    [
        number(components.per_mm2(components.nuclei)),
        of(|v| v.median_um2),
        of(|v| v.size_variation),
        of(|v| v.large_share),
        number(components.per_mm2(components.mitosis_like)),
        components.tubule_share.map_or(String::new(), number),
    ]
}
