//! Options that say how a table of ratings is read.

use std::path::{Path, PathBuf};

use lobule_study::table::{Layout, ReadConfig, Study, WideColumns};

use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct TableArgs {
    /// Ratings: CSV, TSV, Parquet, or RJafroc's workbook (.xlsx). One row per rating
    /// (reader,modality,case,truth,rating), or one row per case with --readers and --algorithms.
    table: PathBuf,
    #[command(flatten)]
    options: TableOptions,
}

impl TableArgs {
    pub(super) fn read(&self) -> Result<Study, Failure> {
        self.options.read(&self.table)
    }
}

/// How a table of ratings is read.
#[derive(Debug, clap::Args)]
pub(super) struct TableOptions {
    /// How the table is laid out: long, wide, imrmc, rjafroc, workbook [default: by its header].
    #[arg(long, value_name = "LAYOUT", help_heading = "Table")]
    layout: Option<Layout>,

    /// Columns of readers in a table of one row per case, * for any letters; commas between.
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        help_heading = "Table"
    )]
    readers: Vec<String>,

    /// Columns of algorithms in a table of one row per case; elsewhere the readers that are
    /// algorithms. * for any letters; commas between.
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        help_heading = "Table"
    )]
    algorithms: Vec<String>,

    /// Columns that together name a case, the exam or patient first [default: case, and side where
    /// it is there].
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        help_heading = "Table"
    )]
    case: Vec<String>,

    /// Column of the truth [default: truth].
    #[arg(long, value_name = "COLUMN", help_heading = "Table")]
    truth: Option<String>,

    /// Column of the ratings [default: rating or score].
    #[arg(long, value_name = "COLUMN", help_heading = "Table")]
    rating: Option<String>,

    /// The word for disease in the column of the truth [default: 1 or true].
    #[arg(long, value_name = "WORD", help_heading = "Table")]
    positive: Option<String>,

    /// Column of what cases are clustered in [default: the first of several case columns].
    #[arg(long, value_name = "COLUMN", help_heading = "Table")]
    cluster: Option<String>,

    /// Columns that put cases into subgroups; commas between.
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        help_heading = "Table"
    )]
    groups: Vec<String>,

    /// Truth of RJafroc's pair of tables [default: the marks' name with `truth` for `marks`].
    #[arg(long, value_name = "FILE", help_heading = "Table")]
    truth_file: Option<PathBuf>,

    /// Marks hit the nearest lesion within this distance, in the unit of x and y.
    #[arg(long, value_name = "DISTANCE", help_heading = "Table")]
    radius: Option<f64>,
}

impl TableOptions {
    pub(super) fn read(&self, table: &Path) -> Result<Study, Failure> {
        Ok(Study::read(table, &self.config())?)
    }

    fn config(&self) -> ReadConfig {
        let is_wide = !self.readers.is_empty() || self.layout == Some(Layout::Wide);
        let wide = is_wide.then(|| WideColumns {
            readers: self.readers.clone(),
            algorithms: self.algorithms.clone(),
        });
        ReadConfig {
            layout: self.layout,
            algorithms: match is_wide {
                true => Vec::new(),
                false => self.algorithms.clone(),
            },
            wide,
            case_columns: self.case.clone(),
            truth_column: self.truth.clone(),
            rating_column: self.rating.clone(),
            positive: self.positive.clone(),
            cluster_column: self.cluster.clone(),
            group_columns: self.groups.clone(),
            truth_file: self.truth_file.clone(),
            acceptance_radius: self.radius,
        }
    }
}
