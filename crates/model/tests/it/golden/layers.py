"""Golden values of layers, pooling, attention and loss, with gradients, from PyTorch.

    pip install torch
    python layers.py        # writes layers.json

The network's mathematics is written out here a second time, from the papers, with PyTorch's own
operations; nothing is shared with the Rust code. TensorFlow's "same" padding is spelled out.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

torch.manual_seed(7)


def flat(t):
    return {"shape": list(t.shape), "values": [round(float(v), 7) for v in t.detach().flatten()]}


def convolution(n, channels, out, rows, cols, kernel, stride, depthwise, activation):
    groups = channels if depthwise else 1
    x = torch.randn(n, channels, rows, cols, requires_grad=True)
    w = torch.randn(out, channels // groups, kernel, kernel, requires_grad=True)
    b = torch.randn(out, requires_grad=True)
    total = max(kernel - stride, 0)
    start, end = total // 2, total - total // 2
    y = F.conv2d(F.pad(x, (start, end, start, end)), w, b, stride=stride, groups=groups)
    y = {"relu6": F.relu6, "relu": F.relu, "linear": lambda v: v}[activation](y)
    scale = torch.randn_like(y)
    (y * scale).sum().backward()
    return {
        "kernel": kernel, "stride": stride, "depthwise": depthwise, "activation": activation,
        "x": flat(x), "weight": flat(w), "bias": flat(b), "scale": flat(scale), "y": flat(y),
        "x_grad": flat(x.grad), "weight_grad": flat(w.grad), "bias_grad": flat(b.grad),
    }


def breast():
    """Saliency logits and features of five images of two breasts, down to the loss."""
    logits = torch.randn(5, 2, 6, 4, requires_grad=True)
    attention = torch.randn(5, 1, requires_grad=True)
    bag_of_image = torch.tensor([0, 1, 0, 0, 1])
    targets = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    share, beta = 0.2, 0.1
    saliency = torch.sigmoid(logits)
    top = round(share * 24)
    scores = saliency.flatten(2).topk(top, dim=2).values.mean(2)
    weights = torch.zeros(5)
    bags = []
    for bag in range(2):
        own = bag_of_image == bag
        alpha = torch.softmax(attention[own, 0], 0)
        weights[own] = alpha
        bags.append((alpha[:, None] * scores[own]).sum(0))
    bags = torch.stack(bags)
    loss = sum(F.binary_cross_entropy(bags[:, c], targets[:, c]) for c in range(2))
    loss = loss + beta * saliency.mean()
    loss.backward()
    return {
        "saliency_logits": flat(logits), "attention_logits": flat(attention),
        "bag_of_image": bag_of_image.tolist(), "targets": flat(targets), "share": share,
        "beta": beta, "scores": flat(scores), "attention": flat(weights), "bags": flat(bags),
        "loss": float(loss), "saliency_logits_grad": flat(logits.grad),
        "attention_logits_grad": flat(attention.grad),
    }


def basic_block(channels, out, stride):
    """A residual block of ResNet (batch normalisation folded), with symmetric padding."""
    x = torch.randn(2, channels, 8, 6, requires_grad=True)
    shapes = {"first": (out, channels, 3), "second": (out, out, 3), "shortcut": (out, channels, 1)}
    w = {name: torch.randn(o, c, k, k) / (c * k) for name, (o, c, k) in shapes.items()}
    b = {name: torch.randn(o) for name, (o, c, k) in shapes.items()}
    y = F.relu(F.conv2d(x, w["first"], b["first"], stride=stride, padding=1))
    y = F.conv2d(y, w["second"], b["second"], padding=1)
    y = F.relu(y + F.conv2d(x, w["shortcut"], b["shortcut"], stride=stride))
    y.square().sum().backward()
    return {
        "channels": channels, "out": out, "stride": stride, "x": flat(x), "y": flat(y),
        "x_grad": flat(x.grad), "weights": {k: flat(v) for k, v in w.items()},
        "biases": {k: flat(v) for k, v in b.items()},
    }


cases = [
    convolution(2, 3, 5, 8, 6, 3, 2, False, "relu6"),
    convolution(2, 4, 3, 5, 7, 1, 1, False, "linear"),
    convolution(1, 3, 4, 9, 9, 7, 2, False, "relu"),
    convolution(2, 4, 4, 7, 9, 3, 1, True, "relu6"),
    convolution(1, 3, 3, 12, 10, 5, 2, True, "relu6"),
]
golden = {"convolutions": cases, "breast": breast(), "block": basic_block(3, 4, 2)}
(Path(__file__).parent / "layers.json").write_text(json.dumps(golden) + "\n")
