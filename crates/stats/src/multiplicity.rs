//! Several tests at once.
//!
//! Owns: Holm's correction. Does not own: the tests themselves.
//!
//! ```
//! use lobule_stats::multiplicity::holm;
//! assert_eq!(holm(&[0.01, 0.04, 0.03])?, [0.03, 0.06, 0.06]);
//! # Ok::<(), lobule_stats::Error>(())
//! ```

use crate::cases::{check_finite, check_range};
use crate::{Error, ErrorKind};

/// Holm's adjusted p-values, in the order of the arguments: comparing each with α keeps the chance
/// of any false rejection at or below α, whatever the dependence of the tests.
///
/// Formula: `p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) p₍ⱼ₎)`. Symbols: p₍ᵢ₎ the i-th smallest of
/// m p-values. Degenerate: one p-value is unchanged; equal p-values get equal adjusted ones.
/// Holm 1979, Scandinavian Journal of Statistics 6, 65–70 (no DOI; JSTOR 4615733).
///
/// ```
/// # use lobule_stats::multiplicity::holm;
/// assert_eq!(holm(&[0.5, 0.75])?, [1.0, 1.0]);
/// assert!(holm(&[1.5]).is_err());
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Empty`], [`ErrorKind::NotFinite`], [`ErrorKind::OutOfRange`] outside 0..=1.
pub fn holm(p_values: &[f64]) -> Result<Vec<f64>, Error> {
    check_p_values(p_values)?;
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, &test) in order.iter().enumerate() {
        let factor = (p_values.len() - rank) as f64;
        largest = largest.max((factor * p_values[test]).min(1.0));
        adjusted[test] = largest;
    }
    Ok(adjusted)
}

fn check_p_values(p_values: &[f64]) -> Result<(), Error> {
    if p_values.is_empty() {
        return Err(Error::new(
            ErrorKind::Empty,
            "expected at least one p-value, got none",
        ));
    }
    check_finite(p_values)?;
    check_range(p_values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_the_tests_is_kept_and_the_values_rise() {
        let adjusted = holm(&[0.2, 0.01, 0.015, 0.01]).unwrap();
        for (got, expected) in adjusted.iter().zip([0.2, 0.04, 0.04, 0.04]) {
            assert!((got - expected).abs() < 1e-15, "{adjusted:?}");
        }
    }

    #[test]
    fn what_is_no_p_value_is_refused() {
        assert_eq!(holm(&[]).unwrap_err().kind(), ErrorKind::Empty);
        assert_eq!(
            holm(&[0.1, f64::NAN]).unwrap_err().kind(),
            ErrorKind::NotFinite
        );
        assert_eq!(holm(&[-0.1]).unwrap_err().kind(), ErrorKind::OutOfRange);
    }
}
