//! Decisions of readers at a threshold: each reader's table, and the modalities compared by GEE
//! and by the Obuchowski–Rockette analysis of the rates.

use lobule_stats::gee::{Link, compare_rates};
use lobule_stats::mrmc::{Figure, FigureTable, ReaderStudy};
use lobule_stats::operating::{ConfusionTable, OperatingPoint};
use serde::Serialize;

use super::Config;
use super::analysis::{Analysis, analyse, figure_words};
use crate::Error;
use crate::table::{Place, ScoreTable};
use crate::value::{Decisions, Difference, Estimate, Found};

/// Decisions at a threshold on the ratings.
///
/// ```
/// use lobule_study::readers::AtThreshold;
/// fn n(decisions: &AtThreshold) -> usize { decisions.readers.len() }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtThreshold {
    /// Ratings from here on are positive decisions.
    pub threshold: f64,
    /// Every reader in every modality.
    pub readers: Vec<ReaderDecisions>,
    /// Sensitivities compared.
    pub sensitivity: Rates,
    /// Specificities compared.
    pub specificity: Rates,
}

/// A reader's decisions in a modality.
///
/// ```
/// use lobule_study::readers::ReaderDecisions;
/// fn name(row: &ReaderDecisions) -> &str { &row.reader }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderDecisions {
    /// Who.
    pub reader: String,
    /// Reading how.
    pub modality: String,
    /// What the threshold does.
    pub decisions: Decisions,
}

/// A rate compared between modalities in two ways.
///
/// ```
/// use lobule_study::readers::Rates;
/// fn gee(rates: &Rates) -> bool { rates.gee.value().is_some() }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rates {
    /// Multi-reader multi-case analysis of the rate.
    pub mrmc: Found<Analysis>,
    /// By generalized estimating equations (identity link, exchangeable correlation within a
    /// case, robust errors; readers fixed): the modalities' rates.
    pub gee: Found<Vec<(String, Estimate)>>,
    /// Their differences, pair by pair: first, second, first minus second.
    pub gee_differences: Vec<(String, String, Difference)>,
}

pub(super) fn at_threshold(
    table: &ScoreTable,
    study: &ReaderStudy,
    places: &[Place],
    threshold: f64,
    config: &Config,
) -> AtThreshold {
    let of_reader = |place: &Place| {
        let series = table.series(place.modality, place.reader)?;
        let table_2x2 = ConfusionTable::at_threshold(&series.ratings, &series.truth, threshold);
        let point = OperatingPoint {
            threshold,
            table: table_2x2.ok()?,
        };
        Some(ReaderDecisions {
            reader: table.readers().name(place.reader).to_owned(),
            modality: table.modalities().name(place.modality).to_owned(),
            decisions: Decisions::new(&point, config.confidence),
        })
    };
    AtThreshold {
        threshold,
        readers: places.iter().filter_map(of_reader).collect(),
        sensitivity: rates(study, Figure::Sensitivity { threshold }, config),
        specificity: rates(study, Figure::Specificity { threshold }, config),
    }
}

fn rates(study: &ReaderStudy, figure: Figure, config: &Config) -> Rates {
    let mrmc = FigureTable::new(study, figure, config.covariance)
        .map_err(Error::from)
        .and_then(|table| analyse(&figure_words(figure), &table, config));
    let name = |index: usize| study.modalities()[index].clone();
    let gee = compare_rates(study, figure, Link::Identity, config.confidence);
    let gee_differences = gee.as_ref().map(|result| {
        let rows = result.differences.iter();
        rows.map(|row| {
            (
                name(row.first),
                name(row.second),
                Difference::from(&row.contrast),
            )
        })
        .collect()
    });
    Rates {
        mrmc: Found::from(mrmc),
        gee_differences: gee_differences.unwrap_or_default(),
        gee: Found::from(gee.map(|result| {
            let rows = result.rates.iter().zip(study.modalities());
            rows.map(|((rate, interval), modality)| {
                (modality.clone(), Estimate::new(*rate, *interval))
            })
            .collect()
        })),
    }
}
