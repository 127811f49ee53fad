//! ONNX Runtime through its C interface.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::ep::{ArbitrarilyConfigurableExecutionProvider, ExecutionProvider, OpenVINO};
use ort::logging::LogLevel;
use ort::session::builder::SessionBuilder;
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, Outlet, TensorRef};

use crate::error::guarded;
use crate::session::Backend;
use crate::{Error, ErrorKind, Options, Tensor, TensorView, library};

/// The process's one environment. It is kept for good: the library may not be unloaded while its
/// threads live.
static ENVIRONMENT: OnceLock<Result<Environment, Error>> = OnceLock::new();

/// Loads the library on first use.
pub(crate) fn environment() -> Result<&'static Environment, Error> {
    let made = ENVIRONMENT.get_or_init(|| {
        let path = library::find()?.path;
        guarded(ErrorKind::Unavailable, &path, || load(&path))
    });
    made.as_ref().map_err(Clone::clone)
}

fn load(path: &Path) -> Result<Environment, Error> {
    let unusable =
        |cause: String| Error::caused(ErrorKind::Unavailable, path, "a usable ONNX Runtime", cause);
    let builder = ort::init_from(path).map_err(|e| unusable(e.to_string()))?;
    let builder = builder.with_name("lobule").with_telemetry(false);
    let environment = builder.build().map_err(|e| unusable(e.to_string()))?;
    // Failures come back as errors; the library need not print them as well.
    environment.set_log_level(LogLevel::Fatal);
    Ok(environment)
}

struct Runtime {
    session: Session,
    input_names: Vec<String>,
    output_names: Vec<String>,
}

/// Fails where the library was built without OpenVINO.
pub(crate) fn check_open_vino() -> Result<(), Error> {
    environment()?;
    let path = library::find()?.path;
    let there = guarded(ErrorKind::Unavailable, &path, || {
        OpenVINO::is_available()
            .map_err(|e| Error::caused(ErrorKind::Unavailable, &path, "a usable ONNX Runtime", e))
    })?;
    let without =
        "expected a library with OpenVINO (Python's onnxruntime-openvino), got one without";
    there
        .then_some(())
        .ok_or_else(|| Error::at(ErrorKind::Unavailable, &path, without))
}

/// Reads a model from the bytes of an ONNX file.
pub(crate) fn open(
    environment: &Environment,
    bytes: &[u8],
    path: &Path,
    options: &Options,
) -> Result<Box<dyn Backend>, Error> {
    commit(builder(environment, options), bytes, path)
}

/// As [`open`], for OpenVINO.
pub(crate) fn open_with_open_vino(
    environment: &Environment,
    bytes: &[u8],
    path: &Path,
    options: &Options,
) -> Result<Box<dyn Backend>, Error> {
    let provider = OpenVINO::default()
        .with_device_type("CPU")
        .with_arbitrary_config("load_config", open_vino_config(options));
    let builder = builder(environment, options).and_then(|builder| {
        let providers = [provider.build().error_on_failure()];
        Ok(builder.with_execution_providers(providers)?)
    });
    commit(builder, bytes, path)
}

/// OpenVINO's own settings. Processors without bfloat16 would only pretend to have it.
fn open_vino_config(options: &Options) -> String {
    let precision = match has_bfloat16() {
        true => "bf16",
        false => "f32",
    };
    let threads = options.threads;
    format!(
        r#"{{"CPU":{{"INFERENCE_PRECISION_HINT":"{precision}","INFERENCE_NUM_THREADS":"{threads}","NUM_STREAMS":"1"}}}}"#
    )
}

#[cfg(target_arch = "x86_64")]
fn has_bfloat16() -> bool {
    std::arch::is_x86_feature_detected!("avx512bf16")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_bfloat16() -> bool {
    false
}

fn commit(
    builder: ort::Result<SessionBuilder>,
    bytes: &[u8],
    path: &Path,
) -> Result<Box<dyn Backend>, Error> {
    let session = builder
        .and_then(|mut builder| builder.commit_from_memory(bytes))
        .map_err(|e| Error::caused(ErrorKind::Model, path, "a model that ONNX Runtime reads", e))?;
    let names = |outlets: &[Outlet]| outlets.iter().map(|o| o.name().to_string()).collect();
    Ok(Box::new(Runtime {
        input_names: names(session.inputs()),
        output_names: names(session.outputs()),
        session,
    }))
}

/// Idle threads stop spinning when a run ends: several members take turns, and decoding wants the
/// cores in between. One block for all that a run needs, planned ahead, is larger than what is there at once.
fn builder(environment: &Environment, options: &Options) -> ort::Result<SessionBuilder> {
    let builder = Session::builder(environment)?
        .with_intra_threads(options.threads)?
        .with_inter_threads(1)?
        .with_memory_pattern(false)?
        .with_config_entry("session.force_spinning_stop", "1")?;
    Ok(builder)
}

impl Backend for Runtime {
    fn inputs(&self) -> &[String] {
        &self.input_names
    }

    fn outputs(&self) -> &[String] {
        &self.output_names
    }

    fn run(&mut self, inputs: &[(&str, TensorView<'_>)]) -> Result<Vec<Tensor>, String> {
        let mut values: Vec<(Cow<'_, str>, SessionInputValue<'_>)> = Vec::new();
        for (name, view) in inputs {
            let tensor = TensorRef::from_array_view((view.shape.to_vec(), view.data))
                .map_err(|e| e.to_string())?;
            values.push((Cow::Borrowed(*name), tensor.into()));
        }
        let outputs = self.session.run(values).map_err(|e| e.to_string())?;
        let named = self.output_names.iter().map(|name| {
            let value = outputs.get(name).ok_or("fewer outputs than promised")?;
            tensor_of(value)
        });
        named.collect()
    }
}

fn tensor_of(value: &DynValue) -> Result<Tensor, String> {
    let (shape, data) = value
        .try_extract_tensor::<f32>()
        .map_err(|e| e.to_string())?;
    let extent = |&d: &i64| usize::try_from(d).map_err(|_| format!("an extent of {d}"));
    Ok(Tensor {
        shape: shape.iter().map(extent).collect::<Result<_, _>>()?,
        data: data.to_vec(),
    })
}
