//! Models in use, and shadows: models that read along, whose results are kept and not sent.
//!
//! A shadow reads what the active model has read, while nothing waits. What it makes of a study
//! stands beside the result that counts ([`Compared`]).

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::database::{Database, Entry, ModelRole, Unseen};
use crate::reader::{Choice, ModelInUse, ModelPackage, Others, Reading, StudyReader};
use crate::time::now;
use crate::worker::{Work, read_safely, told};
use crate::{Compared, Error};

/// The one who acts by a command on this machine.
const COMMAND: &str = "(command)";

/// What is shown of the models.
#[derive(Default)]
pub(crate) struct Models {
    active: Mutex<Vec<ModelInUse>>,
    shadow: Mutex<Vec<ModelInUse>>,
}

/// A model and what it is for.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Shown {
    role: ModelRole,
    #[serde(flatten)]
    model: ModelInUse,
}

fn locked(models: &Mutex<Vec<ModelInUse>>) -> MutexGuard<'_, Vec<ModelInUse>> {
    models.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Models {
    /// Those that read now.
    pub(crate) fn active(&self, models: Vec<ModelInUse>) {
        *locked(&self.active) = models;
    }

    fn shadow(&self, models: Vec<ModelInUse>) {
        *locked(&self.shadow) = models;
    }

    pub(crate) fn shown(&self) -> Vec<Shown> {
        let of = |role, models: &Mutex<Vec<ModelInUse>>| {
            let models = locked(models).clone().into_iter();
            models
                .map(move |model| Shown { role, model })
                .collect::<Vec<_>>()
        };
        let mut all = of(ModelRole::Active, &self.active);
        all.extend(of(ModelRole::Shadow, &self.shadow));
        all
    }
}

impl Work<'_> {
    /// Has the shadows read one study that they have not seen; false where there is none.
    pub(crate) fn shadow_one(&self, reader: &mut dyn StudyReader) -> Result<bool, Error> {
        let packages = self.database.chosen_models(ModelRole::Shadow)?;
        if packages.is_empty() {
            self.models.shadow(Vec::new());
            return Ok(false);
        }
        let names: Vec<String> = packages.iter().map(named).collect();
        let name = names.join(", ");
        let since = self.database.shadow_since()?;
        let Some(unseen) = self.database.unseen(&name, since)? else {
            return Ok(false);
        };
        let last = self.database.begin_shadow(&unseen, &name, now())?;
        if let Some(last) = last {
            self.store.discard_folder(&self.store.result(&last));
        }
        let folder = format!("{}-shadow-{}", unseen.result, now());
        let made = self.read_as_shadow(reader, packages, &unseen, &folder);
        let published = match &made {
            Ok((_, work)) => {
                self.store.publish(work, &folder)?;
                Some(folder.as_str())
            }
            Err(_) => None,
        };
        let reading = made.map(|(reading, _)| reading);
        if !self.database.finish_shadow(&unseen, &reading, published)? {
            self.store.discard_folder(&self.store.result(&folder));
        }
        let is_read = reading.is_ok();
        tracing::info!(exam = %unseen.key, is_read, "study read by the shadow");
        Ok(true)
    }

    fn read_as_shadow(
        &self,
        reader: &mut dyn StudyReader,
        packages: Vec<ModelPackage>,
        unseen: &Unseen,
        folder: &str,
    ) -> Result<(Reading, PathBuf), String> {
        let choice = Choice {
            packages,
            others: Others::None,
        };
        reader.choose(&choice)?;
        self.models.shadow(reader.models());
        let files = self.files(unseen.study).map_err(told)?;
        let work = self.store.work(folder).map_err(told)?;
        match read_safely(reader, &files, &work) {
            Ok(reading) => Ok((reading, work)),
            Err(reason) => {
                self.store.discard_folder(&work);
                Err(reason)
            }
        }
    }
}

fn named(model: &ModelPackage) -> String {
    let digest = model.digest.get(..12).unwrap_or(&model.digest);
    format!("{} {digest}", model.name)
}

/// Chooses a model for the service of a data folder; it holds from the next study on. With
/// [`ModelPackage::none`] the choice for a modality is taken back.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) where the database cannot be written.
pub fn choose_model(data: &Path, role: ModelRole, model: &ModelPackage) -> Result<(), Error> {
    let action = match (role, model.is_none()) {
        (ModelRole::Active, false) => "model.activate",
        (ModelRole::Active, true) => "model.deactivate",
        (ModelRole::Shadow, false) => "model.shadow",
        (ModelRole::Shadow, true) => "model.unshadow",
    };
    let entry = Entry::by(COMMAND, action, &model.modality)
        .with("model", model.name.as_str())
        .with("digest", model.digest.as_str());
    open(data)?.choose_model(role, model, &entry, now())
}

/// Goes back to the choice before the present one; gives it. None where nothing was ever chosen for
/// the modality.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) where the database cannot be written.
pub fn roll_back_model(data: &Path, modality: &str) -> Result<Option<ModelPackage>, Error> {
    let database = open(data)?;
    let Some(last) = database.last_model(modality)? else {
        return Ok(None);
    };
    let entry = Entry::by(COMMAND, "model.rollback", modality)
        .with("model", last.name.as_str())
        .with("digest", last.digest.as_str());
    database.choose_model(ModelRole::Active, &last, &entry, now())?;
    Ok(Some(last))
}

/// The models that were chosen for the service of a data folder.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) where the database cannot be read.
pub fn chosen_models(data: &Path, role: ModelRole) -> Result<Vec<ModelPackage>, Error> {
    open(data)?.chosen_models(role)
}

/// What the shadow made of studies beside the result that counts.
///
/// # Errors
/// [`ErrorKind::Data`](crate::ErrorKind::Data) where the database cannot be read.
pub fn compare_models(data: &Path) -> Result<Vec<Compared>, Error> {
    open(data)?.comparison()
}

fn open(data: &Path) -> Result<Database, Error> {
    Database::of_folder(data)
}
