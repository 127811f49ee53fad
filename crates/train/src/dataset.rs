//! Labelled images on disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{DataConfig, Error, ErrorKind};

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
    /// Outline of the lesion as a picture, where there is one. Never used for training.
    pub mask: Option<PathBuf>,
    /// Patient, or whatever must not be torn apart.
    pub group: String,
    /// The data set's own fold, if it brings one.
    pub fold: Option<usize>,
    /// What is known of it.
    pub label: Label,
    /// The other columns, for subgroups.
    pub extra: BTreeMap<String, String>,
}

/// Reads `labels.csv` of a data set: columns `file`, `label`, `patient` or `group` (else each image
/// is its own group), optionally `fold`, `mask`, and `split`, whose value `exclude` drops a row.
///
/// # Errors
/// When the table cannot be read, or a row lacks what it needs; the line is named.
pub fn read_data_set(config: &DataConfig, root: &Path) -> Result<Vec<Case>, Error> {
    let folder = root.join(&config.path);
    let table = folder.join("labels.csv");
    let mut reader = csv::Reader::from_path(&table).map_err(|e| Error::io(&table, e))?;
    let mut cases = Vec::new();
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.map_err(|e| Error::new(ErrorKind::Data, e.to_string()).in_file(&table))?;
        let line = cases.len() + 2;
        let case = case(&config.name, &folder, row).map_err(|message| {
            Error::new(ErrorKind::Data, format!("near line {line}: {message}")).in_file(&table)
        })?;
        cases.extend(case);
    }
    if cases.is_empty() {
        return Err(
            Error::new(ErrorKind::Data, "expected labelled images, got none").in_file(&table),
        );
    }
    Ok(cases)
}

fn case(
    set: &str,
    folder: &Path,
    mut row: BTreeMap<String, String>,
) -> Result<Option<Case>, String> {
    if row.get("split").is_some_and(|split| split == "exclude") {
        return Ok(None);
    }
    let mut take = |name: &str| row.remove(name).filter(|value| !value.trim().is_empty());
    let name = take("file").ok_or("expected a value in column `file`")?;
    let label = take("label")
        .ok_or("expected a value in column `label`")?
        .parse()?;
    let group = take("patient")
        .or_else(|| take("group"))
        .unwrap_or_else(|| name.clone());
    let fold = match take("fold") {
        None => None,
        Some(text) => Some(
            text.trim()
                .parse()
                .map_err(|_| format!("expected a fold number, got `{text}`"))?,
        ),
    };
    let mask = take("mask").map(|mask| folder.join(mask));
    let file = folder.join(&name);
    let set = set.to_owned();
    Ok(Some(Case {
        set,
        name,
        file,
        mask,
        group,
        fold,
        label,
        extra: row,
    }))
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
            folds: 4,
            bag_by_group: false,
            mix_normals: 0.0,
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
