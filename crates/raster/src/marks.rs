//! Burnt-in marks: callipers, text, rulers, logos.
//!
//! Owns: finding such marks inside a sonogram. Does not own: the crop ([`crate::find_sonogram`]),
//! the filling of what was found (`fill`).
//!
//! Marks are drawn: narrow strokes, brighter than both sides, that end within a pixel. Echoes
//! are narrow in depth but wide across, because the beam is: thin bright lines in tissue run
//! across. So a narrow bright stroke that runs **down** over several pixels is a mark's, and
//! crosses, letters and digits nearly all have one. Found strokes grow over the bright pixels
//! connected to them, and to neighbours that stand in one line of text with them.
//!
//! ```
//! use lobule_raster::{Image, paint_over_marks};
//! let mut gray = Image::from_fn(200, 200, |row, col| 60 + ((row * 7 + col * 13) % 11) as u8);
//! (90..101).for_each(|i| gray.set(i, 95, 255));
//! (90..101).for_each(|i| gray.set(95, i, 255));
//! assert!(paint_over_marks(&mut gray) >= 21);
//! assert!(gray.pixels().iter().all(|&v| v < 200));
//! ```

use lobule_exam::PixelBox;

use crate::Image;
use crate::fill::fill;
use crate::morphology::{Direction, box_mean, dilate, erode, open, zip};
use crate::parts::{Part, connected_parts};

/// The lengths below hold for an image of this longer side and grow with it.
const REFERENCE_SIDE: usize = 320;

/// Strokes are narrower than `2 · STROKE_RADIUS + 1` pixels.
const STROKE_RADIUS: usize = 3;

/// A stroke runs down over at least `2 · RUN_RADIUS + 1` pixels.
const RUN_RADIUS: usize = 1;

/// A stroke is at least this much brighter than what lies beside it …
const STROKE_CONTRAST: f32 = 32.0;

/// … plus this many times the mean strokeness of its surroundings, which is high in speckle …
const NOISE_FACTOR: f32 = 6.0;

/// … (each pixel counted with no more than this, so that marks do not hide themselves).
const NOISE_CAP: u8 = 20;

/// Surroundings for the strokeness: a square of this radius.
const NOISE_RADIUS: usize = 20;

/// Surroundings for the brightness: a square of this radius.
const MEAN_RADIUS: usize = 12;

/// A stroke is at least this much brighter than its surroundings.
const SEED_ABOVE_MEAN: f32 = 32.0;

/// Pixels that strokes grow over stand out by at least this much from what is wider …
const GROW_CONTRAST: u8 = 30;

/// … and are at least this much brighter than the surroundings.
const GROW_ABOVE_MEAN: f32 = 20.0;

/// A stroke grows no further than this: half a letter, an arm of a cross.
const GROW_STEPS: usize = 8;

/// A letter's height, and the largest gap between letters as a share of it.
const LETTER_HEIGHTS: std::ops::RangeInclusive<usize> = 4..=24;
const LETTER_GAP: f64 = 1.2;

/// Marks are painted over to this many pixels around them: their edges are blurred, and darker
/// beyond where a picture was made smaller by a sharpening filter.
const WIDEN_RADIUS: usize = 2;

/// Gaps across between marks are painted over up to twice this many pixels: what is left
/// between letters would still be seen as a line of text.
const GAP_RADIUS: usize = 2;

/// Dense text hides a part of itself by raising its own surroundings; the second search sees it.
const SEARCHES: usize = 2;

/// Paints over burnt-in marks with their surroundings and returns how many pixels were painted.
///
/// The work is the same for the same pixels: no randomness. Bright layers of tissue,
/// calcifications and marks that are dots or lines across are mostly left alone.
pub fn paint_over_marks(gray: &mut Image<u8>) -> usize {
    let original = gray.clone();
    let mut all = Image::filled(gray.rows(), gray.cols(), false);
    for _ in 0..SEARCHES {
        let found = find_marks(gray);
        if !found.pixels().contains(&true) {
            break;
        }
        all = zip(&all, &found, |a, b| a || b);
        gray.clone_from(&original);
        fill(gray, &all);
    }
    all.pixels().iter().filter(|&&mark| mark).count()
}

/// Where the marks are, with a margin around them.
fn find_marks(gray: &Image<u8>) -> Image<bool> {
    let scale = (gray.rows().max(gray.cols()) / REFERENCE_SIDE).max(1);
    let mean = box_mean(gray, MEAN_RADIUS * scale);
    let seeds = find_strokes(gray, &mean, scale);
    if !seeds.pixels().contains(&true) {
        return seeds;
    }
    let bright = find_bright(gray, &mean, scale);
    let mut marks = grow(&seeds, &bright, GROW_STEPS * scale);
    complete_lines(&mut marks, &bright, scale);
    widen(&marks, WIDEN_RADIUS)
}

/// Pixels of narrow bright strokes that run down.
fn find_strokes(gray: &Image<u8>, mean: &Image<f32>, scale: usize) -> Image<bool> {
    let wider = open(gray, Direction::Across, STROKE_RADIUS + scale - 1);
    let contrast = zip(gray, &wider, u8::saturating_sub);
    let run = RUN_RADIUS * scale;
    let stroke = erode(&contrast, Direction::Down, run);
    let stroke = dilate(&stroke, Direction::Down, run);
    let noise = box_mean(&stroke.map(|v| v.min(NOISE_CAP)), NOISE_RADIUS * scale);
    let sharp = zip(&stroke, &noise, |stroke, noise| {
        f32::from(stroke) >= STROKE_CONTRAST + NOISE_FACTOR * noise
    });
    let bright = zip(gray, mean, |v, mean| f32::from(v) >= mean + SEED_ABOVE_MEAN);
    let high = contrast.map(|v| f32::from(v) >= STROKE_CONTRAST);
    zip(&zip(&sharp, &bright, |a, b| a && b), &high, |a, b| a && b)
}

/// Pixels of narrow bright things of any direction.
fn find_bright(gray: &Image<u8>, mean: &Image<f32>, scale: usize) -> Image<bool> {
    let radius = STROKE_RADIUS + scale - 1;
    let wider = erode(
        &erode(gray, Direction::Across, radius),
        Direction::Down,
        radius,
    );
    let wider = dilate(
        &dilate(&wider, Direction::Across, radius),
        Direction::Down,
        radius,
    );
    let stands_out = zip(gray, &wider, |v, wider| {
        v.saturating_sub(wider) >= GROW_CONTRAST
    });
    let bright = zip(gray, mean, |v, mean| f32::from(v) >= mean + GROW_ABOVE_MEAN);
    zip(&stands_out, &bright, |a, b| a && b)
}

/// The seeds and all bright pixels connected to them within a number of steps.
fn grow(seeds: &Image<bool>, bright: &Image<bool>, steps: usize) -> Image<bool> {
    let (rows, cols) = (seeds.rows(), seeds.cols());
    let mut grown = seeds.clone();
    let mut front: Vec<usize> = (0..rows * cols).filter(|&i| seeds.pixels()[i]).collect();
    for _ in 0..steps {
        let mut next = Vec::new();
        for here in front {
            let (row, col) = (here / cols, here % cols);
            for r in row.saturating_sub(1)..(row + 2).min(rows) {
                for c in col.saturating_sub(1)..(col + 2).min(cols) {
                    if bright.at(r, c) && !grown.at(r, c) {
                        grown.set(r, c, true);
                        next.push(r * cols + c);
                    }
                }
            }
        }
        front = next;
    }
    grown
}

/// Adds bright parts that stand in one line of text with a mark, letter by letter.
fn complete_lines(marks: &mut Image<bool>, bright: &Image<bool>, scale: usize) {
    let known = letter_boxes(&connected_parts(marks), scale);
    if known.is_empty() {
        return;
    }
    let candidates = connected_parts(bright);
    let mut free = letter_boxes(&candidates, scale);
    let mut letters = known.clone();
    let mut next = 0;
    while let Some(&(_, letter)) = letters.get(next) {
        next += 1;
        let (found, rest) = free.into_iter().partition(|f| beside(letter, f.1));
        letters.extend::<Vec<_>>(found);
        free = rest;
    }
    for &(idx, _) in &letters[known.len()..] {
        for run in &candidates[idx].runs {
            (run.from..run.to).for_each(|col| marks.set(run.row, col, true));
        }
    }
}

/// The boxes of the parts that have a letter's size, and the parts' indices.
fn letter_boxes(parts: &[Part], scale: usize) -> Vec<(usize, PixelBox)> {
    let heights = LETTER_HEIGHTS.start() * scale..=LETTER_HEIGHTS.end() * scale;
    let boxes = parts.iter().map(Part::bounds).enumerate();
    boxes
        .filter(|(_, b)| heights.contains(&b.rows) && b.cols <= 2 * b.rows)
        .collect()
}

/// Whether a box is as high as another, on the same rows and next to it.
fn beside(letter: PixelBox, other: PixelBox) -> bool {
    let slack = 1 + letter.rows / 6;
    let same_rows = letter.row.abs_diff(other.row) <= slack
        && letter.row_end().abs_diff(other.row_end()) <= slack;
    let gap = other.col.max(letter.col) as f64 - other.col_end().min(letter.col_end()) as f64;
    same_rows && gap <= LETTER_GAP * letter.rows as f64
}

/// The mask with some pixels around it, and narrow gaps closed.
fn widen(mask: &Image<bool>, radius: usize) -> Image<bool> {
    let down = dilate(&mask.map(u8::from), Direction::Down, radius);
    let across = dilate(&down, Direction::Across, radius + GAP_RADIUS);
    erode(&across, Direction::Across, GAP_RADIUS).map(|v| v > 0)
}
