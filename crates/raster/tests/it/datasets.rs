//! Measurements on real sonograms that are nearly cropped already: no lesion is cut, shadows
//! stay, few pixels are painted.

use std::path::{Path, PathBuf};

use lobule_exam::WarningKind;
use lobule_raster::{Image, Limits, Picture, PrepareConfig, Prepared, crop_sonogram, read_picture};

/// A mask that lies outside of the window by this share counts as cut.
const CUT_SHARE: f64 = 0.01;

/// Every so manieth image is measured.
const SAMPLE_STEP: usize = 12;

fn read(path: &Path) -> Picture {
    read_picture(path, &Limits::default()).unwrap()
}

/// The sampled images of a data set and their masks, where there are any.
fn sample(set: &str) -> Option<Vec<(PathBuf, Option<PathBuf>)>> {
    let Some(root) = std::env::var_os("LOBULE_DATA") else {
        println!("skipped: measurements on {set} (LOBULE_DATA is not set)");
        return None;
    };
    let root = Path::new(&root).join(set);
    let table = std::fs::read_to_string(root.join("labels.csv")).unwrap();
    let rows = table.lines().skip(1).step_by(SAMPLE_STEP);
    let part = |row: &str, idx: usize| row.split(',').nth(idx).unwrap_or_default().to_owned();
    let existing = |name: String| Some(root.join(name)).filter(|path| path.is_file());
    Some(
        rows.filter_map(|row| Some((existing(part(row, 0))?, existing(part(row, 4)))))
            .collect(),
    )
}

/// The share of the mask's pixels outside of the window.
fn share_cut(mask: &Image<u8>, prepared: &Prepared) -> f64 {
    let count = |image: &Image<u8>| image.pixels().iter().filter(|&&v| v > 127).count() as f64;
    let all = count(mask).max(1.0);
    1.0 - count(&mask.crop(prepared.crop.window)).max(1.0) / all
}

fn measure(set: &str) {
    let Some(images) = sample(set) else { return };
    let (mut doubtful, mut trimmed, mut painted) = (0, 0, 0.0);
    for (image, mask) in &images {
        let picture = read(image);
        let prepared = crop_sonogram(&picture, &[], &PrepareConfig::default()).unwrap();
        let area = prepared.crop.window.area();
        trimmed += usize::from(area < picture.rows() * picture.cols() * 9 / 10);
        painted += prepared.crop.painted_pixels as f64 / area as f64;
        let kinds = prepared.warnings.iter().map(|w| w.kind);
        doubtful += kinds.filter(|&k| k == WarningKind::DoubtfulContent).count();
        if let Some(mask) = mask {
            let cut = share_cut(&read(mask).luma(), &prepared);
            assert!(
                cut < CUT_SHARE,
                "{}: {cut:.3} of the lesion is cut",
                image.display()
            );
        }
    }
    let n = images.len();
    println!("{set}: {n} images, {trimmed} trimmed, {doubtful} doubtful, {painted:.1} painted");
    assert!(n > 40, "expected the data set, got {n} images");
    assert!(trimmed * 50 <= n && doubtful * 50 <= n);
    assert!(painted / n as f64 <= 0.04);
}

#[test]
fn busi_is_left_whole() {
    measure("busi");
}

#[test]
fn bus_bra_is_left_whole() {
    measure("bus_bra");
}
