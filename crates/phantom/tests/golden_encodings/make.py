"""Compresses the SYNTHETIC exam in base/ with other programs, one folder per encoding.

    pip install pydicom==3.0.2 numpy pillow pylibjpeg pylibjpeg-openjpeg pyjpegls
    python make.py

base/ is `deflated` of what the test `the_exam_for_other_programs` writes (LOBULE_KEEP_EXAM=FOLDER). JPEG lossless is
encoded below, after ITU-T T.81 annex H, and read back by pylibjpeg-libjpeg before it is kept.
Not made, for want of an encoder: High-Throughput JPEG 2000. Not read: 12-bit JPEG Extended.
"""

import heapq
import io
import struct
import sys
from pathlib import Path

import jpeg_ls
import numpy as np
import pydicom
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import UID

HERE = Path(__file__).parent


def code_lengths(counts):
    """Huffman's lengths, with a symbol of no use so that no code is all ones."""
    heap = [(n, i, [i]) for i, n in enumerate(counts) if n] + [(0, len(counts), [len(counts)])]
    heapq.heapify(heap)
    lengths = dict.fromkeys(range(len(counts) + 1), 0)
    while len(heap) > 1:
        (n, i, a), (m, _, b) = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in a + b:
            lengths[symbol] += 1
        heapq.heappush(heap, (n + m, i, a + b))
    del lengths[len(counts)]
    assert max(lengths.values()) <= 16
    return sorted((length, symbol) for symbol, length in lengths.items() if length)


def lossless_jpeg(pixels, precision, predictor):
    """One component, one scan, no point transform."""
    x = pixels.astype(np.int64)
    left, above, corner = (np.zeros_like(x) for _ in range(3))
    left[:, 1:], above[1:], corner[1:, 1:] = x[:, :-1], x[:-1], x[:-1, :-1]
    guess = {1: left, 4: left + above - corner, 7: (left + above) >> 1}[predictor].copy()
    guess[0, 1:], guess[1:, 0], guess[0, 0] = x[0, :-1], x[:-1, 0], 1 << (precision - 1)
    difference = (x - guess).ravel()
    category = np.array([int(abs(d)).bit_length() for d in difference])
    table = code_lengths(np.bincount(category, minlength=17))
    codes, code, before = {}, 0, table[0][0]
    for length, symbol in table:
        code <<= length - before
        codes[symbol] = format(code, f"0{length}b")
        code, before = code + 1, length
    bits = []
    for d, c in zip(difference, category):
        bits.append(codes[c])
        if 0 < c < 16:
            bits.append(format(d if d > 0 else d + (1 << c) - 1, f"0{c}b"))
    bits = "".join(bits)
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    counts = bytes(sum(length == i for length, _ in table) for i in range(1, 17))
    huffman = b"\0" + counts + bytes(symbol for _, symbol in table)
    frame = struct.pack(">BHHB", precision, *pixels.shape, 1) + b"\1\x11\0"
    segment = lambda marker, body: marker + struct.pack(">H", len(body) + 2) + body
    return (b"\xff\xd8" + segment(b"\xff\xc3", frame) + segment(b"\xff\xc4", huffman)
            + segment(b"\xff\xda", bytes([1, 1, 0, predictor, 0, 0])) + data + b"\xff\xd9")


def put_frame(ds, syntax, stream, lossy=None):
    ds.PixelData = encapsulate([stream + b"\0" * (len(stream) % 2)])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    if lossy:
        ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", lossy
        ds.LossyImageCompressionRatio = "8"
    return ds


def rle(ds):
    ds.compress("1.2.840.10008.1.2.5", generate_instance_uid=False, encoding_plugin="pydicom")
    return ds


def jpeg_2000(ds):
    ds.compress("1.2.840.10008.1.2.4.90", generate_instance_uid=False)
    return ds


def jpeg_2000_lossy(ds):
    ds.compress("1.2.840.10008.1.2.4.91", generate_instance_uid=False, j2k_cr=[6])
    ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", "ISO_15444_1"
    ds.LossyImageCompressionRatio = "6"
    return ds


def jpeg_baseline(ds):
    eight = np.round(ds.pixel_array / 4095 * 255).astype("u1")
    buffer = io.BytesIO()
    Image.fromarray(eight).save(buffer, "JPEG", quality=95)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
    ds.WindowCenter, ds.WindowWidth = 128, 256
    return put_frame(ds, "1.2.840.10008.1.2.4.50", buffer.getvalue(), "ISO_10918_1")


def main():
    encoders = {
        "rle": rle,
        "jpeg_lossless": lambda ds: put_frame(
            ds, "1.2.840.10008.1.2.4.57", lossless_jpeg(ds.pixel_array, 12, 7)),
        "jpeg_lossless_sv1": lambda ds: put_frame(
            ds, "1.2.840.10008.1.2.4.70", lossless_jpeg(ds.pixel_array, 12, 1)),
        "jpeg_ls": lambda ds: put_frame(
            ds, "1.2.840.10008.1.2.4.80", bytes(jpeg_ls.encode_array(ds.pixel_array))),
        "jpeg_ls_near": lambda ds: put_frame(
            ds, "1.2.840.10008.1.2.4.81", bytes(jpeg_ls.encode_array(ds.pixel_array, lossy_error=2)),
            "ISO_14495_1"),
        "jpeg_2000": jpeg_2000,
        "jpeg_2000_lossy": jpeg_2000_lossy,
        "jpeg_baseline": jpeg_baseline,
    }
    for name, encode in encoders.items():
        (HERE / name).mkdir(exist_ok=True)
        for file in sorted((HERE / "base").glob("*.dcm")):
            plain = pydicom.dcmread(file).pixel_array.astype(int)
            out = HERE / name / file.name
            pydicom.dcmwrite(out, encode(pydicom.dcmread(file)), enforce_file_format=True)
            again = pydicom.dcmread(out).pixel_array.astype(int)
            if name == "jpeg_baseline":
                again = again * 4095 / 255
            print(name, file.name, out.stat().st_size, "differs by", np.abs(again - plain).max())


if __name__ == "__main__":
    sys.exit(main())
