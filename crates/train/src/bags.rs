//! Bags: the images that stand for one breast.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::{Case, DataConfig, Label};

/// Images that share one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bag {
    /// Indices into the cases.
    pub images: Vec<usize>,
    /// The worst label among them.
    pub label: Label,
}

/// Most normal images added to a lesion's bag.
const MOST_ADDED_NORMALS: usize = 3;

/// The bags of some cases: by group where the data set says so, else by breast where that is
/// known, else one per image.
pub fn compose_bags(cases: &[Case], chosen: &[usize], data: &[DataConfig]) -> Vec<Bag> {
    let mut bags: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for &i in chosen {
        let case = &cases[i];
        bags.entry((&case.set, bag_name(case, data)))
            .or_default()
            .push(i);
    }
    bags.into_values()
        .map(|images| {
            let label = images
                .iter()
                .map(|&i| cases[i].label)
                .max()
                .unwrap_or(Label::Normal);
            Bag { images, label }
        })
        .collect()
}

/// The name of a case's bag within its set.
pub(crate) fn bag_name<'a>(case: &'a Case, data: &[DataConfig]) -> &'a str {
    let by_group = data.iter().any(|d| d.name == case.set && d.bag_by_group);
    match by_group {
        true => &case.group,
        false => case.breast.as_ref().unwrap_or(&case.name),
    }
}

/// Each malignant bag as often as its data set asks for.
pub(crate) fn repeat_malignant(bags: Vec<Bag>, cases: &[Case], data: &[DataConfig]) -> Vec<Bag> {
    let times = |bag: &Bag| match (bag.label, bag.images.first()) {
        (Label::Malignant, Some(&first)) => malignant_times(&cases[first], data),
        _ => 1,
    };
    bags.into_iter()
        .flat_map(|bag| {
            let n = times(&bag);
            std::iter::repeat_n(bag, n)
        })
        .collect()
}

/// How often a malignant case is shown in an epoch.
pub(crate) fn malignant_times(case: &Case, data: &[DataConfig]) -> usize {
    let set = data.iter().find(|d| d.name == case.set);
    set.map_or(1, |set| set.repeat_malignant)
}

/// Adds normal images of the same data set to a share of the lesion bags, so that attention has
/// something to choose from, and shuffles the bags.
pub(crate) fn mix_and_shuffle(
    bags: &mut [Bag],
    cases: &[Case],
    data: &[DataConfig],
    rng: &mut ChaCha8Rng,
) {
    let set_of = |bag: &Bag| bag.images.first().map(|&i| cases[i].set.clone());
    let mut normals: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for bag in bags.iter().filter(|bag| bag.label == Label::Normal) {
        normals
            .entry(set_of(bag).unwrap_or_default())
            .or_default()
            .extend(&bag.images);
    }
    for bag in bags.iter_mut().filter(|bag| bag.label != Label::Normal) {
        let set = set_of(bag).unwrap_or_default();
        let share = data
            .iter()
            .find(|d| d.name == set)
            .map_or(0.0, |d| d.mix_normals);
        if let Some(normals) = normals.get(&set)
            && rng.random_bool(share.clamp(0.0, 1.0))
        {
            let n = rng.random_range(1..=MOST_ADDED_NORMALS);
            bag.images.extend(normals.choose_multiple(rng, n));
        }
    }
    bags.shuffle(rng);
}

/// Splits bags into steps of at most `most_images` images; a larger bag is a step of its own.
pub(crate) fn into_steps(bags: &[Bag], most_images: usize) -> Vec<Vec<Bag>> {
    let mut steps: Vec<Vec<Bag>> = Vec::new();
    let mut room = 0;
    for bag in bags {
        if bag.images.len() > room || steps.is_empty() {
            steps.push(Vec::new());
            room = most_images;
        }
        room = room.saturating_sub(bag.images.len());
        if let Some(step) = steps.last_mut() {
            step.push(bag.clone());
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_every_bag_once_and_no_more_images_than_asked() {
        let bag = |n: usize| Bag {
            images: (0..n).collect(),
            label: Label::Benign,
        };
        let bags: Vec<Bag> = [2, 2, 3, 9, 1, 4].map(bag).to_vec();
        let steps = into_steps(&bags, 5);
        assert_eq!(steps.concat(), bags);
        for step in &steps {
            let n: usize = step.iter().map(|bag| bag.images.len()).sum();
            assert!(n <= 5 || step.len() == 1);
        }
    }
}
