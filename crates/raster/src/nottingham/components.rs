//! What a tile of tumor shows of the components, and where.
//!
//! Owns: the measures of one tile ([`measure_components`]) and their picture ([`mark_components`]). Does not own:
//! a slide's measures (`assess`), colors (`report`).

use super::appearance::Layers;
use super::lumina::{Lumina, lumina_in};
use super::mitosis::{DarkPieces, dark_pieces_in};
use super::nuclei::{Nuclei, NucleiConfig, checked, nuclei_in};
use crate::{Error, Image, Stains};

/// The components on one tile.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TileComponents {
    /// Nuclei, but those on the upper or left edge: a grid of tiles counts each once (Gundersen, J Microsc
    /// 1977;111:219, doi 10.1111/j.1365-2818.1977.tb00062.x).
    pub nuclei: usize,
    /// Dark pieces that look like mitoses, counted in the same way.
    pub mitosis_like: usize,
    /// Area of tissue, with the lumina of tubules, in square microns.
    pub tissue_um2: f64,
    /// Of that, lumina that are like a tubule's and what is stained within 10 µm of them.
    pub tubules_um2: f64,
    /// Area in square microns to a hundredth and elongation to a thousandth of each nucleus that
    /// [`is_measurable`](super::Nucleus::is_measurable).
    pub measurable: Vec<(f64, f64)>,
}

/// What a pixel is marked as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileMark {
    /// Nothing.
    None,
    /// The outline of a nucleus whose size and shape count.
    Measured,
    /// The outline of another nucleus.
    Nucleus,
    /// The outline of a dark piece that looks like a mitosis.
    MitosisLike,
    /// The edge of a lumen that is like a tubule's.
    Lumen,
}

/// Measures the components on a tile.
///
/// # Errors
/// `Config` for microns per pixel that are not 0.1 to 0.6.
///
/// ```
/// use lobule_raster::{Image, measure_components};
/// let tissue = Image::filled(40, 40, [226_u8, 178, 212]);
/// let components = measure_components(&tissue, None, 0.5)?;
/// assert_eq!((components.nuclei, components.tissue_um2), (0, 400.0));
/// # Ok::<(), lobule_raster::Error>(())
/// ```
pub fn measure_components(
    tile: &Image<[u8; 3]>,
    stains: Option<&Stains>,
    mpp: f64,
) -> Result<TileComponents, Error> {
    let found = Found::on(tile, stains, mpp)?;
    let counted = found.nuclei.all.iter().filter(|n| n.is_counted());
    let mitoses = found.dark.look_like_mitoses().into_iter();
    let mitoses = mitoses.zip(&found.dark.pieces.all);
    let (tubules, tissue) = found.lumina.tubules_and_tissue(mpp);
    let measurable = found.nuclei.all.iter().filter(|n| n.is_measurable());
    let rounded = |value: f64, steps: f64| (value * steps).round() / steps;
    Ok(TileComponents {
        nuclei: counted.count(),
        mitosis_like: mitoses.filter(|(like, n)| *like && n.is_counted()).count(),
        tissue_um2: rounded(tissue as f64 * mpp * mpp, 100.0),
        tubules_um2: rounded(tubules as f64 * mpp * mpp, 100.0),
        measurable: measurable
            .map(|n| (rounded(n.area_um2, 100.0), rounded(n.elongation, 1000.0)))
            .collect(),
    })
}

/// What is found on a tile.
struct Found {
    nuclei: Nuclei,
    dark: DarkPieces,
    lumina: Lumina,
}

impl Found {
    fn on(tile: &Image<[u8; 3]>, stains: Option<&Stains>, mpp: f64) -> Result<Found, Error> {
        checked(mpp)?;
        let layers = Layers::of(tile, stains.unwrap_or(&Stains::REFERENCE));
        let nuclei = nuclei_in(&layers, mpp, &NucleiConfig::default());
        Ok(Found {
            lumina: lumina_in(&layers, &nuclei, mpp),
            dark: dark_pieces_in(&layers, mpp),
            nuclei,
        })
    }
}

/// The outlines of what [`measure_components`] finds.
///
/// # Errors
/// As [`measure_components`].
pub fn mark_components(
    tile: &Image<[u8; 3]>,
    stains: Option<&Stains>,
    mpp: f64,
) -> Result<Image<TileMark>, Error> {
    let found = Found::on(tile, stains, mpp)?;
    let mitoses = found.dark.look_like_mitoses();
    let (nuclei, dark) = (&found.nuclei.labels, &found.dark.pieces.labels);
    let lumina = &found.lumina.labels;
    let is_mitosis = |label: u32| (label as usize).checked_sub(1).is_some_and(|i| mitoses[i]);
    Ok(Image::from_fn(tile.rows(), tile.cols(), |row, col| {
        let edge = |labels: &Image<u32>| is_edge(labels, row, col);
        let nucleus = found.nuclei.of_label(nuclei.at(row, col));
        match nucleus {
            _ if is_mitosis(dark.at(row, col)) && edge(dark) => TileMark::MitosisLike,
            _ if found.lumina.is_tubular(lumina.at(row, col)) && edge(lumina) => TileMark::Lumen,
            Some(nucleus) if edge(nuclei) && nucleus.is_measurable() => TileMark::Measured,
            Some(_) if edge(nuclei) => TileMark::Nucleus,
            Some(_) | None => TileMark::None,
        }
    }))
}

/// Whether a pixel has a neighbour of another label; beyond the tile all labels are 0.
fn is_edge(labels: &Image<u32>, row: usize, col: usize) -> bool {
    let at = |row: usize, col: usize| match row < labels.rows() && col < labels.cols() {
        true => labels.at(row, col),
        false => 0,
    };
    let around = [
        at(row.wrapping_sub(1), col),
        at(row, col.wrapping_sub(1)),
        at(row + 1, col),
        at(row, col + 1),
    ];
    around.iter().any(|&other| other != labels.at(row, col))
}
