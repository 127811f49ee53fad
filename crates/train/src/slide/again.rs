//! What runs left out, predicted anew with the networks of a package.

use std::path::{Path, PathBuf};

use lobule_package::{SlidePrediction, SlideRule, TilePrediction};

use super::data::{SkippedSlide, SlideData, head_of};
use super::encoder::{Cache, Encoder};
use super::record::{scored_slides, tile_rows};
use super::{SlideObserver, SlideOpener, SlideRunConfig};
use crate::{Error, ErrorKind};

/// What networks say of the slides that they did not learn from.
pub struct SlidesAgain {
    /// One per tile.
    pub tiles: Vec<TilePrediction>,
    /// One per slide, of a grade run.
    pub slides: Vec<SlidePrediction>,
    /// Slides that could not be used.
    pub skipped: Vec<SkippedSlide>,
}

impl SlideRunConfig {
    /// The configuration of the run that left `left_out` out, among the TOML files of a folder.
    ///
    /// # Errors
    /// When the folder or a configuration cannot be read, or none of them left that out.
    pub fn that_left_out(left_out: &str, folder: &Path) -> Result<SlideRunConfig, Error> {
        let files = crate::layouts::entries(folder)?;
        let is_toml = |file: &&PathBuf| file.extension().is_some_and(|e| e == "toml");
        for file in files.iter().filter(is_toml) {
            if !SlideRunConfig::is_one(file) {
                continue;
            }
            let config = SlideRunConfig::read(file)?;
            if config.left_out_text() == left_out {
                return Ok(config);
            }
        }
        let message =
            format!("expected the configuration of a run that left out {left_out}, got none");
        Err(Error::new(ErrorKind::Config, message).in_file(folder))
    }

    /// The same with data sets below `data`, of which those that are not there are left away; and the
    /// names of these.
    pub fn with_data_below(mut self, data: &Path) -> (SlideRunConfig, Vec<String>) {
        for set in &mut self.data {
            set.path = data.join(&set.path);
        }
        let (there, absent): (Vec<_>, Vec<_>) =
            self.data.into_iter().partition(|set| set.path.is_dir());
        self.data = there;
        let absent: Vec<String> = absent.into_iter().map(|set| set.name).collect();
        self.leave_out.retain(|left| !absent.contains(&left.data));
        (self, absent)
    }
}

/// Predicts what a run with this configuration left out, and for grading slides of grade 2, anew: the
/// same tiles of the same slides, scored by `members` together, as `rule` says. Other slides are not
/// read. Features are cached in `cache`.
///
/// # Errors
/// When members are of different encoders, a data set is not there, or the cache cannot be written. A
/// slide that cannot be used is listed with its reason.
pub fn predict_slides_again(
    config: &SlideRunConfig,
    (members, rule): (&[PathBuf], &SlideRule),
    cache: &Path,
    open: SlideOpener<'_>,
    observer: &mut dyn SlideObserver,
) -> Result<SlidesAgain, Error> {
    let mut config = config.clone();
    config.tiles.views = 1;
    let first = members.first().map(PathBuf::as_path);
    let encoder = Encoder::open(first, config.seed, &burn::tensor::Device::flex())?;
    let heads = members.iter().map(|path| head_of(path, &encoder));
    let heads = heads.collect::<Result<Vec<_>, _>>()?;
    let data = SlideData::read_predicted(&config, &encoder, &Cache::new(cache)?, open, observer)?;
    let slides = match rule {
        SlideRule::Grade(rule) => scored_slides(&data, &heads, rule),
        SlideRule::Tumor(_) => Vec::new(),
    };
    Ok(SlidesAgain {
        tiles: tile_rows(&data, &heads),
        slides: slides.into_iter().map(|slide| slide.row).collect(),
        skipped: data.skipped,
    })
}
