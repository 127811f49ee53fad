//! What the system says about a whole slide. Plain data: `report` decides how it is written.
//!
//! Places are in pixels of the slide's level 0, counted from its outer edges.

use crate::Warning;

/// The result for one slide.
#[derive(Debug, Clone, PartialEq)]
pub struct SlideAssessment {
    /// A name that is unique within a run: the table's, or the file's stem. Never a patient identifier
    /// unless the user named the file so.
    pub slide: String,
    /// The file as the user named it.
    pub file: String,
    /// The kind of file, for people.
    pub format: String,
    /// Rows of level 0.
    pub rows: usize,
    /// Columns of level 0.
    pub cols: usize,
    /// Microns per pixel of level 0.
    pub mpp: f64,
    /// Who says so.
    pub mpp_source: MppSource,
    /// What was done about the stains.
    pub stains: StainUse,
    /// How many squares became what.
    pub counts: TileCounts,
    /// Squares with tissue, pen or folds, row by row; glass is only counted.
    pub tiles: Vec<TileAssessment>,
    /// What is said of the whole.
    pub grade: GradeOutcome,
    /// What was measured to explain it.
    pub components: ComponentsOutcome,
    /// Whether the file says that it shows no patient.
    pub is_synthetic: bool,
    /// What the reader of the result should know.
    pub warnings: Vec<Warning>,
}

/// Who states microns per pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MppSource {
    /// The file.
    File,
    /// The user.
    User,
}

impl MppSource {
    /// The stable name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            MppSource::File => "file",
            MppSource::User => "user",
        }
    }
}

/// What was done about a slide's stains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StainUse {
    /// Brought to reference stains.
    Normalized,
    /// Left as they are: they could not be told apart, and why.
    Unfit(String),
    /// Left as they are: the models ask for nothing else.
    NotAsked,
}

impl StainUse {
    /// The stable name used in files.
    pub const fn name(&self) -> &'static str {
        match self {
            StainUse::Normalized => "normalized",
            StainUse::Unfit(_) => "unfit",
            StainUse::NotAsked => "not_asked",
        }
    }
}

/// How many squares of a slide became what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TileCounts {
    /// Tissue in focus: shown to the network.
    pub taken: usize,
    /// Tumor among these.
    pub tumor: usize,
    /// Too little tissue.
    pub glass: usize,
    /// Pen on it.
    pub pen: usize,
    /// Folded tissue.
    pub fold: usize,
    /// Out of focus.
    pub blur: usize,
    /// Pixels that cannot be decoded.
    pub unreadable: usize,
}

/// A square of a slide.
#[derive(Debug, Clone, PartialEq)]
pub struct TileAssessment {
    /// Row of the square in its grid.
    pub row: usize,
    /// Column of the square in its grid.
    pub col: usize,
    /// Where it lies; may stick out of the slide.
    pub bounds: TileBounds,
    /// What became of it: `taken`, `pen`, `fold`, `blur`, `unreadable`.
    pub verdict: &'static str,
    /// Why it is unreadable; else empty.
    pub reason: String,
    /// Probability of tumor, mean over the tumor model's members; of taken squares.
    pub tumor: Option<f64>,
    /// Whether it counts as tumor.
    pub is_tumor: bool,
    /// How it was graded; of tumor, where there is a model.
    pub grade: Option<TileGrade>,
}

/// The outer edges of a square in pixels of level 0, fractions where resolutions differ. 0 is the outer
/// edge of the slide, not the center of its first pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TileBounds {
    /// Upper edge.
    pub top: f64,
    /// Left edge.
    pub left: f64,
    /// Lower edge.
    pub bottom: f64,
    /// Right edge.
    pub right: f64,
}

/// The grade model's word on a square of tumor.
#[derive(Debug, Clone, PartialEq)]
pub struct TileGrade {
    /// Probability of grade 3 against 1, mean over the members.
    pub score: f64,
    /// The same by member.
    pub members: Vec<f64>,
}

/// What is said of the whole slide.
#[derive(Debug, Clone, PartialEq)]
pub enum GradeOutcome {
    /// A score and its risk level.
    Assessed(SlideGrade),
    /// Nothing, and why.
    NotAssessable(String),
    /// Nothing: there is no model that grades.
    NoModel,
}

impl GradeOutcome {
    /// The grade, where there is one.
    pub fn grade(&self) -> Option<&SlideGrade> {
        match self {
            GradeOutcome::Assessed(grade) => Some(grade),
            GradeOutcome::NotAssessable(_) | GradeOutcome::NoModel => None,
        }
    }

    /// The stable name used in files.
    pub const fn name(&self) -> &'static str {
        match self {
            GradeOutcome::Assessed(_) => "assessed",
            GradeOutcome::NotAssessable(_) => "not_assessable",
            GradeOutcome::NoModel => "no_model",
        }
    }
}

/// A slide's score and what follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct SlideGrade {
    /// The quantile of the tumor squares' scores, in 0..=1: 0 is like grade 1, 1 like grade 3.
    pub score: f64,
    /// 95 % bootstrap interval over the tumor squares: how far the score hangs on which squares were
    /// seen. It says nothing of other sections, stains or patients.
    pub interval: [f64; 2],
    /// Tumor squares behind it.
    pub n_tiles: usize,
    /// The risk level, counted from 0, the lowest.
    pub level: usize,
    /// Each member's own score of the slide and its level.
    pub members: Vec<MemberGrade>,
}

impl SlideGrade {
    /// Share of the members that by themselves come to the same risk level.
    pub fn agreement(&self) -> f64 {
        let same = self.members.iter().filter(|m| m.level == self.level);
        same.count() as f64 / self.members.len().max(1) as f64
    }

    /// The lowest and the highest member's score.
    pub fn member_range(&self) -> Option<[f64; 2]> {
        let scores = || self.members.iter().map(|m| m.score);
        Some([scores().reduce(f64::min)?, scores().reduce(f64::max)?])
    }
}

/// What one member of the ensemble makes of the slide by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberGrade {
    /// Its score.
    pub score: f64,
    /// The risk level of that.
    pub level: usize,
}

/// What was measured of the components of the Nottingham grade: tubules, nuclei, mitoses.
#[derive(Debug, Clone, PartialEq)]
pub enum ComponentsOutcome {
    /// Measures over the tumor squares.
    Measured(SlideComponents),
    /// Nothing, and why.
    LeftOut(String),
}

impl ComponentsOutcome {
    /// The measures, where there are any.
    pub fn measures(&self) -> Option<&SlideComponents> {
        match self {
            ComponentsOutcome::Measured(components) => Some(components),
            ComponentsOutcome::LeftOut(_) => None,
        }
    }

    /// The stable name used in files.
    pub const fn name(&self) -> &'static str {
        match self {
            ComponentsOutcome::Measured(_) => "measured",
            ComponentsOutcome::LeftOut(_) => "left_out",
        }
    }
}

/// Measures over a slide's tumor squares. They explain a score; they are no points of a grade and make
/// none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlideComponents {
    /// Tumor squares behind them.
    pub tiles: usize,
    /// Their area, in mm².
    pub area_mm2: f64,
    /// Nuclei of any kind.
    pub nuclei: usize,
    /// Dark pieces that look like mitoses.
    pub mitosis_like: usize,
    /// Share of the tissue that is lumina like those of tubules and the cells around them; none without tissue.
    pub tubule_share: Option<f64>,
    /// How the nuclei vary that may be tumor cells'; none where there are too few.
    pub variation: Option<NuclearVariation>,
}

impl SlideComponents {
    /// How many per mm²; 0 without area.
    pub fn per_mm2(&self, count: usize) -> f64 {
        match self.area_mm2 > 0.0 {
            true => count as f64 / self.area_mm2,
            false => 0.0,
        }
    }
}

/// Variation of nuclei, what a pathologist calls pleomorphism; no points of a grade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NuclearVariation {
    /// Nuclei behind it.
    pub nuclei: usize,
    /// Median area, in square microns.
    pub median_um2: f64,
    /// Standard deviation of the areas divided by their mean.
    pub size_variation: f64,
    /// Share of the nuclei of at least twice the median area.
    pub large_share: f64,
    /// Median of longer by shorter axis, from 1.
    pub median_elongation: f64,
    /// Standard deviation of longer by shorter axis.
    pub elongation_spread: f64,
}

/// Levels of risk by the slide's score.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskLevels {
    /// Name of the scale within the model package.
    pub scale: String,
    /// Names of the levels, the lowest first.
    pub levels: Vec<String>,
    /// Scores from which the next level holds; one fewer than levels.
    pub cutoffs: Vec<f64>,
    /// On what data and by what rule they were chosen.
    pub chosen_by: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_counts_the_members_on_the_level_of_the_whole() {
        let member = |score, level| MemberGrade { score, level };
        let grade = SlideGrade {
            score: 0.6,
            interval: [0.5, 0.7],
            n_tiles: 30,
            level: 1,
            members: vec![
                member(0.4, 0),
                member(0.7, 1),
                member(0.65, 1),
                member(0.9, 2),
            ],
        };
        assert_eq!(grade.agreement(), 0.5);
        assert_eq!(grade.member_range(), Some([0.4, 0.9]));
    }
}
