//! One exam as a PDF: pages of words and tables, and one of heat maps.
//!
//! Owns: the pages. Does not own: how a heat map looks ([`heat_map`]). No file's name stands on a
//! page: it may name a patient.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use lobule_exam::{
    Assessment, BreastAssessment, Finding, ImageAssessment, score_words, threshold_words,
};
use lobule_raster::{Image, Picture};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str};

use crate::density::{density_licences, density_lines, exam_density};
use crate::folder::label_of;
use crate::{Error, HeatMapLabel, NOTICE, RunInfo, heat_map};

/// A4, in points of 1/72 inch.
const PAGE: [f32; 2] = [595.0, 842.0];
const MARGIN: f32 = 40.0;
/// Size of letters, and from one line to the next. A letter of Courier is 0.6 of its size wide.
const LETTER: f32 = 9.0;
const LINE: f32 = 12.0;
/// Letters of a line.
const LETTERS: usize = 95;
/// Lines of a page.
const LINES: usize = 62;
/// Rows of the table of findings.
const MOST_FINDINGS: usize = 30;
/// Heat maps, two in a row.
const MOST_MAPS: usize = 4;

/// A PDF of an exam. `pictures` are those of its images, breast by breast and image by image; of the
/// images with most attention heat maps are drawn, of four at most. The same exam has the same bytes.
///
/// ```
/// use lobule_exam::{Assessment, Modality};
/// use lobule_report::{Calibration, ModelInfo, ModelStatus, RunInfo, exam_pdf};
/// let exam = Assessment {
///     exam: "a".to_owned(),
///     modality: Modality::Ultrasound,
///     breasts: Vec::new(),
///     warnings: Vec::new(),
/// };
/// let run = RunInfo {
///     program_version: "1".to_owned(),
///     model: ModelInfo {
///         name: "m".to_owned(),
///         version: "1".to_owned(),
///         modality: Modality::Ultrasound,
///         digest: "00".to_owned(),
///         engine: "rten".to_owned(),
///         members: 1,
///         status: ModelStatus::Research,
///         research_use: "Research use only.".to_owned(),
///     },
///     operating_point: None,
///     calibration: Calibration::None,
/// };
/// assert!(exam_pdf(&exam, &[], &run)?.starts_with(b"%PDF"));
/// # Ok::<(), lobule_report::Error>(())
/// ```
///
/// # Errors
/// When a heat map cannot be drawn.
pub fn exam_pdf(
    exam: &Assessment,
    pictures: &[Option<Picture>],
    run: &RunInfo,
) -> Result<Vec<u8>, Error> {
    let maps = maps(exam, pictures)?;
    let mut writer = Writer::new();
    let lines = lines(exam, run, maps.len());
    for page in lines.chunks(LINES) {
        writer.page(text(page), &[]);
    }
    if !maps.is_empty() {
        let drawn: Vec<&Image<[u8; 3]>> = maps.iter().map(|map| &map.drawing).collect();
        writer.page(pictures_content(&maps), &drawn);
    }
    Ok(writer.finish())
}

/// An image's heat map.
struct Map {
    caption: String,
    drawing: Image<[u8; 3]>,
}

fn images(exam: &Assessment) -> impl Iterator<Item = (usize, &BreastAssessment, &ImageAssessment)> {
    let breasts = exam.breasts.iter();
    let images = breasts.flat_map(|b| b.images.iter().map(move |image| (b, image)));
    (1..).zip(images).map(|(n, (b, image))| (n, b, image))
}

/// The heat maps of the images that come first by rank, in the order of the exam.
fn maps(exam: &Assessment, pictures: &[Option<Picture>]) -> Result<Vec<Map>, Error> {
    let pictured = images(exam).zip(pictures);
    let mut chosen: Vec<_> = pictured
        .filter_map(|(of, picture)| Some((of, picture.as_ref()?)))
        .collect();
    chosen.sort_by_key(|((_, _, image), _)| image.rank);
    chosen.truncate(MOST_MAPS);
    // Four views stand as they were taken; ranks only choose among more.
    chosen.sort_by_key(|((number, ..), _)| *number);
    let map = |((number, breast, image), picture): ((usize, &BreastAssessment, _), &Picture)| {
        Ok(Map {
            caption: format!("Image {number}, {} {}", breast.side, view(image)),
            drawing: heat_map(picture, image, label_of(exam, image))?,
        })
    };
    chosen.into_iter().map(map).collect()
}

fn view(image: &ImageAssessment) -> String {
    image.view().map_or(String::new(), |view| view.to_string())
}

/// What stands on the pages before the heat maps.
fn lines(exam: &Assessment, run: &RunInfo, n_maps: usize) -> Vec<String> {
    let model = &run.model;
    let point = match &run.operating_point {
        Some(p) => {
            let threshold = threshold_words(100.0 * p.threshold);
            format!("Operating point {}: {threshold} of 100", p.name)
        }
        None => "No operating point".to_owned(),
    };
    let notice = format!("AI RESULT. {NOTICE} {}", model.words_beyond_notice());
    let mut lines = wrapped(&notice);
    lines.extend([
        synthetic(exam).to_owned(),
        format!("Exam {} ({})", exam.exam, exam.modality.name()),
        format!(
            "Lobule {}, model {} {} ({} model), engine {}",
            run.program_version,
            model.name,
            model.version,
            model.status.name(),
            model.engine
        ),
        format!("Model digest {}", model.digest),
        point,
        String::new(),
        "Breast    Score of 100  Probability  Network's score  At the operating point".to_owned(),
    ]);
    lines.extend(exam.breasts.iter().map(|breast| breast_row(breast, run)));
    lines.extend(apart(
        exam.notes().iter().map(|note| format!("Note: {note}")),
    ));
    lines.extend(findings(exam));
    lines.extend(density(exam));
    lines.push(String::new());
    lines.push(images_words(images(exam).count(), n_maps));
    lines.push(
        "A score is no BI-RADS category and no diagnosis; the network's score is not calibrated."
            .to_owned(),
    );
    lines
}

fn images_words(n_images: usize, n_maps: usize) -> String {
    match (n_images, n_maps) {
        (1, 0) => "1 image; no heat map.".to_owned(),
        (1, _) => "1 image; its heat map is on the last page.".to_owned(),
        (n, 0) => format!("{n} images; no heat maps."),
        (n, 1) => format!("{n} images; the heat map of 1 of them is on the last page."),
        (n, maps) => format!("{n} images; heat maps of {maps} of them are on the last page."),
    }
}

/// Sentences below an empty line; nothing where there are none.
fn apart(said: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = said.flat_map(|line| wrapped(&line)).collect();
    if !lines.is_empty() {
        lines.insert(0, String::new());
    }
    lines
}

/// The density classes of the breasts and of the exam; nothing for ultrasound.
fn density(exam: &Assessment) -> Vec<String> {
    let breasts = exam.breasts.iter().flat_map(|breast| {
        let lines = density_lines(breast).into_iter();
        lines.map(|line| format!("{} breast: {line}", breast.side))
    });
    let licences = density_licences(exam).into_iter();
    let licences = licences.map(|licence| format!("Density classes: {licence}."));
    apart(breasts.chain(exam_density(exam)).chain(licences))
}

/// Words broken into lines; a word longer than a line is cut.
fn wrapped(words: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= LETTERS => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn synthetic(exam: &Assessment) -> &'static str {
    match images(exam).any(|(.., image)| label_of(exam, image) == HeatMapLabel::Synthetic) {
        true => "SYNTHETIC images: not a patient",
        false => "",
    }
}

fn breast_row(breast: &BreastAssessment, run: &RunInfo) -> String {
    let probability = breast
        .probabilities
        .map_or("-".to_owned(), |p| format!("{:.3}", p.malignant));
    let decision = match (&run.operating_point, breast.flagged) {
        (None, _) => "-",
        (Some(_), true) => "FLAGGED",
        (Some(_), false) => "not flagged",
    };
    let (side, score) = (breast.side.to_string(), score_words(breast.score_of_100()));
    let network = breast.scores.malignant;
    format!("{side:<9} {score:<13} {probability:<12} {network:<16.3} {decision}")
}

/// The table of findings, malignant ones first, the highest score first.
fn findings(exam: &Assessment) -> Vec<String> {
    let all = images(exam).flat_map(|(n, b, i)| i.findings.iter().map(move |f| (n, b, i, f)));
    let mut all: Vec<_> = all.collect();
    if all.is_empty() {
        return vec![String::new(), "No findings were outlined.".to_owned()];
    }
    all.sort_by(|(.., a), (.., b)| {
        let score = |f: &Finding| f.lesion.map_or(100.0 * f.score, |lesion| lesion.score);
        let scores = score(b).total_cmp(&score(a));
        b.class.cmp(&a.class).then(scores)
    });
    let mut lines = vec![
        String::new(),
        "Findings".to_owned(),
        "Breast    Lesion  Score      Looks      Image  View  Longest axis".to_owned(),
    ];
    let shown = all.iter().take(MOST_FINDINGS);
    lines.extend(shown.map(|(n, breast, image, finding)| {
        let length = finding.longest_axis_mm;
        let length = length.map_or("-".to_owned(), |mm| format!("{mm:.1} mm"));
        let (side, view) = (breast.side.to_string(), view(image));
        format!("{side:<9} {} {n:<6} {view:<5} {length}", claim(finding))
    }));
    if all.len() > MOST_FINDINGS {
        lines.push(format!("and {} more", all.len() - MOST_FINDINGS));
    }
    lines.extend(legend(all.iter().map(|(.., finding)| *finding)));
    lines
}

/// Number, score and class of a finding.
fn claim(finding: &Finding) -> String {
    let (number, score) = match finding.lesion {
        Some(lesion) => (lesion.number.to_string(), score_words(lesion.score)),
        None => ("-".to_owned(), format!("peak {:.2}", finding.score)),
    };
    format!("{number:<7} {score:<10} {:<10}", finding.class.name())
}

/// What the table's numbers are.
fn legend<'a>(findings: impl Iterator<Item = &'a Finding> + Clone) -> Vec<String> {
    let has_lesions = findings.clone().any(|f| f.lesion.is_some());
    let has_peaks = findings.clone().any(|f| f.lesion.is_none());
    let lesions = "A lesion has one number in all views of its breast; its score is of 100. \
                   Outlines bear both: 2M 29.";
    let peaks = "A peak is the highest saliency inside, from 0 to 1: it is not calibrated.";
    let said = [(has_lesions, lesions), (has_peaks, peaks)];
    let said = said.into_iter().filter(|(holds, _)| *holds);
    said.flat_map(|(_, words)| wrapped(words)).collect()
}

fn content_of_line(content: &mut Content, at: [f32; 2], line: &str) {
    let plain = |c: char| {
        if (' '..='~').contains(&c) {
            c as u8
        } else {
            b'?'
        }
    };
    let bytes: Vec<u8> = line.chars().map(plain).take(LETTERS).collect();
    content.begin_text();
    content.set_font(Name(b"F"), LETTER);
    content.next_line(at[0], at[1]);
    content.show(Str(&bytes));
    content.end_text();
}

fn text(lines: &[String]) -> Content {
    let mut content = Content::new();
    let mut up = PAGE[1] - MARGIN - LETTER;
    for line in lines {
        content_of_line(&mut content, [MARGIN, up], line);
        up -= LINE;
    }
    content
}

/// Pictures two in a row, each above its caption.
fn pictures_content(maps: &[Map]) -> Content {
    let mut content = Content::new();
    let cell = [
        (PAGE[0] - 3.0 * MARGIN) / 2.0,
        (PAGE[1] - 3.0 * MARGIN) / 2.0,
    ];
    for (i, map) in maps.iter().enumerate() {
        let left = MARGIN + (i % 2) as f32 * (cell[0] + MARGIN);
        let bottom = PAGE[1] - (1 + i / 2) as f32 * (cell[1] + MARGIN);
        let (rows, cols) = (map.drawing.rows() as f32, map.drawing.cols() as f32);
        let scale = (cell[0] / cols).min((cell[1] - LINE) / rows);
        let [width, height] = [cols * scale, rows * scale];
        let up = bottom + cell[1] - height;
        content.save_state();
        content.transform([width, 0.0, 0.0, height, left, up]);
        content.x_object(Name(name(i).as_bytes()));
        content.restore_state();
        content_of_line(&mut content, [left, up - LINE], &map.caption);
    }
    content_of_line(&mut content, [MARGIN, MARGIN / 2.0], NOTICE);
    content
}

fn name(picture: usize) -> String {
    format!("I{picture}")
}

/// The objects of the file.
struct Writer {
    pdf: Pdf,
    pages: Vec<Ref>,
    next: i32,
}

const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const FONT: Ref = Ref::new(3);

impl Writer {
    fn new() -> Writer {
        let mut pdf = Pdf::new();
        pdf.catalog(CATALOG).pages(PAGES);
        // One of the fonts that every viewer has.
        pdf.type1_font(FONT).base_font(Name(b"Courier"));
        Writer {
            pdf,
            pages: Vec::new(),
            next: 4,
        }
    }

    fn reference(&mut self) -> Ref {
        self.next += 1;
        Ref::new(self.next - 1)
    }

    fn page(&mut self, content: Content, pictures: &[&Image<[u8; 3]>]) {
        let (page, stream) = (self.reference(), self.reference());
        let pictures: Vec<Ref> = pictures
            .iter()
            .map(|picture| self.picture(picture))
            .collect();
        self.pdf.stream(stream, &content.finish());
        let mut writer = self.pdf.page(page);
        writer.media_box(Rect::new(0.0, 0.0, PAGE[0], PAGE[1]));
        writer.parent(PAGES).contents(stream);
        let mut resources = writer.resources();
        resources.fonts().pair(Name(b"F"), FONT);
        let mut objects = resources.x_objects();
        for (i, picture) in pictures.into_iter().enumerate() {
            objects.pair(Name(name(i).as_bytes()), picture);
        }
        objects.finish();
        resources.finish();
        writer.finish();
        self.pages.push(page);
    }

    fn picture(&mut self, picture: &Image<[u8; 3]>) -> Ref {
        let reference = self.reference();
        let bytes = deflated(&picture.pixels().concat());
        let mut object = self.pdf.image_xobject(reference, &bytes);
        object.filter(Filter::FlateDecode);
        object.width(picture.cols() as i32);
        object.height(picture.rows() as i32);
        object.color_space().device_rgb();
        object.bits_per_component(8);
        object.finish();
        reference
    }

    fn finish(mut self) -> Vec<u8> {
        let count = self.pages.len() as i32;
        self.pdf.pages(PAGES).kids(self.pages).count(count);
        self.pdf.finish()
    }
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("writing into memory does not fail")
}
