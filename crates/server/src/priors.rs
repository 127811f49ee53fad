//! Earlier studies of a patient, fetched from an archive when a study has arrived.
//!
//! Owns: which studies are worth having, and asking for them one after another. Does not own: the
//! network (`dicomio::dimse`), receiving them: the archive sends to this service's own port.

use std::time::Duration;

use lobule_dicomio::dimse::{FoundStudy, PatientStudies, Remote, find_studies, move_study};

use crate::Error;
use crate::config::Priors;
use crate::database::{Fetch, Millis};
use crate::time::now;
use crate::worker::{TICK, Work};

/// Studies of one patient that an archive is asked about.
const MOST_STUDIES: usize = 500;

impl Work<'_> {
    /// Sets aside priors that have arrived, and has those of the other studies fetched.
    pub(crate) fn sort_priors(&self, now: Millis) -> Result<(), Error> {
        self.database.keep_priors(now)?;
        if self.config.priors.is_some() {
            self.database.want_priors()?;
        }
        Ok(())
    }

    /// Fetches priors until a stop is asked for.
    pub(crate) fn fetch(&self) {
        let Some(priors) = &self.config.priors else {
            return;
        };
        while !self.stop.is_asked() {
            let done = match self.database.take_fetch(now()) {
                Ok(Some(fetch)) => self.fetch_for(&fetch, priors),
                Ok(None) => {
                    std::thread::sleep(TICK);
                    continue;
                }
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                tracing::error!(%error, "priors could not be entered");
                std::thread::sleep(Duration::from_secs(1));
            }
        }
    }

    fn fetch_for(&self, fetch: &Fetch, priors: &Priors) -> Result<(), Error> {
        match self.fetch_all(fetch, priors)? {
            Ok(fetched) => {
                let Fetched { found, left } = fetched;
                tracing::info!(exam = %fetch.key, found, left, "priors fetched");
                let remark = (left > 0).then(|| format!("{left} larger studies were left"));
                self.database
                    .finish_fetch(fetch.study, found, remark.as_deref())
            }
            Err(reason) => {
                tracing::warn!(exam = %fetch.key, attempt = fetch.attempts, %reason, "priors not fetched");
                let again = self.again_after(fetch.attempts, self.config.study.send_attempts);
                self.database.fail_fetch(fetch.study, &reason, again)
            }
        }
    }

    /// The inner error is the archive's.
    fn fetch_all(&self, fetch: &Fetch, priors: &Priors) -> Result<Result<Fetched, String>, Error> {
        let own = &self.config.dicom.ae_title;
        let remote = Remote {
            address: priors.address.clone(),
            ae_title: priors.ae_title.clone(),
            calling_ae_title: own.clone(),
            tls: self.tls.priors.clone(),
            limits: self.config.limits(),
        };
        let of = self.store.instance(&fetch.content);
        let studies = match find_studies(&remote, &of, MOST_STUDIES) {
            Ok(studies) => studies,
            Err(e) => return Ok(Err(e.reason().to_owned())),
        };
        if studies.of_others > 0 {
            tracing::warn!(exam = %fetch.key, count = studies.of_others, "an archive answers with studies of others");
        }
        let chosen = choose(studies, &fetch.modalities, priors);
        let mut fetched = Fetched {
            found: 0,
            left: chosen.too_large,
        };
        for study in chosen.studies {
            let kept = self.database.kept_instances(&study.study_uid)?;
            if kept == 0 || study.instances.is_some_and(|there| there > kept) {
                self.database.expect_prior(&study.study_uid, fetch.study)?;
                let moved = move_study(&remote, &study.study_uid, own, priors.max_instances);
                match moved {
                    Ok(moved) if moved.failed == 0 => {}
                    Ok(moved) => {
                        let failed = moved.failed;
                        return Ok(Err(format!(
                            "expected a whole study, got {failed} instances that failed"
                        )));
                    }
                    Err(e) => return Ok(Err(e.reason().to_owned())),
                }
            }
            fetched.found += 1;
        }
        Ok(Ok(fetched))
    }
}

struct Fetched {
    found: usize,
    left: usize,
}

struct Chosen {
    studies: Vec<FoundStudy>,
    too_large: usize,
}

/// The latest studies with a modality in common, none later than the patient's own; where the archive
/// does not say what a study was made with, it may be one. A study without a date comes last.
fn choose(found: PatientStudies, modalities: &[String], priors: &Priors) -> Chosen {
    let is_later = |one: &FoundStudy| !found.own_date.is_empty() && one.date > found.own_date;
    let is_alike = |one: &FoundStudy| {
        one.modalities.is_empty() || one.modalities.iter().any(|m| modalities.contains(m))
    };
    let mut studies: Vec<FoundStudy> = found
        .others
        .iter()
        .filter(|o| !is_later(o))
        .cloned()
        .collect();
    studies.retain(is_alike);
    studies.sort_by(|a, b| {
        b.date
            .cmp(&a.date)
            .then_with(|| a.study_uid.cmp(&b.study_uid))
    });
    studies.truncate(priors.max_studies);
    let before = studies.len();
    let most = u64::from(priors.max_instances);
    studies.retain(|one| one.instances.is_none_or(|count| count <= most));
    Chosen {
        too_large: before - studies.len(),
        studies,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study(uid: &str, date: &str, modality: &str, instances: u64) -> FoundStudy {
        FoundStudy {
            study_uid: uid.to_owned(),
            date: date.to_owned(),
            modalities: vec![modality.to_owned()],
            instances: Some(instances),
        }
    }

    #[test]
    fn the_latest_studies_of_the_same_kind_are_chosen() {
        let priors = Priors {
            address: String::new(),
            ae_title: String::new(),
            tls: None,
            max_studies: 3,
            max_instances: 100,
        };
        let found = PatientStudies {
            own_date: "20260101".to_owned(),
            others: vec![
                study("1.1", "20200101", "MG", 4),
                study("1.2", "20270101", "MG", 4),
                study("1.3", "20240101", "US", 4),
                study("1.4", "20230101", "MG", 101),
                study("1.5", "", "MG", 4),
                study("1.6", "20250101", "MG", 4),
            ],
            of_others: 0,
        };
        let chosen = choose(found, &["MG".to_owned()], &priors);
        let uids: Vec<&str> = chosen
            .studies
            .iter()
            .map(|s| s.study_uid.as_str())
            .collect();
        assert_eq!((uids, chosen.too_large), (vec!["1.6", "1.1"], 1));
    }
}
