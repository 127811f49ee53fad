//! JPEG 2000 and its high-throughput part.

use jpeg2k::{DecodeParameters, Image};

use super::Samples;
use crate::Error;
use crate::dataset::malformed;
use crate::layout::{Layout, Photometric};

/// Start of the codestream and of its size segment.
const START: [u8; 4] = [0xFF, 0x4F, 0xFF, 0x51];
/// The decoder sets up all tiles at once.
const MAX_TILES: u64 = 4096;

pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Result<Samples, Error> {
    let head = Head::read(bytes).ok_or_else(|| malformed("expected a JPEG 2000 stream"))?;
    head.check(layout)?;
    let strict = DecodeParameters::new().strict(true);
    let image = Image::from_bytes_with(bytes, strict)
        .map_err(|e| malformed(format!("expected a JPEG 2000 stream: {e}")))?;
    let components = image.components();
    let whole = |c: &jpeg2k::ImageComponent| {
        (c.width() as usize, c.height() as usize) == (layout.cols, layout.rows)
    };
    if components.len() != layout.samples || !components.iter().all(whole) {
        return Err(malformed("expected all colors in full size, got others"));
    }
    let mut values = vec![0_u16; layout.pixels() * layout.samples];
    for (sample, component) in components.iter().enumerate() {
        let places = values.iter_mut().skip(sample).step_by(layout.samples);
        for (value, &decoded) in places.zip(component.data()) {
            *value = decoded as u16;
        }
    }
    Ok(Samples {
        values,
        meaning: head.meaning(layout.photometric),
    })
}

/// The size segment, and whether a colour transform follows.
#[derive(Debug)]
struct Head {
    rows: u64,
    cols: u64,
    tiles: u64,
    components: u16,
    full_size: bool,
    /// The decoder undoes it.
    transformed: bool,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Head> {
        let start = bytes.windows(4).position(|w| w == START)?;
        let size = bytes.get(start + 4..)?;
        let length = usize::from(u16::from_be_bytes(*size.first_chunk()?));
        let (segment, rest) = size.split_at_checked(length)?;
        let number = |at: usize| {
            let bytes = segment.get(at..at + 4)?.first_chunk()?;
            Some(u64::from(u32::from_be_bytes(*bytes)))
        };
        let (right, bottom) = (number(4)?, number(8)?);
        let (left, top) = (number(12)?, number(16)?);
        let (tile_cols, tile_rows) = (number(20)?.max(1), number(24)?.max(1));
        let components = segment.get(38..)?;
        Some(Head {
            rows: bottom.checked_sub(top)?,
            cols: right.checked_sub(left)?,
            tiles: right
                .div_ceil(tile_cols)
                .saturating_mul(bottom.div_ceil(tile_rows)),
            components: u16::from_be_bytes(*segment.get(36..)?.first_chunk()?),
            full_size: components.chunks_exact(3).all(|c| c[1] == 1 && c[2] == 1),
            transformed: is_transformed(rest),
        })
    }

    fn check(&self, layout: &Layout) -> Result<(), Error> {
        if (self.rows, self.cols) != (layout.rows as u64, layout.cols as u64) {
            return Err(malformed(format!(
                "expected {} × {} pixels, got a JPEG 2000 stream of {} × {}",
                layout.rows, layout.cols, self.rows, self.cols
            )));
        }
        if usize::from(self.components) != layout.samples || !self.full_size {
            return Err(malformed(format!(
                "expected {} samples per pixel, got a JPEG 2000 stream of {}",
                layout.samples, self.components
            )));
        }
        if self.tiles > MAX_TILES {
            return Err(malformed(format!("expected at most {MAX_TILES} tiles")));
        }
        Ok(())
    }

    fn meaning(&self, stated: Photometric) -> Photometric {
        match stated {
            Photometric::YbrFull | Photometric::YbrFull422 if !self.transformed => {
                Photometric::YbrFull
            }
            Photometric::YbrFull | Photometric::YbrFull422 | Photometric::Ybr2000 => {
                Photometric::Rgb
            }
            other => other,
        }
    }
}

/// Reads the multiple-component transform of the coding-style segment of the main header.
fn is_transformed(mut rest: &[u8]) -> bool {
    while let Some((&[0xFF, marker], after)) = rest.split_first_chunk::<2>() {
        if marker == 0x52 {
            return after.get(6) == Some(&1);
        }
        let Some(length) = after
            .first_chunk()
            .map(|b| usize::from(u16::from_be_bytes(*b)))
        else {
            return false;
        };
        if marker == 0x90 || length < 2 {
            return false;
        }
        rest = after.get(length..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_heads_are_refused() {
        let mut whole = START.to_vec();
        whole.extend([0, 41]);
        whole.extend([0; 39]);
        assert!(Head::read(&whole).is_some());
        for cut in 0..whole.len() {
            assert!(Head::read(&whole[..cut]).is_none(), "{cut}");
        }
    }
}
