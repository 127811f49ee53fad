//! The exact likelihood of discrete time: which of those at risk have the events of a time, given
//! how many.
//!
//! Owns: the recursion over subsets. Does not own: the approximations (`likelihood`).
//! Gail, Lubin & Rubinstein 1981, doi:10.1093/biomet/68.3.703.

use super::design::{Block, Design, add_scaled};
use super::likelihood::risks;
use crate::newton::Derivatives;

/// `Σ over subsets of one size of Π risk`, with its first two derivatives.
#[derive(Clone)]
struct Subsets {
    sum: f64,
    first: Vec<f64>,
    second: Vec<f64>,
}

/// The derivatives; cost n · d · p² with d the most events of one time.
pub(super) fn exact_derivatives(design: &Design, parameters: &[f64]) -> Derivatives {
    let size = design.n_columns;
    let Some((predictors, risks)) = risks(design, parameters) else {
        return Derivatives::impossible(size);
    };
    let most = design
        .event_blocks()
        .map(Block::n_events)
        .max()
        .unwrap_or(0);
    let mut sum = Derivatives::zero(size);
    for stratum in &design.strata {
        let mut subsets = empty_subsets(most, size);
        for block in &stratum.blocks {
            for row in block.rows() {
                add_row(&mut subsets, risks[row], design.row(row));
            }
            for row in block.events() {
                sum.log_likelihood += predictors[row];
                add_scaled(&mut sum.gradient, 1.0, design.row(row));
            }
            if block.n_events() > 0 {
                take_off(&mut sum, &subsets[block.n_events()]);
            }
        }
    }
    sum
}

fn empty_subsets(most: usize, size: usize) -> Vec<Subsets> {
    let none = Subsets {
        sum: 0.0,
        first: vec![0.0; size],
        second: vec![0.0; size * size],
    };
    let mut subsets = vec![none; most + 1];
    subsets[0].sum = 1.0;
    subsets
}

/// Subsets of k rows either leave the new row out, or join it to k − 1 earlier rows.
fn add_row(subsets: &mut [Subsets], risk: f64, row: &[f64]) {
    let size = row.len();
    for k in (1..subsets.len()).rev() {
        let (smaller, rest) = subsets.split_at_mut(k);
        let (from, to) = (&smaller[k - 1], &mut rest[0]);
        if from.sum == 0.0 {
            continue;
        }
        for i in 0..size {
            for j in 0..=i {
                let cross = row[i] * from.first[j] + row[j] * from.first[i];
                let square = row[i] * row[j] * from.sum;
                to.second[i * size + j] += risk * (from.second[i * size + j] + cross + square);
            }
        }
        add_scaled(&mut to.first, risk, &from.first);
        add_scaled(&mut to.first, risk * from.sum, row);
        to.sum += risk * from.sum;
    }
}

/// `− ln B` and its derivatives.
fn take_off(sum: &mut Derivatives, subsets: &Subsets) {
    let size = subsets.first.len();
    sum.log_likelihood -= subsets.sum.ln();
    add_scaled(&mut sum.gradient, -1.0 / subsets.sum, &subsets.first);
    for i in 0..size {
        for j in 0..=i {
            let product = subsets.first[i] / subsets.sum * (subsets.first[j] / subsets.sum);
            sum.information[i * size + j] += subsets.second[i * size + j] / subsets.sum - product;
        }
    }
}
