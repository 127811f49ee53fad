//! Writes a gallery of synthetic pictures: `cargo run --release -p lobule-phantom --example
//! render -- FOLDER [SEED]`.

use std::path::PathBuf;
use std::time::Instant;

use lobule_phantom::{
    Callipers, Composition, ImagePlan, LesionKind, LesionPlan, Transducer, render,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "phantoms".to_owned()));
    let seed: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    std::fs::create_dir_all(&folder)?;
    for (number, (name, plan)) in gallery().into_iter().enumerate() {
        let start = Instant::now();
        let phantom = render(&plan, seed.wrapping_add(number as u64));
        let took = start.elapsed();
        let file = folder.join(format!("synthetic-{number:02}-{name}.png"));
        let (rows, cols) = (phantom.screen.rows() as u32, phantom.screen.cols() as u32);
        let pixels = phantom.screen.pixels();
        image::save_buffer(&file, pixels, cols, rows, image::ExtendedColorType::L8)?;
        println!("{} {took:.0?}", file.display());
    }
    Ok(())
}

fn gallery() -> Vec<(&'static str, ImagePlan)> {
    let plain = ImagePlan::default();
    let with = |kind| ImagePlan {
        lesion: Some(LesionPlan::typical(kind)),
        ..ImagePlan::default()
    };
    let of = |composition| ImagePlan {
        composition,
        ..ImagePlan::default()
    };
    let measured = ImagePlan {
        callipers: Callipers::OnLesion,
        ..with(LesionKind::Solid)
    };
    let curved = ImagePlan {
        transducer: Transducer::Curved,
        depth_mm: 50.0,
        ..with(LesionKind::Malignant)
    };
    vec![
        ("malignant", with(LesionKind::Malignant)),
        ("malignant", with(LesionKind::Malignant)),
        ("solid", with(LesionKind::Solid)),
        ("solid-measured", measured),
        ("cyst", with(LesionKind::Cyst)),
        ("normal", plain),
        ("fatty", of(Composition::Fatty)),
        ("dense", of(Composition::Dense)),
        ("curved", curved),
    ]
}
