"""ONNX files without a library: messages as dicts in the field numbers of plugins/backbones/onnx/onnx.proto, so that a test
can also write what no library would."""
import struct

import numpy as np

FLOAT, INT64, FLOAT16, DOUBLE = 1, 7, 10, 11
TYPES = {np.dtype("float32"): FLOAT, np.dtype("int64"): INT64, np.dtype("float16"): FLOAT16, np.dtype("float64"): DOUBLE}


def varint(v):
    v &= (1 << 64) - 1
    out = bytearray()
    while v > 127:
        out.append(v & 127 | 128)
        v >>= 7
    return bytes(out) + bytes([v])


def field(number, value):
    """An int, float, text, bytes (a message too), or a list of one of them."""
    if isinstance(value, (list, tuple)):
        return b"".join(field(number, v) for v in value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, (int, np.integer)):
        return varint(number << 3) + varint(int(value))
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def array(name, values, dims=None, data_type=None, more=b""):
    values = np.asarray(values)
    return (field(1, [int(d) for d in (values.shape if dims is None else dims)]) + field(2, data_type or TYPES[values.dtype]) +
            field(8, name) + field(9, values.tobytes()) + more)


def attribute(name, value):
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, 1)
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    if isinstance(value, str):
        return field(1, name) + field(4, value) + field(20, 3)
    if isinstance(value, np.ndarray):
        return field(1, name) + field(5, array("", value)) + field(20, 4)
    return field(1, name) + field(8, list(value)) + field(20, 7)


def node(op, inputs, outputs, name=None, domain=None, **attributes):
    return (field(1, inputs) + field(2, outputs) + field(3, name or outputs[0]) + field(4, op) +
            field(5, [attribute(k, v) for k, v in attributes.items()]) + (field(7, domain) if domain else b""))


def value_info(name, dims):
    """A dimension that is a text is a symbol."""
    shape = b"".join(field(1, field(2, d) if isinstance(d, str) else field(1, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, FLOAT) + field(2, shape)))


def model(nodes, arrays, inputs, outputs, opset=20):
    graph = (field(1, nodes) + field(2, "graph") + field(5, arrays) + field(11, [value_info(n, d) for n, d in inputs]) +
             field(12, [value_info(n, d) for n, d in outputs]))
    return field(1, 8) + field(2, "bioft") + field(7, graph) + field(8, field(1, "") + field(2, opset))
