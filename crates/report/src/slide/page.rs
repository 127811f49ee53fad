//! The page of a slide, and the list of several.

use askama::Template;
use lobule_exam::{GradeOutcome, Skipped, SlideAssessment, SlideGrade, StainUse};
use lobule_raster::{ComponentFigures, Image};

use super::components::{self, ComponentRow};
use super::run::SlideRunInfo;
use crate::html::{percent, rgb_uri};
use crate::{Error, ModelInfo, NOTICE};

/// The page of one slide, ready to be rendered.
#[derive(Debug, Clone, Template)]
#[template(path = "slide.html")]
pub(super) struct SlidePage {
    notice: &'static str,
    version: String,
    uses: Vec<String>,
    demonstration: Option<&'static str>,
    is_demonstration: bool,
    is_synthetic: bool,
    slide: String,
    headline: &'static str,
    big: String,
    what: String,
    meter: Option<Meter>,
    verdict: String,
    tumor_tiles: usize,
    taken_tiles: usize,
    area: String,
    left_out: String,
    stains: String,
    members: Vec<(String, String)>,
    agreement: String,
    explanation: &'static str,
    components: Vec<ComponentRow>,
    components_basis: String,
    components_measured_on: &'static str,
    warnings: Vec<String>,
    pictures: Vec<PictureView>,
    file: String,
    format: String,
    size: String,
    skipped: Vec<Skipped>,
    made_with: Vec<(&'static str, String)>,
}

/// Places on a bar from 0 to 1, in percent.
#[derive(Debug, Clone)]
struct Meter {
    low: String,
    width: String,
    score: String,
    cutoffs: Vec<String>,
}

#[derive(Debug, Clone)]
struct PictureView {
    uri: String,
    alt: String,
    caption: &'static str,
}

/// What the pictures of a page show, in the order they are given.
const PICTURES: [(&str, &str); 5] = [
    (
        "Tumor map",
        "Where tumor was found: the probability of each tile over the slide.",
    ),
    ("Score map", "Scores of the tumor tiles over the slide."),
    ("Gallery", "The tumor tiles with the highest scores."),
    (
        "Components",
        "What was measured on the first of these tiles: an explanation, not the grade.",
    ),
    ("Quality", "Which tiles were taken and why others were not."),
];

impl SlidePage {
    pub(super) fn of(
        slide: &SlideAssessment,
        info: &SlideRunInfo,
        shown: [Option<&Image<[u8; 3]>>; 5],
    ) -> Result<SlidePage, Error> {
        let mut pictures = Vec::new();
        for (picture, (name, caption)) in shown.into_iter().zip(PICTURES) {
            if let Some(picture) = picture {
                pictures.push(PictureView {
                    uri: rgb_uri(picture)?,
                    alt: format!("{name} of the slide {}", slide.slide),
                    caption,
                });
            }
        }
        let grade = slide.grade.grade();
        let (big, what, verdict) = words(slide, info);
        Ok(SlidePage {
            notice: NOTICE,
            version: info.program_version.clone(),
            uses: uses(info),
            demonstration: info.demonstration(),
            is_demonstration: info.demonstration().is_some(),
            is_synthetic: slide.is_synthetic,
            slide: slide.slide.clone(),
            headline: headline(slide, info),
            big,
            what,
            meter: grade.map(|grade| Meter::of(grade, info)),
            verdict,
            tumor_tiles: slide.counts.tumor,
            taken_tiles: slide.counts.taken,
            area: area(slide.counts.tumor, info),
            left_out: left_out(slide),
            stains: stains(&slide.stains),
            members: grade.map_or(Vec::new(), |grade| members(grade, info)),
            agreement: grade.map_or(String::new(), agreement),
            explanation: components::EXPLANATION,
            components: components::rows(&slide.components),
            components_basis: components::basis(&slide.components),
            components_measured_on: &ComponentFigures::built_in().images,
            warnings: slide.warnings.iter().map(|w| w.message.clone()).collect(),
            pictures,
            file: slide.file.clone(),
            format: slide.format.clone(),
            size: format!(
                "{} × {} pixels (columns × rows), {} µm per pixel, stated by the {}",
                slide.cols,
                slide.rows,
                slide.mpp,
                slide.mpp_source.name()
            ),
            skipped: Vec::new(),
            made_with: made_with(info),
        })
    }

    /// The page with all inputs of the run that were not used.
    pub(super) fn with_skipped(mut self, skipped: &[Skipped]) -> SlidePage {
        self.skipped = skipped.to_vec();
        self
    }

    pub(super) fn render_page(&self) -> Result<String, Error> {
        self.render().map_err(Error::format)
    }
}

fn headline(slide: &SlideAssessment, info: &SlideRunInfo) -> &'static str {
    match (&slide.grade, info.demonstration()) {
        (GradeOutcome::NoModel, _) => "Not graded",
        (_, Some(_)) => "What the demonstration model computed",
        (_, None) => "Risk level by the slide's score",
    }
}

/// The large words, the small ones below, the verdict.
fn words(slide: &SlideAssessment, info: &SlideRunInfo) -> (String, String, String) {
    let grade = match &slide.grade {
        GradeOutcome::Assessed(grade) => grade,
        GradeOutcome::NotAssessable(reason) => {
            return (
                "Not assessable".into(),
                reason.clone(),
                "No score, no risk level".into(),
            );
        }
        GradeOutcome::NoModel => {
            let what = "there is no model that grades: tumor was looked for only";
            return ("–".into(), what.into(), "No score, no risk level".into());
        }
    };
    let [low, high] = grade.interval;
    let what = format!(
        "score {:.2}, 95 % over tiles {low:.2} to {high:.2}, {} tumor tiles",
        grade.score, grade.n_tiles
    );
    let verdict = match (info.demonstration(), &info.grading) {
        (Some(words), _) => words.to_owned(),
        (None, Some(grading)) => format!(
            "Scale “{}”: {} at cutoffs {}",
            grading.risk.scale,
            grading.risk.levels.join(" < "),
            listed(&grading.risk.cutoffs)
        ),
        (None, None) => String::new(),
    };
    (info.level_name(grade.level), what, verdict)
}

fn listed(values: &[f64]) -> String {
    let texts: Vec<String> = values.iter().map(|v| format!("{v:.3}")).collect();
    texts.join(", ")
}

impl Meter {
    fn of(grade: &SlideGrade, info: &SlideRunInfo) -> Meter {
        let at = |v: f64| format!("{:.1}", 100.0 * v.clamp(0.0, 1.0));
        let [low, high] = grade.interval;
        let cutoffs = info.grading.iter().flat_map(|g| &g.risk.cutoffs);
        Meter {
            low: at(low),
            width: at(high - low),
            score: at(grade.score),
            cutoffs: cutoffs.map(|v| at(*v)).collect(),
        }
    }
}

fn members(grade: &SlideGrade, info: &SlideRunInfo) -> Vec<(String, String)> {
    let member =
        |m: &lobule_exam::MemberGrade| (format!("{:.2}", m.score), info.level_name(m.level));
    grade.members.iter().map(member).collect()
}

fn agreement(grade: &SlideGrade) -> String {
    let n = grade.members.len();
    let same = grade
        .members
        .iter()
        .filter(|m| m.level == grade.level)
        .count();
    format!("{same} of {n}")
}

fn area(tiles: usize, info: &SlideRunInfo) -> String {
    let side_mm = info.tile_side as f64 * info.tile_mpp / 1000.0;
    format!("{:.1} mm² of tumor", tiles as f64 * side_mm * side_mm)
}

fn left_out(slide: &SlideAssessment) -> String {
    let counts = slide.counts;
    let all = [
        (counts.pen, "pen"),
        (counts.fold, "folded"),
        (counts.blur, "blurred"),
        (counts.unreadable, "unreadable"),
    ];
    let said: Vec<String> = all
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, name)| format!("{n} {name}"))
        .collect();
    match said.is_empty() {
        true => "No tile of tissue was left out".into(),
        false => format!("Left out: {} tiles", said.join(", ")),
    }
}

fn stains(stains: &StainUse) -> String {
    match stains {
        StainUse::Normalized => "Stains normalized, as the models ask".into(),
        StainUse::Unfit(reason) => format!("Stains left as they are: {reason}"),
        StainUse::NotAsked => "Stains left as they are, as the models ask".into(),
    }
}

fn uses(info: &SlideRunInfo) -> Vec<String> {
    info.words_beyond_notice()
        .into_iter()
        .map(str::to_owned)
        .collect()
}

fn made_with(info: &SlideRunInfo) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("Tumor model", model(&info.tumor)),
        (
            "Tumor from",
            format!(
                "{} ({})",
                percent(info.tumor_threshold),
                info.tumor_chosen_by
            ),
        ),
    ];
    if let Some(grading) = &info.grading {
        let risk = &grading.risk;
        rows.push(("Grade model", model(&grading.model)));
        rows.push((
            "Slide score",
            format!(
                "quantile {} of the tumor tiles' scores, at least {} tiles",
                grading.quantile, grading.least_tiles
            ),
        ));
        rows.push((
            "Risk",
            format!(
                "{}: {} at {} ({})",
                risk.scale,
                risk.levels.join(" < "),
                listed(&risk.cutoffs),
                risk.chosen_by
            ),
        ));
    }
    let (side, mpp) = (info.tile_side, info.tile_mpp);
    rows.push((
        "Tiles",
        format!("{side} × {side} pixels at {mpp} µm per pixel"),
    ));
    rows
}

fn model(model: &ModelInfo) -> String {
    let members = match model.members {
        1 => "one network".to_owned(),
        n => format!("mean of {n} networks"),
    };
    format!(
        "{} {} ({}; {members}; {}; digest {})",
        model.name,
        model.version,
        model.status.name(),
        model.engine,
        model.digest
    )
}

/// One line of the list.
#[derive(Debug, Clone)]
pub(super) struct SlideRow {
    slide: String,
    link: String,
    order: f64,
    score: String,
    risk: String,
    interval: String,
    tumor_tiles: usize,
    agreement: String,
    warnings: usize,
    is_synthetic: bool,
}

impl SlideRow {
    pub(super) fn of(slide: &SlideAssessment, info: &SlideRunInfo, link: String) -> SlideRow {
        let grade = slide.grade.grade();
        let dash = || "–".to_owned();
        SlideRow {
            slide: slide.slide.clone(),
            link,
            order: grade.map_or(f64::NEG_INFINITY, |g| g.score),
            score: grade.map_or_else(dash, |g| format!("{:.2}", g.score)),
            risk: match &slide.grade {
                GradeOutcome::Assessed(grade) => info.level_name(grade.level),
                GradeOutcome::NotAssessable(reason) => format!("not assessable: {reason}"),
                GradeOutcome::NoModel => "no model that grades".to_owned(),
            },
            interval: grade.map_or_else(dash, |g| {
                format!("{:.2} to {:.2}", g.interval[0], g.interval[1])
            }),
            tumor_tiles: slide.counts.tumor,
            agreement: grade.map_or_else(dash, agreement),
            warnings: slide.warnings.len(),
            is_synthetic: slide.is_synthetic,
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "slides.html")]
struct SlidesPage<'a> {
    notice: &'static str,
    version: &'a str,
    uses: Vec<String>,
    demonstration: Option<&'static str>,
    is_demonstration: bool,
    is_synthetic: bool,
    assessed: usize,
    rows: Vec<SlideRow>,
    skipped: &'a [Skipped],
    made_with: Vec<(&'static str, String)>,
}

/// Renders the list: by falling score, then by name.
pub(super) fn slides_page(
    info: &SlideRunInfo,
    mut rows: Vec<SlideRow>,
    skipped: &[Skipped],
) -> Result<String, Error> {
    rows.sort_by(|a, b| {
        let by_score = b.order.total_cmp(&a.order);
        by_score.then_with(|| a.slide.cmp(&b.slide))
    });
    let page = SlidesPage {
        notice: NOTICE,
        version: &info.program_version,
        uses: uses(info),
        demonstration: info.demonstration(),
        is_demonstration: info.demonstration().is_some(),
        is_synthetic: rows.iter().any(|r| r.is_synthetic),
        assessed: rows.iter().filter(|r| r.order.is_finite()).count(),
        rows,
        skipped,
        made_with: made_with(info),
    };
    page.render().map_err(Error::format)
}
