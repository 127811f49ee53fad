//! Counters in Prometheus' text format.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lobule_dicomio::dimse::Counters;

use crate::Error;
use crate::database::{Arrival, Database, Kind};

#[derive(Default)]
pub(crate) struct Metrics {
    new: AtomicU64,
    known: AtomicU64,
    other_content: AtomicU64,
    bytes: AtomicU64,
    read: AtomicU64,
    read_millis: AtomicU64,
    failed: AtomicU64,
    sent: AtomicU64,
}

impl Metrics {
    pub(crate) fn instance(&self, arrival: Arrival, bytes: u64) {
        let counter = match arrival {
            Arrival::New => &self.new,
            Arrival::Known => &self.known,
            Arrival::KnownWithOtherContent => &self.other_content,
        };
        counter.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn reading(&self, seconds: f64) {
        self.read.fetch_add(1, Relaxed);
        self.read_millis
            .fetch_add((seconds * 1000.0) as u64, Relaxed);
    }

    pub(crate) fn failed_reading(&self) {
        self.failed.fetch_add(1, Relaxed);
    }

    pub(crate) fn sent(&self, files: u64) {
        self.sent.fetch_add(files, Relaxed);
    }

    /// All of it as text.
    pub(crate) fn text(&self, database: &Database, dicom: &Counters) -> Result<String, Error> {
        let mut text = Text::default();
        self.received(&mut text, dicom);
        kept(&mut text, database)?;
        self.done(&mut text);
        Ok(text.0)
    }

    fn received(&self, text: &mut Text, dicom: &Counters) {
        let instances = "lobule_instances_total";
        text.family(instances, "counter", "Instances received.");
        for (label, counter) in [
            ("new", &self.new),
            ("known", &self.known),
            ("other_content", &self.other_content),
        ] {
            text.labelled(instances, "arrival", label, counter.load(Relaxed));
        }
        let bytes = self.bytes.load(Relaxed);
        text.counter("lobule_received_bytes_total", "Bytes received.", bytes);
        let associations = "lobule_dicom_associations_total";
        text.family(associations, "counter", "Associations by how they ended.");
        for (label, counter) in [
            ("served", &dicom.served),
            ("rejected", &dicom.rejected),
            ("failed", &dicom.failed),
        ] {
            text.labelled(associations, "end", label, counter.load(Relaxed));
        }
        let open = dicom.open.load(Relaxed) as u64;
        text.gauge("lobule_dicom_associations_open", "Open connections.", open);
    }

    fn done(&self, text: &mut Text) {
        let (sent, failed) = (self.sent.load(Relaxed), self.failed.load(Relaxed));
        text.counter(
            "lobule_objects_sent_total",
            "Objects of results sent.",
            sent,
        );
        let help = "Attempts to read a study that failed.";
        text.counter("lobule_readings_failed_total", help, failed);
        text.family("lobule_reading_seconds", "summary", "Time to read a study.");
        let seconds = self.read_millis.load(Relaxed) as f64 / 1000.0;
        text.value("lobule_reading_seconds_sum", seconds);
        text.value("lobule_reading_seconds_count", self.read.load(Relaxed));
    }
}

/// What the database counts.
fn kept(text: &mut Text, database: &Database) -> Result<(), Error> {
    text.family("lobule_studies", "gauge", "Studies by state.");
    for (state, count) in database.counts()? {
        text.labelled("lobule_studies", "state", state.name(), count);
    }
    let (instances, bytes) = database.volume()?;
    let (unsent, not_sent) = database.backlog(Kind::Send)?;
    let (unfetched, not_fetched) = database.fetch_backlog()?;
    for (name, help, value) in [
        ("lobule_stored_instances", "Instances kept.", instances),
        ("lobule_stored_bytes", "Bytes of instances kept.", bytes),
        (
            "lobule_sendings_waiting",
            "Results waiting to be sent.",
            unsent,
        ),
        (
            "lobule_sendings_failed",
            "Results that could not be sent.",
            not_sent,
        ),
        (
            "lobule_priors_waiting",
            "Studies whose earlier studies are still to be fetched.",
            unfetched,
        ),
        (
            "lobule_priors_failed",
            "Studies whose earlier studies could not be fetched.",
            not_fetched,
        ),
    ] {
        text.gauge(name, help, value);
    }
    Ok(())
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.value(name, value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "gauge", help);
        self.value(name, value);
    }

    fn value(&mut self, name: &str, value: impl std::fmt::Display) {
        self.line(format_args!("{name} {value}"));
    }

    fn labelled(&mut self, name: &str, label: &str, of: &str, value: u64) {
        self.line(format_args!("{name}{{{label}=\"{of}\"}} {value}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a text takes every line");
    }
}
