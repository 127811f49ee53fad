//! What a slide model is for and by what it decides: the table `slide` of its manifest.

use serde::{Deserialize, Serialize};

use crate::manifest::{in_unit, repeated};

/// Classes of a model that finds tumor, in the order of its outputs.
pub const TUMOR_CLASSES: [&str; 2] = ["other", "tumor"];
/// Classes of a model that grades, in the order of its outputs. It learns from these two grades only;
/// what it makes of grade 2 lies between.
pub const GRADE_CLASSES: [&str; 2] = ["grade_1", "grade_3"];

/// Fewest and most levels of a risk scale.
const LEVELS: std::ops::RangeInclusive<usize> = 2..=5;
/// Most scales to choose from, and most tiles that may be asked for.
const MOST_SCALES: usize = 16;
const MOST_LEAST_TILES: usize = 100_000;

/// What a slide model is for and by what it decides. Its score of a tile is the probability of the
/// second class, mean over the members.
///
/// ```toml
/// [slide]
/// task = "tumor"
/// threshold = 0.5
/// chosen_by = "…"
/// ```
///
/// or
///
/// ```toml
/// [slide]
/// task = "grade"
/// quantile = 0.75          # of the tumor tiles' scores: the slide's score
/// least_tiles = 20         # fewer tumor tiles are not assessable
/// default_risk = "two-level"
///
/// [[slide.risks]]
/// name = "two-level"
/// levels = ["low", "high"] # 2 to 5, the lowest first
/// cutoffs = [0.45]         # a score at or above the cutoff belongs to the level above it
/// chosen_by = "…"
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "lowercase")]
pub enum SlideRule {
    /// Which tiles show invasive tumor.
    Tumor(TumorRule),
    /// Whether tumor looks like grade 1 or grade 3.
    Grade(GradeRule),
}

/// By what a tile counts as tumor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TumorRule {
    /// At or above this probability a tile is tumor.
    pub threshold: f64,
    /// On what data and by what rule it was chosen.
    pub chosen_by: String,
}

/// How the scores of tumor tiles become the slide's score and its risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradeRule {
    /// Which quantile of the tumor tiles' scores is the slide's score, in 0..=1.
    pub quantile: f64,
    /// Fewest tumor tiles; with fewer, the slide is not assessable.
    pub least_tiles: usize,
    /// Name of the scale that applies unless another is asked for.
    pub default_risk: String,
    /// Scales to choose from.
    pub risks: Vec<RiskScale>,
}

/// Levels of risk by the slide's score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskScale {
    /// Name within the package.
    pub name: String,
    /// Names of the levels, the lowest first.
    pub levels: Vec<String>,
    /// Scores from which the next level holds, ascending; one fewer than levels.
    pub cutoffs: Vec<f64>,
    /// On what data and by what rule they were chosen.
    pub chosen_by: String,
}

impl SlideRule {
    /// The classes that a model of this task must have, in the order of its outputs.
    pub fn classes(&self) -> [&'static str; 2] {
        match self {
            SlideRule::Tumor(_) => TUMOR_CLASSES,
            SlideRule::Grade(_) => GRADE_CLASSES,
        }
    }

    /// The task's name in files.
    pub fn task(&self) -> &'static str {
        match self {
            SlideRule::Tumor(_) => "tumor",
            SlideRule::Grade(_) => "grade",
        }
    }

    pub(crate) fn problem(&self) -> Option<String> {
        match self {
            SlideRule::Tumor(rule) => (!in_unit(rule.threshold))
                .then(|| format!("expected a threshold in 0..=1, got {}", rule.threshold)),
            SlideRule::Grade(rule) => rule.problem(),
        }
    }
}

impl GradeRule {
    /// The slide's score: the quantile of its tumor tiles' scores, linear between the two nearest ranks;
    /// none with fewer than `least_tiles`.
    ///
    /// ```
    /// let rule = lobule_package::GradeRule {
    ///     quantile: 0.75,
    ///     least_tiles: 3,
    ///     default_risk: "none".into(),
    ///     risks: Vec::new(),
    /// };
    /// assert_eq!(rule.score(&[0.25, 0.75, 0.5]), Some(0.625));
    /// assert_eq!(rule.score(&[0.1, 0.9]), None);
    /// ```
    pub fn score(&self, tiles: &[f64]) -> Option<f64> {
        match tiles.len() < self.least_tiles {
            true => None,
            false => self.quantile_of(&mut tiles.to_vec()),
        }
    }

    /// The quantile of any scores, linear between the two nearest ranks (type 7 of Hyndman and Fan, doi
    /// 10.1080/00031305.1996.10473566); their order is lost. None of none.
    pub fn quantile_of(&self, scores: &mut [f64]) -> Option<f64> {
        let last = scores.len().checked_sub(1)?;
        let at = self.quantile.clamp(0.0, 1.0) * last as f64;
        let (below, rest) = (at.floor() as usize, at.fract());
        let (_, &mut low, above) = scores.select_nth_unstable_by(below, f64::total_cmp);
        let next = above.iter().copied().reduce(f64::min).unwrap_or(low);
        Some(low + rest * (next - low))
    }

    /// The scale of that name, or the default one for `None`.
    pub fn risk(&self, name: Option<&str>) -> Option<&RiskScale> {
        let name = name.unwrap_or(&self.default_risk);
        self.risks.iter().find(|scale| scale.name == name)
    }

    fn problem(&self) -> Option<String> {
        if !in_unit(self.quantile) || !(1..=MOST_LEAST_TILES).contains(&self.least_tiles) {
            return Some(format!(
                "expected a quantile in 0..=1 and least_tiles of 1 to {MOST_LEAST_TILES}, got {} and {}",
                self.quantile, self.least_tiles
            ));
        }
        let names = self.risks.iter().map(|scale| &scale.name);
        if self.risks.len() > MOST_SCALES || repeated(names) {
            return Some(format!(
                "expected at most {MOST_SCALES} risks of different names"
            ));
        }
        let default = &self.default_risk;
        let missing = || format!("expected the default risk in the list, got `{default}`");
        let problem = self.risks.iter().find_map(RiskScale::problem);
        problem.or_else(|| self.risk(None).is_none().then(missing))
    }
}

impl RiskScale {
    /// The level of a score: the one above the highest cutoff that the score reaches.
    ///
    /// ```
    /// let scale = lobule_package::RiskScale {
    ///     name: "three".into(),
    ///     levels: ["low", "middle", "high"].map(String::from).to_vec(),
    ///     cutoffs: vec![0.3, 0.6],
    ///     chosen_by: "by hand".into(),
    /// };
    /// assert_eq!([0.1, 0.3, 0.9].map(|score| scale.level(score)), [0, 1, 2]);
    /// ```
    pub fn level(&self, score: f64) -> usize {
        let reached = self.cutoffs.iter().filter(|cutoff| score >= **cutoff);
        reached.count()
    }

    fn problem(&self) -> Option<String> {
        let Self {
            name,
            levels,
            cutoffs,
            ..
        } = self;
        if !LEVELS.contains(&levels.len()) || cutoffs.len() + 1 != levels.len() {
            return Some(format!(
                "expected 2 to 5 levels and one cutoff fewer in the risk `{name}`, got {} and {}",
                levels.len(),
                cutoffs.len()
            ));
        }
        if levels.iter().any(|level| level.trim().is_empty()) || repeated(levels.iter()) {
            return Some(format!(
                "expected different names of levels in the risk `{name}`"
            ));
        }
        let ascending = cutoffs.windows(2).all(|pair| pair[0] < pair[1]);
        (!ascending || !cutoffs.iter().all(|c| in_unit(*c))).then(|| {
            format!("expected ascending cutoffs in 0..=1 in the risk `{name}`, got {cutoffs:?}")
        })
    }
}
