//! Jobs at work: studies are read, results are sent, one at a time each.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lobule_dicomio::dimse::{Remote, Sent, Stop, send};
use lobule_dicomio::read_view;

use crate::config::{Config, Destination};
use crate::database::{Again, Claim, Content, Database, Kind, Millis, ModelRole};
use crate::events::Events;
use crate::index::result_objects;
use crate::metrics::Metrics;
use crate::models::Models;
use crate::reader::{Choice, ModelPackage, Others, Reading, StudyFile, StudyReader, Usable};
use crate::routing::{Origin, Way, way};
use crate::store::{Store, entries};
use crate::time::{back_off, millis, now};
use crate::tls::Tls;
use crate::{Error, keeping};

/// How often a worker without a job looks for one.
pub(crate) const TICK: Duration = Duration::from_millis(100);
/// How often it is seen whether studies have to go.
const KEEP_EVERY: Duration = Duration::from_secs(10);
/// How long a job belongs to a worker that does not say that it is alive.
const LEASE: Duration = Duration::from_secs(60);

/// What workers share.
pub(crate) struct Work<'a> {
    pub(crate) store: &'a Store,
    pub(crate) database: &'a Database,
    pub(crate) metrics: &'a Metrics,
    pub(crate) config: &'a Config,
    pub(crate) models: &'a Models,
    pub(crate) events: &'a Events,
    pub(crate) tls: &'a Tls,
    pub(crate) stop: &'a Stop,
    /// Jobs that are being worked on.
    pub(crate) claims: Mutex<Vec<Claim>>,
}

impl Work<'_> {
    /// Reads studies until a stop is asked for; a study that was begun is finished. Shadows read
    /// while nothing waits.
    pub(crate) fn assess(&self, reader: &mut dyn StudyReader) {
        self.models.active(reader.models());
        let reader = RefCell::new(reader);
        self.each_job(
            Kind::Assess,
            |claim| self.assess_one(claim, *reader.borrow_mut()),
            || self.shadow_one(*reader.borrow_mut()),
        );
    }

    /// Sends results until a stop is asked for.
    pub(crate) fn send(&self) {
        self.each_job(Kind::Send, |claim| self.send_one(claim), || Ok(false));
    }

    /// Moves studies on that have waited long enough, and keeps jobs alive.
    pub(crate) fn watch(&self) {
        let wait = millis(Duration::from_secs(self.config.study.complete_after_secs));
        let mut kept: Option<Instant> = None;
        while !self.stop.is_asked() {
            if let Err(error) = self.tick(wait) {
                tracing::error!(%error, "the queue stands still");
            }
            if kept.is_none_or(|last| last.elapsed() >= KEEP_EVERY) {
                self.keep();
                kept = Some(Instant::now());
            }
            std::thread::sleep(TICK);
        }
    }

    fn keep(&self) {
        match keeping::enforce(self.store, self.database, &self.config.keep, now()) {
            Ok(gone) => gone.iter().for_each(|uid| self.events.deleted(uid)),
            Err(error) => tracing::error!(%error, "old studies could not be deleted"),
        }
    }

    fn tick(&self, wait: Millis) -> Result<(), Error> {
        let now = now();
        self.database.complete(now - wait, now)?;
        self.sort_priors(now)?;
        self.database.queue(now)?;
        let claims = self
            .claims
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for claim in claims {
            self.database.prolong(&claim, now + millis(LEASE))?;
        }
        Ok(())
    }

    /// `idle` is for when no job waits; it says whether it did something.
    fn each_job(
        &self,
        kind: Kind,
        mut work: impl FnMut(&Claim) -> Result<(), Error>,
        mut idle: impl FnMut() -> Result<bool, Error>,
    ) {
        while !self.stop.is_asked() {
            if kind == Kind::Assess && !self.has_room() {
                std::thread::sleep(TICK * 10);
                continue;
            }
            match self.database.take(kind, now(), now() + millis(LEASE)) {
                Ok(Some(claim)) => {
                    self.claims().push(claim.clone());
                    let done = work(&claim);
                    self.claims().retain(|other| other.job != claim.job);
                    if let Err(error) = done {
                        tracing::error!(%error, exam = %claim.key, "a job could not be entered");
                        std::thread::sleep(TICK);
                    }
                }
                Ok(None) => match idle() {
                    Ok(true) => {}
                    Ok(false) => std::thread::sleep(TICK),
                    Err(error) => {
                        tracing::error!(%error, "a shadow could not be entered");
                        std::thread::sleep(TICK * 10);
                    }
                },
                Err(error) => {
                    tracing::error!(%error, "no job could be taken");
                    std::thread::sleep(TICK * 10);
                }
            }
        }
    }

    fn claims(&self) -> std::sync::MutexGuard<'_, Vec<Claim>> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn assess_one(&self, claim: &Claim, reader: &mut dyn StudyReader) -> Result<(), Error> {
        let began = Instant::now();
        let name = format!("{}-{}-{}", claim.key, claim.job, claim.token);
        let way = self.way(claim)?;
        let made = self.make(claim, &name, &way, reader);
        let (reading, work) = match made {
            Ok(made) => made,
            Err(reason) => {
                tracing::warn!(exam = %claim.key, attempt = claim.attempts, %reason, "study not read");
                self.metrics.failed_reading();
                let again = self.again(claim, self.config.study.attempts);
                return self.database.fail(claim, &reason, again, now());
            }
        };
        self.store.publish(&work, &name)?;
        let destinations: Vec<String> = match dicom_files(&self.store.result(&name))?.is_empty() {
            true => Vec::new(),
            false => way.destinations,
        };
        let objects = result_objects(self.store, &name)?;
        let entered =
            self.database
                .finish_assessment(claim, &reading, &name, &objects, &destinations, now());
        match entered {
            Ok(Some(replaced)) => {
                if let Some(old) = replaced.0 {
                    self.store.discard_folder(&self.store.result(&old));
                }
            }
            other => {
                self.store.discard_folder(&self.store.result(&name));
                other?;
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        self.metrics.reading(seconds);
        let usable = reading.usable == Usable::Yes;
        tracing::info!(exam = %claim.key, seconds, usable, flagged = reading.flagged, "study read");
        Ok(())
    }

    fn make(
        &self,
        claim: &Claim,
        name: &str,
        way: &Way,
        reader: &mut dyn StudyReader,
    ) -> Result<(Reading, PathBuf), String> {
        let files = self.files(claim.study).map_err(told)?;
        let choice = self.choice(way).map_err(told)?;
        reader.choose(&choice)?;
        self.models.active(reader.models());
        let work = self.work(claim, name).map_err(told)?;
        match read_safely(reader, &files, &work) {
            Ok(reading) => Ok((reading, work)),
            Err(reason) => {
                self.store.discard_folder(&work);
                Err(reason)
            }
        }
    }

    /// The instances of a study, under their identifiers.
    pub(crate) fn files(&self, study: i64) -> Result<Vec<StudyFile>, Error> {
        let contents = self.database.contents(study)?.into_iter();
        let file = |content: Content| StudyFile {
            path: self.store.instance(&content.sha256),
            instance_uid: content.uid,
        };
        Ok(contents.map(file).collect())
    }

    /// What the rules make of a study.
    fn way(&self, claim: &Claim) -> Result<Way, Error> {
        let origins = self.database.origins(claim.study)?;
        let view_of = |one: &Origin| read_view(&self.store.instance(&one.sha256));
        Ok(way(self.config, &origins, view_of))
    }

    /// The models that were activated, and before them the one of a rule.
    fn choice(&self, way: &Way) -> Result<Choice, Error> {
        let mut packages = self.database.chosen_models(ModelRole::Active)?;
        packages.extend(way.model.clone().map(ModelPackage::of_rule));
        Ok(Choice {
            packages,
            others: Others::Usual,
        })
    }

    /// An empty folder. Where the same instances are read again, it has the objects of the last
    /// result: one identifier always has the same bytes, with the time it was first given.
    fn work(&self, claim: &Claim, name: &str) -> Result<PathBuf, Error> {
        let work = self.store.work(name)?;
        if let Some(last) = claim.result.as_ref().filter(|_| claim.is_of_the_same) {
            let last = self.store.result(last);
            for file in dicom_files(&last)? {
                self.store.carry_over(&last, &work, &file)?;
            }
        }
        Ok(work)
    }

    /// A study that finds no room for its result would use its attempts up.
    fn has_room(&self) -> bool {
        let is_free = self.store.has_free(self.config.disk.keep_free());
        if !is_free {
            tracing::error!("studies wait: the disk is full");
        }
        is_free
    }

    fn again(&self, claim: &Claim, attempts: u32) -> Again {
        self.again_after(claim.attempts, attempts)
    }

    /// Whether something that was begun so often is begun again.
    pub(crate) fn again_after(&self, attempts: u32, most: u32) -> Again {
        let first = Duration::from_secs(self.config.study.retry_after_secs);
        match attempts >= most {
            true => Again::Never,
            false => Again::NotBefore(now() + millis(back_off(first, attempts))),
        }
    }

    fn send_one(&self, claim: &Claim) -> Result<(), Error> {
        let name = &claim.destination;
        let sent = match self.config.destinations.iter().find(|d| d.name == *name) {
            Some(destination) => self.send_to(claim, destination),
            None => Err("the configuration names this destination no more".to_owned()),
        };
        match sent {
            Ok(Delivered { taken, unsupported }) => {
                self.metrics.sent(taken);
                tracing::info!(exam = %claim.key, destination = %name, taken, unsupported, "result sent");
                let remark = (unsupported > 0)
                    .then(|| format!("{unsupported} objects are of classes that it does not take"));
                self.database.finish_sending(claim, remark.as_deref())
            }
            Err(reason) => {
                tracing::warn!(exam = %claim.key, destination = %name, attempt = claim.attempts, %reason, "result not sent");
                let again = self.again(claim, self.config.study.send_attempts);
                self.database.fail(claim, &reason, again, now())
            }
        }
    }

    fn send_to(&self, claim: &Claim, destination: &Destination) -> Result<Delivered, String> {
        let result = claim
            .result
            .as_deref()
            .ok_or("there is no result to send")?;
        let files = dicom_files(&self.store.result(result)).map_err(told)?;
        let remote = Remote {
            address: destination.address.clone(),
            ae_title: destination.ae_title.clone(),
            calling_ae_title: self.config.dicom.ae_title.clone(),
            tls: self.tls.destinations.get(&destination.name).cloned(),
            limits: self.config.limits(),
        };
        let sent = send(&remote, &files).map_err(|e| e.reason().to_owned())?;
        let refused = |one: &&Sent| !one.is_taken() && !one.is_unsupported();
        if let Some(one) = sent.iter().find(refused) {
            let status = one.status;
            return Err(format!(
                "expected every object to be taken, got status {status:#06x}"
            ));
        }
        let taken = sent.iter().filter(|one| one.is_taken()).count() as u64;
        match taken {
            0 => Err("expected an object to be taken, got none of a class it takes".to_owned()),
            _ => Ok(Delivered {
                taken,
                unsupported: sent.len() as u64 - taken,
            }),
        }
    }
}

/// The reason that is shown; what it leaves out is in the log.
pub(crate) fn told(error: Error) -> String {
    tracing::error!(%error, "a job has failed");
    error.reason()
}

/// Reads a study; what breaks there does not break the service.
pub(crate) fn read_safely(
    reader: &mut dyn StudyReader,
    files: &[StudyFile],
    out: &Path,
) -> Result<Reading, String> {
    let read = catch_unwind(AssertUnwindSafe(|| reader.read(files, out)));
    let broke = |_| "reading the study broke: please report this".to_owned();
    read.map_err(broke).and_then(|read| read)
}

/// What a destination took.
struct Delivered {
    taken: u64,
    unsupported: u64,
}

/// Objects of a result that are for sending.
pub(crate) fn dicom_files(result: &Path) -> Result<Vec<PathBuf>, Error> {
    let folder = result.join("dicom");
    match folder.is_dir() {
        true => files_below(&folder),
        false => Ok(Vec::new()),
    }
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for entry in entries(folder)? {
        if entry.is_dir() {
            found.extend(files_below(&entry)?);
        } else if entry.extension().is_some_and(|e| e == "dcm") {
            found.push(entry);
        }
    }
    Ok(found)
}
