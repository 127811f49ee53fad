//! Which breast.

use std::fmt;
use std::str::FromStr;

/// The patient's side, never the side of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Laterality {
    /// The patient's left.
    Left,
    /// The patient's right.
    Right,
}

/// The breast a group of images belongs to. Images whose side no source states form a group of
/// their own: a side is never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// A side that the file or the manifest states.
    Known(Laterality),
    /// Nothing states the side.
    Unknown,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Known(Laterality::Left) => "left",
            Side::Known(Laterality::Right) => "right",
            Side::Unknown => "unknown",
        })
    }
}

impl FromStr for Side {
    type Err = String;

    /// Reads `left`, `l`, `right`, `r`, `unknown` or nothing, in any case.
    fn from_str(text: &str) -> Result<Side, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "left" | "l" => Ok(Side::Known(Laterality::Left)),
            "right" | "r" => Ok(Side::Known(Laterality::Right)),
            "unknown" | "u" | "" => Ok(Side::Unknown),
            other => Err(format!("expected left, right or unknown, got `{other}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_read_back_what_they_print() {
        for side in [
            Side::Known(Laterality::Left),
            Side::Known(Laterality::Right),
            Side::Unknown,
        ] {
            assert_eq!(side.to_string().parse(), Ok(side));
        }
        assert!("both".parse::<Side>().is_err());
    }
}
