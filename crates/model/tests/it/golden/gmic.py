"""Golden values of the GMIC network on a small picture, from PyTorch.

    pip install torch numpy
    python gmic.py                    # writes gmic.json
    python gmic.py --checkpoint FOLDER  # writes zip.pt and legacy.pt for LOBULE_GMIC

The network is written out here from the paper (Shen et al., Med Image Anal 2021;68:101908), with
PyTorch's own operations; nothing is shared with the Rust code. Names are those of the published
checkpoints. Weights come from a formula, so that none have to be kept.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

ROWS, COLS, SIDE, N_ROIS, SHARE = 256, 192, 64, 3, 0.25


def uniform(k, n):
    """n numbers in [0, 1)."""
    z = (np.uint64(k << 32) | np.arange(n, dtype=np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def tensors():
    """(name, shape, rule) in the order of the index k of their numbers."""
    found = []

    def conv(name, *shape):
        found.append((name + ".weight", shape, "kaiming"))

    def norm(name, channels):
        rules = {"weight": "positive", "bias": "small"}
        rules |= {"running_mean": "small", "running_var": "positive"}
        found.extend((f"{name}.{part}", (channels,), rule) for part, rule in rules.items())

    conv("ds_net.first_conv", 16, 1, 7, 7)
    channels = 16
    for stage, out in enumerate([16, 32, 64, 128, 256]):
        for block in range(2):
            path = f"ds_net.layer_list.{stage}.{block}"
            norm(path + ".bn1", channels)
            conv(path + ".conv1", out, channels, 3, 3)
            norm(path + ".bn2", out)
            conv(path + ".conv2", out, out, 3, 3)
            if block == 0:
                conv(path + ".downsample.0", out, channels, 1, 1)
            channels = out
    norm("ds_net.final_bn", 256)
    conv("left_postprocess_net.gn_conv_last", 2, 256, 1, 1)
    conv("dn_resnet.conv1", 64, 3, 7, 7)
    norm("dn_resnet.bn1", 64)
    channels = 64
    for layer, out in enumerate([64, 128, 256, 512], 1):
        for block in range(2):
            path = f"dn_resnet.layer{layer}.{block}"
            conv(path + ".conv1", out, channels, 3, 3)
            norm(path + ".bn1", out)
            conv(path + ".conv2", out, out, 3, 3)
            norm(path + ".bn2", out)
            if channels != out:
                conv(path + ".downsample.0", out, channels, 1, 1)
                norm(path + ".downsample.1", out)
            channels = out
    conv("mil_attn_V", 128, 512)
    conv("mil_attn_U", 128, 512)
    conv("mil_attn_w", 1, 128)
    conv("classifier_linear", 2, 512)
    conv("fusion_dnn", 2, 768)
    found.append(("fusion_dnn.bias", (2,), "small"))
    return found


def numbers(k, shape, rule):
    u = uniform(k, math.prod(shape))
    if rule == "kaiming":
        values = (u - 0.5) * 2 * math.sqrt(6 / math.prod(shape[1:])) * 0.72
    elif rule == "positive":
        values = 0.5 + u
    else:
        values = (u - 0.5) * 0.1
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def picture():
    r, c = np.mgrid[0:ROWS, 0:COLS]
    bump = np.exp(-(((r - 100) / 40) ** 2) - ((c - 80) / 30) ** 2)
    values = uniform(1000, ROWS * COLS).reshape(ROWS, COLS) + bump
    return torch.from_numpy(values.astype(np.float32))


def norm(w, name, x):
    part = lambda p: w[f"{name}.{p}"]
    return F.batch_norm(
        x, part("running_mean"), part("running_var"), part("weight"), part("bias"), False, 0.0, 1e-5
    )


def conv(w, name, x, stride=1):
    weight = w[name + ".weight"]
    return F.conv2d(x, weight, None, stride, weight.shape[-1] // 2)


def see(w, x):
    """Features and saliency of images [n, 1, h, w]."""
    x = F.max_pool2d(conv(w, "ds_net.first_conv", x, 2), 3, 2)
    for stage in range(5):
        for block in range(2):
            path = f"ds_net.layer_list.{stage}.{block}"
            stride = 2 if stage > 0 and block == 0 else 1
            a = F.relu(norm(w, path + ".bn1", x))
            shortcut = conv(w, path + ".downsample.0", a, stride) if block == 0 else x
            y = F.relu(norm(w, path + ".bn2", conv(w, path + ".conv1", a, stride)))
            x = shortcut + conv(w, path + ".conv2", y)
    x = F.relu(norm(w, "ds_net.final_bn", x))
    return x, torch.sigmoid(conv(w, "left_postprocess_net.gn_conv_last", x))


def retrieve(maps):
    """Corners (row, col) in the picture; maps [2, h, w], one cell per window."""
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    total = ((maps - low) / (high - low)).sum(0)
    corners = []
    for _ in range(N_ROIS):
        row, col = divmod(int(total.argmax()), total.shape[1])
        total[row, col] = 0
        corners.append([row * SIDE, col * SIDE])
    return corners


def look(w, x):
    """512 features of each window [k, 1, h, w]."""
    x = conv(w, "dn_resnet.conv1", x.expand(-1, 3, -1, -1), 2)
    x = F.max_pool2d(F.relu(norm(w, "dn_resnet.bn1", x)), 3, 2, 1)
    for layer in range(1, 5):
        for block in range(2):
            path = f"dn_resnet.layer{layer}.{block}"
            stride = 2 if layer > 1 and block == 0 else 1
            y = F.relu(norm(w, path + ".bn1", conv(w, path + ".conv1", x, stride)))
            y = norm(w, path + ".bn2", conv(w, path + ".conv2", y))
            if path + ".downsample.0.weight" in w:
                x = norm(w, path + ".downsample.1", conv(w, path + ".downsample.0", x, stride))
            x = F.relu(x + y)
    return x.mean((2, 3))


def judge(w, features, windows):
    h = look(w, windows)
    gate = torch.sigmoid(h @ w["mil_attn_U.weight"].T)
    logits = (torch.tanh(h @ w["mil_attn_V.weight"].T) * gate) @ w["mil_attn_w.weight"].T
    attention = torch.softmax(logits[:, 0], 0)
    z = attention @ h
    local = torch.sigmoid(w["classifier_linear.weight"] @ z)
    both = torch.cat([features.amax((1, 2)), z])
    return attention, local, torch.sigmoid(w["fusion_dnn.weight"] @ both + w["fusion_dnn.bias"])


def main():
    described = tensors()
    w = {name: numbers(k, shape, rule) for k, (name, shape, rule) in enumerate(described)}
    if "--checkpoint" in sys.argv:
        folder = Path(sys.argv[-1])
        w["ds_net.final_bn.num_batches_tracked"] = torch.tensor(7)
        torch.save(w, folder / "zip.pt")
        torch.save(w, folder / "legacy.pt", _use_new_zipfile_serialization=False)
        return
    x = picture()
    features, maps = see(w, x[None, None])
    corners = retrieve(maps[0].clone())
    windows = torch.stack([x[None, r : r + SIDE, c : c + SIDE] for r, c in corners])
    attention, local, scores = judge(w, features[0], windows)
    count = round(SHARE * maps[0, 0].numel())
    flat = lambda t: [round(float(v), 7) for v in t.flatten()]
    golden = {
        "tensors": [{"name": n, "shape": list(s), "rule": r} for n, s, r in described],
        "input": [ROWS, COLS],
        "side": SIDE,
        "share": SHARE,
        "saliency_shape": list(maps.shape),
        "saliency": flat(maps),
        "global_scores": flat(maps[0].flatten(1).topk(count, 1).values.mean(1)),
        "corners": corners,
        "attention": flat(attention),
        "local_scores": flat(local),
        "scores": flat(scores),
    }
    text = json.dumps(golden).replace("}, ", "},\n")
    Path(__file__).with_name("gmic.json").write_text(text + "\n")


if __name__ == "__main__":
    with torch.no_grad():
        main()
