//! What synthetic slides promise: pixels that depend on their place alone, files that others read,
//! tumours that follow the grade, artefacts that are found, follow-up with the planted hazard.

mod cohort;
mod drawing;
mod files;
mod pictures;

use lobule_phantom::slide::{SlidePlan, SyntheticSlide};
use lobule_raster::Image;

/// A slide with all artefacts: 1.5 mm × 2 mm at 20×.
fn spoiled() -> SyntheticSlide {
    use lobule_phantom::slide::{BlurPatch, Fold, PenStroke};
    let plan = SlidePlan {
        rows: 3000,
        cols: 4000,
        blurs: vec![BlurPatch {
            center: [0.35, 0.68],
            radius_um: 330.0,
        }],
        folds: vec![Fold {
            from: [0.72, 0.2],
            to: [0.7, 0.9],
            width_um: 110.0,
        }],
        pens: vec![PenStroke {
            points: vec![[0.12, 0.12], [0.5, 0.2], [0.88, 0.1]],
            width_um: 90.0,
            color: [25, 60, 190],
        }],
        ..SlidePlan::default()
    };
    SyntheticSlide::new(plan, 11)
}

fn saved(picture: &Image<[u8; 3]>, file: &std::path::Path) {
    let pixels = picture.pixels().as_flattened().to_vec();
    let (cols, rows) = (picture.cols() as u32, picture.rows() as u32);
    image::RgbImage::from_raw(cols, rows, pixels)
        .unwrap()
        .save(file)
        .unwrap();
}
