//! Physical size of a pixel.

use std::fmt;

/// Millimetres per pixel. Both values are finite and above zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spacing {
    row_mm: f64,
    col_mm: f64,
}

/// A spacing that is not finite and positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InvalidSpacing {
    row_mm: f64,
    col_mm: f64,
}

impl fmt::Display for InvalidSpacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected a finite spacing above 0 mm, got {} mm per row and {} mm per column",
            self.row_mm, self.col_mm
        )
    }
}

impl std::error::Error for InvalidSpacing {}

impl Spacing {
    /// Spacing between the centres of neighbouring rows and columns.
    ///
    /// # Errors
    /// When a value is not finite or not above zero.
    pub fn new(row_mm: f64, col_mm: f64) -> Result<Spacing, InvalidSpacing> {
        let valid = |mm: f64| mm.is_finite() && mm > 0.0;
        if valid(row_mm) && valid(col_mm) {
            Ok(Spacing { row_mm, col_mm })
        } else {
            Err(InvalidSpacing { row_mm, col_mm })
        }
    }

    /// Millimetres from one row to the next.
    pub fn row_mm(self) -> f64 {
        self.row_mm
    }

    /// Millimetres from one column to the next.
    pub fn col_mm(self) -> f64 {
        self.col_mm
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_positive_spacings_exist() {
        assert!(Spacing::new(0.1, 0.2).is_ok());
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Spacing::new(bad, 0.1).is_err());
            assert!(Spacing::new(0.1, bad).is_err());
        }
    }
}
