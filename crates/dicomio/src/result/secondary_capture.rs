//! Secondary captures (PS3.3 A.8.1): what every archive shows.

use std::path::Path;

use dicom_core::{DataElement, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use lobule_exam::{FindingClass, Laterality, Point, Polygon, Side, score_words};
use lobule_raster::{Image, Limits, Picture};

use super::canvas::{self, Color};
use super::claim::{Claim, claims};
use super::codes;
use super::envelope::{
    Pixels, Place, account, ascii, copy, decision, envelope, image_key, image_reference, put_code,
    put_content_moment, put_pixels, put_texts,
};
use super::request::Assessed;
use super::{NOTICE, ResultKind, ResultObject, ResultRequest};
use crate::write::{put_sequence, put_str};
use crate::{Error, decode_frames, read_mammogram, read_mammogram_header};

/// The longest side of a capture's picture: larger images are shrunk by a whole factor.
const MOST_PIXELS: usize = 2400;

/// Letters that fit into a line of the text below the picture, where it is wide enough.
const LETTERS: usize = 72;

/// Colours of outlines: told apart with colour-blind eyes and by the letter beside them.
const MALIGNANT: Color = [255, 170, 0];
const BENIGN: Color = [90, 200, 255];

/// One colour picture per assessed image, with the findings outlined and the scores written below
/// it; none for an exam that failed.
///
/// # Errors
/// When the images are of several studies, the assessment names an image that is not among the
/// sources or has another size, or the pixels cannot be read within `limits`.
pub fn secondary_captures(
    request: &ResultRequest<'_>,
    limits: &Limits,
) -> Result<Vec<ResultObject>, Error> {
    let images = request.images()?;
    let numbered = (1..).zip(&images);
    numbered
        .map(|(number, image)| capture(request, image, number, limits))
        .collect()
}

fn capture(
    request: &ResultRequest<'_>,
    assessed: &Assessed<'_>,
    number: usize,
    limits: &Limits,
) -> Result<ResultObject, Error> {
    let (kind, source) = (ResultKind::SecondaryCapture, assessed.source);
    let place = Place {
        kind,
        side: assessed.breast.side,
        number,
        detail: &image_key(assessed),
    };
    let mut object = envelope(request, &place)?;
    put_content_moment(&mut object, request);
    put_str(&mut object, tags::CONVERSION_TYPE, VR::CS, "WSD");
    let image_type = dicom_value!(Strs, ["DERIVED", "SECONDARY"]);
    object.put(DataElement::new(tags::IMAGE_TYPE, VR::CS, image_type));
    put_str(
        &mut object,
        tags::DERIVATION_DESCRIPTION,
        VR::ST,
        &ascii(&account(request), 1024),
    );
    put_origin(&mut object, assessed);
    let orientation = source.data.texts(tags::PATIENT_ORIENTATION);
    put_texts(&mut object, tags::PATIENT_ORIENTATION, VR::CS, &orientation);
    let picture = picture(assessed, limits)?;
    let drawn = drawn(request, assessed, &picture);
    put_pixels(
        &mut object,
        Pixels {
            rows: drawn.rows() as u16,
            cols: drawn.cols() as u16,
            samples: 3,
            bits: 8,
            photometric: "RGB",
            bytes: drawn.pixels().iter().flatten().copied().collect(),
        },
    );
    ResultObject::new(kind, object)
}

/// The image it shows, and what had been done to that one.
fn put_origin(object: &mut InMemDicomObject, assessed: &Assessed<'_>) {
    let source = assessed.source;
    let mut item = image_reference(source, Some(assessed.image.frame));
    put_code(
        &mut item,
        tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE,
        codes::SOURCE_IMAGE,
    );
    put_sequence(object, tags::SOURCE_IMAGE_SEQUENCE, item);
    // Pictures of ultrasound machines may name the patient: without a word, it is assumed.
    let burned = source.data.text(tags::BURNED_IN_ANNOTATION);
    let burned = burned
        .filter(|b| b == "NO")
        .unwrap_or_else(|| "YES".to_owned());
    put_str(object, tags::BURNED_IN_ANNOTATION, VR::CS, &burned);
    copy(object, source, tags::LOSSY_IMAGE_COMPRESSION, VR::CS);
    copy(object, source, tags::LOSSY_IMAGE_COMPRESSION_RATIO, VR::DS);
    copy(object, source, tags::LOSSY_IMAGE_COMPRESSION_METHOD, VR::CS);
}

fn picture(assessed: &Assessed<'_>, limits: &Limits) -> Result<Image<Color>, Error> {
    let name = Path::new(&assessed.source.name);
    decoded(assessed, limits).map_err(|e| e.in_file(name))
}

fn decoded(assessed: &Assessed<'_>, limits: &Limits) -> Result<Image<Color>, Error> {
    let file = &assessed.source.file;
    if assessed.image.mammogram.is_some() {
        let mammogram = read_mammogram_header(file, limits)?;
        let gray = read_mammogram(&mammogram, limits)?;
        return Ok(Picture::Gray16(gray.image).to_rgb());
    }
    let mut pictures = decode_frames(file, &[assessed.image.frame], limits)?;
    Ok(pictures.remove(0).to_rgb())
}

/// The picture at a size that a screen shows, with marks and, below it, words.
fn drawn(
    request: &ResultRequest<'_>,
    assessed: &Assessed<'_>,
    picture: &Image<Color>,
) -> Image<Color> {
    let factor = picture
        .rows()
        .max(picture.cols())
        .div_ceil(MOST_PIXELS)
        .max(1);
    let small = shrunk(picture, factor);
    let scale = (small.cols() / (LETTERS * canvas::LETTER)).max(1);
    let letters = (small.cols() / (canvas::LETTER * scale)).max(1) - 1;
    let lines: Vec<String> = words(request, assessed)
        .iter()
        .flat_map(|words| canvas::wrapped(words, letters.max(1)))
        .collect();
    let step = canvas::LINE * scale;
    let (rows, cols) = (small.rows(), small.cols());
    let mut image = Image::from_fn(rows + step * (lines.len() + 1), cols, |row, col| {
        match row < rows {
            true => small.at(row, col),
            false => canvas::BLACK,
        }
    });
    let mut taken = Vec::new();
    for claim in claims(assessed) {
        mark(&mut image, &claim, factor, scale, &mut taken);
    }
    for (i, line) in lines.iter().enumerate() {
        let at = Point {
            row: (rows + step / 2 + i * step) as f64,
            col: (canvas::LETTER * scale / 2) as f64,
        };
        canvas::text(&mut image, at, scale, line, canvas::WHITE);
    }
    image
}

fn shrunk(picture: &Image<Color>, factor: usize) -> Image<Color> {
    // A side shorter than the factor keeps one pixel.
    let (last_row, last_col) = (picture.rows() - 1, picture.cols() - 1);
    let rows = (picture.rows() / factor).max(1);
    let cols = (picture.cols() / factor).max(1);
    let area = (factor * factor) as u32;
    Image::from_fn(rows, cols, |row, col| {
        let mut sums = [0_u32; 3];
        for pixel in 0..factor * factor {
            let (row, col) = (row * factor + pixel / factor, col * factor + pixel % factor);
            let at = picture.at(row.min(last_row), col.min(last_col));
            (0..3).for_each(|i| sums[i] += u32::from(at[i]));
        }
        sums.map(|sum| (sum / area) as u8)
    })
}

/// Where a tag stands: its upper left corner and its width.
type Tag = (Point, f64);

/// Draws an outline and its tag, the tag below those that it would cover.
fn mark(
    image: &mut Image<Color>,
    claim: &Claim<'_>,
    factor: usize,
    scale: usize,
    taken: &mut Vec<Tag>,
) {
    let finding = claim.finding;
    let color = match finding.class {
        FindingClass::Malignant => MALIGNANT,
        FindingClass::Benign => BENIGN,
    };
    // The centre of pixel 0 of the small picture is the middle of the first `factor` pixels.
    let half = (factor as f64 - 1.0) / 2.0;
    let small = |p: &Point| Point {
        row: (p.row - half) / factor as f64,
        col: (p.col - half) / factor as f64,
    };
    let points: Vec<Point> = finding.outline.points.iter().map(small).collect();
    let right = points.iter().map(|p| p.col).fold(f64::MIN, f64::max);
    let top = points.iter().map(|p| p.row).fold(f64::MAX, f64::min);
    let outline = Polygon { points };
    canvas::outline(image, &outline, scale as i64 / 2 + 1, canvas::BLACK);
    canvas::outline(image, &outline, scale as i64 / 2, color);
    let label = claim.tag();
    let width = (label.len() * canvas::LETTER * scale) as f64;
    let mut at = Point {
        // Whole pixels, so that steps are exact.
        row: top.clamp(0.0, image.rows() as f64).floor(),
        col: (right + 2.0 * scale as f64)
            .min(image.cols() as f64 - width)
            .max(0.0),
    };
    let step = (canvas::LINE * scale) as f64;
    let covered = |at: Point| {
        let meets = |(other, other_width): &&Tag| {
            let rows = (other.row - at.row).abs() < step;
            rows && at.col < other.col + other_width && other.col < at.col + width
        };
        taken.iter().find(meets).map(|(other, _)| other.row)
    };
    while let Some(row) = covered(at) {
        at.row = row + step;
    }
    canvas::text(image, at, scale, &label, color);
    taken.push((at, width));
}

/// What is written below the picture.
fn words(request: &ResultRequest<'_>, assessed: &Assessed<'_>) -> Vec<String> {
    let run = request.run;
    let breast = assessed.breast;
    let side = match breast.side {
        Side::Known(Laterality::Left) => "Left breast",
        Side::Known(Laterality::Right) => "Right breast",
        Side::Unknown => "Breast of unknown side",
    };
    let chance = breast
        .probabilities
        .map(|p| format!(", probability {:.3}", p.malignant));
    let mut lines = vec![
        NOTICE.to_owned(),
        format!(
            "{side}: score {} of 100{}, {}",
            score_words(breast.score_of_100()),
            chance.unwrap_or_default(),
            decision(request, breast)
        ),
        legend(assessed),
        format!(
            "Network's score, uncalibrated: breast {:.3}, this image {:.3}",
            breast.scores.malignant, assessed.image.scores.malignant
        ),
        format!(
            "Lobule {}, model {} {}. {}",
            run.program_version, run.model_name, run.model_version, run.research_use
        ),
    ];
    lines.extend(request.notes().iter().map(|note| format!("Note: {note}")));
    lines.iter().map(|line| ascii(line, 400)).collect()
}

/// What stands beside the outlines.
fn legend(assessed: &Assessed<'_>) -> String {
    let findings = assessed.image.findings.len();
    let values = match assessed.image.mammogram {
        Some(_) => {
            "M looks malignant: the lesion's number over the views and its score of 100; \
             B looks benign: peak of the saliency, uncalibrated"
        }
        None => "M looks malignant, B benign; peaks of the saliency, uncalibrated",
    };
    match findings {
        0 => "Findings outlined: 0".to_owned(),
        n => format!("Findings outlined: {n} ({values})"),
    }
}
