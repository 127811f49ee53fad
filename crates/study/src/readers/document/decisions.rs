//! Sensitivity and specificity at the threshold.

use lobule_report::document::{Cell, Section};

use crate::page::{
    DECISION_COLUMNS, DIFFERENCE_COLUMNS, decision_cells, difference_cells, estimate, table,
    warning,
};
use crate::readers::{Rates, Readers};
use crate::value::{Difference, Estimate, Found};

pub(super) fn decisions(result: &Readers) -> Option<Section> {
    let decisions = result.at_threshold.as_ref()?;
    let mut columns = vec![("reader", "Reader"), ("modality", "Modality")];
    columns.extend(DECISION_COLUMNS);
    let rows = decisions.readers.iter().map(|row| {
        let mut cells = vec![row.reader.as_str().into(), row.modality.as_str().into()];
        cells.extend(decision_cells(&row.decisions));
        cells
    });
    let caption = format!(
        "Decisions of the readers at a rating of {} or more, a threshold fixed by the analyst; \
         Wilson intervals, which take cases as independent, n = {} cases.",
        decisions.threshold, result.n_cases
    );
    let mut blocks = vec![table("decisions", caption, &columns, rows.collect())];
    let rates = [
        ("sensitivity", &decisions.sensitivity),
        ("specificity", &decisions.specificity),
    ];
    let mut rows = Vec::new();
    for (name, rates) in rates {
        rows.extend(rate_rows(name, rates));
        for reason in refusals(rates) {
            blocks.push(warning(format!("{name}: {reason}.")));
        }
    }
    let mut columns = vec![
        ("rate", "Rate"),
        ("method", "Method"),
        ("comparison", "What"),
    ];
    columns.extend(DIFFERENCE_COLUMNS);
    let caption = format!(
        "Sensitivity and specificity at the threshold, by modality and compared: MRMC \
         (Obuchowski–Rockette, {}), and generalized estimating equations (identity link, \
         exchangeable correlation within a case, robust errors, readers fixed).",
        result.random
    );
    blocks.push(table("rates", caption, &columns, rows));
    Some(Section {
        title: "Decisions at the threshold".into(),
        blocks,
    })
}

fn rate_rows(name: &str, rates: &Rates) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    let blank = || Cell::Missing("a rate is not tested".into());
    let mut alone = |method: &str, what: &str, value: &Estimate| {
        let mut cells: Vec<Cell> = vec![name.into(), method.into(), what.into(), estimate(value)];
        cells.extend(std::iter::repeat_with(blank).take(4));
        rows.push(cells);
    };
    if let Found::Value(analysis) = &rates.mrmc {
        for row in &analysis.modalities {
            alone("MRMC", &row.modality, &row.figure);
        }
    }
    for (modality, value) in rates.gee.value().into_iter().flatten() {
        alone("GEE", modality, value);
    }
    let mut compared = |method: &str, what: String, value: &Difference| {
        let mut cells: Vec<Cell> = vec![name.into(), method.into(), what.into()];
        cells.extend(difference_cells(value));
        rows.push(cells);
    };
    if let Found::Value(analysis) = &rates.mrmc {
        for row in &analysis.differences {
            let what = format!("{} − {}", row.first, row.second);
            compared("MRMC", what, &row.difference);
        }
    }
    for (first, second, value) in &rates.gee_differences {
        compared("GEE", format!("{first} − {second}"), value);
    }
    rows
}

fn refusals(rates: &Rates) -> Vec<String> {
    let mrmc = match &rates.mrmc {
        Found::Refused(reason) => Some(format!("MRMC not analysed, {reason}")),
        Found::Value(_) => None,
    };
    let gee = match &rates.gee {
        Found::Refused(reason) => Some(format!("GEE not analysed, {reason}")),
        Found::Value(_) => None,
    };
    mrmc.into_iter().chain(gee).collect()
}
