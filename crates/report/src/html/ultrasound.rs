//! The page of an ultrasound exam: images by attention.

use askama::Template;
use lobule_exam::{BreastAssessment, Finding, ImageAssessment, PixelBox};
use lobule_raster::Picture;

use super::exam::{ExamHead, messages, name_of, side_title, verdict, width};
use super::picture::{overlay_transform, overlay_uri, picture_uri};
use super::{Foot, percent, threshold_percent};
use crate::heat_map::maximum;
use crate::{Error, ExamRecord, NOTICE, RunInfo, Surroundings};

/// Everything the template shows, already worded.
#[derive(Debug, Clone, Template)]
#[template(path = "ultrasound.html")]
pub(crate) struct UltrasoundPage {
    notice: &'static str,
    pub(super) head: ExamHead,
    foot: Foot,
    breasts: Vec<BreastView>,
}

#[derive(Debug, Clone)]
struct BreastView {
    title: String,
    big: String,
    big_words: String,
    flagged: bool,
    verdict: String,
    benign: String,
    meter: String,
    threshold_meter: Option<String>,
    images: Vec<ImageView>,
}

#[derive(Debug, Clone)]
struct ImageView {
    id: String,
    rank: usize,
    name: String,
    attention: String,
    malignant: String,
    benign: String,
    max: String,
    alt: String,
    picture: Option<String>,
    rows: usize,
    cols: usize,
    crop: PixelBox,
    crop_words: String,
    stroke: String,
    overlay: String,
    overlay_transform: String,
    grid_rows: usize,
    grid_cols: usize,
    outlines: Vec<OutlineView>,
    warnings: Vec<String>,
}

#[derive(Debug, Clone)]
struct OutlineView {
    class: &'static str,
    points: String,
    words: String,
}

impl UltrasoundPage {
    pub(super) fn of(
        info: &RunInfo,
        record: &ExamRecord,
        surroundings: Surroundings,
    ) -> Result<UltrasoundPage, Error> {
        let mut pictures = record.pictures.iter().map(Option::as_ref);
        let mut breasts = Vec::new();
        for breast in &record.assessment.breasts {
            let taken: Vec<Option<&Picture>> = breast
                .images
                .iter()
                .map(|_| pictures.next().flatten())
                .collect();
            breasts.push(BreastView::of(
                info,
                breast,
                &taken,
                breasts.len(),
                surroundings,
            )?);
        }
        Ok(UltrasoundPage {
            notice: NOTICE,
            head: ExamHead::of(record),
            foot: Foot::of(info),
            breasts,
        })
    }
}

impl BreastView {
    fn of(
        info: &RunInfo,
        breast: &BreastAssessment,
        pictures: &[Option<&Picture>],
        idx: usize,
        surroundings: Surroundings,
    ) -> Result<BreastView, Error> {
        let shown = breast.probabilities.unwrap_or(breast.scores);
        let words = match breast.probabilities {
            Some(_) => "calibrated probability of malignancy",
            None => "malignancy score (NOT calibrated)",
        };
        let mut images = Vec::new();
        for (image, picture) in breast.images.iter().zip(pictures) {
            let id = format!("b{idx}i{}", images.len());
            images.push(ImageView::of(image, *picture, id, surroundings)?);
        }
        images.sort_by_key(|image| image.rank);
        let threshold = info.operating_point.as_ref().map(|p| p.threshold);
        Ok(BreastView {
            title: side_title(breast.side).to_owned(),
            big: percent(shown.malignant),
            big_words: words.to_owned(),
            flagged: breast.flagged,
            verdict: verdict(info, breast.flagged, threshold_percent),
            benign: percent(shown.benign),
            meter: width(shown.malignant),
            threshold_meter: threshold.map(width),
            images,
        })
    }
}

impl ImageView {
    fn of(
        image: &ImageAssessment,
        picture: Option<&Picture>,
        id: String,
        surroundings: Surroundings,
    ) -> Result<ImageView, Error> {
        let shown = image.probabilities.unwrap_or(image.scores);
        let max = maximum(&image.saliency.malignant);
        let outlines: Vec<OutlineView> = image.findings.iter().map(OutlineView::of).collect();
        let (malignant, attention) = (percent(shown.malignant), percent(image.attention));
        let crop = image.crop.window;
        Ok(ImageView {
            alt: format!(
                "Sonogram {} with the malignant saliency overlaid (maximum {max:.2}) and {} outlined regions",
                image.file,
                outlines.len()
            ),
            id,
            rank: image.rank,
            name: name_of(image),
            attention,
            malignant,
            benign: percent(shown.benign),
            max: format!("{max:.2}"),
            picture: picture
                .map(|p| picture_uri(p, crop, surroundings))
                .transpose()?,
            rows: image.rows,
            cols: image.cols,
            crop,
            crop_words: crop_words(image),
            stroke: format!("{:.2}", crop.rows.max(crop.cols) as f64 / 260.0),
            overlay: overlay_uri(&image.saliency)?,
            overlay_transform: overlay_transform(&image.saliency),
            grid_rows: image.saliency.rows,
            grid_cols: image.saliency.cols,
            outlines,
            warnings: messages(&image.warnings),
        })
    }
}

fn crop_words(image: &ImageAssessment) -> String {
    use lobule_exam::CropMethod::{Breast, Pixels, Regions, Whole};
    let window = image.crop.window;
    let how = match image.crop.method {
        Regions => "found by the file's regions",
        Pixels => "found from the pixels",
        Breast => "the box around the breast",
        Whole => "the whole picture",
    };
    let painted = match image.crop.painted_pixels {
        0 => String::new(),
        n => format!("; {n} pixels of burnt-in marks painted over"),
    };
    format!(
        "{} × {} of {} × {} pixels, {how}{painted}",
        window.cols, window.rows, image.cols, image.rows
    )
}

impl OutlineView {
    fn of(finding: &Finding) -> OutlineView {
        let class = finding.class.name();
        let corners = finding.outline.points.iter();
        let points: Vec<String> = corners
            .map(|p| format!("{:.1},{:.1}", p.col + 0.5, p.row + 0.5))
            .collect();
        let size = match finding.longest_axis_mm {
            Some(mm) => format!(", longest axis {mm:.1} mm"),
            None => String::new(),
        };
        OutlineView {
            class,
            points: points.join(" "),
            words: format!("{class} region, saliency up to {:.2}{size}", finding.score),
        }
    }
}
