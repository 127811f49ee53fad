use super::*;

const TOLERANCE: f32 = 2e-4; // sums of a few hundred products of order one in f32

fn pseudo_random(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        })
        .collect()
}

struct Case {
    shape: ConvShape,
    groups: usize,
    x: Vec<f32>,
    w: Vec<f32>,
    b: Vec<f32>,
}

impl Case {
    fn new(shape: ConvShape, groups: usize) -> Case {
        let taps = shape.kernel * shape.kernel;
        Case {
            shape,
            groups,
            x: pseudo_random(shape.n * shape.channels_in * shape.plane_in(), 1),
            w: pseudo_random(shape.channels_out * shape.channels_in / groups * taps, 2),
            b: pseudo_random(shape.channels_out, 3),
        }
    }

    fn forward(&self, x: &[f32], w: &[f32], b: &[f32], activation: Activation) -> Vec<f32> {
        match self.groups {
            1 => dense_forward(&self.shape, x, w, b, activation),
            _ => depthwise_forward(&self.shape, x, w, b, activation),
        }
    }

    /// The definition, index by index.
    fn naive(&self, activation: Activation) -> Vec<f32> {
        let s = &self.shape;
        let per_group = (s.channels_in / self.groups, s.channels_out / self.groups);
        let mut y = Vec::new();
        for (n, co) in (0..s.n * s.channels_out).map(|i| (i / s.channels_out, i % s.channels_out)) {
            for (r, c) in (0..s.plane_out()).map(|i| (i / s.cols_out(), i % s.cols_out())) {
                let mut sum = self.b[co];
                for i in 0..per_group.0 {
                    let ci = co / per_group.1 * per_group.0 + i;
                    for (ky, kx) in (0..s.kernel * s.kernel).map(|k| (k / s.kernel, k % s.kernel)) {
                        let row = (r * s.stride + ky).wrapping_sub(s.pad_start);
                        let col = (c * s.stride + kx).wrapping_sub(s.pad_start);
                        if row < s.rows && col < s.cols {
                            let x =
                                self.x[((n * s.channels_in + ci) * s.rows + row) * s.cols + col];
                            sum += x * self.w
                                [((co * per_group.0 + i) * s.kernel + ky) * s.kernel + kx];
                        }
                    }
                }
                y.push(sum);
            }
        }
        activation.apply(&mut y);
        y
    }

    fn backward(&self, grad: &[f32], activation: Activation) -> ConvGradients {
        let y = self.forward(&self.x, &self.w, &self.b, activation);
        let (x, w, pair) = (&self.x, &self.w, (&y[..], grad));
        match self.groups {
            1 => dense_backward(&self.shape, x, w, pair, activation, Needed::All),
            _ => depthwise_backward(&self.shape, x, w, pair, activation),
        }
    }
}

fn cases() -> Vec<Case> {
    let shape = |channels_in, channels_out, kernel, stride, pad_start, pad_end| ConvShape {
        n: 3,
        channels_in,
        channels_out,
        rows: 9,
        cols: 20,
        kernel,
        stride,
        pad_start,
        pad_end,
    };
    vec![
        Case::new(shape(4, 6, 1, 1, 0, 0), 1),
        Case::new(shape(3, 5, 3, 2, 1, 1), 1),
        Case::new(shape(3, 5, 3, 2, 0, 1), 1),
        Case::new(shape(2, 3, 7, 2, 3, 3), 1),
        Case::new(shape(3, 4, 1, 2, 0, 0), 1),
        Case::new(shape(6, 6, 3, 1, 1, 1), 6),
        Case::new(shape(6, 6, 5, 1, 2, 2), 6),
        Case::new(shape(6, 6, 3, 2, 0, 1), 6),
        Case::new(shape(6, 6, 5, 2, 1, 2), 6),
    ]
}

fn assert_close(got: &[f32], expected: &[f32], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!(
            (g - e).abs() < TOLERANCE,
            "{what}[{i}]: expected {e}, got {g}"
        );
    }
}

#[test]
fn forward_agrees_with_the_definition() {
    for case in cases() {
        for activation in [Activation::Linear, Activation::Relu6, Activation::Relu] {
            let got = case.forward(&case.x, &case.w, &case.b, activation);
            assert_close(&got, &case.naive(activation), &format!("{:?}", case.shape));
        }
    }
}

/// The convolution is linear in each argument, so `⟨grad, f(a + δ) − f(a)⟩ = ⟨gradient, δ⟩` holds
/// exactly without an activation.
#[test]
fn gradients_agree_with_differences() {
    for case in cases() {
        let n_out = case.shape.n * case.shape.channels_out * case.shape.plane_out();
        let grad = pseudo_random(n_out, 7);
        let gradients = case.backward(&grad, Activation::Linear);
        let inner = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        let zero = |v: &[f32]| vec![0.0; v.len()];
        for (name, gradient, change) in [
            ("input", &gradients.input, pseudo_random(case.x.len(), 11)),
            ("weight", &gradients.weight, pseudo_random(case.w.len(), 12)),
            ("bias", &gradients.bias, pseudo_random(case.b.len(), 13)),
        ] {
            let moved = match name {
                "input" => case.forward(&change, &case.w, &zero(&case.b), Activation::Linear),
                "weight" => case.forward(&case.x, &change, &zero(&case.b), Activation::Linear),
                _ => case.forward(&case.x, &zero(&case.w), &change, Activation::Linear),
            };
            let (expected, got) = (inner(&grad, &moved), inner(gradient, &change));
            assert!(
                (expected - got).abs() < 1e-3 * (1.0 + expected.abs()),
                "{name} of {:?}: expected {expected}, got {got}",
                case.shape
            );
        }
    }
}

#[test]
fn no_gradient_passes_where_the_activation_is_flat() {
    for case in cases() {
        let y = case.forward(&case.x, &case.w, &case.b, Activation::Relu6);
        let grad = vec![1.0; y.len()];
        let open: f32 = y
            .iter()
            .map(|&v| if v > 0.0 && v < 6.0 { 1.0 } else { 0.0 })
            .sum();
        let total: f32 = case.backward(&grad, Activation::Relu6).bias.iter().sum();
        assert_eq!(total, open);
    }
}
