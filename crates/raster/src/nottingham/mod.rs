//! Components of the Nottingham grade that can be measured on a tile: nuclei and their variation.
//!
//! Owns: nuclei one by one ([`find_nuclei`]), their variation ([`NuclearVariation`]). Does not own: any grade. Elston and Ellis (Histopathology
//! 1991;19:403, doi 10.1111/j.1365-2559.1991.tb00229.x) give 1 to 3 points for tubules, nuclei and mitoses by
//! eye; what is measured here explains a slide's score and stands beside it.

mod appearance;
mod nuclei;
mod shape;
mod variation;
mod watershed;

pub use nuclei::{COARSEST_MPP, Nuclei, NucleiConfig, Nucleus, find_nuclei};
pub use variation::NuclearVariation;
