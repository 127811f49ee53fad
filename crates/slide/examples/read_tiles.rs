//! Reads every square of 512 pixels of a slide's level 0 and says how long it took: for `bench/slide.py`.
//!
//! `read_tiles SLIDE THREADS`

use std::time::Instant;

use lobule_slide::{
    CachedSource, GridConfig, Mpp, SlideLimits, TileGrid, for_each_tile, open_slide,
};

const SIDE: usize = 512;
const KEPT_BYTES: usize = 96 << 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(threads)) = (arguments.next(), arguments.next()) else {
        return Err("expected SLIDE THREADS".into());
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.parse()?)
        .build_global()?;
    let start = Instant::now();
    let limits = SlideLimits::default();
    let slide = CachedSource::new(open_slide(file.as_ref(), &limits)?, KEPT_BYTES);
    // Whatever the file states: pixels of level 0 are taken as they are.
    let config = GridConfig {
        side: SIDE,
        overlap: 0,
        mpp: 1.0,
    };
    let grid = TileGrid::with_mpp(&slide, config, Mpp::new(1.0)?)?;
    let keys = grid.keys();
    for_each_tile(&slide, &grid, &keys, |key, tile| {
        if let Err(error) = tile {
            eprintln!("{key:?}: {error}");
        }
    });
    println!(
        "{} squares in {:.3} s",
        keys.len(),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
