//! Clustered areas and hybrids against `golden/decision_golden.json` and the script beside it, laws
//! of decisions, and the reader study of breasts in exams.

use lobule_stats::decision_curve::decision_curve;
use lobule_stats::hybrid::{
    Combination, Folds, cross_fitted_logistic, fit_logistic_combination, hybrid_by_weight,
};
use lobule_stats::mrmc::{
    CovarianceMethod, Figure, FigureTable, RandomFactors, Rating, ReaderStudy, obuchowski_rockette,
};
use lobule_stats::roc::{Roc, compare_paired_by_cluster};
use lobule_stats::{Clusters, Confidence};
use serde_json::Value;

use super::mrmc::{near, reference};

/// Iterative fits: each program stops by a rule of its own.
const FITTED: f64 = 1e-8;

struct Golden {
    first: Vec<f64>,
    second: Vec<f64>,
    truth: Vec<bool>,
    clusters: Clusters,
    values: Value,
}

fn golden() -> Golden {
    let values: Value = serde_json::from_str(include_str!("golden/decision_golden.json")).unwrap();
    let list = |name: &str| -> Vec<f64> {
        let numbers = values[name].as_array().unwrap();
        numbers.iter().map(|v| v.as_f64().unwrap()).collect()
    };
    let patients: Vec<usize> = list("patients").iter().map(|&p| p as usize).collect();
    Golden {
        first: list("first"),
        second: list("second"),
        truth: list("truth").iter().map(|&t| t > 0.5).collect(),
        clusters: Clusters::from_labels(&patients).unwrap(),
        values,
    }
}

#[test]
fn clustered_areas_are_those_of_all_pairs() {
    let golden = golden();
    let number = |name: &str| golden.values[name].as_f64().unwrap();
    let of = |name: &str, index: usize| golden.values[name][index].as_f64().unwrap();
    let first = Roc::new(&golden.first, &golden.truth).unwrap();
    let second = Roc::new(&golden.second, &golden.truth).unwrap();
    for (index, roc) in [&first, &second].into_iter().enumerate() {
        near("area", roc.auc(), of("areas", index));
        let variance = roc.auc_variance_by_cluster(&golden.clusters).unwrap();
        near("variance", variance, of("variances", index));
        assert!((variance / roc.auc_variance().unwrap() - 1.0).abs() > 0.01);
    }
    let covariance = first.auc_covariance_by_cluster(&second, &golden.clusters);
    near("covariance", covariance.unwrap(), number("covariance"));
    let level = Confidence::NINETY_FIVE;
    let test = compare_paired_by_cluster(&first, &second, &golden.clusters, level).unwrap();
    let variance = of("variances", 0) + of("variances", 1) - 2.0 * number("covariance");
    near("difference", test.standard_error, variance.sqrt());
}

#[test]
fn logistic_hybrids_agree() {
    let golden = golden();
    let fit = fit_logistic_combination(&golden.first, &golden.second, &golden.truth).unwrap();
    let expected = &golden.values["logistic"];
    for (index, got) in [fit.intercept, fit.reader, fit.ai].into_iter().enumerate() {
        let expected = expected[index].as_f64().unwrap();
        assert!(
            (got - expected).abs() < FITTED * expected.abs(),
            "{got} {expected}"
        );
    }
    let folds = Folds::LeaveOneClusterOut;
    let (reader, ai) = (&golden.first, &golden.second);
    let honest = cross_fitted_logistic(reader, ai, &golden.truth, &golden.clusters, folds);
    let expected = golden.values["held_out_first_case"].as_f64().unwrap();
    assert!((honest.unwrap()[0] - expected).abs() < FITTED);
}

#[test]
fn hybrids_at_the_ends_are_reader_and_algorithm() {
    let golden = golden();
    let (reader, ai) = (&golden.first, &golden.second);
    let areas = hybrid_by_weight(reader, ai, &golden.truth, &[0.0, 0.5, 1.0]).unwrap();
    let auc = |scores: &[f64]| Roc::new(scores, &golden.truth).unwrap().auc();
    assert_eq!((areas[0].auc, areas[2].auc), (auc(reader), auc(ai)));
    let mean = Combination::Mean.scores(reader, ai).unwrap();
    assert_eq!(areas[1].auc, auc(&mean));
}

#[test]
fn rising_maps_of_a_probability_keep_the_shape_of_its_decision_curve() {
    // The benefit depends on the cases flagged only: thresholds mapped alike flag the same.
    let golden = golden();
    let p: Vec<f64> = golden
        .second
        .iter()
        .map(|s| s.clamp(0.0, 2.0) / 2.0)
        .collect();
    let curve = decision_curve(&p, &golden.truth, &[0.3, 0.45]).unwrap();
    let squared: Vec<f64> = p.iter().map(|p| p * p).collect();
    let other = decision_curve(&squared, &golden.truth, &[0.3 * 0.3, 0.45 * 0.45]).unwrap();
    for (a, b) in curve.iter().zip(&other) {
        assert_eq!(a.n_flagged, b.n_flagged);
    }
}

/// 1,440 breasts of 720 exams, 14 radiologists.
#[test]
fn breasts_of_an_exam_are_a_cluster_of_a_reader_study() {
    let Some(path) = reference("nyu-reader-study/scores.csv") else {
        return;
    };
    let mut table = csv::Reader::from_path(path).unwrap();
    let headers = table.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let breast = |row: &csv::StringRecord| format!("{}{}", &row[0], &row[1]);
    let names: Vec<String> = rows.iter().map(breast).collect();
    let exams: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    let truth: Vec<bool> = rows
        .iter()
        .map(|row| row[2].parse::<f64>().unwrap() > 0.5)
        .collect();
    let readers: Vec<usize> = (0..headers.len())
        .filter(|&column| headers[column].starts_with("Reader"))
        .collect();
    let ratings = rows.iter().zip(&names).flat_map(|(row, case)| {
        readers.iter().map(|&column| Rating {
            reader: &headers[column],
            modality: "alone",
            case,
            rating: row[column].parse().unwrap(),
        })
    });
    let labels = names.iter().map(String::as_str).zip(truth.iter().copied());
    let study = ReaderStudy::new(labels, ratings).unwrap();
    let error = |study: &ReaderStudy, method| {
        let table = FigureTable::new(study, Figure::Auc, method).unwrap();
        let random = RandomFactors::ReadersAndCases;
        let analysis = obuchowski_rockette(&table, random, Confidence::NINETY_FIVE).unwrap();
        let mean = &analysis.modalities[0];
        println!(
            "{method:?}: mean area {:.6}, standard error {:.6}, cov2 {:.3e}",
            mean.estimate, mean.standard_error, mean.cov2
        );
        (mean.estimate, mean.standard_error)
    };
    let plain = error(&study, CovarianceMethod::DeLong);
    let study = study.with_clusters(&exams).unwrap();
    let delong = error(&study, CovarianceMethod::DeLong);
    let jackknife = error(&study, CovarianceMethod::Jackknife);
    // Published: mean reader area 0.778, by a rounding of its own.
    assert!((plain.0 - 0.778).abs() < 1e-3, "{}", plain.0);
    assert_eq!(plain.0, delong.0);
    // Two estimates of one variance, from 720 clusters.
    assert!((delong.1 / jackknife.1 - 1.0).abs() < 0.02);
}
