//! Grayscale softcopy presentation states (PS3.3 A.33.1): outlines laid over a source image.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use lobule_exam::Finding;

use super::claim::{Claim, claims};
use super::envelope::{Place, ascii, envelope, image_key, image_reference, put_items};
use super::request::Assessed;
use super::tree::{by_series, graphic_outline};
use super::{NOTICE, ResultKind, ResultObject, ResultRequest, ResultSource};
use crate::Error;
use crate::dataset::Dataset;
use crate::gray::{Modality, Shape, StatedVoi, Window};
use crate::lut::Table;
use crate::mammogram::gray::stated_voi;
use crate::write::{put_sequence, put_str, put_u16};

const LAYER: &str = "AI";

/// One state per grey source image with findings: its outlines and scores, and the image's own
/// look-up tables, without which a viewer would show it differently. Colour images have none.
///
/// # Errors
/// When the images are of several studies, or the assessment does not fit them.
pub fn presentation_states(request: &ResultRequest<'_>) -> Result<Vec<ResultObject>, Error> {
    let images = request.images()?;
    let marked = images
        .iter()
        .filter(|i| !i.image.findings.is_empty() && is_gray(i.source));
    let numbered = (1..).zip(marked);
    numbered
        .map(|(number, image)| state(request, image, number))
        .collect()
}

fn is_gray(source: &ResultSource) -> bool {
    let photometric = source.data.text(tags::PHOTOMETRIC_INTERPRETATION);
    photometric.is_some_and(|p| p.starts_with("MONOCHROME"))
}

fn state(
    request: &ResultRequest<'_>,
    image: &Assessed<'_>,
    number: usize,
) -> Result<ResultObject, Error> {
    let place = Place {
        kind: ResultKind::PresentationState,
        side: image.breast.side,
        number,
        detail: &image_key(image),
    };
    let mut object = envelope(request, &place)?;
    for (tag, vr, text) in [
        (tags::CONTENT_LABEL, VR::CS, "AI FINDINGS"),
        (tags::CONTENT_DESCRIPTION, VR::LO, NOTICE),
        (tags::CONTENT_CREATOR_NAME, VR::PN, "Lobule"),
        (
            tags::PRESENTATION_CREATION_DATE,
            VR::DA,
            request.moment.date(),
        ),
        (
            tags::PRESENTATION_CREATION_TIME,
            VR::TM,
            request.moment.time(),
        ),
    ] {
        put_str(&mut object, tag, vr, text);
    }
    put_items(
        &mut object,
        tags::REFERENCED_SERIES_SEQUENCE,
        by_series(&[image.source], tags::REFERENCED_IMAGE_SEQUENCE),
    );
    put_sequence(
        &mut object,
        tags::DISPLAYED_AREA_SELECTION_SEQUENCE,
        displayed_area(image.source),
    );
    put_annotations(&mut object, image);
    put_look_up_tables(&mut object, image);
    ResultObject::new(place.kind, object)
}

/// The whole image, fitted to the window (PS3.3 C.10.4).
fn displayed_area(source: &ResultSource) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    let corner =
        |col: usize, row: usize| PrimitiveValue::I32([col as i32, row as i32].as_slice().into());
    let (first, last) = (corner(1, 1), corner(source.cols, source.rows));
    item.put(DataElement::new(
        tags::DISPLAYED_AREA_TOP_LEFT_HAND_CORNER,
        VR::SL,
        first,
    ));
    item.put(DataElement::new(
        tags::DISPLAYED_AREA_BOTTOM_RIGHT_HAND_CORNER,
        VR::SL,
        last,
    ));
    put_str(
        &mut item,
        tags::PRESENTATION_SIZE_MODE,
        VR::CS,
        "SCALE TO FIT",
    );
    match source.data.raw(tags::PIXEL_SPACING) {
        Some(_) => copy_as(
            &mut item,
            source,
            tags::PIXEL_SPACING,
            tags::PRESENTATION_PIXEL_SPACING,
            VR::DS,
        ),
        None => put_str(
            &mut item,
            tags::PRESENTATION_PIXEL_ASPECT_RATIO,
            VR::IS,
            "1\\1",
        ),
    }
    item
}

fn copy_as(object: &mut InMemDicomObject, source: &ResultSource, from: Tag, to: Tag, vr: VR) {
    let text = source.data.texts(from).join("\\");
    put_str(object, to, vr, &text);
}

fn put_annotations(object: &mut InMemDicomObject, image: &Assessed<'_>) {
    let mut layer = InMemDicomObject::new_empty();
    put_str(&mut layer, tags::GRAPHIC_LAYER, VR::CS, LAYER);
    put_str(&mut layer, tags::GRAPHIC_LAYER_ORDER, VR::IS, "1");
    put_str(&mut layer, tags::GRAPHIC_LAYER_DESCRIPTION, VR::LO, NOTICE);
    put_u16(
        &mut layer,
        tags::GRAPHIC_LAYER_RECOMMENDED_DISPLAY_GRAYSCALE_VALUE,
        0xFFFF,
    );
    put_sequence(object, tags::GRAPHIC_LAYER_SEQUENCE, layer);

    let mut item = InMemDicomObject::new_empty();
    put_str(&mut item, tags::GRAPHIC_LAYER, VR::CS, LAYER);
    let reference = image_reference(image.source, Some(image.image.frame));
    put_sequence(&mut item, tags::REFERENCED_IMAGE_SEQUENCE, reference);
    let outlines = image
        .image
        .findings
        .iter()
        .map(|finding| outline(image, finding));
    put_items(&mut item, tags::GRAPHIC_OBJECT_SEQUENCE, outlines.collect());
    let labels = claims(image);
    let mut labels: Vec<_> = labels.iter().map(|claim| label(image, claim)).collect();
    labels.push(notice(image.source));
    put_items(&mut item, tags::TEXT_OBJECT_SEQUENCE, labels);
    put_sequence(object, tags::GRAPHIC_ANNOTATION_SEQUENCE, item);
}

fn put_floats(object: &mut InMemDicomObject, tag: Tag, values: Vec<f32>) {
    object.put(DataElement::new(
        tag,
        VR::FL,
        PrimitiveValue::F32(values.into()),
    ));
}

fn outline(image: &Assessed<'_>, finding: &Finding) -> InMemDicomObject {
    let points = graphic_outline(&finding.outline, image.source);
    let mut item = InMemDicomObject::new_empty();
    put_str(&mut item, tags::GRAPHIC_ANNOTATION_UNITS, VR::CS, "PIXEL");
    put_u16(&mut item, tags::GRAPHIC_DIMENSIONS, 2);
    put_u16(
        &mut item,
        tags::NUMBER_OF_GRAPHIC_POINTS,
        (points.len() / 2) as u16,
    );
    put_floats(&mut item, tags::GRAPHIC_DATA, points);
    put_str(&mut item, tags::GRAPHIC_TYPE, VR::CS, "POLYLINE");
    put_str(&mut item, tags::GRAPHIC_FILLED, VR::CS, "N");
    item
}

/// The number, class and score of a finding, beside its box.
fn label(image: &Assessed<'_>, claim: &Claim<'_>) -> InMemDicomObject {
    let bounds = claim.finding.bounds;
    let at = [
        bounds.col_end().min(image.source.cols) as f32,
        bounds.row as f32 + 1.0,
    ];
    anchored(&claim.tag(), at)
}

/// The notice, in the first corner of the image.
fn notice(source: &ResultSource) -> InMemDicomObject {
    anchored(NOTICE, [1.0, source.rows as f32 - 1.0])
}

fn anchored(words: &str, at: [f32; 2]) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    put_str(
        &mut item,
        tags::ANCHOR_POINT_ANNOTATION_UNITS,
        VR::CS,
        "PIXEL",
    );
    put_str(
        &mut item,
        tags::UNFORMATTED_TEXT_VALUE,
        VR::ST,
        &ascii(words, 1024),
    );
    put_floats(&mut item, tags::ANCHOR_POINT, at.to_vec());
    put_str(&mut item, tags::ANCHOR_POINT_VISIBILITY, VR::CS, "N");
    item
}

/// The image's way from stored values to brightness (PS3.3 C.11.1, C.11.8, C.11.6), as the reader of
/// its pixels takes it. Where nothing usable is stated of brightness, the viewer's default holds.
fn put_look_up_tables(object: &mut InMemDicomObject, image: &Assessed<'_>) {
    let data = &image.source.data;
    // The reader of the pixels has said them.
    let mut said = Vec::new();
    let modality = Modality::read(data, &mut said);
    let sign = match data.word(tags::PIXEL_REPRESENTATION) {
        Some(1) => Sign::Signed,
        _ => Sign::Unsigned,
    };
    put_modality(object, data, &modality, sign);
    let is = |tag, value: &str| data.text(tag).as_deref() == Some(value);
    let inverted = is(tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME1")
        || is(tags::PRESENTATION_LUT_SHAPE, "INVERSE");
    let shape = if inverted { "INVERSE" } else { "IDENTITY" };
    put_str(object, tags::PRESENTATION_LUT_SHAPE, VR::CS, shape);
    let voi = match image.image.mammogram {
        Some(_) => stated_voi(data, &mut said),
        None => StatedVoi::first(data, &mut said),
    };
    let item = match (voi, &modality) {
        (Some(StatedVoi::Table(table)), _) => {
            let table = look_up_table(&table, table.shares(), sign_after(&modality, data, sign));
            let mut item = InMemDicomObject::new_empty();
            put_sequence(&mut item, tags::VOILUT_SEQUENCE, table);
            item
        }
        (
            Some(StatedVoi::Window(Window {
                center,
                width,
                shape,
            })),
            _,
        ) => window(center, width, shape),
        // What the entries can be: their own number of bits is not said of them.
        (None, Modality::Table(table)) => {
            let width = f64::from(table.top()) + 1.0;
            window(width / 2.0, width, Shape::Linear)
        }
        (None, Modality::Line { .. }) => return,
    };
    put_sequence(object, tags::SOFTCOPY_VOILUT_SEQUENCE, item);
}

fn window(center: f64, width: f64, shape: Shape) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    for (tag, value) in [(tags::WINDOW_CENTER, center), (tags::WINDOW_WIDTH, width)] {
        put_str(&mut item, tag, VR::DS, &decimal_string(value));
    }
    put_str(&mut item, tags::VOILUT_FUNCTION, VR::CS, shape.term());
    item
}

/// Whether numbers have one.
#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Signed,
    Unsigned,
}

fn put_modality(object: &mut InMemDicomObject, data: &Dataset, modality: &Modality, sign: Sign) {
    let kind = |text: Option<String>| ascii(text.as_deref().unwrap_or("US"), 64);
    match modality {
        Modality::Table(table) => {
            let mut item = look_up_table(table, table.values.clone(), sign);
            let stated = data.items(tags::MODALITY_LUT_SEQUENCE);
            let stated = stated.first().and_then(|i| i.text(tags::MODALITY_LUT_TYPE));
            put_str(&mut item, tags::MODALITY_LUT_TYPE, VR::LO, &kind(stated));
            put_sequence(object, tags::MODALITY_LUT_SEQUENCE, item);
        }
        Modality::Line { slope, intercept } if (*slope, *intercept) != (1.0, 0.0) => {
            for (tag, value) in [
                (tags::RESCALE_INTERCEPT, *intercept),
                (tags::RESCALE_SLOPE, *slope),
            ] {
                put_str(object, tag, VR::DS, &decimal_string(value));
            }
            let kind = kind(data.text(tags::RESCALE_TYPE));
            put_str(object, tags::RESCALE_TYPE, VR::LO, &kind);
        }
        Modality::Line { .. } => {}
    }
}

/// Whether values of the modality can lie below zero, by all values that can be stored.
fn sign_after(modality: &Modality, data: &Dataset, sign: Sign) -> Sign {
    let bits = data.word(tags::BITS_STORED).unwrap_or(16).clamp(1, 16);
    let ends = match sign {
        Sign::Unsigned => [0, (1 << bits) - 1],
        Sign::Signed => [-(1 << (bits - 1)), (1 << (bits - 1)) - 1],
    };
    let below = |end: i32| modality.at(end, sign == Sign::Signed) < 0.0;
    match ends.into_iter().any(below) {
        true => Sign::Signed,
        false => Sign::Unsigned,
    }
}

/// A table; the sign of its first value is told by the kind of number.
fn look_up_table(table: &Table, values: Vec<u16>, sign: Sign) -> InMemDicomObject {
    let descriptor = table.descriptor();
    let (vr, descriptor) = match sign {
        Sign::Unsigned => (VR::US, PrimitiveValue::U16(descriptor.as_slice().into())),
        Sign::Signed => {
            let same_bits = descriptor.map(|number| number as i16);
            (VR::SS, PrimitiveValue::I16(same_bits.as_slice().into()))
        }
    };
    let mut item = InMemDicomObject::new_empty();
    item.put(DataElement::new(tags::LUT_DESCRIPTOR, vr, descriptor));
    let values = PrimitiveValue::U16(values.into());
    item.put(DataElement::new(tags::LUT_DATA, VR::OW, values));
    item
}

/// A number in the 16 signs that a decimal string may have.
fn decimal_string(value: f64) -> String {
    let plain = value.to_string();
    match plain.len() <= 16 {
        true => plain,
        false => format!("{value:.8e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_a_decimal_string() {
        assert_eq!(decimal_string(2047.5), "2047.5");
        for value in [-1.0 / 3.0, -1e-300, 123_456_789.123_456_79, f64::MAX] {
            let text = decimal_string(value);
            assert!(text.len() <= 16, "{text}");
            let back: f64 = text.parse().unwrap();
            assert!((back / value - 1.0).abs() < 1e-8, "{text}");
        }
    }
}
