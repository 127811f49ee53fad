//! Table E.1-1 of PS3.15: the action of the Basic Profile on each attribute.

use std::collections::HashMap;
use std::sync::OnceLock;

use dicom_core::Tag;

/// Written by `make_table.py`.
const TABLE: &str = include_str!("table.tsv");

/// What becomes of an attribute. Where the table leaves a choice by what the object needs, what
/// keeps every object whole is taken: a dummy value before none, none before nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// X: it goes.
    Remove,
    /// Z, X/Z: its value goes.
    Empty,
    /// D, Z/D, X/D, X/Z/D: its value becomes one that says nothing.
    Dummy,
    /// U, X/Z/U*: unique identifiers in it become others, the same for the same.
    Remap,
}

impl Action {
    fn of(letters: &str) -> Option<Action> {
        match letters {
            "X" => Some(Action::Remove),
            "Z" | "X/Z" => Some(Action::Empty),
            "D" | "Z/D" | "X/D" | "X/Z/D" => Some(Action::Dummy),
            "U" | "X/Z/U*" => Some(Action::Remap),
            _ => None,
        }
    }
}

/// The action on an attribute; none where the table does not list it.
pub(super) fn action(tag: Tag) -> Option<Action> {
    static ACTIONS: OnceLock<HashMap<Tag, Action>> = OnceLock::new();
    let actions = ACTIONS.get_or_init(|| TABLE.lines().filter_map(row).collect());
    actions.get(&tag).copied()
}

fn row(line: &str) -> Option<(Tag, Action)> {
    let mut columns = line.split('\t');
    let (tag, letters) = (columns.next()?, columns.next()?);
    let (group, element) = tag.split_once(',')?;
    let number = |text| u16::from_str_radix(text, 16).ok();
    Some((Tag(number(group)?, number(element)?), Action::of(letters)?))
}

/// Whether anything of an attribute can be in a copy. Private ones, curves and overlays cannot.
pub(super) fn is_kept(tag: Tag) -> bool {
    let group = tag.group();
    let is_private = group % 2 == 1;
    let is_range = matches!(group, 0x5000..=0x50FF | 0x6000..=0x60FF);
    !is_private && !is_range && action(tag) != Some(Action::Remove)
}

#[cfg(test)]
mod tests {
    use dicom_dictionary_std::tags;

    use super::*;

    #[test]
    fn every_line_is_a_row() {
        let rows: Vec<_> = TABLE.lines().map(row).collect();
        assert!(rows.iter().all(Option::is_some));
        assert!(rows.len() > 580, "{}", rows.len());
    }

    /// Rows of the standard's table, by hand.
    #[test]
    fn known_attributes_have_the_action_of_the_standard() {
        for (tag, expected) in [
            (tags::PATIENT_NAME, Some(Action::Empty)),
            (tags::PATIENT_ID, Some(Action::Dummy)),
            (tags::PATIENT_BIRTH_DATE, Some(Action::Empty)),
            (tags::PATIENT_AGE, Some(Action::Remove)),
            (tags::STUDY_INSTANCE_UID, Some(Action::Remap)),
            (tags::SOP_INSTANCE_UID, Some(Action::Remap)),
            (tags::SOURCE_IMAGE_SEQUENCE, Some(Action::Remap)),
            (tags::STUDY_DESCRIPTION, Some(Action::Remove)),
            (tags::INSTITUTION_NAME, Some(Action::Dummy)),
            (tags::CONTENT_DATE, Some(Action::Dummy)),
            (tags::ROWS, None),
            (tags::SOP_CLASS_UID, None),
        ] {
            assert_eq!(action(tag), expected, "{tag}");
        }
        assert!(!is_kept(Tag(0x0009, 0x0010)) && !is_kept(Tag(0x6002, 0x3000)));
    }
}
