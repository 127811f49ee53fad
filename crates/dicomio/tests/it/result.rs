//! Results as DICOM objects: what they hold, and what programs that are not ours say of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{InMemDicomObject, from_reader, open_file};
use lobule_dicomio::result::{
    Moment, Outcome, ResultKind, ResultObject, ResultRequest, ResultRun, ResultSource, all,
    encapsulated_pdf, fhir_bundle,
};
use lobule_dicomio::{Frames, SyntheticUltrasound, read_mammogram_header, write_ultrasound};
use lobule_exam::{
    Affine, Assessment, BreastAssessment, BreastOrientation, ClassScores, Crop, CropMethod,
    Finding, FindingClass, ImageAssessment, ImageSide, Laterality, Lesion, MammogramFacts,
    Modality, OperatingPoint, PixelBox, Point, Polygon, SaliencyMap, Side, Spacing, View,
};
use lobule_raster::{Image, Limits};

const MAMMOGRAMS: &str = "../phantom/tests/golden_encodings/base";

pub(crate) fn run() -> ResultRun {
    ResultRun {
        program_version: "0.1.0".to_owned(),
        engine: "rten".to_owned(),
        model_name: "breast-example".to_owned(),
        model_version: "1.2.0".to_owned(),
        model_digest: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".to_owned(),
        operating_point: Some(OperatingPoint {
            name: "balanced".to_owned(),
            threshold: 0.5,
            chosen_by: "made up for a test".to_owned(),
        }),
        prevalence: Some(0.1),
    }
}

fn moment() -> Moment {
    Moment::new("20260131", "120000").unwrap()
}

/// An ellipse about the middle of an image, moved by a part of its size.
fn finding(class: FindingClass, rows: usize, cols: usize, shift: f64, number: usize) -> Finding {
    let (rows, cols) = (rows as f64, cols as f64);
    let corner = |i: usize| {
        let angle = i as f64 * std::f64::consts::TAU / 24.0;
        Point {
            row: rows * (0.5 + shift + 0.08 * angle.sin()),
            col: cols * (0.5 + shift + 0.12 * angle.cos()),
        }
    };
    let points: Vec<Point> = (0..24).map(corner).collect();
    Finding {
        class,
        score: 0.873,
        bounds: PixelBox {
            row: (rows * (0.42 + shift)) as usize,
            col: (cols * (0.38 + shift)) as usize,
            rows: (rows * 0.16) as usize,
            cols: (cols * 0.24) as usize,
        },
        outline: Polygon { points },
        longest_axis_mm: Some(11.5),
        lesion: Some(Lesion {
            score: 87.3,
            number,
        }),
    }
}

fn scores(malignant: f64) -> ClassScores {
    ClassScores {
        benign: 0.2,
        malignant,
    }
}

fn image(
    file: &Path,
    size: (usize, usize),
    view: Option<View>,
    findings: Vec<Finding>,
) -> ImageAssessment {
    let (rows, cols) = size;
    let grid = (6, 4);
    let values: Vec<f32> = (0..24).map(|i| i as f32 / 24.0).collect();
    let (by_row, by_col) = (rows as f64 / grid.0 as f64, cols as f64 / grid.1 as f64);
    let corner = |row: usize, col: usize| Point {
        row: row as f64,
        col: col as f64,
    };
    ImageAssessment {
        file: file.to_str().unwrap().to_owned(),
        frame: 0,
        rows,
        cols,
        spacing: Spacing::new(0.1, 0.1).ok(),
        crop: Crop {
            window: PixelBox::whole(rows, cols),
            method: CropMethod::Whole,
            painted_pixels: 0,
        },
        image_from_input: Affine::IDENTITY,
        attention: 1.0,
        rank: 1,
        scores: scores(0.6),
        probabilities: Some(scores(0.3)),
        saliency: SaliencyMap {
            rows: grid.0,
            cols: grid.1,
            benign: vec![0.1; 24],
            malignant: values,
            image_from_grid: Affine::resample(by_row, by_col),
        },
        findings,
        mammogram: view.map(|view| MammogramFacts {
            view: Some(view),
            orientation: BreastOrientation::new(ImageSide::Left, Some(ImageSide::Top)).unwrap(),
            breast: Polygon {
                points: vec![
                    corner(0, 0),
                    corner(0, cols / 2),
                    corner(rows / 2, cols - 1),
                    corner(rows - 1, 0),
                ],
            },
            pectoral: None,
            density: Some(0.3),
            windows: Vec::new(),
        }),
        warnings: Vec::new(),
    }
}

fn breast(side: Side, images: Vec<ImageAssessment>) -> BreastAssessment {
    BreastAssessment {
        side,
        scores: scores(0.873),
        probabilities: Some(scores(0.31)),
        flagged: true,
        images,
        missing_views: Vec::new(),
    }
}

/// An exam and the files it came from.
pub(crate) struct Exam {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) assessment: Assessment,
}

impl Exam {
    fn new(breasts: Vec<BreastAssessment>) -> Exam {
        let images = || breasts.iter().flat_map(|b| &b.images);
        let is_mammography = images().any(|i| i.mammogram.is_some());
        Exam {
            files: images().map(|i| PathBuf::from(&i.file)).collect(),
            assessment: Assessment {
                exam: "exam-0123456789ab".to_owned(),
                modality: match is_mammography {
                    true => Modality::Mammography,
                    false => Modality::Ultrasound,
                },
                breasts,
                warnings: Vec::new(),
            },
        }
    }

    fn without_findings(mut self) -> Exam {
        for breast in &mut self.assessment.breasts {
            breast.flagged = false;
            breast.images.iter_mut().for_each(|i| i.findings.clear());
        }
        self
    }

    pub(crate) fn sources(&self) -> Vec<ResultSource> {
        self.files
            .iter()
            .map(|f| ResultSource::read(f, &f.display().to_string()).unwrap())
            .collect()
    }
}

/// Four views of a phantom; one lesion in both views of the left breast.
pub(crate) fn mammography() -> Exam {
    let folder = Path::new(MAMMOGRAMS);
    let view = |name: &str, view, findings| {
        image(
            &folder.join(format!("exam-{name}.dcm")),
            (240, 180),
            Some(view),
            findings,
        )
    };
    let at = |shift| finding(FindingClass::Malignant, 240, 180, shift, 1);
    let other = finding(FindingClass::Benign, 240, 180, -0.25, 2);
    Exam::new(vec![
        breast(
            Side::Known(Laterality::Left),
            vec![
                view("left-CC", View::Cc, vec![at(0.0), other]),
                view("left-MLO", View::Mlo, vec![at(0.1)]),
            ],
        ),
        breast(
            Side::Known(Laterality::Right),
            vec![
                view("right-CC", View::Cc, Vec::new()),
                view("right-MLO", View::Mlo, Vec::new()),
            ],
        ),
    ])
}

/// A grey image and a colour cine loop.
pub(crate) fn ultrasound(folder: &Path) -> Exam {
    let gray = |r: usize, c: usize| 40 + ((r * 31 + c * 17) % 97) as u8;
    let color = |frame: u8| Image::from_fn(300, 400, |r, c| [gray(r, c), gray(r, c), 10 * frame]);
    let pictures = [
        Frames::Gray(vec![Image::from_fn(300, 400, gray)]),
        Frames::Rgb((0..3).map(color).collect()),
    ];
    let side = Side::Known(Laterality::Right);
    let mut images: Vec<ImageAssessment> = Vec::new();
    for (number, frames) in (1_u32..).zip(pictures) {
        let file = folder.join(format!("{number}.dcm"));
        let written = SyntheticUltrasound {
            frames,
            side,
            spacing: Spacing::new(0.1, 0.1).unwrap(),
            region: PixelBox::whole(300, 400),
            study_seed: "results".to_owned(),
            instance_number: number,
        };
        write_ultrasound(&file, &written).unwrap();
        let found = vec![finding(FindingClass::Malignant, 300, 400, 0.1, 1)];
        let frame = number as usize - 1;
        images.push(ImageAssessment {
            frame,
            ..image(&file, (300, 400), None, found)
        });
    }
    Exam::new(vec![breast(side, images)])
}

/// Real pictures, where they are at hand: a colour screen of unknown side, and a film.
fn real() -> Option<[Exam; 2]> {
    let Some(root) = std::env::var_os("LOBULE_DATA") else {
        println!("skipped: real files (LOBULE_DATA is not set)");
        return None;
    };
    let folder = Path::new(&root).join("dicom_fixtures");
    let found = |(rows, cols)| vec![finding(FindingClass::Malignant, rows, cols, 0.0, 1)];
    let exam = |side, file: &str, size, view| {
        let images = vec![image(&folder.join(file), size, view, found(size))];
        Exam::new(vec![breast(side, images)])
    };
    let (screen, film) = ((480, 640), (4664, 3064));
    Some([
        exam(Side::Unknown, "US1_UNCR.dcm", screen, None),
        exam(
            Side::Known(Laterality::Left),
            "MG1_J2KI.dcm",
            film,
            Some(View::Mlo),
        ),
    ])
}

pub(crate) fn objects(exam: &Exam) -> Vec<ResultObject> {
    objects_of(exam, Outcome::Assessed(&exam.assessment))
}

fn failed(reason: &str) -> Outcome<'_> {
    Outcome::Failed {
        modality: Modality::Mammography,
        reason,
    }
}

fn objects_of(exam: &Exam, outcome: Outcome<'_>) -> Vec<ResultObject> {
    with_request(exam, outcome, |request| {
        all(request, &Limits::default()).unwrap()
    })
}

fn with_request<T>(
    exam: &Exam,
    outcome: Outcome<'_>,
    make: impl FnOnce(&ResultRequest<'_>) -> T,
) -> T {
    make(&ResultRequest {
        sources: &exam.sources(),
        outcome,
        run: &run(),
        moment: &moment(),
    })
}

/// A folder for objects; with `LOBULE_KEEP_RESULTS` it lies there and stays.
struct Folder {
    path: PathBuf,
    _temporary: tempfile::TempDir,
}

impl Folder {
    fn new(name: &str) -> Folder {
        let temporary = tempfile::tempdir().unwrap();
        let kept = std::env::var_os("LOBULE_KEEP_RESULTS");
        let path = kept.map_or(temporary.path().to_owned(), |root| {
            Path::new(&root).join(name)
        });
        std::fs::create_dir_all(&path).unwrap();
        Folder {
            path,
            _temporary: temporary,
        }
    }
}

/// Has every validator at hand judge an exam's objects.
fn judged(name: &str, exam: &Exam, outcome: Outcome<'_>) {
    let folder = Folder::new(name);
    let folder = &folder.path;
    for object in objects_of(exam, outcome) {
        object.write(folder).unwrap();
    }
    let bundle = with_request(exam, outcome, |request| fhir_bundle(request).unwrap());
    std::fs::write(folder.join(bundle.file_name), bundle.json).unwrap();
    validated(name, folder, &exam.files);
}

/// Has every validator at hand judge the files of a folder.
fn validated(name: &str, folder: &Path, sources: &[PathBuf]) {
    let Some(validators) = std::env::var_os("LOBULE_VALIDATORS") else {
        println!("skipped: validators of DICOM objects (LOBULE_VALIDATORS is not set)");
        return;
    };
    let done = Command::new(Path::new(&validators).join("bin/python"))
        .arg("tests/validate.py")
        .arg(folder)
        .arg("--sources")
        .args(sources)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    println!("{text}");
    assert!(
        done.status.success(),
        "{name}: {text}{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[test]
fn programs_of_others_accept_the_objects() {
    let folder = tempfile::tempdir().unwrap();
    let exams = [
        ("mammography", mammography()),
        ("no_findings", mammography().without_findings()),
        ("ultrasound", ultrasound(folder.path())),
    ];
    let real = real().map(|[screen, film]| [("screen", screen), ("film", film)]);
    for (name, exam) in real.into_iter().flatten().chain(exams) {
        judged(name, &exam, Outcome::Assessed(&exam.assessment));
    }
    let exam = mammography();
    let reason = "no breast was found in the pixels";
    judged("failed", &exam, failed(reason));
}

#[test]
fn a_report_is_encapsulated_as_it_is() {
    let exam = mammography();
    let made = |pdf: &[u8]| {
        let outcome = Outcome::Assessed(&exam.assessment);
        with_request(&exam, outcome, |request| {
            encapsulated_pdf(request, pdf.to_vec())
        })
    };
    let bytes = made(b"%PDF-1.7 odd").unwrap().to_bytes().unwrap();
    let object = from_reader(&bytes[128..]).unwrap();
    let element = |tag| object.element(tag).unwrap();
    let document = element(tags::ENCAPSULATED_DOCUMENT).to_bytes().unwrap();
    let length: usize = element(tags::ENCAPSULATED_DOCUMENT_LENGTH)
        .to_int()
        .unwrap();
    assert_eq!(&document[..length], b"%PDF-1.7 odd");
    let sources = element(tags::SOURCE_INSTANCE_SEQUENCE).items().unwrap();
    assert_eq!(sources.len(), 4);
    assert!(made(b"GIF89a").unwrap_err().reason().contains("a PDF"));
}

#[test]
fn each_exam_has_the_objects_that_fit_it() {
    let folder = tempfile::tempdir().unwrap();
    let count = |objects: &[ResultObject]| -> Vec<(ResultKind, usize)> {
        let mut counts: Vec<(ResultKind, usize)> = Vec::new();
        for object in objects {
            match counts.last_mut() {
                Some((kind, n)) if *kind == object.kind() => *n += 1,
                _ => counts.push((object.kind(), 1)),
            }
        }
        counts
    };
    use ResultKind::*;
    let exam = mammography();
    let all_kinds = [
        (SecondaryCapture, 4),
        (CadReport, 1),
        (PresentationState, 2),
        (MeasurementReport, 1),
        (Segmentation, 2),
        (HeatMap, 4),
        (KeyObject, 1),
    ];
    assert_eq!(count(&objects(&exam)), all_kinds);
    let failed = objects_of(&exam, failed("no breast was found"));
    assert_eq!(count(&failed), [(CadReport, 1), (MeasurementReport, 1)]);
    let clear = objects(&mammography().without_findings());
    let kinds = [
        (SecondaryCapture, 4),
        (CadReport, 1),
        (MeasurementReport, 1),
        (HeatMap, 4),
    ];
    assert_eq!(count(&clear), kinds);
    // No CAD report, and no presentation state of the colour loop.
    let kinds = [
        (SecondaryCapture, 2),
        (PresentationState, 1),
        (MeasurementReport, 1),
        (Segmentation, 2),
        (HeatMap, 2),
        (KeyObject, 1),
    ];
    let exam = ultrasound(folder.path());
    assert_eq!(count(&objects(&exam)), kinds);
    let failed = Outcome::Failed {
        modality: Modality::Ultrasound,
        reason: "no sonogram was found",
    };
    assert_eq!(count(&objects_of(&exam, failed)), [(MeasurementReport, 1)]);
}

/// A capture of ultrasound may be of modality OT: what it was assessed as counts.
#[test]
fn a_capture_of_ultrasound_has_no_cad_report() {
    let folder = tempfile::tempdir().unwrap();
    let exam = ultrasound(folder.path());
    for file in &exam.files {
        let mut object = open_file(file).unwrap();
        let modality = PrimitiveValue::from("OT");
        object.put(DataElement::new(tags::MODALITY, VR::CS, modality));
        object.write_to_file(file).unwrap();
    }
    let kinds: Vec<ResultKind> = objects(&exam).iter().map(ResultObject::kind).collect();
    assert!(kinds.contains(&ResultKind::MeasurementReport));
    assert!(!kinds.contains(&ResultKind::CadReport));
}

/// The same lesion in the middle of each picture whose look-up tables pydicom showed.
fn of_golden_mammogram(name: &str) -> Exam {
    let file = Path::new("tests/golden_mammogram").join(format!("{name}.dcm"));
    let header = read_mammogram_header(&file, &Limits::default()).unwrap();
    let size = (header.rows, header.cols);
    let found = vec![finding(FindingClass::Malignant, size.0, size.1, 0.0, 1)];
    let images = vec![image(&file, size, Some(View::Mlo), found)];
    Exam::new(vec![breast(Side::Known(Laterality::Left), images)])
}

fn state_of(name: &str) -> InMemDicomObject {
    let objects = objects(&of_golden_mammogram(name));
    let is_state = |o: &&ResultObject| o.kind() == ResultKind::PresentationState;
    let bytes = objects.iter().find(is_state).unwrap().to_bytes().unwrap();
    // The preamble is not looked for in a stream.
    let object = from_reader(&bytes[128..]).unwrap();
    object.into_inner()
}

fn item(object: &InMemDicomObject, tag: Tag) -> InMemDicomObject {
    object.element(tag).unwrap().items().unwrap()[0].clone()
}

#[test]
fn a_presentation_state_takes_the_look_up_tables_that_the_reader_takes() {
    let text = |object: &InMemDicomObject, tag| -> String {
        let value = object.element(tag).unwrap().to_str().unwrap();
        value.trim_end().to_owned()
    };
    let softcopy = |name| item(&state_of(name), tags::SOFTCOPY_VOILUT_SEQUENCE);
    let second = softcopy("window_second_is_normal");
    assert_eq!(text(&second, tags::WINDOW_CENTER), "1800.5");
    let sigmoid = softcopy("sigmoid");
    assert_eq!(text(&sigmoid, tags::VOILUT_FUNCTION), "SIGMOID");
    // A table of signed values says so by its kind of number.
    let table = item(&softcopy("signed_table"), tags::VOILUT_SEQUENCE);
    assert_eq!(table.element(tags::LUT_DESCRIPTOR).unwrap().vr(), VR::SS);
    let inverted = state_of("monochrome1");
    assert_eq!(text(&inverted, tags::PRESENTATION_LUT_SHAPE), "INVERSE");
    let table = item(&state_of("modality_table"), tags::MODALITY_LUT_SEQUENCE);
    assert!(!text(&table, tags::MODALITY_LUT_TYPE).is_empty());
    let rescaled = state_of("rescaled");
    assert!(!text(&rescaled, tags::RESCALE_TYPE).is_empty());
}

#[test]
fn programs_of_others_accept_look_up_tables() {
    for name in ["signed_table", "modality_table", "rescaled", "sigmoid"] {
        let (exam, folder) = (of_golden_mammogram(name), Folder::new(name));
        let states = objects(&exam).into_iter();
        let states = states.filter(|o| o.kind() == ResultKind::PresentationState);
        states.for_each(|state| drop(state.write(&folder.path).unwrap()));
        validated(name, &folder.path, &exam.files);
    }
}

#[test]
fn a_very_long_outline_is_thinned_to_what_an_element_can_hold() {
    let mut exam = mammography();
    let findings = &mut exam.assessment.breasts[0].images[0].findings;
    let corner = |i: usize| Point {
        row: 60.0 + (i % 2) as f64,
        col: 20.0 + i as f64 / 500.0,
    };
    findings[0].outline.points = (0..70_000).map(corner).collect();
    for object in objects(&exam) {
        let bytes = object.to_bytes().unwrap();
        from_reader(&bytes[128..]).unwrap();
    }
}

#[test]
fn one_run_has_the_same_bytes_twice_and_another_run_other_names() {
    let exam = mammography();
    let bytes = |objects: &[ResultObject]| -> Vec<Vec<u8>> {
        objects.iter().map(|o| o.to_bytes().unwrap()).collect()
    };
    let names = |objects: &[ResultObject]| -> Vec<String> {
        objects.iter().map(ResultObject::file_name).collect()
    };
    let first = objects(&exam);
    assert_eq!(bytes(&first), bytes(&objects(&exam)));
    let mut all_names = names(&first);
    for change in [
        |run: &mut ResultRun| run.model_digest.replace_range(0..1, "f"),
        |run: &mut ResultRun| run.program_version.push('1'),
        |run: &mut ResultRun| run.engine.push('1'),
        |run: &mut ResultRun| run.operating_point.as_mut().unwrap().threshold = 0.6,
    ] {
        let mut other = run();
        change(&mut other);
        let request = ResultRequest {
            sources: &exam.sources(),
            outcome: Outcome::Assessed(&exam.assessment),
            run: &other,
            moment: &moment(),
        };
        all_names.extend(names(&all(&request, &Limits::default()).unwrap()));
    }
    let nothing = failed("no breast was found");
    all_names.extend(names(&objects_of(&exam, nothing)));
    // Another side or view of an image is another result.
    let mut moved = mammography();
    moved.assessment.breasts[1].side = Side::Unknown;
    all_names.extend(names(&objects(&moved)));
    let mut turned = mammography();
    let image = &mut turned.assessment.breasts[1].images[1];
    image.mammogram.as_mut().unwrap().view = Some(View::Ml);
    all_names.extend(names(&objects(&turned)));
    let count = all_names.len();
    all_names.sort();
    all_names.dedup();
    assert_eq!(all_names.len(), count);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (exam, other) = (mammography(), ultrasound(folder.path()));
    let refused = |sources: &[ResultSource], assessment: &Assessment| {
        let request = ResultRequest {
            sources,
            outcome: Outcome::Assessed(assessment),
            run: &run(),
            moment: &moment(),
        };
        all(&request, &Limits::default())
            .unwrap_err()
            .reason()
            .to_owned()
    };
    let sources = exam.sources();
    assert!(refused(&[], &exam.assessment).contains("got none"));
    assert!(refused(&sources[1..], &exam.assessment).contains("a source for each image"));
    let two = [sources.clone(), other.sources()].concat();
    assert!(refused(&two, &exam.assessment).contains("one study"));
    let mut larger = exam.assessment.clone();
    larger.breasts[0].images[0].rows += 1;
    assert!(refused(&sources, &larger).contains("pixels"));
    assert!(ResultSource::read("tests/golden/make.py".as_ref(), "make.py").is_err());
}

#[test]
fn nothing_shows_who_the_patient_is() {
    let exam = mammography();
    let shown = format!("{:?} {:?}", exam.sources(), objects(&exam));
    assert!(!shown.contains("SYNTHETIC"), "{shown}");
    assert!(
        objects(&exam)
            .iter()
            .any(|o| o.kind() == ResultKind::SecondaryCapture)
    );
}
