//! The test of proportional hazards.

use super::design::{add_outer, add_scaled};
use super::likelihood::{RiskSums, tie_terms};
use super::residuals::mirror;
use super::{Cox, factor_of_tested, select};
use crate::matrix::{Cholesky, dot};
use crate::survival::chi_square::ChiSquareTest;
use crate::survival::follow_up::FollowUp;
use crate::survival::kaplan_meier::KaplanMeier;
use crate::{Error, ErrorKind};

/// The function of time g with which an effect is suspected to change.
///
/// ```
/// use lobule_stats::survival::TimeTransform;
/// assert_eq!(TimeTransform::default(), TimeTransform::KaplanMeier);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeTransform {
    /// `g(t) = 1 − S(t−)`, S the Kaplan–Meier curve of all subjects: late events with few at risk
    /// get no undue weight.
    #[default]
    KaplanMeier,
    /// `g(t) = t`.
    Identity,
    /// `g(t) = ln t`.
    Log,
    /// The mean rank of t among the times of all subjects.
    Rank,
}

/// The tests of a fit.
///
/// ```
/// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, TimeTransform, fit_cox};
/// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0, 5.0], &[true; 5])?;
/// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0, 2.0]])?;
/// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
/// let tests = fit.proportional_hazards_test(TimeTransform::KaplanMeier, &[&[0]])?;
/// assert_eq!(tests.terms[0], tests.global);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ProportionalHazards {
    /// One per term asked for.
    pub terms: Vec<ChiSquareTest>,
    /// All columns at once.
    pub global: ChiSquareTest,
}

impl Cox {
    /// Grambsch and Therneau's test: the score test of γ = 0 in `λ₀(t) exp(xᵀβ + g(t) xᵀγ)`.
    ///
    /// A term is a set of columns, such as those of one category, tested together; every term is
    /// tested as the only one that changes with time. Formula: `X² = uᵀ (C − B A⁻¹ Bᵀ)⁻¹ u` with
    /// `u = Σ g(t) (x − x̄(t))` over the events, `A = Σ V(t)`, `B = Σ g(t) V(t)`, `C = Σ g(t)² V(t)`.
    /// Symbols: x̄(t) and V(t) mean and covariance of the covariates of those at risk, weighted by
    /// exp(xᵀβ), by the model's rule for ties; B and C restricted to the term's columns. (The older
    /// approximation took V(t) to be the same at all times.) Degenerate: events at a single value
    /// of g are an error. Grambsch & Therneau 1994, doi:10.1093/biomet/81.3.515.
    ///
    /// ```
    /// # use lobule_stats::survival::{Covariates, CoxConfig, FollowUp, TimeTransform, fit_cox};
    /// # let follow_up = FollowUp::new(&[1.0, 2.0, 3.0, 4.0, 5.0], &[true; 5])?;
    /// # let covariates = Covariates::from_columns(&[&[1.0, 3.0, 2.0, 1.0, 2.0]])?;
    /// let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default())?;
    /// let tests = fit.proportional_hazards_test(TimeTransform::Log, &[])?;
    /// assert_eq!(tests.global.degrees_of_freedom, 1);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] for a column that is not there, for the logarithm of time 0, or
    /// under [`super::Ties::Exact`]; [`ErrorKind::ZeroVariance`] when the events leave nothing to
    /// test, no column is named or one is named twice.
    pub fn proportional_hazards_test(
        &self,
        transform: TimeTransform,
        terms: &[&[usize]],
    ) -> Result<ProportionalHazards, Error> {
        self.check_continuous()?;
        let sums = self.time_sums(transform)?;
        let all: Vec<usize> = (0..self.design.n_columns).collect();
        let test = |columns: &[usize]| {
            self.check_columns(columns)?;
            sums.test(columns)
        };
        Ok(ProportionalHazards {
            terms: terms
                .iter()
                .map(|term| test(term))
                .collect::<Result<_, _>>()?,
            global: test(&all)?,
        })
    }

    fn time_sums(&self, transform: TimeTransform) -> Result<TimeSums, Error> {
        let transformed = self.transformed_times(transform)?;
        let count = self
            .design
            .event_blocks()
            .map(|block| block.n_events() as f64);
        // The test is the same for a g moved by a constant; about its mean, B is small.
        let weighted: f64 = count.zip(&transformed).map(|(n, g)| n * g).sum();
        let center = weighted / self.n_events as f64;
        let mut sums = TimeSums::new(self.design.n_columns);
        let mut values = transformed.iter().map(|g| g - center);
        let risks = self.risks();
        for stratum in &self.design.strata {
            let mut spread = Spread::new(self.design.n_columns);
            for block in &stratum.blocks {
                spread.sums.add(&self.design, block, &risks);
                spread.add_squares(&self.design, block, &risks);
                if block.n_events() == 0 {
                    continue;
                }
                let g = values.next().expect("one value per event time");
                for row in block.events() {
                    add_scaled(&mut sums.score, g, self.design.row(row));
                }
                for (share, times) in tie_terms(self.ties, block.n_events()) {
                    sums.add(g, times, &mut spread, share);
                }
            }
        }
        sums.complete();
        Ok(sums)
    }

    /// g of each event time, in the order of [`super::Design::event_blocks`].
    fn transformed_times(&self, transform: TimeTransform) -> Result<Vec<f64>, Error> {
        let times: Vec<f64> = self.design.event_blocks().map(|block| block.time).collect();
        match transform {
            TimeTransform::Identity => Ok(times),
            TimeTransform::Log => logarithms(&times),
            TimeTransform::KaplanMeier => {
                let curve = KaplanMeier::new(&self.follow_up());
                Ok(times
                    .iter()
                    .map(|&t| 1.0 - curve.survival_before(t))
                    .collect())
            }
            TimeTransform::Rank => Ok(self.ranks(&times)),
        }
    }

    fn follow_up(&self) -> FollowUp {
        let mut times = vec![0.0; self.n_subjects()];
        for block in self
            .design
            .strata
            .iter()
            .flat_map(|stratum| &stratum.blocks)
        {
            for row in block.rows() {
                times[self.design.subjects[row]] = block.time;
            }
        }
        FollowUp::new(&times, &self.events).expect("the times were checked before the fit")
    }

    fn ranks(&self, times: &[f64]) -> Vec<f64> {
        let mut all = self.follow_up().times().to_vec();
        all.sort_unstable_by(f64::total_cmp);
        let rank = |&time: &f64| {
            let below = all.partition_point(|&other| other < time);
            let up_to = all.partition_point(|&other| other <= time);
            (below + 1 + up_to) as f64 / 2.0
        };
        times.iter().map(rank).collect()
    }
}

fn logarithms(times: &[f64]) -> Result<Vec<f64>, Error> {
    if times.contains(&0.0) {
        return Err(Error::new(
            ErrorKind::OutOfRange,
            "expected events after time 0 for its logarithm, got one at 0",
        ));
    }
    Ok(times.iter().map(|time| time.ln()).collect())
}

/// `Σ r x xᵀ` beside the sums of the likelihood.
struct Spread {
    sums: RiskSums,
    squares: Vec<f64>,
    event_squares: Vec<f64>,
    mean: Vec<f64>,
    covariance: Vec<f64>,
}

impl Spread {
    fn new(size: usize) -> Spread {
        Spread {
            sums: RiskSums::new(size),
            squares: vec![0.0; size * size],
            event_squares: vec![0.0; size * size],
            mean: vec![0.0; size],
            covariance: vec![0.0; size * size],
        }
    }

    fn add_squares(&mut self, design: &super::Design, block: &super::design::Block, risks: &[f64]) {
        self.event_squares.fill(0.0);
        for row in block.events() {
            add_outer(&mut self.event_squares, risks[row], design.row(row));
        }
        add_scaled(&mut self.squares, 1.0, &self.event_squares);
        for row in block.censored() {
            add_outer(&mut self.squares, risks[row], design.row(row));
        }
    }

    /// The mean and covariance of those at risk, a share of the events' own risk taken off.
    fn moments(&mut self, share: f64) {
        self.sums.mean(share, &mut self.mean);
        let total = self.sums.total(share);
        for (k, value) in self.covariance.iter_mut().enumerate() {
            *value = (self.squares[k] - share * self.event_squares[k]) / total;
        }
        add_outer(&mut self.covariance, -1.0, &self.mean);
    }
}

/// The score of γ and the information of β and γ.
struct TimeSums {
    size: usize,
    score: Vec<f64>,
    information: Vec<f64>,
    cross: Vec<f64>,
    own: Vec<f64>,
}

impl TimeSums {
    fn new(size: usize) -> TimeSums {
        TimeSums {
            size,
            score: vec![0.0; size],
            information: vec![0.0; size * size],
            cross: vec![0.0; size * size],
            own: vec![0.0; size * size],
        }
    }

    fn add(&mut self, g: f64, times: f64, spread: &mut Spread, share: f64) {
        spread.moments(share);
        add_scaled(&mut self.score, -times * g, &spread.mean);
        add_scaled(&mut self.information, times, &spread.covariance);
        add_scaled(&mut self.cross, times * g, &spread.covariance);
        add_scaled(&mut self.own, times * g * g, &spread.covariance);
    }

    fn complete(&mut self) {
        mirror(&mut self.information, self.size);
        mirror(&mut self.cross, self.size);
        mirror(&mut self.own, self.size);
    }

    fn test(&self, columns: &[usize]) -> Result<ChiSquareTest, Error> {
        let factor = Cholesky::new(&self.information, self.size).map_err(|_| {
            Error::new(
                ErrorKind::ZeroVariance,
                "expected covariates that vary among those at risk, got none",
            )
        })?;
        let mut variance = select(&self.own, self.size, columns);
        for (i, &row) in columns.iter().enumerate() {
            let solved = factor.solve(&self.cross[row * self.size..][..self.size]);
            for (j, &column) in columns.iter().enumerate() {
                let line = &self.cross[column * self.size..][..self.size];
                variance[i * columns.len() + j] -= dot(line, &solved);
            }
        }
        let score: Vec<f64> = columns.iter().map(|&k| self.score[k]).collect();
        let factor = factor_of_tested(&variance, columns.len())?;
        Ok(ChiSquareTest::new(
            factor.quadratic_form(&score),
            columns.len(),
        ))
    }
}
