//! All slides of a run, their tiles, and which of them are for what.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lobule_model::TileNet;
use lobule_package::Package;
use sha2::{Digest, Sha256};

use super::case::SlideCase;
use super::encoder::{Cache, Encoder};
use super::fit::FittedHead;
use super::tiles::{Reader, Tiles};
use super::{SlideObserver, SlideOpener, SlideRunConfig, SlideSetConfig, SlideTask, TumorSource};
use crate::data::data_root;
use crate::split::deal_groups;
use crate::{Error, ErrorKind};

/// One slide with its tiles.
pub(crate) struct Slide {
    pub(crate) case: SlideCase,
    pub(crate) fold: usize,
    pub(crate) tiles: Tiles,
}

/// A slide that could not be used, and why.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SkippedSlide {
    /// Name of the data set.
    pub set: String,
    /// The slide's name within the set.
    pub slide: String,
    /// Why.
    pub reason: String,
}

/// What a run learns from and predicts.
pub(crate) struct SlideData {
    pub(crate) slides: Vec<Slide>,
    /// Indices of slides that are trained on.
    pub(crate) training: Vec<usize>,
    /// Indices of slides that are predicted: left out, and of grade 2.
    pub(crate) predicted: Vec<usize>,
    pub(crate) skipped: Vec<SkippedSlide>,
    /// SHA-256 over names, labels and bytes of all slides.
    pub(crate) digest: String,
}

/// A slide that is there, with its fold and set.
type Listed<'a> = (SlideCase, usize, &'a SlideSetConfig);

impl SlideData {
    /// All slides, of which there are some to learn from.
    pub(crate) fn read(
        config: &SlideRunConfig,
        encoder: &Encoder,
        cache: &Cache,
        open: SlideOpener<'_>,
        observer: &mut dyn SlideObserver,
    ) -> Result<SlideData, Error> {
        let listed = list(config)?;
        SlideData::of(&listed, config, (encoder, cache), open, observer)?.check(config)
    }

    /// The slides that are predicted, alone.
    pub(crate) fn read_predicted(
        config: &SlideRunConfig,
        encoder: &Encoder,
        cache: &Cache,
        open: SlideOpener<'_>,
        observer: &mut dyn SlideObserver,
    ) -> Result<SlideData, Error> {
        let mut listed = list(config)?;
        listed.retain(|(case, fold, _)| is_predicted(config, case, *fold));
        SlideData::of(&listed, config, (encoder, cache), open, observer)
    }

    fn of(
        listed: &[Listed<'_>],
        config: &SlideRunConfig,
        (encoder, cache): (&Encoder, &Cache),
        open: SlideOpener<'_>,
        observer: &mut dyn SlideObserver,
    ) -> Result<SlideData, Error> {
        let reader = Reader {
            config,
            tile: config.tile()?,
            encoder,
            cache,
            open,
        };
        let finder = TumorFinder::open(config, encoder)?;
        let (mut slides, mut skipped, mut digests) = (Vec::new(), Vec::new(), String::new());
        for (i, (case, fold, set)) in listed.iter().enumerate() {
            observer.slide(i, listed.len(), &case.name);
            match read_slide(&reader, &finder, case, set) {
                Ok((tiles, digest)) => {
                    let label = case.grade.unwrap_or(0);
                    digests += &format!(
                        "{} {} {} {label} {digest}\n",
                        case.set, case.name, case.group
                    );
                    slides.push(Slide {
                        case: case.clone(),
                        fold: *fold,
                        tiles,
                    });
                }
                Err(error) if error.kind() == ErrorKind::Data => skipped.push(SkippedSlide {
                    set: case.set.clone(),
                    slide: case.name.clone(),
                    reason: error.to_string(),
                }),
                Err(error) => return Err(error),
            }
        }
        let (training, predicted) = split(config, &slides);
        Ok(SlideData {
            slides,
            training,
            predicted,
            skipped,
            digest: format!("{:x}", Sha256::digest(digests.as_bytes())),
        })
    }

    /// Both classes are there to learn from.
    fn check(self, config: &SlideRunConfig) -> Result<SlideData, Error> {
        let mut classes = BTreeSet::new();
        for &slide in &self.training {
            classes.extend(examples_of(config, &self.slides[slide]).map(|(_, class)| class));
        }
        if classes.len() == 2 {
            return Ok(self);
        }
        let what = match config.task {
            SlideTask::Tumor => "tiles of tumor and of something else",
            SlideTask::Grade => "tiles of slides of grade 1 and of grade 3",
        };
        let mut message = format!(
            "expected {what} to train on, got {} class(es)",
            classes.len()
        );
        if let Some(first) = self.skipped.first() {
            message += &format!(
                "; {} slides were skipped, the first: {}",
                self.skipped.len(),
                first.reason
            );
        }
        Err(Error::new(ErrorKind::Data, message))
    }
}

/// The tiles of a slide that are shown, with their class: 0 or 1.
pub(crate) fn examples_of<'a>(
    config: &'a SlideRunConfig,
    slide: &'a Slide,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let choice = &config.tiles;
    (0..slide.tiles.len()).filter_map(move |tile| {
        let share = f64::from(slide.tiles.shares[tile]);
        let class = match (config.task, slide.case.grade) {
            (SlideTask::Tumor, _) if share >= choice.least_tumor => Some(1),
            (SlideTask::Tumor, _) if share <= choice.most_tumor => Some(0),
            (SlideTask::Grade, Some(1)) => Some(0),
            (SlideTask::Grade, Some(3)) => Some(1),
            _ => None,
        };
        class.map(|class| (tile, class))
    })
}

/// Every slide with its fold and set.
fn list(config: &SlideRunConfig) -> Result<Vec<Listed<'_>>, Error> {
    let mut listed = Vec::new();
    for set in &config.data {
        let folder = data_root().join(&set.path);
        if !folder.is_dir() {
            let message = format!(
                "expected the folder of the data set `{}`, got none; a relative path is looked for below LOBULE_DATA, or in the current folder where that is not set",
                set.name
            );
            return Err(Error::new(ErrorKind::Io, message).in_file(&folder));
        }
        let cases = set.layout.read(set, &folder)?;
        let folds = folds_of(&cases, set, config.seed);
        listed.extend(
            cases
                .into_iter()
                .zip(folds)
                .map(|(case, fold)| (case, fold, set)),
        );
    }
    Ok(listed)
}

/// The set's own folds, or drawn ones, or one for each group.
fn folds_of(cases: &[SlideCase], set: &SlideSetConfig, seed: u64) -> Vec<usize> {
    if cases.iter().all(|case| case.fold.is_some()) {
        return cases.iter().filter_map(|case| case.fold).collect();
    }
    if let Some(n) = set.folds {
        let parts: Vec<_> = cases.iter().map(|c| (c.group.as_str(), c.grade)).collect();
        return deal_groups(&parts, n, seed);
    }
    let groups: BTreeSet<&str> = cases.iter().map(|case| case.group.as_str()).collect();
    let numbers: BTreeMap<&str, usize> = groups.into_iter().zip(1..).collect();
    cases
        .iter()
        .map(|case| numbers[case.group.as_str()])
        .collect()
}

/// Indices that are trained on, and that are predicted.
fn split(config: &SlideRunConfig, slides: &[Slide]) -> (Vec<usize>, Vec<usize>) {
    let all = 0..slides.len();
    let (predicted, training): (Vec<usize>, Vec<usize>) =
        all.partition(|&i| is_predicted(config, &slides[i].case, slides[i].fold));
    (training, predicted)
}

/// Whether a slide is left out, or of the grade between those that are learnt.
fn is_predicted(config: &SlideRunConfig, case: &SlideCase, fold: usize) -> bool {
    let mut parts = config.leave_out.iter();
    let is_left_out =
        parts.any(|left| left.data == case.set && left.fold.is_none_or(|own| own == fold));
    is_left_out || config.task == SlideTask::Grade && case.grade == Some(2)
}

fn read_slide(
    reader: &Reader<'_>,
    finder: &Option<TumorFinder>,
    case: &SlideCase,
    set: &SlideSetConfig,
) -> Result<(Tiles, String), Error> {
    let (tiles, digest) = reader.read(case, set)?;
    let tiles = match finder {
        Some(finder) => finder.tumor_of(&tiles, reader.config),
        None => tiles,
    };
    if tiles.len() == 0 {
        let message = "expected tiles to use, got none: no tissue in focus, no annotation, or a field smaller than a tile";
        return Err(Error::new(ErrorKind::Data, message).in_file(&case.file));
    }
    Ok((tiles, digest))
}

/// A package that finds tumor, on the features of the same encoder.
struct TumorFinder {
    heads: Vec<FittedHead>,
    threshold: f64,
}

impl TumorFinder {
    fn open(config: &SlideRunConfig, encoder: &Encoder) -> Result<Option<TumorFinder>, Error> {
        let Some(folder) = config.tiles.tumor_model.as_ref() else {
            return Ok(None);
        };
        if config.tiles.tumor != TumorSource::Model {
            return Ok(None);
        }
        let bad = |e: String| Error::new(ErrorKind::Config, e).in_file(folder);
        let package = Package::open(folder).map_err(|e| bad(e.to_string()))?;
        let manifest = package.manifest();
        let Some(lobule_package::SlideRule::Tumor(rule)) = &manifest.slide else {
            return Err(bad(
                "expected a package that finds tumor, got another".into()
            ));
        };
        if manifest.prepare != config.prepare {
            return Err(bad(
                "expected a package of the same preparation, got another".into(),
            ));
        }
        let heads = package
            .member_paths()
            .into_iter()
            .map(|path| head_of(&path, encoder));
        Ok(Some(TumorFinder {
            heads: heads.collect::<Result<_, _>>()?,
            threshold: rule.threshold,
        }))
    }

    /// The tiles that are tumor; their share is their score. At most as many as are wanted, spread
    /// evenly over them.
    fn tumor_of(&self, tiles: &Tiles, config: &SlideRunConfig) -> Tiles {
        let scores: Vec<f64> = (0..tiles.len())
            .map(|i| mean_score(&self.heads, tiles.view(i, 0)))
            .collect();
        let found: Vec<usize> = (0..tiles.len())
            .filter(|&i| scores[i] >= self.threshold)
            .collect();
        let most = match config.tiles.most_per_slide {
            0 => found.len(),
            most => most.min(found.len()),
        };
        let chosen: Vec<usize> = (0..most).map(|i| found[i * found.len() / most]).collect();
        let mut tiles = tiles.only(&chosen);
        tiles.shares = chosen.iter().map(|&i| scores[i] as f32).collect();
        tiles
    }
}

/// The head of a member that has the same encoder.
pub(crate) fn head_of(path: &Path, encoder: &Encoder) -> Result<FittedHead, Error> {
    let own = Encoder::open(Some(path), 0, &burn::tensor::Device::flex())?;
    if own.digest != encoder.digest {
        let message = "expected a member with the encoder of this run, got another";
        return Err(Error::new(ErrorKind::Config, message).in_file(path));
    }
    FittedHead::read(path)
}

/// The probability of the second class, mean over heads.
pub(crate) fn mean_score(heads: &[FittedHead], features: &[f32]) -> f64 {
    debug_assert_eq!(features.len(), TileNet::FEATURES);
    heads.iter().map(|head| head.score(features)).sum::<f64>() / heads.len() as f64
}

/// Where the cached features lie.
pub(crate) fn cache_folder(config: &SlideRunConfig, run: &Path) -> PathBuf {
    config.cache.clone().unwrap_or_else(|| run.join("features"))
}
