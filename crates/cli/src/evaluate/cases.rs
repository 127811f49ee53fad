//! The cases of an evaluation and its tables.

use std::collections::HashMap;
use std::path::Path;

use lobule_assess::Inputs;
use lobule_exam::{Assessment, Side};
use lobule_report::EvaluationPage;

use crate::failure::Failure;

/// What is true of a breast, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Truth {
    Normal,
    Benign,
    Malignant,
}

impl Truth {
    fn parse(text: &str) -> Option<Truth> {
        match text.to_ascii_lowercase().as_str() {
            "normal" => Some(Truth::Normal),
            "benign" => Some(Truth::Benign),
            "malignant" => Some(Truth::Malignant),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Truth::Normal => "normal",
            Truth::Benign => "benign",
            Truth::Malignant => "malignant",
        }
    }
}

/// One breast: truth and result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    pub(crate) exam: String,
    pub(crate) breast: String,
    pub(crate) cluster: String,
    pub(crate) truth: Truth,
    pub(crate) score: f64,
    pub(crate) probability: Option<f64>,
    pub(crate) flagged: bool,
    pub(crate) images: usize,
}

/// Truth and cluster of every breast in the manifest.
#[derive(Debug)]
pub(crate) struct Labels {
    by_breast: HashMap<(String, Side), (Truth, String)>,
}

impl Labels {
    /// Reads the column `label`, and `patient` where there is one; without it an exam is its own
    /// cluster.
    pub(crate) fn read(inputs: &Inputs) -> Result<Labels, Failure> {
        let mut by_breast = HashMap::new();
        for exam in &inputs.exams {
            for breast in &exam.breasts {
                for file in &breast.files {
                    let label = file.column("label").unwrap_or_default();
                    let truth = Truth::parse(label).ok_or_else(|| {
                        let name = &file.name;
                        Failure::usage(format!(
                            "{name}: expected a label of malignant, benign or normal, got `{label}`"
                        ))
                    })?;
                    let patient = file.column("patient").filter(|p| !p.is_empty());
                    let cluster = patient.unwrap_or(&exam.exam).to_owned();
                    let entry = by_breast
                        .entry((exam.exam.clone(), breast.side))
                        .or_insert((truth, cluster));
                    entry.0 = entry.0.max(truth);
                }
            }
        }
        Ok(Labels { by_breast })
    }

    /// An assessed exam's breasts with their truth.
    pub(crate) fn cases(&self, exam: &Assessment) -> Vec<Case> {
        let case = |breast: &lobule_exam::BreastAssessment| {
            let (truth, cluster) = self.by_breast.get(&(exam.exam.clone(), breast.side))?;
            Some(Case {
                exam: exam.exam.clone(),
                breast: breast.side.to_string(),
                cluster: cluster.clone(),
                truth: *truth,
                score: breast.scores.malignant,
                probability: breast.probabilities.map(|p| p.malignant),
                flagged: breast.flagged,
                images: breast.images.len(),
            })
        };
        exam.breasts.iter().filter_map(case).collect()
    }
}

pub(crate) fn write_cases(path: &Path, cases: &[Case]) -> Result<(), Failure> {
    let header = [
        "exam",
        "breast",
        "cluster",
        "label",
        "malignant_score",
        "malignant_probability",
        "flagged",
        "images",
    ];
    let row = |case: &Case| {
        vec![
            case.exam.clone(),
            case.breast.clone(),
            case.cluster.clone(),
            case.truth.name().to_owned(),
            format!("{:.6}", case.score),
            case.probability
                .map(|p| format!("{p:.6}"))
                .unwrap_or_default(),
            if case.flagged { "yes" } else { "no" }.to_owned(),
            case.images.to_string(),
        ]
    };
    write_table(path, &header, cases.iter().map(row))
}

pub(crate) fn write_figures(path: &Path, page: &EvaluationPage) -> Result<(), Failure> {
    let figures = page.figures.iter().map(|f| {
        vec![
            f.name.clone(),
            f.value.clone(),
            f.interval.clone(),
            f.basis.clone(),
        ]
    });
    write_table(path, &["figure", "value", "interval", "basis"], figures)
}

pub(crate) fn write_thresholds(path: &Path, page: &EvaluationPage) -> Result<(), Failure> {
    let header = [
        "rule",
        "threshold",
        "sensitivity",
        "specificity",
        "ppv",
        "npv",
        "flagged",
    ];
    let rows = page.thresholds.iter().map(|t| {
        let threshold = format!("{:.6}", t.threshold);
        let words = [&t.sensitivity, &t.specificity, &t.ppv, &t.npv, &t.flagged];
        let mut row = vec![t.rule.clone(), threshold];
        row.extend(words.map(String::clone));
        row
    });
    write_table(path, &header, rows)
}

fn write_table(
    path: &Path,
    header: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> Result<(), Failure> {
    let failed = |e: csv::Error| {
        Failure::output(format!(
            "{}: expected to write it, got: {e}",
            path.display()
        ))
    };
    let mut table = csv::Writer::from_path(path).map_err(failed)?;
    table.write_record(header).map_err(failed)?;
    for row in rows {
        table.write_record(row).map_err(failed)?;
    }
    table.flush().map_err(|e| failed(e.into()))
}
