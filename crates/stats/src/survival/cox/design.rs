//! Covariates, and the order in which Cox's likelihood reads them.

use std::ops::Range;

use crate::survival::follow_up::{FollowUp, Labels};
use crate::{Error, ErrorKind};

/// A column whose standard deviation is this share of its largest value is constant but for
/// rounding.
const CONSTANT: f64 = 1e-12;

/// The covariates of each subject: one row per subject, one column per covariate. Categories are
/// columns of 0 and 1, one fewer than there are categories.
///
/// ```
/// use lobule_stats::survival::Covariates;
/// let covariates = Covariates::from_columns(&[&[50.0, 61.0, 47.0], &[0.0, 1.0, 1.0]])?;
/// assert_eq!((covariates.n_subjects(), covariates.n_columns()), (3, 2));
/// assert_eq!(covariates.row(1), [61.0, 1.0]);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Covariates {
    n_columns: usize,
    /// Row-major.
    values: Vec<f64>,
}

impl Covariates {
    /// One slice per covariate, each with one value per subject.
    ///
    /// ```
    /// # use lobule_stats::survival::Covariates;
    /// assert!(Covariates::from_columns(&[&[1.0, 2.0], &[1.0]]).is_err());
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`], [`ErrorKind::NotFinite`].
    pub fn from_columns(columns: &[&[f64]]) -> Result<Covariates, Error> {
        let n_subjects = columns.first().map_or(0, |column| column.len());
        if let Some(other) = columns.iter().find(|column| column.len() != n_subjects) {
            return Err(Error::new(
                ErrorKind::Mismatch,
                format!(
                    "expected columns of one length ({n_subjects}), got {}",
                    other.len()
                ),
            ));
        }
        let row = |i: usize| columns.iter().map(move |column| column[i]);
        let values = (0..n_subjects).flat_map(row).collect();
        Covariates::from_rows(values, columns.len())
    }

    /// The values of the first subject, then those of the second, and so on.
    ///
    /// ```
    /// # use lobule_stats::survival::Covariates;
    /// let covariates = Covariates::from_rows(vec![50.0, 0.0, 61.0, 1.0], 2)?;
    /// assert_eq!(covariates.row(0), [50.0, 0.0]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Covariates::from_columns`].
    pub fn from_rows(values: Vec<f64>, n_columns: usize) -> Result<Covariates, Error> {
        if n_columns == 0 || values.is_empty() {
            return Err(Error::new(
                ErrorKind::Empty,
                "expected at least one subject and one column, got none",
            ));
        }
        if !values.len().is_multiple_of(n_columns) {
            return Err(Error::new(
                ErrorKind::Mismatch,
                format!(
                    "expected rows of {n_columns} values, got {} values",
                    values.len()
                ),
            ));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::new(
                ErrorKind::NotFinite,
                format!(
                    "expected finite covariates, got {} for subject {} in column {}",
                    values[at],
                    at / n_columns,
                    at % n_columns
                ),
            ));
        }
        Ok(Covariates { n_columns, values })
    }

    /// Rows.
    ///
    /// ```
    /// # use lobule_stats::survival::Covariates;
    /// assert_eq!(Covariates::from_columns(&[&[1.0, 2.0]])?.n_subjects(), 2);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_subjects(&self) -> usize {
        self.values.len() / self.n_columns
    }

    /// Columns.
    ///
    /// ```
    /// # use lobule_stats::survival::Covariates;
    /// assert_eq!(Covariates::from_columns(&[&[1.0, 2.0]])?.n_columns(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The covariates of one subject.
    ///
    /// ```
    /// # use lobule_stats::survival::Covariates;
    /// assert_eq!(Covariates::from_columns(&[&[1.0, 2.0]])?.row(1), [2.0]);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Panics
    /// When there is no such subject.
    pub fn row(&self, subject: usize) -> &[f64] {
        &self.values[subject * self.n_columns..][..self.n_columns]
    }

    /// Mean and standard deviation of each column; 0 for a column that does not vary.
    pub(in crate::survival) fn moments(&self) -> (Vec<f64>, Vec<f64>) {
        let n = self.n_subjects() as f64;
        let rows = || self.values.chunks_exact(self.n_columns);
        let mut means = vec![0.0; self.n_columns];
        for row in rows() {
            add_scaled(&mut means, 1.0 / n, row);
        }
        let mut spreads = vec![0.0; self.n_columns];
        let mut largest = vec![0.0_f64; self.n_columns];
        for row in rows() {
            for (k, value) in row.iter().enumerate() {
                spreads[k] += (value - means[k]).powi(2) / n;
                largest[k] = largest[k].max(value.abs());
            }
        }
        for (spread, largest) in spreads.iter_mut().zip(largest) {
            let deviation = spread.sqrt();
            *spread = if deviation > CONSTANT * largest {
                deviation
            } else {
                0.0
            };
        }
        (means, spreads)
    }
}

/// `sum += factor · row`.
pub(in crate::survival) fn add_scaled(sum: &mut [f64], factor: f64, row: &[f64]) {
    for (total, value) in sum.iter_mut().zip(row) {
        *total += factor * value;
    }
}

/// `sum += factor · row rowᵀ`, lower triangle.
pub(in crate::survival) fn add_outer(sum: &mut [f64], factor: f64, row: &[f64]) {
    for (k, (line, value)) in sum.chunks_exact_mut(row.len()).zip(row).enumerate() {
        add_scaled(&mut line[..=k], factor * value, &row[..=k]);
    }
}

/// The subjects by stratum, then by falling time, events first among equal times: risk sets grow
/// from the front of each stratum.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Design {
    pub(super) n_columns: usize,
    /// The subject of each row.
    pub(super) subjects: Vec<usize>,
    /// Standardized covariates, row by row.
    pub(super) values: Vec<f64>,
    pub(super) means: Vec<f64>,
    /// Standard deviations; 1 for a column that does not vary.
    pub(super) scales: Vec<f64>,
    pub(super) strata: Vec<Stratum>,
}

/// Rows of one stratum.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stratum {
    pub(super) label: usize,
    /// By falling time.
    pub(super) blocks: Vec<Block>,
}

/// Rows of one time, events first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    pub(super) time: f64,
    pub(super) start: usize,
    pub(super) events_end: usize,
    pub(super) end: usize,
}

impl Block {
    pub(super) fn rows(&self) -> Range<usize> {
        self.start..self.end
    }

    pub(super) fn events(&self) -> Range<usize> {
        self.start..self.events_end
    }

    pub(super) fn censored(&self) -> Range<usize> {
        self.events_end..self.end
    }

    pub(super) fn n_events(&self) -> usize {
        self.events_end - self.start
    }
}

impl Design {
    pub(super) fn new(follow_up: &FollowUp, covariates: &Covariates, strata: &Labels) -> Design {
        let (times, events) = (follow_up.times(), follow_up.events());
        let key = |i: usize| (strata.ranks[i], times[i], !events[i], i);
        let mut keys: Vec<_> = (0..times.len()).map(key).collect();
        keys.sort_unstable_by(|a, b| {
            let by_time = b.1.total_cmp(&a.1);
            a.0.cmp(&b.0)
                .then(by_time)
                .then((a.2, a.3).cmp(&(b.2, b.3)))
        });
        let subjects: Vec<usize> = keys.iter().map(|key| key.3).collect();
        let (means, spreads) = covariates.moments();
        let inverse: Vec<f64> = spreads
            .iter()
            .map(|&s| if s > 0.0 { 1.0 / s } else { 0.0 })
            .collect();
        let mut values = Vec::with_capacity(covariates.values.len());
        for &i in &subjects {
            let row = covariates.row(i).iter().zip(&means).zip(&inverse);
            values.extend(row.map(|((value, mean), inverse)| (value - mean) * inverse));
        }
        Design {
            n_columns: covariates.n_columns,
            strata: cut(&subjects, follow_up, strata),
            subjects,
            values,
            means,
            scales: spreads
                .iter()
                .map(|&s| if s > 0.0 { s } else { 1.0 })
                .collect(),
        }
    }

    pub(super) fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.n_columns..][..self.n_columns]
    }

    /// The blocks with an event, of one stratum after the other.
    pub(super) fn event_blocks(&self) -> impl Iterator<Item = &Block> {
        let blocks = self.strata.iter().flat_map(|stratum| &stratum.blocks);
        blocks.filter(|block| block.n_events() > 0)
    }
}

fn cut(subjects: &[usize], follow_up: &FollowUp, labels: &Labels) -> Vec<Stratum> {
    let mut strata: Vec<Stratum> = Vec::new();
    for (row, &i) in subjects.iter().enumerate() {
        let (label, time) = (labels.names[labels.ranks[i]], follow_up.times()[i]);
        if strata.last().is_none_or(|stratum| stratum.label != label) {
            strata.push(Stratum {
                label,
                blocks: Vec::new(),
            });
        }
        let blocks = &mut strata.last_mut().expect("just pushed").blocks;
        if blocks.last().is_none_or(|block| block.time != time) {
            blocks.push(Block {
                time,
                start: row,
                events_end: row,
                end: row,
            });
        }
        let block = blocks.last_mut().expect("just pushed");
        block.end = row + 1;
        block.events_end += usize::from(follow_up.events()[i]);
    }
    strata
}
