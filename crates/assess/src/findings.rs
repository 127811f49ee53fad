//! Findings: where a class's saliency stands out, in the original image.

use lobule_exam::{
    Affine, Crop, Finding, FindingClass, PixelBox, Point, Polygon, SaliencyMap, Spacing,
};
use lobule_package::FindingThresholds;

use crate::contour::{Map, Region, regions};

/// Nodes per grid node at which regions are outlined.
const OUTLINE_FACTOR: usize = 4;

/// Outlines the regions of both classes whose saliency is at or above the class's threshold,
/// highest first.
///
/// The map is resampled ×4 (bilinear), cut at the threshold by marching squares, and taken to the
/// image by the map's own transform. What lies outside the crop is cut off; a region that lies
/// outside altogether (in the padding) is dropped.
pub fn findings(
    saliency: &SaliencyMap,
    crop: &Crop,
    spacing: Option<Spacing>,
    thresholds: &FindingThresholds,
) -> Vec<Finding> {
    let (benign, malignant) = (thresholds.benign, thresholds.malignant);
    let classes = [
        (FindingClass::Malignant, malignant),
        (FindingClass::Benign, benign),
    ];
    let mut found = Vec::new();
    for (class, threshold) in classes {
        for region in class_regions(saliency, class, threshold) {
            found.extend(finding(class, region, saliency, crop, spacing));
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}

/// The malignant region of the highest saliency, outlined at half of its peak; none for a map
/// without saliency.
///
/// For a flagged breast whose saliency stays below the threshold everywhere: it was flagged for
/// something, and this is where.
pub(crate) fn highest(
    saliency: &SaliencyMap,
    crop: &Crop,
    spacing: Option<Spacing>,
) -> Option<Finding> {
    let peak = saliency.malignant.iter().copied().fold(0.0, f32::max);
    let half = f64::from(peak) / 2.0;
    let malignant = FindingClass::Malignant;
    let regions = (half > 0.0).then(|| class_regions(saliency, malignant, half));
    regions?
        .into_iter()
        .find_map(|region| finding(malignant, region, saliency, crop, spacing))
}

/// The map without what lies beside the breast: nodes are set to 0 whose middle and corners are all
/// outside of its outline.
pub(crate) fn inside_breast(saliency: &SaliencyMap, breast: &Polygon) -> SaliencyMap {
    let mut map = saliency.clone();
    let corners = [
        (0.0, 0.0),
        (-0.5, -0.5),
        (-0.5, 0.5),
        (0.5, -0.5),
        (0.5, 0.5),
    ];
    for row in 0..map.rows {
        for col in 0..map.cols {
            let at = row * map.cols + col;
            if map.benign[at] == 0.0 && map.malignant[at] == 0.0 {
                continue;
            }
            let touches = corners.iter().any(|(down, across)| {
                let node = Point {
                    row: row as f64 + down,
                    col: col as f64 + across,
                };
                breast.contains(map.image_from_grid.apply(node))
            });
            if !touches {
                map.benign[at] = 0.0;
                map.malignant[at] = 0.0;
            }
        }
    }
    map
}

fn class_regions(saliency: &SaliencyMap, class: FindingClass, threshold: f64) -> Vec<Region> {
    if saliency.rows == 0 || saliency.cols == 0 {
        return Vec::new();
    }
    let grid_from_fine = grid_from_fine();
    let (rows, cols) = (
        saliency.rows * OUTLINE_FACTOR,
        saliency.cols * OUTLINE_FACTOR,
    );
    let at = |row: usize, col: usize| {
        let node = Point {
            row: row as f64,
            col: col as f64,
        };
        saliency.value_at(class, grid_from_fine.apply(node))
    };
    let values = (0..rows * cols).map(|i| at(i / cols, i % cols)).collect();
    regions(&Map { rows, cols, values }, threshold)
}

fn grid_from_fine() -> Affine {
    let factor = 1.0 / OUTLINE_FACTOR as f64;
    Affine::resample(factor, factor)
}

fn finding(
    class: FindingClass,
    region: Region,
    saliency: &SaliencyMap,
    crop: &Crop,
    spacing: Option<Spacing>,
) -> Option<Finding> {
    let image_from_fine = saliency.image_from_grid.compose(&grid_from_fine());
    let outline = Polygon {
        points: region.outline,
    };
    let outline = cut(&outline.map(&image_from_fine), crop.window);
    if outline.area() < 1.0 {
        return None;
    }
    Some(Finding {
        class,
        score: region.peak.clamp(0.0, 1.0),
        bounds: bounds(&outline, crop.window),
        longest_axis_mm: spacing.map(|s| outline.longest_axis_mm(s)),
        outline,
        lesion: None,
    })
}

/// The outline with what sticks out of the window moved onto its edge.
fn cut(outline: &Polygon, window: PixelBox) -> Polygon {
    let edge = |v: f64, from: usize, n: usize| v.clamp(from as f64 - 0.5, (from + n) as f64 - 0.5);
    let inside = |p: &Point| Point {
        row: edge(p.row, window.row, window.rows),
        col: edge(p.col, window.col, window.cols),
    };
    let mut points: Vec<Point> = outline.points.iter().map(inside).collect();
    points.dedup();
    Polygon { points }
}

/// The smallest box of whole pixels around an outline.
fn bounds(outline: &Polygon, window: PixelBox) -> PixelBox {
    let span = |values: Vec<f64>| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let first = (low + 0.5).floor().max(0.0) as usize;
        let end = (high + 0.5).ceil().max(0.0) as usize;
        (first, end.saturating_sub(first).max(1))
    };
    let (row, rows) = span(outline.points.iter().map(|p| p.row).collect());
    let (col, cols) = span(outline.points.iter().map(|p| p.col).collect());
    PixelBox {
        row,
        col,
        rows,
        cols,
    }
    .intersect(window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lobule_exam::CropMethod;

    fn map(peak: (usize, usize)) -> SaliencyMap {
        let mut malignant = vec![0.0; 49];
        malignant[peak.0 * 7 + peak.1] = 0.9;
        SaliencyMap {
            rows: 7,
            cols: 7,
            benign: vec![0.0; 49],
            malignant,
            image_from_grid: Affine::translate(100.0, 50.0).compose(&Affine::resample(20.0, 20.0)),
        }
    }

    fn thresholds(both: f64) -> FindingThresholds {
        FindingThresholds {
            benign: both,
            malignant: both,
            chosen_by: "the test".into(),
        }
    }

    fn crop(row: usize, col: usize, rows: usize, cols: usize) -> Crop {
        Crop {
            window: PixelBox {
                row,
                col,
                rows,
                cols,
            },
            method: CropMethod::Whole,
            painted_pixels: 0,
        }
    }

    #[test]
    fn a_peak_is_found_where_the_grid_puts_it() {
        let spacing = Spacing::new(0.1, 0.1).unwrap();
        let found = findings(
            &map((3, 2)),
            &crop(100, 50, 140, 140),
            Some(spacing),
            &thresholds(0.3),
        );
        assert_eq!(found.len(), 1);
        let center = map((3, 2))
            .image_from_grid
            .apply(Point { row: 3.0, col: 2.0 });
        assert!(found[0].bounds.contains(center), "{:?}", found[0].bounds);
        assert!(found[0].bounds.rows < 40 && found[0].bounds.cols < 40);
        let longest = found[0].longest_axis_mm.unwrap();
        assert!((1.0..4.0).contains(&longest), "{longest}");
    }

    #[test]
    fn what_lies_in_the_padding_is_no_finding() {
        assert!(
            findings(
                &map((0, 0)),
                &crop(150, 50, 90, 140),
                None,
                &thresholds(0.3)
            )
            .is_empty()
        );
        let cut = findings(
            &map((0, 3)),
            &crop(110, 50, 130, 140),
            None,
            &thresholds(0.3),
        );
        assert_eq!(cut[0].bounds.row, 110);
    }

    #[test]
    fn a_disk_keeps_its_area_through_resampling() {
        let disk = |i: usize| {
            let d = ((i / 20) as f32 - 9.5).hypot((i % 20) as f32 - 9.5);
            (1.0 - d / 10.0).max(0.0)
        };
        let map = SaliencyMap {
            rows: 20,
            cols: 20,
            benign: vec![0.0; 400],
            malignant: (0..400).map(disk).collect(),
            image_from_grid: Affine::IDENTITY,
        };
        let found = findings(&map, &crop(0, 0, 20, 20), None, &thresholds(0.5));
        let (area, expected) = (found[0].outline.area(), std::f64::consts::PI * 25.0);
        assert!((area / expected - 1.0).abs() < 0.03, "{area} {expected}");
    }
}
