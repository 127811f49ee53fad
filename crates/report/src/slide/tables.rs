//! `tiles.csv` of one slide; `summary.csv` and `cohort.csv` of a run.

use std::io::Write;

use lobule_exam::{GradeOutcome, Skipped, SlideAssessment, TileAssessment};

use super::document::rounded;
use super::run::marked;
use super::{SlideRunInfo, components};
use crate::Error;
use crate::summary::plain;

/// Columns that a result has in `summary.csv` and `cohort.csv`; a user's table must not have them.
pub const RESULT_COLUMNS: [&str; 12 + components::COLUMNS.len()] = [
    "status",
    "reason",
    "model_status",
    "score",
    "score_low",
    "score_high",
    "member_low",
    "member_high",
    "risk",
    "grade_or_risk",
    "tumor_tiles",
    "synthetic",
    components::COLUMNS[0],
    components::COLUMNS[1],
    components::COLUMNS[2],
    components::COLUMNS[3],
    components::COLUMNS[4],
    components::COLUMNS[5],
];

/// One row per square that was not glass.
pub(super) fn tiles_csv(slide: &SlideAssessment, info: &SlideRunInfo) -> Result<Vec<u8>, Error> {
    let members = slide.tiles.iter().filter_map(|t| t.grade.as_ref());
    let members = members.map(|g| g.members.len()).max().unwrap_or(0);
    let mut csv = csv::Writer::from_writer(Vec::new());
    let fixed = [
        "row",
        "col",
        "top",
        "left",
        "bottom",
        "right",
        "verdict",
        "reason",
        "tumor_probability",
        "is_tumor",
        "grade_score",
        "model_status",
    ];
    let member = (1..=members).map(|m| format!("grade_member_{m}"));
    let header = fixed.map(str::to_owned).into_iter().chain(member);
    csv.write_record(header).map_err(Error::format)?;
    for tile in &slide.tiles {
        csv.write_record(tile_row(tile, members, info))
            .map_err(Error::format)?;
    }
    csv.into_inner().map_err(Error::format)
}

fn tile_row(tile: &TileAssessment, members: usize, info: &SlideRunInfo) -> Vec<String> {
    let bounds = tile.bounds;
    let edges = [bounds.top, bounds.left, bounds.bottom, bounds.right].map(number);
    let grade = tile.grade.as_ref();
    let mut row = vec![tile.row.to_string(), tile.col.to_string()];
    row.extend(edges);
    row.extend([
        tile.verdict.to_owned(),
        plain(&tile.reason),
        tile.tumor.map_or(String::new(), number),
        tile.is_tumor.to_string(),
        grade.map_or(String::new(), |g| number(g.score)),
        info.status().name().to_owned(),
    ]);
    let of_member = |m: usize| grade.and_then(|g| g.members.get(m).copied());
    row.extend((0..members).map(|m| of_member(m).map_or(String::new(), number)));
    row
}

/// A table with one row per slide: what was given, then the result.
#[derive(Debug)]
pub(super) struct SlideTable<W: Write> {
    csv: csv::Writer<W>,
    extra: usize,
    /// Where `extra` states the pathologist's grade.
    grade: Option<usize>,
}

impl<W: Write> SlideTable<W> {
    /// `columns` are those that the user's table has besides slide and file.
    pub(super) fn new(output: W, columns: &[String]) -> Result<SlideTable<W>, Error> {
        let mut csv = csv::Writer::from_writer(output);
        let extra = columns.iter().map(String::as_str);
        let header = ["slide", "file"]
            .into_iter()
            .chain(extra)
            .chain(RESULT_COLUMNS);
        csv.write_record(header).map_err(Error::format)?;
        Ok(SlideTable {
            csv,
            extra: columns.len(),
            grade: columns.iter().position(|c| c == "grade"),
        })
    }

    pub(super) fn slide(
        &mut self,
        slide: &SlideAssessment,
        extra: &[String],
        info: &SlideRunInfo,
    ) -> Result<(), Error> {
        let mut row = self.start(&slide.slide, &slide.file, extra);
        row.extend(result(slide, self.stated_grade(extra), info));
        self.csv.write_record(row).map_err(Error::format)
    }

    /// A slide of the user's table, or another file, that was not assessed.
    pub(super) fn skipped(
        &mut self,
        slide: &str,
        skipped: &Skipped,
        extra: &[String],
    ) -> Result<(), Error> {
        let mut row = self.start(slide, &skipped.file, extra);
        row.extend(["skipped".to_owned(), plain(&skipped.reason)]);
        row.resize(2 + self.extra + RESULT_COLUMNS.len(), String::new());
        self.csv.write_record(row).map_err(Error::format)
    }

    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.csv.flush().map_err(Error::format)
    }

    fn start(&self, slide: &str, file: &str, extra: &[String]) -> Vec<String> {
        let mut row = vec![plain(slide), plain(file)];
        row.extend(extra.iter().map(|text| carried(text)));
        row.resize(2 + self.extra, String::new());
        row
    }

    fn stated_grade<'a>(&self, extra: &'a [String]) -> Option<&'a str> {
        self.grade.and_then(|at| extra.get(at)).map(String::as_str)
    }
}

fn result(slide: &SlideAssessment, stated: Option<&str>, info: &SlideRunInfo) -> Vec<String> {
    let grade = slide.grade.grade();
    let risk = grade.map_or(String::new(), |g| info.level_in_table(g.level, slide));
    let reason = match &slide.grade {
        GradeOutcome::NotAssessable(reason) => plain(reason),
        GradeOutcome::Assessed(_) | GradeOutcome::NoModel => String::new(),
    };
    let numbers = |values: Option<[f64; 2]>| match values {
        Some(values) => values.map(number),
        None => [const { String::new() }; 2],
    };
    let mut row = vec![slide.grade.name().to_owned(), reason];
    row.push(info.status().name().to_owned());
    row.push(grade.map_or(String::new(), |g| number(g.score)));
    row.extend(numbers(grade.map(|g| g.interval)));
    row.extend(numbers(grade.and_then(|g| g.member_range())));
    row.push(risk.clone());
    row.push(grade_or_risk(stated, &risk, slide));
    row.push(slide.counts.tumor.to_string());
    row.push(slide.is_synthetic.to_string());
    row.extend(components::cells(&slide.components));
    row
}

/// The pathologist's grade, and for grade 2 the risk that splits it: the paper's four groups.
fn grade_or_risk(stated: Option<&str>, risk: &str, slide: &SlideAssessment) -> String {
    match stated {
        Some("2") if risk.is_empty() => String::new(),
        Some("2") => format!("grade 2, {risk}"),
        Some(grade @ ("1" | "3")) => marked(format!("grade {grade}"), slide),
        Some(_) | None => String::new(),
    }
}

fn number(value: f64) -> String {
    rounded(value).to_string()
}

/// A cell of the user's table: numbers stay what they are.
fn carried(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(_) => text.to_owned(),
        Err(_) => plain(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_the_table_are_carried_and_no_formula() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("-0.5", "-0.5"),
            ("-a", "'-a"),
            ("positive", "positive"),
        ];
        for (given, expected) in cases {
            assert_eq!(carried(given), expected);
        }
    }
}
