//! Integration tests of the statistics.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bootstrap;
mod degenerate;
mod golden;
mod location;
mod mrmc;
mod partial;
mod properties;
mod reference;
mod survival;
mod triage;
