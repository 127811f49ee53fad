//! From a plan to a picture with its truth.
//!
//! Owns: the order of things: tissue and lesion → loss along each beam → speckle → grey → scan
//! conversion → screen. Does not own: any of these steps.

use lobule_exam::{FindingClass, PixelBox, Point, Polygon, Spacing};
use lobule_raster::Image;

use crate::beams::{Beams, Place};
use crate::lesion::Body;
use crate::noise::{Purpose, Stream};
use crate::plan::held;
use crate::speckle::{PointSpread, compress, envelope};
use crate::tissue::Anatomy;
use crate::{ImagePlan, LesionKind, Transducer, screen};

/// Standard deviations of the point-spread function at the surface, in mm.
const AXIAL_MM: f64 = 0.092;
const LATERAL_MM: f64 = 0.155;
/// Growth of the lateral one, in mm per mm of depth.
const LATERAL_GROWTH: f64 = 0.005;
/// The receiver's own noise at the surface and at the bottom, in dB below white.
const FLOOR_DB: [f64; 2] = [-64.0, -53.0];
/// How far the transducer slides between the frames of a cine loop, in pixels.
const CINE_STEP: usize = 4;

/// A synthetic picture and what is known of it. Coordinates are pixels of the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct PhantomImage {
    /// The whole screen, 0 = black.
    pub screen: Image<u8>,
    /// Where the sonogram lies.
    pub region: PixelBox,
    /// Size of a pixel inside the region.
    pub spacing: Spacing,
    /// The planted lesion.
    pub lesion: Option<Lesion>,
}

/// A planted lesion.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesion {
    /// What it looks like.
    pub kind: LesionKind,
    /// The class it is made to look like.
    pub class: FindingClass,
    /// Its pixels, as large as the screen. The visible margin of a malignant-like lesion is
    /// ragged and may depart from it by about 0.5 mm.
    pub mask: Image<bool>,
    /// Its outline.
    pub outline: Polygon,
}

impl Lesion {
    /// The smallest box around the mask; none when the lesion lies outside of the picture.
    pub fn bounds(&self) -> Option<PixelBox> {
        let (mut top, mut left, mut bottom, mut right) = (usize::MAX, usize::MAX, 0, 0);
        for (row, line) in self
            .mask
            .pixels()
            .chunks_exact(self.mask.cols())
            .enumerate()
        {
            for (col, _) in line.iter().enumerate().filter(|(_, inside)| **inside) {
                (top, left) = (top.min(row), left.min(col));
                (bottom, right) = (bottom.max(row + 1), right.max(col + 1));
            }
        }
        (bottom > 0).then(|| PixelBox {
            row: top,
            col: left,
            rows: bottom - top,
            cols: right - left,
        })
    }
}

/// Draws one picture. The same plan and seed give the same pixels.
pub fn render(plan: &ImagePlan, seed: u64) -> PhantomImage {
    let exposure = Exposure::new(plan, 0, seed);
    let sonogram = exposure.sonogram(plan, seed);
    finish(plan, &exposure, sonogram, 0)
}

/// Draws a cine loop: a linear transducer slides over one piece of tissue, so that speckle and
/// lesion move together. A curved transducer is drawn as a linear one.
pub fn render_cine(plan: &ImagePlan, n_frames: usize, seed: u64) -> Vec<PhantomImage> {
    let plan = ImagePlan {
        transducer: Transducer::Linear,
        ..plan.clone()
    };
    let extra = CINE_STEP * n_frames.saturating_sub(1);
    let exposure = Exposure::new(&plan, extra, seed);
    let panorama = exposure.sonogram(&plan, seed);
    let region = plan.layout.region();
    let window = |frame: usize| PixelBox {
        row: 0,
        col: CINE_STEP * frame,
        ..region
    };
    (0..n_frames)
        .map(|frame| {
            let sonogram = panorama.crop(window(frame));
            finish(&plan, &exposure, sonogram, CINE_STEP * frame)
        })
        .collect()
}

/// One piece of tissue under its beams.
struct Exposure {
    rows: usize,
    cols: usize,
    mm: f64,
    beams: Beams,
    anatomy: Anatomy,
    body: Option<Body>,
    contact: Contact,
}

impl Exposure {
    fn new(plan: &ImagePlan, extra_cols: usize, seed: u64) -> Exposure {
        let region = plan.layout.region();
        let (rows, cols) = (region.rows, region.cols + extra_cols);
        let mm = held(plan.depth_mm, 20.0, 80.0) / rows as f64;
        Exposure {
            rows,
            cols,
            mm,
            beams: Beams::new(plan.transducer, rows, cols, mm),
            anatomy: Anatomy::new(plan.composition, seed),
            body: plan.lesion.map(|lesion| Body::new(lesion.held(), seed)),
            contact: Contact::new(seed),
        }
    }

    fn sonogram(&self, plan: &ImagePlan, seed: u64) -> Image<u8> {
        let stream = &mut Stream::new(seed, Purpose::Speckle);
        let looks = plan.looks.clamp(1, 9);
        let envelope = envelope(&self.amplitude(), &self.point_spread(), looks, stream);
        let range = held(plan.dynamic_range_db, 40.0, 80.0) as f32;
        self.beams
            .scan_convert(envelope.map(|v| compress(v, range)))
    }

    fn point_spread(&self) -> PointSpread {
        let [along, across] = self.beams.steps_mm();
        PointSpread {
            axial: (AXIAL_MM / along) as f32,
            lateral: (LATERAL_MM / across) as f32,
            lateral_growth: (LATERAL_GROWTH * along / across) as f32,
        }
    }

    /// Scattering as it arrives: weakened along each beam, with the receiver's noise.
    fn amplitude(&self) -> Image<f32> {
        let step = self.beams.steps_mm()[0] as f32;
        let mut gain: Vec<f32> = (0..self.cols)
            .map(|beam| self.contact.gain_db(beam as f32 / self.cols as f32))
            .collect();
        Image::from_fn(self.rows, self.cols, |row, beam| {
            let place = self.beams.sample(row, beam);
            let (depth, lateral) = (place.depth as f32, place.lateral as f32);
            let mut tissue = self.anatomy.at(depth, lateral);
            if let Some(body) = &self.body {
                body.change(&mut tissue, depth, lateral);
            }
            if beam == 0 {
                share_with_neighbors(&mut gain);
            }
            gain[beam] -= tissue.loss_db_per_mm * step;
            let share = row as f64 / self.rows as f64;
            let floor = FLOOR_DB[0] + (FLOOR_DB[1] - FLOOR_DB[0]) * share;
            let power = power(tissue.echo_db + gain[beam]) + power(floor as f32);
            power.sqrt() * std::f32::consts::FRAC_1_SQRT_2
        })
    }

    fn place(&self, row: usize, col: usize) -> Option<Place> {
        self.beams.place(row as f64, col as f64)
    }
}

/// Beams are wider than one line: shadows blur on their way down.
fn share_with_neighbors(gain: &mut [f32]) {
    let mut left = gain.first().copied().unwrap_or(0.0);
    for beam in 0..gain.len() {
        let (here, right) = (gain[beam], gain[(beam + 1).min(gain.len() - 1)]);
        gain[beam] = 0.7 * here + 0.15 * (left + right);
        left = here;
    }
}

fn power(db: f32) -> f32 {
    10.0_f32.powf(db / 10.0)
}

/// How well the transducer touches the skin.
struct Contact {
    /// Share of the width at which one side lifts off, counted from the left, and how steeply.
    edge: f32,
    lift_db: f32,
}

impl Contact {
    fn new(seed: u64) -> Contact {
        let stream = &mut Stream::new(seed, Purpose::Plan);
        let left = stream.between(0.0, 1.0) < 0.5;
        Contact {
            edge: if left { 0.0 } else { 1.0 },
            lift_db: stream.between(-14.0, 12.0).max(0.0),
        }
    }

    fn gain_db(&self, share: f32) -> f32 {
        let from_edge = share.min(1.0 - share);
        let lifted = (1.0 - (share - self.edge).abs() / 0.12).max(0.0);
        -3.0 * (1.0 - from_edge / 0.08).max(0.0) - self.lift_db * lifted
    }
}

/// Puts a sonogram, seen from `shift` columns of the exposure on, on its screen with its truth.
fn finish(
    plan: &ImagePlan,
    exposure: &Exposure,
    sonogram: Image<u8>,
    shift: usize,
) -> PhantomImage {
    let region = plan.layout.region();
    let lesion = exposure.body.as_ref().zip(plan.lesion);
    let lesion = lesion.map(|(body, planned)| Lesion {
        kind: planned.kind,
        class: planned.kind.class(),
        mask: mask(plan, exposure, body, shift),
        outline: outline(exposure, body, region, shift),
    });
    let spacing = Spacing::new(exposure.mm, exposure.mm).expect("the depth is held to 20 to 80 mm");
    let outline = lesion.as_ref().map(|lesion| &lesion.outline);
    PhantomImage {
        screen: screen::compose(plan, &sonogram, spacing, outline),
        region,
        spacing,
        lesion,
    }
}

fn mask(plan: &ImagePlan, exposure: &Exposure, body: &Body, shift: usize) -> Image<bool> {
    let region = plan.layout.region();
    let (rows, cols) = plan.layout.size();
    let mut mask = Image::filled(rows, cols, false);
    for row in 0..region.rows {
        for col in 0..region.cols {
            let place = exposure.place(row, col + shift);
            let inside = |p: Place| body.contains(p.depth as f32, p.lateral as f32);
            mask.set(
                region.row + row,
                region.col + col,
                place.is_some_and(inside),
            );
        }
    }
    mask
}

fn outline(exposure: &Exposure, body: &Body, region: PixelBox, shift: usize) -> Polygon {
    let on_screen = |[depth, lateral]: [f32; 2]| {
        let in_exposure = exposure.beams.pixel(Place {
            depth: depth.into(),
            lateral: lateral.into(),
        });
        Point {
            row: in_exposure.row + region.row as f64,
            col: in_exposure.col + region.col as f64 - shift as f64,
        }
    };
    Polygon {
        points: body.corners().map(on_screen).collect(),
    }
}
