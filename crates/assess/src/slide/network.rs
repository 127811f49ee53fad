//! The networks that look at one tile at a time.

use lobule_engine::{EngineKind, Options, Session, TensorView, open};
use lobule_package::{Package, Prepare, TileClassifier, Wiring};
use lobule_raster::TileConfig;

use crate::ensemble::{missing, opening, running};
use crate::{Error, ErrorKind};

/// How far a probability may stick out of 0..=1: engines round.
const SLACK: f64 = 1e-4;

/// The members of a slide model.
pub(super) struct TileNetwork {
    members: Vec<Box<dyn Session>>,
    names: TileClassifier,
    n_classes: usize,
    side: usize,
}

/// Preparation and wiring of a slide model.
///
/// # Errors
/// `Package` for a model of exams.
pub(super) fn tile_parts(package: &Package) -> Result<(TileConfig, &TileClassifier), Error> {
    let manifest = package.manifest();
    match (&manifest.prepare, &manifest.wiring) {
        (Prepare::Tile(prepare), Wiring::TileClassifier(names)) => Ok((*prepare, names)),
        _ => Err(Error::new(
            ErrorKind::Package,
            format!("expected a model of slides, got `{}`", manifest.name),
        )),
    }
}

impl TileNetwork {
    /// Opens every member, each with `threads` of its own.
    pub(super) fn open(
        package: &Package,
        kind: Option<EngineKind>,
        threads: usize,
    ) -> Result<TileNetwork, Error> {
        let (prepare, names) = tile_parts(package)?;
        let options = Options { threads };
        let opened = package.member_paths().into_iter().map(|path| {
            let session = open(kind, &path, &options);
            session.map_err(|e| opening(&e))
        });
        let members: Vec<_> = opened.collect::<Result<_, Error>>()?;
        if members.is_empty() {
            return Err(missing("at least one member"));
        }
        Ok(TileNetwork {
            members,
            names: names.clone(),
            n_classes: package.manifest().classes.len(),
            side: prepare.side,
        })
    }

    /// The probability of the second class, by member.
    pub(super) fn score(&mut self, input: &[f32]) -> Result<Vec<f64>, Error> {
        let shape = [1, 3, self.side, self.side];
        let (names, n_classes) = (&self.names, self.n_classes);
        let run = |member: &mut Box<dyn Session>| {
            let view = TensorView {
                shape: &shape,
                data: input,
            };
            let mut outputs = member
                .run(&[(&names.input, view)])
                .map_err(|e| running(&e))?;
            let given = outputs.take(&names.probabilities, &[Some(1), Some(n_classes)]);
            probability(given.map_err(|e| running(&e))?.data[1])
        };
        self.members.iter_mut().map(run).collect()
    }
}

fn probability(value: f32) -> Result<f64, Error> {
    let value = f64::from(value);
    match (-SLACK..=1.0 + SLACK).contains(&value) {
        true => Ok(value.clamp(0.0, 1.0)),
        false => Err(Error::new(
            ErrorKind::Outputs,
            format!("expected a probability in 0..=1, got {value}"),
        )),
    }
}
