//! Ten thousand bootstrap areas on 44,755 cases, and a paired DeLong test on 170,000.
//!
//! `LOBULE_REFERENCE=<folder> cargo bench -p lobule-stats --bench auc` prints the seconds of the
//! best of three runs, parsing apart. The tables are `bench/roc_44755.csv.gz` and
//! `bench/roc_170k.csv.gz` (truth, two scores); without the folder, scores of the same sizes are
//! drawn.

mod tables;

use std::hint::black_box;
use std::time::Instant;

use lobule_stats::Confidence;
use lobule_stats::bootstrap::{BootstrapConfig, Clusters, bootstrap_auc};
use lobule_stats::roc::{Roc, compare_paired};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

fn main() {
    // `cargo test --all-targets` starts benches too, without this flag.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let screening = cases("roc_44755.csv.gz", 44_755, 0.03);
    let clusters = Clusters::singletons(44_755).expect("there are cases");
    let config = BootstrapConfig {
        n_replicates: 10_000,
        ..BootstrapConfig::with_seed(1)
    };
    time("bootstrap of 10,000 areas on 44,755 cases", || {
        bootstrap_auc(&screening.first, &screening.truth, &clusters, &config)
    });
    let large = cases("roc_170k.csv.gz", 170_000, 0.2);
    time("paired DeLong test on 170,000 cases", || {
        let first = Roc::new(&large.first, &large.truth)?;
        let second = Roc::new(&large.second, &large.truth)?;
        compare_paired(&first, &second, Confidence::NINETY_FIVE)
    });
}

struct Simulated {
    truth: Vec<bool>,
    first: Vec<f64>,
    second: Vec<f64>,
}

fn cases(file: &str, n: usize, prevalence: f64) -> Simulated {
    let Some(rows) = tables::rows(file) else {
        return simulate(n, prevalence);
    };
    let column = |at: usize| rows.iter().map(|row| row[at]).collect();
    Simulated {
        truth: rows.iter().map(|row| row[0] == 1.0).collect(),
        first: column(1),
        second: column(2),
    }
}

/// Two correlated scores; diseased cases score higher by one.
fn simulate(n: usize, prevalence: f64) -> Simulated {
    let mut generator = ChaCha8Rng::seed_from_u64(n as u64);
    let mut uniform = || f64::from(generator.next_u32()) / f64::from(u32::MAX);
    let truth: Vec<bool> = (0..n).map(|_| uniform() < prevalence).collect();
    let shared: Vec<f64> = truth
        .iter()
        .map(|&present| f64::from(present) + uniform())
        .collect();
    let mut noisy = || shared.iter().map(|value| value + 2.0 * uniform()).collect();
    let (first, second) = (noisy(), noisy());
    Simulated {
        truth,
        first,
        second,
    }
}

fn time<T>(what: &str, work: impl Fn() -> T) {
    let seconds = (0..3).map(|_| {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64()
    });
    println!("{what}: {:.3} s", seconds.fold(f64::INFINITY, f64::min));
}
