//! What must hold for any bytes that come over the web: as a query, a header, a message of several
//! parts, or an instance.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use lobule_dicomio::Error;
use lobule_dicomio::web::{
    Event, FrameReader, Level, Multipart, Pixels, Query, Rendering, Upload, UploadConfig,
    file_form, find_bulk_data, frame_form, parse_accept, parse_media_type, read_display_facts,
    read_entry, write_metadata,
};
use lobule_raster::Limits;

/// Small, so that a file that claims more is soon beyond it.
const LIMITS: Limits = Limits {
    max_pixels: 1 << 16,
};

/// What `LIMITS` allows of decoded pixels and what metadata of a small file can take.
pub const MOST_BYTES: usize = 64 << 20;

/// Things of their bounds, or errors with a reason; whether the bytes made sense in one of the ways.
pub fn run(bytes: &[u8], folder: &Path) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let is_query = queries(&text);
    headers(&text);
    let is_message = message(bytes, folder);
    let is_instance = instance(bytes, folder);
    is_query || is_message || is_instance
}

fn queries(text: &str) -> bool {
    let _ = Rendering::default().with(text).map_err(has_reason);
    let mut is_query = false;
    for level in [Level::Study, Level::Series, Level::Instance] {
        let Ok(query) = Query::parse(level, text).map_err(has_reason) else {
            continue;
        };
        assert!(
            query
                .conditions
                .iter()
                .all(|one| one.field.level() <= level)
        );
        // Remarks become a header: they are plain text.
        let plain = |remark: &String| remark.bytes().all(|b| (b' '..=b'~').contains(&b));
        assert!(query.remarks.iter().all(plain), "{:?}", query.remarks);
        is_query |= !query.conditions.is_empty();
    }
    is_query
}

fn headers(text: &str) {
    let ranges = parse_accept(text);
    assert!(ranges.len() <= 64);
    assert!(
        ranges
            .iter()
            .all(|range| (0.0..=1.0).contains(&range.quality))
    );
    for syntax in ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90"] {
        let _ = (frame_form(&ranges, syntax), file_form(&ranges, syntax));
    }
    let _ = parse_media_type(text);
}

/// Takes a message apart in two ways, which have to agree.
fn message(bytes: &[u8], folder: &Path) -> bool {
    let mut apart = Vec::new();
    for size in [usize::MAX, 5] {
        let mut multipart = Multipart::new("b").expect("a plain boundary");
        let (mut parts, mut content) = (0, Vec::new());
        let pieces = bytes.chunks(size.min(bytes.len().max(1)));
        let mut pushed = Ok(());
        for piece in pieces {
            pushed = multipart.push(piece, &mut |event| match event {
                Event::Begin(_) => parts += 1,
                Event::Content(bytes) => content.extend_from_slice(bytes),
                Event::End => content.push(0),
            });
            if pushed.is_err() {
                break;
            }
        }
        let done = pushed
            .and_then(|()| multipart.finish())
            .map_err(has_reason)
            .is_ok();
        apart.push((done, if done { Some((parts, content)) } else { None }));
    }
    assert_eq!(apart[0], apart[1]);
    upload(bytes, folder);
    apart[0].0
}

fn upload(bytes: &[u8], folder: &Path) {
    let config = UploadConfig {
        spool: folder.to_owned(),
        most_bytes: 1 << 20,
        study_uid: None,
    };
    let mut upload = Upload::begin(&config);
    bytes.chunks(97).for_each(|piece| upload.write(piece));
    if let Err(failure) = upload.finish(IpAddr::V4(Ipv4Addr::LOCALHOST)) {
        assert!(!failure.text.is_empty());
    }
}

fn instance(bytes: &[u8], folder: &Path) -> bool {
    let file = folder.join("instance.dcm");
    std::fs::write(&file, bytes).expect("the folder can be written to");
    if let Ok(entry) = read_entry(&file).map_err(has_reason) {
        let lines = [
            &entry.study.attributes,
            &entry.series.attributes,
            &entry.instance.attributes,
        ];
        for line in lines.iter().flat_map(|lines| lines.lines()) {
            is_json(format!("{{{line}}}").as_bytes());
        }
    }
    let _ = read_display_facts(&file, &LIMITS).map_err(has_reason);
    for way in ["7FE00010", "00081140/1/00081155", "00420011"] {
        let _ = find_bulk_data(&file, way).map_err(has_reason);
    }
    if let Ok(mut frames) = FrameReader::open(&file, &LIMITS).map_err(has_reason) {
        for pixels in [Pixels::Stored, Pixels::Decoded] {
            let _ = frames.read(0, pixels).map_err(has_reason);
            let _ = frames.read(frames.frames() - 1, pixels).map_err(has_reason);
        }
    }
    let written = write_metadata(&file, "BULK").map_err(has_reason);
    written.is_ok_and(|text| is_json(&text))
}

fn is_json(text: &[u8]) -> bool {
    let parsed: Result<serde_json::Value, _> = serde_json::from_slice(text);
    // The parser of the test knows less nesting than the standard.
    let too_deep = |e: &serde_json::Error| e.to_string().contains("recursion limit");
    assert!(
        parsed.as_ref().err().is_none_or(too_deep),
        "{}",
        String::from_utf8_lossy(text)
    );
    true
}

fn has_reason(error: Error) {
    assert!(!error.reason().is_empty(), "{:?}", error.kind());
}
