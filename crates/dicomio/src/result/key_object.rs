//! Key object selections (PS3.3 A.35.4, TID 2010 of PS3.16): which images to open first.

use dicom_dictionary_std::tags;
use lobule_exam::Side;

use super::codes;
use super::envelope::{Place, account, envelope, put_content_moment, put_items};
use super::tree::{Item, Relation, language, observer, put_evidence};
use super::{ResultKind, ResultObject, ResultRequest, ResultSource};
use crate::Error;

/// The images with findings of flagged breasts, the one with most attention first; none when there
/// are no such images.
///
/// # Errors
/// When the images are of several studies, or the assessment does not fit them.
pub fn key_object(request: &ResultRequest<'_>) -> Result<Option<ResultObject>, Error> {
    let mut images = request.images()?;
    images.retain(|i| i.breast.flagged && !i.image.findings.is_empty());
    images.sort_by_key(|i| i.image.rank);
    if images.is_empty() {
        return Ok(None);
    }
    let place = Place {
        kind: ResultKind::KeyObject,
        side: Side::Unknown,
        number: 1,
        detail: "",
    };
    let shown = images.iter();
    let shown = shown.map(|i| Item::image(Relation::Contains, i.source, Some(i.image.frame)));
    let root = Item::container(Relation::Contains, codes::OF_INTEREST)
        .following("2010")
        .with([language()])
        .with(observer(request, place.kind))
        .with([Item::text(
            Relation::Contains,
            codes::KEY_DESCRIPTION,
            &account(request),
        )])
        .with(shown);
    let mut object = envelope(request, &place)?;
    put_content_moment(&mut object, request);
    put_items(
        &mut object,
        tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE,
        Vec::new(),
    );
    let mut sources: Vec<&ResultSource> = Vec::new();
    for image in &images {
        if !sources.iter().any(|s| s.instance == image.source.instance) {
            sources.push(image.source);
        }
    }
    put_evidence(&mut object, request, &sources)?;
    root.put_into(&mut object);
    ResultObject::new(place.kind, object).map(Some)
}
