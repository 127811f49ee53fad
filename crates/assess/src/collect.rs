//! What is given becomes exams, breasts and files, without decoding a pixel.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use lobule_exam::{Medium, Modality, Side, Skipped, Spacing, View, Warning, WarningKind};

use crate::grouping::{Grouping, Studies, unique};
use crate::identify::{Content, identify};
use crate::manifest::{ManifestRow, read_manifest};
use crate::views::{self, Taken};
use crate::walk::Walk;
use crate::{Error, ErrorKind};

/// All inputs of a run.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Exams in the order of their first file.
    pub exams: Vec<ExamInputs>,
    /// What cannot be an input, and why.
    pub skipped: Vec<Skipped>,
}

/// The files of one exam, which is of one patient as far as its files tell.
#[derive(Debug)]
pub struct ExamInputs {
    /// Opaque key of the exam, unique in the run. Keys may differ in case alone.
    pub exam: String,
    /// What its images were made with; a study of both is two exams.
    pub modality: Modality,
    /// Its breasts: left, right, unknown.
    pub breasts: Vec<BreastInputs>,
    /// Of the exam as a whole, known before decoding.
    pub warnings: Vec<Warning>,
}

/// The files of one breast.
#[derive(Debug)]
pub struct BreastInputs {
    /// The breast.
    pub side: Side,
    /// Its files in the order given; mammograms by view.
    pub files: Vec<FileInput>,
}

/// A file that goes by another name than the one it lies under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// What results and reasons call it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

impl NamedFile {
    /// A file that a path names.
    fn at(path: PathBuf) -> NamedFile {
        NamedFile {
            name: path.display().to_string(),
            path,
        }
    }
}

/// One file.
#[derive(Debug)]
pub struct FileInput {
    /// As the user named it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The manifest's other columns: name and value.
    pub extra: Vec<(String, String)>,
    /// Known before decoding.
    pub warnings: Vec<Warning>,
    /// What it was made with.
    pub modality: Modality,
    /// A mammogram's view, where the manifest or the file states it.
    pub view: Option<View>,
    /// What a mammogram was taken on, where the manifest or the file states it.
    pub medium: Option<Medium>,
    /// Size of a pixel, where the manifest or the header of a mammogram states it.
    pub spacing: Option<Spacing>,
    pub(crate) content: Content,
}

impl FileInput {
    /// Whether it is a DICOM file rather than a picture.
    pub fn is_dicom(&self) -> bool {
        !matches!(self.content, Content::Picture)
    }

    /// The value of one of the manifest's other columns.
    pub fn column(&self, name: &str) -> Option<&str> {
        let found = self.extra.iter().find(|(column, _)| column == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl ExamInputs {
    /// The exam's files, breast by breast.
    pub fn files(&self) -> impl Iterator<Item = &FileInput> {
        self.breasts.iter().flat_map(|b| &b.files)
    }

    /// The patient's identifiers as labels and values, read anew from the exam's first DICOM
    /// file. For display on explicit request and for nothing else; empty when there are none.
    pub fn identity(&self) -> Vec<(String, String)> {
        let first = self.files().find(|file| file.is_dicom());
        let identity = first.and_then(|f| lobule_dicomio::read_identity(&f.path).ok());
        let Some(identity) = identity else {
            return Vec::new();
        };
        let values = [
            ("Patient", identity.patient_name),
            ("Patient ID", identity.patient_id),
            ("Study date", identity.study_date),
        ];
        let stated = values.into_iter().filter(|(_, value)| !value.is_empty());
        stated
            .map(|(label, value)| (label.to_owned(), value))
            .collect()
    }
}

impl Inputs {
    /// All files, exam by exam.
    pub fn files(&self) -> impl Iterator<Item = &FileInput> {
        self.exams.iter().flat_map(ExamInputs::files)
    }

    /// Takes the exams of one modality out, in their order.
    pub fn take(&mut self, modality: Modality) -> Inputs {
        let all = std::mem::take(&mut self.exams);
        let (exams, others) = all.into_iter().partition(|e| e.modality == modality);
        self.exams = others;
        Inputs {
            exams,
            skipped: Vec::new(),
        }
    }
}

/// Finds out what the given paths are. A folder is read with everything in it, sorted by name; a
/// `.csv` given directly is a manifest; every path ends in an exam or in `skipped`. A file that a
/// manifest names is what the manifest says, wherever else it is found.
///
/// # Errors
/// Only for a manifest that is wrong: it names the line and the column.
pub fn collect(paths: &[PathBuf]) -> Result<Inputs, Error> {
    collect_as(paths, Modality::Ultrasound)
}

/// As [`collect`], where pictures of which neither a file nor a manifest says what they are count
/// as images of `pictures`.
///
/// # Errors
/// As [`collect`].
pub fn collect_as(paths: &[PathBuf], pictures: Modality) -> Result<Inputs, Error> {
    let sources = paths.iter().map(|path| Source::open(path));
    let sources = sources.collect::<Result<Vec<_>, _>>()?;
    let mut collector = Collector::new(pictures);
    collector.in_manifests = sources.iter().flat_map(Source::real_files).collect();
    for source in sources {
        match source {
            Source::Manifest(rows) => {
                for (file, row) in rows {
                    collector.add_target(file, Some(row));
                }
            }
            Source::Path(path) => collector.add_path(path),
        }
    }
    Ok(collector.finish())
}

/// Something that the user named.
enum Source<'a> {
    /// The files of a manifest, with what it says of them.
    Manifest(Vec<(NamedFile, ManifestRow)>),
    /// A file or a folder.
    Path(&'a Path),
}

impl Source<'_> {
    fn open(path: &Path) -> Result<Source<'_>, Error> {
        if !is_csv(path) || !path.is_file() {
            return Ok(Source::Path(path));
        }
        let unreadable = |e: std::io::Error| {
            let text = format!("expected a readable manifest, got: {e}");
            Error::new(ErrorKind::Manifest, text).in_file(path)
        };
        let file = File::open(path).map_err(unreadable)?;
        let rows = read_manifest(std::io::BufReader::new(file)).map_err(|e| e.in_file(path))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let named = |row: ManifestRow| (NamedFile::at(folder.join(&row.file)), row);
        Ok(Source::Manifest(rows.into_iter().map(named).collect()))
    }

    /// The files that a manifest names and that are there.
    fn real_files(&self) -> Vec<PathBuf> {
        let rows = match self {
            Source::Manifest(rows) => rows.as_slice(),
            Source::Path(_) => &[],
        };
        let real = |(file, _): &(NamedFile, ManifestRow)| file.path.canonicalize().ok();
        rows.iter().filter_map(real).collect()
    }
}

/// As [`collect`], of files that go by other names than their paths: neither results nor reasons
/// tell where they lie. A folder or a manifest is no such file.
pub fn collect_named(files: impl IntoIterator<Item = NamedFile>) -> Inputs {
    let mut collector = Collector::new(Modality::Ultrasound);
    for file in files {
        collector.add_target(file, None);
    }
    collector.finish()
}

fn is_csv(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("csv"))
}

struct Collector {
    pictures: Modality,
    exams: Vec<OpenExam>,
    position: HashMap<(Modality, Grouping), usize>,
    studies: Studies,
    skipped: Vec<(Skipped, Option<Grouping>)>,
    read: HashSet<PathBuf>,
    in_manifests: HashSet<PathBuf>,
}

/// An exam to which files may come.
struct OpenExam {
    inputs: ExamInputs,
    grouping: Grouping,
    /// They find their breasts once all are there.
    mammograms: Vec<Taken>,
    /// Keys of the studies that its files are of.
    studies: BTreeSet<String>,
}

impl Collector {
    fn new(pictures: Modality) -> Collector {
        Collector {
            pictures,
            exams: Vec::new(),
            position: HashMap::new(),
            studies: Studies::default(),
            skipped: Vec::new(),
            read: HashSet::new(),
            in_manifests: HashSet::new(),
        }
    }

    /// Adds what no manifest names.
    fn add_path(&mut self, path: &Path) {
        let mut walk = Walk::default();
        walk.add(path);
        let skipped = walk.skipped.into_iter().map(|one| (one, None));
        self.skipped.extend(skipped);
        for file in walk.files {
            if !self.is_in_a_manifest(&file) {
                self.add_file(NamedFile::at(file), None);
            }
        }
    }

    fn is_in_a_manifest(&self, file: &Path) -> bool {
        let is_named = |real: PathBuf| self.in_manifests.contains(&real);
        !self.in_manifests.is_empty() && file.canonicalize().is_ok_and(is_named)
    }

    /// Adds what may be no file, or not there.
    fn add_target(&mut self, target: NamedFile, row: Option<ManifestRow>) {
        let reason = match std::fs::metadata(&target.path) {
            Ok(meta) if meta.is_file() => return self.add_file(target, row),
            Ok(_) => "expected a file, got something else".to_owned(),
            Err(e) => format!("expected a file, got: {e}"),
        };
        self.skip(&target, row.as_ref(), reason);
    }

    fn add_file(&mut self, file: NamedFile, row: Option<ManifestRow>) {
        let real = file.path.canonicalize();
        let real = real.unwrap_or_else(|_| file.path.clone());
        if !self.read.insert(real) {
            return self.skip(&file, row.as_ref(), "the file was given before");
        }
        match identify(&file.path) {
            Ok(content) => self.place(file, row, content),
            Err(reason) => self.skip(&file, row.as_ref(), reason),
        }
    }

    fn place(&mut self, file: NamedFile, row: Option<ManifestRow>, content: Content) {
        let mut warnings = Vec::new();
        let side = side_of(row.as_ref(), &content, &mut warnings);
        let stated = Stated::of(row.as_ref(), &content, self.pictures, &mut warnings);
        let study = content.study();
        let named = row.as_ref().map(|row| row.exam.as_str());
        let grouping = self.studies.grouping(named, study, &file.path);
        let open = self.exam_of(stated.modality, grouping, &file);
        open.studies.extend(study.map(|(key, _)| key.to_owned()));
        let file = FileInput {
            name: file.name,
            path: file.path,
            extra: row.map(|r| r.extra).unwrap_or_default(),
            warnings,
            modality: stated.modality,
            view: stated.view,
            medium: stated.medium,
            spacing: stated.spacing,
            content,
        };
        if file.modality == Modality::Mammography {
            open.mammograms.push(Taken { side, file });
            return;
        }
        let breasts = &mut open.inputs.breasts;
        match breasts.iter_mut().find(|b| b.side == side) {
            Some(breast) => breast.files.push(file),
            None => breasts.push(BreastInputs {
                side,
                files: vec![file],
            }),
        }
    }

    fn exam_of(
        &mut self,
        modality: Modality,
        grouping: Grouping,
        file: &NamedFile,
    ) -> &mut OpenExam {
        let next = self.exams.len();
        let place = (modality, grouping.clone());
        let at = *self.position.entry(place).or_insert(next);
        if at == next {
            self.exams.push(OpenExam {
                inputs: ExamInputs {
                    exam: grouping.name(&file.name),
                    modality,
                    breasts: Vec::new(),
                    warnings: Vec::new(),
                },
                grouping,
                mammograms: Vec::new(),
                studies: BTreeSet::new(),
            });
        }
        &mut self.exams[at]
    }

    /// Its exam and breast are known by the manifest, else by what the file says of itself.
    fn skip(&mut self, file: &NamedFile, row: Option<&ManifestRow>, reason: impl Into<String>) {
        let mut one = Skipped::new(&file.name, reason);
        let stated = match row {
            Some(_) => None,
            None => lobule_dicomio::read_place(&file.path),
        };
        let grouping = match (row, &stated) {
            (Some(row), _) => {
                one.side = row.side;
                Some(Grouping::of_manifest(&row.exam))
            }
            (None, Some(place)) => {
                one.side = place.side;
                Some(Grouping::of_study(
                    &place.exam_key,
                    place.patient_key.as_ref(),
                ))
            }
            (None, None) => None,
        };
        self.skipped.push((one, grouping));
    }

    fn finish(mut self) -> Inputs {
        let (mut taken, mut names) = (HashMap::new(), HashMap::new());
        let mut set_aside = Vec::new();
        for open in &mut self.exams {
            let (breasts, mut skipped) = views::place(std::mem::take(&mut open.mammograms));
            let exam = &mut open.inputs;
            exam.breasts.extend(breasts);
            exam.breasts.sort_by_key(|b| b.side);
            if !exam.breasts.is_empty() {
                exam.exam = unique(&exam.exam, &mut taken);
            }
            exam.warnings = self.studies.warnings(&open.studies, &open.grouping);
            for one in &mut skipped {
                one.exam = Some(exam.exam.clone());
            }
            set_aside.append(&mut skipped);
            let name = exam.exam.clone();
            names.entry(open.grouping.clone()).or_insert(name);
        }
        let of_exam = |(one, grouping): (Skipped, Option<Grouping>)| {
            let name = |g: Grouping| names.get(&g).cloned().unwrap_or_else(|| g.name(&one.file));
            Skipped {
                exam: grouping.map(name),
                ..one
            }
        };
        let skipped = self.skipped.into_iter().map(of_exam);
        let exams = self.exams.into_iter().map(|open| open.inputs);
        Inputs {
            skipped: skipped.chain(set_aside).collect(),
            exams: exams.filter(|exam| !exam.breasts.is_empty()).collect(),
        }
    }
}

/// The manifest decides where it states a side; where the file states another, that is said.
fn side_of(row: Option<&ManifestRow>, content: &Content, warnings: &mut Vec<Warning>) -> Side {
    let known = |side: Side| Some(side).filter(|side| *side != Side::Unknown);
    let told = row.and_then(|r| known(r.side));
    decide(told, known(content.side()), warnings).unwrap_or(Side::Unknown)
}

fn decide<T: PartialEq + std::fmt::Display>(
    told: Option<T>,
    own: Option<T>,
    warnings: &mut Vec<Warning>,
) -> Option<T> {
    if let (Some(told), Some(own)) = (&told, &own)
        && told != own
    {
        warnings.push(Warning {
            kind: WarningKind::Repaired,
            message: format!(
                "the manifest says {told}, the file says {own}; the manifest is followed"
            ),
        });
    }
    told.or(own)
}

/// What is known of an image besides its exam and breast.
struct Stated {
    modality: Modality,
    view: Option<View>,
    medium: Option<Medium>,
    spacing: Option<Spacing>,
}

impl Stated {
    fn of(
        row: Option<&ManifestRow>,
        content: &Content,
        pictures: Modality,
        warnings: &mut Vec<Warning>,
    ) -> Stated {
        let told = row.and_then(|r| r.modality);
        let (modality, own_spacing) = match content {
            Content::Picture => (told.unwrap_or(pictures), None),
            Content::Sonogram(i) => (Modality::Ultrasound, i.spacing),
            Content::Mammogram(m) => (Modality::Mammography, m.spacing),
            Content::Unreadable(image, _) => (image.modality, None),
        };
        let (own_view, own_medium) = match content {
            Content::Mammogram(m) => (m.view, m.medium),
            Content::Unreadable(image, _) => (image.view, None),
            Content::Picture | Content::Sonogram(_) => (None, None),
        };
        let row_of_mammogram = row.filter(|_| modality == Modality::Mammography);
        let told_view = row_of_mammogram.and_then(|r| r.view);
        let told_medium = row_of_mammogram.and_then(|r| r.medium);
        Stated {
            modality,
            view: decide(told_view, own_view, warnings),
            medium: decide(told_medium, own_medium, warnings),
            spacing: row.and_then(|r| r.spacing).or(own_spacing),
        }
    }
}
