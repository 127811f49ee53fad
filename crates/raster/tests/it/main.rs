//! Tests of `lobule-raster` as its users see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;
mod datasets;
mod density;
mod mammogram;
mod nottingham;
mod prepare;
mod read;
mod roi;
mod screens;
mod sonogram;
mod stain;
mod tissue;
