//! Rules of triage on a table small enough to follow by hand.

use lobule_stats::triage::{
    Arbitration, SafetyNet, Screening, ScreeningColumns, TriageOutcome, TriageRule, WorkUp,
    triage_curve,
};
use lobule_stats::{Confidence, ErrorKind};

const T: bool = true;
const F: bool = false;
const YES: Option<bool> = Some(true);
const NO: Option<bool> = Some(false);

/// Twelve cases, cancers last. The readers alone (two and an arbiter) recall 2, 3, 8, 9, 10.
///
/// | case | truth | score | first | second | arbiter | recommended | performed |
/// |---|---|---|---|---|---|---|---|
/// | 0 | – | 0.05 | – | – | | | |
/// | 1 | – | 0.10 | R | – | – | | |
/// | 2 | – | 0.15 | R | R | | no | no |
/// | 3 | – | 0.40 | – | R | R | yes | no |
/// | 4 | – | 0.50 | – | – | – | | |
/// | 5 | – | 0.60 | R | – | – | | |
/// | 6 | – | 0.95 | – | – | R | unknown | unknown |
/// | 7 | – | 0.20 | – | – | | | |
/// | 8 | + | 0.12 | R | R | | yes | yes |
/// | 9 | + | 0.70 | R | – | R | yes | yes |
/// | 10 | + | 0.98 | R | R | | yes | yes |
/// | 11 | + | 0.97 | – | – | R | unknown | unknown |
fn columns() -> ScreeningColumns<'static> {
    ScreeningColumns {
        truth: &[F, F, F, F, F, F, F, F, T, T, T, T],
        ai_scores: &[
            0.05, 0.10, 0.15, 0.40, 0.50, 0.60, 0.95, 0.20, 0.12, 0.70, 0.98, 0.97,
        ],
        first_reader: &[F, T, T, F, F, T, F, F, T, T, T, F],
        second_reader: Some(&[F, F, T, T, F, F, F, F, T, F, T, F]),
        arbiter: Some(&[None, NO, None, YES, NO, NO, YES, None, None, YES, None, YES]),
        biopsy_recommended: Some(&[NO, NO, NO, YES, NO, NO, None, NO, YES, YES, YES, None]),
        biopsy_performed: Some(&[NO, NO, NO, NO, NO, NO, None, NO, YES, YES, YES, None]),
    }
}

fn apply(rule: TriageRule) -> TriageOutcome {
    Screening::new(&columns()).unwrap().apply(rule).unwrap()
}

/// (TP, FP, missed, gained, human readings, unread).
fn counts(outcome: &TriageOutcome) -> [usize; 6] {
    let table = outcome.table();
    [
        table.true_positives,
        table.false_positives,
        outcome.cancers_missed(),
        outcome.cancers_gained(),
        outcome.human_readings,
        outcome.n_unread,
    ]
}

#[test]
fn the_rules_do_what_the_table_says() {
    // The readers disagree on 1, 3, 5, 9: 24 + 4 readings.
    let second = |from, arbitration| TriageRule::SecondReader { from, arbitration };
    let net = |from, action| TriageRule::SafetyNet { from, action };
    let cases = [
        (
            "readers alone",
            TriageRule::ReadersAlone,
            [3, 2, 0, 0, 28, 0],
        ),
        // 0, 1, 2, 8 go unread: 2 + 3 + 2 + 2 readings less.
        (
            "rule out",
            TriageRule::RuleOut { below: 0.2 },
            [2, 1, 1, 0, 19, 4],
        ),
        (
            "rule out none",
            TriageRule::RuleOut { below: 0.05 },
            [3, 2, 0, 0, 28, 0],
        ),
        (
            "rule out all",
            TriageRule::RuleOut { below: 1.0 },
            [0, 0, 3, 0, 0, 12],
        ),
        // The algorithm recalls 6, 9, 10, 11 beside the first reader's 1, 2, 5, 8, 9, 10.
        (
            "either",
            second(0.7, Arbitration::EitherRecalls),
            [4, 4, 0, 1, 12, 0],
        ),
        // Low: 0, 1, 2, 8; high: 6, 10, 11; the readers recall 3 and 9 of the rest.
        (
            "referral",
            TriageRule::DecisionReferral {
                below: 0.2,
                from: 0.95,
            },
            [3, 2, 1, 1, 13, 7],
        ),
        (
            "algorithm alone",
            TriageRule::DecisionReferral {
                below: 0.5,
                from: 0.5,
            },
            [3, 3, 1, 1, 0, 12],
        ),
        // Normal to the readers: 6 and 11 from 0.9 on, 4 and 5 from 0.5 on, which the arbiter leaves.
        ("net", net(0.9, SafetyNet::Recall), [4, 3, 0, 1, 28, 0]),
        ("re-read", net(0.9, SafetyNet::Reread), [4, 3, 0, 1, 30, 0]),
        (
            "wider re-read",
            net(0.5, SafetyNet::Reread),
            [4, 3, 0, 1, 32, 0],
        ),
        // Low cases by the first reader alone: 0, 1, 2, 7, 8, of which 1 was called off by arbitration.
        (
            "risk-adapted",
            TriageRule::RiskAdapted { double_from: 0.3 },
            [3, 3, 0, 0, 22, 0],
        ),
    ];
    for (name, rule, expected) in cases {
        let outcome = apply(rule);
        assert_eq!(counts(&outcome), expected, "{name}");
        assert_eq!(outcome.usual_readings, 28, "{name}");
        assert_eq!(outcome.readers_table().false_positives, 2, "{name}");
        assert_eq!(outcome.table().total(), 12, "{name}");
    }
}

#[test]
fn a_second_reader_who_is_an_algorithm_is_arbitrated() {
    // With 0.7 it disagrees with the first reader on 1, 2, 5, 6, 8, 11; 2 and 8 have no arbiter.
    let screening = Screening::new(&columns()).unwrap();
    let rule = |arbitration| TriageRule::SecondReader {
        from: 0.7,
        arbitration,
    };
    let error = screening.apply(rule(Arbitration::Arbiter)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Design);
    assert_eq!(
        error.to_string(),
        "expected an arbiter's decision on case 2, got none"
    );
    // The second reader decides: 1 no, 2 yes, 5 no, 6 no, 8 yes, 11 no; agreed: 9, 10.
    let outcome = screening.apply(rule(Arbitration::SecondReader)).unwrap();
    assert_eq!(counts(&outcome), [3, 1, 0, 0, 18, 0]);
    let arbiter = [NO, NO, NO, YES, NO, NO, YES, NO, NO, YES, YES, YES];
    let complete = ScreeningColumns {
        arbiter: Some(&arbiter),
        ..columns()
    };
    let screening = Screening::new(&complete).unwrap();
    // The arbiter: 1 no, 2 no, 5 no, 6 yes, 8 no, 11 yes.
    let outcome = screening.apply(rule(Arbitration::Arbiter)).unwrap();
    assert_eq!(counts(&outcome), [3, 1, 1, 1, 18, 0]);
}

#[test]
fn rates_and_predictive_values_are_those_of_the_counts() {
    let outcome = apply(TriageRule::RuleOut { below: 0.2 });
    assert!((outcome.detections_per_thousand() - 2000.0 / 12.0).abs() < 1e-12);
    let interval = outcome.detections_per_thousand_interval(Confidence::NINETY_FIVE);
    // Wilson's limits of 2 of 12.
    assert!((interval.lower - 46.965).abs() < 0.001, "{interval:?}");
    assert!((interval.upper - 448.031).abs() < 0.001, "{interval:?}");
    assert_eq!(outcome.recall_rate().successes(), 3);
    assert_eq!(outcome.missed_rate().successes(), 2);
    let ppv = outcome.positive_predictive_value_1().unwrap();
    assert_eq!((ppv.successes(), ppv.total()), (2, 3));
    // Recalled: 3 (recommended, not performed), 9 and 10 (both).
    let ppv = outcome.positive_predictive_value_2().unwrap();
    assert_eq!((ppv.successes(), ppv.total()), (2, 3));
    let ppv = outcome.positive_predictive_value_3().unwrap();
    assert_eq!((ppv.successes(), ppv.total()), (2, 2));
    assert!((outcome.reading_saved() - 9.0 / 28.0).abs() < 1e-15);
    let sensitivity = outcome.table().sensitivity().unwrap();
    assert_eq!((sensitivity.successes(), sensitivity.total()), (2, 4));
}

#[test]
fn pairs_hold_the_changes_against_the_readers() {
    let outcome = apply(TriageRule::DecisionReferral {
        below: 0.2,
        from: 0.95,
    });
    // Cancers: 8 lost, 11 won, 9 and 10 kept. Healthy: 2 spared, 6 recalled for nothing, 3 kept.
    let cells = |p: lobule_stats::proportion::PairedProportions| {
        [p.both, p.only_first, p.only_second, p.neither]
    };
    assert_eq!(cells(outcome.cancers), [2, 1, 1, 0]);
    assert_eq!(cells(outcome.healthy), [1, 1, 1, 5]);
    assert_eq!(cells(outcome.recall_pairs()), [3, 2, 2, 5]);
    assert_eq!(cells(outcome.detection_pairs()), [2, 1, 1, 8]);
    assert_eq!(cells(outcome.specificity_pairs()), [5, 1, 1, 1]);
    assert_eq!(outcome.recall_pairs().difference().unwrap(), 0.0);
    let alone = apply(TriageRule::ReadersAlone);
    assert_eq!(alone.recall_pairs().mcnemar().p_value, 1.0);
}

#[test]
fn biopsies_that_nobody_could_know_of_are_counted_apart() {
    let outcome = apply(TriageRule::SafetyNet {
        from: 0.9,
        action: SafetyNet::Recall,
    });
    let recommended = WorkUp {
        cancers: 3,
        others: 1,
        unknown: 2,
    };
    assert_eq!(outcome.biopsies_recommended, Some(recommended));
    let without = ScreeningColumns {
        biopsy_recommended: None,
        ..columns()
    };
    let screening = Screening::new(&without).unwrap();
    let outcome = screening.apply(TriageRule::ReadersAlone).unwrap();
    assert_eq!(outcome.positive_predictive_value_2(), None);
    assert!(outcome.positive_predictive_value_3().is_some());
}

#[test]
fn curves_run_from_all_read_to_none() {
    let screening = Screening::new(&columns()).unwrap();
    let thresholds = [f64::NEG_INFINITY, 0.11, 0.2, 0.65, f64::INFINITY];
    let curve = triage_curve(&screening, &thresholds, |below| TriageRule::RuleOut {
        below,
    })
    .unwrap();
    let missed: Vec<usize> = curve.iter().map(TriageOutcome::cancers_missed).collect();
    assert_eq!(missed, [0, 0, 1, 1, 3]);
    let saved: Vec<f64> = curve.iter().map(TriageOutcome::reading_saved).collect();
    assert!(saved.windows(2).all(|pair| pair[0] <= pair[1]));
    assert_eq!((saved[0], saved[4]), (0.0, 1.0));
}

#[test]
fn one_reader_is_a_screening_too() {
    let single = ScreeningColumns {
        second_reader: None,
        arbiter: None,
        ..columns()
    };
    let screening = Screening::new(&single).unwrap();
    assert_eq!(screening.usual_readings(), 12);
    let alone = screening.apply(TriageRule::ReadersAlone).unwrap();
    assert_eq!(counts(&alone), [3, 3, 0, 0, 12, 0]);
    let pair = ScreeningColumns {
        arbiter: None,
        ..columns()
    };
    let alone = Screening::new(&pair).unwrap();
    let alone = alone.apply(TriageRule::ReadersAlone).unwrap();
    // Either recalls: 1, 2, 3, 5 and 8, 9, 10.
    assert_eq!(counts(&alone), [3, 4, 0, 0, 24, 0]);
}

#[test]
fn what_was_not_recorded_is_refused() {
    let kind = |columns: &ScreeningColumns<'_>| Screening::new(columns).unwrap_err().kind();
    let short = ScreeningColumns {
        second_reader: Some(&[T]),
        ..columns()
    };
    assert_eq!(kind(&short), ErrorKind::Mismatch);
    let alone = ScreeningColumns {
        second_reader: None,
        ..columns()
    };
    assert_eq!(kind(&alone), ErrorKind::Design);
    let open = [None; 12];
    let undecided = ScreeningColumns {
        arbiter: Some(&open),
        ..columns()
    };
    assert_eq!(kind(&undecided), ErrorKind::Design);
    let nan = [f64::NAN; 12];
    let unscored = ScreeningColumns {
        ai_scores: &nan,
        ..columns()
    };
    assert_eq!(kind(&unscored), ErrorKind::NotFinite);

    let single = ScreeningColumns {
        second_reader: None,
        arbiter: None,
        ..columns()
    };
    let screening = Screening::new(&single).unwrap();
    let kind = |rule| screening.apply(rule).unwrap_err().kind();
    let nan = f64::NAN;
    let cases = [
        (TriageRule::RuleOut { below: nan }, ErrorKind::OutOfRange),
        (
            TriageRule::DecisionReferral {
                below: 0.5,
                from: 0.4,
            },
            ErrorKind::OutOfRange,
        ),
        (
            TriageRule::DecisionReferral {
                below: nan,
                from: 0.4,
            },
            ErrorKind::OutOfRange,
        ),
        (
            TriageRule::SafetyNet {
                from: 0.9,
                action: SafetyNet::Reread,
            },
            ErrorKind::Design,
        ),
        (
            TriageRule::RiskAdapted { double_from: 0.5 },
            ErrorKind::Design,
        ),
        (
            TriageRule::SecondReader {
                from: 0.5,
                arbitration: Arbitration::SecondReader,
            },
            ErrorKind::Design,
        ),
    ];
    for (rule, expected) in cases {
        assert_eq!(kind(rule), expected, "{rule:?}");
    }
}
