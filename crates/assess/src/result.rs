//! From the network's outputs for an exam's images to its assessment.

use lobule_exam::{
    Assessment, BreastAssessment, CloseLook, FindingClass, ImageAssessment, Laterality,
    MammogramFacts, Modality, PixelBox, Point, Polygon, Side, Skipped, View, ViewedImage, Warning,
    WarningKind, arrange_views,
};
use lobule_raster::NetworkInput;

use crate::collect::{ExamInputs, FileInput};
use crate::ensemble::ImageOutputs;
use crate::findings::{highest, inside_breast};
use crate::lesions::name_lesions;
use crate::load::LoadedImage;
use crate::pipeline::Assessor;
use crate::pool::{MemberScores, Pooled, ranks};
use crate::{AttendedWindow, Error, ErrorKind, findings};

/// An image that has been run.
#[derive(Debug)]
pub(crate) struct RunImage {
    pub(crate) file: String,
    pub(crate) loaded: LoadedImage,
    pub(crate) outputs: ImageOutputs,
}

/// Puts an exam's result together from the images of its breasts; `skipped` are its other files.
///
/// # Errors
/// `Outputs` when the network gave no finite numbers.
pub(crate) fn assessment(
    inputs: &ExamInputs,
    breasts: &[(Side, Vec<RunImage>)],
    skipped: &[Skipped],
    assessor: &Assessor,
) -> Result<Assessment, Error> {
    let with_images = breasts.iter().filter(|(_, images)| !images.is_empty());
    let assessed: Vec<BreastAssessment> = with_images
        .map(|(side, images)| breast(*side, images, assessor))
        .collect::<Result<_, Error>>()?;
    let mut warnings = inputs.warnings.clone();
    if assessed.iter().any(|b| b.side == Side::Unknown) {
        warnings.push(Warning {
            kind: WarningKind::UnknownSide,
            message: "nothing states the breast's side: its images are a group of their own".into(),
        });
    }
    if inputs.modality == Modality::Mammography {
        warn_of_views(&assessed, &unusable(inputs, skipped), &mut warnings);
    }
    Ok(Assessment {
        exam: inputs.exam.clone(),
        modality: inputs.modality,
        breasts: assessed,
        warnings,
    })
}

/// A mammogram that is there and could not be used.
struct Unusable<'a> {
    side: Side,
    view: Option<View>,
    reason: &'a str,
}

fn unusable<'a>(inputs: &ExamInputs, skipped: &'a [Skipped]) -> Vec<Unusable<'a>> {
    let breasts = inputs.breasts.iter();
    let files = breasts.flat_map(|b| b.files.iter().map(move |file| (b.side, file)));
    let of = |(side, file): (Side, &FileInput)| {
        let found = skipped.iter().find(|s| s.file == file.name)?;
        Some(Unusable {
            side,
            view: file.view,
            reason: &found.reason,
        })
    };
    files.filter_map(of).collect()
}

/// Says which views and breasts are missing, which of them are there but could not be used, and
/// which were taken more than once.
fn warn_of_views(
    breasts: &[BreastAssessment],
    unusable: &[Unusable<'_>],
    warnings: &mut Vec<Warning>,
) {
    let mut warn = |kind, message| warnings.push(Warning { kind, message });
    for breast in breasts {
        let name = breast_name(breast.side);
        for view in &breast.missing_views {
            let is = |u: &&Unusable<'_>| u.side == breast.side && u.view == Some(*view);
            let message = match unusable.iter().find(is) {
                Some(there) => format!(
                    "{name}: the {view} view is there and could not be used: {}",
                    there.reason
                ),
                None => format!("{name}: no {view} view"),
            };
            warn(WarningKind::MissingView, message);
        }
        for view in arranged(breast).map_or(Vec::new(), |b| b.repeated_views()) {
            let message = format!("{name}: more than one {view} view; all are assessed");
            warn(WarningKind::RepeatedView, message);
        }
    }
    let is_there = |side: &Side| breasts.iter().any(|b| b.side == *side);
    let both = [Laterality::Left, Laterality::Right].map(Side::Known);
    if breasts.is_empty() || is_there(&Side::Unknown) {
        return;
    }
    for side in both.iter().filter(|side| !is_there(side)) {
        let name = breast_name(*side);
        let message = match unusable.iter().find(|u| u.side == *side) {
            Some(there) => format!(
                "{name}: its images are there and none could be used: {}",
                there.reason
            ),
            None => format!("{name}: no view"),
        };
        warn(WarningKind::MissingView, message);
    }
}

fn breast_name(side: Side) -> String {
    match side {
        Side::Known(_) => format!("{side} breast"),
        Side::Unknown => "breast of unknown side".to_owned(),
    }
}

fn view_of(image: &ImageAssessment) -> Option<View> {
    image.mammogram.as_ref().and_then(|facts| facts.view)
}

fn arranged(breast: &BreastAssessment) -> Option<lobule_exam::ViewedBreast> {
    let viewed = |image: &ImageAssessment| ViewedImage {
        exam: "",
        side: breast.side,
        view: view_of(image),
    };
    let images: Vec<ViewedImage> = breast.images.iter().map(viewed).collect();
    arrange_views(&images).pop()?.breasts.pop()
}

fn breast(side: Side, images: &[RunImage], assessor: &Assessor) -> Result<BreastAssessment, Error> {
    let judgement = &assessor.judgement;
    let members: Vec<Vec<MemberScores>> =
        images.iter().map(|i| i.outputs.members.clone()).collect();
    let view = |run: &RunImage| run.loaded.mammogram.as_ref().and_then(|facts| facts.view);
    let views: Vec<Option<View>> = images.iter().map(view).collect();
    let pooled = assessor.networks.pool(&members, &views).ok_or_else(|| {
        Error::new(
            ErrorKind::Outputs,
            "expected finite scores and logits, got others",
        )
    })?;
    let order = ranks(&pooled.attention);
    let assessed = images
        .iter()
        .enumerate()
        .map(|(at, run)| image(run, &pooled, at, order[at], assessor));
    let mut breast = BreastAssessment {
        side,
        scores: pooled.scores,
        probabilities: judgement.probabilities(pooled.scores),
        flagged: judgement.flags(pooled.scores),
        images: assessed.collect(),
        missing_views: Vec::new(),
    };
    if breast.images.iter().any(|i| i.mammogram.is_some()) {
        breast.missing_views = arranged(&breast).map_or(Vec::new(), |b| b.missing_views());
        if breast.flagged {
            outline_highest(&mut breast.images);
        }
        let score = breast.score_of_100();
        name_lesions(&mut breast.images, score);
    }
    Ok(breast)
}

/// A flagged breast without a malignant finding gets one, where its saliency is highest.
fn outline_highest(images: &mut [ImageAssessment]) {
    let malignant = |image: &ImageAssessment| {
        let mut classes = image.findings.iter().map(|f| f.class);
        classes.any(|class| class == FindingClass::Malignant)
    };
    if images.iter().any(malignant) {
        return;
    }
    let found = images.iter_mut().filter_map(|image| {
        let facts = image.mammogram.as_ref()?;
        let inside = inside_breast(&image.saliency, &facts.breast);
        let finding = highest(&inside, &image.crop, image.spacing)?;
        Some((image, finding))
    });
    if let Some((image, finding)) = found.max_by(|a, b| a.1.score.total_cmp(&b.1.score)) {
        let at = image.findings.partition_point(|f| f.score > finding.score);
        image.findings.insert(at, finding);
    }
}

fn image(
    run: &RunImage,
    pooled: &Pooled,
    at: usize,
    rank: usize,
    assessor: &Assessor,
) -> ImageAssessment {
    let (loaded, scores) = (&run.loaded, pooled.image_scores[at]);
    let (input, spacing) = (&loaded.input, loaded.spacing);
    let saliency = run.outputs.saliency_map(input);
    let thresholds = &assessor.finding_thresholds;
    let findings = match &loaded.mammogram {
        Some(facts) => {
            let inside = inside_breast(&saliency, &facts.breast);
            findings(&inside, &input.crop, spacing, thresholds)
        }
        None => findings(&saliency, &input.crop, spacing, thresholds),
    };
    let mut warnings = loaded.warnings.clone();
    let mammogram = loaded.mammogram.clone().map(|facts| MammogramFacts {
        windows: close_looks(&run.outputs.windows, input),
        ..facts
    });
    let view = mammogram.as_ref().and_then(|facts| facts.view);
    if let Some(view) = view.filter(|view| assessor.is_untrained_view(*view)) {
        warnings.push(Warning {
            kind: WarningKind::UntrainedView,
            message: format!("the model learnt from no {view} view: its scores here are doubtful"),
        });
    }
    if let Some(medium) = loaded.medium.filter(|m| assessor.is_untrained_medium(*m)) {
        warnings.push(Warning {
            kind: WarningKind::UntrainedMedium,
            message: format!(
                "the model learnt from no whole {medium} mammogram: its scores here are doubtful"
            ),
        });
    }
    ImageAssessment {
        file: run.file.clone(),
        frame: loaded.frame,
        rows: loaded.rows,
        cols: loaded.cols,
        spacing,
        image_from_input: input.image_from_input,
        attention: pooled.attention[at],
        rank,
        scores,
        probabilities: assessor.judgement.probabilities(scores),
        findings,
        saliency,
        crop: input.crop.clone(),
        mammogram,
        warnings,
    }
}

/// Windows of the input in the original image, highest attention first.
fn close_looks(windows: &[AttendedWindow], input: &NetworkInput) -> Vec<CloseLook> {
    let look = |window: &AttendedWindow| CloseLook {
        outline: edges(window.place).map(&input.image_from_input),
        attention: window.attention,
    };
    let mut looks: Vec<CloseLook> = windows.iter().map(look).collect();
    looks.sort_by(|a, b| b.attention.total_cmp(&a.attention));
    looks
}

/// The outer edges of a box.
fn edges(place: PixelBox) -> Polygon {
    let (top, left) = (place.row as f64 - 0.5, place.col as f64 - 0.5);
    let (bottom, right) = (place.row_end() as f64 - 0.5, place.col_end() as f64 - 0.5);
    let corners = [(top, left), (top, right), (bottom, right), (bottom, left)];
    Polygon {
        points: corners.map(|(row, col)| Point { row, col }).to_vec(),
    }
}
