//! Where on the slide is what: the section's outline, fat, tumour, nests and glands.
//!
//! Owns: each structure as a function of the seed and the place, in µm from the slide's top left
//! corner. Does not own: nuclei, colours. Distances are positive inside.

use super::hash::{Draws, Purpose, Scatter, field};
use super::plan::Look;

/// Distance between nests.
const NEST_PITCH_UM: f32 = 210.0;
/// No nest reaches further from its middle.
const NEST_REACH_UM: f32 = 135.0;
const GLAND_PITCH_UM: f32 = 46.0;
const FAT_CELL_PITCH_UM: f32 = 75.0;
/// Radius of a piece of solid growth.
const SOLID_UM: f32 = 43.0;
/// No gland reaches further from its middle.
const GLAND_REACH_UM: f32 = 70.0;
/// Edges are told this far from them.
pub(super) const NEAR_UM: f32 = 6.0;
/// Epithelium around a lumen.
pub(super) const LINING_UM: f32 = 12.0;
/// [`Anatomy::outline`] changes by no more per µm: 1 by the ellipse, about 1.06 by either field.
const OUTLINE_SLOPE: f32 = 3.2;
/// Far outside.
const FAR: f32 = -50.0;

/// The structures of one slide.
#[derive(Debug, Clone)]
pub(super) struct Anatomy {
    pub(super) seed: u64,
    pub(super) look: Look,
    height: f32,
    width: f32,
    nests: Scatter,
    glands: Scatter,
    fat_cells: Scatter,
}

/// A nest of tumour cells: a closed wavy line around its middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Nest {
    x: f32,
    y: f32,
    radius: f32,
    /// Shares of cos 2θ, sin 2θ, cos 3θ, sin 3θ, cos 5θ.
    waves: [f32; 5],
}

impl Nest {
    /// The radius in a direction given by its cosine and sine.
    fn reach(&self, c: f32, s: f32) -> f32 {
        let (c2, s2) = (c * c - s * s, 2.0 * c * s);
        let (c3, s3) = (c2 * c - s2 * s, s2 * c + c2 * s);
        let c5 = c3 * c2 - s3 * s2;
        let [a, b, d, e, f] = self.waves;
        self.radius * (1.0 + a * c2 + b * s2 + d * c3 + e * s3 + f * c5)
    }

    /// How far a point lies inside, along the ray from the middle.
    fn depth(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x - self.x, y - self.y);
        let distance = dx.hypot(dy);
        if distance > NEST_REACH_UM - FAR {
            return FAR;
        }
        let far = distance.max(1e-3);
        self.reach(dx / far, dy / far) - distance
    }

    /// `n` points of the outline.
    pub(super) fn outline(&self, n: usize) -> impl Iterator<Item = [f32; 2]> + '_ {
        (0..n).map(move |i| {
            let (s, c) = (std::f32::consts::TAU * i as f32 / n as f32).sin_cos();
            let reach = self.reach(c, s);
            [self.x + reach * c, self.y + reach * s]
        })
    }
}

/// A gland with a lumen, or a piece of solid growth.
#[derive(Debug, Clone)]
pub(super) struct Gland {
    pub(super) x: f32,
    pub(super) y: f32,
    turn: [f32; 2],
    stretch: f32,
    outer: f32,
    /// Radius of the lumen of a tubule.
    pub(super) lumen: Option<f32>,
    pub(super) draws: Draws,
}

/// Depths at a place: in epithelium, in a lumen, in a tubule with its lining.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    pub(super) epithelium: f32,
    pub(super) lumen: f32,
    pub(super) tubule: f32,
}

/// The tumour around a window.
#[derive(Debug, Clone, Default)]
pub(super) struct Tumor {
    nests: Vec<Nest>,
    pub(super) glands: Vec<Gland>,
}

impl Tumor {
    pub(super) fn is_empty(&self) -> bool {
        self.nests.is_empty()
    }

    /// How far a place lies inside a nest.
    pub(super) fn depth(&self, x: f32, y: f32) -> f32 {
        let depths = self.nests.iter().map(|nest| nest.depth(x, y));
        depths.fold(FAR, f32::max)
    }

    pub(super) fn growth(&self, x: f32, y: f32) -> Growth {
        let depth = self.depth(x, y);
        let mut growth = Growth {
            epithelium: FAR,
            lumen: FAR,
            tubule: FAR,
        };
        if depth < -NEAR_UM {
            growth.epithelium = depth;
            return growth;
        }
        for gland in &self.glands {
            let distance = gland.distance(x, y);
            growth.epithelium = growth.epithelium.max(gland.outer - distance);
            if let Some(lumen) = gland.lumen {
                growth.lumen = growth.lumen.max(lumen - distance);
                growth.tubule = growth.tubule.max(gland.outer - distance);
            }
        }
        growth.epithelium = growth.epithelium.min(depth);
        growth
    }
}

impl Gland {
    /// Distance from the middle, in the gland's stretched measure.
    pub(super) fn distance(&self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x - self.x, y - self.y);
        let [c, s] = self.turn;
        ((dx * c + dy * s) / self.stretch).hypot((dy * c - dx * s) * self.stretch)
    }

    /// The point at a stretched distance and angle.
    pub(super) fn point(&self, radius: f32, angle: f32) -> [f32; 2] {
        let (sin, cos) = angle.sin_cos();
        let (u, v) = (radius * cos * self.stretch, radius * sin / self.stretch);
        let [c, s] = self.turn;
        [self.x + u * c - v * s, self.y + u * s + v * c]
    }
}

impl Anatomy {
    pub(super) fn new(seed: u64, look: Look, height: f32, width: f32) -> Anatomy {
        let scatter = |purpose, pitch, jitter| Scatter {
            seed,
            purpose,
            pitch,
            jitter,
        };
        Anatomy {
            seed,
            look,
            height,
            width,
            nests: scatter(Purpose::Nest, NEST_PITCH_UM, 0.16),
            glands: scatter(Purpose::Gland, GLAND_PITCH_UM, 0.22),
            fat_cells: scatter(Purpose::FatCell, FAT_CELL_PITCH_UM, 0.38),
        }
    }

    fn noise(&self, purpose: Purpose, x: f32, y: f32, scale: f32) -> f32 {
        field(self.seed, purpose, x / scale, y / scale)
    }

    /// How far inside the section a place lies, roughly in µm. The section leaves a margin of glass.
    pub(super) fn outline(&self, x: f32, y: f32) -> f32 {
        let (rx, ry) = (0.43 * self.width, 0.385 * self.height);
        let (u, v) = ((x - 0.5 * self.width) / rx, (y - 0.5 * self.height) / ry);
        let scale = rx.min(ry);
        let wave = self.noise(Purpose::Outline, x, y, 0.45 * scale);
        let detail = self.noise(Purpose::OutlineDetail, x, y, (0.08 * scale).min(250.0));
        (0.95 - u.hypot(v) + 0.11 * wave) * scale + (0.02 * scale).min(62.0) * detail
    }

    /// Whether no place within `radius` of (x, y) lies in the section.
    pub(super) fn is_glass(&self, x: f32, y: f32, radius: f32) -> bool {
        self.outline(x, y) < -OUTLINE_SLOPE * radius
    }

    /// Above 0 in the part of the section that the tumour has grown into.
    pub(super) fn zone(&self, x: f32, y: f32) -> f32 {
        let mut draws = Draws::at(self.seed, Purpose::Zone, i32::MAX, 0);
        let (cx, cy) = (
            (0.5 + draws.between(-0.08, 0.08)) * self.width,
            (0.5 + draws.between(-0.08, 0.08)) * self.height,
        );
        let (u, v) = (
            (x - cx) / (0.43 * self.width),
            (y - cy) / (0.385 * self.height),
        );
        let scale = 0.2 * self.width.min(self.height);
        0.72 - u.hypot(v) + 0.22 * self.noise(Purpose::Zone, x, y, scale)
    }

    /// Above 0 in fat, which keeps away from the tumour.
    pub(super) fn fat(&self, x: f32, y: f32) -> f32 {
        let scale = 700.0_f32.min(0.2 * self.width.min(self.height));
        let patches = self.noise(Purpose::Fat, x, y, scale)
            + 0.35 * self.noise(Purpose::Fat, x + 1e4, y, 0.35 * scale);
        patches - 0.1 - 3.0 * (self.zone(x, y) + 0.12).max(0.0)
    }

    /// Distance from the nearest wall between fat cells.
    pub(super) fn fat_wall(&self, x: f32, y: f32) -> f32 {
        let (mut first, mut second) = (f32::MAX, f32::MAX);
        self.around(&self.fat_cells, x, y, |px, py, _| {
            let distance = (px - x).hypot(py - y);
            if distance < first {
                (first, second) = (distance, first);
            } else {
                second = second.min(distance);
            }
        });
        0.5 * (second - first)
    }

    fn around(&self, scatter: &Scatter, x: f32, y: f32, mut each: impl FnMut(f32, f32, Draws)) {
        let cell = |v: f32| (v / scatter.pitch).floor() as i32;
        let (i, j) = (cell(x), cell(y));
        for j in j - 1..=j + 1 {
            for i in i - 1..=i + 1 {
                let (px, py, draws) = scatter.point(i, j);
                each(px, py, draws);
            }
        }
    }

    /// The nests and glands that may reach into a box (left, top, right, bottom).
    pub(super) fn tumor_in(&self, window: [f32; 4]) -> Tumor {
        let [x0, y0, x1, y1] = window;
        let reach = GLAND_REACH_UM;
        let nests = self.nests_in([x0 - reach, y0 - reach, x1 + reach, y1 + reach]);
        if nests.is_empty() {
            return Tumor::default();
        }
        let mut tumor = Tumor {
            nests,
            glands: Vec::new(),
        };
        let glands = self.glands_in(window).into_iter();
        // A tubule lies within its nest; none is cut in two.
        let fits = |gland: &Gland| {
            let depth = tumor.depth(gland.x, gland.y);
            depth
                > if gland.lumen.is_some() {
                    gland.outer - 5.0
                } else {
                    -GLAND_REACH_UM
                }
        };
        tumor.glands = glands.filter(fits).collect();
        tumor
    }

    /// The nests that may reach into a box, row by row.
    fn nests_in(&self, [x0, y0, x1, y1]: [f32; 4]) -> Vec<Nest> {
        let columns = self.nests.cells(x0, x1, NEST_REACH_UM);
        let rows = self.nests.cells(y0, y1, NEST_REACH_UM);
        let row = |j| columns.clone().filter_map(move |i| self.nest(i, j));
        rows.flat_map(row).collect()
    }

    /// All nests, a row of cells at a time.
    pub(super) fn nest_rows(&self) -> impl Iterator<Item = Vec<Nest>> + '_ {
        let columns = self.nests.cells(0.0, self.width, 0.0);
        let row = move |j| columns.clone().filter_map(|i| self.nest(i, j)).collect();
        self.nests.cells(0.0, self.height, 0.0).map(row)
    }

    /// A nest lies wholly within the section and the tumour.
    fn nest(&self, i: i32, j: i32) -> Option<Nest> {
        let (x, y, mut draws) = self.nests.point(i, j);
        let radius = draws.between(70.0, 104.0);
        let mut wave = |most: f32| draws.between(-most, most);
        let waves = [wave(0.13), wave(0.13), wave(0.08), wave(0.08), wave(0.05)];
        let is_inside = self.zone(x, y) > 0.0 && self.outline(x, y) > NEST_REACH_UM + 10.0;
        is_inside.then_some(Nest {
            x,
            y,
            radius,
            waves,
        })
    }

    fn glands_in(&self, [x0, y0, x1, y1]: [f32; 4]) -> Vec<Gland> {
        let columns = self.glands.cells(x0, x1, GLAND_REACH_UM);
        let rows = self.glands.cells(y0, y1, GLAND_REACH_UM);
        let row = |j| {
            columns
                .clone()
                .map(move |i| self.gland(self.glands.point(i, j)))
        };
        rows.flat_map(row).collect()
    }

    fn gland(&self, (x, y, mut draws): (f32, f32, Draws)) -> Gland {
        let is_tubule = draws.unit() < self.look.tubules;
        let (sin, cos) = draws.between(0.0, std::f32::consts::PI).sin_cos();
        let lumen = draws.between(5.0, 14.0);
        let stretch = draws.between(1.0, 1.25);
        // Among tubules, solid pieces are as small as they; alone, they join to sheets.
        let solid = SOLID_UM - 18.0 * self.look.tubules;
        Gland {
            x,
            y,
            turn: [cos, sin],
            stretch,
            outer: if is_tubule { lumen + LINING_UM } else { solid },
            lumen: is_tubule.then_some(lumen),
            draws,
        }
    }

    /// Across the fibres: places of one value lie on one fibre.
    pub(super) fn across_fibers(&self, x: f32, y: f32) -> f32 {
        let slow = self.noise(Purpose::Warp, x, y, 420.0);
        let quick = self.noise(Purpose::Warp, x + 5e3, y, 110.0);
        0.35 * x + 0.94 * y + 190.0 * slow + 34.0 * quick
    }

    /// Above 0 where lymphocytes gather.
    pub(super) fn infiltrate(&self, x: f32, y: f32) -> f32 {
        self.noise(Purpose::Infiltrate, x, y, 160.0) - 0.42
    }

    /// The section's thickness, about 1.
    pub(super) fn thickness(&self, x: f32, y: f32) -> f32 {
        1.0 + 0.12 * self.noise(Purpose::Thickness, x, y, 350.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nests_have_the_outline_that_they_are_drawn_by() {
        let anatomy = Anatomy::new(4, Look::of(2.0), 3000.0, 3000.0);
        let nests: Vec<Nest> = anatomy.nest_rows().flatten().collect();
        assert!(nests.len() > 20, "{}", nests.len());
        for nest in nests {
            for [x, y] in nest.outline(60) {
                assert!(nest.depth(x, y).abs() < 0.01);
                assert!((x - nest.x).hypot(y - nest.y) < NEST_REACH_UM);
                assert!(anatomy.outline(x, y) > 0.0, "within the section");
            }
            let window = [nest.x, nest.y, nest.x + 1.0, nest.y + 1.0];
            assert!(anatomy.nests_in(window).contains(&nest));
        }
    }
}
