//! The report of a reader study.

use lobule_report::chart::{
    Axis, Chart, Curve, ForestPlot, ForestRow, LineChart, Mark, Marks, RowKind, Tone, Weight,
};
use lobule_report::document::{Block, Cell, Document, Section};
use lobule_stats::multiplicity::holm;

use super::{Analysis, Curves, Rates, Readers, RocCurve};
use crate::page::{
    About, DECISION_COLUMNS, decision_cells, degrees, difference, estimate, figure, forest_row,
    found, number, or_missing, p_words, percent, provenance, table, text, warning,
};
use crate::value::{Difference, Estimate, Found};

/// The report: what was studied, readers, modalities, algorithms, decisions, subgroups, methods.
///
/// ```
/// use lobule_study::readers::{Readers, document};
/// fn title(result: &Readers) -> String {
///     document(result, &lobule_study::About::default()).title
/// }
/// ```
pub fn document(result: &Readers, about: &About) -> Document {
    let mut sections = vec![study(result)];
    for (index, found) in result.figures.iter().enumerate() {
        sections.push(match found {
            Found::Value(analysis) => figure_section(result, analysis, index),
            Found::Refused(reason) => Section {
                title: "Figure of merit".into(),
                blocks: vec![warning(format!("Not analysed: {reason}."))],
            },
        });
    }
    sections.extend(curves(result));
    sections.extend(u_statistics(result));
    sections.extend(algorithms(result));
    sections.extend(decisions(result));
    sections.extend(subgroups(result));
    sections.push(methods(result));
    let settings = [
        ("Random factors", result.random.clone()),
        ("Covariances", result.covariance.clone()),
        ("Confidence level", percent(result.confidence)),
    ];
    Document {
        title: "Reader study".into(),
        summary: summary(result),
        sections,
        provenance: provenance(about, &result.input, &settings),
    }
}

fn primary(result: &Readers) -> Option<&Analysis> {
    result.figures.first()?.value()
}

fn summary(result: &Readers) -> Vec<String> {
    let mut lines = vec![format!(
        "{} readers rated {} cases ({} with the disease) in {}.",
        result.n_readers,
        result.n_cases,
        result.n_positive,
        result.modalities.join(", ")
    )];
    let Some(analysis) = primary(result) else {
        return lines;
    };
    for row in &analysis.modalities {
        lines.push(format!(
            "Mean {} {}: {}.",
            analysis.figure,
            row.modality,
            estimate(&row.figure).words()
        ));
    }
    for row in &analysis.differences {
        lines.push(format!(
            "{} minus {}: {}, {} ({}).",
            row.first,
            row.second,
            difference(&row.difference).words(),
            p_words(row.difference.p_value),
            result.random
        ));
    }
    lines
}

fn study(result: &Readers) -> Section {
    let row = |name: &str, value: Cell| vec![name.into(), value];
    let mut rows = vec![
        row("Readers", result.n_readers.into()),
        row("Cases", result.n_cases.into()),
        row("Cases with the disease", result.n_positive.into()),
        row("Cases without", (result.n_cases - result.n_positive).into()),
    ];
    if let Some((name, n)) = &result.clusters {
        rows.push(row(&format!("Clusters of cases ({name})"), (*n).into()));
    }
    if let Some(n) = result.n_lesions {
        rows.push(row("Lesions", n.into()));
    }
    let design = primary(result).map_or("not analysed", |analysis| &analysis.layout);
    rows.push(row("Design", design.into()));
    let caption = "The study. Truth is the reference standard that the table states.";
    let columns = [("what", "What"), ("n", "n")];
    Section {
        title: "Study".into(),
        blocks: vec![table("study", caption, &columns, rows)],
    }
}

fn figure_section(result: &Readers, analysis: &Analysis, index: usize) -> Section {
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
        "Mean {} over {} readers and {} cases; Obuchowski–Rockette, {}, {} covariances, {} \
         intervals.",
        analysis.figure,
        result.n_readers,
        result.n_cases,
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
        "Differences of mean {}; n = {} readers, {} cases; {}.{}{}",
        analysis.figure,
        result.n_readers,
        result.n_cases,
        result.random,
        overall.unwrap_or_default(),
        margin.unwrap_or_default()
    );
    table(&format!("differences{stem}"), caption, &columns, rows)
}

const DIFFERENCE_COLUMNS: [(&str, &str); 5] = [
    ("difference", "Difference (CI)"),
    ("standard_error", "SE"),
    ("statistic", "t or z"),
    ("df", "df"),
    ("p", "p"),
];

fn difference_cells(value: &Difference) -> Vec<Cell> {
    vec![
        difference(value),
        number(value.standard_error, 4),
        number(value.statistic, 3),
        degrees(value.degrees_of_freedom),
        Cell::PValue(value.p_value),
    ]
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
            let here =
                |row: &&super::ReaderFigure| row.reader == reader && row.modality == modality;
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

fn curves(result: &Readers) -> Option<Section> {
    let is_roc = result.n_lesions.is_none();
    let mut blocks: Vec<Block> = result
        .curves
        .iter()
        .enumerate()
        .map(|(index, curves)| match is_roc {
            true => roc_figure(result, curves, index),
            false => froc_figure(result, curves, index),
        })
        .collect();
    if is_roc && result.curves.len() > 1 {
        blocks.insert(0, mean_figure(result));
    }
    (!blocks.is_empty()).then(|| Section {
        title: match is_roc {
            true => "ROC curves".into(),
            false => "FROC curves".into(),
        },
        blocks,
    })
}

fn roc_figure(result: &Readers, curves: &Curves, index: usize) -> Block {
    let faint = |curve: &RocCurve| Curve {
        weight: Weight::Faint,
        tone: Tone::Gray,
        ..Curve::line("", curve.points.clone())
    };
    let named = |curve: &RocCurve| {
        let auc = curve.auc.map(|auc| format!(" (AUC {auc:.3})"));
        Curve::line(
            format!("{}{}", curve.name, auc.unwrap_or_default()),
            curve.points.clone(),
        )
    };
    let mut chart = LineChart::roc();
    chart.curves.extend(curves.readers.iter().map(faint));
    chart.curves.push(Curve {
        weight: Weight::Strong,
        tone: Tone::Slot(0),
        ..Curve::line("Mean of readers", curves.mean.clone())
    });
    let shown = curves.algorithms.iter().zip(1..);
    chart.curves.extend(shown.map(|(curve, slot)| Curve {
        tone: Tone::Slot(slot),
        ..named(curve)
    }));
    chart.marks.extend(reader_points(result, &curves.modality));
    let points = match chart.marks.is_empty() {
        true => String::new(),
        false => " Points: the readers at their threshold.".to_owned(),
    };
    let caption = format!(
        "{}: empirical ROC curves of {} readers (gray), n = {} cases, and their mean, the average \
         sensitivity at each false-positive rate.{points}",
        curves.modality,
        curves.readers.len(),
        result.n_cases
    );
    figure(&format!("roc_{}", index + 1), caption, Chart::Lines(chart))
}

fn reader_points(result: &Readers, modality: &str) -> Option<Marks> {
    let decisions = result.at_threshold.as_ref()?;
    let rows = decisions
        .readers
        .iter()
        .filter(|row| row.modality == modality);
    let points = rows.filter_map(|row| {
        let (sensitivity, specificity) = (row.decisions.sensitivity?, row.decisions.specificity?);
        Some(Mark::at(1.0 - specificity.estimate, sensitivity.estimate))
    });
    Some(Marks {
        label: format!("Readers at ≥ {}", decisions.threshold),
        points: points.collect(),
        tone: Tone::Slot(0),
    })
}

fn mean_figure(result: &Readers) -> Block {
    let mut chart = LineChart::roc();
    chart
        .curves
        .extend(result.curves.iter().zip(0..).map(|(curves, slot)| Curve {
            weight: Weight::Strong,
            tone: Tone::Slot(slot),
            ..Curve::line(curves.modality.clone(), curves.mean.clone())
        }));
    let caption = format!(
        "Mean ROC curves of {} readers by modality, n = {} cases.",
        result.n_readers, result.n_cases
    );
    figure("roc_means", caption, Chart::Lines(chart))
}

fn froc_figure(result: &Readers, curves: &Curves, index: usize) -> Block {
    let ends = curves
        .readers
        .iter()
        .filter_map(|curve| curve.points.last());
    let most = ends.map(|point| point.0).fold(0.1, f64::max);
    let mut chart = LineChart::free_response(most);
    let lines = curves.readers.iter();
    chart
        .curves
        .extend(lines.map(|curve| Curve::line(curve.name.clone(), curve.points.clone())));
    let caption = format!(
        "{}: share of lesions found against false marks per case, {} readers, n = {} cases.",
        curves.modality,
        curves.readers.len(),
        result.n_cases
    );
    figure(&format!("froc_{}", index + 1), caption, Chart::Lines(chart))
}

fn u_statistics(result: &Readers) -> Option<Section> {
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

fn algorithms(result: &Readers) -> Option<Section> {
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
         2005); {}, {} covariances, n = {} readers and {} cases.",
        result.random, result.covariance, result.n_readers, result.n_cases
    );
    Some(Section {
        title: "Readers against algorithms".into(),
        blocks: vec![table("algorithms", caption, &columns, rows.collect())],
    })
}

fn decisions(result: &Readers) -> Option<Section> {
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
         Wilson intervals, n = {} cases.",
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

fn subgroups(result: &Readers) -> Option<Section> {
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

fn methods(result: &Readers) -> Section {
    let mut blocks = vec![text(format!(
        "Figures of merit are empirical. Means and differences over readers follow the \
         Obuchowski–Rockette model with Hillis' degrees of freedom ({}; {} covariances; \
         doi:10.1080/03610929508831616, doi:10.1002/sim.2532). Intervals are {} and two-sided. \
         Differences of several modalities are adjusted by Holm where said.",
        result.random,
        result.covariance,
        percent(result.confidence)
    ))];
    if let Some((name, n)) = &result.clusters {
        blocks.push(text(format!(
            "Cases are clustered in {n} values of `{name}`: the jackknife leaves out whole \
             clusters. Methods that need independent cases are refused; intervals of single \
             proportions take cases as independent."
        )));
    }
    Section {
        title: "Methods".into(),
        blocks,
    }
}
