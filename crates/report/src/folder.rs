//! The output folder: what lies where, and the order in which it is written.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use lobule_exam::{Assessment, ImageAssessment, Skipped, WarningKind};
use lobule_raster::{Image, Picture, StepPicture};

use crate::html::{ExamPage, WorklistRow, worklist_page};
use crate::{
    AssessmentWriter, Error, HeatMapLabel, RunInfo, SummaryWriter, UniqueNames, heat_map, safe_name,
};

const JSON: &str = "assessment.json";
const SUMMARY: &str = "summary.csv";
const PAGE: &str = "report.html";

/// Everything about one exam that is written.
#[derive(Debug, Clone, PartialEq)]
pub struct ExamRecord {
    /// The result.
    pub assessment: Assessment,
    /// The pictures, breast by breast and image by image; `None` (or a shorter list) where a
    /// picture was not kept. A sonogram's is the decoded one; a mammogram's is the one to be
    /// displayed, tissue bright (`Breast::displayed` of `raster`): it is shown as it is.
    pub pictures: Vec<Option<Picture>>,
    /// Pictures of the steps of each image's preparation, with names fit for files, in the same
    /// order; empty when not asked for.
    pub steps: Vec<Vec<StepPicture>>,
    /// Files of this exam that were not used.
    pub skipped: Vec<Skipped>,
    /// Labels and values that identify the patient, shown on the exam's page; empty unless the
    /// user asked for them.
    pub identity: Vec<(String, String)>,
}

/// Whether heat maps are written as PNG files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeatMaps {
    /// One PNG per image.
    #[default]
    Write,
    /// None.
    Omit,
}

/// What a page shows of a picture outside the sonogram, where names may be burnt in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Surroundings {
    /// A flat area.
    #[default]
    Hide,
    /// The picture as it is.
    Show,
}

/// How many exams the run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pages {
    /// One exam: `report.html` is its page.
    OneExam,
    /// Any number: `report.html` is a worklist that links to `exams/<key>/report.html`.
    #[default]
    Worklist,
}

/// How the folder is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layout {
    /// Heat maps.
    pub heat_maps: HeatMaps,
    /// Pages.
    pub pages: Pages,
    /// Outside the sonogram.
    pub surroundings: Surroundings,
}

/// An output folder that is being written. The documents carry a `.partial` ending until
/// [`Folder::finish`] has completed them, so that a broken run cannot be taken for a whole one.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    models: Vec<RunInfo>,
    layout: Layout,
    json: AssessmentWriter<BufWriter<File>>,
    summary: SummaryWriter<BufWriter<File>>,
    worklist: Vec<WorklistRow>,
    only_page: Option<ExamPage>,
    names: UniqueNames,
    skipped: Vec<Skipped>,
}

impl Folder {
    /// Creates the folder and starts its documents: what cannot be written is found here, before
    /// any exam is assessed. `models` holds one entry per modality that is assessed.
    ///
    /// # Errors
    /// When the folder or a file in it cannot be written, or there is no model.
    pub fn create(dir: &Path, models: Vec<RunInfo>, layout: Layout) -> Result<Folder, Error> {
        fs::create_dir_all(dir).map_err(|e| Error::io(dir, e))?;
        let open = |name: &str| {
            let path = partial(dir, name);
            let file = File::create(&path).map_err(|e| Error::io(&path, e))?;
            Ok(BufWriter::new(file))
        };
        let json = AssessmentWriter::new(open(JSON)?, &models)?;
        let summary = SummaryWriter::new(open(SUMMARY)?)?;
        open(PAGE)?;
        Ok(Folder {
            dir: dir.to_owned(),
            models,
            layout,
            json,
            summary,
            worklist: Vec::new(),
            only_page: None,
            names: UniqueNames::default(),
            skipped: Vec::new(),
        })
    }

    /// Writes one exam: its heat maps, its page, its part of the documents.
    ///
    /// # Errors
    /// When something cannot be written, or an exam of mammography holds an image that is none.
    pub fn add(&mut self, record: &ExamRecord) -> Result<(), Error> {
        let key = self.names.take(&safe_name(&record.assessment.exam));
        let names = image_names(&record.assessment);
        let heat_maps = self.write_heat_maps(&key, record, &names)?;
        self.write_steps(&key, record, &names)?;
        self.json.exam(&record.assessment, &heat_maps)?;
        self.summary.exam(&record.assessment)?;
        for skipped in &record.skipped {
            self.summary.skipped(skipped)?;
        }
        self.skipped.extend_from_slice(&record.skipped);
        if !record.assessment.breasts.is_empty() {
            self.write_exam_page(&key, record)?;
        }
        Ok(())
    }

    fn write_exam_page(&mut self, key: &str, record: &ExamRecord) -> Result<(), Error> {
        let info = self.model_of(record)?;
        let page = ExamPage::of(info, record, self.layout.surroundings)?;
        if self.layout.pages == Pages::OneExam {
            self.only_page = Some(page);
            return Ok(());
        }
        let link = format!("exams/{key}/{PAGE}");
        write_file(&self.dir.join(&link), page.render_page()?.as_bytes())?;
        self.worklist.push(WorklistRow::of(record, link));
        Ok(())
    }

    fn model_of(&self, record: &ExamRecord) -> Result<&RunInfo, Error> {
        let modality = record.assessment.modality;
        let found = self.models.iter().find(|m| m.model.modality == modality);
        found.ok_or_else(|| Error::format(format!("expected a model of {modality}, got none")))
    }

    fn write_heat_maps(
        &self,
        key: &str,
        record: &ExamRecord,
        names: &[String],
    ) -> Result<Vec<Option<String>>, Error> {
        if self.layout.heat_maps == HeatMaps::Omit {
            return Ok(Vec::new());
        }
        let images = record.assessment.breasts.iter().flat_map(|b| &b.images);
        let mut written = Vec::new();
        for ((image, picture), name) in images.zip(&record.pictures).zip(names) {
            let Some(picture) = picture else {
                written.push(None);
                continue;
            };
            let relative = format!("exams/{key}/{name}-heat.png");
            let label = label_of(&record.assessment, image);
            write_png(&self.dir.join(&relative), &heat_map(picture, image, label)?)?;
            written.push(Some(relative));
        }
        Ok(written)
    }

    fn write_steps(&self, key: &str, record: &ExamRecord, names: &[String]) -> Result<(), Error> {
        for (steps, name) in record.steps.iter().zip(names) {
            for (step, picture) in steps {
                let path = format!("exams/{key}/{name}-{step}.png");
                write_png(&self.dir.join(path), picture)?;
            }
        }
        Ok(())
    }

    /// Completes the documents and returns the path of `report.html`. `skipped` are the inputs
    /// that never became part of an exam.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn finish(mut self, skipped: &[Skipped]) -> Result<PathBuf, Error> {
        for one in skipped {
            self.summary.skipped(one)?;
        }
        self.skipped.extend_from_slice(skipped);
        self.summary.finish()?;
        self.json.finish(&self.skipped)?;
        let page = partial(&self.dir, PAGE);
        let text = match self.only_page {
            Some(only) => only.with_skipped(&self.skipped).render_page()?,
            None => worklist_page(&self.models, self.worklist, &self.skipped)?,
        };
        write_file(&page, text.as_bytes())?;
        for name in [JSON, SUMMARY, PAGE] {
            let (from, to) = (partial(&self.dir, name), self.dir.join(name));
            fs::rename(&from, &to).map_err(|e| Error::io(&to, e))?;
        }
        Ok(self.dir.join(PAGE))
    }
}

fn partial(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.partial"))
}

/// What the files of each image begin with, image by image.
fn image_names(exam: &Assessment) -> Vec<String> {
    let mut names = UniqueNames::default();
    let images = exam.breasts.iter().flat_map(|b| &b.images);
    images.map(|image| names.take(&image_name(image))).collect()
}

fn image_name(image: &ImageAssessment) -> String {
    let stem = safe_name(&stem(&image.file));
    match image.frame {
        0 => stem,
        frame => format!("{stem}-frame-{frame}"),
    }
}

/// A file's name without its folders and its ending. The last number of a unique identifier, or of a
/// file that is numbered, is no ending.
fn stem(file: &str) -> Cow<'_, str> {
    let path = Path::new(file);
    let is_number = |e: &OsStr| e.as_encoded_bytes().iter().all(u8::is_ascii_digit);
    let stem = match path.extension().is_some_and(is_number) {
        true => path.file_name(),
        false => path.file_stem(),
    };
    stem.map(OsStr::to_string_lossy).unwrap_or_default()
}

pub(crate) fn label_of(exam: &Assessment, image: &ImageAssessment) -> HeatMapLabel {
    let mut warnings = exam.warnings.iter().chain(&image.warnings);
    match warnings.any(|w| w.kind == WarningKind::Synthetic) {
        true => HeatMapLabel::Synthetic,
        false => HeatMapLabel::Clinical,
    }
}

pub(crate) fn write_png(path: &Path, drawing: &Image<[u8; 3]>) -> Result<(), Error> {
    let bytes = crate::html::encode_png(
        &drawing.pixels().concat(),
        drawing.rows(),
        drawing.cols(),
        image::ExtendedColorType::Rgb8,
    )?;
    write_file(path, &bytes)
}

pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
    }
    fs::write(path, bytes).map_err(|e| Error::io(path, e))
}
