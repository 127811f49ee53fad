//! Mammograms from files to results, on computed breasts and networks that are formulas.

use std::path::{Path, PathBuf};

use lobule_assess::{
    AssessedExam, Assessor, Ensemble, Judgement, Keep, MammogramEnsemble, Networks, Options,
    TwoGraphs, assess, collect, collect_as,
};
use lobule_engine::{Outputs, Session, Tensor, TensorView};
use lobule_exam::{
    BreastAssessment, CropMethod, FindingClass, ImageSide, Laterality, Modality, Point, Side, View,
    WarningKind,
};
use lobule_package::Manifest;

use crate::ONE_GRAPH;

const ROWS: usize = 96;
const COLS: usize = 64;
/// Pixels of the input per cell of the saliency.
const CELL: usize = 8;

pub(crate) const TWO_GRAPHS: &str = r#"
[wiring]
kind = "global-local"
n_rois = 2
roi_side = 16
[wiring.global]
input = "images"
saliency = "saliency"
scores = "image_scores"
features = "features"
[wiring.local]
windows = "windows"
features = "features"
scores = "scores"
window_scores = "local_scores"
attention = "attention"

[[members]]
file = "a.onnx"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
left_out = ""
graphs.local.file = "b.onnx"
graphs.local.sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
"#;

/// `outlined`: the saliency from which findings are outlined.
pub(crate) fn manifest(wiring: &str, outlined: f64) -> Manifest {
    let text = format!(
        r#"
format = 1
name = "bright-spots"
version = "1"
modality = "mammography"
status = "demonstration"
classes = ["benign", "malignant"]
research_use = "For tests."
default_operating_point = "tenth"
views_trained = ["MLO"]
media_trained = ["film"]
training_data = []
operating_points = [{{ name = "tenth", threshold = 0.1, chosen_by = "By hand." }}]
saliency = {{ finding_thresholds = {{ benign = 0.9, malignant = {outlined}, chosen_by = "the test" }} }}

[prepare]
kind = "mammogram"
rows = {ROWS}
cols = {COLS}
scale = "fit"
outside = "background"
standardization = "input"
{wiring}"#
    );
    Manifest::from_toml(&text, Path::new("manifest.toml")).unwrap()
}

/// Malignant saliency: how far the mean of a cell lies above two standard deviations.
fn saliency(image: &[f32]) -> Vec<f32> {
    let mut map = Vec::new();
    for row in 0..ROWS / CELL {
        for col in 0..COLS / CELL {
            let pixels = (0..CELL * CELL)
                .map(|i| image[(row * CELL + i / CELL) * COLS + col * CELL + i % CELL]);
            let mean = pixels.sum::<f32>() / (CELL * CELL) as f32;
            map.push(((mean - 2.0) / 2.0).clamp(0.0, 0.9));
        }
    }
    map
}

fn highest(values: &[f32]) -> f32 {
    values.iter().copied().fold(0.0, f32::max)
}

pub(crate) fn tensor(name: &str, shape: &[usize], data: Vec<f32>) -> (String, Tensor) {
    let shape = shape.to_vec();
    (name.into(), Tensor { shape, data })
}

struct Global;
struct Local;

impl Session for Global {
    fn inputs(&self) -> &[String] {
        static NAMES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
        NAMES.get_or_init(|| vec!["images".into()])
    }

    fn outputs(&self) -> &[String] {
        &[]
    }

    fn run(&mut self, inputs: &[(&str, TensorView<'_>)]) -> Result<Outputs, lobule_engine::Error> {
        let n = inputs[0].1.shape[0];
        assert_eq!(inputs[0].1.shape, [n, 1, ROWS, COLS]);
        let (mut maps, mut scores, mut logits) = (vec![], vec![], vec![]);
        for image in inputs[0].1.data.chunks(ROWS * COLS) {
            let map = saliency(image);
            scores.extend([0.05, highest(&map)]);
            logits.push(highest(&map) * 10.0);
            maps.extend(vec![0.05; map.len()]);
            maps.extend(map);
        }
        let grid = [n, 2, ROWS / CELL, COLS / CELL];
        Ok(Outputs::new(vec![
            tensor("saliency", &grid, maps),
            tensor("image_scores", &[n, 2], scores),
            tensor("attention_logits", &[n, 1], logits.clone()),
            tensor("features", &[n, 1], logits),
        ]))
    }
}

impl Session for Local {
    fn inputs(&self) -> &[String] {
        &[]
    }

    fn outputs(&self) -> &[String] {
        &[]
    }

    fn run(&mut self, inputs: &[(&str, TensorView<'_>)]) -> Result<Outputs, lobule_engine::Error> {
        let score = inputs[1].1.data[0] / 10.0;
        Ok(Outputs::new(vec![
            tensor("scores", &[1, 2], vec![0.05, score]),
            tensor("local_scores", &[1, 2], vec![0.05, score]),
            tensor("attention", &[1, 2], vec![0.7, 0.3]),
        ]))
    }
}

fn networks(manifest: &Manifest) -> Networks {
    if manifest.wiring == self::manifest(ONE_GRAPH, 0.5).wiring {
        let member: Box<dyn Session> = Box::new(Global);
        return Ensemble::from_sessions(manifest, vec![member])
            .unwrap()
            .into();
    }
    let member = TwoGraphs {
        global: Box::new(Global),
        local: Box::new(Local),
    };
    let ensemble = MammogramEnsemble::from_sessions(manifest, vec![member]);
    ensemble.unwrap().into()
}

pub(crate) fn assessor(manifest: &Manifest, options: Options) -> Assessor {
    let judgement = Judgement::new(manifest, None, None).unwrap();
    Assessor::new(manifest, networks(manifest), judgement, options)
}

const HEIGHT: u32 = 360;
const WIDTH: u32 = 300;
/// From the chest wall to the nipple.
const DEPTH: f64 = 200.0;

/// Half an ellipse at the left (or right) edge with a round lump of brightness `lump`, in the 12 bits
/// that many detectors use of 16.
fn save(path: &Path, side: ImageSide, at: (f64, f64), lump: u16) {
    let picture = image::ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| {
        let col = match side {
            ImageSide::Right => f64::from(WIDTH - 1 - x),
            _ => f64::from(x),
        };
        let row = f64::from(y);
        let noise = (x * 7919 + y * 104_729 + x * y * 31) % 160;
        let inside = ((row - 180.0) / 150.0).hypot(col / DEPTH) < 1.0;
        let is_lump = (row - at.0).hypot(col - at.1) < 24.0;
        image::Luma([match (inside, is_lump) {
            (false, _) => 20 + noise as u16 / 16,
            (true, false) => 900 + noise as u16,
            (true, true) => lump,
        }])
    });
    picture.save(path).unwrap();
}

fn run(paths: &[PathBuf], assessor: &mut Assessor) -> Vec<AssessedExam> {
    let inputs = collect(paths).unwrap();
    assert!(inputs.skipped.is_empty(), "{:?}", inputs.skipped);
    let mut exams = Vec::new();
    assess(&inputs, assessor, |exam| {
        exams.push(exam);
        Ok(())
    })
    .unwrap();
    exams
}

/// Left CC and MLO with a lump 80 from the nipple, right MLO twice.
fn exam(folder: &Path) -> Vec<PathBuf> {
    use ImageSide::{Left, Right};
    let at = |name: &str| folder.join(name);
    save(&at("lcc.png"), Left, (150.0, 120.0), 4000);
    save(&at("lmlo.png"), Left, (230.0, 116.0), 3400);
    save(&at("rmlo1.png"), Right, (180.0, 60.0), 1060);
    save(&at("rmlo2.png"), Right, (180.0, 60.0), 1060);
    let manifest = at("manifest.csv");
    let text = "exam,breast,file,view,row_mm,col_mm,medium\n\
                a,left,lmlo.png,MLO,0.4,0.4,film\n\
                a,right,rmlo1.png,MLO,0.4,0.4,digital\n\
                a,left,lcc.png,cc,0.4,0.4,\n\
                a,right,rmlo2.png,MLO,0.4,0.4,film\n";
    std::fs::write(&manifest, text).unwrap();
    vec![manifest]
}

fn lesions(breast: &BreastAssessment) -> Vec<(usize, f64)> {
    let findings = breast.images.iter().flat_map(|i| &i.findings);
    findings
        .filter_map(|f| f.lesion.map(|l| (l.number, l.score)))
        .collect()
}

#[test]
fn an_exam_of_both_wirings_gives_lesions_breasts_and_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let paths = exam(folder.path());
    for wiring in [ONE_GRAPH, TWO_GRAPHS] {
        let manifest = manifest(wiring, 0.3);
        let exams = run(&paths, &mut assessor(&manifest, Options::default()));
        let [one] = &exams[..] else {
            panic!("expected one exam")
        };
        let assessment = &one.assessment;
        assert_eq!(assessment.modality, Modality::Mammography);
        let [left, right] = &assessment.breasts[..] else {
            panic!("expected two breasts")
        };
        assert_eq!(left.side, Side::Known(Laterality::Left));
        let views = left
            .images
            .iter()
            .map(|i| i.mammogram.as_ref().unwrap().view);
        assert!(views.eq([Some(View::Cc), Some(View::Mlo)]));
        assert_eq!(right.missing_views, [View::Cc]);
        let kinds: Vec<WarningKind> = assessment.warnings.iter().map(|w| w.kind).collect();
        assert_eq!(kinds, [WarningKind::MissingView, WarningKind::RepeatedView]);
        let weights: f64 = left.images.iter().map(|i| i.attention).sum();
        assert!((weights - 1.0).abs() < 1e-9);

        // One lesion in both views; the highest has the breast's score.
        assert!(left.flagged && !right.flagged);
        let found = lesions(left);
        assert_eq!(found.iter().map(|l| l.0).collect::<Vec<_>>(), [1, 1]);
        let most = found.iter().map(|l| l.1).fold(0.0, f64::max);
        assert!((most - left.score_of_100()).abs() < 1e-9);
        assert!(lesions(right).is_empty());
        for (image, place) in left.images.iter().zip([(150.0, 120.0), (230.0, 116.0)]) {
            let (row, col) = place;
            let finding = &image.findings[0];
            assert_eq!(finding.class, FindingClass::Malignant);
            assert!(finding.outline.contains(Point { row, col }), "{finding:?}");
            assert!((10.0..40.0).contains(&finding.longest_axis_mm.unwrap()));
            assert_eq!(image.crop.method, CropMethod::Breast);
            let facts = image.mammogram.as_ref().unwrap();
            assert_eq!(facts.orientation.chest(), ImageSide::Left);
            let area = facts.breast.area() / (std::f64::consts::PI * 150.0 * DEPTH / 2.0);
            assert!((0.9..1.1).contains(&area), "{area}");
        }
        let images = left.images.iter().chain(&right.images);
        let untrained = images.map(|image| {
            let kinds = image.warnings.iter().map(|w| w.kind);
            let is = |k: &WarningKind| {
                matches!(k, WarningKind::UntrainedView | WarningKind::UntrainedMedium)
            };
            kinds.filter(is).collect::<Vec<_>>()
        });
        let view: &[WarningKind] = &[WarningKind::UntrainedView];
        let medium: &[WarningKind] = &[WarningKind::UntrainedMedium];
        assert!(untrained.eq([view, &[], medium, &[]]));
        assert_eq!(
            right.images[0]
                .mammogram
                .as_ref()
                .unwrap()
                .orientation
                .chest(),
            ImageSide::Right
        );
    }
}

#[test]
fn views_count_alike_and_windows_lie_where_the_network_looked() {
    let folder = tempfile::tempdir().unwrap();
    let paths = exam(folder.path());
    let manifest = manifest(TWO_GRAPHS, 0.3);
    let exams = run(&paths, &mut assessor(&manifest, Options::default()));
    let left = &exams[0].assessment.breasts[0];
    let mean = left.images.iter().map(|i| i.scores.malignant).sum::<f64>() / 2.0;
    assert!((left.scores.malignant - mean).abs() < 1e-9);
    for (image, (row, col)) in left.images.iter().zip([(150.0, 120.0), (230.0, 116.0)]) {
        let windows = &image.mammogram.as_ref().unwrap().windows;
        assert_eq!(windows.len(), 2);
        assert!(windows[0].attention > windows[1].attention);
        assert!(
            windows[0].outline.contains(Point { row, col }),
            "{windows:?}"
        );
    }
}

#[test]
fn a_flagged_breast_is_always_outlined_where_its_saliency_is_highest() {
    let folder = tempfile::tempdir().unwrap();
    let paths = exam(folder.path());
    let manifest = manifest(ONE_GRAPH, 0.95);
    let exams = run(&paths, &mut assessor(&manifest, Options::default()));
    let left = &exams[0].assessment.breasts[0];
    assert!(left.flagged);
    let found = lesions(left);
    assert_eq!(found.len(), 1);
    assert!((found[0].1 - left.score_of_100()).abs() < 1e-9);
    let outlined = left.images.iter().find(|i| !i.findings.is_empty()).unwrap();
    let finding = &outlined.findings[0];
    let middle = finding.outline.middle().unwrap();
    assert!((middle.row - 150.0).hypot(middle.col - 120.0) < 40.0 || middle.row > 190.0);
    assert!(finding.score < 0.95);
}

#[test]
fn threads_and_batches_do_not_change_a_mammogram() {
    let folder = tempfile::tempdir().unwrap();
    let paths = exam(folder.path());
    for wiring in [ONE_GRAPH, TWO_GRAPHS] {
        let manifest = manifest(wiring, 0.3);
        let options = |batch, readers| Options {
            batch,
            readers,
            keep: Keep::PicturesAndSteps,
        };
        let one = run(&paths, &mut assessor(&manifest, options(1, 1)));
        assert!(run(&paths, &mut assessor(&manifest, options(3, 4))) == one);
        let steps = &one[0].steps;
        assert_eq!(steps.len(), 4);
        let names: Vec<&str> = steps[0].iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["mask", "laid", "dense", "input"]);
    }
}

#[test]
fn what_is_no_mammogram_is_named_and_the_rest_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    exam(folder.path());
    let flat = |v: u16| image::ImageBuffer::from_fn(300, 300, |_, _| image::Luma([v]));
    flat(0).save(at("blank.png")).unwrap();
    flat(u16::MAX).save(at("white.png")).unwrap();
    std::fs::write(
        at("cut.png"),
        &std::fs::read(at("lcc.png")).unwrap()[..2000],
    )
    .unwrap();
    let text = "exam,breast,file,view\n\
                b,left,blank.png,CC\nb,left,white.png,MLO\nb,right,cut.png,CC\n\
                b,right,absent.png,CC\nc,left,lcc.png,CC\n";
    std::fs::write(at("bad.csv"), text).unwrap();
    let inputs = collect(&[at("bad.csv")]).unwrap();
    assert_eq!(inputs.skipped.len(), 1);
    let manifest = manifest(ONE_GRAPH, 0.3);
    let mut exams = Vec::new();
    assess(
        &inputs,
        &mut assessor(&manifest, Options::default()),
        |exam| {
            exams.push(exam);
            Ok(())
        },
    )
    .unwrap();
    let reasons: Vec<&str> = exams[0].skipped.iter().map(|s| &s.reason[..]).collect();
    assert_eq!(reasons.len(), 3);
    assert!(
        reasons[..2].iter().all(|r| r.contains("one brightness")),
        "{reasons:?}"
    );
    assert!(exams[0].assessment.breasts.is_empty());
    let alone = &exams[1].assessment;
    assert_eq!(alone.breasts[0].missing_views, [View::Mlo]);
    let no_right = alone.warnings.iter().map(|w| &w.message[..]);
    assert!(no_right.eq(["left breast: no MLO view", "right breast: no view"]));
}

#[test]
fn pictures_are_what_the_manifest_or_the_caller_says() {
    let folder = tempfile::tempdir().unwrap();
    exam(folder.path());
    let picture = [folder.path().join("lcc.png")];
    let modality = |inputs: lobule_assess::Inputs| inputs.exams[0].modality;
    assert_eq!(modality(collect(&picture).unwrap()), Modality::Ultrasound);
    let mammograms = collect_as(&picture, Modality::Mammography).unwrap();
    assert_eq!(mammograms.exams[0].breasts[0].files[0].view, None);
    assert_eq!(modality(mammograms), Modality::Mammography);
    // A model of another modality skips by name.
    let mut inputs = collect(&picture).unwrap();
    let manifest = manifest(ONE_GRAPH, 0.3);
    let mut skipped = Vec::new();
    let mut assessor = assessor(&manifest, Options::default());
    assess(&inputs, &mut assessor, |exam| {
        skipped.extend(exam.skipped);
        Ok(())
    })
    .unwrap();
    let expected = "expected an image of mammography, got one of ultrasound";
    assert_eq!(skipped[0].reason, expected);
    assert_eq!(inputs.take(Modality::Ultrasound).exams.len(), 1);
    assert!(inputs.exams.is_empty());
}
