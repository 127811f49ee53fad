//! The run as a whole, on small pictures and a network that is a formula.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod corpus;
mod density;
mod dicom;
mod inputs;
mod mammogram;
mod mammography;
mod slide;
mod slide_components;

use std::path::{Path, PathBuf};

use lobule_assess::{
    AssessedExam, Assessor, Ensemble, Error, ErrorKind, Judgement, Options, assess, collect,
};
use lobule_engine::{Outputs, Session, Tensor, TensorView};
use lobule_package::Manifest;

const PREPARATION: &str = r#"
format = 1
name = "dark-spots"
version = "1"
modality = "ultrasound"
status = "demonstration"
classes = ["benign", "malignant"]
research_use = "For tests."
default_operating_point = "half"
training_data = []

[prepare]
kind = "sonogram"
rows = 32
cols = 32
mean = 127.0
std = 128.0
paint_marks = false
"#;

const ONE_GRAPH: &str = r#"
[wiring]
kind = "attention-mil"
input = "images"
saliency = "saliency"
image_scores = "image_scores"
attention_logits = "attention_logits"

[[members]]
file = "a.onnx"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
left_out = ""
"#;

const JUDGEMENT: &str = r#"
[calibration.benign]
prevalence = 0.5
map = { kind = "logistic", slope = 1.0, intercept = 0.0 }

[calibration.malignant]
prevalence = 0.25
map = { kind = "logistic", slope = 1.0, intercept = 0.5 }

[[operating_points]]
name = "half"
threshold = 0.5
chosen_by = "By hand."

[saliency]
finding_thresholds = { benign = 0.5, malignant = 0.5, chosen_by = "the test" }
"#;

fn manifest() -> Manifest {
    let text = [PREPARATION, ONE_GRAPH, JUDGEMENT].concat();
    Manifest::from_toml(&text, Path::new("manifest.toml")).unwrap()
}

/// Saliency is the darkness of each 4 × 4 block; the score its maximum; the logit its sum.
struct DarkSpots {
    names: Vec<String>,
    poison: Option<f32>,
}

impl Session for DarkSpots {
    fn inputs(&self) -> &[String] {
        &self.names
    }

    fn outputs(&self) -> &[String] {
        &self.names
    }

    fn run(&mut self, inputs: &[(&str, TensorView<'_>)]) -> Result<Outputs, lobule_engine::Error> {
        let view = inputs[0].1;
        let [n, _, rows, cols] = view.shape.try_into().unwrap();
        let (gr, gc) = (rows / 4, cols / 4);
        let (mut saliency, mut scores, mut logits) = (vec![], vec![], vec![]);
        for image in view.data.chunks(rows * cols) {
            let dark = |block: usize| {
                let (r, c) = (block / gc * 4, block % gc * 4);
                let pixels = (0..16).map(|i| image[(r + i / 4) * cols + c + i % 4]);
                (-pixels.sum::<f32>() / 16.0).clamp(0.0, 1.0)
            };
            let map: Vec<f32> = (0..gr * gc).map(dark).collect();
            let most = map.iter().copied().fold(0.0, f32::max);
            logits.push(self.poison.unwrap_or_else(|| map.iter().sum()));
            scores.extend([0.1, most]);
            saliency.extend(vec![0.1; gr * gc]);
            saliency.extend(map);
        }
        let tensor = |shape: &[usize], data| Tensor {
            shape: shape.to_vec(),
            data,
        };
        Ok(Outputs::new(vec![
            ("saliency".into(), tensor(&[n, 2, gr, gc], saliency)),
            ("image_scores".into(), tensor(&[n, 2], scores)),
            ("attention_logits".into(), tensor(&[n, 1], logits)),
        ]))
    }
}

fn assessor(options: Options, poison: Option<f32>, prevalence: Option<f64>) -> Assessor {
    let member = || -> Box<dyn Session> {
        Box::new(DarkSpots {
            names: vec!["images".into()],
            poison,
        })
    };
    let ensemble = Ensemble::from_sessions(&manifest(), vec![member(), member()]).unwrap();
    let judgement = Judgement::new(&manifest(), None, prevalence).unwrap();
    Assessor::new(&manifest(), ensemble, judgement, options)
}

/// A bright speckled picture with a dark disk at (row, col).
pub(crate) fn save(path: &Path, seed: u32, at: (f64, f64)) {
    let picture = image::GrayImage::from_fn(160, 160, |x, y| {
        let noise = (x * 7919 + y * 104_729 + x * y * 31 + seed * 17) % 50;
        let d = (f64::from(y) - at.0).hypot(f64::from(x) - at.1);
        image::Luma([if d < 20.0 {
            noise as u8 / 8
        } else {
            150 + noise as u8
        }])
    });
    picture.save(path).unwrap();
}

fn run(paths: &[PathBuf], assessor: &mut Assessor) -> Result<Vec<AssessedExam>, Error> {
    let mut exams = Vec::new();
    assess(&collect(paths)?, assessor, |exam| {
        exams.push(exam);
        Ok(())
    })?;
    Ok(exams)
}

fn folder_of_exams() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut manifest = "exam,breast,file,label\n".to_owned();
    for i in 0..11_u32 {
        let file = format!("{i}.png");
        save(
            &dir.path().join(&file),
            i,
            (40.0 + f64::from(i) * 8.0, 60.0),
        );
        let side = ["left", "right", ""][i as usize % 3];
        manifest += &format!("e{},{side},{file},benign\n", i / 4);
    }
    std::fs::write(dir.path().join("manifest.csv"), manifest).unwrap();
    dir
}

#[test]
fn batches_and_threads_do_not_change_a_result() {
    let dir = folder_of_exams();
    let paths = [dir.path().join("manifest.csv")];
    let options = |batch, readers| Options {
        batch,
        readers,
        ..Options::default()
    };
    let one = run(&paths, &mut assessor(options(1, 1), None, None)).unwrap();
    let keys: Vec<&str> = one.iter().map(|e| e.assessment.exam.as_str()).collect();
    assert_eq!(keys, ["e0", "e1", "e2"]);
    for (batch, readers) in [(8, 2), (3, 3), (100, 16)] {
        let many = run(&paths, &mut assessor(options(batch, readers), None, None)).unwrap();
        assert!(many == one, "batch {batch}, {readers} readers");
    }
    for breast in one.iter().flat_map(|e| &e.assessment.breasts) {
        let sum: f64 = breast.images.iter().map(|i| i.attention).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
}

#[test]
fn the_dark_spot_is_the_finding() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("a.png"), 3, (90.0, 70.0));
    let exams = run(
        &[dir.path().to_owned()],
        &mut assessor(Options::default(), None, None),
    )
    .unwrap();
    let image = &exams[0].assessment.breasts[0].images[0];
    let center = lobule_exam::Point {
        row: 90.0,
        col: 70.0,
    };
    assert!(
        image.findings[0].bounds.contains(center),
        "{:?}",
        image.findings[0].bounds
    );
    assert_eq!(
        image.findings[0].class,
        lobule_exam::FindingClass::Malignant
    );
    assert!(exams[0].assessment.breasts[0].flagged);
}

#[test]
fn prevalence_moves_the_probability_but_not_the_decision() {
    let dir = folder_of_exams();
    let paths = [dir.path().join("manifest.csv")];
    let here = run(&paths, &mut assessor(Options::default(), None, None)).unwrap();
    let rare = run(&paths, &mut assessor(Options::default(), None, Some(0.01))).unwrap();
    for (a, b) in here.iter().zip(&rare) {
        let (a, b) = (&a.assessment.breasts[0], &b.assessment.breasts[0]);
        assert_eq!(a.flagged, b.flagged);
        assert!(b.probabilities.unwrap().malignant < a.probabilities.unwrap().malignant);
        assert_eq!(
            a.probabilities.unwrap().benign,
            b.probabilities.unwrap().benign
        );
    }
    let error = Judgement::new(&manifest(), None, Some(1.5)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Option);
    assert!(Judgement::new(&manifest(), Some("nowhere"), None).is_err());
}

#[test]
fn a_network_without_numbers_is_an_error() {
    let dir = folder_of_exams();
    for poison in [f32::NAN, f32::INFINITY] {
        let error = run(
            &[dir.path().to_owned()],
            &mut assessor(Options::default(), Some(poison), None),
        );
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Outputs);
    }
}

#[test]
fn every_path_is_used_or_reported() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    save(&at("good.png"), 1, (80.0, 80.0));
    std::fs::create_dir(at("deeper")).unwrap();
    save(&at("deeper/good.png"), 2, (80.0, 80.0));
    for (name, bytes) in [
        ("empty.png", &b""[..]),
        ("text.dcm", b"not DICOM at all"),
        ("notes.txt", b"hello"),
        (".hidden.png", b"x"),
        ("labels.csv", b"a,b\n"),
        ("short.png", b"\x89PNG\r\n\x1a\n\0\0"),
    ] {
        std::fs::write(at(name), bytes).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(dir.path(), at("deeper/loop")).unwrap();
    let paths = [dir.path().to_owned(), at("good.png"), at("missing")];
    let inputs = collect(&paths).unwrap();
    let keys: Vec<&str> = inputs.exams.iter().map(|e| e.exam.as_str()).collect();
    assert_eq!(keys, ["good", "empty", "good-2", "short"]);
    let mut exams = Vec::new();
    let mut assessor = assessor(Options::default(), None, None);
    assess(&inputs, &mut assessor, |exam| {
        exams.push(exam);
        Ok(())
    })
    .unwrap();
    let failed = exams.iter().flat_map(|e| &e.skipped).count();
    assert_eq!(failed, 2);
    let n_linked = usize::from(cfg!(unix));
    assert_eq!(inputs.skipped.len(), 6 + n_linked, "{:#?}", inputs.skipped);
}

#[test]
fn a_wrong_manifest_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.csv");
    std::fs::write(&path, "exam,breast,file\na,sideways,x.png\n").unwrap();
    let error = collect(std::slice::from_ref(&path)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Manifest);
    assert!(
        error.to_string().contains("m.csv: line 2, column `breast`"),
        "{error}"
    );
}
