//! From light to the scanner's pixels: point spread, colours, eight bits.

use super::plan::Scanner;

/// Light of three channels, 1 = through clean glass; row by row.
#[derive(Debug, Clone)]
pub(super) struct Light {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) pixels: Vec<[f32; 3]>,
}

/// A Gaussian point spread of at most `3 σ` to each side.
#[derive(Debug, Clone)]
pub(super) struct Spread(Vec<f32>);

impl Spread {
    /// `sigma` in pixels; nothing for one too small to see.
    pub(super) fn new(sigma: f64) -> Option<Spread> {
        if sigma < 0.2 {
            return None;
        }
        let radius = (3.0 * sigma).ceil() as i64;
        let weight = |k: i64| (-0.5 * (k as f64 / sigma).powi(2)).exp();
        let sum: f64 = (-radius..=radius).map(weight).sum();
        Some(Spread(
            (-radius..=radius)
                .map(|k| (weight(k) / sum) as f32)
                .collect(),
        ))
    }

    pub(super) fn radius(&self) -> usize {
        self.0.len() / 2
    }

    /// The light spread, without the `radius` outermost rows and columns.
    pub(super) fn apply(&self, light: &Light) -> Light {
        let taps = self.0.len();
        let (rows, cols) = (light.rows + 1 - taps, light.cols + 1 - taps);
        let mut across = vec![[0.0; 3]; light.rows * cols];
        for (out, line) in across
            .chunks_exact_mut(cols)
            .zip(light.pixels.chunks_exact(light.cols))
        {
            for (k, &weight) in self.0.iter().enumerate() {
                add(out, &line[k..k + cols], weight);
            }
        }
        let mut pixels = vec![[0.0; 3]; rows * cols];
        for (row, out) in pixels.chunks_exact_mut(cols).enumerate() {
            for (k, &weight) in self.0.iter().enumerate() {
                add(out, &across[(row + k) * cols..(row + k + 1) * cols], weight);
            }
        }
        Light { rows, cols, pixels }
    }
}

fn add(sums: &mut [[f32; 3]], line: &[[f32; 3]], weight: f32) {
    let pairs = sums.as_flattened_mut().iter_mut().zip(line.as_flattened());
    pairs.for_each(|(sum, value)| *sum += weight * value);
}

impl Light {
    /// The part without `margin` outermost rows and columns.
    pub(super) fn within(&self, margin: usize) -> Light {
        let (rows, cols) = (self.rows - 2 * margin, self.cols - 2 * margin);
        let line = |row: usize| {
            let start = (row + margin) * self.cols + margin;
            &self.pixels[start..start + cols]
        };
        Light {
            rows,
            cols,
            pixels: (0..rows)
                .flat_map(|row| line(row).iter().copied())
                .collect(),
        }
    }
}

impl Scanner {
    /// The pixel that light becomes.
    pub(super) fn pixel(&self, light: [f32; 3]) -> [u8; 3] {
        self.color_matrix.map(|[r, g, b]| {
            let value = r * light[0] + g * light[1] + b * light[2];
            (255.0 * self.brightness * value).round().clamp(0.0, 255.0) as u8
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_keeps_the_light_and_its_width_is_sigma() {
        let spread = Spread::new(1.5).unwrap();
        assert_eq!(spread.radius(), 5);
        let (rows, cols) = (41, 41);
        let mut pixels = vec![[0.0; 3]; rows * cols];
        pixels[20 * cols + 20] = [1.0; 3];
        let out = spread.apply(&Light { rows, cols, pixels });
        assert_eq!((out.rows, out.cols), (31, 31));
        let moment = |power: i32| -> f32 {
            let cell = |(i, p): (usize, &[f32; 3])| p[1] * ((i % 31) as f32 - 15.0).powi(power);
            out.pixels.iter().enumerate().map(cell).sum()
        };
        assert!((moment(0) - 1.0).abs() < 1e-5);
        assert!(
            (moment(2).sqrt() - 1.5).abs() < 0.05,
            "{}",
            moment(2).sqrt()
        );
        assert!(Spread::new(0.0).is_none());
    }
}
