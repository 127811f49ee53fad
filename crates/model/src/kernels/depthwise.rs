//! Depthwise convolutions: one small kernel per channel.
//!
//! A plane is copied once into a padded frame whose columns are sorted by their remainder modulo
//! the stride; every kernel tap then reads a contiguous run per output row, which the compiler
//! turns into vector instructions.

use pulp::{Arch, NullaryFnOnce};
use rayon::prelude::*;

use super::{Activation, ConvGradients, ConvShape, Needed};

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
    let frame = Frame::new(shape);
    let taps = shape.kernel * shape.kernel;
    let arch = Arch::new();
    let mut y = vec![0.0; shape.n * shape.channels_out * shape.plane_out()];
    y.par_chunks_mut(shape.plane_out())
        .zip(x.par_chunks(shape.plane_in()))
        .enumerate()
        .for_each_init(
            || vec![0.0; frame.len()],
            |padded, (plane, (y, x))| {
                let channel = plane % shape.channels_out;
                let w = &weight[channel * taps..(channel + 1) * taps];
                let bias = bias[channel];
                arch.dispatch(ForwardPlane::<K> {
                    frame: &frame,
                    x,
                    w,
                    bias,
                    activation,
                    padded,
                    y,
                });
            },
        );
    y
}

/// The gradients of [`depthwise_forward`], given its output and the gradient of that output.
pub(crate) fn depthwise_backward(
    shape: &ConvShape,
    x: &[f32],
    weight: &[f32],
    output: (&[f32], &[f32]),
    activation: Activation,
    needed: Needed,
) -> ConvGradients {
    match shape.kernel {
        3 => backward::<3>(shape, x, weight, output, activation, needed),
        5 => backward::<5>(shape, x, weight, output, activation, needed),
        other => unreachable!("kernel sizes are checked before; got {other}"),
    }
}

fn backward<const K: usize>(
    shape: &ConvShape,
    x: &[f32],
    weight: &[f32],
    (y, grad): (&[f32], &[f32]),
    activation: Activation,
    needed: Needed,
) -> ConvGradients {
    let frame = Frame::new(shape);
    let taps = shape.kernel * shape.kernel;
    let arch = Arch::new();
    let planes = shape.n * shape.channels_out;
    let mut input = match needed {
        Needed::All => vec![0.0; x.len()],
        Needed::Parameters => Vec::new(),
    };
    let mut input_planes: Vec<&mut [f32]> = input.chunks_mut(shape.plane_in()).collect();
    input_planes.resize_with(planes, Default::default);
    let mut per_plane = vec![0.0; planes * (taps + 1)];
    per_plane
        .par_chunks_mut(taps + 1)
        .zip(input_planes)
        .enumerate()
        .for_each_init(
            || Scratch::new(&frame),
            |scratch, (plane, (sums, input))| {
                let out = plane * shape.plane_out()..(plane + 1) * shape.plane_out();
                arch.dispatch(BackwardPlane::<K> {
                    frame: &frame,
                    x: &x[plane * shape.plane_in()..][..shape.plane_in()],
                    w: &weight[(plane % shape.channels_out) * taps..][..taps],
                    y: &y[out.clone()],
                    grad: &grad[out],
                    activation,
                    scratch,
                    sums,
                    input,
                });
            },
        );
    let mut gradients = ConvGradients {
        input,
        weight: vec![0.0; shape.channels_out * taps],
        bias: vec![0.0; shape.channels_out],
    };
    for (plane, sums) in per_plane.chunks(taps + 1).enumerate() {
        let channel = plane % shape.channels_out;
        for (w, s) in gradients.weight[channel * taps..]
            .iter_mut()
            .zip(&sums[..taps])
        {
            *w += s;
        }
        gradients.bias[channel] += sums[taps];
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

/// One plane's way back. `sums` takes the weights' gradients and, last, the bias's.
struct BackwardPlane<'a, const K: usize> {
    frame: &'a Frame,
    x: &'a [f32],
    w: &'a [f32],
    y: &'a [f32],
    grad: &'a [f32],
    activation: Activation,
    scratch: &'a mut Scratch,
    sums: &'a mut [f32],
    input: &'a mut [f32],
}

impl<const K: usize> NullaryFnOnce for BackwardPlane<'_, K> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (frame, scratch) = (self.frame, self.scratch);
        self.activation
            .gradient(self.y, self.grad, &mut scratch.grad);
        frame.load(self.x, &mut scratch.padded);
        let taps = self.sums.len() - 1;
        frame.tap_sums::<K>(&scratch.padded, &scratch.grad, &mut self.sums[..taps]);
        self.sums[taps] = scratch.grad.iter().sum();
        if self.input.is_empty() {
            return;
        }
        if frame.stride == 1 {
            let mut turned = [[0.0; K]; K];
            for (t, &w) in turned.iter_mut().flatten().rev().zip(self.w) {
                *t = w;
            }
            scratch
                .grad_frame
                .load(&scratch.grad, &mut scratch.padded_grad);
            let w = turned.as_flattened();
            scratch
                .grad_frame
                .correlate::<K>(&scratch.padded_grad, w, 0.0, self.input);
        } else {
            scratch.padded_grad.fill(0.0);
            frame.spread(&scratch.grad, self.w, &mut scratch.padded_grad);
            frame.unload(&scratch.padded_grad, self.input);
        }
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
    fn tap_sums<const K: usize>(&self, padded: &[f32], grad: &[f32], sums: &mut [f32]) {
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
        for (sum, total) in sums.iter_mut().zip(totals.as_flattened()) {
            *sum = total.iter().sum();
        }
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
