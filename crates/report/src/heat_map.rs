//! Heat maps: the sonogram or breast in grey, the malignant saliency over it, outlines, and a scale.

use lobule_exam::{Affine, Finding, FindingClass, ImageAssessment, PixelBox, Point, score_words};
use lobule_raster::{Image, Picture};

use crate::color_map::{heat_color, heat_cover};
use crate::letters::{LETTER, draw_large_text, draw_text};
use crate::shown::shown_breast;
use crate::{Error, Surroundings};

/// Longest and shortest allowed longest side of the drawn sonogram, in pixels.
const DRAWN_SIDE: (usize, usize) = (256, 1024);
/// Opacity of the strongest saliency.
const OPACITY: f64 = 0.6;
/// Width of the column that holds the scale.
const SCALE_COLS: usize = 56;
/// Height of the strip that holds the words.
const STRIP_ROWS: usize = 40;
/// Narrowest drawing, so that the words fit.
const LEAST_COLS: usize = 256;
/// Rows of the drawing for each step of the lesions' letters, and their largest size.
const TAG_ROWS: usize = 320;
const MOST_TAG_SIZE: usize = 3;
const BACKGROUND: [u8; 3] = [16, 18, 22];
const INK: [u8; 3] = [222, 226, 230];
const BENIGN: [u8; 3] = [120, 200, 255];
const MALIGNANT: [u8; 3] = [255, 255, 255];

/// What a heat map says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeatMapLabel {
    /// Of a patient, as far as the file says.
    Clinical,
    /// Of a phantom: "SYNTHETIC" is written on it.
    Synthetic,
}

/// Draws an image's heat map.
///
/// The crop of the picture is drawn in grey at 256 to 1024 pixels on its longest side, the
/// malignant saliency over it in [`heat_color`] (bilinear between grid nodes), findings as
/// outlines (malignant white, benign blue; a lesion with its number and score, `2M 29`), a scale from 0 to 1 at the right with a tick at the
/// map's maximum, and the words below. A mammogram is drawn as it lies in its file, so that the map
/// can be laid over it; what surrounds the breast is black, everything where there is no outline.
///
/// # Errors
/// When the crop is too large to be drawn.
pub fn heat_map(
    picture: &Picture,
    image: &ImageAssessment,
    label: HeatMapLabel,
) -> Result<Image<[u8; 3]>, Error> {
    let gray = match &image.mammogram {
        Some(facts) => shown_breast(picture, image, facts, Surroundings::Hide),
        None => picture.luma().crop(image.crop.window),
    };
    let (rows, cols) = drawn_size(gray.rows(), gray.cols());
    let mut canvas = Image::filled(
        rows + STRIP_ROWS,
        cols.max(LEAST_COLS) + SCALE_COLS,
        BACKGROUND,
    );
    if gray.rows() == 0 || gray.cols() == 0 {
        return Ok(canvas);
    }
    let image_from_drawn = image_from_drawn(image, gray.rows(), gray.cols(), rows, cols);
    let drawn = gray.resized_to_show(rows, cols).map_err(Error::format)?;
    draw_picture(&mut canvas, &drawn, image, &image_from_drawn);
    if let Some(drawn_from_image) = image_from_drawn.inverse() {
        for finding in &image.findings {
            draw_outline(&mut canvas, finding, &drawn_from_image, (rows, cols));
        }
        draw_tags(
            &mut canvas,
            &image.findings,
            &drawn_from_image,
            (rows, cols),
        );
    }
    draw_scale(&mut canvas, rows, maximum(&image.saliency.malignant));
    draw_words(&mut canvas, rows, image, label);
    Ok(canvas)
}

fn drawn_size(rows: usize, cols: usize) -> (usize, usize) {
    let longest = rows.max(cols).max(1);
    let drawn = longest.clamp(DRAWN_SIDE.0, DRAWN_SIDE.1) as f64 / longest as f64;
    let side = |n: usize| ((n as f64 * drawn).round() as usize).max(1);
    (side(rows), side(cols))
}

fn image_from_drawn(
    image: &ImageAssessment,
    rows: usize,
    cols: usize,
    drawn_rows: usize,
    drawn_cols: usize,
) -> Affine {
    let window = image.crop.window;
    Affine::translate(window.row as f64, window.col as f64).compose(&Affine::resample(
        rows as f64 / drawn_rows as f64,
        cols as f64 / drawn_cols as f64,
    ))
}

fn draw_picture(
    canvas: &mut Image<[u8; 3]>,
    gray: &Image<u8>,
    image: &ImageAssessment,
    image_from_drawn: &Affine,
) {
    let map = &image.saliency;
    let Some(grid_from_image) = map.image_from_grid.inverse() else {
        return;
    };
    let grid_from_drawn = grid_from_image.compose(image_from_drawn);
    for row in 0..gray.rows() {
        for col in 0..gray.cols() {
            let at = grid_from_drawn.apply(Point {
                row: row as f64,
                col: col as f64,
            });
            let value = map.value_at(FindingClass::Malignant, at);
            canvas.set(row, col, blend(gray.at(row, col), value));
        }
    }
}

fn blend(gray: u8, value: f64) -> [u8; 3] {
    let cover = OPACITY * heat_cover(value);
    if cover == 0.0 {
        return [gray; 3]; // most of a picture
    }
    heat_color(value)
        .map(|c| (f64::from(gray) * (1.0 - cover) + f64::from(c) * cover).round() as u8)
}

pub(crate) fn maximum(values: &[f32]) -> f64 {
    f64::from(values.iter().copied().fold(0.0_f32, f32::max))
}

fn draw_outline(
    canvas: &mut Image<[u8; 3]>,
    finding: &Finding,
    drawn_from_image: &Affine,
    inside: (usize, usize),
) {
    let color = match finding.class {
        FindingClass::Benign => BENIGN,
        FindingClass::Malignant => MALIGNANT,
    };
    let points = finding.outline.map(drawn_from_image).points;
    for (i, &from) in points.iter().enumerate() {
        draw_line(canvas, from, points[(i + 1) % points.len()], inside, color);
    }
}

/// Numbers and scores of lesions beside their outlines, inside the picture, below one another where
/// they would cover each other.
fn draw_tags(
    canvas: &mut Image<[u8; 3]>,
    findings: &[Finding],
    drawn_from_image: &Affine,
    (rows, cols): (usize, usize),
) {
    let size = (rows / TAG_ROWS).clamp(1, MOST_TAG_SIZE);
    let step = size * LETTER + 1;
    let mut taken: Vec<PixelBox> = Vec::new();
    for finding in findings {
        let Some(lesion) = finding.lesion else {
            continue;
        };
        let words = format!("{}M {}", lesion.number, score_words(lesion.score));
        let points = finding.outline.map(drawn_from_image).points;
        let right = points.iter().map(|p| p.col).fold(0.0, f64::max);
        let top = points.iter().map(|p| p.row).fold(f64::INFINITY, f64::min);
        let width = words.len() * size * LETTER;
        let room = |side: usize, wanted: usize| side.saturating_sub(wanted) as f64;
        let left = right + 2.0 * size as f64;
        let mut place = PixelBox {
            row: top.clamp(0.0, room(rows, step)) as usize,
            col: left.clamp(0.0, room(cols, width)) as usize,
            rows: step,
            cols: width,
        };
        while let Some(other) = taken.iter().find(|other| meet(other, &place)) {
            place.row = other.row_end();
        }
        for (shift, color) in [(size.div_ceil(2), BACKGROUND), (0, MALIGNANT)] {
            let at = (place.row + shift, place.col + shift);
            draw_large_text(canvas, at, &words, color, size);
        }
        taken.push(place);
    }
}

fn meet(a: &PixelBox, b: &PixelBox) -> bool {
    let rows = a.row < b.row_end() && b.row < a.row_end();
    rows && a.col < b.col_end() && b.col < a.col_end()
}

fn draw_line(
    canvas: &mut Image<[u8; 3]>,
    from: Point,
    to: Point,
    inside: (usize, usize),
    color: [u8; 3],
) {
    let steps = (to.row - from.row)
        .abs()
        .max((to.col - from.col).abs())
        .ceil()
        .clamp(1.0, 4096.0);
    for i in 0..=steps as usize {
        let t = i as f64 / steps;
        let row = (from.row + t * (to.row - from.row))
            .round()
            .clamp(0.0, (inside.0 - 1) as f64);
        let col = (from.col + t * (to.col - from.col))
            .round()
            .clamp(0.0, (inside.1 - 1) as f64);
        canvas.set(row as usize, col as usize, color);
    }
}

fn draw_scale(canvas: &mut Image<[u8; 3]>, rows: usize, max: f64) {
    let left = canvas.cols() - SCALE_COLS + 8;
    let (top, bottom) = (12, rows.saturating_sub(12).max(13));
    let value_at = |row: usize| 1.0 - (row - top) as f64 / (bottom - top) as f64;
    for row in top..=bottom {
        for col in left..left + 10 {
            canvas.set(row, col, heat_color(value_at(row)));
        }
    }
    draw_text(canvas, top.saturating_sub(3), left + 14, "1.0", INK);
    draw_text(canvas, bottom - 4, left + 14, "0.0", INK);
    let at = bottom - (max.clamp(0.0, 1.0) * (bottom - top) as f64).round() as usize;
    for col in left.saturating_sub(4)..left + 14 {
        canvas.set(at, col, INK);
    }
    if at > top + 12 && at + 14 < bottom {
        draw_text(canvas, at - 3, left + 14, &format!("{max:.2}"), INK);
    }
}

fn draw_words(
    canvas: &mut Image<[u8; 3]>,
    rows: usize,
    image: &ImageAssessment,
    label: HeatMapLabel,
) {
    let max = maximum(&image.saliency.malignant);
    let saliency = format!("malignant saliency, max {max:.2}");
    draw_text(canvas, rows + 4, 4, &saliency, INK);
    draw_text(canvas, rows + 16, 4, "research use only", INK);
    if label == HeatMapLabel::Synthetic {
        draw_text(
            canvas,
            rows + 28,
            4,
            "SYNTHETIC - not a patient",
            [255, 190, 90],
        );
    }
}
