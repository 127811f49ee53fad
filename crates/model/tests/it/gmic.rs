//! GMIC against PyTorch (`golden/gmic.py`), against the published program, and engine against engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use lobule_assess::{MammogramEnsemble, TwoGraphs};
use lobule_engine::{EngineState, Options, TensorView, engines, open};
use lobule_exam::ClassScores;
use lobule_model::{
    GmicConfig, GmicNet, NamedTensor, WeightPrecision, export_gmic, gmic_from_pytorch,
    load_parameters, parameters, read_initializers,
};
use lobule_package::Manifest;
use lobule_raster::{Image, RoiConfig, retrieve_rois};
use serde::Deserialize;

use crate::checkpoint::{Container, write_checkpoint};
use crate::{assert_close, values};

/// How far programs may differ: sums of thousands of f32 products, squeezed by a sigmoid.
pub(crate) const AGREE: f32 = 1e-4;

/// A tensor of a checkpoint whose numbers follow a formula.
#[derive(Deserialize)]
pub(crate) struct Described {
    name: String,
    shape: Vec<usize>,
    rule: String,
}

/// Uniform in [0, 1): the finaliser of splitmix64.
fn uniform(k: u64, i: u64) -> f64 {
    let mut z = (k << 32 | i).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 * 2.0_f64.powi(-53)
}

/// The numbers of every described tensor; k is its place in the list.
pub(crate) fn made_up(described: &[Described]) -> BTreeMap<String, NamedTensor> {
    let tensor = |(k, d): (u64, &Described)| {
        let n: usize = d.shape.iter().product();
        let fan_in: usize = d.shape[1..].iter().product();
        let spread = 2.0 * (6.0 / fan_in as f64).sqrt() * 0.72;
        let value = |i| match d.rule.as_str() {
            "kaiming" => (uniform(k, i) - 0.5) * spread,
            "positive" => 0.5 + uniform(k, i),
            "small" => (uniform(k, i) - 0.5) * 0.1,
            other => panic!("no rule `{other}`"),
        };
        let values = (0..n as u64).map(|i| value(i) as f32).collect();
        let shape = d.shape.clone();
        (d.name.clone(), NamedTensor { shape, values })
    };
    (0..).zip(described).map(tensor).collect()
}

fn golden_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden")
}

#[derive(Deserialize)]
struct Golden {
    tensors: Vec<Described>,
    input: [usize; 2],
    side: usize,
    share: f64,
    saliency_shape: [usize; 4],
    saliency: Vec<f32>,
    global_scores: Vec<f32>,
    corners: Vec<(usize, usize)>,
    attention: Vec<f32>,
    local_scores: Vec<f32>,
    scores: Vec<f32>,
}

fn golden() -> Golden {
    let text = std::fs::read_to_string(golden_folder().join("gmic.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

impl Golden {
    fn config(&self) -> GmicConfig {
        GmicConfig {
            top_share: self.share,
            n_rois: self.corners.len(),
            roi_side: self.side,
        }
    }

    fn picture(&self) -> Image<f32> {
        let [rows, cols] = self.input;
        Image::from_fn(rows, cols, |r, c| {
            let bump = bump((r, c), (100.0, 80.0), (40.0, 30.0));
            (uniform(1000, (r * cols + c) as u64) + bump) as f32
        })
    }
}

fn bump((row, col): (usize, usize), center: (f64, f64), width: (f64, f64)) -> f64 {
    let (r, c) = (
        (row as f64 - center.0) / width.0,
        (col as f64 - center.1) / width.1,
    );
    (-r * r - c * c).exp()
}

/// Everything a program says of one image.
struct Said {
    saliency: Vec<f32>,
    global_scores: Vec<f32>,
    corners: Vec<(usize, usize)>,
    attention: Vec<f32>,
    local_scores: Vec<f32>,
    scores: Vec<f32>,
}

/// The windows to look at, and their pixels one after the other.
fn windows(
    image: &Image<f32>,
    saliency: &[f32],
    config: GmicConfig,
) -> (Vec<(usize, usize)>, Vec<f32>) {
    let grid = (image.rows() / 64, image.cols() / 64);
    let map = |plane: &[f32]| Image::from_pixels(grid.0, grid.1, plane.to_vec()).unwrap();
    let maps: Vec<Image<f32>> = saliency.chunks(grid.0 * grid.1).map(map).collect();
    let rois = RoiConfig {
        count: config.n_rois,
        side: config.roi_side,
    };
    let rois = retrieve_rois(&maps, (image.rows(), image.cols()), rois).unwrap();
    let pixels = rois.iter().flat_map(|&r| image.crop(r).into_pixels());
    (
        rois.iter().map(|r| (r.row, r.col)).collect(),
        pixels.collect(),
    )
}

fn said_by_burn(net: &GmicNet, image: &Image<f32>) -> Said {
    let (device, config) = (Device::flex(), net.config());
    let shape = [1, 1, image.rows(), image.cols()];
    let data = TensorData::new(image.pixels().to_vec(), shape);
    let seen = net.global.forward(Tensor::from_data(data, &device));
    let saliency = values(seen.saliency);
    let (corners, pixels) = windows(image, &saliency, config);
    let shape = [1, config.n_rois, config.roi_side, config.roi_side];
    let crops = Tensor::from_data(TensorData::new(pixels, shape), &device);
    let judged = net.local.forward(crops, seen.features);
    Said {
        saliency,
        global_scores: values(seen.scores),
        corners,
        attention: values(judged.attention),
        local_scores: values(judged.local_scores),
        scores: values(judged.scores),
    }
}

/// A package's description of the network.
pub(crate) fn manifest(config: GmicConfig, (rows, cols): (usize, usize)) -> Manifest {
    let (n_rois, side) = (config.n_rois, config.roi_side);
    let zeros = "0".repeat(64);
    let text = format!(
        r#"
format = 1
name = "gmic"
version = "1"
modality = "mammography"
status = "demonstration"
classes = ["benign", "malignant"]
research_use = "For tests."
default_operating_point = "half"
operating_points = [{{ name = "half", threshold = 0.5, chosen_by = "By hand." }}]
saliency = {{ finding_thresholds = {{ benign = 0.5, malignant = 0.5, chosen_by = "By hand." }} }}
training_data = []

[prepare]
kind = "mammogram"
rows = {rows}
cols = {cols}
scale = "fit"
outside = "background"
standardization = "input"

[wiring]
kind = "global-local"
n_rois = {n_rois}
roi_side = {side}
[wiring.global]
input = "images"
saliency = "saliency"
scores = "global_scores"
features = "features"
[wiring.local]
windows = "windows"
features = "features"
scores = "scores"
window_scores = "local_scores"
attention = "attention"

[[members]]
file = "global.onnx"
sha256 = "{zeros}"
left_out = ""
graphs.local = {{ file = "local.onnx", sha256 = "{zeros}" }}
"#
    );
    Manifest::from_toml(&text, Path::new("manifest.toml")).unwrap()
}

/// The same through the rooms that serve users: engine, choice of windows, engine.
fn said_by_engine(graphs: TwoGraphs, image: &Image<f32>, config: GmicConfig) -> Said {
    let manifest = manifest(config, (image.rows(), image.cols()));
    let mut ensemble = MammogramEnsemble::from_sessions(&manifest, vec![graphs]).unwrap();
    let mut judged = ensemble.run(std::slice::from_ref(image)).unwrap();
    let view = judged.pop().unwrap();
    let member = &view.members[0];
    let pair = |s: ClassScores| vec![s.benign as f32, s.malignant as f32];
    let places = member.windows.iter().map(|w| (w.place.row, w.place.col));
    let attention = member.windows.iter().map(|w| w.attention as f32);
    Said {
        corners: places.collect(),
        attention: attention.collect(),
        global_scores: pair(member.global_scores),
        local_scores: pair(member.window_scores),
        scores: pair(view.scores),
        saliency: [view.benign.into_pixels(), view.malignant.into_pixels()].concat(),
    }
}

/// What burn and every engine here say, by name.
fn said_by_all(net: &GmicNet, image: &Image<f32>) -> Vec<(String, Said)> {
    let mut all = vec![("burn".to_owned(), said_by_burn(net, image))];
    let size = (image.rows(), image.cols());
    let graphs = export_gmic(net, size, WeightPrecision::Single).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let paths = ["global.onnx", "local.onnx"].map(|name| folder.path().join(name));
    std::fs::write(&paths[0], graphs.global).unwrap();
    std::fs::write(&paths[1], graphs.local).unwrap();
    for engine in engines().into_iter().filter(|e| !e.kind.rounds()) {
        if let EngineState::Unavailable { reason } = engine.state {
            println!("skipped: {} ({reason})", engine.kind);
            continue;
        }
        let open = |path| open(Some(engine.kind), path, &Options { threads: 2 }).unwrap();
        let graphs = TwoGraphs {
            global: open(&paths[0]),
            local: open(&paths[1]),
        };
        let said = said_by_engine(graphs, image, net.config());
        all.push((engine.kind.to_string(), said));
    }
    all
}

fn assert_said(who: &str, got: &Said, expected: &Said) {
    let pairs = [
        ("saliency", &got.saliency, &expected.saliency),
        ("global scores", &got.global_scores, &expected.global_scores),
        ("attention", &got.attention, &expected.attention),
        ("local scores", &got.local_scores, &expected.local_scores),
        ("scores", &got.scores, &expected.scores),
    ];
    assert_eq!(got.corners, expected.corners, "{who}");
    for (what, got, expected) in pairs {
        assert_eq!(got.len(), expected.len(), "{who}: {what}");
        let gaps = got.iter().zip(expected).map(|(a, b)| (a - b).abs());
        let gap = gaps.fold(0.0, f32::max);
        println!("{who}: {what} differ by {gap:.1e}");
        assert!(gap < AGREE, "{who}: {what} differ by {gap}");
    }
}

/// The network with the weights of a checkpoint written here and imported again.
fn imported(tensors: &BTreeMap<String, NamedTensor>, config: GmicConfig) -> GmicNet {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.p");
    write_checkpoint(&file, tensors, Container::Zip);
    let net = GmicNet::random(config, 1, &Device::flex());
    load_parameters(net, gmic_from_pytorch(&file).unwrap()).unwrap()
}

#[test]
fn a_small_picture_gives_what_pytorch_gives() {
    let golden = golden();
    let net = imported(&made_up(&golden.tensors), golden.config());
    assert_eq!(golden.saliency_shape, [1, 2, 4, 3]);
    let image = golden.picture();
    let expected = Said {
        saliency: golden.saliency,
        global_scores: golden.global_scores,
        corners: golden.corners,
        attention: golden.attention,
        local_scores: golden.local_scores,
        scores: golden.scores,
    };
    for (who, said) in said_by_all(&net, &image) {
        assert_said(&who, &said, &expected);
    }
}

#[derive(Deserialize)]
struct Published {
    y_global: Vec<Vec<f32>>,
    y_local: Vec<Vec<f32>>,
    y_fusion: Vec<Vec<f32>>,
    patch_attention: Vec<Vec<f32>>,
    patch_locations_row_col: Vec<Vec<(f32, f32)>>,
    saliency: Vec<Vec<Vec<f32>>>,
}

/// Full size, 2944 × 1920, against the published program.
#[test]
fn the_published_program_is_met_number_by_number() {
    let Some(root) = std::env::var_os("LOBULE_REFERENCE") else {
        println!("skipped: the published GMIC program (LOBULE_REFERENCE is not set)");
        return;
    };
    let read = |name: &str| std::fs::read_to_string(Path::new(&root).join("gmic").join(name));
    let tensors: Vec<Described> = serde_json::from_str(&read("tensors.json").unwrap()).unwrap();
    let published: Published = serde_json::from_str(&read("expected.json").unwrap()).unwrap();
    let net = imported(&made_up(&tensors), GmicConfig::default());
    let corner = |&(r, c): &(f32, f32)| (r as usize, c as usize);
    let expected = Said {
        saliency: published.saliency.into_iter().flatten().flatten().collect(),
        global_scores: published.y_global.concat(),
        corners: published.patch_locations_row_col[0]
            .iter()
            .map(corner)
            .collect(),
        attention: published.patch_attention.concat(),
        local_scores: published.y_local.concat(),
        scores: published.y_fusion.concat(),
    };
    for (who, said) in said_by_all(&net, &published_picture()) {
        assert_said(&who, &said, &expected);
    }
}

fn published_picture() -> Image<f32> {
    let (rows, cols) = (2944, 1920);
    let raw = Image::from_fn(rows, cols, |r, c| {
        0.25 * uniform(1000, (r * cols + c) as u64)
            + bump((r, c), (1500.0, 700.0), (500.0, 300.0))
            + 0.5 * bump((r, c), (700.0, 400.0), (60.0, 60.0))
    });
    let n = (rows * cols) as f64;
    let mean = raw.pixels().iter().sum::<f64>() / n;
    let squares = raw.pixels().iter().map(|v| (v - mean) * (v - mean));
    let deviation = (squares.sum::<f64>() / n).sqrt();
    let image = raw.map(|v| ((v - mean) / deviation) as f32);
    let corner = [image.at(0, 0), image.at(0, 1), image.at(1500, 700)];
    assert_close(&corner, &[0.03798859, -0.627_172_95, 4.936_58], "picture");
    image
}

#[test]
fn zip_and_legacy_checkpoints_read_alike() {
    let tensors = made_up(&golden().tensors);
    let folder = tempfile::tempdir().unwrap();
    let read = |container, name: &str| {
        let file = folder.path().join(name);
        write_checkpoint(&file, &tensors, container);
        gmic_from_pytorch(&file).unwrap()
    };
    let zip = read(Container::Zip, "zip.pt");
    assert_eq!(zip, read(Container::Legacy, "legacy.pt"));
    // By hand: the first normalisation, and a weight in front of one.
    let at = |name: &str| f64::from(tensors[name].values[0]);
    let path = "ds_net.layer_list.0.0";
    let scale = |norm: &str| {
        at(&format!("{norm}.weight")) / (at(&format!("{norm}.running_var")) + 1e-5).sqrt()
    };
    let first = |name: &str| zip[name].values[0];
    let got = [
        first("global.backbone.blocks.0.norm.scale"),
        first("global.backbone.blocks.0.norm.shift"),
        first("global.backbone.blocks.0.first.weight"),
        first("global.backbone.stem.bias"),
    ];
    let norm = format!("{path}.bn1");
    let shift = at(&format!("{norm}.bias")) - at(&format!("{norm}.running_mean")) * scale(&norm);
    let weight = at(&format!("{path}.conv1.weight")) * scale(&format!("{path}.bn2"));
    let expected = [scale(&norm), shift, weight, 0.0].map(|v| v as f32);
    assert_close(&got, &expected, "folded");
}

/// The files that PyTorch itself writes (`golden/gmic.py --checkpoint FOLDER`).
#[test]
fn pytorchs_own_files_read_like_ours() {
    let Some(folder) = std::env::var_os("LOBULE_GMIC").map(PathBuf::from) else {
        println!("skipped: checkpoints by PyTorch (LOBULE_GMIC is not set)");
        return;
    };
    let ours = folder.join("ours.pt");
    write_checkpoint(&ours, &made_up(&golden().tensors), Container::Zip);
    let expected = gmic_from_pytorch(&ours).unwrap();
    for name in ["zip.pt", "legacy.pt"] {
        assert!(
            gmic_from_pytorch(&folder.join(name)).unwrap() == expected,
            "{name}"
        );
    }
}

#[test]
fn foreign_checkpoints_are_refused_by_the_name_of_the_tensor() {
    type Damage = fn(&mut BTreeMap<String, NamedTensor>);
    const CONV: &str = "ds_net.layer_list.1.0.conv1.weight";
    let cases: [(Damage, &str); 5] = [
        (
            |t| drop(t.remove(CONV)),
            "expected a tensor `ds_net.layer_list.1.0.conv1.weight` of shape [32, 16, 3, 3], got none",
        ),
        (
            |t| t.get_mut(CONV).unwrap().shape = vec![32, 16, 9],
            "expected shape [32, 16, 3, 3] for `ds_net.layer_list.1.0.conv1.weight`, got [32, 16, 9]",
        ),
        (
            |t| {
                let more = t["fusion_dnn.bias"].clone();
                t.insert("fusion_dnn.more".into(), more);
            },
            "expected no tensor `fusion_dnn.more`, got one",
        ),
        (
            |t| t.get_mut(CONV).unwrap().values[7] = f32::NAN,
            "expected finite values in `ds_net.layer_list.1.0.conv1.weight`, got NaN",
        ),
        (
            |t| t.get_mut("dn_resnet.bn1.running_var").unwrap().values[3] = -0.5,
            "expected no negative value in `dn_resnet.bn1.running_var`, got -0.5",
        ),
    ];
    let whole = made_up(&golden().tensors);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.p");
    for (damage, expected) in cases {
        let mut tensors = whole.clone();
        damage(&mut tensors);
        write_checkpoint(&file, &tensors, Container::Legacy);
        let error = gmic_from_pytorch(&file).unwrap_err();
        assert_eq!(error.kind(), lobule_model::ErrorKind::Mismatch);
        assert!(error.to_string().ends_with(expected), "{error}");
    }
    std::fs::write(&file, b"no checkpoint").unwrap();
    let error = gmic_from_pytorch(&file).unwrap_err();
    assert_eq!(error.kind(), lobule_model::ErrorKind::Format);
}

#[test]
fn both_graphs_together_carry_the_parameters() {
    let config = GmicConfig {
        n_rois: 2,
        roi_side: 32,
        ..GmicConfig::default()
    };
    let net = GmicNet::random(config, 1, &Device::flex());
    let graphs = export_gmic(&net, (128, 64), WeightPrecision::Single).unwrap();
    let mut read = read_initializers(&graphs.global).unwrap();
    read.extend(read_initializers(&graphs.local).unwrap());
    assert!(read == parameters(&net));
    for size in [(0, 64), (128, 65), (64, 0)] {
        assert!(export_gmic(&net, size, WeightPrecision::Half).is_err());
    }
    for config in [
        GmicConfig {
            n_rois: 0,
            ..config
        },
        GmicConfig {
            roi_side: 0,
            ..config
        },
        GmicConfig {
            roi_side: 65,
            ..config
        },
    ] {
        let net = GmicNet::random(config, 1, &Device::flex());
        assert!(export_gmic(&net, (128, 64), WeightPrecision::Half).is_err());
    }
}

/// Two images at once say what each says alone, on every engine.
#[test]
fn a_batch_says_what_its_images_say() {
    let config = GmicConfig {
        n_rois: 2,
        roi_side: 32,
        top_share: 0.5,
    };
    let net = GmicNet::random(config, 3, &Device::flex());
    let windows: Vec<f32> = (0..2 * 2 * 32 * 32).map(|i| uniform(1, i) as f32).collect();
    let features: Vec<f32> = (0..2 * 256).map(|i| uniform(2, i) as f32).collect();
    let device = Device::flex();
    let tensor = |at: usize, n: usize| {
        let part = |all: &[f32], size: usize| all[at * size..(at + n) * size].to_vec();
        let x = TensorData::new(part(&windows, 2 * 32 * 32), [n, 2, 32, 32]);
        let f = TensorData::new(part(&features, 256), [n, 256]);
        net.local
            .forward(Tensor::from_data(x, &device), Tensor::from_data(f, &device))
    };
    let both = values(tensor(0, 2).scores);
    let alone = [values(tensor(0, 1).scores), values(tensor(1, 1).scores)].concat();
    assert_close(&both, &alone, "batch");
    let graphs = export_gmic(&net, (64, 64), WeightPrecision::Half).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("local.onnx");
    std::fs::write(&path, graphs.local).unwrap();
    for engine in engines().into_iter().filter(|e| !e.kind.rounds()) {
        if let EngineState::Unavailable { reason } = engine.state {
            println!("skipped: {} ({reason})", engine.kind);
            continue;
        }
        let mut session = open(Some(engine.kind), &path, &Options { threads: 1 }).unwrap();
        let view = |shape, data| TensorView { shape, data };
        let inputs = [
            ("windows", view(&[2, 2, 32, 32][..], &windows)),
            ("features", view(&[2, 256], &features)),
        ];
        let mut outputs = session.run(&inputs).unwrap();
        let got = outputs.take("scores", &[Some(2), Some(2)]).unwrap().data;
        for (a, b) in got.iter().zip(&both) {
            // Weights of 16 bits.
            assert!((a - b).abs() < 5e-3, "{}: {a} {b}", engine.kind);
        }
    }
}

/// A checkpoint is parsed, never executed; what is cut short is an error.
#[test]
fn hostile_checkpoints_are_errors_and_do_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.p");
    let made = folder.path().join("made");
    let mut program = b"\x80\x02cos\nmkdir\n(X".to_vec();
    let name = made.to_str().unwrap();
    program.extend((name.len() as u32).to_le_bytes());
    program.extend(name.as_bytes());
    program.extend(b"tR.");
    std::fs::write(&file, program).unwrap();
    assert!(gmic_from_pytorch(&file).is_err());
    assert!(!made.exists());
    let tensors = made_up(&golden().tensors);
    for container in [Container::Zip, Container::Legacy] {
        write_checkpoint(&file, &tensors, container);
        let whole = std::fs::read(&file).unwrap();
        for end in [0, 1, 100, 20_000, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&file, &whole[..end]).unwrap();
            assert!(
                gmic_from_pytorch(&file).is_err(),
                "{container:?} cut at {end}"
            );
        }
    }
}
