//! The page of a document: self-contained, light, ready for print.

use askama::Template;

use super::{Block, Document, Figure, Table};
use crate::{Error, NOTICE, UniqueNames, safe_name};

/// The stem of each block's file, in the order of the blocks; empty for text.
pub(super) struct FileNames(pub(super) Vec<String>);

impl FileNames {
    pub(super) fn of(document: &Document) -> FileNames {
        let mut tables = UniqueNames::default();
        let mut figures = UniqueNames::default();
        let name_of = |block: &Block| match block {
            Block::Table(table) => tables.take(&safe_name(&table.name)),
            Block::Figure(figure) => figures.take(&safe_name(&figure.name)),
            Block::Text(_) | Block::Warning(_) => String::new(),
        };
        FileNames(document.blocks().map(name_of).collect())
    }
}

#[derive(Debug, Template)]
#[template(path = "document.html")]
struct Page<'a> {
    notice: &'static str,
    document: &'a Document,
    sections: Vec<SectionView<'a>>,
}

#[derive(Debug)]
struct SectionView<'a> {
    title: &'a str,
    blocks: Vec<BlockView<'a>>,
}

#[derive(Debug)]
enum BlockView<'a> {
    Text(&'a str),
    Warning(&'a str),
    Table(TableView<'a>),
    Figure(FigureView<'a>),
}

#[derive(Debug)]
struct TableView<'a> {
    number: usize,
    caption: &'a str,
    file: Option<String>,
    heads: Vec<(&'a str, &'static str)>,
    rows: Vec<Vec<CellView>>,
    notes: Vec<(String, &'a str)>,
}

#[derive(Debug)]
struct CellView {
    words: String,
    class: &'static str,
    note: String,
}

#[derive(Debug)]
struct FigureView<'a> {
    number: usize,
    caption: &'a str,
    files: Option<[String; 2]>,
    svg: String,
}

impl Document {
    /// The document as a self-contained page.
    ///
    /// # Errors
    /// When a table's row is not as long as its columns.
    pub fn to_html(&self) -> Result<String, Error> {
        page(self, None)
    }
}

/// The page; with `names`, each table and figure links to its files.
pub(super) fn page(document: &Document, names: Option<&FileNames>) -> Result<String, Error> {
    let mut numbered = Numbered::default();
    let mut sections = Vec::new();
    for section in &document.sections {
        let mut blocks = Vec::new();
        for block in &section.blocks {
            blocks.push(numbered.view(block, names)?);
        }
        let title = &section.title;
        sections.push(SectionView { title, blocks });
    }
    let page = Page {
        notice: NOTICE,
        document,
        sections,
    };
    page.render().map_err(Error::format)
}

/// Counts what has been shown so far.
#[derive(Debug, Default)]
struct Numbered {
    blocks: usize,
    tables: usize,
    figures: usize,
}

impl Numbered {
    fn view<'a>(
        &mut self,
        block: &'a Block,
        names: Option<&FileNames>,
    ) -> Result<BlockView<'a>, Error> {
        let name = names.map(|names| names.0[self.blocks].as_str());
        self.blocks += 1;
        Ok(match block {
            Block::Text(text) => BlockView::Text(text),
            Block::Warning(text) => BlockView::Warning(text),
            Block::Table(table) => {
                self.tables += 1;
                BlockView::Table(TableView::of(table, self.tables, name)?)
            }
            Block::Figure(figure) => {
                self.figures += 1;
                BlockView::Figure(FigureView::of(figure, self.figures, name))
            }
        })
    }
}

impl<'a> TableView<'a> {
    fn of(table: &'a Table, number: usize, name: Option<&str>) -> Result<TableView<'a>, Error> {
        table.check()?;
        let classes: Vec<&'static str> = (0..table.columns.len())
            .map(|at| if table.is_numeric(at) { "figures" } else { "" })
            .collect();
        let mut notes: Vec<(String, &str)> = Vec::new();
        let row_of = |row: &'a Vec<super::Cell>| -> Vec<CellView> {
            let cells = row.iter().zip(&classes);
            cells
                .map(|(cell, class)| CellView {
                    words: cell.words(),
                    class,
                    note: note_of(cell, &mut notes),
                })
                .collect()
        };
        let rows = table.rows.iter().map(row_of).collect();
        let titles = table.columns.iter().map(|column| column.title.as_str());
        Ok(TableView {
            number,
            caption: &table.caption,
            file: name.map(|name| format!("tables/{name}.csv")),
            heads: titles.zip(classes).collect(),
            rows,
            notes,
        })
    }
}

/// The letter under which a missing value's reason stands; equal reasons share one.
fn note_of<'a>(cell: &'a super::Cell, notes: &mut Vec<(String, &'a str)>) -> String {
    let super::Cell::Missing(reason) = cell else {
        return String::new();
    };
    if let Some((letter, _)) = notes.iter().find(|(_, known)| known == reason) {
        return letter.clone();
    }
    let letter = match u8::try_from(notes.len()) {
        Ok(n) if n < 26 => char::from(b'a' + n).to_string(),
        _ => (notes.len() + 1).to_string(),
    };
    notes.push((letter.clone(), reason));
    letter
}

impl<'a> FigureView<'a> {
    fn of(figure: &'a Figure, number: usize, name: Option<&str>) -> FigureView<'a> {
        FigureView {
            number,
            caption: &figure.caption,
            files: name.map(|name| ["svg", "png"].map(|end| format!("figures/{name}.{end}"))),
            svg: inline_svg(figure, number),
        }
    }
}

/// Without the XML namespace, which HTML does not need, and in the page's own size.
fn inline_svg(figure: &Figure, number: usize) -> String {
    figure
        .chart
        .to_inline_svg(&figure.caption, &format!("figure{number}-"))
}
