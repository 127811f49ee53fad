//! The same asked otherwise: by U-statistics, against algorithms, in groups of cases.

use lobule_report::document::{Cell, Section};
use lobule_stats::multiplicity::holm;

use super::counted;
use crate::page::{
    DIFFERENCE_COLUMNS, degrees, difference, difference_cells, estimate, found, number, or_missing,
    table, warning,
};
use crate::readers::{Analysis, Readers};
use crate::value::Found;

pub(super) fn u_statistics(result: &Readers) -> Option<Section> {
    if result.n_lesions.is_some() {
        return None;
    }
    let mut blocks = Vec::new();
    match &result.u_statistics {
        Some(Found::Refused(reason)) => blocks.push(warning(format!("Not analysed: {reason}."))),
        Some(Found::Value(contrasts)) => {
            let mut columns = vec![("comparison", "Comparison")];
            columns.extend(DIFFERENCE_COLUMNS);
            let rows = contrasts.iter().map(|row| {
                let mut cells = vec![Cell::Text(format!("{} − {}", row.first, row.second))];
                cells.extend(difference_cells(&row.difference));
                cells
            });
            let caption = "Differences of the area by U-statistics over readers and cases, with \
                           Brennan–Dodd–Gallas degrees of freedom rounded down.";
            blocks.push(table("u_differences", caption, &columns, rows.collect()));
        }
        None => {}
    }
    if !result.u_figures.is_empty() {
        let rows = result.u_figures.iter().map(|row| {
            vec![
                row.modality.as_str().into(),
                estimate(&row.area),
                number(row.standard_error, 4),
                degrees(row.degrees_of_freedom),
            ]
        });
        let columns = [
            ("modality", "Modality"),
            ("area", "Mean AUC (CI)"),
            ("standard_error", "SE"),
            ("df", "df"),
        ];
        let caption = "Mean areas by U-statistics (Gallas 2006).";
        blocks.push(table("u_areas", caption, &columns, rows.collect()));
    }
    (!blocks.is_empty()).then(|| Section {
        title: "The same by U-statistics".into(),
        blocks,
    })
}

pub(super) fn algorithms(result: &Readers) -> Option<Section> {
    if result.algorithms.is_empty() {
        return None;
    }
    let mut columns = vec![
        ("modality", "Readers"),
        ("algorithm", "Algorithm"),
        ("area", "AUC of the algorithm (CI)"),
        ("reader_mean", "Mean of readers"),
    ];
    columns.extend(DIFFERENCE_COLUMNS);
    columns.push(("p_holm", "p (Holm)"));
    let rows = result.algorithms.iter().map(|row| {
        let mut cells = vec![
            row.modality.as_str().into(),
            row.algorithm.as_str().into(),
            found(&row.area, estimate),
            or_missing(row.reader_mean, "not compared", |mean| number(mean, 3)),
        ];
        match &row.comparison {
            Found::Value(value) => cells.extend(difference_cells(value)),
            Found::Refused(reason) => {
                cells.extend(std::iter::repeat_n(Cell::Missing(reason.clone()), 5));
            }
        }
        cells.push(or_missing(row.holm_p_value, "not compared", Cell::PValue));
        cells
    });
    let caption = format!(
        "Mean of the readers minus the algorithm, the algorithm being a single treatment (Hillis \
         2005); {}, {} covariances, n = {} and {}.",
        result.random,
        result.covariance,
        counted(result.n_readers, "reader"),
        counted(result.n_cases, "case")
    );
    Some(Section {
        title: "Readers against algorithms".into(),
        blocks: vec![table("algorithms", caption, &columns, rows.collect())],
    })
}

pub(super) fn subgroups(result: &Readers) -> Option<Section> {
    if result.subgroups.is_empty() {
        return None;
    }
    let contrast = |found: &Found<Analysis>| {
        let rows = &found.value()?.differences;
        rows.first().map(|row| row.difference)
    };
    let tested = result
        .subgroups
        .iter()
        .filter_map(|s| contrast(&s.analysis));
    let p: Vec<f64> = tested.map(|difference| difference.p_value).collect();
    let mut adjusted = holm(&p).unwrap_or_default().into_iter();
    let mut rows = Vec::new();
    for group in &result.subgroups {
        let head = |cells: Vec<Cell>| -> Vec<Cell> {
            let label = Cell::Text(format!("{} = {}", group.column, group.label));
            let counts = [Cell::from(group.n_cases), Cell::from(group.n_positive)];
            std::iter::once(label).chain(counts).chain(cells).collect()
        };
        match &group.analysis {
            Found::Refused(reason) => {
                let missing = || Cell::Missing(reason.clone());
                rows.push(head(std::iter::repeat_with(missing).take(5).collect()));
            }
            Found::Value(analysis) => {
                let value = contrast(&group.analysis);
                let one = "one modality";
                for (index, modality) in analysis.modalities.iter().enumerate() {
                    let value = value.filter(|_| index == 0);
                    let p_holm = value.and_then(|_| adjusted.next());
                    rows.push(head(vec![
                        modality.modality.as_str().into(),
                        estimate(&modality.figure),
                        or_missing(value, one, |d| difference(&d)),
                        or_missing(value, one, |d| Cell::PValue(d.p_value)),
                        or_missing(p_holm, one, Cell::PValue),
                    ]));
                }
            }
        }
    }
    let columns = [
        ("group", "Group"),
        ("n", "n"),
        ("n_positive", "With disease"),
        ("modality", "Modality"),
        ("mean", "Mean (CI)"),
        ("difference", "First − second modality (CI)"),
        ("p", "p"),
        ("p_holm", "p (Holm)"),
    ];
    let caption = "The primary figure in groups of cases, each analysed alone; Holm's adjustment \
                   is over the groups shown.";
    Some(Section {
        title: "Subgroups".into(),
        blocks: vec![table("subgroups", caption, &columns, rows)],
    })
}
