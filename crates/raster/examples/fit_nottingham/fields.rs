//! The fields of BreCaHAD with their boxes, and which found place belongs to which box.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use lobule_raster::{Image, Limits, StainConfig, Stains, fit_stains, read_picture};

/// Microns per pixel of the files, as models/slide-tumor/card.md takes them: they are not stated.
const FILE_MPP: f64 = 0.25;
/// Microns per pixel that all is measured at: that of the shipped tumor model's tiles.
pub(crate) const MPP: f64 = 0.5;

/// A box of an annotation, in pixels of [`MPP`].
#[derive(Debug, Clone)]
pub(crate) struct Boxed {
    pub(crate) class: String,
    pub(crate) row: f64,
    pub(crate) col: f64,
    pub(crate) height: f64,
    pub(crate) width: f64,
}

impl Boxed {
    pub(crate) fn is_nucleus(&self) -> bool {
        !self.class.ends_with("ubule")
    }
}

impl Boxed {
    /// Whether a place lies in it.
    pub(crate) fn contains(&self, (row, col): (f64, f64)) -> bool {
        let (down, across) = ((row - self.row).abs(), (col - self.col).abs());
        down <= self.height / 2.0 && across <= self.width / 2.0
    }

    /// The area of the ellipse that fits into it, grown by so many pixels, in square microns.
    pub(crate) fn grown_um2(&self, by: f64) -> f64 {
        let (height, width) = (self.height + 2.0 * by, self.width + 2.0 * by);
        std::f64::consts::FRAC_PI_4 * height * width * MPP * MPP
    }
}

/// The area of all fields.
pub(crate) fn area_mm2(fields: &[Field]) -> f64 {
    let pixels: usize = fields.iter().map(|f| f.tile.rows() * f.tile.cols()).sum();
    pixels as f64 * MPP * MPP / 1e6
}

/// A field of one case.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) case: String,
    pub(crate) tile: Image<[u8; 3]>,
    pub(crate) boxes: Vec<Boxed>,
    pub(crate) stains: Stains,
}

/// Reads all fields; stains are estimated per case, as they are per slide.
pub(crate) fn read(root: &Path) -> Result<Vec<Field>, Box<dyn Error>> {
    let table = std::fs::read_to_string(root.join("labels.csv"))?;
    let mut fields = Vec::new();
    let mut pixels: BTreeMap<String, Vec<[u8; 3]>> = BTreeMap::new();
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let picture = read_picture(&root.join(cells[0]), &Limits::default())?.to_rgb();
        let tile = halved(&picture);
        let of_case = pixels.entry(cells[2].to_owned()).or_default();
        of_case.extend(tile.pixels().iter().step_by(7));
        fields.push(Field {
            name: cells[0].to_owned(),
            case: cells[2].to_owned(),
            tile,
            boxes: boxes(&root.join(cells[4]))?,
            stains: Stains::REFERENCE,
        });
    }
    for field in &mut fields {
        field.stains = fit_stains(&pixels[&field.case], &StainConfig::default())?;
    }
    Ok(fields)
}

fn halved(picture: &Image<[u8; 3]>) -> Image<[u8; 3]> {
    Image::from_fn(picture.rows() / 2, picture.cols() / 2, |row, col| {
        let four =
            [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(r, c)| picture.at(2 * row + r, 2 * col + c));
        [0, 1, 2].map(|c| ((four.iter().map(|p| u32::from(p[c])).sum::<u32>() + 2) / 4) as u8)
    })
}

fn boxes(file: &Path) -> Result<Vec<Boxed>, Box<dyn Error>> {
    let scale = FILE_MPP / MPP;
    let boxed = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |i: usize| cells[i].parse::<f64>();
        Ok(Boxed {
            class: cells[0].to_owned(),
            col: number(1)? * scale - 0.5,
            row: number(2)? * scale - 0.5,
            width: number(3)? * scale,
            height: number(4)? * scale,
        })
    };
    std::fs::read_to_string(file)?
        .lines()
        .skip(1)
        .map(boxed)
        .collect()
}

/// Pairs of a found place and a box whose inside it lies in, nearest to the middle first, each once.
pub(crate) fn matched(places: &[(f64, f64)], boxes: &[&Boxed]) -> Vec<(usize, usize)> {
    let mut near = Vec::new();
    for (i, &(row, col)) in places.iter().enumerate() {
        for (j, b) in boxes.iter().enumerate() {
            if b.contains((row, col)) {
                near.push(((row - b.row).hypot(col - b.col), i, j));
            }
        }
    }
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut used, mut hit) = (vec![false; places.len()], vec![false; boxes.len()]);
    near.retain(|&(_, i, j)| {
        let is_free = !used[i] && !hit[j];
        if is_free {
            (used[i], hit[j]) = (true, true);
        }
        is_free
    });
    near.into_iter().map(|(_, i, j)| (i, j)).collect()
}
