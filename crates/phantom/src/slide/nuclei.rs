//! Nuclei: which there are, and how much haematoxylin each puts where.

use std::f32::consts::{PI, TAU};

use super::anatomy::{Anatomy, LINING_UM, Tumor};
use super::hash::{Draws, Purpose, Scatter, field};

/// No nucleus reaches further from its middle.
pub(super) const REACH_UM: f32 = 12.0;
const SPINDLE_PITCH_UM: f32 = 24.0;
const LYMPHOCYTE_PITCH_UM: f32 = 8.0;

/// A nucleus to draw.
#[derive(Debug, Clone)]
pub(super) struct Nucleus {
    x: f32,
    y: f32,
    /// Half axes.
    axes: [f32; 2],
    turn: [f32; 2],
    /// Haematoxylin.
    amount: f32,
    /// Waves of the outline: cos 2θ, sin 3θ, cos 5θ.
    waves: [f32; 3],
    /// Middle and radius of a nucleolus, in half axes.
    nucleolus: Option<[f32; 3]>,
    /// How much lighter the inside is than the rim.
    clearing: f32,
}

/// All nuclei that may reach into a box (left, top, right, bottom).
pub(super) fn nuclei_in(anatomy: &Anatomy, tumor: &Tumor, window: [f32; 4]) -> Vec<Nucleus> {
    let [x0, y0, x1, y1] = window;
    let mut found = Vec::new();
    let mut scattered =
        |purpose, pitch, jitter, each: &dyn Fn(f32, f32, Draws) -> Option<Nucleus>| {
            let scatter = Scatter {
                seed: anatomy.seed,
                purpose,
                pitch,
                jitter,
            };
            for j in scatter.cells(y0, y1, REACH_UM) {
                for i in scatter.cells(x0, x1, REACH_UM) {
                    let (x, y, draws) = scatter.point(i, j);
                    found.extend(each(x, y, draws));
                }
            }
        };
    if !tumor.is_empty() {
        let pitch = anatomy.look.pitch_um;
        scattered(Purpose::Nucleus, pitch, 0.36, &|x, y, draws| {
            solid(anatomy, tumor, x, y, draws)
        });
    }
    scattered(Purpose::Spindle, SPINDLE_PITCH_UM, 0.45, &|x, y, draws| {
        spindle(anatomy, tumor, x, y, draws)
    });
    scattered(
        Purpose::Lymphocyte,
        LYMPHOCYTE_PITCH_UM,
        0.35,
        &|x, y, draws| lymphocyte(anatomy, tumor, x, y, draws),
    );
    if !tumor.is_empty() {
        lining(anatomy, tumor, &mut found);
    }
    found
}

/// A tumour cell of solid growth.
fn solid(anatomy: &Anatomy, tumor: &Tumor, x: f32, y: f32, mut draws: Draws) -> Option<Nucleus> {
    let growth = tumor.growth(x, y);
    let is_solid = growth.epithelium > 3.0 && growth.tubule < 1.0;
    let is_there = draws.unit() > 0.06 && is_solid;
    let turn = draws.between(0.0, PI);
    is_there.then(|| tumor_nucleus(anatomy, [x, y], turn, draws))
}

/// The cells around lumens, a ring each, turned towards the middle.
fn lining(anatomy: &Anatomy, tumor: &Tumor, found: &mut Vec<Nucleus>) {
    for gland in &tumor.glands {
        let Some(lumen) = gland.lumen else {
            continue;
        };
        let radius = lumen + 0.52 * LINING_UM;
        let n = (TAU * radius / (0.92 * anatomy.look.pitch_um)) as i32;
        let mut draws = gland.draws.clone();
        for k in 0..n {
            let mut own = Draws::at(draws.bits(), Purpose::Nucleus, k, -1);
            let angle = TAU * (k as f32 + own.between(-0.22, 0.22)) / n as f32;
            let [x, y] = gland.point(radius + own.between(-1.4, 1.4), angle);
            if own.unit() > 0.04 {
                let towards = (y - gland.y).atan2(x - gland.x) + own.between(-0.3, 0.3);
                found.push(tumor_nucleus(anatomy, [x, y], towards, own));
            }
        }
    }
}

fn tumor_nucleus(anatomy: &Anatomy, [x, y]: [f32; 2], turn: f32, mut draws: Draws) -> Nucleus {
    let look = &anatomy.look;
    if draws.unit() < look.mitoses {
        return mitosis(x, y, turn, draws);
    }
    let size = (look.size_variation * draws.normal())
        .clamp(-0.6, 0.6)
        .exp();
    let radius = 0.5 * look.nucleus_um * size;
    let stretch = draws.between(1.02, 1.22 + look.waviness);
    let (sin, cos) = turn.sin_cos();
    let wave = look.waviness;
    let has_nucleolus = draws.unit() < look.nucleoli;
    let nucleolus = [draws.between(-0.35, 0.35), draws.between(-0.35, 0.35), 0.24];
    Nucleus {
        x,
        y,
        axes: [radius * stretch, radius / stretch],
        turn: [cos, sin],
        amount: (1.12 + look.darkness_variation * draws.normal()).clamp(0.7, 1.9),
        waves: [
            draws.between(-wave, wave),
            draws.between(-wave, wave),
            draws.between(-wave, wave),
        ],
        nucleolus: has_nucleolus.then_some(nucleolus),
        clearing: draws.between(0.1, 0.3 + look.nucleoli * 0.3),
    }
}

/// A dark ragged plate without a membrane.
fn mitosis(x: f32, y: f32, turn: f32, mut draws: Draws) -> Nucleus {
    let (sin, cos) = turn.sin_cos();
    let mut wave = || draws.between(-0.28, 0.28);
    Nucleus {
        x,
        y,
        axes: [5.2, 2.1],
        turn: [cos, sin],
        amount: 2.3,
        waves: [wave(), wave(), wave()],
        nucleolus: None,
        clearing: 0.0,
    }
}

/// A fibroblast along its fibre.
fn spindle(anatomy: &Anatomy, tumor: &Tumor, x: f32, y: f32, mut draws: Draws) -> Option<Nucleus> {
    let is_stroma =
        anatomy.outline(x, y) > 3.0 && tumor.depth(x, y) < -2.0 && anatomy.fat(x, y) < 0.0;
    if draws.unit() < 0.25 || !is_stroma {
        return None;
    }
    let across = |x, y| anatomy.across_fibers(x, y);
    let (gx, gy) = (
        across(x + 2.0, y) - across(x - 2.0, y),
        across(x, y + 2.0) - across(x, y - 2.0),
    );
    let (sin, cos) = ((-gx).atan2(gy) + 0.15 * draws.normal()).sin_cos();
    Some(Nucleus {
        x,
        y,
        axes: [draws.between(4.0, 8.0), draws.between(0.9, 1.6)],
        turn: [cos, sin],
        amount: draws.between(0.75, 1.15),
        waves: [0.0, draws.between(-0.08, 0.08), 0.0],
        nucleolus: None,
        clearing: 0.1,
    })
}

fn lymphocyte(
    anatomy: &Anatomy,
    tumor: &Tumor,
    x: f32,
    y: f32,
    mut draws: Draws,
) -> Option<Nucleus> {
    let crowd = anatomy.infiltrate(x, y);
    if crowd < 0.0 || draws.unit() > 2.5 * crowd {
        return None;
    }
    let is_stroma =
        anatomy.outline(x, y) > 4.0 && tumor.depth(x, y) < -3.0 && anatomy.fat(x, y) < 0.0;
    is_stroma.then(|| {
        let radius = draws.between(2.3, 2.9);
        Nucleus {
            x,
            y,
            axes: [radius, radius],
            turn: [1.0, 0.0],
            amount: draws.between(1.3, 1.7),
            waves: [0.0; 3],
            nucleolus: None,
            clearing: 0.0,
        }
    })
}

/// The grid of pixels that nuclei are drawn on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canvas {
    /// Of the first row and column, may be negative.
    pub(super) row: i64,
    pub(super) col: i64,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) mpp: f64,
}

impl Canvas {
    /// Where a pixel's middle lies, in µm, by its index from the slide's top or left.
    pub(super) fn um(&self, index: i64) -> f32 {
        ((index as f64 + 0.5) * self.mpp) as f32
    }

    pub(super) fn bounds(&self) -> [f32; 4] {
        [
            self.um(self.col),
            self.um(self.row),
            self.um(self.col + self.cols as i64 - 1),
            self.um(self.row + self.rows as i64 - 1),
        ]
    }
}

/// Draws nuclei: each pixel takes the most that any nucleus puts there, so that their order is nothing.
pub(super) fn paint(nuclei: &[Nucleus], canvas: &Canvas, seed: u64) -> Vec<f32> {
    let mut amounts = vec![0.0_f32; canvas.rows * canvas.cols];
    let mpp = canvas.mpp as f32;
    let span = |middle: f32, reach: f32, first: i64, n: usize| {
        let from = (((middle - reach) / mpp).floor() as i64 - first).clamp(0, n as i64);
        let to = (((middle + reach) / mpp).ceil() as i64 - first).clamp(0, n as i64);
        from as usize..to as usize
    };
    for nucleus in nuclei {
        let reach = (nucleus.axes[0].max(nucleus.axes[1]) * 1.5 + mpp).min(REACH_UM);
        for row in span(nucleus.y, reach, canvas.row, canvas.rows) {
            let y = canvas.um(canvas.row + row as i64);
            for col in span(nucleus.x, reach, canvas.col, canvas.cols) {
                let x = canvas.um(canvas.col + col as i64);
                let slot = &mut amounts[row * canvas.cols + col];
                *slot = slot.max(nucleus.at(x, y, mpp, seed));
            }
        }
    }
    amounts
}

impl Nucleus {
    fn at(&self, x: f32, y: f32, mpp: f32, seed: u64) -> f32 {
        let (dx, dy) = (x - self.x, y - self.y);
        let [c, s] = self.turn;
        let (u, v) = (
            (dx * c + dy * s) / self.axes[0],
            (dy * c - dx * s) / self.axes[1],
        );
        let distance = u.hypot(v).max(1e-3);
        if distance > 1.7 {
            return 0.0;
        }
        let (c, s) = (u / distance, v / distance);
        let (c2, s2) = (c * c - s * s, 2.0 * c * s);
        let (c3, s3) = (c2 * c - s2 * s, s2 * c + c2 * s);
        let c5 = c3 * c2 - s3 * s2;
        let [a, b, d] = self.waves;
        let edge = 1.0 + a * c2 + b * s3 + d * c5;
        let thin = self.axes[0].min(self.axes[1]);
        let cover = ((edge - distance) * thin / mpp.max(0.6) + 0.5).clamp(0.0, 1.0);
        if cover == 0.0 {
            return 0.0;
        }
        let inside = distance / edge;
        let rim = 1.0 - self.clearing * (1.0 - inside * inside);
        let grain = 1.0 + 0.16 * field(seed, Purpose::Chromatin, x / 1.1, y / 1.1);
        let spot = match self.nucleolus {
            Some([p, q, radius]) if (u - p).hypot(v - q) < radius => 1.35,
            _ => 1.0,
        };
        cover * self.amount * rim * grain * spot
    }
}
