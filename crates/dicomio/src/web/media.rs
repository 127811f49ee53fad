//! Which form of an instance or a frame an answer has (PS3.18 chapter 8.7).

use dicom_dictionary_std::uids;

use super::accept::MediaRange;

/// DICOM files.
pub const DICOM: &str = "application/dicom";
/// Data sets in the DICOM JSON model.
pub const DICOM_JSON: &str = "application/dicom+json";
/// Bytes.
pub const OCTETS: &str = "application/octet-stream";

/// How many parts an answer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packaging {
    /// `multipart/related`.
    Parts,
    /// The thing itself, if it is one.
    Single,
}

/// Whether pixels are sent as they are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// As they are kept, compressed or not.
    Stored,
    /// Not compressed, little endian.
    Decoded,
}

/// The form of frames in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameForm {
    /// Parts or one.
    pub packaging: Packaging,
    /// Compressed or not.
    pub pixels: Pixels,
    /// Media type of a frame, without parameters.
    pub media_type: &'static str,
    /// Transfer syntax of a frame.
    pub transfer_syntax: String,
}

impl FrameForm {
    /// Content-Type of a frame.
    pub fn content_type(&self) -> String {
        format!(
            "{}; transfer-syntax={}",
            self.media_type, self.transfer_syntax
        )
    }
}

/// The media type of frames of a transfer syntax.
pub fn media_type_of(syntax: &str) -> &'static str {
    match syntax {
        uids::JPEG_BASELINE8_BIT
        | uids::JPEG_EXTENDED12_BIT
        | uids::JPEG_LOSSLESS
        | uids::JPEG_LOSSLESS_SV1 => "image/jpeg",
        uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => "image/jls",
        uids::JPEG2000_LOSSLESS | uids::JPEG2000 => "image/jp2",
        uids::HTJ2K_LOSSLESS | uids::HTJ2K_LOSSLESS_RPCL | uids::HTJ2K => "image/jphc",
        uids::RLE_LOSSLESS => "image/dicom-rle",
        _ => OCTETS,
    }
}

/// The best form for frames kept in a transfer syntax; none where the client takes none of them.
pub fn frame_form(ranges: &[MediaRange], stored: &str) -> Option<FrameForm> {
    let own = media_type_of(stored);
    let form = |packaging, pixels, media_type| FrameForm {
        packaging,
        pixels,
        media_type,
        transfer_syntax: match pixels {
            Pixels::Stored => stored.to_owned(),
            Pixels::Decoded => uids::EXPLICIT_VR_LITTLE_ENDIAN.to_owned(),
        },
    };
    let pixels = |range: &MediaRange| match range.transfer_syntax.as_str() {
        "" | uids::EXPLICIT_VR_LITTLE_ENDIAN => Some(Pixels::Decoded),
        _ if range.takes_syntax(stored) => Some(Pixels::Stored),
        _ => None,
    };
    ranges.iter().find_map(|range| {
        let is_open = range.essence == "*/*";
        if !is_open && range.takes(OCTETS) {
            return Some(form(Packaging::Single, pixels(range)?, OCTETS));
        }
        if range.takes_parts(OCTETS) {
            return Some(form(Packaging::Parts, pixels(range)?, OCTETS));
        }
        if range.takes_parts(own) && range.takes_syntax(stored) {
            return Some(form(Packaging::Parts, Pixels::Stored, own));
        }
        None
    })
}

/// The best form for a file kept in a transfer syntax. Files are sent as they are kept.
pub fn file_form(ranges: &[MediaRange], stored: &str) -> Option<Packaging> {
    let fits = |range: &&MediaRange| range.takes_syntax(stored);
    ranges.iter().filter(fits).find_map(|range| {
        if range.takes_parts(DICOM) {
            return Some(Packaging::Parts);
        }
        range.takes(DICOM).then_some(Packaging::Single)
    })
}

/// The best of media types for a single part, in the server's order where the client has none.
pub fn single_form<'a>(ranges: &[MediaRange], offered: &[&'a str]) -> Option<&'a str> {
    ranges.iter().find_map(|range| {
        offered
            .iter()
            .copied()
            .find(|media_type| range.takes(media_type))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::parse_accept;

    #[test]
    fn frames_are_sent_in_the_form_that_is_asked_for() {
        let related = "multipart/related; type=";
        let cases = [
            (
                "*/*",
                uids::JPEG2000,
                Some("Parts Decoded application/octet-stream"),
            ),
            (
                OCTETS,
                uids::JPEG2000,
                Some("Single Decoded application/octet-stream"),
            ),
            (
                &format!("{related}\"{OCTETS}\"; transfer-syntax=*"),
                uids::JPEG2000,
                Some("Parts Stored application/octet-stream"),
            ),
            (
                &format!("{related}image/jp2"),
                uids::JPEG2000,
                Some("Parts Stored image/jp2"),
            ),
            (
                &format!("{related}\"image/*\""),
                uids::JPEG2000,
                Some("Parts Stored image/jp2"),
            ),
            (&format!("{related}image/jp2"), uids::JPEGLS_LOSSLESS, None),
            (
                &format!("{related}{OCTETS}; transfer-syntax={}", uids::JPEG2000),
                uids::JPEGLS_LOSSLESS,
                None,
            ),
            ("image/png", uids::JPEG2000, None),
            ("*/*;q=0", uids::JPEG2000, None),
        ];
        for (accept, stored, expected) in cases {
            let form = frame_form(&parse_accept(accept), stored);
            let shown = form.map(|f| format!("{:?} {:?} {}", f.packaging, f.pixels, f.media_type));
            assert_eq!(shown.as_deref(), expected, "{accept}");
        }
    }

    #[test]
    fn files_are_sent_as_they_are_kept_or_not_at_all() {
        for (accept, expected) in [
            ("*/*", Some(Packaging::Parts)),
            ("application/dicom", Some(Packaging::Single)),
            (
                "multipart/related; type=\"application/dicom\"; transfer-syntax=*",
                Some(Packaging::Parts),
            ),
            (
                "multipart/related; type=\"application/dicom\"; transfer-syntax=1.2.3",
                None,
            ),
            ("multipart/related; type=\"application/octet-stream\"", None),
        ] {
            assert_eq!(
                file_form(&parse_accept(accept), uids::JPEG2000),
                expected,
                "{accept}"
            );
        }
    }
}
