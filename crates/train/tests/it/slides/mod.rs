//! Training on slides at the crate's boundary.

mod cohort;
mod layouts;
mod runs;
mod tumor_model;
