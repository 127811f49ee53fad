//! JPEG-LS, lossless and near-lossless, after ITU-T T.87 (1998). Names in capitals are the
//! standard's. Restart intervals, mapping tables and vendors' color transforms are not read.

mod bits;
mod parameters;
mod scan;
mod stream;

use self::stream::Frame;
use super::Samples;
use crate::Error;
use crate::dataset::malformed;
use crate::layout::{Layout, Photometric};

pub(super) fn decode(bytes: &[u8], layout: &Layout) -> Result<Samples, Error> {
    let frame = Frame::read(bytes).ok_or_else(|| malformed("expected a JPEG-LS stream"))?;
    frame.check(layout)?;
    let values = scan::decode(bytes, &frame)
        .ok_or_else(|| malformed("expected a JPEG-LS stream, got a damaged one"))?;
    let meaning = match layout.photometric {
        Photometric::YbrFull422 => Photometric::YbrFull,
        Photometric::Ybr2000 => Photometric::Rgb,
        other => other,
    };
    Ok(Samples { values, meaning })
}
