//! What arrives is on the disk and in the database before the peer is told success.

use lobule_dicomio::dimse::{Received, Refusal};
use lobule_dicomio::study_key;
use lobule_dicomio::web::{Entry, read_entry};

use crate::Error;
use crate::config::{Disk, Durability};
use crate::database::{Arrival, Arrived, Database};
use crate::metrics::Metrics;
use crate::store::Store;
use crate::time::now;

pub(crate) struct Arrivals<'a> {
    pub(crate) store: &'a Store,
    pub(crate) database: &'a Database,
    pub(crate) metrics: &'a Metrics,
    disk: &'a Disk,
}

impl<'a> Arrivals<'a> {
    pub(crate) fn new(
        store: &'a Store,
        database: &'a Database,
        metrics: &'a Metrics,
        disk: &'a Disk,
    ) -> Self {
        Arrivals {
            store,
            database,
            metrics,
            disk,
        }
    }

    /// Takes an instance over; success means that it survives a power cut.
    pub(crate) fn take(&self, received: Received) -> Result<(), Refusal> {
        if !self.store.has_free(self.disk.keep_free()) {
            tracing::error!("an instance was refused: the disk is full");
            let reason = "expected room on the disk, got less than is to stay free";
            return Err(Refusal::OutOfResources(reason.to_owned()));
        }
        let key = study_key(&received.keys.study_uid);
        let bytes = received.bytes;
        let entry = read_entry(&received.file)
            .map_err(|e| Refusal::CannotUnderstand(e.reason().to_owned()))?;
        let entered = self.enter(received, &key, &entry);
        match entered.and_then(|arrival| self.settle().map(|()| arrival)) {
            Ok(arrival) => {
                self.metrics.instance(arrival, bytes);
                match arrival {
                    Arrival::KnownWithOtherContent => {
                        tracing::warn!(exam = %key, "an instance came again with other content: the first one is kept");
                    }
                    _ => tracing::debug!(exam = %key, bytes, ?arrival, "instance"),
                }
                if arrival == Arrival::New {
                    self.warn_of_patients(&key, &entry);
                }
                Ok(())
            }
            Err(error) => {
                // The text may name a folder of this machine: it is for the log alone.
                tracing::error!(%error, "an instance could not be kept");
                let reason = "expected to keep the instance, got a failure of the store";
                Err(Refusal::OutOfResources(reason.to_owned()))
            }
        }
    }

    /// Readers keep patients apart; the list of studies shows the first one alone.
    fn warn_of_patients(&self, key: &str, entry: &Entry) {
        if self.database.is_of_other_patient(entry).unwrap_or(false) {
            tracing::warn!(exam = %key, "images of another Patient ID came for a study: they are an exam of their own in its results");
        }
    }

    /// Also what another association has entered a moment ago has to be on the disk.
    fn settle(&self) -> Result<(), Error> {
        match self.disk.durability {
            Durability::Rows => self.database.settle(),
            Durability::Files => Ok(()),
        }
    }

    fn enter(&self, received: Received, key: &str, entry: &Entry) -> Result<Arrival, Error> {
        let Received { keys, sha256, .. } = &received;
        if let Some(known) = self.database.content_of(&keys.instance_uid)? {
            return Ok(match known == *sha256 {
                true => Arrival::Known,
                false => Arrival::KnownWithOtherContent,
            });
        }
        let (keys, sha256, bytes) = (keys.clone(), sha256.clone(), received.bytes);
        let source = received.calling_ae_title.clone();
        let arrived = Arrived {
            study_uid: &keys.study_uid,
            study_key: key,
            instance_uid: &keys.instance_uid,
            class_uid: &keys.class_uid,
            modality: &keys.modality,
            sha256: &sha256,
            bytes,
            source: &source,
            entry,
        };
        // Several reach the disk at once; a file that is there without a row does no harm.
        let kept = self.store.keep(received);
        let _entering = self.store.entering();
        let entered = kept
            .and_then(|()| self.store.check_kept(&sha256))
            .and_then(|()| self.database.arrive(arrived, now()));
        let is_named = matches!(entered, Ok(Arrival::New | Arrival::Known));
        if !is_named && !self.database.has_content(&sha256)? {
            self.store.forget(&sha256);
        }
        entered
    }
}
