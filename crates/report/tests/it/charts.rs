//! Charts: what they draw, what they leave out, and that nothing breaks them.

use lobule_report::chart::{
    Axis, BandPoint, Chart, Curve, ForestPlot, ForestRow, Histogram, HistogramGroup,
    HistogramLayout, LegendPlace, LineChart, Mark, Marks, Reference, RowKind, Scale, Strip,
    SurvivalCurve, SurvivalPlot, Tone, time_ticks,
};

/// Values that a broken computation may hand over.
const ODD: [f64; 8] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -1.0,
    1e300,
    -1e300,
    f64::MIN_POSITIVE,
];

fn roc(points: Vec<(f64, f64)>) -> LineChart {
    LineChart {
        curves: vec![Curve::line("System", points)],
        ..LineChart::roc()
    }
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

/// Every number of the drawing is finite, and the drawing is well formed.
fn checked(chart: &Chart) -> String {
    let svg = chart.to_svg("Title <b> & \"quotes\"");
    for word in ["NaN", "inf", "<b>", "<script"] {
        assert!(!svg.contains(word), "{word} in {svg}");
    }
    assert_eq!(svg, chart.to_svg("Title <b> & \"quotes\""));
    for (open, close) in [("<g", "</g>"), ("<text", "</text>"), ("<svg", "</svg>")] {
        assert_eq!(count(&svg, open), count(&svg, close), "{open}");
    }
    // Words keep the width they were given, whatever font a viewer has.
    assert_eq!(count(&svg, "<text"), count(&svg, "textLength=\""));
    svg
}

fn all_charts(values: &[f64]) -> Vec<Chart> {
    let pairs: Vec<(f64, f64)> = values
        .iter()
        .flat_map(|x| values.iter().map(move |y| (*x, *y)))
        .collect();
    let band: Vec<BandPoint> = pairs
        .iter()
        .map(|&(x, y)| BandPoint {
            x,
            lower: y,
            upper: x,
        })
        .collect();
    let mark = |&(x, y): &(f64, f64)| Mark {
        x,
        y,
        x_interval: Some((y, x)),
        y_interval: Some((x, y)),
        label: "<script>".into(),
    };
    let first = values.first().copied().unwrap_or(0.5);
    let references = vec![
        Reference::Diagonal,
        Reference::Horizontal(first, "h".into()),
        Reference::Vertical(first, "<script>".into()),
    ];
    let mut charts = Vec::new();
    for scale in [Scale::Linear, Scale::Log] {
        let axis = Axis {
            scale,
            ..Axis::new("<script>")
        };
        charts.push(Chart::Lines(LineChart {
            x: axis.clone(),
            y: axis.clone(),
            references: references.clone(),
            curves: vec![Curve {
                band: band.clone(),
                ..Curve::line("<script>", pairs.clone())
            }],
            marks: vec![Marks {
                label: "m".into(),
                points: pairs.iter().map(mark).collect(),
                tone: Tone::Slot(usize::MAX),
            }],
            strip: Some(Strip {
                label: "<script>".into(),
                bins: pairs.iter().map(|&(x, y)| (x, y, x)).collect(),
            }),
            ..LineChart::default()
        }));
        charts.push(Chart::Forest(ForestPlot {
            axis: axis.clone(),
            reference: values.first().copied(),
            directions: Some(("<script>".into(), "more".into())),
            rows: pairs
                .iter()
                .enumerate()
                .map(|(i, &(x, y))| ForestRow::Estimate {
                    label: "<script>".into(),
                    estimate: x,
                    lower: y,
                    upper: x,
                    cells: vec!["<script>".into(); i % 3],
                    kind: [RowKind::Single, RowKind::Summary][i % 2],
                })
                .collect(),
            ..ForestPlot::default()
        }));
        charts.push(Chart::Histogram(Histogram {
            x: axis.clone(),
            edges: values.to_vec(),
            groups: vec![
                HistogramGroup {
                    label: "<script>".into(),
                    heights: values.to_vec(),
                    tone: Tone::Next,
                };
                3
            ],
            layout: HistogramLayout::Mirrored,
            references: references.clone(),
            ..Histogram::default()
        }));
        charts.push(Chart::Survival(SurvivalPlot {
            time: "t".into(),
            y: axis,
            times: values.to_vec(),
            curves: vec![SurvivalCurve {
                label: "<script>".into(),
                steps: pairs.clone(),
                band: band.clone(),
                censored: values.to_vec(),
                at_risk: vec![7; 12],
                tone: Tone::Gray,
            }],
            note: "<script>".into(),
        }));
    }
    charts
}

#[test]
fn no_value_breaks_a_chart_or_reaches_it_unless_finite() {
    for values in [&[][..], &[0.5], &ODD[..3], &ODD] {
        for chart in all_charts(values) {
            checked(&chart);
        }
    }
}

#[test]
fn odd_charts_become_pictures_too() {
    // One scale is enough: rasterizing takes most of the time of these tests.
    for chart in all_charts(&ODD[..4]).iter().take(4) {
        let png = chart.to_png("t").unwrap();
        let picture = image::load_from_memory(&png).unwrap();
        assert!(picture.width() > 300 && picture.height() > 50);
    }
}

#[test]
fn a_picture_has_words_without_fonts_of_the_system() {
    let chart = Chart::Lines(LineChart::roc());
    let with_words = image::load_from_memory(&chart.to_png("t").unwrap())
        .unwrap()
        .to_luma8();
    // 90 mm at 500 dots per inch.
    assert_eq!(with_words.width(), 1772);
    let (width, height) = with_words.dimensions();
    let left_margin = (0..height).flat_map(|y| (0..width / 16).map(move |x| (x, y)));
    let dark = left_margin.filter(|&(x, y)| with_words.get_pixel(x, y).0[0] < 100);
    assert!(dark.count() > 200, "the name of the vertical axis is drawn");
}

#[test]
fn a_curve_of_many_cases_is_thinned_without_leaving_its_path() {
    let n = 200_000;
    let point = |i: usize| {
        let x = (i / 2) as f64 / (n / 2) as f64;
        let y = (i.div_ceil(2)) as f64 / (n / 2) as f64;
        (x, y.powf(0.3))
    };
    let svg = checked(&Chart::Lines(roc((0..=n).map(point).collect())));
    assert!(svg.len() < 20_000, "got {} bytes", svg.len());
}

#[test]
fn gaps_break_a_curve_and_points_outside_are_not_drawn() {
    let gap = vec![
        (0.0, 0.0),
        (0.2, 0.5),
        (f64::NAN, 0.6),
        (0.4, 0.8),
        (1.0, 1.0),
    ];
    let whole = vec![(0.0, 0.0), (0.2, 0.5), (0.4, 0.8), (1.0, 1.0)];
    let paths = |points| count(&checked(&Chart::Lines(roc(points))), "<path");
    assert_eq!(paths(gap), paths(whole) + 1);
    let marks = |x: f64| {
        let chart = LineChart {
            marks: vec![Marks {
                points: vec![Mark::at(x, 0.5)],
                ..Marks::default()
            }],
            ..LineChart::roc()
        };
        count(&checked(&Chart::Lines(chart)), "class=\"mark\"")
    };
    assert_eq!((marks(0.5), marks(1.5)), (1, 0));
}

#[test]
fn a_legend_stands_inside_only_where_nothing_is_drawn() {
    let height = |chart: LineChart| {
        let svg = checked(&Chart::Lines(chart));
        let view = svg.split("viewBox=\"0 0 ").nth(1).unwrap();
        let numbers: Vec<f64> = view
            .split('"')
            .next()
            .unwrap()
            .split(' ')
            .map(|n| n.parse().unwrap())
            .collect();
        numbers[1]
    };
    let bare = || roc(vec![(0.0, 0.0), (0.1, 0.9), (1.0, 1.0)]);
    let inside = height(bare());
    let hidden = height(LineChart {
        legend: LegendPlace::Hidden,
        ..bare()
    });
    let beneath = height(LineChart {
        legend: LegendPlace::Beneath,
        ..bare()
    });
    let full: Vec<(f64, f64)> = (0..400)
        .map(|i| (f64::from(i) / 400.0, f64::from(i % 2)))
        .collect();
    assert_eq!(inside, hidden);
    assert!(beneath > hidden);
    assert_eq!(height(roc(full)), beneath);
}

#[test]
fn thirty_rows_and_curves_are_all_there() {
    let curves = (0..30).map(|i| Curve::line(format!("Curve {i}."), vec![(0.0, 0.0), (1.0, 1.0)]));
    let lines = checked(&Chart::Lines(LineChart {
        curves: curves.collect(),
        ..LineChart::roc()
    }));
    let rows = (0..30).map(|i| ForestRow::Estimate {
        label: format!("Curve {i}."),
        estimate: 0.5,
        lower: 0.4,
        upper: 0.6,
        cells: vec!["0.5".into()],
        kind: RowKind::Single,
    });
    let forest = checked(&Chart::Forest(ForestPlot {
        rows: rows.collect(),
        ..ForestPlot::default()
    }));
    for i in 0..30 {
        let label = format!(">Curve {i}.</text>");
        assert!(lines.contains(&label) && forest.contains(&label), "{label}");
    }
}

#[test]
fn numbers_at_risk_stand_under_their_times() {
    let svg = checked(&Chart::Survival(SurvivalPlot {
        times: time_ticks(60.0),
        curves: vec![SurvivalCurve {
            label: "Low".into(),
            steps: vec![(0.0, 1.0), (20.0, 0.9)],
            censored: vec![5.0, 30.0],
            at_risk: vec![9001, 9002, 9003, 9004, 9005, 9006, 9007],
            ..SurvivalCurve::default()
        }],
        ..SurvivalPlot::survival("Months")
    }));
    let place = |words: &str| {
        let before = svg.split(&format!(">{words}</text>")).next().unwrap();
        let x = before.rsplit("<text x=\"").next().unwrap();
        x.split('"').next().unwrap().to_owned()
    };
    for (time, n) in [("10", "9002"), ("60", "9007")] {
        assert_eq!(place(time), place(n));
    }
}

#[test]
fn values_are_counted_once() {
    let values: Vec<f64> = (0..=100).map(|i| f64::from(i) / 100.0).collect();
    let histogram = Histogram::of_values("s", (0.0, 1.0), 10, &[("all", &values)]);
    assert_eq!(histogram.groups[0].heights.iter().sum::<f64>(), 101.0);
    let none = Histogram::of_values("s", (0.0, 1.0), 0, &[("all", &values)]);
    checked(&Chart::Histogram(none));
}
