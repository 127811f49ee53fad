//! Synthetic images come back as they were written.

use lobule_dicomio::{
    ColorDoppler, Frames, SyntheticUltrasound, is_dicom, read_frames, read_header, write_ultrasound,
};
use lobule_exam::{Laterality, PixelBox, Side, Spacing, WarningKind};
use lobule_raster::{Image, Limits, Picture};

fn example(frames: Frames, side: Side) -> SyntheticUltrasound {
    SyntheticUltrasound {
        frames,
        side,
        spacing: Spacing::new(0.07, 0.08).unwrap(),
        region: PixelBox {
            row: 3,
            col: 4,
            rows: 30,
            cols: 50,
        },
        study_seed: "seed".to_owned(),
        instance_number: 1,
    }
}

#[test]
fn written_images_are_read_back() {
    let gray = Image::from_fn(41, 61, |r, c| (r * 3 + c) as u8);
    let color = |frame: u8| Image::from_fn(41, 61, |r, c| [r as u8, c as u8, frame]);
    let left = Side::Known(Laterality::Left);
    let cases = [
        (
            example(Frames::Gray(vec![gray.clone()]), left),
            vec![Picture::Gray8(gray)],
        ),
        (
            example(Frames::Rgb((0..3).map(color).collect()), Side::Unknown),
            (0..3).map(color).map(Picture::Rgb8).collect(),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut keys = Vec::new();
    for (i, (image, pictures)) in cases.into_iter().enumerate() {
        let file = folder.path().join(format!("{i}.dcm"));
        write_ultrasound(&file, &image).unwrap();
        assert!(is_dicom(&file));
        let limits = Limits::default();
        let instance = read_header(&file, &limits).unwrap();
        assert_eq!(instance.side, image.side);
        assert_eq!(instance.regions, [image.region]);
        assert_eq!(instance.color_doppler, ColorDoppler::NotStated);
        let spacing = instance.spacing.unwrap();
        assert!((spacing.row_mm() - 0.07).abs() < 1e-12);
        assert!((spacing.col_mm() - 0.08).abs() < 1e-12);
        assert!(
            instance
                .warnings
                .iter()
                .any(|w| w.kind == WarningKind::Synthetic)
        );
        let which: Vec<usize> = (0..instance.frames).collect();
        assert_eq!(read_frames(&instance, &which, &limits).unwrap(), pictures);
        keys.push(instance.exam_key);
    }
    assert_eq!(keys[0], keys[1]);
}
