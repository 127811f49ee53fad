//! Power of a reader study that is still to be done.

use statrs::function::gamma::ln_gamma;

use super::components::{Components, need_readers};
use super::obuchowski_rockette::RandomFactors;
use crate::distribution::{beta_cdf, normal_cdf, two_sided_student_quantile};
use crate::{Confidence, Error, ErrorKind};

/// The largest study that is looked for.
const MAX_CASES: usize = 100_000_000;
/// Terms of the Poisson mixture this far below the largest do not change a power.
const NEGLIGIBLE: f64 = 1e-17;

/// A planned comparison of two modalities, every reader reading every case in both.
///
/// ```
/// use lobule_stats::{Confidence, mrmc::{Components, RandomFactors, StudyPlan}};
/// let plan = StudyPlan {
///     components: Components {
///         reader: Some(0.0015), interaction: Some(0.0002),
///         error: 0.0008, cov1: 0.00035, cov2: 0.00034, cov3: 0.00024,
///     },
///     pilot_cases: 114,
///     difference: 0.05,
///     n_readers: 6,
///     n_cases: 200,
///     random: RandomFactors::ReadersAndCases,
///     confidence: Confidence::NINETY_FIVE,
/// };
/// assert!(plan.power()?.power > 0.75);
/// assert!(plan.cases_for(0.8)? < 400);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudyPlan {
    /// From a pilot study with the same figure, or published. A missing or negative
    /// [`Components::interaction`] counts as 0.
    pub components: Components,
    /// The cases that gave `error` and the covariances, which shrink as cases are added in the
    /// same mixture of diseased and healthy.
    pub pilot_cases: usize,
    /// The true difference of the two modalities that should be found; the sign does not matter.
    pub difference: f64,
    /// Planned readers.
    pub n_readers: usize,
    /// Planned cases.
    pub n_cases: usize,
    /// To what the conclusion should extend.
    pub random: RandomFactors,
    /// 1 − α of the two-sided test.
    pub confidence: Confidence,
}

/// The power of a plan.
///
/// ```
/// use lobule_stats::mrmc::Power;
/// let power = Power { power: 0.82, noncentrality: 9.1, denominator_df: Some(21.0) };
/// assert!(power.power > 0.8);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Power {
    /// The chance that the test finds a difference, between α and 1.
    pub power: f64,
    /// λ of the noncentral F or χ² distribution.
    pub noncentrality: f64,
    /// Hillis' degrees of freedom; `None` for χ².
    pub denominator_df: Option<f64>,
}

impl StudyPlan {
    /// The power of the Obuchowski–Rockette test.
    ///
    /// Formula: `P(F > F₁₋α)`, F noncentral with 1 and ν degrees of freedom,
    /// `λ = (r d² / 2) / (σ²(TR) + (c*/c) (σ²(ε) − Cov₁ + (r − 1) s))`, `s = max(Cov₂ − Cov₃, 0)`,
    /// `ν = (r − 1) (m + (c*/c) r s)² / m²`, `m = σ²(TR) + (c*/c) (σ²(ε) − Cov₁ − s)`, all with the
    /// pilot's components. Readers fixed: σ²(TR) = 0 and χ². Cases fixed: `λ = (r d² / 2) / m`,
    /// `ν = r − 1`. Symbols: d the difference, r readers, c* pilot and c planned cases.
    /// Hillis, Obuchowski, Berbaum 2011, doi:10.1016/j.acra.2010.09.007.
    ///
    /// ```
    /// # use lobule_stats::{Confidence, mrmc::{Components, RandomFactors, StudyPlan}};
    /// # let components = Components {
    /// #     reader: None, interaction: None, error: 0.0008, cov1: 0.0003, cov2: 0.0003, cov3: 0.0002,
    /// # };
    /// # let plan = StudyPlan {
    /// #     components, pilot_cases: 100, difference: 0.0, n_readers: 5, n_cases: 100,
    /// #     random: RandomFactors::ReadersAndCases, confidence: Confidence::NINETY_FIVE,
    /// # };
    /// // Without a difference the test errs with probability α.
    /// assert!((StudyPlan { difference: 0.0, ..plan }.power()?.power - 0.05).abs() < 1e-9);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::TooFew`] for fewer than two readers where they are random, or no readers or
    /// cases; [`ErrorKind::OutOfRange`] for a difference that is not finite; and
    /// [`ErrorKind::ZeroVariance`] for components that leave no positive variance.
    pub fn power(&self) -> Result<Power, Error> {
        self.check()?;
        let (scaled, denominator_df) = self.error_term()?;
        let effect = self.n_readers as f64 * self.difference * self.difference / 2.0;
        let noncentrality = effect / scaled;
        let power = match denominator_df {
            Some(df) => noncentral_t_power(noncentrality, df, self.confidence),
            None => {
                let (shift, z) = (noncentrality.sqrt(), self.confidence.z());
                normal_cdf(shift - z) + normal_cdf(-shift - z)
            }
        };
        Ok(Power {
            power,
            noncentrality,
            denominator_df,
        })
    }

    /// The fewest cases, in the pilot's mixture, with which the planned readers reach a power.
    ///
    /// ```
    /// # use lobule_stats::{Confidence, mrmc::{Components, RandomFactors, StudyPlan}};
    /// # let components = Components {
    /// #     reader: None, interaction: None, error: 0.0008, cov1: 0.0003, cov2: 0.0003, cov3: 0.0002,
    /// # };
    /// # let plan = StudyPlan {
    /// #     components, pilot_cases: 100, difference: 0.05, n_readers: 5, n_cases: 100,
    /// #     random: RandomFactors::ReadersAndCases, confidence: Confidence::NINETY_FIVE,
    /// # };
    /// let n_cases = plan.cases_for(0.8)?;
    /// assert!(StudyPlan { n_cases, ..plan }.power()?.power >= 0.8);
    /// assert!(StudyPlan { n_cases: n_cases - 1, ..plan }.power()?.power < 0.8);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] for a power outside (0, 1), or one that these readers do not reach
    /// with any number of cases; else as [`StudyPlan::power`].
    pub fn cases_for(&self, power: f64) -> Result<usize, Error> {
        if !(power > 0.0 && power < 1.0) {
            let text = format!("expected a power between 0 and 1, got {power}");
            return Err(Error::new(ErrorKind::OutOfRange, text));
        }
        let reaches = |n_cases: usize| {
            let plan = StudyPlan { n_cases, ..*self };
            Ok(plan.power()?.power >= power)
        };
        if !reaches(MAX_CASES)? {
            let text = format!(
                "no number of cases gives {} readers a power of {power}; add readers",
                self.n_readers
            );
            return Err(Error::new(ErrorKind::OutOfRange, text));
        }
        let (mut too_few, mut enough) = (0, MAX_CASES);
        while enough - too_few > 1 {
            let middle = usize::midpoint(too_few, enough);
            if reaches(middle)? {
                enough = middle;
            } else {
                too_few = middle;
            }
        }
        Ok(enough)
    }

    fn check(&self) -> Result<(), Error> {
        if self.random != RandomFactors::Cases {
            need_readers(self.n_readers)?;
        }
        if self.n_readers == 0 || self.n_cases == 0 || self.pilot_cases == 0 {
            let text = format!(
                "expected readers, cases and pilot cases, got {}, {}, {}",
                self.n_readers, self.n_cases, self.pilot_cases
            );
            return Err(Error::new(ErrorKind::TooFew, text));
        }
        if self.difference.is_finite() {
            return Ok(());
        }
        let text = format!("expected a finite difference, got {}", self.difference);
        Err(Error::new(ErrorKind::OutOfRange, text))
    }

    /// The expected denominator of F and its degrees of freedom.
    fn error_term(&self) -> Result<(f64, Option<f64>), Error> {
        let ratio = self.pilot_cases as f64 / self.n_cases as f64;
        let r = self.n_readers as f64;
        let components = &self.components;
        let interaction = components.interaction.unwrap_or(0.0).max(0.0);
        let shared = ratio * (components.cov2 - components.cov3).max(0.0);
        let own = ratio * (components.error - components.cov1);
        let square = interaction + own - shared;
        let (value, df) = match self.random {
            RandomFactors::Cases => (own + (r - 1.0) * shared, None),
            RandomFactors::Readers => (square, Some(r - 1.0)),
            RandomFactors::ReadersAndCases => {
                let value = square + r * shared;
                (value, Some((r - 1.0) * (value / square).powi(2)))
            }
        };
        if value > 0.0 && (df.is_none() || square > 0.0) {
            return Ok((value, df));
        }
        Err(Error::new(
            ErrorKind::ZeroVariance,
            format!("expected components that leave a variance, got {components:?}"),
        ))
    }
}

/// P(F > F₁₋α) of the noncentral F distribution with 1 and ν degrees of freedom: a Poisson mixture
/// of beta tails (Johnson, Kotz, Balakrishnan 1995, chapter 30).
fn noncentral_t_power(noncentrality: f64, df: f64, confidence: Confidence) -> f64 {
    let critical = two_sided_student_quantile(1.0 - confidence.level(), df).powi(2);
    let rest = df / (df + critical);
    let half = noncentrality / 2.0;
    let ln_weight =
        |j: f64| if half > 0.0 { j * half.ln() } else { 0.0 } - half - ln_gamma(j + 1.0);
    let term = |j: f64| ln_weight(j).exp() * beta_cdf(rest, df / 2.0, 0.5 + j);
    if half == 0.0 {
        return term(0.0);
    }
    let mode = half.floor();
    let reach = |weight: f64| weight > NEGLIGIBLE;
    let above = (0..)
        .map(|k| mode + f64::from(k))
        .take_while(|&j| reach(ln_weight(j).exp()));
    let below = (1..).map(|k| mode - f64::from(k));
    let below = below.take_while(|&j| j >= 0.0 && reach(ln_weight(j).exp()));
    let sum: f64 = above.chain(below).map(term).sum();
    sum.min(1.0)
}
