//! Images in memory and the tensors made of them.

use burn::tensor::{Device, Tensor, TensorData};
use lobule_exam::Affine;
use lobule_model::N_CLASSES;
use lobule_raster::{Limits, PrepareConfig, Prepared, crop_sonogram, read_picture};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::augment::{Augmentation, augment};
use crate::bags::Bag;
use crate::{AugmentConfig, Case, Error, ErrorKind};

/// All sonograms, decoded and cropped once.
pub(crate) struct Images {
    prepared: Vec<Prepared>,
    placed: Vec<Affine>,
    config: PrepareConfig,
}

impl Images {
    pub(crate) fn load(cases: &[Case], config: &PrepareConfig) -> Result<Images, Error> {
        let load = |case: &Case| -> Result<(Prepared, Affine), Error> {
            let data = |e: lobule_raster::Error| {
                Error::new(ErrorKind::Data, e.reason().to_owned()).in_file(&case.file)
            };
            let picture = read_picture(&case.file, &Limits::default()).map_err(data)?;
            let prepared = crop_sonogram(&picture, &[], config).map_err(data)?;
            let input = prepared.clone().into_input(config).map_err(data)?;
            let window = prepared.crop.window;
            let crop_from_input = Affine::translate(-(window.row as f64), -(window.col as f64))
                .compose(&input.image_from_input);
            let input_from_crop = crop_from_input.inverse().unwrap_or(Affine::IDENTITY);
            Ok((prepared, input_from_crop))
        };
        let loaded: Result<Vec<_>, Error> = cases.par_iter().map(load).collect();
        let (prepared, placed) = loaded?.into_iter().unzip();
        Ok(Images {
            prepared,
            placed,
            config: config.clone(),
        })
    }

    /// The plain input, exactly as inference sees it.
    pub(crate) fn plain(&self, image: usize) -> Result<lobule_raster::NetworkInput, Error> {
        self.prepared[image]
            .clone()
            .into_input(&self.config)
            .map_err(|e| Error::new(ErrorKind::Data, e.reason().to_owned()))
    }

    /// `[n, 1, h, w]` of plain inputs.
    pub(crate) fn plain_batch(
        &self,
        images: &[usize],
        device: &Device,
    ) -> Result<Tensor<4>, Error> {
        let inputs: Result<Vec<Vec<f32>>, Error> =
            images.par_iter().map(|&i| Ok(self.plain(i)?.chw)).collect();
        Ok(self.tensor(inputs?.concat(), images.len(), device))
    }

    /// `[n, 1, h, w]` of changed inputs; the change depends on the seed and the image's place.
    pub(crate) fn augmented_batch(
        &self,
        images: &[usize],
        config: &AugmentConfig,
        seed: u64,
        device: &Device,
    ) -> Tensor<4> {
        let inputs: Vec<Vec<f32>> = images
            .par_iter()
            .enumerate()
            .map(|(place, &i)| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(place as u64);
                let change = Augmentation::draw(config, self.config.rows, &mut rng);
                augment(
                    &self.prepared[i].gray,
                    &self.placed[i],
                    &change,
                    &self.config,
                    &mut rng,
                )
            })
            .collect();
        self.tensor(inputs.concat(), images.len(), device)
    }

    fn tensor(&self, values: Vec<f32>, n: usize, device: &Device) -> Tensor<4> {
        let data = TensorData::new(values, [n, 1, self.config.rows, self.config.cols]);
        Tensor::from_data(data, device)
    }
}

/// The images of a step's bags in order, and the bag of each.
pub(crate) fn images_of(bags: &[Bag]) -> (Vec<usize>, Vec<usize>) {
    bags.iter()
        .enumerate()
        .flat_map(|(b, bag)| bag.images.iter().map(move |&image| (image, b)))
        .unzip()
}

/// `[n_bags, 2]`.
pub(crate) fn targets_of(bags: &[Bag], device: &Device) -> Tensor<2> {
    let values: Vec<f32> = bags.iter().flat_map(|bag| bag.label.targets()).collect();
    Tensor::from_data(TensorData::new(values, [bags.len(), N_CLASSES]), device)
}
