//! Properties, degenerate cases and the coverage of intervals, on data made here.

use lobule_stats::survival::{
    BeyondFollowUp, CompetingFollowUp, ConcordanceConfig, Covariates, Cox, CoxConfig,
    CumulativeIncidence, FollowUp, KaplanMeier, LogRankConfig, RestratificationConfig, Ties,
    concordance, fit_cox, fit_fine_gray, gray_test, log_rank, restratify, restricted_mean,
    survival_brier_score, time_dependent_auc, uno_concordance,
};
use lobule_stats::{Confidence, ErrorKind};

/// Columns with decimals and ties, from a fixed formula; times in whole numbers.
fn made(n: usize) -> (Vec<f64>, Vec<bool>, Vec<f64>, Vec<usize>) {
    let noise = |i: usize, k: f64| ((i as f64 * 12.9898 + k).sin() * 43_758.545_3).rem_euclid(1.0);
    let x: Vec<f64> = (0..n)
        .map(|i| (noise(i, 0.3) * 20.0).round() / 10.0)
        .collect();
    let times = (0..n).map(|i| 1.0 + (-30.0 * noise(i, 1.7).ln() * (-0.5 * x[i]).exp()).round());
    let events = (0..n).map(|i| noise(i, 2.9) < 0.7).collect();
    let groups = (0..n).map(|i| usize::from(noise(i, 4.1) < 0.4)).collect();
    (times.collect(), events, x, groups)
}

fn fit_one(follow_up: &FollowUp, x: &[f64], config: &CoxConfig<'_>) -> Cox {
    fit_cox(follow_up, &Covariates::from_columns(&[x]).unwrap(), config).unwrap()
}

fn assert_near(what: &str, got: f64, expected: f64, relative: f64) {
    assert!(
        (got - expected).abs() <= relative * expected.abs().max(1e-12),
        "{what}: expected {expected}, got {got}"
    );
}

#[test]
fn the_units_of_time_and_of_a_covariate_do_not_matter() {
    let (times, events, x, _) = made(150);
    let follow_up = FollowUp::new(&times, &events).unwrap();
    let days: Vec<f64> = times.iter().map(|t| t * 365.25).collect();
    let in_days = FollowUp::new(&days, &events).unwrap();
    let shifted: Vec<f64> = x.iter().map(|x| 1e4 + x / 1e3).collect();
    for ties in [Ties::Efron, Ties::Breslow, Ties::Exact] {
        let config = CoxConfig {
            ties,
            ..CoxConfig::default()
        };
        let fit = fit_one(&follow_up, &x, &config);
        assert_eq!(
            fit.coefficients(),
            fit_one(&in_days, &x, &config).coefficients()
        );
        let other = fit_one(&follow_up, &shifted, &config);
        assert_near(
            "scaled",
            other.coefficients()[0] / 1e3,
            fit.coefficients()[0],
            1e-8,
        );
        assert_near(
            "likelihood",
            other.log_likelihood(),
            fit.log_likelihood(),
            1e-10,
        );
    }
}

#[test]
fn without_censoring_the_curve_is_the_empirical_one() {
    let (times, _, _, _) = made(97);
    let follow_up = FollowUp::new(&times, &[true; 97]).unwrap();
    let curve = KaplanMeier::new(&follow_up);
    for step in curve.steps() {
        let alive = times.iter().filter(|&&t| t > step.time).count() as f64 / 97.0;
        assert_near("survival", step.survival, alive, 1e-12);
        let binomial = (alive * (1.0 - alive) / 97.0).sqrt();
        assert_near("error", curve.standard_error_at(step.time), binomial, 1e-9);
    }
    let mean = restricted_mean(&curve, follow_up.last_time(), BeyondFollowUp::Refuse).unwrap();
    assert_near(
        "mean",
        mean.estimate,
        times.iter().sum::<f64>() / 97.0,
        1e-12,
    );
}

#[test]
fn without_ties_log_rank_is_the_score_test_and_all_rules_agree() {
    let (times, events, x, groups) = made(120);
    let untied: Vec<f64> = times
        .iter()
        .zip(0..)
        .map(|(t, i)| t + f64::from(i) * 1e-4)
        .collect();
    let follow_up = FollowUp::new(&untied, &events).unwrap();
    let indicator: Vec<f64> = groups.iter().map(|&g| g as f64).collect();
    let score = fit_one(&follow_up, &indicator, &CoxConfig::default()).score_test();
    let test = log_rank(&follow_up, &groups, &LogRankConfig::default())
        .unwrap()
        .test;
    assert_near("score", score.statistic, test.statistic, 1e-9);
    let fit = |ties| {
        fit_one(
            &follow_up,
            &x,
            &CoxConfig {
                ties,
                ..CoxConfig::default()
            },
        )
    };
    let efron = fit(Ties::Efron);
    for other in [fit(Ties::Breslow), fit(Ties::Exact)] {
        assert_near(
            "ties",
            other.coefficients()[0],
            efron.coefficients()[0],
            1e-9,
        );
        assert_near("ties", other.log_likelihood(), efron.log_likelihood(), 1e-9);
    }
}

#[test]
fn counts_of_pairs_are_those_of_a_double_loop() {
    let (times, events, x, _) = made(90);
    let follow_up = FollowUp::new(&times, &events).unwrap();
    let got = concordance(&follow_up, &x, &ConcordanceConfig::default()).unwrap();
    let (mut won, mut lost, mut tied) = (0.0, 0.0, 0.0);
    for i in (0..90).filter(|&i| events[i]) {
        for j in 0..90 {
            if times[j] > times[i] || (times[j] == times[i] && !events[j]) {
                let count = match x[i].total_cmp(&x[j]) {
                    std::cmp::Ordering::Greater => &mut won,
                    std::cmp::Ordering::Less => &mut lost,
                    std::cmp::Ordering::Equal => &mut tied,
                };
                *count += 1.0;
            }
        }
    }
    assert_eq!(
        (got.concordant, got.discordant, got.tied_risk),
        (won, lost, tied)
    );
    let turned: Vec<f64> = x.iter().map(|x| -x).collect();
    let other = concordance(&follow_up, &turned, &ConcordanceConfig::default()).unwrap();
    assert_near("turned", other.estimate, 1.0 - got.estimate, 1e-12);
    assert_near("turned", other.standard_error, got.standard_error, 1e-9);
}

#[test]
fn a_singleton_cluster_each_is_the_robust_error_and_clusters_of_copies_undo_copying() {
    let (times, events, x, _) = made(80);
    let ids: Vec<usize> = (0..80).collect();
    let config = CoxConfig {
        ties: Ties::Breslow,
        clusters: Some(&ids),
        strata: None,
    };
    let once = FollowUp::new(&times, &events).unwrap();
    let single = fit_one(&once, &x, &config);
    let copies = |values: &[f64]| [values, values].concat();
    let twice = FollowUp::new(&copies(&times), &[events.clone(), events].concat()).unwrap();
    let twice_ids = [ids.as_slice(), &ids].concat();
    let config = CoxConfig {
        clusters: Some(&twice_ids),
        ..config
    };
    let double = fit_one(&twice, &copies(&x), &config);
    assert_near(
        "beta",
        double.coefficients()[0],
        single.coefficients()[0],
        1e-9,
    );
    assert_near(
        "robust",
        double.covariance()[0],
        single.covariance()[0],
        1e-9,
    );
    assert_near(
        "model",
        2.0 * double.model_covariance()[0],
        single.model_covariance()[0],
        1e-9,
    );
}

#[test]
fn what_has_no_answer_is_refused_by_kind() {
    let ones = |n: usize| vec![1.0; n];
    let follow_up = |times: &[f64], events: &[bool]| FollowUp::new(times, events).unwrap();
    let fit = |follow_up: &FollowUp, columns: &[&[f64]], config: &CoxConfig<'_>| {
        let covariates = Covariates::from_columns(columns).unwrap();
        fit_cox(follow_up, &covariates, config).unwrap_err().kind()
    };
    let plain = CoxConfig::default();
    let none = follow_up(&[1.0, 2.0], &[false, false]);
    assert_eq!(fit(&none, &[&[0.0, 1.0]], &plain), ErrorKind::TooFew);
    let one = follow_up(&[1.0], &[true]);
    assert_eq!(fit(&one, &[&[3.0]], &plain), ErrorKind::ZeroVariance);
    let six = follow_up(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[true; 6]);
    assert_eq!(fit(&six, &[&ones(6)], &plain), ErrorKind::ZeroVariance);
    let x = [0.3, 1.1, 0.2, 0.9, 0.4, 0.5];
    let double: Vec<f64> = x.iter().map(|x| 3.0 - 2.0 * x).collect();
    assert_eq!(fit(&six, &[&x, &double], &plain), ErrorKind::ZeroVariance);
    let tied = follow_up(&ones(6), &[true; 6]);
    assert_eq!(
        fit(
            &tied,
            &[&x],
            &CoxConfig {
                ties: Ties::Exact,
                ..plain
            }
        ),
        ErrorKind::ZeroVariance
    );
    for ties in [Ties::Efron, Ties::Breslow, Ties::Exact] {
        let config = CoxConfig { ties, ..plain };
        let falling = [6.0, 5.0, 4.0, 3.0, 2.0, 1.0];
        assert_eq!(fit(&six, &[&falling], &config), ErrorKind::NoFit);
        let separated = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0];
        assert_eq!(fit(&six, &[&x, &separated], &config), ErrorKind::NoFit);
    }
    let config = LogRankConfig::default();
    let test = |f: &FollowUp, groups: &[usize]| log_rank(f, groups, &config).unwrap_err().kind();
    assert_eq!(test(&six, &[4; 6]), ErrorKind::TooFew);
    assert_eq!(test(&none, &[0, 1]), ErrorKind::TooFew);
    assert_eq!(test(&tied, &[0, 0, 0, 1, 1, 1]), ErrorKind::ZeroVariance);
    let pairs = concordance(&tied, &x, &ConcordanceConfig::default());
    assert_eq!(pairs.unwrap_err().kind(), ErrorKind::Undefined);
}

#[test]
fn grays_test_without_competing_events_looks_at_what_the_log_rank_test_does() {
    let (times, events, _, groups) = made(150);
    let causes: Vec<usize> = events.iter().map(|&event| usize::from(event)).collect();
    let competing = CompetingFollowUp::new(&times, &causes).unwrap();
    let gray = gray_test(&competing, 1, &groups, 0.0).unwrap();
    let follow_up = FollowUp::new(&times, &events).unwrap();
    let plain = log_rank(&follow_up, &groups, &LogRankConfig::default()).unwrap();
    for (gray, plain) in gray.groups.iter().zip(&plain.groups) {
        assert_near("observed", gray.observed, plain.observed, 1e-12);
        assert_near("expected", gray.expected, plain.expected, 1e-12);
    }
    assert_near("statistic", gray.test.statistic, plain.test.statistic, 0.1);
}

#[test]
fn grays_test_refuses_what_it_cannot_compare() {
    let times = [1.0, 2.0, 3.0, 4.0];
    let follow_up = CompetingFollowUp::new(&times, &[1, 2, 1, 0]).unwrap();
    let kind = |cause, groups: &[usize], rho| {
        gray_test(&follow_up, cause, groups, rho)
            .unwrap_err()
            .kind()
    };
    assert_eq!(kind(0, &[0, 1, 0, 1], 0.0), ErrorKind::OutOfRange);
    assert_eq!(kind(1, &[0, 1, 0, 1], -1.0), ErrorKind::OutOfRange);
    assert_eq!(kind(1, &[0, 1, 0, 1], f64::NAN), ErrorKind::OutOfRange);
    assert_eq!(kind(1, &[0, 1, 0], 0.0), ErrorKind::Mismatch);
    assert_eq!(kind(1, &[3; 4], 0.0), ErrorKind::TooFew);
    assert_eq!(kind(5, &[0, 1, 0, 1], 0.0), ErrorKind::TooFew);
    let together = CompetingFollowUp::new(&[1.0; 4], &[1; 4]).unwrap();
    let error = gray_test(&together, 1, &[0, 0, 1, 1], 0.0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ZeroVariance);
}

#[test]
fn cox_intervals_cover_as_often_as_they_say() {
    // 1,000 studies of 120 subjects, log hazard ratio 0.5, a third censored: the standard error of
    // an empirical coverage near 0.95 is 0.007, and the bounds are three of them.
    let (n_studies, n, beta) = (1_000_u64, 120, 0.5_f64);
    let mut state = 20_240_607_u64;
    let mut uniform = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let (mut covered, mut robust_covered) = (0, 0);
    let ids: Vec<usize> = (0..n).collect();
    for _ in 0..n_studies {
        let (mut times, mut events, mut x) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..n {
            let value = 2.0 * uniform() - 1.0 + uniform();
            let event = -(1.0 - uniform()).ln() * (-beta * value).exp();
            let censored = -2.0 * (1.0 - uniform()).ln();
            times.push(event.min(censored));
            events.push(event <= censored);
            x.push(value);
        }
        let follow_up = FollowUp::new(&times, &events).unwrap();
        let config = CoxConfig {
            clusters: Some(&ids),
            ..CoxConfig::default()
        };
        let term = fit_one(&follow_up, &x, &config).term(0, Confidence::NINETY_FIVE);
        robust_covered += usize::from(term.interval.contains(beta.exp()));
        let z = (term.coefficient - beta) / term.standard_error;
        covered += usize::from(z.abs() < 1.959_963_984_540_054);
    }
    let share = |count: usize| count as f64 / n_studies as f64;
    println!(
        "coverage of 95 % Cox intervals: model {}, robust {}",
        share(covered),
        share(robust_covered)
    );
    assert!(
        (0.93..=0.97).contains(&share(covered)),
        "{}",
        share(covered)
    );
    // The sandwich is known to be a little too narrow in small studies.
    assert!(
        (0.915..=0.97).contains(&share(robust_covered)),
        "{}",
        share(robust_covered)
    );
}

#[test]
fn with_one_cause_incidence_is_one_less_survival_and_fine_gray_is_cox() {
    let (times, events, x, _) = made(100);
    let causes: Vec<usize> = events.iter().map(|&event| usize::from(event)).collect();
    let competing = CompetingFollowUp::new(&times, &causes).unwrap();
    let curve = KaplanMeier::new(&FollowUp::new(&times, &events).unwrap());
    let incidence = CumulativeIncidence::new(&competing, 1).unwrap();
    for step in incidence.steps() {
        assert_near(
            "F",
            step.incidence,
            1.0 - curve.survival_at(step.time),
            1e-10,
        );
        if curve.survival_at(step.time) > 0.0 {
            let greenwood = curve.standard_error_at(step.time);
            assert_near("error", step.standard_error, greenwood, 1e-7);
        }
    }
    let ids: Vec<usize> = (0..100).collect();
    let config = CoxConfig {
        ties: Ties::Breslow,
        clusters: Some(&ids),
        strata: None,
    };
    let cox = fit_one(&competing.cause_specific(1), &x, &config);
    let covariates = Covariates::from_columns(&[&x]).unwrap();
    let fit = fit_fine_gray(&competing, 1, &covariates).unwrap();
    assert_near("beta", fit.coefficients[0], cox.coefficients()[0], 1e-8);
    assert_near("variance", fit.covariance[0], cox.covariance()[0], 1e-8);
}

/// The area under the ROC curve, pair by pair.
fn pairs_won(scores: &[f64], truth: &[bool]) -> f64 {
    let of = |class: bool| (0..truth.len()).filter(move |&i| truth[i] == class);
    let won = |i: usize, j: usize| match scores[i].total_cmp(&scores[j]) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    let all: f64 = of(true)
        .flat_map(|i| of(false).map(move |j| won(i, j)))
        .sum();
    all / (of(true).count() * of(false).count()) as f64
}

#[test]
fn without_censoring_weights_are_one() {
    let (times, _, x, _) = made(75);
    let follow_up = FollowUp::new(&times, &[true; 75]).unwrap();
    let config = ConcordanceConfig::default();
    let harrell = concordance(&follow_up, &x, &config).unwrap();
    assert_eq!(
        uno_concordance(&follow_up, &x, f64::INFINITY, &config).unwrap(),
        harrell
    );
    let horizon = 20.0;
    let truth: Vec<bool> = times.iter().map(|&t| t <= horizon).collect();
    let plain = pairs_won(&x, &truth);
    assert_near(
        "auc",
        time_dependent_auc(&follow_up, &x, horizon).unwrap().auc,
        plain,
        1e-12,
    );
    let survival: Vec<f64> = x.iter().map(|x| x / 2.0).collect();
    let squares = truth
        .iter()
        .zip(&survival)
        .map(|(&t, s)| (f64::from(!t) - s).powi(2));
    let brier = squares.sum::<f64>() / 75.0;
    assert_near(
        "brier",
        survival_brier_score(&follow_up, &survival, horizon).unwrap(),
        brier,
        1e-12,
    );
}

#[test]
fn a_second_classification_splits_the_first() {
    let (times, events, x, groups) = made(200);
    let follow_up = FollowUp::new(&times, &events).unwrap();
    let second: Vec<usize> = x.iter().map(|&x| usize::from(x > 1.0)).collect();
    let config = RestratificationConfig::at(15.0);
    let rows = restratify(&follow_up, &groups, &second, &config).unwrap();
    assert_eq!(rows.iter().map(|row| row.n_subjects).sum::<usize>(), 200);
    for row in &rows {
        let own: Vec<usize> = (0..200).filter(|&i| groups[i] == row.label).collect();
        let part = FollowUp::new(
            &own.iter().map(|&i| times[i]).collect::<Vec<f64>>(),
            &own.iter().map(|&i| events[i]).collect::<Vec<bool>>(),
        )
        .unwrap();
        let high: Vec<f64> = own.iter().map(|&i| second[i] as f64).collect();
        let term = fit_one(&part, &high, &CoxConfig::default()).term(0, config.confidence);
        let ratio = row.cells[1].hazard_ratio.unwrap();
        assert_near("ratio", ratio.estimate, term.hazard_ratio, 1e-12);
        let labels: Vec<usize> = own.iter().map(|&i| second[i]).collect();
        let test = log_rank(&part, &labels, &LogRankConfig::default())
            .unwrap()
            .test;
        assert_eq!(row.test, Some(test));
        assert_eq!(
            row.cells.iter().map(|cell| cell.n_events).sum::<usize>(),
            row.n_events
        );
    }
    assert!(rows[0].cells[0].hazard_ratio.is_none());
    let late = restratify(
        &follow_up,
        &groups,
        &second,
        &RestratificationConfig::at(1e6),
    )
    .unwrap();
    assert!(
        late.iter()
            .all(|row| row.cells[0].survival.is_none_or(|s| s == 0.0))
    );
    assert!(
        restratify(
            &follow_up,
            &groups,
            &second,
            &RestratificationConfig::at(0.0)
        )
        .is_err()
    );
}
