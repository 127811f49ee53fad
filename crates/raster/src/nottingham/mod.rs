//! Components of the Nottingham grade that can be measured on a tile: nuclei and their variation, tubules,
//! what looks like a mitosis.
//!
//! Owns: the components on one tile ([`measure_components`]), nuclei one by one ([`find_nuclei`]), their variation
//! ([`nuclear_variation`]), dark pieces ([`find_dark_pieces`]), holes ([`find_lumina`]), what was measured of all
//! these ([`ComponentFigures`]). Does not own: any grade. Elston and Ellis (Histopathology 1991;19:403, doi
//! 10.1111/j.1365-2559.1991.tb00229.x) give 1 to 3 points for tubules, nuclei and mitoses by eye; what is measured
//! here explains a slide's score and stands beside it.

mod appearance;
mod components;
mod figures;
mod lumina;
mod mitosis;
mod nuclei;
mod shape;
mod variation;
mod watershed;

pub use components::{TileComponents, TileMark, mark_components, measure_components};
pub use figures::ComponentFigures;
pub use lumina::{Lumen, Lumina, find_lumina};
pub use mitosis::{DarkPieces, MitosisClassifier, find_dark_pieces};
pub use nuclei::{MEASURABLE_MPP, Nuclei, NucleiConfig, Nucleus, find_nuclei};
pub use variation::nuclear_variation;
