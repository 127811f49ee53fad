//! Random starting weights from a seed of one's own, never from burn's global generator.

use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

/// Draws tensors one after the other.
pub struct Init {
    rng: ChaCha8Rng,
    device: Device,
}

impl Init {
    /// The same seed draws the same tensors on every device.
    pub fn new(seed: u64, device: &Device) -> Init {
        Init {
            rng: ChaCha8Rng::seed_from_u64(seed),
            device: device.clone(),
        }
    }

    /// Normally distributed around zero.
    pub(crate) fn normal<const D: usize>(
        &mut self,
        shape: [usize; D],
        standard_deviation: f64,
    ) -> Tensor<D> {
        let n = shape.iter().product();
        let scale = standard_deviation as f32;
        let draw = |_| -> f32 {
            let z: f32 = StandardNormal.sample(&mut self.rng);
            z * scale
        };
        let values: Vec<f32> = (0..n).map(draw).collect();
        Tensor::from_data(TensorData::new(values, shape), &self.device)
    }

    pub(crate) fn zeros<const D: usize>(&self, shape: [usize; D]) -> Tensor<D> {
        Tensor::zeros(shape, &self.device)
    }
}
