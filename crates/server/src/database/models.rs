//! Models that were chosen for the service, and what shadows made of studies.

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

use super::{Database, Entry, Millis};
use crate::Error;
use crate::reader::{ModelPackage, Reading, Usable};

/// What a chosen model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelRole {
    /// Its results are shown and sent.
    Active,
    /// Its results are kept to be compared.
    Shadow,
}

impl ModelRole {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            ModelRole::Active => "active",
            ModelRole::Shadow => "shadow",
        }
    }
}

/// What was made of one study by both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    /// The study, by the hash that reports use.
    pub key: String,
    /// Score of the result that counts.
    pub score: Option<f64>,
    /// Whether it is flagged.
    pub flagged: bool,
    /// The shadow: its name, version and digest.
    pub shadow_model: String,
    /// Its score.
    pub shadow_score: Option<f64>,
    /// Whether it flags the study.
    pub shadow_flagged: bool,
    /// Why it made nothing of the study.
    pub shadow_reason: Option<String>,
}

/// A study that a shadow has not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unseen {
    pub(crate) study: i64,
    pub(crate) key: String,
    /// Folder of the result that counts.
    pub(crate) result: String,
}

fn package(row: &Row<'_>) -> rusqlite::Result<ModelPackage> {
    Ok(ModelPackage {
        modality: row.get(0)?,
        folder: row.get::<_, String>(1)?.into(),
        name: row.get(2)?,
        digest: row.get(3)?,
    })
}

impl Database {
    /// Chooses a model for its modality, or, with an empty folder, takes the choice back.
    pub(crate) fn choose_model(
        &self,
        role: ModelRole,
        model: &ModelPackage,
        entry: &Entry<'_>,
        now: Millis,
    ) -> Result<(), Error> {
        self.change(|t| {
            t.execute(
                "INSERT INTO model (modality, role, folder, name, digest, chosen_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    model.modality,
                    role.name(),
                    model.folder.to_string_lossy(),
                    model.name,
                    model.digest,
                    now
                ],
            )?;
            entry.append(t, now)
        })
    }

    /// The models that hold in a role, one per modality at most.
    pub(crate) fn chosen_models(&self, role: ModelRole) -> Result<Vec<ModelPackage>, Error> {
        let sql = "SELECT modality, folder, name, digest FROM model WHERE role = ?1 AND folder <> '' \
                   AND id = (SELECT max(id) FROM model AS other \
                             WHERE other.role = ?1 AND other.modality = model.modality) \
                   ORDER BY modality";
        let reader = self.reader();
        let mut statement = reader.prepare_cached(sql)?;
        let rows = statement.query_map([role.name()], package)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The choice before the one that holds for a modality; none where nothing was ever chosen. The
    /// first choice follows on none, which is an empty folder.
    pub(crate) fn last_model(&self, modality: &str) -> Result<Option<ModelPackage>, Error> {
        let sql = "SELECT modality, folder, name, digest FROM model \
                   WHERE role = 'active' AND modality = ?1 ORDER BY id DESC LIMIT 2";
        let reader = self.reader();
        let mut statement = reader.prepare(sql)?;
        let rows = statement.query_map([modality], package)?;
        let rows: Vec<ModelPackage> = rows.collect::<Result<_, _>>()?;
        Ok(match rows.as_slice() {
            [] => None,
            [_] => Some(ModelPackage::none(modality)),
            [_, before, ..] => Some(before.clone()),
        })
    }

    /// A study whose present result these shadows have not read, in the order of their results.
    pub(crate) fn unseen(&self, shadow: &str, since: Millis) -> Result<Option<Unseen>, Error> {
        let sql = "SELECT study.id, study.key, study.result FROM study \
                   WHERE study.state = 'done' AND study.result IS NOT NULL AND study.changed_at >= ?2 \
                   AND NOT EXISTS (SELECT 1 FROM shadow WHERE shadow.study = study.id \
                                   AND shadow.of = study.result AND shadow.model = ?1) \
                   ORDER BY study.changed_at LIMIT 1";
        let found = self.reader().query_row(sql, params![shadow, since], |row| {
            Ok(Unseen {
                study: row.get(0)?,
                key: row.get(1)?,
                result: row.get(2)?,
            })
        });
        Ok(found.optional()?)
    }

    /// When the newest shadow was chosen.
    pub(crate) fn shadow_since(&self) -> Result<Millis, Error> {
        let sql = "SELECT coalesce(max(chosen_at), 0) FROM model WHERE role = 'shadow'";
        Ok(self.reader().query_row(sql, [], |row| row.get(0))?)
    }

    /// Enters that a shadow begins with a study: it is not begun again where that ends the process.
    /// Gives the folder of the shadow's last result.
    pub(crate) fn begin_shadow(
        &self,
        unseen: &Unseen,
        model: &str,
        now: Millis,
    ) -> Result<Option<String>, Error> {
        self.change(|t| {
            let last = "SELECT result FROM shadow WHERE study = ?1";
            let last = t.query_row(last, [unseen.study], |row| row.get(0)).optional()?;
            let there = t.execute(
                "INSERT OR REPLACE INTO shadow (study, model, flagged, reason, of, at) \
                 SELECT id, ?2, 0, 'it was begun and not finished', ?3, ?4 FROM study WHERE id = ?1",
                params![unseen.study, model, unseen.result, now],
            )?;
            Ok(last.flatten().filter(|_| there == 1))
        })
    }

    /// Enters what a shadow made of a study; false where the study is gone or has changed.
    pub(crate) fn finish_shadow(
        &self,
        unseen: &Unseen,
        reading: &Result<Reading, String>,
        result: Option<&str>,
    ) -> Result<bool, Error> {
        let (score, flagged, reason) = match reading {
            Ok(Reading {
                score,
                flagged,
                usable: Usable::Yes,
                ..
            }) => (*score, *flagged, None),
            Ok(Reading {
                usable: Usable::No(reason),
                ..
            })
            | Err(reason) => (None, false, Some(reason)),
        };
        self.change(|t| {
            let changed = t.execute(
                "UPDATE shadow SET score = ?2, flagged = ?3, reason = ?4, result = ?5 \
                 WHERE study = ?1 AND of = ?6",
                params![unseen.study, score, flagged, reason, result, unseen.result],
            )?;
            Ok(changed == 1)
        })
    }

    /// Studies that a shadow has seen beside the result that counts.
    pub(crate) fn comparison(&self) -> Result<Vec<Compared>, Error> {
        let sql = "SELECT study.key, study.score, study.flagged, shadow.model, shadow.score, shadow.flagged, \
                   shadow.reason FROM shadow JOIN study ON study.id = shadow.study \
                   WHERE shadow.of IS study.result ORDER BY study.id";
        let reader = self.reader();
        let mut statement = reader.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Compared {
                key: row.get(0)?,
                score: row.get(1)?,
                flagged: row.get(2)?,
                shadow_model: row.get(3)?,
                shadow_score: row.get(4)?,
                shadow_flagged: row.get(5)?,
                shadow_reason: row.get(6)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
