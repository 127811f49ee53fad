//! The cases of an evaluation and its tables.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;

use lobule_assess::{Inputs, read_manifest};
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

impl Labels {
    /// Reads the column `label`, and `patient` where there is one; without it an exam is its own
    /// cluster. Every other column is kept, to put cases into subgroups. What the manifest says of
    /// a file that cannot be used counts too: it is as true of the breast.
    pub(crate) fn read(manifest: &Path, inputs: &Inputs) -> Result<Labels, Failure> {
        let mut labels = Labels {
            by_breast: HashMap::new(),
            columns: further_columns(inputs),
        };
        for exam in &inputs.exams {
            for breast in &exam.breasts {
                for file in &breast.files {
                    labels.add(&exam.exam, breast.side, &file.name, &file.extra)?;
                }
            }
        }
        let used: HashSet<&Path> = inputs.files().map(|file| file.path.as_path()).collect();
        let folder = manifest.parent().unwrap_or(Path::new(""));
        let opened = File::open(manifest)
            .map_err(|e| Failure::no_input(format!("{}: {e}", manifest.display())))?;
        for row in read_manifest(opened)? {
            let path = folder.join(&row.file);
            if !used.contains(path.as_path()) {
                labels.add(&row.exam, row.side, &row.file, &row.extra)?;
            }
        }
        Ok(labels)
    }

    fn add(
        &mut self,
        exam: &str,
        side: Side,
        name: &str,
        extra: &[(String, String)],
    ) -> Result<(), Failure> {
        let value = |wanted: &str| {
            let found = extra.iter().find(|(column, _)| column == wanted);
            found.map_or("", |(_, value)| value.as_str())
        };
        let truth = truth_of(name, value("label"))?;
        let cluster = match value("patient") {
            "" => exam,
            patient => patient,
        };
        let key = (exam.to_owned(), side);
        let label = self.by_breast.entry(key).or_insert_with(|| Label {
            truth,
            cluster: cluster.to_owned(),
            further: vec![Vec::new(); self.columns.len()],
        });
        if label.cluster != cluster {
            let first = &label.cluster;
            return Err(Failure::usage(format!(
                "{name}: expected one patient for the {side} breast of exam {exam}, got `{first}` and `{cluster}`"
            )));
        }
        label.truth = label.truth.max(truth);
        for (values, column) in label.further.iter_mut().zip(&self.columns) {
            let value = value(column);
            if !value.is_empty() && !values.iter().any(|v| v == value) {
                values.push(value.to_owned());
            }
        }
        Ok(())
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

fn truth_of(name: &str, label: &str) -> Result<Truth, Failure> {
    Truth::parse(label).ok_or_else(|| {
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
