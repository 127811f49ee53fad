"""Makes the graphs of two tiny slide models: formulas that need no training.

The share of a tile's pixels that are dark in red (nuclei take red light) is compared with a
threshold. `tumor` says where nuclei are dense; `grade` has two members with thresholds of their own.
Both are demonstrations by their manifests.

    python make.py    # needs onnx and numpy; writes the SHA-256 of each graph into its manifest
"""

import hashlib
import pathlib
import re

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
# Inputs are (grey level - 128) / 64.
DARK_BELOW = (150 - 128) / 64
STEEPNESS = 8.0


def graph(share: float, slope: float, path: pathlib.Path) -> None:
    """P(second class) = sigmoid(slope · (dark share − share))."""
    weight = np.zeros((1, 3, 1, 1), np.float32)
    weight[0, 0, 0, 0] = -STEEPNESS
    values = {
        "weight": weight,
        "bias": np.array([STEEPNESS * DARK_BELOW], np.float32),
        "slopes": np.array([[0.0, slope]], np.float32),
        "offsets": np.array([0.0, -slope * share], np.float32),
    }
    nodes = [
        helper.make_node("Conv", ["tiles", "weight", "bias"], ["density"], strides=[1, 1], pads=[0] * 4,
                         dilations=[1, 1], kernel_shape=[1, 1], group=1),
        helper.make_node("Sigmoid", ["density"], ["dark"]),
        helper.make_node("GlobalAveragePool", ["dark"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["shares"]),
        helper.make_node("Gemm", ["shares", "slopes", "offsets"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    tiles = helper.make_tensor_value_info("tiles", TensorProto.FLOAT, ["n", 3, 224, 224])
    out = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 2])
    weights = [numpy_helper.from_array(value, name) for name, value in values.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "dark_share", [tiles], [out], weights),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = path.parent / "manifest.toml"
    text = re.sub(f'(file = "{path.name}"\nsha256 = )"[0-9a-f]*"', f'\\1"{digest}"', manifest.read_text())
    manifest.write_text(text)


graph(0.30, 30.0, HERE / "tumor/member-1.onnx")
graph(0.40, 12.0, HERE / "grade/member-1.onnx")
graph(0.44, 12.0, HERE / "grade/member-2.onnx")
