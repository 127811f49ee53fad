//! Depthwise convolutions: one small kernel per channel.
//!
//! A plane is copied once into a padded frame whose columns are sorted by their remainder modulo
//! the stride; every kernel tap then reads a contiguous run per output row, which the compiler
//! turns into vector instructions.

use pulp::{Arch, NullaryFnOnce};

use super::buffer::fill_chunks;
use super::{Activation, ConvGradients, ConvShape, sum};

/// `act(w ∗ x + b)` per channel. `weight` is `[channels, kernel²]`.
pub(crate) fn depthwise_forward(
    shape: &ConvShape,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    activation: Activation,
) -> Vec<f32> {
    match shape.kernel {
        3 => forward::<3>(shape, x, weight, bias, activation),
        5 => forward::<5>(shape, x, weight, bias, activation),
        other => unreachable!("kernel sizes are checked before; got {other}"),
    }
}

fn forward<const K: usize>(
    shape: &ConvShape,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    activation: Activation,
) -> Vec<f32> {
    let (frame, arch, taps) = (Frame::new(shape), Arch::new(), K * K);
    let (plane_in, plane_out) = (shape.plane_in(), shape.plane_out());
    let planes = shape.n * shape.channels_out;
    let padded = || vec![0.0; frame.len()];
    let (y, _) = fill_chunks(planes * plane_out, plane_out, padded, |padded, plane, y| {
        let channel = plane % shape.channels_out;
        arch.dispatch(ForwardPlane::<K> {
            frame: &frame,
            x: &x[plane * plane_in..][..plane_in],
            w: &weight[channel * taps..][..taps],
            bias: bias[channel],
            activation,
            padded,
            y,
        });
    });
    y
}

/// The gradients of [`depthwise_forward`], given its output and the gradient of that output.
pub(crate) fn depthwise_backward(
    shape: &ConvShape,
    x: &[f32],
    weight: &[f32],
    output: (&[f32], &[f32]),
    activation: Activation,
) -> ConvGradients {
    match shape.kernel {
        3 => backward::<3>(shape, x, weight, output, activation),
        5 => backward::<5>(shape, x, weight, output, activation),
        other => unreachable!("kernel sizes are checked before; got {other}"),
    }
}

fn backward<const K: usize>(
    shape: &ConvShape,
    x: &[f32],
    weight: &[f32],
    (y, grad): (&[f32], &[f32]),
    activation: Activation,
) -> ConvGradients {
    let (frame, arch, taps) = (Frame::new(shape), Arch::new(), K * K);
    let (plane_in, plane_out) = (shape.plane_in(), shape.plane_out());
    let scratch = || Scratch::new(&frame);
    let (input, sums) = fill_chunks(x.len(), plane_in, scratch, |scratch, plane, input| {
        let out = plane * plane_out..(plane + 1) * plane_out;
        arch.dispatch(BackwardPlane::<K> {
            frame: &frame,
            x: &x[plane * plane_in..][..plane_in],
            w: &weight[(plane % shape.channels_out) * taps..][..taps],
            y: &y[out.clone()],
            grad: &grad[out],
            activation,
            scratch,
            input,
        })
    });
    let mut gradients = ConvGradients {
        input,
        weight: vec![0.0; shape.channels_out * taps],
        bias: vec![0.0; shape.channels_out],
    };
    for (plane, (weight, bias)) in sums.iter().enumerate() {
        let channel = plane % shape.channels_out;
        let total = gradients.weight[channel * taps..].iter_mut();
        for (total, w) in total.zip(weight.as_flattened()) {
            *total += w;
        }
        gradients.bias[channel] += bias;
    }
    gradients
}

/// One plane's way forward, compiled for each instruction set.
struct ForwardPlane<'a, const K: usize> {
    frame: &'a Frame,
    x: &'a [f32],
    w: &'a [f32],
    bias: f32,
    activation: Activation,
    padded: &'a mut [f32],
    y: &'a mut [f32],
}

impl<const K: usize> NullaryFnOnce for ForwardPlane<'_, K> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.frame.load(self.x, self.padded);
        self.frame
            .correlate::<K>(self.padded, self.w, self.bias, self.y);
        self.activation.apply(self.y);
    }
}

/// Buffers that one thread reuses from plane to plane.
struct Scratch {
    grad_frame: Frame,
    padded: Vec<f32>,
    padded_grad: Vec<f32>,
    grad: Vec<f32>,
}

impl Scratch {
    fn new(frame: &Frame) -> Scratch {
        let grad_frame = frame.of_gradient();
        Scratch {
            padded: vec![0.0; frame.len()],
            padded_grad: vec![0.0; frame.len().max(grad_frame.len())],
            grad_frame,
            grad: Vec::new(),
        }
    }
}

/// One plane's way back: fills `input`, returns the gradients of the weights and the bias.
struct BackwardPlane<'a, const K: usize> {
    frame: &'a Frame,
    x: &'a [f32],
    w: &'a [f32],
    y: &'a [f32],
    grad: &'a [f32],
    activation: Activation,
    scratch: &'a mut Scratch,
    input: &'a mut [f32],
}

impl<const K: usize> NullaryFnOnce for BackwardPlane<'_, K> {
    type Output = ([[f32; K]; K], f32);

    #[inline(always)]
    fn call(self) -> ([[f32; K]; K], f32) {
        let (frame, scratch) = (self.frame, self.scratch);
        let (grad, padded_grad) = (&mut scratch.grad, &mut scratch.padded_grad);
        self.activation.gradient(self.y, self.grad, grad);
        if frame.stride == 1 {
            let mut turned = [[0.0; K]; K];
            for (t, &w) in turned.iter_mut().flatten().rev().zip(self.w) {
                *t = w;
            }
            scratch.grad_frame.load(grad, padded_grad);
            let w = turned.as_flattened();
            scratch
                .grad_frame
                .correlate::<K>(padded_grad, w, 0.0, self.input);
        } else {
            padded_grad.fill(0.0);
            frame.spread(grad, self.w, padded_grad);
            frame.unload(padded_grad, self.input);
        }
        frame.load(self.x, &mut scratch.padded);
        (frame.tap_sums(&scratch.padded, grad), sum(grad))
    }
}

/// Values per step of the inner loops: one 512-bit register.
const LANES: usize = 16;

/// Layout of a padded plane: rows of `stride` runs, run `r` holding the columns ≡ r (mod stride),
/// each followed by `LANES` zeros so that a step may read past the last column.
struct Frame {
    rows: usize,
    cols: usize,
    rows_out: usize,
    cols_out: usize,
    kernel: usize,
    stride: usize,
    pad: usize,
    run: usize,
    padded_rows: usize,
    /// Per tap, where it reads relative to the first tap's place; computed once because divisions
    /// would cost more than the arithmetic.
    taps: Vec<usize>,
}

impl Frame {
    fn new(shape: &ConvShape) -> Frame {
        let padded_cols = shape.cols + shape.pad_start + shape.pad_end;
        Frame {
            rows: shape.rows,
            cols: shape.cols,
            rows_out: shape.rows_out(),
            cols_out: shape.cols_out(),
            kernel: shape.kernel,
            stride: shape.stride,
            pad: shape.pad_start,
            run: padded_cols.div_ceil(shape.stride) + LANES,
            padded_rows: shape.rows + shape.pad_start + shape.pad_end,
            taps: Vec::new(),
        }
        .with_taps()
    }

    fn with_taps(mut self) -> Frame {
        let k = self.kernel;
        let place = |tap: usize| {
            let kx = tap % k;
            self.start_of_row(tap / k) + (kx % self.stride) * self.run + kx / self.stride
        };
        self.taps = (0..k * k).map(place).collect();
        self
    }

    /// The frame in which the gradient of the input is a plain correlation with the turned-over
    /// kernel: the output of a convolution of stride 1, padded so that the input comes out.
    fn of_gradient(&self) -> Frame {
        let margin = self.kernel - 1;
        Frame {
            rows: self.rows_out,
            cols: self.cols_out,
            rows_out: self.rows,
            cols_out: self.cols,
            kernel: self.kernel,
            stride: 1,
            pad: margin.saturating_sub(self.pad),
            run: self.cols + margin + LANES,
            padded_rows: self.rows + margin,
            taps: Vec::new(),
        }
        .with_taps()
    }

    fn len(&self) -> usize {
        self.padded_rows * self.stride * self.run
    }

    #[inline(always)]
    fn start_of_row(&self, padded_row: usize) -> usize {
        padded_row * self.stride * self.run
    }

    /// Copies a plane into the frame, whose margin is and stays zero.
    #[inline(always)]
    fn load(&self, x: &[f32], padded: &mut [f32]) {
        for (row, values) in x.chunks_exact(self.cols).enumerate() {
            for (first, start) in self.runs(row) {
                let values = &values[first..];
                match self.stride {
                    1 => padded[start..start + values.len()].copy_from_slice(values),
                    2 => copy(values.iter().step_by(2), padded[start..].iter_mut()),
                    s => copy(values.iter().step_by(s), padded[start..].iter_mut()),
                }
            }
        }
    }

    /// Copies the frame's inside back to a plane.
    #[inline(always)]
    fn unload(&self, padded: &[f32], x: &mut [f32]) {
        for (row, values) in x.chunks_exact_mut(self.cols).enumerate() {
            for (first, start) in self.runs(row) {
                let values = &mut values[first..];
                match self.stride {
                    2 => copy(padded[start..].iter(), values.iter_mut().step_by(2)),
                    s => copy(padded[start..].iter(), values.iter_mut().step_by(s)),
                }
            }
        }
    }

    /// Per run of a row: the first column of the plane in it, and where that column lies.
    #[inline(always)]
    fn runs(&self, row: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (stride, pad, run, cols) = (self.stride, self.pad, self.run, self.cols);
        let start = self.start_of_row(row + pad);
        (0..stride.min(cols)).map(move |first| {
            let col = first + pad;
            (first, start + (col % stride) * run + col / stride)
        })
    }

    /// `y = w ∗ padded + bias`, `LANES` columns at a time with all taps in one register.
    #[inline(always)]
    fn correlate<const K: usize>(&self, padded: &[f32], w: &[f32], bias: f32, y: &mut [f32]) {
        let taps = &self.taps[..K * K];
        for (row, out) in y.chunks_exact_mut(self.cols_out).enumerate() {
            let source = &padded[self.start_of_row(row * self.stride)..];
            for (block, out) in out.chunks_mut(LANES).enumerate() {
                let mut sums = [bias; LANES];
                for (&tap, &w) in taps.iter().zip(w) {
                    let x = lanes(source, tap + block * LANES);
                    for (sum, &x) in sums.iter_mut().zip(x) {
                        *sum = x.mul_add(w, *sum);
                    }
                }
                out.copy_from_slice(&sums[..out.len()]);
            }
        }
    }

    /// The weights' gradients: per tap, the product of what it read and the output's gradient.
    #[inline(always)]
    fn tap_sums<const K: usize>(&self, padded: &[f32], grad: &[f32]) -> [[f32; K]; K] {
        let mut totals = [[[0.0_f32; LANES]; K]; K];
        for (row, grad) in grad.chunks_exact(self.cols_out).enumerate() {
            let source = &padded[self.start_of_row(row * self.stride)..];
            for (block, grad) in grad.chunks(LANES).enumerate() {
                let mut g = [0.0; LANES];
                g[..grad.len()].copy_from_slice(grad);
                for (total, &tap) in totals.as_flattened_mut().iter_mut().zip(&self.taps) {
                    let x = lanes(source, tap + block * LANES);
                    for ((t, &x), &g) in total.iter_mut().zip(x).zip(&g) {
                        *t = x.mul_add(g, *t);
                    }
                }
            }
        }
        totals.map(|row| row.map(|lanes| lanes.iter().sum()))
    }

    /// The input's gradient for strides above 1: each output's gradient goes back to where its
    /// taps read.
    #[inline(always)]
    fn spread(&self, grad: &[f32], w: &[f32], padded: &mut [f32]) {
        for (row, grad) in grad.chunks_exact(self.cols_out).enumerate() {
            let target = &mut padded[self.start_of_row(row * self.stride)..];
            for (&tap, &w) in self.taps.iter().zip(w) {
                for (t, &g) in target[tap..tap + self.cols_out].iter_mut().zip(grad) {
                    *t = g.mul_add(w, *t);
                }
            }
        }
    }
}

#[inline(always)]
fn copy<'a>(from: impl Iterator<Item = &'a f32>, to: impl Iterator<Item = &'a mut f32>) {
    for (to, &from) in to.zip(from) {
        *to = from;
    }
}

#[inline(always)]
fn lanes(values: &[f32], start: usize) -> &[f32; LANES] {
    values[start..start + LANES]
        .try_into()
        .expect("the slice was cut to this length")
}
