"""DICOM files."""

import struct
import zlib

from .common import GOLDEN, keep, patched

US = "1.2.840.10008.5.1.4.1.1.6.1"
MG, CAPTURE, TOMOSYNTHESIS = ("1.2.840.10008.5.1.4.1.1.1.2", "1.2.840.10008.5.1.4.1.1.7",
                              "1.2.840.10008.5.1.4.1.1.13.1.3")
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
          stored=None, frames=None, more=(), meta=True, pixel_length=None, vr="OB", sop=US, modality="US", signed=0):
    stored = allocated if stored is None else stored
    head = element(0x00020010, "UI", syntax)
    elements = [
        element(0x00080016, "UI", sop), element(0x00080060, "CS", modality), element(0x00180015, "CS", "BREAST"),
        element(0x0020000D, "UI", "1.2.3"), element(0x00280002, "US", samples),
        element(0x00280004, "CS", photometric), element(0x00280010, "US", rows),
        element(0x00280011, "US", cols), element(0x00280100, "US", allocated),
        element(0x00280101, "US", stored), element(0x00280102, "US", max(stored - 1, 0)),
        element(0x00280103, "US", signed), *more,
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


def mammogram(*more, pixels=words(*range(0, 64, 4)), allocated=16, stored=12, sop=MG, modality="MG", **rest):
    more = [element(0x00200062, "CS", "L"), element(0x00185101, "CS", "CC"), *more]
    return dicom(pixels, allocated=allocated, stored=stored, sop=sop, modality=modality, more=more, vr="OW", **rest)


def window(center, width, function="LINEAR"):
    return [element(0x00281050, "DS", center), element(0x00281051, "DS", width), element(0x00281056, "CS", function)]


def table(tag, entries, first, bits, *values):
    return sequence(tag, item(element(0x00283002, "US", words(entries, first, bits))
                              + element(0x00283006, "OW", words(*values))))


def code(value, *more):
    return item(element(0x00080100, "SH", value) + element(0x00080102, "SH", "SCT") + b"".join(more))


VOI, MODALITY = 0x00283010, 0x00283000
four = (0, 1000, 3000, 4095)
MAMMOGRAMS = {
    "valid_mammogram.dcm": mammogram(*window("30", "60")),
    "valid_mammogram_exact.dcm": mammogram(*window("30", "60", "LINEAR_EXACT")),
    "valid_mammogram_sigmoid.dcm": mammogram(*window("30", "20", "SIGMOID")),
    "valid_mammogram_sigmoid_narrow.dcm": mammogram(*window("30", "0.5", "SIGMOID")),
    "valid_mammogram_table.dcm": mammogram(table(VOI, 4, 10, 12, *four), *window("30", "60")),
    "valid_mammogram_padding.dcm": mammogram(
        element(0x00280120, "US", 60), element(0x00280121, "US", 50), *window("30", "60")),
    "valid_mammogram_inverse.dcm": mammogram(
        element(0x20500020, "CS", "INVERSE"), photometric="MONOCHROME1"),
    "valid_mammogram_signed.dcm": mammogram(
        element(0x00280120, "SS", 0xFFF0), element(0x00281052, "DS", "-7"), element(0x00281053, "DS", "0.25"),
        *window("0", "10"), signed=1),
    "valid_mammogram_modality_table.dcm": mammogram(table(MODALITY, 4, 0, 16, *four), *window("2048", "4096")),
    "valid_mammogram_8_bits.dcm": mammogram(pixels=bytes(range(16)), allocated=8, stored=8),
    "valid_mammogram_capture.dcm": mammogram(sop=CAPTURE, modality="OT"),
    "valid_mammogram_codes.dcm": mammogram(
        sequence(0x00540220, code("399368009", sequence(0x00540222, code("399209000")))),
        element(0x00200020, "CS", "A\\FR"), element(0x00181164, "DS", "0.1\\0.1"),
        element(0x00181114, "DS", "1.8"), element(0x00280300, "CS", "NO")),
    "valid_mammogram_window_0.dcm": mammogram(*window("30", "0")),
    "valid_mammogram_sigmoid_0.dcm": mammogram(*window("30", "0", "SIGMOID")),
    "valid_mammogram_window_half.dcm": mammogram(*window("30", "0.5")),
    "valid_mammogram_window_words.dcm": mammogram(*window("wide\\3", "\\x")),
    "valid_mammogram_window_huge.dcm": mammogram(*window("-1e308", "1e308", "SIGMOID")),
    "valid_mammogram_table_empty.dcm": mammogram(table(VOI, 0, 0, 12)),
    "valid_mammogram_table_no_item.dcm": mammogram(sequence(VOI)),
    "valid_mammogram_table_bits_0.dcm": mammogram(table(VOI, 4, 0xFFFF, 0, *four)),
    "valid_mammogram_all_padding.dcm": mammogram(element(0x00280120, "US", 0), element(0x00280121, "US", 0xFFFF)),
    "valid_mammogram_steep.dcm": mammogram(
        element(0x00281053, "DS", "-1e308"), element(0x00281052, "DS", "-1e308"), table(VOI, 4, 10, 12, *four)),
    "valid_mammogram_wrong_view.dcm": mammogram(
        sequence(0x00540220, code("ZZZ")), element(0x00200020, "CS", "MLO\\X\\Y")),
    "mammogram_huge.dcm": mammogram(pixels=bytes(10), rows=60_000, cols=60_000),
    "mammogram_frames.dcm": mammogram(frames=2),
    "mammogram_tomosynthesis.dcm": mammogram(sop=TOMOSYNTHESIS),
    "mammogram_colors.dcm": mammogram(photometric="RGB", samples=3),
}

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
for name, data in (DICOM | MAMMOGRAMS).items():
    keep("dicom", name, data)
