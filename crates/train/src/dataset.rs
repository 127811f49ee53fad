//! Labelled images on disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{DataConfig, Error, ErrorKind, Mark};

/// What is known of an image (pathology or follow-up, by the data set's own account).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// No lesion.
    Normal,
    /// A benign lesion.
    Benign,
    /// A malignant lesion.
    Malignant,
}

impl Label {
    /// Targets (benign, malignant) of the network.
    pub fn targets(self) -> [f32; 2] {
        match self {
            Label::Normal => [0.0, 0.0],
            Label::Benign => [1.0, 0.0],
            Label::Malignant => [0.0, 1.0],
        }
    }

    /// The word used in tables.
    pub fn name(self) -> &'static str {
        match self {
            Label::Normal => "normal",
            Label::Benign => "benign",
            Label::Malignant => "malignant",
        }
    }
}

impl std::str::FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Label, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "normal" => Ok(Label::Normal),
            "benign" => Ok(Label::Benign),
            "malignant" => Ok(Label::Malignant),
            other => Err(format!(
                "expected normal, benign or malignant, got `{other}`"
            )),
        }
    }
}

/// One labelled image.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Name of the data set.
    pub set: String,
    /// The image's name within the set.
    pub name: String,
    /// The image.
    pub file: PathBuf,
    /// Outline of the lesion as a picture, where there is one. Whole images are trained on without it.
    pub mask: Option<PathBuf>,
    /// Lesions as the data set draws them, where it has no mask.
    pub marks: Vec<Mark>,
    /// The breast, where several images may show it: they are read together.
    pub breast: Option<String>,
    /// Patient, or whatever must not be torn apart.
    pub group: String,
    /// The data set's own fold, if it brings one.
    pub fold: Option<usize>,
    /// What is known of it.
    pub label: Label,
    /// The other columns, for subgroups.
    pub extra: BTreeMap<String, String>,
}

/// Reads a data set in its layout. The default is our own table, `labels.csv` with the columns
/// `file`, `label`, `patient` or `group` (else each image is its own group), optionally `fold`,
/// `breast` (images of one breast are read together), `mask`, lesions as circles in mini-MIAS's
/// words (see [`Layout::MiniMias`](crate::Layout)), and `split`, whose value `exclude` drops a row;
/// further columns are kept for subgroups.
///
/// # Errors
/// When a table cannot be read, a row lacks what it needs (the line is named), an image that a
/// published table lists is not there, or nothing is found.
pub fn read_data_set(config: &DataConfig, root: &Path) -> Result<Vec<Case>, Error> {
    let folder = root.join(&config.path);
    if !folder.is_dir() {
        let message = format!(
            "expected the folder of the data set `{}`, got none; a relative path is looked for below LOBULE_DATA, or in the current folder where that is not set",
            config.name
        );
        return Err(Error::new(ErrorKind::Io, message).in_file(&folder));
    }
    config.layout.read(&config.name, &folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(table: &str) -> Result<Vec<Case>, Error> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("labels.csv"), table).unwrap();
        let config = DataConfig {
            name: "set".into(),
            path: folder.path().into(),
            layout: crate::Layout::Table,
            folds: 4,
            bag_by_group: false,
            mix_normals: 0.0,
            labels: crate::LabelUse::Images,
            repeat_malignant: 1,
        };
        read_data_set(&config, Path::new(""))
    }

    #[test]
    fn rows_become_cases_and_excluded_rows_do_not() {
        let cases = read(
            "file,label,patient,fold,split,device\n\
             a.png,benign,p1,2,,GE\nb.png,malignant,p2,1,exclude,GE\nc.png,normal,,,,\n",
        )
        .unwrap();
        assert_eq!(cases.len(), 2);
        assert_eq!((cases[0].group.as_str(), cases[0].fold), ("p1", Some(2)));
        assert_eq!(cases[0].extra["device"], "GE");
        assert_eq!((cases[1].group.as_str(), cases[1].fold), ("c.png", None));
    }

    #[test]
    fn bad_rows_are_named() {
        for (table, part) in [
            ("file,label\na.png,odd\n", "line 2"),
            ("file,label\n,benign\n", "column `file`"),
            ("file,label,fold\na.png,benign,x\n", "fold number"),
            ("file,label\n", "got none"),
        ] {
            let error = read(table).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
