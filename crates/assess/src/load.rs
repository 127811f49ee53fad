//! One file from disk to network inputs: each frame is decoded once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use lobule_dicomio::Instance;
use lobule_exam::{MammogramFacts, Medium, PixelBox, Spacing, Warning, WarningKind};
use lobule_package::Prepare;
use lobule_raster::{
    Limits, NetworkInput, Picture, PrepareConfig, StepPicture, crop_sonogram, read_picture,
};

use crate::collect::FileInput;
use crate::identify::Content;
use crate::mammogram_file;
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
    pub(crate) steps: Vec<StepPicture>,
    pub(crate) mammogram: Option<MammogramFacts>,
    pub(crate) medium: Option<Medium>,
    pub(crate) warnings: Vec<Warning>,
}

/// Decodes and prepares a file.
///
/// # Errors
/// One line that says why the file is not used. A panic of a decoder is such a line too.
pub(crate) fn load(
    file: &FileInput,
    prepare: &Prepare,
    keep: Keep,
) -> Result<Vec<LoadedImage>, String> {
    if file.modality != prepare.modality() {
        let (expected, got) = (prepare.modality(), file.modality);
        return Err(format!("expected an image of {expected}, got one of {got}"));
    }
    if let Content::Unreadable(_, reason) = &file.content {
        return Err(reason.clone());
    }
    let work = || match prepare {
        Prepare::Sonogram(config) => load_frames(file, config, keep),
        Prepare::Mammogram(config) => Ok(vec![mammogram_file::load(file, config, keep)?]),
        Prepare::Tile(_) => Err("expected an image of an exam, got a slide".to_owned()),
    };
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
    let Some(instance) = sonogram(file) else {
        let picture = read_picture(&file.path, &limits).map_err(|e| e.reason().to_owned())?;
        return Ok((vec![(0, picture)], None));
    };
    let sampled = lobule_dicomio::sample_frames(instance.frames);
    let pictures = lobule_dicomio::read_frames(instance, &sampled.frames, &limits)
        .map_err(|e| e.reason().to_owned())?;
    let frames = sampled.frames.into_iter().zip(pictures).collect();
    Ok((frames, sampled.warning))
}

fn sonogram(file: &FileInput) -> Option<&Instance> {
    match &file.content {
        Content::Sonogram(instance) => Some(instance),
        Content::Picture | Content::Mammogram(_) | Content::Unreadable(..) => None,
    }
}

fn load_frame(
    file: &FileInput,
    frame: usize,
    picture: Picture,
    config: &PrepareConfig,
    keep: Keep,
) -> Result<LoadedImage, String> {
    let instance = sonogram(file);
    let regions: &[PixelBox] = instance.map_or(&[], |i| &i.regions);
    let prepared = crop_sonogram(&picture, regions, config).map_err(|e| e.reason().to_owned())?;
    let steps = match keep {
        Keep::PicturesAndSteps => vec![("crop", prepared.gray.map(|v| [v; 3]))],
        Keep::Nothing | Keep::Pictures => Vec::new(),
    };
    let input = prepared
        .into_input(config)
        .map_err(|e| e.reason().to_owned())?;
    let mut warnings = file.warnings.clone();
    warnings.extend(of_header(instance.map_or(&[], |i| &i.warnings)));
    warn_of_spacing(file.spacing, &mut warnings);
    warnings.extend(input.warnings.iter().cloned());
    Ok(LoadedImage {
        frame,
        rows: picture.rows(),
        cols: picture.cols(),
        spacing: file.spacing,
        input,
        picture: (keep != Keep::Nothing).then_some(picture),
        steps,
        mammogram: None,
        medium: None,
        warnings,
    })
}

/// The header's warnings but that of its spacing: the manifest may state one, see
/// [`warn_of_spacing`].
pub(crate) fn of_header(warnings: &[Warning]) -> impl Iterator<Item = Warning> + '_ {
    let other = warnings
        .iter()
        .filter(|w| w.kind != WarningKind::UnknownSpacing);
    other.cloned()
}

/// Says that lengths are not known.
pub(crate) fn warn_of_spacing(spacing: Option<Spacing>, warnings: &mut Vec<Warning>) {
    if spacing.is_none() {
        warnings.push(Warning {
            kind: WarningKind::UnknownSpacing,
            message: "the size of a pixel is not stated: no lengths in mm".into(),
        });
    }
}
