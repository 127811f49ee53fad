//! Maps over the slide, the picture of what was left out and why, and the gallery.
//!
//! Every picture ends in a strip that says what it shows, that it is for research only and, where it
//! is so, that it is synthetic or shows what a demonstration model gave.

use lobule_exam::{SlideAssessment, TileAssessment, TileBounds};
use lobule_raster::{Image, TileMark};

use super::folder::{ShownTile, SlideRecord};
use super::run::SlideRunInfo;
use crate::html::resized_rgb;
use crate::letters::{LETTER, draw_large_text};
use crate::{Error, heat_color};

type Rgb = Image<[u8; 3]>;

/// Longest side of a slide in a picture.
const LONGEST: usize = 1400;
/// Side of a square in the gallery, and how many stand side by side.
const GALLERY_SIDE: usize = 300;
const GALLERY_COLS: usize = 4;
/// The same of the squares that show what was measured; fewer, so that outlines can be seen.
const MARKED: usize = 6;
const MARKED_SIDE: usize = 448;
const MARKED_COLS: usize = 3;
const GAP: usize = 8;
/// How strongly a square's color covers the slide.
const OPACITY: f64 = 0.55;
/// Width of the column that holds the scale, and how many times its letters are enlarged.
const SCALE_COLS: usize = 96;
const SIZE: usize = 2;
/// Narrowest picture, so that the words fit.
const LEAST_COLS: usize = 960;
const LINE: usize = LETTER * SIZE + 6;
const PAPER: [u8; 3] = [255; 3];
const INK: [u8; 3] = [30, 34, 40];
const ALARM: [u8; 3] = [190, 30, 0];
const VIOLET: [u8; 3] = [110, 60, 190];

/// Which of a square's numbers a map shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MapOf {
    Tumor,
    Score,
}

/// A map of tumor over all squares that were seen, or of scores over those with tumor.
pub(super) fn map(record: &SlideRecord, info: &SlideRunInfo, what: MapOf) -> Result<Rgb, Error> {
    let (mut base, step) = shown(&record.view, record.view_step)?;
    for tile in &record.assessment.tiles {
        let value = match what {
            MapOf::Tumor => tile.tumor,
            MapOf::Score => tile.grade.as_ref().map(|g| g.score),
        };
        if let Some(value) = value {
            cover(&mut base, on_picture(tile.bounds, step), heat_color(value));
        }
    }
    let words = match what {
        MapOf::Tumor => format!(
            "probability of tumor per tile; tumor from {}",
            info.tumor_threshold
        ),
        MapOf::Score => "score per tumor tile: 0 like grade 1, 1 like grade 3".to_owned(),
    };
    Ok(captioned(
        &base,
        &[words],
        &record.assessment,
        info,
        Legend::Scale,
    ))
}

/// Why squares were left out: pen and folds tinted, squares outlined by what became of them.
pub(super) fn qc(record: &SlideRecord, info: &SlideRunInfo) -> Result<Rgb, Error> {
    let (mut base, step) = shown(&record.view, record.view_step)?;
    tint(&mut base, &record.tints);
    for tile in &record.assessment.tiles {
        outline(
            &mut base,
            on_picture(tile.bounds, step),
            verdict_color(tile.verdict),
        );
    }
    let counts = record.assessment.counts;
    let words = format!(
        "tiles: {} taken (green), {} glass (no line), {} pen (red)",
        counts.taken, counts.glass, counts.pen
    );
    let more = format!(
        "{} fold (orange), {} blur (blue), {} unreadable (black)",
        counts.fold, counts.blur, counts.unreadable
    );
    Ok(captioned(
        &base,
        &[words, more],
        &record.assessment,
        info,
        Legend::None,
    ))
}

/// The squares with the highest scores.
pub(super) fn gallery(record: &SlideRecord, info: &SlideRunInfo) -> Result<Rgb, Error> {
    let n = record.gallery.len();
    let (down, across) = (n.div_ceil(GALLERY_COLS).max(1), GALLERY_COLS);
    let cell = (GALLERY_SIDE + LINE + GAP, GALLERY_SIDE + GAP);
    let mut base = Image::filled(down * cell.0, across * cell.1, PAPER);
    for (i, tile) in record.gallery.iter().enumerate() {
        let (top, left) = (i / across * cell.0, i % across * cell.1);
        let drawn = resized_rgb(&tile.picture, GALLERY_SIDE, GALLERY_SIDE)?;
        paste(&mut base, &drawn, (top, left));
        let words = format!("{:.3} r{} c{}", tile.score, tile.row, tile.col);
        draw_large_text(&mut base, (top + GALLERY_SIDE + 4, left), &words, INK, SIZE);
    }
    let words = match (n, &info.grading) {
        (0, _) => "no tile of tumor".to_owned(),
        (_, Some(_)) => "tumor tiles with the highest scores; r, c: row and column".to_owned(),
        (_, None) => "tiles with the highest probability of tumor".to_owned(),
    };
    Ok(captioned(
        &base,
        &[words],
        &record.assessment,
        info,
        Legend::None,
    ))
}

/// What was measured on the first squares of the gallery, outlined; none where nothing was.
pub(super) fn components(record: &SlideRecord, info: &SlideRunInfo) -> Result<Option<Rgb>, Error> {
    let marked = record
        .gallery
        .iter()
        .filter_map(|t| Some((t, t.marks.as_ref()?)));
    let marked: Vec<(&ShownTile, &Image<TileMark>)> = marked.take(MARKED).collect();
    if marked.is_empty() {
        return Ok(None);
    }
    let (down, across) = (marked.len().div_ceil(MARKED_COLS), MARKED_COLS);
    let cell = (MARKED_SIDE + LINE + GAP, MARKED_SIDE + GAP);
    let mut base = Image::filled(down * cell.0, across * cell.1, PAPER);
    for (i, (tile, marks)) in marked.into_iter().enumerate() {
        let (top, left) = (i / across * cell.0, i % across * cell.1);
        let mut drawn = resized_rgb(&tile.picture, MARKED_SIDE, MARKED_SIDE)?;
        draw_marks(&mut drawn, marks);
        paste(&mut base, &drawn, (top, left));
        let words = format!("r{} c{}", tile.row, tile.col);
        draw_large_text(&mut base, (top + MARKED_SIDE + 4, left), &words, INK, SIZE);
    }
    let words = [
        "yellow: nuclei whose size and shape count; gray: other nuclei;",
        "red: looks like a mitosis; blue: looks like a tubule's lumen",
        "an explanation beside the score, not the grade",
    ];
    let words = words.map(str::to_owned);
    let slide = &record.assessment;
    Ok(Some(captioned(&base, &words, slide, info, Legend::None)))
}

fn draw_marks(picture: &mut Rgb, marks: &Image<TileMark>) {
    let (rows, cols) = (picture.rows(), picture.cols());
    if marks.rows() == 0 || marks.cols() == 0 {
        return;
    }
    each(picture, [0..rows, 0..cols], |row, col, pixel| {
        match marks.at(row * marks.rows() / rows, col * marks.cols() / cols) {
            TileMark::None => pixel,
            TileMark::Measured => [255, 225, 0],
            TileMark::Nucleus => [150, 150, 150],
            TileMark::MitosisLike => [255, 30, 30],
            TileMark::Lumen => [0, 90, 255],
        }
    });
}

/// The color of what became of a square.
pub(super) fn verdict_color(verdict: &str) -> [u8; 3] {
    match verdict {
        "taken" => [0, 140, 60],
        "pen" => [210, 0, 0],
        "fold" => [240, 130, 0],
        "blur" => [0, 70, 220],
        _ => [0, 0, 0],
    }
}

/// The slide as it is drawn, and pixels of level 0 per pixel of that.
fn shown(view: &Rgb, step: f64) -> Result<(Rgb, f64), Error> {
    let longest = view.rows().max(view.cols()).max(1);
    let factor = (LONGEST as f64 / longest as f64).min(8.0);
    let side = |n: usize| ((n as f64 * factor).round() as usize).max(1);
    let drawn = resized_rgb(view, side(view.rows()), side(view.cols()))?;
    Ok((drawn, step / factor))
}

/// Rows and columns of a picture, from and to.
type Place = [std::ops::Range<usize>; 2];

fn on_picture(bounds: TileBounds, step: f64) -> Place {
    let at = |edge: f64| (edge / step).round().max(0.0) as usize;
    [
        at(bounds.top)..at(bounds.bottom),
        at(bounds.left)..at(bounds.right),
    ]
}

fn each(
    picture: &mut Rgb,
    [rows, cols]: Place,
    mut paint: impl FnMut(usize, usize, [u8; 3]) -> [u8; 3],
) {
    for row in rows.start..rows.end.min(picture.rows()) {
        for col in cols.start..cols.end.min(picture.cols()) {
            let color = paint(row, col, picture.at(row, col));
            picture.set(row, col, color);
        }
    }
}

fn cover(picture: &mut Rgb, place: Place, color: [u8; 3]) {
    each(picture, place, |_, _, pixel| mixed(pixel, color));
}

fn mixed(pixel: [u8; 3], color: [u8; 3]) -> [u8; 3] {
    [0, 1, 2].map(|c| {
        let mixed = f64::from(pixel[c]) * (1.0 - OPACITY) + f64::from(color[c]) * OPACITY;
        mixed.round() as u8
    })
}

/// Colors the picture where the coarser map says so.
fn tint(picture: &mut Rgb, tints: &Image<Option<[u8; 3]>>) {
    let (rows, cols) = (picture.rows(), picture.cols());
    if tints.rows() == 0 || tints.cols() == 0 {
        return;
    }
    each(picture, [0..rows, 0..cols], |row, col, pixel| {
        let tint = tints.at(row * tints.rows() / rows, col * tints.cols() / cols);
        tint.map_or(pixel, |tint| mixed(pixel, tint))
    });
}

fn outline(picture: &mut Rgb, place: Place, color: [u8; 3]) {
    let [rows, cols] = place.clone();
    let is_edge =
        |at: usize, range: &std::ops::Range<usize>| at < range.start + 2 || at + 2 >= range.end;
    each(picture, place, |row, col, pixel| {
        match is_edge(row, &rows) || is_edge(col, &cols) {
            true => color,
            false => pixel,
        }
    });
}

fn paste(picture: &mut Rgb, part: &Rgb, (top, left): (usize, usize)) {
    let place = [top..top + part.rows(), left..left + part.cols()];
    each(picture, place, |row, col, _| part.at(row - top, col - left));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Legend {
    Scale,
    None,
}

/// The picture with its scale at the right and its words below.
fn captioned(
    base: &Rgb,
    words: &[String],
    slide: &SlideAssessment,
    info: &SlideRunInfo,
    legend: Legend,
) -> Rgb {
    let mut lines: Vec<(String, [u8; 3])> = words.iter().map(|w| (w.clone(), INK)).collect();
    lines.push(("research use only, not for diagnosis".into(), INK));
    if slide.is_synthetic {
        lines.push(("SYNTHETIC slide: not a patient".into(), VIOLET));
    }
    if let Some(words) = info.demonstration() {
        lines.push((words.into(), ALARM));
    }
    let cols = match legend {
        Legend::Scale => base.cols() + SCALE_COLS,
        Legend::None => base.cols(),
    };
    let rows = base.rows() + GAP + lines.len() * LINE;
    let mut picture = Image::filled(rows, cols.max(LEAST_COLS), PAPER);
    paste(&mut picture, base, (0, 0));
    if legend == Legend::Scale {
        draw_scale(&mut picture, base);
    }
    for (i, (line, color)) in lines.iter().enumerate() {
        let at = (base.rows() + GAP + i * LINE, 4);
        draw_large_text(&mut picture, at, line, *color, SIZE);
    }
    picture
}

fn draw_scale(picture: &mut Rgb, base: &Rgb) {
    let left = base.cols() + 16;
    let (top, bottom) = (16, base.rows().saturating_sub(16).max(32));
    let span = (bottom - top) as f64;
    each(picture, [top..bottom, left..left + 20], |row, _, _| {
        heat_color(1.0 - (row - top) as f64 / span)
    });
    draw_large_text(picture, (top, left + 26), "1", INK, SIZE);
    draw_large_text(picture, (bottom - LETTER * SIZE, left + 26), "0", INK, SIZE);
}

/// Whether a map of scores would show anything.
pub(super) fn has_scores(tiles: &[TileAssessment]) -> bool {
    tiles.iter().any(|t| t.grade.is_some())
}
