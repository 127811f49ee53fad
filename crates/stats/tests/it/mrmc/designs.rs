//! Other roads to the same number, designs, and tables that are refused.

use lobule_stats::mrmc::*;
use lobule_stats::roc::Roc;
use lobule_stats::{Clusters, ErrorKind};

use super::simulation::Normal;
use super::{LEVEL, analysis, near, near_within};

/// [`grid_of`] as a study; every third case is diseased.
pub(super) fn drawn_study(
    n_modalities: usize,
    n_readers: usize,
    n_cases: usize,
    seed: u64,
) -> ReaderStudy {
    let truth: Vec<bool> = (0..n_cases).map(|case| case % 3 == 0).collect();
    let grid = grid_of(n_modalities, n_readers, n_cases, seed);
    ReaderStudy::from_grid(&truth, n_modalities, n_readers, &grid).unwrap()
}

/// Ratings 1 to 5 with ties, drawn, by modality, reader and case.
fn grid_of(n_modalities: usize, n_readers: usize, n_cases: usize, seed: u64) -> Vec<f64> {
    let mut normal = Normal::new(seed);
    let shared: Vec<f64> = (0..n_cases)
        .map(|case| 1.2 * f64::from(case % 3 == 0) + normal.draw())
        .collect();
    let cells = 0..n_modalities * n_readers;
    let ratings = cells.flat_map(|_| {
        let rated = shared
            .iter()
            .map(|v| (v + normal.draw() + 2.5).round().clamp(1.0, 5.0));
        rated.collect::<Vec<f64>>()
    });
    ratings.collect()
}

#[test]
fn the_fast_jackknife_is_the_jackknife_by_definition() {
    let study = drawn_study(2, 3, 40, 1);
    let fast = FigureTable::new(&study, Figure::Auc, CovarianceMethod::Jackknife).unwrap();
    let auc = |ratings: &[f64], truth: &[bool]| Roc::new(ratings, truth).ok().map(|roc| roc.auc());
    let slow = FigureTable::by_jackknife(&study, auc).unwrap();
    for a in 0..6 {
        for b in 0..6 {
            near("covariance", fast.covariance(a, b), slow.covariance(a, b));
        }
    }
}

#[test]
fn unbiased_covariances_are_those_of_all_quadruples() {
    let study = drawn_study(1, 2, 14, 2);
    let table = FigureTable::new(&study, Figure::Auc, CovarianceMethod::Unbiased).unwrap();
    let grid = grid_of(1, 2, 14, 2);
    let rating = |reader: usize, case: usize| grid[reader * 14 + case];
    let truth = study.truth();
    let class =
        |present: bool| -> Vec<usize> { (0..14).filter(|&c| truth[c] == present).collect() };
    let (x, y) = (class(true), class(false));
    let win =
        |reader: usize, i: usize, j: usize| match rating(reader, i).total_cmp(&rating(reader, j)) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
    let (mut sum, mut count) = (0.0, 0.0);
    for &i in &x {
        for &k in x.iter().filter(|&&k| k != i) {
            for &j in &y {
                for &l in y.iter().filter(|&&l| l != j) {
                    sum += win(0, i, j) * win(1, k, l);
                    count += 1.0;
                }
            }
        }
    }
    let product = table.estimate(0, 0).unwrap() * table.estimate(0, 1).unwrap();
    near_within(
        "covariance",
        table.covariance(0, 1),
        product - sum / count,
        1e-10,
    );
}

#[test]
fn order_of_rows_and_monotone_scales_change_nothing() {
    let study = drawn_study(2, 3, 30, 3);
    let truth: Vec<(String, bool)> = study
        .cases()
        .iter()
        .cloned()
        .zip(study.truth().iter().copied())
        .collect();
    let grid = grid_of(2, 3, 30, 3);
    let labels: Vec<String> = (1..=30).map(|label: u32| label.to_string()).collect();
    let rows = (0..grid.len()).rev().map(|index| Rating {
        modality: &labels[index / 90],
        reader: &labels[index / 30 % 3],
        case: &labels[index % 30],
        rating: grid[index].exp(),
    });
    let truth = truth
        .iter()
        .map(|(case, present)| (case.as_str(), *present));
    let turned = ReaderStudy::new(truth, rows).unwrap();
    assert_eq!(turned.modalities(), ["2", "1"]);
    let method = CovarianceMethod::DeLong;
    let (a, b) = (
        analysis(&study, Figure::Auc, method),
        analysis(&turned, Figure::Auc, method),
    );
    near(
        "difference",
        a.differences[0].contrast.estimate,
        -b.differences[0].contrast.estimate,
    );
    near("p", a.test.unwrap().p_value, b.test.unwrap().p_value);
}

/// Cases of a study that some reader reads in some modality; readers and modalities are kept
/// where any case is.
fn thinned(
    grid: &[f64],
    shape: [usize; 3],
    keep: impl Fn(usize, usize, usize) -> bool,
) -> ReaderStudy {
    let [t, r, c] = shape;
    let labels: Vec<String> = (0..c.max(r).max(t))
        .map(|label| label.to_string())
        .collect();
    let truth = (0..c).map(|case| (labels[case].as_str(), case % 3 == 0));
    let mut rows = Vec::new();
    for modality in 0..t {
        for reader in 0..r {
            for case in (0..c).filter(|&case| keep(modality, reader, case)) {
                rows.push(Rating {
                    modality: &labels[modality],
                    reader: &labels[reader],
                    case: &labels[case],
                    rating: grid[(modality * r + reader) * c + case],
                });
            }
        }
    }
    ReaderStudy::new(truth, rows).unwrap()
}

#[test]
fn nested_designs_are_analysed_and_incomplete_ones_refused() {
    let shape = [2, 4, 60];
    let grid = grid_of(2, 4, 60, 4);
    let table = |study: &ReaderStudy| {
        FigureTable::new(study, Figure::Auc, CovarianceMethod::DeLong).unwrap()
    };
    let random = RandomFactors::ReadersAndCases;
    // Split plot: two groups of two readers with 30 cases each.
    let split = thinned(&grid, shape, |_, reader, case| case / 30 == reader / 2);
    assert_eq!(split.layout(), Layout::CasesInReaderGroups);
    let figures = table(&split);
    assert_eq!(figures.covariance(0, 2), 0.0);
    let got = obuchowski_rockette(&figures, random, LEVEL).unwrap();
    // The average of Cov₂ counts pairs of readers without a case in common as 0.
    let within = |a: usize| figures.covariance(a, a + 1) / 3.0;
    let cov2 = (within(0) + within(2) + within(4) + within(6)) / 4.0;
    near("split plot", got.components.cov2, cov2);
    // Readers nested in modalities.
    let nested = thinned(&grid, shape, |modality, reader, _| reader / 2 == modality);
    assert_eq!(nested.layout(), Layout::ReadersInModalities);
    let got = obuchowski_rockette(&table(&nested), random, LEVEL).unwrap();
    assert_eq!(got.components.cov1, 0.0);
    assert!(got.reader_differences.is_empty());
    let square = got.mean_squares.reader.unwrap();
    let shared = (got.components.cov2 - got.components.cov3).max(0.0);
    near(
        "nested",
        got.test.unwrap().denominator,
        square + 2.0 * shared,
    );
    // Cases nested in modalities: nothing is shared between them.
    let apart = thinned(&grid, shape, |modality, _, case| case / 30 == modality);
    assert_eq!(apart.layout(), Layout::CasesInModalities);
    let got = obuchowski_rockette(&table(&apart), random, LEVEL).unwrap();
    assert_eq!((got.components.cov1, got.components.cov3), (0.0, 0.0));
    // One missing rating.
    let missing = thinned(&grid, shape, |m, r, case| (m, r, case) != (1, 2, 7));
    assert_eq!(missing.layout(), Layout::Incomplete);
    let refused = obuchowski_rockette(&table(&missing), random, LEVEL).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Design);
    let whole = ReaderStudy::from_grid(
        &(0..60).map(|case| case % 3 == 0).collect::<Vec<bool>>(),
        2,
        4,
        &grid,
    );
    let p = |study: &ReaderStudy| {
        let result = u_statistics(study, MomentEstimate::Unbiased, LEVEL).unwrap();
        result.differences[0].student.p_value
    };
    assert!((p(&missing) - p(&whole.unwrap())).abs() < 0.05);
}

/// Var = Σ weight × component must hold with missing ratings too, and the U-statistic must be the
/// mean over explicit quadruples.
#[test]
fn moments_of_a_ragged_design_add_up() {
    let kept = |modality, reader, case| (modality + 2 * reader + case) % 7 != 0;
    let study = thinned(&grid_of(2, 5, 90, 5), [2, 5, 90], kept);
    for moments in [MomentEstimate::Unbiased, MomentEstimate::Empirical] {
        let result = u_statistics(&study, moments, LEVEL).unwrap();
        for mean in &result.modalities {
            let products = mean.moments.moments.iter().zip(&mean.moments.weights);
            let sum: f64 = products.map(|(m, c)| m * c).sum();
            near_within("variance", sum, mean.variance, 1e-8);
            let (c, w) = (mean.moments.components(), mean.moments.component_weights());
            let sum = c.healthy * w.healthy
                + c.diseased * w.diseased
                + c.healthy_diseased * w.healthy_diseased
                + c.readers * w.readers
                + c.readers_healthy * w.readers_healthy
                + c.readers_diseased * w.readers_diseased
                + c.readers_healthy_diseased * w.readers_healthy_diseased;
            near_within("components", sum, mean.variance, 1e-8);
        }
    }
}

#[test]
fn clusters_are_left_out_whole() {
    let grid = grid_of(1, 2, 30, 6);
    let truth: Vec<bool> = (0..30).map(|case| case % 3 == 0).collect();
    let labels: Vec<String> = (0..30).map(|case| (case / 2).to_string()).collect();
    let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
    let study = ReaderStudy::from_grid(&truth, 1, 2, &grid)
        .unwrap()
        .with_clusters(&labels)
        .unwrap();
    let table = FigureTable::new(&study, Figure::Auc, CovarianceMethod::Jackknife).unwrap();
    let without: Vec<f64> = (0..15)
        .map(|exam| {
            let rest: Vec<usize> = (0..30).filter(|case| case / 2 != exam).collect();
            let ratings: Vec<f64> = rest.iter().map(|&case| grid[case]).collect();
            let truth: Vec<bool> = rest.iter().map(|&case| truth[case]).collect();
            Roc::new(&ratings, &truth).unwrap().auc()
        })
        .collect();
    let mean = without.iter().sum::<f64>() / 15.0;
    let squares: f64 = without.iter().map(|v| (v - mean).powi(2)).sum();
    near("variance", table.covariance(0, 0), 14.0 / 15.0 * squares);
    let rates = Figure::Sensitivity { threshold: 3.0 };
    let refused = FigureTable::new(&study, rates, CovarianceMethod::DeLong).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Design);
    let refused = FigureTable::new(&study, Figure::Auc, CovarianceMethod::Unbiased).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Design);
    let refused = u_statistics(&study, MomentEstimate::Unbiased, LEVEL).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Design);
}

#[test]
fn delongs_covariances_add_up_by_cluster() {
    let grid = grid_of(2, 2, 30, 6);
    let truth: Vec<bool> = (0..30).map(|case| case % 3 == 0).collect();
    let names: Vec<String> = (0..30).map(|case| (case / 2).to_string()).collect();
    let labels: Vec<&str> = names.iter().map(String::as_str).collect();
    let study = ReaderStudy::from_grid(&truth, 2, 2, &grid).unwrap();
    let plain = FigureTable::new(&study, Figure::Auc, CovarianceMethod::DeLong).unwrap();
    let table = |labels: &[&str]| {
        let study = study.clone().with_clusters(labels).unwrap();
        FigureTable::new(&study, Figure::Auc, CovarianceMethod::DeLong).unwrap()
    };
    let clustered = table(&labels);
    let single: Vec<String> = (0..30).map(|case| case.to_string()).collect();
    let single = table(&single.iter().map(String::as_str).collect::<Vec<&str>>());
    let clusters = Clusters::from_labels(&labels).unwrap();
    let roc = |row: usize| Roc::new(&grid[row * 30..(row + 1) * 30], &truth).unwrap();
    for a in 0..4 {
        for b in 0..4 {
            let expected = roc(a)
                .auc_covariance_by_cluster(&roc(b), &clusters)
                .unwrap();
            near("clustered", clustered.covariance(a, b), expected);
            near("single", single.covariance(a, b), plain.covariance(a, b));
        }
    }
    assert!(clustered.covariance(0, 0) != plain.covariance(0, 0));
}

#[test]
fn bad_tables_end_in_a_clear_message() {
    let rating = |reader, case, rating| Rating {
        reader,
        modality: "film",
        case,
        rating,
    };
    let truth = [("a", true), ("b", false)];
    let cases = [
        (
            vec![rating("ann", "a", f64::NAN)],
            ErrorKind::NotFinite,
            "row 0",
        ),
        (
            vec![rating("ann", "a", 1.0), rating("ann", "c", 1.0)],
            ErrorKind::Mismatch,
            "row 1",
        ),
        (
            vec![rating("ann", "a", 1.0); 2],
            ErrorKind::Duplicate,
            "reader ann",
        ),
        (vec![], ErrorKind::Empty, "at least one"),
    ];
    for (rows, kind, text) in cases {
        let error = ReaderStudy::new(truth, rows).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(text), "{error}");
    }
    let twice =
        ReaderStudy::new([("a", true), ("a", true)], [rating("ann", "a", 1.0)]).unwrap_err();
    assert_eq!(twice.kind(), ErrorKind::Duplicate);
    let one_class = ReaderStudy::from_grid(&[true; 4], 1, 1, &[1.0, 2.0, 3.0, 4.0]).unwrap();
    let error = FigureTable::new(&one_class, Figure::Auc, CovarianceMethod::DeLong).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SingleClass);
    assert!(error.to_string().contains("reader 1"), "{error}");
    let names: Vec<String> = (0..3000).map(|name| name.to_string()).collect();
    let crowd = names.iter().map(|reader| rating(reader, "a", 1.0));
    assert_eq!(
        ReaderStudy::new(truth, crowd).unwrap_err().kind(),
        ErrorKind::OutOfRange
    );
}

#[test]
fn margins_answer_what_intervals_show() {
    let study = drawn_study(2, 4, 60, 8);
    let difference =
        analysis(&study, Figure::Auc, CovarianceMethod::DeLong).differences[0].contrast;
    let margin = 0.001 - difference.interval.lower.min(0.0);
    assert!(difference.non_inferiority(margin).unwrap().p_value < 0.025);
    let widest = difference
        .interval
        .lower
        .abs()
        .max(difference.interval.upper.abs());
    assert!(difference.equivalence(widest + 0.001).unwrap().p_value < 0.025);
}

#[test]
fn identical_modalities_do_not_differ() {
    let grid = grid_of(1, 3, 30, 9);
    let truth: Vec<bool> = (0..30).map(|case| case % 3 == 0).collect();
    let twice = [grid.clone(), grid].concat();
    let study = ReaderStudy::from_grid(&truth, 2, 3, &twice).unwrap();
    let result = analysis(&study, Figure::Auc, CovarianceMethod::Unbiased);
    assert_eq!(result.test.unwrap().p_value, 1.0);
    let result = u_statistics(&study, MomentEstimate::Unbiased, LEVEL).unwrap();
    assert_eq!(result.differences[0].student.p_value, 1.0);
}
