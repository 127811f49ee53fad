"""Makes small slides in every encoding that is read, and what independent readers make of them.

    pip install numpy==2.4.6 pillow==13.0.0 tifffile==2026.3.3 imagecodecs==2026.3.6 openslide-bin==4.0.1.2
    pip install openslide-python==1.4.7 pyvips-binary==8.18.7 pyvips==3.2.0
    python make_golden.py [WSI_FIXTURES]

The field is drawn, no tissue of anyone. Each level of each slide is read whole by OpenSlide where it
knows the format, by tifffile and imagecodecs otherwise; `expected.tsv` says which. Of real slides,
whose folder may be given, `real.tsv` keeps the mean and 64 pixels of a few parts; they are compared
where the slides are at hand.
"""

import hashlib
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import openslide
import pyvips
import tifffile
from PIL import Image

HERE = Path(__file__).parent
ROWS, COLS, SIDE = 100, 140, 64
APERIO = "Aperio Image Library v11.2.1 \r\n140x100 (64x64) JPEG/RGB Q=80|AppMag = 20|MPP = 0.4990"
LINES = []


def kept(pixels):
    """The name of a PNG of these pixels; equal pixels share one."""
    name = hashlib.sha256(pixels.tobytes() + str(pixels.shape).encode()).hexdigest()[:12] + ".png"
    (HERE / "expected").mkdir(exist_ok=True)
    Image.fromarray(pixels).save(HERE / "expected" / name, optimize=True)
    return name


def expect(file, level, box, pixels, reader):
    LINES.append("\t".join(map(str, [file, level, *box, kept(pixels), reader])))


def by_openslide(path, level, box=None):
    slide = openslide.OpenSlide(path)
    cols, rows = slide.level_dimensions[level]
    box = box or (0, 0, rows, cols)
    # The corner is asked for in pixels of level 0.
    step = round(slide.level_downsamples[level])
    corner = (box[1] * step, box[0] * step)
    region = slide.read_region(corner, level, (box[3], box[2]))
    return box, np.asarray(region)[..., :3].copy()


def all_levels(path):
    for level in range(openslide.OpenSlide(path).level_count):
        box, pixels = by_openslide(path, level)
        expect(path.name, level, box, pixels, "openslide")


def by_tifffile(path, pages):
    with tifffile.TiffFile(path) as file:
        for level, page in enumerate(pages(file)):
            pixels = page.asarray()
            if pixels.ndim == 3 and pixels.shape[0] == 3:
                pixels = np.moveaxis(pixels, 0, 2)
            if pixels.dtype == np.uint16:
                pixels = (pixels >> 8).astype(np.uint8)
            if pixels.ndim == 2:
                pixels = np.repeat(pixels[..., None], 3, 2)
            pixels = np.ascontiguousarray(pixels)
            expect(path.name, level, (0, 0, *pixels.shape[:2]), pixels, "tifffile")


def vips(field, name, description=None, **options):
    image = pyvips.Image.new_from_array(field).copy(interpretation="srgb", xres=2000, yres=2000)
    if description:
        image.set_type(pyvips.GValue.gstr_type, "image-description", description)
    path = HERE / name
    image.tiffsave(str(path), tile=True, tile_width=SIDE, tile_height=SIDE, **options)
    return path


def tiff(name, *pages):
    path = HERE / name
    with tifffile.TiffWriter(path) as out:
        for pixels, options in pages:
            out.write(pixels, metadata=None, software=False, **options)
    return path


def ycc_tiles(pixels):
    """Tiles of luminance and colour differences, coded as they are."""
    ycc = np.asarray(Image.fromarray(pixels).convert("YCbCr"))
    rows, cols = (-(-n // SIDE) * SIDE for n in pixels.shape[:2])
    whole = np.zeros((rows, cols, 3), np.uint8)
    whole[:pixels.shape[0], :pixels.shape[1]] = ycc
    for row in range(0, rows, SIDE):
        for col in range(0, cols, SIDE):
            tile = np.ascontiguousarray(whole[row:row + SIDE, col:col + SIDE])
            yield imagecodecs.jpeg2k_encode(tile, codecformat="j2k", mct=False, reversible=True)


def drawn():
    """Something like stained tissue: pink fibres, violet nuclei, a grain."""
    rng = np.random.default_rng(7)
    row, col = np.mgrid[:ROWS, :COLS]
    fibre = np.sin((row + 0.4 * col) / 5 + 2 * np.sin(col / 17))[..., None]
    field = np.array([222, 160, 196]) + fibre * np.array([12, 26, 14])
    for _ in range(45):
        y, x, radius = rng.uniform(0, ROWS), rng.uniform(0, COLS), rng.uniform(2, 5)
        inside = np.clip(radius - np.hypot(row - y, col - x), 0, 1)[..., None]
        field = field * (1 - inside) + np.array([92, 58, 136]) * inside
    return np.clip(field + rng.normal(0, 3, field.shape), 0, 255).round().astype(np.uint8)


def main():
    field = drawn()
    half = np.ascontiguousarray(field.reshape(ROWS // 2, 2, COLS // 2, 2, 3).mean((1, 3)).round().astype(np.uint8))
    pyramid = dict(pyramid=True, depth="onetile")

    all_levels(vips(field, "jpeg_ycc.tif", compression="jpeg", Q=80, **pyramid))
    all_levels(vips(field, "jpeg_ycc_full.tif", compression="jpeg", Q=90))
    all_levels(vips(field, "jpeg_aperio.svs", APERIO, compression="jpeg", Q=80, rgbjpeg=True, **pyramid))
    all_levels(vips(field, "deflate.tif", compression="deflate", predictor="horizontal", **pyramid))
    all_levels(vips(field, "lzw.tif", compression="lzw", predictor="horizontal"))
    all_levels(vips(field, "big.tif", compression="deflate", bigtiff=True, **pyramid))
    by_tifffile(vips(field, "sub_directories.tif", compression="deflate", subifd=True, **pyramid),
                lambda file: [file.pages[0], *file.pages[0].pages])
    tiles = dict(tile=(SIDE, SIDE))
    label = (half[:40, :30], dict(description="Aperio Image Library\nlabel 30x40", rowsperstrip=8, subfiletype=1))
    macro = (half[:40, :60], dict(description="Aperio Image Library\nmacro 60x40", rowsperstrip=8, subfiletype=9))
    thumbnail = (half[::2, ::2], dict(description="Aperio Image Library\n", rowsperstrip=8))
    for name, compression in [("j2k_rgb.svs", "aperio_jp2000_rgb"), ("j2k_ycc.svs", "aperio_jp2000_ycbc")]:
        levels = []
        for pixels in (field, half):
            level = dict(tiles, compression=compression, photometric="rgb", description=APERIO)
            if compression == "aperio_jp2000_ycbc":
                level |= dict(shape=pixels.shape, dtype=np.uint8)
                pixels = ycc_tiles(pixels)
            levels.append((pixels, level))
        all_levels(tiff(name, levels[0], thumbnail, levels[1], label, macro))
    pages = lambda file: file.pages
    by_tifffile(tiff("strips_lzw.tif", (field, dict(compression="lzw", predictor=True, rowsperstrip=16))), pages)
    by_tifffile(tiff("strips_plain.tif", (field, dict(rowsperstrip=37))), pages)
    by_tifffile(tiff("gray16.tif", (field[..., 0].astype(np.uint16) * 257,
                                    dict(tiles, compression="deflate", predictor=True))), pages)
    path = HERE / "ome.ome.tif"
    planar = np.ascontiguousarray(np.moveaxis(field, 2, 0))
    with tifffile.TiffWriter(path, ome=True) as out:
        meta = dict(axes="CYX", PhysicalSizeX=0.5, PhysicalSizeXUnit="µm", PhysicalSizeY=0.5, PhysicalSizeYUnit="µm")
        out.write(planar, subifds=1, metadata=meta, photometric="rgb", planarconfig="separate",
                  compression="deflate", tile=(SIDE, SIDE))
        out.write(np.ascontiguousarray(np.moveaxis(half, 2, 0)), subfiletype=1, photometric="rgb",
                  planarconfig="separate", compression="deflate", tile=(SIDE, SIDE))
    by_tifffile(path, lambda file: [file.pages[0], *file.pages[0].pages])
    big_endian = HERE / "big_endian.tif"
    with tifffile.TiffWriter(big_endian, byteorder=">") as out:
        out.write(field[..., 0].astype(np.uint16) * 257, tile=(SIDE, SIDE), metadata=None, software=False)
    by_tifffile(big_endian, pages)

    (HERE / "expected.tsv").write_text("\n".join(LINES) + "\n")
    if len(sys.argv) > 1:
        real(Path(sys.argv[1]))


def real(folder):
    lines = []

    def sample(name, level, box, pixels, reader):
        lattice = pixels[4:64:8, 4:64:8].reshape(-1).tobytes().hex()
        means = [f"{mean:.3f}" for mean in pixels.mean((0, 1))]
        lines.append("\t".join(map(str, [name, level, *box, lattice, reader, *means])))

    for name, level, box in [("CMU-1-Small-Region.svs", 0, (1152, 1536, 96, 96)),
                             ("CMU-1-Small-Region.svs", 0, (2900, 2100, 67, 100)),
                             ("tcga-cr-7395-01a-01-ts1.svs", 0, (1000, 2000, 96, 96)),
                             ("pathml_small_HE_levels.tiff", 0, (0, 0, 250, 300)),
                             ("pathml_small_HE_levels.tiff", 1, (0, 0, 125, 150))]:
        sample(name, level, *by_openslide(folder / name, level, box), "openslide")
    # OpenSlide takes this level for 2.0005 times smaller and interpolates; its pixels by themselves:
    row, col, rows, cols = box = (1700, 2150, 83, 71)
    name = "tcga-cr-7395-01a-01-ts1.svs"
    with tifffile.TiffFile(folder / name) as file:
        sample(name, 1, box, file.pages[2].asarray()[row:row + rows, col:col + cols], "tifffile")
    (HERE / "real.tsv").write_text("\n".join(lines) + "\n")


main()
