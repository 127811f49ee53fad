//! The report of a reader study: what was studied, its summary, its methods. Each further section
//! has a file of its own.

mod contrasts;
mod curves;
mod decisions;
mod merit;

use lobule_report::document::{Cell, Document, Section};

use super::{Analysis, Readers};
use crate::page::{
    About, difference, estimate, p_words, percent, provenance, table, text, warning,
};
use crate::value::Found;

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
    let mut refusals: Vec<&str> = Vec::new();
    for (index, found) in result.figures.iter().enumerate() {
        match found {
            Found::Value(analysis) => {
                sections.push(merit::figure_section(result, analysis, index));
            }
            Found::Refused(reason) if !refusals.contains(&reason.as_str()) => {
                refusals.push(reason);
                sections.push(not_analysed(result, reason));
            }
            Found::Refused(_) => {}
        }
    }
    sections.extend(curves::curves(result));
    sections.extend(contrasts::u_statistics(result));
    sections.extend(contrasts::algorithms(result));
    sections.extend(decisions::decisions(result));
    sections.extend(contrasts::subgroups(result));
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

fn not_analysed(result: &Readers, reason: &str) -> Section {
    let hint = match result.n_readers {
        1 => " One reader can be analysed with cases alone as random (`--random cases`).",
        _ => "",
    };
    Section {
        title: "Figures of merit".into(),
        blocks: vec![warning(format!("Not analysed: {reason}.{hint}"))],
    }
}

fn primary(result: &Readers) -> Option<&Analysis> {
    result.figures.first()?.value()
}

/// `1 reader`, `3 readers`.
fn counted(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}

fn summary(result: &Readers) -> Vec<String> {
    let mut lines = vec![format!(
        "{} rated {} ({} with the disease) in {}.",
        counted(result.n_readers, "reader"),
        counted(result.n_cases, "case"),
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
        let how = match result.covariance.as_str() {
            "DeLong" => "DeLong's components are summed over each cluster",
            _ => "the jackknife leaves out whole clusters",
        };
        blocks.push(text(format!(
            "Cases are clustered in {n} values of `{name}`: {how}. Methods that need independent cases are refused; intervals of single \
             proportions take cases as independent."
        )));
    }
    Section {
        title: "Methods".into(),
        blocks,
    }
}
