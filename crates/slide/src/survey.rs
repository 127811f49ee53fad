//! Which squares of a slide are worth a network's look, and a picture that shows why others are not.
//!
//! Owns: the overview, the verdict on each square, the picture of both. Does not own: how tissue,
//! pen, folds and blur are recognised (`raster`).

use std::collections::BTreeMap;
use std::sync::Mutex;

use lobule_exam::PixelBox;
use lobule_raster::{Image, TissueClass, TissueConfig, TissueMap, find_tissue, sharpness};

use crate::error::too_large;
use crate::source::GLASS;
use crate::{Error, GridConfig, GridKey, Mpp, Rgb, TileGrid, TileSource, for_each_tile};

/// Side of the squares that the overview is read in: what is in memory for each stays small.
const OVERVIEW_SIDE: usize = 64;
/// Most pixels of an overview.
const MAX_OVERVIEW_PIXELS: usize = 64 << 20;

/// How squares are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct SurveyConfig {
    /// The squares.
    pub grid: GridConfig,
    /// The overview and what is tissue on it.
    pub tissue: TissueConfig,
    /// Microns per pixel of level 0 where the user knows better than the file.
    pub finest_mpp: Option<f64>,
    /// Least share of tissue in a square.
    pub least_tissue: f64,
    /// Largest share of pen.
    pub most_pen: f64,
    /// Largest share of folds.
    pub most_fold: f64,
    /// Least [`sharpness`].
    pub least_sharpness: f64,
}

impl Default for SurveyConfig {
    /// Half tissue, a twentieth pen, a quarter folds, sharpness of at least 0.015.
    fn default() -> SurveyConfig {
        SurveyConfig {
            grid: GridConfig::default(),
            tissue: TissueConfig::default(),
            finest_mpp: None,
            least_tissue: 0.5,
            most_pen: 0.05,
            most_fold: 0.25,
            least_sharpness: 0.015,
        }
    }
}

/// What becomes of a square.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Tissue in focus.
    Taken,
    /// Too little tissue.
    Glass,
    /// Pen on it.
    Pen,
    /// Folded tissue.
    Fold,
    /// Out of focus.
    Blur,
    /// Its pixels cannot be decoded, and why.
    Unreadable(String),
}

impl Verdict {
    /// The name for people and tables.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Taken => "taken",
            Verdict::Glass => "glass",
            Verdict::Pen => "pen",
            Verdict::Fold => "fold",
            Verdict::Blur => "blur",
            Verdict::Unreadable(_) => "unreadable",
        }
    }

    /// The outline in the picture; none for glass.
    fn color(&self) -> Option<[u8; 3]> {
        match self {
            Verdict::Taken => Some([0, 140, 60]),
            Verdict::Glass => None,
            Verdict::Pen => Some([210, 0, 0]),
            Verdict::Fold => Some([240, 130, 0]),
            Verdict::Blur => Some([0, 70, 220]),
            Verdict::Unreadable(_) => Some([0, 0, 0]),
        }
    }
}

/// A slide that was looked over.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// The squares' geometry.
    pub grid: TileGrid,
    /// The verdict on every square.
    pub verdicts: BTreeMap<GridKey, Verdict>,
    /// The slide from afar; what could not be read is glass.
    pub overview: Rgb,
    /// What is tissue on it.
    pub tissue: TissueMap,
    /// Squares without a verdict: they look like tissue from afar and were not read yet.
    pub unsettled: Vec<GridKey>,
    /// Pixels of the overview per pixel of the grid.
    overview_scale: f64,
    config: SurveyConfig,
}

/// Looks a slide over: reads it from afar, judges every square by that, and reads those with tissue
/// to see whether they are sharp.
///
/// # Errors
/// `NoScale` where microns per pixel are not known, `TooLarge` for an overview beyond 64 million
/// pixels, `Address` for an impossible grid. A square that cannot be read is no error but a verdict.
pub fn survey(source: &dyn TileSource, config: &SurveyConfig) -> Result<Survey, Error> {
    let mut survey = survey_from_afar(source, config)?;
    let verdicts = Mutex::new(Vec::new());
    for_each_tile(source, &survey.grid, &survey.unsettled, |key, tile| {
        let verdict = survey.judge(key, &tile);
        let mut verdicts = verdicts.lock().unwrap_or_else(|e| e.into_inner());
        verdicts.push((key, verdict));
    });
    survey.settle(verdicts.into_inner().unwrap_or_else(|e| e.into_inner()));
    Ok(survey)
}

/// The same without reading single squares: those that may be taken stay in [`Survey::unsettled`], for
/// whoever reads them anyway to [`Survey::judge`].
///
/// # Errors
/// As [`survey`](survey()).
pub fn survey_from_afar(source: &dyn TileSource, config: &SurveyConfig) -> Result<Survey, Error> {
    let gridded = |grid: GridConfig| match config.finest_mpp {
        Some(microns) => TileGrid::with_mpp(source, grid, Mpp::new(microns)?),
        None => TileGrid::new(source, grid),
    };
    let grid = gridded(config.grid)?;
    let far = gridded(from_far(config.tissue.mpp))?;
    let (overview, lost) = read_overview(source, &far)?;
    let seen = TissueConfig {
        mpp: far.mpp().microns(),
        ..config.tissue
    };
    let tissue = find_tissue(&overview, &seen)?;
    let overview_scale = grid.mpp().microns() / far.mpp().microns();
    let mut verdicts = BTreeMap::new();
    let mut unsettled = Vec::new();
    for key in grid.keys() {
        let place = on_overview(grid.place(key), overview_scale, &overview);
        let is_lost = lost.iter().any(|part| part.intersect(place).area() > 0);
        match from_afar(&tissue, place, config) {
            Verdict::Taken => unsettled.push(key),
            _ if is_lost => unsettled.push(key),
            verdict => drop(verdicts.insert(key, verdict)),
        }
    }
    Ok(Survey {
        grid,
        verdicts,
        overview,
        tissue,
        unsettled,
        overview_scale,
        config: config.clone(),
    })
}

fn from_far(mpp: f64) -> GridConfig {
    GridConfig {
        side: OVERVIEW_SIDE,
        overlap: 0,
        mpp,
    }
}

/// The whole slide at the wanted microns per pixel, and those it has: a picture to look at. What cannot
/// be read is glass. `finest_mpp` is for a slide whose file does not state microns per pixel.
///
/// # Errors
/// As [`survey`](survey()).
pub fn read_view(
    source: &dyn TileSource,
    finest_mpp: Option<f64>,
    mpp: f64,
) -> Result<(Rgb, Mpp), Error> {
    let grid = match finest_mpp {
        Some(microns) => TileGrid::with_mpp(source, from_far(mpp), Mpp::new(microns)?),
        None => TileGrid::new(source, from_far(mpp)),
    }?;
    let (view, _) = read_overview(source, &grid)?;
    Ok((view, grid.mpp()))
}

/// The slide from afar, and the parts of it that could not be read.
fn read_overview(source: &dyn TileSource, far: &TileGrid) -> Result<(Rgb, Vec<PixelBox>), Error> {
    let (rows, cols) = far.size();
    if rows.saturating_mul(cols) > MAX_OVERVIEW_PIXELS {
        return Err(too_large(format!(
            "expected an overview of at most {MAX_OVERVIEW_PIXELS} pixels, got {rows} × {cols}"
        )));
    }
    let shared = Mutex::new((Image::filled(rows, cols, GLASS), Vec::new()));
    for_each_tile(source, far, &far.keys(), |key, tile| {
        let place = far.place(key).intersect(PixelBox::whole(rows, cols));
        let mut shared = shared.lock().unwrap_or_else(|e| e.into_inner());
        let Ok(tile) = tile else {
            shared.1.push(place);
            return;
        };
        for row in 0..place.rows {
            let start = (place.row + row) * cols + place.col;
            let line = &tile.row(row)[..place.cols];
            shared.0.pixels_mut()[start..start + place.cols].copy_from_slice(line);
        }
    });
    Ok(shared.into_inner().unwrap_or_else(|e| e.into_inner()))
}

/// The part of the overview that a square covers, at least one pixel.
fn on_overview(place: PixelBox, scale: f64, overview: &Rgb) -> PixelBox {
    let at = |pixel: usize| (pixel as f64 * scale).round() as usize;
    let (row, col) = (
        at(place.row).min(overview.rows().saturating_sub(1)),
        at(place.col).min(overview.cols().saturating_sub(1)),
    );
    PixelBox {
        row,
        col,
        rows: (at(place.row_end()) - at(place.row)).max(1),
        cols: (at(place.col_end()) - at(place.col)).max(1),
    }
}

/// What sticks out of the slide is glass.
fn from_afar(map: &TissueMap, place: PixelBox, config: &SurveyConfig) -> Verdict {
    let seen = map.classes.crop(place);
    let share = |class: TissueClass| {
        let count = seen.pixels().iter().filter(|&&c| c == class).count();
        count as f64 / place.area() as f64
    };
    let (pen, fold, tissue) = (
        share(TissueClass::Pen),
        share(TissueClass::Fold),
        share(TissueClass::Tissue),
    );
    match () {
        _ if pen > config.most_pen => Verdict::Pen,
        _ if tissue + fold < config.least_tissue => Verdict::Glass,
        _ if fold > config.most_fold => Verdict::Fold,
        _ => Verdict::Taken,
    }
}

impl Survey {
    /// The verdict on a square that was read.
    pub fn judge(&self, key: GridKey, tile: &Result<Rgb, Error>) -> Verdict {
        match tile {
            Err(reason) => Verdict::Unreadable(reason.reason().to_owned()),
            Ok(tile) if sharpness(tile) < self.config.least_sharpness => Verdict::Blur,
            Ok(_) => from_afar(&self.tissue, self.on_overview(key), &self.config),
        }
    }

    /// Takes verdicts over; their squares are no longer unsettled.
    pub fn settle(&mut self, verdicts: impl IntoIterator<Item = (GridKey, Verdict)>) {
        self.verdicts.extend(verdicts);
        let verdicts = &self.verdicts;
        self.unsettled.retain(|key| !verdicts.contains_key(key));
    }

    /// Microns per pixel of the overview.
    pub fn overview_mpp(&self) -> f64 {
        self.grid.mpp().microns() / self.overview_scale
    }

    /// The part of the overview that a square covers; may stick out of it.
    pub fn on_overview(&self, key: GridKey) -> PixelBox {
        on_overview(self.grid.place(key), self.overview_scale, &self.overview)
    }

    /// The squares worth a look, row by row.
    pub fn taken(&self) -> Vec<GridKey> {
        let taken = self.verdicts.iter().filter(|(_, v)| **v == Verdict::Taken);
        taken.map(|(key, _)| *key).collect()
    }

    /// How many squares got a verdict of this name.
    pub fn count(&self, name: &str) -> usize {
        self.verdicts.values().filter(|v| v.name() == name).count()
    }

    /// On the overview, red where pen is and orange where folds are; nothing elsewhere.
    pub fn tints(&self) -> Image<Option<[u8; 3]>> {
        self.tissue.classes.map(|class| match class {
            TissueClass::Pen => Some([210, 0, 0]),
            TissueClass::Fold => Some([240, 130, 0]),
            TissueClass::Glass | TissueClass::Tissue => None,
        })
    }

    /// The overview with pen tinted red and folds orange, and squares outlined: green taken, red pen,
    /// orange fold, blue blur, black unreadable; glass has no outline.
    pub fn qc_picture(&self) -> Rgb {
        let tints = self.tints();
        let mut picture = Image::from_fn(self.overview.rows(), self.overview.cols(), |row, col| {
            let pixel = self.overview.at(row, col);
            tints.at(row, col).map_or(pixel, |tint| tinted(pixel, tint))
        });
        for (key, verdict) in &self.verdicts {
            if let Some(color) = verdict.color() {
                outline(&mut picture, self.on_overview(*key), color);
            }
        }
        picture
    }
}

fn tinted(pixel: [u8; 3], color: [u8; 3]) -> [u8; 3] {
    [0, 1, 2].map(|c| ((u16::from(pixel[c]) + u16::from(color[c])) / 2) as u8)
}

/// A line of one pixel inside the box, one pixel in, so that neighbours' lines lie side by side.
fn outline(picture: &mut Rgb, place: PixelBox, color: [u8; 3]) {
    let inside = place.intersect(PixelBox::whole(picture.rows(), picture.cols()));
    for row in inside.row..inside.row_end() {
        for col in inside.col..inside.col_end() {
            let is_edge = row == place.row
                || col == place.col
                || row + 1 == place.row_end()
                || col + 1 == place.col_end();
            if is_edge {
                picture.set(row, col, color);
            }
        }
    }
}
