//! Cox's model on 100,000 subjects with 10 covariates, and the statistics that go with it.
//!
//! `LOBULE_REFERENCE=<folder> cargo bench -p lobule-stats --bench cox` prints the seconds of the
//! best of three runs, parsing apart, and the coefficients. The table is `bench/cox_100k.csv.gz`
//! (time, event, covariates); without the folder, subjects are drawn.

mod tables;

use std::hint::black_box;
use std::time::Instant;

use lobule_stats::Confidence;
use lobule_stats::survival::{
    ConcordanceConfig, Covariates, CoxConfig, FollowUp, KaplanMeier, TimeTransform, concordance,
    fit_cox,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

const N_COLUMNS: usize = 10;

fn main() {
    // `cargo test --all-targets` starts benches too, without this flag.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let (follow_up, covariates) = match tables::rows("cox_100k.csv.gz") {
        Some(rows) => subjects(&rows),
        None => simulate(100_000),
    };
    let fit = time("Cox's model", || {
        fit_cox(&follow_up, &covariates, &CoxConfig::default()).expect("there is a maximum")
    });
    for term in fit.terms(Confidence::NINETY_FIVE) {
        println!("  {:.12} ± {:.12}", term.coefficient, term.standard_error);
    }
    let clusters: Vec<usize> = (0..follow_up.n_subjects()).collect();
    let robust = CoxConfig {
        clusters: Some(&clusters),
        ..CoxConfig::default()
    };
    time("with a robust variance", || {
        fit_cox(&follow_up, &covariates, &robust).expect("there is a maximum")
    });
    time("test of proportional hazards", || {
        fit.proportional_hazards_test(TimeTransform::KaplanMeier, &[])
    })
    .expect("there are events at many times");
    let risks = fit.linear_predictors();
    time("concordance", || {
        concordance(&follow_up, &risks, &ConcordanceConfig::default())
    })
    .expect("there are comparable pairs");
    time("Kaplan-Meier curve", || KaplanMeier::new(&follow_up));
}

/// Exponential times with a hazard that the covariates change, a third of them censored.
fn simulate(n: usize) -> (FollowUp, Covariates) {
    let mut generator = ChaCha8Rng::seed_from_u64(n as u64);
    let mut uniform = || (f64::from(generator.next_u32()) + 0.5) / 4_294_967_296.0;
    let values: Vec<f64> = (0..n * N_COLUMNS).map(|_| 2.0 * uniform() - 1.0).collect();
    let (mut times, mut events) = (Vec::new(), Vec::new());
    for row in values.chunks_exact(N_COLUMNS) {
        let weighted = row.iter().zip(1..).map(|(x, k)| x * 0.1 * f64::from(k));
        let event = -uniform().ln() * (-weighted.sum::<f64>()).exp();
        let censored = -2.0 * uniform().ln();
        times.push(event.min(censored));
        events.push(event <= censored);
    }
    let follow_up = FollowUp::new(&times, &events).expect("times are above 0");
    let covariates = Covariates::from_rows(values, N_COLUMNS).expect("rows are whole");
    (follow_up, covariates)
}

fn subjects(rows: &[Vec<f64>]) -> (FollowUp, Covariates) {
    let times: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    let events: Vec<bool> = rows.iter().map(|row| row[1] == 1.0).collect();
    let values: Vec<f64> = rows.iter().flat_map(|row| &row[2..]).copied().collect();
    let follow_up = FollowUp::new(&times, &events).expect("times are above 0");
    let covariates = Covariates::from_rows(values, rows[0].len() - 2).expect("rows are whole");
    (follow_up, covariates)
}

fn time<T>(what: &str, work: impl Fn() -> T) -> T {
    let mut best = f64::INFINITY;
    let mut result = None;
    for _ in 0..3 {
        let start = Instant::now();
        result = Some(black_box(work()));
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{what}: {best:.3} s");
    result.expect("three runs were made")
}
