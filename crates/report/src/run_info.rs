//! What every result of a run has in common: the model, the threshold, the calibration.

use lobule_exam::{Modality, OperatingPoint};

use crate::NOTICE;

/// What the exams of one modality were assessed with.
#[derive(Debug, Clone, PartialEq)]
pub struct RunInfo {
    /// Version of the program.
    pub program_version: String,
    /// The model.
    pub model: ModelInfo,
    /// The threshold that flags a breast; none when the package carries none.
    pub operating_point: Option<OperatingPoint>,
    /// What the probabilities mean.
    pub calibration: Calibration,
}

/// Which model, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// Name of the package.
    pub name: String,
    /// Version of the package.
    pub version: String,
    /// What it reads.
    pub modality: Modality,
    /// Digest over the package's content.
    pub digest: String,
    /// Engine that ran it.
    pub engine: String,
    /// Number of networks whose results are averaged.
    pub members: usize,
    /// What the package claims to be.
    pub status: ModelStatus,
    /// The package's own words on what it may be used for.
    pub research_use: String,
}

impl ModelInfo {
    /// The package's own words where they say more than [`NOTICE`]; else nothing. No package takes
    /// the notice away.
    pub fn words_beyond_notice(&self) -> &str {
        match self.research_use.trim() {
            NOTICE => "",
            words => words,
        }
    }
}

/// What a model package claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelStatus {
    /// Shows the mechanics; its numbers mean nothing.
    Demonstration,
    /// Trained and measured; for research.
    Research,
}

impl ModelStatus {
    /// The stable name used in files.
    pub fn name(self) -> &'static str {
        match self {
            ModelStatus::Demonstration => "demonstration",
            ModelStatus::Research => "research",
        }
    }
}

/// What the probabilities of a run mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Calibration {
    /// Scores are not calibrated: there are no probabilities.
    None,
    /// Calibrated at this share of malignant cases, in 0..=1.
    AtPrevalence(f64),
    /// Calibrated at one share of malignant cases and re-based to another.
    Rebased {
        /// Prevalence of the calibration data.
        from: f64,
        /// Prevalence the probabilities hold at.
        to: f64,
    },
}

impl Calibration {
    /// The prevalence at which the probabilities hold.
    pub fn prevalence(self) -> Option<f64> {
        match self {
            Calibration::None => None,
            Calibration::AtPrevalence(at) => Some(at),
            Calibration::Rebased { to, .. } => Some(to),
        }
    }

    /// The prevalence of the data that the calibration was made on.
    pub fn calibrated_at(self) -> Option<f64> {
        match self {
            Calibration::None => None,
            Calibration::AtPrevalence(at) => Some(at),
            Calibration::Rebased { from, .. } => Some(from),
        }
    }
}
