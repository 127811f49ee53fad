//! Density classes in words, for pages.
//!
//! Owns: the sentences. Does not own: which class it is (`exam`), how often it is right (`raster`).

use lobule_exam::{Assessment, BreastAssessment, DensityClass, DensityClasses, Medium};
use lobule_raster::{Accuracy, DensityClassifier};

use crate::html::percent;

/// What is said of a breast's density class: the class with how often such classes were right, then
/// of digital images the letter; or why there is none. Empty where the breast has no mammogram.
pub(crate) fn density_lines(breast: &BreastAssessment) -> Vec<String> {
    match breast.density_classes() {
        None => Vec::new(),
        Some(Err(reason)) => vec![format!("No density class: {reason}.")],
        Some(Ok(classes)) => known_lines(breast, &classes),
    }
}

fn known_lines(breast: &BreastAssessment, classes: &DensityClasses) -> Vec<String> {
    let (medium, views) = (classes.medium, views_of(breast));
    let of = format!("{medium} images, {views}");
    let class = classes.class().map(|class| {
        let by = DensityClassifier::of(medium);
        sentence("Density class", class, Some(&of), by)
    });
    let letter = classes.letter().map(|letter| match classes.class() {
        Some(class) if !class.name.split('-').any(|of| of == letter.name) => format!(
            "No density letter (EXPERIMENTAL): the most probable one, {}, is at odds with the class {}.",
            letter.name, class.name
        ),
        _ => {
            let by = DensityClassifier::letters_experimental();
            sentence("Density letter, EXPERIMENTAL", letter, None, by)
        }
    });
    class.into_iter().chain(letter).collect()
}

fn sentence(
    what: &str,
    class: DensityClass,
    of: Option<&str>,
    by: &'static DensityClassifier,
) -> String {
    let of = of.map_or(String::new(), |of| format!(" ({of})"));
    format!(
        "{what}: {}, probability {}{of}. {}",
        class.name,
        percent(class.probability),
        right_words(by.accuracy(), by.images())
    )
}

fn right_words(accuracy: Accuracy, images: &str) -> String {
    let [lower, upper] = accuracy.interval.map(percent);
    let beside = match accuracy.interval[0] > accuracy.most_frequent {
        true => "; the most frequent class alone",
        false => ": not shown to be better than the most frequent class alone,",
    };
    format!(
        "Right about {} of {} breasts of {images}; 95 % interval {lower} to {upper}{beside} {}.",
        percent(accuracy.share()),
        accuracy.of,
        percent(accuracy.most_frequent)
    )
}

/// The views that the classes are the mean of.
fn views_of(breast: &BreastAssessment) -> String {
    let views = breast.images.iter().filter_map(|image| {
        let facts = image.mammogram.as_ref()?;
        facts.density_classes.is_ok().then_some(facts.view?)
    });
    let views: Vec<String> = views.map(|view| view.to_string()).collect();
    match views.len() {
        1 => format!("{} alone", views[0]),
        _ => format!("mean over {}", views.join(", ")),
    }
}

/// The exam's density: the class of its densest breast.
pub(crate) fn exam_density(exam: &Assessment) -> Option<String> {
    let (side, classes) = exam.densest_breast()?;
    let class = classes.class()?;
    Some(format!(
        "Density of the exam, that of its densest breast ({side}): {}, probability {}.",
        class.name,
        percent(class.probability)
    ))
}

/// What a reader has to know of the classes on a page: how they were measured, and what they may be
/// used for.
pub(crate) fn density_class_notes(exam: &Assessment) -> Vec<String> {
    let notes = media_of(exam).into_iter().flat_map(|medium| {
        let by = DensityClassifier::of(medium);
        let note = format!(
            "Density classes of {medium} images are no reader's BI-RADS density; they were fitted on {} \
             ({}) and hold for images like those. Measured: {}.",
            by.images(),
            by.licence(),
            by.measured()
        );
        let letters = DensityClassifier::letters_experimental().measured();
        let letters = (medium == Medium::Digital)
            .then(|| format!("The letters A to D are experimental. Measured: {letters}."));
        [note].into_iter().chain(letters)
    });
    notes.collect()
}

/// What the classes on a page may be used for.
pub(crate) fn density_licences(exam: &Assessment) -> Vec<&'static str> {
    let media = media_of(exam).into_iter();
    media
        .map(|medium| DensityClassifier::of(medium).licence())
        .collect()
}

/// The media of the breasts that have classes.
fn media_of(exam: &Assessment) -> Vec<Medium> {
    let known = exam
        .breasts
        .iter()
        .filter_map(|b| b.density_classes()?.ok());
    let known: Vec<Medium> = known.map(|classes| classes.medium).collect();
    let mut media = vec![Medium::Film, Medium::Digital];
    media.retain(|medium| known.contains(medium));
    media
}
