//! What the system says about an exam. Plain data: `report` decides how it is written.

use crate::{
    Affine, BreastOrientation, DensityClasses, Modality, PixelBox, Point, Polygon, Side, Spacing,
    View,
};

/// One value per class of finding. The classes are not exclusive: a breast may hold both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScores {
    /// A benign finding is present, in 0..=1.
    pub benign: f64,
    /// A malignant finding is present, in 0..=1.
    pub malignant: f64,
}

/// The class a finding is claimed to be, the worse one last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingClass {
    /// Looks benign.
    Benign,
    /// Looks malignant.
    Malignant,
}

impl FindingClass {
    /// The stable name used in files and on pages.
    pub const fn name(self) -> &'static str {
        match self {
            FindingClass::Benign => "benign",
            FindingClass::Malignant => "malignant",
        }
    }
}

/// The result for one exam.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// An opaque key: the manifest's name of the exam, a file's stem, or a hash of the study's
    /// identifier. Never a patient identifier.
    pub exam: String,
    /// What its images were made with. A study of both is two exams.
    pub modality: Modality,
    /// One entry per breast, ordered left, right, unknown.
    pub breasts: Vec<BreastAssessment>,
    /// What the reader of the result should know about the exam as a whole.
    pub warnings: Vec<Warning>,
}

impl Assessment {
    /// Whether the exam, or an image of it, says that it shows no patient.
    pub fn is_synthetic(&self) -> bool {
        let images = self.breasts.iter().flat_map(|b| &b.images);
        let mut warnings = self.warnings.iter().chain(images.flat_map(|i| &i.warnings));
        warnings.any(|w| w.kind == WarningKind::Synthetic)
    }
}

/// The result for all images of one breast.
#[derive(Debug, Clone, PartialEq)]
pub struct BreastAssessment {
    /// The breast.
    pub side: Side,
    /// Attention-weighted scores as the network gives them, mean over the ensemble.
    pub scores: ClassScores,
    /// Calibrated probabilities; absent when the model carries no calibration.
    pub probabilities: Option<ClassScores>,
    /// Whether the malignant probability (or score) reaches the operating point.
    pub flagged: bool,
    /// The images in the order they were given; [`ImageAssessment::rank`] orders them.
    pub images: Vec<ImageAssessment>,
    /// Screening views of a mammography exam that are not there or could not be used; empty for
    /// ultrasound.
    pub missing_views: Vec<View>,
}

impl BreastAssessment {
    /// The breast's suspicion of malignancy in 0..=100: 100 times the calibrated malignant
    /// probability; 100 times the network's score where there is no calibration.
    pub fn score_of_100(&self) -> f64 {
        100.0 * self.probabilities.unwrap_or(self.scores).malignant
    }
}

/// The result for one image (or one frame).
#[derive(Debug, Clone, PartialEq)]
pub struct ImageAssessment {
    /// The file as the user named it.
    pub file: String,
    /// Frame within the file, from 0.
    pub frame: usize,
    /// Rows of the original image.
    pub rows: usize,
    /// Columns of the original image.
    pub cols: usize,
    /// Size of a pixel, where the file states it.
    pub spacing: Option<Spacing>,
    /// What was taken from the original image.
    pub crop: Crop,
    /// Takes a point of the network's input to the original image.
    pub image_from_input: Affine,
    /// Weight in the breast's scores, in 0..=1; sums to 1 over the breast. By attention, or, where
    /// the model means over views, equal shares.
    pub attention: f64,
    /// 1 for the image with the most attention.
    pub rank: usize,
    /// This image's own scores, uncalibrated.
    pub scores: ClassScores,
    /// This image's calibrated probabilities as if it were the only one of its breast.
    pub probabilities: Option<ClassScores>,
    /// Where the network looked.
    pub saliency: SaliencyMap,
    /// Outlined regions, highest score first.
    pub findings: Vec<Finding>,
    /// What only a mammogram has.
    pub mammogram: Option<MammogramFacts>,
    /// Tolerated deviations of this image.
    pub warnings: Vec<Warning>,
}

impl ImageAssessment {
    /// The mammographic projection, where it is one and is stated.
    pub fn view(&self) -> Option<View> {
        self.mammogram.as_ref().and_then(|facts| facts.view)
    }
}

/// What is known of a mammogram beside what every image has. Places are in the original image.
#[derive(Debug, Clone, PartialEq)]
pub struct MammogramFacts {
    /// The projection, where it is stated.
    pub view: Option<View>,
    /// How the breast lies in the original image.
    pub orientation: BreastOrientation,
    /// Outline of the breast.
    pub breast: Polygon,
    /// The pectoral muscle's edge, from the breast's upper end to the chest wall, where it was found.
    pub pectoral: Option<[Point; 2]>,
    /// Share of the breast's area that is dense, in 0..=1, where it was measured.
    pub density: Option<f64>,
    /// Its density classes, or one line that says why it has none.
    pub density_classes: Result<DensityClasses, String>,
    /// Windows that a second network looked at closely, highest attention first.
    pub windows: Vec<CloseLook>,
}

/// A window of a mammogram that was looked at closely.
#[derive(Debug, Clone, PartialEq)]
pub struct CloseLook {
    /// The window in the original image, a quadrilateral.
    pub outline: Polygon,
    /// Its weight in 0..=1; those of an image and a member of the ensemble sum to one.
    pub attention: f64,
}

/// The part of an image that holds the sonogram or the breast.
#[derive(Debug, Clone, PartialEq)]
pub struct Crop {
    /// The window in pixels of the original image.
    pub window: PixelBox,
    /// How the window was found.
    pub method: CropMethod,
    /// Pixels in the window that were painted over as burnt-in marks.
    pub painted_pixels: usize,
}

/// How a sonogram or a breast was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CropMethod {
    /// From the file's ultrasound regions.
    Regions,
    /// From the pixels.
    Pixels,
    /// The whole image: nothing to crop was found.
    Whole,
    /// The box around the breast of a mammogram, from the pixels.
    Breast,
}

/// Per-class saliency on the network's own grid, row-major, each value in 0..=1.
#[derive(Debug, Clone, PartialEq)]
pub struct SaliencyMap {
    /// Rows of the grid.
    pub rows: usize,
    /// Columns of the grid.
    pub cols: usize,
    /// Benign saliency, `rows × cols`.
    pub benign: Vec<f32>,
    /// Malignant saliency, `rows × cols`.
    pub malignant: Vec<f32>,
    /// Takes a point of the grid to the original image.
    pub image_from_grid: Affine,
}

impl SaliencyMap {
    /// The saliency of a class at a point of the grid, bilinear between nodes; points outside take
    /// the nearest edge's value, an empty map has 0.
    ///
    /// ```
    /// use lobule_exam::{Affine, FindingClass, Point, SaliencyMap};
    /// let map = SaliencyMap {
    ///     rows: 1,
    ///     cols: 2,
    ///     benign: vec![0.0, 0.0],
    ///     malignant: vec![0.0, 1.0],
    ///     image_from_grid: Affine::scale(1.0, 1.0),
    /// };
    /// let at = |col| map.value_at(FindingClass::Malignant, Point { row: 0.0, col });
    /// assert_eq!((at(0.25), at(7.0)), (0.25, 1.0));
    /// ```
    pub fn value_at(&self, class: FindingClass, at: Point) -> f64 {
        let (rows, cols) = (self.rows, self.cols);
        let values = match class {
            FindingClass::Benign => &self.benign,
            FindingClass::Malignant => &self.malignant,
        };
        if rows == 0 || cols == 0 || values.len() != rows * cols {
            return 0.0;
        }
        let row = at.row.clamp(0.0, (rows - 1) as f64);
        let col = at.col.clamp(0.0, (cols - 1) as f64);
        let (r0, c0) = (row.floor() as usize, col.floor() as usize);
        let (r1, c1) = ((r0 + 1).min(rows - 1), (c0 + 1).min(cols - 1));
        let (fr, fc) = (row - r0 as f64, col - c0 as f64);
        let v = |r: usize, c: usize| f64::from(values[r * cols + c]);
        let top = v(r0, c0) * (1.0 - fc) + v(r0, c1) * fc;
        let bottom = v(r1, c0) * (1.0 - fc) + v(r1, c1) * fc;
        top * (1.0 - fr) + bottom * fr
    }
}

/// An outlined region and what is claimed of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The class whose saliency the region stands out in.
    pub class: FindingClass,
    /// Highest saliency in the region, in 0..=1.
    pub score: f64,
    /// Smallest box around the region, in the original image.
    pub bounds: PixelBox,
    /// Outline in the original image.
    pub outline: Polygon,
    /// Longest extent, where the pixel's size is known.
    pub longest_axis_mm: Option<f64>,
    /// What is claimed of it on a mammogram.
    pub lesion: Option<Lesion>,
}

/// What is claimed of a finding on a mammogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lesion {
    /// In 0..=100; the highest one of a breast is the breast's score.
    pub score: f64,
    /// From 1 within the breast; findings of different views with one number are taken for the
    /// same lesion.
    pub number: usize,
}

/// A threshold on the malignant probability and how it was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct OperatingPoint {
    /// Name within the model package.
    pub name: String,
    /// At or above this value a breast is flagged.
    pub threshold: f64,
    /// One sentence: on what data and by what rule it was chosen.
    pub chosen_by: String,
}

/// A tolerated deviation, stated to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// What kind, for programs.
    pub kind: WarningKind,
    /// One sentence, for people.
    pub message: String,
}

/// The kinds of warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WarningKind {
    /// Nothing states the breast's side.
    UnknownSide,
    /// Colour Doppler is mixed into the picture.
    ColorDoppler,
    /// Frames of a cine loop were left out by the sampling rule.
    FramesSampled,
    /// The picture may not be a B-mode sonogram of the breast.
    DoubtfulContent,
    /// The size of a pixel is not stated.
    UnknownSpacing,
    /// A value of the file was mended by a stated rule.
    Repaired,
    /// The file says that it is not of a patient.
    Synthetic,
    /// Nothing states a mammogram's projection.
    UnknownView,
    /// A screening view of a mammography exam, or a whole breast, is not there or could not be used.
    MissingView,
    /// A projection was taken more than once.
    RepeatedView,
    /// The breast holds an implant.
    Implant,
    /// The model saw no such projection in training.
    UntrainedView,
    /// The model saw no mammogram taken in this way in training.
    UntrainedMedium,
    /// The stains of a slide could not be told apart: it was read as it is.
    UnfitStains,
    /// Squares of a slide could not be decoded.
    UnreadableTiles,
    /// Images of one study have different patients.
    SharedStudy,
}

impl WarningKind {
    /// The stable name used in files.
    pub fn name(self) -> &'static str {
        match self {
            WarningKind::UnknownSide => "unknown_side",
            WarningKind::ColorDoppler => "color_doppler",
            WarningKind::FramesSampled => "frames_sampled",
            WarningKind::DoubtfulContent => "doubtful_content",
            WarningKind::UnknownSpacing => "unknown_spacing",
            WarningKind::Repaired => "repaired",
            WarningKind::Synthetic => "synthetic",
            WarningKind::UnknownView => "unknown_view",
            WarningKind::MissingView => "missing_view",
            WarningKind::RepeatedView => "repeated_view",
            WarningKind::Implant => "implant",
            WarningKind::UntrainedView => "untrained_view",
            WarningKind::UntrainedMedium => "untrained_medium",
            WarningKind::UnfitStains => "unfit_stains",
            WarningKind::UnreadableTiles => "unreadable_tiles",
            WarningKind::SharedStudy => "shared_study",
        }
    }
}

/// An input that was not used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file as the user named it.
    pub file: String,
    /// One line: what was expected and what was got.
    pub reason: String,
    /// The exam it is of, by the name that assessments have, where that is known.
    pub exam: Option<String>,
    /// The breast it is of, where that is known.
    pub side: Side,
}

impl Skipped {
    /// An input of which neither exam nor breast is known.
    pub fn new(file: impl Into<String>, reason: impl Into<String>) -> Skipped {
        Skipped {
            file: file.into(),
            reason: reason.into(),
            exam: None,
            side: Side::Unknown,
        }
    }

    /// The input as one of an exam and a breast.
    pub fn of(self, exam: impl Into<String>, side: Side) -> Skipped {
        Skipped {
            exam: Some(exam.into()),
            side,
            ..self
        }
    }
}
