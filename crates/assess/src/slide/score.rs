//! From tumor squares to the slide's score, its interval and its risk level.

use lobule_exam::{GradeOutcome, MemberGrade, SlideGrade, TileAssessment, TileGrade};
use lobule_package::GradeRule;
use lobule_stats::bootstrap::{BootstrapConfig, Clusters, bootstrap};

use super::models::Grading;
use crate::{Error, ErrorKind};

/// The same slide gets the same interval.
const SEED: u64 = 20_211;
const REPLICATES: usize = 1000;

/// What is said of a slide with these squares.
///
/// # Errors
/// `Outputs` where the interval cannot be made.
pub(super) fn grade(tiles: &[TileAssessment], grading: &Grading) -> Result<GradeOutcome, Error> {
    let graded: Vec<&TileGrade> = tiles.iter().filter_map(|t| t.grade.as_ref()).collect();
    let (least, got) = (grading.rule.least_tiles, graded.len());
    if got < least {
        return Ok(GradeOutcome::NotAssessable(format!(
            "expected at least {least} tiles of tumor, got {got}"
        )));
    }
    let scores: Vec<f64> = graded.iter().map(|g| g.score).collect();
    let score = quantile(&grading.rule, scores.clone())?;
    let n_members = graded.first().map_or(0, |g| g.members.len());
    let member = |m: usize| {
        let own = graded.iter().map(|g| g.members[m]).collect();
        let score = quantile(&grading.rule, own)?;
        Ok(MemberGrade {
            score,
            level: grading.scale.level(score),
        })
    };
    Ok(GradeOutcome::Assessed(SlideGrade {
        score,
        interval: interval(&scores, &grading.rule)?,
        n_tiles: got,
        level: grading.scale.level(score),
        members: (0..n_members).map(member).collect::<Result<_, Error>>()?,
    }))
}

fn quantile(rule: &GradeRule, mut scores: Vec<f64>) -> Result<f64, Error> {
    let none = || Error::new(ErrorKind::Outputs, "expected scores of tiles, got none");
    rule.quantile_of(&mut scores).ok_or_else(none)
}

/// Percentile bootstrap over squares.
fn interval(scores: &[f64], rule: &GradeRule) -> Result<[f64; 2], Error> {
    let failed = |e: lobule_stats::Error| Error::new(ErrorKind::Outputs, e.to_string());
    let config = BootstrapConfig {
        n_replicates: REPLICATES,
        ..BootstrapConfig::with_seed(SEED)
    };
    let statistic = |cases: &[usize]| {
        let mut drawn: Vec<f64> = cases.iter().map(|&i| scores[i]).collect();
        rule.quantile_of(&mut drawn)
    };
    if scores.len() == 1 {
        return Ok([scores[0]; 2]);
    }
    let clusters = Clusters::singletons(scores.len()).map_err(failed)?;
    let interval = bootstrap(&clusters, &config, statistic)
        .map_err(failed)?
        .interval;
    Ok([interval.lower, interval.upper])
}
