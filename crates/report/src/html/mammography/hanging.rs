//! Which view hangs where, and how it is turned.
//!
//! Mammograms are read as two rows of two: RCC | LCC above RMLO | LMLO, the patient's right on the
//! reader's left, chest walls together in the middle, head (in views from above: the outer side)
//! up. Display units are millimetres or, where a pixel's size is not known, thousandths of the
//! breast's height; both count from the upper left corner of the cell.

use lobule_exam::{
    Affine, BreastOrientation, ImageAssessment, ImageSide, Laterality, MammogramFacts, Point,
    SCREENING_VIEWS, Side, View,
};
use lobule_raster::Picture;

/// Height of a breast where millimetres are not known.
const EQUAL_HEIGHT: f64 = 1000.0;
/// Least width of a cell, as a share of its height.
const LEAST_WIDTH: f64 = 0.6;
/// Least height of a row, as a share of a cell's width.
const LEAST_HEIGHT: f64 = 0.4;

/// Columns of the hanging, from left to right.
pub(super) const COLUMNS: [Laterality; 2] = [Laterality::Right, Laterality::Left];

/// One image of the exam.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shot<'a> {
    pub(super) side: Side,
    pub(super) image: &'a ImageAssessment,
    pub(super) facts: &'a MammogramFacts,
    pub(super) picture: Option<&'a Picture>,
}

impl Shot<'_> {
    /// `RCC`, or what is known of it.
    pub(super) fn letters(&self) -> String {
        let view = self.facts.view.map(|view| view.to_string());
        letters(self.side, view.as_deref().unwrap_or(" view not stated"))
    }
}

pub(super) fn letters(side: Side, view: &str) -> String {
    match side {
        Side::Known(Laterality::Right) => format!("R{view}"),
        Side::Known(Laterality::Left) => format!("L{view}"),
        Side::Unknown => format!("side not stated {}", view.trim_start()),
    }
}

/// The four places and what is left.
#[derive(Debug)]
pub(super) struct Hanging<'a> {
    /// CC above MLO, right before left.
    pub(super) places: [[Option<Shot<'a>>; 2]; 2],
    /// Other views, repeated ones and those of an unknown side, in the order given.
    pub(super) others: Vec<Shot<'a>>,
}

impl<'a> Hanging<'a> {
    /// Of several images of one view, the one with the most attention hangs.
    pub(super) fn of(shots: &[Shot<'a>]) -> Hanging<'a> {
        let best = |view: View, side: Laterality| {
            let fits = |&i: &usize| {
                shots[i].side == Side::Known(side) && shots[i].facts.view == Some(view)
            };
            (0..shots.len())
                .filter(fits)
                .min_by_key(|&i| shots[i].image.rank)
        };
        let taken = SCREENING_VIEWS.map(|view| COLUMNS.map(|side| best(view, side)));
        let hangs = |i: &usize| taken.iter().flatten().any(|t| *t == Some(*i));
        Hanging {
            places: taken.map(|row| row.map(|i| i.map(|i| shots[i]))),
            others: (0..shots.len())
                .filter(|i| !hangs(i))
                .map(|i| shots[i])
                .collect(),
        }
    }

    /// The frame that all four places fit in.
    pub(super) fn frame(&self) -> Frame {
        Frame::of(self.places.iter().flatten().flatten())
    }
}

/// What a display unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Millimeter,
    EqualHeight,
}

/// The size of a cell in display units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub(super) unit: Unit,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Frame {
    /// The smallest frame that all shots fit in, at one scale.
    pub(super) fn of<'a, 'b: 'a>(shots: impl Iterator<Item = &'a Shot<'b>> + Clone) -> Frame {
        let unit = match shots.clone().all(|shot| shot.image.spacing.is_some()) {
            true => Unit::Millimeter,
            false => Unit::EqualHeight,
        };
        let sizes = shots.map(|shot| Hung::of(shot, unit));
        let (width, height) = sizes.fold((0.0, 0.0), |(width, height), hung| {
            (f64::max(width, hung.width), f64::max(height, hung.height))
        });
        let height = if height > 0.0 { height } else { EQUAL_HEIGHT };
        Frame {
            unit,
            width: width.max(LEAST_WIDTH * height),
            height,
        }
    }

    /// As wide, and as high as a row of it needs.
    pub(super) fn of_row<'a>(&self, row: impl Iterator<Item = &'a Shot<'a>>) -> Frame {
        let heights = row.map(|shot| Hung::of(shot, self.unit).height);
        let least = LEAST_HEIGHT * self.width;
        Frame {
            height: heights.fold(least, f64::max),
            ..*self
        }
    }
}

/// Where the chest wall is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChestAt {
    Left,
    Right,
}

impl ChestAt {
    /// Right breasts hang on the left, chest wall to the right.
    pub(super) fn of(side: Side) -> ChestAt {
        match side {
            Side::Known(Laterality::Right) => ChestAt::Right,
            _ => ChestAt::Left,
        }
    }
}

/// A turned image: the way from its pixels' edges to display units, and the size of its window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hung {
    /// Of points that count from the image's outer corner: a pixel's center is at one half.
    pub(super) display_from_edge: Affine,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Hung {
    fn of(shot: &Shot<'_>, unit: Unit) -> Hung {
        let chest_at = ChestAt::of(shot.side);
        let Some(spacing) = shot.image.spacing.filter(|_| unit == Unit::Millimeter) else {
            let hung = Hung::scaled(shot, chest_at, (1.0, 1.0));
            let factor = EQUAL_HEIGHT / hung.height.max(1.0);
            return Hung::scaled(shot, chest_at, (factor, factor));
        };
        Hung::scaled(shot, chest_at, (spacing.row_mm(), spacing.col_mm()))
    }

    /// Hung in its place within a frame: at the chest wall's side, in the middle of its height.
    pub(super) fn within(frame: &Frame, shot: &Shot<'_>) -> Hung {
        let hung = Hung::of(shot, frame.unit);
        let right = match ChestAt::of(shot.side) {
            ChestAt::Left => 0.0,
            ChestAt::Right => frame.width - hung.width,
        };
        let down = (frame.height - hung.height) / 2.0;
        Hung {
            display_from_edge: Affine::translate(down, right).compose(&hung.display_from_edge),
            ..hung
        }
    }

    /// Turned so that the chest wall is where it is asked for and the upper end on top; `unit` is
    /// the size of a row and of a column.
    fn scaled(shot: &Shot<'_>, chest_at: ChestAt, unit: (f64, f64)) -> Hung {
        let (chest, upper) = lies(shot.facts.orientation);
        // The image's edges at the display's left and upper side.
        let left = match chest_at {
            ChestAt::Left => chest,
            ChestAt::Right => chest.opposite(),
        };
        let window = shot.image.crop.window;
        // Distance from an edge of the window, in units: factor of the row, of the column, rest.
        let from = |side: ImageSide| match side {
            ImageSide::Top => [unit.0, 0.0, -unit.0 * window.row as f64],
            ImageSide::Bottom => [-unit.0, 0.0, unit.0 * window.row_end() as f64],
            ImageSide::Left => [0.0, unit.1, -unit.1 * window.col as f64],
            ImageSide::Right => [0.0, -unit.1, unit.1 * window.col_end() as f64],
        };
        let (rows, cols) = (window.rows as f64 * unit.0, window.cols as f64 * unit.1);
        let (height, width) = if chest.is_across() {
            (rows, cols)
        } else {
            (cols, rows)
        };
        Hung {
            display_from_edge: Affine {
                matrix: [from(upper), from(left)],
            },
            width,
            height,
        }
    }

    /// Where a point of the image is shown.
    pub(super) fn show(&self, at: Point) -> Point {
        self.display_from_edge.apply(Point {
            row: at.row + 0.5,
            col: at.col + 0.5,
        })
    }

    /// Whether left and right are exchanged.
    pub(super) fn is_mirrored(&self) -> bool {
        let [r, c] = self.display_from_edge.matrix;
        r[0] * c[1] - r[1] * c[0] < 0.0
    }
}

/// The image's edges at the chest wall and at the upper end; as the image lies where it is not
/// known.
fn lies(orientation: BreastOrientation) -> (ImageSide, ImageSide) {
    let chest = orientation.chest();
    let usual = if chest.is_across() {
        ImageSide::Top
    } else {
        ImageSide::Left
    };
    (chest, orientation.upper().unwrap_or(usual))
}
