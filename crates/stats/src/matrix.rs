//! Cholesky factors of small symmetric positive definite matrices.
//!
//! Owns: factor, solve, inverse, quadratic form and log-determinant; matrices are row-major slices.
//! Does not own: large or sparse systems, eigenvalues. A pivot that has lost all its digits stops
//! the factorization and names its column, which is how collinear columns are found.

/// A pivot below this share of its diagonal element is rounding: one minus the squared multiple
/// correlation of the column with those before it.
const LOST_DIGITS: f64 = 1e-11;

/// `A = L Lᵀ`.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    size: usize,
    /// Row-major; the upper triangle is zero.
    lower: Vec<f64>,
}

/// The first column that depends on those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Singular {
    pub(crate) column: usize,
}

impl Cholesky {
    /// Factors the matrix; only its lower triangle is read.
    pub(crate) fn new(matrix: &[f64], size: usize) -> Result<Cholesky, Singular> {
        let mut lower = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let (a, b) = (row * size, column * size);
                let inner = dot(&lower[a..a + column], &lower[b..b + column]);
                let rest = matrix[a + column] - inner;
                lower[a + column] = if row > column {
                    rest / lower[b + column]
                } else {
                    pivot(rest, matrix[a + row]).ok_or(Singular { column })?
                };
            }
        }
        Ok(Cholesky { size, lower })
    }

    /// `L⁻¹ b`.
    fn forward(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = right.to_vec();
        for row in 0..self.size {
            let start = row * self.size;
            let inner = dot(&self.lower[start..start + row], &solution[..row]);
            solution[row] = (solution[row] - inner) / self.lower[start + row];
        }
        solution
    }

    /// `A⁻¹ b`.
    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = self.forward(right);
        for row in (0..self.size).rev() {
            let later = (row + 1..self.size).map(|k| self.lower[k * self.size + row] * solution[k]);
            let inner: f64 = later.sum();
            solution[row] = (solution[row] - inner) / self.lower[row * self.size + row];
        }
        solution
    }

    /// `bᵀ A⁻¹ b`, never negative.
    pub(crate) fn quadratic_form(&self, right: &[f64]) -> f64 {
        self.forward(right).iter().map(|v| v * v).sum()
    }

    /// `A⁻¹`, row-major and exactly symmetric.
    pub(crate) fn inverse(&self) -> Vec<f64> {
        let size = self.size;
        let mut inverse = vec![0.0; size * size];
        for column in 0..size {
            let mut unit = vec![0.0; size];
            unit[column] = 1.0;
            let solution = self.solve(&unit);
            for row in column..size {
                inverse[row * size + column] = solution[row];
                inverse[column * size + row] = solution[row];
            }
        }
        inverse
    }

    /// `ln |A|`.
    #[allow(
        dead_code,
        reason = "kept for likelihoods of working correlations, whose modules come one by one"
    )]
    pub(crate) fn ln_determinant(&self) -> f64 {
        let diagonal = (0..self.size).map(|k| self.lower[k * self.size + k]);
        2.0 * diagonal.map(f64::ln).sum::<f64>()
    }
}

fn pivot(rest: f64, diagonal: f64) -> Option<f64> {
    (diagonal > 0.0 && rest > LOST_DIGITS * diagonal).then(|| rest.sqrt())
}

/// `Σ aᵢ bᵢ` over slices of one length, in as many sums as keep a processor busy.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut a, mut b) = (a.chunks_exact(8), b.chunks_exact(8));
    let mut sums = [0.0; 8];
    for (x, y) in a.by_ref().zip(b.by_ref()) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest = a.remainder().iter().zip(b.remainder());
    sums.iter().sum::<f64>() + rest.map(|(x, y)| x * y).sum::<f64>()
}

/// `M v` of a row-major matrix with as many columns as the vector has elements.
pub(crate) fn multiply(matrix: &[f64], vector: &[f64]) -> Vec<f64> {
    matrix
        .chunks_exact(vector.len())
        .map(|row| dot(row, vector))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATRIX: [f64; 9] = [4.0, 2.0, 1.0, 2.0, 5.0, 3.0, 1.0, 3.0, 6.0];
    /// A few roundings of numbers near one.
    const TOLERANCE: f64 = 1e-14;

    #[test]
    fn the_inverse_and_the_solution_undo_the_matrix() {
        let factor = Cholesky::new(&MATRIX, 3).unwrap();
        let right = [1.0, -2.0, 0.5];
        let back = multiply(&MATRIX, &factor.solve(&right));
        let other = multiply(&MATRIX, &multiply(&factor.inverse(), &right));
        for k in 0..3 {
            assert!((back[k] - right[k]).abs() < TOLERANCE);
            assert!((other[k] - right[k]).abs() < TOLERANCE);
        }
        let form = dot(&right, &factor.solve(&right));
        assert!((factor.quadratic_form(&right) - form).abs() < TOLERANCE);
    }

    #[test]
    fn the_determinant_is_that_of_the_expansion() {
        // 4 (30 − 9) − 2 (12 − 3) + 1 (6 − 5) = 67.
        let factor = Cholesky::new(&MATRIX, 3).unwrap();
        assert!((factor.ln_determinant() - 67.0_f64.ln()).abs() < TOLERANCE);
    }

    #[test]
    fn a_dependent_column_is_named() {
        let dependent = [1.0, 2.0, 0.0, 2.0, 4.0, 0.0, 0.0, 0.0, 1.0];
        assert_eq!(
            Cholesky::new(&dependent, 3).unwrap_err(),
            Singular { column: 1 }
        );
        assert_eq!(
            Cholesky::new(&[0.0], 1).unwrap_err(),
            Singular { column: 0 }
        );
        assert!(Cholesky::new(&[f64::NAN], 1).is_err());
    }
}
