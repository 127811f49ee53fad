//! The mammograms of an exam: which are assessed, in which order.

use lobule_dicomio::{Mammogram, PlacedMammogram, set_aside};
use lobule_exam::{Side, Skipped, ViewedImage, arrange_views};

use crate::collect::{BreastInputs, FileInput};
use crate::identify::Content;

/// A mammogram whose exam and breast are known.
pub(crate) struct Taken {
    pub(crate) side: Side,
    pub(crate) file: FileInput,
}

impl Taken {
    /// Where it belongs; what the manifest states counts.
    fn place(&self) -> ViewedImage<'static> {
        ViewedImage {
            exam: "",
            side: self.side,
            view: self.file.view,
        }
    }

    fn header(&self) -> Option<&Mammogram> {
        match &self.file.content {
            Content::Mammogram(header) => Some(header),
            _ => None,
        }
    }
}

/// Puts the mammograms of one exam into breasts, by view: CC, MLO, the others; images of one view
/// by their number in the series, else as given. Views that are not assessed (magnification,
/// implant displaced, values for processing beside the readable image, …) are skipped by name.
pub(crate) fn place(taken: Vec<Taken>) -> (Vec<BreastInputs>, Vec<Skipped>) {
    let reasons = reasons(&taken);
    let mut skipped = Vec::new();
    let mut kept = Vec::new();
    for (one, reason) in taken.into_iter().zip(reasons) {
        match reason {
            None => kept.push(one),
            Some(reason) => skipped.push(Skipped {
                side: one.side,
                ..Skipped::new(one.file.name, reason)
            }),
        }
    }
    kept.sort_by_key(|one| {
        let number = one.header().and_then(|header| header.instance_number);
        (number.is_none(), number)
    });
    let places: Vec<ViewedImage> = kept.iter().map(Taken::place).collect();
    let mut files: Vec<Option<FileInput>> = kept.into_iter().map(|one| Some(one.file)).collect();
    let exams = arrange_views(&places);
    let breasts = exams.into_iter().flat_map(|exam| exam.breasts);
    let breasts = breasts.map(|breast| BreastInputs {
        side: breast.side,
        files: breast
            .views
            .into_iter()
            .flat_map(|view| view.images)
            .filter_map(|image| files[image].take())
            .collect(),
    });
    (breasts.collect(), skipped)
}

/// Why a mammogram is not assessed, for each; a picture always is.
fn reasons(taken: &[Taken]) -> Vec<Option<String>> {
    let placed = taken.iter().filter_map(|one| {
        Some(PlacedMammogram {
            header: one.header()?,
            place: one.place(),
        })
    });
    let mut found = set_aside(&placed.collect::<Vec<_>>()).into_iter();
    let reason = |one: &Taken| {
        one.header()?;
        let reason = found.next()??;
        Some(format!("expected a view to be assessed, got {reason}"))
    };
    taken.iter().map(reason).collect()
}
