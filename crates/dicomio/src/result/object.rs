//! A finished object.

use std::path::{Path, PathBuf};

use dicom_dictionary_std::{tags, uids};
use dicom_object::{DefaultDicomObject, FileMetaTableBuilder, InMemDicomObject};

use crate::Error;
use crate::write::refused;

/// The kinds of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResultKind {
    /// A colour picture of an image with marks and scores burnt in: every archive shows it.
    SecondaryCapture,
    /// A Mammography CAD report (TID 4000), for the workstations that read it.
    CadReport,
    /// A presentation state with outlines, laid over a grey image.
    PresentationState,
    /// A measurement report (TID 1500): scores and outlines for programs.
    MeasurementReport,
    /// The outlined regions as masks.
    Segmentation,
    /// The malignant saliency as a fractional segmentation.
    HeatMap,
    /// The images to open first.
    KeyObject,
    /// A report as a PDF.
    EncapsulatedPdf,
}

/// Name in files, title of the series, class and modality of a kind.
struct Words(&'static str, &'static str, &'static str, &'static str);

impl ResultKind {
    const ALL: [ResultKind; 8] = [
        ResultKind::SecondaryCapture,
        ResultKind::CadReport,
        ResultKind::PresentationState,
        ResultKind::MeasurementReport,
        ResultKind::Segmentation,
        ResultKind::HeatMap,
        ResultKind::KeyObject,
        ResultKind::EncapsulatedPdf,
    ];

    fn words(self) -> Words {
        match self {
            ResultKind::SecondaryCapture => Words(
                "sc",
                "Marked images",
                uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
                "OT",
            ),
            ResultKind::CadReport => {
                Words("cad", "CAD report", uids::MAMMOGRAPHY_CADSR_STORAGE, "SR")
            }
            ResultKind::PresentationState => Words(
                "pr",
                "Outlines",
                uids::GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE,
                "PR",
            ),
            ResultKind::MeasurementReport => Words(
                "sr",
                "Measurement report",
                uids::COMPREHENSIVE3_DSR_STORAGE,
                "SR",
            ),
            ResultKind::Segmentation => {
                Words("seg", "Outlined regions", uids::SEGMENTATION_STORAGE, "SEG")
            }
            ResultKind::HeatMap => Words("heat", "Heat maps", uids::SEGMENTATION_STORAGE, "SEG"),
            ResultKind::KeyObject => Words(
                "ko",
                "Images of interest",
                uids::KEY_OBJECT_SELECTION_DOCUMENT_STORAGE,
                "KO",
            ),
            ResultKind::EncapsulatedPdf => {
                Words("pdf", "Report", uids::ENCAPSULATED_PDF_STORAGE, "DOC")
            }
        }
    }

    /// The stable name used in file names.
    pub fn name(self) -> &'static str {
        self.words().0
    }

    pub(super) fn title(self) -> &'static str {
        self.words().1
    }

    pub(super) fn class(self) -> &'static str {
        self.words().2
    }

    pub(super) fn modality(self) -> &'static str {
        self.words().3
    }

    /// Whether it is something to read rather than a picture.
    pub(super) fn is_document(self) -> bool {
        matches!(self.modality(), "SR" | "KO" | "DOC")
    }
}

/// The classes of all kinds, each once.
pub(crate) fn sent_classes() -> Vec<&'static str> {
    let mut classes: Vec<&str> = ResultKind::ALL.iter().map(|kind| kind.class()).collect();
    // The two kinds of segmentation stand side by side.
    classes.dedup();
    classes
}

/// An object ready to be written or sent. Its `Debug` form shows no identifier of a patient.
#[derive(Clone)]
pub struct ResultObject {
    kind: ResultKind,
    object: DefaultDicomObject,
}

impl std::fmt::Debug for ResultObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ResultObject({})", self.file_name())
    }
}

impl ResultObject {
    pub(super) fn new(kind: ResultKind, object: InMemDicomObject) -> Result<ResultObject, Error> {
        let instance = object.get(tags::SOP_INSTANCE_UID);
        let instance = instance.and_then(|e| e.to_str().ok()).unwrap_or_default();
        let meta = FileMetaTableBuilder::new()
            .media_storage_sop_class_uid(kind.class())
            .media_storage_sop_instance_uid(instance.into_owned())
            .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN);
        let object = object.with_meta(meta).map_err(|e| refused(&e))?;
        Ok(ResultObject { kind, object })
    }

    /// What it is.
    pub fn kind(&self) -> ResultKind {
        self.kind
    }

    /// A name for its file: the kind, and what tells it from all other objects ever made.
    pub fn file_name(&self) -> String {
        let uid = self.object.meta().media_storage_sop_instance_uid();
        let uid = uid.trim_end_matches('\0');
        format!(
            "{}-{}.dcm",
            self.kind.name(),
            uid.trim_start_matches("2.25.")
        )
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// When a value cannot be encoded.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.object.write_all(&mut bytes).map_err(|e| refused(&e))?;
        Ok(bytes)
    }

    /// Writes it into a folder that exists, under its [`ResultObject::file_name`], and returns the
    /// path.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, Error> {
        let path = folder.join(self.file_name());
        let written = self.object.write_to_file(&path);
        written.map_err(|e| refused(&e).in_file(&path))?;
        Ok(path)
    }
}
