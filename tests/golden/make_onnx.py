#!/usr/bin/env python3
"""Writes the networks of tests/golden/onnx/, each with an input and what the reference evaluator of the package `onnx`
(1.23.2 of PyPI) computes of it: make_onnx.py FOLDER."""
import pathlib
import sys

import numpy as np
from onnx import load_from_string
from onnx.reference import ReferenceEvaluator
from onnx_encode import array, model, node

rng = np.random.default_rng(5)


def draw(*shape, scale=0.4):
    return (rng.standard_normal(shape) * scale).astype(np.float32)


class Graph:
    def __init__(self):
        self.nodes, self.arrays = [], []

    def constant(self, name, values):
        self.arrays.append(array(name, values))
        return name

    def __call__(self, op, inputs, output, **attributes):
        self.nodes.append(node(op, inputs, [output], **attributes))
        return output

    def conv(self, name, x, w, bias=False, **attributes):
        inputs = [x, self.constant(name + ".weight", w)] + ([self.constant(name + ".bias", draw(len(w)))] if bias else [])
        return self("Conv", inputs, name, **attributes)

    def norm(self, name, x, channels):
        values = [("weight", draw(channels) + 1), ("bias", draw(channels)), ("running_mean", draw(channels)),
                  ("running_var", np.abs(draw(channels)) + np.float32(0.5))]
        return self("BatchNormalization", [x] + [self.constant(f"{name}.{k}", v) for k, v in values], name, epsilon=1e-3)


def torch_like():
    """Residual, depthwise, squeeze and excitation, dense: as torch exports them."""
    g = Graph()
    x = g("Relu", [g.norm("bn1", g.conv("conv1", "x", draw(8, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1]), 8)], "r1")
    low, high = g.constant("low", np.float32(0)), g.constant("high", np.float32(6))
    y = g("Clip", [g.conv("dw", x, draw(8, 1, 3, 5) * 2, True, pads=[1, 2, 1, 2], group=8), low, high], "c1")
    x = g("Add", [g("HardSwish", [y], "h1"), x], "a1")
    s = g("Relu", [g.conv("se.fc1", g("GlobalAveragePool", [x], "g1"), draw(4, 8, 1, 1), True)], "r2")
    s = g("HardSigmoid", [g.conv("se.fc2", s, draw(8, 4, 1, 1), True)], "h2", alpha=1 / 6)
    x = g("Mul", [s, x], "m1")
    pool = dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    y = g("Sigmoid", [g("AveragePool", [x], "p1", **pool)], "s1")
    z = g("MaxPool", [g.conv("grouped", x, draw(6, 4, 3, 3), pads=[2, 2, 2, 2], dilations=[2, 2], group=2)], "p2", **pool)
    x = g("Concat", [y, z, g("Tanh", [z], "t1")], "cat", axis=1)
    x = g("Flatten", [x], "f1", axis=1)
    x = g("Gelu", [g("Gemm", [x, g.constant("fc1.weight", draw(12, 20 * 16, scale=0.1)), g.constant("fc1.bias", draw(12))],
                     "l1", transB=1)], "e1", approximate="none")
    x = g("Gemm", [x, g.constant("fc2.weight", draw(5, 12)), g.constant("fc2.bias", draw(5))], "logits", transB=1)
    return g, ("x", [1, 3, 16, 16]), "logits"


def keras_like():
    """Channels last, padding by SAME, biases added, a flatten of computed shape, norms folded, gelu written out, float16:
    as tf2onnx exports them."""
    g = Graph()
    x = g("Transpose", ["image"], "nchw", perm=[0, 3, 1, 2])
    x = g("Conv", [x, g.constant("conv/kernel:0", draw(6, 3, 3, 3).astype(np.float16).astype(np.float32))], "conv",
          auto_pad="SAME_UPPER", strides=[2, 2])
    x = g("Relu", [g("Add", [x, g.constant("conv/bias:0", draw(1, 6, 1, 1))], "biased")], "r1")
    pads = g.constant("pads", np.array([0, 0, 1, 0, 0, 0, 0, 1]))
    x = g("Conv", [g("Pad", [x, pads], "padded"), g.constant("conv2/kernel:0", draw(4, 6, 3, 3)),
                   g.constant("conv2/bias:0", draw(4))], "conv2", auto_pad="VALID")
    x = g("MaxPool", [x], "pool", kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
    shape = g("Slice", [g("Shape", [x], "shape"), g.constant("zero", np.array([0])), g.constant("one", np.array([1]))], "n")
    shape = g("Concat", [shape, g.constant("rest", np.array([-1]))], "to", axis=0)
    x = g("Reshape", [g("Transpose", [x], "nhwc", perm=[0, 2, 3, 1]), shape], "flat")
    x = g("MatMul", [x, g.constant("dense/kernel:0", draw(4 * 4 * 4, 8, scale=0.2))], "dense")
    x = g("Add", [x, g.constant("dense/bias:0", draw(8))], "dense_biased")
    erf = g("Erf", [g("Div", [x, g.constant("root", np.float32(2 ** 0.5))], "scaled")], "erf")
    x = g("Mul", [x, g("Add", [erf, g.constant("unit", np.float32(1))], "erf1")], "twice")
    x = g("Mul", [x, g.constant("half", np.float32(0.5))], "gelu")
    x = g("Add", [g("Mul", [x, g.constant("norm/mul:0", draw(8) + 1)], "norm"), g.constant("norm/sub:0", draw(8))], "norm2")
    x = g("MatMul", [x, g.constant("last/kernel:0", draw(8, 5))], "last")
    x = g("Add", [x, g.constant("last/bias:0", draw(5))], "logits")
    g("Softmax", [x], "probabilities", axis=-1)
    return g, ("image", ["n", 15, 16, 3]), "logits"


folder = pathlib.Path(sys.argv[1])
folder.mkdir(exist_ok=True)
for make in (torch_like, keras_like):
    g, given, output = make()
    name = make.__name__
    data = model(g.nodes, g.arrays, [given], [("probabilities" if "image" == given[0] else output, [1, 5])])
    (folder / f"{name}.onnx").write_bytes(data)
    shape = [2, *given[1][1:]]
    x = rng.random(shape, dtype=np.float32)
    seen = load_from_string(model(g.nodes, g.arrays, [(given[0], shape)], [(output, [2, 5])]))
    y = ReferenceEvaluator(seen).run([output], {given[0]: x})[0]
    np.save(folder / f"{name}_x.npy", x if given[0] == "x" else x.transpose(0, 3, 1, 2).copy())
    np.save(folder / f"{name}_y.npy", y.astype(np.float32))
