//! One picture in many encodings that show the same.
//!
//! Owns: the ways in which a mammogram can be stored, and the numbers that each stores. Does not
//! own: the other elements of the file (`mammogram`).

use dicom_core::value::{DataSetSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::{put_str, put_u16};

/// Factor and summand of [`StoredDisplay::Rescaled`].
const SLOPE: f64 = 0.5;
const INTERCEPT: f64 = -100.0;
/// Of [`StoredPadding::Range`]: values above the lowest padding value.
const PADDING_RANGE: i64 = 40;

/// How a synthetic mammogram is stored. The default is what detectors of today write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MammogramEncoding {
    /// The kind of object.
    pub object: ObjectKind,
    /// The transfer syntax.
    pub syntax: NativeSyntax,
    /// Bits of a grey value: 6 to 15, or 16 without padding. More than 12 add nothing.
    pub bits: u16,
    /// Whether stored values have a sign.
    pub sign: StoredSign,
    /// Whether dark is stored as large numbers.
    pub polarity: StoredPolarity,
    /// How stored values become brightness.
    pub display: StoredDisplay,
    /// Whether black pixels are stored as padding; not together with
    /// [`StoredDisplay::NothingStated`], where black would no longer be found.
    pub padding: StoredPadding,
}

impl Default for MammogramEncoding {
    fn default() -> MammogramEncoding {
        MammogramEncoding {
            object: ObjectKind::ForPresentation,
            syntax: NativeSyntax::ExplicitLittle,
            bits: 12,
            sign: StoredSign::Unsigned,
            polarity: StoredPolarity::Monochrome2,
            display: StoredDisplay::Linear,
            padding: StoredPadding::None,
        }
    }
}

/// The kind of a mammogram's object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// Digital mammography for presentation.
    ForPresentation,
    /// Digital mammography for processing: exposures, which fall exponentially with brightness.
    /// Bits, sign, polarity, display and padding are its own.
    ForProcessing,
    /// Digital radiography of the breast.
    DigitalRadiography,
    /// Computed radiography of the breast.
    ComputedRadiography,
    /// A secondary capture.
    SecondaryCapture,
}

/// Transfer syntaxes that do not compress pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NativeSyntax {
    /// Implicit VR little endian.
    ImplicitLittle,
    /// Explicit VR little endian.
    ExplicitLittle,
    /// Explicit VR big endian (retired).
    ExplicitBig,
    /// Deflated explicit VR little endian.
    Deflated,
}

/// Pixel Representation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoredSign {
    /// From 0.
    Unsigned,
    /// Two's complement, centered on 0.
    Signed,
}

/// What large stored values mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoredPolarity {
    /// MONOCHROME2: bright.
    Monochrome2,
    /// MONOCHROME1 with Presentation LUT Shape INVERSE: dark.
    Monochrome1,
    /// Presentation LUT Shape INVERSE of a MONOCHROME2 image (not in keeping): dark.
    ShapeInverse,
}

/// The look-up stages that are stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoredDisplay {
    /// A window, `LINEAR`.
    Linear,
    /// A window, `LINEAR_EXACT`.
    LinearExact,
    /// A window, `SIGMOID`.
    Sigmoid,
    /// A VOI LUT sequence of one table, a parabola.
    Table,
    /// Rescale slope and intercept before a window.
    Rescaled,
    /// A modality LUT, which falls, before a window.
    ModalityTable,
    /// No window and no table.
    NothingStated,
}

/// How black pixels are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoredPadding {
    /// As black.
    None,
    /// As Pixel Padding Value.
    Value,
    /// As values from Pixel Padding Value to Pixel Padding Range Limit.
    Range,
}

impl MammogramEncoding {
    /// Bits of a stored value, with one more where padding has values of its own.
    pub(super) fn bits_stored(&self) -> u16 {
        match (self.object, self.padding) {
            (ObjectKind::ForProcessing, _) => 14,
            (_, StoredPadding::None) => self.bits.clamp(6, 16),
            _ => self.bits.clamp(6, 15) + 1,
        }
    }

    pub(super) fn bits_allocated(&self) -> u16 {
        if self.bits_stored() <= 8 { 8 } else { 16 }
    }

    fn is_raw(&self) -> bool {
        self.object == ObjectKind::ForProcessing
    }

    /// The largest grey value, counted from the smallest.
    fn top(&self) -> i64 {
        let most = match self.padding {
            StoredPadding::None => 16,
            _ => 15,
        };
        (1 << self.bits.clamp(6, most)) - 1
    }

    /// The smallest grey value.
    fn lowest(&self) -> i64 {
        match self.sign {
            StoredSign::Unsigned => 0,
            StoredSign::Signed => -(1 << (self.bits_stored() - 1)),
        }
    }

    /// The stored bits of a pixel that shows `shown` of 65535.
    pub(super) fn stored(&self, shown: u16, pixel: usize) -> u16 {
        if self.is_raw() {
            return (16383.0 * (-2.0 * f64::from(shown) / 65535.0).exp()).round() as u16;
        }
        let number = match (self.padding, shown) {
            (StoredPadding::Value, 0) => self.padding_ends()[0],
            (StoredPadding::Range, 0) => {
                self.padding_ends()[0] + pixel as i64 % (PADDING_RANGE + 1)
            }
            _ => self.lowest() + self.level(f64::from(shown) / 65535.0),
        };
        let mask = ((1_u32 << self.bits_stored()) - 1) as u16;
        number as u16 & mask
    }

    /// The stored grey value of a brightness in 0..=1, counted from the smallest.
    fn level(&self, shown: f64) -> i64 {
        let bright = match self.polarity {
            StoredPolarity::Monochrome2 => shown,
            _ => 1.0 - shown,
        };
        let top = self.top() as f64;
        let level = match self.display {
            StoredDisplay::Sigmoid => {
                let odds = (1.0 / bright - 1.0).max(f64::MIN_POSITIVE);
                0.5 * top - self.sigmoid_width() / 4.0 * odds.ln()
            }
            StoredDisplay::Table => bright.sqrt() * top,
            StoredDisplay::ModalityTable => (1.0 - bright) * top,
            _ => bright * top,
        };
        level.round().clamp(0.0, top) as i64
    }

    /// So narrow that black and white are reached.
    fn sigmoid_width(&self) -> f64 {
        self.top() as f64 / 6.0
    }

    fn padding_ends(&self) -> [i64; 2] {
        let first = self.lowest() + self.top() + 1;
        [first, first + PADDING_RANGE]
    }

    /// The elements of the image pixel module but for the pixels, and those of look-up.
    pub(super) fn put(&self, object: &mut InMemDicomObject) {
        let stored = self.bits_stored();
        let is_signed = self.sign == StoredSign::Signed && !self.is_raw();
        for (tag, value) in [
            (tags::SAMPLES_PER_PIXEL, 1),
            (tags::BITS_ALLOCATED, self.bits_allocated()),
            (tags::BITS_STORED, stored),
            (tags::HIGH_BIT, stored - 1),
            (tags::PIXEL_REPRESENTATION, u16::from(is_signed)),
        ] {
            put_u16(object, tag, value);
        }
        let (photometric, shape) = match self.polarity {
            _ if self.is_raw() => ("MONOCHROME1", "INVERSE"),
            StoredPolarity::Monochrome2 => ("MONOCHROME2", "IDENTITY"),
            StoredPolarity::Monochrome1 => ("MONOCHROME1", "INVERSE"),
            StoredPolarity::ShapeInverse => ("MONOCHROME2", "INVERSE"),
        };
        put_str(
            object,
            tags::PHOTOMETRIC_INTERPRETATION,
            VR::CS,
            photometric,
        );
        put_str(object, tags::PRESENTATION_LUT_SHAPE, VR::CS, shape);
        if !self.is_raw() {
            self.put_display(object);
            self.put_padding(object);
        }
    }

    fn put_display(&self, object: &mut InMemDicomObject) {
        let (low, top) = (self.lowest() as f64, self.top() as f64);
        let rescale = |object: &mut InMemDicomObject, slope: f64, intercept: f64| {
            put_str(object, tags::RESCALE_SLOPE, VR::DS, &slope.to_string());
            put_str(
                object,
                tags::RESCALE_INTERCEPT,
                VR::DS,
                &intercept.to_string(),
            );
            put_str(object, tags::RESCALE_TYPE, VR::LO, "US");
        };
        if !matches!(
            self.display,
            StoredDisplay::Rescaled | StoredDisplay::ModalityTable
        ) {
            rescale(object, 1.0, 0.0);
        }
        match self.display {
            StoredDisplay::NothingStated => {}
            StoredDisplay::Linear => put_linear(object, low, low + top),
            StoredDisplay::LinearExact => {
                put_window(object, low + 0.5 * top, top, "LINEAR_EXACT");
            }
            StoredDisplay::Sigmoid => {
                put_window(object, low + 0.5 * top, self.sigmoid_width(), "SIGMOID");
            }
            StoredDisplay::Rescaled => {
                rescale(object, SLOPE, INTERCEPT);
                let at = |value: f64| SLOPE * value + INTERCEPT;
                put_linear(object, at(low), at(low + top));
            }
            StoredDisplay::ModalityTable => {
                let entry = |i: i64| 65535.0 * (1.0 - i as f64 / top);
                let table = self.table(tags::MODALITY_LUT_TYPE, "US", entry);
                put_sequence(object, tags::MODALITY_LUT_SEQUENCE, table);
                put_linear(object, 0.0, 65535.0);
            }
            StoredDisplay::Table => {
                let entry = |i: i64| 65535.0 * (i as f64 / top).powi(2);
                let table = self.table(tags::LUT_EXPLANATION, "NORMAL", entry);
                put_sequence(object, tags::VOILUT_SEQUENCE, table);
            }
        }
    }

    /// A table over all grey values, 16 bits an entry.
    fn table(&self, name: Tag, text: &str, entry: impl Fn(i64) -> f64) -> InMemDicomObject {
        let n = self.top() + 1;
        let mut item = InMemDicomObject::new_empty();
        // 65536 entries are written as 0; the first value has the sign of the pixels.
        let numbers = [n as u16, self.lowest() as u16, 16];
        let (vr, descriptor) = match self.sign {
            StoredSign::Unsigned => (VR::US, PrimitiveValue::U16(numbers.as_slice().into())),
            StoredSign::Signed => {
                let signed = numbers.map(|n| n as i16);
                (VR::SS, PrimitiveValue::I16(signed.as_slice().into()))
            }
        };
        item.put(DataElement::new(tags::LUT_DESCRIPTOR, vr, descriptor));
        put_str(&mut item, name, VR::LO, text);
        let values: Vec<u16> = (0..n).map(|i| entry(i).round() as u16).collect();
        let values = PrimitiveValue::U16(values.into());
        item.put(DataElement::new(tags::LUT_DATA, VR::OW, values));
        item
    }

    fn put_padding(&self, object: &mut InMemDicomObject) {
        let [first, last] = self.padding_ends();
        let mut put = |tag, number: i64| {
            let (vr, value) = match self.sign {
                StoredSign::Unsigned => (VR::US, PrimitiveValue::from(number as u16)),
                StoredSign::Signed => (VR::SS, PrimitiveValue::from(number as i16)),
            };
            object.put(DataElement::new(tag, vr, value));
        };
        if self.padding != StoredPadding::None {
            put(tags::PIXEL_PADDING_VALUE, first);
        }
        if self.padding == StoredPadding::Range {
            put(tags::PIXEL_PADDING_RANGE_LIMIT, last);
        }
    }
}

/// A `LINEAR` window that shows `low` as black and `high` as white (PS3.3 C.11.2.1.2.1).
fn put_linear(object: &mut InMemDicomObject, low: f64, high: f64) {
    put_window(object, (low + high + 1.0) / 2.0, high - low + 1.0, "LINEAR");
}

fn put_window(object: &mut InMemDicomObject, center: f64, width: f64, function: &str) {
    // Decimal strings have 16 letters at most.
    let short = |value: f64| {
        let text = value.to_string();
        text[..text.len().min(16)].to_owned()
    };
    put_str(object, tags::WINDOW_CENTER, VR::DS, &short(center));
    put_str(object, tags::WINDOW_WIDTH, VR::DS, &short(width));
    put_str(object, tags::VOILUT_FUNCTION, VR::CS, function);
}

pub(crate) fn put_sequence(object: &mut InMemDicomObject, tag: Tag, item: InMemDicomObject) {
    let items = Value::from(DataSetSequence::from(vec![item]));
    object.put(DataElement::new(tag, VR::SQ, items));
}
