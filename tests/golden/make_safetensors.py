#!/usr/bin/env python3
"""Writes tests/unit/formats/safetensors_golden.h: a file by the reference writer, and its values.

Needs the package safetensors (0.4) beside numpy."""
import math
import textwrap

import numpy as np
import safetensors

HALF = [0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x3c00, 0xbc01, 0x7bff, 0xfc00, 0x3555, 0x5640,
        0x2e66]
BRAIN = [0x0000, 0x8000, 0x0001, 0x3f80, 0xc049, 0x7f7f, 0xff80]


def widened(bits):
    return (np.array(bits, '<u4') << 16).view('<f4').astype(float)


half, brain = np.array(HALF, '<u2'), np.array(BRAIN, '<u2')
f8 = np.array([0.1, -1e-300, 3.4e38, 2**24 + 1], '<f8')
f4 = np.arange(6, dtype='<f4').reshape(2, 3) / 7
tensors = {     # name: (dtype for the writer, array, values)
    'layer1.weight': ('float32', f4, f4.ravel()),
    'half': ('float16', half, half.view('<f2')),
    'brain': ('bfloat16', brain, widened(BRAIN)),
    'double': ('float64', f8, f8.astype('<f4')),
    'bn1.num_batches_tracked': ('int64', np.array(2**40, '<i8'), [2**40]),
    'int': ('int32', np.array([[-2**31, 7]], '<i4'), [-2**31, 7]),
    'byte': ('uint8', np.array([0, 255], 'u1'), [0, 255]),
    'bool': ('bool', np.array([1, 0, 1], 'u1'), [1, 0, 1]),
    'short': ('int16', np.array([1], '<i2'), [1]),
    'empty': ('float32', np.zeros((2, 0), '<f4'), []),
    'n\u00e4me "quoted" / and\nmore': ('uint8', np.array([3], 'u1'), [3]),
}
data = safetensors.serialize(
    {k: {'dtype': d, 'shape': list(a.shape), 'data': a.tobytes()}
     for k, (d, a, _) in tensors.items()},
    {'format': 'pt', 'a "b"': 'c\n\u00e9'})


def literal(data):
    lines = ['']
    for b in data:
        if len(lines[-1]) > 84:
            lines.append('')
        lines[-1] += chr(b) if 32 <= b < 127 and b not in b'"\\?' else f'\\{b:03o}'
    return '\n    '.join(f'"{line}"' for line in lines)


def number(v):
    v = float(v)
    return ('-' if v < 0 else '') + 'INFINITY' if math.isinf(v) else repr(v)


print(f'/* By the reference writer, version {safetensors.__version__}; '
      'written by tests/golden/make_safetensors.py. */')
print(f'static const char reference[{len(data)}] =\n    {literal(data)};')
print('static const struct {\n    const char *name;\n    enum tensor_dtype dtype;\n'
      '    unsigned dims;\n    uint64_t shape[8];\n    size_t count;\n    double value[16];\n'
      '} expected[] = {')
names = {'float32': 'F32', 'float16': 'F16', 'bfloat16': 'BF16', 'float64': 'F64', 'int64': 'I64',
         'int32': 'I32', 'uint8': 'U8', 'bool': 'BOOL', 'int16': 'I16'}
for name, (dtype, array, values) in tensors.items():
    shape = ', '.join(map(str, array.shape)) or '0'
    text = (f'{{ {literal(name.encode())}, TENSOR_{names[dtype]}, {array.ndim}, {{ {shape} }}, '
            f'{array.size}, {{ {", ".join(map(number, values)) or 0} }} }},')
    print(textwrap.fill(text, 96, initial_indent='    ', subsequent_indent='      '))
print('};')
