//! A figure of merit: modalities, their differences, each reader.

use lobule_report::chart::{Axis, Chart, ForestPlot, ForestRow, RowKind};
use lobule_report::document::{Block, Cell, Section};

use super::counted;
use crate::page::{
    DIFFERENCE_COLUMNS, degrees, difference, difference_cells, estimate, figure, forest_row, found,
    number, or_missing, p_words, percent, table,
};
use crate::readers::{Analysis, ReaderFigure, Readers};
use crate::value::{Difference, Estimate};

pub(super) fn figure_section(result: &Readers, analysis: &Analysis, index: usize) -> Section {
    let stem = match index {
        0 => String::new(),
        n => format!("_{}", n + 1),
    };
    let mut blocks = vec![modality_table(result, analysis, &stem)];
    if !analysis.differences.is_empty() {
        blocks.push(difference_table(result, analysis, &stem));
    }
    blocks.push(reader_table(analysis, &stem));
    blocks.push(reader_forest(result, analysis, &stem));
    Section {
        title: analysis.figure.clone(),
        blocks,
    }
}

fn modality_table(result: &Readers, analysis: &Analysis, stem: &str) -> Block {
    let rows = analysis.modalities.iter().map(|row| {
        vec![
            row.modality.as_str().into(),
            estimate(&row.figure),
            number(row.standard_error, 4),
            degrees(row.degrees_of_freedom),
        ]
    });
    let caption = format!(
        "Mean {} over {} and {}; Obuchowski–Rockette, {}, {} covariances, {} \
         intervals.",
        analysis.figure,
        counted(result.n_readers, "reader"),
        counted(result.n_cases, "case"),
        result.random,
        result.covariance,
        percent(result.confidence)
    );
    let columns = [
        ("modality", "Modality"),
        ("mean", "Mean (CI)"),
        ("standard_error", "SE"),
        ("df", "df"),
    ];
    table(
        &format!("modalities{stem}"),
        caption,
        &columns,
        rows.collect(),
    )
}

fn difference_table(result: &Readers, analysis: &Analysis, stem: &str) -> Block {
    let mut columns = vec![("comparison", "Comparison")];
    columns.extend(DIFFERENCE_COLUMNS);
    columns.push(("p_holm", "p (Holm)"));
    let with_margin = analysis
        .differences
        .iter()
        .any(|row| row.non_inferiority.is_some());
    if with_margin {
        columns.push(("p_non_inferiority", "p (non-inferiority, one-sided)"));
    }
    let rows = analysis.differences.iter().map(|row| {
        let mut cells = vec![Cell::Text(format!("{} − {}", row.first, row.second))];
        cells.extend(difference_cells(&row.difference));
        cells.push(Cell::PValue(row.holm_p_value));
        if let Some(margin) = &row.non_inferiority {
            cells.push(found(margin, |margin| Cell::PValue(margin.p_value)));
        }
        cells
    });
    let rows = rows.collect();
    let overall = analysis.overall.map(|test| {
        let denominator = test
            .denominator_df
            .map_or("∞".into(), |df| format!("{df:.1}"));
        format!(
            " All modalities equal: F = {:.3} on {} and {denominator} degrees of freedom, {}.",
            test.statistic,
            test.numerator_df,
            p_words(test.p_value)
        )
    });
    let margin = analysis.differences.iter();
    let margin = margin.filter_map(|row| row.non_inferiority.as_ref()?.value());
    let margin = margin
        .map(|m| format!(" Margin {}, fixed by the analyst.", m.margin))
        .next();
    let caption = format!(
        "Differences of mean {}; n = {}, {}; {}.{}{}",
        analysis.figure,
        counted(result.n_readers, "reader"),
        counted(result.n_cases, "case"),
        result.random,
        overall.unwrap_or_default(),
        margin.unwrap_or_default()
    );
    table(&format!("differences{stem}"), caption, &columns, rows)
}

/// A reader's figures in all modalities, and the first difference.
fn reader_table(analysis: &Analysis, stem: &str) -> Block {
    let modalities: Vec<&str> = analysis
        .modalities
        .iter()
        .map(|m| m.modality.as_str())
        .collect();
    let mut readers: Vec<&str> = Vec::new();
    for row in &analysis.readers {
        if !readers.contains(&row.reader.as_str()) {
            readers.push(&row.reader);
        }
    }
    let keys: Vec<String> = (1..=modalities.len())
        .map(|n| format!("modality_{n}"))
        .collect();
    let mut columns = vec![("reader", "Reader")];
    columns.extend(
        keys.iter()
            .map(String::as_str)
            .zip(modalities.iter().copied()),
    );
    let with_difference = analysis.differences.len() == 1;
    if with_difference {
        columns.extend([("difference", "Difference (CI)"), ("p", "p")]);
    }
    let rows = readers.iter().map(|&reader| {
        let mut cells = vec![reader.into()];
        for &modality in &modalities {
            let here = |row: &&ReaderFigure| row.reader == reader && row.modality == modality;
            let row = analysis.readers.iter().find(here);
            cells.push(or_missing(row, "did not read", |row| estimate(&row.figure)));
        }
        if with_difference {
            let row = analysis
                .reader_differences
                .iter()
                .find(|row| row.reader == reader);
            let value = row.map(|row| &row.difference);
            cells.push(or_missing(value, "readers are nested", difference));
            cells.push(or_missing(value, "readers are nested", |d| {
                Cell::PValue(d.p_value)
            }));
        }
        cells
    });
    let caption = format!(
        "{} of each reader; intervals and p-values are for this reader over other cases.",
        analysis.figure
    );
    table(&format!("readers{stem}"), caption, &columns, rows.collect())
}

/// Differences where there are exactly two modalities, else the figures.
fn reader_forest(result: &Readers, analysis: &Analysis, stem: &str) -> Block {
    let mut rows = Vec::new();
    let paired = analysis.differences.len() == 1 && !analysis.reader_differences.is_empty();
    if paired {
        for row in &analysis.reader_differences {
            rows.push(difference_row(
                &row.reader,
                &row.difference,
                RowKind::Single,
            ));
        }
        let mean = &analysis.differences[0];
        rows.push(difference_row(
            "Mean of readers",
            &mean.difference,
            RowKind::Summary,
        ));
    } else {
        for modality in &analysis.modalities {
            rows.push(ForestRow::Heading(modality.modality.clone()));
            let readers = analysis.readers.iter();
            for row in readers.filter(|row| row.modality == modality.modality) {
                rows.push(estimate_row(&row.reader, &row.figure, RowKind::Single));
            }
            rows.push(estimate_row(
                "Mean of readers",
                &modality.figure,
                RowKind::Summary,
            ));
        }
    }
    let (axis, heading) = match paired {
        true => ("Difference of", "Difference (CI)"),
        false => ("", "Estimate (CI)"),
    };
    let directions = paired.then(|| {
        let pair = &analysis.differences[0];
        (
            format!("{} better", pair.second),
            format!("{} better", pair.first),
        )
    });
    let plot = ForestPlot {
        axis: Axis::new(format!("{axis} {}", analysis.figure).trim()),
        reference: paired.then_some(0.0),
        directions,
        label_heading: "Reader".into(),
        columns: vec![heading.into()],
        rows,
    };
    let caption = format!(
        "{} by reader, n = {} cases; the mean is for {}.",
        analysis.figure, result.n_cases, result.random
    );
    figure(&format!("readers{stem}"), caption, Chart::Forest(plot))
}

fn difference_row(label: &str, value: &Difference, kind: RowKind) -> ForestRow {
    let estimate = Estimate {
        estimate: value.estimate,
        lower: value.lower,
        upper: value.upper,
    };
    forest_row(label, &estimate, kind, vec![difference(value).words()])
}

fn estimate_row(label: &str, value: &Estimate, kind: RowKind) -> ForestRow {
    forest_row(label, value, kind, vec![estimate(value).words()])
}
