//! The figures that stand at the top of a model's card, recomputed from its predictions.

use std::collections::BTreeMap;
use std::path::Path;

use lobule_stats::roc::Roc;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Prediction, Predictions, Truth};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Each image by its own score and label.
    Image,
    /// Each patient: a bag scores the mean of its images' scores weighted by attention, a patient
    /// the highest of its bags; the label is the worst of the images'.
    Patient,
}

/// What the malignant ones are told from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contrast {
    /// All others.
    MalignantVsRest,
    /// Benign lesions; normal images and patients are left out.
    MalignantVsBenign,
}

/// One area under the ROC curve of the malignant score, with its counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Headline {
    /// Which data set.
    pub set: String,
    /// What is counted.
    pub unit: Unit,
    /// What the malignant ones are told from.
    pub contrast: Contrast,
    /// How many are counted.
    pub n: usize,
    /// Malignant ones among them.
    pub n_malignant: usize,
    /// Area under the empirical ROC curve (ties count half), in 0..=1.
    pub auroc: f64,
}

/// Every headline that the predictions allow: each set, unit and contrast with cases on both
/// sides, in this order. `metrics.json` holds the same list under `headline`.
///
/// # Errors
/// `Record` when a score cannot be ranked.
pub fn headlines(predictions: &Predictions, path: &Path) -> Result<Vec<Headline>, Error> {
    let mut sets: BTreeMap<&str, Vec<&Prediction>> = BTreeMap::new();
    for row in &predictions.rows {
        sets.entry(&row.set).or_default().push(row);
    }
    let mut all = Vec::new();
    for (set, rows) in sets {
        for (unit, cases) in [
            (Unit::Image, images(&rows)),
            (Unit::Patient, patients(&rows)),
        ] {
            for contrast in [Contrast::MalignantVsRest, Contrast::MalignantVsBenign] {
                all.extend(headline(set, unit, contrast, &cases, path)?);
            }
        }
    }
    Ok(all)
}

/// The headlines that stand in `metrics.json`.
///
/// # Errors
/// `Record` when there is no list `headline` or an entry is not one.
pub fn stated_headlines(metrics: &serde_json::Value, path: &Path) -> Result<Vec<Headline>, Error> {
    let list = metrics.get("headline").cloned().unwrap_or_default();
    serde_json::from_value(list)
        .map_err(|e| Error::caused(ErrorKind::Record, path, "a list `headline`", e))
}

type Case = (f64, Truth);

fn headline(
    set: &str,
    unit: Unit,
    contrast: Contrast,
    cases: &[Case],
    path: &Path,
) -> Result<Option<Headline>, Error> {
    let counted = |c: &&Case| contrast == Contrast::MalignantVsRest || c.1 != Truth::Normal;
    let (scores, truth): (Vec<f64>, Vec<bool>) = cases
        .iter()
        .filter(counted)
        .map(|(score, label)| (*score, *label == Truth::Malignant))
        .unzip();
    let n_malignant = truth.iter().filter(|t| **t).count();
    if n_malignant == 0 || n_malignant == truth.len() {
        return Ok(None);
    }
    let roc = Roc::new(&scores, &truth)
        .map_err(|e| Error::caused(ErrorKind::Record, path, "scores that can be ranked", e))?;
    Ok(Some(Headline {
        set: set.into(),
        unit,
        contrast,
        n: truth.len(),
        n_malignant,
        auroc: roc.auc(),
    }))
}

fn images(rows: &[&Prediction]) -> Vec<Case> {
    rows.iter().map(|r| (r.malignant_score, r.label)).collect()
}

fn patients(rows: &[&Prediction]) -> Vec<Case> {
    let mut bags: BTreeMap<(&str, &str), Vec<&Prediction>> = BTreeMap::new();
    for row in rows {
        bags.entry((&row.patient, &row.bag)).or_default().push(row);
    }
    let mut patients: BTreeMap<&str, Case> = BTreeMap::new();
    for ((patient, _), images) in bags {
        let (score, label) = bag(&images);
        let worst = patients.entry(patient).or_insert((score, label));
        *worst = (worst.0.max(score), worst.1.max(label));
    }
    patients.into_values().collect()
}

/// A bag without any attention counts its images alike.
fn bag(images: &[&Prediction]) -> Case {
    let total: f64 = images.iter().map(|r| r.attention).sum();
    let weight = |r: &Prediction| {
        if total > 0.0 {
            r.attention / total
        } else {
            1.0 / images.len() as f64
        }
    };
    let score = images.iter().map(|r| weight(r) * r.malignant_score).sum();
    let label = images.iter().map(|r| r.label).max();
    (score, label.unwrap_or(Truth::Normal))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two bags of patient p, one of each of q, r and s.
    const TABLE: &str = "\
set,case,bag,patient,fold,label,benign_score,malignant_score,malignant_probability,attention
a,1,1,p,1,malignant,0,0.9,,0.75
a,2,1,p,1,normal,0,0.1,,0.25
a,3,2,p,1,benign,0,0.5,,1
a,4,3,q,1,benign,0,0.8,,1
a,5,4,r,1,normal,0,0.2,,1
a,6,5,s,1,malignant,0,0.3,,1
b,1,1,p,1,normal,0,0.3,,1
";

    #[test]
    fn headlines_are_those_computed_by_hand() {
        let table = Predictions::from_csv(TABLE.as_bytes(), Path::new("p")).unwrap();
        let got = headlines(&table, Path::new("p")).unwrap();
        let made = |unit, contrast, n, n_malignant, auroc| Headline {
            set: "a".into(),
            unit,
            contrast,
            n,
            n_malignant,
            auroc,
        };
        use Contrast::{MalignantVsBenign, MalignantVsRest};
        // Images: 0.9 and 0.3 against 0.1, 0.5, 0.8, 0.2: 4 + 2 of 8 pairs; against 0.5, 0.8: 2 of 4.
        // Patients: p = 0.75 · 0.9 + 0.25 · 0.1 = 0.7 and s = 0.3 against q = 0.8 and r = 0.2.
        let expected = [
            made(Unit::Image, MalignantVsRest, 6, 2, 0.75),
            made(Unit::Image, MalignantVsBenign, 4, 2, 0.5),
            made(Unit::Patient, MalignantVsRest, 4, 2, 0.5),
            made(Unit::Patient, MalignantVsBenign, 3, 2, 0.0),
        ];
        assert_eq!(got, expected);
        let metrics = serde_json::json!({ "headline": got, "other": 1 });
        assert_eq!(stated_headlines(&metrics, Path::new("m")).unwrap(), got);
        assert!(stated_headlines(&serde_json::json!({}), Path::new("m")).is_err());
    }
}
