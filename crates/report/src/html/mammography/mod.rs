//! The page of a mammography exam, laid out as mammograms are read.
//!
//! `hanging` says which view hangs where and how it is turned, `view` draws one, `lesions` lists
//! what was found, this file words the rest.

mod hanging;
mod lesions;
mod view;

use askama::Template;
use lobule_exam::{BreastAssessment, SCREENING_VIEWS, Side, score_words, threshold_words};
use lobule_raster::DENSITY_NOTE;

use super::exam::{ExamHead, side_title, verdict, width};
use super::{Foot, percent};
use crate::density::{density_class_notes, density_lines, exam_density};
use crate::{Error, ExamRecord, NOTICE, RunInfo, Surroundings};
use hanging::{COLUMNS, Frame, Hanging, Shot, Unit};
use lesions::{LesionRow, lesion_rows, missing_words};
use view::{Cell, Ids};

/// Everything the template shows, already worded.
#[derive(Debug, Clone, Template)]
#[template(path = "mammography.html")]
pub(crate) struct MammographyPage {
    notice: &'static str,
    pub(super) head: ExamHead,
    foot: Foot,
    breasts: Vec<BreastCard>,
    rows: Vec<Vec<Cell>>,
    /// Width of a place by the height of the highest one.
    aspect: f64,
    others: Vec<Cell>,
    scale_words: &'static str,
    point: String,
    is_calibrated: bool,
    density_note: Option<&'static str>,
    exam_density: Option<String>,
    class_notes: Vec<String>,
    has_places: bool,
}

/// What is said of one breast.
#[derive(Debug, Clone)]
struct BreastCard {
    title: &'static str,
    /// None for a breast that the exam does not show.
    judged: Option<Judged>,
}

#[derive(Debug, Clone)]
struct Judged {
    score: String,
    calibration: String,
    flagged: bool,
    verdict: String,
    meter: String,
    threshold_meter: Option<String>,
    missing: Option<String>,
    density: Option<String>,
    density_classes: Vec<String>,
    lesions: Vec<LesionRow>,
}

impl MammographyPage {
    pub(super) fn of(
        info: &RunInfo,
        record: &ExamRecord,
        surroundings: Surroundings,
    ) -> Result<MammographyPage, Error> {
        let shots = shots(record)?;
        let hanging = Hanging::of(&shots);
        let frame = hanging.frame();
        let mut ids = Ids::default();
        let mut rows = Vec::new();
        for (shots, view) in hanging.places.iter().zip(SCREENING_VIEWS) {
            let frame = frame.of_row(shots.iter().flatten());
            let mut row = Vec::new();
            for (shot, side) in shots.iter().zip(COLUMNS) {
                row.push(match shot {
                    Some(shot) => Cell::of(shot, &frame, &mut ids, surroundings)?,
                    None => Cell::missing(side, view, &frame),
                });
            }
            rows.push(row);
        }
        let mut others = Vec::new();
        for shot in &hanging.others {
            let own = Frame::of([shot].into_iter());
            others.push(Cell::of(shot, &own, &mut ids, surroundings)?);
        }
        let breasts = cards(info, record);
        let judged = || breasts.iter().filter_map(|card| card.judged.as_ref());
        let assessed = &record.assessment.breasts;
        Ok(MammographyPage {
            notice: NOTICE,
            head: ExamHead::of(record),
            foot: Foot::of(info),
            rows,
            aspect: frame.width / frame.height,
            others,
            scale_words: scale_words(&hanging, frame.unit),
            point: point_words(info),
            is_calibrated: assessed.iter().all(|b| b.probabilities.is_some()),
            density_note: judged()
                .any(|b| b.density.is_some())
                .then_some(DENSITY_NOTE),
            exam_density: exam_density(&record.assessment),
            class_notes: density_class_notes(&record.assessment),
            has_places: judged()
                .flat_map(|b| &b.lesions)
                .any(|l| !l.places.is_empty()),
            breasts,
        })
    }
}

fn shots(record: &ExamRecord) -> Result<Vec<Shot<'_>>, Error> {
    let breasts = record.assessment.breasts.iter();
    let images = breasts.flat_map(|b| b.images.iter().map(|image| (b.side, image)));
    let pictures = record.pictures.iter().map(Option::as_ref);
    images
        .zip(pictures.chain(std::iter::repeat(None)))
        .map(|((side, image), picture)| {
            let no_facts = || format!("expected a mammogram, got another image: {}", image.file);
            let facts = image.mammogram.as_ref();
            Ok(Shot {
                side,
                image,
                facts: facts.ok_or_else(|| Error::format(no_facts()))?,
                picture,
            })
        })
        .collect()
}

/// Right before left as they hang, even where one is not there; then those of an unknown side.
fn cards(info: &RunInfo, record: &ExamRecord) -> Vec<BreastCard> {
    let breasts = &record.assessment.breasts;
    let card = |side: Side| BreastCard {
        title: side_title(side),
        judged: breasts
            .iter()
            .find(|b| b.side == side)
            .map(|b| Judged::of(info, b)),
    };
    let hung = COLUMNS.map(|side| card(Side::Known(side)));
    let unknown = Some(card(Side::Unknown)).filter(|card| card.judged.is_some());
    hung.into_iter().chain(unknown).collect()
}

impl Judged {
    fn of(info: &RunInfo, breast: &BreastAssessment) -> Judged {
        let score = breast.score_of_100();
        let threshold = info.operating_point.as_ref().map(|p| p.threshold);
        Judged {
            score: score_words(score),
            calibration: match breast.probabilities {
                Some(p) => format!("probability of malignancy {}", percent(p.malignant)),
                None => "a score, NOT a calibrated probability".to_owned(),
            },
            flagged: breast.flagged,
            verdict: verdict(info, breast.flagged, |t| threshold_words(100.0 * t)),
            meter: width(score / 100.0),
            threshold_meter: threshold.map(width),
            missing: missing_words(breast.side, &breast.missing_views),
            density: density_words(breast),
            density_classes: density_lines(breast),
            lesions: lesion_rows(breast),
        }
    }
}

/// The mean over the views, and the views' own shares.
fn density_words(breast: &BreastAssessment) -> Option<String> {
    let measured: Vec<(String, f64)> = breast
        .images
        .iter()
        .filter_map(|image| {
            let facts = image.mammogram.as_ref()?;
            let view = facts
                .view
                .map_or("view not stated".to_owned(), |v| v.to_string());
            Some((view, facts.density?))
        })
        .collect();
    let mean = measured.iter().map(|(_, share)| share).sum::<f64>() / measured.len() as f64;
    let each = measured
        .iter()
        .map(|(view, share)| format!("{view} {:.0} %", 100.0 * share));
    let each: Vec<String> = each.collect();
    match each.len() {
        0 => None,
        1 => Some(format!("{:.0} % of the area (one view)", 100.0 * mean)),
        _ => Some(format!(
            "{:.0} % of the area ({})",
            100.0 * mean,
            each.join(", ")
        )),
    }
}

fn scale_words(hanging: &Hanging<'_>, unit: Unit) -> &'static str {
    match (hanging.places.iter().flatten().flatten().count(), unit) {
        (0, _) => "",
        (_, Unit::Millimeter) => "All at the same scale.",
        (_, Unit::EqualHeight) => {
            "NOT at the same scale: the size of a pixel is not stated for every view, so every \
             breast is shown equally high."
        }
    }
}

fn point_words(info: &RunInfo) -> String {
    match &info.operating_point {
        None => "The model carries no operating point: nothing is flagged.".to_owned(),
        Some(point) => format!(
            "A breast is flagged from {} on, the operating point “{}” (the tick on the bar), chosen so: {}",
            threshold_words(100.0 * point.threshold),
            point.name,
            point.chosen_by
        ),
    }
}
