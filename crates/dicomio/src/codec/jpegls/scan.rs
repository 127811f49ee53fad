//! Decodes the scans of a JPEG-LS stream (T.87 annex A).

use super::bits::Bits;
use super::parameters::Parameters;
use super::stream::{Frame, Interleave, Preset, Scan, Segment, next_segment};

/// Number of bits of run lengths, by RUNindex.
const J: [u32; 32] = [
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13,
    14, 15,
];
/// Contexts of the regular mode; two more are for the ends of runs.
const REGULAR_CONTEXTS: usize = 365;

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

    fn scan(&mut self, scan: &Scan, frame: &Frame, first: usize, values: &mut [u16]) -> Option<()> {
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
