//! Segmentations (PS3.3 A.51): outlined regions as masks, and the heat map as shares of 255.

use dicom_core::{DataElement, PrimitiveValue, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use lobule_exam::{FindingClass, Point};

use super::claim::{Claim, claims};
use super::codes;
use super::envelope::{
    Pixels, Place, account, ascii, copy, envelope, image_key, image_reference, put_code,
    put_content_moment, put_items, put_pixels, put_texts, uid,
};
use super::request::Assessed;
use super::tree::by_series;
use super::{NOTICE, ResultKind, ResultObject, ResultRequest};
use crate::write::{put_sequence, put_str, put_u16, side_code};
use crate::{Error, ErrorKind};

/// One binary segmentation per image with findings: a segment and a frame per finding, on the
/// image's own grid. Pixels whose centre lies inside the outline are set.
///
/// # Errors
/// When the images are of several studies, or the assessment does not fit them.
pub fn segmentations(request: &ResultRequest<'_>) -> Result<Vec<ResultObject>, Error> {
    let images = request.images()?;
    let marked = images.iter().filter(|i| !i.image.findings.is_empty());
    (1..)
        .zip(marked)
        .map(|(number, image)| outlines(request, image, number))
        .collect()
}

/// One fractional segmentation per assessed image: the malignant saliency in 255ths, bilinear
/// between the nodes of the network's grid, on the image's own grid (a byte per pixel).
///
/// # Errors
/// When the images are of several studies, or the assessment does not fit them.
pub fn heat_maps(request: &ResultRequest<'_>) -> Result<Vec<ResultObject>, Error> {
    let images = request.images()?;
    (1..)
        .zip(&images)
        .map(|(number, image)| heat_map(request, image, number))
        .collect()
}

fn outlines(
    request: &ResultRequest<'_>,
    image: &Assessed<'_>,
    number: usize,
) -> Result<ResultObject, Error> {
    let findings = &image.image.findings;
    if findings.len() > usize::from(u16::MAX) {
        let n = findings.len();
        let message = format!("expected at most 65535 findings of an image, got {n}");
        return Err(Error::new(ErrorKind::Write, message));
    }
    let label = |c: &Claim<'_>| format!("{}, {}, {}", c.name(), c.looks(), c.value());
    let labels: Vec<String> = claims(image).iter().map(label).collect();
    let (rows, cols) = (image.source.rows, image.source.cols);
    let mut bits = vec![0_u8; (rows * cols * findings.len()).div_ceil(8)];
    for (frame, finding) in findings.iter().enumerate() {
        finding.outline.for_each_inside(rows, cols, |row, col| {
            let at = (frame * rows + row) * cols + col;
            bits[at / 8] |= 1 << (at % 8);
        });
    }
    let mut object = head(request, image, ResultKind::Segmentation, number, &labels)?;
    put_str(&mut object, tags::SEGMENTATION_TYPE, VR::CS, "BINARY");
    put_grid(&mut object, image, 1, bits);
    ResultObject::new(ResultKind::Segmentation, object)
}

fn heat_map(
    request: &ResultRequest<'_>,
    image: &Assessed<'_>,
    number: usize,
) -> Result<ResultObject, Error> {
    let label = "malignant saliency".to_owned();
    let mut object = head(request, image, ResultKind::HeatMap, number, &[label])?;
    put_str(&mut object, tags::SEGMENTATION_TYPE, VR::CS, "FRACTIONAL");
    put_str(
        &mut object,
        tags::SEGMENTATION_FRACTIONAL_TYPE,
        VR::CS,
        "PROBABILITY",
    );
    put_u16(&mut object, tags::MAXIMUM_FRACTIONAL_VALUE, 255);
    let (rows, cols) = (image.source.rows, image.source.cols);
    let map = &image.image.saliency;
    let bytes = match map.image_from_grid.inverse() {
        None => vec![0; rows * cols],
        Some(grid_from_image) => {
            let value = |row: usize, col: usize| {
                let (row, col) = (row as f64, col as f64);
                let at = grid_from_image.apply(Point { row, col });
                let share = map.value_at(FindingClass::Malignant, at);
                (255.0 * share.clamp(0.0, 1.0)).round() as u8
            };
            (0..rows)
                .flat_map(|row| (0..cols).map(move |col| (row, col)))
                .map(|(r, c)| value(r, c))
                .collect()
        }
    };
    put_grid(&mut object, image, 8, bytes);
    ResultObject::new(ResultKind::HeatMap, object)
}

fn put_grid(object: &mut InMemDicomObject, image: &Assessed<'_>, bits: u16, bytes: Vec<u8>) {
    put_pixels(
        object,
        Pixels {
            rows: image.source.rows as u16,
            cols: image.source.cols as u16,
            samples: 1,
            bits,
            photometric: "MONOCHROME2",
            bytes,
        },
    );
}

/// Everything but type and pixels; one frame per label.
fn head(
    request: &ResultRequest<'_>,
    image: &Assessed<'_>,
    kind: ResultKind,
    number: usize,
    labels: &[String],
) -> Result<InMemDicomObject, Error> {
    let key = image_key(image);
    let side = image.breast.side;
    let place = Place {
        kind,
        side,
        number,
        detail: &key,
    };
    let mut object = envelope(request, &place)?;
    put_content_moment(&mut object, request);
    let image_type = dicom_value!(Strs, ["DERIVED", "PRIMARY"]);
    object.put(DataElement::new(tags::IMAGE_TYPE, VR::CS, image_type));
    let orientation = image.source.data.texts(tags::PATIENT_ORIENTATION);
    put_texts(&mut object, tags::PATIENT_ORIENTATION, VR::CS, &orientation);
    // The frames state it, where it is known.
    object.remove_element(tags::LATERALITY);
    let frames = labels.len().to_string();
    for (tag, vr, text) in [
        (tags::CONTENT_LABEL, VR::CS, "AI FINDINGS"),
        (tags::CONTENT_DESCRIPTION, VR::LO, NOTICE),
        (tags::CONTENT_CREATOR_NAME, VR::PN, "Lobule"),
        (tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00"),
        (tags::SEGMENTS_OVERLAP, VR::CS, "UNDEFINED"),
        (tags::NUMBER_OF_FRAMES, VR::IS, &frames),
    ] {
        put_str(&mut object, tag, vr, text);
    }
    copy(
        &mut object,
        image.source,
        tags::LOSSY_IMAGE_COMPRESSION,
        VR::CS,
    );
    copy(
        &mut object,
        image.source,
        tags::LOSSY_IMAGE_COMPRESSION_RATIO,
        VR::DS,
    );
    copy(
        &mut object,
        image.source,
        tags::LOSSY_IMAGE_COMPRESSION_METHOD,
        VR::CS,
    );
    put_items(
        &mut object,
        tags::REFERENCED_SERIES_SEQUENCE,
        by_series(&[image.source], tags::REFERENCED_INSTANCE_SEQUENCE),
    );
    let segments = (1..)
        .zip(labels)
        .map(|(n, label)| segment(request, n, label));
    put_items(&mut object, tags::SEGMENT_SEQUENCE, segments.collect());
    put_dimensions(
        &mut object,
        &uid(request, kind.name(), &format!("dimensions {key}")),
    );
    put_sequence(
        &mut object,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        shared(image, side_code(side)),
    );
    let frames = (1..=labels.len()).map(frame);
    put_items(
        &mut object,
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        frames.collect(),
    );
    Ok(object)
}

fn segment(request: &ResultRequest<'_>, number: u16, label: &str) -> InMemDicomObject {
    let run = request.run;
    let mut algorithm = InMemDicomObject::new_empty();
    put_code(
        &mut algorithm,
        tags::ALGORITHM_FAMILY_CODE_SEQUENCE,
        codes::ARTIFICIAL_INTELLIGENCE,
    );
    put_str(
        &mut algorithm,
        tags::ALGORITHM_NAME,
        VR::LO,
        &ascii(&run.model_name, 64),
    );
    put_str(
        &mut algorithm,
        tags::ALGORITHM_VERSION,
        VR::LO,
        &ascii(&run.model_version, 64),
    );
    put_str(
        &mut algorithm,
        tags::ALGORITHM_PARAMETERS,
        VR::LT,
        &ascii(&account(request), 1024),
    );
    let mut item = InMemDicomObject::new_empty();
    put_u16(&mut item, tags::SEGMENT_NUMBER, number);
    put_str(&mut item, tags::SEGMENT_LABEL, VR::LO, label);
    put_str(&mut item, tags::SEGMENT_ALGORITHM_TYPE, VR::CS, "AUTOMATIC");
    put_str(
        &mut item,
        tags::SEGMENT_ALGORITHM_NAME,
        VR::LO,
        &ascii(&run.model_name, 64),
    );
    put_sequence(
        &mut item,
        tags::SEGMENTATION_ALGORITHM_IDENTIFICATION_SEQUENCE,
        algorithm,
    );
    put_code(
        &mut item,
        tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE,
        codes::ALTERED_STRUCTURE,
    );
    put_code(
        &mut item,
        tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE,
        codes::LESION,
    );
    item
}

/// Frames are told apart by their segment alone.
fn put_dimensions(object: &mut InMemDicomObject, organization: &str) {
    let mut item = InMemDicomObject::new_empty();
    put_str(
        &mut item,
        tags::DIMENSION_ORGANIZATION_UID,
        VR::UI,
        organization,
    );
    put_sequence(object, tags::DIMENSION_ORGANIZATION_SEQUENCE, item.clone());
    for (tag, pointer) in [
        (
            tags::DIMENSION_INDEX_POINTER,
            tags::REFERENCED_SEGMENT_NUMBER,
        ),
        (
            tags::FUNCTIONAL_GROUP_POINTER,
            tags::SEGMENT_IDENTIFICATION_SEQUENCE,
        ),
    ] {
        item.put(DataElement::new(tag, VR::AT, PrimitiveValue::from(pointer)));
    }
    put_str(
        &mut item,
        tags::DIMENSION_DESCRIPTION_LABEL,
        VR::LO,
        "Referenced Segment Number",
    );
    put_sequence(object, tags::DIMENSION_INDEX_SEQUENCE, item);
}

/// The image that all frames lie on, and the breast.
fn shared(image: &Assessed<'_>, side: &str) -> InMemDicomObject {
    let mut source = image_reference(image.source, Some(image.image.frame));
    put_str(
        &mut source,
        tags::SPATIAL_LOCATIONS_PRESERVED,
        VR::CS,
        "YES",
    );
    put_code(
        &mut source,
        tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE,
        codes::SOURCE_IMAGE,
    );
    let mut derivation = InMemDicomObject::new_empty();
    put_sequence(&mut derivation, tags::SOURCE_IMAGE_SEQUENCE, source);
    put_code(
        &mut derivation,
        tags::DERIVATION_CODE_SEQUENCE,
        codes::SEGMENTATION,
    );
    let mut groups = InMemDicomObject::new_empty();
    put_sequence(&mut groups, tags::DERIVATION_IMAGE_SEQUENCE, derivation);
    if !side.is_empty() {
        let mut anatomy = InMemDicomObject::new_empty();
        put_code(&mut anatomy, tags::ANATOMIC_REGION_SEQUENCE, codes::BREAST);
        put_str(&mut anatomy, tags::FRAME_LATERALITY, VR::CS, side);
        put_sequence(&mut groups, tags::FRAME_ANATOMY_SEQUENCE, anatomy);
    }
    groups
}

fn frame(number: usize) -> InMemDicomObject {
    let mut content = InMemDicomObject::new_empty();
    let index = PrimitiveValue::from(number as u32);
    content.put(DataElement::new(
        tags::DIMENSION_INDEX_VALUES,
        VR::UL,
        index,
    ));
    let mut segment = InMemDicomObject::new_empty();
    put_u16(&mut segment, tags::REFERENCED_SEGMENT_NUMBER, number as u16);
    let mut groups = InMemDicomObject::new_empty();
    put_sequence(&mut groups, tags::FRAME_CONTENT_SEQUENCE, content);
    put_sequence(&mut groups, tags::SEGMENT_IDENTIFICATION_SEQUENCE, segment);
    groups
}
