//! The members of a package wired as global and local graph, run on prepared mammograms.
//!
//! Owns: the way from a view through the global graph, the choice of windows and the local graph to
//! scores. Does not own: the choice itself (`raster`), preparation (`raster`), what becomes of the
//! views of a breast.

use lobule_engine::{EngineKind, Outputs, Session, TensorView, open};
use lobule_exam::{ClassScores, PixelBox};
use lobule_package::{GlobalLocal, LOCAL_GRAPH, Manifest, Package, Wiring};
use lobule_raster::{Image, RoiConfig, retrieve_rois};

use crate::ensemble::{Classes, missing, opening, running};
use crate::{Error, ErrorKind};

/// The opened networks of a package of two graphs per member.
///
/// Views go through one at a time: they are large, a batch is no faster on a CPU, and memory stays
/// that of one view.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use lobule_assess::MammogramEnsemble;
/// use lobule_raster::Image;
/// let package = lobule_package::Package::open("models/mammography")?;
/// let mut ensemble = MammogramEnsemble::open(&package, None, 2)?;
/// let view = Image::filled(2944, 1920, 0.0);
/// let judged = ensemble.run(&[view])?;
/// println!("malignant: {}", judged[0].scores.malignant);
/// # Ok(())
/// # }
/// ```
pub struct MammogramEnsemble {
    members: Vec<TwoGraphs>,
    wiring: GlobalLocal,
    classes: Classes,
}

/// The sessions of one member.
pub struct TwoGraphs {
    /// Sees whole views.
    pub global: Box<dyn Session>,
    /// Sees windows.
    pub local: Box<dyn Session>,
}

/// What the ensemble says about one view.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewOutputs {
    /// Mean of the members' scores.
    pub scores: ClassScores,
    /// What each member says.
    pub members: Vec<MemberView>,
    /// Benign saliency in 0..=1, mean over the members.
    pub benign: Image<f32>,
    /// Malignant saliency in 0..=1, mean over the members.
    pub malignant: Image<f32>,
}

/// What one member says about one view.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberView {
    /// By view and windows together: the result.
    pub scores: ClassScores,
    /// By the view alone.
    pub global_scores: ClassScores,
    /// By the windows alone.
    pub window_scores: ClassScores,
    /// The windows, in the order of their saliency.
    pub windows: Vec<AttendedWindow>,
}

/// A window that was looked at closely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttendedWindow {
    /// Where, in pixels of the prepared view.
    pub place: PixelBox,
    /// Its weight in 0..=1; those of a view sum to one.
    pub attention: f64,
}

impl MammogramEnsemble {
    /// Opens both graphs of every member. `kind` none takes the engine that is there.
    ///
    /// # Errors
    /// `Engine` when the engine is absent, `Package` when a graph cannot be opened or the package
    /// is wired otherwise.
    pub fn open(
        package: &Package,
        kind: Option<EngineKind>,
        threads: usize,
    ) -> Result<MammogramEnsemble, Error> {
        let options = lobule_engine::Options { threads };
        let open = |path| open(kind, path, &options).map_err(|e| opening(&e));
        let mut members = Vec::new();
        let local = package.graph_paths(LOCAL_GRAPH);
        for (global, local) in package.member_paths().iter().zip(&local) {
            members.push(TwoGraphs {
                global: open(global)?,
                local: open(local)?,
            });
        }
        MammogramEnsemble::from_sessions(package.manifest(), members)
    }

    /// An ensemble of sessions that are open already.
    ///
    /// # Errors
    /// `Package` when the package is wired otherwise, there is no member or a class is missing.
    pub fn from_sessions(
        manifest: &Manifest,
        members: Vec<TwoGraphs>,
    ) -> Result<MammogramEnsemble, Error> {
        let Wiring::GlobalLocal(wiring) = &manifest.wiring else {
            let message = "expected the wiring global-local, got another";
            return Err(Error::new(ErrorKind::Package, message));
        };
        if members.is_empty() {
            return Err(missing("at least one member"));
        }
        Ok(MammogramEnsemble {
            members,
            wiring: wiring.clone(),
            classes: Classes::of(manifest)?,
        })
    }

    /// Number of networks.
    pub fn n_members(&self) -> usize {
        self.members.len()
    }

    /// Runs all members on prepared views of the graphs' size, one result per view.
    ///
    /// # Errors
    /// `Outputs` when a view does not fit the graph, or a result is absent, of another shape or not
    /// finite.
    pub fn run(&mut self, views: &[Image<f32>]) -> Result<Vec<ViewOutputs>, Error> {
        views.iter().map(|view| self.run_view(view)).collect()
    }

    fn run_view(&mut self, view: &Image<f32>) -> Result<ViewOutputs, Error> {
        let mut members = Vec::new();
        let mut maps: Option<[Image<f32>; 2]> = None;
        for member in &mut self.members {
            let (said, own) = run_member(member, &self.wiring, &self.classes, view)?;
            members.push(said);
            match &mut maps {
                None => maps = Some(own),
                Some(sums) => add(sums, &own)?,
            }
        }
        let share = 1.0 / members.len() as f32;
        let mean = |map: &Image<f32>| map.map(|v| (v * share).clamp(0.0, 1.0));
        let [benign, malignant] = maps.as_ref().expect("an ensemble has at least one member");
        Ok(ViewOutputs {
            scores: mean_scores(&members),
            benign: mean(benign),
            malignant: mean(malignant),
            members,
        })
    }
}

impl Classes {
    fn scores(&self, outputs: &mut Outputs, name: &str) -> Result<ClassScores, Error> {
        let all = take(outputs, name, &[Some(1), Some(self.n)])?.data;
        let score = |class: usize| f64::from(all[class].clamp(0.0, 1.0));
        Ok(ClassScores {
            benign: score(self.benign),
            malignant: score(self.malignant),
        })
    }
}

fn take(
    outputs: &mut Outputs,
    name: &str,
    shape: &[Option<usize>],
) -> Result<lobule_engine::Tensor, Error> {
    outputs.take(name, shape).map_err(|e| running(&e))
}

/// What a member says, and its benign and malignant map.
fn run_member(
    member: &mut TwoGraphs,
    wiring: &GlobalLocal,
    classes: &Classes,
    view: &Image<f32>,
) -> Result<(MemberView, [Image<f32>; 2]), Error> {
    let names = &wiring.global;
    let shape = [1, 1, view.rows(), view.cols()];
    let images = TensorView {
        shape: &shape,
        data: view.pixels(),
    };
    let seen = member.global.run(&[(&names.input, images)]);
    let mut seen = seen.map_err(|e| running(&e))?;
    let maps = class_maps(&mut seen, &names.saliency, classes.n)?;
    let features = take(&mut seen, &names.features, &[Some(1), None])?;
    let global_scores = classes.scores(&mut seen, &names.scores)?;
    let config = RoiConfig {
        count: wiring.n_rois,
        side: wiring.roi_side,
    };
    let places = retrieve_rois(&maps, (view.rows(), view.cols()), config)
        .map_err(|e| Error::new(ErrorKind::Outputs, e.to_string()))?;
    let mut judged = look(member, wiring, view, &places, &features)?;
    let names = &wiring.local;
    let attention = take(
        &mut judged,
        &names.attention,
        &[Some(1), Some(places.len())],
    )?;
    let weights = attention.data.iter().map(|&a| f64::from(a));
    let windows = places.iter().zip(weights);
    let said = MemberView {
        scores: classes.scores(&mut judged, &names.scores)?,
        global_scores,
        window_scores: classes.scores(&mut judged, &names.window_scores)?,
        windows: windows
            .map(|(&place, attention)| AttendedWindow { place, attention })
            .collect(),
    };
    let own = [&maps[classes.benign], &maps[classes.malignant]].map(Clone::clone);
    Ok((said, own))
}

/// The local graph on windows of the view.
fn look(
    member: &mut TwoGraphs,
    wiring: &GlobalLocal,
    view: &Image<f32>,
    places: &[PixelBox],
    features: &lobule_engine::Tensor,
) -> Result<Outputs, Error> {
    let pixels: Vec<f32> = places
        .iter()
        .flat_map(|&place| view.crop(place).into_pixels())
        .collect();
    let shape = [1, places.len(), wiring.roi_side, wiring.roi_side];
    let windows = TensorView {
        shape: &shape,
        data: &pixels,
    };
    let features = TensorView {
        shape: &features.shape,
        data: &features.data,
    };
    let names = &wiring.local;
    let inputs = [
        (names.windows.as_str(), windows),
        (names.features.as_str(), features),
    ];
    member.local.run(&inputs).map_err(|e| running(&e))
}

fn class_maps(
    outputs: &mut Outputs,
    name: &str,
    n_classes: usize,
) -> Result<Vec<Image<f32>>, Error> {
    let maps = take(outputs, name, &[Some(1), Some(n_classes), None, None])?;
    let (rows, cols) = (maps.shape[2], maps.shape[3]);
    if rows * cols == 0 {
        let message = format!("expected saliency maps, got {rows} × {cols} cells");
        return Err(Error::new(ErrorKind::Outputs, message));
    }
    let image = |plane: &[f32]| Image::from_fn(rows, cols, |r, c| plane[r * cols + c]);
    Ok(maps.data.chunks(rows * cols).map(image).collect())
}

fn add(sums: &mut [Image<f32>; 2], maps: &[Image<f32>; 2]) -> Result<(), Error> {
    for (sum, map) in sums.iter_mut().zip(maps) {
        if (sum.rows(), sum.cols()) != (map.rows(), map.cols()) {
            let message = "expected members with equal saliency grids, got different ones";
            return Err(Error::new(ErrorKind::Package, message));
        }
        let cells = sum.pixels_mut().iter_mut().zip(map.pixels());
        cells.for_each(|(s, m)| *s += m);
    }
    Ok(())
}

fn mean_scores(members: &[MemberView]) -> ClassScores {
    let mean = |score: fn(&ClassScores) -> f64| {
        members.iter().map(|m| score(&m.scores)).sum::<f64>() / members.len() as f64
    };
    ClassScores {
        benign: mean(|s| s.benign),
        malignant: mean(|s| s.malignant),
    }
}
