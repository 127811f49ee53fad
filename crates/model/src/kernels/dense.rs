//! Convolutions over all channels as one matrix product per image.

use gemm::Parallelism;

use super::buffer::fill_chunks;
use super::{Activation, ConvGradients, ConvShape, Needed, sum};

/// `act(w ∗ x + b)`. `weight` is `[channels_out, channels_in · kernel²]`.
pub(crate) fn dense_forward(
    shape: &ConvShape,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    activation: Activation,
) -> Vec<f32> {
    let (co, plane, depth) = (shape.channels_out, shape.plane_out(), depth(shape));
    let image_in = shape.channels_in * shape.plane_in();
    let (y, _) = fill_chunks(
        shape.n * co * plane,
        co * plane,
        Vec::new,
        |columns, image, y| {
            for (row, &b) in y.chunks_mut(plane).zip(bias) {
                row.fill(b);
            }
            let x = unfold(shape, &x[image * image_in..][..image_in], columns);
            add_product(
                Matrix::new(weight, co, depth),
                Matrix::new(x, depth, plane),
                y,
            );
            activation.apply(y);
        },
    );
    y
}

/// The gradients of [`dense_forward`], given its output and the gradient of that output.
pub(crate) fn dense_backward(
    shape: &ConvShape,
    x: &[f32],
    weight: &[f32],
    (y, grad): (&[f32], &[f32]),
    activation: Activation,
    needed: Needed,
) -> ConvGradients {
    let image = Gradient {
        shape,
        weight,
        activation,
        needed,
    };
    let image_in = shape.channels_in * shape.plane_in();
    let image_out = shape.channels_out * shape.plane_out();
    // A fixed split into two halves keeps the sums' order independent of the number of threads.
    let half = shape.n.div_ceil(2).max(1);
    let (input, parts) = fill_chunks(
        shape.n * image_in,
        half * image_in,
        Scratch::default,
        |scratch, part, input| {
            let mut sums = Sums::new(shape);
            for (i, input) in input.chunks_mut(image_in).enumerate() {
                let at = part * half + i;
                let out = at * image_out..(at + 1) * image_out;
                let x = &x[at * image_in..][..image_in];
                image.add(x, (&y[out.clone()], &grad[out]), input, &mut sums, scratch);
            }
            sums
        },
    );
    let total = parts.into_iter().fold(Sums::new(shape), Sums::plus);
    ConvGradients {
        input: if needed == Needed::All {
            input
        } else {
            Vec::new()
        },
        weight: total.weight,
        bias: total.bias,
    }
}

/// Sums over images of the parameters' gradients.
struct Sums {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Sums {
    fn new(shape: &ConvShape) -> Sums {
        let out = shape.channels_out;
        Sums {
            weight: vec![0.0; out * depth(shape)],
            bias: vec![0.0; out],
        }
    }

    fn plus(mut self, other: Sums) -> Sums {
        add_to(&mut self.weight, &other.weight);
        add_to(&mut self.bias, &other.bias);
        self
    }
}

/// The way back through one image.
struct Gradient<'a> {
    shape: &'a ConvShape,
    weight: &'a [f32],
    activation: Activation,
    needed: Needed,
}

impl Gradient<'_> {
    fn add(
        &self,
        x: &[f32],
        (y, grad): (&[f32], &[f32]),
        input: &mut [f32],
        sums: &mut Sums,
        scratch: &mut Scratch,
    ) {
        let shape = self.shape;
        let (co, plane, depth) = (shape.channels_out, shape.plane_out(), depth(shape));
        self.activation.gradient(y, grad, &mut scratch.grad);
        for (total, row) in sums.bias.iter_mut().zip(scratch.grad.chunks(plane)) {
            *total += sum(row);
        }
        let x = unfold(shape, x, &mut scratch.columns);
        let g = Matrix::new(&scratch.grad, co, plane);
        add_product(
            g,
            Matrix::new(x, depth, plane).transposed(),
            &mut sums.weight,
        );
        if self.needed == Needed::Parameters {
            return;
        }
        let w = Matrix::new(self.weight, co, depth).transposed();
        if shape.is_pointwise() {
            add_product(w, g, input);
        } else {
            scratch.folded.clear();
            scratch.folded.resize(depth * plane, 0.0);
            add_product(w, g, &mut scratch.folded);
            fold(shape, &scratch.folded, input);
        }
    }
}

#[derive(Default)]
struct Scratch {
    grad: Vec<f32>,
    columns: Vec<f32>,
    folded: Vec<f32>,
}

fn depth(shape: &ConvShape) -> usize {
    shape.channels_in * shape.kernel * shape.kernel
}

fn add_to(total: &mut [f32], part: &[f32]) {
    for (t, p) in total.iter_mut().zip(part) {
        *t += p;
    }
}

/// The input as a matrix `[channels_in · kernel², plane_out]`; a 1×1 convolution needs no copy.
fn unfold<'a>(shape: &ConvShape, x: &'a [f32], columns: &'a mut Vec<f32>) -> &'a [f32] {
    if shape.is_pointwise() {
        return x;
    }
    let plane = shape.plane_out();
    columns.clear();
    columns.resize(depth(shape) * plane, 0.0);
    for_each_tap(
        shape,
        |channel, tap, row_out, row_in, (first, last), col_in| {
            let source = channel * shape.plane_in() + row_in * shape.cols + col_in;
            let target = tap * plane + row_out * shape.cols_out();
            let values = x[source..].iter().step_by(shape.stride);
            for (out, &v) in columns[target + first..target + last]
                .iter_mut()
                .zip(values)
            {
                *out = v;
            }
        },
    );
    columns
}

/// The reverse of [`unfold`]: adds each matrix entry back to the pixel it came from.
fn fold(shape: &ConvShape, columns: &[f32], x: &mut [f32]) {
    let plane = shape.plane_out();
    for_each_tap(
        shape,
        |channel, tap, row_out, row_in, (first, last), col_in| {
            let target = channel * shape.plane_in() + row_in * shape.cols + col_in;
            let source = tap * plane + row_out * shape.cols_out();
            let values = &columns[source + first..source + last];
            for (out, v) in x[target..].iter_mut().step_by(shape.stride).zip(values) {
                *out += v;
            }
        },
    );
}

/// Calls `visit(channel, tap, row_out, row_in, columns_out, first_col_in)` for each kernel
/// position and output row that falls inside the picture.
fn for_each_tap(
    shape: &ConvShape,
    mut visit: impl FnMut(usize, usize, usize, usize, (usize, usize), usize),
) {
    let (k, s, pad) = (shape.kernel, shape.stride, shape.pad_start);
    for channel in 0..shape.channels_in {
        for (ky, kx) in (0..k * k).map(|i| (i / k, i % k)) {
            let tap = (channel * k + ky) * k + kx;
            let first = pad.saturating_sub(kx).div_ceil(s);
            let last = (shape.cols + pad)
                .saturating_sub(kx)
                .div_ceil(s)
                .min(shape.cols_out());
            if first >= last {
                continue;
            }
            for row_out in 0..shape.rows_out() {
                let row = row_out * s + ky;
                if row >= pad && row - pad < shape.rows {
                    visit(
                        channel,
                        tap,
                        row_out,
                        row - pad,
                        (first, last),
                        first * s + kx - pad,
                    );
                }
            }
        }
    }
}

/// A row-major matrix, or its transpose.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    cols: usize,
    row_step: usize,
    col_step: usize,
}

impl<'a> Matrix<'a> {
    fn new(values: &'a [f32], rows: usize, cols: usize) -> Matrix<'a> {
        assert_eq!(
            values.len(),
            rows * cols,
            "a matrix holds rows · cols values"
        );
        Matrix {
            values,
            rows,
            cols,
            row_step: cols,
            col_step: 1,
        }
    }

    fn transposed(self) -> Matrix<'a> {
        Matrix {
            values: self.values,
            rows: self.cols,
            cols: self.rows,
            row_step: self.col_step,
            col_step: self.row_step,
        }
    }
}

/// `into += a · b`, where `into` is row-major.
fn add_product(a: Matrix<'_>, b: Matrix<'_>, into: &mut [f32]) {
    assert_eq!(a.cols, b.rows, "the inner sizes of a product agree");
    assert_eq!(into.len(), a.rows * b.cols, "the product fits its place");
    // SAFETY: the three slices hold what the sizes and steps address, as asserted here and in
    // `Matrix::new`, and `into` is borrowed mutably, so it overlaps neither factor.
    unsafe {
        gemm::gemm(
            a.rows,
            b.cols,
            a.cols,
            into.as_mut_ptr(),
            1,
            b.cols as isize,
            true,
            a.values.as_ptr(),
            a.col_step as isize,
            a.row_step as isize,
            b.values.as_ptr(),
            b.col_step as isize,
            b.row_step as isize,
            1.0_f32,
            1.0_f32,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
