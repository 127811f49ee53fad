//! Known answers on public survival data (German breast cancer study, lung cancer), when
//! `LOBULE_REFERENCE` is there. Below: tables by R on data made there, and properties and degenerate
//! cases on data made here.

mod golden;
mod small;

use std::path::{Path, PathBuf};

use lobule_stats::Confidence;
use lobule_stats::survival::{
    BeyondFollowUp, ChiSquareTest, ConcordanceConfig, Covariates, Cox, CoxConfig, FollowUp,
    KaplanMeier, LogRankConfig, SurvivalScale, Ties, TimeTransform, concordance, fit_cox, log_rank,
    pairwise_log_rank, restricted_mean,
};
use serde_json::Value;

/// Closed forms, as precise as the reference prints them.
const RELATIVE: f64 = 1e-9;
/// Iterative fits: each program stops by a rule of its own.
const FITTED: f64 = 1e-6;
/// Half a unit of the last of the two decimals that the reference keeps of Wald statistics.
const TWO_DECIMALS: f64 = 0.005_000_1;

struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<Option<f64>>>,
}

impl Table {
    fn read(folder: &Path, name: &str) -> Table {
        let mut reader = csv::Reader::from_path(folder.join(name)).unwrap();
        let headers = reader
            .headers()
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect();
        let cells = |row: csv::StringRecord| row.iter().map(|v| v.parse().ok()).collect();
        let rows = reader.records().map(|row| cells(row.unwrap())).collect();
        Table { headers, rows }
    }

    fn index(&self, name: &str) -> usize {
        self.headers
            .iter()
            .position(|header| header == name)
            .unwrap()
    }

    /// The rows that have a value in every one of the columns.
    fn complete(mut self, names: &[&str]) -> Table {
        let columns: Vec<usize> = names.iter().map(|name| self.index(name)).collect();
        self.rows
            .retain(|row| columns.iter().all(|&k| row[k].is_some()));
        self
    }

    fn column(&self, name: &str) -> Vec<f64> {
        let index = self.index(name);
        self.rows.iter().map(|row| row[index].unwrap()).collect()
    }

    fn labels(&self, name: &str) -> Vec<usize> {
        self.column(name).iter().map(|&v| v as usize).collect()
    }

    fn follow_up(&self, time: &str, status: &str, event: f64) -> FollowUp {
        let events: Vec<bool> = self.column(status).iter().map(|&s| s == event).collect();
        FollowUp::new(&self.column(time), &events).unwrap()
    }

    /// Columns; `grade` becomes the indicators of grades 2 and 3.
    fn covariates(&self, names: &[&str]) -> Covariates {
        let mut columns = Vec::new();
        for &name in names {
            if name == "grade" {
                let grade = self.column(name);
                for level in [2.0, 3.0] {
                    let indicator = grade.iter().map(|&g| f64::from(g == level));
                    columns.push(indicator.collect::<Vec<f64>>());
                }
            } else {
                columns.push(self.column(name));
            }
        }
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        Covariates::from_columns(&slices).unwrap()
    }
}

fn folder() -> Option<PathBuf> {
    let root = std::env::var_os("LOBULE_REFERENCE");
    let folder = root.map(|root| PathBuf::from(root).join("survival"));
    if folder.is_none() {
        println!("skipped: the survival reference (LOBULE_REFERENCE is not set)");
    }
    folder
}

fn expected(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap()
}

fn gbsg(folder: &Path) -> (Table, FollowUp) {
    let table = Table::read(folder, "gbsg.csv");
    let follow_up = table.follow_up("rfstime", "status", 1.0);
    (table, follow_up)
}

fn lung(folder: &Path) -> (Table, FollowUp) {
    let table = Table::read(folder, "lung.csv");
    let follow_up = table.follow_up("time", "status", 2.0);
    (table, follow_up)
}

fn near(what: &str, got: f64, expected: &Value, relative: f64) {
    let expected = expected
        .as_f64()
        .unwrap_or_else(|| panic!("{what}: no reference"));
    assert!(
        (got - expected).abs() <= relative * expected.abs(),
        "{what}: expected {expected}, got {got}"
    );
}

fn near_option(what: &str, got: Option<f64>, expected: &Value) {
    match got {
        Some(got) => near(what, got, expected, RELATIVE),
        None => assert!(expected.is_null(), "{what}: expected {expected}, got none"),
    }
}

fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn near_test(what: &str, got: &ChiSquareTest, row: &Value, relative: f64) {
    near(what, got.statistic, &row["chisq"], relative);
    assert_eq!(
        got.degrees_of_freedom as f64,
        row["df"].as_f64().unwrap(),
        "{what}"
    );
    near(
        what,
        got.p_value,
        &row["p"],
        relative * got.statistic.max(1.0),
    );
}

fn check_curves(what: &str, curves: &[(usize, KaplanMeier)], reference: &Value) {
    let confidence = Confidence::NINETY_FIVE;
    let horizon = curves
        .iter()
        .map(|(_, curve)| curve.steps().last().unwrap().time);
    let horizon = horizon.fold(0.0, f64::max);
    let quantiles = &reference["median_loglog"];
    for (k, (_, curve)) in curves.iter().enumerate() {
        let row = &list(&reference["table"])[k];
        let what = format!("{what} {k}");
        let events: usize = curve.steps().iter().map(|step| step.events).sum();
        assert_eq!(curve.n_subjects() as f64, row["records"].as_f64().unwrap());
        assert_eq!(events as f64, row["events"].as_f64().unwrap());
        let mean = restricted_mean(curve, horizon, BeyondFollowUp::HoldLast).unwrap();
        near(&what, mean.estimate, &row["rmean"], RELATIVE);
        near(&what, mean.standard_error, &row["se(rmean)"], RELATIVE);
        let median = curve.median(confidence, SurvivalScale::Log);
        near_option(&what, median.estimate, &row["median"]);
        near_option(&what, median.lower, &row["0.95LCL"]);
        near_option(&what, median.upper, &row["0.95UCL"]);
        let median = curve.median(confidence, SurvivalScale::LogLog);
        near_option(&what, median.estimate, &list(&quantiles["quantile"])[k]);
        near_option(&what, median.lower, &list(&quantiles["lower"])[k]);
        near_option(&what, median.upper, &list(&quantiles["upper"])[k]);
    }
    let rows = list(&reference["at"]);
    let per_curve = rows.len() / curves.len();
    for (k, (_, curve)) in curves.iter().enumerate() {
        check_times(what, curve, &rows[k * per_curve..][..per_curve]);
    }
}

fn check_times(what: &str, curve: &KaplanMeier, rows: &[Value]) {
    let mut events_before = 0;
    for row in rows {
        let time = row["time"].as_f64().unwrap();
        let what = format!("{what} at {time}");
        let table = curve.risk_table(&[time])[0];
        assert_eq!(
            table.at_risk as f64,
            row["n.risk"].as_f64().unwrap(),
            "{what}"
        );
        let events = table.events - events_before;
        assert_eq!(events as f64, row["n.event"].as_f64().unwrap(), "{what}");
        events_before = table.events;
        near(&what, curve.survival_at(time), &row["surv"], RELATIVE);
        near(&what, curve.standard_error_at(time), &row["se"], RELATIVE);
        let interval = curve
            .interval_at(time, Confidence::NINETY_FIVE, SurvivalScale::Log)
            .unwrap();
        near(&what, interval.lower, &row["lower"], RELATIVE);
        near(&what, interval.upper, &row["upper"], RELATIVE);
    }
}

#[test]
fn kaplan_meier_curves_medians_and_means() {
    let Some(folder) = folder() else { return };
    let reference = expected(&folder);
    let (table, follow_up) = gbsg(&folder);
    let by = |follow_up, labels: &[usize]| KaplanMeier::by_group(follow_up, labels).unwrap();
    let all = [(0, KaplanMeier::new(&follow_up))];
    check_curves("gbsg", &all, &reference["gbsg"]["km_all"]);
    let curves = by(&follow_up, &table.labels("grade"));
    check_curves("grade", &curves, &reference["gbsg"]["km_grade"]);
    let (table, follow_up) = lung(&folder);
    let curves = by(&follow_up, &table.labels("sex"));
    check_curves("sex", &curves, &reference["lung"]["km_sex"]);
}

#[test]
fn restricted_means_to_five_years() {
    let Some(folder) = folder() else { return };
    let (table, follow_up) = gbsg(&folder);
    let curves = KaplanMeier::by_group(&follow_up, &table.labels("hormon")).unwrap();
    for ((_, curve), row) in curves.iter().zip(list(&expected(&folder)["rmst_1825"])) {
        let mean = restricted_mean(curve, 1825.0, BeyondFollowUp::Refuse).unwrap();
        near("mean", mean.estimate, &row["rmean"], RELATIVE);
        near("error", mean.standard_error, &row["se(rmean)"], RELATIVE);
        let median = curve.median(Confidence::NINETY_FIVE, SurvivalScale::Log);
        near_option("median", median.estimate, &row["median"]);
        near_option("lower", median.lower, &row["0.95LCL"]);
        near_option("upper", median.upper, &row["0.95UCL"]);
    }
}

fn check_log_rank(
    what: &str,
    follow_up: &FollowUp,
    groups: &[usize],
    config: &LogRankConfig<'_>,
    reference: &Value,
) {
    let comparison = log_rank(follow_up, groups, config).unwrap();
    near_test(what, &comparison.test, reference, RELATIVE);
    for (k, group) in comparison.groups.iter().enumerate() {
        assert_eq!(
            group.n_subjects as f64,
            reference["n"][k].as_f64().unwrap(),
            "{what}"
        );
        near(what, group.observed, &reference["obs"][k], RELATIVE);
        near(what, group.expected, &reference["exp"][k], RELATIVE);
    }
}

#[test]
fn log_rank_tests() {
    let Some(folder) = folder() else { return };
    let reference = expected(&folder);
    let (table, follow_up) = gbsg(&folder);
    let (grade, hormon) = (table.labels("grade"), table.labels("hormon"));
    let (plain, meno) = (LogRankConfig::default(), table.labels("meno"));
    let peto = LogRankConfig { rho: 1.0, ..plain };
    let stratified = LogRankConfig {
        strata: Some(&meno),
        ..plain
    };
    for (key, groups, config) in [
        ("logrank_grade", &grade, plain),
        ("peto_grade", &grade, peto),
        ("logrank_hormon", &hormon, plain),
        ("logrank_hormon_strat", &hormon, stratified),
    ] {
        check_log_rank(key, &follow_up, groups, &config, &reference["gbsg"][key]);
    }
    let pairs = pairwise_log_rank(&follow_up, &grade, &plain).unwrap();
    let pairwise = &reference["pairwise_logrank_grade_holm"];
    for pair in &pairs {
        let key = format!("{}-{}", pair.first, pair.second);
        near(&key, pair.test.p_value, &pairwise["raw"][&key], 1e-8);
        near(&key, pair.holm_p_value, &pairwise["holm"][&key], 1e-8);
    }
    let (table, follow_up) = lung(&folder);
    let sex = table.labels("sex");
    check_log_rank(
        "sex",
        &follow_up,
        &sex,
        &plain,
        &reference["lung"]["logrank_sex"],
    );
}

#[test]
fn a_category_added_to_a_model_and_a_baseline_hazard() {
    let Some(folder) = folder() else { return };
    let reference = expected(&folder);
    let (table, follow_up) = gbsg(&folder);
    let fit = |names: &[&str]| {
        fit_cox(&follow_up, &table.covariates(names), &CoxConfig::default()).unwrap()
    };
    let larger = fit(&["age", "size", "nodes", "grade"]);
    let test = larger
        .test_against(&fit(&["age", "size", "nodes"]))
        .unwrap();
    let row = &reference["lrt_add_grade"];
    near(
        "likelihood",
        larger.log_likelihood(),
        &row["loglik"],
        RELATIVE,
    );
    near("added", test.statistic, &row["Chisq"], FITTED);
    assert_eq!(test.degrees_of_freedom as f64, row["Df"].as_f64().unwrap());
    near(
        "added",
        test.p_value,
        &row["Pr(>|Chi|)"],
        FITTED * test.statistic,
    );
    let baseline = fit(&["nodes", "hormon"]).predict(&[0.0, 0.0], 0).unwrap();
    for row in list(&reference["basehaz_gbsg"]) {
        let hazard = baseline.cumulative_hazard_at(row["time"].as_f64().unwrap());
        near("baseline", hazard, &row["hazard"], FITTED);
    }
}

/// A fit and everything the reference says of it; `terms` are the columns of each term.
fn check_fit(what: &str, fit: &Cox, terms: &[&[usize]], reference: &Value) {
    let n = |key: &str| reference[key].as_f64().unwrap();
    assert_eq!(
        (fit.n_subjects() as f64, fit.n_events() as f64),
        (n("n"), n("nevent")),
        "{what}"
    );
    for (k, term) in fit.terms(Confidence::NINETY_FIVE).iter().enumerate() {
        let (row, limits) = (&reference["coef"][k], &reference["ci"][k]);
        let what = format!("{what} {}", row["term"]);
        near(&what, term.coefficient, &row["coef"], FITTED);
        near(&what, term.hazard_ratio, &row["exp(coef)"], FITTED);
        near(&what, term.standard_error, &row["se(coef)"], FITTED);
        near(&what, term.statistic, &row["z"], FITTED);
        near(
            &what,
            term.p_value,
            &row["Pr(>|z|)"],
            FITTED * term.statistic.powi(2).max(1.0),
        );
        near(&what, term.hazard_ratio, &limits["exp(coef)"], FITTED);
        near(
            &what,
            1.0 / term.hazard_ratio,
            &limits["exp(-coef)"],
            FITTED,
        );
        near(&what, term.interval.lower, &limits["lower .95"], FITTED);
        near(&what, term.interval.upper, &limits["upper .95"], FITTED);
    }
    let covariance = fit.covariance();
    let reference_covariance = list(&reference["vcov"]).iter().flat_map(list);
    for (got, expected) in covariance.iter().zip(reference_covariance) {
        near(what, *got, expected, FITTED);
    }
    near(
        what,
        fit.null_log_likelihood(),
        &reference["loglik"][0],
        RELATIVE,
    );
    near(
        what,
        fit.log_likelihood(),
        &reference["loglik"][1],
        RELATIVE,
    );
    near(what, fit.aic(), &reference["aic"], RELATIVE);
    check_tests(what, fit, reference);
    check_proportionality(what, fit, terms, reference);
}

fn check_tests(what: &str, fit: &Cox, reference: &Value) {
    let wald = fit.wald_test().unwrap();
    for (key, test) in [
        ("lrt", fit.likelihood_ratio_test()),
        ("score", fit.score_test()),
    ] {
        near(what, test.statistic, &reference[key][0], FITTED);
        near(
            what,
            test.p_value,
            &reference[key][2],
            FITTED * test.statistic,
        );
    }
    let rounded = reference["wald"][0].as_f64().unwrap();
    assert!(
        (wald.statistic - rounded).abs() <= TWO_DECIMALS,
        "{what}: {}",
        wald.statistic
    );
    near(
        what,
        wald.p_value,
        &reference["wald"][2],
        FITTED * wald.statistic,
    );
}

fn check_proportionality(what: &str, fit: &Cox, terms: &[&[usize]], reference: &Value) {
    for (key, transform) in [
        ("zph_km", TimeTransform::KaplanMeier),
        ("zph_identity", TimeTransform::Identity),
    ] {
        let tests = fit.proportional_hazards_test(transform, terms).unwrap();
        let rows = list(&reference[key]);
        assert_eq!(rows.len(), terms.len() + 1, "{what}");
        for (test, row) in tests.terms.iter().chain([&tests.global]).zip(rows) {
            near_test(&format!("{what} {key} {}", row["term"]), test, row, FITTED);
        }
    }
}

fn check_concordance(what: &str, follow_up: &FollowUp, fit: &Cox, reference: &Value) {
    let risks = fit.linear_predictors();
    let got = concordance(follow_up, &risks, &ConcordanceConfig::default()).unwrap();
    let reference = &reference["concordance"];
    near(what, got.estimate, &reference["C"], RELATIVE);
    near(what, got.standard_error, &reference["se"], FITTED);
    for (key, count) in [
        ("concordant", got.concordant),
        ("discordant", got.discordant),
        ("tied.x", got.tied_risk),
        ("tied.y", got.tied_time),
        ("tied.xy", got.tied_both),
    ] {
        near(
            &format!("{what} {key}"),
            count,
            &reference["count"][key],
            0.0,
        );
    }
}

const NINE_COLUMNS: [&str; 8] = [
    "age", "size", "grade", "nodes", "pgr", "er", "hormon", "meno",
];

#[test]
fn cox_models_of_breast_cancer() {
    let Some(folder) = folder() else { return };
    let reference = &expected(&folder)["gbsg"];
    let (table, follow_up) = gbsg(&folder);
    let efron = CoxConfig::default();
    let breslow = CoxConfig {
        ties: Ties::Breslow,
        ..efron
    };
    let eight_terms: [&[usize]; 8] = [&[0], &[1], &[2, 3], &[4], &[5], &[6], &[7], &[8]];
    for (key, names, terms, config) in [
        ("uni_grade", &["grade"][..], &[&[0, 1][..]][..], efron),
        ("uni_hormon", &["hormon"], &[&[0]], efron),
        ("multi", &NINE_COLUMNS, &eight_terms, efron),
        ("multi_breslow", &NINE_COLUMNS, &eight_terms, breslow),
    ] {
        let fit = fit_cox(&follow_up, &table.covariates(names), &config).unwrap();
        check_fit(key, &fit, terms, &reference[key]);
        check_concordance(key, &follow_up, &fit, &reference[key]);
    }
}

#[test]
fn a_stratified_cox_model() {
    let Some(folder) = folder() else { return };
    let reference = &expected(&folder)["gbsg"]["strat"];
    let (table, follow_up) = gbsg(&folder);
    let grade = table.labels("grade");
    let config = CoxConfig {
        strata: Some(&grade),
        ..CoxConfig::default()
    };
    let covariates = table.covariates(&["age", "size", "nodes", "hormon"]);
    let fit = fit_cox(&follow_up, &covariates, &config).unwrap();
    check_fit("strat", &fit, &[&[0], &[1], &[2], &[3]], reference);
    let risks = fit.linear_predictors();
    let config = ConcordanceConfig {
        strata: Some(&grade),
        ..ConcordanceConfig::default()
    };
    let all = concordance(&follow_up, &risks, &config).unwrap();
    let reference = &reference["concordance"];
    near("C", all.estimate, &reference["C"], RELATIVE);
    near("error", all.standard_error, &reference["se"], FITTED);
    for (k, level) in [1, 2, 3].into_iter().enumerate() {
        let members: Vec<usize> = (0..grade.len()).filter(|&i| grade[i] == level).collect();
        let times: Vec<f64> = members.iter().map(|&i| follow_up.times()[i]).collect();
        let events: Vec<bool> = members.iter().map(|&i| follow_up.events()[i]).collect();
        let own: Vec<f64> = members.iter().map(|&i| risks[i]).collect();
        let part = FollowUp::new(&times, &events).unwrap();
        let got = concordance(&part, &own, &ConcordanceConfig::default()).unwrap();
        let counts = [
            got.concordant,
            got.discordant,
            got.tied_risk,
            got.tied_time,
            got.tied_both,
        ];
        for (column, count) in counts.into_iter().enumerate() {
            near("count", count, &reference["count"][column * 3 + k], 0.0);
        }
    }
}

#[test]
fn cox_models_of_lung_cancer() {
    let Some(folder) = folder() else { return };
    let reference = &expected(&folder)["lung"];
    let names = ["age", "sex", "ph.ecog"];
    let table = lung(&folder).0.complete(&names);
    let follow_up = table.follow_up("time", "status", 2.0);
    let fit = fit_cox(&follow_up, &table.covariates(&names), &CoxConfig::default()).unwrap();
    check_fit("lung", &fit, &[&[0], &[1], &[2]], &reference["cox"]);
    check_concordance("lung", &follow_up, &fit, &reference["cox"]);

    let (table, follow_up) = lung(&folder);
    let config = CoxConfig {
        ties: Ties::Exact,
        ..CoxConfig::default()
    };
    let fit = fit_cox(&follow_up, &table.covariates(&["age", "sex"]), &config).unwrap();
    let exact = &reference["cox_exact"];
    for (k, term) in fit.terms(Confidence::NINETY_FIVE).iter().enumerate() {
        near("exact", term.coefficient, &exact["coef"][k], FITTED);
        near("exact", term.standard_error, &exact["se"][k], FITTED);
    }
    near(
        "exact",
        fit.null_log_likelihood(),
        &exact["loglik"][0],
        RELATIVE,
    );
    near("exact", fit.log_likelihood(), &exact["loglik"][1], RELATIVE);
}
