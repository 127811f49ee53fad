//! What attention is worth: whether it finds the lesion, and what it adds to pooling.

use std::collections::BTreeMap;

use super::Figure;
use super::among::{Among, Case};
use super::questions::{Scored, clustered_auroc, shared};
use crate::Truth;

/// Normal images that stand beside a lesion when attention is asked to find it.
const NORMALS_BESIDE: usize = 3;

pub(super) fn all(among: &Among) -> Vec<Figure> {
    [
        ranking(among),
        pooling(among, "bags of several images", &bags(among)),
        pooling(
            among,
            &format!("a lesion among {NORMALS_BESIDE} normals"),
            &mixed_bags(among),
        ),
    ]
    .concat()
}

fn logit(case: &Case) -> Option<f64> {
    case.number("attention_logit")
}

/// How often attention puts a lesion before three normal images of the same fold, drawn at random:
/// exactly, by counting the normals below it.
fn ranking(among: &Among) -> Vec<Figure> {
    let lesions: Vec<&Case> = among
        .cases
        .iter()
        .filter(|c| c.label != Truth::Normal && logit(c).is_some())
        .collect();
    let first: Vec<f64> = lesions
        .iter()
        .filter_map(|lesion| ranked_first(among, lesion))
        .collect();
    if first.is_empty() || first.len() != lesions.len() {
        return Vec::new();
    }
    let patients: Vec<&str> = lesions.iter().map(|case| case.patient.as_str()).collect();
    let mean = |over: &[usize]| {
        Some(over.iter().map(|&i| first[i]).sum::<f64>() / over.len().max(1) as f64)
    };
    let chance = 1.0 / (1.0 + NORMALS_BESIDE as f64);
    let what = format!(
        "lesion ranked first by attention among {NORMALS_BESIDE} normals (chance {chance})"
    );
    let hits = first.iter().sum::<f64>().round() as usize;
    shared(among, &what, &patients, hits, mean)
        .into_iter()
        .collect()
}

fn ranked_first(among: &Among, lesion: &Case) -> Option<f64> {
    let own = logit(lesion)?;
    let beside = |case: &&Case| case.label == Truth::Normal && case.fold == lesion.fold;
    let normals: Vec<f64> = among
        .cases
        .iter()
        .filter(beside)
        .filter_map(logit)
        .collect();
    let below = normals.iter().filter(|&&normal| normal < own).count();
    let ways = |n: usize| {
        (0..NORMALS_BESIDE)
            .map(|i| n.saturating_sub(i) as f64)
            .product::<f64>()
    };
    (normals.len() >= NORMALS_BESIDE).then(|| ways(below) / ways(normals.len()))
}

/// The bags that hold more than one image.
fn bags(among: &Among) -> Vec<Vec<&Case>> {
    let several = |bag: &Vec<&Case>| bag.len() > 1;
    among.bags().into_values().filter(several).collect()
}

/// Each lesion image with normal images of its fold, taken in turn.
fn mixed_bags(among: &Among) -> Vec<Vec<&Case>> {
    let mut normals: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in among.cases.iter().filter(|c| c.label == Truth::Normal) {
        normals.entry(&case.fold).or_default().push(case);
    }
    let lesions = among.cases.iter().filter(|c| c.label != Truth::Normal);
    lesions
        .enumerate()
        .filter_map(|(i, lesion)| {
            let beside = normals.get(lesion.fold.as_str())?;
            let start = i * NORMALS_BESIDE;
            let taken = (start..start + NORMALS_BESIDE).map(|at| beside[at % beside.len()]);
            (beside.len() >= NORMALS_BESIDE).then(|| std::iter::once(lesion).chain(taken).collect())
        })
        .collect()
}

/// From the images of a bag to its score.
type Rule = fn(&[&Case]) -> f64;

/// The same bags pooled by attention, by the mean and by the maximum of their images.
fn pooling(among: &Among, which: &str, bags: &[Vec<&Case>]) -> Vec<Figure> {
    let known = bags.iter().flatten().all(|case| logit(case).is_some());
    if !known {
        return Vec::new();
    }
    let rules: [(&str, Rule); 3] = [
        ("attention", by_attention),
        ("mean", by_mean),
        ("maximum", by_maximum),
    ];
    rules
        .into_iter()
        .filter_map(|(rule, score)| {
            let units: Vec<Scored<'_>> = bags
                .iter()
                .map(|bag| Scored {
                    patient: &bag[0].patient,
                    score: score(bag),
                    malignant: bag.iter().any(|case| case.is_malignant()),
                })
                .collect();
            let what = format!("AUROC of {which}, pooled by {rule}, malignant vs benign");
            clustered_auroc(among, what, &units)
        })
        .collect()
}

fn by_mean(bag: &[&Case]) -> f64 {
    bag.iter().map(|case| case.malignant).sum::<f64>() / bag.len() as f64
}

fn by_maximum(bag: &[&Case]) -> f64 {
    bag.iter().map(|case| case.malignant).fold(0.0, f64::max)
}

/// Softmax of the logits within the bag.
fn by_attention(bag: &[&Case]) -> f64 {
    let logits: Vec<f64> = bag.iter().filter_map(|case| logit(case)).collect();
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logits.iter().map(|v| (v - most).exp()).collect();
    let total: f64 = weights.iter().sum();
    bag.iter()
        .zip(&weights)
        .map(|(case, w)| w * case.malignant)
        .sum::<f64>()
        / total
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Predictions;

    #[test]
    fn attention_that_finds_the_lesion_beats_the_mean() {
        let header = "set,case,bag,patient,fold,label,benign_score,malignant_score,\
                      malignant_probability,attention,attention_logit\n";
        let rows: String = (0..60)
            .map(|i| {
                let (label, score, logit) = match i % 3 {
                    0 => ("malignant", 0.5, 3.0),
                    1 => ("benign", 0.3, 3.0),
                    // Normal images that look suspicious but draw no attention.
                    _ => ("normal", f64::from(i) / 60.0, -3.0),
                };
                format!("a,{i},{i},p{i},1,{label},0,{score},,1,{logit}\n")
            })
            .collect();
        let table = Predictions::from_csv((header.to_owned() + &rows).as_bytes(), Path::new("p"));
        let among = Among::whole(&table.unwrap(), Path::new("p")).unwrap();
        let figures = all(&among);
        let value = |part: &str| {
            figures
                .iter()
                .find(|f| f.what.contains(part))
                .unwrap()
                .value
        };
        assert_eq!(value("ranked first"), 1.0);
        assert!(value("by attention") > 0.99);
        assert!(value("by mean") < 0.9 && value("by maximum") < 0.9);
    }
}
