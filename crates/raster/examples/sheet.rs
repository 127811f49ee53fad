use lobule_raster::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let cell = 330;
    let per = 3;
    let n = a.len() - 2;
    let mut sheet = image::RgbImage::new((per * 2 * cell) as u32, (n.div_ceil(per) * cell) as u32);
    for (i, f) in a[2..].iter().enumerate() {
        let Ok(p) = read_picture(f.as_ref(), &Limits::default()) else {
            continue;
        };
        let g = match find_sonogram(&p, &[]) {
            Ok(s) => p.luma().crop(s.window),
            Err(_) => p.luma(),
        };
        let mut q = g.clone();
        paint_over_marks(&mut q);
        for (k, im) in [&g, &q].into_iter().enumerate() {
            for r in 0..im.rows().min(cell) {
                for c in 0..im.cols().min(cell) {
                    let v = im.at(r, c);
                    sheet.put_pixel(
                        ((i % per * 2 + k) * cell + c) as u32,
                        ((i / per) * cell + r) as u32,
                        image::Rgb([v; 3]),
                    );
                }
            }
        }
    }
    sheet.save(&a[1]).unwrap();
}
