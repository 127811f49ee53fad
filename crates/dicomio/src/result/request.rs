//! What objects are made from.

use dicom_core::chrono::{NaiveDate, NaiveTime};
use lobule_exam::{Assessment, BreastAssessment, ImageAssessment, Modality, OperatingPoint};

use super::ResultSource;
use crate::{Error, ErrorKind};

/// One exam's result, and what it was made from and with.
#[derive(Debug, Clone, Copy)]
pub struct ResultRequest<'a> {
    /// The images of the exam, all of one study. Those that the assessment does not name count as
    /// images that could not be used.
    pub sources: &'a [ResultSource],
    /// What came of it.
    pub outcome: Outcome<'a>,
    /// What it was made with.
    pub run: &'a ResultRun,
    /// When it was made.
    pub moment: &'a Moment,
}

/// What came of an exam.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// It was assessed; every file that the assessment names has a source of that name.
    Assessed(&'a Assessment),
    /// No image could be used.
    Failed {
        /// What the exam would have been assessed as.
        modality: Modality,
        /// Why; it holds no identifier of a patient.
        reason: &'a str,
    },
}

impl Outcome<'_> {
    /// What the exam was, or would have been, assessed as.
    pub(super) fn modality(&self) -> Modality {
        match self {
            Outcome::Assessed(assessment) => assessment.modality,
            Outcome::Failed { modality, .. } => *modality,
        }
    }
}

/// What a result was made with. Signs outside ASCII are written as `?`.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultRun {
    /// Version of the program.
    pub program_version: String,
    /// The engine that ran the model: engines agree within a tolerance, not bit by bit.
    pub engine: String,
    /// Name of the model package.
    pub model_name: String,
    /// Version of the model package.
    pub model_version: String,
    /// Digest over the package's content, in hexadecimal digits.
    pub model_digest: String,
    /// The threshold that flags a breast; none when the package carries none.
    pub operating_point: Option<OperatingPoint>,
    /// What the model's package says of its use beyond [`NOTICE`](super::NOTICE); may be empty.
    pub research_use: String,
    /// Share of malignant cases at which probabilities hold; none without calibration.
    pub prevalence: Option<f64>,
}

/// A date and a time of day as DICOM writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    date: String,
    time: String,
}

impl Moment {
    /// A moment from `YYYYMMDD` and `HHMMSS`.
    ///
    /// # Errors
    /// When a part has another form, or is no date or no time of day.
    ///
    /// ```
    /// use lobule_dicomio::result::Moment;
    /// assert!(Moment::new("20260131", "235959").is_ok());
    /// assert!(Moment::new("2026-01-31", "235959").is_err());
    /// assert!(Moment::new("20260231", "235959").is_err());
    /// assert!(Moment::new("20260131", "240000").is_err());
    /// ```
    pub fn new(date: &str, time: &str) -> Result<Moment, Error> {
        let digits = |text: &str, n| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
        let is_date = digits(date, 8) && NaiveDate::parse_from_str(date, "%Y%m%d").is_ok();
        // A leap second has no place in a result.
        let is_time = digits(time, 6)
            && !time.ends_with("60")
            && NaiveTime::parse_from_str(time, "%H%M%S").is_ok();
        if !is_date || !is_time {
            let message = format!("expected YYYYMMDD and HHMMSS, got `{date}` and `{time}`");
            return Err(Error::new(ErrorKind::Write, message));
        }
        Ok(Moment {
            date: date.to_owned(),
            time: time.to_owned(),
        })
    }

    pub(super) fn date(&self) -> &str {
        &self.date
    }

    pub(super) fn time(&self) -> &str {
        &self.time
    }
}

/// An assessed image with its breast and the file it came from.
#[derive(Clone, Copy)]
pub(super) struct Assessed<'a> {
    pub(super) breast: &'a BreastAssessment,
    pub(super) image: &'a ImageAssessment,
    pub(super) source: &'a ResultSource,
}

impl<'a> ResultRequest<'a> {
    /// The first source, once all are known to be of one study.
    pub(super) fn study(&self) -> Result<&'a ResultSource, Error> {
        let refuse = |message: &str| Err(Error::new(ErrorKind::Write, message));
        let Some(first) = self.sources.first() else {
            return refuse("expected the images that the result is of, got none");
        };
        match self.sources.iter().all(|s| s.study == first.study) {
            true => Ok(first),
            false => refuse("expected images of one study, got several studies"),
        }
    }

    /// All assessed images in the order of the assessment; none of a failed exam.
    pub(super) fn images(&self) -> Result<Vec<Assessed<'a>>, Error> {
        let Outcome::Assessed(assessment) = self.outcome else {
            return Ok(Vec::new());
        };
        let breasts = assessment.breasts.iter();
        let images =
            breasts.flat_map(|breast| breast.images.iter().map(move |image| (breast, image)));
        images
            .map(|(breast, image)| self.assessed(breast, image))
            .collect()
    }

    /// What the reader has to know beside the result, a line each; nothing of a failed exam, whose
    /// reason says it all.
    pub(super) fn notes(&self) -> Vec<String> {
        let Outcome::Assessed(assessment) = self.outcome else {
            return Vec::new();
        };
        let all = self.sources.len();
        let images = assessment.breasts.iter().flat_map(|b| &b.images);
        let is_used = |source: &&ResultSource| images.clone().any(|i| i.file == source.name);
        let unused = all - self.sources.iter().filter(is_used).count();
        let unused = (unused > 0).then(|| format!("{unused} of {all} images could not be used"));
        unused.into_iter().chain(assessment.notes()).collect()
    }

    fn assessed(
        &self,
        breast: &'a BreastAssessment,
        image: &'a ImageAssessment,
    ) -> Result<Assessed<'a>, Error> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Write, what));
        let named = self.sources.iter().find(|s| s.name == image.file);
        let Some(source) = named else {
            return refuse(format!(
                "expected a source for each image, got none for {}",
                image.file
            ));
        };
        let size = (source.rows, source.cols);
        if size != (image.rows, image.cols) || image.frame >= source.frames {
            return refuse(format!(
                "{}: expected an assessment of its {size:?} pixels and {} frames, got one of {:?} and frame {}",
                image.file,
                source.frames,
                (image.rows, image.cols),
                image.frame
            ));
        }
        Ok(Assessed {
            breast,
            image,
            source,
        })
    }
}
