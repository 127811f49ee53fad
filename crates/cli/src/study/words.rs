//! Options that name a method, some with a number: `name` or `name=value`.

use std::str::FromStr;

use lobule_stats::Confidence;
use lobule_stats::calibration::Binning;
use lobule_stats::location::LocationFigure;
use lobule_stats::mrmc::{CovarianceMethod, Figure, MomentEstimate, RandomFactors};
use lobule_stats::roc::RateRange;
use lobule_stats::triage::{Arbitration, SafetyNet, TriageRule};
use lobule_study::calibrate::Recalibration;
use lobule_study::hybrid::{Blend, Held};
use lobule_study::standalone::ThresholdRule;

/// A word and what stands behind its equals sign.
fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('=') {
        Some((word, value)) => (word.trim(), Some(value.trim())),
        None => (text.trim(), None),
    }
}

fn value<T: FromStr>(text: &str) -> Result<T, String> {
    let number = split(text).1.and_then(|value| value.parse().ok());
    number.ok_or_else(|| format!("expected a number behind `=`, got `{text}`"))
}

/// `low..high`.
fn range(text: &str) -> Result<(f64, f64), String> {
    let ends = split(text).1.and_then(|value| value.split_once(".."));
    let numbers = ends.and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
    numbers.ok_or_else(|| format!("expected `=low..high`, got `{text}`"))
}

/// `number:word`.
fn with_word(text: &str) -> Result<(f64, &str), String> {
    let behind = split(text).1.unwrap_or_default();
    let (number, word) = behind.split_once(':').unwrap_or((behind, ""));
    let number = number.parse();
    number
        .map(|number| (number, word))
        .map_err(|_| format!("expected a number behind `=`, got `{text}`"))
}

fn expected<T>(what: &str, text: &str) -> Result<T, String> {
    Err(format!("expected {what}, got `{text}`"))
}

pub(super) fn confidence(text: &str) -> Result<Confidence, String> {
    let level: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    Confidence::new(level).map_err(|e| e.to_string())
}

/// The words of [`figure`].
pub(super) const FIGURES: &str = "auc, partial-auc=LOW..HIGH (of specificity), \
corrected-partial-auc=LOW..HIGH, sensitivity-at-specificity=V, specificity-at-sensitivity=V, \
sensitivity=THRESHOLD, specificity=THRESHOLD";

pub(super) fn figure(text: &str) -> Result<Figure, String> {
    let specificities = |text| {
        let (low, high) = range(text)?;
        RateRange::specificity(low, high).map_err(|e| e.to_string())
    };
    Ok(match split(text).0 {
        "auc" => Figure::Auc,
        "partial-auc" => Figure::PartialAuc(specificities(text)?),
        "corrected-partial-auc" => Figure::CorrectedPartialAuc(specificities(text)?),
        "sensitivity-at-specificity" => Figure::SensitivityAtSpecificity(value(text)?),
        "specificity-at-sensitivity" => Figure::SpecificityAtSensitivity(value(text)?),
        "sensitivity" => Figure::Sensitivity {
            threshold: value(text)?,
        },
        "specificity" => Figure::Specificity {
            threshold: value(text)?,
        },
        _ => return expected(FIGURES, text),
    })
}

pub(super) fn location_figure(text: &str) -> Result<LocationFigure, String> {
    Ok(match split(text).0 {
        "afroc" => LocationFigure::Afroc,
        "wafroc" => LocationFigure::WeightedAfroc,
        "afroc1" => LocationFigure::Afroc1,
        "wafroc1" => LocationFigure::WeightedAfroc1,
        "hr-auc" => LocationFigure::HighestRatingAuc,
        "lroc" => LocationFigure::LocalizationAuc,
        "pcl" => LocationFigure::CorrectLocalization {
            false_positive_fraction: value(text)?,
        },
        _ => {
            return expected(
                "afroc, wafroc, afroc1, wafroc1, hr-auc, lroc or pcl=FPF",
                text,
            );
        }
    })
}

pub(super) fn covariance(text: &str) -> Result<CovarianceMethod, String> {
    match text {
        "jackknife" => Ok(CovarianceMethod::Jackknife),
        "delong" => Ok(CovarianceMethod::DeLong),
        "unbiased" => Ok(CovarianceMethod::Unbiased),
        _ => expected("jackknife, delong or unbiased", text),
    }
}

pub(super) fn random(text: &str) -> Result<RandomFactors, String> {
    match text {
        "both" => Ok(RandomFactors::ReadersAndCases),
        "cases" => Ok(RandomFactors::Cases),
        "readers" => Ok(RandomFactors::Readers),
        _ => expected("both, cases or readers", text),
    }
}

pub(super) fn moments(text: &str) -> Result<MomentEstimate, String> {
    match text {
        "unbiased" => Ok(MomentEstimate::Unbiased),
        "mle" => Ok(MomentEstimate::Empirical),
        _ => expected("unbiased or mle", text),
    }
}

/// The words of [`threshold_rule`].
pub(super) const THRESHOLD_RULES: &str = "fixed=T, sensitivity=V, specificity=V, flagged-rate=V, \
npv=V, ppv=V, reader-sensitivity=RATING, reader-specificity=RATING";

pub(super) fn threshold_rule(text: &str) -> Result<ThresholdRule, String> {
    let rule = match split(text).0 {
        "fixed" => ThresholdRule::Fixed,
        "sensitivity" => ThresholdRule::Sensitivity,
        "specificity" => ThresholdRule::Specificity,
        "flagged-rate" => ThresholdRule::FlaggedRate,
        "npv" => ThresholdRule::NegativePredictiveValue,
        "ppv" => ThresholdRule::PositivePredictiveValue,
        "reader-sensitivity" => ThresholdRule::ReaderSensitivity,
        "reader-specificity" => ThresholdRule::ReaderSpecificity,
        _ => return expected(THRESHOLD_RULES, text),
    };
    value(text).map(rule)
}

pub(super) fn blend(text: &str) -> Result<Blend, String> {
    Ok(match split(text).0 {
        "mean" => Blend::Mean,
        "weight" => Blend::Weighted(value(text)?),
        "max" => Blend::Maximum,
        "logistic" => Blend::Logistic {
            n_folds: value(text)?,
        },
        _ => return expected("mean, weight=SHARE, max or logistic=FOLDS", text),
    })
}

pub(super) fn held(text: &str) -> Result<Held, String> {
    match text {
        "sensitivity" => Ok(Held::Sensitivity),
        "specificity" => Ok(Held::Specificity),
        _ => expected("sensitivity or specificity", text),
    }
}

/// The words of [`triage_rule`].
pub(super) const TRIAGE_RULES: &str = "rule-out=T, second-reader=T:either|arbiter|second, \
referral=LOW..HIGH, safety-net=T:recall|reread, risk-adapted=T";

pub(super) fn triage_rule(text: &str) -> Result<TriageRule, String> {
    Ok(match split(text).0 {
        "rule-out" => TriageRule::RuleOut {
            below: value(text)?,
        },
        "risk-adapted" => TriageRule::RiskAdapted {
            double_from: value(text)?,
        },
        "referral" => {
            let (below, from) = range(text)?;
            TriageRule::DecisionReferral { below, from }
        }
        "second-reader" => {
            let (from, word) = with_word(text)?;
            let arbitration = match word {
                "either" | "" => Arbitration::EitherRecalls,
                "arbiter" => Arbitration::Arbiter,
                "second" => Arbitration::SecondReader,
                _ => return expected("either, arbiter or second", word),
            };
            TriageRule::SecondReader { from, arbitration }
        }
        "safety-net" => {
            let (from, word) = with_word(text)?;
            let action = match word {
                "recall" | "" => SafetyNet::Recall,
                "reread" => SafetyNet::Reread,
                _ => return expected("recall or reread", word),
            };
            TriageRule::SafetyNet { from, action }
        }
        _ => return expected(TRIAGE_RULES, text),
    })
}

pub(super) fn binning(text: &str) -> Result<Binning, String> {
    match split(text).0 {
        "equal-mass" => value(text).map(Binning::EqualMass),
        "equal-width" => value(text).map(Binning::EqualWidth),
        _ => expected("equal-mass=BINS or equal-width=BINS", text),
    }
}

pub(super) fn recalibration(text: &str) -> Result<Recalibration, String> {
    Ok(match split(text).0 {
        "none" => Recalibration::None,
        "platt" => Recalibration::Platt,
        "temperature" => Recalibration::Temperature,
        "isotonic" => Recalibration::Isotonic {
            clip: split(text).1.map_or(Ok(0.01), |_| value(text))?,
        },
        _ => return expected("none, platt, temperature or isotonic=CLIP", text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_numbers_are_read_and_others_refused() {
        assert_eq!(
            figure("sensitivity=4"),
            Ok(Figure::Sensitivity { threshold: 4.0 })
        );
        assert!(figure("partial-auc=0.9..1").is_ok());
        assert_eq!(
            threshold_rule("npv=0.99"),
            Ok(ThresholdRule::NegativePredictiveValue(0.99))
        );
        assert_eq!(blend("logistic=10"), Ok(Blend::Logistic { n_folds: 10 }));
        let (below, from) = (0.1, 0.9);
        assert_eq!(
            triage_rule("referral=0.1..0.9"),
            Ok(TriageRule::DecisionReferral { below, from })
        );
        for wrong in [
            "",
            "auk",
            "sensitivity",
            "sensitivity=",
            "sensitivity=high",
            "partial-auc=0.9",
        ] {
            assert!(figure(wrong).is_err(), "{wrong}");
        }
        for wrong in ["rule-out", "second-reader=0.9:dice", "referral=0.9"] {
            assert!(triage_rule(wrong).is_err(), "{wrong}");
        }
    }
}
