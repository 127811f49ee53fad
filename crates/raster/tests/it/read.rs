//! Reading of good and bad files.

use std::fs;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, Rgba};
use lobule_raster::{Error, ErrorKind, Image, Limits, Picture, read_picture};

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Reads bytes through a file of the given name.
fn read(name: &str, bytes: &[u8]) -> Result<Picture, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    read_picture(&path, &Limits::default())
}

fn ramp() -> ImageBuffer<Luma<u8>, Vec<u8>> {
    ImageBuffer::from_fn(40, 30, |x, y| Luma([(x * 5 + y) as u8]))
}

#[test]
fn pixels_arrive_in_every_format() {
    let gray = DynamicImage::ImageLuma8(ramp());
    let expected = Image::from_fn(30, 40, |row, col| (col * 5 + row) as u8);
    for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp] {
        let picture = read("named.jpg", &encoded(&gray, format)).unwrap();
        assert_eq!(picture, Picture::Gray8(expected.clone()), "{format:?}");
    }
    let jpeg = read("a.dat", &encoded(&gray, ImageFormat::Jpeg))
        .unwrap()
        .luma();
    let off = |(a, b): (&u8, &u8)| a.abs_diff(*b) > 6;
    assert_eq!(
        jpeg.pixels()
            .iter()
            .zip(expected.pixels())
            .filter(|&p| off(p))
            .count(),
        0
    );
}

#[test]
fn kinds_of_pixels_are_reduced_to_three() {
    let gray16 = ImageBuffer::from_fn(3, 2, |x, _| Luma([(x * 20_000) as u16]));
    let gray_alpha = ImageBuffer::from_fn(2, 1, |x, _| LumaA([200_u8, (x * 255) as u8]));
    let same = ImageBuffer::from_pixel(2, 2, Rgb([90_u8, 91, 92]));
    let color = ImageBuffer::from_pixel(2, 1, Rgb([90_u8, 91, 140]));
    let color16 = ImageBuffer::from_pixel(1, 1, Rgb([0x1234_u16, 0, 0xff00]));
    let half = ImageBuffer::from_pixel(1, 1, Rgba([200_u8, 100, 0, 128]));
    let cases: [(DynamicImage, Picture); 6] = [
        (
            DynamicImage::ImageLuma16(gray16),
            Picture::Gray16(Image::from_fn(2, 3, |_, col| col as u16 * 20_000)),
        ),
        (
            DynamicImage::ImageLumaA8(gray_alpha),
            Picture::Gray8(Image::from_fn(1, 2, |_, col| col as u8 * 200)),
        ),
        (
            DynamicImage::ImageRgb8(same),
            Picture::Gray8(Image::filled(2, 2, 91)),
        ),
        (
            DynamicImage::ImageRgb8(color),
            Picture::Rgb8(Image::filled(1, 2, [90, 91, 140])),
        ),
        (
            DynamicImage::ImageRgb16(color16),
            Picture::Rgb8(Image::filled(1, 1, [0x12, 0, 0xff])),
        ),
        (
            DynamicImage::ImageRgba8(half),
            Picture::Rgb8(Image::filled(1, 1, [100, 50, 0])),
        ),
    ];
    for (source, expected) in cases {
        assert_eq!(
            read("a.png", &encoded(&source, ImageFormat::Png)).unwrap(),
            expected
        );
    }
}

/// A JPEG with an EXIF block that says: turn by 90° clockwise to see it upright.
fn turned_jpeg() -> Vec<u8> {
    let plain = encoded(&DynamicImage::ImageLuma8(ramp()), ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0".to_vec();
    exif.extend([0; 4]);
    let length = (exif.len() as u16 + 2).to_be_bytes();
    [&plain[..2], &[0xff, 0xe1], &length, &exif, &plain[2..]].concat()
}

#[test]
fn a_stated_orientation_is_applied() {
    let picture = read("a.jpg", &turned_jpeg()).unwrap();
    assert_eq!((picture.rows(), picture.cols()), (40, 30));
}

/// A PNG header that claims 100,000 × 100,000 pixels, with a right checksum.
fn huge_png() -> Vec<u8> {
    let mut bytes = encoded(&DynamicImage::ImageLuma8(ramp()), ImageFormat::Png);
    bytes[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    let sum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |s, _| {
            if s & 1 == 1 {
                0xedb8_8320 ^ (s >> 1)
            } else {
                s >> 1
            }
        })
    })
}

#[test]
fn bad_files_are_refused_by_name_and_reason() {
    let noisy = ImageBuffer::from_fn(64, 64, |x, y| Luma([(x * y * 37 + x * 11) as u8]));
    let noisy = DynamicImage::ImageLuma8(noisy);
    let cut = |format| {
        let bytes = encoded(&noisy, format);
        bytes[..bytes.len() * 2 / 3].to_vec()
    };
    let mut float = Vec::new();
    let pixels = DynamicImage::ImageRgb32F(ImageBuffer::from_pixel(2, 2, Rgb([0.5_f32; 3])));
    float.extend(encoded(&pixels, ImageFormat::Tiff));
    let cases: [(&str, Vec<u8>, ErrorKind, &str); 11] = [
        ("empty.png", vec![], ErrorKind::Format, "an empty file"),
        (
            "note.png",
            b"no picture\n".to_vec(),
            ErrorKind::Format,
            "a text file",
        ),
        (
            "a.png",
            b"GIF89a\x01\0\x01\0".to_vec(),
            ErrorKind::Format,
            "a GIF file",
        ),
        (
            "a.png",
            vec![0, 1, 2, 3],
            ErrorKind::Format,
            "an unknown format",
        ),
        (
            "a.png",
            [vec![0; 128], b"DICM".to_vec()].concat(),
            ErrorKind::Format,
            "a DICOM file",
        ),
        (
            "cut.png",
            cut(ImageFormat::Png),
            ErrorKind::Format,
            "truncated",
        ),
        (
            "cut.jpg",
            cut(ImageFormat::Jpeg),
            ErrorKind::Format,
            "ends too early",
        ),
        (
            "cut.tif",
            cut(ImageFormat::Tiff),
            ErrorKind::Format,
            "truncated",
        ),
        (
            "cut.bmp",
            cut(ImageFormat::Bmp),
            ErrorKind::Format,
            "truncated",
        ),
        ("float.tif", float, ErrorKind::Format, "floating-point"),
        ("huge.png", huge_png(), ErrorKind::TooLarge, "100000 rows"),
    ];
    for (name, bytes, kind, reason) in cases {
        let error = read(name, &bytes).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(name), "{error}");
        assert!(error.reason().contains(reason), "{error}");
    }
}

/// An uncompressed TIFF of one strip: 3 columns and 2 rows of indices 0, 1, 2, 255, 1, 0; red is the
/// index, green 255 less it, blue 7. The table's values have this many bits.
fn palette_tiff(order: fn(u32, usize) -> Vec<u8>, color_bits: u32, index_bits: u32) -> Vec<u8> {
    let entries: [(u32, u32, u32, u32); 9] = [
        (256, 4, 1, 3),
        (257, 4, 1, 2),
        (258, 3, 1, index_bits),
        (259, 3, 1, 1),
        (262, 3, 1, 3),
        (273, 4, 1, 8),
        (278, 4, 1, 2),
        (279, 4, 1, 6),
        (320, 3, 768, 8 + 6 + 2 + 9 * 12 + 4),
    ];
    let mut bytes = order(42, 2);
    bytes.extend([order(14, 4), vec![0, 1, 2, 255, 1, 0], order(9, 2)].concat());
    for (tag, kind, count, value) in entries {
        let value = match (kind, count) {
            (3, 1) => [order(value, 2), vec![0, 0]].concat(),
            _ => order(value, 4),
        };
        bytes.extend([order(tag, 2), order(kind, 2), order(count, 4), value].concat());
    }
    bytes.extend(order(0, 4));
    let channels: [fn(u32) -> u32; 3] = [|i| i, |i| 255 - i, |_| 7];
    for channel in channels {
        bytes.extend((0..256).flat_map(|i| order(channel(i) << (color_bits - 8), 2)));
    }
    let name: &[u8] = if order(1, 2) == [1, 0] { b"II" } else { b"MM" };
    [name, &bytes].concat()
}

fn little(value: u32, size: usize) -> Vec<u8> {
    value.to_le_bytes()[..size].to_vec()
}

fn big(value: u32, size: usize) -> Vec<u8> {
    value.to_be_bytes()[4 - size..].to_vec()
}

#[test]
fn palettes_of_tiff_files_are_looked_up() {
    let color = |index: u8| [index, 255 - index, 7];
    let expected = Image::from_pixels(2, 3, [0, 1, 2, 255, 1, 0].map(color).to_vec()).unwrap();
    for (order, bits) in [
        (little as fn(u32, usize) -> Vec<u8>, 16),
        (big, 16),
        (little, 8),
    ] {
        let picture = read("palette.tif", &palette_tiff(order, bits, 8)).unwrap();
        assert_eq!(picture, Picture::Rgb8(expected.clone()), "{bits} bits");
    }
    let error = read("four.tif", &palette_tiff(little, 16, 4)).unwrap_err();
    assert!(error.to_string().contains("four.tif") && error.reason().contains("of 4 bits"));
    let whole = palette_tiff(big, 16, 8);
    let error = read("cut.tif", &whole[..whole.len() - 1]).unwrap_err();
    assert!(error.reason().contains("256 colors"), "{error}");
}

#[test]
fn places_without_a_file_are_io_errors() {
    let folder = tempfile::tempdir().unwrap();
    for path in [
        PathBuf::from(folder.path()),
        folder.path().join("absent.png"),
    ] {
        let error = read_picture(&path, &Limits::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    }
}

#[test]
fn one_pixel_can_be_read() {
    let dot = DynamicImage::ImageLuma8(ImageBuffer::from_pixel(1, 1, Luma([7])));
    let picture = read("dot.png", &encoded(&dot, ImageFormat::Png)).unwrap();
    assert_eq!(picture, Picture::Gray8(Image::filled(1, 1, 7)));
}

#[test]
fn the_limit_is_on_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let path: &Path = &folder.path().join("a.png");
    fs::write(
        path,
        encoded(&DynamicImage::ImageLuma8(ramp()), ImageFormat::Png),
    )
    .unwrap();
    assert!(read_picture(path, &Limits { max_pixels: 1200 }).is_ok());
    let error = read_picture(path, &Limits { max_pixels: 1199 }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

#[test]
fn damaged_bytes_never_panic() {
    let good = DynamicImage::ImageLuma8(ramp());
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Tiff,
        ImageFormat::Bmp,
    ] {
        let bytes = encoded(&good, format);
        for at in (0..bytes.len()).step_by(bytes.len().div_ceil(120)) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            let _ = read("damaged", &damaged);
        }
    }
}

#[test]
fn graymaps_of_one_and_two_bytes_are_read() {
    let small = read("a.pgm", b"P5\n# film\n2 1\n255\n\x00\x0f").unwrap();
    assert_eq!(
        small,
        Picture::Gray8(Image::from_pixels(1, 2, vec![0, 15]).unwrap())
    );
    let white = read("a.pgm", b"P5 1 1 15 \x0f").unwrap();
    assert_eq!(white, Picture::Gray8(Image::filled(1, 1, 255)));
    let deep = read("a.pgm", b"P5 1 2 65535 \x01\x02\xff\xff").unwrap();
    assert_eq!(
        deep,
        Picture::Gray16(Image::from_pixels(2, 1, vec![0x0102, 0xffff]).unwrap())
    );
    for bytes in [
        &b"P2 1 1 255 0"[..],
        b"P5 0 1 255 ",
        b"P5 60000 60000 255 0123456789",
        b"P5 2 2 255 \x00",
        b"P5 1 1 70000 \x00\x00",
        b"P5 1 99999999999999999999 255 ",
        b"P5 1 1",
        b"P5#",
    ] {
        assert!(read("a.pgm", bytes).is_err(), "{bytes:?}");
    }
}
