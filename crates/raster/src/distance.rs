//! The exact Euclidean distance transform.
//!
//! Felzenszwalb & Huttenlocher, "Distance transforms of sampled functions", Theory of Computing
//! 8 (2012) 415–428, doi:10.4086/toc.2012.v008a019: per line, the lower envelope of parabolas.
//! Two passes, linear in the number of pixels whatever the distance. What lies beyond the image's
//! edges is no pixel of the mask.

use crate::Image;

/// Farther than any pixel of an image.
const FAR: f32 = 1e12;

/// Distance, in pixels, from each pixel to the nearest one that is `true`; a very large number
/// where there is none.
pub(crate) fn distance_to(mask: &Image<bool>) -> Image<f32> {
    let (rows, cols) = (mask.rows(), mask.cols());
    let mut squared: Vec<f32> = mask
        .pixels()
        .iter()
        .map(|&m| if m { 0.0 } else { FAR })
        .collect();
    let mut scratch = Scratch::default();
    let mut line = vec![0.0; rows];
    for col in 0..cols {
        for row in 0..rows {
            line[row] = squared[row * cols + col];
        }
        scratch.lower_envelope(&mut line);
        for row in 0..rows {
            squared[row * cols + col] = line[row];
        }
    }
    for row in squared.chunks_exact_mut(cols.max(1)) {
        scratch.lower_envelope(row);
    }
    for v in &mut squared {
        *v = v.sqrt();
    }
    Image::from_pixels(rows, cols, squared).expect("one distance per pixel")
}

#[derive(Default)]
struct Scratch {
    values: Vec<f32>,
    /// The parabolas of the envelope, and from where on each is the lowest.
    vertices: Vec<usize>,
    starts: Vec<f32>,
}

impl Scratch {
    /// Replaces `f(p)` by the minimum over q of `(p − q)² + f(q)`.
    fn lower_envelope(&mut self, line: &mut [f32]) {
        self.values.clear();
        self.values.extend_from_slice(line);
        self.vertices.clear();
        self.starts.clear();
        for q in 0..line.len() {
            let mut start = f32::NEG_INFINITY;
            while let (Some(&v), Some(&from)) = (self.vertices.last(), self.starts.last()) {
                start = self.crossing(v, q);
                if start > from {
                    break;
                }
                self.vertices.pop();
                self.starts.pop();
                start = f32::NEG_INFINITY;
            }
            self.vertices.push(q);
            self.starts.push(start);
        }
        let mut k = 0;
        for (p, out) in line.iter_mut().enumerate() {
            while k + 1 < self.starts.len() && self.starts[k + 1] < p as f32 {
                k += 1;
            }
            let q = self.vertices[k];
            let offset = p as f32 - q as f32;
            *out = offset * offset + self.values[q];
        }
    }

    /// Where the parabolas of `v` and of the later `q` cross.
    fn crossing(&self, v: usize, q: usize) -> f32 {
        let (a, b) = (v as f64, q as f64);
        let rise = f64::from(self.values[q]) - f64::from(self.values[v]);
        ((rise + b * b - a * a) / (2.0 * (b - a))) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_a_search_over_all_pixels() {
        let mask = Image::from_fn(23, 31, |r, c| (r * 7 + c * 13 + r * c) % 37 == 0);
        let got = distance_to(&mask);
        for row in 0..mask.rows() {
            for col in 0..mask.cols() {
                let all = (0..mask.rows()).flat_map(|r| (0..mask.cols()).map(move |c| (r, c)));
                let nearest = all
                    .filter(|&(r, c)| mask.at(r, c))
                    .map(|(r, c)| (r as f32 - row as f32).hypot(c as f32 - col as f32))
                    .fold(f32::INFINITY, f32::min);
                assert!((got.at(row, col) - nearest).abs() < 1e-4, "{row}, {col}");
            }
        }
    }

    #[test]
    fn without_a_pixel_to_reach_everything_is_far() {
        let far = distance_to(&Image::filled(3, 4, false));
        assert!(far.pixels().iter().all(|&d| d > 1e5));
        assert_eq!(distance_to(&Image::filled(0, 0, true)).pixels(), []);
        assert_eq!(distance_to(&Image::filled(2, 2, true)).pixels(), [0.0; 4]);
    }
}
