//! The stains of a whole slide, from a few of its squares.

use lobule_raster::{StainConfig, Stains, fit_stains};

use crate::{Error, GridKey, TileGrid, TileSource};

/// Squares that are read, spread evenly over those given.
const MOST_SQUARES: usize = 24;
/// Pixels that are taken of a square, spread evenly.
const PIXELS_OF_SQUARE: usize = 20_000;

/// Estimates a slide's stains from squares of its tissue: at most 24, spread evenly over those given in
/// their order, and 20,000 pixels of each. Squares that cannot be read are left out. The same squares
/// give the same stains.
///
/// # Errors
/// `Stain` where the stains cannot be told apart or there are none. Such a slide is taken as it is, and
/// said to be.
///
/// ```no_run
/// use lobule_slide::{SlideLimits, SurveyConfig, open_slide, slide_stains, survey};
/// let slide = open_slide("slide.svs".as_ref(), &SlideLimits::default())?;
/// let survey = survey(&*slide, &SurveyConfig::default())?;
/// let stains = slide_stains(&*slide, &survey.grid, &survey.taken())?;
/// println!("haematoxylin {:?}", stains.hematoxylin);
/// # Ok::<(), lobule_slide::Error>(())
/// ```
pub fn slide_stains(
    source: &dyn TileSource,
    grid: &TileGrid,
    squares: &[GridKey],
) -> Result<Stains, Error> {
    let mut pixels = Vec::new();
    for key in spread(squares, MOST_SQUARES) {
        let Ok(tile) = grid.read(source, key) else {
            continue;
        };
        pixels.extend(spread(tile.pixels(), PIXELS_OF_SQUARE));
    }
    Ok(fit_stains(&pixels, &StainConfig::default())?)
}

/// At most `most` of the values, evenly apart.
fn spread<T: Copy>(values: &[T], most: usize) -> impl Iterator<Item = T> + '_ {
    let n = values.len().min(most);
    (0..n).map(move |i| values[i * values.len() / n])
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn values_are_spread_evenly_and_never_repeated() {
        let values: Vec<usize> = (0..10).collect();
        let cases: [(usize, &[usize]); 4] = [
            (0, &[]),
            (1, &[0]),
            (3, &[0, 3, 6]),
            (20, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ];
        for (most, expected) in cases {
            assert_eq!(spread(&values, most).collect::<Vec<_>>(), expected);
        }
        assert_eq!(spread::<u8>(&[], 3).count(), 0);
    }
}
