//! How much the nuclei of a tumor vary in size and shape.
//!
//! Owns: which nuclei count ([`Nucleus::is_measurable`]), the measures over them ([`nuclear_variation`]). Does
//! not own: how nuclei are found (`nuclei`).

use lobule_exam::NuclearVariation;

use super::Nucleus;

/// Less of its hull, and a piece is more likely a clump or a fragment than one nucleus.
const LEAST_SOLIDITY: f64 = 0.85;
/// Longer, and it is more likely a fibroblast's or a vessel's than a tumor cell's.
const MOST_ELONGATION: f64 = 2.5;
/// Smaller ones are mostly lymphocytes', fibroblasts' cut across, and fragments.
const LEAST_UM2: f64 = 35.0;
/// A nucleus is large from this many times the median.
const LARGE: f64 = 2.0;

impl Nucleus {
    /// Whether size and shape may be taken from it as of a tumor cell: whole, of one piece, no spindle, at
    /// least 35 µm².
    pub fn is_measurable(&self) -> bool {
        !self.is_cut
            && self.area_um2 >= LEAST_UM2
            && self.solidity >= LEAST_SOLIDITY
            && self.elongation <= MOST_ELONGATION
    }
}

/// Fewer nuclei say nothing of their variation.
const LEAST_NUCLEI: usize = 10;

/// Variation over nuclei given as (area in square microns, elongation); none for fewer than ten.
///
/// ```
/// use lobule_raster::nuclear_variation;
/// let nuclei = [40.0, 45.0, 50.0, 55.0, 60.0, 40.0, 45.0, 50.0, 55.0, 160.0].map(|um2| (um2, 1.2));
/// let variation = nuclear_variation(&nuclei).expect("ten nuclei");
/// assert_eq!((variation.median_um2, variation.large_share), (50.0, 0.1));
/// assert_eq!(nuclear_variation(&nuclei[..9]), None);
/// ```
pub fn nuclear_variation(nuclei: &[(f64, f64)]) -> Option<NuclearVariation> {
    if nuclei.len() < LEAST_NUCLEI {
        return None;
    }
    let areas: Vec<f64> = nuclei.iter().map(|n| n.0).collect();
    let elongations: Vec<f64> = nuclei.iter().map(|n| n.1).collect();
    let median_um2 = median(&areas);
    let large = areas.iter().filter(|&&a| a >= LARGE * median_um2).count();
    let (mean, spread) = mean_and_spread(&areas);
    Some(NuclearVariation {
        nuclei: nuclei.len(),
        median_um2,
        size_variation: spread / mean,
        large_share: large as f64 / nuclei.len() as f64,
        median_elongation: median(&elongations),
        elongation_spread: mean_and_spread(&elongations).1,
    })
}

/// The middle value, the mean of the two middle ones of an even number.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    0.5 * (sorted[(n - 1) / 2] + sorted[n / 2])
}

/// With n − 1 in the denominator.
fn mean_and_spread(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}
