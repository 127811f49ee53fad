//! Nuclei and their variation against boxes.

use std::collections::BTreeSet;

use lobule_raster::{NuclearVariation, NucleiConfig, find_nuclei};

use crate::fields::{Boxed, Field, MPP, matched};
use crate::figures::{correlation, over_cases, share};

/// What was found in a field.
struct Found {
    case: String,
    boxed: usize,
    hit: usize,
    found: usize,
    /// Found ones that lie in a box of any nucleus.
    right: usize,
    /// Area found and area of the box's ellipse, of tumor nuclei.
    sizes: Vec<(f64, f64)>,
    ours: Option<NuclearVariation>,
    theirs: Option<NuclearVariation>,
}

fn look(field: &Field, config: &NucleiConfig) -> Found {
    let nuclei = find_nuclei(&field.tile, Some(&field.stains), MPP, config).expect("0.5 is fine");
    let boxes: Vec<&Boxed> = field.boxes.iter().filter(|b| b.is_nucleus()).collect();
    let places: Vec<(f64, f64)> = nuclei
        .all
        .iter()
        .map(|n| (n.center.row, n.center.col))
        .collect();
    let pairs = matched(&places, &boxes);
    let is_tumor = |b: &Boxed| b.class == "Tumor_nuclei";
    let of_tumor = pairs.iter().filter(|p| is_tumor(boxes[p.1]));
    let whole = of_tumor.clone().filter(|p| !nuclei.all[p.0].is_cut);
    let measurable = nuclei.all.iter().filter(|n| n.is_measurable());
    let ours: Vec<(f64, f64)> = measurable.map(|n| (n.area_um2, n.elongation)).collect();
    let ratio = |b: &Boxed| b.height.max(b.width) / b.height.min(b.width);
    let tumor = boxes.iter().filter(|b| is_tumor(b));
    let theirs: Vec<(f64, f64)> = tumor.clone().map(|b| (b.ellipse_um2(), ratio(b))).collect();
    Found {
        case: field.case.clone(),
        boxed: tumor.count(),
        hit: of_tumor.count(),
        found: nuclei.all.len(),
        right: pairs.len(),
        sizes: whole
            .map(|p| (nuclei.all[p.0].area_um2, boxes[p.1].ellipse_um2()))
            .collect(),
        ours: NuclearVariation::of(&ours),
        theirs: NuclearVariation::of(&theirs),
    }
}

fn look_all(fields: &[Field], config: &NucleiConfig) -> Vec<Found> {
    std::thread::scope(|scope| {
        let part = |fields: &'_ [Field]| fields.iter().map(|f| look(f, config)).collect::<Vec<_>>();
        let (a, b) = fields.split_at(fields.len() / 2);
        let other = scope.spawn(move || part(b));
        let mut all = part(a);
        all.extend(other.join().expect("no panic"));
        all
    })
}

/// The harmonic mean of the share of boxes found and of finds that are boxed, over some cases.
fn f1(found: &[Found], is_in: impl Fn(&str) -> bool) -> f64 {
    let own = || found.iter().filter(|f| is_in(&f.case));
    let sum = |of: fn(&Found) -> usize| own().map(of).sum::<usize>() as f64;
    let recall = sum(|f| f.hit) / sum(|f| f.boxed);
    let boxed = sum(|f| f.right) / sum(|f| f.found);
    2.0 * recall * boxed / (recall + boxed)
}

fn grid() -> Vec<NucleiConfig> {
    let mut all = Vec::new();
    for local in [0.3, 0.6, 0.9] {
        for strictness in [0.9, 1.0, 1.1, 1.2] {
            for waist in [0.15, 0.2, 0.3] {
                for around_um in [8.0, 12.0, 20.0] {
                    all.push(NucleiConfig {
                        local,
                        strictness,
                        waist,
                        around_um,
                        ..NucleiConfig::default()
                    });
                }
            }
        }
    }
    all
}

/// Settings chosen on three cases, nuclei counted in the fourth, for each of the four.
pub(crate) fn choose(fields: &[Field]) {
    let tried: Vec<(NucleiConfig, Vec<Found>)> = grid()
        .into_iter()
        .map(|c| (c, look_all(fields, &c)))
        .collect();
    let best = |is_in: &dyn Fn(&str) -> bool| {
        let by = |a: &&(NucleiConfig, Vec<Found>), b: &&(NucleiConfig, Vec<Found>)| {
            f1(&a.1, is_in).total_cmp(&f1(&b.1, is_in))
        };
        tried.iter().max_by(by).expect("a grid has settings")
    };
    let say = |c: &NucleiConfig| {
        format!(
            "local {}, strictness {}, waist {}, around {} µm",
            c.local, c.strictness, c.waist, c.around_um
        )
    };
    let cases: BTreeSet<&str> = fields.iter().map(|f| f.case.as_str()).collect();
    let (mut hit, mut boxed) = (0, 0);
    for case in &cases {
        let (config, found) = best(&|c| c != *case);
        let own: Vec<&Found> = found.iter().filter(|f| f.case == *case).collect();
        let (h, b): (usize, usize) = (
            own.iter().map(|f| f.hit).sum(),
            own.iter().map(|f| f.boxed).sum(),
        );
        eprintln!(
            "chosen without {case}: {}; in it {}",
            say(config),
            share(h, b)
        );
        (hit, boxed) = (hit + h, boxed + b);
    }
    eprintln!("left out, all: {}", share(hit, boxed));
    eprintln!("chosen on all: {}", say(&best(&|_| true).0));
    let scores: Vec<f64> = tried.iter().map(|t| f1(&t.1, |_| true)).collect();
    let (low, high) = (
        scores.iter().copied().fold(1.0, f64::min),
        scores.iter().copied().fold(0.0, f64::max),
    );
    eprintln!("F1 of {} settings: {low:.3} to {high:.3}\n", scores.len());
}

/// The figures of the settings that are built in.
pub(crate) fn measure(fields: &[Field]) {
    let found = look_all(fields, &NucleiConfig::default());
    let cases: Vec<&str> = found.iter().map(|f| f.case.as_str()).collect();
    let sum = |of: fn(&Found) -> usize, drawn: &[usize]| {
        drawn.iter().map(|&i| of(&found[i])).sum::<usize>() as f64
    };
    for case in cases.iter().collect::<BTreeSet<_>>() {
        let own: Vec<usize> = (0..found.len()).filter(|&i| cases[i] == *case).collect();
        let n = |of| sum(of, &own) as usize;
        eprintln!(
            "{case}: {}, found {}, boxed of these {}",
            share(n(|f| f.hit), n(|f| f.boxed)),
            n(|f| f.found),
            share(n(|f| f.right), n(|f| f.found))
        );
    }
    let recall = over_cases(&cases, |d| Some(sum(|f| f.hit, d) / sum(|f| f.boxed, d)));
    let boxed = over_cases(&cases, |d| Some(sum(|f| f.right, d) / sum(|f| f.found, d)));
    eprintln!("recall {recall}\nboxed among found {boxed}");
    let mut all = Vec::new();
    let mut case_of = Vec::new();
    for f in &found {
        all.extend(f.sizes.iter().map(|(a, b)| (a.ln(), b.ln())));
        case_of.extend(f.sizes.iter().map(|_| f.case.as_str()));
    }
    let r = over_cases(&case_of, |d| correlation(&all, d));
    let bias = over_cases(&case_of, |d| {
        Some((d.iter().map(|&i| all[i].0 - all[i].1).sum::<f64>() / d.len() as f64).exp())
    });
    eprintln!(
        "{} nuclei: correlation of log area {r}, found by boxed area {bias}",
        all.len()
    );
    let measures: [(&str, fn(&NuclearVariation) -> f64); 5] = [
        ("median area", |v| v.median_um2),
        ("size variation", |v| v.size_variation),
        ("large share", |v| v.large_share),
        ("median elongation", |v| v.median_elongation),
        ("elongation spread", |v| v.elongation_spread),
    ];
    for (name, of) in measures {
        let both = found.iter().filter_map(|f| {
            Some((
                f.case.as_str(),
                (of(f.ours.as_ref()?), of(f.theirs.as_ref()?)),
            ))
        });
        let (cases, pairs): (Vec<&str>, Vec<(f64, f64)>) = both.unzip();
        let r = over_cases(&cases, |d| correlation(&pairs, d));
        let mean =
            |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
        eprintln!(
            "{name}: {} fields, ours {:.3}, boxes {:.3}, correlation {r}",
            pairs.len(),
            mean(|p| p.0),
            mean(|p| p.1)
        );
    }
}
