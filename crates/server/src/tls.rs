//! How connections to others are encrypted, as the configuration says.

use std::collections::HashMap;

use lobule_dicomio::dimse::SenderTls;

use crate::Error;
use crate::config::Config;

#[derive(Debug, Default)]
pub(crate) struct Tls {
    /// By the name of the destination.
    pub(crate) destinations: HashMap<String, SenderTls>,
    /// To the archive that priors come from.
    pub(crate) priors: Option<SenderTls>,
}

impl Tls {
    /// Reads every file that the configuration names.
    pub(crate) fn read(config: &Config) -> Result<Tls, Error> {
        let mut tls = Tls::default();
        for one in &config.destinations {
            if let Some(files) = &one.tls {
                tls.destinations.insert(one.name.clone(), files.read()?);
            }
        }
        let archive = config
            .priors
            .as_ref()
            .and_then(|priors| priors.tls.as_ref());
        tls.priors = archive.map(|files| files.read()).transpose()?;
        Ok(tls)
    }
}
