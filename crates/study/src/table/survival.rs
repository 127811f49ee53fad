//! Follow-up with groups and covariates.
//!
//! Owns: [`SurvivalTable`], one row per subject. Does not own: curves and models.

use std::path::Path;

use super::names::Names;
use super::source::{Fields, Source, digest};
use super::{Group, Input, file_name};
use crate::{Error, ErrorKind};

/// Which columns of a survival table hold what.
///
/// ```
/// use lobule_study::table::SurvivalColumns;
/// let columns = SurvivalColumns {
///     time: "rfstime".into(),
///     event: "status".into(),
///     groups: vec!["grade".into()],
///     ..SurvivalColumns::default()
/// };
/// assert!(columns.covariates.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SurvivalColumns {
    /// Follow-up, above or at 0.
    pub time: String,
    /// 0 censored, 1 the event, 2 and more competing events; or words, see `event_word`.
    pub event: String,
    /// The word or number for the event; every other is censored. `None`: codes as above.
    pub event_word: Option<String>,
    /// Columns that put subjects into groups.
    pub groups: Vec<String>,
    /// Columns for the model; `factor(name)` takes numbers as categories.
    pub covariates: Vec<String>,
    /// The patient of several rows, for robust errors.
    pub cluster: Option<String>,
    /// Columns whose values the baseline hazard may differ over.
    pub strata: Vec<String>,
    /// Groups and categories that come before the others, in this order, in each column that has
    /// them; the first one is the reference of the model.
    pub reference: Vec<String>,
    /// Only rows that hold one of the values in each of these columns are read.
    pub only: Vec<Only>,
}

/// A column and the values that a row must have one of.
///
/// ```
/// use lobule_study::table::Only;
/// let only: Only = "grade=2".parse()?;
/// assert_eq!((only.column.as_str(), only.values.as_slice()), ("grade", &["2".to_owned()][..]));
/// assert_eq!("er=positive|unknown".parse::<Only>()?.to_string(), "er = positive or unknown");
/// assert!("grade".parse::<Only>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Only {
    /// The column.
    pub column: String,
    /// One of these must stand in it.
    pub values: Vec<String>,
}

impl std::str::FromStr for Only {
    type Err = String;

    fn from_str(text: &str) -> Result<Only, String> {
        let wrong = || format!("expected COLUMN=VALUE or COLUMN=VALUE|VALUE, got `{text}`");
        let (column, values) = text.split_once('=').ok_or_else(wrong)?;
        let values: Vec<String> = values.split('|').map(|v| v.trim().to_owned()).collect();
        if column.trim().is_empty() || values.iter().any(String::is_empty) {
            return Err(wrong());
        }
        Ok(Only {
            column: column.trim().to_owned(),
            values,
        })
    }
}

impl std::fmt::Display for Only {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = {}", self.column, self.values.join(" or "))
    }
}

/// One row per subject.
///
/// ```
/// use lobule_study::table::{SurvivalColumns, SurvivalTable};
/// # let folder = tempfile::tempdir().unwrap();
/// # let file = folder.path().join("t.csv");
/// std::fs::write(&file, "time,event,grade\n5,1,high\n7,0,low\n").unwrap();
/// let columns = SurvivalColumns {
///     time: "time".into(),
///     event: "event".into(),
///     groups: vec!["grade".into()],
///     ..SurvivalColumns::default()
/// };
/// let table = SurvivalTable::read(&file, &columns)?;
/// assert_eq!((table.times(), table.causes()), (&[5.0, 7.0][..], &[1, 0][..]));
/// # Ok::<(), lobule_study::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SurvivalTable {
    input: Input,
    times: Vec<f64>,
    causes: Vec<usize>,
    groups: Vec<Group>,
    covariates: Vec<Covariate>,
    cluster: Option<Group>,
    strata: Vec<Group>,
    only: Vec<Only>,
    n_rows: usize,
    n_others: usize,
    n_incomplete: usize,
}

/// A column of the model.
///
/// ```
/// use lobule_study::table::{Covariate, CovariateKind};
/// let age = Covariate { name: "age".into(), kind: CovariateKind::Numeric(vec![50.0, 61.0]) };
/// assert_eq!(age.name, "age");
/// ```
#[derive(Debug, Clone)]
pub struct Covariate {
    /// The column's name.
    pub name: String,
    /// Its values.
    pub kind: CovariateKind,
}

/// The values of a [`Covariate`].
///
/// ```
/// use lobule_study::table::CovariateKind;
/// assert!(matches!(CovariateKind::Numeric(vec![1.0]), CovariateKind::Numeric(_)));
/// ```
#[derive(Debug, Clone)]
pub enum CovariateKind {
    /// Numbers, one per subject.
    Numeric(Vec<f64>),
    /// The number of each subject's category, and the categories; the first is the reference:
    /// as asked, else by size where all are numbers, else by name.
    Categories {
        /// By subject.
        of_subject: Vec<usize>,
        /// The names.
        labels: Vec<String>,
    },
}

impl SurvivalTable {
    /// Reads CSV, TSV or Parquet. Rows with an empty covariate are left out of the table and
    /// counted ([`SurvivalTable::n_incomplete`]); time and event must be there.
    ///
    /// # Errors
    /// As [`super::Study::read`].
    pub fn read(path: &Path, columns: &SurvivalColumns) -> Result<SurvivalTable, Error> {
        let (sha256, bytes) = digest(path)?;
        let source = Source::open(path)?;
        let mut rows = Rows::of(&source, columns)?;
        source.for_each(|fields| rows.add(fields, columns))?;
        if rows.times.is_empty() {
            let text = "expected at least one complete row, got none";
            return Err(source.error(ErrorKind::Missing, text));
        }
        let input = Input {
            file: file_name(path),
            sha256,
            bytes,
            layout: "survival".to_owned(),
        };
        for name in &columns.reference {
            rows.check_reference(name)
                .map_err(|text| source.error(ErrorKind::Config, text))?;
        }
        Ok(rows.finish(input, &columns.reference))
    }

    /// The file and its digest.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Follow-up by subject.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// 0 censored, else the cause.
    pub fn causes(&self) -> &[usize] {
        &self.causes
    }

    /// The group columns.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The columns of the model.
    pub fn covariates(&self) -> &[Covariate] {
        &self.covariates
    }

    /// Patients of several rows.
    pub fn cluster(&self) -> Option<&Group> {
        self.cluster.as_ref()
    }

    /// What the baseline hazard differs over.
    pub fn strata(&self) -> &[Group] {
        &self.strata
    }

    /// Rows of the file.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// What rows had to hold to be read.
    pub fn only(&self) -> &[Only] {
        &self.only
    }

    /// Rows left out because they do not hold that.
    pub fn n_others(&self) -> usize {
        self.n_others
    }

    /// Rows left out because a group, covariate, cluster or stratum is empty.
    pub fn n_incomplete(&self) -> usize {
        self.n_incomplete
    }
}

/// Rows while they come in.
struct Rows {
    time: usize,
    event: usize,
    times: Vec<f64>,
    causes: Vec<usize>,
    groups: Vec<Labels>,
    covariates: Vec<Values>,
    cluster: Option<Labels>,
    strata: Vec<Labels>,
    only: Vec<(usize, Only)>,
    n_rows: usize,
    n_others: usize,
    n_incomplete: usize,
}

struct Labels {
    column: usize,
    group: Group,
}

struct Values {
    column: usize,
    name: String,
    /// Numbers are asked for to be categories.
    factor: bool,
    names: Names,
    of_subject: Vec<u32>,
}

impl Rows {
    fn of(source: &Source, columns: &SurvivalColumns) -> Result<Rows, Error> {
        let labels = |names: &[String]| {
            let each = names.iter().map(|name| Labels::of(source, name));
            each.collect::<Result<Vec<Labels>, Error>>()
        };
        let cluster = columns.cluster.as_ref();
        let values = columns.covariates.iter();
        Ok(Rows {
            time: source.column(&columns.time)?,
            event: source.column(&columns.event)?,
            times: Vec::new(),
            causes: Vec::new(),
            groups: labels(&columns.groups)?,
            covariates: values
                .map(|name| Values::of(source, name))
                .collect::<Result<_, Error>>()?,
            cluster: cluster.map(|name| Labels::of(source, name)).transpose()?,
            strata: labels(&columns.strata)?,
            only: columns
                .only
                .iter()
                .map(|only| Ok((source.column(&only.column)?, only.clone())))
                .collect::<Result<_, Error>>()?,
            n_rows: 0,
            n_others: 0,
            n_incomplete: 0,
        })
    }

    fn add(&mut self, fields: &Fields<'_>, columns: &SurvivalColumns) -> Result<(), Error> {
        self.n_rows += 1;
        let holds = |(column, only): &(usize, Only)| {
            let text = fields.text(*column);
            only.values.iter().any(|value| value == text)
        };
        if !self.only.iter().all(holds) {
            self.n_others += 1;
            return Ok(());
        }
        let time = fields.number(self.time)?;
        if time < 0.0 {
            return Err(fields.value_error(self.time, "a time of at least 0"));
        }
        let cause = cause(fields, self.event, columns.event_word.as_deref())?;
        let labels = self.groups.iter().chain(&self.cluster).chain(&self.strata);
        let columns = labels.map(|labels| labels.column);
        let mut columns = columns.chain(self.covariates.iter().map(|values| values.column));
        let missing = |column: usize| matches!(fields.text(column), "" | "NA");
        if columns.any(missing) {
            self.n_incomplete += 1;
            return Ok(());
        }
        self.times.push(time);
        self.causes.push(cause);
        let labels = self.groups.iter_mut().chain(&mut self.cluster);
        for labels in labels.chain(&mut self.strata) {
            let index = labels.group.labels.index_of(fields.text(labels.column));
            labels.group.of_case.push(index);
        }
        for values in &mut self.covariates {
            let index = values.names.index_of(fields.text(values.column));
            values.of_subject.push(index);
        }
        Ok(())
    }

    fn check_reference(&self, name: &str) -> Result<(), String> {
        let of_group = self.groups.iter().map(|labels| &labels.group.labels);
        let names = of_group.chain(self.covariates.iter().map(|values| &values.names));
        if names.clone().any(|names| names.find(name).is_some()) {
            return Ok(());
        }
        Err(format!(
            "expected a reference among the groups and categories, got {name:?}, which no column has"
        ))
    }

    fn finish(self, input: Input, first: &[String]) -> SurvivalTable {
        let groups = |labels: Vec<Labels>| {
            let groups = labels.into_iter().map(|labels| labels.group);
            groups.map(|group| group.ordered(first)).collect()
        };
        let covariates = self.covariates.into_iter();
        SurvivalTable {
            input,
            times: self.times,
            causes: self.causes,
            groups: groups(self.groups),
            covariates: covariates.map(|values| values.covariate(first)).collect(),
            cluster: self.cluster.map(|labels| labels.group),
            strata: groups(self.strata),
            only: self.only.into_iter().map(|(_, only)| only).collect(),
            n_rows: self.n_rows,
            n_others: self.n_others,
            n_incomplete: self.n_incomplete,
        }
    }
}

impl Labels {
    fn of(source: &Source, name: &str) -> Result<Labels, Error> {
        Ok(Labels {
            column: source.column(name)?,
            group: Group {
                name: name.to_owned(),
                labels: Names::default(),
                of_case: Vec::new(),
            },
        })
    }
}

impl Values {
    fn of(source: &Source, text: &str) -> Result<Values, Error> {
        let inner = text.strip_prefix("factor(");
        let inner = inner.and_then(|text| text.strip_suffix(')'));
        let name = inner.unwrap_or(text);
        Ok(Values {
            column: source.column(name)?,
            name: name.to_owned(),
            factor: inner.is_some(),
            names: Names::default(),
            of_subject: Vec::new(),
        })
    }

    fn covariate(self, first: &[String]) -> Covariate {
        let finite = |name: &str| name.parse::<f64>().ok().filter(|value| value.is_finite());
        let numbers: Option<Vec<f64>> = self.names.iter().map(finite).collect();
        let subjects = self.of_subject.iter().map(|&index| index as usize);
        let kind = match numbers {
            Some(numbers) if !self.factor => {
                CovariateKind::Numeric(subjects.map(|index| numbers[index]).collect())
            }
            _ => {
                let group = Group {
                    name: self.name.clone(),
                    labels: self.names,
                    of_case: self.of_subject,
                };
                let group = group.ordered(first);
                CovariateKind::Categories {
                    of_subject: group.of_case.iter().map(|&index| index as usize).collect(),
                    labels: group.labels.iter().map(str::to_owned).collect(),
                }
            }
        };
        Covariate {
            name: self.name,
            kind,
        }
    }
}

fn cause(fields: &Fields<'_>, column: usize, word: Option<&str>) -> Result<usize, Error> {
    const MOST_CAUSES: f64 = 100.0;
    if let Some(word) = word {
        let text = fields.name(column, "an event")?;
        let same_number = || Some(text.parse::<f64>().ok()? == word.parse::<f64>().ok()?);
        return Ok(usize::from(text == word || same_number() == Some(true)));
    }
    match fields.text(column) {
        "true" | "TRUE" | "True" => return Ok(1),
        "false" | "FALSE" | "False" => return Ok(0),
        _ => {}
    }
    let expected = "an event of 0 (censored), 1, or the number of a competing cause";
    let code = fields.text(column).parse::<f64>().ok();
    let code = code.filter(|code| code.fract() == 0.0 && (0.0..=MOST_CAUSES).contains(code));
    code.map(|code| code as usize)
        .ok_or_else(|| fields.value_error(column, expected))
}
