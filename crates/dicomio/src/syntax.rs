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
pub(crate) const EXPLICIT_VR_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// A syntax that is read: its identifier, its name in PS3.6, what its pixels are encoded with.
pub(crate) struct Known(pub(crate) &'static str, pub(crate) &'static str, Codec);

/// Every syntax that is read, as PS3.6 orders them.
pub(crate) const KNOWN: [Known; 17] = [
    Known(
        uids::IMPLICIT_VR_LITTLE_ENDIAN,
        "Implicit VR Little Endian",
        Codec::Native,
    ),
    Known(
        uids::EXPLICIT_VR_LITTLE_ENDIAN,
        "Explicit VR Little Endian",
        Codec::Native,
    ),
    Known(
        uids::ENCAPSULATED_UNCOMPRESSED_EXPLICIT_VR_LITTLE_ENDIAN,
        "Encapsulated Uncompressed Explicit VR Little Endian",
        Codec::Native,
    ),
    Known(
        uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
        "Deflated Explicit VR Little Endian",
        Codec::Native,
    ),
    Known(
        EXPLICIT_VR_BIG_ENDIAN,
        "Explicit VR Big Endian (Retired)",
        Codec::Native,
    ),
    Known(
        uids::JPEG_BASELINE8_BIT,
        "JPEG Baseline (Process 1)",
        Codec::Jpeg,
    ),
    Known(
        uids::JPEG_EXTENDED12_BIT,
        "JPEG Extended (Process 2 & 4)",
        Codec::Jpeg,
    ),
    Known(
        uids::JPEG_LOSSLESS,
        "JPEG Lossless, Non-Hierarchical (Process 14)",
        Codec::Jpeg,
    ),
    Known(
        uids::JPEG_LOSSLESS_SV1,
        "JPEG Lossless, Non-Hierarchical, First-Order Prediction",
        Codec::Jpeg,
    ),
    Known(uids::JPEGLS_LOSSLESS, "JPEG-LS Lossless", Codec::JpegLs),
    Known(
        uids::JPEGLS_NEAR_LOSSLESS,
        "JPEG-LS Lossy (Near-Lossless)",
        Codec::JpegLs,
    ),
    Known(
        uids::JPEG2000_LOSSLESS,
        "JPEG 2000 (Lossless Only)",
        Codec::Jpeg2000,
    ),
    Known(uids::JPEG2000, "JPEG 2000", Codec::Jpeg2000),
    Known(
        uids::HTJ2K_LOSSLESS,
        "High-Throughput JPEG 2000 (Lossless Only)",
        Codec::Jpeg2000,
    ),
    Known(
        uids::HTJ2K_LOSSLESS_RPCL,
        "High-Throughput JPEG 2000 with RPCL Options (Lossless Only)",
        Codec::Jpeg2000,
    ),
    Known(uids::HTJ2K, "High-Throughput JPEG 2000", Codec::Jpeg2000),
    Known(uids::RLE_LOSSLESS, "RLE Lossless", Codec::Rle),
];

fn codec_of(uid: &str) -> Codec {
    let known = KNOWN.iter().find(|known| known.0 == uid);
    known.map_or_else(|| Codec::Other(uid.to_owned()), |known| known.2.clone())
}

/// The name of a syntax that is read; empty for any other.
pub(crate) fn name_of(uid: &str) -> &'static str {
    let known = KNOWN.iter().find(|known| known.0 == uid);
    known.map_or("", |known| known.1)
}
