//! Grey values of a mammogram as a reader would see them, and a record of what was applied.
//!
//! Padding → modality → VOI → presentation (PS3.3 C.7.5.1.1.2, C.11.1, C.11.2, C.11.6). Of several
//! VOI alternatives one is taken: tables before windows, among them the one that is explained as
//! `NORMAL`, else the first usable. Where none is stated, the smallest and the largest value found
//! outside the padding become black and white. Padding becomes black, whatever the inversion.

use dicom_dictionary_std::tags;
use lobule_exam::{Warning, WarningKind};
use lobule_raster::{Image, Limits};

use super::{Mammogram, wanted};
use crate::Error;
use crate::codec::Samples;
use crate::dataset::{self, Dataset, malformed};
use crate::frames::read_samples;
use crate::gray::{Modality, Shape, StatedVoi, Window};
use crate::layout::{Layout, Photometric, unsupported};
use crate::lut::{Table, signed};

/// The pixels of a mammogram.
#[derive(Debug, Clone, PartialEq)]
pub struct GrayMammogram {
    /// 0 = black, 65535 = white, whatever the depth of the file.
    pub image: Image<u16>,
    /// What was done to the stored values.
    pub applied: AppliedLuts,
    /// Tolerated deviations of the look-up tables.
    pub warnings: Vec<Warning>,
}

/// What was done to the stored values, in this order.
#[derive(Debug, Clone, PartialEq)]
pub struct AppliedLuts {
    /// Stored values that are no measurement.
    pub padding: Option<Padding>,
    /// From stored values to those of the modality.
    pub modality: ModalityStep,
    /// From those to brightness.
    pub voi: VoiStep,
    /// Windows and tables that were stated besides.
    pub other_vois: usize,
    /// Whether brightness was inverted.
    pub inversion: Inversion,
}

/// Stored values from `low` to `high` are padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Padding {
    /// The smallest.
    pub low: i32,
    /// The largest.
    pub high: i32,
    /// How many pixels have one of them.
    pub pixels: usize,
}

/// From stored values to those of the modality.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ModalityStep {
    /// `slope · stored + intercept`; 1 and 0 where the file states nothing.
    Rescale {
        /// Factor.
        slope: f64,
        /// Summand.
        intercept: f64,
    },
    /// A table.
    Table,
}

/// From values of the modality to brightness.
#[derive(Debug, Clone, PartialEq)]
pub enum VoiStep {
    /// A window.
    Window {
        /// Its center.
        center: f64,
        /// Its width.
        width: f64,
        /// Its form.
        function: WindowFunction,
        /// What the file says it is for; may be empty.
        explanation: String,
    },
    /// A table.
    Table {
        /// What the file says it is for; may be empty.
        explanation: String,
    },
    /// Nothing usable is stated: the values found.
    FoundRange {
        /// Becomes black.
        low: f64,
        /// Becomes white.
        high: f64,
    },
}

/// The forms of a window (PS3.3 C.11.2.1.2 and C.11.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WindowFunction {
    /// `LINEAR`.
    Linear,
    /// `LINEAR_EXACT`.
    LinearExact,
    /// `SIGMOID`.
    Sigmoid,
}

/// Whether brightness was inverted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inversion {
    /// As stored.
    None,
    /// MONOCHROME1, or a Presentation LUT Shape of INVERSE; both together invert once.
    Inverted,
}

/// Refuses what has colors.
pub(super) fn check(layout: &Layout) -> Result<(), Error> {
    match layout.photometric {
        Photometric::Monochrome1 | Photometric::Monochrome2 => Ok(()),
        _ => Err(unsupported("expected grey pixels, got colors")),
    }
}

/// Decodes a mammogram and applies its look-up tables.
///
/// # Errors
/// When the file cannot be read, exceeds `limits` or cannot be decoded.
pub fn read_mammogram(mammogram: &Mammogram, limits: &Limits) -> Result<GrayMammogram, Error> {
    let read = || -> Result<GrayMammogram, Error> {
        let mut header = dataset::read_file(&mammogram.file, &wanted())?;
        let layout = Layout::read(&header, limits)?;
        check(&layout)?;
        let samples = read_samples(&mut header, &layout, limits)?;
        render(&layout, &header.dataset, samples)
    };
    read().map_err(|e| e.in_file(&mammogram.file))
}

fn render(layout: &Layout, data: &Dataset, samples: Samples) -> Result<GrayMammogram, Error> {
    let mut warnings = Vec::new();
    let counts = counts(layout, &samples);
    let sign = layout.signed.then_some(layout.bits_stored);
    let stored = |i: usize| signed(i as u16, sign);
    let padding = padding(layout, data, &counts);
    let is_padding = |i: usize| {
        let value = stored(i);
        padding.is_some_and(|p| (p.low..=p.high).contains(&value))
    };
    let modality = Modality::read(data, &mut warnings);
    let values: Vec<f64> = (0..counts.len())
        .map(|i| modality.at(stored(i), layout.signed))
        .collect();
    let found = (0..counts.len()).filter(|&i| counts[i] > 0 && !is_padding(i));
    let (voi, other_vois) = Voi::choose(data, found.map(|i| values[i]), &mut warnings);
    let has_sign = values.iter().any(|&v| v < 0.0);
    let inversion = inversion(layout, data, &mut warnings);
    let shown = |i: usize| {
        if is_padding(i) {
            return 0;
        }
        let bright = voi.at(values[i], has_sign).clamp(0.0, 1.0);
        let bright = match inversion {
            Inversion::Inverted => 1.0 - bright,
            Inversion::None => bright,
        };
        (bright * 65535.0).round() as u16
    };
    let table: Vec<u16> = (0..counts.len()).map(shown).collect();
    let pixels = samples.values.iter().map(|&v| table[usize::from(v)]);
    let image = Image::from_pixels(layout.rows, layout.cols, pixels.collect());
    Ok(GrayMammogram {
        image: image.ok_or_else(|| malformed("expected as many pixels as rows and columns say"))?,
        applied: AppliedLuts {
            padding,
            modality: modality.step(),
            voi: voi.step(),
            other_vois,
            inversion,
        },
        warnings,
    })
}

/// How often each stored value occurs.
fn counts(layout: &Layout, samples: &Samples) -> Vec<usize> {
    let mut counts = vec![0; 1 << layout.bits_stored];
    for &value in &samples.values {
        counts[usize::from(value)] += 1;
    }
    counts
}

/// Pixel Padding Value, with Pixel Padding Range Limit a range of either order.
fn padding(layout: &Layout, data: &Dataset, counts: &[usize]) -> Option<Padding> {
    // Written in 16 bits whatever the pixels' depth.
    let number = |tag| Some(signed(data.word(tag)?, layout.signed.then_some(16)));
    let value = number(tags::PIXEL_PADDING_VALUE)?;
    let limit = number(tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(value);
    let (low, high) = (value.min(limit), value.max(limit));
    let sign = layout.signed.then_some(layout.bits_stored);
    let inside = |i: &usize| (low..=high).contains(&signed(*i as u16, sign));
    let pixels = (0..counts.len()).filter(inside).map(|i| counts[i]).sum();
    Some(Padding { low, high, pixels })
}

fn inversion(layout: &Layout, data: &Dataset, warnings: &mut Vec<Warning>) -> Inversion {
    let shape = data.text(tags::PRESENTATION_LUT_SHAPE);
    let is_first = layout.photometric == Photometric::Monochrome1;
    let says_inverse = shape.as_deref() == Some("INVERSE");
    if shape.is_some() && is_first != says_inverse {
        let message = "the photometric interpretation and the presentation LUT shape contradict \
                       each other: brightness was inverted";
        warnings.push(repaired(message));
    }
    match is_first || says_inverse {
        true => Inversion::Inverted,
        false => Inversion::None,
    }
}

/// The stated one that [`read_mammogram`] takes.
pub(crate) fn stated_voi(data: &Dataset, warnings: &mut Vec<Warning>) -> Option<StatedVoi> {
    match Voi::stated(data, warnings)?.0 {
        Voi::Table { table, .. } => Some(StatedVoi::Table(table)),
        Voi::Window { window, .. } => Some(StatedVoi::Window(window)),
        Voi::Range { .. } => None,
    }
}

fn repaired(message: &str) -> Warning {
    Warning {
        kind: WarningKind::Repaired,
        message: message.to_owned(),
    }
}

enum Voi {
    Table { table: Table, explanation: String },
    Window { window: Window, explanation: String },
    Range { low: f64, high: f64 },
}

impl Voi {
    /// One of the stated ones, else the range found, and how many others are usable.
    fn choose(
        data: &Dataset,
        found: impl Iterator<Item = f64>,
        warnings: &mut Vec<Warning>,
    ) -> (Voi, usize) {
        Voi::stated(data, warnings).unwrap_or_else(|| (Voi::found_range(found), 0))
    }

    /// One of the stated ones, and how many others are usable.
    fn stated(data: &Dataset, warnings: &mut Vec<Warning>) -> Option<(Voi, usize)> {
        let mut usable = Voi::tables(data, warnings);
        let n_tables = usable.len();
        usable.extend(Voi::windows(data, warnings));
        let others = usable.len().saturating_sub(1);
        let candidates = match n_tables {
            0 => usable.len(),
            n => n,
        };
        let normal = usable[..candidates].iter().position(Voi::is_normal);
        match usable.is_empty() {
            true => None,
            false => Some((usable.swap_remove(normal.unwrap_or(0)), others)),
        }
    }

    fn tables(data: &Dataset, warnings: &mut Vec<Warning>) -> Vec<Voi> {
        let items = data.items(tags::VOILUT_SEQUENCE);
        if items.is_empty() && data.raw(tags::VOILUT_SEQUENCE).is_some() {
            warnings.push(repaired("a VOI LUT sequence without items was left out"));
        }
        let mut tables = Vec::new();
        for item in &items {
            match Table::read(item, tags::LUT_DESCRIPTOR, tags::LUT_DATA) {
                Ok(table) => tables.push(Voi::Table {
                    table,
                    explanation: item.text(tags::LUT_EXPLANATION).unwrap_or_default(),
                }),
                Err(e) => {
                    let message = format!("a VOI LUT was left out: {}", e.reason());
                    warnings.push(repaired(&message));
                }
            }
        }
        tables
    }

    fn windows(data: &Dataset, warnings: &mut Vec<Warning>) -> Vec<Voi> {
        let explanations = data.texts(tags::WINDOW_CENTER_WIDTH_EXPLANATION);
        let explained = |i: usize| explanations.get(i).cloned().unwrap_or_default();
        let windows = Window::read_all(data, warnings);
        let voi = |(i, window)| Voi::Window {
            window,
            explanation: explained(i),
        };
        windows.into_iter().map(voi).collect()
    }

    fn is_normal(&self) -> bool {
        match self {
            Voi::Table { explanation, .. } | Voi::Window { explanation, .. } => {
                explanation.trim().eq_ignore_ascii_case("NORMAL")
            }
            Voi::Range { .. } => false,
        }
    }

    fn found_range(found: impl Iterator<Item = f64>) -> Voi {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in found {
            low = low.min(value);
            high = high.max(value);
        }
        match low <= high {
            true => Voi::Range { low, high },
            false => Voi::Range {
                low: 0.0,
                high: 0.0,
            },
        }
    }

    /// Brightness, in 0..=1 after clamping.
    fn at(&self, value: f64, has_sign: bool) -> f64 {
        match self {
            Voi::Table { table, .. } => {
                let first = i64::from(table.first(has_sign));
                let index = (value.round() as i64).saturating_sub(first);
                f64::from(table.at(index)) / f64::from(table.top())
            }
            Voi::Window { window, .. } => window.at(value),
            Voi::Range { low, high } if high > low => (value - low) / (high - low),
            Voi::Range { .. } => 0.0,
        }
    }

    fn step(self) -> VoiStep {
        match self {
            Voi::Table { explanation, .. } => VoiStep::Table { explanation },
            Voi::Window {
                window,
                explanation,
            } => VoiStep::Window {
                center: window.center,
                width: window.width,
                function: match window.shape {
                    Shape::Linear => WindowFunction::Linear,
                    Shape::LinearExact => WindowFunction::LinearExact,
                    Shape::Sigmoid => WindowFunction::Sigmoid,
                },
                explanation,
            },
            Voi::Range { low, high } => VoiStep::FoundRange { low, high },
        }
    }
}

impl Modality {
    fn step(&self) -> ModalityStep {
        match *self {
            Modality::Table(_) => ModalityStep::Table,
            Modality::Line { slope, intercept } => ModalityStep::Rescale { slope, intercept },
        }
    }
}
