//! A sonogram kept in memory.

use lobule_exam::Affine;
use lobule_raster::{Picture, PrepareConfig, Prepared, crop_sonogram};
use rand_chacha::ChaCha8Rng;

use crate::augment::{Augmentation, augment};
use crate::{Error, ErrorKind};

pub(crate) struct Sonogram {
    prepared: Prepared,
    input_from_crop: Affine,
    config: PrepareConfig,
    pub(crate) image_from_input: Affine,
    pub(crate) image_size: (usize, usize),
}

impl Sonogram {
    pub(crate) fn new(
        picture: &Picture,
        config: PrepareConfig,
    ) -> Result<Sonogram, lobule_raster::Error> {
        let prepared = crop_sonogram(picture, &[], &config)?;
        let image_from_input = prepared.clone().into_input(&config)?.image_from_input;
        let window = prepared.crop.window;
        let crop_from_input = Affine::translate(-(window.row as f64), -(window.col as f64))
            .compose(&image_from_input);
        Ok(Sonogram {
            prepared,
            input_from_crop: crop_from_input.inverse().unwrap_or(Affine::IDENTITY),
            config,
            image_from_input,
            image_size: (picture.rows(), picture.cols()),
        })
    }

    pub(crate) fn plain(&self) -> Result<Vec<f32>, Error> {
        let input = self.prepared.clone().into_input(&self.config);
        input
            .map(|input| input.chw)
            .map_err(|e| Error::new(ErrorKind::Data, e.reason().to_owned()))
    }

    pub(crate) fn changed(
        &self,
        shown_from_input: &Affine,
        (rows, cols): (usize, usize),
        change: &Augmentation,
        rng: &mut ChaCha8Rng,
    ) -> Vec<f32> {
        let shown_from_crop = shown_from_input.compose(&self.input_from_crop);
        let config = PrepareConfig {
            rows,
            cols,
            ..self.config.clone()
        };
        augment(&self.prepared.gray, &shown_from_crop, change, &config, rng)
    }
}
