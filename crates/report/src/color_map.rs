//! The color scale of heat maps.

/// Color of a value in 0..=1: a path through OKLCh with **linearly rising lightness** (0.30 to
/// 0.93) from violet over red and orange to pale yellow, so that equal steps look equal and the
/// order survives in grey and for color-blind eyes. Values outside are clamped; NaN is 0.
///
/// Björn Ottosson, "A perceptual color space for image processing" (2020).
pub fn heat_color(value: f64) -> [u8; 3] {
    let v = if value.is_nan() {
        0.0
    } else {
        value.clamp(0.0, 1.0)
    };
    let lightness = 0.30 + 0.63 * v;
    let hue = (305.0 + 160.0 * v).to_radians();
    let chroma = 0.13 + 0.06 * (std::f64::consts::PI * v).sin();
    let linear = linear_from_oklab([lightness, chroma * hue.cos(), chroma * hue.sin()]);
    linear.map(encode)
}

/// OKLab to linear sRGB.
fn linear_from_oklab([l, a, b]: [f64; 3]) -> [f64; 3] {
    let cube = |x: f64| x * x * x;
    let long = cube(l + 0.396_337_777_4 * a + 0.215_803_757_3 * b);
    let medium = cube(l - 0.105_561_345_8 * a - 0.063_854_172_8 * b);
    let short = cube(l - 0.089_484_177_5 * a - 1.291_485_548_0 * b);
    [
        4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
        -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
        -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short,
    ]
}

/// Linear sRGB to an 8-bit value; what lies outside the gamut is clamped.
fn encode(linear: f64) -> u8 {
    let v = linear.clamp(0.0, 1.0);
    let curved = if v <= 0.003_130_8 {
        12.92 * v
    } else {
        1.055 * v.powf(1.0 / 2.4) - 0.055
    };
    (curved * 255.0).round() as u8
}

/// How strongly the scale covers the picture below it, in 0..=1: nothing under 0.05, then a
/// smooth rise to full at 0.5, so that faint saliency does not veil the sonogram.
pub(crate) fn heat_cover(value: f64) -> f64 {
    let t = ((value - 0.05) / 0.45).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brightness_rises_all_the_way() {
        let luma = |[r, g, b]: [u8; 3]| {
            0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b)
        };
        let steps: Vec<f64> = (0..=50)
            .map(|i| luma(heat_color(f64::from(i) / 50.0)))
            .collect();
        assert!(steps.windows(2).all(|w| w[1] > w[0]), "{steps:?}");
        assert_eq!(heat_color(f64::NAN), heat_color(-3.0));
        assert_eq!(heat_color(7.0), heat_color(1.0));
    }
}
