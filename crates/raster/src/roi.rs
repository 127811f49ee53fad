//! Where to look closer: the windows of a network's input that hold most of its saliency.
//!
//! Owns: greedy retrieval ([`retrieve_rois`]) from coarse maps. Does not own: the maps (`engine`,
//! `model`), what is made of the windows (`assess`, `train`); both use this one function.

use lobule_exam::PixelBox;

use crate::{Error, ErrorKind, Image};

/// How many windows are taken, and how large they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoiConfig {
    /// Windows to take, at least 1.
    pub count: usize,
    /// Rows and columns of a window, in pixels of the input.
    pub side: usize,
}

/// The windows of largest saliency, one after the other (Shen et al., Med Image Anal
/// 2021;68:101908, algorithm 1, doi 10.1016/j.media.2020.101908).
///
/// Each class's map is scaled to 0..=1, `(A − min A)/(max A − min A)`, and the maps are added. Then
/// `count` times: of all boxes of cells that a window covers, the one with the largest sum is
/// taken, and its cells are set to zero. Of equal sums the first in row-major order is taken. A map
/// of one value counts as zero; where nothing is left, windows repeat the top left corner.
///
/// # Shapes
/// `maps`: one per class, all `gr × gc`. A window of `side` pixels covers `side·gr/rows` by
/// `side·gc/cols` cells, rounded, at least one. Windows lie inside the input of `rows × cols`; cell
/// (i, j) starts at pixel (i·rows/gr, j·cols/gc), rounded.
///
/// # Errors
/// `Saliency` without maps, for maps of different or no size, for values that are not finite, and
/// for a window that is empty or larger than the input or covers more cells than there are.
///
/// ```
/// use lobule_raster::{Image, RoiConfig, retrieve_rois};
/// let map = Image::from_fn(4, 3, |row, col| if (row, col) == (2, 1) { 0.9 } else { 0.1 });
/// let rois = retrieve_rois(&[map], (256, 192), RoiConfig { count: 1, side: 64 }).unwrap();
/// assert_eq!((rois[0].row, rois[0].col), (128, 64));
/// ```
pub fn retrieve_rois(
    maps: &[Image<f32>],
    (rows, cols): (usize, usize),
    config: RoiConfig,
) -> Result<Vec<PixelBox>, Error> {
    let mut total = sum_of_scaled(maps)?;
    let side = config.side;
    if config.count == 0 || side == 0 || side > rows || side > cols {
        let message = format!(
            "expected at least one window inside {rows} × {cols}, got {} of {side}",
            config.count
        );
        return Err(Error::new(ErrorKind::Saliency, message));
    }
    let reach = (
        cells(side, total.rows(), rows),
        cells(side, total.cols(), cols),
    );
    if reach.0 > total.rows() || reach.1 > total.cols() {
        let message = format!("expected windows of at most the whole map, got {reach:?} cells");
        return Err(Error::new(ErrorKind::Saliency, message));
    }
    let mut rois = Vec::new();
    for _ in 0..config.count {
        let (row, col) = largest_box(&total, reach);
        for r in row..row + reach.0 {
            (col..col + reach.1).for_each(|c| total.set(r, c, 0.0));
        }
        rois.push(PixelBox {
            row: start(row, total.rows(), rows).min(rows - side),
            col: start(col, total.cols(), cols).min(cols - side),
            rows: side,
            cols: side,
        });
    }
    Ok(rois)
}

fn sum_of_scaled(maps: &[Image<f32>]) -> Result<Image<f64>, Error> {
    let wrong = |message: &str| Err(Error::new(ErrorKind::Saliency, message));
    let Some(first) = maps.first().filter(|m| !m.pixels().is_empty()) else {
        return wrong("expected saliency maps, got none");
    };
    let mut total = Image::filled(first.rows(), first.cols(), 0.0);
    for map in maps {
        if (map.rows(), map.cols()) != (first.rows(), first.cols()) {
            return wrong("expected saliency maps of one size, got several");
        }
        let values = || map.pixels().iter().map(|&v| f64::from(v));
        if !values().all(f64::is_finite) {
            return wrong("expected finite saliency, got NaN or infinity");
        }
        let least = values().fold(f64::INFINITY, f64::min);
        let range = values().fold(f64::NEG_INFINITY, f64::max) - least;
        if range > 0.0 {
            let sums = total.pixels_mut().iter_mut();
            sums.zip(values())
                .for_each(|(t, v)| *t += (v - least) / range);
        }
    }
    Ok(total)
}

/// Cells that `pixels` of an axis cover.
fn cells(pixels: usize, n_cells: usize, n_pixels: usize) -> usize {
    let covered = pixels as f64 * n_cells as f64 / n_pixels as f64;
    (covered.round() as usize).max(1)
}

/// First pixel of a cell.
fn start(cell: usize, n_cells: usize, n_pixels: usize) -> usize {
    (cell as f64 * n_pixels as f64 / n_cells as f64).round() as usize
}

fn largest_box(map: &Image<f64>, (rows, cols): (usize, usize)) -> (usize, usize) {
    let sum = |row: usize, col: usize| -> f64 {
        let line = |r: usize| map.row(r)[col..col + cols].iter().sum::<f64>();
        (row..row + rows).map(line).sum()
    };
    let mut best = ((0, 0), f64::NEG_INFINITY);
    for row in 0..=map.rows() - rows {
        for col in 0..=map.cols() - cols {
            let mass = sum(row, col);
            if mass > best.1 {
                best = ((row, col), mass);
            }
        }
    }
    best.0
}
