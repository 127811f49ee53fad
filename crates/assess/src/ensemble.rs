//! The members of a model package, run on batches of images.

use std::panic::resume_unwind;

use lobule_engine::{EngineKind, Outputs, Session, open};
use lobule_exam::{Affine, ClassScores, SaliencyMap};
use lobule_package::{AttentionMil, Manifest, Package, Wiring};
use lobule_raster::NetworkInput;

use crate::{AttendedWindow, Error, ErrorKind, MemberScores};

/// The opened networks of a package.
///
/// Members run side by side, each on its share of the threads: one network on one core wastes less
/// than one network on all of them.
pub struct Ensemble {
    members: Vec<Box<dyn Session>>,
    n_workers: usize,
    wiring: AttentionMil,
    classes: Classes,
}

/// Where the classes stand among a graph's outputs.
pub(crate) struct Classes {
    pub(crate) n: usize,
    pub(crate) benign: usize,
    pub(crate) malignant: usize,
}

impl Classes {
    pub(crate) fn of(manifest: &Manifest) -> Result<Classes, Error> {
        let class = |name: &str| {
            let missing = || missing(&format!("the class {name}"));
            manifest.class_idx(name).ok_or_else(missing)
        };
        Ok(Classes {
            n: manifest.classes.len(),
            benign: class("benign")?,
            malignant: class("malignant")?,
        })
    }
}

pub(crate) fn missing(what: &str) -> Error {
    Error::new(ErrorKind::Package, format!("expected {what}, got none"))
}

/// What the ensemble says about one image.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageOutputs {
    /// Scores and attention logit, per member.
    pub members: Vec<MemberScores>,
    /// Rows of the saliency grid.
    pub rows: usize,
    /// Columns of the saliency grid.
    pub cols: usize,
    /// Benign saliency, mean over the members.
    pub benign: Vec<f32>,
    /// Malignant saliency, mean over the members.
    pub malignant: Vec<f32>,
    /// Windows that were looked at closely, member by member; none where the wiring has none.
    pub windows: Vec<AttendedWindow>,
}

impl Ensemble {
    /// Opens every member of a package. `kind` none takes the engine that is there; `threads` are
    /// shared by all members.
    ///
    /// # Errors
    /// `Engine` when the engine is absent, `Package` when a member cannot be opened.
    pub fn open(
        package: &Package,
        kind: Option<EngineKind>,
        threads: usize,
    ) -> Result<Ensemble, Error> {
        let paths = package.member_paths();
        let n_workers = threads.min(paths.len()).max(1);
        let options = lobule_engine::Options {
            threads: (threads / n_workers).max(1),
        };
        let mut members = Vec::new();
        for path in paths {
            members.push(open(kind, &path, &options).map_err(|e| opening(&e))?);
        }
        let ensemble = Ensemble::from_sessions(package.manifest(), members)?;
        Ok(Ensemble {
            n_workers,
            ..ensemble
        })
    }

    /// An ensemble of sessions that are open already; they run one after the other.
    ///
    /// # Errors
    /// `Package` when there is no member or a class is missing.
    pub fn from_sessions(
        manifest: &Manifest,
        members: Vec<Box<dyn Session>>,
    ) -> Result<Ensemble, Error> {
        let Wiring::AttentionMil(wiring) = &manifest.wiring else {
            let message = "expected the wiring attention-mil, got another";
            return Err(Error::new(ErrorKind::Package, message));
        };
        if members.is_empty() {
            return Err(missing("at least one member"));
        }
        Ok(Ensemble {
            members,
            n_workers: 1,
            wiring: wiring.clone(),
            classes: Classes::of(manifest)?,
        })
    }

    /// Number of networks.
    pub fn n_members(&self) -> usize {
        self.members.len()
    }

    /// Runs all members on `n` images `[n, 1, h, w]` and gives one result per image.
    ///
    /// # Errors
    /// `Outputs` when a result is absent, of another shape, or not finite.
    pub fn run(&mut self, images: &[f32], shape: [usize; 4]) -> Result<Vec<ImageOutputs>, Error> {
        let mut sums: Vec<ImageOutputs> = Vec::new();
        for outputs in self.run_members(images, shape) {
            let outputs = outputs.map_err(|e| running(&e))?;
            for (at, one) in self.split(outputs, shape[0])?.into_iter().enumerate() {
                match sums.get_mut(at) {
                    None => sums.push(one),
                    Some(sum) => sum.add(one)?,
                }
            }
        }
        let share = 1.0 / self.members.len() as f32;
        for image in &mut sums {
            let both = image.benign.iter_mut().chain(&mut image.malignant);
            both.for_each(|v| *v = (*v * share).clamp(0.0, 1.0));
        }
        Ok(sums)
    }

    /// Each member's outputs, in their order.
    fn run_members(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
    ) -> Vec<Result<Outputs, lobule_engine::Error>> {
        let share = self.members.len().div_ceil(self.n_workers);
        let run = |members: &mut [Box<dyn Session>]| -> Vec<_> {
            let outputs = members.iter_mut().map(|m| m.run_images(images, shape));
            outputs.collect()
        };
        std::thread::scope(|scope| {
            let mut shares = self.members.chunks_mut(share);
            let own = shares.next();
            let others: Vec<_> = shares.map(|s| scope.spawn(move || run(s))).collect();
            let mut outputs = own.map(run).unwrap_or_default();
            for other in others {
                outputs.extend(other.join().unwrap_or_else(|p| resume_unwind(p)));
            }
            outputs
        })
    }

    /// One member's outputs, image by image.
    fn split(&self, mut outputs: Outputs, n: usize) -> Result<Vec<ImageOutputs>, Error> {
        let (some_n, classes) = (Some(n), Some(self.classes.n));
        let names = &self.wiring;
        let mut take = |name: &str, shape: &[Option<usize>]| {
            outputs.take(name, shape).map_err(|e| running(&e))
        };
        let saliency = take(&names.saliency, &[some_n, classes, None, None])?;
        let scores = take(&names.image_scores, &[some_n, classes])?.data;
        let logits = take(&names.attention_logits, &[some_n, Some(1)])?.data;
        let (rows, cols) = (saliency.shape[2], saliency.shape[3]);
        let plane = |image: usize, class: usize| {
            let start = (image * self.classes.n + class) * rows * cols;
            saliency.data[start..start + rows * cols].to_vec()
        };
        let score = |image: usize, class: usize| f64::from(scores[image * self.classes.n + class]);
        let image = |at: usize| ImageOutputs {
            members: vec![MemberScores {
                scores: ClassScores {
                    benign: score(at, self.classes.benign),
                    malignant: score(at, self.classes.malignant),
                },
                attention_logit: f64::from(logits[at]),
            }],
            rows,
            cols,
            benign: plane(at, self.classes.benign),
            malignant: plane(at, self.classes.malignant),
            windows: Vec::new(),
        };
        Ok((0..n).map(image).collect())
    }
}

impl ImageOutputs {
    /// The maps laid over the image that `input` was made of: the grid covers the whole input, their
    /// outer edges coincide.
    pub fn saliency_map(&self, input: &NetworkInput) -> SaliencyMap {
        let input_from_grid = Affine::resample(
            input.rows as f64 / self.rows as f64,
            input.cols as f64 / self.cols as f64,
        );
        SaliencyMap {
            rows: self.rows,
            cols: self.cols,
            benign: self.benign.clone(),
            malignant: self.malignant.clone(),
            image_from_grid: input.image_from_input.compose(&input_from_grid),
        }
    }

    fn add(&mut self, other: ImageOutputs) -> Result<(), Error> {
        if (self.rows, self.cols) != (other.rows, other.cols) {
            let message = "expected members with equal saliency grids, got different ones";
            return Err(Error::new(ErrorKind::Package, message));
        }
        self.members.extend(other.members);
        let mine = self.benign.iter_mut().chain(&mut self.malignant);
        let theirs = other.benign.iter().chain(&other.malignant);
        mine.zip(theirs).for_each(|(a, b)| *a += b);
        Ok(())
    }
}

pub(crate) fn opening(error: &lobule_engine::Error) -> Error {
    let kind = match error.kind() {
        lobule_engine::ErrorKind::Unavailable => ErrorKind::Engine,
        _ => ErrorKind::Package,
    };
    Error::new(kind, error.to_string())
}

pub(crate) fn running(error: &lobule_engine::Error) -> Error {
    Error::new(ErrorKind::Outputs, error.to_string())
}
