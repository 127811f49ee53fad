//! Measurement reports (PS3.3 A.35.13, TID 1500 of PS3.16): scores and outlines for programs.

use dicom_dictionary_std::tags;
use lobule_exam::{BreastAssessment, FindingClass, Laterality, Side, score_words};

use super::claim::{Claim, claims};
use super::codes::{self, Code};
use super::envelope::{Place, account, decision, image_key, uid};
use super::request::Assessed;
use super::tree::{Item, Relation, algorithm, graphic_outline, language, observer, report};
use super::{Outcome, ResultKind, ResultObject, ResultRequest, ResultSource};
use crate::Error;

/// One report of an exam of either kind: a group of measurements per breast and per finding, and
/// in words what was decided. That of a failed exam holds the reason.
///
/// # Errors
/// When the images are of several studies, or the assessment does not fit them.
pub fn measurement_report(request: &ResultRequest<'_>) -> Result<ResultObject, Error> {
    let images = request.images()?;
    let mut root = Item::container(Relation::Contains, codes::MEASUREMENT_REPORT)
        .following("1500")
        .with([language()])
        .with(observer(request, ResultKind::MeasurementReport))
        .with([library(request, &images)]);
    let groups: Vec<Item> = match request.outcome {
        Outcome::Failed { .. } => Vec::new(),
        Outcome::Assessed(assessment) => {
            let breasts = assessment
                .breasts
                .iter()
                .map(|breast| breast_group(request, breast));
            let findings = images.iter().flat_map(|image| {
                let claims = claims(image).into_iter();
                claims.map(move |claim| finding_group(request, image, &claim))
            });
            breasts.chain(findings).collect()
        }
    };
    if !groups.is_empty() {
        root = root.with([Item::container(Relation::Contains, codes::MEASUREMENTS).with(groups)]);
    }
    let comments = comments(request);
    let comments = comments
        .iter()
        .map(|text| Item::text(Relation::Contains, codes::COMMENT, text));
    let root = root.with([Item::container(Relation::Contains, codes::EVALUATIONS).with(comments)]);
    let place = Place {
        kind: ResultKind::MeasurementReport,
        side: Side::Unknown,
        number: 1,
        detail: "",
    };
    report(request, &place, root)
}

/// The images (TID 1600).
fn library(request: &ResultRequest<'_>, images: &[Assessed<'_>]) -> Item {
    let entry = |source: &ResultSource| {
        let assessed = images.iter().find(|i| std::ptr::eq(i.source, source));
        let side = assessed.and_then(|i| laterality(i.breast.side));
        let relation = Relation::HasAcquisition;
        let side = side.map(|side| Item::code(relation, codes::IMAGE_LATERALITY, side));
        let modality = modality(source).map(|m| Item::code(relation, codes::MODALITY, m));
        Item::image(Relation::Contains, source, None)
            .with(modality)
            .with(side)
    };
    let group = Item::container(Relation::Contains, codes::LIBRARY_GROUP);
    let group = group.with(request.sources.iter().map(entry));
    Item::container(Relation::Contains, codes::IMAGE_LIBRARY).with([group])
}

/// The acquisition modality (CID 29) of the kinds of file that are read.
fn modality(source: &ResultSource) -> Option<Code> {
    codes::MODALITIES
        .iter()
        .copied()
        .find(|code| code.value == source.modality())
}

fn laterality(side: Side) -> Option<Code> {
    match side {
        Side::Known(Laterality::Left) => Some(codes::LEFT),
        Side::Known(Laterality::Right) => Some(codes::RIGHT),
        Side::Unknown => None,
    }
}

/// What every group starts with: its name, its identifier, what and where.
fn group(request: &ResultRequest<'_>, template: &str, key: &str, name: &str, side: Side) -> Item {
    let context = Relation::HasObserver;
    let identifier = uid(
        request,
        ResultKind::MeasurementReport.name(),
        &format!("tracking {key}"),
    );
    let side = laterality(side);
    let side = side.map(|side| Item::code(Relation::Modifies, codes::LATERALITY, side));
    Item::container(Relation::Contains, codes::GROUP)
        .following(template)
        .with([
            Item::text(context, codes::TRACKING_TEXT, name),
            Item::uid(context, codes::TRACKING_UID, &identifier),
            Item::code(Relation::Modifies, codes::FINDING_SITE, codes::BREAST).with(side),
        ])
}

fn measured(request: &ResultRequest<'_>, name: Code, value: f64, unit: Code) -> Item {
    Item::number(Relation::Contains, name, value, unit).with(algorithm(Relation::Modifies, request))
}

/// The scores of a breast (TID 1501).
fn breast_group(request: &ResultRequest<'_>, breast: &BreastAssessment) -> Item {
    let name = format!("breast {}", breast.side);
    let chance = breast.probabilities.map(|p| {
        measured(
            request,
            codes::CANCER_PROBABILITY,
            100.0 * p.malignant,
            codes::PERCENT,
        )
    });
    group(request, "1501", &name, &name, breast.side)
        .with([measured(
            request,
            codes::SUSPICION,
            breast.scores.malignant,
            codes::UNITY,
        )])
        .with(chance)
}

/// An outlined finding (TID 1410).
fn finding_group(request: &ResultRequest<'_>, image: &Assessed<'_>, claim: &Claim<'_>) -> Item {
    let (finding, side) = (claim.finding, image.breast.side);
    let outline = graphic_outline(&finding.outline, image.source);
    let frame = Some(image.image.frame);
    let region = Item::place(Relation::Contains, codes::IMAGE_REGION, "POLYLINE", outline)
        .with([Item::image(Relation::SelectedFrom, image.source, frame)]);
    let length = finding.longest_axis_mm;
    let length = length.map(|mm| measured(request, codes::LONG_AXIS, mm, codes::MILLIMETER));
    let (score, value) = match (finding.lesion, finding.class) {
        (Some(lesion), _) => (codes::LESION_SCORE, lesion.score),
        (None, FindingClass::Malignant) => (codes::SUSPICION, finding.score),
        (None, FindingClass::Benign) => (codes::BENIGN, finding.score),
    };
    let key = format!("{} {}", image_key(image), claim.place);
    group(request, "1410", &key, &tracked(image, claim), side)
        .with([
            Item::code(Relation::Contains, codes::FINDING, codes::LESION),
            region,
        ])
        .with([measured(request, score, value, codes::UNITY)])
        .with(length)
}

/// One lesion is outlined once in each view.
fn tracked(image: &Assessed<'_>, claim: &Claim<'_>) -> String {
    let data = &image.source.data;
    let instance = data.text(tags::INSTANCE_NUMBER).unwrap_or_default();
    let place = format!("image {instance} frame {}", image.image.frame + 1);
    match claim.finding.lesion {
        Some(_) => format!("{} breast {}, {place}", image.breast.side, claim.name()),
        None => format!("{place} finding {}", claim.place),
    }
}

/// What a person should read.
fn comments(request: &ResultRequest<'_>) -> Vec<String> {
    let mut comments = vec![account(request)];
    match request.outcome {
        Outcome::Failed { reason, .. } => {
            comments.push(format!("The exam could not be assessed: {reason}"))
        }
        Outcome::Assessed(assessment) => comments.extend(assessment.breasts.iter().map(|breast| {
            format!(
                "Breast {}: score {} of 100, {}",
                breast.side,
                score_words(breast.score_of_100()),
                decision(request, breast)
            )
        })),
    }
    let notes = request.notes().into_iter();
    comments.extend(notes.map(|note| format!("Note: {note}")));
    comments
}
