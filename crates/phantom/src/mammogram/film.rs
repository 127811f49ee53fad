//! What is on a picture besides the breast.
//!
//! Owns: the burnt-in label, and the marks of film: fog, grain, borders, scratches, dust. Does
//! not own: the breast.

use lobule_exam::{Laterality, View};
use lobule_raster::Image;

use super::Medium;
use crate::font::{GLYPH_COLS, GLYPH_ROWS, glyph};
use crate::noise::{Noise, Purpose, Stream};

/// Side of a letter's dot, in mm; at least one pixel.
const DOT_MM: f64 = 0.6;
/// From the label to the picture's edges, in mm.
const MARGIN_MM: f64 = 6.0;

/// Writes `SYNTHETIC` and the view beside the breast; on film on a bright plate.
pub(super) fn label(
    picture: &mut Image<f32>,
    side: &Laterality,
    view: View,
    spacing_mm: f64,
    medium: Medium,
) {
    let dot = ((DOT_MM / spacing_mm).round() as usize).max(1);
    let side_name = match side {
        Laterality::Left => "L",
        Laterality::Right => "R",
    };
    let lines = ["SYNTHETIC".to_owned(), format!("{side_name} {view}")];
    let width = 9 * (GLYPH_COLS + 1) * dot;
    let margin = (MARGIN_MM / spacing_mm) as usize;
    let left = match side {
        Laterality::Left => picture.cols().saturating_sub(width + margin),
        Laterality::Right => margin,
    };
    let (ink, height) = match medium {
        Medium::Digital => (1.0, 0),
        Medium::Film => (0.08, (2 * GLYPH_ROWS + 6) * dot),
    };
    fill(picture, margin, left, height, width + 2 * dot, 1.0);
    for (line, text) in lines.iter().enumerate() {
        let top = margin + 2 * dot + line * (GLYPH_ROWS + 2) * dot;
        for (i, letter) in text.chars().enumerate() {
            let at = [top, left + dot + i * (GLYPH_COLS + 1) * dot];
            draw(picture, letter, at, dot, ink);
        }
    }
}

fn draw(picture: &mut Image<f32>, letter: char, [top, left]: [usize; 2], dot: usize, ink: f32) {
    for (row, dots) in glyph(letter).iter().enumerate() {
        for col in (0..GLYPH_COLS).filter(|col| dots >> (GLYPH_COLS - 1 - col) & 1 == 1) {
            fill(picture, top + row * dot, left + col * dot, dot, dot, ink);
        }
    }
}

fn fill(picture: &mut Image<f32>, top: usize, left: usize, rows: usize, cols: usize, value: f32) {
    for row in top..(top + rows).min(picture.rows()) {
        for col in left..(left + cols).min(picture.cols()) {
            picture.set(row, col, value);
        }
    }
}

/// Fog that is not even, grain, dust, scratches, and a white border on some sides.
pub(super) fn spoil(picture: &mut Image<f32>, spacing_mm: f64, seed: u64) {
    let stream = &mut Stream::new(seed ^ 0x6669_6c6d, Purpose::Plan);
    let clouds = Noise::new(stream, [40.0, 40.0]);
    let tilt = [stream.between(-0.012, 0.012), stream.between(-0.012, 0.012)];
    let base = stream.between(0.025, 0.05);
    let mm = spacing_mm as f32;
    // Grain is averaged over a pixel.
    let grain = (0.006 / mm.max(0.05) * 0.2).min(0.02);
    let (rows, cols) = (picture.rows(), picture.cols());
    let mut spare = None;
    for row in 0..rows {
        for col in 0..cols {
            let (r, c) = (row as f32 * mm, col as f32 * mm);
            let share = [row as f32 / rows as f32, col as f32 / cols as f32];
            let fog = base + tilt[0] * share[0] + tilt[1] * share[1] + 0.005 * clouds.at(r, c);
            let normal = spare.take().unwrap_or_else(|| {
                let [first, second] = stream.normal_pair();
                spare = Some(second);
                first
            });
            let value = fog + (1.0 - fog) * picture.at(row, col) + grain * normal;
            picture.set(row, col, value.clamp(0.0, 1.0));
        }
    }
    for _ in 0..4 {
        scratch(picture, spacing_mm, stream);
    }
    for _ in 0..25 {
        let at = [
            stream.between(0.0, rows as f32),
            stream.between(0.0, cols as f32),
        ];
        let value = stream.between(0.5, 0.9);
        let side = ((0.3 / spacing_mm).round() as usize).max(1);
        fill(picture, at[0] as usize, at[1] as usize, side, side, value);
    }
    border(picture, spacing_mm, stream);
}

/// A thin bright line, nearly upright, as rollers leave it.
fn scratch(picture: &mut Image<f32>, spacing_mm: f64, stream: &mut Stream) {
    let (rows, cols) = (picture.rows() as f32, picture.cols() as f32);
    let (mut row, mut col) = (stream.between(0.0, rows), stream.between(0.0, cols));
    let length = stream.between(8.0, 60.0) / spacing_mm as f32;
    let drift = stream.between(-0.08, 0.08);
    let value = stream.between(0.08, 0.2);
    for _ in 0..length as usize {
        // One that drifts over the left edge goes on along it.
        let (r, c) = (row as usize, col as usize);
        if r < picture.rows() && c < picture.cols() {
            picture.set(r, c, (picture.at(r, c) + value).min(1.0));
        }
        row += 1.0;
        col += drift;
    }
}

/// White strips at the upper and lower edge, where the scanner saw past the film.
fn border(picture: &mut Image<f32>, spacing_mm: f64, stream: &mut Stream) {
    let mut width = || (f64::from(stream.between(0.0, 3.5)) / spacing_mm) as usize;
    let (top, bottom) = (width(), width());
    let (rows, cols) = (picture.rows(), picture.cols());
    fill(picture, 0, 0, top, cols, 0.97);
    fill(picture, rows - bottom, 0, bottom, cols, 0.97);
}
