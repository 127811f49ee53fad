//! Fits the density classifiers and prints their file, `src/mammogram/density.toml`; figures go
//! to the standard error.
//!
//! `LOBULE_DATA=… cargo run --release -p lobule-raster --example fit_density > density.toml`
//!
//! Multinomial logistic regression with a ridge of one half per squared weight (not on the
//! intercepts), on standardized features; cross-validation in ten parts by patient; accuracy with
//! Wilson's interval, Cohen's kappa with quadratic weights.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use lobule_exam::View;
use lobule_raster::{Density, Limits, MammogramHints, find_breast, read_picture};
use lobule_stats::Confidence;
use lobule_stats::proportion::Proportion;

const PARTS: usize = 10;
const STEPS: usize = 6000;
const RATE: f64 = 0.5;

/// One measured image.
struct Case {
    patient: String,
    /// Side and view.
    key: String,
    label: String,
    features: [f64; 5],
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::var_os("LOBULE_DATA").ok_or("expected LOBULE_DATA")?;
    let root = Path::new(&root);
    let film = measure(&root.join("mini_mias"), |c| [c[2], c[4], c[5], "MLO"])?;
    let digital = measure(&root.join("cesm_dm"), |c| [c[2], c[8], c[5], c[6]])?;
    repeatability("film, left and right breast", &film, |key| &key[1..]);
    repeatability("digital, CC and MLO", &digital, |key| &key[..1]);
    let mias = "mini-MIAS film scans: research purposes only";
    let cesm = "CDD-CESM low-energy views, CC BY 4.0";
    let classes = [("F", "fatty"), ("G", "glandular"), ("D", "dense")];
    fit("film", &film, &classes, "mini-MIAS", mias);
    let two = [("A", "A-B"), ("B", "A-B"), ("C", "C-D"), ("D", "C-D")];
    fit("digital", &digital, &two, "CDD-CESM", cesm);
    let four = [("A", "A"), ("B", "B"), ("C", "C"), ("D", "D")];
    fit("letters", &digital, &four, "CDD-CESM", cesm);
    Ok(())
}

/// `pick` takes patient, label, side and view from a row's cells.
fn measure(
    root: &Path,
    pick: impl for<'a> Fn(&[&'a str]) -> [&'a str; 4],
) -> Result<Vec<Case>, Box<dyn Error>> {
    let table = std::fs::read_to_string(root.join("labels.csv"))?;
    let mut cases = Vec::new();
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [patient, label, side, view] = pick(&cells);
        let image = read_picture(&root.join(cells[0]), &Limits::default())?.luma16();
        let hints = MammogramHints {
            view: view.parse::<View>().ok(),
            ..MammogramHints::default()
        };
        let density = find_breast(&image, &hints)?.percent_density();
        let Some(density) = density else {
            eprintln!("{}: not measured", cells[0]);
            continue;
        };
        cases.push(Case {
            patient: patient.to_owned(),
            key: format!("{side}{view}"),
            label: label.to_owned(),
            features: density.features,
        });
    }
    Ok(cases)
}

/// How far the shares of two images lie apart that should agree: same patient, same part of the
/// key.
fn repeatability(name: &str, cases: &[Case], part: impl Fn(&str) -> &str) {
    let mut groups: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for case in cases {
        let key = (case.patient.as_str(), part(&case.key));
        groups.entry(key).or_default().push(case.features[0]);
    }
    let pairs = groups.values().filter(|g| g.len() == 2);
    let mut apart: Vec<f64> = pairs.map(|g| 100.0 * (g[0] - g[1]).abs()).collect();
    apart.sort_by(f64::total_cmp);
    let at = |q: f64| apart[((apart.len() - 1) as f64 * q) as usize];
    let (median, most) = (at(0.5), at(0.95));
    eprintln!(
        "{name}: {} pairs, shares apart by {median:.1} points in half, by up to {most:.1} in 95 %",
        apart.len()
    );
}

struct Model {
    means: [f64; 5],
    deviations: [f64; 5],
    weights: Vec<[f64; 6]>,
}

impl Model {
    fn fit(cases: &[(&[f64; 5], usize)], n_classes: usize) -> Model {
        let n = cases.len() as f64;
        let mean = |i: usize| cases.iter().map(|c| c.0[i]).sum::<f64>() / n;
        let means: [f64; 5] = std::array::from_fn(mean);
        let variance = |i: usize| {
            cases
                .iter()
                .map(|c| (c.0[i] - means[i]).powi(2))
                .sum::<f64>()
                / n
        };
        let deviations = std::array::from_fn(|i| variance(i).sqrt());
        let mut model = Model {
            means,
            deviations,
            weights: vec![[0.0; 6]; n_classes],
        };
        for _ in 0..STEPS {
            let mut slopes = vec![[0.0; 6]; n_classes];
            for (features, class) in cases {
                let x = model.standard(features);
                for (k, p) in model.probabilities(features).into_iter().enumerate() {
                    let error = p - f64::from(u8::from(k == *class));
                    slopes[k]
                        .iter_mut()
                        .zip(&x)
                        .for_each(|(s, x)| *s += error * x / n);
                }
            }
            for (weights, slopes) in model.weights.iter_mut().zip(&slopes) {
                for (i, (w, s)) in weights.iter_mut().zip(slopes).enumerate() {
                    let ridge = if i == 0 { 0.0 } else { *w / n };
                    *w -= RATE * (s + ridge);
                }
            }
        }
        model
    }

    fn standard(&self, features: &[f64; 5]) -> [f64; 6] {
        std::array::from_fn(|i| match i {
            0 => 1.0,
            i => (features[i - 1] - self.means[i - 1]) / self.deviations[i - 1],
        })
    }

    fn probabilities(&self, features: &[f64; 5]) -> Vec<f64> {
        let x = self.standard(features);
        let logit = |w: &[f64; 6]| w.iter().zip(&x).map(|(w, x)| w * x).sum::<f64>().exp();
        let all: Vec<f64> = self.weights.iter().map(logit).collect();
        let sum: f64 = all.iter().sum();
        all.into_iter().map(|p| p / sum).collect()
    }

    fn class(&self, features: &[f64; 5]) -> usize {
        let all = self.probabilities(features);
        let best = all.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        best.map_or(0, |(class, _)| class)
    }
}

fn fit(name: &str, cases: &[Case], names: &[(&str, &str)], images: &str, licence: &str) {
    let mut classes: Vec<&str> = names.iter().map(|n| n.1).collect();
    classes.dedup();
    let class_of = |label: &str| {
        let named = names.iter().find(|n| n.0 == label)?;
        classes.iter().position(|c| *c == named.1)
    };
    let mut patients: Vec<&str> = cases.iter().map(|c| c.patient.as_str()).collect();
    patients.sort_unstable();
    patients.dedup();
    let labeled: Vec<(&[f64; 5], usize, usize)> = cases
        .iter()
        .filter_map(|c| {
            let part = patients.binary_search(&c.patient.as_str()).ok()? % PARTS;
            Some((&c.features, class_of(&c.label)?, part))
        })
        .collect();
    let n_classes = classes.len();
    let mut table = vec![vec![0_usize; n_classes]; n_classes];
    for part in 0..PARTS {
        let kept = labeled.iter().filter(|c| c.2 != part);
        let model = Model::fit(&kept.map(|c| (c.0, c.1)).collect::<Vec<_>>(), n_classes);
        for (features, class, _) in labeled.iter().filter(|c| c.2 == part) {
            table[*class][model.class(features)] += 1;
        }
    }
    let n: usize = table.iter().flatten().sum();
    let right: usize = (0..n_classes).map(|k| table[k][k]).sum();
    let interval = Proportion::new(right, n).map(|p| p.wilson(Confidence::NINETY_FIVE));
    let interval = interval.map_or(String::new(), |i| {
        format!("{:.3} to {:.3}", i.lower, i.upper)
    });
    let kappa = quadratic_kappa(&table);
    let often = table.iter().map(|row| row.iter().sum::<usize>()).max();
    let measured = format!(
        "{right} of {n} images right ({:.3}, 95 % interval {interval}, images counted as \
         independent; the most frequent class alone: {:.3}), quadratic kappa {kappa:.2}, \
         cross-validation in {PARTS} parts by patient, {} patients",
        right as f64 / n as f64,
        often.unwrap_or(0) as f64 / n as f64,
        patients.len()
    );
    eprintln!("{name} {classes:?}\n{measured}\nrows are truth: {table:?}\n");
    let all: Vec<_> = labeled.iter().map(|c| (c.0, c.1)).collect();
    let model = Model::fit(&all, n_classes);
    println!(
        "# Printed by examples/fit_density.rs; features: {:?}",
        Density::FEATURES
    );
    println!("[{name}]\nclasses = {classes:?}\nmeans = {:?}", model.means);
    println!("deviations = {:?}\nweights = [", model.deviations);
    for weights in &model.weights {
        println!("  {weights:?},");
    }
    println!("]\nimages = {images:?}\nlicence = {licence:?}\nmeasured = {measured:?}\n");
}

/// Cohen's kappa with weights (i − j)².
fn quadratic_kappa(table: &[Vec<usize>]) -> f64 {
    let n: usize = table.iter().flatten().sum();
    let rows: Vec<f64> = table
        .iter()
        .map(|row| row.iter().sum::<usize>() as f64)
        .collect();
    let col = |j: usize| table.iter().map(|row| row[j]).sum::<usize>() as f64;
    let (mut seen, mut expected) = (0.0, 0.0);
    for (i, row) in table.iter().enumerate() {
        for (j, &count) in row.iter().enumerate() {
            let weight = (i as f64 - j as f64).powi(2);
            seen += weight * count as f64;
            expected += weight * rows[i] * col(j) / n as f64;
        }
    }
    1.0 - seen / expected
}
