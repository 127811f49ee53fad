//! The cases that a figure is about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::{Error, ErrorKind, Prediction, Predictions, Truth};

/// One image with its further columns by name.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) set: String,
    pub(super) patient: String,
    pub(super) bag: String,
    pub(super) fold: String,
    pub(super) label: Truth,
    pub(super) benign: f64,
    pub(super) malignant: f64,
    pub(super) probability: Option<f64>,
    pub(super) attention: f64,
    columns: BTreeMap<String, String>,
}

impl Case {
    fn new(row: &Prediction, names: &[String]) -> Case {
        Case {
            set: row.set.clone(),
            patient: row.patient.clone(),
            bag: row.bag.clone(),
            fold: row.fold.clone(),
            label: row.label,
            benign: row.benign_score,
            malignant: row.malignant_score,
            probability: row.malignant_probability,
            attention: row.attention,
            columns: names
                .iter()
                .cloned()
                .zip(row.extra.iter().cloned())
                .collect(),
        }
    }

    /// A further column's value, if it is there and not empty.
    pub(super) fn text(&self, column: &str) -> Option<String> {
        self.columns
            .get(column)
            .filter(|value| !value.is_empty())
            .cloned()
    }

    pub(super) fn number(&self, column: &str) -> Option<f64> {
        self.columns
            .get(column)?
            .parse()
            .ok()
            .filter(|v: &f64| v.is_finite())
    }

    pub(super) fn flag(&self, column: &str) -> Option<bool> {
        match self.columns.get(column)?.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        }
    }

    /// Whether the table has a further column, empty here or not.
    pub(super) fn has_column(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }

    pub(super) fn is_malignant(&self) -> bool {
        self.label == Truth::Malignant
    }
}

/// Named cases.
#[derive(Debug, Clone)]
pub(super) struct Among {
    pub(super) name: String,
    pub(super) cases: Vec<Case>,
}

/// A patient's (or bag's) one score.
pub(super) struct Unit {
    pub(super) score: f64,
    pub(super) probability: Option<f64>,
    pub(super) label: Truth,
    /// The highest BI-RADS category of its images.
    pub(super) birads: Option<f64>,
}

impl Among {
    pub(super) fn whole(predictions: &Predictions, path: &Path) -> Result<Among, Error> {
        let names = &predictions.extra_columns;
        if let Some(row) = predictions
            .rows
            .iter()
            .find(|row| row.extra.len() != names.len())
        {
            let message = format!("expected {} further values for `{}`", names.len(), row.case);
            return Err(Error::new(ErrorKind::Record, path, message));
        }
        let cases = predictions
            .rows
            .iter()
            .map(|row| Case::new(row, names))
            .collect();
        Ok(Among {
            name: String::new(),
            cases,
        })
    }

    pub(super) fn only(&self, name: String, keep: impl Fn(&Case) -> bool) -> Among {
        Among {
            name,
            cases: self
                .cases
                .iter()
                .filter(|case| keep(case))
                .cloned()
                .collect(),
        }
    }

    /// The different values of a property, in order.
    pub(super) fn values_of(&self, property: impl Fn(&Case) -> Option<String>) -> BTreeSet<String> {
        self.cases.iter().filter_map(property).collect()
    }

    /// Thirds of the lesions by their share of the image; nothing without that column.
    pub(super) fn by_size(&self) -> Vec<Among> {
        let mut sizes: Vec<f64> = self
            .cases
            .iter()
            .filter_map(|case| case.number("lesion_area_share"))
            .collect();
        sizes.sort_by(f64::total_cmp);
        if sizes.len() < 3 {
            return Vec::new();
        }
        let cuts = [sizes[sizes.len() / 3], sizes[2 * sizes.len() / 3]];
        let third = |size: f64| cuts.iter().filter(|&&cut| size >= cut).count();
        ["small", "medium", "large"]
            .iter()
            .enumerate()
            .map(|(i, name)| {
                self.only(format!("{}, {name} lesions", self.name), |case| {
                    case.number("lesion_area_share")
                        .is_some_and(|size| third(size) == i)
                })
            })
            .collect()
    }

    /// The images of each bag, by patient.
    pub(super) fn bags(&self) -> BTreeMap<(&str, &str), Vec<&Case>> {
        let mut bags: BTreeMap<(&str, &str), Vec<&Case>> = BTreeMap::new();
        for case in &self.cases {
            let key = (case.patient.as_str(), case.bag.as_str());
            bags.entry(key).or_default().push(case);
        }
        bags
    }

    /// One entry per bag, which is a breast where the images of one are read together, and its
    /// patient.
    pub(super) fn breasts(&self) -> Vec<(&str, Unit)> {
        let bags = self.bags().into_iter();
        bags.map(|((patient, _), images)| (patient, unit_of(&images)))
            .collect()
    }

    /// One entry per patient: the attention-weighted mean of each bag, the highest of its bags.
    pub(super) fn patients(&self) -> Vec<Unit> {
        let mut patients: BTreeMap<&str, Unit> = BTreeMap::new();
        for ((patient, _), images) in self.bags() {
            let unit = unit_of(&images);
            match patients.get_mut(patient) {
                None => {
                    patients.insert(patient, unit);
                }
                Some(worst) => worst.join(unit),
            }
        }
        patients.into_values().collect()
    }
}

impl Unit {
    fn join(&mut self, other: Unit) {
        let most = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::max);
        self.score = self.score.max(other.score);
        self.probability = most(self.probability, other.probability);
        self.label = self.label.max(other.label);
        self.birads = most(self.birads, other.birads);
    }
}

fn unit_of(images: &[&Case]) -> Unit {
    let total: f64 = images.iter().map(|case| case.attention).sum();
    let weight = |case: &Case| match total > 0.0 {
        true => case.attention / total,
        false => 1.0 / images.len() as f64,
    };
    let mean = |of: &dyn Fn(&Case) -> f64| images.iter().map(|case| weight(case) * of(case)).sum();
    let calibrated = images.iter().all(|case| case.probability.is_some());
    Unit {
        score: mean(&|case| case.malignant),
        probability: calibrated.then(|| mean(&|case| case.probability.unwrap_or_default())),
        label: images
            .iter()
            .map(|case| case.label)
            .max()
            .unwrap_or(Truth::Normal),
        birads: images
            .iter()
            .filter_map(|case| case.number("birads"))
            .reduce(f64::max),
    }
}
