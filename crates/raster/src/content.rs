//! Whether a window shows a B-mode sonogram.
//!
//! Owns: the verdict by simple statistics of colour and grey. Does not own: where the window is
//! (`activity`, `sonogram`), what a file's header states (`dicomio`).
//!
//! The statistics tell coarse errors (photographs, slides, documents, film mammograms), not
//! subtle ones: a photograph of rough texture, turned to grey, passes.

use lobule_exam::{PixelBox, Warning, WarningKind};

use crate::morphology::{Direction, erode};
use crate::{Error, ErrorKind, Image, Picture};

/// A pixel is coloured when its channels differ by more than this.
const COLORED_SPREAD: u8 = 24;

/// Colour counts where it fills a square of this radius: callipers and text may be coloured.
const COLORED_RADIUS: usize = 2;

/// From this share of coloured area on, colour Doppler is mixed into the sonogram …
const DOPPLER_SHARE: f64 = 0.001;

/// … from this share on it may be elastography or something else …
const DOUBTFUL_SHARE: f64 = 0.25;

/// … and from this share on it is no sonogram.
const REFUSED_SHARE: f64 = 0.5;

/// Colour is the scanner's tint when brightness fixes it up to this standard deviation.
const TINT_DEVIATION: f64 = 3.5;

/// Sonograms have a mean brightness below this; documents and slides lie above.
const MAX_MEAN: f64 = 180.0;

/// Blocks of this side are compared for their texture …
const BLOCK: usize = 8;

/// … if their mean brightness is in this range: neither shadow nor saturation.
const BLOCK_MEANS: std::ops::Range<f64> = 30.0..220.0;

/// The median coefficient of variation of the blocks of a sonogram is above this (speckle);
/// film mammograms and drawings lie below.
const MIN_VARIATION: f64 = 0.06;

/// A sonogram has at least this share of blocks with such a mean.
const MIN_USABLE_SHARE: f64 = 0.05;

/// What the user should know about a window's content.
///
/// # Errors
/// `NotUltrasound` when colour covers half of the window or more.
pub(crate) fn judge(
    picture: &Picture,
    gray: &Image<u8>,
    window: PixelBox,
) -> Result<Vec<Warning>, Error> {
    let mut warnings = Vec::new();
    if let Picture::Rgb8(rgb) = picture {
        warnings.extend(judge_color(&rgb.crop(window))?);
    }
    warnings.extend(judge_gray(&gray.crop(window)));
    Ok(warnings)
}

fn judge_color(rgb: &Image<[u8; 3]>) -> Result<Option<Warning>, Error> {
    if is_tint(rgb) {
        return Ok(None);
    }
    let share = colored_share(rgb);
    let percent = (100.0 * share).round();
    if share >= REFUSED_SHARE {
        let message =
            format!("expected a B-mode sonogram, got a picture that is {percent} % colour");
        return Err(Error::new(ErrorKind::NotUltrasound, message));
    }
    if share >= DOUBTFUL_SHARE {
        return Ok(Some(doubtful(format!(
            "{percent} % of the sonogram is coloured: perhaps elastography, which is not read"
        ))));
    }
    Ok((share >= DOPPLER_SHARE).then(|| Warning {
        kind: WarningKind::ColorDoppler,
        message: "colour Doppler is mixed into the sonogram; only its brightness was read".into(),
    }))
}

/// Share of the pixels around which everything is coloured.
fn colored_share(rgb: &Image<[u8; 3]>) -> f64 {
    let colored = rgb.map(|p| u8::from(spread(p) > COLORED_SPREAD));
    let across = erode(&colored, Direction::Across, COLORED_RADIUS);
    let filled = erode(&across, Direction::Down, COLORED_RADIUS);
    let count = filled.pixels().iter().filter(|&&v| v > 0).count();
    count as f64 / filled.pixels().len().max(1) as f64
}

fn spread([r, g, b]: [u8; 3]) -> u8 {
    r.max(g).max(b) - r.min(g).min(b)
}

/// Whether colour is a function of brightness, as where a scanner tints its grey scale: within
/// 32 classes of brightness, `r − g` and `b − g` hardly vary.
fn is_tint(rgb: &Image<[u8; 3]>) -> bool {
    let mut classes = [[0.0_f64; 5]; 32];
    for &[r, g, b] in rgb.pixels() {
        let [r, g, b] = [r, g, b].map(f64::from);
        let class = &mut classes[((r + g + b) / 24.0) as usize];
        let (red, blue) = (r - g, b - g);
        for (sum, v) in class
            .iter_mut()
            .zip([1.0, red, red * red, blue, blue * blue])
        {
            *sum += v;
        }
    }
    let within = |[n, red, red2, blue, blue2]: [f64; 5]| {
        red2 - red * red / n.max(1.0) + blue2 - blue * blue / n.max(1.0)
    };
    let squares: f64 = classes.into_iter().map(within).sum();
    let variance = squares / (2.0 * rgb.pixels().len().max(1) as f64);
    variance < TINT_DEVIATION * TINT_DEVIATION
}

fn judge_gray(gray: &Image<u8>) -> Option<Warning> {
    let sum: u64 = gray.pixels().iter().map(|&v| u64::from(v)).sum();
    let mean = sum as f64 / gray.pixels().len().max(1) as f64;
    if mean > MAX_MEAN {
        return Some(doubtful(format!(
            "mean brightness {mean:.0} of 255 is higher than a sonogram's"
        )));
    }
    let Some(variation) = median_variation(gray) else {
        return Some(doubtful(
            "nearly all of the picture is black or white".into(),
        ));
    };
    (variation < MIN_VARIATION).then(|| {
        doubtful(format!(
            "the picture is smoother than a sonogram: brightness varies by {:.1} %",
            100.0 * variation
        ))
    })
}

fn doubtful(message: String) -> Warning {
    Warning {
        kind: WarningKind::DoubtfulContent,
        message,
    }
}

/// Median over the blocks of `standard deviation / mean`; `None` when too few are usable.
fn median_variation(gray: &Image<u8>) -> Option<f64> {
    let (down, across) = (gray.rows() / BLOCK, gray.cols() / BLOCK);
    let mut variations: Vec<f64> = (0..down * across)
        .filter_map(|i| block_variation(gray, i / across * BLOCK, i % across * BLOCK))
        .collect();
    if (variations.len() as f64) < MIN_USABLE_SHARE * (down * across) as f64 {
        return None;
    }
    let middle = variations.len() / 2;
    variations.sort_by(f64::total_cmp);
    variations.get(middle).copied()
}

fn block_variation(gray: &Image<u8>, row: usize, col: usize) -> Option<f64> {
    let (mut sum, mut squares) = (0.0, 0.0);
    for r in row..row + BLOCK {
        for &v in &gray.row(r)[col..col + BLOCK] {
            sum += f64::from(v);
            squares += f64::from(v) * f64::from(v);
        }
    }
    let n = (BLOCK * BLOCK) as f64;
    let mean = sum / n;
    let variance = (squares / n - mean * mean).max(0.0);
    BLOCK_MEANS.contains(&mean).then(|| variance.sqrt() / mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Grey speckle with `color` in the columns left of `until`.
    fn speckle(until: usize, color: impl Fn(u8) -> [u8; 3]) -> Picture {
        Picture::Rgb8(Image::from_fn(160, 200, |row, col| {
            let v = 40 + (row * 7919 + col * 104_729 + row * col * 31) as u8 % 90;
            if col < until { color(v) } else { [v; 3] }
        }))
    }

    fn kinds(picture: &Picture) -> Result<Vec<WarningKind>, ErrorKind> {
        let window = PixelBox::whole(picture.rows(), picture.cols());
        judge(picture, &picture.luma(), window)
            .map(|warnings| warnings.iter().map(|w| w.kind).collect())
            .map_err(|e| e.kind())
    }

    #[test]
    fn colored_area_decides() {
        let flow = |v: u8| {
            if v.is_multiple_of(2) {
                [220, 30, 20]
            } else {
                [200, 40, 30]
            }
        };
        let cases = [
            (0, Ok(vec![])),
            (2, Ok(vec![])),
            (20, Ok(vec![WarningKind::ColorDoppler])),
            (70, Ok(vec![WarningKind::DoubtfulContent])),
            (150, Err(ErrorKind::NotUltrasound)),
        ];
        for (until, expected) in cases {
            assert_eq!(kinds(&speckle(until, flow)), expected, "{until} columns");
        }
    }

    #[test]
    fn a_tinted_gray_scale_is_gray() {
        let sepia = |v: u8| [v, (f64::from(v) * 0.8) as u8, (f64::from(v) * 0.5) as u8];
        assert_eq!(kinds(&speckle(200, sepia)), Ok(vec![]));
    }

    #[test]
    fn implausible_gray_is_doubtful() {
        let smooth = Image::from_fn(160, 200, |row, col| (60 + (row + col) / 4) as u8);
        let page = Image::from_fn(
            160,
            200,
            |row, col| if row % 9 + col % 7 == 0 { 0 } else { 250 },
        );
        for gray in [smooth, page, Image::filled(160, 200, 3)] {
            let doubtful = Ok(vec![WarningKind::DoubtfulContent]);
            assert_eq!(kinds(&Picture::Gray8(gray)), doubtful);
        }
    }
}
