//! From scores to probabilities and a decision.

use lobule_exam::{ClassScores, OperatingPoint};
use lobule_package::{Calibration, FindingThresholds, Manifest};
use lobule_stats::prevalence::{Prevalence, rebase};

use crate::{Error, ErrorKind};

/// How scores become probabilities, when a breast is flagged and what is outlined.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    calibration: Option<ClassCalibration>,
    rebasing: Option<Rebasing>,
    decision_threshold: Option<f64>,
    operating_point: Option<OperatingPoint>,
    finding_thresholds: FindingThresholds,
}

#[derive(Debug, Clone, PartialEq)]
struct ClassCalibration {
    benign: Calibration,
    malignant: Calibration,
}

/// From the calibration's prevalence to the one asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rebasing {
    from: Prevalence,
    to: Prevalence,
}

impl Judgement {
    /// Takes calibration and operating point out of a package's manifest.
    ///
    /// `prevalence` is the share of malignant breasts at which the user wants the malignant
    /// probability; none keeps the calibration's own. The operating point's threshold moves with
    /// it, so the same breasts are flagged.
    ///
    /// # Errors
    /// `Option` for a prevalence outside 0..1 or without a calibration, or an unknown operating
    /// point; `Package` when only one class is calibrated, or for a model that outlines nothing, as those
    /// of slides.
    pub fn new(
        manifest: &Manifest,
        operating_point: Option<&str>,
        prevalence: Option<f64>,
    ) -> Result<Judgement, Error> {
        let calibration = class_calibration(manifest)?;
        let finding_thresholds = manifest.finding_thresholds().cloned().ok_or_else(|| {
            let message = "expected a model that outlines findings, got none";
            Error::new(ErrorKind::Package, message)
        })?;
        let rebasing = rebasing(calibration.as_ref(), prevalence)?;
        let point = manifest.operating_point(operating_point);
        if let (Some(name), None) = (operating_point, point) {
            return Err(unknown_point(manifest, name));
        }
        let mut judgement = Judgement {
            calibration,
            rebasing,
            decision_threshold: point.map(|p| p.threshold),
            operating_point: None,
            finding_thresholds,
        };
        judgement.operating_point = point.map(|p| OperatingPoint {
            name: p.name.clone(),
            threshold: judgement.rebased(p.threshold),
            chosen_by: p.chosen_by.clone(),
        });
        Ok(judgement)
    }

    /// Calibrated probabilities; none when the package carries no calibration.
    pub fn probabilities(&self, scores: ClassScores) -> Option<ClassScores> {
        let calibration = self.calibration.as_ref()?;
        Some(ClassScores {
            benign: calibration.benign.map.apply(scores.benign),
            malignant: self.rebased(calibration.malignant.map.apply(scores.malignant)),
        })
    }

    /// Whether the malignant probability (the score, without a calibration) reaches the
    /// operating point. Decided before re-basing, so that no rounding can move it.
    pub fn flags(&self, scores: ClassScores) -> bool {
        let value = match &self.calibration {
            Some(calibration) => calibration.malignant.map.apply(scores.malignant),
            None => scores.malignant,
        };
        self.decision_threshold
            .is_some_and(|threshold| value >= threshold)
    }

    /// Saliency from which findings are outlined.
    pub fn finding_thresholds(&self) -> &FindingThresholds {
        &self.finding_thresholds
    }

    /// The operating point, at the prevalence of the probabilities.
    pub fn operating_point(&self) -> Option<&OperatingPoint> {
        self.operating_point.as_ref()
    }

    /// The prevalence of the malignant calibration.
    pub fn calibrated_at(&self) -> Option<f64> {
        self.calibration.as_ref().map(|c| c.malignant.prevalence)
    }

    /// The prevalence that the user asked for.
    pub fn rebased_to(&self) -> Option<f64> {
        self.rebasing.map(|r| r.to.value())
    }

    fn rebased(&self, probability: f64) -> f64 {
        match self.rebasing {
            Some(Rebasing { from, to }) => rebase(probability, from, to).unwrap_or(f64::NAN),
            None => probability,
        }
    }
}

fn class_calibration(manifest: &Manifest) -> Result<Option<ClassCalibration>, Error> {
    let of = |class: &str| manifest.calibration.get(class).cloned();
    match (of("benign"), of("malignant")) {
        (Some(benign), Some(malignant)) => Ok(Some(ClassCalibration { benign, malignant })),
        (None, None) => Ok(None),
        _ => Err(Error::new(
            ErrorKind::Package,
            "expected calibration of both classes or of none, got one",
        )),
    }
}

fn rebasing(
    calibration: Option<&ClassCalibration>,
    prevalence: Option<f64>,
) -> Result<Option<Rebasing>, Error> {
    let Some(share) = prevalence else {
        return Ok(None);
    };
    let valid =
        |share| Prevalence::new(share).map_err(|e| Error::new(ErrorKind::Option, e.to_string()));
    let to = valid(share)?;
    let Some(calibration) = calibration else {
        return Err(Error::new(
            ErrorKind::Option,
            "expected a calibrated model to re-base its probabilities, got one without calibration",
        ));
    };
    let from = valid(calibration.malignant.prevalence)?;
    Ok(Some(Rebasing { from, to }))
}

fn unknown_point(manifest: &Manifest, name: &str) -> Error {
    let known: Vec<&str> = manifest
        .operating_points
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    let message = format!(
        "expected an operating point of {}, got `{name}`",
        known.join(", ")
    );
    Error::new(ErrorKind::Option, message)
}
