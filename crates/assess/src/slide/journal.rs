//! What was seen of a slide's squares, line by line, so that a run that was broken off goes on where it
//! stood.
//!
//! The first line says of which slide, models and options the others are: for anything else the file is
//! begun anew. The second holds the stains. A last line without its end, as a kill leaves it, is cut
//! off. Numbers read back to the same bits.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use lobule_raster::{ColorStatistics, Stains, TileComponents};
use lobule_slide::{GridKey, SlideFacts, Verdict};
use sha2::{Digest, Sha256};

use crate::{Error, ErrorKind};

const HEAD: &str = "lobule slide journal 2";
/// A larger file is no journal: a slide has at most some hundred thousand squares.
const LARGEST: u64 = 1 << 30;
/// Bytes at either end of a slide's file that tell it from others.
const END: u64 = 1 << 20;

/// What was found out of a square.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) verdict: Verdict,
    /// Probability of tumor by member; empty unless taken.
    pub(super) tumor: Vec<f64>,
    /// Probability of grade 3 by member; empty unless tumor.
    pub(super) grade: Vec<f64>,
    /// What explains a grade; of tumor, where tiles are fine enough.
    pub(super) components: Option<TileComponents>,
}

/// The stains of a slide, or why there are none.
pub(super) type FoundStains = Result<Stains, String>;

/// A file that remembers, or nothing.
#[derive(Debug)]
pub struct Journal {
    path: Option<PathBuf>,
    file: Option<File>,
    pub(super) stains: Option<FoundStains>,
    pub(super) seen: BTreeMap<GridKey, Seen>,
}

impl Journal {
    /// Remembers nothing.
    pub fn none() -> Journal {
        Journal {
            path: None,
            file: None,
            stains: None,
            seen: BTreeMap::new(),
        }
    }

    /// Remembers in this file; its folder is made where it is missing.
    pub fn at(path: &Path) -> Journal {
        Journal {
            path: Some(path.to_owned()),
            ..Journal::none()
        }
    }

    /// Squares that need not be read again.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether every square is still to be read.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Takes over what an earlier run left for the same `identity`, or begins anew.
    pub(super) fn open(&mut self, identity: &str) -> Result<(), Error> {
        let Some(path) = self.path.clone() else {
            return Ok(());
        };
        let failed = |e: std::io::Error| failed(&path, &e);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let head = format!("{HEAD}, {}\n", hex(&Sha256::digest(identity)));
        let whole = self.read(&path, &head);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        file.set_len(whole).map_err(failed)?;
        file.seek(SeekFrom::Start(whole)).map_err(failed)?;
        if whole == 0 {
            file.write_all(head.as_bytes()).map_err(failed)?;
        }
        self.file = Some(file);
        Ok(())
    }

    /// Reads what is whole of the file; its length in bytes.
    fn read(&mut self, path: &Path, head: &str) -> u64 {
        (self.stains, self.seen) = (None, BTreeMap::new());
        let small = fs::metadata(path).is_ok_and(|meta| meta.len() <= LARGEST);
        let text = match small {
            true => fs::read(path).unwrap_or_default(),
            false => Vec::new(),
        };
        let text = String::from_utf8_lossy(&text);
        if !text.starts_with(head) {
            return 0;
        }
        let mut whole = head.len();
        for line in text[head.len()..].split_inclusive('\n') {
            if self.take(line).is_none() {
                break;
            }
            whole += line.len();
        }
        whole as u64
    }

    fn take(&mut self, line: &str) -> Option<()> {
        let line = line.strip_suffix('\n')?;
        if self.stains.is_none() {
            self.stains = Some(read_stains(line)?);
            return Some(());
        }
        let (key, seen) = read_seen(line)?;
        self.seen.insert(key, seen);
        Some(())
    }

    pub(super) fn note_stains(&mut self, stains: &FoundStains) -> Result<(), Error> {
        self.stains = Some(stains.clone());
        self.write(&stains_line(stains))
    }

    pub(super) fn note(&mut self, key: GridKey, seen: Seen) -> Result<(), Error> {
        let line = seen_line(key, &seen);
        self.seen.insert(key, seen);
        self.write(&line)
    }

    /// A line is one write: a kill may cut the last line, never mix two.
    fn write(&mut self, line: &str) -> Result<(), Error> {
        let (Some(file), Some(path)) = (&mut self.file, &self.path) else {
            return Ok(());
        };
        file.write_all(line.as_bytes())
            .map_err(|e| failed(path, &e))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    let message = format!("expected to keep what was done, got: {error}");
    Error::new(ErrorKind::Journal, message).in_file(path)
}

/// What tells a slide's file from others: its size, when it was changed, its first and last MiB, and the
/// levels that were found in it (and in the files beside it).
pub(super) fn slide_identity(path: &Path, facts: &SlideFacts) -> std::io::Result<String> {
    let meta = fs::metadata(path)?;
    let since = meta
        .modified()
        .ok()
        .and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    let mut file = File::open(path)?;
    let mut ends = Sha256::new();
    for start in [0, meta.len().saturating_sub(END)] {
        file.seek(SeekFrom::Start(start))?;
        std::io::copy(&mut std::io::Read::take(&file, END), &mut ends)?;
    }
    let (bytes, ends) = (meta.len(), hex(&ends.finalize()));
    Ok(format!(
        "{bytes} bytes, changed {since:?}, {ends}, {:?}",
        facts.levels
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn stains_line(stains: &FoundStains) -> String {
    match stains {
        Ok(s) => {
            let colors = [s.colors.mean, s.colors.deviation].concat();
            let all = [&s.hematoxylin[..], &s.eosin, &s.most, &[s.white], &colors].concat();
            format!("stains\t{}\n", numbers(&all))
        }
        Err(reason) => format!("no stains\t{}\n", one_line(reason)),
    }
}

fn read_stains(line: &str) -> Option<FoundStains> {
    if let Some(reason) = line.strip_prefix("no stains\t") {
        return Some(Err(reason.to_owned()));
    }
    let all = read_numbers(line.strip_prefix("stains\t")?)?;
    let [
        h0,
        h1,
        h2,
        e0,
        e1,
        e2,
        m0,
        m1,
        white,
        l,
        a,
        b,
        of_l,
        of_a,
        of_b,
    ] = all[..]
    else {
        return None;
    };
    Some(Ok(Stains {
        hematoxylin: [h0, h1, h2],
        eosin: [e0, e1, e2],
        most: [m0, m1],
        white,
        colors: ColorStatistics {
            mean: [l, a, b],
            deviation: [of_l, of_a, of_b],
        },
    }))
}

fn seen_line(key: GridKey, seen: &Seen) -> String {
    let reason = match &seen.verdict {
        Verdict::Unreadable(reason) => one_line(reason),
        _ => String::new(),
    };
    let (name, tumor, grade) = (
        seen.verdict.name(),
        numbers(&seen.tumor),
        numbers(&seen.grade),
    );
    let components = seen
        .components
        .as_ref()
        .map_or(String::new(), components_text);
    format!(
        "{}\t{}\t{name}\t{tumor}\t{grade}\t{reason}\t{components}\n",
        key.row, key.col
    )
}

fn read_seen(line: &str) -> Option<(GridKey, Seen)> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [row, col, verdict, tumor, grade, reason, components] = fields[..] else {
        return None;
    };
    let key = GridKey {
        row: row.parse().ok()?,
        col: col.parse().ok()?,
    };
    let verdict = match verdict {
        "taken" => Verdict::Taken,
        "glass" => Verdict::Glass,
        "pen" => Verdict::Pen,
        "fold" => Verdict::Fold,
        "blur" => Verdict::Blur,
        "unreadable" => Verdict::Unreadable(reason.to_owned()),
        _ => return None,
    };
    let (tumor, grade) = (read_numbers(tumor)?, read_numbers(grade)?);
    let components = match components {
        "" => None,
        text => Some(read_components(text)?),
    };
    Some((
        key,
        Seen {
            verdict,
            tumor,
            grade,
            components,
        },
    ))
}

/// Counts; areas of tissue; areas of nuclei; elongations of nuclei.
fn components_text(components: &TileComponents) -> String {
    let (areas, elongations): (Vec<f64>, Vec<f64>) = components.measurable.iter().copied().unzip();
    let tissue = numbers(&[components.tissue_um2, components.tubules_um2]);
    format!(
        "{} {};{tissue};{};{}",
        components.nuclei,
        components.mitosis_like,
        numbers(&areas),
        numbers(&elongations)
    )
}

fn read_components(text: &str) -> Option<TileComponents> {
    let parts: Vec<&str> = text.split(';').collect();
    let [counts, tissue, areas, elongations] = parts[..] else {
        return None;
    };
    let (nuclei, mitosis_like) = counts.split_once(' ')?;
    let [tissue_um2, tubules_um2] = read_numbers(tissue)?[..] else {
        return None;
    };
    let (areas, elongations) = (read_numbers(areas)?, read_numbers(elongations)?);
    let is_whole = areas.len() == elongations.len();
    is_whole.then_some(TileComponents {
        nuclei: nuclei.parse().ok()?,
        mitosis_like: mitosis_like.parse().ok()?,
        tissue_um2,
        tubules_um2,
        measurable: areas.into_iter().zip(elongations).collect(),
    })
}

fn numbers(values: &[f64]) -> String {
    let texts: Vec<String> = values.iter().map(f64::to_string).collect();
    texts.join(" ")
}

fn read_numbers(text: &str) -> Option<Vec<f64>> {
    let words = text.split(' ').filter(|word| !word.is_empty());
    words.map(|word| word.parse().ok()).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(path: &Path) -> Journal {
        let mut journal = Journal::at(path);
        journal.open("a").unwrap();
        journal.note_stains(&Ok(Stains::REFERENCE)).unwrap();
        for col in 0..3 {
            let seen = Seen {
                verdict: Verdict::Taken,
                tumor: vec![0.1 + col as f64 / 7.0, 1e-17],
                grade: vec![1.0 / 3.0],
                components: (col != 1).then(|| TileComponents {
                    nuclei: 7 * col,
                    mitosis_like: col,
                    tissue_um2: 1200.25,
                    tubules_um2: 0.0,
                    measurable: vec![(40.25, 1.125); col],
                }),
            };
            journal.note(GridKey { row: 1, col }, seen).unwrap();
        }
        let seen = Seen {
            verdict: Verdict::Unreadable("level 0:\ttile\nbroken".into()),
            tumor: Vec::new(),
            grade: Vec::new(),
            components: None,
        };
        journal.note(GridKey { row: 2, col: 0 }, seen).unwrap();
        journal
    }

    #[test]
    fn what_was_seen_is_read_back_to_the_bit_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/journal");
        let written = filled(&path);
        let mut read = Journal::at(&path);
        read.open("a").unwrap();
        assert_eq!(read.stains, written.stains);
        assert_eq!(read.len(), 4);
        let taken =
            |journal: &Journal| -> Vec<Seen> { journal.seen.values().take(3).cloned().collect() };
        assert_eq!(taken(&read), taken(&written));
        let last = &read.seen[&GridKey { row: 2, col: 0 }];
        assert_eq!(
            last.verdict,
            Verdict::Unreadable("level 0: tile broken".into())
        );
    }

    #[test]
    fn a_torn_last_line_is_cut_off_and_another_slide_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        drop(filled(&path));
        let whole = fs::read(&path).unwrap();
        for torn in 1..20 {
            fs::write(&path, &whole[..whole.len() - torn]).unwrap();
            let mut journal = Journal::at(&path);
            journal.open("a").unwrap();
            assert_eq!(journal.len(), 3, "{torn}");
            let seen = filled(&folder.path().join("other")).seen;
            let key = GridKey { row: 2, col: 0 };
            journal.note(key, seen[&key].clone()).unwrap();
            assert_eq!(fs::read(&path).unwrap(), whole, "{torn}");
        }
        let mut other = Journal::at(&path);
        other.open("b").unwrap();
        assert!(other.is_empty() && other.stains.is_none());
    }
}
