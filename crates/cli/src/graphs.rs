//! The graphs of a package's members with fixed inputs: for timing and for comparing engines.

use std::path::PathBuf;

use lobule_engine::bench::fixed_images;
use lobule_engine::{EngineKind, Options, Tensor, TensorView, open};
use lobule_package::{GlobalLocal, LOCAL_GRAPH, Package, Wiring};

use crate::failure::Failure;

/// A graph and what goes into it.
pub(crate) struct GraphCase {
    pub(crate) path: PathBuf,
    pub(crate) inputs: Vec<(String, Tensor)>,
}

impl GraphCase {
    /// A graph of one input, which takes images.
    pub(crate) fn of_images(path: PathBuf, input: String, shape: [usize; 4]) -> GraphCase {
        GraphCase {
            path,
            inputs: vec![(input, fixed(&shape))],
        }
    }

    /// File name of the graph.
    pub(crate) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    pub(crate) fn views(&self) -> Vec<(&str, TensorView<'_>)> {
        self.inputs
            .iter()
            .map(|(name, tensor)| {
                let view = TensorView {
                    shape: &tensor.shape,
                    data: &tensor.data,
                };
                (name.as_str(), view)
            })
            .collect()
    }
}

/// Images per run of a package's graphs: `most`, or one where inputs are large.
pub(crate) fn images_at_once(package: &Package, most: usize) -> usize {
    match package.manifest().prepare.is_large() {
        true => 1,
        false => most,
    }
}

/// Every graph of the member at `idx` of the manifest's list, its own file first, for `n` images.
///
/// What a second graph takes from the first is what the first gives for its fixed input.
pub(crate) fn cases(package: &Package, idx: usize, n: usize) -> Result<Vec<GraphCase>, Failure> {
    let manifest = package.manifest();
    let (rows, cols) = manifest.prepare.size();
    let file = |paths: Vec<PathBuf>| paths.into_iter().nth(idx).ok_or_else(no_member);
    let own = file(package.member_paths())?;
    let shape = [n, manifest.prepare.channels(), rows, cols];
    match &manifest.wiring {
        Wiring::AttentionMil(names) => {
            Ok(vec![GraphCase::of_images(own, names.input.clone(), shape)])
        }
        Wiring::GlobalLocal(wiring) => {
            let global = GraphCase::of_images(own, wiring.global.input.clone(), shape);
            let local = file(package.graph_paths(LOCAL_GRAPH))?;
            let local = local_case(local, wiring, &global, n)?;
            Ok(vec![global, local])
        }
        Wiring::TileClassifier(names) => {
            Ok(vec![GraphCase::of_images(own, names.input.clone(), shape)])
        }
    }
}

fn local_case(
    path: PathBuf,
    wiring: &GlobalLocal,
    global: &GraphCase,
    n: usize,
) -> Result<GraphCase, Failure> {
    let mut session = open(Some(EngineKind::Rten), &global.path, &Options::default())?;
    let mut seen = session.run(&global.views())?;
    let features = seen.take(&wiring.global.features, &[Some(n), None])?;
    let windows = [n, wiring.n_rois, wiring.roi_side, wiring.roi_side];
    Ok(GraphCase {
        path,
        inputs: vec![
            (wiring.local.windows.clone(), fixed(&windows)),
            (wiring.local.features.clone(), features),
        ],
    })
}

fn fixed(shape: &[usize]) -> Tensor {
    Tensor {
        shape: shape.to_vec(),
        data: fixed_images(shape.iter().product()),
    }
}

fn no_member() -> Failure {
    Failure::package("expected a member, got none")
}
