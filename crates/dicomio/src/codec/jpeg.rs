//! JPEG: baseline, extended and lossless.

use jpeg_decoder::{ColorTransform, Decoder};

use super::Samples;
use crate::Error;
use crate::dataset::malformed;
use crate::layout::{Layout, Photometric, unsupported};

/// Start-of-frame markers; 0xC3 is lossless.
const LOSSLESS: u8 = 0xC3;

pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Result<Samples, Error> {
    let head = Head::read(bytes).ok_or_else(|| malformed("expected a JPEG stream"))?;
    head.check(layout)?;
    let mut decoder = Decoder::new(bytes);
    // In this decoder RGB means: leave the components as they are. Whether they are
    // luminance and colour differences is decided here, where DICOM's word is known as well.
    if layout.samples == 3 {
        decoder.set_color_transform(ColorTransform::RGB);
    }
    let damaged = |e: jpeg_decoder::Error| malformed(format!("expected a JPEG stream: {e}"));
    decoder.read_info().map_err(damaged)?;
    check_size(&decoder, layout)?;
    let decoded = decoder.decode().map_err(damaged)?;
    let two_bytes = head.precision > 8 || head.process == LOSSLESS && head.precision != 8;
    let values = match two_bytes {
        false => decoded.into_iter().map(u16::from).collect(),
        true => decoded
            .chunks_exact(2)
            .map(|pair| u16::from_ne_bytes([pair[0], pair[1]]))
            .collect(),
    };
    Ok(Samples {
        values,
        meaning: head.meaning(layout.photometric),
    })
}

/// The decoder may find another frame than [`Head`] where segments do not follow each other as they
/// should; no memory is taken for it.
fn check_size(decoder: &Decoder<&[u8]>, layout: &Layout) -> Result<(), Error> {
    let size = decoder
        .info()
        .map(|info| (info.height.into(), info.width.into()));
    match size == Some((layout.rows, layout.cols)) {
        true => Ok(()),
        false => Err(malformed("expected one frame in a JPEG stream, got others")),
    }
}

/// What the markers before the first scan say.
#[derive(Debug, Default)]
struct Head {
    process: u8,
    precision: u8,
    rows: usize,
    cols: usize,
    components: Vec<u8>,
    /// The transform of Adobe's marker: 0 none, 1 YCbCr.
    adobe_transform: Option<u8>,
    is_jfif: bool,
}

impl Head {
    fn read(bytes: &[u8]) -> Option<Head> {
        let mut head = Head::default();
        let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
        loop {
            let (&[first, marker], after) = rest.split_first_chunk::<2>()?;
            if first != 0xFF {
                return None;
            }
            match marker {
                // Fill byte before a marker.
                0xFF => rest = &rest[1..],
                0xDA | 0xD9 => return (!head.components.is_empty()).then_some(head),
                _ => {
                    let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
                    head.take(marker, after.get(2..length)?);
                    rest = &after[length..];
                }
            }
        }
    }

    fn take(&mut self, marker: u8, segment: &[u8]) {
        match marker {
            0xE0 => self.is_jfif |= segment.starts_with(b"JFIF\0"),
            0xEE if segment.starts_with(b"Adobe") => {
                self.adobe_transform = segment.get(11).copied()
            }
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                let &[precision, r0, r1, c0, c1, _, ref components @ ..] = segment else {
                    return;
                };
                self.process = marker;
                self.precision = precision;
                self.rows = u16::from_be_bytes([r0, r1]).into();
                self.cols = u16::from_be_bytes([c0, c1]).into();
                self.components = components.chunks_exact(3).map(|c| c[0]).collect();
            }
            _ => {}
        }
    }

    fn check(&self, layout: &Layout) -> Result<(), Error> {
        if (self.rows, self.cols) != (layout.rows, layout.cols) {
            return Err(malformed(format!(
                "expected {} × {} pixels, got a JPEG stream of {} × {}",
                layout.rows, layout.cols, self.rows, self.cols
            )));
        }
        if self.components.len() != layout.samples {
            return Err(malformed(format!(
                "expected {} samples per pixel, got a JPEG stream of {}",
                layout.samples,
                self.components.len()
            )));
        }
        if self.precision > 8 && self.process != LOSSLESS {
            return Err(unsupported(format!(
                "expected at most 8 bits in lossy JPEG, got {}",
                self.precision
            )));
        }
        Ok(())
    }

    /// Adobe's marker decides, then the components' names, then JFIF (which knows no RGB), then
    /// DICOM's photometric interpretation. Lossless streams have no transform of their own.
    fn meaning(&self, stated: Photometric) -> Photometric {
        if self.components.len() != 3 {
            return stated;
        }
        let stated = match stated {
            Photometric::Rgb => Photometric::Rgb,
            _ => Photometric::YbrFull,
        };
        match (self.process, self.adobe_transform) {
            (LOSSLESS, _) => stated,
            (_, Some(0)) => Photometric::Rgb,
            (_, Some(1)) => Photometric::YbrFull,
            _ if self.components == *b"RGB" => Photometric::Rgb,
            _ if self.is_jfif => Photometric::YbrFull,
            _ => stated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_decide_about_colours_in_order() {
        let head = |adobe_transform, components: &[u8], is_jfif, process| Head {
            process,
            adobe_transform,
            is_jfif,
            components: components.to_vec(),
            ..Head::default()
        };
        use Photometric::{Rgb, YbrFull, YbrFull422};
        let cases = [
            (head(Some(0), &[1, 2, 3], true, 0xC0), YbrFull422, Rgb),
            (head(Some(1), b"RGB", false, 0xC0), Rgb, YbrFull),
            (head(None, b"RGB", true, 0xC0), YbrFull422, Rgb),
            (head(None, &[1, 2, 3], true, 0xC0), Rgb, YbrFull),
            (head(None, &[1, 2, 3], false, 0xC0), Rgb, Rgb),
            (head(None, &[1, 2, 3], false, 0xC0), YbrFull422, YbrFull),
            (head(Some(1), &[1, 2, 3], true, LOSSLESS), Rgb, Rgb),
        ];
        for (head, stated, expected) in cases {
            assert_eq!(head.meaning(stated), expected, "{head:?}");
        }
    }

    #[test]
    fn damaged_heads_are_refused() {
        for bytes in [
            &b""[..],
            b"\xFF\xD8",
            b"\xFF\xD8\xFF\xC0\xFF\xFF\x08",
            b"\xFF\xD8\xFF\xD9",
        ] {
            assert!(Head::read(bytes).is_none(), "{bytes:?}");
        }
    }
}
