//! Pixels with geometry: from a decoded picture to the network's input, and back.
//!
//! Owns: images in memory, reading of PNG/JPEG/TIFF/BMP ([`read_picture`] is the one function
//! here that opens a file), the search for the sonogram ([`find_sonogram`]), painting over
//! burnt-in marks, and [`prepare`], the one preparation that training and inference share; for
//! mammograms, [`find_breast`], [`Breast::to_input`] and the windows of largest saliency
//! ([`retrieve_rois`]).
//! Does not own: DICOM (`dicomio`), augmentation (`train`), scores (`assess`).
//!
//! ```
//! use lobule_raster::{Image, Picture, PrepareConfig, prepare};
//! let echo = |row: usize, col: usize| 60 + (row * row * 31 + col * col * 17 + row * col) as u8 % 80;
//! let picture = Picture::Gray8(Image::from_fn(120, 160, echo));
//! let input = prepare(&picture, &[], &PrepareConfig::default()).expect("a textured picture");
//! assert_eq!(input.chw.len(), input.rows * input.cols);
//! ```

mod activity;
mod content;
mod distance;
mod error;
mod fill;
mod image;
mod mammogram;
mod marks;
mod morphology;
mod parts;
mod picture;
mod prepare;
mod read;
mod roi;
mod sonogram;

pub use error::{Error, ErrorKind};
pub use image::Image;
pub use mammogram::{
    Breast, MammogramConfig, MammogramHints, MammogramInput, OrientationSource, Outside, Pectoral,
    PectoralLine, Polarity, Scale, Standardization, find_breast,
};
pub use marks::paint_over_marks;
pub use picture::Picture;
pub use prepare::{NetworkInput, PrepareConfig, Prepared, crop_sonogram, prepare};
pub use read::{Limits, read_picture};
pub use roi::{RoiConfig, retrieve_rois};
pub use sonogram::{Sonogram, find_sonogram};
