//! Speckle: from echogenicity to the envelope and to grey.
//!
//! Owns: fully developed speckle as the magnitude of a circular complex normal field convolved
//! with an anisotropic Gaussian point-spread function, whose envelope is Rayleigh distributed
//! (mean over standard deviation = √(π / (4 − π)) ≈ 1.913; Wagner et al. 1983,
//! doi 10.1109/T-SU.1983.31404), averaging of looks, logarithmic compression. Does not own: what
//! is echogenic.

use lobule_raster::Image;

use crate::noise::Stream;

/// Standard deviations of the point-spread function, in samples.
pub(crate) struct PointSpread {
    /// Along the beam, the same at all depths.
    pub(crate) axial: f32,
    /// Across the beams at the first sample.
    pub(crate) lateral: f32,
    /// Growth of the lateral value per sample of depth.
    pub(crate) lateral_growth: f32,
}

/// Mean envelope of `looks` independent realisations; `amplitude` is the local scattering.
///
/// # Shapes
/// `amplitude` and the result: samples along the beam × beams.
pub(crate) fn envelope(
    amplitude: &Image<f32>,
    psf: &PointSpread,
    looks: usize,
    stream: &mut Stream,
) -> Image<f32> {
    let mut sum = Image::filled(amplitude.rows(), amplitude.cols(), 0.0_f32);
    let share = 1.0 / looks.max(1) as f32;
    for _ in 0..looks.max(1) {
        let [re, im] = scatterers(amplitude, stream).map(|field| spread(&field, psf));
        for ((sum, re), im) in sum
            .pixels_mut()
            .iter_mut()
            .zip(re.pixels())
            .zip(im.pixels())
        {
            *sum += share * re.hypot(*im);
        }
    }
    sum
}

/// Grey of an envelope: 0 dB is white, `−dynamic_range_db` and below black.
pub(crate) fn compress(envelope: f32, dynamic_range_db: f32) -> u8 {
    let db = 20.0 * envelope.max(1e-9).log10();
    (255.0 * (1.0 + db / dynamic_range_db))
        .round()
        .clamp(0.0, 255.0) as u8
}

fn scatterers(amplitude: &Image<f32>, stream: &mut Stream) -> [Image<f32>; 2] {
    let mut re = amplitude.clone();
    let mut im = amplitude.clone();
    for (re, im) in re.pixels_mut().iter_mut().zip(im.pixels_mut()) {
        let [x, y] = stream.normal_pair();
        *re *= x;
        *im *= y;
    }
    [re, im]
}

fn spread(field: &Image<f32>, psf: &PointSpread) -> Image<f32> {
    spread_axially(&spread_laterally(field, psf), &kernel(psf.axial))
}

fn spread_laterally(field: &Image<f32>, psf: &PointSpread) -> Image<f32> {
    let cols = field.cols();
    let mut out = Image::filled(field.rows(), cols, 0.0_f32);
    for (row, line) in out.pixels_mut().chunks_exact_mut(cols).enumerate() {
        let kernel = kernel(psf.lateral + psf.lateral_growth * row as f32);
        let padded = mirrored(field.row(row), kernel.len() / 2);
        for (k, weight) in kernel.iter().enumerate() {
            add_scaled(line, &padded[k..k + cols], *weight);
        }
    }
    out
}

fn spread_axially(field: &Image<f32>, kernel: &[f32]) -> Image<f32> {
    let (rows, cols) = (field.rows(), field.cols());
    let reach = kernel.len() / 2;
    let mut out = Image::filled(rows, cols, 0.0_f32);
    for (row, line) in out.pixels_mut().chunks_exact_mut(cols).enumerate() {
        for (k, weight) in kernel.iter().enumerate() {
            let from = mirror(row as i64 + k as i64 - reach as i64, rows);
            add_scaled(line, field.row(from), *weight);
        }
    }
    out
}

fn add_scaled(into: &mut [f32], from: &[f32], weight: f32) {
    for (into, from) in into.iter_mut().zip(from) {
        *into += weight * from;
    }
}

fn mirrored(line: &[f32], reach: usize) -> Vec<f32> {
    let reach = reach as i64;
    (-reach..line.len() as i64 + reach)
        .map(|i| line[mirror(i, line.len())])
        .collect()
}

fn mirror(index: i64, length: usize) -> usize {
    let last = length as i64 - 1;
    let folded = if index < 0 { -index } else { index };
    let back = if folded > last {
        2 * last - folded
    } else {
        folded
    };
    back.clamp(0, last) as usize
}

/// A Gaussian of unit energy (Σk² = 1), so that the mean power stays as it was.
fn kernel(sigma: f32) -> Vec<f32> {
    let sigma = sigma.max(0.3);
    let reach = (3.0 * sigma).ceil() as i32;
    let raw: Vec<f32> = (-reach..=reach)
        .map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp())
        .collect();
    let energy = raw.iter().map(|k| k * k).sum::<f32>().sqrt();
    raw.iter().map(|k| k / energy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Purpose;

    const PSF: PointSpread = PointSpread {
        axial: 1.2,
        lateral: 2.0,
        lateral_growth: 0.004,
    };

    fn homogeneous(looks: usize) -> Vec<f64> {
        let amplitude = Image::filled(500, 500, 1.0);
        let stream = &mut Stream::new(11, Purpose::Speckle);
        let envelope = envelope(&amplitude, &PSF, looks, stream);
        envelope.pixels().iter().map(|&v| f64::from(v)).collect()
    }

    fn snr(values: &[f64]) -> f64 {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        mean / variance.sqrt()
    }

    #[test]
    fn one_look_is_rayleigh() {
        let values = homogeneous(1);
        let expected = (std::f64::consts::PI / (4.0 - std::f64::consts::PI)).sqrt();
        assert!((snr(&values) - expected).abs() < 0.1, "{}", snr(&values));
        // Distribution function of a Rayleigh variable whose mean square is 2: 1 − exp(−a²/2).
        for a in [0.5, 1.0, 1.5, 2.0, 3.0_f64] {
            let below = values.iter().filter(|&&v| v <= a).count() as f64 / values.len() as f64;
            assert!(
                (below - (1.0 - (-a * a / 2.0).exp())).abs() < 0.02,
                "{a} {below}"
            );
        }
    }

    #[test]
    fn looks_average_the_speckle_away() {
        let ratio = snr(&homogeneous(4)) / snr(&homogeneous(1));
        assert!((ratio - 2.0).abs() < 0.15, "{ratio}");
    }

    #[test]
    fn speckle_is_finer_along_the_beam_and_widens_with_depth() {
        let amplitude = Image::filled(500, 400, 1.0);
        let psf = PointSpread {
            lateral_growth: 0.01,
            ..PSF
        };
        let image = envelope(&amplitude, &psf, 1, &mut Stream::new(5, Purpose::Speckle));
        let difference = |rows: std::ops::Range<usize>, down: usize, right: usize| {
            let pairs = rows.flat_map(|r| (0..390).map(move |c| (r, c)));
            let each = |(r, c)| (image.at(r + down, c + right) - image.at(r, c)).abs();
            let (n, sum) = pairs.fold((0.0, 0.0), |(n, sum), at| (n + 1.0, sum + each(at)));
            sum / n
        };
        assert!(difference(200..300, 1, 0) > 1.3 * difference(200..300, 0, 1));
        assert!(difference(0..60, 0, 1) > 1.3 * difference(430..490, 0, 1));
    }

    #[test]
    fn compression_spans_the_dynamic_range() {
        for (envelope, gray) in [
            (1.0, 255),
            (10.0, 255),
            (0.0, 0),
            (1e-3, 0),
            (0.031_623, 128),
        ] {
            assert_eq!(compress(envelope, 60.0), gray, "{envelope}");
        }
    }
}
