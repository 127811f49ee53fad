//! The projection and its modifiers.
//!
//! The rule: the coded view (View Code Sequence, PS3.16 CID 4014, and its modifiers, CID 4015)
//! decides; View Position is asked next, and a contradiction is warned of; last come values found
//! at the wrong place (Patient Orientation, the series' or the protocol's name), with a warning.

use dicom_dictionary_std::tags;
use lobule_exam::{View, ViewModifier, Warning, WarningKind};

use crate::content::code_string;
use crate::dataset::Dataset;

/// A view in PS3.16 CID 4014: what it is, its SNOMED CT code, the older SRT code, the meaning.
struct ViewCode(View, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const VIEW_CODES: [ViewCode; 11] = [
    ViewCode(View::Cc, "399162004", "R-10242", "cranio-caudal"),
    ViewCode(View::Mlo, "399368009", "R-10226", "medio-lateral oblique"),
    ViewCode(View::Ml, "399260004", "R-10224", "medio-lateral"),
    ViewCode(View::Lm, "399352003", "R-10228", "latero-medial"),
    ViewCode(View::Lmo, "399099002", "R-10230", "latero-medial oblique"),
    ViewCode(View::Xccl, "399192008", "R-1024A", "cranio-caudal exaggerated laterally"),
    ViewCode(View::Xccm, "399101009", "R-1024B", "cranio-caudal exaggerated medially"),
    ViewCode(View::Fb, "399196006", "R-10244", "caudo-cranial (from below)"),
    ViewCode(View::Sio, "399188001", "R-102D0", "superolateral to inferomedial oblique"),
    ViewCode(View::Iso, "441555000", "R-40AAA", "inferomedial to superolateral oblique"),
    ViewCode(View::Specimen, "127457009", "G-8310", "tissue specimen from breast"),
];

/// SNOMED CT code and meaning of a view.
pub(crate) fn code_of(view: View) -> (&'static str, &'static str) {
    let row = VIEW_CODES.iter().find(|row| row.0 == view);
    let ViewCode(_, sct, _, meaning) = row.expect("every view has a row");
    (sct, meaning)
}

/// SNOMED CT code, the older SRT code, meaning.
const MODIFIER_CODES: [(&str, &str, ViewModifier); 14] = [
    ("399161006", "R-102D2", ViewModifier::Cleavage),
    ("399011000", "R-102D1", ViewModifier::AxillaryTail),
    ("442580003", "R-40AB2", ViewModifier::AxillaryTissue),
    ("399197002", "R-102D3", ViewModifier::RolledLateral),
    ("399226006", "R-102D4", ViewModifier::RolledMedial),
    ("414493004", "R-102CA", ViewModifier::RolledInferior),
    ("415670009", "R-102C9", ViewModifier::RolledSuperior),
    ("399209000", "R-102D5", ViewModifier::ImplantDisplaced),
    ("399163009", "R-102D6", ViewModifier::Magnification),
    ("399055006", "R-102D7", ViewModifier::SpotCompression),
    ("399110001", "R-102C2", ViewModifier::Tangential),
    ("441752004", "P2-00161", ViewModifier::AnteriorCompression),
    ("442593008", "R-40ABE", ViewModifier::InframammaryFold),
    ("442581004", "R-40AB3", ViewModifier::NippleInProfile),
];

/// What View Position and names of series write for modifiers.
const MODIFIER_WORDS: [(&str, ViewModifier); 9] = [
    ("ID", ViewModifier::ImplantDisplaced),
    ("M", ViewModifier::Magnification),
    ("MAG", ViewModifier::Magnification),
    ("S", ViewModifier::SpotCompression),
    ("SPOT", ViewModifier::SpotCompression),
    ("CV", ViewModifier::Cleavage),
    ("AT", ViewModifier::AxillaryTail),
    ("TAN", ViewModifier::Tangential),
    ("NP", ViewModifier::NippleInProfile),
];

/// The projection, as far as the file states it.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) view: Option<View>,
    pub(super) modifiers: Vec<ViewModifier>,
}

pub(crate) fn read(data: &Dataset, warnings: &mut Vec<Warning>) -> Found {
    let coded = coded(data);
    let positioned = words(&data.text(tags::VIEW_POSITION).unwrap_or_default());
    if let (Some(a), Some(b)) = (coded.view, positioned.view)
        && a != b
    {
        warn(
            warnings,
            &format!("the coded view is {a}, the view position {b}: {a} was taken"),
        );
    }
    let mut found = Found {
        view: coded.view.or(positioned.view),
        modifiers: [coded.modifiers, positioned.modifiers].concat(),
    };
    if found.view.is_none() {
        found.view = misplaced(data, warnings);
    }
    if found.view.is_none() {
        warn(warnings, &nowhere(data));
    }
    found.modifiers.sort_unstable();
    found.modifiers.dedup();
    found
}

/// That no view was found; with what stands in its place, if that is a code at all.
fn nowhere(data: &Dataset) -> String {
    match code_string(data, tags::VIEW_POSITION) {
        Some(code) => format!("the view is not known: the view position is `{code}`"),
        None => "the view is not stated".to_owned(),
    }
}

fn warn(warnings: &mut Vec<Warning>, message: &str) {
    warnings.push(Warning {
        kind: WarningKind::Repaired,
        message: message.to_owned(),
    });
}

fn view_of(code: &str) -> Option<View> {
    let mut rows = VIEW_CODES.iter();
    let row = rows.find(|ViewCode(_, sct, srt, _)| code == *sct || code == *srt);
    row.map(|row| row.0)
}

fn modifier_of(code: &str) -> Option<ViewModifier> {
    let mut rows = MODIFIER_CODES.iter();
    let row = rows.find(|(sct, srt, _)| code == *sct || code == *srt);
    row.map(|row| row.2)
}

fn coded(data: &Dataset) -> Found {
    let items = data.items(tags::VIEW_CODE_SEQUENCE);
    let Some(item) = items.first() else {
        return Found::default();
    };
    let code = |item: &Dataset| item.text(tags::CODE_VALUE).unwrap_or_default();
    let modifiers = item.items(tags::VIEW_MODIFIER_CODE_SEQUENCE);
    Found {
        view: view_of(&code(item)),
        modifiers: modifiers
            .iter()
            .filter_map(|item| modifier_of(&code(item)))
            .collect(),
    }
}

/// A view and modifiers in a text such as `MLO`, `R CC`, `LMLOID` or `XCCL M`.
fn words(text: &str) -> Found {
    let mut found = Found::default();
    let upper = text.to_ascii_uppercase();
    for word in upper.split(|c: char| !c.is_ascii_alphanumeric()) {
        let without_side = word.strip_prefix(['L', 'R']).unwrap_or_default();
        let mut with_modifier = MODIFIER_WORDS.iter().filter_map(|&(ending, modifier)| {
            let view = word.strip_suffix(ending)?.parse::<View>().ok()?;
            Some((view, modifier))
        });
        if let Ok(view) = word.parse().or_else(|_| without_side.parse::<View>()) {
            found.view = found.view.or(Some(view));
        } else if let Some((view, modifier)) = with_modifier.next_back() {
            found.view = found.view.or(Some(view));
            found.modifiers.push(modifier);
        } else if let Some(&(_, m)) = MODIFIER_WORDS.iter().find(|(known, _)| *known == word) {
            found.modifiers.push(m);
        }
    }
    found
}

/// Views found at places that are not theirs.
fn misplaced(data: &Dataset, warnings: &mut Vec<Warning>) -> Option<View> {
    let places = [
        (tags::PATIENT_ORIENTATION, "the patient's orientation"),
        (tags::SERIES_DESCRIPTION, "the series' description"),
        (tags::PROTOCOL_NAME, "the protocol's name"),
    ];
    places.iter().find_map(|&(tag, name)| {
        let view = words(&data.texts(tag).join(" ")).view?;
        warn(warnings, &format!("the view {view} was taken from {name}"));
        Some(view)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_each_view_reads_back_as_that_view() {
        let names = "CC MLO ML LM LMO XCCL XCCM FB SIO ISO SPECIMEN";
        for view in names.split(' ').map(|name| name.parse().unwrap()) {
            assert_eq!(view_of(code_of(view).0), Some(view));
        }
        assert_eq!(code_of(View::Xccl).0, "399192008");
    }

    #[test]
    fn views_are_read_from_what_scanners_write() {
        use ViewModifier::*;
        let cases: [(&str, Option<View>, &[ViewModifier]); 9] = [
            ("MLO", Some(View::Mlo), &[]),
            ("R CC", Some(View::Cc), &[]),
            ("L-MLO", Some(View::Mlo), &[]),
            ("LMLO", Some(View::Mlo), &[]),
            ("CCID", Some(View::Cc), &[ImplantDisplaced]),
            ("ML MAG", Some(View::Ml), &[Magnification]),
            ("XCCL", Some(View::Xccl), &[]),
            ("LM", Some(View::Lm), &[]),
            ("screening", None, &[]),
        ];
        for (text, view, modifiers) in cases {
            let found = words(text);
            assert_eq!(
                (found.view, &found.modifiers[..]),
                (view, modifiers),
                "{text}"
            );
        }
    }
}
