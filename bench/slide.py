"""`lobule assess` on a slide beside openslide-python + numpy + PyTorch eager: tiles per second, memory.

    pip install openslide-python openslide-bin torch onnx numpy
    cargo build --release && cargo build --release -p lobule-slide --example read_tiles
    python bench/slide.py score target/release/lobule SLIDE TUMOR_PACKAGE [GRADE_PACKAGE]
    python bench/slide.py decode target/release/examples/read_tiles SLIDE
    python bench/slide.py memory target/release/lobule TUMOR_PACKAGE GRADE_PACKAGE [SIDE]
    python bench/slide.py packages FOLDER    # tumor/ and grade/ with random weights, for a bench without models

score: from the file to every tile's score, two threads (or THREADS), one run each. The peer reads the tiles that Lobule
took (openslide's read_region on two threads), normalizes their stains with numpy as Lobule does, and
runs the same graphs in PyTorch, two threads; finding tissue, blur and stains is left out for the peer and
not for Lobule. decode: every square of 512 pixels of level 0, two threads each. memory: a synthetic slide of
SIDE x SIDE pixels (100,000 by default): one level of JPEG tiles, few different ones repeated, so that
making it takes seconds while reading it is real. packages: networks in the shape of EfficientNet-Lite0, one
for tumor (every tile counts as tumor) and two for grade.
"""

import csv
import io
import os
import struct
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


THREADS = int(os.environ.get("THREADS", 2))


def measured(command):
    """Wall seconds, processor seconds and peak MiB of a process."""
    start = time.perf_counter()
    pid = os.spawnvp(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, command
    wall = time.perf_counter() - start
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def graph_in_torch(path):
    """The ONNX graph as a function of PyTorch's eager operations."""
    import onnx
    import torch
    import torch.nn.functional as F
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    fixed = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}

    def attributes(node):
        return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}

    def conv(a, x, w, b=None):
        top, left, bottom, right = a.get("pads", [0, 0, 0, 0])
        if a.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
            raise SystemExit("auto_pad is not known here")
        if (top, left) != (bottom, right):
            x, top, left = F.pad(x, (left, right, top, bottom)), 0, 0
        return F.conv2d(x, w, b, a.get("strides", [1, 1]), (top, left),
                        a.get("dilations", [1, 1]), a.get("group", 1))

    def mean(a, x, axes=None):
        axes = a.get("axes") or (axes.tolist() if axes is not None else list(range(x.dim())))
        return x.mean(tuple(axes), keepdim=bool(a.get("keepdims", 1)))

    def gemm(a, x, w, b=None):
        x = x.T if a.get("transA") else x
        w = w.T if a.get("transB") else w
        y = a.get("alpha", 1.0) * (x @ w)
        return y if b is None else y + a.get("beta", 1.0) * b

    cast = {1: torch.float32, 6: torch.int32, 7: torch.int64, 10: torch.float16}
    operations = {
        "Conv": conv, "Gemm": gemm, "ReduceMean": mean,
        "Relu": lambda a, x: F.relu(x), "Sigmoid": lambda a, x: torch.sigmoid(x),
        "HardSigmoid": lambda a, x: (a.get("alpha", 0.2) * x + a.get("beta", 0.5)).clamp(0, 1),
        "Tanh": lambda a, x: torch.tanh(x), "Exp": lambda a, x: torch.exp(x),
        "Clip": lambda a, x, lo=None, hi=None: torch.clamp(x, lo, hi),
        "Add": lambda a, x, y: x + y, "Sub": lambda a, x, y: x - y,
        "Mul": lambda a, x, y: x * y, "Div": lambda a, x, y: x / y,
        "MatMul": lambda a, x, y: x @ y,
        "Identity": lambda a, x: x, "Cast": lambda a, x: x.to(cast[a["to"]]),
        "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
        "GlobalMaxPool": lambda a, x: x.amax((2, 3), keepdim=True),
        "MaxPool": lambda a, x: F.max_pool2d(x, a["kernel_shape"], a["strides"], a["pads"][:2]),
        "AveragePool": lambda a, x: F.avg_pool2d(x, a["kernel_shape"], a["strides"]),
        "Flatten": lambda a, x: x.flatten(a.get("axis", 1)),
        "Reshape": lambda a, x, s: x.reshape(s.tolist()),
        "Squeeze": lambda a, x, s: x.squeeze(tuple(s.tolist())),
        "Unsqueeze": lambda a, x, s: x.unsqueeze(int(s)),
        "Concat": lambda a, *x: torch.cat(x, a["axis"]),
        "Softmax": lambda a, x: torch.softmax(x, a.get("axis", -1)),
        "Constant": lambda a: torch.from_numpy(numpy_helper.to_array(a["value"]).copy()),
    }
    steps = [(operations[n.op_type], attributes(n), list(n.input), n.output[0]) for n in graph.node]
    # What depends on no input (weights that are stored in 16 bits) is done once.
    names, given = dict(fixed), {i.name for i in graph.input} - set(fixed)
    later = []
    for step in steps:
        if all(name in names or not name for name in step[2]):
            names[step[3]] = step[0](step[1], *[names[n] if n else None for n in step[2]])
        else:
            later.append(step)
    (tiles,) = given

    def run(x):
        values = {**names, tiles: x}
        for operation, a, inputs, output in later:
            values[output] = operation(a, *[values[n] if n else None for n in inputs])
        return values[graph.output[0].name]

    return run


def stains_of(pixels):
    """Macenko's two stains and their 99th percentiles."""
    import numpy as np

    od = -np.log((pixels.reshape(-1, 3).astype(np.float64) + 1) / 240).clip(None, None)
    od = np.maximum(od, 0)
    od = od[od.mean(1) >= 0.15]
    _, vectors = np.linalg.eigh(np.cov(od.T))
    plane = vectors[:, [2, 1]]
    plane[:, 0] *= np.sign(plane[:, 0].sum())
    angles = np.arctan2(od @ plane[:, 1], od @ plane[:, 0])
    low, high = np.percentile(angles, [1, 99])
    pair = [plane @ np.array([np.cos(a), np.sin(a)]) for a in (low, high)]
    pair.sort(key=lambda v: -v[0])
    basis = np.array(pair).T
    amounts = np.linalg.lstsq(basis, od.T, rcond=None)[0]
    return basis, np.percentile(amounts, 99, axis=1)


REFERENCE = [[0.650, 0.0925], [0.704, 0.954], [0.286, 0.283]]


def normalized(tile, basis, most):
    import numpy as np

    od = np.maximum(-np.log((tile.reshape(-1, 3).astype(np.float32) + 1) / 240), 0)
    amounts = np.maximum(od @ np.linalg.pinv(basis).T.astype(np.float32), 0)
    amounts *= (np.array([1.9, 1.0]) / most).astype(np.float32)
    light = 240 * np.exp(-(amounts @ np.array(REFERENCE, np.float32).T))
    return light.round().clip(0, 255).astype(np.uint8).reshape(tile.shape)


def peer(slide, tumor, grade, tiles):
    import numpy as np
    import openslide
    import torch

    torch.set_num_threads(THREADS)
    rows = [r for r in csv.DictReader(open(tiles)) if r["verdict"] == "taken"]
    packages = [Path(p) for p in (tumor, grade) if p]
    manifests = [tomllib.loads((p / "manifest.toml").read_text()) for p in packages]
    nets = [[graph_in_torch(p / m["file"]) for m in manifest["members"]]
            for p, manifest in zip(packages, manifests)]
    prepare = manifests[0]["prepare"]
    side, mean, std = prepare["side"], *(np.float32(prepare[k]) for k in ("mean", "std"))
    threshold = manifests[0]["slide"]["threshold"]
    source = openslide.OpenSlide(slide)

    def read(row):
        left, top = round(float(row["left"])), round(float(row["top"]))
        width = round(float(row["right"])) - left
        tile = source.read_region((left, top), 0, (width, width)).convert("RGB")
        return np.asarray(tile if width == side else tile.resize((side, side), 2))

    start, tumor_tiles, worst = time.perf_counter(), 0, 0.0
    with torch.inference_mode(), ThreadPoolExecutor(THREADS) as pool:
        basis = None
        for first in range(0, len(rows), 8):
            batch = list(pool.map(read, rows[first:first + 8]))
            if prepare["stain"] == "macenko":
                if basis is None:
                    basis, most = stains_of(np.stack(batch)[:, ::3, ::3])
                batch = list(pool.map(lambda t: normalized(t, basis, most), batch))
            x = torch.from_numpy(((np.stack(batch) - mean) / std).transpose(0, 3, 1, 2).copy())
            p = torch.stack([net(x)[:, 1] for net in nets[0]]).mean(0)
            is_tumor = p >= threshold
            tumor_tiles += int(is_tumor.sum())
            given = torch.tensor([float(r["tumor_probability"]) for r in rows[first:first + 8]])
            worst = max(worst, float((given - p).abs().max()))
            if len(nets) > 1 and bool(is_tumor.any()):
                torch.stack([net(x[is_tumor])[:, 1] for net in nets[1]]).mean(0)
    seconds = time.perf_counter() - start
    print(f"peer {len(rows)} tiles, {tumor_tiles} tumor, {seconds:.2f} s, "
          f"largest difference of a tumor probability {worst:.3f}", flush=True)


def score(lobule, slide, tumor, grade=None):
    with tempfile.TemporaryDirectory() as root:
        results = {}
        for engine in ("onnxruntime", "rten"):
            out = Path(root) / engine
            command = [lobule, "assess", slide, "--out", str(out), "--model", tumor, "--engine", engine,
                       "--threads", str(THREADS), "--quiet"]
            command += ["--model", grade] if grade else []
            results[engine] = measured(command)
        (tiles,) = out.glob("slides/*/tiles.csv")
        n = sum(r["verdict"] == "taken" for r in csv.DictReader(open(tiles)))
        start_up = measured([sys.executable, __file__, "--imports"])
        command = [sys.executable, __file__, "--peer", slide, tumor, grade or "", str(tiles)]
        wall, cpu, peak = measured(command)
        wall, cpu = wall - start_up[0], cpu - start_up[1]
        print(f"peer         {n / wall:6.1f} tiles/s, {cpu / n:.3f} s of processor a tile, peak {peak:.0f} MiB")
        for engine, (ours, own, memory) in results.items():
            print(f"{engine:<12} {n / ours:6.1f} tiles/s ({wall / ours:.2f} x), {own / n:.3f} s of processor "
                  f"a tile ({cpu / own:.2f} x), peak {memory:.0f} MiB")


def decode(read_tiles, slide):
    import openslide

    runs = [measured([read_tiles, slide, str(THREADS)]) for _ in range(3)]
    ours, own = min(r[0] for r in runs), min(r[1] for r in runs)
    source, side = openslide.OpenSlide(slide), 512
    width, height = source.dimensions
    corners = [(x, y) for y in range(0, height, side) for x in range(0, width, side)]

    def read(corner):
        return source.read_region(corner, 0, (side, side)).convert("RGB").getpixel((0, 0))

    best = cpu = float("inf")
    for _ in range(3):
        start, used = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(read, corners))
        best, cpu = min(best, time.perf_counter() - start), min(cpu, time.process_time() - used)
        source.close()
        source = openslide.OpenSlide(slide)
    n = len(corners)
    print(f"openslide-python {n / best:7.1f} squares/s, {1000 * cpu / n:.2f} ms of processor each\n"
          f"lobule           {n / ours:7.1f} squares/s ({best / ours:.2f} x), {1000 * own / n:.2f} ms "
          f"of processor each ({cpu / own:.2f} x)")


def large_slide(path, side):
    """A BigTIFF of one level of JPEG tiles; a few tiles are stored once and pointed at many times."""
    import numpy as np
    from PIL import Image

    tile = 512
    rng = np.random.default_rng(1)

    def jpeg(colors):
        noise = rng.normal(0, 12, (tile, tile, 1)) + np.array(colors)
        spots = rng.random((tile // 8, tile // 8)).repeat(8, 0).repeat(8, 1) < 0.25
        noise[spots] -= (70, 60, 20)
        out = io.BytesIO()
        picture = Image.fromarray(noise.clip(0, 255).astype(np.uint8))
        picture.save(out, "JPEG", quality=80, subsampling=0)
        return out.getvalue()

    glass = io.BytesIO()
    Image.new("RGB", (tile, tile), (244, 243, 245)).save(glass, "JPEG", quality=80, subsampling=0)
    stored = [glass.getvalue()] + [jpeg((215, 150, 195)) for _ in range(16)]
    across = -(-side // tile)
    places, at = [], 16
    with open(path, "wb") as file:
        file.write(b"II" + struct.pack("<HHHQ", 43, 8, 0, 0))
        for data in stored:
            places.append((at, len(data)))
            file.write(data)
            at += len(data)
        middle = across / 2
        chosen = []
        for i in range(across * across):
            row, col = divmod(i, across)
            is_tissue = (row - middle) ** 2 + (col - middle) ** 2 < (0.42 * across) ** 2
            chosen.append(1 + (row * 7 + col * 3) % 16 if is_tissue else 0)
        offsets = at
        file.write(struct.pack(f"<{len(chosen)}Q", *(places[c][0] for c in chosen)))
        counts = offsets + 8 * len(chosen)
        file.write(struct.pack(f"<{len(chosen)}Q", *(places[c][1] for c in chosen)))
        directory = counts + 8 * len(chosen)
        n = len(chosen)
        # Pixels per centimetre: 0.25 µm.
        ratio = struct.unpack("<Q", struct.pack("<II", 40_000, 1))[0]
        bits = struct.unpack("<Q", struct.pack("<4H", 8, 8, 8, 0))[0]
        description = b"SYNTHETIC bench slide\0"
        text = directory + 8 + 20 * 15 + 8
        fields = [
            (256, 4, 1, side), (257, 4, 1, side), (258, 3, 3, bits), (259, 3, 1, 7), (262, 3, 1, 6),
            (270, 2, len(description), text), (277, 3, 1, 3), (282, 5, 1, ratio), (283, 5, 1, ratio),
            (284, 3, 1, 1), (296, 3, 1, 3), (322, 3, 1, tile), (323, 3, 1, tile),
            (324, 16, n, offsets), (325, 16, n, counts),
        ]
        file.write(struct.pack("<Q", len(fields)))
        for field in fields:
            file.write(struct.pack("<HHQQ", *field))
        file.write(struct.pack("<Q", 0) + description)
        file.seek(8)
        file.write(struct.pack("<Q", directory))


STAGES = [(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3),
          (6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)]


def random_network(path, seed):
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng, nodes, weights, count = np.random.default_rng(seed), [], [], 0

    def add(operation, inputs, **attributes):
        nonlocal count
        count += 1
        nodes.append(helper.make_node(operation, inputs, [f"v{count}"], **attributes))
        return f"v{count}"

    def fixed(value):
        weights.append(numpy_helper.from_array(np.asarray(value, np.float32), f"w{len(weights)}"))
        return weights[-1].name

    def conv(x, inner, out, kernel=1, stride=1, group=1, act=True):
        size = (out, inner // group, kernel, kernel)
        weight = rng.normal(0, (2 / (kernel * kernel * inner / group)) ** 0.5, size)
        x = add("Conv", [x, fixed(weight), fixed(np.zeros(out))], kernel_shape=[kernel] * 2,
                strides=[stride] * 2, pads=[kernel // 2] * 4, dilations=[1, 1], group=group)
        return add("Clip", [x, zero, six]) if act else x

    zero, six = fixed(0.0), fixed(6.0)
    x, channels = conv("tiles", 3, 32, 3, 2), 32
    for expansion, kernel, stride, out, blocks in STAGES:
        for i in range(blocks):
            y, wide, step = x, channels * expansion, stride if i == 0 else 1
            y = conv(y, channels, wide) if expansion > 1 else y
            y = conv(conv(y, wide, wide, kernel, step, wide), wide, out, act=False)
            x = add("Add", [x, y]) if step == 1 and channels == out else y
            channels = out
    x = add("Flatten", [add("GlobalAveragePool", [conv(x, channels, 1280)])], axis=1)
    x = add("Gemm", [x, fixed(rng.normal(0, 0.01, (1280, 2))), fixed([0.0, 0.0])])
    nodes.append(helper.make_node("Softmax", [x], ["probabilities"], axis=1))
    shape = ["n", 3, 224, 224]
    graph = helper.make_graph(
        nodes, "random", [helper.make_tensor_value_info("tiles", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def packages(folder):
    import hashlib

    rules = {
        "tumor": ('["other", "tumor"]', 1, 'task = "tumor"\nthreshold = 0.0\nchosen_by = "the bench"'),
        "grade": ('["grade_1", "grade_3"]', 2, 'task = "grade"\nquantile = 0.75\nleast_tiles = 1\n'
                  'default_risk = "two"\n\n[[slide.risks]]\nname = "two"\nlevels = ["low", "high"]\n'
                  'cutoffs = [0.5]\nchosen_by = "the bench"'),
    }
    for task, (classes, members, rule) in rules.items():
        place = Path(folder) / task
        place.mkdir(parents=True, exist_ok=True)
        listed = ""
        for i in range(1, members + 1):
            file = place / f"member-{i}.onnx"
            random_network(file, i + 10 * (task == "grade"))
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            listed += f'[[members]]\nfile = "{file.name}"\nsha256 = "{digest}"\nleft_out = ""\n\n'
        (place / "manifest.toml").write_text(f"""format = 1
name = "bench-{task}"
version = "1"
modality = "histology"
status = "demonstration"
classes = {classes}
research_use = "Random weights, for timing."
training_data = []

[prepare]
kind = "tile"
side = 224
mpp = 0.5
stain = "macenko"
mean = [128.0, 128.0, 128.0]
std = [64.0, 64.0, 64.0]

[wiring]
kind = "tile-classifier"
input = "tiles"
probabilities = "probabilities"

{listed}[slide]
{rule}
""")


def memory(lobule, tumor, grade, side=100_000):
    with tempfile.TemporaryDirectory() as root:
        slide = Path(root) / "synthetic-large.tif"
        start = time.perf_counter()
        large_slide(slide, int(side))
        made = time.perf_counter() - start
        wall, _, peak = measured([lobule, "assess", str(slide), "--out", f"{root}/out", "--model", tumor,
                               "--model", grade, "--threads", str(THREADS), "--quiet"])
        (tiles,) = Path(root).glob("out/slides/*/tiles.csv")
        n = sum(1 for _ in open(tiles)) - 1
        print(f"{side} x {side} pixels, {os.path.getsize(slide) / 2**20:.0f} MiB, made in {made:.1f} s: "
              f"{n} tiles of tissue in {wall:.0f} s, peak {peak:.0f} MiB")


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "--imports":
        import numpy  # noqa: F401
        import onnx  # noqa: F401
        import openslide  # noqa: F401
        import torch  # noqa: F401
    else:
        {"score": score, "decode": decode, "memory": memory, "packages": packages,
         "--peer": peer}[command](*arguments)
