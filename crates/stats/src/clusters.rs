//! Which cases belong together: the breasts of an exam, the exams of a patient.
//!
//! Owns: [`Clusters`]. Does not own: what is done with them ([`crate::bootstrap`],
//! [`crate::roc::compare_paired_by_cluster`], [`crate::hybrid::cross_fitted_logistic`]).

use std::collections::BTreeMap;

use crate::{Error, ErrorKind};

/// Cases grouped into the units that are independent of each other.
///
/// ```
/// use lobule_stats::Clusters;
/// let clusters = Clusters::from_labels(&["p1", "p2", "p1"])?;
/// assert_eq!((clusters.n_clusters(), clusters.n_cases()), (2, 3));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clusters {
    /// Cases, one cluster after the other.
    cases: Vec<usize>,
    /// End of each cluster in `cases`.
    ends: Vec<usize>,
}

impl Clusters {
    /// One label per case; cases with equal labels form a cluster. Clusters are numbered by their
    /// first case, so the names of the labels do not matter.
    ///
    /// ```
    /// # use lobule_stats::Clusters;
    /// assert_eq!(Clusters::from_labels(&[7, 7, 7])?.n_clusters(), 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Empty`] without cases, [`ErrorKind::OutOfRange`] beyond 2³² − 1 clusters.
    pub fn from_labels<K: Ord>(labels: &[K]) -> Result<Clusters, Error> {
        let mut numbers = BTreeMap::new();
        let mut members: Vec<Vec<usize>> = Vec::new();
        for (case, label) in labels.iter().enumerate() {
            let number = *numbers.entry(label).or_insert(members.len());
            if number == members.len() {
                members.push(Vec::new());
            }
            members[number].push(case);
        }
        Clusters::new(members.iter().map(Vec::len), members.concat())
    }

    /// Every case its own cluster: the ordinary bootstrap of independent cases.
    ///
    /// ```
    /// # use lobule_stats::Clusters;
    /// assert_eq!(Clusters::singletons(3)?.n_clusters(), 3);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Clusters::from_labels`].
    pub fn singletons(n_cases: usize) -> Result<Clusters, Error> {
        Clusters::new((0..n_cases).map(|_| 1), (0..n_cases).collect())
    }

    /// The number of clusters.
    ///
    /// ```
    /// # use lobule_stats::Clusters;
    /// assert_eq!(Clusters::from_labels(&["a", "b"])?.n_clusters(), 2);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_clusters(&self) -> usize {
        self.ends.len()
    }

    /// The number of cases in all clusters.
    ///
    /// ```
    /// # use lobule_stats::Clusters;
    /// assert_eq!(Clusters::singletons(5)?.n_cases(), 5);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    pub fn n_cases(&self) -> usize {
        self.cases.len()
    }

    fn new(sizes: impl Iterator<Item = usize>, cases: Vec<usize>) -> Result<Clusters, Error> {
        let ends: Vec<usize> = sizes
            .scan(0, |end, size| {
                *end += size;
                Some(*end)
            })
            .collect();
        match ends.len() {
            0 => Err(Error::new(
                ErrorKind::Empty,
                "expected at least one case, got none",
            )),
            n if u32::try_from(n).is_err() => Err(Error::new(
                ErrorKind::OutOfRange,
                format!("expected at most {} clusters, got {n}", u32::MAX),
            )),
            _ => Ok(Clusters { cases, ends }),
        }
    }

    /// The cases of each cluster.
    pub(crate) fn members(&self) -> impl Iterator<Item = &[usize]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| &self.cases[start..end])
    }

    /// The cluster of each case.
    pub(crate) fn number_of_case(&self) -> Vec<u32> {
        let mut numbers = vec![0; self.n_cases()];
        for (number, members) in (0_u32..).zip(self.members()) {
            for &case in members {
                numbers[case] = number;
            }
        }
        numbers
    }

    /// Every case as often as its cluster was drawn.
    pub(crate) fn draw(&self, weights: &[u32], into: &mut Vec<usize>) {
        into.clear();
        for (&weight, members) in weights.iter().zip(self.members()) {
            for _ in 0..weight {
                into.extend_from_slice(members);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_grouped_by_first_appearance() {
        let clusters = Clusters::from_labels(&["z", "a", "z", "m"]).unwrap();
        let members: Vec<&[usize]> = clusters.members().collect();
        assert_eq!(members, [&[0, 2][..], &[1], &[3]]);
        assert_eq!(clusters.number_of_case(), [0, 1, 0, 2]);
        let mut drawn = Vec::new();
        clusters.draw(&[2, 0, 1], &mut drawn);
        assert_eq!(drawn, [0, 2, 0, 2, 3]);
    }

    #[test]
    fn no_cases_are_refused() {
        let error = Clusters::from_labels::<u8>(&[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Empty);
        assert_eq!(
            Clusters::singletons(0).unwrap_err().kind(),
            ErrorKind::Empty
        );
    }
}
