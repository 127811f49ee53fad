//! Lines and letters in a colour picture.

use font8x8::UnicodeFonts;
use lobule_exam::{Point, Polygon};
use lobule_raster::Image;

pub(super) type Color = [u8; 3];

pub(super) const BLACK: Color = [0, 0, 0];
pub(super) const WHITE: Color = [255, 255, 255];

/// Rows and columns of a letter at scale 1.
pub(super) const LETTER: usize = 8;

/// Rows from one line of text to the next at scale 1.
pub(super) const LINE: usize = LETTER + 3;

/// Fills a square of `2·radius + 1` pixels; what sticks out is left away.
fn dab(image: &mut Image<Color>, at: (i64, i64), radius: i64, color: Color) {
    for row in at.0 - radius..=at.0 + radius {
        for col in at.1 - radius..=at.1 + radius {
            let inside =
                (0..image.rows() as i64).contains(&row) && (0..image.cols() as i64).contains(&col);
            if inside {
                image.set(row as usize, col as usize, color);
            }
        }
    }
}

/// Draws a closed outline, one dab per pixel of its longer direction.
pub(super) fn outline(image: &mut Image<Color>, polygon: &Polygon, radius: i64, color: Color) {
    let points = &polygon.points;
    for (i, &from) in points.iter().enumerate() {
        let to = points[(i + 1) % points.len()];
        let steps = (to.row - from.row)
            .abs()
            .max((to.col - from.col).abs())
            .ceil();
        // A corner far outside of the picture costs no time.
        let steps = steps.clamp(1.0, 1e5);
        for step in 0..=steps as usize {
            let t = step as f64 / steps;
            let at = |a: f64, b: f64| (a + (b - a) * t).round() as i64;
            dab(
                image,
                (at(from.row, to.row), at(from.col, to.col)),
                radius,
                color,
            );
        }
    }
}

/// Writes a line of text, its top left corner at a point, on a dark shadow.
pub(super) fn text(image: &mut Image<Color>, at: Point, scale: usize, words: &str, color: Color) {
    for (reach, color) in [(scale as i64 / 2 + 1, BLACK), (0, color)] {
        for (i, letter) in words.chars().enumerate() {
            let col = at.col as i64 + (i * LETTER * scale) as i64;
            glyph(image, (at.row as i64, col), scale, letter, reach, color);
        }
    }
}

fn glyph(
    image: &mut Image<Color>,
    at: (i64, i64),
    scale: usize,
    letter: char,
    reach: i64,
    color: Color,
) {
    let dots = font8x8::BASIC_FONTS.get(letter).unwrap_or_default();
    let scale = scale as i64;
    for (row, bits) in (0_i64..).zip(dots) {
        for col in (0..8_i64).filter(|col| bits >> col & 1 == 1) {
            for pixel in 0..scale * scale {
                let (r, c) = (row * scale + pixel / scale, col * scale + pixel % scale);
                dab(image, (at.0 + r, at.1 + c), reach, color);
            }
        }
    }
}

/// Words broken into lines of at most `most` letters; a longer word is cut.
pub(super) fn wrapped(words: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        let word: String = word.chars().take(most).collect();
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= most => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_long_ones_cut() {
        assert_eq!(wrapped("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrapped("abcdefgh i", 3), ["abc", "i"]);
        assert!(wrapped("", 3).is_empty());
    }

    #[test]
    fn what_lies_outside_is_left_away() {
        let mut image = Image::filled(4, 4, BLACK);
        let corners = [(-9.0, -9.0), (-9.0, 99.0), (99.0, 99.0), (1.0, 1.0)];
        let points = corners.map(|(row, col)| Point { row, col }).to_vec();
        outline(&mut image, &Polygon { points }, 1, WHITE);
        text(&mut image, Point { row: 3.0, col: 3.0 }, 2, "W", WHITE);
        assert!(image.pixels().contains(&WHITE));
    }
}
