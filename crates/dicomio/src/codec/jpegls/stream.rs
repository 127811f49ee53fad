//! Markers of a JPEG-LS stream (T.87 annex C).

use crate::Error;
use crate::dataset::malformed;
use crate::layout::Layout;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Interleave {
    None,
    Line,
    Sample,
}

/// The frame's header.
pub(super) struct Frame {
    pub(super) precision: u32,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) components: Vec<u8>,
}

pub(super) struct Scan {
    pub(super) components: usize,
    pub(super) interleave: Interleave,
    pub(super) near: i64,
}

/// Preset coding parameters; zero stands for the default.
#[derive(Clone, Copy, Default)]
pub(super) struct Preset {
    pub(super) maxval: i64,
    pub(super) t: [i64; 3],
    pub(super) reset: i64,
}

pub(super) enum Segment<'a> {
    Frame(&'a [u8]),
    Preset(Preset),
    Scan(Scan),
    End,
    Refused,
    Ignored,
}

impl Frame {
    pub(super) fn read(bytes: &[u8]) -> Option<Frame> {
        let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
        let mut frame: Option<Frame> = None;
        loop {
            let (segment, after) = next_segment(rest)?;
            match segment {
                Segment::Frame(header) => frame = Some(Frame::of(header)?),
                Segment::Scan(_) => return frame,
                Segment::End | Segment::Refused => return None,
                Segment::Preset(_) | Segment::Ignored => {}
            }
            rest = after;
        }
    }

    fn of(header: &[u8]) -> Option<Frame> {
        let &[
            precision @ 2..=16,
            r0,
            r1,
            c0,
            c1,
            count,
            ref components @ ..,
        ] = header
        else {
            return None;
        };
        let components: Vec<u8> = components.chunks_exact(3).map(|c| c[0]).collect();
        (components.len() == usize::from(count)).then_some(Frame {
            precision: precision.into(),
            rows: u16::from_be_bytes([r0, r1]).into(),
            cols: u16::from_be_bytes([c0, c1]).into(),
            components,
        })
    }

    pub(super) fn check(&self, layout: &Layout) -> Result<(), Error> {
        let stream = (self.rows, self.cols, self.components.len());
        if stream == (layout.rows, layout.cols, layout.samples) {
            return Ok(());
        }
        Err(malformed(format!(
            "expected {} × {} pixels of {} samples, got a JPEG-LS stream of {} × {} of {}",
            layout.rows, layout.cols, layout.samples, stream.0, stream.1, stream.2
        )))
    }
}

pub(super) fn next_segment(bytes: &[u8]) -> Option<(Segment<'_>, &[u8])> {
    let (&[0xFF, marker], after) = bytes.split_first_chunk::<2>()? else {
        return None;
    };
    match marker {
        0xFF => return Some((Segment::Ignored, &bytes[1..])),
        0xD9 => return Some((Segment::End, after)),
        _ => {}
    }
    let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
    let (body, rest) = (after.get(2..length)?, &after[length..]);
    let segment = match marker {
        0xF7 => Segment::Frame(body),
        0xF8 => preset(body)?,
        0xDA => Segment::Scan(scan(body)?),
        // Restart intervals are not read.
        0xDD if body.iter().any(|&b| b != 0) => Segment::Refused,
        // A vendor's color transform.
        0xE8 if body.starts_with(b"mrfx") && body.get(4) != Some(&0) => Segment::Refused,
        _ => Segment::Ignored,
    };
    Some((segment, rest))
}

fn preset(body: &[u8]) -> Option<Segment<'_>> {
    let (&kind, numbers) = body.split_first()?;
    if kind != 1 {
        return Some(Segment::Refused);
    }
    let n: Vec<i64> = numbers
        .chunks_exact(2)
        .map(|b| i64::from(u16::from_be_bytes([b[0], b[1]])))
        .collect();
    let &[maxval, t1, t2, t3, reset] = &n[..] else {
        return None;
    };
    Some(Segment::Preset(Preset {
        maxval,
        t: [t1, t2, t3],
        reset,
    }))
}

fn scan(body: &[u8]) -> Option<Scan> {
    let (&components, rest) = body.split_first()?;
    let components = usize::from(components);
    let &[near, interleave, _] = rest.get(2 * components..)? else {
        return None;
    };
    Some(Scan {
        components,
        interleave: match interleave {
            0 => Interleave::None,
            1 => Interleave::Line,
            2 => Interleave::Sample,
            _ => return None,
        },
        near: near.into(),
    })
}
