//! One exam in every encoding that is read: the same brightness, the same breast, the same input
//! of a network.
//!
//! What uncompressed files can say is written here ([`encodings`]). Compressed files were made by
//! other programs from the exam in `golden_encodings/base` (`golden_encodings/make.py`). To compare
//! scores instead of inputs, run a model where [`inputs`] ends.

use std::fs;
use std::path::{Path, PathBuf};

use lobule_dicomio::{
    Mammogram, MammogramEncoding, ObjectKind, SetAside, SyntheticMammogram, read_mammogram,
    read_mammogram_header, set_aside, write_mammogram,
};
use lobule_exam::{Laterality, PresentationIntent, Side, View};
use lobule_phantom::mammogram::{
    ExamPlan, LesionKind, LesionPlan, MammogramExam, MammogramView, encodings, render_exam,
    write_dicom_exam,
};
use lobule_raster::{
    Image, Limits, MammogramConfig, MammogramHints, Outside, Scale, Standardization, find_breast,
};

use crate::assert_one_whole_exam;

/// Of standardized values, per step of 65535: a breast's standard deviation is above 6,500.
const INPUT_PER_STEP: f32 = 1.0 / 6_500.0;
/// Rounding on the way to the input.
const INPUT_ROUNDING: f32 = 5e-4;

fn exam() -> MammogramExam {
    let plan = ExamPlan {
        spacing_mm: 1.0,
        lesions: vec![
            LesionPlan::typical(Laterality::Left, LesionKind::Spiculated),
            LesionPlan::typical(Laterality::Right, LesionKind::Oval),
        ],
        ..ExamPlan::default()
    };
    render_exam(&plan, 4)
}

/// Files of a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

/// One view as it was read.
struct Read {
    side: Side,
    view: View,
    gray: Image<u16>,
    input: Vec<f32>,
}

fn headers(folder: &Path) -> Vec<Mammogram> {
    let read = |file: &PathBuf| read_mammogram_header(file, &Limits::default()).unwrap();
    files(folder).iter().map(read).collect()
}

/// Reads an exam as it is assessed: grouped, rendered, the breast found, placed in an input.
fn inputs(folder: &Path) -> Vec<Read> {
    let mammograms = headers(folder);
    assert_one_whole_exam(&mammograms);
    let config = MammogramConfig {
        rows: 128,
        cols: 96,
        scale: Scale::Fit,
        outside: Outside::Background,
        standardization: Standardization::Breast,
    };
    let read = |mammogram: &Mammogram| {
        let gray = read_mammogram(mammogram, &Limits::default()).unwrap().image;
        let hints = MammogramHints {
            view: mammogram.view,
            orientation: mammogram.orientation,
            spacing: mammogram.spacing,
        };
        let breast = find_breast(&gray, &hints).unwrap();
        assert_eq!(mammogram.spacing.unwrap().row_mm(), 1.0);
        Read {
            side: mammogram.side,
            view: mammogram.view.unwrap(),
            input: breast.place(&config).unwrap().standardized(),
            gray,
        }
    };
    mammograms.iter().map(read).collect()
}

/// Differences over all views.
struct Difference {
    /// The largest of brightness, of 65535.
    gray: u16,
    /// The largest of the standardized input.
    input: f32,
    /// The input's root mean square, of the worst view.
    input_rms: f32,
}

fn differences(got: &[Read], expected: &[Read]) -> Difference {
    assert_eq!(got.len(), expected.len());
    let (mut gray, mut input, mut input_rms) = (0, 0.0_f32, 0.0_f32);
    for (got, expected) in got.iter().zip(expected) {
        assert_eq!((got.side, got.view), (expected.side, expected.view));
        let pairs = got.gray.pixels().iter().zip(expected.gray.pixels());
        gray = gray.max(pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap());
        let pairs = got.input.iter().zip(&expected.input);
        let apart: Vec<f32> = pairs.map(|(a, b)| (a - b).abs()).collect();
        input = apart.iter().copied().fold(input, f32::max);
        let mean_square = apart.iter().map(|d| d * d).sum::<f32>() / apart.len() as f32;
        input_rms = input_rms.max(mean_square.sqrt());
    }
    Difference {
        gray,
        input,
        input_rms,
    }
}

#[test]
fn every_uncompressed_encoding_shows_the_same() {
    let exam = exam();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, encoding| {
        let inside = folder.path().join(name);
        write_dicom_exam(&inside, "exam", &exam, encoding).unwrap();
        inputs(&inside)
    };
    let base = write("base", MammogramEncoding::default());
    for read in &base {
        let is_same = |v: &&MammogramView| Side::Known(v.side) == read.side && v.view == read.view;
        let drawn = &exam.views.iter().find(is_same).unwrap().image;
        assert!(
            read.gray == *drawn,
            "{} {}: not as drawn",
            read.side,
            read.view
        );
    }
    let mut failures = Vec::new();
    for named in encodings() {
        let Difference { gray, input, .. } = differences(&write(named.name, named.encoding), &base);
        let most = f32::from(named.tolerance) * INPUT_PER_STEP + INPUT_ROUNDING;
        if gray > named.tolerance || input > most {
            failures.push(format!("{}: brightness {gray}, input {input}", named.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_other_programs_compressed_shows_the_same() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden_encodings");
    let base = inputs(&golden.join("base"));
    // The largest difference of brightness, of 65535, and the input's root mean square. Lossy
    // pictures ring at the letters and at the skin: the mask's box may move by a pixel of 1 mm, and
    // the scale with it.
    let cases = [
        ("rle", 0, 0.0),
        ("jpeg_lossless", 0, 0.0),
        ("jpeg_lossless_sv1", 0, 0.0),
        ("jpeg_ls", 0, 0.0),
        ("jpeg_ls_near", 33, 0.002),
        ("jpeg_2000", 0, 0.0),
        ("jpeg_2000_lossy", 1000, 0.015),
        ("jpeg_baseline", 2300, 0.12),
    ];
    let mut failures = Vec::new();
    for (name, most_gray, most_rms) in cases {
        let found = differences(&inputs(&golden.join(name)), &base);
        let text = format!(
            "{name}: brightness {}, input {:.4}, mean {:.5}",
            found.gray, found.input, found.input_rms
        );
        println!("{text}");
        if found.gray > most_gray || found.input_rms > most_rms {
            failures.push(text);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_pair_of_one_exposure_is_read_once() {
    let exam = exam();
    let folder = tempfile::tempdir().unwrap();
    for (number, view) in (1_u32..).zip(&exam.views) {
        for object in [ObjectKind::ForPresentation, ObjectKind::ForProcessing] {
            let instance_number = match object {
                ObjectKind::ForPresentation => number,
                _ => 10 + number,
            };
            let mammogram = SyntheticMammogram {
                image: view.image.clone(),
                side: view.side,
                view: view.view,
                spacing: view.spacing,
                study_seed: "pairs".to_owned(),
                instance_number,
                encoding: MammogramEncoding {
                    object,
                    ..MammogramEncoding::default()
                },
            };
            let name = format!("{instance_number:02}.dcm");
            write_mammogram(&folder.path().join(name), &mammogram).unwrap();
        }
    }
    let mammograms = headers(folder.path());
    let placed: Vec<_> = mammograms.iter().map(Mammogram::placed).collect();
    for (mammogram, reason) in mammograms.iter().zip(set_aside(&placed)) {
        let is_raw = mammogram.intent == PresentationIntent::Processing;
        assert_eq!(reason, is_raw.then_some(SetAside::ProcessingOfPair));
    }
    let readable = mammograms.iter();
    let readable = readable.filter(|m| m.intent != PresentationIntent::Processing);
    assert_one_whole_exam(&readable.cloned().collect::<Vec<_>>());
    // The exposure alone is still a breast.
    let raw = mammograms
        .iter()
        .find(|m| m.intent == PresentationIntent::Processing);
    let gray = read_mammogram(raw.unwrap(), &Limits::default()).unwrap();
    find_breast(&gray.image, &MammogramHints::default()).unwrap();
}

/// With `LOBULE_KEEP_EXAM` the exam is written there in every uncompressed encoding, a folder each,
/// for other programs to read; `deflated` is the source of `golden_encodings/base`.
#[test]
fn the_exam_for_other_programs() {
    let Some(folder) = std::env::var_os("LOBULE_KEEP_EXAM") else {
        println!("skipped: an exam for other programs (LOBULE_KEEP_EXAM is not set)");
        return;
    };
    let exam = exam();
    for named in encodings() {
        let inside = Path::new(&folder).join(named.name);
        write_dicom_exam(&inside, "exam", &exam, named.encoding).unwrap();
    }
}
