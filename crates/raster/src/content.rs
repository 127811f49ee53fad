//! Whether a window shows a B-mode sonogram.
//!
//! Owns: the verdict by simple statistics of colour and grey. Does not own: where the window is
//! (`activity`, `sonogram`), what a file's header states (`dicomio`).

use lobule_exam::{PixelBox, Warning};

use crate::{Error, Image, Picture};

pub(crate) fn judge(
    _picture: &Picture,
    _gray: &Image<u8>,
    _window: PixelBox,
) -> Result<Vec<Warning>, Error> {
    Ok(Vec::new())
}
