//! What is given becomes exams, breasts and files, without decoding a pixel.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use lobule_dicomio::Instance;
use lobule_exam::{Side, Skipped, Warning, WarningKind};

use crate::manifest::{ManifestRow, read_manifest};
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
    /// Its breasts: left, right, unknown.
    pub breasts: Vec<BreastInputs>,
}

/// The files of one breast.
#[derive(Debug)]
pub struct BreastInputs {
    /// The breast.
    pub side: Side,
    /// Its files in the order given.
    pub files: Vec<FileInput>,
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
    pub(crate) content: Content,
}

/// What a file holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// PNG, JPEG, TIFF or BMP.
    Picture,
    /// A DICOM instance whose header was read.
    Dicom(Box<Instance>),
}

impl FileInput {
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
        let is_dicom = |f: &&FileInput| matches!(f.content, Content::Dicom(_));
        let first = self.files().find(is_dicom);
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
}

/// Finds out what the given paths are. A folder is read with everything in it, sorted by name; a
/// `.csv` given directly is a manifest; every path ends in an exam or in `skipped`.
///
/// # Errors
/// Only for a manifest that is wrong: it names the line and the column.
pub fn collect(paths: &[PathBuf]) -> Result<Inputs, Error> {
    let mut collector = Collector::default();
    for path in paths {
        if is_csv(path) && path.is_file() {
            collector.add_manifest(path)?;
            continue;
        }
        let mut walk = Walk::default();
        walk.add(path);
        collector.skipped.extend(walk.skipped);
        for file in walk.files {
            collector.add_file(file, None);
        }
    }
    Ok(collector.finish())
}

fn is_csv(path: &Path) -> bool {
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("csv"))
}

#[derive(Default)]
struct Collector {
    exams: Vec<ExamInputs>,
    position: HashMap<Grouping, usize>,
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
    fn add_manifest(&mut self, path: &Path) -> Result<(), Error> {
        let unreadable = |e: std::io::Error| {
            let text = format!("expected a readable manifest, got: {e}");
            Error::new(ErrorKind::Manifest, text).in_file(path)
        };
        let file = File::open(path).map_err(unreadable)?;
        let rows = read_manifest(std::io::BufReader::new(file)).map_err(|e| e.in_file(path))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for row in rows {
            let target = folder.join(&row.file);
            match std::fs::metadata(&target) {
                Ok(meta) if meta.is_file() => self.add_file(target, Some(row)),
                Ok(_) => self.skip(&target, "expected a file, got something else"),
                Err(e) => self.skip(&target, &format!("expected a file, got: {e}")),
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: PathBuf, row: Option<ManifestRow>) {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if !self.read.insert(real) {
            return self.skip(&path, "the file was given before");
        }
        match identify(&path) {
            Ok(content) => self.place(path, row, content),
            Err(reason) => self.skip(&path, &reason),
        }
    }

    fn place(&mut self, path: PathBuf, row: Option<ManifestRow>, content: Content) {
        let (grouping, key) = grouping(&path, row.as_ref(), &content);
        let (side, warnings) = side_of(row.as_ref(), &content);
        let at = *self.position.entry(grouping).or_insert_with(|| {
            self.exams.push(ExamInputs {
                exam: key,
                breasts: Vec::new(),
            });
            self.exams.len() - 1
        });
        let file = FileInput {
            name: path.display().to_string(),
            path,
            extra: row.map(|r| r.extra).unwrap_or_default(),
            warnings,
            content,
        };
        let breasts = &mut self.exams[at].breasts;
        match breasts.iter_mut().find(|b| b.side == side) {
            Some(breast) => breast.files.push(file),
            None => breasts.push(BreastInputs {
                side,
                files: vec![file],
            }),
        }
    }

    fn skip(&mut self, path: &Path, reason: &str) {
        self.skipped.push(Skipped {
            file: path.display().to_string(),
            reason: reason.to_owned(),
        });
    }

    fn finish(mut self) -> Inputs {
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

fn grouping(path: &Path, row: Option<&ManifestRow>, content: &Content) -> (Grouping, String) {
    match (row, content) {
        (Some(row), _) => (Grouping::Manifest(row.exam.clone()), row.exam.clone()),
        (None, Content::Dicom(instance)) => {
            let key = instance.exam_key.clone();
            (Grouping::Study(key.clone()), key)
        }
        (None, Content::Picture) => {
            let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned());
            let name = stem.unwrap_or_else(|| "unnamed".to_owned());
            (Grouping::File(path.to_owned()), name)
        }
    }
}

/// The manifest decides where it states a side; where the file states another, that is said.
fn side_of(row: Option<&ManifestRow>, content: &Content) -> (Side, Vec<Warning>) {
    let told = row.map_or(Side::Unknown, |r| r.side);
    let own = match content {
        Content::Dicom(instance) => instance.side,
        Content::Picture => Side::Unknown,
    };
    match (told, own) {
        (Side::Unknown, own) => (own, Vec::new()),
        (told, own) if own == Side::Unknown || own == told => (told, Vec::new()),
        (told, own) => {
            let message =
                format!("the manifest says {told}, the file says {own}; the manifest is followed");
            let kind = WarningKind::Repaired;
            (told, vec![Warning { kind, message }])
        }
    }
}

/// What a file is, by its content; a known ending is taken at its word, so that an empty or
/// broken picture is refused with the reader's reason.
fn identify(path: &Path) -> Result<Content, String> {
    let ending = path
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    let ending = ending.as_deref().unwrap_or_default();
    if matches!(ending, "dcm" | "dicom" | "ima") || lobule_dicomio::is_dicom(path) {
        let limits = lobule_raster::Limits::default();
        let instance = lobule_dicomio::read_header(path, &limits).map_err(|e| reason(&e, path))?;
        return Ok(Content::Dicom(Box::new(instance)));
    }
    let pictures = ["png", "jpg", "jpeg", "tif", "tiff", "bmp"];
    if pictures.contains(&ending) || is_picture(path) {
        return Ok(Content::Picture);
    }
    match ending {
        "csv" => Err("a table inside a folder is not read; name a manifest itself".to_owned()),
        _ => Err("expected DICOM, PNG, JPEG, TIFF or BMP, got something else".to_owned()),
    }
}

/// An error's text without the file's name, which stands beside it.
pub(crate) fn reason(error: &dyn std::fmt::Display, path: &Path) -> String {
    let text = error.to_string();
    let name = format!("{}: ", path.display());
    text.strip_prefix(&name).unwrap_or(&text).to_owned()
}

fn is_picture(path: &Path) -> bool {
    let mut start = Vec::new();
    let opened = File::open(path).and_then(|f| f.take(8).read_to_end(&mut start));
    let known: [&[u8]; 5] = [b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM"];
    opened.is_ok() && known.iter().any(|magic| start.starts_with(magic))
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
