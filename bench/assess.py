"""`lobule assess` beside Pillow + PyTorch eager on a folder of PNG images: wall time and peak memory.

    pip install torch onnx pillow
    cargo build --release && python bench/assess.py target/release/lobule models/ultrasound IMAGES [200]

The peer only opens, scales and scores each image with every member of the package; Lobule also finds
the sonogram, paints over marks, outlines findings and writes its tables (`--no-heat-maps`). Each
side runs as a process of its own, three times in turn; start-up is measured on one image and taken off.
"""

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from process import measured


def peer(package, folder):
    import numpy as np
    import torch
    from network import Network
    from PIL import Image

    torch.set_num_threads(2)
    members = sorted(Path(package).glob("member-*.onnx"))
    nets = [Network(str(m)).eval() for m in members]
    side = int(next(l.split("=")[1] for l in open(f"{package}/manifest.toml") if l.startswith("rows")))
    files = sorted(Path(folder).iterdir())
    with torch.inference_mode():
        for start in range(0, len(files), 8):
            batch = []
            for file in files[start:start + 8]:
                picture = Image.open(file).convert("L").resize((side, side), Image.BILINEAR)
                batch.append((np.asarray(picture, dtype=np.float32) - 127.0) / 128.0)
            images = torch.from_numpy(np.stack(batch)[:, None])
            for net in nets:
                net(images)


def main():
    lobule, package, images = sys.argv[1:4]
    n = int(sys.argv[4]) if len(sys.argv) > 4 else 200
    with tempfile.TemporaryDirectory() as root:
        root = Path(root)
        for name, count in (("one", 1), ("many", n)):
            (root / name).mkdir()
            for file in sorted(Path(images).glob("*.png"))[:count]:
                shutil.copy(file, root / name)
        sides = {"PyTorch": lambda folder: [sys.executable, __file__, "--peer", package, folder]}
        for engine in ("onnxruntime", "rten"):
            sides[engine] = lambda folder, engine=engine: [
                lobule, "assess", folder, "--model", package, "--engine", engine,
                "--no-heat-maps", "--out", str(root / "out")]
        times, peaks = {}, {}
        for _ in range(3):
            for name, command in sides.items():
                shutil.rmtree(root / "out", ignore_errors=True)
                start_up, _ = measured(command(str(root / "one")))
                shutil.rmtree(root / "out", ignore_errors=True)
                wall, peak = measured(command(str(root / "many")))
                times.setdefault(name, []).append(wall - start_up)
                peaks.setdefault(name, []).append(peak)
        base, memory = (statistics.median(of["PyTorch"]) for of in (times, peaks))
        for name in sides:
            wall, peak = statistics.median(times[name]), statistics.median(peaks[name])
            print(f"{name:<12} {wall:6.2f} s for {n} images ({base / wall:.2f} x), "
                  f"peak {peak:5.0f} MiB ({peak / memory:.2f} of PyTorch's)")


if __name__ == "__main__":
    if sys.argv[1] == "--peer":
        peer(*sys.argv[2:4])
    else:
        main()
