//! Generalized estimating equations for correlated decisions.
//!
//! Owns: [`gee`], a marginal model of binary outcomes in clusters with an exchangeable working
//! correlation and robust variance, and [`compare_rates`], sensitivities or specificities of the
//! modalities of a reader study by it. Does not own: random readers; the readers of
//! [`compare_rates`] are fixed, and [`crate::mrmc`] has the analyses in which they are a sample.
//!
//! ```
//! use lobule_stats::gee::{Link, gee};
//! // Two decisions on each of four cases; the second column of the design is the modality.
//! let outcomes = [true, true, false, true, false, false, true, true];
//! let design = [1., 0., 1., 1., 1., 0., 1., 1., 1., 0., 1., 1., 1., 0., 1., 1.];
//! let cases = [1, 1, 2, 2, 3, 3, 4, 4];
//! let fit = gee(&outcomes, &design, &cases, Link::Identity)?;
//! assert!((fit.coefficients[0] - 0.5).abs() < 1e-9);
//! assert!((fit.coefficients[1] - 0.25).abs() < 1e-9);
//! # Ok::<(), lobule_stats::Error>(())
//! ```

use std::collections::BTreeMap;

use crate::cases::check_lengths;
use crate::matrix::{Cholesky, dot, multiply};
use crate::mrmc::{Contrast, Figure, ModalityDifference, ReaderStudy};
use crate::{Confidence, Error, ErrorKind, Interval};

/// Newton-like steps; convergence is linear and takes about ten.
const MAX_ITERATIONS: usize = 200;
/// The largest change of a coefficient at which the iteration has arrived.
const CONVERGED: f64 = 1e-12;
/// A linear predictor beyond this is on its way to infinity: some rate is 0 or 1.
const MAX_LOGIT: f64 = 30.0;

/// How the mean μ depends on the linear predictor η.
///
/// ```
/// use lobule_stats::gee::Link;
/// assert_eq!(Link::Logit.mean(0.0), 0.5);
/// assert_eq!(Link::Identity.mean(0.3), 0.3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// `μ = 1 / (1 + e^−η)`: coefficients are log odds ratios.
    Logit,
    /// `μ = η`: coefficients are differences of rates.
    Identity,
}

impl Link {
    /// μ of η.
    ///
    /// ```
    /// # use lobule_stats::gee::Link;
    /// assert!(Link::Logit.mean(2.0) > 0.88);
    /// ```
    pub fn mean(self, predictor: f64) -> f64 {
        match self {
            Link::Logit => 1.0 / (1.0 + (-predictor).exp()),
            Link::Identity => predictor,
        }
    }

    /// dμ/dη.
    fn slope(self, mean: f64) -> f64 {
        match self {
            Link::Logit => mean * (1.0 - mean),
            Link::Identity => 1.0,
        }
    }
}

/// A fitted marginal model.
///
/// ```
/// use lobule_stats::gee::{Link, gee};
/// let outcomes = [true, false, true, true];
/// let fit = gee(&outcomes, &[1.0; 4], &["a", "a", "b", "b"], Link::Logit)?;
/// assert!((Link::Logit.mean(fit.coefficients[0]) - 0.75).abs() < 1e-9);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GeeFit {
    /// One per column of the design.
    pub coefficients: Vec<f64>,
    /// The robust covariance of the coefficients, row-major.
    pub covariance: Vec<f64>,
    /// The working correlation α of two outcomes of a cluster; 0 where no cluster has two.
    pub correlation: f64,
    /// Pearson's scale φ, 1 for outcomes as variable as their means say.
    pub scale: f64,
    /// Clusters, whose number the robust variance relies on.
    pub n_clusters: usize,
    /// Steps taken.
    pub n_iterations: usize,
}

impl GeeFit {
    /// The robust standard error of a coefficient.
    ///
    /// ```
    /// # use lobule_stats::gee::{Link, gee};
    /// let fit = gee(&[true, false, true, true], &[1.0; 4], &[1, 2, 3, 4], Link::Identity)?;
    /// assert!((fit.standard_error(0) - (0.1875_f64 / 4.0).sqrt()).abs() < 1e-12);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Panics
    /// When there is no such coefficient.
    pub fn standard_error(&self, coefficient: usize) -> f64 {
        let p = self.coefficients.len();
        self.covariance[coefficient * p + coefficient]
            .max(0.0)
            .sqrt()
    }

    /// A linear combination of the coefficients, with Wald's z test and interval.
    ///
    /// ```
    /// use lobule_stats::{Confidence, gee::{Link, gee}};
    /// let outcomes = [true, false, false, true, true, false];
    /// let design = [1., 0., 1., 0., 1., 0., 0., 1., 0., 1., 0., 1.];
    /// let fit = gee(&outcomes, &design, &[1, 2, 3, 4, 5, 6], Link::Identity)?;
    /// let difference = fit.contrast(&[1.0, -1.0], Confidence::NINETY_FIVE)?;
    /// assert!((difference.estimate + 1.0 / 3.0).abs() < 1e-9);
    /// # Ok::<(), lobule_stats::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`] when there are not as many weights as coefficients.
    pub fn contrast(&self, weights: &[f64], confidence: Confidence) -> Result<Contrast, Error> {
        let p = self.coefficients.len();
        check_lengths("weights", weights.len(), "coefficients", p)?;
        let estimate = dot(weights, &self.coefficients);
        let variance = dot(weights, &multiply(&self.covariance, weights));
        Ok(Contrast::new(
            estimate,
            variance.max(0.0).sqrt(),
            None,
            confidence,
        ))
    }
}

/// Fits `g(μᵢ) = xᵢ β` to binary outcomes in clusters.
///
/// Formula: `Σ_c D_cᵀ V_c⁻¹ (y_c − μ_c) = 0`, `V_c = A^½ R(α) A^½`, A the diagonal of `μ (1 − μ)`, R
/// with α off its diagonal; `α = Σ_c Σ_{i<j} eᵢ eⱼ / (φ (P − p))`, `φ = Σ eᵢ² / (N − p)`. Robust
/// covariance `B⁻¹ (Σ_c u_c u_cᵀ) B⁻¹`, `B = Σ_c D_cᵀ V_c⁻¹ D_c`, u_c the terms of the equation.
/// Symbols: D = dμ/dβ, e Pearson residuals, P pairs within clusters, N outcomes, p coefficients.
///
/// Degenerate: with no more pairs than coefficients α is 0 (independence). The robust variance is
/// too small for few clusters (below about 40). Liang & Zeger 1986, doi:10.1093/biomet/73.1.13.
///
/// # Shapes
/// `design` is `[outcomes.len(), p]`, row-major, an intercept being a column of ones; `clusters`
/// has one label per outcome.
///
/// ```
/// use lobule_stats::{ErrorKind, gee::{Link, gee}};
/// // All outcomes alike have no finite log odds.
/// let error = gee(&[true, true, true], &[1.0; 3], &[1, 2, 3], Link::Logit).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NoFit);
/// ```
///
/// # Errors
/// [`ErrorKind::Empty`], [`ErrorKind::Mismatch`] by lengths, [`ErrorKind::NotFinite`] by the
/// design, [`ErrorKind::TooFew`] for fewer than two clusters or no more outcomes than columns,
/// [`ErrorKind::NoFit`] for collinear columns, rates of 0 or 1, or no convergence.
pub fn gee<K: Ord>(
    outcomes: &[bool],
    design: &[f64],
    clusters: &[K],
    link: Link,
) -> Result<GeeFit, Error> {
    let problem = Problem::new(outcomes, design, clusters, link)?;
    let mut coefficients = problem.start();
    let mut working = Working::default();
    for iteration in 1..=MAX_ITERATIONS {
        let sums = problem.sums(&coefficients, working.correlation)?;
        let step = sums.factor()?.solve(&sums.score);
        coefficients
            .iter_mut()
            .zip(&step)
            .for_each(|(b, s)| *b += s);
        let previous = working.correlation;
        working = problem.working(&coefficients)?;
        let moved = step
            .iter()
            .fold((working.correlation - previous).abs(), |a, s| {
                a.max(s.abs())
            });
        if moved < CONVERGED {
            return problem.finish(coefficients, working, iteration);
        }
    }
    Err(no_fit("no convergence"))
}

struct Problem {
    outcomes: Vec<f64>,
    rows: Vec<f64>,
    columns: usize,
    members: Vec<Vec<usize>>,
    link: Link,
}

#[derive(Debug, Clone, Copy)]
struct Working {
    correlation: f64,
    scale: f64,
}

impl Default for Working {
    fn default() -> Working {
        Working {
            correlation: 0.0,
            scale: 1.0,
        }
    }
}

/// Of the estimating equation at some coefficients.
struct Sums {
    score: Vec<f64>,
    bread: Vec<f64>,
    meat: Vec<f64>,
}

impl Sums {
    fn factor(&self) -> Result<Cholesky, Error> {
        Cholesky::new(&self.bread, self.score.len()).map_err(|singular| {
            no_fit(&format!(
                "column {} depends on those before",
                singular.column
            ))
        })
    }
}

impl Problem {
    fn new<K: Ord>(
        outcomes: &[bool],
        design: &[f64],
        clusters: &[K],
        link: Link,
    ) -> Result<Problem, Error> {
        let n = outcomes.len();
        if n == 0 || design.is_empty() {
            return Err(Error::new(
                ErrorKind::Empty,
                "expected outcomes and columns, got none",
            ));
        }
        check_lengths("cluster labels", clusters.len(), "outcomes", n)?;
        let columns = design.len() / n;
        check_lengths(
            "elements of the design",
            design.len(),
            "outcomes × columns",
            n * columns,
        )?;
        if let Some(at) = design.iter().position(|value| !value.is_finite()) {
            let text = format!("expected a finite design, got {} at {at}", design[at]);
            return Err(Error::new(ErrorKind::NotFinite, text));
        }
        let mut members: BTreeMap<&K, Vec<usize>> = BTreeMap::new();
        for (row, label) in clusters.iter().enumerate() {
            members.entry(label).or_default().push(row);
        }
        if members.len() < 2 || n <= columns {
            let text = format!(
                "expected 2 clusters and more outcomes than columns, got {} and {n} for {columns}",
                members.len()
            );
            return Err(Error::new(ErrorKind::TooFew, text));
        }
        Ok(Problem {
            outcomes: outcomes.iter().map(|&y| f64::from(u8::from(y))).collect(),
            rows: design.to_vec(),
            columns,
            members: members.into_values().collect(),
            link,
        })
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.rows[row * self.columns..(row + 1) * self.columns]
    }

    /// Least squares towards the means ½ ± ¼, inside the range of either link.
    fn start(&self) -> Vec<f64> {
        let p = self.columns;
        let (mut gram, mut right) = (vec![0.0; p * p], vec![0.0; p]);
        for (row, y) in self.outcomes.iter().enumerate() {
            let target = match self.link {
                Link::Identity => 0.25 + 0.5 * y,
                Link::Logit => 2.0 * y - 1.0,
            };
            add_outer(&mut gram, self.row(row), self.row(row));
            add_scaled(&mut right, self.row(row), target);
        }
        // Collinear columns are reported by the first step.
        Cholesky::new(&gram, p).map_or(vec![0.0; p], |factor| factor.solve(&right))
    }

    /// Mean of an outcome; refuses means that leave no variance.
    fn mean(&self, row: usize, coefficients: &[f64]) -> Result<f64, Error> {
        let predictor = dot(self.row(row), coefficients);
        let mean = self.link.mean(predictor);
        let runaway = self.link == Link::Logit && predictor.abs() > MAX_LOGIT;
        if runaway || !(mean > 0.0 && mean < 1.0) {
            return Err(no_fit("a rate of 0 or 1"));
        }
        Ok(mean)
    }

    fn sums(&self, coefficients: &[f64], correlation: f64) -> Result<Sums, Error> {
        let p = self.columns;
        let mut sums = Sums {
            score: vec![0.0; p],
            bread: vec![0.0; p * p],
            meat: vec![0.0; p * p],
        };
        for members in &self.members {
            self.add_cluster(&mut sums, members, coefficients, correlation)?;
        }
        Ok(sums)
    }

    /// With `w = A^−½ D` and e, `R⁻¹ v = (v − c Σ v) / (1 − α)`, `c = α / (1 + (k − 1) α)`.
    fn add_cluster(
        &self,
        sums: &mut Sums,
        members: &[usize],
        coefficients: &[f64],
        correlation: f64,
    ) -> Result<(), Error> {
        let p = self.columns;
        let k = members.len() as f64;
        let shrink = correlation / (1.0 + (k - 1.0) * correlation);
        let (mut own, mut cross) = (vec![0.0; p * p], vec![0.0; p]);
        let (mut total, mut residual_total) = (vec![0.0; p], 0.0);
        for &row in members {
            let mean = self.mean(row, coefficients)?;
            let deviation = (mean * (1.0 - mean)).sqrt();
            let slope = self.link.slope(mean) / deviation;
            let scaled: Vec<f64> = self.row(row).iter().map(|x| x * slope).collect();
            let residual = (self.outcomes[row] - mean) / deviation;
            add_outer(&mut own, &scaled, &scaled);
            add_scaled(&mut cross, &scaled, residual);
            add_scaled(&mut total, &scaled, 1.0);
            residual_total += residual;
        }
        let scale = 1.0 - correlation;
        let score: Vec<f64> = cross
            .iter()
            .zip(&total)
            .map(|(own, all)| (own - shrink * all * residual_total) / scale)
            .collect();
        for (index, bread) in sums.bread.iter_mut().enumerate() {
            *bread += (own[index] - shrink * total[index / p] * total[index % p]) / scale;
        }
        add_outer(&mut sums.meat, &score, &score);
        add_scaled(&mut sums.score, &score, 1.0);
        Ok(())
    }

    /// φ and α from Pearson residuals.
    fn working(&self, coefficients: &[f64]) -> Result<Working, Error> {
        let (mut squares, mut products, mut n_pairs) = (0.0, 0.0, 0.0);
        for members in &self.members {
            let (mut sum, mut square) = (0.0, 0.0);
            for &row in members {
                let mean = self.mean(row, coefficients)?;
                let residual = (self.outcomes[row] - mean) / (mean * (1.0 - mean)).sqrt();
                sum += residual;
                square += residual * residual;
            }
            let k = members.len() as f64;
            squares += square;
            products += (sum * sum - square) / 2.0;
            n_pairs += k * (k - 1.0) / 2.0;
        }
        let p = self.columns as f64;
        let scale = squares / (self.outcomes.len() as f64 - p);
        let correlation = if n_pairs > p {
            products / (scale * (n_pairs - p))
        } else {
            0.0
        };
        self.check_correlation(correlation)?;
        Ok(Working { correlation, scale })
    }

    /// R(α) must be positive definite in the largest cluster.
    fn check_correlation(&self, correlation: f64) -> Result<(), Error> {
        let largest = self.members.iter().map(Vec::len).max().unwrap_or(1) as f64;
        if correlation < 1.0 && 1.0 + (largest - 1.0) * correlation > 0.0 {
            return Ok(());
        }
        Err(no_fit(&format!("a working correlation of {correlation}")))
    }

    fn finish(
        &self,
        coefficients: Vec<f64>,
        working: Working,
        n_iterations: usize,
    ) -> Result<GeeFit, Error> {
        let p = self.columns;
        let sums = self.sums(&coefficients, working.correlation)?;
        let inverse = sums.factor()?.inverse();
        let column = |j: usize| -> Vec<f64> {
            let right: Vec<f64> = (0..p).map(|i| inverse[i * p + j]).collect();
            multiply(&inverse, &multiply(&sums.meat, &right))
        };
        let columns: Vec<Vec<f64>> = (0..p).map(column).collect();
        Ok(GeeFit {
            covariance: (0..p * p)
                .map(|index| columns[index % p][index / p])
                .collect(),
            coefficients,
            correlation: working.correlation,
            scale: working.scale,
            n_clusters: self.members.len(),
            n_iterations,
        })
    }
}

fn add_outer(matrix: &mut [f64], a: &[f64], b: &[f64]) {
    for (row, &x) in matrix.chunks_exact_mut(b.len()).zip(a) {
        add_scaled(row, b, x);
    }
}

fn add_scaled(vector: &mut [f64], other: &[f64], factor: f64) {
    vector
        .iter_mut()
        .zip(other)
        .for_each(|(v, o)| *v += factor * o);
}

fn no_fit(what: &str) -> Error {
    Error::new(
        ErrorKind::NoFit,
        format!("expected a fit of the estimating equations, got {what}"),
    )
}

/// Rates of the modalities of a reader study.
///
/// ```
/// use lobule_stats::{Confidence, gee::{Link, compare_rates}};
/// use lobule_stats::mrmc::{Figure, ReaderStudy};
/// let truth = [true; 6];
/// let ratings = [1., 1., 0., 0., 1., 0., 1., 1., 1., 0., 1., 0.];
/// let study = ReaderStudy::from_grid(&truth, 2, 1, &ratings)?;
/// let figure = Figure::Sensitivity { threshold: 1.0 };
/// let rates = compare_rates(&study, figure, Link::Logit, Confidence::NINETY_FIVE)?;
/// assert!((rates.rates[1].0 - 4.0 / 6.0).abs() < 1e-9);
/// assert!(rates.differences[0].contrast.estimate < 0.0);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct RateComparison {
    /// The marginal model with one column per modality.
    pub fit: GeeFit,
    /// By modality, the rate and its interval, symmetric on the scale of the link, cut at 0 and 1.
    pub rates: Vec<(f64, Interval)>,
    /// By pair of modalities, first minus second on the scale of the link: log odds ratios or
    /// differences of rates.
    pub differences: Vec<ModalityDifference>,
}

/// Sensitivities or specificities of the modalities by [`gee`], the decisions of all readers on
/// one case (or cluster of cases) being one cluster. Readers are fixed. Formula, degenerate cases
/// and source as in [`gee`]; any layout, missing ratings too.
///
/// ```
/// use lobule_stats::{Confidence, ErrorKind, gee::{Link, compare_rates}};
/// use lobule_stats::mrmc::{Figure, ReaderStudy};
/// let study = ReaderStudy::from_grid(&[true, false], 1, 1, &[1.0, 0.0])?;
/// let area = compare_rates(&study, Figure::Auc, Link::Logit, Confidence::NINETY_FIVE);
/// assert_eq!(area.unwrap_err().kind(), ErrorKind::Design);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Design`] for a figure that is no rate, else as [`gee`].
pub fn compare_rates(
    study: &ReaderStudy,
    figure: Figure,
    link: Link,
    confidence: Confidence,
) -> Result<RateComparison, Error> {
    let (class, threshold) = match figure {
        Figure::Sensitivity { threshold } => (true, threshold),
        Figure::Specificity { threshold } => (false, threshold),
        other => {
            let text = format!("expected sensitivity or specificity, got {other:?}");
            return Err(Error::new(ErrorKind::Design, text));
        }
    };
    let t = study.modalities().len();
    let (mut outcomes, mut design, mut clusters) = (Vec::new(), Vec::new(), Vec::new());
    for cell in study.cells() {
        for (&case, &rating) in cell.cases.iter().zip(&cell.ratings) {
            if study.truth()[case as usize] == class {
                outcomes.push((rating >= threshold) == class);
                design.extend((0..t).map(|m| f64::from(u8::from(m == cell.modality))));
                clusters.push(study.clusters().map_or(case, |of| of[case as usize]));
            }
        }
    }
    let fit = gee(&outcomes, &design, &clusters, link)?;
    rate_comparison(fit, link, confidence)
}

fn rate_comparison(
    fit: GeeFit,
    link: Link,
    confidence: Confidence,
) -> Result<RateComparison, Error> {
    let t = fit.coefficients.len();
    let weights = |first: usize, second: usize| -> Vec<f64> {
        let one = |m: usize, at: usize| f64::from(u8::from(m == at));
        (0..t).map(|m| one(m, first) - one(m, second)).collect()
    };
    let rate = |m: usize| {
        let own = fit.contrast(&weights(m, t), confidence)?;
        let limits = Interval {
            lower: link.mean(own.interval.lower),
            upper: link.mean(own.interval.upper),
        };
        Ok((link.mean(own.estimate), limits.clamp(0.0, 1.0)))
    };
    let rates = (0..t).map(rate).collect::<Result<_, Error>>()?;
    let pairs = (0..t).flat_map(|first| (first + 1..t).map(move |second| (first, second)));
    let difference = |(first, second)| {
        let contrast = fit.contrast(&weights(first, second), confidence)?;
        Ok(ModalityDifference {
            first,
            second,
            contrast,
        })
    };
    let differences = pairs.map(difference).collect::<Result<_, Error>>()?;
    Ok(RateComparison {
        fit,
        rates,
        differences,
    })
}
