//! What a configuration may not say, and which ports it may not open.

use super::{Config, Exposure, Route};
use crate::Error;

/// Longest title of an application entity (VR AE).
const MAX_AE_TITLE: usize = 16;

impl Config {
    pub(super) fn check(&self) -> Result<(), Error> {
        let peers = self.dicom.peers.iter().filter_map(|p| p.ae_title.as_ref());
        let destinations = self.destinations.iter().map(|d| &d.ae_title);
        let archive = self.priors.iter().map(|p| &p.ae_title);
        let others = peers.chain(destinations).chain(archive);
        for title in others.chain([&self.dicom.ae_title]) {
            check_title(title)?;
        }
        if let Some(at) = self
            .dicom
            .peers
            .iter()
            .position(|p| p.ae_title.is_none() && p.address.is_none())
        {
            let number = at + 1;
            return Err(Error::config(format!(
                "expected a title or an address of peer {number}, got neither"
            )));
        }
        for (at, one) in self.destinations.iter().enumerate() {
            if self.destinations[..at]
                .iter()
                .any(|other| other.name == one.name)
            {
                return Err(Error::config(format!(
                    "expected destinations of different names, got two of {:?}",
                    one.name
                )));
            }
        }
        for (at, route) in self.routes.iter().enumerate() {
            self.check_route(route)
                .map_err(|e| Error::config(format!("route {}: {e}", at + 1)))?;
        }
        for (name, value, most) in self.numbers() {
            if !(1..=most).contains(&value) {
                return Err(Error::config(format!(
                    "expected {name} from 1 to {most}, got {value}"
                )));
            }
        }
        Ok(())
    }

    /// Every number with its name and the most it may be; the least is 1.
    fn numbers(&self) -> Vec<(&'static str, u64, u64)> {
        const DAY: u64 = 86_400;
        let (dicom, study) = (&self.dicom, &self.study);
        let per_address = dicom.max_associations_per_address as u64;
        let per_minute = u64::from(dicom.max_connections_per_minute);
        let mut numbers = vec![
            (
                "dicom.max_associations",
                dicom.max_associations as u64,
                1024,
            ),
            ("dicom.max_associations_per_address", per_address, 1024),
            ("dicom.max_connections_per_minute", per_minute, 1_000_000),
            ("dicom.max_instance_mib", dicom.max_instance_mib, 1 << 20),
            ("dicom.idle_secs", dicom.idle_secs, DAY),
            ("study.complete_after_secs", study.complete_after_secs, DAY),
            ("study.attempts", u64::from(study.attempts), 100),
            ("study.send_attempts", u64::from(study.send_attempts), 1000),
            ("study.retry_after_secs", study.retry_after_secs, DAY),
            ("disk.keep_free_mib", self.disk.keep_free_mib, 1 << 30),
            ("accounts.idle_minutes", self.accounts.idle_minutes, 1440),
            ("accounts.session_hours", self.accounts.session_hours, 720),
            ("keep.most_gib", self.keep.most_gib.unwrap_or(1), 1 << 30),
            ("keep.days", u64::from(self.keep.days.unwrap_or(1)), 36_500),
        ];
        if let Some(rate) = dicom.max_mib_per_sec {
            numbers.push(("dicom.max_mib_per_sec", rate, 1 << 20));
        }
        if let Some(priors) = &self.priors {
            numbers.push(("priors.max_studies", priors.max_studies as u64, 20));
            numbers.push((
                "priors.max_instances",
                u64::from(priors.max_instances),
                10_000,
            ));
        }
        numbers
    }

    fn check_route(&self, route: &Route) -> Result<(), Error> {
        let named = route.destinations.iter().flatten();
        for name in named {
            if !self.destinations.iter().any(|one| one.name == *name) {
                let message = format!("expected the name of a destination, got {name:?}");
                return Err(Error::config(message));
            }
        }
        let says_nothing = route.model.is_none() && route.destinations.is_none();
        match says_nothing {
            true => Err(Error::config(
                "expected a model or destinations, got neither",
            )),
            false => Ok(()),
        }
    }

    /// Refuses ports that are open to others without encryption or a list of peers. Whether
    /// somebody can log in is seen when the data folder is open.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), naming the address.
    pub fn check_exposure(&self, exposure: Exposure) -> Result<(), Error> {
        if exposure == Exposure::Insecure {
            return Ok(());
        }
        let http = self.http.listen;
        if !http.is_loopback() && self.http.tls.is_none() {
            return Err(Error::config(format!(
                "expected [http.tls] for the page on {http}, or an address of this machine (127.0.0.1), got neither; --insecure-listen opens it to whoever reaches it"
            )));
        }
        let dicom = self.dicom.listen;
        if !dicom.is_loopback() && self.dicom.peers.is_empty() {
            return Err(Error::config(format!(
                "expected peers for a DICOM port on {dicom}, got none: name who may send, or give --insecure-listen"
            )));
        }
        Ok(())
    }
}

fn check_title(title: &str) -> Result<(), Error> {
    let length_fits = (1..=MAX_AE_TITLE).contains(&title.len());
    let is_printable = title
        .bytes()
        .all(|b| (b' '..=b'~').contains(&b) && b != b'\\');
    match length_fits && is_printable && title.trim() == title {
        true => Ok(()),
        false => Err(Error::config(format!(
            "expected a title of 1 to {MAX_AE_TITLE} printable characters, got {title:?}"
        ))),
    }
}
