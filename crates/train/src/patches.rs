//! Patches of mammograms: on lesions, and beside them where no lesion can be seen.

use lobule_exam::Point;
use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::bags::malignant_times;
use crate::images::{Images, Look};
use crate::lesion::Lesion;
use crate::{Case, DataConfig, Error, Label, PatchConfig};

/// Lesions are known on a grid of cells of this many pixels of the input.
const CELL: usize = 8;

/// Where patches may lie in the images of some cases.
pub(crate) struct Patches {
    sources: Vec<Source>,
    config: PatchConfig,
}

/// One image. Places are middles of cells, in pixels of the input.
struct Source {
    image: usize,
    /// By label: benign, malignant.
    lesions: [Vec<Point>; 2],
    /// From here a patch sees no lesion.
    elsewhere: Vec<Point>,
    n_on: usize,
    n_elsewhere: usize,
}

/// A patch and what it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Patch {
    pub(crate) look: Look,
    pub(crate) label: Label,
}

impl Patches {
    /// Reads the lesions of the chosen cases. An image with a lesion of its label that nobody
    /// outlined gives no patches: where it is healthy is not known.
    pub(crate) fn of(
        cases: &[Case],
        images: &Images,
        chosen: &[usize],
        config: &PatchConfig,
        data: &[DataConfig],
    ) -> Result<Patches, Error> {
        let source = |&i: &usize| Source::of(&cases[i], images, i, config, data);
        let sources: Vec<Source> = chosen
            .par_iter()
            .map(source)
            .collect::<Result<_, Error>>()?;
        Ok(Patches {
            sources,
            config: config.clone(),
        })
    }

    /// Patches for one epoch, shuffled; their number is the same in every epoch.
    pub(crate) fn draw(&self, rng: &mut ChaCha8Rng) -> Vec<Patch> {
        let mut patches = Vec::new();
        for source in &self.sources {
            source.draw(&self.config, rng, &mut patches);
        }
        patches.shuffle(rng);
        patches
    }
}

impl Source {
    fn of(
        case: &Case,
        images: &Images,
        image: usize,
        config: &PatchConfig,
        data: &[DataConfig],
    ) -> Result<Source, Error> {
        let [benign, malignant] = [
            Lesion::of_label(case, Label::Benign)?,
            Lesion::of_label(case, Label::Malignant)?,
        ];
        for lesion in [&benign, &malignant].into_iter().flatten() {
            lesion.check_size(images.image_size(image), &case.file)?;
        }
        let cells = Cells::of(images, image, [&benign, &malignant]);
        let times = match case.label {
            Label::Malignant => malignant_times(case, data),
            _ => 1,
        };
        let outlined = match case.label {
            Label::Normal => false,
            Label::Benign => benign.is_some(),
            Label::Malignant => malignant.is_some(),
        };
        let (n_on, n_elsewhere) = match case.label {
            Label::Normal => (0, config.normal),
            _ if outlined => (config.on_lesion * times, config.beside_lesion),
            _ => (0, 0),
        };
        Ok(Source {
            image,
            lesions: [cells.places(Cell::Benign), cells.places(Cell::Malignant)],
            elsewhere: cells.away_from_lesions(config.size),
            n_on,
            n_elsewhere,
        })
    }

    fn draw(&self, config: &PatchConfig, rng: &mut ChaCha8Rng, patches: &mut Vec<Patch>) {
        let mut add = |middle: Point, label: Label| {
            let look = Look {
                image: self.image,
                middle: Some(middle),
            };
            patches.push(Patch { look, label });
        };
        let [benign, malignant] = &self.lesions;
        let worst = if malignant.is_empty() {
            benign
        } else {
            malignant
        };
        for _ in 0..self.n_on {
            let Some(&middle) = worst.choose(rng) else {
                break;
            };
            let away = config.jitter * config.size as f64;
            let mut off = || match away > 0.0 {
                true => rng.random_range(-away..=away),
                false => 0.0,
            };
            let middle = Point {
                row: middle.row + off(),
                col: middle.col + off(),
            };
            let label = match malignant.is_empty() {
                true => Label::Benign,
                false => Label::Malignant,
            };
            add(middle, label);
        }
        for _ in 0..self.n_elsewhere {
            if let Some(&middle) = self.elsewhere.choose(rng) {
                add(middle, Label::Normal);
            }
        }
    }
}

/// What a cell of an image shows in any of its pixels; the worse, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Outside,
    Breast,
    Benign,
    Malignant,
}

struct Cells {
    cells: Vec<Cell>,
    rows: usize,
    cols: usize,
}

impl Cells {
    fn of(images: &Images, image: usize, [benign, malignant]: [&Option<Lesion>; 2]) -> Cells {
        let (rows, cols) = images.size();
        let (rows, cols) = (rows / CELL, cols / CELL);
        let image_from_input = images.image_from_input(image);
        let cell = |i: usize| {
            let (row, col) = (i / cols, i % cols);
            let shows = |lesion: &Option<Lesion>| {
                lesion.as_ref().is_some_and(|lesion| {
                    pixels(row, col).any(|p| lesion.contains(image_from_input.apply(p)))
                })
            };
            match images.is_breast(image, middle(row, col)) {
                _ if shows(malignant) => Cell::Malignant,
                _ if shows(benign) => Cell::Benign,
                true => Cell::Breast,
                false => Cell::Outside,
            }
        };
        Cells {
            cells: (0..rows * cols).map(cell).collect(),
            rows,
            cols,
        }
    }

    fn places(&self, wanted: Cell) -> Vec<Point> {
        let of_kind = (0..self.cells.len()).filter(|&i| self.cells[i] == wanted);
        of_kind
            .map(|i| middle(i / self.cols, i % self.cols))
            .collect()
    }

    /// Cells of the breast around which a patch shows no lesion.
    fn away_from_lesions(&self, patch: usize) -> Vec<Point> {
        let reach = patch.div_ceil(2 * CELL);
        let clear = |row: usize, col: usize| {
            let rows = row.saturating_sub(reach)..(row + reach + 1).min(self.rows);
            let cols = col.saturating_sub(reach)..(col + reach + 1).min(self.cols);
            rows.into_iter().all(|r| {
                let line = &self.cells[r * self.cols..][cols.clone()];
                line.iter().all(|&cell| cell < Cell::Benign)
            })
        };
        let mut places = Vec::new();
        for row in 0..self.rows {
            for col in 0..self.cols {
                if self.cells[row * self.cols + col] == Cell::Breast && clear(row, col) {
                    places.push(middle(row, col));
                }
            }
        }
        places
    }
}

fn pixels(row: usize, col: usize) -> impl Iterator<Item = Point> {
    let at = |row: usize, col: usize| Point {
        row: row as f64,
        col: col as f64,
    };
    (0..CELL * CELL).map(move |i| at(row * CELL + i / CELL, col * CELL + i % CELL))
}

fn middle(row: usize, col: usize) -> Point {
    let at = |n: usize| (n as f64 + 0.5) * CELL as f64 - 0.5;
    Point {
        row: at(row),
        col: at(col),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_elsewhere_see_no_lesion() {
        let cell = |i: usize| match (i / 20, i % 20) {
            (10, 10) => Cell::Malignant,
            (_, 15..) => Cell::Outside,
            _ => Cell::Breast,
        };
        let cells = Cells {
            cells: (0..400).map(cell).collect(),
            rows: 20,
            cols: 20,
        };
        let lesion = middle(10, 10);
        assert_eq!(cells.places(Cell::Malignant), [lesion]);
        let places = cells.away_from_lesions(32);
        assert!(!places.is_empty());
        for p in places {
            let away = (p.row - lesion.row).abs().max((p.col - lesion.col).abs());
            assert!(away > 16.0 && p.col < 120.0, "{p:?}");
        }
    }
}
