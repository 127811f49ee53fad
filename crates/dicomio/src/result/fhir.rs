//! A FHIR R4 bundle (<https://hl7.org/fhir/R4>): the same claims for systems that do not speak DICOM.
//!
//! It is here because it names the study and the patient's number, which do not leave this crate
//! otherwise.

use std::collections::BTreeMap;

use dicom_dictionary_std::tags;
use lobule_exam::{BreastAssessment, Side};
use serde_json::{Value, json};

use super::codes::{self, Code};
use super::envelope::{account, decision, uid};
use super::tree::grouped;
use super::{NOTICE, Outcome, ResultRequest, ResultSource};
use crate::Error;
use crate::identity::decoded;

/// A bundle ready to be written or sent.
#[derive(Clone, PartialEq, Eq)]
pub struct FhirBundle {
    /// A name for its file: what tells it from all other bundles ever made.
    pub file_name: String,
    /// The bundle. It names the patient's number.
    pub json: String,
}

impl std::fmt::Debug for FhirBundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FhirBundle({})", self.file_name)
    }
}

/// A collection of a device, an imaging study, per breast an observation and, where probabilities
/// are calibrated, a risk assessment, and the diagnostic report that ties them together: as JSON.
/// The patient is named by the number in the images alone. A failed exam's report is cancelled and
/// holds the reason.
///
/// # Errors
/// When the images are of several studies, or the assessment does not fit them.
pub fn fhir_bundle(request: &ResultRequest<'_>) -> Result<FhirBundle, Error> {
    let study = request.study()?;
    request.images()?;
    let context = Context {
        request,
        subject: patient(study),
        date: date(request.moment.date()),
    };
    let breasts: &[BreastAssessment] = match request.outcome {
        Outcome::Assessed(assessment) => &assessment.breasts,
        Outcome::Failed { .. } => &[],
    };
    let mut entries = vec![
        context.entry("device", context.device()),
        context.entry("study", context.imaging_study(study)),
    ];
    for breast in breasts {
        let name = format!("observation {}", breast.side);
        entries.push(context.entry(&name, context.observation(breast)));
        if let Some(risk) = context.risk(breast) {
            entries.push(context.entry(&format!("risk {}", breast.side), risk));
        }
    }
    entries.push(context.entry("report", context.report(breasts)));
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });
    let name = uid(request, "fhir", "bundle");
    Ok(FhirBundle {
        file_name: format!("fhir-{}.json", name.trim_start_matches("2.25.")),
        json: format!("{bundle:#}\n"),
    })
}

struct Context<'a> {
    request: &'a ResultRequest<'a>,
    subject: Value,
    date: String,
}

impl Context<'_> {
    fn url(&self, name: &str) -> String {
        uuid(&uid(self.request, "fhir", name))
    }

    fn link(&self, name: &str) -> Value {
        json!({ "reference": self.url(name) })
    }

    fn entry(&self, name: &str, resource: Value) -> Value {
        json!({ "fullUrl": self.url(name), "resource": resource })
    }

    fn device(&self) -> Value {
        let run = self.request.run;
        json!({
            "resourceType": "Device",
            "manufacturer": "Lobule",
            "deviceName": [{ "name": run.model_name, "type": "model-name" }],
            "version": [
                { "type": { "text": "model" }, "value": run.model_version },
                { "type": { "text": "digest" }, "value": run.model_digest },
                { "type": { "text": "lobule" }, "value": run.program_version },
            ],
            "note": [{ "text": account(self.request) }],
        })
    }

    fn imaging_study(&self, study: &ResultSource) -> Value {
        let sources: Vec<&ResultSource> = self.request.sources.iter().collect();
        let series = grouped(&sources).into_iter().map(|images| {
            let modality = Some(images[0].modality()).filter(|m| !m.is_empty());
            json!({
                "uid": images[0].series,
                "modality": {
                    "system": "http://dicom.nema.org/resources/ontology/DCM",
                    "code": modality.unwrap_or_else(|| "OT".to_owned()),
                },
                "instance": images.into_iter().map(instance).collect::<Vec<Value>>(),
            })
        });
        json!({
            "resourceType": "ImagingStudy",
            "status": "available",
            "subject": self.subject,
            "identifier": [{ "system": "urn:dicom:uid", "value": format!("urn:oid:{}", study.study) }],
            "series": series.collect::<Vec<Value>>(),
        })
    }

    fn observation(&self, breast: &BreastAssessment) -> Value {
        let mut observation = json!({
            "resourceType": "Observation",
            "status": "preliminary",
            "code": { "text": codes::SUSPICION.meaning },
            "subject": self.subject,
            "effectiveDateTime": self.date,
            "device": self.link("device"),
            "derivedFrom": [self.link("study")],
            "valueQuantity": {
                "value": breast.scores.malignant,
                "system": "http://unitsofmeasure.org",
                "code": "1",
            },
            "interpretation": [{ "text": decision(self.request, breast) }],
            "note": self.notes(breast),
            "component": components(breast),
        });
        if let Some(site) = codes::breast(breast.side) {
            observation["bodySite"] = concept(site);
        }
        observation
    }

    /// Limits of the model's use, and what was said of the breast's images.
    fn notes(&self, breast: &BreastAssessment) -> Vec<Value> {
        let first = [NOTICE, &self.request.run.research_use].map(str::to_owned);
        let first = first.into_iter().filter(|text| !text.is_empty());
        let texts = first.chain(breast.notes());
        texts.map(|text| json!({ "text": text })).collect()
    }

    fn risk(&self, breast: &BreastAssessment) -> Option<Value> {
        let probability = breast.probabilities?.malignant;
        let prevalence = self.request.run.prevalence;
        let holds = prevalence.map(|p| {
            format!(
                " It holds where {:.2} % of breasts are malignant.",
                100.0 * p
            )
        });
        Some(json!({
            "resourceType": "RiskAssessment",
            "status": "preliminary",
            "subject": self.subject,
            "occurrenceDateTime": self.date,
            "performer": self.link("device"),
            "basis": [self.link(&format!("observation {}", breast.side))],
            "prediction": [{
                "outcome": { "text": format!("malignant finding in the {} breast", side(breast.side)) },
                "probabilityDecimal": probability,
            }],
            "note": [{ "text": format!("{NOTICE}.{}", holds.unwrap_or_default()) }],
        }))
    }

    fn report(&self, breasts: &[BreastAssessment]) -> Value {
        let results = breasts
            .iter()
            .map(|b| self.link(&format!("observation {}", b.side)));
        let (status, conclusion) = match self.request.outcome {
            Outcome::Assessed(_) => {
                let notes = self.request.notes().into_iter();
                let notes = notes.map(|note| format!("\nNote: {note}"));
                let notes: String = notes.collect();
                ("preliminary", format!("{}{notes}", account(self.request)))
            }
            Outcome::Failed { reason, .. } => (
                "cancelled",
                format!("{NOTICE}. The exam could not be assessed: {reason}"),
            ),
        };
        let mut report = json!({
            "resourceType": "DiagnosticReport",
            "status": status,
            "code": { "text": "Breast image assessment by an AI model, for research" },
            "subject": self.subject,
            "effectiveDateTime": self.date,
            "imagingStudy": [self.link("study")],
            "conclusion": conclusion,
        });
        if !breasts.is_empty() {
            report["result"] = results.collect();
        }
        report
    }
}

/// The scores of 0 to 100 of the breast and of its lesions, by their numbers.
fn components(breast: &BreastAssessment) -> Vec<Value> {
    let findings = breast.images.iter().flat_map(|image| &image.findings);
    let mut lesions = BTreeMap::new();
    for lesion in findings.filter_map(|finding| finding.lesion) {
        let score: &mut f64 = lesions.entry(lesion.number).or_default();
        *score = score.max(lesion.score);
    }
    let component = |name: String, score: f64| {
        json!({
            "code": { "text": name },
            "valueQuantity": {
                "value": (score * 1e4).round() / 1e4,
                "system": "http://unitsofmeasure.org",
                "code": "1",
            },
        })
    };
    let whole = component(
        "Score of the breast, 0 to 100".to_owned(),
        breast.score_of_100(),
    );
    let lesions = lesions.into_iter();
    let lesions =
        lesions.map(|(n, score)| component(format!("Score of lesion {n}, 0 to 100"), score));
    std::iter::once(whole).chain(lesions).collect()
}

fn patient(study: &ResultSource) -> Value {
    match decoded(&study.data, tags::PATIENT_ID) {
        number if number.is_empty() => json!({ "display": "not identified in the images" }),
        number => json!({ "identifier": { "value": number } }),
    }
}

fn side(side: Side) -> String {
    match side {
        Side::Unknown => "unidentified".to_owned(),
        known => known.to_string(),
    }
}

fn instance(source: &ResultSource) -> Value {
    json!({
        "uid": source.instance,
        "sopClass": { "system": "urn:ietf:rfc:3986", "code": format!("urn:oid:{}", source.class) },
    })
}

fn concept(code: Code) -> Value {
    let coding = json!({
        "system": "http://snomed.info/sct",
        "code": code.value,
        "display": code.meaning,
    });
    json!({ "coding": [coding] })
}

/// `YYYYMMDD` with dashes. A time of day would need a zone, which the images do not state.
fn date(moment: &str) -> String {
    format!("{}-{}-{}", &moment[..4], &moment[4..6], &moment[6..])
}

/// The UUID that a unique identifier below `2.25.` is (PS3.5 B.2).
fn uuid(uid: &str) -> String {
    let number: u128 = uid.trim_start_matches("2.25.").parse().unwrap_or_default();
    let hex = format!("{number:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    format!("urn:uuid:{}", parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_written_as_a_uuid() {
        assert_eq!(
            uuid("2.25.1"),
            "urn:uuid:00000000-0000-0000-0000-000000000001"
        );
        let largest = format!("2.25.{}", u128::MAX);
        assert_eq!(
            uuid(&largest),
            "urn:uuid:ffffffff-ffff-ffff-ffff-ffffffffffff"
        );
    }
}
