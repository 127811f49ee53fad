//! What makes files belong to one exam, and what exams are called.
//!
//! Owns: that an exam is of one patient, names that are unique. Does not own: what a file is
//! (`identify`), the order of exams (`collect`).

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use lobule_dicomio::PatientKey;
use lobule_exam::{Warning, WarningKind};

/// What makes files belong to one exam.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Grouping {
    /// The manifest's word; with a patient, the files of one who is not the study's first.
    Manifest(String, Option<PatientKey>),
    /// A study, by its opaque key, and the patient where one is stated.
    Study(String, Option<PatientKey>),
    /// A picture of which nothing is stated.
    File(PathBuf),
}

impl Grouping {
    pub(crate) fn of_manifest(exam: &str) -> Grouping {
        Grouping::Manifest(exam.to_owned(), None)
    }

    pub(crate) fn of_study(key: &str, patient: Option<&PatientKey>) -> Grouping {
        Grouping::Study(key.to_owned(), patient.cloned())
    }

    /// What an exam with this file is called, unless another one is.
    pub(crate) fn name(&self, file: &str) -> String {
        match self {
            Grouping::Manifest(name, _) | Grouping::Study(name, _) => name.clone(),
            Grouping::File(_) => {
                let stem = Path::new(file).file_stem();
                stem.map_or("unnamed".into(), |s| s.to_string_lossy().into_owned())
            }
        }
    }
}

/// The patients that images of each study state, by the study's opaque key.
#[derive(Debug, Default)]
pub(crate) struct Studies {
    patients: HashMap<String, BTreeSet<Option<PatientKey>>>,
    /// The first patient of a study within an exam of a manifest.
    first: HashMap<(String, String), PatientKey>,
}

impl Studies {
    /// Where a file belongs, by the manifest's name of its exam and by its study and patient.
    pub(crate) fn grouping(
        &mut self,
        named: Option<&str>,
        study: Option<(&str, Option<&PatientKey>)>,
        path: &Path,
    ) -> Grouping {
        if let Some((key, patient)) = study {
            let known = self.patients.entry(key.to_owned()).or_default();
            known.insert(patient.cloned());
        }
        match (named, study) {
            (Some(exam), Some((key, Some(patient)))) => {
                let place = (exam.to_owned(), key.to_owned());
                let first = self.first.entry(place).or_insert_with(|| patient.clone());
                let other = (first != patient).then(|| patient.clone());
                Grouping::Manifest(exam.to_owned(), other)
            }
            (Some(exam), _) => Grouping::of_manifest(exam),
            (None, Some((key, patient))) => Grouping::of_study(key, patient),
            (None, None) => Grouping::File(path.to_owned()),
        }
    }

    /// What an exam with images of these studies has to say of their patients.
    pub(crate) fn warnings(&self, studies: &BTreeSet<String>, of: &Grouping) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for patients in studies.iter().filter_map(|key| self.patients.get(key)) {
            let stated = patients.iter().flatten().count();
            if stated > 1 {
                warnings.push(shared(format!(
                    "{stated} patients share the study's identifier (the Patient IDs differ): \
                     the images of each are an exam of their own"
                )));
            }
            let some_lack_it = stated > 0 && patients.contains(&None);
            if some_lack_it && matches!(of, Grouping::Study(..)) {
                warnings.push(shared(
                    "images of the study without a Patient ID are an exam of their own: \
                     they may be of another patient"
                        .to_owned(),
                ));
            }
        }
        warnings
    }
}

fn shared(message: String) -> Warning {
    Warning {
        kind: WarningKind::SharedStudy,
        message,
    }
}

/// The name, or the first of `name-2`, `name-3`, … that is free. `taken` keeps the first number that
/// is worth a try, so that many files of one name stay cheap.
pub(crate) fn unique(name: &str, taken: &mut HashMap<String, usize>) -> String {
    let Some(&next) = taken.get(name) else {
        taken.insert(name.to_owned(), 2);
        return name.to_owned();
    };
    let mut numbered = (next..).map(|n| (n, format!("{name}-{n}")));
    let free = numbered.find(|(_, candidate)| !taken.contains_key(candidate));
    let (number, free) = free.expect("the numbers do not end");
    taken.insert(free.clone(), 2);
    taken.insert(name.to_owned(), number + 1);
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_unique_by_the_first_free_number() {
        let mut taken = HashMap::new();
        let names = ["a", "A", "a-2", "a", "b", "a-2", "A-3", "A"];
        let got = names.map(|name| unique(name, &mut taken));
        assert_eq!(got, ["a", "A", "a-2", "a-3", "b", "a-2-2", "A-3", "A-2"]);
    }

    #[test]
    fn many_files_of_one_name_take_no_quadratic_time() {
        let mut taken = HashMap::new();
        let last = (0..200_000).map(|_| unique("scan", &mut taken)).last();
        assert_eq!(last.as_deref(), Some("scan-200000"));
    }
}
