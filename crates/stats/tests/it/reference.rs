//! Known answers on the aSAH data set (113 patients; Turck et al. 2010), when `LOBULE_REFERENCE` is
//! there. The few numbers below are quoted from pROC, scikit-learn and statsmodels.

use std::path::PathBuf;

use lobule_stats::bootstrap::{BootstrapConfig, BootstrapInterval, bootstrap_auc};
use lobule_stats::calibration::{
    brier_score, calibration_in_the_large, calibration_line, log_loss,
};
use lobule_stats::decision_curve::decision_curve;
use lobule_stats::proportion::{PairedProportions, Proportion};
use lobule_stats::roc::{AucScale, Roc, RocPoint, compare_paired, compare_unpaired};
use lobule_stats::{Clusters, Confidence, Interval};
use serde_json::Value;

/// Closed forms, as precise as the references print them.
const RELATIVE: f64 = 1e-9;
/// Iterative fits.
const FITTED: f64 = 1e-6;

struct Patients {
    truth: Vec<bool>,
    male: Vec<bool>,
    s100b: Vec<f64>,
    wfns: Vec<f64>,
    ndka: Vec<f64>,
}

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("LOBULE_REFERENCE").map(|root| PathBuf::from(root).join("roc"));
    if folder.is_none() {
        println!("skipped: the aSAH reference (LOBULE_REFERENCE is not set)");
    }
    folder
}

fn patients(folder: &std::path::Path) -> Patients {
    let mut reader = csv::Reader::from_path(folder.join("asah.csv")).unwrap();
    let headers = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |name: &str| {
        let index = headers.iter().position(|header| header == name).unwrap();
        rows.iter()
            .map(|row| row[index].to_owned())
            .collect::<Vec<_>>()
    };
    let numbers = |name| column(name).iter().map(|v| v.parse().unwrap()).collect();
    Patients {
        truth: column("outcome").iter().map(|v| v == "Poor").collect(),
        male: column("gender").iter().map(|v| v == "Male").collect(),
        s100b: numbers("s100b"),
        wfns: numbers("wfns"),
        ndka: numbers("ndka"),
    }
}

fn expected(folder: &std::path::Path, name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

fn near(what: &str, got: f64, expected: f64, relative: f64) {
    let allowed = relative * expected.abs();
    assert!(
        (got - expected).abs() <= allowed,
        "{what}: expected {expected}, got {got}"
    );
}

fn near_interval(what: &str, got: Interval, expected: [f64; 2]) {
    near(what, got.lower, expected[0], RELATIVE);
    near(what, got.upper, expected[1], RELATIVE);
}

#[test]
fn areas_variances_and_intervals() {
    let Some(folder) = folder() else { return };
    let patients = patients(&folder);
    let (r, python) = (
        expected(&folder, "proc_asah_expected.json"),
        expected(&folder, "python_asah_expected.json"),
    );
    for (name, scores) in [
        ("s100b", &patients.s100b),
        ("wfns", &patients.wfns),
        ("ndka", &patients.ndka),
    ] {
        let roc = Roc::new(scores, &patients.truth).unwrap();
        let value = |key: &str| r[name][key].as_f64().unwrap();
        near(name, roc.auc(), value("auc"), RELATIVE);
        near(
            name,
            roc.auc_variance().unwrap(),
            value("delong_var"),
            RELATIVE,
        );
        let interval = roc
            .auc_interval(Confidence::NINETY_FIVE, AucScale::Plain)
            .unwrap();
        let limit = |i: usize| r[name]["delong_ci"][i].as_f64().unwrap();
        near_interval(name, interval, [limit(0), limit(2)]);
        if let Some(precision) = python[name]["average_precision"].as_f64() {
            near(name, roc.average_precision(), precision, RELATIVE);
        }
    }
    let s100b = Roc::new(&patients.s100b, &patients.truth).unwrap();
    near("auc", s100b.auc(), 0.731368563686, 1e-11);
    near(
        "variance",
        s100b.auc_variance().unwrap(),
        0.00266868245717,
        RELATIVE,
    );
    near(
        "average precision",
        s100b.average_precision(),
        0.685620923172,
        RELATIVE,
    );
}

#[test]
fn paired_and_unpaired_tests() {
    let Some(folder) = folder() else { return };
    let patients = patients(&folder);
    let r = expected(&folder, "proc_asah_expected.json");
    let roc = |scores: &[f64]| Roc::new(scores, &patients.truth).unwrap();
    let (s100b, wfns, ndka) = (
        roc(&patients.s100b),
        roc(&patients.wfns),
        roc(&patients.ndka),
    );
    for (name, first, second) in [
        ("s100b_wfns", &s100b, &wfns),
        ("s100b_ndka", &s100b, &ndka),
        ("wfns_ndka", &wfns, &ndka),
    ] {
        let tests = &r["paired_tests"];
        let got = compare_paired(first, second, Confidence::NINETY_FIVE).unwrap();
        near(
            name,
            got.statistic,
            tests[name]["statistic"].as_f64().unwrap(),
            RELATIVE,
        );
        near(
            name,
            got.p_value,
            tests[name]["p"].as_f64().unwrap(),
            RELATIVE,
        );
        let limit = |i: usize| tests[name]["ci"][i].as_f64().unwrap();
        near_interval(name, got.interval, [limit(0), limit(1)]);
        let covariance = tests[format!("cov_{name}")].as_f64().unwrap();
        near(
            name,
            first.auc_covariance(second).unwrap(),
            covariance,
            RELATIVE,
        );
    }
    let quoted = compare_paired(&s100b, &wfns, Confidence::NINETY_FIVE).unwrap();
    near("z", quoted.statistic, -2.20898359144, RELATIVE);
    near("p", quoted.p_value, 0.0271757822, 1e-8);

    let group = |male: bool| {
        let members: Vec<usize> = (0..patients.male.len())
            .filter(|&case| patients.male[case] == male)
            .collect();
        let scores: Vec<f64> = members.iter().map(|&case| patients.s100b[case]).collect();
        let truth: Vec<bool> = members.iter().map(|&case| patients.truth[case]).collect();
        Roc::new(&scores, &truth).unwrap()
    };
    let got = compare_unpaired(&group(true), &group(false), Confidence::NINETY_FIVE).unwrap();
    let test = &r["unpaired_test_s100b_by_gender"];
    near(
        "unpaired",
        got.statistic,
        test["statistic"].as_f64().unwrap(),
        RELATIVE,
    );
    near(
        "unpaired",
        got.p_value,
        test["p"].as_f64().unwrap(),
        RELATIVE,
    );
}

#[test]
fn curve_and_operating_points() {
    let Some(folder) = folder() else { return };
    let patients = patients(&folder);
    let r = expected(&folder, "proc_asah_expected.json");
    for (name, scores) in [
        ("s100b", &patients.s100b),
        ("wfns", &patients.wfns),
        ("ndka", &patients.ndka),
    ] {
        let points = Roc::new(scores, &patients.truth).unwrap().points();
        let column = |key: &str| r[name]["curve"][key].as_array().unwrap().clone();
        let pairs = column("sens").into_iter().zip(column("spec"));
        assert_eq!(points.len(), column("sens").len());
        for (point, (sensitivity, specificity)) in points.iter().rev().zip(pairs) {
            near(
                name,
                point.sensitivity,
                sensitivity.as_f64().unwrap(),
                1e-14,
            );
            near(
                name,
                point.specificity,
                specificity.as_f64().unwrap(),
                1e-14,
            );
        }
        check_best(name, &points, &r[name]);
    }
    // Youden's point: sensitivity 26/41, specificity 58/72, PPV 0.65, NPV 0.7945.
    let roc = Roc::new(&patients.s100b, &patients.truth).unwrap();
    let table = roc.at_specificity(0.8).unwrap().table;
    assert_eq!((table.true_positives, table.true_negatives), (26, 58));
    near(
        "ppv",
        table.positive_predictive_value().unwrap().value(),
        0.65,
        RELATIVE,
    );
    let npv = table.negative_predictive_value().unwrap().value();
    near("npv", npv, 0.794520547945205, RELATIVE);
}

/// The corners of largest Youden index and nearest to the upper left.
fn check_best(name: &str, points: &[RocPoint], expected: &Value) {
    check_corner(name, points, &expected["youden"][0], |p| {
        p.sensitivity + p.specificity
    });
    check_corner(name, points, &expected["closest"][0], |p| {
        -(1.0 - p.sensitivity).hypot(1.0 - p.specificity)
    });
}

/// The reference's corner is one of ours, and no other has a larger value.
fn check_corner(name: &str, points: &[RocPoint], row: &Value, value: impl Fn(&RocPoint) -> f64) {
    let rate = |rate: &str| row[rate].as_f64().unwrap();
    let theirs = points.iter().find(|p| {
        (p.sensitivity - rate("sensitivity")).abs() < 1e-12
            && (p.specificity - rate("specificity")).abs() < 1e-12
    });
    let theirs = theirs.unwrap_or_else(|| panic!("{name}: no corner {row}"));
    let best = points.iter().map(&value).fold(f64::NEG_INFINITY, f64::max);
    near(name, value(theirs), best, 1e-12);
}

/// pROC's bootstrap is drawn within each class by another generator: seeds and rule differ.
#[test]
fn bootstrap_intervals_are_near_to_those_of_others() {
    let Some(folder) = folder() else { return };
    let patients = patients(&folder);
    let r = expected(&folder, "proc_asah_expected.json");
    let clusters = Clusters::from_labels(&(0..patients.truth.len()).collect::<Vec<_>>()).unwrap();
    for (name, scores) in [
        ("s100b", &patients.s100b),
        ("wfns", &patients.wfns),
        ("ndka", &patients.ndka),
    ] {
        let config = BootstrapConfig {
            interval: BootstrapInterval::Percentile,
            n_replicates: 2000,
            ..BootstrapConfig::with_seed(1)
        };
        let got = bootstrap_auc(scores, &patients.truth, &clusters, &config).unwrap();
        let limit = |i: usize| {
            r[name]["bootstrap_ci_2000_seed1_stochastic"][i]
                .as_f64()
                .unwrap()
        };
        for (got, expected) in [
            (got.interval.lower, limit(0)),
            (got.interval.upper, limit(2)),
        ] {
            assert!((got - expected).abs() < 0.015, "{name}: {got} {expected}");
        }
    }
}

#[test]
fn intervals_of_proportions() {
    let Some(folder) = folder() else { return };
    let r = expected(&folder, "proc_asah_expected.json");
    let python = expected(&folder, "python_asah_expected.json");
    let number = |value: &Value| value.as_f64().unwrap();
    for (name, rows) in r["binconf"].as_object().unwrap() {
        let (successes, total) = name.split_once('/').unwrap();
        let share = Proportion::new(successes.parse().unwrap(), total.parse().unwrap()).unwrap();
        let level = Confidence::NINETY_FIVE;
        let (wilson, exact) = (share.wilson(level), share.clopper_pearson(level));
        for (got, row, python_key) in [(exact, &rows[0], "beta"), (wilson, &rows[1], "wilson")] {
            let limits = [number(&row["Lower"]), number(&row["Upper"])];
            // At the ends, a limit of 0 or 1 is one of rounding.
            for (got, expected) in [(got.lower, limits[0]), (got.upper, limits[1])] {
                assert!(
                    (got - expected).abs() <= RELATIVE * expected + 1e-15,
                    "{name} {got}"
                );
            }
            if let Some(limits) = python["proportion_ci"][name][python_key].as_array() {
                near_interval(name, got, [number(&limits[0]), number(&limits[1])]);
            }
        }
    }
}

/// The probabilities that a logistic regression gives the patients.
fn logistic_model(folder: &std::path::Path) -> (Vec<f64>, Vec<bool>) {
    let mut reader = csv::Reader::from_path(folder.join("asah_logit_pred.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let truth = rows.iter().map(|row| &row[0] == "Poor").collect();
    (
        rows.iter().map(|row| row[1].parse().unwrap()).collect(),
        truth,
    )
}

#[test]
fn calibration_of_the_logistic_model() {
    let Some(folder) = folder() else { return };
    let python = expected(&folder, "python_asah_expected.json");
    let (fitted, truth) = logistic_model(&folder);
    let model = &python["logit_s100b_ndka_age"];
    let brier = brier_score(&fitted, &truth).unwrap();
    near("brier", brier, model["brier"].as_f64().unwrap(), RELATIVE);
    let loss = log_loss(&fitted, &truth).unwrap();
    near(
        "log loss",
        loss,
        model["logloss"].as_f64().unwrap(),
        RELATIVE,
    );

    let distort = |p: &f64| 1.0 / (1.0 + (-(0.6 * (p / (1.0 - p)).ln() + 0.3)).exp());
    let distorted: Vec<f64> = fitted.iter().map(distort).collect();
    let expected = &python["calibration_distorted_0.6lp_plus_0.3"];
    let line = calibration_line(&distorted, &truth, Confidence::NINETY_FIVE).unwrap();
    let large = calibration_in_the_large(&distorted, &truth).unwrap();
    let value = |key: &str| expected[key].as_f64().unwrap();
    near("slope", line.slope, value("slope"), FITTED);
    near(
        "intercept",
        line.intercept,
        value("intercept_with_slope"),
        FITTED,
    );
    near(
        "in the large",
        large,
        value("calibration_in_the_large"),
        FITTED,
    );
    near(
        "brier",
        brier_score(&distorted, &truth).unwrap(),
        value("brier"),
        RELATIVE,
    );
}

#[test]
fn the_decision_curve_of_the_logistic_model() {
    let Some(folder) = folder() else { return };
    let (predicted, truth) = logistic_model(&folder);
    let python = expected(&folder, "python_asah_expected.json");
    let rows = python["decision_curve"].as_array().unwrap();
    let mut n_compared = 0;
    for row in rows {
        let number = |key: &str| row[key].as_f64().unwrap();
        let threshold = number("threshold");
        let point = decision_curve(&predicted, &truth, &[threshold]).unwrap()[0];
        let got = match row["model"].as_str().unwrap() {
            "pred" => point.model,
            "all" => point.treat_all,
            _ => 0.0,
        };
        let what = format!("net benefit at {threshold}");
        assert!(
            (got - number("net_benefit")).abs() < 1e-12,
            "{what}: {got} {row}"
        );
        n_compared += 1;
    }
    assert_eq!(n_compared, 36);
}

#[test]
fn proportions_and_mcnemar() {
    // Quoted, so that they run without the reference folder.
    let level = Confidence::NINETY_FIVE;
    for (successes, total, wilson, exact) in [
        (
            45,
            50,
            [0.786397685625204, 0.95652423506811],
            [0.781864633565798, 0.966724906410978],
        ),
        (
            313,
            320,
            [0.9555425956762, 0.98936421494136],
            [0.955450442134406, 0.991160940464879],
        ),
        (
            1234,
            44_755,
            [0.0260953829577709, 0.0291303864825497],
            [0.0260748482070418, 0.0291315249582284],
        ),
    ] {
        let proportion = Proportion::new(successes, total).unwrap();
        near_interval("wilson", proportion.wilson(level), wilson);
        near_interval("exact", proportion.clopper_pearson(level), exact);
    }
    let ratings = PairedProportions {
        both: 794,
        only_first: 150,
        only_second: 86,
        neither: 570,
    };
    let test = ratings.mcnemar();
    near("χ²", test.statistic, 17.3559322033898, RELATIVE);
    near("p", test.p_value, 3.09929344104522e-05, RELATIVE);
    near(
        "exact p",
        test.exact_p_value,
        3.71593613957143e-05,
        RELATIVE,
    );
}
