//! The variance of reader-averaged areas from moments of pairs, for any design.

use rayon::prelude::*;

use super::contrast::Contrast;
use super::moments::{PairMoments, Share};
use super::pairs::{PairSums, Wins};
use super::study::ReaderStudy;
use crate::{Confidence, Error, ErrorKind, Interval};

/// How the moments are estimated.
///
/// ```
/// use lobule_stats::mrmc::MomentEstimate;
/// assert_ne!(MomentEstimate::Unbiased, MomentEstimate::Empirical);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MomentEstimate {
    /// Means over different cases and readers, as each moment is defined: U-statistics. The
    /// variance is unbiased and can turn out negative.
    Unbiased,
    /// Moments of the empirical distribution (maximum likelihood): equal indices are not left out.
    /// The variance is never negative and a little too large.
    Empirical,
}

/// Reader-averaged areas with their variances over readers and cases.
///
/// ```
/// use lobule_stats::Confidence;
/// use lobule_stats::mrmc::*;
/// let truth = [false, false, false, true, true, true];
/// let ratings = [
///     1., 2., 3., 3., 4., 5.,  2., 1., 3., 2., 5., 4.,
///     1., 3., 3., 2., 4., 3.,  2., 3., 1., 2., 3., 4.,
/// ];
/// let study = ReaderStudy::from_grid(&truth, 2, 2, &ratings)?;
/// let result = u_statistics(&study, MomentEstimate::Empirical, Confidence::NINETY_FIVE)?;
/// assert!((result.modalities[0].estimate - 8.0 / 9.0).abs() < 1e-15);
/// assert_eq!(result.differences.len(), 1);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct UAnalysis {
    /// As asked.
    pub moments: MomentEstimate,
    /// One per modality.
    pub modalities: Vec<UEstimate>,
    /// One per pair of modalities, in order.
    pub differences: Vec<UDifference>,
}

/// The reader-averaged area of a modality.
///
/// ```
/// use lobule_stats::Confidence;
/// use lobule_stats::mrmc::*;
/// # let truth = [false, false, true, true];
/// # let study = ReaderStudy::from_grid(&truth, 1, 2, &[1., 3., 2., 4., 2., 2., 1., 3.])?;
/// let result = u_statistics(&study, MomentEstimate::Empirical, Confidence::NINETY_FIVE)?;
/// let estimate = &result.modalities[0];
/// assert!((estimate.moments.variance() - estimate.variance).abs() < 1e-15);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct UEstimate {
    /// Index into [`ReaderStudy::modalities`].
    pub modality: usize,
    /// `Σ s / Σ 1` over all readers' pairs of cases: the mean of the readers' areas where they
    /// read equally many pairs.
    pub estimate: f64,
    /// Over readers and cases.
    pub variance: f64,
    /// Root of the variance; 0 where that is negative.
    pub standard_error: f64,
    /// BDG degrees of freedom; `None` where they are infinite.
    pub degrees_of_freedom: Option<f64>,
    /// Of Student's distribution with whole degrees of freedom, cut at 0 and 1.
    pub interval: Interval,
    /// What the variance is made of.
    pub moments: PairMoments,
}

/// The difference of two reader-averaged areas.
///
/// ```
/// use lobule_stats::Confidence;
/// use lobule_stats::mrmc::*;
/// # let truth = [false, false, true, true];
/// # let ratings = [1., 3., 2., 4., 2., 2., 1., 3., 1., 2., 2., 4., 1., 2., 1., 4.];
/// # let study = ReaderStudy::from_grid(&truth, 2, 2, &ratings)?;
/// let result = u_statistics(&study, MomentEstimate::Empirical, Confidence::NINETY_FIVE)?;
/// let difference = &result.differences[0];
/// assert_eq!(difference.normal.estimate, difference.student.estimate);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct UDifference {
    /// Index into [`ReaderStudy::modalities`].
    pub first: usize,
    /// Likewise.
    pub second: usize,
    /// Over readers and cases.
    pub variance: f64,
    /// First minus second, by the normal distribution; the interval is cut at −1 and 1.
    pub normal: Contrast,
    /// BDG degrees of freedom; `None` where they are infinite.
    pub degrees_of_freedom: Option<f64>,
    /// The same by Student's distribution with these degrees of freedom rounded down.
    pub student: Contrast,
    /// Of one area with the other.
    pub cross_moments: PairMoments,
}

/// Analyses reader-averaged areas of any design: crossed, nested, or with missing ratings.
///
/// Formula: with A the mean of `s_rij` (reader r, diseased case i, healthy case j; 1, ½ or 0) over
/// all that were read, `Var A = Σₖ cₖ Mₖ` over the eight moments `E[s s′]` of pairs that do or do not
/// share their reader, diseased and healthy case ([`PairMoments`]). For the unbiased moments this is
/// `A² − M₈`. Likewise `Cov(A, B)`, and `Var(A − B) = Var A + Var B − 2 Cov(A, B)`. BDG degrees of
/// freedom: `ν = V² / (V_R² / (N_R − 1) + V_N² / (N₀ − 1) + V_D² / (N₁ − 1))`. Symbols: V the
/// variance, V_R the sum of its parts that involve readers, V_N healthy and V_D diseased cases,
/// always from the unbiased moments; N_R, N₀, N₁ readers, healthy and diseased cases with ratings
/// in either modality. Student's distribution takes ν rounded down to a whole number (at least 1),
/// the side of caution and the usage of the method's authors. Cost: n log n per pair of readers and modalities.
///
/// Degenerate: moments without any product are 0. Gallas 2006, doi:10.1016/j.acra.2005.11.030;
/// Gallas, Bandos, Samuelson, Wagner 2009, doi:10.1080/03610920802610084; degrees of freedom:
/// Obuchowski, Gallas, Hillis 2012, doi:10.1016/j.acra.2012.09.012.
///
/// ```
/// use lobule_stats::{Confidence, ErrorKind};
/// use lobule_stats::mrmc::*;
/// let study = ReaderStudy::from_grid(&[false, true, false, true], 1, 1, &[1., 2., 3., 4.])?;
/// let alone = u_statistics(&study, MomentEstimate::Unbiased, Confidence::NINETY_FIVE);
/// assert_eq!(alone.unwrap_err().kind(), ErrorKind::TooFew);
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::SingleClass`] by the cases of a reader, [`ErrorKind::TooFew`] for fewer than two
/// readers or two cases of a class, [`ErrorKind::Design`] for clustered cases,
/// [`ErrorKind::ZeroVariance`] for a difference other than 0 without positive variance.
pub fn u_statistics(
    study: &ReaderStudy,
    moments: MomentEstimate,
    confidence: Confidence,
) -> Result<UAnalysis, Error> {
    if study.clusters().is_some() {
        let text = "expected independent cases, got clusters; the jackknife takes them";
        return Err(Error::new(ErrorKind::Design, text));
    }
    let cells = study.cells().par_iter().map(|cell| Wins::new(study, cell));
    let wins = cells.collect::<Result<Vec<Wins>, Error>>()?;
    let t = study.modalities().len();
    let all_moments = modality_moments(study, &wins)?;
    let pair = |a: usize, b: usize| &all_moments[b * (b + 1) / 2 + a];
    let modality = |a: usize| {
        let sizes = Sizes::of(study, &[a]);
        u_estimate(a, pair(a, a), moments, sizes, confidence)
    };
    let difference = |(a, b): (usize, usize)| {
        let sizes = Sizes::of(study, &[a, b]);
        u_difference(
            (a, b),
            [pair(a, a), pair(b, b), pair(a, b)],
            moments,
            sizes,
            confidence,
        )
    };
    let pairs = (0..t).flat_map(|a| (a + 1..t).map(move |b| (a, b)));
    Ok(UAnalysis {
        moments,
        modalities: (0..t).map(modality).collect(),
        differences: pairs.map(difference).collect::<Result<_, Error>>()?,
    })
}

/// Both estimates of the moments of two modalities, and the areas.
struct Both {
    areas: [f64; 2],
    unbiased: PairMoments,
    empirical: PairMoments,
}

impl Both {
    fn of(&self, moments: MomentEstimate) -> &PairMoments {
        match moments {
            MomentEstimate::Unbiased => &self.unbiased,
            MomentEstimate::Empirical => &self.empirical,
        }
    }
}

/// For modalities (0, 0), (0, 1), (1, 1), (0, 2), …: the lower triangle.
fn modality_moments(study: &ReaderStudy, wins: &[Wins]) -> Result<Vec<Both>, Error> {
    let cells = study.cells();
    let of_modality = |modality: usize| -> Vec<usize> {
        (0..cells.len())
            .filter(|&row| cells[row].modality == modality)
            .collect()
    };
    let rows: Vec<Vec<usize>> = (0..study.modalities().len()).map(of_modality).collect();
    let area = |rows: &[usize]| {
        let total: f64 = rows.iter().map(|&row| wins[row].total).sum();
        total / rows.iter().map(|&row| wins[row].pairs()).sum::<f64>()
    };
    let both = |a: usize, b: usize| {
        let pairs = rows[a]
            .iter()
            .flat_map(|&i| rows[b].iter().map(move |&j| (i, j)));
        let (same, all) = summed(&pairs.collect::<Vec<_>>(), study, wins);
        Ok(Both {
            areas: [area(&rows[a]), area(&rows[b])],
            unbiased: PairMoments::unbiased(&same, &all)?,
            empirical: PairMoments::empirical(&same, &all),
        })
    };
    let triangle = (0..rows.len()).flat_map(|b| (0..=b).map(move |a| (a, b)));
    triangle.map(|(a, b)| both(a, b)).collect()
}

/// Sums over pairs of cells of the same reader, and over all pairs.
fn summed(pairs: &[(usize, usize)], study: &ReaderStudy, wins: &[Wins]) -> (PairSums, PairSums) {
    let sums: Vec<PairSums> = pairs
        .par_iter()
        .map(|&(i, j)| PairSums::of(&wins[i], &wins[j]))
        .collect();
    let (mut same, mut all) = (PairSums::default(), PairSums::default());
    for (&(i, j), sum) in pairs.iter().zip(&sums) {
        if study.cells()[i].reader == study.cells()[j].reader {
            same.add(sum);
        }
        all.add(sum);
    }
    (same, all)
}

/// Readers and cases with ratings in any of some modalities, less one each.
#[derive(Clone, Copy)]
struct Sizes {
    readers: f64,
    healthy: f64,
    diseased: f64,
}

impl Sizes {
    fn of(study: &ReaderStudy, modalities: &[usize]) -> Sizes {
        let mut seen = vec![false; study.cases().len()];
        let mut readers = vec![false; study.readers().len()];
        let cells = study.cells().iter();
        for cell in cells.filter(|cell| modalities.contains(&cell.modality)) {
            readers[cell.reader] = true;
            cell.cases
                .iter()
                .for_each(|&case| seen[case as usize] = true);
        }
        let of_class = |class: bool| {
            let cases = seen.iter().zip(study.truth());
            cases
                .filter(|&(&seen, &present)| seen && present == class)
                .count() as f64
        };
        Sizes {
            readers: readers.into_iter().filter(|&reads| reads).count() as f64 - 1.0,
            healthy: of_class(false) - 1.0,
            diseased: of_class(true) - 1.0,
        }
    }

    /// BDG degrees of freedom of a variance with these unbiased parts.
    fn degrees_of_freedom(&self, variance: f64, part: impl Fn(Share) -> f64) -> Option<f64> {
        let term = |share: Share, size: f64| part(share).powi(2) / size;
        let scale = term(Share::Readers, self.readers)
            + term(Share::Healthy, self.healthy)
            + term(Share::Diseased, self.diseased);
        (scale > 0.0 && variance > 0.0).then(|| variance * variance / scale)
    }
}

fn u_estimate(
    modality: usize,
    both: &Both,
    moments: MomentEstimate,
    sizes: Sizes,
    confidence: Confidence,
) -> UEstimate {
    let chosen = both.of(moments);
    let variance = chosen.variance();
    let df = sizes.degrees_of_freedom(variance, |share| both.unbiased.part(share));
    let standard_error = variance.max(0.0).sqrt();
    let contrast = Contrast::new(both.areas[0], standard_error, whole(df), confidence);
    UEstimate {
        modality,
        estimate: both.areas[0],
        variance,
        standard_error,
        degrees_of_freedom: df,
        interval: contrast.cut(0.0, 1.0).interval,
        moments: chosen.clone(),
    }
}

/// Rounded down, at least 1.
fn whole(degrees_of_freedom: Option<f64>) -> Option<f64> {
    degrees_of_freedom.map(|df| df.floor().max(1.0))
}

/// `sides`: first with itself, second with itself, first with second.
fn u_difference(
    (first, second): (usize, usize),
    sides: [&Both; 3],
    moments: MomentEstimate,
    sizes: Sizes,
    confidence: Confidence,
) -> Result<UDifference, Error> {
    let contrast_of =
        |value: &dyn Fn(&Both) -> f64| value(sides[0]) + value(sides[1]) - 2.0 * value(sides[2]);
    let variance = contrast_of(&|both| both.of(moments).variance());
    let estimate = sides[0].areas[0] - sides[1].areas[0];
    if estimate != 0.0 && variance <= 0.0 {
        let text = format!("expected a difference with variance, got {estimate} with {variance}");
        return Err(Error::new(ErrorKind::ZeroVariance, text));
    }
    let part = |share: Share| contrast_of(&|both| both.unbiased.part(share));
    let df = sizes.degrees_of_freedom(variance, part);
    let standard_error = variance.max(0.0).sqrt();
    let by = |df| Contrast::new(estimate, standard_error, df, confidence).cut(-1.0, 1.0);
    Ok(UDifference {
        first,
        second,
        variance,
        normal: by(None),
        degrees_of_freedom: df,
        student: by(whole(df)),
        cross_moments: sides[2].of(moments).clone(),
    })
}
