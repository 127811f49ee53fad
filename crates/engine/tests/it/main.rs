//! All engines on small graphs: golden outputs, agreement, and bytes that are no model.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod garbage;
mod golden;

use std::path::PathBuf;

use lobule_engine::{EngineKind, EngineState, EngineStatus, engines};

/// The engines that can be used here; what is left out is said.
fn available() -> Vec<EngineKind> {
    let usable = |engine: &EngineStatus| match &engine.state {
        EngineState::Available { .. } => true,
        EngineState::Unavailable { reason } => {
            println!("skipped: {} ({reason})", engine.kind);
            false
        }
    };
    let all = engines().into_iter();
    all.filter(usable).map(|e| e.kind).collect()
}

fn models() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/models")
}
