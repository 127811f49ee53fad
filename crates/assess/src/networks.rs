//! The networks of a package, whatever their wiring.

use lobule_engine::EngineKind;
use lobule_exam::View;
use lobule_package::{Package, Wiring};
use lobule_raster::Image;

use crate::ensemble::ImageOutputs;
use crate::mammogram::ViewOutputs;
use crate::pool::{MemberScores, Pooled, pool, pool_views};
use crate::{Ensemble, Error, ErrorKind, MammogramEnsemble};

/// The opened networks of a package.
pub enum Networks {
    /// One graph per member; a breast's images are weighted by attention.
    AttentionMil(Ensemble),
    /// Two graphs per member; a breast's views count alike.
    GlobalLocal(MammogramEnsemble),
}

impl From<Ensemble> for Networks {
    fn from(ensemble: Ensemble) -> Networks {
        Networks::AttentionMil(ensemble)
    }
}

impl From<MammogramEnsemble> for Networks {
    fn from(ensemble: MammogramEnsemble) -> Networks {
        Networks::GlobalLocal(ensemble)
    }
}

impl Networks {
    /// Opens every graph of a package, as its manifest wires them. `kind` none takes the engine
    /// that is there; `threads` are shared by all members.
    ///
    /// # Errors
    /// `Engine` when the engine is absent, `Package` when a graph cannot be opened.
    pub fn open(
        package: &Package,
        kind: Option<EngineKind>,
        threads: usize,
    ) -> Result<Networks, Error> {
        match package.manifest().wiring {
            Wiring::AttentionMil(_) => Ensemble::open(package, kind, threads).map(Networks::from),
            Wiring::GlobalLocal(_) => {
                MammogramEnsemble::open(package, kind, threads).map(Networks::from)
            }
            Wiring::TileClassifier(_) => Err(Error::new(
                ErrorKind::Package,
                "expected a model of exams, got one of slides",
            )),
        }
    }

    /// Number of members.
    pub fn n_members(&self) -> usize {
        match self {
            Networks::AttentionMil(ensemble) => ensemble.n_members(),
            Networks::GlobalLocal(ensemble) => ensemble.n_members(),
        }
    }

    /// Runs all members on prepared images of `rows × cols`; one result per image.
    pub(crate) fn run(
        &mut self,
        mut inputs: Vec<Vec<f32>>,
        (rows, cols): (usize, usize),
    ) -> Result<Vec<ImageOutputs>, Error> {
        let shape = [inputs.len(), 1, rows, cols];
        match self {
            Networks::AttentionMil(ensemble) if inputs.len() == 1 => {
                ensemble.run(&inputs.swap_remove(0), shape)
            }
            Networks::AttentionMil(ensemble) => ensemble.run(&inputs.concat(), shape),
            Networks::GlobalLocal(ensemble) => {
                let mut seen = Vec::new();
                for chw in inputs {
                    let view = Image::from_pixels(rows, cols, chw).ok_or_else(wrong_size)?;
                    seen.extend(ensemble.run(&[view])?.into_iter().map(ImageOutputs::from));
                }
                Ok(seen)
            }
        }
    }

    /// From a breast's images to the breast.
    pub(crate) fn pool(
        &self,
        images: &[Vec<MemberScores>],
        views: &[Option<View>],
    ) -> Option<Pooled> {
        match self {
            Networks::AttentionMil(_) => pool(images),
            Networks::GlobalLocal(_) => pool_views(images, views),
        }
    }
}

fn wrong_size() -> Error {
    Error::new(
        ErrorKind::Outputs,
        "expected an input of the package's size, got another",
    )
}

impl From<ViewOutputs> for ImageOutputs {
    fn from(view: ViewOutputs) -> ImageOutputs {
        let members = view.members.iter().map(|member| MemberScores {
            scores: member.scores,
            attention_logit: 0.0,
        });
        let windows = view.members.iter().flat_map(|member| &member.windows);
        ImageOutputs {
            members: members.collect(),
            rows: view.malignant.rows(),
            cols: view.malignant.cols(),
            windows: windows.copied().collect(),
            benign: view.benign.into_pixels(),
            malignant: view.malignant.into_pixels(),
        }
    }
}
