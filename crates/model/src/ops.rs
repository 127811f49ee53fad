//! The convolution of [`crate::kernels`] as an operation that burn can differentiate.
//!
//! On the CPU backend the operation runs our kernels; on any other backend it is composed of
//! burn's own convolution, bias and clamp.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, Backend, Dispatch, DispatchDevice, Flex, TensorMetadata, backend_extension,
};
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{Bytes, DType, Device, Shape, Tensor};

use crate::kernels::{
    Activation, ConvShape, Needed, dense_backward, dense_forward, depthwise_backward,
    depthwise_forward,
};

/// How the channels of a convolution are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// Every output channel sees every input channel.
    Dense,
    /// Every channel is filtered on its own.
    Depthwise,
}

/// Everything about a convolution but its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvPlan {
    /// How channels are connected.
    pub connection: Connection,
    /// Step in both directions.
    pub stride: usize,
    /// Padding before the first row and column.
    pub pad_start: usize,
    /// Padding after the last row and column.
    pub pad_end: usize,
    /// What follows.
    pub activation: Activation,
}

/// `activation(weight ∗ x + bias)`.
///
/// # Shapes
/// `x` `[n, c, h, w]`; `weight` `[o, c, k, k]`, depthwise `[c, 1, k, k]` with k 3 or 5; `bias` `[o]`.
///
/// # Panics
/// When the shapes do not fit together, as burn's own operations do.
pub fn convolve(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, plan: ConvPlan) -> Tensor<4> {
    if !has_kernels(&x.device()) {
        return compose(x, weight, bias, plan);
    }
    Tensor::from_dispatch(<Dispatch as ConvOps>::conv_act(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        plan,
    ))
}

/// Whether our kernels run on a device.
fn has_kernels(device: &Device) -> bool {
    matches!(
        device.clone().inner().as_dispatch(),
        DispatchDevice::Flex(_)
    )
}

/// The same of burn's own operations, for any device.
fn compose(x: Tensor<4>, weight: Tensor<4>, bias: Tensor<1>, plan: ConvPlan) -> Tensor<4> {
    let (start, end) = (plan.pad_start, plan.pad_end);
    let x = match start + end {
        0 => x,
        _ => x.pad((start, end, start, end), PadMode::Constant(0.0)),
    };
    let groups = match plan.connection {
        Connection::Dense => 1,
        Connection::Depthwise => weight.dims()[0],
    };
    let options = ConvOptions::new([plan.stride; 2], [0, 0], [1, 1], groups);
    let y = conv2d(x, weight, Some(bias), options);
    match plan.activation {
        Activation::Linear => y,
        Activation::Relu => relu(y),
        Activation::Relu6 => y.clamp(0.0, 6.0),
    }
}

/// The differentiable operation.
#[backend_extension(Flex, Autodiff)]
pub trait ConvOps: Backend {
    /// See [`convolve`].
    fn conv_act(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        plan: ConvPlan,
    ) -> FloatTensor<Self>;
}

/// What a backend brings for [`ConvOps`] to be differentiable on it.
pub trait ConvGradient: ConvOps {
    /// The gradients of input (if needed), weight and bias.
    fn conv_act_backward(
        inputs: (FloatTensor<Self>, FloatTensor<Self>),
        output: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        plan: ConvPlan,
        input: InputGradient,
    ) -> (
        Option<FloatTensor<Self>>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    );
}

/// Whether the input's gradient is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputGradient {
    /// The input is the picture itself.
    Skipped,
    /// The input comes from an earlier layer.
    Wanted,
}

type FlexTensor = FloatTensor<Flex>;

impl ConvOps for Flex {
    fn conv_act(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, plan: ConvPlan) -> FlexTensor {
        let (x, weight, bias) = (
            x.to_contiguous(),
            weight.to_contiguous(),
            bias.to_contiguous(),
        );
        let shape = conv_shape(&x.shape(), &weight.shape(), plan);
        let run = match plan.connection {
            Connection::Dense => dense_forward,
            Connection::Depthwise => depthwise_forward,
        };
        let y = run(
            &shape,
            values(&x),
            values(&weight),
            values(&bias),
            plan.activation,
        );
        tensor(
            y,
            [
                shape.n,
                shape.channels_out,
                shape.rows_out(),
                shape.cols_out(),
            ],
        )
    }
}

impl ConvGradient for Flex {
    fn conv_act_backward(
        (x, weight): (FlexTensor, FlexTensor),
        output: FlexTensor,
        grad: FlexTensor,
        plan: ConvPlan,
        input: InputGradient,
    ) -> (Option<FlexTensor>, FlexTensor, FlexTensor) {
        let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
        let (output, grad) = (output.to_contiguous(), grad.to_contiguous());
        let shape = conv_shape(&x.shape(), &weight.shape(), plan);
        let needed = match input {
            InputGradient::Skipped => Needed::Parameters,
            InputGradient::Wanted => Needed::All,
        };
        let (x_values, weights, pair) = (
            values(&x),
            values(&weight),
            (values(&output), values(&grad)),
        );
        let gradients = match plan.connection {
            Connection::Dense => {
                dense_backward(&shape, x_values, weights, pair, plan.activation, needed)
            }
            Connection::Depthwise => {
                depthwise_backward(&shape, x_values, weights, pair, plan.activation)
            }
        };
        let input = (input == InputGradient::Wanted)
            .then(|| tensor(gradients.input, x.shape().dims::<4>()));
        (
            input,
            tensor(gradients.weight, weight.shape().dims::<4>()),
            tensor(gradients.bias, [shape.channels_out]),
        )
    }
}

fn values(tensor: &FlexTensor) -> &[f32] {
    tensor
        .as_slice::<f32>()
        .expect("a contiguous f32 tensor is a slice")
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(burn::tensor::TensorData::from_bytes(
        Bytes::from_elems(values),
        Shape::from(shape),
        DType::F32,
    ))
}

fn conv_shape(x: &Shape, weight: &Shape, plan: ConvPlan) -> ConvShape {
    let [n, channels_in, rows, cols] = x.dims();
    let [channels_out, weight_in, kernel, kernel_cols] = weight.dims();
    let expected_in = match plan.connection {
        Connection::Dense => channels_in,
        Connection::Depthwise => 1,
    };
    assert_eq!(
        weight_in, expected_in,
        "input channels of the weight {weight:?} for {x:?}"
    );
    assert_eq!(kernel, kernel_cols, "a kernel is square");
    if plan.connection == Connection::Depthwise {
        assert_eq!(
            channels_in, channels_out,
            "a depthwise convolution keeps its channels"
        );
        assert!(
            kernel == 3 || kernel == 5,
            "a depthwise kernel is 3 or 5 wide, got {kernel}"
        );
    }
    ConvShape {
        n,
        channels_in,
        channels_out,
        rows,
        cols,
        kernel,
        stride: plan.stride,
        pad_start: plan.pad_start,
        pad_end: plan.pad_end,
    }
}

impl<B: ConvGradient, C: CheckpointStrategy> ConvOps for Autodiff<B, C> {
    fn conv_act(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        plan: ConvPlan,
    ) -> FloatTensor<Self> {
        #[derive(Debug)]
        struct ConvAct;

        impl<B: ConvGradient> Backward<B, 3> for ConvAct {
            type State = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, ConvPlan);

            fn backward(
                self,
                ops: Ops<Self::State, 3>,
                grads: &mut Gradients,
                _checkpointer: &mut Checkpointer,
            ) {
                let [node_x, node_weight, node_bias] = ops.parents;
                let grad = grads.consume::<B>(&ops.node);
                let (x, weight, y, plan) = ops.state;
                let wanted = match node_x {
                    Some(_) => InputGradient::Wanted,
                    None => InputGradient::Skipped,
                };
                let (x, weight, bias) = B::conv_act_backward((x, weight), y, grad, plan, wanted);
                if let (Some(node), Some(x)) = (node_x, x) {
                    grads.register::<B>(node.id, x);
                }
                if let Some(node) = node_weight {
                    grads.register::<B>(node.id, weight);
                }
                if let Some(node) = node_bias {
                    grads.register::<B>(node.id, bias);
                }
            }
        }

        let nodes = [x.node(), weight.node(), bias.node()];
        let (x, weight, bias) = (
            x.into_primitive(),
            weight.into_primitive(),
            bias.into_primitive(),
        );
        let y = B::conv_act(x.clone(), weight.clone(), bias, plan);
        match ConvAct.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, weight, y.clone(), plan), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    #[test]
    fn both_ways_give_the_same() {
        let device = Device::flex();
        for (connection, weight, stride, activation) in [
            (Connection::Dense, [3, 4, 3, 3], 2, Activation::Relu6),
            (Connection::Dense, [3, 4, 1, 1], 1, Activation::Linear),
            (Connection::Depthwise, [4, 1, 5, 5], 2, Activation::Relu),
        ] {
            let random = |shape| Tensor::<4>::random(shape, Distribution::Default, &device);
            let (x, w) = (random([2, 4, 8, 10]), random(weight));
            let b = Tensor::<1>::random([weight[0]], Distribution::Default, &device);
            let plan = crate::same(connection, weight[2], stride, activation);
            let composed = compose(x.clone(), w.clone(), b.clone(), plan);
            let gap = (convolve(x, w, b, plan) - composed).abs().max();
            assert!(gap.into_scalar::<f32>() < 1e-4, "{connection:?}");
        }
    }
}
