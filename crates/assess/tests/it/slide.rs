//! Whole slides, drawn and real, through two models that are formulas.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use lobule_assess::ErrorKind;
use lobule_assess::slide::{
    AssessedSlide, Journal, SlideInput, SlideModels, SlideOptions, are_slides, assess_slide,
    collect_slides, open_input,
};
use lobule_engine::EngineKind;
use lobule_exam::{GradeOutcome, MppSource, StainUse, WarningKind};
use lobule_package::Package;
use lobule_phantom::slide::{PenStroke, SlidePlan, SyntheticSlide, write_tiff};
use lobule_slide::{Error, Rgb, SlideFacts, TileKey, TileSource};

pub(crate) fn model(task: &str) -> Package {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slide-models");
    Package::open(folder.join(task)).unwrap()
}

pub(crate) fn options() -> SlideOptions {
    SlideOptions {
        engine: Some(EngineKind::Rten),
        threads: 2,
        ..SlideOptions::default()
    }
}

fn models(options: &SlideOptions) -> SlideModels {
    SlideModels::open(&model("tumor"), Some(&model("grade")), options).unwrap()
}

pub(crate) fn plan() -> SlidePlan {
    SlidePlan {
        rows: 2048,
        cols: 2048,
        grade: 3.0,
        ..SlidePlan::default()
    }
}

pub(crate) fn input(file: &Path) -> SlideInput {
    SlideInput {
        slide: "one".into(),
        file: file.to_owned(),
        extra: Vec::new(),
    }
}

pub(crate) fn drawn(folder: &Path, plan: SlidePlan) -> (PathBuf, SyntheticSlide) {
    let slide = SyntheticSlide::new(plan, 11);
    let file = folder.join("synthetic.tif");
    write_tiff(&slide, &file).unwrap();
    (file, slide)
}

pub(crate) fn assessed(
    file: &Path,
    options: &SlideOptions,
    journal: &mut Journal,
) -> AssessedSlide {
    let input = input(file);
    let source = open_input(&input).unwrap();
    assess_slide(&source, &input, &mut models(options), journal, &|_, _| ()).unwrap()
}

fn refusal(file: &Path, options: &SlideOptions) -> String {
    let input = input(file);
    let error = open_input(&input).and_then(|source| {
        let mut journal = Journal::none();
        assess_slide(
            &source,
            &input,
            &mut models(options),
            &mut journal,
            &|_, _| (),
        )
    });
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input, "{error}");
    error.to_string()
}

/// Whether a point lies in a polygon, by crossings.
fn inside(polygon: &[[f64; 2]], [x, y]: [f64; 2]) -> bool {
    let mut is_inside = false;
    for (i, a) in polygon.iter().enumerate() {
        let b = polygon[(i + 1) % polygon.len()];
        if (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0] {
            is_inside = !is_inside;
        }
    }
    is_inside
}

#[test]
fn the_tumor_map_lies_on_the_planted_nests_and_the_score_follows() {
    let folder = tempfile::tempdir().unwrap();
    let (file, slide) = drawn(folder.path(), plan());
    let result = assessed(&file, &options(), &mut Journal::none());
    let assessment = &result.assessment;
    assert!(assessment.is_synthetic);
    assert_eq!(
        (assessment.mpp, assessment.mpp_source),
        (0.5, MppSource::File)
    );
    assert_eq!(assessment.stains, StainUse::Normalized);
    let nests: Vec<Vec<[f64; 2]>> = slide.nests().collect();
    let planted = |t: &lobule_exam::TileBounds| {
        let points = (0..144).map(|i| {
            let at = |from: f64, to: f64, k: usize| from + (to - from) * (k as f64 + 0.5) / 12.0;
            [at(t.left, t.right, i % 12), at(t.top, t.bottom, i / 12)]
        });
        let hit = points.filter(|p| nests.iter().any(|nest| inside(nest, *p)));
        hit.count() as f64 / 144.0
    };
    let (mut within, mut without) = (Vec::new(), Vec::new());
    for tile in assessment.tiles.iter().filter(|t| t.tumor.is_some()) {
        let share = planted(&tile.bounds);
        match share {
            s if s > 0.6 => within.push(tile.tumor.unwrap()),
            s if s < 0.2 => without.push(tile.tumor.unwrap()),
            _ => {}
        }
    }
    let pairs = within
        .iter()
        .flat_map(|a| without.iter().map(move |b| (a, b)));
    let wins = pairs.filter(|(a, b)| a > b).count() as f64;
    let area = wins / (within.len() * without.len()) as f64;
    println!(
        "{} in nests, {} outside, area {area}",
        within.len(),
        without.len()
    );
    assert!(within.len() > 5 && without.len() > 5);
    assert!(area > 0.9, "area {area}");
    let GradeOutcome::Assessed(grade) = &assessment.grade else {
        panic!("{:?}", assessment.grade);
    };
    assert_eq!(grade.members.len(), 2);
    assert!(grade.interval[0] <= grade.score && grade.score <= grade.interval[1]);
    assert_eq!(grade.n_tiles, assessment.counts.tumor);
    let [low, high] = grade.member_range().unwrap();
    assert!(low < high && low <= grade.score && grade.score <= high);
    // The gallery shows tumor, the highest first.
    assert!(
        result
            .gallery
            .windows(2)
            .all(|pair| pair[0].score >= pair[1].score)
    );
    assert_eq!(result.gallery[0].picture.rows(), 224);
}

/// Counts the tiles that are read.
#[derive(Debug)]
struct Counting {
    source: Box<dyn TileSource>,
    read: AtomicUsize,
    keys: Mutex<Vec<TileKey>>,
}

impl Counting {
    fn open(file: &Path) -> Counting {
        let limits = lobule_slide::SlideLimits::default();
        Counting {
            source: lobule_slide::open_slide(file, &limits).unwrap(),
            read: AtomicUsize::new(0),
            keys: Mutex::new(Vec::new()),
        }
    }
}

impl TileSource for Counting {
    fn facts(&self) -> &SlideFacts {
        self.source.facts()
    }

    fn read_tile(&self, key: TileKey) -> Result<Arc<Rgb>, Error> {
        self.read.fetch_add(1, Ordering::Relaxed);
        self.keys.lock().unwrap().push(key);
        self.source.read_tile(key)
    }
}

#[test]
fn a_run_that_was_broken_off_goes_on_and_gives_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = drawn(folder.path(), plan());
    let path = folder.path().join("journal.tsv");
    let whole = assessed(&file, &options(), &mut Journal::at(&path));
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().count();
    assert!(lines > 20, "{lines}");
    // As a kill leaves it: half of the lines and a torn one.
    let kept: String = text.split_inclusive('\n').take(lines / 2).collect();
    fs::write(&path, kept + "3\t4\ttak").unwrap();
    let started = Mutex::new(None);
    let first = |done, _| {
        started.lock().unwrap().get_or_insert(done);
    };
    let source = Counting::open(&file);
    let mut models = models(&options());
    let input = input(&file);
    let again = assess_slide(
        &source,
        &input,
        &mut models,
        &mut Journal::at(&path),
        &first,
    );
    assert_eq!(again.unwrap(), whole);
    assert_eq!(started.into_inner().unwrap(), Some(lines / 2 - 2));
    let resumed = source.read.into_inner();
    // Once more: nothing but the overview, the view and the gallery is read.
    let source = Counting::open(&file);
    let third = assess_slide(
        &source,
        &input,
        &mut models,
        &mut Journal::at(&path),
        &|_, _| (),
    );
    assert_eq!(third.unwrap(), whole);
    assert!(source.read.into_inner() < resumed);
    // Another model of the same slide begins anew.
    let mut tumor_only = SlideModels::open(&model("tumor"), None, &options()).unwrap();
    let started = Mutex::new(None);
    let first = |done, _| {
        started.lock().unwrap().get_or_insert(done);
    };
    let source = open_input(&input).unwrap();
    let other = assess_slide(
        &source,
        &input,
        &mut tumor_only,
        &mut Journal::at(&path),
        &first,
    );
    assert_eq!(other.unwrap().assessment.grade, GradeOutcome::NoModel);
    assert_eq!(started.into_inner().unwrap(), Some(0));
}

#[test]
fn threads_do_not_change_the_result() {
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = drawn(folder.path(), plan());
    let with = |threads| {
        let options = SlideOptions {
            threads,
            ..options()
        };
        assessed(&file, &options, &mut Journal::none())
    };
    assert_eq!(with(1), with(3));
}

pub(crate) fn save(path: &Path, color: [u8; 3]) {
    image::RgbImage::from_pixel(1200, 1000, image::Rgb(color))
        .save(path)
        .unwrap();
}

#[test]
fn slides_without_tissue_are_not_assessable_and_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.png");
    let options = SlideOptions {
        mpp: Some(0.5),
        ..options()
    };
    save(&path, [244, 243, 245]);
    let glass = assessed(&path, &options, &mut Journal::none()).assessment;
    assert_eq!((glass.counts.taken, glass.counts.glass), (0, 30));
    assert_eq!(
        glass.grade,
        GradeOutcome::NotAssessable("expected at least 5 tiles of tumor, got 0".into())
    );
    assert!(matches!(&glass.stains, StainUse::Unfit(reason) if reason.contains("stained pixels")));
    assert_eq!(glass.warnings[0].kind, WarningKind::UnfitStains);
    assert_eq!(glass.mpp_source, MppSource::User);
    save(&path, [20, 90, 50]);
    let pen = assessed(&path, &options, &mut Journal::none()).assessment;
    assert_eq!(pen.counts.taken, 0);
    assert!(matches!(pen.grade, GradeOutcome::NotAssessable(_)));
    let strokes = PenStroke {
        points: vec![[0.5, 0.0], [0.5, 1.0]],
        width_um: 2000.0,
        color: [20, 110, 60],
    };
    let covered = SlidePlan {
        rows: 1024,
        cols: 1024,
        pens: vec![strokes],
        ..plan()
    };
    let (file, _) = drawn(folder.path(), covered);
    let all_pen = assessed(&file, &self::options(), &mut Journal::none()).assessment;
    assert_eq!(all_pen.counts.taken, 0, "{:?}", all_pen.counts);
    assert!(all_pen.counts.pen > 0);
    assert!(matches!(all_pen.grade, GradeOutcome::NotAssessable(_)));
}

/// Where the first directory of a little-endian classic TIFF holds the value of a tag.
fn value_of(bytes: &[u8], tag: u16) -> usize {
    let at = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let n = usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()));
    let entries = (0..n).map(|i| at + 2 + 12 * i);
    let found = entries
        .map(|e| &bytes[e..e + 12])
        .find(|e| e[..2] == tag.to_le_bytes());
    u32::from_le_bytes(found.unwrap()[8..12].try_into().unwrap()) as usize
}

#[test]
fn broken_slides_are_refused_or_counted_with_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    let small = SlidePlan {
        rows: 1024,
        cols: 1024,
        ..plan()
    };
    let (file, _) = drawn(folder.path(), small);
    let good = fs::read(&file).unwrap();
    let broken = folder.path().join("broken.tif");
    let write = |bytes: &[u8]| fs::write(&broken, bytes).unwrap();

    // No resolution: nothing is guessed.
    let mut bytes = good.clone();
    for tag in [282, 283] {
        let at = value_of(&good, tag);
        bytes[at..at + 4].copy_from_slice(&[0; 4]);
    }
    write(&bytes);
    let reason = refusal(&broken, &options());
    assert!(reason.contains("microns per pixel"), "{reason}");

    // The directory names itself as the next one.
    let mut bytes = good.clone();
    let at = u32::from_le_bytes(good[4..8].try_into().unwrap());
    let n = u16::from_le_bytes(good[at as usize..at as usize + 2].try_into().unwrap());
    let next = at as usize + 2 + 12 * usize::from(n);
    bytes[next..next + 4].copy_from_slice(&at.to_le_bytes());
    write(&bytes);
    let reason = refusal(&broken, &options());
    println!("cyclic: {reason}");

    // Cut anywhere, or tiles overwritten (they come before the directory): refused, or lost tiles are
    // counted; nothing breaks.
    let mut damaged: Vec<Vec<u8>> = [1, 30, 60, 90]
        .map(|share| good[..good.len() * share / 100].to_vec())
        .to_vec();
    let mut overwritten = good.clone();
    overwritten[good.len() / 8..good.len() / 2].fill(0xff);
    damaged.push(overwritten);
    for (case, bytes) in damaged.iter().enumerate() {
        write(bytes);
        let input = input(&broken);
        let result = open_input(&input).and_then(|source| {
            let mut models = models(&options());
            assess_slide(
                &source,
                &input,
                &mut models,
                &mut Journal::none(),
                &|_, _| (),
            )
        });
        assert_eq!(result.is_ok(), case + 1 == damaged.len());
        match result {
            Err(error) => {
                println!("damage {case}: {error}");
                assert_eq!(error.kind(), ErrorKind::Input);
            }
            Ok(slide) => {
                println!("damage {case}: {:?}", slide.assessment.counts);
                let assessment = slide.assessment;
                assert!(assessment.counts.unreadable > 0);
                let kinds = assessment.warnings.iter().map(|w| w.kind);
                assert!(kinds.into_iter().any(|k| k == WarningKind::UnreadableTiles));
                let lost = assessment.tiles.iter().find(|t| t.verdict == "unreadable");
                assert!(!lost.unwrap().reason.is_empty());
            }
        }
    }
}

#[test]
fn pictures_and_wrong_resolutions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.png");
    save(&path, [200, 120, 180]);
    let reason = refusal(&path, &options());
    assert!(
        reason.contains("does not state microns per pixel"),
        "{reason}"
    );
    for (mpp, expected) in [
        (0.0, "above 0"),
        (f64::NAN, "above 0"),
        (9.0, "pixels of at most"),
    ] {
        let options = SlideOptions {
            mpp: Some(mpp),
            ..options()
        };
        let reason = refusal(&path, &options);
        assert!(reason.contains(expected), "{mpp}: {reason}");
    }
    let reason = refusal(&folder.path().join("nowhere.tif"), &options());
    assert!(reason.contains("cannot be read"), "{reason}");
}

#[test]
fn models_that_do_not_fit_are_refused() {
    let (tumor, grade) = (model("tumor"), model("grade"));
    let open = |a: &Package, b: Option<&Package>, options: &SlideOptions| {
        SlideModels::open(a, b, options).err().unwrap()
    };
    let error = open(&grade, None, &options());
    assert_eq!(error.kind(), ErrorKind::Package);
    assert!(error.to_string().contains("of the task tumor"), "{error}");
    assert!(
        open(&tumor, Some(&tumor), &options())
            .to_string()
            .contains("of the task grade")
    );
    let options = SlideOptions {
        risk: Some("nine".into()),
        ..options()
    };
    let error = open(&tumor, Some(&grade), &options);
    assert_eq!(error.kind(), ErrorKind::Option);
    assert!(
        error
            .to_string()
            .contains("two-level, three-level, got `nine`"),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    for file in ["member-1.onnx", "member-2.onnx"] {
        fs::copy(grade.folder().join(file), folder.path().join(file)).unwrap();
    }
    let text = fs::read_to_string(grade.folder().join("manifest.toml")).unwrap();
    let other = text.replace("side = 224", "side = 256");
    fs::write(folder.path().join("manifest.toml"), other).unwrap();
    let other = Package::open(folder.path()).unwrap();
    let error = open(&tumor, Some(&other), &self::options());
    assert!(
        error.to_string().contains("as the tumor model's"),
        "{error}"
    );
}

#[test]
fn slides_are_told_from_the_images_of_exams() {
    let folder = tempfile::tempdir().unwrap();
    let small = SlidePlan {
        rows: 512,
        cols: 512,
        ..plan()
    };
    let (file, _) = drawn(folder.path(), small);
    let picture = folder.path().join("picture.png");
    save(&picture, [200, 120, 180]);
    fs::write(folder.path().join("notes.txt"), "no slide").unwrap();
    assert!(are_slides(&[folder.path().to_owned()]));
    assert!(!are_slides(std::slice::from_ref(&picture)));
    let found = collect_slides(&[folder.path().to_owned()], None).unwrap();
    let files: Vec<&Path> = found.slides.iter().map(|s| s.file.as_path()).collect();
    assert_eq!(files, [file.as_path()]);
    assert_eq!(found.slides[0].slide, "synthetic");
    let reasons: Vec<&str> = found.skipped.iter().map(|s| s.reason.as_str()).collect();
    assert_eq!(reasons.len(), 2);
    assert!(reasons.iter().any(|r| r.contains("state them with --mpp")));
    let found = collect_slides(&[folder.path().to_owned()], Some(0.5)).unwrap();
    assert_eq!(found.slides.len(), 2);
    let table = folder.path().join("cohort.csv");
    fs::write(&table, "slide,file,age\na,synthetic.tif,57\n").unwrap();
    assert!(are_slides(std::slice::from_ref(&table)));
    let found = collect_slides(std::slice::from_ref(&table), None).unwrap();
    assert_eq!(
        (found.columns.as_slice(), found.slides[0].extra.as_slice()),
        (&["age".to_owned()][..], &["57".to_owned()][..])
    );
    assert_eq!(found.slides[0].file, file);
    let error = collect_slides(&[table, picture], None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Manifest);
}

#[test]
fn real_slides_are_read_whole() {
    let Some(data) = std::env::var_os("LOBULE_DATA").map(PathBuf::from) else {
        println!("skipped: LOBULE_DATA names no data");
        return;
    };
    let folder = data.join("wsi_fixtures");
    let cases = [
        ("CMU-1-Small-Region.svs", None),
        ("tcga-cr-7395-01a-01-ts1.svs", Some(0.25)),
    ];
    for (name, mpp) in cases {
        let file = folder.join(name);
        if !file.is_file() {
            println!("skipped: {} is not there", file.display());
            continue;
        }
        let options = SlideOptions { mpp, ..options() };
        let result = assessed(&file, &options, &mut Journal::none());
        let assessment = result.assessment;
        println!(
            "{name}: {:?} {:?}",
            assessment.counts,
            assessment.grade.name()
        );
        assert!(!assessment.is_synthetic);
        assert!(assessment.counts.taken > 0);
        assert_eq!(assessment.counts.unreadable, 0);
        let level = (assessment.rows as f64, assessment.cols as f64);
        let view = (result.view.rows() as f64, result.view.cols() as f64);
        assert!((view.0 * result.view_step - level.0).abs() <= 2.0 * result.view_step);
        assert!((view.1 * result.view_step - level.1).abs() <= 2.0 * result.view_step);
    }
}
