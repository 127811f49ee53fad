//! A mammogram kept in memory: the breast as the network's input shows it, 16 bits a pixel.

use lobule_exam::{Affine, Point};
use lobule_raster::{
    MammogramConfig, MammogramHints, Picture, PlacedBreast, Standardization, find_breast,
};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::augment::{Augmentation, bilinear};

/// Brightness is told apart this finely where its distribution is needed.
const N_BINS: usize = 256;

pub(crate) struct Mammogram {
    placed: PlacedBreast,
    pub(crate) image_size: (usize, usize),
    background: u16,
    /// How many of the pixels that count for the standardization have a brightness.
    histogram: Vec<u32>,
}

impl Mammogram {
    pub(crate) fn new(
        picture: &Picture,
        hints: &MammogramHints,
        config: &MammogramConfig,
    ) -> Result<Mammogram, lobule_raster::Error> {
        let breast = find_breast(&picture.luma16(), hints)?;
        let placed = breast.place(config)?;
        let mut kept = Mammogram {
            image_size: (picture.rows(), picture.cols()),
            background: breast.background,
            histogram: vec![0; N_BINS],
            placed,
        };
        kept.count(config.standardization);
        Ok(kept)
    }

    fn count(&mut self, standardization: Standardization) {
        let gray = &self.placed.gray;
        for row in 0..gray.rows() {
            for col in 0..gray.cols() {
                let p = Point {
                    row: row as f64,
                    col: col as f64,
                };
                if standardization == Standardization::Input || self.is_breast(p) {
                    let bin = usize::from(gray.at(row, col)) / (65536 / N_BINS);
                    self.histogram[bin] += 1;
                }
            }
        }
    }

    pub(crate) fn image_from_input(&self) -> Affine {
        self.placed.image_from_input
    }

    /// Whether a point of the input belongs to the breast.
    pub(crate) fn is_breast(&self, p: Point) -> bool {
        self.placed.is_breast(p)
    }

    pub(crate) fn plain(&self) -> Vec<f32> {
        self.placed.standardized()
    }

    /// Changed in place and in brightness. Gain and noise are in standard deviations.
    pub(crate) fn changed(
        &self,
        shown_from_input: &Affine,
        (rows, cols): (usize, usize),
        change: &Augmentation,
        rng: &mut ChaCha8Rng,
    ) -> Vec<f32> {
        let changed_from_input = change.changed_from_input.compose(shown_from_input);
        let input_from_changed = changed_from_input.inverse().unwrap_or(Affine::IDENTITY);
        let tone = self.tone(change);
        let mut out = Vec::with_capacity(rows * cols);
        for row in 0..rows {
            for col in 0..cols {
                let point = input_from_changed.apply(Point {
                    row: row as f64,
                    col: col as f64,
                });
                let value = bilinear(&self.placed.gray, point);
                let value = tone(value.unwrap_or(f32::from(self.background)));
                out.push(value + noise(change.speckle, rng));
            }
        }
        if let Some((top, left, height, width)) = change.patch {
            for row in top..top + height {
                out[row * cols + left..][..width].fill(0.0);
            }
        }
        out
    }

    /// Brightness to input: exponent, standardization as the preparation would do it after the
    /// exponent, contrast and gain.
    fn tone(&self, change: &Augmentation) -> impl Fn(f32) -> f32 {
        let gamma = change.gamma;
        let (mean, deviation) = self.moments(gamma);
        let (contrast, gain) = (change.contrast, change.gain / 255.0);
        move |value| {
            let value = if gamma == 1.0 {
                value
            } else {
                65535.0 * (value / 65535.0).powf(gamma)
            };
            (value - mean) / deviation * contrast + gain
        }
    }

    /// Mean and standard deviation after an exponent.
    fn moments(&self, gamma: f32) -> (f32, f32) {
        if gamma == 1.0 {
            return (self.placed.mean as f32, self.placed.deviation as f32);
        }
        let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for (bin, &count) in self.histogram.iter().enumerate() {
            let share = (bin as f64 + 0.5) / N_BINS as f64;
            let value = 65535.0 * share.powf(f64::from(gamma));
            let count = f64::from(count);
            n += count;
            sum += count * value;
            squares += count * value * value;
        }
        let mean = sum / n;
        let variance = (squares / n - mean * mean).max(1.0);
        (mean as f32, variance.sqrt() as f32)
    }
}

fn noise(deviation: f32, rng: &mut ChaCha8Rng) -> f32 {
    if deviation <= 0.0 {
        return 0.0;
    }
    let n: f32 = StandardNormal.sample(rng);
    deviation * n
}

#[cfg(test)]
mod tests {
    use lobule_raster::Image;
    use rand::SeedableRng;

    use super::*;
    use crate::{AugmentConfig, Flip};

    fn half_disc() -> Picture {
        Picture::Gray16(Image::from_fn(200, 160, |row, col| {
            let (r, c) = (row as f64 - 100.0, 159.0 - col as f64);
            let tissue = 30_000 + (row * col % 97 * 100) as u16;
            if r.hypot(c) < 80.0 { tissue } else { 300 }
        }))
    }

    fn kept() -> Mammogram {
        let config = MammogramConfig {
            rows: 96,
            cols: 64,
            ..MammogramConfig::default()
        };
        Mammogram::new(&half_disc(), &MammogramHints::default(), &config).unwrap()
    }

    #[test]
    fn no_change_is_the_plain_input() {
        let (kept, mut rng) = (kept(), ChaCha8Rng::seed_from_u64(0));
        let change = Augmentation::none();
        let out = kept.changed(&Affine::IDENTITY, (96, 64), &change, &mut rng);
        for (a, b) in out.iter().zip(kept.plain()) {
            assert!((a - b).abs() < 1e-4);
        }
    }

    #[test]
    fn a_changed_brightness_is_standardized_again() {
        let (kept, mut rng) = (kept(), ChaCha8Rng::seed_from_u64(0));
        for gamma in [0.7, 1.4] {
            let change = Augmentation {
                gamma,
                ..Augmentation::none()
            };
            let out = kept.changed(&Affine::IDENTITY, (96, 64), &change, &mut rng);
            let n = out.len() as f32;
            let mean = out.iter().sum::<f32>() / n;
            let variance = out.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / n;
            assert!(
                mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03,
                "{mean} {variance}"
            );
        }
    }

    #[test]
    fn the_chest_wall_stays_at_the_left() {
        let (kept, mut rng) = (kept(), ChaCha8Rng::seed_from_u64(4));
        let config = AugmentConfig {
            flip: Flip::Vertical,
            ..AugmentConfig::default()
        };
        for _ in 0..20 {
            let change = Augmentation::draw(&config, (96, 64), &mut rng);
            let out = kept.changed(&Affine::IDENTITY, (96, 64), &change, &mut rng);
            let half = |left: bool| -> f32 {
                let inside = |i: &usize| ((i % 64) < 32) == left;
                (0..out.len()).filter(inside).map(|i| out[i]).sum()
            };
            assert!(half(true) > half(false));
        }
    }
}
