//! What goes into a graph and what comes out.

use crate::{Error, ErrorKind};

/// A row-major array of f32 that owns its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Extent of each axis.
    pub shape: Vec<usize>,
    /// As many values as the product of the extents.
    pub data: Vec<f32>,
}

/// A row-major array of f32 that borrows its values.
#[derive(Debug, Clone, Copy)]
pub struct TensorView<'a> {
    /// Extent of each axis.
    pub shape: &'a [usize],
    /// As many values as the product of the extents.
    pub data: &'a [f32],
}

impl TensorView<'_> {
    /// Refuses empty arrays, arrays whose length is not the shape's, and values that are not
    /// finite.
    pub(crate) fn check(&self, name: &str) -> Result<(), Error> {
        let wrong = |message: String| Err(Error::new(ErrorKind::Input, message));
        let size = self
            .shape
            .iter()
            .try_fold(1_usize, |n, &d| n.checked_mul(d));
        if size.is_none_or(|n| n == 0 || n != self.data.len()) {
            let (shape, len) = (self.shape, self.data.len());
            return wrong(format!(
                "expected values for shape {shape:?} of `{name}`, got {len}"
            ));
        }
        if !self.data.iter().all(|v| v.is_finite()) {
            return wrong(format!(
                "expected finite values in `{name}`, got NaN or infinity"
            ));
        }
        Ok(())
    }
}

/// The named results of one run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outputs {
    tensors: Vec<(String, Tensor)>,
}

impl Outputs {
    /// Results in the graph's order.
    pub fn new(tensors: Vec<(String, Tensor)>) -> Outputs {
        Outputs { tensors }
    }

    /// Takes a result out; `shape` states the extents that are known (`None` for any).
    ///
    /// # Errors
    /// When there is no such result, its shape is another, or a value is not finite.
    pub fn take(&mut self, name: &str, shape: &[Option<usize>]) -> Result<Tensor, Error> {
        let wrong = |message: String| Error::new(ErrorKind::Output, message);
        let at = self.tensors.iter().position(|(n, _)| n == name);
        let at = at.ok_or_else(|| wrong(format!("expected an output `{name}`, got none")))?;
        let (_, tensor) = self.tensors.swap_remove(at);
        if !fits(&tensor.shape, shape) {
            let got = &tensor.shape;
            return Err(wrong(format!(
                "expected shape {shape:?} of `{name}`, got {got:?}"
            )));
        }
        if !tensor.data.iter().all(|v| v.is_finite()) {
            return Err(wrong(format!(
                "expected finite values in `{name}`, got others"
            )));
        }
        Ok(tensor)
    }

    /// All results.
    pub fn tensors(&self) -> &[(String, Tensor)] {
        &self.tensors
    }
}

fn fits(got: &[usize], expected: &[Option<usize>]) -> bool {
    let same = |(g, e): (&usize, &Option<usize>)| e.is_none_or(|e| e == *g);
    got.len() == expected.len() && got.iter().zip(expected).all(same)
}

/// Largest absolute difference between two runs' results of the same names.
///
/// # Errors
/// When names or shapes differ, or a value is not finite.
pub fn largest_difference(a: &Outputs, b: &Outputs) -> Result<f64, Error> {
    if a.tensors.len() != b.tensors.len() {
        let message = "expected the same outputs from both runs, got others";
        return Err(Error::new(ErrorKind::Output, message));
    }
    let (mut a, mut b) = (a.clone(), b.clone());
    let names: Vec<String> = a.tensors.iter().map(|(name, _)| name.clone()).collect();
    let mut largest: f64 = 0.0;
    for name in names {
        let shape: Vec<Option<usize>> = shape_of(&a, &name).into_iter().map(Some).collect();
        let (left, right) = (a.take(&name, &shape)?, b.take(&name, &shape)?);
        for (l, r) in left.data.iter().zip(&right.data) {
            largest = largest.max((f64::from(*l) - f64::from(*r)).abs());
        }
    }
    Ok(largest)
}

fn shape_of(outputs: &Outputs, name: &str) -> Vec<usize> {
    let found = outputs.tensors.iter().find(|(n, _)| n == name);
    found.map(|(_, t)| t.shape.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(name: &str, shape: &[usize], data: &[f32]) -> Outputs {
        let tensor = Tensor {
            shape: shape.to_vec(),
            data: data.to_vec(),
        };
        Outputs::new(vec![(name.into(), tensor)])
    }

    #[test]
    fn inputs_are_checked_at_the_door() {
        let cases: [(&[usize], &[f32], bool); 6] = [
            (&[1, 2], &[1.0, 2.0], true),
            (&[2], &[1.0], false),
            (&[0, 2], &[], false),
            (&[usize::MAX, 2], &[1.0, 2.0], false),
            (&[1], &[f32::NAN], false),
            (&[1], &[f32::INFINITY], false),
        ];
        for (shape, data, fine) in cases {
            let view = TensorView { shape, data };
            assert_eq!(view.check("x").is_ok(), fine, "{shape:?} {data:?}");
        }
    }

    #[test]
    fn outputs_are_taken_by_name_shape_and_finiteness() {
        let made = || outputs("y", &[1, 2], &[0.5, 0.25]);
        assert!(made().take("y", &[None, Some(2)]).is_ok());
        assert!(made().take("y", &[None]).is_err());
        assert!(made().take("y", &[None, Some(3)]).is_err());
        assert!(made().take("z", &[None, None]).is_err());
        let broken = outputs("y", &[1], &[f32::NAN]).take("y", &[None]);
        assert_eq!(broken.unwrap_err().kind(), ErrorKind::Output);
    }

    #[test]
    fn differences_need_equal_names_and_shapes() {
        let a = outputs("y", &[2], &[0.5, 0.25]);
        let close = outputs("y", &[2], &[0.5, 0.75]);
        assert_eq!(largest_difference(&a, &close), Ok(0.5));
        assert!(largest_difference(&a, &outputs("y", &[1, 2], &[0.5, 0.25])).is_err());
        assert!(largest_difference(&a, &outputs("z", &[2], &[0.5, 0.25])).is_err());
        assert!(largest_difference(&a, &Outputs::default()).is_err());
    }
}
