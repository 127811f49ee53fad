//! Folds that keep groups whole and labels balanced.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::Case;

/// Number of a fold, from 1 as the published tables count.
pub type Fold = usize;

/// Gives each case its fold: the data set's own where it brings one, else drawn such that no group
/// is torn apart and each fold gets its share of every label.
///
/// Groups are shuffled with the seed, sorted by their worst label and dealt to the fold that has
/// the fewest cases of that label.
pub fn assign_folds(cases: &[Case], n_folds: usize, seed: u64) -> Vec<Fold> {
    if cases.iter().all(|case| case.fold.is_some()) {
        return cases.iter().filter_map(|case| case.fold).collect();
    }
    let parts = cases.iter().map(|case| (case.group.as_str(), case.label));
    deal_groups(&parts.collect::<Vec<_>>(), n_folds, seed)
}

/// The folds of members of groups, each with a label; groups stay whole.
pub(crate) fn deal_groups<L: Ord + Copy>(
    members: &[(&str, L)],
    n_folds: usize,
    seed: u64,
) -> Vec<Fold> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, (group, _)) in members.iter().enumerate() {
        groups.entry(group).or_default().push(i);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let worst = |group: &[usize]| group.iter().map(|&i| members[i].1).max();
    groups.sort_by_key(|group| std::cmp::Reverse((worst(group), group.len())));
    let mut counts = vec![BTreeMap::<Option<L>, usize>::new(); n_folds.max(1)];
    let mut folds = vec![1; members.len()];
    for group in &groups {
        let label = worst(group);
        let total = |fold: usize| counts[fold].values().sum::<usize>();
        let fold = (0..counts.len())
            .min_by_key(|&f| (counts[f].get(&label).copied().unwrap_or(0), total(f), f))
            .unwrap_or(0);
        *counts[fold].entry(label).or_default() += group.len();
        for &i in group {
            folds[i] = fold + 1;
        }
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Label;

    fn cases(n: usize) -> Vec<Case> {
        (0..n)
            .map(|i| Case {
                set: "set".into(),
                name: format!("{i}"),
                file: "x".into(),
                mask: None,
                marks: Vec::new(),
                breast: None,
                group: format!("g{}", i / 3),
                fold: None,
                label: [Label::Normal, Label::Benign, Label::Malignant][(i / 3) % 3],
                extra: BTreeMap::new(),
            })
            .collect()
    }

    #[test]
    fn groups_stay_whole_and_labels_balanced() {
        let cases = cases(360);
        let folds = assign_folds(&cases, 4, 7);
        for pair in cases.iter().zip(&folds).collect::<Vec<_>>().windows(2) {
            if pair[0].0.group == pair[1].0.group {
                assert_eq!(pair[0].1, pair[1].1);
            }
        }
        for fold in 1..=4 {
            for label in [Label::Normal, Label::Benign, Label::Malignant] {
                let n = cases
                    .iter()
                    .zip(&folds)
                    .filter(|(case, f)| **f == fold && case.label == label)
                    .count();
                assert_eq!(n, 30, "fold {fold}, {label:?}");
            }
        }
        assert_eq!(folds, assign_folds(&cases, 4, 7));
        assert_ne!(folds, assign_folds(&cases, 4, 8));
    }
}
