//! Lumina against boxes of tubules and of other holes.

use lobule_raster::{NucleiConfig, find_lumina, find_nuclei, measure_components};

use crate::fields::{Boxed, Field, MPP, area_mm2, matched};
use crate::figures::{correlation, over_cases, share};

/// Cells around a lumen, as `measure_components` takes them, in pixels.
const RIM: f64 = 10.0 / MPP;

struct Found {
    tubules: usize,
    right: usize,
    others: usize,
    /// Boxed as something else, taken for a tubule.
    wrong: usize,
    /// In no box, taken for a tubule.
    unboxed: usize,
    /// Share of the tissue, measured and by boxes.
    shares: (f64, f64),
}

fn look(field: &Field) -> Found {
    let stains = Some(&field.stains);
    let nuclei = find_nuclei(&field.tile, stains, MPP, &NucleiConfig::default());
    let nuclei = nuclei.expect("0.5 is fine");
    let lumina = find_lumina(&field.tile, &nuclei, stains, MPP).expect("the same tile");
    let taken: Vec<(f64, f64)> = lumina
        .all
        .iter()
        .filter(|l| l.is_tubular())
        .map(|l| (l.center.row, l.center.col))
        .collect();
    let boxes: Vec<&Boxed> = field.boxes.iter().filter(|b| !b.is_nucleus()).collect();
    let is_tubule = |b: &Boxed| b.class == "Tubule";
    let pairs = matched(&taken, &boxes);
    let right = pairs.iter().filter(|p| is_tubule(boxes[p.1])).count();
    let tubules: Vec<&&Boxed> = boxes.iter().filter(|b| is_tubule(b)).collect();
    let components = measure_components(&field.tile, stains, MPP).expect("0.5 is fine");
    let tissue = components.tissue_um2;
    let boxed: f64 = tubules.iter().map(|b| b.grown_um2(RIM)).sum();
    Found {
        tubules: tubules.len(),
        right,
        others: boxes.len() - tubules.len(),
        wrong: pairs.len() - right,
        unboxed: taken.len() - pairs.len(),
        shares: (components.tubules_um2 / tissue, boxed / tissue),
    }
}

/// Prints the figures of tubules.
pub(crate) fn measure(fields: &[Field]) {
    let found: Vec<Found> = fields.iter().map(look).collect();
    let cases: Vec<&str> = fields.iter().map(|f| f.case.as_str()).collect();
    let sum = |of: fn(&Found) -> usize| found.iter().map(of).sum::<usize>();
    let pairs: Vec<(f64, f64)> = found.iter().map(|f| f.shares).collect();
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
    println!(
        "tubules = \"a rule set by hand on these fields: {} boxed tubules found, {} holes boxed as something else taken \
         for tubules, {:.1} more per mm² in no box; share of the tissue per field: correlation with that by boxes {}; \
         mean {:.3}, by boxes {:.3}\"",
        share(sum(|f| f.right), sum(|f| f.tubules)),
        share(sum(|f| f.wrong), sum(|f| f.others)),
        sum(|f| f.unboxed) as f64 / area_mm2(fields),
        over_cases(&cases, |d| correlation(&pairs, d)),
        mean(|p| p.0),
        mean(|p| p.1),
    );
    for (field, f) in fields
        .iter()
        .zip(&found)
        .filter(|(_, f)| f.tubules + f.wrong + f.unboxed > 0)
    {
        eprintln!(
            "{}: {} of {} tubules, {} of {} others, {} unboxed, shares {:.3} {:.3}",
            field.name, f.right, f.tubules, f.wrong, f.others, f.unboxed, f.shares.0, f.shares.1
        );
    }
}
