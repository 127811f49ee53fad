//! What all slides of a run have in common.

use lobule_exam::{RiskLevels, SlideAssessment};

use super::{NO_GRADE, NO_TUMOR};
use crate::{ModelInfo, ModelStatus};

/// What the slides of a run were assessed with.
#[derive(Debug, Clone, PartialEq)]
pub struct SlideRunInfo {
    /// Version of the program.
    pub program_version: String,
    /// The model that finds tumor.
    pub tumor: ModelInfo,
    /// Probability from which a tile counts as tumor.
    pub tumor_threshold: f64,
    /// On what data and by what rule it was chosen.
    pub tumor_chosen_by: String,
    /// What grades; none where there is no model.
    pub grading: Option<GradingInfo>,
    /// Rows and columns of a tile.
    pub tile_side: usize,
    /// Microns per pixel of a tile.
    pub tile_mpp: f64,
}

/// The model that grades and what it decides by.
#[derive(Debug, Clone, PartialEq)]
pub struct GradingInfo {
    /// The model.
    pub model: ModelInfo,
    /// Which quantile of the tumor tiles' scores is the slide's score.
    pub quantile: f64,
    /// Fewest tumor tiles.
    pub least_tiles: usize,
    /// The risk levels.
    pub risk: RiskLevels,
}

impl SlideRunInfo {
    /// The sentence that must stand on every result; none of models that were measured.
    pub fn demonstration(&self) -> Option<&'static str> {
        let shows_only = |model: &ModelInfo| model.status == ModelStatus::Demonstration;
        match &self.grading {
            Some(grading) if shows_only(&grading.model) => Some(NO_GRADE),
            _ if shows_only(&self.tumor) => Some(NO_TUMOR),
            _ => None,
        }
    }

    /// Demonstration where any of the models is one.
    pub fn status(&self) -> ModelStatus {
        match self.demonstration() {
            Some(_) => ModelStatus::Demonstration,
            None => ModelStatus::Research,
        }
    }

    /// Name of a risk level in tables and pictures; that of a demonstration cannot be taken for a
    /// result.
    pub(crate) fn level_name(&self, level: usize) -> String {
        let levels = self.grading.as_ref().map(|g| &g.risk.levels);
        let name = levels.and_then(|l| l.get(level)).map_or("", String::as_str);
        match self.demonstration() {
            Some(_) => format!("demonstration {name}"),
            None => name.to_owned(),
        }
    }

    /// The same in tables of many slides, where nothing else says that a slide is synthetic.
    pub(crate) fn level_in_table(&self, level: usize, slide: &SlideAssessment) -> String {
        marked(self.level_name(level), slide)
    }

    /// The models' own words on their use beyond the notice, each once.
    pub fn words_beyond_notice(&self) -> Vec<&str> {
        let models = [Some(&self.tumor), self.grading.as_ref().map(|g| &g.model)];
        let mut words: Vec<&str> = Vec::new();
        for own in models
            .into_iter()
            .flatten()
            .map(ModelInfo::words_beyond_notice)
        {
            if !own.is_empty() && !words.contains(&own) {
                words.push(own);
            }
        }
        words
    }
}

/// The name of a group, saying where its slides are synthetic.
pub(crate) fn marked(name: String, slide: &SlideAssessment) -> String {
    match slide.is_synthetic {
        true => format!("{name} (synthetic)"),
        false => name,
    }
}
