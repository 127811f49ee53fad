//! A run in one row, so that every run that was made stays comparable: `run.csv` in its folder,
//! joined to `runs.csv` in a package.

use std::collections::BTreeSet;
use std::path::Path;

use lobule_stats::roc::Roc;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Files;
use crate::data::Data;
use crate::run::Outcome;
use crate::{Error, ErrorKind, Label, Prediction, RunConfig};

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunRow {
    /// What became of it: `member`, `across` or `tried`.
    pub(crate) role: String,
    /// Name of its folder.
    pub(crate) run: String,
    /// Revisions of the program that worked on it.
    pub(crate) code: String,
    /// SHA-256 of `config.toml`.
    pub(crate) config_sha256: String,
    /// SHA-256 over all images and labels.
    pub(crate) data_sha256: String,
    pub(crate) left_out: String,
    pub(crate) seed: u64,
    /// `224`, or rows and columns: `512x320`.
    pub(crate) input_size: String,
    pub(crate) n_training: usize,
    pub(crate) n_left_out: usize,
    pub(crate) epochs: usize,
    pub(crate) kept_epoch: usize,
    pub(crate) inner_auroc: Option<f64>,
    pub(crate) inner_loss: Option<f64>,
    pub(crate) seconds: f64,
    /// AUROC per left-out image, malignant against the rest, by set.
    pub(crate) left_out_auroc: String,
}

impl RunRow {
    pub(crate) fn new(
        folder: &Path,
        config: &RunConfig,
        config_sha256: &str,
        data: &Data,
        outcome: &Outcome,
        code: Vec<String>,
    ) -> RunRow {
        let name = folder.file_name().unwrap_or_default();
        let kept = outcome
            .epochs
            .iter()
            .find(|epoch| epoch.epoch == outcome.kept_epoch);
        RunRow {
            role: "tried".into(),
            run: name.to_string_lossy().into_owned(),
            code: code.join(" "),
            config_sha256: config_sha256.to_owned(),
            data_sha256: data.digest.clone(),
            left_out: config.left_out_text(),
            seed: config.seed,
            input_size: size_text(data.images.size()),
            n_training: data.training.len(),
            n_left_out: data.left_out.len(),
            epochs: outcome.epochs.len(),
            kept_epoch: outcome.kept_epoch,
            inner_auroc: kept.and_then(|epoch| epoch.inner_auroc),
            inner_loss: kept.and_then(|epoch| epoch.inner_loss),
            seconds: outcome.epochs.iter().map(|epoch| epoch.seconds).sum(),
            left_out_auroc: areas(&outcome.predictions),
        }
    }

    /// The row of the same run, predicted anew by a later program.
    pub(crate) fn predicted_again(self, predictions: &[Prediction], code: Vec<String>) -> RunRow {
        let later = code.into_iter().filter(|c| !self.code.contains(c.as_str()));
        let all: Vec<String> = std::iter::once(self.code.clone()).chain(later).collect();
        RunRow {
            code: all.join(" "),
            left_out_auroc: areas(predictions),
            ..self
        }
    }

    pub(crate) fn write(&self, files: &Files) -> Result<(), Error> {
        files.write("run.csv", &to_csv(std::slice::from_ref(self))?)
    }

    /// Reads the row of a finished run.
    pub(crate) fn read(folder: &Path, role: &str) -> Result<RunRow, Error> {
        let file = folder.join("run.csv");
        let bytes = std::fs::read(&file).map_err(|e| Error::io(&file, e))?;
        let row = csv::Reader::from_reader(bytes.as_slice())
            .into_deserialize::<RunRow>()
            .next();
        match row {
            Some(Ok(row)) => Ok(RunRow {
                role: role.to_owned(),
                ..row
            }),
            _ => Err(Error::new(ErrorKind::Data, "expected the row of a run").in_file(&file)),
        }
    }
}

pub(crate) fn to_csv(rows: &[RunRow]) -> Result<Vec<u8>, Error> {
    let failed = |e: String| Error::new(ErrorKind::Io, e);
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(|e| failed(e.to_string()))?;
    }
    writer.into_inner().map_err(|e| failed(e.to_string()))
}

fn size_text((rows, cols): (usize, usize)) -> String {
    match rows == cols {
        true => rows.to_string(),
        false => format!("{rows}x{cols}"),
    }
}

fn areas(predictions: &[Prediction]) -> String {
    let sets: BTreeSet<&str> = predictions.iter().map(|p| p.case.set.as_str()).collect();
    let parts: Vec<String> = sets
        .into_iter()
        .filter_map(|set| {
            let of_set = || predictions.iter().filter(|p| p.case.set == set);
            let scores: Vec<f64> = of_set().map(|p| p.image_scores[1]).collect();
            let truth: Vec<bool> = of_set().map(|p| p.case.label == Label::Malignant).collect();
            let roc = Roc::new(&scores, &truth).ok()?;
            Some(format!("{set} {:.4}", roc.auc()))
        })
        .collect();
    parts.join("; ")
}
