//! What explains a slide's score: the components of the Nottingham grade over its tumor squares.
//!
//! Owns: measuring a square while its pixels are in memory, the measures of the slide. Does not own: how
//! they are found (`raster`). No points of a grade are given, and no grade.

use lobule_exam::{ComponentsOutcome, SlideComponents};
use lobule_raster::{
    Image, MEASURABLE_MPP, Stains, TileComponents, TileMark, mark_components, measure_components,
    nuclear_variation,
};
use lobule_slide::Survey;

use super::journal::Journal;

/// The components on a square; none where its pixels are too coarse or too fine.
pub(super) fn of_tile(
    tile: &Image<[u8; 3]>,
    survey: &Survey,
    stains: Option<&Stains>,
) -> Option<TileComponents> {
    measure_components(tile, stains, survey.grid.mpp().microns()).ok()
}

/// Their outlines.
pub(super) fn marks(
    tile: &Image<[u8; 3]>,
    survey: &Survey,
    stains: Option<&Stains>,
) -> Option<Image<TileMark>> {
    mark_components(tile, stains, survey.grid.mpp().microns()).ok()
}

/// The components over all tumor squares.
pub(super) fn of_slide(survey: &Survey, journal: &Journal) -> ComponentsOutcome {
    let mpp = survey.grid.mpp().microns();
    let [finest, coarsest] = MEASURABLE_MPP;
    if !(finest..=coarsest).contains(&mpp) {
        return ComponentsOutcome::LeftOut(format!(
            "expected {finest} to {coarsest} microns per pixel to tell nuclei apart, got {mpp:.2}"
        ));
    }
    let tiles: Vec<&TileComponents> = journal
        .seen
        .values()
        .filter_map(|seen| seen.components.as_ref())
        .collect();
    if tiles.is_empty() {
        return ComponentsOutcome::LeftOut("expected tiles of tumor, got none".to_owned());
    }
    let side_mm = survey.grid.config().side as f64 * mpp / 1000.0;
    let tissue: f64 = tiles.iter().map(|t| t.tissue_um2).sum();
    let tubules: f64 = tiles.iter().map(|t| t.tubules_um2).sum();
    let measurable: Vec<(f64, f64)> = tiles.iter().flat_map(|t| &t.measurable).copied().collect();
    ComponentsOutcome::Measured(SlideComponents {
        tiles: tiles.len(),
        area_mm2: tiles.len() as f64 * side_mm * side_mm,
        nuclei: tiles.iter().map(|t| t.nuclei).sum(),
        mitosis_like: tiles.iter().map(|t| t.mitosis_like).sum(),
        tubule_share: (tissue > 0.0).then(|| tubules / tissue),
        variation: nuclear_variation(&measurable),
    })
}
