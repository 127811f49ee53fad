//! Images in memory and the tensors made of them.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use lobule_exam::{Affine, Point};
use lobule_model::N_CLASSES;
use lobule_package::Prepare;
use lobule_raster::{Limits, MammogramHints, Picture, read_picture};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::augment::Augmentation;
use crate::mammogram::Mammogram;
use crate::sonogram::Sonogram;
use crate::{AugmentConfig, Case, Error, ErrorKind, Label};

/// All images, decoded and cropped once.
pub(crate) struct Images {
    kept: Vec<Kept>,
    size: (usize, usize),
}

enum Kept {
    Sonogram(Box<Sonogram>),
    Mammogram(Box<Mammogram>),
}

/// What the network is shown of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Look {
    /// Index of the image.
    pub(crate) image: usize,
    /// The middle of the patch, in pixels of the input; none for the whole input.
    pub(crate) middle: Option<Point>,
}

impl Look {
    /// The whole input.
    pub(crate) fn whole(image: usize) -> Look {
        Look {
            image,
            middle: None,
        }
    }

    /// Takes a point of the input to what is shown.
    fn shown_from_input(&self, (rows, cols): (usize, usize)) -> Affine {
        let Some(middle) = self.middle else {
            return Affine::IDENTITY;
        };
        let half = |n: usize| (n as f64 - 1.0) / 2.0;
        Affine::translate(half(rows) - middle.row, half(cols) - middle.col)
    }
}

impl Images {
    pub(crate) fn load(cases: &[Case], prepare: &Prepare) -> Result<Images, Error> {
        let load = |case: &Case| {
            let (picture, hints) = read_image(&case.file)?;
            Kept::of(&picture, &hints, prepare)
                .map_err(|e| Error::new(ErrorKind::Data, e.reason().to_owned()).in_file(&case.file))
        };
        let kept: Result<Vec<Kept>, Error> = cases.par_iter().map(load).collect();
        Ok(Images {
            kept: kept?,
            size: prepare.size(),
        })
    }

    /// Rows and columns of the input.
    pub(crate) fn size(&self) -> (usize, usize) {
        self.size
    }

    /// Takes a point of the input to the original image.
    pub(crate) fn image_from_input(&self, image: usize) -> Affine {
        match &self.kept[image] {
            Kept::Sonogram(kept) => kept.image_from_input,
            Kept::Mammogram(kept) => kept.image_from_input(),
        }
    }

    /// A place as a share of rows and columns, in pixels of the original image. Sonograms are shared
    /// out as they are, mammograms as the input shows them: chest wall to the left.
    pub(crate) fn point_at(&self, image: usize, share: Point) -> Point {
        let within = |rows: usize, cols: usize| Point {
            row: share.row * rows as f64 - 0.5,
            col: share.col * cols as f64 - 0.5,
        };
        match &self.kept[image] {
            Kept::Sonogram(kept) => within(kept.image_size.0, kept.image_size.1),
            Kept::Mammogram(kept) => kept
                .image_from_input()
                .apply(within(self.size.0, self.size.1)),
        }
    }

    /// Rows and columns of the original image.
    pub(crate) fn image_size(&self, image: usize) -> (usize, usize) {
        match &self.kept[image] {
            Kept::Sonogram(kept) => kept.image_size,
            Kept::Mammogram(kept) => kept.image_size,
        }
    }

    /// Whether a point of the input belongs to the breast.
    pub(crate) fn is_breast(&self, image: usize, p: Point) -> bool {
        match &self.kept[image] {
            Kept::Sonogram(_) => true,
            Kept::Mammogram(kept) => kept.is_breast(p),
        }
    }

    /// `[n, 1, rows, cols]` of unchanged images, exactly as inference sees them.
    pub(crate) fn plain_batch(
        &self,
        looks: &[Look],
        size: (usize, usize),
        device: &Device,
    ) -> Result<Tensor<4>, Error> {
        let plain = |look: &Look| match look.middle {
            None => self.plain(look.image),
            Some(_) => {
                let mut rng = ChaCha8Rng::seed_from_u64(0);
                Ok(self.changed(look, size, &Augmentation::none(), &mut rng))
            }
        };
        let inputs: Result<Vec<Vec<f32>>, Error> = looks.par_iter().map(plain).collect();
        Ok(tensor(inputs?.concat(), looks.len(), size, device))
    }

    /// `[n, 1, rows, cols]` of changed images; the change depends on the seed and the place in the
    /// batch.
    pub(crate) fn augmented_batch(
        &self,
        looks: &[Look],
        size: (usize, usize),
        config: &AugmentConfig,
        seed: u64,
        device: &Device,
    ) -> Tensor<4> {
        let inputs: Vec<Vec<f32>> = looks
            .par_iter()
            .enumerate()
            .map(|(place, look)| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(place as u64);
                let change = Augmentation::draw(config, size, &mut rng);
                self.changed(look, size, &change, &mut rng)
            })
            .collect();
        tensor(inputs.concat(), looks.len(), size, device)
    }

    fn plain(&self, image: usize) -> Result<Vec<f32>, Error> {
        match &self.kept[image] {
            Kept::Sonogram(kept) => kept.plain(),
            Kept::Mammogram(kept) => Ok(kept.plain()),
        }
    }

    fn changed(
        &self,
        look: &Look,
        size: (usize, usize),
        change: &Augmentation,
        rng: &mut ChaCha8Rng,
    ) -> Vec<f32> {
        let shown_from_input = look.shown_from_input(size);
        match &self.kept[look.image] {
            Kept::Sonogram(kept) => kept.changed(&shown_from_input, size, change, rng),
            Kept::Mammogram(kept) => kept.changed(&shown_from_input, size, change, rng),
        }
    }
}

impl Kept {
    fn of(
        picture: &Picture,
        hints: &MammogramHints,
        prepare: &Prepare,
    ) -> Result<Kept, lobule_raster::Error> {
        Ok(match prepare {
            Prepare::Sonogram(config) => {
                Kept::Sonogram(Box::new(Sonogram::new(picture, config.clone())?))
            }
            Prepare::Mammogram(config) => {
                Kept::Mammogram(Box::new(Mammogram::new(picture, hints, config)?))
            }
            Prepare::Tile(_) => {
                let message =
                    "expected the preparation of an exam's image, got that of a slide's tile";
                return Err(lobule_raster::Error::new(
                    lobule_raster::ErrorKind::Config,
                    message,
                ));
            }
        })
    }
}

/// A picture or a mammogram's DICOM file, and what the file says besides its pixels.
pub(crate) fn read_image(file: &Path) -> Result<(Picture, MammogramHints), Error> {
    let limits = Limits::default();
    let bad = |reason: &str| Error::new(ErrorKind::Data, reason).in_file(file);
    if !lobule_dicomio::is_dicom(file) {
        let picture = read_picture(file, &limits).map_err(|e| bad(e.reason()))?;
        return Ok((picture, MammogramHints::default()));
    }
    let dicom = |e: lobule_dicomio::Error| bad(e.reason());
    let header = lobule_dicomio::read_mammogram_header(file, &limits).map_err(dicom)?;
    let gray = lobule_dicomio::read_mammogram(&header, &limits).map_err(dicom)?;
    let hints = MammogramHints {
        view: header.view,
        orientation: header.orientation,
        spacing: header.spacing,
    };
    Ok((Picture::Gray16(gray.image), hints))
}

fn tensor(values: Vec<f32>, n: usize, (rows, cols): (usize, usize), device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, [n, 1, rows, cols]), device)
}

/// `[n, 2]`.
pub(crate) fn targets_of(labels: &[Label], device: &Device) -> Tensor<2> {
    let values: Vec<f32> = labels.iter().flat_map(|label| label.targets()).collect();
    Tensor::from_data(TensorData::new(values, [labels.len(), N_CLASSES]), device)
}
