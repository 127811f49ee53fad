//! Synthetic full screens: a sonogram of known place with a scanner's furniture around it.

use lobule_exam::PixelBox;
use lobule_raster::Image;

/// A source of numbers in `0..1` that is the same in each run.
pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 40) as f64 / (1_u64 << 24) as f64
    }
}

/// The outline of the echoes.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    Linear,
    Fan,
}

/// Speckle (exponential intensity, compressed) that fades with depth, in the part of `window`
/// that the shape covers; exactly 0 elsewhere.
pub fn draw_echoes(screen: &mut Image<u8>, window: PixelBox, shape: Shape, noise: &mut Noise) {
    for row in 0..window.rows {
        let depth = row as f64 / window.rows as f64;
        let half = match shape {
            Shape::Linear => 1.0,
            Shape::Fan => 0.45 + 0.55 * depth,
        };
        for col in 0..window.cols {
            let across = (2.0 * col as f64 / window.cols as f64 - 1.0).abs();
            let intensity = -(1.0 - noise.next()).ln();
            if across <= half {
                let value = 130.0 * (1.0 - 0.95 * depth) * (0.3 + intensity.sqrt());
                screen.set(window.row + row, window.col + col, value.min(255.0) as u8);
            }
        }
    }
}

/// Glyph-like strokes, 7 rows high, in the manner of a line of text.
pub fn draw_text(screen: &mut Image<u8>, row: usize, col: usize, letters: usize) {
    for letter in 0..letters {
        let left = col + 7 * letter;
        for i in 0..7 {
            screen.set(row + i, left, 230);
            screen.set(row + i, left + 4, 230);
        }
        for j in 0..5 {
            screen.set(row + (letter * 3) % 7, left + j, 230);
        }
    }
}

/// A screen of 480 × 640 with header, side panel, grey bar, ruler and logo around the echoes.
pub fn screen(window: PixelBox, shape: Shape, seed: u64) -> Image<u8> {
    let mut screen = Image::filled(480, 640, 0_u8);
    draw_echoes(&mut screen, window, shape, &mut Noise(seed));
    for row in 0..24 {
        (0..640).for_each(|col| screen.set(row, col, 52));
    }
    for (row, col, letters) in [
        (4, 8, 20),
        (14, 300, 30),
        (60, 6, 9),
        (75, 6, 7),
        (90, 6, 8),
        (455, 200, 30),
    ] {
        draw_text(&mut screen, row, col, letters);
    }
    for row in 0..150 {
        (0..10).for_each(|col| screen.set(80 + row, 615 + col, (255 - row) as u8));
    }
    for tick in 0..12 {
        (0..6).for_each(|col| screen.set(60 + 30 * tick, 600 + col, 200));
    }
    screen
}
