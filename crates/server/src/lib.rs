//! The service: studies come in over the DICOM network, are read, and their results go out.
//!
//! Owns: the configuration ([`Config`]), the database and the folder of instances, the states of a
//! study (arriving, complete, queued, running, done or failed), accounts and what they may do, the
//! audit log, reviews, the choice of models, backups, the page and the programming interface. Does not own: the DICOM network (`dicomio::dimse`), reading a study: whoever starts
//! the service brings a [`StudyReader`].
//!
//! Durability: success is told to a peer when the instance and its row are on the disk. Every change
//! of state is one transaction; after a crash the service goes on where it stood.
//!
//! ```no_run
//! use std::path::Path;
//! use lobule_server::{Config, Exposure, Reading, Server, StudyFile, StudyReader, Usable};
//!
//! struct Nothing;
//! impl StudyReader for Nothing {
//!     fn read(&mut self, _: &[StudyFile], _: &Path) -> Result<Reading, String> {
//!         let usable = Usable::No("nothing is read here".to_owned());
//!         Ok(Reading { score: None, flagged: false, synthetic: false, usable })
//!     }
//! }
//! let config = Config::parse("[http]\nport = 0")?;
//! let server = Server::start(config, Exposure::Guarded, "data".as_ref(), Box::new(Nothing))?;
//! println!("http://{}", server.http_address());
//! server.stop();
//! server.wait();
//! # Ok::<(), lobule_server::Error>(())
//! ```

mod accounts;
mod arrivals;
mod backup;
mod config;
mod database;
mod error;
mod events;
mod http;
mod index;
mod keeping;
mod metrics;
mod models;
mod priors;
mod reader;
mod routing;
mod server;
mod store;
mod time;
mod tls;
mod worker;

pub use accounts::{
    Account, Role, add_account, list_accounts, read_audit, remove_account, set_password,
};
pub use backup::{BackedUp, back_up};
pub use config::{
    Accounts, Config, Destination, Dicom, DicomTls, Disk, Durability, Exposure, Http, Keep,
    KnownPeer, Priors, RemoteTls, Route, Study, Tls,
};
pub use database::{AuditRow, Compared, ModelRole};
pub use error::{Error, ErrorKind};
pub use models::{choose_model, chosen_models, compare_models, roll_back_model};
pub use reader::{
    Choice, ModelInUse, ModelPackage, Others, Reading, StudyFile, StudyReader, Usable,
};
pub use server::{Demo, Server};
