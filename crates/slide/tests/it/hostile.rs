//! Files that are damaged or lie: typed reasons, other tiles stay readable.

use std::fs;
use std::path::PathBuf;

use lobule_slide::{Error, ErrorKind, SlideLimits, TileKey, TileSource, open_slide};

use crate::golden::golden;

/// Tags that are lied about.
const COLS: u16 = 256;
const COMPRESSION: u16 = 259;
const TILE_COLS: u16 = 322;
const TILE_ROWS: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_LENGTHS: u16 = 325;

fn bytes_of(name: &str) -> Vec<u8> {
    fs::read(golden(name)).unwrap()
}

fn number(bytes: &[u8], at: usize, size: usize) -> usize {
    bytes[at..at + size]
        .iter()
        .rev()
        .fold(0, |n, &b| n << 8 | usize::from(b))
}

/// Where the entries of the first directory begin in a little-endian file, and how many there are.
fn first_directory(bytes: &[u8]) -> (usize, usize) {
    let at = number(bytes, 4, 4);
    (at + 2, number(bytes, at, 2))
}

/// Where a tag's entry stands.
fn entry(bytes: &[u8], tag: u16) -> usize {
    let (at, count) = first_directory(bytes);
    let mut entries = (0..count).map(|i| at + 12 * i);
    entries
        .find(|&at| number(bytes, at, 2) == usize::from(tag))
        .unwrap()
}

/// The file with a 32-bit value in a tag's entry.
fn patched(name: &str, changes: &[(u16, u32)]) -> Vec<u8> {
    let mut bytes = bytes_of(name);
    for &(tag, value) in changes {
        let at = entry(&bytes, tag);
        bytes[at + 2..at + 4].copy_from_slice(&4_u16.to_le_bytes());
        bytes[at + 8..at + 12].copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

struct Opened {
    _folder: tempfile::TempDir,
    file: PathBuf,
    slide: Result<Box<dyn TileSource>, Error>,
}

fn open(bytes: &[u8]) -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slide.tif");
    fs::write(&file, bytes).unwrap();
    let slide = open_slide(&file, &SlideLimits::default());
    Opened {
        _folder: folder,
        file,
        slide,
    }
}

fn refused(bytes: &[u8]) -> (ErrorKind, String) {
    let opened = open(bytes);
    let error = opened.slide.unwrap_err();
    assert!(
        error.to_string().contains(&*opened.file.to_string_lossy()),
        "{error}"
    );
    (error.kind(), error.reason().to_owned())
}

const CORNER: TileKey = TileKey {
    level: 0,
    row: 0,
    col: 0,
};

#[test]
fn a_truncated_file_is_refused_or_loses_tiles() {
    let bytes = bytes_of("deflate.tif");
    for cut in [0, 4, 9, bytes.len() / 3] {
        let kind = open(&bytes[..cut]).slide.map(|_| ()).unwrap_err().kind();
        assert!(
            matches!(kind, ErrorKind::Damaged | ErrorKind::Format),
            "{cut}: {kind:?}"
        );
    }
    // Where the directories stand in front of the tiles, a cut file loses its last tiles.
    let mut bytes = bytes_of("strips_plain.tif");
    bytes.truncate(bytes.len() - 200);
    let slide = open(&bytes).slide.unwrap();
    assert_eq!(slide.facts().levels[0].lost_tiles, 1);
    let last = slide.facts().levels[0].tiles_down() - 1;
    assert!(slide.read_tile(CORNER).is_ok());
    let error = slide
        .read_tile(TileKey {
            row: last,
            ..CORNER
        })
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(error.reason().contains("level 0, tile row 2"), "{error}");
}

#[test]
fn a_cycle_of_directories_is_refused() {
    let mut bytes = bytes_of("lzw.tif");
    let (at, count) = first_directory(&bytes);
    let first = (at as u32 - 2).to_le_bytes();
    bytes[at + 12 * count..][..4].copy_from_slice(&first);
    let (kind, reason) = refused(&bytes);
    assert_eq!(kind, ErrorKind::Damaged);
    assert!(reason.contains("cycle"), "{reason}");
}

#[test]
fn tiles_past_the_end_are_lost_alone() {
    let mut bytes = bytes_of("lzw.tif");
    let table = number(&bytes, entry(&bytes, TILE_OFFSETS) + 8, 4);
    bytes[table + 4..table + 8].copy_from_slice(&u32::MAX.to_le_bytes());
    let slide = open(&bytes).slide.unwrap();
    assert_eq!(slide.facts().levels[0].lost_tiles, 1);
    let error = slide.read_tile(TileKey { col: 1, ..CORNER }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(slide.read_tile(CORNER).is_ok());
}

#[test]
fn tiles_that_were_not_stored_are_glass_and_counted() {
    let mut bytes = bytes_of("lzw.tif");
    let table = number(&bytes, entry(&bytes, TILE_LENGTHS) + 8, 4);
    let size = if number(&bytes, entry(&bytes, TILE_LENGTHS) + 2, 2) == 3 {
        2
    } else {
        4
    };
    bytes[table..table + size].fill(0);
    let slide = open(&bytes).slide.unwrap();
    assert_eq!(slide.facts().levels[0].absent_tiles, 1);
    assert!(
        slide
            .read_tile(CORNER)
            .unwrap()
            .pixels()
            .iter()
            .all(|p| *p == [255; 3])
    );
}

#[test]
fn a_broken_image_beside_the_levels_is_left_out() {
    let mut bytes = bytes_of("j2k_rgb.svs");
    let (at, count) = first_directory(&bytes);
    let second = number(&bytes, at + 12 * count, 4) + 2;
    let width = (0..20)
        .map(|i| second + 12 * i)
        .find(|&at| number(&bytes, at, 2) == usize::from(COLS))
        .unwrap();
    bytes[width + 8..width + 12].fill(0);
    let slide = open(&bytes).slide.unwrap();
    assert_eq!(slide.facts().levels.len(), 2);
    let reasons: Vec<&str> = slide.facts().left_out.iter().map(|i| &*i.reason).collect();
    assert!(reasons.iter().any(|r| r.contains("got 0")), "{reasons:?}");
}

#[test]
fn sizes_are_checked_before_memory_is_taken() {
    let side = 1 << 16;
    let cases = [
        (
            patched("lzw.tif", &[(TILE_COLS, side), (TILE_ROWS, side)]),
            ErrorKind::TooLarge,
        ),
        (patched("lzw.tif", &[(TILE_COLS, 0)]), ErrorKind::TooLarge),
        (patched("lzw.tif", &[(COLS, u32::MAX)]), ErrorKind::Damaged),
        (patched("lzw.tif", &[(COLS, 1 << 26)]), ErrorKind::Damaged),
        (
            patched("lzw.tif", &[(COMPRESSION, 6)]),
            ErrorKind::Unsupported,
        ),
    ];
    for (i, (bytes, expected)) in cases.iter().enumerate() {
        let (kind, reason) = refused(bytes);
        assert_eq!(kind, *expected, "{i}: {reason}");
    }
    // Tiles that claim another size than their JPEG streams have.
    let slide = open(&patched("jpeg_ycc_full.tif", &[(TILE_COLS, 128)]))
        .slide
        .unwrap();
    assert_eq!(
        slide.read_tile(CORNER).unwrap_err().kind(),
        ErrorKind::Damaged
    );
}

#[test]
fn a_scale_that_cannot_be_is_unknown_with_its_reason() {
    let bytes = bytes_of("j2k_rgb.svs");
    let stated = b"MPP = 0.4990";
    let at = bytes
        .windows(stated.len())
        .position(|w| w == stated)
        .unwrap();
    for (text, word) in [
        ("MPP = 0.0000", "got 0"),
        ("MPP = 999.00", "got 999"),
        ("MPP = nan   ", "NaN"),
    ] {
        let mut bytes = bytes.clone();
        bytes[at..at + stated.len()].copy_from_slice(text.as_bytes());
        let slide = open(&bytes).slide.unwrap();
        let reason = slide.facts().mpp.clone().unwrap_err();
        assert!(reason.contains(word), "{reason}");
    }
}

#[test]
fn other_files_are_named() {
    for (bytes, expected) in [
        (&b""[..], ErrorKind::Format),
        (b"no slide at all", ErrorKind::Format),
        (b"II*\0\0\0\0\0", ErrorKind::Damaged),
        (b"\xFF\xD8\xFF\xE0 cut", ErrorKind::Format),
    ] {
        assert_eq!(refused(bytes).0, expected, "{bytes:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let error = open_slide(folder.path(), &SlideLimits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
}
