//! One slide, square by square.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use lobule_exam::{
    GradeOutcome, MppSource, Point, SlideAssessment, StainUse, TileAssessment, TileBounds,
    TileCounts, TileGrade, Warning, WarningKind,
};
use lobule_raster::{Image, Stains, TileMark, tile_input};
use lobule_slide::{
    CachedSource, GridKey, SlideLimits, Survey, TileSource, Verdict, open_slide, read_view,
    slide_stains, survey_from_afar,
};

use super::SlideInput;
use super::journal::{FoundStains, Journal, Seen, slide_identity};
use super::models::{Rules, SlideModels, Worker};
use super::{components, score};
use crate::{Error, ErrorKind};

/// Decoded tiles that are kept for the squares beside them.
const KEPT_BYTES: usize = 96 << 20;
/// Squares shown in the gallery.
const GALLERY: usize = 12;
/// Least longest side of the picture to look at, where the slide has as many pixels.
const VIEW_SIDE: usize = 1400;

/// A slide's result and what its pictures are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct AssessedSlide {
    /// The result.
    pub assessment: SlideAssessment,
    /// The slide as a picture to look at.
    pub view: Image<[u8; 3]>,
    /// Pixels of level 0 per pixel of the view.
    pub view_step: f64,
    /// The whole slide from afar: red where pen is, orange where folds are.
    pub tints: Image<Option<[u8; 3]>>,
    /// Tumor squares with the highest scores (of grade, else of tumor), the highest first.
    pub gallery: Vec<GalleryTile>,
}

/// A square that is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct GalleryTile {
    /// Row of the square in its grid.
    pub row: usize,
    /// Column of the square in its grid.
    pub col: usize,
    /// Its score.
    pub score: f64,
    /// Its pixels as they are in the slide.
    pub picture: Image<[u8; 3]>,
    /// What was measured on it to explain the score; none where tiles are too coarse for that.
    pub marks: Option<Image<TileMark>>,
}

/// Opens an input's file; tiles that neighbours share are decoded once.
///
/// # Errors
/// `Input`, with the reason.
pub fn open_input(input: &SlideInput) -> Result<CachedSource, Error> {
    let opened = catch_unwind(AssertUnwindSafe(|| {
        open_slide(&input.file, &SlideLimits::default())
    }));
    match opened {
        Ok(Ok(source)) => Ok(CachedSource::new(source, KEPT_BYTES)),
        Ok(Err(e)) => Err(Error::new(ErrorKind::Input, e.reason())),
        Err(_) => Err(Error::new(ErrorKind::Input, BREAKS)),
    }
}

const BREAKS: &str = "expected pixels that can be decoded, got some that break the decoder";

/// Assesses a slide. What the journal holds of it is not done again. `observe` is told how many of how
/// many squares are done, from any thread.
///
/// # Errors
/// `Input` for a slide that cannot be assessed while others can: without microns per pixel, too coarse,
/// broken. `Outputs` when a network gives no result, `Journal` when the journal cannot be written. A
/// square that cannot be read is no error but counted.
pub fn assess_slide(
    source: &dyn TileSource,
    input: &SlideInput,
    models: &mut SlideModels,
    journal: &mut Journal,
    observe: &(dyn Fn(usize, usize) + Sync),
) -> Result<AssessedSlide, Error> {
    let refused = |e: lobule_slide::Error| Error::new(ErrorKind::Input, e.reason());
    let SlideModels { rules, workers } = models;
    let config = rules.survey_config();
    let surveyed = catch_unwind(AssertUnwindSafe(|| survey_from_afar(source, &config)));
    let broken = |_| Error::new(ErrorKind::Input, BREAKS);
    let mut survey = surveyed.map_err(broken)?.map_err(refused)?;
    let unreadable = |e: std::io::Error| Error::new(ErrorKind::Input, e.to_string());
    let identity = slide_identity(&input.file, source.facts()).map_err(unreadable)?;
    journal.open(&format!("{identity}, {}, {config:?}", rules.identity))?;
    let stains = stains(source, &survey, rules, journal)?;
    let eye = Eye {
        source,
        survey: &survey,
        rules,
        stains: stains.as_ref(),
    };
    look(&eye, workers, journal, observe)?;
    let verdicts = journal
        .seen
        .iter()
        .map(|(key, seen)| (*key, seen.verdict.clone()));
    survey.settle(verdicts.collect::<Vec<_>>());
    finish(source, input, rules, journal, &survey)
}

/// The slide's stains, where a model wants them and they can be told apart.
fn stains(
    source: &dyn TileSource,
    survey: &Survey,
    rules: &Rules,
    journal: &mut Journal,
) -> Result<Option<Stains>, Error> {
    let known = journal.stains.clone();
    let found: FoundStains = match known {
        Some(found) => found,
        None => {
            let found = match rules.wants_stains() {
                false => Err(String::new()),
                true => slide_stains(source, &survey.grid, &survey.unsettled)
                    .map_err(|e| e.reason().to_owned()),
            };
            journal.note_stains(&found)?;
            found
        }
    };
    Ok(found.ok())
}

/// Shows the squares that are not in the journal to the networks.
fn look(
    eye: &Eye<'_>,
    workers: &mut [Worker],
    journal: &mut Journal,
    observe: &(dyn Fn(usize, usize) + Sync),
) -> Result<(), Error> {
    let unsettled = &eye.survey.unsettled;
    let is_new = |key: &&GridKey| !journal.seen.contains_key(key);
    let keys: Vec<GridKey> = unsettled.iter().filter(is_new).copied().collect();
    let (total, known) = (unsettled.len(), unsettled.len() - keys.len());
    observe(known, total);
    let (next, done, stopped) = (
        AtomicUsize::new(0),
        AtomicUsize::new(known),
        AtomicBool::new(false),
    );
    let notes = Mutex::new((journal, Ok(())));
    let see_all = |worker: &mut Worker| {
        while let Some(&key) = keys.get(next.fetch_add(1, Ordering::Relaxed)) {
            let seen = eye.see(key, worker);
            let mut notes = locked(&notes);
            if let Err(error) = seen.and_then(|seen| notes.0.note(key, seen)) {
                notes.1 = Err(error);
                stopped.store(true, Ordering::Relaxed);
            }
            drop(notes);
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            observe(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        }
    };
    let see_all = &see_all;
    std::thread::scope(|scope| {
        for worker in workers {
            scope.spawn(move || see_all(worker));
        }
    });
    notes.into_inner().unwrap_or_else(|e| e.into_inner()).1
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

/// What all threads look with.
struct Eye<'a> {
    source: &'a dyn TileSource,
    survey: &'a Survey,
    rules: &'a Rules,
    stains: Option<&'a Stains>,
}

impl Eye<'_> {
    fn see(&self, key: GridKey, worker: &mut Worker) -> Result<Seen, Error> {
        let read = || self.survey.grid.read(self.source, key);
        let Ok(tile) = catch_unwind(AssertUnwindSafe(read)) else {
            return Ok(Seen::unused(Verdict::Unreadable(BREAKS.into())));
        };
        let verdict = self.survey.judge(key, &tile);
        let Ok(tile) = tile else {
            return Ok(Seen::unused(verdict));
        };
        if verdict != Verdict::Taken {
            return Ok(Seen::unused(verdict));
        }
        let (prepare, grade_prepare) = (&self.rules.prepare, &self.rules.grade_prepare);
        let input = tile_input(&tile, self.stains, prepare);
        let tumor = worker.tumor.score(&input)?;
        let is_tumor = mean(&tumor) >= self.rules.tumor.threshold;
        let grade = match &mut worker.grade {
            Some(network) if is_tumor && prepare == grade_prepare => network.score(&input)?,
            Some(network) if is_tumor => {
                network.score(&tile_input(&tile, self.stains, grade_prepare))?
            }
            Some(_) | None => Vec::new(),
        };
        let components = match is_tumor {
            true => components::of_tile(&tile, self.survey, self.stains),
            false => None,
        };
        Ok(Seen {
            verdict,
            tumor,
            grade,
            components,
        })
    }
}

impl Seen {
    fn unused(verdict: Verdict) -> Seen {
        Seen {
            verdict,
            tumor: Vec::new(),
            grade: Vec::new(),
            components: None,
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

fn finish(
    source: &dyn TileSource,
    input: &SlideInput,
    rules: &Rules,
    journal: &Journal,
    survey: &Survey,
) -> Result<AssessedSlide, Error> {
    let facts = source.facts();
    let tiles: Vec<TileAssessment> = survey
        .verdicts
        .iter()
        .filter(|(_, verdict)| **verdict != Verdict::Glass)
        .map(|(key, verdict)| tile(source, survey, rules, journal, *key, verdict))
        .collect();
    let counts = counts(survey, &tiles);
    let (stains, warnings) = notes(rules, journal, &counts);
    let stated = facts.mpp.as_ref().map(|mpp| mpp.microns()).ok();
    let mpp = rules.mpp.or(stated).unwrap_or(f64::NAN);
    let (view, view_mpp) = view(source, survey, rules.mpp, mpp)?;
    let assessment = SlideAssessment {
        slide: input.slide.clone(),
        file: input.file.display().to_string(),
        format: facts.format.name().to_owned(),
        rows: facts.levels[0].rows,
        cols: facts.levels[0].cols,
        mpp,
        mpp_source: match rules.mpp {
            Some(_) => MppSource::User,
            None => MppSource::File,
        },
        stains,
        counts,
        grade: match &rules.grade {
            Some(grading) => score::grade(&tiles, grading)?,
            None => GradeOutcome::NoModel,
        },
        components: components::of_slide(survey, journal),
        is_synthetic: facts.is_synthetic,
        tiles,
        warnings,
    };
    Ok(AssessedSlide {
        gallery: gallery(source, survey, known_stains(journal), &assessment.tiles),
        tints: survey.tints(),
        view,
        view_step: view_mpp / mpp,
        assessment,
    })
}

/// A picture to look at and its microns per pixel: the overview, or, of a small slide, one that is
/// finer.
fn view(
    source: &dyn TileSource,
    survey: &Survey,
    given: Option<f64>,
    mpp: f64,
) -> Result<(Image<[u8; 3]>, f64), Error> {
    let overview = &survey.overview;
    if overview.rows().max(overview.cols()) >= VIEW_SIDE {
        return Ok((overview.clone(), survey.overview_mpp()));
    }
    let level = &source.facts().levels[0];
    let wanted = mpp * (level.rows.max(level.cols) as f64 / VIEW_SIDE as f64).max(1.0);
    let refused = |e: lobule_slide::Error| Error::new(ErrorKind::Input, e.reason());
    let (view, view_mpp) = read_view(source, given, wanted).map_err(refused)?;
    Ok((view, view_mpp.microns()))
}

fn tile(
    source: &dyn TileSource,
    survey: &Survey,
    rules: &Rules,
    journal: &Journal,
    key: GridKey,
    verdict: &Verdict,
) -> TileAssessment {
    let seen = journal.seen.get(&key).filter(|seen| !seen.tumor.is_empty());
    let tumor = seen.map(|seen| mean(&seen.tumor));
    let graded = seen.filter(|seen| !seen.grade.is_empty());
    TileAssessment {
        row: key.row,
        col: key.col,
        bounds: bounds(source, survey, key),
        verdict: verdict.name(),
        reason: match verdict {
            Verdict::Unreadable(reason) => reason.clone(),
            _ => String::new(),
        },
        tumor,
        is_tumor: tumor.is_some_and(|p| p >= rules.tumor.threshold),
        grade: graded.map(|seen| TileGrade {
            score: mean(&seen.grade),
            members: seen.grade.clone(),
        }),
    }
}

/// The outer edges of a square in level 0.
fn bounds(source: &dyn TileSource, survey: &Survey, key: GridKey) -> TileBounds {
    let slide_from_tile = survey.grid.slide_from_tile(source, key);
    let side = survey.grid.config().side as f64;
    let corner = |at: f64| {
        let at = at - 0.5;
        slide_from_tile.apply(Point { row: at, col: at })
    };
    let (first, last) = (corner(0.0), corner(side));
    TileBounds {
        top: first.row + 0.5,
        left: first.col + 0.5,
        bottom: last.row + 0.5,
        right: last.col + 0.5,
    }
}

fn counts(survey: &Survey, tiles: &[TileAssessment]) -> TileCounts {
    TileCounts {
        taken: survey.count("taken"),
        tumor: tiles.iter().filter(|t| t.is_tumor).count(),
        glass: survey.count("glass"),
        pen: survey.count("pen"),
        fold: survey.count("fold"),
        blur: survey.count("blur"),
        unreadable: survey.count("unreadable"),
    }
}

fn notes(rules: &Rules, journal: &Journal, counts: &TileCounts) -> (StainUse, Vec<Warning>) {
    let mut warnings = Vec::new();
    let mut warn = |kind, message| warnings.push(Warning { kind, message });
    let stains = match &journal.stains {
        _ if !rules.wants_stains() => StainUse::NotAsked,
        Some(Err(reason)) => {
            let message = format!("the stains were left as they are: {reason}");
            warn(WarningKind::UnfitStains, message);
            StainUse::Unfit(reason.clone())
        }
        Some(Ok(_)) | None => StainUse::Normalized,
    };
    if counts.unreadable > 0 {
        let (n, of) = (counts.unreadable, counts.unreadable + counts.taken);
        let message = format!("{n} of {of} tiles cannot be decoded: tiles.csv says why");
        warn(WarningKind::UnreadableTiles, message);
    }
    (stains, warnings)
}

fn known_stains(journal: &Journal) -> Option<&Stains> {
    journal.stains.as_ref()?.as_ref().ok()
}

/// Tumor squares with the highest scores; ties in their order.
fn gallery(
    source: &dyn TileSource,
    survey: &Survey,
    stains: Option<&Stains>,
    tiles: &[TileAssessment],
) -> Vec<GalleryTile> {
    let score = |t: &TileAssessment| t.grade.as_ref().map(|g| g.score).or(t.tumor);
    let tumor = tiles.iter().filter(|t| t.is_tumor);
    let mut best: Vec<(&TileAssessment, f64)> =
        tumor.filter_map(|t| Some((t, score(t)?))).collect();
    best.sort_by(|a, b| b.1.total_cmp(&a.1));
    let shown = |(tile, score): (&TileAssessment, f64)| {
        let (row, col) = (tile.row, tile.col);
        let read = || survey.grid.read(source, GridKey { row, col }).ok();
        let picture = catch_unwind(AssertUnwindSafe(read)).ok()??;
        Some(GalleryTile {
            row,
            col,
            score,
            marks: components::marks(&picture, survey, stains),
            picture,
        })
    };
    best.into_iter().take(GALLERY).filter_map(shown).collect()
}
