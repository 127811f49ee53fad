//! What is set aside, and which images are one exposure.

use std::collections::BTreeSet;
use std::fmt;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use lobule_exam::{PresentationIntent, View, ViewModifier, ViewedImage};
use sha2::{Digest, Sha256};

use super::Mammogram;
use super::position::magnification;
use super::view::Found;
use crate::dataset::Dataset;

/// From this stated magnification on a view counts as magnified; a breast on the detector is
/// enlarged by 1.0 to 1.1.
const MAGNIFIED: f64 = 1.25;

/// Why a mammogram is not assessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SetAside {
    /// The implant was pushed out of the picture.
    ImplantDisplaced,
    /// Enlarged by distance.
    Magnification,
    /// Pressed with a small paddle.
    Spot,
    /// A specimen outside the body.
    Specimen,
    /// Parts of both breasts.
    BothBreasts,
    /// Taken while a needle was placed.
    Intervention,
    /// A phantom or a test of the device.
    QualityControl,
    /// The difference of two exposures with contrast agent.
    Subtraction,
    /// The readable image of the same exposure is there.
    ProcessingOfPair,
    /// The same image is there in another file.
    Duplicate,
}

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SetAside::ImplantDisplaced => "an implant-displaced view",
            SetAside::Magnification => "a magnification view",
            SetAside::Spot => "a spot compression view",
            SetAside::Specimen => "a specimen",
            SetAside::BothBreasts => "a view of both breasts",
            SetAside::Intervention => "a view of an intervention",
            SetAside::QualityControl => "a quality control image",
            SetAside::Subtraction => "a subtraction image of a contrast-enhanced exam",
            SetAside::ProcessingOfPair => {
                "the values for processing of an exposure whose readable image is there"
            }
            SetAside::Duplicate => "a copy of an image that is there",
        })
    }
}

/// By the header of the image alone.
pub(super) fn stated(data: &Dataset, found: &Found) -> Option<SetAside> {
    let has = |modifier| found.modifiers.contains(&modifier);
    let is = |tag, value| data.text(tag).as_deref() == Some(value);
    let image_type = data.texts(tags::IMAGE_TYPE);
    let type_says = |words: &[&str]| {
        let mut values = image_type.iter();
        values.any(|value| words.iter().any(|word| value.contains(word)))
    };
    let both = is(tags::IMAGE_LATERALITY, "B") || has(ViewModifier::Cleavage);
    let magnified = magnification(data).is_some_and(|factor| factor >= MAGNIFIED);
    let reasons = [
        (
            is(tags::QUALITY_CONTROL_IMAGE, "YES"),
            SetAside::QualityControl,
        ),
        (found.view == Some(View::Specimen), SetAside::Specimen),
        (
            type_says(&["STEREO", "LOCALIZATION"]),
            SetAside::Intervention,
        ),
        (
            type_says(&["RECOMBINED", "SUBTRACT"]),
            SetAside::Subtraction,
        ),
        (both, SetAside::BothBreasts),
        (
            has(ViewModifier::ImplantDisplaced),
            SetAside::ImplantDisplaced,
        ),
        (
            has(ViewModifier::Magnification) || magnified,
            SetAside::Magnification,
        ),
        (has(ViewModifier::SpotCompression), SetAside::Spot),
    ];
    let first = reasons.iter().find(|(holds, _)| *holds);
    first.map(|&(_, reason)| reason)
}

/// What ties images of one exposure together; hashed, so that nothing of it identifies a patient.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Links {
    instance: Option<String>,
    sources: Vec<String>,
    event: Option<String>,
    moment: Option<String>,
}

fn opaque(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest[..8].iter().map(|b| format!("{b:02x}")).collect()
}

impl Links {
    pub(super) fn read(data: &Dataset) -> Links {
        let hashed = |tag: Tag| data.text(tag).map(|text| opaque(&text));
        let source = |item: &Dataset| {
            let uid = item.text(tags::REFERENCED_SOP_INSTANCE_UID);
            uid.map(|uid| opaque(&uid))
        };
        let moment = (
            data.text(tags::ACQUISITION_DATE),
            data.text(tags::ACQUISITION_TIME),
        );
        Links {
            instance: hashed(tags::SOP_INSTANCE_UID),
            sources: data
                .items(tags::SOURCE_IMAGE_SEQUENCE)
                .iter()
                .filter_map(source)
                .collect(),
            event: hashed(tags::IRRADIATION_EVENT_UID),
            moment: match moment {
                (Some(date), Some(time)) => Some(opaque(&format!("{date} {time}"))),
                _ => None,
            },
        }
    }

    /// Whether two images are of one exposure; unknown when nothing tells.
    fn same_exposure(&self, other: &Links) -> Option<bool> {
        let names =
            |a: &Links, b: &Links| b.instance.as_ref().is_some_and(|i| a.sources.contains(i));
        if names(self, other) || names(other, self) {
            return Some(true);
        }
        let equal = |a: &Option<String>, b: &Option<String>| Some(a.as_ref()? == b.as_ref()?);
        equal(&self.event, &other.event).or_else(|| equal(&self.moment, &other.moment))
    }
}

/// A mammogram and where it belongs, which a manifest may know better than its header.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlacedMammogram<'a> {
    /// What the file says.
    pub header: &'a Mammogram,
    /// Exam, breast and view.
    pub place: ViewedImage<'a>,
}

impl Mammogram {
    /// The mammogram where its own header puts it.
    pub fn placed(&self) -> PlacedMammogram<'_> {
        let place = ViewedImage {
            exam: &self.exam_key,
            side: self.side,
            view: self.view,
        };
        PlacedMammogram {
            header: self,
            place,
        }
    }
}

/// Which mammograms are not assessed, and why: one entry for each that is given.
///
/// Set aside are, besides what each header tells ([`Mammogram::set_aside`]): copies of one image,
/// and values for processing where the readable image of the same exposure is there. Two images
/// are of one exposure when one names the other as its source, else when their irradiation events,
/// else the moments of acquisition are equal; where none of these is stated, when they are the
/// only two of their exam, breast and view.
///
/// ```
/// assert!(lobule_dicomio::set_aside(&[]).is_empty());
/// ```
pub fn set_aside(mammograms: &[PlacedMammogram<'_>]) -> Vec<Option<SetAside>> {
    let mut reasons: Vec<Option<SetAside>> =
        mammograms.iter().map(|m| m.header.set_aside).collect();
    mark_copies(mammograms, &mut reasons);
    mark_pairs(mammograms, &mut reasons);
    reasons
}

fn mark_copies(mammograms: &[PlacedMammogram<'_>], reasons: &mut [Option<SetAside>]) {
    let mut seen = BTreeSet::new();
    for (mammogram, reason) in mammograms.iter().zip(reasons) {
        let Some(instance) = &mammogram.header.links.instance else {
            continue;
        };
        if !seen.insert(instance) {
            *reason = Some(SetAside::Duplicate);
        }
    }
}

fn mark_pairs(mammograms: &[PlacedMammogram<'_>], reasons: &mut [Option<SetAside>]) {
    let open: Vec<usize> = (0..mammograms.len())
        .filter(|&i| reasons[i].is_none())
        .collect();
    let of_place = |intent, like: &PlacedMammogram<'_>| -> Vec<usize> {
        let fits = |i: &&usize| {
            let m = &mammograms[**i];
            m.header.intent == intent && m.place == like.place
        };
        open.iter().filter(fits).copied().collect()
    };
    for &raw in &open {
        let mammogram = &mammograms[raw];
        if mammogram.header.intent != PresentationIntent::Processing {
            continue;
        }
        let readable = of_place(PresentationIntent::Presentation, mammogram);
        let rivals = of_place(PresentationIntent::Processing, mammogram);
        let alone = readable.len() == 1 && rivals.len() == 1;
        let paired = readable.iter().any(|&other| {
            let links = &mammograms[other].header.links;
            mammogram.header.links.same_exposure(links).unwrap_or(alone)
        });
        if paired {
            reasons[raw] = Some(SetAside::ProcessingOfPair);
        }
    }
}
