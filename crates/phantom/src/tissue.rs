//! The layers of a breast: how strongly each place scatters and weakens the beam.
//!
//! Owns: skin, subcutaneous fat with lobules and septa, glandular tissue, retromammary fat,
//! pectoral muscle, chest wall. Does not own: lesions (`lesion`), speckle (`speckle`).
//! Values are chosen by eye, not measured: decibels are relative to the white of the screen.

use crate::Composition;
use crate::noise::{Noise, Purpose, Slope, Stream};

/// What a place does to the beam.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tissue {
    /// Scattering, in dB below white.
    pub(crate) echo_db: f32,
    /// Loss on the way there and back that the gain curve leaves uncompensated, in dB per mm;
    /// below zero where tissue weakens the beam less than the gain curve supposes.
    pub(crate) loss_db_per_mm: f32,
}

/// The depth of the layers at one lateral position, in mm.
struct Floors {
    skin: f32,
    fat: f32,
    gland: f32,
    fascia: f32,
    muscle: f32,
}

/// One breast under one transducer.
pub(crate) struct Anatomy {
    mean: Floors,
    tilt: f32,
    waves: Noise,
    ridges: Noise,
    septa: Noise,
    fibers: Noise,
    presence: Noise,
    texture: Noise,
    blobs: Noise,
    striation: Noise,
}

impl Anatomy {
    pub(crate) fn new(composition: Composition, seed: u64) -> Anatomy {
        let stream = &mut Stream::new(seed, Purpose::Anatomy);
        Anatomy {
            mean: mean_floors(composition, stream),
            tilt: stream.between(-0.07, 0.07),
            waves: Noise::new(stream, [9.0, 7.0]),
            ridges: Noise::new(stream, [9.0, 5.0]),
            septa: Noise::new(stream, [1.7, 6.0]),
            fibers: Noise::new(stream, [0.75, 4.4]),
            presence: Noise::new(stream, [1.4, 2.4]),
            texture: Noise::new(stream, [0.35, 1.1]),
            blobs: Noise::new(stream, [0.9, 2.0]),
            striation: Noise::new(stream, [0.4, 6.0]),
        }
    }

    /// The tissue at a place, in mm.
    pub(crate) fn at(&self, depth: f32, lateral: f32) -> Tissue {
        let floors = self.floors(lateral);
        if depth < floors.skin {
            return skin(depth, floors.skin);
        }
        let bent = depth + 0.7 * self.septa.at(depth * 0.9 + 30.0, lateral * 1.5);
        let mut tissue = if bent < floors.fat {
            self.fat(depth, lateral)
        } else if bent < floors.gland {
            self.gland(depth, lateral)
        } else if depth < floors.fascia {
            self.deep_fat(depth, lateral)
        } else if depth < floors.muscle {
            self.muscle(depth, lateral, &floors)
        } else {
            self.chest_wall(depth, lateral, &floors)
        };
        tissue.echo_db += self.membranes(depth, bent, lateral, &floors);
        tissue
    }

    fn floors(&self, lateral: f32) -> Floors {
        let tilt = self.tilt * lateral;
        let height = ramp(self.ridges.along(lateral * 0.7 + 60.0), -1.2, 1.5);
        let ligament = height * (-3.5 * self.ridges.along(lateral).abs()).exp();
        let wave = self.waves.along(lateral);
        let slow = self.waves.along(lateral * 0.6 + 40.0);
        let fat = self.mean.fat + tilt + 1.3 * wave - 4.5 * ligament;
        let gland = (self.mean.gland + tilt + 1.5 * slow).max(fat + 1.5);
        let fascia = (self.mean.fascia + 1.4 * tilt + 0.8 * slow).max(gland + 0.5);
        Floors {
            skin: self.mean.skin + 0.05 * wave,
            fat: fat.max(self.mean.skin + 0.6),
            gland,
            fascia,
            muscle: self.mean.muscle + 1.4 * tilt + 0.8 * slow,
        }
    }

    /// Grey lobules of fat between bright septa; septa are brightest where the beam meets them
    /// squarely.
    fn fat(&self, depth: f32, lateral: f32) -> Tissue {
        let septum = sheet(&self.septa.slope(depth, lateral), 0.11);
        let wisp = sheet(&self.fibers.slope(depth * 0.8 + 60.0, lateral * 0.9), 0.06);
        let here = ramp(self.presence.at(depth * 0.7, lateral * 0.6), -1.1, 0.4);
        let rare = ramp(self.presence.at(depth + 70.0, lateral + 90.0), 0.2, 1.2);
        Tissue {
            echo_db: -35.0
                + 0.9 * self.blobs.at(depth * 0.6, lateral * 0.6)
                + 0.8 * self.texture.at(depth, lateral)
                + 20.0 * septum * here
                + 12.0 * wisp * rare,
            loss_db_per_mm: 0.10,
        }
    }

    /// Bright, streaky, with dark ducts and islands of fat; weakens the beam unevenly.
    fn gland(&self, depth: f32, lateral: f32) -> Tissue {
        let fiber = sheet(&self.fibers.slope(depth + 0.05 * lateral, lateral), 0.12);
        let duct = ramp(self.blobs.at(depth + 50.0, lateral + 20.0), 0.7, 1.5);
        let island = ramp(self.septa.at(depth * 1.3 + 90.0, lateral * 1.5), 0.9, 1.3);
        let shade = self.waves.along(lateral * 1.6 + 11.0).max(0.0);
        let bright = -24.5
            + 3.0 * self.blobs.at(depth, lateral)
            + 2.2 * self.texture.at(depth, lateral)
            + 12.0 * fiber
            - 11.0 * duct;
        let fat = -34.0 + 9.0 * fiber;
        Tissue {
            echo_db: bright + (fat - bright) * island,
            loss_db_per_mm: 0.26 + 0.25 * shade,
        }
    }

    fn deep_fat(&self, depth: f32, lateral: f32) -> Tissue {
        let fat = self.fat(depth, lateral);
        Tissue {
            echo_db: fat.echo_db - 2.0,
            loss_db_per_mm: 0.2,
        }
    }

    /// Dark with bright fibres that run along the fascia.
    fn muscle(&self, depth: f32, lateral: f32, floors: &Floors) -> Tissue {
        let below = depth - floors.fascia;
        let fiber = self.striation.at(below, lateral + 0.8 * below).max(0.0);
        Tissue {
            echo_db: -41.0 + 7.5 * fiber + 1.5 * self.texture.at(depth, lateral),
            loss_db_per_mm: 0.35,
        }
    }

    fn chest_wall(&self, depth: f32, lateral: f32, floors: &Floors) -> Tissue {
        let below = depth - floors.muscle;
        let haze = 5.0 * (-below / 3.0).exp();
        Tissue {
            echo_db: -50.0 + haze + 1.5 * self.texture.at(depth, lateral),
            loss_db_per_mm: 0.6,
        }
    }

    /// Bright lines where layers meet, broken here and there.
    fn membranes(&self, depth: f32, bent: f32, lateral: f32, floors: &Floors) -> f32 {
        let line = |distance: f32, width: f32| (-(distance / width).powi(2)).exp();
        let lines = 6.0 * line(bent - floors.fat, 0.24)
            + 5.0 * line(bent - floors.gland, 0.22)
            + 15.0 * line(depth - floors.fascia, 0.22)
            + 12.0 * line(depth - floors.muscle, 0.25);
        if lines < 0.1 {
            return 0.0;
        }
        lines * ramp(self.presence.at(depth * 0.3, lateral * 0.5), -1.0, 0.8)
    }
}

/// Mean depths of the layers' lower ends; each breast differs a little.
fn mean_floors(composition: Composition, stream: &mut Stream) -> Floors {
    let (fat, gland) = match composition {
        Composition::Fatty => (17.0, 20.5),
        Composition::Mixed => (8.5, 20.5),
        Composition::Dense => (4.2, 23.0),
    };
    let gland = gland + stream.between(-1.5, 1.5);
    let fascia = gland + stream.between(2.0, 4.0);
    Floors {
        skin: stream.between(1.5, 2.1),
        fat: fat + stream.between(-1.0, 1.0),
        gland,
        fascia,
        muscle: fascia + stream.between(7.0, 10.0),
    }
}

/// Gel, then skin between two bright lines.
fn skin(depth: f32, floor: f32) -> Tissue {
    let line = |at: f32| (-((depth - at) / 0.14).powi(2)).exp();
    Tissue {
        echo_db: -27.0 + 12.0 * line(0.2) + 9.0 * line(0.55) + 9.0 * line(floor - 0.1),
        loss_db_per_mm: 0.1,
    }
}

/// A thin sheet along a field's zero level, `width` mm thick, seen in full where it lies flat.
fn sheet(slope: &Slope, width: f32) -> f32 {
    let gradient = slope.by_depth.hypot(slope.by_lateral).max(1e-3);
    let distance = slope.value.abs() / gradient / width;
    if distance > 3.0 {
        return 0.0;
    }
    let flat = slope.by_depth / gradient;
    (-distance * distance).exp() * (0.15 + 0.85 * flat * flat)
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(crate) fn ramp(value: f32, low: f32, high: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
