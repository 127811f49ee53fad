//! What the system says about an exam. Plain data: `report` decides how it is written.

use crate::{Affine, PixelBox, Point, Polygon, Side, Spacing};

/// One value per class of finding. The classes are not exclusive: a breast may hold both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScores {
    /// A benign finding is present, in 0..=1.
    pub benign: f64,
    /// A malignant finding is present, in 0..=1.
    pub malignant: f64,
}

/// The class a finding is claimed to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingClass {
    /// Looks benign.
    Benign,
    /// Looks malignant.
    Malignant,
}

/// The result for one exam.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// An opaque key: the manifest's name of the exam, a file's stem, or a hash of the study's
    /// identifier. Never a patient identifier.
    pub exam: String,
    /// One entry per breast, ordered left, right, unknown.
    pub breasts: Vec<BreastAssessment>,
    /// What the reader of the result should know about the exam as a whole.
    pub warnings: Vec<Warning>,
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
    /// Share of the breast's attention, in 0..=1; sums to 1 over the breast.
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
    /// Tolerated deviations of this image.
    pub warnings: Vec<Warning>,
}

/// The part of an image that holds the sonogram.
#[derive(Debug, Clone, PartialEq)]
pub struct Crop {
    /// The window in pixels of the original image.
    pub window: PixelBox,
    /// How the window was found.
    pub method: CropMethod,
    /// Pixels in the window that were painted over as burnt-in marks.
    pub painted_pixels: usize,
}

/// How a sonogram was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CropMethod {
    /// From the file's ultrasound regions.
    Regions,
    /// From the pixels.
    Pixels,
    /// The whole image: nothing to crop was found.
    Whole,
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
}
