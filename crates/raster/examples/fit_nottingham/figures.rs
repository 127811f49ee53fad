//! Estimates with intervals over cases, and how they are written.

use lobule_stats::Confidence;
use lobule_stats::bootstrap::{BootstrapConfig, Clusters, bootstrap};
use lobule_stats::proportion::Proportion;

const SEED: u64 = 1991;

/// An estimate and its interval, `0.73 (95 % interval 0.60 to 0.80)`; the interval is a percentile bootstrap
/// over cases.
pub(crate) fn over_cases(
    cases: &[&str],
    statistic: impl Fn(&[usize]) -> Option<f64> + Sync,
) -> String {
    let whole: Vec<usize> = (0..cases.len()).collect();
    let estimate = statistic(&whole).map_or("undefined".to_owned(), |v| format!("{v:.2}"));
    let config = BootstrapConfig::with_seed(SEED);
    let drawn = Clusters::from_labels(cases).and_then(|c| bootstrap(&c, &config, statistic));
    match drawn {
        Ok(b) => format!(
            "{estimate} (95 % interval {:.2} to {:.2})",
            b.interval.lower, b.interval.upper
        ),
        Err(_) => format!("{estimate} (no interval: undefined without some cases)"),
    }
}

/// `k of n (share, Wilson's interval)`.
pub(crate) fn share(k: usize, n: usize) -> String {
    let interval = Proportion::new(k, n).map(|p| p.wilson(Confidence::NINETY_FIVE));
    match interval {
        Ok(i) => format!(
            "{k} of {n} ({:.2}, {:.2} to {:.2})",
            k as f64 / n as f64,
            i.lower,
            i.upper
        ),
        Err(_) => format!("{k} of {n}"),
    }
}

/// Pearson's correlation over the pairs that are drawn.
pub(crate) fn correlation(pairs: &[(f64, f64)], drawn: &[usize]) -> Option<f64> {
    let n = drawn.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| drawn.iter().map(|&i| of(&pairs[i])).sum::<f64>() / n;
    let (a, b) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |f: &dyn Fn(&(f64, f64)) -> f64| drawn.iter().map(|&i| f(&pairs[i])).sum::<f64>();
    let both = sum(&|p| (p.0 - a) * (p.1 - b));
    let own = sum(&|p| (p.0 - a).powi(2)) * sum(&|p| (p.1 - b).powi(2));
    (own > 0.0).then(|| both / own.sqrt())
}
