//! The network's word on images that it did not learn from.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use lobule_exam::{Affine, Point};
use lobule_model::{N_CLASSES, SaliencyNet, pool_bags};

use crate::bags::{bag_name, compose_bags};
use crate::data::Data;
use crate::lesion::{Lesion, best_fixed_point};
use crate::location::peaks;
use crate::patches::Patch;
use crate::record::LesionOutcome;
use crate::step::{Step, of_bags, of_patches};
use crate::{DataConfig, Error, MapMark, Prediction};

/// Place of the class among the network's outputs.
const MALIGNANT: usize = 1;

/// Images per forward pass when nothing is learnt.
const PREDICT_BATCH: usize = 16;

/// Predicts the chosen cases, in bags as configured.
pub(crate) fn predict(
    net: &SaliencyNet,
    data: &Data,
    chosen: &[usize],
    sets: &[DataConfig],
) -> Result<Vec<Prediction>, Error> {
    let bags = compose_bags(&data.cases, chosen, sets);
    let mut predictions = Vec::with_capacity(chosen.len());
    for step in of_bags(&bags, PREDICT_BATCH) {
        let outputs = Outputs::of(net, data, &step, data.images.size())?;
        for (i, (look, &bag)) in step.looks.iter().zip(&step.bag_of_look).enumerate() {
            let image = look.image;
            let case = data.cases[image].clone();
            predictions.push(Prediction {
                bag: bag_name(&case, sets).to_owned(),
                fold: Some(data.folds[image]),
                image_scores: pair(&outputs.image_scores, i),
                attention: f64::from(outputs.attention[i]),
                attention_logit: f64::from(outputs.attention_logits[i]),
                bag_scores: pair(&outputs.bag_scores, bag),
                peaks: outputs.peaks(data, image, i),
                marks: outputs.marks(data, image, i),
                lesion: None,
                case,
            });
        }
    }
    Ok(predictions)
}

/// The scores (benign, malignant) of patches of `side` pixels, in their order.
pub(crate) fn predict_patches(
    net: &SaliencyNet,
    data: &Data,
    patches: &[Patch],
    side: usize,
) -> Result<Vec<[f64; 2]>, Error> {
    let mut scores = Vec::with_capacity(patches.len());
    for step in of_patches(patches, PREDICT_BATCH) {
        let outputs = Outputs::of(net, data, &step, (side, side))?;
        scores.extend((0..step.looks.len()).map(|i| pair(&outputs.image_scores, i)));
    }
    Ok(scores)
}

/// Predicts what was left out and holds it against the lesions, where they are outlined.
pub(crate) fn predict_left_out(
    net: &SaliencyNet,
    data: &Data,
    sets: &[DataConfig],
) -> Result<Vec<Prediction>, Error> {
    let mut predictions = predict(net, data, &data.left_out, sets)?;
    let bags = compose_bags(&data.cases, &data.left_out, sets);
    let images = bags.iter().flat_map(|bag| &bag.images);
    let mut fixed_points: BTreeMap<String, Point> = BTreeMap::new();
    for (p, &image) in predictions.iter_mut().zip(images) {
        let Some(lesion) = Lesion::read(&p.case)? else {
            continue;
        };
        let fixed = match fixed_points.get(&p.case.set) {
            Some(point) => *point,
            None => {
                let point =
                    best_fixed_point(&data.cases, &data.images, &training_like(data, &p.case.set))?;
                fixed_points.insert(p.case.set.clone(), point);
                point
            }
        };
        p.lesion = Some(LesionOutcome {
            facts: lesion.facts(&p.case.file)?,
            peaks_inside: p.peaks.map(|peak| lesion.contains(peak)),
            fixed_point_inside: lesion.contains(data.images.point_at(image, fixed)),
        });
    }
    Ok(predictions)
}

/// The training cases of a set, or all that were not left out where none is trained on, or the
/// training cases of all sets where the set as a whole was left out.
fn training_like(data: &Data, set: &str) -> Vec<usize> {
    let of_set = |chosen: &[usize]| -> Vec<usize> {
        let is_of_set = |i: &usize| data.cases[*i].set == set;
        chosen.iter().copied().filter(is_of_set).collect()
    };
    [of_set(&data.training), of_set(&data.lesions_only)]
        .into_iter()
        .find(|chosen| !chosen.is_empty())
        .unwrap_or_else(|| data.training.clone())
}

/// One batch's outputs as plain numbers.
struct Outputs {
    maps: Vec<f32>,
    grid: [usize; 2],
    image_scores: Vec<f32>,
    attention_logits: Vec<f32>,
    bag_scores: Vec<f32>,
    attention: Vec<f32>,
}

impl Outputs {
    fn of(
        net: &SaliencyNet,
        data: &Data,
        step: &Step,
        size: (usize, usize),
    ) -> Result<Outputs, Error> {
        let batch = data.images.plain_batch(&step.looks, size, &net.device())?;
        let out = net.forward(batch);
        let [_, _, rows, cols] = out.saliency.dims();
        let image_scores = floats(out.image_scores.clone());
        let attention_logits = floats(out.attention_logits.clone());
        let (bag_scores, attention) = pool_bags(
            out.image_scores,
            out.attention_logits,
            &step.bag_of_look,
            step.labels.len(),
        );
        Ok(Outputs {
            maps: floats(out.saliency),
            grid: [rows, cols],
            image_scores,
            attention_logits,
            bag_scores: floats(bag_scores),
            attention: floats(attention),
        })
    }

    /// Where each class's map is highest, in pixels of the original image.
    fn peaks(&self, data: &Data, image: usize, i: usize) -> [Point; 2] {
        [0, 1].map(|class| {
            let map = self.map(i, class);
            let best = (0..map.len())
                .max_by(|&a, &b| map[a].total_cmp(&map[b]))
                .unwrap_or(0);
            self.in_image(data, image, best)
        })
    }

    /// Where the malignant map stands out.
    fn marks(&self, data: &Data, image: usize, i: usize) -> Vec<MapMark> {
        let peaks = peaks(self.map(i, MALIGNANT), self.grid[1]);
        let mark = |(cell, score)| MapMark {
            place: self.in_image(data, image, cell),
            score: f64::from(score),
        };
        peaks.into_iter().map(mark).collect()
    }

    fn map(&self, i: usize, class: usize) -> &[f32] {
        let [rows, cols] = self.grid;
        &self.maps[(i * N_CLASSES + class) * rows * cols..][..rows * cols]
    }

    /// The middle of a cell, in pixels of the original image.
    fn in_image(&self, data: &Data, image: usize, cell: usize) -> Point {
        let [rows, cols] = self.grid;
        let input = data.images.size();
        let input_from_grid =
            Affine::resample(input.0 as f64 / rows as f64, input.1 as f64 / cols as f64);
        let image_from_grid = data
            .images
            .image_from_input(image)
            .compose(&input_from_grid);
        let (row, col) = ((cell / cols) as f64, (cell % cols) as f64);
        image_from_grid.apply(Point { row, col })
    }
}

fn pair(values: &[f32], at: usize) -> [f64; 2] {
    [values[N_CLASSES * at], values[N_CLASSES * at + 1]].map(f64::from)
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor
        .into_data()
        .convert::<f32>()
        .try_into_vec()
        .expect("the data was converted to f32")
}
