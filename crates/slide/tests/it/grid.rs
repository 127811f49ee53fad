//! Grids of squares: coverage, overlap, resolutions.

use std::sync::Mutex;

use lobule_exam::{PixelBox, Point};
use lobule_slide::{
    CachedSource, ErrorKind, GLASS, GridConfig, GridKey, Mpp, TileGrid, TileKey, for_each_tile,
    read_region,
};

use crate::golden::{golden, opened};

fn config(side: usize, overlap: usize, mpp: f64) -> GridConfig {
    GridConfig { side, overlap, mpp }
}

#[test]
fn squares_cover_each_pixel_once() {
    let slide = opened(&golden("deflate.tif"));
    let whole = read_region(
        &*slide,
        0,
        PixelBox {
            row: 0,
            col: 0,
            rows: 100,
            cols: 140,
        },
    )
    .unwrap();
    let grid = TileGrid::new(&*slide, config(30, 0, 0.5)).unwrap();
    assert_eq!((grid.rows(), grid.cols(), grid.level()), (4, 5, 0));
    let seen = Mutex::new(vec![0; 100 * 140]);
    for_each_tile(&*slide, &grid, &grid.keys(), |key, tile| {
        let (tile, place) = (tile.unwrap(), grid.place(key));
        for row in 0..30 {
            for col in 0..30 {
                let (r, c) = (place.row + row, place.col + col);
                if r < 100 && c < 140 {
                    assert_eq!(tile.at(row, col), whole.at(r, c));
                    seen.lock().unwrap()[r * 140 + c] += 1;
                } else {
                    assert_eq!(tile.at(row, col), GLASS);
                }
            }
        }
    });
    assert!(seen.into_inner().unwrap().iter().all(|&n| n == 1));
}

#[test]
fn neighbours_agree_where_they_overlap_at_any_resolution() {
    let slide = opened(&golden("deflate.tif"));
    for mpp in [0.45, 0.5, 0.7, 1.0, 1.3, 3.1] {
        let grid = TileGrid::new(&*slide, config(16, 6, mpp)).unwrap();
        for key in grid
            .keys()
            .into_iter()
            .filter(|key| key.col + 1 < grid.cols())
        {
            let right = GridKey {
                col: key.col + 1,
                ..key
            };
            let (a, b) = (
                grid.read(&*slide, key).unwrap(),
                grid.read(&*slide, right).unwrap(),
            );
            for row in 0..16 {
                assert_eq!(a.row(row)[10..], b.row(row)[..6], "{mpp} {key:?}");
            }
        }
    }
}

#[test]
fn the_nearest_finer_level_is_read() {
    let slide = opened(&golden("deflate.tif"));
    let cases = [
        (0.45, 0),
        (0.5, 0),
        (0.9, 0),
        (0.995, 1),
        (1.0, 1),
        (1.5, 1),
        (2.0, 2),
        (9.0, 2),
    ];
    for (mpp, level) in cases {
        let grid = TileGrid::new(&*slide, config(8, 0, mpp)).unwrap();
        assert_eq!(grid.level(), level, "{mpp}");
        assert!((grid.mpp().microns() / mpp - 1.0).abs() <= 0.01, "{mpp}");
    }
    // A mean of four pixels, by hand.
    let strips = opened(&golden("strips_plain.tif"));
    let mpp = Mpp::new(0.5).unwrap();
    let grid = TileGrid::with_mpp(&*strips, config(10, 0, 1.0), mpp).unwrap();
    let tile = grid.read(&*strips, GridKey { row: 2, col: 3 }).unwrap();
    let window = PixelBox {
        row: 40,
        col: 60,
        rows: 2,
        cols: 2,
    };
    let four = read_region(&*strips, 0, window).unwrap();
    let mean = |c: usize| four.pixels().iter().map(|p| f32::from(p[c])).sum::<f32>() / 4.0;
    assert_eq!(tile.at(0, 0), [0, 1, 2].map(|c| mean(c).round() as u8));
}

#[test]
fn points_of_a_square_go_to_level_0() {
    let slide = opened(&golden("deflate.tif"));
    let grid = TileGrid::new(&*slide, config(10, 2, 1.0)).unwrap();
    let map = grid.slide_from_tile(&*slide, GridKey { row: 1, col: 2 });
    // Row 8 of the grid covers rows 16 and 17 of the slide.
    assert_eq!(
        map.apply(Point { row: 0.0, col: 0.0 }),
        Point {
            row: 16.5,
            col: 32.5
        }
    );
    let back = map.inverse().unwrap().apply(Point {
        row: 16.5,
        col: 32.5,
    });
    assert!(back.row.abs() < 1e-12 && back.col.abs() < 1e-12);
}

#[test]
fn impossible_grids_are_refused() {
    let slide = opened(&golden("deflate.tif"));
    let kind = |c| TileGrid::new(&*slide, c).unwrap_err().kind();
    assert_eq!(kind(config(0, 0, 0.5)), ErrorKind::Address);
    assert_eq!(kind(config(8, 8, 0.5)), ErrorKind::Address);
    for mpp in [0.0, -1.0, f64::NAN, 0.25] {
        assert_eq!(kind(config(8, 0, mpp)), ErrorKind::NoScale, "{mpp}");
    }
    let unknown = opened(&golden("gray16.tif"));
    let error = TileGrid::new(&*unknown, GridConfig::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoScale);
    let key = TileKey {
        level: 0,
        row: 2,
        col: 0,
    };
    assert_eq!(slide.read_tile(key).unwrap_err().kind(), ErrorKind::Address);
    let key = TileKey { level: 7, ..key };
    assert_eq!(slide.read_tile(key).unwrap_err().kind(), ErrorKind::Address);
}

#[test]
fn kept_tiles_are_the_same_tiles() {
    let cached = CachedSource::new(opened(&golden("jpeg_ycc.tif")), 2 * 64 * 64 * 3);
    let plain = opened(&golden("jpeg_ycc.tif"));
    let window = PixelBox {
        row: 3,
        col: 5,
        rows: 90,
        cols: 130,
    };
    for _ in 0..2 {
        let regions = [&cached as &dyn lobule_slide::TileSource, &*plain];
        let [a, b] = regions.map(|source| read_region(source, 0, window).unwrap());
        assert_eq!(a, b);
    }
}
