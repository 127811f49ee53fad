//! The networks at the crate's boundary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod checkpoint;
mod gmic;
mod gmic_exam;
mod golden;
mod tile;

use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, Tensor};
use lobule_model::{
    Activation, BackboneKind, Connection, SaliencyConfig, SaliencyNet, WeightPrecision, convolve,
    export_saliency, load_parameters, parameters, pool_bags, read_initializers, same,
    top_share_mean,
};

/// Sums of a few hundred f32 products of order one.
const TOLERANCE: f32 = 1e-4;

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().try_into_vec().unwrap()
}

fn assert_close(got: &[f32], expected: &[f32], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (g, e) in got.iter().zip(expected) {
        assert!(
            (g - e).abs() < TOLERANCE * (1.0 + e.abs()),
            "{what}: expected {e}, got {g}"
        );
    }
}

fn small_net(device: &Device) -> SaliencyNet {
    net_with(BackboneKind::EfficientnetLite0, device)
}

fn net_with(backbone: BackboneKind, device: &Device) -> SaliencyNet {
    let config = SaliencyConfig {
        backbone,
        hidden: 8,
        attention: 4,
        top_share: 0.1,
    };
    SaliencyNet::random(config, 1, device)
}

/// Our operation against burn's own convolution: outputs and all three gradients.
#[test]
fn convolution_and_gradients_agree_with_burn() {
    let device = Device::flex().autodiff();
    for (connection, groups, weight) in [
        (Connection::Dense, 1, [6, 4, 3, 3]),
        (Connection::Depthwise, 4, [4, 1, 3, 3]),
    ] {
        let random = |shape| {
            Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device).require_grad()
        };
        let (x, w) = (random([2, 4, 8, 10]), random(weight));
        let b = Tensor::<1>::random([weight[0]], Distribution::Default, &device).require_grad();
        let ours = convolve(
            x.clone(),
            w.clone(),
            b.clone(),
            same(connection, 3, 1, Activation::Relu),
        );
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], groups);
        let theirs = relu(conv2d(x.clone(), w.clone(), Some(b.clone()), options));
        assert_close(&values(ours.clone()), &values(theirs.clone()), "output");
        let scale = Tensor::<4>::random(ours.dims(), Distribution::Default, &device);
        let a = (ours * scale.clone()).sum().backward();
        let e = (theirs * scale).sum().backward();
        assert_close(
            &values(x.grad(&a).unwrap()),
            &values(x.grad(&e).unwrap()),
            "input",
        );
        assert_close(
            &values(w.grad(&a).unwrap()),
            &values(w.grad(&e).unwrap()),
            "weight",
        );
        assert_close(
            &values(b.grad(&a).unwrap()),
            &values(b.grad(&e).unwrap()),
            "bias",
        );
    }
}

#[test]
fn the_top_share_is_the_mean_of_the_largest() {
    let device = Device::flex();
    let map = Tensor::<1>::from_floats([0.1, 0.9, 0.3, 0.7], &device).reshape([1, 1, 2, 2]);
    assert_close(&values(top_share_mean(map.clone(), 0.5)), &[0.8], "half");
    assert_close(
        &values(top_share_mean(map, 0.0)),
        &[0.9],
        "at least one pixel",
    );
}

#[test]
fn attention_sums_to_one_per_breast_and_ignores_the_order() {
    let device = Device::flex();
    let scores = Tensor::<1>::from_floats([0.1, 0.2, 0.8, 0.4, 0.5, 0.6], &device).reshape([3, 2]);
    let logits = Tensor::<1>::from_floats([0.3, -1.0, 2.0], &device).reshape([3, 1]);
    let (bags, attention) = pool_bags(scores.clone(), logits.clone(), &[0, 1, 0], 2);
    let (bags, attention) = (values(bags), values(attention));
    assert_close(
        &[attention[0] + attention[2], attention[1]],
        &[1.0, 1.0],
        "attention",
    );
    let weight = 1.0 / (1.0 + (2.0_f32 - 0.3).exp());
    assert_close(&attention[..1], &[weight], "softmax of two");
    let expected = weight * 0.1 + (1.0 - weight) * 0.5;
    assert_close(
        &bags,
        &[expected, weight * 0.2 + (1.0 - weight) * 0.6, 0.8, 0.4],
        "scores",
    );
    let (flipped, _) = pool_bags(scores.flip([0]), logits.flip([0]), &[0, 1, 0], 2);
    assert_close(&values(flipped), &bags, "order");
}

#[test]
fn an_exported_network_carries_its_parameters() {
    let device = Device::flex();
    for backbone in [BackboneKind::EfficientnetLite0, BackboneKind::Resnet18] {
        let net = net_with(backbone, &device);
        let model = export_saliency(&net, (64, 96), WeightPrecision::Single).unwrap();
        let read = read_initializers(&model).unwrap();
        assert!(
            read.contains_key("backbone.blocks.7.project.weight")
                || backbone == BackboneKind::Resnet18
        );
        assert_eq!(read, parameters(&net));
        let again = load_parameters(net_with(backbone, &device), read).unwrap();
        assert_eq!(parameters(&again), parameters(&net));
        assert!(export_saliency(&net, (64, 90), WeightPrecision::Half).is_err());
    }
}

#[test]
fn foreign_parameters_are_refused_by_name() {
    let device = Device::flex();
    let net = small_net(&device);
    let mut missing = parameters(&net);
    missing.remove("attention_w");
    let error = load_parameters(net.clone(), missing)
        .unwrap_err()
        .to_string();
    assert!(error.contains("attention_w"), "{error}");
    let mut bent = parameters(&net);
    bent.get_mut("attention_w").unwrap().shape = vec![1, 4];
    let error = load_parameters(net, bent).unwrap_err().to_string();
    assert!(error.contains("[4, 1]"), "{error}");
}

#[test]
fn damaged_models_are_errors() {
    let model =
        export_saliency(&small_net(&Device::flex()), (32, 32), WeightPrecision::Half).unwrap();
    for end in [1, 10, 1000, model.len() / 2, model.len() - 1] {
        assert!(read_initializers(&model[..end]).is_err(), "cut at {end}");
    }
}
