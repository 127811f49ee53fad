//! The engines behind one trait: choosing one, opening a graph, checking what goes in.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::guarded;
use crate::{Error, ErrorKind, Outputs, Tensor, TensorView, library, onnx_runtime, pure, wire};

/// The rten release that is built in.
const RTEN_VERSION: &str = "0.27";
/// A larger model file is refused before it is read.
const LARGEST_MODEL: u64 = 2 << 30;

/// An opened graph.
pub trait Session: Send {
    /// Names of the graph's inputs.
    fn inputs(&self) -> &[String];

    /// Names of the graph's outputs.
    fn outputs(&self) -> &[String];

    /// Runs the graph on named inputs.
    ///
    /// # Errors
    /// `Input` when names, shapes or values are not what the graph takes, `Run` when it fails.
    fn run(&mut self, inputs: &[(&str, TensorView<'_>)]) -> Result<Outputs, Error>;

    /// Runs a graph of one input on images `[n, c, h, w]`.
    ///
    /// # Errors
    /// As [`Session::run`], and `Input` when the graph has another number of inputs.
    fn run_images(&mut self, images: &[f32], shape: [usize; 4]) -> Result<Outputs, Error> {
        let [name] = self.inputs() else {
            let n = self.inputs().len();
            let message = format!("expected a graph of one input, got {n}");
            return Err(Error::new(ErrorKind::Input, message));
        };
        let name = name.clone();
        let view = TensorView {
            shape: &shape,
            data: images,
        };
        self.run(&[(&name, view)])
    }
}

/// Which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// Pure Rust, built in.
    Rten,
    /// Microsoft's library, loaded at run time.
    OnnxRuntime,
    /// The same library, where it was built with Intel's OpenVINO, in bfloat16 on processors that
    /// have it: faster, and its results are rounded ([`EngineKind::rounds`]). Never the default.
    OpenVino,
}

impl EngineKind {
    /// Every engine, the one that needs nothing first.
    pub const ALL: [EngineKind; 3] = [
        EngineKind::Rten,
        EngineKind::OnnxRuntime,
        EngineKind::OpenVino,
    ];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            EngineKind::Rten => "rten",
            EngineKind::OnnxRuntime => "onnxruntime",
            EngineKind::OpenVino => "openvino",
        }
    }

    /// Whether it may compute with 8 bits of mantissa: its results then agree with the other engines'
    /// to about two digits, not to 1e-4.
    pub fn rounds(self) -> bool {
        self == EngineKind::OpenVino
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EngineKind {
    type Err = String;

    fn from_str(text: &str) -> Result<EngineKind, String> {
        EngineKind::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| format!("expected rten, onnxruntime or openvino, got `{text}`"))
    }
}

/// How a graph is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Threads within one run; at least 1.
    pub threads: usize,
}

impl Default for Options {
    /// One thread for each core that the process may use.
    fn default() -> Options {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Options { threads }
    }
}

/// An engine and whether it can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineStatus {
    /// Which engine.
    pub kind: EngineKind,
    /// Whether it can be used.
    pub state: EngineState,
}

/// Whether an engine can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineState {
    /// It can.
    Available {
        /// The engine's own version.
        version: String,
        /// The library file; `None` when it is built in.
        library: Option<PathBuf>,
    },
    /// It cannot.
    Unavailable {
        /// Why, in one line.
        reason: String,
    },
}

/// All engines and whether each can be used here.
pub fn engines() -> Vec<EngineStatus> {
    let built_in = EngineState::Available {
        version: RTEN_VERSION.into(),
        library: None,
    };
    let loaded = state_of(library::find());
    let with_open_vino = state_of(library::find().and_then(|found| {
        onnx_runtime::check_open_vino()?;
        Ok(found)
    }));
    let states = [built_in, loaded, with_open_vino];
    let status = |(kind, state)| EngineStatus { kind, state };
    EngineKind::ALL
        .into_iter()
        .zip(states)
        .map(status)
        .collect()
}

fn state_of(library: Result<library::Library, Error>) -> EngineState {
    match library {
        Ok(found) => EngineState::Available {
            version: found.version,
            library: Some(found.path),
        },
        Err(error) => EngineState::Unavailable {
            reason: error.to_string(),
        },
    }
}

/// The engine that is used when none is asked for: ONNX Runtime where its library is found, rten
/// otherwise.
///
/// # Errors
/// When a library was named or installed but cannot be used: that is never passed over in silence.
pub fn preferred() -> Result<EngineKind, Error> {
    match library::find() {
        Ok(_) => Ok(EngineKind::OnnxRuntime),
        Err(error) if error.kind() == ErrorKind::Unavailable && error.path().is_none() => {
            Ok(EngineKind::Rten)
        }
        Err(error) => Err(error),
    }
}

/// Opens a graph. `None` takes the [`preferred`] engine.
///
/// # Errors
/// `Unavailable` when the engine cannot be used, `Model` when the file cannot.
pub fn open(
    kind: Option<EngineKind>,
    model: &Path,
    options: &Options,
) -> Result<Box<dyn Session>, Error> {
    let kind = kind.map_or_else(preferred, Ok)?;
    let options = Options {
        threads: options.threads.max(1),
    };
    let backend: Box<dyn Backend> = match kind {
        EngineKind::Rten => {
            let bytes = read_model(model)?;
            guarded(ErrorKind::Model, model, || {
                pure::open(bytes, model, &options)
            })?
        }
        EngineKind::OnnxRuntime => {
            let environment = onnx_runtime::environment()?;
            let bytes = read_model(model)?;
            guarded(ErrorKind::Model, model, || {
                onnx_runtime::open(environment, &bytes, model, &options)
            })?
        }
        EngineKind::OpenVino => {
            let environment = onnx_runtime::environment()?;
            onnx_runtime::check_open_vino()?;
            let bytes = read_model(model)?;
            guarded(ErrorKind::Model, model, || {
                onnx_runtime::open_with_open_vino(environment, &bytes, model, &options)
            })?
        }
    };
    Ok(Box::new(Checked {
        path: model.to_path_buf(),
        backend,
    }))
}

/// All engines take bytes, not a path, so that a model cannot name other files to be read.
fn read_model(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |e| Error::caused(ErrorKind::Model, path, "a readable model", e);
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    // As much as there is: grown by doubling, half of it would stay unused or be copied.
    let mut bytes = Vec::with_capacity(size.min(LARGEST_MODEL) as usize + 1);
    file.take(LARGEST_MODEL + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    match bytes.len() as u64 {
        0 => Err(Error::at(
            ErrorKind::Model,
            path,
            "expected a model, got an empty file",
        )),
        1..=LARGEST_MODEL => match wire::check(&bytes) {
            Ok(()) => Ok(bytes),
            Err(cause) => Err(Error::caused(
                ErrorKind::Model,
                path,
                "an ONNX model",
                cause,
            )),
        },
        _ => {
            let message = format!("expected at most {LARGEST_MODEL} bytes, got more");
            Err(Error::at(ErrorKind::Model, path, message))
        }
    }
}

/// What an engine itself has to do; inputs are checked and panics are caught around it.
pub(crate) trait Backend: Send {
    fn inputs(&self) -> &[String];
    fn outputs(&self) -> &[String];
    fn run(&mut self, inputs: &[(&str, TensorView<'_>)]) -> Result<Vec<Tensor>, String>;
}

struct Checked {
    path: PathBuf,
    backend: Box<dyn Backend>,
}

impl Session for Checked {
    fn inputs(&self) -> &[String] {
        self.backend.inputs()
    }

    fn outputs(&self) -> &[String] {
        self.backend.outputs()
    }

    fn run(&mut self, inputs: &[(&str, TensorView<'_>)]) -> Result<Outputs, Error> {
        self.check(inputs)?;
        let tensors = guarded(ErrorKind::Run, &self.path, || {
            let result = self.backend.run(inputs);
            result.map_err(|e| Error::caused(ErrorKind::Run, &self.path, "a run", e))
        })?;
        let names = self.backend.outputs().iter().cloned();
        Ok(Outputs::new(names.zip(tensors).collect()))
    }
}

impl Checked {
    fn check(&self, inputs: &[(&str, TensorView<'_>)]) -> Result<(), Error> {
        let expected = self.backend.inputs();
        let given = |name: &String| inputs.iter().filter(|(n, _)| n == name).count() == 1;
        if inputs.len() != expected.len() || !expected.iter().all(given) {
            let got: Vec<&str> = inputs.iter().map(|(name, _)| *name).collect();
            let message = format!("expected inputs {expected:?}, got {got:?}");
            return Err(Error::at(ErrorKind::Input, &self.path, message));
        }
        inputs.iter().try_for_each(|(name, view)| view.check(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_read_back_their_names() {
        for kind in EngineKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert!("tensorflow".parse::<EngineKind>().is_err());
    }

    #[test]
    fn rten_is_always_there() {
        let all = engines();
        assert_eq!(all[0].kind, EngineKind::Rten);
        assert!(matches!(all[0].state, EngineState::Available { .. }));
    }
}
