//! From the network's outputs for an exam's images to its assessment.

use lobule_exam::{Assessment, BreastAssessment, ImageAssessment, Side, Warning, WarningKind};
use lobule_package::FindingThresholds;

use crate::ensemble::ImageOutputs;
use crate::load::LoadedImage;
use crate::pool::{MemberScores, Pooled, pool, ranks};
use crate::{Error, ErrorKind, Judgement, findings};

/// An image that has been run.
#[derive(Debug)]
pub(crate) struct RunImage {
    pub(crate) file: String,
    pub(crate) loaded: LoadedImage,
    pub(crate) outputs: ImageOutputs,
}

/// Puts an exam's result together from the images of its breasts.
///
/// # Errors
/// `Outputs` when the network gave no finite numbers.
pub(crate) fn assessment(
    exam: &str,
    breasts: &[(Side, Vec<RunImage>)],
    judgement: &Judgement,
    thresholds: &FindingThresholds,
) -> Result<Assessment, Error> {
    let with_images = breasts.iter().filter(|(_, images)| !images.is_empty());
    let assessed: Vec<BreastAssessment> = with_images
        .map(|(side, images)| breast(*side, images, judgement, thresholds))
        .collect::<Result<_, Error>>()?;
    let warnings = exam_warnings(&assessed);
    Ok(Assessment {
        exam: exam.to_owned(),
        breasts: assessed,
        warnings,
    })
}

fn exam_warnings(breasts: &[BreastAssessment]) -> Vec<Warning> {
    let unknown = breasts.iter().any(|b| b.side == Side::Unknown);
    let warning = || Warning {
        kind: WarningKind::UnknownSide,
        message: "nothing states the breast's side: its images are a group of their own".into(),
    };
    unknown.then(warning).into_iter().collect()
}

fn breast(
    side: Side,
    images: &[RunImage],
    judgement: &Judgement,
    thresholds: &FindingThresholds,
) -> Result<BreastAssessment, Error> {
    let members: Vec<Vec<MemberScores>> =
        images.iter().map(|i| i.outputs.members.clone()).collect();
    let pooled = pool(&members).ok_or_else(|| {
        Error::new(
            ErrorKind::Outputs,
            "expected finite scores and logits, got others",
        )
    })?;
    let order = ranks(&pooled.attention);
    let assessed = images.iter().enumerate().map(|(at, run)| {
        let rank = order[at];
        image(run, &pooled, at, rank, judgement, thresholds)
    });
    Ok(BreastAssessment {
        side,
        scores: pooled.scores,
        probabilities: judgement.probabilities(pooled.scores),
        flagged: judgement.flags(pooled.scores),
        images: assessed.collect(),
    })
}

fn image(
    run: &RunImage,
    pooled: &Pooled,
    at: usize,
    rank: usize,
    judgement: &Judgement,
    thresholds: &FindingThresholds,
) -> ImageAssessment {
    let (loaded, scores) = (&run.loaded, pooled.image_scores[at]);
    let saliency = run.outputs.saliency_map(&loaded.input);
    let crop = loaded.input.crop.clone();
    ImageAssessment {
        file: run.file.clone(),
        frame: loaded.frame,
        rows: loaded.rows,
        cols: loaded.cols,
        spacing: loaded.spacing,
        image_from_input: loaded.input.image_from_input,
        attention: pooled.attention[at],
        rank,
        scores,
        probabilities: judgement.probabilities(scores),
        findings: findings(&saliency, &crop, loaded.spacing, thresholds),
        saliency,
        crop,
        warnings: loaded.warnings.clone(),
    }
}
