//! A network's numbers by name. Names are the paths of burn's modules
//! (`backbone.blocks.3.project.weight`); exported models carry them, so that training can go on
//! from a shipped model.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use crate::{Error, ErrorKind};

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Sizes of the axes.
    pub shape: Vec<usize>,
    /// Row-major values.
    pub values: Vec<f32>,
}

/// All parameters of a module, by path.
pub fn parameters<M: Module>(module: &M) -> BTreeMap<String, NamedTensor> {
    let mut reader = Reader::default();
    module.visit(&mut reader);
    reader.found
}

/// The module with its parameters replaced. Every parameter must be given and nothing else.
///
/// # Errors
/// When a name is missing, superfluous, or its shape differs; the first one is named.
pub fn load_parameters<M: Module>(
    module: M,
    values: BTreeMap<String, NamedTensor>,
) -> Result<M, Error> {
    let expected = parameters(&module);
    let mismatch = |message: String| Err(Error::new(ErrorKind::Mismatch, message));
    if let Some(name) = values.keys().find(|name| !expected.contains_key(*name)) {
        return mismatch(format!("expected no parameter `{name}`"));
    }
    for (name, tensor) in &expected {
        match values.get(name) {
            None => return mismatch(format!("expected a parameter `{name}`, got none")),
            Some(got) if got.shape != tensor.shape || got.values.len() != tensor.values.len() => {
                return mismatch(format!(
                    "expected shape {:?} for `{name}`, got {:?}",
                    tensor.shape, got.shape
                ));
            }
            Some(_) => {}
        }
    }
    Ok(module.map(&mut Writer {
        path: ParameterPath::default(),
        values,
    }))
}

/// The path of a parameter while a module is walked. Which variant an enum holds leaves no trace.
#[derive(Debug, Clone, Default)]
pub struct ParameterPath(Vec<String>);

impl ParameterPath {
    /// To be called by `enter_module`.
    pub fn enter(&mut self, name: &str, container: &str) {
        if !is_enum(container) {
            self.0.push(name.to_owned());
        }
    }

    /// To be called by `exit_module`.
    pub fn exit(&mut self, container: &str) {
        if !is_enum(container) {
            self.0.pop();
        }
    }

    /// The parameter's name: `backbone.blocks.3.project.weight`.
    pub fn name(&self) -> String {
        self.0.join(".")
    }
}

fn is_enum(container: &str) -> bool {
    container.starts_with("Enum:")
}

#[derive(Default)]
struct Reader {
    path: ParameterPath,
    found: BTreeMap<String, NamedTensor>,
}

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let data = param.val().inner_if_tracked().into_data();
        let shape = data.shape().to_vec();
        let values = data
            .convert::<f32>()
            .try_into_vec()
            .expect("the data was converted to f32");
        self.found
            .insert(self.path.name(), NamedTensor { shape, values });
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }
}

struct Writer {
    path: ParameterPath,
    values: BTreeMap<String, NamedTensor>,
}

impl ModuleMapper for Writer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.values.remove(&self.path.name()) {
            None => param,
            Some(new) => param.map(|old| {
                let data = TensorData::new(new.values, new.shape);
                Tensor::from_data(data, &old.device())
            }),
        }
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }
}

trait InnerIfTracked {
    fn inner_if_tracked(self) -> Self;
}

impl<const D: usize> InnerIfTracked for Tensor<D> {
    fn inner_if_tracked(self) -> Self {
        if self.is_autodiff() {
            self.inner()
        } else {
            self
        }
    }
}
