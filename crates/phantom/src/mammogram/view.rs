//! From a breast to a picture of it.
//!
//! Owns: the order of things: tissue → lesions → thickness, skin and nipple → the medium's curve
//! → label. Does not own: any of these steps but the third.

use lobule_exam::{Laterality, Point, Polygon, Spacing, View};
use lobule_raster::Image;

use super::body::Body;
use super::film;
use super::shape::{Build, Shape};
use super::tissue::{Gland, Tissue};
use super::{ExamPlan, LesionPlan, MammogramView, Medium, ProjectedLesion};
use crate::noise::{Purpose, Stream};
use crate::tissue::ramp;

/// A picture has this many brightnesses, less one.
const STEPS: f32 = 4095.0;
/// Gland is dense from this share on.
const MOSTLY: f32 = 0.5;

/// One breast of a person.
pub(super) struct Breast {
    side: Laterality,
    seed: u64,
    build: Build,
    gland: Gland,
    lesions: Vec<(usize, LesionPlan)>,
}

impl Breast {
    pub(super) fn new(plan: &ExamPlan, side: Laterality, seed: u64) -> Breast {
        let side_seed = match side {
            Laterality::Left => seed ^ 0x4c00_0000_0000,
            Laterality::Right => seed ^ 0x5200_0000_0000,
        };
        let person = &mut Stream::new(seed, Purpose::Anatomy);
        let own = &mut Stream::new(side_seed, Purpose::Anatomy);
        let build = Build::new(person, own);
        let gland = Gland::new(plan.density, build.depth, person, own);
        let lesions = plan.lesions.iter().map(|lesion| lesion.held()).enumerate();
        Breast {
            side,
            seed: side_seed,
            build,
            gland,
            lesions: lesions.filter(|(_, lesion)| lesion.side == side).collect(),
        }
    }
}

/// The pictures of left breasts lie as drawn; those of right ones are mirrored.
struct Frame {
    spacing: f64,
    cols: usize,
    side: Laterality,
}

impl Frame {
    /// A place in mm as a point of the picture.
    fn point(&self, [row, col]: [f64; 2]) -> Point {
        let (row, col) = (row / self.spacing - 0.5, col / self.spacing - 0.5);
        let col = match self.side {
            Laterality::Left => col,
            Laterality::Right => self.cols as f64 - 1.0 - col,
        };
        Point { row, col }
    }

    /// The middle of a drawn pixel, in mm.
    fn place(&self, row: usize, col: usize) -> [f64; 2] {
        [row, col].map(|i| (i as f64 + 0.5) * self.spacing)
    }

    fn laid<T: Copy>(&self, drawn: Image<T>) -> Image<T> {
        match self.side {
            Laterality::Left => drawn,
            Laterality::Right => Image::from_fn(drawn.rows(), drawn.cols(), |r, c| {
                drawn.at(r, drawn.cols() - 1 - c)
            }),
        }
    }
}

/// A lesion where it lies in this view.
struct Placed {
    number: usize,
    plan: LesionPlan,
    body: Body,
    center: [f64; 2],
    depth_mm: f64,
}

pub(super) fn render_view(plan: &ExamPlan, breast: &Breast, view: View) -> MammogramView {
    let shape = Shape::new(&breast.build, view);
    let (rows, cols) = plan.size();
    let frame = Frame {
        spacing: plan.spacing(),
        cols,
        side: breast.side,
    };
    let seed = breast.seed ^ if view == View::Mlo { 0x4d4c_4f00 } else { 0 };
    let lesions: Vec<Placed> = breast
        .lesions
        .iter()
        .map(|(number, lesion)| place_lesion(breast, &shape, view, *number, *lesion))
        .collect();
    let drawn = Drawn::new(breast, view, &shape, &frame, (rows, cols), seed);
    let mut bright = drawn.bright;
    for lesion in &lesions {
        add(&mut bright, lesion, &frame);
    }
    let bright = finish(bright, &drawn.inside, &shape, &frame, plan.medium);
    let mut picture = frame.laid(bright);
    if plan.medium == Medium::Film {
        film::spoil(&mut picture, frame.spacing, seed);
    }
    film::label(&mut picture, &frame.side, view, frame.spacing, plan.medium);
    let spacing = Spacing::new(frame.spacing, frame.spacing);
    MammogramView {
        side: breast.side,
        view,
        image: picture.map(quantized),
        spacing: spacing.expect("the spacing is held to 0.05 to 2 mm"),
        breast: frame.laid(drawn.inside.map(|mm| mm > 0.0)),
        dense_share: drawn.dense_share,
        nipple: frame.point(shape.nipple),
        pectoral: shape.muscle.map(|ends| ends.map(|end| frame.point(end))),
        lesions: lesions
            .iter()
            .map(|lesion| projected(lesion, &frame, (rows, cols)))
            .collect(),
    }
}

/// Brightness of 0..1 in even steps over the whole range.
fn quantized(bright: f32) -> u16 {
    let step = f64::from((bright.clamp(0.0, 1.0) * STEPS).round());
    (step / f64::from(STEPS) * 65535.0).round() as u16
}

fn place_lesion(
    breast: &Breast,
    shape: &Shape,
    view: View,
    number: usize,
    plan: LesionPlan,
) -> Placed {
    let radius = plan.diameter_mm / 2.0;
    let depth = (plan.depth * shape.depth).clamp(radius + 12.0, shape.depth - radius - 8.0);
    let share = match view {
        View::Mlo => plan.upward,
        _ => plan.outward,
    };
    let up = shape.room(depth, radius, share);
    let seed = breast.seed ^ (number as u64 + 1) << 16;
    Placed {
        number,
        plan,
        body: Body::new(&plan, view, shape.inwards(), seed),
        center: shape.place(depth, up),
        depth_mm: depth,
    }
}

/// Tissue before lesions and skin, as drawn: chest wall at column 0.
struct Drawn {
    bright: Image<f32>,
    inside: Image<f32>,
    dense_share: f64,
}

impl Drawn {
    fn new(
        breast: &Breast,
        view: View,
        shape: &Shape,
        frame: &Frame,
        (rows, cols): (usize, usize),
        seed: u64,
    ) -> Drawn {
        let inside = Image::from_fn(rows, cols, |row, col| {
            let [row, col] = frame.place(row, col);
            shape.inside(row, col)
        });
        let tissue = Tissue::new(&breast.gland, view, (rows, cols), frame.spacing, seed);
        let (mut dense, mut all) = (0.0, 0.0);
        let bright = Image::from_fn(rows, cols, |row, col| {
            let depth = inside.at(row, col);
            if depth < -0.5 {
                return 0.0;
            }
            let signal = tissue.at((row, col), frame.place(row, col), depth, shape);
            if depth > 0.0 && signal.muscle < MOSTLY {
                all += 1.0;
                dense += f64::from(u8::from(signal.gland > MOSTLY));
            }
            signal.bright
        });
        Drawn {
            bright,
            inside,
            dense_share: dense / f64::max(all, 1.0),
        }
    }
}

fn add(bright: &mut Image<f32>, lesion: &Placed, frame: &Frame) {
    let reach = f64::from(lesion.body.reach());
    let range = |middle: f64, n: usize| {
        let at = |mm: f64| (mm / frame.spacing).clamp(0.0, n as f64) as usize;
        at(middle - reach)..at(middle + reach)
    };
    for row in range(lesion.center[0], bright.rows()) {
        for col in range(lesion.center[1], bright.cols()) {
            let [down, right] = from_center(lesion, frame, row, col);
            let added = lesion.body.added(down, right, frame.spacing as f32);
            bright.set(row, col, bright.at(row, col) + added);
        }
    }
}

fn from_center(lesion: &Placed, frame: &Frame, row: usize, col: usize) -> [f32; 2] {
    let [row, col] = frame.place(row, col);
    [
        (row - lesion.center[0]) as f32,
        (col - lesion.center[1]) as f32,
    ]
}

/// Thickness, skin and nipple, and the medium's curve.
fn finish(
    bright: Image<f32>,
    inside: &Image<f32>,
    shape: &Shape,
    frame: &Frame,
    medium: Medium,
) -> Image<f32> {
    let edge = 0.5 * frame.spacing as f32;
    Image::from_fn(bright.rows(), bright.cols(), |row, col| {
        let depth = inside.at(row, col);
        if depth <= -edge {
            return 0.0;
        }
        let [place_row, place_col] = frame.place(row, col);
        let nipple = (place_row - shape.nipple[0]).hypot(place_col - shape.nipple[1]) as f32;
        let nipple = (-(nipple / 5.0).powi(2)).exp();
        let cover = ((depth + edge) / (2.0 * edge)).clamp(0.0, 1.0);
        let value = bright.at(row, col);
        match medium {
            Medium::Digital => cover * digital(value, depth, nipple),
            Medium::Film => cover * on_film(value, depth, nipple),
        }
    })
}

/// The skin line shows, the thin edge is evened out.
fn digital(value: f32, depth: f32, nipple: f32) -> f32 {
    let thick = 0.50 + 0.50 * ramp(depth, -1.0, 13.0);
    let skin = 0.15 * (-((depth - 0.7) / 0.9).powi(2)).exp();
    shoulder(thick * value + skin + 0.22 * nipple)
}

/// Fat is grey, and the edge fades with the breast's thickness.
fn on_film(value: f32, depth: f32, nipple: f32) -> f32 {
    let share = (depth / 30.0).clamp(0.0, 1.0);
    let thick = (1.0 - (1.0 - share) * (1.0 - share)).sqrt().powf(1.5);
    let skin = 0.03 * (-((depth - 0.8) / 0.8).powi(2)).exp();
    shoulder((0.25 + 0.80 * value) * thick + 0.09 + skin + 0.10 * nipple)
}

/// Bright values approach white without reaching it.
fn shoulder(value: f32) -> f32 {
    const FROM: f32 = 0.68;
    const ROOM: f32 = 0.30;
    match value > FROM {
        true => FROM + ROOM * ((value - FROM) / ROOM).tanh(),
        false => value,
    }
}

fn projected(lesion: &Placed, frame: &Frame, (rows, cols): (usize, usize)) -> ProjectedLesion {
    let mask = Image::from_fn(rows, cols, |row, col| {
        let [down, right] = from_center(lesion, frame, row, col);
        let near = down.hypot(right) < lesion.body.reach();
        near && lesion.body.contains(down, right)
    });
    let corners = lesion.body.corners().map(|[down, right]| {
        let [row, col] = lesion.center;
        frame.point([row + down, col + right])
    });
    let outline = Polygon {
        points: corners.collect(),
    };
    let spacing = Spacing::new(frame.spacing, frame.spacing);
    let spacing = spacing.expect("the spacing is held to 0.05 to 2 mm");
    ProjectedLesion {
        number: lesion.number,
        kind: lesion.plan.kind,
        class: lesion.plan.kind.class(),
        center: frame.point(lesion.center),
        depth_mm: lesion.depth_mm,
        longest_mm: outline.longest_axis_mm(spacing),
        outline,
        mask: frame.laid(mask),
    }
}
