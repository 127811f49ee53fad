//! The cases of an evaluation and its tables.

use std::collections::HashMap;
use std::path::Path;

use lobule_assess::{FileInput, Inputs};
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
    /// What the manifest's other columns say of its images, in the order of [`Labels::columns`].
    pub(crate) further: Vec<String>,
}

/// Columns of the table of cases; a column of the manifest that bears one of these names is not
/// carried over.
const HEADER: [&str; 9] = [
    "exam",
    "breast",
    "cluster",
    "label",
    "truth",
    "malignant_score",
    "malignant_probability",
    "flagged",
    "images",
];

/// What the manifest says of every breast.
#[derive(Debug)]
pub(crate) struct Labels {
    by_breast: HashMap<(String, Side), Label>,
    columns: Vec<String>,
}

#[derive(Debug)]
struct Label {
    truth: Truth,
    cluster: String,
    /// Different values of each further column, in the order of the images.
    further: Vec<Vec<String>>,
}

impl Label {
    fn add(&mut self, truth: Truth, file: &FileInput, columns: &[String]) {
        self.truth = self.truth.max(truth);
        for (values, column) in self.further.iter_mut().zip(columns) {
            let value = file.column(column).unwrap_or_default();
            if !value.is_empty() && !values.iter().any(|v| v == value) {
                values.push(value.to_owned());
            }
        }
    }
}

impl Labels {
    /// Reads the column `label`, and `patient` where there is one; without it an exam is its own
    /// cluster. Every other column is kept, to put cases into subgroups.
    pub(crate) fn read(inputs: &Inputs) -> Result<Labels, Failure> {
        let columns = further_columns(inputs);
        let mut by_breast = HashMap::new();
        for exam in &inputs.exams {
            for breast in &exam.breasts {
                for file in &breast.files {
                    let truth = truth_of(file)?;
                    let patient = file.column("patient").filter(|p| !p.is_empty());
                    let entry = by_breast
                        .entry((exam.exam.clone(), breast.side))
                        .or_insert_with(|| Label {
                            truth,
                            cluster: patient.unwrap_or(&exam.exam).to_owned(),
                            further: vec![Vec::new(); columns.len()],
                        });
                    entry.add(truth, file, &columns);
                }
            }
        }
        Ok(Labels { by_breast, columns })
    }

    /// The manifest's further columns, in its order.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// An assessed exam's breasts with their truth.
    pub(crate) fn cases(&self, exam: &Assessment) -> Vec<Case> {
        let case = |breast: &lobule_exam::BreastAssessment| {
            let label = self.by_breast.get(&(exam.exam.clone(), breast.side))?;
            Some(Case {
                exam: exam.exam.clone(),
                breast: breast.side.to_string(),
                cluster: label.cluster.clone(),
                truth: label.truth,
                score: breast.scores.malignant,
                probability: breast.probabilities.map(|p| p.malignant),
                flagged: breast.flagged,
                images: breast.images.len(),
                further: label.further.iter().map(|v| v.join(" + ")).collect(),
            })
        };
        exam.breasts.iter().filter_map(case).collect()
    }
}

fn truth_of(file: &FileInput) -> Result<Truth, Failure> {
    let label = file.column("label").unwrap_or_default();
    Truth::parse(label).ok_or_else(|| {
        let name = &file.name;
        Failure::usage(format!(
            "{name}: expected a label of malignant, benign or normal, got `{label}`"
        ))
    })
}

fn further_columns(inputs: &Inputs) -> Vec<String> {
    let extra = inputs.files().next().map(|file| file.extra.as_slice());
    let names = extra.unwrap_or_default().iter().map(|(name, _)| name);
    let is_own = |name: &&String| name.as_str() == "patient" || HEADER.contains(&name.as_str());
    names.filter(|name| !is_own(name)).cloned().collect()
}

/// One row per breast; `further` names the columns that the manifest brought.
pub(crate) fn write_cases(path: &Path, cases: &[Case], further: &[String]) -> Result<(), Failure> {
    let further = further.iter().map(String::as_str);
    let header: Vec<&str> = HEADER.into_iter().chain(further).collect();
    let row = |case: &Case| {
        let mut row = vec![
            case.exam.clone(),
            case.breast.clone(),
            case.cluster.clone(),
            case.truth.name().to_owned(),
            u8::from(case.truth == Truth::Malignant).to_string(),
            format!("{:.6}", case.score),
            case.probability
                .map(|p| format!("{p:.6}"))
                .unwrap_or_default(),
            if case.flagged { "yes" } else { "no" }.to_owned(),
            case.images.to_string(),
        ];
        row.extend(case.further.iter().cloned());
        row
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
    let failed = |e: csv::Error| Failure::unwritten(path, e);
    let mut table = csv::Writer::from_path(path).map_err(failed)?;
    table.write_record(header).map_err(failed)?;
    for row in rows {
        table.write_record(row).map_err(failed)?;
    }
    table.flush().map_err(|e| failed(e.into()))
}
