//! What can spoil a slide: pen, folds, places out of focus.

use super::draw::soft;
use super::hash::{Purpose, field};
use super::optics::Spread;
use super::plan::SlidePlan;
use crate::plan::held;

/// The section in a fold is this many times as thick.
const FOLD_THICKNESS: f32 = 2.7;
/// Share of the light that ink takes its colour from.
const INK: f32 = 0.94;

/// The artefacts of a plan, in µm.
#[derive(Debug, Clone)]
pub(super) struct Artefacts {
    seed: u64,
    lens: Option<Spread>,
    discs: Vec<Disc>,
    folds: Vec<Band>,
    pens: Vec<(Vec<Band>, [f32; 3])>,
}

#[derive(Debug, Clone, Copy)]
struct Disc {
    x: f32,
    y: f32,
    radius: f32,
}

/// What lies within half a width of a straight line.
#[derive(Debug, Clone, Copy)]
struct Band {
    from: [f32; 2],
    to: [f32; 2],
    half_width: f32,
}

impl Band {
    /// How far inside a place lies.
    fn depth(&self, x: f32, y: f32) -> f32 {
        let [x0, y0] = self.from;
        let (dx, dy) = (self.to[0] - x0, self.to[1] - y0);
        let length = (dx * dx + dy * dy).max(1e-6);
        let t = (((x - x0) * dx + (y - y0) * dy) / length).clamp(0.0, 1.0);
        self.half_width - (x - x0 - t * dx).hypot(y - y0 - t * dy)
    }

    fn touches(&self, [x0, y0, x1, y1]: [f32; 4]) -> bool {
        let [[ax, ay], [bx, by]] = [self.from, self.to];
        let reach = self.half_width + 5.0;
        ax.min(bx) - reach <= x1
            && ax.max(bx) + reach >= x0
            && ay.min(by) - reach <= y1
            && ay.max(by) + reach >= y0
    }
}

impl Artefacts {
    pub(super) fn new(plan: &SlidePlan, seed: u64, height: f32, width: f32) -> Artefacts {
        let place = |[down, across]: [f64; 2]| [across as f32 * width, down as f32 * height];
        let band = |from, to, width_um: f32| Band {
            from: place(from),
            to: place(to),
            half_width: 0.5 * width_um,
        };
        let disc = |blur: &super::plan::BlurPatch| {
            let [x, y] = place(blur.center);
            Disc {
                x,
                y,
                radius: blur.radius_um,
            }
        };
        let pens = plan.pens.iter().map(|pen| {
            let lines = pen.points.windows(2);
            let bands = lines.map(|ends| band(ends[0], ends[1], pen.width_um));
            (bands.collect(), pen.color.map(|v| f32::from(v) / 255.0))
        });
        Artefacts {
            seed,
            lens: Spread::new(held(f64::from(plan.defocus_um), 0.0, 20.0) / plan.mpp),
            discs: plan.blurs.iter().map(disc).collect(),
            folds: plan
                .folds
                .iter()
                .map(|f| band(f.from, f.to, f.width_um))
                .collect(),
            pens: pens.collect(),
        }
    }

    pub(super) fn has_pen(&self, window: [f32; 4]) -> bool {
        self.pens
            .iter()
            .flat_map(|(bands, _)| bands)
            .any(|band| band.touches(window))
    }

    /// The light after the ink of all pens here.
    pub(super) fn inked(&self, light: [f32; 3], x: f32, y: f32) -> [f32; 3] {
        let ink = |light: [f32; 3], (bands, ink): &(Vec<Band>, [f32; 3])| {
            let depth = bands.iter().map(|band| band.depth(x, y));
            let share = INK * soft(depth.fold(f32::MIN, f32::max), 6.0);
            [0, 1, 2].map(|c| light[c] * (1.0 - share + share * ink[c]))
        };
        self.pens.iter().fold(light, ink)
    }

    /// How thick the section lies, 1 where there is no fold.
    pub(super) fn fold(&self, x: f32, y: f32) -> f32 {
        if self.folds.is_empty() {
            return 1.0;
        }
        let wave = 0.25 * field(self.seed, Purpose::Fold, x / 130.0, y / 130.0);
        let thickness = |band: &Band| {
            let depth = band.depth(x, y) + wave * band.half_width;
            1.0 + (FOLD_THICKNESS - 1.0) * soft(depth, 8.0)
        };
        self.folds.iter().map(thickness).fold(1.0, f32::max)
    }

    /// The point spread of the discs, if one reaches into a window.
    pub(super) fn lens(&self, [x0, y0, x1, y1]: [f32; 4]) -> Option<&Spread> {
        let is_near = |d: &Disc| {
            let (dx, dy) = (d.x - d.x.clamp(x0, x1), d.y - d.y.clamp(y0, y1));
            dx.hypot(dy) < d.radius
        };
        self.lens
            .as_ref()
            .filter(|_| self.discs.iter().any(is_near))
    }

    /// How far a place is out of focus, 0 to 1.
    pub(super) fn defocus(&self, x: f32, y: f32) -> f32 {
        let share = |d: &Disc| {
            let depth = d.radius - (x - d.x).hypot(y - d.y);
            (depth / (0.25 * d.radius)).clamp(0.0, 1.0)
        };
        self.discs.iter().map(share).fold(0.0, f32::max)
    }
}
