//! Weighted wins of lesions over false marks, and what leaving out a case does to them.

use std::collections::BTreeMap;

use crate::mrmc::Influence;

/// A lesion or a case, with the rating of its mark; −∞ for none, NaN for one that beats nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Unit {
    pub(crate) case: u32,
    pub(crate) rating: f64,
    pub(crate) weight: f64,
}

impl Unit {
    pub(crate) fn new(case: usize, rating: f64) -> Unit {
        Unit {
            case: case as u32,
            rating,
            weight: 1.0,
        }
    }
}

/// Sums by case of what it takes with it.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    wins: f64,
    shared_wins: f64,
    weight: f64,
    noises: f64,
}

/// `θ = Σ w ψ(signal, noise) / (F W)`, and the jackknife over cases in n log n.
pub(crate) fn weighted_wins(signals: &[Unit], noises: &[Unit]) -> (f64, Influence) {
    let mut taken: BTreeMap<u32, Taken> = BTreeMap::new();
    let mut total = 0.0;
    let beaten = Ladder::new(noises);
    for signal in signals {
        let wins = signal.weight * beaten.below(signal.rating);
        let of_case = taken.entry(signal.case).or_default();
        of_case.wins += wins;
        of_case.weight += signal.weight;
        total += wins;
    }
    let weight: f64 = signals.iter().map(|signal| signal.weight).sum();
    let winners = Ladder::new(signals);
    for noise in noises {
        let of_case = taken.entry(noise.case).or_default();
        of_case.wins += winners.above(noise.rating);
        of_case.noises += 1.0;
    }
    let noise_of: BTreeMap<u32, f64> = noises
        .iter()
        .map(|noise| (noise.case, noise.rating))
        .collect();
    for signal in signals {
        if let Some(&noise) = noise_of.get(&signal.case) {
            let of_case = taken.entry(signal.case).or_default();
            of_case.shared_wins += signal.weight * win(signal.rating, noise);
        }
    }
    let n = noises.len() as f64;
    let figure = total / (n * weight);
    let without = |case: &Taken| {
        let wins = total - case.wins + case.shared_wins;
        wins / ((n - case.noises) * (weight - case.weight))
    };
    let changes = taken
        .iter()
        .map(|(&case, taken)| (case, without(taken) - figure));
    (figure, Influence::from_changes(changes.collect()))
}

fn win(signal: f64, noise: f64) -> f64 {
    f64::from(u8::from(signal > noise)) + 0.5 * f64::from(u8::from(signal == noise))
}

/// Ratings from the lowest, with the weight up to each; NaN comes last and counts nowhere.
struct Ladder {
    ratings: Vec<f64>,
    /// One longer than the ratings.
    weight_before: Vec<f64>,
}

impl Ladder {
    fn new(units: &[Unit]) -> Ladder {
        let defined = units.iter().filter(|unit| !unit.rating.is_nan());
        let mut pairs: Vec<(f64, f64)> = defined.map(|unit| (unit.rating, unit.weight)).collect();
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut weight_before = vec![0.0];
        for pair in &pairs {
            weight_before.push(weight_before[weight_before.len() - 1] + pair.1);
        }
        Ladder {
            ratings: pairs.into_iter().map(|pair| pair.0).collect(),
            weight_before,
        }
    }

    fn before(&self, inside: impl Fn(f64) -> bool) -> f64 {
        self.weight_before[self.ratings.partition_point(|&rating| inside(rating))]
    }

    /// The weight below a rating, and half of that at it; 0 for NaN.
    fn below(&self, rating: f64) -> f64 {
        0.5 * (self.before(|v| v < rating) + self.before(|v| v <= rating))
    }

    /// The weight above a rating, and half of that at it.
    fn above(&self, rating: f64) -> f64 {
        self.weight_before[self.ratings.len()] - self.below(rating)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaving_out_by_sums_is_leaving_out_by_hand() {
        let unit = |case: u32, rating: f64, weight: f64| Unit {
            case,
            rating,
            weight,
        };
        let none = f64::NEG_INFINITY;
        let signals = [
            unit(0, 3.0, 0.3),
            unit(0, none, 0.7),
            unit(1, 2.0, 1.0),
            unit(2, 4.0, 1.0),
        ];
        let noises = [
            unit(0, 2.0, 1.0),
            unit(2, none, 1.0),
            unit(3, 3.0, 1.0),
            unit(4, none, 1.0),
        ];
        let by_hand = |left_out: Option<u32>| {
            let kept = |units: &[Unit]| -> Vec<Unit> {
                units
                    .iter()
                    .filter(|unit| Some(unit.case) != left_out)
                    .copied()
                    .collect()
            };
            let (signals, noises) = (kept(&signals), kept(&noises));
            let pairs = signals
                .iter()
                .flat_map(|s| noises.iter().map(move |n| (s, n)));
            let wins: f64 = pairs.map(|(s, n)| s.weight * win(s.rating, n.rating)).sum();
            wins / (noises.len() as f64 * signals.iter().map(|s| s.weight).sum::<f64>())
        };
        let (figure, influence) = weighted_wins(&signals, &noises);
        assert!((figure - by_hand(None)).abs() < 1e-15);
        let changes = (0..5)
            .map(|case| (case, by_hand(Some(case)) - figure))
            .collect();
        let expected = Influence::from_changes(changes);
        assert!((influence.covariance(&influence) - expected.covariance(&expected)).abs() < 1e-15);
    }
}
