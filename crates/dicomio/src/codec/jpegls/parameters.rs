//! Coding parameters of a JPEG-LS scan and what follows from them (T.87 C.2.4.1.1, A.4, A.5).

use super::stream::Preset;

pub(super) struct Parameters {
    pub(super) maxval: i64,
    pub(super) near: i64,
    pub(super) t: [i64; 3],
    pub(super) reset: i64,
    pub(super) range: i64,
    pub(super) qbpp: u32,
    pub(super) limit: u32,
}

impl Parameters {
    pub(super) fn new(precision: u32, near: i64, preset: Preset) -> Option<Parameters> {
        let most = (1 << precision) - 1;
        let maxval = match preset.maxval {
            0 => most,
            maxval => maxval,
        };
        if maxval > most || near > 255.min(maxval / 2) {
            return None;
        }
        let mut t = default_thresholds(maxval, near);
        for (own, given) in t.iter_mut().zip(preset.t) {
            if given != 0 {
                *own = given;
            }
        }
        let range = (maxval + 2 * near) / (2 * near + 1) + 1;
        let bits_of = |n: i64| 64 - (n - 1).leading_zeros();
        let bpp = bits_of(maxval + 1).max(2);
        Some(Parameters {
            maxval,
            near,
            t,
            reset: match preset.reset {
                0 => 64,
                reset => reset.max(3),
            },
            range,
            qbpp: bits_of(range),
            limit: 2 * (bpp + bpp.max(8)),
        })
    }

    pub(super) fn quantize(&self, d: i64) -> i64 {
        let size = match d.abs() {
            size if size <= self.near => 0,
            size if size < self.t[0] => 1,
            size if size < self.t[1] => 2,
            size if size < self.t[2] => 3,
            _ => 4,
        };
        size * d.signum()
    }

    /// A prediction plus a decoded error, brought back into the range.
    pub(super) fn reconstruct(&self, predicted: i64, error: i64) -> i64 {
        let step = 2 * self.near + 1;
        let mut value = predicted + error * step;
        if value < -self.near {
            value += self.range * step;
        } else if value > self.maxval + self.near {
            value -= self.range * step;
        }
        value.clamp(0, self.maxval)
    }
}

fn default_thresholds(maxval: i64, near: i64) -> [i64; 3] {
    let clamp = |value: i64, least: i64| match value > maxval || value < least {
        true => least,
        false => value,
    };
    let basic = match maxval >= 128 {
        true => {
            let factor = (maxval.min(4095) + 128) / 256;
            [factor + 2, factor * 4 + 3, factor * 17 + 4]
        }
        false => {
            let factor = 256 / (maxval + 1);
            [
                (3 / factor).max(2),
                (7 / factor).max(3),
                (21 / factor).max(4),
            ]
        }
    };
    let t1 = clamp(basic[0] + 3 * near, near + 1);
    let t2 = clamp(basic[1] + 5 * near, t1);
    [t1, t2, clamp(basic[2] + 7 * near, t2)]
}
