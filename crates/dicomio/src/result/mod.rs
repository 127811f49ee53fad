//! Results as DICOM objects, for the archive that the images came from, and as a FHIR bundle.
//!
//! Owns: turning one exam's assessment into objects of the images' own study, in series of their
//! own. Does not own: what is claimed (`assess`), sending (a later room).
//!
//! Every object names the algorithm, its version and its operating point, says that it is for
//! research, gives a suspicion score and never a BI-RADS category. A lesion has the number and the
//! score of 100 that it has on the page; what has neither is told apart by words. What a result in the same study
//! has to carry of the patient is copied byte by byte from the images and goes nowhere else.
//!
//! Unique identifiers are a hash of the images' identifiers, the side, view, medium and size of a pixel
//! that each was taken for, the model's digest, the engine, the program's version, the operating point, the prevalence, a
//! failure's reason, the warnings and the kind of object: the same run gives the same identifiers. The [`Moment`] is not part of them: who keeps results keeps the moment of the first
//! run with them, so that one identifier always has the same bytes.
//!
//! ```no_run
//! use lobule_dicomio::result::{Moment, Outcome, ResultRequest, ResultRun, ResultSource, all};
//! use lobule_raster::Limits;
//! # fn run(assessment: &lobule_exam::Assessment, run: &ResultRun) -> Result<(), lobule_dicomio::Error> {
//! let sources = [ResultSource::read("image.dcm".as_ref(), "image.dcm")?];
//! let request = ResultRequest {
//!     sources: &sources,
//!     outcome: Outcome::Assessed(assessment),
//!     run,
//!     moment: &Moment::new("20260131", "120000")?,
//! };
//! for object in all(&request, &Limits::default())? {
//!     object.write("out".as_ref())?;
//! }
//! # Ok(())
//! # }
//! ```

mod cad_report;
mod canvas;
mod claim;
mod codes;
mod encapsulated_pdf;
mod envelope;
mod fhir;
mod key_object;
mod measurement_report;
mod object;
mod presentation_state;
mod request;
mod secondary_capture;
mod segmentation;
mod source;
mod tree;

pub use cad_report::cad_report;
pub use encapsulated_pdf::encapsulated_pdf;
pub use fhir::{FhirBundle, fhir_bundle};
pub use key_object::key_object;
pub use measurement_report::measurement_report;
pub(crate) use object::sent_classes;
pub use object::{ResultKind, ResultObject};
pub use presentation_state::presentation_states;
pub use request::{Moment, Outcome, ResultRequest, ResultRun};
pub use secondary_capture::secondary_captures;
pub use segmentation::{heat_maps, segmentations};
pub use source::ResultSource;

use lobule_exam::Modality;
use lobule_raster::Limits;

use crate::Error;

/// What every result says.
pub const NOTICE: &str = "AI RESULT - RESEARCH USE ONLY";

/// All objects of an exam but [`encapsulated_pdf`], in the order of [`ResultKind`]: a CAD report only of mammograms, pictures
/// and outlines only of what was assessed.
///
/// # Errors
/// Those of the single kinds.
pub fn all(request: &ResultRequest<'_>, limits: &Limits) -> Result<Vec<ResultObject>, Error> {
    let mut objects = secondary_captures(request, limits)?;
    if request.outcome.modality() == Modality::Mammography {
        objects.push(cad_report(request)?);
    }
    objects.extend(presentation_states(request)?);
    objects.push(measurement_report(request)?);
    objects.extend(segmentations(request)?);
    objects.extend(heat_maps(request)?);
    objects.extend(key_object(request)?);
    Ok(objects)
}
