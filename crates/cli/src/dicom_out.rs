//! `lobule assess --dicom-out`: results as DICOM objects and a FHIR bundle, a folder per exam.
//!
//! Owns: which exams have such results, their files, the list of them (`exams.csv`). Does not own:
//! what the objects hold (`dicomio::result`).
//!
//! The name of a file holds its unique identifier, and one identifier always has the same bytes: a
//! file that is there already is left as it is, with the date of the run that wrote it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use lobule_assess::{AssessedExam, ExamInputs};
use lobule_dicomio::result::{
    Moment, Outcome, ResultRequest, ResultRun, ResultSource, all, encapsulated_pdf, fhir_bundle,
};
use lobule_raster::Limits;
use lobule_report::{RunInfo, UniqueNames, exam_pdf, safe_name};

use crate::failure::Failure;
use crate::setup::check_output;

/// The list of exams inside the folder.
const LIST: &str = "exams.csv";

/// A folder of DICOM results that is being written.
pub(crate) struct DicomOut {
    folder: PathBuf,
    moment: Moment,
    names: UniqueNames,
    list: csv::Writer<File>,
    /// Exams without results.
    pub(crate) without: usize,
}

impl DicomOut {
    /// All results of a run bear one date and time: those of this call, by the clock of the place.
    pub(crate) fn create(folder: &Path) -> Result<DicomOut, Failure> {
        check_output(folder)?;
        let now = chrono::Local::now();
        let [date, time] = ["%Y%m%d", "%H%M%S"].map(|form| now.format(form).to_string());
        let moment = Moment::new(&date, &time);
        let list = folder.join(LIST);
        let mut out = DicomOut {
            folder: folder.to_owned(),
            moment: moment.map_err(|e| Failure::unexpected(e.to_string()))?,
            names: UniqueNames::default(),
            list: csv::Writer::from_path(&list).map_err(|e| Failure::unwritten(&list, e))?,
            without: 0,
        };
        out.say(["exam", "modality", "result", "folder", "files", "reason"])?;
        Ok(out)
    }

    /// Writes the results of an exam, or says why it has none.
    pub(crate) fn add(
        &mut self,
        exam: &AssessedExam,
        inputs: &ExamInputs,
        run: &RunInfo,
    ) -> Result<(), Failure> {
        let failure = failure(exam);
        let outcome = match &failure {
            None => Outcome::Assessed(&exam.assessment),
            Some(reason) => Outcome::Failed {
                modality: inputs.modality,
                reason,
            },
        };
        let (key, modality) = (&exam.assessment.exam, inputs.modality.name());
        match self.files(exam, inputs, outcome, run) {
            Ok(files) => {
                let name = self.names.take(&safe_name(key));
                write_all(&self.folder.join(&name), &files)?;
                let word = failure.as_ref().map_or("assessed", |_| "failed");
                let count = files.len().to_string();
                let reason = failure.unwrap_or_default();
                self.say([key, modality, word, &name, &count, &reason])
            }
            Err(reason) => {
                self.without += 1;
                tracing::info!(exam = %key, "no DICOM results: {LIST} says why");
                self.say([key, modality, "none", "", "0", &reason])
            }
        }
    }

    /// What is to be written, or the reason why there is nothing.
    fn files(
        &self,
        exam: &AssessedExam,
        inputs: &ExamInputs,
        outcome: Outcome<'_>,
        run: &RunInfo,
    ) -> Result<Vec<ResultFile>, String> {
        if let Some(picture) = inputs.files().find(|file| !file.is_dicom()) {
            let name = &picture.name;
            return Err(format!("expected DICOM images, got the picture {name}"));
        }
        let read = |error: lobule_dicomio::Error| error.to_string();
        let sources = inputs
            .files()
            .map(|file| ResultSource::read(&file.path, &file.name));
        let sources = sources.collect::<Result<Vec<_>, _>>().map_err(read)?;
        let request = ResultRequest {
            sources: &sources,
            outcome,
            run: &result_run(run),
            moment: &self.moment,
        };
        let mut objects = all(&request, &Limits::default()).map_err(read)?;
        if let Outcome::Assessed(assessment) = outcome {
            let pdf = exam_pdf(assessment, &exam.pictures, run).map_err(|e| e.to_string())?;
            objects.push(encapsulated_pdf(&request, pdf).map_err(read)?);
        }
        let mut files = Vec::new();
        for object in objects {
            files.push(ResultFile {
                name: object.file_name(),
                bytes: object.to_bytes().map_err(read)?,
            });
        }
        let bundle = fhir_bundle(&request).map_err(read)?;
        files.push(ResultFile {
            name: bundle.file_name,
            bytes: bundle.json.into_bytes(),
        });
        Ok(files)
    }

    fn say(&mut self, row: [&str; 6]) -> Result<(), Failure> {
        let path = self.folder.join(LIST);
        let written = self.list.write_record(row).map_err(csv::Error::into);
        let written: std::io::Result<()> = written.and_then(|()| self.list.flush());
        written.map_err(|e| Failure::unwritten(&path, e))
    }
}

struct ResultFile {
    name: String,
    bytes: Vec<u8>,
}

/// Why no image of an exam could be used; none when one could. File names are left out: they may
/// name a patient.
fn failure(exam: &AssessedExam) -> Option<String> {
    if !exam.assessment.breasts.is_empty() {
        return None;
    }
    let reasons: BTreeSet<&str> = exam.skipped.iter().map(|s| s.reason.as_str()).collect();
    let reasons: Vec<&str> = reasons.into_iter().collect();
    Some(reasons.join("; "))
}

fn result_run(run: &RunInfo) -> ResultRun {
    ResultRun {
        program_version: run.program_version.clone(),
        engine: run.model.engine.clone(),
        model_name: run.model.name.clone(),
        model_version: run.model.version.clone(),
        model_digest: run.model.digest.clone(),
        operating_point: run.operating_point.clone(),
        research_use: run.model.words_beyond_notice().to_owned(),
        prevalence: run.calibration.prevalence(),
    }
}

/// Each file appears whole or not at all; one that is there is left as it is.
fn write_all(folder: &Path, files: &[ResultFile]) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|e| Failure::unwritten(folder, e))?;
    for file in files {
        let path = folder.join(&file.name);
        if path.exists() {
            continue;
        }
        let part = folder.join(format!("{}.part", file.name));
        let written = fs::write(&part, &file.bytes).and_then(|()| fs::rename(&part, &path));
        written.map_err(|e| Failure::unwritten(&path, e))?;
    }
    Ok(())
}
