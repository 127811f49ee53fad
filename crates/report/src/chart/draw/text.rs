//! The width of words, measured in the font that the program carries.

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// Regular or bold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    Regular,
    Bold,
}

impl Face {
    pub(super) fn bytes(self) -> &'static [u8] {
        match self {
            Face::Regular => notosans::REGULAR_TTF,
            Face::Bold => notosans::BOLD_TTF,
        }
    }
}

/// Share of the size that a letter without glyph takes.
const UNKNOWN: f64 = 1.0;

/// Width of one line of words.
pub(super) fn width(words: &str, size: f64, face: Face) -> f64 {
    let Ok(font) = FontRef::new(face.bytes()) else {
        return words.chars().count() as f64 * size * 0.6;
    };
    let metrics = font.glyph_metrics(Size::new(1.0), LocationRef::default());
    let charmap = font.charmap();
    let advance = |c: char| {
        let glyph = charmap.map(c)?;
        metrics.advance_width(glyph).map(f64::from)
    };
    size * words
        .chars()
        .map(|c| advance(c).unwrap_or(UNKNOWN))
        .sum::<f64>()
}

/// The words, cut with “…” where they are wider than `room`.
pub(super) fn cut(words: &str, room: f64, size: f64, face: Face) -> String {
    if width(words, size, face) <= room {
        return words.to_owned();
    }
    let letters: Vec<char> = words.chars().collect();
    let fits = |n: usize| {
        let start: String = letters[..n].iter().collect();
        let start = format!("{}…", start.trim_end());
        (width(&start, size, face) <= room).then_some(start)
    };
    // The width grows with every letter: halving finds the longest start that fits.
    let (mut low, mut high) = (0, letters.len().min(400));
    while low < high {
        let middle = (low + high).div_ceil(2);
        match fits(middle) {
            Some(_) => low = middle,
            None => high = middle - 1,
        }
    }
    fits(low).unwrap_or_default()
}

/// The words in at most `most` lines no wider than `room`; what does not fit is cut with “…”.
pub(super) fn wrapped(words: &str, room: f64, size: f64, most: usize) -> Vec<String> {
    let face = Face::Regular;
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut pending = words.split_whitespace().peekable();
    while let Some(word) = pending.next() {
        let longer = match line.is_empty() {
            true => word.to_owned(),
            false => format!("{line} {word}"),
        };
        if line.is_empty() || width(&longer, size, face) <= room {
            line = longer;
            continue;
        }
        if lines.len() + 1 >= most {
            let rest: Vec<&str> = std::iter::once(word).chain(pending.by_ref()).collect();
            line = format!("{line} {}", rest.join(" "));
            break;
        }
        lines.push(std::mem::replace(&mut line, word.to_owned()));
    }
    lines.push(line);
    lines
        .iter()
        .map(|line| cut(line, room, size, face))
        .collect()
}

/// Whether XML allows the letter and it stays on its line.
pub(super) fn is_plain(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_to_their_room() {
        let long = "Reader with a very long name, ".repeat(50);
        for room in [0.0, 5.0, 40.0, 200.0] {
            let short = cut(&long, room, 7.0, Face::Regular);
            assert!(width(&short, 7.0, Face::Regular) <= room, "{short}");
        }
        let lines = wrapped(&long, 100.0, 7.0, 3);
        assert_eq!(lines.len(), 3);
        assert!(lines[2].ends_with('…'));
        assert_eq!(wrapped("a b", 100.0, 7.0, 3), ["a b"]);
        assert_eq!(wrapped("", 100.0, 7.0, 3), [""]);
    }

    #[test]
    fn the_font_has_the_signs_we_write() {
        for face in [Face::Regular, Face::Bold] {
            let font = FontRef::new(face.bytes()).unwrap();
            for sign in "−–×±…≥≤ακ²†é 0%".chars() {
                assert!(font.charmap().map(sign).is_some(), "{sign}");
            }
        }
    }
}
