//! The network of tiles: features, standardization, export and the way back.

use burn::tensor::{Device, Distribution, Tensor};
use lobule_model::{
    EfficientNetLite0, InputChannels, TileHead, TileHeadConfig, TileNet, WeightPrecision,
    efficientnet_lite0_from_pytorch, encode_tiles, export_tile_net, parameters, read_initializers,
};

use crate::{assert_close, values};

fn net(config: TileHeadConfig) -> TileNet {
    let device = Device::flex();
    let random = parameters(&TileNet::random_backbone(3, &device));
    TileNet {
        backbone: TileNet::backbone_of(random, &device).unwrap(),
        head: TileHead::random(config, 4, &device).unwrap(),
    }
}

fn tiles(side: usize) -> Tensor<4> {
    Tensor::random(
        [2, 3, side, side],
        Distribution::Normal(0.0, 1.0),
        &Device::flex(),
    )
}

#[test]
fn features_are_means_and_standard_deviations_of_the_channels() {
    let net = net(TileHeadConfig::default());
    let tiles = tiles(48);
    let maps = values(net.backbone.forward(tiles.clone()).stride_16);
    let features = values(encode_tiles(&net.backbone, tiles));
    let channels = EfficientNetLite0::CHANNELS_16;
    assert_eq!(features.len(), 2 * TileNet::FEATURES);
    // 48 / 16: nine places. The second tile's fifth channel.
    let places = &maps[9 * (channels + 5)..9 * (channels + 6)];
    let mean = places.iter().sum::<f32>() / 9.0;
    let variance = places.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 9.0;
    let own = &features[TileNet::FEATURES..];
    assert_close(&[own[5]], &[mean], "mean");
    assert_close(&[own[channels + 5]], &[(variance + 1e-6).sqrt()], "spread");
}

#[test]
fn standardization_goes_into_the_first_layer() {
    let device = Device::flex();
    let mean: Vec<f32> = (0..TileNet::FEATURES).map(|i| i as f32 / 100.0).collect();
    let std: Vec<f32> = (0..TileNet::FEATURES)
        .map(|i| 0.5 + i as f32 / 50.0)
        .collect();
    let raw = Tensor::<2>::random([3, TileNet::FEATURES], Distribution::Default, &device);
    let row = |v: &[f32]| Tensor::<1>::from_floats(v, &device).reshape([1, TileNet::FEATURES]);
    let standardized = (raw.clone() - row(&mean)) / row(&std);
    for config in [
        TileHeadConfig::default(),
        TileHeadConfig {
            hidden: 0,
            ..TileHeadConfig::default()
        },
        TileHeadConfig {
            attention: 4,
            ..TileHeadConfig::default()
        },
    ] {
        let head = TileHead::random(config, 1, &device).unwrap();
        let expected = head.forward(standardized.clone());
        let got = head
            .behind_standardization(&mean, &std)
            .forward(raw.clone());
        assert_close(
            &values(got.probabilities),
            &values(expected.probabilities),
            "p",
        );
        assert_eq!(got.attention_logits.is_some(), config.attention > 0);
        if let (Some(a), Some(b)) = (got.attention_logits, expected.attention_logits) {
            assert_close(&values(a), &values(b), "attention");
        }
    }
}

#[test]
fn an_exported_net_comes_back_with_all_its_sizes() {
    for config in [
        TileHeadConfig::default(),
        TileHeadConfig {
            hidden: 0,
            attention: 0,
            classes: 3,
        },
        TileHeadConfig {
            hidden: 8,
            attention: 4,
            classes: 2,
        },
    ] {
        let net = net(config);
        let model = export_tile_net(&net, 64, WeightPrecision::Half).unwrap();
        let again =
            TileNet::from_parameters(read_initializers(&model).unwrap(), &Device::flex()).unwrap();
        // The encoder was rounded to 16 bits before, the head is stored in 32.
        assert_eq!(parameters(&again), parameters(&net), "{config:?}");
        assert!(model.len() < 2_000_000, "{} bytes", model.len());
    }
}

#[test]
fn impossible_sizes_are_refused() {
    let device = Device::flex();
    for config in [
        TileHeadConfig {
            hidden: 0,
            attention: 4,
            classes: 2,
        },
        TileHeadConfig {
            hidden: 4,
            attention: 0,
            classes: 1,
        },
    ] {
        assert!(TileHead::random(config, 1, &device).is_err(), "{config:?}");
    }
    for side in [0, 40] {
        let net = net(TileHeadConfig::default());
        assert!(
            export_tile_net(&net, side, WeightPrecision::Half).is_err(),
            "{side}"
        );
    }
    assert!(TileNet::from_parameters(Default::default(), &device).is_err());
}

/// The published weights up to stride 16: the same as the whole network's finer features, but for the
/// rounding to 16 bits.
#[test]
fn the_encoder_is_the_leading_part_of_the_published_network() {
    let Some(file) = std::env::var_os("LOBULE_IMAGENET") else {
        println!("skipped: LOBULE_IMAGENET is not set");
        return;
    };
    let device = Device::flex();
    let weights = || {
        efficientnet_lite0_from_pytorch(file.as_ref(), InputChannels::Rgb)
            .unwrap()
            .0
    };
    let whole = EfficientNetLite0::random(3, &mut lobule_model::Init::new(1, &device));
    let whole = lobule_model::load_parameters(whole, weights()).unwrap();
    let cut = TileNet::backbone_of(weights(), &device).unwrap();
    let tiles = tiles(64);
    let expected = values(whole.forward(tiles.clone()).stride_16);
    let got = values(cut.forward(tiles).stride_16);
    let scale = expected.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
    let gap = got
        .iter()
        .zip(&expected)
        .fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(gap < 0.01 * scale, "{gap} of {scale}");
}
