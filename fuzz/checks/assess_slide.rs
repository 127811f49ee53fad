//! What must hold for any bytes given as a slide that is assessed: looked over from afar, its stains
//! estimated, its squares shown to networks, the journal read again.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use lobule_assess::ErrorKind;
use lobule_assess::slide::{
    AssessedSlide, Journal, SlideInput, SlideModels, SlideOptions, assess_slide,
};
use lobule_engine::EngineKind;
use lobule_package::Package;
use lobule_slide::{CachedSource, SlideLimits, open_slide};

/// Small, so that a file that claims more is soon beyond it: at most two million pixels.
const LIMITS: SlideLimits = SlideLimits {
    max_tile_pixels: 1 << 16,
    max_tiles: 1 << 5,
};
/// Decoded tiles that are kept.
const KEPT_BYTES: usize = 8 << 20;
/// Whatever the file says: a square of the models is then 224 pixels.
const MICRONS: f64 = 0.5;

/// What `LIMITS` allows of decoded pixels, several copies of them, and what decoders set aside
/// whatever the size.
pub const MOST_BYTES: usize = 64 << 20;

thread_local! {
    /// Two formulas instead of networks, opened once.
    static MODELS: RefCell<Option<SlideModels>> = const { RefCell::new(None) };
}

/// An assessment whose parts agree, the same again from its journal, or an error with a reason;
/// whether the slide could be assessed.
pub fn run(bytes: &[u8], folder: &Path) -> bool {
    assessed(bytes, folder).is_some()
}

/// The assessment of a slide with these bytes.
pub fn assessed(bytes: &[u8], folder: &Path) -> Option<AssessedSlide> {
    let file = folder.join("assessed");
    let journal = folder.join("journal.tsv");
    std::fs::write(&file, bytes).expect("the folder can be written to");
    let first = assess(&file, &mut Journal::at(&journal));
    if let Some(first) = &first {
        check(first);
        let again = assess(&file, &mut Journal::at(&journal));
        assert_eq!(
            again.as_ref(),
            Some(first),
            "the journal says something else"
        );
    }
    let _ = std::fs::remove_file(journal);
    first
}

fn assess(file: &Path, journal: &mut Journal) -> Option<AssessedSlide> {
    let source = match open_slide(file, &LIMITS) {
        Ok(source) => CachedSource::new(source, KEPT_BYTES),
        Err(error) => {
            assert!(!error.reason().is_empty(), "{:?}", error.kind());
            return None;
        }
    };
    let input = SlideInput {
        slide: "one".to_owned(),
        file: file.to_owned(),
        extra: Vec::new(),
    };
    let result = MODELS.with_borrow_mut(|models| {
        let models = models.get_or_insert_with(open_models);
        assess_slide(&source, &input, models, journal, &|_, _| ())
    });
    match result {
        Ok(result) => Some(result),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Input, "{error}");
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

/// Squares, their number and their scores.
fn check(result: &AssessedSlide) {
    let (tiles, counts) = (&result.assessment.tiles, &result.assessment.counts);
    let named = |name: &str| tiles.iter().filter(|t| t.verdict == name).count();
    assert_eq!(counts.taken, named("taken"));
    assert_eq!(counts.unreadable, named("unreadable"));
    assert_eq!(counts.tumor, tiles.iter().filter(|t| t.is_tumor).count());
    for tile in tiles {
        assert_eq!(tile.tumor.is_some(), tile.verdict == "taken", "{tile:?}");
        let grade = tile.grade.as_ref().map(|grade| grade.score);
        let mut scores = tile.tumor.iter().chain(&grade);
        assert!(scores.all(|s| (0.0..=1.0).contains(s)), "{tile:?}");
    }
    assert!(result.gallery.len() <= counts.tumor);
}

fn open_models() -> SlideModels {
    let folder = models_folder();
    let package = |task: &str| Package::open(folder.join(task)).expect("a package of the tests");
    let options = SlideOptions {
        engine: Some(EngineKind::Rten),
        threads: 1,
        mpp: Some(MICRONS),
        ..SlideOptions::default()
    };
    SlideModels::open(&package("tumor"), Some(&package("grade")), &options).expect("two models")
}

/// From the fuzzer's own folder, and from that of the crate that replays.
fn models_folder() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut models = here.map(|above| above.join("crates/assess/tests/slide-models"));
    models
        .find(|folder| folder.is_dir())
        .expect("the repository")
}
