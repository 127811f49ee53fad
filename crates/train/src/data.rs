//! What a run reads: cases, images, and their split.

use std::path::PathBuf;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::images::Images;
use crate::{
    Case, DataConfig, Error, ErrorKind, Label, LabelUse, RunConfig, Stage, assign_folds,
    read_data_set,
};

/// Where outside data lies: `LOBULE_DATA`, or the current folder.
pub(crate) fn data_root() -> PathBuf {
    std::env::var_os("LOBULE_DATA")
        .map(PathBuf::from)
        .unwrap_or_default()
}

/// All cases, their images, and which of them are for what.
pub(crate) struct Data {
    pub(crate) cases: Vec<Case>,
    pub(crate) folds: Vec<usize>,
    pub(crate) images: Images,
    pub(crate) training: Vec<usize>,
    pub(crate) inner: Vec<usize>,
    pub(crate) left_out: Vec<usize>,
    /// Not left out, and yet not trained on in this stage.
    pub(crate) lesions_only: Vec<usize>,
    /// SHA-256 over names, labels and bytes of all images.
    pub(crate) digest: String,
}

impl Data {
    pub(crate) fn read(config: &RunConfig) -> Result<Data, Error> {
        let (mut cases, mut folds) = (Vec::new(), Vec::new());
        for set in &config.data {
            let of_set = read_data_set(set, &data_root())?;
            check_outcomes(set, &of_set, config.stage)?;
            folds.extend(assign_folds(&of_set, set.folds, config.seed));
            cases.extend(of_set);
        }
        let is_left_out = |i: &usize| {
            config.leave_out.iter().any(|left| {
                left.data == cases[*i].set && left.fold.is_none_or(|fold| fold == folds[*i])
            })
        };
        let (left_out, rest): (Vec<usize>, Vec<usize>) = (0..cases.len()).partition(is_left_out);
        let usable =
            |i: &usize| config.stage == Stage::Patches || !config.lesions_only(&cases[*i].set);
        let (rest, lesions_only): (Vec<usize>, Vec<usize>) = rest.into_iter().partition(usable);
        let (inner, training) = inner_split(&cases, rest, config);
        if training.is_empty() {
            return Err(Error::new(
                ErrorKind::Config,
                "expected images to train on, got none",
            ));
        }
        let digest = digest_of(&cases)?;
        let images = Images::load(&cases, &config.network.prepare())?;
        Ok(Data {
            cases,
            folds,
            images,
            training,
            inner,
            left_out,
            lesions_only,
            digest,
        })
    }
}

/// A set that shows malignant images only cannot teach whole images: they would be known by it.
fn check_outcomes(set: &DataConfig, cases: &[Case], stage: Stage) -> Result<(), Error> {
    let one_outcome = cases.iter().all(|case| case.label == Label::Malignant);
    if stage == Stage::Patches || set.labels == LabelUse::Lesions || !one_outcome {
        return Ok(());
    }
    let message = format!(
        "expected more than malignant images in `{}`: with `labels = \"lesions\"` its lesions are used",
        set.name
    );
    Err(Error::new(ErrorKind::Config, message))
}

fn digest_of(cases: &[Case]) -> Result<String, Error> {
    let one = |case: &Case| -> Result<[u8; 32], Error> {
        let bytes = std::fs::read(&case.file).map_err(|e| Error::io(&case.file, e))?;
        let mut hash = Sha256::new();
        for part in [
            case.set.as_str(),
            &case.name,
            &case.group,
            case.label.name(),
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.update(bytes);
        Ok(hash.finalize().into())
    };
    let hashes: Result<Vec<[u8; 32]>, Error> = cases.par_iter().map(one).collect();
    Ok(format!("{:x}", Sha256::digest(hashes?.concat())))
}

/// Keeps a balanced share of the groups for choosing the epoch.
fn inner_split(cases: &[Case], rest: Vec<usize>, config: &RunConfig) -> (Vec<usize>, Vec<usize>) {
    if config.optimizer.inner_share <= 0.0 {
        return (Vec::new(), rest);
    }
    let n = (1.0 / config.optimizer.inner_share).round().max(2.0) as usize;
    let without_fold: Vec<Case> = rest
        .iter()
        .map(|&i| Case {
            fold: None,
            ..cases[i].clone()
        })
        .collect();
    let folds = assign_folds(&without_fold, n, config.seed.wrapping_add(1));
    let (inner, training): (Vec<_>, Vec<_>) = rest
        .into_iter()
        .zip(folds)
        .partition(|(_, fold)| *fold == 1);
    let indices = |pairs: Vec<(usize, usize)>| pairs.into_iter().map(|(i, _)| i).collect();
    (indices(inner), indices(training))
}
