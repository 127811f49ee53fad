//! How often intervals hold the truth. Designs, seeds and numbers of replicates were fixed before
//! the first run; the tables are printed whole (`--nocapture`), bad rows included.

use lobule_stats::bootstrap::{BootstrapConfig, BootstrapInterval, bootstrap, bootstrap_auc};
use lobule_stats::proportion::Proportion;
use lobule_stats::roc::{AucScale, Roc};
use lobule_stats::{Clusters, Confidence, Interval};
use rayon::prelude::*;

use super::mrmc::simulation::Normal;

const LEVEL: Confidence = Confidence::NINETY_FIVE;
const AREAS: [f64; 3] = [0.70, 0.90, 0.97];
/// √2 Φ⁻¹ of the areas: the distance of two normal distributions that have them.
const DISTANCES: [f64; 3] = [0.741_614_317_187, 1.812_387_604_874, 2.659_843_828_672];

/// Of intervals that hold the truth, and of replicates that have none.
#[derive(Clone, Copy, Default)]
struct Count {
    covered: usize,
    missing: usize,
}

impl Count {
    fn of(interval: Option<Interval>, truth: f64) -> Count {
        Count {
            covered: usize::from(interval.is_some_and(|interval| interval.contains(truth))),
            missing: usize::from(interval.is_none()),
        }
    }

    /// Intervals that are missing hold nothing.
    fn rate(self, n_replicates: u64) -> f64 {
        self.covered as f64 / n_replicates as f64
    }
}

/// Counts for several intervals over replicates, each with a seed of its own.
fn count<const N: usize>(
    n_replicates: u64,
    design: u64,
    replicate: impl Fn(u64) -> [Count; N] + Sync,
) -> [Count; N] {
    let add = |a: [Count; N], b: [Count; N]| {
        std::array::from_fn(|i| Count {
            covered: a[i].covered + b[i].covered,
            missing: a[i].missing + b[i].missing,
        })
    };
    let counts = (0..n_replicates).into_par_iter();
    let counts = counts.map(|number| replicate(design << 32 | number));
    counts.reduce(|| [Count::default(); N], add)
}

/// Healthy cases first.
fn binormal(distance: f64, counts: [usize; 2], seed: u64) -> (Vec<f64>, Vec<bool>) {
    let mut normal = Normal::new(seed);
    let truth: Vec<bool> = (0..counts[0] + counts[1])
        .map(|case| case >= counts[0])
        .collect();
    let score = |&present: &bool| f64::from(u8::from(present)) * distance + normal.draw();
    (truth.iter().map(score).collect(), truth)
}

#[test]
fn intervals_of_areas() {
    const REPLICATES: u64 = 2000;
    println!("area healthy diseased  logit  plain  missing  of {REPLICATES}");
    let samples = [[30, 30], [180, 20], [100, 100]];
    for (a, (&area, &distance)) in AREAS.iter().zip(&DISTANCES).enumerate() {
        for (s, sample) in samples.into_iter().enumerate() {
            let replicate = |seed: u64| {
                let (scores, truth) = binormal(distance, sample, seed);
                let roc = Roc::new(&scores, &truth).unwrap();
                let by = |scale| Count::of(roc.auc_interval(LEVEL, scale).ok(), area);
                [by(AucScale::Logit), by(AucScale::Plain)]
            };
            let [logit, plain] = count(REPLICATES, 100 + 10 * a as u64 + s as u64, replicate);
            let rates = [logit, plain].map(|count| count.rate(REPLICATES));
            let [healthy, diseased] = sample;
            println!(
                "{area:.2} {healthy:7} {diseased:8}  {:.4} {:.4} {:8}",
                rates[0], rates[1], logit.missing
            );
            // The standard error of a coverage near 0.95 is 0.005. Both fall short where few
            // diseased cases overlap with the healthy: the lower bounds are what was found there.
            assert!(
                (0.88..=0.99).contains(&rates[0]),
                "logit {area} {sample:?}: {}",
                rates[0]
            );
            assert!(
                (0.80..=0.97).contains(&rates[1]),
                "plain {area} {sample:?}: {}",
                rates[1]
            );
        }
    }
}

/// Eighty patients with two breasts each that share two thirds of the variance; a quarter has
/// cancer, in both breasts or in one.
#[test]
fn intervals_of_clustered_areas() {
    const REPLICATES: u64 = 2000;
    const PATIENTS: usize = 80;
    println!("cancer in    by cluster  as if independent  missing  of {REPLICATES}");
    let clusters: Vec<usize> = (0..2 * PATIENTS).map(|case| case / 2).collect();
    let clusters = Clusters::from_labels(&clusters).unwrap();
    for (d, both_breasts) in [true, false].into_iter().enumerate() {
        let truth: Vec<bool> = (0..2 * PATIENTS)
            .map(|case| case / 2 < PATIENTS / 4 && (both_breasts || case % 2 == 0))
            .collect();
        let n_healthy = truth.iter().filter(|&&present| !present).count() as f64;
        // Pairs of breasts of one patient differ by less: 1 of n of them where both classes meet.
        let within = if both_breasts { 0.0 } else { 1.0 / n_healthy };
        let area = (1.0 - within) * AREAS[1] + within * 0.986_780_852_529;
        let replicate = |seed: u64| {
            let mut normal = Normal::new(seed);
            let shared: Vec<f64> = (0..PATIENTS).map(|_| normal.draw()).collect();
            let scores: Vec<f64> = (0..2 * PATIENTS)
                .map(|case| {
                    let own = (1.0_f64 / 3.0).sqrt() * normal.draw();
                    let common = (2.0_f64 / 3.0).sqrt() * shared[case / 2];
                    common + own + f64::from(u8::from(truth[case])) * DISTANCES[1]
                })
                .collect();
            let roc = Roc::new(&scores, &truth).unwrap();
            let clustered = roc.auc_interval_by_cluster(&clusters, LEVEL, AucScale::Logit);
            let plain = roc.auc_interval(LEVEL, AucScale::Logit);
            [Count::of(clustered.ok(), area), Count::of(plain.ok(), area)]
        };
        let [clustered, plain] = count(REPLICATES, 200 + d as u64, replicate);
        let rates = [clustered, plain].map(|count| count.rate(REPLICATES));
        println!(
            "{}  {:10.4} {:18.4} {:8}",
            if both_breasts {
                "both breasts"
            } else {
                "one breast  "
            },
            rates[0],
            rates[1],
            clustered.missing
        );
        assert!((0.92..=0.98).contains(&rates[0]), "{}", rates[0]);
        if both_breasts {
            assert!(rates[1] < rates[0] - 0.02, "{} {}", rates[1], rates[0]);
        }
    }
}

/// Exact: the sum of binomial probabilities of the counts whose interval holds the proportion.
#[test]
fn intervals_of_proportions() {
    println!("    n     p  Wilson  Clopper-Pearson");
    for n in [20, 50, 200] {
        let mut sum = 0.0;
        let grid = 1..100;
        for percent in grid.clone() {
            let p = f64::from(percent) / 100.0;
            let [wilson, exact] = [Proportion::wilson, Proportion::clopper_pearson]
                .map(|method: fn(Proportion, Confidence) -> Interval| coverage(n, p, method));
            if [1, 2, 5, 10, 25, 50, 90].contains(&percent) {
                println!("{n:5} {p:5.2}  {wilson:.4}  {exact:.4}");
            }
            // What each method promises: never below the level, and near it on average. Wilson's
            // interval is known to dip near 0 and 1 (Brown, Cai, DasGupta 2001,
            // doi:10.1214/ss/1009213286).
            assert!(exact >= 0.95, "{n} {p}: {exact}");
            assert!(wilson >= 0.90, "{n} {p}: {wilson}");
            sum += wilson;
        }
        let mean = sum / grid.count() as f64;
        println!("{n:5}  mean  {mean:.4}");
        assert!((0.945..=0.965).contains(&mean), "{n}: {mean}");
    }
}

fn coverage(n: usize, p: f64, method: fn(Proportion, Confidence) -> Interval) -> f64 {
    // Counted from the commoner outcome, whose power does not vanish.
    let rare = p.min(1.0 - p);
    let mut probability = (1.0 - rare).powi(n as i32);
    let mut covered = 0.0;
    for count in 0..=n {
        let successes = if p <= 0.5 { count } else { n - count };
        let interval = method(Proportion::new(successes, n).unwrap(), LEVEL);
        if interval.contains(p) {
            covered += probability;
        }
        probability *= (n - count) as f64 / (count + 1) as f64 * rare / (1.0 - rare);
    }
    covered
}

/// The mean of an exponential distribution, whose skewness BCa is made for.
#[test]
fn bootstrap_intervals_of_a_skewed_mean() {
    const REPLICATES: u64 = 1000;
    println!("  n  BCa    percentile  of {REPLICATES}");
    for (d, n) in [20, 60].into_iter().enumerate() {
        let clusters = Clusters::singletons(n).unwrap();
        let replicate = |seed: u64| {
            let mut normal = Normal::new(seed);
            // Half the sum of two squared normal numbers.
            let mut draw = || f64::midpoint(normal.draw().powi(2), normal.draw().powi(2));
            let values: Vec<f64> = (0..n).map(|_| draw()).collect();
            let mean = |cases: &[usize]| {
                Some(cases.iter().map(|&case| values[case]).sum::<f64>() / cases.len() as f64)
            };
            [BootstrapInterval::Bca, BootstrapInterval::Percentile].map(|interval| {
                let config = BootstrapConfig {
                    n_replicates: 1000,
                    interval,
                    ..BootstrapConfig::with_seed(seed)
                };
                let result = bootstrap(&clusters, &config, mean).ok();
                Count::of(result.map(|result| result.interval), 1.0)
            })
        };
        let counts = count(REPLICATES, 300 + d as u64, replicate);
        let [bca, percentile] = counts.map(|count| count.rate(REPLICATES));
        println!("{n:3}  {bca:.4} {percentile:.4}");
        assert!((0.88..=0.97).contains(&bca), "{n}: {bca}");
        assert!((0.87..=0.97).contains(&percentile), "{n}: {percentile}");
    }
}

#[test]
fn bootstrap_intervals_of_an_area() {
    const REPLICATES: u64 = 500;
    println!("area  BCa    percentile  of {REPLICATES}");
    for (a, (&area, &distance)) in AREAS.iter().zip(&DISTANCES).enumerate().take(2) {
        let clusters = Clusters::singletons(80).unwrap();
        let replicate = |seed: u64| {
            let (scores, truth) = binormal(distance, [50, 30], seed);
            [BootstrapInterval::Bca, BootstrapInterval::Percentile].map(|interval| {
                let config = BootstrapConfig {
                    n_replicates: 1000,
                    interval,
                    ..BootstrapConfig::with_seed(seed)
                };
                let result = bootstrap_auc(&scores, &truth, &clusters, &config).ok();
                Count::of(result.map(|result| result.interval), area)
            })
        };
        let counts = count(REPLICATES, 400 + a as u64, replicate);
        let [bca, percentile] = counts.map(|count| count.rate(REPLICATES));
        println!("{area:.2}  {bca:.4} {percentile:.4}");
        assert!((0.91..=0.98).contains(&bca), "{area}: {bca}");
        assert!((0.89..=0.98).contains(&percentile), "{area}: {percentile}");
    }
}

/// Gray's test and DeLong's paired test when there is nothing to find.
#[test]
fn tests_err_about_as_often_as_they_say() {
    use lobule_stats::roc::{compare_paired, compare_paired_by_cluster};
    use lobule_stats::survival::{CompetingFollowUp, gray_test};
    const REPLICATES: u64 = 2000;
    println!("test  rejected at 0.05 of {REPLICATES}");
    let clusters: Vec<usize> = (0..120).map(|case| case / 2).collect();
    let clusters = Clusters::from_labels(&clusters).unwrap();
    // Two readers of the same breasts, whose errors agree by half; and by patient.
    let paired = |seed: u64| {
        let mut normal = Normal::new(seed);
        let truth: Vec<bool> = (0..120).map(|case| case / 2 % 3 == 0).collect();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for patient in truth.chunks_exact(2) {
            let effect = [normal.draw(), normal.draw()];
            for &present in patient {
                let common = f64::from(u8::from(present)) * 1.5 + normal.draw();
                first.push(common + effect[0] + 0.5 * normal.draw());
                second.push(common + effect[1] + 0.5 * normal.draw());
            }
        }
        let [first, second] = [first, second].map(|scores| Roc::new(&scores, &truth).unwrap());
        let plain = compare_paired(&first, &second, LEVEL).unwrap();
        let clustered = compare_paired_by_cluster(&first, &second, &clusters, LEVEL).unwrap();
        [plain, clustered].map(|test| Count {
            covered: usize::from(test.p_value < 0.05),
            missing: 0,
        })
    };
    // Three groups of 40, two causes with equal hazards, a third censored.
    let gray = |seed: u64| {
        let mut normal = Normal::new(seed);
        let mut exponential =
            |mean: f64| mean * f64::midpoint(normal.draw().powi(2), normal.draw().powi(2));
        let (mut times, mut causes) = (Vec::new(), Vec::new());
        for _ in 0..120 {
            let ends = [exponential(2.0), exponential(1.0), exponential(1.0)];
            let first = (0..3).fold(0, |a, b| if ends[b] < ends[a] { b } else { a });
            times.push(ends[first]);
            causes.push(first);
        }
        let follow_up = CompetingFollowUp::new(&times, &causes).unwrap();
        let groups: Vec<usize> = (0..120).map(|i| i % 3).collect();
        let test = gray_test(&follow_up, 1, &groups, 0.0).unwrap().test;
        [Count {
            covered: usize::from(test.p_value < 0.05),
            missing: 0,
        }]
    };
    let [plain, clustered] = count(REPLICATES, 500, paired);
    let [gray] = count(REPLICATES, 501, gray);
    let rates = [plain, clustered, gray].map(|count| count.rate(REPLICATES));
    println!("paired areas, breasts as if independent  {:.4}", rates[0]);
    println!("paired areas, by patient                 {:.4}", rates[1]);
    println!("Gray, three groups                       {:.4}", rates[2]);
    // Three standard errors, and the normal quantile's share with 60 clusters.
    assert!(rates[0] > 0.08, "{}", rates[0]);
    assert!((0.03..=0.075).contains(&rates[1]), "{}", rates[1]);
    assert!((0.03..=0.07).contains(&rates[2]), "{}", rates[2]);
}
