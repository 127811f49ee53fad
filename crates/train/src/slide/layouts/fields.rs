//! Sets whose folders and names say everything.

use std::path::Path;

use super::{bare, beside, file_name, files_below, is_picture, is_slide};
use crate::layouts::relative;
use crate::slide::SlideSetConfig;
use crate::slide::case::{Content, MaskCodes, Regions, SlideCase};
use crate::{Error, ErrorKind};

fn unnamed(file: &Path, expected: &str) -> Error {
    let message = format!("expected a name like `{expected}`, got another");
    Error::new(ErrorKind::Data, message).in_file(file)
}

/// Names such as `TCGA-A1-A0SK-DX1_xmin45749_ymin25055_MPP-0.2500.png`.
pub(super) fn bcss(set: &SlideSetConfig, folder: &Path) -> Result<Vec<SlideCase>, Error> {
    let places = ["rgbs_colorNormalized", "images"].map(|name| folder.join(name));
    let Some(images) = places.into_iter().find(|place| place.is_dir()) else {
        let message = "expected the folder rgbs_colorNormalized or images, got none";
        return Err(Error::new(ErrorKind::Data, message).in_file(folder));
    };
    let mut cases = Vec::new();
    for file in files_below(&images, &is_picture)? {
        let name = file_name(&file);
        let mpp = name.split("MPP-").nth(1).and_then(|rest| {
            let digits = rest.trim_end_matches(|c: char| !c.is_ascii_digit());
            let end = digits.rfind(|c: char| !c.is_ascii_digit() && c != '.');
            end.map_or(digits, |end| &digits[..end]).parse::<f64>().ok()
        });
        let patient = name
            .get(..12)
            .filter(|barcode| barcode.starts_with("TCGA-"));
        let patient = patient
            .ok_or_else(|| unnamed(&file, "TCGA-A1-A0SK-DX1_xmin45749_ymin25055_MPP-0.2500.png"))?;
        let mut case = bare(set, folder, file.clone());
        case.group = patient.to_owned();
        case.mpp = mpp.filter(|mpp| *mpp > 0.0);
        case.regions = Regions::Mask(folder.join("masks").join(&name), MaskCodes::Bcss);
        cases.push(case);
    }
    Ok(cases)
}

/// Names such as `BRACS_1283_IC_4.png` in `test/6_IC/`.
pub(super) fn bracs(set: &SlideSetConfig, folder: &Path) -> Result<Vec<SlideCase>, Error> {
    let mut cases = Vec::new();
    for file in files_below(folder, &|name| {
        name.starts_with("BRACS_") && is_picture(name)
    })? {
        let name = file_name(&file);
        let mut parts = name.split('_').skip(1);
        let (Some(slide), Some(class)) = (parts.next(), parts.next()) else {
            return Err(unnamed(&file, "BRACS_1283_IC_4.png"));
        };
        let content = match class {
            "IC" => Content::Tumor,
            "N" | "PB" | "UDH" | "FEA" | "ADH" | "DCIS" => Content::Other,
            _ => return Err(unnamed(&file, "BRACS_1283_IC_4.png")),
        };
        let mut case = bare(set, folder, file.clone());
        case.group = format!("BRACS_{slide}");
        case.mpp = Some(0.25);
        case.regions = Regions::Whole(content);
        let below = relative(folder, &file);
        let split = below
            .split('/')
            .find(|part| ["train", "val", "test"].contains(part));
        let split = split.map(|split| ("published_split".to_owned(), split.to_owned()));
        case.extra.extend(split);
        case.extra.insert("class".into(), class.to_owned());
        cases.push(case);
    }
    Ok(cases)
}

/// Photos in folders by class.
pub(super) fn bach(set: &SlideSetConfig, folder: &Path) -> Result<Vec<SlideCase>, Error> {
    let mut cases = Vec::new();
    for file in files_below(folder, &is_picture)? {
        let below = relative(folder, &file);
        let class = below.rsplit('/').nth(1).unwrap_or_default();
        let content = match class {
            "Invasive" => Content::Tumor,
            "Benign" | "InSitu" | "Normal" => Content::Other,
            _ => continue,
        };
        let mut case = bare(set, folder, file.clone());
        case.mpp = Some(0.42);
        case.regions = Regions::Whole(content);
        case.extra.insert("class".into(), class.to_owned());
        cases.push(case);
    }
    Ok(cases)
}

/// Microns per pixel by the magnification in the name, after the authors' table.
const BREAKHIS_MPP: [(&str, f64); 4] = [("40", 0.49), ("100", 0.20), ("200", 0.10), ("400", 0.05)];

/// Names such as `SOB_M_DC-14-2523-100-001.png`: class, type, year, slide, magnification, number.
pub(super) fn breakhis(set: &SlideSetConfig, folder: &Path) -> Result<Vec<SlideCase>, Error> {
    let mut cases = Vec::new();
    for file in files_below(folder, &|name| name.starts_with("SOB_") && is_picture(name))? {
        let wrong = || unnamed(&file, "SOB_M_DC-14-2523-100-001.png");
        let name = file_name(&file);
        let parts: Vec<&str> = name.split('-').collect();
        let [kind, year, slide, magnification, _] = parts[..] else {
            return Err(wrong());
        };
        let content = match kind.split('_').nth(1) {
            Some("M") => Content::Tumor,
            Some("B") => Content::Other,
            _ => return Err(wrong()),
        };
        let scale = BREAKHIS_MPP.iter().find(|(name, _)| *name == magnification);
        let mut case = bare(set, folder, file.clone());
        case.mpp = Some(scale.ok_or_else(wrong)?.1);
        case.group = format!("{year}-{slide}");
        case.regions = Regions::Whole(content);
        let magnification = format!("{magnification}×");
        case.extra.insert("magnification".into(), magnification);
        cases.push(case);
    }
    Ok(cases)
}

/// Fields below folders by grade.
pub(super) fn graded(set: &SlideSetConfig, folder: &Path) -> Result<Vec<SlideCase>, Error> {
    let grade = |part: &str| -> Option<u8> {
        let part = part.to_ascii_lowercase();
        let number = part.strip_prefix("grade")?.trim_matches([' ', '_', '-']);
        number.parse().ok().filter(|grade| (1..=3).contains(grade))
    };
    let mut cases = Vec::new();
    for file in files_below(folder, &is_picture)? {
        let mut case = bare(set, folder, file);
        case.grade = case.name.split('/').rev().skip(1).find_map(grade);
        case.regions = Regions::Whole(Content::Tumor);
        cases.extend(case.grade.is_some().then_some(case));
    }
    Ok(cases)
}

/// Slides with annotations beside them.
pub(super) fn qupath(set: &SlideSetConfig, folder: &Path) -> Result<Vec<SlideCase>, Error> {
    let mut cases = Vec::new();
    for file in files_below(folder, &is_slide)? {
        let mut case = bare(set, folder, file);
        case.regions = beside(&case.file);
        cases.extend((case.regions != Regions::Unknown).then_some(case));
    }
    Ok(cases)
}
