//! The bits of a JPEG-LS scan (T.87 A.1).

/// Bits, highest first; after a byte of 0xFF the next holds seven.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
    buffer: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Bits<'a> {
        Bits {
            bytes,
            position: 0,
            buffer: 0,
            count: 0,
        }
    }

    fn fill(&mut self) -> Option<()> {
        let byte = *self.bytes.get(self.position)?;
        let stuffed = self.position > 0 && self.bytes[self.position - 1] == 0xFF;
        if stuffed && byte >= 0x80 {
            return None;
        }
        let width = if stuffed { 7 } else { 8 };
        self.buffer = self.buffer << width | u64::from(byte);
        self.count += width;
        self.position += 1;
        Some(())
    }

    pub(super) fn read(&mut self, count: u32) -> Option<i64> {
        while self.count < count {
            self.fill()?;
        }
        self.count -= count;
        let value = self.buffer >> self.count & ((1 << count) - 1);
        Some(value as i64)
    }

    /// Number of zeros before the next one; at most `limit`.
    pub(super) fn zeros(&mut self, limit: u32) -> Option<u32> {
        let mut zeros = 0;
        while self.read(1)? == 0 {
            zeros += 1;
            if zeros > limit {
                return None;
            }
        }
        Some(zeros)
    }

    /// What follows the scan: the next marker.
    pub(super) fn after(&self) -> Option<&'a [u8]> {
        let start = self.position.saturating_sub(1);
        let rest = &self.bytes[start..];
        let marker = rest.windows(2).position(|w| w[0] == 0xFF && w[1] >= 0x80)?;
        Some(&rest[marker..])
    }
}
