//! PALETTE COLOR: PS3.3 C.7.6.3.1.5, C.7.6.3.1.6 and C.7.9.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::Error;
use crate::dataset::{Dataset, malformed};
use crate::layout::Layout;
use crate::lut::{Table, signed};

/// Descriptor, plain data and segmented data of red, green and blue.
const TABLES: [[Tag; 3]; 3] = [
    [
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
    [
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
    [
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ],
];

/// The colour of every stored value from `first` on.
pub(crate) struct Palette {
    colors: Vec<[u8; 3]>,
    first: i32,
    /// Number of stored bits, for values with a sign.
    signed_bits: Option<u32>,
}

impl Palette {
    pub(crate) fn read(layout: &Layout, data: &Dataset) -> Result<Palette, Error> {
        let mut tables = Vec::new();
        for [descriptor, plain, segmented] in TABLES {
            tables.push(match data.raw(plain) {
                Some(_) => Table::read(data, descriptor, plain)?,
                None => Table::read_segmented(data, descriptor, segmented)?,
            });
        }
        let length = tables.iter().map(|t| t.values.len()).min().unwrap_or(0);
        if length == 0
            || tables
                .iter()
                .any(|t| t.first(false) != tables[0].first(false))
        {
            return Err(malformed(
                "expected three palettes of one range, got others",
            ));
        }
        let shift = eight_bit_shift(&tables);
        let color = |i: usize| [0, 1, 2].map(|c: usize| (tables[c].values[i] >> shift) as u8);
        Ok(Palette {
            colors: (0..length).map(color).collect(),
            first: tables[0].first(layout.signed),
            signed_bits: layout.signed.then_some(layout.bits_stored),
        })
    }

    /// Values outside the table take its nearest end.
    pub(crate) fn at(&self, stored: u16) -> [u8; 3] {
        let value = signed(stored, self.signed_bits);
        let index = (value - self.first).clamp(0, self.colors.len() as i32 - 1);
        self.colors[index as usize]
    }
}

/// Tables of 16 bits are cut to their high byte, unless nothing is there: some writers say 16 and
/// mean 8.
fn eight_bit_shift(tables: &[Table]) -> u32 {
    let small = tables.iter().all(|t| t.values.iter().all(|&v| v <= 0xFF));
    match tables.iter().any(|t| t.bits > 8) && !small {
        true => 8,
        false => 0,
    }
}
