//! What flagging mammograms at [`ABOVE_10`] does: sensitivity, specificity and recall rate, per breast
//! and per patient. The threshold was set beforehand, so nothing here was fitted but the
//! calibration, and that on other folds.

use lobule_stats::Confidence;
use lobule_stats::proportion::Proportion;

use super::Figure;
use super::among::{Among, Unit};
use super::questions::{enough, shared};
use crate::{OperatingPoint, Truth};

/// The operating point by which mammograms are flagged unless another is asked for: a breast's
/// score of 10 of 100 or more, as in Kim et al., Lancet Digit Health 2020;2:e138–48,
/// doi 10.1016/S2589-7500(20)30003-0.
pub const ABOVE_10: &str = "above-10";

/// Its threshold: 10 of 100 is a probability of 0.10.
pub const ABOVE_10_THRESHOLD: f64 = 0.10;

const SENSITIVITY: &str = "sensitivity";
const SPECIFICITY: &str = "specificity";
const RECALL: &str = "recall rate";

/// A breast or a patient.
struct Flagged<'a> {
    patient: &'a str,
    malignant: bool,
    flagged: bool,
}

impl<'a> Flagged<'a> {
    /// None without a calibrated probability.
    fn of(patient: &'a str, unit: &Unit) -> Option<Flagged<'a>> {
        Some(Flagged {
            patient,
            malignant: unit.label == Truth::Malignant,
            flagged: unit.probability? >= ABOVE_10_THRESHOLD,
        })
    }
}

/// One of the shares: among which units, and which of them count.
struct Share {
    name: &'static str,
    among: fn(&Flagged<'_>) -> bool,
    counts: fn(&Flagged<'_>) -> bool,
}

const SHARES: [Share; 3] = [
    Share {
        name: SENSITIVITY,
        among: |unit| unit.malignant,
        counts: |unit| unit.flagged,
    },
    Share {
        name: SPECIFICITY,
        among: |unit| !unit.malignant,
        counts: |unit| !unit.flagged,
    },
    Share {
        name: RECALL,
        among: |_| true,
        counts: |unit| unit.flagged,
    },
];

/// All shares; nothing for tables that are not of mammograms, whose tables name the view, and
/// for sets with too few breasts of either kind.
pub(super) fn all(among: &Among) -> Vec<Figure> {
    if !among.cases.iter().any(|case| case.has_column("view")) {
        return Vec::new();
    }
    let breasts = among.breasts();
    let breasts = breasts
        .iter()
        .map(|(patient, unit)| Flagged::of(patient, unit));
    let patients = among.patients();
    let patients = patients.iter().map(|unit| Flagged::of("", unit));
    let (Some(breasts), Some(patients)) = (
        breasts.collect::<Option<Vec<_>>>(),
        patients.collect::<Option<Vec<_>>>(),
    ) else {
        return Vec::new();
    };
    let truth: Vec<bool> = breasts.iter().map(|unit| unit.malignant).collect();
    if enough(&truth).is_none() {
        return Vec::new();
    }
    let per_breast = SHARES.iter().filter_map(|s| of_breasts(among, s, &breasts));
    let per_patient = SHARES
        .iter()
        .filter_map(|s| of_patients(among, s, &patients));
    per_breast.chain(per_patient).collect()
}

fn what(share: &Share, unit: &str) -> String {
    format!("{} per {unit} at 10 of 100", share.name)
}

/// A patient's breasts are not independent.
fn of_breasts(among: &Among, share: &Share, breasts: &[Flagged<'_>]) -> Option<Figure> {
    let own: Vec<&Flagged<'_>> = breasts.iter().filter(|b| (share.among)(b)).collect();
    let patients: Vec<&str> = own.iter().map(|breast| breast.patient).collect();
    let counts: Vec<bool> = own.iter().map(|breast| (share.counts)(breast)).collect();
    let n = counts.iter().filter(|&&counts| counts).count();
    shared(among, &what(share, "breast"), &patients, n, |drawn| {
        let n = drawn.iter().filter(|&&i| counts[i]).count();
        Some(n as f64 / drawn.len().max(1) as f64)
    })
}

fn of_patients(among: &Among, share: &Share, patients: &[Flagged<'_>]) -> Option<Figure> {
    let own: Vec<&Flagged<'_>> = patients.iter().filter(|p| (share.among)(p)).collect();
    let n = own.iter().filter(|patient| (share.counts)(patient)).count();
    let proportion = Proportion::new(n, own.len()).ok()?;
    let interval = proportion.wilson(Confidence::NINETY_FIVE);
    Some(Figure {
        among: among.name.clone(),
        what: what(share, "patient"),
        value: proportion.value(),
        interval: Some([interval.lower, interval.upper]),
        n: own.len(),
        n_positive: n,
        method: "Wilson; a patient is flagged when a breast is".into(),
    })
}

/// [`ABOVE_10`] with what it was found to do, set by set.
pub fn above_10(figures: &[Figure]) -> OperatingPoint {
    let figure = |share: &Share, among: &str| {
        let what = what(share, "breast");
        figures.iter().find(|f| f.what == what && f.among == among)
    };
    let mut sets: Vec<&str> = Vec::new();
    for figure in figures
        .iter()
        .filter(|f| f.what == what(&SHARES[2], "breast"))
    {
        sets.push(&figure.among);
    }
    let said = sets.iter().map(|set| {
        let shares = SHARES
            .iter()
            .filter_map(|share| Some((share, figure(share, set)?)));
        let shares: Vec<String> = shares.map(|(share, figure)| words(share, figure)).collect();
        format!("; left-out breasts of {set}: {}", shares.join(", "))
    });
    OperatingPoint {
        name: ABOVE_10.into(),
        threshold: ABOVE_10_THRESHOLD,
        chosen_by: format!(
            "set beforehand, at the calibration's prevalence{}",
            said.collect::<String>()
        ),
    }
}

fn words(share: &Share, figure: &Figure) -> String {
    let interval = figure.interval.map_or(String::new(), |[lower, upper]| {
        format!(" (95 % interval {lower:.2} to {upper:.2})")
    });
    let Figure {
        value,
        n_positive,
        n,
        ..
    } = figure;
    format!("{} {value:.2}{interval}, {n_positive} of {n}", share.name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Predictions;

    /// Patients of two breasts; every third patient has one malignant breast. Above 10 of 100 are
    /// nine in ten of the malignant ones and a quarter of the others.
    fn table(columns: &str, cell: &str) -> Predictions {
        let mut text = format!(
            "set,case,bag,patient,fold,label,benign_score,malignant_score,malignant_probability,\
             attention{columns}\n"
        );
        for patient in 0..60 {
            for side in 0..2 {
                let malignant = patient % 3 == 0 && side == 0;
                let flagged = match malignant {
                    true => patient % 30 != 0,
                    false => (patient + side) % 4 == 1,
                };
                let probability = if flagged { 0.1 } else { 0.099 };
                let label = if malignant { "malignant" } else { "normal" };
                let name = format!("{patient}-{side}");
                text +=
                    &format!("a,{name},{name},p{patient},1,{label},0,0.5,{probability},1{cell}\n");
            }
        }
        Predictions::from_csv(text.as_bytes(), Path::new("p")).unwrap()
    }

    #[test]
    fn mammograms_are_counted_at_ten_of_a_hundred() {
        let all = crate::figures(&table(",view", ",MLO"), Path::new("p")).unwrap();
        let figure = |what: &str| all.iter().find(|f| f.what == what).unwrap();
        let sensitivity = figure("sensitivity per breast at 10 of 100");
        assert_eq!((sensitivity.n, sensitivity.n_positive), (20, 18));
        let specificity = figure("specificity per breast at 10 of 100");
        assert_eq!((specificity.n, specificity.n_positive), (100, 75));
        let recall = figure("recall rate per breast at 10 of 100");
        assert_eq!((recall.n, recall.n_positive), (120, 43));
        let [lower, upper] = recall.interval.unwrap();
        assert!(lower < recall.value && recall.value < upper);
        let patients = figure("sensitivity per patient at 10 of 100");
        assert_eq!(patients.n, 20);

        let point = above_10(&all);
        assert_eq!((point.name.as_str(), point.threshold), ("above-10", 0.10));
        assert!(
            point
                .chosen_by
                .contains("left-out breasts of a: sensitivity 0.90")
        );
        assert!(
            point.chosen_by.contains("recall rate 0.36"),
            "{}",
            point.chosen_by
        );
    }

    #[test]
    fn what_is_no_mammogram_or_not_calibrated_has_no_such_figure() {
        let none = |table: &Predictions| {
            let all = crate::figures(table, Path::new("p")).unwrap();
            all.iter().all(|f| !f.what.contains("10 of 100"))
        };
        assert!(none(&table("", "")));
        let mut uncalibrated = table(",view", ",MLO");
        uncalibrated.rows[3].malignant_probability = None;
        assert!(none(&uncalibrated));
        let point = above_10(&[]);
        assert_eq!(
            point.chosen_by,
            "set beforehand, at the calibration's prevalence"
        );
    }
}
