//! The picture of a run: loss and ranking by epoch.

use plotters::prelude::*;

use crate::{EpochRecord, Error, ErrorKind};

const SIZE: (u32, u32) = (720, 360);
const TRAINING: RGBColor = RGBColor(0x1f, 0x4e, 0x79);
const INNER: RGBColor = RGBColor(0xb3, 0x52, 0x1b);

/// Two panels: the loss of training and inner groups, and the inner AUROC of what `ranked` says.
pub(crate) fn curves_svg(epochs: &[EpochRecord], ranked: &str) -> Result<String, Error> {
    let mut svg = String::new();
    draw(epochs, ranked, &mut svg)
        .map_err(|e| Error::new(ErrorKind::Io, format!("curves: {e}")))?;
    Ok(svg)
}

fn draw(
    epochs: &[EpochRecord],
    ranked: &str,
    svg: &mut String,
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let points = |of: fn(&EpochRecord) -> Option<f64>| -> Vec<(f64, f64)> {
        epochs
            .iter()
            .filter_map(|e| Some((e.epoch as f64, of(e)?)))
            .collect()
    };
    let losses = [
        ("training loss", TRAINING, points(|e| Some(e.loss))),
        ("inner loss", INNER, points(|e| e.inner_loss)),
    ];
    // Without inner groups there is one line and one panel.
    let ranking = points(|e| e.inner_auroc);
    if ranking.is_empty() {
        panel(&root, "Loss", &losses[..1])?;
    } else {
        let (left, right) = root.split_horizontally(SIZE.0 / 2);
        panel(&left, "Loss", &losses)?;
        let lines = [("inner AUROC", INNER, ranking)];
        panel(&right, &format!("AUROC, {ranked}"), &lines)?;
    }
    root.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Line = (&'static str, RGBColor, Vec<(f64, f64)>);

fn panel(area: &Area<'_>, title: &str, lines: &[Line]) -> Result<(), Box<dyn std::error::Error>> {
    let values = || {
        let all = lines.iter().flat_map(|line| line.2.iter());
        all.filter(|point| point.1.is_finite())
    };
    let last = values().map(|p| p.0).fold(2.0, f64::max);
    let low = values().map(|p| p.1).fold(f64::INFINITY, f64::min);
    let high = values().map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return Ok(());
    }
    let margin = 0.08 * (high - low) + 0.005;
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 15))
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(44)
        .build_cartesian_2d(1.0..last, low - margin..high + margin)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_desc("epoch")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.2}"))
        .draw()?;
    for (name, color, points) in lines {
        chart
            .draw_series(LineSeries::new(
                points.iter().copied(),
                color.stroke_width(2),
            ))?
            .label(*name)
            .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE)
        .border_style(WHITE)
        .draw()?;
    Ok(())
}
