//! Encapsulated PDF (PS3.3 A.45.1): a report to read in any viewer.

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use lobule_exam::Side;

use super::envelope::{Place, envelope, image_reference, put_content_moment, put_items};
use super::{NOTICE, ResultKind, ResultObject, ResultRequest};
use crate::write::put_str;
use crate::{Error, ErrorKind};

/// A PDF that a caller made of the exam, as an object of its study. It has to be the same for the
/// same exam and run: its bytes are not part of the unique identifier.
///
/// # Errors
/// When the images are of several studies, the assessment does not fit them, or the bytes are no
/// PDF or more than an element can hold.
pub fn encapsulated_pdf(request: &ResultRequest<'_>, pdf: Vec<u8>) -> Result<ResultObject, Error> {
    request.images()?;
    if !pdf.starts_with(b"%PDF-") {
        let message = "expected a PDF, got something else";
        return Err(Error::new(ErrorKind::Write, message));
    }
    // The largest length of an element stands for an unknown one.
    let length = u32::try_from(pdf.len()).ok().filter(|&n| n < u32::MAX - 1);
    let length = length.ok_or_else(|| {
        Error::new(
            ErrorKind::Write,
            "expected a PDF below 4 GiB, got a larger one",
        )
    })?;
    let place = Place {
        kind: ResultKind::EncapsulatedPdf,
        side: Side::Unknown,
        number: 1,
        detail: "",
    };
    let mut object = envelope(request, &place)?;
    put_content_moment(&mut object, request);
    for (tag, vr, text) in [
        (tags::CONVERSION_TYPE, VR::CS, "WSD"),
        (tags::ACQUISITION_DATE_TIME, VR::DT, ""),
        // Its pictures are those of the images.
        (tags::BURNED_IN_ANNOTATION, VR::CS, "YES"),
        (tags::DOCUMENT_TITLE, VR::ST, NOTICE),
        (
            tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT,
            VR::LO,
            "application/pdf",
        ),
    ] {
        put_str(&mut object, tag, vr, text);
    }
    put_items(&mut object, tags::CONCEPT_NAME_CODE_SEQUENCE, Vec::new());
    let sources = request.sources.iter();
    let sources = sources.map(|source| image_reference(source, None));
    put_items(
        &mut object,
        tags::SOURCE_INSTANCE_SEQUENCE,
        sources.collect(),
    );
    let stated = PrimitiveValue::from(length);
    object.put(DataElement::new(
        tags::ENCAPSULATED_DOCUMENT_LENGTH,
        VR::UL,
        stated,
    ));
    let mut bytes = pdf;
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    let bytes = PrimitiveValue::from(bytes);
    object.put(DataElement::new(tags::ENCAPSULATED_DOCUMENT, VR::OB, bytes));
    ResultObject::new(place.kind, object)
}
