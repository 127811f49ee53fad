//! Every input of the references through the analysis that is meant for it, also those whose results
//! are left out: nothing fails, nothing leaves its range, and numbers that another program gave
//! (numpy for reader studies, R's `survival` 3.5 for follow-up) come out again.

use std::path::Path;

use lobule_stats::mrmc::{CovarianceMethod, RandomFactors};
use lobule_study::readers::{Analysis, Config, Readers, run};
use lobule_study::table::*;
use lobule_study::{Found, survival};

use super::reference;

/// Digits that were quoted.
const QUOTED: f64 = 1e-6;

fn near(what: &str, got: f64, expected: f64) {
    assert!(
        (got - expected).abs() <= QUOTED * expected.abs(),
        "{what}: expected {expected}, got {got}"
    );
}

fn read_as(file: &Path, config: &ReadConfig) -> Study {
    Study::read(file, config).unwrap_or_else(|e| panic!("{e}"))
}

fn read_by_case(file: &Path, case: &str) -> Study {
    let config = ReadConfig {
        case_columns: vec![case.into()],
        ..ReadConfig::default()
    };
    read_as(file, &config)
}

fn config(covariance: CovarianceMethod, random: RandomFactors) -> Config {
    Config {
        covariance,
        random,
        ..Config::default()
    }
}

fn check_analysis(what: &str, analysis: &Analysis) {
    let overall = analysis.overall.unwrap();
    assert!(overall.statistic >= 0.0, "{what}: {overall:?}");
    assert!(
        (0.0..=1.0).contains(&overall.p_value),
        "{what}: {overall:?}"
    );
    for row in &analysis.modalities {
        let figure = row.figure;
        assert!(
            figure.lower <= figure.estimate && figure.estimate <= figure.upper,
            "{what}"
        );
        assert!(
            (0.0..=1.0).contains(&figure.estimate) && row.standard_error > 0.0,
            "{what}"
        );
    }
    for row in &analysis.differences {
        let test = row.difference;
        assert!(
            test.lower <= test.estimate && test.estimate <= test.upper,
            "{what}"
        );
        assert!(
            test.p_value <= row.holm_p_value && row.holm_p_value <= 1.0,
            "{what}"
        );
    }
}

/// All covariances for what may be random; the analysis by the jackknife with both random.
fn analysed(what: &str, study: &Study) -> Readers {
    let methods = [
        CovarianceMethod::DeLong,
        CovarianceMethod::Unbiased,
        CovarianceMethod::Jackknife,
    ];
    let mut last = None;
    for random in [
        RandomFactors::Cases,
        RandomFactors::Readers,
        RandomFactors::ReadersAndCases,
    ] {
        for method in methods {
            let what = format!("{what}, {method:?}, {random:?}");
            let result =
                run(study, &config(method, random)).unwrap_or_else(|e| panic!("{what}: {e}"));
            for figure in &result.figures {
                let Found::Value(analysis) = figure else {
                    panic!("{what}: {figure:?}")
                };
                check_analysis(&what, analysis);
            }
            last = Some(result);
        }
    }
    last.unwrap()
}

/// F, its denominator's degrees of freedom and p.
fn check_test(what: &str, result: &Readers, [f, df, p]: [f64; 3]) {
    let test = result.figures[0].value().unwrap().overall.unwrap();
    near(what, test.statistic, f);
    near(what, test.denominator_df.unwrap(), df);
    near(what, test.p_value, p);
}

#[test]
fn every_reader_study() {
    let Some(folder) = reference("mrmc") else {
        return;
    };
    let franken = analysed(
        "Franken",
        &read_by_case(&folder.join("franken.csv"), "case"),
    );
    check_test(
        "Franken",
        &franken,
        [4.694_057_724_957_608, 3.0, 0.118_837_857_481_057],
    );
    let example = folder.join("imrmc_dfMRMC_example.csv");
    let example = analysed("iMRMC", &read_as(&example, &ReadConfig::default()));
    let expected = [
        3.246_156_939_933_848,
        46.025_433_443_681,
        0.078_143_426_425_083,
    ];
    check_test("iMRMC", &example, expected);
    let u = example.u_statistics.unwrap();
    assert!(u.value().unwrap()[0].difference.p_value < 0.15);
    // Two modalities share their cases, the third has its own.
    let kundel = analysed("Kundel", &read_by_case(&folder.join("kundel.csv"), "case"));
    assert_eq!((kundel.n_readers, kundel.n_cases), (4, 190));
    // Each reader, or each modality, with cases of its own.
    for (case, n_cases) in [("case2", 570), ("case3", 228)] {
        let nested = analysed(case, &read_by_case(&folder.join("vandyke.csv"), case));
        assert_eq!(nested.n_cases, n_cases);
    }
}

#[test]
fn every_set_of_marks() {
    let Some(folder) = reference("froc") else {
        return;
    };
    let about = std::fs::read_to_string(folder.join("datasets.json")).unwrap();
    let about: serde_json::Value = serde_json::from_str(&about).unwrap();
    let sets: Vec<Readers> = (1..=6)
        .map(|set| {
            let file = folder.join(format!("dataset0{set}_marks.csv"));
            let study = read_as(&file, &ReadConfig::default());
            let result = run(&study, &Config::default()).unwrap();
            let about = &about[format!("dataset0{set}")];
            let count = |key: &str| about[key].as_u64().unwrap() as usize;
            let n_readers = about["readers"].as_array().unwrap().len();
            assert_eq!(result.n_readers, n_readers, "set {set}");
            assert_eq!(result.n_positive, count("diseased"), "set {set}");
            assert_eq!(
                result.n_cases,
                count("diseased") + count("non_diseased"),
                "set {set}"
            );
            assert_eq!(result.figures.len(), 3, "set {set}");
            for figure in &result.figures {
                check_analysis(&format!("set {set}"), figure.value().unwrap());
            }
            result
        })
        .collect();
    // Sets 2 and 3 are Van Dyke and Franken: one mark per case.
    for (set, f) in [(1, 4.456_318_693_157), (2, 4.694_057_724_957_6)] {
        let highest = sets[set].figures[2].value().unwrap();
        near(&highest.figure, highest.overall.unwrap().statistic, f);
    }
    let alone = read_as(
        &folder.join("datasetCadLroc_marks.csv"),
        &ReadConfig::default(),
    );
    let result = run(&alone, &Config::default()).unwrap();
    assert_eq!(result.n_readers, 10);
    for figure in &result.figures {
        assert!(
            figure.value().unwrap().overall.is_none(),
            "one modality has no test"
        );
    }
}

fn followed(file: &Path, columns: SurvivalColumns) -> survival::Survival {
    let table = SurvivalTable::read(file, &columns).unwrap();
    let result = survival::run(&table, &survival::Config::default()).unwrap();
    for grouping in &result.groupings {
        let test = grouping.log_rank.value().unwrap();
        assert!((0.0..=1.0).contains(&test.p_value));
    }
    result
}

fn columns(time: &str, event: &str, group: &str, covariates: &[&str]) -> SurvivalColumns {
    SurvivalColumns {
        time: time.into(),
        event: event.into(),
        groups: vec![group.into()],
        covariates: covariates.iter().map(|&name| name.to_owned()).collect(),
        ..SurvivalColumns::default()
    }
}

/// The log-rank test, each coefficient, the concordance and the joint test of proportional hazards.
fn check_survival(
    what: &str,
    result: &survival::Survival,
    log_rank: f64,
    coefficients: &[f64],
    [concordance, proportional]: [f64; 2],
) {
    let test = result.groupings[0].log_rank.value().unwrap();
    near(what, test.statistic, log_rank);
    let model = result.multivariable.as_ref().unwrap().value().unwrap();
    assert_eq!(model.terms.len(), coefficients.len(), "{what}");
    for (term, expected) in model.terms.iter().zip(coefficients) {
        near(
            &format!("{what} {}", term.covariate),
            term.coefficient,
            *expected,
        );
    }
    near(
        what,
        model.concordance.value().unwrap().estimate,
        concordance,
    );
    near(
        what,
        model.proportional_hazards_global.unwrap().statistic,
        proportional,
    );
}

#[test]
fn every_cohort() {
    let Some(folder) = reference("survival") else {
        return;
    };
    let names = ["trt", "celltype", "karno", "diagtime", "age", "prior"];
    let veteran = columns("time", "status", "celltype", &names);
    let veteran = followed(&folder.join("veteran.csv"), veteran);
    let expected = [
        2.946_028_215_08e-01,
        -7.947_747_198_48e-01,
        -3.345_059_114_24e-01,
        -1.196_066_374_18,
        -3.281_532_619_43e-02,
        8.132_051_304_62e-05,
        -8.706_474_945_79e-03,
        7.159_360_189_51e-03,
    ];
    let rest = [0.736_029_077_692, 34.552_491_105_732_8];
    check_survival("veteran", &veteran, 25.403_700_345_8, &expected, rest);

    let names = ["age", "size", "factor(grade)", "nodes", "hormon", "chemo"];
    let rotterdam = SurvivalColumns {
        reference: ["<=20", ">50", "20-50"].map(str::to_owned).to_vec(),
        ..columns("rtime", "recur", "grade", &names)
    };
    let rotterdam = followed(&folder.join("rotterdam.csv"), rotterdam);
    let expected = [
        -0.008_515_491_465_62,
        0.628_790_528_371_38,
        0.367_882_684_576_33,
        0.376_624_456_950_03,
        0.078_861_246_882_70,
        -0.070_998_091_464_30,
        -0.145_011_803_682_92,
    ];
    let rest = [0.678_599_724_991_14, 44.154_676_093_509];
    check_survival("rotterdam", &rotterdam, 68.163_036_705_1, &expected, rest);
    let deaths = columns("dtime", "death", "grade", &["nodes"]);
    let deaths = followed(&folder.join("rotterdam.csv"), deaths);
    let medians = deaths.groupings[0]
        .curves
        .iter()
        .map(|curve| curve.median.estimate);
    assert_eq!(medians.collect::<Vec<_>>(), [Some(5653.0), Some(3700.0)]);

    let sex = columns("time", "status", "sex", &["age", "factor(sex)", "ph.ecog"]);
    let lung = SurvivalColumns {
        event_word: Some("2".into()),
        ..sex
    };
    let lung = followed(&folder.join("lung.csv"), lung);
    assert_eq!(lung.n_incomplete, 1);
}
