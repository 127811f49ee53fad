//! Look-up tables as DICOM writes them: a descriptor of three numbers and the data.

use dicom_core::Tag;

use crate::Error;
use crate::dataset::{Dataset, malformed};
use crate::segments::expand;

/// One table.
pub(crate) struct Table {
    /// What stored values from `first` on become.
    pub(crate) values: Vec<u16>,
    /// The stored value of the first entry, its sign not yet known.
    first: u16,
    /// Bits of an entry, as stated.
    pub(crate) bits: u16,
}

impl Table {
    pub(crate) fn read(data: &Dataset, descriptor: Tag, values: Tag) -> Result<Table, Error> {
        let (entries, first, bits) = descriptor_of(data, descriptor)?;
        let mut words = data.words(values);
        if words.len() < entries && words.len() * 2 >= entries {
            words = unpacked(&words);
        }
        Table::whole(words, entries, first, bits)
    }

    /// Reads a table that is written as segments.
    pub(crate) fn read_segmented(
        data: &Dataset,
        descriptor: Tag,
        segments: Tag,
    ) -> Result<Table, Error> {
        let (entries, first, bits) = descriptor_of(data, descriptor)?;
        let words = data.words(segments);
        let values = match bits {
            8 => expand(&unpacked(&words), 1, entries),
            _ => expand(&words, 2, entries),
        };
        Table::whole(values.unwrap_or_default(), entries, first, bits)
    }

    fn whole(mut values: Vec<u16>, entries: usize, first: u16, bits: u16) -> Result<Table, Error> {
        if values.len() < entries {
            let got = values.len();
            return Err(malformed(format!(
                "expected a table of {entries} values, got {got}"
            )));
        }
        values.truncate(entries);
        Ok(Table {
            values,
            first,
            bits,
        })
    }

    /// The stored value of the first entry; it has a sign where what it is compared with has one.
    pub(crate) fn first(&self, is_signed: bool) -> i32 {
        signed(self.first, is_signed.then_some(16))
    }

    /// The descriptor as it is written: number of entries, first stored value, bits of an entry,
    /// which may be 8 or 16 alone.
    pub(crate) fn descriptor(&self) -> [u16; 3] {
        // 65536 entries are written as 0.
        [self.values.len() as u16, self.first, 16]
    }

    /// The entries as shares of 65535.
    pub(crate) fn shares(&self) -> Vec<u16> {
        let top = f64::from(self.top());
        let share = |&value: &u16| (65535.0 * f64::from(value) / top).round() as u16;
        self.values.iter().map(share).collect()
    }

    /// The entry of a number; outside the table the nearest end.
    pub(crate) fn at(&self, index: i64) -> u16 {
        let last = self.values.len() as i64 - 1;
        self.values[index.clamp(0, last) as usize]
    }

    /// The largest value that the entries can have, at least the one they do have.
    pub(crate) fn top(&self) -> u16 {
        let stated = match self.bits {
            1..=16 => ((1_u32 << self.bits) - 1) as u16,
            _ => 0,
        };
        let found = self.values.iter().copied().max().unwrap_or(0);
        stated.max(found).max(1)
    }
}

/// Number of entries, first stored value, bits of an entry.
fn descriptor_of(data: &Dataset, tag: Tag) -> Result<(usize, u16, u16), Error> {
    let &[entries, first, bits] = &data.words(tag)[..] else {
        return Err(malformed(
            "expected a table's descriptor of three numbers, got others",
        ));
    };
    // Zero stands for the number that does not fit.
    let entries = if entries == 0 {
        65536
    } else {
        usize::from(entries)
    };
    Ok((entries, first, bits))
}

/// Two 8-bit entries share a word, the first in its low byte.
fn unpacked(words: &[u16]) -> Vec<u16> {
    let bytes = words.iter().flat_map(|w| w.to_le_bytes());
    bytes.map(u16::from).collect()
}

/// A stored value as the number it means, when its lowest `bits` hold a sign.
pub(crate) fn signed(stored: u16, bits: Option<u32>) -> i32 {
    let unused = match bits {
        Some(bits) => 32 - bits,
        None => return stored.into(),
    };
    (i32::from(stored) << unused) >> unused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_extended_from_the_stored_bits() {
        let cases = [
            (0xFFFF, None, 65535),
            (0xFFFF, Some(16), -1),
            (0x0FFF, Some(12), -1),
            (0x07FF, Some(12), 2047),
        ];
        for (stored, bits, expected) in cases {
            assert_eq!(signed(stored, bits), expected);
        }
    }

    #[test]
    fn ends_of_a_table_reach_on() {
        let table = Table {
            values: vec![3, 5],
            first: 0,
            bits: 2,
        };
        assert_eq!([-9, 0, 1, 9].map(|i| table.at(i)), [3, 3, 5, 5]);
        assert_eq!(table.top(), 5);
    }
}
