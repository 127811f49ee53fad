//! One slide, drawn piece by piece.
//!
//! Owns: [`SyntheticSlide`]: structures and nuclei become amounts of two stains, these become light,
//! then pixels. Does not own: files.

use lobule_exam::PixelBox;
use lobule_raster::Image;

use super::anatomy::{Anatomy, NEAR_UM, Nest, Tumor};
use super::artefacts::Artefacts;
use super::hash::{Purpose, field};
use super::lettering::{Lettering, Mark};
use super::nuclei::{Canvas, REACH_UM, nuclei_in, paint};
use super::optics::{Light, Spread};
use super::plan::{Look, SlidePlan, Stain};
use crate::plan::held;

/// The light that the large letters leave: a green marker, so that a survey takes them for pen, not for tissue.
const MARKER: [f32; 3] = [0.02, 0.45, 0.22];
/// Distance of the knots between which slow structures are interpolated.
const KNOT_UM: f32 = 2.0;

/// A slide that can be drawn anywhere, in any order: a pixel depends on plan, seed and place alone.
#[derive(Debug, Clone)]
pub struct SyntheticSlide {
    plan: SlidePlan,
    seed: u64,
    anatomy: Anatomy,
    lettering: Lettering,
    artefacts: Artefacts,
    spread: Option<Spread>,
}

impl SyntheticSlide {
    /// The slide of a plan, whose values are held to what can be drawn, and of a seed.
    ///
    /// ```
    /// use lobule_exam::PixelBox;
    /// use lobule_phantom::slide::{SlidePlan, SyntheticSlide};
    /// let slide = SyntheticSlide::new(SlidePlan { rows: 600, cols: 600, ..SlidePlan::default() }, 7);
    /// let part = PixelBox { row: 250, col: 250, rows: 20, cols: 30 };
    /// let larger = PixelBox { row: 240, col: 250, rows: 30, cols: 30 };
    /// let below = PixelBox { row: 10, col: 0, rows: 20, cols: 30 };
    /// assert_eq!(slide.draw(part), slide.draw(larger).crop(below));
    /// ```
    pub fn new(plan: SlidePlan, seed: u64) -> SyntheticSlide {
        let mut plan = plan;
        plan.rows = plan.rows.clamp(64, 1 << 20);
        plan.cols = plan.cols.clamp(64, 1 << 20);
        plan.mpp = held(plan.mpp, 0.1, 4.0);
        plan.grade = held(plan.grade, 1.0, 3.0);
        let height = (plan.rows as f64 * plan.mpp) as f32;
        let width = (plan.cols as f64 * plan.mpp) as f32;
        let softness = held(f64::from(plan.scanner.softness_um), 0.0, 5.0);
        SyntheticSlide {
            anatomy: Anatomy::new(seed, Look::of(plan.grade), height, width),
            lettering: Lettering::new(height, width),
            artefacts: Artefacts::new(&plan, seed, height, width),
            spread: Spread::new(softness / plan.mpp),
            plan,
            seed,
        }
    }

    /// What is drawn.
    pub fn plan(&self) -> &SlidePlan {
        &self.plan
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The outlines of the tumour's nests, in (column, row) pixels of level 0 with the corner of the first
    /// pixel at (0, 0), as annotation programs count; a batch at a time, so that memory stays small.
    pub fn nests(&self) -> impl Iterator<Item = Vec<[f64; 2]>> + '_ {
        let mpp = self.plan.mpp;
        let outline = move |nest: Nest| -> Vec<[f64; 2]> {
            let points = nest.outline(48);
            points.map(|p| p.map(|um| f64::from(um) / mpp)).collect()
        };
        self.anatomy.nest_rows().flatten().map(outline)
    }

    /// The pixels of a window of level 0. It may stick out of the slide: glass goes on there.
    pub fn draw(&self, window: PixelBox) -> Image<[u8; 3]> {
        let (rows, cols) = (window.rows, window.cols);
        if rows == 0 || cols == 0 {
            return Image::filled(rows, cols, [255; 3]);
        }
        let sharp = self.canvas(window, 0);
        let lens = self.artefacts.lens(sharp.bounds());
        let own = self.spread.as_ref().map_or(0, Spread::radius);
        let margin = own + lens.map_or(0, Spread::radius);
        let canvas = self.canvas(window, margin);
        if self.is_empty(&canvas) {
            return Image::filled(rows, cols, self.plan.scanner.pixel([1.0; 3]));
        }
        let light = self.light(&canvas);
        let focused = match &self.spread {
            Some(spread) => spread.apply(&light),
            None => light,
        };
        let seen = match lens {
            Some(lens) => self.defocused(&focused, lens, &sharp),
            None => focused,
        };
        let pixels = seen
            .pixels
            .iter()
            .map(|&light| self.plan.scanner.pixel(light));
        Image::from_pixels(rows, cols, pixels.collect()).expect("the margins were taken off")
    }

    fn canvas(&self, window: PixelBox, margin: usize) -> Canvas {
        Canvas {
            row: window.row as i64 - margin as i64,
            col: window.col as i64 - margin as i64,
            rows: window.rows + 2 * margin,
            cols: window.cols + 2 * margin,
            mpp: self.plan.mpp,
        }
    }

    fn is_empty(&self, canvas: &Canvas) -> bool {
        let [x0, y0, x1, y1] = canvas.bounds();
        let radius = 0.5 * (x1 - x0).hypot(y1 - y0);
        self.anatomy
            .is_glass(0.5 * (x0 + x1), 0.5 * (y0 + y1), radius)
            && !self.lettering.is_large_near(y0, y1)
            && !self.artefacts.has_pen([x0, y0, x1, y1])
    }

    /// Sharp and defocused light, mixed by how far each pixel is out of focus.
    fn defocused(&self, focused: &Light, lens: &Spread, canvas: &Canvas) -> Light {
        let blurred = lens.apply(focused);
        let mut out = focused.within(lens.radius());
        for (i, pixel) in out.pixels.iter_mut().enumerate() {
            let x = canvas.um(canvas.col + (i % canvas.cols) as i64);
            let y = canvas.um(canvas.row + (i / canvas.cols) as i64);
            let share = self.artefacts.defocus(x, y);
            for (own, blurred) in pixel.iter_mut().zip(blurred.pixels[i]) {
                *own += share * (blurred - *own);
            }
        }
        out
    }

    /// The light that comes through, before any lens.
    fn light(&self, canvas: &Canvas) -> Light {
        let bounds = canvas.bounds();
        let [x0, y0, x1, y1] = bounds;
        let grown = [x0 - REACH_UM, y0 - REACH_UM, x1 + REACH_UM, y1 + REACH_UM];
        let tumor = self.anatomy.tumor_in(grown);
        let knots = Knots::new(bounds, self.plan.mpp as f32, |x, y| {
            structures(&self.anatomy, &tumor, x, y)
        });
        let nuclei = paint(&nuclei_in(&self.anatomy, &tumor, bounds), canvas, self.seed);
        let has_pen = self.artefacts.has_pen(bounds);
        let mut pixels = Vec::with_capacity(nuclei.len());
        for (i, &nucleus) in nuclei.iter().enumerate() {
            let x = canvas.um(canvas.col + (i % canvas.cols) as i64);
            let y = canvas.um(canvas.row + (i / canvas.cols) as i64);
            let here = knots.at(x, y);
            let [mut h, e] = self.amounts(&here, x, y);
            h = h.max(nucleus);
            let e = e * (1.0 - 0.45 * nucleus.min(1.0));
            let fold = self.artefacts.fold(x, y) * here.thickness;
            let mut light = transmitted(&self.plan.stain, fold * h, fold * e);
            match self.lettering.at(x, y) {
                Mark::None => {}
                Mark::Large => light = MARKER,
                Mark::Small => light = light.map(|v| v + 0.55 * (0.97 - v)),
            }
            if has_pen {
                light = self.artefacts.inked(light, x, y);
            }
            pixels.push(light);
        }
        Light {
            rows: canvas.rows,
            cols: canvas.cols,
            pixels,
        }
    }

    /// Haematoxylin and eosin of what lies between the nuclei.
    fn amounts(&self, here: &Structures, x: f32, y: f32) -> [f32; 2] {
        let section = soft(here.outline, 3.0);
        if section == 0.0 {
            return [0.0; 2];
        }
        let epithelium = soft(here.epithelium, 1.2);
        let mut amounts = match epithelium {
            1.0 => [0.0; 2],
            _ => self.connective(here, x, y),
        };
        if epithelium > 0.0 {
            let speckle = field(self.seed, Purpose::Cytoplasm, x / 2.3, y / 2.3);
            let basophilia = self.anatomy.look.basophilia;
            let cell = [basophilia * (1.0 + 0.25 * speckle), 0.40 + 0.07 * speckle];
            amounts = mixed(amounts, cell, epithelium);
            amounts = mixed(amounts, [0.005, 0.03], soft(here.lumen, 1.2));
        }
        amounts.map(|amount| section * amount)
    }

    /// Collagen and fat.
    fn connective(&self, here: &Structures, x: f32, y: f32) -> [f32; 2] {
        let (across, along) = (here.across, 0.94 * x - 0.35 * y);
        let fine = field(self.seed, Purpose::Fiber, across / 2.9, along / 30.0);
        let bundle = field(
            self.seed,
            Purpose::FiberBundle,
            across / 13.0,
            along / 110.0,
        );
        let fiber = 0.55 * fine + 0.45 * bundle;
        let cleft = soft(-0.47 - fiber, 0.10);
        // Epithelium shrinks off what surrounds it.
        let shrunk = soft(here.epithelium + 2.5, 1.5);
        let gap = (0.75 * cleft + 0.45 * shrunk).min(0.9);
        let collagen = [0.06 + 0.02 * bundle, 0.43 + 0.15 * fiber].map(|v| v * (1.0 - gap));
        let fat = soft(40.0 * here.fat, 3.0);
        if fat == 0.0 {
            return collagen;
        }
        let wall = soft(1.3 - here.wall, 0.8);
        mixed(collagen, mixed([0.002, 0.012], [0.07, 0.42], wall), fat)
    }
}

/// 0 to 1 over a distance of `width` around an edge.
pub(super) fn soft(depth: f32, width: f32) -> f32 {
    (depth / width + 0.5).clamp(0.0, 1.0)
}

fn mixed(from: [f32; 2], to: [f32; 2], share: f32) -> [f32; 2] {
    [0, 1].map(|c| from[c] + share * (to[c] - from[c]))
}

fn transmitted(stain: &Stain, h: f32, e: f32) -> [f32; 3] {
    let (h, e) = (stain.strength[0] * h, stain.strength[1] * e);
    [0, 1, 2].map(|c| (-(stain.hematoxylin[c] * h + stain.eosin[c] * e)).exp())
}

/// The slow structures at a place.
#[derive(Debug, Clone, Copy, Default)]
struct Structures {
    outline: f32,
    fat: f32,
    wall: f32,
    epithelium: f32,
    lumen: f32,
    across: f32,
    thickness: f32,
}

fn structures(anatomy: &Anatomy, tumor: &Tumor, x: f32, y: f32) -> Structures {
    let outline = anatomy.outline(x, y);
    if outline < -10.0 {
        return Structures {
            outline: -10.0,
            thickness: 1.0,
            ..Structures::default()
        };
    }
    let growth = tumor.growth(x, y);
    let fat = anatomy.fat(x, y);
    Structures {
        outline: outline.min(50.0),
        fat,
        wall: if fat > -0.1 {
            anatomy.fat_wall(x, y)
        } else {
            0.0
        },
        epithelium: growth.epithelium.clamp(-NEAR_UM, NEAR_UM),
        lumen: growth.lumen.clamp(-NEAR_UM, NEAR_UM),
        across: anatomy.across_fibers(x, y),
        thickness: anatomy.thickness(x, y),
    }
}

/// Structures at the knots of a grid that is the same for every window.
struct Knots {
    step: f32,
    left: i32,
    top: i32,
    cols: usize,
    values: Vec<Structures>,
}

impl Knots {
    fn new([x0, y0, x1, y1]: [f32; 4], mpp: f32, at: impl Fn(f32, f32) -> Structures) -> Knots {
        let step = KNOT_UM.max(mpp);
        let knot = |v: f32| (v / step).floor() as i32;
        let (left, top) = (knot(x0), knot(y0));
        let (right, bottom) = (knot(x1) + 1, knot(y1) + 1);
        let row = |j: i32| (left..=right).map(move |i| (i, j));
        let values = (top..=bottom).flat_map(row);
        Knots {
            step,
            left,
            top,
            cols: (right - left + 1) as usize,
            values: values
                .map(|(i, j)| at(i as f32 * step, j as f32 * step))
                .collect(),
        }
    }

    fn at(&self, x: f32, y: f32) -> Structures {
        let (u, v) = (x / self.step, y / self.step);
        let (i, j) = (u.floor(), v.floor());
        let (s, t) = (u - i, v - j);
        let first = (j as i32 - self.top) as usize * self.cols + (i as i32 - self.left) as usize;
        let corners = [first, first + 1, first + self.cols, first + self.cols + 1];
        let [a, b, c, d] = corners.map(|k| &self.values[k]);
        let mix = |value: fn(&Structures) -> f32| {
            let (above, below) = (
                value(a) + s * (value(b) - value(a)),
                value(c) + s * (value(d) - value(c)),
            );
            above + t * (below - above)
        };
        Structures {
            outline: mix(|k| k.outline),
            fat: mix(|k| k.fat),
            wall: mix(|k| k.wall),
            epithelium: mix(|k| k.epithelium),
            lumen: mix(|k| k.lumen),
            across: mix(|k| k.across),
            thickness: mix(|k| k.thickness),
        }
    }
}
