//! Where in a picture the sonogram is.
//!
//! Owns: the choice of the window, from the file's regions or else from the pixels
//! (`activity`), and the verdict on what it shows (`content`). Does not own: marks inside the
//! window ([`crate::paint_over_marks`]).
//!
//! ```
//! use lobule_raster::{Image, Picture, find_sonogram};
//! let blank = Picture::Gray8(Image::filled(240, 320, 0_u8));
//! assert!(find_sonogram(&blank, &[]).is_err());
//! ```

use lobule_exam::{CropMethod, PixelBox, Warning, WarningKind};

use crate::activity::{find_window, union};
use crate::content::judge;
use crate::{Error, ErrorKind, Picture};

/// A sonogram has at least this many pixels a side.
const MIN_SIDE: usize = 32;

/// Regions of at least this share of the largest one's area are sonograms beside it.
const SIMILAR_SHARE: f64 = 0.5;

/// Regions touch when no more than this share of the picture's longer side lies between them.
const TOUCH_SHARE: f64 = 0.01;

/// A window nearer to the picture's edges than this, in pixels, is the whole picture.
const WHOLE_MARGIN: usize = 2;

/// A sonogram found in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Sonogram {
    /// Its window in the picture.
    pub window: PixelBox,
    /// How it was found.
    pub method: CropMethod,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// Finds the B-mode sonogram of a picture.
///
/// `regions` are the file's own ultrasound regions. The largest one that is large enough is
/// taken, together with similar ones that touch it (a split screen). Without regions the window
/// is where the texture of echoes is dense; margins, panels, headers, text and rulers outside
/// of it are left away, dark parts of the sonogram are not.
///
/// # Errors
/// `NoSonogram` when no window of at least 32 × 32 pixels has texture; `NotUltrasound` when
/// colour covers too much of it.
pub fn find_sonogram(picture: &Picture, regions: &[PixelBox]) -> Result<Sonogram, Error> {
    let gray = picture.luma();
    let whole = PixelBox::whole(picture.rows(), picture.cols());
    check_size(whole)?;
    let mut warnings = Vec::new();
    let (window, method) = match from_regions(whole, regions, &mut warnings) {
        Some(window) => (window, CropMethod::Regions),
        None => {
            let found = find_window(&gray).ok_or_else(no_texture)?;
            snap(found, whole)
        }
    };
    check_size(window)?;
    warnings.extend(judge(picture, &gray, window)?);
    Ok(Sonogram {
        window,
        method,
        warnings,
    })
}

fn check_size(window: PixelBox) -> Result<(), Error> {
    if window.rows >= MIN_SIDE && window.cols >= MIN_SIDE {
        return Ok(());
    }
    let message = format!(
        "expected a sonogram of at least {MIN_SIDE} × {MIN_SIDE} pixels, got {} × {}",
        window.rows, window.cols
    );
    Err(Error::new(ErrorKind::NoSonogram, message))
}

fn no_texture() -> Error {
    let message = "expected the texture of a sonogram, got a blank picture or text alone";
    Error::new(ErrorKind::NoSonogram, message)
}

/// The whole picture instead of a window that leaves away next to nothing.
fn snap(window: PixelBox, whole: PixelBox) -> (PixelBox, CropMethod) {
    let near = window.row <= WHOLE_MARGIN
        && window.col <= WHOLE_MARGIN
        && window.row_end() + WHOLE_MARGIN >= whole.rows
        && window.col_end() + WHOLE_MARGIN >= whole.cols;
    if near {
        (whole, CropMethod::Whole)
    } else {
        (window, CropMethod::Pixels)
    }
}

/// The window by the file's regions; `None` when none of them is usable.
fn from_regions(
    whole: PixelBox,
    regions: &[PixelBox],
    warnings: &mut Vec<Warning>,
) -> Option<PixelBox> {
    let usable: Vec<PixelBox> = regions
        .iter()
        .map(|&region| clip(region, whole))
        .filter(|region| check_size(*region).is_ok())
        .collect();
    let largest = usable.iter().copied().max_by_key(|region| region.area())?;
    let reach = (TOUCH_SHARE * whole.rows.max(whole.cols) as f64).ceil() as usize;
    let mut window = largest;
    let mut apart = 0;
    for &region in &usable {
        if (region.area() as f64) < SIMILAR_SHARE * largest.area() as f64 {
            continue;
        }
        match touches(window, region, reach) {
            true => window = union(window, region),
            false => apart += 1,
        }
    }
    warnings.extend((apart > 0).then(|| set_apart(apart)));
    Some(window)
}

/// The part of a region inside the picture, safe against sizes that overflow.
fn clip(region: PixelBox, whole: PixelBox) -> PixelBox {
    let (row, col) = (region.row.min(whole.rows), region.col.min(whole.cols));
    PixelBox {
        row,
        col,
        rows: region.rows.min(whole.rows - row),
        cols: region.cols.min(whole.cols - col),
    }
}

/// Whether two boxes overlap or lie within `reach` pixels side by side.
fn touches(a: PixelBox, b: PixelBox, reach: usize) -> bool {
    let wider = PixelBox {
        row: a.row.saturating_sub(reach),
        col: a.col.saturating_sub(reach),
        rows: a.rows + 2 * reach,
        cols: a.cols + 2 * reach,
    };
    wider.intersect(b).area() > 0
}

fn set_apart(apart: usize) -> Warning {
    Warning {
        kind: WarningKind::DoubtfulContent,
        message: format!(
            "the file states {} separate sonograms; only the largest was read",
            apart + 1
        ),
    }
}
