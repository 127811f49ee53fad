"""Makes the test package's network: it finds dark blobs.

    python make.py    (needs numpy and onnx; writes dark_blobs.onnx beside itself)

Input `images` [n, 1, 64, 64], standardized brightness (0 is -0.99, white is 1). A 4 x 4 mean of the
darkness, cut to 0..1, is the malignant saliency on a 16 x 16 grid; half of it the benign one. An
image's scores are the maxima of its maps, its attention logit 8 times the malignant one. Black
padding must not count: each pixel's darkness is weighted down where it is pure black (< -0.95).
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

constants = {
    "minus_one": np.float32(-1.0),
    "zero": np.float32(0.0),
    "one": np.float32(1.0),
    "half": np.float32(0.5),
    "eight": np.float32(8.0),
    "black": np.float32(0.95),
    "forty": np.float32(40.0),
}
nodes = [
    helper.make_node("Mul", ["images", "minus_one"], ["dark"]),
    # 1 where a pixel is lighter than pure black, 0 where it is padding.
    helper.make_node("Sub", ["black", "dark"], ["lift"]),
    helper.make_node("Mul", ["lift", "forty"], ["steep"]),
    helper.make_node("Clip", ["steep", "zero", "one"], ["inside"]),
    helper.make_node("Clip", ["dark", "zero", "one"], ["darkness"]),
    helper.make_node("Mul", ["darkness", "inside"], ["kept"]),
    helper.make_node("AveragePool", ["kept"], ["malignant"], kernel_shape=[4, 4], strides=[4, 4]),
    helper.make_node("Mul", ["malignant", "half"], ["benign"]),
    helper.make_node("Concat", ["benign", "malignant"], ["saliency"], axis=1),
    helper.make_node("GlobalMaxPool", ["saliency"], ["peaks"]),
    helper.make_node("Flatten", ["peaks"], ["image_scores"], axis=1),
    helper.make_node("GlobalMaxPool", ["malignant"], ["peak"]),
    helper.make_node("Flatten", ["peak"], ["flat"], axis=1),
    helper.make_node("Mul", ["flat", "eight"], ["attention_logits"]),
]
graph = helper.make_graph(
    nodes,
    "dark_blobs",
    [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 1, 64, 64])],
    [
        helper.make_tensor_value_info("saliency", TensorProto.FLOAT, ["n", 2, 16, 16]),
        helper.make_tensor_value_info("image_scores", TensorProto.FLOAT, ["n", 2]),
        helper.make_tensor_value_info("attention_logits", TensorProto.FLOAT, ["n", 1]),
    ],
    [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
checker.check_model(model)
save(model, Path(__file__).parent / "dark_blobs.onnx")
