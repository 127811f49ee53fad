//! What a slide shows. Plain data with sensible defaults; nothing here draws.

use serde::{Deserialize, Serialize};

/// A slide to draw. Positions are (down, across) as shares of the slide, 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlidePlan {
    /// Rows of level 0, held to 64 to 2²⁰.
    pub rows: usize,
    /// Columns of level 0, held to 64 to 2²⁰.
    pub cols: usize,
    /// Microns per pixel of level 0, held to 0.1 to 4.
    pub mpp: f64,
    /// The grade that the tumour looks like, held to 1 to 3; between whole grades it lies between
    /// their looks.
    pub grade: f64,
    /// The colours of the stains.
    pub stain: Stain,
    /// The scanner.
    pub scanner: Scanner,
    /// Places out of focus.
    pub blurs: Vec<BlurPatch>,
    /// Standard deviation of the point spread in these, in µm. Held to 0 to 20.
    pub defocus_um: f32,
    /// Strokes of a pen on the cover glass.
    pub pens: Vec<PenStroke>,
    /// Folds of the section.
    pub folds: Vec<Fold>,
}

impl Default for SlidePlan {
    /// 4096 × 4096 pixels at 20×, grade 2, without artefacts.
    fn default() -> SlidePlan {
        SlidePlan {
            rows: 4096,
            cols: 4096,
            mpp: 0.5,
            grade: 2.0,
            stain: Stain::COMMON,
            scanner: Scanner::NEUTRAL,
            blurs: Vec::new(),
            defocus_um: 3.0,
            pens: Vec::new(),
            folds: Vec::new(),
        }
    }
}

/// Two stains after Beer and Lambert: light of a channel falls by `exp(−Σ vector · amount)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stain {
    /// Absorption of haematoxylin in red, green and blue; of length 1.
    pub hematoxylin: [f32; 3],
    /// Absorption of eosin in red, green and blue; of length 1.
    pub eosin: [f32; 3],
    /// Strength of both, 1 as usual.
    pub strength: [f32; 2],
}

impl Stain {
    /// The vectors of Ruifrok and Johnston (Anal Quant Cytol Histol 2001;23:291).
    pub const COMMON: Stain = Stain {
        hematoxylin: [0.650, 0.704, 0.286],
        eosin: [0.0925, 0.954, 0.283],
        strength: [1.0, 1.0],
    };
    /// A bluer haematoxylin and an eosin that also takes red light: violet slides.
    pub const VIOLET: Stain = Stain {
        hematoxylin: [0.770, 0.590, 0.245],
        eosin: [0.216, 0.801, 0.558],
        strength: [1.1, 0.85],
    };
    /// Weak haematoxylin, strong eosin: pink slides.
    pub const PINK: Stain = Stain {
        hematoxylin: [0.563, 0.720, 0.406],
        eosin: [0.055, 0.990, 0.130],
        strength: [0.85, 1.25],
    };
}

/// What a scanner makes of the light.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scanner {
    /// Share of full scale that glass reaches, 0 to 1.
    pub brightness: f32,
    /// Red, green, blue of the picture from those of the light.
    pub color_matrix: [[f32; 3]; 3],
    /// Standard deviation of the point spread, in µm; 0 is perfectly sharp. Held to 0 to 5.
    pub softness_um: f32,
}

impl Scanner {
    /// No colour of its own.
    pub const NEUTRAL: Scanner = Scanner {
        brightness: 0.957,
        color_matrix: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        softness_um: 0.35,
    };
    /// Warm colours, more saturated.
    pub const WARM: Scanner = Scanner {
        brightness: 0.93,
        color_matrix: [
            [1.06, -0.04, 0.0],
            [-0.03, 1.07, -0.04],
            [-0.02, -0.06, 1.06],
        ],
        softness_um: 0.45,
    };
    /// Cool, pale colours, less sharp.
    pub const COOL: Scanner = Scanner {
        brightness: 0.94,
        color_matrix: [[0.92, 0.05, 0.02], [0.03, 0.94, 0.03], [0.0, 0.03, 0.98]],
        softness_um: 0.6,
    };
}

/// A disc that is out of focus, with a soft edge.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BlurPatch {
    /// Its middle.
    pub center: [f64; 2],
    /// Its radius, in µm; the outer quarter is mixed with what is in focus.
    pub radius_um: f32,
}

/// A stroke of a pen along straight lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PenStroke {
    /// Its corners, in order.
    pub points: Vec<[f64; 2]>,
    /// Its width, in µm.
    pub width_um: f32,
    /// The ink on white glass.
    pub color: [u8; 3],
}

/// A band in which the section lies over itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fold {
    /// One end.
    pub from: [f64; 2],
    /// The other end.
    pub to: [f64; 2],
    /// Its width, in µm.
    pub width_um: f32,
}

/// What follows the grade; measures in µm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    /// Share of the glands that have a lumen.
    pub(super) tubules: f32,
    /// Mean diameter of nuclei.
    pub(super) nucleus_um: f32,
    /// Standard deviation of the logarithm of their diameter.
    pub(super) size_variation: f32,
    /// Distance of nuclei.
    pub(super) pitch_um: f32,
    /// Share of nuclei in mitosis.
    pub(super) mitoses: f32,
    /// Waviness of the nuclear outline, as a share of the radius.
    pub(super) waviness: f32,
    /// Standard deviation of the nuclear density.
    pub(super) darkness_variation: f32,
    /// Share of nuclei with a nucleolus.
    pub(super) nucleoli: f32,
    /// Haematoxylin in the cytoplasm.
    pub(super) basophilia: f32,
}

/// Grades 1, 2 and 3. The orders are those of the Nottingham system (Elston and Ellis, Histopathology
/// 1991;19:403, doi 10.1111/j.1365-2559.1991.tb00229.x); sizes were chosen by eye, mitoses are about
/// five times as many as in patients, so that a small slide has some.
const LOOKS: [Look; 3] = [
    Look {
        tubules: 0.90,
        nucleus_um: 6.4,
        size_variation: 0.07,
        pitch_um: 11.0,
        mitoses: 0.0008,
        waviness: 0.03,
        darkness_variation: 0.06,
        nucleoli: 0.02,
        basophilia: 0.10,
    },
    Look {
        tubules: 0.42,
        nucleus_um: 7.3,
        size_variation: 0.14,
        pitch_um: 10.4,
        mitoses: 0.004,
        waviness: 0.07,
        darkness_variation: 0.12,
        nucleoli: 0.25,
        basophilia: 0.15,
    },
    Look {
        tubules: 0.04,
        nucleus_um: 8.3,
        size_variation: 0.25,
        pitch_um: 10.0,
        mitoses: 0.013,
        waviness: 0.14,
        darkness_variation: 0.22,
        nucleoli: 0.6,
        basophilia: 0.21,
    },
];

impl Look {
    /// Of a grade held to 1 to 3.
    pub(super) fn of(grade: f64) -> Look {
        let above = (grade - 1.0) as f32;
        let (low, high) = match above {
            above if above < 1.0 => (&LOOKS[0], &LOOKS[1]),
            _ => (&LOOKS[1], &LOOKS[2]),
        };
        let t = if above < 1.0 { above } else { above - 1.0 };
        let mix = |value: fn(&Look) -> f32| value(low) + t * (value(high) - value(low));
        Look {
            tubules: mix(|l| l.tubules),
            nucleus_um: mix(|l| l.nucleus_um),
            size_variation: mix(|l| l.size_variation),
            pitch_um: mix(|l| l.pitch_um),
            mitoses: mix(|l| l.mitoses),
            waviness: mix(|l| l.waviness),
            darkness_variation: mix(|l| l.darkness_variation),
            nucleoli: mix(|l| l.nucleoli),
            basophilia: mix(|l| l.basophilia),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_lie_between_those_of_the_grades() {
        for (grade, look) in [1.0, 2.0, 3.0].map(Look::of).iter().zip(&LOOKS) {
            assert!((grade.tubules - look.tubules).abs() < 1e-6);
            assert!((grade.nucleus_um - look.nucleus_um).abs() < 1e-5);
        }
        let between = Look::of(2.5);
        assert!((between.tubules - 0.23).abs() < 1e-6);
        assert!(between.size_variation > LOOKS[1].size_variation);
    }

    #[test]
    fn stain_vectors_have_length_one() {
        for stain in [Stain::COMMON, Stain::VIOLET, Stain::PINK] {
            for vector in [stain.hematoxylin, stain.eosin] {
                let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
                assert!((length - 1.0).abs() < 0.02, "{vector:?} {length}");
            }
        }
    }
}
