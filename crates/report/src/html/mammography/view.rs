//! One view as a drawing: the picture turned as it hangs, and what is laid over it.

use lobule_exam::{
    Affine, Finding, Laterality, MammogramFacts, Point, Polygon, Side, View, score_words,
};

use super::hanging::{ChestAt, Frame, Hung, Shot, Unit, letters};
use crate::heat_map::maximum;
use crate::html::exam::{messages, name_of};
use crate::html::percent;
use crate::html::picture::{breast_uri, overlay_transform, overlay_uri};
use crate::shown::shown_breast;
use crate::{Error, Surroundings};

/// Heights of letters, as shares of the cell's width.
const LETTERS: f64 = 0.058;
const TAGS: f64 = 0.046;
/// Lengths that the scale's bar may have.
const BARS_MM: [f64; 5] = [50.0, 20.0, 10.0, 5.0, 1.0];

/// One place of the hanging, or one of the other views.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) letters: String,
    /// Outer upper corner: where the letters stand.
    pub(super) at: Point,
    pub(super) text_anchor: &'static str,
    pub(super) letters_size: f64,
    pub(super) tag_size: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// Keeps the chest wall at its side when the cell is wider than the drawing.
    pub(super) keep: &'static str,
    pub(super) drawing: Option<Drawing>,
}

/// What is drawn of an image.
#[derive(Debug, Clone)]
pub(super) struct Drawing {
    pub(super) id: String,
    pub(super) alt: String,
    pub(super) picture: Option<String>,
    /// From the image's edges to the cell.
    pub(super) transform: String,
    pub(super) window: lobule_exam::PixelBox,
    pub(super) overlay: String,
    pub(super) overlay_transform: String,
    pub(super) grid: (usize, usize),
    pub(super) outlines: Vec<Outline>,
    pub(super) breast: String,
    pub(super) muscle: Option<String>,
    pub(super) windows: Vec<Outline>,
    pub(super) bar: Option<Bar>,
    pub(super) name: String,
    pub(super) score: String,
    pub(super) notes: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// An outline in cell units, and its tag.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    pub(super) class: &'static str,
    pub(super) points: String,
    pub(super) words: String,
    pub(super) tag: String,
    pub(super) at: Point,
}

/// The scale's bar.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) down: f64,
    pub(super) words: String,
}

/// Hands out the identifiers of drawings, which need them for clipping.
#[derive(Debug, Default)]
pub(super) struct Ids(usize);

impl Ids {
    fn next(&mut self) -> String {
        self.0 += 1;
        format!("view{}", self.0)
    }
}

impl Cell {
    pub(super) fn of(
        shot: &Shot<'_>,
        frame: &Frame,
        ids: &mut Ids,
        surroundings: Surroundings,
    ) -> Result<Cell, Error> {
        let drawing = Drawing::of(shot, frame, ids.next(), surroundings)?;
        Ok(Cell {
            drawing: Some(drawing),
            ..Cell::empty(shot.letters(), ChestAt::of(shot.side), frame)
        })
    }

    pub(super) fn missing(side: Laterality, view: View, frame: &Frame) -> Cell {
        let side = Side::Known(side);
        Cell::empty(letters(side, &view.to_string()), ChestAt::of(side), frame)
    }

    fn empty(letters: String, chest_at: ChestAt, frame: &Frame) -> Cell {
        let size = LETTERS * frame.width;
        let (col, text_anchor, keep) = match chest_at {
            ChestAt::Right => (0.4 * size, "start", "xMaxYMid"),
            ChestAt::Left => (frame.width - 0.4 * size, "end", "xMinYMid"),
        };
        Cell {
            letters,
            at: Point {
                row: 1.1 * size,
                col,
            },
            text_anchor,
            letters_size: size,
            tag_size: TAGS * frame.width,
            width: frame.width,
            height: frame.height,
            keep,
            drawing: None,
        }
    }
}

impl Drawing {
    fn of(
        shot: &Shot<'_>,
        frame: &Frame,
        id: String,
        surroundings: Surroundings,
    ) -> Result<Drawing, Error> {
        let image = shot.image;
        let hung = Hung::within(frame, shot);
        let show = |&p: &Point| hung.show(p);
        let facts = shot.facts;
        let picture = shot
            .picture
            .map(|picture| breast_uri(shown_breast(picture, image, facts, surroundings)));
        let notes = notes(shot, &hung);
        let mut outlines: Vec<Outline> = image
            .findings
            .iter()
            .map(|finding| outline_of(finding, &hung))
            .collect();
        keep_apart(&mut outlines, TAGS * frame.width, frame);
        Ok(Drawing {
            id,
            alt: alt_words(shot),
            picture: picture.transpose()?,
            transform: matrix(&hung.display_from_edge),
            window: image.crop.window,
            overlay: overlay_uri(&image.saliency)?,
            overlay_transform: overlay_transform(&image.saliency),
            grid: (image.saliency.rows, image.saliency.cols),
            outlines,
            breast: points_of(facts.breast.points.iter().map(show)),
            muscle: facts.pectoral.map(|ends| points_of(ends.iter().map(show))),
            windows: windows_of(facts, &hung),
            bar: bar_of(frame, ChestAt::of(shot.side)),
            name: name_of(image),
            score: score_words(100.0 * image.probabilities.unwrap_or(image.scores).malignant),
            notes,
            warnings: messages(&image.warnings),
        })
    }
}

fn alt_words(shot: &Shot<'_>) -> String {
    let image = shot.image;
    let max = maximum(&image.saliency.malignant);
    let regions = image.findings.len();
    let plural = if regions == 1 { "" } else { "s" };
    format!(
        "Mammogram {}, chest wall to the {}, with the malignant saliency overlaid (maximum {max:.2}) and {regions} outlined region{plural}",
        shot.letters(),
        match ChestAt::of(shot.side) {
            ChestAt::Left => "left",
            ChestAt::Right => "right",
        }
    )
}

/// What a reader must know of how the picture is shown.
fn notes(shot: &Shot<'_>, hung: &Hung) -> Vec<String> {
    let mut notes = Vec::new();
    if shot.picture.is_none() {
        notes.push("The picture was not kept; its outlines are drawn alone.".to_owned());
    }
    if shot.facts.orientation.upper().is_none() {
        notes.push("The upper end is not stated: shown as stored.".to_owned());
    }
    if hung.is_mirrored() {
        notes.push("Mirrored to hang like the others.".to_owned());
    }
    notes
}

fn outline_of(finding: &Finding, hung: &Hung) -> Outline {
    let class = finding.class.name();
    let size = match finding.longest_axis_mm {
        Some(mm) => format!(", longest axis {mm:.0} mm"),
        None => String::new(),
    };
    let (tag, words) = match finding.lesion {
        Some(lesion) => {
            let score = score_words(lesion.score);
            (
                format!("{} · {score}", lesion.number),
                format!("Lesion {}, score {score}, {class}{size}", lesion.number),
            )
        }
        None => (
            String::new(),
            format!("{class} region, saliency up to {:.2}{size}", finding.score),
        ),
    };
    outline(class, &finding.outline, hung, tag, words)
}

fn outline(
    class: &'static str,
    polygon: &Polygon,
    hung: &Hung,
    tag: String,
    words: String,
) -> Outline {
    let shown: Vec<Point> = polygon.points.iter().map(|&p| hung.show(p)).collect();
    let n = shown.len().max(1) as f64;
    let top = shown.iter().map(|p| p.row).fold(f64::INFINITY, f64::min);
    Outline {
        class,
        points: points_of(shown.iter().copied()),
        words,
        tag,
        at: Point {
            row: if top.is_finite() { top } else { 0.0 },
            col: shown.iter().map(|p| p.col).sum::<f64>() / n,
        },
    }
}

/// Moves tags that would cover one another downwards, and keeps all inside the cell's width; a
/// crowd of tags at the lower edge may hang out of it.
fn keep_apart(outlines: &mut [Outline], size: f64, frame: &Frame) {
    let mut taken: Vec<Point> = Vec::new();
    for outline in outlines.iter_mut().filter(|o| !o.tag.is_empty()) {
        let half = 0.3 * size * outline.tag.chars().count() as f64;
        let col = outline.at.col.clamp(half, (frame.width - half).max(half));
        let mut row = (outline.at.row - 0.4 * size).max(size);
        let covers = |row: f64| {
            let near = |p: &&Point| (p.row - row).abs() < size && (p.col - col).abs() < 2.0 * half;
            taken.iter().find(near).map(|p| p.row)
        };
        while let Some(other) = covers(row) {
            row = other + 1.01 * size;
        }
        outline.at = Point { row, col };
        taken.push(outline.at);
    }
}

fn windows_of(facts: &MammogramFacts, hung: &Hung) -> Vec<Outline> {
    let window = |look: &lobule_exam::CloseLook| {
        let tag = percent(look.attention);
        let words = format!("looked at closely, attention {tag}");
        outline("window", &look.outline, hung, tag, words)
    };
    facts.windows.iter().map(window).collect()
}

/// A bar at the outer lower corner, about a fifth of the cell long.
fn bar_of(frame: &Frame, chest_at: ChestAt) -> Option<Bar> {
    let longest = 0.25 * frame.width;
    let mm = BARS_MM.into_iter().find(|&mm| mm <= longest);
    let mm = mm.filter(|_| frame.unit == Unit::Millimeter)?;
    let rim = 0.02 * frame.height;
    let (from, to) = match chest_at {
        ChestAt::Right => (rim, rim + mm),
        ChestAt::Left => (frame.width - rim - mm, frame.width - rim),
    };
    Some(Bar {
        from,
        to,
        down: frame.height - rim,
        words: format!("{mm:.0} mm"),
    })
}

fn points_of(shown: impl Iterator<Item = Point>) -> String {
    let shown: Vec<String> = shown
        .map(|p| format!("{:.2},{:.2}", p.col, p.row))
        .collect();
    shown.join(" ")
}

/// A map of (row, col) as SVG writes maps of (x, y).
fn matrix(map: &Affine) -> String {
    let [r, c] = map.matrix;
    format!(
        "matrix({:.7} {:.7} {:.7} {:.7} {:.5} {:.5})",
        c[1], r[1], c[0], r[0], c[2], r[2]
    )
}
