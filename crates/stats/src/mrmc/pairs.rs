//! Sums over pairs of pairs: a diseased and a healthy case by one reader, against a diseased and
//! a healthy case by another.
//!
//! Owns: [`PairSums`], from which unbiased covariances and the moments of the U-statistic follow,
//! in n log n and without the m × n table of wins. Does not own: those statistics.

use super::study::{Cell, ReaderStudy};
use crate::roc::Roc;
use crate::{Error, ErrorKind};

/// The wins of one reader in one modality. A win of xᵢ over yⱼ counts 1, a tie ½.
#[derive(Debug, Clone)]
pub(crate) struct Wins<'a> {
    cell: &'a Cell,
    truth: Vec<bool>,
    /// For each case, its wins against the other class: a whole number of halves.
    wins: Vec<f64>,
    pub(crate) m: f64,
    pub(crate) n: f64,
    pub(crate) total: f64,
}

impl<'a> Wins<'a> {
    pub(crate) fn new(study: &ReaderStudy, cell: &'a Cell) -> Result<Wins<'a>, Error> {
        let truth = study.truth_of(cell);
        let named =
            |error: Error| Error::new(error.kind(), format!("{error} ({})", study.place(cell)));
        let roc = Roc::new(&cell.ratings, &truth).map_err(named)?;
        let (m, n) = (roc.n_positive() as f64, roc.n_negative() as f64);
        let halves = |(placement, &present): (&f64, &bool)| {
            let others = if present { n } else { m };
            (2.0 * placement * others).round() / 2.0
        };
        let wins: Vec<f64> = roc.placements().iter().zip(&truth).map(halves).collect();
        let of_diseased = wins.iter().zip(&truth).filter(|pair| *pair.1);
        let total = of_diseased.map(|pair| pair.0).sum();
        Ok(Wins {
            cell,
            truth,
            wins,
            m,
            n,
            total,
        })
    }

    /// `m n`.
    pub(crate) fn pairs(&self) -> f64 {
        self.m * self.n
    }

    pub(crate) fn auc(&self) -> f64 {
        self.total / self.pairs()
    }
}

/// Sums of products `s s′` of the wins of two cells, by what the two pairs share, and how many
/// products each sum has.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct PairSums {
    /// The same diseased and the same healthy case.
    pub(crate) both: f64,
    /// The same diseased case, any two healthy ones.
    pub(crate) diseased: f64,
    /// The same healthy case, any two diseased ones.
    pub(crate) healthy: f64,
    /// Any.
    pub(crate) any: f64,
    pub(crate) n_both: f64,
    pub(crate) n_diseased: f64,
    pub(crate) n_healthy: f64,
    pub(crate) n_any: f64,
}

impl PairSums {
    pub(crate) fn of(a: &Wins, b: &Wins) -> PairSums {
        let shared = shared_cases(a, b);
        let class = |present: bool| shared.iter().filter(move |case| case.present == present);
        let product = |sum: f64, case: &Shared| sum + case.wins[0] * case.wins[1];
        let points = |present| class(present).map(|case| case.ratings).collect::<Vec<_>>();
        let [k, l] = [true, false].map(|present| class(present).count() as f64);
        PairSums {
            both: joint_wins(points(true), points(false)),
            diseased: class(true).fold(0.0, product),
            healthy: class(false).fold(0.0, product),
            any: a.total * b.total,
            n_both: k * l,
            n_diseased: k * a.n * b.n,
            n_healthy: l * a.m * b.m,
            n_any: a.pairs() * b.pairs(),
        }
    }

    pub(crate) fn add(&mut self, other: &PairSums) {
        self.both += other.both;
        self.diseased += other.diseased;
        self.healthy += other.healthy;
        self.any += other.any;
        self.n_both += other.n_both;
        self.n_diseased += other.n_diseased;
        self.n_healthy += other.n_healthy;
        self.n_any += other.n_any;
    }

    /// How many products have no case in common.
    pub(crate) fn n_apart(&self) -> f64 {
        self.n_any - self.n_diseased - self.n_healthy + self.n_both
    }

    /// `θ θ′` less the mean product without a case in common, in a form that loses few digits.
    pub(crate) fn unbiased_covariance(&self) -> Result<f64, Error> {
        let n_apart = self.n_apart();
        if n_apart <= 0.0 {
            return Err(Error::new(
                ErrorKind::TooFew,
                "expected at least 2 diseased and 2 healthy cases, got fewer",
            ));
        }
        let sharing = self.diseased + self.healthy - self.both;
        let n_sharing = self.n_diseased + self.n_healthy - self.n_both;
        Ok((sharing - self.any / self.n_any * n_sharing) / n_apart)
    }
}

struct Shared {
    present: bool,
    ratings: (f64, f64),
    wins: [f64; 2],
}

fn shared_cases(a: &Wins, b: &Wins) -> Vec<Shared> {
    let (mut i, mut j, mut shared) = (0, 0, Vec::new());
    while i < a.cell.cases.len() && j < b.cell.cases.len() {
        let (case_a, case_b) = (a.cell.cases[i], b.cell.cases[j]);
        if case_a == case_b {
            shared.push(Shared {
                present: a.truth[i],
                ratings: (a.cell.ratings[i], b.cell.ratings[j]),
                wins: [a.wins[i], b.wins[j]],
            });
        }
        i += usize::from(case_a <= case_b);
        j += usize::from(case_b <= case_a);
    }
    shared
}

/// `Σᵢ Σⱼ s(xᵢ, yⱼ) s(x′ᵢ, y′ⱼ)`: a sweep over the first ratings with a tree of counts over the
/// second. A win `s` is half of `[y < x] + [y ≤ x]`.
fn joint_wins(mut diseased: Vec<(f64, f64)>, mut healthy: Vec<(f64, f64)>) -> f64 {
    let mut levels: Vec<f64> = healthy.iter().map(|point| point.1).collect();
    levels.sort_unstable_by(f64::total_cmp);
    levels.dedup();
    let by_first = |a: &(f64, f64), b: &(f64, f64)| a.0.total_cmp(&b.0);
    diseased.sort_unstable_by(by_first);
    healthy.sort_unstable_by(by_first);
    let mut counts = Counts(vec![0; levels.len() + 1]);
    let (mut counted, mut quarters) = (0, 0_u128);
    for run in diseased.chunk_by(|a, b| a.0 == b.0) {
        for limit in [run[0].0.next_down(), run[0].0] {
            while counted < healthy.len() && healthy[counted].0 <= limit {
                counts.add(levels.partition_point(|level| *level < healthy[counted].1));
                counted += 1;
            }
            quarters += halves(run, &levels, &counts);
        }
    }
    quarters as f64 / 4.0
}

/// Twice the wins of the second ratings of a run over the healthy cases counted so far.
fn halves(run: &[(f64, f64)], levels: &[f64], counts: &Counts) -> u128 {
    let of = |point: &(f64, f64)| {
        let below = levels.partition_point(|level| *level < point.1);
        let not_above = levels.partition_point(|level| *level <= point.1);
        u128::from(counts.before(below)) + u128::from(counts.before(not_above))
    };
    run.iter().map(of).sum()
}

/// Counts per level that can be summed from the lowest on in log n (Fenwick 1994,
/// doi:10.1002/spe.4380240306).
struct Counts(Vec<u64>);

impl Counts {
    fn add(&mut self, level: usize) {
        let mut node = level + 1;
        while node < self.0.len() {
            self.0[node] += 1;
            node += node & node.wrapping_neg();
        }
    }

    /// The sum over levels below this one.
    fn before(&self, level: usize) -> u64 {
        let (mut node, mut sum) = (level, 0);
        while node > 0 {
            sum += self.0[node];
            node &= node - 1;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joint_wins_are_those_of_the_whole_table() {
        let value = |i: usize, k: usize| ((i * k + 3 * i + 1) % 7) as f64 - 3.0;
        let points = |n: usize, k| (0..n).map(|i| (value(i, k), value(i + 2, k + 1))).collect();
        let (diseased, healthy): (Vec<_>, Vec<_>) = (points(23, 2), points(31, 5));
        let win = |x: f64, y: f64| f64::from(u8::from(x > y)) + 0.5 * f64::from(u8::from(x == y));
        let table = diseased
            .iter()
            .flat_map(|x| healthy.iter().map(move |y| (x, y)));
        let expected: f64 = table.map(|(x, y)| win(x.0, y.0) * win(x.1, y.1)).sum();
        assert_eq!(joint_wins(diseased, healthy), expected);
    }
}
