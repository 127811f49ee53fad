//! Partial areas on the aSAH data, as pROC and scikit-learn print them, and readings between the
//! corners of its curves.

use std::path::{Path, PathBuf};

use lobule_stats::roc::{RateRange, Roc};
use serde_json::Value;

/// Closed forms; the references print 15 digits.
const RELATIVE: f64 = 1e-9;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("LOBULE_REFERENCE").map(|root| PathBuf::from(root).join("roc"));
    if folder.is_none() {
        println!("skipped: partial areas of aSAH (LOBULE_REFERENCE is not set)");
    }
    folder
}

fn curve(folder: &Path, score: &str) -> Roc {
    let mut reader = csv::Reader::from_path(folder.join("asah.csv")).unwrap();
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (score, outcome) = (column(score), column("outcome"));
    let rows = reader.records().map(Result::unwrap);
    let (scores, truth): (Vec<f64>, Vec<bool>) = rows
        .map(|row| (row[score].parse::<f64>().unwrap(), &row[outcome] == "Poor"))
        .unzip();
    Roc::new(&scores, &truth).unwrap()
}

fn near(what: &str, got: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (got - expected).abs() <= RELATIVE * expected.abs(),
        "{what}: expected {expected}, got {got}"
    );
}

#[test]
fn partial_areas_and_their_correction() {
    let Some(folder) = folder() else { return };
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let expected: Value = serde_json::from_str(&text("proc_asah_expected.json")).unwrap();
    let python: Value = serde_json::from_str(&text("python_asah_expected.json")).unwrap();
    let high = RateRange::specificity(0.9, 1.0).unwrap();
    let sensitive = |from| RateRange::sensitivity(from, 1.0).unwrap();
    for name in ["s100b", "wfns", "ndka"] {
        let (roc, expected) = (curve(&folder, name), &expected[name]);
        near(name, roc.partial_auc(high), &expected["pauc_spec_90_100"]);
        near(
            name,
            roc.corrected_partial_auc(high),
            &expected["pauc_spec_90_100_mcclish"],
        );
        near(
            name,
            roc.partial_auc(sensitive(0.9)),
            &expected["pauc_sens_90_100"],
        );
        near(
            name,
            roc.partial_auc(sensitive(0.8)),
            &expected["pauc_sens_80_100"],
        );
        // pROC leaves areas below chance uncorrected.
        let corrected = roc.corrected_partial_auc(sensitive(0.9));
        match &expected["pauc_sens_90_100_mcclish"] {
            Value::Null => assert!(corrected < 0.5, "{name}: {corrected}"),
            value => near(name, corrected, value),
        }
    }
    for name in ["s100b", "ndka"] {
        let corrected = curve(&folder, name).corrected_partial_auc(high);
        near(
            name,
            corrected,
            &python[name]["roc_auc_max_fpr_0_1_mcclish"],
        );
    }
}

/// Youden's point of s100b is a corner: sensitivity 26/41, specificity 58/72.
#[test]
fn readings_at_corners_are_the_corners() {
    let Some(folder) = folder() else { return };
    let roc = curve(&folder, "s100b");
    let specificity = roc.interpolated_specificity(26.0 / 41.0).unwrap();
    let at_least = roc.at_sensitivity(26.0 / 41.0).unwrap().table;
    assert_eq!(at_least.specificity().unwrap().value(), 58.0 / 72.0);
    assert!(specificity <= 58.0 / 72.0);
    let sensitivity = roc.interpolated_sensitivity(58.0 / 72.0).unwrap();
    assert!(sensitivity <= 26.0 / 41.0);
}
