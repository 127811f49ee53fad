"""Pictures: PNG, JPEG, TIFF, BMP, PGM."""

import io
import struct
import zlib

from PIL import Image

from .common import keep, patched

def ramp(mode, size=(20, 14)):
    """A gradient, different in every channel."""
    cols, rows = size
    channels = [Image.new("L", size) for _ in Image.new(mode, (1, 1)).getbands()]
    for shift, channel in enumerate(channels):
        channel.putdata([(r * 7 + c * 11 + shift * 60) % 256 for r in range(rows) for c in range(cols)])
    return channels[0] if len(channels) == 1 else Image.merge(mode, channels)


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(cols, rows, depth, color, data, interlaced=0, between=b""):
    head = struct.pack(">IIBBBBB", cols, rows, depth, color, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + between
            + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def adam7(cols, rows):
    """8-bit grey, interlaced."""
    data = b""
    for r0, c0, dr, dc in [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2),
                           (0, 1, 2, 2), (1, 0, 2, 1)]:
        for r in range(r0, rows, dr):
            line = bytes((r * 7 + c * 11) % 256 for c in range(c0, cols, dc))
            data += b"\0" + line if line else b""
    return data


gray, rgb = ramp("L"), ramp("RGB")
wide = Image.new("I;16", (9, 5))
wide.putdata([i * 1400 for i in range(45)])
EXIF = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
jpeg = saved(rgb, "JPEG", quality=60)
progressive = saved(rgb, "JPEG", quality=60, progressive=True)
sof = jpeg.index(b"\xff\xc0")
scan = jpeg.index(b"\xff\xda")


def tiff(entries, pixels, order="<", count=None, following=0):
    """One directory after the pixels. An entry is (tag, type, values), or bytes as they are."""
    size = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 16: 8}
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    start = 8 + len(pixels) + len(pixels) % 2
    later = start + 2 + 12 * len(entries) + 4
    table, beyond = b"", b""
    for entry in entries:
        if isinstance(entry, bytes):
            table += entry
            continue
        tag, kind, values = entry
        data = b"".join(struct.pack(order + {1: "B", 2: "B", 3: "H", 4: "I"}[kind], v) for v in values)
        table += struct.pack(order + "HHI", tag, kind, len(data) // size[kind])
        if len(data) <= 4:
            table += data.ljust(4, b"\0")
        else:
            table += struct.pack(order + "I", later + len(beyond))
            beyond += data
    count = len(entries) if count is None else count
    return (mark + struct.pack(order + "I", start) + pixels + b"\0" * (len(pixels) % 2)
            + struct.pack(order + "H", count) + table + struct.pack(order + "I", following) + beyond)


def tiff_gray(cols=8, rows=4, bits=8, offset=8, length=32, compression=1, pixels=bytes(range(32)), **more):
    entries = [(256, 4, [cols]), (257, 4, [rows]), (258, 3, [bits]), (259, 3, [compression]),
               (262, 3, [1]), (273, 4, [offset]), (277, 3, [1]), (278, 4, [rows]), (279, 4, [length])]
    return tiff(entries + more.pop("extra", []), pixels, **more)


def bmp(cols, rows, bits, compression, data, palette=b"", colors=0, offset=None):
    offset = 54 + len(palette) if offset is None else offset
    return (b"BM" + struct.pack("<IHHI", 54 + len(palette) + len(data), 0, 0, offset)
            + struct.pack("<IiiHHIIiiII", 40, cols, rows, 1, bits, compression, len(data), 0, 0, colors, 0)
            + palette + data)


GRAYS = b"".join(bytes([i * 16] * 3 + [0]) for i in range(16))
PICTURES = {
    "valid_gray.png": saved(gray, "PNG"),
    "valid_gray16.png": saved(wide, "PNG"),
    "valid_rgb.png": saved(rgb, "PNG"),
    "valid_rgba.png": saved(ramp("RGBA"), "PNG"),
    "valid_gray_alpha.png": saved(ramp("LA"), "PNG"),
    "valid_palette.png": saved(rgb.quantize(16), "PNG", transparency=3),
    "valid_one_bit.png": saved(gray.convert("1"), "PNG"),
    "valid_interlaced.png": png(11, 9, 8, 0, adam7(11, 9), 1),
    "valid_exif.png": png(2, 2, 8, 0, bytes(6), between=chunk(b"eXIf", EXIF[6:])),
    "valid_rgb16.png": png(2, 1, 16, 2, bytes(13)),
    "valid_gray.jpg": saved(gray, "JPEG", quality=60),
    "valid_rgb.jpg": jpeg,
    "valid_full_color.jpg": saved(rgb, "JPEG", quality=60, subsampling=0),
    "valid_progressive.jpg": progressive,
    "valid_restarts.jpg": saved(rgb, "JPEG", quality=60, restart_marker_blocks=1),
    "valid_exif.jpg": jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(EXIF) + 2) + EXIF + jpeg[2:],
    "cmyk.jpg": saved(ramp("CMYK"), "JPEG", quality=60),
    "valid_gray.tif": saved(gray, "TIFF"),
    "valid_rgb_lzw.tif": saved(rgb, "TIFF", compression="tiff_lzw"),
    "valid_rgb_deflate.tif": saved(rgb, "TIFF", compression="tiff_adobe_deflate"),
    "valid_packbits.tif": saved(gray, "TIFF", compression="packbits"),
    "valid_gray16.tif": saved(wide, "TIFF"),
    "valid_palette.tif": saved(rgb.quantize(16), "TIFF"),
    "valid_big_endian.tif": tiff_gray(order=">"),
    "jpeg_inside.tif": saved(rgb, "TIFF", compression="jpeg"),
    "fax.tif": saved(gray.convert("1"), "TIFF", compression="group4"),
    "float.tif": saved(gray.convert("F"), "TIFF"),
    "cmyk.tif": saved(ramp("CMYK"), "TIFF"),
    "valid_tiles.tif": tiff([(256, 4, [8]), (257, 4, [4]), (258, 3, [8]), (259, 3, [1]), (262, 3, [1]),
                             (277, 3, [1]), (322, 4, [16]), (323, 4, [16]), (324, 4, [8]),
                             (325, 4, [256])], bytes(256)),
    "valid_gray.bmp": saved(gray, "BMP"),
    "valid_rgb.bmp": saved(rgb, "BMP"),
    "valid_one_bit.bmp": saved(gray.convert("1"), "BMP"),
    "valid_rgba.bmp": saved(ramp("RGBA"), "BMP"),
    "valid_top_down.bmp": bmp(4, -2, 24, 0, bytes(range(24))),
    "valid_run_lengths_8.bmp": bmp(4, 2, 8, 1, b"\4\1\0\0\0\4\1\2\3\4\0\1", GRAYS, 16),
    "valid_run_lengths_4.bmp": bmp(4, 2, 4, 2, b"\4\x12\0\0\0\4\x12\x34\0\1", GRAYS, 16),
    "valid_fields.bmp": bmp(2, 1, 16, 3, bytes(4), struct.pack("<III", 0xF800, 0x7E0, 0x1F)),
    "valid.pgm": b"P5\n# made\n4 3\n255\n" + bytes(range(0, 240, 20)),
    # Broken.
    "empty": b"",
    "text": "this is no picture\n",
    "gif": b"GIF89a\1\0\1\0\0\0\0;",
    "only_mark.png": b"\x89PNG\r\n\x1a\n",
    "huge.png": png(100_000, 100_000, 8, 0, b"\0"),
    "no_rows.png": png(4, 0, 8, 0, b""),
    "too_little_data.png": png(8, 8, 8, 0, bytes(10)),
    # 4 MiB of zeros for four pixels.
    "too_much_data.png": png(2, 2, 8, 0, bytes(4 << 20)),
    "large_profile.png": png(2, 2, 8, 0, bytes(6), between=chunk(
        b"iCCP", b"p\0\0" + zlib.compress(bytes(4 << 20), 9))),
    "large_text.png": png(2, 2, 8, 0, bytes(6), between=chunk(
        b"zTXt", b"t\0\0" + zlib.compress(bytes(4 << 20), 9))),
    "long_chunk.png": patched(saved(gray, "PNG"), 33, b"\x7f\xff\xff\xff"),
    "palette_missing.png": png(2, 2, 8, 3, bytes(6)),
    "palette_short.png": png(2, 2, 8, 3, b"\0\0\1\0\2\3", between=chunk(b"PLTE", b"\1\2\3")),
    "wrong_filter.png": png(2, 2, 8, 0, b"\7\0\0\7\0\0"),
    "animated.png": png(2, 2, 8, 0, bytes(6), between=chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))),
    "huge.jpg": patched(jpeg, sof + 5, b"\xff\xff\xff\xff"),
    "no_rows.jpg": patched(jpeg, sof + 5, b"\0\0"),
    "two_frames.jpg": jpeg[:scan] + patched(jpeg[sof:sof + 19], 5, b"\x40\0\x40\0") + jpeg[scan:],
    "wide_factors.jpg": patched(jpeg, sof + 11, b"\x44"),
    "no_factors.jpg": patched(jpeg, sof + 11, b"\x00"),
    "cut.jpg": jpeg[: scan + 40],
    "cut_but_ended.jpg": jpeg[: scan + 40] + b"\xff\xd9",
    "cut_progressive.jpg": progressive[: len(progressive) * 2 // 3] + b"\xff\xd9",
    "lossless.jpg": patched(jpeg, sof + 1, b"\xc3"),
    "arithmetic.jpg": patched(jpeg, sof + 1, b"\xc9"),
    "twelve_bits.jpg": patched(jpeg, sof + 4, b"\x0c"),
    "no_tables.jpg": jpeg[:2] + jpeg[sof:],
    "many_scans.jpg": progressive[:-2] + progressive[progressive.rindex(b"\xff\xda"):-2] * 20 + b"\xff\xd9",
    "bad_exif.jpg": jpeg[:2] + b"\xff\xe1\0\x1aExif\0\0MM\0\x2a\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0" + jpeg[2:],
    "huge.tif": tiff_gray(cols=2**31, rows=2**31),
    "many_strips.tif": tiff_gray(extra=[struct.pack("<HHII", 324, 4, 2**30, 8)]),
    "strip_beyond_end.tif": tiff_gray(offset=2**32 - 8),
    "long_strip.tif": tiff_gray(length=2**32 - 8),
    "claims_deflate.tif": tiff_gray(compression=8),
    "claims_lzw.tif": tiff_gray(compression=5, pixels=b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01" * 4),
    "claims_jpeg.tif": tiff_gray(compression=7, pixels=jpeg, length=len(jpeg)),
    # 4 MiB of zeros for 32 pixels.
    "too_much_data.tif": tiff_gray(compression=8, pixels=zlib.compress(bytes(4 << 20), 9), length=5000),
    "strange_bits.tif": tiff_gray(bits=63),
    "no_bits.tif": tiff_gray(bits=0),
    "three_bits.tif": tiff_gray(bits=3),
    "claims_entries.tif": tiff_gray(count=65535),
    "loop.tif": tiff_gray(following=40),
    "large_value.tif": tiff_gray(extra=[struct.pack("<HHII", 34675, 7, 2**32 - 1, 8)]),
    "wide_tiles.tif": tiff([(256, 4, [8]), (257, 4, [4]), (258, 3, [8]), (259, 3, [1]), (262, 3, [1]),
                            (277, 3, [1]), (322, 4, [2**31 - 16]), (323, 4, [2**31 - 16]), (324, 4, [8]),
                            (325, 4, [256])], bytes(256)),
    "many_samples.tif": tiff([(256, 4, [8]), (257, 4, [4]), (258, 3, [8]), (259, 3, [1]), (262, 3, [2]),
                              (273, 4, [8]), (277, 3, [65535]), (278, 4, [4]), (279, 4, [32])], bytes(32)),
    "big.tif": b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**60),
    "huge.bmp": bmp(2**31 - 1, 2**31 - 1, 24, 0, bytes(8)),
    "least_rows.bmp": bmp(4, -2**31, 24, 0, bytes(8)),
    "no_cols.bmp": bmp(0, 4, 24, 0, bytes(8)),
    "negative_cols.bmp": bmp(-4, 4, 24, 0, bytes(64)),
    "many_colors.bmp": bmp(4, 2, 8, 0, bytes(8), GRAYS, 2**32 - 1),
    "index_beyond_palette.bmp": bmp(4, 2, 8, 0, b"\xff" * 8, GRAYS[:8], 2),
    "runs_beyond_rows.bmp": bmp(4, 2, 8, 1, b"\xff\1" * 8 + b"\0\1", GRAYS, 16),
    "move_beyond.bmp": bmp(4, 2, 8, 1, b"\0\2\xff\xff\4\1\0\1", GRAYS, 16),
    "offset_beyond.bmp": bmp(4, 2, 24, 0, bytes(24), offset=2**32 - 1),
    "fields_overlap.bmp": bmp(2, 1, 32, 3, bytes(8), struct.pack("<III", 2**32 - 1, 2**32 - 1, 5)),
    "huge.pgm": b"P5 4294967295 4294967295 65535\n" + bytes(8),
    "jpeg_inside.bmp": bmp(4, 4, 24, 4, jpeg),
}
for name, data in PICTURES.items():
    keep("picture", name, data)
