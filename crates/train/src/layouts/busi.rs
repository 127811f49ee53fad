//! BUSI as published.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Found, entries};
use crate::{Case, Error, Label};

/// All pictures of the three folders but the masks.
pub(super) fn read(set: &str, folder: &Path) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for label in [Label::Benign, Label::Malignant, Label::Normal] {
        for path in entries(&folder.join(label.name()))? {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let is_picture = path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("png"));
            if !is_picture || stem.contains("_mask") {
                continue;
            }
            let name = format!("{}/{stem}.png", label.name());
            let mask = Some(format!("{}/{stem}_mask.png", label.name()));
            let found = Found {
                group: name.clone(),
                name,
                // The masks of normal pictures are empty.
                mask: mask.filter(|_| label != Label::Normal),
                fold: None,
                label,
                extra: BTreeMap::new(),
            };
            cases.push(found.into_case(set, folder)?);
        }
    }
    Ok(cases)
}
