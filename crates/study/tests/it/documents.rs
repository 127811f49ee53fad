//! Every analysis on the tables of `docs/study`: results, documents and what they must contain.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use lobule_report::document::{Block, Document, write_study};
use lobule_stats::mrmc::CovarianceMethod;
use lobule_stats::triage::{SafetyNet, TriageRule};
use lobule_study::table::*;
use lobule_study::{About, calibrate, hybrid, plan, readers, standalone, survival, triage};
use serde::Serialize;

fn table(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/study")
        .join(name)
}

fn about() -> About {
    About {
        program: "Lobule test".into(),
        command: "lobule study".into(),
    }
}

fn breasts() -> Study {
    let config = ReadConfig {
        wide: Some(WideColumns {
            readers: vec!["Reader*".into()],
            algorithms: vec!["AI_*".into()],
        }),
        case_columns: vec!["exam".into(), "side".into()],
        truth_column: Some("label".into()),
        group_columns: vec!["side".into(), "density".into()],
        ..ReadConfig::default()
    };
    Study::read(&table("breasts.csv"), &config).unwrap()
}

fn modalities() -> Study {
    let config = ReadConfig {
        algorithms: vec!["AI".into()],
        ..ReadConfig::default()
    };
    Study::read(&table("modalities.csv"), &config).unwrap()
}

/// Writes the study, into `LOBULE_STUDY_OUT` where somebody wants to look at it, and returns the
/// page. Holds for every document: the foot, finite JSON, names of tables and figures once.
fn checked(name: &str, document: &Document, result: &impl Serialize) -> String {
    let folder = tempfile::tempdir().unwrap();
    let out = match std::env::var_os("LOBULE_STUDY_OUT") {
        Some(root) => PathBuf::from(root).join(name),
        None => folder.path().join(name),
    };
    let page = write_study(&out, document, result).unwrap();
    let html = std::fs::read_to_string(page).unwrap();
    for must in ["Lobule test", "SHA-256", "Confidence level"] {
        assert!(html.contains(must), "{name}: {must}");
    }
    assert!(!html.contains("NaN"), "{name}");
    let mut names: Vec<String> = Vec::new();
    for block in document.sections.iter().flat_map(|section| &section.blocks) {
        match block {
            Block::Table(table) => {
                assert!(
                    table
                        .rows
                        .iter()
                        .all(|row| row.len() == table.columns.len())
                );
                assert!(!table.caption.is_empty());
                names.push(format!("table {}", table.name));
            }
            Block::Figure(figure) => {
                let n = figure.caption.contains("n =") || figure.caption.contains("Power");
                assert!(
                    n || figure.name.starts_with("subgroups"),
                    "{name}: {}",
                    figure.caption
                );
                names.push(format!("figure {}", figure.name));
            }
            _ => {}
        }
    }
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "{name}: {names:?}");
    html
}

fn has_figure(document: &Document, name: &str) -> bool {
    let mut blocks = document.sections.iter().flat_map(|section| &section.blocks);
    blocks.any(|block| matches!(block, Block::Figure(figure) if figure.name == name))
}

#[test]
fn readers_with_and_without_help() {
    let config = readers::Config {
        reference: Some("without AI".into()),
        threshold: Some(4.0),
        margin: Some(0.05),
        ..readers::Config::default()
    };
    let result = readers::run(&modalities(), &config).unwrap();
    assert_eq!(
        (result.n_readers, result.n_cases, result.n_positive),
        (6, 160, 40)
    );
    assert_eq!(result.modalities, ["with AI", "without AI"]);
    let analysis = result.figures[0].value().unwrap();
    assert_eq!(analysis.readers.len(), 12);
    assert_eq!(analysis.reader_differences.len(), 6);
    assert!(analysis.differences[0].difference.estimate > 0.0);
    assert_eq!(result.algorithms.len(), 2);
    let document = readers::document(&result, &about());
    let html = checked("readers", &document, &result);
    for must in ["with AI − without AI", "GEE", "Hillis", "non-inferiority"] {
        assert!(html.contains(must), "{must}");
    }
    assert!(has_figure(&document, "readers") && has_figure(&document, "roc_means"));
}

#[test]
fn clusters_are_explained_by_the_covariances_that_were_used() {
    for (covariance, words) in [
        (
            CovarianceMethod::Jackknife,
            "the jackknife leaves out whole clusters",
        ),
        (
            CovarianceMethod::DeLong,
            "components are summed over each cluster",
        ),
    ] {
        let config = readers::Config {
            covariance,
            ..readers::Config::default()
        };
        let result = readers::run(&breasts(), &config).unwrap();
        let document = readers::document(&result, &about());
        let said = document.sections.iter().flat_map(|section| &section.blocks);
        let mut said =
            said.filter(|block| matches!(block, Block::Text(text) if text.contains(words)));
        assert!(said.next().is_some(), "{covariance:?}");
    }
}

#[test]
fn readers_against_algorithms_in_clusters_by_side() {
    let result = readers::run(&breasts(), &readers::Config::default()).unwrap();
    assert_eq!(result.clusters, Some(("exam".into(), 720)));
    assert_eq!(result.algorithms.len(), 3);
    let adjusted = |row: &readers::AgainstAlgorithm| row.holm_p_value.unwrap();
    assert!(result.algorithms.iter().all(|row| adjusted(row) <= 1.0));
    assert_eq!(result.subgroups[0].n_cases, 720);
    assert!(result.figures[0].value().unwrap().differences.is_empty());
    assert!(
        !result.u_figures.iter().any(|_| true),
        "clusters are refused"
    );
    let document = readers::document(&result, &about());
    let html = checked("readers-wide", &document, &result);
    assert!(html.contains("side = L") && html.contains("clustered in 720"));
}

#[test]
fn readers_of_marks() {
    let study = Study::read(&table("marks.csv"), &ReadConfig::default()).unwrap();
    let result = readers::run(&study, &readers::Config::default()).unwrap();
    assert_eq!((result.n_readers, result.n_cases), (4, 60));
    assert_eq!(result.figures.len(), 3);
    assert!(result.figures.iter().all(|figure| figure.value().is_some()));
    let document = readers::document(&result, &about());
    let html = checked("marks", &document, &result);
    assert!(html.contains("wAFROC") && has_figure(&document, "froc_1"));
}

#[test]
fn what_one_reader_does_not_allow_is_said_once_and_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(table("marks.csv")).unwrap();
    let mut firsts = text.lines().map(|line| line.split(',').next().unwrap());
    let reader = firsts.find(|first| !["reader", "truth"].contains(first));
    let reader = reader.unwrap();
    let own = |line: &&str| {
        let first = line.split(',').next().unwrap();
        ["reader", "truth", reader].contains(&first)
    };
    let file = folder.path().join("one.csv");
    let lines: Vec<&str> = text.lines().filter(own).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let study = Study::read(&file, &ReadConfig::default()).unwrap();
    let result = readers::run(&study, &readers::Config::default()).unwrap();
    assert_eq!((result.n_readers, result.figures.len()), (1, 3));
    let document = readers::document(&result, &about());
    let html = checked("one-reader", &document, &result);
    assert_eq!(
        html.matches("Not analysed: expected at least 2 readers")
            .count(),
        1
    );
    assert!(html.contains("--random cases"));
}

#[test]
fn algorithms_alone() {
    let study = breasts();
    let config = standalone::Config {
        thresholds: vec![
            standalone::ThresholdRule::Fixed(0.1),
            standalone::ThresholdRule::Sensitivity(0.9),
            standalone::ThresholdRule::FlaggedRate(0.1),
            standalone::ThresholdRule::NegativePredictiveValue(0.99),
            standalone::ThresholdRule::ReaderSensitivity(0.1),
        ],
        n_replicates: 100,
        ..standalone::Config::default()
    };
    let result = standalone::run(study.scores().unwrap(), &config).unwrap();
    assert_eq!((result.scores.len(), result.comparisons.len()), (3, 3));
    for score in &result.scores {
        assert_eq!(score.operating.len(), 5);
        assert!(
            score
                .operating
                .iter()
                .all(|row| row.decisions.value().is_some())
        );
        let counted: usize = score
            .histogram
            .healthy
            .iter()
            .chain(&score.histogram.diseased)
            .sum();
        assert_eq!(counted, 1440);
    }
    let document = standalone::document(&result, &about());
    let html = checked("standalone", &document, &result);
    assert!(html.contains("chosen on the cases they are judged on"));
    assert!(has_figure(&document, "precision_recall") && has_figure(&document, "subgroups_1"));
}

#[test]
fn readers_and_algorithm_combined() {
    let study = breasts();
    for (held, blend) in [
        (hybrid::Held::Sensitivity, hybrid::Blend::Mean),
        (
            hybrid::Held::Specificity,
            hybrid::Blend::Logistic { n_folds: 10 },
        ),
    ] {
        let config = hybrid::Config {
            held,
            blend,
            n_replicates: 40,
            ..hybrid::Config::at(0.05)
        };
        let calls = AtomicUsize::new(0);
        let watch = |done, total| {
            assert!((1..=total).contains(&done));
            assert_eq!(total, 3 * 41, "algorithms, replicates and one more");
            calls.fetch_add(1, Ordering::Relaxed);
        };
        let result = hybrid::run_watched(study.scores().unwrap(), &config, &watch).unwrap();
        assert_eq!(calls.into_inner(), 3 * 41);
        assert_eq!(result.algorithms.len(), 3);
        let with = &result.algorithms[0];
        assert_eq!((with.readers.len(), with.refused.len()), (14, 0));
        for row in &with.readers {
            match held {
                hybrid::Held::Sensitivity => {
                    assert!(row.hybrid.true_positives >= row.alone.true_positives);
                }
                hybrid::Held::Specificity => {
                    assert!(row.hybrid.false_positives <= row.alone.false_positives);
                }
            }
        }
        let document = hybrid::document(&result, &about());
        let html = checked(&format!("hybrid-{held:?}"), &document, &result);
        assert!(html.contains("simulation") && has_figure(&document, "weights_1"));
    }
}

#[test]
fn triage_of_a_screening_round() {
    let config = ReadConfig {
        wide: Some(WideColumns {
            readers: ["first", "second", "arbiter", "biopsy_*"]
                .map(str::to_owned)
                .to_vec(),
            algorithms: vec!["AI".into()],
        }),
        ..ReadConfig::default()
    };
    let study = Study::read(&table("screening.csv"), &config).unwrap();
    let config = triage::Config {
        first_readers: vec!["first".into()],
        second_reader: Some("second".into()),
        arbiter: Some("arbiter".into()),
        biopsy_recommended: Some("biopsy_recommended".into()),
        biopsy_performed: Some("biopsy_performed".into()),
        rules: vec![
            TriageRule::RuleOut { below: 0.05 },
            TriageRule::SafetyNet {
                from: 0.9,
                action: SafetyNet::Recall,
            },
            TriageRule::DecisionReferral {
                below: 0.05,
                from: 0.95,
            },
        ],
        ..triage::Config::at(1.0)
    };
    let result = triage::run(study.scores().unwrap(), &config).unwrap();
    let rules = &result.algorithms[0].rules;
    assert_eq!(rules.len(), 4);
    for rule in rules {
        assert_eq!(
            (rule.readers.len(), &rule.refused),
            (1, &Vec::new()),
            "{}",
            rule.rule
        );
    }
    let [alone, out, net] = [0, 1, 2].map(|rule| &rules[rule].readers[0]);
    assert_eq!(
        (
            alone.reading_saved,
            alone.cancers_missed,
            alone.cancers_gained
        ),
        (0.0, 0, 0)
    );
    assert!(out.reading_saved > 0.1 && out.cancers_gained == 0);
    assert!(
        net.cancers_missed == 0 && net.decisions.true_positives >= alone.decisions.true_positives
    );
    assert!(alone.ppv2.is_some() && alone.ppv3.is_some());
    let document = triage::document(&result, &about());
    let html = checked("triage", &document, &result);
    assert!(html.contains("per 1,000") && has_figure(&document, "triage_1"));
}

#[test]
fn survival_with_competing_risks() {
    let columns = SurvivalColumns {
        time: "years".into(),
        event: "event".into(),
        groups: vec!["risk_group".into()],
        covariates: ["score", "age", "factor(grade)"]
            .map(str::to_owned)
            .to_vec(),
        ..SurvivalColumns::default()
    };
    let table = SurvivalTable::read(&table("cohort.csv"), &columns).unwrap();
    let config = survival::Config {
        times: vec![2.0, 5.0],
        time_unit: "Years".into(),
        ..survival::Config::default()
    };
    let result = survival::run(&table, &config).unwrap();
    assert_eq!(result.n_by_code.len(), 3);
    let grouping = &result.groupings[0];
    assert_eq!((grouping.curves.len(), grouping.incidences.len()), (3, 6));
    assert_eq!(grouping.pairs.value().unwrap().len(), 3);
    assert_eq!(grouping.gray.len(), 2);
    assert!(grouping.gray.iter().all(|(_, test)| test.value().is_some()));
    assert!(result.multivariable.as_ref().unwrap().value().is_some());
    assert_eq!(
        result
            .subdistribution
            .as_ref()
            .unwrap()
            .value()
            .unwrap()
            .len(),
        4
    );
    let document = survival::document(&result, &about());
    let html = checked("survival", &document, &result);
    for must in [
        "Competing events are censored",
        "log-rank p",
        "Hazard ratio",
        "Fine and Gray",
        "same cumulative incidence of a cause",
    ] {
        assert!(html.contains(must), "{must}");
    }
    assert!(has_figure(&document, "survival_1") && has_figure(&document, "hazard_ratios"));
}

#[test]
fn calibration_before_and_after() {
    let study = breasts();
    let result = calibrate::run(study.scores().unwrap(), &calibrate::Config::default()).unwrap();
    let large = &result.scores[0];
    let (before, after) = (large.before.value().unwrap(), large.after.as_ref().unwrap());
    let after = after.value().unwrap();
    assert!(after.expected_calibration_error < before.expected_calibration_error);
    assert!((after.slope.value().unwrap().estimate - 1.0).abs() < 0.1);
    let document = calibrate::document(&result, &about());
    let html = checked("calibrate", &document, &result);
    assert!(html.contains("judge it on others") && has_figure(&document, "decision_1"));
}

#[test]
fn plans_from_a_pilot() {
    let result = readers::run(&modalities(), &readers::Config::default()).unwrap();
    let pilot = plan::Pilot::of(&result).unwrap();
    let planned = plan::run(pilot, &plan::Config::default()).unwrap();
    let needed: Vec<usize> = planned
        .plans
        .iter()
        .filter_map(|plan| plan.cases_needed.value().copied())
        .collect();
    assert!(
        needed.windows(2).all(|pair| pair[1] <= pair[0]),
        "{needed:?}"
    );
    for plan in &planned.plans {
        let powers: Vec<f64> = plan
            .power
            .iter()
            .map(|(_, p)| *p.value().unwrap())
            .collect();
        assert!(
            powers.windows(2).all(|pair| pair[1] >= pair[0]),
            "{powers:?}"
        );
    }
    let document = plan::document(&planned, &about());
    checked("plan", &document, &planned);
    assert!(has_figure(&document, "power"));
}

#[test]
fn what_a_table_lacks_is_said() {
    let study = modalities();
    let table = study.scores().unwrap();
    let wrong = readers::Config {
        reference: Some("film".into()),
        ..readers::Config::default()
    };
    let error = readers::run(&study, &wrong).unwrap_err().to_string();
    assert_eq!(
        error,
        "expected one of the modalities without AI, with AI, got `film`"
    );
    let error = triage::run(
        table,
        &triage::Config {
            second_reader: Some("nobody".into()),
            ..triage::Config::at(3.0)
        },
    );
    assert!(error.unwrap_err().to_string().ends_with("got `nobody`"));
    let marks = Study::read(
        &super::documents::table("marks.csv"),
        &ReadConfig::default(),
    )
    .unwrap();
    let error = marks.scores().unwrap_err().to_string();
    assert_eq!(
        error,
        "expected ratings of whole cases, got marks in marks.csv"
    );
}
