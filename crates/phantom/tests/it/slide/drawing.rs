//! What is drawn: pixels by place, tumours by grade, words, truth.

use lobule_exam::PixelBox;
use lobule_phantom::slide::{SlidePlan, SyntheticSlide};
use lobule_raster::Image;

use super::spoiled;

#[test]
fn a_pixel_depends_on_its_place_alone() {
    let slide = spoiled();
    // Glass, letters, section, tumour, pen, fold and blur are among these.
    let (top, left, side) = (300, 600, 1200);
    let whole = slide.draw(PixelBox {
        row: top,
        col: left,
        rows: side,
        cols: side,
    });
    let mut places: Vec<(usize, usize)> = (0..36).map(|i| (i / 6 * 200, i % 6 * 200)).collect();
    places.reverse();
    for (row, col) in places {
        let tile = PixelBox {
            row,
            col,
            rows: 200,
            cols: 200,
        };
        let own = PixelBox {
            row: row + top,
            col: col + left,
            ..tile
        };
        assert_eq!(slide.draw(own), whole.crop(tile), "{row} {col}");
    }
    let again = spoiled();
    assert_eq!(
        again.draw(PixelBox::whole(100, 100)),
        slide.draw(PixelBox::whole(100, 100))
    );
    let other = SyntheticSlide::new(slide.plan().clone(), 12);
    let middle = PixelBox {
        row: 1500,
        col: 2000,
        rows: 50,
        cols: 50,
    };
    assert_ne!(other.draw(middle), slide.draw(middle));
}

#[test]
fn impossible_plans_are_held_to_what_can_be_drawn() {
    let plan = SlidePlan {
        rows: 0,
        cols: 1,
        mpp: f64::NAN,
        grade: 99.0,
        ..SlidePlan::default()
    };
    let slide = SyntheticSlide::new(plan, 1);
    let held = slide.plan();
    assert_eq!(
        (held.rows, held.cols, held.mpp, held.grade),
        (64, 64, 0.1, 3.0)
    );
    assert_eq!(slide.draw(PixelBox::whole(64, 64)).rows(), 64);
    assert_eq!(slide.draw(PixelBox::whole(0, 5)).pixels().len(), 0);
}

/// Haematoxylin of a pixel, by the inverse of the two stains that were planted.
fn hematoxylin(pixel: [u8; 3], plan: &SlidePlan) -> f32 {
    let white = 255.0 * plan.scanner.brightness;
    let od = pixel.map(|v| -(f32::from(v).max(1.0) / white).ln());
    let (h, e) = (plan.stain.hematoxylin, plan.stain.eosin);
    let dot = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    let (hh, ee, he) = (dot(h, h), dot(e, e), dot(h, e));
    (dot(od, h) * ee - dot(od, e) * he) / (hh * ee - he * he)
}

/// Areas in pixels of the connected parts of a mask, by 4 neighbours.
fn parts(mask: &Image<bool>) -> Vec<usize> {
    let (rows, cols) = (mask.rows(), mask.cols());
    let mut open = mask.clone();
    let mut areas = Vec::new();
    for start in 0..rows * cols {
        let mut stack = vec![start];
        let mut area = 0;
        while let Some(i) = stack.pop() {
            if !std::mem::take(&mut open.pixels_mut()[i]) {
                continue;
            }
            area += 1;
            let (row, col) = (i / cols, i % cols);
            let mut push = |near: bool, j: usize| {
                if near {
                    stack.push(j);
                }
            };
            push(row > 0, i.wrapping_sub(cols));
            push(row + 1 < rows, (i + cols).min(rows * cols - 1));
            push(col > 0, i.wrapping_sub(1));
            push(col + 1 < cols, (i + 1).min(rows * cols - 1));
        }
        if area > 0 {
            areas.push(area);
        }
    }
    areas
}

/// What is seen inside the nests of a few tiles at 40×: share of the area that is nuclear, coefficient of
/// variation of the nuclei's diameters, share of lumens, very dark parts per mm².
fn measured(grade: f64, seed: u64) -> [f64; 4] {
    let plan = SlidePlan {
        rows: 12_000,
        cols: 12_000,
        mpp: 0.25,
        grade,
        ..SlidePlan::default()
    };
    let slide = SyntheticSlide::new(plan, seed);
    let (mut nuclear, mut lumen, mut area, mut dark) = (0, 0, 0, 0);
    let mut diameters = Vec::new();
    for outline in slide.nests().take(30) {
        let middle = |c: usize| outline.iter().map(|p| p[c]).sum::<f64>() / outline.len() as f64;
        // The square within the nest.
        let window = PixelBox {
            row: middle(1) as usize - 170,
            col: middle(0) as usize - 170,
            rows: 340,
            cols: 340,
        };
        let tile = slide.draw(window);
        let amount = tile.map(|pixel| hematoxylin(pixel, slide.plan()));
        let nuclei = parts(&amount.map(|h| h > 0.55));
        // Smaller parts are specks, larger ones nuclei that touch.
        let single = nuclei.iter().filter(|&&n| (150..3000).contains(&n));
        diameters.extend(single.map(|&n| (n as f64).sqrt()));
        nuclear += nuclei.iter().sum::<usize>();
        lumen += tile
            .pixels()
            .iter()
            .filter(|p| p.iter().all(|&v| v > 222))
            .count();
        dark += parts(&amount.map(|h| h > 1.9))
            .iter()
            .filter(|&&n| n > 60)
            .count();
        area += tile.pixels().len();
    }
    let n = diameters.len() as f64;
    let mean = diameters.iter().sum::<f64>() / n;
    let spread = diameters.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let mm2 = area as f64 * 0.25 * 0.25 * 1e-6;
    [
        nuclear as f64 / area as f64,
        spread.sqrt() / mean,
        lumen as f64 / area as f64,
        dark as f64 / mm2,
    ]
}

#[test]
fn nuclei_and_mitoses_rise_and_lumens_fall_with_the_grade() {
    for seed in [1, 2, 3] {
        let [one, two, three] = [1.0, 2.0, 3.0].map(|grade| measured(grade, seed));
        eprintln!("seed {seed}: {one:.3?} {two:.3?} {three:.3?}");
        for (low, high) in [(one, two), (two, three)] {
            assert!(high[0] > 1.2 * low[0], "nuclear share");
            assert!(high[1] > 1.1 * low[1], "variation of diameters");
            assert!(high[2] < 0.75 * low[2], "lumens");
        }
        assert!(three[3] > two[3] && three[3] > one[3] + 30.0, "mitoses");
    }
}

#[test]
fn nests_are_where_the_nuclei_are() {
    let plan = SlidePlan {
        rows: 3000,
        cols: 3000,
        grade: 3.0,
        ..SlidePlan::default()
    };
    let slide = SyntheticSlide::new(plan, 5);
    let nests: Vec<Vec<[f64; 2]>> = slide.nests().collect();
    let polygons: Vec<lobule_exam::Polygon> = nests
        .iter()
        .map(|outline| lobule_exam::Polygon {
            points: outline
                .iter()
                .map(|&[x, y]| lobule_exam::Point {
                    row: y - 0.5,
                    col: x - 0.5,
                })
                .collect(),
        })
        .collect();
    let window = PixelBox {
        row: 1000,
        col: 1000,
        rows: 1000,
        cols: 1000,
    };
    let tile = slide.draw(window);
    let mut sums = [[0.0_f64; 2]; 2];
    for row in (0..1000).step_by(3) {
        for col in (0..1000).step_by(3) {
            let place = lobule_exam::Point {
                row: (row + 1000) as f64,
                col: (col + 1000) as f64,
            };
            let inside = usize::from(polygons.iter().any(|p| p.contains(place)));
            let is_nuclear = hematoxylin(tile.at(row, col), slide.plan()) > 0.55;
            sums[inside][0] += 1.0;
            sums[inside][1] += f64::from(u8::from(is_nuclear));
        }
    }
    let [outside, inside] = sums.map(|[n, nuclear]| nuclear / n);
    eprintln!("nuclear share inside nests {inside:.3}, outside {outside:.3}");
    assert!(inside > 0.3 && outside < 0.1, "{inside} {outside}");
}
