//! Files of synthetic mammograms.

use std::path::{Path, PathBuf};

use image::{ExtendedColorType, ImageBuffer, Luma, save_buffer};
use lobule_dicomio::{MammogramEncoding, SyntheticMammogram, write_mammogram};
use lobule_exam::Side;
use lobule_raster::Image;

use super::{MammogramExam, MammogramView};
use crate::training::create_folder;
use crate::{Error, ErrorKind};

/// Writes the views of an exam as DICOM files `<name>-<side>-<view>.dcm` into a folder, all in one
/// encoding, and returns the files in the exam's order. Exams of one name are one study.
///
/// # Errors
/// When the folder or a file in it cannot be written.
pub fn write_dicom_exam(
    folder: &Path,
    name: &str,
    exam: &MammogramExam,
    encoding: MammogramEncoding,
) -> Result<Vec<PathBuf>, Error> {
    create_folder(folder)?;
    let numbered = (1_u32..).zip(&exam.views);
    numbered
        .map(|(number, view)| {
            let file = folder.join(format!(
                "{name}-{}-{}.dcm",
                Side::Known(view.side),
                view.view
            ));
            let mammogram = SyntheticMammogram {
                image: view.image.clone(),
                side: view.side,
                view: view.view,
                spacing: view.spacing,
                study_seed: name.to_owned(),
                instance_number: number,
                encoding,
            };
            write_mammogram(&file, &mammogram)
                .map_err(|e| Error::new(ErrorKind::Dicom, &file, &e))?;
            Ok(file)
        })
        .collect()
}

pub(super) fn save_gray16(file: &Path, gray: &Image<u16>) -> Result<(), Error> {
    let (cols, rows) = (gray.cols() as u32, gray.rows() as u32);
    let pixels = gray.pixels().to_vec();
    let buffer: ImageBuffer<Luma<u16>, Vec<u16>> =
        ImageBuffer::from_raw(cols, rows, pixels).expect("as many pixels as rows and columns say");
    buffer
        .save(file)
        .map_err(|e| Error::new(ErrorKind::Io, file, &e))
}

/// All lesions of a view together.
pub(super) fn save_mask(file: &Path, view: &MammogramView) -> Result<(), Error> {
    let (rows, cols) = (view.image.rows(), view.image.cols());
    let inside = |r, c| view.lesions.iter().any(|lesion| lesion.mask.at(r, c));
    let mask = Image::from_fn(rows, cols, |r, c| 255 * u8::from(inside(r, c)));
    let (cols, rows) = (cols as u32, rows as u32);
    save_buffer(file, mask.pixels(), cols, rows, ExtendedColorType::L8)
        .map_err(|e| Error::new(ErrorKind::Io, file, &e))
}
