//! What the network is shown in one step.

use crate::Label;
use crate::bags::{Bag, into_steps};
use crate::images::Look;
use crate::patches::Patch;

/// Looks that go through the network together, and the bags they belong to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Step {
    pub(crate) looks: Vec<Look>,
    pub(crate) bag_of_look: Vec<usize>,
    /// One per bag.
    pub(crate) labels: Vec<Label>,
}

impl Step {
    fn add(&mut self, looks: impl Iterator<Item = Look>, label: Label) {
        let bag = self.labels.len();
        self.looks.extend(looks);
        self.bag_of_look.resize(self.looks.len(), bag);
        self.labels.push(label);
    }
}

/// Whole images; a step holds at most `most_images` of them or a single bag.
pub(crate) fn of_bags(bags: &[Bag], most_images: usize) -> Vec<Step> {
    let step = |bags: Vec<Bag>| {
        let mut step = Step::default();
        for bag in bags {
            step.add(
                bag.images.iter().map(|&image| Look::whole(image)),
                bag.label,
            );
        }
        step
    };
    into_steps(bags, most_images)
        .into_iter()
        .map(step)
        .collect()
}

/// Patches, each a bag of its own.
pub(crate) fn of_patches(patches: &[Patch], most_images: usize) -> Vec<Step> {
    let step = |patches: &[Patch]| {
        let mut step = Step::default();
        for patch in patches {
            step.add(std::iter::once(patch.look), patch.label);
        }
        step
    };
    patches.chunks(most_images.max(1)).map(step).collect()
}
