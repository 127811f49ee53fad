//! Dark pieces against boxes of mitoses.

use std::collections::BTreeSet;

use lobule_raster::{DarkPieces, find_dark_pieces};

use crate::fields::{Boxed, Field, MPP, area_mm2, matched};
use crate::figures::{over_cases, share};
use crate::logistic::{LeftOut, Model, Sample, average_precision, leave_cases_out};

/// Of 0.1 to 100, little changed from 1 to 3.
const RIDGE: f64 = 3.0;
/// False pieces per mm² at which sensitivity is given.
const FALSE_PER_MM2: f64 = 10.0;

/// Dark pieces of a field, each a sample; a piece in the box of a mitosis that another piece stands for is
/// none.
fn samples(field: &Field) -> Vec<Sample> {
    let dark = find_dark_pieces(&field.tile, Some(&field.stains), MPP).expect("0.5 is fine");
    let boxes: Vec<&Boxed> = field
        .boxes
        .iter()
        .filter(|b| b.class == "Mitosis")
        .collect();
    let centers = dark.pieces.all.iter().map(|n| (n.center.row, n.center.col));
    let places: Vec<(f64, f64)> = centers.collect();
    let hits: BTreeSet<usize> = matched(&places, &boxes).into_iter().map(|p| p.0).collect();
    let is_spare = |i: usize| !hits.contains(&i) && boxes.iter().any(|b| b.contains(places[i]));
    let all = dark.features.iter().enumerate();
    all.filter(|(i, _)| !is_spare(*i))
        .map(|(i, features)| Sample {
            case: field.case.clone(),
            features: features.to_vec(),
            truth: hits.contains(&i),
        })
        .collect()
}

/// A mitosis, found or not, or a piece that is none.
struct Outcome<'a> {
    case: &'a str,
    is_mitosis: bool,
    /// None for a mitosis without a piece.
    left_out: Option<LeftOut>,
}

/// Prints the classifier; its figures too, for the other file.
pub(crate) fn fit(fields: &[Field]) {
    let all: Vec<Sample> = fields.iter().flat_map(samples).collect();
    Model::fit(&all.iter().collect::<Vec<_>>(), RIDGE).print(&DarkPieces::FEATURES);
}

/// Prints what leaving each case out gave.
pub(crate) fn measure(fields: &[Field]) {
    let per_field: Vec<Vec<Sample>> = fields.iter().map(samples).collect();
    let all: Vec<Sample> = per_field.into_iter().flatten().collect();
    let left_out = leave_cases_out(&all, RIDGE);
    let mut outcomes: Vec<Outcome<'_>> = all
        .iter()
        .zip(&left_out)
        .map(|(s, o)| Outcome {
            case: &s.case,
            is_mitosis: s.truth,
            left_out: Some(*o),
        })
        .collect();
    for case in fields
        .iter()
        .map(|f| f.case.as_str())
        .collect::<BTreeSet<_>>()
    {
        let own = fields
            .iter()
            .filter(|f| f.case == case)
            .flat_map(|f| &f.boxes);
        let boxed = own.filter(|b| b.class == "Mitosis").count();
        let found = all.iter().filter(|s| s.case == case && s.truth).count();
        outcomes.extend((found..boxed).map(|_| Outcome {
            case,
            is_mitosis: true,
            left_out: None,
        }));
        print_case(case, boxed, found, &outcomes);
    }
    print_all(fields, &outcomes);
}

fn accepted(outcome: &Outcome<'_>) -> bool {
    outcome.left_out.is_some_and(|o| o.accepted)
}

fn print_case(case: &str, boxed: usize, found: usize, outcomes: &[Outcome<'_>]) {
    let own = || outcomes.iter().filter(|o| o.case == case && accepted(o));
    let (right, all) = (own().filter(|o| o.is_mitosis).count(), own().count());
    eprintln!(
        "{case}: {boxed} mitoses, {found} are dark pieces, {right} accepted, {} others",
        all - right
    );
}

fn print_all(fields: &[Field], outcomes: &[Outcome<'_>]) {
    let whole: Vec<usize> = (0..outcomes.len()).collect();
    let cases: Vec<&str> = outcomes.iter().map(|o| o.case).collect();
    let count = |of: &dyn Fn(&Outcome<'_>) -> bool, d: &[usize]| {
        d.iter().filter(|&&i| of(&outcomes[i])).count()
    };
    let right = |o: &Outcome<'_>| o.is_mitosis && accepted(o);
    let mitoses = |d: &[usize]| count(&|o| o.is_mitosis, d);
    let precision_of = |d: &[usize]| {
        let pieces = d
            .iter()
            .filter_map(|&i| outcomes[i].left_out.map(|o| (o.score, o.truth)));
        (mitoses(d) > 0).then(|| average_precision(&pieces.collect::<Vec<_>>(), mitoses(d)))
    };
    let f1_of = |d: &[usize]| {
        let of = mitoses(d) + count(&accepted, d);
        (of > 0).then(|| 2.0 * count(&right, d) as f64 / of as f64)
    };
    let (hits, all) = (count(&right, &whole), mitoses(&whole));
    let (area, wrong) = (area_mm2(fields), count(&accepted, &whole) - hits);
    let at = sensitivity_at(outcomes, (FALSE_PER_MM2 * area) as usize);
    println!(
        "mitoses = \"each case scored by a fit on the other three: {} boxed mitoses found, {:.1} other pieces per mm² \
         ({wrong} in {area:.2} mm²); at {FALSE_PER_MM2} others per mm² {}; average precision {}, F1 {}. Most mitoses \
         are missed\"",
        share(hits, all),
        wrong as f64 / area,
        share(at, all),
        over_cases(&cases, precision_of),
        over_cases(&cases, f1_of),
    );
}

/// Mitoses among the highest scores before there are more than so many others.
fn sensitivity_at(outcomes: &[Outcome<'_>], most_wrong: usize) -> usize {
    let mut scores: Vec<LeftOut> = outcomes.iter().filter_map(|o| o.left_out).collect();
    scores.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut wrong = 0;
    let within = scores.iter().take_while(|o| {
        wrong += usize::from(!o.truth);
        wrong <= most_wrong
    });
    within.filter(|o| o.truth).count()
}
