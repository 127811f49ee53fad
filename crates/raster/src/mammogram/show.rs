//! Pictures of the steps, for people to look at.

use lobule_exam::{Affine, Point};

use super::{Breast, Density, Pectoral, PlacedBreast, Polarity};
use crate::Image;

/// Longest side of a picture.
const LONGEST_SIDE: usize = 900;
const OUTLINE: [u8; 3] = [0, 255, 0];
const WINDOW: [u8; 3] = [255, 200, 0];
const MUSCLE: [u8; 3] = [255, 60, 60];
const DENSE: [u8; 3] = [255, 120, 220];

/// Share of the pixels around the breast that may be shown as plain white.
const WHITE_SHARE: f64 = 0.001;

/// A picture of a step of a preparation, and a name fit for a file.
pub type StepPicture = (&'static str, Image<[u8; 3]>);

impl Breast {
    /// The original image as 8-bit brightness for people: tissue bright, the brightest thousandth
    /// around the breast white. Pictures of few used bits are dark without that.
    pub fn displayed(&self, image: &Image<u16>) -> Image<u8> {
        let white = f32::from(self.white_level()).max(1.0);
        let inverted = self.polarity == Polarity::Inverted;
        let shade = |v: u16| {
            let v = if inverted { u16::MAX - v } else { v };
            (f32::from(v) / white * 255.0).round().min(255.0) as u8
        };
        let table: Vec<u8> = (0..=u16::MAX).map(shade).collect();
        image.map(|v| table[usize::from(v)])
    }

    /// Brightness that all but the brightest thousandth of the laid crop stay below.
    fn white_level(&self) -> u16 {
        let mut counts = vec![0_usize; 1 << 16];
        for &v in self.gray.pixels() {
            counts[usize::from(v)] += 1;
        }
        let most = (self.gray.pixels().len() as f64 * WHITE_SHARE) as usize;
        let mut above = 0;
        let level = counts.iter().enumerate().rev().find(|(_, n)| {
            above += **n;
            above > most
        });
        level.map_or(u16::MAX, |(v, _)| v as u16)
    }

    /// The steps as pictures, each with a name fit for a file: `mask` shows the original image
    /// with the mask's outline (green), the window (yellow) and the pectoral line (red), `laid`
    /// the crop as it is laid, `dense` the outlines of dense tissue, if it could be measured.
    pub fn debug_pictures(&self, image: &Image<u16>) -> Vec<StepPicture> {
        let mut pictures = vec![
            ("mask", self.show_mask(image)),
            ("laid", shrink(&self.gray, Polarity::AsGiven).0),
        ];
        if let Some(density) = self.percent_density() {
            pictures.push(("dense", self.show_dense(image, &density)));
        }
        pictures
    }

    fn show_dense(&self, image: &Image<u16>, density: &Density) -> Image<[u8; 3]> {
        let (mut shown, image_from_shown) = shrink(image, self.polarity);
        if let Some(shown_from_image) = image_from_shown.inverse() {
            let shown_from_dense = shown_from_image.compose(&density.image_from_dense);
            for p in outline(&density.dense) {
                dot(&mut shown, shown_from_dense.apply(p), DENSE);
            }
        }
        shown
    }

    fn show_mask(&self, image: &Image<u16>) -> Image<[u8; 3]> {
        let (mut shown, image_from_shown) = shrink(image, self.polarity);
        let Some(shown_from_image) = image_from_shown.inverse() else {
            return shown;
        };
        let shown_from_mask = shown_from_image.compose(&self.image_from_mask);
        for p in outline(&self.mask) {
            dot(&mut shown, shown_from_mask.apply(p), OUTLINE);
        }
        let (top, left) = (self.window.row as f64, self.window.col as f64);
        let (bottom, right) = (self.window.row_end() as f64, self.window.col_end() as f64);
        let corners = [(top, left), (top, right), (bottom, right), (bottom, left)];
        let corners = corners.map(|(row, col)| shown_from_image.apply(Point { row, col }));
        for i in 0..4 {
            draw(&mut shown, corners[i], corners[(i + 1) % 4], WINDOW);
        }
        if let Pectoral::Found(line) = self.pectoral {
            let ends = [line.top, line.chest].map(|p| shown_from_image.apply(p));
            draw(&mut shown, ends[0], ends[1], MUSCLE);
        }
        shown
    }
}

impl PlacedBreast {
    /// The input as a picture, from two standard deviations below the mean to three above.
    pub fn debug_picture(&self) -> Image<[u8; 3]> {
        let (rows, cols) = (self.gray.rows(), self.gray.cols());
        let step = rows.max(cols).div_ceil(LONGEST_SIDE);
        Image::from_fn(rows.div_ceil(step), cols.div_ceil(step), |row, col| {
            let v = self.standard(self.gray.at(row * step, col * step));
            [((v + 2.0) / 5.0 * 255.0).clamp(0.0, 255.0) as u8; 3]
        })
    }
}

/// Every so manieth pixel, stretched to the brightest one.
fn shrink(image: &Image<u16>, polarity: Polarity) -> (Image<[u8; 3]>, Affine) {
    let step = image.rows().max(image.cols()).div_ceil(LONGEST_SIDE).max(1);
    let (rows, cols) = (image.rows().div_ceil(step), image.cols().div_ceil(step));
    let top = f32::from(image.pixels().iter().copied().max().unwrap_or(1).max(1));
    let shown = Image::from_fn(rows, cols, |row, col| {
        let v = f32::from(image.at(row * step, col * step)) / top;
        let v = match polarity {
            Polarity::AsGiven => v,
            Polarity::Inverted => 1.0 - v,
        };
        [(v * 255.0) as u8; 3]
    });
    (shown, Affine::scale(step as f64, step as f64))
}

/// Pixels of a mask that have a neighbour outside of it.
fn outline(mask: &Image<bool>) -> Vec<Point> {
    let (rows, cols) = (mask.rows(), mask.cols());
    let mut points = Vec::new();
    for row in 0..rows {
        for col in 0..cols {
            let inner = row > 0 && col > 0 && row + 1 < rows && col + 1 < cols;
            let is_edge = mask.at(row, col)
                && !(inner
                    && mask.at(row - 1, col)
                    && mask.at(row + 1, col)
                    && mask.at(row, col - 1)
                    && mask.at(row, col + 1));
            if is_edge {
                points.push(Point {
                    row: row as f64,
                    col: col as f64,
                });
            }
        }
    }
    points
}

fn dot(picture: &mut Image<[u8; 3]>, p: Point, color: [u8; 3]) {
    let (row, col) = (
        p.row.round().max(0.0) as usize,
        p.col.round().max(0.0) as usize,
    );
    if picture.rows() > 0 && picture.cols() > 0 {
        picture.set(
            row.min(picture.rows() - 1),
            col.min(picture.cols() - 1),
            color,
        );
    }
}

fn draw(picture: &mut Image<[u8; 3]>, from: Point, to: Point, color: [u8; 3]) {
    let steps = (to.row - from.row).hypot(to.col - from.col).ceil().max(1.0);
    for i in 0..=steps as usize {
        let t = i as f64 / steps;
        let p = Point {
            row: from.row + t * (to.row - from.row),
            col: from.col + t * (to.col - from.col),
        };
        dot(picture, p, color);
    }
}
