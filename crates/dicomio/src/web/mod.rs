//! What DICOM over the web needs to know of DICOM (PS3.18): queries, media types, messages of
//! several parts, the JSON model, frames and pictures.
//!
//! Owns: reading what a client sends ([`Query`], [`parse_accept`], [`Multipart`], [`Upload`]), with
//! a bound on everything, and the forms that instances are answered in ([`write_metadata`],
//! [`FrameReader`], [`render_picture`], [`match_object`]). Does not own: HTTP, addresses, where
//! instances are kept and found (`server`).
//!
//! ```
//! use lobule_dicomio::web::{Field, Level, Query};
//! let query = Query::parse(Level::Study, "PatientName=DOE*&StudyDate=20260101-&limit=25")?;
//! assert_eq!(query.conditions[0].field, Field::PatientName);
//! assert_eq!(query.limit, Some(25));
//! # Ok::<(), lobule_dicomio::Error>(())
//! ```

mod accept;
mod answer;
mod attribute;
mod bulk;
mod display;
mod entry;
mod frames;
mod json;
mod media;
mod multipart;
mod query;
mod render;
mod upload;
mod value;

pub use accept::{MediaRange, parse_accept, parse_media_type};
pub use answer::{Fact, Taken, match_object, store_answer};
pub use attribute::{Field, Level};
pub use bulk::{BulkData, FoundBulkData, find_bulk_data, find_document, open_whole};
pub use display::{DisplayFacts, DisplayWindow, read_display_facts};
pub use entry::{Entry, InstanceEntry, SeriesEntry, StudyEntry, read_entry};
pub use frames::FrameReader;
pub use json::write_metadata;
pub use media::{
    DICOM, DICOM_JSON, FrameForm, OCTETS, Packaging, Pixels, file_form, frame_form, media_type_of,
    single_form,
};
pub use multipart::{Event, Multipart, PartHead};
pub use query::{Condition, Query, Test, comparable_time, folded_name};
pub use render::{PictureFormat, Rendering, render_picture};
pub use upload::{Failure, Reason, Upload, UploadConfig};

/// Whether a text can be a unique identifier: at most 64 digits and dots.
pub fn is_uid(text: &str) -> bool {
    crate::dimse::is_uid(text)
}
