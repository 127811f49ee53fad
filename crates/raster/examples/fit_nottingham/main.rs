//! Measures what is said of nuclei, mitoses and tubules against the boxes of BreCaHAD.
//!
//! `LOBULE_DATA=… cargo run --release -p lobule-raster --example fit_nottingham -- [choose]`
//!
//! Four cases are no sample: intervals by resampling cases are given because they are what grouping by
//! patient asks for, and are too narrow with four.

mod fields;
mod figures;
mod nuclei;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::var_os("LOBULE_DATA").ok_or("expected LOBULE_DATA")?;
    let fields = fields::read(&Path::new(&root).join("brecahad30"))?;
    if std::env::args().any(|a| a == "choose") {
        nuclei::choose(&fields);
    }
    nuclei::measure(&fields);
    Ok(())
}
