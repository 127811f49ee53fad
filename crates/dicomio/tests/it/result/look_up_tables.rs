//! Presentation states show an image through the look-up tables that reading it takes.

use std::path::Path;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{InMemDicomObject, from_reader};
use lobule_dicomio::read_mammogram_header;
use lobule_dicomio::result::{ResultKind, ResultObject};
use lobule_exam::{FindingClass, Laterality, Side, View};
use lobule_raster::Limits;

use super::{Exam, breast, finding, image, objects};

/// The same lesion in the middle of each picture whose look-up tables pydicom showed.
pub(super) fn of_golden_mammogram(name: &str) -> Exam {
    let file = Path::new("tests/golden_mammogram").join(format!("{name}.dcm"));
    let header = read_mammogram_header(&file, &Limits::default()).unwrap();
    let size = (header.rows, header.cols);
    let found = vec![finding(FindingClass::Malignant, size.0, size.1, 0.0, 1)];
    let images = vec![image(&file, size, Some(View::Mlo), found)];
    Exam::new(vec![breast(Side::Known(Laterality::Left), images)])
}

fn state_of(name: &str) -> InMemDicomObject {
    let objects = objects(&of_golden_mammogram(name));
    let is_state = |o: &&ResultObject| o.kind() == ResultKind::PresentationState;
    let bytes = objects.iter().find(is_state).unwrap().to_bytes().unwrap();
    // The preamble is not looked for in a stream.
    let object = from_reader(&bytes[128..]).unwrap();
    object.into_inner()
}

fn item(object: &InMemDicomObject, tag: Tag) -> InMemDicomObject {
    object.element(tag).unwrap().items().unwrap()[0].clone()
}

#[test]
fn a_presentation_state_takes_the_look_up_tables_that_the_reader_takes() {
    let text = |object: &InMemDicomObject, tag| -> String {
        let value = object.element(tag).unwrap().to_str().unwrap();
        value.trim_end().to_owned()
    };
    let softcopy = |name| item(&state_of(name), tags::SOFTCOPY_VOILUT_SEQUENCE);
    let second = softcopy("window_second_is_normal");
    assert_eq!(text(&second, tags::WINDOW_CENTER), "1800.5");
    let sigmoid = softcopy("sigmoid");
    assert_eq!(text(&sigmoid, tags::VOILUT_FUNCTION), "SIGMOID");
    // A table of signed values says so by its kind of number.
    let table = item(&softcopy("signed_table"), tags::VOILUT_SEQUENCE);
    assert_eq!(table.element(tags::LUT_DESCRIPTOR).unwrap().vr(), VR::SS);
    let inverted = state_of("monochrome1");
    assert_eq!(text(&inverted, tags::PRESENTATION_LUT_SHAPE), "INVERSE");
    let table = item(&state_of("modality_table"), tags::MODALITY_LUT_SEQUENCE);
    assert!(!text(&table, tags::MODALITY_LUT_TYPE).is_empty());
    let rescaled = state_of("rescaled");
    assert!(!text(&rescaled, tags::RESCALE_TYPE).is_empty());
}
