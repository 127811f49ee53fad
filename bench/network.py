"""The shipped ultrasound network in PyTorch, with the weights of a member's ONNX file."""

import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

STAGES = [(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3),
          (6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)]
BLOCKS_AT_STRIDE_16 = 11


class Conv(torch.nn.Module):
    """Convolution with TensorFlow's padding, bias and ReLU6 (or nothing)."""

    def __init__(self, weight, bias, stride, act):
        super().__init__()
        out, inner, kernel, _ = weight.shape
        total = max(kernel - stride, 0)
        start, end = total // 2, total - total // 2
        self.pad = (start, end, start, end) if start != end else None
        self.conv = torch.nn.Conv2d(out if inner == 1 and out > 1 and kernel > 1 else inner, out, kernel,
                                    stride, 0 if self.pad else start,
                                    groups=out if inner == 1 and out > 1 and kernel > 1 else 1)
        self.conv.weight.data, self.conv.bias.data = weight, bias
        self.act = act

    def forward(self, x):
        x = self.conv(F.pad(x, self.pad) if self.pad else x)
        return F.relu6(x) if self.act else x


class Network(torch.nn.Module):
    """Images [n, 1, h, w] to saliency, image scores and attention logits."""

    def __init__(self, member, top_share=0.05):
        super().__init__()
        graph = onnx.load(member).graph
        weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).astype("float32"))
                   for t in graph.initializer if "/" not in t.name}

        def conv(path, stride=1, act=True):
            return Conv(weights[f"{path}.weight"], weights[f"{path}.bias"], stride, act)

        stem = weights["backbone.stem.weight"]
        self.stem = conv("backbone.stem", 2)
        self.stem.conv = torch.nn.Conv2d(1, stem.shape[0], 3, 2)
        self.stem.conv.weight.data, self.stem.conv.bias.data = stem, weights["backbone.stem.bias"]
        self.blocks, index, channels = torch.nn.ModuleList(), 0, 32
        self.residual = []
        for expansion, _, stride, out, count in STAGES:
            for i in range(count):
                path, step = f"backbone.blocks.{index}", stride if i == 0 else 1
                parts = [conv(f"{path}.expand")] if expansion > 1 else []
                parts += [conv(f"{path}.depthwise", step), conv(f"{path}.project", 1, False)]
                self.blocks.append(torch.nn.Sequential(*parts))
                self.residual.append(step == 1 and channels == out)
                index, channels = index + 1, out
        self.lateral_16 = conv("lateral_16", 1, False)
        self.lateral_32 = conv("lateral_32", 1, False)
        self.saliency = conv("saliency", 1, False)
        self.v, self.u, self.w = (weights[f"attention_{k}"] for k in "vuw")
        self.top_share = top_share

    def forward(self, x):
        x = self.stem(x)
        for i, (block, residual) in enumerate(zip(self.blocks, self.residual)):
            x = x + block(x) if residual else block(x)
            if i + 1 == BLOCKS_AT_STRIDE_16:
                fine = x
        fused = F.relu(self.lateral_16(fine) + F.interpolate(self.lateral_32(x), scale_factor=2))
        saliency = torch.sigmoid(self.saliency(fused))
        flat = saliency.flatten(2)
        count = max(1, round(flat.shape[2] * self.top_share))
        scores = flat.topk(count, dim=2).values.mean(2)
        h = torch.cat([fused.mean((2, 3)), fused.amax((2, 3))], 1)
        logits = (torch.tanh(h @ self.v) * torch.sigmoid(h @ self.u)) @ self.w
        return saliency, scores, logits
