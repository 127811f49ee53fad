//! What stands in place of identifiers: the same for the same, of no use without the key.

use dicom_dictionary_std::tags;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::dataset::Dataset;

/// Dates are moved by 1 to this many days.
const MOST_DAYS: u64 = 3650;

pub(super) struct Pseudonyms {
    key: [u8; 32],
    /// Name and number of the patient.
    pub(super) patient: String,
    /// Days by which the patient's dates are moved.
    pub(super) days: i64,
}

impl Pseudonyms {
    /// Of the patient of a file; where it names none, of its study.
    pub(super) fn of(data: &Dataset, key: &[u8; 32]) -> Pseudonyms {
        let text = |tag| data.text(tag).unwrap_or_default();
        let patient = text(tags::PATIENT_ID);
        let who = match patient.is_empty() {
            true => format!("study {}", text(tags::STUDY_INSTANCE_UID)),
            false => format!("patient {} {patient}", text(tags::ISSUER_OF_PATIENT_ID)),
        };
        let digest = keyed(key, &who);
        let digits: String = digest[..6].iter().map(|b| format!("{b:02X}")).collect();
        let number = digest[8..16]
            .iter()
            .fold(0_u64, |n, &b| n << 8 | u64::from(b));
        Pseudonyms {
            key: *key,
            patient: format!("LOBULE-{digits}"),
            days: (number % MOST_DAYS + 1) as i64,
        }
    }

    /// A unique identifier under the UUID root (`2.25.`) in place of another.
    pub(super) fn uid(&self, uid: &str) -> String {
        let digest = keyed(&self.key, &format!("uid {uid}"));
        let number = digest[..16]
            .iter()
            .fold(0_u128, |n, &b| n << 8 | u128::from(b));
        format!("2.25.{number}")
    }
}

fn keyed(key: &[u8; 32], text: &str) -> [u8; 32] {
    let mut code = Hmac::<Sha256>::new_from_slice(key).expect("keys of any length are taken");
    code.update(text.as_bytes());
    code.finalize().into_bytes().into()
}
