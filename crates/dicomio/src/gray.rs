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
        let values = modality.values(layout);
        let voi = Voi::read(data, &values, &modality, warnings);
        Gray::shown(layout, data, &values, &voi)
    }

    /// As [`Gray::read`], through a window of the caller's instead of the stated one.
    pub(crate) fn through(layout: &Layout, data: &Dataset, window: Window) -> Gray {
        let modality = Modality::read(data, &mut Vec::new());
        Gray::shown(layout, data, &modality.values(layout), &Voi::Window(window))
    }

    fn shown(layout: &Layout, data: &Dataset, values: &[f64], voi: &Voi) -> Gray {
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

    /// What every stored value becomes.
    fn values(&self, layout: &Layout) -> Vec<f64> {
        let sign = layout.signed.then_some(layout.bits_stored);
        let count = 1_u32 << layout.bits_stored;
        let value = |stored| self.at(signed(stored as u16, sign), layout.signed);
        (0..count).map(value).collect()
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

/// What a file states of the step from values of the modality to brightness.
pub(crate) enum StatedVoi {
    Table(Table),
    Window(Window),
}

impl StatedVoi {
    /// The first table, else the first window; what cannot be used is left out with a warning.
    pub(crate) fn first(data: &Dataset, warnings: &mut Vec<Warning>) -> Option<StatedVoi> {
        match first_table(data, tags::VOILUT_SEQUENCE, warnings) {
            Some(table) => Some(StatedVoi::Table(table)),
            None => Window::read(data, warnings).map(StatedVoi::Window),
        }
    }
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
    /// The term of VOI LUT Function.
    pub(crate) fn term(self) -> &'static str {
        match self {
            Shape::Linear => "LINEAR",
            Shape::LinearExact => "LINEAR_EXACT",
            Shape::Sigmoid => "SIGMOID",
        }
    }

    /// Whether something is stated that is no term of VOI LUT Function.
    fn is_unknown(data: &Dataset) -> bool {
        let known = |text: &str| text.is_empty() || Shape::of_term(text).is_some();
        data.text(tags::VOILUT_FUNCTION)
            .is_some_and(|text| !known(&text))
    }

    fn of_term(text: &str) -> Option<Shape> {
        let all = [Shape::Linear, Shape::LinearExact, Shape::Sigmoid];
        all.into_iter().find(|shape| shape.term() == text)
    }

    fn read(data: &Dataset) -> Shape {
        let stated = data.text(tags::VOILUT_FUNCTION);
        stated
            .and_then(|text| Shape::of_term(&text))
            .unwrap_or(Shape::Linear)
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
        match (StatedVoi::first(data, warnings), modality) {
            (Some(StatedVoi::Table(table)), _) => Voi::Table {
                first: table.first(low < 0.0),
                table,
            },
            (Some(StatedVoi::Window(window)), _) => Voi::Window(window),
            (None, Modality::Table(table)) => Voi::Range {
                low: 0.0,
                high: f64::from(table.top()),
            },
            (None, Modality::Line { .. }) => Voi::Range { low, high },
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

    /// All windows with their places in the list; those of impossible width, and what is
    /// not a pair of numbers, are left out with a warning.
    pub(crate) fn read_all(data: &Dataset, warnings: &mut Vec<Warning>) -> Vec<(usize, Window)> {
        let (centers, widths) = (
            data.texts(tags::WINDOW_CENTER),
            data.texts(tags::WINDOW_WIDTH),
        );
        let shape = Shape::read(data);
        if !centers.is_empty() && Shape::is_unknown(data) {
            repaired(
                warnings,
                "the form of the window is none of the standard's: LINEAR was taken",
            );
        }
        let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite());
        let mut windows = Vec::new();
        for i in 0..centers.len().max(widths.len()) {
            let at = |texts: &[String]| texts.get(i).cloned().unwrap_or_default();
            let (center, width) = (at(&centers), at(&widths));
            if center.is_empty() && width.is_empty() {
                continue;
            }
            match (number(&center), number(&width)) {
                (Some(c), Some(w)) => {
                    windows.extend(Window::new(c, w, shape, warnings).map(|window| (i, window)));
                }
                _ => repaired(warnings, "a window that is not two numbers was left out"),
            }
        }
        windows
    }

    /// None with a warning where its shape does not allow its width.
    pub(crate) fn new(
        center: f64,
        width: f64,
        shape: Shape,
        warnings: &mut Vec<Warning>,
    ) -> Option<Window> {
        let (allowed, widths) = match shape {
            Shape::Linear => (width >= 1.0, "of at least 1"),
            Shape::LinearExact | Shape::Sigmoid => (width > 0.0, "above 0"),
        };
        if !allowed {
            let term = shape.term();
            let message =
                format!("a window was left out: expected a width {widths} for {term}, got {width}");
            repaired(warnings, &message);
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
