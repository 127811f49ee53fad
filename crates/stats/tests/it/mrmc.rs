//! Reader studies: known answers of other programs here, designs, models and simulations below.

mod designs;
mod models;
pub(crate) mod simulation;

use std::collections::BTreeMap;
use std::path::PathBuf;

use lobule_stats::Confidence;
use lobule_stats::mrmc::*;
use lobule_stats::roc::RateRange;
use serde_json::Value;

/// Closed forms; the references print 15 digits.
const RELATIVE: f64 = 1e-9;
/// Iterative fits.
const FITTED: f64 = 1e-6;
const LEVEL: Confidence = Confidence::NINETY_FIVE;
/// What MRMCaov calls the three choices.
const RANDOM: [(&str, RandomFactors); 3] = [
    ("RRRC", RandomFactors::ReadersAndCases),
    ("FRRC", RandomFactors::Cases),
    ("RRFC", RandomFactors::Readers),
];

pub(crate) fn reference(path: &str) -> Option<PathBuf> {
    let found = std::env::var_os("LOBULE_REFERENCE").map(|root| PathBuf::from(root).join(path));
    if found.is_none() {
        println!("skipped: {path} (LOBULE_REFERENCE is not set)");
    }
    found
}

fn json(path: PathBuf) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn near(what: &str, got: f64, expected: f64) {
    near_within(what, got, expected, RELATIVE);
}

fn near_within(what: &str, got: f64, expected: f64, relative: f64) {
    // The floor is a rounding of differences of numbers near one.
    let allowed = relative * expected.abs() + 1e-15;
    assert!(
        (got - expected).abs() <= allowed,
        "{what}: expected {expected}, got {got}"
    );
}

/// Compares named values; a reference without one of them fails.
pub(crate) fn all_near(what: &str, reference: &Value, values: &[(&str, f64)]) {
    for (key, got) in values {
        let expected = reference[*key].as_f64();
        let expected = expected.unwrap_or_else(|| panic!("{what}: no {key} in {reference}"));
        near(&format!("{what} {key}"), *got, expected);
    }
}

/// Columns reader, treatment, case, truth, rating of a reference table.
fn study_from(path: PathBuf) -> ReaderStudy {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let columns = ["reader", "treatment", "case", "truth", "rating"].map(column);
    let mut rows: Vec<Vec<String>> = reader
        .records()
        .map(|row| {
            columns
                .map(|c| row.as_ref().unwrap()[c].to_owned())
                .to_vec()
        })
        .collect();
    rows.sort_by_key(|row| [1, 0, 2].map(|c| row[c].parse::<u32>().unwrap()));
    let truth: BTreeMap<&str, bool> = rows.iter().map(|r| (r[2].as_str(), r[3] == "1")).collect();
    let ratings = rows.iter().map(|row| Rating {
        reader: &row[0],
        modality: &row[1],
        case: &row[2],
        rating: row[4].parse().unwrap(),
    });
    ReaderStudy::new(truth, ratings).unwrap()
}

fn van_dyke() -> Option<ReaderStudy> {
    Some(study_from(reference("mrmc/vandyke.csv")?))
}

fn analysis(study: &ReaderStudy, figure: Figure, method: CovarianceMethod) -> OrAnalysis {
    let table = FigureTable::new(study, figure, method).unwrap();
    obuchowski_rockette(&table, RandomFactors::ReadersAndCases, LEVEL).unwrap()
}

/// Every number of one MRMCaov summary.
fn check_summary(what: &str, summary: &Value, analysis: &OrAnalysis) {
    check_components(what, summary, &analysis.components);
    check_test(what, &summary["test_equality"][0], analysis);
    for (index, difference) in analysis.differences.iter().enumerate() {
        let expected = &summary["test_diffs"][index];
        let statistic = if analysis.random == RandomFactors::Cases {
            "z"
        } else {
            "t"
        };
        check_contrast(what, expected, &difference.contrast, statistic);
    }
    for (index, mean) in analysis.modalities.iter().enumerate() {
        check_mean(what, &summary["test_means"][index], analysis.random, mean);
    }
    if analysis.random == RandomFactors::Cases {
        for (index, difference) in analysis.reader_differences.iter().enumerate() {
            let expected = &summary["reader_test_diffs"][index];
            check_contrast(what, expected, &difference.contrast, "z");
        }
        for (index, mean) in analysis.readers.iter().enumerate() {
            let values = [
                ("StdErr", mean.standard_error),
                ("CI.Lower", mean.interval.lower),
                ("CI.Upper", mean.interval.upper),
            ];
            all_near(what, &summary["reader_means"][index], &values);
        }
    }
}

fn check_components(what: &str, summary: &Value, components: &Components) {
    let Some(expected) = summary["vcov_comps"].as_array() else {
        return;
    };
    let values = [
        components.reader.unwrap(),
        components.interaction.unwrap(),
        components.error,
        components.cov1,
        components.cov2,
        components.cov3,
    ];
    assert_eq!(expected.len(), values.len());
    for (row, got) in expected.iter().zip(values) {
        near(
            &format!("{what} {}", row["_row"]),
            got,
            row["Estimate"].as_f64().unwrap(),
        );
    }
}

fn check_test(what: &str, expected: &Value, analysis: &OrAnalysis) {
    let test = analysis.test.unwrap();
    let squares = analysis.mean_squares;
    all_near(
        what,
        expected,
        &[
            ("MS(T)", squares.modality.unwrap()),
            ("p-value", test.p_value),
        ],
    );
    match analysis.random {
        RandomFactors::Cases => all_near(
            what,
            expected,
            &[
                ("X2", test.statistic),
                ("df", test.numerator_df),
                ("Denominator", test.denominator),
            ],
        ),
        _ => all_near(
            what,
            expected,
            &[
                ("F", test.statistic),
                ("df1", test.numerator_df),
                ("df2", test.denominator_df.unwrap()),
                ("MS(T:R)", squares.interaction.unwrap()),
            ],
        ),
    }
}

fn check_contrast(what: &str, expected: &Value, got: &Contrast, statistic: &str) {
    let values = [
        ("Estimate", got.estimate),
        ("StdErr", got.standard_error),
        (statistic, got.statistic),
        ("p-value", got.p_value),
        ("CI.Lower", got.interval.lower),
        ("CI.Upper", got.interval.upper),
    ];
    all_near(what, expected, &values);
    assert_eq!(
        expected["df"].as_f64().is_some(),
        got.degrees_of_freedom.is_some()
    );
    if let Some(df) = got.degrees_of_freedom {
        all_near(what, expected, &[("df", df)]);
    }
}

fn check_mean(what: &str, expected: &Value, random: RandomFactors, got: &ModalityEstimate) {
    let values = [
        ("Estimate", got.estimate),
        ("StdErr", got.standard_error),
        ("CI.Lower", got.interval.lower),
        ("CI.Upper", got.interval.upper),
    ];
    all_near(what, expected, &values);
    if random != RandomFactors::Readers {
        all_near(what, expected, &[("Cov2", got.cov2)]);
    }
    match random {
        RandomFactors::Cases => all_near(what, expected, &[("Var(Error)", got.error)]),
        _ => {
            let df = got.degrees_of_freedom.unwrap();
            all_near(
                what,
                expected,
                &[("df", df), ("MS(R)", got.reader_square.unwrap())],
            );
        }
    }
}

fn check_figures(what: &str, expected: &Value, name: &str, table: &FigureTable) {
    for (row, &(modality, reader)) in expected.as_array().unwrap().iter().zip(table.places()) {
        near(
            what,
            table.estimate(modality, reader).unwrap(),
            row[name].as_f64().unwrap(),
        );
        assert_eq!(row["treatment"], table.modalities()[modality].as_str());
        assert_eq!(row["reader"], table.readers()[reader].as_str());
    }
}

#[test]
fn van_dyke_by_obuchowski_and_rockette() {
    let Some(study) = van_dyke() else { return };
    let expected = json(reference("mrmc/or_vandyke_expected.json").unwrap());
    for (name, method) in [
        ("jackknife", CovarianceMethod::Jackknife),
        ("DeLong", CovarianceMethod::DeLong),
        ("unbiased", CovarianceMethod::Unbiased),
    ] {
        let table = FigureTable::new(&study, Figure::Auc, method).unwrap();
        for (label, random) in RANDOM {
            let what = format!("{name} {label}");
            let expected = &expected[format!("VanDyke|empirical_auc|{name}|{label}")];
            check_figures(&what, &expected["auc"], "empirical_auc", &table);
            if let Some(matrix) = expected["cov_matrix"].as_array() {
                for (a, row) in matrix.iter().enumerate() {
                    for (b, value) in row.as_array().unwrap().iter().enumerate() {
                        near(&what, table.covariance(a, b), value.as_f64().unwrap());
                    }
                }
            }
            let got = obuchowski_rockette(&table, random, LEVEL).unwrap();
            check_summary(&what, &expected["summary"], &got);
        }
    }
}

#[test]
fn van_dyke_with_other_figures() {
    let Some(study) = van_dyke() else { return };
    let expected = json(reference("mrmc/or_vandyke_other_metrics_expected.json").unwrap());
    let part = RateRange::specificity(0.8, 1.0).unwrap();
    for (key, name, figure) in [
        (
            "empirical_auc(truth,rating,partial='specificity',min=0.8,max=1)",
            "empirical_auc",
            Figure::PartialAuc(part),
        ),
        (
            "empirical_spec(truth,rating,sens=0.8)",
            "empirical_spec",
            Figure::SpecificityAtSensitivity(0.8),
        ),
    ] {
        let table = FigureTable::new(&study, figure, CovarianceMethod::Jackknife).unwrap();
        check_figures(key, &expected[key]["metric"], name, &table);
        let random = RandomFactors::ReadersAndCases;
        let got = obuchowski_rockette(&table, random, LEVEL).unwrap();
        check_summary(key, &expected[key]["summary"], &got);
    }
    // Quoted: binary sensitivity, ratings of 3 and more being positive.
    let binary = analysis(
        &study,
        Figure::Sensitivity { threshold: 3.0 },
        CovarianceMethod::Jackknife,
    );
    near_within(
        "binary sensitivity",
        binary.test.unwrap().p_value,
        0.0200882,
        2e-6,
    );
}

#[test]
fn quoted_numbers_of_van_dyke() {
    let Some(study) = van_dyke() else { return };
    let table = FigureTable::new(&study, Figure::Auc, CovarianceMethod::Jackknife).unwrap();
    let p = |random| {
        obuchowski_rockette(&table, random, LEVEL)
            .unwrap()
            .test
            .unwrap()
            .p_value
    };
    let both = analysis(&study, Figure::Auc, CovarianceMethod::Jackknife).differences[0].contrast;
    near("difference", both.estimate, -0.0438003220612);
    near("error", both.standard_error, 0.0207486183789);
    near("df", both.degrees_of_freedom.unwrap(), 15.2596745891);
    near("p", both.p_value, 0.0516656858193);
    // Quoted to nine digits.
    near_within("fixed readers", p(RandomFactors::Cases), 0.0192798431, 3e-9);
    near_within("fixed cases", p(RandomFactors::Readers), 0.0419587525, 3e-9);
    let by_moments = |moments| {
        let result = u_statistics(&study, moments, LEVEL).unwrap();
        result.differences[0].student.p_value
    };
    near(
        "unbiased",
        by_moments(MomentEstimate::Unbiased),
        0.0556466643,
    );
    near(
        "empirical",
        by_moments(MomentEstimate::Empirical),
        0.0914017381,
    );
}

#[test]
fn van_dyke_by_u_statistics() {
    let Some(study) = van_dyke() else { return };
    let expected = json(reference("mrmc/imrmc_expected.json").unwrap());
    let expected = &expected["VanDyke"];
    for (moments, rows, name) in [
        (MomentEstimate::Unbiased, &expected["Ustat"], "Ustat"),
        (MomentEstimate::Empirical, &expected["MLEstat"], "MLE"),
    ] {
        let got = u_statistics(&study, moments, LEVEL).unwrap();
        for (index, mean) in got.modalities.iter().enumerate() {
            let values = [
                ("AUCA", mean.estimate),
                ("varAUCA", mean.variance),
                ("dfBDG", mean.degrees_of_freedom.unwrap()),
                ("botCIBDG", mean.interval.lower),
                ("topCIBDG", mean.interval.upper),
            ];
            all_near(name, &rows[index], &values);
        }
        let difference = &got.differences[0];
        let values = [
            ("AUCAminusAUCB", difference.normal.estimate),
            ("varAUCAminusAUCB", difference.variance),
            ("pValueNormal", difference.normal.p_value),
            ("botCInormal", difference.normal.interval.lower),
            ("topCInormal", difference.normal.interval.upper),
            ("dfBDG", difference.degrees_of_freedom.unwrap()),
            ("pValueBDG", difference.student.p_value),
            ("botCIBDG", difference.student.interval.lower),
            ("topCIBDG", difference.student.interval.upper),
        ];
        all_near(name, &rows[2], &values);
        let moments = [
            &got.modalities[0].moments,
            &got.modalities[1].moments,
            &difference.cross_moments,
        ];
        check_decomposition(name, &expected["varDecomp"], moments);
    }
}

fn check_decomposition(name: &str, expected: &Value, moments: [&PairMoments; 3]) {
    for (index, moments) in moments.into_iter().enumerate() {
        let of = |kind: &str, what: &str| expected[kind][name][what][index].clone();
        for k in 0..8 {
            let key = format!("M{}", k + 1);
            all_near(name, &of("BDG", "comp"), &[(&key, moments.moments[k])]);
            all_near(name, &of("BDG", "coeff"), &[(&key, moments.weights[k])]);
        }
        for (what, got) in [
            ("comp", moments.components()),
            ("coeff", moments.component_weights()),
        ] {
            let values = [
                ("N", got.healthy),
                ("D", got.diseased),
                ("ND", got.healthy_diseased),
                ("R", got.readers),
                ("NR", got.readers_healthy),
                ("DR", got.readers_diseased),
                ("RND", got.readers_healthy_diseased),
            ];
            all_near(name, &of("BCK", what), &values);
        }
    }
}

#[test]
fn unbiased_variances_of_each_reader() {
    let Some(study) = van_dyke() else { return };
    let expected = json(reference("mrmc/imrmc_expected.json").unwrap());
    let table = FigureTable::new(&study, Figure::Auc, CovarianceMethod::Unbiased).unwrap();
    for row in expected["VanDyke"]["perReader"].as_array().unwrap() {
        let index = |key: &str| row[key].as_str().and_then(|v| v[1..].parse::<usize>().ok());
        let reader = index("readerID").unwrap() - 1;
        let modality = index("modalityA").unwrap() - 1;
        let (a, other) = (modality * 5 + reader, index("modalityB"));
        let values = [
            ("AUCA", table.estimate(modality, reader).unwrap()),
            ("varAUCA", table.covariance(a, a)),
        ];
        all_near("reader", row, &values);
        if let Some(b) = other
            .filter(|_| row["modalityB"] != "NO_MOD")
            .map(|m| (m - 1) * 5 + reader)
        {
            let variance =
                table.covariance(a, a) + table.covariance(b, b) - 2.0 * table.covariance(a, b);
            all_near("reader", row, &[("varAUCAminusAUCB", variance)]);
        }
    }
}
