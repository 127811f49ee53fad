//! What a finding is called: a lesion by its number and score of 100, as on the page.

use lobule_exam::{Finding, FindingClass, score_words};

use super::request::Assessed;

/// A finding and what it is called.
pub(super) struct Claim<'a> {
    pub(super) finding: &'a Finding,
    /// From 1 within the image's findings.
    pub(super) place: usize,
    name: Name,
}

enum Name {
    /// The number of its lesion.
    Lesion(usize),
    /// Its place, where no image has lesions.
    Finding(usize),
    /// None: beside lesions a number would be taken for one of theirs.
    Region,
}

/// The findings of an image.
pub(super) fn claims<'a>(image: &Assessed<'a>) -> Vec<Claim<'a>> {
    let is_mammogram = image.image.mammogram.is_some();
    let claim = |(place, finding): (usize, &'a Finding)| Claim {
        finding,
        place,
        name: match finding.lesion {
            Some(lesion) => Name::Lesion(lesion.number),
            None if is_mammogram => Name::Region,
            None => Name::Finding(place),
        },
    };
    (1..).zip(&image.image.findings).map(claim).collect()
}

impl Claim<'_> {
    /// What stands beside the outline: `2M 29`.
    pub(super) fn tag(&self) -> String {
        let (letter, peak) = (self.letter(), self.finding.score);
        match (&self.name, self.finding.lesion) {
            (_, Some(lesion)) => {
                format!("{}{letter} {}", lesion.number, score_words(lesion.score))
            }
            (Name::Finding(number), None) => format!("{number}{letter} {peak:.2}"),
            (_, None) => format!("{letter} peak {peak:.2}"),
        }
    }

    /// `lesion 2`, `finding 1` or `region`.
    pub(super) fn name(&self) -> String {
        match self.name {
            Name::Lesion(number) => format!("lesion {number}"),
            Name::Finding(number) => format!("finding {number}"),
            Name::Region => "region".to_owned(),
        }
    }

    /// `score 29 of 100`; of what is no lesion what the value is.
    pub(super) fn value(&self) -> String {
        match self.finding.lesion {
            Some(lesion) => format!("score {} of 100", score_words(lesion.score)),
            None => format!("saliency peak {:.2}, uncalibrated", self.finding.score),
        }
    }

    /// `looks malignant`.
    pub(super) fn looks(&self) -> &'static str {
        match self.finding.class {
            FindingClass::Malignant => "looks malignant",
            FindingClass::Benign => "looks benign",
        }
    }

    fn letter(&self) -> char {
        match self.finding.class {
            FindingClass::Malignant => 'M',
            FindingClass::Benign => 'B',
        }
    }
}
