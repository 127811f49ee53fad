//! The header Accept, and Content-Type with its parameters (RFC 9110, chapters 8.3 and 12.5.1).
//!
//! Clients write the parameter `type` of `multipart/related` with and without quotes; both are read.

/// Longest header that is read.
const MAX_BYTES: usize = 4096;
/// Most ranges of a header.
const MAX_RANGES: usize = 64;

/// A media type or a range of them, in lower case.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MediaRange {
    /// `type/subtype`, either may be `*`.
    pub essence: String,
    /// `type` of a `multipart/related`, else empty.
    pub part: String,
    /// `transfer-syntax`; empty where it is not named.
    pub transfer_syntax: String,
    /// `boundary` as written; empty where it is not named.
    pub boundary: String,
    /// Preference in 0..=1; 0 is a refusal.
    pub quality: f32,
}

impl MediaRange {
    /// Whether a single part of this media type is wanted.
    pub fn takes(&self, media_type: &str) -> bool {
        self.quality > 0.0 && covers(&self.essence, media_type)
    }

    /// Whether parts of this media type are wanted, in a `multipart/related` or whatever the server
    /// likes.
    pub fn takes_parts(&self, media_type: &str) -> bool {
        let anything = self.essence == "*/*";
        let related = covers(&self.essence, "multipart/related");
        self.quality > 0.0
            && (anything || related && (self.part.is_empty() || covers(&self.part, media_type)))
    }

    /// Whether a transfer syntax is wanted: any where none is named.
    pub fn takes_syntax(&self, uid: &str) -> bool {
        matches!(self.transfer_syntax.as_str(), "" | "*") || self.transfer_syntax == uid
    }
}

fn covers(range: &str, media_type: &str) -> bool {
    let (kind, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    range == "*/*"
        || range == media_type
        || range
            .strip_suffix("/*")
            .is_some_and(|prefix| prefix == kind)
}

/// Reads a header Accept, best first; those of one preference stay in their order. An empty header,
/// or none, takes everything; what cannot be read is left out.
///
/// ```
/// use lobule_dicomio::web::parse_accept;
/// let ranges = parse_accept("image/png;q=0.5, multipart/related; type=application/dicom");
/// assert_eq!(ranges[0].part, "application/dicom");
/// assert!(ranges[1].takes("image/png"));
/// ```
pub fn parse_accept(header: &str) -> Vec<MediaRange> {
    let header = match header.trim() {
        "" => "*/*",
        text => text,
    };
    let Some(header) = header.get(..header.len().min(MAX_BYTES)) else {
        return Vec::new();
    };
    let ranges = split(header, ',').take(MAX_RANGES);
    let mut ranges: Vec<MediaRange> = ranges.filter_map(parse_media_type).collect();
    ranges.sort_by(|a, b| b.quality.total_cmp(&a.quality));
    ranges
}

/// Reads one media type with its parameters.
pub fn parse_media_type(text: &str) -> Option<MediaRange> {
    if text.len() > MAX_BYTES {
        return None;
    }
    let mut pieces = split(text, ';');
    let essence = pieces.next()?.trim().to_ascii_lowercase();
    if !is_essence(&essence) {
        return None;
    }
    let mut range = MediaRange {
        essence,
        quality: 1.0,
        ..MediaRange::default()
    };
    for piece in pieces {
        let Some((name, value)) = piece.split_once('=') else {
            continue;
        };
        let value = unquoted(value.trim());
        match name.trim().to_ascii_lowercase().as_str() {
            "type" => range.part = value.to_ascii_lowercase(),
            "transfer-syntax" => range.transfer_syntax = value,
            "boundary" => range.boundary = value,
            "q" => range.quality = quality(&value)?,
            _ => {}
        }
    }
    Some(range)
}

fn is_essence(text: &str) -> bool {
    let is_token = |part: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"*+-._!#$&^".contains(&b);
        !part.is_empty() && part.bytes().all(plain)
    };
    text.split_once('/')
        .is_some_and(|(kind, sub)| is_token(kind) && is_token(sub))
}

fn quality(text: &str) -> Option<f32> {
    let value: f32 = text.parse().ok()?;
    (0.0..=1.0).contains(&value).then_some(value)
}

/// Splits outside of quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
}

fn unquoted(value: &str) -> String {
    let inside = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    match inside {
        Some(inside) => inside.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_order_and_refuse() {
        let ranges = parse_accept("image/png;q=0.1, image/jpeg, image/gif;q=0, nonsense, a/b;q=7");
        let names: Vec<&str> = ranges.iter().map(|r| r.essence.as_str()).collect();
        assert_eq!(names, ["image/jpeg", "image/png", "image/gif"]);
        assert!(!ranges[2].takes("image/gif"));
        assert!(parse_accept("")[0].takes("image/gif"));
    }

    #[test]
    fn parts_are_named_with_and_without_quotes() {
        for text in [
            "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*",
            "Multipart/Related;type=application/octet-stream;transfer-syntax=*",
        ] {
            let range = parse_media_type(text).unwrap();
            assert!(range.takes_parts("application/octet-stream"), "{text}");
            assert!(!range.takes_parts("application/dicom"), "{text}");
            assert!(range.takes_syntax("1.2"), "{text}");
            assert!(!range.takes("application/octet-stream"), "{text}");
        }
        let range = parse_media_type("multipart/related; boundary=\"a;b,c\"").unwrap();
        assert_eq!(range.boundary, "a;b,c");
    }
}
