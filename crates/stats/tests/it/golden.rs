//! Against SciPy, scikit-learn and statsmodels, through `golden/golden.json` and the script beside
//! it.

use lobule_stats::Confidence;
use lobule_stats::bootstrap::{BootstrapConfig, BootstrapInterval, Clusters, bootstrap};
use lobule_stats::calibration::{
    Binning, Calibrator, brier_score, calibration_in_the_large, calibration_line,
    expected_calibration_error, fit_isotonic, fit_platt, fit_temperature, log_loss,
};
use lobule_stats::roc::Roc;
use serde_json::Value;

/// Closed forms: only the order of summation differs.
const CLOSED_FORM: f64 = 1e-12;
/// Iterative fits: each program stops by a rule of its own.
const FITTED: f64 = 1e-8;
/// Two Monte Carlo limits with 4 · 10⁵ and 10⁵ replicates, of a distribution with standard
/// error 0.9: their own standard errors are about 0.004 and 0.008.
const MONTE_CARLO: f64 = 0.03;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/golden.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap();
    values.iter().map(|v| v.as_f64().unwrap()).collect()
}

fn cases() -> (Vec<f64>, Vec<bool>) {
    let golden = golden();
    let truth = numbers(&golden["truth"])
        .iter()
        .map(|&t| t == 1.0)
        .collect();
    (numbers(&golden["scores"]), truth)
}

fn assert_near(what: &str, got: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (got - expected).abs() <= tolerance * expected.abs().max(1.0),
        "{what}: expected {expected}, got {got}"
    );
}

#[test]
fn closed_forms_agree() {
    let ((scores, truth), golden) = (cases(), golden());
    let roc = Roc::new(&scores, &truth).unwrap();
    let seven = Binning::EqualWidth(7);
    let ece = expected_calibration_error(&scores, &truth, seven).unwrap();
    for (what, got) in [
        ("auc", roc.auc()),
        ("average_precision", roc.average_precision()),
        ("brier", brier_score(&scores, &truth).unwrap()),
        ("log_loss", log_loss(&scores, &truth).unwrap()),
        ("ece_equal_width_7", ece),
    ] {
        assert_near(what, got, &golden[what], CLOSED_FORM);
    }
}

#[test]
fn logistic_maps_agree() {
    let ((scores, truth), golden) = (cases(), golden());
    let fits = [fit_temperature(&scores, &truth), fit_platt(&scores, &truth)];
    let [temperature, platt] = fits.map(|fit| match fit.unwrap() {
        Calibrator::Logistic { slope, intercept } => (slope, intercept),
        other => panic!("expected a logistic map, got {other:?}"),
    });
    assert_near(
        "temperature",
        temperature.0,
        &golden["temperature_slope"],
        FITTED,
    );
    assert_eq!(temperature.1, 0.0);
    assert_near("platt slope", platt.0, &golden["platt"]["slope"], FITTED);
    assert_near(
        "platt intercept",
        platt.1,
        &golden["platt"]["intercept"],
        FITTED,
    );
}

#[test]
fn the_calibration_line_agrees() {
    let ((scores, truth), golden) = (cases(), golden());
    let line = calibration_line(&scores, &truth, Confidence::NINETY_FIVE).unwrap();
    let large = calibration_in_the_large(&scores, &truth).unwrap();
    let expected = &golden["line"];
    for (what, got, expected) in [
        ("slope", line.slope, &expected["slope"]),
        ("intercept", line.intercept, &expected["intercept"]),
        (
            "lower",
            line.slope_interval.lower,
            &expected["slope_interval"][0],
        ),
        (
            "upper",
            line.slope_interval.upper,
            &expected["slope_interval"][1],
        ),
        (
            "lower",
            line.intercept_interval.lower,
            &expected["intercept_interval"][0],
        ),
        (
            "upper",
            line.intercept_interval.upper,
            &expected["intercept_interval"][1],
        ),
        ("in the large", large, &expected["in_the_large"]),
    ] {
        assert_near(what, got, expected, FITTED);
    }
}

#[test]
fn isotonic_maps_agree() {
    let ((scores, truth), golden) = (cases(), golden());
    let map = fit_isotonic(&scores, &truth, 0.0).unwrap();
    let at = numbers(&golden["isotonic_at"]);
    for (score, expected) in at.iter().zip(golden["isotonic"].as_array().unwrap()) {
        assert_near("isotonic", map.apply(*score), expected, CLOSED_FORM);
    }
}

#[test]
fn bca_of_a_skewed_mean_agrees() {
    let golden = golden();
    let values = numbers(&golden["skewed_values"]);
    let mean = |cases: &[usize]| {
        let sum: f64 = cases.iter().map(|&case| values[case]).sum();
        Some(sum / cases.len() as f64)
    };
    let config = BootstrapConfig {
        n_replicates: 100_000,
        interval: BootstrapInterval::Bca,
        ..BootstrapConfig::with_seed(1)
    };
    let clusters = Clusters::singletons(values.len()).unwrap();
    let result = bootstrap(&clusters, &config, mean).unwrap();
    let expected = &golden["bca_of_mean_stochastic"];
    for (what, got) in [
        ("lower", result.interval.lower),
        ("upper", result.interval.upper),
        ("standard_error", result.standard_error),
    ] {
        let expected = expected[what].as_f64().unwrap();
        assert!(
            (got - expected).abs() < MONTE_CARLO,
            "{what}: {got} {expected}"
        );
    }
}
