//! The questions, each answered from the cases alone.

use lobule_stats::Confidence;
use lobule_stats::bootstrap::{
    BootstrapConfig, Clusters, bootstrap, bootstrap_auc, bootstrap_several,
};
use lobule_stats::calibration::{Binning, calibration_line, expected_calibration_error};
use lobule_stats::hybrid::hybrid_at_sensitivity;
use lobule_stats::roc::{AucScale, Roc};

use super::Figure;
use super::among::{Among, Case};
use crate::Truth;

/// Fixed, so that a card can be recomputed to the last digit.
const SEED: u64 = 2021;
/// Fewest cases of either kind for an area under the curve.
const FEWEST: usize = 10;
/// A reader of BI-RADS asks for a biopsy from this category on.
const BIOPSY_CATEGORY: f64 = 4.0;

const BOOTSTRAP: &str = "bootstrap of patients, 2,000 replicates, percentile";

/// Every question about a whole data set.
pub(super) fn all(among: &Among) -> Vec<Figure> {
    [
        discrimination(among),
        sensitivities(among),
        super::flagged::all(among),
        calibration(among),
        baselines(among),
        saliency(among),
        malignant_saliency(among),
        super::attention::all(among),
        hybrid(among),
    ]
    .concat()
}

/// Areas under the ROC curve per image and per patient.
pub(super) fn discrimination(among: &Among) -> Vec<Figure> {
    let mut all = Vec::new();
    for (against, keep) in contrasts(among) {
        let images = among.only(among.name.clone(), |case| keep.contains(&case.label));
        let what = |unit: &str| format!("AUROC per {unit}, malignant vs {against}");
        all.extend(image_auroc(&images, what("image"), |case| {
            Some(case.malignant)
        }));
        all.extend(patient_auroc(&images, what("patient")));
    }
    all
}

/// What malignant images are told from: the rest, and where there are normals, benign ones.
fn contrasts(among: &Among) -> Vec<(&'static str, Vec<Truth>)> {
    let mut all = vec![("rest", vec![Truth::Normal, Truth::Benign, Truth::Malignant])];
    if among.cases.iter().any(|case| case.label == Truth::Normal) {
        all.push(("benign", vec![Truth::Benign, Truth::Malignant]));
    }
    all
}

fn image_auroc(
    among: &Among,
    what: String,
    score: impl Fn(&Case) -> Option<f64>,
) -> Option<Figure> {
    let cases: Vec<(&Case, f64)> = among
        .cases
        .iter()
        .filter_map(|case| Some((case, score(case)?)))
        .collect();
    let scored: Vec<Scored<'_>> = cases
        .into_iter()
        .map(|(case, score)| Scored {
            patient: &case.patient,
            score,
            malignant: case.is_malignant(),
        })
        .collect();
    clustered_auroc(among, what, &scored)
}

/// A unit of an area under the curve.
pub(super) struct Scored<'a> {
    pub(super) patient: &'a str,
    pub(super) score: f64,
    pub(super) malignant: bool,
}

/// The area under the curve of units that a patient may have several of.
pub(super) fn clustered_auroc(among: &Among, what: String, units: &[Scored<'_>]) -> Option<Figure> {
    let scores: Vec<f64> = units.iter().map(|unit| unit.score).collect();
    let truth: Vec<bool> = units.iter().map(|unit| unit.malignant).collect();
    let patients: Vec<&str> = units.iter().map(|unit| unit.patient).collect();
    let n_positive = enough(&truth)?;
    let clusters = Clusters::from_labels(&patients).ok()?;
    let config = BootstrapConfig::with_seed(SEED);
    let area = bootstrap_auc(&scores, &truth, &clusters, &config).ok()?;
    Some(Figure {
        among: among.name.clone(),
        what,
        value: area.estimate,
        interval: Some([area.interval.lower, area.interval.upper]),
        n: truth.len(),
        n_positive,
        method: BOOTSTRAP.into(),
    })
}

fn patient_auroc(among: &Among, what: String) -> Option<Figure> {
    let (roc, truth) = patient_roc(among)?;
    let n_positive = enough(&truth)?;
    let interval = roc
        .auc_interval(Confidence::NINETY_FIVE, AucScale::Logit)
        .ok();
    Some(Figure {
        among: among.name.clone(),
        what,
        value: roc.auc(),
        interval: interval.map(|i| [i.lower, i.upper]),
        n: truth.len(),
        n_positive,
        method: "DeLong on the logit scale".into(),
    })
}

/// The curve of the patients' scores, and who of them is malignant.
fn patient_roc(among: &Among) -> Option<(Roc, Vec<bool>)> {
    let (scores, truth): (Vec<f64>, Vec<bool>) = among
        .patients()
        .iter()
        .map(|unit| (unit.score, unit.label == Truth::Malignant))
        .unzip();
    let roc = Roc::new(&scores, &truth).ok()?;
    Some((roc, truth))
}

/// The number of positives, if there are enough of both kinds.
pub(super) fn enough(truth: &[bool]) -> Option<usize> {
    let positive = truth.iter().filter(|&&t| t).count();
    (positive >= FEWEST && truth.len() - positive >= FEWEST).then_some(positive)
}

/// Sensitivity per patient at fixed specificities.
fn sensitivities(among: &Among) -> Vec<Figure> {
    let Some((roc, truth)) = patient_roc(among) else {
        return Vec::new();
    };
    [0.90, 0.95]
        .into_iter()
        .filter_map(|specificity| {
            let share = roc.sensitivity_at_specificity(specificity).ok()?;
            let interval = share.wilson(Confidence::NINETY_FIVE);
            Some(Figure {
                among: among.name.clone(),
                what: format!(
                    "sensitivity per patient at {:.0} % specificity",
                    specificity * 100.0
                ),
                value: share.value(),
                interval: Some([interval.lower, interval.upper]),
                n: truth.len(),
                n_positive: truth.iter().filter(|&&t| t).count(),
                method: "Wilson; threshold from the same cases".into(),
            })
        })
        .collect()
}

/// Slope, intercept and expected calibration error, before and after calibration.
fn calibration(among: &Among) -> Vec<Figure> {
    let before = |case: &Case| Some(case.malignant);
    [
        ("before", "score", before as fn(&Case) -> Option<f64>),
        ("after", "probability", |case| case.probability),
    ]
    .into_iter()
    .flat_map(|(when, name, value)| calibration_of(among, when, name, value))
    .collect()
}

fn calibration_of(
    among: &Among,
    when: &str,
    name: &str,
    value: fn(&Case) -> Option<f64>,
) -> Vec<Figure> {
    let (p, truth): (Vec<f64>, Vec<bool>) = among
        .cases
        .iter()
        .filter_map(|case| Some((value(case)?, case.is_malignant())))
        .unzip();
    let Some(n_positive) = enough(&truth) else {
        return Vec::new();
    };
    let figure = |what: &str, value, interval, method: &str| Figure {
        among: among.name.clone(),
        what: format!("{what} of the image {name}, {when} calibration"),
        value,
        interval,
        n: truth.len(),
        n_positive,
        method: method.into(),
    };
    let mut all = Vec::new();
    if let Ok(line) = calibration_line(&p, &truth, Confidence::NINETY_FIVE) {
        let pair = |i: lobule_stats::Interval| Some([i.lower, i.upper]);
        let method = "logistic regression on the logit, Wald";
        all.push(figure(
            "calibration slope",
            line.slope,
            pair(line.slope_interval),
            method,
        ));
        let interval = pair(line.intercept_interval);
        all.push(figure(
            "calibration intercept",
            line.intercept,
            interval,
            method,
        ));
    }
    if let Ok(error) = expected_calibration_error(&p, &truth, Binning::EqualMass(10)) {
        all.push(figure(
            "expected calibration error",
            error,
            None,
            "ten bins of equal mass",
        ));
    }
    all
}

/// What can be told from the lesion's size or brightness alone.
fn baselines(among: &Among) -> Vec<Figure> {
    let area = image_auroc(
        among,
        "AUROC per image of the lesion's area alone".into(),
        |case| case.number("lesion_area_share"),
    );
    let gray = image_auroc(
        among,
        "AUROC per image of the lesion's darkness alone".into(),
        |case| Some(-case.number("lesion_mean_gray")?),
    );
    area.into_iter().chain(gray).collect()
}

/// How often the peak of the predicted class's map lies in the lesion, beside the best fixed point.
fn saliency(among: &Among) -> Vec<Figure> {
    let predicted = |case: &Case| match case.malignant >= case.benign {
        true => case.flag("malignant_peak_inside"),
        false => case.flag("benign_peak_inside"),
    };
    let whats = [
        "peak of the predicted class's map inside the lesion",
        "best fixed point inside the lesion",
        "peak inside more often than the best fixed point",
    ];
    peaks(among, whats, predicted)
}

/// In mammograms, whose tables name the view: how often the peak of the malignant map lies in the
/// lesion of a malignant image, whatever class is predicted.
fn malignant_saliency(among: &Among) -> Vec<Figure> {
    let malignant = |case: &Case| match case.is_malignant() && case.has_column("view") {
        true => case.flag("malignant_peak_inside"),
        false => None,
    };
    let whats = [
        "malignant images: peak of the malignant map inside the lesion",
        "malignant images: best fixed point inside the lesion",
        "malignant images: peak inside more often than the best fixed point",
    ];
    match among.cases.iter().any(|case| malignant(case).is_some()) {
        true => peaks(among, whats, malignant),
        false => Vec::new(),
    }
}

/// Shares of the cases that have a peak: peak inside, best fixed point inside, difference.
fn peaks(
    among: &Among,
    whats: [&str; 3],
    peak_inside: impl Fn(&Case) -> Option<bool>,
) -> Vec<Figure> {
    let cases: Vec<(&Case, [bool; 2])> = among
        .cases
        .iter()
        .filter_map(|case| Some((case, [peak_inside(case)?, case.flag("fixed_point_inside")?])))
        .collect();
    let hits = |which: usize| cases.iter().filter(|(_, inside)| inside[which]).count();
    let share = |over: &[usize], which: usize| {
        over.iter().filter(|&&i| cases[i].1[which]).count() as f64 / over.len().max(1) as f64
    };
    let [inside, fixed, more] = whats;
    [
        (inside, hits(0), [1.0, 0.0]),
        (fixed, hits(1), [0.0, 1.0]),
        (more, hits(0), [1.0, -1.0]),
    ]
    .into_iter()
    .filter_map(|(what, n_positive, weights)| {
        let patients: Vec<&str> = cases
            .iter()
            .map(|(case, _)| case.patient.as_str())
            .collect();
        let value =
            |over: &[usize]| Some(weights[0] * share(over, 0) + weights[1] * share(over, 1));
        shared(among, what, &patients, n_positive, value)
    })
    .collect()
}

/// A statistic over cases with its bootstrap interval.
pub(super) fn shared(
    among: &Among,
    what: &str,
    patients: &[&str],
    n_positive: usize,
    value: impl Fn(&[usize]) -> Option<f64> + Sync,
) -> Option<Figure> {
    let clusters = Clusters::from_labels(patients).ok()?;
    let result = bootstrap(&clusters, &BootstrapConfig::with_seed(SEED), value).ok()?;
    Some(Figure {
        among: among.name.clone(),
        what: what.into(),
        value: result.estimate,
        interval: Some([result.interval.lower, result.interval.upper]),
        n: patients.len(),
        n_positive,
        method: BOOTSTRAP.into(),
    })
}

/// The reader's BI-RADS averaged with the probability, at the reader's own sensitivity.
fn hybrid(among: &Among) -> Vec<Figure> {
    let patients: Vec<(f64, f64, bool)> = among
        .patients()
        .iter()
        .filter_map(|u| Some((u.birads?, u.probability?, u.label == Truth::Malignant)))
        .collect();
    let names: Vec<usize> = (0..patients.len()).collect();
    let Ok(clusters) = Clusters::from_labels(&names) else {
        return Vec::new();
    };
    let changes = |over: &[usize]| {
        let column = |of: fn(&(f64, f64, bool)) -> f64| -> Vec<f64> {
            over.iter().map(|&i| of(&patients[i])).collect()
        };
        let truth: Vec<bool> = over.iter().map(|&i| patients[i].2).collect();
        let matched =
            hybrid_at_sensitivity(&column(|p| p.0), &column(|p| p.1), &truth, BIOPSY_CATEGORY);
        matched.map_or([None; 2], |m| {
            [m.false_positive_change(), m.flagged_change()]
        })
    };
    let results = bootstrap_several(&clusters, &BootstrapConfig::with_seed(SEED), changes);
    let whats = [
        "false-positive change of reader and model together at the readers' sensitivity",
        "biopsy change of reader and model together at the readers' sensitivity",
    ];
    let both = whats.into_iter().zip(results.into_iter().flatten());
    both.filter_map(|(what, result)| {
        let result = result.ok()?;
        Some(Figure {
            among: among.name.clone(),
            what: what.into(),
            value: result.estimate,
            interval: Some([result.interval.lower, result.interval.upper]),
            n: patients.len(),
            n_positive: patients.iter().filter(|p| p.2).count(),
            method: format!("{BOOTSTRAP}; threshold from the same cases"),
        })
    })
    .collect()
}

/// Each histology against all lesions of the other kind.
pub(super) fn by_histology(among: &Among) -> Vec<Figure> {
    among
        .values_of(|case| case.text("histology"))
        .into_iter()
        .filter_map(|histology| {
            let own = |case: &Case| case.text("histology").as_ref() == Some(&histology);
            let malignant = among.cases.iter().find(|case| own(case))?.is_malignant();
            let group = among.only(format!("{}, {histology}", among.name), |case| {
                own(case) || case.is_malignant() != malignant
            });
            let own_count = group.cases.iter().filter(|case| own(case)).count();
            let against = if malignant {
                "all benign"
            } else {
                "all malignant"
            };
            let what = format!("AUROC per image, {own_count} images against {against}");
            image_auroc(&group, what, |case| Some(case.malignant))
        })
        .collect()
}
