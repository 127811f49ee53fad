//! What must hold for any bytes given as a slide.

use std::path::Path;

use lobule_slide::{GridConfig, GridKey, Mpp, SlideLimits, TileGrid, TileKey, open_slide};

/// Small, so that a file that claims more is soon beyond it.
const LIMITS: SlideLimits = SlideLimits {
    max_tile_pixels: 1 << 16,
    max_tiles: 1 << 12,
};

/// What `LIMITS` allows of a tile, several copies of it, and what decoders set aside whatever the
/// size.
pub const MOST_BYTES: usize = 48 << 20;

/// Levels and tiles within the limits, or errors with reasons; whether the first and the last tile
/// of each level and a square of a grid could be read.
pub fn run(bytes: &[u8], folder: &Path) -> bool {
    let file = folder.join("slide");
    std::fs::write(&file, bytes).expect("the folder can be written to");
    let slide = match open_slide(&file, &LIMITS) {
        Ok(slide) => slide,
        Err(error) => {
            assert!(!error.reason().is_empty(), "{:?}", error.kind());
            return false;
        }
    };
    let mut all_read = true;
    for (level, facts) in slide.facts().levels.iter().enumerate() {
        let last = (facts.tiles_down() - 1, facts.tiles_across() - 1);
        for (row, col) in [(0, 0), last] {
            match slide.read_tile(TileKey { level, row, col }) {
                Ok(tile) => assert!(
                    (1..=facts.tile_rows).contains(&tile.rows())
                        && (1..=facts.tile_cols).contains(&tile.cols())
                ),
                Err(error) => {
                    assert!(!error.reason().is_empty(), "{:?}", error.kind());
                    all_read = false;
                }
            }
        }
    }
    let mpp = Mpp::new(0.5).expect("a scale");
    let config = GridConfig {
        side: 40,
        overlap: 8,
        mpp: 0.7,
    };
    let grid = TileGrid::with_mpp(&*slide, config, mpp).expect("a grid of any slide");
    let square = grid.read(&*slide, GridKey { row: 0, col: 0 });
    all_read && square.is_ok_and(|square| (square.rows(), square.cols()) == (40, 40))
}
