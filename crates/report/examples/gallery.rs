//! Writes a document with every chart, from made-up numbers, to look at.
//!
//! `cargo run --release -p lobule-report --example gallery -- FOLDER`

use lobule_report::chart::{
    Axis, BandPoint, Chart, Curve, ForestPlot, ForestRow, Frame, Histogram, HistogramLayout, Join,
    LineChart, Mark, Marks, Reference, RowKind, Scale, Strip, SurvivalCurve, SurvivalPlot,
    TickFormat, Tone, Weight, time_ticks,
};
use lobule_report::document::{Block, Cell, Column, Document, Figure, Section, Table, write_study};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("expected a folder")?;
    let result = serde_json::json!({ "auc": 1.0 / 3.0 });
    println!(
        "{}",
        write_study(folder.as_ref(), &document(), &result)?.display()
    );
    Ok(())
}

fn document() -> Document {
    let figures = [
        (
            "roc",
            "Receiver operating characteristic of system and readers. Bands are 95 % simultaneous confidence bands.",
            roc(),
        ),
        ("readers", "Ten readers and their mean.", many_readers()),
        ("big-roc", "A curve of 200 000 cases.", big_roc()),
        (
            "precision-recall",
            "Precision against recall.",
            precision_recall(),
        ),
        (
            "reliability",
            "Reliability before and after calibration.",
            reliability(),
        ),
        (
            "decision",
            "Net benefit of three ways to decide.",
            decision(),
        ),
        ("triage", "Workload saved by sensitivity kept.", triage()),
        ("free-response", "Free-response curves.", free_response()),
        (
            "survival",
            "Kaplan–Meier estimates by group of risk.",
            survival(),
        ),
        (
            "incidence",
            "Cumulative incidence of interval and screen-detected cancer.",
            incidence(),
        ),
        ("forest", "AUC by reader and condition.", forest()),
        ("ratios", "Hazard ratios on a logarithmic axis.", ratios()),
        (
            "scores",
            "Scores by truth, overlaid.",
            scores(HistogramLayout::Overlaid),
        ),
        (
            "mirrored",
            "Scores by truth, mirrored.",
            scores(HistogramLayout::Mirrored),
        ),
        ("crowd", "Thirty curves with long and odd labels.", crowd()),
        ("empty", "Nothing to draw.", Chart::Lines(LineChart::roc())),
    ];
    let blocks = figures.into_iter().map(|(name, caption, chart)| {
        Block::Figure(Figure {
            name: name.into(),
            caption: caption.into(),
            chart,
        })
    });
    let words = vec![
        Block::Text("All numbers on this page are made up.".into()),
        Block::Warning("Reader 3 read 12 cases twice; the first reading was kept.".into()),
        Block::Table(table()),
    ];
    Document {
        title: "A gallery of charts".into(),
        summary: vec![
            "The mean AUC of the readers rose from 0.842 to 0.881 with the system, by 0.039 (95 % CI 0.018 to 0.060, p < 0.001).".into(),
            "Sensitivity rose at equal specificity.".into(),
        ],
        sections: vec![
            Section { title: "Accuracy".into(), blocks: words },
            Section { title: "Figures".into(), blocks: blocks.collect() },
        ],
        provenance: vec![
            ("Input".into(), "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
            ("Method".into(), "Obuchowski–Rockette with DeLong covariances".into()),
            ("Seed".into(), "17".into()),
            ("Program".into(), "Lobule 0.1.0".into()),
        ],
    }
}

fn table() -> Table {
    let row = |i: u64| {
        let auc = 0.80 + 0.012 * i as f64;
        vec![
            Cell::Text(format!("Reader {i}")),
            Cell::Count(1200 * i * i),
            Cell::Interval {
                estimate: auc,
                lower: auc - 0.05,
                upper: auc + 0.04,
                digits: 3,
            },
            Cell::PercentInterval {
                estimate: auc,
                lower: auc - 0.06,
                upper: auc + 0.05,
            },
            match i {
                3 => Cell::Missing("read one condition only".into()),
                _ => Cell::PValue(0.4 / 10f64.powi(i as i32)),
            },
        ]
    };
    Table {
        name: "readers".into(),
        caption: "Accuracy of each reader with the system.".into(),
        columns: vec![
            Column::new("reader", "Reader"),
            Column::new("n_cases", "Cases"),
            Column::new("auc", "AUC (95 % CI)"),
            Column::new("sensitivity", "Sensitivity (95 % CI)"),
            Column::new("p", "p"),
        ],
        rows: (1..=5).map(row).collect(),
    }
}

/// Numbers in 0..1 that repeat on every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About normal.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// Scores of benign and malignant cases, `apart` standard deviations apart.
fn sample(seed: u64, n: usize, apart: f64) -> [Vec<f64>; 2] {
    let mut numbers = Numbers(seed);
    let mut score = |shift: f64| 1.0 / (1.0 + (-(numbers.normal() + shift) * 1.3).exp());
    let benign = (0..n).map(|_| score(-apart / 2.0)).collect();
    let malignant = (0..n / 3).map(|_| score(apart / 2.0)).collect();
    [benign, malignant]
}

fn roc_points([benign, malignant]: &[Vec<f64>; 2]) -> Vec<(f64, f64)> {
    let mut all: Vec<(f64, bool)> = benign.iter().map(|s| (*s, false)).collect();
    all.extend(malignant.iter().map(|s| (*s, true)));
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut fp, mut tp) = (0.0, 0.0);
    let mut points = vec![(0.0, 0.0)];
    for (_, is_malignant) in all {
        match is_malignant {
            true => tp += 1.0,
            false => fp += 1.0,
        }
        points.push((fp / benign.len() as f64, tp / malignant.len() as f64));
    }
    points
}

fn band(points: &[(f64, f64)], half: f64) -> Vec<BandPoint> {
    let limits = |&(x, y): &(f64, f64)| BandPoint {
        x,
        lower: (y - half * (1.1 - y)).max(0.0),
        upper: (y + half * (1.0 - y)).min(1.0),
    };
    points.iter().map(limits).collect()
}

fn roc() -> Chart {
    let points = roc_points(&sample(1, 300, 2.0));
    let other = roc_points(&sample(5, 300, 1.5));
    let mark = |(i, (x, y)): (usize, &(f64, f64))| Mark {
        label: format!("R{}", i + 1),
        ..Mark::at(*x, *y)
    };
    let places = [
        (0.10, 0.70),
        (0.14, 0.76),
        (0.22, 0.83),
        (0.06, 0.55),
        (0.15, 0.74),
        (0.30, 0.88),
    ];
    Chart::Lines(LineChart {
        curves: vec![
            Curve {
                band: band(&points, 0.3),
                ..Curve::line("System, AUC 0.92 (0.88–0.95)", points)
            },
            Curve::line("Earlier system, AUC 0.85 (0.80–0.89)", other),
        ],
        marks: vec![Marks {
            label: "Readers without system".into(),
            points: places.iter().enumerate().map(mark).collect(),
            ..Marks::default()
        }],
        ..LineChart::roc()
    })
}

fn many_readers() -> Chart {
    let reader = |i: u64| Curve {
        weight: Weight::Faint,
        tone: Tone::Gray,
        label: if i == 0 {
            "Single readers".into()
        } else {
            String::new()
        },
        ..Curve::line("", roc_points(&sample(i + 40, 90, 1.2 + 0.1 * i as f64)))
    };
    let mut curves: Vec<Curve> = (0..10).map(reader).collect();
    curves.push(Curve {
        weight: Weight::Strong,
        ..Curve::line("Mean of readers", roc_points(&sample(99, 3000, 1.65)))
    });
    Chart::Lines(LineChart {
        curves,
        ..LineChart::roc()
    })
}

fn big_roc() -> Chart {
    let points = roc_points(&sample(3, 150_000, 1.8));
    Chart::Lines(LineChart {
        curves: vec![Curve::line("System", points)],
        ..LineChart::roc()
    })
}

fn precision_recall() -> Chart {
    let points: Vec<(f64, f64)> = roc_points(&sample(4, 900, 2.2))
        .iter()
        .filter(|(fpr, tpr)| fpr + tpr > 0.0)
        .map(|(fpr, tpr)| (*tpr, tpr / (tpr + 3.0 * fpr)))
        .collect();
    Chart::Lines(LineChart {
        curves: vec![Curve {
            label: "System, AP 0.89".into(),
            points,
            ..Curve::default()
        }],
        ..LineChart::precision_recall(0.25)
    })
}

fn reliability() -> Chart {
    let bins = |bend: f64| -> Vec<Mark> {
        let bin = |i: i32| {
            let p = 0.05 + 0.1 * f64::from(i);
            let y = p.powf(bend);
            let half = 0.03 + 0.12 * p * (1.0 - p) + 0.02 * p;
            Mark {
                y_interval: Some(((y - half).max(0.0), (y + half).min(1.0))),
                ..Mark::at(p, y)
            }
        };
        (0..10).map(bin).collect()
    };
    let marks = |label: &str, bend: f64| Marks {
        label: label.into(),
        points: bins(bend),
        tone: Tone::Next,
    };
    let counts = [
        410.0, 220.0, 120.0, 80.0, 60.0, 52.0, 48.0, 50.0, 70.0, 130.0,
    ];
    let bins = (0..10).map(|i| {
        (
            f64::from(i) * 0.1,
            f64::from(i + 1) * 0.1,
            counts[i as usize],
        )
    });
    Chart::Lines(LineChart {
        marks: vec![marks("Calibrated", 1.05), marks("As scored", 1.9)],
        strip: Some(Strip {
            label: "Cases".into(),
            bins: bins.collect(),
        }),
        ..LineChart::reliability()
    })
}

fn decision() -> Chart {
    let at = |i: i32| f64::from(i) * 0.004;
    let curve = |f: &dyn Fn(f64) -> f64| (0..=125).map(|i| (at(i), f(at(i)))).collect::<Vec<_>>();
    let odds = |t: f64| t / (1.0 - t);
    let all = curve(&|t| 0.2 - 0.8 * odds(t));
    let system = curve(&|t| 0.185 - 0.10 * odds(t) - 0.04 * t);
    Chart::Lines(LineChart {
        curves: vec![
            Curve {
                band: system
                    .iter()
                    .map(|&(x, y)| BandPoint {
                        x,
                        lower: y - 0.02,
                        upper: y + 0.02,
                    })
                    .collect(),
                ..Curve::line("System", system)
            },
            Curve {
                tone: Tone::Gray,
                ..Curve::line("Biopsy all", all)
            },
        ],
        references: vec![
            Reference::Horizontal(0.0, "biopsy none".into()),
            Reference::Vertical(0.02, "2 %".into()),
        ],
        ..LineChart::decision(0.5, 0.2)
    })
}

fn triage() -> Chart {
    let points = (0..=100).map(|i| {
        let x = f64::from(i) / 100.0;
        (x, 1.0 - (x.powi(6)) * 0.9)
    });
    let percent = |label: &str, low: f64| Axis {
        ticks: TickFormat::Percent,
        ..Axis::ranged(label, low, 1.0)
    };
    Chart::Lines(LineChart {
        x: percent("Exams not read", 0.0),
        y: percent("Sensitivity kept", 0.0),
        frame: Frame::Wide,
        curves: vec![Curve::line("Rule-out by the system", points.collect())],
        references: vec![
            Reference::Vertical(0.6, "chosen".into()),
            Reference::Horizontal(0.95, "95 %".into()),
        ],
        ..LineChart::default()
    })
}

fn free_response() -> Chart {
    let curve = |label: &str, top: f64, rate: f64| {
        let point = |i: i32| {
            (
                f64::from(i) * 0.05,
                top * (1.0 - (-f64::from(i) * rate).exp()),
            )
        };
        Curve {
            join: Join::Steps,
            ..Curve::line(label, (0..=80).map(point).collect())
        }
    };
    Chart::Lines(LineChart {
        curves: vec![
            curve("System", 0.93, 0.12),
            curve("Reader mean", 0.85, 0.09),
        ],
        ..LineChart::free_response(4.0)
    })
}

fn time_curve(seed: u64, label: &str, hazard: f64, n: u64, cause: fn(f64) -> f64) -> SurvivalCurve {
    let mut numbers = Numbers(seed);
    let mut times: Vec<(f64, bool)> = (0..n)
        .map(|_| {
            let event = -(1.0 - numbers.next()).ln() / hazard;
            let end = 24.0 + 60.0 * numbers.next();
            (event.min(end), event < end)
        })
        .collect();
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut curve = SurvivalCurve {
        label: label.into(),
        steps: vec![(0.0, cause(1.0))],
        ..SurvivalCurve::default()
    };
    let (mut value, mut variance) = (1.0, 0.0);
    curve.band.push(BandPoint {
        x: 0.0,
        lower: cause(1.0),
        upper: cause(1.0),
    });
    for (i, (time, is_event)) in times.iter().enumerate() {
        let at_risk = (n as usize - i) as f64;
        if !is_event {
            curve.censored.push(*time);
            continue;
        }
        value *= 1.0 - 1.0 / at_risk;
        variance += 1.0 / (at_risk * (at_risk - 1.0).max(1.0));
        curve.steps.push((*time, cause(value)));
        let half = 1.96 * value * f64::sqrt(variance);
        let (a, b) = (
            cause((value - half).max(0.0)),
            cause((value + half).min(1.0)),
        );
        curve.band.push(BandPoint {
            x: *time,
            lower: a.min(b),
            upper: a.max(b),
        });
    }
    let at = |t: &f64| times.iter().filter(|(time, _)| time >= t).count() as u64;
    curve.at_risk = time_ticks(84.0).iter().map(at).collect();
    curve
}

fn survival() -> Chart {
    let curves = [
        ("Low score", 0.002, 210),
        ("Middle score", 0.008, 160),
        ("High score", 0.02, 90),
    ];
    let curve = |(i, (label, hazard, n)): (usize, (&str, f64, u64))| {
        time_curve(i as u64 + 7, label, hazard, n, |v| v)
    };
    Chart::Survival(SurvivalPlot {
        times: time_ticks(84.0),
        curves: curves.into_iter().enumerate().map(curve).collect(),
        note: "Log-rank p < 0.001".into(),
        ..SurvivalPlot::survival("Months since examination")
    })
}

fn incidence() -> Chart {
    let mut curves = vec![
        time_curve(31, "Interval cancer", 0.0012, 900, |v| 1.0 - v),
        time_curve(32, "Screen-detected cancer", 0.0025, 900, |v| 1.0 - v),
    ];
    for curve in &mut curves {
        curve.censored.clear();
        curve.at_risk.clear();
    }
    Chart::Survival(SurvivalPlot {
        y: Axis {
            ticks: TickFormat::Percent,
            ..Axis::new("Cumulative incidence")
        },
        times: time_ticks(84.0),
        curves,
        ..SurvivalPlot::incidence("Months since examination")
    })
}

fn estimate(label: &str, estimate: f64, half: f64, kind: RowKind) -> ForestRow {
    let (lower, upper) = (estimate - half, estimate + half);
    ForestRow::Estimate {
        label: label.into(),
        estimate,
        lower,
        upper,
        cells: vec![
            format!("{estimate:.3} ({lower:.3}–{upper:.3})"),
            "0.012".into(),
        ],
        kind,
    }
}

fn forest() -> Chart {
    let mut rows = vec![ForestRow::Heading("Without system".into())];
    rows.extend((1..=6).map(|i| {
        estimate(
            &format!("Reader {i}"),
            0.78 + 0.015 * f64::from(i),
            0.05,
            RowKind::Single,
        )
    }));
    rows.push(estimate("Mean", 0.835, 0.031, RowKind::Summary));
    rows.push(ForestRow::Heading("With system".into()));
    rows.extend((1..=6).map(|i| {
        estimate(
            &format!("Reader {i}"),
            0.84 + 0.012 * f64::from(i),
            0.045,
            RowKind::Single,
        )
    }));
    rows.push(estimate("Mean", 0.881, 0.026, RowKind::Summary));
    Chart::Forest(ForestPlot {
        axis: Axis::ranged("Area under the ROC curve", 0.7, 1.0),
        reference: Some(0.835),
        label_heading: "Reader".into(),
        columns: vec!["AUC (95 % CI)".into(), "p".into()],
        rows,
        ..ForestPlot::default()
    })
}

fn ratios() -> Chart {
    let row = |label: &str, estimate: f64, spread: f64| ForestRow::Estimate {
        label: label.into(),
        estimate,
        lower: estimate / spread,
        upper: estimate * spread,
        cells: vec![format!(
            "{estimate:.2} ({:.2}–{:.2})",
            estimate / spread,
            estimate * spread
        )],
        kind: RowKind::Single,
    };
    Chart::Forest(ForestPlot {
        axis: Axis {
            scale: Scale::Log,
            ..Axis::ranged("Hazard ratio", 0.2, 10.0)
        },
        reference: Some(1.0),
        directions: Some(("lower risk".into(), "higher risk".into())),
        columns: vec!["HR (95 % CI)".into()],
        rows: vec![
            row("Score, per standard deviation", 1.8, 1.25),
            row("Age, per ten years", 1.1, 1.15),
            row("Density D against A", 2.6, 6.0),
            row("Screening history", 0.6, 1.4),
        ],
        ..ForestPlot::default()
    })
}

fn scores(layout: HistogramLayout) -> Chart {
    let [benign, malignant] = sample(11, 900, 2.0);
    let groups = [
        ("Benign (n = 900)", benign.as_slice()),
        ("Malignant (n = 300)", malignant.as_slice()),
    ];
    Chart::Histogram(Histogram {
        layout,
        references: vec![Reference::Vertical(0.42, "threshold 0.42".into())],
        ..Histogram::of_values("Malignancy score", (0.0, 1.0), 25, &groups)
    })
}

fn crowd() -> Chart {
    let label = |i: u64| {
        match i {
        0 => "<script>alert('x')</script> & \"quotes\"".to_owned(),
        1 => "A label that goes on and on, as labels of subgroups with many conditions tend to do when nobody shortens them".to_owned(),
        2 => "Ünïcödé αβγ жук 乳腺".to_owned(),
        _ => format!("Subgroup {i}"),
    }
    };
    let curve = |i: u64| {
        Curve::line(
            label(i),
            roc_points(&sample(i + 200, 60, 0.5 + 0.08 * i as f64)),
        )
    };
    Chart::Lines(LineChart {
        curves: (0..30).map(curve).collect(),
        ..LineChart::roc()
    })
}
