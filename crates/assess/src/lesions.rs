//! From the findings on a breast's mammograms to its lesions: scores and numbers.
//!
//! Lesions are the malignant findings. With the breast's score S in 0..=100 and the findings' peaks
//! of malignant saliency pᵢ, a lesion's score is `S · pᵢ / max pᵢ`: the highest lesion of a breast
//! has the breast's score, and lesions keep the order and the ratios of their saliency. (A network's
//! saliency is no probability; the breast's score is what was calibrated, so it sets the scale.)

#[cfg(test)]
mod phantoms;

use lobule_exam::{FindingClass, ImageAssessment, Lesion};

use crate::nipple::NippleDistance;

/// A malignant finding, by its place.
struct Candidate {
    image: usize,
    finding: usize,
    peak: f64,
    place: Option<NippleDistance>,
}

/// Gives every malignant finding of a breast its score and number.
///
/// Findings of different images are taken for one lesion when both views are known and their
/// distances from the nipple agree ([`NippleDistance::difference`]): the best agreement first, each
/// finding with at most one of every other image. Numbers count from 1 by falling score.
pub(crate) fn name_lesions(images: &mut [ImageAssessment], breast_score: f64) {
    let candidates = candidates(images);
    let highest = candidates.iter().map(|c| c.peak).fold(0.0, f64::max);
    for (candidate, number) in candidates.iter().zip(numbers(&candidates)) {
        let share = match highest > 0.0 {
            true => candidate.peak / highest,
            false => 1.0,
        };
        images[candidate.image].findings[candidate.finding].lesion = Some(Lesion {
            score: breast_score * share,
            number,
        });
    }
}

fn candidates(images: &[ImageAssessment]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (image_idx, image) in images.iter().enumerate() {
        let facts = image.mammogram.as_ref().filter(|f| f.view.is_some());
        for (finding_idx, finding) in image.findings.iter().enumerate() {
            if finding.class != FindingClass::Malignant {
                continue;
            }
            let middle = finding.outline.middle();
            found.push(Candidate {
                image: image_idx,
                finding: finding_idx,
                peak: finding.score,
                place: facts
                    .zip(middle)
                    .and_then(|(facts, at)| NippleDistance::of(facts, image.spacing, at)),
            });
        }
    }
    found.sort_by(|a, b| b.peak.total_cmp(&a.peak));
    found
}

/// The lesion's number of each candidate; candidates come by falling peak.
fn numbers(candidates: &[Candidate]) -> Vec<usize> {
    // Each candidate starts as a lesion of its own, named by its place in the list.
    let mut lesion: Vec<usize> = (0..candidates.len()).collect();
    for (a, b) in agreeing(candidates) {
        let images_of = |wanted: usize, lesion: &[usize]| -> Vec<usize> {
            let members = lesion.iter().zip(candidates);
            let members = members.filter(|(l, _)| **l == wanted);
            members.map(|(_, c)| c.image).collect()
        };
        let (first, second) = (lesion[a].min(lesion[b]), lesion[a].max(lesion[b]));
        let others = images_of(second, &lesion);
        let disjoint = images_of(first, &lesion)
            .iter()
            .all(|i| !others.contains(i));
        if disjoint {
            let joined = lesion.iter_mut().filter(|l| **l == second);
            joined.for_each(|l| *l = first);
        }
    }
    let mut names: Vec<usize> = lesion.clone();
    names.sort_unstable();
    names.dedup();
    let number = |l: &usize| names.binary_search(l).map_or(0, |at| at + 1);
    lesion.iter().map(number).collect()
}

/// Pairs of different images whose distances agree, the best first.
fn agreeing(candidates: &[Candidate]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (a, first) in candidates.iter().enumerate() {
        for (b, second) in candidates.iter().enumerate().skip(a + 1) {
            let (Some(one), Some(other)) = (first.place, second.place) else {
                continue;
            };
            let difference = one.difference(other);
            if first.image != second.image && difference <= 1.0 {
                pairs.push((difference, a, b));
            }
        }
    }
    pairs.sort_by(|x, y| x.0.total_cmp(&y.0));
    pairs.into_iter().map(|(_, a, b)| (a, b)).collect()
}

#[cfg(test)]
mod tests {
    use lobule_exam::LengthUnit;

    use super::*;

    fn at(image: usize, distance: f64) -> Candidate {
        Candidate {
            image,
            finding: 0,
            peak: 0.5,
            place: Some(NippleDistance {
                distance,
                depth: 80.0,
                unit: LengthUnit::Millimetre,
            }),
        }
    }

    #[test]
    fn the_best_agreement_counts_first() {
        // By falling peak: 0 in CC at 30 mm; MLO at 42 mm and at 31 mm; CC at 45 mm.
        let candidates = [at(0, 30.0), at(1, 42.0), at(1, 31.0), at(0, 45.0)];
        assert_eq!(numbers(&candidates), [1, 2, 1, 2]);
    }

    #[test]
    fn no_lesion_is_twice_in_an_image_and_none_is_matched_by_force() {
        assert_eq!(numbers(&[at(0, 30.0), at(0, 31.0)]), [1, 2]);
        assert_eq!(numbers(&[at(0, 30.0), at(1, 46.0)]), [1, 2]);
        let unknown = Candidate {
            place: None,
            ..at(1, 30.0)
        };
        assert_eq!(numbers(&[at(0, 30.0), unknown]), [1, 2]);
        // A repeated view joins the same lesion.
        assert_eq!(numbers(&[at(0, 30.0), at(1, 32.0), at(2, 31.0)]), [1, 1, 1]);
        assert_eq!(numbers(&[]), [] as [usize; 0]);
    }
}
