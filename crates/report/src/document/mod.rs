//! Documents of a study: sections of text, warnings, tables and figures, and where the numbers
//! came from.
//!
//! Owns: the shape of a document, how its numbers are worded ([`Cell`]), its page, its CSV tables
//! and the folder it is written to ([`write_study`]). Does not own: any statistic; numbers arrive
//! computed. How a figure is drawn is told in [`chart`](crate::chart).
//!
//! ```
//! use lobule_report::document::{Block, Cell, Column, Document, Section, Table};
//!
//! let table = Table {
//!     name: "auc".into(),
//!     caption: "Area under the ROC curve.".into(),
//!     columns: vec![Column::new("reader", "Reader"), Column::new("auc", "AUC (95 % CI)")],
//!     rows: vec![vec![
//!         "Reader 1".into(),
//!         Cell::Interval { estimate: 0.874, lower: 0.812, upper: 0.921, digits: 3 },
//!     ]],
//! };
//! assert_eq!(table.to_csv()?, "reader,auc,auc_lower,auc_upper\nReader 1,0.874,0.812,0.921\n");
//! let document = Document {
//!     title: "Reader study".into(),
//!     summary: vec!["The mean AUC of the readers was 0.874.".into()],
//!     sections: vec![Section { title: "Readers".into(), blocks: vec![Block::Table(table)] }],
//!     provenance: vec![("Program".into(), "Lobule 0.1.0".into())],
//! };
//! assert!(document.to_html()?.contains("0.874 (0.812–0.921)"));
//! # Ok::<(), lobule_report::Error>(())
//! ```

mod cell;
mod page;
mod study;
mod table;

pub use cell::Cell;
pub(crate) use cell::number;
pub use study::{STUDY_SCHEMA, STUDY_SCHEMA_VERSION, write_study};
pub use table::{Column, Table};

use crate::chart::Chart;

/// A result of a study as people read it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// What was studied, in one line.
    pub title: String,
    /// The answer, one sentence each; shown first.
    pub summary: Vec<String>,
    /// The parts, in reading order.
    pub sections: Vec<Section>,
    /// What the numbers were made with, label and value: hash of the input, version, seed,
    /// methods. Shown in the foot and written to `study.json`.
    pub provenance: Vec<(String, String)>,
}

/// A titled part of a [`Document`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// What stands under it.
    pub blocks: Vec<Block>,
}

/// One thing in a [`Section`].
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// What the reader must know before believing the numbers.
    Warning(String),
    /// A table.
    Table(Table),
    /// A figure.
    Figure(Figure),
}

/// A chart with the words beneath it.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Stem of its files, unique among the figures of a document.
    pub name: String,
    /// What it shows and what to see in it.
    pub caption: String,
    /// The drawing.
    pub chart: Chart,
}

impl Document {
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.sections.iter().flat_map(|section| &section.blocks)
    }
}

impl From<Table> for Block {
    fn from(table: Table) -> Block {
        Block::Table(table)
    }
}

impl From<Figure> for Block {
    fn from(figure: Figure) -> Block {
        Block::Figure(figure)
    }
}
