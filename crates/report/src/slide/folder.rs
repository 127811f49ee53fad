//! The output folder of a run over slides.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use lobule_exam::{Skipped, SlideAssessment};
use lobule_raster::{Image, TileMark};
use serde_json::json;

use super::document::SlidesWriter;
use super::geojson::geojson;
use super::page::{SlidePage, SlideRow, slides_page};
use super::pictures::{MapOf, components, gallery, has_scores, map, qc};
use super::run::SlideRunInfo;
use super::tables::{SlideTable, tiles_csv};
use crate::folder::{write_file, write_png};
use crate::{Error, UniqueNames, safe_name};

const JSON: &str = "assessment.json";
const SUMMARY: &str = "summary.csv";
const COHORT: &str = "cohort.csv";
const PAGE: &str = "report.html";

/// Everything about one slide that is written.
#[derive(Debug, Clone, PartialEq)]
pub struct SlideRecord {
    /// The result.
    pub assessment: SlideAssessment,
    /// The slide as a picture to look at.
    pub view: Image<[u8; 3]>,
    /// Pixels of level 0 per pixel of the view.
    pub view_step: f64,
    /// The slide from afar: a color where something covers it, nothing elsewhere.
    pub tints: Image<Option<[u8; 3]>>,
    /// Squares to show, the highest score first.
    pub gallery: Vec<ShownTile>,
    /// What the user's table says of it, in the order of its columns.
    pub extra: Vec<String>,
}

/// A square of the gallery.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownTile {
    /// Row in the grid.
    pub row: usize,
    /// Column in the grid.
    pub col: usize,
    /// Its score.
    pub score: f64,
    /// Its pixels.
    pub picture: Image<[u8; 3]>,
    /// What was measured on it to explain the score.
    pub marks: Option<Image<TileMark>>,
}

/// How many slides the run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SlidePages {
    /// One: `report.html` is its page.
    OneSlide,
    /// Any number: `report.html` lists them and links to `slides/<key>/report.html`.
    #[default]
    List,
}

/// An output folder that is being written; its documents end in `.partial` until it is finished.
#[derive(Debug)]
pub struct SlideFolder {
    dir: PathBuf,
    info: SlideRunInfo,
    pages: SlidePages,
    json: SlidesWriter<BufWriter<File>>,
    summary: SlideTable<BufWriter<File>>,
    /// With the columns of the user's table, where there is one.
    cohort: Option<SlideTable<BufWriter<File>>>,
    rows: Vec<SlideRow>,
    only_page: Option<SlidePage>,
    names: UniqueNames,
    skipped: Vec<Skipped>,
}

impl SlideFolder {
    /// Creates the folder and starts its documents. `columns` are those of the user's table; with any,
    /// `cohort.csv` is written.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be written.
    pub fn create(
        dir: &Path,
        info: SlideRunInfo,
        pages: SlidePages,
        columns: &[String],
    ) -> Result<SlideFolder, Error> {
        fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
        let open = |name: &str| {
            let path = partial(dir, name);
            let file = File::create(&path).map_err(|e| Error::io(&path, e))?;
            Ok(BufWriter::new(file))
        };
        let cohort = match columns {
            [] => None,
            columns => Some(SlideTable::new(open(COHORT)?, columns)?),
        };
        Ok(SlideFolder {
            json: SlidesWriter::new(open(JSON)?, &info)?,
            summary: SlideTable::new(open(SUMMARY)?, &[])?,
            cohort,
            dir: dir.to_owned(),
            info,
            pages,
            rows: Vec::new(),
            only_page: None,
            names: UniqueNames::default(),
            skipped: Vec::new(),
        })
    }

    /// The folder of a slide inside this one; each name is given once.
    pub fn place(&mut self, slide: &str) -> PathBuf {
        let key = self.names.take(&safe_name(slide));
        self.dir.join("slides").join(key)
    }

    /// Writes a slide into its place: tables, pictures, outlines, its page.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn add(&mut self, record: &SlideRecord, place: &Path) -> Result<(), Error> {
        let (slide, info) = (&record.assessment, &self.info);
        fs::create_dir_all(place).map_err(|e| Error::io(place, e))?;
        let write = |name: &str, bytes: &[u8]| write_file(&place.join(name), bytes);
        write("tiles.csv", &tiles_csv(slide, info)?)?;
        write("tiles.geojson", geojson(slide, info).as_bytes())?;
        let tumor_map = map(record, info, MapOf::Tumor)?;
        let score_map = match has_scores(&slide.tiles) {
            true => Some(map(record, info, MapOf::Score)?),
            false => None,
        };
        let (qc, gallery) = (qc(record, info)?, gallery(record, info)?);
        let components = components(record, info)?;
        let pictures = [
            ("tumor-map.png", Some(&tumor_map)),
            ("score-map.png", score_map.as_ref()),
            ("qc.png", Some(&qc)),
            ("gallery.png", Some(&gallery)),
            ("components.png", components.as_ref()),
        ];
        let mut files = json!({"tiles": "tiles.csv", "geojson": "tiles.geojson"});
        let relative = place.strip_prefix(&self.dir).unwrap_or(place).to_owned();
        let named = |name: &str| relative.join(name).to_string_lossy().replace('\\', "/");
        for (name, picture) in pictures {
            if let Some(picture) = picture {
                write_png(&place.join(name), picture)?;
            }
            let key = name.trim_end_matches(".png").replace('-', "_");
            files[key] = picture.map(|_| named(name)).into();
        }
        files["tiles"] = named("tiles.csv").into();
        files["geojson"] = named("tiles.geojson").into();
        let shown = [
            Some(&tumor_map),
            score_map.as_ref(),
            Some(&gallery),
            components.as_ref(),
            Some(&qc),
        ];
        let page = SlidePage::of(slide, info, shown)?;
        self.json.slide(slide, info, &files)?;
        self.summary.slide(slide, &[], info)?;
        if let Some(cohort) = &mut self.cohort {
            cohort.slide(slide, &record.extra, info)?;
        }
        match self.pages {
            SlidePages::OneSlide => self.only_page = Some(page),
            SlidePages::List => {
                write_file(&place.join(PAGE), page.render_page()?.as_bytes())?;
                self.rows.push(SlideRow::of(slide, info, named(PAGE)));
            }
        }
        Ok(())
    }

    /// Notes a slide of the user's table that could not be assessed.
    ///
    /// # Errors
    /// When a table cannot be written.
    pub fn skip(&mut self, slide: &str, skipped: Skipped, extra: &[String]) -> Result<(), Error> {
        self.summary.skipped(slide, &skipped, &[])?;
        if let Some(cohort) = &mut self.cohort {
            cohort.skipped(slide, &skipped, extra)?;
        }
        self.skipped.push(skipped);
        Ok(())
    }

    /// Completes the documents and returns the path of `report.html`. `skipped` are the inputs that are
    /// no slides.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn finish(mut self, skipped: &[Skipped]) -> Result<PathBuf, Error> {
        for one in skipped {
            self.summary.skipped("", one, &[])?;
        }
        self.skipped.extend_from_slice(skipped);
        self.summary.finish()?;
        let mut names = vec![JSON, SUMMARY, PAGE];
        if let Some(cohort) = self.cohort {
            cohort.finish()?;
            names.push(COHORT);
        }
        self.json.finish(&self.skipped)?;
        let text = match self.only_page {
            Some(page) => page.with_skipped(&self.skipped).render_page()?,
            None => slides_page(&self.info, self.rows, &self.skipped)?,
        };
        write_file(&partial(&self.dir, PAGE), text.as_bytes())?;
        for name in names {
            let (from, to) = (partial(&self.dir, name), self.dir.join(name));
            fs::rename(&from, &to).map_err(|e| Error::io(&to, e))?;
        }
        Ok(self.dir.join(PAGE))
    }
}

fn partial(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.partial"))
}
