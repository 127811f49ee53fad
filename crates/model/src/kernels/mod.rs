//! Convolutions on slices, written for two cores and a small batch.
//!
//! burn's generic backward pass loops over the groups of a depthwise convolution one by one, which
//! makes the networks used here a hundred times slower than need be. These kernels know their
//! shape: a 1×1 convolution is one matrix product per image, a depthwise convolution is a handful
//! of row operations per plane. Work is spread over images or planes; results do not depend on the
//! number of threads.
//!
//! All tensors are row-major `[n, c, h, w]` slices of `f32`. `crate::ops` checks the shapes.

mod buffer;
mod dense;
mod depthwise;

pub(crate) use dense::{dense_backward, dense_forward};
pub(crate) use depthwise::{depthwise_backward, depthwise_forward};

/// The shape of one convolution. Padding may differ between the two ends of an axis, as in
/// TensorFlow's "same" rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    /// Images.
    pub n: usize,
    /// Channels in.
    pub channels_in: usize,
    /// Channels out; equal to `channels_in` for a depthwise convolution.
    pub channels_out: usize,
    /// Rows in.
    pub rows: usize,
    /// Columns in.
    pub cols: usize,
    /// Rows and columns of the kernel.
    pub kernel: usize,
    /// Step in both directions.
    pub stride: usize,
    /// Padding before the first row and column.
    pub pad_start: usize,
    /// Padding after the last row and column.
    pub pad_end: usize,
}

impl ConvShape {
    /// Rows out.
    pub fn rows_out(&self) -> usize {
        (self.rows + self.pad_start + self.pad_end - self.kernel) / self.stride + 1
    }

    /// Columns out.
    pub fn cols_out(&self) -> usize {
        (self.cols + self.pad_start + self.pad_end - self.kernel) / self.stride + 1
    }

    fn plane_in(&self) -> usize {
        self.rows * self.cols
    }

    fn plane_out(&self) -> usize {
        self.rows_out() * self.cols_out()
    }

    /// A 1×1 convolution that touches each pixel once.
    fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1 && self.pad_start == 0 && self.pad_end == 0
    }
}

/// What follows the convolution and its bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `max(x, 0)`.
    Relu,
}

impl Activation {
    /// Upper end of the range in which the function has slope 1; the lower end is 0.
    #[inline(always)]
    fn ceiling(self) -> Option<f32> {
        match self {
            Activation::Linear => None,
            Activation::Relu6 => Some(6.0),
            Activation::Relu => Some(f32::INFINITY),
        }
    }

    #[inline(always)]
    fn apply(self, values: &mut [f32]) {
        if let Some(top) = self.ceiling() {
            for v in values {
                *v = v.max(0.0).min(top);
            }
        }
    }

    /// The gradient before the activation, from that after it and the activation's output.
    #[inline(always)]
    fn gradient(self, output: &[f32], grad: &[f32], into: &mut Vec<f32>) {
        into.clear();
        match self.ceiling() {
            None => into.extend_from_slice(grad),
            Some(top) => into.extend(
                output
                    .iter()
                    .zip(grad)
                    .map(|(&y, &g)| if y > 0.0 && y < top { g } else { 0.0 }),
            ),
        }
    }
}

/// The sum of many values in sixteen running sums: a single one would wait for each addition.
#[inline(always)]
fn sum(values: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 16];
    let chunks = values.chunks_exact(16);
    let tail: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (sum, v) in sums.iter_mut().zip(chunk) {
            *sum += v;
        }
    }
    sums.iter().sum::<f32>() + tail
}

/// Gradients of a convolution. `input` is empty when it was not asked for.
pub(crate) struct ConvGradients {
    pub(crate) input: Vec<f32>,
    pub(crate) weight: Vec<f32>,
    pub(crate) bias: Vec<f32>,
}

/// Which gradients are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needed {
    /// Weights and bias only: the input is the picture itself.
    Parameters,
    /// The input's gradient too.
    All,
}

#[cfg(test)]
mod tests;
