"""Makes small DICOM files and the pixels that pydicom decodes from them.

    pip install pydicom==3.0.2 numpy pillow pylibjpeg pylibjpeg-openjpeg pylibjpeg-libjpeg pyjpegls
    python make.py

For each file NAME.dcm: NAME.bin holds the expected pixels of all frames, and expected.json its
shape, its kind (gray8, gray16 little endian, rgb8) and the tolerated difference.
"""

import io
import json
import warnings
from pathlib import Path

import jpeg_ls
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, convert_color_space
from pydicom.sequence import Sequence
from pydicom.uid import UID

warnings.simplefilter("ignore")
HERE = Path(__file__).parent
ROWS, COLS = 12, 16
IMPLICIT, EXPLICIT, BIG, DEFLATED = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")
RLE, BASELINE, LS, LS_NEAR, J2K_LOSSLESS, J2K = (
    "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")
rng = np.random.default_rng(2)
expected = {}


def smooth(top, channels=None, frames=None):
    """A gradient with noise: what compressors like, yet no two rows alike."""
    r, c = np.mgrid[0:ROWS, 0:COLS]
    stack = []
    for frame in range(frames or 1):
        planes = []
        for channel in range(channels or 1):
            wave = 0.5 + 0.35 * np.sin(r / (3 + channel) + frame) * np.cos(c / (4 - channel))
            noise = rng.uniform(-0.06, 0.06, wave.shape)
            planes.append(np.clip((wave + noise) * top, 0, top))
        stack.append(np.stack(planes, -1) if channels else planes[0])
    pixels = np.stack(stack) if frames else stack[0]
    return pixels.astype(np.uint16 if top > 255 else np.uint8)


def base(pixels, photometric, stored=None, syntax=EXPLICIT, **elements):
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.6.1"
    ds.SOPInstanceUID = "2.25.1"
    ds.StudyInstanceUID = "2.25.2"
    ds.SeriesInstanceUID = "2.25.3"
    ds.Modality = "US"
    ds.PatientName = "SYNTHETIC^PHANTOM"
    ds.PatientID = "SYNTHETIC"
    ds.BodyPartExamined = "BREAST"
    ds.ImageLaterality = "L"
    color = photometric not in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
    ds.SamplesPerPixel = 3 if color else 1
    ds.PhotometricInterpretation = photometric
    ds.Rows, ds.Columns = ROWS, COLS
    ds.BitsAllocated = pixels.dtype.itemsize * 8
    ds.BitsStored = stored or ds.BitsAllocated
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    if color:
        ds.PlanarConfiguration = 0
    if pixels.ndim == (4 if color else 3):
        ds.NumberOfFrames = pixels.shape[0]
        ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    data = pixels.astype(pixels.dtype.newbyteorder(">")) if syntax == BIG else pixels
    ds.PixelData = data.tobytes() + b"\0" * (data.nbytes % 2)
    ds["PixelData"].VR = "OW" if ds.BitsAllocated == 16 else "OB"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    for key, value in elements.items():
        setattr(ds, key, value)
    return ds


def compress(ds, syntax, frames, table=True):
    ds.PixelData = encapsulate(frames, has_bot=table)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    return ds


def save(name, ds, want, kind, tolerance=0):
    path = HERE / f"{name}.dcm"
    pydicom.dcmwrite(path, ds, enforce_file_format=True)
    dtype = {"gray8": "u1", "rgb8": "u1", "gray16": "<u2"}[kind]
    (HERE / f"{name}.bin").write_bytes(np.ascontiguousarray(want).astype(dtype).tobytes())
    frames = int(ds.get("NumberOfFrames", 1))
    expected[name] = dict(rows=ROWS, cols=COLS, frames=frames, kind=kind, tolerance=tolerance)


def reread(name_ds):
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, name_ds, enforce_file_format=True)
    buffer.seek(0)
    return pydicom.dcmread(buffer)


def gray(name, ds, low=None, high=None, tolerance=1):
    """Modality and VOI by pydicom, then stretched from its output range to all of ours."""
    ds = reread(ds)
    stored = ds.pixel_array
    out = apply_voi_lut(apply_modality_lut(stored, ds), ds).astype(np.float64)
    if low is None:
        slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
        bits = ds.BitsStored
        signed = ds.PixelRepresentation == 1
        ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        low, high = (slope * e + intercept for e in ends)
    bright = np.clip((out - low) / (high - low), 0, 1)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        bright = 1 - bright
    kind, top = ("gray8", 255) if ds.BitsStored <= 8 else ("gray16", 65535)
    save(name, ds, np.round(bright * top), kind, tolerance)


def rgb(name, ds, tolerance=0, palette=False):
    again = reread(ds)
    pixels = again.pixel_array
    if palette:
        pixels = apply_color_lut(pixels, again)
        pixels = pixels >> 8 if pixels.dtype.itemsize == 2 else pixels
    elif pixels.dtype.itemsize == 2:
        pixels = pixels >> 8
    save(name, ds, pixels, "rgb8", tolerance)


def table(values, first, bits):
    item = Dataset()
    item.LUTDescriptor = [len(values), first, bits]
    item["LUTDescriptor"].VR = "US"
    item.LUTData = np.asarray(values, "<u2").tobytes()
    item["LUTData"].VR = "OW"
    return Sequence([item])


def with_palette(ds, bits, first=0, entries=256, packed=False):
    ramps = [np.arange(entries), np.arange(entries)[::-1], (np.arange(entries) * 7) % entries]
    for color, ramp in zip(("Red", "Green", "Blue"), ramps):
        top = 2**bits - 1
        values = (ramp * top // (entries - 1)).astype("u2")
        dtype = "u1" if packed else "<u2"
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [entries, first, bits])
        ds[f"{color}PaletteColorLookupTableDescriptor"].VR = "US"
        setattr(ds, f"{color}PaletteColorLookupTableData", values.astype(dtype).tobytes())
        ds[f"{color}PaletteColorLookupTableData"].VR = "OW"
    return ds


def native():
    g8, g12 = smooth(255), smooth(4095)
    for name, syntax in (("implicit", IMPLICIT), ("explicit", EXPLICIT), ("big", BIG),
                         ("deflated", DEFLATED)):
        gray(f"gray8_{name}", base(g8, "MONOCHROME2", syntax=syntax), tolerance=0)
        gray(f"gray12_{name}", base(g12, "MONOCHROME2", 12, syntax))
    gray("gray8_inverse", base(g8, "MONOCHROME1"), tolerance=0)
    gray("gray8_window", base(g8, "MONOCHROME2", WindowCenter=120, WindowWidth=90))
    shapes = dict(WindowCenter=[1800.5, 9], WindowWidth=[1500.25, 3])
    for shape in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        gray(f"gray12_{shape.lower()}",
             base(g12, "MONOCHROME2", 12, VOILUTFunction=shape, **shapes))
    gray("gray12_inverse_window", base(g12, "MONOCHROME1", 12, **shapes))
    gray("gray16_signed_rescaled",
         base(g12.astype("i2") - 2000, "MONOCHROME2", 16, RescaleSlope=1.5, RescaleIntercept=-10,
              WindowCenter=0, WindowWidth=3000))
    curve = (np.sqrt(np.arange(4096) / 4095) * 1023).astype(int)
    gray("gray12_voi_table", base(g12, "MONOCHROME2", 12, VOILUTSequence=table(curve, 0, 10)),
         0, 1023)
    gray("gray8_modality_table",
         base(g8, "MONOCHROME2", ModalityLUTSequence=table(np.arange(200) * 300, 30, 16)), 0, 65535)
    c8 = smooth(255, 3)
    rgb("rgb8", base(c8, "RGB"))
    rgb("rgb8_three_frames", base(smooth(255, 3, 3), "RGB"))
    planes = base(c8, "RGB", PlanarConfiguration=1)
    planes.PixelData = np.moveaxis(c8, -1, 0).tobytes()
    rgb("rgb8_planes", planes)
    rgb("rgb16", base(smooth(65535, 3), "RGB"))
    swapped = base(c8, "RGB", syntax=BIG)
    swapped.PixelData = c8.reshape(-1, 2)[:, ::-1].tobytes()
    swapped["PixelData"].VR = "OW"
    rgb("rgb8_big_words", swapped)
    rgb("rgb16_big", base(smooth(65535, 3), "RGB", syntax=BIG))
    rgb("ybr_full", base(c8, "YBR_FULL"), 1)
    half = base(c8, "YBR_FULL_422")
    pairs = c8.reshape(-1, 2, 3)
    half.PixelData = np.stack([pairs[:, 0, 0], pairs[:, 1, 0], pairs[:, 0, 1], pairs[:, 0, 2]], 1).tobytes()
    rgb("ybr_full_422", half, 1)
    rgb("palette8", with_palette(base(g8, "PALETTE COLOR"), 8, packed=True), palette=True)
    rgb("palette16", with_palette(base(g8, "PALETTE COLOR"), 16), palette=True)
    rgb("palette16_big", with_palette(base(smooth(600), "PALETTE COLOR", syntax=IMPLICIT), 16,
                                      first=100, entries=400), palette=True)


def segmented():
    """Discrete, linear and (16 bits; byte offsets) no indirect segment, whose unit pydicom counts
    in entries."""
    ds = base(smooth(255), "PALETTE COLOR")
    segments = [0, 3, 5000, 9000, 60000, 1, 100, 1000, 0, 1, 3, 1, 152, 65535]
    for color in ("Red", "Green", "Blue"):
        setattr(ds, f"{color}PaletteColorLookupTableDescriptor", [256, 0, 16])
        ds[f"{color}PaletteColorLookupTableDescriptor"].VR = "US"
        data = np.asarray(segments, "<u2").tobytes()
        setattr(ds, f"Segmented{color}PaletteColorLookupTableData", data)
        ds[f"Segmented{color}PaletteColorLookupTableData"].VR = "OW"
        segments = [0, 256] + list(range(0, 65536, 256))
    rgb("palette16_segmented", ds, palette=True)


def runs():
    for name, pixels, photometric in (
            ("gray8", smooth(255), "MONOCHROME2"), ("gray16", smooth(65535), "MONOCHROME2"),
            ("rgb8", smooth(255, 3), "RGB"), ("rgb8_frames", smooth(255, 3, 2), "RGB")):
        ds = base(pixels, photometric)
        ds.compress(RLE, generate_instance_uid=False)
        (rgb if "rgb" in name else gray)(f"rle_{name}", ds)
    ds = with_palette(base(smooth(255), "PALETTE COLOR"), 16)
    ds.compress(RLE, generate_instance_uid=False)
    rgb("rle_palette", ds, palette=True)


def picture(pixels, form, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()


def jpeg():
    g8, c8 = smooth(255), smooth(255, 3)
    gray("jpeg_gray", compress(base(g8, "MONOCHROME2"), BASELINE, [picture(g8, "JPEG")]), tolerance=2)
    stream = picture(c8, "JPEG", subsampling=0, quality=95)
    rgb("jpeg_ybr", compress(base(c8, "YBR_FULL"), BASELINE, [stream]), 3)
    plain = picture(c8, "JPEG", subsampling=0, quality=95, keep_rgb=True)
    rgb_pixels = np.asarray(Image.open(io.BytesIO(plain)))
    save("jpeg_rgb_adobe", compress(base(c8, "RGB"), BASELINE, [plain]), rgb_pixels, "rgb8", 3)
    save("jpeg_rgb_unmarked", compress(base(c8, "RGB"), BASELINE, [unmarked(plain)]), rgb_pixels,
         "rgb8", 3)
    loop = smooth(255, 3, 3)
    streams = [picture(f, "JPEG", subsampling=1, quality=95) for f in loop]
    want = np.stack([np.asarray(Image.open(io.BytesIO(s))) for s in streams])
    for name, has_table in (("table", True), ("no_table", False)):
        ds = compress(base(loop, "YBR_FULL_422"), BASELINE, streams, has_table)
        split = [encapsulate([s], fragments_per_frame=2, has_bot=False)[8:-0 or None] for s in streams]
        table_item = b"\xfe\xff\x00\xe0" + (b"\0" * 4 if not has_table else offsets(split))
        ds.PixelData = table_item + b"".join(split)
        # Fancy upsampling of the colors differs between decoders.
        save(f"jpeg_422_fragments_{name}", ds, want, "rgb8", 8)


def offsets(parts):
    starts = np.cumsum([0] + [len(p) for p in parts[:-1]]).astype("<u4").tobytes()
    return len(starts).to_bytes(4, "little") + starts


def unmarked(stream):
    """Takes the Adobe marker out and names the components 1, 2, 3."""
    at = stream.index(b"\xff\xee")
    stream = stream[:at] + stream[at + 2 + int.from_bytes(stream[at + 2:at + 4], "big"):]
    out = bytearray(stream)
    sof, sos = out.index(b"\xff\xc0"), out.index(b"\xff\xda")
    for i in range(3):
        out[sof + 10 + 3 * i] = i + 1
        out[sos + 5 + 2 * i] = i + 1
    return bytes(out)


def jpeg2000():
    g8, g16, c8 = smooth(255), smooth(65535), smooth(255, 3)
    for name, pixels, photometric in (("gray8", g8, "MONOCHROME2"), ("gray16", g16, "MONOCHROME2")):
        stream = picture(pixels, "JPEG2000", irreversible=False, no_jp2=True)
        gray(f"j2k_{name}", compress(base(pixels, photometric), J2K_LOSSLESS, [stream]))
    stream = picture(c8, "JPEG2000", irreversible=False, mct=1, no_jp2=True)
    rgb("j2k_rct", compress(base(c8, "YBR_RCT"), J2K_LOSSLESS, [stream]))
    lossy = picture(c8, "JPEG2000", irreversible=True, mct=1, no_jp2=True)
    rgb("j2k_ict", compress(base(c8, "YBR_ICT"), J2K, [lossy]), 1)
    boxed = picture(c8, "JPEG2000", irreversible=False, mct=0)
    rgb("j2k_boxed_rgb", compress(base(c8, "RGB"), J2K_LOSSLESS, [boxed]))


def jpeg_ls():
    import jpeg_ls as codec
    g8, g12, c8 = smooth(255), smooth(4095), smooth(255, 3)
    flat = g8.copy()
    flat[3:9, 2:13] = 77
    flat[7:, :] = 12
    for name, pixels, stored in (("gray8", g8, 8), ("gray12", g12, 12), ("flat", flat, 8)):
        stream = bytes(codec.encode_array(pixels))
        gray(f"jls_{name}", compress(base(pixels, "MONOCHROME2", stored), LS, [stream]))
    near = bytes(codec.encode_array(flat, lossy_error=3))
    gray("jls_near", compress(base(flat, "MONOCHROME2"), LS_NEAR, [near]))
    colors = c8.copy()
    colors[4:8, 3:12] = (9, 200, 31)
    for mode, name in ((0, "planes"), (1, "lines"), (2, "pixels")):
        # CharLS takes lines pixel by pixel, whatever its wrapper's help says; libjpeg agrees.
        order = [(2, 0, 1), (0, 1, 2), (0, 1, 2)][mode]
        source = np.ascontiguousarray(colors.transpose(order))
        stream = bytes(codec.encode_buffer(source.tobytes(), ROWS, COLS, 3, 8, 0, mode))
        save(f"jls_rgb_{name}", compress(base(colors, "RGB"), LS, [stream]), colors, "rgb8")
        loose = bytes(codec.encode_buffer(source.tobytes(), ROWS, COLS, 3, 8, 2, mode))
        decoded = np.asarray(codec.decode_pixel_data(loose)[0])
        pixels = np.frombuffer(decoded.tobytes(), "u1").reshape(source.shape)
        pixels = pixels.transpose(np.argsort(order))
        save(f"jls_near_rgb_{name}", compress(base(colors, "RGB"), LS_NEAR, [loose]), pixels, "rgb8")


if __name__ == "__main__":
    for old in list(HERE.glob("*.dcm")) + list(HERE.glob("*.bin")):
        old.unlink()
    native()
    segmented()
    runs()
    jpeg()
    jpeg2000()
    jpeg_ls()
    text = ",\n".join(f' "{k}": {json.dumps(v)}' for k, v in sorted(expected.items()))
    (HERE / "expected.json").write_text("{\n" + text + "\n}\n")
