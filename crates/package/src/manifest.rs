//! `manifest.toml`: the typed description of a package.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use lobule_exam::{Medium, Modality, View};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::files::is_inside_name;
use crate::{Calibration, Error, ErrorKind, Prepare, SlideRule, Wiring};

/// The manifest format that this program writes and reads.
pub const FORMAT: u32 = 1;

/// Most members, classes, operating points or data sets of a package.
pub(crate) const MOST_ENTRIES: usize = 64;

/// Everything a package says about itself. Unknown fields are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format: [`FORMAT`].
    pub format: u32,
    /// Name of the model: letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// Version of the model.
    pub version: String,
    /// What it reads.
    #[serde(with = "ModalityForm")]
    pub modality: Modality,
    /// How far it can be trusted.
    pub status: Status,
    /// Classes in the order of the network's outputs.
    pub classes: Vec<String>,
    /// The sentence that stands on every result.
    pub research_use: String,
    /// Name of the operating point that applies unless another is asked for; empty for a slide model,
    /// which decides by `slide`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub default_operating_point: String,
    /// Mammographic views that it learnt from, by their abbreviations in the file; empty where that
    /// is not stated. Results of other views carry a warning.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "write_names",
        deserialize_with = "read_names"
    )]
    pub views_trained: Vec<View>,
    /// What the mammograms were taken on that it learnt from: `film`, `digital`; empty where that
    /// is not stated. Results of others carry a warning.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "write_names",
        deserialize_with = "read_names"
    )]
    pub media_trained: Vec<Medium>,
    /// How a picture becomes the network's input.
    pub prepare: Prepare,
    /// How the graphs are joined to a result.
    pub wiring: Wiring,
    /// The graphs of the ensemble.
    pub members: Vec<Member>,
    /// Calibration by class; a class that is absent is not calibrated.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calibration: BTreeMap<String, Calibration>,
    /// Thresholds to choose from; none for a slide model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operating_points: Vec<OperatingPoint>,
    /// How findings are outlined; a slide model may do without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saliency: Option<Saliency>,
    /// What a slide model is for and decides by; of slide models only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slide: Option<SlideRule>,
    /// What it was trained on.
    pub training_data: Vec<TrainingData>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Modality", rename_all = "lowercase")]
enum ModalityForm {
    Ultrasound,
    Mammography,
    Histology,
}

/// How far a model can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Trained and measured on patients' images; for research.
    Research,
    /// Shows the mechanics only; its results mean nothing.
    Demonstration,
}

/// One network of the ensemble: an ONNX graph, or several that the wiring joins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// File inside the package.
    pub file: String,
    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// What this member never saw: `bus_bra fold 1; busi fold 1`. Empty when it saw everything.
    pub left_out: String,
    /// Further graphs, by the names that the wiring gives them; most wirings have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub graphs: BTreeMap<String, GraphFile>,
}

/// A further graph of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphFile {
    /// File inside the package.
    pub file: String,
    /// SHA-256 of the file, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// A threshold on the calibrated malignant probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// Name within the package.
    pub name: String,
    /// At or above this value a breast is flagged.
    pub threshold: f64,
    /// On what data and by what rule it was chosen.
    pub chosen_by: String,
}

/// How findings are outlined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saliency {
    /// Saliency from which a region is outlined.
    pub finding_thresholds: FindingThresholds,
}

/// Saliency at or above these values belongs to a finding of that class, in 0..=1. The classes'
/// maps are not equally sharp, so one value would outline one of them too widely.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingThresholds {
    /// For benign findings.
    pub benign: f64,
    /// For malignant findings.
    pub malignant: f64,
    /// On what data and by what rule they were chosen.
    pub chosen_by: String,
}

/// One data set that the model learnt from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingData {
    /// Name of the set.
    pub name: String,
    /// Its licence.
    pub licence: String,
    /// How to cite it, with DOI.
    pub citation: String,
    /// Images used; tiles for a slide model.
    pub n_images: usize,
    /// Malignant ones among them; tiles of the second class for a slide model.
    pub n_malignant: usize,
    /// What was left out, grouped or relabelled.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
}

impl Manifest {
    /// Reads and checks a manifest; `path` is named in errors.
    ///
    /// # Errors
    /// `UnsupportedFormat` for another format version, `Manifest` for everything else.
    pub fn from_toml(text: &str, path: &Path) -> Result<Manifest, Error> {
        check_format(text, path)?;
        let manifest: Manifest = toml::from_str(text)
            .map_err(|e| Error::caused(ErrorKind::Manifest, path, "a manifest", e))?;
        match manifest.problem() {
            Some(problem) => Err(Error::new(ErrorKind::Manifest, path, problem)),
            None => Ok(manifest),
        }
    }

    /// The manifest as text, after the same checks as reading.
    ///
    /// # Errors
    /// When the manifest is not valid.
    pub fn to_toml(&self, path: &Path) -> Result<String, Error> {
        if let Some(problem) = self.problem() {
            return Err(Error::new(ErrorKind::Manifest, path, problem));
        }
        toml::to_string(self)
            .map_err(|e| Error::caused(ErrorKind::Manifest, path, "a writable manifest", e))
    }

    /// The operating point of that name, or the default one for `None`.
    pub fn operating_point(&self, name: Option<&str>) -> Option<&OperatingPoint> {
        let name = name.unwrap_or(&self.default_operating_point);
        self.operating_points.iter().find(|p| p.name == name)
    }

    /// How findings are outlined; none for a slide model that does without.
    pub fn finding_thresholds(&self) -> Option<&FindingThresholds> {
        self.saliency.as_ref().map(|s| &s.finding_thresholds)
    }

    /// Position of a class among the network's outputs.
    pub fn class_idx(&self, class: &str) -> Option<usize> {
        self.classes.iter().position(|c| c == class)
    }

    /// Every graph's file and its SHA-256: member by member, the member's own file first.
    pub fn graph_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().flat_map(Member::files)
    }

    fn problem(&self) -> Option<String> {
        self.naming_problem()
            .or_else(|| self.view_problem())
            .or_else(|| self.prepare.problem(self.modality))
            .or_else(|| self.wiring.problem(&self.prepare))
            .or_else(|| self.member_problem())
            .or_else(|| match self.modality {
                Modality::Histology => self.slide_problem(),
                Modality::Ultrasound | Modality::Mammography => self.exam_problem(),
            })
    }

    fn exam_problem(&self) -> Option<String> {
        if self.slide.is_some() {
            return Some(format!(
                "expected `slide` of a slide model, got it for {}",
                self.modality
            ));
        }
        if self.saliency.is_none() {
            return Some("expected `saliency`, got none".into());
        }
        class_problem(&self.classes)
            .or_else(|| self.calibration_problem())
            .or_else(|| self.operating_point_problem())
    }

    fn slide_problem(&self) -> Option<String> {
        let Some(rule) = &self.slide else {
            return Some("expected `slide` of a slide model, got none".into());
        };
        if self.classes != rule.classes() {
            let (expected, got) = (rule.classes(), &self.classes);
            return Some(format!("expected the classes {expected:?}, got {got:?}"));
        }
        let points = !self.operating_points.is_empty() || !self.default_operating_point.is_empty();
        if points || !self.calibration.is_empty() {
            return Some(
                "expected no operating point and no calibration of a slide model: it decides by `slide`".into(),
            );
        }
        rule.problem()
    }

    fn naming_problem(&self) -> Option<String> {
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.format != FORMAT {
            return Some(format!("expected format {FORMAT}, got {}", self.format));
        }
        if !is_inside_name(&self.name) || !self.name.chars().all(safe) {
            let name = &self.name;
            return Some(format!(
                "expected a name of letters, digits, `-`, `_`, `.`, got `{name}`"
            ));
        }
        if self.version.trim().is_empty() {
            return Some("expected a version, got nothing".into());
        }
        let thresholds = self.finding_thresholds()?;
        let wrong = [thresholds.benign, thresholds.malignant]
            .into_iter()
            .find(|t| !in_unit(*t))?;
        Some(format!("expected finding_thresholds in 0..=1, got {wrong}"))
    }

    fn view_problem(&self) -> Option<String> {
        let stated = !self.views_trained.is_empty() || !self.media_trained.is_empty();
        if self.modality != Modality::Mammography && stated {
            return Some(
                "expected views_trained and media_trained of a model of mammography only".into(),
            );
        }
        let twice = repeated(self.views_trained.iter()) || repeated(self.media_trained.iter());
        twice.then(|| "expected different views_trained and media_trained, got one twice".into())
    }

    fn member_problem(&self) -> Option<String> {
        if self.members.is_empty() || self.members.len() > MOST_ENTRIES {
            let n = self.members.len();
            return Some(format!("expected 1 to {MOST_ENTRIES} members, got {n}"));
        }
        if repeated(self.graph_files().map(|(file, _)| file)) {
            return Some("expected different member files, got one twice".into());
        }
        let graphs = self.wiring.further_graphs();
        self.members.iter().find_map(|m| m.problem(graphs))
    }

    fn calibration_problem(&self) -> Option<String> {
        self.calibration.iter().find_map(|(class, calibration)| {
            let p = calibration.prevalence;
            if self.class_idx(class).is_none() {
                return Some(format!("expected calibration of a class, got `{class}`"));
            }
            if !(p > 0.0 && p < 1.0) {
                return Some(format!(
                    "expected a prevalence inside 0..1, got {p} for `{class}`"
                ));
            }
            let problem = calibration.map.check().err()?;
            Some(format!("{problem}, in the calibration of `{class}`"))
        })
    }

    fn operating_point_problem(&self) -> Option<String> {
        let points = &self.operating_points;
        if points.len() > MOST_ENTRIES || repeated(points.iter().map(|p| &p.name)) {
            return Some(format!(
                "expected at most {MOST_ENTRIES} operating points of different names"
            ));
        }
        if let Some(bad) = points.iter().find(|p| !in_unit(p.threshold)) {
            let (name, got) = (&bad.name, bad.threshold);
            return Some(format!(
                "expected a threshold in 0..=1, got {got} for `{name}`"
            ));
        }
        let default = &self.default_operating_point;
        self.operating_point(None)
            .is_none()
            .then(|| format!("expected the default operating point in the list, got `{default}`"))
    }
}

fn class_problem(classes: &[String]) -> Option<String> {
    if classes.len() > MOST_ENTRIES || repeated(classes.iter()) {
        return Some(format!("expected at most {MOST_ENTRIES} different classes"));
    }
    let is_there = |class: &&str| classes.iter().any(|k| k == class);
    (!["benign", "malignant"].iter().all(is_there))
        .then(|| format!("expected the classes benign and malignant, got {classes:?}"))
}

impl Member {
    /// Whether this member never saw the given fold of a data set.
    pub fn leaves_out(&self, set: &str, fold: &str) -> bool {
        let part = format!("{set} fold {fold}");
        let mut parts = self.left_out.split("; ");
        parts.any(|left| left == set || left == part)
    }

    /// Every graph's file and its SHA-256, the member's own first.
    fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let further = self.graphs.values();
        std::iter::once((self.file.as_str(), self.sha256.as_str()))
            .chain(further.map(|g| (g.file.as_str(), g.sha256.as_str())))
    }

    fn problem(&self, further_graphs: &[&str]) -> Option<String> {
        if !self.graphs.keys().eq(further_graphs) {
            let got: Vec<&String> = self.graphs.keys().collect();
            return Some(format!(
                "expected the further graphs {further_graphs:?} of `{}`, got {got:?}",
                self.file
            ));
        }
        self.files()
            .find_map(|(file, sha256)| file_problem(file, sha256))
    }
}

fn file_problem(file: &str, sha256: &str) -> Option<String> {
    if !is_inside_name(file) {
        return Some(format!(
            "expected a member file inside the package, got `{file}`"
        ));
    }
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let fine = sha256.len() == 64 && sha256.bytes().all(is_hex);
    (!fine).then(|| format!("expected 64 lower-case hexadecimal digits as sha256 of `{file}`"))
}

/// The format version is read on its own first, so that a newer manifest is named as such and
/// not as one with unknown fields.
fn check_format(text: &str, path: &Path) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Probe {
        format: i64,
    }
    let probe: Probe = toml::from_str(text)
        .map_err(|e| Error::caused(ErrorKind::Manifest, path, "a manifest with `format`", e))?;
    if probe.format == i64::from(FORMAT) {
        return Ok(());
    }
    let message = format!("expected manifest format {FORMAT}, got {}", probe.format);
    Err(Error::new(ErrorKind::UnsupportedFormat, path, message))
}

fn write_names<S: Serializer>(named: &[impl ToString], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(named.iter().map(ToString::to_string))
}

/// Reads views, media or other things by their names.
///
/// # Errors
/// For a name that is not known.
pub fn read_names<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = String>,
{
    let names = Vec::<String>::deserialize(from)?;
    let named = names.iter().map(|name| name.parse());
    named.collect::<Result<_, _>>().map_err(D::Error::custom)
}

pub(crate) fn in_unit(v: f64) -> bool {
    (0.0..=1.0).contains(&v)
}

pub(crate) fn repeated<T: Ord>(mut names: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    !names.all(|name| seen.insert(name))
}
