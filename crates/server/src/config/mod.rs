//! The configuration: one TOML file, every entry optional.
//!
//! Owns: its entries, where files are that it names. Does not own: what makes no sense (`check`).

mod check;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use lobule_dicomio::dimse::{ListenerTls, NetworkLimits, Peer, SenderTls, TlsIdentity};
use serde::{Deserialize, Deserializer};

use crate::Error;
use crate::database::Expiry;
use crate::time::millis;

/// How the service is set up. A name that is not known is an error.
///
/// ```
/// let config = lobule_server::Config::parse(r#"
/// [dicom]
/// port = 11112
/// ae_title = "LOBULE"
///
/// [[dicom.peer]]
/// ae_title = "MODALITY1"
/// address = "127.0.0.1"
///
/// [study]
/// complete_after_secs = 30
///
/// [[destination]]
/// name = "archive"
/// address = "127.0.0.1:4242"
/// ae_title = "ARCHIVE"
/// "#)?;
/// assert_eq!(config.destinations[0].name, "archive");
/// # Ok::<(), lobule_server::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Receiving.
    pub dicom: Dicom,
    /// The page and the programming interface.
    pub http: Http,
    /// How long somebody stays logged in.
    pub accounts: Accounts,
    /// From arrival to result.
    pub study: Study,
    /// Room that stays free.
    pub disk: Disk,
    /// Where earlier studies of a patient are fetched from; nowhere where there is nothing.
    pub priors: Option<Priors>,
    /// How long studies are kept.
    pub keep: Keep,
    /// Where results are sent.
    #[serde(rename = "destination")]
    pub destinations: Vec<Destination>,
    /// Which model reads a study, and where its result is sent; the first that fits holds.
    #[serde(rename = "route")]
    pub routes: Vec<Route>,
}

/// Receiving over the DICOM network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dicom {
    /// Address to listen on. Without peers it has to be of this machine.
    pub listen: IpAddr,
    /// Port; 0 takes any that is free.
    pub port: u16,
    /// The title peers have to call, and the one results are sent under.
    pub ae_title: String,
    /// Who may send; whoever reaches the port where there is none.
    #[serde(rename = "peer")]
    pub peers: Vec<KnownPeer>,
    /// Associations at once.
    pub max_associations: usize,
    /// Largest data set of an instance.
    pub max_instance_mib: u64,
    /// Longest silence of a peer.
    pub idle_secs: u64,
    /// Associations at once of one address.
    pub max_associations_per_address: usize,
    /// Connections that one address may open in a minute.
    pub max_connections_per_minute: u32,
    /// Most MiB a second that one association may send; any number where there is nothing.
    pub max_mib_per_sec: Option<u64>,
    /// Certificates; the port speaks TLS alone where they are given.
    pub tls: Option<DicomTls>,
}

impl Default for Dicom {
    fn default() -> Dicom {
        let limits = NetworkLimits::default();
        Dicom {
            listen: Ipv4Addr::LOCALHOST.into(),
            port: 11112,
            ae_title: "LOBULE".to_owned(),
            peers: Vec::new(),
            max_associations: limits.associations,
            max_instance_mib: limits.instance_bytes >> 20,
            idle_secs: limits.idle.as_secs(),
            max_associations_per_address: limits.associations_per_address,
            max_connections_per_minute: limits.connections_per_minute,
            max_mib_per_sec: None,
            tls: None,
        }
    }
}

/// A peer that may send.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownPeer {
    /// Its title; any where there is none.
    pub ae_title: Option<String>,
    /// Its address or network (`192.0.2.0/24`); any where there is none.
    #[serde(default, deserialize_with = "address_or_network")]
    pub address: Option<IpNet>,
}

/// The certificate of the DICOM port, and who may show one. Files are in PEM form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DicomTls {
    /// The certificate, followed by those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Peers have to show a certificate of these authorities; none where there is nothing.
    pub client_authorities: Option<PathBuf>,
}

/// How a connection to a peer is encrypted. Files are in PEM form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteTls {
    /// Whose certificates are trusted.
    pub authorities: PathBuf,
    /// A certificate to show; `key` goes with it.
    pub certificate: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
    /// The name that the peer's certificate is for, where it is not the host of the address.
    pub name: Option<String>,
}

/// Room on the file system of the data folder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Disk {
    /// Where less is free, instances are refused and studies wait, so that what was taken can still be
    /// read and entered.
    pub keep_free_mib: u64,
    /// What has to be on the disk before a peer is told success.
    pub durability: Durability,
}

/// What has to be on the disk before a peer is told success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// The instance and its row: it survives a power cut.
    #[default]
    Rows,
    /// The instance alone, as some archives do: it survives a crash of the service; after a power cut
    /// the last rows may be missing, and their instances with them.
    Files,
}

impl Default for Disk {
    fn default() -> Disk {
        Disk {
            keep_free_mib: 512,
            durability: Durability::default(),
        }
    }
}

impl Disk {
    /// In bytes.
    pub(crate) fn keep_free(&self) -> u64 {
        self.keep_free_mib << 20
    }
}

/// The archive that earlier studies of a patient are fetched from, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Priors {
    /// Host and port.
    pub address: String,
    /// Its title. It has to know this service by `dicom.ae_title` as a destination.
    pub ae_title: String,
    /// How the connection is encrypted; not at all where there is nothing.
    pub tls: Option<RemoteTls>,
    /// Studies that are fetched for one that has arrived: the latest of the same kind, none later
    /// than itself.
    #[serde(default = "usual_prior_studies")]
    pub max_studies: usize,
    /// Larger studies are left where they are.
    #[serde(default = "usual_prior_instances")]
    pub max_instances: u16,
}

fn usual_prior_studies() -> usize {
    2
}

fn usual_prior_instances() -> u16 {
    200
}

fn address_or_network<'de, D: Deserializer<'de>>(from: D) -> Result<Option<IpNet>, D::Error> {
    let text = String::deserialize(from)?;
    let address = text.parse::<IpAddr>().map(IpNet::from);
    let parsed = address.or_else(|_| text.parse::<IpNet>());
    let wrong = |_| {
        let expected = "expected an address or a network such as 192.0.2.0/24";
        serde::de::Error::custom(format!("{expected}, got {text:?}"))
    };
    parsed.map(Some).map_err(wrong)
}

/// The page and the programming interface.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address to listen on.
    pub listen: IpAddr,
    /// Port; 0 takes any that is free.
    pub port: u16,
    /// Encryption. Addresses that others can reach need it, and an account.
    pub tls: Option<Tls>,
}

impl Default for Http {
    fn default() -> Http {
        Http {
            listen: Ipv4Addr::LOCALHOST.into(),
            port: 8080,
            tls: None,
        }
    }
}

/// Files for encryption, in PEM; relative to the folder of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate, with those between it and the root.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// How long somebody stays logged in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accounts {
    /// Without a request.
    pub idle_minutes: u64,
    /// In all.
    pub session_hours: u64,
}

impl Default for Accounts {
    fn default() -> Accounts {
        Accounts {
            idle_minutes: 30,
            session_hours: 12,
        }
    }
}

impl Accounts {
    pub(crate) fn expiry(&self) -> Expiry {
        Expiry {
            idle: millis(Duration::from_secs(self.idle_minutes * 60)),
            whole: millis(Duration::from_secs(self.session_hours * 3600)),
        }
    }
}

/// How long studies are kept; for ever where nothing is said. Only studies that are over go.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keep {
    /// Most bytes of instances, in GiB; the oldest studies go first.
    pub most_gib: Option<u64>,
    /// Days after the last arrival.
    pub days: Option<u32>,
}

impl Keep {
    pub(crate) fn most_bytes(&self) -> Option<u64> {
        self.most_gib.map(|gib| gib.saturating_mul(1 << 30))
    }
}

/// A rule on studies. Where it says nothing of a thing, any will do; what it says has to hold of one
/// and the same instance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// DICOM's code of what the instance was made with, `MG` or `US`.
    pub modality: Option<String>,
    /// View of a mammogram, `CC` or `MLO`.
    pub view: Option<String>,
    /// Title of whoever sent it.
    pub source: Option<String>,
    /// Folder of the model package that reads the study, relative to the folder of the
    /// configuration; the active one where there is none.
    pub model: Option<PathBuf>,
    /// Names of the destinations of its result; all where nothing is said, none where the list is
    /// empty.
    pub destinations: Option<Vec<String>>,
}

/// From arrival to result.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Study {
    /// A study is complete when nothing of it has arrived for so long.
    pub complete_after_secs: u64,
    /// How often a study is begun before it counts as failed.
    pub attempts: u32,
    /// How often a result is sent before sending it counts as failed.
    pub send_attempts: u32,
    /// Wait before the second attempt; it doubles with each further one.
    pub retry_after_secs: u64,
}

impl Default for Study {
    fn default() -> Study {
        Study {
            complete_after_secs: 30,
            attempts: 3,
            send_attempts: 10,
            retry_after_secs: 10,
        }
    }
}

/// Where results are sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// Its name in the database and on pages.
    pub name: String,
    /// Host and port.
    pub address: String,
    /// Its title.
    pub ae_title: String,
    /// How the connection is encrypted; not at all where there is nothing.
    pub tls: Option<RemoteTls>,
}

/// Whether ports may be open to other machines without encryption, accounts or a list of peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// Only to this machine; the page also to those who log in over TLS, the DICOM port also to
    /// the peers of a list.
    Guarded,
    /// To whoever reaches the machine.
    Insecure,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with the line, where it is no TOML, a name
    /// is unknown or a value makes no sense.
    pub fn parse(text: &str) -> Result<Config, Error> {
        let wrong = |e: toml::de::Error| Error::config(one_line(&e.to_string()));
        let config: Config = toml::from_str(text).map_err(wrong)?;
        config.check()?;
        Ok(config)
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// As [`Config::parse`], and when the file cannot be read.
    pub fn read(path: &Path) -> Result<Config, Error> {
        let unreadable = |e| Error::config(format!("expected a configuration, got: {e}"));
        let text = std::fs::read_to_string(path).map_err(unreadable);
        let config = text.and_then(|text| Config::parse(&text));
        let config = config.map_err(|e| e.in_file(path))?;
        Ok(config.below(path.parent().unwrap_or(Path::new(""))))
    }

    /// Files that are named are found beside the configuration.
    fn below(mut self, folder: &Path) -> Config {
        if let Some(tls) = &mut self.http.tls {
            tls.certificate = folder.join(&tls.certificate);
            tls.key = folder.join(&tls.key);
        }
        for model in self
            .routes
            .iter_mut()
            .filter_map(|route| route.model.as_mut())
        {
            *model = folder.join(&*model);
        }
        self
    }

    pub(crate) fn dicom_address(&self) -> SocketAddr {
        SocketAddr::new(self.dicom.listen, self.dicom.port)
    }

    pub(crate) fn http_address(&self) -> SocketAddr {
        SocketAddr::new(self.http.listen, self.http.port)
    }

    pub(crate) fn peers(&self) -> Vec<Peer> {
        let peers = self.dicom.peers.iter();
        peers
            .map(|peer| Peer {
                ae_title: peer.ae_title.clone(),
                address: peer.address,
            })
            .collect()
    }

    pub(crate) fn limits(&self) -> NetworkLimits {
        NetworkLimits {
            associations: self.dicom.max_associations,
            instance_bytes: self.dicom.max_instance_mib << 20,
            idle: Duration::from_secs(self.dicom.idle_secs),
            associations_per_address: self.dicom.max_associations_per_address,
            connections_per_minute: self.dicom.max_connections_per_minute,
            bytes_per_sec: self.dicom.max_mib_per_sec.map(|mib| mib << 20),
            ..NetworkLimits::default()
        }
    }
}

impl DicomTls {
    /// Reads the files.
    pub(crate) fn read(&self) -> Result<ListenerTls, Error> {
        let identity = TlsIdentity {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
        };
        let read = ListenerTls::read(&identity, self.client_authorities.as_deref());
        read.map_err(|e| Error::config(e.to_string()))
    }
}

impl RemoteTls {
    /// Reads the files.
    pub(crate) fn read(&self) -> Result<SenderTls, Error> {
        let identity = match (&self.certificate, &self.key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(TlsIdentity {
                certificate: certificate.clone(),
                key: key.clone(),
            }),
            _ => {
                let message = "expected a certificate with its key in a `tls`, got one of them";
                return Err(Error::config(message));
            }
        };
        let read = SenderTls::read(&self.authorities, identity.as_ref(), self.name.as_deref());
        read.map_err(|e| Error::config(e.to_string()))
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_honoured_is_refused() {
        for text in [
            "[dicom]\nprot = 1",
            "[dicom]\nae_title = \"MORE THAN SIXTEEN\"",
            "[dicom]\nae_title = \"\"",
            "[[dicom.peer]]",
            "[study]\ncomplete_after_secs = 0",
            "[dicom]\nidle_secs = 0",
            "[accounts]\nidle_minutes = 0",
            "[keep]\ndays = 0",
            "[http.tls]\ncertificate = \"c.pem\"",
            "[[route]]\nmodality = \"MG\"",
            "[[route]]\ndestinations = [\"nowhere\"]",
            "[[dicom.peer]]\naddress = \"192.0.2.0/33\"",
            "[disk]\nkeep_free_mib = 0",
            "[priors]\nae_title = \"ARCHIVE\"",
            "[priors]\nae_title = \"A\"\naddress = \"a:1\"\nmax_studies = 21",
            "nonsense",
        ] {
            assert!(Config::parse(text).is_err(), "{text}");
        }
        assert_eq!(Config::parse(""), Ok(Config::default()));
    }

    #[test]
    fn files_are_found_beside_the_configuration() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("lobule.toml");
        let text =
            "[http.tls]\ncertificate = \"c.pem\"\nkey = \"/k.pem\"\n[[route]]\nmodel = \"m\"";
        std::fs::write(&file, text).unwrap();
        let config = Config::read(&file).unwrap();
        let tls = config.http.tls.unwrap();
        assert_eq!(tls.certificate, dir.path().join("c.pem"));
        assert_eq!(tls.key, Path::new("/k.pem"));
        assert_eq!(config.routes[0].model, Some(dir.path().join("m")));
    }

    #[test]
    fn peers_are_named_by_address_or_network() {
        let text = "[[dicom.peer]]\naddress = \"192.0.2.0/24\"\n[[dicom.peer]]\naddress = \"::1\"";
        let config = Config::parse(text).unwrap();
        let known = |text: &str| {
            let address: IpAddr = text.parse().unwrap();
            let peers = config.peers();
            peers
                .iter()
                .any(|p| p.address.is_some_and(|a| a.contains(&address)))
        };
        assert!(known("192.0.2.77") && known("::1"));
        assert!(!known("192.0.3.1") && !known("::2"));
    }

    #[test]
    fn ports_are_open_to_this_machine_alone_unless_told() {
        let open_page = Config::parse("[http]\nlisten = \"0.0.0.0\"").unwrap();
        assert!(open_page.check_exposure(Exposure::Guarded).is_err());
        assert!(open_page.check_exposure(Exposure::Insecure).is_ok());
        let tls =
            "[http]\nlisten = \"0.0.0.0\"\n[http.tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"";
        let with_tls = Config::parse(tls).unwrap();
        assert!(with_tls.check_exposure(Exposure::Guarded).is_ok());
        let open_port = "[dicom]\nlisten = \"0.0.0.0\"";
        let config = Config::parse(open_port).unwrap();
        assert!(config.check_exposure(Exposure::Guarded).is_err());
        let known = format!("{open_port}\n[[dicom.peer]]\nae_title = \"US1\"");
        let config = Config::parse(&known).unwrap();
        assert!(config.check_exposure(Exposure::Guarded).is_ok());
    }
}
