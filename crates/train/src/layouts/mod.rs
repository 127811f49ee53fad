//! Data sets as their authors publish them, read without any rearranging.
//!
//! Owns: one reader per published folder layout ([`Layout`]), each giving [`Case`]s. Does not own:
//! our own table ([`crate::read_data_set`] reads it), pixels, splits.

mod breast;
mod bus_bra;
mod bus_uclm;
mod busi;
mod cbis_ddsm;
mod cmmd;
mod inbreast;
mod manifest;
mod mias;
mod rsna;
mod table;
mod vindr;
mod workbook;

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
    /// mini-MIAS (Suckling et al. 1994): `Info.txt` and `mdb001.pgm` (or `.png`) beside it.
    MiniMias,
    /// CBIS-DDSM (Lee et al. 2017, doi 10.1038/sdata.2017.177): the four tables
    /// `mass_case_description_train_set.csv` … and the pictures' folders
    /// `Mass-Training_P_00001_LEFT_CC/…`, beside them or in `CBIS-DDSM/`.
    CbisDdsm,
    /// INbreast (Moreira et al. 2012, doi 10.1016/j.acra.2011.09.014): `INbreast.csv` with
    /// semicolons, `AllDICOMs/`, `AllXML/`. No pathology: BI-RADS 1 counts
    /// as normal, 2 and 3 as benign, 4 to 6 as malignant.
    Inbreast,
    /// VinDr-Mammo (Nguyen et al. 2023, doi 10.1038/s41597-023-02100-7):
    /// `breast-level_annotations.csv`, `finding_annotations.csv`, `images/STUDY/IMAGE.dicom`. No
    /// pathology: BI-RADS 1 counts
    /// as normal, 2 and 3 as benign, 4 to 6 as malignant.
    VindrMammo,
    /// CMMD (Cui et al. 2021, doi 10.7937/tcia.eqde-4b16): the clinical workbook (`.xlsx`) and the
    /// patients' folders `D1-0001/…`, beside it or in `CMMD/`.
    Cmmd,
    /// The RSNA screening mammography challenge (2022): `train.csv` and
    /// `train_images/PATIENT/IMAGE.dcm` (or `.png`).
    Rsna,
    /// `manifest.csv` with the columns `exam`, `file`, `label`, optionally `breast`, `view`, `mask`.
    Manifest,
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
            Layout::MiniMias => mias::read(set, folder),
            Layout::CbisDdsm => cbis_ddsm::read(set, folder),
            Layout::Inbreast => inbreast::read(set, folder),
            Layout::VindrMammo => vindr::read(set, folder),
            Layout::Cmmd => cmmd::read(set, folder),
            Layout::Rsna => rsna::read(set, folder),
            Layout::Manifest => manifest::read(set, folder),
        }?;
        if cases.is_empty() {
            let message = "expected labelled images, got none";
            return Err(Error::new(ErrorKind::Data, message).in_file(folder));
        }
        Ok(cases)
    }
}

/// Cells by column name.
pub(crate) type Row = BTreeMap<String, String>;

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
            marks: Vec::new(),
            breast: None,
            group: self.group,
            fold: self.fold,
            label: self.label,
            extra: self.extra,
        })
    }
}

/// Rows of a table by column name, with the line for messages.
pub(crate) fn rows(table: &Path, separator: u8) -> Result<Vec<(usize, Row)>, Error> {
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
pub(crate) fn take(
    row: &mut Row,
    column: &str,
    (table, line): (&Path, usize),
) -> Result<String, Error> {
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

/// The label of an image that has a BI-RADS category and no pathology, by the habit of the field: 1
/// is normal, 2 and 3 are benign, 4 to 6 are malignant. What is learnt from such labels is a
/// radiologist's suspicion.
fn suspicion(birads: &str, (table, line): (&Path, usize)) -> Result<Label, Error> {
    let category = birads.trim().trim_start_matches("BI-RADS").trim();
    match category.chars().next() {
        Some('1') => Ok(Label::Normal),
        Some('2' | '3') => Ok(Label::Benign),
        Some('4'..='6') => Ok(Label::Malignant),
        _ => {
            let message = format!("line {line}: expected BI-RADS 1 to 6, got `{birads}`");
            Err(Error::new(ErrorKind::Data, message).in_file(table))
        }
    }
}

/// A file's name with the first ending that is there, or with the first one.
fn first_existing(folder: &Path, stem: &str, endings: &[&str]) -> String {
    let mut names = endings.iter().map(|ending| format!("{stem}.{ending}"));
    let there = names.find(|name| folder.join(name).is_file());
    there.unwrap_or_else(|| format!("{stem}.{}", endings.first().unwrap_or(&"")))
}

/// A path below a folder, as a name.
pub(crate) fn relative(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    below.to_string_lossy().replace('\\', "/")
}

/// The entries of a folder in order.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = std::fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
    let mut paths = Vec::new();
    for entry in read {
        paths.push(entry.map_err(|e| Error::io(folder, e))?.path());
    }
    paths.sort();
    Ok(paths)
}
