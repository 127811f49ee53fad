//! The list of a breast's lesions: what was seen in which view, how large, where.

use std::collections::BTreeSet;

use lobule_exam::{
    BreastAssessment, Finding, ImageAssessment, LengthUnit, NippleLine, Side, View, score_words,
};

/// Nearer to the nipple line than this, a lesion is neither above nor below it.
const AT_LINE_MM: f64 = 5.0;
/// The same where millimetres are not known, as a share of the breast's extent.
const AT_LINE_SHARE: f64 = 0.04;

/// A line of the list.
#[derive(Debug, Clone)]
pub(super) struct LesionRow {
    /// Empty for a region that is no numbered lesion.
    pub(super) number: String,
    pub(super) score: String,
    pub(super) class: &'static str,
    pub(super) views: String,
    pub(super) size: String,
    pub(super) places: Vec<String>,
}

/// Highest score first; regions without a number last.
pub(super) fn lesion_rows(breast: &BreastAssessment) -> Vec<LesionRow> {
    let mut groups: Vec<Vec<Seen<'_>>> = Vec::new();
    for image in &breast.images {
        for finding in &image.findings {
            let seen = Seen { image, finding };
            let same = groups
                .iter_mut()
                .find(|group| seen.number().is_some() && group[0].number() == seen.number());
            match same {
                Some(group) => group.push(seen),
                None => groups.push(vec![seen]),
            }
        }
    }
    let score = |group: &[Seen<'_>]| {
        let scores = group.iter().filter_map(|seen| seen.finding.lesion);
        scores
            .map(|lesion| lesion.score)
            .fold(f64::NEG_INFINITY, f64::max)
    };
    groups.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let n_views = views_of(breast.images.iter()).len();
    groups
        .iter()
        .map(|group| row_of(group, score(group), n_views))
        .collect()
}

#[derive(Clone, Copy)]
struct Seen<'a> {
    image: &'a ImageAssessment,
    finding: &'a Finding,
}

impl Seen<'_> {
    fn number(&self) -> Option<usize> {
        self.finding.lesion.map(|lesion| lesion.number)
    }

    fn view(&self) -> String {
        view_words(self.image)
    }
}

fn view_words(image: &ImageAssessment) -> String {
    let view = image.view();
    view.map_or("view not stated".to_owned(), |view| view.to_string())
}

/// The different views, CC first.
fn views_of<'a>(images: impl Iterator<Item = &'a ImageAssessment>) -> Vec<String> {
    let views: BTreeSet<String> = images.map(view_words).collect();
    views.into_iter().collect()
}

fn row_of(group: &[Seen<'_>], score: f64, n_views: usize) -> LesionRow {
    let views = views_of(group.iter().map(|seen| seen.image));
    let only = if views.len() == 1 && n_views > 1 {
        " only"
    } else {
        ""
    };
    let sizes = group.iter().filter_map(|seen| seen.finding.longest_axis_mm);
    let size = match sizes.reduce(f64::max) {
        Some(mm) => format!("{mm:.0} mm"),
        None => "not known: the size of a pixel is not stated".to_owned(),
    };
    let place = |seen: &Seen<'_>| {
        let place = place_words(seen.image, seen.finding)?;
        Some(format!("{}: {place}", seen.view()))
    };
    LesionRow {
        number: group[0].number().map_or(String::new(), |n| n.to_string()),
        score: match score.is_finite() {
            true => score_words(score),
            false => "–".to_owned(),
        },
        class: group[0].finding.class.name(),
        views: format!("{}{only}", views.join(", ")),
        size,
        places: group.iter().filter_map(place).collect(),
    }
}

/// Where a lesion lies beside the nipple line, and how far behind the breast's tip. None for views
/// in which this has no meaning and where nothing can be said.
fn place_words(image: &ImageAssessment, finding: &Finding) -> Option<String> {
    let facts = image.mammogram.as_ref()?;
    let sides = sides_of(facts.view?)?;
    let center = finding.outline.middle()?;
    let line = NippleLine::of(facts, image.spacing)?;
    let above = line.above(center);
    let side = above.map(|above| side_words(above, sides, line.unit(), line.depth()));
    let behind = line.behind(center);
    let behind = match line.unit() {
        LengthUnit::Millimetre => format!("{:.0} mm behind the breast's tip", behind.max(0.0)),
        LengthUnit::Pixel => third_words(behind / line.depth()).to_owned(),
    };
    Some(match side {
        Some(side) => format!("{side}; {behind}"),
        None => behind,
    })
}

/// What lies above and below the nipple line of a view.
fn sides_of(view: View) -> Option<[&'static str; 2]> {
    match view {
        _ if view.is_cranio_caudal() => Some(["outer", "inner"]),
        View::Mlo | View::Ml | View::Lm => Some(["upper", "lower"]),
        _ => None,
    }
}

fn side_words(up: f64, [above, below]: [&str; 2], unit: LengthUnit, depth: f64) -> String {
    let at_line = match unit {
        LengthUnit::Millimetre => AT_LINE_MM,
        LengthUnit::Pixel => AT_LINE_SHARE * depth,
    };
    let side = if up > 0.0 { above } else { below };
    match (up.abs() < at_line, unit) {
        (true, _) => "at the nipple line".to_owned(),
        (false, LengthUnit::Millimetre) => {
            format!("{side}, {:.0} mm from the nipple line", up.abs())
        }
        (false, LengthUnit::Pixel) => format!("{side} side of the nipple line"),
    }
}

fn third_words(share: f64) -> &'static str {
    match share {
        s if s < 1.0 / 3.0 => "front third",
        s if s < 2.0 / 3.0 => "middle third",
        _ => "back third",
    }
}

/// The views whose letters a warning or a list names.
pub(super) fn missing_words(side: Side, views: &[View]) -> Option<String> {
    let letters = views
        .iter()
        .map(|view| super::hanging::letters(side, &view.to_string()));
    let letters: Vec<String> = letters.collect();
    (!letters.is_empty()).then(|| letters.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_and_thirds_are_worded() {
        use LengthUnit::{Millimetre, Pixel};
        let words = |up, unit| side_words(up, ["upper", "lower"], unit, 100.0);
        assert_eq!(words(34.2, Millimetre), "upper, 34 mm from the nipple line");
        assert_eq!(words(-34.2, Pixel), "lower side of the nipple line");
        assert_eq!(words(-4.0, Millimetre), "at the nipple line");
        let thirds = [-0.1, 0.1, 0.5, 0.9, 1.1].map(third_words);
        let [front, middle, back] = ["front third", "middle third", "back third"];
        assert_eq!(thirds, [front, front, middle, back, back]);
    }
}
