"""Macenko's stain estimate and normalisation, and Reinhard's, in numpy, written from the papers.

    pip install numpy==2.4.6 pillow==13.0.0
    python make_golden.py

Three drawn tiles with planted stains; `expected.tsv` holds the estimate (haematoxylin, eosin, the
largest concentrations), `<name>_normalized.png` the tile brought to the reference stains. M. Macenko et
al., ISBI 2009:1107, doi 10.1109/ISBI.2009.5193250. `<name>_reinhard.png` is the tile with the reference's colors: E. Reinhard
et al., IEEE Comput Graph Appl 2001;21(5):34, doi 10.1109/38.946629.
"""

from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
WHITE, BETA, ALPHA = 240.0, 0.15, 1.0
REFERENCE = np.array([[0.650, 0.704, 0.286], [0.0925, 0.954, 0.283]]).T
REFERENCE_MOST = np.array([1.9, 1.0])
TILES = {  # haematoxylin, eosin, seed
    "plain": ([0.650, 0.704, 0.286], [0.0925, 0.954, 0.283], 1),
    "blue": ([0.75, 0.60, 0.28], [0.20, 0.90, 0.38], 2),
    "pale": ([0.58, 0.72, 0.38], [0.10, 0.85, 0.52], 3),
}


def drawn(hematoxylin, eosin, seed, side=80):
    rng = np.random.default_rng(seed)
    row, col = np.mgrid[:side, :side]
    amounts = np.zeros((side, side, 2))
    amounts[..., 1] = 0.5 + 0.35 * np.sin((row + col) / 6)
    for _ in range(30):
        y, x, radius = rng.uniform(0, side), rng.uniform(0, side), rng.uniform(2, 6)
        inside = np.hypot(row - y, col - x) < radius
        amounts[inside] = [rng.uniform(0.8, 1.8), rng.uniform(0, 0.3)]
    amounts[:8] = 0
    density = amounts @ np.array([hematoxylin, eosin])
    return np.clip(WHITE * np.exp(-density) + rng.normal(0, 2, density.shape), 0, 255).round().astype(np.uint8)


def estimate(pixels):
    density = -np.log((pixels.reshape(-1, 3).astype(float) + 1) / WHITE)
    kept = density[density.mean(1) >= BETA]
    vectors = np.linalg.eigh(np.cov(kept.T))[1][:, [2, 1]]
    if vectors[:, 0].sum() < 0:
        vectors[:, 0] *= -1
    on_plane = kept @ vectors
    angles = np.arctan2(on_plane[:, 1], on_plane[:, 0])
    low, high = np.percentile(angles, [ALPHA, 100 - ALPHA])
    ends = [vectors @ [np.cos(a), np.sin(a)] for a in (low, high)]
    stains = np.array(sorted(ends, key=lambda v: -v[0])).T
    most = np.percentile(np.linalg.lstsq(stains, kept.T, rcond=None)[0], 99, axis=1)
    return stains, most


def normalized(pixels, stains, most):
    density = np.maximum(-np.log((pixels.reshape(-1, 3).astype(float) + 1) / WHITE), 0)
    amounts = np.linalg.lstsq(stains, density.T, rcond=None)[0] * (REFERENCE_MOST / most)[:, None]
    out = WHITE * np.exp(-REFERENCE @ np.maximum(amounts, 0))
    return np.clip(out.T.reshape(pixels.shape), 0, 255).round().astype(np.uint8)


CONES = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
AXES = np.diag([1 / np.sqrt(3), 1 / np.sqrt(6), 1 / np.sqrt(2)]) @ [[1, 1, 1], [1, 1, -2], [1, -1, 0]]
COLOR_MEAN, COLOR_DEVIATION = np.array([3.73, -0.096, 0.029]), np.array([0.197, 0.0355, 0.0128])


def recolored(pixels):
    flat = pixels.reshape(-1, 3).astype(float) + 1
    stained = np.maximum(-np.log(flat / WHITE), 0).mean(1) >= BETA
    color = np.log10(flat @ CONES.T) @ AXES.T
    color = (color - color[stained].mean(0)) * (COLOR_DEVIATION / color[stained].std(0)) + COLOR_MEAN
    out = 10 ** (color @ np.linalg.inv(AXES).T) @ np.linalg.inv(CONES).T - 1
    return np.clip(out.reshape(pixels.shape), 0, 255).round().astype(np.uint8)


lines = []
for name, (hematoxylin, eosin, seed) in TILES.items():
    pixels = drawn(hematoxylin, eosin, seed)
    stains, most = estimate(pixels)
    Image.fromarray(pixels).save(HERE / f"{name}.png")
    Image.fromarray(normalized(pixels, stains, most)).save(HERE / f"{name}_normalized.png")
    Image.fromarray(recolored(pixels)).save(HERE / f"{name}_reinhard.png")
    lines.append("\t".join([name, *(f"{v:.12f}" for v in [*stains.T.ravel(), *most])]))
(HERE / "expected.tsv").write_text("\n".join(lines) + "\n")
