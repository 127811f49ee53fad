//! The score of graded slides, and the cutoff between low and high risk.

use std::collections::BTreeSet;

use lobule_package::{GradeRule, RiskScale};
use serde::{Deserialize, Serialize};

use super::data::{Slide, SlideData, mean_score};
use super::fit::{FittedHead, Sample};
use super::{ScoreConfig, SlideRunConfig};
use crate::{Error, ErrorKind};

/// The cutoff of a run, fixed on the training slides of grade 1 and 3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cutoff {
    /// A slide's score at or above it is of high risk.
    pub score: f64,
    /// On what slides and by what rule it was chosen.
    pub chosen_by: String,
}

/// The rule by which slides are scored in training and assessing.
pub(crate) fn grade_rule(config: &ScoreConfig, cutoff: &Cutoff) -> GradeRule {
    GradeRule {
        quantile: config.quantile,
        least_tiles: config.least_tiles,
        default_risk: "two-level".into(),
        risks: vec![RiskScale {
            name: "two-level".into(),
            levels: vec!["low".into(), "high".into()],
            cutoffs: vec![cutoff.score],
            chosen_by: cutoff.chosen_by.clone(),
        }],
    }
}

/// The score of a slide by some heads; none with too few tiles.
pub(crate) fn slide_score(heads: &[FittedHead], slide: &Slide, rule: &GradeRule) -> Option<f64> {
    let tiles = &slide.tiles;
    let scores: Vec<f64> = (0..tiles.len())
        .map(|tile| mean_score(heads, tiles.view(tile, 0)))
        .collect();
    rule.score(&scores)
}

/// The cutoff with the largest sum of sensitivity and specificity of grade 3 against 1 (Youden 1950,
/// doi 10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3) among the training slides, each
/// scored by the heads that did not learn from it; with a single head, which learnt from all, by that.
pub(crate) fn choose_cutoff(
    config: &SlideRunConfig,
    data: &SlideData,
    heads: &[FittedHead],
    samples: &[Sample],
) -> Result<Cutoff, Error> {
    let any = Cutoff {
        score: 0.5,
        chosen_by: String::new(),
    };
    let rule = grade_rule(&config.score, &any);
    let (mut scores, mut truth) = (Vec::new(), Vec::new());
    for &i in &data.training {
        let slide = &data.slides[i];
        let group = (slide.case.set.clone(), slide.case.group.clone());
        let grade = slide.case.grade;
        if !matches!(grade, Some(1 | 3)) {
            continue;
        }
        let unseen = |groups: &BTreeSet<(String, String)>| !groups.contains(&group);
        let own: Vec<FittedHead> = match heads {
            [single] => vec![single.clone()],
            _ => {
                let pairs = heads.iter().zip(samples);
                pairs
                    .filter(|(_, s)| unseen(&s.groups))
                    .map(|(h, _)| h.clone())
                    .collect()
            }
        };
        if own.is_empty() {
            continue;
        }
        if let Some(score) = slide_score(&own, slide, &rule) {
            scores.push(score);
            truth.push(grade == Some(3));
        }
    }
    let (n, n_high) = (truth.len(), truth.iter().filter(|&&t| t).count());
    let least = config.score.least_tiles;
    let score = youden(&scores, &truth).ok_or_else(|| {
        let message = format!(
            "expected training slides of grade 1 and 3 with at least {least} tumor tiles to choose the cutoff on, got {} and {n_high}",
            n - n_high
        );
        Error::new(ErrorKind::Data, message)
    })?;
    let how = match heads.len() {
        1 => "the network that learnt from them",
        _ => "the members of the ensemble that did not learn from them",
    };
    Ok(Cutoff {
        score,
        chosen_by: format!(
            "largest sum of sensitivity and specificity on {n} training slides ({n_high} of grade 3, {} of grade 1), each scored by {how}",
            n - n_high
        ),
    })
}

/// The middle between the lowest and the highest of the best cutoffs; none without both classes.
fn youden(scores: &[f64], truth: &[bool]) -> Option<f64> {
    let mut pairs: Vec<(f64, bool)> = scores.iter().copied().zip(truth.iter().copied()).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positive = truth.iter().filter(|&&t| t).count();
    let negative = truth.len() - positive;
    if positive == 0 || negative == 0 {
        return None;
    }
    // With the cutoff between pairs i − 1 and i: those below count as negative.
    let (mut gain, mut best) = (0.0_f64, (f64::NEG_INFINITY, 0.0, 0.0));
    for i in 0..pairs.len() {
        gain += match pairs[i].1 {
            true => -1.0 / positive as f64,
            false => 1.0 / negative as f64,
        };
        let Some(next) = pairs.get(i + 1).filter(|next| next.0 > pairs[i].0) else {
            continue;
        };
        let middle = 0.5 * (pairs[i].0 + next.0);
        if gain > best.0 + 1e-12 {
            best = (gain, middle, middle);
        } else if (gain - best.0).abs() <= 1e-12 {
            best.2 = middle;
        }
    }
    (best.0 > f64::NEG_INFINITY).then_some(0.5 * (best.1 + best.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cutoff_lies_in_the_middle_of_the_best_ones() {
        let cases: [(&[f64], &[bool], Option<f64>); 5] = [
            (
                &[0.1, 0.2, 0.8, 0.9],
                &[false, false, true, true],
                Some(0.5),
            ),
            // Two equally good ones: 0.15 and 0.85.
            (
                &[0.1, 0.2, 0.8, 0.9],
                &[false, true, false, true],
                Some(0.5),
            ),
            (&[0.1, 0.3, 0.4, 0.9], &[false, true, true, true], Some(0.2)),
            (&[0.3, 0.4], &[true, true], None),
            (&[0.3, 0.3], &[true, false], None),
        ];
        for (scores, truth, expected) in cases {
            let got = youden(scores, truth);
            let close = match (got, expected) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-12,
                (a, b) => a == b,
            };
            assert!(close, "{scores:?}: {got:?}");
        }
    }
}
