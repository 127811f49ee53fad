//! Data sets as their authors publish them, read without any rearranging.
//!
//! Owns: one reader per published folder layout ([`Layout`]), each giving [`Case`]s. Does not own:
//! our own table ([`crate::read_data_set`] reads it), pixels, splits.

mod breast;
mod bus_bra;
mod bus_uclm;
mod busi;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Case, Error, ErrorKind, Label};

/// How a data set lies on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `labels.csv` beside the images; see [`crate::read_data_set`].
    #[default]
    Table,
    /// BUSI (Al-Dhabyani et al. 2020, doi 10.1016/j.dib.2019.104863): folders `benign`, `malignant`,
    /// `normal` with `benign (1).png` and `benign (1)_mask.png`. It names no patients and holds near
    /// duplicates, so each image is its own group here and a random split is too optimistic.
    Busi,
    /// BUS-BRA (Gómez-Flores et al. 2024, doi 10.1002/mp.16812): `bus_data.csv`, `5-fold-cv.csv`,
    /// `Images/bus_0001-l.png`, `Masks/mask_0001-l.png`.
    BusBra,
    /// BUS-UCLM (Vallez et al. 2025, doi 10.1038/s41597-025-04562-3): `INFO.csv` with semicolons,
    /// `images/ABCD_000.png`, `masks/ABCD_000.png`; the letters name the patient.
    BusUclm,
    /// BrEaST (Pawłowska et al. 2024, doi 10.1038/s41597-024-02984-z): a workbook
    /// `BrEaST-Lesions-USG-clinical-data….xlsx` and the pictures in its folder or in
    /// `BrEaST-Lesions_USG-images_and_masks/`; one patient per picture.
    Breast,
}

impl Layout {
    /// The cases in a folder.
    pub(crate) fn read(self, set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
        let cases = match self {
            Layout::Table => table::read(set, folder),
            Layout::Busi => busi::read(set, folder),
            Layout::BusBra => bus_bra::read(set, folder),
            Layout::BusUclm => bus_uclm::read(set, folder),
            Layout::Breast => breast::read(set, folder),
        }?;
        if cases.is_empty() {
            let message = "expected labelled images, got none";
            return Err(Error::new(ErrorKind::Data, message).in_file(folder));
        }
        Ok(cases)
    }
}

/// Cells by column name.
type Row = BTreeMap<String, String>;

/// What a published table or folder says of one image.
struct Found {
    name: String,
    mask: Option<String>,
    group: String,
    fold: Option<usize>,
    label: Label,
    extra: Row,
}

impl Found {
    /// The case, unless its image is not there.
    fn into_case(self, set: &str, folder: &Path) -> Result<Case, Error> {
        let file = folder.join(&self.name);
        if !file.is_file() {
            let message = format!("expected the image `{}`, got none", self.name);
            return Err(Error::new(ErrorKind::Data, message).in_file(folder));
        }
        let mask = self.mask.map(|mask| folder.join(mask));
        Ok(Case {
            set: set.to_owned(),
            file,
            mask: mask.filter(|mask| mask.is_file()),
            name: self.name,
            group: self.group,
            fold: self.fold,
            label: self.label,
            extra: self.extra,
        })
    }
}

/// Rows of a table by column name, with the line for messages.
fn rows(table: &Path, separator: u8) -> Result<Vec<(usize, Row)>, Error> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .from_path(table)
        .map_err(|e| Error::new(ErrorKind::Data, e.to_string()).in_file(table))?;
    reader
        .deserialize()
        .enumerate()
        .map(|(i, row)| {
            let row: Row =
                row.map_err(|e| Error::new(ErrorKind::Data, e.to_string()).in_file(table))?;
            Ok((i + 2, without_byte_order_mark(row)))
        })
        .collect()
}

fn without_byte_order_mark(row: Row) -> Row {
    let plain = |name: String| name.trim_start_matches('\u{feff}').to_owned();
    row.into_iter()
        .map(|(name, value)| (plain(name), value))
        .collect()
}

/// Takes a column's value, or says which line lacks it.
fn take(row: &mut Row, column: &str, (table, line): (&Path, usize)) -> Result<String, Error> {
    row.remove(column)
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .ok_or_else(|| {
            let message = format!("line {line}: expected a value in column `{column}`");
            Error::new(ErrorKind::Data, message).in_file(table)
        })
}

fn label(text: &str, (table, line): (&Path, usize)) -> Result<Label, Error> {
    text.parse()
        .map_err(|e| Error::new(ErrorKind::Data, format!("line {line}: {e}")).in_file(table))
}

/// The entries of a folder in order.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
    let mut paths = Vec::new();
    for entry in read {
        paths.push(entry.map_err(|e| Error::io(folder, e))?.path());
    }
    paths.sort();
    Ok(paths)
}
