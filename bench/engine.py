"""PyTorch eager beside our engines on the shipped network: two threads, batch 8.

    pip install torch onnx
    cargo build --release && python bench/engine.py target/release/lobule models/ultrasound

Both sides are run in turn three times; the medians' ratio is printed.
"""

import json
import statistics
import subprocess
import sys
import time

import torch
from network import Network

lobule, package = sys.argv[1:3]
torch.set_num_threads(2)
net = Network(f"{package}/member-1.onnx").eval()
images = None
ours, torch_ms = {}, []
for _ in range(3):
    report = json.loads(subprocess.check_output(
        [lobule, "engine", "bench", package, "--threads", "2", "--batch", "8", "--json"]))
    shape = report["shape"]
    for row in report["engines"]:
        ours.setdefault(row["engine"], []).append(row["median_ms"])
    images = torch.randn(shape)
    with torch.inference_mode():
        for _ in range(3):
            net(images)
        times = []
        for _ in range(20):
            start = time.perf_counter()
            net(images)
            times.append(1e3 * (time.perf_counter() - start))
    torch_ms.append(statistics.median(times))
base = statistics.median(torch_ms)
print(f"input {shape}\nPyTorch {torch.__version__} eager  {base:.1f} ms")
for name, values in ours.items():
    value = statistics.median(values)
    print(f"{name:<12} {value:.1f} ms  {base / value:.2f} x PyTorch")
