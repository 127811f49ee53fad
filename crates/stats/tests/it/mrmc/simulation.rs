//! How often the test errs, and how much memory a large study takes.

use lobule_stats::mrmc::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;

use super::analysis;
use super::designs::drawn_study;

/// Standard normal numbers (Box & Muller 1958, doi:10.1214/aoms/1177706645).
pub(crate) struct Normal(ChaCha8Rng);

impl Normal {
    pub(crate) fn new(seed: u64) -> Normal {
        Normal(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn draw(&mut self) -> f64 {
        let mut uniform = || (f64::from(self.0.next_u32()) + 0.5) / 4_294_967_296.0;
        (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
    }
}

/// Variances of Roe & Metz 1997 (doi:10.1016/S1076-6332(97)80161-3): readers and readers by
/// modality; cases, cases by modality, cases by reader, rest.
#[derive(Clone, Copy)]
struct RoeMetz {
    name: &'static str,
    reader: f64,
    case: [f64; 4],
}

const STRUCTURES: [RoeMetz; 4] = [
    RoeMetz {
        name: "HL",
        reader: 0.0055,
        case: [0.3, 0.3, 0.2, 0.2],
    },
    RoeMetz {
        name: "LL",
        reader: 0.0055,
        case: [0.1, 0.1, 0.2, 0.6],
    },
    RoeMetz {
        name: "HH",
        reader: 0.03,
        case: [0.3, 0.3, 0.2, 0.2],
    },
    RoeMetz {
        name: "LH",
        reader: 0.03,
        case: [0.1, 0.1, 0.2, 0.6],
    },
];

/// Ratings of two equal modalities, healthy cases first.
fn roe_metz(structure: RoeMetz, r: usize, counts: [usize; 2], seed: u64) -> ReaderStudy {
    let mut normal = Normal::new(seed);
    let n = counts[0] + counts[1];
    let mut ratings = vec![0.0; 2 * r * n];
    for (class, count) in counts.into_iter().enumerate() {
        let start = class * counts[0];
        let mut scaled = |variance: f64| variance.sqrt() * normal.draw();
        let reader: Vec<f64> = (0..r).map(|_| scaled(structure.reader)).collect();
        let cell: Vec<f64> = (0..2 * r).map(|_| scaled(structure.reader)).collect();
        for case in start..start + count {
            let own = 1.5 * class as f64 + scaled(structure.case[0]);
            let by_modality = [scaled(structure.case[1]), scaled(structure.case[1])];
            for j in 0..r {
                let by_reader = scaled(structure.case[2]);
                for i in 0..2 {
                    let rest = reader[j] + cell[i * r + j] + by_modality[i] + by_reader;
                    ratings[(i * r + j) * n + case] = own + rest + scaled(structure.case[3]);
                }
            }
        }
    }
    let truth: Vec<bool> = (0..n).map(|case| case >= counts[0]).collect();
    ReaderStudy::from_grid(&truth, 2, r, &ratings).unwrap()
}

/// Designs and seeds were fixed before the first run.
#[test]
fn the_test_errs_about_as_often_as_it_says() {
    const REPLICATES: u64 = 2000;
    println!("structure readers healthy diseased  rejected of {REPLICATES} at 0.05");
    let designs = [(3, [25, 25]), (5, [50, 50]), (5, [90, 10])];
    for (s, structure) in STRUCTURES.into_iter().enumerate() {
        for (d, (readers, counts)) in designs.into_iter().enumerate() {
            let seed = |replicate: u64| ((s * 10 + d) as u64) << 32 | replicate;
            let rejects = |replicate: u64| {
                let study = roe_metz(structure, readers, counts, seed(replicate));
                let result = analysis(&study, Figure::Auc, CovarianceMethod::DeLong);
                usize::from(result.test.unwrap().p_value < 0.05)
            };
            let rejected: usize = (0..REPLICATES).into_par_iter().map(rejects).sum();
            let rate = rejected as f64 / REPLICATES as f64;
            let [healthy, diseased] = counts;
            println!(
                "{:9} {readers:7} {healthy:7} {diseased:8}  {rejected:4} {rate:.4}",
                structure.name
            );
            assert!(
                (0.02..=0.065).contains(&rate),
                "{} {readers} {counts:?}: {rate}",
                structure.name
            );
        }
    }
}

#[test]
fn fourteen_readers_of_ten_thousand_cases_fit_in_memory() {
    let study = drawn_study(2, 14, 10_000, 11);
    let result = analysis(&study, Figure::Auc, CovarianceMethod::DeLong);
    assert!(result.test.unwrap().p_value > 0.0);
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = peak
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap();
        assert!(kib < 1 << 20, "{kib} KiB");
    }
}
