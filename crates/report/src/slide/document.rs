//! `assessment.json` of slides, written slide by slide.

use std::io::Write;

use lobule_exam::{GradeOutcome, Skipped, SlideAssessment, SlideGrade, StainUse, TileCounts};
use serde_json::{Value, json};

use super::{SlideRunInfo, components};
use crate::{Error, ModelInfo, NOTICE};

/// Version of the document. Documents of exams have versions below 2.
pub const SLIDES_SCHEMA_VERSION: &str = "2.1";

/// The JSON Schema of the document.
pub const SLIDES_SCHEMA: &str = include_str!("../../schema/slides-2.1.json");

/// Values are written with this many decimals: far below any noise of the engines.
const DECIMALS: f64 = 1e6;

/// Writes the document piece by piece.
#[derive(Debug)]
pub(super) struct SlidesWriter<W: Write> {
    output: W,
    slides: usize,
}

impl<W: Write> SlidesWriter<W> {
    pub(super) fn new(mut output: W, info: &SlideRunInfo) -> Result<SlidesWriter<W>, Error> {
        let head = head(info).to_string();
        let open = head.strip_suffix('}').expect("an object ends in a brace");
        write!(output, "{open},\n\"slides\":[").map_err(Error::format)?;
        Ok(SlidesWriter { output, slides: 0 })
    }

    /// `files` names what was written of the slide, relative to the document.
    pub(super) fn slide(
        &mut self,
        slide: &SlideAssessment,
        info: &SlideRunInfo,
        files: &Value,
    ) -> Result<(), Error> {
        let separator = if self.slides == 0 { "\n" } else { ",\n" };
        self.slides += 1;
        let value = slide_value(slide, info, files);
        write!(self.output, "{separator}{value}").map_err(Error::format)
    }

    pub(super) fn finish(mut self, skipped: &[Skipped]) -> Result<W, Error> {
        let one = |s: &Skipped| json!({"file": s.file, "reason": s.reason});
        let skipped: Vec<Value> = skipped.iter().map(one).collect();
        let skipped = Value::from(skipped);
        writeln!(self.output, "\n],\n\"skipped\":{skipped}\n}}").map_err(Error::format)?;
        self.output.flush().map_err(Error::format)?;
        Ok(self.output)
    }
}

fn head(info: &SlideRunInfo) -> Value {
    let grading = info.grading.as_ref();
    json!({
        "schema_version": SLIDES_SCHEMA_VERSION,
        "notice": NOTICE,
        "demonstration": info.demonstration(),
        "program": {"name": "lobule", "version": info.program_version},
        "tiles": {"side": info.tile_side, "microns_per_pixel": rounded(info.tile_mpp)},
        "tumor_model": model(&info.tumor),
        "tumor_rule": {
            "threshold": rounded(info.tumor_threshold),
            "chosen_by": info.tumor_chosen_by,
        },
        "grade_model": grading.map(|g| model(&g.model)),
        "grade_rule": grading.map(|g| json!({
            "quantile": rounded(g.quantile),
            "least_tiles": g.least_tiles,
            "risk_scale": g.risk.scale,
            "levels": g.risk.levels,
            "cutoffs": g.risk.cutoffs.iter().copied().map(rounded).collect::<Vec<_>>(),
            "chosen_by": g.risk.chosen_by,
        })),
        "components_measured": components::figures(),
    })
}

fn model(model: &ModelInfo) -> Value {
    json!({
        "name": model.name,
        "version": model.version,
        "digest": model.digest,
        "engine": model.engine,
        "members": model.members,
        "status": model.status.name(),
        "research_use": model.research_use,
    })
}

fn slide_value(slide: &SlideAssessment, info: &SlideRunInfo, files: &Value) -> Value {
    let warning = |w: &lobule_exam::Warning| json!({"kind": w.kind.name(), "message": w.message});
    let reason = match &slide.grade {
        GradeOutcome::NotAssessable(reason) => Some(reason.as_str()),
        GradeOutcome::Assessed(_) | GradeOutcome::NoModel => None,
    };
    json!({
        "slide": slide.slide,
        "file": slide.file,
        "format": slide.format,
        "synthetic": slide.is_synthetic,
        "rows": slide.rows,
        "cols": slide.cols,
        "microns_per_pixel": rounded(slide.mpp),
        "microns_per_pixel_stated_by": slide.mpp_source.name(),
        "stains": stains(&slide.stains),
        "tile_counts": counts(&slide.counts),
        "status": slide.grade.name(),
        "reason": reason,
        "model_status": info.status().name(),
        "grade": slide.grade.grade().map(|grade| grade_value(grade, info)),
        "components": components::value(&slide.components),
        "files": files,
        "warnings": slide.warnings.iter().map(warning).collect::<Vec<_>>(),
    })
}

fn stains(stains: &StainUse) -> Value {
    let reason = match stains {
        StainUse::Unfit(reason) => Some(reason.as_str()),
        StainUse::Normalized | StainUse::NotAsked => None,
    };
    json!({"use": stains.name(), "reason": reason})
}

fn counts(counts: &TileCounts) -> Value {
    json!({
        "taken": counts.taken,
        "tumor": counts.tumor,
        "glass": counts.glass,
        "pen": counts.pen,
        "fold": counts.fold,
        "blur": counts.blur,
        "unreadable": counts.unreadable,
    })
}

fn grade_value(grade: &SlideGrade, info: &SlideRunInfo) -> Value {
    let members = grade.members.iter();
    let member = |m: &lobule_exam::MemberGrade| {
        json!({
            "score": rounded(m.score),
            "risk": info.level_name(m.level),
        })
    };
    json!({
        "score": rounded(grade.score),
        "interval_over_tiles": grade.interval.map(rounded),
        "tumor_tiles": grade.n_tiles,
        "risk": info.level_name(grade.level),
        "level": grade.level,
        "members": members.map(member).collect::<Vec<_>>(),
        "member_agreement": rounded(grade.agreement()),
    })
}

pub(super) fn rounded(value: f64) -> f64 {
    (value * DECIMALS).round() / DECIMALS
}
