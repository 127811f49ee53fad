//! What to draw. Plain data with sensible defaults; nothing here draws.

use lobule_exam::{FindingClass, PixelBox, Side};

/// One picture to draw.
#[derive(Debug, Clone, PartialEq)]
pub struct ImagePlan {
    /// The screen and where the sonogram lies on it.
    pub layout: Layout,
    /// Shape of the field of view.
    pub transducer: Transducer,
    /// Depth of the sonogram, in mm (20 to 80).
    pub depth_mm: f64,
    /// Width of the scale of brightness, in dB (40 to 80).
    pub dynamic_range_db: f64,
    /// Independent looks whose envelopes are averaged (spatial compounding): 1 leaves fully
    /// developed speckle, scanners of today show about 3 (1 to 9).
    pub looks: usize,
    /// How much of the breast is glandular.
    pub composition: Composition,
    /// The lesion, if there is one.
    pub lesion: Option<LesionPlan>,
    /// The breast, for the burnt-in text.
    pub side: Side,
    /// Whether the lesion is measured on the screen.
    pub callipers: Callipers,
}

impl Default for ImagePlan {
    fn default() -> ImagePlan {
        ImagePlan {
            layout: Layout::Console {
                rows: 600,
                cols: 800,
            },
            transducer: Transducer::Linear,
            depth_mm: 38.0,
            dynamic_range_db: 58.0,
            looks: 3,
            composition: Composition::Mixed,
            lesion: None,
            side: Side::Unknown,
            callipers: Callipers::None,
        }
    }
}

/// The screen around the sonogram. Sides are held to 64 to 4096 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// A scanner's screen with text, ruler and grey bar; large letters need about 600 × 800.
    Console {
        /// Rows of the screen.
        rows: usize,
        /// Columns of the screen.
        cols: usize,
    },
    /// The sonogram alone above one line of text, for small pictures.
    Bare {
        /// Rows of the picture.
        rows: usize,
        /// Columns of the picture.
        cols: usize,
    },
}

impl Layout {
    /// Rows and columns of the screen.
    pub fn size(self) -> (usize, usize) {
        let (Layout::Console { rows, cols } | Layout::Bare { rows, cols }) = self;
        (rows.clamp(64, 4096), cols.clamp(64, 4096))
    }

    /// Where the sonogram lies.
    pub fn region(self) -> PixelBox {
        let (rows, cols) = self.size();
        match self {
            Layout::Bare { .. } => PixelBox::whole(rows - 9, cols),
            Layout::Console { .. } => PixelBox {
                row: rows / 9,
                col: cols / 8,
                rows: rows * 7 / 9,
                cols: cols * 11 / 16,
            },
        }
    }
}

/// Shape of the field of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transducer {
    /// Parallel beams: a rectangle.
    Linear,
    /// Beams that fan out from an arc of 40 mm radius: a sector, black beside it.
    Curved,
}

/// How much of the breast is glandular.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Composition {
    /// Mostly fat.
    Fatty,
    /// A layer of fat, then a layer of gland.
    Mixed,
    /// Gland nearly up to the skin.
    Dense,
}

/// A value held between two bounds; what is no number becomes the lower one.
pub(crate) fn held(value: f64, low: f64, high: f64) -> f64 {
    if value.is_nan() {
        low
    } else {
        value.clamp(low, high)
    }
}

/// A lesion to draw. Extents are held to 1 to 60 mm, positions to 100 mm from the middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LesionPlan {
    /// What it looks like.
    pub kind: LesionKind,
    /// Side-to-side extent, in mm; the height follows from the kind.
    pub width_mm: f64,
    /// Depth of its centre below the transducer, in mm.
    pub depth_mm: f64,
    /// Its centre right of the middle of the picture, in mm.
    pub lateral_mm: f64,
    /// Bright specks inside.
    pub calcifications: Calcifications,
}

impl LesionPlan {
    pub(crate) fn held(self) -> LesionPlan {
        LesionPlan {
            width_mm: held(self.width_mm, 1.0, 60.0),
            depth_mm: held(self.depth_mm, 0.0, 100.0),
            lateral_mm: held(self.lateral_mm, -100.0, 100.0),
            ..self
        }
    }

    /// A middle-sized lesion near the middle of the picture.
    pub fn typical(kind: LesionKind) -> LesionPlan {
        let (width_mm, calcifications) = match kind {
            LesionKind::Cyst => (11.0, Calcifications::None),
            LesionKind::Solid => (13.0, Calcifications::None),
            LesionKind::Malignant => (9.5, Calcifications::Present),
        };
        LesionPlan {
            kind,
            width_mm,
            depth_mm: 15.0,
            lateral_mm: 0.0,
            calcifications,
        }
    }
}

/// What a lesion looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LesionKind {
    /// Benign-like: oval, anechoic, thin bright wall, brighter behind.
    Cyst,
    /// Benign-like: oval, wider than tall, circumscribed, evenly hypoechoic.
    Solid,
    /// Malignant-like: spiculated, taller than wide, dark and uneven, bright halo, shadow behind.
    Malignant,
}

impl LesionKind {
    /// The class that the lesion is made to look like.
    pub fn class(self) -> FindingClass {
        match self {
            LesionKind::Cyst | LesionKind::Solid => FindingClass::Benign,
            LesionKind::Malignant => FindingClass::Malignant,
        }
    }

    /// The stable name used in tables.
    pub fn name(self) -> &'static str {
        match self {
            LesionKind::Cyst => "cyst",
            LesionKind::Solid => "solid",
            LesionKind::Malignant => "malignant-like",
        }
    }
}

/// Bright specks inside a lesion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calcifications {
    /// None.
    None,
    /// About ten.
    Present,
}

/// Crosses at both ends of the lesion's axes, with dotted lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callipers {
    /// None.
    None,
    /// Across and along.
    OnLesion,
}
