//! The curves: ROC and free-response, readers, their mean and algorithms.

use lobule_report::chart::{Chart, Curve, LineChart, Mark, Marks, Tone, Weight};
use lobule_report::document::{Block, Section};

use super::counted;
use crate::page::figure;
use crate::readers::{Curves, Readers, RocCurve};

pub(super) fn curves(result: &Readers) -> Option<Section> {
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
        "{}: empirical ROC curves of {} (gray), n = {}, and their mean, the average \
         sensitivity at each false-positive rate.{points}",
        curves.modality,
        counted(curves.readers.len(), "reader"),
        counted(result.n_cases, "case")
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
        "Mean ROC curves of {} by modality, n = {}.",
        counted(result.n_readers, "reader"),
        counted(result.n_cases, "case")
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
