//! Transfer syntaxes: how the data set and its pixels are encoded.

use dicom_dictionary_std::uids;

use crate::dataset::Encoding;

/// A transfer syntax, as far as reading is concerned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Syntax {
    pub(crate) encoding: Encoding,
    pub(crate) deflated: bool,
    pub(crate) codec: Codec,
}

/// How pixels are encoded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Codec {
    /// Not compressed.
    Native,
    /// Run lengths (PS3.5 annex G).
    Rle,
    /// JPEG baseline, extended, lossless.
    Jpeg,
    /// JPEG-LS, lossless and near-lossless.
    JpegLs,
    /// JPEG 2000 and its high-throughput part.
    Jpeg2000,
    /// Not read here; holds the identifier.
    Other(String),
}

impl Syntax {
    pub(crate) fn of_encoding(encoding: Encoding, codec: Codec) -> Syntax {
        Syntax {
            encoding,
            deflated: false,
            codec,
        }
    }

    /// An unknown syntax is explicit little endian with unknown pixels, as the standard asks of
    /// every syntax that compresses.
    pub(crate) fn of_uid(uid: &str) -> Syntax {
        let encoding = Encoding {
            implicit: uid == uids::IMPLICIT_VR_LITTLE_ENDIAN,
            big_endian: uid == EXPLICIT_VR_BIG_ENDIAN,
        };
        Syntax {
            encoding,
            deflated: uid == uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
            codec: codec_of(uid),
        }
    }
}

/// Retired, but older ultrasound machines wrote it.
const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

fn codec_of(uid: &str) -> Codec {
    match uid {
        uids::IMPLICIT_VR_LITTLE_ENDIAN
        | uids::EXPLICIT_VR_LITTLE_ENDIAN
        | uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
        | uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN
        | EXPLICIT_VR_BIG_ENDIAN => Codec::Native,
        uids::RLE_LOSSLESS => Codec::Rle,
        uids::JPEG_BASELINE8_BIT
        | uids::JPEG_EXTENDED12_BIT
        | uids::JPEG_LOSSLESS
        | uids::JPEG_LOSSLESS_SV1 => Codec::Jpeg,
        uids::JPEGLS_LOSSLESS | uids::JPEGLS_NEAR_LOSSLESS => Codec::JpegLs,
        uids::JPEG2000_LOSSLESS
        | uids::JPEG2000
        | uids::HTJ2K_LOSSLESS
        | uids::HTJ2K_LOSSLESS_RPCL
        | uids::HTJ2K => Codec::Jpeg2000,
        other => Codec::Other(other.to_owned()),
    }
}
