//! Mammography CAD reports (PS3.3 A.35.5, TID 4000 of PS3.16).

use dicom_dictionary_std::tags;
use lobule_exam::{Finding, FindingClass, Point, Side, score_words};

use super::claim::{Claim, claims};
use super::codes::{self, Code};
use super::envelope::Place;
use super::request::Assessed;
use super::tree::{Item, Relation, algorithm, graphic_outline, graphic_point, language, report};
use super::{Outcome, ResultKind, ResultObject, ResultRequest, ResultSource};
use crate::Error;

/// Where the image library stands below the root.
const LIBRARY: u32 = 2;

/// One report of a mammography exam: its images, what could be done with them, and the findings.
/// A finding that looks malignant is to be shown when its breast is flagged and may be shown when
/// not; one that looks benign is not to be shown.
///
/// # Errors
/// When the images are of several studies, or the assessment does not fit them.
pub fn cad_report(request: &ResultRequest<'_>) -> Result<ResultObject, Error> {
    let images = request.images()?;
    let library = Item::container(Relation::Contains, codes::IMAGE_LIBRARY);
    let entries = request
        .sources
        .iter()
        .map(|source| library_entry(source, &images));
    let root = Item::container(Relation::Contains, codes::CAD_REPORT)
        .following("4000")
        .with([
            language(),
            library.with(entries),
            summary(request, &images),
            detections(request, &images),
            Item::code(Relation::Contains, codes::ANALYSES, codes::NOT_ATTEMPTED),
        ]);
    let place = Place {
        kind: ResultKind::CadReport,
        side: Side::Unknown,
        number: 1,
        detail: "",
    };
    report(request, &place, root)
}

/// An image and what is known of it (TID 4020).
fn library_entry(source: &ResultSource, images: &[Assessed<'_>]) -> Item {
    let relation = Relation::HasAcquisition;
    let mut known = Vec::new();
    let assessed = images.iter().find(|i| std::ptr::eq(i.source, source));
    let breast = assessed.and_then(|i| codes::breast(i.breast.side));
    known.extend(breast.map(|breast| Item::code(relation, codes::IMAGE_LATERALITY, breast)));
    let facts = assessed.and_then(|i| i.image.mammogram.as_ref());
    let view = facts.and_then(|facts| facts.view);
    known.extend(view.map(|view| Item::code(relation, codes::IMAGE_VIEW, codes::view(view))));
    if let [row, column] = &source.data.texts(tags::PATIENT_ORIENTATION)[..] {
        known.push(Item::text(relation, codes::ORIENTATION_ROW, row));
        known.push(Item::text(relation, codes::ORIENTATION_COLUMN, column));
    }
    let date = source.data.text(tags::STUDY_DATE);
    known.extend(date.map(|date| Item::date(relation, codes::STUDY_DATE, &date)));
    let time = source.data.text(tags::STUDY_TIME);
    known.extend(time.map(|time| Item::time(relation, codes::STUDY_TIME, &time)));
    if let Some(spacing) = assessed.and_then(|i| i.image.spacing) {
        let length = |name, mm: f64| Item::number(relation, name, 1000.0 * mm, codes::MICROMETER);
        known.push(length(codes::HORIZONTAL_SPACING, spacing.col_mm()));
        known.push(length(codes::VERTICAL_SPACING, spacing.row_mm()));
    }
    Item::image(Relation::Contains, source, None).with(known)
}

/// Points to an image of the library.
fn in_library(relation: Relation, source: &ResultSource, request: &ResultRequest<'_>) -> Item {
    let position = request.sources.iter().position(|s| std::ptr::eq(s, source));
    let number = 1 + position.expect("the source is one of the request's") as u32;
    Item::elsewhere(relation, &[1, LIBRARY, number])
}

/// How far it went and what was found (TID 4001).
fn summary(request: &ResultRequest<'_>, images: &[Assessed<'_>]) -> Item {
    let impressions: Vec<Item> = images
        .iter()
        .flat_map(|image| {
            let claims = claims(image).into_iter();
            claims.map(move |claim| impression(request, image, &claim))
        })
        .collect();
    let malignant = |i: &Assessed<'_>| {
        i.image
            .findings
            .iter()
            .any(|f| f.class == FindingClass::Malignant)
    };
    let value = match (status(request, images), images.iter().any(malignant)) {
        (codes::SUCCEEDED, false) => codes::ALL_WITHOUT,
        (codes::SUCCEEDED, true) => codes::ALL_WITH,
        (codes::FAILED, _) => codes::NONE_WITHOUT,
        (_, false) => codes::SOME_WITHOUT,
        (_, true) => codes::SOME_WITH,
    };
    Item::code(Relation::Contains, codes::CAD_SUMMARY, value).with(impressions)
}

/// Whether all images could be used.
fn status(request: &ResultRequest<'_>, images: &[Assessed<'_>]) -> Code {
    let used = |source: &ResultSource| images.iter().any(|i| std::ptr::eq(i.source, source));
    match request.sources.iter().filter(|s| used(s)).count() {
        0 => codes::FAILED,
        n if n == request.sources.len() => codes::SUCCEEDED,
        _ => codes::PARTIALLY,
    }
}

/// One finding in one image (TID 4003 and 4006). What kind of lesion it is, the network does not
/// say: it is a selected region.
fn impression(request: &ResultRequest<'_>, image: &Assessed<'_>, claim: &Claim<'_>) -> Item {
    let finding = claim.finding;
    let intent = match (finding.class, image.breast.flagged) {
        (FindingClass::Benign, _) => codes::NOT_PRESENTED,
        (FindingClass::Malignant, false) => codes::OPTIONAL,
        (FindingClass::Malignant, true) => codes::REQUIRED,
    };
    let intent = || Item::code(Relation::Modifies, codes::RENDERING_INTENT, intent);
    let properties = Relation::HasProperties;
    let selected = || in_library(Relation::SelectedFrom, image.source, request);
    let center = graphic_point(center(finding), image.source).to_vec();
    let outline = graphic_outline(&finding.outline, image.source);
    let found = Item::code(
        Relation::Contains,
        codes::SINGLE_IMAGE_FINDING,
        codes::SELECTED_REGION,
    )
    .with([intent()])
    .with(algorithm(properties, request))
    .with(certainty(finding))
    .with([
        Item::place(properties, codes::CENTER, "POINT", center).with([selected()]),
        Item::place(properties, codes::OUTLINE, "POLYLINE", outline).with([selected()]),
        Item::text(
            properties,
            codes::REGION_DESCRIPTION,
            &description(image, claim),
        ),
    ]);
    Item::container(Relation::InferredFrom, codes::IMPRESSION).with([intent(), found])
}

/// The middle of the box around a finding.
fn center(finding: &Finding) -> Point {
    let bounds = finding.bounds;
    Point {
        row: bounds.row as f64 + (bounds.rows as f64 - 1.0) / 2.0,
        col: bounds.col as f64 + (bounds.cols as f64 - 1.0) / 2.0,
    }
}

/// The lesion's score of 100, that of the page. A peak of the saliency is no certainty: what is no
/// lesion has none, which the template allows.
fn certainty(finding: &Finding) -> Option<Item> {
    let score = finding.lesion?.score;
    let name = codes::CERTAINTY;
    Some(Item::number(
        Relation::HasProperties,
        name,
        score,
        codes::PERCENT,
    ))
}

fn description(image: &Assessed<'_>, claim: &Claim<'_>) -> String {
    let breast = image.breast;
    let flagged = if breast.flagged {
        "flagged"
    } else {
        "not flagged"
    };
    let calibrated = match breast.probabilities {
        Some(_) => "",
        None => " Scores are not calibrated.",
    };
    let warnings = image.image.warnings.iter();
    let notes: String = warnings.map(|w| format!(" Note: {}.", w.message)).collect();
    format!(
        "{}, {}, {}. The {} breast: score {} of 100, {flagged}.{calibrated} Research use only.{notes}",
        capital(&claim.name()),
        claim.looks(),
        claim.value(),
        breast.side,
        score_words(breast.score_of_100())
    )
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Which images were searched, and which could not be (TID 4015 and 4017).
fn detections(request: &ResultRequest<'_>, images: &[Assessed<'_>]) -> Item {
    let used = |source: &&ResultSource| images.iter().any(|i| std::ptr::eq(i.source, *source));
    let (good, bad): (Vec<_>, Vec<_>) = request.sources.iter().partition(used);
    let parts = [
        (codes::SUCCESSFUL_DETECTIONS, good, None),
        (codes::FAILED_DETECTIONS, bad, Some(reason(request))),
    ];
    let parts = parts
        .into_iter()
        .filter(|(_, sources, _)| !sources.is_empty());
    let parts = parts.map(|(name, sources, reason)| {
        let properties = Relation::HasProperties;
        let images = sources
            .iter()
            .map(|source| in_library(properties, source, request));
        // The template's only place for free text.
        let said = request.notes();
        let said = reason.into_iter().chain(said.iter().map(String::as_str));
        let said = said.map(|words| Item::text(properties, codes::ALGORITHM_PARAMETERS, words));
        let detection = Item::code(Relation::Contains, codes::DETECTION, codes::SELECTED_REGION)
            .with(algorithm(properties, request))
            .with(said)
            .with(images);
        Item::container(Relation::InferredFrom, name).with([detection])
    });
    Item::code(
        Relation::Contains,
        codes::DETECTIONS,
        status(request, images),
    )
    .with(parts)
}

fn reason<'a>(request: &ResultRequest<'a>) -> &'a str {
    match request.outcome {
        Outcome::Failed { reason, .. } => reason,
        Outcome::Assessed(_) => "not usable",
    }
}
