//! Runs an ONNX graph on one of three engines behind one trait.
//!
//! Owns: opening and running graphs ([`open`], [`Session`]), finding and installing ONNX Runtime's
//! library ([`library`], [`install`]), timing ([`bench`]). Does not own: what a package says
//! (`package`), how outputs become scores (`assess`).
//!
//! rten is built in and needs nothing. ONNX Runtime is loaded at run time where its library is
//! found; one that was built with OpenVINO is a third engine, in bfloat16, for who asks for it; a library or a model that cannot be used is an [`Error`], never a crash. What an engine
//! cannot guard against is a well-formed model that asks for more memory or time than there is: a
//! model is a program, so a package's hashes are to be verified before its members are opened.
//!
//! ```no_run
//! # fn main() -> Result<(), lobule_engine::Error> {
//! use lobule_engine::{Options, open};
//! let model = std::path::Path::new("models/ultrasound/member_1.onnx");
//! let mut session = open(None, model, &Options { threads: 2 })?;
//! let mut outputs = session.run_images(&[0.0; 224 * 224], [1, 1, 224, 224])?;
//! let scores = outputs.take("image_scores", &[Some(1), Some(2)])?;
//! # Ok(())
//! # }
//! ```

pub mod bench;
pub mod install;
pub mod library;

mod error;
mod onnx_runtime;
mod pure;
mod regroup;
mod session;
mod tensor;
mod wire;

pub use error::{Error, ErrorKind};
pub use session::{
    EngineKind, EngineState, EngineStatus, Options, Session, engines, open, preferred,
};
pub use tensor::{Outputs, Tensor, TensorView, largest_difference};
