//! The models of a run over slides: one that finds tumor, one that grades it.

use std::fs;

use lobule_engine::EngineKind;
use lobule_exam::RiskLevels;
use lobule_package::{GradeRule, Package, SlideRule, TumorRule};
use lobule_raster::{TileConfig, TileStain, TissueConfig};
use lobule_slide::{GridConfig, SurveyConfig};

use super::network::{TileNetwork, tile_parts};
use crate::{Error, ErrorKind};

/// Bytes of graphs that all workers together may hold: sessions take about twice a graph's file.
const MOST_GRAPH_BYTES: u64 = 256 << 20;

/// How slides are read and judged.
#[derive(Debug, Clone, Default)]
pub struct SlideOptions {
    /// The engine; none takes the one that is there.
    pub engine: Option<EngineKind>,
    /// Threads; 0 takes all cores.
    pub threads: usize,
    /// Name of the risk scale; none takes the package's default.
    pub risk: Option<String>,
    /// Microns per pixel of level 0 of every slide, where the user knows better than the files.
    pub mpp: Option<f64>,
}

/// Opened networks and what they decide by.
pub struct SlideModels {
    pub(super) rules: Rules,
    pub(super) workers: Vec<Worker>,
}

/// Everything but the networks.
pub(super) struct Rules {
    pub(super) tumor: TumorRule,
    pub(super) grade: Option<Grading>,
    pub(super) prepare: TileConfig,
    pub(super) grade_prepare: TileConfig,
    pub(super) mpp: Option<f64>,
    /// Equal words mean equal results for equal pixels.
    pub(super) identity: String,
}

/// What the grade model decides by.
pub(super) struct Grading {
    pub(super) rule: GradeRule,
    pub(super) levels: RiskLevels,
    /// From a score to a level.
    pub(super) scale: lobule_package::RiskScale,
}

/// The networks of one thread.
pub(super) struct Worker {
    pub(super) tumor: TileNetwork,
    pub(super) grade: Option<TileNetwork>,
}

impl SlideModels {
    /// Opens both models, or the first alone: then tumor is found and nothing graded.
    ///
    /// # Errors
    /// `Package` for models of another task, or of tiles that differ in size or resolution; `Option` for
    /// an unknown risk scale; `Engine` when the engine is absent.
    pub fn open(
        tumor: &Package,
        grade: Option<&Package>,
        options: &SlideOptions,
    ) -> Result<SlideModels, Error> {
        let Some(SlideRule::Tumor(rule)) = &tumor.manifest().slide else {
            return Err(other_task("tumor", tumor));
        };
        let (prepare, _) = tile_parts(tumor)?;
        let grading = grade
            .map(|package| Grading::of(package, options))
            .transpose()?;
        let grade_prepare = match grade {
            Some(package) => equal_tiles(&prepare, package)?,
            None => prepare,
        };
        let packages: Vec<&Package> = [tumor].into_iter().chain(grade).collect();
        Ok(SlideModels {
            workers: workers(&packages, options)?,
            rules: Rules {
                tumor: rule.clone(),
                grade: grading,
                prepare,
                grade_prepare,
                mpp: options.mpp,
                identity: identity(&packages, options),
            },
        })
    }

    /// The risk levels that slides are put into; none without a model that grades.
    pub fn risk_levels(&self) -> Option<&RiskLevels> {
        self.rules.grade.as_ref().map(|g| &g.levels)
    }
}

impl Rules {
    /// The squares that the models look at.
    pub(super) fn survey_config(&self) -> SurveyConfig {
        SurveyConfig {
            grid: GridConfig {
                side: self.prepare.side,
                overlap: 0,
                mpp: self.prepare.mpp,
            },
            tissue: TissueConfig::default(),
            finest_mpp: self.mpp,
            ..SurveyConfig::default()
        }
    }

    /// Whether a model wants the stains normalized.
    pub(super) fn wants_stains(&self) -> bool {
        [self.prepare.stain, self.grade_prepare.stain] != [TileStain::None; 2]
    }
}

impl Grading {
    fn of(package: &Package, options: &SlideOptions) -> Result<Grading, Error> {
        let Some(SlideRule::Grade(rule)) = &package.manifest().slide else {
            return Err(other_task("grade", package));
        };
        let scale = rule.risk(options.risk.as_deref()).ok_or_else(|| {
            let known: Vec<&str> = rule.risks.iter().map(|r| r.name.as_str()).collect();
            let got = options.risk.as_deref().unwrap_or_default();
            let message = format!("expected a risk scale of {}, got `{got}`", known.join(", "));
            Error::new(ErrorKind::Option, message)
        })?;
        Ok(Grading {
            rule: rule.clone(),
            levels: RiskLevels {
                scale: scale.name.clone(),
                levels: scale.levels.clone(),
                cutoffs: scale.cutoffs.clone(),
                chosen_by: scale.chosen_by.clone(),
            },
            scale: scale.clone(),
        })
    }
}

fn other_task(task: &str, package: &Package) -> Error {
    let name = &package.manifest().name;
    let message = format!("expected a slide model of the task {task}, got `{name}`");
    Error::new(ErrorKind::Package, message)
}

/// Both models look at the same squares.
fn equal_tiles(tumor: &TileConfig, grade: &Package) -> Result<TileConfig, Error> {
    let (prepare, _) = tile_parts(grade)?;
    match (tumor.side, tumor.mpp) == (prepare.side, prepare.mpp) {
        true => Ok(prepare),
        false => Err(Error::new(
            ErrorKind::Package,
            format!(
                "expected a grade model of tiles of {} pixels at {} µm as the tumor model's, got {} at {}",
                tumor.side, tumor.mpp, prepare.side, prepare.mpp
            ),
        )),
    }
}

/// As many threads as asked for, each with networks of its own; fewer, with several threads inside the
/// networks, where so many networks would not fit in memory.
fn workers(packages: &[&Package], options: &SlideOptions) -> Result<Vec<Worker>, Error> {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = match options.threads {
        0 => cores(),
        threads => threads,
    };
    let size = |path| fs::metadata(path).map_or(0, |meta| meta.len());
    let paths = packages.iter().flat_map(|p| p.member_paths());
    let bytes: u64 = paths.map(size).sum();
    let fitting = MOST_GRAPH_BYTES.checked_div(bytes).unwrap_or(u64::MAX);
    let n = threads
        .min(usize::try_from(fitting).unwrap_or(usize::MAX))
        .max(1);
    let open = |package: &Package| TileNetwork::open(package, options.engine, (threads / n).max(1));
    let worker = |_| {
        Ok(Worker {
            tumor: open(packages[0])?,
            grade: packages.get(1).map(|p| open(p)).transpose()?,
        })
    };
    (0..n).map(worker).collect()
}

fn identity(packages: &[&Package], options: &SlideOptions) -> String {
    let digests: Vec<&str> = packages.iter().map(|p| p.digest()).collect();
    let engine = options.engine.map_or("preferred", EngineKind::name);
    format!(
        "lobule {}, models {}, engine {engine}, mpp {:?}",
        env!("CARGO_PKG_VERSION"),
        digests.join(" "),
        options.mpp
    )
}
