//! A table, and its CSV.

use super::Cell;
use crate::Error;

/// A table of a document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Stem of its CSV file, unique among the tables of a document.
    pub name: String,
    /// What it holds.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
}

/// A column of a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Column {
    /// Its name in the CSV, as `auc` or `n_cases`.
    pub key: String,
    /// Its heading on the page.
    pub title: String,
}

impl Column {
    /// A column by its name in the CSV and its heading on the page.
    pub fn new(key: impl Into<String>, title: impl Into<String>) -> Column {
        Column {
            key: key.into(),
            title: title.into(),
        }
    }
}

impl Table {
    /// The table as CSV at full precision. A column with intervals becomes three: `auc`,
    /// `auc_lower`, `auc_upper`; percentages stay shares in 0..=1.
    ///
    /// # Errors
    /// When a row is not as long as `columns`.
    pub fn to_csv(&self) -> Result<String, Error> {
        self.check()?;
        let mut csv = csv::Writer::from_writer(Vec::new());
        if !self.columns.is_empty() {
            csv.write_record(self.csv_header()).map_err(Error::format)?;
            for row in &self.rows {
                csv.write_record(self.csv_row(row)).map_err(Error::format)?;
            }
        }
        let bytes = csv.into_inner().map_err(Error::format)?;
        String::from_utf8(bytes).map_err(Error::format)
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let expected = self.columns.len();
        let odd = self.rows.iter().position(|row| row.len() != expected);
        match odd {
            None => Ok(()),
            Some(at) => Err(Error::format(format!(
                "table {}: expected {expected} cells in row {}, got {}",
                self.name,
                at + 1,
                self.rows[at].len()
            ))),
        }
    }

    fn column(&self, at: usize) -> impl Iterator<Item = &Cell> {
        self.rows.iter().filter_map(move |row| row.get(at))
    }

    fn places(&self, at: usize) -> usize {
        match self.column(at).any(Cell::is_interval) {
            true => 3,
            false => 1,
        }
    }

    pub(crate) fn is_numeric(&self, at: usize) -> bool {
        self.column(at).any(Cell::is_numeric)
    }

    fn csv_header(&self) -> Vec<String> {
        let mut header = Vec::new();
        for (at, column) in self.columns.iter().enumerate() {
            let key = crate::summary::plain(&column.key);
            let names = [key.clone(), format!("{key}_lower"), format!("{key}_upper")];
            header.extend(names.into_iter().take(self.places(at)));
        }
        header
    }

    fn csv_row(&self, row: &[Cell]) -> Vec<String> {
        let mut values = Vec::new();
        for (at, cell) in row.iter().enumerate() {
            values.extend(cell.exact().into_iter().take(self.places(at)));
        }
        values
    }
}
