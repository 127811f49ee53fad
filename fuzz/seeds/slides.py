"""Slides: what directories of TIFF files can claim. Tiles of 16 x 16 pixels."""

import struct
import zlib

from .common import keep
from .pictures import jpeg, tiff, tiff_gray

PLAIN = bytes(i % 251 for i in range(16 * 16 * 3))
PACKED = zlib.compress(PLAIN, 9)


def tiled(pixels=PLAIN, compression=1, rows=16, cols=16, side=(16, 16), offsets=(8,), lengths=None,
          photometric=2, extra=(), samples=3, bits=(8, 8, 8), **more):
    lengths = lengths or [len(pixels)] * len(offsets)
    entries = [(256, 4, [cols]), (257, 4, [rows]), (258, 3, bits), (259, 3, [compression]),
               (262, 3, [photometric]), (277, 3, [samples]), (322, 4, [side[1]]), (323, 4, [side[0]]),
               (324, 4, offsets), (325, 4, lengths)]
    entries = sorted([*entries, *extra], key=lambda e: e[0] if isinstance(e, tuple) else 0)
    return tiff(entries, pixels, **more)


def with_text(words, **more):
    data = words.encode() + b"\0"
    return tiled(extra=[(270, 1, list(data))], **more)


def big(count=0, at=16):
    return b"II+\0\x08\0\0\0" + struct.pack("<QQ", at, count)


OME = ('<OME><Image><Pixels SizeC="3" PhysicalSizeX="%s" PhysicalSizeY="%s" PhysicalSizeXUnit="%s"/></Image></OME>')
SLIDES = {
    "valid_plain.tif": tiled(),
    "valid_deflate.tif": tiled(PACKED, 8),
    "valid_no_scale.svs": with_text("Aperio|MPP = 0|AppMag = -3"),
    "valid_nan.svs": with_text("Aperio|MPP = NaN|AppMag = inf"),
    "valid_ome.tif": with_text(OME % ("0", "1e400", "parsec")),
    "broken_xml.tif": with_text("<OME><Image>"),
    "deep_xml.tif": with_text("<OME>" * 2000),
    "entities.tif": with_text('<!DOCTYPE o [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><OME>&b;</OME>'),
    "channels.tif": with_text(OME.replace('"3"', '"40"') % ("1", "1", "nm")),
    "cycle.tif": tiled(following=8 + len(PLAIN)),
    "own_child.tif": tiled(extra=[(330, 4, [8 + len(PLAIN)])]),
    "many_children.tif": tiled(extra=[struct.pack("<HHII", 330, 4, 2**31, 8)]),
    "far_directory.tif": tiled(following=2**32 - 2),
    "past_the_end.tif": tiled(offsets=[2**32 - 8]),
    "long_tile.tif": tiled(lengths=[2**32 - 1]),
    "absent.tif": tiled(lengths=[0]),
    "four_gigabytes.tif": tiled(side=(2**16, 2**16)),
    "no_tile_size.tif": tiled(side=(0, 16)),
    "many_tiles.tif": tiled(rows=2**26, cols=2**26, side=(1, 1)),
    "short_table.tif": tiled(rows=64, cols=64),
    "huge.tif": tiled(rows=2**32 - 1, cols=2**32 - 1),
    "no_samples.tif": tiled(samples=0),
    "many_samples.tif": tiled(samples=65535),
    "apart.tif": tiled(extra=[(284, 3, [2])]),
    "apart_jpeg.tif": tiled(jpeg, 7, extra=[(284, 3, [2])]),
    "too_much.tif": tiled(zlib.compress(bytes(4 << 20), 9), 8),
    "too_little.tif": tiled(zlib.compress(bytes(4), 9), 8),
    "claims_lzw.tif": tiled(b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01" * 4, 5),
    "other_size.tif": tiled(jpeg, 7, photometric=6),
    "cut_jpeg.tif": tiled(jpeg[:200], 7, photometric=6, rows=14, cols=20, side=(14, 20)),
    "valid_jpeg.tif": tiled(jpeg, 7, photometric=6, rows=14, cols=20, side=(14, 20)),
    "bad_tables.tif": tiled(jpeg, 7, photometric=6, rows=14, cols=20, side=(14, 20), extra=[(347, 1, list(jpeg[:-2]))]),
    "claims_j2k.tif": tiled(b"\xff\x4f\xff\x51\0\x2f" + bytes(60), 33005),
    "valid_difference.tif": tiled(extra=[(317, 3, [2])]),
    "odd_predictor.tif": tiled(extra=[(317, 3, [3])]),
    "long_text.tif": tiled(extra=[struct.pack("<HHII", 270, 2, 2**32 - 1, 8)]),
    "no_resolution.tif": tiled(extra=[struct.pack("<HHII", 282, 5, 1, 0), struct.pack("<HHII", 283, 5, 1, 0)]),
    "valid_strip.tif": tiff_gray(),
    "strip_beyond_end.tif": tiff_gray(offset=2**32 - 8),
    "claims_entries.tif": tiff_gray(count=65535),
    "big_entries.tif": big(2**60),
    "big_far.tif": big(at=2**63),
    "big_empty.tif": big() + bytes(8),
    "small_offsets.tif": b"II+\0\x04\0\0\0" + bytes(16),
}
for name, data in SLIDES.items():
    keep("slide", name, data)

# Slides that reach the networks: 512 x 512 pixels of pink tissue with dense nuclei, in four tiles of the same bytes.
SIDE, PERIOD, RADIUS = 256, 16, 6


def tissue(row, col):
    is_nucleus = (row % PERIOD - PERIOD / 2) ** 2 + (col % PERIOD - PERIOD / 2) ** 2 < RADIUS ** 2
    shade = (row * 7 + col * 3) % 16
    return (90 + shade, 60, 140) if is_nucleus else (230, 170 + shade, 200)


STAINED = zlib.compress(bytes(v for row in range(SIDE) for col in range(SIDE) for v in tissue(row, col)), 9)
BLANK = zlib.compress(bytes([244]) * (SIDE * SIDE * 3), 9)
DARK = zlib.compress(bytes(SIDE * SIDE * 3), 9)


def four(pixels=STAINED, offsets=(8,) * 4, **more):
    more = {"lengths": [len(pixels)] * 4, **more}
    return tiled(pixels, 8, 2 * SIDE, 2 * SIDE, (SIDE, SIDE), offsets, **more)


ASSESSED = {
    "valid_tissue.tif": four(),
    "valid_lost_tile.tif": four(offsets=(8, 8, 8, 2**31)),
    "valid_cut_tile.tif": four(lengths=[len(STAINED)] * 3 + [len(STAINED) // 2]),
    "valid_blank.tif": four(BLANK),
    "valid_dark.tif": four(DARK),
    "stated_scale.svs": four(extra=[(270, 1, list(b"Aperio|MPP = 0.0001\0"))]),
}
for name, data in ASSESSED.items():
    keep("assess_slide", name, data)
