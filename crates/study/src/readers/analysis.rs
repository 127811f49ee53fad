//! An Obuchowski–Rockette analysis in the words of the result.

use lobule_stats::mrmc::{
    Figure, FigureTable, Layout, OrAnalysis, RandomFactors, obuchowski_rockette,
};
use serde::Serialize;

use super::Config;
use crate::Error;
use crate::value::{Difference, Estimate, Found, Margin};

/// The analysis of one figure of merit.
///
/// ```
/// use lobule_study::readers::Analysis;
/// fn mean(analysis: &Analysis) -> f64 { analysis.modalities[0].figure.estimate }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis {
    /// The figure of merit in words.
    pub figure: String,
    /// How readers, cases and modalities are crossed.
    pub layout: String,
    /// Every reader in every modality.
    pub readers: Vec<ReaderFigure>,
    /// Every modality's mean over readers.
    pub modalities: Vec<ModalityFigure>,
    /// The test that all modalities are equal; `None` for one.
    pub overall: Option<Overall>,
    /// Pairs of modalities.
    pub differences: Vec<ModalityContrast>,
    /// Pairs of modalities within each reader.
    pub reader_differences: Vec<ReaderContrast>,
    /// Components of variance, with which new studies are planned.
    pub variances: Variances,
}

/// The figure of a reader in a modality.
///
/// ```
/// use lobule_study::readers::ReaderFigure;
/// fn name(row: &ReaderFigure) -> &str { &row.reader }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderFigure {
    /// Who.
    pub reader: String,
    /// Reading how.
    pub modality: String,
    /// The figure; its interval is for this reader over other cases.
    pub figure: Estimate,
    /// Over other cases.
    pub standard_error: f64,
}

/// The mean figure of a modality.
///
/// ```
/// use lobule_study::readers::ModalityFigure;
/// fn name(row: &ModalityFigure) -> &str { &row.modality }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModalityFigure {
    /// Reading how.
    pub modality: String,
    /// The mean over readers.
    pub figure: Estimate,
    /// Over what is random.
    pub standard_error: f64,
    /// Of Student's distribution.
    pub degrees_of_freedom: Option<f64>,
}

/// The F test that all modalities have the same figure.
///
/// ```
/// use lobule_study::readers::Overall;
/// let test = Overall {
///     statistic: 4.5, numerator_df: 1.0, denominator_df: Some(15.3), p_value: 0.052,
/// };
/// assert!(test.p_value > 0.05);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Overall {
    /// F, or χ² over its degrees of freedom.
    pub statistic: f64,
    /// Modalities less one.
    pub numerator_df: f64,
    /// Hillis'; `None` where it is infinite.
    pub denominator_df: Option<f64>,
    /// P(F ≥ statistic).
    pub p_value: f64,
}

/// One modality minus another.
///
/// ```
/// use lobule_study::readers::ModalityContrast;
/// fn p(row: &ModalityContrast) -> f64 { row.difference.p_value }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModalityContrast {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// First minus second.
    pub difference: Difference,
    /// Adjusted by Holm over the pairs.
    pub holm_p_value: f64,
    /// First not worse than second by the margin that was asked for.
    pub non_inferiority: Option<Found<Margin>>,
}

/// One modality minus another within a reader.
///
/// ```
/// use lobule_study::readers::ReaderContrast;
/// fn p(row: &ReaderContrast) -> f64 { row.difference.p_value }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderContrast {
    /// Who.
    pub reader: String,
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// First minus second, for this reader over other cases.
    pub difference: Difference,
}

/// The components of the Obuchowski–Rockette model.
///
/// ```
/// use lobule_study::readers::Variances;
/// fn error(components: &Variances) -> f64 { components.error }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Variances {
    /// σ²(R).
    pub reader: Option<f64>,
    /// σ²(TR).
    pub interaction: Option<f64>,
    /// σ²(ε).
    pub error: f64,
    /// Same reader, other modality.
    pub cov1: f64,
    /// Other reader, same modality.
    pub cov2: f64,
    /// Other reader, other modality.
    pub cov3: f64,
}

/// Words of a figure.
pub(super) fn figure_words(figure: Figure) -> String {
    match figure {
        Figure::Auc => "AUC".into(),
        Figure::PartialAuc(_) => "partial AUC".into(),
        Figure::CorrectedPartialAuc(_) => "corrected partial AUC".into(),
        Figure::SensitivityAtSpecificity(at) => format!("sensitivity at specificity {at}"),
        Figure::SpecificityAtSensitivity(at) => format!("specificity at sensitivity {at}"),
        Figure::Sensitivity { threshold } => format!("sensitivity at rating ≥ {threshold}"),
        Figure::Specificity { threshold } => format!("specificity at rating ≥ {threshold}"),
        _ => "figure".into(),
    }
}

pub(super) fn analyse(
    figure: &str,
    table: &FigureTable,
    config: &Config,
) -> Result<Analysis, Error> {
    let or = obuchowski_rockette(table, config.random, config.confidence)?;
    // Readers fixed gives the intervals of single readers whatever is random above.
    let fixed = obuchowski_rockette(table, RandomFactors::Cases, config.confidence)?;
    worded(figure, table, &or, &fixed, config)
}

fn worded(
    figure: &str,
    table: &FigureTable,
    or: &OrAnalysis,
    fixed: &OrAnalysis,
    config: &Config,
) -> Result<Analysis, Error> {
    let modality = |index: usize| table.modalities()[index].clone();
    let reader = |index: usize| table.readers()[index].clone();
    let readers = fixed.readers.iter().map(|row| ReaderFigure {
        reader: reader(row.reader),
        modality: modality(row.modality),
        figure: Estimate::new(row.estimate, row.interval),
        standard_error: row.standard_error,
    });
    let modalities = or.modalities.iter().map(|row| ModalityFigure {
        modality: modality(row.modality),
        figure: Estimate::new(row.estimate, row.interval),
        standard_error: row.standard_error,
        degrees_of_freedom: row.degrees_of_freedom,
    });
    let within = fixed.reader_differences.iter().map(|row| ReaderContrast {
        reader: reader(row.reader),
        first: modality(row.first),
        second: modality(row.second),
        difference: Difference::from(&row.contrast),
    });
    let components = &or.components;
    Ok(Analysis {
        figure: figure.to_owned(),
        layout: layout_words(table.layout()).to_owned(),
        readers: readers.collect(),
        modalities: modalities.collect(),
        overall: or.test.as_ref().map(|test| Overall {
            statistic: test.statistic,
            numerator_df: test.numerator_df,
            denominator_df: test.denominator_df,
            p_value: test.p_value,
        }),
        differences: contrasts(table, or, config)?,
        reader_differences: within.collect(),
        variances: Variances {
            reader: components.reader,
            interaction: components.interaction,
            error: components.error,
            cov1: components.cov1,
            cov2: components.cov2,
            cov3: components.cov3,
        },
    })
}

fn contrasts(
    table: &FigureTable,
    or: &OrAnalysis,
    config: &Config,
) -> Result<Vec<ModalityContrast>, Error> {
    let p: Vec<f64> = or.differences.iter().map(|d| d.contrast.p_value).collect();
    if p.is_empty() {
        return Ok(Vec::new());
    }
    let adjusted = lobule_stats::multiplicity::holm(&p)?;
    let rows = or.differences.iter().zip(adjusted);
    Ok(rows
        .map(|(row, holm_p_value)| ModalityContrast {
            first: table.modalities()[row.first].clone(),
            second: table.modalities()[row.second].clone(),
            difference: Difference::from(&row.contrast),
            holm_p_value,
            non_inferiority: config.margin.map(|margin| {
                let test = row.contrast.non_inferiority(margin);
                Found::from(test.map(Margin::from))
            }),
        })
        .collect())
}

fn layout_words(layout: Layout) -> &'static str {
    match layout {
        Layout::Crossed => "fully crossed",
        Layout::CasesInReaderGroups => "cases nested in groups of readers (split plot)",
        Layout::CasesInModalities => "cases nested in modalities",
        Layout::ReadersInModalities => "readers nested in modalities",
        _ => "incomplete",
    }
}
