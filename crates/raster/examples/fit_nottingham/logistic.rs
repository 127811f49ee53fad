//! Logistic regression with a ridge, by Newton's method, and its scores for cases that were left out.

use std::collections::BTreeSet;

/// A place that was found: what it looks like and what it is.
pub(crate) struct Sample {
    pub(crate) case: String,
    pub(crate) features: Vec<f64>,
    pub(crate) truth: bool,
}

pub(crate) struct Model {
    means: Vec<f64>,
    deviations: Vec<f64>,
    weights: Vec<f64>,
    /// Of the largest F1 among the samples that it was fitted on.
    pub(crate) threshold: f64,
}

const STEPS: usize = 25;

impl Model {
    /// One half of `ridge` per squared weight of a standardized feature, none on the intercept.
    pub(crate) fn fit(samples: &[&Sample], ridge: f64) -> Model {
        let n = samples.len() as f64;
        let width = samples[0].features.len();
        let mean = |f: &dyn Fn(&Sample) -> f64| samples.iter().map(|s| f(s)).sum::<f64>() / n;
        let means: Vec<f64> = (0..width).map(|i| mean(&|s| s.features[i])).collect();
        let deviation = |i: usize| {
            mean(&|s| (s.features[i] - means[i]).powi(2))
                .sqrt()
                .max(1e-9)
        };
        let deviations: Vec<f64> = (0..width).map(deviation).collect();
        let mut model = Model {
            means,
            deviations,
            weights: vec![0.0; width + 1],
            threshold: 0.5,
        };
        for _ in 0..STEPS {
            model.step(samples, ridge);
        }
        let scored: Vec<(f64, bool)> = samples
            .iter()
            .map(|s| (model.probability(&s.features), s.truth))
            .collect();
        model.threshold = best_threshold(&scored);
        model
    }

    fn standard(&self, features: &[f64]) -> Vec<f64> {
        let scaled = features.iter().zip(self.means.iter().zip(&self.deviations));
        std::iter::once(1.0)
            .chain(scaled.map(|(x, (m, d))| (x - m) / d))
            .collect()
    }

    pub(crate) fn probability(&self, features: &[f64]) -> f64 {
        let x = self.standard(features);
        let logit: f64 = self.weights.iter().zip(&x).map(|(w, x)| w * x).sum();
        1.0 / (1.0 + (-logit).exp())
    }

    fn step(&mut self, samples: &[&Sample], ridge: f64) {
        let k = self.weights.len();
        // The Hessian with the slope as its last column.
        let mut system = vec![vec![0.0; k + 1]; k];
        for sample in samples {
            let x = self.standard(&sample.features);
            let p = self.probability(&sample.features);
            let (weight, error) = (p * (1.0 - p), p - f64::from(u8::from(sample.truth)));
            for i in 0..k {
                (0..k).for_each(|j| system[i][j] += weight * x[i] * x[j]);
                system[i][k] += error * x[i];
            }
        }
        for (i, row) in system.iter_mut().enumerate() {
            let own = if i == 0 { 1e-9 } else { ridge };
            row[i] += own;
            row[k] += own * self.weights[i];
        }
        let change = solve(system);
        self.weights
            .iter_mut()
            .zip(change)
            .for_each(|(w, c)| *w -= c);
    }

    pub(crate) fn print(&self, features: &[&str]) {
        println!("# Printed by examples/fit_nottingham; features: {features:?}");
        println!(
            "means = {:?}\ndeviations = {:?}",
            self.means, self.deviations
        );
        println!(
            "intercept = {:?}\nweights = {:?}",
            self.weights[0],
            &self.weights[1..]
        );
        println!("threshold = {:?}", self.threshold);
        println!("images = \"BreCaHAD (Aksac et al. 2019, doi 10.1186/s13104-019-4121-7)\"");
        println!("licence = \"CC BY 4.0\"");
    }
}

/// Gaussian elimination of a positive definite system.
fn solve(mut a: Vec<Vec<f64>>) -> Vec<f64> {
    let k = a.len();
    for i in 0..k {
        let pivot = a[i].clone();
        for row in &mut a[i + 1..] {
            let factor = row[i] / pivot[i];
            row.iter_mut()
                .zip(&pivot)
                .for_each(|(v, p)| *v -= factor * p);
        }
    }
    let mut x = vec![0.0; k];
    for i in (0..k).rev() {
        let known: f64 = (i + 1..k).map(|j| a[i][j] * x[j]).sum();
        x[i] = (a[i][k] - known) / a[i][i];
    }
    x
}

/// Scores sorted from the highest, with their truth.
fn ranked(scored: &[(f64, bool)]) -> Vec<(f64, bool)> {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    sorted
}

fn best_threshold(scored: &[(f64, bool)]) -> f64 {
    let all = scored.iter().filter(|s| s.1).count();
    let (mut hits, mut best) = (0, (0.0, 0.5));
    for (i, (score, truth)) in ranked(scored).into_iter().enumerate() {
        hits += usize::from(truth);
        let f1 = 2.0 * hits as f64 / (i + 1 + all) as f64;
        if f1 > best.0 {
            best = (f1, score);
        }
    }
    best.1
}

/// A sample's score by the model that did not see its case, and whether that model says yes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeftOut {
    pub(crate) score: f64,
    pub(crate) accepted: bool,
    pub(crate) truth: bool,
}

pub(crate) fn leave_cases_out(samples: &[Sample], ridge: f64) -> Vec<LeftOut> {
    let cases: BTreeSet<&str> = samples.iter().map(|s| s.case.as_str()).collect();
    let mut out = vec![None; samples.len()];
    for case in cases {
        let others: Vec<&Sample> = samples.iter().filter(|s| s.case != case).collect();
        let model = Model::fit(&others, ridge);
        for (slot, sample) in out.iter_mut().zip(samples).filter(|(_, s)| s.case == case) {
            let score = model.probability(&sample.features);
            *slot = Some(LeftOut {
                score,
                accepted: score >= model.threshold,
                truth: sample.truth,
            });
        }
    }
    out.into_iter().flatten().collect()
}

/// Mean precision over the hits, in order of falling scores; `positives` counts those never found, too.
pub(crate) fn average_precision(scored: &[(f64, bool)], positives: usize) -> f64 {
    let (mut hits, mut sum) = (0, 0.0);
    for (i, (_, truth)) in ranked(scored).into_iter().enumerate() {
        if truth {
            hits += 1;
            sum += f64::from(hits) / (i + 1) as f64;
        }
    }
    sum / positives.max(1) as f64
}
