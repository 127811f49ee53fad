//! The streaming run: readers, batches across exams, results in the order of the inputs.
//!
//! Files are dealt to the reader threads in turn, each with a short channel of its own; taking
//! from the channels in the same turn restores the order, and no reader can run ahead. A thread of
//! its own fills batches of network inputs across exams, runs them, and hands each exam to the
//! calling thread as soon as its last image has been run: results are written meanwhile.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use lobule_exam::{Assessment, Medium, Side, Skipped, View};
use lobule_package::{FindingThresholds, Manifest, Prepare};
use lobule_raster::{Picture, StepPicture};

use crate::collect::{ExamInputs, FileInput, Inputs};
use crate::ensemble::ImageOutputs;
use crate::load::{LoadedImage, load};
use crate::result::{RunImage, assessment};
use crate::{Error, ErrorKind, Judgement, Networks};

/// Prepared files that may wait per reader, which then holds one more; of large inputs none waits.
const WAITING_FILES: usize = 2;
/// Finished exams that may wait to be handed over.
const WAITING_EXAMS: usize = 2;

/// What is kept of a decoded picture until its exam is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Nothing but numbers.
    Nothing,
    /// The picture, for heat maps and pages.
    #[default]
    Pictures,
    /// The picture, and pictures of the steps of its preparation.
    PicturesAndSteps,
}

/// How a run is carried out; none of it changes a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Images per run of a member; at least 1.
    pub batch: usize,
    /// Threads that read and prepare; at least 1, and one where the networks' input is large.
    pub readers: usize,
    /// What is kept.
    pub keep: Keep,
}

impl Default for Options {
    fn default() -> Options {
        // Batches are no faster on a CPU, and each member keeps the memory of one.
        Options {
            batch: 1,
            readers: 2,
            keep: Keep::default(),
        }
    }
}

/// Everything that turns an exam of one modality into its assessment.
pub struct Assessor {
    pub(crate) networks: Networks,
    pub(crate) judgement: Judgement,
    pub(crate) finding_thresholds: FindingThresholds,
    prepare: Prepare,
    views_trained: Vec<View>,
    media_trained: Vec<Medium>,
    options: Options,
}

impl Assessor {
    /// Joins the parts; the preparation comes from the manifest.
    pub fn new(
        manifest: &Manifest,
        networks: impl Into<Networks>,
        judgement: Judgement,
        options: Options,
    ) -> Assessor {
        Assessor {
            networks: networks.into(),
            finding_thresholds: judgement.finding_thresholds().clone(),
            judgement,
            prepare: manifest.prepare.clone(),
            views_trained: manifest.views_trained.clone(),
            media_trained: manifest.media_trained.clone(),
            options,
        }
    }

    /// Whether the package says that the model learnt from other views only.
    pub(crate) fn is_untrained_view(&self, view: View) -> bool {
        !self.views_trained.is_empty() && !self.views_trained.contains(&view)
    }

    /// Whether the package says that the model learnt from mammograms taken otherwise only.
    pub(crate) fn is_untrained_medium(&self, medium: Medium) -> bool {
        !self.media_trained.is_empty() && !self.media_trained.contains(&medium)
    }
}

/// One exam's result and what was kept of its pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct AssessedExam {
    /// The result. Without breasts when none of the exam's files could be used.
    pub assessment: Assessment,
    /// Decoded pictures, breast by breast and image by image.
    pub pictures: Vec<Option<Picture>>,
    /// Pictures of the steps of the preparation, in the same order; empty where none were kept.
    pub steps: Vec<Vec<StepPicture>>,
    /// Files of the exam that were not used.
    pub skipped: Vec<Skipped>,
}

/// Assesses all exams and hands each over, in the order of the inputs.
///
/// # Errors
/// `Outputs` when a member gives something that is no result, and whatever `emit` refuses with.
/// A bad file is no error: it is listed in its exam's `skipped`, and so is one of another modality
/// than the model's.
pub fn assess(
    inputs: &Inputs,
    assessor: &mut Assessor,
    mut emit: impl FnMut(AssessedExam) -> Result<(), Error>,
) -> Result<(), Error> {
    let files: Vec<&FileInput> = inputs.files().collect();
    let (prepare, keep) = (assessor.prepare.clone(), assessor.options.keep);
    // Large inputs keep the networks busy for longer than one reader takes.
    let (most_readers, waiting) = match prepare.is_large() {
        true => (1, 0),
        false => (assessor.options.readers.max(1), WAITING_FILES),
    };
    let n_readers = most_readers.min(files.len().max(1));
    std::thread::scope(|scope| {
        let mut readers = Vec::new();
        for reader in 0..n_readers {
            let (sender, receiver) = sync_channel(waiting);
            let own = files.iter().skip(reader).step_by(n_readers).copied();
            let (own, prepare): (Vec<&FileInput>, _) = (own.collect(), &prepare);
            scope.spawn(move || read_all(&own, prepare, keep, &sender));
            readers.push(receiver);
        }
        let (sender, finished) = sync_channel(WAITING_EXAMS);
        let running = scope.spawn(move || {
            let ended = |_| Error::new(ErrorKind::Receiver, "the results are no longer taken");
            let mut flow = Flow::new(assessor, |exam| sender.send(exam).map_err(ended));
            flow.run(&inputs.exams, &readers) // dropping the readers' channels lets them end
        });
        let emitted = finished.into_iter().try_for_each(&mut emit);
        let run = running.join().unwrap_or_else(|panic| resume_unwind(panic));
        emitted.and(run)
    })
}

type Loaded = Result<Vec<LoadedImage>, String>;

fn read_all(files: &[&FileInput], prepare: &Prepare, keep: Keep, to: &SyncSender<Loaded>) {
    for file in files {
        if to.send(load(file, prepare, keep)).is_err() {
            return; // the run has ended early
        }
    }
}

/// An exam on its way.
struct OpenExam<'a> {
    inputs: &'a ExamInputs,
    breasts: Vec<(Side, Vec<RunImage>)>,
    waiting: usize,
    is_read: bool,
    skipped: Vec<Skipped>,
}

/// An image in the batch that is being filled.
struct Queued {
    exam: usize,
    breast: usize,
    file: String,
    loaded: LoadedImage,
}

struct Flow<'a, E> {
    assessor: &'a mut Assessor,
    emit: E,
    open: VecDeque<OpenExam<'a>>,
    emitted: usize,
    queue: Vec<Queued>,
}

impl<'a, E: FnMut(AssessedExam) -> Result<(), Error>> Flow<'a, E> {
    fn new(assessor: &'a mut Assessor, emit: E) -> Flow<'a, E> {
        Flow {
            assessor,
            emit,
            open: VecDeque::new(),
            emitted: 0,
            queue: Vec::new(),
        }
    }

    fn run(&mut self, exams: &'a [ExamInputs], readers: &[Receiver<Loaded>]) -> Result<(), Error> {
        let mut turn = readers.iter().cycle();
        for (idx, exam) in exams.iter().enumerate() {
            self.open.push_back(OpenExam::new(exam));
            for (breast_idx, breast) in exam.breasts.iter().enumerate() {
                for file in &breast.files {
                    let reader = turn.next().expect("there is at least one reader");
                    let loaded = reader.recv().unwrap_or_else(|_| {
                        Err("expected a decoded file, got nothing from its reader".into())
                    });
                    self.take(idx, breast_idx, file, loaded)?;
                }
            }
            self.exam(idx).is_read = true;
            self.hand_over()?;
        }
        self.run_batch()?;
        self.hand_over()
    }

    fn exam(&mut self, idx: usize) -> &mut OpenExam<'a> {
        &mut self.open[idx - self.emitted]
    }

    fn take(
        &mut self,
        exam: usize,
        breast: usize,
        file: &FileInput,
        loaded: Loaded,
    ) -> Result<(), Error> {
        let images = match loaded {
            Ok(images) => images,
            Err(reason) => {
                tracing::info!(file = %file.path.display(), %reason, "skipped");
                let open = self.exam(exam);
                let side = open.inputs.breasts[breast].side;
                let one = Skipped::new(&file.name, reason).of(&open.inputs.exam, side);
                open.skipped.push(one);
                return Ok(());
            }
        };
        for loaded in images {
            self.exam(exam).waiting += 1;
            self.queue.push(Queued {
                exam,
                breast,
                file: file.name.clone(),
                loaded,
            });
            if self.queue.len() >= self.assessor.options.batch.max(1) {
                self.run_batch()?;
            }
        }
        Ok(())
    }

    /// Runs what is queued and gives each result to its exam.
    fn run_batch(&mut self) -> Result<(), Error> {
        if self.queue.is_empty() {
            return Ok(());
        }
        let size = self.assessor.prepare.size();
        let taken = |queued: &mut Queued| std::mem::take(&mut queued.loaded.input.chw);
        let images = self.queue.iter_mut().map(taken).collect();
        let outputs = self.assessor.networks.run(images, size)?;
        if outputs.len() != self.queue.len() {
            let message = format!(
                "expected {} results, got {}",
                self.queue.len(),
                outputs.len()
            );
            return Err(Error::new(ErrorKind::Outputs, message));
        }
        for (queued, outputs) in std::mem::take(&mut self.queue).into_iter().zip(outputs) {
            self.place(queued, outputs);
        }
        Ok(())
    }

    fn place(&mut self, queued: Queued, outputs: ImageOutputs) {
        let exam = self.exam(queued.exam);
        exam.waiting -= 1;
        exam.breasts[queued.breast].1.push(RunImage {
            file: queued.file,
            loaded: queued.loaded,
            outputs,
        });
    }

    /// Hands over the exams at the front that are complete.
    fn hand_over(&mut self) -> Result<(), Error> {
        while self
            .open
            .front()
            .is_some_and(|e| e.is_read && e.waiting == 0)
        {
            let Some(exam) = self.open.pop_front() else {
                break;
            };
            self.emitted += 1;
            let assessed = exam.finish(self.assessor)?;
            (self.emit)(assessed)?;
        }
        Ok(())
    }
}

impl<'a> OpenExam<'a> {
    fn new(inputs: &'a ExamInputs) -> OpenExam<'a> {
        OpenExam {
            inputs,
            breasts: inputs
                .breasts
                .iter()
                .map(|b| (b.side, Vec::new()))
                .collect(),
            waiting: 0,
            is_read: false,
            skipped: Vec::new(),
        }
    }

    fn finish(mut self, assessor: &Assessor) -> Result<AssessedExam, Error> {
        let assessment = assessment(self.inputs, &self.breasts, &self.skipped, assessor)?;
        let images = self.breasts.iter_mut().flat_map(|(_, images)| images);
        let kept = images.map(|i| (i.loaded.picture.take(), std::mem::take(&mut i.loaded.steps)));
        let (pictures, steps) = kept.unzip();
        Ok(AssessedExam {
            assessment,
            pictures,
            steps,
            skipped: self.skipped,
        })
    }
}
