//! The bytes of TIFF's numbers: fields of a directory, narrow or wide (BigTIFF).

/// How wide offsets and counts are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Width {
    Classic,
    Big,
}

impl Width {
    pub(super) fn bytes(self) -> usize {
        match self {
            Width::Classic => 4,
            Width::Big => 8,
        }
    }

    pub(super) fn number(self, number: u64) -> Vec<u8> {
        number.to_le_bytes()[..self.bytes()].to_vec()
    }

    pub(super) fn header(self, first: u64) -> Vec<u8> {
        let start: &[u8] = match self {
            Width::Classic => b"II\x2a\0",
            Width::Big => b"II\x2b\0\x08\0\0\0",
        };
        [start, &self.number(first)].concat()
    }
}

pub(super) struct Field {
    pub(super) tag: u16,
    pub(super) value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Shorts(Vec<u16>),
    Long(u32),
    Text(String),
    Ratio(u32, u32),
    Offsets(Vec<u64>),
}

impl Value {
    /// TIFF's type, the number of values, and the bytes.
    pub(super) fn stored(&self, width: Width) -> (u16, u64, Vec<u8>) {
        match self {
            Value::Text(text) => {
                let bytes = [text.as_bytes(), &[0]].concat();
                (2, bytes.len() as u64, bytes)
            }
            Value::Shorts(values) => {
                let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                (3, values.len() as u64, bytes)
            }
            Value::Long(value) => (4, 1, value.to_le_bytes().to_vec()),
            Value::Ratio(over, under) => (5, 1, [over.to_le_bytes(), under.to_le_bytes()].concat()),
            Value::Offsets(values) => {
                let kind = match width {
                    Width::Classic => 4,
                    Width::Big => 16,
                };
                let bytes = values.iter().flat_map(|&v| width.number(v)).collect();
                (kind, values.len() as u64, bytes)
            }
        }
    }
}
