//! `lobule serve`: studies arrive, are read as `lobule assess` reads them, and their results go out.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use lobule_assess::{Inputs, Keep, NamedFile, collect, collect_named};
use lobule_dicomio::dimse::{NetworkLimits, Remote, send};
use lobule_exam::Modality;
use lobule_report::{HeatMaps, Surroundings};
use lobule_server::{
    Choice, Config, Exposure, ModelInUse, ModelPackage, Others, Reading, Server, StudyFile,
    StudyReader, Usable,
};

use crate::assess::{Destination, Run, assess_into, nothing_usable, without_model};
use crate::default_package::{Models, Reads, find};
use crate::demo::write_exams;
use crate::dicom_out::DicomOut;
use crate::failure::{Failure, Outcome};
use crate::setup::{ModelArgs, check_output, ready};

/// A demonstration need not wait long for more images.
const DEMO_COMPLETE_AFTER_SECS: u64 = 2;
/// The title the demonstration sends under.
const DEMO_TITLE: &str = "LOBULE-DEMO";

/// Models that stay open although no study is read with them.
const MOST_SPARE: usize = 4;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// TOML file: ports, TLS, peers, rules, destinations of results, times
    /// [default: ports of this machine alone, no destination].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Folder for the database, the instances and the results.
    #[arg(long, value_name = "DIR", default_value = "lobule-data")]
    data: PathBuf,

    /// Port for DICOM, 0 for any that is free [default: the configuration's, else 11112].
    #[arg(long, value_name = "N")]
    dicom_port: Option<u16>,

    /// Port for the page, 0 for any that is free [default: the configuration's, else 8080].
    #[arg(long, value_name = "N")]
    http_port: Option<u16>,

    /// Send synthetic exams to this service once it runs.
    #[arg(long)]
    demo: bool,

    /// Allow addresses that others can reach without TLS, and without accounts: whoever reaches the
    /// page then sees every study.
    #[arg(long)]
    insecure_listen: bool,

    #[command(flatten)]
    model: ModelArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let config = configuration(args)?;
    check_output(&args.data)?;
    let reader = Reader::open(&args.model)?;
    let exposure = match args.insecure_listen {
        true => Exposure::Insecure,
        false => Exposure::Guarded,
    };
    if exposure == Exposure::Insecure {
        tracing::warn!(
            "--insecure-listen: nothing is encrypted, and without accounts whoever reaches this service sees every study"
        );
    }
    let ae_title = config.dicom.ae_title.clone();
    let scheme = match config.http.tls {
        Some(_) => "https",
        None => "http",
    };
    let server = Server::start(config, exposure, &args.data, Box::new(reader))?;
    let (page, port) = (server.http_address(), server.dicom_address());
    // A service goes on where nobody reads this.
    let _ = writeln!(
        std::io::stdout(),
        "{scheme}://{page}/\nDICOM {port} {ae_title}"
    );
    eprintln!("{}", lobule_report::NOTICE);
    let demo = Demonstration {
        model: args.model.clone(),
        address: server.dicom_address().to_string(),
        ae_title,
    };
    if args.demo {
        let sent = demo.send();
        if let Err(failure) = sent {
            server.stop();
            server.wait();
            return Err(failure);
        }
    }
    server.offer_demo(Box::new(move || {
        demo.send().map_err(|failure| failure.to_string())
    }));
    server.wait();
    Ok(Outcome::Complete)
}

fn configuration(args: &Args) -> Result<Config, Failure> {
    let mut config = match &args.config {
        Some(file) => Config::read(file)?,
        None => Config::default(),
    };
    if args.demo && args.config.is_none() {
        config.study.complete_after_secs = DEMO_COMPLETE_AFTER_SECS;
    }
    config.dicom.port = args.dicom_port.unwrap_or(config.dicom.port);
    config.http.port = args.http_port.unwrap_or(config.http.port);
    Ok(config)
}

/// Synthetic exams for this service.
struct Demonstration {
    model: ModelArgs,
    address: String,
    ae_title: String,
}

impl Demonstration {
    /// Sends those of every modality with a model, an association each.
    fn send(&self) -> Result<(), Failure> {
        let unwritten = |e: std::io::Error| Failure::output(format!("expected a folder, got: {e}"));
        let folder = tempfile::tempdir().map_err(unwritten)?;
        let remote = Remote {
            address: self.address.clone(),
            ae_title: self.ae_title.clone(),
            calling_ae_title: DEMO_TITLE.to_owned(),
            tls: None,
            limits: NetworkLimits::default(),
        };
        eprintln!("SYNTHETIC exams: computed phantoms, not patients.");
        for modality in Models::open(&self.model.model)?.modalities()? {
            for exam in write_exams(modality, folder.path())? {
                let inputs = collect(&[exam])?;
                let files: Vec<PathBuf> = inputs.files().map(|f| f.path.clone()).collect();
                let sent = send(&remote, &files);
                let sent = sent.map_err(|e| Failure::unexpected(e.to_string()))?;
                let taken = sent.iter().filter(|one| one.is_taken()).count();
                tracing::info!(%modality, files = taken, "synthetic exam sent");
            }
        }
        Ok(())
    }
}

/// Reads studies with the models of this run and those that were chosen since, which stay open.
struct Reader {
    /// One per modality, without inputs between studies.
    runs: Vec<Run>,
    /// Open, and not in use.
    spare: Vec<Run>,
    /// Digests of the models of this run.
    usual: Vec<(Modality, String)>,
    /// Digests of packages that were opened.
    opened: HashMap<PathBuf, (Modality, String)>,
    choice: Choice,
    args: ModelArgs,
}

impl Reader {
    fn open(args: &ModelArgs) -> Result<Reader, Failure> {
        let mut models = Models::open(&args.model)?;
        let mut runs = Vec::new();
        for modality in Modality::RADIOLOGY {
            if let Some(model) = models.take(Reads::Exams(modality))? {
                runs.push(Run {
                    ready: ready(model, args, Keep::Pictures)?,
                    inputs: Inputs::default(),
                });
            }
        }
        args.check_for(runs.len())?;
        match runs.is_empty() {
            true => Err(Failure::package("expected a model, got none")),
            false => Ok(Reader {
                usual: runs.iter().map(of_run).collect(),
                runs,
                spare: Vec::new(),
                opened: HashMap::new(),
                choice: Choice::default(),
                args: args.clone(),
            }),
        }
    }

    /// The digests a choice comes to, one per modality; what is missing is opened.
    fn resolve(&mut self, choice: &Choice) -> Result<Vec<(Modality, String)>, Failure> {
        let mut wanted = match choice.others {
            Others::Usual => self.usual.clone(),
            Others::None => Vec::new(),
        };
        for package in &choice.packages {
            let (modality, digest) = self.open_chosen(package)?;
            wanted.retain(|(other, _)| *other != modality);
            wanted.push((modality, digest));
        }
        Ok(wanted)
    }

    fn open_chosen(&mut self, package: &ModelPackage) -> Result<(Modality, String), Failure> {
        let folder = &package.folder;
        let known = self.opened.get(folder).cloned();
        let is_open = |(_, digest): &(Modality, String)| {
            let mut runs = self.runs.iter().chain(&self.spare);
            runs.any(|run| run.ready.info.model.digest == *digest)
        };
        let fits = |digest: &str| package.digest.is_empty() || package.digest == digest;
        if let Some(found) = known.filter(|found| is_open(found) && fits(&found.1)) {
            return Ok(found);
        }
        let found = find(Some(folder))?;
        let digest = found.package.digest().to_owned();
        if !fits(&digest) {
            let message = "expected the model package as it was chosen, got one with another digest: choose it again";
            return Err(Failure::package(message).of(folder));
        }
        let about = (found.modality(), digest);
        if !is_open(&about) {
            let run = Run {
                ready: ready(found, &self.args, Keep::Pictures)?,
                inputs: Inputs::default(),
            };
            self.spare.push(run);
        }
        self.opened.insert(folder.clone(), about.clone());
        Ok(about)
    }

    /// Puts the models of these digests to use.
    fn put_to_use(&mut self, wanted: &[(Modality, String)]) {
        self.spare.append(&mut self.runs);
        for (_, digest) in wanted {
            let at = self
                .spare
                .iter()
                .position(|run| run.ready.info.model.digest == *digest);
            self.runs.extend(at.map(|at| self.spare.remove(at)));
        }
        // The usual ones come back when a choice is taken back; of others, the last few are kept.
        let is_usual = |run: &Run| self.usual.contains(&of_run(run));
        while self.spare.len() > MOST_SPARE {
            match self.spare.iter().position(|run| !is_usual(run)) {
                Some(at) => drop(self.spare.remove(at)),
                None => break,
            }
        }
    }

    /// Gives every model its part of the inputs; what no model reads is skipped.
    fn share_out(&mut self, inputs: &mut Inputs) {
        for modality in Modality::RADIOLOGY {
            let own = inputs.take(modality);
            match self
                .runs
                .iter_mut()
                .find(|r| r.ready.info.model.modality == modality)
            {
                Some(run) => run.inputs = own,
                None => inputs.skipped.extend(without_model(&own, modality)),
            }
        }
    }

    fn read_inputs(&mut self, mut inputs: Inputs, out: &Path) -> Result<Reading, Failure> {
        self.share_out(&mut inputs);
        // Those with something to read come first.
        self.runs.sort_by_key(|run| run.inputs.exams.is_empty());
        let busy = self
            .runs
            .partition_point(|run| !run.inputs.exams.is_empty());
        if busy == 0 {
            return Ok(unusable(nothing_usable(&inputs)));
        }
        let destination = Destination {
            out,
            heat_maps: HeatMaps::Write,
            identity: Surroundings::Hide,
            dicom: Some(DicomOut::create(&out.join("dicom"))?),
        };
        let (runs, progress) = (&mut self.runs[..busy], ProgressBar::hidden());
        let finished = assess_into(destination, runs, &inputs.skipped, &progress)?;
        if finished.exams == 0 {
            let first = finished
                .first_skipped
                .map(|s| format!("{}: {}", s.file, s.reason));
            let why = first.unwrap_or_else(|| "the report says why".to_owned());
            return Ok(unusable(format!(
                "expected at least one usable image, got none: {why}"
            )));
        }
        Ok(Reading {
            score: finished.highest,
            flagged: finished.flagged > 0,
            synthetic: finished.synthetic,
            usable: Usable::Yes,
        })
    }
}

fn unusable(reason: String) -> Reading {
    Reading {
        score: None,
        flagged: false,
        synthetic: false,
        usable: Usable::No(reason),
    }
}

/// An instance goes by its identifier: where it lies is no business of who reads a result.
fn named(file: &StudyFile) -> NamedFile {
    NamedFile {
        name: file.instance_uid.clone(),
        path: file.path.clone(),
    }
}

/// The reason that is shown; what it leaves out is in the log.
fn told(failure: &Failure) -> String {
    tracing::warn!(%failure, "a study cannot be read");
    failure.reason()
}

fn of_run(run: &Run) -> (Modality, String) {
    let model = &run.ready.info.model;
    (model.modality, model.digest.clone())
}

impl StudyReader for Reader {
    fn choose(&mut self, choice: &Choice) -> Result<(), String> {
        if *choice == self.choice {
            return Ok(());
        }
        let wanted = self.resolve(choice).map_err(|f| told(&f))?;
        self.put_to_use(&wanted);
        self.choice = choice.clone();
        Ok(())
    }

    fn models(&self) -> Vec<ModelInUse> {
        let in_use = |run: &Run| {
            let model = &run.ready.info.model;
            ModelInUse {
                modality: model.modality.name().to_owned(),
                name: model.name.clone(),
                version: model.version.clone(),
                digest: model.digest.clone(),
            }
        };
        self.runs.iter().map(in_use).collect()
    }

    fn read(&mut self, files: &[StudyFile], out: &Path) -> Result<Reading, String> {
        let read = self.read_inputs(collect_named(files.iter().map(named)), out);
        for run in &mut self.runs {
            run.inputs = Inputs::default();
        }
        read.map_err(|failure| told(&failure))
    }
}
