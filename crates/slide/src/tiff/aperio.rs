//! What Aperio's image descriptions say: `… |AppMag = 20|MPP = 0.4990|…`.

use super::page::Page;
use crate::Mpp;

/// Microns per pixel (or why not) and the objective's magnification.
pub(super) fn scale(description: &str) -> (Option<Result<Mpp, String>>, Option<f64>) {
    let mpp = match value(description, "MPP") {
        None => Err("the description states no MPP".to_owned()),
        Some(text) => match text.parse() {
            Ok(microns) => Mpp::new(microns).map_err(|e| e.reason().to_owned()),
            Err(_) => Err(format!("expected a number as MPP, got `{}`", shown(text))),
        },
    };
    let magnification = value(description, "AppMag").and_then(|text| text.parse().ok());
    (Some(mpp), magnification)
}

/// The value of a key; the first one counts.
fn value<'a>(description: &'a str, key: &str) -> Option<&'a str> {
    let pairs = description
        .split('|')
        .filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim() == key);
    values.next().map(|(_, value)| value.trim())
}

fn shown(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_graphic)
        .take(20)
        .collect()
}

/// What an image that is no level is called: the second image is the thumbnail, others are named by
/// the second line of their description or by their kind.
pub(super) fn name(index: usize, page: &Page) -> String {
    let named = page.description.lines().nth(1).and_then(|line| {
        let word = line.split_whitespace().next()?;
        ["label", "macro"].into_iter().find(|name| *name == word)
    });
    let by_kind = match page.subfile_type {
        1 => "label",
        9 => "macro",
        _ if index == 1 => "thumbnail",
        _ => "image",
    };
    named.unwrap_or(by_kind).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_read_or_its_absence_explained() {
        let (mpp, magnification) = scale("Aperio v1\r\n1x1 J2K|AppMag = 20|MPP = 0.4990|Left = 1");
        assert_eq!(mpp.unwrap().unwrap().microns(), 0.499);
        assert_eq!(magnification, Some(20.0));
        for (text, word) in [
            ("Aperio", "no MPP"),
            ("Aperio|MPP = 0", "got 0"),
            ("Aperio|MPP = -1", "got -1"),
            ("Aperio|MPP = NaN", "NaN"),
            ("Aperio|MPP = many", "`many`"),
        ] {
            let reason = scale(text).0.unwrap().unwrap_err();
            assert!(reason.contains(word), "{reason}");
        }
    }
}
