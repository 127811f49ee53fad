//! Tests of `lobule-slide` as its users see it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;
mod dicom;
mod golden;
mod grid;
mod hostile;
#[cfg(feature = "openslide")]
mod other_makers;
mod survey;
