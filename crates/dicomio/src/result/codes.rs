//! The concepts that objects name, from PS3.16.

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use lobule_exam::{Laterality, Side, View};

use crate::mammogram::view::code_of;
use crate::write::put_str;

/// A coded concept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) value: &'static str,
    pub(super) scheme: &'static str,
    pub(super) meaning: &'static str,
}

const fn dcm(value: &'static str, meaning: &'static str) -> Code {
    code(value, "DCM", meaning)
}

const fn sct(value: &'static str, meaning: &'static str) -> Code {
    code(value, "SCT", meaning)
}

const fn code(value: &'static str, scheme: &'static str, meaning: &'static str) -> Code {
    Code {
        value,
        scheme,
        meaning,
    }
}

impl Code {
    /// The code as an item of a sequence.
    pub(super) fn item(self) -> InMemDicomObject {
        let mut item = InMemDicomObject::new_empty();
        put_str(&mut item, tags::CODE_VALUE, VR::SH, self.value);
        put_str(
            &mut item,
            tags::CODING_SCHEME_DESIGNATOR,
            VR::SH,
            self.scheme,
        );
        put_str(&mut item, tags::CODE_MEANING, VR::LO, self.meaning);
        item
    }
}

pub(super) const SOURCE_IMAGE: Code = dcm("121322", "Source image for image processing operation");
pub(super) const LANGUAGE: Code = dcm("121049", "Language of Content Item and Descendants");
pub(super) const ENGLISH: Code = code("en", "RFC5646", "English");
pub(super) const LEFT_BREAST: Code = sct("80248007", "Left breast");
pub(super) const RIGHT_BREAST: Code = sct("73056007", "Right breast");
pub(super) const BREAST: Code = sct("76752008", "Breast");
pub(super) const LEFT: Code = sct("7771000", "Left");
pub(super) const RIGHT: Code = sct("24028007", "Right");
pub(super) const LATERALITY: Code = sct("272741003", "Laterality");
pub(super) const IMAGE_LIBRARY: Code = dcm("111028", "Image Library");
pub(super) const IMAGE_LATERALITY: Code = dcm("111027", "Image Laterality");
pub(super) const IMAGE_VIEW: Code = dcm("111031", "Image View");
pub(super) const ORIENTATION_ROW: Code = dcm("111044", "Patient Orientation Row");
pub(super) const ORIENTATION_COLUMN: Code = dcm("111043", "Patient Orientation Column");
pub(super) const STUDY_DATE: Code = dcm("111060", "Study Date");
pub(super) const STUDY_TIME: Code = dcm("111061", "Study Time");
pub(super) const HORIZONTAL_SPACING: Code = dcm("111026", "Horizontal Pixel Spacing");
pub(super) const VERTICAL_SPACING: Code = dcm("111066", "Vertical Pixel Spacing");
pub(super) const ALGORITHM_NAME: Code = dcm("111001", "Algorithm Name");
pub(super) const ALGORITHM_VERSION: Code = dcm("111003", "Algorithm Version");
pub(super) const ALGORITHM_PARAMETERS: Code = dcm("111002", "Algorithm Parameters");

pub(super) const MICROMETER: Code = code("um", "UCUM", "micrometer");
pub(super) const MILLIMETER: Code = code("mm", "UCUM", "millimeter");
pub(super) const PERCENT: Code = code("%", "UCUM", "Percent");
pub(super) const UNITY: Code = code("1", "UCUM", "no units");

pub(super) const SEGMENTATION: Code = dcm("113076", "Segmentation");
pub(super) const ARTIFICIAL_INTELLIGENCE: Code = dcm("123110", "Artificial Intelligence");
pub(super) const ALTERED_STRUCTURE: Code = sct("49755003", "Morphologically Altered Structure");
pub(super) const OF_INTEREST: Code = dcm("113000", "Of Interest");
pub(super) const KEY_DESCRIPTION: Code = dcm("113012", "Key Object Description");

// Mammography CAD (TID 4000).
pub(super) const CAD_REPORT: Code = dcm("111036", "Mammography CAD Report");
pub(super) const CAD_SUMMARY: Code = dcm("111017", "CAD Processing and Findings Summary");
pub(super) const ALL_WITHOUT: Code = dcm("111241", "All algorithms succeeded; without findings");
pub(super) const ALL_WITH: Code = dcm("111242", "All algorithms succeeded; with findings");
pub(super) const SOME_WITHOUT: Code =
    dcm("111243", "Not all algorithms succeeded; without findings");
pub(super) const SOME_WITH: Code = dcm("111244", "Not all algorithms succeeded; with findings");
pub(super) const NONE_WITHOUT: Code = dcm("111245", "No algorithms succeeded; without findings");
pub(super) const IMPRESSION: Code = dcm("111034", "Individual Impression/Recommendation");
pub(super) const RENDERING_INTENT: Code = dcm("111056", "Rendering Intent");
pub(super) const REQUIRED: Code = dcm(
    "111150",
    "Presentation Required: Rendering device is expected to present",
);
pub(super) const OPTIONAL: Code = dcm(
    "111151",
    "Presentation Optional: Rendering device may present",
);
pub(super) const NOT_PRESENTED: Code = dcm(
    "111152",
    "Not for Presentation: Rendering device expected not to present",
);
pub(super) const SINGLE_IMAGE_FINDING: Code = dcm("111059", "Single Image Finding");
pub(super) const SELECTED_REGION: Code = dcm("111099", "Selected region");
pub(super) const REGION_DESCRIPTION: Code = dcm("111058", "Selected Region Description");
pub(super) const CERTAINTY: Code = dcm("111012", "Certainty of Finding");
pub(super) const CANCER_PROBABILITY: Code = dcm("111047", "Probability of cancer");
pub(super) const CENTER: Code = dcm("111010", "Center");
pub(super) const OUTLINE: Code = dcm("111041", "Outline");
pub(super) const DETECTIONS: Code = dcm("111064", "Summary of Detections");
pub(super) const ANALYSES: Code = dcm("111065", "Summary of Analyses");
pub(super) const SUCCEEDED: Code = dcm("111222", "Succeeded");
pub(super) const PARTIALLY: Code = dcm("111223", "Partially Succeeded");
pub(super) const FAILED: Code = dcm("111224", "Failed");
pub(super) const NOT_ATTEMPTED: Code = dcm("111225", "Not Attempted");
pub(super) const SUCCESSFUL_DETECTIONS: Code = dcm("111063", "Successful Detections");
pub(super) const FAILED_DETECTIONS: Code = dcm("111025", "Failed Detections");
pub(super) const DETECTION: Code = dcm("111022", "Detection Performed");

// Measurement report (TID 1500).
pub(super) const MEASUREMENT_REPORT: Code = dcm("126000", "Imaging Measurement Report");
pub(super) const OBSERVER_TYPE: Code = dcm("121005", "Observer Type");
pub(super) const DEVICE: Code = dcm("121007", "Device");
pub(super) const DEVICE_UID: Code = dcm("121012", "Device Observer UID");
pub(super) const DEVICE_NAME: Code = dcm("121013", "Device Observer Name");
pub(super) const DEVICE_MANUFACTURER: Code = dcm("121014", "Device Observer Manufacturer");
pub(super) const DEVICE_MODEL: Code = dcm("121015", "Device Observer Model Name");
pub(super) const LIBRARY_GROUP: Code = dcm("126200", "Image Library Group");
pub(super) const MODALITY: Code = dcm("121139", "Modality");
pub(super) const MEASUREMENTS: Code = dcm("126010", "Imaging Measurements");
pub(super) const GROUP: Code = dcm("125007", "Measurement Group");
pub(super) const TRACKING_TEXT: Code = dcm("112039", "Tracking Identifier");
pub(super) const TRACKING_UID: Code = dcm("112040", "Tracking Unique Identifier");
pub(super) const FINDING: Code = dcm("121071", "Finding");
pub(super) const LESION: Code = sct("52988006", "Lesion");
pub(super) const FINDING_SITE: Code = sct("363698007", "Finding Site");
pub(super) const IMAGE_REGION: Code = dcm("111030", "Image Region");
pub(super) const LONG_AXIS: Code = sct("103339001", "Long Axis");
pub(super) const EVALUATIONS: Code = code("C0034375", "UMLS", "Qualitative Evaluations");
pub(super) const COMMENT: Code = dcm("121106", "Comment");
pub(super) const SUSPICION: Code = code(
    "suspicion",
    "99LOBULE",
    "Suspicion of malignancy, 0 to 1, uncalibrated",
);

/// A mammographic view (CID 4014).
pub(super) fn view(view: View) -> Code {
    let (value, meaning) = code_of(view);
    sct(value, meaning)
}

/// The breast as a place of the body; none for an unknown side.
pub(super) fn breast(side: Side) -> Option<Code> {
    match side {
        Side::Known(Laterality::Left) => Some(LEFT_BREAST),
        Side::Known(Laterality::Right) => Some(RIGHT_BREAST),
        Side::Unknown => None,
    }
}

pub(super) const LESION_SCORE: Code =
    code("lesion-score", "99LOBULE", "Score of a lesion, 0 to 100");
pub(super) const BENIGN: Code = code(
    "benign",
    "99LOBULE",
    "Score of a benign finding, 0 to 1, uncalibrated",
);

/// Acquisition modalities (CID 29) that are read.
pub(super) const MODALITIES: &[Code] = &[
    dcm("MG", "Mammography"),
    dcm("US", "Ultrasound"),
    dcm("DX", "Digital Radiography"),
    dcm("CR", "Computed Radiography"),
    dcm("RG", "Radiographic imaging"),
    dcm("OT", "Other"),
];
