//! `summary.csv`: one row per input file.

use std::collections::BTreeSet;
use std::io::Write;

use lobule_exam::{
    Assessment, BreastAssessment, DensityClass, ImageAssessment, Skipped, View, Warning,
    WarningKind,
};

use crate::Error;

const COLUMNS: [&str; 26] = [
    "file",
    "exam",
    "breast",
    "malignant_probability",
    "status",
    "reason",
    "malignant_score",
    "benign_probability",
    "benign_score",
    "flagged",
    "image_malignant_probability",
    "image_malignant_score",
    "image_benign_probability",
    "attention",
    "rank",
    "frames",
    "synthetic",
    "modality",
    "view",
    "breast_score",
    "lesions",
    "missing_views",
    "density_class",
    "density_probability",
    "density_reason",
    "exam_density_class",
];

/// The column `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SummaryStatus {
    /// Used, nothing to say.
    Ok,
    /// Used; the column `reason` says what deserves a look.
    Warning,
    /// Not used; the column `reason` says why.
    Skipped,
}

impl SummaryStatus {
    /// The word in the file.
    pub fn name(self) -> &'static str {
        match self {
            SummaryStatus::Ok => "ok",
            SummaryStatus::Warning => "warning",
            SummaryStatus::Skipped => "skipped",
        }
    }
}

/// Writes `summary.csv`.
///
/// A file of several frames is one row: `attention` is the sum over its frames, `rank` the best
/// of them, and the image's scores are those of its most suspicious frame. The breast's columns
/// repeat on each of its files. An unknown side, view or pixel size alone does not make a
/// `warning`: the columns `breast` and `view` and the JSON say it already. The row of a file that was
/// not used states its exam and breast where they are known. `breast_score` is in
/// 0..=100; `lesions` counts the breast's different lesions on mammograms. `density_class` is the
/// breast's, `density_reason` says why it has none, `exam_density_class` is that of the exam's
/// densest breast.
#[derive(Debug)]
pub struct SummaryWriter<W: Write> {
    csv: csv::Writer<W>,
}

impl<W: Write> SummaryWriter<W> {
    /// Starts the file with its header.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(output: W) -> Result<SummaryWriter<W>, Error> {
        let mut csv = csv::Writer::from_writer(output);
        csv.write_record(COLUMNS).map_err(Error::format)?;
        Ok(SummaryWriter { csv })
    }

    /// Writes the rows of one exam.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn exam(&mut self, assessment: &Assessment) -> Result<(), Error> {
        for breast in &assessment.breasts {
            for frames in frames_by_file(&breast.images) {
                let row = row_of(assessment, breast, &frames);
                self.csv.write_record(row).map_err(Error::format)?;
            }
        }
        Ok(())
    }

    /// Writes the row of a file that was not used.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn skipped(&mut self, skipped: &Skipped) -> Result<(), Error> {
        let mut row = vec![String::new(); COLUMNS.len()];
        row[0] = plain(&skipped.file);
        if let Some(exam) = &skipped.exam {
            row[1] = plain(exam);
            row[2] = skipped.side.to_string();
        }
        row[4] = SummaryStatus::Skipped.name().to_owned();
        row[5] = plain(&skipped.reason);
        self.csv.write_record(row).map_err(Error::format)
    }

    /// Flushes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<W, Error> {
        self.csv.flush().map_err(Error::format)?;
        self.csv.into_inner().map_err(Error::format)
    }
}

/// Groups a breast's images by file, in the order of each file's first frame.
fn frames_by_file(images: &[ImageAssessment]) -> Vec<Vec<&ImageAssessment>> {
    let mut files: Vec<Vec<&ImageAssessment>> = Vec::new();
    let mut position = std::collections::HashMap::new();
    for image in images {
        let at = *position.entry(image.file.as_str()).or_insert(files.len());
        if at == files.len() {
            files.push(Vec::new());
        }
        files[at].push(image);
    }
    files
}

fn row_of(
    exam: &Assessment,
    breast: &BreastAssessment,
    frames: &[&ImageAssessment],
) -> Vec<String> {
    let worst = frames
        .iter()
        .max_by(|a, b| a.scores.malignant.total_cmp(&b.scores.malignant))
        .expect("a file in the group has at least one frame");
    let warnings: Vec<&Warning> = exam
        .warnings
        .iter()
        .chain(frames.iter().flat_map(|f| &f.warnings))
        .collect();
    let (status, reason) = status_of(&warnings);
    let synthetic = warnings.iter().any(|w| w.kind == WarningKind::Synthetic);
    let attention: f64 = frames.iter().map(|f| f.attention).sum();
    let rank = frames.iter().map(|f| f.rank).min().unwrap_or(0);
    let own = vec![
        plain(&worst.file),
        plain(&exam.exam),
        breast.side.to_string(),
        number(breast.probabilities.map(|p| p.malignant)),
        status.name().to_owned(),
        plain(&reason),
        number(Some(breast.scores.malignant)),
        number(breast.probabilities.map(|p| p.benign)),
        number(Some(breast.scores.benign)),
        yes_no(breast.flagged),
        number(worst.probabilities.map(|p| p.malignant)),
        number(Some(worst.scores.malignant)),
        number(worst.probabilities.map(|p| p.benign)),
        number(Some(attention)),
        rank.to_string(),
        frames.len().to_string(),
        yes_no(synthetic),
        exam.modality.name().to_owned(),
        view_of(worst),
        format!("{:.4}", breast.score_of_100()),
        lesions(breast),
        missing_views(breast),
    ];
    [own, density(exam, breast)].concat()
}

/// The breast's class, its probability or why there is none, and the exam's class.
fn density(exam: &Assessment, breast: &BreastAssessment) -> Vec<String> {
    let (class, reason) = match breast.density_classes() {
        Some(Ok(classes)) => (classes.class(), String::new()),
        Some(Err(reason)) => (None, reason),
        None => (None, String::new()),
    };
    let name = |class: DensityClass| class.name.to_owned();
    let of_exam = exam.densest_breast();
    let of_exam = of_exam.and_then(|(_, classes)| classes.class());
    vec![
        class.map(name).unwrap_or_default(),
        number(class.map(|class| class.probability)),
        plain(&reason),
        of_exam.map(name).unwrap_or_default(),
    ]
}

fn view_of(image: &ImageAssessment) -> String {
    let view = image.view();
    view.map(|view| view.to_string()).unwrap_or_default()
}

/// How many different lesions were numbered; nothing for ultrasound.
fn lesions(breast: &BreastAssessment) -> String {
    if breast.images.iter().all(|i| i.mammogram.is_none()) {
        return String::new();
    }
    let findings = breast.images.iter().flat_map(|i| &i.findings);
    let numbers: BTreeSet<usize> = findings
        .filter_map(|f| f.lesion.map(|l| l.number))
        .collect();
    numbers.len().to_string()
}

fn missing_views(breast: &BreastAssessment) -> String {
    let names: Vec<String> = breast.missing_views.iter().map(View::to_string).collect();
    names.join(" ")
}

fn status_of(warnings: &[&Warning]) -> (SummaryStatus, String) {
    let quiet = [
        WarningKind::UnknownSide,
        WarningKind::UnknownSpacing,
        WarningKind::UnknownView,
    ];
    let mut said: Vec<&str> = Vec::new();
    for warning in warnings.iter().filter(|w| !quiet.contains(&w.kind)) {
        if !said.contains(&warning.message.as_str()) {
            said.push(&warning.message);
        }
    }
    match said.is_empty() {
        true => (SummaryStatus::Ok, String::new()),
        false => (SummaryStatus::Warning, said.join("; ")),
    }
}

fn number(value: Option<f64>) -> String {
    value.map(|v| format!("{v:.6}")).unwrap_or_default()
}

fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// Text from a file as a harmless cell: control characters become spaces, and a leading sign
/// that a spreadsheet would run as a formula is kept from doing so by an apostrophe.
pub(crate) fn plain(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if line.starts_with(['=', '+', '-', '@']) {
        format!("'{line}")
    } else {
        line
    }
}
