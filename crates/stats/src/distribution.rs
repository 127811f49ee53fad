//! Quantiles and tails of the normal, Student and beta distributions.
//!
//! Owns: the few functions that intervals and tests need, accurate for the large counts of
//! screening studies. Does not own: error functions and ln Γ, which `statrs` provides.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::{
    erf::{erfc, erfc_inv},
    gamma::ln_gamma,
};

/// Steps of the continued fraction; it needs about √max(a, b), so this covers 10⁸ cases.
const MAX_FRACTION_STEPS: u32 = 20_000;
/// Steps to a quantile of Student's distribution: six where the degrees of freedom are many, a
/// hundred for a hundredth of one.
const MAX_NEWTON_STEPS: u32 = 200;
/// Digits double with each step, so after one as small, relatively, nothing is left to gain.
const LAST_STEP: f64 = 1e-9;
/// Halvings of 0..=1 when a quantile is sought: past the resolution of f64 for all but 0.
const MAX_HALVINGS: u32 = 200;

/// Φ⁻¹(p): −∞ at 0 and +∞ at 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * p)
}

/// Φ(z).
pub(crate) fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z / SQRT_2)
}

/// P(|Z| ≥ |z|) of the standard normal distribution.
pub(crate) fn two_sided_normal(z: f64) -> f64 {
    erfc(z.abs() / SQRT_2)
}

/// P(|T| ≥ |t|) of Student's distribution: I_{ν/(ν+t²)}(ν/2, 1/2).
pub(crate) fn two_sided_student(t: f64, degrees_of_freedom: f64) -> f64 {
    let (half, sum) = (degrees_of_freedom / 2.0, degrees_of_freedom + t * t);
    // Near 0 the other tail, whose argument keeps its digits.
    let rest = t * t / sum;
    if rest < 1.5 / (half + 2.5) {
        1.0 - beta_cdf(rest, 0.5, half)
    } else {
        beta_cdf(degrees_of_freedom / sum, half, 0.5)
    }
}

/// The t with P(|T| ≥ t) = p, by Newton's method. From below, as from the normal quantile, steps only
/// rise, since the tail is convex. Many degrees of freedom start nearer, from two terms of the
/// expansion in 1/ν (Fisher & Cornish 1960, doi:10.1080/00401706.1960.10489895).
pub(crate) fn two_sided_student_quantile(p: f64, degrees_of_freedom: f64) -> f64 {
    let half = degrees_of_freedom / 2.0;
    let ln_peak = ln_gamma(half + 0.5) - ln_gamma(half) - 0.5 * (degrees_of_freedom * PI).ln();
    let z = -normal_quantile(p / 2.0);
    let mut t = z;
    if degrees_of_freedom > 4.0 {
        let (first, second) = (z * z + 1.0, z * z * (5.0 * z * z + 16.0) + 3.0);
        t += z * (first / 4.0 + second / (96.0 * degrees_of_freedom)) / degrees_of_freedom;
    }
    for _ in 0..MAX_NEWTON_STEPS {
        let ln_density = ln_peak - (half + 0.5) * (t * t / degrees_of_freedom).ln_1p();
        let step = (two_sided_student(t, degrees_of_freedom) - p) / (2.0 * ln_density.exp());
        if !step.is_finite() {
            break;
        }
        t += step;
        if step.abs() <= LAST_STEP * t {
            break;
        }
    }
    t
}

/// The regularized incomplete beta function I_x(a, b), a and b above 0 (DLMF 8.17.22).
pub(crate) fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast below the mean, so the other tail is taken above it.
    if x < (a + 1.0) / (a + b + 2.0) {
        lower_tail(x, a, b)
    } else {
        1.0 - lower_tail(1.0 - x, b, a)
    }
}

fn lower_tail(x: f64, a: f64, b: f64) -> f64 {
    let ln_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    ln_front.exp() / (a * beta_fraction(x, a, b))
}

/// 1 + d₁/(1 + d₂/(1 + …)) by Lentz's method (Thompson & Barnett 1986,
/// doi:10.1016/0021-9991(86)90046-X).
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    let away_from_zero = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let (mut value, mut c, mut d) = (1.0, 1.0, 0.0);
    for step in 1..=MAX_FRACTION_STEPS {
        let numerator = beta_fraction_numerator(step, x, a, b);
        d = 1.0 / away_from_zero(1.0 + numerator * d);
        c = away_from_zero(1.0 + numerator / c);
        value *= c * d;
        if (c * d - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

fn beta_fraction_numerator(step: u32, x: f64, a: f64, b: f64) -> f64 {
    let m = f64::from(step / 2);
    let at = a + 2.0 * m;
    if step.is_multiple_of(2) {
        m * (b - m) * x / ((at - 1.0) * at)
    } else {
        -(a + m) * (a + b + m) * x / (at * (at + 1.0))
    }
}

/// The x with I_x(a, b) = p, by halving: slow beside Newton's method, and never lost.
pub(crate) fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..MAX_HALVINGS {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if beta_cdf(middle, a, b) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two roundings of a transcendental function apart.
    const TOLERANCE: f64 = 1e-12;
    /// The relative error of `statrs`' erfc is below 1e-10.
    const ERFC_TOLERANCE: f64 = 1e-10;

    #[test]
    fn closed_forms_of_the_beta_distribution_are_met() {
        // I_x(a, 1) = xᵃ, I_x(1, b) = 1 − (1 − x)ᵇ, I_½(a, a) = ½, arcsine law.
        let arcsine = |x: f64| 2.0 / PI * x.sqrt().asin();
        let cases = [
            (beta_cdf(0.3, 4.0, 1.0), 0.3_f64.powi(4)),
            (beta_cdf(0.3, 1.0, 4.0), 1.0 - 0.7_f64.powi(4)),
            (beta_cdf(0.5, 7.5, 7.5), 0.5),
            (beta_cdf(0.2, 0.5, 0.5), arcsine(0.2)),
            (beta_cdf(0.9, 0.5, 0.5), arcsine(0.9)),
            (beta_cdf(-1.0, 2.0, 2.0), 0.0),
            (beta_cdf(2.0, 2.0, 2.0), 1.0),
        ];
        for (got, expected) in cases {
            assert!((got - expected).abs() < TOLERANCE, "{got} {expected}");
        }
    }

    #[test]
    fn a_half_is_the_median_of_large_symmetric_betas() {
        for a in [3e3, 3e5, 3e7] {
            let got = beta_cdf(0.5, a, a);
            assert!((got - 0.5).abs() < 1e-7, "{a}: {got}");
        }
    }

    #[test]
    fn quantiles_undo_the_distribution() {
        for (p, a, b) in [
            (0.025, 3.0, 9.0),
            (0.975, 0.5, 80.0),
            (0.5, 900.0, 40_000.0),
        ] {
            let back = beta_cdf(beta_quantile(p, a, b), a, b);
            assert!((back - p).abs() < 1e-9, "{p} {a} {b}: {back}");
        }
        assert!((normal_cdf(normal_quantile(0.975)) - 0.975).abs() < ERFC_TOLERANCE);
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < TOLERANCE);
    }

    #[test]
    fn student_with_one_and_two_degrees_of_freedom_has_closed_forms() {
        let cauchy = |t: f64| 1.0 - 2.0 * t.atan() / PI;
        let two = |t: f64| 1.0 - t / (2.0 + t * t).sqrt();
        for t in [0.1, 1.0, 4.0] {
            assert!((two_sided_student(t, 1.0) - cauchy(t)).abs() < TOLERANCE);
            assert!((two_sided_student(-t, 2.0) - two(t)).abs() < TOLERANCE);
            let back = two_sided_student_quantile(two(t), 2.0);
            assert!((back - t).abs() < 1e-10, "{t}: {back}");
        }
        for (df, p) in [0.5, 1.0, 4.5, 17.7, 1e3, 1e6]
            .iter()
            .flat_map(|df| [1e-12, 1e-3, 0.05, 0.5, 0.999].map(|p| (*df, p)))
        {
            let back = two_sided_student(two_sided_student_quantile(p, df), df);
            assert!((back / p - 1.0).abs() < 1e-8, "{df} {p}: {back}");
        }
    }
}
