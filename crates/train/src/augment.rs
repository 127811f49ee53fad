//! Random changes of a training image, drawn once and applied in one resampling.

use lobule_exam::Affine;
use lobule_exam::Point;
use lobule_raster::{Image, PrepareConfig};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::{AugmentConfig, Flip};

/// One draw of all changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Augmentation {
    /// Moves a point of the unchanged input to the changed one.
    pub changed_from_input: Affine,
    /// Factor on (brightness − mid-grey).
    pub contrast: f32,
    /// Added brightness, in grey levels.
    pub gain: f32,
    /// Exponent of the brightness.
    pub gamma: f32,
    /// Standard deviation of multiplicative noise; of added noise in mammograms.
    pub speckle: f32,
    /// Patch painted grey: (row, column, rows, columns) in input pixels.
    pub patch: Option<(usize, usize, usize, usize)>,
}

impl Augmentation {
    /// No change.
    pub fn none() -> Augmentation {
        Augmentation {
            changed_from_input: Affine::IDENTITY,
            contrast: 1.0,
            gain: 0.0,
            gamma: 1.0,
            speckle: 0.0,
            patch: None,
        }
    }

    /// Draws from the configured ranges: a flip in half of the cases, rotation, zoom, shear and
    /// shift about the centre, then gain, contrast, speckle, a painted patch and the exponent.
    /// `rows` and `cols` are those of the input.
    pub fn draw(
        config: &AugmentConfig,
        (rows, cols): (usize, usize),
        rng: &mut ChaCha8Rng,
    ) -> Augmentation {
        let mut within = |range: f64| {
            if range > 0.0 {
                rng.random_range(-range..=range)
            } else {
                0.0
            }
        };
        let angle = within(config.rotate_degrees).to_radians();
        let zoom = within(config.scale.max(1.0).ln()).exp();
        let stretch = within(config.scale.max(1.0).ln() / 3.0).exp();
        let shear = within(config.shear);
        let shift = [rows, cols].map(|n| within(config.shift) * n as f64);
        let contrast = within(config.contrast.max(1.0).ln()).exp() as f32;
        let gain = (within(config.gain) * 255.0) as f32;
        let flip = if rng.random_bool(0.5) { -1.0 } else { 1.0 };
        let (upright, sideways) = match config.flip {
            Flip::Horizontal => (1.0, flip),
            Flip::Vertical => (flip, 1.0),
        };
        let speckle = if rng.random_bool(0.5) {
            rng.random_range(0.0..=config.speckle.max(0.0))
        } else {
            0.0
        };
        let patch = rng.random_bool(config.cut_out.clamp(0.0, 1.0)).then(|| {
            let mut side = |n: usize| rng.random_range(n / 16..=n / 5).max(1);
            let (height, width) = (side(rows), side(cols));
            (
                rng.random_range(0..=rows - height),
                rng.random_range(0..=cols - width),
                height,
                width,
            )
        });
        let gamma = match config.gamma > 1.0 {
            true => rng.random_range(-1.0..=1.0) * config.gamma.ln(),
            false => 0.0,
        };
        let (sin, cos) = angle.sin_cos();
        let turn = Affine {
            matrix: [[cos, -sin, shift[0]], [sin, cos, shift[1]]],
        };
        let skew = Affine {
            matrix: [
                [upright * zoom * stretch, 0.0, 0.0],
                [shear, sideways * zoom / stretch, 0.0],
            ],
        };
        let [middle_row, middle_col] = [rows, cols].map(|n| (n as f64 - 1.0) / 2.0);
        let changed_from_input = Affine::translate(middle_row, middle_col)
            .compose(&turn)
            .compose(&skew)
            .compose(&Affine::translate(-middle_row, -middle_col));
        Augmentation {
            changed_from_input,
            contrast,
            gain,
            gamma: gamma.exp() as f32,
            speckle: speckle as f32,
            patch,
        }
    }
}

/// A cropped sonogram as a changed network input, `rows × cols`, standardised as
/// [`lobule_raster::prepare`] does. Bilinear; black outside the sonogram.
///
/// `input_from_crop` places the unchanged sonogram in the input.
pub fn augment(
    gray: &Image<u8>,
    input_from_crop: &Affine,
    change: &Augmentation,
    config: &PrepareConfig,
    rng: &mut ChaCha8Rng,
) -> Vec<f32> {
    let changed_from_crop = change.changed_from_input.compose(input_from_crop);
    let crop_from_changed = changed_from_crop.inverse().unwrap_or(Affine::IDENTITY);
    let mut out = Vec::with_capacity(config.rows * config.cols);
    for row in 0..config.rows {
        for col in 0..config.cols {
            let point = crop_from_changed.apply(Point {
                row: row as f64,
                col: col as f64,
            });
            let value = match bilinear(gray, point) {
                None => 0.0,
                Some(v) => tone(v, change, rng),
            };
            out.push((value - config.mean) / config.std);
        }
    }
    if let Some((top, left, rows, cols)) = change.patch {
        let gray_level = rng.random_range(0.0..120.0_f32);
        for row in top..top + rows {
            let start = row * config.cols + left;
            out[start..start + cols].fill((gray_level - config.mean) / config.std);
        }
    }
    out
}

fn tone(value: f32, change: &Augmentation, rng: &mut ChaCha8Rng) -> f32 {
    let noise = if change.speckle > 0.0 {
        let n: f32 = StandardNormal.sample(rng);
        1.0 + change.speckle * n
    } else {
        1.0
    };
    (((value * noise) - 90.0) * change.contrast + 90.0 + change.gain).clamp(0.0, 255.0)
}

/// The value at a point, `None` outside the image.
pub(crate) fn bilinear<T: Copy + Into<f32>>(gray: &Image<T>, p: Point) -> Option<f32> {
    let (rows, cols) = (gray.rows() as f64, gray.cols() as f64);
    if p.row < -0.5 || p.col < -0.5 || p.row > rows - 0.5 || p.col > cols - 0.5 {
        return None;
    }
    let row = p.row.clamp(0.0, rows - 1.0);
    let col = p.col.clamp(0.0, cols - 1.0);
    let (r0, c0) = (row as usize, col as usize);
    let (r1, c1) = ((r0 + 1).min(gray.rows() - 1), (c0 + 1).min(gray.cols() - 1));
    let (fr, fc) = ((row - r0 as f64) as f32, (col - c0 as f64) as f32);
    let at = |r, c| -> f32 { gray.at(r, c).into() };
    let top = at(r0, c0) * (1.0 - fc) + at(r0, c1) * fc;
    let bottom = at(r1, c0) * (1.0 - fc) + at(r1, c1) * fc;
    Some(top * (1.0 - fr) + bottom * fr)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_bright_spot_moves_with_the_transform() {
        let mut gray = Image::filled(64, 64, 10_u8);
        for (r, c) in [(20, 30), (20, 31), (21, 30), (21, 31)] {
            gray.set(r, c, 250);
        }
        let prepare = PrepareConfig {
            rows: 64,
            cols: 64,
            ..PrepareConfig::default()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let config = AugmentConfig {
            cut_out: 0.0,
            speckle: 0.0,
            ..AugmentConfig::default()
        };
        for _ in 0..20 {
            let change = Augmentation::draw(&config, (64, 64), &mut rng);
            let out = augment(&gray, &Affine::IDENTITY, &change, &prepare, &mut rng);
            let expected = change.changed_from_input.apply(Point {
                row: 20.5,
                col: 30.5,
            });
            let brightest = (0..out.len())
                .max_by(|&a, &b| out[a].total_cmp(&out[b]))
                .unwrap();
            let (row, col) = ((brightest / 64) as f64, (brightest % 64) as f64);
            assert!((row - expected.row).abs() < 2.0 && (col - expected.col).abs() < 2.0);
        }
    }

    #[test]
    fn no_change_is_the_plain_input() {
        let gray = Image::from_fn(32, 32, |r, c| (r * 7 + c) as u8);
        let prepare = PrepareConfig {
            rows: 32,
            cols: 32,
            ..PrepareConfig::default()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let out = augment(
            &gray,
            &Affine::IDENTITY,
            &Augmentation::none(),
            &prepare,
            &mut rng,
        );
        for (o, &g) in out.iter().zip(gray.pixels()) {
            assert!((o * 128.0 + 127.0 - f32::from(g)).abs() < 1e-3);
        }
    }
}
