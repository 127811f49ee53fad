//! The scanner's screen around the sonogram.
//!
//! Owns: burnt-in text, ruler, grey bar, callipers. Every screen says `SYNTHETIC`, outside of the
//! sonogram and, on large screens, inside it too.

use lobule_exam::{Laterality, PixelBox, Point, Polygon, Side, Spacing};
use lobule_raster::Image;

use crate::font::{GLYPH_COLS, GLYPH_ROWS, glyph};
use crate::{Callipers, ImagePlan, Layout, Transducer};

const TEXT: u8 = 214;
const DIM: u8 = 150;

/// Draws the screen.
pub(crate) fn compose(
    plan: &ImagePlan,
    sonogram: &Image<u8>,
    spacing: Spacing,
    outline: Option<&Polygon>,
) -> Image<u8> {
    let (rows, cols) = plan.layout.size();
    let region = plan.layout.region();
    let mut screen = Image::filled(rows, cols, 0_u8);
    for row in 0..region.rows {
        for col in 0..region.cols {
            screen.set(region.row + row, region.col + col, sonogram.at(row, col));
        }
    }
    match plan.layout {
        Layout::Bare { .. } => Pen::small(TEXT).text(&mut screen, rows as i64 - 8, 2, "SYNTHETIC"),
        Layout::Console { .. } => console(&mut screen, plan, spacing),
    }
    if let (Callipers::OnLesion, Some(outline)) = (plan.callipers, outline) {
        callipers(&mut screen, outline, spacing, region);
    }
    screen
}

fn console(screen: &mut Image<u8>, plan: &ImagePlan, spacing: Spacing) {
    let region = plan.layout.region();
    let (rows, cols) = (screen.rows() as i64, screen.cols() as i64);
    let (top, left) = (region.row as i64, region.col as i64);
    let (bottom, right) = (region.row_end() as i64, region.col_end() as i64);
    let big = Pen::large(TEXT);
    big.text(screen, rows / 60, left, "SYNTHETIC - NOT A PATIENT");
    Pen::small(DIM).text(
        screen,
        rows / 60 + 24,
        left,
        "LOBULE PHANTOM  SMALL PARTS  BREAST",
    );
    big.text(
        screen,
        bottom + 14,
        left,
        &format!("{} - SYNTHETIC", side_label(plan.side)),
    );
    big.text(screen, bottom - 24, left + 10, inside_label(plan.side));
    for (line, text) in settings(plan).iter().enumerate() {
        Pen::small(DIM).text(screen, top + 14 * line as i64, right + 44, text);
    }
    gray_bar(screen, top, cols / 40);
    ruler(screen, region, spacing);
    logo(screen, top - 12, left + 4);
}

fn settings(plan: &ImagePlan) -> [String; 6] {
    let transducer = match plan.transducer {
        Transducer::Linear => "LINEAR 5-12",
        Transducer::Curved => "CURVED 4-9",
    };
    [
        "SYNTHETIC".to_owned(),
        transducer.to_owned(),
        format!("D {:.1} CM", plan.depth_mm / 10.0),
        format!("DR {:.0} DB", plan.dynamic_range_db),
        format!("LOOKS {}", plan.looks),
        "GN 52  FR 24".to_owned(),
    ]
}

fn side_label(side: Side) -> &'static str {
    match side {
        Side::Known(Laterality::Left) => "LEFT BREAST",
        Side::Known(Laterality::Right) => "RIGHT BREAST",
        Side::Unknown => "BREAST",
    }
}

fn inside_label(side: Side) -> &'static str {
    match side {
        Side::Known(Laterality::Left) => "SYNTHETIC LT",
        Side::Known(Laterality::Right) => "SYNTHETIC RT",
        Side::Unknown => "SYNTHETIC",
    }
}

/// From white to black, beside the sonogram.
fn gray_bar(screen: &mut Image<u8>, top: i64, left: i64) {
    for step in 0..160 {
        let value = (255 - step * 255 / 159) as u8;
        (0..12).for_each(|col| dot(screen, top + 20 + step, left + col, value));
    }
}

/// Ticks every 5 mm, long ones with a number every 10 mm.
fn ruler(screen: &mut Image<u8>, region: PixelBox, spacing: Spacing) {
    let left = region.col_end() as i64 + 6;
    let n_ticks = (region.rows as f64 * spacing.row_mm() / 5.0) as i64;
    for tick in 0..=n_ticks {
        let row = region.row as i64 + (tick as f64 * 5.0 / spacing.row_mm()).round() as i64;
        let length = if tick % 2 == 0 { 11 } else { 6 };
        (0..length).for_each(|col| dot(screen, row, left + col, TEXT));
        if tick % 2 == 0 && tick > 0 {
            Pen::small(DIM).text(screen, row - 3, left + 15, &format!("{}", tick / 2));
        }
    }
}

/// The mark of the transducer's side.
fn logo(screen: &mut Image<u8>, row: i64, col: i64) {
    for (r, line) in [
        0b011_1110_u8,
        0b100_0001,
        0b101_1001,
        0b101_1001,
        0b100_0001,
        0b011_1110,
    ]
    .iter()
    .enumerate()
    {
        (0..7)
            .filter(|c| line >> (6 - c) & 1 == 1)
            .for_each(|c| dot(screen, row + r as i64, col + c, TEXT));
    }
}

/// Measures the outline across and along.
fn callipers(screen: &mut Image<u8>, outline: &Polygon, spacing: Spacing, region: PixelBox) {
    let by_col = |p: &&Point, q: &&Point| p.col.total_cmp(&q.col);
    let by_row = |p: &&Point, q: &&Point| p.row.total_cmp(&q.row);
    let points = outline.points.iter();
    let across = (points.clone().min_by(by_col), points.clone().max_by(by_col));
    let along = (points.clone().min_by(by_row), points.max_by(by_row));
    for (line, ends) in [across, along].into_iter().enumerate() {
        let (Some(a), Some(b)) = ends else { continue };
        dotted(screen, *a, *b);
        [a, b].into_iter().for_each(|end| cross(screen, *end));
        let (down, right) = (a.row - b.row, a.col - b.col);
        let mm = (down * spacing.row_mm()).hypot(right * spacing.col_mm());
        let text = format!("{} D {:.1} MM", line + 1, mm);
        let row = region.row_end() as i64 + 14 + 12 * line as i64;
        Pen::small(TEXT).text(screen, row, region.col_end() as i64 - 90, &text);
    }
}

fn cross(screen: &mut Image<u8>, at: Point) {
    let (row, col) = (at.row.round() as i64, at.col.round() as i64);
    for offset in -5..=5 {
        dot(screen, row + offset, col, 245);
        dot(screen, row, col + offset, 245);
    }
}

fn dotted(screen: &mut Image<u8>, a: Point, b: Point) {
    let length = (a.row - b.row).hypot(a.col - b.col);
    for step in 1..(length / 7.0) as i64 {
        let t = step as f64 * 7.0 / length;
        let row = a.row + (b.row - a.row) * t;
        let col = a.col + (b.col - a.col) * t;
        dot(screen, row.round() as i64, col.round() as i64, 235);
    }
}

/// What falls off the screen is not drawn.
fn dot(screen: &mut Image<u8>, row: i64, col: i64, value: u8) {
    let inside = |at: i64, size: usize| usize::try_from(at).ok().filter(|&at| at < size);
    if let (Some(row), Some(col)) = (inside(row, screen.rows()), inside(col, screen.cols())) {
        screen.set(row, col, value);
    }
}

struct Pen {
    value: u8,
    scale: i64,
}

impl Pen {
    fn small(value: u8) -> Pen {
        Pen { value, scale: 1 }
    }

    fn large(value: u8) -> Pen {
        Pen { value, scale: 2 }
    }

    fn text(&self, screen: &mut Image<u8>, row: i64, col: i64, text: &str) {
        let advance = self.scale * (GLYPH_COLS as i64 + 1);
        for (i, letter) in text.chars().enumerate() {
            self.letter(screen, row, col + advance * i as i64, letter);
        }
    }

    fn letter(&self, screen: &mut Image<u8>, row: i64, col: i64, letter: char) {
        let bits = glyph(letter);
        for r in 0..GLYPH_ROWS as i64 * self.scale {
            for c in 0..GLYPH_COLS as i64 * self.scale {
                let line = bits[(r / self.scale) as usize];
                if line >> (GLYPH_COLS as i64 - 1 - c / self.scale) & 1 == 1 {
                    dot(screen, row + r, col + c, self.value);
                }
            }
        }
    }
}
