//! `predictions.csv`: one row per image, every case behind every figure.

use std::io::Write;
use std::path::Path;
use std::str::FromStr;

use crate::{Error, ErrorKind};

/// The columns that every table has, in the order they are written.
const COLUMNS: [&str; 10] = [
    "set",
    "case",
    "bag",
    "patient",
    "fold",
    "label",
    "benign_score",
    "malignant_score",
    "malignant_probability",
    "attention",
];

/// Largest table that is read, in bytes, and its most columns: an empty cell takes one byte in the
/// file and twenty-four in memory.
const LARGEST_TABLE: usize = 64 << 20;
const MOST_COLUMNS: usize = 256;

/// What is true of an image; the worse, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// Nothing suspicious in it.
    Normal,
    /// A benign lesion.
    Benign,
    /// A malignant lesion.
    Malignant,
}

impl Truth {
    /// The word used in files.
    pub fn name(self) -> &'static str {
        match self {
            Truth::Normal => "normal",
            Truth::Benign => "benign",
            Truth::Malignant => "malignant",
        }
    }
}

impl FromStr for Truth {
    type Err = String;

    fn from_str(text: &str) -> Result<Truth, String> {
        [Truth::Normal, Truth::Benign, Truth::Malignant]
            .into_iter()
            .find(|t| t.name() == text)
            .ok_or_else(|| format!("expected normal, benign or malignant, got `{text}`"))
    }
}

/// One image's out-of-fold result.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Name of the data set (of the test, where training and test set differ: `busi`).
    pub set: String,
    /// Name of the image within its set.
    pub case: String,
    /// The breast: images of one bag share an attention of 1.
    pub bag: String,
    /// The patient, or the group of images that must stay together.
    pub patient: String,
    /// Which fold or run made it.
    pub fold: String,
    /// What is true.
    pub label: Truth,
    /// Uncalibrated benign score, in 0..=1.
    pub benign_score: f64,
    /// Uncalibrated malignant score, in 0..=1.
    pub malignant_score: f64,
    /// Calibrated malignant probability, in 0..=1; empty in the file when there is none.
    pub malignant_probability: Option<f64>,
    /// Weight within the bag, in 0..=1.
    pub attention: f64,
    /// Values of [`Predictions::extra_columns`].
    pub extra: Vec<String>,
}

/// The whole table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Predictions {
    /// Columns beyond the fixed ones, in the file's order.
    pub extra_columns: Vec<String>,
    /// One entry per image.
    pub rows: Vec<Prediction>,
}

impl Predictions {
    /// Reads a table; `path` is named in errors. The fixed columns may come in any order; all
    /// others are kept as text.
    ///
    /// # Errors
    /// `Record` when a column is missing or a value is not what its column holds.
    pub fn from_csv(bytes: &[u8], path: &Path) -> Result<Predictions, Error> {
        let wrong = |message: String| Error::new(ErrorKind::Record, path, message);
        if bytes.len() > LARGEST_TABLE {
            let got = bytes.len();
            return Err(wrong(format!(
                "expected at most {LARGEST_TABLE} bytes, got {got}"
            )));
        }
        let mut reader = csv::Reader::from_reader(bytes);
        let header = reader
            .headers()
            .map_err(|e| Error::caused(ErrorKind::Record, path, "a header", e))?
            .clone();
        let columns = Columns::find(&header).map_err(wrong)?;
        let mut rows = Vec::new();
        for (i, record) in reader.records().enumerate() {
            let record = record.map_err(|e| Error::caused(ErrorKind::Record, path, "a row", e))?;
            let row = columns.read(&record);
            rows.push(row.map_err(|message| wrong(format!("row {}: {message}", i + 1)))?);
        }
        let extra_columns = columns.extra.iter().map(|&i| header[i].to_string());
        Ok(Predictions {
            extra_columns: extra_columns.collect(),
            rows,
        })
    }

    /// Writes the table: the fixed columns, then the extra ones. Numbers are written so that they
    /// read back to the same bits.
    ///
    /// # Errors
    /// `Write` when the output fails or a row has another number of extra values.
    pub fn to_csv(&self, output: impl Write, path: &Path) -> Result<(), Error> {
        let failed = |e| Error::caused(ErrorKind::Write, path, "to write a row", e);
        let mut writer = csv::Writer::from_writer(output);
        let extra = self.extra_columns.iter().map(String::as_str);
        let header: Vec<&str> = COLUMNS.into_iter().chain(extra).collect();
        writer.write_record(header).map_err(failed)?;
        for row in &self.rows {
            writer.write_record(row.cells()).map_err(failed)?;
        }
        let flushed = writer.flush();
        flushed.map_err(|e| Error::caused(ErrorKind::Write, path, "to write a row", e))
    }
}

impl Prediction {
    fn cells(&self) -> Vec<String> {
        let text = [&self.set, &self.case, &self.bag, &self.patient, &self.fold];
        let mut cells: Vec<String> = text.into_iter().cloned().collect();
        cells.push(self.label.name().into());
        cells.push(self.benign_score.to_string());
        cells.push(self.malignant_score.to_string());
        cells.push(
            self.malignant_probability
                .map_or(String::new(), |p| p.to_string()),
        );
        cells.push(self.attention.to_string());
        cells.extend(self.extra.iter().cloned());
        cells
    }
}

/// Where each column stands in a file.
struct Columns {
    fixed: [usize; COLUMNS.len()],
    extra: Vec<usize>,
}

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Columns, String> {
        if header.len() > MOST_COLUMNS {
            let got = header.len();
            return Err(format!(
                "expected at most {MOST_COLUMNS} columns, got {got}"
            ));
        }
        let mut fixed = [0; COLUMNS.len()];
        for (at, name) in fixed.iter_mut().zip(COLUMNS) {
            *at = header
                .iter()
                .position(|h| h == name)
                .ok_or_else(|| format!("expected a column `{name}`, got none"))?;
        }
        let extra = (0..header.len()).filter(|i| !fixed.contains(i)).collect();
        Ok(Columns { fixed, extra })
    }

    fn read(&self, record: &csv::StringRecord) -> Result<Prediction, String> {
        let cell = |i: usize| record.get(self.fixed[i]).unwrap_or_default();
        let text = |i: usize| cell(i).to_string();
        let probability = match cell(8) {
            "" => None,
            other => Some(unit(COLUMNS[8], other)?),
        };
        Ok(Prediction {
            set: text(0),
            case: text(1),
            bag: text(2),
            patient: text(3),
            fold: text(4),
            label: cell(5).parse()?,
            benign_score: unit(COLUMNS[6], cell(6))?,
            malignant_score: unit(COLUMNS[7], cell(7))?,
            malignant_probability: probability,
            attention: unit(COLUMNS[9], cell(9))?,
            extra: self.extra.iter().map(|&i| record[i].to_string()).collect(),
        })
    }
}

fn unit(column: &str, text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(v) if (0.0..=1.0).contains(&v) => Ok(v),
        _ => Err(format!("expected {column} in 0..=1, got `{text}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
case,set,bag,patient,fold,label,benign_score,malignant_score,malignant_probability,attention,birads
a.png,busi,1,g1,2,malignant,0.1,0.9,0.8,0.25,4a
b.png,busi,1,g1,2,normal,0.1,0.2,,0.75,
";

    #[test]
    fn a_table_reads_back_what_it_wrote() {
        let table = Predictions::from_csv(TABLE.as_bytes(), Path::new("p")).unwrap();
        assert_eq!(table.extra_columns, ["birads"]);
        assert_eq!(table.rows[0].extra, ["4a"]);
        assert_eq!(table.rows[1].malignant_probability, None);
        let mut bytes = Vec::new();
        table.to_csv(&mut bytes, Path::new("p")).unwrap();
        assert_eq!(
            Predictions::from_csv(&bytes, Path::new("p")).unwrap(),
            table
        );
    }

    #[test]
    fn bad_tables_are_refused_by_row_and_column() {
        let cases = [
            ("", "column `set`"),
            (
                &TABLE.replace("malignant,0.1", "cancer,0.1"),
                "row 1: expected normal",
            ),
            (&TABLE.replace("0.75", "NaN"), "row 2: expected attention"),
            (
                &TABLE.replace("0.9", "1.9"),
                "row 1: expected malignant_score",
            ),
            (&format!("{TABLE}x,y\n"), "expected a row"),
            (&",".repeat(300), "at most 256 columns, got 301"),
        ];
        for (text, expected) in cases {
            let error = Predictions::from_csv(text.as_bytes(), Path::new("p")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Record);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
