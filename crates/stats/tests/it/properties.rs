//! Laws that hold for any data.

use lobule_stats::calibration::{
    Binning, Calibrator, LOGIT_MARGIN, expected_calibration_error, fit_isotonic, fit_platt,
};
use lobule_stats::hybrid::hybrid_at_sensitivity;
use lobule_stats::operating::ConfusionTable;
use lobule_stats::proportion::{PairedProportions, Proportion};
use lobule_stats::roc::{Roc, compare_paired};
use lobule_stats::triage::{SafetyNet, Screening, ScreeningColumns, TriageRule};
use lobule_stats::{Clusters, Confidence, ErrorKind};
use proptest::prelude::*;

/// Sums in another order.
const ROUNDING: f64 = 1e-12;

/// At least two cases of each class; scores on a coarse grid in 0..=1, so ties are common.
fn cases() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
    let case = (0..=20_u8, any::<bool>());
    prop::collection::vec(case, 0..40).prop_flat_map(|cases| {
        prop::collection::vec(0..=20_u8, 4).prop_map(move |four| {
            let fixed = four.into_iter().zip([true, true, false, false]);
            let all = cases.clone().into_iter().chain(fixed);
            all.map(|(score, present)| (f64::from(score) / 20.0, present))
                .unzip()
        })
    })
}

fn wins(positive: f64, negative: f64) -> f64 {
    match positive.total_cmp(&negative) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    }
}

/// DeLong's variance from all m · n pairs.
fn variance_by_pairs(scores: &[f64], truth: &[bool]) -> (f64, f64) {
    let class = |class: bool| -> Vec<f64> {
        let members = scores.iter().zip(truth).filter(|&(_, &t)| t == class);
        members.map(|(&score, _)| score).collect()
    };
    let (positives, negatives) = (class(true), class(false));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let against = |others: &[f64], win: &dyn Fn(f64) -> f64| {
        mean(&others.iter().map(|&other| win(other)).collect::<Vec<_>>())
    };
    let v10: Vec<f64> = positives
        .iter()
        .map(|&x| against(&negatives, &|y| wins(x, y)))
        .collect();
    let v01: Vec<f64> = negatives
        .iter()
        .map(|&y| against(&positives, &|x| wins(x, y)))
        .collect();
    let part = |values: &[f64]| {
        let (center, n) = (mean(values), values.len() as f64);
        values.iter().map(|v| (v - center).powi(2)).sum::<f64>() / (n - 1.0) / n
    };
    (mean(&v10), part(&v10) + part(&v01))
}

proptest! {
    #[test]
    fn area_and_variance_are_those_of_all_pairs((scores, truth) in cases()) {
        let roc = Roc::new(&scores, &truth).unwrap();
        let (auc, variance) = variance_by_pairs(&scores, &truth);
        prop_assert!((roc.auc() - auc).abs() < ROUNDING);
        prop_assert!((roc.auc_variance().unwrap() - variance).abs() < ROUNDING);
    }

    #[test]
    fn rising_maps_change_nothing((scores, truth) in cases()) {
        let mapped: Vec<f64> = scores.iter().map(|s| (5.0 * s - 2.0).exp()).collect();
        let (a, b) = (Roc::new(&scores, &truth).unwrap(), Roc::new(&mapped, &truth).unwrap());
        prop_assert_eq!(a.auc(), b.auc());
        prop_assert_eq!(a.placements(), b.placements());
        prop_assert_eq!(a.average_precision(), b.average_precision());
        prop_assert_eq!(compare_paired(&a, &b, Confidence::NINETY_FIVE).unwrap().p_value, 1.0);
    }

    #[test]
    fn turned_scores_have_the_rest_of_the_area((scores, truth) in cases()) {
        let turned: Vec<f64> = scores.iter().map(|s| -s).collect();
        let (a, b) = (Roc::new(&scores, &truth).unwrap(), Roc::new(&turned, &truth).unwrap());
        prop_assert!((a.auc() + b.auc() - 1.0).abs() < ROUNDING);
        let (va, vb) = (a.auc_variance().unwrap(), b.auc_variance().unwrap());
        prop_assert!((va - vb).abs() < ROUNDING);
    }

    #[test]
    fn operating_points_reach_their_targets_and_no_other_does_better(
        (scores, truth) in cases(),
        target in 0.01..=1.0_f64,
    ) {
        let roc = Roc::new(&scores, &truth).unwrap();
        let table = |threshold| ConfusionTable::at_threshold(&scores, &truth, threshold).unwrap();
        let by_sensitivity = roc.at_sensitivity(target).unwrap();
        prop_assert_eq!(by_sensitivity.table, table(by_sensitivity.threshold));
        prop_assert!(by_sensitivity.table.sensitivity().unwrap().value() >= target);
        let by_specificity = roc.at_specificity(target).unwrap();
        prop_assert_eq!(by_specificity.table, table(by_specificity.threshold));
        prop_assert!(by_specificity.table.specificity().unwrap().value() >= target);
        for &score in &scores {
            let other = table(score);
            if score > by_sensitivity.threshold {
                prop_assert!(other.sensitivity().unwrap().value() < target);
            }
            if score < by_specificity.threshold {
                prop_assert!(other.specificity().unwrap().value() < target);
            }
        }
    }

    #[test]
    fn isotonic_maps_rise_and_keep_the_total((scores, truth) in cases()) {
        let map = fit_isotonic(&scores, &truth, 0.0).unwrap();
        map.check().unwrap();
        let grid: Vec<f64> = (0..=400).map(|i| map.apply(f64::from(i) / 400.0)).collect();
        prop_assert!(grid.windows(2).all(|w| w[0] <= w[1]));
        let total: f64 = scores.iter().map(|&score| map.apply(score)).sum();
        let diseased = truth.iter().filter(|&&present| present).count() as f64;
        prop_assert!((total - diseased).abs() < 1e-9);
    }

    #[test]
    fn isotonic_maps_are_calibrated_on_their_own_cases((scores, truth) in cases()) {
        let map = fit_isotonic(&scores, &truth, 0.0).unwrap();
        let mapped: Vec<f64> = scores.iter().map(|&score| map.apply(score)).collect();
        let many = Binning::EqualMass(1000);
        prop_assert!(expected_calibration_error(&mapped, &truth, many).unwrap() < 1e-9);
    }

    #[test]
    fn logistic_maps_rise_strictly(slope in 0.05..5.0_f64, intercept in -5.0..5.0_f64) {
        let map = Calibrator::Logistic { slope, intercept };
        let inside = (1..1000).map(|i| LOGIT_MARGIN + f64::from(i) / 1000.5);
        let values: Vec<f64> = inside.map(|score| map.apply(score)).collect();
        prop_assert!(values.windows(2).all(|w| w[0] < w[1]));
        prop_assert!(values.iter().all(|p| (0.0..=1.0).contains(p)));
    }

    #[test]
    fn platt_always_ends((scores, truth) in cases()) {
        match fit_platt(&scores, &truth) {
            Ok(map) => prop_assert!(map.check().is_ok()),
            Err(error) => prop_assert!(
                matches!(error.kind(), ErrorKind::NotIncreasing | ErrorKind::NoFit)
            ),
        }
    }

    #[test]
    fn intervals_of_proportions_stay_inside(total in 1..5000_usize, share in 0.0..=1.0_f64) {
        let successes = (share * total as f64) as usize;
        let proportion = Proportion::new(successes, total).unwrap();
        let wilson = proportion.wilson(Confidence::NINETY_FIVE);
        let exact = proportion.clopper_pearson(Confidence::NINETY_FIVE);
        for interval in [wilson, exact] {
            prop_assert!(interval.lower >= 0.0 && interval.upper <= 1.0);
            prop_assert!(interval.contains(proportion.value()));
        }
    }

    #[test]
    fn paired_intervals_hold_the_difference(cells in prop::array::uniform4(0..50_usize)) {
        let [both, only_first, only_second, neither] = cells;
        let pairs = PairedProportions { both, only_first, only_second, neither };
        prop_assume!(cells.iter().sum::<usize>() > 0);
        let interval = pairs.interval(Confidence::NINETY_FIVE).unwrap();
        prop_assert!(interval.contains(pairs.difference().unwrap()));
        let swapped = PairedProportions {
            only_first: only_second,
            only_second: only_first,
            ..pairs
        };
        let mirrored = swapped.interval(Confidence::NINETY_FIVE).unwrap();
        prop_assert!((interval.lower + mirrored.upper).abs() < ROUNDING);
        prop_assert_eq!(pairs.mcnemar().p_value, swapped.mcnemar().p_value);
    }

    #[test]
    fn hybrids_are_at_least_as_sensitive_as_the_reader(
        (reader, truth) in cases(),
        seed in any::<u8>(),
    ) {
        let ai: Vec<f64> = (0..reader.len())
            .map(|case| ((case as f64 + 1.0) * f64::from(seed)).sin())
            .collect();
        match hybrid_at_sensitivity(&reader, &ai, &truth, 0.5) {
            Ok(result) => prop_assert!(
                result.other.table.true_positives >= result.reader.table.true_positives
            ),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Undefined),
        }
    }

    #[test]
    fn thresholds_go_as_far_as_their_target_lets_them(
        (scores, truth) in cases(),
        target in 0.01..=1.0_f64,
    ) {
        let roc = Roc::new(&scores, &truth).unwrap();
        let above = scores.iter().copied().fold(0.0, f64::max).next_up();
        let candidates = || scores.iter().copied().chain([above]);
        let table = |c: f64| ConfusionTable::at_threshold(&scores, &truth, c).unwrap();
        let lowest = |fits: &dyn Fn(f64) -> bool| {
            candidates().filter(|&c| fits(c)).min_by(f64::total_cmp)
        };
        let highest = |fits: &dyn Fn(f64) -> bool| {
            candidates().filter(|&c| fits(c)).max_by(f64::total_cmp)
        };
        let value = |rate: Option<Proportion>| rate.map(Proportion::value);
        let rate = lowest(&|c| value(table(c).flagged_rate()) <= Some(target));
        prop_assert_eq!(rate, roc.at_flagged_rate(target).ok().map(|p| p.threshold));
        let positive = lowest(&|c| value(table(c).positive_predictive_value()) >= Some(target));
        let got = roc.at_positive_predictive_value(target, None);
        prop_assert_eq!(positive, got.ok().map(|p| p.threshold));
        let negative = highest(&|c| value(table(c).negative_predictive_value()) >= Some(target));
        let got = roc.at_negative_predictive_value(target, None);
        prop_assert_eq!(negative, got.ok().map(|p| p.threshold));
    }

    #[test]
    fn single_cases_have_delongs_variance_and_clusters_a_true_one(
        (scores, truth) in cases(),
        labels in prop::collection::vec(0..6_u8, 44),
    ) {
        let roc = Roc::new(&scores, &truth).unwrap();
        let single = Clusters::singletons(scores.len()).unwrap();
        let variance = roc.auc_variance_by_cluster(&single).unwrap();
        prop_assert!((variance - roc.auc_variance().unwrap()).abs() < ROUNDING);
        let clusters = Clusters::from_labels(&labels[..scores.len()]).unwrap();
        match roc.auc_variance_by_cluster(&clusters) {
            Ok(variance) => prop_assert!(variance >= 0.0),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::TooFew),
        }
    }

    #[test]
    fn rule_out_only_takes_away_and_a_safety_net_only_adds(
        (scores, truth) in cases(),
        flags in prop::collection::vec(any::<bool>(), 44),
        threshold in 0.0..=1.1_f64,
    ) {
        let screening = Screening::new(&ScreeningColumns {
            truth: &truth,
            ai_scores: &scores,
            first_reader: &flags[..scores.len()],
            ..ScreeningColumns::default()
        })
        .unwrap();
        let apply = |rule| screening.apply(rule).unwrap();
        let rule_out = apply(TriageRule::RuleOut { below: threshold });
        prop_assert_eq!((rule_out.cancers_gained(), rule_out.healthy.only_first), (0, 0));
        prop_assert_eq!(rule_out.human_readings + rule_out.n_unread, scores.len());
        let from = threshold;
        let net = apply(TriageRule::SafetyNet { from, action: SafetyNet::Recall });
        prop_assert_eq!((net.cancers_missed(), net.healthy.only_second), (0, 0));
        let split = TriageRule::DecisionReferral { below: threshold, from: threshold };
        let alone = ConfusionTable::at_threshold(&scores, &truth, threshold).unwrap();
        prop_assert_eq!(apply(split).table(), alone);
    }
}
