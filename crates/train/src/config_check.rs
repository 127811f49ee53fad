//! What a configuration must not ask for.

use lobule_package::{Modality, Prepare};

use crate::{Error, ErrorKind, RunConfig, Stage};

impl RunConfig {
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.problem() {
            Some(message) => Err(Error::new(ErrorKind::Config, message)),
            None => Ok(()),
        }
    }

    fn problem(&self) -> Option<String> {
        self.data_problem()
            .or_else(|| self.network_problem())
            .or_else(|| self.stage_problem())
            .or_else(|| self.optimizer_problem())
    }

    fn data_problem(&self) -> Option<String> {
        if self.data.is_empty() {
            return Some("expected at least one [[data]]".into());
        }
        if let Some(set) = self.data.iter().find(|set| set.repeat_malignant == 0) {
            let name = &set.name;
            return Some(format!("expected repeat_malignant above 0 for `{name}`"));
        }
        let known = |name: &str| self.data.iter().any(|d| d.name == name);
        let foreign = self.leave_out.iter().find(|left| !known(&left.data))?;
        let name = &foreign.data;
        Some(format!(
            "leave_out names `{name}`, which is not in [[data]]"
        ))
    }

    fn network_problem(&self) -> Option<String> {
        if self.network.modality() == Modality::Histology {
            return Some("expected images of exams, got slides".into());
        }
        let (rows, cols) = self.network.prepare().size();
        if rows == 0 || cols == 0 || !rows.is_multiple_of(32) || !cols.is_multiple_of(32) {
            let what = match self.network.prepare {
                None => format!("input_size to be a multiple of 32, got {rows}"),
                Some(_) => format!("rows and cols to be a multiple of 32, got {rows} × {cols}"),
            };
            return Some(format!("expected {what}"));
        }
        (self.network.imagenet.is_some() && self.network.start.is_some())
            .then(|| "expected `imagenet` or `start`, got both".into())
    }

    fn stage_problem(&self) -> Option<String> {
        if self.stage == Stage::Images {
            return None;
        }
        let prepare = self.network.prepare();
        let ((rows, cols), size) = (prepare.size(), self.patches.size);
        if !matches!(prepare, Prepare::Mammogram(_)) {
            return Some("expected the stage `images` for sonograms, got `patches`".into());
        }
        if size == 0 || !size.is_multiple_of(32) || size > rows.min(cols) {
            return Some(format!(
                "expected patches of a multiple of 32 inside {rows} × {cols}, got {size}"
            ));
        }
        let jitter = self.patches.jitter;
        (!(0.0..0.5).contains(&jitter))
            .then(|| format!("expected a jitter in 0..0.5, got {jitter}"))
    }

    fn optimizer_problem(&self) -> Option<String> {
        let o = &self.optimizer;
        let rate = o.learning_rate;
        if o.epochs == 0 || o.batch_images == 0 || rate.is_nan() || rate <= 0.0 {
            return Some("expected epochs, batch_images and learning_rate above 0".into());
        }
        let share = o.inner_share;
        (!(0.0..0.9).contains(&share))
            .then(|| format!("expected inner_share in 0..0.9, got {share}"))
    }
}
