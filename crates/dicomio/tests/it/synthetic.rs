//! Synthetic images.

use lobule_dicomio::{Frames, SyntheticUltrasound, write_ultrasound};
use lobule_exam::{Laterality, PixelBox, Side, Spacing};
use lobule_raster::Image;

#[test]
fn a_synthetic_image_is_written() {
    let image = SyntheticUltrasound {
        frames: Frames::Gray(vec![Image::from_fn(41, 61, |r, c| (r * 3 + c) as u8)]),
        side: Side::Known(Laterality::Left),
        spacing: Spacing::new(0.07, 0.08).unwrap(),
        region: PixelBox {
            row: 3,
            col: 4,
            rows: 30,
            cols: 50,
        },
        study_seed: "s".to_owned(),
        instance_number: 1,
    };
    let folder = tempfile::tempdir().unwrap();
    write_ultrasound(&folder.path().join("a.dcm"), &image).unwrap();
    if let Ok(keep) = std::env::var("KEEP") {
        write_ultrasound(std::path::Path::new(&keep), &image).unwrap();
    }
}
