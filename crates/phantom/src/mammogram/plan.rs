//! What to draw. Plain data; nothing here draws.

use lobule_exam::{FindingClass, Laterality, Medium};

use crate::plan::held;

/// Height and width of the detector, in mm. The breast stays away from the edge opposite to the
/// chest wall, where the label is.
pub(super) const DETECTOR_MM: [f64; 2] = [240.0, 180.0];

/// One exam to draw: both breasts, each in a cranio-caudal and a medio-lateral oblique view.
#[derive(Debug, Clone, PartialEq)]
pub struct ExamPlan {
    /// Side of a pixel, in mm (0.05 to 2). The detector is 240 × 180 mm: 0.2 mm give pictures of
    /// 1200 × 900 pixels.
    pub spacing_mm: f64,
    /// How much of the breasts is glandular.
    pub density: Density,
    /// How the picture was taken. Digital ones have a black background and an evened-out skin line;
    /// scans of films an uneven background, a fading skin line, grain, a paper label, white borders,
    /// scratches and dust.
    pub medium: Medium,
    /// The lesions; they are numbered by their place here, from 0.
    pub lesions: Vec<LesionPlan>,
}

impl Default for ExamPlan {
    fn default() -> ExamPlan {
        ExamPlan {
            spacing_mm: 0.2,
            density: Density::Scattered,
            medium: Medium::Digital,
            lesions: Vec::new(),
        }
    }
}

impl ExamPlan {
    pub(super) fn spacing(&self) -> f64 {
        held(self.spacing_mm, 0.05, 2.0)
    }

    /// Rows and columns of each picture.
    pub fn size(&self) -> (usize, usize) {
        let [rows, cols] = DETECTOR_MM.map(|mm| (mm / self.spacing()).round() as usize);
        (rows, cols)
    }
}

/// How much of a breast is glandular; made to resemble the four categories of composition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Density {
    /// Nearly all fat.
    Fatty,
    /// Strands and patches of gland.
    Scattered,
    /// Much gland, with islands of fat.
    Heterogeneous,
    /// Gland nearly up to the skin.
    Dense,
}

impl Density {
    /// All, from the darkest to the brightest.
    pub const ALL: [Density; 4] = [
        Density::Fatty,
        Density::Scattered,
        Density::Heterogeneous,
        Density::Dense,
    ];

    /// The stable name used in tables.
    pub fn name(self) -> &'static str {
        match self {
            Density::Fatty => "fatty",
            Density::Scattered => "scattered",
            Density::Heterogeneous => "heterogeneous",
            Density::Dense => "dense",
        }
    }
}

/// A lesion to draw in both views of one breast. Its place is given by shares, so that it lies
/// inside the breast, and before the muscle, in both views; each is held to its range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LesionPlan {
    /// The breast.
    pub side: Laterality,
    /// What it looks like.
    pub kind: LesionKind,
    /// Largest extent without spicules, in mm (2 to 40).
    pub diameter_mm: f64,
    /// Depth behind the nipple along the nipple line, as a share of the breast's depth (0.2 to
    /// 0.8). The same in both views.
    pub depth: f64,
    /// Distance from the nipple line in the cranio-caudal view, as a share of what the breast
    /// allows at that depth: 1 outwards, −1 inwards.
    pub outward: f64,
    /// Distance from the nipple line in the oblique view, likewise: 1 upwards, −1 downwards.
    pub upward: f64,
}

impl LesionPlan {
    /// A lesion of middle size behind the nipple.
    pub fn typical(side: Laterality, kind: LesionKind) -> LesionPlan {
        LesionPlan {
            side,
            kind,
            diameter_mm: match kind {
                LesionKind::Spiculated => 14.0,
                LesionKind::Cluster => 11.0,
                _ => 16.0,
            },
            depth: 0.5,
            outward: 0.25,
            upward: 0.25,
        }
    }

    pub(super) fn held(self) -> LesionPlan {
        LesionPlan {
            diameter_mm: held(self.diameter_mm, 2.0, 40.0),
            depth: held(self.depth, 0.2, 0.8),
            outward: held(self.outward, -1.0, 1.0),
            upward: held(self.upward, -1.0, 1.0),
            ..self
        }
    }
}

/// What a lesion looks like on a mammogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LesionKind {
    /// Malignant-like: a dense irregular core with fine lines that radiate from it.
    Spiculated,
    /// Malignant-like: a dense round mass that fades into its surroundings.
    Indistinct,
    /// Malignant-like: a cluster of small specks of uneven size and brightness, with no mass.
    Cluster,
    /// Benign-like: an oval mass with a sharp margin.
    Oval,
    /// Benign-like: an oval lump with a few coarse, very bright calcifications.
    Calcified,
}

impl LesionKind {
    /// All kinds, the malignant-like ones first.
    pub const ALL: [LesionKind; 5] = [
        LesionKind::Spiculated,
        LesionKind::Indistinct,
        LesionKind::Cluster,
        LesionKind::Oval,
        LesionKind::Calcified,
    ];

    /// The class that the lesion is made to look like.
    pub fn class(self) -> FindingClass {
        match self {
            LesionKind::Oval | LesionKind::Calcified => FindingClass::Benign,
            _ => FindingClass::Malignant,
        }
    }

    /// The stable name used in tables.
    pub fn name(self) -> &'static str {
        match self {
            LesionKind::Spiculated => "spiculated-mass",
            LesionKind::Indistinct => "indistinct-mass",
            LesionKind::Cluster => "microcalcification-cluster",
            LesionKind::Oval => "oval-mass",
            LesionKind::Calcified => "calcified-lump",
        }
    }
}
