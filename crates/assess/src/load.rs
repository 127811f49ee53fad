//! One file from disk to network inputs: each frame is decoded once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lobule_exam::{Spacing, Warning, WarningKind};
use lobule_raster::{
    Image, Limits, NetworkInput, Picture, PrepareConfig, crop_sonogram, read_picture,
};

use crate::collect::{Content, FileInput, reason};
use crate::pipeline::Keep;

/// A frame that is ready to run.
#[derive(Debug)]
pub(crate) struct LoadedImage {
    pub(crate) frame: usize,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) spacing: Option<Spacing>,
    pub(crate) input: NetworkInput,
    pub(crate) picture: Option<Picture>,
    pub(crate) crop_gray: Option<Image<u8>>,
    pub(crate) warnings: Vec<Warning>,
}

/// Decodes and prepares a file.
///
/// # Errors
/// One line that says why the file is not used. A panic of a decoder is such a line too.
pub(crate) fn load(
    file: &FileInput,
    config: &PrepareConfig,
    keep: Keep,
) -> Result<Vec<LoadedImage>, String> {
    let work = || load_frames(file, config, keep);
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err("expected a file that can be decoded, got one that breaks the decoder".into())
    })
}

fn load_frames(
    file: &FileInput,
    config: &PrepareConfig,
    keep: Keep,
) -> Result<Vec<LoadedImage>, String> {
    let (frames, sampled) = decode(file)?;
    let n_frames = frames.len();
    let mut loaded = Vec::new();
    let mut refused = Vec::new();
    for (frame, picture) in frames {
        match load_frame(file, frame, picture, config, keep) {
            Ok(image) => loaded.push(image),
            Err(why) if n_frames == 1 => return Err(why),
            Err(why) => refused.push((frame, why)),
        }
    }
    for image in &mut loaded {
        image.warnings.extend(sampled.clone());
    }
    match (loaded.first_mut(), refused.first()) {
        (None, Some((_, why))) => Err(format!("none of {n_frames} frames can be used: {why}")),
        (None, None) => Err("expected at least one frame, got none".into()),
        (Some(first), Some((frame, why))) => {
            let n = refused.len();
            first.warnings.push(Warning {
                kind: WarningKind::FramesSampled,
                message: format!(
                    "{n} of {n_frames} frames left out; frame {}: {why}",
                    frame + 1
                ),
            });
            Ok(loaded)
        }
        (Some(_), None) => Ok(loaded),
    }
}

/// Frames with their numbers from 0, and the rule that left others out.
type Decoded = (Vec<(usize, Picture)>, Option<Warning>);

fn decode(file: &FileInput) -> Result<Decoded, String> {
    let limits = Limits::default();
    match &file.content {
        Content::Picture => {
            let picture = read_picture(&file.path, &limits).map_err(|e| reason(&e, &file.path))?;
            Ok((vec![(0, picture)], None))
        }
        Content::Dicom(instance) => {
            let sampled = lobule_dicomio::sample_frames(instance.frames);
            let pictures = lobule_dicomio::read_frames(instance, &sampled.frames, &limits)
                .map_err(|e| reason(&e, &file.path))?;
            let frames = sampled.frames.into_iter().zip(pictures).collect();
            Ok((frames, sampled.warning))
        }
    }
}

fn load_frame(
    file: &FileInput,
    frame: usize,
    picture: Picture,
    config: &PrepareConfig,
    keep: Keep,
) -> Result<LoadedImage, String> {
    let (spacing, regions) = match &file.content {
        Content::Picture => (None, [].as_slice()),
        Content::Dicom(instance) => (instance.spacing, instance.regions.as_slice()),
    };
    let prepared = crop_sonogram(&picture, regions, config).map_err(|e| reason(&e, &file.path))?;
    let crop_gray = (keep == Keep::PicturesAndCrops).then(|| prepared.gray.clone());
    let input = prepared
        .into_input(config)
        .map_err(|e| reason(&e, &file.path))?;
    let mut warnings = warnings_of(file, spacing);
    warnings.extend(input.warnings.iter().cloned());
    Ok(LoadedImage {
        frame,
        rows: picture.rows(),
        cols: picture.cols(),
        spacing,
        input,
        picture: (keep != Keep::Nothing).then_some(picture),
        crop_gray,
        warnings,
    })
}

fn warnings_of(file: &FileInput, spacing: Option<Spacing>) -> Vec<Warning> {
    let mut warnings = file.warnings.clone();
    if let Content::Dicom(instance) = &file.content {
        warnings.extend(instance.warnings.iter().cloned());
    }
    let is_said = warnings
        .iter()
        .any(|w| w.kind == WarningKind::UnknownSpacing);
    if spacing.is_none() && !is_said {
        warnings.push(Warning {
            kind: WarningKind::UnknownSpacing,
            message: "the size of a pixel is not stated: no lengths in mm".into(),
        });
    }
    warnings
}
