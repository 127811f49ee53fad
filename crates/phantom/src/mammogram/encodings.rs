//! The encodings in which one exam shows the same.

use lobule_dicomio::{
    MammogramEncoding, NativeSyntax, ObjectKind, StoredDisplay, StoredPadding, StoredPolarity,
    StoredSign,
};

/// An encoding and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedEncoding {
    /// Fit for a folder.
    pub name: &'static str,
    /// The encoding.
    pub encoding: MammogramEncoding,
    /// By how much brightness (of 65535) may differ from the exam's: half a step of its bits, or
    /// what its curve loses.
    pub tolerance: u16,
}

/// Every path by which an uncompressed mammogram is shown, one change at a time from the default,
/// and some together. All show the same brightness within their tolerance.
///
/// ```
/// use lobule_phantom::mammogram::encodings;
/// assert!(encodings().iter().any(|one| one.name == "sigmoid"));
/// ```
pub fn encodings() -> Vec<NamedEncoding> {
    let base = MammogramEncoding::default();
    let bits = |bits| MammogramEncoding { bits, ..base };
    let display = |display| MammogramEncoding { display, ..base };
    let syntax = |syntax| MammogramEncoding { syntax, ..base };
    let object = |object| MammogramEncoding { object, ..base };
    let polarity = |polarity| MammogramEncoding { polarity, ..base };
    let padding = |padding| MammogramEncoding { padding, ..base };
    let signed = |encoding| MammogramEncoding {
        sign: StoredSign::Signed,
        ..encoding
    };
    let wide = |encoding| MammogramEncoding {
        bits: 16,
        ..encoding
    };
    [
        ("default", base, 1),
        ("8-bits", bits(8), 129),
        ("10-bits", bits(10), 33),
        ("16-bits", bits(16), 1),
        ("signed", signed(base), 1),
        ("signed-16-bits", signed(bits(16)), 1),
        ("monochrome1", polarity(StoredPolarity::Monochrome1), 1),
        ("shape-inverse", polarity(StoredPolarity::ShapeInverse), 1),
        ("linear-exact", display(StoredDisplay::LinearExact), 1),
        ("sigmoid", wide(display(StoredDisplay::Sigmoid)), 5),
        ("table", wide(display(StoredDisplay::Table)), 2),
        (
            "signed-table",
            signed(wide(display(StoredDisplay::Table))),
            2,
        ),
        ("rescaled", display(StoredDisplay::Rescaled), 1),
        ("modality-table", display(StoredDisplay::ModalityTable), 1),
        ("nothing-stated", display(StoredDisplay::NothingStated), 1),
        ("padding", padding(StoredPadding::Value), 1),
        ("padding-range", signed(padding(StoredPadding::Range)), 1),
        (
            "monochrome1-padding",
            MammogramEncoding {
                padding: StoredPadding::Value,
                ..polarity(StoredPolarity::Monochrome1)
            },
            1,
        ),
        ("implicit", syntax(NativeSyntax::ImplicitLittle), 1),
        ("big", syntax(NativeSyntax::ExplicitBig), 1),
        ("deflated", syntax(NativeSyntax::Deflated), 1),
        (
            "big-signed-table",
            MammogramEncoding {
                syntax: NativeSyntax::ExplicitBig,
                ..signed(wide(display(StoredDisplay::Table)))
            },
            2,
        ),
        ("dx", object(ObjectKind::DigitalRadiography), 1),
        ("cr", object(ObjectKind::ComputedRadiography), 1),
        (
            "secondary-capture",
            MammogramEncoding {
                bits: 8,
                ..object(ObjectKind::SecondaryCapture)
            },
            129,
        ),
    ]
    .map(|(name, encoding, tolerance)| NamedEncoding {
        name,
        encoding,
        tolerance,
    })
    .to_vec()
}
