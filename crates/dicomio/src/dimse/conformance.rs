//! The tables of the conformance statement (PS3.2), made from what the code negotiates.

use std::fmt::Write;

use dicom_core::dictionary::UidDictionary;
use dicom_dictionary_std::{StandardSopClassDictionary, uids};

use super::accept::{PLAIN_SYNTAXES, taken_classes, taken_syntaxes};
use super::query::{FIND, MOVE, SYNTAX};
use super::{
    IMPLEMENTATION_NAME, IMPLEMENTATION_UID, MAX_CONTROL_PDU, MAX_DATA_PDU, NetworkLimits,
};
use crate::result::sent_classes;

/// Everything of the DICOM conformance statement that follows from the code: what is negotiated, and
/// the limits, as Markdown.
pub fn conformance_tables() -> String {
    let mut text = String::new();
    identification(&mut text);
    classes(&mut text, "Storage classes taken (SCP)", taken_classes());
    syntaxes(
        &mut text,
        "Transfer syntaxes taken, for each of them",
        taken_syntaxes(),
    );
    classes(
        &mut text,
        "Verification (SCP and SCU)",
        [uids::VERIFICATION],
    );
    syntaxes(
        &mut text,
        "Transfer syntaxes of Verification",
        PLAIN_SYNTAXES,
    );
    classes(&mut text, "Storage classes sent (SCU)", sent_classes());
    syntaxes(
        &mut text,
        "Transfer syntaxes sent: that of the file, proposed alone",
        [uids::EXPLICIT_VR_LITTLE_ENDIAN],
    );
    classes(&mut text, "Query and retrieve (SCU)", [FIND, MOVE]);
    syntaxes(
        &mut text,
        "Transfer syntaxes of query and retrieve",
        [SYNTAX],
    );
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a text takes every line");
}

fn identification(text: &mut String) {
    let limits = NetworkLimits::default();
    line(text, format_args!("#### Identification and limits\n"));
    line(text, format_args!("| item | value |\n|---|---|"));
    for (item, value) in [
        (
            "application context",
            uids::DICOM_APPLICATION_CONTEXT.to_owned(),
        ),
        ("implementation class UID", IMPLEMENTATION_UID.to_owned()),
        (
            "implementation version name",
            IMPLEMENTATION_NAME.to_owned(),
        ),
        (
            "longest P-DATA unit taken, as announced",
            format!("{MAX_DATA_PDU} bytes"),
        ),
        (
            "longest unit of another kind taken",
            format!("{MAX_CONTROL_PDU} bytes"),
        ),
        ("associations at once", limits.associations.to_string()),
        (
            "associations at once of one address",
            limits.associations_per_address.to_string(),
        ),
        (
            "connections without a request at once",
            limits.waiting.to_string(),
        ),
        (
            "connections of one address in a minute",
            limits.connections_per_minute.to_string(),
        ),
        (
            "largest data set",
            format!("{} MiB", limits.instance_bytes >> 20),
        ),
        (
            "time to negotiate (TLS and request)",
            format!("{} s", limits.negotiation.as_secs()),
        ),
        ("longest silence", format!("{} s", limits.idle.as_secs())),
        ("longest message", format!("{} s", limits.message.as_secs())),
        (
            "asynchronous operations",
            "none: one operation at a time".to_owned(),
        ),
    ] {
        line(text, format_args!("| {item} | {value} |"));
    }
    text.push('\n');
}

fn classes(text: &mut String, title: &str, list: impl IntoIterator<Item = &'static str>) {
    line(text, format_args!("#### {title}\n"));
    line(text, format_args!("| SOP class | UID |\n|---|---|"));
    for uid in list {
        let known = StandardSopClassDictionary.by_uid(uid);
        let name = known.map_or("", |entry| entry.name);
        line(text, format_args!("| {name} | {uid} |"));
    }
    text.push('\n');
}

fn syntaxes(text: &mut String, title: &str, list: impl IntoIterator<Item = &'static str>) {
    line(text, format_args!("#### {title}\n"));
    line(text, format_args!("| transfer syntax | UID |\n|---|---|"));
    for uid in list {
        line(
            text,
            format_args!("| {} | {uid} |", crate::syntax::name_of(uid)),
        );
    }
    text.push('\n');
}
