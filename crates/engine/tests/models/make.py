"""Makes the ONNX graphs and golden outputs of the engine tests.

    pip install onnx numpy && python make.py

Weights are stored as float16 and cast to float32 inside the graph. Golden outputs come from
ONNX's reference evaluator; inputs are the fixed images of `lobule_engine::bench::fixed_images`.
"""

import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

HERE = pathlib.Path(__file__).parent
OPSET = 17
RNG = np.random.default_rng(7)


def fixed_images(shape):
    index = np.arange(int(np.prod(shape)), dtype=np.uint32)
    hashed = index * np.uint32(2654435769)
    return (hashed.astype(np.float64) / 2.0**31 - 1.0).astype(np.float32).reshape(shape)


class Graph:
    """Collects nodes and initializers."""

    def __init__(self):
        self.nodes, self.initializers = [], []

    def node(self, op, inputs, outputs, **attributes):
        if op == "Conv":
            # ONNX infers the rank when these are absent; rten then needs `kernel_shape`.
            attributes.setdefault("dilations", [1, 1])
            attributes.setdefault("strides", [1, 1])
            attributes.setdefault("pads", [0, 0, 0, 0])
        outputs = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(helper.make_node(op, inputs, outputs, name=f"{op}_{outputs[0]}", **attributes))
        return outputs[0]

    def constant(self, name, values, dtype):
        self.initializers.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def weight(self, name, shape, scale):
        self.constant(f"{name}.f16", RNG.normal(0.0, scale, shape), np.float16)
        return self.node("Cast", [f"{name}.f16"], name, to=TensorProto.FLOAT)

    def save(self, name, input_shape, outputs):
        declared = [helper.make_tensor_value_info(o, TensorProto.FLOAT, s) for o, s in outputs.items()]
        images = helper.make_tensor_value_info("images", TensorProto.FLOAT, input_shape)
        graph = helper.make_graph(self.nodes, name, [images], declared, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = 8
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, HERE / f"{name}.onnx")
        return model


def attention_mil():
    """A small network of the shape that packages hold, with two stages joined by a resize."""
    g = Graph()
    classes, top = 2, 3

    def block(x, name, channels, into, stride):
        w = g.weight(f"{name}.depthwise", (channels, 1, 3, 3), 0.4)
        x = g.node("Conv", [x, w], f"{name}.a", group=channels, strides=[stride, stride], pads=[1, 1, 1, 1])
        x = g.node("Clip", [x, "zero", "six"], f"{name}.b")
        w, b = g.weight(f"{name}.pointwise", (into, channels, 1, 1), 0.4), g.weight(f"{name}.bias", (into,), 0.1)
        return g.node("Conv", [x, w, b], f"{name}.c")

    g.constant("zero", 0.0, np.float32)
    g.constant("six", 6.0, np.float32)
    # Padding on one side only, as TensorFlow's networks have it at stride 2.
    stem = g.node("Conv", ["images", g.weight("stem", (8, 1, 3, 3), 0.4)], "stem.out", strides=[2, 2], pads=[0, 0, 1, 1])
    fine = block(stem, "fine", 8, 8, 2)
    coarse = block(fine, "coarse", 8, 12, 2)
    residual = g.node("Add", [coarse, block(coarse, "residual", 12, 12, 1)], "residual.sum")
    sizes = g.node("Shape", [fine], "fine.shape")
    g.constant("first", [0], np.int64), g.constant("two", [2], np.int64), g.constant("four", [4], np.int64)
    spatial = g.node("Slice", [sizes, "two", "four"], "fine.spatial")
    leading = g.node("Slice", [g.node("Shape", [residual], "residual.shape"), "first", "two"], "leading")
    full = g.node("Concat", [leading, spatial], "resize.sizes", axis=0)
    up = g.node("Resize", [residual, "", "", full], "up", mode="linear", coordinate_transformation_mode="half_pixel")
    both = g.node("Concat", [fine, up], "both", axis=1)
    maps = g.node("Conv", [both, g.weight("head", (classes, 20, 1, 1), 0.4)], "maps")
    g.node("Sigmoid", [maps], "saliency")

    g.constant("flat.shape", [0, classes, -1], np.int64), g.constant("top", [top], np.int64)
    flat = g.node("Reshape", ["saliency", "flat.shape"], "flat")
    best = g.node("TopK", [flat, "top"], ["best", "best.at"], axis=2)
    g.node("ReduceMean", [best], "image_scores", axes=[2], keepdims=0)

    pooled = g.node("ReduceMean", [both], "pooled", axes=[2, 3], keepdims=0)
    v = g.node("Gemm", [pooled, g.weight("v", (6, 20), 0.4), g.weight("v.bias", (6,), 0.1)], "v.out", transB=1)
    u = g.node("Gemm", [pooled, g.weight("u", (6, 20), 0.4), g.weight("u.bias", (6,), 0.1)], "u.out", transB=1)
    gate = g.node("Mul", [g.node("Tanh", [v], "v.tanh"), g.node("Sigmoid", [u], "u.sigmoid")], "gate")
    g.node("Gemm", [gate, g.weight("w", (1, 6), 0.4)], "attention_logits", transB=1)
    outputs = {
        "saliency": ["n", classes, "gh", "gw"],
        "image_scores": ["n", classes],
        "attention_logits": ["n", 1],
    }
    return g.save("attention_mil", ["n", 1, "h", "w"], outputs), (3, 1, 32, 40)


def operators():
    """One graph per operator that exported networks may use."""
    shape = (2, 4, 6, 6)

    def single(name, out_shape, build):
        g = Graph()
        build(g)
        return g.save(name, ["n", 4, 6, 6], {"y": out_shape}), shape

    def topk(g):
        g.constant("k", [5], np.int64), g.constant("s", [0, 4, -1], np.int64)
        g.node("Reshape", ["images", "s"], "flat")
        g.node("TopK", ["flat", "k"], ["values", "at"], axis=-1, largest=1, sorted=0)
        g.node("ReduceMean", ["values"], "y", axes=[2], keepdims=0)

    def resize_scales(g):
        g.constant("scales", [1, 1, 2, 2], np.float32)
        g.node("Resize", ["images", "", "scales"], "y", mode="linear", coordinate_transformation_mode="half_pixel")

    def clip(g):
        g.constant("low", -0.25, np.float32), g.constant("high", 0.5, np.float32)
        g.node("Clip", ["images", "low", "high"], "y")

    def softmax(g):
        g.node("Softmax", ["images"], "y", axis=1)

    def gemm(g):
        g.node("Flatten", ["images"], "flat", axis=1)
        g.node("Gemm", ["flat", g.weight("w", (3, 144), 0.1), g.weight("b", (3,), 0.1)], "y", transB=1)

    def depthwise(g):
        w = g.weight("w", (4, 1, 5, 5), 0.3)
        g.node("Conv", ["images", w], "y", group=4, pads=[1, 1, 2, 2], strides=[2, 2])

    def pad(g):
        g.constant("pads", [0, 0, 0, 0, 0, 0, 1, 1], np.int64)
        g.node("Pad", ["images", "pads"], "y", mode="constant")

    def global_pool(g):
        g.node("GlobalAveragePool", ["images"], "y")

    def max_pool(g):
        g.node("MaxPool", ["images"], "y", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])

    def batch_norm(g):
        names = [g.weight(f"n{i}", (4,), 0.2) for i in range(3)]
        g.constant("var", [0.5, 1.0, 2.0, 0.1], np.float32)
        g.node("BatchNormalization", ["images", *names, "var"], "y", epsilon=1e-3)

    def hard_swish(g):
        g.node("HardSwish", ["images"], "y")

    def unary(op):
        return lambda g: g.node(op, ["images"], "y")

    same, vector = ["n", 4, 6, 6], ["n", 4]
    return [
        single("topk_mean", vector, topk),
        single("resize_scales", ["n", 4, 12, 12], resize_scales),
        single("clip", same, clip),
        single("sigmoid", same, unary("Sigmoid")),
        single("tanh", same, unary("Tanh")),
        single("relu", same, unary("Relu")),
        single("softmax", same, softmax),
        single("gemm", ["n", 3], gemm),
        single("depthwise", ["n", 4, "h", "w"], depthwise),
        single("pad", ["n", 4, 7, 7], pad),
        single("global_average_pool", ["n", 4, 1, 1], global_pool),
        single("max_pool", ["n", 4, 3, 3], max_pool),
        single("batch_norm", same, batch_norm),
        single("hard_swish", same, hard_swish),
    ]


def damaged():
    """Well-formed files of graphs that lie: about sizes, names, operators."""
    corpus = HERE.parent / "corpus"
    corpus.mkdir(exist_ok=True)

    def write(name, build):
        g = Graph()
        build(g)
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
        images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 1, "h", "w"])
        graph = helper.make_graph(g.nodes, name, [images], [y], g.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = 8
        (corpus / f"{name}.onnx").write_bytes(model.SerializeToString())

    def lying_weight(dims, dtype=TensorProto.FLOAT):
        def build(g):
            t = TensorProto(name="w", data_type=dtype, dims=dims, raw_data=bytes(36))
            g.initializers.append(t)
            g.node("Conv", ["images", "w"], "y")

        return build

    def outside_file(g):
        t = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1, 1, 3, 3], data_location=TensorProto.EXTERNAL)
        t.external_data.add(key="location", value="../../../../etc/passwd")
        g.initializers.append(t)
        g.node("Conv", ["images", "w"], "y")

    def topk_beyond(g):
        g.constant("k", [1000], np.int64)
        g.node("TopK", ["images", "k"], ["y", "at"], axis=2)

    def reshape(to):
        return lambda g: g.node("Reshape", ["images", g.constant("s", to, np.int64)], "y")

    write("huge_dims", lying_weight([1 << 31, 1 << 31, 3, 3]))
    write("negative_dims", lying_weight([1, 1, -3, -3]))
    write("overflowing_dims", lying_weight([1 << 62, 4, 1 << 62, 1]))
    write("wrong_size", lying_weight([1, 1, 5, 5]))
    write("odd_f16", lying_weight([1, 1, 3, 3], TensorProto.FLOAT16))
    write("unknown_type", lying_weight([1, 1, 3, 3], 77))
    write("outside_file", outside_file)
    write("unknown_operator", lambda g: g.node("Frobnicate", ["images"], "y"))
    write("missing_value", lambda g: g.node("Add", ["images", "nowhere"], "y"))
    write("missing_input", lambda g: g.node("Conv", ["images"], "y"))
    write("cycle", lambda g: (g.node("Add", ["images", "y"], "a"), g.node("Relu", ["a"], "y")))
    write("twice_the_same_name", lambda g: (g.node("Relu", ["images"], "y"), g.node("Tanh", ["images"], "y")))
    write("no_nodes", lambda g: None)
    write("topk_beyond", topk_beyond)
    write("reshape_negative", reshape([-5, -7]))
    write("reshape_overflow", reshape([1 << 62, 1 << 62]))
    write("group_zero", lambda g: g.node("Conv", ["images", g.weight("w", (1, 1, 3, 3), 1.0)], "y", group=0))
    write("stride_zero", lambda g: g.node("Conv", ["images", g.weight("w", (1, 1, 3, 3), 1.0)], "y", strides=[0, 0]))
    write("negative_pads", lambda g: g.node("Conv", ["images", g.weight("w", (1, 1, 3, 3), 1.0)], "y", pads=[-9, -9, -9, -9]))
    write("large_kernel", lambda g: g.node("MaxPool", ["images"], "y", kernel_shape=[99, 99]))


def main():
    damaged()
    golden = {}
    for model, shape in [attention_mil(), *operators()]:
        images = fixed_images(shape)
        names = [o.name for o in model.graph.output]
        results = ReferenceEvaluator(model).run(names, {"images": images})
        outputs = {n: {"shape": list(r.shape), "data": r.astype(float).ravel().tolist()} for n, r in zip(names, results)}
        golden[model.graph.name] = {"shape": list(shape), "outputs": outputs}
    text = json.dumps(golden, separators=(",", ":"))
    (HERE / "golden.json").write_text(text.replace('},"', '},\n"') + "\n")


main()
