"""Makes small mammograms, one per look-up path, and the pixels that pydicom shows of them.

    pip install pydicom==3.0.2 numpy pillow pylibjpeg pylibjpeg-openjpeg pyjpegls
    python make.py [FOLDER OF REAL FILES]

For each file NAME.dcm, NAME.bin holds the expected brightness (16 bits, little endian, 0 = black,
65535 = white). expected.json says what was applied. With a folder, real.json holds a grid of
samples of the real files found there.
"""

import io
import json
import sys
import warnings
from pathlib import Path

import jpeg_ls
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import UID

warnings.simplefilter("ignore")
HERE = Path(__file__).parent
ROWS, COLS = 12, 16
IMPLICIT, EXPLICIT, BIG, DEFLATED = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")
RLE, LS, J2K_LOSSLESS = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"
rng = np.random.default_rng(4)
expected = {}


def smooth(low, high):
    r, c = np.mgrid[0:ROWS, 0:COLS]
    wave = 0.5 + 0.4 * np.sin(r / 3) * np.cos(c / 4) + rng.uniform(-0.06, 0.06, (ROWS, COLS))
    return np.clip(low + wave * (high - low), low, high).astype(np.int64)


def base(pixels, stored, photometric="MONOCHROME2", syntax=EXPLICIT, dtype="u2", **elements):
    pixels = pixels.astype(dtype)
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.2"
    ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = "2.25.1", "2.25.2", "2.25.3"
    ds.Modality = "MG"
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.PatientName, ds.PatientID = "SYNTHETIC^PHANTOM", "SYNTHETIC"
    ds.ImageLaterality, ds.ViewPosition = "L", "CC"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, photometric
    ds.Rows, ds.Columns = ROWS, COLS
    ds.BitsAllocated = pixels.dtype.itemsize * 8
    ds.BitsStored, ds.HighBit = stored, stored - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    data = pixels
    if pixels.dtype.kind == "i" and stored < ds.BitsAllocated:
        data = pixels & ((1 << stored) - 1)
    if syntax == BIG:
        data = data.astype(data.dtype.newbyteorder(">"))
    ds.PixelData = data.tobytes()
    ds["PixelData"].VR = "OW" if ds.BitsAllocated == 16 else "OB"
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    for key, value in elements.items():
        setattr(ds, key, value)
    return ds


def table(*tables):
    items = []
    for values, first, bits, explanation in tables:
        item = Dataset()
        item.LUTDescriptor = [len(values), first, bits]
        item["LUTDescriptor"].VR = "SS" if first < 0 else "US"
        item.LUTExplanation = explanation
        item.LUTData = np.asarray(values, "<u2").tobytes()
        item["LUTData"].VR = "OW"
        items.append(item)
    return Sequence(items)


def reread(ds):
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True)
    buffer.seek(0)
    return pydicom.dcmread(buffer)


def shown(ds, index=0):
    """Modality and VOI by pydicom, stretched from its range of output to 0..65535."""
    stored = ds.pixel_array
    modality = apply_modality_lut(stored, ds)
    pad = np.zeros(stored.shape, bool)
    if "PixelPaddingValue" in ds:
        ends = sorted([ds.PixelPaddingValue, ds.get("PixelPaddingRangeLimit", ds.PixelPaddingValue)])
        pad = (stored >= ends[0]) & (stored <= ends[1])
    if "VOILUTSequence" in ds:
        out = apply_voi_lut(modality, ds, index=index).astype(float)
        low, high = 0, 2 ** ds.VOILUTSequence[index].LUTDescriptor[2] - 1
    elif "WindowCenter" in ds:
        out = apply_voi_lut(modality, ds, index=index).astype(float)
        if "ModalityLUTSequence" in ds:
            low, high = 0, 2 ** ds.ModalityLUTSequence[0].LUTDescriptor[2] - 1
        else:
            bits, slope = ds.BitsStored, float(ds.get("RescaleSlope", 1))
            ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if ds.PixelRepresentation else (0, 2**bits - 1)
            low, high = (slope * e + float(ds.get("RescaleIntercept", 0)) for e in ends)
    else:
        out = modality.astype(float)
        low, high = out[~pad].min(), out[~pad].max()
    bright = np.clip((out - low) / (high - low), 0, 1)
    if ds.PhotometricInterpretation == "MONOCHROME1" or ds.get("PresentationLUTShape") == "INVERSE":
        bright = 1 - bright
    bright[pad] = 0
    return np.round(bright * 65535).astype("<u2")


def save(name, ds, voi, index=0, tolerance=1):
    again = reread(ds)
    pydicom.dcmwrite(HERE / f"{name}.dcm", ds, enforce_file_format=True)
    (HERE / f"{name}.bin").write_bytes(shown(again, index).tobytes())
    expected[name] = dict(voi=voi, tolerance=tolerance)


def compress(ds, syntax, stream):
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    return ds


def main():
    g8, g12, g14 = smooth(0, 255), smooth(0, 4095), smooth(200, 16383)
    window = dict(WindowCenter=1800.5, WindowWidth=1500.25)
    for shape in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        save(shape.lower(), base(g12, 12, VOILUTFunction=shape, **window), "window")
    save("sigmoid_narrow", base(g12, 12, VOILUTFunction="SIGMOID", WindowCenter=2000,
                                WindowWidth=0.5), "window")
    save("window_second_is_normal",
         base(g12, 12, WindowCenter=[900, 1800.5], WindowWidth=[600, 1500],
              WindowCenterWidthExplanation=["HARDER", "NORMAL"]), "window", 1)
    curve = (np.sqrt(np.arange(4096) / 4095) * 1023).astype(int)
    save("table", base(g12, 12, VOILUTSequence=table((curve, 0, 10, "")), **window), "table")
    save("table_second_is_normal",
         base(g12, 12, VOILUTSequence=table((curve[::-1], 0, 10, "SOFTER"), (curve, 0, 10, "NORMAL"))),
         "table", 1)
    save("table_short_and_late", base(g12, 12, VOILUTSequence=table((np.arange(500) * 8, 1500, 12, ""))),
         "table")
    save("nothing_stated", base(g14, 14), "range")
    save("monochrome1", base(g14, 14, "MONOCHROME1", PresentationLUTShape="INVERSE"), "range")
    save("shape_inverse", base(g14, 14, PresentationLUTShape="INVERSE"), "range")
    save("rescaled", base(g12, 12, RescaleSlope=0.5, RescaleIntercept=-100, WindowCenter=700,
                          WindowWidth=900), "window")
    save("modality_table",
         base(g8, 8, dtype="u1", ModalityLUTSequence=table((np.arange(200) * 300, 30, 16, "")),
              WindowCenter=30000, WindowWidth=40000), "window")
    save("signed", base(g12 - 2000, 16, dtype="i2", WindowCenter=0, WindowWidth=3000), "window")
    save("signed12", base(g12 // 2 - 1000, 12, dtype="i2", WindowCenter=0, WindowWidth=1500), "window")
    save("signed_table",
         base(g12 // 2 - 1000, 12, dtype="i2", VOILUTSequence=table((np.arange(2000), -1000, 11, ""))),
         "table")
    padded = g12.copy()
    padded[:, 11:] = 4095
    save("padding", base(padded, 12, "MONOCHROME1", PixelPaddingValue=4095), "range")
    padded[:5, 11:] = 4000
    save("padding_range", base(padded, 12, PixelPaddingValue=4095, PixelPaddingRangeLimit=4000),
         "range")
    low = g12 - 2000
    low[:4] = -2000
    ds = base(low, 16, dtype="i2")
    ds.add_new("PixelPaddingValue", "SS", -2000)
    save("padding_signed", ds, "range")
    for name, syntax in (("implicit", IMPLICIT), ("big", BIG), ("deflated", DEFLATED)):
        save(name, base(g12, 12, syntax=syntax, **window), "window")
    ds = base(g12, 12, **window)
    ds.compress(RLE, generate_instance_uid=False)
    save("rle", ds, "window")
    stream = bytes(jpeg_ls.encode_array(g12.astype("u2")))
    save("jpeg_ls", compress(base(g12, 12, **window), LS, stream), "window")
    buffer = io.BytesIO()
    Image.fromarray(g12.astype("u2")).save(buffer, "JPEG2000", irreversible=False, no_jp2=True)
    save("jpeg2000", compress(base(g12, 16, **window), J2K_LOSSLESS, buffer.getvalue()), "window")
    write("expected.json", expected)


def write(name, rows):
    text = ",\n".join(f' "{k}": {json.dumps(v)}' for k, v in sorted(rows.items()))
    (HERE / name).write_text("{\n" + text + "\n}\n")


def real(folder):
    rows = {}
    for name in ("MG1_J2KI.dcm", "cbis_ddsm_crop.dcm"):
        image = shown(pydicom.dcmread(Path(folder) / name))
        rows[name] = dict(rows=image.shape[0], cols=image.shape[1], mean=float(image.mean()),
                          every=97, samples=image[::97, ::97].ravel().tolist())
    write("real.json", rows)


if __name__ == "__main__":
    main()
    if len(sys.argv) > 1:
        real(sys.argv[1])
