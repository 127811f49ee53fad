//! The breast's mask.
//!
//! 1. Bright borders of film scans are peeled off, line by line.
//! 2. The background is what is flat: the calmest third of the pixels. Where most of it is bright
//!    and of one brightness, the picture is inverted.
//! 3. A threshold a little above the background: Otsu's (IEEE Trans. SMC 9 (1979) 62–66,
//!    doi:10.1109/TSMC.1979.4310076) only tells dark from bright, the breast's faint rim lies
//!    well below it.
//! 4. Closing, filling of holes, opening, all by the distance transform; the largest part. Labels
//!    and clips are parts of their own, or fall off at the opening.

use lobule_exam::{PixelBox, Warning};

use super::grid::Grid;
use super::{Polarity, doubtful};
use crate::distance::distance_to;
use crate::parts::connected_parts;
use crate::{Error, ErrorKind, Image};

/// A border line has at least this share of bright pixels, …
const BORDER_SHARE: f64 = 0.85;
/// … brighter than this, and borders are at most this wide.
const BORDER_BRIGHT: f32 = 0.8;
const BORDER_MOST: f64 = 0.12;
/// Share of the pixels that counts as calm.
const CALM_SHARE: f64 = 0.33;
/// An inverted background varies by no more than this.
const INVERTED_SPREAD: f32 = 0.08;
/// The threshold lies this far from the background to the median of the bright pixels: on film,
/// whose background has smears, …
const RIM_SHARE: f32 = 0.07;
/// … and on digital images, whose background is even, so that dark fat can be told from it, …
const RIM_SHARE_DIGITAL: f32 = 0.02;
/// … which is where pixels between the two differ by more than this from their neighbours: fat
/// has a texture, smears have none.
const TEXTURE: f32 = 0.016;
/// … and at least so many robust standard deviations above it.
const RIM_DEVIATIONS: f32 = 6.0;
/// Calm dark pixels further apart than this are no background.
const BACKGROUND_SPREAD: f32 = 0.06;
/// Radius of the closing before the opening, as a share of the longest side.
const CLOSING_SHARE: f64 = 0.02;
/// Radius of the opening, as a share of the longest side.
const OPENING_SHARE: f64 = 0.012;
/// A notch at the picture's edge is filled up to this share of the breast.
const NOTCH_SHARE: f64 = 0.2;
/// A strip along the upper or lower edge is up to this share of the picture's height thick, and at
/// least so many times as long: what peeling left of a border that is not straight.
const STRIP_SHARE: f64 = 0.035;
const STRIP_LENGTH: usize = 3;
/// A breast covers at least this share of the picture.
const LEAST_AREA: f64 = 0.015;

pub(super) struct Found {
    pub(super) mask: Image<bool>,
    pub(super) polarity: Polarity,
    pub(super) background: u16,
    pub(super) warnings: Vec<Warning>,
}

pub(super) fn find(grid: &Grid) -> Result<Found, Error> {
    let whole = PixelBox::whole(grid.means.rows(), grid.means.cols());
    let mut means = grid.means.clone();
    let mut inside = peel(&means);
    let mut polarity = Polarity::AsGiven;
    if is_inverted(&means.crop(inside)) {
        polarity = Polarity::Inverted;
        means = means.map(|v| 1.0 - v);
        inside = peel(&means);
    }
    let background = Background::of(&means.crop(inside));
    let mut warnings = Vec::new();
    let mask = match &background {
        Some(background) => {
            let part = largest_part(&means, inside, background.threshold)?;
            warn_of_shape(&part, &mut warnings);
            part
        }
        None => {
            let message = "no background was found: the whole picture was taken as breast";
            warnings.push(doubtful(message));
            Image::from_fn(whole.rows, whole.cols, |r, c| is_in(inside, r, c))
        }
    };
    let level = background.map_or(0.0, |b| b.level);
    let background = match polarity {
        Polarity::AsGiven => grid.brightness(level),
        Polarity::Inverted => u16::MAX - grid.brightness(1.0 - level),
    };
    if polarity == Polarity::Inverted {
        warnings.push(doubtful("dark and bright were exchanged"));
    }
    Ok(Found {
        mask,
        polarity,
        background,
        warnings,
    })
}

fn is_in(bounds: PixelBox, row: usize, col: usize) -> bool {
    (bounds.row..bounds.row_end()).contains(&row) && (bounds.col..bounds.col_end()).contains(&col)
}

/// The picture without bright border lines.
fn peel(means: &Image<f32>) -> PixelBox {
    let (rows, cols) = (means.rows(), means.cols());
    let is_bright = |v: f32| v > BORDER_BRIGHT;
    let bright_row = |row: usize| {
        let n = means.row(row).iter().filter(|&&v| is_bright(v)).count();
        n as f64 >= BORDER_SHARE * cols as f64
    };
    let bright_col = |col: usize| {
        let n = (0..rows)
            .filter(|&row| is_bright(means.at(row, col)))
            .count();
        n as f64 >= BORDER_SHARE * rows as f64
    };
    let most = |n: usize| (n as f64 * BORDER_MOST) as usize;
    // One line past the last bright one goes too: its mean holds a part of the border.
    let count = |is_border: &dyn Fn(usize) -> bool, most: usize| {
        let n = (0..most).take_while(|&i| is_border(i)).count();
        if n == 0 { 0 } else { n + 1 }
    };
    let top = count(&bright_row, most(rows));
    let bottom = count(&|i| bright_row(rows - 1 - i), most(rows));
    let left = count(&bright_col, most(cols));
    let right = count(&|i| bright_col(cols - 1 - i), most(cols));
    PixelBox {
        row: top,
        col: left,
        rows: rows - top - bottom,
        cols: cols - left - right,
    }
}

/// The values of the calmest pixels: those whose neighbours differ least.
fn calm_values(means: &Image<f32>) -> Vec<f32> {
    let mut ranges = local_ranges(means);
    let n = (ranges.len() as f64 * CALM_SHARE) as usize;
    if n > 0 {
        ranges.select_nth_unstable_by(n, |a, b| a.0.total_cmp(&b.0));
    }
    ranges[..n].iter().map(|&(_, value)| value).collect()
}

/// For every pixel inside: by how much its 3 × 3 neighbours differ, and its value.
fn local_ranges(means: &Image<f32>) -> Vec<(f32, f32)> {
    let (rows, cols) = (means.rows(), means.cols());
    let mut ranges = Vec::with_capacity(rows * cols);
    for row in 1..rows.saturating_sub(1) {
        for col in 1..cols.saturating_sub(1) {
            let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
            for r in row - 1..=row + 1 {
                for &v in &means.row(r)[col - 1..=col + 1] {
                    low = low.min(v);
                    high = high.max(v);
                }
            }
            ranges.push((high - low, means.at(row, col)));
        }
    }
    ranges
}

fn is_inverted(means: &Image<f32>) -> bool {
    let threshold = otsu(means.pixels());
    let calm = calm_values(means);
    let bright: Vec<f32> = calm.iter().copied().filter(|&v| v > threshold).collect();
    let corners = [
        means.at(0, 0),
        means.at(0, means.cols() - 1),
        means.at(means.rows() - 1, 0),
        means.at(means.rows() - 1, means.cols() - 1),
    ];
    let bright_corners = corners.iter().filter(|&&v| v > threshold).count();
    if bright.len() * 5 < calm.len() * 3 || bright_corners < 2 {
        return false;
    }
    let (level, spread) = median_and_spread(bright);
    level > 0.6 && spread < INVERTED_SPREAD
}

struct Background {
    level: f32,
    threshold: f32,
}

impl Background {
    /// None where the calm dark pixels are too few or too various.
    fn of(means: &Image<f32>) -> Option<Background> {
        let middle = otsu(means.pixels());
        let calm = calm_values(means);
        let dark: Vec<f32> = calm.iter().copied().filter(|&v| v <= middle).collect();
        if dark.len() * 10 < calm.len() {
            return None;
        }
        let (level, spread) = median_and_spread(dark);
        let bright: Vec<f32> = means
            .pixels()
            .iter()
            .copied()
            .filter(|&v| v > middle)
            .collect();
        let (tissue, _) = median_and_spread(bright);
        if spread > BACKGROUND_SPREAD || level > 0.5 * tissue {
            return None;
        }
        let between = [RIM_SHARE_DIGITAL, RIM_SHARE].map(|share| level + share * (tissue - level));
        let ranges = local_ranges(means).into_iter();
        let between = ranges.filter(|(_, v)| (between[0]..between[1]).contains(v));
        let (texture, _) = median_and_spread(between.map(|(range, _)| range).collect());
        let share = match texture > TEXTURE {
            true => RIM_SHARE_DIGITAL,
            false => RIM_SHARE,
        };
        let rim = (RIM_DEVIATIONS * spread).max(share * (tissue - level));
        Some(Background {
            level,
            threshold: level + rim,
        })
    }
}

/// The median, and 1.4826 times the median of the distances from it.
fn median_and_spread(mut values: Vec<f32>) -> (f32, f32) {
    let middle = |values: &mut Vec<f32>| {
        if values.is_empty() {
            return 0.0;
        }
        let at = values.len() / 2;
        *values.select_nth_unstable_by(at, f32::total_cmp).1
    };
    let median = middle(&mut values);
    for v in &mut values {
        *v = (*v - median).abs();
    }
    (median, 1.4826 * middle(&mut values))
}

/// The threshold that parts the values into two classes of the largest variance between them.
pub(super) fn otsu(values: &[f32]) -> f32 {
    const BINS: usize = 256;
    let mut counts = [0.0_f64; BINS];
    for &v in values {
        counts[((v * BINS as f32) as usize).min(BINS - 1)] += 1.0;
    }
    let total: f64 = counts.iter().sum();
    let sum: f64 = counts.iter().enumerate().map(|(i, n)| i as f64 * n).sum();
    let (mut below, mut sum_below) = (0.0, 0.0);
    let mut best = (0.0, 0);
    for (i, n) in counts.iter().enumerate() {
        below += n;
        sum_below += i as f64 * n;
        let above = total - below;
        if below == 0.0 || above == 0.0 {
            continue;
        }
        let apart = sum_below / below - (sum - sum_below) / above;
        let variance = below * above * apart * apart;
        if variance > best.0 {
            best = (variance, i);
        }
    }
    (best.1 + 1) as f32 / BINS as f32
}

fn largest_part(
    means: &Image<f32>,
    inside: PixelBox,
    threshold: f32,
) -> Result<Image<bool>, Error> {
    let (rows, cols) = (means.rows(), means.cols());
    let bright = Image::from_fn(rows, cols, |r, c| {
        is_in(inside, r, c) && means.at(r, c) > threshold
    });
    let longest = rows.max(cols) as f64;
    let mut bright = closed(&bright, (longest * CLOSING_SHARE) as f32);
    fill_holes(&mut bright);
    let radius = (longest * OPENING_SHARE).max(1.5) as f32;
    // Peeled borders do not gnaw at the breast as the background does.
    let dark = Image::from_fn(rows, cols, |r, c| is_in(inside, r, c) && !bright.at(r, c));
    let from_dark = distance_to(&dark);
    let core = Image::from_fn(rows, cols, |r, c| {
        bright.at(r, c) && from_dark.at(r, c) > radius
    });
    let from_kept = distance_to(&largest(&core)?);
    let mut mask = Image::from_fn(rows, cols, |r, c| {
        bright.at(r, c) && from_kept.at(r, c) <= radius + 1.0
    });
    fill_holes(&mut mask);
    match cut_strips_at_edges(&mut mask, inside) {
        true => largest(&mask),
        false => Ok(mask),
    }
}

/// The largest connected part of a mask, if it has the size of a breast.
fn largest(mask: &Image<bool>) -> Result<Image<bool>, Error> {
    let least = mask.pixels().len() as f64 * LEAST_AREA;
    let parts = connected_parts(mask);
    let largest = parts.iter().max_by_key(|part| part.pixels());
    let largest = largest
        .filter(|part| part.pixels() as f64 >= least)
        .ok_or_else(|| {
            let message = "expected a breast, got no bright part of its size";
            Error::new(ErrorKind::NoBreast, message)
        })?;
    let mut alone = Image::filled(mask.rows(), mask.cols(), false);
    largest.paint(&mut alone);
    Ok(alone)
}

/// Cuts long thin strips along the upper and lower edge; whether there were any.
fn cut_strips_at_edges(mask: &mut Image<bool>, inside: PixelBox) -> bool {
    let thin = (inside.rows as f64 * STRIP_SHARE) as usize;
    let last = mask.rows() - 1;
    // Each edge: how many rows were peeled, and the rows from the edge inwards.
    let upper = cut_strips(mask, inside, thin, inside.row, |i| i);
    let lower = cut_strips(mask, inside, thin, last + 1 - inside.row_end(), |i| {
        last - i
    });
    upper || lower
}

fn cut_strips(
    mask: &mut Image<bool>,
    inside: PixelBox,
    thin: usize,
    peeled: usize,
    row: impl Fn(usize) -> usize,
) -> bool {
    let thickness = |col: usize| {
        let inwards = peeled..peeled + inside.rows;
        inwards.take_while(|&i| mask.at(row(i), col)).count()
    };
    let columns: Vec<(usize, usize)> = (inside.col..inside.col_end())
        .map(|col| (col, thickness(col)))
        .collect();
    let is_thin = |n: usize| 0 < n && n <= thin;
    let mut is_cut = false;
    for strip in columns.chunk_by(|a, b| is_thin(a.1) == is_thin(b.1)) {
        if is_thin(strip[0].1) && strip.len() >= STRIP_LENGTH * thin {
            for &(col, n) in strip {
                (0..peeled + n).for_each(|i| mask.set(row(i), col, false));
            }
            is_cut = true;
        }
    }
    is_cut
}

/// Fills gaps up to twice the radius wide: dark fat between strands of tissue.
fn closed(mask: &Image<bool>, radius: f32) -> Image<bool> {
    let from_mask = distance_to(mask);
    let from_far = distance_to(&from_mask.map(|d| d > radius));
    Image::from_fn(mask.rows(), mask.cols(), |r, c| {
        mask.at(r, c) || from_far.at(r, c) > radius
    })
}

/// Fills what the mask surrounds, alone or together with one edge of the picture: dark fat at the
/// chest wall.
fn fill_holes(mask: &mut Image<bool>) {
    let (rows, cols) = (mask.rows(), mask.cols());
    let area = mask.pixels().iter().filter(|&&m| m).count();
    for part in connected_parts(&mask.map(|m| !m)) {
        let b = part.bounds();
        let touched = [
            b.row == 0,
            b.col == 0,
            b.row_end() == rows,
            b.col_end() == cols,
        ];
        let is_hole = match touched.iter().filter(|&&t| t).count() {
            0 => true,
            1 => (part.pixels() as f64) < NOTCH_SHARE * area as f64,
            _ => false,
        };
        if is_hole {
            part.paint(mask);
        }
    }
}

/// The smallest box around a mask that has pixels.
pub(super) fn bounds(mask: &Image<bool>) -> PixelBox {
    let rows: Vec<usize> = (0..mask.rows())
        .filter(|&r| mask.row(r).contains(&true))
        .collect();
    let is_in_col = |&c: &usize| (0..mask.rows()).any(|r| mask.at(r, c));
    let cols: Vec<usize> = (0..mask.cols()).filter(is_in_col).collect();
    let (Some(&row), Some(&row_last)) = (rows.first(), rows.last()) else {
        return PixelBox::whole(mask.rows(), mask.cols());
    };
    let (col, col_last) = (cols[0], cols[cols.len() - 1]);
    PixelBox {
        row,
        col,
        rows: row_last + 1 - row,
        cols: col_last + 1 - col,
    }
}

fn warn_of_shape(mask: &Image<bool>, warnings: &mut Vec<Warning>) {
    let area = mask.pixels().iter().filter(|&&m| m).count();
    let share_of_box = area as f64 / bounds(mask).area() as f64;
    if share_of_box < 0.4 {
        warnings.push(doubtful("the outline found is not that of a breast"));
    }
}
