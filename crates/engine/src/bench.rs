//! Timing of opened graphs, and the fixed inputs that timing and agreement use.

use std::time::Instant;

use crate::{Error, Session, TensorView};

/// How long runs of one session took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// Median time of a run in milliseconds.
    pub median_ms: f64,
    /// Shortest time of a run in milliseconds.
    pub shortest_ms: f64,
    /// Images per second at the median time.
    pub images_per_second: f64,
}

/// Times sessions on the same inputs, which hold `n_images` images. The sessions take turns, so that a slow moment of the
/// machine falls on all of them; two turns beforehand warm them up and are not counted.
///
/// # Errors
/// When a run fails.
pub fn time(
    sessions: &mut [Box<dyn Session>],
    inputs: &[(&str, TensorView<'_>)],
    n_images: usize,
    rounds: usize,
) -> Result<Vec<Timing>, Error> {
    const WARM_UP: usize = 2;
    let mut times_ms = vec![Vec::new(); sessions.len()];
    for round in 0..WARM_UP + rounds.max(1) {
        for (session, times_ms) in sessions.iter_mut().zip(&mut times_ms) {
            let start = Instant::now();
            session.run(inputs)?;
            let elapsed_ms = start.elapsed().as_secs_f64() * 1e3;
            if round >= WARM_UP {
                times_ms.push(elapsed_ms);
            }
        }
    }
    let timing = |times_ms: Vec<f64>| summarize(times_ms, n_images);
    Ok(times_ms.into_iter().map(timing).collect())
}

fn summarize(mut times_ms: Vec<f64>, images: usize) -> Timing {
    times_ms.sort_by(f64::total_cmp);
    let n = times_ms.len();
    let median_ms = (times_ms[(n - 1) / 2] + times_ms[n / 2]) / 2.0;
    Timing {
        median_ms,
        shortest_ms: times_ms[0],
        images_per_second: images as f64 * 1e3 / median_ms,
    }
}

/// Values in −1..1 that are the same on every machine: the high bits of a multiplicative hash of
/// the index (Knuth, The Art of Computer Programming 3, 6.4).
///
/// ```
/// let images = lobule_engine::bench::fixed_images(3);
/// assert_eq!(images, [-1.0, 0.23606798, -0.52786404]);
/// ```
pub fn fixed_images(len: usize) -> Vec<f32> {
    let value = |i: usize| {
        let hash = (i as u32).wrapping_mul(2_654_435_769);
        (f64::from(hash) / f64::from(1_u32 << 31) - 1.0) as f32
    };
    (0..len).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_counts() {
        let cases = [
            (vec![3.0, 1.0, 8.0], 3.0),
            (vec![4.0, 2.0], 3.0),
            (vec![5.0], 5.0),
        ];
        for (times_ms, median_ms) in cases {
            let timing = summarize(times_ms, 6);
            assert_eq!(timing.median_ms, median_ms);
            assert_eq!(timing.images_per_second, 6e3 / median_ms);
        }
    }
}
