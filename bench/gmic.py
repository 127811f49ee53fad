"""The mammography network GMIC beside PyTorch eager, and `lobule assess` on four mammograms.

    pip install torch numpy
    cargo build --release --features lobule-cli/train
    python bench/gmic.py target/release/lobule FOLDER_OF_FOUR_PNG_FILES

The peer is written out from the paper's table (`crates/model/tests/it/golden/gmic.py`); weights are made
up by the same rule, imported by `lobule model import gmic`. One view of 2944 x 1920, two threads, sides
in turn. The four files are named *L-CC.png, *L-MLO.png, *R-CC.png and *R-MLO.png.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from process import measured

sys.path.insert(0, str(Path(__file__).parents[1] / "crates/model/tests/it/golden"))
import gmic  # noqa: E402

ROUNDS, TURNS = 3, 3
SIDE, CELLS, N_ROIS = 256, 4, 6


def retrieve(maps):
    """Corners (row, col) of the windows of largest saliency; maps [2, 46, 30]."""
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    total = ((maps - low) / (high - low)).sum(0)
    corners = []
    for _ in range(N_ROIS):
        mass = torch.nn.functional.avg_pool2d(total[None, None], CELLS, 1)[0, 0]
        row, col = divmod(int(mass.argmax()), mass.shape[1])
        total[row : row + CELLS, col : col + CELLS] = 0
        corners.append((row * 64, col * 64))
    return corners


def whole(w, x):
    features, maps = gmic.see(w, x)
    corners = retrieve(maps[0].clone())
    windows = torch.stack([x[0, :, r : r + SIDE, c : c + SIDE] for r, c in corners])
    return gmic.judge(w, features[0], windows)


def milliseconds(run):
    times = []
    for turn in range(ROUNDS + 1):
        start = time.perf_counter()
        run()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times[1:])


def exam(images, folder):
    rows = ["exam,breast,file,view"]
    for file in sorted(Path(images).glob("*.png")):
        side, view = file.stem.rsplit("_", 1)[-1].split("-")
        rows.append(f"exam,{side},{file},{view}")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder / "manifest.csv"


def main():
    lobule, images = sys.argv[1:3]
    torch.set_num_threads(2)
    described = gmic.tensors()
    w = {name: gmic.numbers(k, shape, rule) for k, (name, shape, rule) in enumerate(described)}
    with tempfile.TemporaryDirectory() as root:
        root = Path(root)
        torch.save(w, root / "model.pt")
        package = str(root / "package")
        subprocess.check_call([lobule, "model", "import", "gmic", str(root / "model.pt"), "--out", package])
        x = torch.randn(1, 1, 2944, 1920)
        times = {}
        for _ in range(TURNS):
            times.setdefault(("PyTorch", "global"), []).append(milliseconds(lambda: gmic.see(w, x)))
            times.setdefault(("PyTorch", "whole"), []).append(milliseconds(lambda: whole(w, x)))
            report = json.loads(subprocess.check_output(
                [lobule, "engine", "bench", package, "--threads", "2", "--rounds", str(ROUNDS), "--json"]))
            both = [report, *report["further_graphs"]]
            for engine in (row["engine"] for row in report["engines"]):
                graph_ms = [next(r["median_ms"] for r in g["engines"] if r["engine"] == engine) for g in both]
                times.setdefault((engine, "global"), []).append(graph_ms[0])
                times.setdefault((engine, "whole"), []).append(sum(graph_ms))
        for (who, part), values in times.items():
            value = statistics.median(values)
            base = statistics.median(times["PyTorch", part])
            print(f"{who:<12} {part:<7} {value:7.0f} ms  {base / value:.2f} x PyTorch")
        manifest = str(exam(images, root))
        for engine in {who for who, _ in times} - {"PyTorch"}:
            runs = [measured([lobule, "assess", manifest, "--model", package, "--engine", engine, "--quiet",
                              "--out", str(root / f"{engine}-{turn}")]) for turn in range(TURNS)]
            wall, peak = (statistics.median(of) for of in zip(*runs))
            print(f"{engine:<12} four views from files to results {wall:.2f} s, peak {peak:.0f} MiB")


with torch.inference_mode():
    main()
