//! Marks with a place.

use lobule_stats::location::{
    LocationCurve, LocationFigure, LocationStudy, location_curve, location_table,
};

use super::analysis::{Analysis, analyse};
use super::ratings::{Curves, RocCurve};
use super::{AgainstAlgorithm, Config, Readers, covariance_words, ordered, random_words};
use crate::Error;
use crate::table::MarkTable;
use crate::value::{Difference, Found, Margin};

pub(super) fn run(table: &MarkTable, config: &Config) -> Result<Readers, Error> {
    let names = table.readers();
    let people: Vec<usize> = (0..names.len())
        .filter(|&reader| !table.is_algorithm(reader))
        .collect();
    if people.is_empty() {
        return Err(Error::config(
            "expected at least one reader, got algorithms alone",
        ));
    }
    let all = (0..table.modalities().len()).collect();
    let modalities = ordered(table.modalities(), all, config)?;
    let study = table.location_study(&modalities, |reader| !table.is_algorithm(reader))?;
    let figures = config.location_figures.iter();
    Ok(Readers {
        input: table.input().clone(),
        n_readers: people.len(),
        n_cases: table.n_cases(),
        n_positive: study.n_diseased(),
        clusters: None,
        n_lesions: Some(table.n_lesions()),
        confidence: config.confidence.level(),
        random: random_words(config.random).to_owned(),
        covariance: covariance_words(lobule_stats::mrmc::CovarianceMethod::Jackknife).to_owned(),
        modalities: study.modalities().to_vec(),
        figures: figures
            .map(|&figure| Found::from(one_figure(&study, figure, config)))
            .collect(),
        u_statistics: None,
        u_figures: Vec::new(),
        at_threshold: None,
        algorithms: against_algorithms(table, &modalities, config)?,
        subgroups: Vec::new(),
        curves: curves(&study)?,
    })
}

fn one_figure(
    study: &LocationStudy,
    figure: LocationFigure,
    config: &Config,
) -> Result<Analysis, Error> {
    let table = location_table(study, figure)?;
    analyse(&figure_words(figure), &table, config)
}

fn figure_words(figure: LocationFigure) -> String {
    match figure {
        LocationFigure::Afroc => "AFROC area".into(),
        LocationFigure::WeightedAfroc => "wAFROC area".into(),
        LocationFigure::Afroc1 => "AFROC1 area".into(),
        LocationFigure::WeightedAfroc1 => "wAFROC1 area".into(),
        LocationFigure::HighestRatingAuc => "highest-rating AUC".into(),
        LocationFigure::LocalizationAuc => "LROC area".into(),
        LocationFigure::CorrectLocalization {
            false_positive_fraction,
        } => format!(
            "correct localization at a false-positive fraction of {false_positive_fraction}"
        ),
        _ => "figure".into(),
    }
}

/// Readers against each algorithm that marked in the same modality, by the first figure.
fn against_algorithms(
    table: &MarkTable,
    modalities: &[usize],
    config: &Config,
) -> Result<Vec<AgainstAlgorithm>, Error> {
    let Some(&figure) = config.location_figures.first() else {
        return Ok(Vec::new());
    };
    let readers = 0..table.readers().len();
    let algorithms: Vec<usize> = readers.filter(|&r| table.is_algorithm(r)).collect();
    let mut rows = Vec::new();
    for &modality in modalities {
        for &algorithm in &algorithms {
            let keep = |reader: usize| reader == algorithm || !table.is_algorithm(reader);
            let name = table.readers().name(algorithm);
            let how = table.modalities().name(modality);
            let result = table.location_study(&[modality], keep).and_then(|study| {
                let figures = location_table(&study, figure)?;
                Ok(lobule_stats::mrmc::readers_against_standalone(
                    &figures,
                    how,
                    name,
                    config.random,
                    config.confidence,
                )?)
            });
            let area = match &result {
                Ok(_) => "the algorithm alone has no interval in this analysis".to_owned(),
                Err(error) => error.to_string(),
            };
            rows.push(AgainstAlgorithm {
                modality: how.to_owned(),
                algorithm: name.to_owned(),
                area: Found::Refused(area),
                reader_mean: result.as_ref().ok().map(|result| result.reader_mean),
                holm_p_value: None,
                non_inferiority: config.margin.and_then(|margin| {
                    let contrast = result.as_ref().ok()?.contrast;
                    Some(Found::from(
                        contrast.non_inferiority(margin).map(Margin::from),
                    ))
                }),
                comparison: Found::from(result.map(|result| Difference::from(&result.contrast))),
            });
        }
    }
    Ok(rows)
}

/// FROC curves: false marks per case, share of lesions found.
fn curves(study: &LocationStudy) -> Result<Vec<Curves>, Error> {
    let one = |modality: usize, reader: usize| -> Result<RocCurve, Error> {
        let points = location_curve(study, modality, reader, LocationCurve::Froc)?;
        Ok(RocCurve {
            name: study.readers()[reader].clone(),
            auc: None,
            points: points
                .iter()
                .map(|point| (point.abscissa, point.ordinate))
                .collect(),
        })
    };
    let of_modality = |modality: usize| -> Result<Curves, Error> {
        let readers = 0..study.readers().len();
        Ok(Curves {
            modality: study.modalities()[modality].clone(),
            readers: readers
                .map(|reader| one(modality, reader))
                .collect::<Result<_, Error>>()?,
            mean: Vec::new(),
            algorithms: Vec::new(),
        })
    };
    (0..study.modalities().len()).map(of_modality).collect()
}
