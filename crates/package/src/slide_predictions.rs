//! `predictions.csv` of slide models: one row per tile for those that find tumor, one row per slide for
//! those that grade.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind};

/// Most bytes of such a table.
const LARGEST_TABLE: usize = 64 << 20;

/// One tile's out-of-fold result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TilePrediction {
    /// Name of the data set.
    pub set: String,
    /// Name of the slide within its set.
    pub slide: String,
    /// The patient, region or whatever must stay together.
    pub patient: String,
    /// Which fold it belongs to.
    pub fold: String,
    /// Row of the tile in the grid.
    pub row: usize,
    /// Column of the tile in the grid.
    pub col: usize,
    /// Share of the tile that is tumor by the annotation, in 0..=1.
    pub share: Option<f64>,
    /// Probability of the second class, in 0..=1.
    pub score: f64,
}

/// One graded slide's out-of-fold result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlidePrediction {
    /// Name of the data set.
    pub set: String,
    /// Name of the slide within its set.
    pub slide: String,
    /// The patient.
    pub patient: String,
    /// Which fold it belongs to.
    pub fold: String,
    /// Nottingham grade, where it is known.
    pub grade: Option<u8>,
    /// Tumor tiles.
    pub n_tiles: usize,
    /// The slide's score, in 0..=1; none for too few tumor tiles.
    pub score: Option<f64>,
}

/// Reads a table of such rows; further columns are ignored.
///
/// # Errors
/// `Record` when it is too large, a column is missing or a value is not what its column holds; `path` is
/// named.
pub fn read_rows<T: DeserializeOwned>(bytes: &[u8], path: &Path) -> Result<Vec<T>, Error> {
    if bytes.len() > LARGEST_TABLE {
        let message = format!(
            "expected at most {LARGEST_TABLE} bytes, got {}",
            bytes.len()
        );
        return Err(Error::new(ErrorKind::Record, path, message));
    }
    let rows: Result<Vec<T>, csv::Error> = csv::Reader::from_reader(bytes).deserialize().collect();
    rows.map_err(|e| Error::caused(ErrorKind::Record, path, "a table of predictions", e))
}

/// A table of such rows.
///
/// # Errors
/// Those of the writer.
pub fn write_rows<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    writer
        .into_inner()
        .map_err(|e| csv::Error::from(e.into_error()))
}
