//! One row per case, one column per reader or algorithm.

use wildmatch::WildMatch;

use super::long::{CaseColumns, ONLY_MODALITY, TruthWords, is_algorithm, truth_column};
use super::scores::Builder;
use super::source::{Source, shortened};
use super::{Input, ReadConfig, ScoreTable};
use crate::{Error, ErrorKind};

/// Which columns of a wide table hold ratings; `*` stands for any letters, `?` for one.
///
/// ```
/// use lobule_study::table::{ReadConfig, Study, WideColumns};
/// # let folder = tempfile::tempdir().unwrap();
/// # let file = folder.path().join("t.csv");
/// std::fs::write(&file, "case,truth,R1,R2,AI\nc1,0,1,2,.1\nc2,1,,5,.9\n").unwrap();
/// let wide = WideColumns { readers: vec!["R*".into()], algorithms: vec!["AI".into()] };
/// let config = ReadConfig { wide: Some(wide), ..ReadConfig::default() };
/// let study = Study::read(&file, &config)?;
/// assert_eq!(study.scores()?.n_ratings(), 5);
/// assert_eq!(study.scores()?.algorithms(), [2]);
/// # Ok::<(), lobule_study::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WideColumns {
    /// Columns of readers.
    pub readers: Vec<String>,
    /// Columns of algorithms.
    pub algorithms: Vec<String>,
}

/// A column of ratings.
struct RatingColumn {
    column: usize,
    reader: u32,
    place: u32,
}

pub(super) fn read(
    source: &Source,
    input: Input,
    config: &ReadConfig,
) -> Result<ScoreTable, Error> {
    let wide = config.wide.clone().unwrap_or_default();
    let mut cases = CaseColumns::of(source, config)?;
    let mut words = TruthWords::of(config);
    let truth = truth_column(source, config)?;
    let mut builder = Builder::default();
    let has_clusters = cases.keep_labels(source, config, &mut builder)?;
    let people = matching(source, &wide.readers)?;
    let algorithms = matching(source, &wide.algorithms)?;
    if let Some(both) = people.iter().find(|column| algorithms.contains(column)) {
        let name = &source.header()[*both];
        let text = format!("expected a reader or an algorithm, got both for column `{name}`");
        return Err(source.error(ErrorKind::Config, text));
    }
    let modality = builder.modality(ONLY_MODALITY);
    let columns: Vec<RatingColumn> = people
        .iter()
        .chain(&algorithms)
        .map(|&column| RatingColumn {
            column,
            reader: builder.reader(&source.header()[column]),
            place: modality,
        })
        .collect();
    source.for_each(|fields| {
        let case = builder.case(cases.key(fields)?, fields.row);
        let present = words.read(fields, truth)?;
        builder.say_truth(source, fields, truth, case, present)?;
        builder.say_labels(fields, case)?;
        for column in &columns {
            if !fields.text(column.column).is_empty() {
                let rating = fields.number(column.column)?;
                builder.rate((column.place, column.reader), case, fields.row, rating);
            }
        }
        Ok(())
    })?;
    let named: Vec<&String> = algorithms.iter().map(|&c| &source.header()[c]).collect();
    let also = is_algorithm(config);
    let is_algorithm = |name: &str| named.iter().any(|known| *known == name) || also(name);
    builder.finish(source, input, is_algorithm, has_clusters)
}

/// The columns that the patterns name, in the order of the table.
fn matching(source: &Source, patterns: &[String]) -> Result<Vec<usize>, Error> {
    let header = source.header();
    let mut found = Vec::new();
    for text in patterns {
        let pattern = WildMatch::new(text);
        let before = found.len();
        found.extend((0..header.len()).filter(|&column| pattern.matches(&header[column])));
        if found.len() == before {
            let text = format!("expected columns like `{text}`, got {}", shortened(header));
            return Err(source.error(ErrorKind::Column, text));
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
