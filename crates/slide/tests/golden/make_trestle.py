"""A slide of another maker, as Trestle's scanners wrote them: `other_makers.rs` knows its pixels.

pip install numpy tifffile imagecodecs
"""
from pathlib import Path

import numpy as np
import tifffile

rows, cols = np.mgrid[:96, :160]
picture = np.stack([rows * 2 % 256, cols * 3 % 256, (rows + cols) % 256], -1).astype(np.uint8)
with tifffile.TiffWriter(Path(__file__).with_name("trestle.tif")) as out:
    for step in (1, 2):
        # Trestle's resolution is microns per pixel.
        out.write(picture[::step, ::step], tile=(32, 32), photometric="rgb", metadata=None, compression="deflate",
                  software="MedScan 1.0", description="Objective Power=20;", resolution=(0.5, 0.5))
