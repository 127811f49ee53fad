//! The network's word on images that it did not learn from.

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use lobule_exam::{Affine, Point};
use lobule_model::{N_CLASSES, UltrasoundNet, pool_bags};

use crate::bags::{Bag, compose_bags, into_steps};
use crate::batch::images_of;
use crate::data::Data;
use crate::lesion::{Lesion, best_fixed_point};
use crate::record::LesionOutcome;
use crate::{DataConfig, Error, Prediction};

/// Images per forward pass when nothing is learnt.
const PREDICT_BATCH: usize = 16;

/// Predicts the chosen cases, in bags as configured.
pub(crate) fn predict(
    net: &UltrasoundNet,
    data: &Data,
    chosen: &[usize],
    sets: &[DataConfig],
) -> Result<Vec<Prediction>, Error> {
    let bags = compose_bags(&data.cases, chosen, sets);
    let mut predictions = Vec::with_capacity(chosen.len());
    for step in into_steps(&bags, PREDICT_BATCH) {
        let (images, bag_of_image) = images_of(&step);
        let outputs = Outputs::of(net, data, &images, &step, &bag_of_image)?;
        for (i, (&image, &bag)) in images.iter().zip(&bag_of_image).enumerate() {
            let case = data.cases[image].clone();
            let grouped = sets.iter().any(|s| s.name == case.set && s.bag_by_group);
            predictions.push(Prediction {
                bag: if grouped {
                    case.group.clone()
                } else {
                    case.name.clone()
                },
                fold: Some(data.folds[image]),
                image_scores: pair(&outputs.image_scores, i),
                attention: f64::from(outputs.attention[i]),
                attention_logit: f64::from(outputs.attention_logits[i]),
                bag_scores: pair(&outputs.bag_scores, bag),
                peaks: outputs.peaks(data, image, i)?,
                lesion: None,
                case,
            });
        }
    }
    Ok(predictions)
}

/// Adds what the lesions' masks say to the predictions that have one.
pub(crate) fn compare_with_lesions(
    predictions: &mut [Prediction],
    data: &Data,
) -> Result<(), Error> {
    let mut fixed_points: BTreeMap<String, Point> = BTreeMap::new();
    for p in predictions {
        let Some(lesion) = Lesion::read(&p.case)? else {
            continue;
        };
        let fixed = match fixed_points.get(&p.case.set) {
            Some(point) => *point,
            None => {
                let point = best_fixed_point(&data.cases, &training_like(data, &p.case.set))?;
                fixed_points.insert(p.case.set.clone(), point);
                point
            }
        };
        p.lesion = Some(LesionOutcome {
            facts: lesion.facts(&p.case.file)?,
            peaks_inside: p.peaks.map(|peak| lesion.contains(peak)),
            fixed_point_inside: lesion.covers(fixed),
        });
    }
    Ok(())
}

/// The training cases of a set, or all of them where the set as a whole was left out.
fn training_like(data: &Data, set: &str) -> Vec<usize> {
    let of_set: Vec<usize> = data
        .training
        .iter()
        .copied()
        .filter(|&i| data.cases[i].set == set)
        .collect();
    if of_set.is_empty() {
        data.training.clone()
    } else {
        of_set
    }
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
        net: &UltrasoundNet,
        data: &Data,
        images: &[usize],
        bags: &[Bag],
        bag_of_image: &[usize],
    ) -> Result<Outputs, Error> {
        let out = net.forward(data.images.plain_batch(images, &net.device())?);
        let [_, _, rows, cols] = out.saliency.dims();
        let image_scores = floats(out.image_scores.clone());
        let attention_logits = floats(out.attention_logits.clone());
        let (bag_scores, attention) = pool_bags(
            out.image_scores,
            out.attention_logits,
            bag_of_image,
            bags.len(),
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
    fn peaks(&self, data: &Data, image: usize, i: usize) -> Result<[Point; 2], Error> {
        let input = data.images.plain(image)?;
        let [rows, cols] = self.grid;
        let input_from_grid = Affine::resample(
            input.rows as f64 / rows as f64,
            input.cols as f64 / cols as f64,
        );
        let image_from_grid = input.image_from_input.compose(&input_from_grid);
        Ok([0, 1].map(|class| {
            let map = &self.maps[(i * N_CLASSES + class) * rows * cols..][..rows * cols];
            let best = (0..map.len())
                .max_by(|&a, &b| map[a].total_cmp(&map[b]))
                .unwrap_or(0);
            let (row, col) = ((best / cols) as f64, (best % cols) as f64);
            image_from_grid.apply(Point { row, col })
        }))
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
