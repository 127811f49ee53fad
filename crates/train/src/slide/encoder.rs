//! The frozen encoder, and the features of a slide's tiles on disk.
//!
//! Owns: which weights, batches, the cache. A cache file holds the tiles of one slide; its name is a
//! hash over everything that decides them, so that a changed slide, annotation, encoder or preparation
//! is another file. Does not own: which tiles are taken (`tiles`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use lobule_model::{
    EfficientNetLite0, InputChannels, NamedTensor, TileNet, efficientnet_lite0_from_pytorch,
    encode_tiles, parameters, read_initializers,
};
use lobule_slide::GridKey;
use sha2::{Digest, Sha256};

use super::tiles::Tiles;
use crate::checkpoint::{decode, encode};
use crate::{Error, ErrorKind};

/// Tiles per forward pass.
const BATCH: usize = 16;

/// The encoder with its hash.
pub(super) struct Encoder {
    pub(super) backbone: EfficientNetLite0,
    /// SHA-256 over its weights.
    pub(super) digest: String,
    device: Device,
}

impl Encoder {
    /// From a checkpoint or a member, or random.
    pub(super) fn open(file: Option<&Path>, seed: u64, device: &Device) -> Result<Encoder, Error> {
        let weights = match file {
            None => Ok(parameters(&TileNet::random_backbone(seed, device))),
            Some(file) if file.extension().is_some_and(|e| e == "onnx") => {
                let bytes = std::fs::read(file).map_err(|e| Error::io(file, e))?;
                read_initializers(&bytes).map(of_backbone)
            }
            Some(file) => efficientnet_lite0_from_pytorch(file, InputChannels::Rgb).map(|w| w.0),
        };
        let backbone = weights.and_then(|w| TileNet::backbone_of(w, device));
        let backbone = backbone.map_err(|e| {
            let error = Error::new(ErrorKind::Config, e.to_string());
            match file {
                Some(file) => error.in_file(file),
                None => error,
            }
        })?;
        Ok(Encoder {
            digest: digest_of(&parameters(&backbone)),
            backbone,
            device: device.clone(),
        })
    }

    /// The features of prepared tiles `[3, side, side]`, one after the other.
    pub(super) fn features(&self, inputs: &[Vec<f32>], side: usize) -> Vec<f32> {
        let batch = |inputs: &[Vec<f32>]| -> Vec<f32> {
            let data = TensorData::new(inputs.concat(), [inputs.len(), 3, side, side]);
            let features = encode_tiles(&self.backbone, Tensor::from_data(data, &self.device));
            let data = features.into_data().convert::<f32>();
            data.try_into_vec().expect("the data was converted to f32")
        };
        inputs.chunks(BATCH).flat_map(batch).collect()
    }
}

/// The weights below `backbone.`, without that.
fn of_backbone(weights: BTreeMap<String, NamedTensor>) -> BTreeMap<String, NamedTensor> {
    let own = |(name, tensor): (String, NamedTensor)| {
        Some((name.strip_prefix("backbone.")?.to_owned(), tensor))
    };
    weights.into_iter().filter_map(own).collect()
}

fn digest_of(weights: &BTreeMap<String, NamedTensor>) -> String {
    format!("{:x}", Sha256::digest(encode(weights)))
}

/// Tiles with their features in a folder.
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub(super) fn new(folder: &Path) -> Result<Cache, Error> {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        Ok(Cache {
            folder: folder.to_owned(),
        })
    }

    fn file(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{}.features", &key[..32]))
    }

    /// What was stored under a key; none for a file that is damaged.
    pub(super) fn load(&self, key: &str) -> Option<Tiles> {
        let tensors = decode(&std::fs::read(self.file(key)).ok()?)?;
        let values = |name: &str| Some(tensors.get(name)?.values.clone());
        let pairs = values("keys")?;
        let keys = pairs.chunks_exact(2).map(|pair| GridKey {
            row: pair[0] as usize,
            col: pair[1] as usize,
        });
        let tiles = Tiles {
            keys: keys.collect(),
            shares: values("shares")?,
            features: values("features")?,
            views: *tensors.get("features")?.shape.get(1)?,
            stained: values("stained")? == [1.0],
        };
        let n = tiles.keys.len();
        let whole = tiles.features.len() == n * tiles.views * TileNet::FEATURES;
        (whole && tiles.shares.len() == n).then_some(tiles)
    }

    /// Writes a file so that a cut leaves none or all of it.
    pub(super) fn store(&self, key: &str, tiles: &Tiles) -> Result<(), Error> {
        let n = tiles.keys.len();
        let pairs = tiles
            .keys
            .iter()
            .flat_map(|key| [key.row as f32, key.col as f32]);
        let tensor = |shape: Vec<usize>, values: Vec<f32>| NamedTensor { shape, values };
        let stained = f32::from(u8::from(tiles.stained));
        let tensors = BTreeMap::from([
            ("keys".to_owned(), tensor(vec![n, 2], pairs.collect())),
            ("shares".to_owned(), tensor(vec![n], tiles.shares.clone())),
            ("stained".to_owned(), tensor(vec![1], vec![stained])),
            (
                "features".to_owned(),
                tensor(
                    vec![n, tiles.views, TileNet::FEATURES],
                    tiles.features.clone(),
                ),
            ),
        ]);
        let file = self.file(key);
        let part = file.with_extension(format!("part-{}", std::process::id()));
        std::fs::write(&part, encode(&tensors))
            .and_then(|()| std::fs::rename(&part, &file))
            .map_err(|e| Error::io(&file, e))
    }
}
