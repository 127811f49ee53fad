//! Pixels with geometry: from a decoded picture to the network's input, and back.
//!
//! Owns: images in memory, reading of PNG/JPEG/TIFF/BMP ([`read_picture`] is the one function
//! here that opens a file), the search for the sonogram ([`find_sonogram`]), painting over
//! burnt-in marks, and [`prepare`], the one preparation that training and inference share; for
//! mammograms, [`find_breast`], [`Breast::place`] and the windows of largest saliency
//! ([`retrieve_rois`]); for slides, tissue ([`find_tissue`]), stains ([`fit_stains`]), the network's input ([`tile_input`]) and the
//! components of the Nottingham grade ([`measure_components`]).
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
mod nottingham;
mod parts;
mod picture;
mod prepare;
mod read;
mod reinhard;
mod roi;
mod sonogram;
mod stain;
mod tiff;
mod tile;
mod tissue;

pub use error::{Error, ErrorKind};
pub use image::Image;
pub use mammogram::{
    Accuracy, Breast, DENSITY_NOTE, Density, DensityClassifier, MammogramConfig, MammogramHints,
    OrientationSource, Outside, Pectoral, PectoralLine, PlacedBreast, Polarity, Scale,
    Standardization, StepPicture, find_breast,
};
pub use marks::paint_over_marks;
pub use nottingham::{
    ComponentFigures, DarkPieces, Lumen, Lumina, MEASURABLE_MPP, MitosisClassifier, Nuclei,
    NucleiConfig, Nucleus, TileComponents, TileMark, find_dark_pieces, find_lumina, find_nuclei,
    mark_components, measure_components, nuclear_variation,
};
pub use picture::Picture;
pub use prepare::{NetworkInput, PrepareConfig, Prepared, crop_sonogram, prepare};
pub use read::{Limits, read_picture};
pub use reinhard::ColorStatistics;
pub use roi::{RoiConfig, retrieve_rois};
pub use sonogram::{Sonogram, find_sonogram};
pub use stain::{StainConfig, Stains, fit_stains};
pub use tile::{TileConfig, TileStain, tile_input};
pub use tissue::{TissueClass, TissueConfig, TissueMap, find_tissue, sharpness};
