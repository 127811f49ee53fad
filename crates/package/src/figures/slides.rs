//! The figures of slide models, from the tables of their tiles and slides.

use std::collections::BTreeSet;
use std::path::Path;

use lobule_stats::roc::{AucScale, Roc};
use lobule_stats::{Clusters, Confidence};

use super::Figure;
use crate::slide_predictions::read_rows;
use crate::{Error, ErrorKind, GradeRule, SlidePrediction, SlideRule, TilePrediction, TumorRule};

/// Fewest units of either kind for an area under the curve.
const FEWEST: usize = 5;
/// Tiles of at least this share of tumor, and of at most that, are clear.
const CLEAR: [f64; 2] = [0.75, 0.05];

/// A tile or slide with what is true of it.
#[derive(Clone)]
struct Unit<'a> {
    set: &'a str,
    group: &'a str,
    is_positive: bool,
    is_clear: bool,
    score: f64,
}

/// All figures of a slide model, by data set.
///
/// # Errors
/// `Record` when the table is not one of such predictions.
pub(crate) fn slide_figures(
    rule: &SlideRule,
    bytes: &[u8],
    path: &Path,
) -> Result<Vec<Figure>, Error> {
    let of_unit = |score: f64| match (0.0..=1.0).contains(&score) {
        true => Ok(score),
        false => {
            let message = format!("expected scores in 0..=1, got {score}");
            Err(Error::new(ErrorKind::Record, path, message))
        }
    };
    match rule {
        SlideRule::Tumor(rule) => {
            let rows: Vec<TilePrediction> = read_rows(bytes, path)?;
            for row in &rows {
                of_unit(row.score)?;
            }
            Ok(of_tiles(&rows, rule))
        }
        SlideRule::Grade(rule) => {
            let rows: Vec<SlidePrediction> = read_rows(bytes, path)?;
            for row in &rows {
                row.score.map(of_unit).transpose()?;
            }
            Ok(of_slides(&rows, rule))
        }
    }
}

fn of_tiles(rows: &[TilePrediction], rule: &TumorRule) -> Vec<Figure> {
    let unit = |row: &'_ TilePrediction| -> Option<(f64, f64)> { Some((row.share?, row.score)) };
    let units: Vec<Unit<'_>> = rows
        .iter()
        .filter_map(|row| {
            let (share, score) = unit(row)?;
            Some(Unit {
                set: &row.set,
                group: &row.patient,
                is_positive: share > 0.5,
                is_clear: share >= CLEAR[0] || share <= CLEAR[1],
                score,
            })
        })
        .collect();
    let mut all = Vec::new();
    for set in names(units.iter().map(|unit| unit.set)) {
        let own: Vec<Unit<'_>> = units.iter().filter(|u| u.set == set).cloned().collect();
        let clear: Vec<Unit<'_>> = own.iter().filter(|u| u.is_clear).cloned().collect();
        let what = "AUROC per tile, more than half tumor against the rest";
        all.extend(auroc(set, what, &own));
        let what =
            "AUROC per tile, clear ones: three quarters tumor or more against a twentieth or less";
        all.extend(auroc(set, what, &clear));
        all.extend(at_threshold(set, "tile", rule.threshold, &own));
        for group in names(own.iter().map(|unit| unit.group)) {
            let of_group: Vec<Unit<'_>> =
                own.iter().filter(|u| u.group == group).cloned().collect();
            let what = "AUROC per tile, more than half tumor against the rest";
            all.extend(auroc(&format!("{set}, {group}"), what, &of_group));
        }
    }
    all
}

fn of_slides(rows: &[SlidePrediction], rule: &GradeRule) -> Vec<Figure> {
    let mut all = Vec::new();
    for set in names(rows.iter().map(|row| row.set.as_str())) {
        let own: Vec<(&SlidePrediction, f64)> = rows
            .iter()
            .filter(|row| row.set == set)
            .filter_map(|row| Some((row, row.score?)))
            .collect();
        let units: Vec<Unit<'_>> = own
            .iter()
            .filter(|(row, _)| matches!(row.grade, Some(1 | 3)))
            .map(|(row, score)| Unit {
                set: &row.set,
                group: &row.patient,
                is_positive: row.grade == Some(3),
                is_clear: true,
                score: *score,
            })
            .collect();
        all.extend(auroc(
            set,
            "AUROC per slide, grade 3 against grade 1",
            &units,
        ));
        let cutoff = rule.risk(None).and_then(|scale| scale.cutoffs.last());
        if let Some(&cutoff) = cutoff {
            all.extend(at_threshold(set, "slide", cutoff, &units));
            all.extend(share_at(set, &own, cutoff));
        }
        all.extend(
            [1, 2, 3]
                .into_iter()
                .filter_map(|grade| mean_score(set, &own, grade)),
        );
    }
    all
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    all.collect()
}

/// The area with an interval that takes each group as one draw; a single group has none.
fn auroc(among: &str, what: &str, units: &[Unit<'_>]) -> Option<Figure> {
    let scores: Vec<f64> = units.iter().map(|unit| unit.score).collect();
    let truth: Vec<bool> = units.iter().map(|unit| unit.is_positive).collect();
    let groups: Vec<&str> = units.iter().map(|unit| unit.group).collect();
    let n_positive = truth.iter().filter(|&&t| t).count();
    if n_positive < FEWEST || truth.len() - n_positive < FEWEST {
        return None;
    }
    let roc = Roc::new(&scores, &truth).ok()?;
    let clusters = Clusters::from_labels(&groups).ok()?;
    let level = Confidence::NINETY_FIVE;
    let interval = roc
        .auc_interval_by_cluster(&clusters, level, AucScale::Logit)
        .ok();
    let n_groups = names(groups.into_iter()).len();
    let method = match (n_groups, interval) {
        (1, _) | (_, None) => "one group, or too few: no interval".to_owned(),
        (n, Some(_)) => format!("{n} groups as clusters (Obuchowski), logit scale"),
    };
    Some(Figure {
        among: among.to_owned(),
        what: what.to_owned(),
        value: roc.auc(),
        interval: interval
            .filter(|_| n_groups > 1)
            .map(|i| [i.lower, i.upper]),
        n: truth.len(),
        n_positive,
        method,
    })
}

/// Sensitivity and specificity at the shipped threshold, without an interval: neighbours and groups are
/// not independent.
fn at_threshold(among: &str, unit: &str, threshold: f64, units: &[Unit<'_>]) -> Vec<Figure> {
    let share = |name: &str, of: bool| {
        let own: Vec<&Unit<'_>> = units.iter().filter(|u| u.is_positive == of).collect();
        let hits = own.iter().filter(|u| (u.score >= threshold) == of).count();
        (!own.is_empty()).then(|| Figure {
            among: among.to_owned(),
            what: format!("{name} per {unit} at the shipped threshold"),
            value: hits as f64 / own.len() as f64,
            interval: None,
            n: own.len(),
            n_positive: hits,
            method: "counted".into(),
        })
    };
    [share("sensitivity", true), share("specificity", false)]
        .into_iter()
        .flatten()
        .collect()
}

/// How many slides of grade 2 are of high risk.
fn share_at(among: &str, slides: &[(&SlidePrediction, f64)], cutoff: f64) -> Option<Figure> {
    let of_two: Vec<f64> = of_grade(slides, 2);
    let high = of_two.iter().filter(|score| **score >= cutoff).count();
    (!of_two.is_empty()).then(|| Figure {
        among: among.to_owned(),
        what: "share of grade 2 at or above the cutoff".into(),
        value: high as f64 / of_two.len() as f64,
        interval: None,
        n: of_two.len(),
        n_positive: high,
        method: "counted".into(),
    })
}

fn mean_score(among: &str, slides: &[(&SlidePrediction, f64)], grade: u8) -> Option<Figure> {
    let scores = of_grade(slides, grade);
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    (!scores.is_empty()).then(|| Figure {
        among: among.to_owned(),
        what: format!("mean score of grade {grade}"),
        value: mean,
        interval: None,
        n: scores.len(),
        n_positive: 0,
        method: "mean".into(),
    })
}

fn of_grade(slides: &[(&SlidePrediction, f64)], grade: u8) -> Vec<f64> {
    let own = slides.iter().filter(|(row, _)| row.grade == Some(grade));
    own.map(|(_, score)| *score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures_of(rule: &SlideRule, text: &str) -> Result<Vec<Figure>, Error> {
        slide_figures(rule, text.as_bytes(), Path::new("predictions.csv"))
    }

    fn value(figures: &[Figure], among: &str, what: &str) -> (f64, usize, usize) {
        let found = figures
            .iter()
            .find(|f| f.among == among && f.what.starts_with(what));
        let figure = found.unwrap_or_else(|| panic!("{among}: {what}"));
        (figure.value, figure.n, figure.n_positive)
    }

    #[test]
    fn tiles_are_counted_by_set_and_group() {
        let rule = SlideRule::Tumor(TumorRule {
            threshold: 0.5,
            chosen_by: "hand".into(),
        });
        let mut text = String::from("set,slide,patient,fold,row,col,share,score\n");
        for i in 0..40 {
            // Every tile of region b is ranked rightly; in a, positives and negatives are alike.
            let (group, positive) = (if i < 20 { "a" } else { "b" }, i % 2 == 0);
            let share = if positive { "0.6" } else { "0.01" };
            let score = match (group, positive) {
                ("a", _) => 0.4,
                (_, true) => 0.9,
                _ => 0.1,
            };
            text += &format!("s,{group}.png,{group},1,{i},0,{share},{score}\n");
        }
        text += "s,a.png,a,1,99,0,,0.3\n";
        let all = figures_of(&rule, &text).unwrap();
        assert_eq!(value(&all, "s, a", "AUROC"), (0.5, 20, 10));
        assert_eq!(value(&all, "s, b", "AUROC"), (1.0, 20, 10));
        assert_eq!(value(&all, "s", "sensitivity"), (0.5, 20, 10));
        assert_eq!(value(&all, "s", "specificity"), (1.0, 20, 20));
        assert!(
            !all.iter().any(|f| f.what.contains("clear")),
            "no clear tumor"
        );
        assert!(figures_of(&rule, &text.replace("0.9", "1.9")).is_err());
        assert!(figures_of(&rule, "set,slide\na,b\n").is_err());
    }

    #[test]
    fn slides_are_counted_by_grade() {
        let rule = SlideRule::Grade(GradeRule {
            quantile: 0.75,
            least_tiles: 1,
            default_risk: "two".into(),
            risks: vec![crate::RiskScale {
                name: "two".into(),
                levels: vec!["low".into(), "high".into()],
                cutoffs: vec![0.5],
                chosen_by: "hand".into(),
            }],
        });
        let mut text = String::from("set,slide,patient,fold,grade,n_tiles,score,risk\n");
        for i in 0..30 {
            let (grade, score) = [(1, 0.2), (2, 0.6), (3, 0.8)][i % 3];
            text += &format!("s,{i},p{i},1,{grade},9,{score},x\n");
        }
        text += "s,x,px,1,3,0,,not assessable\n";
        let all = figures_of(&rule, &text).unwrap();
        assert_eq!(value(&all, "s", "AUROC"), (1.0, 20, 10));
        assert_eq!(value(&all, "s", "share of grade 2"), (1.0, 10, 10));
        let (mean, n, _) = value(&all, "s", "mean score of grade 1");
        assert!((mean - 0.2).abs() < 1e-12 && n == 10);
    }
}
