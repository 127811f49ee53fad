//! Known answers, from the file to the result, when `LOBULE_REFERENCE` is set.

use std::path::PathBuf;

use lobule_stats::mrmc::RandomFactors;
use lobule_study::readers::{self, Readers};
use lobule_study::table::*;
use lobule_study::{Found, hybrid, standalone, survival};

use super::reference;

/// Closed forms.
const RELATIVE: f64 = 1e-9;
/// Iterative fits, and digits that were quoted.
const FITTED: f64 = 1e-6;

fn near(what: &str, got: f64, expected: f64, relative: f64) {
    assert!(
        (got - expected).abs() <= relative * expected.abs(),
        "{what}: expected {expected}, got {got}"
    );
}

fn analysed(file: PathBuf, config: &readers::Config) -> Readers {
    let study = Study::read(&file, &ReadConfig::default()).unwrap();
    readers::run(&study, config).unwrap()
}

fn json(path: PathBuf) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn van_dyke_through_the_table() {
    let Some(folder) = reference("mrmc") else {
        return;
    };
    let result = analysed(folder.join("vandyke.csv"), &readers::Config::default());
    let analysis = result.figures[0].value().unwrap();
    let difference = analysis.differences[0].difference;
    near(
        "difference",
        difference.estimate,
        -0.0438003220612,
        RELATIVE,
    );
    near("SE", difference.standard_error, 0.0207486183789, RELATIVE);
    near(
        "df",
        difference.degrees_of_freedom.unwrap(),
        15.2596745891,
        RELATIVE,
    );
    near("p", difference.p_value, 0.0516656858193, RELATIVE);
    let u = result.u_statistics.as_ref().unwrap().value().unwrap();
    near("U", u[0].difference.p_value, 0.0556466643, FITTED);
    for (random, p) in [
        (RandomFactors::Cases, 0.0192798431),
        (RandomFactors::Readers, 0.0419587525),
    ] {
        let config = readers::Config {
            random,
            ..readers::Config::default()
        };
        let result = analysed(folder.join("vandyke.csv"), &config);
        let analysis = result.figures[0].value().unwrap();
        near("p", analysis.overall.unwrap().p_value, p, FITTED);
    }
}

#[test]
fn a_reference_modality_turns_the_difference_around() {
    let Some(folder) = reference("mrmc") else {
        return;
    };
    let config = readers::Config {
        reference: Some("1".into()),
        margin: Some(0.05),
        threshold: Some(3.0),
        ..readers::Config::default()
    };
    let result = analysed(folder.join("vandyke.csv"), &config);
    assert_eq!(result.modalities, ["2", "1"]);
    let row = &result.figures[0].value().unwrap().differences[0];
    near(
        "difference",
        row.difference.estimate,
        0.0438003220612,
        RELATIVE,
    );
    let margin = row.non_inferiority.as_ref().unwrap().value().unwrap();
    assert!(margin.p_value < 0.001);
    let decisions = result.at_threshold.unwrap();
    assert_eq!(decisions.readers.len(), 10);
    assert!(decisions.sensitivity.mrmc.value().is_some());
    assert!(decisions.sensitivity.gee.value().is_some());
}

#[test]
fn marks_through_the_table() {
    let Some(folder) = reference("froc") else {
        return;
    };
    let result = analysed(
        folder.join("dataset04_marks.csv"),
        &readers::Config::default(),
    );
    let analysis = result.figures[0].value().unwrap();
    let test = analysis.overall.unwrap();
    near("F", test.statistic, 7.8002996671, RELATIVE);
    near("df", test.denominator_df.unwrap(), 36.7933427, FITTED);
    assert_eq!(analysis.differences.len(), 10);
}

#[test]
fn the_nyu_reader_study_through_the_table() {
    let Some(folder) = reference("nyu-reader-study") else {
        return;
    };
    let config = ReadConfig {
        wide: Some(WideColumns {
            readers: vec!["Reader*".into()],
            algorithms: vec!["AI_GMIC_top5*".into()],
        }),
        case_columns: vec!["case_ID".into(), "side".into()],
        truth_column: Some("label".into()),
        group_columns: vec!["side".into()],
        ..ReadConfig::default()
    };
    let study = Study::read(&folder.join("scores.csv"), &config).unwrap();
    let table = study.scores().unwrap();
    assert_eq!((table.cases().len(), table.n_positive()), (1440, 61));
    let result = readers::run(&study, &readers::Config::default()).unwrap();
    assert_eq!(result.clusters, Some(("case_ID".into(), 720)));
    let mean = result.figures[0].value().unwrap().modalities[0].figure;
    println!("mean of readers {mean:?}");
    // The paper prints 0.778 (Wu et al. 2020).
    assert!((mean.estimate - 0.7785).abs() < 0.001, "{}", mean.estimate);
    let against = &result.algorithms[0];
    let area = against.area.value().unwrap().estimate;
    assert!((area - 0.881).abs() < 0.0005, "{area}");
    let comparison = against.comparison.value().unwrap();
    println!("readers − GMIC {comparison:?}");
    assert!(comparison.estimate < -0.09 && comparison.p_value < 0.05);
    let alone = standalone::run(table, &standalone::Config::default()).unwrap();
    let auc = alone.scores[0].auc.value().unwrap();
    assert!((auc.estimate - area).abs() < 1e-12 && auc.lower > 0.8);
    let config = hybrid::Config {
        n_replicates: 50,
        ..hybrid::Config::at(0.1)
    };
    let combined = hybrid::run(table, &config).unwrap();
    let with = &combined.algorithms[0];
    let (first, last) = (with.weights[0], with.weights[with.weights.len() - 1]);
    assert!((first.mean_auc - mean.estimate).abs() < 1e-9);
    assert!((last.mean_auc - area).abs() < 1e-9);
    let half = with.weights.iter().find(|at| at.weight == 0.5).unwrap();
    println!("hybrid {half:?}, {:?}", with.false_positive_change);
    assert!(half.mean_auc > area, "combined they are better than either");
    assert!(with.false_positive_change.value().unwrap().estimate < 0.0);
}

#[test]
fn gbsg_through_the_table() {
    let Some(folder) = reference("survival") else {
        return;
    };
    let names = [
        "age",
        "size",
        "factor(grade)",
        "nodes",
        "pgr",
        "er",
        "hormon",
        "meno",
    ];
    let columns = SurvivalColumns {
        time: "rfstime".into(),
        event: "status".into(),
        groups: vec!["grade".into()],
        covariates: names.map(str::to_owned).to_vec(),
        ..SurvivalColumns::default()
    };
    let table = SurvivalTable::read(&folder.join("gbsg.csv"), &columns).unwrap();
    let result = survival::run(&table, &survival::Config::default()).unwrap();
    let grades = &result.groupings[0];
    let labels: Vec<&str> = grades
        .curves
        .iter()
        .map(|curve| curve.label.as_str())
        .collect();
    assert_eq!(labels, ["1", "2", "3"]);
    assert_eq!(grades.curves[1].median.estimate, Some(1730.0));
    let test = grades.log_rank.value().unwrap();
    near("log-rank", test.statistic, 21.0944345875, RELATIVE);
    let grade = result.univariable[2].value().unwrap();
    near(
        "HR 2",
        grade.terms[0].hazard_ratio.estimate,
        2.391202,
        FITTED,
    );
    near(
        "HR 3",
        grade.terms[1].hazard_ratio.estimate,
        3.170052,
        FITTED,
    );
    let Some(Found::Value(model)) = &result.multivariable else {
        panic!("fitted")
    };
    let c = model.concordance.value().unwrap();
    near("C", c.estimate, 0.691851028015, RELATIVE);
    let global = model.proportional_hazards_global.unwrap();
    near("zph", global.statistic, 24.4210928, FITTED);
    let expected = json(folder.join("expected.json"));
    assert!(expected["gbsg"]["multi"].is_object());
}

#[test]
fn asah_alone_through_the_table() {
    let Some(folder) = reference("roc") else {
        return;
    };
    // The table has no case column: rows are numbered here.
    let text = std::fs::read_to_string(folder.join("asah.csv")).unwrap();
    let mut lines = text.lines();
    let head = format!("case,{}", lines.next().unwrap());
    let rows: Vec<String> = lines
        .zip(1..)
        .map(|(line, n)| format!("{n},{line}"))
        .collect();
    let file = super::written("t.csv", &format!("{head}\n{}\n", rows.join("\n")));
    let config = ReadConfig {
        wide: Some(WideColumns {
            algorithms: vec!["s100b".into(), "wfns".into()],
            ..WideColumns::default()
        }),
        truth_column: Some("outcome".into()),
        positive: Some("Poor".into()),
        group_columns: vec!["gender".into()],
        ..ReadConfig::default()
    };
    let study = Study::read(&file.path, &config).unwrap();
    let result = standalone::run(study.scores().unwrap(), &standalone::Config::default()).unwrap();
    let s100b = result
        .scores
        .iter()
        .find(|score| score.name == "s100b")
        .unwrap();
    near(
        "AUC",
        s100b.auc.value().unwrap().estimate,
        0.731368563686,
        RELATIVE,
    );
    let ap = s100b.average_precision.value().unwrap().estimate;
    near("AP", ap, 0.685620923172, RELATIVE);
    let pair = result.comparisons[0].difference.value().unwrap();
    near("z", pair.statistic.abs(), 2.20898359144, RELATIVE);
    near("p", pair.p_value, 0.0271757822, FITTED);
    assert_eq!(s100b.subgroups.len(), 2);
}
