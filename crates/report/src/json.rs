//! `assessment.json`: the versioned document, written exam by exam.

mod density;

use std::io::Write;

use lobule_exam::{
    Affine, Assessment, BreastAssessment, ClassScores, CloseLook, Crop, CropMethod, Finding,
    ImageAssessment, ImageSide, Lesion, MammogramFacts, PixelBox, Point, Polygon, SaliencyMap,
    Skipped, View, Warning,
};
use serde::Serialize;

use crate::{Calibration, Error, NOTICE, RunInfo};
use density::{BreastClassesOut, ClassesOut, ExamClassOut};

/// Version of the document. A change that a reader could trip over raises the first number.
pub const SCHEMA_VERSION: &str = "1.2";

/// The JSON Schema of the document.
pub const SCHEMA: &str = include_str!("../schema/assessment-1.2.json");

/// Values are written with this many decimals: far below any noise of the engines.
const DECIMALS: f64 = 1e6;

/// Writes the document piece by piece, so that memory does not grow with the number of exams.
/// It is valid JSON once [`AssessmentWriter::finish`] has returned.
#[derive(Debug)]
pub struct AssessmentWriter<W: Write> {
    output: W,
    exams: usize,
}

impl<W: Write> AssessmentWriter<W> {
    /// Writes the document's head; one model per modality that is assessed.
    ///
    /// # Errors
    /// When it cannot be written, or there is no model.
    pub fn new(mut output: W, models: &[RunInfo]) -> Result<AssessmentWriter<W>, Error> {
        let Some((first, further)) = models.split_first() else {
            return Err(Error::format("expected a model, got none"));
        };
        let head = Head::of(first, further);
        let head = serde_json::to_string(&head).map_err(Error::format)?;
        let open = head.strip_suffix('}').expect("an object ends in a brace");
        write!(output, "{open},\n\"exams\":[").map_err(Error::format)?;
        Ok(AssessmentWriter { output, exams: 0 })
    }

    /// Writes one exam. `heat_maps` names each image's heat map, breast by breast, relative to
    /// the document; shorter, empty or `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn exam(
        &mut self,
        assessment: &Assessment,
        heat_maps: &[Option<String>],
    ) -> Result<(), Error> {
        let separator = if self.exams == 0 { "\n" } else { ",\n" };
        self.exams += 1;
        self.output
            .write_all(separator.as_bytes())
            .map_err(Error::format)?;
        serde_json::to_writer(&mut self.output, &ExamOut::of(assessment, heat_maps))
            .map_err(Error::format)
    }

    /// Writes the inputs that were not used and ends the document.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self, skipped: &[Skipped]) -> Result<W, Error> {
        let skipped: Vec<SkippedOut> = skipped.iter().map(SkippedOut::of).collect();
        let text = serde_json::to_string(&skipped).map_err(Error::format)?;
        writeln!(self.output, "\n],\n\"skipped\":{text}\n}}").map_err(Error::format)?;
        self.output.flush().map_err(Error::format)?;
        Ok(self.output)
    }
}

#[derive(Serialize)]
struct Head<'a> {
    schema_version: &'a str,
    notice: &'a str,
    program: Program<'a>,
    #[serde(flatten)]
    first: ModelRun<'a>,
    further_models: Vec<ModelRun<'a>>,
}

#[derive(Serialize)]
struct ModelRun<'a> {
    model: Model<'a>,
    calibration: CalibrationOut,
    operating_point: Option<OperatingPointOut<'a>>,
}

#[derive(Serialize)]
struct Program<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Model<'a> {
    name: &'a str,
    version: &'a str,
    modality: &'a str,
    digest: &'a str,
    engine: &'a str,
    members: usize,
    status: &'a str,
    research_use: &'a str,
}

#[derive(Serialize)]
struct CalibrationOut {
    calibrated: bool,
    calibrated_at_prevalence: Option<f64>,
    prevalence: Option<f64>,
}

#[derive(Serialize)]
struct OperatingPointOut<'a> {
    name: &'a str,
    threshold: f64,
    chosen_by: &'a str,
}

impl<'a> Head<'a> {
    fn of(first: &'a RunInfo, further: &'a [RunInfo]) -> Head<'a> {
        Head {
            schema_version: SCHEMA_VERSION,
            notice: NOTICE,
            program: Program {
                name: "lobule",
                version: &first.program_version,
            },
            first: ModelRun::of(first),
            further_models: further.iter().map(ModelRun::of).collect(),
        }
    }
}

impl<'a> ModelRun<'a> {
    fn of(info: &'a RunInfo) -> ModelRun<'a> {
        let (model, calibration) = (&info.model, info.calibration);
        ModelRun {
            model: Model {
                name: &model.name,
                version: &model.version,
                modality: model.modality.name(),
                digest: &model.digest,
                engine: &model.engine,
                members: model.members,
                status: model.status.name(),
                research_use: &model.research_use,
            },
            calibration: CalibrationOut {
                calibrated: calibration != Calibration::None,
                calibrated_at_prevalence: calibration.calibrated_at().map(rounded),
                prevalence: calibration.prevalence().map(rounded),
            },
            operating_point: info.operating_point.as_ref().map(|p| OperatingPointOut {
                name: &p.name,
                threshold: rounded(p.threshold),
                chosen_by: &p.chosen_by,
            }),
        }
    }
}

#[derive(Serialize)]
struct ExamOut<'a> {
    exam: &'a str,
    modality: &'a str,
    density_class: Option<ExamClassOut>,
    breasts: Vec<BreastOut<'a>>,
    warnings: Vec<WarningOut<'a>>,
}

impl<'a> ExamOut<'a> {
    fn of(exam: &'a Assessment, heat_maps: &'a [Option<String>]) -> ExamOut<'a> {
        let mut names = heat_maps.iter().map(Option::as_deref);
        ExamOut {
            exam: &exam.exam,
            modality: exam.modality.name(),
            density_class: ExamClassOut::of(exam),
            breasts: exam
                .breasts
                .iter()
                .map(|breast| BreastOut::of(breast, &mut names))
                .collect(),
            warnings: warnings(&exam.warnings),
        }
    }
}

#[derive(Serialize)]
struct BreastOut<'a> {
    breast: String,
    score_of_100: f64,
    scores: Scores,
    probabilities: Option<Scores>,
    flagged: bool,
    missing_views: Vec<String>,
    density_classes: Option<BreastClassesOut>,
    images: Vec<ImageOut<'a>>,
}

impl<'a> BreastOut<'a> {
    fn of(
        breast: &'a BreastAssessment,
        heat_maps: &mut impl Iterator<Item = Option<&'a str>>,
    ) -> BreastOut<'a> {
        BreastOut {
            breast: breast.side.to_string(),
            score_of_100: rounded(breast.score_of_100()),
            scores: Scores::of(breast.scores),
            probabilities: breast.probabilities.map(Scores::of),
            flagged: breast.flagged,
            missing_views: breast.missing_views.iter().map(View::to_string).collect(),
            density_classes: BreastClassesOut::of(breast),
            images: breast
                .images
                .iter()
                .map(|image| ImageOut::of(image, heat_maps.next().flatten()))
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct ImageOut<'a> {
    file: &'a str,
    frame: usize,
    rows: usize,
    cols: usize,
    spacing_mm: Option<[f64; 2]>,
    crop: CropOut,
    image_from_input: [[f64; 3]; 2],
    attention: f64,
    rank: usize,
    scores: Scores,
    probabilities: Option<Scores>,
    findings: Vec<FindingOut>,
    saliency: SaliencyOut,
    mammogram: Option<MammogramOut<'a>>,
    heat_map: Option<&'a str>,
    warnings: Vec<WarningOut<'a>>,
}

impl<'a> ImageOut<'a> {
    fn of(image: &'a ImageAssessment, heat_map: Option<&'a str>) -> ImageOut<'a> {
        let spacing = |s: lobule_exam::Spacing| [rounded(s.row_mm()), rounded(s.col_mm())];
        ImageOut {
            file: &image.file,
            frame: image.frame,
            rows: image.rows,
            cols: image.cols,
            spacing_mm: image.spacing.map(spacing),
            crop: CropOut::of(&image.crop),
            image_from_input: matrix(&image.image_from_input),
            attention: rounded(image.attention),
            rank: image.rank,
            scores: Scores::of(image.scores),
            probabilities: image.probabilities.map(Scores::of),
            findings: image.findings.iter().map(FindingOut::of).collect(),
            saliency: SaliencyOut::of(&image.saliency),
            mammogram: image.mammogram.as_ref().map(MammogramOut::of),
            heat_map,
            warnings: warnings(&image.warnings),
        }
    }
}

#[derive(Serialize)]
struct MammogramOut<'a> {
    view: Option<String>,
    chest_side: &'static str,
    upper_side: Option<&'static str>,
    breast: Vec<[f64; 2]>,
    pectoral: Option<[[f64; 2]; 2]>,
    density: Option<f64>,
    density_classes: ClassesOut<'a>,
    windows: Vec<WindowOut>,
}

impl<'a> MammogramOut<'a> {
    fn of(facts: &'a MammogramFacts) -> MammogramOut<'a> {
        MammogramOut {
            view: facts.view.map(|view| view.to_string()),
            chest_side: side_name(facts.orientation.chest()),
            upper_side: facts.orientation.upper().map(side_name),
            breast: corners(&facts.breast),
            pectoral: facts.pectoral.map(|ends| ends.map(|end| corner(&end))),
            density: facts.density.map(rounded),
            density_classes: ClassesOut::of(facts.density_classes.as_ref()),
            windows: facts.windows.iter().map(WindowOut::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct WindowOut {
    outline: Vec<[f64; 2]>,
    attention: f64,
}

impl WindowOut {
    fn of(look: &CloseLook) -> WindowOut {
        WindowOut {
            outline: corners(&look.outline),
            attention: rounded(look.attention),
        }
    }
}

fn side_name(side: ImageSide) -> &'static str {
    match side {
        ImageSide::Left => "left",
        ImageSide::Right => "right",
        ImageSide::Top => "top",
        ImageSide::Bottom => "bottom",
    }
}

fn corner(p: &Point) -> [f64; 2] {
    [rounded(p.row), rounded(p.col)]
}

fn corners(outline: &Polygon) -> Vec<[f64; 2]> {
    outline.points.iter().map(corner).collect()
}

#[derive(Serialize)]
struct Scores {
    benign: f64,
    malignant: f64,
}

impl Scores {
    fn of(scores: ClassScores) -> Scores {
        Scores {
            benign: rounded(scores.benign),
            malignant: rounded(scores.malignant),
        }
    }
}

#[derive(Serialize)]
struct CropOut {
    window: BoxOut,
    method: &'static str,
    painted_pixels: usize,
}

impl CropOut {
    fn of(crop: &Crop) -> CropOut {
        CropOut {
            window: BoxOut::of(crop.window),
            method: match crop.method {
                CropMethod::Regions => "regions",
                CropMethod::Pixels => "pixels",
                CropMethod::Whole => "whole",
                CropMethod::Breast => "breast",
            },
            painted_pixels: crop.painted_pixels,
        }
    }
}

#[derive(Serialize)]
struct BoxOut {
    row: usize,
    col: usize,
    rows: usize,
    cols: usize,
}

impl BoxOut {
    fn of(b: PixelBox) -> BoxOut {
        BoxOut {
            row: b.row,
            col: b.col,
            rows: b.rows,
            cols: b.cols,
        }
    }
}

#[derive(Serialize)]
struct FindingOut {
    class: &'static str,
    score: f64,
    bounds: BoxOut,
    outline: Vec<[f64; 2]>,
    longest_axis_mm: Option<f64>,
    lesion: Option<LesionOut>,
}

impl FindingOut {
    fn of(finding: &Finding) -> FindingOut {
        FindingOut {
            class: finding.class.name(),
            score: rounded(finding.score),
            bounds: BoxOut::of(finding.bounds),
            outline: corners(&finding.outline),
            longest_axis_mm: finding.longest_axis_mm.map(rounded),
            lesion: finding.lesion.map(LesionOut::of),
        }
    }
}

#[derive(Serialize)]
struct LesionOut {
    number: usize,
    score_of_100: f64,
}

impl LesionOut {
    fn of(lesion: Lesion) -> LesionOut {
        LesionOut {
            number: lesion.number,
            score_of_100: rounded(lesion.score),
        }
    }
}

#[derive(Serialize)]
struct SaliencyOut {
    rows: usize,
    cols: usize,
    benign: Vec<f64>,
    malignant: Vec<f64>,
    image_from_grid: [[f64; 3]; 2],
}

impl SaliencyOut {
    fn of(map: &SaliencyMap) -> SaliencyOut {
        let coarse = |v: &f32| (f64::from(*v) * 1e4).round() / 1e4;
        SaliencyOut {
            rows: map.rows,
            cols: map.cols,
            benign: map.benign.iter().map(coarse).collect(),
            malignant: map.malignant.iter().map(coarse).collect(),
            image_from_grid: matrix(&map.image_from_grid),
        }
    }
}

#[derive(Serialize)]
struct WarningOut<'a> {
    kind: &'static str,
    message: &'a str,
}

fn warnings(warnings: &[Warning]) -> Vec<WarningOut<'_>> {
    fn out(w: &Warning) -> WarningOut<'_> {
        WarningOut {
            kind: w.kind.name(),
            message: &w.message,
        }
    }
    warnings.iter().map(out).collect()
}

#[derive(Serialize)]
struct SkippedOut<'a> {
    file: &'a str,
    reason: &'a str,
}

impl<'a> SkippedOut<'a> {
    fn of(skipped: &'a Skipped) -> SkippedOut<'a> {
        SkippedOut {
            file: &skipped.file,
            reason: &skipped.reason,
        }
    }
}

fn matrix(affine: &Affine) -> [[f64; 3]; 2] {
    affine.matrix.map(|row| row.map(rounded))
}

fn rounded(value: f64) -> f64 {
    (value * DECIMALS).round() / DECIMALS
}
