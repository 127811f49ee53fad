//! The tables of a run on slides.

use std::collections::BTreeSet;
use std::path::Path;

use lobule_package::{GradeRule, SlidePrediction, TilePrediction, write_rows};

use super::data::{Slide, SlideData, mean_score};
use super::fit::FittedHead;
use super::score::slide_score;
use crate::{Error, ErrorKind};

/// One row per predicted tile. Scores to four decimals: no network is that exact.
pub(crate) fn tile_rows(data: &SlideData, heads: &[FittedHead]) -> Vec<TilePrediction> {
    let of_slide = |&i: &usize| {
        let slide = &data.slides[i];
        let (case, tiles) = (&slide.case, &slide.tiles);
        (0..tiles.len()).map(move |tile| {
            let share = f64::from(tiles.shares[tile]);
            TilePrediction {
                set: case.set.clone(),
                slide: case.name.clone(),
                patient: case.group.clone(),
                fold: slide.fold.to_string(),
                row: tiles.keys[tile].row,
                col: tiles.keys[tile].col,
                share: share.is_finite().then(|| rounded(share)),
                score: rounded(mean_score(heads, tiles.view(tile, 0))),
            }
        })
    };
    data.predicted.iter().flat_map(of_slide).collect()
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// A predicted slide with its risk and the other columns of its table.
pub(crate) struct ScoredSlide<'a> {
    pub(crate) row: SlidePrediction,
    pub(crate) risk: &'a str,
    pub(crate) slide: &'a Slide,
}

/// One entry per predicted slide.
pub(crate) fn scored_slides<'a>(
    data: &'a SlideData,
    heads: &[FittedHead],
    rule: &'a GradeRule,
) -> Vec<ScoredSlide<'a>> {
    let of_slide = |&i: &usize| {
        let slide = &data.slides[i];
        let case = &slide.case;
        let score = slide_score(heads, slide, rule);
        let scale = rule.risk(None);
        let level = score
            .zip(scale)
            .map(|(score, scale)| scale.levels[scale.level(score)].as_str());
        ScoredSlide {
            row: SlidePrediction {
                set: case.set.clone(),
                slide: case.name.clone(),
                patient: case.group.clone(),
                fold: slide.fold.to_string(),
                grade: case.grade,
                n_tiles: slide.tiles.len(),
                score,
            },
            risk: level.unwrap_or("not assessable"),
            slide,
        }
    };
    data.predicted.iter().map(of_slide).collect()
}

/// `slides.csv`: predictions, then `risk`, then the columns of the sets' own tables, such as follow-up.
pub(crate) fn slide_table(slides: &[ScoredSlide<'_>]) -> Result<Vec<u8>, Error> {
    let failed = |e: String| Error::new(ErrorKind::Io, e);
    let extra: BTreeSet<&String> = slides
        .iter()
        .flat_map(|s| s.slide.case.extra.keys())
        .collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fixed = [
        "set", "slide", "patient", "fold", "grade", "n_tiles", "score", "risk",
    ];
    let header = fixed
        .into_iter()
        .chain(extra.iter().map(|name| name.as_str()));
    writer
        .write_record(header)
        .map_err(|e| failed(e.to_string()))?;
    for ScoredSlide { row, risk, slide } in slides {
        let grade = row.grade.map(|grade| grade.to_string()).unwrap_or_default();
        let score = row.score.map(|score| score.to_string()).unwrap_or_default();
        let own = [
            row.set.clone(),
            row.slide.clone(),
            row.patient.clone(),
            row.fold.clone(),
            grade,
            row.n_tiles.to_string(),
            score,
            (*risk).to_owned(),
        ];
        let value = |name: &&String| slide.case.extra.get(*name).cloned().unwrap_or_default();
        let record = own.into_iter().chain(extra.iter().map(value));
        writer
            .write_record(record)
            .map_err(|e| failed(e.to_string()))?;
    }
    writer.into_inner().map_err(|e| failed(e.to_string()))
}

/// A table of serializable rows.
pub(crate) fn table<T: serde::Serialize>(rows: &[T], file: &Path) -> Result<Vec<u8>, Error> {
    write_rows(rows).map_err(|e| Error::io(file, e))
}
