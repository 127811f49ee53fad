//! What a run needs to go on after it was cut off, written at the end of each epoch.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lobule_model::NamedTensor;
use serde::{Deserialize, Serialize};

use crate::optimizer::{Optimizer, Slot};
use crate::{EpochRecord, Error, ErrorKind};

/// Where a run stands.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) config_digest: String,
    pub(crate) epochs: Vec<EpochRecord>,
    pub(crate) step: usize,
    pub(crate) best_epoch: Option<usize>,
}

/// The files of a run folder.
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(crate) fn new(folder: &Path) -> Result<Files, Error> {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
        Ok(Files {
            folder: folder.to_owned(),
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file so that a cut leaves the old one or the new one.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let (part, whole) = (self.path(&format!("{name}.part")), self.path(name));
        std::fs::write(&part, bytes)
            .and_then(|()| std::fs::rename(&part, &whole))
            .map_err(|e| Error::io(&whole, e))
    }

    /// Adds the program's revision to `code.txt` unless it stands there last, and returns them all:
    /// a run that was cut off may have gone on with another program.
    pub(crate) fn note_code(&self, revision: &str) -> Result<Vec<String>, Error> {
        let text = std::fs::read_to_string(self.path("code.txt")).unwrap_or_default();
        let mut revisions: Vec<String> = text.lines().map(str::to_owned).collect();
        if revisions.last().is_none_or(|last| last != revision) {
            revisions.push(revision.to_owned());
            self.write("code.txt", (revisions.join("\n") + "\n").as_bytes())?;
        }
        Ok(revisions)
    }

    pub(crate) fn save(&self, optimizer: &Optimizer, progress: &Progress) -> Result<(), Error> {
        // Two slots in turn: the progress file, written last, says which one is whole.
        let slot = progress.epochs.len() % 2;
        for (part, of) in PARTS {
            let weights = named(optimizer, of);
            self.write(&format!("{part}-{slot}.bin"), &encode(&weights))?;
        }
        if progress.best_epoch == Some(progress.epochs.len()) {
            self.write("best.bin", &encode(&optimizer.mean()))?;
        }
        self.save_progress(progress)
    }

    pub(crate) fn save_progress(&self, progress: &Progress) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(progress)
            .map_err(|e| Error::new(ErrorKind::Io, e.to_string()))?;
        self.write("progress.json", &text)
    }

    pub(crate) fn load_progress(&self) -> Option<Progress> {
        let bytes = std::fs::read(self.path("progress.json")).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Restores what [`Files::save`] wrote after the last whole epoch.
    pub(crate) fn load(&self, optimizer: &mut Optimizer, progress: &Progress) -> Result<(), Error> {
        let slot = progress.epochs.len() % 2;
        optimizer.step = progress.step;
        for (part, of) in PARTS {
            let name = format!("{part}-{slot}.bin");
            let mut weights = self.read_weights(&name)?;
            for (parameter, slot) in &mut optimizer.slots {
                match weights.remove(parameter) {
                    Some(saved) if saved.shape == slot.shape => *of(slot) = saved.values,
                    _ => {
                        let message = format!("expected `{parameter}` of shape {:?}", slot.shape);
                        return Err(Error::new(ErrorKind::Data, message).in_file(&self.path(&name)));
                    }
                }
            }
        }
        Ok(())
    }

    pub(crate) fn read_weights(&self, name: &str) -> Result<BTreeMap<String, NamedTensor>, Error> {
        let file = self.path(name);
        let bytes = std::fs::read(&file).map_err(|e| Error::io(&file, e))?;
        decode(&bytes)
            .ok_or_else(|| Error::new(ErrorKind::Data, "expected saved weights").in_file(&file))
    }
}

/// One of the values that a parameter has a number for.
type Part = fn(&mut Slot) -> &mut Vec<f32>;

/// The files of a slot and what they hold.
const PARTS: [(&str, Part); 4] = [
    ("weights", |slot| &mut slot.value),
    ("first", |slot| &mut slot.first),
    ("second", |slot| &mut slot.second),
    ("mean", |slot| &mut slot.mean),
];

fn named(optimizer: &Optimizer, of: Part) -> BTreeMap<String, NamedTensor> {
    let tensor = |slot: &Slot| {
        let mut slot = slot.clone();
        NamedTensor {
            values: std::mem::take(of(&mut slot)),
            shape: slot.shape,
        }
    };
    optimizer
        .slots
        .iter()
        .map(|(name, slot)| (name.clone(), tensor(slot)))
        .collect()
}

#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    shape: Vec<usize>,
}

/// A JSON line of names and shapes, then all values as little-endian f32.
pub(crate) fn encode(weights: &BTreeMap<String, NamedTensor>) -> Vec<u8> {
    let entries: Vec<Entry> = weights
        .iter()
        .map(|(name, t)| Entry {
            name: name.clone(),
            shape: t.shape.clone(),
        })
        .collect();
    let mut bytes = serde_json::to_vec(&entries).expect("names and shapes are plain JSON");
    bytes.push(b'\n');
    for tensor in weights.values() {
        bytes.extend(tensor.values.iter().flat_map(|v| v.to_le_bytes()));
    }
    bytes
}

/// What [`encode`] wrote; none for bytes that are not that, or not all of it.
pub(crate) fn decode(bytes: &[u8]) -> Option<BTreeMap<String, NamedTensor>> {
    let end = bytes.iter().position(|&b| b == b'\n')?;
    let entries: Vec<Entry> = serde_json::from_slice(&bytes[..end]).ok()?;
    let mut values = bytes[end + 1..]
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let mut weights = BTreeMap::new();
    for Entry { name, shape } in entries {
        let n: usize = shape.iter().product();
        let tensor: Vec<f32> = values.by_ref().take(n).collect();
        if tensor.len() != n {
            return None;
        }
        weights.insert(
            name,
            NamedTensor {
                shape,
                values: tensor,
            },
        );
    }
    values.next().is_none().then_some(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_survive_a_file_and_cut_files_do_not() {
        let tensor = NamedTensor {
            shape: vec![2, 1],
            values: vec![1.5, -2.25],
        };
        let weights = BTreeMap::from([("a.weight".to_owned(), tensor)]);
        let bytes = encode(&weights);
        assert_eq!(decode(&bytes), Some(weights));
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end]), None);
        }
    }
}
