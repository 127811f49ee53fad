//! Drawing clusters, and putting them in a random order.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Draws as many clusters as there are, with replacement, and counts how often each came. The
/// stream belongs to the replicate, so neither order nor thread matters.
pub(super) fn draw_weights(seed: u64, replicate: u64, weights: &mut [u32]) {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(replicate);
    weights.fill(0);
    let n = u32::try_from(weights.len()).expect("clusters are counted in 32 bits");
    for _ in 0..n {
        weights[below(&mut generator, n) as usize] += 1;
    }
}

/// The numbers 0..n in a random order (Durstenfeld 1964, doi:10.1145/364520.364540).
pub(crate) fn shuffled(seed: u64, n: u32) -> Vec<usize> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..n as usize).collect();
    for last in (1..n).rev() {
        order.swap(last as usize, below(&mut generator, last + 1) as usize);
    }
    order
}

/// A number in 0..n without bias (Lemire 2019, doi:10.1145/3230636).
fn below(generator: &mut ChaCha8Rng, n: u32) -> u32 {
    let mut product = u64::from(generator.next_u32()) * u64::from(n);
    if (product as u32) < n {
        let rejected_below = n.wrapping_neg() % n;
        while (product as u32) < rejected_below {
            product = u64::from(generator.next_u32()) * u64::from(n);
        }
    }
    (product >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cluster_is_drawn_alike() {
        let mut totals = [0_u32; 7];
        let mut weights = [0; 7];
        for replicate in 0..10_000 {
            draw_weights(1, replicate, &mut weights);
            assert_eq!(weights.iter().sum::<u32>(), 7);
            for (total, weight) in totals.iter_mut().zip(weights) {
                *total += weight;
            }
        }
        // Binomial with mean 10,000 and standard deviation 93: five of them either way.
        assert!(
            totals.iter().all(|t| t.abs_diff(10_000) < 465),
            "{totals:?}"
        );
    }

    #[test]
    fn orders_are_permutations_and_all_alike() {
        let mut counts = [0_u32; 6];
        for seed in 0..6_000 {
            let order = shuffled(seed, 3);
            let code = order[0] * 2 + usize::from(order[1] > order[2]);
            counts[code] += 1;
        }
        // Binomial with mean 1,000 and standard deviation 29: five of them either way.
        assert!(counts.iter().all(|c| c.abs_diff(1_000) < 145), "{counts:?}");
        assert_eq!(shuffled(1, 0), [0_usize; 0]);
    }

    #[test]
    fn seeds_and_replicates_have_streams_of_their_own() {
        let draw = |seed, replicate| {
            let mut weights = vec![0; 50];
            draw_weights(seed, replicate, &mut weights);
            weights
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }
}
