//! Names that are safe for files and unique within a folder.

use std::collections::HashSet;

/// Longest file name made here, in bytes; leaves room for suffixes below the usual 255.
const LONGEST: usize = 96;

/// Letters, digits, `-`, `_` and `.` stay, everything else becomes `-`; never empty, never
/// hidden, at most 96 bytes.
///
/// ```
/// assert_eq!(lobule_report::safe_name("../Malignant (7).png"), "Malignant--7-.png");
/// assert_eq!(lobule_report::safe_name(".."), "unnamed");
/// ```
pub fn safe_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mapped: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect();
    let trimmed = mapped.trim_start_matches(['.', '-']).trim_end_matches('.');
    match &trimmed[..trimmed.len().min(LONGEST)] {
        "" => "unnamed".to_owned(),
        name => name.to_owned(),
    }
}

/// Hands out names, each once. Names that differ only in case count as equal, because some file
/// systems think so.
#[derive(Debug, Default)]
pub struct UniqueNames {
    taken: HashSet<String>,
}

impl UniqueNames {
    /// The name itself when it is free, else with the first free number appended.
    ///
    /// ```
    /// let mut names = lobule_report::UniqueNames::default();
    /// assert_eq!(names.take("a"), "a");
    /// assert_eq!(names.take("A"), "A-2");
    /// ```
    pub fn take(&mut self, name: &str) -> String {
        if self.taken.insert(name.to_lowercase()) {
            return name.to_owned();
        }
        let numbered = |n: usize| format!("{name}-{n}");
        let free = (2..)
            .map(numbered)
            .find(|candidate| self.taken.insert(candidate.to_lowercase()));
        free.expect("the numbers do not end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_folder_or_is_taken_twice() {
        for (given, made) in [
            ("a b", "a-b"),
            ("/etc/passwd", "etc-passwd"),
            ("..\\..\\x", "x"),
            (".hidden", "hidden"),
            ("", "unnamed"),
            ("été", "t-"),
            ("x.", "x"),
        ] {
            assert_eq!(safe_name(given), made, "{given}");
        }
        assert_eq!(safe_name(&"x".repeat(500)).len(), LONGEST);
        let mut names = UniqueNames::default();
        let taken: Vec<_> = ["a", "a", "a-2", "a"].map(|n| names.take(n)).to_vec();
        assert_eq!(taken, ["a", "a-2", "a-2-2", "a-3"]);
    }
}
