//! Attributes, one after the other.

use dicom_core::chrono::{Days, NaiveDate};
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, VirtualVr};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;
use dicom_object::InMemDicomObject;

use super::Dates;
use super::element;
use super::pseudonym::Pseudonyms;
use super::table::{Action, action, is_kept};
use crate::Error;
use crate::dataset::{Dataset, Element, malformed};
use crate::write::{put_items, put_str};

/// Deepest nesting that is copied.
const MAX_DEPTH: usize = 16;
/// Identifiers below this root name things of the standard: classes, transfer syntaxes.
const STANDARD_ROOT: &str = "1.2.840.10008.";
/// Group of what describes the patient.
const PATIENT_GROUP: u16 = 0x0010;

/// How attributes are cleaned.
pub(super) struct Cleaning<'a> {
    pub(super) pseudonyms: &'a Pseudonyms,
    pub(super) dates: Dates,
    /// Whether pixels have a sign: values of some attributes are written like them.
    pub(super) is_signed: bool,
}

/// The attributes of a data set that stay, cleaned.
pub(super) fn cleaned(data: &Dataset, cleaning: &Cleaning<'_>) -> Result<InMemDicomObject, Error> {
    cleaned_item(data, cleaning, 0)
}

fn cleaned_item(
    data: &Dataset,
    cleaning: &Cleaning<'_>,
    depth: usize,
) -> Result<InMemDicomObject, Error> {
    if depth > MAX_DEPTH {
        return Err(malformed(format!(
            "expected at most {MAX_DEPTH} nested sequences"
        )));
    }
    let mut object = InMemDicomObject::new_empty();
    for (&tag, value) in data.elements.iter().filter(|(tag, _)| is_kept(**tag)) {
        let Some(vr) = representation(tag, cleaning) else {
            continue;
        };
        match vr {
            VR::SQ => {
                let items = items(data, tag, cleaning, depth)?;
                put_items(&mut object, tag, items);
            }
            _ => put_cleaned(&mut object, tag, vr, value, cleaning),
        }
    }
    Ok(object)
}

/// By the dictionary: what it does not know is not copied.
fn representation(tag: Tag, cleaning: &Cleaning<'_>) -> Option<VR> {
    match StandardDataDictionary.by_tag(tag)?.vr() {
        VirtualVr::Exact(VR::UN) => None,
        VirtualVr::Exact(vr) => Some(vr),
        VirtualVr::Xs if cleaning.is_signed => Some(VR::SS),
        VirtualVr::Xs => Some(VR::US),
        _ => Some(VR::OW),
    }
}

/// Items of a sequence. One whose value goes has none; one with a dummy value has none either:
/// what the items say is not known.
fn items(
    data: &Dataset,
    tag: Tag,
    cleaning: &Cleaning<'_>,
    depth: usize,
) -> Result<Vec<InMemDicomObject>, Error> {
    match action(tag) {
        Some(Action::Empty | Action::Dummy | Action::Remove) => Ok(Vec::new()),
        Some(Action::Remap) | None => {
            let items = data.items(tag);
            let cleaned = items
                .iter()
                .map(|item| cleaned_item(item, cleaning, depth + 1));
            cleaned.collect()
        }
    }
}

fn put_cleaned(
    object: &mut InMemDicomObject,
    tag: Tag,
    vr: VR,
    value: &Element,
    cleaning: &Cleaning<'_>,
) {
    let shifts = cleaning.dates == Dates::Shift && tag.group() != PATIENT_GROUP;
    match (vr, action(tag)) {
        (VR::UI, Some(Action::Remap) | None) => {
            put_str(
                object,
                tag,
                vr,
                &remapped(&text_of(value), cleaning.pseudonyms),
            );
        }
        (VR::DA | VR::DT, _) if shifts => {
            put_str(
                object,
                tag,
                vr,
                &shifted(&text_of(value), cleaning.pseudonyms.days),
            );
        }
        (VR::TM, Some(_)) if shifts => put_bytes(object, tag, vr, value),
        // The basic profile has no dates: of those that may stand, none is needed with a value.
        (VR::DA | VR::DT | VR::TM, Some(_)) => put_str(object, tag, vr, ""),
        (VR::DA | VR::DT | VR::PN, None) => {}
        (_, Some(Action::Empty)) => put_str(object, tag, vr, ""),
        (_, Some(Action::Dummy | Action::Remap)) => put_str(object, tag, vr, dummy(vr)),
        (_, Some(Action::Remove)) => {}
        (_, None) => put_bytes(object, tag, vr, value),
    }
}

/// A value that says nothing; numbers in binary have none.
fn dummy(vr: VR) -> &'static str {
    match vr {
        VR::AE | VR::CS | VR::LO | VR::LT | VR::SH | VR::ST | VR::UC | VR::UT => "REMOVED",
        VR::PN => "REMOVED",
        VR::DS | VR::IS => "0",
        VR::AS => "000Y",
        _ => "",
    }
}

/// The bytes of a value, those of numbers in little endian.
fn put_bytes(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &Element) {
    if matches!(vr, VR::DS | VR::IS) {
        // What is no number may be anything.
        let text = text_of(value);
        let is_number =
            |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E' | '\\' | ' ');
        return match text.chars().all(is_number) {
            true => put_str(object, tag, vr, &text),
            false => put_str(object, tag, vr, ""),
        };
    }
    let mut bytes = value.value.clone();
    if value.encoding.big_endian {
        bytes.chunks_exact_mut(width(vr)).for_each(<[u8]>::reverse);
    }
    if bytes.len() % 2 == 1 {
        bytes.push(if vr == VR::OB { 0 } else { b' ' });
    }
    object.put(element(tag, vr, bytes));
}

/// Bytes of a number.
fn width(vr: VR) -> usize {
    match vr {
        VR::US | VR::SS | VR::OW | VR::AT => 2,
        VR::UL | VR::SL | VR::FL | VR::OL | VR::OF => 4,
        VR::FD | VR::OD | VR::SV | VR::UV | VR::OV => 8,
        _ => 1,
    }
}

fn text_of(value: &Element) -> String {
    let text: String = value.value.iter().map(|&b| char::from(b)).collect();
    text.trim_end_matches(['\0', ' ']).to_owned()
}

fn remapped(text: &str, pseudonyms: &Pseudonyms) -> String {
    let one = |uid: &str| match uid.trim() {
        "" => String::new(),
        standard if standard.starts_with(STANDARD_ROOT) => standard.to_owned(),
        other => pseudonyms.uid(other),
    };
    text.split('\\').map(one).collect::<Vec<_>>().join("\\")
}

/// Dates moved into the past; what cannot be read as one goes. A time of day after it stays.
fn shifted(text: &str, days: i64) -> String {
    let one = |value: &str| {
        let (date, time) = value.trim().split_at_checked(8)?;
        let date = NaiveDate::parse_from_str(date, "%Y%m%d").ok()?;
        let moved = date.checked_sub_days(Days::new(days.unsigned_abs()))?;
        Some(format!("{}{time}", moved.format("%Y%m%d")))
    };
    let moved = text.split('\\').map(|value| one(value).unwrap_or_default());
    moved.collect::<Vec<_>>().join("\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_move_by_whole_days() {
        for (text, expected) in [
            ("20240301", "20240229"),
            ("20240101\\20230101", "20231231\\20221231"),
            ("20240101123000.5+0100", "20231231123000.5+0100"),
            ("", ""),
            ("2024", ""),
            ("20241301", ""),
            ("ä0240101", ""),
        ] {
            assert_eq!(shifted(text, 1), expected, "{text}");
        }
    }
}
