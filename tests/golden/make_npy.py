#!/usr/bin/env python3
"""Writes tests/unit/formats/npy_golden.h: .npy files as numpy makes them, and what numpy reads."""
import io
import textwrap

import numpy as np


def literal(data):
    """Bytes as a C string literal of lines that fit."""
    lines = ['']
    for b in data:
        if len(lines[-1]) > 84:
            lines.append('')
        lines[-1] += chr(b) if 32 <= b < 127 and b not in b'"\\?' else f'\\{b:03o}'
    return '\n      '.join(f'"{line}"' for line in lines)


def fill(text):
    return textwrap.fill(text, 94, initial_indent='      ', subsequent_indent='        ')


def saved(array, version=(1, 0)):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def by_hand(text, data, pad=b''):
    header = text.encode() + pad
    return b'\x93NUMPY\x01\x00' + len(header).to_bytes(2, 'little') + header + data


r = np.random.default_rng(1)
f4 = r.standard_normal((2, 3, 4)).astype('<f4')
accepted = {
    'uint8': saved(np.arange(6, dtype='|u1').reshape(2, 3) * 50),
    'float32': saved(f4),
    'float32, fortran order': saved(np.asfortranarray(f4)),
    'float32, one dimension, fortran order': by_hand(
        "{'descr': '<f4', 'fortran_order': True, 'shape': (3,), }",
        np.float32([1, 2, 3]).tobytes()),
    'int64': saved(np.array([0, -1, 2**62], dtype='<i8')),
    'int32, fortran order': saved(np.asfortranarray(np.arange(-3, 3, dtype='<i4').reshape(2, 3))),
    'float64': saved(np.array([0.1, -1e300 * 0, 3.4e38, 1e-46, np.inf, 2**24 + 1], dtype='<f8')),
    'bool': saved(np.array([True, False, True])),
    'scalar': saved(np.float32(2.5).reshape(())),
    'empty': saved(np.zeros((0, 3), '<f4')),
    'empty, fortran order': by_hand(
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 0, 3), }", b''),
    'version 2': saved(np.arange(3, dtype='<i8'), (2, 0)),
    'version 3': saved(np.arange(3, dtype='<i8'), (3, 0)),
    'no padding, no newline': by_hand(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", b'\0\0\x80?'),
    'other order, other quotes, Python 2': by_hand(
        '{ "shape":(2L, 1L) ,\t"fortran_order" : False,"descr"\n:"<i4" } ',
        b'\1\0\0\0\2\0\0\0', b'\n'),
}
refused = {
    dtype: saved(np.zeros(2, dtype)) for dtype in
    ['|i1', '<i2', '<u2', '<u4', '<u8', '<f2', '<c8', '>f4', '>f8', '>i8', '|V8', '|S5', '<U5',
     '<M8[s]']
}
refused['structured'] = saved(np.zeros(2, [('x', '<f4'), ('y', '<i4')]))
objects = io.BytesIO()
np.save(objects, np.array([{}, []], dtype=object), allow_pickle=True)
refused['object'] = objects.getvalue()

print(f'/* .npy files as numpy {np.__version__} makes and reads them; '
      'written by tests/golden/make_npy.py. */')
print('static const struct {\n    const char *what, *bytes;\n    size_t size;\n    int dtype;\n'
      '    unsigned dims;\n    uint64_t shape[8];\n    double value[24];\n} accepted[] = {')
for what, data in accepted.items():
    array = np.load(io.BytesIO(data))
    kind = {'u': 'NPY_U8', 'b': 'NPY_U8', 'i': 'NPY_I64', 'f': 'NPY_F32'}[array.dtype.kind]
    if array.dtype == '<f8':
        array = array.astype('<f4')
    values = ', '.join(repr(float(v)) for v in array.ravel(order='C')) or '0'
    values = values.replace('inf', 'INFINITY')
    shape = ', '.join(map(str, array.shape)) or '0'
    print(f'    {{ "{what}",\n      {literal(data)},\n'
          f'      {len(data)}, {kind}, {array.ndim}, {{ {shape} }},\n'
          + fill(f'{{ {values} }} }},'))
print('};\nstatic const struct {\n    const char *what, *bytes;\n    size_t size;\n} refused[] = {')
for what, data in refused.items():
    print(f'    {{ "{what}",\n      {literal(data)},\n      {len(data)} }},')
print('};')
