//! Size of a pixel and position of the breast.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use lobule_exam::{BreastOrientation, ImageSide, Laterality, Side, Spacing, View};
use lobule_exam::{Warning, WarningKind};

use crate::dataset::Dataset;

/// Where a mammogram's spacing was taken from (PS3.3 10.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpacingSource {
    /// Pixel Spacing that is stated to be corrected for the geometry or by a fiducial.
    Calibrated,
    /// The detector's spacing, divided by the estimated magnification.
    DetectorCorrected,
    /// The detector's spacing: lengths in the breast are a few percent shorter.
    Detector,
    /// The scanner's spacing on a film.
    Film,
    /// Pixel Spacing without a statement of its meaning.
    Unexplained,
    /// Spatial Resolution, which old film scans give instead of a spacing.
    Resolution,
}

/// The best stated size of a pixel: calibrated, then detector, film, unexplained, resolution.
pub(super) fn spacing(
    data: &Dataset,
    warnings: &mut Vec<Warning>,
) -> Option<(Spacing, SpacingSource)> {
    let found = stated_spacing(data);
    if found.is_none() {
        warnings.push(Warning {
            kind: WarningKind::UnknownSpacing,
            message: "the size of a pixel is not stated".to_owned(),
        });
    }
    found
}

fn stated_spacing(data: &Dataset) -> Option<(Spacing, SpacingSource)> {
    // Row first, as DICOM writes spacings.
    let pair = |tag: Tag| match data.decimals(tag)[..] {
        [row_mm, col_mm] => Spacing::new(row_mm, col_mm).ok(),
        _ => None,
    };
    let calibrated = data.raw(tags::PIXEL_SPACING_CALIBRATION_TYPE).is_some();
    let plain = pair(tags::PIXEL_SPACING);
    let at = |source| move |spacing| (spacing, source);
    plain
        .filter(|_| calibrated)
        .map(at(SpacingSource::Calibrated))
        .or_else(|| detector(data, pair(tags::IMAGER_PIXEL_SPACING)?))
        .or_else(|| pair(tags::NOMINAL_SCANNED_PIXEL_SPACING).map(at(SpacingSource::Film)))
        .or_else(|| plain.map(at(SpacingSource::Unexplained)))
        .or_else(|| {
            let mm = *data.decimals(tags::SPATIAL_RESOLUTION).first()?;
            let spacing = Spacing::new(mm, mm).ok();
            spacing.map(at(SpacingSource::Resolution))
        })
}

fn detector(data: &Dataset, at_detector: Spacing) -> Option<(Spacing, SpacingSource)> {
    let Some(factor) = magnification(data) else {
        return Some((at_detector, SpacingSource::Detector));
    };
    let (row_mm, col_mm) = (at_detector.row_mm(), at_detector.col_mm());
    let spacing = Spacing::new(row_mm / factor, col_mm / factor).ok()?;
    Some((spacing, SpacingSource::DetectorCorrected))
}

/// How much larger the breast is on the detector, where a believable number is stated.
pub(super) fn magnification(data: &Dataset) -> Option<f64> {
    let stated = data.decimals(tags::ESTIMATED_RADIOGRAPHIC_MAGNIFICATION_FACTOR);
    stated.first().copied().filter(|f| (1.0..=4.0).contains(f))
}

/// From Patient Orientation: the directions of a row (rightwards) and of a column (downwards),
/// each by the letters Anterior, Posterior, Head, Feet, Left, Right (PS3.3 C.7.6.1.1.1).
pub(super) fn orientation(
    data: &Dataset,
    side: Side,
    view: Option<View>,
) -> Option<BreastOrientation> {
    let values = data.texts(tags::PATIENT_ORIENTATION);
    let [row, col] = &values[..] else { return None };
    of_directions(row, col, side, view)
}

fn of_directions(
    row: &str,
    col: &str,
    side: Side,
    view: Option<View>,
) -> Option<BreastOrientation> {
    let letters = |text: &str| text.chars().all(|c| "APHFLR".contains(c));
    if !letters(row) || !letters(col) {
        return None;
    }
    let across = (row, ImageSide::Left);
    let down = (col, ImageSide::Top);
    let (chest, other) = match (starts_at_chest(across), starts_at_chest(down)) {
        (Some(chest), None) => (chest, down),
        (None, Some(chest)) => (chest, across),
        _ => return None,
    };
    BreastOrientation::new(chest, upper(other, side, view))
}

/// Where the chest wall is, for a direction that begins at an edge.
fn starts_at_chest((direction, start): (&str, ImageSide)) -> Option<ImageSide> {
    match direction.chars().next()? {
        'A' => Some(start),
        'P' => Some(start.opposite()),
        _ => None,
    }
}

/// Where the head, or in views from above the outer side, is.
fn upper(
    (direction, start): (&str, ImageSide),
    side: Side,
    view: Option<View>,
) -> Option<ImageSide> {
    let towards = |letters: [char; 2]| direction.chars().find(|c| letters.contains(c));
    let by_head = || match towards(['H', 'F'])? {
        'F' => Some(start),
        _ => Some(start.opposite()),
    };
    let by_outer_side = || match (towards(['L', 'R'])?, side) {
        ('L', Side::Known(Laterality::Right)) | ('R', Side::Known(Laterality::Left)) => Some(start),
        (_, Side::Known(_)) => Some(start.opposite()),
        _ => None,
    };
    match view.is_some_and(View::is_cranio_caudal) {
        true => by_outer_side(),
        false => by_head(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ImageSide::{Bottom, Left, Right, Top};

    #[test]
    fn directions_tell_where_chest_and_head_are() {
        const L: Side = Side::Known(Laterality::Left);
        const R: Side = Side::Known(Laterality::Right);
        let cases = [
            ("A", "F", L, View::Mlo, Some((Left, Some(Top)))),
            ("P", "FL", R, View::Mlo, Some((Right, Some(Top)))),
            ("A", "HL", L, View::Mlo, Some((Left, Some(Bottom)))),
            ("A", "R", L, View::Cc, Some((Left, Some(Top)))),
            ("P", "L", R, View::Cc, Some((Right, Some(Top)))),
            ("A", "L", L, View::Cc, Some((Left, Some(Bottom)))),
            ("A", "L", Side::Unknown, View::Cc, Some((Left, None))),
            ("F", "A", L, View::Mlo, Some((Top, Some(Left)))),
            ("H", "P", L, View::Mlo, Some((Bottom, Some(Right)))),
            ("A", "P", L, View::Mlo, None),
            ("L", "F", L, View::Mlo, None),
            ("MLO", "", L, View::Mlo, None),
        ];
        for (row, col, side, view, expected) in cases {
            let got = of_directions(row, col, side, Some(view));
            let got = got.map(|o| (o.chest(), o.upper()));
            assert_eq!(got, expected, "{row}\\{col}");
        }
    }
}
