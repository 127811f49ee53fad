//! Every figure of a model's card, recomputed from its predictions: each with its count, its
//! interval and the name of the method.
//!
//! Owns: which questions a card answers and from which columns. Does not own: the methods
//! (`stats`).
//!
//! A figure that the table does not allow (a column is missing, a group is too small) is left out;
//! nothing is filled in.

mod among;
mod attention;
mod flagged;
mod marks;
mod questions;
mod slides;

use std::path::Path;

use serde::{Deserialize, Serialize};

use self::among::Among;
pub use self::flagged::{ABOVE_10, ABOVE_10_THRESHOLD, above_10};
pub(crate) use self::marks::mark_figures;
pub(crate) use self::slides::slide_figures;
use crate::{Error, ErrorKind, Predictions};

/// One measured number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Data set, or data set and subgroup: `bus_bra, device GE Logiq 7`.
    pub among: String,
    /// What was measured: `auroc, image, malignant vs benign`.
    pub what: String,
    /// The number.
    pub value: f64,
    /// 95 % interval, where the method gives one.
    pub interval: Option<[f64; 2]>,
    /// How many units were counted.
    pub n: usize,
    /// Malignant ones (or, for shares, hits) among them.
    pub n_positive: usize,
    /// How value and interval were computed.
    pub method: String,
}

/// Name of a subgroup and the column that it is taken from.
const SUBGROUPS: [(&str, &str); 3] = [
    ("device", "device"),
    ("BI-RADS", "birads"),
    ("density", "density"),
];

/// All figures, by data set.
///
/// # Errors
/// `Record` when a column holds what it should not.
pub fn figures(predictions: &Predictions, path: &Path) -> Result<Vec<Figure>, Error> {
    let whole = Among::whole(predictions, path)?;
    let mut all = Vec::new();
    for set in whole.values_of(|case| Some(case.set.clone())) {
        let cases = whole.only(set.clone(), |case| case.set == set);
        all.extend(questions::all(&cases));
        for (name, column) in SUBGROUPS {
            for value in cases.values_of(|case| case.text(column)) {
                let label = format!("{set}, {name} {value}");
                let group = cases.only(label, |case| case.text(column).as_ref() == Some(&value));
                all.extend(questions::discrimination(&group));
            }
        }
        all.extend(cases.by_size().iter().flat_map(questions::discrimination));
        all.extend(questions::by_histology(&cases));
    }
    Ok(all)
}

/// The figures that stand in `metrics.json`, under `figures`.
///
/// # Errors
/// `Record` when there is no such list or an entry is not a figure.
pub fn stated_figures(metrics: &serde_json::Value, path: &Path) -> Result<Vec<Figure>, Error> {
    let list = metrics.get("figures").cloned().unwrap_or_default();
    serde_json::from_value(list)
        .map_err(|e| Error::caused(ErrorKind::Record, path, "a list `figures`", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two bags of patient p; q and r have one each.
    const TABLE: &str = "\
set,case,bag,patient,fold,label,benign_score,malignant_score,malignant_probability,attention,birads
a,1,1,p,1,malignant,0,0.9,0.8,0.75,4
a,2,1,p,1,normal,0,0.1,0.2,0.25,
a,3,2,p,1,benign,0,0.5,0.4,1,3
a,4,3,q,1,benign,0,0.8,0.7,1,2
a,5,4,r,1,normal,0,0.2,0.1,1,
";

    fn table(text: &str) -> Predictions {
        Predictions::from_csv(text.as_bytes(), Path::new("p")).unwrap()
    }

    #[test]
    fn a_patient_scores_the_highest_of_its_weighted_bags() {
        let whole = Among::whole(&table(TABLE), Path::new("p")).unwrap();
        let patients = whole.patients();
        let scores: Vec<f64> = patients.iter().map(|unit| unit.score).collect();
        // p: 0.75 · 0.9 + 0.25 · 0.1 = 0.7, above its other bag's 0.5.
        for (got, expected) in scores.iter().zip([0.7, 0.8, 0.2]) {
            assert!((got - expected).abs() < 1e-12);
        }
        assert_eq!(patients[0].birads, Some(4.0));
        assert_eq!(patients[2].birads, None);
        assert!((patients[0].probability.unwrap() - 0.65).abs() < 1e-12);
    }

    #[test]
    fn a_small_table_allows_no_area_and_a_larger_one_does() {
        let path = Path::new("p");
        assert!(
            figures(&table(TABLE), path)
                .unwrap()
                .iter()
                .all(|f| !f.what.contains("AUROC"))
        );
        let header = TABLE.lines().next().unwrap();
        let rows: String = (0..60)
            .map(|i| {
                let malignant = i % 3 == 0;
                let label = if malignant { "malignant" } else { "benign" };
                // Every malignant image but one scores above every benign one.
                let score = if malignant && i > 0 { 0.7 } else { 0.1 } + f64::from(i) / 1000.0;
                format!(
                    "a,{i},{i},p{i},1,{label},0,{score},{score},1,{}\n",
                    2 + i % 4
                )
            })
            .collect();
        let all = figures(&table(&format!("{header}\n{rows}")), path).unwrap();
        let area = all
            .iter()
            .find(|f| f.what == "AUROC per patient, malignant vs rest")
            .unwrap();
        // The one that is lowest of all loses against 40 of 40: 19/20 of the pairs are right.
        assert!((area.value - 0.95).abs() < 1e-12);
        assert_eq!((area.n, area.n_positive), (60, 20));
        let [low, high] = area.interval.unwrap();
        assert!(low < 0.95 && 0.95 < high);
        let metrics = serde_json::json!({ "figures": all });
        assert_eq!(stated_figures(&metrics, path).unwrap(), all);
        assert!(stated_figures(&serde_json::json!({}), path).is_err());
    }
}
