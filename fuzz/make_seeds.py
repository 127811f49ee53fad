"""Makes the seeds in corpus-seeds/: valid examples, and the broken ones worth keeping.

    pip install pillow==11.3.0
    python make_seeds.py

Files named `found_*` were found by the fuzzer and are not made here. The valid DICOM files are those
of crates/dicomio/tests/golden, which the replay reads as well.
"""

import io
import struct
import zipfile
import zlib
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
SEEDS = HERE / "corpus-seeds"
GOLDEN = HERE.parent / "crates/dicomio/tests/golden"


def keep(target, name, data):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


# Manifests of exams.

HEAD = "exam,breast,file\n"
ROWS = "e1,left,a.png\ne1,right,b.dcm\n"
MANIFESTS = {
    "valid.csv": HEAD + ROWS,
    "valid_columns.csv": "label,FILE,breast,patient,exam\nbenign,a.png,L,p1,e1\n,b.png,,p2,e2\n",
    "valid_quotes.csv": HEAD + '"e ""1""",left,"a,\nb.png"\n',
    "valid_mark_and_returns.csv": "\ufeff" + (HEAD + ROWS).replace("\n", "\r\n"),
    "valid_no_rows.csv": HEAD,
    "valid_same_file_twice.csv": HEAD + "e1,left,a.png\ne2,right,./a.png\n",
    "valid_no_last_newline.csv": (HEAD + ROWS).rstrip(),
    "valid_outside_and_folders.csv": HEAD + "e1,left,../../x.png\ne1,left,.\ne1,left,/\ne1,,a.png/b\n",
    "valid_names_differ_in_case.csv": HEAD + "e,left,a.png\nE,left,b.png\ne-2,left,c.png\n",
    "empty.csv": "",
    "only_mark.csv": "\ufeff",
    "no_breast.csv": "exam,file\ne1,a.png\n",
    "unknown_breast.csv": HEAD + "e1,both,a.png\n",
    "short_row.csv": HEAD + "e1,left\n",
    "long_row.csv": HEAD + "e1,left,a.png,more\n",
    "open_quote.csv": HEAD + 'e1,left,"a.png\n',
    "columns_twice.csv": "exam,exam,breast,breast,file,file\na,b,left,right,a.png,b.png\n",
    "long_field.csv": HEAD + "e1,left," + "a" * 5000 + "\n",
    "nul.csv": b"exam,breast,file\ne\0,left,a\0.png\n",
    "not_utf8.csv": b"exam,breast,file\n\xff\xfe,left,\x80.png\n",
    "utf16.csv": (HEAD + ROWS).encode("utf-16"),
    "semicolons.csv": (HEAD + ROWS).replace(",", ";"),
    # Every row repeats the header's names.
    "wide_names.csv": "exam,breast,file," + ",".join(["n" * 200] * 20)
    + ("\ne,left,a.png" + "," * 20) * 40,
    "many_columns.csv": "exam,breast,file" + "," * 3000 + "\ne,left,a.png" + "," * 3000 + "\n",
}
for name, text in MANIFESTS.items():
    keep("assess_manifest", name, text)

# Model packages.

MEMBER = b"stands for a graph"
PACKAGE = """format = 1
name = "tiny"
version = "0.1.0"
modality = "ultrasound"
status = "demonstration"
classes = ["benign", "malignant"]
research_use = "Research use only."
default_operating_point = "balanced"

[prepare]
rows = 64
cols = 64
mean = 127.0
std = 128.0
paint_marks = true

[wiring]
kind = "attention-mil"
input = "images"
saliency = "saliency"
image_scores = "image_scores"
attention_logits = "attention_logits"

[[members]]
file = "one.onnx"
sha256 = "SHA"
left_out = ""

[calibration.malignant]
prevalence = 0.3
map = { kind = "logistic", slope = 1.5, intercept = -0.25 }

[calibration.benign]
prevalence = 0.5
map = { kind = "isotonic", x = [0.1, 0.9], y = [0.0, 1.0] }

[[operating_points]]
name = "balanced"
threshold = 0.4
chosen_by = "by hand"

[saliency]
finding_threshold = 0.5

[[training_data]]
name = "busi"
licence = "CC0"
citation = "doi:10.1016/j.dib.2019.104863"
n_images = 620
n_malignant = 200
"""


def package_text():
    import hashlib

    return PACKAGE.replace("SHA", hashlib.sha256(MEMBER).hexdigest())


TABLE = """set,case,bag,patient,fold,label,benign_score,malignant_score,malignant_probability,attention,birads
busi,a.png,1,g1,2,malignant,0.1,0.9,0.8,0.25,4a
busi,b.png,1,g1,2,normal,0.1,0.2,,0.75,
busi,c.png,2,g2,1,benign,-0,1e-300,0.30000000000000004,1,"a,b
c"
"""


def zipped(entries, compression=zipfile.ZIP_DEFLATED, comment=b""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.comment = comment
        for name, data in entries:
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type = compression
            archive.writestr(info, data)
    return out.getvalue()


def patched(data, at, new):
    return data[:at] + new + data[at + len(new):]


def manifest_with(old, new):
    text = package_text()
    assert old in text, old
    return text.replace(old, new, 1)


PARTS = [("manifest.toml", package_text()), ("one.onnx", MEMBER), ("predictions.csv", TABLE),
         ("metrics.json", '{"figures": []}')]
whole = zipped(PARTS)
directory = whole.rindex(b"PK\x01\x02")
end = whole.rindex(b"PK\x05\x06")
first = whole.index(b"PK\x01\x02")
PACKAGES = {
    "valid.toml": package_text(),
    "valid_inline.toml": manifest_with("[prepare]\nrows = 64\ncols = 64\nmean = 127.0\nstd = 128.0\n"
                                       "paint_marks = true\n", "")
    .replace("format = 1", "prepare = {rows=1,cols=8192,mean=0.1,std=1e-9,paint_marks=false}\nformat = 1"),
    "future_format.toml": "format = 99\nnew = true\n",
    "negative_format.toml": manifest_with("format = 1", "format = -9223372036854775808"),
    "unknown_field.toml": manifest_with("format = 1", "format = 1\nextra = 1"),
    "duplicate_key.toml": manifest_with("format = 1", "format = 1\nformat = 1"),
    "name_outside.toml": manifest_with('"tiny"', '"../tiny"'),
    "name_dots.toml": manifest_with('"tiny"', '".."'),
    "member_outside.toml": manifest_with("one.onnx", "../one.onnx"),
    "nan_isotonic.toml": manifest_with("y = [0.0, 1.0]", "y = [nan, nan]"),
    "unsorted_isotonic.toml": manifest_with("x = [0.1, 0.9]", "x = [0.9, 0.1]"),
    "nan_threshold.toml": manifest_with("0.4", "nan"),
    "infinite_slope.toml": manifest_with("1.5", "inf"),
    "tiny_std.toml": manifest_with("128.0", "1e-60"),
    "huge_rows.toml": manifest_with("rows = 64", "rows = 9223372036854775807"),
    "deep.toml": "format = 1\nx = " + "[" * 2000,
    "deep_tables.toml": "format = 1\nx = " + "{a=" * 2000,
    "deep_keys.toml": "format = 1\n" + "a." * 3000 + "b = 1\n",
    "many_tables.toml": "format = 1\n" + "".join(f"[a{i}.b]\n" for i in range(400)),
    "escapes.toml": manifest_with("Research use only.", "\\u0000\\U0010FFFF\\uFFFF \\\" \\\\"),
    "bad_escape.toml": manifest_with("Research use only.", "\\uD800"),
    "not_toml.toml": "}{ = not toml",
    "not_utf8.toml": b"format = 1\nname = \"\xff\"\n",
    "empty": "",
    "valid.csv": TABLE,
    "no_columns.csv": "a,b\n1,2\n",
    "column_twice.csv": TABLE.replace("birads", "set"),
    "no_name.csv": TABLE.replace("birads", ""),
    "beyond_one.csv": TABLE.replace("0.9", "1.9"),
    "not_a_number.csv": TABLE.replace("0.75", "NaN"),
    "short_row.csv": TABLE + "x,y\n",
    "valid.zip": whole,
    "valid_stored.zip": zipped(PARTS, zipfile.ZIP_STORED),
    "valid_in_folder.zip": zipped([("tiny/" + name, data) for name, data in PARTS]),
    "valid_comment.zip": zipped(PARTS, comment=b"x" * 300),
    "cut_in_half.zip": whole[: len(whole) // 2],
    "no_end.zip": whole[:end],
    "only_end.zip": whole[end:],
    "no_manifest.zip": zipped(PARTS[1:]),
    "wrong_member.zip": zipped([PARTS[0], ("one.onnx", b"something else")]),
    "no_member.zip": zipped(PARTS[:1]),
    "name_twice.zip": zipped(PARTS + PARTS[:1]),
    "climbs_out.zip": zipped(PARTS + [("../escaped", b"x")]),
    "from_the_root.zip": zipped(PARTS + [("/escaped", b"x")]),
    "backslashes.zip": zipped(PARTS + [("..\\escaped", b"x")]),
    "drive.zip": zipped(PARTS + [("c:escaped", b"x")]),
    "file_is_folder.zip": zipped(PARTS + [("one.onnx/a", b"x")]),
    "empty_name.zip": zipped([("x", b"")] + PARTS).replace(b"x", b"\0"),
    # 4 MiB of zeros in 4 KiB.
    "large_when_unpacked.zip": zipped(PARTS[:1] + [("one.onnx", bytes(4 << 20))]),
    "claims_many_entries.zip": patched(whole, end + 8, b"\xff\xfe\xff\xfe"),
    "claims_large_directory.zip": patched(whole, end + 12, b"\xf0\xff\xff\xff"),
    "directory_beyond_end.zip": patched(whole, end + 16, b"\xf0\xff\xff\xff"),
    "claims_4_gib.zip": patched(whole, first + 20, b"\xfe\xff\xff\xff\xfe\xff\xff\xff"),
    "encrypted.zip": patched(whole, first + 8, b"\x01\x00"),
    "other_method.zip": patched(whole, first + 10, b"\x63\x00"),
    "wrong_checksum.zip": patched(whole, first + 16, b"\0\0\0\0"),
    "other_offset.zip": patched(whole, directory + 42, b"\1\0\0\0"),
}
for name, data in PACKAGES.items():
    keep("model_package", name, data)

# Pictures.


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
    "palette.tif": saved(rgb.quantize(16), "TIFF"),
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
    "jpeg_inside.bmp": bmp(4, 4, 24, 4, jpeg),
}
for name, data in PICTURES.items():
    keep("picture", name, data)

# DICOM.

US = "1.2.840.10008.5.1.4.1.1.6.1"
EXPLICIT, DEFLATED, BIG = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
RLE, JPEG, JPEG_LS, JPEG_2000 = ("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50",
                                 "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90")
LONG = {b"OB", b"OW", b"SQ", b"UN", b"UT"}
ITEM, ITEM_END, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0"


def element(tag, vr, value, length=None):
    """Explicit little endian; `length` other than the value's is a lie."""
    if isinstance(value, int):
        value = struct.pack("<H", value)
    if isinstance(value, str):
        value = value.encode()
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB") else b" "
    length = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode()
    return head + (struct.pack("<HI", 0, length) if vr.encode() in LONG else struct.pack("<H", length)) + value


def item(data, length=None):
    return ITEM + struct.pack("<I", len(data) if length is None else length) + data


def sequence(tag, *items):
    return element(tag, "SQ", b"".join(items))


def dicom(pixels=None, syntax=EXPLICIT, rows=4, cols=4, photometric="MONOCHROME2", samples=1, allocated=8,
          stored=None, frames=None, more=(), meta=True, pixel_length=None, vr="OB"):
    stored = allocated if stored is None else stored
    head = element(0x00020010, "UI", syntax)
    elements = [
        element(0x00080016, "UI", US), element(0x00080060, "CS", "US"), element(0x00180015, "CS", "BREAST"),
        element(0x0020000D, "UI", "1.2.3"), element(0x00280002, "US", samples),
        element(0x00280004, "CS", photometric), element(0x00280010, "US", rows),
        element(0x00280011, "US", cols), element(0x00280100, "US", allocated),
        element(0x00280101, "US", stored), element(0x00280102, "US", max(stored - 1, 0)),
        element(0x00280103, "US", 0), *more,
    ]
    if frames is not None:
        elements.append(element(0x00280008, "IS", str(frames)))
    data = b"".join(sorted(elements, key=lambda e: struct.unpack("<HH", e[:4])))
    if pixels is not None:
        data += element(0x7FE00010, vr, pixels, pixel_length)
    if syntax == DEFLATED:
        squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
        data = squeezer.compress(data) + squeezer.flush()
    return (bytes(128) + b"DICM" + head if meta else b"") + data


def fragments(*values, table=b"", end=SEQUENCE_END):
    return item(table) + b"".join(item(v) for v in values) + end


def encapsulated(syntax, *values, table=b"", end=SEQUENCE_END, **more):
    return dicom(fragments(*values, table=table, end=end), syntax, pixel_length=2**32 - 1, **more)


def palette(red, entries=256, bits=16, first=0):
    descriptor = struct.pack("<HHH", entries, first, bits)
    return [e for i in range(3) for e in (element(0x00281101 + i, "US", descriptor),
                                          element(0x00281221 + i, "OW", red))]


def words(*numbers):
    return struct.pack(f"<{len(numbers)}H", *numbers)


def golden(name):
    return (GOLDEN / f"{name}.dcm").read_bytes()


def run_lengths(*segments):
    offsets, at = [], 64
    for segment in segments:
        offsets.append(at)
        at += len(segment)
    head = struct.pack("<I", len(segments)) + b"".join(struct.pack("<I", o) for o in offsets)
    return head.ljust(64, b"\0") + b"".join(segments)


def codestream(name, start):
    """The compressed frame of a golden file."""
    data = golden(name)
    at = data.index(start)
    length = struct.unpack("<I", data[at - 4:at])[0]
    return data[at:at + length]


SOC = b"\xff\x4f\xff\x51"
gray_2000 = codestream("j2k_gray8", SOC)
gray_jpeg = codestream("jpeg_gray", b"\xff\xd8\xff")
gray_ls = codestream("jls_gray8", b"\xff\xd8\xff")
SIZE = dict(rows=12, cols=16)

frame_jpeg, frame_ls = gray_jpeg.index(b"\xff\xc0"), gray_ls.index(b"\xff\xf7")
style = gray_2000.index(b"\xff\x52")


def resized_2000(right, bottom, tile=None):
    data = patched(gray_2000, 8, struct.pack(">II", right, bottom))
    tile = (right, bottom) if tile is None else tile
    return patched(data, 24, struct.pack(">II", *tile))


def box(kind, data):
    return struct.pack(">I", len(data) + 8) + kind + data


def boxed_2000(stream, before=b""):
    sizes = struct.pack(">IIHBBBB", 12, 16, 1, 7, 7, 0, 0)
    color = b"\1\0\0" + struct.pack(">I", 17)
    return (box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + before
            + box(b"jp2h", box(b"ihdr", sizes) + box(b"colr", color)) + box(b"jp2c", stream))


def with_small_precincts(stream):
    """The coding style says precincts of one pixel for every resolution."""
    length = struct.unpack(">H", stream[style + 2:style + 4])[0]
    body = bytearray(stream[style + 4:style + 2 + length])
    body[0] |= 1
    body += b"\0" * (body[5] + 1)
    return (stream[:style] + b"\xff\x52" + struct.pack(">H", len(body) + 2) + bytes(body)
            + stream[style + 2 + length:])


region = b"".join(element(0x00186000 | low, vr, value) for low, vr, value in [
    (0x12, "US", 1), (0x14, "US", 1), (0x18, "UL", b"\0\0\0\0"), (0x1A, "UL", b"\0\0\0\0"),
    (0x1C, "UL", b"\xff\xff\xff\xff"), (0x1E, "UL", b"\xff\xff\xff\xff"), (0x24, "US", 3), (0x26, "US", 3),
    (0x2C, "FD", struct.pack("<d", 0.01)), (0x2E, "FD", struct.pack("<d", float("nan")))])
voi = sequence(0x00283010, item(element(0x00283002, "US", words(2, 5, 8)) + element(0x00283006, "US", words(0, 255))))
DICOM = {
    "valid.dcm": dicom(bytes(16)),
    "valid_without_preamble.dcm": dicom(bytes(16), meta=False),
    "valid_region.dcm": dicom(bytes(16), more=[sequence(0x00186011, item(region))]),
    "valid_texts.dcm": dicom(bytes(16), more=[
        element(0x00080005, "CS", "ISO_IR 192"), element(0x00100010, "PN", "Müller^Ä"),
        element(0x00100020, "LO", "1"), element(0x00080020, "DA", "20200101")]),
    "valid_japanese.dcm": dicom(bytes(16), more=[
        element(0x00080005, "CS", "\\ISO 2022 IR 87"),
        element(0x00100010, "PN", b"Yamada=\x1b$B;3ED\x1b(B=\x1b$B$d\x1b(B")]),
    "unknown_texts.dcm": dicom(bytes(16), more=[
        element(0x00080005, "CS", "ISO_IR 999"), element(0x00100010, "PN", b"\xff\xfe\0\x1b$")]),
    "no_pixels.dcm": dicom(),
    "no_rows.dcm": dicom(bytes(16), rows=0),
    "huge.dcm": dicom(bytes(16), rows=65535, cols=65535),
    "one_row_too_many.dcm": dicom(bytes(16), rows=5),
    "claims_pixels.dcm": dicom(bytes(16), pixel_length=2**32 - 2),
    "native_but_open.dcm": dicom(fragments(bytes(16)), pixel_length=2**32 - 1),
    "frames_0.dcm": dicom(bytes(16), frames=0),
    "frames_negative.dcm": dicom(bytes(16), frames=-1),
    "frames_100000.dcm": dicom(bytes(16), frames=100_000, rows=1, cols=1),
    "frames_beyond_numbers.dcm": dicom(bytes(16), frames=10**11),
    "bits_stored_0.dcm": dicom(bytes(16), stored=0),
    "bits_stored_99.dcm": dicom(bytes(16), stored=99),
    "bits_allocated_12.dcm": dicom(bytes(32), allocated=12),
    "bits_allocated_32.dcm": dicom(bytes(64), allocated=32),
    "samples_65535.dcm": dicom(bytes(48), samples=65535, photometric="RGB"),
    "half_color_odd.dcm": dicom(bytes(12), rows=1, cols=5, samples=3, photometric="YBR_FULL_422"),
    "unknown_meaning.dcm": dicom(bytes(16), photometric="HSV"),
    "no_meaning.dcm": dicom(bytes(16), photometric=""),
    # Numbers that overflow the step from a rescaled value to a table's index.
    "steep_before_table.dcm": dicom(bytes(range(16)), more=[
        element(0x00281053, "DS", "-1e300"), element(0x00281052, "DS", "-1e300"), voi]),
    "steep_window.dcm": dicom(bytes(range(16)), more=[
        element(0x00281053, "DS", "1e308"), element(0x00281050, "DS", "1e308"),
        element(0x00281051, "DS", "1e308")]),
    "window_of_1.dcm": dicom(bytes(range(16)), more=[
        element(0x00281050, "DS", "0"), element(0x00281051, "DS", "1")]),
    "table_empty.dcm": dicom(bytes(16), more=[sequence(0x00283000, item(b""))]),
    "table_short.dcm": dicom(bytes(16), more=[sequence(0x00283000, item(
        element(0x00283002, "US", words(0, 0, 16)) + element(0x00283006, "US", words(1, 2))))]),
    "palette_plain.dcm": dicom(bytes(16), photometric="PALETTE COLOR", more=[
        e for i in range(3) for e in (element(0x00281101 + i, "US", words(2, 0, 16)),
                                      element(0x00281201 + i, "OW", words(0, 65535)))]),
    "palette_missing.dcm": dicom(bytes(16), photometric="PALETTE COLOR"),
    # Copies of segments that hold nothing: 65535 steps for each eight bytes.
    "palette_endless.dcm": dicom(bytes(16), photometric="PALETTE COLOR",
                                 more=palette(words(0, 0) + words(2, 65535, 0, 0) * 1000)),
    "palette_copies_itself.dcm": dicom(bytes(16), photometric="PALETTE COLOR",
                                       more=palette(words(0, 1, 5, 2, 9, 6, 0))),
    "palette_copy_beyond.dcm": dicom(bytes(16), photometric="PALETTE COLOR",
                                     more=palette(words(0, 1, 5, 2, 1, 65535, 65535))),
    "palette_line_first.dcm": dicom(bytes(16), photometric="PALETTE COLOR", more=palette(words(1, 9, 9))),
    "palette_negative.dcm": dicom(bytes(16), photometric="PALETTE COLOR",
                                  more=palette(words(0, 3, 1, 2, 3), 3, 8, 65535)),
    "claims_value.dcm": dicom(bytes(16), more=[element(0x00283010, "SQ", b"", 2**32 - 2)]),
    "claims_unwanted_value.dcm": dicom(bytes(16), more=[element(0x00283011, "UN", b"", 2**32 - 2)]),
    "open_sequence.dcm": dicom(bytes(16), more=[element(0x00283010, "SQ", item(b"", 2**32 - 1), 2**32 - 1)]),
    "deep.dcm": dicom(bytes(16), more=[element(0x00283010, "SQ", (
        item(b"", 2**32 - 1) + element(0x00283010, "SQ", b"", 2**32 - 1)) * 100, 2**32 - 1)]),
    "item_beyond_sequence.dcm": dicom(bytes(16), more=[sequence(0x00186011, item(region, 2**31))]),
    "items_of_nothing.dcm": dicom(bytes(16), more=[sequence(0x00186011, *[item(b"")] * 500)]),
    "pixels_in_item.dcm": dicom(bytes(16), more=[sequence(0x00186011, item(element(0x7FE00010, "OB", bytes(4))))]),
    "bad_representation.dcm": dicom(bytes(16), more=[b"\x28\0\0\x30\x01\x02\0\0"]),
    "deflated_large.dcm": dicom(bytes(1 << 20), DEFLATED),
    "deflated_cut.dcm": dicom(bytes(16), DEFLATED)[:-9],
    "unknown_syntax.dcm": dicom(bytes(16), "1.2.3.4"),
    "video.dcm": encapsulated("1.2.840.10008.1.2.4.102", bytes(16)),
    "no_fragments.dcm": dicom(SEQUENCE_END, JPEG, pixel_length=2**32 - 1),
    "no_end.dcm": encapsulated(RLE, run_lengths(b"\xf1\7"), end=b""),
    "fragment_beyond_end.dcm": dicom(item(b"") + item(b"", 2**32 - 2), RLE, pixel_length=2**32 - 1),
    "compressed_but_plain.dcm": dicom(gray_jpeg, JPEG, **SIZE),
    "table_of_offsets_wrong.dcm": encapsulated(RLE, *[run_lengths(b"\xf1\7")] * 3, frames=2,
                                               table=struct.pack("<II", 0, 5)),
    "table_of_offsets_falls.dcm": encapsulated(RLE, *[run_lengths(b"\xf1\7")] * 3, frames=2,
                                               table=struct.pack("<II", 74, 0)),
    "too_few_fragments.dcm": encapsulated(RLE, run_lengths(b"\xf1\7"), frames=9),
    "runs_valid.dcm": encapsulated(RLE, run_lengths(b"\xf1\7")),
    "runs_short.dcm": encapsulated(RLE, run_lengths(b"\xf8\7")),
    "runs_of_nothing.dcm": encapsulated(RLE, run_lengths(b"\x80" * 300)),
    "runs_16_segments.dcm": encapsulated(RLE, b"\x10\0\0\0".ljust(64, b"\xff")),
    "runs_backwards.dcm": encapsulated(RLE, patched(run_lengths(b"\xf1\7", b"\xf1\7"), 8, b"\0\0\0\0"),
                                       allocated=16),
    "jpeg_other_size.dcm": encapsulated(JPEG, gray_jpeg, rows=13, cols=16),
    "jpeg_two_frames.dcm": encapsulated(
        JPEG, gray_jpeg[:2] + patched(gray_jpeg[frame_jpeg:frame_jpeg + 13], 5, b"\xff\xff\xff\xff")
        + gray_jpeg[2:], **SIZE),
    # The marker 0xFF01 has no length: what a parser skips after it, the decoder reads.
    "jpeg_hidden_frame.dcm": encapsulated(
        JPEG, gray_jpeg[:2] + b"\xff\x01" + patched(gray_jpeg[frame_jpeg:frame_jpeg + 13], 5, b"\xff\xff\xff\xff")
        + gray_jpeg[2:], **SIZE),
    "jpeg_empty.dcm": encapsulated(JPEG, b"\xff\xd8\xff\xd9", **SIZE),
    "jpeg_lossless_claimed.dcm": encapsulated(JPEG, patched(gray_jpeg, frame_jpeg + 1, b"\xc3"), **SIZE),
    "jpeg_twelve_bits.dcm": encapsulated(JPEG, patched(gray_jpeg, frame_jpeg + 4, b"\x0c"), **SIZE),
    "jls_other_size.dcm": encapsulated(JPEG_LS, gray_ls, rows=13, cols=16),
    "jls_sixteen_bits.dcm": encapsulated(JPEG_LS, patched(gray_ls, frame_ls + 4, b"\x10"), **SIZE),
    "jls_near_255.dcm": encapsulated(JPEG_LS, gray_ls.replace(b"\xff\xda\0\x08\1\1\0\0\0", b"\xff\xda\0\x08\1\1\0\xff\0"), **SIZE),
    "jls_preset.dcm": encapsulated(JPEG_LS, gray_ls[:2] + b"\xff\xf8\0\x0d\1\0\1\xff\xff\xff\xff\xff\xff\0\3"
                                   + gray_ls[2:], **SIZE),
    "jls_no_components.dcm": encapsulated(JPEG_LS, gray_ls.replace(b"\xff\xda\0\x08\1\1\0", b"\xff\xda\0\x06\0"), **SIZE),
    "j2k_valid.dcm": encapsulated(JPEG_2000, gray_2000, **SIZE),
    "j2k_boxed.dcm": encapsulated(JPEG_2000, boxed_2000(gray_2000), **SIZE),
    # The head that is checked lies in a box that the decoder skips.
    "j2k_hidden_head.dcm": encapsulated(JPEG_2000, boxed_2000(
        resized_2000(40_000, 40_000), box(b"free", gray_2000[:100])), **SIZE),
    "j2k_palette.dcm": encapsulated(JPEG_2000, boxed_2000(gray_2000).replace(
        struct.pack(">I", 15) + b"colr",
        box(b"pclr", b"\0\2\3\7\7\7" + bytes(6)) + box(b"cmap", b"\0\0\1\0\0\0\1\1\0\0\1\2")
        + struct.pack(">I", 15) + b"colr"), **SIZE),
    "j2k_cut.dcm": encapsulated(JPEG_2000, gray_2000[: len(gray_2000) * 2 // 3], **SIZE),
    "j2k_large_tile.dcm": encapsulated(JPEG_2000, patched(gray_2000, 24, b"\xff\xff\xff\xff" * 2), **SIZE),
    "j2k_no_tile.dcm": encapsulated(JPEG_2000, patched(gray_2000, 24, bytes(8)), **SIZE),
    "j2k_many_tiles.dcm": encapsulated(JPEG_2000, patched(gray_2000, 24, b"\0\0\0\1" * 2), **SIZE),
    "j2k_far_from_origin.dcm": encapsulated(JPEG_2000, patched(
        gray_2000, 8, struct.pack(">IIIIIIII", 2**32 - 1, 2**32 - 1, 2**32 - 17, 2**32 - 13, 2**32 - 1,
                                  2**32 - 1, 0, 0)), **SIZE),
    "j2k_38_bits.dcm": encapsulated(JPEG_2000, patched(gray_2000, 42, b"\x25"), **SIZE),
    "j2k_subsampled.dcm": encapsulated(JPEG_2000, patched(gray_2000, 43, b"\2\2"), **SIZE),
    "j2k_small_precincts.dcm": encapsulated(JPEG_2000, with_small_precincts(resized_2000(256, 256)), rows=256, cols=256),
    "j2k_many_layers.dcm": encapsulated(JPEG_2000, patched(gray_2000, style + 6, b"\xff\xff"), **SIZE),
    "j2k_many_resolutions.dcm": encapsulated(JPEG_2000, patched(gray_2000, style + 9, b"\x20"), **SIZE),
    "j2k_other_progression.dcm": encapsulated(JPEG_2000, patched(gray_2000, style + 5, b"\4"), **SIZE),
    "j2k_high_throughput.dcm": encapsulated(JPEG_2000, patched(gray_2000, style + 12, b"\x40"), **SIZE),
    "j2k_all_styles.dcm": encapsulated(JPEG_2000, patched(gray_2000, style + 12, b"\x3f"), **SIZE),
    "empty": b"",
    "only_preamble": bytes(128) + b"DICM",
    "text": "this is no image\n",
}
for name, data in DICOM.items():
    keep("dicom", name, data)
