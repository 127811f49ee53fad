//! What an OME-TIFF's description says of its first image (OME-XML 2016-06).

use roxmltree::{Document, Node, ParsingOptions};

use crate::error::damaged;
use crate::source::square;
use crate::{Error, Mpp};

/// Most elements of a description.
const MAX_NODES: u32 = 100_000;
/// Names of units and their microns.
const UNITS: [(&str, f64); 5] = [
    ("µm", 1.0),
    ("\u{3bc}m", 1.0),
    ("nm", 1e-3),
    ("mm", 1e3),
    ("cm", 1e4),
];

/// The first image's channels and scale.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) channels: usize,
    pub(super) mpp: Option<Result<Mpp, String>>,
    pub(super) magnification: Option<f64>,
}

pub(super) fn read(description: &str) -> Result<Said, Error> {
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(description, options)
        .map_err(|e| damaged(format!("expected a description in OME-XML: {e}")))?;
    let named = |name: &'static str| {
        // Whatever the version of the schema.
        let mut nodes = document.descendants();
        nodes.find(|node| node.tag_name().name() == name)
    };
    let pixels =
        named("Pixels").ok_or_else(|| damaged("expected OME-XML with pixels, got none"))?;
    let channels = pixels.attribute("SizeC").and_then(|text| text.parse().ok());
    let magnification = named("Objective").and_then(|o| o.attribute("NominalMagnification"));
    Ok(Said {
        channels: channels.unwrap_or(1),
        mpp: Some(scale(&pixels)),
        magnification: magnification.and_then(|text| text.parse().ok()),
    })
}

fn scale(pixels: &Node) -> Result<Mpp, String> {
    let axis = |size: &str, unit: &str| {
        let value = pixels
            .attribute(size)
            .and_then(|text| text.parse::<f64>().ok());
        let value = value.ok_or_else(|| format!("the description states no {size}"))?;
        let unit = pixels.attribute(unit).unwrap_or("µm");
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let microns = known
            .ok_or_else(|| format!("the unit of {size} is none of length"))?
            .1;
        Ok::<f64, String>(value * microns)
    };
    square(
        axis("PhysicalSizeY", "PhysicalSizeYUnit")?,
        axis("PhysicalSizeX", "PhysicalSizeXUnit")?,
    )
}
