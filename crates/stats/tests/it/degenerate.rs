//! What the data do not allow is an error with a kind, through the public functions.

use lobule_stats::bootstrap::{
    BootstrapConfig, BootstrapInterval, Clusters, bootstrap, bootstrap_auc,
};
use lobule_stats::calibration::{
    Binning, brier_score, calibration_line, fit_isotonic, fit_platt, fit_temperature, reliability,
};
use lobule_stats::roc::{AucScale, Roc, compare_paired, compare_unpaired};
use lobule_stats::{Confidence, Error, ErrorKind};

const LEVEL: Confidence = Confidence::NINETY_FIVE;

/// Every function that takes scores and truth, by name.
type OfCases = (&'static str, fn(&[f64], &[bool]) -> Result<(), Error>);

const OF_CASES: [OfCases; 10] = [
    ("roc", |s, t| Roc::new(s, t).map(drop)),
    ("platt", |s, t| fit_platt(s, t).map(drop)),
    ("temperature", |s, t| fit_temperature(s, t).map(drop)),
    ("isotonic", |s, t| fit_isotonic(s, t, 0.01).map(drop)),
    ("line", |s, t| calibration_line(s, t, LEVEL).map(drop)),
    ("bootstrap", |s, t| {
        let config = BootstrapConfig::with_seed(1);
        bootstrap_auc(s, t, &Clusters::singletons(s.len().max(1))?, &config).map(drop)
    }),
    ("hybrid", |s, t| {
        lobule_stats::hybrid::hybrid_at_sensitivity(s, s, t, 0.5).map(drop)
    }),
    ("hybrid by weight", |s, t| {
        lobule_stats::hybrid::hybrid_by_weight(s, s, t, &[0.5]).map(drop)
    }),
    ("logistic hybrid", |s, t| {
        lobule_stats::hybrid::fit_logistic_combination(s, s, t).map(drop)
    }),
    ("decision curve", |s, t| {
        lobule_stats::decision_curve::decision_curve(s, t, &[0.5]).map(drop)
    }),
];

#[test]
fn unusable_cases_are_refused_everywhere() {
    let inputs: [(&[f64], &[bool], ErrorKind); 6] = [
        (&[], &[], ErrorKind::Empty),
        (&[0.1, 0.2], &[true], ErrorKind::Mismatch),
        (&[0.1, f64::NAN], &[true, false], ErrorKind::NotFinite),
        (
            &[f64::NEG_INFINITY, 0.1],
            &[true, false],
            ErrorKind::NotFinite,
        ),
        (&[0.1, 0.2], &[true, true], ErrorKind::SingleClass),
        (&[0.1, 0.2], &[false, false], ErrorKind::SingleClass),
    ];
    for (name, function) in OF_CASES {
        for (scores, truth, kind) in inputs {
            let error = function(scores, truth).unwrap_err();
            assert_eq!(error.kind(), kind, "{name}: {error}");
        }
    }
}

#[test]
fn probabilities_outside_their_range_are_refused() {
    let (wide, truth) = ([0.5, 1.5], [true, false]);
    for result in [
        brier_score(&wide, &truth).map(drop),
        reliability(&wide, &truth, Binning::EqualWidth(5)).map(drop),
        fit_platt(&wide, &truth).map(drop),
    ] {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::OutOfRange);
    }
}

#[test]
fn areas_without_variance_have_no_interval() {
    let truth = [false, false, true, true];
    for scores in [[0.1, 0.2, 0.8, 0.9], [0.5; 4], [0.9, 0.8, 0.2, 0.1]] {
        let roc = Roc::new(&scores, &truth).unwrap();
        for scale in [AucScale::Plain, AucScale::Logit] {
            let error = roc.auc_interval(LEVEL, scale).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ZeroVariance);
        }
    }
    let single = Roc::new(&[0.1, 0.2, 0.3], &[true, false, false]).unwrap();
    assert_eq!(single.auc_variance().unwrap_err().kind(), ErrorKind::TooFew);
}

#[test]
fn comparisons_that_cannot_be_made_are_refused() {
    let truth = [false, false, true, true];
    let perfect = Roc::new(&[0.1, 0.2, 0.8, 0.9], &truth).unwrap();
    let constant = Roc::new(&[0.5; 4], &truth).unwrap();
    let other = Roc::new(&[0.1, 0.2, 0.8, 0.9], &[true, false, true, false]).unwrap();
    let kinds = [
        (
            compare_paired(&perfect, &constant, LEVEL),
            ErrorKind::ZeroVariance,
        ),
        (
            compare_unpaired(&perfect, &constant, LEVEL),
            ErrorKind::ZeroVariance,
        ),
        (compare_paired(&perfect, &other, LEVEL), ErrorKind::Mismatch),
    ];
    for (result, kind) in kinds {
        assert_eq!(result.unwrap_err().kind(), kind);
    }
    let same = compare_unpaired(&perfect, &perfect, LEVEL).unwrap();
    assert_eq!((same.statistic, same.p_value), (0.0, 1.0));
}

#[test]
fn bootstraps_that_say_nothing_are_refused() {
    let truth = [false, false, false, false, true, false, false, false];
    let scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
    let eight = Clusters::singletons(8).unwrap();
    let one = Clusters::from_labels(&[1; 8]).unwrap();
    let few = Clusters::singletons(3).unwrap();
    let config = BootstrapConfig::with_seed(1);
    let none = BootstrapConfig {
        n_replicates: 0,
        ..config
    };
    // One diseased case of eight is missed by a third of the draws.
    for (clusters, config, kind) in [
        (&eight, &config, ErrorKind::Undefined),
        (&one, &config, ErrorKind::TooFew),
        (&few, &config, ErrorKind::Mismatch),
        (&eight, &none, ErrorKind::OutOfRange),
    ] {
        let error = bootstrap_auc(&scores, &truth, clusters, config).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    let never = bootstrap(&eight, &config, |_| None).unwrap_err();
    let not_a_number = bootstrap(&eight, &config, |_| Some(f64::NAN)).unwrap_err();
    assert_eq!(never.kind(), ErrorKind::Undefined);
    assert_eq!(not_a_number.kind(), ErrorKind::Undefined);
}

#[test]
fn undefined_replicates_are_counted() {
    let clusters = Clusters::singletons(60).unwrap();
    let config = BootstrapConfig {
        n_replicates: 1000,
        interval: BootstrapInterval::Percentile,
        ..BootstrapConfig::with_seed(1)
    };
    // Undefined where none of three marked cases is drawn: (57/60)^60 = 4.6 %.
    let marked = |cases: &[usize]| {
        let n = cases.iter().filter(|&&case| case < 3).count();
        (n > 0).then_some(n as f64)
    };
    let result = bootstrap(&clusters, &config, marked).unwrap();
    assert_eq!(result.n_replicates + result.n_undefined, 1000);
    assert!((20..80).contains(&result.n_undefined), "{result:?}");
}
