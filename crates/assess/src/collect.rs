//! What is given becomes exams, breasts and files, without decoding a pixel.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use lobule_exam::{Medium, Modality, Side, Skipped, Spacing, View, Warning, WarningKind};

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

/// The files of one exam.
#[derive(Debug)]
pub struct ExamInputs {
    /// Opaque key of the exam, unique in the run.
    pub exam: String,
    /// What its images were made with; a study of both is two exams.
    pub modality: Modality,
    /// Its breasts: left, right, unknown.
    pub breasts: Vec<BreastInputs>,
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
/// `.csv` given directly is a manifest; every path ends in an exam or in `skipped`.
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
    let mut collector = Collector::new(pictures);
    for path in paths {
        if is_csv(path) && path.is_file() {
            collector.add_manifest(path)?;
            continue;
        }
        let mut walk = Walk::default();
        walk.add(path);
        collector.skipped.extend(walk.skipped);
        for file in walk.files {
            collector.add_file(NamedFile::at(file), None);
        }
    }
    Ok(collector.finish())
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
    exams: Vec<ExamInputs>,
    position: HashMap<(Modality, Grouping), usize>,
    /// Mammograms, by the place of their exam: they find their breasts once all are there.
    mammograms: Vec<Vec<Taken>>,
    skipped: Vec<Skipped>,
    read: HashSet<PathBuf>,
}

/// What makes files belong to one exam.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Grouping {
    Manifest(String),
    Study(String),
    File(PathBuf),
}

impl Collector {
    fn new(pictures: Modality) -> Collector {
        Collector {
            pictures,
            exams: Vec::new(),
            position: HashMap::new(),
            mammograms: Vec::new(),
            skipped: Vec::new(),
            read: HashSet::new(),
        }
    }

    fn add_manifest(&mut self, path: &Path) -> Result<(), Error> {
        let unreadable = |e: std::io::Error| {
            let text = format!("expected a readable manifest, got: {e}");
            Error::new(ErrorKind::Manifest, text).in_file(path)
        };
        let file = File::open(path).map_err(unreadable)?;
        let rows = read_manifest(std::io::BufReader::new(file)).map_err(|e| e.in_file(path))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for row in rows {
            self.add_target(NamedFile::at(folder.join(&row.file)), Some(row));
        }
        Ok(())
    }

    /// Adds what may be no file, or not there.
    fn add_target(&mut self, target: NamedFile, row: Option<ManifestRow>) {
        match std::fs::metadata(&target.path) {
            Ok(meta) if meta.is_file() => self.add_file(target, row),
            Ok(_) => self.skip(target.name, "expected a file, got something else"),
            Err(e) => self.skip(target.name, &format!("expected a file, got: {e}")),
        }
    }

    fn add_file(&mut self, file: NamedFile, row: Option<ManifestRow>) {
        let real = file.path.canonicalize();
        let real = real.unwrap_or_else(|_| file.path.clone());
        if !self.read.insert(real) {
            return self.skip(file.name, "the file was given before");
        }
        match identify(&file.path) {
            Ok(content) => self.place(file, row, content),
            Err(reason) => self.skip(file.name, &reason),
        }
    }

    fn place(&mut self, file: NamedFile, row: Option<ManifestRow>, content: Content) {
        let (grouping, key) = grouping(&file, row.as_ref(), &content);
        let mut warnings = Vec::new();
        let side = side_of(row.as_ref(), &content, &mut warnings);
        let stated = Stated::of(row.as_ref(), &content, self.pictures, &mut warnings);
        let at = self.exam_of(stated.modality, grouping, key);
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
            self.mammograms[at].push(Taken { side, file });
            return;
        }
        let breasts = &mut self.exams[at].breasts;
        match breasts.iter_mut().find(|b| b.side == side) {
            Some(breast) => breast.files.push(file),
            None => breasts.push(BreastInputs {
                side,
                files: vec![file],
            }),
        }
    }

    fn exam_of(&mut self, modality: Modality, grouping: Grouping, key: String) -> usize {
        let next = self.exams.len();
        let at = *self.position.entry((modality, grouping)).or_insert(next);
        if at == next {
            self.exams.push(ExamInputs {
                exam: key,
                modality,
                breasts: Vec::new(),
            });
            self.mammograms.push(Vec::new());
        }
        at
    }

    fn skip(&mut self, file: String, reason: &str) {
        self.skipped.push(Skipped {
            file,
            reason: reason.to_owned(),
        });
    }

    fn finish(mut self) -> Inputs {
        for (exam, taken) in self.exams.iter_mut().zip(self.mammograms) {
            let (breasts, skipped) = views::place(taken);
            exam.breasts.extend(breasts);
            self.skipped.extend(skipped);
        }
        self.exams.retain(|exam| !exam.breasts.is_empty());
        let mut taken = HashMap::new();
        for exam in &mut self.exams {
            exam.exam = unique(&exam.exam, &mut taken);
            exam.breasts.sort_by_key(|b| b.side);
        }
        Inputs {
            exams: self.exams,
            skipped: self.skipped,
        }
    }
}

/// The name, or the first of `name-2`, `name-3`, … that is free; equal but for case is not free.
/// `taken` keeps the first number that is worth a try, so that many files of one name stay cheap.
fn unique(name: &str, taken: &mut HashMap<String, usize>) -> String {
    let plain = name.to_lowercase();
    let Some(&next) = taken.get(&plain) else {
        taken.insert(plain, 2);
        return name.to_owned();
    };
    let mut numbered = (next..).map(|n| (n, format!("{name}-{n}")));
    let free = numbered.find(|(_, candidate)| !taken.contains_key(&candidate.to_lowercase()));
    let (number, free) = free.expect("the numbers do not end");
    taken.insert(free.to_lowercase(), 2);
    taken.insert(plain, number + 1);
    free
}

fn grouping(file: &NamedFile, row: Option<&ManifestRow>, content: &Content) -> (Grouping, String) {
    match (row, content) {
        (Some(row), _) => (Grouping::Manifest(row.exam.clone()), row.exam.clone()),
        (None, Content::Sonogram(instance)) => study(&instance.exam_key),
        (None, Content::Mammogram(mammogram)) => study(&mammogram.exam_key),
        (None, Content::Unreadable(image, _)) => study(&image.exam_key),
        (None, Content::Picture) => {
            let stem = Path::new(&file.name).file_stem();
            let name = stem.map_or("unnamed".into(), |s| s.to_string_lossy());
            (Grouping::File(file.path.clone()), name.into_owned())
        }
    }
}

fn study(key: &str) -> (Grouping, String) {
    (Grouping::Study(key.to_owned()), key.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_unique_by_the_first_free_number() {
        let mut taken = HashMap::new();
        let names = ["a", "A", "a-2", "a", "b", "a-2", "A-3"];
        let got = names.map(|name| unique(name, &mut taken));
        assert_eq!(got, ["a", "A-2", "a-2-2", "a-3", "b", "a-2-3", "A-3-2"]);
    }

    #[test]
    fn many_files_of_one_name_take_no_quadratic_time() {
        let mut taken = HashMap::new();
        let last = (0..200_000).map(|_| unique("scan", &mut taken)).last();
        assert_eq!(last.as_deref(), Some("scan-200000"));
    }
}
