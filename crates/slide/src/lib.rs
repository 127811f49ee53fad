//! Whole slides: from a file to tiles of any resolution, with memory that does not grow with the
//! slide.
//!
//! Owns: pyramids in TIFF files (plain, BigTIFF, Aperio's SVS, OME-TIFF), DICOM series and single pictures
//! behind one [`TileSource`], microns per pixel, grids of squares ([`TileGrid`]), which of these are worth a
//! look ([`survey`](survey())), the stains of the whole ([`slide_stains`]). Does not own: what DICOM's
//! elements mean (`dicomio`), what tissue and stains look like (`raster`), what
//! squares mean (`assess`).
//!
//! Tiles are addressed by whole numbers. Label, macro and thumbnail images are named in
//! [`SlideFacts::left_out`] and never read.
//!
//! ```no_run
//! use lobule_slide::{GridConfig, GridKey, SlideLimits, TileGrid, open_slide};
//! let slide = open_slide("slide.svs".as_ref(), &SlideLimits::default())?;
//! let grid = TileGrid::new(&*slide, GridConfig::default())?;
//! let square = grid.read(&*slide, GridKey { row: 0, col: 0 })?;
//! assert_eq!((square.rows(), square.cols()), (598, 598));
//! # Ok::<(), lobule_slide::Error>(())
//! ```

mod cache;
mod codec;
mod dicom;
mod error;
mod grid;
mod identify;
mod open;
#[cfg(feature = "openslide")]
mod other_makers;
mod picture;
mod resample;
mod source;
mod stains;
mod survey;
mod tiff;

pub use cache::CachedSource;
pub use error::{Error, ErrorKind};
pub use grid::{GridConfig, GridKey, TileGrid, for_each_tile};
pub use identify::{SlideKind, slide_kind};
pub use open::{SlideLimits, open_slide};
pub use source::{
    GLASS, LeftOut, Level, Mpp, Rgb, SlideFacts, SlideFormat, TileKey, TileSource, locate,
    read_region,
};
pub use stains::slide_stains;
pub use survey::{Survey, SurveyConfig, Verdict, read_view, survey, survey_from_afar};
