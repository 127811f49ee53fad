//! Which part of a screen holds the texture of a sonogram.
//!
//! Owns: the search for the window by texture. Does not own: what the window shows (`content`)
//! and the file's own regions (`sonogram`).
//!
//! A scanner draws its screen with exact colours: margins, panels and headers are constant, and
//! text covers little of the area it stands in. Echoes are noisy everywhere, also in shadows.
//! So not brightness but the density of non-constant pixels tells the sonogram from the rest.

use lobule_exam::PixelBox;

use crate::Image;
use crate::morphology::{Direction, box_sum, clipped_length, dilate, erode, zip};
use crate::parts::{Part, connected_parts};

/// Screens are searched at no more than this many pixels a side.
const SEARCH_SIDE: usize = 640;

/// Values of a 3 × 3 neighbourhood that differ by more than this make its centre active.
const ACTIVE_RANGE: u8 = 2;

/// Share of active pixels in the surroundings that makes a place dense: echoes reach 0.8 and
/// more, text and rulers stay below.
const DENSE_SHARE: f64 = 0.7;

/// A separate dense part is kept when it is this share of the largest one.
const PART_SHARE: f64 = 0.04;

/// A line next to the window belongs to it when its share of active pixels is at least this
/// part of the share just inside.
const EDGE_SHARE: f64 = 0.7;

/// A line of a panel of text has at most this part of the active pixels of the window's median line …
const PANEL_SHARE: f64 = 0.5;

/// … and fewer than this many lines on, a line of the sonogram has at least …
const PANEL_JUMP: usize = 4;

/// … this part of them. The edge of a sector, whose lines grow longer, is not as sharp.
const BEYOND_PANEL_SHARE: f64 = 0.85;

/// A line is dim, perhaps a shadow, when nothing in it is brighter.
const DIM_VALUE: u8 = 60;

/// A dim line is a shadow, not a margin, when this share of its pixels is not constant.
const SHADOW_SHARE: f64 = 0.1;

/// A line with bright pixels is text within a shadow when nearly all of it is not constant; the
/// traces that lossy compression leaves around a screen's text do not reach as far.
const MARKED_SHADOW_SHARE: f64 = 0.9;

/// The window of the texture, in pixels of `gray`; `None` when no place is dense.
pub(crate) fn find_window(gray: &Image<u8>) -> Option<PixelBox> {
    let step = gray.rows().max(gray.cols()).div_ceil(SEARCH_SIDE).max(1);
    let small = thin_out(gray, step);
    let range = local_range(&small);
    let active = range.map(|r| r > ACTIVE_RANGE);
    let radius = (small.rows().min(small.cols()) / 40).max(3);
    let dense = dense_places(&active, radius);
    let mut window = bounds_of_parts(&dense)?;
    for side in [Side::Top, Side::Bottom] {
        window = cut_panel(&active, window, side);
    }
    for side in Side::ALL {
        window = grow_to_edge(&active, window, side, radius);
    }
    for side in Side::ALL {
        window = grow_into_shadow(&small, &range, window, side);
    }
    Some(scale_up(window, step, gray))
}

/// Every `step`-th pixel of both directions, unsmoothed: smoothing would remove the speckle.
fn thin_out(gray: &Image<u8>, step: usize) -> Image<u8> {
    let (rows, cols) = (gray.rows().div_ceil(step), gray.cols().div_ceil(step));
    Image::from_fn(rows, cols, |row, col| gray.at(row * step, col * step))
}

fn scale_up(window: PixelBox, step: usize, gray: &Image<u8>) -> PixelBox {
    PixelBox {
        row: window.row * step,
        col: window.col * step,
        rows: window.rows * step,
        cols: window.cols * step,
    }
    .intersect(PixelBox::whole(gray.rows(), gray.cols()))
}

/// Largest minus smallest value of each pixel's 3 × 3 neighbourhood.
fn local_range(gray: &Image<u8>) -> Image<u8> {
    use Direction::{Across, Down};
    let low = erode(&erode(gray, Across, 1), Down, 1);
    let high = dilate(&dilate(gray, Across, 1), Down, 1);
    zip(&high, &low, |high, low| high - low)
}

/// Where the square of the given radius is densely active.
fn dense_places(active: &Image<bool>, radius: usize) -> Image<bool> {
    let (rows, cols) = (active.rows(), active.cols());
    let counts = box_sum(&active.map(u32::from), radius);
    Image::from_fn(rows, cols, |row, col| {
        let area = clipped_length(row, radius, rows) * clipped_length(col, radius, cols);
        f64::from(counts.at(row, col)) >= DENSE_SHARE * area as f64
    })
}

/// The box around the largest part and all parts that are not small beside it.
fn bounds_of_parts(dense: &Image<bool>) -> Option<PixelBox> {
    let parts = connected_parts(dense);
    let largest = parts.iter().map(Part::pixels).max()? as f64;
    parts
        .iter()
        .filter(|part| part.pixels() as f64 >= PART_SHARE * largest)
        .map(Part::bounds)
        .reduce(union)
}

/// The smallest box around two boxes.
pub(crate) fn union(a: PixelBox, b: PixelBox) -> PixelBox {
    let (row, col) = (a.row.min(b.row), a.col.min(b.col));
    PixelBox {
        row,
        col,
        rows: a.row_end().max(b.row_end()) - row,
        cols: a.col_end().max(b.col_end()) - col,
    }
}

/// A side of a window.
#[derive(Debug, Clone, Copy)]
enum Side {
    Top,
    Bottom,
    Left,
    Right,
}

impl Side {
    const ALL: [Side; 4] = [Side::Top, Side::Bottom, Side::Left, Side::Right];

    /// The line of pixels next to the window, `None` at the image's edge.
    fn line_outside(self, window: PixelBox, rows: usize, cols: usize) -> Option<PixelBox> {
        let w = window;
        let line = match self {
            Side::Top => PixelBox {
                row: w.row.checked_sub(1)?,
                rows: 1,
                ..w
            },
            Side::Bottom => PixelBox {
                row: w.row_end(),
                rows: 1,
                ..w
            },
            Side::Left => PixelBox {
                col: w.col.checked_sub(1)?,
                cols: 1,
                ..w
            },
            Side::Right => PixelBox {
                col: w.col_end(),
                cols: 1,
                ..w
            },
        };
        (line.row_end() <= rows && line.col_end() <= cols).then_some(line)
    }

    /// The window's own outermost lines.
    fn band_inside(self, window: PixelBox, width: usize) -> PixelBox {
        let w = window;
        let (rows, cols) = (width.min(w.rows), width.min(w.cols));
        match self {
            Side::Top => PixelBox { rows, ..w },
            Side::Bottom => PixelBox {
                row: w.row_end() - rows,
                rows,
                ..w
            },
            Side::Left => PixelBox { cols, ..w },
            Side::Right => PixelBox {
                col: w.col_end() - cols,
                cols,
                ..w
            },
        }
    }
}

/// Cuts off a panel of text that hangs on to the texture: lines of few active pixels that end at
/// once where the sonogram begins.
fn cut_panel(active: &Image<bool>, window: PixelBox, side: Side) -> PixelBox {
    let row_at = |at: usize| match side {
        Side::Bottom => window.row_end() - 1 - at,
        _ => window.row + at,
    };
    let line = |row: usize| PixelBox {
        row,
        rows: 1,
        ..window
    };
    let shares = (0..window.rows).map(|at| share(active, line(row_at(at)), |a| a));
    let cut = panel_lines(&shares.collect::<Vec<f64>>());
    let row = match side {
        Side::Bottom => window.row,
        _ => window.row + cut,
    };
    PixelBox {
        row,
        rows: window.rows - cut,
        ..window
    }
}

/// How many of the first lines are a panel's, by the share of active pixels of each line.
fn panel_lines(shares: &[f64]) -> usize {
    let mut sorted = shares.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let typical = sorted[sorted.len() / 2];
    let sparse = |share: &&f64| **share <= PANEL_SHARE * typical;
    let panel = shares.iter().take_while(sparse).count();
    let beyond = shares.iter().skip(panel).take(PANEL_JUMP);
    let edge = beyond
        .take_while(|&&share| share < BEYOND_PANEL_SHARE * typical)
        .count();
    match panel == 0 || edge == PANEL_JUMP || panel + edge >= shares.len() {
        true => 0,
        false => panel + edge,
    }
}

/// Dense places end before the texture does, because the square reaches over the edge: moves
/// the side outwards while the lines are about as active as the band inside.
fn grow_to_edge(active: &Image<bool>, window: PixelBox, side: Side, most: usize) -> PixelBox {
    let needed = EDGE_SHARE * share(active, side.band_inside(window, most), |a| a);
    let mut grown = window;
    for _ in 0..most {
        match side.line_outside(grown, active.rows(), active.cols()) {
            Some(line) if share(active, line, |a| a) >= needed => grown = union(grown, line),
            _ => break,
        }
    }
    grown
}

/// Moves the side outwards over dim lines that are not constant: shadows and the depth where
/// echoes fade, which margins of a screen never look like.
fn grow_into_shadow(gray: &Image<u8>, range: &Image<u8>, window: PixelBox, side: Side) -> PixelBox {
    let mut grown = window;
    while let Some(line) = side.line_outside(grown, gray.rows(), gray.cols()) {
        let is_dim = share(gray, line, |v| v < DIM_VALUE) >= 1.0;
        let needed = if is_dim {
            SHADOW_SHARE
        } else {
            MARKED_SHADOW_SHARE
        };
        if share(range, line, |r| r > 0) < needed {
            break;
        }
        grown = union(grown, line);
    }
    grown
}

/// Share of the pixels of a box for which `holds`.
pub(crate) fn share<T: Copy>(image: &Image<T>, area: PixelBox, holds: impl Fn(T) -> bool) -> f64 {
    let mut count = 0;
    for row in area.row..area.row_end() {
        let line = &image.row(row)[area.col..area.col_end()];
        count += line.iter().filter(|&&v| holds(v)).count();
    }
    count as f64 / area.area().max(1) as f64
}
