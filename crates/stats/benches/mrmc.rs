//! Obuchowski–Rockette analyses of simulated reader studies, from the tables that peers read.
//!
//! `LOBULE_REFERENCE=<folder> cargo bench -p lobule-stats --bench mrmc` prints the seconds of the
//! best of at least three runs, parsing apart, and the process's peak memory. The tables are
//! `bench/mrmc_14x2x320.csv` and `bench/mrmc_14x2x10000.csv.gz` (case, reader, treatment, truth,
//! rating); without the folder, ratings of the same sizes are drawn.

mod tables;

use std::hint::black_box;
use std::time::Instant;

use lobule_stats::mrmc::{
    CovarianceMethod, Figure, FigureTable, MomentEstimate, RandomFactors, ReaderStudy,
    obuchowski_rockette, u_statistics,
};
use lobule_stats::{Confidence, Error};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

const READERS: usize = 14;
const MODALITIES: usize = 2;
/// Each analysis is repeated for as long, and at least three times.
const MIN_SECONDS: f64 = 1.0;

fn main() {
    // `cargo test --all-targets` starts benches too, without this flag.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    for (n_cases, file) in [
        (320, "mrmc_14x2x320.csv"),
        (10_000, "mrmc_14x2x10000.csv.gz"),
    ] {
        let table = match tables::rows(file) {
            Some(rows) => table(&rows, n_cases),
            None => draw(n_cases),
        };
        run(n_cases, &table);
    }
    for n_cases in [20_000, 40_000] {
        run(n_cases, &draw(n_cases));
    }
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find(|line| line.starts_with("VmHWM"));
        println!("{}", peak.unwrap_or("VmHWM: unknown"));
    }
}

struct Table {
    truth: Vec<bool>,
    /// By modality, reader, case.
    ratings: Vec<f64>,
}

fn run(n_cases: usize, table: &Table) {
    let study = ReaderStudy::from_grid(&table.truth, MODALITIES, READERS, &table.ratings)
        .expect("the table is complete");
    let size = format!("{READERS} × {MODALITIES} × {n_cases}");
    for method in [
        CovarianceMethod::DeLong,
        CovarianceMethod::Jackknife,
        CovarianceMethod::Unbiased,
    ] {
        time(&format!("{size}, {method:?}"), || {
            let figures = FigureTable::new(&study, Figure::Auc, method)?;
            let random = RandomFactors::ReadersAndCases;
            obuchowski_rockette(&figures, random, Confidence::NINETY_FIVE)
        });
    }
    time(&format!("{size}, U-statistics"), || {
        u_statistics(&study, MomentEstimate::Unbiased, Confidence::NINETY_FIVE)
    });
}

fn time<T>(what: &str, work: impl Fn() -> Result<T, Error>) {
    let (mut best, mut total, mut runs) = (f64::INFINITY, 0.0, 0);
    while runs < 3 || total < MIN_SECONDS {
        let start = Instant::now();
        black_box(work().expect("the study can be analysed"));
        let seconds = start.elapsed().as_secs_f64();
        (best, total, runs) = (best.min(seconds), total + seconds, runs + 1);
    }
    println!("{what}: {best:.6} s");
}

fn table(rows: &[Vec<f64>], n_cases: usize) -> Table {
    let mut table = Table {
        truth: vec![false; n_cases],
        ratings: vec![f64::NAN; MODALITIES * READERS * n_cases],
    };
    for row in rows {
        let [case, reader, modality] = [0, 1, 2].map(|column| row[column] as usize - 1);
        table.truth[case] = row[3] == 1.0;
        table.ratings[(modality * READERS + reader) * n_cases + case] = row[4];
    }
    table
}

/// A signal of one, shared noise, and noise of each rating.
fn draw(n_cases: usize) -> Table {
    let mut generator = ChaCha8Rng::seed_from_u64(n_cases as u64);
    let mut uniform = || f64::from(generator.next_u32()) / f64::from(u32::MAX);
    let truth: Vec<bool> = (0..n_cases).map(|_| uniform() < 0.3).collect();
    let shared: Vec<f64> = truth
        .iter()
        .map(|&present| f64::from(present) + uniform())
        .collect();
    let mut ratings = Vec::with_capacity(MODALITIES * READERS * n_cases);
    for _ in 0..MODALITIES * READERS {
        ratings.extend(shared.iter().map(|value| value + 2.0 * uniform()));
    }
    Table { truth, ratings }
}
