//! One row per rating: the long layout and iMRMC's.

use super::scores::{Builder, GROUP, HasClusters};
use super::source::{Fields, Source};
use super::{Input, ReadConfig, ScoreTable};
use crate::Error;

/// The reader where there is no such column.
const ONLY_READER: &str = "reader";
/// The modality where there is no such column.
pub(super) const ONLY_MODALITY: &str = "reading";
/// Reader and modality of rows that state the truth.
pub(super) const TRUTH: &str = "truth";

/// The columns that name a case.
pub(super) struct CaseColumns {
    columns: Vec<usize>,
    key: String,
}

impl CaseColumns {
    pub(super) fn of(source: &Source, config: &ReadConfig) -> Result<CaseColumns, Error> {
        let columns = match config.case_columns.is_empty() {
            true => {
                let side = source.find(&["side"])?;
                let case = source.column_of(&["case"])?;
                std::iter::once(case).chain(side).collect()
            }
            false => {
                let named = config.case_columns.iter();
                named
                    .map(|name| source.column(name))
                    .collect::<Result<_, Error>>()?
            }
        };
        Ok(CaseColumns {
            columns,
            key: String::new(),
        })
    }

    /// `exam:side`.
    pub(super) fn key(&mut self, fields: &Fields<'_>) -> Result<&str, Error> {
        self.key.clear();
        for &column in &self.columns {
            if !self.key.is_empty() {
                self.key.push(':');
            }
            self.key.push_str(fields.name(column, "a case")?);
        }
        Ok(&self.key)
    }

    /// The column that clusters cases, if they are clustered.
    pub(super) fn cluster_column(
        &self,
        source: &Source,
        config: &ReadConfig,
    ) -> Result<Option<usize>, Error> {
        match &config.cluster_column {
            Some(name) => source.column(name).map(Some),
            None => Ok((self.columns.len() > 1).then(|| self.columns[0])),
        }
    }

    /// Tells the builder which labels of cases to keep.
    pub(super) fn keep_labels(
        &self,
        source: &Source,
        config: &ReadConfig,
        builder: &mut Builder,
    ) -> Result<HasClusters, Error> {
        let cluster = self.cluster_column(source, config)?;
        if let Some(column) = cluster {
            builder.keep_column(source, column, "cluster");
        }
        for name in &config.group_columns {
            builder.keep_column(source, source.column(name)?, GROUP);
        }
        Ok(match cluster {
            Some(_) => HasClusters::FirstColumn,
            None => HasClusters::None,
        })
    }
}

/// Truth as the table writes it.
pub(super) struct TruthWords {
    positive: Option<String>,
    negative: Option<String>,
}

impl TruthWords {
    pub(super) fn of(config: &ReadConfig) -> TruthWords {
        TruthWords {
            positive: config.positive.clone(),
            negative: None,
        }
    }

    pub(super) fn read(&mut self, fields: &Fields<'_>, column: usize) -> Result<bool, Error> {
        let text = fields.text(column);
        let Some(positive) = &self.positive else {
            return match text {
                "1" | "1.0" | "true" | "TRUE" | "True" => Ok(true),
                "0" | "0.0" | "false" | "FALSE" | "False" => Ok(false),
                _ => Err(fields.value_error(column, "a truth of 0 or 1")),
            };
        };
        if text == positive {
            return Ok(true);
        }
        let text = fields.name(column, "a truth")?;
        let negative = self.negative.get_or_insert_with(|| text.to_owned());
        if text == negative {
            return Ok(false);
        }
        let expected = format!("a truth of `{positive}` or `{negative}`");
        Err(fields.value_error(column, &expected))
    }
}

pub(super) fn truth_column(source: &Source, config: &ReadConfig) -> Result<usize, Error> {
    match &config.truth_column {
        Some(name) => source.column(name),
        None => source.column_of(&["truth"]),
    }
}

pub(super) fn rating_column(source: &Source, config: &ReadConfig) -> Result<usize, Error> {
    match &config.rating_column {
        Some(name) => source.column(name),
        None => source.column_of(&["rating", "score"]),
    }
}

/// Whether a long table has a filled `lesion`, `x` or `y` cell.
pub(super) fn holds_marks(source: &Source) -> Result<bool, Error> {
    let columns = ["lesion", "x", "y"].map(|name| source.find(&[name]));
    let columns: Vec<usize> = columns
        .into_iter()
        .collect::<Result<Vec<_>, Error>>()?
        .into_iter()
        .flatten()
        .collect();
    if columns.is_empty() {
        return Ok(false);
    }
    let mut filled = false;
    source.for_each(|fields| {
        filled |= columns
            .iter()
            .any(|&column| !fields.text(column).is_empty());
        Ok(())
    })?;
    Ok(filled)
}

pub(super) fn read(
    source: &Source,
    input: Input,
    config: &ReadConfig,
) -> Result<ScoreTable, Error> {
    let mut cases = CaseColumns::of(source, config)?;
    let mut words = TruthWords::of(config);
    let truth = truth_column(source, config)?;
    let rating = rating_column(source, config)?;
    let reader = source.find(&["reader"])?;
    let modality = source.find(&["modality", "treatment"])?;
    let mut builder = Builder::default();
    let has_clusters = cases.keep_labels(source, config, &mut builder)?;
    source.for_each(|fields| {
        let case = builder.case(cases.key(fields)?, fields.row);
        let present = words.read(fields, truth)?;
        builder.say_truth(source, fields, truth, case, present)?;
        builder.say_labels(fields, case)?;
        let reader = named(fields, reader, "a reader", ONLY_READER)?;
        let modality = named(fields, modality, "a modality", ONLY_MODALITY)?;
        if is_truth(reader, modality) {
            return Ok(());
        }
        let place = (builder.modality(modality), builder.reader(reader));
        builder.rate(place, case, fields.row, fields.number(rating)?);
        Ok(())
    })?;
    builder.finish(source, input, is_algorithm(config), has_clusters)
}

pub(super) fn read_imrmc(
    source: &Source,
    input: Input,
    config: &ReadConfig,
) -> Result<ScoreTable, Error> {
    let columns =
        ["readerID", "caseID", "modalityID", "score"].map(|name| source.column_of(&[name]));
    let [reader, case, modality, score] = columns;
    let (reader, case, modality, score) = (reader?, case?, modality?, score?);
    let mut words = TruthWords::of(config);
    let mut builder = Builder::default();
    source.for_each(|fields| {
        let index = builder.case(fields.name(case, "a case")?, fields.row);
        let who = fields.name(reader, "a reader")?;
        let how = fields.name(modality, "a modality")?;
        if is_truth(who, how) {
            let present = words.read(fields, score)?;
            return builder.say_truth(source, fields, score, index, present);
        }
        let place = (builder.modality(how), builder.reader(who));
        builder.rate(place, index, fields.row, fields.number(score)?);
        Ok(())
    })?;
    builder.finish(source, input, is_algorithm(config), HasClusters::None)
}

/// The cell of a column that may lack.
pub(super) fn named<'a>(
    fields: &'a Fields<'_>,
    column: Option<usize>,
    what: &str,
    default: &'a str,
) -> Result<&'a str, Error> {
    match column {
        Some(column) => fields.name(column, what),
        None => Ok(default),
    }
}

pub(super) fn is_truth(reader: &str, modality: &str) -> bool {
    reader.eq_ignore_ascii_case(TRUTH) && modality.eq_ignore_ascii_case(TRUTH)
}

/// Whether a reader's name is one of the algorithms'.
pub(super) fn is_algorithm(config: &ReadConfig) -> impl Fn(&str) -> bool {
    let patterns = config.algorithms.iter();
    let patterns: Vec<wildmatch::WildMatch> = patterns
        .map(|name| wildmatch::WildMatch::new(name))
        .collect();
    move |name| patterns.iter().any(|pattern| pattern.matches(name))
}
