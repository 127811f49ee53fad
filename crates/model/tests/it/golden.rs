//! Values that PyTorch computed; the scripts lie beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use lobule_model::{
    Activation, BasicBlock, Connection, ConvUnit, EfficientNetLite0, ImagenetHead, Init,
    InputChannels, NamedTensor, convolve, efficientnet_lite0_from_pytorch, load_parameters,
    mil_loss, pool_bags, same, top_share_mean,
};
use serde::Deserialize;

use crate::{assert_close, values};

#[derive(Deserialize)]
struct Golden {
    convolutions: Vec<Convolution>,
    breast: Breast,
    block: Block,
}

#[derive(Deserialize)]
struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Array {
    fn tensor<const D: usize>(&self, device: &Device) -> Tensor<D> {
        Tensor::from_data(
            TensorData::new(self.values.clone(), self.shape.clone()),
            device,
        )
    }
}

#[derive(Deserialize)]
struct Convolution {
    kernel: usize,
    stride: usize,
    depthwise: bool,
    activation: String,
    x: Array,
    weight: Array,
    bias: Array,
    scale: Array,
    y: Array,
    x_grad: Array,
    weight_grad: Array,
    bias_grad: Array,
}

#[derive(Deserialize)]
struct Breast {
    saliency_logits: Array,
    attention_logits: Array,
    bag_of_image: Vec<usize>,
    targets: Array,
    share: f64,
    beta: f64,
    scores: Array,
    attention: Array,
    bags: Array,
    loss: f32,
    saliency_logits_grad: Array,
    attention_logits_grad: Array,
}

#[derive(Deserialize)]
struct Block {
    channels: usize,
    out: usize,
    stride: usize,
    x: Array,
    y: Array,
    x_grad: Array,
    weights: BTreeMap<String, Array>,
    biases: BTreeMap<String, Array>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden")
}

fn golden() -> Golden {
    let text = std::fs::read_to_string(folder().join("layers.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn convolutions_and_their_gradients_are_pytorchs() {
    let device = Device::flex().autodiff();
    for case in golden().convolutions {
        let activation = match case.activation.as_str() {
            "relu6" => Activation::Relu6,
            "relu" => Activation::Relu,
            _ => Activation::Linear,
        };
        let connection = if case.depthwise {
            Connection::Depthwise
        } else {
            Connection::Dense
        };
        let what = format!("{connection:?} {} / {}", case.kernel, case.stride);
        let x: Tensor<4> = case.x.tensor(&device).require_grad();
        let weight: Tensor<4> = case.weight.tensor(&device).require_grad();
        let bias: Tensor<1> = case.bias.tensor(&device).require_grad();
        let plan = same(connection, case.kernel, case.stride, activation);
        let y = convolve(x.clone(), weight.clone(), bias.clone(), plan);
        assert_close(&values(y.clone()), &case.y.values, &what);
        let grads = (y * case.scale.tensor(&device)).sum().backward();
        assert_close(&values(x.grad(&grads).unwrap()), &case.x_grad.values, &what);
        let weight = values(weight.grad(&grads).unwrap());
        assert_close(&weight, &case.weight_grad.values, &what);
        let bias = values(bias.grad(&grads).unwrap());
        assert_close(&bias, &case.bias_grad.values, &what);
    }
}

#[test]
fn a_residual_block_is_pytorchs() {
    let device = Device::flex().autodiff();
    let case = golden().block;
    let named = |array: &Array| NamedTensor {
        shape: array.shape.clone(),
        values: array.values.clone(),
    };
    let weights = case
        .weights
        .iter()
        .map(|(unit, a)| (format!("{unit}.weight"), named(a)));
    let biases = case
        .biases
        .iter()
        .map(|(unit, a)| (format!("{unit}.bias"), named(a)));
    let init = &mut Init::new(1, &device);
    let block = BasicBlock::random(case.channels, case.out, case.stride, init);
    let block = load_parameters(block, weights.chain(biases).collect()).unwrap();
    let x: Tensor<4> = case.x.tensor(&device).require_grad();
    let y = block.forward(x.clone());
    assert_close(&values(y.clone()), &case.y.values, "output");
    let grads = y.powi_scalar(2).sum().backward();
    assert_close(
        &values(x.grad(&grads).unwrap()),
        &case.x_grad.values,
        "gradient",
    );
}

#[test]
fn pooling_attention_and_loss_are_pytorchs() {
    let device = Device::flex().autodiff();
    let case = golden().breast;
    let logits: Tensor<4> = case.saliency_logits.tensor(&device).require_grad();
    let attention_logits: Tensor<2> = case.attention_logits.tensor(&device).require_grad();
    let saliency = sigmoid(logits.clone());
    let scores = top_share_mean(saliency.clone(), case.share);
    assert_close(&values(scores.clone()), &case.scores.values, "scores");
    let (bags, attention) = pool_bags(scores, attention_logits.clone(), &case.bag_of_image, 2);
    assert_close(&values(attention), &case.attention.values, "attention");
    assert_close(&values(bags.clone()), &case.bags.values, "bags");
    let loss = mil_loss(bags, case.targets.tensor(&device), saliency, case.beta);
    assert_close(&values(loss.clone()), &[case.loss], "loss");
    let grads = loss.backward();
    let got = values(logits.grad(&grads).unwrap());
    assert_close(&got, &case.saliency_logits_grad.values, "saliency gradient");
    let got = values(attention_logits.grad(&grads).unwrap());
    assert_close(
        &got,
        &case.attention_logits_grad.values,
        "attention gradient",
    );
}

/// The published weights in our network call a cat a cat and an espresso an espresso, with the
/// published code's own logits.
#[test]
fn the_imported_backbone_knows_a_cat_and_an_espresso() {
    let Some(file) = std::env::var_os("LOBULE_IMAGENET") else {
        println!("skipped: ImageNet logits (LOBULE_IMAGENET is not set)");
        return;
    };
    let device = Device::flex();
    let (weights, head) =
        efficientnet_lite0_from_pytorch(Path::new(&file), InputChannels::Rgb).unwrap();
    let net = EfficientNetLite0::random(3, &mut Init::new(1, &device));
    let net = load_parameters(net, weights).unwrap();
    let text = std::fs::read_to_string(folder().join("imagenet.json")).unwrap();
    let golden: BTreeMap<String, Vec<f32>> = serde_json::from_str(&text).unwrap();
    // Classes 281 to 285 are domestic cats; 967 is espresso.
    for (name, classes) in [("chelsea", 281..=285), ("coffee", 967..=967)] {
        let features = net.forward(picture(name, &device)).stride_32;
        let logits = values(classify(features, &head, &device));
        let best = (0..1000)
            .max_by(|&a, &b| logits[a].total_cmp(&logits[b]))
            .unwrap();
        assert!(classes.contains(&best), "{name}: class {best}");
        for (got, expected) in logits.iter().zip(&golden[name]) {
            assert!(
                (got - expected).abs() < 1e-3,
                "{name}: expected {expected}, got {got}"
            );
        }
    }
}

/// `[1, 3, 224, 224]`, (value − 127) / 128.
fn picture(name: &str, device: &Device) -> Tensor<4> {
    let picture = image::open(folder().join(format!("{name}.png"))).unwrap();
    let picture = picture.to_rgb8();
    let planes: Vec<f32> = (0..3)
        .flat_map(|channel| {
            picture
                .pixels()
                .map(move |p| (f32::from(p.0[channel]) - 127.0) / 128.0)
        })
        .collect();
    Tensor::from_data(TensorData::new(planes, [1, 3, 224, 224]), device)
}

/// The classification layers behind the backbone: 1×1 convolution, mean over the image, linear.
fn classify(features: Tensor<4>, head: &ImagenetHead, device: &Device) -> Tensor<1> {
    let tensor = |t: &NamedTensor| TensorData::new(t.values.clone(), t.shape.clone());
    let plan = same(Connection::Dense, 1, 1, Activation::Relu6);
    let unit = ConvUnit::random([1280, 320, 1, 1], plan, &mut Init::new(1, device));
    let weights = [
        ("weight".to_owned(), head.conv_weight.clone()),
        ("bias".to_owned(), head.conv_bias.clone()),
    ];
    let unit = load_parameters(unit, weights.into()).unwrap();
    let mean: Tensor<2> = unit
        .forward(features)
        .flatten::<3>(2, 3)
        .mean_dim(2)
        .squeeze_dim(2);
    let weight: Tensor<2> = Tensor::from_data(tensor(&head.fc_weight), device);
    let bias: Tensor<1> = Tensor::from_data(tensor(&head.fc_bias), device);
    mean.matmul(weight.transpose()).reshape([1000]) + bias
}
