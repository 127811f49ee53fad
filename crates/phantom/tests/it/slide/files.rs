//! What is written: the crate `slide` reads it back, and finds what spoils it.

use std::path::Path;

use lobule_exam::PixelBox;
use lobule_phantom::slide::{
    DrawnSlide, SlidePlan, SyntheticSlide, write_plan, write_slide, write_tiff,
};
use lobule_raster::Image;
use lobule_slide::{
    GridConfig, GridKey, SlideFormat, SlideLimits, SurveyConfig, TileSource, open_slide,
    read_region, survey,
};

use super::spoiled;

fn opened(file: &Path) -> Box<dyn TileSource> {
    open_slide(file, &SlideLimits::default()).unwrap()
}

/// Mean and largest difference of two pictures.
fn difference(a: &Image<[u8; 3]>, b: &Image<[u8; 3]>) -> (f64, u8) {
    assert_eq!((a.rows(), a.cols()), (b.rows(), b.cols()));
    let pairs = a
        .pixels()
        .as_flattened()
        .iter()
        .zip(b.pixels().as_flattened());
    let (sum, most) = pairs.fold((0.0, 0), |(sum, most), (&a, &b)| {
        (sum + f64::from(a.abs_diff(b)), most.max(a.abs_diff(b)))
    });
    (sum / (3 * a.pixels().len()) as f64, most)
}

#[test]
fn the_pyramid_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let plan = SlidePlan {
        rows: 1501,
        cols: 2333,
        mpp: 0.5,
        ..SlidePlan::default()
    };
    let slide = SyntheticSlide::new(plan, 3);
    let files = write_slide(folder.path(), "synthetic", &slide).unwrap();
    let read = opened(&files.slide);
    let facts = read.facts();
    assert_eq!(facts.format, SlideFormat::Tiff);
    assert!((facts.mpp.as_ref().unwrap().microns() - 0.5).abs() < 1e-6);
    let sizes: Vec<_> = facts
        .levels
        .iter()
        .map(|l| (l.rows, l.cols, l.downsample))
        .collect();
    assert_eq!(
        sizes,
        [
            (1501, 2333, 1.0),
            (751, 1167, 2.0),
            (376, 584, 4.0),
            (188, 292, 8.0)
        ]
    );
    assert!(
        facts.left_out.is_empty() && facts.notes.is_empty(),
        "{facts:?}"
    );
    assert!(
        facts
            .levels
            .iter()
            .all(|l| l.absent_tiles + l.lost_tiles == 0)
    );
    let whole = slide.draw(PixelBox::whole(1501, 2333));
    let stored = read_region(&*read, 0, PixelBox::whole(1501, 2333)).unwrap();
    let (mean, most) = difference(&whole, &stored);
    eprintln!("level 0: mean {mean:.2}, largest {most}");
    // JPEG of quality 85.
    assert!(mean < 2.0 && most < 80, "{mean} {most}");
    let quarter = Image::from_fn(375, 583, |row, col| {
        [0, 1, 2].map(|c| {
            let pixels = (0..16).map(|i| whole.at(4 * row + i / 4, 4 * col + i % 4)[c]);
            (pixels.map(u32::from).sum::<u32>() as f64 / 16.0).round() as u8
        })
    });
    let stored = read_region(&*read, 2, PixelBox::whole(375, 583)).unwrap();
    let (mean, most) = difference(&quarter, &stored);
    eprintln!("level 2: mean {mean:.2}, largest {most}");
    assert!(mean < 3.0 && most < 80, "{mean} {most}");
}

#[test]
fn files_repeat_and_say_that_they_are_synthetic() {
    let folder = tempfile::tempdir().unwrap();
    let plan = SlidePlan {
        rows: 2500,
        cols: 2100,
        ..SlidePlan::default()
    };
    let slide = SyntheticSlide::new(plan, 4);
    let bytes = |name: &str| {
        let file = folder.path().join(name);
        write_tiff(&slide, &file).unwrap();
        std::fs::read(file).unwrap()
    };
    let first = bytes("a.tif");
    assert_eq!(first, bytes("b.tif"), "threads change nothing");
    let alone = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    assert_eq!(first, alone.install(|| bytes("c.tif")));
    let words = b"SYNTHETIC H&E slide, not a patient";
    assert!(first.windows(words.len()).any(|part| part == words));
    let error = write_tiff(&slide, &folder.path().join("none/a.tif")).unwrap_err();
    assert_eq!(error.kind(), lobule_phantom::ErrorKind::Io);
}

#[test]
fn the_truth_has_one_closed_polygon_per_nest() {
    let folder = tempfile::tempdir().unwrap();
    let plan = SlidePlan {
        rows: 3000,
        cols: 3000,
        ..SlidePlan::default()
    };
    let slide = SyntheticSlide::new(plan, 4);
    let files = write_slide(folder.path(), "synthetic", &slide).unwrap();
    let text = std::fs::read_to_string(files.nests).unwrap();
    let said: serde_json::Value = serde_json::from_str(&text).unwrap();
    let features = said["features"].as_array().unwrap();
    assert_eq!(features.len(), slide.nests().count());
    assert!(features.len() >= 8, "{}", features.len());
    for feature in features {
        let ring = feature["geometry"]["coordinates"][0].as_array().unwrap();
        assert_eq!((ring.len(), &ring[0]), (49, &ring[48]));
        for point in ring {
            let inside = |c: usize| (0.0..3000.0).contains(&point[c].as_f64().unwrap());
            assert!(inside(0) && inside(1));
        }
    }
}

#[test]
fn the_survey_takes_tissue_and_refuses_what_was_planted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("synthetic.tif");
    write_tiff(&spoiled(), &file).unwrap();
    let config = SurveyConfig {
        grid: GridConfig {
            side: 200,
            ..GridConfig::default()
        },
        ..SurveyConfig::default()
    };
    let survey = survey(&*opened(&file), &config).unwrap();
    let at = |row: usize, col: usize| {
        survey.verdicts[&GridKey {
            row: row / 200,
            col: col / 200,
        }]
            .name()
    };
    for name in ["taken", "glass", "pen", "fold", "blur", "unreadable"] {
        eprintln!("{name}: {}", survey.count(name));
    }
    assert_eq!(at(1500, 1500), "taken");
    assert_eq!(at(2900, 100), "glass");
    assert_eq!(at(1000, 650), "pen");
    assert_eq!(at(2130, 3100), "fold");
    assert_eq!(at(900, 2500), "blur");
    assert_eq!(survey.count("unreadable"), 0);
    assert!(survey.taken().len() > 60, "{}", survey.taken().len());
    // The middle of no square that is taken lies on the pen (to row 1500 it goes right, then left).
    for key in survey.taken() {
        let place = survey.grid.place(key);
        let (row, col) = (place.row as f64 + 100.0, place.col as f64 + 100.0);
        let pen = 800.0 - (row - 1500.0).abs() * if row < 1500.0 { 320.0 } else { 400.0 } / 1140.0;
        assert!((col - pen).abs() > 100.0, "{place:?}");
    }
}

/// Peak memory of this process, in MiB.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(
        line.trim()
            .trim_end_matches(" kB")
            .trim()
            .parse::<f64>()
            .ok()?
            / 1024.0,
    )
}

fn write_and_read_large(side: usize, most_mib: f64) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("synthetic.tif");
    let plan = SlidePlan {
        rows: side,
        cols: side,
        ..SlidePlan::default()
    };
    let start = std::time::Instant::now();
    let before = peak_mib();
    write_tiff(&SyntheticSlide::new(plan, 2), &file).unwrap();
    let size = std::fs::metadata(&file).unwrap().len() >> 20;
    let after = peak_mib();
    eprintln!(
        "{side}²: {:?}, {size} MiB, peak {before:?} to {after:?} MiB",
        start.elapsed()
    );
    if let Some(peak) = after {
        assert!(peak < most_mib, "{peak}");
    }
    let read = opened(&file);
    let levels = &read.facts().levels;
    assert_eq!((levels[0].rows, levels[0].cols), (side, side));
    assert!(levels.iter().all(|l| l.absent_tiles + l.lost_tiles == 0));
    let middle = PixelBox {
        row: side / 2,
        col: side / 2,
        rows: 300,
        cols: 300,
    };
    assert_eq!(read_region(&*read, 0, middle).unwrap().rows(), 300);
}

/// In a process of its own, whose peak is no other test's.
#[test]
fn what_is_in_memory_does_not_grow_with_the_slide() {
    let own = std::env::current_exe().unwrap();
    let name = "slide::files::a_slide_of_6_000_pixels_a_side_stays_small_in_memory";
    let ran = std::process::Command::new(own)
        .args(["--ignored", "--exact", name])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "run by the test above"]
fn a_slide_of_6_000_pixels_a_side_stays_small_in_memory() {
    write_and_read_large(6_000, 96.0);
}

/// Run alone: the peak is that of the process.
#[test]
#[ignore = "minutes: --ignored --test-threads 1 a_slide_of_20_000"]
fn a_slide_of_20_000_pixels_a_side_stays_small_in_memory() {
    write_and_read_large(20_000, 96.0);
}

/// Run alone: the peak is that of the process.
#[test]
#[ignore = "half an hour, gigabytes: --ignored --test-threads 1 a_slide_of_100_000"]
fn a_slide_of_100_000_pixels_a_side_stays_small_in_memory() {
    write_and_read_large(100_000, 96.0);
}

#[test]
fn a_plan_opens_as_the_slide_that_it_is_of() {
    let folder = tempfile::tempdir().unwrap();
    let slide = spoiled();
    let written = write_plan(folder.path(), "synthetic-p", &slide).unwrap();
    assert!(!written.slide.exists(), "no pyramid");
    let opened = DrawnSlide::open(&written.plan).unwrap();
    let facts = opened.facts();
    assert!(facts.is_synthetic && facts.mpp.is_ok());
    let level = &facts.levels[0];
    assert_eq!(
        (level.rows, level.cols),
        (slide.plan().rows, slide.plan().cols)
    );
    let window = PixelBox {
        row: 700,
        col: 900,
        rows: 300,
        cols: 260,
    };
    assert_eq!(read_region(&opened, 0, window).unwrap(), slide.draw(window));
    for text in [
        "",
        "{",
        "{\"synthetic\": false, \"seed\": 1, \"plan\": {}}",
        "[]",
    ] {
        let file = folder.path().join("odd.plan.json");
        std::fs::write(&file, text).unwrap();
        let error = DrawnSlide::open(&file).unwrap_err().to_string();
        assert!(error.contains("odd.plan.json"), "{error}");
    }
}
