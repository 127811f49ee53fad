//! Ratings of whole cases.

use lobule_stats::mrmc::{
    Figure, FigureTable, ReaderStudy, readers_against_standalone, u_statistics,
};
use lobule_stats::roc::{AucScale, Roc};
use serde::Serialize;

use super::analysis::{Analysis, analyse, figure_words};
use super::{Config, Readers, covariance_words, decide, ordered, random_words};
use crate::Error;
use crate::table::{Place, ScoreTable};
use crate::value::{Difference, Estimate, Found, Margin};

/// Readers in a modality against an algorithm, with the algorithm as a single treatment.
///
/// ```
/// use lobule_study::readers::AgainstAlgorithm;
/// fn wins(row: &AgainstAlgorithm) -> bool {
///     row.comparison.value().is_some_and(|d| d.estimate < 0.0 && d.p_value < 0.05)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgainstAlgorithm {
    /// The readers' modality.
    pub modality: String,
    /// The algorithm.
    pub algorithm: String,
    /// The algorithm's area, DeLong on the logit scale, cases taken as independent.
    pub area: Found<Estimate>,
    /// Mean of the readers' areas.
    pub reader_mean: Option<f64>,
    /// Readers minus algorithm.
    pub comparison: Found<Difference>,
    /// Adjusted by Holm over algorithms and modalities.
    pub holm_p_value: Option<f64>,
    /// The readers not worse by the margin.
    pub non_inferiority: Option<Found<Margin>>,
}

/// The U-statistic estimate of a modality.
///
/// ```
/// use lobule_study::readers::UFigure;
/// fn area(row: &UFigure) -> f64 { row.area.estimate }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UFigure {
    /// Reading how.
    pub modality: String,
    /// The mean area.
    pub area: Estimate,
    /// Over readers and cases.
    pub standard_error: f64,
    /// Of Brennan, Dodd and Gallas.
    pub degrees_of_freedom: Option<f64>,
}

/// The U-statistic difference of two modalities.
///
/// ```
/// use lobule_study::readers::UContrast;
/// fn p(row: &UContrast) -> f64 { row.difference.p_value }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UContrast {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// First minus second.
    pub difference: Difference,
}

/// The primary figure in one group of cases.
///
/// ```
/// use lobule_study::readers::Subgroup;
/// fn n(group: &Subgroup) -> usize { group.n_cases }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subgroup {
    /// The column.
    pub column: String,
    /// The group.
    pub label: String,
    /// Its cases.
    pub n_cases: usize,
    /// Its cases with the disease.
    pub n_positive: usize,
    /// The analysis of these cases alone.
    pub analysis: Found<Analysis>,
}

/// ROC curves of one modality.
///
/// ```
/// use lobule_study::readers::Curves;
/// fn n(curves: &Curves) -> usize { curves.readers.len() }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curves {
    /// Reading how; the algorithm's name for a curve of its own.
    pub modality: String,
    /// Each reader's.
    pub readers: Vec<RocCurve>,
    /// Mean sensitivity of the readers at each false-positive rate.
    pub mean: Vec<(f64, f64)>,
    /// The algorithms'.
    pub algorithms: Vec<RocCurve>,
}

/// A curve of (1 − specificity, sensitivity).
///
/// ```
/// use lobule_study::readers::RocCurve;
/// let chance = RocCurve { name: "coin".into(), auc: Some(0.5), points: vec![(0.0, 0.0), (1.0, 1.0)] };
/// assert_eq!(chance.points.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RocCurve {
    /// Whose.
    pub name: String,
    /// Its area, of a curve of ratings.
    pub auc: Option<f64>,
    /// From (0, 0) to (1, 1).
    pub points: Vec<(f64, f64)>,
}

pub(super) fn run(table: &ScoreTable, config: &Config) -> Result<Readers, Error> {
    let people = table.people();
    if people.is_empty() {
        return Err(Error::config(
            "expected at least one reader, got algorithms alone",
        ));
    }
    let has_people = |&m: &usize| table.places().any(|(at, r)| at == m && people.contains(&r));
    let with_people = (0..table.modalities().len()).filter(has_people).collect();
    let modalities = ordered(table.modalities(), with_people, config)?;
    let places = places(&modalities, &people);
    let study = table.reader_study(&places, |_| true)?;
    let clusters = table.clusters();
    let (u_figures, u_statistics) = u_analysis(&study, config);
    Ok(Readers {
        input: table.input().clone(),
        n_readers: people.len(),
        n_cases: table.cases().len(),
        n_positive: table.n_positive(),
        clusters: clusters.map(|c| (c.name().to_owned(), c.labels().len())),
        n_lesions: None,
        confidence: config.confidence.level(),
        random: random_words(config.random).to_owned(),
        covariance: covariance_words(config.covariance).to_owned(),
        modalities: modalities
            .iter()
            .map(|&m| table.modalities().name(m).to_owned())
            .collect(),
        figures: config
            .figures
            .iter()
            .map(|&figure| Found::from(one_figure(&study, figure, config)))
            .collect(),
        u_statistics: (modalities.len() > 1).then_some(u_statistics),
        u_figures,
        at_threshold: config
            .threshold
            .map(|threshold| decide::at_threshold(table, &study, &places, threshold, config)),
        algorithms: against_algorithms(table, &modalities, &people, config)?,
        subgroups: subgroups(table, &places, config),
        curves: curves(table, &modalities, &people)?,
    })
}

fn places(modalities: &[usize], people: &[usize]) -> Vec<Place> {
    let all = modalities
        .iter()
        .flat_map(|&m| people.iter().map(move |&r| Place::of(m, r)));
    all.collect()
}

fn one_figure(study: &ReaderStudy, figure: Figure, config: &Config) -> Result<Analysis, Error> {
    let table = FigureTable::new(study, figure, config.covariance)?;
    analyse(&figure_words(figure), &table, config)
}

fn u_analysis(study: &ReaderStudy, config: &Config) -> (Vec<UFigure>, Found<Vec<UContrast>>) {
    let name = |index: usize| study.modalities()[index].clone();
    match u_statistics(study, config.moments, config.confidence) {
        Err(error) => (Vec::new(), Found::Refused(error.to_string())),
        Ok(result) => {
            let figures = result.modalities.iter().map(|row| UFigure {
                modality: name(row.modality),
                area: Estimate::new(row.estimate, row.interval),
                standard_error: row.standard_error,
                degrees_of_freedom: row.degrees_of_freedom,
            });
            let contrasts = result.differences.iter().map(|row| UContrast {
                first: name(row.first),
                second: name(row.second),
                difference: Difference::from(&row.student),
            });
            (figures.collect(), Found::Value(contrasts.collect()))
        }
    }
}

fn against_algorithms(
    table: &ScoreTable,
    modalities: &[usize],
    people: &[usize],
    config: &Config,
) -> Result<Vec<AgainstAlgorithm>, Error> {
    let alone: Vec<(usize, usize)> = table
        .places()
        .filter(|&(_, reader)| table.is_algorithm(reader))
        .collect();
    let mut rows = Vec::new();
    for &modality in modalities {
        for &(at, algorithm) in &alone {
            rows.push(against(table, (modality, people), (at, algorithm), config));
        }
    }
    let tested = |row: &AgainstAlgorithm| row.comparison.value().map(|d| d.p_value);
    let p: Vec<f64> = rows.iter().filter_map(tested).collect();
    if !p.is_empty() {
        let mut adjusted = lobule_stats::multiplicity::holm(&p)?.into_iter();
        for row in rows.iter_mut().filter(|row| tested(row).is_some()) {
            row.holm_p_value = adjusted.next();
        }
    }
    Ok(rows)
}

fn against(
    table: &ScoreTable,
    (modality, people): (usize, &[usize]),
    (at, algorithm): (usize, usize),
    config: &Config,
) -> AgainstAlgorithm {
    let name = table.readers().name(algorithm);
    let how = table.modalities().name(modality);
    let result = (|| {
        let mut places = places(&[modality], people);
        places.push(Place {
            modality: at,
            reader: algorithm,
            shown_as: modality,
        });
        let study = table.reader_study(&places, |_| true)?;
        let figure = config.figures.first().copied().unwrap_or(Figure::Auc);
        let figures = FigureTable::new(&study, figure, config.covariance)?;
        let compared =
            readers_against_standalone(&figures, how, name, config.random, config.confidence);
        Ok::<_, Error>(compared?)
    })();
    AgainstAlgorithm {
        modality: how.to_owned(),
        algorithm: name.to_owned(),
        area: Found::from(area(table, at, algorithm, config)),
        reader_mean: result.as_ref().ok().map(|result| result.reader_mean),
        holm_p_value: None,
        non_inferiority: config.margin.and_then(|margin| {
            let result = result.as_ref().ok()?;
            let test = result.contrast.non_inferiority(margin);
            Some(Found::from(test.map(Margin::from)))
        }),
        comparison: Found::from(result.map(|result| Difference::from(&result.contrast))),
    }
}

fn area(
    table: &ScoreTable,
    modality: usize,
    reader: usize,
    config: &Config,
) -> Result<Estimate, Error> {
    let series = table.series(modality, reader);
    let series = series.ok_or_else(|| Error::config("expected ratings, got none"))?;
    let roc = Roc::new(&series.ratings, &series.truth)?;
    let interval = roc.auc_interval(config.confidence, AucScale::Logit)?;
    Ok(Estimate::new(roc.auc(), interval))
}

fn subgroups(table: &ScoreTable, places: &[Place], config: &Config) -> Vec<Subgroup> {
    let figure = config.figures.first().copied().unwrap_or(Figure::Auc);
    let groups = table
        .groups()
        .iter()
        .flat_map(|group| (0..group.labels().len()).map(move |label| (group, label)));
    groups
        .map(|(group, label)| {
            let keep = |case: usize| group.holds(case, label);
            let kept: Vec<usize> = (0..table.cases().len()).filter(|&c| keep(c)).collect();
            let study = table.reader_study(places, keep);
            let analysis = study.and_then(|study| one_figure(&study, figure, config));
            Subgroup {
                column: group.name().to_owned(),
                label: group.labels().name(label).to_owned(),
                n_cases: kept.len(),
                n_positive: kept.iter().filter(|&&case| table.truth()[case]).count(),
                analysis: Found::from(analysis),
            }
        })
        .collect()
}

/// False-positive rates at which sensitivities are averaged.
const MEAN_STEPS: usize = 200;

fn curves(
    table: &ScoreTable,
    modalities: &[usize],
    people: &[usize],
) -> Result<Vec<Curves>, Error> {
    let algorithms: Vec<RocCurve> = table
        .places()
        .filter(|&(_, reader)| table.is_algorithm(reader))
        .filter_map(|(m, r)| Some((r, roc(table, m, r)?)))
        .map(|(r, roc)| curve(table.readers().name(r), &roc))
        .collect();
    let of_modality = |&modality: &usize| -> Result<Curves, Error> {
        let rocs = people.iter();
        let rocs: Vec<(usize, Roc)> = rocs
            .filter_map(|&r| Some((r, roc(table, modality, r)?)))
            .collect();
        Ok(Curves {
            modality: table.modalities().name(modality).to_owned(),
            mean: mean_curve(&rocs)?,
            readers: rocs
                .iter()
                .map(|(r, roc)| curve(table.readers().name(*r), roc))
                .collect(),
            algorithms: algorithms.clone(),
        })
    };
    modalities.iter().map(of_modality).collect()
}

/// `None` where the reader did not rate both classes.
fn roc(table: &ScoreTable, modality: usize, reader: usize) -> Option<Roc> {
    let series = table.series(modality, reader)?;
    Roc::new(&series.ratings, &series.truth).ok()
}

pub(crate) fn curve(name: &str, roc: &Roc) -> RocCurve {
    let points = roc.points();
    RocCurve {
        name: name.to_owned(),
        auc: Some(roc.auc()),
        points: points
            .iter()
            .map(|point| (1.0 - point.specificity, point.sensitivity))
            .collect(),
    }
}

fn mean_curve(rocs: &[(usize, Roc)]) -> Result<Vec<(f64, f64)>, Error> {
    if rocs.is_empty() {
        return Ok(Vec::new());
    }
    let mut points = vec![(0.0, 0.0)];
    for step in 0..=MEAN_STEPS {
        let rate = step as f64 / MEAN_STEPS as f64;
        let mut total = 0.0;
        for (_, roc) in rocs {
            total += roc.interpolated_sensitivity(1.0 - rate)?;
        }
        points.push((rate, total / rocs.len() as f64));
    }
    Ok(points)
}
