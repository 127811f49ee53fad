//! Words in pictures.

use font8x8::legacy::BASIC_LEGACY;
use lobule_raster::Image;

/// Pixels of a letter's side at size 1.
pub(crate) const LETTER: usize = 8;

/// Writes ASCII text in 8 × 8 letters; what does not fit is left away.
pub(crate) fn draw_text(
    canvas: &mut Image<[u8; 3]>,
    top: usize,
    left: usize,
    text: &str,
    color: [u8; 3],
) {
    draw_large_text(canvas, (top, left), text, color, 1);
}

/// The same in letters `size` times as large.
pub(crate) fn draw_large_text(
    canvas: &mut Image<[u8; 3]>,
    (top, left): (usize, usize),
    text: &str,
    color: [u8; 3],
    size: usize,
) {
    for (i, byte) in text.bytes().enumerate() {
        let glyph = BASIC_LEGACY[usize::from(byte & 0x7f)];
        for (row, bits) in glyph.iter().enumerate() {
            for col in (0..LETTER).filter(|col| bits >> col & 1 == 1) {
                let (r, c) = (top + size * row, left + size * (LETTER * i + col));
                fill(canvas, r..r + size, c..c + size, color);
            }
        }
    }
}

fn fill(
    canvas: &mut Image<[u8; 3]>,
    rows: std::ops::Range<usize>,
    cols: std::ops::Range<usize>,
    color: [u8; 3],
) {
    for row in rows.start..rows.end.min(canvas.rows()) {
        for col in cols.start..cols.end.min(canvas.cols()) {
            canvas.set(row, col, color);
        }
    }
}
