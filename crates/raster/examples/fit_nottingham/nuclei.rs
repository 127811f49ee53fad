//! Nuclei and their variation against boxes.

use std::collections::BTreeSet;

use lobule_exam::NuclearVariation;
use lobule_raster::{NucleiConfig, find_nuclei, nuclear_variation};

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
    let theirs: Vec<(f64, f64)> = tumor
        .clone()
        .map(|b| (b.grown_um2(0.0), ratio(b)))
        .collect();
    Found {
        case: field.case.clone(),
        boxed: tumor.count(),
        hit: of_tumor.count(),
        found: nuclei.all.len(),
        right: pairs.len(),
        sizes: whole
            .map(|p| (nuclei.all[p.0].area_um2, boxes[p.1].grown_um2(0.0)))
            .collect(),
        ours: nuclear_variation(&ours),
        theirs: nuclear_variation(&theirs),
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

/// Prints the figures of the settings that are built in.
pub(crate) fn measure(fields: &[Field]) {
    let found = look_all(fields, &NucleiConfig::default());
    let cases: Vec<&str> = found.iter().map(|f| f.case.as_str()).collect();
    for case in cases.iter().collect::<BTreeSet<_>>() {
        let own = || found.iter().filter(|f| f.case == **case);
        let n = |of: fn(&Found) -> usize| own().map(of).sum();
        let (hit, boxed) = (
            share(n(|f| f.hit), n(|f| f.boxed)),
            share(n(|f| f.right), n(|f| f.found)),
        );
        eprintln!("{case}: boxed tumor nuclei found {hit}; of those found boxed {boxed}");
    }
    let sum = |of: fn(&Found) -> usize, d: &[usize]| {
        d.iter().map(|&i| of(&found[i])).sum::<usize>() as f64
    };
    let whole: Vec<usize> = (0..found.len()).collect();
    let recall = over_cases(&cases, |d| Some(sum(|f| f.hit, d) / sum(|f| f.boxed, d)));
    let boxed = over_cases(&cases, |d| Some(sum(|f| f.right, d) / sum(|f| f.found, d)));
    println!(
        "nuclei = \"{} of {} boxed tumor nuclei found: {recall}; of {} found, boxed as any nucleus: {boxed}, \
         the readers having boxed clear nuclei only\"",
        sum(|f| f.hit, &whole),
        sum(|f| f.boxed, &whole),
        sum(|f| f.found, &whole),
    );
    print_sizes(&found);
    let measures: [(&str, Measure); 4] = [
        ("median_area", |v| v.median_um2),
        ("size_variation", |v| v.size_variation),
        ("large_share", |v| v.large_share),
        ("elongation", |v| v.median_elongation),
    ];
    for (name, of) in measures {
        let both = |f: &Found| Some((of(f.ours.as_ref()?), of(f.theirs.as_ref()?)));
        let pairs: Vec<(f64, f64)> = found.iter().filter_map(both).collect();
        let of_pair = found.iter().filter(|f| both(f).is_some());
        let cases: Vec<&str> = of_pair.map(|f| f.case.as_str()).collect();
        let r = over_cases(&cases, |d| correlation(&pairs, d));
        let mean =
            |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
        println!(
            "{name} = \"{} fields: correlation with that of the boxed tumor nuclei {r}; mean {:.2}, of the boxes {:.2}\"",
            pairs.len(),
            mean(|p| p.0),
            mean(|p| p.1)
        );
    }
}

type Measure = fn(&NuclearVariation) -> f64;

/// Areas nucleus by nucleus, to the standard error.
fn print_sizes(found: &[Found]) {
    let (mut logs, mut cases) = (Vec::new(), Vec::new());
    for f in found {
        logs.extend(f.sizes.iter().map(|(a, b)| (a.ln(), b.ln())));
        cases.extend(f.sizes.iter().map(|_| f.case.as_str()));
    }
    let r = over_cases(&cases, |d| correlation(&logs, d));
    let ratio = over_cases(&cases, |d| {
        Some((d.iter().map(|&i| logs[i].0 - logs[i].1).sum::<f64>() / d.len() as f64).exp())
    });
    eprintln!(
        "{} nuclei: correlation of the logarithms of found area and the boxed ellipse's {r}, ratio {ratio}",
        logs.len()
    );
}
