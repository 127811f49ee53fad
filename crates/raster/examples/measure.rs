use lobule_raster::*;
fn main() {
    for f in std::env::args().skip(1) {
        let p = match read_picture(f.as_ref(), &Limits::default()) {
            Ok(p) => p,
            Err(e) => {
                println!("{e}");
                continue;
            }
        };
        match find_sonogram(&p, &[]) {
            Err(e) => println!("{f}\t{}\t{}\tERR {e}", p.rows(), p.cols()),
            Ok(s) => {
                let w = s.window;
                let mut g = p.luma().crop(w);
                let t = std::time::Instant::now();
                let n = paint_over_marks(&mut g);
                let us = t.elapsed().as_micros();
                let kinds: Vec<_> = s.warnings.iter().map(|w| w.kind.name()).collect();
                println!(
                    "{f}\t{}\t{}\t{},{},{},{}\t{:?}\t{}\t{}\t{}",
                    p.rows(),
                    p.cols(),
                    w.row,
                    w.col,
                    w.rows,
                    w.cols,
                    s.method,
                    kinds.join(","),
                    n,
                    us
                );
            }
        }
    }
}
