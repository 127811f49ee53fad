//! Objects of answers in the DICOM JSON model: matches of a search (PS3.18 10.6.3) and what became
//! of instances that were sent (10.5.3).

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use serde_json::{Value, json};

use super::attribute::digits;
use super::upload::Failure;

/// What is known of a match beside the attributes that were kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Where it can be fetched.
    RetrieveUrl(String),
    /// Modality of each series, once.
    ModalitiesInStudy(Vec<String>),
    /// How many series the study has.
    SeriesOfStudy(u64),
    /// How many instances the study has.
    InstancesOfStudy(u64),
    /// How many instances the series has.
    InstancesOfSeries(u64),
    /// The transfer syntax it is kept in.
    TransferSyntax(String),
}

impl Fact {
    fn line(&self) -> String {
        let (tag, vr, value) = match self {
            Fact::RetrieveUrl(url) => (tags::RETRIEVE_URL, VR::UR, json!([url])),
            Fact::ModalitiesInStudy(all) => (tags::MODALITIES_IN_STUDY, VR::CS, json!(all)),
            Fact::SeriesOfStudy(n) => (tags::NUMBER_OF_STUDY_RELATED_SERIES, VR::IS, json!([n])),
            Fact::InstancesOfStudy(n) => {
                (tags::NUMBER_OF_STUDY_RELATED_INSTANCES, VR::IS, json!([n]))
            }
            Fact::InstancesOfSeries(n) => {
                (tags::NUMBER_OF_SERIES_RELATED_INSTANCES, VR::IS, json!([n]))
            }
            Fact::TransferSyntax(uid) => {
                (tags::AVAILABLE_TRANSFER_SYNTAX_UID, VR::UI, json!([uid]))
            }
        };
        line(tag, vr, &value)
    }
}

fn line(tag: Tag, vr: VR, value: &Value) -> String {
    format!(
        "\"{}\":{{\"vr\":\"{}\",\"Value\":{value}}}",
        digits(tag),
        vr.to_string()
    )
}

/// One match: the kept attributes of its levels and what is known besides, in the order of tags.
pub fn match_object(attributes: &[&str], facts: &[Fact]) -> String {
    let facts: Vec<String> = facts.iter().map(Fact::line).collect();
    let available = line(tags::INSTANCE_AVAILABILITY, VR::CS, &json!(["ONLINE"]));
    let kept = attributes.iter().flat_map(|lines| lines.lines());
    let mut all: Vec<&str> = kept.chain(facts.iter().map(String::as_str)).collect();
    all.push(&available);
    // A line begins with its tag.
    all.sort_unstable();
    all.dedup_by_key(|line| line.get(..10).unwrap_or_default());
    format!("{{{}}}", all.join(","))
}

/// An instance that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its class.
    pub class_uid: String,
    /// What it is.
    pub instance_uid: String,
    /// Where it can be fetched.
    pub url: String,
}

/// The answer to instances that were sent: where their study is, if there is one, what was taken,
/// and what was not.
pub fn store_answer(study_url: Option<&str>, taken: &[Taken], failed: &[Failure]) -> Value {
    let mut answer = json!({});
    let mut put = |tag: Tag, vr: VR, values: Vec<Value>| {
        if !values.is_empty() {
            answer[digits(tag)] = json!({ "vr": vr.to_string(), "Value": values });
        }
    };
    put(
        tags::RETRIEVE_URL,
        VR::UR,
        study_url.into_iter().map(Value::from).collect(),
    );
    let (named, unnamed): (Vec<&Failure>, Vec<&Failure>) = failed
        .iter()
        .partition(|failure| failure.instance.is_some());
    put(
        tags::FAILED_SOP_SEQUENCE,
        VR::SQ,
        named.into_iter().map(failure).collect(),
    );
    put(
        tags::REFERENCED_SOP_SEQUENCE,
        VR::SQ,
        taken.iter().map(reference).collect(),
    );
    put(
        tags::OTHER_FAILURES_SEQUENCE,
        VR::SQ,
        unnamed.into_iter().map(failure).collect(),
    );
    answer
}

fn one(vr: VR, value: impl Into<Value>) -> Value {
    let value: Value = value.into();
    json!({ "vr": vr.to_string(), "Value": [value] })
}

fn reference(taken: &Taken) -> Value {
    json!({
        (digits(tags::REFERENCED_SOP_CLASS_UID)): one(VR::UI, taken.class_uid.as_str()),
        (digits(tags::REFERENCED_SOP_INSTANCE_UID)): one(VR::UI, taken.instance_uid.as_str()),
        (digits(tags::RETRIEVE_URL)): one(VR::UR, taken.url.as_str()),
    })
}

fn failure(failure: &Failure) -> Value {
    let mut item = json!({ (digits(tags::FAILURE_REASON)): one(VR::US, failure.reason.code()) });
    if let Some((class, instance)) = &failure.instance {
        item[digits(tags::REFERENCED_SOP_CLASS_UID)] = one(VR::UI, class.as_str());
        item[digits(tags::REFERENCED_SOP_INSTANCE_UID)] = one(VR::UI, instance.as_str());
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Reason;

    #[test]
    fn a_match_has_its_attributes_in_order_and_once() {
        let study =
            "\"00080020\":{\"vr\":\"DA\"}\n\"0020000D\":{\"vr\":\"UI\",\"Value\":[\"1.2\"]}";
        let facts = [
            Fact::SeriesOfStudy(2),
            Fact::RetrieveUrl("http://x/\"".to_owned()),
        ];
        let text = match_object(&[study, "", study], &facts);
        assert_eq!(
            text,
            r#"{"00080020":{"vr":"DA"},"00080056":{"vr":"CS","Value":["ONLINE"]},"00081190":{"vr":"UR","Value":["http://x/\""]},"0020000D":{"vr":"UI","Value":["1.2"]},"00201206":{"vr":"IS","Value":[2]}}"#
        );
    }

    #[test]
    fn the_answer_names_what_was_taken_and_what_was_not() {
        let taken = Taken {
            class_uid: "1.1".to_owned(),
            instance_uid: "1.2".to_owned(),
            url: "http://x".to_owned(),
        };
        let failed = [
            Failure {
                instance: Some(("1.1".to_owned(), "1.3".to_owned())),
                reason: Reason::OtherStudy,
                text: String::new(),
            },
            Failure {
                instance: None,
                reason: Reason::CannotUnderstand,
                text: String::new(),
            },
        ];
        let answer = store_answer(Some("http://s"), &[taken], &failed);
        assert_eq!(answer["00081190"]["Value"][0], "http://s");
        assert_eq!(
            answer["00081199"]["Value"][0]["00081155"]["Value"][0],
            "1.2"
        );
        assert_eq!(
            answer["00081198"]["Value"][0]["00081197"]["Value"][0],
            0xA901
        );
        assert_eq!(
            answer["0008119A"]["Value"][0]["00081197"]["Value"][0],
            0xC000
        );
    }
}
