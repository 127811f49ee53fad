//! `lobule model import gmic`: published checkpoints of the mammography network become a package.

use std::path::PathBuf;

use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// PyTorch checkpoints (zip or legacy pickle; parsed, never executed); several make an ensemble.
    #[arg(required = true, value_name = "CHECKPOINT")]
    checkpoints: Vec<PathBuf>,

    /// New folder for the package.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Name of the package.
    #[arg(long, value_name = "NAME", default_value = "gmic")]
    name: String,

    /// Share of the saliency map behind the global score, above 0 and at most 1; no checkpoint holds
    /// it, and the five published models have different ones (0.02 to 0.1). One for all, or one per
    /// checkpoint, with commas.
    #[arg(
        long,
        value_name = "SHARE",
        value_delimiter = ',',
        default_value = "0.02"
    )]
    percent_t: Vec<f64>,
}

/// Without the feature `train` there is no network to fold the weights into.
#[cfg(not(feature = "train"))]
pub(super) fn run(args: &Args) -> Result<Outcome, Failure> {
    shares(args)?;
    let (n, out, name) = (args.checkpoints.len(), args.out.display(), &args.name);
    Err(Failure::usage(format!(
        "{out}: expected a build with the feature `train` to import {n} checkpoints as {name}, got one without"
    )))
}

/// The share of each checkpoint.
fn shares(args: &Args) -> Result<Vec<f64>, Failure> {
    let wrong = args.percent_t.iter().find(|t| !(**t > 0.0 && **t <= 1.0));
    if let Some(wrong) = wrong {
        let message = format!("expected a share above 0 and at most 1, got {wrong}");
        return Err(Failure::usage(message));
    }
    let (given, wanted) = (args.percent_t.len(), args.checkpoints.len());
    match args.percent_t.as_slice() {
        [all] => Ok(vec![*all; wanted]),
        each if given == wanted => Ok(each.to_vec()),
        _ => Err(Failure::usage(format!(
            "expected one share or {wanted}, one per checkpoint, got {given}"
        ))),
    }
}

#[cfg(feature = "train")]
pub(super) use write::run;

#[cfg(feature = "train")]
mod write {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use lobule_model::{GmicConfig, WeightPrecision, gmic_graphs_from_pytorch};
    use lobule_package::{
        ABOVE_10, ABOVE_10_THRESHOLD, CARD_FILE, FORMAT, FindingThresholds, GlobalLocal, GraphFile,
        LOCAL_GRAPH, MANIFEST_FILE, Manifest, Member, Modality, OperatingPoint, Package, Prepare,
        Saliency, Status, Wiring, sha256_of_file,
    };
    use lobule_raster::MammogramConfig;

    use tempfile::TempDir;

    use super::{Args, Failure, Outcome, shares};

    /// Saliency from which a finding is outlined.
    const OUTLINED: f64 = 0.3;
    const CARD: &str = "\
# GMIC, imported

Checkpoints of the network of Shen et al., Med Image Anal 2021;68:101908 (doi 10.1016/j.media.2020.101908).

What they were trained on and how well they do is not known to this package, and it states no figures. Scores are not
calibrated. A breast is flagged from a score of 10 of 100 on, and findings are outlined from a saliency of 0.3 on: both by
convention, not chosen on data. The weights keep the licence of their source.

Research use only. Not for diagnosis.
";

    pub(in crate::model) fn run(args: &Args) -> Result<Outcome, Failure> {
        let shares = shares(args)?;
        let out = &args.out;
        if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
            let name = out.display();
            let message = format!("{name}: expected a new or empty folder, got one with files");
            return Err(Failure::output(message));
        }
        let around = out.parent().filter(|p| !p.as_os_str().is_empty());
        let around = around.unwrap_or(Path::new("."));
        fs::create_dir_all(around).map_err(|e| Failure::unwritten(around, e))?;
        let folder = tempfile::tempdir_in(around).map_err(|e| Failure::unwritten(around, e))?;
        let mut members = Vec::new();
        for (checkpoint, share) in args.checkpoints.iter().zip(shares) {
            let number = members.len() + 1;
            members.push(member(checkpoint, share, number, folder.path())?);
            println!("{}: share {share}, member {number}", checkpoint.display());
        }
        write(folder.path(), CARD_FILE, CARD.as_bytes())?;
        let path = folder.path().join(MANIFEST_FILE);
        let text = manifest(&args.name, members).to_toml(&path)?;
        write(folder.path(), MANIFEST_FILE, text.as_bytes())?;
        put_in_place(folder, out)?;
        let package = Package::open(out)?;
        crate::model::print_row(&package, &out.display().to_string());
        Ok(Outcome::Complete)
    }

    /// The whole package or nothing appears under its name, which is free or an empty folder.
    fn put_in_place(folder: TempDir, out: &Path) -> Result<(), Failure> {
        let failed = |e| Failure::unwritten(out, e);
        fs::create_dir_all(out).map_err(failed)?;
        // An empty folder of the usual permissions, which temporary ones do not have.
        for entry in fs::read_dir(folder.path()).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            fs::rename(entry.path(), out.join(entry.file_name())).map_err(failed)?;
        }
        Ok(())
    }

    fn member(checkpoint: &Path, share: f64, number: usize, out: &Path) -> Result<Member, Failure> {
        let config = GmicConfig {
            top_share: share,
            ..GmicConfig::default()
        };
        let size = MammogramConfig::default();
        let size = (size.rows, size.cols);
        let single = WeightPrecision::Single;
        let graphs = gmic_graphs_from_pytorch(checkpoint, config, size, single)
            .map_err(|e| Failure::package(e.to_string()))?;
        let names = ["global", "local"].map(|graph| format!("member-{number}-{graph}.onnx"));
        write(out, &names[0], &graphs.global)?;
        write(out, &names[1], &graphs.local)?;
        let [global, local] = names;
        let further = GraphFile {
            sha256: sha256_of_file(&out.join(&local))?,
            file: local,
        };
        Ok(Member {
            sha256: sha256_of_file(&out.join(&global))?,
            file: global,
            left_out: String::new(),
            graphs: BTreeMap::from([(LOCAL_GRAPH.to_owned(), further)]),
        })
    }

    fn manifest(name: &str, members: Vec<Member>) -> Manifest {
        let config = GmicConfig::default();
        let by_convention = "By convention; not chosen on data.";
        Manifest {
            format: FORMAT,
            name: name.to_owned(),
            version: "imported".into(),
            modality: Modality::Mammography,
            status: Status::Research,
            classes: vec!["benign".into(), "malignant".into()],
            research_use: "Research use only. Not for diagnosis. Imported: what it was trained on \
                           and how well it does is not stated here."
                .into(),
            default_operating_point: ABOVE_10.into(),
            views_trained: Vec::new(),
            media_trained: Vec::new(),
            prepare: Prepare::Mammogram(MammogramConfig::default()),
            wiring: Wiring::GlobalLocal(GlobalLocal {
                n_rois: config.n_rois,
                roi_side: config.roi_side,
                ..GlobalLocal::default()
            }),
            members,
            calibration: BTreeMap::new(),
            operating_points: vec![OperatingPoint {
                name: ABOVE_10.into(),
                threshold: ABOVE_10_THRESHOLD,
                chosen_by: by_convention.into(),
            }],
            saliency: Some(Saliency {
                finding_thresholds: FindingThresholds {
                    benign: OUTLINED,
                    malignant: OUTLINED,
                    chosen_by: by_convention.into(),
                },
            }),
            slide: None,
            training_data: Vec::new(),
        }
    }

    fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = folder.join(name);
        fs::write(&path, bytes).map_err(|e| Failure::unwritten(&path, e))
    }
}
