//! Texture with a power-law spectrum.
//!
//! Owns: [`power_law`]. Does not own: where the texture shows (`tissue`).

use rustfft::FftPlanner;
use rustfft::num_complex::Complex32;

use crate::noise::Stream;
use lobule_raster::Image;

/// Structures larger than this do not grow stronger, in mm.
const LARGEST_MM: f64 = 45.0;

/// Two independent random fields, mean 0 and variance 1, whose spectrum falls as
/// `(f² + f₀²)^(−β/2)`, f in cycles per mm, f₀ = 1/45 per mm. They repeat beyond their edges.
///
/// White noise is shaped in the frequencies and taken back once: the real and the imaginary part
/// are the two fields.
pub(super) fn power_law(
    rows: usize,
    cols: usize,
    spacing_mm: f64,
    exponent: f64,
    stream: &mut Stream,
) -> [Image<f32>; 2] {
    let (wide, high) = (good_length(cols), good_length(rows));
    let frequency = |i: usize, n: usize| i.min(n - i) as f64 / (n as f64 * spacing_mm);
    let squares = |n: usize| -> Vec<f64> { (0..n).map(|i| frequency(i, n).powi(2)).collect() };
    let (down, across) = (squares(high), squares(wide));
    let floor = (1.0 / LARGEST_MM).powi(2);
    let mut power = 0.0;
    let mut waves = Vec::with_capacity(high * wide);
    for down in &down {
        for across in &across {
            let share = (down + across + floor).powf(-exponent / 4.0);
            power += share * share;
            let [re, im] = stream.normal_pair();
            waves.push(Complex32::new(re, im) * share as f32);
        }
    }
    // The mean stays 0.
    waves[0] = Complex32::new(0.0, 0.0);
    power -= floor.powf(-exponent / 2.0);
    inverse(&mut waves, high, wide);
    let scale = (1.0 / power.max(f64::MIN_POSITIVE).sqrt()) as f32;
    let part = |of: fn(&Complex32) -> f32| {
        Image::from_fn(rows, cols, |r, c| of(&waves[r * wide + c]) * scale)
    };
    [part(|v| v.re), part(|v| v.im)]
}

/// An unnormalized transform along both axes.
fn inverse(waves: &mut [Complex32], rows: usize, cols: usize) {
    let mut planner = FftPlanner::new();
    planner.plan_fft_inverse(cols).process(waves);
    let down = planner.plan_fft_inverse(rows);
    let mut columns = transposed(waves, rows, cols);
    down.process(&mut columns);
    waves.copy_from_slice(&transposed(&columns, cols, rows));
}

/// In blocks, so that both sides stay in the processor's cache.
fn transposed(values: &[Complex32], rows: usize, cols: usize) -> Vec<Complex32> {
    const BLOCK: usize = 32;
    let mut out = vec![Complex32::default(); values.len()];
    for top in (0..rows).step_by(BLOCK) {
        for left in (0..cols).step_by(BLOCK) {
            for row in top..(top + BLOCK).min(rows) {
                for col in left..(left + BLOCK).min(cols) {
                    out[col * rows + row] = values[row * cols + col];
                }
            }
        }
    }
    out
}

/// The next length that is made of twos, threes and fives.
fn good_length(n: usize) -> usize {
    let is_good = |&n: &usize| {
        let mut rest = n;
        for factor in [2, 3, 5] {
            while rest.is_multiple_of(factor) {
                rest /= factor;
            }
        }
        rest == 1
    };
    (n.max(1)..).find(is_good).unwrap_or(n)
}

/// The exponent β of a square field's spectrum: minus the slope of the logarithm of power over
/// that of frequency, by least squares over rings from `low` to `high` cycles per mm, with a
/// Hann window.
#[cfg(test)]
pub(super) fn measured_exponent(field: &Image<f32>, spacing_mm: f64, low: f64, high: f64) -> f64 {
    let n = field.rows();
    let mean = field.pixels().iter().sum::<f32>() / field.pixels().len() as f32;
    let hann = |i: usize| {
        let angle = std::f32::consts::TAU * (i as f32 + 0.5) / n as f32;
        0.5 - 0.5 * angle.cos()
    };
    let mut waves: Vec<Complex32> = (0..n * n)
        .map(|i| (field.pixels()[i] - mean) * hann(i / n) * hann(i % n))
        .map(|v| Complex32::new(v, 0.0))
        .collect();
    inverse(&mut waves, n, n);
    let step = 1.0 / (n as f64 * spacing_mm);
    let mut rings = vec![(0.0, 0.0); n];
    for (i, wave) in waves.iter().enumerate() {
        let along = |i: usize| i.min(n - i) as f64;
        let ring = along(i / n).hypot(along(i % n)).round() as usize;
        rings[ring].0 += f64::from(wave.norm_sqr());
        rings[ring].1 += 1.0;
    }
    let points: Vec<(f64, f64)> = (1..n)
        .map(|ring| (ring as f64 * step, rings[ring].0 / rings[ring].1))
        .filter(|(f, power)| (low..high).contains(f) && *power > 0.0)
        .map(|(f, power)| (f.ln(), power.ln()))
        .collect();
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let over: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let under: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    -over / under
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Purpose;

    #[test]
    fn the_spectrum_falls_as_asked() {
        for exponent in [2.0, 3.0, 3.5] {
            let stream = &mut Stream::new(5, Purpose::Anatomy);
            for field in power_law(512, 512, 0.2, exponent, stream) {
                let n = field.pixels().len() as f32;
                let variance = field.pixels().iter().map(|v| v * v).sum::<f32>() / n;
                assert!((0.5..1.7).contains(&variance), "{variance}");
                let got = measured_exponent(&field, 0.2, 0.06, 1.2);
                assert!((got - exponent).abs() < 0.15, "{got} for {exponent}");
            }
        }
    }
}
