//! Training on slides at the crate's boundary.

mod again;
mod cohort;
mod layouts;
mod runs;
mod tumor_model;
