//! mini-MIAS as published, and its way of naming lesions.

use std::collections::BTreeMap;
use std::path::Path;

use lobule_exam::Point;

use super::{Found, Row};
use crate::{Case, Error, ErrorKind, Label, Mark, Shape};

/// The column of a table that holds circles as [`circles`] reads them.
pub(super) const CIRCLES_COLUMN: &str = "lesions_class_severity_x_ybottomorigin_radius";

/// Rows of every picture of the set; its coordinates count from the bottom.
const ROWS: f64 = 1024.0;

/// One picture of `Info.txt`, from its one or more lines.
#[derive(Default)]
struct Film {
    tissue: String,
    lesion: String,
    marks: Vec<Mark>,
    /// The worst severity, also of lesions without a place.
    label: Option<Label>,
}

/// The lines of `Info.txt` that begin with a picture's name. Two successive numbers are the
/// breasts of a patient.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let table = folder.join("Info.txt");
    let text = std::fs::read_to_string(&table).map_err(|e| Error::io(&table, e))?;
    let mut films: BTreeMap<&str, Film> = BTreeMap::new();
    for (i, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_name = |w: &&str| w.len() == 6 && w.starts_with("mdb") && number(w).is_some();
        let Some(name) = words.first().copied().filter(is_name) else {
            continue;
        };
        films
            .entry(name)
            .or_default()
            .add(&words[1..])
            .map_err(|message| {
                let message = format!("line {}: {message}", i + 1);
                Error::new(ErrorKind::Data, message).in_file(&table)
            })?;
    }
    films
        .into_iter()
        .map(|(name, film)| film.into_case(name, set, folder))
        .collect()
}

fn number(name: &str) -> Option<usize> {
    name.get(3..)?.parse().ok()
}

impl Film {
    fn add(&mut self, words: &[&str]) -> Result<(), String> {
        let [tissue, class, rest @ ..] = words else {
            return Err("expected tissue and class".into());
        };
        (self.tissue, self.lesion) = ((*tissue).to_owned(), (*class).to_owned());
        match rest {
            [] => Ok(()),
            [severity, x, y, radius] if x.parse::<f64>().is_ok() => {
                let text = format!("{class} {severity} {x} {y} {radius}");
                self.marks.extend(circle(&text)?);
                self.worsen(severity)
            }
            // `*NOTE 3*`, or nothing: the place is not known.
            [severity, ..] => self.worsen(severity),
        }
    }

    fn worsen(&mut self, letter: &str) -> Result<(), String> {
        self.label = self.label.max(Some(severity(letter)?));
        Ok(())
    }

    fn into_case(self, name: &str, set: &str, folder: &Path) -> Result<Case, Error> {
        let found = Found {
            name: super::first_existing(folder, name, &["pgm", "png"]),
            mask: None,
            group: format!("pair {}", number(name).unwrap_or(0).div_ceil(2)),
            fold: None,
            label: self.label.unwrap_or(Label::Normal),
            extra: Row::from([
                ("density".to_owned(), self.tissue),
                ("lesion".to_owned(), self.lesion),
            ]),
        };
        Ok(Case {
            marks: self.marks,
            ..found.into_case(set, folder)?
        })
    }
}

fn severity(letter: &str) -> Result<Label, String> {
    match letter {
        "B" => Ok(Label::Benign),
        "M" => Ok(Label::Malignant),
        other => Err(format!("expected the severity B or M, got `{other}`")),
    }
}

/// Lesions in mini-MIAS's words, `CIRC M 538 681 29; …`: class, severity, x, y from the bottom,
/// radius. A lesion of unknown place (`-`) is left out.
pub(super) fn circles(text: &str) -> Result<Vec<Mark>, String> {
    let lesions = text.split(';').map(str::trim).filter(|l| !l.is_empty());
    let marks: Result<Vec<Option<Mark>>, String> = lesions.map(circle).collect();
    Ok(marks?.into_iter().flatten().collect())
}

/// The class of the first lesion.
pub(super) fn class_of(text: &str) -> String {
    text.split_whitespace().next().unwrap_or("").to_owned()
}

fn circle(text: &str) -> Result<Option<Mark>, String> {
    let bad = || format!("expected `CLASS B|M x y radius`, got `{text}`");
    let words: Vec<&str> = text.split_whitespace().collect();
    let [_, letter, x, y, radius] = words[..] else {
        return Err(bad());
    };
    let label = severity(letter)?;
    if [x, y, radius].contains(&"-") {
        return Ok(None);
    }
    let number = |word: &str| {
        let n: f64 = word.parse().map_err(|_| bad())?;
        (0.0..=ROWS).contains(&n).then_some(n).ok_or_else(bad)
    };
    let center = Point {
        row: ROWS - 1.0 - number(y)?,
        col: number(x)?,
    };
    let radius = number(radius)?;
    Ok(Some(Mark {
        shape: Shape::Circle { center, radius },
        label,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_count_their_rows_from_the_bottom() {
        let marks = circles("MISC B 233 994 29;MISC M 313 540 27").unwrap();
        let center = Point {
            row: 483.0,
            col: 313.0,
        };
        let radius = 27.0;
        assert_eq!(marks[1].shape, Shape::Circle { center, radius });
        assert_eq!(
            (marks[0].label, marks[1].label),
            (Label::Benign, Label::Malignant)
        );
        assert_eq!(circles("CALC M - - -").unwrap(), []);
        for bad in [
            "CIRC M 1 2",
            "CIRC X 1 2 3",
            "CIRC M 1 two 3",
            "CIRC M 1 -2 3",
        ] {
            assert!(circles(bad).is_err(), "{bad}");
        }
    }
}
