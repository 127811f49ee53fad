//! What makes a statistic impossible.

/// A statistic that the data or the arguments do not allow. [`Error::kind`] tells programs, the
/// text tells people.
///
/// ```
/// use lobule_stats::{ErrorKind, roc::Roc};
/// let error = Roc::new(&[0.2, f64::NAN], &[true, false]).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotFinite);
/// assert_eq!(error.to_string(), "expected finite scores, got NaN for case 1");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// The kinds of [`Error`].
///
/// ```
/// use lobule_stats::{ErrorKind, roc::Roc};
/// assert_eq!(Roc::new(&[], &[]).unwrap_err().kind(), ErrorKind::Empty);
/// assert_eq!(Roc::new(&[0.5], &[true]).unwrap_err().kind(), ErrorKind::SingleClass);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No cases at all.
    Empty,
    /// Slices that describe the same cases differ in length, or in truth where they must not.
    Mismatch,
    /// A score is NaN or infinite.
    NotFinite,
    /// All cases are positive, or all are negative.
    SingleClass,
    /// An argument lies outside its range.
    OutOfRange,
    /// Too few cases or clusters for a variance.
    TooFew,
    /// The variance is zero, so that no interval or test can be built on it.
    ZeroVariance,
    /// The likelihood has no finite maximum, or the iteration did not find it.
    NoFit,
    /// The fit would turn the order of the scores around.
    NotIncreasing,
    /// A resampled statistic is undefined too often.
    Undefined,
    /// The same thing is given twice, and it is not known which to believe.
    Duplicate,
    /// The method does not allow this design: missing cells, nesting or an endpoint it lacks.
    Design,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
        }
    }

    /// The kind of error.
    ///
    /// ```
    /// use lobule_stats::{Confidence, ErrorKind};
    /// assert_eq!(Confidence::new(1.5).unwrap_err().kind(), ErrorKind::OutOfRange);
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}
