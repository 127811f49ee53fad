//! The bootstrap does not depend on the machine, and covers what it should.

use lobule_stats::bootstrap::{
    BootstrapConfig, BootstrapInterval, Clusters, bootstrap, bootstrap_auc,
    bootstrap_auc_difference,
};
use lobule_stats::roc::Roc;

/// Forty patients with one to three cases each, scores from a fixed formula.
fn cases() -> (Vec<f64>, Vec<f64>, Vec<bool>, Vec<usize>) {
    let patients: Vec<usize> = (0..80).map(|case| case * case % 40).collect();
    let truth: Vec<bool> = (0..80).map(|case| case % 3 == 0).collect();
    let score = |case: usize, factor: f64| {
        let noise = (case as f64 * factor).sin() + 0.4 * (patients[case] as f64).cos();
        (10.0 * (noise + f64::from(truth[case]))).round()
    };
    let first = (0..80).map(|case| score(case, 12.9)).collect();
    let second = (0..80).map(|case| score(case, 78.2)).collect();
    (first, second, truth, patients)
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (first, second, truth, patients) = cases();
    let clusters = Clusters::from_labels(&patients).unwrap();
    let mean = |cases: &[usize]| {
        let sum: f64 = cases.iter().map(|&case| first[case]).sum();
        Some(sum / cases.len() as f64)
    };
    for interval in [BootstrapInterval::Percentile, BootstrapInterval::Bca] {
        let config = BootstrapConfig {
            interval,
            ..BootstrapConfig::with_seed(42)
        };
        let all = || {
            (
                bootstrap(&clusters, &config, mean).unwrap(),
                bootstrap_auc(&first, &truth, &clusters, &config).unwrap(),
                bootstrap_auc_difference(&first, &second, &truth, &clusters, &config).unwrap(),
            )
        };
        let with_threads = |n_threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .build();
            pool.unwrap().install(all)
        };
        let one = with_threads(1);
        assert_eq!(one, with_threads(2));
        assert_eq!(one, with_threads(7));
    }
}

#[test]
fn seeds_matter_and_little() {
    let (first, _, truth, patients) = cases();
    let clusters = Clusters::from_labels(&patients).unwrap();
    let with_seed =
        |seed| bootstrap_auc(&first, &truth, &clusters, &BootstrapConfig::with_seed(seed)).unwrap();
    let (a, b) = (with_seed(1), with_seed(2));
    assert_ne!(a.interval, b.interval);
    // The Monte Carlo error of a 2.5 % quantile of 2000 draws is about a 15th of the SE.
    assert!((a.interval.lower - b.interval.lower).abs() < 0.4 * a.standard_error);
}

#[test]
fn a_seed_gives_the_same_numbers_for_ever() {
    let (first, _, truth, patients) = cases();
    let clusters = Clusters::from_labels(&patients).unwrap();
    let config = BootstrapConfig::with_seed(20_240_501);
    let result = bootstrap_auc(&first, &truth, &clusters, &config).unwrap();
    let printed = format!(
        "{:.12} {:.12}",
        result.interval.lower, result.interval.upper
    );
    assert_eq!(printed, PINNED);
}

/// Made by this crate: a change of it is a change of results, and goes into the changelog.
const PINNED: &str = "0.790281314198 0.879025423729";

#[test]
fn independent_cases_agree_with_delong() {
    let (first, _, truth, _) = cases();
    let roc = Roc::new(&first, &truth).unwrap();
    let clusters = Clusters::singletons(first.len()).unwrap();
    let config = BootstrapConfig {
        n_replicates: 20_000,
        ..BootstrapConfig::with_seed(5)
    };
    let result = bootstrap_auc(&first, &truth, &clusters, &config).unwrap();
    assert_eq!(result.estimate, roc.auc());
    let ratio = result.standard_error / roc.auc_variance().unwrap().sqrt();
    // The bootstrap redraws the number of diseased cases too, which adds a little.
    assert!((0.95..1.1).contains(&ratio), "{ratio}");
}

#[test]
fn cases_said_twice_widen_only_the_wrong_bootstrap() {
    let (first, _, truth, _) = cases();
    let (doubled, doubled_truth) = ([&first[..], &first].concat(), [&truth[..], &truth].concat());
    let patients: Vec<usize> = (0..80).chain(0..80).collect();
    let config = BootstrapConfig::with_seed(3);
    let error = |scores: &[f64], truth: &[bool], clusters: &Clusters| {
        bootstrap_auc(scores, truth, clusters, &config)
            .unwrap()
            .standard_error
    };
    let honest = error(&first, &truth, &Clusters::singletons(80).unwrap());
    let clustered = error(
        &doubled,
        &doubled_truth,
        &Clusters::from_labels(&patients).unwrap(),
    );
    let naive = error(
        &doubled,
        &doubled_truth,
        &Clusters::singletons(160).unwrap(),
    );
    assert!((clustered - honest).abs() < 1e-15);
    assert!(naive < 0.8 * honest);
}
