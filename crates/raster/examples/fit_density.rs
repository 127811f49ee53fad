//! Fits the density classifiers and prints their file, `src/mammogram/density.toml`; figures go
//! to the standard error.
//!
//! `LOBULE_DATA=… cargo run --release -p lobule-raster --example fit_density > density.toml`
//!
//! Multinomial logistic regression with a ridge of one half per squared weight (not on the
//! intercepts), on standardized features; cross-validation in ten parts by patient; accuracy per image
//! and per breast (the mean of the probabilities of its views) with the percentile interval of a
//! bootstrap of patients, Cohen's kappa with quadratic weights.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use lobule_exam::View;
use lobule_raster::{Density, Limits, MammogramHints, find_breast, read_picture};
use lobule_stats::Clusters;
use lobule_stats::bootstrap::{BootstrapConfig, bootstrap};

const PARTS: usize = 10;
const STEPS: usize = 6000;
const RATE: f64 = 0.5;
const SEED: u64 = 2021;

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
    let of_film = Told {
        name: "film",
        classes: &[("F", "fatty"), ("G", "glandular"), ("D", "dense")],
        views: &["MLO"],
        images: "mini-MIAS",
        licence: mias,
    };
    let of_digital = Told {
        name: "digital",
        classes: &[("A", "A-B"), ("B", "A-B"), ("C", "C-D"), ("D", "C-D")],
        views: &["CC", "MLO"],
        images: "CDD-CESM, all malignant",
        licence: cesm,
    };
    let letters = Told {
        name: "letters",
        classes: &[("A", "A"), ("B", "B"), ("C", "C"), ("D", "D")],
        ..of_digital
    };
    fit(&film, &of_film)?;
    fit(&digital, &of_digital)?;
    fit(&digital, &letters)
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
}

/// What is printed of a classifier besides its coefficients.
struct Told<'a> {
    name: &'a str,
    /// Label in the table of cases and class; several labels may share a class.
    classes: &'a [(&'a str, &'a str)],
    /// The projections of the images.
    views: &'a [&'a str],
    images: &'a str,
    licence: &'a str,
}

/// An image or a breast, the class that readers gave it and the probabilities of a classifier that
/// saw nothing of its patient.
struct Judged {
    patient: String,
    side: String,
    class: usize,
    probabilities: Vec<f64>,
}

fn fit(cases: &[Case], told: &Told<'_>) -> Result<(), Box<dyn Error>> {
    let mut classes: Vec<&str> = told.classes.iter().map(|n| n.1).collect();
    classes.dedup();
    let class_of = |label: &str| {
        let named = told.classes.iter().find(|n| n.0 == label)?;
        classes.iter().position(|c| *c == named.1)
    };
    let labeled = cases.iter().filter_map(|c| Some((c, class_of(&c.label)?)));
    let labeled: Vec<(&Case, usize)> = labeled.collect();
    let images = cross_validated(&labeled, cases, classes.len());
    let by_image = Score::of(&images, classes.len())?;
    let by_breast = Score::of(&breasts(&images), classes.len())?;
    let of_images = match by_image.n == by_breast.n {
        true => "one view each".to_owned(),
        false => format!(
            "the probabilities of a breast's views averaged; {}",
            by_image.words("images")
        ),
    };
    let measured = format!(
        "{}, {of_images}; cross-validation in {PARTS} parts by patient",
        by_breast.words("breasts")
    );
    let (name, table) = (told.name, (&by_image.table, &by_breast.table));
    eprintln!("{name} {classes:?}\n{measured}\nrows are truth, images and breasts: {table:?}\n");
    let all: Vec<_> = labeled
        .iter()
        .map(|(c, class)| (&c.features, *class))
        .collect();
    let model = Model::fit(&all, classes.len());
    print_fitted(told, &classes, &model, &by_breast, &measured);
    Ok(())
}

/// Each image by the model of the parts that its patient is not in; patients are dealt to the parts
/// in the order of their names.
fn cross_validated(labeled: &[(&Case, usize)], all: &[Case], n_classes: usize) -> Vec<Judged> {
    let mut patients: Vec<&str> = all.iter().map(|c| c.patient.as_str()).collect();
    patients.sort_unstable();
    patients.dedup();
    let part_of = |case: &Case| {
        patients
            .binary_search(&case.patient.as_str())
            .map_or(0, |at| at % PARTS)
    };
    let mut judged = Vec::new();
    for part in 0..PARTS {
        let kept = labeled.iter().filter(|(case, _)| part_of(case) != part);
        let kept: Vec<_> = kept.map(|(case, class)| (&case.features, *class)).collect();
        let model = Model::fit(&kept, n_classes);
        let left_out = labeled.iter().filter(|(case, _)| part_of(case) == part);
        judged.extend(left_out.map(|(case, class)| Judged {
            patient: case.patient.clone(),
            side: case.key[..1].to_owned(),
            class: *class,
            probabilities: model.probabilities(&case.features),
        }));
    }
    judged
}

/// The images of each breast together: the mean of their probabilities. Readers gave the images of
/// a breast one class.
fn breasts(images: &[Judged]) -> Vec<Judged> {
    let mut breasts: BTreeMap<(&str, &str), Vec<&Judged>> = BTreeMap::new();
    for image in images {
        let key = (image.patient.as_str(), image.side.as_str());
        breasts.entry(key).or_default().push(image);
    }
    let breast = |images: Vec<&Judged>| {
        let mean = |k: usize| {
            let all = images.iter().map(|image| image.probabilities[k]);
            all.sum::<f64>() / images.len() as f64
        };
        Judged {
            patient: images[0].patient.clone(),
            side: images[0].side.clone(),
            class: images[0].class,
            probabilities: (0..images[0].probabilities.len()).map(mean).collect(),
        }
    };
    breasts.into_values().map(breast).collect()
}

/// How often the most probable class is the readers'.
struct Score {
    /// Truth by row, the classifier's class by column.
    table: Vec<Vec<usize>>,
    right: usize,
    n: usize,
    n_patients: usize,
    interval: [f64; 2],
    most_frequent: f64,
}

impl Score {
    fn of(units: &[Judged], n_classes: usize) -> Result<Score, Box<dyn Error>> {
        let class = |unit: &Judged| {
            let all = unit.probabilities.iter().enumerate();
            all.max_by(|a, b| a.1.total_cmp(b.1))
                .map_or(0, |(class, _)| class)
        };
        let mut table = vec![vec![0_usize; n_classes]; n_classes];
        for unit in units {
            table[unit.class][class(unit)] += 1;
        }
        let is_right: Vec<bool> = units.iter().map(|unit| class(unit) == unit.class).collect();
        let patients: Vec<&str> = units.iter().map(|unit| unit.patient.as_str()).collect();
        let clusters = Clusters::from_labels(&patients)?;
        let share = |drawn: &[usize]| {
            let right = drawn.iter().filter(|&&i| is_right[i]).count();
            Some(right as f64 / drawn.len().max(1) as f64)
        };
        let drawn = bootstrap(&clusters, &BootstrapConfig::with_seed(SEED), share)?;
        let often = table.iter().map(|row| row.iter().sum::<usize>()).max();
        Ok(Score {
            right: is_right.iter().filter(|&&right| right).count(),
            n: units.len(),
            n_patients: clusters.n_clusters(),
            interval: [drawn.interval.lower, drawn.interval.upper],
            most_frequent: often.unwrap_or(0) as f64 / units.len() as f64,
            table,
        })
    }

    fn words(&self, units: &str) -> String {
        let (right, n, [lower, upper]) = (self.right, self.n, self.interval);
        format!(
            "{right} of {n} {units} right ({:.3}, 95 % interval {lower:.3} to {upper:.3} by a \
             bootstrap of {} patients; the most frequent class alone: {:.3}; quadratic kappa {:.2})",
            right as f64 / n as f64,
            self.n_patients,
            self.most_frequent,
            quadratic_kappa(&self.table),
        )
    }
}

/// One table of `density.toml`.
fn print_fitted(told: &Told<'_>, classes: &[&str], model: &Model, score: &Score, measured: &str) {
    println!(
        "# Printed by examples/fit_density.rs; features: {:?}",
        Density::FEATURES
    );
    println!(
        "[{}]\nclasses = {classes:?}\nmeans = {:?}",
        told.name, model.means
    );
    println!("deviations = {:?}\nweights = [", model.deviations);
    for weights in &model.weights {
        println!("  {weights:?},");
    }
    let Told {
        views,
        images,
        licence,
        ..
    } = told;
    println!("]\nviews = {views:?}\nimages = {images:?}\nlicence = {licence:?}");
    let (right, n, [lower, upper]) = (score.right, score.n, score.interval);
    println!(
        "accuracy = {{ right = {right}, of = {n}, interval = [{lower:.4}, {upper:.4}], \
         most_frequent = {:.4} }}",
        score.most_frequent
    );
    println!("measured = {measured:?}\n");
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
