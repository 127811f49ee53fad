//! JPEG-LS, lossless and near-lossless, after ITU-T T.87 (1998). Names in capitals are the
//! standard's. With feature `charls` the C++ library of that name is used instead.

use super::Samples;
use crate::Error;
use crate::dataset::malformed;
use crate::layout::{Layout, Photometric};

pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Result<Samples, Error> {
    let values = decode_stream(bytes, layout)?;
    let meaning = match layout.photometric {
        Photometric::YbrFull422 => Photometric::YbrFull,
        Photometric::Ybr2000 => Photometric::Rgb,
        other => other,
    };
    Ok(Samples { values, meaning })
}

#[cfg(feature = "charls")]
fn decode_stream(bytes: &[u8], layout: &Layout) -> Result<Vec<u16>, Error> {
    let frame = own::Frame::read(bytes).ok_or_else(|| malformed("expected a JPEG-LS stream"))?;
    frame.check(layout)?;
    let decoded = charls::CharLS::default()
        .decode(bytes)
        .map_err(|e| malformed(format!("expected a JPEG-LS stream: {e}")))?;
    let values: Vec<u16> = match frame.precision {
        0..=8 => decoded.into_iter().map(u16::from).collect(),
        _ => decoded
            .chunks_exact(2)
            .map(|pair| u16::from_ne_bytes([pair[0], pair[1]]))
            .collect(),
    };
    match frame.interleave {
        own::Interleave::None if layout.samples == 3 => Ok(super::interleave(&values)),
        _ => Ok(values),
    }
}

#[cfg(not(feature = "charls"))]
fn decode_stream(bytes: &[u8], layout: &Layout) -> Result<Vec<u16>, Error> {
    let frame = own::Frame::read(bytes).ok_or_else(|| malformed("expected a JPEG-LS stream"))?;
    frame.check(layout)?;
    own::decode(bytes, &frame)
        .ok_or_else(|| malformed("expected a JPEG-LS stream, got a damaged one"))
}

#[cfg_attr(
    feature = "charls",
    expect(dead_code, reason = "only the head is read for CharLS")
)]
mod own {
    use super::*;

    /// Number of bits of run lengths, by RUNindex.
    const J: [u32; 32] = [
        0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12,
        13, 14, 15,
    ];
    /// Contexts of the regular mode; two more are for the ends of runs.
    const REGULAR_CONTEXTS: usize = 365;

    #[derive(Clone, Copy, PartialEq)]
    pub(super) enum Interleave {
        None,
        Line,
        Sample,
    }

    /// The frame's and the first scan's header.
    pub(super) struct Frame {
        pub(super) precision: u32,
        pub(super) interleave: Interleave,
        rows: usize,
        cols: usize,
        components: Vec<u8>,
    }

    struct Scan {
        components: usize,
        interleave: Interleave,
        near: i64,
    }

    /// Preset coding parameters; zero stands for the default.
    #[derive(Clone, Copy, Default)]
    struct Preset {
        maxval: i64,
        t: [i64; 3],
        reset: i64,
    }

    enum Segment<'a> {
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
                    Segment::Scan(scan) => {
                        let interleave = scan.interleave;
                        return frame.map(|frame| Frame {
                            interleave,
                            ..frame
                        });
                    }
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
                interleave: Interleave::None,
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

    fn next_segment(bytes: &[u8]) -> Option<(Segment<'_>, &[u8])> {
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

    /// All samples, pixel by pixel; `None` for a damaged stream.
    pub(super) fn decode(bytes: &[u8], frame: &Frame) -> Option<Vec<u16>> {
        let count = frame.components.len();
        let mut values = vec![0_u16; frame.rows * frame.cols * count];
        let mut preset = Preset::default();
        let mut rest = &bytes[2..];
        let mut first = 0;
        while first < count {
            let (segment, after) = next_segment(rest)?;
            rest = after;
            match segment {
                Segment::Preset(new) => preset = new,
                Segment::Scan(scan) => {
                    let components = first..first + scan.components;
                    if scan.components == 0 || components.end > count {
                        return None;
                    }
                    let parameters = Parameters::new(frame.precision, scan.near, preset)?;
                    let mut decoder = Decoder::new(parameters, Bits::new(rest));
                    decoder.scan(&scan, frame, first, &mut values)?;
                    first = components.end;
                    rest = decoder.bits.after()?;
                }
                Segment::End | Segment::Refused => return None,
                Segment::Frame(_) | Segment::Ignored => {}
            }
        }
        Some(values)
    }

    struct Parameters {
        maxval: i64,
        near: i64,
        t: [i64; 3],
        reset: i64,
        range: i64,
        qbpp: u32,
        limit: u32,
    }

    impl Parameters {
        fn new(precision: u32, near: i64, preset: Preset) -> Option<Parameters> {
            let most = (1 << precision) - 1;
            let maxval = match preset.maxval {
                0 => most,
                maxval => maxval,
            };
            if maxval > most || near > 255.min(maxval / 2) {
                return None;
            }
            let mut t = default_thresholds(maxval, near);
            for (own, given) in t.iter_mut().zip(preset.t) {
                if given != 0 {
                    *own = given;
                }
            }
            let range = (maxval + 2 * near) / (2 * near + 1) + 1;
            let bits_of = |n: i64| 64 - (n - 1).leading_zeros();
            let bpp = bits_of(maxval + 1).max(2);
            Some(Parameters {
                maxval,
                near,
                t,
                reset: match preset.reset {
                    0 => 64,
                    reset => reset.max(3),
                },
                range,
                qbpp: bits_of(range),
                limit: 2 * (bpp + bpp.max(8)),
            })
        }

        fn quantize(&self, d: i64) -> i64 {
            let size = match d.abs() {
                size if size <= self.near => 0,
                size if size < self.t[0] => 1,
                size if size < self.t[1] => 2,
                size if size < self.t[2] => 3,
                _ => 4,
            };
            size * d.signum()
        }

        /// A prediction plus a decoded error, brought back into the range.
        fn reconstruct(&self, predicted: i64, error: i64) -> i64 {
            let step = 2 * self.near + 1;
            let mut value = predicted + error * step;
            if value < -self.near {
                value += self.range * step;
            } else if value > self.maxval + self.near {
                value -= self.range * step;
            }
            value.clamp(0, self.maxval)
        }
    }

    fn default_thresholds(maxval: i64, near: i64) -> [i64; 3] {
        let clamp = |value: i64, least: i64| match value > maxval || value < least {
            true => least,
            false => value,
        };
        let basic = match maxval >= 128 {
            true => {
                let factor = (maxval.min(4095) + 128) / 256;
                [factor + 2, factor * 4 + 3, factor * 17 + 4]
            }
            false => {
                let factor = 256 / (maxval + 1);
                [
                    (3 / factor).max(2),
                    (7 / factor).max(3),
                    (21 / factor).max(4),
                ]
            }
        };
        let t1 = clamp(basic[0] + 3 * near, near + 1);
        let t2 = clamp(basic[1] + 5 * near, t1);
        [t1, t2, clamp(basic[2] + 7 * near, t2)]
    }

    /// Bits, highest first; after a byte of 0xFF the next holds seven.
    struct Bits<'a> {
        bytes: &'a [u8],
        position: usize,
        buffer: u64,
        count: u32,
    }

    impl<'a> Bits<'a> {
        fn new(bytes: &'a [u8]) -> Bits<'a> {
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

        fn read(&mut self, count: u32) -> Option<i64> {
            while self.count < count {
                self.fill()?;
            }
            self.count -= count;
            let value = self.buffer >> self.count & ((1 << count) - 1);
            Some(value as i64)
        }

        /// Number of zeros before the next one; at most `limit`.
        fn zeros(&mut self, limit: u32) -> Option<u32> {
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
        fn after(&self) -> Option<&'a [u8]> {
            let start = self.position.saturating_sub(1);
            let rest = &self.bytes[start..];
            let marker = rest.windows(2).position(|w| w[0] == 0xFF && w[1] >= 0x80)?;
            Some(&rest[marker..])
        }
    }

    #[derive(Clone, Copy)]
    struct Context {
        a: i64,
        b: i64,
        c: i64,
        n: i64,
        /// Negative errors; used at the ends of runs alone.
        nn: i64,
    }

    struct Decoder<'a> {
        parameters: Parameters,
        bits: Bits<'a>,
        contexts: Vec<Context>,
    }

    /// A line with one sample more at both ends.
    type Line = Vec<i64>;

    impl<'a> Decoder<'a> {
        fn new(parameters: Parameters, bits: Bits<'a>) -> Decoder<'a> {
            let context = Context {
                a: ((parameters.range + 32) / 64).max(2),
                b: 0,
                c: 0,
                n: 1,
                nn: 0,
            };
            Decoder {
                parameters,
                bits,
                contexts: vec![context; REGULAR_CONTEXTS + 2],
            }
        }

        fn scan(
            &mut self,
            scan: &Scan,
            frame: &Frame,
            first: usize,
            values: &mut [u16],
        ) -> Option<()> {
            let count = frame.components.len();
            let mut above: Vec<Line> = vec![vec![0; frame.cols + 2]; scan.components];
            let mut lines = above.clone();
            let mut run_indices = vec![0; scan.components];
            for row in values.chunks_exact_mut(frame.cols * count) {
                for (line, above) in lines.iter_mut().zip(&mut above) {
                    line[0] = above[1];
                    above[frame.cols + 1] = above[frame.cols];
                }
                if scan.interleave == Interleave::Sample {
                    self.line(&above, &mut lines, &mut run_indices[0])?;
                } else {
                    for i in 0..scan.components {
                        self.line(&above[i..=i], &mut lines[i..=i], &mut run_indices[i])?;
                    }
                }
                for (i, line) in lines.iter().enumerate() {
                    let places = row.iter_mut().skip(first + i).step_by(count);
                    places
                        .zip(&line[1..])
                        .for_each(|(place, &v)| *place = v as u16);
                }
                std::mem::swap(&mut above, &mut lines);
            }
            Some(())
        }

        /// One line of all components that share a run.
        fn line(&mut self, above: &[Line], lines: &mut [Line], run: &mut usize) -> Option<()> {
            let cols = above[0].len() - 2;
            let mut col = 1;
            while col <= cols {
                let contexts: Vec<i64> = (0..lines.len())
                    .map(|i| self.context_of(&above[i], &lines[i], col))
                    .collect();
                if contexts.iter().any(|&q| q != 0) {
                    for (i, &q) in contexts.iter().enumerate() {
                        lines[i][col] = self.regular(&above[i], &lines[i], col, q)?;
                    }
                    col += 1;
                    continue;
                }
                let length = self.run_length(cols + 1 - col, run)?;
                for line in lines.iter_mut() {
                    let value = line[col - 1];
                    line[col..col + length].fill(value);
                }
                col += length;
                if col <= cols {
                    self.end_of_run(above, lines, col, *run)?;
                    *run = run.saturating_sub(1);
                    col += 1;
                }
            }
            Some(())
        }

        fn context_of(&self, above: &Line, line: &Line, col: usize) -> i64 {
            let (a, b, c, d) = (line[col - 1], above[col], above[col - 1], above[col + 1]);
            let q = |difference| self.parameters.quantize(difference);
            81 * q(d - b) + 9 * q(b - c) + q(c - a)
        }

        fn regular(&mut self, above: &Line, line: &Line, col: usize, q: i64) -> Option<i64> {
            let (a, b, c) = (line[col - 1], above[col], above[col - 1]);
            let sign = if q < 0 { -1 } else { 1 };
            let context = &self.contexts[q.unsigned_abs() as usize];
            let median = match c {
                c if c >= a.max(b) => a.min(b),
                c if c <= a.min(b) => a.max(b),
                c => a + b - c,
            };
            let predicted = (median + sign * context.c).clamp(0, self.parameters.maxval);
            let k = golomb_parameter(context.n, context.a)?;
            let turned = self.parameters.near == 0 && k == 0 && 2 * context.b <= -context.n;
            let mapped = self.golomb(k, self.parameters.limit)?;
            let error = match (turned, mapped % 2 == 0) {
                (false, true) => mapped / 2,
                (false, false) => -(mapped + 1) / 2,
                (true, true) => -mapped / 2 - 1,
                (true, false) => (mapped - 1) / 2,
            };
            let (near, reset) = (self.parameters.near, self.parameters.reset);
            self.contexts[q.unsigned_abs() as usize].learn(error, near, reset);
            Some(self.parameters.reconstruct(predicted, sign * error))
        }

        fn golomb(&mut self, k: u32, limit: u32) -> Option<i64> {
            let escape = limit.checked_sub(self.parameters.qbpp + 1)?;
            let zeros = self.bits.zeros(limit)?;
            match zeros < escape {
                true => Some(i64::from(zeros) << k | self.bits.read(k)?),
                false => Some(self.bits.read(self.parameters.qbpp)? + 1),
            }
        }

        fn run_length(&mut self, most: usize, run: &mut usize) -> Option<usize> {
            let mut length = 0;
            while self.bits.read(1)? == 1 {
                let whole = 1 << J[*run];
                if length + whole > most {
                    return Some(most);
                }
                length += whole;
                *run = (*run + 1).min(31);
                if length == most {
                    return Some(most);
                }
            }
            length += self.bits.read(J[*run])? as usize;
            // A run that is broken off ends before the line does.
            (length < most).then_some(length)
        }

        fn end_of_run(
            &mut self,
            above: &[Line],
            lines: &mut [Line],
            col: usize,
            run: usize,
        ) -> Option<()> {
            let limit = self.parameters.limit - J[run] - 1;
            let alone = lines.len() == 1;
            for (line, above) in lines.iter_mut().zip(above) {
                let (a, b) = (line[col - 1], above[col]);
                let flat = alone && (a - b).abs() <= self.parameters.near;
                let error = self.end_error(flat, limit)?;
                let (predicted, sign) = match (flat, a > b) {
                    (true, _) => (a, 1),
                    (false, true) => (b, -1),
                    (false, false) => (b, 1),
                };
                line[col] = self.parameters.reconstruct(predicted, sign * error);
            }
            Some(())
        }

        fn end_error(&mut self, flat: bool, limit: u32) -> Option<i64> {
            let kind = i64::from(flat);
            let at = REGULAR_CONTEXTS + usize::from(flat);
            let context = self.contexts[at];
            let k = golomb_parameter(context.n, context.a + kind * (context.n >> 1))?;
            let mapped = self.golomb(k, limit)?;
            let odd = (mapped + kind) % 2;
            let size = (mapped + kind + odd) / 2;
            let negative_when_odd = k != 0 || 2 * context.nn >= context.n;
            let error = match negative_when_odd == (odd == 1) {
                true => -size,
                false => size,
            };
            let context = &mut self.contexts[at];
            context.nn += i64::from(error < 0);
            context.a += (mapped + 1 - kind) >> 1;
            context.forget(self.parameters.reset);
            Some(error)
        }
    }

    /// The smallest k with `n · 2^k ≥ a`.
    fn golomb_parameter(n: i64, a: i64) -> Option<u32> {
        (0..32).find(|&k| n << k >= a)
    }

    impl Context {
        fn learn(&mut self, error: i64, near: i64, reset: i64) {
            self.b += error * (2 * near + 1);
            self.a += error.abs();
            self.forget(reset);
            if self.b <= -self.n {
                self.b = (self.b + self.n).max(1 - self.n);
                self.c = (self.c - 1).max(-128);
            } else if self.b > 0 {
                self.b = (self.b - self.n).min(0);
                self.c = (self.c + 1).min(127);
            }
        }

        fn forget(&mut self, reset: i64) {
            if self.n == reset {
                self.a >>= 1;
                self.b >>= 1;
                self.n >>= 1;
                self.nn >>= 1;
            }
            self.n += 1;
        }
    }
}
