//! SVG to PNG with the fonts that the program carries.

use std::sync::Arc;

use png::{BitDepth, ColorType, Encoder, PixelDimensions, Unit};
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::text::Face;
use crate::Error;

/// What journals ask for drawings of lines and words.
const DOTS_PER_INCH: f64 = 500.0;
/// A tall chart gets fewer dots rather than more pixels than this on a side.
const LONGEST: f64 = 8000.0;
/// Units of the parsed drawing per inch.
const UNITS_PER_INCH: f64 = 96.0;

/// The drawing as PNG on white.
pub(in crate::chart) fn png(svg: &str) -> Result<Vec<u8>, Error> {
    let tree = Tree::from_str(svg, &options()).map_err(Error::format)?;
    let (width, height) = (
        f64::from(tree.size().width()),
        f64::from(tree.size().height()),
    );
    let scale = (DOTS_PER_INCH / UNITS_PER_INCH).min(LONGEST / width.max(height));
    let pixels = |side: f64| ((side * scale).ceil() as u32).max(1);
    let mut pixmap = Pixmap::new(pixels(width), pixels(height))
        .ok_or_else(|| Error::format("expected a drawing with a size, got none"))?;
    pixmap.fill(Color::WHITE);
    let transform = Transform::from_scale(scale as f32, scale as f32);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    encoded(&pixmap, scale * UNITS_PER_INCH)
}

fn options() -> Options<'static> {
    let mut options = Options {
        font_family: "sans-serif".to_owned(),
        ..Options::default()
    };
    let fonts = options.fontdb_mut();
    for face in [Face::Regular, Face::Bold] {
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(face.bytes())));
    }
    fonts.set_sans_serif_family("Noto Sans");
    options
}

fn encoded(pixmap: &Pixmap, dots_per_inch: f64) -> Result<Vec<u8>, Error> {
    let opaque = pixmap
        .data()
        .chunks_exact(4)
        .flat_map(|p| [p[0], p[1], p[2]]);
    let bytes: Vec<u8> = opaque.collect();
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, pixmap.width(), pixmap.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let per_meter = (dots_per_inch / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(PixelDimensions {
        xppu: per_meter,
        yppu: per_meter,
        unit: Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(Error::format)?;
    writer.write_image_data(&bytes).map_err(Error::format)?;
    writer.finish().map_err(Error::format)?;
    Ok(out)
}
