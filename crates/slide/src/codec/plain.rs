//! Samples as they are, LZW and deflate, with or without differences.

use std::io::Read;

use flate2::read::ZlibDecoder;
use weezl::{BitOrder, LzwStatus};

use super::{Coding, Compression, Meaning, image};
use crate::error::damaged;
use crate::{Error, Rgb};

pub(super) fn decode(
    planes: &[Vec<u8>],
    coding: &Coding,
    whole: (usize, usize),
    wanted: (usize, usize),
) -> Result<Rgb, Error> {
    let samples = if coding.is_planar { 1 } else { coding.samples };
    let (cols, line) = (whole.1, whole.1 * samples * coding.bytes);
    let mut planes: Vec<Vec<u8>> = planes
        .iter()
        .map(|stored| {
            let mut bytes = unpack(stored, coding.compression, line * whole.0)?;
            if bytes.len() < line * wanted.0 {
                let message = format!("expected {} bytes, got {}", line * wanted.0, bytes.len());
                return Err(damaged(message));
            }
            bytes.truncate(line * wanted.0);
            Ok(eight_bits(bytes, coding, samples, cols))
        })
        .collect::<Result<_, Error>>()?;
    let gray = |v: u8| match coding.meaning {
        Meaning::InvertedGray => [255 - v; 3],
        _ => [v; 3],
    };
    let pixels = match (planes.as_mut_slice(), samples) {
        ([only], 1) => only.iter().map(|&v| gray(v)).collect(),
        ([only], n) => only.chunks_exact(n).map(|p| [p[0], p[1], p[2]]).collect(),
        ([r, g, b, ..], _) => {
            let pixels = r.iter().zip(g.iter()).zip(b.iter());
            pixels.map(|((&r, &g), &b)| [r, g, b]).collect()
        }
        _ => return Err(damaged("expected one or three planes")),
    };
    image(wanted.0, cols, pixels)
}

/// At most `most` bytes of the unpacked stream.
fn unpack(stored: &[u8], compression: Compression, most: usize) -> Result<Vec<u8>, Error> {
    match compression {
        Compression::Lzw => lzw(stored, most),
        Compression::Deflate => {
            let mut bytes = Vec::new();
            let mut stream = ZlibDecoder::new(stored).take(most as u64);
            let read = stream.read_to_end(&mut bytes);
            read.map_err(|e| damaged(format!("expected a deflate stream: {e}")))?;
            Ok(bytes)
        }
        _ => Ok(stored[..stored.len().min(most)].to_vec()),
    }
}

fn lzw(stored: &[u8], most: usize) -> Result<Vec<u8>, Error> {
    let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
    let mut bytes = vec![0; most];
    let (mut read, mut written) = (0, 0);
    while written < most {
        let step = decoder.decode_bytes(&stored[read..], &mut bytes[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        match step.status {
            Ok(LzwStatus::Ok) => {}
            Ok(LzwStatus::Done | LzwStatus::NoProgress) => break,
            Err(e) => return Err(damaged(format!("expected an LZW stream: {e}"))),
        }
    }
    bytes.truncate(written);
    Ok(bytes)
}

/// Undoes differences and keeps the higher byte of each sample.
fn eight_bits(mut bytes: Vec<u8>, coding: &Coding, samples: usize, cols: usize) -> Vec<u8> {
    if coding.bytes == 1 {
        if coding.has_differences {
            for line in bytes.chunks_exact_mut(cols * samples) {
                (samples..line.len())
                    .for_each(|i| line[i] = line[i].wrapping_add(line[i - samples]));
            }
        }
        return bytes;
    }
    let word = |pair: &[u8]| match coding.big_endian {
        true => u16::from_be_bytes([pair[0], pair[1]]),
        false => u16::from_le_bytes([pair[0], pair[1]]),
    };
    let mut words: Vec<u16> = bytes.chunks_exact(2).map(word).collect();
    if coding.has_differences {
        for line in words.chunks_exact_mut(cols * samples) {
            (samples..line.len()).for_each(|i| line[i] = line[i].wrapping_add(line[i - samples]));
        }
    }
    words.into_iter().map(|w| (w >> 8) as u8).collect()
}
