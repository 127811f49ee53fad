//! Fits what tells mitoses from other dark pieces, and measures nuclei, mitoses and tubules against the boxes of
//! BreCaHAD. More figures go to the standard error.
//!
//! `LOBULE_DATA=… cargo run --release -p lobule-raster --example fit_nottingham -- mitoses > src/nottingham/mitoses.toml`
//! `LOBULE_DATA=… cargo run --release -p lobule-raster --example fit_nottingham > src/nottingham/figures.toml`
//!
//! The word `choose` compares settings of the search for nuclei.
//!
//! Four cases are no sample: intervals by resampling cases are given because they are what grouping by
//! patient asks for, and are too narrow with four.

mod fields;
mod figures;
mod logistic;
mod mitoses;
mod nuclei;
mod tubules;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::var_os("LOBULE_DATA").ok_or("expected LOBULE_DATA")?;
    let fields = fields::read(&Path::new(&root).join("brecahad30"))?;
    match std::env::args().nth(1).as_deref() {
        Some("mitoses") => mitoses::fit(&fields),
        Some("choose") => nuclei::choose(&fields),
        Some(other) => return Err(format!("expected `mitoses` or `choose`, got `{other}`").into()),
        None => print_figures(&fields),
    }
    Ok(())
}

fn print_figures(fields: &[fields::Field]) {
    println!("# Printed by examples/fit_nottingham");
    println!(
        "images = \"BreCaHAD (Aksac et al. 2019, doi 10.1186/s13104-019-4121-7): {} fields of 4 cases, 0.25 µm per \
         pixel taken, measured at {} µm\"",
        fields.len(),
        fields::MPP
    );
    nuclei::measure(fields);
    mitoses::measure(fields);
    tubules::measure(fields);
}
