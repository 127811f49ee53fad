//! An exam and what is known of it.

use lobule_exam::{FindingClass, Laterality, PixelBox, Point, Polygon, Spacing, View};
use lobule_raster::Image;
use rayon::prelude::*;

use super::view::{Breast, render_view};
use super::{Density, ExamPlan, LesionKind, Medium};

/// A synthetic exam: four views, in the order right CC, left CC, right MLO, left MLO.
#[derive(Debug, Clone, PartialEq)]
pub struct MammogramExam {
    /// The four views.
    pub views: Vec<MammogramView>,
    /// How glandular the breasts are.
    pub density: Density,
    /// How the pictures were taken.
    pub medium: Medium,
}

impl MammogramExam {
    /// The worse class of what was planted in a breast; none in a normal one.
    pub fn class(&self, side: Laterality) -> Option<FindingClass> {
        let of_side = self.views.iter().filter(|view| view.side == side);
        let mut classes = of_side.flat_map(|v| &v.lesions).map(|lesion| lesion.class);
        let first = classes.next()?;
        let any_malignant = first == FindingClass::Malignant
            || classes.any(|class| class == FindingClass::Malignant);
        match any_malignant {
            true => Some(FindingClass::Malignant),
            false => Some(first),
        }
    }
}

/// One synthetic mammogram. Coordinates are pixels of the picture.
///
/// The chest wall is at the left edge for the left breast and at the right edge for the right
/// one; the head, in cranio-caudal views the outer side, is at the top.
#[derive(Debug, Clone, PartialEq)]
pub struct MammogramView {
    /// The breast.
    pub side: Laterality,
    /// Cranio-caudal or medio-lateral oblique.
    pub view: View,
    /// The picture: 0 = black, 65535 = white, in 4096 even steps.
    pub image: Image<u16>,
    /// Size of a pixel.
    pub spacing: Spacing,
    /// Every pixel that shows the breast, its skin, or muscle.
    pub breast: Image<bool>,
    /// The share of the breast's pixels (without muscle) that are mostly glandular, in 0..=1.
    pub dense_share: f64,
    /// The tip of the nipple.
    pub nipple: Point,
    /// Where the edge of the pectoral muscle meets the top and the chest wall; oblique views only.
    pub pectoral: Option<[Point; 2]>,
    /// The lesions of this breast, in the order of the plan.
    pub lesions: Vec<ProjectedLesion>,
}

/// A lesion as it lies in one view.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectedLesion {
    /// Its number in the plan: the same in both views.
    pub number: usize,
    /// What it looks like.
    pub kind: LesionKind,
    /// The class it is made to look like.
    pub class: FindingClass,
    /// Its middle.
    pub center: Point,
    /// Depth behind the nipple along the nipple line, in mm: the same in both views.
    pub depth_mm: f64,
    /// Longest extent of its outline, in mm.
    pub longest_mm: f64,
    /// Its outline: of spiculated masses the core, of clusters the area of the specks.
    pub outline: Polygon,
    /// The pixels inside the outline, as large as the picture.
    pub mask: Image<bool>,
}

impl ProjectedLesion {
    /// The smallest box around the mask.
    pub fn bounds(&self) -> PixelBox {
        let row = |row: usize| self.mask.row(row).contains(&true);
        let rows = (0..self.mask.rows()).filter(|&r| row(r));
        let (top, bottom) = ends(rows);
        let col = |col: usize| (top..bottom).any(|row| self.mask.at(row, col));
        let (left, right) = ends((0..self.mask.cols()).filter(|&c| col(c)));
        PixelBox {
            row: top,
            col: left,
            rows: bottom - top,
            cols: right - left,
        }
    }
}

/// The first, and the one past the last.
fn ends(mut found: impl Iterator<Item = usize>) -> (usize, usize) {
    let Some(first) = found.next() else {
        return (0, 0);
    };
    (first, found.last().unwrap_or(first) + 1)
}

/// Draws one exam. The same plan and seed give the same pixels.
pub fn render_exam(plan: &ExamPlan, seed: u64) -> MammogramExam {
    let sides = [Laterality::Right, Laterality::Left];
    let breasts = sides.map(|side| Breast::new(plan, side, seed));
    let places = [(0, View::Cc), (1, View::Cc), (0, View::Mlo), (1, View::Mlo)];
    let views = places.par_iter();
    MammogramExam {
        views: views
            .map(|&(breast, view)| render_view(plan, &breasts[breast], view))
            .collect(),
        density: plan.density,
        medium: plan.medium,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mammogram::texture::measured_exponent;

    #[test]
    fn gland_and_fat_have_the_spectrum_of_mammograms() {
        for density in [Density::Fatty, Density::Dense] {
            let plan = ExamPlan {
                density,
                ..ExamPlan::default()
            };
            for seed in 0..3 {
                for view in &render_exam(&plan, seed).views[..2] {
                    // 25 mm in the middle of the breast.
                    let (middle, half) = (view.nipple.row as usize, 64);
                    let inwards = if view.side == Laterality::Left { -1 } else { 1 };
                    let col = (view.nipple.col as i64 + inwards * 170) as usize;
                    let square = PixelBox {
                        row: middle - half,
                        col: col - half,
                        rows: 2 * half,
                        cols: 2 * half,
                    };
                    let field = view.image.crop(square).map(f32::from);
                    let got = measured_exponent(&field, 0.2, 0.1, 1.2);
                    println!("{density:?} {seed} {:?}: exponent {got:.2}", view.side);
                    assert!((2.3..3.7).contains(&got), "{density:?} {seed}: {got}");
                }
            }
        }
    }
}
