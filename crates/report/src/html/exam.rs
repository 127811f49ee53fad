//! The page of one exam.

use askama::Template;
use lobule_exam::{
    BreastAssessment, Finding, FindingClass, ImageAssessment, Laterality, PixelBox, SaliencyMap,
    Side, Skipped, Warning, WarningKind,
};
use lobule_raster::Picture;

use super::picture::{overlay_uri, picture_uri};
use super::{Foot, percent};
use crate::heat_map::maximum;
use crate::{Error, ExamRecord, NOTICE, RunInfo, Surroundings, heat_color};

/// Everything the exam's template shows, already worded.
#[derive(Debug, Clone, Template)]
#[template(path = "exam.html")]
pub(crate) struct ExamPage {
    notice: &'static str,
    exam: String,
    is_synthetic: bool,
    identity: Vec<(String, String)>,
    breasts: Vec<BreastView>,
    warnings: Vec<String>,
    skipped: Vec<Skipped>,
    legend: Vec<String>,
    foot: Foot,
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

impl ExamPage {
    pub(crate) fn of(
        info: &RunInfo,
        record: &ExamRecord,
        surroundings: Surroundings,
    ) -> Result<ExamPage, Error> {
        let exam = &record.assessment;
        let mut pictures = record.pictures.iter().map(Option::as_ref);
        let mut breasts = Vec::new();
        for breast in &exam.breasts {
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
        Ok(ExamPage {
            notice: NOTICE,
            exam: exam.exam.clone(),
            is_synthetic: is_synthetic(record),
            identity: record.identity.clone(),
            breasts,
            warnings: messages(&exam.warnings),
            skipped: record.skipped.clone(),
            legend: legend(),
            foot: Foot::of(info),
        })
    }

    /// The page with all inputs of the run that were not used.
    pub(crate) fn with_skipped(mut self, skipped: &[Skipped]) -> ExamPage {
        self.skipped = skipped.to_vec();
        self
    }

    pub(crate) fn render_page(&self) -> Result<String, Error> {
        self.render().map_err(Error::format)
    }
}

pub(crate) fn is_synthetic(record: &ExamRecord) -> bool {
    let exam = &record.assessment;
    let images = exam.breasts.iter().flat_map(|b| &b.images);
    let mut warnings = exam.warnings.iter().chain(images.flat_map(|i| &i.warnings));
    warnings.any(|w| w.kind == WarningKind::Synthetic)
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
            verdict: verdict(info, breast.flagged),
            benign: percent(shown.benign),
            meter: width(shown.malignant),
            threshold_meter: threshold.map(width),
            images,
        })
    }
}

fn side_title(side: Side) -> &'static str {
    match side {
        Side::Known(Laterality::Left) => "Left breast",
        Side::Known(Laterality::Right) => "Right breast",
        Side::Unknown => "Breast of unknown side",
    }
}

fn verdict(info: &RunInfo, flagged: bool) -> String {
    let Some(point) = &info.operating_point else {
        return "No operating point: nothing is flagged".to_owned();
    };
    let (word, relation) = match flagged {
        true => ("Flagged", "at or above"),
        false => ("Not flagged", "below"),
    };
    let threshold = percent(point.threshold);
    format!(
        "{word}: {relation} the operating point “{}” ({threshold})",
        point.name
    )
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

fn name_of(image: &ImageAssessment) -> String {
    match image.frame {
        0 => image.file.clone(),
        frame => format!("{}, frame {}", image.file, frame + 1),
    }
}

fn crop_words(image: &ImageAssessment) -> String {
    use lobule_exam::CropMethod::{Pixels, Regions, Whole};
    let window = image.crop.window;
    let how = match image.crop.method {
        Regions => "found by the file's regions",
        Pixels => "found from the pixels",
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

/// SVG's matrix from the overlay's edges, in grid units, to the picture's edges, in pixels: both
/// count from the outer corner, half a unit from the first centre.
fn overlay_transform(map: &SaliencyMap) -> String {
    let [r, c] = map.image_from_grid.matrix;
    let edge = |m: [f64; 3]| m[2] + 0.5 - 0.5 * (m[0] + m[1]);
    format!(
        "matrix({:.6} {:.6} {:.6} {:.6} {:.4} {:.4})",
        c[1],
        r[1],
        c[0],
        r[0],
        edge(c),
        edge(r)
    )
}

impl OutlineView {
    fn of(finding: &Finding) -> OutlineView {
        let class = match finding.class {
            FindingClass::Benign => "benign",
            FindingClass::Malignant => "malignant",
        };
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

fn messages(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(|w| w.message.clone()).collect()
}

/// Width of a bar, in percent.
fn width(share: f64) -> String {
    format!("{:.1}", share.clamp(0.0, 1.0) * 100.0)
}

/// The color scale from 0 to 1.
fn legend() -> Vec<String> {
    let color = |i: u32| {
        let [r, g, b] = heat_color(f64::from(i) / 10.0);
        format!("#{r:02x}{g:02x}{b:02x}")
    };
    (0..=10).map(color).collect()
}
