//! The engine in pure Rust: rten.

use std::path::Path;
use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::prelude::*;

use crate::regroup::regroup_depthwise;
use crate::session::Backend;
use crate::{Error, ErrorKind, Options, Tensor, TensorView};

struct Pure {
    model: Model,
    input_names: Vec<String>,
    output_names: Vec<String>,
    pool: Arc<ThreadPool>,
}

/// Reads a model from the bytes of an ONNX file.
pub(crate) fn open(
    bytes: Vec<u8>,
    path: &Path,
    options: &Options,
) -> Result<Box<dyn Backend>, Error> {
    // The groups' products are too small to be shared between threads.
    let regrouped = (options.threads == 1).then(|| regroup_depthwise(&bytes));
    let bytes = regrouped.flatten().unwrap_or(bytes);
    let model = Model::load(bytes)
        .map_err(|e| Error::caused(ErrorKind::Model, path, "a model that rten reads", e))?;
    let (input_names, output_names) = (
        names(&model, model.input_ids(), path)?,
        names(&model, model.output_ids(), path)?,
    );
    Ok(Box::new(Pure {
        model,
        input_names,
        output_names,
        pool: Arc::new(ThreadPool::with_num_threads(options.threads)),
    }))
}

fn names(model: &Model, ids: &[NodeId], path: &Path) -> Result<Vec<String>, Error> {
    let name = |id: &NodeId| Some(model.node_info(*id)?.name()?.to_string());
    let all: Option<Vec<String>> = ids.iter().map(name).collect();
    all.filter(|names| !names.is_empty()).ok_or_else(|| {
        let message = "expected named inputs and outputs, got none";
        Error::at(ErrorKind::Model, path, message)
    })
}

impl Backend for Pure {
    fn inputs(&self) -> &[String] {
        &self.input_names
    }

    fn outputs(&self) -> &[String] {
        &self.output_names
    }

    fn run(&mut self, inputs: &[(&str, TensorView<'_>)]) -> Result<Vec<Tensor>, String> {
        let mut values = Vec::with_capacity(inputs.len());
        for (name, view) in inputs {
            let id = self.model.node_id(name).map_err(|e| e.to_string())?;
            let tensor = rten_tensor::TensorView::try_from_data(view.shape, view.data)
                .map_err(|e| e.to_string())?;
            values.push((id, tensor.into()));
        }
        let options = RunOptions::default().with_thread_pool(Some(self.pool.clone()));
        let outputs = self
            .model
            .run(values, self.model.output_ids(), Some(options))
            .map_err(|e| e.to_string())?;
        outputs.into_iter().map(tensor_of).collect()
    }
}

fn tensor_of(value: Value) -> Result<Tensor, String> {
    let tensor: rten_tensor::Tensor<f32> =
        value.try_into().map_err(|_| "values that are not f32")?;
    Ok(Tensor {
        shape: tensor.shape().to_vec(),
        data: tensor.into_data(),
    })
}
