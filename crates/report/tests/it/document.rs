//! Documents of a study: the page, the tables, the folder.

use std::fs;

use lobule_report::chart::{Chart, Curve, LineChart};
use lobule_report::document::{
    Block, Cell, Column, Document, Figure, STUDY_SCHEMA_VERSION, Section, Table, write_study,
};
use lobule_report::{ErrorKind, NOTICE};
use serde_json::{Value, json};

const EVIL: &str = "<script>alert('x')</script>&\"";

fn table(name: &str) -> Table {
    Table {
        name: name.into(),
        caption: EVIL.into(),
        columns: vec![
            Column::new("reader", EVIL),
            Column::new("auc", "AUC"),
            Column::new("share", "Share"),
        ],
        rows: vec![
            vec![
                EVIL.into(),
                Cell::Interval {
                    estimate: 1.0 / 3.0,
                    lower: 0.25,
                    upper: 0.5,
                    digits: 2,
                },
                Cell::Percent(0.125),
            ],
            vec![
                "=cmd()".into(),
                Cell::Missing("too few cases".into()),
                Cell::Missing("too few cases".into()),
            ],
        ],
    }
}

fn figure(name: &str) -> Figure {
    Figure {
        name: name.into(),
        caption: EVIL.into(),
        chart: Chart::Lines(LineChart {
            curves: vec![Curve::line(EVIL, vec![(0.0, 0.0), (0.1, 0.9), (1.0, 1.0)])],
            ..LineChart::roc()
        }),
    }
}

fn document() -> Document {
    Document {
        title: EVIL.into(),
        summary: vec![EVIL.into()],
        sections: vec![Section {
            title: EVIL.into(),
            blocks: vec![
                Block::Text(EVIL.into()),
                Block::Warning(EVIL.into()),
                table("auc").into(),
                table("../AUC").into(),
                figure("roc").into(),
                figure("roc").into(),
            ],
        }],
        provenance: vec![("Input".into(), EVIL.into())],
    }
}

#[test]
fn a_page_escapes_everything_and_stands_alone() {
    let html = document().to_html().unwrap();
    assert!(!html.contains("<script"));
    assert!(
        !html.contains("http://")
            || html.matches("http://").count()
                == html.matches("http://www.w3.org/2000/svg").count()
    );
    assert!(html.contains(NOTICE));
    assert!(html.contains("0.33 (0.25–0.50)") && html.contains("12.5 %"));
    assert_eq!(html.matches("<svg").count(), 2);
    assert_eq!(
        html.matches("too few cases").count(),
        2,
        "once under each table"
    );
    assert!(
        !html.contains("href=\"figures/"),
        "no links to files that are not there"
    );
    for id in ["figure1-title", "figure2-title"] {
        assert_eq!(html.matches(&format!("id=\"{id}\"")).count(), 1);
    }
    assert_eq!(html, document().to_html().unwrap());
}

#[test]
fn tables_keep_every_digit() {
    let csv = table("auc").to_csv().unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    assert_eq!(
        header,
        ["reader", "auc", "auc_lower", "auc_upper", "share"].as_slice()
    );
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows[0][1].parse::<f64>(), Ok(1.0 / 3.0));
    assert_eq!(
        rows[0],
        [EVIL, &rows[0][1].to_owned(), "0.25", "0.5", "0.125"].as_slice()
    );
    assert_eq!(rows[1], ["'=cmd()", "", "", "", ""].as_slice());
}

#[test]
fn a_row_of_another_length_is_refused() {
    let mut odd = table("auc");
    odd.rows[1].pop();
    let error = odd.to_csv().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Format);
    assert_eq!(
        error.to_string(),
        "table auc: expected 3 cells in row 2, got 2"
    );
    let mut document = document();
    document.sections[0].blocks.push(odd.into());
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    assert!(write_study(&out, &document, &json!({})).is_err());
    assert!(!out.exists(), "nothing is written before all is rendered");
}

#[test]
fn a_folder_holds_page_tables_figures_and_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let page = write_study(dir.path(), &document(), &json!({ "auc": 1.0 / 3.0 })).unwrap();
    assert_eq!(page, dir.path().join("report.html"));
    let mut files: Vec<String> = ["", "tables", "figures"]
        .iter()
        .flat_map(|sub| fs::read_dir(dir.path().join(sub)).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(
        files,
        [
            "AUC-2.csv",
            "auc.csv",
            "figures",
            "report.html",
            "roc-2.png",
            "roc-2.svg",
            "roc.png",
            "roc.svg",
            "study.json",
            "tables"
        ]
    );
    let html = fs::read_to_string(page).unwrap();
    for link in ["tables/AUC-2.csv", "figures/roc-2.png", "figures/roc.svg"] {
        assert!(html.contains(&format!("href=\"{link}\"")), "{link}");
    }
    let text = fs::read_to_string(dir.path().join("study.json")).unwrap();
    let study: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(study["schema"], "lobule-study");
    assert_eq!(study["schema_version"], STUDY_SCHEMA_VERSION);
    assert_eq!(study["notice"], NOTICE);
    assert_eq!(study["result"]["auc"].as_f64(), Some(1.0 / 3.0));
    assert_eq!(study["provenance"][0]["name"], "Input");
    let svg = fs::read_to_string(dir.path().join("figures/roc.svg")).unwrap();
    assert!(svg.contains("xmlns=\"http://www.w3.org/2000/svg\"") && !svg.contains("<script"));
}

#[test]
fn a_place_that_cannot_be_written_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("taken");
    fs::write(&file, "x").unwrap();
    let error = write_study(&file, &document(), &json!({})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("taken"));
}

#[test]
fn an_empty_document_is_a_page() {
    let html = Document::default().to_html().unwrap();
    assert!(html.contains(NOTICE) && html.contains("</html>"));
}
