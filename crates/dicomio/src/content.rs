//! Judges by the tags whether a file shows B-mode ultrasound of the breast.
//!
//! Owns: what is refused and what is warned of. Does not own: what pixels show (`raster`).
//! Enumerations are those of PS3.3 C.8.5.5 (ultrasound regions) and C.8.5.6 (US image).

use dicom_core::Tag;
use dicom_core::dictionary::UidDictionary;
use dicom_dictionary_std::{StandardSopClassDictionary, tags, uids};
use lobule_exam::{Laterality, PixelBox, Side, Spacing, Warning, WarningKind};

use crate::dataset::Dataset;
use crate::write::MANUFACTURER;
use crate::{ColorDoppler, Error, ErrorKind, Modality};

/// Retired, but still in archives.
pub(crate) const RETIRED_ULTRASOUND: [&str; 2] =
    ["1.2.840.10008.5.1.4.1.1.3", "1.2.840.10008.5.1.4.1.1.6"];
pub(crate) const SECONDARY_CAPTURE: [&str; 4] = [
    uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
    uids::MULTI_FRAME_GRAYSCALE_BYTE_SECONDARY_CAPTURE_IMAGE_STORAGE,
    uids::MULTI_FRAME_GRAYSCALE_WORD_SECONDARY_CAPTURE_IMAGE_STORAGE,
    uids::MULTI_FRAME_TRUE_COLOR_SECONDARY_CAPTURE_IMAGE_STORAGE,
];
const DESCRIPTIONS: [Tag; 4] = [
    tags::SERIES_DESCRIPTION,
    tags::STUDY_DESCRIPTION,
    tags::PROTOCOL_NAME,
    tags::CONTENT_QUALIFICATION,
];
/// The manufacturer that every object of `result` names.
const RESULT_MANUFACTURER: &str = "Lobule";
/// Words of a description that say elastography.
const ELASTOGRAPHY_WORDS: [&str; 3] = ["elasto", "shear wave", "shearwave"];
/// Words that say breast ultrasound on a screenshot.
const ULTRASOUND_WORDS: [&str; 4] = ["ultraso", "sonogra", "echogra", "breast us"];
/// Anatomic codes: SNOMED CT and the older SRT, breasts and axillae.
const LEFT_CODES: [&str; 4] = ["80248007", "T-04030", "7771000", "G-A101"];
const RIGHT_CODES: [&str; 4] = ["73056007", "T-04020", "24028007", "G-A100"];

/// Bits of the fourth value of Image Type (C.8.5.6.1.1), written in hexadecimal.
mod image_mode {
    pub(super) const TWO_D: u32 = 0x0001;
    pub(super) const M_MODE: u32 = 0x0002;
    pub(super) const CW_DOPPLER: u32 = 0x0004;
    pub(super) const PW_DOPPLER: u32 = 0x0008;
    pub(super) const COLOR_DOPPLER: u32 = 0x0010;
    pub(super) const COLOR_M_MODE: u32 = 0x0020;
    pub(super) const RENDERING_3D: u32 = 0x0040;
    pub(super) const COLOR_POWER: u32 = 0x0100;
    pub(super) const TISSUE_CHARACTERIZATION: u32 = 0x0200;
}

/// What the tags say about the content.
pub(crate) struct Content {
    pub(crate) modality: Modality,
    pub(crate) side: Side,
    pub(crate) regions: Vec<PixelBox>,
    pub(crate) spacing: Option<Spacing>,
    pub(crate) color_doppler: ColorDoppler,
    pub(crate) warnings: Vec<Warning>,
}

/// Refuses what is not B-mode ultrasound of the breast, as far as it is stated.
pub(crate) fn judge(dataset: &Dataset, rows: usize, cols: usize) -> Result<Content, Error> {
    let mut warnings = Vec::new();
    judge_body_part(dataset, &mut warnings)?;
    let modality = modality(dataset, &mut warnings)?;
    let found = Regions::read(dataset, rows, cols, &mut warnings);
    judge_mode(dataset, &found, &mut warnings)?;
    let side = side(dataset, &mut warnings);
    let spacing = found.spacing().or_else(|| pixel_spacing(dataset, modality));
    if spacing.is_none() {
        warn(
            &mut warnings,
            WarningKind::UnknownSpacing,
            "the size of a pixel is not stated",
        );
    }
    if is_synthetic(dataset) {
        warn(
            &mut warnings,
            WarningKind::Synthetic,
            "the image is synthetic: it shows no patient",
        );
    }
    let color_doppler = color_doppler(dataset, &found, &mut warnings);
    Ok(Content {
        modality,
        side,
        regions: found.boxes(),
        spacing,
        color_doppler,
        warnings,
    })
}

fn warn(warnings: &mut Vec<Warning>, kind: WarningKind, message: impl Into<String>) {
    warnings.push(Warning {
        kind,
        message: message.into(),
    });
}

/// Refuses what this project made of images: read again, it would count as an image of the patient.
pub(crate) fn refuse_own_result(dataset: &Dataset) -> Result<(), Error> {
    match dataset.text(tags::MANUFACTURER).as_deref() {
        Some(RESULT_MANUFACTURER) => Err(Error::new(
            ErrorKind::OwnResult,
            "expected an image of a patient, got a result that Lobule wrote",
        )),
        _ => Ok(()),
    }
}

/// Refuses other modalities by the SOP class; a file that names none is judged by its modality.
pub(crate) fn check_class(dataset: &Dataset) -> Result<(), Error> {
    let class = dataset.text(tags::SOP_CLASS_UID);
    let modality = dataset.text(tags::MODALITY).unwrap_or_default();
    let other = |what: &str| {
        let message = format!("expected breast ultrasound, got {what}");
        Err(Error::new(ErrorKind::OtherModality, message))
    };
    match class.as_deref() {
        Some(uids::MEDIA_STORAGE_DIRECTORY_STORAGE) => Err(Error::new(
            ErrorKind::NoPixels,
            "expected an image, got a directory of other files (DICOMDIR)",
        )),
        Some(uids::ENHANCED_US_VOLUME_STORAGE) => Err(not_b_mode("a 3-D ultrasound volume")),
        Some(uid) if is_ultrasound_class(uid) => Ok(()),
        Some(uid) if SECONDARY_CAPTURE.contains(&uid) => match modality.as_str() {
            "US" | "OT" | "" => Ok(()),
            name => other(&format!(
                "a secondary capture of modality {}",
                printable(name)
            )),
        },
        None if matches!(modality.as_str(), "US" | "") => Ok(()),
        Some(uid) => other(&described_class(uid, &modality)),
        None => other(&format!("modality {}", printable(&modality))),
    }
}

pub(crate) fn described_class(uid: &str, modality: &str) -> String {
    match StandardSopClassDictionary.by_uid(uid) {
        Some(entry) => format!("{} (modality {})", entry.name, printable(modality)),
        None => format!(
            "SOP class {} (modality {})",
            printable(uid),
            printable(modality)
        ),
    }
}

fn is_ultrasound_class(uid: &str) -> bool {
    uid == uids::ULTRASOUND_IMAGE_STORAGE
        || uid == uids::ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE
        || RETIRED_ULTRASOUND.contains(&uid)
}

/// A short coded value of a file, safe to show.
pub(crate) fn printable(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || " ._-/".contains(c);
    let shown: String = text.chars().filter(|&c| safe(c)).take(40).collect();
    match shown.is_empty() {
        true => "unknown".to_owned(),
        false => shown,
    }
}

fn modality(dataset: &Dataset, warnings: &mut Vec<Warning>) -> Result<Modality, Error> {
    let class = dataset.text(tags::SOP_CLASS_UID).unwrap_or_default();
    if is_ultrasound_class(&class) || dataset.text(tags::MODALITY).as_deref() == Some("US") {
        return Ok(Modality::Ultrasound);
    }
    let has_regions = dataset.raw(tags::SEQUENCE_OF_ULTRASOUND_REGIONS).is_some();
    let breast = body_part_words(dataset).iter().any(|w| names_breast(w));
    if !has_regions && !breast && !describes(dataset, &ULTRASOUND_WORDS) {
        return Err(Error::new(
            ErrorKind::OtherModality,
            "expected breast ultrasound, got a capture that does not say what it shows",
        ));
    }
    let message = "a screen capture whose modality is not ultrasound";
    warn(warnings, WarningKind::DoubtfulContent, message);
    Ok(Modality::Other)
}

fn describes(dataset: &Dataset, words: &[&str]) -> bool {
    DESCRIPTIONS.iter().any(|&tag| {
        let text = dataset.texts(tag).join(" ").to_lowercase();
        words.iter().any(|word| text.contains(word))
    })
}

/// What Body Part Examined and the anatomic region say, lower case.
pub(crate) fn body_part_words(dataset: &Dataset) -> Vec<String> {
    let mut words: Vec<String> = dataset.text(tags::BODY_PART_EXAMINED).into_iter().collect();
    for item in dataset.items(tags::ANATOMIC_REGION_SEQUENCE) {
        words.extend(
            item.text(tags::CODE_MEANING)
                .or(item.text(tags::CODE_VALUE)),
        );
    }
    words.iter().map(|w| w.to_lowercase()).collect()
}

pub(crate) fn names_breast(words: &str) -> bool {
    let parts = ["breast", "axilla", "mamma", "nipple"];
    parts.iter().any(|part| words.contains(part))
}

fn judge_body_part(dataset: &Dataset, warnings: &mut Vec<Warning>) -> Result<(), Error> {
    let stated = body_part_words(dataset);
    if stated.iter().any(|words| names_breast(words)) {
        return Ok(());
    }
    if let Some(other) = stated.first() {
        let message = format!(
            "expected the breast or axilla, got body part {}",
            printable(other)
        );
        return Err(Error::new(ErrorKind::OtherBodyPart, message));
    }
    match dataset.texts(tags::IMAGE_TYPE).get(2) {
        Some(kind) if kind.eq_ignore_ascii_case("breast") => {}
        Some(kind) if !kind.is_empty() => {
            let kind = printable(kind);
            let message = format!("the body part is not stated; the exam type is {kind}");
            warn(warnings, WarningKind::DoubtfulContent, message);
        }
        _ => {
            let message = "the body part is not stated";
            warn(warnings, WarningKind::DoubtfulContent, message);
        }
    }
    Ok(())
}

fn not_b_mode(what: &str) -> Error {
    Error::new(
        ErrorKind::NotBMode,
        format!("expected a B-mode picture, got {what}"),
    )
}

fn image_modes(dataset: &Dataset) -> u32 {
    let values = dataset.texts(tags::IMAGE_TYPE);
    let fourth = values.get(3).map(String::as_str).unwrap_or_default();
    u32::from_str_radix(fourth, 16).unwrap_or(0)
}

fn judge_mode(
    dataset: &Dataset,
    regions: &Regions,
    warnings: &mut Vec<Warning>,
) -> Result<(), Error> {
    use image_mode::*;
    let modes = image_modes(dataset);
    if modes & RENDERING_3D != 0 {
        return Err(not_b_mode("a 3-D reconstruction"));
    }
    if modes & TISSUE_CHARACTERIZATION != 0 || describes(dataset, &ELASTOGRAPHY_WORDS) {
        return Err(not_b_mode("elastography"));
    }
    let traces = M_MODE | CW_DOPPLER | PW_DOPPLER | COLOR_M_MODE;
    let only_traces = modes & traces != 0 && modes & (TWO_D | COLOR_DOPPLER | COLOR_POWER) == 0;
    let has_picture = !regions.pictures.is_empty();
    if (regions.traces > 0 || only_traces) && !has_picture {
        return Err(not_b_mode("spectral Doppler or M-mode"));
    }
    if regions.traces > 0 || modes & traces != 0 {
        let message = "the picture also shows a spectral Doppler or M-mode trace";
        warn(warnings, WarningKind::DoubtfulContent, message);
    }
    Ok(())
}

fn color_doppler(
    dataset: &Dataset,
    regions: &Regions,
    warnings: &mut Vec<Warning>,
) -> ColorDoppler {
    let modes = image_mode::COLOR_DOPPLER | image_mode::COLOR_POWER | image_mode::COLOR_M_MODE;
    let flow = regions
        .pictures
        .iter()
        .any(|r| r.data_type == Region::COLOR_FLOW);
    let message = if flow || image_modes(dataset) & modes != 0 {
        "color Doppler is mixed into the picture"
    } else if dataset.word(tags::ULTRASOUND_COLOR_DATA_PRESENT) == Some(1) {
        "the file says that its pixels hold color, which may be Doppler"
    } else {
        return ColorDoppler::NotStated;
    };
    warn(warnings, WarningKind::ColorDoppler, message);
    ColorDoppler::Stated
}

/// The two-dimensional regions, and how many others hold traces over time.
struct Regions {
    pictures: Vec<Region>,
    traces: usize,
}

struct Region {
    data_type: u16,
    bounds: PixelBox,
    spacing: Option<Spacing>,
}

impl Region {
    const TISSUE: u16 = 1;
    const COLOR_FLOW: u16 = 2;
    const FORMAT_2D: u16 = 1;
    const FORMAT_M_MODE: u16 = 2;
    const FORMAT_SPECTRAL: u16 = 3;
    const CENTIMETRES: u16 = 3;

    fn of_item(item: &Dataset, rows: usize, cols: usize) -> Option<Region> {
        let coordinate = |tag| item.long(tag).map(|v| v as usize);
        let (row, col) = (
            coordinate(tags::REGION_LOCATION_MIN_Y0)?,
            coordinate(tags::REGION_LOCATION_MIN_X0)?,
        );
        // The end is inclusive; files are found that give one past it.
        let row_end = coordinate(tags::REGION_LOCATION_MAX_Y1)?
            .saturating_add(1)
            .min(rows);
        let col_end = coordinate(tags::REGION_LOCATION_MAX_X1)?
            .saturating_add(1)
            .min(cols);
        if row >= row_end || col >= col_end {
            return None;
        }
        Some(Region {
            data_type: item.word(tags::REGION_DATA_TYPE)?,
            bounds: PixelBox {
                row,
                col,
                rows: row_end - row,
                cols: col_end - col,
            },
            spacing: Region::spacing_of(item),
        })
    }

    fn spacing_of(item: &Dataset) -> Option<Spacing> {
        let millimetres = |unit, delta| {
            let is_length = item.word(unit) == Some(Region::CENTIMETRES);
            item.double(delta)
                .filter(|_| is_length)
                .map(|cm| cm.abs() * 10.0)
        };
        let row_mm = millimetres(tags::PHYSICAL_UNITS_Y_DIRECTION, tags::PHYSICAL_DELTA_Y)?;
        let col_mm = millimetres(tags::PHYSICAL_UNITS_X_DIRECTION, tags::PHYSICAL_DELTA_X)?;
        Spacing::new(row_mm, col_mm).ok()
    }
}

impl Regions {
    fn read(dataset: &Dataset, rows: usize, cols: usize, warnings: &mut Vec<Warning>) -> Regions {
        let mut regions = Regions {
            pictures: Vec::new(),
            traces: 0,
        };
        for item in dataset.items(tags::SEQUENCE_OF_ULTRASOUND_REGIONS) {
            let data_type = item.word(tags::REGION_DATA_TYPE);
            match (item.word(tags::REGION_SPATIAL_FORMAT), data_type) {
                (Some(Region::FORMAT_2D), Some(Region::TISSUE | Region::COLOR_FLOW)) => {
                    let region = Region::of_item(&item, rows, cols);
                    if region.is_none() {
                        let message = "an ultrasound region outside the image was left out";
                        warn(warnings, WarningKind::Repaired, message);
                    }
                    regions.pictures.extend(region);
                }
                (Some(Region::FORMAT_M_MODE | Region::FORMAT_SPECTRAL), _) | (_, Some(3 | 4)) => {
                    regions.traces += 1;
                }
                _ => {}
            }
        }
        regions
    }

    /// Tissue regions; flow alone only where no tissue is stated.
    fn boxes(&self) -> Vec<PixelBox> {
        let of_type = |data_type| {
            let regions = self
                .pictures
                .iter()
                .filter(move |r| r.data_type == data_type);
            regions.map(|r| r.bounds).collect::<Vec<_>>()
        };
        let tissue = of_type(Region::TISSUE);
        match tissue.is_empty() {
            true => of_type(Region::COLOR_FLOW),
            false => tissue,
        }
    }

    /// That of the largest region that states one.
    fn spacing(&self) -> Option<Spacing> {
        let stated = self.pictures.iter().filter(|r| r.spacing.is_some());
        stated
            .max_by_key(|r| r.bounds.area())
            .and_then(|r| r.spacing)
    }
}

/// Pixel Spacing is written row first. On a capture it is the screen's, not the body's.
fn pixel_spacing(dataset: &Dataset, modality: Modality) -> Option<Spacing> {
    let values = dataset.decimals(tags::PIXEL_SPACING);
    match (modality, &values[..]) {
        (Modality::Ultrasound, &[row_mm, col_mm]) => Spacing::new(row_mm, col_mm).ok(),
        _ => None,
    }
}

pub(crate) fn side(dataset: &Dataset, warnings: &mut Vec<Warning>) -> Side {
    let mut stated: Vec<Laterality> = [tags::IMAGE_LATERALITY, tags::LATERALITY]
        .iter()
        .filter_map(|&tag| laterality(&dataset.text(tag)?))
        .collect();
    for item in dataset.items(tags::ANATOMIC_REGION_SEQUENCE) {
        stated.extend(coded_laterality(&item));
        let modifiers = item.items(tags::ANATOMIC_REGION_MODIFIER_SEQUENCE);
        stated.extend(modifiers.iter().filter_map(coded_laterality));
    }
    match stated.first() {
        Some(&first) if stated.iter().all(|&l| l == first) => Side::Known(first),
        Some(_) => {
            let message = "the stated sides contradict each other";
            warn(warnings, WarningKind::UnknownSide, message);
            Side::Unknown
        }
        None => {
            let codes = [tags::IMAGE_LATERALITY, tags::LATERALITY];
            let code = codes.iter().find_map(|&tag| code_string(dataset, tag));
            let message = match code {
                Some(code) => {
                    format!("the side of the breast is not known: the laterality is `{code}`")
                }
                None => "the side of the breast is not stated".to_owned(),
            };
            warn(warnings, WarningKind::UnknownSide, &message);
            Side::Unknown
        }
    }
}

/// A value that has the form of a code (PS3.5 6.2, CS): fit for a message, while anything else may name a
/// patient.
pub(crate) fn code_string(dataset: &Dataset, tag: Tag) -> Option<String> {
    let is_code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || " _".contains(c);
    let text = dataset.text(tag)?;
    (!text.is_empty() && text.len() <= 16 && text.chars().all(is_code)).then_some(text)
}

fn laterality(code: &str) -> Option<Laterality> {
    match code {
        "L" => Some(Laterality::Left),
        "R" => Some(Laterality::Right),
        _ => None,
    }
}

fn coded_laterality(item: &Dataset) -> Option<Laterality> {
    let code = item.text(tags::CODE_VALUE)?;
    if LEFT_CODES.contains(&code.as_str()) {
        return Some(Laterality::Left);
    }
    RIGHT_CODES
        .contains(&code.as_str())
        .then_some(Laterality::Right)
}

pub(crate) fn is_synthetic(dataset: &Dataset) -> bool {
    dataset.text(tags::MANUFACTURER).as_deref() == Some(MANUFACTURER)
}
