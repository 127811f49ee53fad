//! What is refused and what is warned of, by the tags.

use std::path::Path;

use dicom_core::value::{DataSetSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject, open_file};
use lobule_dicomio::{ColorDoppler, ErrorKind, Instance, Modality, read_header, read_identity};
use lobule_exam::{Laterality, PixelBox, Side, WarningKind};
use lobule_raster::Limits;

const SECONDARY_CAPTURE: &str = "1.2.840.10008.5.1.4.1.1.7";

fn read_changed(
    change: impl FnOnce(&mut DefaultDicomObject),
) -> Result<Instance, lobule_dicomio::Error> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rgb8.dcm");
    let mut object = open_file(golden).unwrap();
    change(&mut object);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("changed.dcm");
    object.write_to_file(&file).unwrap();
    read_header(&file, &Limits::default())
}

fn text(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &str) {
    let values: Vec<&str> = value.split('\\').collect();
    let value: PrimitiveValue =
        PrimitiveValue::Strs(values.into_iter().map(str::to_owned).collect());
    object.put(DataElement::new(tag, vr, value));
}

fn number(object: &mut InMemDicomObject, tag: Tag, value: u16) {
    object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
}

fn region(format: u16, data_type: u16, [left, top, right, bottom]: [u32; 4]) -> InMemDicomObject {
    let mut item = InMemDicomObject::new_empty();
    number(&mut item, tags::REGION_SPATIAL_FORMAT, format);
    number(&mut item, tags::REGION_DATA_TYPE, data_type);
    for (tag, value) in [
        (tags::REGION_LOCATION_MIN_X0, left),
        (tags::REGION_LOCATION_MIN_Y0, top),
        (tags::REGION_LOCATION_MAX_X1, right),
        (tags::REGION_LOCATION_MAX_Y1, bottom),
    ] {
        item.put(DataElement::new(tag, VR::UL, PrimitiveValue::from(value)));
    }
    number(&mut item, tags::PHYSICAL_UNITS_X_DIRECTION, 3);
    number(&mut item, tags::PHYSICAL_UNITS_Y_DIRECTION, 3);
    item.put(DataElement::new(
        tags::PHYSICAL_DELTA_X,
        VR::FD,
        PrimitiveValue::from(0.02),
    ));
    item.put(DataElement::new(
        tags::PHYSICAL_DELTA_Y,
        VR::FD,
        PrimitiveValue::from(-0.01),
    ));
    item
}

fn put_regions(object: &mut InMemDicomObject, items: Vec<InMemDicomObject>) {
    object.put(DataElement::new(
        tags::SEQUENCE_OF_ULTRASOUND_REGIONS,
        VR::SQ,
        Value::from(DataSetSequence::from(items)),
    ));
}

fn kinds(instance: &Instance) -> Vec<WarningKind> {
    instance.warnings.iter().map(|w| w.kind).collect()
}

#[test]
fn other_content_is_refused_with_its_kind() {
    type Change = fn(&mut DefaultDicomObject);
    let cases: [(Change, ErrorKind, &str); 14] = [
        (
            |o| text(o, tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.2"),
            ErrorKind::OtherModality,
            "CT Image Storage",
        ),
        (
            |o| {
                text(
                    o,
                    tags::SOP_CLASS_UID,
                    VR::UI,
                    "1.2.840.10008.5.1.4.1.1.6.2",
                )
            },
            ErrorKind::NotBMode,
            "3-D",
        ),
        (
            |o| {
                text(o, tags::SOP_CLASS_UID, VR::UI, SECONDARY_CAPTURE);
                text(o, tags::MODALITY, VR::CS, "MG");
            },
            ErrorKind::OtherModality,
            "modality MG",
        ),
        (
            |o| {
                text(o, tags::SOP_CLASS_UID, VR::UI, SECONDARY_CAPTURE);
                text(o, tags::MODALITY, VR::CS, "OT");
                o.remove_element(tags::BODY_PART_EXAMINED);
            },
            ErrorKind::OtherModality,
            "does not say",
        ),
        (
            |o| text(o, tags::BODY_PART_EXAMINED, VR::CS, "ABDOMEN"),
            ErrorKind::OtherBodyPart,
            "abdomen",
        ),
        (
            |o| put_regions(o, vec![region(3, 3, [0, 0, 9, 9])]),
            ErrorKind::NotBMode,
            "spectral",
        ),
        (
            |o| put_regions(o, vec![region(2, 1, [0, 0, 9, 9])]),
            ErrorKind::NotBMode,
            "M-mode",
        ),
        (
            |o| {
                text(
                    o,
                    tags::IMAGE_TYPE,
                    VR::CS,
                    "ORIGINAL\\PRIMARY\\BREAST\\0002",
                )
            },
            ErrorKind::NotBMode,
            "M-mode",
        ),
        (
            |o| {
                text(
                    o,
                    tags::IMAGE_TYPE,
                    VR::CS,
                    "DERIVED\\PRIMARY\\BREAST\\0041",
                )
            },
            ErrorKind::NotBMode,
            "3-D",
        ),
        (
            |o| {
                text(
                    o,
                    tags::SERIES_DESCRIPTION,
                    VR::LO,
                    "Strain Elastography left",
                )
            },
            ErrorKind::NotBMode,
            "elastography",
        ),
        (
            |o| text(o, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "HSV"),
            ErrorKind::UnsupportedEncoding,
            "HSV",
        ),
        (
            |o| number(o, tags::ROWS, 60_000),
            ErrorKind::Malformed,
            "bytes of pixels",
        ),
        (
            |o| text(o, tags::NUMBER_OF_FRAMES, VR::IS, "0"),
            ErrorKind::Malformed,
            "frames",
        ),
        (
            |o| text(o, tags::NUMBER_OF_FRAMES, VR::IS, "2147483647"),
            ErrorKind::TooLarge,
            "frames",
        ),
    ];
    for (change, kind, words) in cases {
        let error = read_changed(change).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.reason().contains(words), "{error}");
    }
}

#[test]
fn a_plain_image_is_read_with_few_words() {
    let instance = read_changed(|_| {}).unwrap();
    assert_eq!(instance.side, Side::Known(Laterality::Left));
    assert_eq!(instance.modality, Modality::Ultrasound);
    assert_eq!(instance.color_doppler, ColorDoppler::NotStated);
    // SHA-256 of "2.25.2".
    assert_eq!(instance.exam_key, "exam-0ccd686477ef");
    assert_eq!(kinds(&instance), [WarningKind::UnknownSpacing]);
}

#[test]
fn regions_give_boxes_and_spacing() {
    let instance = read_changed(|o| {
        let items = vec![
            region(1, 1, [2, 1, 16, 9]),
            region(1, 2, [4, 3, 8, 7]),
            region(3, 3, [0, 10, 9, 11]),
            region(1, 1, [20, 20, 30, 30]),
        ];
        put_regions(o, items);
    })
    .unwrap();
    let expected = PixelBox {
        row: 1,
        col: 2,
        rows: 9,
        cols: 14,
    };
    assert_eq!(instance.regions, [expected]);
    let spacing = instance.spacing.unwrap();
    assert!((spacing.row_mm() - 0.1).abs() < 1e-12 && (spacing.col_mm() - 0.2).abs() < 1e-12);
    assert_eq!(instance.color_doppler, ColorDoppler::Stated);
    let expected = [
        WarningKind::Repaired,
        WarningKind::DoubtfulContent,
        WarningKind::ColorDoppler,
    ];
    assert_eq!(kinds(&instance), expected);
}

#[test]
fn sides_are_never_guessed() {
    type Change = fn(&mut DefaultDicomObject);
    let cases: [(Change, Side); 4] = [
        (
            |o| text(o, tags::IMAGE_LATERALITY, VR::CS, "R"),
            Side::Known(Laterality::Right),
        ),
        (
            |o| text(o, tags::IMAGE_LATERALITY, VR::CS, "B"),
            Side::Unknown,
        ),
        (|o| text(o, tags::LATERALITY, VR::CS, "R"), Side::Unknown),
        (
            |o| {
                o.remove_element(tags::IMAGE_LATERALITY);
                let mut item = InMemDicomObject::new_empty();
                text(&mut item, tags::CODE_VALUE, VR::SH, "73056007");
                text(&mut item, tags::CODE_MEANING, VR::LO, "Right breast");
                let items = Value::from(DataSetSequence::from(vec![item]));
                o.put(DataElement::new(
                    tags::ANATOMIC_REGION_SEQUENCE,
                    VR::SQ,
                    items,
                ));
            },
            Side::Known(Laterality::Right),
        ),
    ];
    for (change, side) in cases {
        let instance = read_changed(change).unwrap();
        assert_eq!(instance.side, side);
        let warned = kinds(&instance).contains(&WarningKind::UnknownSide);
        assert_eq!(warned, side == Side::Unknown);
    }
}

#[test]
fn doubtful_content_is_warned_of() {
    type Change = fn(&mut DefaultDicomObject);
    let cases: [(Change, WarningKind); 4] = [
        (
            |o| {
                o.remove_element(tags::BODY_PART_EXAMINED);
            },
            WarningKind::DoubtfulContent,
        ),
        (
            |o| {
                text(o, tags::SOP_CLASS_UID, VR::UI, SECONDARY_CAPTURE);
                text(o, tags::MODALITY, VR::CS, "OT");
            },
            WarningKind::DoubtfulContent,
        ),
        (
            |o| number(o, tags::ULTRASOUND_COLOR_DATA_PRESENT, 1),
            WarningKind::ColorDoppler,
        ),
        (
            |o| {
                o.remove_element(tags::STUDY_INSTANCE_UID);
            },
            WarningKind::Repaired,
        ),
    ];
    for (change, kind) in cases {
        let instance = read_changed(change).unwrap();
        assert!(kinds(&instance).contains(&kind), "{:?}", instance.warnings);
    }
}

#[test]
fn identity_comes_on_request_alone_and_never_into_logs() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rgb8.dcm");
    let identity = read_identity(&golden).unwrap();
    assert_eq!(identity.patient_name, "SYNTHETIC^PHANTOM");
    assert!(!format!("{identity:?}").contains("PHANTOM"));
    let instance = read_header(&golden, &Limits::default()).unwrap();
    assert!(!format!("{instance:?}").contains("PHANTOM"));
}
