//! The word SYNTHETIC: large on the glass, small all over the section.

use crate::font::{GLYPH_COLS, GLYPH_ROWS, glyph};

/// On the glass above and below the section.
const LINES: [&str; 2] = ["SYNTHETIC - NOT A PATIENT", "SYNTHETIC - LOBULE PHANTOM"];
/// A dot of large letters, as a share of the slide's shorter side.
const LARGE_DOT: f32 = 0.0052;
/// Where the upper line begins, and how far from the bottom the lower one ends, as shares of the height.
const LARGE_MARGIN: f32 = 0.018;
const WORD: &str = "SYNTHETIC";
/// A dot of small letters.
const SMALL_DOT_UM: f32 = 1.0;
/// Distance of small words down and across: any square of 299 µm holds a whole one.
const SMALL_PITCH_UM: [f32; 2] = [290.0, 240.0];
/// Dots of a rule above and below a large line, and of the gap between: small letters alone are specks to a
/// survey, which would take them for tissue.
const RULE: usize = 2;
const GAP: usize = 1;
/// Dots from the top of a large line's upper rule to the bottom of its lower one.
const LARGE_ROWS: usize = GLYPH_ROWS + 2 * (RULE + GAP);
/// Dots from one letter to the next.
const ADVANCE: usize = GLYPH_COLS + 1;

/// What is written at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    None,
    /// A marker on the glass.
    Large,
    /// Scratched into the stain.
    Small,
}

/// The lettering of a slide.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lettering {
    height: f32,
    width: f32,
    dot: f32,
}

impl Lettering {
    pub(super) fn new(height: f32, width: f32) -> Lettering {
        let dot = LARGE_DOT * height.min(width);
        Lettering { height, width, dot }
    }

    /// Top and bottom of each large line.
    fn bands(&self) -> [[f32; 2]; 2] {
        let (margin, letters) = (LARGE_MARGIN * self.height, LARGE_ROWS as f32 * self.dot);
        [
            [margin, margin + letters],
            [self.height - margin - letters, self.height - margin],
        ]
    }

    /// Whether rows between two heights hold large letters.
    pub(super) fn is_large_near(&self, top: f32, bottom: f32) -> bool {
        self.bands()
            .iter()
            .any(|&[from, to]| from <= bottom && to >= top)
    }

    pub(super) fn at(&self, x: f32, y: f32) -> Mark {
        for (text, [top, bottom]) in LINES.into_iter().zip(self.bands()) {
            if (top..bottom).contains(&y) {
                let left = 0.5 * (self.width - (text.len() * ADVANCE) as f32 * self.dot);
                let is_ink = is_ruled(text, (x - left) / self.dot, (y - top) / self.dot);
                return if is_ink { Mark::Large } else { Mark::None };
            }
        }
        let [down, across] = SMALL_PITCH_UM;
        let row = y.rem_euclid(down) / SMALL_DOT_UM;
        let is_written = row < GLYPH_ROWS as f32;
        match is_written && is_dot(WORD, x.rem_euclid(across) / SMALL_DOT_UM, row) {
            true => Mark::Small,
            false => Mark::None,
        }
    }
}

/// Whether a text between two rules, in dots from its top left corner, has one here.
fn is_ruled(text: &str, col: f32, row: f32) -> bool {
    let (rule, rows) = (RULE as f32, LARGE_ROWS as f32);
    if row < rule || row >= rows - rule {
        return (0.0..(text.len() * ADVANCE) as f32).contains(&col);
    }
    is_dot(text, col, row - (RULE + GAP) as f32)
}

/// Whether a text, in dots from its top left corner, has one here.
fn is_dot(text: &str, col: f32, row: f32) -> bool {
    if col < 0.0 || row < 0.0 || row >= GLYPH_ROWS as f32 {
        return false;
    }
    let (col, row) = (col as usize, row as usize);
    let letter = text.as_bytes().get(col / ADVANCE);
    letter.is_some_and(|&letter| {
        let dots = glyph(char::from(letter))[row];
        let place = col % ADVANCE;
        place < GLYPH_COLS && dots >> (GLYPH_COLS - 1 - place) & 1 == 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_written_on_glass_and_on_every_square() {
        let lettering = Lettering::new(3000.0, 4000.0);
        let count = |mark, x0: usize, y0: usize, w: usize, h: usize| {
            let places = (0..w * h).map(|i| ((x0 + i % w) as f32 + 0.5, (y0 + i / w) as f32 + 0.5));
            places.filter(|&(x, y)| lettering.at(x, y) == mark).count()
        };
        assert!(count(Mark::Large, 0, 0, 4000, 240) > 10_000);
        // The dots of one whole word, wherever the square lies.
        let whole: u32 = WORD
            .chars()
            .map(|c| glyph(c).map(|r| r.count_ones()).iter().sum::<u32>())
            .sum();
        for (x, y) in [(700, 700), (811, 923), (1500, 1111)] {
            assert!(count(Mark::Small, x, y, 299, 299) >= whole as usize);
        }
        assert!(lettering.is_large_near(0.0, 60.0) && !lettering.is_large_near(400.0, 900.0));
    }
}
