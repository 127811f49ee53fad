//! How a package's graphs are joined to a result: their names, and what stands between them.

use serde::{Deserialize, Serialize};

use crate::Prepare;
use crate::manifest::{MOST_ENTRIES, repeated};

/// How the graphs are joined to a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Wiring {
    /// Images of a breast as a bag, weighted by gated attention.
    #[serde(rename = "attention-mil")]
    AttentionMil(AttentionMil),
    /// Two graphs: one sees the whole image and says where to look, one looks there.
    #[serde(rename = "global-local")]
    GlobalLocal(GlobalLocal),
    /// Tiles of a slide, each on its own.
    #[serde(rename = "tile-classifier")]
    TileClassifier(TileClassifier),
}

/// Names of the input and output of a graph that sees `n` tiles of `h × w`, `k` classes:
///
/// | name | shape | meaning |
/// |---|---|---|
/// | `input` | `[n, 3, h, w]` | prepared tiles: red, green, blue |
/// | `probabilities` | `[n, k]` | per class, in 0..=1 |
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TileClassifier {
    /// The tiles.
    pub input: String,
    /// The classes' probabilities.
    pub probabilities: String,
}

impl Default for TileClassifier {
    fn default() -> TileClassifier {
        TileClassifier {
            input: "tiles".into(),
            probabilities: "probabilities".into(),
        }
    }
}

/// Names of the graph's input and outputs. `n` images of `h × w`, `k` classes:
///
/// | name | shape | meaning |
/// |---|---|---|
/// | `input` | `[n, 1, h, w]` | prepared images |
/// | `saliency` | `[n, k, gh, gw]` | per-class saliency in 0..=1 |
/// | `image_scores` | `[n, k]` | pooled saliency in 0..=1 |
/// | `attention_logits` | `[n, 1]` | softmax over a breast's images gives their weights |
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttentionMil {
    /// The images.
    pub input: String,
    /// The saliency maps.
    pub saliency: String,
    /// The images' scores.
    pub image_scores: String,
    /// The images' attention before the softmax.
    pub attention_logits: String,
}

impl Default for AttentionMil {
    fn default() -> AttentionMil {
        AttentionMil {
            input: "images".into(),
            saliency: "saliency".into(),
            image_scores: "image_scores".into(),
            attention_logits: "attention_logits".into(),
        }
    }
}

/// Name of the second graph of a member wired as [`GlobalLocal`].
pub const LOCAL_GRAPH: &str = "local";

/// The member's file sees whole images; its graph [`LOCAL_GRAPH`] sees the `n_rois` windows of
/// `roi_side × roi_side` pixels of the prepared image that hold most of the saliency
/// (`retrieve_rois` of the crate `raster`).
///
/// ```toml
/// [wiring]
/// kind = "global-local"
/// n_rois = 6
/// roi_side = 256
///
/// [wiring.global]
/// input = "images"
/// saliency = "saliency"
/// scores = "global_scores"
/// features = "features"
///
/// [wiring.local]
/// windows = "windows"
/// features = "features"
/// scores = "scores"
/// window_scores = "local_scores"
/// attention = "attention"
///
/// [[members]]
/// file = "member-1-global.onnx"
/// # …
///
/// [members.graphs.local]
/// file = "member-1-local.onnx"
/// # …
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalLocal {
    /// Windows per image.
    pub n_rois: usize,
    /// Rows and columns of a window, in pixels of the prepared image.
    pub roi_side: usize,
    /// Names of the graph that sees whole images.
    pub global: GlobalGraph,
    /// Names of the graph that sees windows.
    pub local: LocalGraph,
}

/// Names of the input and outputs of the graph that sees `n` whole images of `h × w`, `k` classes:
///
/// | name | shape | meaning |
/// |---|---|---|
/// | `input` | `[n, 1, h, w]` | prepared images |
/// | `saliency` | `[n, k, gh, gw]` | per-class saliency in 0..=1 |
/// | `scores` | `[n, k]` | pooled saliency in 0..=1 |
/// | `features` | `[n, f]` | for the other graph |
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobalGraph {
    /// The images.
    pub input: String,
    /// The saliency maps.
    pub saliency: String,
    /// Scores by the whole image alone.
    pub scores: String,
    /// What the other graph takes along.
    pub features: String,
}

/// Names of the inputs and outputs of the graph that sees `r` windows of `s × s` of each image:
///
/// | name | shape | meaning |
/// |---|---|---|
/// | `windows` | `[n, r, s, s]` | windows of the prepared images |
/// | `features` | `[n, f]` | from the other graph |
/// | `scores` | `[n, k]` | in 0..=1, by image and windows: the result |
/// | `window_scores` | `[n, k]` | in 0..=1, by the windows alone |
/// | `attention` | `[n, r]` | weight of each window; they sum to one |
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalGraph {
    /// The windows.
    pub windows: String,
    /// What the other graph gives.
    pub features: String,
    /// The result.
    pub scores: String,
    /// Scores by the windows alone.
    pub window_scores: String,
    /// Weights of the windows.
    pub attention: String,
}

impl Default for GlobalLocal {
    fn default() -> GlobalLocal {
        GlobalLocal {
            n_rois: 6,
            roi_side: 256,
            global: GlobalGraph {
                input: "images".into(),
                saliency: "saliency".into(),
                scores: "global_scores".into(),
                features: "features".into(),
            },
            local: LocalGraph {
                windows: "windows".into(),
                features: "features".into(),
                scores: "scores".into(),
                window_scores: "local_scores".into(),
                attention: "attention".into(),
            },
        }
    }
}

impl Wiring {
    /// Names of the graphs that a member has besides its own file.
    pub(crate) fn further_graphs(&self) -> &'static [&'static str] {
        match self {
            Wiring::AttentionMil(_) | Wiring::TileClassifier(_) => &[],
            Wiring::GlobalLocal(_) => &[LOCAL_GRAPH],
        }
    }

    pub(crate) fn problem(&self, prepare: &Prepare) -> Option<String> {
        let of_tiles = matches!(self, Wiring::TileClassifier(_));
        if of_tiles != matches!(prepare, Prepare::Tile(_)) {
            return Some(
                "expected the wiring tile-classifier with the preparation tile, and only there"
                    .into(),
            );
        }
        match self {
            Wiring::AttentionMil(names) => name_problem(
                &[&names.input],
                &[
                    &names.saliency,
                    &names.image_scores,
                    &names.attention_logits,
                ],
            ),
            Wiring::GlobalLocal(wiring) => wiring.problem(prepare),
            Wiring::TileClassifier(names) => name_problem(&[&names.input], &[&names.probabilities]),
        }
    }
}

impl GlobalLocal {
    fn problem(&self, prepare: &Prepare) -> Option<String> {
        let (global, local) = (&self.global, &self.local);
        let (rows, cols) = prepare.size();
        let most = rows.min(cols);
        if !(1..=MOST_ENTRIES).contains(&self.n_rois) || !(1..=most).contains(&self.roi_side) {
            return Some(format!(
                "expected 1 to {MOST_ENTRIES} windows of 1 to {most} pixels, got {} of {}",
                self.n_rois, self.roi_side
            ));
        }
        name_problem(
            &[&global.input],
            &[&global.saliency, &global.scores, &global.features],
        )
        .or_else(|| {
            name_problem(
                &[&local.windows, &local.features],
                &[&local.scores, &local.window_scores, &local.attention],
            )
        })
    }
}

/// Names of one graph's inputs and of its outputs.
fn name_problem(inputs: &[&String], outputs: &[&String]) -> Option<String> {
    let wrong =
        |names: &[&String]| names.iter().any(|n| n.is_empty()) || repeated(names.iter().copied());
    if wrong(inputs) {
        return Some("expected different names for the graph's inputs".into());
    }
    wrong(outputs).then(|| "expected different names for the graph's outputs".into())
}
