//! Against the R packages survival and cmprsk and against scikit-survival, through
//! `golden/survival_golden.json`, `golden/survival_accuracy_golden.json` and the scripts beside them,
//! on eighty subjects.

use lobule_stats::Confidence;
use lobule_stats::survival::{
    ChiSquareTest, CompetingFollowUp, ConcordanceConfig, Covariates, CoxConfig,
    CumulativeIncidence, FollowUp, KaplanMeier, SurvivalScale, Ties, TimeTransform, concordance,
    fit_cox, fit_fine_gray, gray_test, integrated_brier_score, survival_brier_score,
    time_dependent_auc, uno_concordance,
};
use serde_json::Value;

/// Closed forms, to the digits written.
const CLOSED_FORM: f64 = 1e-9;
/// Iterative fits: each program stops by a rule of its own.
const FITTED: f64 = 1e-6;

struct Golden(Value);

impl Golden {
    fn read() -> Golden {
        let text = include_str!("../golden/survival_golden.json");
        Golden(serde_json::from_str(text).unwrap())
    }

    fn list(&self, name: &str) -> Vec<f64> {
        let values = self.0[name]
            .as_array()
            .unwrap_or_else(|| panic!("no {name}"));
        values
            .iter()
            .map(|v| v.as_f64().unwrap_or(f64::NAN))
            .collect()
    }

    fn labels(&self, name: &str) -> Vec<usize> {
        self.list(name).iter().map(|&v| v as usize).collect()
    }

    fn follow_up(&self) -> FollowUp {
        let events: Vec<bool> = self.list("cause").iter().map(|&c| c > 0.0).collect();
        FollowUp::new(&self.list("time"), &events).unwrap()
    }

    fn competing(&self) -> CompetingFollowUp {
        CompetingFollowUp::new(&self.list("time"), &self.labels("cause")).unwrap()
    }

    /// The times without ties.
    fn untied(&self) -> Vec<f64> {
        let times = self.list("time").into_iter().zip(0..);
        times
            .map(|(time, i)| time + f64::from(i) / 1024.0)
            .collect()
    }

    fn covariates(&self) -> Covariates {
        Covariates::from_columns(&[&self.list("x1"), &self.list("x2")]).unwrap()
    }

    fn check(&self, name: &str, got: &[f64], tolerance: f64) {
        let expected = self.list(name);
        assert_eq!(got.len(), expected.len(), "{name}");
        for (got, expected) in got.iter().zip(&expected) {
            if expected.is_nan() {
                assert!(got.is_nan(), "{name}: expected none, got {got}");
                continue;
            }
            let allowed = tolerance * expected.abs().max(1e-3);
            assert!(
                (got - expected).abs() <= allowed,
                "{name}: expected {expected}, got {got}"
            );
        }
    }
}

const TRANSFORMS: [(&str, TimeTransform); 4] = [
    ("km", TimeTransform::KaplanMeier),
    ("identity", TimeTransform::Identity),
    ("log", TimeTransform::Log),
    ("rank", TimeTransform::Rank),
];

#[test]
fn robust_variances_and_tests_of_proportional_hazards() {
    let golden = Golden::read();
    let clusters = golden.labels("cluster");
    for (rule, ties) in [("efron", Ties::Efron), ("breslow", Ties::Breslow)] {
        let config = CoxConfig {
            ties,
            clusters: Some(&clusters),
            strata: None,
        };
        let fit = fit_cox(&golden.follow_up(), &golden.covariates(), &config).unwrap();
        let name = |what: &str| format!("{rule}_{what}");
        golden.check(&name("coef"), fit.coefficients(), FITTED);
        golden.check(&name("robust"), &fit.covariance(), FITTED);
        golden.check(&name("model"), &fit.model_covariance(), FITTED);
        golden.check(&name("wald"), &[fit.wald_test().unwrap().statistic], FITTED);
        golden.check(
            &name("martingale"),
            &fit.martingale_residuals().unwrap(),
            FITTED,
        );
        for (transform, choice) in TRANSFORMS {
            let tests = fit
                .proportional_hazards_test(choice, &[&[0], &[1]])
                .unwrap();
            let all = tests.terms.iter().chain([&tests.global]);
            let statistics: Vec<f64> = all.map(|test| test.statistic).collect();
            golden.check(&name(&format!("zph_{transform}")), &statistics, FITTED);
        }
    }
    let strata = golden.labels("stratum");
    let config = CoxConfig {
        clusters: Some(&clusters),
        strata: Some(&strata),
        ties: Ties::Efron,
    };
    let fit = fit_cox(&golden.follow_up(), &golden.covariates(), &config).unwrap();
    golden.check("strata_coef", fit.coefficients(), FITTED);
    golden.check("strata_robust", &fit.covariance(), FITTED);
    let tests = fit
        .proportional_hazards_test(TimeTransform::KaplanMeier, &[&[0], &[1]])
        .unwrap();
    let all = tests.terms.iter().chain([&tests.global]);
    golden.check(
        "strata_zph_km",
        &all.map(|t| t.statistic).collect::<Vec<f64>>(),
        FITTED,
    );
}

#[test]
fn predicted_curves_and_residuals() {
    let golden = Golden::read();
    for (rule, ties) in [("efron", Ties::Efron), ("breslow", Ties::Breslow)] {
        let config = CoxConfig {
            ties,
            ..CoxConfig::default()
        };
        let fit = fit_cox(&golden.follow_up(), &golden.covariates(), &config).unwrap();
        let steps = fit.predict(&[0.5, 1.0], 0).unwrap().steps;
        let column = |value: fn(&lobule_stats::survival::PredictedStep) -> f64| {
            steps.iter().map(value).collect::<Vec<f64>>()
        };
        golden.check(&format!("{rule}_curve_time"), &column(|s| s.time), 0.0);
        golden.check(
            &format!("{rule}_curve_hazard"),
            &column(|s| s.cumulative_hazard),
            FITTED,
        );
        golden.check(
            &format!("{rule}_curve_error"),
            &column(|s| s.standard_error),
            FITTED,
        );
        let residuals = fit.schoenfeld_residuals().unwrap();
        let sum = |k: usize| residuals.iter().map(|r| r.values[k].abs()).sum::<f64>();
        golden.check(
            &format!("{rule}_schoenfeld_sums"),
            &[sum(0), sum(1)],
            FITTED,
        );
    }
}

#[test]
fn concordances() {
    let golden = Golden::read();
    let (follow_up, risks) = (golden.follow_up(), golden.list("x1"));
    let clusters = golden.labels("cluster");
    let config = ConcordanceConfig {
        clusters: Some(&clusters),
        strata: None,
    };
    let harrell = concordance(&follow_up, &risks, &config).unwrap();
    golden.check(
        "harrell",
        &[harrell.estimate, harrell.standard_error],
        CLOSED_FORM,
    );
    for (name, horizon) in [("uno_29", 29.5), ("uno_all", f64::INFINITY)] {
        let config = ConcordanceConfig::default();
        let uno = uno_concordance(&follow_up, &risks, horizon, &config).unwrap();
        golden.check(name, &[uno.estimate, uno.standard_error], CLOSED_FORM);
    }
}

#[test]
fn intervals_and_quantiles_of_a_curve() {
    let golden = Golden::read();
    let curve = KaplanMeier::new(&golden.follow_up());
    for (name, scale) in [
        ("loglog", SurvivalScale::LogLog),
        ("plain", SurvivalScale::Plain),
    ] {
        let interval = |t: f64| {
            curve
                .interval_at(t, Confidence::NINETY_FIVE, scale)
                .unwrap()
        };
        let at = [5.0, 10.0, 20.0].map(interval);
        let limits = at.iter().map(|i| i.lower).chain(at.iter().map(|i| i.upper));
        golden.check(name, &limits.collect::<Vec<f64>>(), CLOSED_FORM);
    }
    let quantile = |share: f64| {
        curve
            .quantile(share, Confidence::NINETY_FIVE, SurvivalScale::LogLog)
            .unwrap()
    };
    let all = [0.1, 0.25, 0.5, 0.75].map(quantile);
    let estimates = all.iter().map(|q| q.estimate);
    let limits = all
        .iter()
        .map(|q| q.lower)
        .chain(all.iter().map(|q| q.upper));
    let values = estimates.chain(limits).map(|v| v.unwrap_or(f64::NAN));
    golden.check("quantiles", &values.collect::<Vec<f64>>(), CLOSED_FORM);
}

#[test]
fn competing_risks() {
    let golden = Golden::read();
    let incidence = CumulativeIncidence::new(&golden.competing(), 1).unwrap();
    let times = [5.0, 10.0, 20.0, 30.0];
    golden.check(
        "incidence",
        &times.map(|t| incidence.incidence_at(t)),
        CLOSED_FORM,
    );
    golden.check(
        "incidence_error",
        &times.map(|t| incidence.standard_error_at(t)),
        CLOSED_FORM,
    );
    let fit = fit_fine_gray(&golden.competing(), 1, &golden.covariates()).unwrap();
    golden.check("fine_gray_tied_coef", &fit.coefficients, FITTED);
    let likelihoods = [fit.null_log_likelihood, fit.log_likelihood];
    golden.check("fine_gray_tied_loglik", &likelihoods, FITTED);
    let untied = CompetingFollowUp::new(&golden.untied(), &golden.labels("cause")).unwrap();
    let fit = fit_fine_gray(&untied, 1, &golden.covariates()).unwrap();
    golden.check("fine_gray_untied_coef", &fit.coefficients, FITTED);
    let likelihoods = [fit.null_log_likelihood, fit.log_likelihood];
    golden.check("fine_gray_untied_loglik", &likelihoods, FITTED);
    golden.check("fine_gray_untied_variance", &fit.covariance, FITTED);
}

#[test]
fn grays_test() {
    let golden = Golden::read();
    let tied = golden.competing();
    let untied = CompetingFollowUp::new(&golden.untied(), &golden.labels("cause")).unwrap();
    let pairs: Vec<usize> = (0..80).map(|i| i % 2).collect();
    let three = golden.labels("three");
    for rho in [0.0, 1.0] {
        let both = |follow_up: &CompetingFollowUp, groups: &[usize]| {
            [1, 2].map(|cause| gray_test(follow_up, cause, groups, rho).unwrap().test)
        };
        let statistics = |tests: [ChiSquareTest; 2]| tests.map(|test| test.statistic);
        let check = |name: &str, got: [f64; 2]| {
            golden.check(&format!("gray_rho_{rho}_{name}"), &got, CLOSED_FORM);
        };
        check("pairs", statistics(both(&tied, &pairs)));
        check("three", statistics(both(&tied, &three)));
        check("untied", statistics(both(&untied, &three)));
        if rho == 0.0 {
            let p_values = both(&tied, &three).map(|test| test.p_value);
            golden.check("gray_p", &p_values, CLOSED_FORM);
        }
    }
    let few = |times: &[f64], causes: &[usize], groups: &[usize]| {
        let follow_up = CompetingFollowUp::new(times, causes).unwrap();
        gray_test(&follow_up, 1, groups, 0.0)
            .unwrap()
            .test
            .statistic
    };
    let six = few(
        &[1., 1., 2., 2., 3., 3.],
        &[1, 0, 1, 1, 0, 0],
        &[0, 1, 0, 0, 0, 1],
    );
    let times = [1., 2., 3., 5., 4., 4., 4., 5.];
    let eight = few(&times, &[1, 1, 1, 0, 1, 1, 1, 0], &[0, 0, 0, 0, 1, 1, 1, 1]);
    golden.check("gray_few", &[six, eight], CLOSED_FORM);
}

#[test]
fn accuracy_at_a_time() {
    let golden = Golden::read();
    let text = include_str!("../golden/survival_accuracy_golden.json");
    let expected = Golden(serde_json::from_str(text).unwrap());
    let follow_up = FollowUp::new(&golden.untied(), golden.follow_up().events()).unwrap();
    let columns = golden.list("x1").into_iter().zip(golden.list("x2"));
    let risks: Vec<f64> = columns.map(|(x1, x2)| x1 + x2 / 8.0).collect();
    let times = expected.list("times");
    let survival = |time: f64| -> Vec<f64> {
        let hazard = |risk: &f64| (0.6 * (risk - 1.0)).exp() * time * 0.03;
        risks.iter().map(|risk| (-hazard(risk)).exp()).collect()
    };
    let auc = |&t: &f64| time_dependent_auc(&follow_up, &risks, t).unwrap().auc;
    let brier = |&t: &f64| survival_brier_score(&follow_up, &survival(t), t).unwrap();
    let all = |value: &dyn Fn(&f64) -> f64| times.iter().map(value).collect::<Vec<f64>>();
    expected.check("auc", &all(&auc), CLOSED_FORM);
    expected.check("brier", &all(&brier), CLOSED_FORM);
    let integrated = integrated_brier_score(&follow_up, &times, survival).unwrap();
    let uno = uno_concordance(&follow_up, &risks, 40.5, &ConcordanceConfig::default()).unwrap();
    for (name, got) in [("integrated_brier", integrated), ("uno", uno.estimate)] {
        let reference = expected.0[name].as_f64().unwrap();
        assert!(
            (got - reference).abs() <= CLOSED_FORM * reference,
            "{name}: {reference}, {got}"
        );
    }
}
