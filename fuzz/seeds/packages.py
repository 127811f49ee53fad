"""Model packages."""

import io
import zipfile

from .common import keep, patched

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
kind = "sonogram"
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
finding_thresholds = { benign = 0.5, malignant = 0.5, chosen_by = "the test" }

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
    "valid_mammogram.toml": manifest_with(
        "[prepare]\nkind = \"sonogram\"\nrows = 64\ncols = 64\nmean = 127.0\nstd = 128.0\npaint_marks = true\n",
        "[prepare]\nkind = \"mammogram\"\nrows = 64\ncols = 48\nscale = { pixel_mm = 0.2 }\n"
        "outside = \"kept\"\nstandardization = \"breast\"\n",
    ).replace('"ultrasound"', '"mammography"'),
    "valid_inline.toml": manifest_with("[prepare]\nkind = \"sonogram\"\nrows = 64\ncols = 64\nmean = 127.0\nstd = 128.0\n"
                                       "paint_marks = true\n", "")
    .replace("format = 1", "prepare = {kind='sonogram',rows=1,cols=8192,mean=0.1,std=1e-9,paint_marks=false}\nformat = 1"),
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
