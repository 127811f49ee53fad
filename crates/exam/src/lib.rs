//! The words of breast imaging that every other crate speaks.
//!
//! Owns: sides, views and spacing, geometry in image coordinates, what an exam consists of, and what
//! an assessment says about it. Does not own: pixels (`raster`), files (`dicomio`), wire formats
//! (`report`). Depends on the standard library alone and touches no clock, file or environment.
//!
//! Coordinates are (row, col). Pixel (0, 0) is the **centre** of the top-left pixel, so an image
//! of `rows × cols` covers row −0.5 to `rows − 0.5`.
//!
//! ```
//! use lobule_exam::{Affine, Point};
//! let input_from_image = Affine::scale(0.5, 0.5);
//! let image_from_input = input_from_image.inverse().expect("a scale by 0.5 can be undone");
//! let p = Point { row: 3.0, col: 7.0 };
//! assert_eq!(image_from_input.apply(input_from_image.apply(p)), p);
//! ```

mod arrange;
mod assessment;
mod density;
mod geometry;
mod mammogram;
mod modality;
mod nipple;
mod side;
mod slide;
mod spacing;
mod words;

pub use arrange::{ImagesOfView, ViewedBreast, ViewedExam, ViewedImage, arrange_views};
pub use assessment::{
    Assessment, BreastAssessment, ClassScores, CloseLook, Crop, CropMethod, Finding, FindingClass,
    ImageAssessment, Lesion, MammogramFacts, OperatingPoint, SaliencyMap, Skipped, Warning,
    WarningKind,
};
pub use density::{DensityClass, DensityClasses, Medium};
pub use geometry::{Affine, PixelBox, Point, Polygon};
pub use mammogram::{
    BreastOrientation, ImageSide, Implant, PresentationIntent, SCREENING_VIEWS, View, ViewModifier,
};
pub use modality::Modality;
pub use nipple::{LengthUnit, NippleLine};
pub use side::{Laterality, Side};
pub use slide::{
    ComponentsOutcome, GradeOutcome, MemberGrade, MppSource, NuclearVariation, RiskLevels,
    SlideAssessment, SlideComponents, SlideGrade, StainUse, TileAssessment, TileBounds, TileCounts,
    TileGrade,
};
pub use spacing::{InvalidSpacing, Spacing};
pub use words::{score_words, threshold_words};
