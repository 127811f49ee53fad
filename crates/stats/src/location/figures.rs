//! Figures of merit of marks, and their jackknife.

use rayon::prelude::*;

use super::curve::{at_abscissa, points_of};
use super::study::{LocationStudy, Marks};
use super::wins::{Unit, weighted_wins};
use crate::mrmc::{FigureTable, Influence};
use crate::{Error, ErrorKind};

/// What the marks of a reader in one modality are summed up to. All lie in 0..=1.
///
/// Common formula: `θ = Σ_f Σ_l w_l ψ(z_l, z_f) / (F W)`, ψ = 1, ½, 0 for `z_l >, =, < z_f`.
/// Symbols: l the lesions with rating z_l and weight w_l of sum W, f the cases with false-positive
/// rating z_f, F in number; unmarked lesions and cases have rating −∞, and two of them are a tie.
///
/// ```
/// use lobule_stats::location::LocationFigure;
/// let figure = LocationFigure::CorrectLocalization { false_positive_fraction: 0.2 };
/// assert_ne!(figure, LocationFigure::WeightedAfroc);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum LocationFigure {
    /// AFROC: each lesion counts alike; z_f the highest false mark of each healthy case.
    /// Chakraborty & Winter 1990, doi:10.1148/radiology.174.3.2305073.
    Afroc,
    /// wAFROC: as AFROC with the lesions' weights, so that each diseased case counts alike.
    /// Chakraborty & Zhai 2016, doi:10.1118/1.4947125.
    WeightedAfroc,
    /// AFROC1: as AFROC, with the highest false mark of every case, diseased ones too.
    /// Chakraborty 2017, doi:10.1201/9781351228190.
    Afroc1,
    /// wAFROC1: as AFROC1 with the lesions' weights.
    WeightedAfroc1,
    /// The area under the ROC curve of each case's highest mark, true or false.
    /// Chakraborty 2017, doi:10.1201/9781351228190.
    HighestRatingAuc,
    /// The area under the LROC curve: z_l the highest mark of each diseased case where that hits a
    /// lesion, else −∞ with ψ = 0. Swensson 1996, doi:10.1118/1.597758.
    LocalizationAuc,
    /// PCL: the share of diseased cases whose highest mark hits a lesion, where the LROC curve
    /// first reaches this false-positive fraction, read off straight lines between its corners.
    /// Swensson 1996, doi:10.1118/1.597758.
    CorrectLocalization {
        /// The share of healthy cases with a false mark, above 0 and at most 1.
        false_positive_fraction: f64,
    },
}

/// Evaluates a figure for every reader and modality, with covariances by leaving out each case in
/// turn; [`crate::mrmc::obuchowski_rockette`] and
/// [`crate::mrmc::readers_against_standalone`] take the table.
///
/// Cost: n log n per reader and modality; for [`LocationFigure::CorrectLocalization`] n² log n.
///
/// ```
/// use lobule_stats::location::{LesionTruth, LocationFigure, LocationStudy, Mark, location_table};
/// let lesion = |case| LesionTruth { case, lesion: Some("a"), weight: None };
/// let truth = [LesionTruth::none("c1"), LesionTruth::none("c2"), lesion("c3"), lesion("c4")];
/// let mark = |case, lesion, rating| Mark { reader: "ann", modality: "2D", case, lesion, rating };
/// let study = LocationStudy::new(truth, [mark("c1", None, 2.0), mark("c3", Some("a"), 4.0)])?;
/// let table = location_table(&study, LocationFigure::WeightedAfroc)?;
/// // c3 beats both healthy cases, c4 ties with the unmarked one.
/// assert_eq!(table.estimate(0, 0), Some((2.0 + 0.5) / 4.0));
/// # Ok::<(), lobule_stats::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::TooFew`] for fewer than two healthy or diseased cases, [`ErrorKind::OutOfRange`]
/// for a false-positive fraction outside (0, 1].
pub fn location_table(study: &LocationStudy, figure: LocationFigure) -> Result<FigureTable, Error> {
    let (healthy, diseased) = (study.n_healthy(), study.n_diseased());
    if healthy < 2 || diseased < 2 {
        let text = format!("expected at least 2 cases of each class, got {healthy}, {diseased}");
        return Err(Error::new(ErrorKind::TooFew, text));
    }
    let cells = study.cells().par_iter();
    let parts = cells.map(|marks| evaluate(study, marks, figure));
    let parts = parts.collect::<Result<Vec<(f64, Influence)>, Error>>()?;
    Ok(FigureTable::crossed(
        study.modalities(),
        study.readers(),
        parts,
    ))
}

fn evaluate(
    study: &LocationStudy,
    marks: &Marks,
    figure: LocationFigure,
) -> Result<(f64, Influence), Error> {
    let view = View { study, marks };
    let healthy = || view.false_marks(|case| !study.diseased()[case]);
    let weighted =
        |weight: fn(f64) -> f64, noise: Vec<Unit>| weighted_wins(&view.lesions(weight), &noise);
    Ok(match figure {
        LocationFigure::Afroc => weighted(|_| 1.0, healthy()),
        LocationFigure::WeightedAfroc => weighted(|weight| weight, healthy()),
        LocationFigure::Afroc1 => weighted(|_| 1.0, view.false_marks(|_| true)),
        LocationFigure::WeightedAfroc1 => weighted(|weight| weight, view.false_marks(|_| true)),
        LocationFigure::HighestRatingAuc => weighted_wins(&view.highest_marks(), &healthy()),
        LocationFigure::LocalizationAuc => weighted_wins(&view.localized(), &healthy()),
        LocationFigure::CorrectLocalization {
            false_positive_fraction,
        } => correct_localization(&view, false_positive_fraction)?,
    })
}

/// The marks of one reader in one modality, as units of cases.
pub(crate) struct View<'a> {
    pub(crate) study: &'a LocationStudy,
    pub(crate) marks: &'a Marks,
}

impl View<'_> {
    /// Every lesion with its rating.
    pub(crate) fn lesions(&self, weight: impl Fn(f64) -> f64) -> Vec<Unit> {
        let lesions = self.study.lesions().iter();
        let mut units: Vec<Unit> = lesions
            .map(|lesion| Unit {
                case: lesion.case,
                rating: f64::NEG_INFINITY,
                weight: weight(lesion.weight),
            })
            .collect();
        for &(lesion, rating) in &self.marks.hits {
            units[lesion as usize].rating = rating;
        }
        units
    }

    /// The highest false mark of every chosen case.
    pub(crate) fn false_marks(&self, chosen: impl Fn(usize) -> bool) -> Vec<Unit> {
        let highest = self.highest_misses();
        let cases = highest.into_iter().enumerate();
        let chosen = cases.filter(|(case, _)| chosen(*case));
        chosen
            .map(|(case, rating)| Unit::new(case, rating))
            .collect()
    }

    fn highest_misses(&self) -> Vec<f64> {
        let mut highest = vec![f64::NEG_INFINITY; self.study.diseased().len()];
        for &(case, rating) in &self.marks.misses {
            let best = &mut highest[case as usize];
            *best = best.max(rating);
        }
        highest
    }

    fn highest_hits(&self) -> Vec<f64> {
        let mut highest = vec![f64::NEG_INFINITY; self.study.diseased().len()];
        for unit in self.lesions(|weight| weight) {
            let best = &mut highest[unit.case as usize];
            *best = best.max(unit.rating);
        }
        highest
    }

    /// The highest mark of every diseased case.
    fn highest_marks(&self) -> Vec<Unit> {
        self.diseased(|hit, miss| hit.max(miss))
    }

    /// The highest mark of every diseased case where it hits; NaN, which beats nothing, elsewhere.
    pub(crate) fn localized(&self) -> Vec<Unit> {
        self.diseased(|hit, miss| {
            if hit > f64::NEG_INFINITY && hit >= miss {
                hit
            } else {
                f64::NAN
            }
        })
    }

    fn diseased(&self, rating: impl Fn(f64, f64) -> f64) -> Vec<Unit> {
        let (hits, misses) = (self.highest_hits(), self.highest_misses());
        let cases = (0..hits.len()).filter(|&case| self.study.diseased()[case]);
        let unit = |case: usize| Unit::new(case, rating(hits[case], misses[case]));
        cases.map(unit).collect()
    }
}

fn correct_localization(view: &View, fraction: f64) -> Result<(f64, Influence), Error> {
    if !(fraction > 0.0 && fraction <= 1.0) {
        let text = format!("expected a false-positive fraction above 0, at most 1, got {fraction}");
        return Err(Error::new(ErrorKind::OutOfRange, text));
    }
    let healthy = view.false_marks(|case| !view.study.diseased()[case]);
    let localized = view.localized();
    let without = |case: Option<u32>| {
        let rest = |units: &[Unit]| -> Vec<Unit> {
            let kept = units.iter().filter(|unit| Some(unit.case) != case);
            kept.copied().collect()
        };
        let points = points_of(&rest(&localized), &rest(&healthy));
        at_abscissa(&points, fraction)
    };
    let whole = without(None);
    let cases = 0..view.study.diseased().len() as u32;
    let changes = cases
        .map(|case| (case, without(Some(case)) - whole))
        .collect();
    Ok((whole, Influence::from_changes(changes)))
}
