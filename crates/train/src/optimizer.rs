//! AdamW with a running mean of the weights, in one pass over the numbers.
//!
//! burn's own AdamW makes some fifteen passes over every parameter, each with a tensor of its own;
//! with a batch of sixteen images that took a third of a step. Here each number is read and
//! written once.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use lobule_model::{NamedTensor, ParameterPath, parameters};
use rayon::prelude::*;

/// Decay of the first and second moments, and the guard against division by zero (Loshchilov &
/// Hutter 2019, arXiv 1711.05101).
const BETAS: (f32, f32) = (0.9, 0.999);
const EPSILON: f32 = 1e-8;

/// Values that one thread takes at a time.
const GRAIN: usize = 1 << 14;

/// What a step depends on beside the gradients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    pub(crate) learning_rate: f64,
    /// Decoupled decay of weights; biases do not decay.
    pub(crate) weight_decay: f32,
    /// Gradients of a parameter are scaled down to this norm.
    pub(crate) clip_norm: f32,
    /// Decay of the running mean.
    pub(crate) mean_decay: f64,
}

/// One parameter and its history.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) shape: Vec<usize>,
    pub(crate) value: Vec<f32>,
    pub(crate) first: Vec<f32>,
    pub(crate) second: Vec<f32>,
    /// Running mean of the values, which predicts better than the last ones (Polyak & Juditsky
    /// 1992, doi 10.1137/0330046).
    pub(crate) mean: Vec<f32>,
}

/// All parameters of a network with their history.
#[derive(Debug, Clone)]
pub(crate) struct Optimizer {
    pub(crate) slots: BTreeMap<String, Slot>,
    pub(crate) step: usize,
}

impl Optimizer {
    pub(crate) fn new<M: Module>(net: &M) -> Optimizer {
        let slot = |t: NamedTensor| Slot {
            first: vec![0.0; t.values.len()],
            second: vec![0.0; t.values.len()],
            mean: t.values.clone(),
            shape: t.shape,
            value: t.values,
        };
        let slots = parameters(net)
            .into_iter()
            .map(|(name, t)| (name, slot(t)))
            .collect();
        Optimizer { slots, step: 0 }
    }

    /// Moves every parameter that has a gradient and returns the network with the new values.
    pub(crate) fn step<M: Module>(&mut self, net: M, grads: GradientsParams, rates: &Rates) -> M {
        self.step += 1;
        net.map(&mut Update {
            optimizer: self,
            grads,
            rates,
            path: ParameterPath::default(),
        })
    }

    /// The running mean of the weights by name.
    pub(crate) fn mean(&self) -> BTreeMap<String, NamedTensor> {
        self.collect(|slot| &slot.mean)
    }

    /// The weights by name.
    pub(crate) fn values(&self) -> BTreeMap<String, NamedTensor> {
        self.collect(|slot| &slot.value)
    }

    fn collect(&self, part: impl Fn(&Slot) -> &Vec<f32>) -> BTreeMap<String, NamedTensor> {
        let tensor = |slot: &Slot| NamedTensor {
            shape: slot.shape.clone(),
            values: part(slot).clone(),
        };
        self.slots
            .iter()
            .map(|(name, slot)| (name.clone(), tensor(slot)))
            .collect()
    }
}

struct Update<'a> {
    optimizer: &'a mut Optimizer,
    grads: GradientsParams,
    rates: &'a Rates,
    path: ParameterPath,
}

impl ModuleMapper for Update<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let step = self.optimizer.step;
        let slot = self.optimizer.slots.get_mut(&self.path.name());
        let tensor = match (slot, self.grads.remove::<D>(id)) {
            (Some(slot), Some(grad)) => {
                let device = grad.device();
                let grad: Vec<f32> = grad
                    .into_data()
                    .convert::<f32>()
                    .try_into_vec()
                    .expect("the data was converted to f32");
                slot.update(&grad, self.rates, step);
                let data = TensorData::new(slot.value.clone(), slot.shape.clone());
                Tensor::from_inner(Tensor::from_data(data, &device)).require_grad()
            }
            _ => tensor,
        };
        Param::from_mapped_value(id, tensor, mapper)
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }
}

impl Slot {
    /// `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`,
    /// `w ← w − η·(m̂/(√v̂ + ε) + λw)`, `mean ← mean + (1 − d)(w − mean)`, with m̂ and v̂ corrected
    /// for their start at zero, and d smaller during the first steps.
    fn update(&mut self, grad: &[f32], rates: &Rates, step: usize) {
        let norm = grad
            .iter()
            .map(|&g| f64::from(g) * f64::from(g))
            .sum::<f64>()
            .sqrt() as f32;
        let scale = if norm > rates.clip_norm {
            rates.clip_norm / norm
        } else {
            1.0
        };
        let power = i32::try_from(step).unwrap_or(i32::MAX);
        let correct = (1.0 - BETAS.0.powi(power), 1.0 - BETAS.1.powi(power));
        let eta = rates.learning_rate as f32;
        let decay = if self.shape.len() > 1 {
            rates.weight_decay
        } else {
            0.0
        };
        let mean_decay = rates
            .mean_decay
            .min((1.0 + step as f64) / (10.0 + step as f64));
        let follow = (1.0 - mean_decay) as f32;
        let state = self
            .value
            .par_chunks_mut(GRAIN)
            .zip(self.first.par_chunks_mut(GRAIN))
            .zip(self.second.par_chunks_mut(GRAIN))
            .zip(self.mean.par_chunks_mut(GRAIN))
            .zip(grad.par_chunks(GRAIN));
        state.for_each(|((((value, first), second), mean), grad)| {
            for i in 0..grad.len() {
                let g = grad[i] * scale;
                first[i] = BETAS.0 * first[i] + (1.0 - BETAS.0) * g;
                second[i] = BETAS.1 * second[i] + (1.0 - BETAS.1) * g * g;
                let move_by = (first[i] / correct.0) / ((second[i] / correct.1).sqrt() + EPSILON);
                value[i] -= eta * (move_by + decay * value[i]);
                mean[i] += follow * (value[i] - mean[i]);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_steps_by_hand() {
        let mut slot = Slot {
            shape: vec![1, 1],
            value: vec![1.0],
            first: vec![0.0],
            second: vec![0.0],
            mean: vec![1.0],
        };
        let rates = Rates {
            learning_rate: 0.1,
            weight_decay: 0.5,
            clip_norm: 10.0,
            mean_decay: 0.0,
        };
        // The first step's corrected moments are g and g², so it moves by the sign of g.
        slot.update(&[2.0], &rates, 1);
        assert!((slot.value[0] - (1.0 - 0.1 * (1.0 + 0.5))).abs() < 1e-6);
        // m̂ = (0.9·0.2 − 0.1)/0.19, v̂ = (0.999·0.004 + 0.001)/(1 − 0.999²).
        slot.update(&[-1.0], &rates, 2);
        let move_by = (0.08 / 0.19) / (0.004_996_f32 / (1.0 - 0.999_f32.powi(2))).sqrt();
        assert!((slot.value[0] - (0.85 - 0.1 * (move_by + 0.5 * 0.85))).abs() < 1e-5);
        assert_eq!(slot.mean, slot.value);
    }

    #[test]
    fn long_gradients_are_scaled_down() {
        let slot = |clip_norm| {
            let mut slot = Slot {
                shape: vec![2],
                value: vec![0.0; 2],
                first: vec![0.0; 2],
                second: vec![0.0; 2],
                mean: vec![0.0; 2],
            };
            let rates = Rates {
                learning_rate: 0.1,
                weight_decay: 0.0,
                clip_norm,
                mean_decay: 0.9,
            };
            slot.update(&[30.0, 40.0], &rates, 1);
            slot.first
        };
        for (clip_norm, expected) in [(1e9, [3.0, 4.0]), (5.0, [0.3, 0.4])] {
            let first = slot(clip_norm);
            assert!((first[0] - expected[0]).abs() < 1e-5 && (first[1] - expected[1]).abs() < 1e-5);
        }
    }
}
