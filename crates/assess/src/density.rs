//! Which mammograms get a density class, and why others do not.
//!
//! A classifier is asked only about images like those that its errors were measured on: the medium
//! has to be stated, the view to be one of its own, and the picture to show what those show.

use lobule_dicomio::{Coverage, Mammogram, Origin};
use lobule_exam::{DensityClasses, Implant, Medium, PresentationIntent};
use lobule_raster::{Density, DensityClassifier};

use crate::collect::FileInput;
use crate::identify::Content;

/// The density classes of a mammogram.
///
/// # Errors
/// One line that says why it gets none.
pub(crate) fn density_classes(
    file: &FileInput,
    density: Option<&Density>,
) -> Result<DensityClasses, String> {
    if let Content::Mammogram(header) = &file.content {
        check_header(header)?;
    }
    let Some(medium) = file.medium else {
        return Err("nothing states whether it is a scan of a film or a digital image".into());
    };
    check_view(file, medium)?;
    match density {
        Some(density) => Ok(DensityClassifier::classes_of(medium, density)),
        None => Err("too little of the breast to measure its density".into()),
    }
}

/// Refuses what looks otherwise than the images that the classes were learnt on.
fn check_header(header: &Mammogram) -> Result<(), String> {
    let departures = [
        (
            header.intent == PresentationIntent::Processing,
            "is for processing, not for reading",
        ),
        (
            header.origin == Origin::GeneratedFromTomosynthesis,
            "was computed from a tomosynthesis",
        ),
        (
            header.coverage == Coverage::Partial,
            "shows a part of the breast only",
        ),
        (
            header.implant == Implant::Present,
            "shows a breast with an implant",
        ),
    ];
    match departures.iter().find(|(departs, _)| *departs) {
        Some((_, how)) => Err(format!(
            "the image {how}: the classes were learnt on no such images"
        )),
        None => Ok(()),
    }
}

fn check_view(file: &FileInput, medium: Medium) -> Result<(), String> {
    let Some(view) = file.view else {
        return Err("nothing states the view".into());
    };
    match DensityClassifier::of(medium).views().contains(&view) {
        true => Ok(()),
        false => Err(format!(
            "the classes of {medium} images were learnt on no {view} views"
        )),
    }
}
