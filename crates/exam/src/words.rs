//! How scores, thresholds and warnings are worded: alike on pages, in PDFs and in DICOM objects.

use std::collections::BTreeSet;

use crate::{Assessment, BreastAssessment, ImageAssessment, Side};

/// Names of images before a note; of more images it says how many.
const MOST_NAMES: usize = 4;

/// A score of 0 to 100 as a reader wants it: whole, and never a false 0 or 100.
///
/// ```
/// use lobule_exam::score_words;
/// assert_eq!([0.0, 0.4, 29.3, 99.7].map(score_words), ["0", "< 1", "29", "> 99"]);
/// ```
pub fn score_words(score: f64) -> String {
    match score {
        s if s.is_nan() => "–".to_owned(),
        s if s > 0.0 && s < 1.0 => "< 1".to_owned(),
        s if s > 99.0 && s < 100.0 => "> 99".to_owned(),
        s => format!("{s:.0}"),
    }
}

/// A threshold on scores of 0 to 100 to be read and compared: one decimal; below 1 and above 99 as
/// many as give two digits of its distance from the nearer end.
///
/// ```
/// use lobule_exam::threshold_words;
/// assert_eq!([10.0, 22.126, 0.5345, 99.968].map(threshold_words), ["10", "22.1", "0.53", "99.968"]);
/// ```
pub fn threshold_words(threshold: f64) -> String {
    let distance = threshold.min(100.0 - threshold);
    let decimals = match distance {
        d if d > 0.0 && d < 1.0 => (1.0 - d.log10().floor()).min(12.0) as usize,
        _ => 1,
    };
    let text = format!("{threshold:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

impl Assessment {
    /// What the reader of the result has to know, a line each: the exam's warnings, then those of
    /// its images with the images that they are said of. Equal ones are said once; no file is named.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        for warning in &self.warnings {
            if !notes.contains(&warning.message) {
                notes.push(warning.message.clone());
            }
        }
        let images = self.breasts.iter().flat_map(of_breast);
        notes.extend(of_images(&images.collect::<Vec<_>>()));
        notes
    }
}

impl BreastAssessment {
    /// The part of [`Assessment::notes`] that is of the breast's images.
    pub fn notes(&self) -> Vec<String> {
        of_images(&of_breast(self).collect::<Vec<_>>())
    }
}

fn of_breast(breast: &BreastAssessment) -> impl Iterator<Item = (Side, &ImageAssessment)> {
    breast.images.iter().map(|image| (breast.side, image))
}

fn of_images(images: &[(Side, &ImageAssessment)]) -> Vec<String> {
    let mut said: Vec<(&str, Vec<usize>)> = Vec::new();
    for (i, (_, image)) in images.iter().enumerate() {
        for warning in &image.warnings {
            match said.iter_mut().find(|(text, _)| *text == warning.message) {
                Some((_, of)) if of.last() == Some(&i) => {}
                Some((_, of)) => of.push(i),
                None => said.push((&warning.message, vec![i])),
            }
        }
    }
    let line = |(text, of): (&str, Vec<usize>)| format!("{}: {text}", names(images, &of));
    said.into_iter().map(line).collect()
}

fn names(images: &[(Side, &ImageAssessment)], of: &[usize]) -> String {
    if of.len() == images.len() && of.len() > 1 {
        return "all images".to_owned();
    }
    let names: BTreeSet<String> = of.iter().map(|&i| name(i, images[i])).collect();
    match names.len() {
        n if n > MOST_NAMES => format!("{} of {} images", of.len(), images.len()),
        _ => names.into_iter().collect::<Vec<_>>().join(", "),
    }
}

fn name(i: usize, (side, image): (Side, &ImageAssessment)) -> String {
    match (&image.mammogram, image.view()) {
        (Some(_), Some(view)) => format!("{side} {view}"),
        (Some(_), None) => format!("{side}, view not stated"),
        (None, _) => format!("{side}, image {}", i + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_never_claim_certainty() {
        let cases = [
            (0.0, "0"),
            (0.4, "< 1"),
            (9.6, "10"),
            (87.4, "87"),
            (99.7, "> 99"),
            (100.0, "100"),
            (f64::NAN, "–"),
        ];
        for (score, text) in cases {
            assert_eq!(score_words(score), text);
        }
    }

    #[test]
    fn thresholds_can_be_read_and_compared() {
        let cases = [
            (0.0, "0"),
            (1e-300, "0"),
            (0.000_512, "0.00051"),
            (0.05, "0.05"),
            (0.9999, "1"),
            (1.0, "1"),
            (50.0, "50"),
            (99.97, "99.97"),
            (100.0, "100"),
            (f64::NAN, "NaN"),
        ];
        for (threshold, text) in cases {
            assert_eq!(threshold_words(threshold), text, "{threshold}");
        }
    }
}
