//! The report of a survival analysis.

use lobule_report::chart::{
    Axis, BandPoint, Chart, ForestPlot, ForestRow, RowKind, Scale, SurvivalCurve, SurvivalPlot,
    Tone, time_ticks,
};
use lobule_report::document::{Block, Cell, Document, Section};

use super::{Curve, Grouping, Model, Survival, Term};
use crate::page::{
    About, chi_square_cells, difference, estimate, figure, forest_row, found, interval, number,
    or_missing, p_words, percent, provenance, table, text, warning,
};
use crate::value::Found;

/// The report: curves with numbers at risk, tests, models, methods.
///
/// ```
/// use lobule_study::survival::{Survival, document};
/// fn title(result: &Survival) -> String {
///     document(result, &lobule_study::About::default()).title
/// }
/// ```
pub fn document(result: &Survival, about: &About) -> Document {
    let mut sections = vec![subjects(result)];
    for (index, grouping) in result.groupings.iter().enumerate() {
        sections.push(grouping_section(result, grouping, index));
    }
    sections.extend(models(result));
    sections.push(methods(result));
    let settings = [
        ("Confidence level", percent(result.confidence)),
        ("Intervals of survival", format!("{} scale", result.scale)),
        ("Ties", result.ties.clone()),
    ];
    Document {
        title: "Survival".into(),
        summary: summary(result),
        sections,
        provenance: provenance(about, &result.input, &settings),
    }
}

fn n_events(result: &Survival) -> usize {
    result.n_by_code.get(1).copied().unwrap_or(0)
}

fn is_competing(result: &Survival) -> bool {
    result.n_by_code.len() > 2
}

fn summary(result: &Survival) -> Vec<String> {
    let mut lines = vec![format!(
        "{} subjects, {} events{}.",
        result.n_subjects,
        n_events(result),
        only(result)
    )];
    for grouping in result.groupings.iter().filter(|g| !g.column.is_empty()) {
        if let Some(test) = grouping.log_rank.value() {
            lines.push(format!(
                "Log-rank test over {}: χ² = {:.2} on {} df, {}.",
                grouping.column,
                test.statistic,
                test.degrees_of_freedom,
                p_words(test.p_value)
            ));
        }
    }
    let model = result.multivariable.as_ref().and_then(Found::value);
    if let Some(c) = model.and_then(|model| model.concordance.value()) {
        lines.push(format!(
            "Concordance of the model with all covariates: {} (apparent).",
            estimate(c).words()
        ));
    }
    lines
}

/// Whom the analysis is about, where it is not everybody.
fn only(result: &Survival) -> String {
    match result.only.as_slice() {
        [] => String::new(),
        only => format!(", only those with {}", only.join(" and ")),
    }
}

fn subjects(result: &Survival) -> Section {
    let row = |name: String, n: usize| vec![Cell::Text(name), Cell::from(n)];
    let mut rows = vec![row("Subjects".into(), result.n_subjects)];
    for (code, &n) in result.n_by_code.iter().enumerate() {
        let name = match code {
            0 => "Censored".to_owned(),
            1 => "Events (code 1)".to_owned(),
            code => format!("Competing events (code {code})"),
        };
        rows.push(row(name, n));
    }
    if !result.only.is_empty() {
        rows.push(row("Other rows, not asked for".into(), result.n_others));
    }
    rows.push(row(
        "Rows left out for empty cells".into(),
        result.n_incomplete,
    ));
    let columns = [("what", "What"), ("n", "n")];
    Section {
        title: "Subjects".into(),
        blocks: vec![table(
            "subjects",
            format!("Follow-up{}.", only(result)),
            &columns,
            rows,
        )],
    }
}

fn grouping_section(result: &Survival, grouping: &Grouping, index: usize) -> Section {
    let stem = format!("_{}", index + 1);
    let mut blocks = vec![
        survival_figure(result, grouping, &stem),
        curve_table(result, grouping, &stem),
    ];
    if grouping.curves.iter().any(|curve| !curve.at.is_empty()) {
        blocks.push(times_table(result, grouping, &stem));
    }
    match (&grouping.pairs, grouping.curves.len()) {
        (_, 1) => {}
        (Found::Value(pairs), _) => {
            let rows = pairs.iter().map(|pair| {
                let mut cells = vec![Cell::Text(format!("{} vs {}", pair.first, pair.second))];
                cells.extend(chi_square_cells(&pair.test));
                cells.push(Cell::PValue(pair.holm_p_value));
                cells.push(found(&pair.restricted_mean_difference, difference));
                cells
            });
            let columns = [
                ("pair", "Groups"),
                ("chi_square", "χ²"),
                ("df", "df"),
                ("p", "p"),
                ("p_holm", "p (Holm)"),
                ("rmst_difference", "Difference of restricted means (CI)"),
            ];
            let caption = format!(
                "Pairs of groups: log-rank test, adjusted by Holm, and difference of mean \
                 survival up to {} {}.",
                grouping.horizon, result.time_unit
            );
            blocks.push(table(
                &format!("pairs{stem}"),
                caption,
                &columns,
                rows.collect(),
            ));
        }
        (Found::Refused(reason), _) => blocks.push(warning(format!("Not compared: {reason}."))),
    }
    if !grouping.incidences.is_empty() {
        blocks.extend(incidence_blocks(result, grouping, &stem));
    }
    Section {
        title: match grouping.column.as_str() {
            "" => "Survival".into(),
            column => format!("Survival by {column}"),
        },
        blocks,
    }
}

fn survival_figure(result: &Survival, grouping: &Grouping, stem: &str) -> Block {
    let ends = grouping
        .curves
        .iter()
        .filter_map(|curve| curve.steps.last());
    let longest = ends.map(|step| step.time).fold(0.0, f64::max);
    let times = time_ticks(longest);
    let curves = grouping.curves.iter().enumerate();
    let plot = SurvivalPlot {
        curves: curves
            .map(|(slot, curve)| drawn(curve, &times, slot))
            .collect(),
        times,
        note: match grouping.log_rank.value() {
            Some(test) => format!("log-rank {}", p_words(test.p_value)),
            None => String::new(),
        },
        ..SurvivalPlot::survival(result.time_unit.clone())
    };
    let what = match is_competing(result) {
        true => " Competing events are censored.",
        false => "",
    };
    let caption = format!(
        "Kaplan–Meier curves with {} bands ({} scale), censoring ticks and numbers at risk; n = \
         {} subjects, {} events.{what}",
        percent(result.confidence),
        result.scale,
        result.n_subjects,
        n_events(result)
    );
    figure(&format!("survival{stem}"), caption, Chart::Survival(plot))
}

fn drawn(curve: &Curve, times: &[f64], slot: usize) -> SurvivalCurve {
    let steps = curve.steps.iter();
    let at_risk = |&time: &f64| {
        let next = curve.steps.iter().find(|step| step.time >= time);
        next.map_or(0, |step| step.at_risk as u64)
    };
    SurvivalCurve {
        label: curve.label.clone(),
        steps: std::iter::once((0.0, 1.0))
            .chain(steps.clone().map(|step| (step.time, step.survival)))
            .collect(),
        band: steps
            .clone()
            .filter_map(|step| {
                let (lower, upper) = step.interval?;
                let x = step.time;
                Some(BandPoint { x, lower, upper })
            })
            .collect(),
        censored: steps
            .filter(|step| step.censored > 0)
            .map(|step| step.time)
            .collect(),
        at_risk: times.iter().map(at_risk).collect(),
        tone: Tone::Slot(slot),
    }
}

fn curve_table(result: &Survival, grouping: &Grouping, stem: &str) -> Block {
    let rows = grouping.curves.iter().map(|curve| {
        let limit = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let median = or_missing(
            curve.median.estimate,
            "survival stays above one half",
            |m| Cell::Interval {
                estimate: m,
                lower: limit(curve.median.lower),
                upper: curve.median.upper.unwrap_or(f64::INFINITY),
                digits: 1,
            },
        );
        vec![
            curve.label.as_str().into(),
            curve.n_subjects.into(),
            curve.n_events.into(),
            median,
            found(&curve.restricted_mean, |mean| interval(mean, 1)),
        ]
    });
    let columns = [
        ("group", "Group"),
        ("n", "n"),
        ("events", "Events"),
        ("median", "Median survival (CI)"),
        ("restricted_mean", "Restricted mean (CI)"),
    ];
    let test = match &grouping.log_rank {
        Found::Value(test) => format!(
            " Log-rank χ² = {:.3} on {} df, {}.",
            test.statistic,
            test.degrees_of_freedom,
            p_words(test.p_value)
        ),
        Found::Refused(_) => String::new(),
    };
    let caption = format!(
        "Survival by group ({}); means up to {}.{test}",
        result.time_unit, grouping.horizon
    );
    table(
        &format!("survival{stem}"),
        caption,
        &columns,
        rows.collect(),
    )
}

fn times_table(result: &Survival, grouping: &Grouping, stem: &str) -> Block {
    let rows = grouping.curves.iter().flat_map(|curve| {
        curve.at.iter().map(|(time, at_risk, survival)| {
            vec![
                curve.label.as_str().into(),
                number(*time, 1),
                (*at_risk).into(),
                or_missing(survival.as_ref(), "beyond follow-up", estimate),
            ]
        })
    });
    let columns = [
        ("group", "Group"),
        ("time", "Time"),
        ("at_risk", "At risk"),
        ("survival", "Survival (CI)"),
    ];
    let caption = format!("Survival at chosen times ({}).", result.time_unit);
    table(&format!("times{stem}"), caption, &columns, rows.collect())
}

fn incidence_blocks(result: &Survival, grouping: &Grouping, stem: &str) -> Vec<Block> {
    let mut plot = SurvivalPlot::incidence(result.time_unit.clone());
    let curves = grouping.incidences.iter().enumerate();
    plot.curves = curves
        .map(|(slot, curve)| SurvivalCurve {
            label: format!("{}, cause {}", curve.label, curve.cause),
            steps: std::iter::once((0.0, 0.0))
                .chain(curve.steps.iter().copied())
                .collect(),
            tone: Tone::Slot(slot),
            ..SurvivalCurve::default()
        })
        .collect();
    let rows = grouping.incidences.iter().flat_map(|curve| {
        curve.at.iter().map(|(time, incidence)| {
            vec![
                curve.cause.into(),
                curve.label.as_str().into(),
                number(*time, 1),
                estimate(incidence),
            ]
        })
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    let caption = format!(
        "Cumulative incidence of each cause (Aalen–Johansen), n = {} subjects.",
        result.n_subjects
    );
    let mut blocks = vec![figure(
        &format!("incidence{stem}"),
        caption,
        Chart::Survival(plot),
    )];
    if !rows.is_empty() {
        let columns = [
            ("cause", "Cause"),
            ("group", "Group"),
            ("time", "Time"),
            ("incidence", "Cumulative incidence (CI)"),
        ];
        let caption = "Cumulative incidence at chosen times.";
        blocks.push(table(&format!("incidence{stem}"), caption, &columns, rows));
    }
    blocks.extend(gray_blocks(grouping, stem));
    blocks
}

fn gray_blocks(grouping: &Grouping, stem: &str) -> Vec<Block> {
    let (mut rows, mut blocks) = (Vec::new(), Vec::new());
    for (cause, test) in &grouping.gray {
        match test {
            Found::Value(test) => {
                let mut cells = vec![(*cause).into()];
                cells.extend(chi_square_cells(test));
                rows.push(cells);
            }
            Found::Refused(reason) => {
                blocks.push(warning(format!("Cause {cause} is not tested: {reason}.")));
            }
        }
    }
    if !rows.is_empty() {
        let columns = [
            ("cause", "Cause"),
            ("chi_square", "χ²"),
            ("df", "df"),
            ("p", "p"),
        ];
        let caption = "Gray's test that the groups have the same cumulative incidence of a cause.";
        blocks.insert(0, table(&format!("gray{stem}"), caption, &columns, rows));
    }
    blocks
}

const TERM_COLUMNS: [(&str, &str); 4] = [
    ("covariate", "Covariate"),
    ("level", "Level"),
    ("hazard_ratio", "Hazard ratio (CI)"),
    ("p", "p"),
];

fn term_cells(term: &Term) -> Vec<Cell> {
    vec![
        term.covariate.as_str().into(),
        term.level.as_str().into(),
        estimate(&term.hazard_ratio),
        Cell::PValue(term.p_value),
    ]
}

fn models(result: &Survival) -> Option<Section> {
    if result.univariable.is_empty() {
        return None;
    }
    let mut blocks = Vec::new();
    let fitted: Vec<&Model> = result.univariable.iter().filter_map(Found::value).collect();
    for refused in &result.univariable {
        if let Found::Refused(reason) = refused {
            blocks.push(warning(format!("Not fitted: {reason}.")));
        }
    }
    let rows = fitted.iter().flat_map(|model| &model.terms).map(term_cells);
    let caption = format!(
        "Cox models of one covariate each ({} ties); n = {} subjects, {} events.",
        result.ties,
        result.n_subjects,
        n_events(result)
    );
    blocks.push(table("univariable", caption, &TERM_COLUMNS, rows.collect()));
    match &result.multivariable {
        Some(Found::Value(model)) => blocks.extend(model_blocks(result, model)),
        Some(Found::Refused(reason)) => {
            blocks.push(warning(format!(
                "The model of all covariates is not fitted: {reason}."
            )));
        }
        None => {
            if let [model] = fitted.as_slice() {
                blocks.push(measures(model));
            }
        }
    }
    blocks.push(hazard_forest(result, &fitted));
    match &result.subdistribution {
        Some(Found::Value(terms)) => {
            let caption = "Subdistribution hazard ratios of cause 1 (Fine and Gray), all \
                           covariates together.";
            let rows = terms.iter().map(term_cells).collect();
            blocks.push(table("subdistribution", caption, &TERM_COLUMNS, rows));
        }
        Some(Found::Refused(reason)) => {
            blocks.push(warning(format!(
                "Subdistribution hazards are not fitted: {reason}."
            )));
        }
        None => {}
    }
    Some(Section {
        title: "Proportional-hazards models".into(),
        blocks,
    })
}

fn model_blocks(result: &Survival, model: &Model) -> Vec<Block> {
    let caption = format!(
        "Cox model of all covariates ({} ties); n = {} subjects, {} events.",
        result.ties, model.n_subjects, model.n_events
    );
    let rows = model.terms.iter().map(term_cells).collect();
    vec![
        table("multivariable", caption, &TERM_COLUMNS, rows),
        measures(model),
    ]
}

fn measures(model: &Model) -> Block {
    let mut rows = Vec::new();
    let mut tested = |name: &str, test: &crate::value::ChiSquare| {
        let mut cells = vec![Cell::from(name)];
        cells.extend(chi_square_cells(test));
        rows.push(cells);
    };
    tested("Likelihood-ratio test", &model.likelihood_ratio);
    if let Found::Value(test) = &model.wald {
        tested("Wald test", test);
    }
    tested("Score test", &model.score);
    for (name, test) in model.proportional_hazards.value().into_iter().flatten() {
        tested(&format!("Proportional hazards: {name}"), test);
    }
    if let Some(test) = &model.proportional_hazards_global {
        tested("Proportional hazards: all", test);
    }
    let c = |found: &Found<crate::value::Estimate>| match found {
        Found::Value(value) => estimate(value).words(),
        Found::Refused(reason) => format!("not computed ({reason})"),
    };
    let caption = format!(
        "The model's tests; proportional hazards by scaled Schoenfeld residuals over the \
         Kaplan–Meier scale. Harrell's C {}, Uno's C {}, both on the data of the fit.",
        c(&model.concordance),
        c(&model.uno_concordance)
    );
    let columns = [
        ("test", "Test"),
        ("chi_square", "χ²"),
        ("df", "df"),
        ("p", "p"),
    ];
    table("model_tests", caption, &columns, rows)
}

fn hazard_forest(result: &Survival, univariable: &[&Model]) -> Block {
    let rows_of = |models: &[&Model]| -> Vec<ForestRow> {
        let terms = models.iter().flat_map(|model| &model.terms);
        let row = |term: &Term| {
            let label = format!("{}, {}", term.covariate, term.level);
            let cells = vec![
                estimate(&term.hazard_ratio).words(),
                Cell::PValue(term.p_value).words(),
            ];
            forest_row(label, &term.hazard_ratio, RowKind::Single, cells)
        };
        terms.map(row).collect()
    };
    let mut rows = vec![ForestRow::Heading("One covariate at a time".into())];
    rows.extend(rows_of(univariable));
    if let Some(Found::Value(model)) = &result.multivariable {
        rows.push(ForestRow::Heading("All covariates together".into()));
        rows.extend(rows_of(&[model]));
    }
    let plot = ForestPlot {
        axis: Axis {
            scale: Scale::Log,
            ..Axis::new("Hazard ratio")
        },
        reference: Some(1.0),
        directions: Some(("lower hazard".into(), "higher hazard".into())),
        label_heading: "Covariate".into(),
        columns: vec!["HR (CI)".into(), "p".into()],
        rows,
    };
    let caption = format!(
        "Hazard ratios with {} intervals; n = {} subjects, {} events.",
        percent(result.confidence),
        result.n_subjects,
        n_events(result)
    );
    figure("hazard_ratios", caption, Chart::Forest(plot))
}

fn methods(result: &Survival) -> Section {
    let competing = match is_competing(result) {
        true => {
            " Curves, log-rank tests and Cox models are of cause 1 with competing events \
                 censored (cause-specific hazards); a Kaplan–Meier curve then overstates what \
                 patients experience, the cumulative incidence does not. Cumulative incidences of \
                 groups are compared by Gray's test (ρ = 0), without strata."
        }
        false => "",
    };
    Section {
        title: "Methods".into(),
        blocks: vec![text(format!(
            "Survival by Kaplan and Meier with Greenwood's variance and {} intervals on the {} \
             scale; log-rank tests, pairs adjusted by Holm; restricted means up to the stated \
             horizon; Cox models with {} ties; proportional hazards by Grambsch and Therneau. Rows \
             with an empty covariate are left out ({} here).{competing}",
            percent(result.confidence),
            result.scale,
            result.ties,
            result.n_incomplete
        ))],
    }
}
