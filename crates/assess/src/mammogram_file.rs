//! One mammogram from disk to the network's input.

use lobule_exam::{Implant, MammogramFacts, Polygon, Spacing, Warning, WarningKind};
use lobule_raster::{
    Breast, Image, Limits, MammogramConfig, MammogramHints, Pectoral, Picture, find_breast,
    read_picture,
};

use crate::collect::FileInput;
use crate::contour::{Map, regions};
use crate::density::density_classes;
use crate::identify::Content;
use crate::load::{LoadedImage, of_header, warn_of_spacing};
use crate::pipeline::Keep;

/// Corners of a breast's outline are thinned to at most about this many.
const OUTLINE_CORNERS: usize = 200;

/// A picture with a longer side, in mm, is of no breast: detectors and films are at most 300 mm by 430.
const LONGEST_MM: f64 = 600.0;
/// A picture with no longer side, in mm, whose pixels are finer than [`FINEST_MM`], is of no breast.
const SHORTEST_MM: f64 = 20.0;
/// Detectors and scanners of films have coarser pixels: with them, crops of few mm are real. Magnified
/// specimens have finer ones, and longer sides.
const FINEST_MM: f64 = 0.02;

/// Decodes a mammogram, finds the breast and places it.
///
/// # Errors
/// One line that says why the file is not used.
pub(crate) fn load(
    file: &FileInput,
    config: &MammogramConfig,
    keep: Keep,
) -> Result<LoadedImage, String> {
    let mut warnings = file.warnings.clone();
    let gray = decode(file, &mut warnings)?;
    let (rows, cols) = (gray.rows(), gray.cols());
    let spacing = believable(file.spacing, (rows, cols), &mut warnings);
    let hints = MammogramHints {
        view: file.view,
        orientation: match &file.content {
            Content::Mammogram(header) => header.orientation,
            Content::Picture | Content::Sonogram(_) | Content::Unreadable(..) => None,
        },
        spacing,
    };
    let refused = |e: lobule_raster::Error| e.reason().to_owned();
    let breast = find_breast(&gray, &hints).map_err(refused)?;
    let picture = (keep != Keep::Nothing).then(|| Picture::Gray8(breast.displayed(&gray)));
    let mut steps = match keep {
        Keep::PicturesAndSteps => breast.debug_pictures(&gray),
        Keep::Nothing | Keep::Pictures => Vec::new(),
    };
    drop(gray); // large: not held beside what is made of it
    let placed = breast.place(config).map_err(refused)?;
    if keep == Keep::PicturesAndSteps {
        steps.push(("input", placed.debug_picture()));
    }
    warnings.extend(breast.warnings.iter().cloned());
    warnings.extend(placed.warnings.iter().cloned());
    warn_of_view(file, &mut warnings);
    Ok(LoadedImage {
        frame: 0,
        rows,
        cols,
        spacing,
        picture,
        steps,
        mammogram: Some(facts(file, &breast)),
        medium: file.medium,
        input: breast.network_input(&placed),
        warnings,
    })
}

/// 16-bit brightness, whatever the depth of the file.
fn decode(file: &FileInput, warnings: &mut Vec<Warning>) -> Result<Image<u16>, String> {
    let limits = Limits::default();
    let Content::Mammogram(header) = &file.content else {
        let picture = read_picture(&file.path, &limits).map_err(|e| e.reason().to_owned())?;
        return Ok(match picture {
            Picture::Gray16(gray) => gray,
            other => other.luma16(),
        });
    };
    let read = lobule_dicomio::read_mammogram(header, &limits);
    let read = read.map_err(|e| e.reason().to_owned())?;
    warnings.extend(of_header(&header.warnings));
    warnings.extend(read.warnings);
    if header.implant == Implant::Present {
        warnings.push(Warning {
            kind: WarningKind::Implant,
            message: "the breast holds an implant: the model was not made for it".into(),
        });
    }
    Ok(read.image)
}

/// The size of a pixel, unless no picture of a breast has it; says where lengths are not known.
fn believable(
    stated: Option<Spacing>,
    (rows, cols): (usize, usize),
    warnings: &mut Vec<Warning>,
) -> Option<Spacing> {
    let Some(spacing) = stated else {
        warn_of_spacing(None, warnings);
        return None;
    };
    let (row_mm, col_mm) = (spacing.row_mm(), spacing.col_mm());
    let longest = (rows as f64 * row_mm).max(cols as f64 * col_mm);
    let too_small = longest < SHORTEST_MM && row_mm.min(col_mm) < FINEST_MM;
    if longest <= LONGEST_MM && !too_small {
        return stated;
    }
    warnings.push(Warning {
        kind: WarningKind::Repaired,
        message: format!(
            "with pixels of {row_mm} x {col_mm} mm, as stated, the picture would be {longest:.1} mm \
             long: that size is not used, and there are no lengths in mm"
        ),
    });
    None
}

fn warn_of_view(file: &FileInput, warnings: &mut Vec<Warning>) {
    if file.view.is_none() {
        warnings.push(Warning {
            kind: WarningKind::UnknownView,
            message: "nothing states the view: it may be CC, MLO or another".into(),
        });
    }
}

fn facts(file: &FileInput, breast: &Breast) -> MammogramFacts {
    let density = breast.percent_density();
    MammogramFacts {
        view: file.view,
        orientation: breast.orientation,
        breast: outline(breast),
        pectoral: match breast.pectoral {
            Pectoral::Found(line) => Some([line.top, line.chest]),
            Pectoral::NotFound | Pectoral::NotLookedFor => None,
        },
        density: density.as_ref().map(|d| d.share),
        density_classes: density_classes(file, density.as_ref()),
        windows: Vec::new(),
    }
}

/// The mask's outline in the original image.
fn outline(breast: &Breast) -> Polygon {
    let mask = &breast.mask;
    let map = Map {
        rows: mask.rows(),
        cols: mask.cols(),
        values: mask.pixels().iter().map(|&m| f64::from(m)).collect(),
    };
    let outlines = regions(&map, 0.5).into_iter().map(|region| Polygon {
        points: region.outline,
    });
    let largest = outlines.max_by(|a, b| a.area().total_cmp(&b.area()));
    let points = largest.map(|outline| outline.points).unwrap_or_default();
    let step = points.len().div_ceil(OUTLINE_CORNERS).max(1);
    let thinned = Polygon {
        points: points.into_iter().step_by(step).collect(),
    };
    thinned.map(&breast.image_from_mask)
}
