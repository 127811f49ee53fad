//! From a mammogram to the network's input, and back.
//!
//! Owns: the breast's mask, its orientation, the crop, the pectoral muscle on oblique views, the
//! placement in an input of any size, and pictures of these steps. Does not own: look-up tables
//! (`dicomio`), which views belong together (`exam`).
//!
//! Two steps: [`find_breast`], once per image; [`Breast::place`], once per network. The crop
//! lies the same way for every breast: chest wall at column 0, head (in views from above: the
//! outer side) at row 0 where it is known.

mod density;
mod density_class;
mod grid;
mod input;
mod mask;
mod orient;
mod pectoral;
mod show;

pub use density::{DENSITY_NOTE, Density};
pub use density_class::{Accuracy, DensityClassifier};
pub use input::{MammogramConfig, Outside, PlacedBreast, Scale, Standardization};
pub use orient::OrientationSource;
pub use pectoral::{Pectoral, PectoralLine};
pub use show::StepPicture;

use lobule_exam::{
    Affine, BreastOrientation, PixelBox, Point, Spacing, View, Warning, WarningKind,
};

use crate::{Error, Image};
use grid::Grid;
use mask::Found;

/// What is known of a mammogram besides its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MammogramHints {
    /// The projection; the pectoral muscle is looked for on oblique ones.
    pub view: Option<View>,
    /// How the breast lies, as the file states it.
    pub orientation: Option<BreastOrientation>,
    /// Size of a pixel.
    pub spacing: Option<Spacing>,
}

/// Whether dark and bright were exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Polarity {
    /// Tissue was bright.
    AsGiven,
    /// Tissue was dark on a bright background; all values were subtracted from 65535.
    Inverted,
}

/// A breast taken out of its mammogram.
#[derive(Debug, Clone, PartialEq)]
pub struct Breast {
    /// Brightness inside the window, laid the same way for every breast.
    pub gray: Image<u16>,
    /// Takes a point of `gray` to the original image.
    pub image_from_gray: Affine,
    /// Where `gray` was taken from, in the original image.
    pub window: PixelBox,
    /// The breast, on a coarse grid over the original image.
    pub mask: Image<bool>,
    /// Takes a point of the mask's grid to the original image.
    pub image_from_mask: Affine,
    /// The orientation that was found in the original image.
    pub orientation: BreastOrientation,
    /// Where the orientation was taken from.
    pub orientation_source: OrientationSource,
    /// Whether dark and bright were exchanged.
    pub polarity: Polarity,
    /// Brightness of the background.
    pub background: u16,
    /// The pectoral muscle, in the original image.
    pub pectoral: Pectoral,
    /// Size of a pixel of the original image.
    pub spacing: Option<Spacing>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// The margin around the breast, as a share of its longest side.
const MARGIN_SHARE: f64 = 0.02;

/// Finds the breast in a mammogram (0 = black) and lays it the common way.
///
/// Background that is not black, bright borders of film scans, labels and clips beside the breast
/// and inverted images are coped with. A picture that shows no background is taken as a whole,
/// with a warning.
///
/// # Errors
/// [`NoBreast`](crate::ErrorKind::NoBreast) for a picture that is empty, of one brightness, or
/// without a bright part of believable size.
///
/// ```
/// use lobule_raster::{Image, MammogramHints, find_breast};
/// // A half disc with its flat side on the right.
/// let image = Image::from_fn(200, 160, |row, col| {
///     let (r, c) = (row as f64 - 100.0, 159.0 - col as f64);
///     if r.hypot(c) < 80.0 { 40_000 + (row * col % 97 * 100) as u16 } else { 300 }
/// });
/// let breast = find_breast(&image, &MammogramHints::default())?;
/// assert_eq!(breast.orientation.chest(), lobule_exam::ImageSide::Right);
/// # Ok::<(), lobule_raster::Error>(())
/// ```
pub fn find_breast(image: &Image<u16>, hints: &MammogramHints) -> Result<Breast, Error> {
    let grid = Grid::of(image)?;
    let Found {
        mask,
        polarity,
        background,
        mut warnings,
    } = mask::find(&grid)?;
    let means = match polarity {
        Polarity::AsGiven => grid.means.clone(),
        Polarity::Inverted => grid.means.map(|v| 1.0 - v),
    };
    let (orientation, orientation_source) =
        orient::decide(&means, &mask, hints.orientation, &mut warnings);
    let window = window(&grid, &mask);
    let mut gray = image.crop(window);
    if polarity == Polarity::Inverted {
        gray = gray.map(|v| u16::MAX - v);
    }
    let (gray, window_from_gray) = orient::lay(gray, orientation);
    let image_from_window = Affine::translate(window.row as f64, window.col as f64);
    let mut breast = Breast {
        gray,
        image_from_gray: image_from_window.compose(&window_from_gray),
        window,
        mask,
        image_from_mask: grid.image_from_grid(),
        orientation,
        orientation_source,
        polarity,
        background,
        pectoral: Pectoral::NotLookedFor,
        spacing: hints.spacing,
        warnings,
    };
    if hints.view.is_some_and(View::is_oblique) {
        breast.pectoral = pectoral::find(&breast);
    }
    Ok(breast)
}

/// The mask's box in the original image, with a margin.
fn window(grid: &Grid, mask: &Image<bool>) -> PixelBox {
    let bounds = mask::bounds(mask);
    let factor = grid.factor;
    let (rows, cols) = (bounds.rows * factor, bounds.cols * factor);
    let margin = (rows.max(cols) as f64 * MARGIN_SHARE).round() as usize;
    let row = (bounds.row * factor).saturating_sub(margin);
    let col = (bounds.col * factor).saturating_sub(margin);
    let row_end = (bounds.row_end() * factor + margin).min(grid.image_rows);
    let col_end = (bounds.col_end() * factor + margin).min(grid.image_cols);
    PixelBox {
        row,
        col,
        rows: row_end - row,
        cols: col_end - col,
    }
}

impl Breast {
    /// The mask at a point that `to_grid` takes to its grid.
    fn mask_at(&self, to_grid: &Affine, row: f64, col: f64) -> bool {
        covers(&self.mask, to_grid.apply(Point { row, col }))
    }

    /// Takes a point of `gray` to the mask's grid.
    fn mask_from_gray(&self) -> Affine {
        let mask_from_image = self.image_from_mask.inverse();
        mask_from_image
            .expect("a scale by a factor of at least one can be undone")
            .compose(&self.image_from_gray)
    }
}

/// A mask at the pixel nearest to a point of its grid; what lies beside the grid is not covered.
fn covers(mask: &Image<bool>, p: Point) -> bool {
    PixelBox::whole(mask.rows(), mask.cols()).contains(p)
        && mask.at(p.row.round() as usize, p.col.round() as usize)
}

fn doubtful(message: impl Into<String>) -> Warning {
    Warning {
        kind: WarningKind::DoubtfulContent,
        message: message.into(),
    }
}
