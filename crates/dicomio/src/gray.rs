//! Grey values: modality, then VOI, then presentation (PS3.3 C.11.1, C.11.2, C.11.6).
//!
//! Every stored value has at most 16 bits, so the whole chain is one table.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use lobule_exam::{Warning, WarningKind};

use crate::dataset::Dataset;
use crate::layout::{Layout, Photometric};
use crate::lut::{Table, signed};

/// What each stored value looks like, 0 = black, 65535 = white.
pub(crate) struct Gray {
    table: Vec<u16>,
    eight_bit: bool,
}

impl Gray {
    pub(crate) fn read(layout: &Layout, data: &Dataset, warnings: &mut Vec<Warning>) -> Gray {
        let modality = Modality::read(data, warnings);
        let sign = layout.signed.then_some(layout.bits_stored);
        let count = 1_u32 << layout.bits_stored;
        let values: Vec<f64> = (0..count)
            .map(|stored| modality.at(signed(stored as u16, sign), layout.signed))
            .collect();
        let voi = Voi::read(data, &values, &modality, warnings);
        let inverse = layout.photometric == Photometric::Monochrome1
            || data.text(tags::PRESENTATION_LUT_SHAPE).as_deref() == Some("INVERSE");
        let eight_bit = layout.bits_stored <= 8;
        let shown = |&value: &f64| {
            let bright = voi.at(value).clamp(0.0, 1.0);
            let bright = if inverse { 1.0 - bright } else { bright };
            match eight_bit {
                true => (bright * 255.0).round() as u16 * 257,
                false => (bright * 65535.0).round() as u16,
            }
        };
        Gray {
            table: values.iter().map(shown).collect(),
            eight_bit,
        }
    }

    /// Whether eight bits hold all there is.
    pub(crate) fn is_eight_bit(&self) -> bool {
        self.eight_bit
    }

    /// What a stored value looks like.
    pub(crate) fn at(&self, stored: u16) -> u16 {
        self.table[usize::from(stored)]
    }
}

fn repaired(warnings: &mut Vec<Warning>, message: &str) {
    warnings.push(Warning {
        kind: WarningKind::Repaired,
        message: message.to_owned(),
    });
}

pub(crate) enum Modality {
    Table(Table),
    Line { slope: f64, intercept: f64 },
}

impl Modality {
    pub(crate) fn read(data: &Dataset, warnings: &mut Vec<Warning>) -> Modality {
        if let Some(table) = first_table(data, tags::MODALITY_LUT_SEQUENCE, warnings) {
            return Modality::Table(table);
        }
        let first = |tag| data.decimals(tag).first().copied();
        let mut slope = first(tags::RESCALE_SLOPE).unwrap_or(1.0);
        if slope == 0.0 {
            repaired(warnings, "a rescale slope of 0 was taken as 1");
            slope = 1.0;
        }
        Modality::Line {
            slope,
            intercept: first(tags::RESCALE_INTERCEPT).unwrap_or(0.0),
        }
    }

    pub(crate) fn at(&self, stored: i32, is_signed: bool) -> f64 {
        match self {
            Modality::Table(table) => {
                f64::from(table.at(i64::from(stored) - i64::from(table.first(is_signed))))
            }
            Modality::Line { slope, intercept } => slope * f64::from(stored) + intercept,
        }
    }
}

/// The first item's table; an unusable one is left out with a warning.
fn first_table(data: &Dataset, sequence: Tag, warnings: &mut Vec<Warning>) -> Option<Table> {
    data.raw(sequence)?;
    let items = data.items(sequence);
    let read = |item| Table::read(item, tags::LUT_DESCRIPTOR, tags::LUT_DATA).ok();
    let table = items.first().and_then(read);
    if table.is_none() {
        repaired(
            warnings,
            "a look-up table without usable values was left out",
        );
    }
    table
}

enum Voi {
    Table {
        table: Table,
        first: i32,
    },
    Window(Window),
    /// All possible values.
    Range {
        low: f64,
        high: f64,
    },
}

pub(crate) struct Window {
    pub(crate) center: f64,
    pub(crate) width: f64,
    pub(crate) shape: Shape,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Linear,
    LinearExact,
    Sigmoid,
}

impl Shape {
    fn read(data: &Dataset) -> Shape {
        match data.text(tags::VOILUT_FUNCTION).as_deref() {
            Some("LINEAR_EXACT") => Shape::LinearExact,
            Some("SIGMOID") => Shape::Sigmoid,
            _ => Shape::Linear,
        }
    }
}

impl Voi {
    fn read(
        data: &Dataset,
        values: &[f64],
        modality: &Modality,
        warnings: &mut Vec<Warning>,
    ) -> Voi {
        let fold = |f: fn(f64, f64) -> f64| values.iter().copied().reduce(f).unwrap_or(0.0);
        let (low, high) = (fold(f64::min), fold(f64::max));
        if let Some(table) = first_table(data, tags::VOILUT_SEQUENCE, warnings) {
            let first = table.first(low < 0.0);
            return Voi::Table { table, first };
        }
        if let Some(window) = Window::read(data, warnings) {
            return Voi::Window(window);
        }
        match modality {
            Modality::Table(table) => Voi::Range {
                low: 0.0,
                high: f64::from(table.top()),
            },
            Modality::Line { .. } => Voi::Range { low, high },
        }
    }

    /// Brightness, in 0..=1 after clamping.
    fn at(&self, value: f64) -> f64 {
        match self {
            Voi::Table { table, first } => {
                let index = (value.round() as i64).saturating_sub(i64::from(*first));
                f64::from(table.at(index)) / f64::from(table.top())
            }
            Voi::Window(window) => window.at(value),
            Voi::Range { low, high } if high > low => (value - low) / (high - low),
            Voi::Range { .. } => 0.0,
        }
    }
}

impl Window {
    /// The first window. A width that its shape does not allow is left out with a warning.
    fn read(data: &Dataset, warnings: &mut Vec<Warning>) -> Option<Window> {
        let center = *data.decimals(tags::WINDOW_CENTER).first()?;
        let width = *data.decimals(tags::WINDOW_WIDTH).first()?;
        Window::new(center, width, Shape::read(data), warnings)
    }

    /// All windows with their places in the list; those of impossible width are left out with a
    /// warning.
    pub(crate) fn read_all(data: &Dataset, warnings: &mut Vec<Warning>) -> Vec<(usize, Window)> {
        let centers = data.decimals(tags::WINDOW_CENTER);
        let widths = data.decimals(tags::WINDOW_WIDTH);
        let shape = Shape::read(data);
        let pairs = centers.into_iter().zip(widths).enumerate();
        pairs
            .filter_map(|(i, (c, w))| Some((i, Window::new(c, w, shape, warnings)?)))
            .collect()
    }

    fn new(center: f64, width: f64, shape: Shape, warnings: &mut Vec<Warning>) -> Option<Window> {
        let allowed = match shape {
            Shape::Linear => width >= 1.0,
            Shape::LinearExact | Shape::Sigmoid => width > 0.0,
        };
        if !allowed {
            repaired(warnings, "a window of impossible width was left out");
            return None;
        }
        Some(Window {
            center,
            width,
            shape,
        })
    }

    /// PS3.3 C.11.2.1.2 and C.11.2.1.3, for an output of 0 to 1.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let (c, w) = (self.center, self.width);
        match self.shape {
            Shape::Linear if value <= c - 0.5 - (w - 1.0) / 2.0 => 0.0,
            Shape::Linear if value > c - 0.5 + (w - 1.0) / 2.0 => 1.0,
            Shape::Linear => (value - (c - 0.5)) / (w - 1.0) + 0.5,
            Shape::LinearExact => (value - c) / w + 0.5,
            Shape::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - c) / w).exp()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Element, Encoding};

    #[test]
    fn values_beyond_all_numbers_take_the_ends_of_a_table() {
        let mut data = Dataset::empty(Encoding {
            implicit: false,
            big_endian: false,
        });
        let mut put = |tag, value: &[u8]| {
            let encoding = Encoding {
                implicit: false,
                big_endian: false,
            };
            let value = value.to_vec();
            data.elements.insert(tag, Element { value, encoding });
        };
        put(tags::LUT_DESCRIPTOR, &[2, 0, 5, 0, 8, 0]);
        put(tags::LUT_DATA, &[0, 0, 255, 0]);
        let table = Table::read(&data, tags::LUT_DESCRIPTOR, tags::LUT_DATA).unwrap();
        let voi = Voi::Table { table, first: 5 };
        let values = [-f64::MAX, f64::NEG_INFINITY, f64::MAX, f64::INFINITY];
        assert_eq!(values.map(|v| voi.at(v)), [0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn windows_follow_the_standards_formulas() {
        let window = |center, width, shape| Window {
            center,
            width,
            shape,
        };
        // The examples of C.11.2.1.2: c = 2048, w = 4096; c = 2048, w = 1; c = 0, w = 100.
        let cases = [
            (window(2048.0, 4096.0, Shape::Linear), 0.0, 0.0),
            (window(2048.0, 4096.0, Shape::Linear), 4095.0, 1.0),
            (window(2048.0, 1.0, Shape::Linear), 2047.0, 0.0),
            (window(2048.0, 1.0, Shape::Linear), 2048.0, 1.0),
            (window(0.0, 100.0, Shape::Linear), -50.0, 0.0),
            (window(0.0, 100.0, Shape::Linear), -0.5, 0.5),
            (window(0.0, 100.0, Shape::LinearExact), 50.0, 1.0),
            (window(5.0, 0.5, Shape::Sigmoid), 5.0, 0.5),
        ];
        for (window, value, expected) in cases {
            assert!((window.at(value) - expected).abs() < 1e-12);
        }
    }
}
