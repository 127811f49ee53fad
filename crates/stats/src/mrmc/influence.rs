//! What each independent unit contributes to a figure; covariances are products of these.
//!
//! Owns: [`Influence`], values `dₖ` such that `Cov(θ, θ′) = Σₖ dₖ d′ₖ` over the units that two
//! figures share. It unites the jackknife, DeLong's covariance and that of proportions, in memory
//! linear in the ratings, and gives 0 for figures without a unit in common. Clustered areas take two
//! values per unit.

use std::sync::Arc;

use crate::{Error, ErrorKind};

/// Values by rising unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Influence {
    /// Figures of the same cases may share one list, which is compared at a glance.
    units: Arc<[u32]>,
    values: Vec<f64>,
}

impl Influence {
    /// Units rise.
    pub(crate) fn rising(units: Arc<[u32]>, values: Vec<f64>) -> Influence {
        Influence { units, values }
    }

    pub(crate) fn from_values(mut pairs: Vec<(u32, f64)>) -> Influence {
        pairs.sort_unstable_by_key(|pair| pair.0);
        let (units, values): (Vec<u32>, _) = pairs.into_iter().unzip();
        let units = units.into();
        Influence { units, values }
    }

    /// Two values for each unit.
    pub(crate) fn from_pairs(pairs: Vec<(u32, [f64; 2])>) -> Influence {
        // Units are at most as many as cases, and 2³¹ of those do not fit into memory.
        let values = pairs.into_iter().flat_map(|(unit, [first, second])| {
            let twice = unit.wrapping_mul(2);
            [(twice, first), (twice | 1, second)]
        });
        Influence::from_values(values.collect())
    }

    /// From the changes `θ₍ₖ₎ − θ` of the jackknife.
    pub(crate) fn from_changes(changes: Vec<(u32, f64)>) -> Influence {
        let count = changes.len() as f64;
        let mean = changes.iter().map(|pair| pair.1).sum::<f64>() / count;
        let scale = ((count - 1.0) / count).sqrt();
        let centered = changes.into_iter();
        let centered = centered.map(|(unit, change)| (unit, scale * (change - mean)));
        Influence::from_values(centered.collect())
    }

    /// Of a mean over the members of units: `(unit, yᵢ − mean, weight)` per member. Without unit k
    /// the mean changes by `−Σ(yᵢ − mean) / (n − nₖ)`.
    pub(crate) fn of_ratio(mut members: Vec<(u32, f64, f64)>, n: f64) -> Result<Influence, Error> {
        members.sort_by_key(|member| member.0);
        let units: Vec<&[(u32, f64, f64)]> = members.chunk_by(|a, b| a.0 == b.0).collect();
        if units.len() < 2 {
            let text = format!("expected at least 2 cases or clusters, got {}", units.len());
            return Err(Error::new(ErrorKind::TooFew, text));
        }
        let change = |unit: &[(u32, f64, f64)]| {
            let deviation: f64 = unit.iter().map(|member| member.1).sum();
            let weight: f64 = unit.iter().map(|member| member.2).sum();
            (unit[0].0, -deviation / (n - weight))
        };
        Ok(Influence::from_changes(
            units.into_iter().map(change).collect(),
        ))
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// `Σₖ dₖ d′ₖ` over the shared units.
    pub(crate) fn covariance(&self, other: &Influence) -> f64 {
        if Arc::ptr_eq(&self.units, &other.units) || self.units == other.units {
            return crate::matrix::dot(&self.values, &other.values);
        }
        let (mut a, mut b, mut sum) = (0, 0, 0.0);
        while a < self.units.len() && b < other.units.len() {
            match self.units[a].cmp(&other.units[b]) {
                std::cmp::Ordering::Less => a += 1,
                std::cmp::Ordering::Greater => b += 1,
                std::cmp::Ordering::Equal => {
                    sum += self.values[a] * other.values[b];
                    a += 1;
                    b += 1;
                }
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_matched_and_others_do_not_count() {
        let a = Influence::from_values(vec![(3, 2.0), (1, 1.0)]);
        let b = Influence::from_values(vec![(2, 5.0), (3, 4.0)]);
        assert_eq!((a.covariance(&b), a.covariance(&a)), (8.0, 5.0));
    }

    #[test]
    fn the_jackknife_of_a_mean_is_its_usual_variance() {
        let values: [f64; 4] = [1.0, 2.0, 4.0, 9.0];
        let members = (0..).zip(values).map(|(unit, v)| (unit, v - 4.0, 1.0));
        let influence = Influence::of_ratio(members.collect(), 4.0).unwrap();
        // Sample variance 38/3, over 4.
        assert!((influence.covariance(&influence) - 38.0 / 12.0).abs() < 1e-14);
    }
}
