//! `lobule slide`: what a slide's file holds, and which squares of it are worth a look.

use std::path::PathBuf;

use clap::Subcommand;
use lobule_slide::{
    CachedSource, GridConfig, Level, Mpp, SlideFacts, SlideLimits, SurveyConfig, open_slide, survey,
};

use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print a slide's levels, microns per pixel, maker, and what was not read.
    Info {
        /// A TIFF, SVS, OME-TIFF, DICOM, JPEG or PNG file.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Look a slide over: draw where tissue, pen and folds are and which squares are taken, and count
    /// them.
    Survey(SurveyArgs),
}

#[derive(Debug, clap::Args)]
struct SurveyArgs {
    /// A TIFF, SVS, OME-TIFF, DICOM, JPEG or PNG file.
    file: PathBuf,
    /// The picture to write (PNG).
    #[arg(long)]
    out: PathBuf,
    /// Microns per pixel of the finest level, where the file does not state them.
    #[arg(long, value_name = "MICRONS")]
    mpp: Option<f64>,
    /// Rows and columns of a square.
    #[arg(long, value_name = "PIXELS", default_value_t = 598)]
    side: usize,
    /// Microns per pixel of a square: 0.5 is 20×.
    #[arg(long, value_name = "MICRONS", default_value_t = 0.5)]
    square_mpp: f64,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.command {
        Command::Info { file, json } => {
            let slide = open_slide(file, &SlideLimits::default())?;
            match json {
                true => println!("{:#}", as_json(slide.facts())),
                false => print(slide.facts()),
            }
            Ok(Outcome::Complete)
        }
        Command::Survey(args) => look_over(args),
    }
}

/// Decoded tiles that are kept for the squares beside them.
const KEPT_BYTES: usize = 128 << 20;

fn look_over(args: &SurveyArgs) -> Result<Outcome, Failure> {
    let slide = CachedSource::new(open_slide(&args.file, &SlideLimits::default())?, KEPT_BYTES);
    let config = SurveyConfig {
        grid: GridConfig {
            side: args.side,
            overlap: 0,
            mpp: args.square_mpp,
        },
        finest_mpp: args.mpp,
        ..SurveyConfig::default()
    };
    let survey = survey(&slide, &config)?;
    let picture = survey.qc_picture();
    let (rows, cols) = (picture.rows() as u32, picture.cols() as u32);
    let pixels = picture.into_pixels().into_flattened();
    let buffer = image::RgbImage::from_raw(cols, rows, pixels);
    let written = buffer.map(|b| b.save_with_format(&args.out, image::ImageFormat::Png));
    match written {
        Some(Ok(())) => {}
        Some(Err(e)) => return Err(Failure::unwritten(&args.out, e)),
        None => return Err(Failure::unexpected("expected one color for each pixel")),
    }
    for name in ["taken", "glass", "pen", "fold", "blur", "unreadable"] {
        println!("{name:<11} {}", survey.count(name));
    }
    println!("picture     {}", args.out.display());
    match survey.count("unreadable") {
        0 => Ok(Outcome::Complete),
        _ => Ok(Outcome::SomeSkipped),
    }
}

fn print(facts: &SlideFacts) {
    println!("format         {}", facts.format.name());
    match &facts.mpp {
        Ok(mpp) => println!("µm per pixel   {}", mpp.microns()),
        Err(reason) => println!("µm per pixel   unknown: {reason}"),
    }
    let magnification = facts.magnification.map(|m| format!("{m}×"));
    let unknown = || "unknown".to_owned();
    println!("magnification  {}", magnification.unwrap_or_else(unknown));
    if let Some(bytes) = facts.icc_bytes {
        println!("ICC profile    {bytes} bytes, not applied");
    }
    for (i, level) in facts.levels.iter().enumerate() {
        println!("level {i:<8} {}", level_line(level, &facts.mpp));
    }
    for image in &facts.left_out {
        let size = image
            .size
            .map(|(rows, cols)| format!(" of {rows} × {cols}"));
        let (name, size) = (&image.name, size.unwrap_or_default());
        println!("not read       {name}{size}: {}", image.reason);
    }
    for note in &facts.notes {
        println!("note           {note}");
    }
}

fn level_line(level: &Level, mpp: &Result<Mpp, String>) -> String {
    let mut line = format!(
        "{} × {} pixels (rows × columns), {} × {} tiles of {} × {}, 1/{}",
        level.rows,
        level.cols,
        level.tiles_down(),
        level.tiles_across(),
        level.tile_rows,
        level.tile_cols,
        level.downsample,
    );
    if let Ok(mpp) = mpp {
        line += &format!(", {:.4} µm", mpp.microns() * level.downsample);
    }
    let counted = [
        (level.absent_tiles, "not stored"),
        (level.lost_tiles, "past the end of the file"),
    ];
    for (count, what) in counted.into_iter().filter(|(count, _)| *count > 0) {
        line += &format!(", {count} tiles {what}");
    }
    line
}

fn as_json(facts: &SlideFacts) -> serde_json::Value {
    let level = |level: &Level| {
        serde_json::json!({
            "rows": level.rows,
            "cols": level.cols,
            "tile_rows": level.tile_rows,
            "tile_cols": level.tile_cols,
            "downsample": level.downsample,
            "tiles_not_stored": level.absent_tiles,
            "tiles_past_end": level.lost_tiles,
        })
    };
    let left_out = facts.left_out.iter().map(|image| {
        serde_json::json!({ "name": image.name, "size": image.size, "reason": image.reason })
    });
    serde_json::json!({
        "format": facts.format.name(),
        "microns_per_pixel": facts.mpp.as_ref().ok().map(|mpp| mpp.microns()),
        "microns_per_pixel_unknown_because": facts.mpp.as_ref().err(),
        "magnification": facts.magnification,
        "icc_bytes": facts.icc_bytes,
        "levels": facts.levels.iter().map(level).collect::<Vec<_>>(),
        "not_read": left_out.collect::<Vec<_>>(),
        "notes": facts.notes,
    })
}
