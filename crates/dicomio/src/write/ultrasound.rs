//! Writing of synthetic ultrasound images.
//!
//! Owns: ultrasound images made up for demonstrations and tests. Does not own: what is drawn
//! (`phantom`).
//!
//! ```
//! use lobule_dicomio::{Frames, SyntheticUltrasound, write_ultrasound};
//! use lobule_exam::{PixelBox, Side, Spacing};
//! use lobule_raster::Image;
//! let image = SyntheticUltrasound {
//!     frames: Frames::Gray(vec![Image::filled(40, 60, 90_u8)]),
//!     side: Side::Unknown,
//!     spacing: Spacing::new(0.1, 0.1).expect("positive"),
//!     region: PixelBox::whole(40, 60),
//!     study_seed: "example".to_owned(),
//!     instance_number: 1,
//! };
//! let folder = tempfile::tempdir().expect("a folder for temporary files");
//! write_ultrasound(&folder.path().join("a.dcm"), &image).expect("a plain image");
//! ```

use std::path::Path;

use dicom_core::value::{DataSetSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, VR, dicom_value};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use lobule_exam::{PixelBox, Side, Spacing};
use lobule_raster::Image;

use super::{derived_uid, put_people, put_str, put_u16, refused, side_code};
use crate::{Error, ErrorKind};

/// An ultrasound image that is not of a patient.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticUltrasound {
    /// The pixels: one frame, or a cine loop.
    pub frames: Frames,
    /// The breast.
    pub side: Side,
    /// Size of a pixel inside the region.
    pub spacing: Spacing,
    /// Where the sonogram is.
    pub region: PixelBox,
    /// Images of one seed belong to one study: its unique identifier is made from the seed alone.
    pub study_seed: String,
    /// Number of the image within its study; together with the seed it makes the image's identity.
    pub instance_number: u32,
}

/// The frames of an image, all of one size.
#[derive(Debug, Clone, PartialEq)]
pub enum Frames {
    /// 8-bit grey, 0 = black.
    Gray(Vec<Image<u8>>),
    /// 8-bit RGB.
    Rgb(Vec<Image<[u8; 3]>>),
}

/// Writes a US (or, for several frames, US multi-frame) image, explicit VR little endian, with a
/// calibrated B-mode region.
///
/// # Errors
/// When there is no frame, the frames differ in size or are larger than DICOM allows, the region
/// is empty or sticks out, or the file cannot be written.
pub fn write_ultrasound(path: &Path, image: &SyntheticUltrasound) -> Result<(), Error> {
    let in_file = |e: Error| e.in_file(path);
    let layout = Layout::of(&image.frames).map_err(in_file)?;
    check_region(image.region, &layout).map_err(in_file)?;
    let uid = |what: &str| derived_uid(&format!("{}/{what}", image.study_seed));
    let instance_uid = uid(&format!("image {}", image.instance_number));
    let class_uid = match layout.frames {
        1 => uids::ULTRASOUND_IMAGE_STORAGE,
        _ => uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE,
    };

    let mut object = InMemDicomObject::new_empty();
    put_identity(&mut object, image, &uid);
    put_str(&mut object, tags::SOP_CLASS_UID, VR::UI, class_uid);
    put_str(&mut object, tags::SOP_INSTANCE_UID, VR::UI, &instance_uid);
    put_content(&mut object, image, &layout);
    put_pixels(&mut object, &image.frames, &layout);

    let meta = FileMetaTableBuilder::new()
        .media_storage_sop_class_uid(class_uid)
        .media_storage_sop_instance_uid(instance_uid.as_str())
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN);
    object
        .with_meta(meta)
        .map_err(|e| in_file(refused(&e)))?
        .write_to_file(path)
        .map_err(|e| in_file(refused(&e)))
}

struct Layout {
    rows: u16,
    cols: u16,
    frames: usize,
    samples: u16,
}

impl Layout {
    fn of(frames: &Frames) -> Result<Layout, Error> {
        match frames {
            Frames::Gray(images) => Layout::of_images(images, 1),
            Frames::Rgb(images) => Layout::of_images(images, 3),
        }
    }

    fn of_images<T: Copy>(images: &[Image<T>], samples: u16) -> Result<Layout, Error> {
        let bad = |what: String| Error::new(ErrorKind::Write, what);
        let first = images
            .first()
            .ok_or_else(|| bad("expected at least one frame, got none".to_owned()))?;
        let size = (first.rows(), first.cols());
        if images.iter().any(|i| (i.rows(), i.cols()) != size) {
            return Err(bad("expected frames of one size, got several".to_owned()));
        }
        let side = |n: usize| {
            u16::try_from(n)
                .ok()
                .filter(|&n| n > 0)
                .ok_or_else(|| bad(format!("expected 1 to 65535 pixels a side, got {n}")))
        };
        Ok(Layout {
            rows: side(size.0)?,
            cols: side(size.1)?,
            frames: images.len(),
            samples,
        })
    }
}

fn check_region(region: PixelBox, layout: &Layout) -> Result<(), Error> {
    let whole = PixelBox::whole(layout.rows.into(), layout.cols.into());
    if region.area() > 0 && region.intersect(whole) == region {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Write,
        format!("expected a region inside the image, got {region:?}"),
    ))
}

fn put_identity(
    object: &mut InMemDicomObject,
    image: &SyntheticUltrasound,
    uid: &dyn Fn(&str) -> String,
) {
    let number = image.instance_number.to_string();
    put_people(object, "synthetic breast phantom", uid);
    for (tag, vr, text) in [
        (tags::MODALITY, VR::CS, "US"),
        (tags::INSTANCE_NUMBER, VR::IS, number.as_str()),
        (tags::PATIENT_ORIENTATION, VR::CS, ""),
    ] {
        put_str(object, tag, vr, text);
    }
}

fn put_content(object: &mut InMemDicomObject, image: &SyntheticUltrasound, layout: &Layout) {
    let side = side_code(image.side);
    // Laterality is the series' (PS3.3 C.7.3.1): each breast has its own.
    let series = derived_uid(&format!("{}/series {side}", image.study_seed));
    put_str(object, tags::SERIES_INSTANCE_UID, VR::UI, &series);
    put_str(object, tags::LATERALITY, VR::CS, side);
    if !side.is_empty() {
        put_str(object, tags::IMAGE_LATERALITY, VR::CS, side);
    }
    let image_type = dicom_value!(Strs, ["DERIVED", "PRIMARY", "BREAST", "0001"]);
    object.put(DataElement::new(tags::IMAGE_TYPE, VR::CS, image_type));
    put_str(object, tags::DERIVATION_DESCRIPTION, VR::ST, "synthetic");
    put_str(object, tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00");
    put_u16(object, tags::ULTRASOUND_COLOR_DATA_PRESENT, 0);
    if layout.frames > 1 {
        let frames = layout.frames.to_string();
        put_str(object, tags::NUMBER_OF_FRAMES, VR::IS, &frames);
        put_str(object, tags::FRAME_TIME, VR::DS, "50");
        let pointer = PrimitiveValue::from(tags::FRAME_TIME);
        object.put(DataElement::new(
            tags::FRAME_INCREMENT_POINTER,
            VR::AT,
            pointer,
        ));
    }
    let region = region_item(image.region, image.spacing);
    object.put(DataElement::new(
        tags::SEQUENCE_OF_ULTRASOUND_REGIONS,
        VR::SQ,
        Value::from(DataSetSequence::from(vec![region])),
    ));
}

/// One item of the regions' sequence. Columns are DICOM's x, rows its y; the end is inclusive.
fn region_item(region: PixelBox, spacing: Spacing) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    for (tag, value) in [
        (tags::REGION_SPATIAL_FORMAT, 1),
        (tags::REGION_DATA_TYPE, 1),
        (tags::PHYSICAL_UNITS_X_DIRECTION, 3),
        (tags::PHYSICAL_UNITS_Y_DIRECTION, 3),
    ] {
        put_u16(&mut item, tag, value);
    }
    for (tag, value) in [
        (tags::REGION_FLAGS, 0),
        (tags::REGION_LOCATION_MIN_X0, region.col),
        (tags::REGION_LOCATION_MIN_Y0, region.row),
        (tags::REGION_LOCATION_MAX_X1, region.col_end() - 1),
        (tags::REGION_LOCATION_MAX_Y1, region.row_end() - 1),
    ] {
        let value = PrimitiveValue::from(value as u32);
        item.put(DataElement::new(tag, VR::UL, value));
    }
    for (tag, mm) in [
        (tags::PHYSICAL_DELTA_X, spacing.col_mm()),
        (tags::PHYSICAL_DELTA_Y, spacing.row_mm()),
    ] {
        let centimetres = PrimitiveValue::from(mm / 10.0);
        item.put(DataElement::new(tag, VR::FD, centimetres));
    }
    item
}

fn put_pixels(object: &mut InMemDicomObject, frames: &Frames, layout: &Layout) {
    let photometric = match frames {
        Frames::Gray(_) => "MONOCHROME2",
        Frames::Rgb(_) => "RGB",
    };
    put_str(
        object,
        tags::PHOTOMETRIC_INTERPRETATION,
        VR::CS,
        photometric,
    );
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, layout.samples),
        (tags::ROWS, layout.rows),
        (tags::COLUMNS, layout.cols),
        (tags::BITS_ALLOCATED, 8),
        (tags::BITS_STORED, 8),
        (tags::HIGH_BIT, 7),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        put_u16(object, tag, value);
    }
    if layout.samples > 1 {
        put_u16(object, tags::PLANAR_CONFIGURATION, 0);
    }
    let mut bytes: Vec<u8> = match frames {
        Frames::Gray(images) => images.iter().flat_map(Image::pixels).copied().collect(),
        Frames::Rgb(images) => {
            let pixels = images.iter().flat_map(Image::pixels);
            pixels.flatten().copied().collect()
        }
    };
    // Values of elements have an even length.
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    object.put(DataElement::new(
        tags::PIXEL_DATA,
        VR::OB,
        PrimitiveValue::from(bytes),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_images_are_refused() {
        let good = SyntheticUltrasound {
            frames: Frames::Gray(vec![Image::filled(4, 5, 1)]),
            side: Side::Unknown,
            spacing: Spacing::new(0.1, 0.1).unwrap(),
            region: PixelBox::whole(4, 5),
            study_seed: "s".to_owned(),
            instance_number: 1,
        };
        let cases = [
            SyntheticUltrasound {
                frames: Frames::Gray(vec![]),
                ..good.clone()
            },
            SyntheticUltrasound {
                frames: Frames::Rgb(vec![Image::filled(4, 0, [0; 3])]),
                ..good.clone()
            },
            SyntheticUltrasound {
                frames: Frames::Gray(vec![Image::filled(4, 5, 1), Image::filled(5, 4, 1)]),
                ..good.clone()
            },
            SyntheticUltrasound {
                region: PixelBox::whole(5, 5),
                ..good.clone()
            },
            SyntheticUltrasound {
                region: PixelBox::whole(0, 5),
                ..good.clone()
            },
        ];
        for case in cases {
            let error = write_ultrasound(Path::new("/nowhere/a.dcm"), &case).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Write, "{error}");
        }
    }
}
