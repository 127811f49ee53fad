//! From the images of a breast to the breast: by attention or by views, and the mean over the
//! ensemble.

use std::collections::BTreeSet;

use lobule_exam::{ClassScores, SCREENING_VIEWS, View};

/// What one member of the ensemble says about one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemberScores {
    /// The image's own scores.
    pub scores: ClassScores,
    /// The image's attention logit.
    pub attention_logit: f64,
}

/// A breast's scores and the share that each image has in them.
#[derive(Debug, Clone, PartialEq)]
pub struct Pooled {
    /// Weighted scores, mean over the members.
    pub scores: ClassScores,
    /// Per image: its weight, mean over the members. Sums to 1.
    pub attention: Vec<f64>,
    /// Per image: its own scores, mean over the members.
    pub image_scores: Vec<ClassScores>,
}

/// Pools the images of one breast.
///
/// Per member m: `α_k = exp(a_k) / Σ_j exp(a_j)` over the images, breast score `Σ_k α_k · s_k`;
/// then the mean over the members. `images[k][m]` is what member m says about image k; every
/// image has the same number of members, at least one. `None` for no image or no member, or when
/// a logit or score is not finite. Ilse, Tomczak, Welling 2018, arXiv:1802.04712.
///
/// ```
/// use lobule_assess::{MemberScores, pool};
/// use lobule_exam::ClassScores;
/// let image = |malignant, attention_logit| {
///     vec![MemberScores { scores: ClassScores { benign: 0.0, malignant }, attention_logit }]
/// };
/// let pooled = pool(&[image(0.9, 3_f64.ln()), image(0.1, 0.0)]).unwrap();
/// assert!((pooled.attention[0] - 0.75).abs() < 1e-12);
/// assert!((pooled.scores.malignant - 0.7).abs() < 1e-12);
/// ```
pub fn pool(images: &[Vec<MemberScores>]) -> Option<Pooled> {
    let by_attention = |member: usize| {
        let logits: Vec<f64> = images.iter().map(|i| i[member].attention_logit).collect();
        softmax(&logits)
    };
    pool_by(images, by_attention)
}

/// Pools the mammograms of one breast: the mean over the images of each view, then the mean over
/// the views, then over the members (Shen et al., Med Image Anal 2021;68:101908, section 4, doi
/// 10.1016/j.media.2020.101908, with CC and MLO).
///
/// Views that count are CC, MLO and the images whose view is not stated, which count as one more
/// view; where there is none of these, all others count. `attention` is each image's weight.
/// `None` as for [`pool`], and when there are not as many views as images.
///
/// ```
/// use lobule_assess::{MemberScores, pool_views};
/// use lobule_exam::{ClassScores, View};
/// let image = |malignant| {
///     vec![MemberScores { scores: ClassScores { benign: 0.0, malignant }, attention_logit: 0.0 }]
/// };
/// let images = [image(0.2), image(0.4), image(0.9)];
/// let pooled = pool_views(&images, &[Some(View::Cc), Some(View::Cc), Some(View::Mlo)]).unwrap();
/// assert_eq!(pooled.attention, [0.25, 0.25, 0.5]);
/// assert!((pooled.scores.malignant - 0.6).abs() < 1e-12);
/// ```
pub fn pool_views(images: &[Vec<MemberScores>], views: &[Option<View>]) -> Option<Pooled> {
    let weights = view_weights(views);
    (weights.len() == images.len()).then_some(())?;
    pool_by(images, |_| Some(weights.clone()))
}

fn view_weights(views: &[Option<View>]) -> Vec<f64> {
    let is_first = |view: &Option<View>| view.is_none_or(|v| SCREENING_VIEWS.contains(&v));
    let any_first = views.iter().any(is_first);
    let counts = |view: &Option<View>| is_first(view) || !any_first;
    let distinct: BTreeSet<Option<View>> = views.iter().copied().filter(counts).collect();
    let weight = |view: &Option<View>| {
        let alike = views.iter().filter(|v| *v == view).count();
        match counts(view) {
            true => 1.0 / (distinct.len() * alike) as f64,
            false => 0.0,
        }
    };
    views.iter().map(weight).collect()
}

/// Pools with each member's weights of the images, which sum to one.
fn pool_by(
    images: &[Vec<MemberScores>],
    weights_of: impl Fn(usize) -> Option<Vec<f64>>,
) -> Option<Pooled> {
    let n_members = images.first()?.len();
    if n_members == 0 || images.iter().any(|i| i.len() != n_members) {
        return None;
    }
    let n = n_members as f64;
    let mut attention = vec![0.0; images.len()];
    let (mut benign, mut malignant) = (0.0, 0.0);
    for member in 0..n_members {
        for ((image, share), mean) in images.iter().zip(weights_of(member)?).zip(&mut attention) {
            *mean += share / n;
            benign += share * image[member].scores.benign;
            malignant += share * image[member].scores.malignant;
        }
    }
    Some(Pooled {
        scores: finite(ClassScores {
            benign: (benign / n).clamp(0.0, 1.0),
            malignant: (malignant / n).clamp(0.0, 1.0),
        })?,
        attention,
        image_scores: images
            .iter()
            .map(|i| mean_scores(i))
            .collect::<Option<_>>()?,
    })
}

fn mean_scores(members: &[MemberScores]) -> Option<ClassScores> {
    let n = members.len() as f64;
    finite(ClassScores {
        benign: members.iter().map(|m| m.scores.benign).sum::<f64>() / n,
        malignant: members.iter().map(|m| m.scores.malignant).sum::<f64>() / n,
    })
}

fn finite(scores: ClassScores) -> Option<ClassScores> {
    (scores.benign.is_finite() && scores.malignant.is_finite()).then_some(scores)
}

fn softmax(logits: &[f64]) -> Option<Vec<f64>> {
    if !logits.iter().all(|l| l.is_finite()) {
        return None;
    }
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = logits.iter().map(|l| (l - most).exp()).collect();
    let sum: f64 = raised.iter().sum();
    Some(raised.into_iter().map(|e| e / sum).collect())
}

/// Ranks from 1 by falling attention; equal shares keep their order.
pub(crate) fn ranks(attention: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..attention.len()).collect();
    order.sort_by(|&a, &b| attention[b].total_cmp(&attention[a]));
    let mut ranks = vec![0; attention.len()];
    for (rank, image) in order.into_iter().enumerate() {
        ranks[image] = rank + 1;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn member() -> impl Strategy<Value = MemberScores> {
        (0.0..=1.0, 0.0..=1.0, -40.0..40.0).prop_map(|(benign, malignant, attention_logit)| {
            MemberScores {
                scores: ClassScores { benign, malignant },
                attention_logit,
            }
        })
    }

    proptest! {
        #[test]
        fn attention_sums_to_one_and_ignores_order(
            images in prop::collection::vec(prop::collection::vec(member(), 3), 1..12),
            turn in 0_usize..12,
        ) {
            let pooled = pool(&images).unwrap();
            prop_assert!((pooled.attention.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let mut turned = images.clone();
            turned.rotate_left(turn % images.len());
            let again = pool(&turned).unwrap();
            prop_assert!((again.scores.malignant - pooled.scores.malignant).abs() < 1e-12);
            let mut attention = pooled.attention.clone();
            attention.rotate_left(turn % images.len());
            for (a, b) in attention.iter().zip(&again.attention) {
                prop_assert!((a - b).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn views_count_alike_however_often_they_were_taken() {
        use View::{Cc, Mlo, Xccl};
        let cases: [(&[Option<View>], &[f64]); 5] = [
            (&[Some(Cc)], &[1.0]),
            (&[Some(Cc), Some(Mlo), Some(Mlo)], &[0.5, 0.25, 0.25]),
            (&[Some(Cc), Some(Xccl)], &[1.0, 0.0]),
            (&[Some(Xccl), Some(Xccl)], &[0.5, 0.5]),
            (&[Some(Cc), None], &[0.5, 0.5]),
        ];
        for (views, expected) in cases {
            assert_eq!(view_weights(views), expected, "{views:?}");
        }
        assert!(pool_views(&[], &[]).is_none());
    }

    #[test]
    fn what_is_no_number_is_no_result() {
        let image = |logit, malignant| {
            vec![MemberScores {
                scores: ClassScores {
                    benign: 0.5,
                    malignant,
                },
                attention_logit: logit,
            }]
        };
        assert!(pool(&[]).is_none());
        assert!(pool(&[vec![]]).is_none());
        assert!(pool(&[image(f64::NAN, 0.5)]).is_none());
        assert!(pool(&[image(0.0, f64::NAN)]).is_none());
        assert!(pool(&[image(f64::INFINITY, 0.5)]).is_none());
        assert_eq!(ranks(&[0.2, 0.5, 0.2, 0.1]), [2, 1, 3, 4]);
    }
}
